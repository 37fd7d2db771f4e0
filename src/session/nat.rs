//! Sessions through NAT gateways, and addresses that an interface logged its own for.
//!
//! A gateway's interface logs both legs of what it passes on. With packet addresses the inner leg has the key of the host's own record, so that both
//! are one session; the outer leg has the gateway's own address and a port of its own, and stays a session apart.

use std::net::IpAddr;

use super::conversation::Session;
use super::key::Way;
use crate::record::{Addresses, NameId, Names};

/// Which leg of a gateway's traffic a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leg {
    /// Between a host and its peer, seen by the gateway too.
    Inside,
    /// Between the gateway's own address and the peer: the same traffic again.
    Outside,
    /// The same under the address of an instance that passes on for others: it may be its own traffic.
    Shared,
    /// The gateway's address stands for the host or the peer, and no inner leg with packet addresses says for whom.
    Masked,
}

impl Leg {
    /// The code word used in output and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Leg::Inside => "inside",
            Leg::Outside => "outside",
            Leg::Shared => "shared",
            Leg::Masked => "masked",
        }
    }
}

/// An address of packets for which an interface logged its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// The packet's address, which is an end of the session.
    pub packet: IpAddr,
    /// What the interface logged.
    pub logged: IpAddr,
    /// The interface.
    pub interface: NameId,
}

impl Session {
    /// Which leg it is of a gateway's traffic, and of which gateway: `None` where no gateway saw it.
    pub fn leg(&self, names: &Names) -> Option<(Leg, NameId)> {
        let known = names.interfaces();
        if known.gateways() == 0 {
            return None;
        }
        let ends = [self.client().0, self.server().0];
        let leg = |gateway: NameId| match known.own(gateway, ends[0]) {
            Some(own) if ends.contains(&own) && known.speaks_for_itself(gateway) => Leg::Shared,
            Some(own) if ends.contains(&own) => Leg::Outside,
            Some(_) if self.has_packet_addresses() => Leg::Inside,
            _ => Leg::Masked,
        };
        let gateways =
            self.interfaces().map(|(interface, _)| interface).filter(|interface| known.passes_on(*interface));
        // Two gateways one after the other: what is outside for one is counted inside already.
        gateways.map(|gateway| (leg(gateway), gateway)).min_by_key(|(leg, gateway)| (*leg != Leg::Outside, *gateway))
    }

    /// Whether its addresses are known to be those of the packets.
    pub fn has_packet_addresses(&self) -> bool {
        self.addresses().any(|(_, _, addresses)| addresses.says(Addresses::PACKET))
    }

    /// The ends for which an interface logged its own address.
    pub fn stand_ins(&self, names: &Names) -> Vec<StandIn> {
        let mut found: Vec<StandIn> = Vec::new();
        let key = self.key();
        for (interface, way, addresses) in self.addresses() {
            let (src, dst) = if way == Way::AtoB { (key.a.0, key.b.0) } else { (key.b.0, key.a.0) };
            for (which, packet) in [(Addresses::SOURCE, src), (Addresses::DESTINATION, dst)] {
                if addresses.says(which)
                    && let Some(logged) = names.interfaces().own(interface, packet)
                {
                    let one = StandIn { packet, logged, interface };
                    if !found.contains(&one) {
                        found.push(one);
                    }
                }
            }
        }
        found
    }
}
