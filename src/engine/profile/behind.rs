//! Whether the addresses of a subject are those of packets, and what gateways have to do with it.

use std::net::IpAddr;
use std::sync::Arc;

use super::Subject;
use crate::record::{NameId, Names};
use crate::session::{Leg, Session};

/// Pairs of an address and an interface that are told apart.
const MAX: usize = 16;

/// What interfaces logged of their own in the place of packet addresses.
#[derive(Clone, Debug, Default)]
pub struct Behind {
    /// Addresses that interfaces logged of their own for the subject (or that the subject, an interface, logged for others), with the interface and
    /// the sessions, most first.
    pub logged: Vec<(IpAddr, Arc<str>, u64)>,
    /// Sessions without packet addresses.
    pub unsure: u64,
    /// Sessions that a gateway passed on, by leg: inside, and under the gateway's own address.
    pub inside: u64,
    /// See [`Behind::inside`].
    pub outside: u64,
    /// Sessions of which the log does not say for whom the gateway stands.
    pub masked: u64,
    /// The gateways, as far as they are told apart.
    pub gateways: Vec<Arc<str>>,
}

/// The same while it is counted.
#[derive(Debug, Default)]
pub(super) struct Counted {
    logged: Vec<(IpAddr, NameId, u64)>,
    gateways: Vec<NameId>,
    unsure: u64,
    inside: u64,
    outside: u64,
    masked: u64,
}

impl Counted {
    pub(super) fn look(&mut self, session: &Session, subject: &Subject, interface: Option<NameId>, names: &Names) {
        if !session.has_packet_addresses() {
            self.unsure += 1;
        }
        for one in session.stand_ins(names) {
            let is_it = match subject {
                Subject::Address(addr) => one.packet == *addr,
                Subject::Interface(_) => interface == Some(one.interface),
            };
            if !is_it {
                continue;
            }
            let known = self.logged.iter().position(|(addr, id, _)| (*addr, *id) == (one.logged, one.interface));
            match known {
                Some(place) => self.logged[place].2 += 1,
                None if self.logged.len() < MAX => self.logged.push((one.logged, one.interface, 1)),
                None => {}
            }
        }
        let Some((leg, gateway)) = session.leg(names) else { return };
        match leg {
            Leg::Inside => self.inside += 1,
            Leg::Outside | Leg::Shared => self.outside += 1,
            Leg::Masked => self.masked += 1,
        }
        if self.gateways.len() < MAX && !self.gateways.contains(&gateway) {
            self.gateways.push(gateway);
        }
    }

    pub(super) fn told(&self, names: &Names) -> Behind {
        let mut logged: Vec<_> =
            self.logged.iter().map(|(addr, id, sessions)| (*addr, Arc::clone(names.name(*id)), *sessions)).collect();
        logged.sort_unstable_by(|a, b| b.2.cmp(&a.2).then_with(|| (a.0, &a.1).cmp(&(b.0, &b.1))));
        let mut gateways: Vec<_> = self.gateways.iter().map(|id| Arc::clone(names.name(*id))).collect();
        gateways.sort_unstable();
        let (unsure, inside, outside, masked) = (self.unsure, self.inside, self.outside, self.masked);
        Behind { logged, unsure, inside, outside, masked, gateways }
    }
}
