//! The engine's two threads: one decodes, one owns the core. Between them and the screen stands a mailbox: a short queue of work that makes the
//! producer wait when it is full, and one place for the latest question, which is looked at between slices of work. So a key press is never
//! behind a batch or a scan, and nothing is dropped.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::core::{Core, Known};
use super::pinned::Pinned;
use super::view::{Page, ViewSpec};
use crate::detect::{Baseline, Detector};
use crate::record::{Decoded, Decoder, Gap, Input, SourceStatus, Table as _};

/// Rows that a pass looks at before the mailbox is looked at again.
const SLICE: usize = 4_096;
/// Least and most rows that are taken in before it is. With sessions and rules each costs microseconds, more the more is held and the more
/// others want of the processor: how many it is goes by how long the last ones took, since a key should not wait for more than [`LOAD`].
const INTAKE: (usize, usize) = (128, 1_024);
/// How long rows are taken in, about.
const LOAD: Duration = Duration::from_millis(3);
/// How long the rules are waited for that have enough to do. They are not told by more rows then, which could block for as long as a sweep takes.
const RULES: Duration = Duration::from_millis(1);
/// Batches that wait to be taken in.
const QUEUE: usize = 8;
/// Least time between two pages that answer the same question.
const FRAME: Duration = Duration::from_millis(33);
/// How long a new question is worked on before its first, perhaps partial, page.
const FIRST_ANSWER: Duration = Duration::from_millis(6);
/// How long passes go on between two loads of rows: of what pours in a slice's time is a small part, and somebody waits for the count.
const SHARE: Duration = Duration::from_millis(1);
/// Least time between two passes over changing sessions.
const REFRESH: Duration = Duration::from_millis(250);
/// How often the time is told to a live engine.
const TICK: Duration = Duration::from_secs(1);

enum Work {
    Rows(Box<Decoded>),
    Partial(Box<Decoded>),
    Status(Box<SourceStatus>),
    Gap(Gap),
    End,
}

/// Takes what is held at a moment.
type Taker = Box<dyn FnOnce(Pinned) + Send>;

#[derive(Default)]
struct Inside {
    queue: VecDeque<Work>,
    question: Option<ViewSpec>,
    rules: Option<Box<Detector>>,
    lesson: Option<Arc<Baseline>>,
    lent: Option<usize>,
    /// Who waits for what is held.
    pins: Vec<Taker>,
    closed: bool,
}

/// The way into the engine's thread.
#[derive(Default)]
struct Mailbox {
    inside: Mutex<Inside>,
    /// Something came for the engine.
    came: Condvar,
    /// The queue has room.
    room: Condvar,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Nothing panics while it holds the lock; if it did, what is inside would still be whole.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room. False once the engine is gone.
    fn put(&self, work: Work) -> bool {
        let mut inside = self.lock();
        while inside.queue.len() >= QUEUE && !inside.closed {
            inside = self.room.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        if inside.closed {
            return false;
        }
        inside.queue.push_back(work);
        self.came.notify_one();
        true
    }

    fn close(&self) {
        self.lock().closed = true;
        self.came.notify_all();
        self.room.notify_all();
    }
}

/// A running engine. Dropping it stops the threads.
pub struct Engine {
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<Core>>,
}

/// Asks the engine. Can be cloned and sent anywhere.
#[derive(Clone)]
pub struct Asker {
    mailbox: Arc<Mailbox>,
}

impl Asker {
    /// Puts `question` in force; the one before it is forgotten. Never waits.
    pub fn ask(&self, question: ViewSpec) {
        self.mailbox.lock().question = Some(question);
        self.mailbox.came.notify_one();
    }

    /// Has `take` called with what is held when the engine comes to it. It is called on the engine's thread and must not wait.
    pub fn pin(&self, take: impl FnOnce(Pinned) + Send + 'static) {
        self.mailbox.lock().pins.push(Box::new(take));
        self.mailbox.came.notify_one();
    }
}

impl Asker {
    /// Has the rules know what was used before ([`Core::teach`]). Never waits.
    pub fn teach(&self, baseline: Arc<Baseline>) {
        self.mailbox.lock().lesson = Some(baseline);
        self.mailbox.came.notify_one();
    }

    /// Has `bytes` of the room for records make way for what is held beside this engine ([`Core::lend`]). Never waits.
    pub fn lend(&self, bytes: usize) {
        self.mailbox.lock().lent = Some(bytes);
        self.mailbox.came.notify_one();
    }

    /// Has the rules of `detector` take the place of those in force ([`Core::change_rules`]). Never waits.
    pub fn change_rules(&self, detector: Detector) {
        self.mailbox.lock().rules = Some(Box::new(detector));
        self.mailbox.came.notify_one();
    }
}

impl Engine {
    /// Starts the threads. `input` is called until it gives `None` and may wait; `publish` gets each page and must not wait.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        core: Core,
        mut decoder: Decoder,
        mut input: impl FnMut() -> Option<Input> + Send + 'static,
        publish: impl FnMut(Page) + Send + 'static,
    ) -> std::io::Result<Engine> {
        let mailbox = Arc::new(Mailbox::default());
        let producer = Arc::clone(&mailbox);
        std::thread::Builder::new().name("flowtail-decode".into()).spawn(move || {
            while let Some(input) = input() {
                let work = match input {
                    Input::Batch(batch) => Work::Rows(Box::new(decoder.decode(&batch))),
                    Input::Partial(batch) => Work::Partial(Box::new(decoder.decode(&batch))),
                    Input::Status(status) => Work::Status(status),
                    Input::Gap(gap) => Work::Gap(gap),
                    Input::End => Work::End,
                };
                if !producer.put(work) {
                    break;
                }
            }
        })?;
        let consumer = Arc::clone(&mailbox);
        let core = core.with_rules_apart();
        let thread = std::thread::Builder::new()
            .name("flowtail-engine".into())
            .spawn(move || Worker::new(core, publish).run(&consumer))?;
        Ok(Engine { mailbox, thread: Some(thread) })
    }

    /// Something that asks this engine.
    pub fn asker(&self) -> Asker {
        Asker { mailbox: Arc::clone(&self.mailbox) }
    }

    /// Stops the engine and gives back its core; `None` if its thread panicked.
    pub fn stop(mut self) -> Option<Core> {
        self.mailbox.close();
        self.thread.take()?.join().ok()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}

/// A batch that is partly taken in.
struct Begun {
    batch: Box<Decoded>,
    next: usize,
    known: Known,
}

/// The engine's thread.
struct Worker<P> {
    core: Core,
    publish: P,
    begun: Option<Begun>,
    /// Rows that are taken in next; see [`INTAKE`].
    intake: usize,
    /// Whether the core changed since the last page.
    changed: bool,
    /// Whether the passes have more to do.
    more: bool,
    asked: bool,
    /// Records held when the last page was made: the first ones are shown at once.
    shown: u64,
    last_page: Instant,
    last_refresh: Instant,
    last_tick: Instant,
    /// How long the last pass over the sessions took.
    refresh_cost: Duration,
}

impl<P: FnMut(Page)> Worker<P> {
    fn new(core: Core, publish: P) -> Worker<P> {
        let now = Instant::now();
        Worker {
            core,
            publish,
            begun: None,
            intake: INTAKE.0,
            changed: false,
            more: false,
            asked: false,
            shown: 0,
            last_page: now,
            last_refresh: now,
            last_tick: now,
            refresh_cost: Duration::ZERO,
        }
    }

    fn run(mut self, mailbox: &Mailbox) -> Core {
        loop {
            let work = match self.next_work(mailbox) {
                ControlFlow::Continue(work) => work,
                ControlFlow::Break(()) => return self.core,
            };
            // A new question is answered before more is taken in.
            if !self.asked {
                self.take_in(work);
            }
            if self.last_tick.elapsed() >= TICK {
                self.last_tick = Instant::now();
                self.changed |= self.core.tick(now_ms());
            }
            self.changed |= self.core.hear();
            self.look();
        }
    }

    /// Takes the latest question and the next piece of work. Waits only if there is nothing at all to do.
    fn next_work(&mut self, mailbox: &Mailbox) -> ControlFlow<(), Option<Work>> {
        let mut inside = mailbox.lock();
        loop {
            if inside.closed {
                return ControlFlow::Break(());
            }
            if let Some(rules) = inside.rules.take() {
                drop(inside);
                self.core.change_rules(*rules);
                self.changed = true;
                return ControlFlow::Continue(None);
            }
            if let Some(baseline) = inside.lesson.take() {
                drop(inside);
                self.core.teach(baseline);
                self.changed = true;
                return ControlFlow::Continue(None);
            }
            if let Some(bytes) = inside.lent.take() {
                drop(inside);
                self.core.lend(bytes);
                self.changed = true;
                return ControlFlow::Continue(None);
            }
            if !inside.pins.is_empty() {
                let takers = std::mem::take(&mut inside.pins);
                drop(inside);
                for take in takers {
                    take(self.core.pin());
                }
                inside = mailbox.lock();
                continue;
            }
            if let Some(question) = inside.question.take() {
                drop(inside);
                self.core.look_at(&question);
                self.core.refresh();
                self.asked = true;
                return ControlFlow::Continue(None);
            }
            let full = self.core.rules_are_full();
            if self.begun.is_some() && !full {
                return ControlFlow::Continue(None);
            }
            if self.begun.is_none()
                && !full
                && let Some(work) = inside.queue.pop_front()
            {
                mailbox.room.notify_one();
                return ControlFlow::Continue(Some(work));
            }
            if self.more {
                return ControlFlow::Continue(None);
            }
            // A change waits for its frame, sessions that changed for their next pass, a live engine for its tick.
            let wait = if full {
                RULES
            } else if self.changed {
                FRAME.saturating_sub(self.last_page.elapsed())
            } else if self.core.rules_are_behind() {
                FRAME
            } else if self.core.is_behind() {
                REFRESH
            } else {
                TICK
            };
            let (guard, timeout) = mailbox.came.wait_timeout(inside, wait).unwrap_or_else(PoisonError::into_inner);
            inside = guard;
            if timeout.timed_out() {
                return ControlFlow::Continue(None);
            }
        }
    }

    fn take_in(&mut self, work: Option<Work>) {
        match work {
            Some(Work::Rows(batch)) => {
                self.core.ingest_lines(&batch);
                self.begun = Some(Begun { batch, next: 0, known: Known::default() });
                self.changed = true;
            }
            Some(Work::Partial(batch)) => {
                self.core.preview(&batch);
                self.changed = true;
            }
            Some(Work::Status(status)) => {
                self.core.source_status(*status);
                self.changed = true;
            }
            Some(Work::Gap(gap)) => {
                self.core.gap(gap);
                self.changed = true;
            }
            Some(Work::End) => {
                self.core.finish();
                self.changed = true;
            }
            None => {}
        }
        if !self.core.rules_are_full()
            && let Some(mut begun) = self.begun.take()
        {
            let end = (begun.next + self.intake).min(begun.batch.columns.len());
            let began = Instant::now();
            self.core.ingest_rows(&begun.batch, begun.next..end, &mut begun.known);
            let more = if began.elapsed() < LOAD { self.intake * 2 } else { self.intake / 2 };
            self.intake = more.clamp(INTAKE.0, INTAKE.1);
            self.changed = true;
            if end < begun.batch.columns.len() {
                begun.next = end;
                self.begun = Some(begun);
            }
        }
    }

    fn look(&mut self) {
        let refresh_after = REFRESH.max(self.refresh_cost * 10);
        if self.core.is_behind() && self.last_refresh.elapsed() >= refresh_after {
            self.core.refresh();
            self.last_refresh = Instant::now();
            self.changed = true;
        }
        let began = Instant::now();
        self.more = self.core.step(SLICE);
        let patience = if self.asked { FIRST_ANSWER } else { SHARE };
        while self.more && began.elapsed() < patience {
            self.more = self.core.step(SLICE);
        }
        self.refresh_cost = if self.more { self.refresh_cost + began.elapsed() } else { began.elapsed() };
        let first = self.shown == 0 && !self.core.ring().is_empty();
        let due = first || self.last_page.elapsed() >= FRAME;
        if self.asked || (due && (self.changed || self.more)) {
            let page = self.core.answer();
            self.shown = page.status.held;
            (self.publish)(page);
            self.last_page = Instant::now();
            // The last slice of a pass changes the counts once more.
            self.changed = self.more;
            self.asked = false;
        }
    }
}

/// Unix milliseconds.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
