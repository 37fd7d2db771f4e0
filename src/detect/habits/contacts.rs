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
use indexmap::IndexMap;

/// Contacts that are kept of a group, the latest.
const KEPT: usize = 128;
/// Contacts that are kept with one target, the earliest: the first counts, the next is there in case the first is taken back.
const OF_ONE: u8 = 2;
/// Packets of an answer up to which it may be no answer: resets to a few tries.
const FEW: u64 = 3;
/// Bytes of a bare packet: headers, and nothing in them.
const BARE: u64 = 60;
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

/// What is held of one target: how many contacts, and the latest of them.
#[derive(Clone, Copy, Debug)]
struct Held {
    count: u8,
    latest: (i64, u64),
}

/// The contacts of one group, by time, and how many of them failed.
#[derive(Debug, Default)]
struct Walk {
    contacts: VecDeque<Contact>,
    targets: IndexMap<(IpAddr, u16), Held, RandomState>,
    failed: u32,
}

impl Walk {
    fn place(&self, (at, id): (i64, u64)) -> usize {
        self.contacts.partition_point(|known| (known.at, known.id) < (at, id))
    }

    /// Keeps the first contacts with each target, and of those the latest: one that is older than all of a full list is not taken.
    fn add(&mut self, contact: Contact) {
        let when = (contact.at, contact.id);
        if let Some(held) = self.targets.get(&contact.to).filter(|held| held.count >= OF_ONE) {
            // Whom it meets all day it has met.
            if when >= held.latest {
                return;
            }
            self.drop_at(self.place(held.latest));
        }
        if self.contacts.len() >= KEPT {
            if self.place(when) == 0 {
                return;
            }
            self.drop_at(0);
        }
        self.failed += u32::from(contact.failed);
        self.contacts.insert(self.place(when), contact);
        let held = self.targets.entry(contact.to).or_insert(Held { count: 0, latest: when });
        held.count += 1;
        held.latest = held.latest.max(when);
    }

    /// Forgets the contact at this place.
    fn drop_at(&mut self, place: usize) {
        let Some(gone) = self.contacts.remove(place) else { return };
        self.failed -= u32::from(gone.failed);
        let Some(held) = self.targets.get_mut(&gone.to) else { return };
        held.count -= 1;
        if held.count == 0 {
            self.targets.swap_remove(&gone.to);
        } else if held.latest == (gone.at, gone.id) {
            let left = self.contacts.iter().rev().find(|known| known.to == gone.to);
            held.latest = left.map_or(held.latest, |known| (known.at, known.id));
        }
    }

    /// Forgets what session `id` did at this time.
    fn withdraw(&mut self, at: i64, id: u64) {
        let place = self.place((at, id));
        while self.contacts.get(place).is_some_and(|known| (known.at, known.id) == (at, id)) {
            self.drop_at(place);
        }
    }

    /// Puts `contact` in the place of the same session's contact with the same target. False where none is held.
    fn renew(&mut self, contact: Contact) -> bool {
        let place = self.place((contact.at, contact.id));
        let Some(known) = self.contacts.get_mut(place) else { return false };
        let same = (known.at, known.id, known.to) == (contact.at, contact.id, contact.to);
        if same {
            self.failed = self.failed + u32::from(contact.failed) - u32::from(known.failed);
            *known = contact;
        }
        same
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
            if !walk.renew(contact) {
                walk.withdraw(old.start, old.id);
                walk.add(contact);
            }
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

/// Whom a session goes to, and whether that failed.
pub(in crate::detect) fn contact<R: Row + ?Sized>(row: &R) -> Option<Item> {
    let Some(Value::Addr(server)) = row.get(Field::Server) else { return None };
    if count(row, Field::ReqPackets) == 0 {
        return None;
    }
    let port = u16::try_from(count(row, Field::ServerPort)).ok()?;
    Some(Item::Contact(server, port, failed(row)))
}

/// Whether a session failed as searches do: rejected, not answered, or answered with a few bare packets, as resets are. Many bare packets
/// acknowledge an upload.
pub(in crate::detect) fn failed<R: Row + ?Sized>(row: &R) -> bool {
    let (packets, bytes) = (count(row, Field::RespPackets), count(row, Field::RespBytes));
    if count(row, Field::ReqPackets) == 0 {
        // Whoever sent nothing did not try: what comes was not asked for, or the log lacks the question.
        return false;
    }
    row.get(Field::Action) == Some(Value::Text("REJECT")) || packets <= FEW && bytes <= packets * BARE
}

fn count<R: Row + ?Sized>(row: &R, field: Field) -> u64 {
    match row.get(field) {
        Some(Value::Int(count)) => count,
        _ => 0,
    }
}
