//! The session table: joins records to sessions by event time, so that the order of their arrival does not matter.
//!
//! A session is a cluster of records of one key in which no pause is longer than the idle time. A record may open a session, join one, or close
//! the pause between two, which then become one. Each observing interface counts apart; a direction's totals are those of the observer that
//! saw most of it, so a conversation logged by both its interfaces is counted once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::key::{Endpoint, Key, Way};
use super::orient::{Method, orient};
use super::wheel::Wheel;
use crate::record::services::{ICMP, ICMP6, TCP};
use crate::record::{Action, Flow, NameId};

/// Observing interfaces that are told apart in one session; a conversation has two ends and perhaps a gateway or two between them.
const MAX_OBSERVERS: usize = 8;
/// Records of one observer and direction that a repeated one is recognised among: the latest, and at one a minute more than lateness spans.
const MAX_SEEN: usize = 64;
/// Sessions in a chunk.
const CHUNK: usize = 1_024;
/// Bytes that a session takes, about: itself, one observer with its counters, and its entries in the indexes.
pub const SESSION_BYTES: usize = 640;

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
    late: bool,
    over: bool,
    evicted: bool,
    observers: Vec<Observer>,
}

impl Session {
    fn new(id: u64, key: Key, flow: &Flow, late: bool) -> Session {
        Session {
            id,
            key,
            first: flow.start,
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
    fn add(&mut self, flow: &Flow, way: Way) -> bool {
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
        self.first = self.first.min(flow.start);
        self.last = self.last.max(flow.end);
        true
    }

    /// Takes in another session of the same key.
    fn absorb(&mut self, other: Session) {
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

    fn settle(&mut self) {
        (self.request, self.method) = orient(self);
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
    for part in [flow.bytes, flow.packets, flow.action as u64] {
        mix = (mix ^ part).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        mix ^= mix >> 32;
    }
    (flow.end.cast_unsigned() << 32) | (mix & 0xFFFF_FFFF)
}

/// Slots of the sessions of one key: mostly one, and then it costs no allocation.
#[derive(Clone, Debug)]
enum Slots {
    One([u32; 1]),
    Many(Vec<u32>),
}

impl Slots {
    fn all(&self) -> &[u32] {
        match self {
            Slots::One(slot) => slot,
            Slots::Many(slots) => slots,
        }
    }

    fn push(&mut self, slot: u32) {
        match self {
            Slots::One([first]) => *self = Slots::Many(vec![*first, slot]),
            Slots::Many(slots) => slots.push(slot),
        }
    }

    /// Takes `slot` out; true where nothing is left.
    fn remove(&mut self, slot: u32) -> bool {
        match self {
            Slots::One([only]) => *only == slot,
            Slots::Many(slots) => {
                slots.retain(|other| *other != slot);
                slots.is_empty()
            }
        }
    }
}

/// What a record did to the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The session it joined or opened.
    pub id: u64,
    /// Sessions that became part of it and are no more.
    pub merged: Vec<u64>,
    /// Whether the record repeated one that was counted already.
    pub repeated: bool,
}

/// All sessions, bounded in number.
#[derive(Debug)]
pub struct SessionTable {
    chunks: Vec<Arc<Vec<Option<Session>>>>,
    free: Vec<u32>,
    /// Every session held, by key. Hashed with a random seed, since senders choose the keys.
    by_key: HashMap<Key, Slots, foldhash::quality::RandomState>,
    slots: HashMap<u64, u32, foldhash::fast::RandomState>,
    /// When open sessions may be over: each open session stands in one of the two, scan noise (one side, two packets at most) apart,
    /// since it is dropped first.
    noise: Wheel,
    busy: Wheel,
    /// Sessions that are over, oldest first.
    over: VecDeque<u32>,
    next_id: u64,
    held: usize,
    capacity: usize,
    lateness: i64,
    /// Longest window seen, seconds: the aggregation interval.
    window: i64,
    /// Greatest time up to which sessions were declared over.
    settled: i64,
    dropped: u64,
    merged: u64,
    /// Sessions that are over or were dropped since they were last asked for.
    finished: Vec<Session>,
    /// Whether anybody asks for them.
    report: bool,
}

impl SessionTable {
    /// A table of at most `bytes` bytes whose sessions are over once they were idle for their protocol's time plus `lateness` seconds.
    pub fn new(bytes: usize, lateness: i64) -> SessionTable {
        SessionTable {
            chunks: Vec::new(),
            free: Vec::new(),
            by_key: HashMap::default(),
            slots: HashMap::default(),
            noise: Wheel::default(),
            busy: Wheel::default(),
            over: VecDeque::new(),
            next_id: 1,
            held: 0,
            capacity: (bytes / SESSION_BYTES).max(16),
            lateness,
            window: 60,
            settled: i64::MIN,
            dropped: 0,
            merged: 0,
            finished: Vec::new(),
            report: true,
        }
    }

    /// Whether to keep a copy of each session that is over or dropped for [`SessionTable::take_finished`]; it does unless told otherwise.
    #[must_use]
    pub fn reporting(mut self, report: bool) -> SessionTable {
        self.report = report;
        self
    }

    /// Longest pause within a session of `protocol`, seconds.
    fn idle(&self, protocol: u8) -> i64 {
        let idle = match protocol {
            TCP => 300,
            ICMP | ICMP6 => 60,
            // UDP, and what else there is.
            _ => 120,
        };
        idle + self.window
    }

    /// When a session last active at `last` is over.
    fn end(&self, last: i64, protocol: u8) -> i64 {
        last.saturating_add(self.idle(protocol) + self.lateness)
    }

    /// Takes in a record.
    pub fn add(&mut self, flow: &Flow) -> Change {
        // An aggregation interval is at most ten minutes; longer windows are odd records, not a longer interval.
        self.window = self.window.max((flow.end - flow.start).min(600));
        let (key, way) = Key::of(flow);
        let idle = self.idle(key.protocol);
        // Empty for most records, and then nothing is allocated.
        let mut others: Vec<u32> = Vec::new();
        let mut near = None;
        // A record that belongs to a session which is over and reported cannot change it any more.
        let mut late = flow.end.saturating_add(idle) < self.settled;
        for &slot in self.by_key.get(&key).map_or(&[][..], Slots::all) {
            let Some(session) = self.peek(slot) else { continue };
            let touches =
                flow.start <= session.last.saturating_add(idle) && session.first.saturating_sub(idle) <= flow.end;
            if touches && session.over {
                late = true;
            } else if touches && near.is_none() {
                near = Some(slot);
            } else if touches {
                others.push(slot);
            }
        }
        let Some(slot) = near else {
            return self.open_session(key, way, flow, late);
        };
        // A record that closes the pause between sessions makes them one.
        let merged = others.into_iter().filter_map(|other| self.merge(slot, other)).collect();
        let mut repeated = false;
        let mut id = 0;
        if let Some(session) = self.peek_mut(slot) {
            repeated = !session.add(flow, way);
            session.settle();
            id = session.id;
        }
        Change { id, merged, repeated }
    }

    fn open_session(&mut self, key: Key, way: Way, flow: &Flow, late: bool) -> Change {
        if self.is_full() {
            self.drop_one();
        }
        let id = self.next_id;
        self.next_id += 1;
        let mut session = Session::new(id, key, flow, late);
        session.add(flow, way);
        session.settle();
        let is_noise = flow.packets <= 2;
        let slot = self.store(session);
        let end = self.end(flow.end, key.protocol);
        if is_noise { &mut self.noise } else { &mut self.busy }.add((slot, id), end);
        Change { id, merged: Vec::new(), repeated: false }
    }

    fn merge(&mut self, into: u32, from: u32) -> Option<u64> {
        let other = self.take(from)?;
        let id = other.id;
        self.merged += 1;
        if let Some(session) = self.peek_mut(into) {
            session.absorb(other);
        }
        Some(id)
    }

    /// Declares over what can get no more records, now that event time has passed `watermark`.
    pub fn advance(&mut self, watermark: i64) {
        self.settled = self.settled.max(watermark.saturating_sub(self.lateness));
        while let Some(entry) = self.noise.pop_before(watermark).or_else(|| self.busy.pop_before(watermark)) {
            let Some((last, protocol)) = self.open_entry(entry) else { continue };
            let end = self.end(last, protocol);
            if end < watermark { self.finish_one(entry.0) } else { self.busy.add(entry, end) }
        }
    }

    /// Declares everything over: the input has ended.
    pub fn finish(&mut self) {
        while let Some(entry) = self.noise.pop_first().or_else(|| self.busy.pop_first()) {
            if self.open_entry(entry).is_some() {
                self.finish_one(entry.0);
            }
        }
    }

    /// Last activity and protocol of the session that a wheel's entry means, unless it is over or its slot has another tenant.
    fn open_entry(&self, (slot, id): (u32, u64)) -> Option<(i64, u8)> {
        let session = self.peek(slot).filter(|session| session.id == id && !session.over)?;
        Some((session.last, session.key.protocol))
    }

    fn finish_one(&mut self, slot: u32) {
        let report = self.report;
        let Some(session) = self.peek_mut(slot) else { return };
        session.over = true;
        // No record joins it any more, so none needs to be recognised.
        for counter in session.observers.iter_mut().flat_map(|observer| &mut observer.ways) {
            counter.seen = Vec::new();
        }
        let copy = report.then(|| session.clone());
        self.finished.extend(copy);
        self.over.push_back(slot);
    }

    /// Makes room: a session that is over, else scan noise, else what was idle longest.
    fn drop_one(&mut self) {
        if let Some(slot) = self.over.pop_front() {
            self.take(slot);
            return;
        }
        while let Some(entry) = self.noise.pop_first() {
            let Some((last, protocol)) = self.open_entry(entry) else { continue };
            let is_noise = self
                .peek(entry.0)
                .is_some_and(|session| session.totals(Way::AtoB).packets + session.totals(Way::BtoA).packets <= 2);
            if is_noise {
                return self.evict(entry.0);
            }
            self.busy.add(entry, self.end(last, protocol));
        }
        // The place in the wheel is where a session would have ended when it was put there; one that went on since gets a later place.
        // A few are moved so, not all: dropping one that was active is better than a stall.
        let mut moved = 0;
        while let Some(entry) = self.busy.pop_first() {
            let Some((last, protocol)) = self.open_entry(entry) else { continue };
            let end = self.end(last, protocol);
            if moved < 64 && self.busy.first().is_some_and(|first| first < end) {
                moved += 1;
                self.busy.add(entry, end);
                continue;
            }
            return self.evict(entry.0);
        }
    }

    fn evict(&mut self, slot: u32) {
        let Some(mut session) = self.take(slot) else { return };
        session.evicted = true;
        self.dropped += 1;
        if self.report {
            self.finished.push(session);
        }
    }

    /// Sessions that became final since the last call.
    pub fn take_finished(&mut self) -> Vec<Session> {
        std::mem::take(&mut self.finished)
    }

    /// The session with this number, if it is held.
    pub fn get(&self, id: u64) -> Option<&Session> {
        self.peek(*self.slots.get(&id)?)
    }

    /// The session that a record belongs to, if it is held.
    pub fn find(&self, flow: &Flow) -> Option<&Session> {
        let (key, _) = Key::of(flow);
        let slots = self.by_key.get(&key).map_or(&[][..], Slots::all).iter();
        let near = |session: &&Session| flow.start <= session.last && session.first <= flow.end;
        slots.filter_map(|slot| self.peek(*slot)).find(near)
    }

    /// Whether a new session pushes another out.
    pub fn is_full(&self) -> bool {
        self.held >= self.capacity
    }

    /// Sessions held.
    pub fn len(&self) -> usize {
        self.held
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Sessions opened so far, those that became part of another included.
    pub fn opened(&self) -> u64 {
        self.next_id - 1
    }

    /// Sessions that became part of another.
    pub fn merged(&self) -> u64 {
        self.merged
    }

    /// Sessions dropped from memory before they were over.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes held, about.
    pub fn bytes(&self) -> usize {
        self.held * SESSION_BYTES
    }

    /// The chunks that hold the sessions. Sharing one freezes it: the table copies before it writes to it again.
    pub fn chunks(&self) -> &[Arc<Vec<Option<Session>>>] {
        &self.chunks
    }

    fn peek(&self, slot: u32) -> Option<&Session> {
        let slot = slot as usize;
        self.chunks.get(slot / CHUNK)?.get(slot % CHUNK)?.as_ref()
    }

    fn peek_mut(&mut self, slot: u32) -> Option<&mut Session> {
        let slot = slot as usize;
        Arc::make_mut(self.chunks.get_mut(slot / CHUNK)?).get_mut(slot % CHUNK)?.as_mut()
    }

    fn store(&mut self, session: Session) -> u32 {
        let (id, key) = (session.id, session.key);
        let slot = self.free.pop().unwrap_or_else(|| {
            if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
                self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
            }
            let last = self.chunks.len() - 1;
            let chunk = Arc::make_mut(&mut self.chunks[last]);
            chunk.push(None);
            // The capacity keeps the number of slots far below u32::MAX.
            u32::try_from(last * CHUNK + chunk.len() - 1).unwrap_or(u32::MAX)
        });
        let place = slot as usize;
        Arc::make_mut(&mut self.chunks[place / CHUNK])[place % CHUNK] = Some(session);
        self.slots.insert(id, slot);
        self.by_key.entry(key).and_modify(|slots| slots.push(slot)).or_insert(Slots::One([slot]));
        self.held += 1;
        slot
    }

    fn take(&mut self, slot: u32) -> Option<Session> {
        let place = slot as usize;
        let session = Arc::make_mut(self.chunks.get_mut(place / CHUNK)?).get_mut(place % CHUNK)?.take()?;
        self.slots.remove(&session.id);
        if let Some(slots) = self.by_key.get_mut(&session.key)
            && slots.remove(slot)
        {
            self.by_key.remove(&session.key);
        }
        self.free.push(slot);
        self.held -= 1;
        Some(session)
    }
}

#[cfg(test)]
mod tests;
