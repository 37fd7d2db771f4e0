//! What the plan knows of itself: when there is work, what is missing, how far behind it is.

use super::{Plan, SLICE};

impl Plan {
    /// When there will be something to read, if nothing else happens.
    pub(in crate::source::cloudwatch) fn next_due(&self, now: i64) -> i64 {
        if !self.backlog.is_empty() && !self.backlog_busy {
            return now;
        }
        let newest = now.div_euclid(SLICE);
        let refresh = self.refresh();
        let times =
            (0..self.slices.len()).take_while(|&index| self.number(index) <= newest).filter(|&index| self.free(index));
        let next = times.map(|index| match self.slices[index].read_at {
            None => now,
            Some(at) => self.overdue(index).unwrap_or(i64::MAX).min(at + refresh),
        });
        // A new minute begins at the latest then.
        next.min().unwrap_or(i64::MAX).min((now.div_euclid(SLICE) + 1) * SLICE)
    }

    /// Whether everything up to `at` was read since then.
    pub(in crate::source::cloudwatch) fn is_read_since(&self, at: i64) -> bool {
        let newest = at.div_euclid(SLICE);
        let window = self.slices.iter().enumerate().take_while(|(index, _)| self.number(*index) <= newest);
        self.backlog.is_empty()
            && window.map(|(_, slice)| slice).all(|slice| slice.done || slice.read_at.is_some_and(|read| read >= at))
    }

    /// Ranges of milliseconds up to `now` that were never read.
    pub(in crate::source::cloudwatch) fn never_read(&self, now: i64) -> Vec<(i64, i64)> {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        if !self.backlog.is_empty() {
            ranges.push((self.backlog.start * SLICE, self.backlog.end * SLICE - 1));
        }
        for (index, slice) in self.slices.iter().enumerate() {
            let end = self.end_of(index);
            if end - SLICE > now || slice.done || slice.read_at.is_some() && !slice.missed {
                continue;
            }
            match ranges.last_mut() {
                Some(range) if range.1 + 1 == end - SLICE => range.1 = end - 1,
                _ => ranges.push((end - SLICE, end - 1)),
            }
        }
        ranges
    }

    /// How long the most overdue slice waits for its scheduled read, milliseconds. More than a minute or two means that the group carries more than the
    /// request budget can read.
    pub(in crate::source::cloudwatch) fn behind(&self, now: i64) -> i64 {
        let late = (0..self.slices.len()).filter(|&index| !self.slices[index].done);
        let worst = late.filter_map(|index| match self.slices[index].read_at {
            // What was there before the start is not late because of that.
            None => Some(self.end_of(index).max(self.begun)),
            Some(_) => self.overdue(index),
        });
        worst.min().map_or(0, |at| (now - at).max(0))
    }

    /// Events a second over the slices that are past the usual `lateness` (milliseconds), `None` where none was read since.
    pub(in crate::source::cloudwatch) fn rate(&self, lateness: i64) -> Option<f64> {
        let settled = self.slices.iter().enumerate().filter(|(index, slice)| {
            !slice.done && slice.read_at.is_some_and(|at| at >= self.end_of(*index).saturating_add(lateness))
        });
        let (count, events) =
            settled.fold((0_u32, 0_u64), |(count, events), (_, slice)| (count + 1, events + slice.events));
        #[expect(clippy::cast_precision_loss, reason = "far from 2^53")]
        (count > 0).then(|| events as f64 / (f64::from(count) * 60.0))
    }

    /// Event ids remembered, and the bytes of their tables.
    pub(in crate::source::cloudwatch) fn remembered(&self) -> (usize, usize) {
        let sets = self.slices.iter().map(|slice| &slice.seen).chain(self.backlog_seen.values());
        sets.fold((0, 0), |(ids, bytes), seen| (ids + seen.len(), bytes + seen.bytes()))
    }

    /// Event time (milliseconds) up to which everything of the window is believed to be read, if events are delivered within `lateness` of their timestamp.
    pub(in crate::source::cloudwatch) fn complete_to(&self, lateness: i64) -> Option<i64> {
        let mut complete = None;
        for (index, slice) in self.slices.iter().enumerate() {
            let end = self.end_of(index);
            let known = match slice.read_at {
                _ if slice.done => end,
                Some(at) if !slice.missed => (at - lateness).min(end),
                _ => break,
            };
            if known <= end - SLICE {
                break;
            }
            complete = Some(known);
            if known < end {
                break;
            }
        }
        complete.or_else(|| self.finished.then_some(self.first * SLICE))
    }
}
