//! The state of one group of one rule: sums over sliding windows of event time, with contributions that can be taken back.
//!
//! A contribution is a flow record or a session. A session is active from its first to its last record and counts in every window that
//! touches that span; when it grows or turns round, its old contribution is taken out and the new one put in. The content of a
//! group is therefore a function of the final rows and not of the order in which they came.
//!
//! Time is cut into panes of a tenth of the window. Each pane keeps what begins and what ends in it, so that a window's sum is what began up to
//! its last pane less what ended before its first: sums need no look at the rows. Only panes in which something happens exist.

mod change;

use std::net::IpAddr;

use super::condition::{Aggregate, Function};
use super::few::Few;
use super::key::Key;
use crate::record::{Field, Row, Value};

use smallvec::SmallVec;

/// Panes a window has.
pub(super) const PANES: i64 = 10;

/// Values of one `distinct` that a group keeps; above it the count stands still.
pub(super) const DISTINCT_CAP: usize = 1_024;

/// Greatest (or least) values a pane keeps for `max` and `min`, so that one can be taken back.
const EXTREMES: usize = 8;

/// What one row adds to a slot.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// For `count`, `sum`, `min`, `max`; not a number where absent.
    Number(f64),
    /// For `distinct`, `failed` and `new`.
    Word(Key),
    /// For `trw`: whom it went to, and whether that failed.
    Contact(IpAddr, u16, bool),
}

/// What one session or record adds to its group. Made anew when it is needed, in place: it follows from the row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Contribution {
    /// The group.
    pub group: Vec<Key>,
    /// Number of the session; 0 for records.
    pub id: u64,
    /// Unix second at which it begins.
    pub start: i64,
    /// Unix second at which it ends.
    pub end: i64,
    /// Panes of `start` and `end`.
    pub panes: (i64, i64),
    /// Whether it passes the rule's `where`; if not, it only teaches `new`.
    pub counts: bool,
    /// One a slot.
    pub items: Vec<Item>,
}

#[derive(Debug)]
pub(super) struct Pane {
    index: i64,
    /// Contributions that begin or end here; an empty pane goes away.
    uses: u32,
    active: (i64, i64),
    /// Least start and greatest end of what ends here.
    span: (i64, i64),
    /// For `min` and `max` slots, as far as there are any: value, session, pane in which it begins; best first.
    extremes: Vec<Vec<(f64, u64, i64)>>,
}

#[derive(Debug)]
struct Seen {
    panes: (i64, i64),
    uses: u32,
}

/// See the module's text. Room for one pane and three slots is in place: most groups are no more and are gone again soon.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Numbers, as many a part as there are slots: what is held in all; what began and has not ended before the oldest pane; and for
    /// each pane what begins in it and what ends in it.
    sums: SmallVec<[f64; 12]>,
    carried: i64,
    panes: SmallVec<[Pane; 1]>,
    /// By slot, as far as there is a `distinct`.
    sets: Vec<Few<Seen>>,
    /// The look at which it was made: what was put in before went into an earlier group of the same key.
    pub born: u64,
    /// Windows must begin at this pane or later: what was before is the evidence of a closed alert.
    pub not_before: Option<i64>,
    /// The open or held alert.
    pub incident: Option<u64>,
}

/// One window with its sums.
pub(super) struct Window<'a> {
    group: &'a Group,
    aggregates: &'a [Aggregate],
    /// First and last pane.
    pub panes: (i64, i64),
    /// Places of the panes held that are in it.
    places: (usize, usize),
    sums: &'a [f64],
    /// Least start and greatest end of what is in it, Unix seconds.
    pub span: (i64, i64),
    /// Greatest end in the last pane: the moment of the window.
    pub time: i64,
}

impl Group {
    /// An empty group that is made at this look.
    pub(super) fn born(at: u64) -> Self {
        Group { born: at, ..Group::default() }
    }

    /// The most that the sum of a slot can be in any window: all that is held.
    pub(super) fn most(&self, slot: usize) -> f64 {
        self.sums.get(slot).copied().unwrap_or(0.0)
    }

    /// Values held for the `distinct` of a slot.
    pub(super) fn distinct(&self, slot: usize) -> usize {
        self.sets.get(slot).map_or(0, Few::len)
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.panes.is_empty() && self.carried == 0
    }

    /// Values held for `distinct`.
    pub(super) fn words(&self) -> usize {
        self.sets.iter().map(Few::len).sum()
    }

    /// Forgets panes before `base`; what is still active there is carried.
    pub(super) fn prune(&mut self, base: i64) {
        let gone = self.panes.partition_point(|pane| pane.index < base);
        if gone > 0 {
            let slots = self.slots();
            let (kept, panes) = self.sums.split_at_mut(2 * slots);
            let (total, carry) = kept.split_at_mut(slots);
            for pane in panes.chunks_exact(2 * slots).take(gone) {
                add(carry, &pane[..slots], 1.0);
                add(carry, &pane[slots..], -1.0);
                add(total, &pane[slots..], -1.0);
            }
            self.sums.drain(2 * slots..2 * slots * (gone + 1));
        }
        for pane in self.panes.drain(..gone) {
            self.carried += pane.active.0 - pane.active.1;
        }
        if gone > 0 {
            for set in &mut self.sets {
                set.retain(|seen| seen.panes.1 >= base);
            }
        }
    }

    /// Shows every window that ends in a pane where something happens to `visit`, oldest first.
    pub(super) fn windows(&self, aggregates: &[Aggregate], mut visit: impl FnMut(&Window<'_>)) {
        let slots = self.slots();
        let mut sums = self.carry().to_vec();
        let mut active = self.carried;
        let mut left = 0;
        for (at, pane) in self.panes.iter().enumerate() {
            add(&mut sums, &self.pane_sums(at)[..slots], 1.0);
            active += pane.active.0;
            let from = (pane.index - PANES + 1).max(self.not_before.unwrap_or(i64::MIN));
            while self.panes[left].index < from && left < at {
                add(&mut sums, &self.pane_sums(left)[slots..], -1.0);
                active -= self.panes[left].active.1;
                left += 1;
            }
            if active <= 0 || pane.index < from {
                continue;
            }
            let inside = &self.panes[left..=at];
            let later = &self.panes[at + 1..];
            let first = inside.iter().chain(later.iter().take(1)).map(|pane| pane.span.0).min().unwrap_or(i64::MAX);
            let last = inside.iter().map(|pane| pane.span.1).max().unwrap_or(i64::MIN);
            let time = if pane.span.1 == i64::MIN { last } else { pane.span.1 };
            if last == i64::MIN {
                // Only beginnings so far: the same rows are seen again where they end.
                continue;
            }
            visit(&Window {
                group: self,
                aggregates,
                panes: (from, pane.index),
                places: (left, at),
                sums: &sums,
                span: (first.min(last), last),
                time,
            });
        }
    }

    /// Shows everything held as one window, whatever its length.
    pub(super) fn whole(&self, aggregates: &[Aggregate], visit: impl FnOnce(&Window<'_>)) {
        let mut sums = self.carry().to_vec();
        sums.resize(aggregates.len(), 0.0);
        for at in 0..self.panes.len() {
            add(&mut sums, &self.pane_sums(at)[..self.slots()], 1.0);
        }
        let first = self.panes.iter().map(|pane| pane.span.0).min().unwrap_or(i64::MAX);
        let last = self.panes.iter().map(|pane| pane.span.1).max().unwrap_or(i64::MIN);
        let panes = (i64::MIN, i64::MAX);
        let places = (0, self.panes.len().saturating_sub(1));
        visit(&Window { group: self, aggregates, panes, places, sums: &sums, span: (first, last), time: last });
    }

    /// Slots of its rule, once something was put in.
    fn slots(&self) -> usize {
        self.sums.len() / (2 * (self.panes.len() + 1))
    }

    /// What began and has not ended before the oldest pane.
    fn carry(&self) -> &[f64] {
        let slots = self.slots();
        &self.sums[slots..2 * slots]
    }

    /// What begins in the pane at this place and, behind it, what ends in it.
    fn pane_sums(&self, at: usize) -> &[f64] {
        let width = 2 * self.slots();
        &self.sums[width * (at + 1)..width * (at + 2)]
    }
}

impl Window<'_> {
    /// What also ended in it, slot by slot: the part of its sums that rows which go on beyond it cannot change.
    pub(super) fn ended(&self) -> Vec<f64> {
        let slots = self.group.slots();
        let mut sums = vec![0.0; slots];
        for at in (self.places.0..=self.places.1).filter(|at| *at < self.group.panes.len()) {
            add(&mut sums, &self.group.pane_sums(at)[slots..], 1.0);
        }
        sums
    }

    /// The same window with other sums.
    pub(super) fn with<'a>(&'a self, sums: &'a [f64]) -> Window<'a> {
        Window { group: self.group, aggregates: self.aggregates, sums, ..*self }
    }

    /// The value of a slot. What is remembered beyond windows is not known here, see [`super::novelty`] and [`super::habits`].
    pub(super) fn slot(&self, slot: usize) -> f64 {
        let (from, to) = self.panes;
        match self.aggregates.get(slot).map(|aggregate| aggregate.function) {
            Some(Function::Count | Function::Sum) => self.sums.get(slot).copied().unwrap_or(0.0),
            Some(Function::Distinct | Function::Failed) => {
                let count = self.group.sets.get(slot).map_or(0, |set| {
                    set.iter().filter(|(_, seen)| seen.panes.0 <= to && seen.panes.1 >= from).take(DISTINCT_CAP).count()
                });
                f64::from(u32::try_from(count).unwrap_or(u32::MAX))
            }
            Some(function @ (Function::Min | Function::Max)) => {
                let best = self.group.panes.iter().filter(|pane| pane.index >= from).filter_map(|pane| {
                    pane.extremes.get(slot)?.iter().find(|(_, _, begins)| *begins <= to).map(|(value, ..)| *value)
                });
                let best = if function == Function::Max { best.reduce(f64::max) } else { best.reduce(f64::min) };
                best.unwrap_or(f64::NAN)
            }
            _ => f64::NAN,
        }
    }
}

fn add(to: &mut [f64], what: &[f64], sign: f64) {
    for (sum, value) in to.iter_mut().zip(what) {
        *sum += sign * value;
    }
}

/// What a row adds, slot by slot.
pub(super) fn items<'a, R: Row + ?Sized>(
    aggregates: &'a [Aggregate],
    row: &'a R,
) -> impl Iterator<Item = Item> + use<'a, R> {
    let number = |field: Field| row.get(field).and_then(Value::number).unwrap_or(f64::NAN);
    aggregates.iter().map(move |aggregate| match (aggregate.function, aggregate.field) {
        (Function::Distinct | Function::New, Some(field)) => Item::Word(Key::of(row, field)),
        (Function::Failed, Some(field)) => {
            Item::Word(if super::habits::failed(row) { Key::of(row, field) } else { Key::Absent })
        }
        (Function::Trw, _) => super::habits::contact(row).unwrap_or(Item::Number(f64::NAN)),
        (Function::Prevalence, _) => Item::Number(f64::NAN),
        (Function::Count, _) | (_, None) => Item::Number(1.0),
        (_, Some(field)) => Item::Number(number(field)),
    })
}

#[cfg(test)]
mod tests;
