//! What records say of interfaces beside what they log: under which address of its own an interface logs others, and which is a gateway.
//!
//! An interface logs its own address where the packet has another: of a pod, of a secondary address, of a host behind a NAT gateway. From an
//! ingress packet to a public address that the interface logs as its own it follows that the interface passes on what is not for it. That the
//! addresses differ is not enough, since every Kubernetes node shows that. An interface of an instance (a NAT instance, a firewall) also speaks for
//! itself, which one of a NAT gateway never does.

use std::collections::HashMap;
use std::net::IpAddr;

use super::flow::{Flow, NameId};
use super::special::is_public;

/// Interfaces of which something is remembered. Every node of a large cluster is one; a hostile log makes up more.
const MAX: usize = 65_536;
/// Interfaces that count as gateways: a handful in each VPC.
const MAX_GATEWAYS: usize = 1_024;

/// How the addresses of a record relate to those of its packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses(u8);

impl Addresses {
    /// The record has packet addresses.
    pub const PACKET: Addresses = Addresses(1);
    /// The interface logged its own address in the place of the packet's source.
    pub const SOURCE: Addresses = Addresses(2);
    /// The same of its destination.
    pub const DESTINATION: Addresses = Addresses(4);

    /// Both of what one and the other say.
    #[must_use]
    pub fn with(self, other: Addresses) -> Addresses {
        Addresses(self.0 | other.0)
    }

    /// Whether it says all that `other` says.
    pub fn says(self, other: Addresses) -> bool {
        self.0 & other.0 == other.0
    }

    /// As three bits.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Of what [`Addresses::bits`] gave.
    pub fn of_bits(bits: u8) -> Addresses {
        Addresses(bits & 7)
    }
}

/// What is known of one interface.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Its own IPv4 and IPv6 address, which it logs for others. Of several, which no real interface has, the least.
    own: [Option<IpAddr>; 2],
    /// It passes on what is for others.
    gateway: bool,
    /// It belongs to an instance, which may speak for itself as well.
    instance: bool,
}

/// What is known of interfaces, by their numbers.
#[derive(Clone, Debug, Default)]
pub struct Interfaces {
    known: HashMap<NameId, Known, foldhash::fast::RandomState>,
    gateways: usize,
    /// Changes of what is known of gateways.
    changes: u64,
}

impl Interfaces {
    /// Learns from a record in which the interface logged `logged` (source, destination), its own address in the place of one of the packet's.
    pub(super) fn learn(&mut self, flow: &Flow, logged: [IpAddr; 2]) {
        let ends = [(Addresses::SOURCE, flow.src, logged[0]), (Addresses::DESTINATION, flow.dst, logged[1])];
        for (which, packet, own) in ends {
            if !flow.addresses.says(which) || (self.known.len() >= MAX && !self.known.contains_key(&flow.interface)) {
                continue;
            }
            let known = self.known.entry(flow.interface).or_default();
            let place = &mut known.own[usize::from(own.is_ipv6())];
            if place.is_none_or(|known| own < known) {
                *place = Some(own);
                self.changes += u64::from(known.gateway);
            }
            if which == Addresses::DESTINATION && is_public(packet) && !is_public(own) {
                self.is_a_gateway(flow.interface);
            }
        }
    }

    /// Remembers that an interface passes on what is for others.
    pub fn is_a_gateway(&mut self, interface: NameId) {
        if self.gateways >= MAX_GATEWAYS || (self.known.len() >= MAX && !self.known.contains_key(&interface)) {
            return;
        }
        let known = self.known.entry(interface).or_default();
        if !std::mem::replace(&mut known.gateway, true) {
            self.gateways += 1;
            self.changes += 1;
        }
    }

    /// The address of its own that `interface` logs where packets have another of the kind of `like`.
    pub fn own(&self, interface: NameId, like: IpAddr) -> Option<IpAddr> {
        self.known.get(&interface)?.own[usize::from(like.is_ipv6())]
    }

    /// Whether `interface` passes on what is for others.
    pub fn passes_on(&self, interface: NameId) -> bool {
        self.gateways > 0 && self.known.get(&interface).is_some_and(|known| known.gateway)
    }

    /// Remembers that an interface belongs to an instance.
    pub(super) fn is_of_an_instance(&mut self, interface: NameId) {
        if let Some(known) = self.known.get_mut(&interface)
            && !std::mem::replace(&mut known.instance, true)
        {
            self.changes += u64::from(known.gateway);
        }
    }

    /// Whether `interface` belongs to an instance, so that what it sends under its own address may be its own.
    pub fn speaks_for_itself(&self, interface: NameId) -> bool {
        self.known.get(&interface).is_some_and(|known| known.instance)
    }

    /// Interfaces that pass on what is for others.
    pub fn gateways(&self) -> usize {
        self.gateways
    }

    /// Grows with every change of what is known of gateways.
    pub fn changes(&self) -> u64 {
        self.changes
    }
}
