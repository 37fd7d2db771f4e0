//! A column of codes in as few bytes as its range needs: nothing where all are alike, else 1, 2, 4 or 8 bytes a value above the least.

use crate::record::column::{Column, Held};

/// An immutable column of `u64` codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packed {
    /// The same value in every row.
    All(u64),
    /// Value is base plus a byte.
    U8(u64, Box<[u8]>),
    /// Value is base plus two bytes.
    U16(u64, Box<[u16]>),
    /// Value is base plus four bytes.
    U32(u64, Box<[u32]>),
    /// Eight bytes.
    U64(Box<[u64]>),
}

impl Packed {
    /// Packs `column`, taking what is past its end as 0 up to `len`.
    pub fn of(column: &Column, len: usize) -> Packed {
        let short = column.len() < len;
        match column.held() {
            Held::Same(code, _) if !short || code == 0 => Packed::All(code),
            Held::Narrow(codes) if !short => Packed::of_narrow(codes),
            Held::Wide(codes) if !short => Packed::of_wide(codes),
            _ => {
                let mut whole = column.clone();
                whole.fill(len, 0);
                Packed::of(&whole, len)
            }
        }
    }

    fn of_narrow(codes: &[u32]) -> Packed {
        let (least, most) = ends(codes, u32::MAX, 0);
        let base = u64::from(least);
        // Each cast is within the range that chose it.
        #[expect(clippy::cast_possible_truncation, reason = "the range was measured")]
        match most.saturating_sub(least) {
            0 => Packed::All(base.min(u64::from(most))),
            1..=0xFF => Packed::U8(base, codes.iter().map(|code| (code - least) as u8).collect()),
            0x100..=0xFFFF => Packed::U16(base, codes.iter().map(|code| (code - least) as u16).collect()),
            _ => Packed::U32(base, codes.iter().map(|code| code - least).collect()),
        }
    }

    fn of_wide(codes: &[u64]) -> Packed {
        let (least, most) = ends(codes, u64::MAX, 0);
        // Each cast is within the range that chose it.
        #[expect(clippy::cast_possible_truncation, reason = "the range was measured")]
        match most.saturating_sub(least) {
            0 => Packed::All(least.min(most)),
            1..=0xFF => Packed::U8(least, codes.iter().map(|code| (code - least) as u8).collect()),
            0x100..=0xFFFF => Packed::U16(least, codes.iter().map(|code| (code - least) as u16).collect()),
            0x1_0000..=0xFFFF_FFFF => Packed::U32(least, codes.iter().map(|code| (code - least) as u32).collect()),
            _ => Packed::U64(codes.into()),
        }
    }

    /// The value in `row`, which must be below the length it was packed with.
    pub fn get(&self, row: usize) -> u64 {
        match self {
            Packed::All(value) => *value,
            Packed::U8(base, values) => base + u64::from(values[row]),
            Packed::U16(base, values) => base + u64::from(values[row]),
            Packed::U32(base, values) => base + u64::from(values[row]),
            Packed::U64(values) => values[row],
        }
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        match self {
            Packed::All(_) => 0,
            Packed::U8(_, values) => values.len(),
            Packed::U16(_, values) => values.len() * 2,
            Packed::U32(_, values) => values.len() * 4,
            Packed::U64(values) => values.len() * 8,
        }
    }
}

/// The least and the greatest of `codes`.
fn ends<T: Copy + Ord>(codes: &[T], most: T, least: T) -> (T, T) {
    codes.iter().fold((most, least), |(low, high), code| (low.min(*code), high.max(*code)))
}

#[cfg(test)]
mod tests {
    fn packed(values: &[u64], len: usize) -> Packed {
        let mut column = Column::default();
        values.iter().enumerate().for_each(|(row, code)| column.put(row, *code));
        Packed::of(&column, len)
    }

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_packed_comes_back(values in prop::collection::vec(prop_oneof![0..300_u64, 1_534_778_000..1_534_779_000_u64, any::<u64>()], 0..60), extra in 0_usize..5) {
            let packed = packed(&values, values.len() + extra);
            for row in 0..values.len() + extra {
                prop_assert_eq!(packed.get(row), values.get(row).copied().unwrap_or(0));
            }
        }
    }

    #[test]
    fn the_range_chooses_the_width() {
        assert_eq!(packed(&[7, 7, 7], 3).bytes(), 0);
        assert_eq!(packed(&[1_534_778_743, 1_534_778_866], 2).bytes(), 2);
        assert_eq!(packed(&[0, 70_000], 2).bytes(), 8);
    }
}
