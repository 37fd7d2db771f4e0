//! A map for what is mostly one or two entries: a list that is searched from its start, and an index only once there are many.
//!
//! In a flood groups are made and dropped as fast as records come, each with a value or two. A hash table for each would cost two
//! allocations, which is more than all the rest of a group. Order is that of insertion, as far as nothing was taken out.

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::key::Key;

/// Entries up to which a list is searched.
const LISTED: usize = 8;

/// See the module's text.
#[derive(Debug)]
pub(super) enum Few<V> {
    Listed(Vec<(Key, V)>),
    Indexed(IndexMap<Key, V, RandomState>),
}

impl<V> Default for Few<V> {
    fn default() -> Self {
        Few::Listed(Vec::new())
    }
}

impl<V> Few<V> {
    /// Entries held.
    pub(super) fn len(&self) -> usize {
        match self {
            Few::Listed(list) => list.len(),
            Few::Indexed(map) => map.len(),
        }
    }

    /// Whether none is held.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of `key`.
    pub(super) fn get(&self, key: &Key) -> Option<&V> {
        match self {
            Few::Listed(list) => list.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            Few::Indexed(map) => map.get(key),
        }
    }

    /// The value of `key`, to be changed.
    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut V> {
        match self {
            Few::Listed(list) => list.iter_mut().find(|(known, _)| known == key).map(|(_, value)| value),
            Few::Indexed(map) => map.get_mut(key),
        }
    }

    /// Puts in a key that is known not to be there.
    pub(super) fn insert_new(&mut self, key: Key, value: V) {
        match self {
            Few::Listed(list) if list.len() < LISTED => {
                // One is what most have; a vector would begin with four.
                if list.capacity() == 0 {
                    list.reserve_exact(1);
                }
                list.push((key, value));
            }
            Few::Listed(list) => {
                let mut map: IndexMap<_, _, _> = list.drain(..).collect();
                map.insert(key, value);
                *self = Few::Indexed(map);
            }
            Few::Indexed(map) => _ = map.insert(key, value),
        }
    }

    /// Takes a key out; the last entry comes into its place.
    pub(super) fn swap_remove(&mut self, key: &Key) {
        match self {
            Few::Listed(list) => {
                if let Some(at) = list.iter().position(|(known, _)| known == key) {
                    list.swap_remove(at);
                }
            }
            Few::Indexed(map) => _ = map.swap_remove(key),
        }
    }

    /// Keeps the entries for which `keep` says so.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        match self {
            Few::Listed(list) => list.retain(|(_, value)| keep(value)),
            Few::Indexed(map) => map.retain(|_, value| keep(value)),
        }
    }

    /// All entries.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &V)> {
        let (list, map) = match self {
            Few::Listed(list) => (Some(list), None),
            Few::Indexed(map) => (None, Some(map)),
        };
        let listed = list.into_iter().flatten().map(|(key, value)| (key, value));
        listed.chain(map.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_says_what_a_plain_map_says(steps in prop::collection::vec((0..14_u64, 0..3_u8), 0..80)) {
            let (mut few, mut plain) = (Few::default(), IndexMap::new());
            for (step, (number, what)) in steps.into_iter().enumerate() {
                let key = Key::Int(number);
                match what {
                    0 => {
                        few.swap_remove(&key);
                        plain.swap_remove(&key);
                    }
                    _ if plain.contains_key(&key) => {
                        *few.get_mut(&key).expect("held") = step;
                        plain.insert(key.clone(), step);
                    }
                    _ => {
                        few.insert_new(key.clone(), step);
                        plain.insert(key.clone(), step);
                    }
                }
                if step % 20 == 19 {
                    few.retain(|value| value % 3 > 0);
                    plain.retain(|_, value| *value % 3 > 0);
                }
                prop_assert_eq!(few.get(&key), plain.get(&key));
                prop_assert_eq!((few.len(), few.is_empty()), (plain.len(), plain.is_empty()));
                prop_assert!(few.iter().eq(plain.iter()), "in the same order");
            }
        }
    }
}
