//! Another set of rules over what is held: to see what it would raise before it is switched on, and to put it in force without losing what was
//! found. In slices, like every pass, while records keep coming.
//!
//! Records are shown in the order of their arrival, sessions as they stand, each once event time has come to its end. What has left the ring, and
//! sessions that were let go, no rule can be asked about any more.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::clock::Clock;
use super::core::Core;
use super::view::Trial;
use crate::detect::{Alert, AlertEvent, Baseline, Detector};
use crate::record::{Flow, RowRef, SourceState};
use crate::session::SessionRow;
use crate::store::ring::with_table;

/// Rows after which event time is passed on.
const ADVANCE_EVERY: u64 = 8_192;
/// Alerts of a trial that are shown, the latest ones; all are counted.
const EXAMPLES: usize = 200;

/// A pass of a set of rules.
#[derive(Debug)]
struct Replay {
    detector: Detector,
    clock: Clock,
    /// Next record, and how many were there when it began.
    seq: u64,
    first: u64,
    /// Ends and numbers of sessions that are to be shown, the last one first.
    sessions: Vec<(i64, u64)>,
    alerts: BTreeMap<u64, Alert>,
}

/// What is being tried, and what is on its way to be in force.
#[derive(Debug, Default)]
pub(super) struct Replays {
    trial: Option<(Replay, Arc<crate::detect::Rules>)>,
    tried: Option<Trial>,
    next: Option<Replay>,
    /// Sessions that changed since the next set was shown them.
    touched: HashSet<u64>,
    /// Numbers of alerts of the set in force, by those that its detector gives; empty for the first set.
    numbers: HashMap<u64, u64>,
    /// What was used before the oldest record, as far as somebody said.
    baseline: Option<Arc<Baseline>>,
    renumbers: bool,
    last_number: u64,
}

impl Replays {
    /// A session is shown to the rules in force.
    pub(super) fn touch(&mut self, id: u64) {
        if self.next.is_some() {
            self.touched.insert(id);
        }
    }

    /// A session is no more.
    pub(super) fn withdraw(&mut self, id: u64) {
        self.touched.remove(&id);
        for replay in self.next.iter_mut().chain(self.trial.iter_mut().map(|(replay, _)| replay)) {
            replay.detector.withdraw(id);
        }
    }

    /// Gives an alert the number under which it is known.
    pub(super) fn number(&mut self, alert: &mut Alert) {
        if self.renumbers {
            let last = &mut self.last_number;
            alert.id = *self.numbers.entry(alert.id).or_insert_with(|| {
                *last += 1;
                *last
            });
        }
    }
}

impl Replay {
    fn new(core: &Core, mut detector: Detector) -> Replay {
        if let Some(baseline) = &core.replays.baseline {
            detector.teach(baseline);
        }
        let held = core.sessions.chunks().iter().flat_map(|chunk| chunk.iter()).flatten();
        let mut sessions: Vec<(i64, u64)> = held.map(|session| (session.last, session.id)).collect();
        sessions.sort_unstable_by(|a, b| b.cmp(a));
        let seq = core.ring.next_seq() - core.ring.len();
        Replay { detector, clock: Clock::default(), seq, first: seq, sessions, alerts: BTreeMap::new() }
    }

    /// Shows up to `budget` records and what sessions ended by then. False once everything was shown.
    fn step(&mut self, core: &mut Core, budget: usize) -> bool {
        let held = core.ring.next_seq() - core.ring.len();
        self.seq = self.seq.max(held);
        let end = core.ring.next_seq().min(self.seq + budget as u64);
        while self.seq < end {
            let Some((part, row)) = core.ring.find(self.seq) else { break };
            let clock = with_table!(&part, table => {
                Flow::of(table, row, &mut core.names).map(|flow| {
                    self.detector.flow(&RowRef { table, row }, flow.end);
                    self.clock.observe(flow.end, 0);
                })
            });
            self.seq += 1;
            if clock.is_some() && self.seq.is_multiple_of(ADVANCE_EVERY) {
                self.advance(core);
            }
        }
        if end < core.ring.next_seq() {
            return true;
        }
        let few = self.sessions.len().saturating_sub(budget);
        for (_, id) in self.sessions.split_off(few).into_iter().rev() {
            self.session(core, id);
        }
        self.take_news();
        !self.sessions.is_empty()
    }

    fn advance(&mut self, core: &Core) {
        let Some(now) = self.clock.now() else { return };
        while let Some((_, id)) = self.sessions.pop_if(|(last, _)| *last <= now) {
            self.session(core, id);
        }
        self.detector.advance(now.saturating_sub(core.config.lateness));
        self.take_news();
    }

    fn session(&mut self, core: &Core, id: u64) {
        let Some(session) = core.sessions.get(id) else { return };
        let region = core.config.region.as_deref();
        self.detector.session(id, &SessionRow { session, names: &core.names, region }, session.last);
    }

    fn take_news(&mut self) {
        for event in self.detector.drain() {
            match event {
                AlertEvent::Raised(alert) | AlertEvent::Updated(alert) | AlertEvent::Closed(alert) => {
                    self.alerts.insert(alert.id, alert);
                }
                AlertEvent::Withdrawn(alert) => {
                    self.alerts.remove(&alert.id);
                }
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a share for the screen")]
    fn progress(&self, core: &Core) -> f32 {
        let all = core.ring.next_seq().saturating_sub(self.first).max(1);
        ((self.seq - self.first) as f32 / all as f32).min(1.0)
    }

    fn trial(&self, progress: f32) -> Trial {
        let mut by_rule: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for alert in self.alerts.values() {
            *by_rule.entry(Arc::clone(&alert.rule)).or_default() += 1;
        }
        let examples = self.alerts.values().rev().take(EXAMPLES).cloned().map(Arc::new).collect();
        Trial { progress, by_rule: by_rule.into_iter().collect(), examples }
    }
}

impl Core {
    /// Puts another set of rules in force as soon as it has seen what is held. Until then the old one stays; a set on its way is forgotten.
    pub fn change_rules(&mut self, detector: Detector) {
        self.replays.touched.clear();
        self.replays.next = Some(Replay::new(self, detector));
    }

    /// Has the rules know what was used before the oldest record: those in force, and all that follow.
    pub fn teach(&mut self, baseline: Arc<Baseline>) {
        self.detector.teach(&baseline);
        let trial = self.replays.trial.iter_mut().map(|(replay, _)| replay);
        for replay in trial.chain(&mut self.replays.next) {
            replay.detector.teach(&baseline);
        }
        self.replays.baseline = Some(baseline);
    }

    /// What rules know of the time before the oldest record.
    pub(super) fn baseline(&self) -> Option<&Arc<Baseline>> {
        self.replays.baseline.as_ref()
    }

    /// Whether a set of rules is on its way.
    pub fn changes_rules(&self) -> bool {
        self.replays.next.is_some()
    }

    /// Starts the trial that the question in force asks for, where it is another than before.
    fn wanted_trial(&mut self) {
        let wanted = self.look.spec.trial.clone();
        let Some(rules) = wanted else {
            (self.replays.trial, self.replays.tried) = (None, None);
            return;
        };
        let same = self.replays.trial.as_ref().is_some_and(|(_, running)| Arc::ptr_eq(running, &rules));
        if !same {
            let limits = crate::detect::Limits { memory: self.config.memory / 100 * 6, ..Default::default() };
            let replay = Replay::new(self, Detector::new(&rules, limits));
            self.replays.tried = None;
            self.replays.trial = Some((replay, rules));
        }
    }

    /// Goes on with the sets that look at what is held. False once they have seen it all.
    pub(super) fn step_replays(&mut self, budget: usize) -> bool {
        self.wanted_trial();
        let mut more = false;
        if self.replays.tried.is_none()
            && let Some((mut replay, rules)) = self.replays.trial.take()
        {
            if replay.step(self, budget) {
                more = true;
            } else {
                replay.detector.finish();
                replay.take_news();
                self.replays.tried = Some(replay.trial(1.0));
            }
            self.replays.trial = Some((replay, rules));
        }
        if let Some(mut next) = self.replays.next.take() {
            if next.step(self, budget) {
                self.replays.next = Some(next);
                more = true;
            } else {
                self.put_in_force(next);
            }
        }
        more
    }

    /// What the trial found so far.
    pub(super) fn trial(&self) -> Option<Trial> {
        let (replay, _) = self.replays.trial.as_ref()?;
        Some(self.replays.tried.clone().unwrap_or_else(|| replay.trial(replay.progress(self).min(0.99))))
    }

    /// The set has seen what is held: it takes the place of the old one. An alert of the same rule and group about the same time keeps its number.
    fn put_in_force(&mut self, mut next: Replay) {
        for id in std::mem::take(&mut self.replays.touched) {
            next.session(self, id);
        }
        if matches!(self.state.state, SourceState::Ended | SourceState::Failed(_)) {
            next.detector.finish();
        }
        next.take_news();
        let apart = self.detector.is_apart();
        self.detector = if apart { next.detector.apart() } else { next.detector };
        let old = std::mem::take(&mut self.alerts);
        self.marks.clear();
        let seen = self.counts.alerts;
        let replays = &mut self.replays;
        replays.renumbers = true;
        replays.numbers.clear();
        replays.last_number = replays.last_number.max(old.iter().map(|alert| alert.id).max().unwrap_or(0));
        let mut taken = HashSet::new();
        let mut fresh = 0;
        for alert in next.alerts.values() {
            let same = old.iter().find(|old| {
                old.rule == alert.rule
                    && old.group == alert.group
                    && old.first <= alert.last
                    && alert.first <= old.last
                    && !taken.contains(&old.id)
            });
            match same {
                Some(same) => {
                    taken.insert(same.id);
                    replays.numbers.insert(alert.id, same.id);
                }
                None => fresh += 1,
            }
        }
        let news = next.alerts.into_values().map(AlertEvent::Updated).collect();
        let collect = std::mem::replace(&mut self.collect, false);
        self.take_in_news(news);
        self.collect = collect;
        self.counts.alerts = seen + fresh;
    }
}
