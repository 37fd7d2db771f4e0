//! From the command line to a running source, a decoder and an engine: what the screen and the headless front end share.

pub mod inventory;
mod open;
pub mod search;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use inventory::Inventory;
use search::{Lessons, Searcher};
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;

use crate::cli::{Command, Common};
use crate::detect::{Detector, Limits, Rules};
use crate::engine::Config;
use crate::export::clean::for_terminal;
use crate::filter::translate::pattern::Fetch;
use crate::filter::{Filter, FilterError, Stage};
use crate::record::{Decoder, Format, Input};
use crate::source::demo;

/// What keeps a run from starting or from reading all its input. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// `--filter` is no filter.
    #[error("--filter: {}", pointed(.text, .error))]
    Filter {
        /// What was typed.
        text: String,
        /// What is wrong with it.
        error: FilterError,
    },
    /// `--fetch` is no filter, or one that would fetch something else than was meant.
    #[error("--fetch: {}", pointed(.text, .error))]
    Fetch {
        /// What was typed.
        text: String,
        /// What is wrong with it.
        error: FilterError,
    },
    /// `--format` is no format.
    #[error("--format: {0}")]
    Format(#[from] crate::record::format::FormatError),
    /// Only flow records have a line to give back.
    #[error("--as log gives back the lines of flow records; use it with --print flows, or another shape")]
    LogShape,
    /// `--on-alert` cannot be followed.
    #[error("--on-alert: {0}")]
    OnAlert(String),
    /// The built-in rules do not read.
    #[error("built-in rules: {0}")]
    Rules(#[from] crate::detect::RuleError),
    /// `--who` names nothing, or too much, or names it where nobody can be asked.
    #[error("--who: {0}")]
    Who(String),
    /// The tail cannot begin.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Tail(#[from] crate::source::cloudwatch::TailError),
    /// There is nothing to search for, or nobody who may.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    History(#[from] crate::source::cloudwatch::history::HistoryError),
    /// Built without the AWS client.
    #[error(
        "this flowtail was built without the AWS client; build it with the default features to tail CloudWatch Logs"
    )]
    NoAws,
    /// Some input could not be read; the rest was.
    #[error("{0}")]
    Unreadable(String),
}

/// The filter with the wrong part marked underneath.
pub(crate) fn pointed(text: &str, error: &FilterError) -> String {
    // A script or a rule may have it from anywhere.
    let cells = |part: Option<&str>| for_terminal(part.unwrap_or_default()).chars().count();
    let (before, wide) = (cells(text.get(..error.span.start)), cells(text.get(error.span.clone())).max(1));
    let (said, text) = (error.to_string(), for_terminal(text));
    format!("{}\n  {text}\n  {}{}", for_terminal(&said), " ".repeat(before), "^".repeat(wide))
}

pub(crate) type Running = Pin<Box<dyn Future<Output = Result<(), StartError>> + Send>>;

/// What can be asked of a source while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// An hour before what was read or asked for so far.
    Earlier,
    /// No more than what was read.
    Stop,
}

/// Asks a source; never waits.
pub type Loader = Arc<dyn Fn(Load) + Send + Sync>;

/// A source that is ready to run.
pub struct Source {
    /// Name for the header.
    pub name: Arc<str>,
    /// Region, where known.
    pub region: Option<Arc<str>>,
    /// Interfaces asked for.
    pub interfaces: Vec<Arc<str>>,
    /// What is fetched only, where not everything is.
    pub fetch: Option<Arc<Fetch>>,
    /// What records must pass to be taken in: a search may give more than was asked for.
    pub select: Option<Filter>,
    /// Where the source must end by itself, since it has left something to be stopped: set to true.
    pub stop: Option<Arc<watch::Sender<bool>>>,
    /// Asks for earlier time, where it has any.
    pub load: Option<Loader>,
    /// Searches it, where it can be.
    pub search: Option<Searcher>,
    /// What its rules can be taught of the time before.
    pub lessons: Option<Lessons>,
    /// What says what its interfaces are.
    pub inventory: Option<Inventory>,
    /// What the user should know of what was made of the arguments, one sentence each.
    pub remarks: Vec<String>,
    /// Whether it goes on by itself.
    pub live: bool,
    /// Seconds that its records may be late.
    pub lateness: i64,
    /// First and last Unix second of its records, where that is known before they are read.
    pub span: Option<(i64, i64)>,
    run: Box<dyn FnOnce(Sender<Input>) -> Running + Send>,
}

/// Records of a tail come up to a quarter of an hour late; what was written to a file is nearly in order.
const TAIL_LATENESS: i64 = 20 * 60;
const FILE_LATENESS: i64 = 10 * 60;

impl Source {
    /// A source that ends by itself and has nothing but records.
    fn plain(name: Arc<str>, lateness: i64, run: impl FnOnce(Sender<Input>) -> Running + Send + 'static) -> Source {
        Source {
            name,
            region: None,
            interfaces: Vec::new(),
            fetch: None,
            select: None,
            stop: None,
            load: None,
            search: None,
            lessons: None,
            inventory: None,
            remarks: Vec::new(),
            live: false,
            lateness,
            span: None,
            run: Box::new(run),
        }
    }

    /// Prepares the source that `command` names. `screen` tells whether a person watches.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub async fn prepare(command: Command, common: &Common, screen: bool) -> Result<Source, StartError> {
        // Without a screen nothing is kept unless a folder is named.
        let place = crate::state::place(&command, common).filter(|_| screen || common.state.is_some());
        only_for_a_tail(&command)?;
        match command {
            Command::Tail(tail) => {
                let given = common.format.as_deref().map(Format::parse).transpose()?;
                let wanted = tail.fetch.as_deref().map(fetch_filter).transpose()?;
                prepare_tail(tail, wanted, given, common, place).await
            }
            Command::Open(wanted) => open::files(wanted, screen),
            #[cfg(feature = "aws")]
            Command::History(wanted) => crate::history::source(&wanted, common, screen).await,
            #[cfg(not(feature = "aws"))]
            Command::History(_) => Err(StartError::NoAws),
            Command::Demo(typed) => {
                let speed = typed.speed.or(screen.then_some(demo::DEFAULT_SPEED));
                let source = Source::plain("demo".into(), TAIL_LATENESS, move |out| {
                    Box::pin(async move {
                        demo::run(demo::DemoConfig { speed }, out).await;
                        Ok(())
                    })
                });
                Ok(Source { region: Some("us-west-1".into()), ..source })
            }
            Command::Rules { .. }
            | Command::Filter(_)
            | Command::Fields
            | Command::Themes
            | Command::Completions { .. }
            | Command::Man => Err(StartError::Unreadable("this command reads no records".to_owned())),
        }
    }

    /// Tells the rules how much of it there will be to learn from, where that is known.
    pub fn foretell(&self, detector: &mut Detector) {
        if let Some((first, last)) = self.span {
            detector.expect_span(first, last);
        }
    }

    /// Why there is no earlier time to load, for the user; `None` where there is.
    pub fn nothing_earlier(&self) -> Option<String> {
        let whole = || format!("All of {} is read: nothing earlier is in it.", self.name);
        self.load.is_none().then(whole)
    }

    /// Whether EC2 can be asked what its interfaces are; else why not, for the user.
    ///
    /// # Errors
    /// Why not.
    pub fn has_inventory(&self) -> Result<(), &'static str> {
        match (&self.inventory, self.search.is_some()) {
            (Some(_), _) => Ok(()),
            (None, true) => Err("EC2 is not asked what the interfaces are: --no-interfaces says so."),
            (None, false) => {
                Err("Only a tail knows an account to ask EC2 of; --names FILE names interfaces and addresses.")
            }
        }
    }

    /// How to set up the engine for this source.
    pub fn config(&self, memory: usize) -> Config {
        Config {
            memory,
            lateness: self.lateness,
            live: self.live,
            source: Arc::clone(&self.name),
            region: self.region.clone(),
            interfaces: self.interfaces.clone(),
            fetch: self.fetch.clone(),
        }
    }

    /// A decoder that leaves out what this source was not asked for.
    pub fn narrow(&self, decoder: Decoder) -> Decoder {
        let decoder = narrow(decoder, self.fetch.as_deref());
        match self.select.clone() {
            Some(select) => decoder.only(Box::new(move |row, now| select.matches(row, now))),
            None => decoder,
        }
    }

    /// Runs it until its input ends.
    pub fn run(self, out: Sender<Input>) -> Running {
        (self.run)(out)
    }
}

#[cfg(feature = "aws")]
async fn prepare_tail(
    mut tail: crate::cli::Tail,
    wanted: Option<Filter>,
    given: Option<Format>,
    common: &Common,
    place: Option<crate::state::Place>,
) -> Result<Source, StartError> {
    use crate::source::cloudwatch::{Tail, TailConfig};
    let who = crate::who::resolve(&tail, &common.known, place.as_ref()).await?;
    for id in who.ids {
        if !tail.interfaces.contains(&id) {
            tail.interfaces.push(id);
        }
    }
    let asks = !tail.no_interfaces;
    // The format that `--format` gives counts as the format of every record.
    let mut fetch = wanted.as_ref().map(|wanted| Fetch::new(wanted, given.as_ref()));
    let interfaces = tail.interfaces.iter().map(|name| name.as_str().into()).collect();
    let search = crate::history::searcher(&tail, given.as_ref());
    let lessons = crate::baseline::Lesson::new(&tail, given.as_ref());
    let mut connected = Tail::connect(TailConfig {
        groups: tail.groups,
        interfaces: tail.interfaces,
        since: tail.since,
        lookback: tail.lookback,
        live: tail.live,
        run_for: tail.run_for,
        max_rps: tail.max_rps,
        pattern: fetch.as_ref().and_then(|fetch| fetch.pattern.clone()),
        region: tail.aws.region,
        profile: tail.aws.profile,
        endpoint_url: tail.aws.endpoint_url,
        record: tail.record,
    })
    .await?;
    // Where it is not given, EC2 may prove it, and conditions on fields can be asked for.
    if let Some(wanted) = wanted.as_ref().filter(|_| given.is_none())
        && let Some(format) = connected.format().await
    {
        let better = Fetch::new(wanted, Some(&format));
        connected.ask_for(better.pattern.clone(), format);
        fetch = Some(better);
    }
    let fetch = fetch.map(Arc::new);
    let inventory = asks.then(|| crate::who::inventory(connected.inventory(), place.clone(), who.interfaces));
    let lessons = Some(lessons.of(&connected.origin(), place));
    let source = Source::of_tail(connected, interfaces);
    Ok(Source { fetch, search: Some(search), lessons, inventory, remarks: who.remarks, ..source })
}

#[cfg(feature = "aws")]
impl Source {
    /// A tail that is connected, with the interfaces that it was asked for.
    pub fn of_tail(mut connected: crate::source::cloudwatch::Tail, interfaces: Vec<Arc<str>>) -> Source {
        use crate::source::cloudwatch::Load as Asked;
        let origin = connected.origin();
        let asked = connected.loader();
        let load: Loader = Arc::new(move |what| {
            // A tail that has ended loads nothing.
            let _ = asked.send(match what {
                Load::Earlier => Asked::Earlier(std::time::Duration::from_hours(1)),
                Load::Stop => Asked::Stop,
            });
        });
        let source = Source::plain(Arc::clone(&origin.name), TAIL_LATENESS, |out| {
            Box::pin(async move {
                connected.run(out).await;
                Ok(())
            })
        });
        Source { region: origin.region.clone(), interfaces, load: Some(load), live: true, ..source }
    }

    /// A search that is ready to run, what its records must pass, and how it is told to end.
    pub(crate) fn of_history(
        origin: &crate::record::Origin,
        select: Option<Filter>,
        stop: Arc<watch::Sender<bool>>,
        run: impl FnOnce(Sender<Input>) -> Running + Send + 'static,
    ) -> Source {
        // Rows come in the order of their start, whole windows apart at most.
        let source = Source::plain(Arc::clone(&origin.name), FILE_LATENESS, run);
        Source { region: origin.region.clone(), select, stop: Some(stop), ..source }
    }
}

#[cfg(not(feature = "aws"))]
async fn prepare_tail(
    _: crate::cli::Tail,
    _: Option<Filter>,
    _: Option<Format>,
    _: &Common,
    _: Option<crate::state::Place>,
) -> Result<Source, StartError> {
    std::future::ready(Err(StartError::NoAws)).await
}

/// Says what to do instead where an option of a tail is asked of something else.
fn only_for_a_tail(command: &Command) -> Result<(), StartError> {
    let who = match command {
        Command::Open(open) => &open.only.who,
        Command::Demo(demo) => &demo.only.who,
        Command::History(history) => &history.only.who,
        _ => return Ok(()),
    };
    let Some(who) = who.first() else { return Ok(()) };
    let who = for_terminal(who);
    let example = match who.parse::<std::net::IpAddr>() {
        Ok(address) => format!("ip = {address}"),
        Err(_) if who.starts_with("eni-") => format!("interface-id = {who}"),
        Err(_) => "ip = 10.0.0.1' or 'interface-id = eni-…".to_owned(),
    };
    Err(StartError::Who(format!(
        "only `flowtail tail` asks EC2 which interfaces {who} is. Here select it by what the records say, with --filter '{example}'; \
         with --names FILE a name is a set, as in --filter 'ip in $web-1'"
    )))
}

/// What `--fetch` asks for.
fn fetch_filter(text: &str) -> Result<Filter, StartError> {
    let wrong = |error| StartError::Fetch { text: text.to_owned(), error };
    let filter = Filter::parse(text, Stage::Flows).map_err(wrong)?;
    if let Some(warning) = filter.warnings().first() {
        // What matches nothing, or not what was meant, would leave a tail without records.
        let error = FilterError { span: warning.span.clone(), message: warning.message.clone(), hint: None };
        return Err(wrong(error));
    }
    Ok(filter)
}

/// A decoder that leaves out what is outside of `fetch`: results must not depend on how wide its pattern was.
pub fn narrow(decoder: Decoder, fetch: Option<&Fetch>) -> Decoder {
    match fetch.and_then(Fetch::closed).cloned() {
        Some(closed) => decoder.only(Box::new(move |row, now| closed.matches(row, now))),
        None => decoder,
    }
}

/// A decoder for `--format`.
///
/// # Errors
/// The format is none.
pub fn decoder(common: &Common) -> Result<Decoder, StartError> {
    let given = common.format.as_deref().map(Format::parse).transpose()?;
    Ok(Decoder::new(given))
}

/// Detection with the built-in rules.
///
/// # Errors
/// The rules do not read.
pub fn detector(memory: usize) -> Result<Detector, StartError> {
    Ok(Detector::new(&Rules::builtin()?, limits(memory)))
}

/// What rules may use of `memory` bytes.
pub fn limits(memory: usize) -> Limits {
    Limits { memory: memory / 100 * 12, ..Limits::default() }
}

/// Detection with the rules in force.
///
/// # Errors
/// Nobody loaded any and the built-in ones do not read.
pub fn detection(common: &Common) -> Result<Detector, StartError> {
    match &common.rules {
        Some(rules) => Ok(Detector::new(rules, limits(common.memory))),
        None => detector(common.memory),
    }
}

/// `--filter` for rows of `stage`.
///
/// # Errors
/// The text is no filter.
pub fn filter(common: &Common, stage: Stage) -> Result<Option<Filter>, StartError> {
    let Some(text) = &common.filter else { return Ok(None) };
    Filter::parse(text, stage).map(Some).map_err(|error| StartError::Filter { text: text.clone(), error })
}
