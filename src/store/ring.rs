//! The ring: sealed segments, newest last in order of arrival, and the open one that grows.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::earlier::Earlier;
use super::open::{Open, Remap};
use super::segment::{ROWS, Segment, first_time, sorted_rows};
use crate::record::{Columns, Field, RowRef, Table};

/// Recent flow records, bounded in bytes. A row's identity is its sequence number: order of arrival, from 0, never reused.
#[derive(Debug)]
pub struct Ring {
    pub(super) sealed: VecDeque<Arc<Segment>>,
    pub(super) open: Open,
    /// Rows of `open` by (time, row), up to `open_sorted`.
    open_order: Vec<u16>,
    pub(super) open_first: u64,
    pub(super) next_seq: u64,
    pub(super) sealed_bytes: usize,
    pub(super) sealed_rows: u64,
    budget: usize,
    /// Bytes of the budget that others use.
    lent: usize,
    evicted: u64,
    pub(super) earlier: Earlier,
}

/// What [`Ring::push`] did.
#[derive(Debug)]
pub struct Pushed {
    /// Number of the first row taken.
    pub first: u64,
    /// Rows taken.
    pub rows: usize,
    /// Segments that had to go to make room.
    pub evicted: Vec<Arc<Segment>>,
}

/// A segment of the ring, sealed or open, as a pass over the ring sees it.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// See [`Segment`].
    Sealed(&'a Arc<Segment>),
    /// The open segment.
    Open(&'a Ring),
}

impl Ring {
    /// A ring that holds at most `budget` bytes of sealed segments; the open one comes on top, so that the newest rows always fit.
    pub fn new(budget: usize) -> Ring {
        Ring {
            sealed: VecDeque::new(),
            open: Open::default(),
            open_order: Vec::new(),
            open_first: 0,
            next_seq: 0,
            sealed_bytes: 0,
            sealed_rows: 0,
            budget,
            lent: 0,
            evicted: 0,
            earlier: Earlier::default(),
        }
    }

    /// Appends as many of `rows` of `columns` as the open segment has room for, at least one. `remap` belongs to `columns` and must be a new
    /// one for other columns; it is emptied when a segment is sealed.
    pub fn push(&mut self, columns: &Columns, rows: Range<usize>, remap: &mut Remap) -> Pushed {
        let mut evicted = Vec::new();
        // Long lines kept as logged fill a segment before its rows do.
        if self.open.len() == ROWS || self.open.text_bytes() > self.budget / 8 {
            self.seal();
            *remap = Remap::default();
            evicted = self.make_room();
        }
        let long = columns.text_bytes() > self.budget / 64;
        let room = if long { 1 } else { ROWS - self.open.len() };
        let rows = rows.start..rows.end.min(rows.start + room);
        self.open.append(columns, rows.clone(), remap);
        let first = self.next_seq;
        self.next_seq += rows.len() as u64;
        Pushed { first, rows: rows.len(), evicted }
    }

    /// Drops what is over the budget. Gives the segments that had to go.
    fn make_room(&mut self) -> Vec<Arc<Segment>> {
        let mut evicted = Vec::new();
        while let (bytes, segments) = self.live()
            && bytes > self.budget - self.lent
            && segments > 1
        {
            evicted.extend(self.evict());
        }
        evicted
    }

    /// Lends `bytes` of the budget, in place of what was lent before, and a third of it stays. Gives the segments that had to go.
    pub fn lend(&mut self, bytes: usize) -> Vec<Arc<Segment>> {
        self.lent = bytes.min(self.budget / 3 * 2);
        self.make_room()
    }

    /// Appends all rows of `columns`.
    pub fn push_all(&mut self, columns: &Columns) -> Pushed {
        let mut remap = Remap::default();
        let mut all = Pushed { first: self.next_seq, rows: 0, evicted: Vec::new() };
        while all.rows < columns.len() {
            let pushed = self.push(columns, all.rows..columns.len(), &mut remap);
            all.rows += pushed.rows;
            all.evicted.extend(pushed.evicted);
        }
        all
    }

    pub(super) fn seal(&mut self) {
        let segment = Segment::seal(&mut self.open, self.open_first);
        self.sealed_bytes += segment.bytes();
        self.sealed_rows += segment.len() as u64;
        self.sealed.push_back(Arc::new(segment));
        self.open_first = self.next_seq;
        self.open_order.clear();
    }

    /// Drops the sealed segment with the least greatest time: what is oldest, not what came first. Earlier time that was asked for goes only where
    /// nothing else is held.
    pub fn evict(&mut self) -> Option<Arc<Segment>> {
        let segment = self.evict_of(false).or_else(|| self.evict_of(true))?;
        self.evicted += segment.len() as u64;
        Some(segment)
    }

    /// Brings the order of the open segment up to date. Call before reading in order of time.
    pub fn prepare(&mut self) {
        let done = self.open_order.len();
        if done == self.open.len() {
            return;
        }
        let time = |row: u16| self.open.time(usize::from(row));
        let mut fresh: Vec<u16> = (done..self.open.len()).filter_map(|row| u16::try_from(row).ok()).collect();
        fresh.sort_by_key(|row| time(*row));
        // Only the end of what is sorted can move: everything not later than the first fresh row stays.
        let first = fresh.first().map_or(0, |row| time(*row));
        let keep = self.open_order.partition_point(|row| time(*row) <= first);
        let mut old = self.open_order.split_off(keep).into_iter().peekable();
        let mut new = fresh.into_iter().peekable();
        while let (Some(a), Some(b)) = (old.peek().copied(), new.peek().copied()) {
            if time(a) <= time(b) {
                self.open_order.push(a);
                old.next();
            } else {
                self.open_order.push(b);
                new.next();
            }
        }
        self.open_order.extend(old);
        self.open_order.extend(new);
    }

    /// Segments, newest first by arrival, the open one before all.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        std::iter::once(Part::Open(self)).chain(self.sealed.iter().rev().map(Part::Sealed))
    }

    /// The sealed segments, oldest first by arrival.
    pub fn sealed(&self) -> &VecDeque<Arc<Segment>> {
        &self.sealed
    }

    /// The row with number `seq`, if it is held: its segment and place.
    pub fn find(&self, seq: u64) -> Option<(Part<'_>, usize)> {
        if seq >= self.open_first {
            let row = usize::try_from(seq - self.open_first).ok()?;
            return (row < self.open.len()).then_some((Part::Open(self), row));
        }
        let after = self.sealed.partition_point(|segment| segment.first_seq() <= seq);
        let segment = self.sealed.get(after.checked_sub(1)?)?;
        let row = usize::try_from(seq - segment.first_seq()).ok()?;
        (row < segment.len()).then_some((Part::Sealed(segment), row))
    }

    /// Rows held.
    pub fn len(&self) -> u64 {
        self.sealed_rows + self.open.len() as u64
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number that the next row gets.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Rows evicted so far.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.sealed_bytes + self.earlier.open_bytes() + self.open.bytes() + self.open_order.capacity() * 2
    }

    /// Bytes it may hold in sealed segments.
    pub fn budget(&self) -> usize {
        self.budget - self.lent
    }

    /// Least and greatest time that the rows say; a row without one is of no time. [`Ring::prepare`] must have been called.
    pub fn span(&self) -> Option<(u64, u64)> {
        let last = self.open_order.last().map(|row| self.open.time(usize::from(*row)));
        let open = first_time(&self.open_order, &self.open).zip(last);
        let all = self.sealed.iter().filter_map(|segment| segment.told_span()).chain(open);
        all.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }
}

/// Runs `$body` with `$table` bound to the concrete table behind a [`Part`], so that the code for a row is compiled once a kind.
macro_rules! with_table {
    ($part:expr, $table:ident => $body:expr) => {
        match $part {
            $crate::store::Part::Sealed(segment) => {
                let $table: &crate::store::Segment = segment;
                $body
            }
            $crate::store::Part::Open(ring) => {
                let $table = ring.open_table();
                $body
            }
        }
    };
}
pub(crate) use with_table;

impl Ring {
    pub(crate) fn open_table(&self) -> &Open {
        &self.open
    }
}

impl<'a> Part<'a> {
    /// Rows.
    pub fn len(&self) -> usize {
        with_table!(self, table => table.len())
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sequence number of row 0.
    pub fn first_seq(&self) -> u64 {
        match self {
            Part::Sealed(segment) => segment.first_seq(),
            Part::Open(ring) => ring.open_first,
        }
    }

    /// Time of `row`, Unix seconds.
    pub fn time(&self, row: usize) -> u64 {
        with_table!(self, table => table.time(row))
    }

    /// Rows by (time, row); `None` where they arrived in that order. The open segment must be prepared.
    pub fn order(self) -> Option<&'a [u16]> {
        match self {
            Part::Sealed(segment) => segment.order(),
            Part::Open(ring) => Some(&ring.open_order),
        }
    }

    /// Calls `f` with the row, as a [`crate::record::Row`] of whichever kind it is.
    pub fn row<R>(&self, row: usize, f: impl FnOnce(&dyn crate::record::Row) -> R) -> R {
        with_table!(self, table => f(&RowRef { table, row }))
    }

    /// The number in `field` of `row`.
    pub fn number(&self, field: Field, row: usize) -> Option<u64> {
        with_table!(self, table => table.number(field, row))
    }
}

/// A frozen copy of the open segment is cheap to make and rare: what is looked at must not grow.
impl Ring {
    /// All rows as sealed segments: the sealed ones shared, the open one copied. Costs at most one segment's copy.
    #[must_use]
    pub fn freeze(&self) -> Ring {
        let mut frozen = Ring {
            sealed: self.sealed.clone(),
            open: self.open.clone(),
            open_order: Vec::new(),
            open_first: self.open_first,
            next_seq: self.next_seq,
            sealed_bytes: self.sealed_bytes,
            sealed_rows: self.sealed_rows,
            budget: self.budget,
            lent: self.lent,
            evicted: self.evicted,
            earlier: self.earlier.sealed(),
        };
        frozen.open_order = sorted_rows(&frozen.open)
            .map_or_else(|| (0..frozen.open.len()).filter_map(|row| u16::try_from(row).ok()).collect(), Vec::from);
        frozen
    }
}

#[cfg(test)]
mod tests;
