//! From when to when a session reaches, and which records and sessions are near enough to be part of it.

use super::Session;
use crate::record::Flow;

/// Shortest and longest aggregation interval of a flow log, seconds. Longer windows are odd records, not longer intervals.
pub(in crate::session) const SHORTEST_WINDOW: i64 = 60;
pub(in crate::session) const LONGEST_WINDOW: i64 = 600;

/// Longest pause of a TCP connection whose directions have both ended, seconds, beside the interval of its records: for what is still on its way.
pub(in crate::session) const IDLE_ENDED: i64 = 60;

/// Where a record begins for pairing: one window of years must not make one session of all that lies in it.
pub(in crate::session) fn begin(flow: &Flow) -> i64 {
    flow.start.max(flow.end - LONGEST_WINDOW)
}

/// The aggregation interval that a record speaks of, seconds.
pub(in crate::session) fn interval(flow: &Flow) -> i64 {
    (flow.end - flow.start).clamp(SHORTEST_WINDOW, LONGEST_WINDOW)
}

/// Seconds of an interval, of which none is longer than [`LONGEST_WINDOW`].
pub(super) fn short(seconds: i64) -> u16 {
    u16::try_from(seconds).unwrap_or(u16::MAX)
}

impl Session {
    /// Whether a record that ends and begins so belongs to it or closes the pause to it.
    pub(in crate::session) fn touches(&self, flow: &Flow, idle: i64) -> bool {
        let interval = interval(flow);
        let [before, after] = self.reach.map(|reach| idle + interval.max(reach.into()));
        begin(flow) <= self.last.saturating_add(after) && self.first.saturating_sub(before) <= flow.end
    }

    /// Whether a record may lie beyond the pause that a connection has whose directions have both ended: it is told apart then.
    pub(in crate::session) fn may_follow_its_end(&self, flow: &Flow) -> bool {
        self.has_ended() && begin(flow) > self.last.saturating_add(IDLE_ENDED)
    }

    /// When no record joins it any more that has no longer window than `window` and comes within `lateness`.
    pub(in crate::session) fn over_at(&self, idle: i64, window: i64, lateness: i64) -> i64 {
        self.last.saturating_add(idle + window.max(self.reach[1].into()) + window + lateness)
    }

    /// From when to when its records and their intervals reach.
    pub(in crate::session) fn bounds(&self) -> (i64, i64) {
        (self.first - i64::from(self.reach[0]), self.last.saturating_add(self.reach[1].into()))
    }

    /// Whether the pause to another session is short enough for both to be one.
    pub(in crate::session) fn is_near(&self, other: &Session, idle: i64) -> bool {
        let after = |one: &Session, two: &Session| {
            two.first <= one.last.saturating_add(idle + i64::from(one.reach[1].max(two.reach[0])))
        };
        after(self, other) && after(other, self)
    }

    /// Has it wait for records until `time` and the idle time are over.
    pub(in crate::session) fn reach_to(&mut self, time: i64) {
        self.reach[1] = self.reach[1].max(short(time - self.last));
    }

    pub(super) fn span(&mut self, first: i64, last: i64, reach: [u16; 2]) {
        let reached = (self.first - i64::from(self.reach[0])).min(first - i64::from(reach[0]));
        let most = (self.last + i64::from(self.reach[1])).max(last + i64::from(reach[1]));
        self.first = self.first.min(first);
        self.last = self.last.max(last);
        self.reach = [short(self.first - reached), short(most - self.last)];
    }
}
