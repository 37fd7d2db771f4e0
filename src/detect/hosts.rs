//! Since when each host of ours is known: what a baseline of its habits needs.

use std::net::IpAddr;

use super::bounded::Bounded;
use super::key::Key;

/// Hosts that are remembered; a host that falls out is a new one when it comes back, and so is learned again in silence.
const CAP: usize = 65_536;

/// See the module's text.
#[derive(Debug)]
pub(super) struct Hosts {
    /// Least start of any row with the address, Unix seconds.
    since: Bounded<IpAddr, i64>,
}

impl Hosts {
    pub(super) fn new() -> Self {
        Hosts { since: Bounded::new(CAP) }
    }

    /// Notes a host of ours in a session that began at `start`.
    pub(super) fn met(&mut self, addr: IpAddr, start: i64) {
        let since = self.since.get_or_insert(&addr, || (addr, start));
        *since = start.min(*since);
        self.since.take_dropped();
    }

    /// Hosts that are remembered.
    pub(super) fn len(&self) -> usize {
        self.since.len()
    }

    /// Since when the first of our hosts in a group's key is known.
    pub(super) fn since(&self, group: &[Key]) -> Option<i64> {
        group.iter().find_map(|key| match key {
            Key::Addr(addr) => self.since.get(addr).copied(),
            _ => None,
        })
    }
}
