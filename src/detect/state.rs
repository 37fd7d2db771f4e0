//! One rule at work: which rows it takes, and what it keeps of them.

mod holding;
mod search;

use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::Limits;
use super::baseline::Baseline;
use super::bounded::Bounded;
use super::condition::Function;
use super::habits::Habits;
use super::hosts::Hosts;
use super::incident::{Book, Finding, Tip};
use super::key::{GroupKey, Key};
use super::novelty::{Learned, Novelty};
use super::rule::Rule;
use super::shown::Known;
use super::told::Told;
use super::window::{Contribution, Group, Item, PANES, Pane};
use search::Search;

use crate::filter::Stage;
use crate::record::{Field, Row, Value};

/// Bytes of a value that `new` remembers, about, with its share of a group's key.
const REMEMBERED: usize = 200;

/// See the module's text.
#[derive(Debug)]
pub(super) struct RuleState {
    pub rule: Arc<Rule>,
    index: usize,
    pane: i64,
    /// Oldest pane held.
    base: i64,
    /// Seconds below the watermark from which on nothing that ended changes any more.
    slack: i64,
    groups: Bounded<GroupKey, Group>,
    /// Groups that it may always hold, the most it ever may, and bytes of one, about.
    own_groups: usize,
    max_groups: usize,
    group_bytes: usize,
    /// What a session adds and what it added: buffers that are kept.
    added: Contribution,
    taken: Contribution,
    /// By slot of the aggregate.
    novelty: Vec<(usize, Novelty)>,
    habits: Habits,
    words: usize,
    word_cap: usize,
    /// Groups that changed since they were last looked at, and what changed them. Looking once a batch instead of once a row is what
    /// keeps a flood cheap, and it passes over states that the rest of the batch disproves.
    changed: IndexMap<GroupKey, Tip, RandomState>,
    changed_cap: usize,
    evicted: u64,
    pub late: u64,
}

impl RuleState {
    /// State for `rule`, which may use `memory` bytes and, for what `new` remembers, `learning` bytes.
    pub(super) fn new(rule: Arc<Rule>, index: usize, limits: &Limits, memory: usize, learning: usize) -> Self {
        let pane = (rule.timespan / PANES).max(1);
        // What one costs, keys included: a group has its first pane in place and one more for each tenth of a window in which something
        // happened, mostly where its sessions end. The list of groups doubles, so that a part of it is empty.
        let slots = rule.aggregates.len();
        let group = (size_of::<Group>() + size_of::<GroupKey>() + 24) * 3 / 2 + 2 * (size_of::<Pane>() + 16 * slots);
        // Half of the groups' share is the rule's own; the other half all rules have together.
        let groups = (memory / 8 / group).clamp(64, limits.max_groups.max(64));
        let novel: Vec<usize> = (0..slots).filter(|slot| rule.aggregates[*slot].function == Function::New).collect();
        let remembered = (learning / REMEMBERED / novel.len().max(1)).max(256);
        RuleState {
            index,
            pane,
            base: i64::MIN,
            slack: if rule.stage == Stage::Sessions { REVIVAL } else { 0 },
            groups: Bounded::new(groups),
            own_groups: groups,
            max_groups: limits.max_groups.max(64),
            group_bytes: group,
            added: Contribution::default(),
            taken: Contribution::default(),
            novelty: novel.into_iter().map(|slot| (slot, Novelty::new(remembered))).collect(),
            habits: Habits::of(&rule, memory),
            words: 0,
            word_cap: (memory / 4 / 96).max(1_024),
            changed: IndexMap::default(),
            changed_cap: changed_cap(groups),
            evicted: 0,
            late: 0,
            rule,
        }
    }

    /// Takes room for more groups from what the rules have together, `pool` bytes, before `more` of them may push others out.
    pub(super) fn widen(&mut self, more: usize, pool: &mut usize) {
        let capacity = self.groups.capacity();
        // Both halves of the map are of one size.
        let wider = (capacity * 2).min(self.max_groups) / 2 * 2;
        if wider <= capacity || !self.groups.is_tight(more) {
            return;
        }
        if let Some(left) = pool.checked_sub((wider - capacity) * self.group_bytes) {
            *pool = left;
            self.groups.set_capacity(wider);
            self.changed_cap = changed_cap(wider);
        }
    }

    /// Takes room for `more` values that `new` may have to remember: one that finds none is never called new.
    pub(super) fn remember(&mut self, more: usize, pool: &mut usize) {
        for (_, novelty) in &mut self.novelty {
            if novelty.is_tight(more) {
                let room = (novelty.capacity() / 2 * REMEMBERED).min(*pool);
                *pool -= room;
                novelty.widen(room / REMEMBERED);
            }
        }
    }

    /// Gives back room that it does not need any more.
    fn narrow(&mut self, pool: &mut usize) {
        let capacity = self.groups.capacity();
        let narrower = (capacity / 2).max(self.own_groups);
        if narrower + 1 < capacity && self.groups.len() < narrower / 4 {
            self.groups.set_capacity(narrower);
            *pool += (capacity - self.groups.capacity()) * self.group_bytes;
            self.changed_cap = changed_cap(narrower);
        }
    }

    /// Groups held.
    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Groups that had to go for want of room.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted + self.habits.evicted()
    }

    /// Values that `new` had no room for.
    pub(super) fn refused(&self) -> u64 {
        self.novelty.iter().map(|(_, novelty)| novelty.refused).sum()
    }

    /// Sets the learning time.
    pub(super) fn learn(&mut self, learned: Learned) {
        for (_, novelty) in &mut self.novelty {
            if novelty.learn(learned) {
                // What was ordinary may be new now.
                for key in novelty.groups() {
                    self.changed.entry(key).or_default();
                }
            }
        }
    }

    /// Learns what was used before, with room for it out of `pool`, bytes.
    pub(super) fn teach(&mut self, baseline: &Baseline, pool: &mut usize) {
        for (slot, novelty) in &mut self.novelty {
            let Some(field) = self.rule.aggregates.get(*slot).and_then(|aggregate| aggregate.field) else { continue };
            let uses = baseline.uses.iter().filter_map(|used| {
                let group: Option<GroupKey> = self.rule.group_by.iter().map(|field| used.key(*field)).collect();
                Some((group?, used.key(field)?))
            });
            let uses: Vec<(GroupKey, Key)> = uses.collect();
            let room = (uses.len() * REMEMBERED).min(*pool);
            *pool -= room;
            novelty.widen(room / REMEMBERED);
            for (group, value) in uses {
                if novelty.add(&group, &value, baseline.from, baseline.from, false) {
                    self.changed.entry(group).or_default();
                }
            }
        }
    }

    /// A flow record that it takes: its group, what it adds, its start and end.
    #[expect(clippy::too_many_arguments, reason = "an order, and the parts of the ledger, which are borrowed apart")]
    pub(super) fn flow(
        &mut self,
        group: &[Key],
        items: &[Item],
        (start, end): (i64, i64),
        counts: bool,
        protocol: Option<u8>,
        hosts: &Hosts,
        book: &mut Book,
    ) {
        let mut new = std::mem::take(&mut self.added);
        new.group.clear();
        new.group.extend_from_slice(group);
        new.items.clear();
        new.items.extend_from_slice(items);
        let last = end.clamp(-LATEST, LATEST);
        (new.start, new.end, new.counts, new.id) = (start.min(last), last, counts, 0);
        new.panes = (last.div_euclid(self.pane), last.div_euclid(self.pane));
        if new.panes.1 < self.base {
            self.late += 1;
        } else if self.put(&new, 0, hosts) {
            self.change(&new.group, Tip { session: None, protocol, records: records(&new) }, book);
        }
        self.added = new;
    }

    /// A session changed: what it added goes, what it adds now comes. `new` says whether it counts. True where something is held of it.
    pub(super) fn session(
        &mut self,
        old: Option<(&Told, bool)>,
        new: Option<(&Known, bool)>,
        at: u64,
        hosts: &Hosts,
        book: &mut Book,
    ) -> bool {
        let (mut taken, mut added) = (std::mem::take(&mut self.taken), std::mem::take(&mut self.added));
        if let Some((told, counts)) = old {
            self.fill(&mut taken, &told.known, told.known.facts.last, counts);
        }
        if let Some((known, counts)) = new {
            self.fill(&mut added, known, known.facts.last, counts);
        }
        let comes = new.is_some() && added.panes.1 >= self.base;
        self.late += u64::from(new.is_some() && !comes);
        let stays = old.is_some() && comes && taken.group == added.group;
        if let Some((told, counted)) = old
            && stays
            && counted == added.counts
        {
            let unchanged = taken == added && self.holds(&taken, told.at);
            if !unchanged && self.renew(&taken, told.at, &added, at, hosts) {
                self.change(&added.group, tip(new, records(&added) - records(&taken)), book);
            }
        } else if let Some((told, _)) = old {
            let goes = self.take(&taken, told.at, stays && added.counts);
            if goes && !stays {
                self.change(&taken.group, Tip { records: -records(&taken), ..Tip::default() }, book);
            }
            if comes && (self.put(&added, at, hosts) || (goes && stays)) {
                let more = records(&added) - if stays { records(&taken) } else { 0.0 };
                self.change(&added.group, tip(new, more), book);
            }
        } else if old.is_none() && comes && self.put(&added, at, hosts) {
            self.change(&added.group, tip(new, records(&added)), book);
        }
        (self.taken, self.added) = (taken, added);
        comes
    }

    /// Whether a session that was last seen at `last` may still have to be taken back.
    pub(super) fn needs(&self, last: i64) -> bool {
        last.div_euclid(self.pane) >= self.base
    }

    /// Nothing below `watermark` comes any more: drops what no window needs.
    pub(super) fn advance(&mut self, watermark: i64, pool: &mut usize) {
        let base = watermark.saturating_sub(self.slack).div_euclid(self.pane) - PANES;
        // A tenth of a window at a time: the price of a sweep over all groups is shared by many records.
        if self.base == i64::MIN || base > self.base {
            self.base = base;
            self.sweep();
            self.narrow(pool);
        }
    }

    /// Whether what ended by the end of this pane is as it will be.
    fn is_final(&self, pane: i64) -> bool {
        self.base != i64::MIN && pane < self.base.saturating_add(PANES)
    }

    fn sweep(&mut self) {
        let base = self.base;
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
                settle(
                    &mut self.groups,
                    self.index,
                    &key,
                    (incident, Some(finding)),
                    Tip::default(),
                    (self.base, book),
                );
            }
        }
    }

    /// Notes that a group changed.
    fn change(&mut self, key: &[Key], tip: Tip, book: &mut Book) {
        match self.changed.get_mut(key) {
            Some(known) => {
                known.session = tip.session.or(known.session);
                known.protocol = tip.protocol.or(known.protocol);
                known.records += tip.records;
            }
            None => _ = self.changed.insert(key.into(), tip),
        }
        if self.changed.len() >= self.changed_cap {
            self.look(book);
        }
    }

    /// Looks at every group that changed.
    pub(super) fn look(&mut self, book: &mut Book) {
        // Taken out while it is gone through, and put back with its room.
        let mut changed = std::mem::take(&mut self.changed);
        for (key, tip) in changed.drain(..) {
            self.assess(&key, tip, book);
        }
        self.changed = changed;
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
        settle(&mut self.groups, self.index, key, (incident, found), tip, (self.base, book));
    }
}

/// Groups that may wait to be looked at, where so many are held: one that changed must not be dropped before.
fn changed_cap(groups: usize) -> usize {
    (groups / 4).clamp(1, 4_096)
}

/// Seconds after its last record in which a session may still go on: the longest idle time (five minutes) and the usual interval, twice.
const REVIVAL: i64 = 420;

/// Latest time that is taken at its word (the year 9999), so that no sum of times overflows.
const LATEST: i64 = 253_402_300_799;

/// Tells the book what was found in panes from `base` on, and notes the alert at the group.
fn settle(
    groups: &mut Bounded<GroupKey, Group>,
    rule: usize,
    key: &GroupKey,
    (incident, found): (Option<u64>, Option<Finding>),
    tip: Tip,
    (base, book): (i64, &mut Book),
) {
    let now = match (incident, found) {
        (None, None) => return,
        (None, Some(finding)) => Some(book.open(rule, key, finding, tip)),
        (Some(id), None) => (!book.lapse(id, base)).then_some(id),
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

/// What a session brought about, with so many records more.
fn tip(new: Option<(&Known, bool)>, records: f64) -> Tip {
    let facts = new.map(|(known, _)| &known.facts);
    Tip { session: facts.map(|facts| facts.id), protocol: facts.map(|facts| facts.protocol), records }
}

/// A time of a row, Unix seconds, at most [`LATEST`].
pub(super) fn time<R: Row + ?Sized>(row: &R, field: Field) -> Option<i64> {
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
