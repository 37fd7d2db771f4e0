//! The table: only the rows on the screen are looked at, and they are written straight into the buffer, so a frame costs the same whatever is held.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::cell::{self, Spelling};
use super::fmt;
use super::fold;
use super::paint::Paint;
use super::theme::Token;
use crate::app::choose::When;
use crate::app::columns::{self, Align, Col, Placed, Room};
use crate::app::{Action, App, Focus, Target, Viewport};
use crate::detect::Level;
use crate::engine::view::{Column, FirstSeen, Page, Sort, Tab};
use crate::record::{Cell, Field, Kind};

/// Cells at the left edge for the mark of an alert.
pub(super) const MARK: u16 = 2;

pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    if area.height == 0 || area.width == 0 {
        return;
    }
    let page = app.page();
    // Below the header the line that counts what is folded, then the rows.
    let top = area.y + 1 + fold::lines(app, area.height);
    let rows = area.bottom().saturating_sub(top);
    viewport.table_rows = usize::from(rows);
    viewport.hits.push((super::area(area), Target::Table));
    let ours = page.tab == app.view().tab;
    let cols = app.columns();
    let window = app.window(usize::from(rows));
    let shown = app.row_count().saturating_sub(window.start).min(usize::from(rows));
    let times = Spelling {
        dated: is_dated(page, window.start, shown),
        when: app.when(),
        now: page.status.event_time.unwrap_or(app.source_now() / 1000),
        names: Some(app.known()),
        zone: app.zone(),
        cells: u16::MAX,
    };
    let sort = app.view().table().sort;
    let sorted = (sort != Sort::default()).then_some(Col::Field(sort.field));
    let scroll = app.view().table().scroll;
    // A column that is gone to is scrolled to where it is not among those that matter most.
    let chosen = app.view().table().column.filter(|_| scroll.reveal.is_none());
    let keep: Vec<Col> = chosen.into_iter().chain(sorted).filter(|col| cols.contains(col)).collect();
    let wanted = |index: usize, col: Col| {
        let text = |row: usize| fmt::width(&fmt::clean(&cell_text(page, row, index, col, times)));
        (window.start..window.start + shown).map(text).max().unwrap_or(0)
    };
    let width = area.width.saturating_sub(MARK);
    let fitted = columns::fit(&cols, Room { tab: page.tab, width, keep: &keep, scroll, times: times.times() }, wanted);
    viewport.first_column = fitted.first;
    viewport.hidden = (fitted.before, fitted.after);
    let placed = fitted.placed;
    viewport.columns = placed.iter().map(|placed| placed.col).collect();
    head(app, paint, area, &placed, viewport);
    if top > area.y + 1 {
        fold::draw(app, paint, Rect::new(area.x, area.y + 1, area.width, 1), viewport);
    }
    if !ours || shown == 0 {
        return super::empty::draw(app, paint, area);
    }
    for line in 0..shown {
        let Ok(offset) = u16::try_from(line) else { break };
        let y = top + offset;
        let row = window.start + line;
        let rect = Rect::new(area.x, y, area.width, 1);
        let selected = window.cursor == Some(row);
        if let Some(id) = app.row_id(row) {
            viewport.hits.push((super::area(rect), Target::Row(id)));
            if app.is_marked(id) {
                let style = paint.theme.bold(Token::Accent);
                paint.text(area.x + 1, y, 1, paint.glyphs.marked, style);
            }
        }
        mark(page, row, paint, area.x, y);
        match log_status(page, row) {
            Some(status) => draw_status(page, row, status, &placed, paint, (area, y), times),
            None => placed.iter().for_each(|place| draw_cell(page, row, place, paint, (area.x + MARK, y), times)),
        }
        if selected {
            let style = paint.theme.selected();
            // Where another pane has the keys the cursor is still seen, only fainter.
            let faint = app.focus() == Focus::Sidebar;
            paint.style(rect, if faint { style.add_modifier(Modifier::DIM) } else { style });
        }
    }
}

fn head(app: &App, paint: &mut Paint<'_>, area: Rect, placed: &[Placed], viewport: &mut Viewport) {
    let header = Rect::new(area.x, area.y, area.width, 1);
    paint.style(header, paint.theme.ground(Token::Surface));
    let table = app.view().table();
    let grouped = app.page().columns.iter().any(|column| matches!(column, Column::Group(_)));
    for place in placed {
        let def = columns::def(place.col);
        let x = area.x + MARK + place.x + place.lead;
        let is_sorted = app.page().tab != Tab::Alerts && columns::sort_field(place.col) == Some(table.sort.field);
        let arrow = if table.sort.descending { paint.glyphs.descending } else { paint.glyphs.ascending };
        let name = columns::title(place.col, grouped);
        let name = match place.col {
            Col::Field(Field::End) if app.when() == When::Ago => "ago",
            Col::Field(Field::End) if app.when() == When::Local => "local",
            _ => name,
        };
        let title = match (is_sorted, def.align) {
            (false, _) => name.to_owned(),
            (true, Align::Left) => format!("{name}{arrow}"),
            (true, Align::Right) => format!("{arrow}{name}"),
        };
        let mut style = if is_sorted { paint.theme.bold(Token::Accent) } else { paint.theme.style(Token::Header) };
        if table.column == Some(place.col) {
            style = style.add_modifier(Modifier::UNDERLINED | Modifier::BOLD);
        }
        // A title may use the empty cell beside its column.
        let width = place.width + u16::from(is_sorted);
        match def.align {
            Align::Left => paint.text(x, area.y, width, &title, style),
            Align::Right => paint.text_right(x + place.width, area.y, width, &title, style),
        };
        let hit = Rect::new(x, area.y, place.width + 1, 1);
        viewport.hits.push((super::area(hit), Target::Header(place.col)));
    }
    sides(paint, header, viewport);
}

/// Over the marks of the rows: where there are columns that are not shown, with what a click on the sign does.
fn sides(paint: &mut Paint<'_>, header: Rect, viewport: &mut Viewport) {
    let (before, after) = viewport.hidden;
    let left = viewport.first_column > 1;
    let signs = [
        (0, left || (viewport.first_column > 0 && before > 0), paint.glyphs.left, Action::ScrollLeft),
        (1, after > 0 || (viewport.first_column == 0 && before > 0), paint.glyphs.right, Action::ScrollRight),
    ];
    for (x, shown, sign, action) in signs {
        if shown {
            let style = paint.theme.bold(Token::Key);
            paint.text(header.x + x, header.y, 1, sign, style);
            viewport.hits.push((super::area(Rect::new(header.x + x, header.y, 1, 1)), Target::Hint(action)));
        }
    }
}

/// What a record says that has no traffic to report.
fn log_status(page: &Page, row: usize) -> Option<&str> {
    let at = page.columns.iter().position(|column| *column == Column::Field(Field::LogStatus))?;
    match page.rows.get(row)?.cells.get(at)? {
        Cell::Text(word) if &**word != "OK" => Some(word),
        _ => None,
    }
}

/// A record without traffic: in the place of addresses it says what it means.
fn draw_status(
    page: &Page,
    row: usize,
    status: &str,
    placed: &[Placed],
    paint: &mut Paint<'_>,
    (area, y): (Rect, u16),
    times: Spelling<'_>,
) {
    let left = area.x + MARK;
    let is_address = |col| {
        matches!(col, Col::Field(field) if matches!(field.kind(), Kind::Addr | Kind::Port | Kind::Protocol | Kind::Count)
            || matches!(field, Field::Service | Field::Action | Field::TcpFlags | Field::LogStatus))
    };
    placed.iter().filter(|place| !is_address(place.col)).for_each(|place| {
        draw_cell(page, row, place, paint, (left, y), times);
    });
    let Some(first) = placed.iter().find(|place| is_address(place.col)) else { return };
    let end = placed
        .iter()
        .find(|place| place.x > first.x && !is_address(place.col))
        .map_or(area.right(), |place| left + place.x);
    let interface = page.columns.iter().position(|column| *column == Column::Field(Field::InterfaceId));
    let interface = match interface.and_then(|at| page.rows.get(row)?.cells.get(at)) {
        Some(Cell::Text(name)) => name,
        _ => "this interface",
    };
    let (text, style) = match status {
        "NODATA" => (format!("NODATA: no traffic on {interface}"), paint.theme.style(Token::Muted)),
        "SKIPDATA" => (format!("SKIPDATA: records lost on {interface}"), paint.theme.bold(Token::Gap)),
        other => (other.to_owned(), paint.theme.style(Token::Muted)),
    };
    paint.text(left + first.x, y, end.saturating_sub(left + first.x + 1), &text, style);
}

/// The worst alert that the row is evidence of, as a letter in its colour.
fn mark(page: &Page, row: usize, paint: &mut Paint<'_>, x: u16, y: u16) {
    let level = match page.tab {
        Tab::Alerts => page.alerts.get(row).map(|alert| alert.level),
        Tab::Flows | Tab::Sessions => page.rows.get(row).and_then(|row| row.mark),
    };
    if let Some(level) = level {
        let style = paint.theme.bold(Token::level(level));
        paint.text(x, y, 1, level_letter(level), style);
    }
}

/// A level by letter.
pub(super) fn level_letter(level: Level) -> &'static str {
    match level {
        Level::Informational => "i",
        Level::Low => "L",
        Level::Medium => "M",
        Level::High => "H",
        Level::Critical => "C",
    }
}

fn cell_text(page: &Page, row: usize, index: usize, col: Col, times: Spelling<'_>) -> String {
    match col {
        Col::Alert(column) => {
            page.alerts.get(row).map(|alert| cell::alert_text(column, alert, times)).unwrap_or_default()
        }
        _ => page
            .rows
            .get(row)
            .and_then(|row| row.cells.get(index))
            .map(|value| cell::text(col, value, times))
            .unwrap_or_default(),
    }
}

fn draw_cell(
    page: &Page,
    row: usize,
    place: &Placed,
    paint: &mut Paint<'_>,
    (left, y): (u16, u16),
    times: Spelling<'_>,
) {
    let def = columns::def(place.col);
    let x = left + place.x + place.lead;
    let times = times.within(place.width);
    let text = cell_text(page, row, place.index, place.col, times);
    let style = match (place.col, page.rows.get(row).and_then(|row| row.cells.get(place.index))) {
        (Col::Alert(column), _) => match page.alerts.get(row) {
            Some(alert) => cell::alert_style(paint.theme, column, alert),
            None => return,
        },
        (col, Some(value)) => cell::style(paint.theme, col, value),
        (_, None) => return,
    };
    if place.lead > 0 {
        let doubt = if is_guessed(page, row) { "?" } else { "" };
        // The column of the action has no room on a narrow screen, and this is what people look for.
        let (sign, style) = match word(page, row, Field::Action) {
            Some("MIXED") => (paint.glyphs.mixed, paint.theme.bold(Token::Warning)),
            Some("REJECT") => (paint.glyphs.refused, paint.theme.bold(Token::Reject)),
            // With room for one sign only, a doubt says more than the arrow.
            _ if place.lead == 1 && !doubt.is_empty() => ("", paint.theme.style(Token::Muted)),
            _ => (paint.glyphs.arrow, paint.theme.style(Token::Muted)),
        };
        let arrow: String = format!("{sign}{doubt}").chars().take(usize::from(place.lead)).collect();
        paint.text(left + place.x, y, place.lead, &arrow, style);
    }
    if page.rows.get(row).is_some_and(|row| is_new(row.new, place.col)) {
        // The cell beside a column is empty.
        let style = paint.theme.bold(Token::Warning);
        let used = match def.align {
            Align::Right => place.width,
            Align::Left => fmt::width(&fmt::clean(&text)).min(place.width),
        };
        paint.text(x + used, y, 1, paint.glyphs.first_seen, style);
    }
    match def.align {
        Align::Right => {
            paint.text_right(x + place.width, y, place.width, &text, style);
        }
        // Both ends of an identifier tell more than its beginning.
        Align::Left if matches!(place.col, Col::Field(field) if matches!(field.kind(), Kind::Addr) || field == Field::InterfaceId) =>
        {
            let clean = fmt::clean(&text);
            // A name follows; what it is a name of is seen as a whole where there is room for that.
            let cut = match clean.split_once(' ') {
                Some((id, _)) if fmt::width(id) <= place.width => fmt::cut(&clean, place.width, paint.glyphs.ellipsis),
                _ => fmt::cut_middle(&clean, place.width, paint.glyphs.ellipsis),
            };
            paint.text(x, y, place.width, &cut, style);
        }
        Align::Left => {
            paint.text(x, y, place.width, &text, style);
        }
    }
}

/// Whether the value of a column is seen for the first time.
fn is_new(new: FirstSeen, col: Col) -> bool {
    match col {
        Col::Field(Field::SrcAddr | Field::Client) => new.src,
        Col::Field(Field::DstAddr | Field::Server) => new.dst,
        Col::Field(Field::SrcPort) => new.src_port,
        Col::Field(Field::DstPort | Field::ServerPort) => new.dst_port,
        Col::Field(Field::InterfaceId) => new.interface,
        _ => false,
    }
}

/// The word that a row has in a field.
fn word(page: &Page, row: usize, field: Field) -> Option<&str> {
    let index = page.columns.iter().position(|column| *column == Column::Field(field))?;
    match page.rows.get(row)?.cells.get(index)? {
        Cell::Text(word) => Some(word),
        _ => None,
    }
}

/// Whether who began is a guess in this session.
fn is_guessed(page: &Page, row: usize) -> bool {
    word(page, row, Field::OrientedBy).is_some_and(cell::is_guess)
}

/// Whether the rows shown are of different days, so that times need their day.
fn is_dated(page: &Page, start: usize, shown: usize) -> bool {
    let mut days = (start..start + shown).filter_map(|row| match page.tab {
        Tab::Alerts => page.alerts.get(row).map(|alert| alert.last.div_euclid(86_400)),
        Tab::Flows | Tab::Sessions => {
            page.rows.get(row)?.cells.iter().zip(&page.columns).find_map(|(cell, column)| match (cell, column) {
                (Cell::Int(time), Column::Field(Field::End)) => i64::try_from(time / 86_400).ok(),
                _ => None,
            })
        }
    });
    let Some(first) = days.next() else { return false };
    days.any(|day| day != first)
}
