//! One rule, checked: what to look at, how to group and count it, when to speak and what to say.
//!
//! A rule is a `[[rule]]` table of a TOML file; `docs/rules.md` describes every key. Reading is in [`mod@read`], which turns every mistake into a
//! [`RuleError`] with its line and column, so that a rule that starts is a rule that can fire.

mod change;
mod expand;
mod keys;
mod raw;
mod read;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use super::alert::Level;
use super::condition::{Aggregate, Condition, Function, Number};
use super::template::Template;
use crate::filter::{Filter, Stage};
use crate::record::Field;

pub(super) use change::over;
pub(super) use keys::schema;
pub(super) use read::read;

/// A checked rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique name, such as `AMP-PROBE`. A later rule of the same id takes its place.
    pub id: Arc<str>,
    /// What it finds, a few words.
    pub title: Arc<str>,
    /// How bad that is.
    pub level: Level,
    /// Whether it runs.
    pub enabled: bool,
    /// ATT&CK technique, such as `T1498.002`; empty where none fits.
    pub technique: Arc<str>,
    /// Further labels.
    pub tags: Vec<String>,
    /// What kind of rows it looks at.
    pub stage: Stage,
    /// Which rows it looks at; `None` for all.
    pub filter: Option<Filter>,
    /// The named set that it waits for, where there is none of that name: the rule is off until then.
    pub waits_for: Option<String>,
    /// The filter with the example in place of that set, for the rule's tests.
    pub(super) tested_filter: Option<Filter>,
    /// What of those rows it counts; the others only teach `new`.
    pub(super) only: Option<Condition>,
    /// Whether it means the same when client and server are swapped. If not, sessions whose direction is a guess are left out.
    pub symmetric: bool,
    /// The port by which the amplification table is looked up, and whether rows off the table are left out.
    pub(super) amplification_port: (Field, bool),
    /// One alert per value of these.
    pub group_by: Vec<Field>,
    /// Seconds that a window is long.
    pub timespan: i64,
    /// What is counted for each group. The first is the number of flow records.
    pub(super) aggregates: Vec<Aggregate>,
    /// When it speaks.
    pub(super) condition: Condition,
    /// Other levels and when they apply; the worst that holds counts.
    pub(super) escalate: Vec<(Level, Condition)>,
    /// Seconds without evidence after which an alert is over. Until then the same group only makes it grow.
    pub suppress: i64,
    /// Seconds that an alert waits for a rule that absorbs it.
    pub hold: i64,
    /// Rules whose alerts are part of this one's, where both agree on the fields that both group by.
    pub absorbs: Vec<String>,
    /// How groups that speak at once are told as one alert.
    pub(super) gather: Option<Gather>,
    /// What an alert reports.
    pub(super) measured: Vec<(String, Number)>,
    /// What it had to reach, under the same names.
    pub(super) threshold: Vec<(String, Number)>,
    pub(super) message: Template,
    pub(super) evidence: Template,
    /// What it means, one paragraph.
    pub meaning: Arc<str>,
    /// What it could be instead.
    pub false_positives: Arc<[String]>,
    /// Where the thresholds come from.
    pub source: String,
    /// Its tests.
    pub tests: Vec<RuleTest>,
    /// The TOML text it was read from.
    pub text: Arc<str>,
    /// Where it comes from, in words: "built in", a file, or both where a file changes it.
    pub origin: Arc<str>,
}

impl Rule {
    /// Whether it asks what is new, and so has to remember what there was.
    pub(super) fn learns(&self) -> bool {
        self.aggregates.iter().any(|aggregate| aggregate.function == Function::New)
    }
}

/// Many groups as one alert.
#[derive(Clone, Debug)]
pub(super) struct Gather {
    /// Places in `group_by` of the fields that they share.
    pub(super) places: Vec<usize>,
    /// Templates over those fields, `groups` and what is measured of the strongest group.
    pub(super) message: Template,
    pub(super) evidence: Template,
}

impl Gather {
    /// Name of the number of groups.
    pub(super) const GROUPS: &str = "groups";
}

/// A test that a rule carries: flow lines and how many alerts the rule raises over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTest {
    /// What it shows.
    pub name: String,
    /// Flow records in the default format (version 2), one a line, ranges written out. Empty lines and spaces around a line mean nothing.
    pub flows: String,
    /// How many alerts this rule must raise, once all lines are read and nothing more comes.
    pub expect: usize,
}

/// Why a text is not a set of rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RuleError {
    /// Name of the file.
    pub file: String,
    /// Id of the rule, where it is known.
    pub rule: Option<String>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule {rule}: ")?;
        }
        f.write_str(&self.message)
    }
}
