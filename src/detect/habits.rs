//! What a rule remembers of its groups beyond a window: the memory behind `beacon`, `prevalence`, `trw` and `baseline`.
//!
//! Each is a function of the contributions that are held, never of the order in which they came; each is bounded, and what had to go is counted.

mod contacts;
mod history;
mod rhythm;
#[cfg(test)]
mod tests;

use super::condition::Function;
use super::key::Key;
use super::rule::Rule;
use super::window::{Contribution, Item};
use contacts::Contacts;
pub(super) use contacts::{contact, failed};
use history::Histories;
use rhythm::Rhythms;

/// See the module's text. Empty for almost every rule.
#[derive(Debug, Default)]
pub(super) struct Habits {
    rhythms: Option<Rhythms>,
    contacts: Option<Contacts>,
    /// By slot of the aggregate, the mean's and the deviation's.
    histories: Vec<(Vec<usize>, Histories)>,
    /// Hosts of ours that are known.
    hosts: usize,
}

impl Habits {
    /// What `rule` asks for, within about `memory` bytes.
    pub(super) fn of(rule: &Rule, memory: usize) -> Habits {
        let mut habits = Habits::default();
        for (slot, aggregate) in rule.aggregates.iter().enumerate() {
            match aggregate.function {
                Function::Beacon | Function::BeaconInterval | Function::BeaconCount | Function::Prevalence => {
                    let rhythms = habits.rhythms.get_or_insert_with(|| Rhythms::new(memory));
                    match aggregate.function {
                        Function::Beacon if aggregate.field.is_some() => rhythms.sizes = Some(slot),
                        Function::Prevalence => {
                            rhythms.user = rule.group_by.iter().position(|field| Some(*field) == aggregate.field);
                        }
                        _ => {}
                    }
                }
                Function::Trw => habits.contacts = Some(Contacts::new(memory, slot)),
                Function::Mean(_) | Function::Deviation(_) => {
                    // Mean and deviation of the same sums are one history.
                    let same =
                        |slots: &Vec<usize>| slots.iter().any(|other| rule.aggregates[*other].field == aggregate.field);
                    match habits.histories.iter_mut().find(|(slots, _)| same(slots)) {
                        Some((slots, _)) => slots.push(slot),
                        None => habits.histories.push((vec![slot], Histories::new(memory, rule.timespan))),
                    }
                }
                _ => {}
            }
        }
        habits
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_empty(&self) -> bool {
        self.rhythms.is_none() && self.contacts.is_none() && self.histories.is_empty()
    }

    /// Whether what the rule asks for is here and not in its windows, so that a group may be made anew without loss.
    pub(super) fn outlive_groups(&self) -> bool {
        self.rhythms.is_some()
    }

    /// Groups that had to go with what was remembered of them.
    pub(super) fn evicted(&self) -> u64 {
        self.rhythms.as_ref().map_or(0, |rhythms| rhythms.evicted)
            + self.contacts.as_ref().map_or(0, |contacts| contacts.evicted)
            + self.histories.iter().map(|(_, histories)| histories.evicted).sum::<u64>()
    }

    /// Remembers a contribution. `hosts` is how many hosts of ours are known.
    pub(super) fn add(&mut self, what: &Contribution, hosts: usize) {
        self.hosts = hosts;
        if let Some(rhythms) = &mut self.rhythms {
            rhythms.add(what);
        }
        if let Some(contacts) = &mut self.contacts {
            contacts.add(what);
        }
        for (slots, histories) in &mut self.histories {
            if let Some(Item::Number(value)) = slots.first().and_then(|slot| what.items.get(*slot)) {
                histories.add(&what.group, what.end, *value);
            }
        }
    }

    /// Forgets a contribution again.
    pub(super) fn withdraw(&mut self, what: &Contribution) {
        if let Some(rhythms) = &mut self.rhythms {
            rhythms.withdraw(what);
        }
        if let Some(contacts) = &mut self.contacts {
            contacts.withdraw(what);
        }
        for (slots, histories) in &mut self.histories {
            if let Some(Item::Number(value)) = slots.first().and_then(|slot| what.items.get(*slot)) {
                histories.withdraw(&what.group, what.end, *value);
            }
        }
    }

    /// Takes `old` back and remembers `new`, of the same group.
    pub(super) fn renew(&mut self, old: &Contribution, new: &Contribution, hosts: usize) {
        self.hosts = hosts;
        if let Some(rhythms) = &mut self.rhythms
            && !rhythms.renew(old, new)
        {
            rhythms.withdraw(old);
            rhythms.add(new);
        }
        if let Some(contacts) = &mut self.contacts {
            contacts.renew(old, new);
        }
        for (slots, histories) in &mut self.histories {
            let value = |of: &Contribution| match slots.first().and_then(|slot| of.items.get(*slot)) {
                Some(Item::Number(value)) => Some(*value),
                _ => None,
            };
            if let (Some(was), Some(is)) = (value(old), value(new)) {
                histories.withdraw(&old.group, old.end, was);
                histories.add(&new.group, new.end, is);
            }
        }
    }

    /// The value of the aggregate in `slot` for a group, from the Unix second `from` to `to`. `None` where this is not remembered here.
    pub(super) fn value(&self, slot: usize, function: Function, group: &[Key], (from, to): (i64, i64)) -> Option<f64> {
        let rhythms = || self.rhythms.as_ref();
        Some(match function {
            Function::Beacon => rhythms()?.beat(group, from, to).score,
            Function::BeaconInterval => rhythms()?.beat(group, from, to).interval,
            Function::BeaconCount => rhythms()?.beat(group, from, to).count,
            Function::Prevalence => rhythms()?.prevalence(group, to, self.hosts),
            Function::Trw => self.contacts.as_ref()?.suspicion(group, from, to),
            Function::Mean(least) | Function::Deviation(least) => {
                let (_, histories) = self.histories.iter().find(|(slots, _)| slots.contains(&slot))?;
                let (mean, deviation) = histories.usual(group, from, least);
                if matches!(function, Function::Mean(_)) { mean } else { deviation }
            }
            _ => return None,
        })
    }

    /// The most that the aggregate can be in any window of a group: a cheap bound.
    pub(super) fn most(&self, function: Function, group: &[Key]) -> f64 {
        match function {
            Function::BeaconCount => self.rhythms.as_ref().map_or(0.0, |rhythms| rhythms.held(group)),
            Function::Trw => self.contacts.as_ref().map_or(0.0, |contacts| contacts.most(group)),
            _ => f64::INFINITY,
        }
    }
}
