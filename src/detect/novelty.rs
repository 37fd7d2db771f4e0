//! What a group has shown before: the memory behind `new(field)`.
//!
//! "Never seen" can only mean "not since the oldest held", so nothing is new until a baseline exists: values count as new only when they
//! were first seen after the learning time. The memory is exact. When it is full it stops learning and calls nothing new, since an alarm
//! that comes from forgetting is worse than silence; how often that happened is counted.

use std::collections::BTreeSet;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::key::{GroupKey, Key};

#[derive(Debug)]
struct Seen {
    /// Least start of what showed the value, Unix seconds.
    first: i64,
    /// Sessions and records that show it.
    uses: u32,
    /// Those of them that the rule counts.
    counted: u32,
}

#[derive(Debug, Default)]
struct Memory {
    values: IndexMap<Key, Seen, RandomState>,
    /// Values that are counted and were first seen after the learning time, by that time.
    fresh: BTreeSet<(i64, Key)>,
}

/// One `new(field)` of one rule, for all its groups.
#[derive(Debug)]
pub(super) struct Novelty {
    groups: IndexMap<GroupKey, Memory, RandomState>,
    held: usize,
    cap: usize,
    /// Values that found no room.
    pub refused: u64,
    learned: Option<i64>,
}

impl Novelty {
    pub(super) fn new(cap: usize) -> Self {
        Novelty { groups: IndexMap::default(), held: 0, cap, refused: 0, learned: None }
    }

    /// Sets the end of the learning time, and looks again at all that is known.
    pub(super) fn learn_until(&mut self, learned: i64) {
        if self.learned == Some(learned) {
            return;
        }
        self.learned = Some(learned);
        for memory in self.groups.values_mut() {
            memory.fresh = memory
                .values
                .iter()
                .filter(|(_, seen)| seen.counted > 0 && seen.first > learned)
                .map(|(value, seen)| (seen.first, value.clone()))
                .collect();
        }
    }

    /// Notes that `value` was shown at `start`.
    pub(super) fn add(&mut self, group: &GroupKey, value: &Key, start: i64, counts: bool) {
        if *value == Key::Absent {
            return;
        }
        let room = self.held < self.cap;
        let memory = match self.groups.get_mut(group) {
            Some(memory) => memory,
            None if room => self.groups.entry(group.clone()).or_default(),
            None => {
                self.refused += 1;
                return;
            }
        };
        let counted = u32::from(counts);
        if let Some(seen) = memory.values.get_mut(value) {
            let before = seen.first;
            seen.first = seen.first.min(start);
            seen.uses = seen.uses.saturating_add(1);
            seen.counted = seen.counted.saturating_add(counted);
            if before != seen.first || seen.counted == counted {
                memory.refresh(value, before, self.learned);
            }
        } else if room {
            memory.values.insert(value.clone(), Seen { first: start, uses: 1, counted });
            memory.refresh(value, start, self.learned);
            self.held += 1;
        } else {
            self.refused += 1;
        }
    }

    /// Takes back one [`Novelty::add`].
    pub(super) fn withdraw(&mut self, group: &GroupKey, value: &Key, counts: bool) {
        let Some(memory) = self.groups.get_mut(group) else { return };
        let Some(seen) = memory.values.get_mut(value) else { return };
        seen.uses = seen.uses.saturating_sub(1);
        seen.counted = seen.counted.saturating_sub(u32::from(counts));
        let (first, uses) = (seen.first, seen.uses);
        memory.refresh(value, first, self.learned);
        if uses == 0 {
            memory.values.swap_remove(value);
            self.held -= 1;
        }
    }

    /// How many values of the group were first seen from `from` to `to`.
    pub(super) fn count(&self, group: &GroupKey, from: i64, to: i64) -> f64 {
        f64::from(u32::try_from(self.fresh(group, from, to).count()).unwrap_or(u32::MAX))
    }

    /// Those values with the times they were first seen, oldest first.
    pub(super) fn fresh(&self, group: &GroupKey, from: i64, to: i64) -> impl Iterator<Item = (i64, &Key)> {
        self.groups
            .get(group)
            .into_iter()
            .flat_map(move |memory| memory.fresh.range((from, Key::Absent)..))
            .take_while(move |(first, _)| *first <= to)
            .map(|(first, value)| (*first, value))
    }

    /// Groups that have something new.
    pub(super) fn groups(&self) -> Vec<GroupKey> {
        self.groups.iter().filter(|(_, memory)| !memory.fresh.is_empty()).map(|(group, _)| group.clone()).collect()
    }
}

impl Memory {
    /// Puts a value among the fresh ones or takes it away. `before` is when it was first seen before the change.
    fn refresh(&mut self, value: &Key, before: i64, learned: Option<i64>) {
        let Some(learned) = learned else { return };
        if before > learned {
            self.fresh.remove(&(before, value.clone()));
        }
        if let Some(seen) = self.values.get(value)
            && seen.counted > 0
            && seen.first > learned
        {
            self.fresh.insert((seen.first, value.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> GroupKey {
        [Key::Int(1)].into()
    }

    #[test]
    fn nothing_is_new_until_a_baseline_is_learned() {
        let mut novelty = Novelty::new(100);
        let (early, late) = (Key::Int(22), Key::Int(4444));
        novelty.add(&group(), &early, 100, true);
        novelty.add(&group(), &late, 200, true);
        assert!(novelty.groups().is_empty());
        novelty.learn_until(150);
        assert_eq!(novelty.groups(), [group()]);
        assert_eq!(novelty.fresh(&group(), i64::MIN, i64::MAX).collect::<Vec<_>>(), [(200, &late)]);
        // An older sighting that arrives late takes the novelty back.
        novelty.add(&group(), &late, 120, true);
        assert_eq!(novelty.count(&group(), i64::MIN, i64::MAX), 0.0);
    }

    #[test]
    fn what_does_not_count_still_teaches() {
        let mut novelty = Novelty::new(100);
        novelty.learn_until(0);
        let peer = Key::Int(7);
        novelty.add(&group(), &peer, 10, false);
        assert_eq!(novelty.count(&group(), 0, 100), 0.0);
        novelty.add(&group(), &peer, 90, true);
        assert_eq!(novelty.count(&group(), 0, 100), 1.0, "first seen at 10, and now it counts");
        assert_eq!(novelty.count(&group(), 50, 100), 0.0, "it was not first seen in this window");
        novelty.withdraw(&group(), &peer, true);
        assert_eq!(novelty.count(&group(), 0, 100), 0.0);
        novelty.withdraw(&group(), &peer, false);
        assert_eq!(novelty.held, 0);
    }

    #[test]
    fn a_full_memory_calls_nothing_new() {
        let mut novelty = Novelty::new(3);
        novelty.learn_until(0);
        for port in 0..10 {
            novelty.add(&group(), &Key::Int(port), 5, true);
        }
        assert_eq!((novelty.count(&group(), 0, 9), novelty.refused), (3.0, 7));
    }
}
