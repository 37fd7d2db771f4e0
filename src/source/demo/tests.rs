//! The recording must look real to a network engineer, and hold the founding attack exactly.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::*;

/// A parsed line of the default format.
struct Parsed<'a> {
    tokens: Vec<&'a str>,
}

impl Parsed<'_> {
    fn number(&self, index: usize) -> u64 {
        self.tokens[index].parse().unwrap()
    }

    fn addr(&self, index: usize) -> IpAddr {
        self.tokens[index].parse().unwrap()
    }

    fn has_traffic(&self) -> bool {
        self.tokens[13] == "OK"
    }

    fn inside(&self) -> bool {
        self.tokens[3].starts_with("172.16.") && self.tokens[4].starts_with("172.16.")
    }

    fn is_founding(&self) -> bool {
        self.tokens[3] == "13.125.33.130" || self.tokens[4] == "13.125.33.130"
    }
}

fn parsed(recording: &Recording) -> Vec<Parsed<'_>> {
    recording.iter().map(|delivery| Parsed { tokens: delivery.line.split(' ').collect() }).collect()
}

#[test]
fn the_founding_attack_is_there_to_the_byte_and_once() {
    let recording = recording();
    let found: Vec<&str> = recording
        .iter()
        .filter(|delivery| delivery.line.contains("13.125.33.130"))
        .map(|delivery| delivery.line.as_str())
        .collect();
    let mut expected = [
        "2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 22222 11211 17 3422 5072550 1534778743 1534778802 ACCEPT OK",
        "2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 22222 17 137 513727 1534778743 1534778802 ACCEPT OK",
        "2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK",
        "2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 40396 17 36 51327 1534778806 1534778866 ACCEPT OK",
    ];
    let mut sorted = found.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    let last = recording.iter().rfind(|delivery| delivery.line.contains("13.125.33.130")).unwrap();
    let wait = last.arrival - BACKLOG;
    assert!((30_000..=50_000).contains(&wait), "at tenfold speed the trigger shows within five seconds: {wait} ms");
}

#[test]
fn it_is_the_same_every_time_and_of_a_size_to_look_at() {
    let (one, two) = (recording(), recording());
    assert_eq!(one.deliveries, two.deliveries);
    let count = one.deliveries.len();
    assert!((6_000..=15_000).contains(&count), "{count} records");
    assert_eq!(one.iter().map(|delivery| &delivery.id).collect::<HashSet<_>>().len(), count, "ids are unique");
}

#[test]
fn sizes_are_possible() {
    for record in parsed(&recording()).iter().filter(|record| record.has_traffic() && !record.is_founding()) {
        let (packets, bytes) = (record.number(8), record.number(9));
        let least = match record.number(7) {
            6 => 40,
            17 => 28,
            _ => 84,
        };
        let most = if record.inside() { 9_001 } else { 1_500 };
        assert!(packets > 0 && bytes >= packets * least && bytes <= packets * most, "{:?}", record.tokens);
        assert!(bytes < 1 << 30, "{:?}", record.tokens);
        if record.tokens[12] == "REJECT" {
            assert!(packets <= 3 && (bytes <= packets * 60 || record.tokens[7] == "17"), "{:?}", record.tokens);
        }
        if record.number(7) == 1 {
            assert_eq!((record.number(5), record.number(6)), (0, 0), "ICMP has no ports");
        }
    }
}

#[test]
fn both_sides_of_a_conversation_inside_count_the_same() {
    let recording = recording();
    let mut sums: BTreeMap<_, BTreeMap<&str, (u64, u64)>> = BTreeMap::new();
    for record in parsed(&recording).iter().filter(|record| record.has_traffic() && record.inside()) {
        let key = (record.addr(3), record.number(5), record.addr(4), record.number(6), record.number(7));
        let sum = sums.entry(key).or_default().entry(record.tokens[2]).or_default();
        sum.0 += record.number(8);
        sum.1 += record.number(9);
    }
    assert!(sums.len() > 500);
    for (key, observers) in sums {
        let sums: Vec<_> = observers.values().collect();
        assert!(sums.len() == 2 && sums[0] == sums[1], "{key:?}: {observers:?}");
    }
}

#[test]
fn every_kind_of_traffic_is_there() {
    let recording = recording();
    let records = parsed(&recording);
    let count = |test: &dyn Fn(&Parsed<'_>) -> bool| records.iter().filter(|record| test(record)).count();
    for port in ["443", "80", "8080", "5432", "3306", "6379", "11211", "53", "123", "22", "9100"] {
        let seen = count(&|record| record.tokens[6] == port && record.tokens[12] == "ACCEPT");
        assert!(seen > 20, "port {port}: {seen}");
    }
    for port in ["23", "445", "3389", "5060"] {
        let seen = count(&|record| record.tokens[6] == port && record.tokens[12] == "REJECT");
        assert!(seen >= 5, "port {port}: {seen}");
    }
    assert!(count(&|record| record.tokens[3].contains(':')) > 50, "IPv6");
    assert!(count(&|record| record.tokens[7] == "1") > 20, "ICMP");
    assert!(count(&|record| record.tokens[5] == "123" && record.tokens[6] == "123") > 50, "symmetric NTP");
    assert_eq!(count(&|record| record.tokens[13] == "SKIPDATA"), 1);
    assert!((10..60).contains(&count(&|record| record.tokens[13] == "NODATA")));
    let interfaces: HashSet<&str> = records.iter().map(|record| record.tokens[2]).collect();
    assert_eq!(interfaces.len(), 7);
}

#[test]
fn delivery_is_late_uneven_and_sometimes_out_of_order() {
    let recording = recording();
    let mut lags = Vec::new();
    let mut newest = 0;
    let mut overtaken = 0;
    for delivery in &recording {
        let tokens: Vec<&str> = delivery.line.split(' ').collect();
        let (start, end): (i64, i64) = (tokens[10].parse().unwrap(), tokens[11].parse().unwrap());
        assert_eq!(delivery.timestamp, start * 1_000);
        assert!(delivery.stream.starts_with(tokens[2]) && delivery.stream.ends_with("-all"));
        assert!((0..=6_000).contains(&(delivery.arrival - delivery.ingestion)));
        assert!(delivery.id.len() == 56 && delivery.id.bytes().all(|byte| byte.is_ascii_digit()));
        lags.push(delivery.ingestion - end * 1_000);
        newest = newest.max(end);
        overtaken += usize::from(end < newest - 300);
    }
    assert!(recording.deliveries.is_sorted_by_key(|delivery| delivery.arrival));
    lags.sort_unstable();
    let median = lags[lags.len() / 2];
    assert!(lags[0] >= 22_000 && (30_000..90_000).contains(&median), "least {} median {median}", lags[0]);
    assert!(lags.last().is_some_and(|most| (300_000..900_000).contains(most)), "within any sensible look-back");
    assert!((10..400).contains(&overtaken), "{overtaken} records come five minutes late or more");
}

/// What a peer or a port would have to do to be taken for an attack, by the thresholds of the catalogue of rules.
#[test]
fn ordinary_traffic_is_ordinary() {
    let recording = recording();
    let mut pairs: BTreeMap<_, [u64; 2]> = BTreeMap::new();
    let mut probes: BTreeMap<_, HashSet<u64>> = BTreeMap::new();
    for record in parsed(&recording).iter().filter(|record| record.has_traffic() && !record.is_founding()) {
        let (source, destination) = (record.addr(3), record.addr(4));
        let (source_port, port) = (record.number(5), record.number(6));
        if record.number(7) == 17 && record.tokens[12] == "ACCEPT" {
            assert!(record.inside() || port == 123, "UDP with the internet is NTP only: {:?}", record.tokens);
        }
        if record.tokens[12] == "REJECT" {
            probes.entry((source, destination)).or_default().insert(port);
            continue;
        }
        let server_answers = source_port < 1_024
            || (source_port < port && [3_306, 5_432, 6_379, 8_080, 9_100, 11_211].contains(&source_port));
        let (key, side) =
            if server_answers { ((destination, source, source_port), 1) } else { ((source, destination, port), 0) };
        pairs.entry(key).or_default()[side] += record.number(9);
    }
    for ((client, server, port), [request, response]) in pairs {
        let (least, most) = (request.min(response), request.max(response));
        let download = client.to_string().starts_with("172.16.") && matches!(port, 80 | 443) && response > request;
        // Over the whole recording, which is stricter than the rule's ten minutes.
        assert!(
            download || most < 20 * least.max(1) || most < 10 << 20,
            "{client} {server}:{port} {request} {response}"
        );
    }
    assert!(probes.values().all(|ports| ports.len() < 5), "nobody scans");
}

fn events(batch: &Batch) -> usize {
    batch.events.len()
}

#[test]
fn headless_it_runs_through_at_once_and_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (out, mut inputs) = mpsc::channel(2);
        let task = tokio::spawn(run(DemoConfig::default(), out));
        let (mut count, mut arrivals, mut state) = (0, Vec::new(), SourceState::Connecting);
        let mut lines = String::new();
        loop {
            match timeout(Duration::from_secs(20), inputs.recv()).await.unwrap().unwrap() {
                Input::Batch(batch) => {
                    count += events(&batch);
                    arrivals.push(batch.arrival);
                    let mut from = 0;
                    for event in &batch.events {
                        let line = std::str::from_utf8(&batch.bytes[from..event.end as usize]).unwrap();
                        assert!(batch.streams[event.stream as usize].starts_with(line.split(' ').nth(2).unwrap()));
                        lines += line;
                        from = event.end as usize;
                    }
                    assert_eq!(from, batch.bytes.len());
                    assert_eq!(batch.origin.region.as_deref(), Some("us-west-1"));
                }
                Input::Status(status) => {
                    assert_eq!(status.events_read, count as u64);
                    state = status.state;
                }
                Input::Partial(_) => panic!("a recording is whole"),
                Input::Gap(gap) => panic!("{gap:?}"),
                Input::End => break,
            }
        }
        task.await.unwrap();
        assert_eq!((count, state), (recording().iter().count(), SourceState::Ended));
        assert!(arrivals.is_sorted() && arrivals.len() > 100);
        assert_eq!(lines, recording().iter().map(|delivery| delivery.line.as_str()).collect::<String>());
    });
}

#[test]
fn a_replay_gives_the_backlog_at_once_and_then_takes_its_time() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (out, mut inputs) = mpsc::channel(2);
        // Half a second of replay from the backlog to the trigger.
        let task = tokio::spawn(run(DemoConfig { speed: Some(80.0) }, out));
        let started = Instant::now();
        let mut backlog = 0;
        loop {
            if let Input::Batch(batch) = timeout(Duration::from_secs(20), inputs.recv()).await.unwrap().unwrap() {
                if batch.arrival < BACKLOG {
                    backlog += events(&batch);
                }
                if String::from_utf8_lossy(&batch.bytes).contains(" 40396 11211 ") {
                    break;
                }
            }
        }
        assert!(backlog > 2_000, "{backlog}");
        assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());
        drop(inputs);
        timeout(Duration::from_secs(20), task).await.unwrap().unwrap();
    });
}
