//! The first rows of an order, without sorting everything: a list that keeps the best so many and forgets the rest as it goes.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::view::RowId;
use crate::record::Value;

/// What a row is sorted by. Absent values come last in either direction.
#[derive(Clone, Debug, PartialEq)]
pub enum SortKey {
    /// No value.
    Absent,
    /// A number.
    Number(f64),
    /// An address; IPv4 before IPv6.
    Addr(IpAddr),
    /// Text.
    Text(Box<str>),
}

impl From<Option<Value<'_>>> for SortKey {
    fn from(value: Option<Value<'_>>) -> SortKey {
        match value {
            None => SortKey::Absent,
            Some(Value::Addr(addr)) => SortKey::Addr(addr),
            Some(Value::Text(text)) => SortKey::Text(text.into()),
            Some(number) => number.number().map_or(SortKey::Absent, SortKey::Number),
        }
    }
}

impl SortKey {
    /// The order of two keys.
    pub fn compare(&self, other: &SortKey, descending: bool) -> Ordering {
        let present = match (self, other) {
            (SortKey::Absent, SortKey::Absent) => return Ordering::Equal,
            (SortKey::Absent, _) => return Ordering::Greater,
            (_, SortKey::Absent) => return Ordering::Less,
            (SortKey::Number(a), SortKey::Number(b)) => a.total_cmp(b),
            (SortKey::Addr(a), SortKey::Addr(b)) => a.cmp(b),
            (SortKey::Text(a), SortKey::Text(b)) => a.cmp(b),
            // One column has one kind of value; a mixture is ordered by kind.
            (a, b) => a.kind().cmp(&b.kind()),
        };
        if descending { present.reverse() } else { present }
    }

    fn kind(&self) -> u8 {
        match self {
            SortKey::Number(_) => 0,
            SortKey::Addr(_) => 1,
            SortKey::Text(_) => 2,
            SortKey::Absent => 3,
        }
    }
}

/// The best rows of an order.
#[derive(Clone, Debug)]
pub struct Top {
    entries: Vec<(SortKey, RowId)>,
    keep: usize,
    descending: bool,
    sorted: usize,
}

impl Top {
    /// Keeps the first `keep` rows of the order.
    pub fn new(keep: usize, descending: bool) -> Top {
        Top { entries: Vec::new(), keep: keep.max(1), descending, sorted: 0 }
    }

    /// Takes in a row.
    pub fn add(&mut self, key: SortKey, id: RowId) {
        self.entries.push((key, id));
        if self.entries.len() >= self.keep.saturating_mul(2) {
            self.settle();
        }
    }

    /// Sorts and forgets what is beyond the limit. Cheap where little was added since the last time.
    pub fn settle(&mut self) {
        if self.sorted == self.entries.len() {
            return;
        }
        let descending = self.descending;
        // Newest first among equals, in either direction.
        self.entries.sort_by(|a, b| a.0.compare(&b.0, descending).then_with(|| b.1.cmp(&a.1)));
        if self.entries.len() > self.keep {
            self.entries.truncate(self.keep);
        }
        self.sorted = self.entries.len();
    }

    /// The rows in order. [`Top::settle`] must have been called.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = RowId> + '_ {
        self.entries.iter().map(|(_, id)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_head_of_the_whole_order(values in prop::collection::vec(prop::option::of(0_u8..50), 0..200), keep in 1_usize..40, descending: bool) {
            let mut top = Top::new(keep, descending);
            for (id, value) in values.iter().enumerate() {
                top.add(value.map(|value| Value::Int(u64::from(value))).into(), RowId::Session(id as u64));
            }
            top.settle();
            let mut all: Vec<(Option<u8>, usize)> = values.iter().copied().enumerate().map(|(id, value)| (value, id)).collect();
            all.sort_by_key(|(value, id)| {
                let order = value.map_or(i32::MAX, |value| if descending { -i32::from(value) } else { i32::from(value) });
                (order, std::cmp::Reverse(*id))
            });
            let expected: Vec<RowId> = all.iter().take(keep).map(|(_, id)| RowId::Session(*id as u64)).collect();
            prop_assert_eq!(top.ids().collect::<Vec<_>>(), expected);
        }
    }
}
