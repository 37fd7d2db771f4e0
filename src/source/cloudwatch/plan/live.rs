//! What a live session needs of the plan: where its events belong, and which ranges to read sooner because it left some out.

use super::super::seen::Seen;
use super::{Plan, SLICE};

impl Plan {
    /// The ids of the slice that `timestamp` falls into; `None` where it is not in the window, or finished.
    pub(in crate::source::cloudwatch) fn in_window(&mut self, timestamp: i64) -> Option<&mut Seen> {
        let index = usize::try_from(timestamp.div_euclid(SLICE) - self.first).ok()?;
        self.slices.get_mut(index).filter(|slice| !slice.done).map(|slice| &mut slice.seen)
    }

    /// Whether `timestamp` is before what will be read from now on.
    pub(in crate::source::cloudwatch) fn is_past(&self, timestamp: i64) -> bool {
        let slice = timestamp.div_euclid(SLICE);
        let index = usize::try_from(slice - self.first).ok();
        slice < self.first || index.and_then(|index| self.slices.get(index)).is_some_and(|slice| slice.done)
    }

    /// Has the window between two timestamps (milliseconds, both included) read again with what is due, and a slice around it: what is missing may be
    /// a little older or younger.
    pub(in crate::source::cloudwatch) fn repair(&mut self, from: i64, to: i64, now: i64) {
        for index in self.around(from, to) {
            self.slices[index].repair = Some(now);
        }
    }

    /// Whether all that [`Plan::repair`] asked for at `since` was read after it.
    pub(in crate::source::cloudwatch) fn is_repaired(&self, from: i64, to: i64, since: i64) -> bool {
        self.around(from, to).all(|index| {
            let slice = &self.slices[index];
            slice.done || slice.read_at.is_some_and(|at| at > since) && !slice.missed
        })
    }

    fn around(&self, from: i64, to: i64) -> std::ops::Range<usize> {
        let at = |slice: i64| usize::try_from(slice - self.first).unwrap_or(0).min(self.slices.len());
        let (low, high) = (at(from.div_euclid(SLICE) - 1), at(to.div_euclid(SLICE) + 2));
        low..high.max(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = SLICE;

    /// A plan at minute 100 that read everything in its window of 30 minutes just now.
    fn read() -> Plan {
        let now = 100 * MINUTE;
        let mut plan = Plan::new(now, 30 * MINUTE, 30 * MINUTE, 1, 1.0, 1_000_000);
        while let Some(span) = plan.pick(now, None) {
            plan.complete(&span, now, &vec![5_000; span.len()], (1, 0));
        }
        plan
    }

    #[test]
    fn what_a_live_session_left_out_is_read_next_and_once() {
        let (mut plan, now) = (read(), 100 * MINUTE + 1000);
        plan.observe(now);
        assert_eq!(plan.pick(now, None), None);
        let (from, to) = (80 * MINUTE + 5, 81 * MINUTE + 5);
        plan.repair(from, to, now);
        assert!(!plan.is_repaired(from, to, now));
        let mut slices = Vec::new();
        for later in 1..10 {
            let Some(span) = plan.pick(now + later, None) else { break };
            slices.extend(span.slices.clone());
            plan.complete(&span, now + later, &vec![5_000; span.len()], (1, 0));
        }
        slices.sort_unstable();
        assert_eq!(slices, [79, 80, 81, 82]);
        assert!(plan.is_repaired(from, to, now));
        assert_eq!(plan.pick(now + 20, None), None);
    }

    #[test]
    fn a_read_that_failed_repairs_nothing() {
        let (mut plan, now) = (read(), 100 * MINUTE + 1000);
        plan.repair(90 * MINUTE, 90 * MINUTE, now);
        while let Some(span) = plan.pick(now + 1, None) {
            plan.give_up(&span, now + 1);
        }
        assert!(!plan.is_repaired(90 * MINUTE, 90 * MINUTE, now));
    }

    #[test]
    fn only_the_window_takes_live_events() {
        let mut plan = read();
        assert!(plan.in_window(100 * MINUTE).is_some() && plan.in_window(71 * MINUTE).is_some());
        assert!(plan.in_window(60 * MINUTE).is_none() && plan.is_past(60 * MINUTE));
        assert!(plan.in_window(200 * MINUTE).is_none() && !plan.is_past(200 * MINUTE));
    }
}
