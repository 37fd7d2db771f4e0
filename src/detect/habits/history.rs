//! What was usual for a group: the memory behind `baseline`. Sums by window, one after the other; windows in which nothing happened are no samples,
//! so that what works once an hour is measured by the hours in which it works.

use crate::detect::bounded::Bounded;
use crate::detect::key::{GroupKey, Key};

/// Windows that are kept of a group, the latest.
const KEPT: usize = 64;
/// Of those before the one in question, how many are looked at.
const SAMPLES: usize = 48;

#[derive(Clone, Copy, Debug)]
struct Sample {
    window: i64,
    sum: f64,
    uses: u32,
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Histories {
    groups: Bounded<GroupKey, Vec<Sample>>,
    /// Seconds of a window.
    length: i64,
    pub evicted: u64,
}

impl Histories {
    pub(super) fn new(memory: usize, length: i64) -> Histories {
        let groups = (memory / 2 / (KEPT / 2 * size_of::<Sample>())).max(1_024);
        Histories { groups: Bounded::new(groups), length: length.max(1), evicted: 0 }
    }

    pub(super) fn add(&mut self, group: &[Key], end: i64, value: f64) {
        if !value.is_finite() {
            return;
        }
        let window = end.div_euclid(self.length);
        let samples = self.groups.get_or_insert(group, || (group.into(), Vec::new()));
        match samples.binary_search_by_key(&window, |sample| sample.window) {
            Ok(at) => {
                samples[at].sum += value;
                samples[at].uses = samples[at].uses.saturating_add(1);
            }
            Err(0) if samples.len() >= KEPT => {}
            Err(at) => {
                samples.insert(at, Sample { window, sum: value, uses: 1 });
                if samples.len() > KEPT {
                    samples.remove(0);
                }
            }
        }
        self.evicted += self.groups.take_dropped().len() as u64;
    }

    pub(super) fn withdraw(&mut self, group: &[Key], end: i64, value: f64) {
        let Some(samples) = self.groups.get_mut(group).filter(|_| value.is_finite()) else { return };
        let window = end.div_euclid(self.length);
        let Ok(at) = samples.binary_search_by_key(&window, |sample| sample.window) else { return };
        let sample = &mut samples[at];
        sample.uses = sample.uses.saturating_sub(1);
        sample.sum -= value;
        if sample.uses == 0 {
            samples.remove(at);
        }
        if samples.is_empty() {
            self.groups.remove(group);
        }
    }

    /// Mean and deviation of the windows that ended before the Unix second `before`; not numbers with fewer than `least` of them.
    pub(super) fn usual(&self, group: &[Key], before: i64, least: u8) -> (f64, f64) {
        let samples = self.groups.get(group).map_or(&[][..], Vec::as_slice);
        let ended =
            samples.partition_point(|sample| (sample.window.saturating_add(1)).saturating_mul(self.length) <= before);
        let past = &samples[ended.saturating_sub(SAMPLES)..ended];
        if past.is_empty() || past.len() < usize::from(least) {
            return (f64::NAN, f64::NAN);
        }
        let count = f64::from(u32::try_from(past.len()).unwrap_or(1));
        let mean = past.iter().map(|sample| sample.sum).sum::<f64>() / count;
        let variance = past.iter().map(|sample| (sample.sum - mean).powi(2)).sum::<f64>() / count;
        (mean, variance.sqrt())
    }
}
