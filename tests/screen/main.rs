//! The screen, driven by keys written as text over the real engine: what it shows at three sizes, that it can be drawn at any, and that each
//! action does what it says.
//!
//! After a change that is meant, `INSTA_UPDATE=always cargo test --test screen` writes the pictures anew. Read the difference before it is
//! committed: these files are what a user sees.

mod actions;
mod alerts;
mod arrange;
mod cursor;
mod drill;
mod earlier;
mod fetch;
mod fold;
mod known;
mod pivot;
mod plain;
mod play;
mod prompts;
mod questions;
mod report;
mod stage;
mod takeaway;
mod trouble;
mod undo;
mod views;

use flowtail::record::{Batch, Gap, Input, Origin, SourceState, SourceStatus};
use flowtail::ui::Look;
use flowtail::ui::glyphs::{ASCII, UNICODE};
use flowtail::ui::theme::{Depth, Theme, Token};
use ratatui::buffer::Cell;
use ratatui::style::Modifier;
use stage::{NOW, Stage};

/// Sizes of the pictures: the smallest that people use, an ordinary one, a large one.
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 32), (200, 60)];

/// The founding example, as published, among what else flow logs hold: an answered and an unanswered conversation, a refused one, a ping,
/// IPv6, a window without traffic, one that was not kept, and a line that is none.
const LINES: &str = "\
2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 22222 11211 17 3422 5072550 1534778743 1534778802 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 22222 17 137 513727 1534778743 1534778802 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 10.20.0.5 172.16.0.178 51034 443 6 12 1840 1534778745 1534778801 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 10.20.0.5 443 51034 6 18 22470 1534778745 1534778801 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 203.0.113.9 172.16.0.178 40022 22 6 1 40 1534778750 1534778801 REJECT OK
2 622676721278 eni-0536faba73134a9b7 10.20.0.5 172.16.0.178 0 0 1 4 336 1534778746 1534778801 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 10.20.0.5 0 0 1 4 336 1534778746 1534778801 ACCEPT OK
2 622676721278 eni-0a1b2c3d4e5f60718 2001:db8::15 2001:db8:0:1::53 49152 53 17 1 86 1534778744 1534778800 ACCEPT OK
2 622676721278 eni-0a1b2c3d4e5f60718 2001:db8:0:1::53 2001:db8::15 53 49152 17 1 214 1534778744 1534778800 ACCEPT OK
2 622676721278 eni-0a1b2c3d4e5f60718 - - - - - - - 1534778804 1534778862 - NODATA
2 622676721278 eni-0a1b2c3d4e5f60718 - - - - - - - 1534778864 1534778922 - SKIPDATA
2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 40396 17 36 51327 1534778806 1534778866 ACCEPT OK
this is no record
";

fn look() -> Look {
    Look { theme: Theme::load("dark", None, Depth::True).expect("built in"), glyphs: &UNICODE }
}

/// A stage with [`LINES`] on it.
fn stage() -> Stage {
    let mut stage = Stage::new("flows.log", None, look(), (120, 32));
    stage.feed([batch(LINES), live()]);
    stage
}

fn batch(lines: &str) -> Input {
    let origin = Origin { name: "flows.log".into(), region: None };
    Input::Batch(Batch {
        origin: origin.into(),
        bytes: lines.as_bytes().to_vec(),
        first_line: 1,
        arrival: NOW,
        ..Batch::default()
    })
}

fn live() -> Input {
    Input::Status(Box::new(SourceStatus { state: SourceState::Live, ..SourceStatus::default() }))
}

impl Stage {
    /// The frame as text. Text has no colours: a selected row of the table stands behind `>`, one of the sidebar before `<`.
    fn text(&self) -> String {
        let area = self.frame.area;
        let ground = self.look.theme.selected().bg;
        let mut text = String::new();
        for y in area.top()..area.bottom() {
            let mut cells = (area.left()..area.right()).filter_map(|x| self.frame.cell((x, y)));
            let selected = |cell: Option<&Cell>| cell.is_some_and(|cell| Some(cell.bg) == ground);
            let line: String = cells.clone().map(Cell::symbol).collect();
            text.push(if selected(cells.clone().next()) { '>' } else { ' ' });
            text.push_str(line.trim_end());
            text.push_str(if selected(cells.next_back()) { " <\n" } else { "\n" });
        }
        text
    }

    /// Compares the frame with its picture, at each size.
    fn pictures(&mut self, name: &str) {
        for (width, height) in SIZES {
            self.resize(width, height);
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), self.text());
        }
    }
}

#[test]
fn flows() {
    stage().pictures("flows");
}

#[test]
fn sessions() {
    stage().run("2").pictures("sessions");
}

#[test]
fn sessions_by_ratio_with_detail() {
    let mut stage = stage();
    stage.run("2/ratio > 1<enter>").run("d").pictures("sessions_detail");
}

#[test]
fn alert_and_its_evidence() {
    let mut stage = stage();
    stage.run("a").pictures("alert");
    stage.run("<enter>").pictures("alert_evidence");
}

#[test]
fn alert_table() {
    stage().run("3").pictures("alert_table");
}

#[test]
fn filter_valid() {
    stage().run("/udp and port 11211").pictures("filter_valid");
}

#[test]
fn filter_invalid() {
    stage().run("/port 11211<enter>/<ctrl-u>port 11211 and byts > 1<enter>").pictures("filter_invalid");
}

#[test]
fn help() {
    stage().run("?").pictures("help");
}

#[test]
fn help_search() {
    let mut stage = stage();
    stage.run("?sort").resize(80, 24);
    insta::assert_snapshot!("help_search_80x24", stage.text());
}

#[test]
fn lists() {
    stage().run("/port 11211<enter><right><right>p").pictures("pivot");
    stage().run("/udp and port 11211 and bytes > 1M<enter>e").pictures("explain");
    stage().run("/udp and port 11211 and bytes > 1000<enter>Ytcpdump<enter>").pictures("copied");
    stage().run("/port 11211<ctrl-s><enter>/<ctrl-u>udp<enter>f").pictures("filters");
}

#[test]
fn group() {
    stage().run("bdst<tab>").pictures("group_prompt");
    stage().run("bdstaddr, dstport<enter>").pictures("group");
}

#[test]
fn the_source_and_what_did_not_parse() {
    let mut stage = report::mixed();
    stage.run("i").pictures("source");
    stage.run("<esc>!").pictures("unparsed");
}

#[test]
fn waiting() {
    let mut stage = Stage::new("/vpc/flow-logs", Some("us-west-1"), look(), (120, 32));
    let waits = SourceState::Waiting { why: "CloudWatch Logs asks for fewer requests".to_owned(), until: NOW + 7_500 };
    stage.feed([Input::Status(Box::new(SourceStatus { state: waits, ..SourceStatus::default() }))]);
    stage.pictures("waiting");
}

#[test]
fn empty() {
    Stage::new("flows.log", None, look(), (120, 32)).pictures("empty");
    stage().run("/port 9<enter>").pictures("empty_filter");
}

#[test]
fn failed_with_a_gap() {
    let mut stage = stage();
    let gap = Gap { from: 1_534_778_930, to: 1_534_778_990, why: "access denied".to_owned() };
    let failed = SourceState::Failed("AccessDenied: allow logs:FilterLogEvents on the log group".to_owned());
    stage.feed([Input::Gap(gap), Input::Status(Box::new(SourceStatus { state: failed, ..SourceStatus::default() }))]);
    stage.pictures("failed");
}

#[test]
fn the_demo() {
    Stage::demo(NOW, look(), (120, 32)).pictures("demo");
}

#[test]
fn ascii() {
    let mut stage = Stage::new("flows.log", None, Look { glyphs: &ASCII, ..look() }, (120, 32));
    let foreign = "2 東京 eni-é 10.0.0.1 10.0.0.2 1 2 6 1 40 1534778900 1534778960 ACCEPT OK\n";
    stage.feed([batch(LINES), batch(foreign), live()]);
    for keys in ["", "d", "2", "a", "b", "<esc>/port =<enter>", "<ctrl-u>", "<esc>?", "eni"] {
        stage.run(keys);
        assert!(stage.text().is_ascii(), "after {keys:?}:\n{}", stage.text());
    }
}

#[test]
fn the_founding_example_is_on_the_screen_with_its_numbers() {
    let mut stage = stage();
    stage.run("a<enter>").resize(200, 60);
    let text = stage.text();
    for fact in [
        "AMP-PROBE",
        "13.125.33.130",
        "172.16.0.178:11211",
        "memcached",
        "1,026.5",
        "eni-0536faba73134a9b7",
        "622676721278",
        "2018-08-20",
        "15:26:46",
        "region unknown",
    ] {
        assert!(text.contains(fact), "{fact} is missing:\n{text}");
    }
    // Both records of the trigger.
    assert!(text.contains(" 50 B ") && text.contains("51,327 B 36 pkts"), "{text}");
}

#[test]
fn what_is_wrong_in_a_filter_is_underlined_where_it_is() {
    let mut stage = stage();
    stage.run("/udp and byts > 1");
    let row = stage.viewport.caret.expect("a caret").1;
    let underlined: String = (0..stage.frame.area.width)
        .filter_map(|x| stage.frame.cell((x, row)))
        .filter(|cell| cell.modifier.contains(Modifier::UNDERLINED))
        .map(Cell::symbol)
        .collect();
    assert_eq!(underlined, "byts");
    assert_ne!(Some(stage.look.theme.color(Token::Error)), stage.look.theme.selected().bg);
}

#[test]
fn tab_completes_a_filter_with_names_and_with_values_seen() {
    for (typed, completed) in [
        ("byt", "bytes"),
        ("port 11211 and interf", "port 11211 and interface-id"),
        ("interface-id = ", "interface-id = eni-0536faba73134a9b7"),
        ("dstaddr = 13", "dstaddr = 13.125.33.130"),
        ("nothing-begins-like-this", "nothing-begins-like-this"),
    ] {
        let mut stage = stage();
        stage.run(&format!("/{typed}<tab>"));
        let flowtail::app::Mode::Filter(bar) = stage.app.mode() else { panic!("the bar is closed") };
        assert_eq!((bar.line.text(), bar.line.caret()), (completed, completed.len()));
    }
    let mut stage = stage();
    stage.run("/udp and dstport = ");
    assert!(stage.text().contains("11211"), "{}", stage.text());
}

#[test]
fn evidence_that_was_lost_is_told_from_quiet_on_any_screen() {
    let mut stage = stage();
    stage.resize(60, 24);
    assert!(stage.text().contains("1 NODATA, 1 SKIPDATA"), "{}", stage.text());
    stage.run("u");
    let text = stage.text();
    assert!(text.contains("15:28 SKIPDATA: records lost") && text.contains("15:27 NODATA: no traffic"), "{text}");
}

/// Key strings that lead to every mode and pane there is.
const MODES: [&str; 22] = [
    "",
    "d",
    "2d",
    "3d",
    "a",
    "ad<enter>",
    "/port 11211 and (",
    "/<enter>b",
    "bdstaddr<enter>",
    "?scroll<down><down>",
    "ijjj",
    "!jjj",
    "jjejj",
    "jjIG",
    "tvhhm",
    "tzc",
    "T<ctrl-u>15:27 note<enter>2d",
    "<right><right>pint",
    "/port 11211 and tcp<enter>E",
    "/port 11211<enter>Y<enter>",
    "/port 11211<enter>/udp<ctrl-r>",
    "apip",
];

#[test]
fn no_size_is_too_small_or_too_large() {
    let widths = [0, 1, 2, 3, 5, 9, 20, 41, 80, 109, 110, 135, 300];
    let heights = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 24, 31, 48, 100];
    for keys in MODES {
        let mut stage = stage();
        stage.run(keys);
        for width in widths {
            for height in heights {
                stage.resize(width, height);
                assert_eq!(stage.frame.area.as_size(), (width, height).into());
            }
        }
        // What was asked for is still there when there is room again.
        stage.resize(120, 32).run("<esc><esc><esc><esc>q");
        assert_eq!(stage.effects, [flowtail::app::Effect::Quit], "after {keys:?}");
    }
}

#[test]
fn keys_are_safe_at_any_size() {
    for (width, height) in [(0, 0), (1, 1), (20, 5), (300, 100)] {
        let mut stage = stage();
        stage.resize(width, height);
        for def in flowtail::app::ACTIONS {
            for key in def.keys {
                let name = if key.chars().count() > 1 { format!("<{key}>") } else { (*key).to_owned() };
                stage.run(&name);
            }
        }
    }
}

#[test]
fn hostile_text_takes_its_cells_and_no_more() {
    let hostile = "2 \u{1b}[2J\u{202e}evil 1\u{9b}eni 10.0.0.1 10.0.0.2 1 2 6 5 500 1534778806 1534778866 ACCEPT OK\n";
    let mut stage = Stage::new("evil\u{1b}]0;x\u{7}\u{202e}", Some("\u{200b}region"), look(), (200, 40));
    stage.feed([batch(hostile), live()]);
    for keys in ["d", "2", "1b<ctrl-u>account-id interface-id<enter>", "<esc>y+"] {
        stage.run(keys);
        let text = stage.text();
        let bad = |c: &char| c.is_control() && *c != '\n' || matches!(c, '\u{200b}' | '\u{202e}');
        assert_eq!(text.chars().find(bad), None, "after {keys:?}:\n{text}");
        // What was taken out leaves a sign: nobody is to read a text that was never there.
        assert!(text.contains("evil\u{fffd}]0;x\u{fffd}\u{fffd}"), "after {keys:?}:\n{text}");
    }
}
