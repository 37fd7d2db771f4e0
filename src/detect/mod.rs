//! Detection: declarative rules over flows and sessions, in event time.
//!
//! ```text
//! rules/*.toml ─▶ rule ─▶ state (one a rule) ─▶ incident (the book of alerts) ─▶ AlertEvent
//!                          ├ window    sums of a group, from which contributions can be taken back
//!                          └ novelty   what a group has shown before
//! ```
//!
//! The set of (rule, group) that is raised and not withdrawn depends on the final rows, not on the order in which they came nor on how they were cut
//! into batches, as long as nothing comes later than the watermark allows and nothing had to be evicted.

pub mod alert;
mod bank;
mod bounded;
mod condition;
mod gate;
mod hosts;
mod incident;
mod key;
mod novelty;
mod rule;
pub mod rules;
mod shown;
mod state;
mod template;
#[cfg(test)]
mod tests;
mod told;
mod window;

pub use alert::{Alert, AlertEvent, Level};
pub use rule::{Rule, RuleError, RuleTest};
pub use rules::Rules;

use crate::filter::Stage;
use crate::record::{Field, Row, Value};
use crate::session::SessionRow;
use bank::Bank;
use hosts::Hosts;
use incident::Book;
use novelty::Learned;
use state::RuleState;

/// What detection may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Groups a rule may hold.
    pub max_groups: usize,
    /// Seconds by which the watermark is expected to trail: how much a group holds beyond its window, for the division of memory.
    pub lateness_seconds: i64,
    /// Bytes of memory that all rules together may use, about.
    pub memory: usize,
    /// Alerts held, closed ones included.
    pub alerts: usize,
    /// Seconds of event time that rules with `new` learn in silence. Where the span of the input is known, a tenth of it, but no more
    /// than this.
    pub warmup_seconds: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_groups: 65_536,
            lateness_seconds: 1_200,
            memory: 128 << 20,
            alerts: 10_000,
            warmup_seconds: 86_400,
        }
    }
}

/// What detection has done and holds. Counters only grow, except `groups` and `open`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DetectStats {
    /// Groups held by all rules.
    pub groups: u64,
    /// Groups dropped for want of room: what they would have shown is lost.
    pub evicted_groups: u64,
    /// Sessions that rules lost track of for want of room: if they still grow they may be counted twice.
    pub forgotten_sessions: u64,
    /// Values that `new` had no room to remember, and therefore never calls new.
    pub unremembered: u64,
    /// Rows that came later than a rule still looks at.
    pub late: u64,
    /// Alerts raised and not withdrawn.
    pub raised: u64,
    /// Alerts that were withdrawn, or absorbed by a stronger one after they were raised.
    pub withdrawn: u64,
    /// Alerts no longer held for want of room.
    pub evicted_alerts: u64,
    /// Alerts that are not over, held back ones included.
    pub open: u64,
}

/// Runs the enabled rules over rows as they come. Single-threaded, without a clock: time is the rows' own.
#[derive(Debug)]
pub struct Detector {
    rules: Vec<RuleState>,
    /// The rules for sessions.
    banks: Vec<Bank>,
    /// The rules for flows.
    flows: Vec<usize>,
    book: Book,
    warmup: i64,
    /// Least start and greatest end seen.
    seen: Option<(i64, i64)>,
    /// The input's span, where somebody knew it beforehand.
    span: Option<(i64, i64)>,
    watermark: i64,
    /// Greatest number of a session that was shown.
    newest: u64,
    hosts: Hosts,
    /// Whether any rule needs to know the hosts.
    novelty: bool,
}

impl Default for Detector {
    /// The built-in rules within the default limits.
    fn default() -> Self {
        // The built-in text is part of the program and tested; a program that was built without passing its tests finds nothing.
        Detector::new(&Rules::builtin().unwrap_or_default(), Limits::default())
    }
}

impl Detector {
    /// A detector for the enabled rules of `rules`.
    pub fn new(rules: &Rules, limits: Limits) -> Self {
        let enabled: Vec<_> = rules.iter().filter(|rule| rule.enabled).cloned().collect();
        let share = limits.memory / enabled.len().max(1);
        let states =
            enabled.iter().enumerate().map(|(index, rule)| RuleState::new(rule.clone(), index, &limits, share));
        let rules: Vec<RuleState> = states.collect();
        let banks = Bank::of(&rules, limits.memory / 4);
        let flows = (0..rules.len()).filter(|index| rules[*index].rule.stage == Stage::Flows).collect();
        let novelty = rules.iter().any(RuleState::has_novelty);
        Detector {
            rules,
            banks,
            flows,
            book: Book::new(enabled, limits.alerts.max(1)),
            warmup: limits.warmup_seconds.max(0),
            seen: None,
            span: None,
            watermark: i64::MIN,
            newest: 0,
            hosts: Hosts::new(),
            novelty,
        }
    }

    /// Says beforehand from which to which Unix second the input goes, where that is known (a file that was looked through, a recording). Rules
    /// with `new` then speak after a tenth of it; without, they speak after [`Limits::warmup_seconds`] or, of a shorter input, at its end.
    pub fn expect_span(&mut self, first: i64, last: i64) {
        self.span = Some((first, last.max(first)));
        self.learn(false);
    }

    /// One decoded flow record with log status OK. `end` is the end of its window, Unix seconds.
    pub fn flow<R: Row + ?Sized>(&mut self, row: &R, end: i64) {
        let start = match row.get(Field::Start) {
            Some(Value::Int(start)) => i64::try_from(start).unwrap_or(end),
            _ => end,
        };
        self.saw(start, end);
        for index in &self.flows {
            self.rules[*index].flow(row, end, &self.hosts, &mut self.book);
        }
    }

    /// A session changed. `row` has its totals so far, `end` is the end of the record that changed it, Unix seconds.
    pub fn session(&mut self, id: u64, row: &SessionRow<'_>, end: i64) {
        let session = row.session;
        let start = self.saw(session.first, end);
        if self.novelty {
            let key = session.key();
            self.hosts.saw([key.a.0, key.b.0], start);
        }
        // Sessions are numbered as they open: one beyond the newest was never shown, and no rule need look for what it added before.
        let unknown = id > self.newest;
        self.newest = self.newest.max(id);
        for bank in &mut self.banks {
            bank.session(id, row, end, unknown, &mut self.rules, &self.hosts, &mut self.book);
        }
    }

    /// A session is no more: it became part of another. What it added is taken out.
    pub fn withdraw(&mut self, id: u64) {
        for bank in &mut self.banks {
            bank.withdraw(id, &mut self.rules, &self.hosts, &mut self.book);
        }
    }

    /// Event time below which nothing more is expected. Raises what was held long enough, closes what is over, drops what no window needs.
    pub fn advance(&mut self, watermark: i64) {
        if watermark <= self.watermark {
            return;
        }
        self.watermark = watermark;
        // First, since what is looked at must still be whole.
        self.look();
        for state in &mut self.rules {
            state.advance(watermark);
        }
        let clock = self.seen.map_or(watermark, |(_, last)| last);
        for (rule, key, last_pane) in self.book.advance(clock, watermark) {
            if let Some(state) = self.rules.get_mut(rule) {
                state.over(&key, last_pane);
            }
        }
    }

    /// Nothing more comes: raises what is held back and closes everything.
    pub fn finish(&mut self) {
        self.look();
        if self.span.is_none() {
            self.learn(true);
            for state in &mut self.rules {
                state.finish(&mut self.book);
            }
        }
        self.book.finish();
    }

    /// News since the last call, in order. Changes of one alert between two calls are one event.
    pub fn drain(&mut self) -> Vec<AlertEvent> {
        self.look();
        self.book.drain()
    }

    /// Alerts held, open and closed, in the order in which they were found, as of the last [`Detector::drain`] or [`Detector::advance`]. What is held back or withdrawn is not among them.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.book.alerts()
    }

    /// What was done so far.
    pub fn stats(&self) -> DetectStats {
        let sum = |of: fn(&RuleState) -> u64| self.rules.iter().map(of).sum();
        DetectStats {
            groups: sum(|state| state.groups() as u64),
            evicted_groups: sum(|state| state.evicted),
            forgotten_sessions: self.banks.iter().map(|bank| bank.forgotten).sum(),
            unremembered: sum(RuleState::refused),
            late: sum(|state| state.late),
            raised: self.book.raised,
            withdrawn: self.book.withdrawn,
            evicted_alerts: self.book.evicted,
            open: self.book.open_count() as u64,
        }
    }

    /// Looks at what changed since the last time.
    fn look(&mut self) {
        for state in &mut self.rules {
            state.look(&mut self.book);
        }
    }

    /// Notes the times of a row, and what they say about the learning time. Gives its start, which is not after its end.
    fn saw(&mut self, start: i64, end: i64) -> i64 {
        let start = start.min(end);
        let (first, last) = self.seen.unwrap_or((i64::MAX, i64::MIN));
        self.seen = Some((first.min(start), last.max(end)));
        if start < first && self.span.is_none() {
            self.learn(false);
        }
        start
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

/// Least seconds that are learned before anything is called new: within minutes everything is.
const LEAST_BASELINE: i64 = 1_800;

/// Seconds to learn of an input of known span: a tenth of it.
fn baseline(first: i64, last: i64) -> i64 {
    (last.saturating_sub(first) / 10).max(LEAST_BASELINE)
}
