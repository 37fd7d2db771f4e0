//! Decoded records, a column a field: what the decode thread hands to the engine.
//!
//! Every value is one `u64` code. 0 is absent, so a missing value never looks like a zero; numbers are stored plus one, texts as their place in a
//! dictionary plus one. Codes of numbers keep their order. An IPv4 address is its own code, as a number; the others, and the addresses that
//! are reserved (240.0.0.0 and above), have places in a dictionary, whose codes follow those.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexSet;

use super::batch::Event;
use super::column::Held;
use super::field::Field;
use super::format::Format;
use super::format_runs::FormatRuns;
use super::room::{Room, Rooms};
use super::table::Table;
use super::tags::{EventTag, Tags};

type Set<T> = IndexSet<T, foldhash::fast::RandomState>;

/// The first IPv4 address that is not its own code.
const RESERVED: u32 = 0xF000_0000;

/// Decoded rows.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    len: usize,
    /// By field; shorter than `len` where the last rows have no value.
    values: Room,
    addrs: Set<IpAddr>,
    texts: Set<Box<str>>,
    formats: FormatRuns,
    /// Lines that their values do not spell exactly: unknown columns, an uncompressed IPv6 address, leading zeros, milliseconds.
    verbatim: BTreeMap<u32, Box<str>>,
    /// Bytes of texts and of lines kept as logged.
    text_bytes: usize,
    /// What CloudWatch says of the event in a row.
    tags: Tags,
}

/// The place in its dictionary that the code of a text means; the code must not be 0.
#[expect(clippy::cast_possible_truncation, reason = "dictionaries are indexed by usize to begin with")]
pub fn place_of(code: u64) -> usize {
    code as usize - 1
}

/// The code of a number.
pub fn code_of(number: u64) -> u64 {
    number.saturating_add(1)
}

/// The code of an IPv4 address, unless it is reserved.
#[inline]
pub(super) fn code_of_ipv4(addr: u32) -> Option<u64> {
    (addr < RESERVED).then(|| u64::from(addr) + 1)
}

/// What the code of an address in [`Columns`] means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddrCode {
    /// No address.
    Absent,
    /// This IPv4 address.
    Ipv4(u32),
    /// The address at this place of the dictionary.
    Place(usize),
}

impl AddrCode {
    /// The meaning of `code`.
    #[inline]
    pub fn of(code: u64) -> AddrCode {
        match (code.checked_sub(1), code.checked_sub(u64::from(RESERVED) + 1)) {
            (None, _) => AddrCode::Absent,
            (_, Some(place)) => AddrCode::Place(usize::try_from(place).unwrap_or(usize::MAX)),
            (Some(addr), None) => AddrCode::Ipv4(u32::try_from(addr).unwrap_or(0)),
        }
    }
}

impl Columns {
    /// No rows.
    pub fn new() -> Columns {
        Columns { values: Room::new(), ..Columns::default() }
    }

    /// No rows yet, in room that was used before.
    pub(super) fn in_room_of(rooms: &Rooms) -> Columns {
        Columns { values: rooms.take(), ..Columns::default() }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets `field` of the row being built.
    pub(super) fn put(&mut self, field: Field, code: u64) {
        self.values[field as usize].put(self.len, code);
    }

    /// Sets `field` of the finished rows from `from` on.
    pub(super) fn fill(&mut self, field: Field, from: usize, code: u64) {
        let column = &mut self.values[field as usize];
        column.fill(from, 0);
        column.fill(self.len, code);
    }

    /// Sets `field` of the finished rows from `from` on, one code each.
    pub(super) fn put_all(&mut self, field: Field, from: usize, codes: &[u64]) {
        self.values[field as usize].put_all(from, codes);
    }

    /// Adds `rows` finished rows; `codes` has those of each of `fields`. Their format is to be said later, with [`Columns::say_format`].
    pub(super) fn put_rows<const N: usize>(&mut self, fields: &[Field], codes: &[[u64; N]], rows: usize) {
        for (field, codes) in fields.iter().zip(codes) {
            self.values[*field as usize].put_all(self.len, &codes[..rows]);
        }
        self.len += rows;
    }

    /// The rows since the last whose format is known have this one.
    pub(super) fn say_format(&mut self, format: &Arc<Format>) {
        self.formats.extend(self.len, format);
    }

    /// The code of an address, interned where it is not its own.
    pub(super) fn addr_code(&mut self, addr: IpAddr) -> u64 {
        if let IpAddr::V4(addr) = addr
            && let Some(code) = code_of_ipv4(u32::from(addr))
        {
            return code;
        }
        self.addrs.insert_full(addr).0 as u64 + u64::from(RESERVED) + 1
    }

    /// The code of a text, interned.
    pub(super) fn text_code(&mut self, text: &str) -> u64 {
        if let Some(index) = self.texts.get_index_of(text) {
            return index as u64 + 1;
        }
        self.text_bytes += text.len();
        self.texts.insert_full(text.into()).0 as u64 + 1
    }

    /// Takes back what [`Columns::put`] did since the last finished row.
    pub(super) fn roll_back(&mut self) {
        for column in &mut *self.values {
            column.truncate(self.len);
        }
    }

    /// Finishes the row being built.
    pub(super) fn finish_row(&mut self, format: &Arc<Format>, verbatim: Option<Box<str>>) {
        if let (Some(line), Ok(row)) = (verbatim, u32::try_from(self.len)) {
            self.text_bytes += line.len();
            self.verbatim.insert(row, line);
        }
        self.len += 1;
        self.formats.extend(self.len, format);
    }

    /// The finished rows from `from` on were these events.
    pub(super) fn tag_events(&mut self, from: usize, events: &[Event]) {
        self.tags.skip_to(from);
        for event in events {
            self.tags.push(event);
        }
    }

    /// Takes the last row away again. What it brought into the dictionaries stays until they are cleared.
    pub(super) fn take_back(&mut self) {
        let Some(row) = self.len.checked_sub(1) else { return };
        self.len = row;
        self.roll_back();
        self.formats.truncate(row);
        self.tags.truncate(row);
        if let Some(line) = u32::try_from(row).ok().and_then(|row| self.verbatim.remove(&row)) {
            self.text_bytes -= line.len();
        }
    }

    /// What CloudWatch said of the event in `row`.
    pub fn event(&self, row: usize) -> Option<EventTag<'_>> {
        self.tags.get(row)
    }

    /// The codes of `field` in `rows`; fewer where the last have no value.
    pub fn held(&self, field: Field, rows: Range<usize>) -> Held<'_> {
        self.values[field as usize].held().of(rows)
    }

    /// The formats of the rows.
    pub fn formats(&self) -> &FormatRuns {
        &self.formats
    }

    /// Lines kept as logged in `rows`.
    pub fn verbatim_in(&self, rows: Range<usize>) -> impl Iterator<Item = (usize, &str)> {
        let row = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
        self.verbatim.range(row(rows.start)..row(rows.end)).map(|(row, line)| (*row as usize, &**line))
    }

    /// Bytes of texts and of lines kept as logged: what can grow without more rows.
    pub fn text_bytes(&self) -> usize {
        self.text_bytes
    }
}

impl Table for Columns {
    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn code(&self, field: Field, row: usize) -> u64 {
        self.values[field as usize].get(row)
    }

    fn addr(&self, code: u64) -> IpAddr {
        match AddrCode::of(code) {
            AddrCode::Ipv4(addr) => Ipv4Addr::from(addr).into(),
            AddrCode::Place(place) => self.addrs[place],
            AddrCode::Absent => Ipv4Addr::UNSPECIFIED.into(),
        }
    }

    fn text(&self, code: u64) -> &str {
        &self.texts[place_of(code)]
    }

    fn format(&self, row: usize) -> &Arc<Format> {
        self.formats.of(row)
    }

    fn tag(&self, row: usize) -> Option<EventTag<'_>> {
        self.event(row)
    }

    fn verbatim(&self, row: usize) -> Option<&str> {
        self.verbatim.get(&u32::try_from(row).ok()?).map(|line| &**line)
    }
}
