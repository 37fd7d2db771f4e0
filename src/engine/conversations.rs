//! Passes over the sessions, in slices. Sessions change while they are held, so a pass is taken anew when the table has changed; the last
//! complete one is shown meanwhile.

use std::sync::Arc;

use super::phase::Phased;
use super::scan::{Gather, in_window};
use super::top::SortKey;
use super::view::RowId;
use crate::filter::Filter;
use crate::record::{Names, Row};
use crate::session::{Session, SessionRow};

/// Chunks of the session table, live or frozen.
pub type Chunks = [Arc<Vec<Option<Session>>>];

/// The sessions that passes look at, and what is needed to read them.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// The sessions themselves.
    pub chunks: &'a Chunks,
    /// The names they refer to.
    pub names: &'a Names,
    /// Region of the source, where known.
    pub region: Option<&'a str>,
    /// Moment of a change by which they are told apart, Unix seconds.
    pub change: Option<i64>,
    /// Event time, for relative times in filters, Unix seconds.
    pub now: i64,
}

/// How far a pass over the sessions has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    next_chunk: usize,
}

impl Place {
    /// Shows sessions to `look` for a work of about `budget`, of which each takes `cost`. Gives what it took.
    pub fn step(&mut self, held: Held<'_>, budget: usize, cost: usize, mut look: impl FnMut(&Phased<'_>)) -> usize {
        let Held { names, region, change, .. } = held;
        let mut took = 0;
        while took < budget
            && let Some(chunk) = held.chunks.get(self.next_chunk)
        {
            self.next_chunk += 1;
            took += chunk.len() * cost;
            for session in chunk.iter().flatten() {
                look(&Phased { row: SessionRow { session, names, region }, change });
            }
        }
        took
    }

    /// Whether every session was shown.
    pub fn is_done(self, chunks: &Chunks) -> bool {
        self.next_chunk >= chunks.len()
    }

    /// Share of the sessions that was shown.
    #[expect(clippy::cast_precision_loss, reason = "a share for the screen")]
    pub fn progress(self, chunks: &Chunks) -> f32 {
        if self.is_done(chunks) { 1.0 } else { self.next_chunk as f32 / chunks.len() as f32 }
    }
}

/// A pass for the table: the sessions that match, and where asked for the head of an order or sums by group.
#[derive(Debug)]
pub struct SessionScan {
    filter: Option<Arc<Filter>>,
    window: Option<(i64, i64)>,
    gather: Gather,
    place: Place,
    matched: u64,
}

impl SessionScan {
    /// A pass that has looked at nothing yet.
    pub fn new(filter: Option<Arc<Filter>>, window: Option<(i64, i64)>, gather: Gather) -> SessionScan {
        SessionScan { filter, window, gather, place: Place::default(), matched: 0 }
    }

    /// Looks at about `budget` sessions. Gives how many it looked at.
    pub fn step(&mut self, held: Held<'_>, budget: usize) -> usize {
        let SessionScan { filter, window, gather, place, matched } = self;
        place.step(held, budget, 1, |row| {
            if !in_window(*window, row) || filter.as_ref().is_some_and(|filter| !filter.matches(row, held.now)) {
                return;
            }
            *matched += 1;
            match gather {
                Gather::Nothing => {}
                Gather::Top(field, top) => {
                    top.add(SortKey::from(row.get(*field)), RowId::Session(row.row.session.id));
                }
                Gather::Groups(groups) => groups.add(row),
            }
        })
    }

    /// How far it has come.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Sessions that match, as far as they were looked at.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    /// What was gathered.
    pub fn gathered(&mut self) -> &mut Gather {
        &mut self.gather
    }
}
