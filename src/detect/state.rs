//! One rule at work: which rows it takes, and what it keeps of them.

mod search;

use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::Limits;
use super::bounded::Bounded;
use super::condition::{Function, OfRow};
use super::hosts::Hosts;
use super::incident::{Book, Finding, Tip};
use super::key::{GroupKey, Key};
use super::novelty::{Learned, Novelty};
use super::rule::Rule;
use super::window::{Contribution, Group, Item, PANES, items};
use search::Search;

use crate::filter::Stage;
use crate::record::amplification::{AmpPort, amp_port};
use crate::record::{Field, Row, Value, services};

/// Methods of orientation that decide by evidence rather than by guess.
const CERTAIN: [&str; 4] = ["syn", "synack", "service", "learned"];

/// See the module's text.
#[derive(Debug)]
pub(super) struct RuleState {
    pub rule: Arc<Rule>,
    index: usize,
    pane: i64,
    /// Oldest pane held.
    base: i64,
    groups: Bounded<GroupKey, Group>,
    sessions: Bounded<u64, Contribution>,
    /// By slot of the aggregate.
    novelty: Vec<(usize, Novelty)>,
    words: usize,
    word_cap: usize,
    /// Number of the next group, so that what a dropped group held is never taken out of its successor.
    generation: u64,
    /// Groups that changed since they were last looked at, and what changed them. Looking once a batch instead of once a row is what
    /// keeps a flood cheap, and it passes over states that the rest of the batch disproves.
    changed: IndexMap<GroupKey, Tip, RandomState>,
    changed_cap: usize,
    pub evicted: u64,
    pub forgotten: u64,
    pub late: u64,
}

impl RuleState {
    /// State for `rule`, which may use `memory` bytes.
    pub(super) fn new(rule: Arc<Rule>, index: usize, limits: &Limits, memory: usize) -> Self {
        // Estimates of what one costs, keys included; a group has a pane for each tenth of a window in which something happened.
        let slots = rule.aggregates.len();
        let pane = (rule.timespan / PANES).max(1);
        let panes = usize::try_from((limits.lateness_seconds / pane).clamp(0, 6)).unwrap_or(6) + 2;
        let group = 300 + panes * (120 + 40 * slots);
        let groups = (memory / 4 / group).clamp(64, limits.max_groups.max(64));
        let sessions = (memory / 4 / (200 + 32 * slots)).max(256);
        let novel: Vec<usize> = (0..slots).filter(|slot| rule.aggregates[*slot].function == Function::New).collect();
        let remembered = (memory / 4 / 160 / novel.len().max(1)).max(256);
        RuleState {
            index,
            pane,
            base: i64::MIN,
            groups: Bounded::new(groups),
            sessions: Bounded::new(sessions),
            novelty: novel.into_iter().map(|slot| (slot, Novelty::new(remembered))).collect(),
            words: 0,
            word_cap: (memory / 4 / 96).max(1_024),
            generation: 0,
            changed: IndexMap::default(),
            // A group that changed must not be dropped before it is looked at.
            changed_cap: (groups / 4).clamp(1, 4_096),
            evicted: 0,
            forgotten: 0,
            late: 0,
            rule,
        }
    }

    /// Groups held.
    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Whether it asks what is new.
    pub(super) fn has_novelty(&self) -> bool {
        !self.novelty.is_empty()
    }

    /// Values that `new` had no room for.
    pub(super) fn refused(&self) -> u64 {
        self.novelty.iter().map(|(_, novelty)| novelty.refused).sum()
    }

    /// Sets the learning time.
    pub(super) fn learn(&mut self, learned: Learned) {
        for (_, novelty) in &mut self.novelty {
            novelty.learn(learned);
        }
    }

    /// A flow record.
    pub(super) fn flow<R: Row + ?Sized>(&mut self, row: &R, end: i64, hosts: &Hosts, book: &mut Book) {
        if let Some(mut new) = self.contribution(0, row, end) {
            if new.panes.1 < self.base {
                self.late += 1;
                return;
            }
            let tip = Tip { session: None, protocol: protocol(row), records: 1.0 };
            self.put(&mut new, hosts);
            self.change(&new.group, tip, book);
        }
    }

    /// A session changed: its old contribution goes, the new one comes. `unknown` says that it is shown for the first time.
    pub(super) fn session<R: Row + ?Sized>(
        &mut self,
        id: u64,
        row: &R,
        end: i64,
        unknown: bool,
        hosts: &Hosts,
        book: &mut Book,
    ) {
        let mut new = self.contribution(id, row, end);
        let old = if unknown { None } else { self.sessions.remove(&id) };
        if new.is_none() && old.is_none() {
            return;
        }
        if let (Some(new), Some(old)) = (&mut new, &old) {
            new.generation = old.generation;
        }
        if new == old {
            if let Some(old) = old {
                self.sessions.insert(id, old);
            }
            return;
        }
        let mut tip = Tip { session: Some(id), protocol: protocol(row), records: 0.0 };
        if let Some(old) = &old {
            self.take(old);
            if new.as_ref().is_none_or(|new| new.group != old.group) {
                let left = Tip { session: None, protocol: None, records: -records(old) };
                self.change(&old.group, left, book);
            } else {
                tip.records = -records(old);
            }
        }
        if let Some(mut new) = new {
            if new.panes.1 < self.base {
                self.late += 1;
                return;
            }
            self.put(&mut new, hosts);
            tip.records += records(&new);
            let group = new.group.clone();
            let counts = new.counts;
            self.sessions.insert(id, new);
            self.forgotten += self.sessions.take_dropped().len() as u64;
            if counts || old.is_some() || !self.novelty.is_empty() {
                self.change(&group, tip, book);
            }
        }
    }

    /// A session is no more: its contribution goes.
    pub(super) fn withdraw(&mut self, id: u64, book: &mut Book) {
        if let Some(old) = self.sessions.remove(&id) {
            self.take(&old);
            let tip = Tip { session: None, protocol: None, records: -records(&old) };
            self.change(&old.group, tip, book);
        }
    }

    /// Nothing below `watermark` comes any more: drops what no window needs.
    pub(super) fn advance(&mut self, watermark: i64) {
        let base = watermark.div_euclid(self.pane) - PANES;
        // A tenth of a window at a time: the price of a sweep over all groups is shared by many records.
        if self.base == i64::MIN || base > self.base {
            self.base = base;
            self.sweep();
        }
    }

    fn sweep(&mut self) {
        let base = self.base;
        self.sessions.retain(|_, contribution| contribution.panes.1 >= base);
        let mut words = 0;
        self.groups.retain(|_, group| {
            group.prune(base);
            words += group.words();
            !group.is_empty() || group.incident.is_some()
        });
        self.words = words;
    }

    /// The alert of a group is over; what is held of it is not evidence again.
    pub(super) fn over(&mut self, key: &GroupKey, last_pane: i64) {
        if let Some(group) = self.groups.get_mut(key) {
            group.incident = None;
            group.not_before = Some(last_pane.saturating_add(1));
        }
    }

    /// Nothing more comes: looks at everything that `new` remembers.
    pub(super) fn finish(&mut self, book: &mut Book) {
        let mut keys: Vec<GroupKey> = self.novelty.iter().flat_map(|(_, novelty)| novelty.groups()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            if self.groups.get(&key).is_none() {
                self.groups.insert(key.clone(), Group::default());
            }
            let Some(group) = self.groups.get(&key) else { continue };
            let incident = group.incident;
            let mut search = Search { state: self, key: &key, found: None };
            group.whole(&self.rule.aggregates, |window| search.look(window));
            if let Some(finding) = search.found {
                settle(&mut self.groups, self.index, &key, incident, Some(finding), Tip::default(), book);
            }
        }
    }

    /// What the row adds to which group, if the rule takes it.
    fn contribution<R: Row + ?Sized>(&self, id: u64, row: &R, end: i64) -> Option<Contribution> {
        let rule = &*self.rule;
        if rule.filter.as_ref().is_some_and(|filter| !filter.matches(row, end)) {
            return None;
        }
        if !rule.symmetric {
            let method = row.get(Field::OrientedBy);
            let certain = matches!(method, Some(Value::Text(method)) if CERTAIN.contains(&method));
            if !certain {
                return None;
            }
        }
        let amp = amplifier(row, rule.amplification_port.0);
        if rule.amplification_port.1 && amp.is_none() {
            return None;
        }
        let counts = rule.only.as_ref().is_none_or(|only| only.holds(&OfRow { row, amp }));
        if !counts && self.novelty.is_empty() {
            return None;
        }
        let last =
            time(row, Field::End).map_or(end, |known| if rule.stage == Stage::Flows { end } else { known.max(end) });
        let last = last.clamp(-LATEST, LATEST);
        let start = time(row, Field::Start).unwrap_or(last).min(last);
        let first = if rule.stage == Stage::Flows { last } else { start };
        Some(Contribution {
            group: rule.group_by.iter().map(|field| Key::of(row, *field)).collect(),
            id,
            start,
            end: last,
            panes: (first.div_euclid(self.pane), last.div_euclid(self.pane)),
            counts,
            items: items(&rule.aggregates, row),
            generation: 0,
        })
    }

    fn put(&mut self, what: &mut Contribution, hosts: &Hosts) {
        let since = if self.novelty.is_empty() { what.start } else { hosts.since(&what.group).unwrap_or(what.start) };
        for (slot, novelty) in &mut self.novelty {
            if let Some(Item::Word(value)) = what.items.get(*slot) {
                novelty.add(&what.group, value, what.start, since, what.counts);
            }
        }
        if !what.counts {
            return;
        }
        let next = self.generation + 1;
        let group = self.groups.get_or_insert(&what.group, || Group::numbered(next));
        self.generation = self.generation.max(group.generation);
        let before = group.words();
        group.add(&self.rule.aggregates, what, self.base, self.words < self.word_cap);
        self.words += group.words() - before;
        what.generation = group.generation;
        for (key, group) in self.groups.take_dropped() {
            if group.incident.is_some() {
                // An open alert must not lose its evidence to a flood of other groups.
                self.groups.insert(key, group);
            } else {
                self.words = self.words.saturating_sub(group.words());
                self.evicted += 1;
            }
        }
    }

    fn take(&mut self, what: &Contribution) {
        for (slot, novelty) in &mut self.novelty {
            if let Some(Item::Word(value)) = what.items.get(*slot) {
                novelty.withdraw(&what.group, value, what.counts);
            }
        }
        if !what.counts {
            return;
        }
        if let Some(group) = self.groups.get_mut(&what.group).filter(|group| group.generation == what.generation) {
            let before = group.words();
            group.withdraw(&self.rule.aggregates, what, self.base);
            self.words = self.words.saturating_sub(before.saturating_sub(group.words()));
        }
    }

    /// Notes that a group changed.
    fn change(&mut self, key: &GroupKey, tip: Tip, book: &mut Book) {
        match self.changed.get_mut(key) {
            Some(known) => {
                known.session = tip.session.or(known.session);
                known.protocol = tip.protocol.or(known.protocol);
                known.records += tip.records;
            }
            None => _ = self.changed.insert(key.clone(), tip),
        }
        if self.changed.len() >= self.changed_cap {
            self.look(book);
        }
    }

    /// Looks at every group that changed.
    pub(super) fn look(&mut self, book: &mut Book) {
        for (key, tip) in std::mem::take(&mut self.changed) {
            self.assess(&key, tip, book);
        }
    }

    /// Looks at every window of a group and tells the book.
    fn assess(&mut self, key: &GroupKey, tip: Tip, book: &mut Book) {
        let Some(group) = self.groups.get(key) else { return };
        let incident = group.incident;
        let mut search = Search { state: self, key, found: None };
        group.windows(&self.rule.aggregates, |window| search.look(window));
        let found = search.found;
        if found.is_none() && group.is_empty() && incident.is_none() {
            self.groups.remove(key);
            return;
        }
        settle(&mut self.groups, self.index, key, incident, found, tip, book);
    }
}

/// Latest time that is taken at its word (the year 9999), so that no sum of times overflows.
const LATEST: i64 = 253_402_300_799;

/// Tells the book what was found and notes the alert at the group.
fn settle(
    groups: &mut Bounded<GroupKey, Group>,
    rule: usize,
    key: &GroupKey,
    incident: Option<u64>,
    found: Option<Finding>,
    tip: Tip,
    book: &mut Book,
) {
    let now = match (incident, found) {
        (None, None) => return,
        (None, Some(finding)) => Some(book.open(rule, key, finding, tip)),
        (Some(id), None) => (!book.lapse(id)).then_some(id),
        (Some(id), Some(finding)) => {
            let last_pane = finding.last_pane;
            if book.grow(id, finding, tip) {
                Some(id)
            } else {
                // The book had no room for it; what is held of it is not evidence again.
                if let Some(group) = groups.get_mut(key) {
                    group.not_before = Some(last_pane.saturating_add(1));
                }
                None
            }
        }
    };
    if now != incident
        && let Some(group) = groups.get_mut(key)
    {
        group.incident = now;
    }
}

/// The row of the amplification table for a row's port, if it is UDP.
fn amplifier<R: Row + ?Sized>(row: &R, port: Field) -> Option<&'static AmpPort> {
    match (row.get(Field::Protocol), row.get(port)) {
        (Some(Value::Int(protocol)), Some(Value::Int(port))) if protocol == u64::from(services::UDP) => {
            amp_port(u16::try_from(port).ok()?)
        }
        _ => None,
    }
}

fn protocol<R: Row + ?Sized>(row: &R) -> Option<u8> {
    match row.get(Field::Protocol) {
        Some(Value::Int(number)) => u8::try_from(number).ok(),
        _ => None,
    }
}

fn time<R: Row + ?Sized>(row: &R, field: Field) -> Option<i64> {
    match row.get(field) {
        Some(Value::Int(seconds)) => Some(i64::try_from(seconds).unwrap_or(LATEST).min(LATEST)),
        _ => None,
    }
}

/// Flow records behind a contribution: its first slot.
fn records(of: &Contribution) -> f64 {
    match of.items.first() {
        Some(Item::Number(count)) if of.counts && count.is_finite() => *count,
        _ => 0.0,
    }
}
