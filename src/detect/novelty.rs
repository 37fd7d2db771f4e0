//! What a group has shown before: the memory behind `new(field)`.
//!
//! "Never seen" can only mean "not since the oldest held", so nothing is new until a baseline exists: values count as new only when they
//! were first seen after the learning time. The same holds for each group: a host that appears today has no habits yet, and all it does
//! would be new, so it is learned for as long as the whole was. The memory is exact. When it is full it stops learning and calls nothing new, since an alarm
//! that comes from forgetting is worse than silence; how often that happened is counted.

use std::collections::BTreeSet;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::few::Few;
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

#[derive(Debug)]
struct Memory {
    /// Since when the group's host is known, Unix seconds.
    since: i64,
    values: Few<Seen>,
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
    learned: Option<Learned>,
}

/// The learning time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Learned {
    /// Unix second at which it ends.
    pub until: i64,
    /// Its length, which each group needs as well, seconds.
    pub length: i64,
}

impl Novelty {
    pub(super) fn new(cap: usize) -> Self {
        Novelty { groups: IndexMap::default(), held: 0, cap, refused: 0, learned: None }
    }

    /// Has room for so many values more.
    pub(super) fn widen(&mut self, more: usize) {
        self.cap = self.cap.saturating_add(more);
    }

    /// Values that it may hold.
    pub(super) fn capacity(&self) -> usize {
        self.cap
    }

    /// Whether `more` values may find no room.
    pub(super) fn is_tight(&self, more: usize) -> bool {
        self.held + more >= self.cap
    }

    /// Sets the learning time, and looks again at all that is known. False where that changes nothing.
    pub(super) fn learn(&mut self, learned: Learned) -> bool {
        let changes = self.learned != Some(learned);
        if changes {
            self.learned = Some(learned);
            self.groups.values_mut().for_each(|memory| memory.rebuild(learned));
        }
        changes
    }

    /// Values of the group that are new at all.
    pub(super) fn most(&self, group: &[Key]) -> usize {
        self.groups.get(group).map_or(0, |memory| memory.fresh.len())
    }

    /// Notes that `value` was shown at `start` by a group whose host is known since `since`. False where what is new stays the same.
    pub(super) fn add(&mut self, group: &[Key], value: &Key, start: i64, since: i64, counts: bool) -> bool {
        if *value == Key::Absent {
            return false;
        }
        let room = self.held < self.cap;
        let memory = match self.groups.get_mut(group) {
            Some(memory) => memory,
            None if room => {
                let empty = Memory { since, values: Few::default(), fresh: BTreeSet::new() };
                self.groups.entry(group.into()).or_insert(empty)
            }
            None => {
                self.refused += 1;
                return false;
            }
        };
        let mut changed = memory.known_since(since.min(start), self.learned);
        let counted = u32::from(counts);
        if let Some(seen) = memory.values.get_mut(value) {
            let before = seen.first;
            seen.first = seen.first.min(start);
            seen.uses = seen.uses.saturating_add(1);
            seen.counted = seen.counted.saturating_add(counted);
            if before != seen.first || seen.counted == counted {
                changed |= memory.refresh(value, before, self.learned);
            }
        } else if room {
            memory.values.insert_new(value.clone(), Seen { first: start, uses: 1, counted });
            changed |= counts && memory.refresh(value, start, self.learned);
            self.held += 1;
        } else {
            self.refused += 1;
        }
        changed
    }

    /// A group's host is known since `since`, Unix seconds, as far as is known now. False where what is new stays the same.
    pub(super) fn known_since(&mut self, group: &[Key], since: i64) -> bool {
        let learned = self.learned;
        self.groups.get_mut(group).is_some_and(|memory| memory.known_since(since, learned))
    }

    /// Takes back one [`Novelty::add`]. False where what is new stays the same.
    pub(super) fn withdraw(&mut self, group: &[Key], value: &Key, counts: bool) -> bool {
        let Some(memory) = self.groups.get_mut(group) else { return false };
        let Some(seen) = memory.values.get_mut(value) else { return false };
        seen.uses = seen.uses.saturating_sub(1);
        seen.counted = seen.counted.saturating_sub(u32::from(counts));
        let (first, uses, left) = (seen.first, seen.uses, seen.counted);
        let changed = counts && left == 0 && memory.refresh(value, first, self.learned);
        if uses == 0 {
            memory.values.swap_remove(value);
            self.held -= 1;
        }
        changed
    }

    /// How many values of the group were first seen from `from` to `to`.
    pub(super) fn count(&self, group: &[Key], from: i64, to: i64) -> usize {
        self.fresh(group, from, to).count()
    }

    /// Those values with the times they were first seen, oldest first.
    pub(super) fn fresh(&self, group: &[Key], from: i64, to: i64) -> impl Iterator<Item = (i64, &Key)> {
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
    /// Greatest time at which what is first seen belongs to the baseline.
    fn baseline(&self, learned: Learned) -> i64 {
        learned.until.max(self.since.saturating_add(learned.length))
    }

    /// See [`Novelty::known_since`].
    fn known_since(&mut self, since: i64, learned: Option<Learned>) -> bool {
        if since >= self.since {
            return false;
        }
        let had = !self.fresh.is_empty();
        self.since = since;
        if let Some(learned) = learned {
            self.rebuild(learned);
        }
        had || !self.fresh.is_empty()
    }

    /// Finds the fresh values anew.
    fn rebuild(&mut self, learned: Learned) {
        let baseline = self.baseline(learned);
        self.fresh = self
            .values
            .iter()
            .filter(|(_, seen)| seen.counted > 0 && seen.first > baseline)
            .map(|(value, seen)| (seen.first, value.clone()))
            .collect();
    }

    /// Puts a value among the fresh ones or takes it away. `before` is when it was first seen before the change. True where that changes
    /// them.
    fn refresh(&mut self, value: &Key, before: i64, learned: Option<Learned>) -> bool {
        let Some(learned) = learned else { return false };
        let baseline = self.baseline(learned);
        let mut changed = before > baseline && self.fresh.remove(&(before, value.clone()));
        if let Some(seen) = self.values.get(value)
            && seen.counted > 0
            && seen.first > baseline
        {
            self.fresh.insert((seen.first, value.clone()));
            changed = true;
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> GroupKey {
        GroupKey::from_elem(Key::Int(1), 1)
    }

    #[test]
    fn nothing_is_new_until_a_baseline_is_learned() {
        let mut novelty = Novelty::new(100);
        let (early, late) = (Key::Int(22), Key::Int(4444));
        novelty.add(&group(), &early, 100, 100, true);
        novelty.add(&group(), &late, 200, 200, true);
        assert!(novelty.groups().is_empty());
        novelty.learn(Learned { until: 150, length: 0 });
        assert_eq!(novelty.groups(), [group()]);
        assert_eq!(novelty.fresh(&group(), i64::MIN, i64::MAX).collect::<Vec<_>>(), [(200, &late)]);
        // An older sighting that arrives late takes the novelty back.
        novelty.add(&group(), &late, 120, 120, true);
        assert_eq!(novelty.count(&group(), i64::MIN, i64::MAX), 0);
    }

    #[test]
    fn a_host_without_habits_does_nothing_new() {
        let mut novelty = Novelty::new(100);
        novelty.learn(Learned { until: 100, length: 100 });
        novelty.add(&group(), &Key::Int(22), 500, 500, true);
        novelty.add(&group(), &Key::Int(23), 590, 590, true);
        assert_eq!(novelty.count(&group(), 0, 1_000), 0, "the host itself is new");
        novelty.add(&group(), &Key::Int(24), 610, 610, true);
        assert_eq!(novelty.count(&group(), 0, 1_000), 1);
        // It turns out that the host was there long before.
        novelty.add(&group(), &Key::Int(25), 620, 300, true);
        assert_eq!(novelty.count(&group(), 0, 1_000), 4);
    }

    #[test]
    fn what_does_not_count_still_teaches() {
        let mut novelty = Novelty::new(100);
        novelty.learn(Learned { until: 0, length: 0 });
        let peer = Key::Int(7);
        novelty.add(&group(), &peer, 10, 0, false);
        assert_eq!(novelty.count(&group(), 0, 100), 0);
        novelty.add(&group(), &peer, 90, 90, true);
        assert_eq!(novelty.count(&group(), 0, 100), 1, "first seen at 10, and now it counts");
        assert_eq!(novelty.count(&group(), 50, 100), 0, "it was not first seen in this window");
        novelty.withdraw(&group(), &peer, true);
        assert_eq!(novelty.count(&group(), 0, 100), 0);
        novelty.withdraw(&group(), &peer, false);
        assert_eq!(novelty.held, 0);
    }

    #[test]
    fn a_full_memory_calls_nothing_new() {
        let mut novelty = Novelty::new(3);
        novelty.learn(Learned { until: 0, length: 0 });
        for port in 0..10 {
            novelty.add(&group(), &Key::Int(port), 5, 0, true);
        }
        assert_eq!((novelty.count(&group(), 0, 9), novelty.refused), (3, 7));
    }
}
