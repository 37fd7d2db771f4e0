//! The engine core: plain synchronous code, one owner of the ring, the sessions and the rules. Time is an argument.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;

use super::clock::Clock;
use super::firsts::Firsts;
use super::look::Look;
use super::replay::Replays;
use super::report::Formats;
use super::status::{Counts, Pulse};
use super::timeline::{Is, Tally};
use super::view::{Page, ViewSpec};
use crate::detect::{Alert, AlertEvent, Detector, Level};
use crate::filter::translate::pattern::Fetch;
use crate::record::flow::KnownNames;
use crate::record::{
    Columns, Decoded, Field, Flow, Gap, Names, Reject, RowRef, SourceState, SourceStatus, Table, seconds,
};
use crate::session::{LOOK_AHEAD, Session, SessionRow, SessionTable};
use crate::store::{Remap, Ring, Segment};

/// Rows after which event time is passed on to the sessions and the rules.
const ADVANCE_EVERY: u64 = 8_192;

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Bytes for everything held; see DESIGN §2 for the split.
    pub memory: usize,
    /// Seconds that a record may come after later ones and still count for sessions and rules.
    pub lateness: i64,
    /// Whether the source goes on by itself, so that event time passes though nothing comes.
    pub live: bool,
    /// Name of the source for the header.
    pub source: Arc<str>,
    /// Region of the source, where known.
    pub region: Option<Arc<str>>,
    /// Interfaces asked for; empty for all.
    pub interfaces: Vec<Arc<str>>,
    /// What is fetched only, where not everything is.
    pub fetch: Option<Arc<Fetch>>,
}

/// What was learned of one batch while its first rows were taken in, for those that follow.
#[derive(Debug)]
pub struct Known {
    remap: Remap,
    names: KnownNames,
    nodata: Is,
    skipdata: Is,
    /// Of the rows in hand; here so that its room is used again.
    flows: Vec<Option<Flow>>,
}

impl Default for Known {
    fn default() -> Known {
        let status = |word| Is::new(Field::LogStatus, word);
        Known {
            remap: Remap::default(),
            names: KnownNames::default(),
            nodata: status("NODATA"),
            skipdata: status("SKIPDATA"),
            flows: Vec::new(),
        }
    }
}

/// The ring of an engine with `memory` bytes. What goes on by itself may be asked for earlier time, which has room of its own.
fn ring(memory: usize, live: bool) -> Ring {
    if live { Ring::new(memory / 100 * 35).with_earlier(memory / 100 * 10) } else { Ring::new(memory / 100 * 45) }
}

/// The engine core.
#[derive(Debug)]
pub struct Core {
    pub(super) config: Config,
    pub(super) ring: Ring,
    pub(super) sessions: SessionTable,
    pub(super) names: Names,
    pub(super) detector: Detector,
    /// Alerts by number, and the worst level by session.
    pub(super) alerts: Vec<Arc<Alert>>,
    pub(super) marks: HashMap<u64, Level, foldhash::fast::RandomState>,
    /// What the strip of time is cut out of while nothing narrows it.
    pub(super) tally: Tally,
    /// When what is held was first seen.
    pub(super) firsts: Firsts,
    pub(super) clock: Clock,
    pub(super) look: Look,
    /// Counts changes of the session table.
    pub(super) session_changes: u64,
    pub(super) counts: Counts,
    pub(super) quarantine: VecDeque<Reject>,
    pub(super) remarks: VecDeque<String>,
    pub(super) gaps: Vec<Gap>,
    pub(super) state: SourceStatus,
    pub(super) format: String,
    pub(super) formats: Formats,
    pub(super) pulse: Pulse,
    pub(super) arrival: i64,
    rows_since_advance: u64,
    /// Sessions that changed since the rules last saw them, with the greatest end of the records that changed them.
    untold: IndexMap<u64, i64, foldhash::fast::RandomState>,
    /// Rows that frozen views had to let go.
    pub(super) frozen_lost: u64,
    /// What is shown until the first rows are there.
    pub(super) preview: Option<Box<Core>>,
    /// Other sets of rules that look at what is held.
    pub(super) replays: Replays,
    pub(super) news: Vec<AlertEvent>,
    pub(super) finished: Vec<Session>,
    /// Whether finished sessions and alert news are kept for [`Core::take_finished`] and [`Core::take_news`].
    pub(super) collect: bool,
    /// What was known of gateways when the rules were last shown their legs.
    legs_told: u64,
}

mod legs;

impl Core {
    /// An engine with nothing in it. `collect` keeps finished sessions and alert news until they are taken; a screen has no use for them.
    pub fn new(config: Config, detector: Detector, collect: bool) -> Core {
        let memory = config.memory;
        Core {
            ring: ring(memory, config.live),
            sessions: SessionTable::new(memory / 100 * 35, config.lateness).reporting(collect),
            config,
            names: Names::default(),
            detector,
            alerts: Vec::new(),
            marks: HashMap::default(),
            tally: Tally::default(),
            firsts: Firsts::default(),
            clock: Clock::default(),
            look: Look::default(),
            session_changes: 0,
            counts: Counts::default(),
            quarantine: VecDeque::new(),
            remarks: VecDeque::new(),
            gaps: Vec::new(),
            state: SourceStatus::default(),
            format: String::new(),
            formats: Formats::default(),
            pulse: Pulse::default(),
            arrival: 0,
            rows_since_advance: 0,
            untold: IndexMap::default(),
            frozen_lost: 0,
            preview: None,
            replays: Replays::default(),
            news: Vec::new(),
            finished: Vec::new(),
            collect,
            legs_told: 0,
        }
    }

    /// Takes in a whole decoded batch.
    pub fn ingest(&mut self, batch: &Decoded) {
        let mut known = Known::default();
        self.ingest_lines(batch);
        self.ingest_rows(batch, 0..batch.columns.len(), &mut known);
        // A slow source may not fill the next thousand rows for hours.
        self.advance();
    }

    /// Takes in some rows of a batch. `known` starts empty with the batch and is passed on from slice to slice.
    pub fn ingest_rows(&mut self, batch: &Decoded, rows: std::ops::Range<usize>, known: &mut Known) {
        let arrival = batch.arrival.div_euclid(1000);
        self.preview = None;
        let mut next = rows.start;
        while next < rows.end {
            let (count, evicted) = if batch.earlier {
                self.ring.push_earlier(&batch.columns, next..rows.end, &mut known.remap)
            } else {
                let pushed = self.ring.push(&batch.columns, next..rows.end, &mut known.remap);
                (pushed.rows, pushed.evicted)
            };
            self.gone(&evicted);
            let end = next + count;
            for from in (next..end).step_by(LOOK_AHEAD) {
                let rows = from..end.min(from + LOOK_AHEAD);
                self.ingest_part(&batch.columns, rows, (arrival, batch.earlier), known);
            }
            next = end;
        }
        self.tell_legs();
        self.tell_rules();
        self.collect_news();
    }

    /// Segments are no longer held.
    pub(super) fn gone(&mut self, segments: &[Arc<Segment>]) {
        for segment in segments {
            self.frozen_lost += self.look.evicted(segment, self.ring.budget());
            self.tally.evict(segment.first_seq());
            self.firsts.evict(segment.first_seq());
        }
    }

    /// Takes in a few neighbouring rows, which are looked up together.
    fn ingest_part(&mut self, columns: &Columns, rows: std::ops::Range<usize>, came: (i64, bool), known: &mut Known) {
        let Known { names, flows, nodata, skipdata, .. } = known;
        flows.clear();
        flows.extend(rows.clone().map(|row| Flow::of_next(columns, row, &mut self.names, names)));
        self.sessions.look_ahead(flows.iter().flatten());
        if self.sessions.may_drop_active() {
            // These records may push out sessions that the rules have not seen as they are.
            self.tell_rules();
        }
        for (row, flow) in rows.zip(&*flows) {
            if nodata.test(columns, row) {
                self.counts.nodata += 1;
            } else if skipdata.test(columns, row) {
                self.counts.skipdata += 1;
            } else {
                self.counts.records += 1;
            }
            self.ingest_row(columns, row, flow.as_ref(), came);
        }
    }

    /// `came` says when (Unix seconds), and whether it is earlier time that was asked for.
    fn ingest_row(&mut self, columns: &Columns, row: usize, flow: Option<&Flow>, came: (i64, bool)) {
        let (arrival, earlier) = came;
        self.look.arrived(columns, row, self.clock.now().unwrap_or(0));
        let end = columns.time(row);
        let start = columns.number(Field::Start, row).unwrap_or(end);
        self.counts.span =
            Some(self.counts.span.map_or((start, end), |(first, last)| (first.min(start), last.max(end))));
        if let (Some(end), Some(ingestion)) =
            (columns.number(Field::End, row), columns.number(Field::IngestionTime, row))
        {
            if self.pulse.lags.len() == 512 {
                self.pulse.lags.pop_front();
            }
            self.pulse.lags.push_back(ingestion.saturating_sub(end).cast_signed());
        }
        let end = seconds(end);
        // A live source cannot deliver the future; recorded and unknown clocks say nothing.
        self.clock.observe(end, if self.config.live { arrival } else { 0 });
        if let Some(now) = self.clock.now()
            && !earlier
            && end < now.saturating_sub(self.config.lateness)
        {
            self.counts.late += 1;
        }
        if let Some(flow) = flow {
            let change = self.sessions.add(flow);
            for merged in change.merged {
                self.untold.swap_remove(&merged);
                self.detector.withdraw(merged);
                self.replays.withdraw(merged);
            }
            for id in change.changed {
                self.untold.entry(id).or_insert(flow.end);
            }
            // A record that repeats another exactly is held, and counts once.
            if !change.repeated {
                self.detector.heard_from(self.names.name(flow.interface), flow.interface.index(), flow.end);
                self.detector.flow(&RowRef { table: columns, row }, flow.end);
                let end = self.untold.entry(change.id).or_insert(flow.end);
                *end = flow.end.max(*end);
            }
            self.session_changes += 1;
        } else if columns.word(Field::LogStatus, row).is_some_and(|word| word != "OK") {
            if let Some(interface) = columns.word(Field::InterfaceId, row) {
                let id = self.names.id(interface);
                self.detector.heard_from(self.names.name(id), id.index(), end);
            }
            self.detector.notice(&RowRef { table: columns, row }, end);
        }
        self.rows_since_advance += 1;
        if self.rows_since_advance >= ADVANCE_EVERY {
            self.advance();
        }
    }

    /// Shows the rules the sessions that changed. Once for many rows: a request and its answer are mostly neighbours, and what a rule thinks
    /// of a session does not depend on the states in between.
    fn tell_rules(&mut self) {
        let region = self.config.region.as_deref();
        let mut untold = self.untold.drain(..).peekable();
        let mut near: Vec<(u64, i64)> = Vec::with_capacity(LOOK_AHEAD);
        while untold.peek().is_some() {
            near.clear();
            near.extend(untold.by_ref().take(LOOK_AHEAD));
            std::hint::black_box(self.sessions.get_ahead(near.iter().map(|(id, _)| *id)));
            for (id, end) in &near {
                self.replays.touch(*id);
                if let Some(session) = self.sessions.get(*id) {
                    self.detector.session(*id, &SessionRow { session, names: &self.names, region }, *end);
                }
            }
        }
    }

    /// Shows the rules the sessions that turned out to be the other way round, when they became final.
    fn tell_turned(&mut self, turned: Vec<u64>) {
        for id in turned {
            let last = self.sessions.get(id).map_or(i64::MIN, |session| session.last);
            self.untold.entry(id).or_insert(last);
        }
        self.tell_rules();
    }

    /// Passes event time on.
    fn advance(&mut self) {
        self.rows_since_advance = 0;
        self.tell_rules();
        if let Some(now) = self.clock.now() {
            let turned = self.sessions.advance(now);
            self.tell_turned(turned);
            self.detector.advance(now.saturating_sub(self.config.lateness));
            self.collect_news();
        }
    }

    /// Tells the time: `now` in Unix milliseconds, by the machine's clock. Matters for live sources only; true where it did.
    pub fn tick(&mut self, now: i64) -> bool {
        if self.config.live {
            // Under a clock that is ahead, sessions would be over before their records are delivered.
            let now = now.saturating_add(self.state.skew);
            self.arrival = self.arrival.max(now.div_euclid(1000));
            // A window of a minute ends, and its records come later: a quiet group is as far as its lateness allows.
            self.clock.at_least(now.div_euclid(1000) - 60);
            self.advance();
        }
        self.config.live
    }

    /// The input has ended: everything open is over.
    pub fn finish(&mut self) {
        let gone = self.ring.seal_earlier();
        self.gone(&gone);
        self.preview = None;
        self.sessions.hold(false);
        self.advance();
        let turned = self.sessions.finish();
        self.tell_turned(turned);
        self.session_changes += 1;
        self.detector.finish();
        self.collect_news();
        self.state.state = match std::mem::take(&mut self.state.state) {
            failed @ SourceState::Failed(_) => failed,
            _ => SourceState::Ended,
        };
    }

    /// Lends `bytes` of the room for records to what is held beside this: the oldest ones make way.
    pub fn lend(&mut self, bytes: usize) {
        let gone = self.ring.lend(bytes);
        self.gone(&gone);
    }

    /// Region of the source, where known.
    pub fn config_region(&self) -> Option<Arc<str>> {
        self.config.region.clone()
    }

    /// The names that sessions refer to.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What is fetched only, where not everything is.
    pub fn fetch(&self) -> Option<&Fetch> {
        self.config.fetch.as_deref()
    }

    /// The ring.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The sessions.
    pub fn sessions(&self) -> &SessionTable {
        &self.sessions
    }

    /// Answers `spec` completely, however long the pass takes. For tests, pictures and scripts; the thread answers in slices.
    pub fn page(&mut self, spec: &ViewSpec) -> Page {
        self.look_at(spec);
        self.refresh();
        while self.step(1 << 20) {}
        self.answer()
    }

    /// Clock of the input, Unix seconds.
    pub(super) fn arrival(&self) -> i64 {
        self.arrival
    }

    /// Event time, for relative times in filters.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod turned;
