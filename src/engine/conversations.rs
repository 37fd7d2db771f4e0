//! A pass over the sessions, in slices. Sessions change while they are held, so a pass is taken anew when the table has changed; the last
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

/// A pass over the sessions.
#[derive(Debug)]
pub struct SessionScan {
    filter: Option<Arc<Filter>>,
    window: Option<(i64, i64)>,
    gather: Gather,
    change: Option<i64>,
    next_chunk: usize,
    matched: u64,
}

impl SessionScan {
    /// A pass that has looked at nothing yet.
    pub fn new(filter: Option<Arc<Filter>>, window: Option<(i64, i64)>, gather: Gather) -> SessionScan {
        SessionScan { filter, window, gather, change: None, next_chunk: 0, matched: 0 }
    }

    /// As it is, with sessions told apart by the moment of a change.
    #[must_use]
    pub fn beside(mut self, change: Option<i64>) -> SessionScan {
        self.change = change;
        self
    }

    /// Looks at about `budget` sessions. Gives how many it looked at.
    pub fn step(&mut self, chunks: &Chunks, names: &Names, region: Option<&str>, budget: usize, now: i64) -> usize {
        let mut looked = 0;
        while looked < budget
            && let Some(chunk) = chunks.get(self.next_chunk)
        {
            self.next_chunk += 1;
            looked += chunk.len();
            for session in chunk.iter().flatten() {
                let row = Phased { row: SessionRow { session, names, region }, change: self.change };
                if !in_window(self.window, &row)
                    || self.filter.as_ref().is_some_and(|filter| !filter.matches(&row, now))
                {
                    continue;
                }
                self.matched += 1;
                match &mut self.gather {
                    Gather::Nothing => {}
                    Gather::Top(field, top) => top.add(SortKey::from(row.get(*field)), RowId::Session(session.id)),
                    Gather::Groups(groups) => groups.add(&row),
                }
            }
        }
        looked
    }

    /// Whether every chunk was looked at.
    pub fn is_done(&self, chunks: &Chunks) -> bool {
        self.next_chunk >= chunks.len()
    }

    /// Share of the chunks looked at.
    #[expect(clippy::cast_precision_loss, reason = "a share for the screen")]
    pub fn progress(&self, chunks: &Chunks) -> f32 {
        if chunks.is_empty() { 1.0 } else { self.next_chunk.min(chunks.len()) as f32 / chunks.len() as f32 }
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
