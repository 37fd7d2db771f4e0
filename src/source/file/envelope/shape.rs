//! Tells by the next few bytes what comes: a line, JSON, base64, a list. Where there are too few bytes to tell, it says so, and so the answer does
//! not depend on how they are cut.

use super::{csv, outbox, packed};

/// White space before a value that is looked past.
const INDENT: usize = 64;

/// A list whose items are read one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// The input is the list.
    Bare,
    /// It is the first entry of an object, the rest of which says nothing of the events.
    InObject,
}

/// Whether base64 that is not whole goes on in the next line, as some programs break it: where that is base64 as well and no other text
/// begins with it. `None` where there is too little of it to tell.
pub(super) fn goes_on(next: &[u8], last: bool) -> Option<bool> {
    // The shortest line that base64 is broken into. No word that a record begins with is as long.
    const BROKEN: usize = 60;
    let digits = next.iter().take(BROKEN).take_while(|byte| packed::is_base64(**byte)).count();
    if next.starts_with(packed::MAGIC) {
        return Some(false);
    }
    match next.get(digits) {
        _ if digits == BROKEN => Some(true),
        Some(byte) => Some(digits > 0 && matches!(byte, b'\r' | b'\n')),
        None if last => Some(digits > 0),
        None => None,
    }
}

/// The length of what is no JSON value where one should be; `None` where its end has not come yet.
pub(super) fn scalar(data: &[u8], last: bool) -> Option<usize> {
    let near = &data[..data.len().min(outbox::KEPT)];
    let end = near.iter().position(|byte| matches!(byte, b',' | b']' | b'\n'));
    end.or((last || near.len() == outbox::KEPT).then_some(near.len()))
}

/// What a line, or what follows a value, begins as.
pub(super) enum Begins {
    Json,
    Packed,
    Table,
    Line,
    /// More bytes are needed to tell.
    Unsure,
}

pub(super) fn begins(data: &[u8]) -> Begins {
    match data.first() {
        None => return Begins::Unsure,
        Some(b'H') if !data.starts_with(packed::MAGIC) && !packed::MAGIC.starts_with(data) => return csv::shape(data),
        Some(b'H' | b'{' | b'[' | b' ' | b'\t' | b'\r') => {}
        Some(b'"' | b'a'..=b'z' | b'A'..=b'Z') => return csv::shape(data),
        Some(_) => return Begins::Line,
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    let indent = data.iter().take(INDENT).take_while(|byte| blank(byte)).count();
    let data = &data[indent..];
    match data.first() {
        None if indent < INDENT => Begins::Unsure,
        Some(b'{') => Begins::Json,
        // A log's `[INFO]` is no list.
        Some(b'[') => match data[1..].iter().take(INDENT).find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'"' | b']') => Begins::Json,
            None if data.len() <= INDENT => Begins::Unsure,
            _ => Begins::Line,
        },
        Some(b'H') if data.starts_with(packed::MAGIC) => Begins::Packed,
        Some(b'H') if packed::MAGIC.starts_with(data) => Begins::Unsure,
        _ => Begins::Line,
    }
}

/// How a JSON value at the top begins.
pub(super) enum Opening {
    /// With a list of this many bytes before its first item.
    List(List, usize),
    Other,
    /// More bytes are needed to tell.
    Unsure,
}

/// What a list of events or records is called.
const LISTS: &[&[u8]] = &[b"\"events\"", b"\"Records\"", b"\"records\""];

/// Tells a list from other values: `[`, or `{"events": [` as `aws logs filter-log-events` and `get-log-events` print it, or `{"Records": [` as
/// Kinesis and Lambda have it.
pub(super) fn opening(data: &[u8]) -> Opening {
    let mut at = 0;
    for parts in [&[b"{"], LISTS, &[b":"], &[b"["]] as [&[&[u8]]; 4] {
        at += data[at..].iter().take(INDENT).take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = &data[at..];
        if parts == [b"{"] && rest.first() == Some(&b'[') {
            return Opening::List(List::Bare, at + 1);
        }
        match parts.iter().find(|part| rest.starts_with(part)) {
            Some(part) => at += part.len(),
            None if parts.iter().any(|part| part.starts_with(rest)) => return Opening::Unsure,
            None => return Opening::Other,
        }
    }
    Opening::List(List::InObject, at)
}
