//! Borders that the mouse moves: between the table and the alerts, and over the detail. What was only clicked and not moved is the scroll bar of the
//! table, which stands on the border beside it.

use super::App;
use super::choose::STEPS;
use super::cursor::Step;

/// A border between two panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// At the left of the alerts.
    BesideAlerts,
    /// Over the alerts, where they stand below the table.
    OverAlerts,
    /// Over the detail.
    OverDetail,
}

impl Border {
    /// Cells that one step of the pane's size is.
    fn step(self) -> i32 {
        match self {
            Border::BesideAlerts => 4,
            Border::OverAlerts => 1,
            Border::OverDetail => 2,
        }
    }
}

/// A border that the mouse holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grab {
    border: Border,
    /// Where it was taken.
    from: (u16, u16),
    /// Steps of the pane then.
    steps: i8,
    moved: bool,
}

impl App {
    pub(super) fn grab(&mut self, border: Border, x: u16, y: u16) {
        let shares = self.shares();
        let steps = if border == Border::OverDetail { shares.detail } else { shares.alerts };
        self.grab = Some(Grab { border, from: (x, y), steps, moved: false });
    }

    /// The mouse moved to a cell while it holds a border. False where it holds none.
    pub(super) fn drag_border(&mut self, x: u16, y: u16) -> bool {
        let Some(grab) = &mut self.grab else { return false };
        let (from, to) = if grab.border == Border::BesideAlerts { (grab.from.0, x) } else { (grab.from.1, y) };
        let cells = i32::from(from) - i32::from(to);
        grab.moved |= cells != 0;
        // Half of a step is as near to the next one.
        let step = grab.border.step();
        let by = (cells + cells.signum() * step / 2) / step;
        let steps = i8::try_from((i32::from(grab.steps) + by).clamp(-i32::from(STEPS), i32::from(STEPS)));
        let shares = &mut self.arranged.shares;
        let share = if grab.border == Border::OverDetail { &mut shares.detail } else { &mut shares.alerts };
        *share = steps.unwrap_or(*share);
        true
    }

    /// The mouse let go of a border. One beside the table that did not move was clicked as its scroll bar.
    pub(super) fn drop_border(&mut self) {
        let Some(grab) = self.grab.take() else { return };
        let Some((top, height)) =
            self.viewport.scrollbar.filter(|_| !grab.moved && grab.border == Border::BesideAlerts)
        else {
            return;
        };
        let page = self.viewport.table_rows.saturating_sub(1).max(1).cast_signed();
        match grab.from.1 {
            y if y < top => self.step(Step::Rows(-page)),
            y if y >= top.saturating_add(height) => self.step(Step::Rows(page)),
            _ => {}
        }
    }
}
