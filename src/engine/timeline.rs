//! Counts by time of the records that match a filter, kept as records come and go: each record is looked at once, in slices, newest segment
//! first, and the strip is cut out of the sums, so that it costs the same whatever is held.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::sides::{Direction, Sides};
use super::view::{Bin, ClockKind, Timeline};
use crate::filter::Filter;
use crate::record::{Field, RowRef, Table, seconds};
use crate::store::Ring;
use crate::store::ring::with_table;

/// Seconds of a bucket; a bin of the screen is one or more of them.
const STEP: i64 = 10;
/// Longest strip where no range is asked for, seconds: one record with a wild time must not flatten the rest.
const LONGEST: i64 = 86_400;
/// Buckets of one segment that are told apart; further ones are counted with the one before, so that wild times cannot fill the memory.
const MAX_BUCKETS: usize = 4_096;
/// Widths of a bin that people can reckon with, seconds. The finest that is filled by itself is a minute, since windows are no shorter.
const ROUND: [i64; 17] =
    [10, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000];

/// What one segment adds.
#[derive(Debug, Default)]
struct Part {
    /// Rows counted, in order of arrival.
    done: usize,
    buckets: BTreeMap<i64, Bin>,
    timeless: u64,
}

/// Sums by time of the records that match.
#[derive(Debug, Default)]
pub struct Tally {
    filter: Option<Arc<Filter>>,
    clock: ClockKind,
    /// By the number of the segment's first row.
    parts: BTreeMap<u64, Part>,
    sums: BTreeMap<i64, Bin>,
    timeless: u64,
    sides: Sides,
}

impl Tally {
    /// Counts the records that match `filter` by `clock`; nothing is counted yet.
    pub fn new(filter: Option<Arc<Filter>>, clock: ClockKind) -> Tally {
        Tally { filter, clock, ..Tally::default() }
    }

    /// Looks at up to `budget` rows, newest segment first. Gives how many it looked at; fewer than `budget` means that all were seen.
    pub fn step(&mut self, ring: &Ring, budget: usize, now: i64) -> usize {
        let mut left = budget;
        for part in ring.parts() {
            if left == 0 {
                break;
            }
            let first = part.first_seq();
            let done = self.parts.get(&first).map_or(0, |part| part.done);
            let upto = part.len().min(done.saturating_add(left));
            if done < upto {
                left -= upto - done;
                with_table!(&part, table => self.count(table, first, done..upto, now));
            }
        }
        budget - left
    }

    fn count<T: Table>(&mut self, table: &T, first_seq: u64, rows: Range<usize>, now: i64) {
        let places = self.sides.learn(table, rows.clone());
        let part = self.parts.entry(first_seq).or_default();
        part.done = rows.end;
        // Most rows that arrive together are of the same moment.
        let mut run: Option<(i64, Bin)> = None;
        let mut put = |part: &mut Part, (bucket, bin): (i64, Bin)| {
            let place = if part.buckets.len() < MAX_BUCKETS || part.buckets.contains_key(&bucket) {
                bucket
            } else {
                let near = part.buckets.range(..bucket).next_back().or_else(|| part.buckets.iter().next());
                near.map_or(bucket, |(near, _)| *near)
            };
            gain(part.buckets.entry(place).or_default(), &bin);
            gain(self.sums.entry(place).or_default(), &bin);
        };
        for row in rows {
            if self.filter.as_ref().is_some_and(|filter| !filter.matches(&RowRef { table, row }, now)) {
                continue;
            }
            let time = match self.clock {
                ClockKind::Event => Some(table.time(row)),
                ClockKind::Ingestion => table.number(Field::IngestionTime, row),
            };
            let Some(time) = time else {
                part.timeless += 1;
                self.timeless += 1;
                continue;
            };
            let bucket = seconds(time).div_euclid(STEP);
            let bin = one(table, row, || self.sides.direction(table, row, &places));
            run = match run {
                Some((open, mut sum)) if open == bucket => {
                    gain(&mut sum, &bin);
                    Some((open, sum))
                }
                other => {
                    if let Some(full) = other {
                        put(part, full);
                    }
                    Some((bucket, bin))
                }
            };
        }
        if let Some(full) = run {
            put(part, full);
        }
    }

    /// Takes back what a segment that is no longer held had added.
    pub fn evict(&mut self, first_seq: u64) {
        let Some(part) = self.parts.remove(&first_seq) else { return };
        self.timeless -= part.timeless.min(self.timeless);
        for (bucket, gone) in part.buckets {
            let Some(bin) = self.sums.get_mut(&bucket) else { continue };
            lose(bin, &gone);
            if *bin == Bin::default() {
                self.sums.remove(&bucket);
            }
        }
    }

    /// Share of the ring that was counted.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a share for the screen")]
    fn progress(&self, ring: &Ring) -> f32 {
        let done: u64 = self.parts.values().map(|part| part.done as u64).sum();
        if ring.is_empty() { 1.0 } else { (done as f64 / ring.len() as f64) as f32 }
    }

    /// The strip of `range`, else the one that ends at `now`, in at most `bins` bins of a round width.
    pub fn strip(&self, ring: &Ring, now: i64, range: Option<(i64, i64)>, bins: usize) -> Timeline {
        let none = Timeline { progress: self.progress(ring), timeless: self.timeless, ..Timeline::default() };
        if bins == 0 {
            return none;
        }
        let (from, to, finest) = match range {
            Some((from, to)) => (from, to.max(from.saturating_add(STEP)), STEP),
            None => {
                // A record may claim to end after the clock: what lies ahead of it is not on the strip.
                let held = (now - LONGEST).div_euclid(STEP)..=now.div_euclid(STEP);
                let Some((&first, _)) = self.sums.range(held).next() else { return none };
                (first * STEP, now + 1, 60)
            }
        };
        let most = i64::try_from(bins).unwrap_or(i64::MAX);
        let fits = |step: i64| (to - 1).div_euclid(step) - from.div_euclid(step) < most;
        let wide = (to - from).div_euclid(most) + 1;
        let step = ROUND
            .into_iter()
            .find(|step| *step >= finest && fits(*step))
            .unwrap_or_else(|| (wide.div_euclid(STEP) + 1) * STEP);
        let from = from.div_euclid(step) * step;
        let count = usize::try_from((to - 1 - from).div_euclid(step) + 1).unwrap_or(0).min(bins);
        let mut strip = Timeline { from, step, bins: vec![Bin::default(); count], ..none };
        for (bucket, seen) in self.sums.range(from.div_euclid(STEP)..=(to - 1).div_euclid(STEP)) {
            let index = usize::try_from((bucket * STEP - from).div_euclid(step)).unwrap_or(usize::MAX);
            if let Some(bin) = strip.bins.get_mut(index) {
                gain(bin, seen);
            }
        }
        strip
    }
}

/// Each sum of a bin, once.
fn each(bin: &mut Bin, other: &Bin, join: impl Fn(u64, u64) -> u64) {
    let sums = [
        (&mut bin.bytes_in, other.bytes_in),
        (&mut bin.bytes_out, other.bytes_out),
        (&mut bin.records_in, other.records_in),
        (&mut bin.records_out, other.records_out),
        (&mut bin.accepted, other.accepted),
        (&mut bin.rejected, other.rejected),
        (&mut bin.skipped, other.skipped),
    ];
    for (sum, by) in sums {
        *sum = join(*sum, by);
    }
}

fn gain(bin: &mut Bin, seen: &Bin) {
    each(bin, seen, u64::saturating_add);
}

fn lose(bin: &mut Bin, gone: &Bin) {
    each(bin, gone, u64::saturating_sub);
}

/// What one row adds.
fn one<T: Table>(table: &T, row: usize, direction: impl FnOnce() -> Direction) -> Bin {
    if table.code(Field::SrcAddr, row) == 0 {
        let skipped = table.word(Field::LogStatus, row) == Some("SKIPDATA");
        return Bin { skipped: u64::from(skipped), ..Bin::default() };
    }
    let rejected = table.word(Field::Action, row) == Some("REJECT");
    let bytes = if rejected { 0 } else { table.number(Field::Bytes, row).unwrap_or(0) };
    let towards = direction() == Direction::In;
    Bin {
        bytes_in: if towards { bytes } else { 0 },
        bytes_out: if towards { 0 } else { bytes },
        records_in: u64::from(towards),
        records_out: u64::from(!towards),
        accepted: u64::from(!rejected),
        rejected: u64::from(rejected),
        ..Bin::default()
    }
}
