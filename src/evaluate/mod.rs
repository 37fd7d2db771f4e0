//! Judging rules: labelled attacks inside ordinary traffic of the kind that trips rules, through the same decoder and engine as everything else.
//!
//! `flowtail rules evaluate` prints what came of it. Trials are generated from a seed, two hours each: thresholds are tuned on seeds 1 to 10 and
//! reported on others. Ordinary traffic is in `benign`, attacks are in `attack`, what interfaces log of both in `wire`.

mod attack;
mod benign;
mod report;
mod score;
mod wire;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

pub use attack::Scenario;
pub use report::{against, summary};
pub use score::{Found, Said, Score};

use crate::detect::{Alert, Detector, Limits, RuleError, Rules};
use crate::engine::{Config, Core};
use crate::record::{Batch, Decoder};
use wire::Wire;

/// Seeds on which nothing was tuned.
pub const SEEDS: RangeInclusive<u64> = 11..=20;
/// 2026-03-02 08:00:00 UTC, Unix milliseconds: a working morning.
const BEGIN: i64 = 1_772_438_400_000;
/// Milliseconds that a trial lasts.
const LENGTH: i64 = 7_200_000;
/// Seconds that records may come late, as for files.
const LATENESS: i64 = 600;
/// Lines that are handed over at a time.
const BATCH: usize = 4_096;

/// Labelled records.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Records of the default format, in order of delivery.
    pub lines: Vec<String>,
    /// The attacks among them.
    pub scenarios: Vec<Scenario>,
    /// Interfaces that logged.
    pub interfaces: usize,
}

/// Makes trial number `seed`: always the same. Without `attacks` it is ordinary traffic alone.
pub fn trial(seed: u64, attacks: bool) -> Trial {
    let mut wire = Wire::new(seed, BEGIN, LENGTH);
    let town = benign::Town::new(&mut wire);
    benign::traffic(&mut wire, &town);
    let scenarios = if attacks { attack::all(&mut wire, seed, BEGIN) } else { Vec::new() };
    let (lines, interfaces) = wire.delivered();
    Trial { lines, scenarios, interfaces }
}

/// What was written after the rules, in the order in which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// A noisy week of a team that runs more than it should. Rules were changed because of what it showed.
    First,
    /// A larger company, other habits, other attacks; written after those changes.
    Second,
}

/// Trial number `seed` of what was written after the rules: other attacks, and more that is ordinary and noisy.
pub fn unseen(set: Unseen, seed: u64) -> Trial {
    let mut wire = Wire::new(seed, BEGIN, LENGTH);
    let town = benign::Town::new(&mut wire);
    benign::traffic(&mut wire, &town);
    match set {
        Unseen::First => benign::unseen::traffic(&mut wire, &town),
        Unseen::Second => benign::apart::traffic(&mut wire, &town),
    }
    let scenarios = attack::unseen(&mut wire, set, BEGIN);
    let (lines, interfaces) = wire.delivered();
    Trial { lines, scenarios, interfaces }
}

/// The alerts that `rules` end a trial with.
pub fn alerts(rules: &Rules, trial: &Trial) -> Vec<Alert> {
    let config = Config {
        memory: 256 << 20,
        lateness: LATENESS,
        live: false,
        source: "trial".into(),
        region: None,
        interfaces: Vec::new(),
        fetch: None,
    };
    let mut detector = Detector::new(rules, Limits { lateness_seconds: LATENESS, ..Limits::default() });
    detector.expect_span(BEGIN / 1_000, (BEGIN + LENGTH) / 1_000);
    let mut core = Core::new(config, detector, true);
    let mut decoder = Decoder::new(None);
    for lines in trial.lines.chunks(BATCH) {
        let bytes = lines.join("\n").into_bytes();
        core.ingest(&decoder.decode(&Batch { bytes, ..Batch::default() }));
    }
    core.finish();
    core.alerts().map(|alert| (**alert).clone()).collect()
}

/// Runs `rules` over every trial of `seeds`.
pub fn evaluate(rules: &Rules, seeds: impl IntoIterator<Item = u64>, attacks: bool) -> Score {
    judge(rules, seeds.into_iter().map(|seed| trial(seed, attacks)))
}

/// Runs `rules` over trials of [`trial`] or [`unseen`].
pub fn judge(rules: &Rules, trials: impl IntoIterator<Item = Trial>) -> Score {
    let mut score = Score::default();
    for trial in trials {
        score.count(&trial.scenarios, &alerts(rules, &trial));
        score.records += trial.lines.len() as u64;
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let (interfaces, hours) = (trial.interfaces as f64, LENGTH as f64 / 3_600_000.0);
        score.hours += hours;
        score.host_days += interfaces * hours / 24.0;
    }
    score
}

/// What others publish, as rules of ours: the same flows, their thresholds. By product.
///
/// # Errors
/// Never in a program that was tested: the text is part of it.
pub fn published() -> Result<Vec<(&'static str, Rules)>, RuleError> {
    const FILES: [(&str, &str); 7] = [
        ("Elastic", include_str!("published/elastic.toml")),
        ("NEMEA", include_str!("published/nemea.toml")),
        ("Panther", include_str!("published/panther.toml")),
        ("Sentinel", include_str!("published/sentinel.toml")),
        ("Splunk", include_str!("published/splunk.toml")),
        ("Stream4Flow", include_str!("published/stream4flow.toml")),
        ("Tailpipe", include_str!("published/tailpipe.toml")),
    ];
    FILES.into_iter().map(|(name, text)| Ok((name, Rules::parse(text, name)?))).collect()
}
