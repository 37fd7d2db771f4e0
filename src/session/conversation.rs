//! One conversation: what each observing interface saw of each direction, and what that adds up to.
//!
//! Each interface counts apart; a direction's totals are those of the observer that saw most of it, so a conversation logged by both its
//! interfaces is counted once, and the order in which records come does not matter.

use std::net::IpAddr;

use super::kept::List;
use super::key::{Endpoint, Key, Packed, Way};
use super::numbers::NONE;
use super::observer::Observer;
pub use super::observer::Totals;
use super::orient::{Method, orient};
pub use super::state::State;
use crate::record::services::TCP;
use crate::record::{Addresses, Flow, NameId};

mod records;
mod time;

use time::short;
pub(super) use time::{IDLE_ENDED, SHORTEST_WINDOW, begin, interval};

/// Observing interfaces that are told apart in one session: its ends, gateways, and what a hostile log makes up.
const MAX_OBSERVERS: usize = 64;
/// What few sessions have, or have for a while.
#[derive(Clone, Debug)]
struct More {
    /// The addresses, unless both are IPv4.
    wide: Option<[IpAddr; 2]>,
    /// Observers beside the first.
    others: Vec<Observer>,
    /// The latest records of each counter that has several.
    kept: List,
    /// What older records of a TCP session add up to: the part that is not in `kept`, if it must be taken apart.
    base: Option<Box<Session>>,
    /// Where it was cut off from the connection before it on the same ports, Unix seconds.
    cut: i64,
}

impl Default for More {
    fn default() -> More {
        More { wide: None, others: Vec::new(), kept: List::default(), base: None, cut: NO_CUT }
    }
}

/// Of a session that follows no other on the same ports.
pub(super) const NO_CUT: i64 = i64::MIN;

/// Bytes that the allocator takes for `bytes` bytes.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
/// Both directions, as bits of [`Session::ways`].
const BOTH: u8 = 3;
/// Both directions showed FIN or RST.
const ENDED: u8 = 4;

/// One conversation.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent of each other")]
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
    ports: [Option<u16>; 2],
    scope: NameId,
    protocol: u8,
    request: Way,
    method: Method,
    pub(super) late: bool,
    pub(super) over: bool,
    pub(super) evicted: bool,
    /// Whether a connection before or after it on the same ports was cut off: a record must be compared with both.
    pub(super) linked: bool,
    /// Directions seen, one bit each, and [`ENDED`].
    ways: u8,
    /// Intervals of its records beyond `first` and `last`, seconds: how much longer a pause may be than the protocol's idle time.
    reach: [u16; 2],
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
            first: begin(flow),
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
            linked: false,
            ways: 1 << way.index(),
            reach: [short(interval(flow)); 2],
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
        self.id > 0 && self.records > 0 && (self.observer.saw(Way::AtoB) || self.observer.saw(Way::BtoA))
    }

    /// Reads something of what it holds beside itself. True for every session.
    pub(super) fn touch_more(&self) -> bool {
        self.more.as_ref().is_none_or(|more| more.others.len() < MAX_OBSERVERS && more.kept.touch())
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
            let base = more.base.as_ref().map_or(0, |base| allocated(size_of::<Session>()) + base.heap());
            allocated(size_of::<More>()) + allocated(others) + allocated(more.kept.bytes()) + base
        })
    }

    fn observers(&self) -> impl Iterator<Item = &Observer> {
        std::iter::once(&self.observer).chain(self.more.iter().flat_map(|more| &more.others))
    }

    /// The observer in this place.
    fn observer_mut(&mut self, place: usize) -> Option<&mut Observer> {
        match place.checked_sub(1) {
            None => Some(&mut self.observer),
            Some(place) => self.more.as_mut()?.others.get_mut(place),
        }
    }

    /// The place of an interface among the observers, made where it has none. `None` where there are too many.
    fn place_of(&mut self, interface: NameId, make: impl FnOnce() -> Observer) -> Option<usize> {
        if self.observer.interface == interface {
            return Some(0);
        }
        let others = self.more.as_ref().map_or(&[][..], |more| &more.others);
        if let Some(at) = others.iter().position(|observer| observer.interface == interface) {
            return Some(at + 1);
        }
        let at = others.len() + 1;
        (at < MAX_OBSERVERS).then(|| {
            let others = &mut self.more.get_or_insert_default().others;
            others.reserve_exact(1);
            others.push(make());
            at
        })
    }

    /// Whether connections may be mixed in it: it has an end, and a beginning or a pause may come after it in another record.
    pub(super) fn may_be_several(&self) -> bool {
        let flags = self.flags(Way::AtoB) | self.flags(Way::BtoA);
        let ended = self.has_ended() || (flags & SYN != 0 && flags & (FIN | RST) != 0);
        self.protocol == TCP && ended && self.records > 1
    }

    /// Whether both directions said that they are done: what comes after a short pause is another connection.
    pub(super) fn has_ended(&self) -> bool {
        self.ways & ENDED != 0
    }

    /// Where it was cut off from the connection before, or [`NO_CUT`].
    pub(super) fn cut(&self) -> i64 {
        self.more.as_ref().map_or(NO_CUT, |more| more.cut)
    }

    pub(super) fn set_cut(&mut self, cut: i64) {
        if cut != self.cut() {
            self.more.get_or_insert_default().cut = cut;
        }
    }

    fn count(&mut self, flow: &Flow, way: Way, at: usize) -> bool {
        let changed = self.observer_mut(at).is_some_and(|observer| observer.count(flow, way));
        self.records = self.records.saturating_add(1);
        self.span(begin(flow), flow.end, [short(interval(flow)); 2]);
        let ways = self.ways | 1 << way.index();
        std::mem::replace(&mut self.ways, ways) != ways || changed
    }

    /// Counts a record. False where it repeats one.
    pub(super) fn add(&mut self, flow: &Flow, way: Way) -> bool {
        let Some(at) = self.place_of(flow.interface, || Observer::new(flow)) else {
            self.records = self.records.saturating_add(1);
            self.span(begin(flow), flow.end, [short(interval(flow)); 2]);
            return true;
        };
        if !self.keep(at, way, flow) {
            self.duplicates = self.duplicates.saturating_add(1);
            if self.observer_mut(at).is_some_and(|observer| observer.flag(flow, way)) {
                self.settle();
            }
            return false;
        }
        if self.count(flow, way, at) {
            self.settle();
        }
        true
    }

    pub(super) fn settle(&mut self) {
        if self.protocol == TCP && [Way::AtoB, Way::BtoA].into_iter().all(|way| self.flags(way) & (FIN | RST) != 0) {
            self.ways |= ENDED;
        }
        (self.request, self.method) = orient(self);
    }

    /// Takes the responder for known because others talk to it. Undone by the next evidence.
    pub(super) fn learn(&mut self, request: Way) {
        (self.request, self.method) = (request, Method::Learned);
    }

    /// Declares it over. No record joins it any more, so none needs to be recognised.
    pub(super) fn close(&mut self) {
        self.over = true;
        if let Some(more) = &mut self.more {
            (more.kept, more.base) = (List::default(), None);
            if more.wide.is_none() && more.others.is_empty() && more.cut == NO_CUT {
                self.more = None;
            }
        }
    }

    /// Totals of a direction: those of the observer that saw most of it.
    pub fn totals(&self, way: Way) -> Totals {
        if self.more.is_none() {
            return self.observer.totals(way);
        }
        self.observers().map(|observer| observer.totals(way)).max().unwrap_or_default()
    }

    /// Whether any record went this way.
    pub fn saw(&self, way: Way) -> bool {
        self.ways >> way.index() & 1 == 1
    }

    /// Whether records went both ways.
    pub(super) fn saw_both(&self) -> bool {
        self.ways & BOTH == BOTH
    }

    /// TCP flags by interface and direction.
    pub(super) fn all_flags(&self) -> impl Iterator<Item = (NameId, Way, u8)> + '_ {
        self.observers()
            .flat_map(|observer| [Way::AtoB, Way::BtoA].map(|way| (observer.interface, way, observer.flags(way))))
    }

    /// What records said of their addresses, by interface and direction.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (NameId, Way, Addresses)> + '_ {
        self.observers()
            .flat_map(|observer| [Way::AtoB, Way::BtoA].map(|way| (observer.interface, way, observer.addresses(way))))
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
        let both = self.saw_both();
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
        for observer in self.observers() {
            for way in [Way::AtoB, Way::BtoA] {
                let (accepts, rejects) = observer.decided(way);
                accepted |= accepts > 0;
                rejected |= rejects > 0;
            }
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
