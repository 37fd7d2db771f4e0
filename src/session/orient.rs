//! Who began: a cascade of evidence, strongest first. The method that decided is kept, since a guess must look like one.

use std::sync::LazyLock;

use super::conversation::Session;
use super::key::{Key, Way};
use crate::record::amplification::{Exposure, amp_port};
use crate::record::services::{self, TCP, UDP};
use crate::record::special::is_outside;

/// What decided who the initiator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// One side sent a SYN without ACK.
    Syn,
    /// One side sent SYN-ACK: the other began.
    SynAck,
    /// Exactly one port belongs to a known service.
    Service,
    /// Several others talk to one side, and fewer to the other.
    Learned,
    /// One side began earlier, within one interface and capture window.
    Time,
    /// The ports are of different classes: below 1,024, 32,768 or 49,152.
    PortClass,
    /// The lower port is taken for the server's.
    LowPort,
    /// The ports say nothing; the private side is taken for the client.
    Perimeter,
    /// Nothing decides. The lower endpoint is called the client.
    Undecided,
}

impl Method {
    /// The code word used in output and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Syn => "syn",
            Method::SynAck => "synack",
            Method::Service => "service",
            Method::Learned => "learned",
            Method::Time => "time",
            Method::PortClass => "portclass",
            Method::LowPort => "lowport",
            Method::Perimeter => "perimeter",
            Method::Undecided => "undecided",
        }
    }

    /// Whether it is evidence rather than a guess.
    pub fn is_strong(self) -> bool {
        matches!(self, Method::Syn | Method::SynAck | Method::Service | Method::Learned)
    }

    /// Whether what others say of the two ends is better evidence.
    pub(super) fn yields_to_learned(self) -> bool {
        matches!(self, Method::Time | Method::PortClass | Method::LowPort)
    }
}

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;

/// The direction of the request, and what decided it. Depends only on what the session holds, never on the order in which it came.
pub(super) fn orient(session: &Session) -> (Way, Method) {
    let key = &session.key();
    let ways = [Way::AtoB, Way::BtoA];
    let flags = ways.map(|way| session.flags(way));
    // Flags are OR-ed over a window: a client shows SYN alone, a server SYN with ACK. Both sides alone would be a simultaneous open.
    let syn = flags.map(|flags| flags & SYN_ACK == SYN);
    let syn_ack = flags.map(|flags| flags & SYN_ACK == SYN_ACK);
    match (syn, syn_ack) {
        ([true, false], _) => return (Way::AtoB, Method::Syn),
        ([false, true], _) => return (Way::BtoA, Method::Syn),
        (_, [true, false]) => return (Way::BtoA, Method::SynAck),
        (_, [false, true]) => return (Way::AtoB, Method::SynAck),
        _ => {}
    }
    if let Some(way) = by_service(key) {
        return (way, Method::Service);
    }
    let (Some(a), Some(b)) = (key.a.1, key.b.1) else { return without_ports(session, key) };
    match (a == b, session.earlier()) {
        // The same port on both sides (NTP, IKE, WireGuard) has no server. For UDP not even time says who began.
        (true, _) if key.protocol == UDP => (Way::AtoB, Method::Undecided),
        (true, _) => without_ports(session, key),
        (false, Some(way)) => (way, Method::Time),
        (false, None) => by_port(a, b),
    }
}

/// Whether it says something of a server that several others talk to it on these ports: not where they say enough themselves, and never where
/// they are the same.
pub(super) fn may_learn(key: &Key) -> bool {
    key.a.1.is_some() && key.b.1.is_some() && key.a.1 != key.b.1 && by_service(key).is_none()
}

fn by_service(key: &Key) -> Option<Way> {
    let (a, b) = (key.a.1?, key.b.1?);
    match (is_service(a, key.protocol), is_service(b, key.protocol)) {
        (false, true) => Some(Way::AtoB),
        (true, false) => Some(Way::BtoA),
        // A spoofed sender likes to use 80, 443 or 53: the port that fewer clients have any business with is the server's.
        (true, true) if key.protocol == UDP => match (rank(a, b), rank(b, a)) {
            (ours, theirs) if ours.max(theirs) < SERVES => None,
            (ours, theirs) if ours < theirs => Some(Way::AtoB),
            (ours, theirs) if ours > theirs => Some(Way::BtoA),
            _ => None,
        },
        _ => None,
    }
}

/// Of ICMP, ESP and the like: who began earlier, and to begin with whether both sides spoke at all.
fn without_ports(session: &Session, key: &Key) -> (Way, Method) {
    let only = [Way::AtoB, Way::BtoA].into_iter().find(|way| !session.saw(way.reversed()));
    if let Some(way) = only.or_else(|| session.earlier()) {
        return (way, Method::Time);
    }
    match (is_outside(key.a.0), is_outside(key.b.0)) {
        (false, true) => (Way::AtoB, Method::Perimeter),
        (true, false) => (Way::BtoA, Method::Perimeter),
        _ => (Way::AtoB, Method::Undecided),
    }
}

fn by_port(a: u16, b: u16) -> (Way, Method) {
    for class in [1_024, 32_768, 49_152] {
        match (a < class, b < class) {
            (false, true) => return (Way::AtoB, Method::PortClass),
            (true, false) => return (Way::BtoA, Method::PortClass),
            _ => {}
        }
    }
    (if a > b { Way::AtoB } else { Way::BtoA }, Method::LowPort)
}

/// Least [`rank`] that says a port is a server's.
const SERVES: u8 = 2;

/// How sure it is that UDP `port` is a server's when `other` is a service's too. A resolver may ask from any port from 1,024 up, so what is
/// there says nothing beside 53.
fn rank(port: u16, other: u16) -> u8 {
    const WEB: [u16; 2] = [80, 443];
    match amp_port(port).map(|row| row.exposure) {
        Some(Exposure::NeverPublic) => 3,
        _ if WEB.contains(&port) => 0,
        Some(_) if port < 1_024 && port != 53 => SERVES,
        Some(Exposure::Admin | Exposure::Game) if WEB.contains(&other) => SERVES,
        _ => 1,
    }
}

/// Whether servers of a known service listen on `port`.
fn is_service(port: u16, protocol: u8) -> bool {
    // Asked twice a record: a bit for each port, made once, instead of a search.
    static KNOWN: LazyLock<[Vec<u64>; 2]> = LazyLock::new(|| {
        [TCP, UDP].map(|protocol| {
            let known =
                |port| services::service(port, protocol).is_some() || (protocol == UDP && amp_port(port).is_some());
            let word = |word: u16| (0..64).fold(0, |bits, bit| bits | u64::from(known(word * 64 + bit)) << bit);
            (0..=u16::MAX / 64).map(word).collect()
        })
    });
    let known = match protocol {
        TCP => &KNOWN[0],
        UDP => &KNOWN[1],
        _ => return false,
    };
    known[usize::from(port / 64)] >> (port % 64) & 1 == 1
}
