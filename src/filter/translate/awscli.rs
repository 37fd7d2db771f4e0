//! The `aws logs filter-log-events` command. Its pattern is a set of terms one of which every matching line has, so it selects more than the filter,
//! never less, and the rest is to be filtered here.

use std::fmt::Write as _;

use super::super::Filter;
use super::bounds::bounds;
use super::plan::{Ask, Leaf, Plan, Planner, Rows, note};
use super::render::one_spelling;
use super::{Context, Translation, formats, note_of_stage, quote};
use crate::record::{Field, Format};

/// Most terms of a pattern.
const MOST_TERMS: usize = 20;
/// Longest pattern that CloudWatch takes.
const MAX_PATTERN: usize = 1_024;

pub(super) fn translate(filter: Option<&Filter>, context: &Context<'_>) -> Translation {
    let mut notes = Vec::new();
    let formats = formats(context);
    let mut text = String::from("aws logs filter-log-events");
    if let Some(group) = context.group {
        // An ARN goes by another option.
        let option = if group.starts_with("arn:") { "--log-group-identifier" } else { "--log-group-name" };
        let _ = write!(text, " \\\n  {option} {}", quote::shell(group));
    } else {
        text.push_str(" \\\n  --log-group-name LOG_GROUP");
        notes.push("Put the name of your log group for LOG_GROUP.".to_owned());
    }
    if let Some(region) = context.region {
        let _ = write!(text, " \\\n  --region {}", quote::shell(region));
    }
    let asked = filter.map_or((None, None), |filter| bounds(filter, context.now));
    let span = context.span.map(|(from, to)| (u64::try_from(from).unwrap_or(0), u64::try_from(to).unwrap_or(0)));
    // Events carry the start of the window as their time, in milliseconds.
    if let Some(from) = asked.0.or(span.map(|(from, _)| from.saturating_sub(3_600))) {
        let _ = write!(text, " \\\n  --start-time {}", from.saturating_mul(1000));
    }
    if let Some(to) = asked.1.or(span.map(|(_, to)| to)) {
        let _ = write!(text, " \\\n  --end-time {}", to.saturating_mul(1000).saturating_add(999));
    }
    if asked == (None, None) && span.is_none() {
        notes.push(
            "It names no time: add --start-time and --end-time (milliseconds), or all that is kept is read.".to_owned(),
        );
    }
    match filter.and_then(|filter| pattern(filter, &formats, context.now)) {
        Some(pattern) => {
            let _ = write!(text, " \\\n  --filter-pattern {}", quote::shell(&pattern));
            notes.push("The pattern selects more than the filter: lines with one of its words anywhere, and SKIPDATA and NODATA.".to_owned());
        }
        None if filter.is_some() => {
            notes.push("No pattern is certain to be wider than this filter, so all lines are read.".to_owned());
        }
        None => {}
    }
    note_of_stage(filter, &mut notes);
    if let Some(filter) = filter {
        note(&mut notes, format!("Filter what comes: `… | flowtail open - --filter {}`.", quote::shell(filter.text())));
    }
    Translation { text, exact: filter.is_none(), notes }
}

/// A pattern that every line has which passes, and every line about lost or missing records; `None` where none is certain.
pub(super) fn pattern(filter: &Filter, formats: &[std::sync::Arc<Format>], now: i64) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    for format in formats {
        let plan = Planner::new(Rows::Lines(format), now, Some(filter)).plan(Some(filter));
        words.extend(terms(&plan)?);
    }
    words.sort_unstable();
    words.dedup();
    if words.is_empty() || words.len() > MOST_TERMS {
        return None;
    }
    let terms: Vec<String> = words.iter().map(|word| format!("?\"{word}\"")).collect();
    let pattern = format!("{} ?SKIPDATA ?NODATA", terms.join(" "));
    (pattern.len() <= MAX_PATTERN).then_some(pattern)
}

/// Words one of which every line has that passes; `None` where that is not certain.
fn terms(plan: &Plan) -> Option<Vec<String>> {
    match plan {
        Plan::Const(false) => Some(Vec::new()),
        // The rarest is the one with the fewest words; among as many, the longest are.
        Plan::All(parts) => parts
            .iter()
            .filter_map(terms)
            .min_by_key(|words| (words.len(), std::cmp::Reverse(words.iter().map(String::len).min()))),
        Plan::Any(parts) => {
            let words: Option<Vec<Vec<String>>> = parts.iter().map(terms).collect();
            Some(words?.concat()).filter(|words| words.len() <= 4 * MOST_TERMS)
        }
        Plan::Leaf(leaf) if leaf.keep => leaf_terms(leaf),
        Plan::Const(true) | Plan::Unknown | Plan::Leaf(_) => None,
    }
}

fn leaf_terms(leaf: &Leaf) -> Option<Vec<String>> {
    match &leaf.ask {
        Ask::Ints(ranges) if matches!(leaf.col, Field::SrcPort | Field::DstPort) => {
            let count: u64 = ranges.iter().map(|(from, to)| (to - from).saturating_add(1)).fold(0, u64::saturating_add);
            (count <= MOST_TERMS as u64)
                .then(|| ranges.iter().flat_map(|(from, to)| *from..=*to).map(|port| port.to_string()).collect())
        }
        // IPv6 has many spellings of one address.
        Ask::Addrs(ranges) => ranges
            .iter()
            .map(|(from, to)| (from == to && from.is_ipv4()).then(|| from.to_string()))
            .collect::<Option<Vec<_>>>()
            .filter(|words| words.len() <= MOST_TERMS),
        Ask::Word(text) => {
            let word = one_spelling(leaf.col, text)?;
            let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            plain.then(|| vec![word])
        }
        _ => None,
    }
}
