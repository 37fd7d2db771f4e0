//! What the rules are told, in order: the way from the half of detection that looks at rows to the half that remembers.
//!
//! What is remembered depends on the sequence of orders and on nothing else, wherever and whenever it is gone through.

use std::net::IpAddr;
use std::sync::Arc;

use super::baseline::Baseline;
use super::key::Key;
use super::shown::Known;
use super::window::Item;

/// One order.
#[derive(Debug)]
pub(super) enum Order {
    /// Rows went from this Unix second to that.
    Saw { start: i64, end: i64 },
    /// An interface logged in this minute.
    Heard { interface: Arc<str>, minute: i64 },
    /// A host of ours was met in a session that began at `start`.
    Met { addr: IpAddr, start: i64 },
    /// A rule for flows takes a record. The group's key and what is counted end at these places of the lists.
    Flow { rule: usize, keys: usize, items: usize, start: i64, end: i64, protocol: Option<u8>, counts: bool },
    /// A session changed. `takes` are the rules of the bank that take it now, `counts` those of them that count it, one bit each;
    /// `unknown` says that it is told for the first time.
    Session { bank: usize, unknown: bool, takes: u64, counts: u64, known: Known },
    /// A session became part of another.
    Withdraw(u64),
    /// Nothing below this Unix second comes any more.
    Advance(i64),
    /// What was used before.
    Teach(Arc<Baseline>),
    /// The input goes from this Unix second to that.
    Span(i64, i64),
    /// Nothing more comes.
    Finish,
    /// What is new is asked for.
    Drain,
}

/// Orders, with the room for what they refer to.
#[derive(Debug, Default)]
pub(super) struct Orders {
    pub list: Vec<Order>,
    pub keys: Vec<Key>,
    pub items: Vec<Item>,
}

impl Orders {
    /// Empties it and keeps its room.
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.keys.clear();
        self.items.clear();
    }
}
