//! The checks before the screen opens: one request a group, and help for who asked for the wrong group.

use std::sync::Arc;

use super::client::{Ask, Aws, Logs, Select};
use super::config::GroupName;
use super::error::TailError;
use super::fault::clean;

/// Group names offered in an error.
const OFFERED: usize = 5;

/// Sends one small request to each group, to learn of wrong names and missing permissions now. A fault that may pass does not stop the start.
pub(super) async fn probe(
    aws: &mut Aws,
    groups: &[GroupName],
    pattern: Option<&Arc<str>>,
    now: i64,
) -> Result<(), TailError> {
    for group in groups {
        // A minute of event time: the cheapest question that needs the same permission as the tail.
        let range = (now - 60_000, now);
        let ask = Ask { group, select: Select::All, pattern: pattern.cloned(), range, token: None, limit: Some(1) };
        let Err(fault) = aws.page(&ask).await else { continue };
        match fault.fatal(&group.given, aws.place()) {
            Some(TailError::NoSuchGroup { group: name, region, .. }) => {
                let similar = offer(aws, group.name()).await;
                return Err(TailError::NoSuchGroup { group: name, region, similar });
            }
            Some(error) => return Err(error),
            None => {}
        }
    }
    Ok(())
}

/// Groups of the region that look like `wanted` or like flow logs. Empty where listing is not allowed.
async fn offer(aws: &Aws, wanted: &str) -> Vec<String> {
    let last = wanted.rsplit('/').find(|part| part.len() >= 3);
    let mut names = aws.group_names(last).await.unwrap_or_default();
    names.extend(aws.group_names(None).await.unwrap_or_default());
    rank(names, wanted)
}

/// The best few names, each once.
fn rank(names: Vec<String>, wanted: &str) -> Vec<String> {
    let wanted = wanted.to_ascii_lowercase();
    let mut ranked: Vec<(usize, String)> = Vec::new();
    for name in names {
        let lower = name.to_ascii_lowercase();
        let distance = distance(&lower, &wanted);
        let alike = distance <= wanted.len() / 3 || lower.contains(&wanted) || wanted.contains(&lower);
        let flow_logs = lower.contains("flow");
        if (alike || flow_logs) && !ranked.iter().any(|(_, other)| *other == name) {
            // Groups that merely look like flow logs come after those that look like what was typed.
            ranked.push((if alike { distance } else { 1000 + distance }, name));
        }
    }
    ranked.sort();
    ranked.truncate(OFFERED);
    ranked.into_iter().map(|(_, name)| clean(&name)).collect()
}

/// Levenshtein distance in bytes. Names have at most 512 characters.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn what_looks_alike_comes_before_what_looks_like_flow_logs() {
        let names = ["/aws/lambda/x", "prod-flowlogs", "/vpc/flow-log", "/vpc/flow-logs-eu", "/vpc/flow-log"];
        let ranked = rank(names.map(str::to_owned).to_vec(), "/vpc/flow-logs");
        assert_eq!(ranked, ["/vpc/flow-log", "/vpc/flow-logs-eu", "prod-flowlogs"]);
    }
}
