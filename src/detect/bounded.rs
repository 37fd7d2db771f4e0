//! A map that never holds more than it was told to.
//!
//! Two generations instead of a linked list: what is touched moves to the young one; when the young one is full the old one is dropped and the
//! young one takes its place. What is dropped is therefore what was not touched for at least half the capacity's worth of
//! insertions, at the price of one hash look-up. Iteration follows the order of insertion, never that of hashes, so runs are repeatable.

use std::hash::Hash;

use foldhash::fast::RandomState;
use indexmap::{Equivalent, IndexMap};

type Map<K, V> = IndexMap<K, V, RandomState>;

/// See the module's text.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    young: Map<K, V>,
    old: Map<K, V>,
    half: usize,
    dropped: Vec<(K, V)>,
}

impl<K: Hash + Eq, V> Bounded<K, V> {
    /// An empty map for at most `capacity` entries (at least 2).
    pub(super) fn new(capacity: usize) -> Self {
        Bounded { young: Map::default(), old: Map::default(), half: (capacity / 2).max(1), dropped: Vec::new() }
    }

    /// Entries held.
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Most entries held.
    pub(super) fn capacity(&self) -> usize {
        self.half * 2
    }

    /// Changes how many it may hold. Nothing is dropped at once.
    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.half = (capacity / 2).max(1);
    }

    /// Whether `more` entries that are touched or put in may drop others.
    pub(super) fn is_tight(&self, more: usize) -> bool {
        self.young.len() + more >= self.half
    }

    /// The value of `key`, which counts as touched.
    pub(super) fn get_mut<Q: ?Sized + Hash + Equivalent<K>>(&mut self, key: &Q) -> Option<&mut V> {
        // What is busy is young: one look-up finds it.
        if let Some(index) = self.young.get_index_of(key) {
            return self.young.get_index_mut(index).map(|(_, value)| value);
        }
        let (key, value) = self.old.swap_remove_entry(key)?;
        Some(self.insert_new(key, value))
    }

    /// The value of `key`, which does not count as touched.
    pub(super) fn get<Q: ?Sized + Hash + Equivalent<K>>(&self, key: &Q) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Puts an entry in. What had to go for it waits in [`Bounded::take_dropped`].
    pub(super) fn insert(&mut self, key: K, value: V) {
        if let Some(known) = self.young.get_mut(&key) {
            *known = value;
            return;
        }
        self.old.swap_remove(&key);
        self.insert_new(key, value);
    }

    /// The value of `key`, which counts as touched, made where there is none. Like [`Bounded::insert`] it may push others out.
    pub(super) fn get_or_insert<Q: ?Sized + Hash + Equivalent<K>>(
        &mut self,
        key: &Q,
        make: impl FnOnce() -> (K, V),
    ) -> &mut V {
        if let Some(index) = self.young.get_index_of(key) {
            return &mut self.young[index];
        }
        let (key, value) = self.old.swap_remove_entry(key).unwrap_or_else(make);
        self.insert_new(key, value)
    }

    /// Puts in an entry that is known not to be there, and saves looking for it.
    fn insert_new(&mut self, key: K, value: V) -> &mut V {
        if self.young.len() >= self.half {
            // Both keep their room: in a flood this happens all the time.
            self.dropped.extend(self.old.drain(..));
            std::mem::swap(&mut self.old, &mut self.young);
        }
        let (index, _) = self.young.insert_full(key, value);
        &mut self.young[index]
    }

    /// Takes an entry out.
    pub(super) fn remove<Q: ?Sized + Hash + Equivalent<K>>(&mut self, key: &Q) -> Option<V> {
        self.young.swap_remove(key).or_else(|| self.old.swap_remove(key))
    }

    /// What was dropped for want of room since the last call.
    pub(super) fn take_dropped(&mut self) -> Vec<(K, V)> {
        std::mem::take(&mut self.dropped)
    }

    /// Keeps what `keep` says.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.old.retain(&mut keep);
        self.young.retain(&mut keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_touched_stays_and_what_is_not_is_reported_as_dropped() {
        let mut map = Bounded::new(8);
        for n in 0..100_u32 {
            map.insert(n, n);
            assert!(map.len() <= 8, "{} entries", map.len());
            assert!(map.get_mut(&0).is_some(), "a touched entry was dropped at {n}");
        }
        let dropped = map.take_dropped();
        assert_eq!(dropped.len() + map.len(), 100);
        assert!(dropped.iter().all(|(key, _)| map.get(key).is_none()));
        assert!(map.take_dropped().is_empty());
    }

    #[test]
    fn what_grows_in_time_drops_nothing() {
        let mut map = Bounded::new(8);
        for n in 0..100_u32 {
            if map.is_tight(1) {
                map.set_capacity(map.capacity() * 2);
            }
            map.insert(n, n);
        }
        assert_eq!((map.len(), map.take_dropped().len()), (100, 0));
        map.set_capacity(8);
        for n in 100..108 {
            map.insert(n, n);
        }
        assert!(map.len() <= 8 && map.take_dropped().len() >= 100);
    }

    #[test]
    fn replacing_and_removing_do_not_drop() {
        let mut map = Bounded::new(4);
        for round in 0..50 {
            map.insert(1, round);
            map.insert(2, round);
        }
        assert_eq!((map.len(), map.remove(&1), map.remove(&1)), (2, Some(49), None));
        map.retain(|_, value| *value < 10);
        assert_eq!(map.len(), 0);
        assert!(map.take_dropped().is_empty());
    }
}
