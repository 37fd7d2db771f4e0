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
        Packed::with_zone(column, len).0
    }

    /// As [`Packed::of`], with the least and the greatest code, which choose the width.
    pub fn with_zone(column: &Column, len: usize) -> (Packed, (u64, u64)) {
        let short = column.len() < len;
        match column.held() {
            Held::Same(code, _) if !short || code == 0 => (Packed::All(code), (code, code)),
            Held::Narrow(codes) if !short => {
                let (least, most) = ends(codes);
                let zone = (u64::from(least), u64::from(most));
                // Each cast is within the range that chose it.
                #[expect(clippy::cast_possible_truncation, reason = "the range was measured")]
                let packed = match most - least {
                    0 => Packed::All(zone.0),
                    1..=0xFF => Packed::U8(zone.0, codes.iter().map(|code| (code - least) as u8).collect()),
                    0x100..=0xFFFF => Packed::U16(zone.0, codes.iter().map(|code| (code - least) as u16).collect()),
                    _ => Packed::U32(zone.0, codes.iter().map(|code| code - least).collect()),
                };
                (packed, zone)
            }
            Held::Wide(codes) if !short => {
                let zone = ends(codes);
                (Packed::of_wide(codes, zone), zone)
            }
            _ => {
                let mut whole = column.clone();
                whole.fill(len, 0);
                Packed::with_zone(&whole, len)
            }
        }
    }

    fn of_wide(codes: &[u64], (least, most): (u64, u64)) -> Packed {
        // Each cast is within the range that chose it.
        #[expect(clippy::cast_possible_truncation, reason = "the range was measured")]
        match most - least {
            0 => Packed::All(least),
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

/// The least and the greatest of `codes`; 0 where there are none.
fn ends<T: Copy + Ord + Default>(codes: &[T]) -> (T, T) {
    let first = codes.first().copied().unwrap_or_default();
    codes.iter().fold((first, first), |(low, high), code| (low.min(*code), high.max(*code)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(values: &[u64], len: usize) -> (Packed, (u64, u64)) {
        let mut column = Column::default();
        values.iter().enumerate().for_each(|(row, code)| column.put(row, *code));
        Packed::with_zone(&column, len)
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(values in prop::collection::vec(prop_oneof![0..300_u64, 1_534_778_000..1_534_779_000_u64, any::<u64>()], 0..60), extra in 0_usize..5) {
            let rows = values.len() + extra;
            let (packed, zone) = packed(&values, rows);
            let mut codes: Vec<u64> = (0..rows).map(|row| packed.get(row)).collect();
            prop_assert!(codes.iter().eq(values.iter().chain(std::iter::repeat_n(&0, extra))));
            codes.sort_unstable();
            prop_assert_eq!(zone, (codes.first().copied().unwrap_or(0), codes.last().copied().unwrap_or(0)));
        }
    }

    #[test]
    fn the_range_chooses_the_width() {
        assert_eq!(packed(&[7, 7, 7], 3).0.bytes(), 0);
        assert_eq!(packed(&[1_534_778_743, 1_534_778_866], 2).0.bytes(), 2);
        assert_eq!(packed(&[0, 70_000], 2).0.bytes(), 8);
    }
}
