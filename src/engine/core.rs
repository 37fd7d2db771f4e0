//! The engine core: plain synchronous code, one owner of the ring, the sessions and the rules. Time is an argument.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;

use super::clock::Clock;
use super::look::Look;
use super::report::Formats;
use super::timeline::Buckets;
use super::view::{Page, Status, ViewSpec};
use crate::detect::{Alert, AlertEvent, Detector, Level};
use crate::record::columns::Remap;
use crate::record::flow::KnownNames;
use crate::record::{
    Columns, Decoded, Field, Flow, Gap, Names, Reject, RowRef, SourceState, SourceStatus, Table, seconds,
};
use crate::session::{LOOK_AHEAD, Session, SessionRow, SessionTable};
use crate::store::Ring;

/// Lines that did not parse which are kept, newest last.
const QUARANTINE: usize = 1_000;
/// Remarks for the user that are kept.
const REMARKS: usize = 16;
/// Gaps that are kept apart; further ones widen the last.
const GAPS: usize = 256;
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
}

/// What became of the lines so far. `lines = records + nodata + skipdata + unparsed + headers + duplicates`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records of traffic.
    pub records: u64,
    /// NODATA records.
    pub nodata: u64,
    /// SKIPDATA records.
    pub skipdata: u64,
    /// Lines that did not parse, by reason.
    pub unparsed: HashMap<&'static str, u64>,
    /// Header lines.
    pub headers: u64,
    /// Records older than the rules still look at.
    pub late: u64,
    /// Alerts ever raised.
    pub alerts: u64,
    /// Least start and greatest end of any record, Unix seconds.
    pub span: Option<(u64, u64)>,
}

impl Counts {
    /// Lines that did not parse.
    pub fn unparsed(&self) -> u64 {
        self.unparsed.values().sum()
    }
}

/// Records a second of arrival, and how late they are.
#[derive(Debug, Default)]
struct Pulse {
    /// Arrival second and records in it, the last ten.
    seconds: VecDeque<(i64, u64)>,
    /// Seconds from end to ingestion of recent records.
    lags: VecDeque<i64>,
}

/// What was learned of one batch while its first rows were taken in, for those that follow.
#[derive(Debug, Default)]
pub struct Known {
    remap: Remap,
    names: KnownNames,
    /// Of the rows in hand; here so that its room is used again.
    flows: Vec<Option<Flow>>,
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
    pub(super) buckets: Buckets,
    pub(super) clock: Clock,
    pub(super) look: Look,
    /// Counts changes of the session table.
    pub(super) session_changes: u64,
    counts: Counts,
    quarantine: VecDeque<Reject>,
    remarks: VecDeque<String>,
    gaps: Vec<Gap>,
    state: SourceStatus,
    format: String,
    pub(super) formats: Formats,
    pulse: Pulse,
    arrival: i64,
    rows_since_advance: u64,
    /// Sessions that changed since the rules last saw them, with the greatest end of the records that changed them.
    untold: IndexMap<u64, i64, foldhash::fast::RandomState>,
    /// Rows that frozen views had to let go.
    frozen_lost: u64,
    news: Vec<AlertEvent>,
    finished: Vec<Session>,
    /// Whether finished sessions and alert news are kept for [`Core::take_finished`] and [`Core::take_news`].
    collect: bool,
}

/// Alerts kept for the screen; the detector bounds what is open, this bounds what is over.
const MAX_ALERTS: usize = 10_000;

impl Core {
    /// An engine with nothing in it. `collect` keeps finished sessions and alert news until they are taken; a screen has no use for them.
    pub fn new(config: Config, detector: Detector, collect: bool) -> Core {
        let memory = config.memory;
        Core {
            ring: Ring::new(memory / 100 * 45),
            sessions: SessionTable::new(memory / 100 * 35, config.lateness).reporting(collect),
            config,
            names: Names::default(),
            detector,
            alerts: Vec::new(),
            marks: HashMap::default(),
            buckets: Buckets::default(),
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
            news: Vec::new(),
            finished: Vec::new(),
            collect,
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

    /// Takes in what a batch says beside its rows: headers, lines that did not parse, remarks. Once a batch.
    pub fn ingest_lines(&mut self, batch: &Decoded) {
        self.counts.headers += batch.headers;
        self.formats.add(&batch.formats);
        if let Some(format) = &batch.format
            && *format != self.format
        {
            self.format.clone_from(format);
        }
        for reject in &batch.rejects {
            *self.counts.unparsed.entry(reject.error.reason()).or_default() += 1;
            if self.quarantine.len() == QUARANTINE {
                self.quarantine.pop_front();
            }
            self.quarantine.push_back(reject.clone());
        }
        for remark in &batch.remarks {
            if !self.remarks.contains(remark) {
                if self.remarks.len() == REMARKS {
                    self.remarks.pop_front();
                }
                self.remarks.push_back(remark.clone());
            }
        }
        let second = batch.arrival.div_euclid(1000);
        self.arrival = self.arrival.max(second);
        let rows = batch.columns.len() as u64;
        match self.pulse.seconds.back_mut() {
            Some((last, count)) if *last >= second => *count += rows,
            _ => self.pulse.seconds.push_back((second, rows)),
        }
        while self.pulse.seconds.front().is_some_and(|(first, _)| *first <= self.arrival - 10) {
            self.pulse.seconds.pop_front();
        }
    }

    /// Takes in some rows of a batch. `known` starts empty with the batch and is passed on from slice to slice.
    pub fn ingest_rows(&mut self, batch: &Decoded, rows: std::ops::Range<usize>, known: &mut Known) {
        let arrival = batch.arrival.div_euclid(1000);
        let mut next = rows.start;
        while next < rows.end {
            let pushed = self.ring.push(&batch.columns, next..rows.end, &mut known.remap);
            for segment in pushed.evicted {
                self.frozen_lost += self.look.evicted(&segment, self.ring.budget());
                self.buckets.remove(&*segment);
            }
            let end = next + pushed.rows;
            self.buckets.add(&batch.columns, next..end);
            for from in (next..end).step_by(LOOK_AHEAD) {
                self.ingest_part(&batch.columns, from..end.min(from + LOOK_AHEAD), arrival, known);
            }
            next = end;
        }
        self.tell_rules();
        self.collect_news();
    }

    /// Takes in a few neighbouring rows, which are looked up together.
    fn ingest_part(&mut self, columns: &Columns, rows: std::ops::Range<usize>, arrival: i64, known: &mut Known) {
        let Known { names, flows, .. } = known;
        flows.clear();
        flows.extend(rows.clone().map(|row| Flow::of_next(columns, row, &mut self.names, names)));
        self.sessions.look_ahead(flows.iter().flatten());
        if self.sessions.is_full() {
            // These records may push out sessions that the rules have not seen as they are.
            self.tell_rules();
        }
        for (row, flow) in rows.zip(&known.flows) {
            self.ingest_row(columns, row, flow.as_ref(), arrival);
        }
    }

    fn ingest_row(&mut self, columns: &Columns, row: usize, flow: Option<&Flow>, arrival: i64) {
        self.look.arrived(columns, row, self.clock.now().unwrap_or(0));
        match columns.word(Field::LogStatus, row) {
            Some("NODATA") => self.counts.nodata += 1,
            Some("SKIPDATA") => self.counts.skipdata += 1,
            _ => self.counts.records += 1,
        }
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
            && end < now.saturating_sub(self.config.lateness)
        {
            self.counts.late += 1;
        }
        if let Some(flow) = flow {
            let change = self.sessions.add(flow);
            for merged in change.merged {
                self.untold.swap_remove(&merged);
                self.detector.withdraw(merged);
            }
            for id in change.changed {
                self.untold.entry(id).or_insert(flow.end);
            }
            // A record that repeats another exactly is held, and counts once.
            if !change.repeated {
                self.detector.flow(&RowRef { table: columns, row }, flow.end);
                let end = self.untold.entry(change.id).or_insert(flow.end);
                *end = flow.end.max(*end);
            }
            self.session_changes += 1;
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
        for (id, end) in self.untold.drain(..) {
            if let Some(session) = self.sessions.get(id) {
                self.detector.session(id, &SessionRow { session, names: &self.names, region }, end);
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

    /// Tells the time: `now` in Unix milliseconds. Matters for live sources only; true where it did.
    pub fn tick(&mut self, now: i64) -> bool {
        if self.config.live {
            self.arrival = self.arrival.max(now.div_euclid(1000));
            // A window of a minute ends, and its records come later: a quiet group is as far as its lateness allows.
            self.clock.at_least(now.div_euclid(1000) - 60);
            self.advance();
        }
        self.config.live
    }

    /// The input has ended: everything open is over.
    pub fn finish(&mut self) {
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

    fn collect_news(&mut self) {
        if self.collect {
            self.finished.append(&mut self.sessions.take_finished());
        }
        for event in self.detector.drain() {
            let alert = match &event {
                AlertEvent::Raised(alert) | AlertEvent::Updated(alert) | AlertEvent::Closed(alert) => alert,
                AlertEvent::Withdrawn(alert) => {
                    self.forget_alert(alert.id);
                    if self.collect {
                        self.news.push(event);
                    }
                    continue;
                }
            };
            let alert = Arc::new(alert.clone());
            if let Some(session) = alert.session {
                let mark = self.marks.entry(session).or_insert(alert.level);
                *mark = (*mark).max(alert.level);
            }
            match self.alerts.binary_search_by_key(&alert.id, |known| known.id) {
                Ok(place) => self.alerts[place] = alert,
                Err(place) => {
                    self.counts.alerts += 1;
                    if self.alerts.len() == MAX_ALERTS
                        && let Some(over) = self.alerts.iter().position(|alert| alert.closed)
                    {
                        self.alerts.remove(over);
                    }
                    self.alerts.insert(place.min(self.alerts.len()), alert);
                }
            }
            if self.collect {
                self.news.push(event);
            }
        }
    }

    /// An alert was taken back: the list and the mark of its session are as if it had never been. It stays counted among those ever seen.
    fn forget_alert(&mut self, id: u64) {
        let Ok(place) = self.alerts.binary_search_by_key(&id, |known| known.id) else { return };
        let gone = self.alerts.remove(place);
        if let Some(session) = gone.session {
            let left = self.alerts.iter().filter(|alert| alert.session == Some(session)).map(|alert| alert.level).max();
            match left {
                Some(level) => self.marks.insert(session, level),
                None => self.marks.remove(&session),
            };
        }
    }

    /// News from the source about itself.
    pub fn source_status(&mut self, status: SourceStatus) {
        self.state = status;
    }

    /// Event time that could not be read.
    pub fn gap(&mut self, gap: Gap) {
        let full = self.gaps.len() >= GAPS;
        match self.gaps.last_mut() {
            Some(last) if full || (gap.from <= last.to + 1 && gap.to >= last.from - 1) => {
                last.from = last.from.min(gap.from);
                last.to = last.to.max(gap.to);
                last.why = gap.why;
            }
            _ => self.gaps.push(gap),
        }
    }

    /// Sessions that became final since the last call.
    pub fn take_finished(&mut self) -> Vec<Session> {
        std::mem::take(&mut self.finished)
    }

    /// News from the rules since the last call.
    pub fn take_news(&mut self) -> Vec<AlertEvent> {
        std::mem::take(&mut self.news)
    }

    /// Region of the source, where known.
    pub fn config_region(&self) -> Option<Arc<str>> {
        self.config.region.clone()
    }

    /// Alerts that were raised and are still held.
    pub fn alerts(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.alerts.iter()
    }

    /// The names that sessions refer to.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What became of the lines.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Lines that did not parse, the latest thousand.
    pub fn quarantine(&self) -> impl DoubleEndedIterator<Item = &Reject> + ExactSizeIterator {
        self.quarantine.iter()
    }

    /// Remarks for the user.
    pub fn remarks(&self) -> impl Iterator<Item = &str> {
        self.remarks.iter().map(String::as_str)
    }

    /// Event time that could not be read.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// What the source last said of itself.
    pub fn state(&self) -> &SourceStatus {
        &self.state
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

    /// The header.
    #[expect(clippy::cast_precision_loss, reason = "a rate for the screen")]
    pub(super) fn status(&self) -> Status {
        let mut open_alerts = [0; 5];
        for alert in self.alerts.iter().filter(|alert| !alert.closed) {
            open_alerts[alert.level as usize] += 1;
        }
        let mut lags: Vec<i64> = self.pulse.lags.iter().copied().collect();
        lags.sort_unstable();
        let recent = self.pulse.seconds.iter().filter(|(second, _)| *second > self.arrival - 10);
        let arrived: u64 = recent.map(|(_, count)| count).sum();
        let spread = self.pulse.seconds.front().map_or(1, |(first, _)| (self.arrival - first + 1).clamp(1, 10));
        let mut state = self.state.clone();
        if state.note.is_none() {
            state.note = self.remarks.back().cloned();
        }
        Status {
            source: Arc::clone(&self.config.source),
            region: self.region(),
            interfaces: self.config.interfaces.clone(),
            state,
            event_time: self.clock.seen(),
            arrival_time: (self.arrival > 0).then_some(self.arrival),
            lag: lags.get(lags.len() / 2).copied(),
            rate: arrived as f64 / spread as f64,
            held: self.ring.len(),
            held_bytes: (self.ring.bytes() + self.sessions.bytes()) as u64,
            budget: self.config.memory as u64,
            span: self.ring.span().map(|(first, last)| (seconds(first), seconds(last))),
            evicted: self.ring.evicted() + self.frozen_lost,
            sessions: self.sessions.len() as u64,
            sessions_evicted: self.sessions.dropped(),
            unparsed: self.counts.unparsed(),
            dropped: 0,
            skipdata: self.counts.skipdata,
            late: self.counts.late,
            open_alerts,
            gaps: self.gaps.clone(),
            format: self.format.clone(),
        }
    }

    /// Region of the source, or "unknown".
    pub(super) fn region(&self) -> Arc<str> {
        self.config.region.clone().unwrap_or_else(|| "unknown".into())
    }

    /// Event time, for relative times in filters.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
