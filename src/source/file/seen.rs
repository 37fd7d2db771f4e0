//! Which `CloudWatch` events were passed on already: exports overlap, and subscriptions deliver at least once.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::RandomState;

use crate::record::Event;

/// Ids in one of the two sets. A slot is 17 bytes and a full table of this size has twice as many, so both together stay below 36 MiB.
const GENERATION: usize = 1 << 19;

/// The last half a million to a million event ids. An event that comes again after more than that is passed on again.
///
/// An id is kept as a 64-bit hash beside the event's time, so that two events could be taken for one only if they are of the same millisecond
/// as well.
#[derive(Debug)]
pub(super) struct Seen {
    young: HashSet<(u64, i64), RandomState>,
    old: HashSet<(u64, i64), RandomState>,
    state: RandomState,
    room: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Seen { young: HashSet::default(), old: HashSet::default(), state: RandomState::default(), room: GENERATION }
    }
}

impl Seen {
    /// Whether `event` of `stream` was asked for before. Events without an id are never taken for one another.
    pub(super) fn again(&mut self, event: &Event, stream: Option<&Arc<str>>) -> bool {
        if event.id.is_empty() {
            return false;
        }
        let key = (self.state.hash_one((&*event.id, stream)), event.timestamp);
        if self.old.contains(&key) || !self.young.insert(key) {
            return true;
        }
        if self.young.len() >= self.room {
            // What is freed is reused: the old set's table becomes the young one's.
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, timestamp: i64) -> Event {
        Event { end: 0, stream: 0, timestamp, ingestion: 0, id: id.into() }
    }

    #[test]
    fn the_same_id_of_the_same_stream_and_time_is_the_same_event() {
        let (one, two) = (Arc::from("eni-1-all"), Arc::from("eni-2-all"));
        let mut seen = Seen::default();
        assert!(!seen.again(&event("7", 1), Some(&one)));
        assert!(seen.again(&event("7", 1), Some(&one)));
        assert!(!seen.again(&event("7", 2), Some(&one)), "another time");
        assert!(!seen.again(&event("7", 1), Some(&two)), "another stream");
        assert!(!seen.again(&event("8", 1), Some(&one)));
        assert!(!seen.again(&event("", 1), None) && !seen.again(&event("", 1), None), "without an id nothing is known");
    }

    #[test]
    fn memory_is_bounded_and_the_latest_are_known() {
        let mut seen = Seen { room: 100, ..Seen::default() };
        for id in 0..10_000_u32 {
            assert!(!seen.again(&event(&id.to_string(), 0), None), "{id}");
            assert!(seen.young.len() <= 100 && seen.old.len() <= 100);
            for recent in id.saturating_sub(99)..=id {
                assert!(seen.again(&event(&recent.to_string(), 0), None), "{recent} after {id}");
            }
        }
        assert!(!seen.again(&event("1", 0), None), "long ago");
    }
}
