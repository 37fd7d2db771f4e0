//! The pane about the source and the lines that did not parse.

use flowtail::app::{Action, Mode, MouseKind, Target};
use flowtail::record::{Batch, Input, Origin};

use crate::stage::Stage;
use crate::{LINES, NOW, batch, live};

/// Two formats of two files, and lines that are none, hostile ones among them.
pub fn mixed() -> Stage {
    let mut stage = crate::stage();
    let other = "srcaddr dstaddr bytes start end colour\n10.0.0.1 10.0.0.2 77 1534778750 1534778801 red\n\
        10.0.0.1 10.0.0.2 many 1534778750 1534778801 red\n\
        \u{1b}[2J\u{1b}]0;x\u{7} \u{202e}drawrof 3 4 5 6\n";
    stage.feed([file("other\u{1b}[31m.log", other.as_bytes(), 1)]);
    stage
}

fn file(name: &str, bytes: &[u8], first_line: u64) -> Input {
    let origin = Origin { name: name.into(), region: None };
    Input::Batch(Batch { origin: origin.into(), bytes: bytes.to_vec(), first_line, arrival: NOW, ..Batch::default() })
}

/// `count` lines that do not parse, numbered from `first`.
fn bad(first: u64, count: u64) -> Input {
    let lines: Vec<String> = (first..first + count).map(|n| format!("bad line number {n}")).collect();
    let lines = lines.join("\n");
    file("bad.log", lines.as_bytes(), first)
}

fn scroll(stage: &Stage) -> usize {
    match stage.app.mode() {
        Mode::Report(report) => report.scroll,
        mode => panic!("the pane is closed: {mode:?}"),
    }
}

#[test]
fn each_format_is_named_with_what_told_it() {
    let mut stage = mixed();
    stage.resize(120, 60).run("i");
    assert!(
        stage.shows("default (version 2), guessed from the fields of the line: 13 records of flows.log"),
        "{}",
        stage.text()
    );
    assert!(stage.shows("custom, 6 fields, from a header line: 1 record of other\\u{1b}[31m.log"), "{}", stage.text());
    assert!(stage.shows("'colour'"), "{}", stage.text());
}

#[test]
fn what_did_not_parse_is_counted_by_reason_and_shown_newest_first_with_its_place() {
    let mut stage = mixed();
    stage.run("!");
    let text = stage.text();
    assert!(text.contains("2 bad-value · 1 no-format"), "{text}");
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} is missing:\n{text}"));
    assert!(at("other\\u{1b}[31m.log:4") < at("other\\u{1b}[31m.log:3") && at("log:3") < at("flows.log:14"), "{text}");
    assert!(text.contains("\\u{1b}[2J\\u{1b}]0;x\\u{7} \\u{202e}drawrof"), "{text}");
    assert!(text.contains("cannot be 'many'"), "{text}");
}

#[test]
fn any_number_of_lines_scrolls_from_end_to_end() {
    let mut stage = crate::stage();
    stage.feed([bad(1, 5_000)]);
    stage.run("!").resize(80, 24);
    assert!(stage.shows("5,001 in all, the latest 1,000 are kept") && stage.shows("bad.log:5000"), "{}", stage.text());
    stage.run("G");
    assert!(stage.shows("bad.log:4001") && !stage.shows("more below"), "{}", stage.text());
    stage.run("<pgup>g");
    assert!(stage.shows("bad.log:5000"), "{}", stage.text());
    stage.run("<pgdn>");
    let fits = u64::try_from(stage.viewport.report.0).unwrap();
    assert!(stage.shows(&format!("bad.log:{}", 5_000 - fits + 1)), "{}", stage.text());
}

#[test]
fn what_is_looked_at_stays_while_more_comes() {
    let mut stage = crate::stage();
    stage.feed([bad(1, 100)]);
    stage.run("!jjj").resize(80, 24);
    assert!(stage.shows("bad.log:97") && !stage.shows("bad.log:98"), "{}", stage.text());
    stage.feed([bad(101, 7)]);
    assert!(scroll(&stage) == 10 && stage.shows("bad.log:97") && !stage.shows("bad.log:98"), "{}", stage.text());
    stage.run("g").feed([bad(108, 1)]);
    assert!(scroll(&stage) == 0 && stage.shows("bad.log:108"), "{}", stage.text());
}

#[test]
fn the_count_in_the_header_opens_it_and_the_wheel_moves_it() {
    let mut stage = crate::stage();
    stage.feed([bad(1, 100)]);
    assert!(stage.shows("101 unparsed (!)"), "{}", stage.text());
    stage.click(Target::Hint(Action::Unparsed));
    assert!(stage.shows("101 no-format"), "{}", stage.text());
    stage.mouse(MouseKind::WheelDown, 5, 10);
    assert_eq!(scroll(&stage), 3);
}

#[test]
fn without_anything_wrong_it_says_so() {
    let mut stage = Stage::new("flows.log", None, crate::look(), (80, 24));
    let good: Vec<&str> = LINES.lines().filter(|line| line.starts_with('2')).collect();
    stage.feed([batch(&good.join("\n")), live()]);
    stage.run("!");
    assert!(stage.shows("Every line so far was understood."), "{}", stage.text());
}
