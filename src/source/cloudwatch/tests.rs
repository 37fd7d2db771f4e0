//! The tail against a simulated `CloudWatch`, in stepped time: hours of deliveries, faults and clock jumps in a second, and the truth to compare with.

mod memory;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::record::{Gap, Input, Origin, SourceState, SourceStatus};

use super::Load;
use super::client::{Ask, Found, FoundPage, Logs, Select};
use super::clock::{Clock, Sleep, millis};
use super::config::{GroupName, TailConfig, check};
use super::fault::{Fault, Kind, Place};
use super::group::Group;
use super::plan::Plan;
use super::runner::{Parts, run};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Some moment: 2026-11-24 06:00:13 UTC.
const BEGIN: i64 = 1_795_500_013_000;

/// Time that passes only by sleeping and by requests.
#[derive(Clone)]
struct StepClock {
    now: Arc<AtomicI64>,
    /// It is set from the one time to the other, once, while something is waited for.
    set: Arc<Mutex<(i64, i64)>>,
}

impl Clock for StepClock {
    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let before = self.now.fetch_add(millis(duration), Ordering::Relaxed);
        let (at, to) = *self.set.lock().unwrap();
        if (before..before.saturating_add(millis(duration))).contains(&at) {
            self.set.lock().unwrap().0 = i64::MAX;
            self.now.store(to, Ordering::Relaxed);
        }
        Box::pin(std::future::ready(()))
    }
}

/// splitmix64, so that every run of a test is the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % limit
    }

    fn time(&mut self, limit: i64) -> i64 {
        i64::try_from(self.below(limit.unsigned_abs())).unwrap()
    }
}

/// A log group that delivers events late, in pages, and fails when it likes.
struct Sim {
    clock: StepClock,
    /// In the API's order.
    events: Vec<Found>,
    page: usize,
    dice: Dice,
    /// One request in so many fails; 0 for none.
    fail_one_in: u64,
    /// Nothing answers between these times.
    outage: std::ops::Range<i64>,
    /// The clock is put from one time to another, once.
    jump: Option<(i64, i64)>,
    requests: u64,
    place: Place,
}

impl Sim {
    fn new(events: Vec<Found>, page: usize) -> Sim {
        Sim {
            clock: StepClock { now: Arc::new(AtomicI64::new(BEGIN)), set: Arc::new(Mutex::new((i64::MAX, 0))) },
            events,
            page,
            dice: Dice(1),
            fail_one_in: 0,
            outage: 0..0,
            jump: None,
            requests: 0,
            place: Place { region: "us-west-1".into(), ..Place::default() },
        }
    }

    /// A request takes its time and may fail.
    fn request(&mut self, paged: bool) -> Result<i64, Fault> {
        self.requests += 1;
        let now = self.clock.now.fetch_add(200, Ordering::Relaxed) + 200;
        if let Some((from, to)) = self.jump
            && now >= from
        {
            self.jump = None;
            self.clock.now.store(to, Ordering::Relaxed);
        }
        if self.outage.contains(&now) {
            return Err(Fault::new(Kind::Network, "no route"));
        }
        if self.fail_one_in > 0 && self.dice.below(self.fail_one_in) == 0 {
            let kinds = [Kind::Throttled, Kind::Network, Kind::Server, Kind::Expired, Kind::Token];
            let kind = kinds[usize::try_from(self.dice.below(5)).unwrap()].clone();
            return Err(Fault::new(if paged || kind != Kind::Token { kind } else { Kind::Server }, "by the dice"));
        }
        Ok(now)
    }
}

impl Logs for Sim {
    async fn page(&mut self, ask: &Ask<'_>) -> Result<FoundPage, Fault> {
        let now = self.request(ask.token.is_some())?;
        let Select::All = ask.select else { panic!("the simulation has one chain") };
        // Events lie in the API's order: timestamp, ingestion time, id. A token says at which one to go on; what is delivered before it meanwhile
        // is not in this answer.
        let low = self.events.partition_point(|event| event.timestamp < ask.range.0);
        let high = self.events.partition_point(|event| event.timestamp <= ask.range.1);
        let from = ask.token.map_or(low, |token| token.parse().unwrap());
        let mut events = Vec::new();
        for (index, event) in self.events.iter().enumerate().take(high).skip(from) {
            if event.ingestion > now {
                continue;
            }
            if events.len() == self.page {
                return Ok(FoundPage { events, token: Some(index.to_string()) });
            }
            events.push(event.clone());
        }
        Ok(FoundPage { events, token: None })
    }

    async fn has_stream(&mut self, _: &GroupName, _: &str) -> Result<bool, Fault> {
        self.request(false).map(|_| true)
    }

    async fn refresh(&mut self) {}

    fn requests(&self) -> u64 {
        self.requests
    }

    fn place(&self) -> &Place {
        &self.place
    }
}

/// `count` events with timestamps from `from` to `to`, each delivered up to `late` after its timestamp; three of four within a minute.
fn events(count: usize, from: i64, to: i64, late: i64, seed: u64) -> Vec<Found> {
    let mut dice = Dice(seed);
    let mut events: Vec<Found> = (0..count)
        .map(|number| {
            // Flow logs carry whole seconds: many events share a timestamp.
            let timestamp = (from + dice.time(to - from)) / 1000 * 1000;
            let delay = if dice.below(4) == 0 { dice.time(late) } else { dice.time(MINUTE.min(late)) };
            Found {
                stream: format!("eni-{:02}-all", number % 20),
                timestamp,
                ingestion: timestamp + delay,
                // Identical messages are different events.
                message: format!("message {}", number % 100),
                id: format!("{seed}{number:055}"),
            }
        })
        .collect();
    events.sort_by(|a, b| (a.timestamp, a.ingestion, &a.id).cmp(&(b.timestamp, b.ingestion, &b.id)));
    events
}

#[derive(Default)]
struct Outcome {
    /// How often each id came, and when first.
    came: HashMap<String, (u32, i64)>,
    statuses: Vec<(i64, SourceStatus)>,
    gaps: Vec<Gap>,
    /// Events that came as earlier time.
    earlier: usize,
    ended: bool,
}

struct Settings {
    run_for: i64,
    lookback: i64,
    since: i64,
    max_rps: f64,
    most_ids: usize,
}

const USUAL: Settings =
    Settings { run_for: 2 * HOUR, lookback: 30 * MINUTE, since: 30 * MINUTE, max_rps: 1.0, most_ids: 1_000_000 };

fn tail(sim: Sim, settings: &Settings) -> Outcome {
    tail_asked(sim, settings, &[])
}

/// A tail that is asked for something at some times.
fn tail_asked(sim: Sim, settings: &Settings, asks: &[(i64, Load)]) -> Outcome {
    let (ask, asked) = tokio::sync::mpsc::unbounded_channel();
    let mut asks = asks.iter().peekable();
    let clock = sim.clock.clone();
    let config = TailConfig { groups: vec!["g".into()], ..TailConfig::default() };
    let name = check(&config).unwrap().groups.remove(0);
    let Settings { run_for, lookback, since, max_rps, most_ids } = *settings;
    let plan = Plan::new(clock.now(), since, lookback, 1, max_rps, most_ids);
    let parts = Parts {
        logs: sim,
        clock: Arc::new(clock.clone()),
        origin: Arc::new(Origin::default()),
        groups: vec![Group::new(name, &[], plan, 1)],
        max_rps,
        lookback: super::clock::duration(lookback),
        run_for: Some(super::clock::duration(run_for)),
        pattern: None,
        proof: None,
        live: super::runner::Live::default(),
        limit: None,
        about: super::preflight::About::default(),
        asking: super::preflight::Asking::nothing(),
        recorder: None,
        asked: Some(asked),
    };
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let collect = async {
        let mut outcome = Outcome::default();
        while let Some(input) = receiver.recv().await {
            if let Some((_, what)) = asks.next_if(|(at, _)| clock.now() >= *at) {
                ask.send(*what).unwrap();
            }
            match input {
                Input::Batch(batch) => {
                    outcome.earlier += if batch.earlier { batch.events.len() } else { 0 };
                    for event in batch.events {
                        outcome.came.entry(event.id.into()).or_insert((0, batch.arrival)).0 += 1;
                    }
                }
                Input::Status(status) => outcome.statuses.push((clock.now(), *status)),
                Input::Partial(_) => panic!("a tail passes on what is whole"),
                Input::Gap(gap) => outcome.gaps.push(gap),
                Input::End => outcome.ended = true,
            }
        }
        outcome
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { tokio::join!(run(parts, sender), collect).1 })
}

impl Outcome {
    /// Fails unless each of `events` that `expected` holds for came once, and nothing came twice.
    fn assert_once(&self, events: &[Found], expected: impl Fn(&Found) -> bool) {
        let lost: Vec<_> = events.iter().filter(|e| expected(e) && !self.came.contains_key(&e.id)).collect();
        assert!(
            lost.is_empty(),
            "{} of {} lost, such as {:?}; gaps {:?}",
            lost.len(),
            events.len(),
            lost[0],
            self.gaps
        );
        let twice: Vec<_> = self.came.iter().filter(|(_, (times, _))| *times > 1).take(3).collect();
        assert!(twice.is_empty(), "{twice:?}");
        assert!(self.ended);
    }

    fn last(&self) -> &SourceStatus {
        &self.statuses.last().unwrap().1
    }

    fn notes(&self) -> Vec<&str> {
        self.statuses.iter().filter_map(|(_, status)| status.note.as_deref()).collect()
    }
}

#[test]
fn earlier_time_comes_once_each_whenever_it_is_asked_for_and_stopped() {
    for (seed, page) in [(1, 300), (2, 40), (3, 25)] {
        let events = events(9_000, BEGIN - 4 * HOUR, BEGIN + HOUR, 10 * MINUTE, seed);
        let mut sim = Sim::new(events.clone(), page);
        sim.fail_one_in = 9;
        let settings = Settings { run_for: 2 * HOUR, max_rps: 2.0, ..USUAL };
        let hour = Load::Earlier(super::clock::duration(HOUR));
        let at = |minutes: i64| BEGIN + minutes * MINUTE;
        // Stopped in the middle of an hour, at once, and while nothing is on its way.
        let mut asks = vec![(at(1), hour)];
        asks.extend((0..40).map(|n| (at(1) + n * 1_700, if n % 2 == 0 { hour } else { Load::Stop })));
        asks.extend([(at(30), hour), (at(31), hour), (at(60), Load::Stop), (at(61), hour)]);
        let outcome = tail_asked(sim, &settings, &asks);
        let twice: Vec<_> = outcome.came.iter().filter(|(_, (times, _))| *times > 1).take(3).collect();
        assert!(twice.is_empty(), "{twice:?}");
        let earlier = outcome.last().earlier.expect("it can load");
        assert!(earlier.percent().is_none(), "{earlier:?}");
        // Everything from there on that was delivered in time, and it is at least the hours of the last three presses.
        let from = earlier.from * 1000;
        assert!(from <= BEGIN - 30 * MINUTE - 3 * HOUR, "{earlier:?}");
        outcome
            .assert_once(&events, |event| event.timestamp >= from.max(BEGIN - 4 * HOUR) && event.ingestion <= at(110));
        assert!(outcome.earlier > 3_000 && outcome.gaps.is_empty(), "{} {:?}", outcome.earlier, outcome.gaps);
        assert!(outcome.statuses.iter().any(|(_, status)| status.earlier.is_some_and(|e| e.percent().is_some())));
        // What is live is known as before: the claim does not stop for the load.
        assert!(outcome.last().complete_to.is_some_and(|to| to > at(60) / 1000), "{:?}", outcome.last());
    }
}

/// Delivered within look-back and before the end, from the start of the tail on.
fn within(settings: &Settings) -> impl Fn(&Found) -> bool {
    let (from, end) = (BEGIN - settings.since, BEGIN + settings.run_for);
    let lookback = settings.lookback;
    move |event| event.timestamp >= from && event.ingestion <= end && event.ingestion - event.timestamp <= lookback
}

#[test]
fn late_events_come_once_each_without_faults() {
    let events = events(30_000, BEGIN - HOUR, BEGIN + 2 * HOUR, 29 * MINUTE, 1);
    let outcome = tail(Sim::new(events.clone(), 500), &USUAL);
    outcome.assert_once(&events, within(&USUAL));
    assert!(outcome.gaps.is_empty(), "{:?}", outcome.gaps);
    let status = outcome.last();
    assert_eq!(status.state, SourceState::Ended);
    assert_eq!(status.events_read, status.duplicates + outcome.came.len() as u64);
    // The budget: one a second and the burst.
    assert!(status.requests <= 2 * 3600 + 35 + 5, "{}", status.requests);
}

#[test]
fn late_events_come_once_each_with_one_request_in_five_failing() {
    for seed in 1..=4 {
        let events = events(20_000, BEGIN - HOUR, BEGIN + 2 * HOUR, 20 * MINUTE, seed);
        let mut sim = Sim::new(events.clone(), 300);
        sim.fail_one_in = 5;
        sim.dice = Dice(seed);
        let outcome = tail(sim, &USUAL);
        // The last faults may meet the end: what was delivered in the last minutes may be out.
        outcome.assert_once(&events, |event| within(&USUAL)(event) && event.ingestion < BEGIN + 2 * HOUR - 5 * MINUTE);
        assert!(outcome.statuses.iter().any(|(_, status)| matches!(status.state, SourceState::Waiting { .. })));
    }
}

#[test]
fn a_quiet_group_shows_a_record_within_seconds_of_its_delivery() {
    let events = events(2000, BEGIN, BEGIN + HOUR, 15 * MINUTE, 3);
    let settings = Settings { run_for: HOUR, ..USUAL };
    let outcome = tail(Sim::new(events.clone(), 10_000), &settings);
    let mut waits: Vec<i64> =
        events.iter().filter_map(|event| outcome.came.get(&event.id).map(|(_, at)| at - event.ingestion)).collect();
    waits.sort_unstable();
    assert!(waits.len() > 1500);
    assert!(waits[waits.len() / 2] <= 3000, "median {}", waits[waits.len() / 2]);
    assert!(*waits.last().unwrap() <= 6000, "worst {}", waits.last().unwrap());
}

#[test]
fn an_hour_without_network_is_caught_up() {
    let events = events(10_000, BEGIN - HOUR, BEGIN + 3 * HOUR, 15 * MINUTE, 4);
    let mut sim = Sim::new(events.clone(), 1000);
    sim.outage = BEGIN + 20 * MINUTE..BEGIN + 80 * MINUTE;
    let settings = Settings { run_for: 3 * HOUR, ..USUAL };
    let outcome = tail(sim, &settings);
    outcome.assert_once(&events, within(&settings));
    assert!(outcome.gaps.is_empty(), "{:?}", outcome.gaps);
    let waiting: Vec<_> = outcome
        .statuses
        .iter()
        .filter_map(|(at, status)| match &status.state {
            SourceState::Waiting { why, until } => Some((*at, why, *until)),
            _ => None,
        })
        .collect();
    assert!(waiting.iter().all(|(at, why, until)| why.contains("no route") && *until - at <= 31_000));
    assert!(waiting.len() > 100 && waiting.len() < 400, "{} waits in an hour", waiting.len());
    let after =
        outcome.statuses.iter().find(|(at, status)| *at > BEGIN + 81 * MINUTE && status.state == SourceState::Live);
    assert!(after.is_some(), "it never recovered");
}

#[test]
fn a_clock_that_jumps_loses_nothing() {
    for (to, waiting) in [(3 * HOUR, false), (25 * MINUTE, false), (-HOUR, false), (3 * HOUR, true), (-HOUR, true)] {
        let events = events(10_000, BEGIN - HOUR, BEGIN + 4 * HOUR, 15 * MINUTE, 5);
        let mut sim = Sim::new(events.clone(), 1000);
        sim.jump = Some((BEGIN + 30 * MINUTE, BEGIN + to));
        if waiting {
            let (at, to) = sim.jump.take().unwrap();
            *sim.clock.set.lock().unwrap() = (at, to);
        }
        let settings = Settings { run_for: 4 * HOUR, ..USUAL };
        let outcome = tail(sim, &settings);
        outcome.assert_once(&events, within(&settings));
        assert!(outcome.gaps.is_empty(), "{to} {waiting}: {:?}", outcome.gaps);
    }
}

#[test]
fn more_than_the_budget_carries_is_read_later_and_said() {
    // For twenty minutes four times what one request a second carries at eight reads an event, then nothing.
    let events = events(75_000, BEGIN, BEGIN + 20 * MINUTE, 10 * MINUTE, 6);
    let outcome = tail(Sim::new(events.clone(), 125), &USUAL);
    outcome.assert_once(&events, within(&USUAL));
    assert!(
        outcome.notes().iter().any(|note| note.contains("behind") && note.contains("--max-rps")),
        "{:?}",
        outcome.last()
    );
    assert!(outcome.last().note.is_none(), "{:?}", outcome.last().note);
}

#[test]
fn ids_are_bounded_and_what_is_forgotten_is_a_gap() {
    let events = events(20_000, BEGIN - 30 * MINUTE, BEGIN + HOUR, MINUTE, 7);
    let settings = Settings { run_for: HOUR, most_ids: 3000, ..USUAL };
    let outcome = tail(Sim::new(events.clone(), 10_000), &settings);
    outcome.assert_once(&events, |_| false);
    assert!(!outcome.gaps.is_empty());
    assert!(outcome.gaps.iter().all(|gap| gap.why.contains("remembered")), "{:?}", outcome.gaps);
    // Every event lost lies in a gap.
    for event in events.iter().filter(|event| within(&settings)(event) && !outcome.came.contains_key(&event.id)) {
        let second = event.timestamp / 1000;
        assert!(outcome.gaps.iter().any(|gap| (gap.from..=gap.to).contains(&second)), "{event:?}");
    }
}

#[test]
fn complete_to_is_believed_with_reason() {
    let events = events(20_000, BEGIN - HOUR, BEGIN + 2 * HOUR, 12 * MINUTE, 8);
    let outcome = tail(Sim::new(events.clone(), 2000), &USUAL);
    let last = outcome.last().complete_to.unwrap() * 1000;
    assert!(last > BEGIN + 2 * HOUR - 15 * MINUTE, "it lags {} minutes", (BEGIN + 2 * HOUR - last) / MINUTE);
    let (mut early, mut all) = (0, 0);
    for event in &events {
        let Some((_, came)) = outcome.came.get(&event.id) else { continue };
        all += 1;
        // The first time that the tail claimed to have everything up to this event.
        let claim = outcome.statuses.iter().find(|(_, s)| s.complete_to.is_some_and(|to| to * 1000 > event.timestamp));
        early += u32::from(claim.is_some_and(|(at, _)| at < came));
    }
    assert!(all > 10_000 && f64::from(early) < 0.02 * f64::from(all), "{early} of {all} came after the claim");
}

#[test]
fn the_backlog_is_read_and_the_window_stays_fresh_meanwhile() {
    let events = events(50_000, BEGIN - 24 * HOUR, BEGIN + HOUR, 10 * MINUTE, 9);
    let settings = Settings { run_for: HOUR, since: 24 * HOUR, ..USUAL };
    let outcome = tail(Sim::new(events.clone(), 200), &settings);
    outcome.assert_once(&events, within(&settings));
    assert!(outcome.gaps.is_empty(), "{:?}", outcome.gaps);
    let worst = events
        .iter()
        .filter(|event| event.ingestion > BEGIN + MINUTE)
        .filter_map(|event| outcome.came.get(&event.id).map(|(_, at)| at - event.ingestion))
        .max();
    assert!(worst.unwrap() < 3 * MINUTE, "{worst:?}");
}

#[test]
fn when_nothing_works_the_end_says_what_is_missing() {
    let mut sim = Sim::new(events(100, BEGIN - HOUR, BEGIN, MINUTE, 10), 1000);
    sim.outage = 0..i64::MAX;
    let settings = Settings { run_for: 10 * MINUTE, ..USUAL };
    let outcome = tail(sim, &settings);
    assert!(outcome.ended && outcome.came.is_empty());
    assert_eq!(outcome.statuses[0].1.state, SourceState::Connecting);
    let [gap] = &outcome.gaps[..] else { panic!("{:?}", outcome.gaps) };
    assert!(gap.from * 1000 <= BEGIN - 30 * MINUTE && gap.to * 1000 >= BEGIN + 10 * MINUTE, "{gap:?}");
    assert!(gap.why.contains("no route"), "{gap:?}");
}
