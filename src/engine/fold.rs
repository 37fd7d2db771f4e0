//! Rows that are counted in one line instead of being shown: which they are, and the passes that count them.
//!
//! The table's own pass leaves them out by [`Fold::shown`]; beside it one pass of each kind counts what was left out. So a folded view costs
//! what a filtered one does, and its line and its rows add up to all rows that match.

use std::sync::Arc;

use super::conversations::{Held, SessionScan};
use super::scan::{Gather, Scan};
use crate::filter::Filter;
use crate::store::Ring;

/// What is folded.
#[derive(Clone, Debug)]
pub struct Fold {
    /// Selects the rows that are shown: those of the view which are of no kind.
    pub shown: Arc<Filter>,
    /// What the kinds are called, each with the filter that selects its rows among those of the view. No row is of two kinds.
    pub kinds: Vec<(&'static str, Arc<Filter>)>,
}

/// The passes that count what is folded, in the order of the kinds.
#[derive(Debug, Default)]
pub(super) struct Folded {
    flows: Vec<Scan>,
    /// The pass that goes on, and the counts of the last complete one: sessions change, so theirs is taken anew.
    running: Vec<SessionScan>,
    counted: Vec<u64>,
}

impl Folded {
    /// Begins to count records.
    pub(super) fn of_flows(fold: &Fold, window: Option<(i64, i64)>) -> Folded {
        let pass = |filter: &Arc<Filter>| Scan::new(Some(Arc::clone(filter)), window, Gather::Nothing);
        Folded { flows: fold.kinds.iter().map(|(_, filter)| pass(filter)).collect(), ..Folded::default() }
    }

    /// Begins to count sessions; what was counted before is shown until that is done.
    pub(super) fn of_sessions(self, fold: &Fold, window: Option<(i64, i64)>) -> Folded {
        let pass = |filter: &Arc<Filter>| SessionScan::new(Some(Arc::clone(filter)), window, Gather::Nothing);
        Folded { running: fold.kinds.iter().map(|(_, filter)| pass(filter)).collect(), flows: Vec::new(), ..self }
    }

    /// Forgets a segment that was evicted.
    pub(super) fn evict(&mut self, first_seq: u64) {
        self.flows.iter_mut().for_each(|scan| scan.evict(first_seq));
    }

    /// Goes on counting records for a work of `budget`; gives how much of it was used.
    pub(super) fn step_flows(&mut self, ring: &Ring, budget: usize, now: i64) -> usize {
        let mut left = budget;
        for scan in &mut self.flows {
            left -= scan.step(ring, left, now).min(left);
        }
        budget - left
    }

    /// Goes on counting sessions for a work of `budget`; gives how much of it was used.
    pub(super) fn step_sessions(&mut self, held: Held<'_>, budget: usize) -> usize {
        let mut left = budget;
        for scan in &mut self.running {
            left -= scan.step(held, left).min(left);
        }
        if !self.running.is_empty() && self.running.iter().all(|scan| scan.place().is_done(held.chunks)) {
            self.counted = self.running.drain(..).map(|scan| scan.matched()).collect();
        }
        budget - left
    }

    /// Rows of each kind, as far as they were counted.
    pub(super) fn counts(&self, ring: &Ring) -> Vec<u64> {
        if !self.flows.is_empty() {
            self.flows.iter().map(|scan| scan.matched(ring)).collect()
        } else if self.counted.is_empty() {
            self.running.iter().map(SessionScan::matched).collect()
        } else {
            self.counted.clone()
        }
    }
}
