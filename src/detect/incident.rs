//! The book of alerts: held, raised, growing, absorbed, withdrawn, closed; and the news about them.
//!
//! One incident is one alert. While evidence keeps coming it grows; a rule that sees more of the same incident absorbs the alerts of rules
//! that see less of it; what later records disprove is withdrawn. What is withdrawn or absorbed before anybody asked was never news.

mod entry;
mod gather;
mod same;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::alert::{Alert, AlertEvent, Level};
use super::key::GroupKey;
use super::rule::Rule;
use super::window::PANES;
use crate::record::{Cell, Field};
use entry::{Entry, State, shifted};

/// What a rule found in a group.
#[derive(Debug)]
pub(super) struct Finding {
    /// How far the strongest window is above the nearest threshold.
    pub strength: f64,
    pub level: Level,
    pub measured: Vec<(String, f64)>,
    pub threshold: Vec<(String, f64)>,
    /// Least start and greatest end of the evidence.
    pub span: (i64, i64),
    /// Moment of the first window that holds.
    pub time: i64,
    /// A window holds by what can change no more.
    pub certain: bool,
    /// Last pane of the last window that holds.
    pub last_pane: i64,
    /// Flow records in the strongest window.
    pub records: u64,
    /// Values that were new, as text.
    pub values: String,
}

/// What changed when the finding was made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tip {
    pub session: Option<u64>,
    pub protocol: Option<u8>,
    /// Flow records more (or fewer) than before.
    pub records: f64,
}

#[derive(Debug)]
enum News {
    Raised(u64),
    Gone(Box<AlertEvent>),
}

/// A group whose alert is over: rule, key, last pane of the evidence.
pub(super) type Over = (usize, GroupKey, i64);

/// See the module's text.
#[derive(Debug)]
pub(super) struct Book {
    rules: Vec<Arc<Rule>>,
    /// `absorbs[a]` are the rules that rule `a` absorbs.
    absorbs: Vec<Vec<usize>>,
    entries: BTreeMap<u64, Entry>,
    /// Ids that are not closed.
    live: BTreeSet<u64>,
    news: Vec<News>,
    /// Alerts that changed since the last news.
    changed: BTreeSet<u64>,
    /// Alerts that speak for others of their rule and have to be written anew.
    stale: BTreeSet<u64>,
    next: u64,
    cap: usize,
    /// Since when what is new was not seen.
    known: String,
    pub raised: u64,
    pub withdrawn: u64,
    pub evicted: u64,
}

/// What "new" rests on where nothing else was learned.
const HELD: &str = "since the oldest record held";

impl Book {
    pub(super) fn new(rules: Vec<Arc<Rule>>, cap: usize) -> Self {
        let position = |id: &String| rules.iter().position(|rule| *rule.id == **id);
        let absorbs = rules.iter().map(|rule| rule.absorbs.iter().filter_map(position).collect()).collect();
        Book {
            rules,
            absorbs,
            entries: BTreeMap::new(),
            live: BTreeSet::new(),
            news: Vec::new(),
            changed: BTreeSet::new(),
            stale: BTreeSet::new(),
            next: 1,
            cap,
            known: HELD.to_owned(),
            raised: 0,
            withdrawn: 0,
            evicted: 0,
        }
    }

    /// Alerts that were raised and are still held, by number.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.entries.values().filter(|entry| matches!(entry.state, State::Open | State::Closed)).map(Entry::told)
    }

    /// News since the last call.
    pub(super) fn drain(&mut self) -> Vec<AlertEvent> {
        self.regather();
        let mut events = Vec::new();
        for news in std::mem::take(&mut self.news) {
            match news {
                News::Raised(id) => {
                    if let Some(entry) = self.entries.get(&id) {
                        self.changed.remove(&id);
                        events.push(AlertEvent::Raised(Alert { closed: false, ..entry.told().clone() }));
                    }
                }
                News::Gone(event) => events.push(*event),
            }
        }
        for id in std::mem::take(&mut self.changed) {
            if let Some(entry) = self.entries.get(&id)
                && entry.state == State::Open
            {
                events.push(AlertEvent::Updated(entry.told().clone()));
            }
        }
        events
    }

    /// A group without an alert has a finding. Gives the number of its alert.
    pub(super) fn open(&mut self, rule: usize, key: &GroupKey, finding: Finding, tip: Tip) -> u64 {
        let id = self.next;
        self.next += 1;
        let of = self.rules[rule].clone();
        let group: Vec<(Field, Cell)> =
            of.group_by.iter().copied().zip(key.iter().map(super::key::Key::cell)).collect();
        let alert = Alert {
            id,
            rule: of.id.clone(),
            title: of.title.clone(),
            level: finding.level,
            technique: of.technique.clone(),
            closed: false,
            withdrawn: false,
            time: finding.time,
            first: finding.span.0,
            last: finding.span.1,
            group,
            among: Vec::new(),
            measured: finding.measured,
            threshold: finding.threshold,
            count: finding.records,
            message: String::new(),
            filter: String::new(),
            stage: of.stage,
            meaning: of.meaning.clone(),
            timespan: of.timespan,
            false_positives: of.false_positives.clone(),
            session: tip.session,
        };
        let mut entry = Entry {
            alert,
            state: State::Held(finding.time.saturating_add(of.hold)),
            rule,
            key: key.clone(),
            strength: finding.strength,
            protocol: tip.protocol,
            values: finding.values,
            certain: finding.certain,
            last_pane: finding.last_pane,
            members: BTreeSet::new(),
            gathered: None,
        };
        entry.write(&of, &self.known);
        self.entries.insert(id, entry);
        self.live.insert(id);
        if of.hold == 0 {
            self.release(id);
        }
        self.evict();
        id
    }

    /// What is new was not seen since then: alerts that are not over say so from now on.
    pub(super) fn rests_on(&mut self, known: &str) {
        known.clone_into(&mut self.known);
        for id in &self.live {
            let Some(entry) = self.entries.get_mut(id) else { continue };
            let before = entry.alert.message.clone();
            entry.write(&self.rules[entry.rule], &self.known);
            if entry.state == State::Open && entry.alert.message != before {
                self.changed.insert(*id);
            }
        }
    }

    /// The group of alert `id` has a finding again. False where the alert is no longer held.
    pub(super) fn grow(&mut self, id: u64, finding: Finding, tip: Tip) -> bool {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.state != State::Closed) else { return false };
        let rule = self.rules[entry.rule].clone();
        let alert = &mut entry.alert;
        let before = (alert.first, alert.last, alert.count, alert.level);
        alert.first = alert.first.min(finding.span.0);
        alert.last = alert.last.max(finding.span.1);
        alert.time = alert.time.min(finding.time);
        alert.count = finding.records.max(shifted(alert.count, tip.records));
        alert.level = alert.level.max(finding.level);
        let stronger = finding.strength > entry.strength;
        // Until a window is certain the latest reading is the best one, also when it is a weaker one.
        let revised = stronger || (!entry.certain && finding.measured != alert.measured);
        if revised {
            alert.measured = finding.measured;
            alert.threshold = finding.threshold;
            alert.session = if stronger { tip.session.or(alert.session) } else { alert.session };
            entry.strength = finding.strength;
        }
        entry.certain |= finding.certain;
        entry.last_pane = entry.last_pane.max(finding.last_pane);
        let news = revised || finding.values != entry.values;
        entry.values = finding.values;
        if news || before != (alert.first, alert.last, alert.count, alert.level) {
            entry.write(&rule, &self.known);
            match entry.state {
                State::Open => {
                    self.changed.insert(id);
                    self.stale.insert(id);
                }
                State::Absorbed(by) => self.grown(by, id),
                _ => {}
            }
        }
        true
    }

    /// The group of alert `id` has no finding any more, in panes from `held` on. True where the alert is gone for that: it is not where
    /// it was certain, and not where its evidence has only become old.
    pub(super) fn lapse(&mut self, id: u64, held: i64) -> bool {
        match self.entries.get(&id) {
            Some(entry)
                if (entry.certain || entry.last_pane.saturating_sub(PANES - 1) < held)
                    && entry.state != State::Closed =>
            {
                false
            }
            Some(_) => {
                self.withdraw(id);
                true
            }
            None => true,
        }
    }

    /// Event time went on. `clock` is the greatest time seen, `watermark` the time below which nothing more comes.
    pub(super) fn advance(&mut self, clock: i64, watermark: i64) -> Vec<Over> {
        self.regather();
        let mut over = Vec::new();
        for id in self.live.clone() {
            let Some(entry) = self.entries.get_mut(&id) else {
                self.live.remove(&id);
                continue;
            };
            let quiet = watermark > entry.told().last.saturating_add(self.rules[entry.rule].suppress);
            let state = entry.state;
            match state {
                State::Held(until) if clock >= until => self.release(id),
                State::Open if quiet => {
                    over.push((entry.rule, entry.key.clone(), entry.last_pane));
                    self.close(id);
                }
                State::Absorbed(by) if self.entries.get(&by).is_none_or(|by| by.state == State::Closed) => {
                    if let Some(entry) = self.entries.remove(&id) {
                        over.push((entry.rule, entry.key, entry.last_pane));
                    }
                    self.live.remove(&id);
                }
                _ => {}
            }
        }
        over
    }

    /// Nothing more comes: raises what is held and closes everything.
    pub(super) fn finish(&mut self) {
        for id in self.live.clone() {
            if matches!(self.entries.get(&id).map(|entry| entry.state), Some(State::Held(_))) {
                self.release(id);
            }
        }
        for id in std::mem::take(&mut self.live) {
            match self.entries.get(&id).map(|entry| entry.state) {
                Some(State::Open) => self.close(id),
                Some(State::Absorbed(_)) => _ = self.entries.remove(&id),
                _ => {}
            }
        }
    }

    /// Alerts that are not over.
    pub(super) fn open_count(&self) -> usize {
        self.live.len()
    }

    /// Raises a held alert, unless an open one absorbs it; then absorbs what it can.
    fn release(&mut self, id: u64) {
        let Some(entry) = self.entries.get(&id) else { return };
        let (rule, key) = (entry.rule, entry.key.clone());
        let over = self.live.iter().copied().find(|&other| {
            other != id
                && self.entries.get(&other).is_some_and(|other| {
                    matches!(other.state, State::Open | State::Absorbed(_))
                        && self.absorbs[other.rule].contains(&rule)
                        && self.same(other.rule, &other.key, rule, &key)
                })
        });
        if let Some(over) = over {
            self.set(id, State::Absorbed(over));
        } else if self.join(id) {
            return;
        } else {
            self.set(id, State::Open);
            self.raised += 1;
            self.news.push(News::Raised(id));
        }
        if self.absorbs[rule].is_empty() {
            return;
        }
        let under: Vec<u64> = self
            .live
            .iter()
            .copied()
            .filter(|other| {
                self.entries.get(other).is_some_and(|other| {
                    other.state == State::Open
                        && other.members.is_empty()
                        && self.absorbs[rule].contains(&other.rule)
                        && self.same(rule, &key, other.rule, &other.key)
                })
            })
            .collect();
        for other in under {
            self.gone(other);
            self.set(other, State::Absorbed(id));
        }
    }

    fn same(&self, a: usize, a_key: &GroupKey, b: usize, b_key: &GroupKey) -> bool {
        same::same(&self.rules[a], a_key, &self.rules[b], b_key)
    }

    fn set(&mut self, id: u64, state: State) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.state = state;
        }
    }

    fn close(&mut self, id: u64) {
        self.regather();
        self.live.remove(&id);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.state = State::Closed;
            entry.alert.closed = true;
            if let Some(gathered) = &mut entry.gathered {
                gathered.closed = true;
            }
            self.changed.remove(&id);
            self.news.push(News::Gone(Box::new(AlertEvent::Closed(entry.told().clone()))));
        }
    }

    /// Takes an alert back as if it had never been, and frees what it had absorbed.
    fn withdraw(&mut self, id: u64) {
        if self.entries.get(&id).is_some_and(|entry| entry.state == State::Open) {
            self.gone(id);
        }
        self.leave(id);
        self.live.remove(&id);
        self.entries.remove(&id);
        let freed: Vec<u64> = self
            .live
            .iter()
            .copied()
            .filter(|other| self.entries.get(other).is_some_and(|other| other.state == State::Absorbed(id)))
            .collect();
        for other in freed {
            let until = self.entries.get(&other).map_or(0, |other| other.alert.time + self.rules[other.rule].hold);
            self.set(other, State::Held(until));
            if self.entries.get(&other).is_some_and(|entry| self.rules[entry.rule].hold == 0) {
                self.release(other);
            }
        }
    }

    /// An open alert leaves the list: if it was told, that it is withdrawn is told too.
    fn gone(&mut self, id: u64) {
        self.raised = self.raised.saturating_sub(1);
        self.withdrawn += 1;
        self.changed.remove(&id);
        let untold = self.news.iter().position(|news| matches!(news, News::Raised(raised) if *raised == id));
        if let Some(at) = untold {
            self.news.remove(at);
        } else if let Some(entry) = self.entries.get(&id) {
            let alert = Alert { closed: true, withdrawn: true, ..entry.told().clone() };
            self.news.push(News::Gone(Box::new(AlertEvent::Withdrawn(alert))));
        }
    }

    /// Keeps the book within its size: closed alerts go first, then the oldest open ones.
    fn evict(&mut self) {
        while self.entries.len() > self.cap {
            let closed = self.entries.iter().find(|(_, entry)| entry.state == State::Closed).map(|(id, _)| *id);
            let Some(id) = closed.or_else(|| self.entries.keys().next().copied()) else { return };
            if self.entries.get(&id).is_some_and(|entry| entry.state == State::Open) {
                self.close(id);
            }
            self.live.remove(&id);
            self.entries.remove(&id);
            self.evicted += 1;
        }
    }
}
