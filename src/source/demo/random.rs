//! A small seeded generator. Only whole numbers and the four basic operations, so that every machine draws the same recording.

/// `SplitMix64` (Steele, Lea and Flood, 2014): enough for sizes and times, and it fits in ten lines.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// Any number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// A moment or length of time from `low` to `high`, both included.
    pub(crate) fn time(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() >> 1).cast_signed() % (high - low + 1)
    }

    /// A port from `low` to `high`, both included.
    pub(crate) fn port(&mut self, low: u16, high: u16) -> u16 {
        low + u16::try_from(self.next() % u64::from(high - low + 1)).unwrap_or(0)
    }

    /// A client's port, as Linux and Windows choose them.
    pub(crate) fn ephemeral(&mut self) -> u16 {
        self.port(32_768, 60_999)
    }

    /// True `percent` times out of a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// One of `choices`.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.next() % choices.len() as u64).unwrap_or(0)]
    }

    /// A number from 0 to 1, 1 excluded.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A size around `median`, log-normal with `sigma`, between `low` and `high`. Sizes on networks have such long tails.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "sizes are far below 2^53 and never negative"
    )]
    pub(crate) fn size(&mut self, median: u64, sigma: f64, (low, high): (u64, u64)) -> u64 {
        // Twelve uniform draws make a normal one, near enough.
        let normal = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        ((median as f64 * exp(sigma * normal)) as u64).clamp(low, high)
    }
}

/// e to the power `x` by its series. The library's `exp` differs in the last bit from one platform to another.
fn exp(x: f64) -> f64 {
    // Halved until the series converges fast, squared back afterwards.
    let small = x / 256.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..10 {
        term *= small / f64::from(n);
        sum += term;
    }
    (0..8).fold(sum, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_and_stay_in_range() {
        let (mut one, mut two) = (Random::new(7), Random::new(7));
        for _ in 0..1_000 {
            assert_eq!(one.next(), two.next());
        }
        let mut sizes: Vec<u64> = (0..1_001).map(|_| one.size(10_000, 1.0, (100, 1_000_000))).collect();
        sizes.sort_unstable();
        assert!((8_500..11_500).contains(&sizes[500]), "median {}", sizes[500]);
        assert!(sizes[900] > 25_000 && sizes[0] >= 100, "a long tail");
        assert!((0..1_000).all(|_| (3..=5).contains(&one.between(3, 5))));
    }

    #[test]
    fn the_series_is_the_exponential() {
        for x in [-6.0, -1.0, 0.0, 0.5, 1.0, 6.0] {
            assert!((exp(x) / f64::exp(x) - 1.0).abs() < 1e-9, "{x}");
        }
    }
}
