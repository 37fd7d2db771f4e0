//! Which events were passed on already.

use std::collections::HashSet;
use std::hash::BuildHasher;

use foldhash::quality::FixedState;

/// A set of event ids, kept as 64-bit hashes.
///
/// Memory: a slot is 9 bytes (8 of hash, 1 of control) and the table doubles at a load of 7/8, so a million ids take between 10.3 and 20.6 MB,
/// about 14 MB on average. One set covers one minute of one log group: with 60,000 events a minute the chance that two different ids share a hash,
/// so that one event would be taken for another, is about 1 in 10 billion a minute.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<u64, FixedState>,
}

/// Hash of an event's identity. `CloudWatch` gives every event of `FilterLogEvents` an id; where a server gives none, all that the event carries
/// stands in for it.
pub(super) fn key(id: &str, stream: &str, timestamp: i64, ingestion: i64, message: &str) -> u64 {
    let state = FixedState::with_seed(0x666c_6f77_7461_696c);
    if id.is_empty() { state.hash_one((stream, timestamp, ingestion, message)) } else { state.hash_one(id) }
}

impl Seen {
    /// Remembers a key. False if it was known.
    pub(super) fn insert(&mut self, key: u64) -> bool {
        self.ids.insert(key)
    }

    /// Ids held.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}
