//! One conversation: what each observing interface saw of each direction, and what that adds up to.
//!
//! Each interface counts apart; a direction's totals are those of the observer that saw most of it, so a conversation logged by both its
//! interfaces is counted once, and the order in which records come does not matter.

use std::net::IpAddr;

use super::key::{Endpoint, Key, Packed, Way};
use super::numbers::NONE;
pub use super::observer::Totals;
use super::observer::{FINGERPRINT_BITS, Observer, fingerprint};
use super::orient::{Method, orient};
use crate::record::{Flow, NameId};

/// Observing interfaces that are told apart in one session; a conversation has two ends and perhaps a gateway or two between them.
const MAX_OBSERVERS: usize = 8;
/// Records of one observer and direction that a repeated one is recognised among: the latest, and at one a minute more than lateness spans.
const MAX_SEEN: usize = 24;
/// Longest aggregation interval of a flow log, seconds.
pub(super) const LONGEST_WINDOW: i64 = 600;

/// What few sessions have, or have for a while.
#[derive(Clone, Debug, Default)]
struct More {
    /// The addresses, unless both are IPv4.
    wide: Option<[IpAddr; 2]>,
    /// Observers beside the first.
    others: Vec<Observer>,
    /// Fingerprints of the latest records of each observer and direction that has several, sorted: the place of the counter in the upper
    /// bits, then the end of the window.
    seen: Vec<u64>,
}

impl More {
    /// Notes a record of the counter at `place`. False where it is known.
    fn see(&mut self, place: u64, fingerprint: u64) -> bool {
        let Err(at) = self.seen.binary_search(&(place << FINGERPRINT_BITS | fingerprint)) else { return false };
        self.seen.insert(at, place << FINGERPRINT_BITS | fingerprint);
        let range = self.range(place);
        if range.len() > MAX_SEEN {
            self.seen.remove(range.start);
        }
        true
    }

    /// Where the fingerprints of a counter stand.
    fn range(&self, place: u64) -> std::ops::Range<usize> {
        let before = self.seen.partition_point(|seen| seen >> FINGERPRINT_BITS < place);
        before..self.seen.partition_point(|seen| seen >> FINGERPRINT_BITS <= place)
    }
}

/// Place of a counter among those of a session.
fn place(observer: usize, way: Way) -> u64 {
    (observer * 2 + way.index()) as u64
}

/// Bytes that the allocator takes for `bytes` bytes.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
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
    /// Least start, Unix seconds.
    pub first: i64,
    /// Greatest end, Unix seconds.
    pub last: i64,
    /// Records of all observers, repeated ones left out.
    pub records: u32,
    /// Records that repeated another one exactly and were not counted.
    pub duplicates: u32,
    /// The key, with its addresses as in [`Packed::ends`].
    ends: [u32; 2],
    ports: [u16; 2],
    scope: NameId,
    protocol: u8,
    request: Way,
    method: Method,
    pub(super) late: bool,
    pub(super) over: bool,
    pub(super) evicted: bool,
    /// The observer that came first.
    observer: Observer,
    more: Option<Box<More>>,
    /// Slots of the next older and the next newer session of the same key.
    pub(super) older: u32,
    pub(super) newer: u32,
}

impl Session {
    /// A session of `flow` alone.
    pub(super) fn new(id: u64, key: &Packed, way: Way, flow: &Flow, late: bool) -> Session {
        let mut session = Session {
            id,
            first: flow.start.max(flow.end - LONGEST_WINDOW),
            last: flow.end,
            records: 1,
            duplicates: 0,
            ends: key.ends,
            ports: key.ports,
            scope: key.scope,
            protocol: key.protocol,
            request: Way::AtoB,
            method: Method::Undecided,
            late,
            over: false,
            evicted: false,
            observer: Observer::new(flow),
            more: key.wide.map(|wide| Box::new(More { wide: Some(wide), ..More::default() })),
            older: NONE,
            newer: NONE,
        };
        session.observer.count(flow, way);
        session.settle();
        session
    }

    /// Reads something of each cache line that it is in. True for every session.
    pub(super) fn touch(&self) -> bool {
        (self.id > 0) & (self.records > 0) & (self.observer.saw(Way::AtoB) | self.observer.saw(Way::BtoA))
    }

    /// Whether it is of this key.
    pub(super) fn is_of(&self, key: &Packed) -> bool {
        self.ends == key.ends
            && self.ports == key.ports
            && self.scope == key.scope
            && self.protocol == key.protocol
            && self.wide() == key.wide
    }

    fn wide(&self) -> Option<[IpAddr; 2]> {
        self.more.as_ref()?.wide
    }

    /// Its key, as the table keeps it.
    pub(super) fn packed(&self) -> Packed {
        let (ends, ports, scope, protocol) = (self.ends, self.ports, self.scope, self.protocol);
        Packed { ends, ports, scope, protocol, wide: self.wide() }
    }

    /// Its key.
    pub fn key(&self) -> Key {
        Key { scope: self.scope, protocol: self.protocol, a: self.end(0), b: self.end(1) }
    }

    fn end(&self, side: usize) -> Endpoint {
        let addr = self.wide().map_or_else(|| IpAddr::V4(self.ends[side].into()), |wide| wide[side]);
        (addr, self.ports[side])
    }

    /// IANA protocol number.
    pub fn protocol(&self) -> u8 {
        self.protocol
    }

    /// VPC or account.
    pub fn scope(&self) -> NameId {
        self.scope
    }

    /// Bytes that it holds beside itself.
    pub(super) fn heap(&self) -> usize {
        self.more.as_ref().map_or(0, |more| {
            let others = more.others.capacity() * size_of::<Observer>();
            allocated(size_of::<More>()) + allocated(others) + allocated(more.seen.capacity() * size_of::<u64>())
        })
    }

    fn observers(&self) -> impl Iterator<Item = &Observer> {
        std::iter::once(&self.observer).chain(self.more.iter().flat_map(|more| &more.others))
    }

    /// The observer in this place, and what is listed beside it.
    fn observer_mut(&mut self, place: usize) -> Option<&mut Observer> {
        match place.checked_sub(1) {
            None => Some(&mut self.observer),
            Some(place) => self.more.as_mut()?.others.get_mut(place),
        }
    }

    /// Notes a record of one observer and direction. False where it is known.
    fn see(&mut self, at: usize, way: Way, fingerprint: u64) -> bool {
        let Some(observer) = self.observer_mut(at) else { return true };
        if !observer.saw(way) {
            return true;
        }
        let only = observer.only(way);
        if only == Some(fingerprint) {
            return false;
        }
        let more = self.more.get_or_insert_default();
        // The second record: from now on both are listed.
        if let Some(only) = only {
            more.see(place(at, way), only);
        }
        more.see(place(at, way), fingerprint)
    }

    /// Counts a record. False where it repeats one.
    pub(super) fn add(&mut self, flow: &Flow, way: Way) -> bool {
        let known = self.observers().position(|observer| observer.interface == flow.interface);
        let at = known.unwrap_or_else(|| self.observers().count());
        if known.is_some() {
            if !self.see(at, way, fingerprint(flow)) {
                self.duplicates = self.duplicates.saturating_add(1);
                return false;
            }
        } else if at < MAX_OBSERVERS {
            let others = &mut self.more.get_or_insert_default().others;
            others.reserve_exact(1);
            others.push(Observer::new(flow));
        }
        let changed = self.observer_mut(at).is_some_and(|observer| observer.count(flow, way));
        self.records = self.records.saturating_add(1);
        self.first = self.first.min(flow.start.max(flow.end - LONGEST_WINDOW));
        self.last = self.last.max(flow.end);
        if changed {
            self.settle();
        }
        true
    }

    /// Takes in another session of the same key.
    pub(super) fn absorb(&mut self, mut other: Session) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.records = self.records.saturating_add(other.records);
        self.duplicates = self.duplicates.saturating_add(other.duplicates);
        self.late &= other.late;
        let rest = other.more.as_mut().map(|more| std::mem::take(&mut more.others)).unwrap_or_default();
        let seen = other.more.map(|more| more.seen).unwrap_or_default();
        for (index, theirs) in std::iter::once(other.observer).chain(rest).enumerate() {
            let known = self.observers().position(|observer| observer.interface == theirs.interface);
            let at = known.unwrap_or_else(|| self.observers().count());
            if at >= MAX_OBSERVERS {
                continue;
            }
            // What both list, or one alone has several of, stands apart.
            for way in [Way::AtoB, Way::BtoA] {
                let listed = seen.iter().filter(|seen| *seen >> FINGERPRINT_BITS == place(index, way));
                let listed = listed.map(|seen| seen & ((1 << FINGERPRINT_BITS) - 1));
                let ours = self.observer_mut(at).and_then(|observer| observer.saw(way).then(|| observer.only(way)));
                if ours.is_none() && !theirs.is_listed(way) {
                    continue;
                }
                let more = self.more.get_or_insert_default();
                for fingerprint in ours.flatten().into_iter().chain(theirs.only(way)).chain(listed) {
                    more.see(place(at, way), fingerprint);
                }
            }
            if known.is_none() {
                let others = &mut self.more.get_or_insert_default().others;
                others.reserve_exact(1);
                others.push(theirs);
            } else if let Some(ours) = self.observer_mut(at) {
                ours.absorb(&theirs);
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        (self.request, self.method) = orient(self);
    }

    /// Declares it over. No record joins it any more, so none needs to be recognised.
    pub(super) fn close(&mut self) {
        self.over = true;
        if let Some(more) = &mut self.more {
            more.seen = Vec::new();
            if more.wide.is_none() && more.others.is_empty() {
                self.more = None;
            }
        }
    }

    /// Totals of a direction: those of the observer that saw most of it.
    pub fn totals(&self, way: Way) -> Totals {
        self.observers().map(|observer| observer.totals(way)).max().unwrap_or_default()
    }

    /// Whether any record went this way.
    pub fn saw(&self, way: Way) -> bool {
        self.observers().any(|observer| observer.saw(way))
    }

    /// TCP flags of a direction, of all observers.
    pub(super) fn flags(&self, way: Way) -> u8 {
        self.observers().fold(0, |flags, observer| flags | observer.flags(way))
    }

    /// The direction that began earlier, where one interface saw both begin in one capture window at different times. Observers that
    /// contradict each other decide nothing.
    pub(super) fn earlier(&self) -> Option<Way> {
        let mut votes = self.observers().filter_map(Observer::earlier);
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
        self.end(self.request.index())
    }

    /// The responder.
    pub fn server(&self) -> Endpoint {
        self.end(self.request.reversed().index())
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
        let (mut accepted, mut rejected) = (false, false);
        for (_, _, accepts, rejects) in self.decisions() {
            accepted |= accepts > 0;
            rejected |= rejects > 0;
        }
        match (accepted, rejected) {
            (true, true) => Some("MIXED"),
            (true, false) => Some("ACCEPT"),
            (false, true) => Some("REJECT"),
            (false, false) => None,
        }
    }

    /// Whether this interface or another accepted what a third rejected: the accepts and rejects of a direction by interface.
    pub fn decisions(&self) -> impl Iterator<Item = (NameId, Way, u32, u32)> + '_ {
        self.observers().flat_map(|observer| {
            [Way::AtoB, Way::BtoA].map(|way| {
                let (accepts, rejects) = observer.decided(way);
                (observer.interface, way, accepts, rejects)
            })
        })
    }

    /// What `interface` saw of each direction, by [`Way::index`]; `None` where it saw nothing.
    pub fn observed(&self, interface: NameId) -> Option<[Totals; 2]> {
        let observer = self.observers().find(|observer| observer.interface == interface)?;
        Some([Way::AtoB, Way::BtoA].map(|way| observer.totals(way)))
    }

    /// The interfaces that saw it, with the account of each.
    pub fn interfaces(&self) -> impl Iterator<Item = (NameId, NameId)> + '_ {
        self.observers().map(|observer| (observer.interface, observer.account))
    }
}
