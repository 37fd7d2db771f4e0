//! A filter pass over the ring, in slices: which rows of each segment match, and where asked for the head of an order or sums by group.
//!
//! Every row is tested once. What arrives later is tested as it arrives, so a pass never starts again because the ring grew.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use super::groups::Groups;
use super::top::{SortKey, Top};
use super::view::{Anchor, RowId};
use crate::filter::Filter;
use crate::record::{Field, Row, RowRef, Table};
use crate::store::ring::with_table;
use crate::store::{Part, Ring};

/// What a pass gathers beside the matches.
#[derive(Debug)]
pub enum Gather {
    /// Nothing: rows are shown in order of time, which the segments keep.
    Nothing,
    /// The head of an order by this column.
    Top(Field, Top),
    /// Sums by group.
    Groups(Groups),
}

/// Rows of one segment that match.
#[derive(Debug, Default)]
struct Matches {
    /// Rows, by (time, row) once `sorted`.
    rows: Vec<u16>,
    sorted: bool,
    /// Rows tested, in order of arrival.
    done: usize,
}

/// A pass over the ring.
#[derive(Debug)]
pub struct Scan {
    filter: Option<Arc<Filter>>,
    window: Option<(i64, i64)>,
    gather: Gather,
    /// By the number of the segment's first row.
    segments: BTreeMap<u64, Matches>,
    /// Matches that were evicted since the pass began; groups and orders still contain them.
    gone: u64,
}

/// Time and number of a row: what the order of time goes by.
type TimeKey = (u64, u64);

impl Scan {
    /// A pass that has looked at nothing yet.
    pub fn new(filter: Option<Arc<Filter>>, window: Option<(i64, i64)>, gather: Gather) -> Scan {
        Scan { filter, window, gather, segments: BTreeMap::new(), gone: 0 }
    }

    /// Whether all rows match and nothing is gathered, so that no row needs to be looked at.
    fn is_everything(&self) -> bool {
        self.filter.is_none() && self.window.is_none() && matches!(self.gather, Gather::Nothing)
    }

    /// Looks at up to `budget` rows, newest segment first. Gives how many it looked at; fewer than `budget` means that all were seen.
    pub fn step(&mut self, ring: &Ring, budget: usize, now: i64) -> usize {
        if self.is_everything() {
            return 0;
        }
        let mut left = budget;
        for part in ring.parts() {
            if left == 0 {
                break;
            }
            let matches = self.segments.entry(part.first_seq()).or_default();
            let upto = part.len().min(matches.done + left);
            left -= upto - matches.done;
            if matches.done < upto {
                let before = matches.rows.len();
                let span = matches.done..upto;
                matches.done = upto;
                with_table!(&part, table => {
                    let test = Test { filter: self.filter.as_deref(), window: self.window, now };
                    test.run(table, part.first_seq(), span, &mut matches.rows, &mut self.gather);
                });
                matches.sorted &= matches.rows.len() == before;
            }
        }
        budget - left
    }

    /// Forgets a segment that was evicted.
    pub fn evict(&mut self, first_seq: u64) {
        if let Some(matches) = self.segments.remove(&first_seq) {
            self.gone += matches.rows.len() as u64;
        }
    }

    /// Whether so much of what was gathered is gone that the pass should begin anew.
    pub fn is_stale(&self) -> bool {
        !matches!(self.gather, Gather::Nothing) && self.gone > 0 && self.gone * 10 >= self.matched_in_segments()
    }

    fn matched_in_segments(&self) -> u64 {
        self.segments.values().map(|matches| matches.rows.len() as u64).sum()
    }

    /// Rows that match, as far as they were looked at.
    pub fn matched(&self, ring: &Ring) -> u64 {
        if self.is_everything() { ring.len() } else { self.matched_in_segments() }
    }

    /// Share of the ring that was looked at.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a share for the screen")]
    pub fn progress(&self, ring: &Ring) -> f32 {
        if self.is_everything() || ring.is_empty() {
            return 1.0;
        }
        let done: u64 = self.segments.values().map(|matches| matches.done as u64).sum();
        (done as f64 / ring.len() as f64) as f32
    }

    /// What was gathered.
    pub fn gathered(&mut self) -> &mut Gather {
        &mut self.gather
    }

    /// The page of rows around `anchor` in order of time, newest first, and the position of its first row. [`Ring::prepare`] must have been
    /// called. Costs a binary search a segment and a merge of the rows given.
    pub fn by_time(&mut self, ring: &Ring, anchor: Anchor, before: usize, after: usize) -> (Vec<RowId>, u64) {
        self.sort(ring);
        let lists: Vec<Sorted<'_>> = ring.parts().map(|part| self.sorted(part)).collect();
        // How many rows of each list are not after the anchor.
        let cuts: Vec<usize> = lists
            .iter()
            .map(|list| match anchor {
                Anchor::Bottom => 0,
                Anchor::Row(RowId::Flow { time, seq }) => list.not_after((time, seq)),
                Anchor::Top | Anchor::Row(_) => list.len(),
            })
            .collect();
        let (before, after) = if anchor == Anchor::Bottom { (before + after, 0) } else { (before, after) };
        let mut newer: BinaryHeap<Reverse<(TimeKey, usize, usize)>> = BinaryHeap::new();
        let mut older: BinaryHeap<(TimeKey, usize, usize)> = BinaryHeap::new();
        for (index, list) in lists.iter().enumerate() {
            let cut = cuts[index];
            if cut < list.len() {
                newer.push(Reverse((list.key(cut), index, cut)));
            }
            if let Some(last) = cut.checked_sub(1) {
                older.push((list.key(last), index, last));
            }
        }
        let mut rows = Vec::with_capacity(before + after);
        while rows.len() < before
            && let Some(Reverse((key, index, place))) = newer.pop()
        {
            rows.push(key);
            if place + 1 < lists[index].len() {
                newer.push(Reverse((lists[index].key(place + 1), index, place + 1)));
            }
        }
        rows.reverse();
        let above: u64 = lists.iter().zip(&cuts).map(|(list, cut)| (list.len() - cut) as u64).sum();
        let first = above - rows.len() as u64;
        let wanted = rows.len() + after;
        while rows.len() < wanted
            && let Some((key, index, place)) = older.pop()
        {
            rows.push(key);
            if let Some(next) = place.checked_sub(1) {
                older.push((lists[index].key(next), index, next));
            }
        }
        (rows.into_iter().map(|(time, seq)| RowId::Flow { time, seq }).collect(), first)
    }

    fn sort(&mut self, ring: &Ring) {
        for part in ring.parts() {
            if let Some(matches) = self.segments.get_mut(&part.first_seq()).filter(|matches| !matches.sorted) {
                matches.rows.sort_by_key(|row| (part.time(usize::from(*row)), *row));
                matches.sorted = true;
            }
        }
    }

    fn sorted<'a>(&'a self, part: Part<'a>) -> Sorted<'a> {
        let rows = if self.is_everything() {
            part.order()
        } else {
            Some(self.segments.get(&part.first_seq()).map_or(&[][..], |matches| &matches.rows))
        };
        Sorted { part, rows }
    }
}

/// Rows of a segment by (time, number).
struct Sorted<'a> {
    part: Part<'a>,
    /// `None`: all rows, in the order they arrived.
    rows: Option<&'a [u16]>,
}

impl Sorted<'_> {
    fn len(&self) -> usize {
        self.rows.map_or_else(|| self.part.len(), <[u16]>::len)
    }

    fn key(&self, place: usize) -> TimeKey {
        let row = self.rows.map_or(place, |rows| usize::from(rows[place]));
        (self.part.time(row), self.part.first_seq() + row as u64)
    }

    /// How many rows have a key of at most `key`.
    fn not_after(&self, key: TimeKey) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle) <= key { low = middle + 1 } else { high = middle }
        }
        low
    }
}

struct Test<'a> {
    filter: Option<&'a Filter>,
    window: Option<(i64, i64)>,
    now: i64,
}

impl Test<'_> {
    fn run<T: Table>(
        &self,
        table: &T,
        first_seq: u64,
        span: std::ops::Range<usize>,
        rows: &mut Vec<u16>,
        gather: &mut Gather,
    ) {
        for row in span {
            let reference = RowRef { table, row };
            if !is_at(self.window, table.time(row))
                || self.filter.is_some_and(|filter| !filter.matches(&reference, self.now))
            {
                continue;
            }
            // A segment has at most 65,536 rows.
            rows.push(u16::try_from(row).unwrap_or(u16::MAX));
            match gather {
                Gather::Nothing => {}
                Gather::Top(field, top) => {
                    let id = RowId::Flow { time: table.time(row), seq: first_seq + row as u64 };
                    top.add(SortKey::from(reference.get(*field)), id);
                }
                Gather::Groups(groups) => groups.add(&reference),
            }
        }
    }
}

/// Whether a record stands in the window: by the time that orders it, as it stands on the timeline.
pub fn is_at(window: Option<(i64, i64)>, time: u64) -> bool {
    window.is_none_or(|(from, to)| (from..=to).contains(&crate::record::seconds(time)))
}

/// Whether the time span of a row touches the window. Rows without times are never inside one.
pub fn in_window(window: Option<(i64, i64)>, row: &dyn Row) -> bool {
    let Some((from, to)) = window else { return true };
    let time = |field| match row.get(field) {
        Some(crate::record::Value::Int(logged)) => Some(crate::record::seconds(logged)),
        _ => None,
    };
    let Some(end) = time(Field::End).or_else(|| time(Field::Start)) else { return false };
    let start = time(Field::Start).unwrap_or(end);
    start <= to && end >= from
}
