//! A range of event time on its way: chain by chain, page by page.

use std::collections::HashSet;
use std::hash::BuildHasher;

use foldhash::quality::FixedState;

use crate::record::Poll;

use super::super::fault::{Fault, Kind};
use super::super::plan::Span;

/// Pages of one range before something newer gets its turn.
pub(super) const TURN: u32 = 16;

/// Events, those of 32 full pages, after which a range of several minutes is read in smaller parts: what a restart repeats, and what must be remembered
/// meanwhile, stay bounded.
const MOST_EVENTS: u64 = 320_000;

/// Failures in a row after which another range gets its turn.
const FAILURES_A_TURN: u32 = 4;

/// Turns that may fail, while other ranges can be read, before a range is given up.
const STRIKES: u32 = 5;

/// Empty pages in a row, each with a new token, after which a range of several minutes is read in smaller parts, and the chain of a single minute is
/// taken for endless. A search through a large group has many empty pages; an expired group has them without end (boto3 issue 4591).
const EMPTY_PAGES: u32 = 1000;

/// Events below which a page that is not the last is thin.
const THIN: usize = 100;

/// Times that a chain may start again because of its tokens before that counts as a failure.
const RESTARTS: u32 = 3;

/// A range on its way.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) span: Span,
    /// Unix milliseconds.
    pub(super) began: i64,
    pub(super) chain: usize,
    pub(super) token: Option<String>,
    /// Hashes of the chain's tokens so far: one that comes again would be a loop.
    tokens: HashSet<u64, FixedState>,
    /// Events of each slice.
    pub(super) counts: Vec<u64>,
    pub(super) pages: u64,
    /// Of those, pages that had next to nothing and were not the last: the cost of a search.
    pub(super) thin: u64,
    /// What it cost so far.
    pub(super) poll: Poll,
    pub(super) turn: u32,
    empty: u32,
    restarts: u32,
    failures: u32,
    strikes: u32,
    /// Pages that the group had read at the last strike: only if another range could be read since is it this one's fault.
    strike_at: u64,
}

/// What follows a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Another page.
    Page,
    /// The next chain, or the end of the range.
    Chain,
    /// The range is too much for one read.
    TooMuch,
}

impl Reading {
    /// Begins to read `span`; the group has read `pages` so far.
    pub(super) fn new(span: Span, now: i64, pages: u64) -> Reading {
        Reading {
            counts: vec![0; span.len()],
            poll: Poll { minutes: span.len() as u64, ..Poll::default() },
            span,
            began: now,
            chain: 0,
            token: None,
            tokens: HashSet::default(),
            pages: 0,
            thin: 0,
            turn: 0,
            empty: 0,
            restarts: 0,
            failures: 0,
            strikes: 0,
            strike_at: pages,
        }
    }

    /// A page came, with events of these timestamps.
    pub(super) fn page(&mut self, timestamps: &[i64], token: Option<String>) -> Result<After, Fault> {
        self.failures = 0;
        self.pages += 1;
        self.thin += u64::from(token.is_some() && timestamps.len() < THIN);
        self.turn += 1;
        for timestamp in timestamps {
            if let Some(count) = self.span.position(*timestamp).and_then(|at| self.counts.get_mut(at)) {
                *count += 1;
            }
        }
        self.empty = if timestamps.is_empty() { self.empty + 1 } else { 0 };
        let Some(token) = token else {
            self.start_chain();
            self.restarts = 0;
            self.chain += 1;
            return Ok(After::Chain);
        };
        if self.empty >= EMPTY_PAGES {
            if self.span.len() > 1 {
                return Ok(After::TooMuch);
            }
            self.start_chain();
            return Err(Fault::new(Kind::Server, "empty pages without end"));
        }
        if !self.tokens.insert(self.tokens.hasher().hash_one(&token)) {
            return Err(Fault::new(Kind::Token, "the same token came twice"));
        }
        self.token = Some(token);
        let much = self.span.len() > 1 && self.counts.iter().sum::<u64>() >= MOST_EVENTS;
        Ok(if much { After::TooMuch } else { After::Page })
    }

    /// A token is not accepted: the chain starts again. What the range gave so far is remembered, so that loses and repeats nothing. False where it
    /// happened too often to be only that.
    pub(super) fn restart(&mut self) -> bool {
        self.start_chain();
        self.restarts += 1;
        if self.restarts <= RESTARTS {
            return true;
        }
        self.restarts = 0;
        false
    }

    /// A request failed; the group has read `pages` so far, and `answered` tells whether the service itself said so. True where the range is to be given
    /// up: one of several minutes in favour of its parts, and so at once where that may help.
    pub(super) fn failed(&mut self, pages: u64, answered: bool) -> bool {
        self.failures += 1;
        if !self.failures.is_multiple_of(FAILURES_A_TURN) {
            return false;
        }
        self.turn = TURN;
        if pages > self.strike_at {
            self.strike_at = pages;
            self.strikes += 1;
        }
        if self.span.len() > 1 {
            return self.strikes > 0 || answered && self.failures >= 2 * FAILURES_A_TURN;
        }
        self.strikes >= STRIKES
    }

    /// What the user should know of it, if it takes long.
    pub(super) fn note(&self) -> Option<String> {
        if self.pages <= u64::from(TURN) {
            return None;
        }
        let clock = |millis: i64| {
            let at = jiff::Timestamp::from_millisecond(millis).ok()?;
            Some(at.strftime("%H:%M").to_string())
        };
        let (from, to) = (clock(self.span.start())?, clock(self.span.last() + 1)?);
        Some(format!("{} pages read from {from} to {to}Z so far: newer time takes turns with it", self.pages))
    }

    fn start_chain(&mut self) {
        self.token = None;
        self.tokens.clear();
        self.empty = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(slices: i64) -> Reading {
        Reading::new(Span { slices: 0..slices, backlog: false }, 0, 0)
    }

    #[test]
    fn a_range_of_several_minutes_has_a_cap_and_a_single_minute_has_not() {
        for (slices, capped) in [(2, true), (1, false)] {
            let mut reading = reading(slices);
            for page in 1..100_u64 {
                let after = reading.page(&vec![1000; 10_000], Some(page.to_string())).unwrap();
                assert_eq!(after == After::TooMuch, capped && page >= 32, "{slices} {page}");
            }
            assert!(reading.note().is_some_and(|note| note.starts_with("99 pages read from 00:00 to 00:0")));
        }
        // Empty pages are a search, and smaller parts would not have fewer of them.
        let mut reading = reading(2);
        for page in 0..100 {
            assert_eq!(reading.page(&[], Some(page.to_string())), Ok(After::Page));
        }
    }

    #[test]
    fn endless_chains_are_faults() {
        let mut one = reading(1);
        one.page(&[], Some("a".into())).unwrap();
        assert_eq!(one.page(&[], Some("a".into())).unwrap_err().kind, Kind::Token);
        let mut empty = reading(1);
        let fault = (0..).find_map(|page: u32| empty.page(&[], Some(page.to_string())).err()).unwrap();
        assert_eq!((fault.kind, empty.pages), (Kind::Server, u64::from(EMPTY_PAGES)));
        assert_eq!(empty.token, None);
        // Of a longer range so many may be a search that finds little in much.
        let mut long = reading(720);
        let last = (1..=EMPTY_PAGES).map(|page| long.page(&[], Some(page.to_string())).unwrap()).last();
        assert_eq!(last, Some(After::TooMuch));
    }

    #[test]
    fn a_token_is_forgiven_a_few_times() {
        let mut reading = reading(1);
        assert!((0..RESTARTS).all(|_| reading.restart()));
        assert!(!reading.restart() && reading.restart());
    }

    #[test]
    fn a_range_is_given_up_only_while_others_can_be_read() {
        let mut alone = reading(1);
        assert!((0..1000).all(|_| !alone.failed(0, true)), "nothing works: it is not this range's fault");
        let mut beside = reading(1);
        let failures = (1..1000).find(|pages| beside.failed(*pages, true)).unwrap();
        assert_eq!(failures, u64::from(FAILURES_A_TURN * STRIKES));
        // Of several minutes one may be to blame.
        let mut several = reading(5);
        assert_eq!((1..1000).find(|pages| several.failed(*pages, false)), Some(u64::from(FAILURES_A_TURN)));
        let mut alone = reading(5);
        assert!((0..1000).all(|_| !alone.failed(0, false)), "the network is down: smaller parts are no help");
        assert!((0..1000).any(|_| alone.failed(0, true)));
    }
}
