//! Who serves, learned from how many talk to it: an endpoint that several others had conversations with, each from a port of its own, is the
//! server of all of them.
//!
//! What is known of an endpoint is the earliest few of its peers, with the time of each. So what it says about a session, whose time bounds what
//! counts, does not depend on the order in which records came, as long as no endpoint had to be forgotten for want of room.

use std::hash::BuildHasher;
use std::net::IpAddr;

use super::key::{Key, Way};

/// Endpoints of a bucket.
const WAYS: usize = 4;
/// Peers of an endpoint that are told apart: enough for twice the least number that decides.
const PEERS: usize = 6;
/// Least peers of a server.
const LEAST: usize = 3;

/// An endpoint and the earliest of its peers, as hashes with random seeds.
#[derive(Clone, Copy, Debug, Default)]
struct Endpoint {
    /// 0 for none.
    hash: u64,
    /// Earliest time of each peer, Unix seconds; sorted.
    peers: [(u32, u32); PEERS],
    count: u8,
}

impl Endpoint {
    fn note(&mut self, peer: u32, time: u32) {
        let known = &mut self.peers[..usize::from(self.count)];
        if let Some(known) = known.iter_mut().find(|(_, known)| *known == peer) {
            known.0 = known.0.min(time);
        } else if usize::from(self.count) < PEERS {
            self.peers[usize::from(self.count)] = (time, peer);
            self.count += 1;
        } else if self.peers[PEERS - 1] > (time, peer) {
            self.peers[PEERS - 1] = (time, peer);
        }
        self.peers[..usize::from(self.count)].sort_unstable();
    }
}

/// Endpoints that had conversations, bounded.
#[derive(Debug, Default)]
pub(super) struct FanIn {
    buckets: Vec<[Endpoint; WAYS]>,
    most: usize,
    seed: foldhash::quality::RandomState,
}

impl FanIn {
    /// A memory of at most `bytes` bytes.
    pub(super) fn new(bytes: usize) -> FanIn {
        let most = 1 << (bytes / size_of::<[Endpoint; WAYS]>()).max(1).ilog2();
        FanIn { buckets: Vec::new(), most, seed: foldhash::quality::RandomState::default() }
    }

    /// The two ends of a conversation of this key talked to each other at `time`.
    pub(super) fn note(&mut self, key: &Key, time: i64) {
        let time = u32::try_from(time.max(0)).unwrap_or(u32::MAX);
        let ends = self.ends(key);
        for (own, other) in [(ends[0], ends[1]), (ends[1], ends[0])] {
            self.endpoint(own).note((other >> 32) as u32, time);
        }
    }

    /// The direction of the request in a conversation of this key, as far as what was known at `time` says.
    pub(super) fn request(&self, key: &Key, time: i64) -> Option<Way> {
        if self.buckets.is_empty() {
            return None;
        }
        let [a, b] = self.ends(key).map(|end| self.peers(end, time));
        match (a >= LEAST && a >= 2 * b, b >= LEAST && b >= 2 * a) {
            (true, _) => Some(Way::BtoA),
            (_, true) => Some(Way::AtoB),
            _ => None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<[Endpoint; WAYS]>()
    }

    fn ends(&self, key: &Key) -> [u64; 2] {
        [key.a, key.b].map(|(addr, port): (IpAddr, _)| {
            // 0 is an empty place.
            self.seed.hash_one((key.scope, key.protocol, addr, port)).max(1)
        })
    }

    fn peers(&self, end: u64, time: i64) -> usize {
        let known = self.buckets[self.bucket(end)].iter().find(|known| known.hash == end);
        known.map_or(0, |known| {
            let peers = &known.peers[..usize::from(known.count)];
            peers.iter().filter(|(first, _)| i64::from(*first) <= time).count()
        })
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are what is asked for")]
    fn bucket(&self, end: u64) -> usize {
        end as usize & (self.buckets.len() - 1)
    }

    /// The place of an endpoint, made where it has none: of a full bucket the one with the fewest peers goes, so that ports which talk once do
    /// not push out a server.
    fn endpoint(&mut self, end: u64) -> &mut Endpoint {
        loop {
            if self.buckets.is_empty() {
                self.buckets = vec![[Endpoint::default(); WAYS]; self.most.min(64)];
            }
            let bucket = self.bucket(end);
            let ways = &self.buckets[bucket];
            let place = ways.iter().position(|known| known.hash == end);
            let place = place.or_else(|| ways.iter().position(|known| known.hash == 0));
            if place.is_none() && self.buckets.len() < self.most {
                self.grow();
                continue;
            }
            let least = || (0..WAYS).min_by_key(|way| ways[*way].count).unwrap_or(0);
            let place = place.unwrap_or_else(least);
            let known = &mut self.buckets[bucket][place];
            if known.hash != end {
                *known = Endpoint { hash: end, ..Endpoint::default() };
            }
            return known;
        }
    }

    fn grow(&mut self) {
        let twice = vec![[Endpoint::default(); WAYS]; self.buckets.len() * 2];
        for known in std::mem::replace(&mut self.buckets, twice).into_iter().flatten().filter(|known| known.hash != 0) {
            let bucket = self.bucket(known.hash);
            // A bucket becomes two: there is room.
            if let Some(free) = self.buckets[bucket].iter_mut().find(|free| free.hash == 0) {
                *free = known;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Names;

    fn key(a: [u8; 4], a_port: u16, b: [u8; 4], b_port: u16) -> Key {
        Key { scope: Names::NONE, protocol: 6, a: (a.into(), Some(a_port)), b: (b.into(), Some(b_port)) }
    }

    #[test]
    fn three_peers_make_a_server_and_only_from_when_they_were_there() {
        let mut fan_in = FanIn::new(1 << 16);
        let keys = [1, 2, 3].map(|last| key([10, 0, 0, last], 40_000 + u16::from(last), [10, 0, 1, 1], 50_051));
        for (key, time) in keys.iter().zip([100, 200, 300]) {
            fan_in.note(key, time);
        }
        assert_eq!(fan_in.request(&keys[0], 299), None);
        assert_eq!(fan_in.request(&keys[0], 300), Some(Way::AtoB));
    }

    #[test]
    fn what_is_known_does_not_depend_on_the_order() {
        let keys: Vec<_> = (1..=9).map(|last| key([10, 0, 0, last], 40_000, [10, 0, 1, 1], 50_051)).collect();
        let (mut forth, mut back) = (FanIn::new(1 << 16), FanIn::new(1 << 16));
        for at in 0..9_usize {
            forth.note(&keys[at], 100 * i64::try_from(at).unwrap());
            back.note(&keys[8 - at], 100 * i64::try_from(8 - at).unwrap());
        }
        for time in (0..900).step_by(50) {
            assert_eq!(forth.request(&keys[0], time), back.request(&keys[0], time), "{time}");
        }
    }

    #[test]
    fn a_flood_of_ports_leaves_the_server_known() {
        let mut fan_in = FanIn::new(1 << 14);
        for last in 1..=6 {
            fan_in.note(&key([10, 0, 0, last], 40_000, [10, 0, 1, 1], 50_051), 100);
        }
        for port in 0..60_000 {
            fan_in.note(&key([10, 0, 2, 1], port, [10, 0, 3, 1], 60_000 - port), 200);
            assert!(fan_in.bytes() <= 1 << 14);
        }
        assert_eq!(fan_in.request(&key([10, 0, 0, 1], 40_000, [10, 0, 1, 1], 50_051), 300), Some(Way::AtoB));
    }
}
