//! Marks, notes and exports, by keys; the files that come of it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::stage::Stage;
use crate::{batch, stage};

/// A folder for files, and how a path in it is typed into the prompt, whose text is taken away first.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Keys that write to `name`.
    fn keys(&self, name: &str) -> String {
        format!("<ctrl-u>{}<enter>", self.path(name).display())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file that was written")
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[test]
fn what_is_shown_is_exported_in_every_shape() {
    let folder = Folder::new();
    let mut stage = stage();
    stage.run("/port 11211<enter>");
    let shown = usize::try_from(stage.app.page().matched).unwrap();
    assert!(shown > 0);
    for (search, name) in [("csv", "a.csv"), ("ndjson", "a.ndjson"), ("lines", "a.log")] {
        stage.run(&format!("xshown {search}<enter>{}", folder.keys(name)));
        stage.export();
        assert!(stage.shows(&format!("Wrote {shown} rows")), "{}", stage.text());
    }
    let lines = folder.read("a.log");
    assert_eq!(lines.lines().count(), shown);
    assert!(lines.lines().all(|line| crate::LINES.contains(line) && line.contains("11211")), "{lines}");
    let json = folder.read("a.ndjson");
    assert_eq!(json.lines().count(), shown);
    for line in json.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!([&row["srcport"], &row["dstport"]].iter().any(|port| **port == 11211), "{line}");
    }
    let csv = folder.read("a.csv");
    assert!(csv.starts_with("version,account-id,interface-id,srcaddr,"), "{csv}");
    assert_eq!(csv.lines().count(), shown + 1);
}

#[test]
fn a_file_that_is_there_is_never_written_over() {
    let folder = Folder::new();
    fs::write(folder.path("a.csv"), "mine").unwrap();
    let mut stage = stage();
    stage.run(&format!("xshown csv<enter>{}", folder.keys("a.csv")));
    stage.export();
    assert_eq!(folder.read("a.csv"), "mine");
    assert!(stage.shows("is there already and stays as it is: another name?"), "{}", stage.text());
    // The prompt is open on the name: one more character is another one.
    stage.run("2<enter>");
    let path = stage.export();
    assert!(path.ends_with("a.csv2") && fs::metadata(path).unwrap().len() > 100);
    // A case whose records have no place is not written either.
    fs::write(folder.path("b.log"), "mine").unwrap();
    stage.run(&format!("x<enter>{}", folder.keys("b.md")));
    stage.export();
    assert_eq!(folder.read("b.log"), "mine");
    assert!(!folder.path("b.md").exists(), "half of a case");
}

#[test]
fn a_case_tells_what_another_person_needs_to_check_it() {
    let folder = Folder::new();
    let mut stage = stage();
    stage.run("2/port 11211<enter>n*reflector* | 10x<enter>x<enter>");
    stage.run(&folder.keys("case.md"));
    stage.export();
    assert!(stage.shows("4 records beside it (.log)"), "{}", stage.text());
    let (page, rows) = (folder.read("case.md"), folder.read("case.log"));
    for wanted in [
        "- Filter: `port = 11211`",
        "- Table: sessions",
        "**high AMP-PROBE**",
        "13.125.33.130 40396",
        "note: \\*reflector\\* \\| 10x",
        "flowtail open case.log --format 'version account-id interface-id srcaddr",
        "--filter 'port = 11211'",
        &sha256(rows.as_bytes()),
    ] {
        assert!(page.contains(wanted), "{wanted} is missing in\n{page}");
    }
    assert_eq!(rows.lines().count(), 4, "the records of the two sessions\n{rows}");
    // Another person looks at the records and finds the same sessions.
    let mut other = Stage::new("case.log", None, crate::look(), (120, 32));
    other.feed([batch(&rows)]);
    other.run("2/port 11211<enter>");
    assert_eq!(other.app.page().matched, stage.app.page().matched);
}

#[test]
fn the_records_of_one_session_are_all_of_it_whatever_the_view_shows() {
    let folder = Folder::new();
    let mut stage = stage();
    stage.run("2/port 11211 and ratio > 100<enter>xthis session lines<enter>");
    stage.run(&folder.keys("s.log"));
    stage.export();
    let rows = folder.read("s.log");
    assert_eq!(rows.lines().count(), 2, "{rows}");
    assert!(rows.contains(" 40396 11211 ") && rows.contains(" 11211 40396 "), "{rows}");
}

#[test]
fn marks_and_notes_outlive_what_they_are_on() {
    let folder = Folder::new();
    let mut stage = Stage::new("flows.log", None, crate::look(), (120, 32));
    stage.forget(4 << 20);
    stage.feed([batch("2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK\n")]);
    stage.run("m").run("nthe trigger<enter>");
    assert!(stage.text().contains('◆'), "{}", stage.text());
    // Records enough to evict the first ones.
    let mut lines = String::new();
    for n in 0..70_000_u32 {
        let _ = writeln!(
            lines,
            "2 622676721278 eni-0536faba73134a9b7 - - - - - - - {} {} - NODATA",
            1_534_778_900 + n,
            1_534_778_960 + n
        );
    }
    for _ in 0..6 {
        stage.feed([batch(&lines)]);
    }
    assert!(stage.app.page().status.evicted > 60_000, "{}", stage.app.page().status.evicted);
    stage.run("M");
    assert!(stage.shows("13.125.33.130:40396 > 172.16.0.178:11211 udp 50 bytes"), "{}", stage.text());
    assert!(stage.shows("(no longer held) the trigger"), "{}", stage.text());
    stage.run("<enter>");
    assert!(stage.shows("What was copied when it was marked"), "{}", stage.text());
    stage.run("<esc>xmarked lines<enter>").run(&folder.keys("m.log"));
    stage.export();
    assert!(folder.read("m.log").starts_with("2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396"));
}

#[test]
fn a_mark_leads_back_and_goes_with_delete() {
    let mut stage = stage();
    stage.run("jjm/port 11211<enter>M<enter>");
    let marked = stage.app.marks()[0].id;
    assert_eq!(stage.app.view().table().cursor, Some(marked));
    assert!(stage.app.view().filter.is_none());
    stage.run("<esc>");
    assert!(stage.app.view().filter.is_some(), "Esc goes back to the filter");
    stage.run("M<delete>");
    assert!(stage.app.marks().is_empty());
    // A note keeps m from taking the mark away.
    stage.run("nseen<enter>m");
    assert_eq!(stage.app.marks().len(), 1);
}

#[test]
fn the_palette_finds_actions_filters_and_themes() {
    let mut stage = stage();
    stage.app = std::mem::take(&mut stage.app).with_themes(vec!["dark".into(), "light".into()], "dark");
    stage.run("/port 11211<ctrl-s><esc>:freeze<enter>");
    assert!(stage.app.view().frozen, "{}", stage.text());
    stage.run(":filter: 11211<enter>");
    assert_eq!(stage.app.view().filter.as_ref().map(|filter| &*filter.text), Some("port = 11211"));
    // Letters in their order do where no word does.
    stage.run(":thmlgt");
    assert_eq!(stage.app.theme_wanted(), "light", "shown while it is chosen");
    stage.run("<esc>");
    assert_eq!(stage.app.theme_wanted(), "dark");
    stage.run(":theme light<enter>");
    assert_eq!(stage.app.theme_wanted(), "light");
    stage.run(":mark the row<enter>");
    assert_eq!(stage.app.marks().len(), 1);
}
