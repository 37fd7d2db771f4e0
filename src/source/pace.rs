//! Replay at a multiple of recorded time.

use std::time::Duration;

use tokio::time::Instant;

/// The longest that a replay stands still. Recorded silence beyond it is shortened, so that a file with a quiet night in it stays watchable.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Maps moments of a recording to moments of the replay.
#[derive(Debug)]
pub(super) struct Pacer {
    speed: f64,
    /// A recorded moment (Unix milliseconds) and when it was replayed.
    anchor: Option<(i64, Instant)>,
}

impl Pacer {
    /// A replay at `speed` times the recorded clock. A speed that is not a positive number counts as 1.
    pub(super) fn new(speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Pacer { speed, anchor: None }
    }

    /// When the recorded moment `at` (Unix milliseconds) is due, as seen at `now`. The first moment asked for is due at once, and so is any
    /// moment before one that was already due.
    pub(super) fn due(&mut self, at: i64, now: Instant) -> Instant {
        let Some((from, replayed)) = self.anchor else {
            self.anchor = Some((at, now));
            return now;
        };
        let millis = u64::try_from(at.saturating_sub(from)).unwrap_or(0);
        let Ok(wait) = Duration::try_from_secs_f64(Duration::from_millis(millis).as_secs_f64() / self.speed) else {
            return self.skip_to(at, now);
        };
        match replayed.checked_add(wait) {
            Some(due) if due.saturating_duration_since(now) <= LONGEST_PAUSE => due,
            _ => self.skip_to(at, now),
        }
    }

    /// Moves the replayed clock forward so that `at` is due after the longest pause.
    fn skip_to(&mut self, at: i64, now: Instant) -> Instant {
        let due = now + LONGEST_PAUSE;
        self.anchor = Some((at, due));
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_time_is_divided_by_the_speed() {
        let now = Instant::now();
        let mut pacer = Pacer::new(60.0);
        assert_eq!(pacer.due(1_000_000, now), now);
        assert_eq!(pacer.due(1_060_000, now), now + Duration::from_secs(1));
        assert_eq!(pacer.due(1_120_000, now), now + Duration::from_secs(2));
        assert_eq!(pacer.due(900_000, now), now, "what is older than the first moment is due at once");
    }

    #[test]
    fn a_long_silence_is_shortened_and_time_goes_on_from_there() {
        let now = Instant::now();
        let mut pacer = Pacer::new(1.0);
        pacer.due(0, now);
        assert_eq!(pacer.due(86_400_000, now), now + LONGEST_PAUSE);
        let later = now + LONGEST_PAUSE;
        assert_eq!(pacer.due(86_401_000, later), later + Duration::from_secs(1));
    }

    #[test]
    fn nonsense_never_panics() {
        let now = Instant::now();
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, f64::MAX] {
            let mut pacer = Pacer::new(speed);
            for at in [0, i64::MIN, i64::MAX, 5] {
                assert!(pacer.due(at, now) <= now + LONGEST_PAUSE);
            }
        }
    }
}
