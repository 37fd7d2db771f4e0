//! Where each pane goes. What matters least goes first when room is short: the strip, then the second header line, then the hints.

use ratatui::layout::Rect;

use crate::app::{App, Focus, Mode};
use crate::engine::view::Tab;

/// From this width on the alerts have a column of their own.
const SIDEBAR_FROM: u16 = 110;

/// The panes; those without room have no height or no width.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Panes {
    pub(super) header: Rect,
    pub(super) strip: Rect,
    /// What the source waits for, where the second line of the header is too short for it: over the top of the strip, so that nothing moves, or in lines of its own.
    pub(super) trouble: Rect,
    /// Tabs, and the filter with what there is to say about it.
    pub(super) bar: Rect,
    pub(super) table: Rect,
    pub(super) detail: Rect,
    pub(super) sidebar: Rect,
    pub(super) sidebar_is_column: bool,
    pub(super) hints: Rect,
}

/// Lays out a screen of `area`.
pub(super) fn panes(app: &App, area: Rect) -> Panes {
    let (width, height) = (area.width, area.height);
    let mut panes = Panes::default();
    let detail = app.shows_detail();
    let shares = app.shares();
    let steps = |wanted: u16, steps: i8, of: u16| {
        wanted.saturating_add_signed(i16::from(steps) * i16::try_from(of).unwrap_or(1))
    };
    let mut top = area.y;
    let mut bottom = area.bottom();
    let take_top = |lines: u16, top: &mut u16, bottom: u16| {
        let lines = lines.min(bottom - *top);
        let rect = Rect::new(area.x, *top, width, lines);
        *top += lines;
        rect
    };
    panes.header = take_top(if height >= 12 { 2 } else { 1 }, &mut top, bottom);
    panes.strip = take_top(
        match height {
            // Who chooses a range must see it.
            8..30 if matches!(app.mode(), Mode::Timeline(_)) => 3,
            _ if (shares.no_strip || shares.zoomed) && !matches!(app.mode(), Mode::Timeline(_)) => 0,
            0..16 => 0,
            // The detail needs the lines more.
            16..30 if app.view().detail && detail => 0,
            16..30 => 3,
            30..48 => 4,
            _ => 6,
        },
        &mut top,
        bottom,
    );
    let trouble = super::header::trouble_lines(app, width, height);
    panes.trouble = if panes.strip.height > 0 {
        Rect { height: trouble.min(panes.strip.height), ..panes.strip }
    } else {
        take_top(trouble, &mut top, bottom)
    };
    let typing = matches!(app.mode(), Mode::Filter(_) | Mode::Group(_) | Mode::Change(_) | Mode::Ask(_));
    let bar = match (height, typing) {
        (0..6, false) => u16::from(app.notice().is_some()),
        (0..8, _) => 1,
        // The way here has a line of its own, unless the detail needs it more.
        (16..30, false) if app.view().detail => 2,
        (16.., false) if app.shows_way() => 3,
        (_, false) => 2,
        // What is wrong with the text stands under it, in two lines where one is short.
        (20.., true) if width < 110 && matches!(app.mode(), Mode::Filter(_)) => 4,
        (_, true) => 3,
    };
    // What there is to say to the user is said in full.
    let bar = match app.notice() {
        Some(notice) if !typing && height >= 12 => {
            bar.max(1 + u16::try_from(super::bar::notice(notice, width).len()).map_or(3, |lines| lines.min(3)))
        }
        _ => bar,
    };
    let bar = if app.change().is_some() && height >= 14 { bar + 1 } else { bar };
    panes.bar = take_top(bar, &mut top, bottom);
    if height >= 7 {
        bottom -= 1;
        panes.hints = Rect::new(area.x, bottom, width, 1);
    }
    let alerts = u16::try_from(app.page().alerts.len()).unwrap_or(u16::MAX);
    let mut table_width = width;
    let no_alerts = (shares.no_alerts || shares.zoomed) && app.focus() != Focus::Sidebar;
    if app.view().tab == Tab::Alerts || app.view().lens.is_some() || no_alerts {
        // The table has them all; the view of an address or interface has those about it.
    } else if width >= SIDEBAR_FROM {
        panes.sidebar_is_column = true;
        let side = steps((width / 4).clamp(34, 56), shares.alerts, 4).clamp(20, width / 2);
        panes.sidebar = Rect::new(area.right() - side, top, side, bottom - top);
        // Numbers at the right edge do not touch the line.
        table_width = width - side - 1;
    } else if alerts > 0 && height >= 9 {
        // Narrow: a short list, never nothing while there are alerts.
        let lines = match height {
            0..20 => 1,
            20..32 => 3,
            _ => 5,
        };
        let lines = steps(lines, shares.alerts, 1).clamp(1, (height / 2).max(1)).min(alerts + 1);
        bottom -= lines;
        panes.sidebar = Rect::new(area.x, bottom, width, lines);
    }
    let body = bottom - top;
    // The table keeps the lines its rows need, half of the room at most; what is left explains the row.
    let rows =
        u16::try_from(app.row_count()).unwrap_or(u16::MAX).saturating_add(2 + super::fold::lines(app, body)).max(4);
    let wanted = if detail && body >= 8 {
        let usual = body - rows.min((body * 2 / 5).max(4));
        steps(usual, shares.detail, 2).clamp(3, body - 4)
    } else {
        0
    };
    panes.table = Rect::new(area.x, top, table_width, body - wanted);
    panes.detail = Rect::new(area.x, top + body - wanted, table_width, wanted);
    panes
}
