//! Whether a host meets more strangers that do not answer than one who knows where to go would: the sequential test behind `trw`.
//!
//! Threshold random walk (Jung and others, 2004): each first contact with a server's port is a success or a failure; a host that is at home
//! succeeds four times of five, one that searches fails four times of five. So each outcome moves the logarithm of the likelihood by ln 4, and
//! both errors at 1 % mean a decision at ln 99 = 4.595: four failures in a row from where it last looked harmless.

use std::collections::VecDeque;
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

/// The contacts of one group, by time, and how many of them failed.
#[derive(Debug, Default)]
struct Walk {
    contacts: VecDeque<Contact>,
    failed: u32,
}

impl Walk {
    /// Keeps the latest: one that is older than all of a full list is not taken.
    fn add(&mut self, contact: Contact) {
        let mut at = self.contacts.partition_point(|known| (known.at, known.id) < (contact.at, contact.id));
        if self.contacts.len() >= KEPT {
            if at == 0 {
                return;
            }
            let oldest = self.contacts.pop_front();
            self.failed -= u32::from(oldest.is_some_and(|oldest| oldest.failed));
            at -= 1;
        }
        self.failed += u32::from(contact.failed);
        self.contacts.insert(at, contact);
    }

    /// Forgets what session `id` did at this time.
    fn withdraw(&mut self, at: i64, id: u64) {
        let place = self.contacts.partition_point(|known| (known.at, known.id) < (at, id));
        while self.contacts.get(place).is_some_and(|known| (known.at, known.id) == (at, id)) {
            let gone = self.contacts.remove(place);
            self.failed -= u32::from(gone.is_some_and(|gone| gone.failed));
        }
    }
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Contacts {
    groups: Bounded<GroupKey, Walk>,
    slot: usize,
    pub evicted: u64,
}

impl Contacts {
    pub(super) fn new(memory: usize, slot: usize) -> Contacts {
        let groups = (memory / 2 / (KEPT / 4 * size_of::<Contact>())).max(1_024);
        Contacts { groups: Bounded::new(groups), slot, evicted: 0 }
    }

    fn contact(&self, what: &Contribution) -> Option<Contact> {
        let Item::Contact(address, port, failed) = what.items.get(self.slot)? else { return None };
        Some(Contact { at: what.start, id: what.id, to: (*address, *port), failed: *failed })
    }

    pub(super) fn add(&mut self, what: &Contribution) {
        let Some(contact) = self.contact(what) else { return };
        self.groups.get_or_insert(&what.group[..], || (what.group[..].into(), Walk::default())).add(contact);
        self.evicted += self.groups.take_dropped().len() as u64;
    }

    pub(super) fn withdraw(&mut self, what: &Contribution) {
        if let Some(walk) = self.groups.get_mut(&what.group[..]) {
            walk.withdraw(what.start, what.id);
            if walk.contacts.is_empty() {
                self.groups.remove(&what.group[..]);
            }
        }
    }

    /// Takes `old` back and notes `new`, of the same group.
    pub(super) fn renew(&mut self, old: &Contribution, new: &Contribution) {
        let contact = self.contact(new);
        if let (Some(walk), Some(contact)) = (self.groups.get_mut(&old.group[..]), contact) {
            walk.withdraw(old.start, old.id);
            walk.add(contact);
        } else {
            self.withdraw(old);
            self.add(new);
        }
    }

    /// The most that the walk can come to.
    pub(super) fn most(&self, group: &[Key]) -> f64 {
        STEP * f64::from(self.groups.get(group).map_or(0, |walk| walk.failed))
    }

    /// The highest point of the walk over the first contacts from `from` to `to`.
    pub(super) fn suspicion(&self, group: &[Key], from: i64, to: i64) -> f64 {
        let mut met = std::collections::HashSet::with_hasher(RandomState::default());
        let (mut walk, mut highest) = (0.0_f64, 0.0_f64);
        let all = self.groups.get(group).into_iter().flat_map(|walk| &walk.contacts);
        for contact in all.take_while(|contact| contact.at <= to) {
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
