//! What a rule raises.

use std::fmt;
use std::sync::Arc;

use crate::filter::Stage;
use crate::record::{Cell, Field};

/// How bad an alert is; the words are Sigma's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing, nothing to do.
    Informational,
    /// Worth a look.
    Low,
    /// Probably wrong.
    Medium,
    /// Wrong.
    High,
    /// Wrong and urgent.
    Critical,
}

impl Level {
    /// The word used in rules and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Informational => "informational",
            Level::Low => "low",
            Level::Medium => "medium",
            Level::High => "high",
            Level::Critical => "critical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Groups that the message of an alert names that speaks for many.
pub const NAMED: usize = 3;

/// One incident found by one rule. It grows: `last`, `measured` and `count` change while it is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Number in this run, from 1.
    pub id: u64,
    /// Whether later records took it back: what it was raised for did not happen. It is `closed` too.
    pub withdrawn: bool,
    /// Id of the rule, such as `AMP-PROBE`.
    pub rule: Arc<str>,
    /// Title of the rule.
    pub title: Arc<str>,
    /// See [`Level`].
    pub level: Level,
    /// ATT&CK technique, such as `T1498.002`; empty where the rule names none.
    pub technique: Arc<str>,
    /// Whether it is over.
    pub closed: bool,
    /// Event time, Unix seconds, at which the condition first held.
    pub time: i64,
    /// Least start of the evidence, Unix seconds.
    pub first: i64,
    /// Greatest end of the evidence, Unix seconds.
    pub last: i64,
    /// Seconds of the rule's window: what so long before [`Alert::first`] may have added to it.
    pub timespan: i64,
    /// The group the rule counted for.
    pub group: Vec<(Field, Cell)>,
    /// Of an alert that speaks for many groups, those groups, strongest first, at most fifty; otherwise empty.
    pub among: Vec<Vec<(Field, Cell)>>,
    /// What was measured, by filter name or aggregate, at the strongest moment.
    pub measured: Vec<(String, f64)>,
    /// The thresholds beside it, under the same names.
    pub threshold: Vec<(String, f64)>,
    /// Flow records that are evidence.
    pub count: u64,
    /// One line for the sidebar, cleaned of nothing: the screen cleans what it writes.
    pub message: String,
    /// Filter that selects the evidence, for rows of `stage`.
    pub filter: String,
    /// What kind of rows `filter` selects.
    pub stage: Stage,
    /// What it means, for the detail pane.
    pub meaning: Arc<str>,
    /// What it could be instead.
    pub false_positives: Arc<[String]>,
    /// The session that tipped it, for session rules.
    pub session: Option<u64>,
}

impl Alert {
    /// Of an alert that speaks for many groups, what tells each of them apart from the others.
    pub fn apart(&self) -> impl Iterator<Item = impl Iterator<Item = &Cell>> {
        let shared = |field: &Field| self.group.iter().any(|(known, _)| known == field);
        self.among.iter().map(move |one| one.iter().filter(move |(field, _)| !shared(field)).map(|(_, cell)| cell))
    }

    /// Whether it speaks for more groups than it lists.
    pub fn speaks_for_more(&self) -> bool {
        let groups = self.measured.iter().find(|(name, _)| name == "groups").map_or(0.0, |(_, groups)| *groups);
        f64::from(u32::try_from(self.among.len()).unwrap_or(u32::MAX)) < groups
    }
}

/// News from the rules.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertEvent {
    /// A new alert.
    Raised(Alert),
    /// An open alert changed.
    Updated(Alert),
    /// An alert is over.
    Closed(Alert),
    /// An alert is taken back: later records showed that it did not hold, or a stronger alert contains it. It is no longer held.
    Withdrawn(Alert),
}
