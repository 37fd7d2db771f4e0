//! What can be found out about log groups before they are read: the class of the group, and the flow logs that write to it. Never needed: where it is
//! not allowed, that is said and the tail goes on.

mod ec2;
mod flow_log;

use std::sync::Arc;
use std::time::Duration;

use crate::record::Format;

use super::client::Aws;
use super::config::GroupName;
use super::fault::{Fault, Kind};

pub(super) use ec2::flow_logs;
pub(super) use flow_log::{FlowLog, formats};

/// Longest time that all of it may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(6);

/// Flow logs told of one group at most.
const TOLD: usize = 8;

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct About {
    /// For the user: name and text.
    pub(super) facts: Vec<(String, String)>,
    /// The formats of the groups' flow logs, if any are known.
    pub(super) formats: Vec<Arc<Format>>,
}

/// Asks about groups.
pub(super) async fn ask(aws: &Aws, groups: &[GroupName]) -> About {
    let mut about = About::default();
    for group in groups {
        if let Ok(Some(class)) = aws.group_class(group).await {
            about.facts.push(("log class".to_owned(), class_text(group.name(), &class)));
        }
    }
    match aws.flow_logs().await {
        Ok(flow_logs) => {
            let own: Vec<FlowLog> = flow_logs
                .into_iter()
                .filter(|flow_log| flow_log.group().is_some_and(|name| groups.iter().any(|group| group.name() == name)))
                .collect();
            for flow_log in own.iter().take(TOLD) {
                let to = flow_log.group().filter(|_| groups.len() > 1).map(|name| format!("to {name}, "));
                about.facts.push((
                    format!("flow log {}", flow_log.id),
                    format!("{}{}", to.unwrap_or_default(), flow_log.about()),
                ));
            }
            if own.len() > TOLD {
                about.facts.push(("flow logs".to_owned(), format!("{} more", own.len() - TOLD)));
            }
            if own.is_empty() {
                let text = "none of this account and region writes here: records of another account, or an old group"
                    .to_owned();
                about.facts.push(("flow logs".to_owned(), text));
            }
            about.formats = formats(own.iter());
        }
        Err(fault) => about.facts.push(("flow logs".to_owned(), not_known(&fault))),
    }
    about
}

/// What the class of a group means for a tail.
pub(super) fn class_text(group: &str, class: &str) -> String {
    match class {
        "STANDARD" => format!("{group} is Standard"),
        // User guide, "Log classes": neither supports FilterLogEvents, GetLogEvents or Live Tail.
        "INFREQUENT_ACCESS" | "DELIVERY" => format!(
            "{group} is {class}, which CloudWatch cannot tail: send the flow log to a group of class Standard, or query this one with Logs Insights"
        ),
        other => format!("{group} is {}", super::fault::clean(other)),
    }
}

fn not_known(fault: &Fault) -> String {
    match &fault.kind {
        Kind::Denied { .. } => {
            "not known, since ec2:DescribeFlowLogs is not allowed (it needs Resource \"*\"): formats are guessed from the records".to_owned()
        }
        _ => format!("not known, formats are guessed from the records: {}", fault.detail),
    }
}
