//! The built-in recording through decoder, engine and rules: the founding attack is told soon after it arrives, and beside it only the lost window.

use std::collections::BTreeSet;

use flowtail::detect::{Detector, Limits, Rules};
use flowtail::engine::{Config, Core};
use flowtail::record::{Cell, Decoder, Field, Input};
use flowtail::source::demo::{self, DemoConfig};
use tokio::sync::mpsc;

/// Plays the recording, with all that arrived by `until` (Unix milliseconds), into an engine set up as for a tail.
fn play(until: i64) -> Core {
    let config = Config {
        memory: 256 << 20,
        lateness: 20 * 60,
        live: false,
        source: "demo".into(),
        region: Some("us-west-1".into()),
        interfaces: Vec::new(),
        fetch: None,
    };
    let detector = Detector::new(&Rules::builtin().unwrap(), Limits::default());
    let mut core = Core::new(config, detector, false);
    let mut decoder = Decoder::new(None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (out, mut inputs) = mpsc::channel(4);
        let task = tokio::spawn(demo::run(DemoConfig { speed: None }, out));
        while let Some(input) = inputs.recv().await {
            match input {
                Input::Batch(batch) if batch.arrival > until => break,
                Input::Batch(batch) => core.ingest(&decoder.decode(&batch)),
                Input::Status(status) => core.source_status(*status),
                Input::Partial(batch) => core.preview(&decoder.decode(&batch)),
                Input::Gap(gap) => core.gap(gap),
                Input::End => core.finish(),
            }
        }
        drop(inputs);
        task.await.unwrap();
    });
    core
}

/// When the last record of the attack arrives.
fn trigger_arrives() -> i64 {
    let recording = demo::recording();
    recording.iter().rfind(|delivery| delivery.line.contains(" 40396 11211 ")).unwrap().arrival
}

#[test]
fn the_amplification_is_told_as_soon_as_its_records_arrive() {
    let arrives = trigger_arrives();
    let rules = |core: &Core| core.alerts().map(|alert| alert.rule.to_string()).collect::<BTreeSet<_>>();
    assert!(!rules(&play(arrives - 5_000)).contains("AMP-PROBE"));
    let core = play(arrives);
    let alert = core.alerts().find(|alert| &*alert.rule == "AMP-PROBE").expect("no waiting for lateness").clone();
    assert!(!alert.closed);
    let measured = |name: &str| alert.measured.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    assert_eq!(measured("ratio"), Some(1_026.54));
    assert_eq!(measured("resp.bytes"), Some(51_327.0));
    assert_eq!((alert.first, alert.last, alert.count), (1_534_778_806, 1_534_778_866, 2));
    let client = alert.group.iter().find(|(field, _)| *field == Field::Client).map(|(_, cell)| cell.clone());
    assert_eq!(client, Some(Cell::Addr("13.125.33.130".parse().unwrap())));
}

#[test]
fn ordinary_traffic_raises_nothing() {
    let core = play(i64::MAX);
    let counts = core.counts();
    assert_eq!((counts.unparsed(), counts.skipdata, counts.late), (0, 1, 0));
    let told: Vec<String> = core.alerts().map(|alert| format!("{}: {}", alert.rule, alert.message)).collect();
    assert!(told.iter().any(|told| told.starts_with("AMP-PROBE")));
    let foreign: Vec<&String> =
        told.iter().filter(|told| !told.contains("172.16.0.178") || !told.contains("11211")).collect();
    // The one window that AWS could not keep is told as such.
    assert!(matches!(&foreign[..], [gap] if gap.starts_with("LOG-GAP")) && told.len() <= 7, "{told:#?}");
}
