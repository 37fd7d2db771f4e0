//! What a rule groups by, as something that can be hashed.

use std::net::IpAddr;
use std::sync::Arc;

use crate::record::{Cell, Field, Row, Value};

/// One value of a group's key, or a value that is counted as distinct or new.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    /// The row has no such value. Rows that differ only by what is absent are one group.
    Absent,
    /// Ports, protocols, codes.
    Int(u64),
    /// Addresses.
    Addr(IpAddr),
    /// Identifiers.
    Text(Arc<str>),
}

/// The values of all the fields that a rule groups by.
pub(super) type GroupKey = Arc<[Key]>;

impl Key {
    /// The value of `field` in `row`. A field with several values ([`Field::InterfaceId`] of a session) gives the least, which does
    /// not depend on the order in which they became known.
    pub(super) fn of<R: Row + ?Sized>(row: &R, field: Field) -> Key {
        if let Some(value) = row.get(field) {
            return Key::from(value);
        }
        let mut least: Option<Key> = None;
        row.any(field, &mut |value| {
            let key = Key::from(value);
            if least.as_ref().is_none_or(|known| key < *known) {
                least = Some(key);
            }
            false
        });
        least.unwrap_or(Key::Absent)
    }

    /// As it goes into an alert.
    pub(super) fn cell(&self) -> Cell {
        match self {
            Key::Absent => Cell::Absent,
            Key::Int(n) => Cell::Int(*n),
            Key::Addr(addr) => Cell::Addr(*addr),
            Key::Text(text) => Cell::Text(text.clone()),
        }
    }

    /// As a number, where it is one.
    #[expect(clippy::cast_precision_loss, reason = "ports and protocol numbers are small")]
    pub(super) fn number(&self) -> f64 {
        match self {
            Key::Int(n) => *n as f64,
            Key::Absent | Key::Addr(_) | Key::Text(_) => f64::NAN,
        }
    }
}

impl From<Value<'_>> for Key {
    fn from(value: Value<'_>) -> Key {
        match value {
            Value::Int(n) => Key::Int(n),
            // No field that a rule may group by is a quotient; its bits are as good an identity as any.
            Value::Float(x) => Key::Int(x.to_bits()),
            Value::Addr(addr) => Key::Addr(addr),
            Value::Text(text) => Key::Text(text.into()),
        }
    }
}
