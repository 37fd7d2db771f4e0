//! The cursor: an identity, never a position. This file moves it, keeps it on the screen, and finds it again in the next page.

use std::sync::Arc;

use super::{App, Focus, Pin, Tone};
use crate::engine::view::{Anchor, Column, Page, PageRow, RowId, Tab};
use crate::record::{Cell, Field};

/// The rows of the page that are on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Index in the page of the first row shown.
    pub start: usize,
    /// Index in the page of the row under the cursor.
    pub cursor: Option<usize>,
}

/// A move of the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The cursor moves over the screen.
    Cursor(isize),
    /// The rows move under the cursor.
    Rows(isize),
}

impl App {
    /// How many rows the page holds.
    pub fn row_count(&self) -> usize {
        match self.page.tab {
            Tab::Alerts => self.page.alerts.len(),
            Tab::Flows | Tab::Sessions => self.page.rows.len(),
        }
    }

    /// Identity of a row of the page.
    pub fn row_id(&self, index: usize) -> Option<RowId> {
        row_id(&self.page, index)
    }

    /// Which rows of the page are on a screen of `height` rows.
    pub fn window(&self, height: usize) -> Window {
        let rows = self.row_count();
        let last_start = rows.saturating_sub(height);
        if self.page.tab != self.view.tab {
            return Window::default();
        }
        let table = self.view.table();
        let cursor = table.cursor.and_then(|id| position(&self.page, id));
        let line = table.line.min(height.saturating_sub(1));
        let start = match (table.pin, cursor) {
            (Pin::Bottom, _) => last_start,
            (Pin::Free, Some(at)) => at.saturating_sub(line).min(last_start),
            (Pin::Top, _) | (Pin::Free, None) => 0,
        };
        Window { start, cursor }
    }

    /// Least and greatest end of the rows that are on the screen, Unix seconds.
    pub fn visible_time(&self) -> Option<(i64, i64)> {
        if self.view.lens.is_some() || self.page.tab != self.view.tab {
            return None;
        }
        let height = self.viewport.table_rows.max(1);
        let start = self.window(height).start;
        let end = self.page.columns.iter().position(|column| *column == Column::Field(Field::End));
        let time = |row: &PageRow| match (row.id, end.and_then(|at| row.cells.get(at))) {
            (RowId::Flow { time, .. }, _) => i64::try_from(time).ok(),
            (_, Some(Cell::Int(time))) => i64::try_from(*time).ok(),
            _ => None,
        };
        let times = self.page.rows.iter().skip(start).take(height).filter_map(time);
        times.fold(None, |span, time| match span {
            None => Some((time, time)),
            Some((first, last)) => Some((time.min(first), time.max(last))),
        })
    }

    /// Takes an answer of the engine.
    pub fn receive(&mut self, page: Arc<Page>) {
        let before = std::mem::replace(&mut self.page, page);
        self.keep_report_place(self.page.status.unparsed.saturating_sub(before.status.unparsed));
        let seen = self.opening.map(|_| self.now_seen());
        self.open_when_known();
        if let Some(seen) = seen {
            self.note_change(seen);
        }
        self.show_trial();
        self.take_copies();
        if self.page.tab == self.view.tab {
            self.find_cursor(&before);
        }
    }

    fn find_cursor(&mut self, before: &Page) {
        let rows = self.row_count();
        let height = self.viewport.table_rows.max(1);
        let current = self.is_current();
        let page = Arc::clone(&self.page);
        let table = self.view.table_mut();
        let first = if page.tab == Tab::Alerts { 0 } else { page.first_index };
        if rows == 0 {
            if current && page.progress >= 1.0 {
                table.cursor = None;
            }
            return;
        }
        let at = table.cursor.and_then(|id| position(&page, id));
        let by_time = page.tab != Tab::Alerts && table.sort.field == Field::End && table.group_by.is_empty();
        match table.pin {
            // Following, the cursor is the newest row; in another order it stays with its row while that is on the screen.
            Pin::Top => {
                let keep = at.filter(|at| !by_time && *at < height).unwrap_or(0);
                (table.cursor, table.line, table.index) = (row_id(&page, keep), keep, first + keep as u64);
            }
            Pin::Bottom => {
                let low = rows.saturating_sub(height);
                let keep = at.filter(|at| !by_time && *at >= low).unwrap_or(rows - 1);
                (table.cursor, table.line, table.index) = (row_id(&page, keep), keep - low, first + keep as u64);
            }
            Pin::Free => match (table.cursor, at) {
                (Some(id), Some(at)) => {
                    let index = first + at as u64;
                    let same_question = before.serial == page.serial && position(before, id).is_some();
                    if by_time && same_question && index > table.index {
                        table.fresh += index - table.index;
                    }
                    table.index = index;
                    self.ask_further(at);
                }
                (Some(id), None) if table.anchor != Anchor::Row(id) => table.anchor = Anchor::Row(id),
                (Some(id), None) if current => {
                    let near = nearest(&page, id, table.index.saturating_sub(first), by_time);
                    (table.cursor, table.index) = (row_id(&page, near), first + near as u64);
                    if before.serial == page.serial {
                        self.say(Tone::Quiet, "The row under the cursor is no longer held; this is the nearest one.");
                    }
                }
                (Some(_), None) => {}
                (None, _) => {
                    let at = if table.anchor == Anchor::Bottom { rows - 1 } else { 0 };
                    (table.cursor, table.index) = (row_id(&page, at), first + at as u64);
                    table.line = at.min(height - 1);
                }
            },
        }
    }

    /// Asks for rows around the cursor when it nears an end of the page that is not an end of the order.
    fn ask_further(&mut self, at: usize) {
        let rows = self.row_count();
        let height = self.viewport.table_rows.max(1);
        if self.page.tab == Tab::Alerts {
            return;
        }
        let above = self.page.first_index > 0 && at < height;
        let below = self.page.first_index + (rows as u64) < self.page.matched && rows - at <= height;
        let table = self.view.table_mut();
        if let (true, Some(id)) = (above || below, table.cursor)
            && table.pin == Pin::Free
        {
            table.anchor = Anchor::Row(id);
        }
    }

    /// Moves the cursor.
    pub(super) fn step(&mut self, step: Step) {
        if self.focus == Focus::Sidebar {
            let (Step::Cursor(by) | Step::Rows(by)) = step;
            return self.step_alert(by);
        }
        let rows = self.row_count();
        let height = self.viewport.table_rows.max(1);
        if self.page.tab != self.view.tab || rows == 0 {
            return;
        }
        let window = self.window(height);
        let at = window.cursor.unwrap_or(window.start);
        let (Step::Cursor(by) | Step::Rows(by)) = step;
        let target = at.saturating_add_signed(by).min(rows - 1);
        let first = if self.page.tab == Tab::Alerts { 0 } else { self.page.first_index };
        if by < 0 && at == 0 && first == 0 {
            return self.go_top();
        }
        if target == at && self.view.table().pin == Pin::Bottom {
            return;
        }
        let line = at - window.start.min(at);
        let line = match step {
            Step::Cursor(_) => line.saturating_add_signed(target.cast_signed() - at.cast_signed()).min(height - 1),
            // Where the rows cannot move further, the cursor does.
            Step::Rows(_) => line,
        };
        let start = target.saturating_sub(line).min(rows.saturating_sub(height));
        let id = row_id(&self.page, target);
        let table = self.view.table_mut();
        if target != at {
            table.release();
        }
        (table.cursor, table.index, table.line) = (id, first + target as u64, target - start);
        if self.view.table().anchor == Anchor::Top && self.view.table().pin == Pin::Free {
            self.view.table_mut().anchor = id.map_or(Anchor::Top, Anchor::Row);
        }
        self.detail_scroll = 0;
        self.ask_further(target);
    }

    /// To the first row; on the newest first, that is to follow.
    pub(super) fn go_top(&mut self) {
        if self.focus == Focus::Sidebar {
            self.alert = self.page.alerts.first().map(|alert| alert.id);
            return;
        }
        let first = (self.page.tab == self.view.tab && self.page.first_index == 0).then(|| self.row_id(0)).flatten();
        let table = self.view.table_mut();
        table.reset();
        table.cursor = first;
        self.detail_scroll = 0;
    }

    /// To the last row.
    pub(super) fn go_bottom(&mut self) {
        if self.focus == Focus::Sidebar {
            self.alert = self.page.alerts.last().map(|alert| alert.id);
            return;
        }
        let rows = self.row_count();
        let height = self.viewport.table_rows.max(1);
        let whole = self.page.tab == Tab::Alerts || self.page.first_index + rows as u64 >= self.page.matched;
        let last = (self.page.tab == self.view.tab && whole).then(|| self.row_id(rows.saturating_sub(1))).flatten();
        let index = self.page.matched.saturating_sub(1);
        let table = self.view.table_mut();
        table.reset();
        table.pin = Pin::Bottom;
        (table.cursor, table.index, table.line) = (last, index, rows.min(height).saturating_sub(1));
        self.detail_scroll = 0;
    }

    /// Puts the cursor on a row that is on the screen.
    pub(super) fn pick(&mut self, id: RowId) {
        let height = self.viewport.table_rows.max(1);
        let window = self.window(height);
        let Some(at) = position(&self.page, id).filter(|_| self.page.tab == self.view.tab) else { return };
        self.focus = Focus::Table;
        let by = at.cast_signed() - window.cursor.unwrap_or(window.start).cast_signed();
        if by != 0 {
            self.step(Step::Cursor(by));
        }
    }

    fn step_alert(&mut self, by: isize) {
        let alerts = &self.page.alerts;
        let at = alerts.iter().position(|alert| Some(alert.id) == self.alert).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(alerts.len().saturating_sub(1));
        self.alert = alerts.get(to).map(|alert| alert.id);
        self.detail_scroll = 0;
    }
}

fn row_id(page: &Page, index: usize) -> Option<RowId> {
    match page.tab {
        Tab::Alerts => page.alerts.get(index).map(|alert| RowId::Alert(alert.id)),
        Tab::Flows | Tab::Sessions => page.rows.get(index).map(|row| row.id),
    }
}

fn position(page: &Page, id: RowId) -> Option<usize> {
    match (page.tab, id) {
        (Tab::Alerts, RowId::Alert(id)) => page.alerts.iter().position(|alert| alert.id == id),
        (Tab::Alerts, _) => None,
        _ => page.rows.iter().position(|row| row.id == id),
    }
}

/// The row to take for one that is gone: by time the next older one, in another order the one that has its place now.
fn nearest(page: &Page, gone: RowId, place: u64, by_time: bool) -> usize {
    let rows = match page.tab {
        Tab::Alerts => page.alerts.len(),
        Tab::Flows | Tab::Sessions => page.rows.len(),
    };
    let last = rows.saturating_sub(1);
    if by_time && page.tab == Tab::Flows {
        let newest_first = page.rows.first().map(|row| row.id) >= page.rows.last().map(|row| row.id);
        return if newest_first {
            page.rows.iter().position(|row| row.id <= gone).unwrap_or(last)
        } else {
            page.rows.iter().rposition(|row| row.id <= gone).unwrap_or(0)
        };
    }
    usize::try_from(place).unwrap_or(last).min(last)
}
