//! The front end without a screen: the same engine, printing rows. What scripts, tests and pipes use, so its output is a contract (DESIGN §9).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::mpsc;

use crate::cli::{As, Command, Common, Print};
use crate::detect::{Alert, AlertEvent};
use crate::engine::Core;
use crate::engine::pinned::Progress;
use crate::engine::thread::now_ms;
use crate::engine::view::Tab;
use crate::export::alert::AlertRow;
use crate::export::flow::FlowWriter;
use crate::export::session::SessionWriter;
use crate::export::{Shape, alert, clean};
use crate::filter::{Filter, Stage};
use crate::notify::Notifier;
use crate::record::{Decoded, Field, Gap, Input, RowRef, SourceState, SourceStatus, Table as _};
use crate::save;
use crate::session::SessionRow;
use crate::start::{self, Source, StartError};

/// How often a live engine is told the time while nothing comes.
const TICK: Duration = Duration::from_secs(1);
/// How soon to ask again what the rules found of what was taken in.
const SOON: Duration = Duration::from_millis(10);

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
    remark_on(filter.as_ref());
    let detector = start::detection(common)?;
    if let Some(fetch) = &source.fetch {
        say(&format!("--fetch: {}. Sessions, rules and --filter see only what is fetched", fetch.summary()));
        for remark in &fetch.remarks {
            say(&format!("--fetch: {remark}"));
        }
    }
    let mut decoder = source.narrow(decoder);
    let collect =
        matches!(what, Print::Sessions | Print::Alerts) || (common.on_alert.is_some() && what == Print::Summary);
    let core = Core::new(source.config(common.memory), detector, collect).with_rules_apart();
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
            let work = match input {
                Input::Batch(batch) => Work::Rows(Box::new(decoder.decode(&batch))),
                Input::Status(status) => Work::Status(Box::new(status)),
                Input::Gap(gap) => Work::Gap(gap),
                Input::End => continue,
            };
            if hand_on.send(work).is_err() {
                break;
            }
        }
    });
    let shape = match common.shape {
        Some(As::Csv) => Shape::Csv,
        Some(As::Log) => Shape::Log,
        Some(As::Table) => Shape::Table,
        None if terminal => Shape::Table,
        Some(As::Ndjson) | None => Shape::Ndjson,
    };
    let printer = Printer {
        core,
        what,
        filter,
        shape,
        flows: FlowWriter::new(shape, terminal),
        sessions: SessionWriter::new(shape),
        printed: 0,
        told: SourceState::default(),
        warned: Vec::new(),
        began,
        backtest: common.backtest.then(BTreeMap::new),
        notifier,
        case: common.case.clone(),
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

/// Says what the user should know of `--filter` before anything runs.
fn remark_on(filter: Option<&Filter>) {
    for warning in filter.into_iter().flat_map(Filter::warnings) {
        say(&format!("--filter: {}", warning.message));
    }
    if filter.is_some_and(|filter| filter.fields().any(|field| field == Field::Phase)) {
        say(
            "--filter: `phase` is told only on the screen, where T marks the time of a change: here this test matches nothing. With that time as \
             T, before is `end < T`, surviving `start < T and end >= T`, new `start >= T` (such as 2018-08-20T15:26:46Z)",
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

/// What a back-test comes to, in a line.
fn backtested(count: &BTreeMap<Arc<str>, u64>, records: u64, hours: f64) -> String {
    let all: u64 = count.values().sum();
    let each: Vec<String> = count.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
    let each = if each.is_empty() { "none".to_owned() } else { each.join(", ") };
    format!("{all} alerts over {records} records of {hours:.1} hours: {each}")
}

struct Printer {
    core: Core,
    what: Print,
    filter: Option<Filter>,
    shape: Shape,
    flows: FlowWriter,
    sessions: SessionWriter,
    printed: u64,
    /// What was last said on standard error of the source.
    told: SourceState,
    /// Lasting remarks that were said. A handful: they are about groups and interfaces asked for.
    warned: Vec<String>,
    began: Instant,
    /// Alerts by rule, where that is what is asked: each alert is printed once then, as it ended.
    backtest: Option<BTreeMap<Arc<str>, u64>>,
    notifier: Option<Notifier>,
    /// Where a case of everything goes at the end.
    case: Option<PathBuf>,
}

impl Printer {
    /// Prints until the work ends; gives how many rows were printed, and what the source still waited for at its end.
    fn run(mut self, work: &Receiver<Work>, out: &mut dyn io::Write) -> io::Result<(u64, Option<String>)> {
        let mut text = String::new();
        loop {
            let wait = if self.core.rules_are_behind() { SOON } else { TICK };
            match work.recv_timeout(wait) {
                Ok(Work::Rows(batch)) => self.rows(&batch, &mut text),
                Ok(Work::Status(status)) => {
                    self.tell(&status);
                    self.core.source_status(*status);
                }
                Ok(Work::Gap(gap)) => self.core.gap(gap),
                // Nothing came: time passes all the same, and ends sessions and alerts of a live source.
                Err(RecvTimeoutError::Timeout) => {
                    if self.core.rules_are_behind() {
                        self.core.hear();
                    } else {
                        self.core.tick(now_ms());
                    }
                    self.news(&mut text);
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            out.write_all(text.as_bytes())?;
            out.flush()?;
            text.clear();
        }
        self.core.finish();
        self.news(&mut text);
        if self.what == Print::Summary {
            self.summary(&mut text);
        }
        out.write_all(text.as_bytes())?;
        out.flush()?;
        self.write_case()?;
        let unparsed = self.core.counts().unparsed();
        for remark in self.core.remarks() {
            say(remark);
        }
        if unparsed > 0 && self.what != Print::Quarantine {
            let lines = if unparsed == 1 { "line" } else { "lines" };
            say(&format!("{unparsed} {lines} did not parse; --print quarantine shows them"));
        }
        let left_out = self.notifier.take().map_or(0, Notifier::finish);
        if left_out > 0 {
            say(&format!("--on-alert: {left_out} alerts came faster than it ran and were left out"));
        }
        if let Some(count) = &self.backtest {
            let hours = self.core.counts().span.map_or(0.0, |(first, last)| {
                std::time::Duration::from_secs(last.saturating_sub(first)).as_secs_f64() / 3_600.0
            });
            say(&backtested(count, self.core.counts().records, hours));
        }
        // `finish` made an end of the state; what was told last is what it was.
        let waits = match &self.told {
            SourceState::Waiting { why, .. } => Some(why.clone()),
            _ => None,
        };
        let printed = self.printed;
        // The process ends: the system takes all memory back at once, where freeing it piece by piece would be a good part of a short run.
        std::mem::forget(self);
        Ok((printed, waits))
    }

    /// Writes the case that `--case` asks for.
    fn write_case(&self) -> io::Result<()> {
        let Some(path) = &self.case else { return Ok(()) };
        let tab = if stage(self.what) == Stage::Sessions { Tab::Sessions } else { Tab::Flows };
        let order = save::everything(self.filter.clone(), tab, now_ms());
        let said = save::write(&self.core.pin(), &order, path, &Progress::default())
            .map_err(|error| io::Error::other(format!("--case: {error}")))?;
        say(&said);
        Ok(())
    }

    fn rows(&mut self, batch: &Decoded, text: &mut String) {
        // Printed rows need no engine, a case does.
        if self.case.is_some() && matches!(self.what, Print::Flows | Print::Quarantine) {
            self.core.ingest(batch);
        }
        match self.what {
            Print::Flows => {
                // Printed as they are read, whatever the ring could hold; the engine is not needed for it.
                let now = batch.arrival.div_euclid(1000);
                for row in 0..batch.columns.len() {
                    let reference = RowRef { table: &batch.columns, row };
                    if self.filter.as_ref().is_none_or(|filter| filter.matches(&reference, now)) {
                        self.flows.write(&batch.columns, row, text);
                        self.printed += 1;
                    }
                }
                if self.case.is_none() {
                    self.core.ingest_lines(batch);
                }
            }
            Print::Quarantine => {
                for reject in &batch.rejects {
                    let object = json!({
                        "place": &*reject.place, "line": reject.line, "reason": reject.error.reason(),
                        "error": reject.error.to_string(), "text": reject.text,
                    });
                    text.push_str(&clean::json(object.to_string()));
                    text.push('\n');
                    self.printed += 1;
                }
                if self.case.is_none() {
                    self.core.ingest_lines(batch);
                }
            }
            Print::Sessions | Print::Alerts | Print::Summary => {
                self.core.ingest(batch);
                self.news(text);
            }
        }
    }

    /// Prints what became final or was raised.
    fn news(&mut self, text: &mut String) {
        let finished = self.core.take_finished();
        let news = self.core.take_news();
        if let Some(notifier) = &mut self.notifier {
            for event in &news {
                if let AlertEvent::Raised(alert) = event {
                    notifier.tell(alert);
                }
            }
        }
        if self.what == Print::Sessions {
            let region = self.core.config_region();
            for session in &finished {
                let row = SessionRow { session, names: self.core.names(), region: region.as_deref() };
                if self.filter.as_ref().is_none_or(|filter| filter.matches(&row, session.last)) {
                    self.sessions.write(&row, text);
                    self.printed += 1;
                }
            }
        }
        if self.what == Print::Alerts {
            for event in &news {
                let raised = match event {
                    AlertEvent::Raised(_) | AlertEvent::Withdrawn(_) if self.backtest.is_some() => continue,
                    AlertEvent::Raised(alert) | AlertEvent::Closed(alert) => alert.clone(),
                    // What was printed as open must be seen to end.
                    AlertEvent::Withdrawn(alert) => Alert { closed: true, ..alert.clone() },
                    AlertEvent::Updated(_) => continue,
                };
                let raised = &raised;
                if self.filter.as_ref().is_none_or(|filter| filter.matches(&AlertRow(raised), raised.last)) {
                    alert::write(raised, self.shape, self.printed > 0, text);
                    self.printed += 1;
                    if let Some(count) = &mut self.backtest {
                        *count.entry(raised.rule.clone()).or_default() += 1;
                    }
                }
            }
        }
    }

    /// Says on standard error what the source waits for and what it found out, once.
    fn tell(&mut self, status: &SourceStatus) {
        for warning in &status.warnings {
            if !self.warned.contains(warning) {
                say(&format!("warning: {warning}"));
                self.warned.push(warning.clone());
            }
        }
        if std::mem::discriminant(&self.told) == std::mem::discriminant(&status.state) {
            return;
        }
        match &status.state {
            SourceState::Waiting { why, .. } => say(&format!("waiting: {why}")),
            SourceState::Live if matches!(self.told, SourceState::Waiting { .. }) => {
                say("reading again");
            }
            _ => {}
        }
        self.told = status.state.clone();
    }

    fn summary(&mut self, text: &mut String) {
        let counts = self.core.counts();
        let state = self.core.state();
        let rules = self.core.rule_stats();
        let seconds = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let lines = counts.records
            + counts.nodata
            + counts.skipdata
            + counts.unparsed()
            + counts.headers
            + counts.outside
            + state.duplicates;
        let gaps: Vec<_> =
            self.core.gaps().iter().map(|gap| json!({"from": gap.from, "to": gap.to, "why": gap.why})).collect();
        let mut reasons: Vec<_> = counts.unparsed.iter().collect();
        reasons.sort_unstable();
        let mut object = json!({
            "lines": lines,
            "records": counts.records,
            "nodata": counts.nodata,
            "skipdata": counts.skipdata,
            "unparsed": counts.unparsed(),
            "headers": counts.headers,
            "duplicates": state.duplicates,
            "late": counts.late,
            "dropped": 0,
            "evicted": self.core.ring().evicted(),
            "gaps": gaps,
            "requests": state.requests,
            "events_read": state.events_read,
            "capacity": state.tail.map(|tail| tail.capacity),
            "behind_seconds": state.tail.map(|tail| tail.behind),
            "delivery_seconds": state.tail.and_then(|tail| tail.lateness),
            "last_poll": state.tail.and_then(|tail| tail.poll).map(|poll| json!({
                "requests": poll.requests, "events": poll.events, "duplicates": poll.duplicates, "minutes": poll.minutes,
            })),
            "source": state.facts.iter().map(|(name, text)| json!({"about": name, "text": text})).collect::<Vec<_>>(),
            "flows_held": self.core.ring().len(),
            "bytes_held": self.core.ring().bytes() + self.core.sessions().bytes(),
            "sessions": self.core.sessions().opened() - self.core.sessions().merged(),
            "alerts": counts.alerts,
            "rules": json!({
                "groups": rules.groups, "evicted_groups": rules.evicted_groups, "forgotten_sessions": rules.forgotten_sessions,
                "unremembered": rules.unremembered, "late": rules.late,
            }),
            "first": counts.span.map(|(first, _)| seconds(first)),
            "last": counts.span.map(|(_, last)| seconds(last)),
            "elapsed_seconds": (self.began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
            "unparsed_reasons": reasons.into_iter().map(|(reason, count)| (*reason, *count)).collect::<std::collections::BTreeMap<_, _>>(),
        });
        if let Some(fetch) = self.core.fetch() {
            object["fetch"] = json!({
                "filter": fetch.text, "pattern": fetch.pattern, "pushed": fetch.pushed, "checked": fetch.checked, "outside": counts.outside,
            });
        }
        if let Some(live) = &state.live {
            object["live"] = json!({
                "events": live.events, "paired": live.paired, "sampled": live.sampled, "repaired": live.repaired,
                "ended": live.ended, "too_old": live.too_old,
            });
        }
        if let (Shape::Table, serde_json::Value::Object(object)) = (self.shape, &object) {
            for (name, value) in object {
                let value = value.to_string();
                let _ = writeln!(text, "{name:<16} {}", clean::for_terminal(&value));
            }
        } else {
            text.push_str(&clean::json(object.to_string()));
            text.push('\n');
        }
        self.printed += 1;
    }
}
