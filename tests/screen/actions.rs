//! Each action, by the first of its keys: something that can be seen is not so before and is so after.

use std::fmt::Write as _;

use flowtail::app::action::{ACTIONS, Action, Context};
use flowtail::app::{Effect, Focus, Mode, Pin};
use flowtail::engine::view::Tab;
use flowtail::record::Field;

use crate::stage::Stage;

/// One action at work.
struct Case {
    action: Action,
    context: Context,
    /// Keys that lead to where it can work.
    before: &'static str,
    /// What it brings about.
    then: fn(&Stage) -> bool,
}

const fn case(action: Action, context: Context, before: &'static str, then: fn(&Stage) -> bool) -> Case {
    Case { action, context, before, then }
}

use Action as A;
use Context::{Help, Main, Menu, Prompt, Report, Timeline};

#[rustfmt::skip]
const CASES: &[Case] = &[
    case(A::Help, Main, "", |s| matches!(s.app.mode(), Mode::Help(_)) && s.shows("type to search")),
    case(A::Filter, Main, "", |s| matches!(s.app.mode(), Mode::Filter(_)) && s.viewport.caret.is_some()),
    case(A::Enter, Main, "", |s| s.shows("Flow record")),
    case(A::Back, Main, "/port 11211<enter>", |s| s.app.view().filter.is_none()),
    case(A::Undo, Main, "S", |s| s.shows("Took back the order; nothing more to take back.") && s.shows("time↓")),
    case(A::NextTab, Main, "", |s| s.app.page().tab == Tab::Sessions),
    case(A::PreviousTab, Main, "", |s| s.app.page().tab == Tab::Alerts),
    case(A::Flows, Main, "2", |s| s.app.page().tab == Tab::Flows),
    case(A::Sessions, Main, "", |s| s.app.page().tab == Tab::Sessions),
    case(A::Alerts, Main, "", |s| s.app.page().tab == Tab::Alerts),
    case(A::Sidebar, Main, "", |s| s.app.focus() == Focus::Sidebar),
    case(A::NextAlert, Main, "", |s| s.app.focus() == Focus::Sidebar),
    case(A::PreviousAlert, Main, "", |s| s.app.focus() == Focus::Sidebar),
    case(A::Earlier, Main, "", |s| s.shows("All of flows.log is read: nothing earlier is in it.")),
    case(A::History, Main, "", |s| s.shows("H searches a CloudWatch log group by Logs Insights")),
    case(A::Beside, Main, "", |s| s.shows("There is no search so far")),
    case(A::StopLoading, Main, "", |s| s.shows("Nothing is being loaded.")),
    case(A::Acknowledge, Main, "a", |s| s.shows(" seen")),
    case(A::Mute, Main, "a", |s| menu(s).is_some() && s.shows("for 1 hour") && s.shows("for good")),
    case(A::Mutes, Main, "az<enter>", |s| menu(s).is_some() && s.shows("Hear again: ")),
    case(A::Rules, Main, "", |s| s.effects == [Effect::Rules]),
    case(A::Detail, Main, "", |s| s.shows("Flow record")),
    case(A::Sort, Main, "<right><right>", |s| s.app.view().table().sort.field == Field::SrcAddr && s.shows("source↑")),
    case(A::Reverse, Main, "", |s| s.shows("time↑")),
    case(A::Group, Main, "", |s| matches!(s.app.mode(), Mode::Group(_))),
    case(A::OnlyThis, Main, "/port 11211<enter><right><right>", |s| filter(s).contains("and srcaddr = ")),
    case(A::Exclude, Main, "/port 11211<enter><right><right>", |s| filter(s).contains("and not (srcaddr = ")),
    case(A::Endpoint, Main, "jj", |s| s.app.view().lens.is_some() && s.shows("Endpoint 10.20.1.")),
    case(A::Interface, Main, "jj", |s| s.shows("Interface eni-0536faba73134a9b7")),
    case(A::Lookup, Main, "jj", |s| menu(s).is_some() && s.shows("Reverse DNS of 10.20.1.") && s.shows("The resolver learns")),
    case(A::AskInterfaces, Main, "", |s| s.effects == [Effect::AskInterfaces] && s.shows("Asking EC2")),
    case(A::Timeline, Main, "", |s| matches!(s.app.mode(), Mode::Timeline(_)) && s.app.chosen().is_some()),
    case(A::ChangeTime, Main, "", |s| matches!(s.app.mode(), Mode::Change(_)) && s.shows("change at")),
    case(A::Pivot, Main, "<right><right>", |s| menu(s).is_some() && s.shows("From srcaddr = ") && s.shows("the other direction")),
    case(A::Explain, Main, "/port 11211 and tcp<enter>", |s| s.shows("rows alone") && s.shows("protocol = tcp")),
    case(A::Filters, Main, "/port 11211<enter>", |s| menu(s) == Some(("", 0)) && s.shows("port = 11211")),
    case(A::Saved(0), Main, "/port 11211<ctrl-s><esc>", |s| filter(s) == "port = 11211"),
    case(A::Source, Main, "", |s| s.shows("About the source") && s.shows("default (version 2), guessed")),
    case(A::Unparsed, Main, "", |s| s.shows("41 no-format") && s.shows("bad line number 39")),
    case(A::ToggleFilter, Main, "/port 11211<enter>", |s| s.shows("filter off") && s.app.page().matched > 100),
    case(A::MarkRow, Main, "jj", |s| s.app.marks().len() == 1 && s.shows("Marked (1)")),
    case(A::Note, Main, "jj", |s| matches!(s.app.mode(), Mode::Ask(_)) && s.shows("note")),
    case(A::Marks, Main, "jjm", |s| menu(s).is_some() && s.shows("Marks: Enter goes there") && s.shows("10.20.1.")),
    case(A::Export, Main, "", |s| s.shows("case file") && s.shows("records shown as CSV")),
    case(A::Palette, Main, "", |s| s.shows("Everything that can be done") && s.shows("Filter flows and sessions")),
    case(A::Freeze, Main, "", |s| s.shows("FROZEN")),
    case(A::Fold, Main, "", |s| !s.app.folds() && s.app.folded().is_none()),
    case(A::Columns, Main, "", |s| menu(s).is_some() && s.shows("[x] srcaddr") && s.shows("Enter shows or hides")),
    case(A::When, Main, "", |s| s.shows("local↓") && s.shows("Times of rows are local")),
    case(A::Zoom, Main, "", |s| s.viewport.timeline_bins == 0 && !s.shows("Alerts: ")),
    case(A::HideStrip, Main, "", |s| s.viewport.timeline_bins == 0 && s.shows("Alerts: ")),
    case(A::HideAlerts, Main, "", |s| s.viewport.timeline_bins > 0 && !s.shows("Alerts: ")),
    case(A::Larger, Main, "", |s| s.app.arrangement() == "size alerts 1\n"),
    case(A::Smaller, Main, "", |s| s.app.arrangement() == "size alerts -1\n"),
    case(A::Follow, Main, "jj", |s| s.app.view().table().follows() && s.shows("FOLLOW")),
    case(A::Down, Main, "", |s| index(s) == 1),
    case(A::Up, Main, "jj", |s| index(s) == 1),
    case(A::Left, Main, "<right><right>", |s| s.app.column() == flowtail::app::columns::Col::Field(Field::Action)),
    case(A::Right, Main, "", |s| s.app.column() == flowtail::app::columns::Col::Field(Field::Action)),
    case(A::ScrollRight, Main, "", |s| s.viewport.first_column > 0 && s.app.column() == flowtail::app::columns::Col::Field(Field::End)),
    case(A::ScrollLeft, Main, ">>>>>>>>>>>>>>>", |s| s.viewport.hidden.1 > 0 && s.viewport.first_column > 0),
    case(A::PageDown, Main, "", |s| index(s) == rows(s) - 1),
    case(A::PageUp, Main, "<pgdn><pgdn>", |s| index(s) == rows(s) - 1),
    case(A::HalfDown, Main, "", |s| index(s) == (rows(s) - 1) / 2),
    case(A::HalfUp, Main, "<pgdn><pgdn>", |s| (rows(s)..2 * (rows(s) - 1)).contains(&index(s))),
    case(A::Top, Main, "jjj", |s| index(s) == 0 && s.app.view().table().pin == Pin::Top),
    case(A::Bottom, Main, "", |s| index(s) + 1 == s.app.page().matched && s.app.view().table().pin == Pin::Bottom),
    case(A::DetailDown, Main, "d", |s| s.app.detail_scroll() == 1),
    case(A::DetailUp, Main, "dJJ", |s| s.app.detail_scroll() == 1),
    case(A::Copy, Main, "<right><right>", |s| matches!(&s.effects[..], [Effect::Copy(text)] if s.shows(text))),
    case(A::CopyAs, Main, "/port 11211<enter>", |s| s.shows("Copy the filter as") && s.shows("Athena SQL")),
    case(A::Redraw, Main, "", |s| s.effects == [Effect::Redraw]),
    case(A::Suspend, Main, "", |s| s.effects == [Effect::Suspend]),
    case(A::Quit, Main, "", |s| s.effects == [Effect::Quit]),

    case(A::Accept, Prompt, "/port 11211", |s| filter(s) == "port 11211" && s.app.page().matched < 100),
    case(A::Cancel, Prompt, "/port 11211", |s| matches!(s.app.mode(), Mode::Main) && s.app.view().filter.is_none()),
    case(A::Older, Prompt, "/port 11211<enter>/<ctrl-u>", |s| typed(s) == ("port = 11211", 12)),
    case(A::Newer, Prompt, "/port 11211<enter>/<ctrl-u>x<up>", |s| typed(s) == ("x", 1)),
    case(A::Complete, Prompt, "bsrca", |s| typed(s) == ("srcaddr", 7)),
    case(A::Filters, Prompt, "/port 11211<enter>/udp", |s| menu(s).is_some() && s.shows("port = 11211")),
    case(A::Save, Prompt, "/port 11211", |s| s.shows("Saved on F2") && s.app.saved().eq([(2, "port = 11211")])),
    case(A::Saved(0), Prompt, "/port 11211<ctrl-s><ctrl-u>", |s| typed(s) == ("port = 11211", 12)),
    case(A::CaretLeft, Prompt, "/udp", |s| typed(s) == ("udp", 2)),
    case(A::CaretRight, Prompt, "/udp<home>", |s| typed(s) == ("udp", 1)),
    case(A::CaretStart, Prompt, "/udp", |s| typed(s) == ("udp", 0)),
    case(A::CaretEnd, Prompt, "/udp<home>", |s| typed(s) == ("udp", 3)),
    case(A::DeleteBack, Prompt, "/udp", |s| typed(s) == ("ud", 2)),
    case(A::DeleteForward, Prompt, "/udp<home>", |s| typed(s) == ("dp", 0)),
    case(A::DeleteWord, Prompt, "/udp tcp", |s| typed(s) == ("udp ", 4)),
    case(A::DeleteToStart, Prompt, "/udp<left>", |s| typed(s) == ("p", 0)),
    case(A::DeleteToEnd, Prompt, "/udp<home><right>", |s| typed(s) == ("u", 1)),
    case(A::Redraw, Prompt, "/", |s| s.effects == [Effect::Redraw]),
    case(A::Suspend, Prompt, "/", |s| s.effects == [Effect::Suspend]),

    case(A::Down, Help, "?", |s| help(s) == Some(("", 1))),
    case(A::Up, Help, "?<down><down>", |s| help(s) == Some(("", 1))),
    case(A::PageDown, Help, "?", |s| help(s).is_some_and(|(_, scroll)| scroll > 1)),
    case(A::PageUp, Help, "?<pgdn>", |s| help(s) == Some(("", 0))),
    case(A::DeleteBack, Help, "?sor", |s| help(s) == Some(("so", 0))),
    case(A::Cancel, Help, "?", |s| matches!(s.app.mode(), Mode::Main)),
    case(A::Redraw, Help, "?", |s| s.effects == [Effect::Redraw]),
    case(A::Suspend, Help, "?", |s| s.effects == [Effect::Suspend]),

    case(A::Down, Report, "!", |s| report(s) == Some(1)),
    case(A::Up, Report, "!jj", |s| report(s) == Some(1)),
    case(A::PageDown, Report, "!", |s| report(s).is_some_and(|scroll| scroll > 1)),
    case(A::PageUp, Report, "!<pgdn>", |s| report(s) == Some(0)),
    case(A::Top, Report, "!jj", |s| report(s) == Some(0)),
    case(A::Bottom, Report, "!", |s| report(s).is_some_and(|scroll| scroll > 1 && s.shows("this is no record"))),
    case(A::NextTab, Report, "i", |s| s.shows("Lines that did not parse")),
    case(A::Cancel, Report, "!", |s| matches!(s.app.mode(), Mode::Main)),
    case(A::Redraw, Report, "i", |s| s.effects == [Effect::Redraw]),
    case(A::Suspend, Report, "i", |s| s.effects == [Effect::Suspend]),

    case(A::Right, Timeline, "t<home>", |s| bar(s) == Some(1)),
    case(A::Left, Timeline, "t<home><right><right>", |s| bar(s) == Some(1)),
    case(A::PageDown, Timeline, "t<home>", |s| bar(s).is_some_and(|bar| bar > 1)),
    case(A::PageUp, Timeline, "t<end>", |s| bar(s) == Some(0)),
    case(A::Top, Timeline, "t<end>", |s| bar(s) == Some(0)),
    case(A::Bottom, Timeline, "t<home>", |s| bar(s).is_some_and(|bar| bar + 1 == s.app.page().timeline.bins.len())),
    case(A::Mark, Timeline, "t<end>", |s| matches!(s.app.mode(), Mode::Timeline(brush) if brush.anchor.is_some())),
    case(A::Accept, Timeline, "t<home>", |s| s.app.view().window.is_some() && s.app.page().matched < 200),
    case(A::ZoomIn, Timeline, "t", |s| s.app.view().zoom.is_some() && s.app.page().timeline.step < 60),
    case(A::ZoomOut, Timeline, "tzz", |s| s.app.view().zoom.is_none_or(|(from, to)| to - from > 120)),
    case(A::AllTime, Timeline, "t<home><enter>tz", |s| s.app.view().zoom.is_none() && s.app.view().window.is_none()),
    case(A::Measure, Timeline, "t", |s| s.shows("bytes in") && s.shows("bytes out")),
    case(A::Clock, Timeline, "t", |s| s.shows("do not say when they were ingested")),
    case(A::ChangeTime, Timeline, "t<home>", |s| typed(s).0.starts_with("2018-08-20 15:2")),
    case(A::Cancel, Timeline, "t", |s| matches!(s.app.mode(), Mode::Main)),
    case(A::Redraw, Timeline, "t", |s| s.effects == [Effect::Redraw]),
    case(A::Suspend, Timeline, "t", |s| s.effects == [Effect::Suspend]),
    case(A::Accept, Menu, "<right><right>p", |s| menu(s).is_none() && filter(s).starts_with("srcaddr = ")),
    case(A::Cancel, Menu, "Y", |s| matches!(s.app.mode(), Mode::Main)),
    case(A::Down, Menu, "Y", |s| menu(s) == Some(("", 1))),
    case(A::Up, Menu, "Y<down><down>", |s| menu(s) == Some(("", 1))),
    case(A::PageDown, Menu, "Y", |s| menu(s) == Some(("", 4))),
    case(A::PageUp, Menu, "Y<down><down>", |s| menu(s) == Some(("", 0))),
    case(A::DeleteBack, Menu, "Yath", |s| menu(s) == Some(("at", 0))),
    case(A::Save, Menu, "/port 11211<enter>f", |s| s.app.saved().eq([(2, "port = 11211")]) && s.shows("F2")),
    case(A::DeleteForward, Menu, "/udp<enter>/port 11211<enter>f", |s| s.app.history().eq(["protocol = udp"])),
    case(A::Saved(0), Menu, "/port 11211<ctrl-s><esc>Y", |s| filter(s) == "port = 11211" && menu(s).is_none()),
    case(A::Left, Menu, "c<down>", |s| s.app.chosen_columns(Tab::Flows)[..2] == [Field::Action, Field::End]),
    case(A::Right, Menu, "c", |s| s.app.chosen_columns(Tab::Flows)[..2] == [Field::Action, Field::End]),
    case(A::Redraw, Menu, "Y", |s| s.effects == [Effect::Redraw]),
    case(A::Suspend, Menu, "Y", |s| s.effects == [Effect::Suspend]),
];

/// More rows than two screens hold, on top of those of [`crate::LINES`].
fn crowd() -> Stage {
    let mut lines = String::new();
    for n in 0..200 {
        let (start, end) = (1_534_778_900 + n % 60, 1_534_778_960 + n % 60);
        let ends = format!("10.20.1.{n} 172.16.0.178 {} 443", 40_000 + n);
        let _ = writeln!(lines, "2 622676721278 eni-0536faba73134a9b7 {ends} 6 5 {} {start} {end} ACCEPT OK", 500 + n);
    }
    for n in 0..40 {
        let _ = writeln!(lines, "bad line number {n}");
    }
    let mut stage = crate::stage();
    stage.resize(100, 24).feed([crate::batch(&lines)]);
    stage
}

/// Place of the cursor in the whole order.
fn index(stage: &Stage) -> u64 {
    stage.app.view().table().index
}

/// The bar of the timeline that is chosen.
fn bar(stage: &Stage) -> Option<usize> {
    let timeline = &stage.app.page().timeline;
    usize::try_from((stage.app.bar()? - timeline.from) / timeline.step).ok()
}

/// Rows that the table shows.
fn rows(stage: &Stage) -> u64 {
    stage.viewport.table_rows as u64
}

fn filter(stage: &Stage) -> &str {
    stage.app.view().filter.as_ref().map_or("", |applied| &applied.text)
}

/// What is typed, and the place of the caret in it.
fn typed(stage: &Stage) -> (&str, usize) {
    let line = match stage.app.mode() {
        Mode::Filter(bar) => &bar.line,
        Mode::Group(prompt) => &prompt.line,
        Mode::Help(help) => &help.search,
        Mode::Change(prompt) => &prompt.line,
        Mode::Ask(ask) => &ask.line,
        Mode::Main | Mode::Report(_) | Mode::Menu(_) | Mode::Timeline(_) => return ("", 0),
    };
    (line.text(), line.caret())
}

/// What is searched for in help, and its first line shown.
fn help(stage: &Stage) -> Option<(&str, usize)> {
    match stage.app.mode() {
        Mode::Help(help) => Some((help.search.text(), help.scroll)),
        _ => None,
    }
}

/// What is searched for in a menu, and the line that is chosen.
fn menu(stage: &Stage) -> Option<(&str, usize)> {
    match stage.app.mode() {
        Mode::Menu(menu) => Some((menu.search.text(), menu.cursor)),
        _ => None,
    }
}

/// How far the pane about the source is scrolled.
fn report(stage: &Stage) -> Option<usize> {
    match stage.app.mode() {
        Mode::Report(report) => Some(report.scroll),
        _ => None,
    }
}

#[test]
fn every_action_has_a_case() {
    for def in ACTIONS {
        let cases = CASES.iter().filter(|case| (case.action, case.context) == (def.action, def.context)).count();
        assert_eq!(cases, 1, "{:?} in {:?}", def.action, def.context);
    }
}

#[test]
fn the_first_key_of_every_action_does_what_it_says() {
    // The demo's engine takes a second to fill, so all cases share one and start over from its first screen.
    for case in CASES {
        let mut stage = crowd();
        let def = ACTIONS.iter().find(|def| (def.action, def.context) == (case.action, case.context));
        let key = def.and_then(|def| def.keys.first()).expect("the action is in the table");
        stage.run(case.before);
        assert_eq!(stage.app.context(), case.context, "{:?} is tried in another context", case.action);
        assert!(!(case.then)(&stage), "{:?}: it is so before {key} is pressed\n{}", case.action, stage.text());
        stage.run(&if key.chars().count() > 1 { format!("<{key}>") } else { (*key).to_owned() });
        assert!((case.then)(&stage), "{:?}: {key} does nothing\n{}", case.action, stage.text());
    }
}
