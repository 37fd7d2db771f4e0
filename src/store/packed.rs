//! A column of codes in as few bytes as its range needs: nothing where all are alike, else 1, 2, 4 or 8 bytes a value above the least.

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
    /// Packs `values`, taking those past its end as 0 up to `len`.
    pub fn pack(values: &[u64], len: usize) -> Packed {
        let short = values.len() < len;
        let least = values.iter().copied().min().unwrap_or(0);
        let least = if short { 0 } else { least };
        let greatest = values.iter().copied().max().unwrap_or(0);
        let range = greatest - least;
        if range == 0 {
            return Packed::All(least);
        }
        let padded = values.iter().copied().chain(std::iter::repeat_n(0, len - values.len()));
        // Each cast below is within the range that chose it.
        #[expect(clippy::cast_possible_truncation, reason = "the range was measured")]
        if u8::try_from(range).is_ok() {
            Packed::U8(least, padded.map(|v| (v - least) as u8).collect())
        } else if u16::try_from(range).is_ok() {
            Packed::U16(least, padded.map(|v| (v - least) as u16).collect())
        } else if u32::try_from(range).is_ok() {
            Packed::U32(least, padded.map(|v| (v - least) as u32).collect())
        } else {
            Packed::U64(padded.collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_packed_comes_back(values in prop::collection::vec(prop_oneof![0..300_u64, 1_534_778_000..1_534_779_000_u64, any::<u64>()], 0..60), extra in 0_usize..5) {
            let packed = Packed::pack(&values, values.len() + extra);
            for row in 0..values.len() + extra {
                prop_assert_eq!(packed.get(row), values.get(row).copied().unwrap_or(0));
            }
        }
    }

    #[test]
    fn the_range_chooses_the_width() {
        assert_eq!(Packed::pack(&[7, 7, 7], 3).bytes(), 0);
        assert_eq!(Packed::pack(&[1_534_778_743, 1_534_778_866], 2).bytes(), 2);
        assert_eq!(Packed::pack(&[0, 70_000], 2).bytes(), 8);
    }
}
