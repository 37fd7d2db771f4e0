//! The room of the table: slots, what makes way when it is full, and how much it holds.

use std::sync::Arc;

use super::{CHUNK, LOOK_AHEAD, SessionTable};
use crate::session::conversation::Session;
use crate::session::key::Way;
use crate::session::numbers::NONE;

impl SessionTable {
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
    pub(super) fn has_room_apart(&self) -> bool {
        self.apart + self.noise.overhead() + self.busy.overhead() <= self.max_apart
    }

    /// Bytes held: the slots that were ever used, what their sessions hold apart, and the indexes as large as they were allocated.
    pub fn bytes(&self) -> usize {
        let slots: usize = self.chunks.iter().map(|chunk| chunk.len()).sum();
        slots * size_of::<Option<Session>>()
            + self.apart
            + self.by_key.bytes()
            + self.numbers.bytes()
            + self.fan_in.bytes()
            + self.noise.bytes()
            + self.busy.bytes()
            + (self.over.capacity() + self.free.capacity()) * size_of::<u32>()
            + self.finished.capacity() * size_of::<Session>()
    }

    /// Drops the sessions that are over for longest, some at once, with a look ahead at what that needs.
    pub(super) fn drop_over(&mut self) {
        let mut hashes = [0; LOOK_AHEAD / 2];
        let count = self.over.len().min(hashes.len()).min(self.capacity / 64 + 1);
        for (slot, hash) in self.over.iter().take(count).zip(&mut hashes) {
            *hash = self.peek(*slot).map_or(0, |session| session.packed().hash(&self.seed));
        }
        std::hint::black_box(hashes[..count].iter().fold(0, |sum, hash| sum ^ self.by_key.touch(*hash)));
        for _ in 0..count {
            let Some(slot) = self.over.pop_front() else { break };
            let gone = self.take(slot).map(|session| session.first);
            self.let_go = self.let_go.max(gone);
        }
    }

    /// Makes room: sessions that are over, else scan noise, else what was idle longest.
    pub(super) fn drop_one(&mut self) {
        if !self.over.is_empty() {
            return self.drop_over();
        }
        while let Some(entry) = self.noise.pop_first() {
            let Some(end) = self.open_entry(entry) else { continue };
            let is_noise = self
                .peek(entry.0)
                .is_some_and(|session| session.totals(Way::AtoB).packets.max(session.totals(Way::BtoA).packets) <= 2);
            if is_noise {
                return self.evict(entry.0);
            }
            self.busy.add(entry, end);
        }
        // The place in the wheel is where a session would have ended when it was put there; one that went on since gets a later place.
        // A few are moved so, not all: dropping one that was active is better than a stall.
        let mut moved = 0;
        while let Some(entry) = self.busy.pop_first() {
            let Some(end) = self.open_entry(entry) else { continue };
            if moved < 64 && self.busy.first().is_some_and(|first| first < end) {
                moved += 1;
                self.busy.add(entry, end);
                continue;
            }
            return self.evict(entry.0);
        }
    }

    fn evict(&mut self, slot: u32) {
        self.learn(slot);
        let Some(mut session) = self.take(slot) else { return };
        session.evicted = true;
        self.let_go = self.let_go.max(Some(session.first));
        self.dropped += 1;
        if self.report {
            self.finished.push(session);
        }
    }

    pub(super) fn free_slot(&mut self) -> u32 {
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

    pub(super) fn take(&mut self, slot: u32) -> Option<Session> {
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
