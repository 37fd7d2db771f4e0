//! The contract between the engine and whoever looks at it: the screen asks with a [`ViewSpec`], the engine answers with a [`Page`].
//!
//! A page holds the rows that fit a screen and the totals, never the ring. Everything in it is owned, so it crosses threads freely.

mod detail;
mod strip;

use std::sync::Arc;

pub use detail::{Detail, SessionDetail};
pub use strip::{Bin, ClockKind, Timeline, TimelineSpec};

use super::fold::Fold;
use super::pinned::Copied;
use super::profile::{Profile, Subject};
use super::report::{Report, ReportSpec};
use super::since::Since;
use crate::detect::mute::Mutes;
use crate::detect::{Alert, DetectStats, Level, Rules};
use crate::filter::Filter;
use crate::filter::translate::pattern::Fetch;
use crate::record::{Cell, Field, Format, Gap, SourceStatus};

/// Which table is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// Flow records.
    #[default]
    Flows,
    /// Paired sessions.
    Sessions,
    /// Alerts.
    Alerts,
}

/// Identity of a row. Never a position: new rows and another order do not move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowId {
    /// A flow record: its time (end of window, Unix seconds) and arrival number.
    Flow {
        /// Unix seconds.
        time: u64,
        /// Sequence number in order of arrival, from 0.
        seq: u64,
    },
    /// A session, by its number.
    Session(u64),
    /// An alert, by its number.
    Alert(u64),
    /// A group, by the hash of its key.
    Group(u64),
}

/// Around which row the page is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// The first row of the order.
    #[default]
    Top,
    /// The last row of the order.
    Bottom,
    /// This row, or the nearest one that still exists and matches.
    Row(RowId),
}

/// What a table is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The column. `Field::End` is the order of time, which costs nothing.
    pub field: Field,
    /// Largest first.
    pub descending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Sort { field: Field::End, descending: true }
    }
}

/// A question to the engine. Replaces the one before it; only the latest counts.
#[derive(Clone, Debug, Default)]
pub struct ViewSpec {
    /// Number of the question, echoed in the page.
    pub serial: u64,
    /// Which table.
    pub tab: Tab,
    /// The applied filter, compiled for the tab's rows. Alerts are not filtered.
    pub filter: Option<Arc<Filter>>,
    /// Rows that are counted and not shown; they are among those of `filter`.
    pub fold: Option<Arc<Fold>>,
    /// A filter being typed: only its matches are counted.
    pub draft: Option<Arc<Filter>>,
    /// A filter whose parts are counted one by one, for [`Page::explained`].
    pub explain: Option<Arc<Filter>>,
    /// Fields whose values are wanted in [`Page::values`], for completion.
    pub values: Vec<Field>,
    /// Only records that end in this range of Unix seconds (both ends included), as on the timeline; of sessions those whose life touches it.
    pub window: Option<(i64, i64)>,
    /// The order.
    pub sort: Sort,
    /// Up to three columns to group by; empty for rows.
    pub group_by: Vec<Field>,
    /// Columns wanted, in the order of [`PageRow::cells`]. Ignored for groups and alerts.
    pub columns: Vec<Field>,
    /// Where to cut the page.
    pub anchor: Anchor,
    /// Rows wanted before the anchor.
    pub before: usize,
    /// Rows wanted from the anchor on, itself included.
    pub after: usize,
    /// Look at what was held when this was first set; what arrives later is counted, not shown.
    pub frozen: bool,
    /// The row to explain in [`Page::detail`].
    pub detail: Option<RowId>,
    /// Bins wanted in the timeline; 0 for none.
    pub timeline_bins: usize,
    /// What the timeline counts, and by which clock.
    pub timeline: TimelineSpec,
    /// The moment of a change, Unix seconds: sessions are told apart by it ([`Field::Phase`]).
    pub change: Option<i64>,
    /// The address or the interface to tell about in [`Page::profile`].
    pub profile: Option<Subject>,
    /// What is wanted in [`Page::report`].
    pub report: Option<ReportSpec>,
    /// Rules to try over what is held, for [`Page::trial`].
    pub trial: Option<Arc<Rules>>,
    /// Alerts that are not wanted, and whether they are shown all the same.
    pub mutes: Arc<Mutes>,
    /// See [`ViewSpec::mutes`].
    pub show_muted: bool,
    /// Rows to copy into [`Page::copies`].
    pub copies: Vec<RowId>,
}

impl ViewSpec {
    /// The filter of the rows that are shown.
    pub fn shown(&self) -> Option<&Arc<Filter>> {
        self.fold.as_ref().map(|fold| &fold.shown).or(self.filter.as_ref())
    }
}

/// One row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRow {
    /// Its identity.
    pub id: RowId,
    /// Values in the order of [`Page::columns`].
    pub cells: Vec<Cell>,
    /// The level of the worst alert that this row is evidence of.
    pub mark: Option<Level>,
    /// What is new in it.
    pub new: FirstSeen,
}

/// Values of a row that what is held had not had before: first seen in the ten minutes before it, at least ten minutes after what is held begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one a column")]
pub struct FirstSeen {
    /// The source, or the initiator.
    pub src: bool,
    /// The destination, or the responder.
    pub dst: bool,
    /// The port that the source answers on.
    pub src_port: bool,
    /// The port that the destination or the responder answers on.
    pub dst_port: bool,
    /// The interface.
    pub interface: bool,
}

/// The answer to a [`ViewSpec`].
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// [`ViewSpec::serial`] of the question.
    pub serial: u64,
    /// Which table this is.
    pub tab: Tab,
    /// What each cell of a row is. For groups: the columns grouped by, then `bytes`, `packets`, `records`, distinct peers
    /// ([`GroupColumn`]) and the share rejected.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<PageRow>,
    /// Position of `rows[0]` in the whole order, from 0.
    pub first_index: u64,
    /// Rows that match and are shown, as far as they are counted.
    pub matched: u64,
    /// Rows that match and are counted only, by the kinds of [`ViewSpec::fold`], as far as they are counted.
    pub folded: Vec<(&'static str, u64)>,
    /// Rows held.
    pub total: u64,
    /// Share of the rows looked at so far, below 1.0 while the pass over the ring goes on.
    pub progress: f32,
    /// Matches of the draft filter, and whether the count is complete.
    pub draft: Option<(u64, bool)>,
    /// Answer to [`ViewSpec::explain`].
    pub explained: Option<Explained>,
    /// Answer to [`ViewSpec::values`], as far as it was counted.
    pub values: Vec<SeenValues>,
    /// Matching rows that arrived since the view was frozen.
    pub unseen: u64,
    /// The header.
    pub status: Status,
    /// Alerts for the sidebar: open ones first, worst first, then newest first. At most 200.
    pub alerts: Vec<Arc<Alert>>,
    /// Answer to [`ViewSpec::trial`], as far as it has come.
    pub trial: Option<Trial>,
    /// Alerts held that are muted, whether they are shown or not.
    pub muted: u64,
    /// The strip of time, oldest bin first.
    pub timeline: Timeline,
    /// Answer to [`ViewSpec::detail`].
    pub detail: Option<Detail>,
    /// Answer to [`ViewSpec::report`].
    pub report: Option<Report>,
    /// Answer to [`ViewSpec::profile`].
    pub profile: Option<Arc<Profile>>,
    /// Answer to [`ViewSpec::change`].
    pub change: Option<ChangeCounts>,
    /// Answer to [`ViewSpec::copies`]; `None` for a row that is no longer held.
    pub copies: Vec<(RowId, Option<Copied>)>,
}

/// What rules would have raised over what is held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// Share of the records that was looked at; 1.0 once it is complete.
    pub progress: f32,
    /// Alerts by rule, of rules that raised any.
    pub by_rule: Vec<(Arc<str>, u64)>,
    /// Some of them, the latest first.
    pub examples: Vec<Arc<Alert>>,
}

/// Sessions by how they stand to the moment of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Over before it.
    pub before: PhaseCount,
    /// Begun before it and seen after it.
    pub surviving: PhaseCount,
    /// Begun after it.
    pub new: PhaseCount,
    /// Whether all sessions were looked at.
    pub complete: bool,
}

/// Sessions of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseCount {
    /// How many.
    pub sessions: u64,
    /// Bytes of both directions over their whole life.
    pub bytes: u64,
}

/// Which part of a filter lets how much through.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The filter.
    pub filter: Arc<Filter>,
    /// Its parts that must all hold, in order.
    pub clauses: Vec<ClauseCount>,
    /// Share of the rows looked at so far.
    pub progress: f32,
}

/// One part of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseCount {
    /// Its canonical spelling.
    pub text: String,
    /// Rows that pass it alone.
    pub alone: u64,
    /// Rows that pass it and every part before it.
    pub running: u64,
}

/// The most frequent values of a field among the rows held, with the rows that have each; of a large ring among its newest million rows.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenValues {
    /// The field.
    pub field: Field,
    /// Most frequent first.
    pub values: Vec<(Cell, u64)>,
}

/// A column of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// A field.
    Field(Field),
    /// An aggregate of a group.
    Group(GroupColumn),
}

/// The aggregates of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupColumn {
    /// Sum of bytes.
    Bytes,
    /// Sum of packets.
    Packets,
    /// Rows in the group.
    Records,
    /// Distinct addresses that are not part of the group's key. Exact up to 10,000 a group.
    Peers,
    /// Share of records with action REJECT, 0 to 1.
    Rejected,
}

/// What the header shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// Name of the source: log group, file, demo.
    pub source: Arc<str>,
    /// Region of the source, where known.
    pub region: Option<Arc<str>>,
    /// Interfaces asked for; empty for all.
    pub interfaces: Vec<Arc<str>>,
    /// What is fetched only, where not everything is.
    pub fetch: Option<Arc<Fetch>>,
    /// What the source says of itself.
    pub state: SourceStatus,
    /// Greatest end of any record, Unix seconds.
    pub event_time: Option<i64>,
    /// Clock of the input at the last arrival, Unix seconds.
    pub arrival_time: Option<i64>,
    /// Median seconds from a record's end to its ingestion, over recent records that carry both.
    pub lag: Option<i64>,
    /// Records a second of arrival, over the last ten seconds.
    pub rate: f64,
    /// Records that are shown before they are held: some of what queries have found that still run. None is held then.
    pub partial: u64,
    /// Records held in the ring.
    pub held: u64,
    /// Bytes the ring holds, dictionaries included.
    pub held_bytes: u64,
    /// Bytes it may hold.
    pub budget: u64,
    /// Least and greatest time held, Unix seconds.
    pub span: Option<(i64, i64)>,
    /// From when on all sessions are known of what was asked for, Unix seconds.
    pub searched: Option<i64>,
    /// Records evicted from the ring to stay within the budget.
    pub evicted: u64,
    /// Records of earlier time that its room did not hold.
    pub earlier_let_go: u64,
    /// Sessions held.
    pub sessions: u64,
    /// Sessions evicted before they were final.
    pub sessions_evicted: u64,
    /// Lines that did not parse.
    pub unparsed: u64,
    /// Records lost unread. Always 0: channels block.
    pub dropped: u64,
    /// SKIPDATA records: evidence that AWS lost.
    pub skipdata: u64,
    /// Records that came with a time older than the rules still look at.
    pub late: u64,
    /// What the rules hold, and what they had to let go.
    pub rules: DetectStats,
    /// Open alerts by level, informational first.
    pub open_alerts: [u64; 5],
    /// Event time that could not be read.
    pub gaps: Vec<Gap>,
    /// What the format of the lines was taken to be, and why, in words for the user.
    pub format: String,
    /// The formats of the records so far, in the order met; at most 16.
    pub formats: Vec<Arc<Format>>,
}
