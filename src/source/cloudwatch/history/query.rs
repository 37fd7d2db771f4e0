//! One query from its start to its last row: requests under the budget, waiting where that helps, stopping where the user has enough.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::super::client::{Aws, Logs as _};
use super::super::clock::{Clock, duration};
use super::super::config::GroupName;
use super::super::fault::{Fault, Kind};
use super::super::pace::{Backoff, Budget};
use super::ask::{self, Results, Rows, State};
use super::slices::Slice;

/// How long a request that fails is tried again, milliseconds. An account at its limit of queries gets longer, since others finish theirs.
const PATIENCE: i64 = 5 * 60_000;
const PATIENCE_THROTTLED: i64 = 20 * 60_000;

/// First and longest time between two looks at a query that runs, milliseconds.
const FIRST_LOOK: i64 = 250;
const LONGEST_LOOK: i64 = 3_000;

/// Records of a query that runs which are shown at most.
pub(super) const MOST_SHOWN: usize = 2_048;

/// A query ends by itself after an hour (quotas); one that does not say so is given up then, milliseconds.
const LONGEST_QUERY: i64 = 65 * 60_000;

/// What all queries of a search share.
pub(super) struct Shared {
    pub aws: tokio::sync::Mutex<Aws>,
    pub clock: Arc<dyn Clock>,
    pub budget: Mutex<Budget>,
    pub groups: Vec<GroupName>,
    pub query: String,
    /// Whether sums were asked for, not records.
    pub sums: bool,
    /// True once the user has enough.
    pub stop: watch::Receiver<bool>,
    /// What each query has done so far, by the first second of its slice: bytes scanned, rows found.
    pub progress: Mutex<HashMap<i64, (u64, u64)>>,
    /// What queries that run have found, by the first second of their slice; where somebody looks at it.
    pub partial: Option<Mutex<Partial>>,
    /// What is waited for, in words for the user.
    pub waiting: Mutex<Option<String>>,
}

/// What queries that run have found so far: some of their rows, in no order.
#[derive(Debug, Default)]
pub(super) struct Partial {
    pub rows: BTreeMap<i64, Rows>,
    /// Counts changes.
    pub changes: u64,
}

/// How the query of a slice ended.
#[derive(Debug)]
pub(super) enum Ended {
    Complete,
    /// It took too long; a shorter slice may not.
    TimedOut,
    /// Another try may help.
    Failed(String),
    /// The time is not kept (any more): there is nothing to be had.
    NotKept(String),
    /// Nothing further can be asked, now.
    GaveUp(String),
    /// The user has enough.
    Stopped,
}

/// What a slice came to.
#[derive(Debug)]
pub(super) struct Answer {
    pub slice: Slice,
    pub ended: Ended,
    /// All rows, or what there was of them.
    pub rows: Rows,
    /// Bytes scanned.
    pub scanned: u64,
}

/// Why a request got no answer.
enum Stuck {
    Stopped,
    /// The query or its page is gone.
    Lost(String),
    NotKept(String),
    GaveUp(String),
}

enum Ask<'a> {
    Start(Slice),
    Results(&'a str, Option<&'a str>),
}

enum Got {
    Started(String),
    Results(Results),
}

/// Asks for the rows of one slice.
pub(super) async fn query(shared: Arc<Shared>, slice: Slice) -> Answer {
    let mut answer = Answer { slice, ended: Ended::Complete, rows: Rows::default(), scanned: 0 };
    let id = match shared.call(&Ask::Start(slice)).await {
        Ok(Got::Started(id)) => id,
        Ok(Got::Results(_)) => String::new(),
        Err(stuck) => {
            answer.ended = stuck.into();
            return answer;
        }
    };
    answer.ended = match shared.follow(&id, &mut answer).await {
        Ok(ended) => ended,
        Err(stuck) => stuck.into(),
    };
    if !matches!(answer.ended, Ended::Complete) {
        // What runs on costs money and a place among the account's queries. It may have ended, which is no fault.
        let aws = shared.aws.lock().await.clone();
        ask::stop(&aws, &id).await;
    }
    lock(&shared.progress).remove(&slice.from);
    if let Some(partial) = &shared.partial {
        let mut partial = lock(partial);
        partial.rows.remove(&slice.from);
        partial.changes += 1;
    }
    answer
}

impl Shared {
    /// Looks at a query until it has ended, then reads all pages.
    async fn follow(&self, id: &str, answer: &mut Answer) -> Result<Ended, Stuck> {
        let began = self.clock.now();
        let mut wait = FIRST_LOOK;
        loop {
            self.sleep(wait).await?;
            wait = (wait * 3 / 2).min(LONGEST_LOOK);
            let Got::Results(results) = self.call(&Ask::Results(id, None)).await? else { continue };
            answer.scanned = answer.scanned.max(results.scanned);
            let found = results.rows.events.len().max(results.rows.groups.len()) as u64;
            lock(&self.progress).insert(answer.slice.from, (answer.scanned, found));
            let ended = match results.state {
                State::Running if self.clock.now() - began > LONGEST_QUERY => Ended::TimedOut,
                State::Running => {
                    self.found(answer.slice.from, results.rows);
                    continue;
                }
                State::Complete => Ended::Complete,
                State::Timeout => Ended::TimedOut,
                State::Failed => Ended::Failed("CloudWatch Logs says that the query failed".to_owned()),
                State::Cancelled => Ended::Failed("somebody else stopped the query".to_owned()),
            };
            self.pages(id, results, &mut answer.rows).await?;
            return Ok(ended);
        }
    }

    /// Keeps what a query that runs has found, where somebody looks at it.
    fn found(&self, slice: i64, mut rows: Rows) {
        let Some(partial) = &self.partial else { return };
        rows.events.truncate(MOST_SHOWN);
        let mut partial = lock(partial);
        partial.rows.insert(slice, rows);
        partial.changes += 1;
    }

    async fn pages(&self, id: &str, first: Results, rows: &mut Rows) -> Result<(), Stuck> {
        let mut token = first.token;
        *rows = first.rows;
        while let Some(at) = token.take() {
            let Got::Results(page) = self.call(&Ask::Results(id, Some(&at))).await? else { break };
            rows.events.extend(page.rows.events);
            rows.groups.extend(page.rows.groups);
            if page.token.as_ref() == Some(&at) {
                // A page that leads to itself would never end.
                return Err(Stuck::Lost("the pages of the result do not end".to_owned()));
            }
            token = page.token;
        }
        Ok(())
    }

    /// Sends one request, again and again where that helps.
    async fn call(&self, ask: &Ask<'_>) -> Result<Got, Stuck> {
        let began = self.clock.now();
        let mut backoff = Backoff::new(began.cast_unsigned());
        let mut refreshed = false;
        loop {
            let wait = lock(&self.budget).wait(self.clock.now());
            if !wait.is_zero() {
                self.sleep(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)).await?;
                continue;
            }
            if *self.stop.borrow() {
                return Err(Stuck::Stopped);
            }
            lock(&self.budget).take(1);
            let aws = self.aws.lock().await.clone();
            let fault = match self.send(&aws, ask).await {
                Ok(got) => {
                    *lock(&self.waiting) = None;
                    return Ok(got);
                }
                Err(fault) => fault,
            };
            let names: Vec<&str> = self.groups.iter().map(GroupName::name).collect();
            let why = explain(&fault, &names.join(", "), &aws);
            let starting = matches!(ask, Ask::Start(_));
            let patience = match &fault.kind {
                Kind::Refused if not_kept(&fault) => return Err(Stuck::NotKept(fault.detail)),
                Kind::NoSuchGroup | Kind::Refused | Kind::Token if !starting => return Err(Stuck::Lost(fault.detail)),
                Kind::Clock | Kind::Denied { .. } | Kind::NoSuchGroup | Kind::Refused | Kind::Token => {
                    return Err(Stuck::GaveUp(why));
                }
                Kind::Throttled => PATIENCE_THROTTLED,
                _ => PATIENCE,
            };
            if self.clock.now() - began > patience {
                return Err(Stuck::GaveUp(why));
            }
            if fault.is_login() {
                self.aws.lock().await.refresh().await;
                if !std::mem::replace(&mut refreshed, true) {
                    continue;
                }
            }
            *lock(&self.waiting) = Some(why);
            let wait = if fault.needs_person() { backoff.stuck() } else { backoff.failed() };
            self.sleep(wait).await?;
        }
    }

    async fn send(&self, aws: &Aws, request: &Ask<'_>) -> Result<Got, Fault> {
        match request {
            // An end in seconds: an event in the middle of the last one is told by its milliseconds here.
            Ask::Start(slice) => {
                ask::start(aws, &self.groups, &self.query, (slice.from, slice.to + 1)).await.map(Got::Started)
            }
            Ask::Results(id, token) => ask::results(aws, id, *token, self.sums).await.map(Got::Results),
        }
    }

    async fn sleep(&self, millis: i64) -> Result<(), Stuck> {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = self.clock.sleep(duration(millis)) => Ok(()),
            () = stopped(&mut stop) => Err(Stuck::Stopped),
        }
    }
}

impl From<Stuck> for Ended {
    fn from(stuck: Stuck) -> Ended {
        match stuck {
            Stuck::Stopped => Ended::Stopped,
            Stuck::Lost(why) => Ended::Failed(why),
            Stuck::NotKept(why) => Ended::NotKept(why),
            Stuck::GaveUp(why) => Ended::GaveUp(why),
        }
    }
}

/// Whether a query was refused because nothing of its time is kept: AWS answers so for a range before the group was made or past its retention.
fn not_kept(fault: &Fault) -> bool {
    let text = fault.detail.to_ascii_lowercase();
    text.contains("retention") || text.contains("creation time")
}

fn explain(fault: &Fault, groups: &str, aws: &Aws) -> String {
    match &fault.kind {
        Kind::Throttled => {
            "CloudWatch Logs is at a limit of this account (queries at a time, or requests a second), which all its tools share: waiting for others to finish"
                .to_owned()
        }
        Kind::Refused if fault.detail.contains("MalformedQuery") => {
            format!("Logs Insights does not take the query: {}. Simplify the filter; `flowtail filter EXPR --to insights` shows what becomes of it", fault.detail)
        }
        _ => fault.explain(groups, aws.place()),
    }
}

/// Completes once the user has enough; never, where nobody can say so any more.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What a lock protects is whole between any two statements, so a panic elsewhere does not spoil it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
