//! Which events were passed on already.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use foldhash::quality::FixedState;

/// A set of event ids, kept as 64-bit hashes.
///
/// Memory: a slot is 9 bytes (8 of hash, 1 of control) and the table doubles at a load of 7/8, so a million ids take between 10.3 and 20.6 MB,
/// about 14 MB on average. One set covers one minute of one log group: with 60,000 events a minute the chance that two different ids share a hash,
/// so that one event would be taken for another, is about 1 in 10 billion a minute.
///
/// Events of a live session carry no id. They are known by their content: stream, timestamp and message. Of equal contents the first live copy is
/// passed on at once; the first id that a sweep then returns for this content is taken for the same event. A further live copy may be another event or the
/// same again; the sweeps tell, since each event has an id of its own, so it is left to them. What a sweep found first is not taken from a
/// live session either. So at the end as many rows were passed on as there are ids, whatever came in whatever order. Without a live session no contents
/// are kept; with one they take 17 bytes a slot on top.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<u64, FixedState>,
    /// Contents that were passed on; true while a live copy has no id yet.
    contents: HashMap<u64, bool, FixedState>,
}

/// What an event of a sweep is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swept {
    /// Not passed on so far.
    New,
    /// Its id is known.
    Known,
    /// It came live, and now has its id.
    Paired,
}

/// Hash of an event's identity. `CloudWatch` gives every event of `FilterLogEvents` an id; where a server gives none, all that the event carries
/// stands in for it.
pub(super) fn key(id: &str, stream: &str, timestamp: i64, ingestion: i64, message: &str) -> u64 {
    let state = FixedState::with_seed(0x666c_6f77_7461_696c);
    if id.is_empty() { state.hash_one((stream, timestamp, ingestion, message)) } else { state.hash_one(id) }
}

/// Hash of what a live event is known by.
pub(super) fn content(stream: &str, timestamp: i64, message: &str) -> u64 {
    FixedState::with_seed(0x6c69_7665_636f_7079).hash_one((stream, timestamp, message))
}

impl Seen {
    /// Remembers an event of a sweep by its key; `content` is given while there is a live session.
    pub(super) fn sweep(&mut self, key: u64, content: Option<u64>) -> Swept {
        if !self.ids.insert(key) {
            return Swept::Known;
        }
        match content.map(|content| self.contents.insert(content, false)) {
            Some(Some(true)) => Swept::Paired,
            _ => Swept::New,
        }
    }

    /// Remembers a live event. False where it is left to the sweeps.
    pub(super) fn live(&mut self, content: u64) -> bool {
        let unknown = !self.contents.contains_key(&content);
        if unknown {
            self.contents.insert(content, true);
        }
        unknown
    }

    /// Live events whose id is not known.
    #[cfg(test)]
    pub(super) fn unpaired(&self) -> usize {
        self.contents.values().filter(|waits| **waits).count()
    }

    /// Ids and contents held.
    pub(super) fn len(&self) -> usize {
        self.ids.len() + self.contents.len()
    }

    /// Bytes that the tables take.
    pub(super) fn bytes(&self) -> usize {
        // Seven of eight slots may be taken, and each has a byte of control beside it (hashbrown, `raw`).
        let slots = |capacity: usize| capacity.div_ceil(7) * 8;
        slots(self.ids.capacity()) * 9 + slots(self.contents.capacity()) * 17
    }

    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes in: a live copy of an event, or a sweep that returns the events delivered so far from the first to the second.
    #[derive(Clone, Debug)]
    enum Step {
        Live(usize),
        Sweep(usize, usize),
    }

    fn steps(events: usize) -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..events).prop_map(Step::Live),
            (0..events, 0..=events).prop_map(|(from, to)| Step::Sweep(from.min(to), from.max(to))),
        ];
        prop::collection::vec(step, 0..60)
    }

    proptest! {
        #[test]
        fn as_many_rows_come_as_there_are_events(contents in prop::collection::vec(0..4_u64, 1..12), steps in steps(12)) {
            let mut seen = Seen::default();
            let mut rows = [0_usize; 4];
            let mut swept = std::collections::BTreeSet::new();
            let mut live = std::collections::BTreeSet::new();
            let all = Step::Sweep(0, contents.len());
            for step in steps.into_iter().chain([all]) {
                match step {
                    Step::Live(event) => {
                        let content = contents[event % contents.len()];
                        live.insert(event % contents.len());
                        rows[usize::try_from(content).unwrap()] += usize::from(seen.live(content));
                    }
                    Step::Sweep(from, to) => for event in from..to.min(contents.len()) {
                        swept.insert(event);
                        let new = seen.sweep(1000 + event as u64, Some(contents[event])) == Swept::New;
                        rows[usize::try_from(contents[event]).unwrap()] += usize::from(new);
                    },
                }
                // At no time is there a row without an event of its own, nor does a sweep leave one out.
                for content in 0..4 {
                    let of = |events: &std::collections::BTreeSet<usize>| events.iter().filter(|event| contents[**event] == content).count();
                    let met: std::collections::BTreeSet<usize> = swept.union(&live).copied().collect();
                    let row = rows[usize::try_from(content).unwrap()];
                    prop_assert!(row <= of(&met) && row >= of(&swept), "{} rows of content {}", row, content);
                    prop_assert!(row >= usize::from(of(&live) > 0), "the first live copy did not come at once");
                }
            }
            let truth: Vec<usize> = (0..4).map(|content| contents.iter().filter(|own| **own == content).count()).collect();
            prop_assert_eq!(rows.to_vec(), truth);
            prop_assert_eq!(seen.unpaired(), 0);
        }
    }
}
