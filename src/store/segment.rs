//! A sealed segment: up to 65,536 rows that will never change.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::addrs::Addrs;
use super::open::{Open, OpenParts};
use super::packed::Packed;
use crate::record::columns::place_of;
use crate::record::{Field, Format, Table};

/// Rows of a full segment.
pub const ROWS: usize = 65_536;

/// Immutable rows. Columns that no row has a value for do not exist.
#[derive(Debug)]
pub struct Segment {
    len: usize,
    /// Sequence number of row 0; the others follow.
    first_seq: u64,
    /// Place of each field's column in `columns`, or [`NO_COLUMN`].
    index: [u8; Field::COUNT],
    columns: Box<[Packed]>,
    /// Least and greatest code of each of `columns`.
    zones: Box<[(u64, u64)]>,
    addrs: Addrs,
    texts: Box<[Box<str>]>,
    formats: Box<[Arc<Format>]>,
    format: Packed,
    verbatim: BTreeMap<u32, Box<str>>,
    /// Rows by (time, row) where that is not the order they arrived in.
    order: Option<Box<[u16]>>,
    /// Least and greatest time; a row that says none has 0.
    span: (u64, u64),
    /// The least time that a row says, where one does.
    since: Option<u64>,
}

const NO_COLUMN: u8 = u8::MAX;
const _: () = assert!(Field::COUNT < NO_COLUMN as usize);

impl Segment {
    /// Seals the rows of `open`, of which there must be at most [`ROWS`], and leaves it empty. `first_seq` is the number of the first.
    pub fn seal(open: &mut Open, first_seq: u64) -> Segment {
        let order = sorted_rows(open);
        let span = match order.as_deref() {
            Some([first, .., last]) => (open.time(usize::from(*first)), open.time(usize::from(*last))),
            _ if open.is_empty() => (0, 0),
            _ => (open.time(0), open.time(open.len() - 1)),
        };
        let since = match order.as_deref() {
            Some(order) => first_time(order, open),
            None => (0..open.len()).map(|row| open.time(row)).find(|time| *time > 0),
        };
        let OpenParts { len, addrs, texts, formats, format, verbatim } = open.take();
        let mut index = [NO_COLUMN; Field::COUNT];
        let (mut columns, mut zones) = (Vec::new(), Vec::new());
        for (field, column) in open.columns().iter().enumerate().filter(|(_, column)| !column.is_absent()) {
            // There are fewer fields than NO_COLUMN, so the place fits.
            index[field] = u8::try_from(columns.len()).unwrap_or(NO_COLUMN);
            let (packed, zone) = Packed::with_zone(column, len);
            columns.push(packed);
            zones.push(zone);
        }
        open.clear_columns();
        Segment {
            len,
            first_seq,
            index,
            columns: columns.into(),
            zones: zones.into(),
            addrs: Addrs::new(&addrs),
            texts,
            formats,
            format: Packed::of(&format, len),
            verbatim,
            order,
            span,
            since,
        }
    }

    /// See [`super::Columnar::only_format`].
    pub(super) fn one_format(&self) -> Option<&Format> {
        match &*self.formats {
            [only] if self.verbatim.is_empty() => Some(only),
            _ => None,
        }
    }

    /// Sequence number of row 0.
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Least and greatest time, Unix seconds.
    pub fn span(&self) -> (u64, u64) {
        self.span
    }

    /// Least and greatest time that the rows say, where one does.
    pub fn told_span(&self) -> Option<(u64, u64)> {
        self.since.map(|since| (since, self.span.1))
    }

    /// Rows by (time, row), or `None` where they arrived in that order.
    pub fn order(&self) -> Option<&[u16]> {
        self.order.as_deref()
    }

    /// The column of `field`, if any row has a value for it.
    pub(super) fn column(&self, field: Field) -> Option<&Packed> {
        self.columns.get(usize::from(self.index[field as usize]))
    }

    /// Least and greatest code of `field`.
    pub(super) fn zone(&self, field: Field) -> (u64, u64) {
        self.zones.get(usize::from(self.index[field as usize])).copied().unwrap_or((0, 0))
    }

    /// The addresses by code minus one.
    pub(super) fn addrs(&self) -> &Addrs {
        &self.addrs
    }

    /// The texts by code minus one.
    pub(super) fn words(&self) -> &[Box<str>] {
        &self.texts
    }

    /// Bytes held, dictionaries and bookkeeping included.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Packed::bytes).sum();
        let texts: usize = self.texts.iter().map(|text| text.len() + size_of::<Box<str>>()).sum();
        // A B-tree node entry: key, boxed text and its share of the node.
        let verbatim: usize = self.verbatim.values().map(|line| line.len() + 40).sum();
        size_of::<Segment>()
            + columns
            + self.columns.len() * (size_of::<Packed>() + size_of::<(u64, u64)>())
            + self.addrs.bytes()
            + texts
            + verbatim
            + self.format.bytes()
            + self.order.as_ref().map_or(0, |order| order.len() * 2)
    }
}

/// The first time above 0 of `rows` of `open`, which are in order of time.
pub(super) fn first_time(rows: &[u16], open: &Open) -> Option<u64> {
    let time = |row: &u16| open.time(usize::from(*row));
    rows.get(rows.partition_point(|row| time(row) == 0)).map(time)
}

/// Rows by (time, row), or `None` where they already are in that order.
pub(super) fn sorted_rows(open: &Open) -> Option<Box<[u16]>> {
    let times: Vec<u64> = (0..open.len()).map(|row| open.time(row)).collect();
    if times.is_sorted() {
        return None;
    }
    let (least, most) = times.iter().fold((u64::MAX, 0), |(least, most), time| (least.min(*time), most.max(*time)));
    let Some(seconds) = usize::try_from(most - least).ok().filter(|seconds| *seconds < ROWS) else {
        let mut rows: Vec<u16> = (0..open.len()).filter_map(|row| u16::try_from(row).ok()).collect();
        rows.sort_by_key(|row| times[usize::from(*row)]);
        return Some(rows.into());
    };
    // The rows of a segment mostly lie within minutes: where those of each second begin is counted.
    let second = |time: u64| usize::try_from(time - least).unwrap_or(0);
    let mut begins = vec![0_u32; seconds + 2];
    for time in &times {
        begins[second(*time) + 1] += 1;
    }
    for at in 1..begins.len() {
        begins[at] += begins[at - 1];
    }
    let mut rows = vec![0_u16; times.len()];
    for (row, time) in times.iter().enumerate() {
        let place = &mut begins[second(*time)];
        rows[*place as usize] = u16::try_from(row).unwrap_or(u16::MAX);
        *place += 1;
    }
    Some(rows.into())
}

impl Table for Segment {
    fn len(&self) -> usize {
        self.len
    }

    fn code(&self, field: Field, row: usize) -> u64 {
        match self.index[field as usize] {
            NO_COLUMN => 0,
            place => self.columns[usize::from(place)].get(row),
        }
    }

    fn addr(&self, code: u64) -> IpAddr {
        self.addrs.get(place_of(code))
    }

    fn text(&self, code: u64) -> &str {
        &self.texts[place_of(code)]
    }

    fn format(&self, row: usize) -> &Arc<Format> {
        // There are at most 65,536 formats.
        &self.formats[usize::try_from(self.format.get(row)).unwrap_or(0)]
    }

    fn verbatim(&self, row: usize) -> Option<&str> {
        self.verbatim.get(&u32::try_from(row).ok()?).map(|line| &**line)
    }
}
