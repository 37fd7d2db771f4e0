//! The session table: joins records to sessions by event time, so that the order of their arrival does not matter.
//!
//! A session is a cluster of records of one key in which no pause is longer than the idle time of its protocol and the longer interval of the two
//! records around it. A record may open a session, join one, or close the pause between two, which then become one. Flags cut a session where
//! another connection begins on the same ports, and a minute of pause does where both directions have ended (`split.rs`).

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use super::conversation::{SHORTEST_WINDOW, Session, begin, interval};
use super::fanin::FanIn;
use super::index::Index;
use super::key::{Packed, Way};
use super::numbers::{NONE, Numbers};
use super::wheel::Wheel;
use crate::record::Flow;
use crate::record::services::{ICMP, ICMP6, TCP};

mod final_form;
mod linked;
mod room;

/// Sessions in a chunk.
const CHUNK: usize = 1_024;
/// Bytes that a session takes at most, without what it holds apart: itself, and its entries in the indexes, the wheel and the lists. The
/// indexes double, so that just after it they are half empty.
const SLOT_BYTES: usize = size_of::<Option<Session>>() + 56;
/// Sessions of one key that a record is compared with, the newest first. More than a few are open at once only where a sender or a file
/// makes up times. A record of a still older one opens a session of its own: it is counted, but that conversation is told in two parts. This
/// bounds what a record costs, whoever wrote it.
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
    /// Sessions that became part of another and are no more.
    pub merged: Vec<u64>,
    /// Other sessions that changed or are new, since connections on the same ports were told apart.
    pub changed: Vec<u64>,
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
    /// Longest aggregation interval seen, seconds. Says only how long to wait; what is joined does not depend on it.
    window: i64,
    fan_in: FanIn,
    /// Greatest time up to which sessions were declared over.
    settled: i64,
    /// Earlier time is being loaded, newest first: none is over, and none late.
    held_open: bool,
    dropped: u64,
    /// Greatest start of those that had to make way, over or not.
    let_go: Option<i64>,
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
            capacity: (bytes / 8 * 5 / SLOT_BYTES).max(16),
            apart: 0,
            max_apart: (bytes / 32 * 11).max(4_096),
            lateness,
            window: SHORTEST_WINDOW,
            fan_in: FanIn::new(bytes / 32),
            settled: i64::MIN,
            held_open: false,
            dropped: 0,
            let_go: None,
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

    /// When a session is over.
    fn end(&self, session: &Session) -> i64 {
        session.over_at(idle(session.protocol()), self.window, self.lateness)
    }

    /// Takes in a record.
    pub fn add(&mut self, flow: &Flow) -> Change {
        for _ in 0..MAX_DROPPED {
            if self.has_room_apart() {
                break;
            }
            self.drop_one();
        }
        self.window = self.window.max(interval(flow));
        let (key, way) = Packed::of(flow);
        let hash = key.hash(&self.seed);
        let idle = idle(key.protocol);
        // Empty for most records, and then nothing is allocated.
        let mut others: Vec<u32> = Vec::new();
        let mut near: Option<(u64, u32)> = None;
        let mut linked = false;
        // A record that belongs to a session which is over and reported cannot change it any more.
        let mut late = !self.held_open && flow.end.saturating_add(idle + interval(flow)) < self.settled;
        let mut next = self.head(hash, &key);
        for _ in 0..MAX_COMPARED {
            let Some(session) = self.peek(next) else { break };
            if session.touches(flow, idle) {
                if session.over {
                    late = true;
                } else {
                    linked |= session.linked;
                    // The one that was opened first keeps its number.
                    let this = (session.id, next);
                    others.extend(near.map(|near| near.max(this).1));
                    near = Some(near.map_or(this, |near| near.min(this)));
                }
            }
            next = session.older;
        }
        let Some((id, slot)) = near else {
            return self.open_session(&key, hash, way, flow, late);
        };
        if linked {
            others.push(slot);
            return self.add_linked(&key, hash, &others, flow, way);
        }
        // A record that closes the pause between sessions makes them one.
        let merged: Vec<u64> = others.into_iter().filter_map(|other| self.merge(slot, other)).collect();
        let (mut repeated, mut several) = (false, false);
        if let Some(session) = self.peek_mut(slot) {
            let (heap, first, both) = (session.heap(), session.first, session.saw_both());
            let follows = session.may_follow_its_end(flow);
            repeated = !session.add(flow, way);
            several = (!merged.is_empty() || follows || marks(flow)) && session.may_be_several();
            let (tells, after) = (!merged.is_empty() || first != session.first || !both, session.heap());
            self.apart = self.apart + after - heap;
            self.look_at(slot, tells);
        }
        let mut change = Change { id, merged, changed: Vec::new(), repeated };
        if several {
            self.take_apart(&key, hash, &[slot], flow, &mut change);
        }
        change
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
        // Four loops, since a decision on what has not come yet would stop the next look.
        std::hint::black_box(places.iter().fold(0, |sum, (hash, _)| sum ^ self.by_key.touch(*hash)));
        for (hash, slot) in &mut *places {
            // By the hash alone: comparing the keys would wait for the sessions, one after the other.
            *slot = self.by_key.find(*hash, |_| true);
        }
        let held = places.iter().filter(|(_, slot)| self.peek(*slot).is_some_and(Session::touch)).count();
        std::hint::black_box(
            places.iter().filter(|(_, slot)| self.peek(*slot).is_some_and(Session::touch_more)).count(),
        );
        held
    }

    fn open_session(&mut self, key: &Packed, hash: u32, way: Way, flow: &Flow, late: bool) -> Change {
        if self.held >= self.capacity {
            self.drop_one();
        }
        let session = Session::new(0, key, way, flow, late);
        let (end, asks) = (self.end(&session), session.method().yields_to_learned());
        let (id, slot) = self.put_session(key, hash, session);
        if flow.packets <= 2 { &mut self.noise } else { &mut self.busy }.add((slot, short(id)), end);
        if asks {
            self.learn(slot);
        }
        Change { id, merged: Vec::new(), changed: Vec::new(), repeated: false }
    }

    /// Gives `session` a number and a slot.
    #[inline]
    fn put_session(&mut self, key: &Packed, hash: u32, mut session: Session) -> (u64, u32) {
        let slot = self.free_slot();
        let id = self.numbers.give(slot);
        session.id = id;
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
        (id, slot)
    }

    fn merge(&mut self, into: u32, from: u32) -> Option<u64> {
        let other = self.take(from)?;
        let id = other.id;
        self.merged += 1;
        let mut grown = (0, 0);
        if let Some(session) = self.peek_mut(into) {
            grown.0 = session.heap();
            session.absorb(&other);
            grown.1 = session.heap();
        }
        self.apart = self.apart + grown.1 - grown.0;
        Some(id)
    }

    /// Sessions that became final since the last call.
    pub fn take_finished(&mut self) -> Vec<Session> {
        std::mem::take(&mut self.finished)
    }

    /// The session with this number, if it is held.
    pub fn get(&self, id: u64) -> Option<&Session> {
        self.peek(self.numbers.get(id)?).filter(|session| session.id == id)
    }

    /// The same as it stood when `chunks` were shared; `None` also where it is no longer held now.
    pub fn get_in<'c>(&self, chunks: &'c [Arc<Vec<Option<Session>>>], id: u64) -> Option<&'c Session> {
        peek(chunks, self.numbers.get(id)?).filter(|session| session.id == id)
    }

    /// The session that a record belongs to, if it is held.
    pub fn find(&self, flow: &Flow) -> Option<&Session> {
        let (key, _) = Packed::of(flow);
        let newest = self.peek(self.head(key.hash(&self.seed), &key));
        let all = std::iter::successors(newest, |session| self.peek(session.older)).take(MAX_COMPARED);
        let touched = all.filter(|session| flow.start <= session.last && session.first <= flow.end);
        // Of several connections on the same ports the latest that had begun, else the one that was opened first.
        let begin = begin(flow);
        touched.max_by_key(|session| (Some(session.cut()).filter(|cut| *cut <= begin), Reverse(session.id)))
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

    /// Greatest start of a session that had to make way for others, whether it was over or not: of those that began later all are held.
    pub fn let_go(&self) -> Option<i64> {
        self.let_go
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
}

/// Whether a record has a flag that begins or ends a connection.
fn marks(flow: &Flow) -> bool {
    flow.flags.is_some_and(|flags| flags & !0x10 != 0)
}

/// Longest pause within a session of `protocol`, seconds, beside the interval of its records.
fn idle(protocol: u8) -> i64 {
    match protocol {
        TCP => 300,
        ICMP | ICMP6 => 60,
        // UDP, and what else there is.
        _ => 120,
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
