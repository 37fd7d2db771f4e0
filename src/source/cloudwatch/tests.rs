//! The tail against a simulated `CloudWatch`, in stepped time: hours of deliveries, faults and clock jumps in a second, and the truth to compare with.

mod delivery;
mod faults;
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
    /// How far the tail's machine is ahead of the truth, milliseconds.
    ahead: i64,
}

impl Clock for StepClock {
    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed) + self.ahead
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
    outage_kind: Kind,
    /// No range with this moment can be read.
    poison: Option<i64>,
    /// The clock is put from one time to another, once.
    jump: Option<(i64, i64)>,
    requests: u64,
    place: Place,
}

impl Sim {
    fn new(events: Vec<Found>, page: usize) -> Sim {
        Sim {
            clock: StepClock {
                now: Arc::new(AtomicI64::new(BEGIN)),
                set: Arc::new(Mutex::new((i64::MAX, 0))),
                ahead: 0,
            },
            events,
            page,
            dice: Dice(1),
            fail_one_in: 0,
            outage: 0..0,
            outage_kind: Kind::Network,
            poison: None,
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
            return Err(Fault::new(self.outage_kind.clone(), "no route"));
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
        if self.poison.is_some_and(|at| (ask.range.0..=ask.range.1).contains(&at)) {
            return Err(Fault::new(Kind::Server, "poison"));
        }
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

    fn skew(&self) -> i64 {
        -self.clock.ahead
    }

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
    let plan = Plan::new(clock.now() - clock.ahead, since, lookback, 1, max_rps, most_ids);
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

/// Delivered within look-back and before the end, from the start of the tail on.
fn within(settings: &Settings) -> impl Fn(&Found) -> bool {
    let (from, end) = (BEGIN - settings.since, BEGIN + settings.run_for);
    let lookback = settings.lookback;
    move |event| event.timestamp >= from && event.ingestion <= end && event.ingestion - event.timestamp <= lookback
}
