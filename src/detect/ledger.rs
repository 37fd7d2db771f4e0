//! The half of detection that remembers: groups, habits, what sessions added, alerts. It goes through orders one after the other.

use std::sync::Arc;

use super::alert::{Alert, AlertEvent};
use super::bank::Bank;
use super::baseline::Baseline;
use super::hosts::Hosts;
use super::incident::Book;
use super::intake::Intake;
use super::novelty::Learned;
use super::order::{Order, Orders};
use super::rule::Rule;
use super::silence::Silence;
use super::state::RuleState;
use super::{DetectStats, Limits};
use crate::record::special::is_outside;

/// Least seconds that are learned before anything is called new: within minutes everything is.
const LEAST_BASELINE: i64 = 1_800;
/// Orders for which memory is looked up ahead at once.
const AHEAD: usize = 32;

/// See the module's text.
#[derive(Debug)]
pub(super) struct Ledger {
    rules: Vec<RuleState>,
    /// The rules for sessions.
    banks: Vec<Bank>,
    book: Book,
    warmup: i64,
    /// Least start and greatest end seen.
    seen: Option<(i64, i64)>,
    /// The input's span, where somebody knew it beforehand.
    span: Option<(i64, i64)>,
    watermark: i64,
    hosts: Hosts,
    /// Bytes for groups that no rule has taken as its own.
    pool: usize,
    silence: Silence,
    all: Vec<Arc<Rule>>,
}

impl Ledger {
    /// What `rules` remember within `limits`; `intake` is of the same rules.
    pub(super) fn new(rules: Vec<Arc<Rule>>, intake: &Intake, limits: &Limits) -> Ledger {
        let share = limits.memory / rules.len().max(1);
        // A quarter of the memory is for what `new` remembers, and most rules do not ask.
        let learners = rules.iter().filter(|rule| rule.learns()).count().max(1);
        let learning = limits.memory / 4 / learners;
        let state = |(index, rule): (usize, &Arc<Rule>)| RuleState::new(rule.clone(), index, limits, share, learning);
        let states = rules.iter().enumerate().map(state);
        let each = limits.memory / 4 / intake.banks().len().max(1);
        Ledger {
            rules: states.collect(),
            banks: intake.banks().iter().map(|bank| Bank::new(bank, each)).collect(),
            silence: Silence::new(&rules),
            all: rules.clone(),
            book: Book::new(rules, limits.alerts.max(1)),
            warmup: limits.warmup_seconds.max(0),
            seen: None,
            span: None,
            watermark: i64::MIN,
            hosts: Hosts::new(),
            pool: limits.memory / 8,
        }
    }

    /// Goes through `orders`, which are empty then. What is new where they ask for it goes to `news`.
    pub(super) fn apply(&mut self, orders: &mut Orders, news: &mut Vec<AlertEvent>) {
        let mut list = std::mem::take(&mut orders.list);
        let (mut key, mut item) = (0, 0);
        let mut left = list.drain(..);
        while !left.as_slice().is_empty() {
            let near = left.as_slice().iter().take(AHEAD).filter(|order| match order {
                Order::Session { bank, known, .. } => self.banks[*bank].touch(known.facts.id),
                _ => false,
            });
            for state in &mut self.rules {
                // Each order touches two groups of a rule at most.
                state.widen(2 * AHEAD, &mut self.pool);
                state.remember(2 * AHEAD, &mut self.pool);
            }
            // Nothing hangs on the number; counting makes the reads happen, side by side.
            std::hint::black_box(near.count());
            for order in left.by_ref().take(AHEAD) {
                if let Order::Flow { rule, keys, items, start, end, protocol, counts } = order {
                    let (group, values) = (&orders.keys[key..keys], &orders.items[item..items]);
                    (key, item) = (keys, items);
                    let state = &mut self.rules[rule];
                    state.flow(group, values, (start, end), counts, protocol, &self.hosts, &mut self.book);
                } else {
                    self.follow(order, news);
                }
            }
        }
        drop(left);
        orders.list = list;
        orders.clear();
    }

    /// Goes through an order that refers to nothing beside it.
    fn follow(&mut self, order: Order, news: &mut Vec<AlertEvent>) {
        match order {
            Order::Saw { start, end } => self.saw(start, end),
            Order::Heard { interface, minute } => self.silence.heard(&interface, minute),
            Order::Met { addr, start } => self.hosts.met(addr, start),
            Order::Session { bank, unknown, takes, counts, known } => {
                let (rules, book) = (&mut self.rules, &mut self.book);
                self.banks[bank].session(known, unknown, takes, counts, rules, &self.hosts, book);
            }
            Order::Withdraw(id) => {
                for bank in &mut self.banks {
                    bank.withdraw(id, &mut self.rules, &self.hosts, &mut self.book);
                }
            }
            Order::Advance(watermark) => self.advance(watermark),
            Order::Teach(baseline) => self.teach(&baseline),
            Order::Span(first, last) => {
                self.span = Some((first, last));
                self.learn(false);
            }
            Order::Finish => self.finish(),
            Order::Drain => {
                self.look();
                news.append(&mut self.book.drain());
            }
            Order::Flow { .. } => {}
        }
    }

    /// Alerts held, open and closed, in the order in which they were found.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.book.alerts()
    }

    /// What was done so far.
    pub(super) fn stats(&self) -> DetectStats {
        let sum = |of: fn(&RuleState) -> u64| self.rules.iter().map(of).sum();
        DetectStats {
            groups: sum(|state| state.groups() as u64),
            evicted_groups: sum(RuleState::evicted),
            forgotten_sessions: self.banks.iter().map(|bank| bank.forgotten).sum(),
            unremembered: sum(RuleState::refused) + self.silence.refused,
            late: sum(|state| state.late),
            raised: self.book.raised,
            withdrawn: self.book.withdrawn,
            evicted_alerts: self.book.evicted,
            open: self.book.open_count() as u64,
        }
    }

    fn advance(&mut self, watermark: i64) {
        if watermark <= self.watermark {
            return;
        }
        self.watermark = watermark;
        // First, since what is looked at must still be whole.
        self.look();
        for state in &mut self.rules {
            state.advance(watermark, &mut self.pool);
        }
        self.silence.advance(watermark, &self.all, &mut self.book);
        let clock = self.seen.map_or(watermark, |(_, last)| last);
        for (rule, key, last_pane) in self.book.advance(clock, watermark) {
            if let Some(state) = self.rules.get_mut(rule) {
                state.over(&key, last_pane);
            }
        }
    }

    fn finish(&mut self) {
        self.look();
        if self.span.is_none() {
            self.learn(true);
            for state in &mut self.rules {
                state.finish(&mut self.book);
            }
        }
        self.book.finish();
    }

    /// Looks at what changed since the last time.
    fn look(&mut self) {
        for state in &mut self.rules {
            state.look(&mut self.book);
        }
    }

    /// Notes the times of rows, and what they say about the learning time.
    fn saw(&mut self, start: i64, end: i64) {
        let (first, last) = self.seen.unwrap_or((i64::MAX, i64::MIN));
        self.seen = Some((first.min(start), last.max(end)));
        if start < first && self.span.is_none() {
            self.learn(false);
        }
    }

    /// Learns what was used before the oldest record.
    fn teach(&mut self, baseline: &Baseline) {
        for addr in baseline.uses.iter().flat_map(super::baseline::Use::hosts).filter(|addr| !is_outside(*addr)) {
            self.hosts.met(addr, baseline.from);
        }
        for state in &mut self.rules {
            state.teach(baseline, &mut self.pool);
        }
        self.book.rests_on(&baseline.known());
        // The learning time begins with it.
        self.saw(baseline.from, baseline.from);
    }

    /// Tells the rules until when they learn. At the end of the input its span is known.
    fn learn(&mut self, ended: bool) {
        let (first, length) = match (self.span, self.seen) {
            (Some((first, last)), _) => (first, self.warmup.min(baseline(first, last))),
            (None, Some((first, last))) if ended => (first, self.warmup.min(baseline(first, last))),
            (None, Some((first, _))) => (first, self.warmup),
            (None, None) => return,
        };
        let learned = Learned { until: first.saturating_add(length), length };
        for state in &mut self.rules {
            state.learn(learned);
        }
    }
}

/// Seconds to learn of an input of known span: a tenth of it.
fn baseline(first: i64, last: i64) -> i64 {
    (last.saturating_sub(first) / 10).max(LEAST_BASELINE)
}
