//! What makes two records one conversation.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use crate::record::{Flow, NameId};

/// An address and a port.
pub type Endpoint = (IpAddr, u16);

/// The symmetric key of a conversation: both directions and every observing interface share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Few wide words instead of many bytes: the key is hashed for every record.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(bits(self.a.0));
        state.write_u128(bits(self.b.0));
        state.write_u64(u64::from(self.a.1) << 32 | u64::from(self.b.1) << 16 | u64::from(self.protocol));
        self.scope.hash(state);
    }
}

/// An address as a number. An IPv4 address and the IPv6 address of the same number are told apart by `Eq`.
fn bits(addr: IpAddr) -> u128 {
    match addr {
        IpAddr::V4(addr) => addr.to_bits().into(),
        IpAddr::V6(addr) => addr.to_bits(),
    }
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
