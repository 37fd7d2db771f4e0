//! The front end without a screen: the same engine, printing rows. What scripts, tests and pipes use, so its output is a contract (DESIGN §9).

mod printer;
mod summary;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use tokio::sync::mpsc;

use printer::Printer;

use crate::cli::{As, Command, Common, Print};
use crate::engine::Core;
use crate::enrich::Known;
use crate::export::flow::FlowWriter;
use crate::export::session::SessionWriter;
use crate::export::{Shape, clean};
use crate::filter::{Filter, Stage};
use crate::notify::Notifier;
use crate::record::{Decoded, Decoder, Field, Gap, Input, SourceState, SourceStatus};
use crate::start::{self, Source, StartError};

/// Inputs on their way from the source, and decoded ones on their way to the engine.
const QUEUE: usize = 8;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Rows were printed, or the reader had enough.
    Done,
    /// No row was printed.
    Nothing,
}

/// What the decode thread hands on.
enum Work {
    Rows(Box<Decoded>),
    Status(Box<SourceStatus>),
    Gap(Gap),
}

/// Runs `command` and prints `what` to standard output.
///
/// # Errors
/// What kept it from starting, or from reading all its input (after the rest was read).
pub async fn run(command: Command, common: &Common, what: Print) -> Result<Outcome, StartError> {
    check(common, what)?;
    let source = Source::prepare(command, common, false).await?;
    print(source, common, what, Box::new(io::stdout()), io::stdout().is_terminal()).await
}

/// What can be said without a source.
fn check(common: &Common, what: Print) -> Result<(), StartError> {
    start::decoder(common)?;
    start::filter(common, stage(what))?;
    if common.shape == Some(As::Log) && what != Print::Flows {
        return Err(StartError::LogShape);
    }
    Ok(())
}

/// Rows of which stage `what` asks for.
fn stage(what: Print) -> Stage {
    if matches!(what, Print::Sessions | Print::Alerts) { Stage::Sessions } else { Stage::Flows }
}

/// The shape that was asked for, or the one that suits who reads.
fn shape(common: &Common, terminal: bool) -> Shape {
    match common.shape {
        Some(As::Csv) => Shape::Csv,
        Some(As::Log) => Shape::Log,
        Some(As::Table) => Shape::Table,
        None if terminal => Shape::Table,
        Some(As::Ndjson) | None => Shape::Ndjson,
    }
}

/// What the printer does with an input; nothing for what is not whole, at which nobody looks here.
fn work_of(input: Input, decoder: &mut Decoder) -> Option<Work> {
    Some(match input {
        Input::Batch(batch) => Work::Rows(Box::new(decoder.decode(&batch))),
        Input::Status(status) => Work::Status(status),
        Input::Gap(gap) => Work::Gap(gap),
        Input::Partial(_) | Input::End => return None,
    })
}

/// Prints `what` of a source to `sink`; `terminal` tells whether a person reads there.
///
/// # Errors
/// What kept it from reading all its input (after the rest was read).
pub async fn print(
    source: Source,
    common: &Common,
    what: Print,
    mut sink: Box<dyn io::Write + Send>,
    terminal: bool,
) -> Result<Outcome, StartError> {
    let began = Instant::now();
    let decoder = start::decoder(common)?;
    let filter = start::filter(common, stage(what))?;
    let change = common.change.as_ref().map(|change| change.at);
    remark_on(filter.as_ref(), change.is_some());
    let mut detector = start::detection(common)?;
    source.foretell(&mut detector);
    remark_on_source(&source);
    let known = known(&source, common);
    let mut decoder = source.narrow(decoder);
    let collect =
        matches!(what, Print::Sessions | Print::Alerts) || (common.on_alert.is_some() && what == Print::Summary);
    let mut core = Core::new(source.config(common.memory), detector, collect).with_rules_apart();
    core.say_gateways(common.nat.iter().map(String::as_str));
    if let Some(lessons) = source.lessons.as_ref().filter(|lessons| lessons.asked) {
        core.teach(start::search::learn(lessons, say).await?);
    }
    let (out, mut inputs) = mpsc::channel(QUEUE);
    let ending = source.stop.clone();
    let running = tokio::spawn(source.run(out));
    let stop = running.abort_handle();
    let signals = tokio::spawn(async move {
        stopped().await;
        // The source ends, what it delivered is still printed.
        match ending {
            Some(ending) if ending.send(true).is_ok() => {}
            _ => stop.abort(),
        }
        stopped().await;
        // Somebody asks again: the output is stuck, and nobody waits for it.
        std::process::exit(0);
    });
    let notifier = match common.on_alert.clone() {
        Some(_) if !collect => {
            return Err(StartError::OnAlert(
                "without a screen, use it with --print alerts, sessions or summary".to_owned(),
            ));
        }
        Some(command) => {
            Some(Notifier::start(command, |text| say(&text)).map_err(|error| StartError::OnAlert(error.to_string()))?)
        }
        None => None,
    };
    let (hand_on, work) = sync_channel(QUEUE);
    std::thread::spawn(move || {
        while let Some(input) = inputs.blocking_recv() {
            if let Some(work) = work_of(input, &mut decoder)
                && hand_on.send(work).is_err()
            {
                break;
            }
        }
    });
    let shape = shape(common, terminal);
    let printer = Printer {
        core,
        what,
        filter,
        shape,
        flows: FlowWriter::new(shape, terminal),
        sessions: SessionWriter::new(shape).beside(change),
        change: common.change.clone(),
        printed: 0,
        told: SourceState::default(),
        warned: Vec::new(),
        began,
        backtest: common.backtest.then(BTreeMap::new),
        notifier,
        case: common.case.clone(),
        known,
    };
    let rows = tokio::task::spawn_blocking(move || printer.run(&work, &mut *sink)).await;
    signals.abort();
    let (rows, waits) = match rows {
        Ok(Ok(ended)) => ended,
        // Whoever read the output has enough: that is success.
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Outcome::Done),
        // What is said of the case names its file.
        Ok(Err(error)) if error.kind() == io::ErrorKind::Other => {
            return Err(StartError::Unreadable(error.to_string()));
        }
        Ok(Err(error)) => return Err(StartError::Unreadable(format!("standard output: {error}"))),
        Err(error) => return Err(StartError::Unreadable(format!("the engine failed: {error}"))),
    };
    match running.await {
        Ok(result) => result?,
        // Aborted by a signal, which is a way to be done.
        Err(error) if error.is_cancelled() => return Ok(Outcome::Done),
        Err(error) => return Err(StartError::Unreadable(format!("the source failed: {error}"))),
    }
    if let Some(why) = waits {
        return Err(StartError::Unreadable(why));
    }
    Ok(if rows > 0 { Outcome::Done } else { Outcome::Nothing })
}

/// Says what the user should know of the source before it runs.
fn remark_on_source(source: &Source) {
    source.remarks.iter().for_each(|remark| say(remark));
    if let Some(fetch) = &source.fetch {
        say(&format!("--fetch: {}. Sessions, rules and --filter see only what is fetched", fetch.summary()));
        for remark in &fetch.remarks {
            say(&format!("--fetch: {remark}"));
        }
    }
}

/// What is known beside the log, with what EC2 said to find out who is tailed.
fn known(source: &Source, common: &Common) -> Arc<Known> {
    let mut known = Arc::clone(&common.known);
    if let Some(interfaces) = source.inventory.as_ref().and_then(|inventory| inventory.known.clone()) {
        Arc::make_mut(&mut known).learn(interfaces);
    }
    known
}

/// Says what the user should know of `--filter` before anything runs.
fn remark_on(filter: Option<&Filter>, has_change: bool) {
    for warning in filter.into_iter().flat_map(Filter::warnings) {
        say(&format!("--filter: {}", warning.message));
    }
    if !has_change && filter.is_some_and(|filter| filter.fields().any(|field| field == Field::Phase)) {
        say(
            "--filter: `phase` is told by the time of a change, and none is given: this test matches nothing. Say it with --change, such as \
             --change 2018-08-20T15:26:46Z",
        );
    }
}

/// Says something on standard error. Nobody there to hear it is no reason to fail.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "flowtail: {}", clean::for_terminal(text));
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn stopped() {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}
