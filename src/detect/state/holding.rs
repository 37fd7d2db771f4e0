//! What a rule holds of rows: how a contribution goes into its group, its windows and what is remembered beyond them, and comes out again.

use super::search::Most;
use super::{LATEST, RuleState, time};
use crate::detect::habits::Habits;
use crate::detect::hosts::Hosts;
use crate::detect::key::Key;
use crate::detect::novelty::Novelty;
use crate::detect::rule::Rule;
use crate::detect::shown::Known;
use crate::detect::window::{Contribution, Group, Item, items};
use crate::record::Field;

impl RuleState {
    /// What the session adds to which group.
    pub(super) fn fill(&self, into: &mut Contribution, row: &Known, end: i64, counts: bool) {
        let rule = &*self.rule;
        let last = end.clamp(-LATEST, LATEST);
        let start = time(row, Field::Start).unwrap_or(last).min(last);
        into.group.clear();
        into.group.extend(rule.group_by.iter().map(|field| Key::of(row, *field)));
        into.items.clear();
        into.items.extend(items(&rule.aggregates, row));
        (into.start, into.end, into.counts) = (start, last, counts);
        into.panes = (start.div_euclid(self.pane), last.div_euclid(self.pane));
        into.id = row.facts.id;
    }

    /// Puts it in. True where its group may have something to say.
    pub(super) fn put(&mut self, what: &Contribution, at: u64, hosts: &Hosts) -> bool {
        let mut speaks = false;
        if !self.novelty.is_empty() {
            let since = hosts.since(&what.group).unwrap_or(what.start);
            for (slot, novelty) in &mut self.novelty {
                if let Some(Item::Word(value)) = what.items.get(*slot) {
                    speaks |= novelty.add(&what.group, value, what.start, since, what.counts);
                }
            }
        }
        if !what.counts {
            return speaks;
        }
        if !self.habits.is_empty() {
            self.habits.add(what, hosts.len());
        }
        let group = self.groups.get_or_insert(&what.group[..], || (what.group[..].into(), Group::born(at)));
        let before = group.words();
        group.add(&self.rule.aggregates, what, self.base, self.words < self.word_cap);
        // A group that is full of values lets go of them, and is smaller afterwards.
        self.words = (self.words + group.words()).saturating_sub(before);
        speaks |= may_speak(&self.rule, &self.novelty, &self.habits, &what.group, group);
        self.let_go();
        speaks
    }

    /// Puts `new` in the place of `old`, which was put in at the look `told`; both count or both only teach, in the same group. True where
    /// that may have something to say.
    pub(super) fn renew(&mut self, old: &Contribution, told: u64, new: &Contribution, at: u64, hosts: &Hosts) -> bool {
        let mut speaks = false;
        for (slot, novelty) in &mut self.novelty {
            let (Some(Item::Word(was)), Some(Item::Word(is))) = (old.items.get(*slot), new.items.get(*slot)) else {
                continue;
            };
            let since = hosts.since(&new.group).unwrap_or(new.start);
            if was == is && old.start == new.start {
                speaks |= novelty.known_since(&new.group, since);
            } else {
                speaks |= novelty.withdraw(&old.group, was, old.counts);
                speaks |= novelty.add(&new.group, is, new.start, since, new.counts);
            }
        }
        if !new.counts {
            return speaks;
        }
        if !self.habits.is_empty() {
            self.habits.renew(old, new, hosts.len());
        }
        let (base, room) = (self.base, self.words < self.word_cap);
        let group = self.groups.get_or_insert(&new.group[..], || (new.group[..].into(), Group::born(at)));
        let before = group.words();
        if group.born <= told {
            group.renew(&self.rule.aggregates, old, new, base, room);
        } else {
            group.add(&self.rule.aggregates, new, base, room);
        }
        self.words = (self.words + group.words()).saturating_sub(before);
        speaks |= may_speak(&self.rule, &self.novelty, &self.habits, &new.group, group);
        self.let_go();
        speaks
    }

    /// Does away with the groups that had to make room.
    fn let_go(&mut self) {
        for (key, group) in self.groups.take_dropped() {
            if group.incident.is_some() {
                // An open alert must not lose its evidence to a flood of other groups.
                self.groups.insert(key, group);
            } else {
                self.words = self.words.saturating_sub(group.words());
                self.evicted += u64::from(!self.habits.outlive_groups());
            }
        }
    }

    /// Whether what was put in at that look is still there.
    pub(super) fn holds(&self, what: &Contribution, at: u64) -> bool {
        !what.counts || self.groups.get(&what.group[..]).is_some_and(|group| group.born <= at)
    }

    /// Takes out what was put in at that look. True where its group may have something to say; `more` says that it is not asked, since more
    /// comes.
    pub(super) fn take(&mut self, what: &Contribution, at: u64, more: bool) -> bool {
        let mut speaks = false;
        for (slot, novelty) in &mut self.novelty {
            if let Some(Item::Word(value)) = what.items.get(*slot) {
                speaks |= novelty.withdraw(&what.group, value, what.counts);
            }
        }
        if !what.counts {
            return speaks;
        }
        if !self.habits.is_empty() {
            self.habits.withdraw(what);
        }
        let Some(group) = self.groups.get_mut(&what.group[..]).filter(|group| group.born <= at) else { return speaks };
        let before = group.words();
        group.withdraw(&self.rule.aggregates, what, self.base);
        self.words = self.words.saturating_sub(before.saturating_sub(group.words()));
        if more {
            return speaks;
        }
        if group.is_empty() && group.incident.is_none() {
            self.groups.remove(&what.group[..]);
            return false;
        }
        speaks || may_speak(&self.rule, &self.novelty, &self.habits, &what.group, group)
    }
}

/// Whether a group has an alert that may have to change, or could have one.
fn may_speak(rule: &Rule, novelty: &[(usize, Novelty)], habits: &Habits, key: &[Key], group: &Group) -> bool {
    group.incident.is_some() || rule.condition.reachable(&Most { rule, novelty, habits, key, group })
}
