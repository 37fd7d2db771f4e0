//! Counts by time, kept as records come and go, so that the strip costs the same whatever is held.

use std::collections::BTreeMap;
use std::ops::Range;

use super::view::{Bin, Timeline};
use crate::record::{Field, Table, seconds};

/// Seconds of a bucket; a bin of the screen is one or more of them.
const STEP: i64 = 10;
/// Longest strip, seconds: one record with a wild time must not flatten the rest.
const LONGEST: i64 = 86_400;

/// Records held, by time.
#[derive(Debug, Default)]
pub struct Buckets {
    buckets: BTreeMap<i64, Bin>,
}

impl Buckets {
    /// Counts rows.
    pub fn add<T: Table>(&mut self, table: &T, rows: Range<usize>) {
        for (bucket, seen) in runs(table, rows) {
            gain(self.buckets.entry(bucket).or_default(), &seen);
        }
    }

    /// Takes back all rows of a table that is no longer held.
    pub fn remove<T: Table>(&mut self, table: &T) {
        for (bucket, seen) in runs(table, 0..table.len()) {
            let Some(bin) = self.buckets.get_mut(&bucket) else { continue };
            bin.bytes = bin.bytes.saturating_sub(seen.bytes);
            bin.accepted = bin.accepted.saturating_sub(seen.accepted);
            bin.rejected = bin.rejected.saturating_sub(seen.rejected);
            bin.skipped = bin.skipped.saturating_sub(seen.skipped);
            if *bin == Bin::default() {
                self.buckets.remove(&bucket);
            }
        }
    }

    /// The strip that ends at `now`, in at most `bins` bins of a round width.
    pub fn strip(&self, now: i64, bins: usize) -> Timeline {
        // A record may claim to end after the clock: what lies ahead of it is not on the strip.
        let strip = (now - LONGEST).div_euclid(STEP)..=now.div_euclid(STEP);
        let Some((&first, _)) = self.buckets.range(strip).next() else {
            return Timeline::default();
        };
        if bins == 0 {
            return Timeline::default();
        }
        let from = first * STEP;
        let bins = i64::try_from(bins).unwrap_or(i64::MAX);
        let needed = (now - from).max(STEP).div_euclid(bins) + 1;
        // Windows are a minute long: finer bins would show gaps that are none.
        let round = [60, 120, 300, 600, 900, 1_800, 3_600];
        let step = round.into_iter().find(|step| *step >= needed).unwrap_or(3_600);
        let from = from.div_euclid(step) * step;
        let count = usize::try_from((now - from).div_euclid(step) + 1).unwrap_or(0);
        let mut strip = Timeline { from, step, bins: vec![Bin::default(); count] };
        for (bucket, seen) in self.buckets.range(from.div_euclid(STEP)..=now.div_euclid(STEP)) {
            let index = usize::try_from((bucket * STEP - from).div_euclid(step)).unwrap_or(usize::MAX);
            if let Some(bin) = strip.bins.get_mut(index) {
                gain(bin, seen);
            }
        }
        strip
    }
}

fn gain(bin: &mut Bin, seen: &Bin) {
    bin.bytes = bin.bytes.saturating_add(seen.bytes);
    bin.accepted += seen.accepted;
    bin.rejected += seen.rejected;
    bin.skipped += seen.skipped;
}

/// What rows add, neighbours of one bucket summed: most rows that arrive together are of the same moment.
fn runs<T: Table>(table: &T, rows: Range<usize>) -> impl Iterator<Item = (i64, Bin)> {
    let mut rows = rows.peekable();
    let bucket = |row: usize| seconds(table.time(row)).div_euclid(STEP);
    let (mut rejects, mut skips) = (Is::new(Field::Action, "REJECT"), Is::new(Field::LogStatus, "SKIPDATA"));
    std::iter::from_fn(move || {
        let first = rows.next()?;
        let place = bucket(first);
        let mut one = |row| one(table, row, rejects.test(table, row), skips.test(table, row));
        let mut sum = one(first);
        while let Some(row) = rows.next_if(|row| bucket(*row) == place) {
            gain(&mut sum, &one(row));
        }
        Some((place, sum))
    })
}

/// Whether a word of a row is a certain one. Words are few and repeat, and their codes are compared faster than they are.
#[derive(Debug)]
pub(super) struct Is {
    field: Field,
    word: &'static str,
    /// The code that was met last, and what it means; no word at first.
    last: (u64, bool),
}

impl Is {
    pub(super) fn new(field: Field, word: &'static str) -> Is {
        Is { field, word, last: (0, false) }
    }

    /// The question, always of the same table.
    pub(super) fn test<T: Table>(&mut self, table: &T, row: usize) -> bool {
        let code = table.code(self.field, row);
        if code != self.last.0 {
            self.last = (code, code != 0 && table.text(code) == self.word);
        }
        self.last.1
    }
}

/// What one row adds.
fn one<T: Table>(table: &T, row: usize, rejected: bool, skipped: bool) -> Bin {
    let traffic = table.code(Field::SrcAddr, row) != 0;
    let bytes = if rejected { 0 } else { table.number(Field::Bytes, row).unwrap_or(0) };
    Bin {
        bytes,
        accepted: u64::from(traffic && !rejected),
        rejected: u64::from(rejected),
        skipped: u64::from(skipped),
        ..Bin::default()
    }
}
