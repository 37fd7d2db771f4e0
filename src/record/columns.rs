//! Decoded records, a column a field: what the decode thread hands to the engine, and what the open segment of the ring is made of.
//!
//! Every value is one `u64` code. 0 is absent, so a missing value never looks like a zero; numbers are stored plus one, addresses and texts as
//! their place in a dictionary plus one. Codes of numbers keep their order.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexSet;

use super::batch::Event;
use super::field::{Field, Kind};
use super::format::{Format, Step};
use super::table::Table;

type Set<T> = IndexSet<T, foldhash::fast::RandomState>;

/// Decoded rows.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    len: usize,
    /// Rows that are likely to come, for which a new column makes room at once.
    expected: usize,
    /// By field; shorter than `len` where the last rows have no value.
    values: Vec<Vec<u64>>,
    addrs: Set<IpAddr>,
    texts: Set<Box<str>>,
    formats: Vec<Arc<Format>>,
    format: Vec<u16>,
    /// Lines that their values do not spell exactly: unknown columns, an uncompressed IPv6 address, leading zeros, milliseconds.
    verbatim: BTreeMap<u32, Box<str>>,
    /// Bytes of texts and of lines kept as logged.
    text_bytes: usize,
    /// What CloudWatch says of the event in a row; shorter than `len` where the source has no events.
    events: Vec<EventTag>,
}

/// CloudWatch's words about one event, for output. The ring does not keep them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTag {
    /// Event id; empty where the source names none.
    pub id: Box<str>,
    /// Ingestion time, Unix milliseconds; negative where it is not known.
    pub ingestion: i64,
}

impl Default for EventTag {
    /// That of a row that was no event.
    fn default() -> EventTag {
        EventTag { id: Box::default(), ingestion: Event::UNKNOWN }
    }
}

/// The place in its dictionary that a code means; the code must not be 0.
#[expect(clippy::cast_possible_truncation, reason = "dictionaries are indexed by usize to begin with")]
pub fn place_of(code: u64) -> usize {
    code as usize - 1
}

/// Puts `code` at `row` of a column, which may be shorter: what is missing is absent.
#[inline]
fn push_padded(column: &mut Vec<u64>, row: usize, code: u64) {
    if column.len() != row {
        column.resize(row, 0);
    }
    column.push(code);
}

/// The code of a number.
pub fn code_of(number: u64) -> u64 {
    number.saturating_add(1)
}

impl Columns {
    /// No rows.
    pub fn new() -> Columns {
        Columns { values: vec![Vec::new(); Field::COUNT], ..Columns::default() }
    }

    /// No rows, with room in each column for as many as are `expected`.
    pub(super) fn expecting(expected: usize) -> Columns {
        let format = Vec::with_capacity(expected);
        Columns { expected, format, ..Columns::new() }
    }

    /// No rows, in the room that other columns took.
    pub fn reusing(mut room: Vec<Vec<u64>>) -> Columns {
        room.iter_mut().for_each(Vec::clear);
        Columns { values: room, ..Columns::default() }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets `field` of the row being built.
    pub(super) fn put(&mut self, field: Field, code: u64) {
        push_padded(&mut self.values[field as usize], self.len, code);
    }

    /// Sets the fields of `plan` in the row being built, by place. An unknown place has no field.
    pub(super) fn put_all(&mut self, plan: &[Step], codes: &[u64]) {
        for (step, code) in plan.iter().zip(codes) {
            if step.kind.is_none() {
                continue;
            }
            let column = &mut self.values[step.field as usize];
            if column.len() == self.len && self.len > 0 {
                column.push(*code);
            } else if *code != 0 {
                // A column that no row has a value for stays empty, and costs nothing.
                column.reserve(self.expected.max(self.len + 1));
                column.resize(self.len, 0);
                column.push(*code);
            }
        }
    }

    /// The code of an address, interned.
    pub(super) fn addr_code(&mut self, addr: IpAddr) -> u64 {
        self.addrs.insert_full(addr).0 as u64 + 1
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
        for column in &mut self.values {
            column.truncate(self.len);
        }
    }

    /// Finishes the row being built.
    pub(super) fn finish_row(&mut self, format: &Arc<Format>, verbatim: Option<Box<str>>, event: Option<EventTag>) {
        let index = self.format_index(format);
        self.format.push(index);
        if let (Some(line), Ok(row)) = (verbatim, u32::try_from(self.len)) {
            self.text_bytes += line.len();
            self.verbatim.insert(row, line);
        }
        if let Some(event) = event {
            self.events.resize(self.len, EventTag::default());
            self.events.push(event);
        }
        self.len += 1;
    }

    /// Takes the last row away again. What it brought into the dictionaries stays until they are cleared.
    pub(super) fn take_back(&mut self) {
        let Some(row) = self.len.checked_sub(1) else { return };
        self.len = row;
        self.roll_back();
        self.format.truncate(row);
        self.events.truncate(row);
        if let Some(line) = u32::try_from(row).ok().and_then(|row| self.verbatim.remove(&row)) {
            self.text_bytes -= line.len();
        }
    }

    /// What CloudWatch said of the event in `row`.
    pub fn event(&self, row: usize) -> Option<&EventTag> {
        self.events.get(row).filter(|event| !event.id.is_empty() || event.ingestion >= 0)
    }

    /// Appends `rows` of `other`, with their dictionary entries, a column at a time. Event ids are not taken along: the ring has no use for
    /// them. `remap` belongs to this pair of tables and starts empty.
    pub fn append(&mut self, other: &Columns, rows: Range<usize>, remap: &mut Remap) {
        let (before, after) = (self.len, self.len + rows.len());
        for (index, source) in other.values.iter().enumerate() {
            let source = &source[rows.start.min(source.len())..rows.end.min(source.len())];
            if source.iter().all(|code| *code == 0) {
                continue;
            }
            let mut column = std::mem::take(&mut self.values[index]);
            column.resize(before, 0);
            match super::field::FIELDS[index].kind {
                Kind::Addr => column.extend(source.iter().map(|code| {
                    Remap::place(&mut remap.addrs, *code, || self.addrs.insert_full(other.addr(*code)).0 as u64 + 1)
                })),
                Kind::Text => column.extend(
                    source
                        .iter()
                        .map(|code| Remap::place(&mut remap.texts, *code, || self.text_code(other.text(*code)))),
                ),
                _ => column.extend_from_slice(source),
            }
            self.values[index] = column;
        }
        let mut known: Option<(u16, u16)> = None;
        for theirs in &other.format[rows.clone()] {
            let ours = match known {
                Some((same, ours)) if same == *theirs => ours,
                _ => self.format_index(&other.formats[usize::from(*theirs)]),
            };
            known = Some((*theirs, ours));
            self.format.push(ours);
        }
        let row = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
        for (at, line) in other.verbatim.range(row(rows.start)..row(rows.end)) {
            self.text_bytes += line.len();
            self.verbatim.insert(*at - row(rows.start) + row(before), line.clone());
        }
        self.len = after;
    }

    fn format_index(&mut self, format: &Arc<Format>) -> u16 {
        let known = self.formats.iter().rposition(|known| Arc::ptr_eq(known, format));
        let index = known.unwrap_or_else(|| {
            self.formats.push(Arc::clone(format));
            self.formats.len() - 1
        });
        // More than 65,536 formats in one batch would need as many header lines; the last place then stands for all of them.
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    /// The parts, for sealing.
    pub fn into_parts(self) -> ColumnParts {
        ColumnParts {
            len: self.len,
            columns: self.values,
            addrs: self.addrs.into_iter().collect(),
            texts: self.texts.into_iter().collect(),
            formats: self.formats,
            format: self.format,
            verbatim: self.verbatim,
        }
    }

    /// Bytes of texts and of lines kept as logged: what can grow without more rows.
    pub fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// Bytes held, about: columns and dictionaries.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.values.iter().map(|column| column.capacity() * 8).sum();
        let texts: usize = self.texts.iter().map(|text| text.len() + 48).sum();
        let verbatim: usize = self.verbatim.values().map(|line| line.len() + 48).sum();
        columns + self.addrs.len() * 48 + texts + verbatim + self.format.capacity() * 2
    }
}

/// What [`Columns::into_parts`] takes apart. Columns may be shorter than `len`: the rest is absent.
#[derive(Debug)]
pub struct ColumnParts {
    /// Rows.
    pub len: usize,
    /// Codes by field.
    pub columns: Vec<Vec<u64>>,
    /// Addresses by code minus one.
    pub addrs: Box<[IpAddr]>,
    /// Texts by code minus one.
    pub texts: Box<[Box<str>]>,
    /// Formats of the rows.
    pub formats: Vec<Arc<Format>>,
    /// Index into `formats`, by row.
    pub format: Vec<u16>,
    /// Lines kept as logged, by row.
    pub verbatim: BTreeMap<u32, Box<str>>,
}

/// Where the dictionary entries of one [`Columns`] went in another, so that each is looked up once a batch and not once a row.
#[derive(Debug, Default)]
pub struct Remap {
    addrs: Vec<u64>,
    texts: Vec<u64>,
}

impl Remap {
    #[inline]
    fn place(map: &mut Vec<u64>, code: u64, insert: impl FnOnce() -> u64) -> u64 {
        if code == 0 {
            return 0;
        }
        let index = place_of(code);
        if map.len() <= index {
            map.resize((index + 1).next_power_of_two(), 0);
        }
        if map[index] == 0 {
            map[index] = insert();
        }
        map[index]
    }
}

impl Table for Columns {
    fn len(&self) -> usize {
        self.len
    }

    fn code(&self, field: Field, row: usize) -> u64 {
        self.values[field as usize].get(row).copied().unwrap_or(0)
    }

    fn addr(&self, code: u64) -> IpAddr {
        self.addrs[place_of(code)]
    }

    fn text(&self, code: u64) -> &str {
        &self.texts[place_of(code)]
    }

    fn format(&self, row: usize) -> &Arc<Format> {
        &self.formats[usize::from(self.format[row])]
    }

    fn verbatim(&self, row: usize) -> Option<&str> {
        self.verbatim.get(&u32::try_from(row).ok()?).map(|line| &**line)
    }
}
