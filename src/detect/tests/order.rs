//! What is found does not depend on the order in which records come, nor on how they are cut into batches.

use super::*;

/// Traffic in which much happens within lateness: all shapes of amplification, growing sessions, and benign talk.
fn mixture() -> Vec<String> {
    let mut lines: Vec<String> = FOUNDING.lines().map(str::to_owned).collect();
    let mut pair =
        |client: &str, server: &str, ports: (u16, u16), asked: (u64, u64), answered: (u64, u64), start: u64| {
            let end = start + 55;
            let (cp, sp) = ports;
            lines.push(format!(
                "2 1 eni-1 {client} {server} {cp} {sp} 17 {} {} {start} {end} ACCEPT OK",
                asked.0, asked.1
            ));
            lines.push(format!(
                "2 1 eni-1 {server} {client} {sp} {cp} 17 {} {} {start} {end} ACCEPT OK",
                answered.0, answered.1
            ));
        };
    let t = 1_534_778_700;
    for minute in 0..4 {
        // A reflector whose session grows for minutes, one against several, and one that turns out to be harmless.
        pair("9.9.9.1", "10.0.0.5", (4_000, 123), (100, 23_400), (600, 280_800), t + minute * 60);
        pair("9.9.9.2", "10.0.0.6", (5_000, 1_900), (10, 1_200), (400, 130_000), t + minute * 60);
        pair("9.9.9.3", "10.0.0.6", (5_001, 1_900), (10, 1_200), (400, 130_000), t + minute * 60);
        pair("9.9.9.4", "10.0.0.7", (5_002, 53), (2_000, 200_000), (2_000, 500_000), t + minute * 60);
    }
    // Alone the first answer looks like a probe; the rest of its requests shows that it is not.
    pair("9.9.9.8", "10.0.0.8", (6_000, 69), (1, 50), (20, 20_000), t);
    pair("9.9.9.8", "10.0.0.8", (6_000, 69), (400, 400_000), (20, 20_000), t + 60);
    // Questions by the clock, strangers that do not answer, and more than usual.
    for n in 0..16 {
        pair("10.0.0.21", "9.9.8.1", (7_000 + n, 443), (5, 700), (5, 900), t - 1_800 + u64::from(n) * 150);
        pair("10.0.0.22", "9.9.8.1", (7_000 + n, 53), (5, 700), (5, 900), t - 1_800 + u64::from(n) * 150);
    }
    // Only exposed.
    pair("9.9.9.9", "10.0.0.9", (6_001, 19), (1, 29), (1, 102), t + 30);
    // Hosts that are known long before they try strangers.
    for n in 23..26 {
        let host = format!("10.0.0.{n}");
        lines.push(format!("2 1 eni-1 {host} 10.0.4.1 40000 443 6 9 900 {} {} ACCEPT OK", t - 2_110, t - 2_060));
        lines.push(format!("2 1 eni-1 10.0.4.1 {host} 443 40000 6 9 900 {} {} ACCEPT OK", t - 2_110, t - 2_060));
    }
    for n in 0..6_u64 {
        let (from, to) = (t + n * 20, t + n * 20 + 50);
        lines.push(format!("2 1 eni-1 10.0.0.23 10.0.1.{n} 40000 445 6 1 60 {from} {to} REJECT OK"));
        lines.push(format!("2 1 eni-1 10.0.0.24 9.9.8.9 5{n} 7 6 1 60 {from} {to} REJECT OK"));
        // The same host is answered elsewhere just before.
        lines.push(format!("2 1 eni-1 10.0.0.25 10.0.2.{n} 40000 445 6 1 60 {from} {to} REJECT OK"));
        lines.push(format!("2 1 eni-1 10.0.0.25 10.0.3.{n} 40001 445 6 9 900 {} {} ACCEPT OK", from - 5, to));
        lines.push(format!("2 1 eni-1 10.0.3.{n} 10.0.0.25 445 40001 6 9 900 {} {} ACCEPT OK", from - 5, to));
    }
    for n in 0..160_u64 {
        let at = if n < 40 { t - 2_100 + n * 50 } else { t };
        lines.push(format!("2 1 eni-1 10.0.0.26 10.0.1.9 {} 514 17 1 60 {at} {} REJECT OK", 30_000 + n, at + 50));
    }
    lines
}

fn found(lines: &[String], batch: usize) -> BTreeSet<String> {
    let mut bench = Bench::new(&builtin(), Limits { lateness_seconds: 3_000, ..Limits::default() }, 3_000);
    for part in lines.chunks(batch) {
        bench.read(&part.join("\n"), batch);
    }
    incidents(&bench.finish().alerts())
}

/// All that happens, told in bundles of `together` records, on a thread of its own or not.
fn happens(lines: &[String], batch: usize, together: usize, apart: bool) -> (Vec<AlertEvent>, BTreeSet<String>) {
    let mut bench = Bench::new(&builtin(), Limits { lateness_seconds: 3_000, ..Limits::default() }, 3_000);
    bench.together = together;
    if apart {
        bench.detector = bench.detector.apart();
    }
    for part in lines.chunks(batch) {
        bench.read(&part.join("\n"), batch);
    }
    let events = bench.finish().events;
    let mut held: Vec<Alert> = Vec::new();
    for event in &events {
        let (AlertEvent::Raised(alert)
        | AlertEvent::Updated(alert)
        | AlertEvent::Closed(alert)
        | AlertEvent::Withdrawn(alert)) = event;
        held.retain(|known| known.id != alert.id);
        if !matches!(event, AlertEvent::Withdrawn(_)) {
            held.push(alert.clone());
        }
    }
    (events, incidents(&held))
}

#[test]
fn the_mixture_finds_each_incident_once() {
    let found = found(&mixture(), 7);
    let rules: Vec<&str> = found.iter().filter_map(|text| text.split(' ').next()).collect();
    assert_eq!(
        rules,
        [
            "AMP-EXPOSED",
            "AMP-EXPOSED",
            "AMP-PROBE",
            "AMP-REFLECTOR",
            "AMP-REFLECTOR-AGG",
            "BEACON",
            "DENY-SPIKE",
            "RATIO-BYTES",
            "RATIO-PACKETS",
            "SCAN-TRW"
        ],
        "{found:#?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, rng_seed: prop::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_batch_size_find_the_same(lines in Just(mixture()).prop_shuffle(), batch in 1_usize..40) {
        prop_assert_eq!(found(&lines, batch), found(&mixture(), 1_000));
    }

    /// Sessions may be told rarely, and on a thread of its own the same happens, event by event.
    #[test]
    fn it_matters_neither_how_often_sessions_are_told_nor_where(
        lines in Just(mixture()).prop_shuffle(), batch in 1_usize..40, together in 1_usize..40,
    ) {
        let (here, ends_with) = happens(&lines, batch, together, false);
        prop_assert_eq!(ends_with, found(&mixture(), 1_000));
        prop_assert_eq!(happens(&lines, batch, together, true).0, here);
    }
}

/// Enough that orders are passed on in many bundles and wait for each other.
#[test]
fn a_flood_is_the_same_on_a_thread_of_its_own() {
    let lines: Vec<String> = (0..6_000_u64)
        .map(|n| {
            let (client, port, start) = (n / 2 % 500, 1_024 + n / 2 % 9_000, 1_534_778_700 + n / 20);
            let (a, b, count) = match n % 2 {
                0 => (format!("9.9.{}.{} 10.0.0.5 {port} 11211", client / 250, client % 250), "1 50", 10),
                _ => (format!("10.0.0.5 9.9.{}.{} 11211 {port}", client / 250, client % 250), "36 51327", 12),
            };
            format!("2 1 eni-1 {a} 17 {b} {start} {} ACCEPT OK", start + count)
        })
        .collect();
    let (here, found) = happens(&lines, 2_000, 64, false);
    assert!(!found.is_empty());
    assert_eq!(happens(&lines, 2_000, 64, true).0, here);
}

#[test]
fn what_later_records_disprove_is_withdrawn() {
    let mut bench = Bench::new(&builtin(), Limits::default(), 1_200);
    bench.read(
        "2 1 eni-1 9.9.9.8 10.0.0.8 6000 69 17 1 50 1534778700 1534778755 ACCEPT OK
         2 1 eni-1 10.0.0.8 9.9.9.8 69 6000 17 20 20000 1534778700 1534778755 ACCEPT OK",
        1,
    );
    assert!(matches!(&bench.events[..], [AlertEvent::Raised(alert), ..] if &*alert.rule == "AMP-PROBE"));
    bench.read("2 1 eni-1 9.9.9.8 10.0.0.8 6000 69 17 400 400000 1534778760 1534778800 ACCEPT OK", 1);
    let bench = bench.finish();
    let withdrawn: Vec<&str> = bench
        .events
        .iter()
        .filter_map(|event| if let AlertEvent::Withdrawn(alert) = event { Some(&*alert.rule) } else { None })
        .collect();
    assert!(withdrawn.contains(&"AMP-PROBE"), "{withdrawn:?}");
    assert_eq!(ids(&bench.alerts()), ["AMP-EXPOSED"], "the exposure comes back when what absorbed it goes");
}

/// One direction of a long conversation may be a minute ahead of the other: what looked like amplification meanwhile is taken back.
#[test]
fn what_a_late_direction_disproves_is_withdrawn() {
    for minutes in [2, 5, 12, 30, 60] {
        let mut text = String::new();
        for minute in 0..minutes {
            let (start, end) = (1_772_444_400 + 60 * minute, 1_772_444_458 + 60 * minute);
            for client in 1..=2 {
                let _ = writeln!(
                    text,
                    "2 1 eni-0a1 10.20.0.27 9.9.9.{client} 27015 400{client}1 17 18000 4680000 {start} {end} ACCEPT OK"
                );
            }
            for client in 1..=2 {
                let _ = writeln!(
                    text,
                    "2 1 eni-0a1 9.9.9.{client} 10.20.0.27 400{client}1 27015 17 18000 1620000 {start} {end} ACCEPT OK"
                );
            }
        }
        for batch in [1, 2, 3, 1_000] {
            let mut bench = Bench::new(&builtin(), Limits::default(), 600);
            bench.read(&text, batch);
            let alerts = bench.finish().alerts();
            let amplified: Vec<_> = alerts.iter().filter(|alert| alert.rule.starts_with("AMP")).collect();
            assert!(amplified.is_empty(), "{minutes} minutes, {batch} at a time: {amplified:#?}");
        }
    }
}

/// A game server with clients that come and go for an hour and a half: each minute what it sends is logged before what it is sent, so that for as
/// long as the rest of the minute is not there it looks like a reflector, in every window that the sessions touch.
fn game(clients: u64) -> Vec<String> {
    let mut lines = Vec::new();
    for minute in 0..90_u64 {
        let (start, end) = (1_772_444_400 + 60 * minute, 1_772_444_458 + 60 * minute);
        let playing: Vec<u64> = (0..clients).filter(|client| (client * 4..client * 4 + 60).contains(&minute)).collect();
        for client in &playing {
            let ports = format!("27015 40{client:03}");
            lines.push(format!(
                "2 1 eni-0a1 10.20.0.27 9.9.9.{client} {ports} 17 18000 4680000 {start} {end} ACCEPT OK"
            ));
        }
        for client in &playing {
            let ports = format!("40{client:03} 27015");
            lines.push(format!(
                "2 1 eni-0a1 9.9.9.{client} 10.20.0.27 {ports} 17 18000 1620000 {start} {end} ACCEPT OK"
            ));
        }
    }
    lines
}

/// What is raised and not withdrawn of `lines`, looked at after each of `cuts` records.
fn found_at(lines: &[String], cuts: &[usize]) -> BTreeSet<String> {
    let mut bench = Bench::new(&builtin(), Limits { lateness_seconds: 600, ..Limits::default() }, 600);
    let mut rest = lines;
    for cut in cuts.iter().cycle() {
        let (part, left) = rest.split_at((*cut).min(rest.len()));
        bench.read(&part.join("\n"), part.len().max(1));
        rest = left;
        if rest.is_empty() {
            break;
        }
    }
    let bench = bench.finish();
    assert_eq!(bench.detector.stats().evicted_groups, 0);
    incidents(&bench.alerts())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Looking at other moments finds the same, also of sessions that outlast windows and lateness.
    #[test]
    fn any_cuts_find_the_same(cuts in prop::collection::vec(1_usize..200, 1..12)) {
        let mut lines = game(8);
        lines.extend(FOUNDING.lines().map(|line| line.replace("15347", "17724")));
        let found = found_at(&lines, &cuts);
        prop_assert!(!found.iter().any(|text| text.contains("27015")), "{found:#?}");
        prop_assert_eq!(found, found_at(&lines, &[lines.len()]));
    }
}
