//! What passes from a source to the engine: raw lines in batches, and what the source has to say about itself.
//!
//! `source/` and `engine/` do not know each other; this is all they share.

use std::sync::Arc;

use super::decode::Reject;
use super::envelope::Wrapped;
use super::format::Format;

/// What a source knows about the lines it delivers, beyond the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// What to call it on the screen: a log group, a path, `stdin`, `demo`.
    pub name: Arc<str>,
    /// Region, where known. Records of formats without `region` take this one.
    pub region: Option<Arc<str>>,
}

/// One CloudWatch event's share of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// End of its message in [`Batch::bytes`]; it begins where the one before ends.
    pub end: u32,
    /// Index into [`Batch::streams`].
    pub stream: u32,
    /// Event timestamp, Unix milliseconds. For flow logs the start of the capture window.
    pub timestamp: i64,
    /// When CloudWatch received it, Unix milliseconds; [`Event::UNKNOWN`] where the source does not say.
    pub ingestion: i64,
    /// CloudWatch's event id; empty where the source has none.
    pub id: Box<str>,
}

impl Event {
    /// A time that the source does not say.
    pub const UNKNOWN: i64 = i64::MIN;
}

/// Raw lines on their way to the engine.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Where they come from.
    pub origin: Arc<Origin>,
    /// Lines separated by `\n` (a last one may lack it), or, where `events` is not empty, messages laid end to end.
    pub bytes: Vec<u8>,
    /// One entry a message, or empty for plain lines.
    pub events: Vec<Event>,
    /// Names of the log streams that `events` refer to. An index past its end means that the stream is not known.
    pub streams: Vec<Arc<str>>,
    /// Formats that the source has been told its lines are of; empty where it knows nothing.
    pub formats: Vec<Arc<Format>>,
    /// One entry an event where a file wrapped them, else empty.
    pub wrapped: Vec<Wrapped>,
    /// What the source could not take out of its envelope, to be counted and kept with the lines that do not parse.
    pub rejects: Vec<Reject>,
    /// What the user should know of the envelopes.
    pub remarks: Vec<String>,
    /// Number of the first line in its file, from 1; 0 where that means nothing.
    pub first_line: u64,
    /// When it arrived here, Unix milliseconds. Recorded input carries the recorded clock.
    pub arrival: i64,
    /// Whether this is earlier time that was asked for beside what is live: held in room of its own.
    pub earlier: bool,
}

/// A range of event time that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// First Unix second that is missing.
    pub from: i64,
    /// Last Unix second that is missing.
    pub to: i64,
    /// Why, in words for the user.
    pub why: String,
}

/// What the source is doing, for the header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SourceState {
    /// No answer yet.
    #[default]
    Connecting,
    /// Reading.
    Live,
    /// Waiting to try again: what happened, what to do about it, and when (Unix milliseconds) the next try is.
    Waiting {
        /// What went wrong and the remedy, in words for the user.
        why: String,
        /// Unix milliseconds of the next try.
        until: i64,
    },
    /// All input was read.
    Ended,
    /// It cannot go on: what went wrong and the remedy. Where reading went on after this (a file among several), it is a warning.
    Failed(String),
}

/// What a complete read of a range of event time cost, all its pages and interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Poll {
    /// Requests that it took, tries that failed included.
    pub requests: u64,
    /// Events that the API returned.
    pub events: u64,
    /// Those that were known already.
    pub duplicates: u64,
    /// Minutes of event time that it covers.
    pub minutes: u64,
}

/// What a tail carries and how it keeps up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TailFigures {
    /// Records a second that can be followed under the request budget, about.
    pub capacity: u64,
    /// Records a second that come, about, over the last minutes of event time; `None` while too little was read.
    pub rate: Option<u64>,
    /// Seconds by which the most overdue read of the schedule is late.
    pub behind: u64,
    /// Seconds after their timestamp within which 99 of 100 events are delivered; `None` while too few were seen.
    pub lateness: Option<u64>,
    /// Seconds after its timestamp up to which an event is looked for.
    pub lookback: u64,
    /// Times that the schedule reads each minute of event time.
    pub reads: u64,
    /// The last range that was read to its end.
    pub poll: Option<Poll>,
    /// Event ids remembered, so that each event is passed on once.
    pub ids: u64,
    /// Bytes that they take.
    pub id_bytes: u64,
}

/// A source's account of itself. Counters only ever grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceStatus {
    /// What it is doing.
    pub state: SourceState,
    /// How far the source's clock is ahead of this machine's, milliseconds, as far as that is known and more than a minute.
    pub skew: i64,
    /// API requests sent, tries included.
    pub requests: u64,
    /// Events the API returned, duplicates included.
    pub events_read: u64,
    /// Events returned again (same event id) and not passed on.
    pub duplicates: u64,
    /// Event time up to which the source believes to have everything, Unix seconds.
    pub complete_to: Option<i64>,
    /// From when on, and what is on its way of earlier time; `None` where the source cannot load any.
    pub earlier: Option<Earlier>,
    /// First second that was searched, Unix seconds, where the source knows it beforehand.
    pub searched: Option<i64>,
    /// Bytes read and total, where the source is a file of known size.
    pub progress: Option<(u64, u64)>,
    /// The live session, where there is one beside the reads.
    pub live: Option<LiveStatus>,
    /// A lasting remark for the user, such as "no stream begins with eni-…; searching by content".
    pub note: Option<String>,
    /// Lasting remarks, one sentence each: parts of the note that change only when something was found out.
    pub warnings: Vec<String>,
    /// What is asked for now, where it is not what was at the start: a filter pattern, or an empty text for everything.
    pub asks_for: Option<Arc<str>>,
    /// What a tail carries and costs.
    pub tail: Option<TailFigures>,
    /// What was found out about the source, for its pane: name and text, in order.
    pub facts: Vec<(String, String)>,
}

/// How far back a source has searched. All in Unix seconds of event time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// Everything from here on was asked for.
    pub from: i64,
    /// Where it will have come to once it has loaded what was asked for; [`Earlier::from`] where nothing is on its way.
    pub wanted: i64,
    /// Where it was when that was asked for.
    pub begun: i64,
}

impl Earlier {
    /// Share of what is being loaded that has come, in percent; `None` where nothing is.
    pub fn percent(&self) -> Option<u64> {
        let (done, all) = (self.begun.saturating_sub(self.from), self.begun.saturating_sub(self.wanted));
        (self.wanted < self.from.min(self.begun)).then(|| u64::try_from(done.max(0) * 100 / all.max(1)).unwrap_or(0))
    }
}

/// What a live session does. Counters only ever grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveStatus {
    /// Sessions that are open.
    pub open: usize,
    /// Sessions wanted.
    pub wanted: usize,
    /// Why the last one ended, in words for the user, and Unix milliseconds of the next try.
    pub closed: Option<(String, i64)>,
    /// Sessions that ended so far.
    pub ended: u64,
    /// Events that came live before a read returned them.
    pub events: u64,
    /// Of those, events that a read returned since.
    pub paired: u64,
    /// Times that events were left out, because there were too many or because a session had ended.
    pub sampled: u64,
    /// Of those, times whose range was read since.
    pub repaired: u64,
    /// Events older than what is still read, left out since whether they came before cannot be told.
    pub too_old: u64,
}

/// What a source sends.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a channel holds a handful of them, and a status comes a few times a second"
)]
pub enum Input {
    /// Lines.
    Batch(Batch),
    /// Lines to be looked at until the first of [`Input::Batch`] come: some of those, in no order. Each takes the place of the one before. Only a
    /// source that was asked for them sends them.
    Partial(Batch),
    /// News about the source itself.
    Status(Box<SourceStatus>),
    /// Event time that could not be read.
    Gap(Gap),
    /// Nothing more will come.
    End,
}
