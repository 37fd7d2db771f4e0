//! All that is held about one address or one interface: gathered by a pass over the sessions, in slices, so that no frame waits for it.
//!
//! Sums are those of sessions, in which traffic that two interfaces logged is counted once. Of an interface only what it saw itself counts.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use super::conversations::{Chunks, Held, Place};
use super::core::Core;
use crate::detect::Alert;
use crate::record::{Cell, NameId, Names, Value};
use crate::session::key::Way;
use crate::session::{Session, SessionTable};

/// Addresses and ports that are told apart.
const MAX_ENTRIES: usize = 65_536;
/// Peers listed.
const PEERS: usize = 500;
/// Ports and interfaces listed.
const PORTS: usize = 250;
/// Alerts listed.
const ALERTS: usize = 25;

mod behind;
pub use behind::Behind;
use behind::Counted;

/// What is told about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An address.
    Address(IpAddr),
    /// A network interface.
    Interface(Arc<str>),
}

/// Bytes and packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

impl Volume {
    fn add(&mut self, bytes: u64, packets: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.packets = self.packets.saturating_add(packets);
    }
}

/// An address and what it exchanged with the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address.
    pub addr: IpAddr,
    /// Bytes that it sent.
    pub sent: u64,
    /// Bytes that it received.
    pub received: u64,
    /// Sessions.
    pub sessions: u64,
    /// Sessions of which something was rejected.
    pub rejected: u64,
    /// When it was first seen in what is held, Unix seconds, and whether something is held of the ten minutes before.
    pub first: Option<(i64, bool)>,
}

/// A responder's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortUse {
    /// IANA protocol number.
    pub protocol: u8,
    /// The port; 0 where the protocol has none.
    pub port: u16,
    /// Bytes of both directions.
    pub bytes: u64,
    /// Sessions.
    pub sessions: u64,
    /// Sessions of which something was rejected.
    pub rejected: u64,
}

/// What is known of an address or an interface.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Of which.
    pub subject: Subject,
    /// The address that the subject speaks with: itself, or what most sessions of the interface have in common.
    pub own: Option<IpAddr>,
    /// Least start and greatest end, Unix seconds.
    pub seen: Option<(i64, i64)>,
    /// Sessions.
    pub sessions: u64,
    /// Sessions that it began.
    pub begun: u64,
    /// Flow records of these sessions.
    pub records: u64,
    /// Records accepted.
    pub accepted: u64,
    /// Records rejected.
    pub rejected: u64,
    /// What it received.
    pub received: Volume,
    /// What it sent.
    pub sent: Volume,
    /// Most bytes first.
    pub peers: Vec<Peer>,
    /// Peers, those not listed included.
    pub peer_count: u64,
    /// Ports on which it answers, most bytes first.
    pub served: Vec<PortUse>,
    /// Ports of others that it uses, most bytes first.
    pub used: Vec<PortUse>,
    /// Interfaces that saw it, with the sessions of each, most first.
    pub interfaces: Vec<(Arc<str>, u64)>,
    /// VPCs or accounts in which the address is used: the same private address in two of them is two hosts.
    pub scopes: usize,
    /// Alerts about it: open before closed, worst first.
    pub alerts: Vec<Arc<Alert>>,
    /// What interfaces logged of their own where packets have this address, or where the interface stands for others.
    pub behind: Behind,
    /// Sessions whose peer or port is not told apart for want of room.
    pub left_out: u64,
    /// Share of the sessions looked at.
    pub progress: f32,
}

#[derive(Clone, Copy, Debug, Default)]
struct End {
    sent: Volume,
    received: Volume,
    sessions: u64,
    begun: u64,
    rejected: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Port {
    bytes: u64,
    sessions: u64,
    rejected: u64,
}

/// A pass over the sessions for one subject.
#[derive(Debug)]
pub(super) struct ProfileScan {
    subject: Subject,
    place: Place,
    ends: HashMap<IpAddr, End, foldhash::quality::RandomState>,
    /// By the responder, the protocol and its port.
    ports: HashMap<(IpAddr, u8, u16), Port, foldhash::quality::RandomState>,
    interfaces: HashMap<NameId, u64, foldhash::fast::RandomState>,
    scopes: Vec<NameId>,
    behind: Counted,
    seen: Option<(i64, i64)>,
    sessions: u64,
    records: u64,
    accepted: u64,
    rejected: u64,
    left_out: u64,
}

impl ProfileScan {
    pub(super) fn new(subject: Subject) -> ProfileScan {
        ProfileScan {
            subject,
            place: Place::default(),
            ends: HashMap::default(),
            ports: HashMap::default(),
            interfaces: HashMap::default(),
            scopes: Vec::new(),
            behind: Counted::default(),
            seen: None,
            sessions: 0,
            records: 0,
            accepted: 0,
            rejected: 0,
            left_out: 0,
        }
    }

    /// Looks at about `budget` sessions. Gives how many it looked at.
    pub(super) fn step(&mut self, held: Held<'_>, budget: usize) -> usize {
        let interface = match &self.subject {
            Subject::Interface(name) => held.names.find(name),
            Subject::Address(_) => None,
        };
        let mut place = self.place;
        let looked = place.step(held, budget, 1, |row| self.look(row.row.session, interface, held.names));
        self.place = place;
        looked
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    fn look(&mut self, session: &Session, interface: Option<NameId>, names: &Names) {
        let key = session.key();
        let totals = match &self.subject {
            Subject::Address(addr) if key.a.0 == *addr || key.b.0 == *addr => {
                [Way::AtoB, Way::BtoA].map(|way| session.totals(way))
            }
            Subject::Interface(_) => match interface.and_then(|interface| session.observed(interface)) {
                Some(totals) => totals,
                None => return,
            },
            Subject::Address(_) => return,
        };
        self.sessions += 1;
        self.behind.look(session, &self.subject, interface, names);
        let (mut accepts, mut rejects) = (0, 0);
        for (observer, _, accepted, rejected) in session.decisions() {
            if interface.is_none_or(|interface| interface == observer) {
                accepts += u64::from(accepted);
                rejects += u64::from(rejected);
            }
        }
        // Records of the other observers are not the interface's own.
        let all = u64::from(session.records);
        self.records += if interface.is_some() { (accepts + rejects).min(all) } else { all };
        self.accepted += accepts;
        self.rejected += rejects;
        let (first, last) = self.seen.unwrap_or((session.first, session.last));
        self.seen = Some((first.min(session.first), last.max(session.last)));
        for (interface, _) in session.interfaces() {
            *self.interfaces.entry(interface).or_default() += 1;
        }
        // A handful at most in any real log; of more it is enough to know that there are many.
        if self.scopes.len() < 16 && !self.scopes.contains(&session.scope()) {
            self.scopes.push(session.scope());
        }
        let client = session.client().0;
        let mut whole = true;
        // A host that talks to itself is one end.
        let ends = if key.a.0 == key.b.0 { 1 } else { 2 };
        let sides = [(key.a.0, totals[0], totals[1]), (key.b.0, totals[1], totals[0])];
        for (addr, sent, received) in sides.into_iter().take(ends) {
            let Some(end) = entry(&mut self.ends, addr) else {
                whole = false;
                continue;
            };
            end.sent.add(sent.bytes, sent.packets);
            end.received.add(received.bytes, received.packets);
            end.sessions += 1;
            end.begun += u64::from(addr == client);
            end.rejected += u64::from(rejects > 0);
        }
        let server = session.server();
        // Without ports nothing is served on one.
        let port = server.1.map(|port| entry(&mut self.ports, (server.0, session.protocol(), port)));
        match port {
            Some(Some(port)) => {
                port.bytes = port.bytes.saturating_add(totals[0].bytes).saturating_add(totals[1].bytes);
                port.sessions += 1;
                port.rejected += u64::from(rejects > 0);
            }
            Some(None) => whole = false,
            None => {}
        }
        self.left_out += u64::from(!whole);
    }

    /// What was found so far.
    pub(super) fn profile(&self, chunks: &Chunks, names: &Names) -> Profile {
        let own = match &self.subject {
            Subject::Address(addr) => Some(*addr),
            Subject::Interface(_) => self
                .ends
                .iter()
                .max_by_key(|(addr, end)| (end.sessions, std::cmp::Reverse(**addr)))
                .map(|(addr, _)| *addr),
        };
        let mine = own.and_then(|own| self.ends.get(&own)).copied().unwrap_or_default();
        let mut peers: Vec<Peer> = self
            .ends
            .iter()
            .filter(|(addr, _)| Some(**addr) != own)
            .map(|(addr, end)| Peer {
                addr: *addr,
                sent: end.sent.bytes,
                received: end.received.bytes,
                sessions: end.sessions,
                rejected: end.rejected,
                first: None,
            })
            .collect();
        let peer_count = peers.len() as u64;
        peers.sort_unstable_by_key(|peer| {
            (std::cmp::Reverse((peer.sent.saturating_add(peer.received), peer.sessions)), peer.addr)
        });
        peers.truncate(PEERS);
        let mut interfaces: Vec<(Arc<str>, u64)> = self
            .interfaces
            .iter()
            .map(|(id, sessions)| (Arc::clone(names.name(*id)), *sessions))
            .filter(|(name, _)| !name.is_empty())
            .collect();
        interfaces.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        interfaces.truncate(PORTS);
        Profile {
            subject: self.subject.clone(),
            own,
            seen: self.seen,
            sessions: self.sessions,
            begun: mine.begun,
            records: self.records,
            accepted: self.accepted,
            rejected: self.rejected,
            received: mine.received,
            sent: mine.sent,
            peers,
            peer_count,
            served: self.ports(|server| Some(server) == own),
            used: self.ports(|server| Some(server) != own),
            interfaces,
            scopes: self.scopes.len(),
            behind: self.behind.told(names),
            alerts: Vec::new(),
            left_out: self.left_out,
            progress: self.place.progress(chunks),
        }
    }

    fn ports(&self, of: impl Fn(IpAddr) -> bool) -> Vec<PortUse> {
        let mut sums: HashMap<(u8, u16), Port, foldhash::fast::RandomState> = HashMap::default();
        for ((server, protocol, port), sum) in &self.ports {
            if of(*server) {
                let all = sums.entry((*protocol, *port)).or_default();
                all.bytes = all.bytes.saturating_add(sum.bytes);
                all.sessions += sum.sessions;
                all.rejected += sum.rejected;
            }
        }
        let mut ports: Vec<PortUse> = sums
            .into_iter()
            .map(|((protocol, port), sum)| PortUse {
                protocol,
                port,
                bytes: sum.bytes,
                sessions: sum.sessions,
                rejected: sum.rejected,
            })
            .collect();
        ports.sort_unstable_by_key(|port| (std::cmp::Reverse((port.bytes, port.sessions)), port.protocol, port.port));
        ports.truncate(PORTS);
        ports
    }
}

/// The entry of `key`, made where there is room for it.
fn entry<K: Eq + Hash, V: Default, S: std::hash::BuildHasher>(map: &mut HashMap<K, V, S>, key: K) -> Option<&mut V> {
    if map.len() >= MAX_ENTRIES && !map.contains_key(&key) {
        return None;
    }
    Some(map.entry(key).or_default())
}

impl Core {
    /// The profile that was asked for, as far as the pass has come; the last complete one while a newer is on its way.
    pub(super) fn profile(&mut self) -> Option<Arc<Profile>> {
        let wanted = self.look.spec.profile.clone()?;
        let chunks = match &self.look.frozen {
            Some(frozen) => &frozen.chunks[..],
            None => self.sessions.chunks(),
        };
        let mut profile = match (&self.look.profile.done, &self.look.profile.running) {
            (Some(done), _) => Profile::clone(done),
            (None, Some(running)) => running.profile(chunks, &self.names),
            (None, None) => return None,
        };
        let mut alerts: Vec<Arc<Alert>> =
            self.alerts.iter().filter(|alert| is_about(alert, &wanted, &self.sessions, &self.names)).cloned().collect();
        alerts.sort_by_key(|alert| (alert.closed, std::cmp::Reverse((alert.level, alert.last, alert.id))));
        alerts.truncate(ALERTS);
        profile.alerts = alerts;
        profile.peers.iter_mut().for_each(|peer| peer.first = self.firsts.address(peer.addr));
        Some(Arc::new(profile))
    }
}

/// Whether the group of an alert names the subject, or the session that tipped it is one of its own.
fn is_about(alert: &Alert, subject: &Subject, sessions: &SessionTable, names: &Names) -> bool {
    let is_it = |cell: &Cell| match (cell.value(), subject) {
        (Some(Value::Addr(addr)), Subject::Address(wanted)) => addr == *wanted,
        (Some(Value::Text(text)), Subject::Interface(wanted)) => text == &**wanted,
        _ => false,
    };
    if alert.group.iter().any(|(_, cell)| is_it(cell)) {
        return true;
    }
    let Some(session) = alert.session.and_then(|id| sessions.get(id)) else { return false };
    match subject {
        Subject::Address(addr) => session.client().0 == *addr || session.server().0 == *addr,
        Subject::Interface(name) => session.interfaces().any(|(id, _)| names.name(id) == name),
    }
}
