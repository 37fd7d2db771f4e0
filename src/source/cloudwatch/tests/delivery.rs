//! What is delivered comes once each, soon, within its bounds, and as complete as is claimed.

use super::*;

#[test]
fn earlier_time_comes_once_each_whenever_it_is_asked_for_and_stopped() {
    for (seed, page) in [(1, 300), (2, 40), (3, 25)] {
        let events = events(9_000, BEGIN - 4 * HOUR, BEGIN + HOUR, 10 * MINUTE, seed);
        let mut sim = Sim::new(events.clone(), page);
        sim.fail_one_in = 9;
        let settings = Settings { run_for: 2 * HOUR, max_rps: 2.0, ..USUAL };
        let hour = Load::Earlier(super::super::clock::duration(HOUR));
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
