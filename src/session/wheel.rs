//! A timing wheel: which sessions may be over by when. Entries are lazy; a session that went on is put back when its turn comes.

use std::collections::BTreeMap;

/// Seconds a bucket spans. Coarse, since windows are a minute and more.
const STEP: i64 = 30;

/// Slots of the table, each with the number of the session that had it when the entry was made, by the time at which to look at them.
#[derive(Debug, Default)]
pub(super) struct Wheel {
    buckets: BTreeMap<i64, Vec<(u32, u64)>>,
}

impl Wheel {
    /// Have `entry` looked at once `time` has passed.
    pub(super) fn add(&mut self, entry: (u32, u64), time: i64) {
        self.buckets.entry(time.div_euclid(STEP)).or_default().push(entry);
    }

    /// Takes one entry whose time has passed `now`.
    pub(super) fn pop_before(&mut self, now: i64) -> Option<(u32, u64)> {
        let (first, _) = self.buckets.first_key_value()?;
        if *first < now.div_euclid(STEP) { self.pop_first() } else { None }
    }

    /// Takes the entry whose time comes first.
    pub(super) fn pop_first(&mut self) -> Option<(u32, u64)> {
        let mut first = self.buckets.first_entry()?;
        let entry = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        entry
    }

    /// Earliest time of any entry, to within a bucket.
    pub(super) fn first(&self) -> Option<i64> {
        self.buckets.first_key_value().map(|(bucket, _)| bucket.saturating_mul(STEP))
    }
}
