//! What the screen tells the app after a frame: how much room each pane had, and what is where, for the mouse.

use super::action::Action;
use super::columns::Col;
use super::grab::Border;
use crate::engine::view::{RowId, Tab};

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub x: u16,
    /// Top edge.
    pub y: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

impl Area {
    /// Whether the cell is inside.
    pub fn contains(self, x: u16, y: u16) -> bool {
        x >= self.x && y >= self.y && x - self.x < self.width && y - self.y < self.height
    }
}

/// What the mouse can hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A tab.
    Tab(Tab),
    /// The header of a column.
    Header(Col),
    /// A row of the table.
    Row(RowId),
    /// The line that counts what is folded.
    Folded,
    /// The table, for the wheel.
    Table,
    /// An alert of the sidebar, by number.
    Alert(u64),
    /// The sidebar, for the wheel.
    Sidebar,
    /// The detail pane.
    Detail,
    /// The filter line.
    Filter,
    /// The help screen.
    Help,
    /// The pane about the source.
    Report,
    /// The strip of time.
    Strip,
    /// An entry of the view of an address or interface, by its place.
    Entry(usize),
    /// A line of a menu, of those shown.
    Item(usize),
    /// A menu, for the wheel.
    Menu,
    /// A border between panes.
    Border(Border),
    /// A key hint.
    Hint(Action),
}

/// Where the bars of the timeline are, and which time they show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strip {
    /// Column of the first bar.
    pub x: u16,
    /// Columns that the bars take.
    pub width: u16,
    /// Unix second at which the first bar begins.
    pub from: i64,
    /// Seconds of a bar.
    pub step: i64,
    /// Bars; each may take several columns.
    pub bins: usize,
}

impl Strip {
    /// The bar that stands in `cell`, counted from the first column of the strip.
    pub fn bin_of(&self, cell: usize) -> usize {
        (cell * self.bins / usize::from(self.width).max(1)).min(self.bins.saturating_sub(1))
    }

    /// The second at which the bar at column `x` of the screen begins; columns beside the strip are those at its ends.
    pub fn time_at(&self, x: u16) -> i64 {
        let cell = usize::from(x.saturating_sub(self.x).min(self.width.saturating_sub(1)));
        let bin = i64::try_from(self.bin_of(cell)).unwrap_or(i64::MAX);
        self.from.saturating_add(self.step.saturating_mul(bin))
    }

    /// The column at which the bar of `time` begins, counted from the first; `None` where it is not shown.
    pub fn cell_of(&self, time: i64) -> Option<u16> {
        let bin = usize::try_from(time.checked_sub(self.from)?.div_euclid(self.step.max(1))).ok()?;
        if bin >= self.bins {
            return None;
        }
        u16::try_from((bin * usize::from(self.width)).div_ceil(self.bins)).ok()
    }
}

/// How the last frame was laid out.
#[derive(Clone, Debug, Default)]
pub struct Viewport {
    /// Cells of the screen across.
    pub width: u16,
    /// Rows of the table that fit.
    pub table_rows: usize,
    /// Columns of the table that fit, left to right.
    pub columns: Vec<Col>,
    /// How far the table is scrolled to the side: the first column after the one that stays.
    pub first_column: usize,
    /// Columns that are left out, and of those the ones to the right of the last that is shown.
    pub hidden: (usize, usize),
    /// Lines of the detail pane that fit, and how many there are.
    pub detail: (usize, usize),
    /// Lines of help that fit, and how many there are.
    pub help: (usize, usize),
    /// Lines or entries of the pane about the source that fit, and how many there are.
    pub report: (usize, usize),
    /// Lines of a menu that fit.
    pub menu: usize,
    /// Bins of the timeline that fit.
    pub timeline_bins: usize,
    /// Where the bars of the timeline are.
    pub strip: Option<Strip>,
    /// The room of the lists in the view of an address or interface.
    pub lens: super::lens::Room,
    /// The first line shown of each of its columns.
    pub lens_first: [usize; 2],
    /// Top and height of the mark in the scroll bar of the table, where there is one.
    pub scrollbar: Option<(u16, u16)>,
    /// What is where. Later entries lie above earlier ones.
    pub hits: Vec<(Area, Target)>,
    /// Where the caret of a prompt is.
    pub caret: Option<(u16, u16)>,
}

impl Viewport {
    /// What lies at the cell.
    pub fn at(&self, x: u16, y: u16) -> Option<Target> {
        self.hits.iter().rev().find(|(area, _)| area.contains(x, y)).map(|(_, target)| *target)
    }
}
