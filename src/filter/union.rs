//! Unions of ranges.

use std::ops::Sub;

/// The fewest ranges, both ends in them, that cover what `ranges` cover, in order. What touches becomes one: these are whole numbers.
pub(super) fn union<T: Copy + Ord + Sub<Output = T> + From<u8>>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut union: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match union.last_mut() {
            Some(last) if from <= last.1 || from - last.1 == T::from(1) => last.1 = last.1.max(to),
            _ => union.push((from, to)),
        }
    }
    union
}

#[cfg(test)]
mod tests {
    use super::union;

    #[test]
    fn what_overlaps_or_touches_is_one_range() {
        assert_eq!(union(vec![(7_u64, 9), (1, 3), (4, 4), (8, 8)]), [(1, 4), (7, 9)]);
        assert_eq!(union(vec![(u128::MAX, u128::MAX), (0, u128::MAX - 1)]), [(0, u128::MAX)]);
        assert_eq!(union::<u64>(Vec::new()), []);
    }
}
