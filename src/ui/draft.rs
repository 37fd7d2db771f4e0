//! The filter while it is typed: whether it is one, how much it matches, how it can go on.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::bar::prompt_line;
use super::fmt;
use super::paint::Paint;
use super::sidebar::wrap;
use super::theme::Token;
use crate::app::prompt::{Draft, FilterBar};
use crate::app::{App, Viewport};
use crate::filter::{Candidate, CandidateKind};

pub(super) fn filter_bar(app: &App, bar: &FilterBar, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    let theme = paint.theme;
    let page = app.page();
    let (style, span, verdict) = match bar.draft() {
        Draft::Empty => (theme.style(Token::Text), None, "all rows".to_owned()),
        Draft::Bad(error) => (theme.style(Token::Error), Some(error.span.clone()), "not a filter".to_owned()),
        Draft::Good(filter) => {
            // A number is that of this very draft; how it is coloured may be a frame late, so that it does not flicker with each key.
            let counts = app.draft_count().map(|(count, done)| {
                let more = if done { "" } else { "+" };
                format!("{}{more} of {}", fmt::thousands(count), fmt::thousands(page.total))
            });
            let none = page.draft == Some((0, true));
            let warn = none || doubts(app, filter);
            let token = if warn { Token::Warning } else { Token::Ok };
            (theme.bold(token), None, counts.unwrap_or_default())
        }
    };
    let sign = match bar.draft() {
        Draft::Bad(_) => "x/",
        Draft::Good(filter) if doubts(app, filter) || page.draft == Some((0, true)) => "?/",
        _ => " /",
    };
    prompt_line(paint, area, sign, &bar.line, style, span.as_ref(), &verdict, viewport);
}

/// Whether a filter that parses probably does not do what was meant.
fn doubts(app: &App, filter: &crate::filter::Filter) -> bool {
    !filter.warnings().is_empty() || app.lacking(filter).is_some()
}

/// Which part of a filter that nothing matches lets nothing through.
fn emptied_by(app: &App, filter: &crate::filter::Filter) -> Option<String> {
    let explained = app.page().explained.as_ref().filter(|explained| explained.progress >= 1.0)?;
    if *explained.filter != *filter || explained.clauses.len() < 2 {
        return None;
    }
    if let Some(none) = explained.clauses.iter().find(|clause| clause.alone == 0) {
        return Some(format!("No row that is held matches `{}`.", none.text));
    }
    let (before, first) =
        explained.clauses.iter().zip(explained.clauses.iter().skip(1)).find(|(_, next)| next.running == 0)?;
    let (left, alone) = (fmt::thousands(before.running), fmt::thousands(first.alone));
    Some(format!("No row that is held matches: of {left} so far `{}` leaves none (alone {alone}).", first.text))
}

pub(super) fn filter_says(app: &App, bar: &FilterBar, paint: &mut Paint<'_>, area: Rect) {
    if let Some(notice) = app.notice() {
        let token = if notice.tone == crate::app::Tone::Refused { Token::Warning } else { Token::Text };
        let style = paint.theme.style(token);
        return lines(&notice.text, style, paint, area);
    }
    let (text, token) = match bar.draft() {
        Draft::Bad(error) => {
            let offered = if bar.refused { String::new() } else { offered(app) };
            if !offered.is_empty() && error.span.end >= bar.line.text().trim_end().len() {
                return unfinished(&offered, &error.message, paint, area);
            }
            // What to do comes first, since a narrow screen cuts the end.
            let mut parts: Vec<&str> = [error.message.as_str()].into_iter().chain(error.hint.as_deref()).collect();
            if fmt::width(&parts.join(" ")) > area.width.saturating_sub(4) {
                parts.reverse();
            }
            parts.extend(bar.refused.then_some("The last good filter stays."));
            let mut text = parts.join(" ");
            if !offered.is_empty() {
                text.push_str(" Tab: ");
                text.push_str(&offered);
            }
            (text, Token::Error)
        }
        Draft::Good(filter) => match filter.warnings().first() {
            Some(warning) => (warning.message.clone(), Token::Warning),
            None => match app.lacking(filter) {
                Some(lacking) => (lacking, Token::Warning),
                None if app.page().draft == Some((0, true)) => {
                    let offered = offered(app);
                    let more = if offered.is_empty() { String::new() } else { format!(" Tab: {offered}") };
                    let why = emptied_by(app, filter).unwrap_or_else(|| "No row that is held matches.".to_owned());
                    (format!("{why}{more}"), Token::Warning)
                }
                None => (offered(app), Token::Muted),
            },
        },
        Draft::Empty => {
            ("11211, 10.0.0.0/8, eni-0536faba73134a9b7, udp and bytes > 1000, not port 443".to_owned(), Token::Muted)
        }
    };
    let style = paint.theme.style(token);
    lines(&text, style, paint, area);
}

/// Writes a text on the lines there are; what is cut is seen to be.
fn lines(text: &str, style: Style, paint: &mut Paint<'_>, area: Rect) {
    let room = area.width.saturating_sub(4);
    let parts = wrap(&fmt::clean(text), room.max(1));
    let last = usize::from(area.height).min(parts.len()).saturating_sub(1);
    for (y, part) in (area.y..).zip(parts.iter().take(last)) {
        paint.text(area.x + 3, y, room, part, style);
    }
    let rest = parts[last.min(parts.len())..].join(" ");
    paint.text(area.x + 3, area.y + u16::try_from(last).unwrap_or(0), room, &rest, style);
}

/// Below a filter that lacks its end: how it can go on matters more than that it is none yet.
fn unfinished(offered: &str, message: &str, paint: &mut Paint<'_>, area: Rect) {
    let room = area.width.saturating_sub(4);
    if area.height > 1 {
        let lead = format!("Tab: {offered}");
        paint.text(area.x + 3, area.y, room, &lead, paint.theme.style(Token::Text));
        paint.text(area.x + 3, area.y + 1, room, message, paint.theme.style(Token::Error));
        return;
    }
    // What is wrong is read whole where that leaves a word to what could stand there.
    let cells = room.saturating_sub(fmt::width(message) + 8).min(room / 2).max(room / 4);
    let lead = format!("Tab: {}", fmt::cut(offered, cells, paint.glyphs.ellipsis));
    let spans = [
        (lead, paint.theme.style(Token::Text)),
        ("   ".to_owned(), paint.theme.style(Token::Muted)),
        (message.to_owned(), paint.theme.style(Token::Error)),
    ];
    paint.spans(area.x + 3, area.y, room, &spans);
}

/// What Tab would put at the caret, and what else could stand there.
fn offered(app: &App) -> String {
    let candidates = app.completion().candidates;
    // A value says how often it is there, everything else only what it is.
    let shown = |candidate: &Candidate| match candidate.kind {
        CandidateKind::Seen => format!("{} ({})", candidate.text, candidate.note),
        _ => candidate.text.clone(),
    };
    candidates.iter().map(shown).collect::<Vec<_>>().join("  ")
}
