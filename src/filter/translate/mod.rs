//! A filter in the languages of other tools: CloudWatch Logs Insights, the `aws` command line, Athena, tcpdump and Wireshark.
//!
//! What another language cannot say is left out, so that the translation selects more rows, never fewer; [`Translation::exact`] is false then and
//! the notes say what was left out. A translation that could only select everything or nothing useful is refused instead, with the reason.
//! Text that a person typed reaches the other language only as a quoted value: see `quote`.
//!
//! Three facts are taken from the AWS documentation and not checked in every query: code words and identifiers are logged in one spelling (`REJECT`,
//! `eni-` and lower-case digits), an IPv4 address is never logged as an IPv6 one, and a record that carries `start` or `end` fills them.

mod athena;
mod awscli;
mod bounds;
mod insights;
mod packets;
pub mod pattern;
mod plan;
mod quote;
mod reader;
mod render;
mod tcpdump;
#[cfg(test)]
mod tests;
mod wireshark;

use std::sync::Arc;

pub use bounds::bounds;
pub use insights::{MAX_QUERY, Shape, insights};

use super::{Filter, Stage};
use crate::record::Format;

/// A language to translate to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// CloudWatch Logs Insights.
    Insights,
    /// `aws logs filter-log-events …`.
    AwsCli,
    /// Athena's SQL over the table of the AWS guide.
    Athena,
    /// A capture filter (BPF).
    Tcpdump,
    /// A display filter.
    Wireshark,
}

impl Target {
    /// Every one, in the order that menus show.
    pub const ALL: [Target; 5] = [Target::Insights, Target::AwsCli, Target::Athena, Target::Tcpdump, Target::Wireshark];

    /// What to call it.
    pub fn title(self) -> &'static str {
        match self {
            Target::Insights => "CloudWatch Logs Insights query",
            Target::AwsCli => "aws logs filter-log-events command",
            Target::Athena => "Athena SQL",
            Target::Tcpdump => "tcpdump capture filter",
            Target::Wireshark => "Wireshark display filter",
        }
    }
}

/// What a translation needs to know beside the filter.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Formats of the lines that are searched, the usual one first; none means the default format.
    pub formats: &'a [Arc<Format>],
    /// Unix seconds that `last 15m` and times of day count from.
    pub now: i64,
    /// The log group, where it is known.
    pub group: Option<&'a str>,
    /// The region, where it is known.
    pub region: Option<&'a str>,
    /// Unix seconds of the rows that are meant, first and last; both may be unknown.
    pub span: Option<(i64, i64)>,
}

/// A filter in another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The text, ready to paste.
    pub text: String,
    /// Whether it selects the very rows that the filter does. If not, it selects these and more.
    pub exact: bool,
    /// What it does not say, and what else a user should know; one sentence each.
    pub notes: Vec<String>,
}

/// Why there is no translation, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Translates `filter`; `None` stands for all rows.
///
/// # Errors
/// Where nothing of the filter can be said in that language, or no row of these formats can match.
pub fn translate(filter: Option<&Filter>, target: Target, context: &Context<'_>) -> Result<Translation, Refusal> {
    match target {
        Target::Insights => insights(filter, context, &Shape::Rows { limit: 1_000 }),
        Target::AwsCli => Ok(awscli::translate(filter, context)),
        Target::Athena => athena::translate(filter, context),
        Target::Tcpdump => tcpdump::translate(filter),
        Target::Wireshark => wireshark::translate(filter),
    }
}

/// The formats to translate for.
fn formats(context: &Context<'_>) -> Vec<Arc<Format>> {
    if context.formats.is_empty() { vec![Format::default_v2()] } else { context.formats.to_vec() }
}

/// A note that belongs to every translation of a filter for sessions.
fn note_of_stage(filter: Option<&Filter>, notes: &mut Vec<String>) {
    if filter.is_some_and(|filter| filter.stage() == Stage::Sessions) {
        notes.push(
            "It selects the records of the sessions, in both directions; pair them to see the sessions.".to_owned(),
        );
    }
}

/// Where no row can match.
fn never(filter: Option<&Filter>) -> Refusal {
    let text = filter.map(ToString::to_string).unwrap_or_default();
    Refusal(format!("Records of this format never match `{text}`: a field that it asks for is not in them."))
}

/// Where nothing can be said.
fn nothing(filter: Option<&Filter>, target: Target, notes: &[String]) -> Refusal {
    match filter {
        None => Refusal(format!("Without a filter there is nothing to write as {}.", target.title())),
        Some(_) => Refusal(format!("Nothing of this filter can be said in {}: {}", target.title(), notes.join(" "))),
    }
}
