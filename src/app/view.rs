//! What is looked at: table, filter, order, cursor, freeze. A [`View`] is what the back stack keeps and restores.

use std::sync::Arc;

use super::columns::Col;
use super::lens::Lens;
use crate::engine::view::{Anchor, RowId, Sort, Tab};
use crate::filter::{Filter, FilterError, Stage};
use crate::record::Field;

/// A filter in force, compiled for both kinds of rows.
#[derive(Clone, Debug)]
pub struct Applied {
    /// As it was typed.
    pub text: String,
    /// Turned off with its text kept.
    pub off: bool,
    flows: Result<Arc<Filter>, FilterError>,
    sessions: Result<Arc<Filter>, FilterError>,
}

impl Applied {
    /// Compiles `text` for both kinds of rows.
    ///
    /// # Errors
    /// Where it is not a filter for rows of `tab`.
    pub fn new(text: &str, tab: Tab) -> Result<Applied, FilterError> {
        let compile = |stage| Filter::parse(text, stage).map(Arc::new);
        let applied = Applied {
            text: text.to_owned(),
            off: false,
            flows: compile(Stage::Flows),
            sessions: compile(Stage::Sessions),
        };
        applied.on(tab)?;
        Ok(applied)
    }

    /// The filter for rows of `tab`.
    ///
    /// # Errors
    /// Where the text is no filter for such rows.
    pub fn on(&self, tab: Tab) -> Result<&Arc<Filter>, FilterError> {
        match tab {
            Tab::Flows | Tab::Alerts => self.flows.as_ref(),
            Tab::Sessions => self.sessions.as_ref(),
        }
        .map_err(FilterError::clone)
    }
}

/// The kind of rows that `tab` filters.
pub fn stage(tab: Tab) -> Stage {
    match tab {
        Tab::Flows | Tab::Alerts => Stage::Flows,
        Tab::Sessions => Stage::Sessions,
    }
}

/// Whether the view sticks to an end of the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pin {
    /// It stays with its rows.
    Free,
    /// The first row is always on the screen.
    #[default]
    Top,
    /// The last row is always on the screen.
    Bottom,
}

/// How far a table is scrolled to the side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    /// Index of the first column after the one that stays; 0 where nothing is scrolled and the columns that matter most are shown.
    pub first: usize,
    /// A column that the next frame must show.
    pub reveal: Option<Col>,
}

/// State of one table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The order.
    pub sort: Sort,
    /// Columns grouped by.
    pub group_by: Vec<Field>,
    /// The row under the cursor; `None` until the first page came.
    pub cursor: Option<RowId>,
    /// Position of the cursor in the whole order, as last known.
    pub index: u64,
    /// Line of the screen that the cursor is on, from the first row of the table.
    pub line: usize,
    /// Whether the view sticks to an end.
    pub pin: Pin,
    /// Where pages are cut while not pinned.
    pub anchor: Anchor,
    /// The chosen column.
    pub column: Option<Col>,
    /// How far it is scrolled to the side.
    pub scroll: Scroll,
    /// Rows that came in above the cursor since it left the first row.
    pub fresh: u64,
}

impl Default for Table {
    fn default() -> Self {
        Table {
            sort: Sort::default(),
            group_by: Vec::new(),
            cursor: None,
            index: 0,
            line: 0,
            pin: Pin::Top,
            anchor: Anchor::Top,
            column: None,
            scroll: Scroll::default(),
            fresh: 0,
        }
    }
}

impl Table {
    /// Whether rows come in at the end that the view sticks to.
    pub fn follows(&self) -> bool {
        self.group_by.is_empty()
            && self.sort.field == Field::End
            && match self.pin {
                Pin::Free => false,
                Pin::Top => self.sort.descending,
                Pin::Bottom => !self.sort.descending,
            }
    }

    /// Back to the first row, stuck to it.
    pub fn reset(&mut self) {
        self.cursor = None;
        self.index = 0;
        self.line = 0;
        self.pin = Pin::Top;
        self.anchor = Anchor::Top;
        self.fresh = 0;
    }

    /// Lets go of the end that the view sticks to: pages are cut around the cursor from now on.
    pub fn release(&mut self) {
        if self.pin != Pin::Free {
            self.pin = Pin::Free;
            self.fresh = 0;
            self.anchor = self.cursor.map_or(Anchor::Top, Anchor::Row);
        }
    }

    /// Puts the cursor on `id` wherever it is.
    pub fn go_to(&mut self, id: RowId) {
        self.pin = Pin::Free;
        self.fresh = 0;
        self.cursor = Some(id);
        self.anchor = Anchor::Row(id);
    }
}

/// What is looked at.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Which table.
    pub tab: Tab,
    /// The tables, in the order of [`Tab`].
    tables: [Table; 3],
    /// The filter of flows and sessions.
    pub filter: Option<Applied>,
    /// Whether noise is counted in one line; where nobody said, as long as no filter is in force.
    pub fold: Option<bool>,
    /// Whether the view is frozen.
    pub frozen: bool,
    /// Whether the detail pane is open.
    pub detail: bool,
    /// Whether it was closed beside alerts, where it is open by itself.
    pub bare: bool,
    /// Only records that end in this time, and sessions that touch it; Unix seconds, both ends included.
    pub window: Option<(i64, i64)>,
    /// Time that the strip shows, Unix seconds, the end not included; all that is held where there is none.
    pub zoom: Option<(i64, i64)>,
    /// The address or interface that is told about in the place of the table.
    pub lens: Option<Lens>,
}

impl View {
    /// The table that is looked at.
    pub fn table(&self) -> &Table {
        &self.tables[self.tab as usize]
    }

    /// The table that is looked at.
    pub fn table_mut(&mut self) -> &mut Table {
        &mut self.tables[self.tab as usize]
    }

    /// All tables, in the order of [`Tab`].
    pub(super) fn tables(&self) -> &[Table; 3] {
        &self.tables
    }

    /// A table.
    pub fn of_mut(&mut self, tab: Tab) -> &mut Table {
        &mut self.tables[tab as usize]
    }

    /// The filter in force on the table that is looked at.
    pub fn filter_in_force(&self) -> Option<&Arc<Filter>> {
        if self.tab == Tab::Alerts {
            return None;
        }
        self.filter.as_ref().filter(|applied| !applied.off).and_then(|applied| applied.on(self.tab).ok())
    }
}
