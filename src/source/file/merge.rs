//! Puts the lines of several inputs in order of time and sends them on in batches.
//!
//! Each input has a lane with at most one chunk in hand. The lane whose next line is the oldest gives its lines up to the time of the next
//! line of any other lane; a batch never mixes lanes, since a header line speaks for its own file. Lines of one lane are never reordered:
//! flow logs are out of order by minutes anyway, and the engine copes with that. So the merged order is exact where the files are sorted,
//! and off by no more than each file's own disorder where they are not.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::chunk::Chunk;
use super::lane::{Held, Lane};
use super::reader::{self, Report};
use super::seen::Seen;
use super::{Failure, Feed, OpenError, SIDE_BY_SIDE};
use crate::record::{Batch, Input, Origin, SourceState, SourceStatus};
use crate::source::pace::Pacer;

/// A batch is sent once it holds this much, the first one earlier.
const BATCH: usize = 1 << 20;
/// The first batch.
const FIRST_BATCH: usize = 32 << 10;
/// A line that has arrived on a pipe is sent after this long though its batch is small. A regular file has no such pauses: how it is cut depends
/// on its bytes alone, so that two runs do the same at the same rows.
const LINGER: Duration = Duration::from_millis(30);
/// Other inputs wait this long for a silent pipe, then go on without it.
const PATIENCE: Duration = Duration::from_millis(100);
/// Least time between two reports of progress.
const PROGRESS: Duration = Duration::from_millis(100);

/// Lines taken and not sent yet.
struct Pending {
    lane: usize,
    lines: Chunk,
    since: Instant,
}

/// The receiver is gone: nothing is left to do.
struct Gone;

pub(super) struct Merger {
    out: mpsc::Sender<Input>,
    lanes: Vec<Lane>,
    /// All lanes before it are over.
    first_open: usize,
    /// No lane before it waits.
    next_waiting: usize,
    pending: Option<Pending>,
    pacer: Option<Pacer>,
    /// Greatest time taken so far: the clock of the replay.
    clock: i64,
    batch: usize,
    told: Option<Instant>,
    /// Whether what was told last said that more is to be read of what is there.
    reads_on: bool,
    failures: Vec<Failure>,
    seen: Seen,
    duplicates: u64,
    /// What the user should know of what was named and is not read.
    warnings: Vec<String>,
}

enum News {
    Report(usize, Option<Report>),
    Due,
}

impl Merger {
    pub(super) fn new(inputs: Vec<(Arc<Origin>, Feed)>, speed: Option<f64>, out: mpsc::Sender<Input>) -> Self {
        let now = Instant::now();
        Merger {
            out,
            lanes: inputs.into_iter().map(|(origin, feed)| Lane::new(origin, feed, now)).collect(),
            warnings: Vec::new(),
            first_open: 0,
            next_waiting: 0,
            pending: None,
            pacer: speed.map(Pacer::new),
            clock: i64::MIN,
            batch: FIRST_BATCH,
            told: None,
            reads_on: false,
            failures: Vec::new(),
            seen: Seen::default(),
            duplicates: 0,
        }
    }

    /// Says `warnings` beside all it says.
    pub(super) fn warning(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }

    /// Runs until everything was read or the receiver is gone.
    pub(super) async fn run(mut self) -> Result<(), OpenError> {
        // A receiver that is gone wants no more, which is no failure.
        let _ = self.all().await;
        if self.failures.is_empty() { Ok(()) } else { Err(OpenError { failures: self.failures }) }
    }

    async fn all(&mut self) -> Result<(), Gone> {
        loop {
            self.open_more();
            for index in self.first_open..self.lanes.len() {
                // Lanes that nobody waits for are asked in passing.
                if self.lanes[index].passed
                    && let Some(report) = self.lanes[index].poll()
                {
                    self.receive(index, Some(report)).await?;
                }
            }
            match (self.awaited(), self.oldest()) {
                (false, Some(lane)) => self.take(lane).await?,
                (false, None) => {
                    self.flush().await?;
                    if self.lanes.iter().all(|lane| lane.reports.is_none() && lane.waiting.is_none()) {
                        return self.end().await;
                    }
                    self.wait(None).await?;
                }
                (true, _) => self.wait(self.patience()).await?,
            }
        }
    }

    /// Begins to read what waits, as others end.
    fn open_more(&mut self) {
        while self.lanes.get(self.first_open).is_some_and(Lane::is_over) {
            self.first_open += 1;
        }
        while self.lanes.get(self.next_waiting).is_some_and(|lane| lane.waiting.is_none()) {
            self.next_waiting += 1;
        }
        if self.next_waiting >= self.lanes.len() {
            return;
        }
        let open = self.lanes[self.first_open..self.next_waiting].iter().filter(|lane| !lane.is_over()).count();
        for _ in open..SIDE_BY_SIDE {
            let Some(lane) = self.lanes.get_mut(self.next_waiting) else { return };
            if let Some((path, how)) = lane.waiting.take() {
                lane.reports = Some(reader::spawn(&path, how));
                lane.empty_since = Instant::now();
            }
            self.next_waiting += 1;
        }
    }

    /// Whether a lane must show its next line before the oldest line is known.
    fn awaited(&self) -> bool {
        self.lanes[self.first_open..].iter().any(Lane::awaited)
    }

    fn oldest(&self) -> Option<usize> {
        (self.first_open..self.lanes.len())
            .filter(|index| self.lanes[*index].held.is_some())
            .min_by_key(|index| self.place(*index))
    }

    /// The order of lanes: by time, then as they were named.
    fn place(&self, lane: usize) -> (i64, usize) {
        (self.lanes[lane].held.as_ref().map_or(i64::MAX, Held::time), lane)
    }

    /// When to stop waiting: pending lines are due, or a silent pipe has been waited for long enough.
    fn patience(&self) -> Option<Instant> {
        let lines = self.pending.as_ref().filter(|pending| self.lingers(pending)).map(|pending| pending.since + LINGER);
        let silent = self.lanes.iter().filter(|lane| lane.awaited() && lane.size.is_none());
        silent.map(|lane| lane.empty_since + PATIENCE).chain(lines).min()
    }

    /// Whether these lines may have to wait for others for any time.
    fn lingers(&self, pending: &Pending) -> bool {
        self.lanes.iter().any(|lane| lane.size.is_none() && lane.reports.is_some()) || self.lanes[pending.lane].passed
    }

    async fn wait(&mut self, until: Option<Instant>) -> Result<(), Gone> {
        match self.news(until).await? {
            News::Report(lane, report) => self.receive(lane, report).await,
            News::Due => {
                let now = Instant::now();
                for lane in &mut self.lanes {
                    lane.passed |= lane.size.is_none() && lane.awaited() && lane.empty_since + PATIENCE <= now;
                }
                if self.pending.as_ref().is_some_and(|pending| self.lingers(pending) && pending.since + LINGER <= now) {
                    self.flush().await?;
                }
                Ok(())
            }
        }
    }

    async fn news(&mut self, until: Option<Instant>) -> Result<News, Gone> {
        let lanes = &mut self.lanes;
        let report = poll_fn(|context| {
            for (index, lane) in lanes.iter_mut().enumerate().filter(|(_, lane)| lane.held.is_none()) {
                if let Some(reports) = &mut lane.reports
                    && let Poll::Ready(report) = reports.poll_recv(context)
                {
                    return Poll::Ready(News::Report(index, report));
                }
            }
            Poll::Pending
        });
        tokio::select! {
            biased;
            () = self.out.closed() => Err(Gone),
            news = report => Ok(news),
            () = sleep_until(until) => Ok(News::Due),
        }
    }

    async fn receive(&mut self, index: usize, report: Option<Report>) -> Result<(), Gone> {
        let lane = &mut self.lanes[index];
        match report {
            Some(Report::Opened { size }) => {
                lane.size = size;
                self.tell(SourceState::Live).await
            }
            Some(Report::Lines(mut chunk)) => {
                lane.passed = false;
                lane.consumed = chunk.consumed;
                self.duplicates += chunk.remove(|event, stream| self.seen.again(event, stream));
                lane.held = Some(Held { chunk, line: 0 });
                Ok(())
            }
            Some(Report::CaughtUp) => {
                lane.passed = true;
                // The rest may be a line that is not complete. Nothing may come for hours: what was told last would stay.
                lane.size = lane.size.map(|_| lane.consumed);
                if self.reads_on { self.tell(SourceState::Live).await } else { Ok(()) }
            }
            Some(Report::Note(note)) => {
                lane.note = note;
                self.tell(SourceState::Live).await
            }
            Some(Report::Failed(why)) => {
                let failure = Failure { input: lane.origin.name.to_string(), why };
                self.flush().await?;
                self.tell(SourceState::Failed(failure.to_string())).await?;
                self.failures.push(failure);
                self.tell(SourceState::Live).await
            }
            None => {
                lane.reports = None;
                Ok(())
            }
        }
    }

    /// Takes from `lane` all lines that come before every other lane's next line and, in a replay, are due.
    async fn take(&mut self, index: usize) -> Result<(), Gone> {
        let others =
            (self.first_open..self.lanes.len()).filter(|other| *other != index && self.lanes[*other].held.is_some());
        let limit = others.map(|other| self.place(other)).min();
        let Some(mut held) = self.lanes[index].held.take() else { return Ok(()) };
        if held.chunk.marks.is_empty() {
            self.lanes[index].empty_since = Instant::now();
            return self.append(index, held.chunk).await;
        }
        let marks = &held.chunk.marks;
        let now = Instant::now();
        let mut next = held.line;
        let mut due = now;
        while let Some((_, time)) = marks.get(next)
            && limit.is_none_or(|limit| (*time, index) <= limit)
        {
            if let Some(pacer) = &mut self.pacer
                && *time != i64::MIN
            {
                self.clock = self.clock.max(*time);
                due = pacer.due(self.clock.saturating_mul(1_000), now);
                if due > now {
                    break;
                }
            }
            next += 1;
        }
        let finished = next == marks.len();
        let part = (next > held.line).then(|| held.chunk.part(held.line, next));
        if finished {
            self.lanes[index].empty_since = now;
        } else {
            held.line = next;
            self.lanes[index].held = Some(held);
        }
        if let Some(part) = part {
            self.append(index, part).await?;
        }
        if due > now {
            self.flush().await?;
            tokio::select! {
                () = self.out.closed() => return Err(Gone),
                () = tokio::time::sleep_until(due) => {}
            }
        }
        Ok(())
    }

    async fn append(&mut self, lane: usize, lines: Chunk) -> Result<(), Gone> {
        if self.pending.as_ref().is_some_and(|pending| pending.lane != lane || !pending.lines.joins(&lines)) {
            self.flush().await?;
        }
        match &mut self.pending {
            Some(pending) => pending.lines.absorb(lines),
            None => self.pending = Some(Pending { lane, lines, since: Instant::now() }),
        }
        let full = |pending: &Pending| {
            pending.lines.bytes.len() >= self.batch || (self.lingers(pending) && pending.since.elapsed() >= LINGER)
        };
        if self.pending.as_ref().is_some_and(full) { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        let Some(Pending { lane, lines, .. }) = self.pending.take() else { return Ok(()) };
        self.batch = BATCH;
        let batch = Batch {
            formats: Vec::new(),
            origin: Arc::clone(&self.lanes[lane].origin),
            bytes: lines.bytes,
            events: lines.events,
            streams: lines.streams,
            wrapped: lines.wrapped,
            rejects: lines.rejects,
            remarks: lines.remarks,
            first_line: lines.first_line,
            arrival: unix_millis(),
            earlier: false,
        };
        self.send(Input::Batch(batch)).await?;
        if self.told.is_none_or(|told| told.elapsed() >= PROGRESS) {
            self.tell(SourceState::Live).await
        } else {
            Ok(())
        }
    }

    async fn tell(&mut self, state: SourceState) -> Result<(), Gone> {
        self.told = Some(Instant::now());
        let progress = self.lanes.iter().try_fold((0, 0), |(read, total), lane| {
            let size = lane.size?.max(lane.consumed);
            Some((read + lane.consumed, total + size))
        });
        self.reads_on = progress.is_some_and(|(read, total)| read < total);
        let failures = self.failures.iter().map(Failure::to_string);
        let notes =
            self.lanes.iter().filter_map(|lane| lane.note.as_ref().map(|note| format!("{}: {note}", lane.origin.name)));
        let remarks: Vec<String> = self.warnings.iter().cloned().chain(failures).chain(notes).collect();
        let note = (!remarks.is_empty()).then(|| remarks.join("; "));
        let duplicates = self.duplicates;
        let warnings = self.warnings.clone();
        let status = SourceStatus { state, duplicates, progress, note, warnings, ..SourceStatus::default() };
        self.send(Input::Status(Box::new(status))).await
    }

    async fn end(&mut self) -> Result<(), Gone> {
        let nothing_read = !self.failures.is_empty() && self.failures.len() == self.lanes.len();
        let state = if nothing_read {
            let all: Vec<String> = self.failures.iter().map(Failure::to_string).collect();
            SourceState::Failed(all.join("; "))
        } else {
            SourceState::Ended
        };
        self.tell(state).await?;
        self.send(Input::End).await
    }

    async fn send(&self, input: Input) -> Result<(), Gone> {
        self.out.send(input).await.map_err(|_| Gone)
    }
}

async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// The wall clock, Unix milliseconds. A clock before 1970 reads as 0.
fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
