//! A list to choose from, over the lower part of the table.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::fmt;
use super::paint::Paint;
use super::sidebar::wrap;
use super::theme::Token;
use crate::app::menu::{Item, Kind, Menu};
use crate::app::{App, Target, Viewport};
use crate::engine::view::ClauseCount;

/// Cells of a line whose note stands at its right, unless its text is longer.
const WIDEST: u16 = 110;
/// Cells of a count in the explanation.
const COUNT: u16 = 13;

/// Draws over `screen`, as wide as the table.
pub(super) fn draw(app: &App, menu: &Menu, paint: &mut Paint<'_>, screen: Rect, width: u16, viewport: &mut Viewport) {
    // The line of hints stays, and so does the header.
    let bottom = screen.bottom() - u16::from(screen.height > 6);
    if width < 4 || bottom.saturating_sub(screen.y) < 2 {
        return;
    }
    let items: Vec<&Item> = menu.shown().collect();
    let lines: Vec<String> = match menu.kind {
        Kind::Text => {
            items.iter().flat_map(|item| wrap(&fmt::clean(&item.text), width.saturating_sub(4).max(8))).collect()
        }
        _ => Vec::new(),
    };
    let count = if menu.kind == Kind::Text { lines.len() } else { items.len().max(1) };
    let heading = u16::from(menu.kind == Kind::Explain);
    let most = (bottom - screen.y).saturating_sub(if screen.height > 16 { 4 } else { 0 });
    let height = u16::try_from(count).unwrap_or(u16::MAX).saturating_add(1 + heading).min(most);
    let area = Rect { x: screen.x, y: bottom - height, width, height };
    paint.clear(area, Token::Surface);
    viewport.hits.push((super::area(area), Target::Menu));
    title(menu, paint, area, viewport);
    let mut body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if heading > 0 && body.height > 1 {
        explained_head(app, paint, body);
        body.y += 1;
        body.height -= 1;
    }
    let room = usize::from(body.height);
    viewport.menu = room;
    if menu.kind == Kind::Text {
        let first = menu.cursor.min(lines.len().saturating_sub(room));
        let style = paint.theme.style(Token::Text);
        for (y, line) in (body.top()..body.bottom()).zip(lines.iter().skip(first)) {
            paint.text(body.x + 2, y, body.width.saturating_sub(3), line, style);
        }
        return;
    }
    if items.is_empty() {
        let style = paint.theme.style(Token::Muted);
        paint.text(body.x + 2, body.y, body.width.saturating_sub(3), "Nothing of that name.", style);
        return;
    }
    let cursor = menu.cursor.min(items.len() - 1);
    let first = (cursor + 1).saturating_sub(room);
    let widest = items.iter().map(|item| fmt::width(&fmt::clean(&item.text))).max().unwrap_or(0);
    for (y, (at, item)) in (body.top()..body.bottom()).zip(items.iter().enumerate().skip(first)) {
        let rect = Rect { y, height: 1, ..body };
        viewport.hits.push((super::area(rect), Target::Item(at)));
        match menu.kind {
            Kind::Explain => clause(app, item, paint, rect),
            _ => line(menu.kind, item, widest, paint, rect),
        }
        if at == cursor {
            let style = paint.theme.selected();
            paint.style(rect, style);
        }
    }
}

fn title(menu: &Menu, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    let bold = paint.theme.bold(Token::Accent);
    let top = Rect { height: 1, ..area };
    if menu.search.is_empty() {
        return paint.rule(top, &menu.title, bold);
    }
    let typed = fmt::clean(menu.search.text()).into_owned();
    paint.rule(top, &format!("search: {typed}"), bold);
    let caret = area.x + 2 + 8 + fmt::width(&typed);
    viewport.caret = Some((caret.min(area.right().saturating_sub(1)), area.y));
}

/// What it is, and beside it what there is to say.
fn line(kind: Kind, item: &Item, widest: u16, paint: &mut Paint<'_>, area: Rect) {
    let text = paint.theme.style(Token::Text);
    let muted = paint.theme.style(Token::Muted);
    // On a wide screen what belongs together stands near each other.
    let at_the_right = matches!(kind, Kind::Mutes | Kind::Trial | Kind::Palette);
    let widest_line = if at_the_right { WIDEST.max(widest.saturating_add(24)) } else { u16::MAX };
    let area = Rect { width: area.width.min(widest_line), ..area };
    let (x, room) = (area.x + 2, area.width.saturating_sub(3));
    if kind == Kind::Filters {
        // The keys stand in front, like those of any list of keys.
        let key = paint.theme.bold(Token::Key);
        paint.text(x, area.y, 3, &item.note, key);
        paint.text(x + 4, area.y, room.saturating_sub(4), &item.text, text);
        return;
    }
    if matches!(kind, Kind::Mutes | Kind::Trial) {
        // A message or a group should be seen whole; what there is to say stands at the right.
        let note = fmt::width(&fmt::clean(&item.note)).min(room / 2);
        paint.text(x, area.y, room.saturating_sub(note + 2), &item.text, text);
        paint.text_right(x + room, area.y, note, &item.note, muted);
        return;
    }
    if kind == Kind::Sums {
        paint.text(x, area.y, room, &item.text, text);
        return;
    }
    if kind == Kind::Palette {
        let keys = fmt::width(&item.note);
        paint.text(x, area.y, room.saturating_sub(keys + 2), &item.text, text);
        let style = paint.theme.bold(Token::Key);
        paint.text_right(area.right().saturating_sub(1), area.y, keys, &item.note, style);
        return;
    }
    // A mark is known by what the row says, an export by its name.
    let most = match kind {
        _ if item.note.is_empty() => room,
        Kind::Marks | Kind::Export => room / 3 * 2,
        _ => room / 2,
    };
    let column = widest.min(most).max(8);
    paint.text(x, area.y, column, &item.text, text);
    paint.text(x + column + 2, area.y, room.saturating_sub(column + 2), &item.note, muted);
}

fn explained_head(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let style = paint.theme.style(Token::Header);
    let progress = app.page().explained.as_ref().map_or(0.0, |explained| explained.progress);
    let looked = if progress < 1.0 { format!("looked at {:.0}%", progress * 100.0) } else { String::new() };
    paint.text(area.x + 2, area.y, area.width.saturating_sub(2 * COUNT + 3), &looked, style);
    paint.text_right(area.right().saturating_sub(1 + COUNT), area.y, COUNT, "rows alone", style);
    paint.text_right(area.right().saturating_sub(1), area.y, COUNT, "with above", style);
}

/// A part of the filter with its counts; where nothing is left, it stands out.
fn clause(app: &App, item: &Item, paint: &mut Paint<'_>, area: Rect) {
    let counted = counted(app, &item.text);
    let empties = counted.is_some_and(|count| count.running == 0)
        && app.page().explained.as_ref().is_some_and(|e| e.progress >= 1.0);
    let token = if empties { Token::Warning } else { Token::Text };
    let style = paint.theme.style(token);
    paint.text(area.x + 2, area.y, area.width.saturating_sub(2 * COUNT + 3), &item.text, style);
    let Some(counted) = counted else { return };
    let bold = |style: Style, none: bool| if none { style.add_modifier(Modifier::BOLD) } else { style };
    for (right, number) in
        [(area.right().saturating_sub(1 + COUNT), counted.alone), (area.right().saturating_sub(1), counted.running)]
    {
        paint.text_right(right, area.y, COUNT, &fmt::thousands(number), bold(style, number == 0));
    }
}

fn counted<'a>(app: &'a App, text: &str) -> Option<&'a ClauseCount> {
    app.page().explained.as_ref()?.clauses.iter().find(|clause| clause.text == text)
}
