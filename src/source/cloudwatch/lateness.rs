//! How long after their timestamp events are delivered, observed.

/// Width of a bucket, milliseconds.
const BUCKET: i64 = 15_000;

/// Buckets: up to an hour, and one for everything later.
const BUCKETS: usize = 241;

/// Events after which old observations count half.
const MEMORY: u64 = 100_000;

/// Events below which nothing is concluded.
const ENOUGH: u64 = 100;

/// Lateness assumed until enough was seen: 10 minutes of aggregation, 5 of delivery ("typically", VPC user guide), and slack.
const ASSUMED: i64 = 20 * 60_000;

/// A histogram of ingestion time minus timestamp that forgets slowly.
#[derive(Debug)]
pub(super) struct Lateness {
    buckets: [u64; BUCKETS],
    total: u64,
}

impl Default for Lateness {
    fn default() -> Self {
        Lateness { buckets: [0; BUCKETS], total: 0 }
    }
}

impl Lateness {
    /// Takes notice of a new event.
    pub(super) fn observe(&mut self, timestamp: i64, ingestion: i64) {
        let bucket = usize::try_from(ingestion.saturating_sub(timestamp).max(0) / BUCKET).unwrap_or(BUCKETS);
        self.buckets[bucket.min(BUCKETS - 1)] += 1;
        self.total += 1;
        if self.total >= MEMORY {
            self.buckets.iter_mut().for_each(|count| *count /= 2);
            self.total = self.buckets.iter().sum();
        }
    }

    /// Whether enough was seen to conclude anything.
    pub(super) fn is_known(&self) -> bool {
        self.total >= ENOUGH
    }

    /// Milliseconds within which 99 of 100 events are delivered.
    pub(super) fn usual(&self) -> i64 {
        if self.is_known() { self.all_but(100) } else { ASSUMED }
    }

    /// Milliseconds within which 999 of 1000 events are delivered, once enough were seen to tell.
    pub(super) fn nearly_all(&self) -> Option<i64> {
        (self.total >= 10 * ENOUGH).then(|| self.all_but(1000))
    }

    /// Milliseconds within which all events but one in `few` are delivered.
    fn all_but(&self, few: u64) -> i64 {
        let mut left = self.total / few;
        for (index, count) in self.buckets.iter().enumerate().rev() {
            if *count > left {
                return i64::try_from(index + 1).unwrap_or(i64::MAX) * BUCKET;
            }
            left -= count;
        }
        ASSUMED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assumes_twenty_minutes_until_it_knows() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.usual(), ASSUMED);
        for _ in 0..ENOUGH {
            lateness.observe(0, 70_000);
        }
        assert_eq!(lateness.usual(), 75_000);
    }

    #[test]
    fn one_in_a_hundred_does_not_decide_and_old_ones_fade() {
        let mut lateness = Lateness::default();
        for n in 0..1000 {
            lateness.observe(0, if n % 200 == 0 { i64::MAX } else { 1000 });
        }
        assert_eq!(lateness.usual(), BUCKET);
        for _ in 0..4 * MEMORY {
            lateness.observe(0, 600_000);
        }
        assert_eq!(lateness.usual(), 615_000);
        lateness.observe(10, i64::MIN);
    }
}
