//! Rows grouped by one to three columns, with sums.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::Arc;

use super::top::SortKey;
use super::view::{Column, FirstSeen, GroupColumn, PageRow, RowId, Sort};
use crate::record::{Cell, Field, Row, Value};

/// Groups that are told apart; rows of further groups are left out, so that a random column cannot fill the memory.
const MAX_GROUPS: usize = 100_000;
/// Distinct peers that are counted exactly, a group.
const MAX_PEERS: usize = 10_000;
/// Distinct peers remembered in all groups together.
const MAX_ALL_PEERS: usize = 1_000_000;

/// A part of a group's key, in a form that can be hashed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Absent,
    Int(u64),
    Addr(IpAddr),
    Text(Arc<str>),
}

impl From<Value<'_>> for Part {
    fn from(value: Value<'_>) -> Part {
        match value {
            Value::Int(n) => Part::Int(n),
            // A ratio makes a poor key; its whole part makes groups of some size.
            Value::Float(x) => Part::Int(whole(x)),
            Value::Addr(addr) => Part::Addr(addr),
            Value::Text(text) => Part::Text(text.into()),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn whole(x: f64) -> u64 {
    x.clamp(0.0, 1e18) as u64
}

impl From<&Part> for Cell {
    fn from(part: &Part) -> Cell {
        match part {
            Part::Absent => Cell::Absent,
            Part::Int(n) => Cell::Int(*n),
            Part::Addr(addr) => Cell::Addr(*addr),
            Part::Text(text) => Cell::Text(Arc::clone(text)),
        }
    }
}

#[derive(Debug, Default)]
struct Sums {
    bytes: u64,
    packets: u64,
    records: u64,
    rejected: u64,
    peers: HashSet<IpAddr, foldhash::fast::RandomState>,
}

/// Sums by group.
#[derive(Debug)]
pub struct Groups {
    by: Vec<Field>,
    sums: HashMap<Vec<Part>, Sums, foldhash::quality::RandomState>,
    peers: usize,
}

impl Groups {
    /// Groups by these columns.
    pub fn new(by: &[Field]) -> Groups {
        Groups { by: by.to_vec(), sums: HashMap::default(), peers: 0 }
    }

    /// Takes in a row. A row with two values in a column (either address, either port) counts for both.
    pub fn add(&mut self, row: &dyn Row) {
        let mut keys: Vec<Vec<Part>> = vec![Vec::with_capacity(self.by.len())];
        for field in &self.by {
            let mut values: Vec<Part> = Vec::with_capacity(2);
            row.any(*field, &mut |value| {
                let part = Part::from(value);
                if !values.contains(&part) {
                    values.push(part);
                }
                false
            });
            if values.is_empty() {
                values.push(Part::Absent);
            }
            keys = keys
                .iter()
                .flat_map(|key| values.iter().map(move |value| key.iter().chain([value]).cloned().collect()))
                .collect();
        }
        for key in keys {
            self.count(key, row);
        }
    }

    fn count(&mut self, key: Vec<Part>, row: &dyn Row) {
        if self.sums.len() >= MAX_GROUPS && !self.sums.contains_key(&key) {
            return;
        }
        let number = |field| match row.get(field) {
            Some(Value::Int(n)) => n,
            _ => 0,
        };
        let mut peers = [None, None];
        let mut place = 0;
        for field in [Field::SrcAddr, Field::DstAddr] {
            if let Some(Value::Addr(addr)) = row.get(field)
                && !key.contains(&Part::Addr(addr))
            {
                peers[place] = Some(addr);
                place += 1;
            }
        }
        let sums = self.sums.entry(key).or_default();
        sums.bytes = sums.bytes.saturating_add(number(Field::Bytes));
        sums.packets = sums.packets.saturating_add(number(Field::Packets));
        sums.records += 1;
        sums.rejected += u64::from(matches!(row.get(Field::Action), Some(Value::Text("REJECT"))));
        for peer in peers.into_iter().flatten() {
            if sums.peers.len() < MAX_PEERS && self.peers < MAX_ALL_PEERS && sums.peers.insert(peer) {
                self.peers += 1;
            }
        }
    }

    /// Groups so far.
    pub fn len(&self) -> usize {
        self.sums.len()
    }

    /// The columns of a group's row.
    pub fn columns(&self) -> Vec<Column> {
        let aggregates =
            [GroupColumn::Bytes, GroupColumn::Packets, GroupColumn::Records, GroupColumn::Peers, GroupColumn::Rejected];
        self.by.iter().copied().map(Column::Field).chain(aggregates.map(Column::Group)).collect()
    }

    /// All groups in order: by a column of the key, by packets or records, else by bytes.
    #[expect(clippy::cast_precision_loss, reason = "for order and shares only")]
    pub fn rows(&self, sort: Sort, keep: usize) -> Vec<PageRow> {
        // The same key has the same number in every page, so that the cursor stays on its group.
        let hasher = foldhash::fast::FixedState::default();
        let mut rows: Vec<(SortKey, RowId, &Vec<Part>, &Sums)> = Vec::with_capacity(self.sums.len());
        let by = self.by.iter().position(|field| *field == sort.field);
        for (key, sums) in &self.sums {
            let sort_key = match (by.map(|place| &key[place]), sort.field) {
                (Some(Part::Absent), _) => SortKey::Absent,
                (Some(Part::Int(n)), _) => SortKey::Number(*n as f64),
                (Some(Part::Addr(addr)), _) => SortKey::Addr(*addr),
                (Some(Part::Text(text)), _) => SortKey::Text((&**text).into()),
                (None, Field::Packets) => SortKey::Number(sums.packets as f64),
                (None, Field::Records) => SortKey::Number(sums.records as f64),
                (None, _) => SortKey::Number(sums.bytes as f64),
            };
            rows.push((sort_key, RowId::Group(hasher.hash_one(key)), key, sums));
        }
        // As `Top` has it. Only what is shown is put in order: a page is asked for at every key.
        let order = |a: &(SortKey, RowId, &Vec<Part>, &Sums), b: &(SortKey, RowId, &Vec<Part>, &Sums)| {
            a.0.compare(&b.0, sort.descending).then_with(|| b.1.cmp(&a.1))
        };
        if keep < rows.len() {
            rows.select_nth_unstable_by(keep, order);
            rows.truncate(keep);
        }
        rows.sort_unstable_by(order);
        let row = |(_, id, key, sums): (SortKey, RowId, &Vec<Part>, &Sums)| {
            let share = sums.rejected as f64 / sums.records.max(1) as f64;
            let aggregates = [
                Cell::Int(sums.bytes),
                Cell::Int(sums.packets),
                Cell::Int(sums.records),
                Cell::Int(sums.peers.len() as u64),
                Cell::Float(share),
            ];
            PageRow {
                id,
                cells: key.iter().map(Cell::from).chain(aggregates).collect(),
                mark: None,
                new: FirstSeen::default(),
            }
        };
        rows.into_iter().map(row).collect()
    }
}
