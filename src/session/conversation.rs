//! One conversation: what each observing interface saw of each direction, and what that adds up to.
//!
//! Each interface counts apart; a direction's totals are those of the observer that saw most of it, so a conversation logged by both its
//! interfaces is counted once, and the order in which records come does not matter.

use super::key::{Endpoint, Key, Way};
use super::orient::{Method, orient};
use crate::record::{Action, Flow, NameId};

/// Observing interfaces that are told apart in one session; a conversation has two ends and perhaps a gateway or two between them.
const MAX_OBSERVERS: usize = 8;
/// Records of one observer and direction that a repeated one is recognised among: the latest, and at one a minute more than lateness spans.
const MAX_SEEN: usize = 24;
/// Longest aggregation interval of a flow log, seconds.
pub(super) const LONGEST_WINDOW: i64 = 600;

/// Counters of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Totals {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// One direction as one interface saw it.
#[derive(Clone, Debug, Default)]
struct Counter {
    totals: Totals,
    records: u32,
    /// Window of the earliest record: least start, and the end that belongs to it.
    first: Option<(i64, i64)>,
    flags: u8,
    accepts: u32,
    rejects: u32,
    /// Fingerprints of the latest records, end time in the upper half, sorted.
    seen: Vec<u64>,
}

/// What one interface saw.
#[derive(Clone, Debug)]
struct Observer {
    interface: NameId,
    account: NameId,
    ways: [Counter; 2],
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Both directions were seen, more may come.
    Open,
    /// One direction was seen, the other may still come.
    Half,
    /// Over, and only one direction was ever seen.
    Unanswered,
    /// Over.
    Closed,
    /// Came after the session it belonged to was over and reported.
    Late,
    /// Dropped from memory before it was over.
    Evicted,
}

impl State {
    /// The code word used in output and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Half => "half",
            State::Unanswered => "unanswered",
            State::Closed => "closed",
            State::Late => "late",
            State::Evicted => "evicted",
        }
    }
}

/// One conversation.
#[derive(Clone, Debug)]
pub struct Session {
    /// Number in this run, from 1.
    pub id: u64,
    /// Its key.
    pub key: Key,
    /// Least start, Unix seconds.
    pub first: i64,
    /// Greatest end, Unix seconds.
    pub last: i64,
    /// Records of all observers, repeated ones left out.
    pub records: u32,
    /// Records that repeated another one exactly and were not counted.
    pub duplicates: u32,
    request: Way,
    method: Method,
    pub(super) late: bool,
    pub(super) over: bool,
    pub(super) evicted: bool,
    observers: Vec<Observer>,
}

impl Session {
    pub(super) fn new(id: u64, key: Key, flow: &Flow, late: bool) -> Session {
        Session {
            id,
            key,
            first: flow.start.max(flow.end - LONGEST_WINDOW),
            last: flow.end,
            records: 0,
            duplicates: 0,
            request: Way::AtoB,
            method: Method::Undecided,
            late,
            over: false,
            evicted: false,
            observers: Vec::with_capacity(1),
        }
    }

    /// Counts a record. False where it repeats one.
    pub(super) fn add(&mut self, flow: &Flow, way: Way) -> bool {
        let observer = match self.observers.iter().position(|observer| observer.interface == flow.interface) {
            Some(index) => &mut self.observers[index],
            None if self.observers.len() < MAX_OBSERVERS => {
                self.observers.push(Observer {
                    interface: flow.interface,
                    account: flow.account,
                    ways: [Counter::default(), Counter::default()],
                });
                // Just pushed.
                let last = self.observers.len() - 1;
                &mut self.observers[last]
            }
            None => {
                self.records = self.records.saturating_add(1);
                self.first = self.first.min(flow.start.max(flow.end - LONGEST_WINDOW));
                self.last = self.last.max(flow.end);
                return true;
            }
        };
        let counter = &mut observer.ways[way.index()];
        let mark = fingerprint(flow);
        if let Err(place) = counter.seen.binary_search(&mark) {
            counter.seen.insert(place, mark);
            if counter.seen.len() > MAX_SEEN {
                counter.seen.remove(0);
            }
        } else {
            self.duplicates = self.duplicates.saturating_add(1);
            return false;
        }
        counter.totals.bytes = counter.totals.bytes.saturating_add(flow.bytes);
        counter.totals.packets = counter.totals.packets.saturating_add(flow.packets);
        counter.records = counter.records.saturating_add(1);
        counter.flags |= flow.flags.unwrap_or(0);
        counter.accepts += u32::from(flow.action == Action::Accept);
        counter.rejects += u32::from(flow.action == Action::Reject);
        let window = (flow.start, flow.end);
        counter.first = Some(counter.first.map_or(window, |first| first.min(window)));
        self.records = self.records.saturating_add(1);
        self.first = self.first.min(flow.start.max(flow.end - LONGEST_WINDOW));
        self.last = self.last.max(flow.end);
        true
    }

    /// Takes in another session of the same key.
    pub(super) fn absorb(&mut self, other: Session) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.records = self.records.saturating_add(other.records);
        self.duplicates = self.duplicates.saturating_add(other.duplicates);
        self.late &= other.late;
        for theirs in other.observers {
            let known = self.observers.iter().position(|observer| observer.interface == theirs.interface);
            if let Some(index) = known {
                for (ours, theirs) in self.observers[index].ways.iter_mut().zip(theirs.ways) {
                    ours.absorb(theirs);
                }
            } else if self.observers.len() < MAX_OBSERVERS {
                self.observers.push(theirs);
            }
        }
    }

    pub(super) fn settle(&mut self) {
        (self.request, self.method) = orient(self);
    }

    /// Declares it over. No record joins it any more, so none needs to be recognised.
    pub(super) fn close(&mut self) {
        self.over = true;
        for counter in self.observers.iter_mut().flat_map(|observer| &mut observer.ways) {
            counter.seen = Vec::new();
        }
    }

    /// Totals of a direction: those of the observer that saw most of it.
    pub fn totals(&self, way: Way) -> Totals {
        self.observers.iter().map(|observer| observer.ways[way.index()].totals).max().unwrap_or_default()
    }

    /// Whether any record went this way.
    pub fn saw(&self, way: Way) -> bool {
        self.observers.iter().any(|observer| observer.ways[way.index()].records > 0)
    }

    /// TCP flags of a direction, of all observers.
    pub(super) fn flags(&self, way: Way) -> u8 {
        self.observers.iter().fold(0, |flags, observer| flags | observer.ways[way.index()].flags)
    }

    /// The direction that began earlier, where one interface saw both begin in one capture window at different times. Observers that
    /// contradict each other decide nothing.
    pub(super) fn earlier(&self) -> Option<Way> {
        let mut votes = self.observers.iter().filter_map(|observer| {
            let (ab, ba) = (observer.ways[0].first?, observer.ways[1].first?);
            let one_window = ab.0 < ba.1 && ba.0 < ab.1;
            (one_window && ab.0 != ba.0).then_some(if ab.0 < ba.0 { Way::AtoB } else { Way::BtoA })
        });
        let first = votes.next()?;
        votes.all(|vote| vote == first).then_some(first)
    }

    /// The direction of the request.
    pub fn request(&self) -> Way {
        self.request
    }

    /// What decided the direction of the request.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The initiator.
    pub fn client(&self) -> Endpoint {
        if self.request == Way::AtoB { self.key.a } else { self.key.b }
    }

    /// The responder.
    pub fn server(&self) -> Endpoint {
        if self.request == Way::AtoB { self.key.b } else { self.key.a }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        let both = self.saw(Way::AtoB) && self.saw(Way::BtoA);
        match (self.evicted, self.late, self.over, both) {
            (true, ..) => State::Evicted,
            (_, true, ..) => State::Late,
            (_, _, true, true) => State::Closed,
            (_, _, true, false) => State::Unanswered,
            (_, _, false, true) => State::Open,
            (_, _, false, false) => State::Half,
        }
    }

    /// ACCEPT, REJECT or MIXED; `None` where no record says.
    pub fn action(&self) -> Option<&'static str> {
        let counters = || self.observers.iter().flat_map(|observer| &observer.ways);
        match (counters().any(|counter| counter.accepts > 0), counters().any(|counter| counter.rejects > 0)) {
            (true, true) => Some("MIXED"),
            (true, false) => Some("ACCEPT"),
            (false, true) => Some("REJECT"),
            (false, false) => None,
        }
    }

    /// Whether this interface or another accepted what a third rejected: the accepts and rejects of a direction by interface.
    pub fn decisions(&self) -> impl Iterator<Item = (NameId, Way, u32, u32)> + '_ {
        self.observers.iter().flat_map(|observer| {
            [Way::AtoB, Way::BtoA].map(|way| {
                let counter = &observer.ways[way.index()];
                (observer.interface, way, counter.accepts, counter.rejects)
            })
        })
    }

    /// The interfaces that saw it, with the account of each.
    pub fn interfaces(&self) -> impl Iterator<Item = (NameId, NameId)> + '_ {
        self.observers.iter().map(|observer| (observer.interface, observer.account))
    }
}

impl Counter {
    fn absorb(&mut self, other: Counter) {
        self.totals.bytes = self.totals.bytes.saturating_add(other.totals.bytes);
        self.totals.packets = self.totals.packets.saturating_add(other.totals.packets);
        self.records = self.records.saturating_add(other.records);
        self.flags |= other.flags;
        self.accepts = self.accepts.saturating_add(other.accepts);
        self.rejects = self.rejects.saturating_add(other.rejects);
        self.first = match (self.first, other.first) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        self.seen.extend(other.seen);
        self.seen.sort_unstable();
        let surplus = self.seen.len().saturating_sub(MAX_SEEN);
        self.seen.drain(..surplus);
    }
}

/// Tells a record from the others of its interface and direction: its window, its counts and its action.
fn fingerprint(flow: &Flow) -> u64 {
    let mut mix = flow.start.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let flags = flow.flags.map_or(0, |flags| u64::from(flags) + 1);
    for part in [flow.bytes, flow.packets, flow.action as u64, flags] {
        mix = (mix ^ part).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        mix ^= mix >> 32;
    }
    (flow.end.cast_unsigned() << 32) | (mix & 0xFFFF_FFFF)
}
