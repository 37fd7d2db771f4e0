//! Noise in one line: what is folded by default, that it adds up to all there is, and that nothing that was asked for is hidden by it.

use std::fmt::Write as _;

use flowtail::app::Target;

use crate::stage::Stage;

/// Scans of the internet, a scan of a neighbour, a refused reply, and windows without traffic.
fn noisy() -> Stage {
    let mut lines = String::new();
    for n in 0..300 {
        let end = 1_534_778_900 + n % 40;
        let start = end - 60;
        let ends = format!("198.99.1.{} 172.16.0.178 {} 23", n % 250, 40_000 + n);
        let _ = writeln!(lines, "2 1 eni-a {ends} 6 1 40 {start} {end} REJECT OK");
        if n % 10 == 0 {
            let _ = writeln!(lines, "2 1 eni-b - - - - - - - {start} {end} - NODATA");
            let _ =
                writeln!(lines, "2 1 eni-a 10.0.1.{} 172.16.0.178 50000 443 6 9 900 {start} {end} ACCEPT OK", n / 10);
        }
    }
    let odd = "\
2 1 eni-a 10.0.0.9 172.16.0.178 50000 445 6 1 40 1534778900 1534778960 REJECT OK
2 1 eni-a 8.8.4.4 172.16.0.178 443 51000 6 1 40 1534778900 1534778960 REJECT OK
2 1 eni-a 8.8.4.5 172.16.0.178 11211 51000 17 1 1400 1534778900 1534778960 REJECT OK
2 1 eni-b - - - - - - - 1534778900 1534778960 - SKIPDATA
";
    let mut stage = Stage::new("flows.log", None, crate::look(), (100, 24));
    stage.feed([crate::batch(&lines), crate::batch(odd), crate::live()]);
    stage
}

fn sum(stage: &Stage) -> u64 {
    stage.app.folded().map_or(0, |kinds| kinds.iter().map(|(_, count)| count).sum())
}

#[test]
fn the_first_page_shows_traffic_and_counts_the_noise() {
    let mut stage = noisy();
    let line = "331 folded: 300 internet-scan rejects, 30 NODATA, 1 SKIPDATA";
    assert!(stage.shows(line) && stage.shows("u shows"), "{}", stage.text());
    // A neighbour that is refused, a reply that is, and what a reflector sends are no noise.
    for seen in ["10.0.0.9", "8.8.4.4 ", "8.8.4.5"] {
        assert!(stage.shows(seen), "{seen}\n{}", stage.text());
    }
    assert!(!stage.shows("198.99.1.") && !stage.shows("NODATA: "), "{}", stage.text());
    let page = stage.app.page();
    assert_eq!(page.matched + sum(&stage), page.total);
    assert_eq!(page.total, page.status.held);
    stage.run("u");
    assert_eq!((stage.app.page().matched, sum(&stage)), (364, 0));
    assert!(stage.shows("1 of 364") && stage.shows("Every row is shown"), "{}", stage.text());
    stage.run("u");
    assert!(stage.shows(line), "{}", stage.text());
    stage.click(Target::Folded);
    assert_eq!(stage.app.page().matched, 364);
}

#[test]
fn every_pane_counts_the_same() {
    let mut stage = noisy();
    let of_bars = |stage: &Stage| -> u64 {
        stage.app.page().timeline.bins.iter().map(|bin| bin.accepted + bin.rejected + bin.skipped).sum()
    };
    // NODATA has no traffic to draw.
    assert_eq!(of_bars(&stage) + 30, stage.app.page().matched + sum(&stage));
    stage.run("2");
    let page = stage.app.page();
    assert_eq!((page.matched + sum(&stage), sum(&stage)), (page.status.sessions, 300));
    assert!(stage.shows("300 folded: 300 internet-scan rejects"), "{}", stage.text());
    // Groups count every row.
    stage.run("1baction<enter>");
    assert_eq!(sum(&stage), 0);
    assert!(stage.shows("303"), "{}", stage.text());
}

#[test]
fn a_filter_says_what_is_wanted_and_hides_none_of_it() {
    let mut stage = noisy();
    stage.run("/port 23<enter>");
    assert_eq!((stage.app.page().matched, sum(&stage)), (300, 0));
    // Unless it is asked for: then the filter and the fold hold together.
    stage.run("u");
    assert_eq!((stage.app.page().matched, sum(&stage)), (0, 300));
    assert!(stage.shows("Everything here is folded."), "{}", stage.text());
    stage.run("<esc>");
    assert_eq!(sum(&stage), 331, "the way back folds as before");
    // A part of the time is narrowed by time alone.
    stage.run("t<home><enter>");
    let page = stage.app.page();
    assert!(page.matched + sum(&stage) < 364 && sum(&stage) > 0);
}

#[test]
fn frozen_the_fold_stays_as_it_was() {
    let mut stage = noisy();
    stage.run("<space>");
    let scan = "2 1 eni-a 198.99.1.7 172.16.0.178 40000 23 6 1 40 1534778900 1534778960 REJECT OK\n";
    let other = "2 1 eni-a 10.0.0.7 172.16.0.178 40000 22 6 1 40 1534778900 1534778960 ACCEPT OK\n";
    stage.feed([crate::batch(&scan.repeat(5)), crate::batch(other)]);
    assert_eq!((sum(&stage), stage.app.page().unseen), (331, 1), "what is folded is not announced as new");
    stage.run("<space>");
    assert_eq!(sum(&stage), 336);
}

#[test]
fn exports_hold_what_is_folded_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.csv");
    let mut stage = noisy();
    stage.run("xcsv<enter><ctrl-u>");
    stage.press(&flowtail::app::Input::Paste(path.display().to_string()));
    stage.run("<enter>");
    stage.export();
    let rows = std::fs::read_to_string(&path).unwrap().lines().count();
    assert_eq!(rows, 364 + 1, "a header and every row");
}

#[test]
fn a_mark_on_what_is_folded_leads_to_its_row() {
    let mut stage = noisy();
    stage.run("/198.99.1.7<enter>m<esc>M<enter>");
    assert!(stage.shows("198.99.1.7") && stage.app.page().matched == 364, "{}", stage.text());
}
