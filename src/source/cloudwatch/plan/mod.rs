//! What to read next: event time in slices of a minute, each read again and again until it is as old as look-back.
//!
//! Flow log events arrive minutes after their own timestamp and out of order (AWS: "typically about 5 minutes", not guaranteed; the timestamp is the
//! start of a window of up to 10 minutes). So no slice is finished when it was read once. A slice must be read at a schedule of ages, the last of them
//! look-back; a read at age A holds all that was delivered by then. Between those, whatever the request budget leaves over goes into reading the
//! whole window again, so a quiet group shows a record within seconds of its delivery and a busy one within the schedule.
//!
//! Each slice remembers the ids of its own events and forgets them when it is finished. That bounds memory by what look-back holds and makes
//! de-duplication exact: a slice is never read again without its ids.
//!
//! Pure bookkeeping: no clock, no network. Slices are numbered by the minutes since 1970; slice n holds `[n * 60_000, (n + 1) * 60_000)` ms.

mod ages;
mod earlier;
mod live;
mod report;
mod span;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::seen::Seen;

pub(super) use span::{Lost, SLICE, Span, Why};

/// Slices kept beyond now, for a local clock that is behind and for senders whose clock is ahead.
const AHEAD: i64 = 10;

/// Slices held at most: 31 days. A longer absence leaves a gap.
const MOST_SLICES: i64 = 31 * 24 * 60;

/// Events that one page carries at most. API reference, `FilterLogEvents`: "up to 10,000".
const PAGE: u64 = 10_000;

/// Never read the window again sooner than this, milliseconds.
const SHORTEST_REFRESH: i64 = 2_000;

/// Slices of one backlog read at most, so that one read stays small enough to start again.
const MOST_CHUNK: i64 = 12 * 60;

/// One minute of event time.
#[derive(Debug, Default)]
struct Slice {
    /// Events passed on.
    seen: Seen,
    /// When the last complete read began, Unix milliseconds.
    read_at: Option<i64>,
    /// Events the API returned at the last complete read, shown or not.
    events: u64,
    /// What reading it again costs, in events of full pages: a search with a pattern has many that are empty.
    cost: u64,
    /// A read of it is under way.
    busy: bool,
    /// A live session left events out at this time: a read that began before does not do.
    repair: Option<i64>,
    /// The last try was given up.
    missed: bool,
    /// Finished: read at the age of look-back.
    done: bool,
}

/// The state of every slice between the start of the tail and now.
#[derive(Debug)]
pub(super) struct Plan {
    ages: Vec<i64>,
    lookback: i64,
    /// When the plan was made, Unix milliseconds.
    begun: i64,
    /// Number of `slices[0]`.
    first: i64,
    slices: VecDeque<Slice>,
    /// Slices before the window, not read yet.
    backlog: Range<i64>,
    backlog_busy: bool,
    /// Ids of the backlog's slices that a read began and did not finish.
    backlog_seen: BTreeMap<i64, Seen>,
    /// End of the backlog when it was last asked for.
    backlog_top: i64,
    /// Slices to take at once where nothing is known of their size.
    chunk: i64,
    /// Requests that a read costs at least.
    chains: u64,
    per_second: f64,
    most_ids: usize,
    turn: u32,
    /// Whether slices were finished and let go.
    finished: bool,
}

impl Plan {
    /// A plan that begins `since` before `now` (all milliseconds). `chains` is the number of requests that one range costs at least, `per_second` the
    /// request budget and `most_ids` the number of event ids that may be remembered.
    pub(super) fn new(now: i64, since: i64, lookback: i64, chains: usize, per_second: f64, most_ids: usize) -> Plan {
        let start = now.saturating_sub(since).max(0).div_euclid(SLICE);
        let first = start.max((now - lookback).div_euclid(SLICE));
        let mut plan = Plan {
            ages: ages::ages(lookback, None),
            lookback,
            begun: now,
            first,
            slices: VecDeque::new(),
            backlog: start..first,
            backlog_busy: false,
            backlog_seen: BTreeMap::new(),
            backlog_top: first,
            chunk: 5,
            chains: chains.max(1) as u64,
            per_second,
            most_ids,
            turn: 0,
            finished: false,
        };
        plan.observe(now);
        plan
    }

    /// Takes notice of the time: adds new slices, finishes old ones, and returns what had to be given up.
    pub(super) fn observe(&mut self, now: i64) -> Vec<Lost> {
        let mut lost = Vec::new();
        let head = now.div_euclid(SLICE) + AHEAD;
        let oldest = head - MOST_SLICES;
        if self.first < oldest && self.slices.iter().all(|slice| !slice.busy) {
            let open = self.slices.iter().position(|slice| !slice.done).unwrap_or(self.slices.len());
            let from = self.number(open);
            if from < oldest {
                lost.push(Lost { from: from * SLICE, to: oldest * SLICE - 1, why: Why::TooLong });
            }
            let skip = usize::try_from(oldest - self.first).unwrap_or(usize::MAX).min(self.slices.len());
            self.slices.drain(..skip);
            self.first = oldest;
        }
        while self.end() <= head && self.end() - self.first < 2 * MOST_SLICES {
            self.slices.push_back(Slice::default());
        }
        for index in 0..self.slices.len() {
            let end = self.end_of(index);
            let slice = &mut self.slices[index];
            // The clock was set back: that read is as old as it can be.
            slice.read_at = slice.read_at.map(|at| at.min(now));
            if !slice.done && !slice.busy && slice.read_at.is_some_and(|at| at >= end + self.lookback) {
                slice.done = true;
                slice.seen = Seen::default();
                if slice.missed {
                    lost.push(Lost { from: end - SLICE, to: end - 1, why: Why::Failed });
                }
            }
        }
        self.forget_beyond_limit(&mut lost);
        while self.slices.front().is_some_and(|slice| slice.done) {
            self.slices.pop_front();
            self.first += 1;
            self.finished = true;
        }
        lost
    }

    /// Fits the schedule to the delivery that was observed: `lateness` is the time (milliseconds) within which nearly all events are delivered.
    pub(super) fn adapt(&mut self, lateness: Option<i64>) {
        self.ages = ages::ages(self.lookback, lateness);
    }

    /// Finishes the oldest slices early while more ids are remembered than allowed.
    fn forget_beyond_limit(&mut self, lost: &mut Vec<Lost>) {
        let mut held: usize = self.slices.iter().map(|slice| slice.seen.len()).sum();
        for index in 0..self.slices.len() {
            if held <= self.most_ids {
                break;
            }
            let end = self.end_of(index);
            let slice = &mut self.slices[index];
            if slice.busy || slice.done || slice.seen.is_empty() {
                continue;
            }
            held -= slice.seen.len();
            slice.done = true;
            slice.seen = Seen::default();
            lost.push(Lost { from: end - SLICE, to: end - 1, why: Why::TooMany });
        }
    }

    /// The set of ids that an event of this timestamp belongs into, or `None` outside `span`.
    pub(super) fn seen(&mut self, span: &Span, timestamp: i64) -> Option<&mut Seen> {
        span.position(timestamp)?;
        if span.backlog {
            return Some(self.backlog_seen.entry(timestamp.div_euclid(SLICE)).or_default());
        }
        let index = usize::try_from(timestamp.div_euclid(SLICE) - self.first).ok()?;
        self.slices.get_mut(index).map(|slice| &mut slice.seen)
    }

    /// What to read now, if anything. With `closing`, everything that was not read since then is due. The span is busy until [`Plan::complete`] or
    /// [`Plan::give_up`].
    pub(super) fn pick(&mut self, now: i64, closing: Option<i64>) -> Option<Span> {
        let newest = usize::try_from(now.div_euclid(SLICE) - self.first).ok()?.min(self.slices.len().checked_sub(1)?);
        self.turn = self.turn.wrapping_add(1);
        let span = self.unread(newest).or_else(|| {
            // Old ranges and the schedule take turns, and the window is refreshed now and then meanwhile, so none starves the others.
            match self.turn % 3 {
                0 => self.due(newest, now).or_else(|| self.older()).or_else(|| self.stale(newest, now, closing)),
                1 => self.older().or_else(|| self.due(newest, now)).or_else(|| self.stale(newest, now, closing)),
                _ => self.stale(newest, now, closing).or_else(|| self.due(newest, now)).or_else(|| self.older()),
            }
        })?;
        if span.backlog {
            self.backlog_busy = true;
        } else {
            for index in self.indexes(&span) {
                self.slices[index].busy = true;
            }
        }
        Some(span)
    }

    /// The newest slices that were never read.
    fn unread(&self, newest: usize) -> Option<Span> {
        let unread = |index: usize| self.free(index) && self.slices[index].read_at.is_none();
        let top = (0..=newest).rev().find(|&index| unread(index))?;
        let mut low = top;
        while low > 0
            && unread(low - 1)
            && self.number(top) - self.number(low) < self.chunk - 1
            && !self.is_alone(low - 1)
        {
            low -= 1;
        }
        let mut high = top + 1;
        // What is ahead of now comes with the newest slice.
        while top == newest
            && high < self.slices.len()
            && self.free(high)
            && !self.is_alone(high)
            && !self.is_alone(top)
        {
            high += 1;
        }
        Some(self.span(low, high))
    }

    /// The slice whose schedule is most overdue, with what can be read along.
    fn due(&self, newest: usize, now: i64) -> Option<Span> {
        let due = |index: usize| self.free(index) && self.overdue(index).is_some_and(|at| at <= now);
        let index = (0..=newest).filter(|&index| due(index)).min_by_key(|&index| self.overdue(index))?;
        Some(self.grow(index, due))
    }

    /// The newest slices that were not read for a while.
    fn stale(&self, newest: usize, now: i64, closing: Option<i64>) -> Option<Span> {
        let before = closing.unwrap_or(now - self.refresh() + 1);
        let stale = |index: usize| self.free(index) && self.slices[index].read_at.is_some_and(|at| at < before);
        let index = (0..=newest).rev().find(|&index| stale(index))?;
        Some(self.grow(index, stale))
    }

    /// The newest part of the backlog.
    fn older(&self) -> Option<Span> {
        if self.backlog_busy || self.backlog.is_empty() {
            return None;
        }
        let from = self.backlog.start.max(self.backlog.end - self.chunk);
        Some(Span { slices: from..self.backlog.end, backlog: true })
    }

    /// Extends a read to its neighbours: while it costs no further request, and to wanted ones up to two pages.
    fn grow(&self, index: usize, wanted: impl Fn(usize) -> bool) -> Span {
        let mut cost = self.slices[index].cost;
        let mut take = |next: usize| {
            let sum = cost + self.slices[next].cost;
            let cheap = sum <= PAGE * 3 / 4;
            let ahead = self.slices[next].read_at.is_none();
            if self.free(next) && (cheap || !ahead && sum <= 2 * PAGE && wanted(next)) {
                cost = sum;
                true
            } else {
                false
            }
        };
        let (mut low, mut high) = (index, index + 1);
        while low > 0 && take(low - 1) {
            low -= 1;
        }
        while high < self.slices.len() && take(high) {
            high += 1;
        }
        self.span(low, high)
    }

    /// The span was read to its end by a read that began at `began` and took `pages` pages, `thin` of them nearly empty; `counts` has the events of each slice.
    pub(super) fn complete(&mut self, span: &Span, began: i64, counts: &[u64], (pages, thin): (u64, u64)) {
        if pages <= self.chains {
            self.chunk = (self.chunk * 2).min(MOST_CHUNK);
        } else if pages > 2 * self.chains {
            self.chunk = (self.chunk / 2).max(1);
        }
        if span.backlog {
            self.backlog_done(span);
            return;
        }
        let searching = thin * PAGE / counts.len().max(1) as u64;
        for (index, events) in self.indexes(span).zip(counts) {
            let slice = &mut self.slices[index];
            slice.busy = false;
            slice.missed = false;
            slice.events = *events;
            slice.cost = searching.max(*events);
            slice.read_at = Some(began);
        }
    }

    /// The span could not be read. It is tried again when its next age comes; what was still missing at the last one is reported by
    /// [`Plan::observe`], and a backlog span at once.
    pub(super) fn give_up(&mut self, span: &Span, now: i64) -> Option<Lost> {
        self.chunk = (self.chunk / 2).max(1);
        if span.backlog {
            self.backlog_done(span);
            return Some(Lost { from: span.start(), to: span.last(), why: Why::Failed });
        }
        for index in self.indexes(span) {
            let slice = &mut self.slices[index];
            slice.busy = false;
            slice.missed = true;
            slice.read_at = Some(now);
        }
        None
    }

    /// The span is too much for one read: it is left unread, to be read in parts of fewer slices. What came of it so far is remembered. `counts` has the
    /// events of each slice so far, and `pages` is what they took, `thin` of them nearly empty.
    pub(super) fn cut(&mut self, span: &Span, counts: &[u64], (pages, thin): (u64, u64)) {
        // Pages come in the order of time: up to the last slice with events they show how much there is in a minute.
        let covered = counts.iter().rposition(|events| *events > 0).map_or(1, |last| last as u64 + 1);
        let fits = i64::try_from(covered * 2 * self.chains / pages.max(1)).unwrap_or(1);
        self.chunk = fits.clamp(1, (self.chunk / 2).max(1));
        self.leave(span);
        if !span.backlog {
            let searching = thin * PAGE / counts.len().max(1) as u64;
            for (index, events) in self.indexes(span).zip(counts) {
                let slice = &mut self.slices[index];
                slice.events = slice.events.max(*events);
                slice.cost = slice.cost.max(*events).max(searching);
            }
        }
    }

    /// The span could not be read, which may be the fault of one of its slices: each is read alone next.
    pub(super) fn divide(&mut self, span: &Span) {
        self.chunk = 1;
        self.leave(span);
        if !span.backlog {
            for index in self.indexes(span) {
                self.slices[index].cost = 2 * PAGE + 1;
            }
        }
    }

    /// A read of the span ends without a result. What came of it is remembered.
    pub(super) fn leave(&mut self, span: &Span) {
        if span.backlog {
            self.backlog_busy = false;
            return;
        }
        for index in self.indexes(span) {
            self.slices[index].busy = false;
        }
    }

    /// Forgets what was read, but not which events: everything in the window is due again.
    pub(super) fn read_again(&mut self) {
        for slice in self.slices.iter_mut().filter(|slice| !slice.done) {
            slice.read_at = None;
        }
    }

    /// Reads of one slice that the schedule asks for.
    pub(super) fn reads_per_slice(&self) -> usize {
        self.ages.len()
    }

    /// How old a read of the window may get before it is read again, where the budget allows: half the budget, and at most a thousand events a second.
    fn refresh(&self) -> i64 {
        let open = || self.slices.iter().filter(|slice| !slice.done);
        let events: u64 = open().map(|slice| slice.events).sum();
        let requests = self.chains.max(open().map(|slice| slice.cost).sum::<u64>() / PAGE + 1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "saturates; far from 2^53")]
        let budget = (requests as f64 * 2000.0 / self.per_second) as i64;
        budget.max(events.cast_signed()).max(SHORTEST_REFRESH)
    }

    /// When slice `index` is (or was) next due by the schedule; `None` once it was read at every age.
    fn overdue(&self, index: usize) -> Option<i64> {
        let read_at = self.slices[index].read_at?;
        let end = self.end_of(index);
        let scheduled = self.ages.iter().map(|age| end + age).find(|at| *at > read_at);
        let repair = self.slices[index].repair.filter(|at| *at >= read_at);
        scheduled.into_iter().chain(repair).min()
    }

    /// Whether it is read without its neighbours.
    fn is_alone(&self, index: usize) -> bool {
        self.slices[index].cost > 2 * PAGE
    }

    fn free(&self, index: usize) -> bool {
        !self.slices[index].busy && !self.slices[index].done
    }

    /// Number of the slice at `index`.
    #[expect(clippy::cast_possible_wrap, reason = "few slices more than MOST_SLICES are held")]
    fn number(&self, index: usize) -> i64 {
        self.first + index as i64
    }

    /// Number of the slice after the last.
    fn end(&self) -> i64 {
        self.number(self.slices.len())
    }

    fn end_of(&self, index: usize) -> i64 {
        (self.number(index) + 1) * SLICE
    }

    fn span(&self, low: usize, high: usize) -> Span {
        Span { slices: self.number(low)..self.number(high), backlog: false }
    }

    /// Positions of a span's slices.
    fn indexes(&self, span: &Span) -> Range<usize> {
        let at = |slice: i64| usize::try_from(slice - self.first).unwrap_or(0).min(self.slices.len());
        at(span.slices.start)..at(span.slices.end)
    }
}
