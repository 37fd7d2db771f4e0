use std::fmt::Write as _;

use crate::detect::tests::{Bench, builtin};
use crate::detect::{Alert, Limits};

/// A record or NODATA of each interface in each of its minutes.
fn lines(of: &[(&str, std::ops::Range<u64>)], other: u64) -> String {
    let mut text = String::new();
    for minute in 0..other {
        for (interface, minutes) in of.iter().filter(|(_, minutes)| minutes.contains(&minute)) {
            let (start, end) = (1_534_778_700 + minute * 60, 1_534_778_758 + minute * 60);
            let _ = if minutes.start == 0 {
                writeln!(text, "2 1 {interface} 10.0.0.5 10.0.0.9 40001 443 6 5 900 {start} {end} ACCEPT OK")
            } else {
                writeln!(text, "2 1 {interface} - - - - - - - {start} {end} - NODATA")
            };
        }
    }
    text
}

fn silences(text: &str, batch: usize) -> Vec<Alert> {
    let mut bench = Bench::new(&builtin(), Limits::default(), 600);
    bench.read(text, batch);
    bench.detector.advance(1_534_778_700 + 3_600 - 600);
    let alerts = bench.finish().alerts();
    alerts.into_iter().filter(|alert| &*alert.rule == "LOG-SILENCE").collect()
}

#[test]
fn an_interface_that_falls_silent_is_told_whatever_the_batch() {
    let text = lines(&[("eni-a", 0..60), ("eni-b", 0..30), ("eni-c", 2..60)], 60);
    for batch in [1, 7, 50] {
        let found = silences(&text, batch);
        let messages: Vec<&str> = found.iter().map(|alert| alert.message.as_str()).collect();
        assert_eq!(found.len(), 1, "{batch}: {messages:#?}");
        assert!(messages[0].contains("eni-b"), "{messages:?}");
    }
}

#[test]
fn short_pauses_and_strangers_are_not() {
    // Two minutes are missing, which is less than five; and one that was heard four times.
    let text = lines(&[("eni-a", 0..60), ("eni-b", 0..20), ("eni-b", 22..60), ("eni-c", 0..4)], 60);
    assert!(silences(&text, 7).is_empty());
}

#[test]
fn when_everything_is_silent_it_is_one_alert() {
    let mut bench = Bench::new(&builtin(), Limits::default(), 600);
    bench.read(&lines(&[("eni-a", 0..30), ("eni-b", 0..30), ("eni-c", 0..30)], 30), 10);
    // The clock of a tail goes on without records.
    bench.detector.advance(1_534_778_700 + 50 * 60);
    let alerts = bench.finish().alerts();
    let found: Vec<&str> =
        alerts.iter().filter(|alert| &*alert.rule == "LOG-SILENCE").map(|alert| alert.message.as_str()).collect();
    assert_eq!(found.len(), 1, "{found:#?}");
}
