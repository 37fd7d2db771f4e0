//! Rules over flow lines: through the decoder, the session table and the detector, as the engine does it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::filter::Filter;
use crate::record::{Batch, Cell, Columns, Decoder, Field, Flow, Names, RowRef, Value};
use crate::session::{SessionRow, SessionTable};

mod benign;
mod corpus;
mod engine;
mod order;

/// The founding example: priming and trigger, four records.
pub(super) const FOUNDING: &str = "\
2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 22222 11211 17 3422 5072550 1534778743 1534778802 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 22222 17 137 513727 1534778743 1534778802 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 40396 17 36 51327 1534778806 1534778866 ACCEPT OK
";

/// Everything around a detector that turns lines into calls.
pub(super) struct Bench {
    decoder: Decoder,
    names: Names,
    pub sessions: SessionTable,
    pub detector: Detector,
    lateness: i64,
    latest: i64,
    pub events: Vec<AlertEvent>,
    /// Records after which sessions that changed are told, as the engine does it for many at once.
    pub together: usize,
    untold: Vec<(u64, i64)>,
}

impl Bench {
    pub(super) fn new(rules: &Rules, limits: Limits, lateness: i64) -> Self {
        Bench {
            decoder: Decoder::new(None),
            names: Names::default(),
            sessions: SessionTable::new(64 << 20, lateness),
            detector: Detector::new(rules, limits),
            lateness,
            latest: i64::MIN,
            events: Vec::new(),
            together: 1,
            untold: Vec::new(),
        }
    }

    /// Reads lines; with `batch` the watermark moves and news are taken after so many records.
    pub(super) fn read(&mut self, text: &str, batch: usize) {
        let text: String =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).fold(String::new(), |mut all, line| {
                _ = writeln!(all, "{line}");
                all
            });
        let batch_of = Batch { bytes: text.into_bytes(), first_line: 1, ..Batch::default() };
        let decoded = self.decoder.decode(&batch_of);
        assert!(decoded.rejects.is_empty(), "a test line does not parse: {:?}", decoded.rejects.first());
        let columns: &Columns = &decoded.columns;
        let rows = usize::try_from(decoded.lines - decoded.headers).unwrap_or(0);
        for row in 0..rows {
            let Some(flow) = Flow::of(columns, row, &mut self.names) else {
                let row = RowRef { table: columns, row };
                let end = row.get(Field::End).and_then(Value::number).unwrap_or(0.0);
                #[expect(clippy::cast_possible_truncation, reason = "a time of a test")]
                let end = end as i64;
                if let Some(Value::Text(interface)) = row.get(Field::InterfaceId) {
                    let id = self.names.id(interface);
                    self.detector.heard_from(self.names.name(id), id.index(), end);
                }
                self.detector.notice(&row, end);
                self.latest = self.latest.max(end);
                continue;
            };
            self.detector.heard_from(self.names.name(flow.interface), flow.interface.index(), flow.end);
            self.detector.flow(&RowRef { table: columns, row }, flow.end);
            let change = self.sessions.add(&flow);
            for merged in change.merged {
                self.untold.retain(|(id, _)| *id != merged);
                self.detector.withdraw(merged);
            }
            match self.untold.iter_mut().find(|(id, _)| *id == change.id) {
                Some((_, end)) => *end = flow.end.max(*end),
                None => self.untold.push((change.id, flow.end)),
            }
            if (row + 1) % self.together == 0 {
                self.tell();
            }
            self.latest = self.latest.max(flow.end);
            if (row + 1) % batch == 0 {
                self.tell();
                self.detector.advance(self.latest - self.lateness);
                self.events.extend(self.detector.drain());
            }
        }
    }

    fn tell(&mut self) {
        for (id, end) in self.untold.drain(..) {
            if let Some(session) = self.sessions.get(id) {
                self.detector.session(id, &SessionRow { session, names: &self.names, region: None }, end);
            }
        }
    }

    pub(super) fn finish(mut self) -> Self {
        self.tell();
        self.detector.finish();
        self.events.extend(self.detector.drain());
        self
    }

    pub(super) fn alerts(&self) -> Vec<Alert> {
        self.detector.alerts().cloned().collect()
    }
}

/// Every alert of the built-in rules over `text`.
pub(super) fn alerts(text: &str) -> Vec<Alert> {
    run(&builtin(), text)
}

pub(super) fn run(rules: &Rules, text: &str) -> Vec<Alert> {
    let mut bench = Bench::new(rules, Limits::default(), 600);
    bench.read(text, 64);
    bench.finish().alerts()
}

pub(super) fn builtin() -> Rules {
    Rules::builtin().unwrap_or_else(|error| panic!("{error}"))
}

/// Rule ids of alerts, sorted.
pub(super) fn ids(alerts: &[Alert]) -> Vec<&str> {
    let mut ids: Vec<&str> = alerts.iter().map(|alert| &*alert.rule).collect();
    ids.sort_unstable();
    ids
}

fn value(of: &[(String, f64)], name: &str) -> f64 {
    of.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name} in {of:?}")).1
}

#[test]
fn every_builtin_rule_passes_its_own_tests_and_has_both_kinds() {
    for rule in builtin().iter() {
        let mut alone = Rules::parse(&rule.text, "alone").unwrap_or_else(|error| panic!("{error}\n{}", rule.text));
        alone.try_out(&rule.id);
        assert!(rule.tests.iter().any(|test| test.expect > 0), "{} has no positive test", rule.id);
        assert!(rule.tests.iter().any(|test| test.expect == 0), "{} has no benign test", rule.id);
        assert!(!rule.meaning.is_empty() && !rule.false_positives.is_empty() && !rule.source.is_empty(), "{}", rule.id);
        for test in &rule.tests {
            let raised = run(&alone, &test.flows);
            assert_eq!(raised.len(), test.expect, "{}: {}: {raised:#?}", rule.id, test.name);
        }
    }
}

#[test]
fn the_documentation_lists_every_rule_and_its_example_is_a_rule() {
    let page = include_str!("../../docs/rules.md");
    for rule in builtin().iter() {
        let row = format!("| `{}` | {}", rule.id, rule.level);
        assert!(page.contains(&row), "docs/rules.md has no row {row}");
    }
    let example = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let rules = Rules::parse(example, "docs/rules.md").unwrap_or_else(|error| panic!("{error}"));
    let test = &rules.get("AMP-PROBE").expect("in the example").tests[0];
    assert_eq!(run(&rules, &test.flows).len(), test.expect);
}

#[test]
fn rules_absorb_only_rules_that_exist() {
    assert!(builtin().unknown_absorbed().is_empty());
}

#[test]
fn the_founding_example_is_one_amplification_alert_on_the_trigger() {
    let alerts = alerts(FOUNDING);
    assert_eq!(ids(&alerts), ["AMP-PROBE", "RATIO-BYTES", "RATIO-PACKETS"], "{alerts:#?}");
    let probe = alerts.iter().find(|alert| &*alert.rule == "AMP-PROBE").expect("raised");
    assert_eq!(probe.level, Level::High);
    assert_eq!(&*probe.technique, "T1498.002");
    assert_eq!((probe.first, probe.last), (1_534_778_806, 1_534_778_866), "the trigger, not the priming");
    assert_eq!(probe.count, 2);
    assert_eq!(
        probe.group,
        [
            (Field::Client, Cell::Addr([13, 125, 33, 130].into())),
            (Field::Server, Cell::Addr([172, 16, 0, 178].into())),
            (Field::ServerPort, Cell::Int(11_211)),
        ]
    );
    assert!((value(&probe.measured, "ratio") - 1_026.54).abs() < 0.01);
    assert!((value(&probe.measured, "baf") - 2_287.2).abs() < 0.1);
    assert!((value(&probe.threshold, "baf") - 20.0).abs() < 1e-9);
    for part in ["memcached", "1,026.5", "2,287", "172.16.0.178:11211", "13.125.33.130", "51.3 kB"] {
        assert!(probe.message.contains(part), "{part} is not in {}", probe.message);
    }
    for ratio in alerts.iter().filter(|alert| alert.rule.starts_with("RATIO")) {
        assert_eq!(ratio.level, Level::Low);
        assert_eq!(ratio.first, 1_534_778_743, "{} is about the priming", ratio.rule);
    }
}

#[test]
fn the_evidence_filter_of_the_founding_alert_shows_priming_and_trigger() {
    let mut bench = Bench::new(&builtin(), Limits::default(), 600);
    bench.read(FOUNDING, 1);
    let alert = bench.detector.alerts().find(|alert| &*alert.rule == "AMP-PROBE").expect("raised").clone();
    let filter =
        Filter::parse(&alert.filter, alert.stage).unwrap_or_else(|error| panic!("{error:?}: {}", alert.filter));
    let matching = |id: u64| {
        let session = bench.sessions.get(id).expect("held");
        filter.matches(&SessionRow { session, names: &bench.names, region: None }, 1_534_778_866)
    };
    assert!(matching(1) && matching(2));
    bench.read(
        "2 622676721278 eni-0536faba73134a9b7 13.125.33.131 172.16.0.178 22222 11211 17 1 50 1534778743 1534778802 ACCEPT OK",
        1,
    );
    let session = bench.sessions.get(3).expect("held");
    assert!(!filter.matches(&SessionRow { session, names: &bench.names, region: None }, 1_534_778_866));
}

#[test]
fn evidence_filters_of_all_rules_parse_and_select_what_raised_them() {
    for rule in builtin().iter() {
        let mut alone = Rules::parse(&rule.text, "alone").expect("read before");
        alone.try_out(&rule.id);
        for test in rule.tests.iter().filter(|test| test.expect > 0) {
            for alert in run(&alone, &test.flows) {
                let filter = Filter::parse(&alert.filter, alert.stage);
                let filter = filter.unwrap_or_else(|error| panic!("{}: {error:?}: {}", rule.id, alert.filter));
                assert!(filter.warnings().is_empty(), "{}: {:?}", rule.id, filter.warnings());
            }
        }
    }
}

/// Rule ids with their groups, as text, of what is held at the end.
fn incidents(alerts: &[Alert]) -> BTreeSet<String> {
    alerts.iter().map(|alert| format!("{} {:?}", alert.rule, alert.group)).collect()
}
