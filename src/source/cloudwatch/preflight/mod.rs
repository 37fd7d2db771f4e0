//! What can be found out about log groups before they are read: the class of the group, and the flow logs that write to it. Never needed: where it is
//! not allowed, that is said and the tail goes on.

mod ec2;
mod flow_log;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::task::JoinHandle;

use crate::record::Format;

use super::client::{Aws, Logs as _};
use super::config::GroupName;
use super::fault::{Fault, Kind};

pub(super) use ec2::{Question, Where, flow_logs, pages};
pub(super) use flow_log::{FlowLog, child, formats, parsed, text_of};

/// Longest time that all of it may take.
const PATIENCE: Duration = Duration::from_secs(6);

/// How long the first read waits for it: mostly it is there by then, and formats need not be guessed.
pub(super) const FIRST_READ: Duration = Duration::from_millis(600);

/// How long a push-down waits for it, since the format decides what can be asked for.
pub(super) const PUSH_DOWN: Duration = Duration::from_secs(3);

/// How often it is asked again, milliseconds: flow logs are changed, and begin to fail, while a tail runs.
pub(super) const AGAIN: i64 = 5 * 60_000;

/// Flow logs told of one group at most.
const TOLD: usize = 8;

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct About {
    /// For the user: name and text.
    pub(super) facts: Vec<(String, String)>,
    /// What a user should be told unasked, one sentence each.
    pub(super) warnings: Vec<String>,
    /// The formats of the groups' flow logs, if any are known.
    pub(super) formats: Vec<Arc<Format>>,
    /// The one format of all records since the time asked about; `None` where there may be another.
    pub(super) proven: Option<Arc<Format>>,
    /// Whether EC2 answered.
    pub(super) is_answered: bool,
}

/// What is being asked, beside the reads.
pub(super) struct Asking {
    begin: Option<Box<dyn Fn() -> JoinHandle<About> + Send + Sync>>,
    task: Option<JoinHandle<About>>,
}

impl Asking {
    /// Asks about groups in a task of its own. `since` is the oldest event time (Unix milliseconds) that will be read.
    pub(super) fn begin(aws: Aws, groups: Vec<GroupName>, since: i64) -> Asking {
        let groups = Arc::new(groups);
        let begin = move || {
            let (aws, groups) = (aws.clone(), Arc::clone(&groups));
            tokio::spawn(async move {
                tokio::time::timeout(PATIENCE, ask(&aws, &groups, since)).await.unwrap_or_else(|_| About {
                    facts: vec![(
                        "flow logs".to_owned(),
                        "not known, no answer in time: formats are guessed".to_owned(),
                    )],
                    ..About::default()
                })
            })
        };
        Asking { task: Some(begin()), begin: Some(Box::new(begin)) }
    }

    /// Asks again, unless an answer is still to come.
    pub(super) fn again(&mut self) {
        if self.task.is_none() {
            self.task = self.begin.as_ref().map(|begin| begin());
        }
    }

    /// Nothing is asked.
    #[cfg(test)]
    pub(super) fn nothing() -> Asking {
        Asking { begin: None, task: None }
    }

    /// The answer, if it comes within `patience`; given once.
    pub(super) async fn within(&mut self, patience: Duration) -> Option<About> {
        let answer = tokio::time::timeout(patience, self.task.as_mut()?).await.ok()?;
        self.task = None;
        // A panic in there would be a defect; the tail needs none of it.
        answer.ok()
    }

    /// The answer, once it is there.
    pub(super) fn arrived(&mut self) -> Option<About> {
        let answer = self.task.as_mut().filter(|task| task.is_finished())?.now_or_never()?;
        self.task = None;
        answer.ok()
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Asks about groups.
async fn ask(aws: &Aws, groups: &[GroupName], since: i64) -> About {
    let mut about = About::default();
    for group in groups {
        if let Ok(Some(class)) = aws.group_class(group).await {
            let text = class_text(group.name(), &class);
            if class != "STANDARD" {
                about.warnings.push(text.clone());
            }
            about.facts.push(("log class".to_owned(), text));
        }
    }
    match aws.flow_logs().await {
        Ok(flow_logs) => {
            let s3 = flow_logs.iter().find_map(|log| log.open_command(&aws.place().region));
            let own: Vec<FlowLog> = flow_logs
                .into_iter()
                .filter(|flow_log| flow_log.group().is_some_and(|name| groups.iter().any(|group| group.name() == name)))
                .collect();
            for flow_log in own.iter().take(TOLD) {
                let to = flow_log.group().filter(|_| groups.len() > 1).map(|name| format!("to {name}, "));
                about.warnings.extend(flow_log.warning());
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
                if let Some(command) = s3 {
                    let names: Vec<&str> = groups.iter().map(GroupName::name).collect();
                    let names = names.join(", ");
                    about
                        .warnings
                        .push(format!("no flow log writes to {names}, but one goes to S3; to read that: {command}"));
                }
            }
            about.proven = flow_log::proven(&own, groups.iter().map(GroupName::name), since);
            about.formats = formats(own.iter());
            about.is_answered = true;
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
