//! The index by key: an open table of one word an entry, half hash, half slot. A search reads one cache line mostly, and the entries of several
//! keys can be touched without deciding anything, so that the waiting overlaps.

use super::numbers::NONE;

/// An entry with no slot is free.
const FREE: u64 = NONE as u64;
/// Least entries.
const LEAST: usize = 64;

/// Slots by hash; several may have the same.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// A power of two long, at most three quarters used. The hash is in the upper half; an entry stands at the place its hash names or behind
    /// it with no free one between.
    entries: Vec<u64>,
    used: usize,
}

impl Index {
    /// The slot under `hash` that `is_wanted`, or [`NONE`].
    pub(super) fn find(&self, hash: u32, is_wanted: impl Fn(u32) -> bool) -> u32 {
        self.search(hash, is_wanted).map_or(NONE, |place| slot(self.entries[place]))
    }

    /// Reads where an entry of `hash` would stand, and decides nothing.
    pub(super) fn touch(&self, hash: u32) -> u64 {
        self.entries.get(self.home(hash)).copied().unwrap_or_default()
    }

    /// Puts `with` where `is_wanted` was found, or adds it. Gives the slot that was there, or [`NONE`].
    pub(super) fn put(&mut self, hash: u32, with: u32, is_wanted: impl Fn(u32) -> bool) -> u32 {
        let entry = u64::from(hash) << 32 | u64::from(with);
        if let Some(place) = self.search(hash, is_wanted) {
            return slot(std::mem::replace(&mut self.entries[place], entry));
        }
        if (self.used + 1) * 4 > self.entries.len() * 3 {
            let entries = vec![FREE; (self.entries.len() * 2).max(LEAST)];
            for entry in std::mem::replace(&mut self.entries, entries) {
                if slot(entry) != NONE {
                    self.insert(entry);
                }
            }
        }
        self.insert(entry);
        self.used += 1;
        NONE
    }

    /// Takes out the entry of this hash and slot.
    pub(super) fn remove(&mut self, hash: u32, gone: u32) {
        let Some(mut gap) = self.search(hash, |slot| slot == gone) else { return };
        self.used -= 1;
        // What stands behind the gap and belongs at it or before moves up.
        let mask = self.entries.len() - 1;
        let mut place = gap;
        loop {
            place = (place + 1) & mask;
            let entry = self.entries[place];
            if slot(entry) == NONE {
                break;
            }
            let home = self.home(hash_of(entry));
            if place.wrapping_sub(home) & mask >= place.wrapping_sub(gap) & mask {
                self.entries[gap] = entry;
                gap = place;
            }
        }
        self.entries[gap] = FREE;
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<u64>()
    }

    fn home(&self, hash: u32) -> usize {
        // Of an empty table as well: it has no place then, whatever this gives.
        hash as usize & self.entries.len().wrapping_sub(1)
    }

    fn search(&self, hash: u32, is_wanted: impl Fn(u32) -> bool) -> Option<usize> {
        if self.entries.is_empty() {
            return None;
        }
        let mut place = self.home(hash);
        // A quarter of the entries is free, so this ends.
        loop {
            let entry = self.entries[place];
            if slot(entry) == NONE {
                return None;
            }
            if hash_of(entry) == hash && is_wanted(slot(entry)) {
                return Some(place);
            }
            place = (place + 1) & (self.entries.len() - 1);
        }
    }

    fn insert(&mut self, entry: u64) {
        let mut place = self.home(hash_of(entry));
        while slot(self.entries[place]) != NONE {
            place = (place + 1) & (self.entries.len() - 1);
        }
        self.entries[place] = entry;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
fn slot(entry: u64) -> u32 {
    entry as u32
}

fn hash_of(entry: u64) -> u32 {
    (entry >> 32) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Few hashes that crowd at the end of the table, so that runs are long and wrap.
        #[test]
        fn it_says_what_a_plain_map_says(steps in prop::collection::vec((0..40_u32, prop::bool::ANY), 0..400)) {
            let mut index = Index::default();
            let mut plain: BTreeMap<u32, u32> = BTreeMap::new();
            let hash = |slot: u32| u32::MAX - slot / 3;
            for (slot, put) in steps {
                if put {
                    let before = index.put(hash(slot), slot, |other| other == slot);
                    prop_assert_eq!(before, plain.insert(slot, slot).unwrap_or(NONE));
                } else {
                    index.remove(hash(slot), slot);
                    plain.remove(&slot);
                }
                for slot in 0..40 {
                    let found = index.find(hash(slot), |other| other == slot);
                    prop_assert_eq!(found, plain.get(&slot).copied().unwrap_or(NONE));
                }
                prop_assert_eq!(index.used, plain.len());
            }
        }
    }
}
