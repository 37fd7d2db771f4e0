//! The lines that are typed into beside the filter bar: columns to group by, the time of a change, a note, a path.

use ratatui::layout::Rect;

use super::bar::prompt_line;
use super::fmt;
use super::paint::Paint;
use super::theme::Token;
use crate::app::Viewport;
use crate::app::change::ChangePrompt;
use crate::app::prompt::GroupPrompt;
use crate::app::takeaway::{Ask, Asked};

pub(super) fn ask_prompt(ask: &Ask, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    let style = paint.theme.style(Token::Text);
    let label = match ask.asked {
        Asked::Note(_) => "note",
        Asked::Path(_) => "write to",
        Asked::Range => "search",
    };
    prompt_line(paint, area, label, &ask.line, style, None, "", viewport);
}

pub(super) fn ask_says(ask: &Ask, paint: &mut Paint<'_>, area: Rect) {
    let (text, token) = match (&ask.refused, &ask.asked) {
        (Some(why), _) => (why.as_str(), Token::Warning),
        (None, Asked::Note(_)) => ("what is to be said of this row; it goes into a case file (x)", Token::Muted),
        (None, Asked::Range) => (
            "7d, or 2018-08-20 13:00 to 18:00Z; by srcaddr,dstport for sums. Nothing runs before you agree",
            Token::Muted,
        ),
        (None, Asked::Path(_)) => ("a path; a file that is there already is never written over", Token::Muted),
    };
    let style = paint.theme.style(token);
    paint.text(area.x + 3, area.y, area.width.saturating_sub(4), text, style);
}

pub(super) fn change_prompt(prompt: &ChangePrompt, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    let theme = paint.theme;
    let (style, verdict) = match &prompt.change {
        Ok(Some(change)) => (theme.bold(Token::Ok), format!("{}Z", fmt::date_time(change.at))),
        Ok(None) => (theme.style(Token::Text), "no mark".to_owned()),
        Err(_) => (theme.style(Token::Error), "not a time".to_owned()),
    };
    prompt_line(paint, area, "change at", &prompt.line, style, None, &verdict, viewport);
}

pub(super) fn change_says(prompt: &ChangePrompt, paint: &mut Paint<'_>, area: Rect) {
    let (text, token) = match &prompt.change {
        Err(message) => (message.as_str(), Token::Error),
        Ok(_) => ("now, 10:32, 2018-08-20 15:26 or Unix seconds, UTC; a note; empty: no mark", Token::Muted),
    };
    let style = paint.theme.style(token);
    paint.text(area.x + 3, area.y, area.width.saturating_sub(4), text, style);
}

pub(super) fn group_prompt(prompt: &GroupPrompt, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    let theme = paint.theme;
    let (style, span) = match &prompt.fields {
        Ok(_) => (theme.bold(Token::Ok), None),
        Err((span, _)) => (theme.style(Token::Error), Some(span.clone())),
    };
    prompt_line(paint, area, "group by", &prompt.line, style, span.as_ref(), "", viewport);
}

pub(super) fn group_says(prompt: &GroupPrompt, paint: &mut Paint<'_>, area: Rect) {
    let (text, token) = match &prompt.fields {
        Err((_, message)) => (message.clone(), Token::Error),
        Ok(_) => (prompt.candidates.join("  "), Token::Muted),
    };
    let style = paint.theme.style(token);
    paint.text(area.x + 3, area.y, area.width.saturating_sub(4), &text, style);
}
