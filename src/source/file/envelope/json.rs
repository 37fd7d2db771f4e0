//! What a JSON value holds: a message, a list of them, or the fields of a record. Read in one pass, straight into the [`Outbox`].
//!
//! Nothing is asked of the order of keys, and keys that mean nothing here are skipped. So a subscription's document, an event of
//! `FilterLogEvents` and `{"message": …}` of a log shipper need no telling apart.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;

use super::outbox::{NO_STREAM, Outbox};
use crate::record::{EnvelopeError, Event, Field};

/// Objects within objects, lists within lists and JSON within messages that are looked into.
pub(super) const DEEPEST: u8 = 8;

/// What came of the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A value of this many bytes; what it holds is in the outbox.
    Value(usize),
    /// The bytes end before the value does.
    Cut,
    /// It is none.
    Bad(EnvelopeError),
}

/// Reads the JSON value that `bytes` begin with. Unless it is a whole one, nothing of it is in the outbox.
pub(super) fn read(bytes: &[u8], out: &mut Outbox) -> Read {
    let mark = out.mark();
    out.unpacked = 0;
    let mut json = Deserializer::from_slice(bytes);
    match (Value { out, depth: 0 }).deserialize(&mut json) {
        Ok(()) => Read::Value(json.into_iter::<IgnoredAny>().byte_offset()),
        Err(error) => {
            out.roll_back(mark);
            out.refused = None;
            if error.is_eof() { Read::Cut } else { Read::Bad(EnvelopeError::Json(error.to_string())) }
        }
    }
}

/// Any value in a place where messages may be.
pub(super) struct Value<'o> {
    pub(super) out: &'o mut Outbox,
    pub(super) depth: u8,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message, an object or a list")
    }

    /// A message; or a whole object that some shipper took for text.
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.depth < DEEPEST && text.trim_ascii_start().starts_with('{') {
            let mark = self.out.mark();
            let inner = Value { out: &mut *self.out, depth: self.depth + 1 };
            let mut json = Deserializer::from_str(text);
            let read = inner.deserialize(&mut json).and_then(|()| json.end());
            if read.is_ok() && self.out.refused.take().is_none() {
                return Ok(());
            }
            self.out.roll_back(mark);
        }
        self.out.message(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.depth >= DEEPEST {
            return Err(A::Error::custom("nested too deep"));
        }
        while list.next_element_seed(Value { out: &mut *self.out, depth: self.depth + 1 })?.is_some() {
            if let Some(error) = self.out.refused.take() {
                self.out.reject(self.out.line, error, b"");
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        if self.depth >= DEEPEST {
            return Err(A::Error::custom("nested too deep"));
        }
        object(map, self.out, self.depth)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.out.refused = Some(EnvelopeError::NoRecord);
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.visit_unit()
    }
}

/// What a key of an object means.
enum Key {
    Message,
    Timestamp,
    Ingestion,
    Id,
    Stream,
    Kind,
    List,
    /// An object around the event.
    Around,
    Data,
    Field(Field),
    Other,
}

fn object<'de, A: MapAccess<'de>>(mut map: A, out: &mut Outbox, depth: u8) -> Result<(), A::Error> {
    let mark = out.mark();
    out.flat.begin();
    let (mut timestamp, mut ingestion, mut stream) = (Event::UNKNOWN, Event::UNKNOWN, NO_STREAM);
    let mut id: Box<str> = Box::default();
    let (mut listed, mut control) = (false, false);
    while let Some(key) = map.next_key_seed(KeySeed(out))? {
        match key {
            Key::Message | Key::Around => map.next_value_seed(Message { out, depth })?,
            Key::Data => {
                listed |= map.next_value_seed(Scalar::to(|value| match value {
                    Scalar::Text(text) => super::data::read(text, out, depth),
                    _ => false,
                }))?;
            }
            Key::List => listed |= map.next_value_seed(List { out, depth })?,
            Key::Timestamp => timestamp = map.next_value_seed(Scalar::to(milliseconds))?,
            Key::Ingestion => ingestion = map.next_value_seed(Scalar::to(milliseconds))?,
            Key::Id => id = map.next_value_seed(Scalar::to(|value| value.text(|id| id.into())))?,
            Key::Stream => {
                let intern = |name: &str| if name.is_empty() { NO_STREAM } else { out.stream(name) };
                stream = map.next_value_seed(Scalar::to(|value| value.text(intern)))?;
            }
            Key::Kind => {
                let is_control = |kind: &str| kind == "CONTROL_MESSAGE";
                control = map.next_value_seed(Scalar::to(|value| value.text(is_control)))?;
            }
            Key::Field(field) => map.next_value_seed(Scalar::to(|value| match value {
                Scalar::Text(text) => out.flat.text(field, text),
                Scalar::Signed(number) => out.flat.put(field, number),
                Scalar::Unsigned(number) => out.flat.put(field, number),
                Scalar::Float(number) => out.flat.float(field, number),
                Scalar::Bool(value) => out.flat.put(field, value),
                Scalar::Null => out.flat.put(field, "-"),
                Scalar::Nested => out.flat.put(field, "{}"),
            }))?,
            Key::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    if control {
        out.roll_back(mark);
        out.remark("has control messages, by which CloudWatch Logs tests a subscription; they hold no records and were skipped");
        return Ok(());
    }
    if out.is_at(mark) && !listed && out.refused.is_none() {
        match out.record() {
            Ok(()) => {}
            Err(error) => out.refused = Some(error),
        }
    }
    let events = out.since(mark);
    if let [event] = events
        && !listed
        && event.id.is_empty()
    {
        event.id = id;
    }
    for event in events {
        if event.timestamp == Event::UNKNOWN {
            event.timestamp = timestamp;
        }
        if event.ingestion == Event::UNKNOWN {
            event.ingestion = ingestion;
        }
        if event.stream == NO_STREAM {
            event.stream = stream;
        }
    }
    Ok(())
}

struct KeySeed<'o>(&'o mut Outbox);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(match name {
            "message" | "@message" => Key::Message,
            "timestamp" => Key::Timestamp,
            "ingestionTime" => Key::Ingestion,
            "eventId" | "id" => Key::Id,
            "logStreamName" | "logStream" | "@logStream" => Key::Stream,
            "messageType" => Key::Kind,
            "events" | "logEvents" | "Records" | "records" => Key::List,
            "kinesis" | "awslogs" => Key::Around,
            "data" | "Data" => Key::Data,
            _ => {
                if let Some(field) = self.0.flat.field(name) {
                    Key::Field(field)
                } else {
                    self.0.flat.foreign(name);
                    Key::Other
                }
            }
        })
    }
}

/// The value of `message`: a text, or an object that was put there whole.
struct Message<'o> {
    out: &'o mut Outbox,
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(Value { out: self.out, depth: self.depth + 1 })
    }
}

/// The value of `events`, `logEvents` or `Records`; gives whether it is a list. Other programs call other things so.
struct List<'o> {
    out: &'o mut Outbox,
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<bool, A::Error> {
        Value { out: self.out, depth: self.depth + 1 }.visit_seq(list).map(|()| true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }
}

/// A value that is used by itself. Whatever its type, it is no reason to refuse the object.
#[derive(Clone, Copy)]
enum Scalar<'a> {
    Text(&'a str),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
    Null,
    Nested,
}

impl Scalar<'_> {
    /// A seed that hands the value to `f`.
    fn to<T, F: FnOnce(Scalar<'_>) -> T>(f: F) -> Then<T, F> {
        Then(f, PhantomData)
    }

    /// What `f` makes of the value as text.
    fn text<T>(self, f: impl FnOnce(&str) -> T) -> T {
        match self {
            Scalar::Text(text) => f(text),
            Scalar::Signed(number) => f(&number.to_string()),
            Scalar::Unsigned(number) => f(&number.to_string()),
            Scalar::Float(number) => f(&number.to_string()),
            Scalar::Bool(_) | Scalar::Null | Scalar::Nested => f(""),
        }
    }
}

/// Unix milliseconds, or [`Event::UNKNOWN`].
#[expect(
    clippy::cast_possible_truncation,
    reason = "a fraction of a millisecond is of no interest, and what is too large saturates"
)]
fn milliseconds(value: Scalar<'_>) -> i64 {
    match value {
        Scalar::Signed(number) => number,
        Scalar::Unsigned(number) => i64::try_from(number).unwrap_or(Event::UNKNOWN),
        Scalar::Float(number) => number as i64,
        Scalar::Text(text) => text.parse().unwrap_or(Event::UNKNOWN),
        Scalar::Bool(_) | Scalar::Null | Scalar::Nested => Event::UNKNOWN,
    }
}

struct Then<T, F>(F, PhantomData<T>);

impl<'de, T, F: FnOnce(Scalar<'_>) -> T> DeserializeSeed<'de> for Then<T, F> {
    type Value = T;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T, F: FnOnce(Scalar<'_>) -> T> Visitor<'de> for Then<T, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(self.0(Scalar::Text(text)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(self.0(Scalar::Signed(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(self.0(Scalar::Unsigned(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok(self.0(Scalar::Float(number)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<T, E> {
        Ok(self.0(Scalar::Bool(value)))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(self.0(Scalar::Null))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.0(Scalar::Nested))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.0(Scalar::Nested))
    }
}
