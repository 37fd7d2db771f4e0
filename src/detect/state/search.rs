//! What a rule finds in a group: the strongest of the windows in which its condition holds.

use std::fmt::Write as _;

use super::RuleState;
use crate::detect::alert::Level;
use crate::detect::condition::{Function, Number, Values};
use crate::detect::habits::Habits;
use crate::detect::incident::Finding;
use crate::detect::key::{GroupKey, Key};
use crate::detect::novelty::Novelty;
use crate::detect::rule::Rule;
use crate::detect::window::{Group, Window};
use crate::record::amplification::{AmpPort, amp_port};
use crate::record::{Field, services};

/// Values that a message spells out.
const SHOWN: usize = 5;

/// The strongest window of a group so far.
pub(super) struct Search<'a> {
    pub(super) state: &'a RuleState,
    pub(super) key: &'a GroupKey,
    pub(super) found: Option<Finding>,
}

impl Search<'_> {
    /// Takes a window into account.
    pub(super) fn look(&mut self, window: &Window<'_>) {
        let state = self.state;
        let rule = &*state.rule;
        let values = OfGroup { state, key: self.key, window };
        if !rule.condition.holds(&values) {
            return;
        }
        let read = |from: &[(String, Number)]| -> Vec<(String, f64)> {
            from.iter().map(|(name, number)| (name.clone(), number.value(&values))).collect()
        };
        let (measured, threshold) = (read(&rule.measured), read(&rule.threshold));
        let strength = threshold
            .iter()
            .filter_map(|(name, least)| {
                let value = measured.iter().find(|(known, _)| known == name)?.1;
                (*least > 0.0 && !value.is_nan()).then(|| value / least)
            })
            .fold(f64::INFINITY, f64::min);
        let strength = if strength.is_finite() { strength } else { window.slot(0) };
        let level = rule
            .escalate
            .iter()
            .find(|(_, when)| when.holds(&values))
            .map_or(rule.level, |(level, _)| (*level).max(rule.level));
        let (from, to) = values.times();
        let fresh: Vec<(i64, &Key)> =
            state.novelty.iter().flat_map(|(_, novelty)| novelty.fresh(self.key, from, to)).collect();
        // Rows that go on beyond a window may still change what it sums. What ended in it, and long enough ago, stays.
        let certain = to < i64::MAX && state.is_final(window.panes.1) && {
            let ended = window.ended();
            rule.condition.holds(&OfGroup { state, key: self.key, window: &window.with(&ended) })
        };
        let mut span = window.span;
        if let (Some((first, _)), Some((last, _))) = (fresh.first(), fresh.last()) {
            span = if to == i64::MAX { (*first, span.1.max(*last)) } else { (span.0.min(*first), span.1) };
        }
        let finding = Finding {
            strength,
            level,
            measured: finite(measured),
            threshold: finite(threshold),
            span,
            time: if window.time == i64::MIN { span.1 } else { window.time },
            certain,
            last_pane: if to == i64::MAX { span.1.div_euclid(state.pane) } else { window.panes.1 },
            records: whole(window.slot(0)),
            values: listed(&fresh),
        };
        match &mut self.found {
            None => self.found = Some(finding),
            Some(best) => {
                let span = (best.span.0.min(finding.span.0), best.span.1.max(finding.span.1));
                let time = best.time.min(finding.time);
                let certain = best.certain || finding.certain;
                let last_pane = best.last_pane.max(finding.last_pane);
                let level: Level = best.level.max(finding.level);
                if finding.strength > best.strength {
                    *best = finding;
                }
                (best.span, best.time, best.certain, best.last_pane, best.level) =
                    (span, time, certain, last_pane, level);
            }
        }
    }
}

/// A group in one window, as a condition reads it.
struct OfGroup<'a> {
    state: &'a RuleState,
    key: &'a GroupKey,
    window: &'a Window<'a>,
}

impl OfGroup<'_> {
    /// First and last Unix second of the window.
    fn times(&self) -> (i64, i64) {
        let (from, to) = self.window.panes;
        let pane = self.state.pane;
        if to == i64::MAX {
            (i64::MIN, i64::MAX)
        } else {
            (from.saturating_mul(pane), to.saturating_add(1).saturating_mul(pane).saturating_sub(1))
        }
    }
}

impl OfGroup<'_> {
    /// The value of an aggregate that looks beyond the window.
    fn remembered(&self, index: usize) -> Option<f64> {
        let habits = &self.state.habits;
        if habits.is_empty() {
            return None;
        }
        habits.value(index, self.state.rule.aggregates.get(index)?.function, self.key, self.times())
    }
}

/// The most that the aggregates of a group can be in any of its windows.
pub(super) struct Most<'a> {
    pub(super) rule: &'a Rule,
    pub(super) novelty: &'a [(usize, Novelty)],
    pub(super) habits: &'a Habits,
    pub(super) key: &'a [Key],
    pub(super) group: &'a Group,
}

impl Values for Most<'_> {
    fn slot(&self, index: usize) -> f64 {
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        match self.rule.aggregates.get(index).map(|aggregate| aggregate.function) {
            Some(Function::Count | Function::Sum) => self.group.most(index),
            Some(Function::Distinct | Function::Failed) => number(self.group.distinct(index)),
            Some(Function::New) => {
                let known = self.novelty.iter().find(|(slot, _)| *slot == index);
                known.map_or(0.0, |(_, novelty)| number(novelty.most(self.key)))
            }
            Some(Function::Min | Function::Max) | None => f64::INFINITY,
            Some(function) => self.habits.most(function, self.key),
        }
    }

    fn field(&self, field: Field) -> f64 {
        part(self.rule, self.key, field).map_or(f64::NAN, Key::number)
    }

    fn amp(&self) -> Option<&AmpPort> {
        amp(self.rule, self.key)
    }
}

/// The value of a field that the rule groups by.
fn part<'a>(rule: &Rule, key: &'a [Key], field: Field) -> Option<&'a Key> {
    key.get(rule.group_by.iter().position(|known| *known == field)?)
}

/// The row of the amplification table for a group's port.
fn amp(rule: &Rule, key: &[Key]) -> Option<&'static AmpPort> {
    if part(rule, key, Field::Protocol).is_some_and(|protocol| *protocol != Key::Int(services::UDP.into())) {
        return None;
    }
    match part(rule, key, rule.amplification_port.0) {
        Some(Key::Int(port)) => amp_port(u16::try_from(*port).ok()?),
        _ => None,
    }
}

impl Values for OfGroup<'_> {
    fn slot(&self, index: usize) -> f64 {
        match self.state.novelty.iter().find(|(slot, _)| *slot == index) {
            Some((_, novelty)) => {
                let (from, to) = self.times();
                f64::from(u32::try_from(novelty.count(self.key, from, to)).unwrap_or(u32::MAX))
            }
            None => self.remembered(index).unwrap_or_else(|| self.window.slot(index)),
        }
    }

    fn field(&self, field: Field) -> f64 {
        part(&self.state.rule, self.key, field).map_or(f64::NAN, Key::number)
    }

    fn amp(&self) -> Option<&AmpPort> {
        amp(&self.state.rule, self.key)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of records: whole and not negative"
)]
fn whole(count: f64) -> u64 {
    count.max(0.0) as u64
}

/// What can be shown and written as JSON.
fn finite(values: Vec<(String, f64)>) -> Vec<(String, f64)> {
    values.into_iter().filter(|(_, value)| value.is_finite()).collect()
}

/// `22, 4444 and 3 more`
fn listed(fresh: &[(i64, &Key)]) -> String {
    let mut out = String::new();
    for (index, (_, value)) in fresh.iter().take(SHOWN).enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        match value {
            Key::Absent => out.push('-'),
            Key::Int(number) => _ = write!(out, "{number}"),
            Key::Addr(addr) => _ = write!(out, "{addr}"),
            Key::Text(text) => out.push_str(text),
        }
    }
    if fresh.len() > SHOWN {
        _ = write!(out, " and {} more", fresh.len() - SHOWN);
    }
    out
}
