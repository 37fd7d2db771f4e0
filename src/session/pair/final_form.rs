//! How a session becomes final: what others say of its ends, and when nothing joins it any more.

use super::{LOOK_AHEAD, SessionTable, peek, short};
use crate::session::conversation::Session;
use crate::session::orient::{Method, may_learn};
use crate::session::wheel::Wheel;

impl SessionTable {
    /// Learns from the session in `slot`, where it `tells` something new, or of it who began, where its own records hardly say.
    pub(super) fn look_at(&mut self, slot: u32, tells: bool) {
        let Some(session) = peek(&self.chunks, slot) else { return };
        // Where a service decided, who talks to it says nothing more; that spares most sessions the rest.
        let tells = tells && session.saw_both() && session.method() != Method::Service;
        let asks = session.method().yields_to_learned();
        if tells {
            let key = session.key();
            if may_learn(&key) {
                self.fan_in.note(&key, session.first);
            }
        }
        if asks {
            self.learn(slot);
        }
    }

    /// Turns the session in `slot` around, where others that talked to its ends say so. True where they do.
    pub(super) fn learn(&mut self, slot: u32) -> bool {
        let Some(session) = peek(&self.chunks, slot).filter(|session| session.method().yields_to_learned()) else {
            return false;
        };
        let key = session.key();
        let request = may_learn(&key).then(|| self.fan_in.request(&key, session.last)).flatten();
        match (request, self.peek_mut(slot)) {
            (Some(request), Some(session)) => session.learn(request),
            _ => return false,
        }
        true
    }

    /// Declares over what can get no more records, now that event time has passed `watermark`. Gives the sessions that turned out to be the
    /// other way round, now that all is known of who talked to their ends.
    pub fn advance(&mut self, watermark: i64) -> Vec<u64> {
        if self.held_open {
            return Vec::new();
        }
        self.settled = self.settled.max(watermark.saturating_sub(self.lateness));
        let mut turned = Vec::new();
        while let Some(entries) = self.noise.take_before(watermark).or_else(|| self.busy.take_before(watermark)) {
            for (at, entry) in entries.iter().copied().enumerate() {
                if at % LOOK_AHEAD == 0 {
                    let near = entries[at..].iter().take(LOOK_AHEAD);
                    std::hint::black_box(near.filter(|near| self.peek(near.0).is_some_and(Session::touch)).count());
                }
                let Some(end) = self.open_entry(entry) else { continue };
                if Wheel::is_before(end, watermark) {
                    turned.extend(self.finish_one(entry.0));
                } else {
                    self.busy.add(entry, end);
                }
            }
        }
        turned
    }

    /// Holds sessions open, or no longer, while time is read from its end to its beginning: a session is then met from its end.
    pub fn hold(&mut self, open: bool) {
        self.held_open = open;
    }

    /// Declares everything over: the input has ended. Gives what [`SessionTable::advance`] gives.
    pub fn finish(&mut self) -> Vec<u64> {
        let mut turned = Vec::new();
        while let Some(mut entries) = self.noise.take_before(i64::MAX).or_else(|| self.busy.take_before(i64::MAX)) {
            // The newest first, as where one at a time is taken.
            while !entries.is_empty() {
                let near = entries.split_off(entries.len().saturating_sub(LOOK_AHEAD));
                std::hint::black_box(near.iter().filter(|near| self.peek(near.0).is_some_and(Session::touch)).count());
                for entry in near.into_iter().rev() {
                    if self.open_entry(entry).is_some() {
                        turned.extend(self.finish_one(entry.0));
                    }
                }
            }
        }
        turned
    }

    /// When the session that a wheel's entry means is over, unless it is or its slot has another tenant.
    pub(super) fn open_entry(&self, (slot, id): (u32, u32)) -> Option<i64> {
        let session = self.peek(slot).filter(|session| short(session.id) == id && !session.over)?;
        Some(self.end(session))
    }

    pub(super) fn finish_one(&mut self, slot: u32) -> Option<u64> {
        let session = peek(&self.chunks, slot)?;
        let before = session.request();
        if session.method() == Method::Learned {
            // What was known of its ends at the time may have been too little, or of a time after it.
            self.peek_mut(slot)?.settle();
            self.learn(slot);
        } else if session.method().yields_to_learned() {
            self.learn(slot);
        }
        let report = self.report;
        let session = self.peek_mut(slot)?;
        let heap = session.heap();
        session.close();
        let freed = heap - session.heap();
        let (id, turned) = (session.id, session.request() != before);
        let copy = report.then(|| session.clone());
        self.apart -= freed;
        self.finished.extend(copy);
        self.over.push_back(slot);
        turned.then_some(id)
    }
}
