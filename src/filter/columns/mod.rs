//! A filter over the columns of a table: bound to one segment of the ring, its tests become ranges and tables of codes. A test of addresses
//! or texts is asked once for each entry of the segment's dictionary, a segment that cannot match is told by the ends of its columns, and
//! what is left runs through `kernel` some thousand rows at a time. A search of the line is told by its tokens as far as that goes (`lines`). What
//! has no column (an expression over the line, a quotient) is asked row by row, and only where everything else holds.
//!
//! The answer is that of [`Filter::matches`] for each row; a property in the tests holds the two together.

mod bind;
mod kernel;
mod lines;

use std::ops::Range;

use super::Filter;
use super::eval::{self, Node};
use crate::record::{Field, RowRef, seconds};
use crate::store::Columnar;
use kernel::CodeTest;

/// Bytes after the last mark of a table of codes, so that a column of two bytes a code can be looked up in it from any base.
pub(super) const PADDING: usize = 1 << 16;

/// Rows that are tested at once: their answers fit into the nearest cache together with what they are made of.
pub const BLOCK: usize = 4_096;

/// What a filter asks of the rows of one table, which must not change in between.
#[derive(Debug)]
pub struct Bound<'f> {
    plan: Plan<'f>,
    now: i64,
}

/// Tests of columns.
#[derive(Debug)]
enum Plan<'f> {
    None,
    All,
    And(Vec<Plan<'f>>),
    Or(Vec<Plan<'f>>),
    Not(Box<Plan<'f>>),
    /// The code of at least one of the fields passes.
    Any(Vec<Field>, CodeTest),
    /// Asked row by row.
    Row(&'f Node),
}

impl<'f> Bound<'f> {
    /// Binds `filter` (`None`: every row) and `window`, a span of Unix seconds in which the time that orders rows must lie, to `table`.
    pub fn new<T: Columnar>(filter: Option<&'f Filter>, window: Option<(i64, i64)>, table: &T, now: i64) -> Bound<'f> {
        let mut parts = Vec::with_capacity(2);
        if let Some((from, to)) = window {
            let last = seconds(u64::MAX);
            parts.push(match (u64::try_from(from.max(0)), u64::try_from(to)) {
                (Ok(from_second), Ok(to_second)) if from <= last => {
                    // What is logged beyond the last second that is told apart counts as that second.
                    let to_second = if to >= last { u64::MAX } else { to_second };
                    bind::at(table, from_second, to_second)
                }
                _ => Plan::None,
            });
        }
        if let Some(filter) = filter
            && !matches!(parts.as_slice(), [Plan::None])
        {
            parts.push(bind::bind(&filter.node, table, now));
        }
        Bound { plan: Plan::and(parts), now }
    }

    /// Whether no row passes, known without looking at one.
    pub fn is_none(&self) -> bool {
        matches!(self.plan, Plan::None)
    }

    /// Whether rows must be looked at one by one, which takes some fifty times as long.
    pub fn asks_rows(&self) -> bool {
        self.plan.asks_rows()
    }

    /// Appends those of `rows` of `table` that pass to `found`, in order, and tells how many had to be looked at one by one. A segment has at most
    /// 65,536 rows, so a number of 16 bits tells them apart.
    pub fn select<T: Columnar>(&self, table: &T, rows: Range<usize>, found: &mut Vec<u16>) -> usize {
        match self.plan {
            Plan::None => return 0,
            Plan::All => {
                found.extend(rows.map(number));
                return 0;
            }
            _ => {}
        }
        let mut room = Room::default();
        let (mut want, mut out) = (room.take(BLOCK), room.take(BLOCK));
        want.fill(1);
        let mut picked = [0; BLOCK];
        for from in rows.clone().step_by(BLOCK) {
            let block = from..rows.end.min(from + BLOCK);
            let (want, out) = (&want[..block.len()], &mut out[..block.len()]);
            self.plan.test(table, block, self.now, want, out, &mut room);
            found.extend_from_slice(pick(from, out, &mut picked));
        }
        room.asked
    }
}

/// The number of a row of a segment.
fn number(row: usize) -> u16 {
    u16::try_from(row).unwrap_or(u16::MAX)
}

/// The rows from `from` on whose answer in `out` is yes, in `picked`.
fn pick<'p>(from: usize, out: &[u8], picked: &'p mut [u16; BLOCK]) -> &'p [u16] {
    let many = out.chunks(128).map(|chunk| usize::from(chunk.iter().sum::<u8>())).sum::<usize>() > out.len() / 32;
    let mut count = 0;
    if many {
        // Written always and counted where it passes: a branch would be guessed wrong too often.
        for (row, passes) in (from..).zip(out) {
            picked[count % BLOCK] = number(row);
            count += usize::from(*passes);
        }
        return &picked[..count];
    }
    let (eights, rest) = out.as_chunks::<8>();
    for (index, eight) in eights.iter().enumerate() {
        let mut bits = u64::from_le_bytes(*eight);
        while bits != 0 {
            picked[count % BLOCK] = number(from + index * 8 + bits.trailing_zeros() as usize / 8);
            count += 1;
            bits &= bits - 1;
        }
    }
    for (index, _) in rest.iter().enumerate().filter(|(_, passes)| **passes != 0) {
        picked[count % BLOCK] = number(from + eights.len() * 8 + index);
        count += 1;
    }
    &picked[..count]
}

impl<'f> Plan<'f> {
    /// All of `parts`; those that ask rows come last, to be asked for what the others leave.
    fn and(parts: impl IntoIterator<Item = Plan<'f>>) -> Plan<'f> {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Plan::None => return Plan::None,
                Plan::All => {}
                Plan::And(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        kept.sort_by_key(Plan::asks_rows);
        match kept.len() {
            0 => Plan::All,
            1 => kept.remove(0),
            _ => Plan::And(kept),
        }
    }

    fn or(parts: impl IntoIterator<Item = Plan<'f>>) -> Plan<'f> {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Plan::All => return Plan::All,
                Plan::None => {}
                Plan::Or(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        kept.sort_by_key(Plan::asks_rows);
        match kept.len() {
            0 => Plan::None,
            1 => kept.remove(0),
            _ => Plan::Or(kept),
        }
    }

    fn not(self) -> Plan<'f> {
        match self {
            Plan::None => Plan::All,
            Plan::All => Plan::None,
            Plan::Not(inner) => *inner,
            other => Plan::Not(Box::new(other)),
        }
    }

    fn asks_rows(&self) -> bool {
        match self {
            Plan::None | Plan::All | Plan::Any(..) => false,
            Plan::And(parts) | Plan::Or(parts) => parts.iter().any(Plan::asks_rows),
            Plan::Not(inner) => inner.asks_rows(),
            Plan::Row(_) => true,
        }
    }

    /// Writes to `out` which of `rows` pass. Where `want` is 0 the answer is not asked for, and may be either.
    fn test<T: Columnar>(&self, table: &T, rows: Range<usize>, now: i64, want: &[u8], out: &mut [u8], room: &mut Room) {
        match self {
            Plan::None => out.fill(0),
            Plan::All => out.fill(1),
            Plan::Any(fields, test) => {
                out.fill(0);
                let mut side = room.take(out.len());
                for (index, field) in fields.iter().enumerate() {
                    if index == 0 {
                        kernel::test(table.codes(*field), rows.clone(), test, out);
                    } else {
                        kernel::test(table.codes(*field), rows.clone(), test, &mut side);
                        kernel::or(out, &side);
                    }
                }
                room.give(side);
            }
            Plan::Not(inner) => {
                inner.test(table, rows, now, want, out, room);
                kernel::flip(out);
            }
            Plan::And(parts) => {
                out.copy_from_slice(want);
                let mut one = room.take(out.len());
                for part in parts {
                    if kernel::is_none(out) {
                        break;
                    }
                    part.test(table, rows.clone(), now, out, &mut one, room);
                    kernel::and(out, &one);
                }
                room.give(one);
            }
            Plan::Or(parts) => {
                out.fill(0);
                let (mut one, mut left) = (room.take(out.len()), room.take(out.len()));
                left.copy_from_slice(want);
                for part in parts {
                    part.test(table, rows.clone(), now, &left, &mut one, room);
                    kernel::or(out, &one);
                    if part.asks_rows() || parts.len() > 2 {
                        kernel::flip(&mut one);
                        kernel::and(&mut left, &one);
                        if kernel::is_none(&left) {
                            break;
                        }
                    }
                }
                room.give(one);
                room.give(left);
            }
            Plan::Row(node) => {
                for ((row, want), out) in rows.zip(want).zip(out) {
                    room.asked += usize::from(*want);
                    *out = u8::from(*want != 0 && eval::matches(node, &RowRef { table, row }, now));
                }
            }
        }
    }
}

/// Blocks of answers that are used again, and what the answers took.
#[derive(Default)]
struct Room {
    free: Vec<Vec<u8>>,
    /// Rows that were looked at one by one.
    asked: usize,
}

impl Room {
    /// A block of `len` answers, which say nothing yet.
    fn take(&mut self, len: usize) -> Vec<u8> {
        let mut block = self.free.pop().unwrap_or_else(|| Vec::with_capacity(BLOCK));
        block.resize(len, 0);
        block
    }

    fn give(&mut self, block: Vec<u8>) {
        self.free.push(block);
    }
}
