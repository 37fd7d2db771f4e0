//! The tail against a real moto server: what is put while it runs, late, into several streams and across pages comes out exactly once.

#![cfg(feature = "aws")]

mod support;

use std::time::Duration;

use flowtail::record::SourceState;
use flowtail::source::cloudwatch::{Lab, Tail, TailError};

use support::moto::Moto;
use support::{ENI, FastClock, config, flow, lab, now, run};

/// Delivers `count` records of an interface, their timestamps spread over the minute that began `age` seconds ago.
fn deliver(
    moto: &Moto,
    group: &str,
    stream: &str,
    interface: &str,
    age: i64,
    numbers: std::ops::Range<usize>,
) -> Vec<(String, String)> {
    let base = now() / 1000 - age;
    let records: Vec<(i64, String)> = numbers
        .map(|number| {
            let start = base + i64::try_from(number % 60).unwrap();
            (start * 1000, flow(interface, start, number))
        })
        .collect();
    let expected = records.iter().map(|(_, message)| (stream.to_owned(), message.clone())).collect();
    moto.put(group, stream, records);
    expected
}

#[test]
fn records_put_while_it_runs_and_late_ones_come_once_each() {
    let Some(moto) = Moto::start() else { return };
    let group = "/vpc/flow-logs";
    moto.group(group);
    let own = [ENI.to_owned(), format!("{ENI}-all")];
    let others = ["eni-0536faba73134a9b70".to_owned(), "eni-0123456789abcdef0-all".to_owned(), format!("x{ENI}")];
    for stream in own.iter().chain(&others) {
        moto.stream(group, stream);
    }
    let mut expected = deliver(&moto, group, &own[1], ENI, 600, 0..500);
    for (index, stream) in others.iter().enumerate() {
        deliver(&moto, group, stream, "eni-0123456789abcdef0", 500, 1000 * index..1000 * index + 200);
    }
    let mut config = config(moto.port, group);
    config.interfaces = vec![ENI.to_owned()];
    config.run_for = Some(Duration::from_secs(12));
    let mut stage = 0;
    let tally = run(config, Lab { page_limit: Some(97), ..lab() }, |tally| {
        // Each stage begins when the tail has shown everything before it, so that "late" is certain.
        if tally.events.len() == expected.len() {
            stage += 1;
            match stage {
                1 => expected.extend(deliver(&moto, group, &own[0], ENI, 60, 2000..2300)),
                // Older than everything shown so far, and of the same minute as the first ones.
                2 => expected.extend(deliver(&moto, group, &own[1], ENI, 1500, 3000..3150)),
                3 => expected.extend(deliver(&moto, group, &own[0], ENI, 600, 4000..4100)),
                _ => {}
            }
        }
        true
    });
    assert!(stage >= 4, "only {stage} stages were seen");
    tally.assert_exactly(&expected);
    assert!(tally.ended);
    assert!(tally.gaps.is_empty(), "{:?}", tally.gaps);
    let status = tally.last();
    assert_eq!(status.state, SourceState::Ended);
    assert_eq!(status.note, None);
    assert!(status.duplicates > 0 && status.requests > 10, "{status:?}");
    assert!(status.events_read >= status.duplicates + expected.len() as u64, "{status:?}");
    assert!(tally.events.iter().all(|event| !event.id.is_empty() && event.ingestion > event.timestamp));
}

#[test]
fn a_whole_group_is_read_across_full_pages_without_an_interface() {
    let Some(moto) = Moto::start() else { return };
    let group = "whole_group";
    moto.group(group);
    let mut expected = Vec::new();
    for stream in 0..5_i64 {
        let name = format!("eni-{stream:017x}-all");
        moto.stream(group, &name);
        expected.extend(deliver(&moto, group, &name, &name[..21], 120 + 200 * stream, 0..3000));
    }
    let mut config = config(moto.port, group);
    config.run_for = Some(Duration::from_secs(3));
    let tally = run(config, lab(), |_| true);
    tally.assert_exactly(&expected);
    assert!(tally.largest_batch <= 4096, "{}", tally.largest_batch);
    assert!(tally.gaps.is_empty(), "{:?}", tally.gaps);
}

#[test]
fn an_interface_without_a_stream_is_said_to_have_none_and_searched_by_content() {
    let Some(moto) = Moto::start() else { return };
    let group = "/vpc/by-content";
    moto.group(group);
    moto.stream(group, "everything");
    let expected = deliver(&moto, group, "everything", ENI, 300, 0..20);
    deliver(&moto, group, "everything", &format!("{ENI}0"), 300, 100..120);
    let mut config = config(moto.port, group);
    config.interfaces = vec![ENI.to_owned()];
    config.run_for = Some(Duration::from_secs(3));
    let tally = run(config, lab(), |_| true);
    tally.assert_exactly(&expected);
    let note = tally.last().note.as_deref().unwrap_or_default();
    assert!(note.contains(ENI) && note.contains("content"), "{note}");
}

#[test]
fn what_is_older_than_look_back_is_read_once_when_since_says_so() {
    let Some(moto) = Moto::start() else { return };
    let group = "since";
    moto.group(group);
    moto.stream(group, ENI);
    let mut expected = deliver(&moto, group, ENI, ENI, 5 * 3600, 0..100);
    expected.extend(deliver(&moto, group, ENI, ENI, 600, 100..200));
    deliver(&moto, group, ENI, ENI, 7 * 3600, 200..300);
    let mut config = config(moto.port, group);
    config.since = Duration::from_hours(6);
    config.run_for = Some(Duration::from_mins(1));
    let tally = run(config, Lab { clock: FastClock::new(20), ..lab() }, |_| true);
    tally.assert_exactly(&expected);
    assert!(tally.gaps.is_empty(), "{:?}", tally.gaps);
    // Newest first: the window before what lies behind it.
    assert!(tally.events[0].timestamp > now() - 3_600_000, "{:?}", tally.events[0]);
}

#[test]
fn a_wrong_group_is_named_with_its_region_and_with_groups_that_look_alike() {
    let Some(moto) = Moto::start() else { return };
    for group in ["/vpc/flow-logs", "/vpc/flow-log-eu", "/aws/lambda/thing"] {
        moto.group(group);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(Tail::connect_with(config(moto.port, "/vpc/flowlogs"), lab())).err().unwrap();
    let TailError::NoSuchGroup { region, similar, .. } = &error else { panic!("{error}") };
    assert_eq!(region, "us-west-1");
    assert_eq!(similar, &["/vpc/flow-logs", "/vpc/flow-log-eu"]);
    assert!(error.to_string().contains("/vpc/flowlogs in us-west-1"), "{error}");
}

/// Makes a flow log in moto, of a subnet of its default VPC.
fn flow_log(moto: &Moto, parameters: &str) -> String {
    let ec2 = |form: &str| {
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n\
            Authorization: AWS4-HMAC-SHA256 Credential=AKIDTEST/20260101/us-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0\r\n";
        let (status, answer) =
            support::http(moto.port, "POST", "/", headers, &format!("{form}&Version=2016-11-15")).unwrap();
        assert_eq!(status, 200, "{form}: {answer}");
        answer
    };
    let vpcs = ec2("Action=DescribeVpcs");
    let vpc =
        vpcs.split_once("<vpcId>").and_then(|(_, rest)| rest.split_once('<')).map(|(id, _)| id.to_owned()).unwrap();
    ec2(&format!("Action=CreateFlowLogs&ResourceType=VPC&ResourceId.1={vpc}&{parameters}"));
    vpc
}

#[test]
fn the_format_and_what_is_not_logged_come_from_the_flow_log() {
    let Some(moto) = Moto::start() else { return };
    let group = "/vpc/custom";
    moto.group(group);
    moto.stream(group, ENI);
    let role = "DeliverLogsPermissionArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr";
    let format = "LogFormat=%24%7Bsrcaddr%7D+%24%7Bdstaddr%7D+%24%7Bdstport%7D+%24%7Bbytes%7D+%24%7Bstart%7D";
    let vpc = flow_log(&moto, &format!("TrafficType=REJECT&LogGroupName=%2Fvpc%2Fcustom&{role}&{format}"));
    let start = now() / 1000 - 300;
    moto.put(group, ENI, vec![(start * 1000, format!("10.0.0.1 10.0.0.2 443 1000 {start}"))]);
    let mut config = config(moto.port, group);
    config.run_for = Some(Duration::from_secs(3));
    let tally = run(config, lab(), |_| true);
    assert_eq!(tally.events.len(), 1);
    let facts: String = tally.last().facts.iter().map(|(name, text)| [name, ": ", text, "\n"].concat()).collect();
    for part in [vpc.as_str(), "rejects only, accepts are not logged", "5 fields"] {
        assert!(facts.contains(part), "{part} in {facts}");
    }
    let [format] = &tally.formats[..] else { panic!("{:?}", tally.formats) };
    assert_eq!(format.fields().count(), 5);
}

#[test]
fn without_a_group_those_of_flow_logs_are_listed_and_for_s3_a_command() {
    let Some(moto) = Moto::start() else { return };
    for group in ["/x/network", "/vpc/flow-logs", "/aws/lambda/thing"] {
        moto.group(group);
    }
    let role = "DeliverLogsPermissionArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr";
    flow_log(&moto, &format!("TrafficType=ALL&LogGroupName=%2Fx%2Fnetwork&{role}"));
    let mut config = config(moto.port, "");
    config.groups.clear();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(Tail::connect_with(config, lab())).err().unwrap().to_string();
    assert!(error.contains("us-west-1") && error.contains("/x/network, /vpc/flow-logs"), "{error}");
    assert!(!error.contains("lambda"), "{error}");
}

#[test]
fn several_groups_and_interfaces_whatever_their_streams_are_called() {
    let Some(moto) = Moto::start() else { return };
    let other = "eni-0123456789abcdef0";
    let mut expected = Vec::new();
    for (group, suffixes) in [("/vpc/a", ["-all", ""]), ("/vpc/b", ["-accept", "-reject"])] {
        moto.group(group);
        for (number, interface) in [ENI, other, "eni-0fffffffffffffff0", &format!("{ENI}0")].iter().enumerate() {
            for suffix in suffixes {
                let stream = format!("{interface}{suffix}");
                moto.stream(group, &stream);
                let sent = deliver(&moto, group, &stream, interface, 300, number * 10..number * 10 + 5);
                expected.extend(sent.into_iter().filter(|_| number < 2));
            }
        }
    }
    let mut config = config(moto.port, "/vpc/a");
    config.groups.push("/vpc/b".to_owned());
    config.interfaces = vec![ENI.to_owned(), other.to_owned()];
    config.run_for = Some(Duration::from_secs(5));
    let tally = run(config, lab(), |_| true);
    tally.assert_exactly(&expected);
    assert!(tally.gaps.is_empty() && tally.last().note.is_none(), "{:?}", tally.last());
}
