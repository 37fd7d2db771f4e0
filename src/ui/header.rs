//! The two lines at the top: what is watched, is it live, how far behind, how much is held, is anything lost.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::fmt;
use super::paint::Paint;
use super::sidebar::wrap;
use super::table::level_letter;
use super::theme::Token;
use crate::app::{Action, App, Context, Target, Viewport};
use crate::detect::Level;
use crate::engine::view::Status;
use crate::record::{LiveStatus, SourceState};

/// A fact of the header. Facts are put in order of importance; those that do not fit are left out.
type Fact = Vec<(String, Style)>;

/// Draws the header; `apart` where trouble has lines of its own.
pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, apart: bool, viewport: &mut Viewport) {
    if area.height == 0 {
        return;
    }
    paint.style(area, paint.theme.ground(Token::Surface));
    let status = &app.page().status;
    let mut facts = first(app, paint, status, area.width);
    if area.height == 1 {
        // The line of the alerts is not there; they come before everything else then.
        let trouble = problem(app, status).map(|text| vec![(text, trouble_style(paint, status))]).into_iter();
        facts.splice(1..1, trouble.chain(alerts(paint, status, true)));
    }
    line(paint, area.x, area.y, area.width, &facts);
    if area.height > 1 {
        let facts = second(app, paint, status, (!apart).then_some(area.width));
        for (place, hit) in line(paint, area.x, area.y + 1, area.width, &facts) {
            if facts[place].first().is_some_and(|(text, _)| text.contains(UNPARSED)) {
                viewport.hits.push((super::area(hit), Target::Hint(Action::Unparsed)));
            }
        }
    }
}

/// What did not parse, with the key that shows it.
const UNPARSED: &str = "unparsed";

/// Below this width times are written short.
const NARROW: u16 = 100;

/// Least cells that a fact is cut to, where it may be cut.
const CUT: u16 = 24;

/// Writes facts into a line; gives where those are that had room.
fn line(paint: &mut Paint<'_>, x: u16, y: u16, width: u16, facts: &[Fact]) -> Vec<(usize, Rect)> {
    let mut places = Vec::new();
    let mut used = 1;
    let dot = (format!(" {} ", paint.glyphs.dot), paint.theme.style(Token::Muted));
    for (place, fact) in facts.iter().enumerate() {
        let wide: u16 = fact.iter().map(|(text, _)| fmt::width(&fmt::clean(text))).sum();
        let gap = if place == 0 { 0 } else { 3 };
        // The first three facts are cut where they must be; the others stand whole or not at all.
        let least = if place < 3 { wide.min(CUT) } else { wide };
        if place > 0 && used + gap + least > width {
            continue;
        }
        if place > 0 {
            used += paint.spans(x + used, y, width - used, std::slice::from_ref(&dot));
        }
        let taken = paint.spans(x + used, y, width.saturating_sub(used), fact);
        places.push((place, Rect::new(x + used, y, taken, 1)));
        used += taken;
    }
    places
}

fn first(app: &App, paint: &Paint<'_>, status: &Status, width: u16) -> Vec<Fact> {
    let theme = paint.theme;
    let label = |text: &str| (text.to_owned(), theme.style(Token::Muted));
    let plain = |text: String| (text, theme.style(Token::Text));
    let mut facts = vec![vec![state(app, paint, status)]];
    let mut what = vec![(status.source.to_string(), theme.bold(Token::Text))];
    if let [only] = &status.interfaces[..] {
        what.push(plain(format!(" {only}")));
    } else if !status.interfaces.is_empty() {
        what.push(plain(format!(" {} interfaces", status.interfaces.len())));
    }
    facts.push(what);
    if status.partial > 0 {
        let text = format!("PARTIAL: {} rows so far of queries that run", fmt::count(status.partial));
        facts.push(vec![(text, theme.bold(Token::Warning))]);
    }
    // What was never read is missing from all that is shown: that comes before where and when.
    if let Some(fetch) = &status.fetch {
        facts.push(vec![(format!("only {} fetched", fetch.text), theme.bold(Token::Warning))]);
    }
    if let Some(live) = &status.state.live {
        facts.push(live_session(paint, live));
    }
    facts.extend(status.region.as_deref().map(|region| vec![plain(region.to_owned())]));
    // Of a narrow screen the date would take the room of what matters more.
    let narrow = width < NARROW && status.state.complete_to.is_some();
    if let Some(event) = status.event_time {
        let event = if narrow { fmt::time_of_day(event) } else { fmt::date_time(event) };
        facts.push(vec![label("event "), plain(format!("{event}Z"))]);
    }
    // Beyond it nothing on the screen means that there was none.
    if let Some(complete) = status.state.complete_to {
        let complete = if narrow { fmt::hour_minute(complete) } else { fmt::time_of_day(complete) };
        facts.push(vec![label("complete to "), plain(format!("{complete}Z"))]);
    }
    if let Some(lag) = status.lag {
        facts.push(vec![label("lag "), plain(fmt::lag(lag))]);
        if let Some(arrival) = status.arrival_time {
            facts.push(vec![label("arrival "), plain(format!("{}Z", fmt::time_of_day(arrival)))]);
        }
    }
    // Of an input that has ended the last rate says nothing.
    if status.rate >= 0.05 && status.state.state != SourceState::Ended {
        let carries = status.state.tail.map(|tail| format!(" of {}/s", fmt::count(tail.capacity)));
        facts.push(vec![plain(rate(status.rate)), label(&carries.unwrap_or_default())]);
    } else if let Some(tail) = status.state.tail.filter(|_| status.state.state != SourceState::Ended) {
        facts.push(vec![label("carries "), plain(format!("{}/s", fmt::count(tail.capacity)))]);
    }
    if let Some((read, total)) = status.state.progress
        && read < total
    {
        facts.push(vec![plain(format!("read {}%", u128::from(read) * 100 / u128::from(total)))]);
    }
    facts
}

/// The live session, and what it left out.
fn live_session(paint: &Paint<'_>, live: &LiveStatus) -> Fact {
    let theme = paint.theme;
    let (text, token) = if live.open == live.wanted {
        ("LIVE TAIL".to_owned(), Token::Ok)
    } else if live.open > 0 {
        (format!("LIVE TAIL {} of {}", live.open, live.wanted), Token::Warning)
    } else {
        ("LIVE TAIL closed".to_owned(), Token::Warning)
    };
    let mut fact = vec![(text, theme.bold(token))];
    if live.sampled > 0 {
        // Until it is read again, what was left out is missing.
        let token = if live.repaired < live.sampled { Token::Warning } else { Token::Muted };
        let text = format!(" sampled {}, repaired {}", fmt::count(live.sampled), fmt::count(live.repaired));
        fact.push((text, theme.style(token)));
    }
    fact
}

/// Records a second; of many the tenths say nothing.
fn rate(rate: f64) -> String {
    if rate < 100.0 {
        return format!("{rate:.1}/s");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for the screen")]
    let whole = rate as u64;
    format!("{}/s", fmt::count(whole))
}

/// What the view and the source do, in one word.
fn state(app: &App, paint: &Paint<'_>, status: &Status) -> (String, Style) {
    let theme = paint.theme;
    let live = paint.glyphs.live;
    if app.view().frozen {
        let unseen = app.page().unseen;
        let more = if unseen > 0 { format!(" +{}", fmt::count(unseen)) } else { String::new() };
        return (format!("{live} FROZEN{more}"), theme.bold(Token::Warning));
    }
    let follows = app.view().table().follows();
    match (&status.state.state, follows) {
        (SourceState::Waiting { .. }, _) => (format!("{live} WAITING"), theme.bold(Token::Warning)),
        (SourceState::Failed(_), _) => (format!("{live} FAILED"), theme.bold(Token::Error)),
        (SourceState::Ended, _) => (format!("{live} END"), theme.bold(Token::Muted)),
        (SourceState::Connecting, _) => (format!("{live} CONNECTING"), theme.bold(Token::Muted)),
        (SourceState::Live, true) => (format!("{live} FOLLOW"), theme.bold(Token::Ok)),
        (SourceState::Live, false) => (format!("{live} LIVE"), theme.bold(Token::Ok)),
    }
}

/// Trouble as one of the facts of a line of `width` cells.
fn trouble(app: &App, paint: &Paint<'_>, status: &Status, width: u16) -> Option<Fact> {
    let text = problem(app, status)?;
    let (clean, width) = (fmt::clean(&text), width.saturating_sub(2));
    let text = if fmt::width(&clean) <= width {
        clean.into_owned()
    } else {
        let rest = rest(app, paint);
        format!("{}{rest}", fmt::cut(&clean, width.saturating_sub(fmt::width(&rest)), "").trim_end())
    };
    Some(vec![(text, trouble_style(paint, status))])
}

fn trouble_style(paint: &Paint<'_>, status: &Status) -> Style {
    let failed = matches!(status.state.state, SourceState::Failed(_));
    paint.theme.bold(if failed { Token::Error } else { Token::Warning })
}

/// Lines of its own that trouble has at most. The pane about the source has all of it.
const TROUBLE: u16 = 3;

/// Lines of its own that trouble takes on a screen of this size: none where it fits into the second line of the header, or where there are too few lines.
pub(super) fn trouble_lines(app: &App, width: u16, height: u16) -> u16 {
    let status = &app.page().status;
    let Some(text) = problem(app, status).filter(|_| height >= 12 && is_urgent(status)) else { return 0 };
    let text = fmt::clean(&text);
    if fmt::width(&text) + 2 <= width {
        return 0;
    }
    u16::try_from(wrap(&text, width.saturating_sub(2)).len()).unwrap_or(TROUBLE).min(TROUBLE)
}

/// Whether it must be read now. Lasting remarks are not worth the lines of something else.
fn is_urgent(status: &Status) -> bool {
    matches!(status.state.state, SourceState::Waiting { .. } | SourceState::Failed(_))
        || status.state.tail.is_some_and(|tail| tail.behind >= BEHIND)
}

/// Seconds behind from which on a tail says so.
const BEHIND: u64 = 120;

/// What is written after a text that had to be cut.
fn rest(app: &App, paint: &Paint<'_>) -> String {
    format!("{} ({} has all of it)", paint.glyphs.ellipsis, app.keys().hint(Context::Main, Action::Source))
}

/// Trouble in lines of its own; where they are too few, the last says which key tells the rest.
pub(super) fn draw_trouble(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let status = &app.page().status;
    let Some(text) = problem(app, status).filter(|_| area.height > 0) else { return };
    let (style, width) = (trouble_style(paint, status), area.width.saturating_sub(2));
    paint.clear(area, Token::Surface);
    let mut lines = wrap(&fmt::clean(&text), width);
    if lines.len() > usize::from(area.height) {
        lines.truncate(usize::from(area.height));
        let rest = rest(app, paint);
        if let Some(last) = lines.last_mut() {
            let kept = fmt::cut(last, width.saturating_sub(fmt::width(&rest)), "");
            *last = format!("{}{rest}", kept.trim_end());
        }
    }
    for (y, line) in (area.top()..area.bottom()).zip(&lines) {
        paint.text(area.x + 1, y, width, line, style);
    }
}

/// What the source waits for or stumbled over. The countdown comes first: what is long is cut at its end.
pub(super) fn problem(app: &App, status: &Status) -> Option<String> {
    match &status.state.state {
        SourceState::Waiting { why, until } => {
            let left = until.saturating_sub(app.now()).max(0).saturating_add(999) / 1000;
            Some(format!("next try in {left}s: {why}"))
        }
        SourceState::Failed(why) => Some(why.clone()),
        _ => status.state.note.clone(),
    }
}

/// Open alerts, the worst first; `brief` by letter.
fn alerts(paint: &Paint<'_>, status: &Status, brief: bool) -> Option<Fact> {
    let theme = paint.theme;
    if status.open_alerts.iter().all(|count| *count == 0) {
        return None;
    }
    let mut fact = vec![(if brief { "!" } else { "alerts" }.to_owned(), theme.style(Token::Muted))];
    for level in [Level::Critical, Level::High, Level::Medium, Level::Low, Level::Informational] {
        let count = status.open_alerts[level as usize];
        if count > 0 {
            let text = if brief { format!(" {count}{}", level_letter(level)) } else { format!(" {count} {level}") };
            fact.push((text, theme.bold(Token::level(level))));
        }
    }
    Some(fact)
}

/// Event time that could not be read, the latest with its range.
fn gaps(paint: &Paint<'_>, status: &Status) -> Option<Fact> {
    let last = status.gaps.iter().max_by_key(|gap| gap.to)?;
    let (from, to) = (fmt::hour_minute(last.from), fmt::hour_minute(last.to.saturating_add(1)));
    let text = match status.gaps.len() {
        1 => format!("gap {from} to {to}Z"),
        many => format!("{} gaps, the latest {from} to {to}Z", fmt::count(many as u64)),
    };
    Some(vec![(text, paint.theme.style(Token::Gap))])
}

fn second(app: &App, paint: &Paint<'_>, status: &Status, trouble_in: Option<u16>) -> Vec<Fact> {
    let theme = paint.theme;
    let label = |text: &str| (text.to_owned(), theme.style(Token::Muted));
    let plain = |text: String| (text, theme.style(Token::Text));
    let trouble = trouble_in.and_then(|width| trouble(app, paint, status, width));
    let mut facts: Vec<Fact> = trouble.into_iter().chain(alerts(paint, status, false)).collect();
    if let Some((earlier, percent)) = status.state.earlier.and_then(|earlier| Some((earlier, earlier.percent()?))) {
        let text = format!(
            "loading from {}Z: {percent}% {}",
            fmt::hour_minute(earlier.wanted),
            app.keys().spell("({stop-loading} stops it)")
        );
        facts.push(vec![(text, theme.bold(Token::Accent))]);
    }
    // What is lost stands before what is held.
    let lost = [
        ("dropped", status.dropped),
        ("evicted", status.evicted),
        ("sessions evicted", status.sessions_evicted),
        (UNPARSED, status.unparsed),
        ("SKIPDATA", status.skipdata),
        ("late", status.late),
        ("rule groups evicted", status.rules.evicted_groups),
    ];
    for (name, count) in lost.into_iter().filter(|(_, count)| *count > 0) {
        let shows = if name == UNPARSED { app.keys().spell(" ({unparsed})") } else { String::new() };
        facts.push(vec![(format!("{} {name}{shows}", fmt::count(count)), theme.style(Token::Gap))]);
    }
    facts.extend(gaps(paint, status));
    let share = if status.budget > 0 { u128::from(status.held_bytes) * 100 / u128::from(status.budget) } else { 0 };
    facts.push(vec![
        label("held "),
        plain(fmt::count(status.held)),
        label(" flows "),
        plain(fmt::bytes(status.held_bytes)),
        label(&format!(" of {} ({share}%)", fmt::bytes(status.budget))),
    ]);
    if let Some(earlier) = status.state.earlier {
        facts.push(vec![label("searched from "), plain(format!("{}Z", fmt::hour_minute(earlier.from)))]);
    }
    facts.push(vec![plain(fmt::count(status.sessions)), label(" sessions")]);
    if let Some((first, last)) = status.span {
        let spanned = u64::try_from(last.saturating_sub(first)).unwrap_or(0);
        facts.push(vec![
            label("span "),
            plain(format!("{} to {}Z", fmt::hour_minute(first), fmt::hour_minute(last))),
            label(&format!(" {}", fmt::duration(spanned))),
        ]);
    }
    if !status.format.is_empty() {
        facts.push(vec![label(&format!("format {}", status.format))]);
    }
    facts
}
