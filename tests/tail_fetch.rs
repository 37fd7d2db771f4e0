//! `--fetch` through the real binary: what is asked of the server, what comes, and that both do not depend on how wide the pattern was.

#![cfg(feature = "aws")]

mod support;

use std::collections::BTreeSet;
use std::process::Output;
use std::thread;
use std::time::Duration;

use flowtail::filter::translate::pattern::Fetch;
use flowtail::filter::{Filter, Stage};
use flowtail::record::{Format, Input};
use flowtail::source::cloudwatch::{Lab, Tail, TailConfig};
use serde_json::Value;

use support::fake::Fake;
use support::moto::Moto;
use support::{ENI, FastClock, config, flowtail, lab, now};

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The rows printed, without what differs from server to server.
fn flows(output: &Output) -> BTreeSet<String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let rows = text.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        format!("{} {} {} {} {}", row["srcaddr"], row["srcport"], row["dstport"], row["bytes"], row["log-status"])
    });
    rows.collect()
}

fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", errors(output)))
}

/// The founding attack, a DNS flow, something that only looks like the wanted port, and records without data.
fn messages() -> Vec<String> {
    let start = now() / 1000 - 300;
    let end = start + 59;
    vec![
        format!("2 622676721278 {ENI} 13.125.33.130 172.16.0.178 40396 11211 17 1 50 {start} {end} ACCEPT OK"),
        format!("2 622676721278 {ENI} 172.16.0.178 13.125.33.130 11211 40396 17 36 51327 {start} {end} ACCEPT OK"),
        format!("2 622676721278 {ENI} 10.0.0.7 10.0.0.2 40000 53 17 1 60 {start} {end} ACCEPT OK"),
        format!("2 622676721278 {ENI} 10.0.0.8 10.0.0.2 40001 443 6 1 11211 {start} {end} ACCEPT OK"),
        format!("2 622676721278 {ENI} - - - - - - - {start} {end} - NODATA"),
        format!("2 622676721278 {ENI} - - - - - - - {start} {end} - SKIPDATA"),
        "not a record at all, 11211".to_owned(),
    ]
}

const TERMS: &str = "?\"11211\" ?\"NODATA\" ?\"SKIPDATA\"";

#[test]
fn a_push_down_reads_less_and_shows_both_directions() {
    let fake = Fake::start();
    for message in messages() {
        fake.deliver_message(ENI, &message, 300);
    }
    let run = |what: &str| {
        flowtail(
            fake.port,
            &["tail", "/vpc/fake", "--fetch", "port 11211", "--print", what, "--for", "3s", "--max-rps", "5"],
        )
    };
    let output = run("flows");
    let rows = flows(&output);
    assert_eq!(rows.len(), 4, "{rows:?} {}", errors(&output));
    assert!(errors(&output).contains(&format!("CloudWatch is asked for {TERMS}")), "{}", errors(&output));
    assert!(fake.state().asked.iter().all(|body| body["filterPattern"] == TERMS), "every request carries the pattern");
    let summary = summary(&run("summary"));
    let fetch = &summary["fetch"];
    assert_eq!((fetch["filter"].as_str(), fetch["pattern"].as_str()), (Some("port = 11211"), Some(TERMS)));
    // The flow of 11,211 bytes came with the pattern and is left out here; the DNS flow never came.
    assert_eq!((fetch["outside"].as_u64(), summary["records"].as_u64()), (Some(1), Some(2)), "{summary}");
    assert_eq!((&summary["nodata"], &summary["skipdata"], &summary["unparsed"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!(summary["lines"], summary["events_read"], "{summary}");
}

#[test]
fn what_comes_does_not_depend_on_what_the_server_understands() {
    let Some(moto) = Moto::start() else { return };
    moto.group("/vpc/fake");
    moto.stream("/vpc/fake", ENI);
    let fake = Fake::start();
    for message in messages() {
        fake.deliver_message(ENI, &message, 300);
    }
    let at = (now() / 1000 - 300) * 1000;
    moto.put("/vpc/fake", ENI, messages().into_iter().map(|message| (at, message)).collect());
    let format = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    let compare = &|fetch: &str, format: Option<&str>| {
        let mut arguments =
            vec!["tail", "/vpc/fake", "--fetch", fetch, "--print", "flows", "--for", "3s", "--max-rps", "5"];
        arguments.extend(format.iter().flat_map(|format| ["--format", format]));
        let (mine, theirs) = (flowtail(fake.port, &arguments), flowtail(moto.port, &arguments));
        assert!(flows(&mine).len() >= 3, "{fetch}: {}", errors(&mine));
        // moto takes a pattern of several terms for one that lets everything through.
        assert_eq!(flows(&mine), flows(&theirs), "{fetch}: {}", errors(&mine));
    };
    thread::scope(|scope| {
        for fetch in ["port 11211", "dst 172.16.0.178", "udp and bytes > 50", "not port 443", "/11211|443/"] {
            scope.spawn(move || compare(fetch, None));
            scope.spawn(move || compare(fetch, Some(format)));
        }
    });
}

#[test]
fn a_push_down_that_is_no_filter_is_refused_before_anything_is_read() {
    let fake = Fake::start();
    for (wrong, says) in
        [("port >", "--fetch:"), ("client = 10.0.0.1", "Only sessions have `client`"), ("memcachd", "Did you mean")]
    {
        let output = flowtail(fake.port, &["tail", "/vpc/fake", "--fetch", wrong, "--for", "2s"]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(errors(&output).contains(says), "{wrong}: {}", errors(&output));
    }
    assert!(fake.state().asked.is_empty());
}

#[test]
fn what_cannot_be_pushed_is_read_whole_and_said() {
    let fake = Fake::start();
    for message in messages() {
        fake.deliver_message(ENI, &message, 300);
    }
    let output = flowtail(
        fake.port,
        &["tail", "/vpc/fake", "--fetch", "bytes > 50000", "--print", "flows", "--for", "2s", "--max-rps", "5"],
    );
    assert_eq!(flows(&output).len(), 3, "the reply and what has no data");
    let says = errors(&output);
    assert!(says.contains("nothing of it can be asked of CloudWatch: everything is read"), "{says}");
    assert!(says.contains("may hold for one direction of a session and not for the other"), "{says}");
    assert!(fake.state().asked.iter().all(|body| body.get("filterPattern").is_none()));
}

#[test]
fn a_format_that_ec2_proves_is_asked_for_by_position() {
    let flow_log = |created: &str, traffic: &str| {
        let names: Vec<String> =
            flowtail::record::Format::default_v2().fields().map(|field| ["${", field.name(), "}"].concat()).collect();
        let format = names.join(" ");
        format!(
            "<DescribeFlowLogsResponse><flowLogSet><item><flowLogId>fl-0a</flowLogId><resourceId>vpc-1</resourceId><trafficType>{traffic}</trafficType>\
             <creationTime>{created}</creationTime><logGroupName>/vpc/fake</logGroupName><logFormat>{format}</logFormat></item></flowLogSet></DescribeFlowLogsResponse>"
        )
    };
    let fake = Fake::start();
    for message in messages() {
        fake.deliver_message(ENI, &message, 300);
    }
    let run = |created: &str, traffic: &str| {
        fake.state().ec2 = Some((200, flow_log(created, traffic)));
        fake.state().asked.clear();
        let arguments =
            ["tail", "/vpc/fake", "--fetch", "bytes > 50000", "--print", "flows", "--for", "2s", "--max-rps", "5"];
        let output = flowtail(fake.port, &arguments);
        assert_eq!(flows(&output).len(), 3, "the reply and what has no data: {}", errors(&output));
        // The first is the probe, sent before EC2 has answered.
        let patterns: BTreeSet<String> = fake
            .state()
            .asked
            .iter()
            .skip(1)
            .map(|body| body["filterPattern"].as_str().unwrap_or_default().to_owned())
            .collect();
        (patterns, errors(&output))
    };
    let (patterns, says) = run("2020-01-01T00:00:00.000Z", "REJECT");
    assert!(
        patterns.len() == 1 && patterns.first().unwrap().contains("bytes > 50000 || bytes = \"-\""),
        "{patterns:?}"
    );
    assert!(says.contains("warning: flow log fl-0a of vpc-1: accepts are not logged"), "{says}");
    assert!(says.contains("by the place of fields"), "{says}");
    // One made just now may have followed another whose records are still to be read.
    let (patterns, says) = run(&jiff::Timestamp::now().to_string(), "ALL");
    assert!(patterns.len() == 1 && patterns.first().unwrap().is_empty(), "{patterns:?}");
    assert!(!says.contains("warning:"), "{says}");
}

/// EC2's answer: a flow log of this format that is older than all records.
fn flow_log_of(format: &str) -> (u16, String) {
    let fields: Vec<String> = format.split(' ').map(|name| ["${", name, "}"].concat()).collect();
    let answer = format!(
        "<DescribeFlowLogsResponse><flowLogSet><item><flowLogId>fl-0a</flowLogId><resourceId>vpc-1</resourceId><trafficType>ALL</trafficType>\
         <creationTime>2020-01-01T00:00:00.000Z</creationTime><logGroupName>/vpc/fake</logGroupName><logFormat>{}</logFormat></item></flowLogSet></DescribeFlowLogsResponse>",
        fields.join(" ")
    );
    (200, answer)
}

#[test]
fn when_the_flow_log_changes_what_was_not_let_through_is_read_again() {
    let names: Vec<&str> = Format::default_v2().fields().map(flowtail::record::Field::name).collect();
    let usual = names.join(" ");
    let filter = Filter::parse("bytes > 50000", Stage::Flows).unwrap();
    let by_place = Fetch::new(&filter, Some(&Format::default_v2())).pattern.unwrap();
    let fake = Fake::start();
    fake.state().ec2 = Some(flow_log_of(&usual));
    let first = messages().remove(1);
    fake.deliver_message(ENI, &first, 300);
    // A record of another format, which a pattern by place does not let through.
    let other = format!("{} 99999 10.0.0.1 10.0.0.2", now() / 1000 - 200);
    let config = TailConfig { run_for: Some(Duration::from_mins(20)), ..config(fake.port, "/vpc/fake") };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut came, mut said, mut shown) = (Vec::new(), false, None);
    runtime.block_on(async {
        let lab = Lab { clock: FastClock::new(60), ..lab() };
        let mut tail = Tail::connect_with(config, lab).await.expect("connects");
        let format = tail.format().await.expect("EC2 proves it");
        tail.ask_for(Some(by_place.clone()), format);
        let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
        tokio::spawn(tail.run(sender));
        while let Some(input) = receiver.recv().await {
            match input {
                Input::Batch(batch) => {
                    came.push(String::from_utf8(batch.bytes).unwrap());
                    if came.len() == 1 {
                        fake.deliver_message(ENI, &other, 200);
                        fake.state().ec2 = Some(flow_log_of("start bytes srcaddr dstaddr"));
                    }
                }
                Input::Status(status) => {
                    said |= status.note.is_some_and(|note| note.contains("no longer proven"));
                    shown = status.asks_for;
                }
                Input::Partial(_) => panic!("a tail passes on what is whole"),
                Input::Gap(gap) => panic!("{gap:?}"),
                Input::End => break,
            }
        }
    });
    assert_eq!(came, [first, other], "each once");
    assert!(said);
    assert_eq!(shown.as_deref(), Some(""), "the pane shows that everything is asked for");
    let state = fake.state();
    let asked: Vec<Option<&str>> = state.asked.iter().skip(1).map(|body| body["filterPattern"].as_str()).collect();
    let changed = asked.iter().position(Option::is_none).expect("the pattern is left");
    assert!(changed > 1 && asked[..changed].iter().all(|pattern| *pattern == Some(by_place.as_str())), "{asked:?}");
    assert!(asked[changed..].iter().all(Option::is_none), "{asked:?}");
}
