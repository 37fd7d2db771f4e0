//! Ranges of slices, and event time that is given up.

use std::ops::Range;

/// Width of a slice, milliseconds.
pub(in crate::source::cloudwatch) const SLICE: i64 = 60_000;

/// A range of slices to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source::cloudwatch) struct Span {
    /// Slice numbers.
    pub(in crate::source::cloudwatch) slices: Range<i64>,
    /// Whether it lies before the window and is read once only.
    pub(in crate::source::cloudwatch) backlog: bool,
}

impl Span {
    /// First millisecond.
    pub(in crate::source::cloudwatch) fn start(&self) -> i64 {
        self.slices.start * SLICE
    }

    /// Last millisecond.
    pub(in crate::source::cloudwatch) fn last(&self) -> i64 {
        self.slices.end * SLICE - 1
    }

    /// Number of slices.
    pub(in crate::source::cloudwatch) fn len(&self) -> usize {
        usize::try_from(self.slices.end - self.slices.start).unwrap_or(0)
    }

    /// Position of the slice that `timestamp` falls into.
    pub(in crate::source::cloudwatch) fn position(&self, timestamp: i64) -> Option<usize> {
        let slice = timestamp.div_euclid(SLICE);
        self.slices.contains(&slice).then(|| usize::try_from(slice - self.slices.start).ok()).flatten()
    }
}

/// Event time that is given up, in milliseconds (both ends included), and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source::cloudwatch) struct Lost {
    pub(in crate::source::cloudwatch) from: i64,
    pub(in crate::source::cloudwatch) to: i64,
    pub(in crate::source::cloudwatch) why: Why,
}

/// Why event time is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::cloudwatch) enum Why {
    /// The API kept failing for it.
    Failed,
    /// Longer ago than can be caught up.
    TooLong,
    /// Too many events to remember: read, but not read again.
    TooMany,
}
