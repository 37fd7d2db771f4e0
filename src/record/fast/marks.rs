//! Finds what separates tokens, sixty-four bytes at a step.
//!
//! Marked are white space, control characters and whatever is not ASCII: between two marks stand only bytes that a plain token may have.

use wide::u8x16;

/// Marks of a block that are written down without asking how many there are; few blocks have more.
const MOSTLY: usize = 12;

/// Where tokens begin in a stretch of bytes.
#[derive(Debug, Default)]
pub(super) struct Marks {
    begins: Vec<u32>,
}

impl Marks {
    /// The places behind the marks of `bytes`, of which there must be fewer than 2^32, and before all of them 0: from one to the next reach a token and
    /// its mark. Where `whole` says that nothing follows, the end counts as a mark too.
    pub(super) fn begins(&mut self, bytes: &[u8], whole: bool) -> &[u32] {
        let (blocks, rest) = bytes.as_chunks::<64>();
        let room = bytes.len() + 2 + MOSTLY;
        if self.begins.len() < room {
            self.begins.resize(room, 0);
        }
        let (mut found, mut block_begin) = (1, 0);
        for block in blocks {
            found += put(marked(block), block_begin + 1, &mut self.begins[found..]);
            block_begin += 64;
        }
        for (byte, place) in rest.iter().zip(block_begin + 1..) {
            self.begins[found] = place;
            found += usize::from(is_marked(*byte));
        }
        let behind = u32::try_from(bytes.len() + 1).unwrap_or(u32::MAX);
        if whole && self.begins[found - 1] + 1 < behind {
            self.begins[found] = behind;
            found += 1;
        }
        &self.begins[..found]
    }
}

/// Writes the places of the bits of `mask`, the first of which is `begin`; gives how many there are. Behind them it may write what means nothing.
#[inline]
fn put(mask: u64, begin: u32, places: &mut [u32]) -> usize {
    let count = mask.count_ones() as usize;
    let mut left = mask;
    let mut next = || {
        let place = begin + left.trailing_zeros();
        left &= left.wrapping_sub(1);
        place
    };
    if let Some(first) = places.first_chunk_mut::<MOSTLY>() {
        for place in first {
            *place = next();
        }
    }
    if count > MOSTLY {
        for place in &mut places[MOSTLY..count] {
            *place = next();
        }
    }
    count
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
        fn every_mark_is_found(stretches in prop::collection::vec(prop::collection::vec(prop_oneof![3 => Just(b' '), 9 => 0x21..0x80_u8, 1 => any::<u8>()], 0..300), 1..4)) {
            let mut marks = Marks::default();
            for bytes in stretches {
                let behind = (1..).zip(&bytes).filter(|(_, byte)| is_marked(**byte)).map(|(behind, _)| behind);
                let begins: Vec<u32> = std::iter::once(0).chain(behind).collect();
                prop_assert_eq!(marks.begins(&bytes, false), &*begins);
                let (end, last) = (u32::try_from(bytes.len()).unwrap(), *begins.last().unwrap());
                prop_assert_eq!(marks.begins(&bytes, true).strip_prefix(&*begins), Some(if last < end { &[end + 1][..] } else { &[] }));
                prop_assert_eq!(marks.begins(&vec![b' '; bytes.len()], true).len(), bytes.len() + 1);
            }
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
