//! The real binary tails a real moto server without a screen, as DESIGN §9 promises.

#![cfg(feature = "aws")]

mod support;

use std::collections::HashSet;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use support::fake::Fake;
use support::moto::Moto;
use support::{ENI, command, flow, flowtail, now};

fn rows(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Records of the founding interface, `age` seconds old.
fn records(age: i64, numbers: std::ops::Range<usize>) -> Vec<(i64, String)> {
    numbers
        .map(|number| {
            let start = now() / 1000 - age + i64::try_from(number % 60).unwrap();
            (start * 1000, flow(ENI, start, number))
        })
        .collect()
}

#[test]
fn flows_come_once_each_with_where_and_when_they_were_found() {
    let Some(moto) = Moto::start() else { return };
    let (group, stream) = ("/vpc/flow-logs", format!("{ENI}-all"));
    moto.group(group);
    moto.stream(group, &stream);
    moto.stream(group, "eni-0123456789abcdef0-all");
    moto.put(group, &stream, records(300, 0..40));
    moto.put(group, "eni-0123456789abcdef0-all", records(300, 500..520));
    let output = thread::scope(|scope| {
        // Late ones, while it runs.
        scope.spawn(|| {
            thread::sleep(Duration::from_secs(4));
            moto.put(group, &stream, records(1200, 100..130));
        });
        flowtail(moto.port, &["tail", group, "--eni", ENI, "--print", "flows", "--for", "10s"])
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let rows = rows(&output);
    assert_eq!(rows.len(), 70, "{errors}");
    let ids: HashSet<&str> = rows.iter().map(|row| row["@event-id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 70);
    for row in &rows {
        assert_eq!(row["interface-id"], ENI);
        assert_eq!(row["@log-stream"], stream.as_str());
        assert!(row["@ingestion-time"].as_i64().unwrap() > row["start"].as_i64().unwrap() * 1000);
    }
}

#[test]
fn the_summary_says_what_it_cost() {
    let Some(moto) = Moto::start() else { return };
    let group = "summary";
    moto.group(group);
    moto.stream(group, ENI);
    moto.put(group, ENI, records(300, 0..40));
    let output = flowtail(moto.port, &["tail", group, "--print", "summary", "--for", "8s"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let rows = rows(&output);
    let [summary] = &rows[..] else { panic!("{rows:?}") };
    let number = |name: &str| summary[name].as_u64().unwrap_or_else(|| panic!("{name} in {summary}"));
    assert_eq!(number("records"), 40, "{summary}");
    // Read again and again, shown once.
    assert!(number("duplicates") >= 40, "{summary}");
    assert_eq!(number("events_read"), 40 + number("duplicates"), "{summary}");
    assert!((3..=20).contains(&number("requests")), "{summary}");
    assert_eq!(summary["gaps"], Value::Array(Vec::new()), "{summary}");
    let parts = ["records", "nodata", "skipdata", "unparsed", "headers", "duplicates"].map(number);
    assert_eq!(number("lines"), parts.iter().sum::<u64>(), "{summary}");
}

#[test]
fn what_cannot_be_tailed_exits_2_with_one_message() {
    let Some(moto) = Moto::start() else { return };
    moto.group("/vpc/flow-logs");
    let output = flowtail(moto.port, &["tail", "/vpc/flowlogs", "--for", "8s"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("/vpc/flowlogs in us-west-1") && errors.contains("/vpc/flow-logs"), "{errors}");
    assert!(output.stdout.is_empty());
}

#[test]
fn what_was_recorded_before_a_kill_is_read_again() {
    let fake = Fake::start();
    let expected = fake.deliver(&format!("{ENI}-all"), 500, 300);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flows.gz");
    let file = file.to_str().unwrap();
    let arguments = ["tail", "/vpc/fake", "--print", "summary", "--record", file, "--max-rps", "5"];
    let mut child = command(fake.port, folder.path(), &arguments).spawn().unwrap();
    let size = || std::fs::metadata(file).map_or(0, |file| file.len());
    let limit = Instant::now() + Duration::from_mins(1);
    while size() == 0 {
        assert!(Instant::now() < limit, "nothing was recorded");
        thread::sleep(Duration::from_millis(50));
    }
    // SIGKILL: it cannot end its file. What is delivered now is lost, or in a member of its own.
    fake.deliver(&format!("{ENI}-all"), 500, 200);
    thread::sleep(Duration::from_millis(1500));
    child.kill().unwrap();
    child.wait().unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_flowtail")).args(["open", file, "--print", "flows"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = rows(&output);
    assert!(rows.len() >= expected.len(), "{} of {}", rows.len(), expected.len());
    assert!(rows.iter().all(|row| row["@ingestion-time"].is_i64() && row["@event-id"].is_string()));
}
