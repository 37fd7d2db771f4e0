//! Values of fields, and the one way that every room reads them: the [`Row`] trait.

use std::net::IpAddr;
use std::sync::Arc;

use super::field::Field;

/// A present value of a field, borrowed from where the row lives. Absent (`-` in the log) is `None` around it, never 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Counts, ports, protocol numbers, flags, Unix seconds, durations in seconds.
    Int(u64),
    /// Ratios.
    Float(f64),
    /// Addresses.
    Addr(IpAddr),
    /// Identifiers and code words, as logged: hostile text that must be cleaned before it is shown.
    Text(&'a str),
}

impl Value<'_> {
    /// The value as a number, where it is one.
    #[expect(clippy::cast_precision_loss, reason = "sums beyond 2^53 bytes lose less than a byte in a petabyte")]
    pub fn number(self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(n as f64),
            Value::Float(x) => Some(x),
            Value::Addr(_) | Value::Text(_) => None,
        }
    }

    /// An owned copy.
    pub fn to_owned(self) -> Cell {
        match self {
            Value::Int(n) => Cell::Int(n),
            Value::Float(x) => Cell::Float(x),
            Value::Addr(addr) => Cell::Addr(addr),
            Value::Text(text) => Cell::Text(text.into()),
        }
    }
}

/// An owned value, as it crosses to the screen in a page. [`Cell::Absent`] is what the log writes as `-`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Nothing was logged.
    #[default]
    Absent,
    /// See [`Value::Int`].
    Int(u64),
    /// See [`Value::Float`].
    Float(f64),
    /// See [`Value::Addr`].
    Addr(IpAddr),
    /// See [`Value::Text`].
    Text(Arc<str>),
}

impl Cell {
    /// The value, unless absent.
    pub fn value(&self) -> Option<Value<'_>> {
        match self {
            Cell::Absent => None,
            Cell::Int(n) => Some(Value::Int(*n)),
            Cell::Float(x) => Some(Value::Float(*x)),
            Cell::Addr(addr) => Some(Value::Addr(*addr)),
            Cell::Text(text) => Some(Value::Text(text)),
        }
    }
}

/// As it is logged; `-` where absent.
impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Absent => f.write_str("-"),
            Cell::Int(number) => number.fmt(f),
            Cell::Float(number) => number.fmt(f),
            Cell::Addr(address) => address.fmt(f),
            Cell::Text(text) => f.write_str(text),
        }
    }
}

/// Anything with fields: a decoded record, a row of the ring, a session.
pub trait Row {
    /// The value of `field`, or `None` where it is absent, unknown to this kind of row, or has several values
    /// ([`Field::Ip`], [`Field::Port`] and a session's interfaces: ask those with [`Row::any`]).
    fn get(&self, field: Field) -> Option<Value<'_>>;

    /// Whether any value of `field` passes `test`. Fields with one value have at most one call; two-sided fields one a side.
    /// Absent values are never passed: a comparison with an absent value is false.
    fn any(&self, field: Field, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        self.get(field).is_some_and(test)
    }

    /// The row as the text that `/regex/` searches, written to `out`.
    fn render(&self, out: &mut String);
}
