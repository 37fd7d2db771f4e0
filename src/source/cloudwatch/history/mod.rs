//! A search over any range of time by `CloudWatch` Logs Insights, AWS's own distributed engine: what is older than the ring, or was never read.
//!
//! * `report` estimates what it costs before, and says what was read after;
//! * `slices` cuts the range, and cuts again where a slice has more rows than a query gives;
//! * `query` sees one query through: limits of the account, faults, pages, stopping;
//! * `search` has a few queries running and passes rows on oldest first, since sessions and rules go by event time;
//! * `groups` adds up the sums of slices;
//! * `ask` speaks to AWS.
//!
//! Rows of a slice are passed on when all of it is there, once. What could not be read is named, with what reads it.

mod ask;
mod groups;
mod query;
mod report;
mod search;
mod slices;

use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::Sender;
use tokio::sync::watch;

use crate::filter::Filter;
use crate::filter::translate::{Context, Refusal, Shape, bounds, insights};
use crate::record::{Batch, Decoder, Event, Field, Format, Input, Origin, SourceStatus};

use super::client::{Ask, Aws, Logs as _, Select, Setup};
use super::config::{self, GroupName, TailConfig};
use super::error::TailError;
use super::pace::Budget;
use super::{Lab, connect, preflight};
use query::Shared;
use search::{Search, Sink};
use slices::Slices;

pub use groups::{Groups, Sums};
pub use report::{Estimate, PRICE, Report, brief, moment};

/// Rows that one query gives at most (API reference, `StartQuery`, `limit`).
pub const MOST_ROWS: usize = 100_000;
/// Groups that one query gives at most.
pub const MOST_GROUPS: usize = 10_000;
/// How many times as much is scanned where there are too many groups all over ([`History::for_groups`]).
pub const MOST_SCANS: u32 = slices::MOST_CUTS + 1;
/// Log groups of one query at most (API reference, `StartQuery`).
const MOST_LOG_GROUPS: usize = 50;
/// Requests a second. `StartQuery` and `GetQueryResults` have 10 each for the whole account (quotas).
const REQUESTS: f64 = 4.0;
/// Longest range, seconds: ten years.
const LONGEST: i64 = 10 * 366 * 86_400;
/// Events that are looked at to learn the format where nobody knows it.
const SAMPLE: i32 = 50;

/// Shown the sums that queries have found so far, and how far they are.
pub type Show = Box<dyn Fn(&Groups, &str) + Send + Sync>;

/// Told of every change while a search runs.
pub type Tell = Box<dyn Fn(&SourceStatus) + Send + Sync>;

/// What to search for.
#[derive(Clone, Debug)]
pub struct HistoryConfig {
    /// Log groups, by name or ARN.
    pub groups: Vec<String>,
    /// First Unix second.
    pub from: i64,
    /// Last Unix second.
    pub to: i64,
    /// What is wanted; `None` for all records.
    pub filter: Option<Filter>,
    /// Sums by these fields instead of records.
    pub by: Vec<Field>,
    /// Most records.
    pub limit: u64,
    /// Format that the user names.
    pub format: Option<Format>,
    /// Region, over what environment and profile say.
    pub region: Option<String>,
    /// Profile, over what the environment says.
    pub profile: Option<String>,
    /// Another endpoint than AWS.
    pub endpoint_url: Option<String>,
}

/// Why there is no search. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// What also keeps a tail from starting.
    #[error(transparent)]
    Aws(#[from] TailError),
    /// Insights cannot say what was asked.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The range is none.
    #[error("{0}")]
    Range(String),
    /// Sums would count what the filter does not select.
    #[error(
        "sums would count records that the filter does not select: {0} Leave that out of the filter, or ask for records (without --by), which are checked here"
    )]
    Inexact(String),
}

/// A search that is ready to run.
pub struct History {
    aws: Aws,
    lab: Lab,
    groups: Vec<GroupName>,
    config: HistoryConfig,
    now: i64,
    range: (i64, i64),
    most: usize,
    query: String,
    notes: Vec<String>,
    estimate: Estimate,
    formats: Vec<Arc<Format>>,
    wants: Wants,
}

/// What else is wanted than what is complete.
#[derive(Default)]
struct Wants {
    /// What queries have found that still run.
    partial: bool,
    /// Groups whatever their sums.
    split: bool,
    /// Sums so far.
    show: Option<Show>,
}

impl History {
    /// Checks what was asked, asks the groups for their formats and sizes, and writes the query. Nothing that costs money is asked.
    ///
    /// # Errors
    /// What only the user can mend.
    pub async fn connect(config: HistoryConfig) -> Result<History, HistoryError> {
        Box::pin(History::connect_with(config, Lab::default(), MOST_ROWS)).await
    }

    /// [`History::connect`] with what tests change; `most` is how many rows a query gives.
    ///
    /// # Errors
    /// See [`History::connect`].
    pub async fn connect_with(config: HistoryConfig, lab: Lab, most: usize) -> Result<History, HistoryError> {
        let now = lab.clock.now().div_euclid(1000);
        let checked = config::check(&TailConfig {
            groups: config.groups.clone(),
            region: config.region.clone(),
            endpoint_url: config.endpoint_url.clone(),
            ..TailConfig::default()
        })?;
        if checked.groups.is_empty() || checked.groups.len() > MOST_LOG_GROUPS {
            return Err(HistoryError::Range(format!(
                "name 1 to {MOST_LOG_GROUPS} log groups, which is what a query takes"
            )));
        }
        let mut notes = Vec::new();
        let mut range = asked(&config, now, &mut notes)?;
        let setup = Setup {
            region: checked.region.clone(),
            profile: config.profile.clone(),
            endpoint: config.endpoint_url.clone(),
            keys: lab.keys.clone(),
            read_timeout: lab.read_timeout,
            tries: lab.tries,
        };
        let mut aws = Aws::open(setup).await?;
        let formats = formats(&mut aws, &checked.groups, &config, range, &mut notes).await;
        let mut sizes = Vec::new();
        for group in &checked.groups {
            match ask::size(&aws, group).await {
                // Names are listed in order, so one that is there comes first.
                Ok(None) if !group.is_arn() => {
                    let (similar, s3) = connect::offer(&aws, group.name()).await;
                    let (group, region) = (group.given.clone(), aws.place().region.clone());
                    return Err(TailError::NoSuchGroup { group, region, similar, s3 }.into());
                }
                Ok(size) => sizes.push(size),
                // It may not be allowed, or not pass now; the search may be all the same.
                Err(fault) => {
                    if fault.is_login()
                        && let Some(error) = fault.fatal(&group.given, aws.place())
                    {
                        return Err(error.into());
                    }
                    sizes.push(None);
                }
            }
        }
        // Before the oldest group keeps anything there is nothing to ask for.
        let since =
            sizes.iter().map(|size| size.as_ref().and_then(|size| report::kept_since(size, now))).min().flatten();
        if let Some(since) = since.filter(|since| *since > range.0) {
            notes.push(format!("Nothing is kept from before {}: searched from there.", moment(since)));
            range.0 = since.min(range.1);
        }
        let estimate = report::estimate(&sizes, range, now);
        let context = Context { formats: &formats, now, group: None, region: None, span: Some(range) };
        let most = most.min(usize::try_from(config.limit).unwrap_or(usize::MAX)).max(1);
        let shape = if config.by.is_empty() {
            Shape::Onward { limit: u32::try_from(most).unwrap_or(u32::MAX) }
        } else {
            Shape::Groups { by: config.by.clone(), limit: u32::try_from(MOST_GROUPS).unwrap_or(u32::MAX) }
        };
        let written = insights(config.filter.as_ref(), &context, &shape)?;
        if !config.by.is_empty() && !written.exact {
            return Err(HistoryError::Inexact(written.notes.join(" ")));
        }
        if !written.exact {
            notes.push("Insights cannot say all of the filter: what it selects is checked again here.".to_owned());
        }
        notes.extend(written.notes);
        let most = if config.by.is_empty() { most } else { MOST_GROUPS };
        Ok(History {
            aws,
            lab,
            groups: checked.groups,
            config,
            now,
            range,
            most,
            query: written.text,
            notes,
            estimate,
            formats,
            wants: Wants::default(),
        })
    }

    /// Also passes on what queries have found that still run ([`Input::Partial`]), for somebody who watches.
    #[must_use]
    pub fn with_partial(mut self) -> History {
        self.wants.partial = true;
        self
    }

    /// Wants to know which groups there are, whatever their sums, which may count twice then: where there are more than a query gives, halves of the
    /// time are asked for, and their halves.
    #[must_use]
    pub fn for_groups(mut self) -> History {
        self.wants.split = true;
        self
    }

    /// Shows the sums so far while they are added up.
    #[must_use]
    pub fn showing(mut self, show: Show) -> History {
        (self.wants.partial, self.wants.show) = (true, Some(show));
        self
    }

    /// The query, as the Insights console takes it.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// What the user should know beforehand.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// First and last Unix second that are searched.
    pub fn range(&self) -> (i64, i64) {
        self.range
    }

    /// What will be scanned.
    pub fn estimate(&self) -> &Estimate {
        &self.estimate
    }

    /// What it searches: the names of the groups, and the region.
    pub fn origin(&self) -> Origin {
        let names: Vec<&str> = self.groups.iter().map(GroupName::name).collect();
        Origin { name: names.join(", ").into(), region: Some(self.aws.place().region.as_str().into()) }
    }

    /// Searches for records and passes them on, oldest first. `stop` set to true ends it: the queries that run are stopped.
    pub async fn run(self, out: Sender<Input>, stop: watch::Receiver<bool>, tell: Tell) -> Report {
        let sink = Sink::Rows {
            out,
            origin: Arc::new(self.origin()),
            formats: self.formats.clone(),
            // Words such as `last 1h` mean here what they meant in the query.
            arrival: self.now.saturating_mul(1000),
        };
        self.search(sink, stop, tell).await.1
    }

    /// Searches for sums by group.
    pub async fn sums(self, stop: watch::Receiver<bool>, tell: Tell) -> (Groups, Report) {
        match self.search(Sink::Sums(Groups::default()), stop, tell).await {
            (Sink::Sums(groups), report) => (groups, report),
            (Sink::Rows { .. }, report) => (Groups::default(), report),
        }
    }

    async fn search(self, sink: Sink, stop: watch::Receiver<bool>, tell: Tell) -> (Sink, Report) {
        let sums = !self.config.by.is_empty();
        let facts = vec![
            ("range".to_owned(), format!("{} to {}", moment(self.range.0), moment(self.range.1))),
            ("query".to_owned(), self.query.replace('\n', " ")),
            ("estimate".to_owned(), self.estimate.to_string()),
        ];
        let shared = Shared {
            aws: tokio::sync::Mutex::new(self.aws),
            budget: Mutex::new(Budget::new(REQUESTS, self.lab.clock.now())),
            clock: self.lab.clock,
            groups: self.groups,
            query: self.query,
            sums,
            stop,
            progress: Mutex::default(),
            partial: self.wants.partial.then(Mutex::default),
            waiting: Mutex::default(),
        };
        let report = Report { range: self.range, ..Report::default() };
        // Sums of the whole range come from one query: the largest groups of all slices need not be the largest of each.
        let slices = Slices::new(self.range.0, self.range.1, sums, self.most);
        let mut search = Search::new(Arc::new(shared), slices, sink, report, tell);
        (search.show, search.split) = (self.wants.show, self.wants.split);
        (search.most, search.limit, search.facts) = (self.most, if sums { u64::MAX } else { self.config.limit }, facts);
        Box::pin(search.run()).await
    }
}

/// The seconds that are searched: those that were asked for, up to now, as far as the filter asks for them.
fn asked(config: &HistoryConfig, now: i64, notes: &mut Vec<String>) -> Result<(i64, i64), HistoryError> {
    let mut range = (config.from, config.to.min(now));
    if let Some(filter) = &config.filter {
        let (from, to) = bounds(filter, now);
        let second = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let narrow = (range.0.max(from.map_or(i64::MIN, second)), range.1.min(to.map_or(i64::MAX, second)));
        if narrow != range && narrow.0 <= narrow.1 {
            notes.push("The filter asks for a part of the range, and only that is searched.".to_owned());
        }
        range = narrow;
    }
    if range.0 > range.1 {
        return Err(HistoryError::Range(format!(
            "nothing lies between --from {} and --to {}: the range is empty, in the future, or outside of what the filter asks for",
            moment(config.from),
            moment(config.to)
        )));
    }
    if range.1 - range.0 > LONGEST {
        return Err(HistoryError::Range("search at most ten years".to_owned()));
    }
    Ok(range)
}

/// The formats of the records: what the user says, what EC2 says, or what a few of them look like.
async fn formats(
    aws: &mut Aws,
    groups: &[GroupName],
    config: &HistoryConfig,
    range: (i64, i64),
    notes: &mut Vec<String>,
) -> Vec<Arc<Format>> {
    if let Some(format) = &config.format {
        return vec![Arc::new(format.clone())];
    }
    let mut asking = preflight::Asking::begin(aws.clone(), groups.to_vec(), range.0.saturating_mul(1000));
    let about = asking.within(preflight::PUSH_DOWN).await.unwrap_or_default();
    if !about.formats.is_empty() {
        return about.formats;
    }
    let mut found: Vec<Arc<Format>> = Vec::new();
    for group in groups {
        let millis = (range.0.saturating_mul(1000), range.1.saturating_mul(1000).saturating_add(999));
        let ask = Ask { group, select: Select::All, pattern: None, range: millis, token: None, limit: Some(SAMPLE) };
        let Ok(page) = aws.page(&ask).await else { continue };
        let mut batch = Batch { streams: vec!["sample".into()], ..Batch::default() };
        for event in page.events {
            batch.bytes.extend_from_slice(event.message.as_bytes());
            let end = u32::try_from(batch.bytes.len()).unwrap_or(u32::MAX);
            batch.events.push(Event {
                end,
                stream: 0,
                timestamp: event.timestamp,
                ingestion: event.ingestion,
                id: "".into(),
            });
        }
        if batch.events.is_empty() {
            continue;
        }
        for tally in Decoder::new(None).decode(&batch).formats {
            if !found.contains(&tally.format) {
                found.push(tally.format);
            }
        }
    }
    let text = match found.as_slice() {
        [] => "The format of the records is not known and taken to be the default one; name another with --format."
            .to_owned(),
        [one] if **one == *Format::default_v2() => return found,
        [one] => format!("The format is taken from a few records: {}. --format names another.", one.label()),
        many => format!("A few records have {} formats, and the query reads these. --format names one.", many.len()),
    };
    notes.push(text);
    found
}
