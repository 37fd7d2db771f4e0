//! The tail of one log group: which range is being read, page by page, and what to do when a page does not come.
//!
//! A [`Reading`] is one range on its way. It goes through the chains of the group (one an interface, or a single one for all streams), and through each
//! chain's pages until one comes without a token. It advances by one request at a time, so that groups share the budget and a long range can be parked
//! while newer events are looked for.

use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::FixedState;

use crate::record::Poll;

use super::client::{Found, Select, belongs};
use super::config::GroupName;
use super::fault::{Fault, Kind, Place};
use super::pace::{Backoff, LONGEST_WAIT};
use super::plan::{Lost, Plan, Span};

/// Pages of one range before something newer gets its turn.
const TURN: u32 = 16;

/// Ranges that may be on their way at once.
const PARKED: usize = 4;

/// Failures in a row after which another range gets its turn.
const FAILURES_A_TURN: u32 = 4;

/// Turns that may fail, while other ranges can be read, before a range is given up.
const STRIKES: u32 = 5;

/// Empty pages in a row, each with a new token, after which a chain is taken for endless. A search through a large group has many empty pages; an
/// expired group has them without end (boto3 issue 4591).
const EMPTY_PAGES: u32 = 1000;

/// Times that a chain may start again because of its tokens before that counts as a failure.
const RESTARTS: u32 = 3;

/// How long to believe that an interface has no stream, milliseconds. AWS makes the stream when the first record is delivered.
const RECHECK: i64 = 5 * 60_000;

/// How an interface's events are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// No interface: all streams.
    All,
    /// Whether it has a stream is not known yet.
    Unknown,
    /// By the name of its streams.
    Stream,
    /// By the name of its streams, whose existence cannot be checked; whether an event was seen.
    Unchecked(bool),
    /// It has no stream: by its id in the text. Checked again at the given time.
    Content(i64),
}

#[derive(Debug)]
struct Chain {
    interface: Arc<str>,
    way: Way,
}

/// A range on its way.
#[derive(Debug)]
struct Reading {
    span: Span,
    began: i64,
    chain: usize,
    token: Option<String>,
    /// Hashes of the chain's tokens so far: one that comes again would be a loop.
    tokens: HashSet<u64, FixedState>,
    counts: Vec<u64>,
    pages: u64,
    /// What it cost so far.
    poll: Poll,
    turn: u32,
    empty: u32,
    restarts: u32,
    failures: u32,
    strikes: u32,
    /// [`Group::pages`] at the last strike: only if another range could be read since is it this one's fault.
    strike_at: u64,
}

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
        let chain = |id: &String| Chain { interface: id.as_str().into(), way: Way::Unknown };
        let mut chains: Vec<Chain> = interfaces.iter().map(chain).collect();
        if chains.is_empty() {
            chains.push(Chain { interface: "".into(), way: Way::All });
        }
        Group {
            name,
            plan,
            wait_until: 0,
            trouble: None,
            chains,
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
        let mut reading = self.current.take_if(|reading| reading.span.backlog);
        if let Some(place) = self.parked.iter().position(|parked| parked.span.backlog) {
            reading = self.parked.remove(place).or(reading);
        }
        self.plan.stop_earlier(reading.as_ref().map(|reading| &reading.span));
    }

    fn reading(&self, span: Span, now: i64) -> Reading {
        Reading {
            counts: vec![0; span.len()],
            poll: Poll { minutes: span.len() as u64, ..Poll::default() },
            span,
            began: now,
            chain: 0,
            token: None,
            tokens: HashSet::default(),
            pages: 0,
            turn: 0,
            empty: 0,
            restarts: 0,
            failures: 0,
            strikes: 0,
            strike_at: self.pages,
        }
    }

    /// The request that comes next. [`Group::prepare`] made a range current.
    pub(super) fn next(&self, now: i64) -> Option<Next> {
        let reading = self.current.as_ref()?;
        let chain = self.chains.get(reading.chain)?;
        let id = Arc::clone(&chain.interface);
        let select = match chain.way {
            Way::Unknown => return Some(Next::HasStream(id)),
            // Further ahead than that it is only where the clock was set back.
            Way::Content(until) if !(now + 1..=now + RECHECK).contains(&until) && reading.token.is_none() => {
                return Some(Next::HasStream(id));
            }
            Way::All => Select::All,
            Way::Stream | Way::Unchecked(_) => Select::Prefix(id),
            Way::Content(_) => Select::Content(id),
        };
        Some(Next::Page(select, (reading.span.start(), reading.span.last()), reading.token.clone()))
    }

    /// The current range's span.
    pub(super) fn span(&self) -> Option<Span> {
        self.current.as_ref().map(|reading| reading.span.clone())
    }

    /// Whether an event is of the interface that the current chain asks for. Servers are not trusted with it: moto ignores prefixes, and a search by
    /// content finds the id inside longer words.
    pub(super) fn is_wanted(&self, event: &Found) -> bool {
        let Some(chain) = self.current.as_ref().and_then(|reading| self.chains.get(reading.chain)) else {
            return false;
        };
        match chain.way {
            Way::All => true,
            Way::Unknown | Way::Stream | Way::Unchecked(_) => belongs(&event.stream, &chain.interface),
            Way::Content(_) => belongs(&event.stream, &chain.interface) || mentions(&event.message, &chain.interface),
        }
    }

    /// Whether an event is of any of the interfaces asked for, by its stream.
    pub(super) fn is_of_interest(&self, event: &Found) -> bool {
        self.chains.iter().any(|chain| chain.way == Way::All || belongs(&event.stream, &chain.interface))
    }

    /// It was answered whether the current chain's interface has a stream.
    pub(super) fn stream_known(&mut self, exists: bool, now: i64) {
        self.worked();
        let Some(chain) = self.current.as_ref().and_then(|reading| self.chains.get_mut(reading.chain)) else { return };
        let had_none = matches!(chain.way, Way::Content(_));
        chain.way = if exists { Way::Stream } else { Way::Content(now + RECHECK) };
        if exists && had_none {
            // Records that do not mention the id could not be found so far.
            self.plan.read_again();
        }
    }

    /// It cannot be checked whether the current chain's interface has a stream.
    pub(super) fn stream_unknown(&mut self) {
        self.worked();
        if let Some(chain) = self.current.as_ref().and_then(|reading| self.chains.get_mut(reading.chain)) {
            chain.way = Way::Unchecked(false);
        }
    }

    /// A page came and its events were passed on: `timestamps` of all that the API returned, `wanted` of which were of this interface.
    pub(super) fn page_read(&mut self, timestamps: &[i64], wanted: usize, token: Option<String>) -> Result<(), Fault> {
        self.worked();
        self.pages += 1;
        if token.is_some() {
            self.full = self.full.max(timestamps.len() as u64);
        }
        let Some(reading) = &mut self.current else { return Ok(()) };
        reading.failures = 0;
        reading.pages += 1;
        reading.turn += 1;
        for timestamp in timestamps {
            if let Some(count) = reading.span.position(*timestamp).and_then(|at| reading.counts.get_mut(at)) {
                *count += 1;
            }
        }
        if let Some(chain) = self.chains.get_mut(reading.chain)
            && wanted > 0
            && chain.way == Way::Unchecked(false)
        {
            chain.way = Way::Unchecked(true);
        }
        reading.empty = if timestamps.is_empty() { reading.empty + 1 } else { 0 };
        if let Some(token) = token {
            if reading.empty >= EMPTY_PAGES {
                reading.start_chain();
                return Err(Fault::new(Kind::Server, "empty pages without end"));
            }
            if !reading.tokens.insert(reading.tokens.hasher().hash_one(&token)) {
                return Err(Fault::new(Kind::Token, "the same token came twice"));
            }
            reading.token = Some(token);
            return Ok(());
        }
        reading.start_chain();
        reading.restarts = 0;
        reading.chain += 1;
        if reading.chain >= self.chains.len()
            && let Some(reading) = self.current.take()
        {
            self.last = Some((reading.began, reading.poll));
            self.plan.complete(&reading.span, reading.began, &reading.counts, reading.pages);
        }
        Ok(())
    }

    /// A request failed: decides what follows. Returns event time that is given up.
    pub(super) fn failed(&mut self, fault: &Fault, place: &Place, now: i64) -> Option<Lost> {
        if let (Kind::Token, Some(reading)) = (&fault.kind, &mut self.current) {
            // Only the token is bad. What the range gave so far is remembered, so reading it again from its start loses and repeats nothing.
            reading.start_chain();
            reading.restarts += 1;
            if reading.restarts <= RESTARTS {
                return None;
            }
            reading.restarts = 0;
        }
        if fault.is_login() && !self.refreshed {
            // The first time, fresh credentials are tried at once: the runner loads them before the next request.
            self.refreshed = true;
            return None;
        }
        let wait = if fault.needs_person() && !fault.is_login() { self.backoff.stuck() } else { self.backoff.failed() };
        self.wait_until = now + wait;
        self.trouble = Some(fault.explain(&self.name.given, place));
        let reading = self.current.as_mut()?;
        reading.failures += 1;
        if !reading.failures.is_multiple_of(FAILURES_A_TURN) {
            return None;
        }
        reading.turn = TURN;
        if self.pages > reading.strike_at {
            reading.strike_at = self.pages;
            reading.strikes += 1;
        }
        if reading.strikes < STRIKES {
            return None;
        }
        let reading = self.current.take()?;
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
        self.chains.iter().any(|chain| chain.way == Way::All)
    }

    /// Remarks for the user on how interfaces are found.
    pub(super) fn notes(&self, notes: &mut Vec<String>) {
        for Chain { interface, way } in &self.chains {
            match way {
                Way::Content(_) => notes.push(format!(
                    "no stream of {} begins with {interface}: check the id; searching all records for it by content",
                    self.name.name()
                )),
                Way::Unchecked(false) => notes.push(format!(
                    "nothing from {interface} yet, and whether it has a stream cannot be checked (logs:DescribeLogStreams is denied): check the id"
                )),
                Way::All | Way::Unknown | Way::Stream | Way::Unchecked(true) => {}
            }
        }
    }
}

impl Reading {
    fn start_chain(&mut self) {
        self.token = None;
        self.tokens.clear();
        self.empty = 0;
    }
}

/// Whether `text` contains `id` as a word of its own.
fn mentions(text: &str, id: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.match_indices(id).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + id.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_owns_its_streams_only() {
        assert!(belongs("eni-0a", "eni-0a"));
        assert!(belongs("eni-0a-all", "eni-0a"));
        assert!(!belongs("eni-0ab", "eni-0a"));
        assert!(!belongs("x-eni-0a", "eni-0a"));
        assert!(!belongs("", "eni-0a"));
    }

    #[test]
    fn an_id_is_mentioned_as_a_word_only() {
        assert!(mentions("2 123 eni-0a 10.0.0.1", "eni-0a"));
        assert!(mentions("{\"interface\":\"eni-0a\"}", "eni-0a"));
        assert!(mentions("eni-0ab eni-0a", "eni-0a"));
        assert!(!mentions("2 123 eni-0ab 10.0.0.1", "eni-0a"));
        assert!(!mentions("2 123 xeni-0a", "eni-0a"));
        assert!(!mentions("é", "eni-0a"));
    }
}
