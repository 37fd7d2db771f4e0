//! Two passes over what is held that answer a person who types: how many rows pass each part of a filter, and which values a field has. Both go on
//! in slices like every pass, so a key is never behind them.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use super::conversations::{Chunks, Held, Place};
use super::view::{ClauseCount, Explained, SeenValues};
use crate::filter::Filter;
use crate::record::{Cell, Field, Row, RowRef, Table, Value};
use crate::store::Ring;
use crate::store::ring::with_table;

/// Most parts of a filter that are counted apart; what is beyond is left out of the counts.
const CLAUSES: usize = 24;

/// Rows whose values are counted, newest first: enough to know what is frequent, and done within a few frames.
const VALUED: usize = 1_000_000;

/// Most different values that are counted; later ones that are new are not.
const DIFFERENT: usize = 65_536;

/// Values given for a field.
const GIVEN: usize = 256;

/// Rows that pass each part alone, and this part and all before it.
#[derive(Clone, Debug, Default)]
struct Tally {
    done: usize,
    alone: Vec<u64>,
    running: Vec<u64>,
}

impl Tally {
    fn of(clauses: usize) -> Tally {
        Tally { done: 0, alone: vec![0; clauses], running: vec![0; clauses] }
    }

    fn add<R: Row + ?Sized>(&mut self, clauses: &[Filter], row: &R, now: i64) {
        let mut all = true;
        for (index, clause) in clauses.iter().enumerate() {
            let passes = clause.matches(row, now);
            all &= passes;
            self.alone[index] += u64::from(passes);
            self.running[index] += u64::from(all);
        }
    }
}

/// Counts for the parts of a filter.
#[derive(Debug)]
pub(super) struct Explain {
    filter: Arc<Filter>,
    clauses: Vec<Filter>,
    /// By the number of the segment's first row.
    segments: BTreeMap<u64, Tally>,
    sessions: Tally,
    place: Place,
    /// The last complete counts of sessions, shown while they are counted anew.
    last: Option<Explained>,
}

impl Explain {
    pub(super) fn new(filter: Arc<Filter>) -> Explain {
        let mut clauses = filter.clauses();
        clauses.truncate(CLAUSES);
        let sessions = Tally::of(clauses.len());
        Explain { filter, clauses, segments: BTreeMap::new(), sessions, place: Place::default(), last: None }
    }

    pub(super) fn filter(&self) -> &Arc<Filter> {
        &self.filter
    }

    /// What a row takes of a budget.
    fn cost(&self) -> usize {
        self.clauses.iter().map(Filter::row_cost).sum::<usize>().max(1)
    }

    pub(super) fn evict(&mut self, first_seq: u64) {
        self.segments.remove(&first_seq);
    }

    /// Looks at rows of the ring, newest segment first; gives what it took of `budget`, of which a row takes what each part costs.
    pub(super) fn step_flows(&mut self, ring: &Ring, budget: usize, now: i64) -> usize {
        let cost = self.cost();
        let mut left = budget;
        for part in ring.parts() {
            let tally = self.segments.entry(part.first_seq()).or_insert_with(|| Tally::of(self.clauses.len()));
            // A slice that is left with less than a row's worth takes one all the same, or it would never end.
            let upto = part.len().min(tally.done + left.div_ceil(cost));
            let span = tally.done..upto;
            left -= (span.len() * cost).min(left);
            tally.done = upto;
            with_table!(&part, table => {
                for row in span {
                    tally.add(&self.clauses, &RowRef { table, row }, now);
                }
            });
            if upto < part.len() {
                return budget;
            }
        }
        budget - left
    }

    /// Looks at sessions.
    pub(super) fn step_sessions(&mut self, held: Held<'_>, budget: usize) -> usize {
        let cost = self.cost();
        let Explain { clauses, sessions, place, .. } = self;
        place.step(held, budget, cost, |row| sessions.add(clauses, row, held.now))
    }

    /// Counts sessions anew, since they changed; keeps what was counted to show meanwhile.
    pub(super) fn again(&mut self, chunks: &Chunks) {
        if self.place.is_done(chunks) {
            self.last = Some(self.explained(self.sessions.clone(), 1.0));
            self.sessions = Tally::of(self.clauses.len());
            self.place = Place::default();
        }
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a share for the screen")]
    pub(super) fn of_flows(&self, ring: &Ring) -> Explained {
        let mut all = Tally::of(self.clauses.len());
        for tally in self.segments.values() {
            all.done += tally.done;
            all.alone.iter_mut().zip(&tally.alone).for_each(|(sum, count)| *sum += count);
            all.running.iter_mut().zip(&tally.running).for_each(|(sum, count)| *sum += count);
        }
        let progress = if ring.is_empty() { 1.0 } else { (all.done as f64 / ring.len() as f64) as f32 };
        self.explained(all, progress)
    }

    pub(super) fn of_sessions(&self, chunks: &Chunks) -> Explained {
        match &self.last {
            Some(last) if !self.place.is_done(chunks) => last.clone(),
            _ => self.explained(self.sessions.clone(), self.place.progress(chunks)),
        }
    }

    fn explained(&self, tally: Tally, progress: f32) -> Explained {
        let counts = self.clauses.iter().zip(tally.alone.into_iter().zip(tally.running));
        Explained {
            filter: Arc::clone(&self.filter),
            clauses: counts
                .map(|(clause, (alone, running))| ClauseCount { text: clause.text().to_owned(), alone, running })
                .collect(),
            progress,
        }
    }
}

/// A value as a key; quotients are not offered. Among equals, the order of numbers, addresses and letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Int(u64),
    Addr(IpAddr),
    Text(Arc<str>),
}

/// Counts of the values of one field.
#[derive(Debug)]
pub(super) struct Values {
    field: Field,
    counts: HashMap<Key, u64, foldhash::quality::RandomState>,
    /// Rows looked at of each segment, by the number of its first row.
    done: BTreeMap<u64, usize>,
    rows: usize,
    place: Place,
    sessions: bool,
    /// What was picked last, and of how many rows.
    given: Option<(usize, SeenValues)>,
}

impl Values {
    pub(super) fn new(field: Field, sessions: bool) -> Values {
        Values {
            field,
            counts: HashMap::default(),
            done: BTreeMap::new(),
            rows: 0,
            place: Place::default(),
            sessions,
            given: None,
        }
    }

    pub(super) fn is_of(&self, field: Field, sessions: bool) -> bool {
        self.field == field && self.sessions == sessions
    }

    fn add(&mut self, value: Value<'_>, rows: u64) {
        let key = match value {
            Value::Int(number) => Key::Int(number),
            Value::Addr(address) => Key::Addr(address),
            Value::Text(text) => Key::Text(text.into()),
            Value::Float(_) => return,
        };
        if let Some(count) = self.counts.get_mut(&key) {
            *count += rows;
        } else if self.counts.len() < DIFFERENT {
            self.counts.insert(key, rows);
        }
    }

    /// Looks at rows of the ring, newest segment first; gives what it took of `budget`, of which a row takes one a column.
    pub(super) fn step_flows(&mut self, ring: &Ring, budget: usize) -> usize {
        let mut left = budget;
        let fields = match self.field {
            Field::Ip => vec![Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr],
            Field::Port => vec![Field::SrcPort, Field::DstPort],
            other => vec![other],
        };
        for part in ring.parts() {
            let done = self.done.get(&part.first_seq()).copied().unwrap_or(0);
            let room = left.div_ceil(fields.len());
            let upto = part.len().min(done + room.min(VALUED.saturating_sub(self.rows)));
            if done == upto {
                continue;
            }
            left = left.saturating_sub((upto - done) * fields.len());
            self.rows += upto - done;
            self.done.insert(part.first_seq(), upto);
            with_table!(&part, table => {
                for field in &fields {
                    self.count(table, *field, done..upto);
                }
            });
        }
        budget - left
    }

    /// Counts codes first: a segment says a value once however many rows have it.
    fn count<T: Table>(&mut self, table: &T, field: Field, span: std::ops::Range<usize>) {
        if !(field.is_logged() || matches!(field, Field::IngestionTime | Field::Stream)) {
            for row in span {
                let row = RowRef { table, row };
                if let Some(value) = row.get(field) {
                    self.add(value, 1);
                }
            }
            return;
        }
        let mut codes: HashMap<u64, (usize, u64), foldhash::fast::RandomState> = HashMap::default();
        for row in span {
            let code = table.code(field, row);
            if code != 0 {
                codes.entry(code).or_insert((row, 0)).1 += 1;
            }
        }
        for (row, count) in codes.into_values() {
            let row = RowRef { table, row };
            if let Some(value) = row.get(field) {
                self.add(value, count);
            }
        }
    }

    /// Looks at sessions, once.
    pub(super) fn step_sessions(&mut self, held: Held<'_>, budget: usize) -> usize {
        let mut place = self.place;
        let looked = place.step(held, budget.min(VALUED.saturating_sub(self.rows)), 1, |row| {
            let mut met: Vec<Cell> = Vec::new();
            row.any(self.field, &mut |value| {
                met.push(value.to_owned());
                false
            });
            met.iter().filter_map(Cell::value).for_each(|value| self.add(value, 1));
        });
        self.place = place;
        self.rows += looked;
        looked
    }

    /// The most frequent values. Picked again only after more rows were looked at: a page is asked for at every key.
    pub(super) fn seen(&mut self) -> SeenValues {
        if let Some((rows, given)) = &self.given
            && *rows == self.rows
        {
            return given.clone();
        }
        let given = self.pick();
        self.given = Some((self.rows, given.clone()));
        given
    }

    fn pick(&self) -> SeenValues {
        let mut all: Vec<(&Key, u64)> = self.counts.iter().map(|(key, count)| (key, *count)).collect();
        let by = |a: &(&Key, u64), b: &(&Key, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
        if all.len() > GIVEN {
            all.select_nth_unstable_by(GIVEN, by);
            all.truncate(GIVEN);
        }
        all.sort_unstable_by(by);
        let cell = |key: &Key| match key {
            Key::Int(number) => Cell::Int(*number),
            Key::Addr(address) => Cell::Addr(*address),
            Key::Text(text) => Cell::Text(Arc::clone(text)),
        };
        SeenValues { field: self.field, values: all.into_iter().map(|(key, count)| (cell(key), count)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::filter::Stage;
    use crate::record::{Batch, Decoder};
    use crate::store::Remap;

    fn ring(rows: u64) -> Ring {
        let mut text = String::new();
        for n in 0..rows {
            let port = if n % 3 == 0 { 443 } else { 1000 + n % 50 };
            let _ = writeln!(text, "2 1 eni-{} 10.0.0.{} 10.0.1.1 5 {port} 6 5 {n} 1 {n} ACCEPT OK", n % 2, n % 200);
        }
        let columns = Decoder::new(None).decode(&Batch { bytes: text.into_bytes(), ..Batch::default() }).columns;
        let mut ring = Ring::new(1 << 30);
        let (mut next, mut remap) = (0, Remap::default());
        while next < columns.len() {
            next += ring.push(&columns, next..columns.len(), &mut remap).rows;
        }
        ring
    }

    #[test]
    fn slices_of_any_size_count_the_same_and_evicted_rows_go() {
        let ring = ring(70_000);
        let filter = Arc::new(Filter::parse("port 443 and bytes < 30k and src 10.0.0.0/25", Stage::Flows).unwrap());
        for budget in [7, 4_096, 1 << 20] {
            let mut explain = Explain::new(Arc::clone(&filter));
            while explain.step_flows(&ring, budget, 0) == budget {}
            let counts: Vec<(u64, u64)> =
                explain.of_flows(&ring).clauses.iter().map(|clause| (clause.alone, clause.running)).collect();
            // Every third row; the first 30,000; 128 of each 200.
            assert_eq!(counts[..2], [(23_334, 23_334), (30_000, 10_000)], "{budget}");
            assert_eq!(counts[2].0, 70_000 / 200 * 128);
            assert!((explain.of_flows(&ring).progress - 1.0).abs() < f32::EPSILON);
            explain.evict(0);
            assert!(explain.of_flows(&ring).clauses[0].alone < 5_000);
        }
    }

    #[test]
    fn values_are_counted_by_row_in_slices() {
        let ring = ring(70_000);
        for budget in [1_000, 1 << 20] {
            let mut values = Values::new(Field::Port, false);
            while values.step_flows(&ring, budget) == budget {}
            let seen = values.seen().values;
            assert_eq!(seen[..2], [(Cell::Int(5), 70_000), (Cell::Int(443), 23_334)]);
            assert_eq!(seen.len(), 52);
        }
        let mut values = Values::new(Field::InterfaceId, false);
        values.step_flows(&ring, 1 << 20);
        assert_eq!(values.seen().values[0], (Cell::Text("eni-0".into()), 35_000));
    }
}
