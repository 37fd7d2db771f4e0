//! What makes two records one conversation.

use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;

use crate::record::{Flow, NameId};

/// An address and a port; the port is absent where the record has none (ESP, `-`), which is not port 0.
pub type Endpoint = (IpAddr, Option<u16>);

/// The symmetric key of a conversation: both directions and every observing interface share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// VPC or account, since private addresses repeat between them.
    pub scope: NameId,
    /// IANA protocol number.
    pub protocol: u8,
    /// The lower endpoint.
    pub a: Endpoint,
    /// The higher endpoint.
    pub b: Endpoint,
}

/// A direction of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the lower endpoint to the higher.
    AtoB,
    /// From the higher endpoint to the lower.
    BtoA,
}

impl Way {
    /// 0 for [`Way::AtoB`], 1 for [`Way::BtoA`].
    pub fn index(self) -> usize {
        usize::from(self == Way::BtoA)
    }

    /// The other direction.
    #[must_use]
    pub fn reversed(self) -> Way {
        if self == Way::AtoB { Way::BtoA } else { Way::AtoB }
    }
}

impl Key {
    /// The key of `flow`, and which way it goes.
    pub fn of(flow: &Flow) -> (Key, Way) {
        let (src, dst) = ((flow.src, flow.src_port), (flow.dst, flow.dst_port));
        let (a, b, way) = if src <= dst { (src, dst, Way::AtoB) } else { (dst, src, Way::BtoA) };
        (Key { scope: flow.scope, protocol: flow.protocol, a, b }, way)
    }
}

/// A key as the table compares and hashes it, for every record: IPv4 addresses as numbers, ports apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// IPv4 addresses of the lower and the higher endpoint; of others a digest.
    pub(super) ends: [u32; 2],
    pub(super) ports: [Option<u16>; 2],
    pub(super) scope: NameId,
    pub(super) protocol: u8,
    /// The addresses, unless both are IPv4.
    pub(super) wide: Option<[IpAddr; 2]>,
}

impl Packed {
    /// The key of `flow`, and which way it goes: what [`Key::of`] says.
    pub(super) fn of(flow: &Flow) -> (Packed, Way) {
        if let (IpAddr::V4(src), IpAddr::V4(dst)) = (flow.src, flow.dst) {
            let (src, dst) = ((src.to_bits(), flow.src_port), (dst.to_bits(), flow.dst_port));
            let (a, b, way) = if src <= dst { (src, dst, Way::AtoB) } else { (dst, src, Way::BtoA) };
            let (ends, ports) = ([a.0, b.0], [a.1, b.1]);
            return (Packed { ends, ports, scope: flow.scope, protocol: flow.protocol, wide: None }, way);
        }
        let (key, way) = Key::of(flow);
        let ends = [digest(key.a.0), digest(key.b.0)];
        let wide = Some([key.a.0, key.b.0]);
        (Packed { ends, ports: [key.a.1, key.b.1], scope: key.scope, protocol: key.protocol, wide }, way)
    }

    /// Its hash. `state` has a random seed, since senders choose the keys.
    pub(super) fn hash(&self, state: &foldhash::quality::RandomState) -> u32 {
        let mut hasher = state.build_hasher();
        hasher.write_u64(u64::from(self.ends[0]) << 32 | u64::from(self.ends[1]));
        let [a, b] = self.ports.map(|port| port.map_or(0, |port| u64::from(port) + 1));
        hasher.write_u64(a << 40 | b << 16 | u64::from(self.protocol));
        self.scope.hash(&mut hasher);
        for addr in self.wide.iter().flatten() {
            hasher.write_u128(bits(*addr));
        }
        let hash = hasher.finish();
        // All of a hash of good quality is good; half of it is enough to tell a few million keys apart before they are compared.
        (hash >> 32) as u32
    }
}

/// An address as a number. An IPv4 address and the IPv6 address of the same number are told apart by `Eq`.
fn bits(addr: IpAddr) -> u128 {
    match addr {
        IpAddr::V4(addr) => addr.to_bits().into(),
        IpAddr::V6(addr) => addr.to_bits(),
    }
}

/// Something of an address that tells most of them apart.
fn digest(addr: IpAddr) -> u32 {
    let bytes = bits(addr).to_be_bytes();
    bytes.chunks_exact(4).fold(0, |digest, part| digest ^ u32::from_be_bytes([part[0], part[1], part[2], part[3]]))
}
