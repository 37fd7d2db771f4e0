//! Numbers for IPv4 addresses: a table with room for twice as many as it holds, so that most look-ups touch one line of memory.

use std::hash::BuildHasher as _;

/// Entries to begin with.
const FIRST: usize = 1_024;

/// The place of each address in a dictionary.
#[derive(Clone, Debug)]
pub(super) struct Ipv4s {
    /// An address, and its place plus one; 0 where there is none. Their number is a power of two.
    slots: Box<[(u32, u32)]>,
    used: usize,
    /// Odd and not known outside, so that nobody can choose addresses that meet on one slot.
    factor: u64,
}

impl Default for Ipv4s {
    fn default() -> Ipv4s {
        let factor = foldhash::quality::RandomState::default().hash_one(0_u64) | 1;
        Ipv4s { slots: vec![(0, 0); FIRST].into(), used: 0, factor }
    }
}

impl Ipv4s {
    /// The place of `addr`, which is `next` where it is new.
    #[inline]
    pub(super) fn place(&mut self, addr: u32, next: usize) -> usize {
        let last = self.slots.len() - 1;
        let mut at = self.slot(addr);
        loop {
            let (known, place) = self.slots[at & last];
            if place == 0 {
                return self.insert(addr, at & last, next);
            }
            if known == addr {
                return place as usize - 1;
            }
            at += 1;
        }
    }

    #[inline]
    fn slot(&self, addr: u32) -> usize {
        let bits = self.slots.len().trailing_zeros();
        usize::try_from(u64::from(addr).wrapping_mul(self.factor) >> (64 - bits)).unwrap_or(0)
    }

    #[inline(never)]
    fn insert(&mut self, addr: u32, at: usize, next: usize) -> usize {
        self.slots[at] = (addr, u32::try_from(next + 1).unwrap_or(u32::MAX));
        self.used += 1;
        if self.used * 2 > self.slots.len() {
            let more = vec![(0, 0); self.slots.len() * 2].into();
            let slots = std::mem::replace(&mut self.slots, more);
            let last = self.slots.len() - 1;
            for (addr, place) in slots.into_iter().filter(|(_, place)| *place != 0) {
                let mut at = self.slot(addr);
                while self.slots[at & last].1 != 0 {
                    at += 1;
                }
                self.slots[at & last] = (addr, place);
            }
        }
        next
    }

    /// Forgets all, and keeps the room for as many.
    pub(super) fn clear(&mut self) {
        self.slots.fill((0, 0));
        self.used = 0;
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<(u32, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_address_has_one_place(addrs in prop::collection::vec(prop_oneof![0..50_u32, any::<u32>()], 0..3000)) {
            let mut ipv4s = Ipv4s::default();
            for _ in 0..2 {
                let mut known = indexmap::IndexSet::new();
                for addr in &addrs {
                    let place = ipv4s.place(*addr, known.len());
                    prop_assert_eq!(place, known.insert_full(*addr).0);
                }
                ipv4s.clear();
            }
        }
    }
}
