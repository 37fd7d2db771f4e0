//! What is done with alerts: to go from one to the next, to acknowledge, to mute and to hear again.

use std::sync::Arc;

use super::menu::{Does, Item, Kind, Menu};
use super::{App, Focus, Tone};
use crate::detect::Alert;
use crate::detect::mute::{Mute, Mutes, group_of, joined, parts};
use crate::engine::view::{RowId, Tab};
use crate::record::Field;

/// Incidents that are known as acknowledged from another tab.
const MOST_SEEN: usize = 1_000;

/// How long something can be muted: what it is called, seconds.
const SPANS: [(&str, Option<i64>); 3] = [("for 1 hour", Some(3_600)), ("for 1 day", Some(86_400)), ("for good", None)];

/// An incident that somebody has seen under another number: alerts of a search are numbered anew.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    rule: Arc<str>,
    group: String,
    span: (i64, i64),
}

impl Seen {
    fn is(&self, alert: &Alert) -> bool {
        *self.rule == *alert.rule
            && self.span.0 <= alert.last
            && alert.first <= self.span.1
            && self.group == group_of(alert)
    }
}

impl App {
    /// Knows what was muted in `other`, and what was acknowledged there: the same incident is known here by its rule, its group and its time.
    pub(super) fn with_verdicts_of(mut self, other: &App) -> App {
        self.mutes = Arc::clone(&other.mutes);
        let seen = other.page.alerts.iter().filter(|alert| other.is_acknowledged(alert));
        let seen = seen.map(|alert| Seen {
            rule: Arc::clone(&alert.rule),
            group: group_of(alert),
            span: (alert.first, alert.last),
        });
        self.seen = seen.chain(other.seen.iter().cloned()).take(MOST_SEEN).collect();
        self
    }

    /// What is muted in one tab is so in the other.
    pub fn share_mutes(&mut self, mutes: &Arc<Mutes>) {
        self.mutes = Arc::clone(mutes);
    }

    /// Knows what earlier runs muted.
    #[must_use]
    pub fn with_mutes(mut self, mutes: impl IntoIterator<Item = Mute>) -> App {
        let mut all = Mutes::default();
        mutes.into_iter().for_each(|mute| all.add(mute));
        self.mutes = Arc::new(all);
        self
    }

    /// What is muted. Another `Arc` after every change.
    pub fn mutes(&self) -> &Arc<Mutes> {
        &self.mutes
    }

    /// Whether somebody has said that they saw this alert.
    pub fn is_acknowledged(&self, alert: &Alert) -> bool {
        self.acknowledged.contains(&alert.id) || self.seen.iter().any(|seen| seen.is(alert))
    }

    /// Whether this alert is muted, and only here because muted ones are shown.
    pub fn is_muted(&self, alert: &Alert) -> bool {
        self.mutes.covers(alert)
    }

    /// Alerts that were raised since the last call and are shown, the worst first. Those of the first page are no news.
    pub fn take_raised(&mut self) -> Vec<Arc<Alert>> {
        let newest = self.page.alerts.iter().map(|alert| alert.id).max().unwrap_or(0);
        let Some(known) = self.newest_alert.replace(newest.max(self.newest_alert.unwrap_or(0))) else {
            return Vec::new();
        };
        self.page.alerts.iter().filter(|alert| alert.id > known && !self.is_muted(alert)).cloned().collect()
    }

    /// Lets go of mutes that have ended.
    pub(super) fn expire_mutes(&mut self) {
        let now = self.now.div_euclid(1000);
        if self.mutes.any_over(now) {
            self.change_mutes(|mutes| mutes.expire(now));
        }
    }

    /// The alert that a key is about: the one the cursor is on, in the list or in the table of alerts.
    fn alert_at_hand(&mut self) -> Option<Arc<Alert>> {
        let found = match (self.focus, self.view.tab) {
            (Focus::Sidebar, _) => self.selected_alert().cloned(),
            (Focus::Table, Tab::Alerts) => match self.view.table().cursor {
                Some(RowId::Alert(id)) => self.page.alerts.iter().find(|alert| alert.id == id).cloned(),
                _ => None,
            },
            _ => None,
        };
        if found.is_none() {
            self.say_keys(
                Tone::Quiet,
                "Choose an alert first: {next-alert} goes to the next one, {sidebar} to their list.",
            );
        }
        found
    }

    /// Says that an alert was seen, or takes it back.
    pub(super) fn acknowledge(&mut self) {
        let Some(alert) = self.alert_at_hand() else { return };
        if self.is_acknowledged(&alert) {
            self.acknowledged.remove(&alert.id);
            self.seen.retain(|seen| !seen.is(&alert));
            return self.say(Tone::Quiet, format!("{} is not acknowledged any more.", alert.rule));
        }
        self.acknowledged.insert(alert.id);
        self.say(
            Tone::Quiet,
            format!(
                "Acknowledged {}; {} goes to the next alert that is not.",
                alert.rule,
                self.keys.spell("{next-alert}")
            ),
        );
    }

    /// Goes to the next alert that nobody acknowledged (`by` 1) or the one before (-1), around the end.
    pub(super) fn go_to_alert(&mut self, by: isize) {
        let alerts = Arc::clone(&self.page);
        let alerts = &alerts.alerts;
        let in_table = self.focus == Focus::Table && self.view.tab == Tab::Alerts;
        let now = match (self.focus, self.view.table().cursor) {
            (Focus::Sidebar, _) => self.selected_alert().map(|alert| alert.id),
            (Focus::Table, Some(RowId::Alert(id))) if in_table => Some(id),
            _ => None,
        };
        let left: Vec<u64> = alerts
            .iter()
            .filter(|alert| !self.is_acknowledged(alert) || Some(alert.id) == now)
            .map(|alert| alert.id)
            .collect();
        let open = |id: &u64| !alerts.iter().any(|alert| alert.id == *id && self.is_acknowledged(alert));
        if !left.iter().any(open) {
            let why = if alerts.is_empty() { "There are no alerts." } else { "Every alert is acknowledged." };
            return self.say(Tone::Quiet, why);
        }
        let at = now.and_then(|now| left.iter().position(|id| *id == now));
        let to = match at {
            None if by > 0 => 0,
            None => left.len() - 1,
            Some(at) => (at.cast_signed() + by).rem_euclid(left.len().cast_signed()).cast_unsigned(),
        };
        let id = left[to];
        if in_table {
            self.view.table_mut().go_to(RowId::Alert(id));
        } else {
            self.focus = Focus::Sidebar;
            self.alert = Some(id);
        }
        self.detail_scroll = 0;
    }

    /// Offers to mute what the chosen alert is about.
    pub(super) fn open_mute(&mut self) {
        let Some(alert) = self.alert_at_hand() else { return };
        let rule = alert.rule.to_string();
        let now = self.now.div_euclid(1000);
        let mut items = Vec::new();
        for (what, groups) in mutable(&alert) {
            for (name, span) in SPANS {
                let until = span.map(|span| now + span);
                let mute = |group: &Option<String>| Mute { rule: rule.clone(), group: group.clone(), until };
                items.push(Item::new(what.clone(), name, Does::Mute(groups.iter().map(mute).collect())));
            }
        }
        self.open_menu(Menu::new(Kind::Mutes, format!("Mute {rule}"), items));
    }

    /// The list of what is muted.
    pub(super) fn open_mutes(&mut self) {
        if self.mutes.is_empty() {
            return self.say(Tone::Quiet, "Nothing is muted. z mutes what the chosen alert is about.");
        }
        let now = self.now.div_euclid(1000);
        let show = if self.show_muted { "Hide muted alerts" } else { "Show muted alerts" };
        let mut items = vec![Item::new(show, format!("{} held", self.page.muted), Does::ShowMuted)];
        for mute in self.mutes.iter() {
            let left = match mute.until {
                None => "for good".to_owned(),
                Some(until) => format!("{} left", left(until - now)),
            };
            let what = mute.group.as_deref().unwrap_or("all of it");
            items.push(Item::new(format!("Hear again: {} {what}", mute.rule), left, Does::Unmute(mute.clone())));
        }
        self.open_menu(Menu::new(Kind::Mutes, "Muted", items));
    }

    pub(super) fn mute(&mut self, mutes: Vec<Mute>) {
        let Some(rule) = mutes.first().map(|mute| mute.rule.clone()) else { return };
        self.say(Tone::Quiet, format!("Muted {rule}; {} lists what is muted.", self.keys.spell("{mutes}")));
        self.change_mutes(|all| mutes.into_iter().for_each(|mute| all.add(mute)));
        // Whoever mutes wants to see it go.
        self.show_muted = false;
    }

    /// Another list takes the place of the one that others hold, so that they see the difference.
    fn change_mutes(&mut self, change: impl FnOnce(&mut Mutes)) {
        let mut mutes = Mutes::clone(&self.mutes);
        change(&mut mutes);
        self.mutes = Arc::new(mutes);
    }

    pub(super) fn unmute(&mut self, mute: &Mute) {
        self.say(Tone::Quiet, format!("{} is heard again.", mute.rule));
        self.change_mutes(|mutes| mutes.remove(mute));
    }

    pub(super) fn toggle_muted(&mut self) {
        self.show_muted = !self.show_muted;
        self.say(Tone::Quiet, if self.show_muted { "Muted alerts are shown." } else { "Muted alerts are hidden." });
    }
}

/// What can be muted of an alert, in words and as groups of its rule; `None` is all of them. What is muted of an alert that speaks for many
/// are those that it lists: another one is heard.
fn mutable(alert: &Alert) -> Vec<(String, Vec<Option<String>>)> {
    let own = parts(&alert.group);
    let mut out = Vec::new();
    if !alert.among.is_empty() && !alert.speaks_for_more() {
        let groups: Vec<_> = alert.among.iter().map(|group| Some(joined(&parts(group)))).collect();
        out.push((format!("the {} it is about now, others are heard", groups.len()), groups));
    }
    if !own.is_empty() {
        out.push((joined(&own), vec![Some(joined(&own))]));
    }
    // One host, whoever it talks to.
    let hosts = [Field::Client, Field::Server, Field::SrcAddr, Field::DstAddr];
    for host in alert.group.iter().filter(|(field, _)| own.len() > 1 && hosts.contains(field)) {
        let part = joined(&parts(std::slice::from_ref(host)));
        out.push((format!("{part}, whatever else"), vec![Some(part)]));
    }
    out.push((format!("all of {}", alert.rule), vec![None]));
    out
}

/// A length of time, rounded up.
fn left(seconds: i64) -> String {
    match seconds.max(0) {
        short if short <= 5_400 => format!("{} min", (short + 59) / 60),
        long if long <= 129_600 => format!("{} h", (long + 3_599) / 3_600),
        longer => format!("{} d", (longer + 86_399) / 86_400),
    }
}
