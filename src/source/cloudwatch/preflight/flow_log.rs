//! Flow logs as `DescribeFlowLogs` tells them, and what a user should know of them.
//!
//! Names of elements as in the EC2 API reference, `FlowLog`.

use std::fmt::Write as _;
use std::sync::Arc;

use roxmltree::{Document, Node, ParsingOptions};

use crate::record::Format;

use super::super::fault::clean;

/// One flow log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::source::cloudwatch) struct FlowLog {
    pub(in crate::source::cloudwatch) id: String,
    resource: String,
    traffic: String,
    destination_type: String,
    destination: String,
    group: String,
    format: String,
    file_format: String,
    interval: String,
    status: String,
    error: String,
    created: String,
}

/// One page of an answer.
pub(super) struct Page {
    pub(super) flow_logs: Vec<FlowLog>,
    pub(super) token: Option<String>,
}

/// Reads an answer.
pub(super) fn page(text: &str) -> Result<Page, String> {
    let document = parsed(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "DescribeFlowLogsResponse" {
        return Err(format!("unexpected answer {:?}", root.tag_name().name()));
    }
    let items = child(root, "flowLogSet").map(|set| set.children().filter(Node::is_element));
    let flow_logs = items.into_iter().flatten().map(|item| FlowLog {
        id: text_of(item, "flowLogId"),
        resource: text_of(item, "resourceId"),
        traffic: text_of(item, "trafficType"),
        destination_type: text_of(item, "logDestinationType"),
        destination: text_of(item, "logDestination"),
        group: text_of(item, "logGroupName"),
        format: text_of(item, "logFormat"),
        file_format: child(item, "destinationOptions")
            .map(|options| text_of(options, "fileFormat"))
            .unwrap_or_default(),
        interval: text_of(item, "maxAggregationInterval"),
        status: text_of(item, "deliverLogsStatus"),
        error: text_of(item, "deliverLogsErrorMessage"),
        created: text_of(item, "creationTime"),
    });
    let token = Some(text_of(root, "nextToken")).filter(|token| !token.is_empty());
    Ok(Page { flow_logs: flow_logs.collect(), token })
}

/// Most nodes of an answer: a thousand items with all that they can have.
const NODES: u32 = 2_000_000;

/// Reads XML. No document type, which could name files and grow without end.
pub(in crate::source::cloudwatch) fn parsed(text: &str) -> Result<Document<'_>, String> {
    let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| format!("not XML: {error}"))
}

/// Code and message of an error answer; empty where it has none.
pub(super) fn refusal(text: &str) -> (String, String) {
    let Ok(document) = parsed(text) else { return Default::default() };
    let error = document.descendants().find(|node| node.tag_name().name() == "Error");
    error.map(|error| (text_of(error, "Code"), text_of(error, "Message"))).unwrap_or_default()
}

pub(in crate::source::cloudwatch) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|node| node.tag_name().name() == name)
}

pub(in crate::source::cloudwatch) fn text_of(node: Node<'_, '_>, name: &str) -> String {
    child(node, name).and_then(|node| node.text()).unwrap_or_default().trim().to_owned()
}

impl FlowLog {
    /// The log group that it goes to, if it goes to one.
    pub(in crate::source::cloudwatch) fn group(&self) -> Option<&str> {
        if !self.group.is_empty() {
            return Some(&self.group);
        }
        self.destination.split_once(":log-group:").map(|(_, name)| name.strip_suffix(":*").unwrap_or(name))
    }

    /// The format of its records, if one is given and known.
    pub(in crate::source::cloudwatch) fn format(&self) -> Option<Format> {
        Format::parse(&self.format).ok()
    }

    /// What a user should know of it, in one line.
    pub(in crate::source::cloudwatch) fn about(&self) -> String {
        let traffic = match self.traffic.as_str() {
            "ALL" => "accepts and rejects".to_owned(),
            "REJECT" => "rejects only, accepts are not logged".to_owned(),
            "ACCEPT" => "accepts only, rejects are not logged".to_owned(),
            other => format!("traffic type {other}"),
        };
        let mut text = format!("of {}: {traffic}", self.resource);
        if !self.interval.is_empty() {
            let _ = write!(text, "; windows of {} s", self.interval);
        }
        match self.format() {
            Some(format) => {
                let _ = write!(text, "; format {}", format.label());
            }
            None if self.format.is_empty() => {}
            None => {
                let _ = write!(text, "; format not understood: {}", self.format);
            }
        }
        if !self.error.is_empty() || self.status == "FAILED" {
            let why = if self.error.is_empty() { "no reason given" } else { &self.error };
            let _ = write!(text, "; DELIVERY FAILS: {why}");
        }
        clean(&text)
    }

    /// What a user must know who sees no records, or not all, if there is such a thing.
    pub(in crate::source::cloudwatch) fn warning(&self) -> Option<String> {
        let mut parts = Vec::new();
        match self.traffic.as_str() {
            "REJECT" => parts.push("accepts are not logged".to_owned()),
            "ACCEPT" => parts.push("rejects are not logged".to_owned()),
            _ => {}
        }
        if !self.error.is_empty() || self.status == "FAILED" {
            let why = if self.error.is_empty() { "no reason given" } else { &self.error };
            parts.push(format!("its records are not delivered: {why}"));
        }
        (!parts.is_empty()).then(|| clean(&format!("flow log {} of {}: {}", self.id, self.resource, parts.join("; "))))
    }

    /// How to read it where it goes to S3: the command that fetches a day and opens it.
    pub(in crate::source::cloudwatch) fn open_command(&self, region: &str) -> Option<String> {
        if self.destination_type != "s3" {
            return None;
        }
        // arn:aws:s3:::bucket/prefix/
        let place = self.destination.split_once(":::").map(|(_, place)| place.trim_matches('/'))?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_./=!'()*".contains(c);
        if place.is_empty() || !place.chars().all(fits) {
            return None;
        }
        let files = if self.file_format == "parquet" { "*.parquet" } else { "*.log.gz" };
        Some(format!(
            "aws s3 cp --recursive --exclude '*' --include '*_vpcflowlogs_{region}_{}_*' s3://{place}/ flows/ && flowtail open $(find flows -name '{files}')",
            clean(&self.id)
        ))
    }
}

/// The different formats of flow logs, each once.
pub(in crate::source::cloudwatch) fn formats<'a>(flow_logs: impl Iterator<Item = &'a FlowLog>) -> Vec<Arc<Format>> {
    let mut texts: Vec<&str> = Vec::new();
    let mut formats = Vec::new();
    for flow_log in flow_logs {
        if !texts.contains(&flow_log.format.as_str()) {
            texts.push(&flow_log.format);
            formats.extend(flow_log.format().map(Arc::new));
        }
    }
    formats
}

/// The one format of all records of these groups since then (Unix milliseconds), as far as EC2 can say: every group has flow logs, all have the same
/// format, and none is younger, since a younger one may have followed one of another format that is gone.
pub(super) fn proven<'a>(
    own: &[FlowLog],
    mut groups: impl Iterator<Item = &'a str>,
    since: i64,
) -> Option<Arc<Format>> {
    let first = own.first()?;
    let old = |log: &FlowLog| log.created.parse::<jiff::Timestamp>().is_ok_and(|at| at.as_millisecond() <= since);
    let same = own.iter().all(|log| !log.format.is_empty() && log.format == first.format && old(log));
    let all = groups.all(|name| own.iter().any(|log| log.group() == Some(name)));
    (same && all).then(|| first.format().map(Arc::new)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeFlowLogsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>2d96dae3</requestId><flowLogSet>
<item><deliverLogsErrorMessage>Access error</deliverLogsErrorMessage><deliverLogsStatus>FAILED</deliverLogsStatus><flowLogId>fl-0a</flowLogId>
<flowLogStatus>ACTIVE</flowLogStatus><logGroupName>/vpc/flow-logs</logGroupName><resourceId>vpc-1</resourceId><trafficType>REJECT</trafficType>
<logDestinationType>cloud-watch-logs</logDestinationType><logFormat>${version} ${srcaddr} ${dstaddr} ${pkt-srcaddr}</logFormat>
<maxAggregationInterval>600</maxAggregationInterval></item>
<item><flowLogId>fl-0b</flowLogId><resourceId>subnet-2</resourceId><trafficType>ALL</trafficType><logDestinationType>s3</logDestinationType>
<logDestination>arn:aws:s3:::flows-bucket/prod/</logDestination><destinationOptions><fileFormat>plain-text</fileFormat></destinationOptions></item>
<item><flowLogId>fl-0c</flowLogId><logDestination>arn:aws:logs:us-west-1:123456789012:log-group:/other:*</logDestination></item>
</flowLogSet><nextToken>more&amp;</nextToken></DescribeFlowLogsResponse>"#;

    #[test]
    fn an_answer_says_where_what_and_how_often() {
        let page = page(ANSWER).unwrap();
        assert_eq!(page.token.as_deref(), Some("more&"));
        let [first, second, third] = &page.flow_logs[..] else { panic!() };
        assert_eq!((first.group(), second.group(), third.group()), (Some("/vpc/flow-logs"), None, Some("/other")));
        let about = first.about();
        for part in ["vpc-1", "rejects only, accepts are not logged", "600 s", "DELIVERY FAILS: Access error"] {
            assert!(about.contains(part), "{about}");
        }
        let warning = first.warning().unwrap();
        assert!(
            warning.contains("vpc-1: accepts are not logged; its records are not delivered: Access error"),
            "{warning}"
        );
        assert_eq!(second.warning(), None);
        assert_eq!(first.format().unwrap().fields().count(), 4);
        assert_eq!(formats(page.flow_logs.iter()).len(), 1);
        let command = second.open_command("us-west-1").unwrap();
        assert!(command.contains("s3://flows-bucket/prod/") && command.contains("flowtail open"), "{command}");
        assert_eq!(first.open_command("us-west-1"), None);
    }

    #[test]
    fn hostile_answers_are_refused_or_made_harmless() {
        for text in ["", "<", "<html/>", "not xml", "<!DOCTYPE a [<!ENTITY b \"c\">]><DescribeFlowLogsResponse/>"] {
            assert!(page(text).is_err(), "{text}");
        }
        let evil = ANSWER.replace("flows-bucket/prod/", "b; rm -rf ~").replace("Access error", "a\u{202e}b");
        let page = page(&evil).unwrap();
        assert_eq!(page.flow_logs[1].open_command("us-west-1"), None);
        assert!(!page.flow_logs[0].about().contains('\u{202e}'));
    }

    #[test]
    fn a_format_is_proven_where_no_other_can_have_been_there() {
        let log = |group: &str, format: &str, created: &str| FlowLog {
            group: group.to_owned(),
            format: format.to_owned(),
            created: created.to_owned(),
            ..FlowLog::default()
        };
        let (format, old) = ("${srcaddr} ${dstaddr}", "2020-01-01T00:00:00.000Z");
        let since = 1_600_000_000_000;
        let known = |own: &[FlowLog], groups: &[&str]| proven(own, groups.iter().copied(), since).is_some();
        assert!(known(&[log("a", format, old)], &["a"]));
        assert!(known(&[log("a", format, old), log("b", format, old)], &["a", "b"]));
        assert!(!known(&[], &["a"]) && !known(&[log("a", format, old)], &["a", "b"]));
        assert!(!known(&[log("a", format, old), log("a", "${srcaddr}", old)], &["a"]));
        for young in ["2020-12-01T00:00:00.000Z", "", "yesterday"] {
            assert!(!known(&[log("a", format, old), log("a", format, young)], &["a"]), "{young}");
        }
        assert!(!known(&[log("a", "", old)], &["a"]) && !known(&[log("a", "${no such", old)], &["a"]));
    }

    #[test]
    fn a_refusal_has_a_code() {
        let text = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized</Message></Error></Errors></Response>";
        assert_eq!(refusal(text), ("UnauthorizedOperation".to_owned(), "You are not authorized".to_owned()));
        assert_eq!(refusal("<html>"), Default::default());
    }
}
