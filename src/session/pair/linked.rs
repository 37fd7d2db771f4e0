//! What happens to records of a key on which one connection followed another: they are told apart, and stay so as more comes.

use std::cmp::Reverse;

use super::{Change, MAX_COMPARED, SessionTable, idle, marks, short};
use crate::record::Flow;
use crate::session::conversation::{NO_CUT, Session, begin};
use crate::session::key::{Packed, Way};
use crate::session::numbers::NONE;
use crate::session::split::{self, Piece};

/// Sessions of one key that are taken apart together. More stand so near to each other only where times are made up.
const MAX_TOGETHER: usize = 16;

impl SessionTable {
    /// Takes in a record that touches the sessions in `near`, some of which follow others on the same ports.
    pub(super) fn add_linked(&mut self, key: &Packed, hash: u32, near: &[u32], flow: &Flow, way: Way) -> Change {
        let near = &self.with_neighbours(key, hash, near);
        let begin = begin(flow);
        let place = |slot: &&u32| {
            let session = self.peek(**slot);
            session.map(|session| (Some(session.cut()).filter(|cut| *cut <= begin), Reverse(session.first)))
        };
        // The last connection that had begun; before all of them, the first.
        let slot = near.iter().max_by_key(place).copied().unwrap_or(near[0]);
        let mut change = Change { id: 0, merged: Vec::new(), changed: Vec::new(), repeated: false };
        let is_last = !near.iter().any(|other| self.peek(*other).is_some_and(|other| other.cut() > begin));
        let (mut grown, mut moves) = ((0, 0), !is_last);
        if let Some(session) = self.peek_mut(slot) {
            let (from, _) = session.bounds();
            moves |= session.may_follow_its_end(flow);
            grown.0 = session.heap();
            change.id = session.id;
            change.repeated = !session.add(flow, way);
            grown.1 = session.heap();
            moves |= session.bounds().0 < from;
        }
        self.apart = self.apart + grown.1 - grown.0;
        self.look_at(slot, true);
        // Unless it begins or ends a connection, or makes a pause shorter or longer, it changes nothing but the one it joined.
        let near_ones = || near.iter().filter_map(|slot| self.peek(*slot));
        let first = near_ones().map(|session| session.first).min();
        let closes = near_ones().any(|session| session.cut() == NO_CUT && Some(session.first) != first);
        if closes || moves || marks(flow) {
            self.take_apart(key, hash, near, flow, &mut change);
        } else {
            self.reach_as_far(near);
        }
        change
    }

    /// Tells the connections in the sessions of `slots` and their neighbours apart, after `flow` was added to one of them.
    pub(super) fn take_apart(&mut self, key: &Packed, hash: u32, slots: &[u32], flow: &Flow, change: &mut Change) {
        if self.held >= self.capacity || !self.has_room_apart() {
            self.drop_one();
        }
        let mut slots = self.with_neighbours(key, hash, slots);
        // Not what has just been dropped.
        slots.retain(|slot| self.peek(*slot).is_some_and(|session| session.is_of(key) && !session.over));
        slots.sort_unstable_by_key(|slot| self.peek(*slot).map(|session| (session.first, session.id)));
        let olds = || slots.iter().filter_map(|slot| self.peek(*slot));
        let mut pieces: Vec<Piece> = olds().flat_map(split::pieces).collect();
        let first = olds().next().map_or(NO_CUT, Session::cut);
        let before: Vec<i64> = olds().map(Session::cut).collect();
        let cuts = split::cuts(&mut pieces, first);
        // Without room for all of them they stay together: no record is left without a session.
        let room = before.len() + self.capacity.saturating_sub(self.held);
        if cuts.len() > room || cuts.iter().map(|(_, cut)| *cut).eq(before) {
            self.reach_as_far(&slots);
            return;
        }
        let late = olds().all(|session| session.late);
        let mut known: u64 = olds().map(|session| u64::from(session.records)).sum();
        let duplicates = olds().fold(0_u32, |sum, session| sum.saturating_add(session.duplicates));
        let mut rest = pieces;
        let mut parts: Vec<(Vec<Piece>, i64)> = Vec::new();
        for (place, cut) in cuts.into_iter().rev() {
            parts.push((rest.split_off(place), cut));
        }
        let last = parts.len() - 1;
        let mut free = slots.into_iter();
        let mut placed = Vec::new();
        change.changed.clear();
        for (number, (pieces, cut)) in parts.into_iter().rev().enumerate() {
            let slot = free.next();
            let id = slot.and_then(|slot| self.peek(slot)).map_or(0, |session| session.id);
            let Some(mut session) = split::joined(pieces, key, id, late) else { continue };
            session.set_cut(cut);
            session.linked = last > 0;
            // What came twice is counted once, whichever part it fell into: joining the pieces counts some of it again.
            session.duplicates = if number == 0 { duplicates } else { 0 };
            known = known.saturating_sub(session.records.into());
            let has_it = session.cut() <= begin(flow);
            let id = if let Some(slot) = slot {
                self.replace(slot, session);
                placed.push(slot);
                id
            } else {
                let (id, slot) = self.place_session(key, hash, session);
                placed.push(slot);
                id
            };
            if has_it || number == 0 {
                change.changed.push(std::mem::replace(&mut change.id, id));
            } else {
                change.changed.push(id);
            }
        }
        // A copy that had come to another of the sessions was taken for a record; beside its like it is known for what it is.
        if let Some(session) = placed.first().and_then(|slot| self.peek_mut(*slot)) {
            session.duplicates = session.duplicates.saturating_add(u32::try_from(known).unwrap_or(u32::MAX));
        }
        self.reach_as_far(&placed);
        for slot in free {
            if let Some(gone) = self.take(slot) {
                self.merged += 1;
                change.merged.push(gone.id);
            }
        }
        change.changed.sort_unstable();
        change.changed.dedup();
        let (id, merged) = (change.id, &change.merged);
        change.changed.retain(|other| *other != id && !merged.contains(other) && self.get(*other).is_some());
    }

    /// Has all connections on the same ports wait as long as the one that goes on for longest: a record that comes after any of them belongs to
    /// the last that had begun.
    fn reach_as_far(&mut self, slots: &[u32]) {
        let most = slots.iter().filter_map(|slot| self.peek(*slot)).map(|session| session.bounds().1).max();
        for slot in slots {
            if let (Some(most), Some(session)) = (most, self.peek_mut(*slot)) {
                session.reach_to(most);
            }
        }
    }

    /// `slots`, and the sessions of the same key that stand so near to one of them that they would be one, were they not cut off.
    fn with_neighbours(&self, key: &Packed, hash: u32, slots: &[u32]) -> Vec<u32> {
        let idle = idle(key.protocol);
        let mut all = slots.to_vec();
        let mut next = 0;
        while let Some(one) = all.get(next).and_then(|slot| self.peek(*slot)) {
            next += 1;
            let mut other = self.head(hash, key);
            for _ in 0..MAX_COMPARED {
                let Some(session) = self.peek(other) else { break };
                let joins = session.linked && !session.over && session.is_near(one, idle);
                if joins && all.len() < MAX_TOGETHER && !all.contains(&other) {
                    all.push(other);
                }
                other = session.older;
            }
        }
        all
    }

    /// Puts `session` in the place of the one that has its number.
    fn replace(&mut self, slot: u32, mut session: Session) {
        let heap = session.heap();
        let mut before = 0;
        if let Some(old) = self.peek_mut(slot) {
            before = old.heap();
            (session.older, session.newer) = (old.older, old.newer);
            *old = session;
        }
        self.apart = self.apart + heap - before;
        self.look_at(slot, true);
    }

    /// Puts a new session into a slot of its own. Gives its number and the slot.
    fn place_session(&mut self, key: &Packed, hash: u32, session: Session) -> (u64, u32) {
        if self.held >= self.capacity {
            self.dropped += 1;
            self.let_go = self.let_go.max(Some(session.first));
            return (0, NONE);
        }
        let noise =
            session.records == 1 && session.totals(Way::AtoB).packets.max(session.totals(Way::BtoA).packets) <= 2;
        let end = self.end(&session);
        let (id, slot) = self.put_session(key, hash, session);
        if noise { &mut self.noise } else { &mut self.busy }.add((slot, short(id)), end);
        self.look_at(slot, true);
        (id, slot)
    }
}
