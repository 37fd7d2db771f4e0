//! Time before the window: asked for at the start (`--since`) or later, an hour a press, read once, newest first.

use super::{Plan, SLICE, Seen, Span};

/// Least time that can be asked for, slices: none before 1970.
const FIRST: i64 = 0;

impl Plan {
    /// Asks for `slices` more before what was read or asked for so far.
    pub(in crate::source::cloudwatch) fn earlier(&mut self, slices: i64) {
        if self.backlog.is_empty() {
            self.backlog_top = self.backlog.end;
        }
        let from = self.backlog.start.min(self.backlog.end).saturating_sub(slices.max(0)).max(FIRST);
        // What was left half way is read whole, or not at all.
        self.backlog.start = self.backlog_half.as_ref().map_or(from, |half| half.start.min(from));
    }

    /// Asks for no more than what was read.
    pub(in crate::source::cloudwatch) fn stop_earlier(&mut self, reading: Option<&Span>) {
        if let Some(span) = reading {
            self.backlog_half = Some(span.slices.clone());
            self.backlog_busy = false;
        }
        self.backlog.start = self.backlog.end;
    }

    /// A range of the backlog is read, or given up.
    pub(super) fn backlog_done(&mut self, span: &Span) {
        self.backlog_busy = false;
        self.backlog_half = None;
        self.backlog_seen = Seen::default();
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
