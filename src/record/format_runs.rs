//! The formats of rows. Neighbours mostly have the same, so one is noted where it begins.

use std::ops::Range;
use std::sync::Arc;

use super::column::Column;
use super::format::Format;

/// Which row has which format.
#[derive(Clone, Debug, Default)]
pub struct FormatRuns {
    formats: Vec<Arc<Format>>,
    /// The first row of a run, and its format's place.
    runs: Vec<(u32, u16)>,
    len: usize,
}

impl FormatRuns {
    /// The rows up to `len` that have none yet have this one.
    #[inline]
    pub fn extend(&mut self, len: usize, format: &Arc<Format>) {
        if len <= self.len {
            return;
        }
        let same =
            |run: &(u32, u16)| self.formats.get(usize::from(run.1)).is_some_and(|known| Arc::ptr_eq(known, format));
        if !self.runs.last().is_some_and(same) {
            let place = self.place(format);
            self.runs.push((u32::try_from(self.len).unwrap_or(u32::MAX), place));
        }
        self.len = len;
    }

    /// Keeps the first `len` rows.
    pub(super) fn truncate(&mut self, len: usize) {
        self.runs.retain(|(first, _)| (*first as usize) < len);
        self.len = self.len.min(len);
    }

    fn place(&mut self, format: &Arc<Format>) -> u16 {
        let known = self.formats.iter().rposition(|known| Arc::ptr_eq(known, format));
        let place = known.unwrap_or_else(|| {
            // More than 65,536 formats in one segment would need as many header lines; the last place then stands for all of them.
            if u16::try_from(self.formats.len()).is_ok() {
                self.formats.push(Arc::clone(format));
            }
            self.formats.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    /// The format of `row`, which must be one of those that have one.
    pub fn of(&self, row: usize) -> &Arc<Format> {
        let after = self.runs.partition_point(|(first, _)| *first as usize <= row);
        &self.formats[usize::from(self.runs[after - 1].1)]
    }

    /// Appends the formats of `rows` of `other`.
    pub fn append(&mut self, other: &FormatRuns, rows: Range<usize>) {
        let (begin, offset) = (rows.start, self.len);
        let first = other.runs.partition_point(|(first, _)| *first as usize <= begin).saturating_sub(1);
        for (at, (_, place)) in other.runs.iter().enumerate().skip(first) {
            let end = other.runs.get(at + 1).map_or(other.len, |(next, _)| *next as usize).min(rows.end);
            self.extend(offset + end.saturating_sub(begin), &other.formats[usize::from(*place)]);
            if end == rows.end {
                break;
            }
        }
    }

    /// The formats, and the place of each row's in them.
    pub fn into_parts(self) -> (Vec<Arc<Format>>, Column) {
        let mut places = Column::default();
        for (at, (_, place)) in self.runs.iter().enumerate() {
            places.fill(self.runs.get(at + 1).map_or(self.len, |(next, _)| *next as usize), u64::from(*place));
        }
        (self.formats, places)
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        self.formats.capacity() * size_of::<Arc<Format>>() + self.runs.capacity() * size_of::<(u32, u16)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Field;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_row_keeps_its_format(runs in prop::collection::vec((0..3_usize, 1..5_usize), 1..12), cuts in prop::collection::vec(1..6_usize, 1..8)) {
            let formats: Vec<_> = [Field::Bytes, Field::Packets, Field::End].map(|field| Arc::new(Format::of(&[field]))).into();
            let (mut all, mut model) = (FormatRuns::default(), Vec::new());
            for (format, rows) in runs {
                model.resize(model.len() + rows, format);
                all.extend(model.len(), &formats[format]);
            }
            // Also when they are appended piece by piece.
            let mut pieces = FormatRuns::default();
            let mut cuts = cuts.into_iter().cycle();
            let mut next = 0;
            while next < model.len() {
                let end = (next + cuts.next().unwrap()).min(model.len());
                pieces.append(&all, next..end);
                next = end;
            }
            for (row, format) in model.iter().enumerate() {
                prop_assert!(Arc::ptr_eq(all.of(row), &formats[*format]));
                prop_assert!(Arc::ptr_eq(pieces.of(row), &formats[*format]));
            }
            let (formats, places) = pieces.clone().into_parts();
            for row in 0..model.len() {
                prop_assert!(Arc::ptr_eq(&formats[usize::try_from(places.get(row)).unwrap()], pieces.of(row)));
            }
        }
    }
}
