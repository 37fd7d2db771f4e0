//! What the strip of time shows.

use std::sync::Arc;

use crate::detect::Level;
use crate::filter::Filter;

/// By which time records stand on the timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockKind {
    /// The end of the capture window.
    #[default]
    Event,
    /// When CloudWatch received the record; records that do not carry it are not counted.
    Ingestion,
}

/// What the timeline counts.
#[derive(Clone, Debug, Default)]
pub struct TimelineSpec {
    /// A filter of flow records.
    pub filter: Option<Arc<Filter>>,
    /// Sessions that match `ViewSpec::filter` are counted instead of records, by event time. For filters that records do not have.
    pub sessions: bool,
    /// Time shown, Unix seconds, the end not included; what is held, at most the last day, where there is none.
    pub range: Option<(i64, i64)>,
    /// The clock.
    pub clock: ClockKind,
}

/// The strip of time. All bins have the same width.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Unix second at which the first bin begins.
    pub from: i64,
    /// Width of a bin, seconds.
    pub step: i64,
    /// Oldest first.
    pub bins: Vec<Bin>,
    /// Share of the records held that were counted so far.
    pub progress: f32,
    /// Records that do not carry the time of the chosen clock.
    pub timeless: u64,
    /// Whether sessions are counted, each in every bin it lives in, and not records: then `bytes_in` are those of requests, `bytes_out` of
    /// answers.
    pub of_sessions: bool,
}

/// One bin of the timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    /// Bytes accepted, towards the interface that logged them.
    pub bytes_in: u64,
    /// Bytes accepted, away from it.
    pub bytes_out: u64,
    /// Records towards the interface, of either decision.
    pub records_in: u64,
    /// Records away from it.
    pub records_out: u64,
    /// Records accepted.
    pub accepted: u64,
    /// Records rejected.
    pub rejected: u64,
    /// SKIPDATA records.
    pub skipped: u64,
    /// Worst alert whose evidence touches the bin.
    pub alert: Option<Level>,
    /// Could not be read (a gap) or may still be incomplete.
    pub incomplete: bool,
}
