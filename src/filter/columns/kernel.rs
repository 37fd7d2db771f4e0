//! The inner loops: one test over a run of one column's codes, a byte of answer a row. Plain loops over slices that the compiler turns into
//! vector instructions; nothing in them branches on the data.

use std::ops::Range;
use std::sync::Arc;

use super::PADDING;
use super::lines::Digits;
use crate::store::Codes;

/// What a code must be. 0, absent, never passes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CodeTest {
    /// From the first to the second, both included and above 0.
    Range(u64, u64),
    /// In one of these, sorted and disjoint.
    Ranges(Box<[(u64, u64)]>),
    /// A byte a code, 1 where it passes. Codes past the end do not.
    Marks(Arc<[u8]>),
    /// The number that the code stands for has all these bits.
    Mask(u64),
    /// The spelling of the number that the code stands for has these digits.
    Digits(Digits),
}

/// Writes to `out`, for each of `rows`, whether the code passes. `out` has a byte a row.
pub(super) fn test(codes: Codes<'_>, rows: Range<usize>, test: &CodeTest, out: &mut [u8]) {
    // Rows that the column does not reach are absent.
    let (out, absent) = out.split_at_mut(codes.reaches().clamp(rows.start, rows.end) - rows.start);
    absent.fill(0);
    let rows = rows.start..rows.start + out.len();
    match codes {
        Codes::All(code) | Codes::First(code, _) => out.fill(u8::from(passes(test, code))),
        Codes::U8(base, codes) => narrow(base, &codes[rows], test, out),
        Codes::U16(base, codes) => match test {
            CodeTest::Marks(marks) => match table::<PADDING>(marks, base) {
                Some(table) => look_up(&codes[rows], out, table),
                None => each(&codes[rows], out, |code| u8::from(passes(test, base + u64::from(code)))),
            },
            _ => narrow(base, &codes[rows], test, out),
        },
        Codes::U32(base, codes) => narrow(base, &codes[rows], test, out),
        Codes::U64(codes) => narrow(0, &codes[rows], test, out),
    }
}

/// The same for a single code.
fn passes(test: &CodeTest, code: u64) -> bool {
    match test {
        CodeTest::Range(from, to) => code.wrapping_sub(*from) <= to - from,
        CodeTest::Ranges(ranges) => crate::filter::addrset::within(ranges, code),
        CodeTest::Marks(marks) => usize::try_from(code).ok().and_then(|code| marks.get(code)) == Some(&1),
        CodeTest::Mask(mask) => code > 0 && (code - 1) & mask == *mask,
        CodeTest::Digits(digits) => code > 0 && digits.is_in(code - 1),
    }
}

/// The marks of the codes from `base`, as many as a width can tell apart.
fn table<const N: usize>(marks: &[u8], base: u64) -> Option<&[u8; N]> {
    let base = usize::try_from(base).ok()?;
    marks.get(base..)?.first_chunk()
}

fn each<T: Copy>(codes: &[T], out: &mut [u8], test: impl Fn(T) -> u8) {
    for (out, code) in out.iter_mut().zip(codes) {
        *out = test(*code);
    }
}

/// Looks each code up in a table that has an entry for every one. Eight at a time, since what is no vector loop is not unrolled by itself.
fn look_up(codes: &[u16], out: &mut [u8], table: &[u8; PADDING]) {
    let (outs, out) = out.as_chunks_mut::<8>();
    let (eights, rest) = codes.as_chunks::<8>();
    for (out, codes) in outs.iter_mut().zip(eights) {
        *out = codes.map(|code| table[usize::from(code)]);
    }
    each(rest, out, |code| table[usize::from(code)]);
}

/// A code as it is packed.
trait Raw: Copy + Ord + Into<u64> + TryFrom<u64> {
    const MAX: u64;
    fn minus(self, other: Self) -> Self;
}

macro_rules! raw {
    ($($width:ty)*) => {
        $(impl Raw for $width {
            const MAX: u64 = <$width>::MAX as u64;

            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
        })*
    };
}
raw!(u8 u16 u32 u64);

fn narrow<T: Raw>(base: u64, codes: &[T], test: &CodeTest, out: &mut [u8]) {
    match test {
        CodeTest::Range(from, to) => match raw_range::<T>(base, *from, *to) {
            // One subtraction and one comparison in the width of the column.
            Some((from, span)) => each(codes, out, |code| u8::from(code.minus(from) <= span)),
            None => out.fill(0),
        },
        CodeTest::Ranges(ranges) if ranges.len() <= 4 => {
            out.fill(0);
            for (from, to) in ranges {
                if let Some((from, span)) = raw_range::<T>(base, *from, *to) {
                    for (out, code) in out.iter_mut().zip(codes) {
                        *out |= u8::from(code.minus(from) <= span);
                    }
                }
            }
        }
        CodeTest::Marks(marks) => {
            let marks = usize::try_from(base).ok().and_then(|base| marks.get(base..)).unwrap_or_default();
            each(codes, out, |code| {
                let place = usize::try_from(code.into()).unwrap_or(usize::MAX);
                marks.get(place).copied().unwrap_or(0)
            });
        }
        CodeTest::Mask(_) | CodeTest::Ranges(_) | CodeTest::Digits(_) => {
            each(codes, out, |code| u8::from(passes(test, base + code.into())));
        }
    }
}

/// The range above `base` in the width of the column: its beginning and how far it reaches. `None` where no code can be in it.
fn raw_range<T: Raw>(base: u64, from: u64, to: u64) -> Option<(T, T)> {
    let to = to.checked_sub(base)?.min(T::MAX);
    let from = from.saturating_sub(base);
    if from > to {
        return None;
    }
    Some((T::try_from(from).ok()?, T::try_from(to - from).ok()?))
}

/// `out` where `other` too.
pub(super) fn and(out: &mut [u8], other: &[u8]) {
    for (out, other) in out.iter_mut().zip(other) {
        *out &= other;
    }
}

/// `out` or `other`.
pub(super) fn or(out: &mut [u8], other: &[u8]) {
    for (out, other) in out.iter_mut().zip(other) {
        *out |= other;
    }
}

/// The complement.
pub(super) fn flip(out: &mut [u8]) {
    for out in out {
        *out ^= 1;
    }
}

/// Whether no row passes.
pub(super) fn is_none(out: &[u8]) -> bool {
    // Chunks end the search early, and within one the compiler may use vectors.
    out.chunks(256).all(|chunk| chunk.iter().fold(0, |any, byte| any | byte) == 0)
}

#[cfg(test)]
mod tests {
    use super::super::lines::At;
    use super::*;
    use crate::record::column::Column;
    use crate::store::packed::Packed;
    use proptest::prelude::*;

    fn code() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), 1..300_u64, 65_000..66_000_u64, 1_534_778_000..1_534_779_000_u64, any::<u64>()]
    }

    fn code_test() -> impl Strategy<Value = CodeTest> {
        let range = || (code(), code()).prop_map(|(a, b)| (a.min(b).max(1), a.max(b).max(1)));
        prop_oneof![
            range().prop_map(|(from, to)| CodeTest::Range(from, to)),
            prop::collection::vec(range(), 0..8)
                .prop_map(|ranges| CodeTest::Ranges(crate::filter::addrset::merge(ranges))),
            (prop::collection::vec(0..2_u8, 0..400), any::<bool>()).prop_map(|(mut marks, padded)| {
                marks.insert(0, 0);
                marks.resize(marks.len() + if padded { PADDING } else { 0 }, 0);
                CodeTest::Marks(marks.into())
            }),
            (0..256_u64).prop_map(CodeTest::Mask),
            "[0-9]{1,3}".prop_map(|text| CodeTest::Digits(Digits::new(text.as_bytes(), At::Within).expect("digits"))),
        ]
    }

    proptest! {
        #[test]
        fn every_width_answers_as_a_single_code_does(
            codes in prop_oneof![
                prop::collection::vec(code(), 1..80),
                prop::collection::vec(1..200_u64, 1..80),
                prop::collection::vec(1_534_778_000..1_534_779_000_u64, 1..80),
            ],
            asked in code_test(),
            cut in 0..40_usize,
        ) {
            let mut column = Column::default();
            codes.iter().enumerate().for_each(|(row, code)| column.put(row, *code));
            let packed = Packed::of(&column, codes.len());
            let packed = match &packed {
                Packed::All(code) => Codes::All(*code),
                Packed::U8(base, codes) => Codes::U8(*base, codes),
                Packed::U16(base, codes) => Codes::U16(*base, codes),
                Packed::U32(base, codes) => Codes::U32(*base, codes),
                Packed::U64(codes) => Codes::U64(codes),
            };
            let rows = cut.min(codes.len())..codes.len();
            let expected: Vec<u8> = codes[rows.clone()].iter().map(|code| u8::from(passes(&asked, *code))).collect();
            for codes in [packed, Codes::U64(&codes)] {
                let mut out = vec![9; rows.len()];
                test(codes, rows.clone(), &asked, &mut out);
                prop_assert_eq!(&out, &expected);
            }
            // Rows that a column does not reach are absent.
            let mut out = vec![9; rows.len() + 3];
            test(Codes::U64(&codes), rows.start..rows.end + 3, &asked, &mut out);
            prop_assert_eq!(&out[rows.len()..], [0, 0, 0]);
            test(Codes::First(codes[0], rows.start + 1), rows.start..rows.end + 3, &asked, &mut out);
            prop_assert_eq!(out[0], u8::from(passes(&asked, codes[0])));
            prop_assert!(out[1..].iter().all(|passes| *passes == 0));
        }
    }
}
