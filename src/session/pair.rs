//! The session table: joins records to sessions by event time, so that the order of their arrival does not matter.
//!
//! A session is a cluster of records of one key in which no pause is longer than the idle time. A record may open a session, join one, or close
//! the pause between two, which then become one.

use std::collections::VecDeque;
use std::sync::Arc;

use super::conversation::{LONGEST_WINDOW, Session};
use super::index::Index;
use super::key::{Packed, Way};
use super::numbers::{NONE, Numbers};
use super::wheel::Wheel;
use crate::record::Flow;
use crate::record::services::{ICMP, ICMP6, TCP};

/// Sessions in a chunk.
const CHUNK: usize = 1_024;
/// Bytes that a session takes at most, without what it holds apart: itself, and its entries in the indexes, the wheel and the lists. The
/// indexes double, so that just after it they are half empty.
const SLOT_BYTES: usize = size_of::<Option<Session>>() + 56;
/// Sessions of one key that a record is compared with, the newest first. More than a few are open at once only where a sender or a file
/// makes up times.
const MAX_COMPARED: usize = 256;
/// Records that are looked up together: so many that the waiting overlaps, so few that the caches keep it.
pub const LOOK_AHEAD: usize = 64;
/// Sessions dropped at once for the sake of what others hold.
const MAX_DROPPED: usize = 8;

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

/// All sessions, bounded in bytes.
#[derive(Debug)]
pub struct SessionTable {
    chunks: Vec<Arc<Vec<Option<Session>>>>,
    free: Vec<u32>,
    /// The newest session of every key; the older ones hang on it.
    by_key: Index,
    seed: foldhash::quality::RandomState,
    numbers: Numbers,
    /// When open sessions may be over: each open session stands in one of the two, scan noise (one side, two packets at most) apart,
    /// since it is dropped first.
    noise: Wheel,
    busy: Wheel,
    /// Sessions that are over, oldest first.
    over: VecDeque<u32>,
    held: usize,
    /// Most sessions held.
    capacity: usize,
    /// Bytes that sessions hold beside their slots, and how many they may.
    apart: usize,
    max_apart: usize,
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
            by_key: Index::default(),
            seed: foldhash::quality::RandomState::default(),
            numbers: Numbers::default(),
            noise: Wheel::default(),
            busy: Wheel::default(),
            over: VecDeque::new(),
            held: 0,
            // Slots once made are kept, so neither share may grow into the other.
            capacity: (bytes / 4 * 3 / SLOT_BYTES).max(16),
            apart: 0,
            max_apart: (bytes / 4).max(4_096),
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
        for _ in 0..MAX_DROPPED {
            if self.has_room_apart() {
                break;
            }
            self.drop_one();
        }
        // An aggregation interval is at most ten minutes; longer windows are odd records, not a longer interval.
        self.window = self.window.max((flow.end - flow.start).min(LONGEST_WINDOW));
        let (key, way) = Packed::of(flow);
        let hash = key.hash(&self.seed);
        let idle = self.idle(key.protocol);
        // One record with a window of years must not make one session of all that lies in it.
        let begin = flow.start.max(flow.end - LONGEST_WINDOW);
        // Empty for most records, and then nothing is allocated.
        let mut others: Vec<u32> = Vec::new();
        let mut near: Option<(u64, u32)> = None;
        // A record that belongs to a session which is over and reported cannot change it any more.
        let mut late = flow.end.saturating_add(idle) < self.settled;
        let mut next = self.head(hash, &key);
        for _ in 0..MAX_COMPARED {
            let Some(session) = self.peek(next) else { break };
            let touches = begin <= session.last.saturating_add(idle) && session.first.saturating_sub(idle) <= flow.end;
            if touches && session.over {
                late = true;
            } else if touches {
                // The one that was opened first keeps its number.
                let this = (session.id, next);
                others.extend(near.map(|near| near.max(this).1));
                near = Some(near.map_or(this, |near| near.min(this)));
            }
            next = session.older;
        }
        let Some((id, slot)) = near else {
            return self.open_session(&key, hash, way, flow, late);
        };
        // A record that closes the pause between sessions makes them one.
        let merged = others.into_iter().filter_map(|other| self.merge(slot, other)).collect();
        let mut repeated = false;
        let mut grown = (0, 0);
        if let Some(session) = self.peek_mut(slot) {
            grown.0 = session.heap();
            repeated = !session.add(flow, way);
            grown.1 = session.heap();
        }
        self.apart = self.apart + grown.1 - grown.0;
        Change { id, merged, repeated }
    }

    /// Looks up what the next records will need, the first [`LOOK_AHEAD`] of `flows`. Each look waits for memory that no cache holds, and here
    /// nothing else has to wait for it: [`SessionTable::add`] then finds it near. Gives how many of the records seem to have a key that is
    /// held; calling it changes nothing.
    pub fn look_ahead<'a>(&self, flows: impl IntoIterator<Item = &'a Flow>) -> usize {
        let mut places = [(0, NONE); LOOK_AHEAD];
        let mut count = 0;
        for (flow, (hash, _)) in flows.into_iter().zip(&mut places) {
            *hash = Packed::of(flow).0.hash(&self.seed);
            count += 1;
        }
        let places = &mut places[..count];
        // Three loops, since a decision on what has not come yet would stop the next look.
        std::hint::black_box(places.iter().fold(0, |sum, (hash, _)| sum ^ self.by_key.touch(*hash)));
        for (hash, slot) in &mut *places {
            // By the hash alone: comparing the keys would wait for the sessions, one after the other.
            *slot = self.by_key.find(*hash, |_| true);
        }
        places.iter().filter(|(_, slot)| self.peek(*slot).is_some_and(Session::touch)).count()
    }

    /// Drops the sessions that are over for longest, some at once, with a look ahead at what that needs.
    fn drop_over(&mut self) {
        let mut hashes = [0; LOOK_AHEAD / 2];
        let count = self.over.len().min(hashes.len()).min(self.capacity / 64 + 1);
        for (slot, hash) in self.over.iter().take(count).zip(&mut hashes) {
            *hash = self.peek(*slot).map_or(0, |session| session.packed().hash(&self.seed));
        }
        std::hint::black_box(hashes[..count].iter().fold(0, |sum, hash| sum ^ self.by_key.touch(*hash)));
        for _ in 0..count {
            let Some(slot) = self.over.pop_front() else { break };
            self.take(slot);
        }
    }

    fn open_session(&mut self, key: &Packed, hash: u32, way: Way, flow: &Flow, late: bool) -> Change {
        if self.held >= self.capacity {
            self.drop_one();
        }
        let slot = self.free_slot();
        let id = self.numbers.give(slot);
        let mut session = Session::new(id, key, way, flow, late);
        self.apart += session.heap();
        let chunks = &self.chunks;
        let same = |other| peek(chunks, other).is_some_and(|other| other.is_of(key));
        session.older = self.by_key.put(hash, slot, same);
        let older = session.older;
        let place = slot as usize;
        Arc::make_mut(&mut self.chunks[place / CHUNK])[place % CHUNK] = Some(session);
        if let Some(older) = self.peek_mut(older) {
            older.newer = slot;
        }
        self.held += 1;
        let end = self.end(flow.end, key.protocol);
        if flow.packets <= 2 { &mut self.noise } else { &mut self.busy }.add((slot, short(id)), end);
        Change { id, merged: Vec::new(), repeated: false }
    }

    fn merge(&mut self, into: u32, from: u32) -> Option<u64> {
        let other = self.take(from)?;
        let id = other.id;
        self.merged += 1;
        let mut grown = (0, 0);
        if let Some(session) = self.peek_mut(into) {
            grown.0 = session.heap();
            session.absorb(other);
            grown.1 = session.heap();
        }
        self.apart = self.apart + grown.1 - grown.0;
        Some(id)
    }

    /// Declares over what can get no more records, now that event time has passed `watermark`.
    pub fn advance(&mut self, watermark: i64) {
        self.settled = self.settled.max(watermark.saturating_sub(self.lateness));
        while let Some(entries) = self.noise.take_before(watermark).or_else(|| self.busy.take_before(watermark)) {
            for (at, entry) in entries.iter().copied().enumerate() {
                if at % LOOK_AHEAD == 0 {
                    let near = entries[at..].iter().take(LOOK_AHEAD);
                    std::hint::black_box(near.filter(|near| self.peek(near.0).is_some_and(Session::touch)).count());
                }
                let Some((last, protocol)) = self.open_entry(entry) else { continue };
                let end = self.end(last, protocol);
                if Wheel::is_before(end, watermark) { self.finish_one(entry.0) } else { self.busy.add(entry, end) }
            }
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
    fn open_entry(&self, (slot, id): (u32, u32)) -> Option<(i64, u8)> {
        let session = self.peek(slot).filter(|session| short(session.id) == id && !session.over)?;
        Some((session.last, session.protocol()))
    }

    fn finish_one(&mut self, slot: u32) {
        let report = self.report;
        let Some(session) = self.peek_mut(slot) else { return };
        let before = session.heap();
        session.close();
        let freed = before - session.heap();
        let copy = report.then(|| session.clone());
        self.apart -= freed;
        self.finished.extend(copy);
        self.over.push_back(slot);
    }

    /// Makes room: sessions that are over, else scan noise, else what was idle longest.
    fn drop_one(&mut self) {
        if !self.over.is_empty() {
            return self.drop_over();
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
        self.peek(self.numbers.get(id)?).filter(|session| session.id == id)
    }

    /// The session that a record belongs to, if it is held.
    pub fn find(&self, flow: &Flow) -> Option<&Session> {
        let (key, _) = Packed::of(flow);
        let newest = self.peek(self.head(key.hash(&self.seed), &key));
        let all = std::iter::successors(newest, |session| self.peek(session.older)).take(MAX_COMPARED);
        all.filter(|session| flow.start <= session.last && session.first <= flow.end).min_by_key(|session| session.id)
    }

    /// Reads what [`SessionTable::get`] of each of `ids` will need, the first [`LOOK_AHEAD`] of them, side by side. Gives how many are held.
    pub fn get_ahead(&self, ids: impl IntoIterator<Item = u64>) -> usize {
        let mut slots = [NONE; LOOK_AHEAD];
        for (id, slot) in ids.into_iter().zip(&mut slots) {
            *slot = self.numbers.get(id).unwrap_or(NONE);
        }
        slots.iter().filter(|slot| self.peek(**slot).is_some_and(Session::touch)).count()
    }

    /// Whether the next [`LOOK_AHEAD`] records may push out sessions that are not over. Those that are over go first, up to
    /// [`LOOK_AHEAD`] at once.
    pub fn may_drop_active(&self) -> bool {
        let crowded = self.held + LOOK_AHEAD > self.capacity;
        (crowded && self.over.len() < 4 * LOOK_AHEAD) || !self.has_room_apart()
    }

    /// Whether what sessions hold beside their slots is within its share.
    fn has_room_apart(&self) -> bool {
        self.apart + self.noise.overhead() + self.busy.overhead() <= self.max_apart
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
        self.numbers.given()
    }

    /// Sessions that became part of another.
    pub fn merged(&self) -> u64 {
        self.merged
    }

    /// Sessions dropped from memory before they were over.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes held: the slots that were ever used, what their sessions hold apart, and the indexes as large as they were allocated.
    pub fn bytes(&self) -> usize {
        let slots: usize = self.chunks.iter().map(|chunk| chunk.len()).sum();
        slots * size_of::<Option<Session>>()
            + self.apart
            + self.by_key.bytes()
            + self.numbers.bytes()
            + self.noise.bytes()
            + self.busy.bytes()
            + (self.over.capacity() + self.free.capacity()) * size_of::<u32>()
            + self.finished.capacity() * size_of::<Session>()
    }

    /// The chunks that hold the sessions. Sharing one freezes it: the table copies before it writes to it again.
    pub fn chunks(&self) -> &[Arc<Vec<Option<Session>>>] {
        &self.chunks
    }

    /// Slot of the newest session of a key, or [`NONE`].
    fn head(&self, hash: u32, key: &Packed) -> u32 {
        self.by_key.find(hash, |slot| self.peek(slot).is_some_and(|session| session.is_of(key)))
    }

    fn peek(&self, slot: u32) -> Option<&Session> {
        peek(&self.chunks, slot)
    }

    fn peek_mut(&mut self, slot: u32) -> Option<&mut Session> {
        let slot = slot as usize;
        Arc::make_mut(self.chunks.get_mut(slot / CHUNK)?).get_mut(slot % CHUNK)?.as_mut()
    }

    fn free_slot(&mut self) -> u32 {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            let left = self.capacity.saturating_sub(self.chunks.len() * CHUNK);
            self.chunks.push(Arc::new(Vec::with_capacity(left.clamp(1, CHUNK))));
        }
        let last = self.chunks.len() - 1;
        let chunk = Arc::make_mut(&mut self.chunks[last]);
        chunk.push(None);
        // The capacity keeps the number of slots far below u32::MAX.
        u32::try_from(last * CHUNK + chunk.len() - 1).unwrap_or(NONE)
    }

    fn take(&mut self, slot: u32) -> Option<Session> {
        let place = slot as usize;
        let chunk = Arc::make_mut(self.chunks.get_mut(place / CHUNK)?);
        let session = chunk.get_mut(place % CHUNK)?.take()?;
        self.numbers.remove(session.id);
        let (older, newer) = (session.older, session.newer);
        if let Some(older) = self.peek_mut(older) {
            older.newer = newer;
        }
        if let Some(newer) = self.peek_mut(newer) {
            newer.older = older;
        } else {
            let hash = session.packed().hash(&self.seed);
            if older == NONE {
                self.by_key.remove(hash, slot);
            } else {
                self.by_key.put(hash, older, |other| other == slot);
            }
        }
        self.apart -= session.heap();
        self.free.push(slot);
        self.held -= 1;
        Some(session)
    }
}

fn peek(chunks: &[Arc<Vec<Option<Session>>>], slot: u32) -> Option<&Session> {
    let slot = slot as usize;
    chunks.get(slot / CHUNK)?.get(slot % CHUNK)?.as_ref()
}

/// As much of a session's number as tells the tenants of a slot apart.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
fn short(id: u64) -> u32 {
    id as u32
}

#[cfg(test)]
mod tests;
