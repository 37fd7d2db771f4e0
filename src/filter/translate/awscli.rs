//! The `aws logs filter-log-events` command. Its pattern is that of `--fetch`: it selects more than the filter, never less, and the rest is to be
//! filtered here.

use std::fmt::Write as _;

use super::super::Filter;
use super::bounds::bounds;
use super::pattern::Fetch;
use super::plan::note;
use super::{Context, Translation, note_of_stage, quote};

pub(super) fn translate(filter: Option<&Filter>, context: &Context<'_>) -> Translation {
    let mut notes = Vec::new();
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
    if let Some(filter) = filter {
        // Records of a format that was not seen so far may be there too, unless one is said to be that of all.
        let format = if let [format] = context.formats { Some(&**format) } else { None };
        let fetch = Fetch::new(filter, format);
        match &fetch.pattern {
            Some(pattern) => {
                let _ = write!(text, " \\\n  --filter-pattern {}", quote::shell(pattern));
                let positions = pattern.starts_with('[');
                notes.push(if positions {
                    "The pattern selects more than the filter: replies too, SKIPDATA and NODATA. It goes by the place of fields, so only lines of this format match.".to_owned()
                } else {
                    "The pattern selects more than the filter: lines with one of its words anywhere, replies too, SKIPDATA and NODATA.".to_owned()
                });
                if !fetch.checked.is_empty() {
                    notes.push(format!("Not said by the pattern: {}.", fetch.checked.join(", ")));
                }
                notes.extend(fetch.remarks.into_iter().map(|mut remark| {
                    remark.push('.');
                    remark
                }));
            }
            None => notes.push("No pattern is certain to be wider than this filter, so all lines are read.".to_owned()),
        }
    }
    note_of_stage(filter, &mut notes);
    if let Some(filter) = filter {
        note(&mut notes, format!("Filter what comes: `… | flowtail open - --filter {}`.", quote::shell(filter.text())));
    }
    Translation { text, exact: filter.is_none(), notes }
}
