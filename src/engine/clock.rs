//! How far event time has come, told from the records themselves.
//!
//! One record with an `end` far ahead must not silence the rules by making all others late. So a jump of more than an hour counts only once
//! three records agree on it, and a live source's event time never passes its arrival clock.

/// A jump that one record may not make alone, seconds.
const JUMP: i64 = 3_600;
/// Records that must agree on a jump.
const AGREE: u32 = 3;

/// Event time so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    now: Option<i64>,
    /// The same, as records alone have moved it.
    seen: Option<i64>,
    /// Records that confirmed `now`, up to [`AGREE`].
    support: u32,
    /// A time far from `now` that records claim, and how many do.
    claim: Option<(i64, u32)>,
}

impl Clock {
    /// Takes in a record that ends at `end` and came at `arrival` (both Unix seconds; 0 where the arrival says nothing).
    pub fn observe(&mut self, end: i64, arrival: i64) {
        let end = if arrival > 0 { end.min(arrival) } else { end };
        self.take(end);
        if self.claim.is_none() && self.now.is_some_and(|now| now >= end) {
            self.seen = Some(self.seen.map_or(end, |seen| seen.max(end)).min(self.now.unwrap_or(end)));
        }
    }

    fn take(&mut self, end: i64) {
        let Some(now) = self.now else {
            (self.now, self.support) = (Some(end), 1);
            return;
        };
        if end.abs_diff(now) <= JUMP.unsigned_abs() {
            self.now = Some(now.max(end));
            self.support = (self.support + 1).min(AGREE);
            self.claim = None;
            return;
        }
        // Far behind is ordinary history, unless what put the clock ahead was never confirmed.
        if end < now && self.support >= AGREE {
            return;
        }
        let agreeing = match self.claim {
            Some((claimed, count)) if claimed.abs_diff(end) <= JUMP.unsigned_abs() => (claimed.max(end), count + 1),
            _ => (end, 1),
        };
        self.claim = Some(agreeing);
        if agreeing.1 >= AGREE {
            (self.now, self.support, self.claim) = (Some(agreeing.0), AGREE, None);
        }
    }

    /// Lets event time pass though nothing comes: a quiet live source still gets later.
    pub fn at_least(&mut self, time: i64) {
        if self.now.is_some_and(|now| now < time) {
            self.now = Some(time);
        }
    }

    /// Greatest end of any record that was believed, Unix seconds.
    pub fn seen(&self) -> Option<i64> {
        self.seen
    }

    /// Event time, Unix seconds; `None` before the first record.
    pub fn now(&self) -> Option<i64> {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(ends: &[i64]) -> Option<i64> {
        let mut clock = Clock::default();
        for end in ends {
            clock.observe(*end, 0);
        }
        clock.now()
    }

    #[test]
    fn one_far_record_does_not_move_the_clock_and_three_do() {
        assert_eq!(after(&[1_000, 1_060, 9_000_000, 1_120]), Some(1_120));
        assert_eq!(after(&[1_000, 1_060, 9_000_000, 9_000_060, 9_000_000]), Some(9_000_060));
        assert_eq!(after(&[1_000, 1_060, 1_100, 9_000_000, 1_100, 9_000_000, 9_000_000]), Some(1_100));
    }

    #[test]
    fn a_far_first_record_is_outvoted() {
        assert_eq!(after(&[9_000_000, 1_000, 1_060, 1_120]), Some(1_120));
        assert_eq!(after(&[1_000_000, 1_000_060, 1_000_060, 5, 6, 7]), Some(1_000_060));
    }

    #[test]
    fn a_live_clock_never_passes_the_arrival() {
        let mut clock = Clock::default();
        clock.observe(2_000, 1_500);
        assert_eq!(clock.now(), Some(1_500));
        clock.at_least(1_800);
        assert_eq!((clock.now(), clock.seen()), (Some(1_800), Some(1_500)));
    }
}
