//! `CloudWatch` Logs: the only place that knows an AWS SDK type.
//!
//! [`Tail`] reads log groups with `FilterLogEvents` and passes on every event that the API returns for the swept range, once. It never resumes from
//! the last timestamp seen, since flow log events are delivered minutes late and out of order. Instead:
//!
//! * `plan` cuts event time into slices of a minute and decides which to read again, until each was read at the age of look-back;
//! * `seen` remembers the event ids of a slice for as long as the slice may be read again;
//! * `group` reads one range through its interfaces and pages, and copes with tokens that fail and pages that do not come;
//! * `runner` serves the groups in turn under one request budget (`pace`), sends batches, gaps and news of itself;
//! * `account` says what that costs and how it keeps up;
//! * `client` speaks to AWS, `fault` sorts what goes wrong by what helps, `connect` asks before the screen opens;
//! * `record` writes what was received to a file;
//! * `preflight` finds out what flow logs write to a group, and in which format;
//! * `inventory` asks EC2 what the interfaces of the account are;
//! * `live` opens Live Tail sessions where asked to, as an extra that the reads do not rely on;
//! * `history` searches any range by Logs Insights;
//! * `clock` is injected, so that tests scale time.

mod account;
mod client;
mod clock;
mod config;
mod connect;
mod error;
mod fault;
mod group;
pub mod history;
mod inventory;
mod lateness;
mod live;
mod pace;
mod plan;
mod preflight;
mod record;
mod runner;
mod seen;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedSender, unbounded_channel};

use crate::record::{Format, Input, Origin};

use client::{Aws, Logs as _, Setup};
use clock::millis;
use group::Group;
use plan::Plan;

pub use clock::{Clock, Sleep, SystemClock};
pub use config::TailConfig;
pub use error::TailError;
pub use inventory::Inventory;

/// Event ids remembered over all groups: with 20.6 MB a million at worst (see `seen`) 62 MB, the de-duplication's share of the memory budget.
const MOST_IDS: usize = 3_000_000;

/// What tests change: the clock and the SDK's temper. The defaults are what a user gets.
#[derive(Clone)]
pub struct Lab {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Access key id and secret key, instead of the credential providers.
    pub keys: Option<(String, String)>,
    /// Events a page at most; `None` for as many as it carries.
    pub page_limit: Option<i32>,
    /// Longest silence in an answer.
    pub read_timeout: Duration,
    /// Tries of one request inside the SDK, 1 for none beyond the first.
    pub tries: u32,
}

impl Default for Lab {
    fn default() -> Self {
        // Two tries take care of hiccups; anything longer is the runner's, which tells the user that it waits.
        Lab {
            clock: Arc::new(SystemClock),
            keys: None,
            page_limit: None,
            read_timeout: Duration::from_secs(15),
            tries: 2,
        }
    }
}

/// What can be asked of a tail while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// So much time before what was read or asked for so far.
    Earlier(Duration),
    /// No more earlier time than what was read.
    Stop,
}

/// A tail of one or more log groups, connected and ready to run.
pub struct Tail {
    parts: runner::Parts<Aws>,
    /// Live sessions to open.
    live: Vec<live::Want>,
}

impl Tail {
    /// Checks the configuration, loads credentials and asks each group one small question.
    ///
    /// # Errors
    /// What only the user can mend: names, region, credentials, permissions. A network that does not answer, throttling and faults of AWS are no
    /// error: the tail starts and waits.
    pub async fn connect(config: TailConfig) -> Result<Tail, TailError> {
        Box::pin(Tail::connect_with(config, Lab::default())).await
    }

    /// [`Tail::connect`] with what tests change.
    ///
    /// # Errors
    /// See [`Tail::connect`].
    pub async fn connect_with(config: TailConfig, lab: Lab) -> Result<Tail, TailError> {
        let checked = config::check(&config)?;
        let setup = Setup {
            region: checked.region.clone(),
            profile: config.profile,
            endpoint: config.endpoint_url,
            keys: lab.keys,
            read_timeout: lab.read_timeout,
            tries: lab.tries,
        };
        let mut aws = Aws::open(setup).await?;
        let now = lab.clock.now();
        let pattern: Option<Arc<str>> = config.pattern.map(Into::into);
        if checked.groups.is_empty() {
            let found = connect::found(&aws).await?;
            return Err(TailError::NoGroup { region: aws.place().region.clone(), found });
        }
        // Beside the probe, and the first reads where it takes longer: the tail needs none of it.
        let oldest = now - millis(config.since).max(millis(config.lookback));
        let mut asking = preflight::Asking::begin(aws.clone(), checked.groups.clone(), oldest);
        connect::probe(&mut aws, &checked.groups, pattern.as_ref(), now).await?;
        let about = asking.within(preflight::FIRST_READ).await.unwrap_or_default();
        let now = now.saturating_add(aws.skew());
        let recorder = match &config.record {
            Some(path) => Some(
                record::Recorder::open(path)
                    .map_err(|error| TailError::Record { path: path.display().to_string(), why: error.to_string() })?,
            ),
            None => None,
        };
        let names: Vec<&str> = checked.groups.iter().map(config::GroupName::name).collect();
        let region = Some(aws.place().region.as_str().into());
        let origin = Arc::new(Origin { name: names.join(", ").into(), region });
        let live = if config.live { live_sessions(&checked, pattern.as_deref()) } else { Vec::new() };
        let count = checked.groups.len();
        #[expect(clippy::cast_precision_loss, reason = "a handful of groups")]
        let share = config.max_rps / count as f64;
        let mut groups = Vec::new();
        for (seed, name) in checked.groups.into_iter().enumerate() {
            let (since, lookback) = (millis(config.since), millis(config.lookback));
            let plan = Plan::new(now, since, lookback, checked.interfaces.len(), share, MOST_IDS / count);
            // The time makes the jitter of two tails differ.
            let seed = now.cast_unsigned().wrapping_add(seed as u64);
            groups.push(Group::new(name, &checked.interfaces, plan, seed));
        }
        let parts = runner::Parts {
            logs: aws,
            clock: lab.clock,
            origin,
            groups,
            max_rps: config.max_rps,
            lookback: config.lookback,
            run_for: config.run_for,
            pattern,
            proof: None,
            live: runner::Live::default(),
            limit: lab.page_limit,
            recorder,
            about,
            asking,
            asked: None,
        };
        Ok(Tail { parts, live })
    }

    /// The one format of every record that will be read, where EC2 says so; waits for its answer, but not for long.
    pub async fn format(&mut self) -> Option<Arc<Format>> {
        if let Some(about) = self.parts.asking.within(preflight::PUSH_DOWN).await {
            self.parts.about = about;
        }
        self.parts.about.proven.clone()
    }

    /// A way to ask for earlier time while it runs.
    pub fn loader(&mut self) -> UnboundedSender<Load> {
        let (sender, asked) = unbounded_channel();
        self.parts.asked = Some(asked);
        sender
    }

    /// Sends `pattern` with every request, instead of that of the configuration, as long as all records are of `format`, which [`Tail::format`] gave.
    /// Should EC2 say otherwise later, that of the configuration is sent again.
    pub fn ask_for(&mut self, pattern: Option<String>, format: Arc<Format>) {
        for want in &mut self.live {
            want.pattern.clone_from(&pattern);
        }
        let wider = std::mem::replace(&mut self.parts.pattern, pattern.map(Into::into));
        let confirmed = self.parts.clock.now().saturating_add(self.parts.logs.skew());
        self.parts.proof = Some(runner::Proof { format, wider, confirmed, broken: false });
    }

    /// A way to ask EC2 what the interfaces of its account and region are.
    pub fn inventory(&self) -> Inventory {
        Inventory::of(self.parts.logs.clone(), Arc::clone(&self.parts.clock))
    }

    /// What it reads: the names of the groups, and the region.
    pub fn origin(&self) -> Arc<Origin> {
        Arc::clone(&self.parts.origin)
    }

    /// Tails until [`TailConfig::run_for`] is over (then sends [`Input::End`]) or the receiver is gone. Waits while the channel is full; nothing is
    /// dropped. No fault ends it.
    pub async fn run(mut self, out: Sender<Input>) {
        let mut seed = self.parts.clock.now().cast_unsigned();
        let sessions = self.live.into_iter().map(|want| {
            let groups = want.groups.iter().map(|(group, _)| *group).collect();
            seed = seed.wrapping_add(1);
            (live::start(self.parts.logs.clone(), want, Arc::clone(&self.parts.clock), seed), groups)
        });
        self.parts.live = runner::Live::new(sessions.collect());
        Box::pin(runner::run(self.parts, out)).await;
    }
}

/// One session for all groups, since it costs by the minute; one a group where streams are chosen, since the API takes prefixes for one group only.
fn live_sessions(checked: &config::Checked, pattern: Option<&str>) -> Vec<live::Want> {
    let groups: Vec<(usize, String)> =
        checked.groups.iter().enumerate().map(|(place, group)| (place, group.given.clone())).collect();
    let want = |groups: Vec<(usize, String)>| live::Want {
        groups,
        prefixes: checked.interfaces.clone(),
        pattern: pattern.map(str::to_owned),
    };
    if checked.interfaces.is_empty() {
        vec![want(groups)]
    } else {
        groups.into_iter().map(|group| want(vec![group])).collect()
    }
}
