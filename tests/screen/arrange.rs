//! What a person arranges once: columns and their order, how times are written, how the screen is shared out; and that it comes back.

use flowtail::app::App;
use flowtail::engine::view::Tab;
use flowtail::record::Field;

use crate::stage::Stage;

fn titles(stage: &Stage) -> String {
    let text = stage.text();
    text.lines()
        .find(|line| line.contains("source"))
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn columns_are_hidden_shown_and_moved() {
    let mut stage = crate::stage();
    stage.resize(200, 60);
    let before = titles(&stage);
    assert!(before.starts_with("time↓ a source port destination port service prot bytes"), "{before}");
    // The port of the source goes, the account comes, and moves to the front.
    stage.run("c");
    stage.run("srcport<enter>");
    assert!(!stage.app.chosen_columns(Tab::Flows).contains(&Field::SrcPort));
    stage.run("<esc>caccount-id<enter>").run(&"<left>".repeat(30)).run("<esc>");
    let after = titles(&stage);
    assert!(after.starts_with("account time↓ a source destination port"), "{after}");
    assert!(stage.shows("622676721278"));
    // Sessions have columns of their own.
    assert!(stage.app.chosen_columns(Tab::Sessions).contains(&Field::ClientPort));
    // Another run has them too.
    let kept = stage.app.arrangement();
    stage.app = App::new().with_arrangement(kept.lines());
    stage.resize(200, 60);
    assert_eq!(titles(&stage), after);
    stage.run("c<delete><esc>");
    assert_eq!(titles(&stage), before);
}

#[test]
fn what_a_row_is_shows_whatever_the_columns() {
    let mut stage = crate::stage();
    stage.resize(100, 24).run("u");
    for field in ["log-status", "interface-id", "action", "end"] {
        stage.run(&format!("c{field}<enter><esc>"));
    }
    assert!(stage.shows("SKIPDATA: records lost on eni-0a1b2c3d4e5f60718"), "{}", stage.text());
    assert!(!titles(&stage).contains("time"), "{}", titles(&stage));
    // One column stays, and the narrowest screen draws it.
    for field in stage.app.chosen_columns(Tab::Flows) {
        stage.run(&format!("c{}<enter><esc>", field.name()));
    }
    assert_eq!(stage.app.chosen_columns(Tab::Flows).len(), 1);
    for width in [0, 1, 5, 20, 300] {
        stage.resize(width, 24);
    }
}

#[test]
fn times_are_utc_local_or_how_long_ago() {
    let mut stage = crate::stage();
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
    stage.app = App::new().with_zone(zone);
    stage.resize(120, 32).run("/trigger<ctrl-u>port 40396<enter>");
    assert!(stage.shows("15:27:46"));
    stage.run("w");
    assert!(stage.shows("17:27:46 A 13.125.33.130"), "{}", stage.text());
    stage.run("w");
    // The last record ended at 15:28:42.
    assert!(stage.shows("ago↓") && stage.shows(" 56s"), "{}", stage.text());
    assert_eq!(stage.app.arrangement(), "time ago\n");
    stage.run("w");
    assert!(stage.shows("time↓") && stage.app.arrangement().is_empty());
}

#[test]
fn panes_are_resized_hidden_and_zoomed_and_stay_so() {
    let mut stage = crate::stage();
    let width = |stage: &Stage| {
        let at = |target: &flowtail::app::Target| *target == flowtail::app::Target::Table;
        stage.viewport.hits.iter().find(|(_, target)| at(target)).map_or(0, |(area, _)| area.width)
    };
    let usual = width(&stage);
    stage.run("))");
    assert_eq!(width(&stage) + 8, usual);
    stage.run("(((");
    assert!(width(&stage) > usual);
    stage.run("o");
    assert_eq!((width(&stage), stage.viewport.timeline_bins), (120, 0));
    // Choosing a range shows what it is chosen on, and going to the alerts shows those.
    stage.run("t");
    assert!(stage.viewport.timeline_bins > 0);
    stage.run("<esc>a");
    assert!(stage.shows("Alerts: "), "{}", stage.text());
    stage.run("<esc>oV");
    let kept = stage.app.arrangement();
    assert_eq!(kept, "hide alerts\nsize alerts -1\n");
    stage.app = App::new().with_arrangement(kept.lines());
    stage.resize(120, 32);
    assert_eq!(width(&stage), 120);
    // What another version wrote, or somebody broke, is as usual.
    let app = App::new().with_arrangement(["columns flows nonsense", "size alerts x", "\u{1b}[2J", "time never"]);
    assert_eq!(app.arrangement(), "");
    // The detail pane has a size of its own.
    stage.run("d))");
    assert!(stage.app.arrangement().contains("size detail 2"));
    for _ in 0..20 {
        stage.run(")");
    }
    for (width, height) in [(0, 0), (1, 1), (20, 5), (40, 60), (300, 100)] {
        stage.resize(width, height);
    }
}

#[test]
fn a_small_screen_and_a_tall_narrow_one_show_something_useful() {
    let mut stage = crate::stage();
    stage.resize(20, 5);
    assert!(stage.shows("13.125.33.130"), "{}", stage.text());
    stage.resize(40, 60);
    for seen in ["13.125.33.130", "172.16.0.178", "AMP-PROBE"] {
        assert!(stage.shows(seen), "{seen}\n{}", stage.text());
    }
}

#[test]
fn keys_of_the_user_work_and_are_shown_everywhere() {
    use flowtail::config::Config;
    let text = "[keys.tables]\nfreeze = [\"f12\"]\nfold = \"Q\"\nfilter = \"ctrl-t\"\n[screen]\nflow-columns = [\"srcaddr\", \"bytes\"]\n";
    let config = Config::parse(text, std::path::Path::new("c.toml")).expect("a configuration");
    let mut stage = crate::stage();
    stage.app = App::new().with_keys(config.keys.clone()).with_arrangement(config.screen.iter().map(String::as_str));
    stage.resize(120, 32);
    assert!(titles(&stage).starts_with("source bytes │"), "{}", titles(&stage));
    assert!(stage.shows("Q shows") && stage.shows("Ctrl-T filter"), "{}", stage.text());
    stage.run("<space>");
    assert!(!stage.app.view().frozen);
    stage.run("<f12>");
    assert!(stage.app.view().frozen);
    stage.run("?freeze");
    assert!(stage.shows("F12"), "{}", stage.text());
    stage.run("<esc>:freeze");
    assert!(stage.shows("F12"), "{}", stage.text());
}

#[test]
fn names_stand_beside_what_they_name() {
    let list = "13.125.33.130,\u{1b}[31mmallory\n172.16.0.178,cache-1\neni-0536faba73134a9b7,edge\n";
    let known = flowtail::enrich::Known::from(flowtail::enrich::Names::read(list).expect("names"));
    let mut stage = crate::stage();
    stage.app = App::new().with_known(known.into());
    stage.resize(200, 60).run("/port 40396<enter>");
    for seen in ["13.125.33.130 \u{fffd}[31mmallory", "172.16.0.178 cache-1", "7 edge"] {
        assert!(stage.shows(seen), "{seen}\n{}", stage.text());
    }
    stage.run("d");
    assert!(stage.shows("names     172.16.0.178 cache-1, "), "{}", stage.text());
    stage.run("<esc>e");
    assert!(stage.shows("Endpoint 172.16.0.178 cache-1") && stage.shows("mallory"), "{}", stage.text());
    // What is taken away is what was logged.
    stage.run("<esc><right><right>y");
    assert_eq!(stage.effects, [flowtail::app::Effect::Copy("172.16.0.178".to_owned())]);
    // On a narrow screen the address stays whole.
    stage.resize(80, 24);
    assert!(stage.shows("13.125.33.130") && stage.shows("172.16.0.178"), "{}", stage.text());
}

#[test]
fn a_table_that_is_wider_than_the_screen_scrolls_and_its_first_column_stays() {
    let mut stage = crate::play::attacked();
    stage.resize(60, 24).run("jj");
    let cursor = stage.app.view().table().cursor;
    let head = |stage: &Stage| stage.text().lines().find(|line| line.contains("time")).expect("a header").to_owned();
    assert!(head(&stage).starts_with("   ›time↓") || head(&stage).starts_with("  ›time↓"), "{}", stage.text());
    stage.run(">");
    assert!(head(&stage).contains("time↓") && head(&stage).contains("packets"), "{}", stage.text());
    assert!(stage.text().contains('‹') && stage.text().contains('›'), "{}", stage.text());
    // To the end: nothing is to the right of the last column.
    stage.run(&">".repeat(30));
    assert!(head(&stage).contains("time↓") && head(&stage).contains("status"), "{}", stage.text());
    assert_eq!(stage.viewport.hidden.1, 0);
    assert!(!head(&stage).contains('›'), "{}", stage.text());
    assert_eq!(stage.app.view().table().cursor, cursor, "rows stay where they are");
    // And back to where the columns that matter most are.
    stage.run(&"<lt>".repeat(30));
    assert_eq!(stage.viewport.first_column, 0);
    // The chosen column takes the table with it.
    stage.run(&"<right>".repeat(30));
    assert!(head(&stage).contains("status"), "{}", stage.text());
    stage.run(&"<left>".repeat(30));
    assert_eq!(stage.viewport.first_column, 0);
    // Where there is room for all of it, nothing is scrolled.
    stage.run(">").resize(300, 24);
    assert_eq!((stage.viewport.first_column, stage.viewport.hidden), (0, (0, 0)));
    assert!(!stage.text().contains('›'), "{}", stage.text());
}
