//! The requests of a search: `StartQuery`, `GetQueryResults`, `StopQuery`, and what `DescribeLogGroups` says of a group's size.

use super::super::client::{Aws, Found, fault};
use super::super::config::GroupName;
use super::super::fault::Fault;

/// How a query is doing (API reference, `GetQueryResults`, `status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Scheduled or running, and whatever AWS may add: asked again.
    Running,
    Complete,
    Failed,
    /// Somebody stopped it.
    Cancelled,
    /// It ran for longer than AWS lets a query run: 60 minutes.
    Timeout,
}

/// What a page of results carries.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// Records, where records were asked for.
    pub events: Vec<Found>,
    /// Name and value of the columns of each row, where sums were asked for.
    pub groups: Vec<Vec<(String, String)>>,
}

/// One answer of `GetQueryResults`.
#[derive(Clone, Debug)]
pub(super) struct Results {
    pub state: State,
    pub rows: Rows,
    /// Absent on the last page.
    pub token: Option<String>,
    /// Bytes scanned so far.
    pub scanned: u64,
}

/// What is known of a group without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Bytes that AWS stores for it.
    pub stored: u64,
    /// Unix seconds of its making.
    pub made: Option<i64>,
    /// Days that events are kept; `None` for ever.
    pub kept: Option<i64>,
}

/// Starts a query over the seconds from `range.0` to `range.1`, both included; gives its id.
pub(super) async fn start(aws: &Aws, groups: &[GroupName], query: &str, range: (i64, i64)) -> Result<String, Fault> {
    let given: Vec<String> = groups.iter().map(|group| group.given.clone()).collect();
    let request = aws.client().start_query().start_time(range.0).end_time(range.1).query_string(query);
    // "You can specify them by the log group name or ARN" (API reference, logGroupIdentifiers). Plain names go as names: test servers know only those.
    let request = if groups.iter().any(GroupName::is_arn) {
        request.set_log_group_identifiers(Some(given.clone()))
    } else {
        request.set_log_group_names(Some(given.clone()))
    };
    let asked = given.join(", ");
    let answer = request.send().await.map_err(|error| fault(&error, ("logs:StartQuery", &asked), false))?;
    Ok(answer.query_id.unwrap_or_default())
}

/// One page of what a query has found so far. `sums` tells whether groups or records were asked for.
pub(super) async fn results(aws: &Aws, id: &str, token: Option<&str>, sums: bool) -> Result<Results, Fault> {
    let request = aws.client().get_query_results().query_id(id).set_next_token(token.map(str::to_owned));
    let answer = request.send().await.map_err(|error| fault(&error, ("logs:GetQueryResults", "*"), token.is_some()))?;
    let state = match answer.status.as_ref().map(aws_sdk_cloudwatchlogs::types::QueryStatus::as_str) {
        Some("Complete") => State::Complete,
        Some("Failed") => State::Failed,
        Some("Cancelled") => State::Cancelled,
        Some("Timeout") => State::Timeout,
        _ => State::Running,
    };
    let mut rows = Rows::default();
    for row in answer.results.unwrap_or_default() {
        let columns = row.into_iter().filter_map(|column| Some((column.field?, column.value.unwrap_or_default())));
        if sums {
            rows.groups.push(columns.filter(|(name, _)| name != "@ptr").collect());
        } else {
            rows.events.push(event(columns));
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of bytes that AWS gives as a double"
    )]
    let scanned = answer.statistics.map_or(0.0, |statistics| statistics.bytes_scanned).max(0.0) as u64;
    Ok(Results { state, rows, token: answer.next_token.filter(|token| !token.is_empty()), scanned })
}

/// Ends a query. That it has ended already is no fault.
pub(super) async fn stop(aws: &Aws, id: &str) -> bool {
    aws.client().stop_query().query_id(id).send().await.is_ok()
}

/// How much a group holds; `None` where it is not listed.
pub(super) async fn size(aws: &Aws, group: &GroupName) -> Result<Option<Size>, Fault> {
    let request = aws.client().describe_log_groups().limit(50).log_group_name_prefix(group.name());
    let answer = request.send().await.map_err(|error| fault(&error, ("logs:DescribeLogGroups", "*"), false))?;
    let own = answer.log_groups().iter().find(|found| found.log_group_name() == Some(group.name()));
    Ok(own.map(|found| Size {
        stored: u64::try_from(found.stored_bytes().unwrap_or(0)).unwrap_or(0),
        made: found.creation_time().map(|millis| millis.div_euclid(1000)),
        kept: found.retention_in_days().map(i64::from),
    }))
}

/// A record out of the columns of its row.
fn event(columns: impl Iterator<Item = (String, String)>) -> Found {
    let mut found = Found { ingestion: crate::record::Event::UNKNOWN, ..Found::default() };
    for (name, value) in columns {
        match name.as_str() {
            "@timestamp" => found.timestamp = moment(&value).unwrap_or_default(),
            "@ingestionTime" => found.ingestion = moment(&value).unwrap_or(crate::record::Event::UNKNOWN),
            "@logStream" => found.stream = value,
            "@message" => found.message = value,
            // Names the record for as long as it is kept: what tells it from its twins.
            "@ptr" => found.id = value,
            _ => {}
        }
    }
    // A line end would make two messages of one.
    found.message.truncate(found.message.trim_end_matches(['\n', '\r']).len());
    found
}

/// `2018-08-20 15:26:46.000` (UTC), or milliseconds as some servers give them.
fn moment(text: &str) -> Option<i64> {
    if let Ok(millis) = text.parse::<i64>() {
        return Some(millis);
    }
    let civil: jiff::civil::DateTime = text.trim().replacen(' ', "T", 1).trim_end_matches('Z').parse().ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(civil).ok().map(jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_insights_writes_them() {
        assert_eq!(moment("2018-08-20 15:26:46.000"), Some(1_534_778_806_000));
        assert_eq!(moment("2018-08-20 15:26:46.125"), Some(1_534_778_806_125));
        assert_eq!(moment("1534778806000"), Some(1_534_778_806_000));
        assert_eq!(moment("yesterday"), None);
    }
}
