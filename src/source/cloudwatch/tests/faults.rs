//! Faults of network, service and clock: nothing is lost, and what is missing is said.

use super::*;

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
fn a_clock_that_is_wrong_loses_nothing_and_is_said() {
    for ahead in [-HOUR, 20 * MINUTE] {
        let events = events(4_000, BEGIN - HOUR, BEGIN + 2 * HOUR, 25 * MINUTE, 11);
        let mut sim = Sim::new(events.clone(), 1000);
        sim.clock.ahead = ahead;
        sim.outage = BEGIN + 50 * MINUTE..BEGIN + 51 * MINUTE;
        let settings = Settings { run_for: 90 * MINUTE, ..USUAL };
        let outcome = tail(sim, &settings);
        outcome.assert_once(&events, within(&settings));
        assert!(outcome.gaps.is_empty(), "{:?}", outcome.gaps);
        let way = if ahead < 0 { "60 minutes behind that of AWS" } else { "minutes ahead of that of AWS" };
        assert!(outcome.last().warnings.iter().any(|note| note.contains(way)), "{:?}", outcome.last().warnings);
        // The countdown of a wait is by the clock of the machine.
        for (at, status) in &outcome.statuses {
            if let SourceState::Waiting { until, .. } = status.state {
                assert!((until - at).abs() < 10 * MINUTE, "{} at {ahead}", until - at);
            }
        }
    }
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

#[test]
fn a_minute_that_cannot_be_read_is_a_gap_of_a_minute() {
    for (since, poison) in
        [(30 * MINUTE, BEGIN - 10 * MINUTE), (0, BEGIN), (5 * HOUR, BEGIN - 4 * HOUR), (30 * MINUTE, BEGIN + HOUR)]
    {
        let events = events(4_000, BEGIN - 5 * HOUR, BEGIN + 2 * HOUR, 10 * MINUTE, 12);
        let mut sim = Sim::new(events.clone(), 1000);
        sim.poison = Some(poison);
        let settings = Settings { since, ..USUAL };
        let outcome = tail(sim, &settings);
        let minute = poison.div_euclid(MINUTE);
        let other = |event: &Found| event.timestamp.div_euclid(MINUTE) != minute;
        outcome.assert_once(&events, |event| within(&settings)(event) && other(event));
        let [gap] = &outcome.gaps[..] else { panic!("{:?}", outcome.gaps) };
        assert_eq!((gap.from, gap.to), (minute * 60, minute * 60 + 59), "{gap:?}");
    }
}

#[test]
fn a_group_that_is_deleted_and_made_again_is_read_on() {
    let events = events(4_000, BEGIN - HOUR, BEGIN + 2 * HOUR, 10 * MINUTE, 13);
    let mut sim = Sim::new(events.clone(), 1000);
    sim.outage = BEGIN + 20 * MINUTE..BEGIN + 35 * MINUTE;
    sim.outage_kind = Kind::NoSuchGroup;
    let outcome = tail(sim, &USUAL);
    outcome.assert_once(&events, within(&USUAL));
    assert!(outcome.gaps.is_empty(), "{:?}", outcome.gaps);
    let said = |status: &SourceStatus| matches!(&status.state, SourceState::Waiting { why, .. } if why.contains("there is no log group g in us-west-1 any more"));
    assert!(outcome.statuses.iter().any(|(_, status)| said(status)));
    assert!(!said(outcome.last()));
}
