//! The baseline of the rules that ask what is new: three sums by Logs Insights (ports asked for, ports answered on, peers, each by interface), kept in
//! the state folder for a day.

mod kept;

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::watch;

use crate::app::search::Planned;
use crate::cli;
use crate::detect::Baseline;
use crate::detect::baseline::Use;
use crate::filter::{Filter, Stage};
use crate::record::{Field, Format, Origin, SourceState, SourceStatus};
use crate::source::cloudwatch::history::{
    Groups, History, HistoryConfig, HistoryError, MOST_GROUPS, MOST_SCANS, Report, brief, moment,
};
use crate::start::StartError;
use crate::start::search::{Lessons, Run, Search, Teaching, Tell};
use crate::state::Place;

/// Length of a baseline where nothing is said, seconds.
const WEEK: i64 = 7 * 86_400;

/// What is summed up: the filter, and the fields of a group after the interface.
const SUMS: [(&str, [Field; 2]); 3] = [
    // Ports above are mostly those that a system gives to whoever asks.
    ("src $private and dst port < 32768", [Field::SrcAddr, Field::DstPort]),
    ("src $private and src port < 32768", [Field::SrcAddr, Field::SrcPort]),
    ("src $private", [Field::SrcAddr, Field::DstAddr]),
];

/// What is to be learned, and of which log groups.
#[derive(Clone)]
pub struct Lesson {
    asked: Option<i64>,
    /// Seconds before now at which the tail begins: what it reads itself must not count as known.
    since: i64,
    config: HistoryConfig,
    key: String,
    place: Option<Place>,
}

impl Lesson {
    /// What the rules of `tail` can learn; `format` is the one that the user names.
    pub fn new(tail: &cli::Tail, format: Option<&Format>) -> Lesson {
        let asked = tail.baseline.map(|length| i64::try_from(length.as_secs()).unwrap_or(WEEK));
        let config = HistoryConfig {
            groups: tail.groups.clone(),
            from: 0,
            to: 0,
            filter: None,
            by: Vec::new(),
            limit: u64::MAX,
            format: format.cloned(),
            region: tail.aws.region.clone(),
            profile: tail.aws.profile.clone(),
            endpoint_url: tail.aws.endpoint_url.clone(),
        };
        let since = i64::try_from(tail.since.as_secs()).unwrap_or(0);
        Lesson { asked, since, config, key: String::new(), place: None }
    }

    /// The same for a tail that is connected, kept in `place`.
    #[must_use]
    pub fn of(mut self, origin: &Origin, place: Option<Place>) -> Lessons {
        let words = [
            Some(&*origin.name),
            origin.region.as_deref(),
            self.config.profile.as_deref(),
            self.config.endpoint_url.as_deref(),
        ];
        self.key = words.map(|word| word.unwrap_or("-").replace(['\n', '\r'], " ")).join(" | ");
        self.place = place;
        let now = jiff::Timestamp::now().as_second();
        let (mut kept, mut remark) = (None, None);
        if let (Some(length), Some(place)) = (self.asked, &self.place) {
            let path = place.file(&kept::name(&self.key));
            match kept::load(place, &self.key, now) {
                Ok(Some(known)) if kept::is_fresh(&known, length, now) => {
                    let hours = (now - known.taken).max(0) / 3_600;
                    let (from, to) = (moment(known.from), moment(known.to));
                    remark = Some(format!("--baseline: the one kept from {from} to {to}, loaded {hours} h ago"));
                    kept = Some(Arc::new(known));
                }
                Ok(_) => {}
                Err(why) => {
                    remark = Some(format!("--baseline: {} does not read ({why}): it is loaded anew", path.display()));
                }
            }
        }
        let asked = self.asked.is_some();
        let plan = Arc::new(move || {
            let lesson = self.clone();
            Box::pin(async move { lesson.plan().await }) as crate::start::search::Planning
        });
        Lessons { asked, kept, remark, plan }
    }

    /// Finds out what it costs. Nothing that costs money is asked.
    async fn plan(self) -> Result<Search, StartError> {
        let to = jiff::Timestamp::now().as_second() - self.since;
        let from = to - self.asked.unwrap_or(WEEK);
        let taken = to + self.since;
        let mut searches = Vec::new();
        for (filter, fields) in SUMS {
            searches.push((fields, self.search(filter, fields, (from, to)).await?));
        }
        let bytes: Option<u64> = searches.iter().map(|(_, history)| history.estimate().bytes).sum();
        let mut notes: Vec<String> = Vec::new();
        for note in searches.iter().flat_map(|(_, history)| history.notes()) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        if let Some((_, history)) = searches.first() {
            notes.push(format!(
                "Three queries, each of which scans the range. The estimate is from {}.",
                history.estimate().how
            ));
            notes.push(format!(
                "Where a query has more than {MOST_GROUPS} groups, its time is asked for again in parts: up to {MOST_SCANS} times as much is scanned then."
            ));
        }
        let queries: Vec<&str> = searches.iter().map(|(_, history)| history.query()).collect();
        let planned = Planned {
            title: format!("Baseline {} to {}", moment(from), moment(to)),
            estimate: brief(bytes),
            query: queries.join("\n"),
            notes,
        };
        let load: Teaching = Box::new(move |stop, tell| Box::pin(self.load(searches, (from, to, taken), stop, tell)));
        Ok(Search { planned, run: Run::Baseline(load) })
    }

    async fn search(&self, filter: &str, fields: [Field; 2], range: (i64, i64)) -> Result<History, StartError> {
        let filter = Filter::parse(filter, Stage::Flows)
            .map_err(|error| StartError::Filter { text: filter.to_owned(), error })?;
        let mut config = self.config.clone();
        (config.from, config.to, config.filter) = (range.0, range.1, Some(filter));
        config.by = [&[Field::InterfaceId], &fields[..]].concat();
        match Box::pin(History::connect(config.clone())).await {
            // A format without interfaces: its hosts have habits all the same.
            Err(HistoryError::Refused(_)) => {
                config.by = fields.to_vec();
                Ok(Box::pin(History::connect(config)).await?)
            }
            other => Ok(other?),
        }
    }

    async fn load(
        self,
        searches: Vec<([Field; 2], History)>,
        (from, to, taken): (i64, i64, i64),
        stop: watch::Receiver<bool>,
        tell: Tell,
    ) -> Result<Baseline, String> {
        let mut baseline = Baseline { from, to, taken, asked: to - from, ..Baseline::default() };
        let tell = Arc::new(tell);
        for (number, (fields, history)) in searches.into_iter().enumerate() {
            let tell = Arc::clone(&tell);
            let news = move |status: &SourceStatus| {
                let text = match &status.state {
                    SourceState::Waiting { why, .. } => why.clone(),
                    _ => status.note.clone().unwrap_or_default(),
                };
                tell(format!("baseline, {} of 3: {text}", number + 1));
            };
            // What is no longer kept was not searched; the first second that was is the same for all.
            baseline.from = baseline.from.max(history.range().0);
            let (groups, report) = history.for_groups().sums(stop.clone(), Box::new(news)).await;
            take(&mut baseline, fields, &groups, &report)?;
        }
        if let Some(place) = &self.place
            && let Err(error) = kept::save(place, &self.key, &baseline)
        {
            tell(format!("the baseline is in force and not kept: {error}"));
        }
        Ok(baseline)
    }
}

/// Adds what one search found.
fn take(baseline: &mut Baseline, fields: [Field; 2], groups: &Groups, report: &Report) -> Result<(), String> {
    if report.stopped {
        return Err("The baseline was stopped: the rules know what they knew before.".to_owned());
    }
    if !report.unread.is_empty() || report.ended.is_some() {
        // What is not known would be called new.
        let text = report.to_string().replace('\n', ";");
        return Err(format!("No baseline, since a part of its time was not read: {text}"));
    }
    if report.groups_cut {
        baseline.lacks = format!(
            "a quarter of its time has more than {MOST_GROUPS} groups, and those with the fewest bytes beyond are not known"
        );
    }
    for (key, _) in groups.ranked() {
        if baseline.uses.len() == kept::USES {
            baseline.lacks = format!("it has more than {} ports and peers, and those beyond are not known", kept::USES);
            break;
        }
        let (interface, rest) = match key {
            [a, b] => (None, (a, b)),
            [interface, a, b] => (Some(interface).filter(|name| kept::is_name(name)), (a, b)),
            _ => continue,
        };
        let Ok(own) = rest.0.parse::<IpAddr>() else { continue };
        let mut used = Use { interface: interface.map(|name| name.as_str().into()), ..Use::default() };
        match fields[1] {
            Field::DstAddr => {
                let Ok(peer) = rest.1.parse() else { continue };
                (used.client, used.server) = (Some(own), Some(peer));
            }
            field => {
                let Ok(port) = rest.1.parse() else { continue };
                used.port = Some(port);
                if field == Field::DstPort { used.client = Some(own) } else { used.server = Some(own) }
            }
        }
        baseline.uses.push(used);
    }
    Ok(())
}
