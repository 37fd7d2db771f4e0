//! The search: a few slices at a time, rows passed on oldest first, and an account of what was read and what was not.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;

use crate::record::{Batch, Event, Format, Gap, Input, Origin, SourceState, SourceStatus};

use super::super::client::{Found, Logs as _};
use super::Report;
use super::ask::Rows;
use super::groups::{self, Groups};
use super::query::{Answer, Ended, MOST_SHOWN, Shared, lock, query, stopped};
use super::slices::{Slice, Slices};

/// Queries at a time. An account has 30 to 100 of them (quotas), which dashboards and alarms share.
const WIDTH: usize = 4;
/// Times that a slice is tried.
const TRIES: u32 = 3;
/// Events in a batch at most.
const BATCH: usize = 4_096;
/// How often it tells how far it is.
const NEWS: Duration = Duration::from_millis(500);

/// Where rows go.
pub(super) enum Sink {
    Rows { out: Sender<Input>, origin: Arc<Origin>, formats: Vec<Arc<Format>>, arrival: i64 },
    Sums(Groups),
}

/// Nothing more is wanted.
struct Enough;

/// A slice whose turn has not come.
#[derive(Debug, Default)]
struct Done {
    rows: Rows,
    gap: Option<Gap>,
}

pub(super) struct Search {
    pub shared: Arc<Shared>,
    pub slices: Slices,
    /// Rows that one query gives at most.
    pub most: usize,
    /// Rows wanted at most.
    pub limit: u64,
    pub sink: Sink,
    pub report: Report,
    pub facts: Vec<(String, String)>,
    pub tell: super::Tell,
    /// Whether groups are wanted whatever their sums, so that a slice with too many of them is asked for in parts.
    pub split: bool,
    /// Shown the sums so far.
    pub show: Option<super::Show>,
    /// State of what queries that run have found that was shown.
    shown: u64,
    running: BTreeMap<i64, Slice>,
    done: BTreeMap<i64, Done>,
}

impl Search {
    pub(super) fn new(shared: Arc<Shared>, slices: Slices, sink: Sink, report: Report, tell: super::Tell) -> Search {
        let (running, done) = (BTreeMap::new(), BTreeMap::new());
        let facts = Vec::new();
        Search {
            shared,
            slices,
            most: 0,
            limit: 0,
            sink,
            report,
            facts,
            tell,
            split: false,
            show: None,
            shown: 0,
            running,
            done,
        }
    }

    /// Runs to the end of the range, to the limit, or until it is stopped.
    pub(super) async fn run(mut self) -> (Sink, Report) {
        let mut tasks = JoinSet::new();
        let over = self.slices_out(&mut tasks).await;
        if over.is_err() {
            // Those that run notice, and stop their queries.
            let _ = tokio::time::timeout(Duration::from_secs(8), async { while tasks.join_next().await.is_some() {} })
                .await;
        }
        let rest: Vec<Slice> = self.running.values().copied().chain(self.slices.rest()).collect();
        let why = self.report.ended.clone().unwrap_or_else(|| "not asked for".to_owned());
        let first = self.done.keys().next().copied();
        for slice in rest {
            self.report.unread.push((slice.from, slice.to, why.clone()));
        }
        // Rows behind a hole are left out, so that the rest can be asked for from one moment on.
        if let Some(first) = first {
            let to = self.report.range.1;
            self.report.unread.push((first, to, why));
        }
        self.report.settle();
        self.report.requests = self.shared.aws.lock().await.requests();
        let state = match &self.report.ended {
            Some(why) if !self.report.stopped && self.report.cut.is_none() => SourceState::Failed(why.clone()),
            _ => SourceState::Ended,
        };
        let unread = self.report.unread.clone();
        if let Sink::Rows { out, .. } = &self.sink {
            if self.report.cut.is_none() {
                for (from, to, why) in unread {
                    let _ = out.send(Input::Gap(Gap { from, to, why })).await;
                }
            }
            let status = self.status(state);
            let _ = out.send(Input::Status(Box::new(status))).await;
            let _ = out.send(Input::End).await;
        }
        (self.sink, self.report)
    }

    async fn slices_out(&mut self, tasks: &mut JoinSet<Answer>) -> Result<(), Enough> {
        let mut stop = self.shared.stop.clone();
        // A search for few rows is over soon; what is asked ahead would be paid for nothing.
        let width = if self.limit <= 10_000 && !self.shared.sums { 1 } else { WIDTH };
        self.tell().await?;
        loop {
            while self.running.len() < width {
                let first = self.slices.first();
                let ahead = self.done.len() + self.running.len() >= width;
                let oldest = self
                    .running
                    .keys()
                    .next()
                    .copied()
                    .unwrap_or(i64::MAX)
                    .min(self.done.keys().next().copied().unwrap_or(i64::MAX));
                // What waits for its turn is held here; the oldest one is never kept waiting.
                if first.is_none() || (ahead && first.is_some_and(|first| first > oldest)) {
                    break;
                }
                let Some(slice) = self.slices.next() else { break };
                self.running.insert(slice.from, slice);
                self.report.queries += 1;
                tasks.spawn(query(Arc::clone(&self.shared), slice));
            }
            if self.running.is_empty() {
                return Ok(());
            }
            tokio::select! {
                answer = tasks.join_next() => match answer {
                    Some(Ok(answer)) => self.answered(answer)?,
                    // Only a fault of this program ends a task so.
                    Some(Err(error)) => return Err(self.end(format!("a query came to no end: {error}"))),
                    None => return Ok(()),
                },
                () = tokio::time::sleep(NEWS) => self.tell().await?,
                () = stopped(&mut stop) => {
                    self.report.stopped = true;
                    return Err(self.end("stopped".to_owned()));
                }
                () = closed(&self.sink) => return Err(Enough),
            }
            self.deliver().await?;
            self.tell().await?;
        }
    }

    fn end(&mut self, why: String) -> Enough {
        self.report.ended = Some(why);
        Enough
    }

    fn answered(&mut self, answer: Answer) -> Result<(), Enough> {
        let Answer { mut slice, ended, mut rows, scanned } = answer;
        self.running.remove(&slice.from);
        self.report.scanned = self.report.scanned.saturating_add(scanned);
        let gap = |why: String| Some(Gap { from: slice.from, to: slice.to, why });
        let gap = match ended {
            Ended::Complete => None,
            Ended::TimedOut if self.slices.halve(slice) => return Ok(()),
            Ended::TimedOut => gap("the query of this second took longer than CloudWatch Logs lets it".to_owned()),
            Ended::Failed(_) if slice.failed + 1 < TRIES => {
                slice.failed += 1;
                self.slices.again(slice);
                return Ok(());
            }
            Ended::Failed(why) => gap(format!("{why}, {TRIES} times")),
            Ended::NotKept(why) => {
                self.report.not_kept += u64::try_from(slice.seconds()).unwrap_or(0);
                let text = format!("not kept: {why}");
                if !self.report.remarks.contains(&text) {
                    self.report.remarks.push(text);
                }
                None
            }
            Ended::GaveUp(why) => {
                self.slices.again(slice);
                return Err(self.end(why));
            }
            Ended::Stopped => {
                self.slices.again(slice);
                self.report.stopped = true;
                return Err(self.end("stopped".to_owned()));
            }
        };
        let raw = rows.events.len().max(rows.groups.len());
        let mut done = Done::default();
        if let Some(gap) = gap {
            self.report.unread.push((gap.from, gap.to, gap.why.clone()));
            // Some rows of a slice are more than none, and the gap says that there may be others. Sums of some rows are wrong.
            if self.shared.sums {
                rows.groups.clear();
            }
            done.gap = Some(gap);
        } else if raw < self.most {
            self.slices.complete(&slice, raw);
        } else if self.split && self.slices.halve_crowded(slice) {
            // Its groups are some of those that the halves give, so that nothing is lost by asking.
            if let Sink::Sums(sums) = &mut self.sink {
                sums.add(&groups::names(&self.shared.query), rows.groups);
            }
            return Ok(());
        } else if self.shared.sums {
            self.report.groups_cut = true;
        } else if (raw as u64) < self.limit {
            let last = rows.events.iter().map(|event| event.timestamp.div_euclid(1000)).max().unwrap_or(slice.to);
            let cut = self.slices.full(&slice, raw, last);
            rows.events.retain(|event| event.timestamp.div_euclid(1000) < cut.before);
            if let Some(second) = cut.lost {
                let why = format!("more than {} records in this second, which is what one query gives", self.most);
                self.report.unread.push((second, second, why.clone()));
                done.gap = Some(Gap { from: second, to: second, why });
            }
        }
        rows.events.retain(|event| (slice.from..=slice.to).contains(&event.timestamp.div_euclid(1000)));
        rows.events.sort_by(|a, b| (a.timestamp, a.ingestion, &a.id).cmp(&(b.timestamp, b.ingestion, &b.id)));
        rows.events.dedup_by(|a, b| !a.id.is_empty() && a.id == b.id);
        done.rows = rows;
        self.done.insert(slice.from, done);
        Ok(())
    }

    /// Passes on what nothing older can come before.
    async fn deliver(&mut self) -> Result<(), Enough> {
        loop {
            let open = self.running.keys().next().copied().into_iter().chain(self.slices.first()).min();
            let Some(entry) = self.done.first_entry().filter(|entry| open.is_none_or(|open| *entry.key() < open))
            else {
                return Ok(());
            };
            let Done { mut rows, gap } = entry.remove();
            let wanted = self.limit - self.report.rows;
            let over = rows.events.len() as u64 > wanted || (rows.events.len() as u64 == wanted && open.is_some());
            rows.events.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
            self.report.rows += rows.events.len() as u64;
            let last = rows.events.last().map(|event| event.timestamp.div_euclid(1000));
            match &mut self.sink {
                Sink::Sums(sums) => {
                    sums.add(&groups::names(&self.shared.query), rows.groups);
                    self.report.rows = sums.len() as u64;
                }
                Sink::Rows { out, origin, formats, arrival } => {
                    if let Some(gap) = gap {
                        out.send(Input::Gap(gap)).await.map_err(|_| Enough)?;
                    }
                    let mut events = rows.events.into_iter().peekable();
                    while events.peek().is_some() {
                        let batch = batch(origin, formats, *arrival, events.by_ref().take(BATCH));
                        out.send(Input::Batch(batch)).await.map_err(|_| Enough)?;
                    }
                }
            }
            if over && !self.shared.sums {
                let last = last.unwrap_or(self.report.range.0);
                self.report.cut = Some(last);
                self.report.unread.push((last, self.report.range.1, "beyond --limit".to_owned()));
                return Err(self.end("the limit is reached".to_owned()));
            }
        }
    }

    /// Seconds of the range that are done.
    fn seconds_done(&self) -> u64 {
        let open: i64 = self.running.values().copied().chain(self.slices.rest()).map(|slice| slice.seconds()).sum();
        let all = self.report.range.1 - self.report.range.0 + 1;
        u64::try_from(all - open).unwrap_or(0)
    }

    async fn tell(&mut self) -> Result<(), Enough> {
        let waiting = lock(&self.shared.waiting).clone();
        let state = match waiting {
            Some(why) => SourceState::Waiting { why, until: self.shared.clock.now() + 1_000 },
            None => SourceState::Live,
        };
        let status = self.status(state);
        (self.tell)(&status);
        if let Sink::Rows { out, .. } = &self.sink {
            out.send(Input::Status(Box::new(status))).await.map_err(|_| Enough)?;
        }
        self.show_partial().await
    }

    /// Shows what queries that run have found: records until the first are passed on, sums until all are added up.
    async fn show_partial(&mut self) -> Result<(), Enough> {
        let Some(partial) = &self.shared.partial else { return Ok(()) };
        let mut events: Vec<Found> = Vec::new();
        let mut groups = None;
        {
            let partial = lock(partial);
            if partial.changes == self.shown {
                return Ok(());
            }
            self.shown = partial.changes;
            match &self.sink {
                Sink::Rows { .. } if self.report.rows > 0 => return Ok(()),
                Sink::Rows { .. } => {
                    let waiting = self.done.values().flat_map(|done| done.rows.events.iter().take(MOST_SHOWN));
                    let found = partial.rows.values().flat_map(|rows| rows.events.iter());
                    events.extend(waiting.chain(found).take(WIDTH * MOST_SHOWN).cloned());
                }
                Sink::Sums(sums) => {
                    let mut sums = sums.clone();
                    for rows in partial.rows.values() {
                        sums.add(&groups::names(&self.shared.query), rows.groups.clone());
                    }
                    groups = Some(sums);
                }
            }
        }
        if let (Some(show), Some(groups)) = (&self.show, groups.filter(|groups| !groups.is_empty())) {
            let all = u64::try_from(self.report.range.1 - self.report.range.0 + 1).unwrap_or(0);
            show(&groups, &self.status(SourceState::Live).note.unwrap_or_else(|| self.report.so_far(0, all)));
        }
        events.sort_by_key(|event| event.timestamp);
        if let Sink::Rows { out, origin, formats, arrival } = &self.sink
            && !events.is_empty()
        {
            let batch = batch(origin, formats, *arrival, events.into_iter());
            out.send(Input::Partial(batch)).await.map_err(|_| Enough)?;
        }
        Ok(())
    }

    fn status(&self, state: SourceState) -> SourceStatus {
        let progress = lock(&self.shared.progress);
        let (scanned, found) = progress.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let report = Report { scanned: self.report.scanned + scanned, ..self.report.clone() };
        let mut facts = self.facts.clone();
        facts.push(("scanned".to_owned(), report.scanned_text()));
        if found > 0 {
            facts.push(("found so far".to_owned(), format!("{found} rows in the queries that run")));
        }
        let all = u64::try_from(report.range.1 - report.range.0 + 1).unwrap_or(0);
        let ended = matches!(state, SourceState::Ended | SourceState::Failed(_));
        SourceStatus {
            state,
            requests: report.queries,
            events_read: report.rows,
            searched: Some(report.range.0),
            progress: (!ended).then(|| (self.seconds_done(), all)),
            complete_to: Some(report.range.1).filter(|_| ended && report.is_complete()),
            note: Some(if ended { report.to_string() } else { report.so_far(self.seconds_done(), all) }),
            facts,
            ..SourceStatus::default()
        }
    }
}

async fn closed(sink: &Sink) {
    match sink {
        Sink::Rows { out, .. } => out.closed().await,
        Sink::Sums(_) => std::future::pending().await,
    }
}

fn batch(origin: &Arc<Origin>, formats: &[Arc<Format>], arrival: i64, events: impl Iterator<Item = Found>) -> Batch {
    let mut batch = Batch { origin: Arc::clone(origin), formats: formats.to_vec(), arrival, ..Batch::default() };
    let mut streams: HashMap<String, u32> = HashMap::new();
    for event in events {
        let Batch { streams: names, bytes, events, .. } = &mut batch;
        let stream = *streams.entry(event.stream).or_insert_with_key(|name| {
            names.push(name.as_str().into());
            u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
        });
        bytes.extend_from_slice(event.message.as_bytes());
        let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // What names a row of a result is no event id.
        events.push(Event { end, stream, timestamp: event.timestamp, ingestion: event.ingestion, id: "".into() });
    }
    batch
}
