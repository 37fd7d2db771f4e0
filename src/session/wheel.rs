//! A timing wheel: which sessions may be over by when. Entries are lazy; a session that went on is put back when its turn comes.

use std::collections::BTreeMap;

/// Seconds a bucket spans. Coarse, since windows are a minute and more.
const STEP: i64 = 30;

/// Bytes that a bucket takes beside its entries: a key and a vector in a node that may be half full, and the least that is allocated.
const BUCKET_BYTES: usize = 112;

/// A slot of the table, and the lower half of the number of the session that had it when the entry was made.
type Entry = (u32, u32);

/// Entries by the time at which to look at them.
#[derive(Debug, Default)]
pub(super) struct Wheel {
    buckets: BTreeMap<i64, Vec<Entry>>,
    entries: usize,
}

impl Wheel {
    /// Have `entry` looked at once `time` has passed.
    pub(super) fn add(&mut self, entry: Entry, time: i64) {
        self.entries += 1;
        self.buckets.entry(time.div_euclid(STEP)).or_default().push(entry);
    }

    /// Whether `now` is so far past `time` that an entry of that time is given out.
    pub(super) fn is_before(time: i64, now: i64) -> bool {
        time.div_euclid(STEP) < now.div_euclid(STEP)
    }

    /// Takes the entries of the first bucket, if its time has passed `now`.
    pub(super) fn take_before(&mut self, now: i64) -> Option<Vec<Entry>> {
        let first = self.buckets.first_entry().filter(|first| *first.key() < now.div_euclid(STEP))?;
        let entries = first.remove();
        self.entries -= entries.len();
        Some(entries)
    }

    /// Takes the entry whose time comes first.
    pub(super) fn pop_first(&mut self) -> Option<Entry> {
        let mut first = self.buckets.first_entry()?;
        let entry = first.get_mut().pop();
        self.entries -= 1;
        if first.get().is_empty() {
            first.remove();
        }
        entry
    }

    /// Earliest time of any entry, to within a bucket.
    pub(super) fn first(&self) -> Option<i64> {
        self.buckets.first_key_value().map(|(bucket, _)| bucket.saturating_mul(STEP))
    }

    /// Bytes beyond eight for each entry, about: of many buckets, most are nearly empty.
    pub(super) fn overhead(&self) -> usize {
        self.buckets.len() * BUCKET_BYTES
    }

    /// Bytes held, about: buckets grow by doubling.
    pub(super) fn bytes(&self) -> usize {
        self.overhead() + self.entries * size_of::<Entry>() * 3 / 2
    }
}
