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
use crate::filter::columns::{BLOCK, Bound};
use crate::record::{Field, Row, RowRef};
use crate::store::ring::with_table;
use crate::store::{Columnar, Part, Ring};

/// Rows that are tested by columns in the time that one takes which is looked at by itself.
const PACE: usize = 16;
/// Entries of a dictionary that a range of addresses is tested against in that time.
const ENTRIES: usize = 64;
/// Work after which matches that are gathered are counted: a row that is sorted or summed costs as much as one that is looked at.
const SPAN: usize = 256;

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

impl Gather {
    /// Takes in `rows` of `table`, whose first row has the number `first_seq`.
    fn add<T: Columnar>(&mut self, table: &T, first_seq: u64, rows: &[u16]) {
        let rows = rows.iter().map(|row| usize::from(*row));
        match self {
            Gather::Nothing => {}
            Gather::Top(field, top) => {
                for row in rows {
                    let id = RowId::Flow { time: table.time(row), seq: first_seq + row as u64 };
                    top.add(SortKey::from(RowRef { table, row }.get(*field)), id);
                }
            }
            Gather::Groups(groups) => rows.for_each(|row| groups.add(&RowRef { table, row })),
        }
    }
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

impl Matches {
    /// Brings the rows, which are of `part`, into the order of time.
    fn sort(&mut self, part: Part<'_>) {
        if self.sorted {
            return;
        }
        self.sorted = true;
        let Some(order) = part.order() else { return };
        if self.rows.len() < 256 {
            return self.rows.sort_by_cached_key(|row| (part.time(usize::from(*row)), *row));
        }
        // The segment knows the order of all its rows: those that match are picked from it.
        let mut picked = vec![0_u8; part.len()];
        for row in &self.rows {
            picked[usize::from(*row)] = 1;
        }
        let mut sorted = vec![0_u16; order.len() + 1];
        let mut count = 0;
        for row in order {
            // Written always and counted where picked, since a branch would be guessed wrong too often.
            sorted[count] = *row;
            count += usize::from(picked[usize::from(*row)]);
        }
        self.rows.clear();
        self.rows.extend_from_slice(&sorted[..count]);
    }
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

    /// Goes on with the pass, newest segment first, for a work of `budget`: so many rows that are looked at one by one, or [`PACE`] times as
    /// many that are tested by columns. Gives how much of it was used; less than `budget` means that all were seen.
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
            if matches.done < part.len() {
                let gathers = !matches!(self.gather, Gather::Nothing);
                let test = Test { filter: self.filter.as_deref(), window: self.window, now, gathers };
                let before = matches.rows.len();
                with_table!(&part, table => {
                    test.run(table, part.first_seq(), matches, &mut left, &mut self.gather);
                });
                // Rows are found in the order they arrived.
                matches.sorted = part.order().is_none() || (matches.sorted && matches.rows.len() == before);
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
    /// called. Costs a look at the span of each segment and a merge of the rows given; only segments that the page touches are put in order.
    pub fn by_time(&mut self, ring: &Ring, anchor: Anchor, before: usize, after: usize) -> (Vec<RowId>, u64) {
        let mut lists = self.lists(ring);
        let mut newer: BinaryHeap<Reverse<Entry>> = BinaryHeap::new();
        let mut older: BinaryHeap<Entry> = BinaryHeap::new();
        let mut above = 0;
        for (index, list) in lists.iter_mut().enumerate() {
            // How many rows of the list are not after the anchor.
            let cut = match anchor {
                Anchor::Bottom => 0,
                Anchor::Row(RowId::Flow { time, seq }) => list.not_after((time, seq)),
                Anchor::Top | Anchor::Row(_) => list.len(),
            };
            above += (list.len() - cut) as u64;
            newer.extend(list.entry(index, cut, (list.span.0, 0)).map(Reverse));
            older.extend(cut.checked_sub(1).and_then(|last| list.entry(index, last, (list.span.1, u64::MAX))));
        }
        let (before, after) = if anchor == Anchor::Bottom { (before + after, 0) } else { (before, after) };
        let mut rows = Vec::with_capacity(before + after);
        while rows.len() < before
            && let Some(Reverse(entry)) = newer.pop()
        {
            let next = lists[entry.list].next(&entry, &mut rows, |place| place.checked_add(1));
            newer.extend(next.map(Reverse));
        }
        rows.reverse();
        let first = above - rows.len() as u64;
        let wanted = rows.len() + after;
        while rows.len() < wanted
            && let Some(entry) = older.pop()
        {
            older.extend(lists[entry.list].next(&entry, &mut rows, |place| place.checked_sub(1)));
        }
        (rows.into_iter().map(|(time, seq)| RowId::Flow { time, seq }).collect(), first)
    }

    /// The rows of each segment that match.
    fn lists<'a>(&'a mut self, ring: &'a Ring) -> Vec<List<'a>> {
        let everything = self.is_everything();
        let mut found = self.segments.iter_mut().rev().peekable();
        let list = |part: Part<'a>| {
            let span = match part {
                Part::Sealed(segment) => segment.span(),
                Part::Open(_) => match part.order() {
                    Some([first, .., last]) => (part.time(usize::from(*first)), part.time(usize::from(*last))),
                    _ => (0, u64::MAX),
                },
            };
            if everything {
                return Some(List { part, span, rows: Rows::All(part.order()) });
            }
            // Both are in order of arrival, newest first.
            while found.next_if(|(first_seq, _)| **first_seq > part.first_seq()).is_some() {}
            let (_, matches) = found.next_if(|(first_seq, _)| **first_seq == part.first_seq())?;
            Some(List { part, span, rows: Rows::Found(matches) })
        };
        ring.parts().filter_map(list).filter(|list| list.len() > 0).collect()
    }
}

/// Rows of a segment that match.
struct List<'a> {
    part: Part<'a>,
    /// No row of the segment is before the first time or after the second.
    span: (u64, u64),
    rows: Rows<'a>,
}

enum Rows<'a> {
    /// All; by (time, row) where they did not arrive in that order.
    All(Option<&'a [u16]>),
    Found(&'a mut Matches),
}

/// The row of a list that is next in a merge.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Its key; where that is a guess, one that does not come later in the merge.
    key: TimeKey,
    list: usize,
    place: usize,
    guessed: bool,
}

impl List<'_> {
    fn len(&self) -> usize {
        match &self.rows {
            Rows::All(_) => self.part.len(),
            Rows::Found(matches) => matches.rows.len(),
        }
    }

    fn is_sorted(&self) -> bool {
        match &self.rows {
            Rows::All(_) => true,
            Rows::Found(matches) => matches.sorted,
        }
    }

    fn sort(&mut self) {
        if let Rows::Found(matches) = &mut self.rows {
            matches.sort(self.part);
        }
    }

    fn key(&self, place: usize) -> TimeKey {
        let row = match &self.rows {
            Rows::All(None) => place,
            Rows::All(Some(order)) => usize::from(order[place]),
            Rows::Found(matches) => usize::from(matches.rows[place]),
        };
        (self.part.time(row), self.part.first_seq() + row as u64)
    }

    /// The entry at `place`, if there is one. Before the list is in order its key is taken to be `bound`.
    fn entry(&self, list: usize, place: usize, bound: TimeKey) -> Option<Entry> {
        if place >= self.len() {
            return None;
        }
        let guessed = !self.is_sorted();
        Some(Entry { key: if guessed { bound } else { self.key(place) }, list, place, guessed })
    }

    /// Takes `entry`, which a merge has come to, into `rows` and gives the one after it; one that was guessed comes back with its key.
    fn next(&mut self, entry: &Entry, rows: &mut Vec<TimeKey>, step: impl Fn(usize) -> Option<usize>) -> Option<Entry> {
        if entry.guessed {
            self.sort();
            return self.entry(entry.list, entry.place, entry.key);
        }
        rows.push(entry.key);
        self.entry(entry.list, step(entry.place)?, entry.key)
    }

    /// How many rows have a key of at most `key`.
    fn not_after(&mut self, key: TimeKey) -> usize {
        if self.span.0 > key.0 {
            return 0;
        }
        if self.span.1 < key.0 {
            return self.len();
        }
        self.sort();
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
    /// Whether each match costs as much again.
    gathers: bool,
}

impl Test<'_> {
    /// Tests the rows of `table` that were not looked at yet, as far as `left` lasts.
    fn run<T: Columnar>(
        &self,
        table: &T,
        first_seq: u64,
        matches: &mut Matches,
        left: &mut usize,
        gather: &mut Gather,
    ) {
        let Matches { rows, done, .. } = matches;
        let fresh = table.len() - *done;
        if fresh.saturating_mul(4) < table.entries() {
            // What has just arrived is too little to ask the dictionaries for.
            let cost = self.filter.map_or(1, Filter::row_cost);
            let span = *done..*done + fresh.min(left.div_ceil(cost));
            (*done, *left) = (span.end, left.saturating_sub(span.len() * cost));
            let before = rows.len();
            // A segment has at most 65,536 rows.
            let number = |row| u16::try_from(row).unwrap_or(u16::MAX);
            rows.extend(span.filter(|row| self.passes(table, *row)).map(number));
            return gather.add(table, first_seq, &rows[before..]);
        }
        let bound = Bound::new(self.filter, self.window, table, self.now);
        // What asking the dictionaries took is paid for, but never twice for the same segment: the rows go on with what was there before.
        let asked = table.entries().saturating_mul(self.filter.map_or(0, Filter::entry_cost)) / ENTRIES;
        let paid = |left: &mut usize| *left = left.saturating_sub(asked.max(1));
        if bound.is_none() {
            *done = table.len();
            return paid(left);
        }
        // A row that is asked for its line is worth several. How many are asked is known afterwards, so there is a block at a time, and several where
        // the dictionaries would be asked again for the next.
        let asks_rows = bound.asks_rows();
        let heavy = if asks_rows { self.filter.map_or(1, Filter::row_cost) } else { 1 };
        let enough = *done + if asks_rows && asked > 0 { 4 * BLOCK } else { 0 };
        while *done < table.len() && (*left > 0 || *done < enough) {
            let work = if self.gathers { (*left).clamp(1, SPAN) } else { (*left).max(1) };
            let span = work.saturating_mul(PACE).min(if asks_rows { BLOCK } else { usize::MAX });
            let span = *done..table.len().min(done.saturating_add(span.max(if asks_rows { BLOCK } else { 1 })));
            let before = rows.len();
            let asked = bound.select(table, span.clone(), rows);
            gather.add(table, first_seq, &rows[before..]);
            *done = span.end;
            let gathered = if self.gathers { rows.len() - before } else { 0 };
            *left = left.saturating_sub((span.len() / PACE).max(1) + asked * heavy + gathered);
        }
        paid(left);
    }

    fn passes<T: Columnar>(&self, table: &T, row: usize) -> bool {
        is_at(self.window, table.time(row))
            && self.filter.is_none_or(|filter| filter.matches(&RowRef { table, row }, self.now))
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

#[cfg(test)]
mod tests;
