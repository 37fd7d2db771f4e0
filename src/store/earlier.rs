//! Earlier time that was asked for beside what is live: rows with room of their own in the ring, so that neither evicts the other.
//!
//! They gather in an open segment of their own and become rows of the ring, with numbers, when that is sealed: once it is full, and when a stretch of
//! time is read. The open segment of what is live is sealed before it, since the numbers of a segment follow one another.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::open::{Open, Remap};
use super::ring::Ring;
use super::segment::{ROWS, Segment};
use crate::record::{Columns, Table as _};

/// What is held of earlier time.
#[derive(Clone, Debug, Default)]
pub(super) struct Earlier {
    open: Open,
    /// The numbers of the first rows of its sealed segments.
    segments: BTreeSet<u64>,
    bytes: usize,
    budget: usize,
    let_go: u64,
}

impl Earlier {
    /// What of it is sealed.
    pub(super) fn sealed(&self) -> Earlier {
        Earlier { open: Open::default(), segments: self.segments.clone(), ..*self }
    }

    /// Bytes of its open segment.
    pub(super) fn open_bytes(&self) -> usize {
        self.open.bytes()
    }
}

impl Ring {
    /// The same ring with room for `budget` bytes of earlier time on top.
    #[must_use]
    pub fn with_earlier(mut self, budget: usize) -> Ring {
        self.earlier.budget = budget;
        self
    }

    /// Takes as many of `rows` of `columns` as the open segment of earlier time has room for, at least one; gives how many, and the segments that had
    /// to go. `remap` as in [`Ring::push`].
    pub fn push_earlier(
        &mut self,
        columns: &Columns,
        rows: Range<usize>,
        remap: &mut Remap,
    ) -> (usize, Vec<Arc<Segment>>) {
        let mut gone = Vec::new();
        if self.earlier.open.len() == ROWS || self.earlier.open.text_bytes() > self.earlier.budget / 8 {
            gone = self.seal_earlier();
            *remap = Remap::default();
        }
        let long = columns.text_bytes() > self.earlier.budget / 64;
        let room = if long { 1 } else { ROWS - self.earlier.open.len() };
        let rows = rows.start..rows.end.min(rows.start + room);
        self.earlier.open.append(columns, rows.clone(), remap);
        (rows.len(), gone)
    }

    /// Makes rows of what was gathered of earlier time. Gives the segments that had to go: those of the earliest time, which the room does not hold.
    pub fn seal_earlier(&mut self) -> Vec<Arc<Segment>> {
        let mut gone = Vec::new();
        if self.earlier.open.is_empty() {
            return gone;
        }
        if !self.open.is_empty() {
            self.seal();
        }
        let mut open = std::mem::take(&mut self.earlier.open);
        let segment = Segment::seal(&mut open, self.next_seq);
        self.earlier.open = open;
        self.next_seq += segment.len() as u64;
        self.open_first = self.next_seq;
        self.earlier.segments.insert(segment.first_seq());
        self.earlier.bytes += segment.bytes();
        self.sealed_bytes += segment.bytes();
        self.sealed_rows += segment.len() as u64;
        self.sealed.push_back(Arc::new(segment));
        while self.earlier.bytes > self.earlier.budget
            && let Some(segment) = self.evict_of(true)
        {
            self.earlier.let_go += segment.len() as u64;
            gone.push(segment);
        }
        gone
    }

    /// Drops the sealed segment with the least greatest time, of earlier time or of what is live.
    pub(super) fn evict_of(&mut self, earlier: bool) -> Option<Arc<Segment>> {
        let of = |segment: &Segment| self.earlier.segments.contains(&segment.first_seq()) == earlier;
        let oldest = (0..self.sealed.len())
            .filter(|index| of(&self.sealed[*index]))
            .min_by_key(|index| self.sealed[*index].span().1)?;
        let segment = self.sealed.remove(oldest)?;
        self.sealed_bytes -= segment.bytes();
        self.sealed_rows -= segment.len() as u64;
        if self.earlier.segments.remove(&segment.first_seq()) {
            self.earlier.bytes -= segment.bytes();
        }
        Some(segment)
    }

    /// Bytes and number of the sealed segments of what is live.
    pub(super) fn live(&self) -> (usize, usize) {
        (self.sealed_bytes - self.earlier.bytes, self.sealed.len() - self.earlier.segments.len())
    }

    /// Rows of earlier time that its room did not hold.
    pub fn earlier_let_go(&self) -> u64 {
        self.earlier.let_go
    }

    /// Bytes of earlier time: held, and how many they may be.
    pub fn earlier_bytes(&self) -> (usize, usize) {
        (self.earlier.bytes + self.earlier.open.bytes(), self.earlier.budget)
    }
}
