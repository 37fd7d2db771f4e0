//! The pane that tells about the source and about the lines that did not parse. Text of the log is written with what is hostile as escapes, so
//! that it can be read what was there.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::fmt;
use super::paint::Paint;
use super::sidebar::wrap;
use super::theme::Token;
use crate::app::report::{ReportState, Topic};
use crate::app::{App, Target, Viewport};
use crate::detect::Baseline;
use crate::engine::report::{Report, SourceReport, UnparsedReport};
use crate::engine::view::Status;
use crate::export::clean::for_terminal;
use crate::filter::translate::pattern::Fetch;
use crate::record::{LiveStatus, SourceState, TailFigures};

/// Cells of the names.
const NAMES: u16 = 18;

pub(super) fn draw(app: &App, state: &ReportState, paint: &mut Paint<'_>, screen: Rect, viewport: &mut Viewport) {
    // All but the line of hints.
    let area = Rect { height: screen.height.saturating_sub(u16::from(screen.height > 6)), ..screen };
    if area.height < 2 || area.width < 4 {
        return;
    }
    paint.clear(area, Token::Surface);
    viewport.hits.push((super::area(area), Target::Report));
    let title = match state.topic {
        Topic::Source => "About the source: {source:next-tab} shows what did not parse, {source:cancel} leaves",
        Topic::Unparsed => {
            "Lines that did not parse, newest first: {source:next-tab} shows the source, {source:cancel} leaves"
        }
    };
    let style = paint.theme.bold(Token::Accent);
    let title = app.keys().spell(title);
    paint.rule(Rect { height: 1, ..area }, &title, style);
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let status = &app.page().status;
    match (&app.page().report, state.topic) {
        (Some(Report::Source(report)), Topic::Source) => {
            source(&source_lines(app, status, report), state.scroll, paint, body, viewport);
        }
        (Some(Report::Unparsed(report)), Topic::Unparsed) => {
            unparsed(status.unparsed, report, state.scroll, paint, body, viewport);
        }
        // The answer is on its way.
        _ => {}
    }
    let (fits, all) = viewport.report;
    match all.saturating_sub(state.scroll + fits) {
        0 => {}
        left => paint.below(area, &title, left),
    }
}

/// A line about the source.
enum Line {
    Title(&'static str),
    Fact(&'static str, String),
    /// A fact that the source names itself.
    Own(String, String),
    /// Something without a name of its own.
    Text(String),
    Blank,
}

fn source(lines: &[Line], scroll: usize, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    let names = if area.width < 60 { 12 } else { NAMES };
    let (title, name, text) =
        (paint.theme.bold(Token::Header), paint.theme.style(Token::Muted), paint.theme.style(Token::Text));
    // A name, and how far in, in what style, what stands beside it. Long sentences go on in the next line.
    let mut rows: Vec<(&str, u16, String, Style)> = Vec::new();
    for line in lines {
        match line {
            Line::Blank => rows.push(("", 0, String::new(), text)),
            Line::Title(what) => rows.push(("", 0, (*what).to_owned(), title)),
            Line::Own(what, is) => {
                let parts = wrap(is, area.width.saturating_sub(names + 4).max(8));
                let whats = std::iter::once(what.as_str()).chain(std::iter::repeat(""));
                rows.extend(parts.into_iter().zip(whats).map(|(part, what)| (what, names + 1, part, text)));
            }
            Line::Fact(what, is) => {
                let parts = wrap(is, area.width.saturating_sub(names + 4).max(8));
                let whats = std::iter::once(*what).chain(std::iter::repeat(""));
                rows.extend(parts.into_iter().zip(whats).map(|(part, what)| (what, names + 1, part, text)));
            }
            Line::Text(what) => {
                let parts = wrap(what, area.width.saturating_sub(5).max(8)).into_iter().enumerate();
                rows.extend(parts.map(|(at, part)| ("", if at == 0 { 0 } else { 2 }, part, text)));
            }
        }
    }
    viewport.report = (usize::from(area.height), rows.len());
    for (y, (what, indent, is, style)) in (area.top()..area.bottom()).zip(rows.iter().skip(scroll)) {
        paint.text(area.x + 2, y, names, what, name);
        let x = area.x + 2 + indent;
        paint.text(x, y, area.right().saturating_sub(x + 1), is, *style);
    }
}

/// What the rules that ask what is new rest on, and how old it is.
fn baseline(now: i64, known: &Baseline) -> String {
    let moment = |at: i64| jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |time| time.to_string());
    let age = now.div_euclid(1000).saturating_sub(known.taken).max(0) / 60;
    let age = if age < 120 { format!("{age} minutes") } else { format!("{} hours", age / 60) };
    let lacks = if known.lacks.is_empty() { String::new() } else { format!("; {}", for_terminal(&known.lacks)) };
    let uses = fmt::thousands(known.uses.len() as u64);
    let (from, to) = (moment(known.from), moment(known.to));
    format!("{uses} ports and peers of {from} to {to}, loaded {age} ago{lacks}")
}

fn source_lines(app: &App, status: &Status, report: &SourceReport) -> Vec<Line> {
    let mut lines = vec![
        Line::Fact("source", for_terminal(&status.source).into_owned()),
        Line::Fact("region", for_terminal(status.region.as_deref().unwrap_or("not known")).into_owned()),
    ];
    for interface in &status.interfaces {
        let is = app.known().described(interface).map(|(one, _)| format!(": {}", one.says())).unwrap_or_default();
        lines.push(Line::Fact("interface", for_terminal(&format!("{interface}{is}")).into_owned()));
    }
    lines.push(Line::Fact("state", state(status)));
    // A remark about a header stands below with the others.
    if let Some(problem) = super::header::problem(app, status).filter(|problem| !report.remarks.contains(problem)) {
        lines.push(Line::Fact("says", for_terminal(&problem).into_owned()));
    }
    if let Some((read, total)) = status.state.progress {
        let share = u128::from(read) * 100 / u128::from(total.max(1));
        lines.push(Line::Fact("read", format!("{} of {} ({share}%)", fmt::bytes(read), fmt::bytes(total))));
    }
    if status.state.requests > 0 {
        lines.push(Line::Fact("requests", fmt::thousands(status.state.requests)));
        lines.push(Line::Fact("events read", fmt::thousands(status.state.events_read)));
        lines.push(Line::Fact("duplicates", format!("{} left out", fmt::thousands(status.state.duplicates))));
    }
    if let Some(live) = &status.state.live {
        live_session(&mut lines, app.now(), live);
    }
    if let Some(tail) = &status.state.tail {
        tail_lines(&mut lines, tail);
    }
    if let Some(known) = &report.baseline {
        lines.push(Line::Fact("baseline", baseline(app.now(), known)));
    }
    for (name, text) in &status.state.facts {
        lines.push(Line::Own(for_terminal(name).into_owned(), for_terminal(text).into_owned()));
    }
    if let Some(complete) = status.state.complete_to {
        lines.push(Line::Fact("complete to", format!("{}Z, likely", fmt::date_time(complete))));
    }
    if let Some(fetch) = &status.fetch {
        fetched(&mut lines, fetch, status.state.asks_for.as_deref(), report.counts.outside);
    }
    beside(&mut lines, app);
    section(&mut lines, "Formats");
    formats(&mut lines, report);
    if report.other_records > 0 {
        let records = fmt::thousands(report.other_records);
        lines.push(Line::Text(format!("{records} records of further streams, whose formats are not told apart")));
    }
    if report.formats.is_empty() {
        lines.push(Line::Text("No record so far.".to_owned()));
    }
    section(&mut lines, "Lines");
    let counts = &report.counts;
    let unparsed = match status.unparsed {
        0 => "0".to_owned(),
        some => format!("{} ({} shows them)", fmt::thousands(some), app.keys().spell("{unparsed}")),
    };
    lines.push(Line::Fact("records", fmt::thousands(counts.records)));
    lines.push(Line::Fact("NODATA", fmt::thousands(counts.nodata)));
    lines.push(Line::Fact("SKIPDATA", format!("{}{}", fmt::thousands(counts.skipdata), lost(counts.skipdata))));
    lines.push(Line::Fact("headers", fmt::thousands(counts.headers)));
    lines.push(Line::Fact("unparsed", unparsed));
    lines.push(Line::Fact("late", format!("{} older than the rules look at", fmt::thousands(counts.late))));
    for remark in &report.remarks {
        lines.push(Line::Fact("remark", for_terminal(remark).into_owned()));
    }
    held(&mut lines, status, report);
    if !status.gaps.is_empty() {
        section(&mut lines, "Gaps: event time that could not be read");
        for gap in &status.gaps {
            let why = for_terminal(&gap.why);
            lines.push(Line::Text(format!("{}Z to {}Z: {why}", fmt::date_time(gap.from), fmt::date_time(gap.to))));
        }
    }
    lines
}

/// What is known beside the log, from where, and how old it is.
fn beside(lines: &mut Vec<Line>, app: &App) {
    let sources = app.known().sources();
    if sources.is_empty() {
        return;
    }
    section(lines, "Known beside the log");
    let as_of = app.known().interfaces().map(|all| all.as_of);
    for (at, (name, text)) in sources.iter().enumerate() {
        let first = *name == "EC2" && sources[..at].iter().all(|(before, _)| before != name);
        let age = as_of.filter(|_| first).map(|as_of| {
            let age = u64::try_from(app.now().div_euclid(1000).saturating_sub(as_of)).unwrap_or(0);
            let anew = app.keys().spell("{ask-interfaces} asks anew");
            format!(" ({} ago; kept for an hour, {anew})", fmt::duration(age))
        });
        let text = format!("{text}{}", age.unwrap_or_default());
        lines.push(Line::Own((*name).to_owned(), for_terminal(&text).into_owned()));
    }
}

/// What memory holds, and what had to go.
fn held(lines: &mut Vec<Line>, status: &Status, report: &SourceReport) {
    section(lines, "Held");
    let (ring, room) = report.ring;
    lines.push(Line::Fact(
        "records",
        format!("{} in {} of {}", fmt::thousands(status.held), fmt::bytes(ring), fmt::bytes(room)),
    ));
    lines.push(Line::Fact(
        "sessions",
        format!("{} in {}", fmt::thousands(status.sessions), fmt::bytes(report.sessions)),
    ));
    let rules = &status.rules;
    lines.push(Line::Fact(
        "rules",
        format!("{} groups, {} alerts open", fmt::thousands(rules.groups), fmt::thousands(rules.open)),
    ));
    // What a rule lost it may have missed.
    for (count, what) in [
        (rules.evicted_groups, "groups evicted: an alert may be missing"),
        (rules.forgotten_sessions, "sessions forgotten: they may count twice"),
        (rules.unremembered, "values had no room to be remembered: none of them is called new"),
    ] {
        if count > 0 {
            lines.push(Line::Fact("rules", format!("{} {what}", fmt::thousands(count))));
        }
    }
    lines.push(Line::Fact(
        "memory",
        format!("{} of {} (--memory)", fmt::bytes(status.held_bytes), fmt::bytes(status.budget)),
    ));
    if let Some((first, last)) = status.span {
        let long = fmt::duration(u64::try_from(last.saturating_sub(first)).unwrap_or(0));
        lines.push(Line::Fact("span", format!("{}Z to {}Z, {long}", fmt::date_time(first), fmt::date_time(last))));
    }
    lines.push(Line::Fact(
        "evicted",
        format!("{} records, {} sessions", fmt::thousands(status.evicted), fmt::thousands(status.sessions_evicted)),
    ));
}

/// The live session beside the reads.
fn live_session(lines: &mut Vec<Line>, now: i64, live: &LiveStatus) {
    let is = match &live.closed {
        Some((why, until)) if live.open < live.wanted => {
            let left = until.saturating_sub(now).max(0).saturating_add(999) / 1000;
            format!("closed, opened again in {left}s: {}", for_terminal(why))
        }
        _ if live.open == 0 => "not open yet".to_owned(),
        _ if live.wanted > 1 => format!("{} of {} open", live.open, live.wanted),
        _ => "open".to_owned(),
    };
    lines.push(Line::Fact("live tail", format!("{is}; ended {} times so far", fmt::thousands(live.ended))));
    let (events, paired) = (fmt::thousands(live.events), fmt::thousands(live.paired));
    lines.push(Line::Fact("came live", format!("{events} events; {paired} of them were found by a read since")));
    let (sampled, repaired) = (fmt::thousands(live.sampled), fmt::thousands(live.repaired));
    lines.push(Line::Fact("left out live", format!("{sampled} times; {repaired} of them were read since")));
}

/// What is read only, and what that means.
fn fetched(lines: &mut Vec<Line>, fetch: &Fetch, since: Option<&str>, outside: u64) {
    section(lines, "Fetched only (--fetch): what was not read cannot come back by widening the filter");
    let clean = |text: &str| for_terminal(text).into_owned();
    lines.push(Line::Fact("wanted", format!("{}, both directions, NODATA and SKIPDATA", clean(&fetch.text))));
    let none = "none: nothing of it can be asked for, so everything is read";
    let at_first = fetch.pattern.as_deref();
    if let Some(since) = since {
        lines.push(Line::Fact("pattern", clean(if since.is_empty() { none } else { since })));
        let before = clean(at_first.unwrap_or("none"));
        lines.push(Line::Fact("before", format!("{before}: it relied on a format that is no longer proven")));
        lines.push(Line::Fact("checked here", "all of it".to_owned()));
    } else {
        lines.push(Line::Fact("pattern", clean(at_first.unwrap_or(none))));
        if at_first.is_some() && !fetch.checked.is_empty() {
            lines.push(Line::Fact("checked here", clean(&fetch.checked.join(", "))));
        }
    }
    lines.push(Line::Fact("left out here", format!("{} records that were read", fmt::thousands(outside))));
    for remark in &fetch.remarks {
        lines.push(Line::Fact("mind", clean(remark)));
    }
}

/// What a tail carries and costs.
fn tail_lines(lines: &mut Vec<Line>, tail: &TailFigures) {
    let comes = tail.rate.map(|rate| format!("; about {} come", fmt::thousands(rate))).unwrap_or_default();
    let capacity = fmt::thousands(tail.capacity);
    lines.push(Line::Fact(
        "capacity",
        format!("about {capacity} records a second, each minute being read {} times{comes}", tail.reads),
    ));
    if let Some(poll) = &tail.poll {
        let [requests, events, known] = [poll.requests, poll.events, poll.duplicates].map(fmt::thousands);
        let (minutes, many) = (poll.minutes, if poll.requests == 1 { "" } else { "s" });
        lines.push(Line::Fact(
            "last poll",
            format!("{requests} request{many} for {minutes} minutes: {events} events, {known} of them known"),
        ));
    }
    if tail.ids > 0 {
        lines.push(Line::Fact(
            "remembered",
            format!(
                "{} event ids in {}, so that none comes twice",
                fmt::thousands(tail.ids),
                fmt::bytes(tail.id_bytes)
            ),
        ));
    }
    let lookback = fmt::duration(tail.lookback);
    let delivery = match tail.lateness {
        Some(late) => {
            format!("99 of 100 within {} of their timestamp; looked for up to {lookback}", fmt::duration(late))
        }
        None => format!("too few seen to tell; looked for up to {lookback}"),
    };
    lines.push(Line::Fact("delivery", delivery));
    if tail.behind >= 60 {
        lines.push(Line::Fact("behind", fmt::duration(tail.behind)));
    }
}

/// Each format once, with the streams that have it: most have one.
fn formats(lines: &mut Vec<Line>, report: &SourceReport) {
    let mut told: Vec<String> = Vec::new();
    for stream in &report.formats {
        let what = format!("{}, {}", stream.format, stream.why);
        if told.contains(&what) {
            continue;
        }
        let same: Vec<_> =
            report.formats.iter().filter(|other| format!("{}, {}", other.format, other.why) == what).collect();
        let records = |records: u64| match records {
            1 => "1 record".to_owned(),
            many => format!("{} records", fmt::thousands(many)),
        };
        match &same[..] {
            [only] => {
                lines.push(Line::Text(format!("{what}: {} of {}", records(only.records), for_terminal(&only.place))));
            }
            all => {
                let sum = all.iter().map(|stream| stream.records).sum();
                lines.push(Line::Text(format!("{what}: {} of {} streams", records(sum), all.len())));
                lines.extend(
                    all.iter().map(|stream| {
                        Line::Own(fmt::thousands(stream.records), for_terminal(&stream.place).into_owned())
                    }),
                );
            }
        }
        told.push(what);
    }
}

fn section(lines: &mut Vec<Line>, title: &'static str) {
    lines.push(Line::Blank);
    lines.push(Line::Title(title));
}

fn lost(skipped: u64) -> &'static str {
    match skipped {
        0 => "",
        1 => " window whose records AWS lost",
        _ => " windows whose records AWS lost",
    }
}

fn state(status: &Status) -> String {
    match status.state.state {
        SourceState::Connecting => "no answer yet",
        SourceState::Live => "reading",
        SourceState::Waiting { .. } => "waiting to try again",
        SourceState::Ended => "all was read",
        SourceState::Failed(_) => "failed",
    }
    .to_owned()
}

/// Lines that an entry takes: where and why, then the text.
const ENTRY: u16 = 2;

fn unparsed(
    count: u64,
    report: &UnparsedReport,
    scroll: usize,
    paint: &mut Paint<'_>,
    area: Rect,
    viewport: &mut Viewport,
) {
    let (bold, muted, text) =
        (paint.theme.bold(Token::Gap), paint.theme.style(Token::Muted), paint.theme.style(Token::Text));
    let width = area.width - 3;
    if count == 0 {
        viewport.report = (usize::from(area.height / ENTRY), 0);
        paint.text(area.x + 2, area.y + 1, width, "Every line so far was understood.", muted);
        return;
    }
    let reasons: Vec<String> =
        report.reasons.iter().map(|(reason, count)| format!("{} {reason}", fmt::thousands(*count))).collect();
    paint.text(area.x + 2, area.y, width, &reasons.join(&format!(" {} ", paint.glyphs.dot)), bold);
    let mut body = area;
    // Of a very low screen the lines themselves have the rest.
    let heading = if area.height >= 6 { 2 } else { 1 };
    body.y += heading;
    body.height = area.height.saturating_sub(heading);
    if heading > 1 {
        let kept = fmt::thousands(report.kept as u64);
        let from = fmt::thousands((report.skip + 1) as u64);
        let says = format!("{} in all, the latest {kept} are kept; shown from number {from}", fmt::thousands(count));
        paint.text(area.x + 2, area.y + 1, width, &says, muted);
    }
    let fits = usize::from(body.height / ENTRY).max(1);
    viewport.report = (fits, report.kept);
    // The page may be of a moment before the last key.
    let ahead = scroll.saturating_sub(report.skip);
    for (y, line) in (body.top()..body.bottom()).step_by(usize::from(ENTRY)).zip(report.lines.iter().skip(ahead)) {
        let number = if line.line > 0 { format!(":{}", line.line) } else { String::new() };
        let place = format!("{}{number}", for_terminal(&line.place));
        let why = line.error.to_string();
        let used = paint.text(area.x + 2, y, width, &format!("{place}  "), paint.theme.style(Token::Accent));
        paint.text(area.x + 2 + used, y, width.saturating_sub(used), &for_terminal(&why), muted);
        if y + 1 < body.bottom() {
            paint.text(area.x + 4, y + 1, area.width.saturating_sub(5), &for_terminal(&line.text), text);
        }
    }
}
