//! Interfaces that fall silent: the detector behind `silence()` and `usual_gap()`.
//!
//! An interface logs in every interval, NODATA where nothing happened, so silence means that the log lost it. Some logs leave NODATA out; so
//! each interface is measured by its own longest pause, once it has been heard in a dozen minutes. Only what lies below the watermark is looked at:
//! what is found depends neither on the order of arrival nor on the delay of delivery.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::condition::{Function, Values};
use super::incident::{Book, Finding, Tip};
use super::key::{GroupKey, Key};
use super::rule::Rule;
use crate::record::Field;
use crate::record::amplification::AmpPort;

/// Interfaces that are listened to.
const CAP: usize = 65_536;
/// Minutes above the watermark that are kept of one.
const AHEAD: usize = 2_048;
/// Minutes in which an interface must have been heard before its silence means anything.
const LEAST: u32 = 12;
/// Minutes of silence between two words about it.
const EVERY: i64 = 10;

#[derive(Debug, Default)]
struct Heard {
    /// Minutes with records above the watermark.
    ahead: BTreeSet<i64>,
    /// The latest minute below it, and how many there were.
    last: Option<i64>,
    count: u32,
    /// Longest pause before, minutes; at least one.
    gap: i64,
    /// Whether it is silent, and with which alert; and when that was last told.
    silent: bool,
    incident: Option<u64>,
    told: i64,
}

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// Rules that ask for it.
    rules: Vec<usize>,
    interfaces: IndexMap<Arc<str>, Heard, RandomState>,
    /// Minute up to which everything is known.
    until: i64,
    /// Interfaces that found no room.
    pub refused: u64,
}

/// Whether `rule` asks how long an interface was silent.
pub(super) fn asks(rule: &Rule) -> bool {
    rule.aggregates.iter().any(|aggregate| matches!(aggregate.function, Function::Silence | Function::UsualGap))
}

/// A silence as a condition reads it, in seconds.
struct Length<'a> {
    rule: &'a Rule,
    silence: i64,
    gap: i64,
}

impl Values for Length<'_> {
    #[expect(clippy::cast_precision_loss, reason = "minutes within the calendar")]
    fn slot(&self, index: usize) -> f64 {
        match self.rule.aggregates.get(index).map(|aggregate| aggregate.function) {
            Some(Function::Silence) => (self.silence * 60) as f64,
            Some(Function::UsualGap) => (self.gap * 60) as f64,
            _ => 0.0,
        }
    }

    fn field(&self, _field: Field) -> f64 {
        f64::NAN
    }

    fn amp(&self) -> Option<&AmpPort> {
        None
    }
}

impl Silence {
    pub(super) fn new(rules: &[Arc<Rule>]) -> Silence {
        let rules = rules.iter().enumerate().filter(|(_, rule)| asks(rule)).map(|(index, _)| index).collect();
        Silence { rules, until: i64::MIN, ..Silence::default() }
    }

    /// A record of an interface, with or without traffic, that ended in this minute.
    pub(super) fn heard(&mut self, interface: &Arc<str>, minute: i64) {
        if self.rules.is_empty() || minute <= self.until {
            return;
        }
        if !self.interfaces.contains_key(interface) {
            if self.interfaces.len() >= CAP {
                self.refused += 1;
                return;
            }
            self.interfaces.insert(Arc::clone(interface), Heard { gap: 1, ..Heard::default() });
        }
        if let Some(heard) = self.interfaces.get_mut(interface)
            && heard.ahead.len() < AHEAD
        {
            heard.ahead.insert(minute);
        }
    }

    /// Nothing below the Unix second `watermark` comes any more.
    pub(super) fn advance(&mut self, watermark: i64, all: &[Arc<Rule>], book: &mut Book) {
        let until = watermark.div_euclid(60) - 1;
        if self.rules.is_empty() || until <= self.until {
            return;
        }
        self.until = until;
        for index in self.rules.clone() {
            let Some(rule) = all.get(index) else { continue };
            let mut began: Vec<(usize, i64, i64)> = Vec::new();
            for (at, heard) in self.interfaces.values_mut().enumerate() {
                while let Some(minute) = heard.ahead.first().copied().filter(|minute| *minute <= until) {
                    heard.ahead.pop_first();
                    let pause = heard.last.map_or(1, |last| minute - last);
                    if !heard.silent && heard.is_long(rule, pause) {
                        // It is over already, and was one nevertheless.
                        began.push((at, minute - pause, minute));
                    }
                    (heard.silent, heard.incident) = (false, None);
                    heard.gap = heard.gap.max(pause);
                    (heard.last, heard.count) = (Some(minute), heard.count.saturating_add(1));
                }
                let Some(last) = heard.last else { continue };
                if heard.silent {
                    if let Some(id) = heard.incident.filter(|_| until - heard.told >= EVERY) {
                        heard.told = until;
                        let finding = finding(rule, last, until, heard.gap);
                        heard.incident = book.grow(id, finding, Tip::default()).then_some(id);
                    }
                } else if heard.is_long(rule, until - last) {
                    began.push((at, last, until));
                    (heard.silent, heard.told) = (true, until);
                }
            }
            self.raise(index, rule, &began, until, book);
        }
    }

    /// Tells which silences began. Where nothing is heard of any interface, that is one alert.
    fn raise(&mut self, index: usize, rule: &Rule, began: &[(usize, i64, i64)], until: i64, book: &mut Book) {
        let active = self.interfaces.values().filter(|heard| heard.count >= LEAST);
        let everything = began.len() > 1 && active.clone().count() > 1 && active.clone().all(|heard| heard.silent);
        let mut of_all = None;
        for (at, last, to) in began {
            let Some((name, heard)) = self.interfaces.get_index_mut(*at) else { continue };
            let whole = everything && *to == until;
            let key: GroupKey = [if whole { Key::Absent } else { Key::Text(Arc::clone(name)) }].into_iter().collect();
            let id = match of_all.filter(|_| whole) {
                Some(id) => id,
                None => book.open(index, &key, finding(rule, *last, *to, heard.gap), Tip::default()),
            };
            if whole {
                of_all = Some(id);
            }
            heard.incident = heard.silent.then_some(id);
        }
    }
}

impl Heard {
    fn is_long(&self, rule: &Rule, pause: i64) -> bool {
        self.count >= LEAST && rule.condition.holds(&Length { rule, silence: pause, gap: self.gap })
    }
}

fn finding(rule: &Rule, last: i64, to: i64, gap: i64) -> Finding {
    let length = Length { rule, silence: to - last, gap };
    let read = |from: &[(String, super::condition::Number)]| {
        from.iter().map(|(name, number)| (name.clone(), number.value(&length))).collect()
    };
    Finding {
        strength: length.slot(0).max(1.0),
        level: rule.level,
        measured: read(&rule.measured),
        threshold: read(&rule.threshold),
        span: (last * 60, to * 60),
        time: to * 60,
        certain: true,
        last_pane: 0,
        records: 0,
        values: String::new(),
    }
}

#[cfg(test)]
mod tests;
