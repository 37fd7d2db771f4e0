//! The line that stands for rows that are counted and not shown.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::fmt;
use super::paint::Paint;
use super::theme::Token;
use crate::app::{Action, App, Context, Target, Viewport};

/// How many lines of a table of `height` lines, header included, the fold takes.
pub(super) fn lines(app: &App, height: u16) -> u16 {
    u16::from(height >= 6 && app.folded().is_some())
}

/// All that is folded.
pub(super) fn total(app: &App) -> u64 {
    app.folded().map_or(0, |kinds| kinds.iter().map(|(_, count)| count).sum())
}

pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    let Some(kinds) = app.folded() else { return };
    let muted = paint.theme.style(Token::Muted);
    let (left, right) = (area.x + super::table::MARK, area.right().saturating_sub(1));
    let how = format!("{} shows", app.keys().hint(Context::Main, Action::Fold));
    let room = right.saturating_sub(left);
    let kinds: Vec<&(&str, u64)> = kinds.iter().filter(|(_, count)| *count > 0).collect();
    let spans_of = |kinds: &[&(&str, u64)]| {
        let begun = format!("{}{} folded", paint.glyphs.folded, fmt::thousands(total(app)));
        let mut spans = vec![(begun, muted)];
        let mut between = ": ";
        for (name, count) in kinds {
            // Evidence that was lost is told as everywhere.
            let style = if *name == "SKIPDATA" { paint.theme.bold(Token::Gap) } else { muted };
            spans.push((between.to_owned(), muted));
            spans.push((format!("{} {name}", fmt::thousands(*count)), style));
            between = ", ";
        }
        spans
    };
    let wide = |spans: &[(String, Style)]| spans.iter().map(|(text, _)| fmt::width(text)).sum::<u16>();
    // How to see them is always told; where room is short, of the kinds those of the log itself come last in the list and stay longest.
    let spans = (0..kinds.len())
        .map(|from| spans_of(&kinds[from..]))
        .find(|spans| wide(spans) + fmt::width(&how) + 2 <= room)
        .unwrap_or_else(|| spans_of(&[]));
    let used = paint.spans(left, area.y, room, &spans);
    if used + fmt::width(&how) + 2 <= room {
        paint.text_right(right, area.y, fmt::width(&how), &how, muted);
    }
    viewport.hits.push((super::area(area), Target::Folded));
}
