//! The open segment: rows that are still being added to.
//!
//! Its addresses are interned as they come, so that sealing does not have to: what is held from then on is a dictionary and two bytes a row.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::intern::Ipv4s;
use crate::record::column::{Column, Held};
use crate::record::columns::{AddrCode, place_of};
use crate::record::format_runs::FormatRuns;
use crate::record::{Columns, FIELDS, Field, Format, Kind, Table};

/// Rows that are not sealed yet. Codes are as in [`Columns`], but those of addresses, which are places in the dictionary plus one.
#[derive(Clone, Debug)]
pub struct Open {
    len: usize,
    /// By field; shorter than `len` where the last rows have no value.
    values: Vec<Column>,
    addrs: Vec<IpAddr>,
    ipv4s: Ipv4s,
    others: HashMap<IpAddr, u32, RandomState>,
    texts: IndexSet<Box<str>, RandomState>,
    formats: FormatRuns,
    verbatim: BTreeMap<u32, Box<str>>,
    /// Bytes of texts and of lines kept as logged.
    text_bytes: usize,
}

impl Default for Open {
    fn default() -> Open {
        Open {
            len: 0,
            values: vec![Column::default(); Field::COUNT],
            addrs: Vec::new(),
            ipv4s: Ipv4s::default(),
            others: HashMap::default(),
            texts: IndexSet::default(),
            formats: FormatRuns::default(),
            verbatim: BTreeMap::new(),
            text_bytes: 0,
        }
    }
}

/// Where the dictionary entries of one [`Columns`] went, so that each is looked up once a batch and not once a row.
#[derive(Debug, Default)]
pub struct Remap {
    addrs: Vec<u32>,
    texts: Vec<u32>,
}

impl Remap {
    #[inline]
    fn place(map: &mut Vec<u32>, index: usize, insert: impl FnOnce() -> u32) -> u32 {
        match map.get(index) {
            Some(place) if *place != 0 => *place,
            _ => Remap::fresh(map, index, insert),
        }
    }

    /// Apart, so that the loops over rows hold only what is done for each.
    #[cold]
    #[inline(never)]
    fn fresh(map: &mut Vec<u32>, index: usize, insert: impl FnOnce() -> u32) -> u32 {
        if map.len() <= index {
            map.resize((index + 1).next_power_of_two(), 0);
        }
        map[index] = insert();
        map[index]
    }
}

impl Open {
    /// Appends `rows` of `batch`, with their dictionary entries, a column at a time. `remap` belongs to this pair of tables and starts empty.
    pub fn append(&mut self, batch: &Columns, rows: Range<usize>, remap: &mut Remap) {
        let before = self.len;
        for def in FIELDS {
            let source = batch.held(def.field, rows.clone());
            if source.is_absent() {
                continue;
            }
            let mut column = std::mem::take(&mut self.values[def.field as usize]);
            column.fill(before, 0);
            match def.kind {
                Kind::Addr => extend(&mut column, source, |code| self.addr(batch, code, remap)),
                Kind::Text => extend(&mut column, source, |code| self.text(batch, code, remap)),
                _ => column.extend(source),
            }
            self.values[def.field as usize] = column;
        }
        self.formats.append(batch.formats(), rows.clone());
        for (row, line) in batch.verbatim_in(rows.clone()) {
            self.text_bytes += line.len();
            self.verbatim.insert(u32::try_from(row - rows.start + before).unwrap_or(u32::MAX), line.into());
        }
        self.len = before + rows.len();
    }

    /// The code here of an address of `batch`.
    #[inline]
    fn addr(&mut self, batch: &Columns, code: u64, remap: &mut Remap) -> u32 {
        match AddrCode::of(code) {
            AddrCode::Absent => 0,
            AddrCode::Ipv4(addr) => {
                let next = self.addrs.len();
                let place = self.ipv4s.place(addr, next);
                if place == next {
                    self.addrs.push(Ipv4Addr::from(addr).into());
                }
                code_at(place)
            }
            AddrCode::Place(index) => Remap::place(&mut remap.addrs, index, || {
                let addr = batch.addr(code);
                *self.others.entry(addr).or_insert_with(|| {
                    self.addrs.push(addr);
                    code_at(self.addrs.len() - 1)
                })
            }),
        }
    }

    /// The code here of a text of `batch`.
    #[inline]
    fn text(&mut self, batch: &Columns, code: u64, remap: &mut Remap) -> u32 {
        if code == 0 {
            return 0;
        }
        Remap::place(&mut remap.texts, place_of(code), || {
            let text = Table::text(batch, code);
            if let Some(place) = self.texts.get_index_of(text) {
                return code_at(place);
            }
            self.text_bytes += text.len();
            code_at(self.texts.insert_full(text.into()).0)
        })
    }

    /// Bytes of texts and of lines kept as logged: what can grow without more rows.
    pub(super) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// Takes the rows out, for sealing. What remains has none, and keeps the room that they took for those that follow.
    pub(super) fn take(&mut self) -> OpenParts {
        let (formats, format) = std::mem::take(&mut self.formats).into_parts();
        self.ipv4s.clear();
        self.others.clear();
        self.text_bytes = 0;
        OpenParts {
            len: std::mem::take(&mut self.len),
            addrs: self.addrs.drain(..).collect(),
            texts: std::mem::take(&mut self.texts).into_iter().collect(),
            formats: formats.into(),
            format,
            verbatim: std::mem::take(&mut self.verbatim),
        }
    }

    /// The columns by field.
    pub(super) fn columns(&self) -> &[Column] {
        &self.values
    }

    /// The addresses by code minus one.
    pub(super) fn addrs(&self) -> &[IpAddr] {
        &self.addrs
    }

    /// The texts by code minus one.
    pub(super) fn words(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// Forgets the columns and keeps their room.
    pub(super) fn clear_columns(&mut self) {
        self.values.iter_mut().for_each(Column::clear);
    }

    /// Bytes held, about: columns and dictionaries.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.values.iter().map(Column::bytes).sum();
        let texts: usize = self.texts.iter().map(|text| text.len() + 48).sum();
        let verbatim: usize = self.verbatim.values().map(|line| line.len() + 48).sum();
        let addrs = self.addrs.capacity() * size_of::<IpAddr>() + self.others.capacity() * 24 + self.ipv4s.bytes();
        columns + addrs + texts + verbatim + self.formats.bytes()
    }
}

/// A segment has fewer entries than 2^32, since it has at most 65,536 rows.
fn code_at(place: usize) -> u32 {
    u32::try_from(place + 1).unwrap_or(u32::MAX)
}

fn extend(column: &mut Column, source: Held<'_>, mut map: impl FnMut(u64) -> u32) {
    match source {
        Held::Same(code, rows) => {
            let code = map(code);
            column.fill(column.len() + rows, u64::from(code));
        }
        Held::Narrow(codes) => column.extend_narrow(codes, |code| map(u64::from(*code))),
        Held::Wide(codes) => codes.iter().for_each(|code| column.put(column.len(), u64::from(map(*code)))),
    }
}

/// What [`Open::take`] takes out beside the columns.
#[derive(Debug)]
pub(super) struct OpenParts {
    /// Rows.
    pub(super) len: usize,
    /// Addresses by code minus one.
    pub(super) addrs: Box<[IpAddr]>,
    /// Texts by code minus one.
    pub(super) texts: Box<[Box<str>]>,
    /// Formats of the rows.
    pub(super) formats: Box<[Arc<Format>]>,
    /// Place in `formats`, by row.
    pub(super) format: Column,
    /// Lines kept as logged, by row.
    pub(super) verbatim: BTreeMap<u32, Box<str>>,
}

impl Table for Open {
    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn code(&self, field: Field, row: usize) -> u64 {
        self.values[field as usize].get(row)
    }

    fn addr(&self, code: u64) -> IpAddr {
        self.addrs[place_of(code)]
    }

    fn text(&self, code: u64) -> &str {
        &self.texts[place_of(code)]
    }

    fn format(&self, row: usize) -> &Arc<Format> {
        self.formats.of(row)
    }

    fn verbatim(&self, row: usize) -> Option<&str> {
        self.verbatim.get(&u32::try_from(row).ok()?).map(|line| &**line)
    }
}
