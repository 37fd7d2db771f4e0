//! To the side: the chosen column, and a table that is wider than the screen.

use super::columns::Col;
use super::{App, Focus};

impl App {
    /// The columns of the table, where they can be chosen.
    fn choosable(&self) -> Vec<Col> {
        let idle = self.focus == Focus::Sidebar || self.page.tab != self.view.tab || self.view.lens.is_some();
        if idle { Vec::new() } else { self.columns() }
    }

    /// Chooses a column beside the chosen one: of those that are shown, and past the last of them the one that follows, which scrolls.
    pub(super) fn choose_column(&mut self, by: isize) {
        let all = self.choosable();
        let shown = &self.viewport.columns;
        let now = self.column();
        let scrolled = self.view.table().scroll.first > 0;
        let cols = if scrolled || shown.is_empty() { &all } else { shown };
        let Some(last) = cols.len().checked_sub(1) else { return };
        let at = cols.iter().position(|col| *col == now);
        let to = match at {
            Some(at) if at == last && by > 0 => {
                let place = all.iter().position(|col| *col == now).unwrap_or(all.len());
                all.get(place + 1).copied().unwrap_or(now)
            }
            Some(at) => cols[at.saturating_add_signed(by).min(last)],
            None => cols[0],
        };
        let first = all.first() == Some(&to);
        let table = self.view.table_mut();
        table.column = Some(to);
        table.scroll.reveal = Some(to);
        if first {
            // Back where it begins, what matters most is shown again.
            table.scroll.first = 0;
        }
    }

    /// Scrolls the table by a column.
    pub(super) fn scroll_columns(&mut self, by: isize) {
        let all = self.choosable();
        let (hidden, first) = (self.viewport.hidden, self.view.table().scroll.first);
        let place = |col: &Col| all.iter().position(|known| known == col);
        let last = self.viewport.columns.iter().filter_map(place).max().unwrap_or(0);
        let scroll = &mut self.view.table_mut().scroll;
        match (by > 0, first) {
            (true, _) if hidden.1 > 0 => scroll.reveal = all.get(last + 1).copied(),
            // None is left to the right: those that are left out between are shown from the start.
            (true, 0) if hidden.0 > 0 => scroll.first = 1,
            (false, 1) => scroll.first = 0,
            (false, 2..) => scroll.reveal = all.get(first - 1).copied(),
            _ => {}
        }
    }
}
