//! Draws a page and the app state. Decides nothing: what is shown where follows from the size of the screen and the state alone.
//!
//! [`draw`] writes straight into a buffer and tells what it put where ([`Viewport`]), which the app needs for the mouse and for the number of
//! rows to ask for.

mod bar;
mod cell;
mod detail;
mod draft;
mod empty;
pub mod fmt;
mod fold;
pub mod glyphs;
mod header;
mod help;
mod layout;
mod lens;
mod menu;
mod paint;
mod prompts;
mod report;
mod sidebar;
mod strip;
mod table;
pub mod theme;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::grab::Border;
use crate::app::menu::Kind;
use crate::app::{App, Area, Mode, Target, Viewport};
use crate::engine::view::Tab;
use glyphs::Glyphs;
use paint::Paint;
use theme::{Theme, Token};

/// How to draw: the theme and the signs.
#[derive(Clone, Debug)]
pub struct Look {
    /// Colours by meaning.
    pub theme: Theme,
    /// Signs that the terminal has.
    pub glyphs: &'static Glyphs,
}

/// Draws the screen into `buffer` and tells what is where. Any size will do, none included.
pub fn draw(app: &App, look: &Look, buffer: &mut Buffer) -> Viewport {
    let area = buffer.area;
    let mut viewport = Viewport { width: area.width, ..Viewport::default() };
    buffer.set_style(area, look.theme.style(Token::Text).patch(look.theme.ground(Token::Background)));
    if area.width == 0 || area.height == 0 {
        return viewport;
    }
    let mut paint = Paint::new(buffer, look);
    let panes = layout::panes(app, area);
    header::draw(app, &mut paint, panes.header, panes.trouble.height > 0, &mut viewport);
    strip::draw(app, &mut paint, panes.strip, &mut viewport);
    header::draw_trouble(app, &mut paint, panes.trouble);
    bar::draw(app, &mut paint, panes.bar, &mut viewport);
    if app.view().lens.is_some() {
        lens::draw(app, &mut paint, panes.table, &mut viewport);
    } else {
        table::draw(app, &mut paint, panes.table, &mut viewport);
    }
    if panes.detail.height > 0 {
        detail::draw(app, &mut paint, panes.detail, &mut viewport);
    }
    sidebar::draw(app, &mut paint, panes.sidebar, panes.sidebar_is_column, &mut viewport);
    borders(app, &mut paint, &panes, &mut viewport);
    bar::hints(app, &mut paint, panes.hints, &mut viewport);
    match app.mode() {
        Mode::Help(state) => help::draw(app, state, &mut paint, area, &mut viewport),
        Mode::Report(state) => report::draw(app, state, &mut paint, area, &mut viewport),
        Mode::Menu(menu) => {
            let wide = matches!(
                menu.kind,
                Kind::Marks | Kind::Export | Kind::Palette | Kind::Search | Kind::Sums | Kind::Columns
            );
            let width = if wide { area.width } else { panes.table.width };
            menu::draw(app, menu, &mut paint, area, width, &mut viewport);
        }
        _ => {}
    }
    viewport
}

/// Where the mouse takes hold of borders; and the scroll bar of the table on the one beside it.
fn borders(app: &App, paint: &mut Paint<'_>, panes: &layout::Panes, viewport: &mut Viewport) {
    let line = |rect: Rect| area(Rect { height: 1, ..rect });
    if panes.detail.height > 0 {
        viewport.hits.push((line(panes.detail), Target::Border(Border::OverDetail)));
    }
    if panes.sidebar.height > 1 && !panes.sidebar_is_column {
        viewport.hits.push((line(panes.sidebar), Target::Border(Border::OverAlerts)));
    }
    if panes.sidebar.width == 0 || !panes.sidebar_is_column {
        return;
    }
    let beside = Rect { width: 1, ..panes.sidebar };
    viewport.hits.push((area(beside), Target::Border(Border::BesideAlerts)));
    let (page, table) = (app.page(), app.view().table());
    let all = if page.tab == Tab::Alerts { page.alerts.len() as u64 } else { page.matched };
    let rows = u16::try_from(viewport.table_rows).unwrap_or(u16::MAX);
    if app.view().lens.is_some() || page.tab != app.view().tab || rows == 0 {
        return;
    }
    let first = table.index.saturating_sub(table.line as u64);
    let bar = Rect { y: panes.table.bottom().saturating_sub(rows), height: rows, ..beside };
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    viewport.scrollbar = paint.scrollbar(bar, count(first), count(all));
}

/// A rectangle as the app knows it.
fn area(rect: Rect) -> Area {
    Area { x: rect.x, y: rect.y, width: rect.width, height: rect.height }
}
