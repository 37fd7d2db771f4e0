//! Counts by time of the records that match a filter, kept as records come and go: each record is looked at once, in slices, newest segment
//! first, and the strip is cut out of the sums, so that it costs the same whatever is held.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use super::sides::{Direction, Sides};
use super::view::{Bin, ClockKind, Timeline};
use crate::filter::Filter;
use crate::record::{Field, RowRef, Table, seconds};
use crate::store::Ring;
use crate::store::ring::with_table;

/// Seconds of a bucket; a bin of the screen is one or more of them.
pub(super) const STEP: i64 = 10;
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

    /// Looks at up to `budget` rows, newest segment first, fewer where the filter searches their line. Gives what it took of it; less than `budget`
    /// means that all were seen.
    pub fn step(&mut self, ring: &Ring, budget: usize, now: i64) -> usize {
        let mut left = budget;
        let cost = self.filter.as_ref().map_or(1, |filter| filter.row_cost());
        for part in ring.parts() {
            if left == 0 {
                break;
            }
            let first = part.first_seq();
            let done = self.parts.get(&first).map_or(0, |part| part.done);
            let upto = part.len().min(done.saturating_add(left.div_ceil(cost)));
            if done < upto {
                left = left.saturating_sub((upto - done) * cost);
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
        let Some((from, step, count)) = frame(|held| Some(*self.sums.range(held).next()?.0), now, range, bins) else {
            return none;
        };
        let to = from + step * i64::try_from(count).unwrap_or(0);
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

/// Where a strip begins, how wide its bins are, and how many there are: of `range`, else of the day that ends at `now`, of which `first` gives the
/// first bucket that is not empty. `None` where there is nothing to show.
pub(super) fn frame(
    first: impl FnOnce(RangeInclusive<i64>) -> Option<i64>,
    now: i64,
    range: Option<(i64, i64)>,
    bins: usize,
) -> Option<(i64, i64, usize)> {
    let (from, to, finest) = if let Some((from, to)) = range {
        (from, to.max(from.saturating_add(STEP)), STEP)
    } else {
        // A record may claim to end after the clock: what lies ahead of it is not on the strip.
        let held = (now - LONGEST).div_euclid(STEP)..=now.div_euclid(STEP);
        (first(held)? * STEP, now + 1, 60)
    };
    let most = i64::try_from(bins).unwrap_or(i64::MAX);
    if most == 0 {
        return None;
    }
    let fits = |step: i64| (to - 1).div_euclid(step) - from.div_euclid(step) < most;
    let (from, step) = if let Some(step) = ROUND.into_iter().find(|step| *step >= finest && fits(*step)) {
        (from.div_euclid(step) * step, step)
    } else {
        let from = from.div_euclid(STEP) * STEP;
        (from, ((to - from).div_euclid(most * STEP) + 1) * STEP)
    };
    let count = usize::try_from((to - 1 - from).div_euclid(step) + 1).unwrap_or(0).min(bins);
    Some((from, step, count))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Batch, Decoder};

    /// A ring of these lines, and what they come to without a filter.
    fn tallied(lines: &str) -> (Ring, Tally) {
        let mut ring = Ring::new(1 << 20);
        let batch = Batch { bytes: lines.as_bytes().to_vec(), ..Batch::default() };
        let columns = Decoder::new(None).decode(&batch).columns;
        ring.push_all(&columns);
        ring.prepare();
        let mut tally = Tally::default();
        while tally.step(&ring, 7, 0) > 0 {}
        (ring, tally)
    }

    fn line(interface: &str, ends: &str, bytes: u64, end: u64) -> String {
        format!("2 1 {interface} {ends} 6 1 {bytes} {} {end} ACCEPT OK\n", end.saturating_sub(60))
    }

    #[test]
    fn the_side_of_an_interface_is_learned_from_what_its_records_have_in_common() {
        // Two interfaces log the same private conversation: what is out at one is in at the other.
        let mut lines = String::new();
        for (peer, end) in [("10.0.0.8", 1_000), ("10.0.0.2", 1_060)] {
            lines += &line("eni-a", &format!("10.0.0.1 {peer} 443 50000"), 100, end);
            lines += &line("eni-b", &format!("10.0.0.1 {peer} 443 50000"), 10, end);
        }
        lines += &line("eni-b", "10.0.0.2 10.0.0.9 443 50000", 1, 1_060);
        // eni-b logs 10.0.0.1 with 10.0.0.8 and 10.0.0.2: it is 10.0.0.1 as well, until the last line shows that it is neither.
        let (ring, tally) = tallied(&lines);
        let strip = tally.strip(&ring, 1_060, None, 10);
        let sum = strip.bins.iter().fold((0, 0), |sum, bin| (sum.0 + bin.bytes_in, sum.1 + bin.bytes_out));
        assert_eq!(sum, (0, 221), "eni-a sends; of eni-b the lower port is taken for the sender");
        let (ring, tally) = tallied(
            &(line("eni-b", "10.0.0.1 10.0.0.2 50000 443", 10, 1_000)
                + &line("eni-b", "10.0.0.3 10.0.0.2 50000 443", 5, 1_000)
                + &line("eni-b", "10.0.0.2 10.0.0.3 443 50000", 2, 1_000)),
        );
        let strip = tally.strip(&ring, 1_000, None, 10);
        assert_eq!((strip.bins[0].bytes_in, strip.bins[0].bytes_out), (15, 2));
    }

    #[test]
    fn wild_times_are_counted_and_take_no_more_room() {
        let lines: String = (0..30_000_u64).map(|n| line("eni-a", "10.0.0.1 10.0.0.2 1 2", 1, n * 100_000)).collect();
        let (ring, mut tally) = tallied(&lines);
        assert!(tally.sums.len() <= MAX_BUCKETS * ring.parts().count());
        assert_eq!(tally.sums.values().map(|bin| bin.accepted).sum::<u64>(), 30_000);
        let firsts: Vec<u64> = ring.parts().map(|part| part.first_seq()).collect();
        for first in firsts {
            tally.evict(first);
        }
        assert!(tally.sums.is_empty() && tally.parts.is_empty());
    }

    #[test]
    fn any_range_is_cut_into_bins_that_cover_it() {
        let (ring, tally) = tallied(&line("eni-a", "10.0.0.1 10.0.0.2 1 2", 1, 1_000));
        for (from, to) in [(0, 1), (995, 1_005), (-100, 100_000), (0, 253_402_300_799), (1_000, 1_000)] {
            for bins in [1, 2, 60, 200] {
                let strip = tally.strip(&ring, 1_000, Some((from, to)), bins);
                let end = strip.from + strip.step * i64::try_from(strip.bins.len()).unwrap();
                assert!(strip.bins.len() <= bins && strip.from <= from && end >= to, "{from}..{to} in {bins}");
            }
        }
        assert_eq!(tally.strip(&ring, 1_000, None, 0).bins.len(), 0);
    }
}
