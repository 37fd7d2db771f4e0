//! The loop of the tail: one request at a time, over all groups in turn, under one budget; events out, and an account of itself.

mod live;
mod proof;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedReceiver};

use crate::record::{Batch, Event, Gap, Input, Origin, SourceState, SourceStatus};

use super::Load;
use super::client::{Ask, Found, Logs};
use super::clock::{Clock, duration, millis};
use super::fault::{Fault, Kind};
use super::group::{Group, Next};
use super::lateness::Lateness;
use super::pace::Budget;
use super::plan::{Lost, SLICE, Span, Why};
use super::preflight::{About, Asking};
use super::record::Recorder;
use super::seen::{Swept, content, key};

pub(super) use live::Live;
pub(super) use proof::Proof;

/// Events in a batch at most.
const BATCH_EVENTS: usize = 4096;

/// Bytes after which a batch is sent. A single event has at most 1 MB (quotas).
const BATCH_BYTES: usize = 4 << 20;

/// How long the last reads of a run with an end may take, milliseconds.
const GRACE: i64 = 30_000;

/// The receiver is gone: the tail ends.
struct Closed;

/// What a tail runs with.
pub(super) struct Parts<L> {
    pub(super) logs: L,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) origin: Arc<Origin>,
    pub(super) groups: Vec<Group>,
    pub(super) max_rps: f64,
    pub(super) lookback: Duration,
    pub(super) run_for: Option<Duration>,
    /// Filter pattern of every request.
    pub(super) pattern: Option<Arc<str>>,
    /// What the pattern relies on, where that may change.
    pub(super) proof: Option<Proof>,
    /// Live sessions beside the reads.
    pub(super) live: Live,
    /// Events a page, for tests; `None` for as many as it carries.
    pub(super) limit: Option<i32>,
    /// What was found out about the groups.
    pub(super) about: About,
    /// What is still being found out.
    pub(super) asking: Asking,
    /// Takes what is passed on, to a file.
    pub(super) recorder: Option<Recorder>,
    /// What is asked for while it runs; `None` where nobody can.
    pub(super) asked: Option<UnboundedReceiver<Load>>,
}

/// A tail on its way.
pub(super) struct Runner<L> {
    pub(super) parts: Parts<L>,
    budget: Budget,
    out: Sender<Input>,
    pub(super) status: SourceStatus,
    told: Option<SourceStatus>,
    pub(super) lateness: Lateness,
    /// Milliseconds that a request takes, averaged over the last dozen or so; 0 before the first.
    pub(super) answer_time: f64,
    /// Group that is served next.
    turn: usize,
    /// Credentials are to be loaded anew before the next request.
    renew: bool,
    /// When it was last asked about the groups, Unix milliseconds.
    asked_at: i64,
    /// Pattern of the requests on their way.
    asks_for: Option<Arc<str>>,
}

/// Runs until `run_for` is over or the receiver is gone.
pub(super) async fn run<L: Logs>(parts: Parts<L>, out: Sender<Input>) {
    let now = parts.clock.now().saturating_add(parts.logs.skew());
    let budget = Budget::new(parts.max_rps, now);
    let status = SourceStatus { live: parts.live.status(), ..SourceStatus::default() };
    let mut runner = Runner {
        asked_at: now,
        asks_for: parts.pattern.clone(),
        parts,
        budget,
        out,
        status,
        told: None,
        lateness: Lateness::default(),
        answer_time: 0.0,
        turn: 0,
        renew: false,
    };
    // The receiver has gone: nobody is left to be told.
    let _: Result<(), Closed> = runner.run().await;
}

impl<L: Logs> Runner<L> {
    async fn run(&mut self) -> Result<(), Closed> {
        let end = self.parts.run_for.map(|length| self.now().saturating_add(millis(length)));
        self.tell().await?;
        loop {
            while let Some(asked) = self.parts.asked.as_mut().and_then(|asked| asked.try_recv().ok()) {
                self.load(asked);
            }
            let now = self.now();
            self.ask_again(now);
            let closing = end.filter(|end| now >= *end);
            for lost in self.parts.groups.iter_mut().flat_map(|group| group.plan.observe(now)).collect::<Vec<_>>() {
                self.gap(lost).await?;
            }
            if let Some(end) = closing
                && self.is_over(end, now)
            {
                return self.finish(now).await;
            }
            match self.prepare(now, closing) {
                Ok(index) => {
                    let wait = self.budget.wait(now);
                    if wait.is_zero() {
                        self.step(index).await?;
                    } else {
                        self.sleep(wait).await?;
                    }
                }
                Err(until) => {
                    self.tell().await?;
                    let until = end.filter(|_| closing.is_none()).map_or(until, |end| until.min(end));
                    // Not longer than a minute, so that a clock that jumped is noticed.
                    self.sleep(duration((until - now).clamp(1, SLICE))).await?;
                }
            }
        }
    }

    /// The next group in turn that has something to read.
    fn prepare(&mut self, now: i64, closing: Option<i64>) -> Result<usize, i64> {
        let count = self.parts.groups.len();
        let mut soonest = i64::MAX;
        for offset in 0..count {
            let index = (self.turn + offset) % count;
            match self.parts.groups[index].prepare(now, closing) {
                Ok(()) => {
                    self.turn = index + 1;
                    return Ok(index);
                }
                Err(until) => soonest = soonest.min(until),
            }
        }
        Err(soonest)
    }

    /// One request of one group.
    async fn step(&mut self, index: usize) -> Result<(), Closed> {
        let now = self.now();
        let Some(next) = self.parts.groups[index].next(now) else { return Ok(()) };
        if std::mem::take(&mut self.renew) {
            tokio::select! {
                () = self.parts.logs.refresh() => {}
                () = self.out.closed() => return Err(Closed),
            }
        }
        let before = self.parts.logs.requests();
        let outcome = match next {
            Next::HasStream(interface) => {
                let group = &mut self.parts.groups[index];
                let asked = tokio::select! {
                    answer = self.parts.logs.has_stream(&group.name, &interface) => answer,
                    () = self.out.closed() => return Err(Closed),
                };
                match asked {
                    Ok(exists) => {
                        group.stream_known(exists, now);
                        Ok(())
                    }
                    // It is only a check; a policy may well leave it out.
                    Err(Fault { kind: Kind::Denied { .. }, .. }) => {
                        group.stream_unknown();
                        Ok(())
                    }
                    Err(fault) => Err(fault),
                }
            }
            Next::Page(select, range, token) => {
                let group = &self.parts.groups[index];
                let pattern = self.asks_for.clone();
                let (token, limit) = (token.as_deref(), self.parts.limit);
                let ask = Ask { group: &group.name, select, pattern, range, token, limit };
                let asked_at = self.parts.clock.now();
                let page = tokio::select! {
                    page = self.parts.logs.page(&ask) => page,
                    () = self.out.closed() => return Err(Closed),
                };
                self.answered_after(self.parts.clock.now() - asked_at);
                match page {
                    Ok(page) => {
                        let timestamps: Vec<i64> = page.events.iter().map(|event| event.timestamp).collect();
                        let spent = (self.parts.logs.requests() - before).max(1);
                        let (wanted, duplicates) = self.deliver(index, page.events).await?;
                        let group = &mut self.parts.groups[index];
                        group.spent(spent, timestamps.len() as u64, duplicates);
                        group.page_read(&timestamps, wanted, page.token)
                    }
                    Err(fault) => {
                        self.parts.groups[index].spent((self.parts.logs.requests() - before).max(1), 0, 0);
                        Err(fault)
                    }
                }
            }
        };
        self.budget.take((self.parts.logs.requests() - before).max(1));
        if let Err(fault) = outcome {
            let now = self.now();
            let lost = self.parts.groups[index].failed(&fault, self.parts.logs.place(), now);
            if let Some(lost) = lost {
                self.gap(lost).await?;
            }
            self.renew |= fault.is_login();
        }
        self.live_news().await?;
        self.tell().await
    }

    /// Passes on what is new among a page's events. Returns how many were of the interface asked for, and how many of those were known.
    async fn deliver(&mut self, index: usize, mut events: Vec<Found>) -> Result<(usize, u64), Closed> {
        self.status.events_read += events.len() as u64;
        let group = &mut self.parts.groups[index];
        let Some(span) = group.span() else { return Ok((0, 0)) };
        events.retain(|event| span.position(event.timestamp).is_some() && group.is_wanted(event));
        let (wanted, known) = (events.len(), self.status.duplicates);
        events.sort_by(|a, b| (a.timestamp, a.ingestion, &a.id).cmp(&(b.timestamp, b.ingestion, &b.id)));
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            // A place in the channel comes first: between remembering an event and sending it nothing waits, so no event is remembered and lost.
            let Ok(place) = self.out.reserve().await else { return Err(Closed) };
            let mut record = Vec::new();
            let mut batch = Building::new(&self.parts.origin, self.now());
            batch.batch.formats.clone_from(&self.parts.about.formats);
            batch.batch.earlier = span.backlog;
            while !batch.is_full()
                && let Some(event) = events.next()
            {
                let swept = sweep(&mut self.parts.groups[index], &span, &event, self.parts.live.is_wanted());
                if swept == Swept::New {
                    self.lateness.observe(event.timestamp, event.ingestion);
                    if self.parts.recorder.is_some() {
                        record.push(event.clone());
                    }
                    batch.push(event);
                } else {
                    self.status.duplicates += 1;
                }
                if let Some(status) = self.status.live.as_mut().filter(|_| swept == Swept::Paired) {
                    status.paired += 1;
                }
            }
            if let Some(recorder) = &self.parts.recorder {
                recorder.take(record.iter());
            }
            if !batch.batch.events.is_empty() {
                place.send(Input::Batch(batch.batch));
            }
        }
        Ok((wanted, self.status.duplicates - known))
    }

    fn load(&mut self, asked: Load) {
        for group in &mut self.parts.groups {
            match asked {
                Load::Earlier(length) => group.earlier(millis(length).div_euclid(SLICE)),
                Load::Stop => group.stop_earlier(),
            }
        }
    }

    /// Whether a run with an end has read what it can.
    fn is_over(&self, end: i64, now: i64) -> bool {
        now >= end + GRACE || self.parts.groups.iter().all(|group| group.trouble.is_some() || group.is_read_since(end))
    }

    async fn finish(&mut self, now: i64) -> Result<(), Closed> {
        let unread: Vec<_> = self.parts.groups.iter().flat_map(|group| group.never_read(now)).collect();
        for (from, to, why) in unread {
            self.send(Input::Gap(Gap { from: from / 1000, to: to / 1000, why })).await?;
        }
        self.account();
        self.status.state = SourceState::Ended;
        self.send(Input::Status(Box::new(self.status.clone()))).await?;
        self.send(Input::End).await
    }

    async fn gap(&mut self, lost: Lost) -> Result<(), Closed> {
        let why = match lost.why {
            Why::Failed => "CloudWatch Logs kept failing for this time",
            Why::TooLong => "the tail was away for longer than it can catch up; `flowtail history` can read it",
            Why::TooMany => {
                "read, but more events than can be remembered: later deliveries for this time are not looked for"
            }
        };
        self.send(Input::Gap(Gap { from: lost.from / 1000, to: lost.to / 1000, why: why.to_owned() })).await
    }

    /// Sends the account of itself if there is news in it.
    async fn tell(&mut self) -> Result<(), Closed> {
        self.account();
        if self.told.as_ref() == Some(&self.status) {
            return Ok(());
        }
        self.told = Some(self.status.clone());
        self.send(Input::Status(Box::new(self.status.clone()))).await
    }

    async fn send(&mut self, input: Input) -> Result<(), Closed> {
        self.out.send(input).await.map_err(|_| Closed)
    }

    /// Sleeps, or takes in what a live session brings before.
    async fn sleep(&mut self, length: Duration) -> Result<(), Closed> {
        let (index, news) = tokio::select! {
            () = self.parts.clock.sleep(length) => return Ok(()),
            () = self.out.closed() => return Err(Closed),
            asked = asked(&mut self.parts.asked) => {
                self.load(asked);
                return Ok(());
            }
            came = self.parts.live.next() => came,
        };
        self.live_came(index, news).await
    }

    fn answered_after(&mut self, millis: i64) {
        let millis = f64::from(i32::try_from(millis.clamp(0, 600_000)).unwrap_or(0));
        self.answer_time = if self.answer_time == 0.0 { millis } else { self.answer_time * 0.9 + millis * 0.1 };
    }

    /// The time as AWS has it: event time and delivery go by that, whatever the machine's clock says.
    pub(super) fn now(&self) -> i64 {
        self.parts.clock.now().saturating_add(self.parts.logs.skew())
    }
}

/// What is asked for next. Never, where nobody can ask any more.
async fn asked(from: &mut Option<UnboundedReceiver<Load>>) -> Load {
    if let Some(receiver) = from
        && let Some(load) = receiver.recv().await
    {
        return load;
    }
    *from = None;
    std::future::pending().await
}

/// Remembers an event; `live` while there are live sessions.
fn sweep(group: &mut Group, span: &Span, event: &Found, live: bool) -> Swept {
    let key = key(&event.id, &event.stream, event.timestamp, event.ingestion, &event.message);
    let content = live.then(|| content(&event.stream, event.timestamp, &event.message));
    group.plan.seen(span, event.timestamp).map_or(Swept::Known, |seen| seen.sweep(key, content))
}

/// A batch being filled.
struct Building {
    batch: Batch,
    streams: HashMap<String, u32>,
}

impl Building {
    fn new(origin: &Arc<Origin>, now: i64) -> Building {
        let batch = Batch { origin: Arc::clone(origin), arrival: now, ..Batch::default() };
        Building { batch, streams: HashMap::new() }
    }

    fn is_full(&self) -> bool {
        self.batch.events.len() >= BATCH_EVENTS || self.batch.bytes.len() >= BATCH_BYTES
    }

    fn push(&mut self, event: Found) {
        let Batch { bytes, events, streams, .. } = &mut self.batch;
        let stream = *self.streams.entry(event.stream).or_insert_with_key(|name| {
            streams.push(name.as_str().into());
            u32::try_from(streams.len() - 1).unwrap_or(u32::MAX)
        });
        bytes.extend_from_slice(event.message.as_bytes());
        events.push(Event {
            end: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            stream,
            timestamp: event.timestamp,
            ingestion: event.ingestion,
            id: event.id.into(),
        });
    }
}
