//! Time before the window: asked for at the start (`--since`) or later, an hour a press, read once, newest first.

use super::{Plan, SLICE, Span};

/// Least time that can be asked for, slices: none before 1970.
const FIRST: i64 = 0;

impl Plan {
    /// Asks for `slices` more before what was read or asked for so far.
    pub(in crate::source::cloudwatch) fn earlier(&mut self, slices: i64) {
        if self.backlog.is_empty() {
            self.backlog_top = self.backlog.end;
        }
        self.backlog.start = self.backlog.start.min(self.backlog.end).saturating_sub(slices.max(0)).max(FIRST);
    }

    /// Asks for no more than what was read. A read that was left half way is remembered, so asking again repeats nothing.
    pub(in crate::source::cloudwatch) fn stop_earlier(&mut self) {
        self.backlog_busy = false;
        self.backlog.start = self.backlog.end;
    }

    /// A range of the backlog is read, or given up.
    pub(super) fn backlog_done(&mut self, span: &Span) {
        self.backlog_busy = false;
        self.backlog_seen.retain(|slice, _| *slice < span.slices.start);
        self.backlog.end = span.slices.start.max(self.backlog.start);
    }

    /// Milliseconds: from when on everything up to `now` was read; where that will have come to; where it was when the rest was asked for.
    pub(in crate::source::cloudwatch) fn searched(&self, now: i64) -> (i64, i64, i64) {
        let newest = now.div_euclid(SLICE);
        let unread = self
            .slices
            .iter()
            .enumerate()
            .filter(|(index, slice)| self.number(*index) <= newest && !slice.done && slice.read_at.is_none());
        let end = self.backlog.end * SLICE;
        let from = unread.map(|(index, _)| self.end_of(index)).max().unwrap_or(end);
        (from, self.backlog.start.min(self.backlog.end) * SLICE, self.backlog_top * SLICE)
    }
}
