//! The checks before the screen opens: one request a group, and help for who asked for the wrong group.

use std::sync::Arc;

use super::client::{Ask, Aws, Logs, Select};
use super::config::GroupName;
use super::error::{Found as TailFound, TailError};
use super::fault::clean;
use super::preflight::class_text;

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
                let (similar, s3) = offer(aws, group.name()).await;
                return Err(TailError::NoSuchGroup { group: name, region, similar, s3 });
            }
            Some(TailError::Refused { group: name, region, mut detail }) => {
                // The class of the group is what explains most refusals.
                if let Ok(Some(class)) = aws.group_class(group).await {
                    detail.push_str(". ");
                    detail.push_str(&class_text(group.name(), &class));
                }
                return Err(TailError::Refused { group: name, region, detail });
            }
            Some(error) => return Err(error),
            None => {}
        }
    }
    Ok(())
}

/// Groups of the region that look like `wanted` or like flow logs, and commands for flow logs that go to S3. Empty where listing is not allowed.
pub(super) async fn offer(aws: &Aws, wanted: &str) -> (Vec<String>, Vec<String>) {
    let last = wanted.rsplit('/').find(|part| part.len() >= 3);
    let (mut names, s3) = of_flow_logs(aws).await;
    let known = names.clone();
    names.extend(aws.group_names(last).await.unwrap_or_default());
    names.extend(aws.group_names(None).await.unwrap_or_default());
    (rank(names, wanted, &known), s3)
}

/// What there is to tail in the region, for who named nothing.
pub(super) async fn found(aws: &Aws) -> Result<TailFound, TailError> {
    let (mut groups, s3) = of_flow_logs(aws).await;
    let listed = match aws.group_names(Some("low")).await {
        Ok(listed) => listed,
        Err(fault) => match fault.fatal("", aws.place()).filter(|_| groups.is_empty() && s3.is_empty()) {
            Some(error) => return Err(error),
            None => Vec::new(),
        },
    };
    for name in rank(listed, "", &[]) {
        if !groups.contains(&name) {
            groups.push(name);
        }
    }
    groups.truncate(4 * OFFERED);
    Ok(TailFound { groups, s3 })
}

/// Groups that flow logs write to, and commands for those that go to S3. Empty where EC2 does not say.
async fn of_flow_logs(aws: &Aws) -> (Vec<String>, Vec<String>) {
    let flow_logs = aws.flow_logs().await.unwrap_or_default();
    let mut groups: Vec<String> = flow_logs.iter().filter_map(|log| log.group().map(clean)).collect();
    groups.sort();
    groups.dedup();
    let s3 = flow_logs.iter().filter_map(|log| log.open_command(&aws.place().region)).take(OFFERED);
    (groups, s3.collect())
}

/// The best few names, each once.
fn rank(names: Vec<String>, wanted: &str, known: &[String]) -> Vec<String> {
    let wanted = wanted.to_ascii_lowercase();
    let mut ranked: Vec<(usize, String)> = Vec::new();
    for name in names {
        let lower = name.to_ascii_lowercase();
        let distance = distance(&lower, &wanted);
        let alike = !wanted.is_empty() && distance <= wanted.len() / 3
            || !wanted.is_empty() && (lower.contains(&wanted) || wanted.contains(&lower));
        let flow_logs = lower.contains("flow") || known.contains(&name);
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
        let ranked = rank(names.map(str::to_owned).to_vec(), "/vpc/flow-logs", &[]);
        assert_eq!(ranked, ["/vpc/flow-log", "/vpc/flow-logs-eu", "prod-flowlogs"]);
    }
}
