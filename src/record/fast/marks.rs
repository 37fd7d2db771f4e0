//! Finds what separates tokens, sixty-four bytes at a step.
//!
//! Marked are white space, control characters and whatever is not ASCII: between two marks stand only bytes that a plain token may have.

use wide::u8x16;

/// Walks over the marked bytes from a place on.
#[derive(Clone, Debug)]
pub(super) struct Marks<'a> {
    bytes: &'a [u8],
    limit: usize,
    /// Place of the lowest bit of `mask`.
    base: usize,
    mask: u64,
}

impl<'a> Marks<'a> {
    /// The marks of `bytes[from..limit]`.
    pub(super) fn new(bytes: &'a [u8], from: usize, limit: usize) -> Marks<'a> {
        let mut marks = Marks { bytes, limit, base: from, mask: 0 };
        marks.mask = marks.block();
        marks
    }

    /// The place of the next mark; the limit where there is none.
    #[inline]
    pub(super) fn next(&mut self) -> usize {
        while self.mask == 0 {
            if self.base + 64 >= self.limit {
                return self.limit;
            }
            self.base += 64;
            self.mask = self.block();
        }
        let place = self.base + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        place
    }

    #[inline]
    fn block(&self) -> u64 {
        let left = self.limit.saturating_sub(self.base);
        match self.bytes.get(self.base..self.base + 64).and_then(<[u8]>::as_array::<64>) {
            Some(block) if left >= 64 => marked(block),
            Some(block) => marked(block) & !(!0 << left),
            None => {
                let rest = self.bytes.get(self.base..self.limit).unwrap_or_default();
                rest.iter().rev().fold(0, |mask, byte| mask << 1 | u64::from(is_marked(*byte)))
            }
        }
    }
}

fn is_marked(byte: u8) -> bool {
    !(0x21..0x80).contains(&byte)
}

/// One bit for each marked byte.
#[inline]
fn marked(block: &[u8; 64]) -> u64 {
    let space = u8x16::splat(0x21);
    let (parts, _) = block.as_chunks::<16>();
    parts.iter().rev().fold(0, |mask, part| {
        let part = u8x16::from(*part);
        // Less than a space wraps, and what is not ASCII has the highest bit to begin with.
        mask << 16 | u64::from(((part - space) | part).to_bitmask())
    })
}

/// One bit for each byte that is a dot, for each that is a zero, and for each that is any digit.
#[inline]
pub(super) fn quad(part: &[u8; 16]) -> (u32, u32, u32) {
    let part = u8x16::from(*part);
    let values = part - u8x16::splat(b'0');
    let dots = part.simd_eq(u8x16::splat(b'.')).to_bitmask();
    let zeros = values.simd_eq(u8x16::splat(0)).to_bitmask();
    (dots, zeros, values.min(u8x16::splat(9)).simd_eq(values).to_bitmask())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_mark_is_found(bytes in prop::collection::vec(prop_oneof![3 => Just(b' '), 9 => 0x21..0x80_u8, 1 => any::<u8>()], 0..300), from in 0..80_usize, short in 0..80_usize) {
            let limit = bytes.len().saturating_sub(short);
            let from = from.min(limit);
            let mut marks = Marks::new(&bytes, from, limit);
            for place in (from..limit).filter(|place| is_marked(bytes[*place])) {
                prop_assert_eq!(marks.next(), place);
            }
            prop_assert_eq!((marks.next(), marks.next()), (limit, limit));
        }

        #[test]
        fn dots_and_digits_are_found(part in prop::collection::vec(prop_oneof![Just(b'.'), 0x2E..0x3B_u8, any::<u8>()], 16)) {
            let (dots, zeros, digits) = quad(part.as_array::<16>().unwrap());
            for (place, byte) in part.iter().enumerate() {
                prop_assert_eq!(dots >> place & 1 == 1, *byte == b'.');
                prop_assert_eq!(zeros >> place & 1 == 1, *byte == b'0');
                prop_assert_eq!(digits >> place & 1 == 1, byte.is_ascii_digit());
            }
            prop_assert_eq!((dots | zeros | digits) >> 16, 0);
        }
    }
}
