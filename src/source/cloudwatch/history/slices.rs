//! The range of a search in slices of time: which is asked next, and what becomes of one that gave as many rows as a query may give.

use std::collections::BTreeMap;

/// Longest slice of a search for records, seconds. Slices cost nothing: AWS charges for what is scanned, and a shorter query neither times out nor is
/// lost whole.
const LONGEST: i64 = 86_400;
/// Slices that a short range is cut into, so that several are asked at a time.
const PIECES: i64 = 8;
/// A range is not cut into slices shorter than this before anything is known of it, seconds.
const SHORTEST: i64 = 3_600;
/// Times that a slice with too many groups is halved.
pub(super) const MOST_CUTS: u32 = 2;
/// Pieces that the rest of a slice is cut into at most.
const MOST_PIECES: i64 = 64;

/// Seconds of event time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub from: i64,
    pub to: i64,
    /// Times that it failed.
    pub failed: u32,
    /// Times that what it is a part of was halved, since it had more groups than a query gives.
    pub cuts: u32,
}

impl Slice {
    pub(super) fn new(from: i64, to: i64) -> Slice {
        Slice { from, to, failed: 0, cuts: 0 }
    }

    pub(super) fn seconds(&self) -> i64 {
        self.to - self.from + 1
    }

    /// Cut into `pieces` of the same length, about.
    fn cut(&self, pieces: i64) -> impl Iterator<Item = Slice> + use<> {
        let (from, to) = (self.from, self.to);
        let step = (self.seconds() + pieces.max(1) - 1) / pieces.max(1);
        (0..)
            .map(move |n| from + n * step)
            .take_while(move |at| *at <= to)
            .map(move |at| Slice::new(at, (at + step - 1).min(to)))
    }
}

/// Slices that wait to be asked, oldest first.
#[derive(Debug)]
pub(super) struct Slices {
    waiting: BTreeMap<i64, Slice>,
    /// Rows a second of the densest that was seen lately.
    density: f64,
    /// Rows that one query gives at most.
    limit: usize,
}

/// What a full slice comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Rows before this second are all there are; those of it and later ones are asked for again.
    pub before: i64,
    /// A second of which not all rows can be had.
    pub lost: Option<i64>,
}

impl Slices {
    /// The range from `from` to `to`; as one where `whole`.
    pub(super) fn new(from: i64, to: i64, whole: bool, limit: usize) -> Slices {
        let all = Slice::new(from, to);
        let length = (all.seconds() / PIECES).clamp(SHORTEST, LONGEST);
        let pieces = if whole { 1 } else { (all.seconds() + length - 1) / length };
        let waiting = all.cut(pieces).map(|slice| (slice.from, slice)).collect();
        Slices { waiting, density: 0.0, limit }
    }

    /// The oldest one, which is taken out; cut first where it would surely give too many rows.
    pub(super) fn next(&mut self) -> Option<Slice> {
        let (_, slice) = self.waiting.pop_first()?;
        let pieces = self.pieces(slice.seconds());
        if pieces <= 1 {
            return Some(slice);
        }
        let mut parts = slice.cut(pieces);
        let first = parts.next();
        self.waiting.extend(parts.map(|part| (part.from, part)));
        first
    }

    /// First second of the oldest one that waits.
    pub(super) fn first(&self) -> Option<i64> {
        self.waiting.keys().next().copied()
    }

    /// All that wait.
    pub(super) fn rest(&self) -> impl Iterator<Item = Slice> + '_ {
        self.waiting.values().copied()
    }

    /// Asks for it once more.
    pub(super) fn again(&mut self, slice: Slice) {
        self.waiting.insert(slice.from, slice);
    }

    /// Asks for both halves, since the whole took too long. False for a single second.
    pub(super) fn halve(&mut self, slice: Slice) -> bool {
        if slice.seconds() < 2 {
            return false;
        }
        self.waiting.extend(slice.cut(2).map(|part| (part.from, Slice { cuts: slice.cuts, ..part })));
        true
    }

    /// Asks for both halves, since the whole has more groups than a query gives. False where it was halved often enough: each time scans it once more.
    pub(super) fn halve_crowded(&mut self, slice: Slice) -> bool {
        slice.cuts < MOST_CUTS && self.halve(Slice { cuts: slice.cuts + 1, ..slice })
    }

    /// A slice gave all its rows.
    pub(super) fn complete(&mut self, slice: &Slice, rows: usize) {
        // The last one counts as much as all before it: traffic of the night says little of the day.
        self.density = self.density.midpoint(rate(rows, slice.seconds()));
    }

    /// A slice gave as many rows as a query may, the oldest ones, up to the second `last`. Asks for the rest.
    pub(super) fn full(&mut self, slice: &Slice, rows: usize, last: i64) -> Cut {
        if last > slice.to {
            return Cut { before: slice.to + 1, lost: None };
        }
        // More rows in one second than a query gives: no query can be narrower.
        let crowded = (last <= slice.from).then_some(slice.from);
        let before = if crowded.is_some() { slice.from + 1 } else { last };
        self.density = rate(rows, before - slice.from);
        if before <= slice.to {
            self.again(Slice::new(before, slice.to));
        }
        Cut { before, lost: crowded }
    }

    /// Pieces that a slice of so many seconds is cut into, by what is known of how many rows there are.
    fn pieces(&self, seconds: i64) -> i64 {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let expected = self.density * seconds as f64 / (self.limit as f64 * 0.8);
        #[expect(clippy::cast_possible_truncation, reason = "bounded")]
        let pieces = expected.ceil().clamp(1.0, 64.0) as i64;
        pieces.min(seconds).min(MOST_PIECES)
    }
}

fn rate(rows: usize, seconds: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let rate = rows as f64 / seconds.max(1) as f64;
    rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_covered_once() {
        for (from, to) in [(0, 0), (100, 3_700), (0, 7 * 86_400 - 1), (5, 90 * 86_400 + 17)] {
            let mut slices = Slices::new(from, to, false, 100);
            let mut next = from;
            while let Some(slice) = slices.next() {
                assert_eq!(slice.from, next);
                assert!(slice.seconds() <= LONGEST);
                next = slice.to + 1;
            }
            assert_eq!(next, to + 1);
        }
        assert_eq!(Slices::new(0, 90 * 86_400, true, 100).next(), Some(Slice::new(0, 90 * 86_400)));
    }

    #[test]
    fn what_follows_a_full_slice_is_cut_by_how_dense_it_was() {
        let mut slices = Slices::new(0, 3_599, false, 100);
        let slice = slices.next().unwrap();
        // 100 rows in the first 360 seconds: ten times as many are to be expected.
        assert_eq!(slices.full(&slice, 100, 360), Cut { before: 360, lost: None });
        let next = slices.next().unwrap();
        assert_eq!(next.from, 360);
        assert!((200..=300).contains(&next.seconds()), "{next:?}");
        let mut seconds = next.seconds();
        while let Some(slice) = slices.next() {
            seconds += slice.seconds();
        }
        assert_eq!(seconds, 3_600 - 360);
    }

    #[test]
    fn a_second_that_is_too_full_is_named_and_passed() {
        let mut slices = Slices::new(10, 20, false, 5);
        let slice = slices.next().unwrap();
        assert_eq!(slices.full(&slice, 5, 10), Cut { before: 11, lost: Some(10) });
        assert_eq!(slices.first(), Some(11));
        let last = Slice::new(20, 20);
        assert_eq!(slices.full(&last, 5, 20), Cut { before: 21, lost: Some(20) });
        // What lies beyond the slice was not asked for.
        assert_eq!(slices.full(&last, 5, 21), Cut { before: 21, lost: None });
    }

    #[test]
    fn what_has_too_many_groups_is_halved_twice() {
        let mut slices = Slices::new(0, 99, true, 5);
        let whole = slices.next().unwrap();
        assert!(slices.halve_crowded(whole));
        let half = slices.next().unwrap();
        assert_eq!((half.from, half.to, half.cuts), (0, 49, 1));
        assert!(slices.halve_crowded(half));
        let quarter = slices.next().unwrap();
        assert_eq!((quarter.from, quarter.to), (0, 24));
        assert!(!slices.halve_crowded(quarter));
        assert_eq!(slices.rest().map(|slice| (slice.from, slice.to)).collect::<Vec<_>>(), [(25, 49), (50, 99)]);
    }

    #[test]
    fn what_took_too_long_is_halved_down_to_a_second() {
        let mut slices = Slices::new(0, 0, true, 5);
        assert!(!slices.halve(Slice::new(7, 7)));
        assert!(slices.halve(Slice::new(1, 3)));
        assert_eq!(slices.rest().map(|slice| (slice.from, slice.to)).collect::<Vec<_>>(), [(0, 0), (1, 2), (3, 3)]);
    }
}
