//! What is known of the source and of the lines that did not parse, for a pane of its own: the formats with what they were told by, and the
//! quarantine. Both are bounded; a page carries the part of the quarantine that a screen shows.

use std::sync::Arc;

use indexmap::IndexMap;

use super::core::Core;
use super::status::Counts;
use crate::detect::Baseline;
use crate::record::{Format, FormatTally, Reject};

/// Pairs of stream and format that are counted apart.
const FORMATS: usize = 256;

/// What the pane asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportSpec {
    /// The source.
    Source,
    /// Lines that did not parse, newest first.
    Unparsed {
        /// Lines left out before the first one wanted.
        skip: usize,
        /// Lines wanted.
        take: usize,
    },
}

/// The answer to a [`ReportSpec`].
#[derive(Clone, Debug)]
pub enum Report {
    /// The source.
    Source(Box<SourceReport>),
    /// Lines that did not parse.
    Unparsed(UnparsedReport),
}

/// What the header has no room for. The rest is in [`super::view::Status`].
#[derive(Clone, Debug, Default)]
pub struct SourceReport {
    /// The format of each file or stream, in the order met. At most 256.
    pub formats: Vec<StreamFormat>,
    /// Records of further files and streams, whose formats are not told apart.
    pub other_records: u64,
    /// What became of the lines.
    pub counts: Counts,
    /// What the user should know about headers, oldest first.
    pub remarks: Vec<String>,
    /// Bytes of records held, and how many they may be.
    pub ring: (u64, u64),
    /// Bytes of sessions held.
    pub sessions: u64,
    /// What rules know of the time before the oldest record.
    pub baseline: Option<Arc<Baseline>>,
}

/// Lines of one file or stream that have the same format for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFormat {
    /// File or log stream. As hostile as the log.
    pub place: Arc<str>,
    /// What the format is called.
    pub format: String,
    /// What told it: `--format`, a header line, or a guess.
    pub why: &'static str,
    /// Records of it.
    pub records: u64,
}

/// The part of the quarantine that a screen shows.
#[derive(Clone, Debug, Default)]
pub struct UnparsedReport {
    /// Lines that did not parse by reason, most frequent first.
    pub reasons: Vec<(&'static str, u64)>,
    /// Lines that are kept.
    pub kept: usize,
    /// Lines left out before the first of `lines`.
    pub skip: usize,
    /// The lines, newest first.
    pub lines: Vec<Reject>,
}

/// Counts of records by stream and format.
#[derive(Debug, Default)]
pub(super) struct Formats {
    known: IndexMap<(Arc<str>, String, &'static str), u64>,
    other: u64,
    /// Different formats, whatever the stream.
    distinct: Vec<Arc<Format>>,
}

/// Different formats that are known by their fields.
const DISTINCT: usize = 16;

impl Formats {
    /// The different formats met, in that order.
    pub(super) fn distinct(&self) -> &[Arc<Format>] {
        &self.distinct
    }

    /// Adds what a batch says.
    pub(super) fn add(&mut self, tallies: &[FormatTally]) {
        for tally in tallies {
            if tally.rows > 0 && self.distinct.len() < DISTINCT && !self.distinct.contains(&tally.format) {
                self.distinct.push(Arc::clone(&tally.format));
            }
            let key = (Arc::clone(&tally.place), tally.format.label(), tally.why);
            if let Some(records) = self.known.get_mut(&key) {
                *records += tally.rows;
            } else if self.known.len() < FORMATS {
                self.known.insert(key, tally.rows);
            } else {
                self.other += tally.rows;
            }
        }
    }
}

impl Core {
    /// Answers `spec`.
    pub(super) fn report(&self, spec: ReportSpec) -> Report {
        match spec {
            ReportSpec::Source => Report::Source(Box::new(self.source_report())),
            ReportSpec::Unparsed { skip, take } => Report::Unparsed(self.unparsed_report(skip, take)),
        }
    }

    fn source_report(&self) -> SourceReport {
        let formats = self.formats.known.iter().map(|((place, format, why), records)| StreamFormat {
            place: Arc::clone(place),
            format: format.clone(),
            why,
            records: *records,
        });
        SourceReport {
            formats: formats.collect(),
            other_records: self.formats.other,
            counts: self.counts().clone(),
            remarks: self.remarks().map(str::to_owned).collect(),
            ring: (self.ring.bytes() as u64, self.ring.budget() as u64),
            sessions: self.sessions.bytes() as u64,
            baseline: self.baseline().cloned(),
        }
    }

    fn unparsed_report(&self, skip: usize, take: usize) -> UnparsedReport {
        let mut reasons: Vec<_> = self.counts().unparsed.iter().map(|(reason, count)| (*reason, *count)).collect();
        reasons.sort_unstable_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        let kept = self.quarantine().len();
        let skip = skip.min(kept.saturating_sub(1));
        UnparsedReport { reasons, kept, skip, lines: self.quarantine().rev().skip(skip).take(take).cloned().collect() }
    }
}
