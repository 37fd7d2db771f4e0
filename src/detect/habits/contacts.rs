//! Whether a host meets more strangers that do not answer than one who knows where to go would: the sequential test behind `trw`.
//!
//! Threshold random walk (Jung and others, 2004): each first contact with a server's port is a success or a failure; a host that is at home
//! succeeds four times of five, one that searches fails four times of five. So each outcome moves the logarithm of the likelihood by ln 4, and
//! both errors at 1 % mean a decision at ln 99 = 4.595: four failures in a row from where it last looked harmless.

use std::net::IpAddr;

use crate::detect::bounded::Bounded;
use crate::detect::key::{GroupKey, Key};
use crate::detect::window::{Contribution, Item};
use crate::record::{Field, Row, Value};

use foldhash::fast::RandomState;

/// Contacts that are kept of a group, the latest.
const KEPT: usize = 128;
/// How far one outcome moves the likelihood.
const STEP: f64 = 1.386_294_361_119_890_6;
/// Where a host counts as harmless, and the walk begins anew.
const HARMLESS: f64 = -4.595_119_850_134_59;

#[derive(Clone, Copy, Debug)]
struct Contact {
    at: i64,
    id: u64,
    to: (IpAddr, u16),
    failed: bool,
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Contacts {
    groups: Bounded<GroupKey, Vec<Contact>>,
    slot: usize,
    pub evicted: u64,
}

impl Contacts {
    pub(super) fn new(memory: usize, slot: usize) -> Contacts {
        let groups = (memory / 2 / (KEPT / 4 * size_of::<Contact>())).max(1_024);
        Contacts { groups: Bounded::new(groups), slot, evicted: 0 }
    }

    pub(super) fn add(&mut self, what: &Contribution) {
        let Some(Item::Contact(address, port, failed)) = what.items.get(self.slot) else { return };
        let contact = Contact { at: what.start, id: what.id, to: (*address, *port), failed: *failed };
        let contacts = self.groups.get_or_insert(&what.group[..], || (what.group[..].into(), Vec::new()));
        let at = contacts.partition_point(|known| (known.at, known.id) < (contact.at, contact.id));
        if contacts.len() < KEPT {
            contacts.insert(at, contact);
        } else if at > 0 {
            contacts.insert(at, contact);
            contacts.remove(0);
        }
        self.evicted += self.groups.take_dropped().len() as u64;
    }

    pub(super) fn withdraw(&mut self, what: &Contribution) {
        if let Some(contacts) = self.groups.get_mut(&what.group[..]) {
            contacts.retain(|known| known.id != what.id || known.at != what.start);
            if contacts.is_empty() {
                self.groups.remove(&what.group[..]);
            }
        }
    }

    /// The most that the walk can come to.
    pub(super) fn most(&self, group: &[Key]) -> f64 {
        let failed = self.groups.get(group).map_or(0, |all| all.iter().filter(|contact| contact.failed).count());
        STEP * f64::from(u32::try_from(failed).unwrap_or(u32::MAX))
    }

    /// The highest point of the walk over the first contacts from `from` to `to`.
    pub(super) fn suspicion(&self, group: &[Key], from: i64, to: i64) -> f64 {
        let mut met = std::collections::HashSet::with_hasher(RandomState::default());
        let (mut walk, mut highest) = (0.0_f64, 0.0_f64);
        for contact in self.groups.get(group).into_iter().flatten().take_while(|contact| contact.at <= to) {
            if !met.insert(contact.to) || contact.at < from {
                continue;
            }
            walk += if contact.failed { STEP } else { -STEP };
            if walk <= HARMLESS {
                walk = 0.0;
            }
            highest = highest.max(walk);
        }
        highest
    }
}

/// Whom a session goes to, and whether that failed: rejected, not answered, or answered with bare packets, as resets are.
pub(in crate::detect) fn contact<R: Row + ?Sized>(row: &R) -> Option<Item> {
    let count = |field| match row.get(field) {
        Some(Value::Int(count)) => count,
        _ => 0,
    };
    let Some(Value::Addr(server)) = row.get(Field::Server) else { return None };
    let port = u16::try_from(count(Field::ServerPort)).ok()?;
    let rejected = row.get(Field::Action) == Some(Value::Text("REJECT"));
    let bare = count(Field::RespBytes) <= count(Field::RespPackets).saturating_mul(60);
    Some(Item::Contact(server, port, rejected || bare))
}
