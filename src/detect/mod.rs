//! Detection: declarative rules over flows and sessions, in event time.
//!
//! ```text
//! rules/*.toml ─▶ rule
//!
//! rows ─▶ intake ──Orders──▶ ledger ─▶ state (one a rule) ─▶ incident (the book of alerts) ─▶ AlertEvent
//!          which rules         │        ├ window    sums of a group, from which contributions can be taken back
//!          take a row          │        ├ novelty   what a group has shown before
//!                              │        └ habits    when it begins, whom it meets, what is usual for it
//!                              ├ silence   interfaces that were heard
//!                              └ here, or on a thread of its own (apart)
//! ```
//!
//! The set of (rule, group) that is raised and not withdrawn depends on the final rows, not on the order in which they came nor on how they were cut
//! into batches, as long as nothing comes later than the watermark allows and nothing had to be evicted. What a window sums may still change while rows in it
//! go on, however old the window is: an alert is certain, and no more withdrawn, once the rows that ended in a window suffice.

pub mod alert;
mod apart;
mod bank;
pub mod baseline;
mod bounded;
mod condition;
mod few;
mod gate;
mod habits;
mod hosts;
mod incident;
mod intake;
mod key;
mod ledger;
pub mod mute;
mod novelty;
mod order;
mod questions;
mod rule;
pub mod rules;
mod shown;
mod silence;
mod state;
mod taken;
mod template;
#[cfg(test)]
mod tests;
mod told;
mod window;

pub use alert::{Alert, AlertEvent, Level, NAMED};
pub use baseline::Baseline;
pub use rule::{Rule, RuleError, RuleTest};
pub use rules::Rules;

use std::sync::Arc;

use crate::record::Row;
use crate::session::SessionRow;
use apart::Apart;
use intake::Intake;
use ledger::Ledger;
use order::{Order, Orders};

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

/// Orders that are gone through, or sent on, at once: so many that a hand-over costs nothing, so few that the caches keep them.
const BUNDLE: usize = 1_024;

/// Runs the enabled rules over rows as they come. Without a clock: time is the rows' own.
#[derive(Debug)]
pub struct Detector {
    intake: Intake,
    orders: Orders,
    ledger: Place,
    news: Vec<AlertEvent>,
}

/// Where the remembering half is.
#[derive(Debug)]
enum Place {
    Here(Box<Ledger>),
    Apart(Apart),
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
        let intake = Intake::new(&enabled);
        let ledger = Place::Here(Box::new(Ledger::new(enabled, &intake, &limits)));
        Detector { intake, orders: Orders::default(), ledger, news: Vec::new() }
    }

    /// The same with a thread of its own for most of the work, if the system has one. What it finds is the same and comes a little
    /// later: [`Detector::drain`] and [`Detector::heard`] give what is known by then, [`Detector::finish`] waits for everything.
    #[must_use]
    pub fn apart(mut self) -> Self {
        self.pass_on();
        if let Place::Here(ledger) = self.ledger {
            self.ledger = Apart::start(*ledger).map_or_else(Place::Here, Place::Apart);
        }
        self
    }

    /// Whether it has one.
    pub fn is_apart(&self) -> bool {
        matches!(self.ledger, Place::Apart(_))
    }

    /// Says beforehand from which to which Unix second the input goes, where that is known (a file that was looked through, a recording). Rules
    /// with `new` then speak after a tenth of it; without, they speak after [`Limits::warmup_seconds`] or, of a shorter input, at its end.
    pub fn expect_span(&mut self, first: i64, last: i64) {
        self.orders.list.push(Order::Span(first, last.max(first)));
    }

    /// Tells what was used before the oldest record: rules with `new` go by it, and say so in their alerts. A later one adds to it.
    pub fn teach(&mut self, baseline: &Arc<Baseline>) {
        self.orders.list.push(Order::Teach(Arc::clone(baseline)));
        self.pass_on();
    }

    /// One decoded flow record with log status OK. `end` is the end of its window, Unix seconds.
    pub fn flow<R: Row + ?Sized>(&mut self, row: &R, end: i64) {
        self.intake.flow(row, end, &mut self.orders);
        self.pass_on_bundle();
    }

    /// One decoded record without traffic, NODATA or SKIPDATA: only rules that ask for its `log-status` look at it.
    pub fn notice<R: Row + ?Sized>(&mut self, row: &R, end: i64) {
        self.intake.notice(row, end, &mut self.orders);
        self.pass_on_bundle();
    }

    /// A record of an interface, of whatever status, that ended at Unix second `end`. `number` is the interface's, the same for the same name.
    pub fn heard_from(&mut self, interface: &Arc<str>, number: usize, end: i64) {
        self.intake.heard_from(interface, number, end, &mut self.orders);
    }

    /// A session changed. `row` has its totals so far, `end` is the end of the record that changed it, Unix seconds.
    pub fn session(&mut self, id: u64, row: &SessionRow<'_>, end: i64) {
        self.intake.session(id, row, end, &mut self.orders);
        self.pass_on_bundle();
    }

    /// A session is no more: it became part of another. What it added is taken out.
    pub fn withdraw(&mut self, id: u64) {
        self.intake.withdraw(id, &mut self.orders);
        self.pass_on_bundle();
    }

    /// Event time below which nothing more is expected. Raises what was held long enough, closes what is over, drops what no window needs.
    pub fn advance(&mut self, watermark: i64) {
        self.intake.tell_span(&mut self.orders);
        self.orders.list.push(Order::Advance(watermark));
        self.pass_on();
    }

    /// Nothing more comes: raises what is held back and closes everything. Waits until all of it is done.
    pub fn finish(&mut self) {
        self.intake.tell_span(&mut self.orders);
        self.orders.list.push(Order::Finish);
        self.orders.list.push(Order::Drain);
        self.pass_on();
        if let Place::Apart(apart) = &mut self.ledger {
            apart.settle(&mut self.news);
        }
    }

    /// News since the last call, in order. Changes of one alert between two calls are one event.
    pub fn drain(&mut self) -> Vec<AlertEvent> {
        self.intake.drained();
        self.orders.list.push(Order::Drain);
        self.pass_on();
        std::mem::take(&mut self.news)
    }

    /// News that came from the detector's thread since the last call, if it has one. Asks for nothing.
    pub fn heard(&mut self) -> Vec<AlertEvent> {
        if let Place::Apart(apart) = &mut self.ledger {
            apart.hear(&mut self.news);
        }
        std::mem::take(&mut self.news)
    }

    /// Whether more may be [heard](Detector::heard) of what was told already.
    pub fn is_behind(&self) -> bool {
        matches!(&self.ledger, Place::Apart(apart) if apart.is_waiting())
    }

    /// Whether its thread has so much to go through that telling it of more rows could block.
    pub fn is_full(&self) -> bool {
        matches!(&self.ledger, Place::Apart(apart) if apart.is_full())
    }

    /// Alerts held, open and closed, in the order in which they were found, as of the last [`Detector::drain`] or [`Detector::advance`]. What is
    /// held back or withdrawn is not among them. Of a detector with a thread of its own only the news are known here, and this is empty.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        match &self.ledger {
            Place::Here(ledger) => Some(ledger.alerts()),
            Place::Apart(_) => None,
        }
        .into_iter()
        .flatten()
    }

    /// What was done so far, as far as it is known here.
    pub fn stats(&self) -> DetectStats {
        match &self.ledger {
            Place::Here(ledger) => ledger.stats(),
            Place::Apart(apart) => apart.stats,
        }
    }

    fn pass_on_bundle(&mut self) {
        if self.orders.list.len() >= BUNDLE {
            self.pass_on();
        }
    }

    fn pass_on(&mut self) {
        match &mut self.ledger {
            Place::Here(ledger) => ledger.apply(&mut self.orders, &mut self.news),
            Place::Apart(apart) => apart.send(&mut self.orders, &mut self.news),
        }
    }
}
