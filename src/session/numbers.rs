//! Which slot the session of a number is in. Numbers are given in order, so nearly all sessions held have a recent one, and those need no
//! hashing: a ring with a place for each recent number. What outlives the ring's turn is kept apart.

use std::collections::HashMap;

/// No slot.
pub(super) const NONE: u32 = u32::MAX;
/// Least places in the ring.
const LEAST: usize = 64;

/// Slots by session number.
#[derive(Debug)]
pub(super) struct Numbers {
    /// Slot of the greatest number given so far that falls on this place, if its session is held. A power of two long.
    ring: Vec<u32>,
    old: HashMap<u64, u32, foldhash::fast::RandomState>,
    /// The number that is given next.
    next: u64,
}

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers { ring: Vec::new(), old: HashMap::default(), next: 1 }
    }
}

impl Numbers {
    /// Gives the next number to the session in `slot`.
    pub(super) fn give(&mut self, slot: u32) -> u64 {
        // Doubling pays when what it takes back would fill an eighth of the ring.
        if self.ring.is_empty() || self.old.len() > self.ring.len() / 8 {
            self.grow();
        }
        let id = self.next;
        self.next += 1;
        let place = self.place(id);
        let before = std::mem::replace(&mut self.ring[place], slot);
        if before != NONE {
            self.old.insert(id - self.ring.len() as u64, before);
        }
        id
    }

    /// The slot of session `id`, if it is held.
    pub(super) fn get(&self, id: u64) -> Option<u32> {
        if id == 0 || id >= self.next {
            return None;
        }
        if self.is_recent(id) {
            Some(self.ring[self.place(id)]).filter(|slot| *slot != NONE)
        } else {
            self.old.get(&id).copied()
        }
    }

    /// Forgets session `id`.
    pub(super) fn remove(&mut self, id: u64) {
        if self.is_recent(id) {
            let place = self.place(id);
            self.ring[place] = NONE;
        } else {
            self.old.remove(&id);
        }
    }

    /// Numbers given so far.
    pub(super) fn given(&self) -> u64 {
        self.next - 1
    }

    pub(super) fn bytes(&self) -> usize {
        self.ring.capacity() * size_of::<u32>() + self.old.capacity() * (size_of::<(u64, u32)>() + 1) * 8 / 7
    }

    fn is_recent(&self, id: u64) -> bool {
        self.next - id <= self.ring.len() as u64
    }

    #[expect(clippy::cast_possible_truncation, reason = "the remainder of a usize")]
    fn place(&self, id: u64) -> usize {
        (id % self.ring.len() as u64) as usize
    }

    fn grow(&mut self) {
        let ring = std::mem::take(&mut self.ring);
        self.ring = vec![NONE; (ring.len() * 2).max(LEAST)];
        let recent = self.next.saturating_sub(ring.len() as u64).max(1)..self.next;
        for id in recent {
            let place = self.place(id);
            #[expect(clippy::cast_possible_truncation, reason = "the remainder of a usize")]
            let before = (id % ring.len() as u64) as usize;
            self.ring[place] = ring[before];
        }
        let mut old = std::mem::take(&mut self.old);
        old.retain(|id, slot| {
            if self.is_recent(*id) {
                let place = self.place(*id);
                self.ring[place] = *slot;
                return false;
            }
            true
        });
        self.old = old;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_a_plain_map_says() {
        let mut numbers = Numbers::default();
        let mut plain = HashMap::new();
        for turn in 0..20_000_u32 {
            let id = numbers.give(turn % 7_919);
            assert_eq!(id, u64::from(turn) + 1);
            plain.insert(id, turn % 7_919);
            // Every third stays for long, the others for 100 turns, and a few for ever.
            for gone in [id.checked_sub(100).filter(|id| id % 3 != 0), id.checked_sub(6_000)].into_iter().flatten() {
                if gone % 50 != 0 && plain.remove(&gone).is_some() {
                    numbers.remove(gone);
                }
            }
        }
        for id in 0..20_100 {
            assert_eq!(numbers.get(id), plain.get(&id).copied(), "{id}");
        }
        assert!(numbers.ring.len() < 16_384 && !numbers.old.is_empty(), "both parts were used: {}", numbers.ring.len());
    }
}
