//! The tail of one log group: which range is being read, page by page, and what to do when a page does not come.
//!
//! A [`Reading`] is one range on its way. It goes through the chains of the group (one an interface, or a single one for all streams), and through each
//! chain's pages until one comes without a token. It advances by one request at a time, so that groups share the budget and a long range can be parked
//! while newer events are looked for.

mod chain;
mod reading;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::record::Poll;

use super::client::{Found, Select};
use super::config::GroupName;
use super::fault::{Fault, Kind, Place};
use super::pace::{Backoff, LONGEST_WAIT};
use super::plan::{Lost, Plan, Span};
use chain::Chain;
use reading::{After, Reading, TURN};

/// Ranges that may be on their way at once.
const PARKED: usize = 4;

/// What a step asks for.
pub(super) enum Next {
    /// Whether the chain's interface has a stream.
    HasStream(Arc<str>),
    /// A page: selection, range in milliseconds, token.
    Page(Select, (i64, i64), Option<String>),
}

/// The tail of one log group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: GroupName,
    pub(super) plan: Plan,
    /// Unix milliseconds before which nothing is tried, after a fault.
    pub(super) wait_until: i64,
    /// What went wrong and the remedy, until something works again.
    pub(super) trouble: Option<String>,
    chains: Vec<Chain>,
    current: Option<Reading>,
    /// Ranges that had their turn, the one to go on first in front.
    parked: VecDeque<Reading>,
    backoff: Backoff,
    /// Credentials were refreshed since the last success.
    refreshed: bool,
    /// Pages read.
    pages: u64,
    /// Greatest number of events in a page that was not the last of its range.
    full: u64,
    /// The last range that was read to its end: when it began, and what it cost.
    last: Option<(i64, Poll)>,
}

impl Group {
    pub(super) fn new(name: GroupName, interfaces: &[String], plan: Plan, seed: u64) -> Group {
        Group {
            name,
            plan,
            wait_until: 0,
            trouble: None,
            chains: Chain::of(interfaces),
            current: None,
            parked: VecDeque::new(),
            backoff: Backoff::new(seed),
            refreshed: false,
            pages: 0,
            full: 0,
            last: None,
        }
    }

    /// Makes a range current if there is one to read now; otherwise says when to ask again.
    pub(super) fn prepare(&mut self, now: i64, closing: Option<i64>) -> Result<(), i64> {
        if self.wait_until > now + LONGEST_WAIT {
            // The clock was set back meanwhile.
            self.wait_until = now;
        }
        if self.wait_until > now {
            return Err(self.wait_until);
        }
        if self.current.as_ref().is_some_and(|reading| reading.turn >= TURN) {
            self.change_over(now, closing);
        }
        if self.current.is_none() {
            self.current = self.parked.pop_front();
        }
        if self.current.is_none() {
            self.current = self.plan.pick(now, closing).map(|span| self.reading(span, now));
        }
        if self.current.is_some() { Ok(()) } else { Err(self.plan.next_due(now).max(now + 1)) }
    }

    /// The current range had its turn: something newer goes first if there is any, else the range that waits longest.
    fn change_over(&mut self, now: i64, closing: Option<i64>) {
        let Some(mut had) = self.current.take() else { return };
        had.turn = 0;
        if self.parked.len() < PARKED {
            self.current = self.plan.pick(now, closing).map(|span| self.reading(span, now));
        }
        self.parked.push_back(had);
        if self.current.is_none() {
            self.current = self.parked.pop_front();
        }
    }

    /// Asks for `slices` of time before what was asked for so far.
    pub(super) fn earlier(&mut self, slices: i64) {
        self.plan.earlier(slices);
    }

    /// Leaves earlier time that was not read yet.
    pub(super) fn stop_earlier(&mut self) {
        self.current.take_if(|reading| reading.span.backlog);
        self.parked.retain(|parked| !parked.span.backlog);
        self.plan.stop_earlier();
    }

    /// Leaves all ranges that are on their way, to be read from their beginning.
    pub(super) fn begin_again(&mut self) {
        for reading in self.current.take().into_iter().chain(self.parked.drain(..)) {
            self.plan.leave(&reading.span);
        }
    }

    fn reading(&self, span: Span, now: i64) -> Reading {
        Reading::new(span, now, self.pages)
    }

    /// The request that comes next. [`Group::prepare`] made a range current.
    pub(super) fn next(&self, now: i64) -> Option<Next> {
        let reading = self.current.as_ref()?;
        let ask = self.chains.get(reading.chain)?.ask(now, reading.token.is_none());
        Some(ask.over((reading.span.start(), reading.span.last()), reading.token.clone()))
    }

    /// The current range's span.
    pub(super) fn span(&self) -> Option<Span> {
        self.current.as_ref().map(|reading| reading.span.clone())
    }

    /// Whether an event is of the interface that the current chain asks for.
    pub(super) fn is_wanted(&self, event: &Found) -> bool {
        let chain = self.current.as_ref().and_then(|reading| self.chains.get(reading.chain));
        chain.is_some_and(|chain| chain.wants(event))
    }

    /// Whether an event is of any of the interfaces asked for, by its stream.
    pub(super) fn is_of_interest(&self, event: &Found) -> bool {
        self.chains.iter().any(|chain| chain.is_all() || chain.owns(event))
    }

    /// The current chain.
    fn chain(&mut self) -> Option<&mut Chain> {
        self.current.as_ref().and_then(|reading| self.chains.get_mut(reading.chain))
    }

    /// It was answered whether the current chain's interface has a stream.
    pub(super) fn stream_known(&mut self, exists: bool, now: i64) {
        self.worked();
        if self.chain().is_some_and(|chain| chain.stream_known(exists, now)) {
            // Records that do not mention the id could not be found so far, and tokens on their way are of the other question.
            self.begin_again();
            self.plan.read_again();
        }
    }

    /// It cannot be checked whether the current chain's interface has a stream.
    pub(super) fn stream_unknown(&mut self) {
        self.worked();
        if let Some(chain) = self.chain() {
            chain.stream_unknown();
        }
    }

    /// A page came and its events were passed on: `timestamps` of all that the API returned, `wanted` of which were of this interface.
    pub(super) fn page_read(&mut self, timestamps: &[i64], wanted: usize, token: Option<String>) -> Result<(), Fault> {
        self.worked();
        self.pages += 1;
        if token.is_some() {
            self.full = self.full.max(timestamps.len() as u64);
        }
        if let Some(chain) = self.chain().filter(|_| wanted > 0) {
            chain.came();
        }
        let Some(reading) = &mut self.current else { return Ok(()) };
        match reading.page(timestamps, token)? {
            After::Page => {}
            After::TooMuch => {
                if let Some(reading) = self.current.take() {
                    self.plan.cut(&reading.span, &reading.counts, (reading.pages, reading.thin));
                }
            }
            After::Chain if reading.chain < self.chains.len() => {}
            After::Chain => {
                if let Some(reading) = self.current.take() {
                    self.last = Some((reading.began, reading.poll));
                    let pages = (reading.pages, reading.thin);
                    self.plan.complete(&reading.span, reading.began, &reading.counts, pages);
                }
            }
        }
        Ok(())
    }

    /// A request failed: decides what follows. Returns event time that is given up.
    pub(super) fn failed(&mut self, fault: &Fault, place: &Place, now: i64) -> Option<Lost> {
        if let (Kind::Token, Some(reading)) = (&fault.kind, &mut self.current) {
            // Only the token is bad.
            if reading.restart() {
                return None;
            }
        }
        if fault.is_login() && !self.refreshed {
            // The first time, fresh credentials are tried at once: the runner loads them before the next request.
            self.refreshed = true;
            return None;
        }
        let wait = if fault.needs_person() && !fault.is_login() { self.backoff.stuck() } else { self.backoff.failed() };
        self.wait_until = now + wait;
        self.trouble = Some(fault.explain(&self.name.given, place));
        let answered = matches!(fault.kind, Kind::Server | Kind::Refused | Kind::Token);
        if !self.current.as_mut()?.failed(self.pages, answered) {
            return None;
        }
        let reading = self.current.take()?;
        if reading.span.len() > 1 {
            // One minute that cannot be read must not take its neighbours with it.
            self.plan.divide(&reading.span);
            return None;
        }
        self.plan.give_up(&reading.span, now)
    }

    fn worked(&mut self) {
        self.backoff.succeeded();
        self.trouble = None;
        self.refreshed = false;
    }

    /// Whether all that was delivered up to `at` has been read.
    pub(super) fn is_read_since(&self, at: i64) -> bool {
        self.current.is_none() && self.parked.is_empty() && self.plan.is_read_since(at)
    }

    /// Whether any page was read.
    pub(super) fn has_read(&self) -> bool {
        self.pages > 0
    }

    /// Event time up to `now` (milliseconds, both ends included) that is still unread when the tail ends, and why.
    pub(super) fn never_read(&self, now: i64) -> Vec<(i64, i64, String)> {
        let why = match &self.trouble {
            Some(trouble) => format!("not read before the end: {trouble}"),
            None => "the run ended before this was read".to_owned(),
        };
        self.plan.never_read(now).into_iter().map(|(from, to)| (from, to, why.clone())).collect()
    }

    /// What the current range cost further.
    pub(super) fn spent(&mut self, requests: u64, events: u64, duplicates: u64) {
        if let Some(Reading { poll, .. }) = &mut self.current {
            poll.requests += requests;
            poll.events += events;
            poll.duplicates += duplicates;
        }
    }

    /// Greatest number of events in a full page so far; 0 before the first.
    pub(super) fn full_page(&self) -> u64 {
        self.full
    }

    /// The last range that was read to its end: when it began (Unix milliseconds), and what it cost.
    pub(super) fn last_poll(&self) -> Option<(i64, Poll)> {
        self.last
    }

    /// Whether it reads all streams of its group and not those of some interfaces.
    pub(super) fn reads_all_streams(&self) -> bool {
        self.chains.iter().any(Chain::is_all)
    }

    /// Remarks for the user on how interfaces are found.
    pub(super) fn notes(&self, notes: &mut Vec<String>) {
        notes.extend(self.chains.iter().filter_map(|chain| chain.note(self.name.name())));
    }

    /// What the user should know of reads that take long.
    pub(super) fn long_reads(&self) -> impl Iterator<Item = String> {
        self.current.iter().chain(&self.parked).filter_map(Reading::note)
    }
}
