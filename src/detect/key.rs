//! What a rule groups by, as something that can be hashed.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::record::{Cell, Field, Row, Value};

/// One value of a group's key, or a value that is counted as distinct or new.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// One wide word for what is mostly met, since keys are hashed for every session. What is equal hashes equally; of different
/// kinds that hash equally [`Eq`] tells.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Key::Absent => state.write_u64(u64::MAX),
            Key::Int(number) => state.write_u64(*number),
            Key::Addr(IpAddr::V4(addr)) => state.write_u64(u64::from(addr.to_bits()) | 1 << 32),
            Key::Addr(IpAddr::V6(addr)) => state.write_u128(addr.to_bits()),
            Key::Text(text) => text.hash(state),
        }
    }
}

/// The values of all the fields that a rule groups by, in place: a flood makes groups as fast as records come.
pub(super) type GroupKey = SmallVec<[Key; 4]>;

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

    /// As a row has it.
    pub(super) fn value(&self) -> Option<Value<'_>> {
        match self {
            Key::Absent => None,
            Key::Int(number) => Some(Value::Int(*number)),
            Key::Addr(addr) => Some(Value::Addr(*addr)),
            Key::Text(text) => Some(Value::Text(text)),
        }
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
