//! The session table: joins records to sessions by event time, so that the order of their arrival does not matter.
//!
//! A session is a cluster of records of one key in which no pause is longer than the idle time. A record may open a session, join one, or close
//! the pause between two, which then become one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::conversation::{LONGEST_WINDOW, Session};
use super::key::{Key, Way};
use super::wheel::Wheel;
use crate::record::Flow;
use crate::record::services::{ICMP, ICMP6, TCP};

/// Sessions in a chunk.
const CHUNK: usize = 1_024;
/// Bytes that a session takes, about: itself, one observer with its counters, and its entries in the indexes.
pub const SESSION_BYTES: usize = 640;

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
        self.window = self.window.max((flow.end - flow.start).min(LONGEST_WINDOW));
        let (key, way) = Key::of(flow);
        let idle = self.idle(key.protocol);
        // One record with a window of years must not make one session of all that lies in it.
        let begin = flow.start.max(flow.end - LONGEST_WINDOW);
        // Empty for most records, and then nothing is allocated.
        let mut others: Vec<u32> = Vec::new();
        let mut near = None;
        // A record that belongs to a session which is over and reported cannot change it any more.
        let mut late = flow.end.saturating_add(idle) < self.settled;
        for &slot in self.by_key.get(&key).map_or(&[][..], Slots::all) {
            let Some(session) = self.peek(slot) else { continue };
            let touches = begin <= session.last.saturating_add(idle) && session.first.saturating_sub(idle) <= flow.end;
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
        session.close();
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
                .is_some_and(|session| session.totals(Way::AtoB).packets.max(session.totals(Way::BtoA).packets) <= 2);
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
