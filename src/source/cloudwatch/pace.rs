//! How fast the tail asks: the request budget, and how long it waits after a fault.

use std::time::Duration;

use super::clock::duration;

/// Requests that may go out at once after a quiet time: enough for the first screenful.
const BURST: f64 = 5.0;

/// Requests a second of `FilterLogEvents` that an account has in a region, for all its tools; not adjustable. User guide, "CloudWatch Logs quotas".
pub(super) fn quota(region: &str) -> u32 {
    match region {
        "us-east-1" => 25,
        "ap-northeast-3" | "ap-southeast-3" | "ca-west-1" | "eu-central-1" | "il-central-1" => 5,
        _ => 10,
    }
}

/// A token bucket over the requests of all groups and interfaces. `CloudWatch` counts requests per account and Region, and the console and every
/// other tool draw on the same quota.
#[derive(Debug)]
pub(super) struct Budget {
    per_milli: f64,
    tokens: f64,
    at: i64,
}

impl Budget {
    /// A full bucket that refills with `per_second` requests a second.
    pub(super) fn new(per_second: f64, now: i64) -> Budget {
        Budget { per_milli: per_second / 1000.0, tokens: BURST, at: now }
    }

    /// How long to wait before the next request.
    pub(super) fn wait(&mut self, now: i64) -> Duration {
        // The clock may have been set back; the bucket then simply refills from there.
        #[expect(clippy::cast_precision_loss, reason = "a bucket is full long before 2^53 ms")]
        let elapsed = (now - self.at).max(0) as f64;
        self.at = now;
        self.tokens = (self.tokens + elapsed * self.per_milli).min(BURST);
        if self.tokens >= 1.0 {
            return Duration::ZERO;
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the minute below")]
        let millis = ((1.0 - self.tokens) / self.per_milli).ceil().min(60_000.0) as i64;
        duration(millis)
    }

    /// Takes `requests` out of the bucket, below zero if they were more than there are tokens: the SDK's own second tries count too.
    pub(super) fn take(&mut self, requests: u64) {
        self.tokens -= f64::from(u32::try_from(requests).unwrap_or(u32::MAX));
    }
}

/// Waiting times after faults: 0.5 s doubling to 30 s, each spread over its upper half so that many tails do not return in step.
#[derive(Debug)]
pub(super) struct Backoff {
    failures: u32,
    random: u64,
}

/// The longest wait between two tries, milliseconds.
pub(super) const LONGEST_WAIT: i64 = 30_000;

impl Backoff {
    /// `seed` decides the jitter.
    pub(super) fn new(seed: u64) -> Backoff {
        Backoff { failures: 0, random: seed }
    }

    /// Milliseconds to wait after one more failure.
    pub(super) fn failed(&mut self) -> i64 {
        let full = (500_i64 << self.failures.min(6)).min(LONGEST_WAIT);
        self.failures += 1;
        self.spread(full)
    }

    /// The longest wait, spread: for faults that only a person can mend.
    pub(super) fn stuck(&mut self) -> i64 {
        self.failures += 1;
        self.spread(LONGEST_WAIT)
    }

    /// It worked.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    fn spread(&mut self, full: i64) -> i64 {
        // splitmix64
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let half = full / 2;
        #[expect(clippy::cast_possible_wrap, reason = "11 bits")]
        let share = (bits >> 53) as i64;
        half + half * share / 2047
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_differ_by_region() {
        assert_eq!([quota("us-east-1"), quota("us-west-1"), quota("eu-central-1")], [25, 10, 5]);
    }

    #[test]
    fn budget_allows_a_burst_then_the_rate() {
        let mut budget = Budget::new(1.0, 0);
        for _ in 0..5 {
            assert_eq!(budget.wait(0), Duration::ZERO);
            budget.take(1);
        }
        assert_eq!(budget.wait(0), Duration::from_secs(1));
        assert_eq!(budget.wait(400), Duration::from_millis(600));
        assert_eq!(budget.wait(1000), Duration::ZERO);
        budget.take(3);
        assert_eq!(budget.wait(1000), Duration::from_secs(3));
    }

    #[test]
    fn budget_survives_a_clock_that_is_set_back() {
        let mut budget = Budget::new(1.0, 1_000_000);
        budget.take(5);
        assert_eq!(budget.wait(0), Duration::from_secs(1));
        assert_eq!(budget.wait(1000), Duration::ZERO);
    }

    #[test]
    fn backoff_doubles_to_thirty_seconds_and_starts_again() {
        let mut backoff = Backoff::new(7);
        for full in [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000] {
            let wait = backoff.failed();
            assert!((full / 2..=full).contains(&wait), "{wait} for {full}");
        }
        backoff.succeeded();
        assert!(backoff.failed() <= 500);
        assert!(backoff.stuck() >= LONGEST_WAIT / 2);
    }

    #[test]
    fn jitter_differs_between_seeds() {
        let waits = |seed| {
            let mut backoff = Backoff::new(seed);
            (0..4).map(|_| backoff.failed()).collect::<Vec<_>>()
        };
        assert_ne!(waits(1), waits(2));
        assert_eq!(waits(1), waits(1));
    }
}
