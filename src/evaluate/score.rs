//! What rules said about a trial, beside what happened in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::attack::Scenario;
use super::wire::interface;
use crate::detect::{Alert, Level, NAMED};
use crate::record::{Cell, Field};

/// Seconds by which an alert may begin before its attack, since a record begins with its window, and end after it.
const SLACK: i64 = 660;

/// How often a kind of attack was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Attacks of the kind.
    pub attacks: u64,
    /// Of those, with at least one alert.
    pub found: u64,
    /// Alerts that were about them.
    pub alerts: u64,
    /// Seconds of event time from the beginning of each attack that was found to its first alert.
    pub delays: Vec<i64>,
}

/// What one rule said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Alerts about an attack, naming one of its techniques.
    pub right: u64,
    /// Alerts about an attack, naming another technique: a side of it that is not what the rule is for.
    pub beside: u64,
    /// Alerts about ordinary traffic, or that name some of it among attacks.
    pub wrong: u64,
}

/// Over all trials.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// By kind of attack and variant.
    pub attacks: BTreeMap<(&'static str, String), Found>,
    /// By rule.
    pub rules: BTreeMap<String, Said>,
    /// False alerts by level.
    pub wrong: BTreeMap<Level, u64>,
    /// Some false alerts, as the user would read them.
    pub examples: Vec<String>,
    /// Interfaces times days of traffic.
    pub host_days: f64,
    /// Hours of traffic.
    pub hours: f64,
    /// Records read.
    pub records: u64,
}

/// False alerts that are kept to be looked at.
const EXAMPLES: usize = 400;

impl Score {
    /// Counts the `alerts` that a trial with `scenarios` ended with.
    pub(super) fn count(&mut self, scenarios: &[Scenario], alerts: &[Alert]) {
        let mut first: Vec<Option<i64>> = vec![None; scenarios.len()];
        let mut about = vec![0_u64; scenarios.len()];
        for alert in alerts {
            let said = self.rules.entry(alert.rule.to_string()).or_default();
            let about_all = judge(scenarios, alert);
            // One that speaks for many is false if it names anybody without reason.
            let wrong = about_all.iter().any(|verdict| matches!(verdict, Verdict::Wrong));
            let named: BTreeSet<usize> = about_all.iter().flat_map(Verdict::named).copied().collect();
            if wrong {
                said.wrong += 1;
                *self.wrong.entry(alert.level).or_default() += 1;
                if self.examples.len() < EXAMPLES {
                    self.examples.push(format!("{} {}: {}", alert.rule, alert.level, alert.message));
                }
            } else if named.is_empty() {
                said.beside += 1;
            } else {
                said.right += 1;
            }
            for n in named {
                about[n] += 1;
                first[n] = Some(first[n].map_or(alert.time, |known| known.min(alert.time)));
            }
        }
        for ((scenario, first), about) in scenarios.iter().zip(first).zip(about) {
            let found = self.attacks.entry((scenario.family, scenario.variant.clone())).or_default();
            found.attacks += 1;
            found.alerts += about;
            if let Some(first) = first {
                found.found += 1;
                found.delays.push((first - scenario.from).max(0));
            }
        }
    }

    /// Everything of one kind of attack, over its variants.
    pub fn families(&self) -> BTreeMap<&'static str, Found> {
        let mut families: BTreeMap<&'static str, Found> = BTreeMap::new();
        for ((family, _), found) in &self.attacks {
            let sum = families.entry(family).or_default();
            sum.attacks += found.attacks;
            sum.found += found.found;
            sum.alerts += found.alerts;
            sum.delays.extend(&found.delays);
        }
        families
    }
}

impl Found {
    /// Median seconds to the first alert; `None` where nothing was found.
    pub fn delay(&self) -> Option<i64> {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        delays.get(delays.len() / 2).copied()
    }
}

/// What a group that an alert is about has to do with what happened.
enum Verdict {
    /// Nothing.
    Wrong,
    /// Attacks on or by its hosts, of which the alert names another technique.
    Beside,
    /// Attacks that it names, by their places.
    Right(Vec<usize>),
}

impl Verdict {
    fn named(&self) -> &[usize] {
        match self {
            Verdict::Right(named) => named,
            Verdict::Wrong | Verdict::Beside => &[],
        }
    }
}

/// What each group that an alert speaks for has to do with what happened. Beyond those that its message names, a group counts as said only
/// where it is said for nothing: nobody reads on for what is right.
fn judge(scenarios: &[Scenario], alert: &Alert) -> Vec<Verdict> {
    let groups = if alert.among.is_empty() { std::slice::from_ref(&alert.group) } else { &alert.among[..] };
    let verdict = |(place, group): (usize, &Vec<(Field, Cell)>)| {
        let touched: Vec<usize> = (0..scenarios.len()).filter(|n| concerns(&scenarios[*n], alert, group)).collect();
        let named: Vec<usize> = touched.iter().copied().filter(|n| names(&scenarios[*n], alert)).collect();
        match (touched.is_empty(), named.is_empty()) {
            (true, _) => Verdict::Wrong,
            (false, false) if place < NAMED => Verdict::Right(named),
            _ => Verdict::Beside,
        }
    };
    groups.iter().enumerate().map(verdict).collect()
}

/// Whether a group of an alert has a host of this attack, while it lasted.
fn concerns(scenario: &Scenario, alert: &Alert, group: &[(Field, Cell)]) -> bool {
    let when = alert.last >= scenario.from - SLACK && alert.first <= scenario.to + SLACK;
    when && group.iter().any(|(_, cell)| scenario.entities.iter().any(|entity| is(cell, *entity)))
}

/// Whether a cell is an address, or its interface.
fn is(cell: &Cell, entity: IpAddr) -> bool {
    match cell {
        Cell::Addr(address) => *address == entity,
        Cell::Text(text) => **text == *interface(entity),
        _ => false,
    }
}

/// Whether an alert names a technique of this attack.
fn names(scenario: &Scenario, alert: &Alert) -> bool {
    let technique = &alert.technique;
    scenario.techniques.iter().any(|known| technique.split('.').next() == Some(known) || **technique == **known)
}
