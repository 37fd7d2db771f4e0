//! Sessions by the time they live, for a timeline under a filter that only sessions have (`ratio > 100`). A session is counted in every bin that
//! it lives in, and its bytes are spread evenly over its life: what a conversation moved when is known of its records alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::conversations::{Chunks, Held, Place};
use super::timeline::{STEP, frame};
use super::view::{Bin, Timeline};
use crate::filter::Filter;
use crate::session::Session;

/// Moments at which a sum changes that are told apart.
const MAX_CHANGES: usize = 65_536;

/// By how much the sums of a bucket differ from those of the bucket before.
#[derive(Clone, Copy, Debug, Default)]
struct Difference {
    accepted: i64,
    rejected: i64,
    asked: i128,
    answered: i128,
}

impl Difference {
    fn add(&mut self, other: &Difference, sign: i8) {
        self.accepted += i64::from(sign) * other.accepted;
        self.rejected += i64::from(sign) * other.rejected;
        self.asked += i128::from(sign) * other.asked;
        self.answered += i128::from(sign) * other.answered;
    }
}

/// A pass over the sessions that match.
#[derive(Debug)]
pub(super) struct Lives {
    filter: Option<Arc<Filter>>,
    place: Place,
    changes: BTreeMap<i64, Difference>,
}

impl Lives {
    pub(super) fn new(filter: Option<Arc<Filter>>) -> Lives {
        Lives { filter, place: Place::default(), changes: BTreeMap::new() }
    }

    /// Looks at about `budget` sessions. Gives how many it looked at.
    pub(super) fn step(&mut self, held: Held<'_>, budget: usize) -> usize {
        let (mut place, filter) = (self.place, self.filter.clone());
        let looked = place.step(held, budget, 1, |row| {
            if filter.as_ref().is_none_or(|filter| filter.matches(row, held.now)) {
                self.add(row.row.session);
            }
        });
        self.place = place;
        looked
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    fn add(&mut self, session: &Session) {
        let (first, past) = (session.first.div_euclid(STEP), session.last.div_euclid(STEP) + 1);
        let long = i128::from((past - first).max(1));
        let request = session.request();
        let bytes = |way| i128::from(session.totals(way).bytes);
        let (asked, answered) = (bytes(request), bytes(request.reversed()));
        let rejected = i64::from(!matches!(session.action(), Some("ACCEPT") | None));
        let each = Difference { accepted: 1 - rejected, rejected, asked: asked / long, answered: answered / long };
        let rest = Difference { asked: asked % long, answered: answered % long, ..Difference::default() };
        self.at(first).add(&each, 1);
        self.at(past).add(&each, -1);
        self.at(first).add(&rest, 1);
        self.at(first + 1).add(&rest, -1);
    }

    /// The difference at `bucket`, or at a neighbour where there is no room for another.
    fn at(&mut self, bucket: i64) -> &mut Difference {
        let place = if self.changes.len() < MAX_CHANGES || self.changes.contains_key(&bucket) {
            bucket
        } else {
            let near = self.changes.range(..bucket).next_back().or_else(|| self.changes.iter().next());
            near.map_or(bucket, |(near, _)| *near)
        };
        self.changes.entry(place).or_default()
    }

    /// The strip of `range`, else the one that ends at `now`, in at most `bins` bins.
    pub(super) fn strip(&self, chunks: &Chunks, now: i64, range: Option<(i64, i64)>, bins: usize) -> Timeline {
        let progress = self.place.progress(chunks);
        let first = |held| Some(*self.changes.range(held).next()?.0);
        let Some((from, step, count)) = frame(first, now, range, bins) else {
            return Timeline { progress, of_sessions: true, ..Timeline::default() };
        };
        let mut strip = Timeline {
            from,
            step,
            bins: vec![Bin::default(); count],
            progress,
            of_sessions: true,
            ..Timeline::default()
        };
        let mut sum = Difference::default();
        let mut changes = self.changes.iter().peekable();
        // Sums hold from one change to the next; a bin has the most sessions that lived at once in it, and the bytes of all its buckets.
        while let Some((bucket, difference)) = changes.next() {
            sum.add(difference, 1);
            let past = changes.peek().map_or(*bucket + 1, |(next, _)| **next);
            let last = from + step * i64::try_from(count).unwrap_or(0);
            let (mut at, end) = ((bucket * STEP).max(from), (past * STEP).min(last));
            while at < end {
                let place = usize::try_from((at - from).div_euclid(step)).unwrap_or(usize::MAX);
                let upto = (from + step * (i64::try_from(place).unwrap_or(0) + 1)).min(end);
                let Some(bin) = strip.bins.get_mut(place) else { break };
                let seconds = i128::from(upto - at);
                let bytes = |rate: i128| u64::try_from(rate * seconds / i128::from(STEP)).unwrap_or(0);
                let most = |old: u64, now: i64| old.max(u64::try_from(now).unwrap_or(0));
                bin.accepted = most(bin.accepted, sum.accepted);
                bin.rejected = most(bin.rejected, sum.rejected);
                bin.records_in = most(bin.records_in, sum.accepted + sum.rejected);
                bin.bytes_in = bin.bytes_in.saturating_add(bytes(sum.asked));
                bin.bytes_out = bin.bytes_out.saturating_add(bytes(sum.answered));
                at = upto;
            }
        }
        strip
    }
}
