//! What one interface saw of a conversation, packed: a million sessions have one of these each.

use super::kept::Kept;
use super::key::Way;
use crate::record::{Action, Addresses, Flow, NameId};

/// Counters of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Totals {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A capture window in one word, its start in the upper part, so that the least is the earliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Window(u64);

/// Bits for a window's length in seconds; longer ones count as the last two years of theirs.
const LENGTH_BITS: u32 = 26;
const MAX_LENGTH: i64 = (1 << LENGTH_BITS) - 1;
/// Beyond the last second that `record::seconds` gives.
const MAX_TIME: i64 = (1 << (u64::BITS - LENGTH_BITS)) - 2;

impl Window {
    const NONE: Window = Window(u64::MAX);

    pub(super) fn of(flow: &Flow) -> Window {
        let end = flow.end.clamp(0, MAX_TIME);
        let length = end.saturating_sub(flow.start).clamp(0, MAX_LENGTH.min(end)).cast_unsigned();
        Window((end.cast_unsigned() - length) << LENGTH_BITS | length)
    }

    fn start(self) -> u64 {
        self.0 >> LENGTH_BITS
    }

    fn end(self) -> u64 {
        self.start() + (self.0 & MAX_LENGTH.cast_unsigned())
    }

    /// Start and end, Unix seconds.
    pub(super) fn bounds(self) -> (i64, i64) {
        (self.start().cast_signed(), self.end().cast_signed())
    }
}

/// Exactly one record came: it follows from the counters.
const ONE: u8 = 1;
/// Several records came: they are listed apart.
const MANY: u8 = 2;
/// A record without a decision came.
const UNDECIDED: u8 = 4;
/// A record with TCP flags came.
const FLAGGED: u8 = 8;
/// From this bit on: what its records said of their addresses.
const ADDRESSES: u32 = 4;

/// What one interface saw, by [`Way::index`].
#[derive(Clone, Debug)]
pub(super) struct Observer {
    bytes: [u64; 2],
    packets: [u64; 2],
    /// Window of the earliest record: least start, and the end that belongs to it.
    window: [Window; 2],
    accepts: [u32; 2],
    rejects: [u32; 2],
    pub(super) interface: NameId,
    pub(super) account: NameId,
    flags: [u8; 2],
    marks: [u8; 2],
}

impl Observer {
    pub(super) fn new(flow: &Flow) -> Observer {
        Observer {
            bytes: [0; 2],
            packets: [0; 2],
            window: [Window::NONE; 2],
            accepts: [0; 2],
            rejects: [0; 2],
            interface: flow.interface,
            account: flow.account,
            flags: [0; 2],
            marks: [0; 2],
        }
    }

    /// The same interface without anything seen.
    pub(super) fn empty(&self) -> Observer {
        let (bytes, packets, accepts, rejects) = ([0; 2], [0; 2], [0; 2], [0; 2]);
        let (window, flags, marks) = ([Window::NONE; 2], [0; 2], [0; 2]);
        Observer { bytes, packets, window, accepts, rejects, flags, marks, ..*self }
    }

    /// Says that its records are listed apart, or no longer known one by one.
    pub(super) fn unlist(&mut self) {
        for marks in &mut self.marks {
            if *marks & ONE != 0 {
                *marks = *marks & !ONE | MANY;
            }
        }
    }

    /// Counts a record. True where it changed what [`Observer::flags`] or [`Observer::earlier`] say, by which a session is oriented.
    pub(super) fn count(&mut self, flow: &Flow, way: Way) -> bool {
        let at = way.index();
        self.bytes[at] = self.bytes[at].saturating_add(flow.bytes);
        self.packets[at] = self.packets[at].saturating_add(flow.packets);
        match flow.action {
            Action::Accept => self.accepts[at] = self.accepts[at].saturating_add(1),
            Action::Reject => self.rejects[at] = self.rejects[at].saturating_add(1),
            Action::Unknown => self.marks[at] |= UNDECIDED,
        }
        let before = (self.flags[at], self.window[at]);
        if let Some(flags) = flow.flags {
            self.flags[at] |= flags;
            self.marks[at] |= FLAGGED;
        }
        self.window[at] = self.window[at].min(Window::of(flow));
        self.marks[at] |= flow.addresses.bits() << ADDRESSES;
        self.marks[at] = if self.saw(way) { self.marks[at] & !ONE | MANY } else { self.marks[at] | ONE };
        before != (self.flags[at], self.window[at])
    }

    /// Takes in what the same interface saw of another part of the conversation. The records of both sides must be listed before.
    pub(super) fn absorb(&mut self, other: &Observer) {
        for way in [Way::AtoB, Way::BtoA] {
            let at = way.index();
            let both = self.saw(way) && other.saw(way);
            self.marks[at] |= other.marks[at];
            if both {
                self.marks[at] = self.marks[at] & !ONE | MANY;
            }
            self.bytes[at] = self.bytes[at].saturating_add(other.bytes[at]);
            self.packets[at] = self.packets[at].saturating_add(other.packets[at]);
            self.window[at] = self.window[at].min(other.window[at]);
            self.accepts[at] = self.accepts[at].saturating_add(other.accepts[at]);
            self.rejects[at] = self.rejects[at].saturating_add(other.rejects[at]);
            self.flags[at] |= other.flags[at];
        }
    }

    pub(super) fn totals(&self, way: Way) -> Totals {
        Totals { packets: self.packets[way.index()], bytes: self.bytes[way.index()] }
    }

    pub(super) fn saw(&self, way: Way) -> bool {
        self.marks[way.index()] & (ONE | MANY) != 0
    }

    /// TCP flags of a direction.
    pub(super) fn flags(&self, way: Way) -> u8 {
        self.flags[way.index()]
    }

    /// What the records of a direction said of their addresses.
    pub(super) fn addresses(&self, way: Way) -> Addresses {
        Addresses::of_bits(self.marks[way.index()] >> ADDRESSES)
    }

    /// Records of a direction that were accepted, and that were rejected.
    pub(super) fn decided(&self, way: Way) -> (u32, u32) {
        (self.accepts[way.index()], self.rejects[way.index()])
    }

    /// The direction that began earlier, where both began in one capture window at different times.
    pub(super) fn earlier(&self) -> Option<Way> {
        let [ab, ba] = self.window;
        if ab == Window::NONE || ba == Window::NONE {
            return None;
        }
        let one_window = ab.start() < ba.end() && ba.start() < ab.end();
        (one_window && ab.start() != ba.start()).then_some(if ab < ba { Way::AtoB } else { Way::BtoA })
    }

    /// Adds the flags of a record that is counted already, in another format. True where they are new.
    pub(super) fn flag(&mut self, flow: &Flow, way: Way) -> bool {
        let Some(flags) = flow.flags else { return false };
        let at = way.index();
        let before = self.flags[at];
        self.flags[at] |= flags;
        self.marks[at] |= FLAGGED;
        before != self.flags[at]
    }

    /// The only record of a direction, if it is the only one.
    pub(super) fn only(&self, way: Way) -> Option<Kept> {
        let at = way.index();
        let marks = self.marks[at];
        if marks & ONE == 0 {
            return None;
        }
        let action = match (self.accepts[at], self.rejects[at]) {
            (1, _) => Action::Accept,
            (_, 1) => Action::Reject,
            _ => Action::Unknown,
        };
        let flags = (marks & FLAGGED != 0).then_some(self.flags[at]);
        Some(Kept::only(self.window[at], (self.bytes[at], self.packets[at]), action, flags, way))
    }
}
