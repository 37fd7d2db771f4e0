//! Two hundred thousand events, delivered up to twenty minutes late and shuffled, through a proxy that spoils one answer in five: at the end the summary
//! of the program equals the truth. Hours of the tail's clock pass in seconds.

#![cfg(feature = "aws")]

mod support;

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Parser as _;
use flowtail::cli::{Cli, Print};
use flowtail::headless;
use flowtail::source::cloudwatch::{Lab, Tail, TailConfig};
use flowtail::start::Source;
use serde_json::Value;

use support::chaos::{Arrival, Proxy, StepClock, resumed_from_last_timestamp, script};
use support::fake::Fake;
use support::moto::Moto;
use support::{config, lab, now};

const MINUTE: i64 = 60_000;
const STREAMS: usize = 20;

/// Takes what is printed.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the program prints of a tail, as with `--print WHAT`.
fn printed(config: TailConfig, clock: Arc<StepClock>, what: Print) -> Vec<u8> {
    let sink = Sink::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let common = Cli::parse_from(["flowtail", "demo"]).common;
        let tail = Box::pin(Tail::connect_with(config, Lab { clock, ..lab() })).await.expect("connects");
        let source = Source::of_tail(tail, Vec::new());
        headless::print(source, &common, what, Box::new(sink.clone()), false).await.expect("prints");
    });
    let bytes = sink.0.lock().unwrap();
    bytes.clone()
}

/// A tail from `begin` for `minutes`.
fn setup(port: u16, group: &str, minutes: u64, max_rps: f64) -> TailConfig {
    TailConfig {
        since: Duration::from_mins(5),
        run_for: Some(Duration::from_mins(minutes)),
        max_rps,
        ..config(port, group)
    }
}

/// Fails unless the summary says that exactly these events were read.
fn assert_truth(summary: &[u8], arrivals: &[Arrival]) -> Value {
    let summary: Value = serde_json::from_slice(summary).unwrap();
    let number = |name: &str| summary[name].as_u64().unwrap_or_else(|| panic!("{name} in {summary}"));
    assert_eq!(number("records"), arrivals.len() as u64, "{summary}");
    assert_eq!(number("unparsed") + number("headers") + number("nodata") + number("skipdata"), 0, "{summary}");
    assert_eq!(number("events_read"), number("records") + number("duplicates"), "{summary}");
    assert_eq!(summary["gaps"], Value::Array(Vec::new()), "{summary}");
    let starts = arrivals.iter().map(|arrival| arrival.timestamp / 1000);
    assert_eq!(summary["first"].as_i64(), starts.min(), "{summary}");
    summary
}

fn chaos_of_the_fake(seed: u64) {
    let stopwatch = Instant::now();
    let begin = now() - 120 * MINUTE;
    let arrivals = script(seed, 200_000, STREAMS, begin, 40 * MINUTE);
    let fake = Fake::start();
    fake.hold(&arrivals);
    let clock = StepClock::new(begin);
    fake.state().clock = Some(Arc::clone(&clock));
    // Small pages: more requests for the dice, and ranges of many pages that are spoiled in the middle.
    fake.state().page = 2500;
    let proxy = Proxy::start(fake.port, seed, Arc::clone(&clock), Box::new(|_| ()));
    let summary = printed(setup(proxy.port, "/vpc/fake", 75, 0.2), clock, Print::Summary);
    let summary = assert_truth(&summary, &arrivals);
    let (spoiled, passed) = proxy.counts();
    assert!(spoiled * 6 > passed && spoiled > 100, "{spoiled} of {}", spoiled + passed);
    println!(
        "fake, seed {seed}: {} events once each; {} read, {spoiled} of {} requests spoiled, {:.1} s",
        arrivals.len(),
        summary["events_read"],
        spoiled + passed,
        stopwatch.elapsed().as_secs_f64()
    );
}

#[test]
fn nothing_is_lost_or_told_twice_in_chaos() {
    for seed in 1..=2 {
        chaos_of_the_fake(seed);
    }
}

#[test]
fn each_event_comes_with_its_own_id_and_both_clocks() {
    let begin = now() - 120 * MINUTE;
    let arrivals = script(11, 20_000, STREAMS, begin, 40 * MINUTE);
    let fake = Fake::start();
    fake.hold(&arrivals);
    let clock = StepClock::new(begin);
    fake.state().clock = Some(Arc::clone(&clock));
    fake.state().page = 700;
    let proxy = Proxy::start(fake.port, 11, Arc::clone(&clock), Box::new(|_| ()));
    let rows = printed(setup(proxy.port, "/vpc/fake", 75, 0.1), clock, Print::Flows);
    let truth: HashMap<&str, &Arrival> = arrivals.iter().map(|arrival| (arrival.id.as_str(), arrival)).collect();
    let mut seen = HashMap::new();
    for line in rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let row: Value = serde_json::from_slice(line).unwrap();
        let id = row["@event-id"].as_str().unwrap().to_owned();
        let event = truth[id.as_str()];
        assert_eq!(row["start"].as_i64(), Some(event.timestamp / 1000));
        assert_eq!(row["@ingestion-time"].as_i64(), Some(event.delivery));
        assert_eq!(row["@log-stream"].as_str(), Some(event.stream.as_str()));
        *seen.entry(id).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), arrivals.len());
    assert!(seen.values().all(|times| *times == 1));
}

#[test]
fn nothing_is_lost_or_told_twice_with_moto() {
    let Some(moto) = Moto::start() else { return };
    let stopwatch = Instant::now();
    let begin = now() - 120 * MINUTE;
    let arrivals = script(5, 200_000, STREAMS, begin, 40 * MINUTE);
    let group = "/vpc/chaos";
    moto.group(group);
    for stream in 0..STREAMS {
        moto.stream(group, &format!("eni-{stream:017x}-all"));
    }
    let clock = StepClock::new(begin);
    let waiting: Vec<Arrival> = arrivals.iter().rev().cloned().collect();
    let waiting = Arc::new(Mutex::new(waiting));
    let (server, still) = (moto.port, Arc::clone(&waiting));
    let deliver = move |now: i64| {
        let mut waiting = still.lock().unwrap();
        let mut parts: HashMap<String, Vec<(i64, String)>> = HashMap::new();
        while waiting.last().is_some_and(|arrival| arrival.delivery <= now) {
            let arrival = waiting.pop().unwrap();
            parts.entry(arrival.stream).or_default().push((arrival.timestamp, arrival.message));
        }
        for (stream, records) in parts {
            support::moto::put(server, group, &stream, records);
        }
    };
    let proxy = Proxy::start(moto.port, 5, Arc::clone(&clock), Box::new(deliver));
    // moto takes its time for each event: a small budget reads each a few times only.
    let summary = printed(setup(proxy.port, group, 75, 0.05), clock, Print::Summary);
    assert!(waiting.lock().unwrap().is_empty(), "not all was delivered");
    let summary = assert_truth(&summary, &arrivals);
    let (spoiled, passed) = proxy.counts();
    println!(
        "moto: {} events once each; {} read, {spoiled} of {} requests spoiled, {:.1} s",
        arrivals.len(),
        summary["events_read"],
        spoiled + passed,
        stopwatch.elapsed().as_secs_f64()
    );
}

#[test]
fn resuming_from_the_last_timestamp_loses_most_of_the_same_events() {
    for seed in 1..=3 {
        let begin = now() / 1000 * 1000 - 120 * MINUTE;
        let arrivals = script(seed, 200_000, STREAMS, begin, 40 * MINUTE);
        let got = resumed_from_last_timestamp(&arrivals, begin, begin + 75 * MINUTE);
        let lost = (arrivals.len() - got) * 1000 / arrivals.len();
        println!(
            "seed {seed}: resuming from the last timestamp, without any fault, gets {got} of {}: {}.{}% are lost",
            arrivals.len(),
            lost / 10,
            lost % 10
        );
        assert!(got * 2 < arrivals.len(), "{got}");
    }
}
