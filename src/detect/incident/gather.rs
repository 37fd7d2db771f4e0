//! What many groups of one rule show at once, told as one alert: a rule with `gather` names the fields that those groups share.
//!
//! The first of them speaks for the others, which are absorbed by it. Alone it reads as its rule says; once there are others, it is about what they
//! share, counts them and names the strongest. So what is told depends on which groups there are, and not on which of them came first.

use std::fmt::Write as _;

use super::Book;
use super::entry::{Entry, State, service};
use crate::detect::alert::{Alert, NAMED};
use crate::detect::rule::{Gather, Rule};
use crate::detect::template::Fill;
use crate::record::{Cell, Field};

/// Groups that an alert lists for programs.
const LISTED: usize = 50;

impl Book {
    /// An alert of a rule that gathers becomes part of one that is open. False where there is none.
    pub(super) fn join(&mut self, id: u64) -> bool {
        let Some(entry) = self.entries.get(&id) else { return false };
        let rule = self.rules[entry.rule].clone();
        let Some(gather) = &rule.gather else { return false };
        let speaker = self.live.iter().copied().find(|&other| {
            other != id
                && self.entries.get(&other).is_some_and(|other| {
                    other.rule == entry.rule
                        && other.state == State::Open
                        && gather.places.iter().all(|place| other.key.get(*place) == entry.key.get(*place))
                })
        });
        let Some(speaker) = speaker else { return false };
        // What spoke for others before brings them along.
        let mut members = self.entries.get_mut(&id).map(|entry| std::mem::take(&mut entry.members)).unwrap_or_default();
        for member in &members {
            self.set(*member, State::Absorbed(speaker));
        }
        members.insert(id);
        self.set(id, State::Absorbed(speaker));
        if let Some(entry) = self.entries.get_mut(&speaker) {
            entry.members.append(&mut members);
        }
        self.grown(speaker, id);
        true
    }

    /// A part of alert `by` changed: if that one speaks for it, it has changed too.
    pub(super) fn grown(&mut self, by: u64, member: u64) {
        if self.entries.get(&by).is_some_and(|by| by.state == State::Open && by.members.contains(&member)) {
            self.stale.insert(by);
            self.changed.insert(by);
        }
    }

    /// An alert is taken back: who speaks for it does so no more.
    pub(super) fn leave(&mut self, id: u64) {
        let Some(State::Absorbed(by)) = self.entries.get(&id).map(|entry| entry.state) else { return };
        self.grown(by, id);
        if let Some(by) = self.entries.get_mut(&by) {
            by.members.remove(&id);
        }
    }

    /// Writes anew what speaks for others, where they changed.
    pub(super) fn regather(&mut self) {
        for id in std::mem::take(&mut self.stale) {
            let Some(entry) = self.entries.get(&id) else { continue };
            let rule = self.rules[entry.rule].clone();
            let members = entry.members.iter().filter_map(|member| self.entries.get(member));
            let all: Vec<&Entry> = std::iter::once(entry).chain(members).collect();
            let gathered = rule
                .gather
                .as_ref()
                .filter(|_| all.len() > 1)
                .map(|gather| told(&rule, gather, entry, all, &self.known));
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.gathered = gathered.map(Box::new);
            }
        }
    }
}

/// What `speaker` says for `all`, itself included.
fn told(rule: &Rule, gather: &Gather, speaker: &Entry, mut all: Vec<&Entry>, known: &str) -> Alert {
    all.sort_by(|a, b| b.strength.total_cmp(&a.strength).then_with(|| a.key.cmp(&b.key)));
    let group: Vec<(Field, Cell)> =
        gather.places.iter().filter_map(|place| speaker.alert.group.get(*place).cloned()).collect();
    let strongest = all.first().map_or(&speaker.alert, |entry| &entry.alert);
    let groups = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let mut measured = vec![(Gather::GROUPS.to_owned(), f64::from(groups))];
    measured.extend(strongest.measured.iter().cloned());
    let count = all.iter().map(|entry| entry.alert.count).sum();
    let values = named(gather, &all);
    let fill = Fill {
        group: &group,
        measured: &measured,
        service: service(&group, speaker.protocol),
        count,
        values: &values,
        known,
    };
    let (message, filter) = (gather.message.fill(&fill), gather.evidence.fill_filter(&fill));
    let alerts = || all.iter().map(|entry| &entry.alert);
    let among = all.iter().take(LISTED).map(|entry| entry.alert.group.clone()).collect();
    Alert {
        among,
        first: alerts().map(|alert| alert.first).min().unwrap_or(speaker.alert.first),
        last: alerts().map(|alert| alert.last).max().unwrap_or(speaker.alert.last),
        time: alerts().map(|alert| alert.time).min().unwrap_or(speaker.alert.time),
        level: alerts().map(|alert| alert.level).max().unwrap_or(rule.level),
        threshold: strongest.threshold.clone(),
        session: strongest.session,
        group,
        measured,
        count,
        message,
        filter,
        ..speaker.alert.clone()
    }
}

/// What tells the group of `entry` apart from the others.
fn own<'a>(gather: &'a Gather, entry: &'a Entry) -> impl Iterator<Item = &'a Cell> {
    let own = entry.alert.group.iter().enumerate().filter(|(place, _)| !gather.places.contains(place));
    own.map(|(_, (_, cell))| cell)
}

/// `10.0.0.5, 10.0.0.9 and 3 more`: what tells the groups apart, strongest first.
fn named(gather: &Gather, all: &[&Entry]) -> String {
    let mut out = String::new();
    for (index, entry) in all.iter().take(NAMED).enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        for (index, cell) in own(gather, entry).enumerate() {
            if index > 0 {
                out.push(' ');
            }
            _ = write!(out, "{cell}");
        }
    }
    if all.len() > NAMED {
        _ = write!(out, " and {} more", all.len() - NAMED);
    }
    out
}
