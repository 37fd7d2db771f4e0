//! At which ages a slice is read.

use super::SLICE;

/// Minutes after the end of a slice at which it must have been read. Look-back is the last.
const AGES: [i64; 7] = [1, 2, 4, 6, 8, 11, 16];

/// The rules look back twenty minutes: what is delivered unusually late is still found in time for them by the read at this age (minutes).
const FOR_RULES: i64 = 16;

/// The ages of reads up to `lookback`, in milliseconds. Where nearly all events are known to be delivered within `lateness`, the reads between that
/// and look-back would return next to nothing new: then only the one in time for the rules is kept of them, and the budget carries more records.
pub(super) fn ages(lookback: i64, lateness: Option<i64>) -> Vec<i64> {
    let mut ages: Vec<i64> = AGES.iter().map(|age| age * SLICE).filter(|age| *age < lookback).collect();
    // Beyond the table the steps double, so that a long look-back costs few reads more.
    while let Some(next) = ages.last().map(|age| age * 2).filter(|next| *next < lookback) {
        ages.push(next);
    }
    if let Some(lateness) = lateness {
        // The age of a slice counts from its end: all its events are at least as old.
        let enough = ages.iter().copied().find(|age| *age >= lateness).unwrap_or(lookback);
        ages.retain(|age| *age <= enough || *age == FOR_RULES * SLICE);
    }
    ages.push(lookback);
    ages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(lookback: i64, lateness: Option<i64>) -> Vec<i64> {
        ages(lookback * SLICE, lateness.map(|lateness| lateness * SLICE)).iter().map(|age| age / SLICE).collect()
    }

    #[test]
    fn the_schedule_ends_at_look_back() {
        assert_eq!(minutes(30, None), [1, 2, 4, 6, 8, 11, 16, 30]);
        assert_eq!(minutes(16, None), [1, 2, 4, 6, 8, 11, 16]);
        assert_eq!(minutes(1, None), [1]);
        assert_eq!(minutes(90, None), [1, 2, 4, 6, 8, 11, 16, 32, 64, 90]);
    }

    #[test]
    fn what_is_delivered_soon_is_read_less_often_and_never_not_at_look_back() {
        assert_eq!(minutes(30, Some(0)), [1, 16, 30]);
        assert_eq!(minutes(30, Some(3)), [1, 2, 4, 16, 30]);
        assert_eq!(minutes(30, Some(15)), [1, 2, 4, 6, 8, 11, 16, 30]);
        assert_eq!(minutes(30, Some(60)), [1, 2, 4, 6, 8, 11, 16, 30]);
        assert_eq!(minutes(10, Some(1)), [1, 10]);
    }
}
