//! Memory of a long tail. Takes minutes, and measures its whole process: `cargo test --lib memory_of -- --ignored --nocapture --test-threads 1`.

use super::super::client::{Ask, Found, FoundPage, Logs};
use super::super::fault::{Fault, Place};
use super::super::group::Group;
use super::super::plan::Plan;
use super::super::runner::{self, Parts};
use super::super::seen::{Seen, key};
use super::*;

/// Events a second.
const RATE: i64 = 2000;

/// A group without end that holds nothing: each event is made when it is asked for.
struct Stream {
    clock: StepClock,
    count: i64,
    requests: u64,
    place: Place,
}

impl Stream {
    /// Up to three minutes late.
    fn event(number: i64) -> Found {
        let timestamp = BEGIN + number * 1000 / RATE;
        let late = i64::try_from(Dice(number.cast_unsigned()).below(180_000)).unwrap();
        Found {
            stream: format!("eni-{:017x}-all", number % 20),
            timestamp,
            ingestion: timestamp + late,
            message: format!(
                "2 622676721278 eni-{:017x} 10.0.0.1 10.0.0.2 443 {number} 6 10 1000 1 2 ACCEPT OK",
                number % 20
            ),
            id: format!("{number:056}"),
        }
    }
}

impl Logs for Stream {
    async fn page(&mut self, ask: &Ask<'_>) -> Result<FoundPage, Fault> {
        self.requests += 1;
        let now = self.clock.now.fetch_add(100, Ordering::Relaxed) + 100;
        let at = |time: i64| ((time - BEGIN) * RATE + 999).div_euclid(1000).clamp(0, self.count);
        let from = ask.token.map_or(at(ask.range.0), |token| token.parse().unwrap());
        let mut events = Vec::new();
        for number in from..at(ask.range.1 + 1) {
            let event = Stream::event(number);
            if event.ingestion > now {
                continue;
            }
            if events.len() == 10_000 {
                return Ok(FoundPage { events, token: Some(number.to_string()) });
            }
            events.push(event);
        }
        Ok(FoundPage { events, token: None })
    }

    async fn has_stream(&mut self, _: &GroupName, _: &str) -> Result<bool, Fault> {
        Ok(true)
    }

    async fn refresh(&mut self) {}

    fn requests(&self) -> u64 {
        self.requests
    }

    fn place(&self) -> &Place {
        &self.place
    }
}

/// Resident bytes of this process; 0 where the system does not tell.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

#[test]
#[ignore = "takes minutes, and measures the whole process"]
fn memory_of_five_million_events_is_flat() {
    let count = 5_000_000;
    let clock = StepClock { now: Arc::new(AtomicI64::new(BEGIN)), set: Arc::new(Mutex::new((i64::MAX, 0))) };
    let logs = Stream { clock: clock.clone(), count, requests: 0, place: Place::default() };
    let config = TailConfig { groups: vec!["g".into()], ..TailConfig::default() };
    let name = check(&config).unwrap().groups.remove(0);
    let (lookback, max_rps) = (8 * MINUTE, 4.0);
    let parts = Parts {
        logs,
        clock: Arc::new(clock.clone()),
        origin: Arc::new(Origin::default()),
        groups: vec![Group::new(name, &[], Plan::new(BEGIN, 0, lookback, 1, max_rps, 3_000_000), 1)],
        max_rps,
        lookback: super::super::clock::duration(lookback),
        run_for: Some(super::super::clock::duration(count * 1000 / RATE + lookback + 4 * MINUTE)),
        pattern: None,
        live: runner::Live::default(),
        limit: None,
        about: super::super::preflight::About::default(),
        asking: super::super::preflight::Asking::nothing(),
        recorder: None,
        asked: None,
    };
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let watch = async {
        let (mut came, mut read, mut gaps) = (0, 0, 0);
        let mut samples = Vec::new();
        while let Some(input) = receiver.recv().await {
            match input {
                Input::Batch(batch) => came += batch.events.len(),
                Input::Status(status) => read = status.events_read,
                Input::Gap(_) => gaps += 1,
                Input::End => {}
            }
            if came / 500_000 > samples.len() {
                samples.push(resident());
                println!("{came} events came, {read} read: {} MB", resident() >> 20);
            }
        }
        (came, gaps, samples)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (came, gaps, samples) = runtime.block_on(async { tokio::join!(run(parts, sender), watch).1 });
    assert_eq!((i64::try_from(came).unwrap(), gaps), (count, 0));
    // Look-back is full after the second million and a half.
    let (filled, last) = (samples[3], *samples.last().unwrap());
    assert!(last < filled + filled / 5, "{filled} after 2 million, {last} after 5");
}

#[test]
#[ignore = "measures the whole process"]
fn memory_of_a_million_ids() {
    for thousands in [1000, 1800] {
        let before = resident();
        let mut seen = Seen::default();
        for number in 0..thousands * 1000 {
            seen.sweep(key(&format!("{number:056}"), "", 0, 0, ""), None);
        }
        let bytes = resident().saturating_sub(before);
        // A slot has 9 bytes, and at least 7 of 16 are taken.
        assert!(bytes < seen.len() as u64 * 24, "{bytes} for {thousands},000 ids");
        println!("{thousands},000 ids: {} MB, {} bytes an id", bytes >> 20, bytes / seen.len() as u64);
    }
}
