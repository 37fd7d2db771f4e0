//! Prints rows, news and the summary of an engine without a screen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Work, say, stage, summary};
use crate::app::change::Change;
use crate::cli::Print;
use crate::detect::AlertEvent;
use crate::engine::Core;
use crate::engine::phase::Phased;
use crate::engine::pinned::Progress;
use crate::engine::thread::now_ms;
use crate::engine::view::Tab;
use crate::enrich::Known;
use crate::export::alert::AlertRow;
use crate::export::flow::FlowWriter;
use crate::export::session::SessionWriter;
use crate::export::{Shape, alert, clean};
use crate::filter::{Filter, Stage};
use crate::notify::{FAREWELL, Notifier};
use crate::record::{Decoded, RowRef, SourceState, SourceStatus, Table as _};
use crate::save;
use crate::session::SessionRow;

/// How often a live engine is told the time while nothing comes.
const TICK: Duration = Duration::from_secs(1);
/// How soon to ask again what the rules found of what was taken in.
const SOON: Duration = Duration::from_millis(10);

/// Prints what the engine comes to.
pub(super) struct Printer {
    pub(super) core: Core,
    pub(super) what: Print,
    pub(super) filter: Option<Filter>,
    pub(super) shape: Shape,
    pub(super) flows: FlowWriter,
    pub(super) sessions: SessionWriter,
    /// The change by whose time sessions are told apart.
    pub(super) change: Option<Change>,
    pub(super) printed: u64,
    /// What was last said on standard error of the source.
    pub(super) told: SourceState,
    /// Lasting remarks that were said. A handful: they are about groups, interfaces and fields asked for.
    pub(super) warned: Vec<String>,
    pub(super) began: Instant,
    /// Alerts by rule, where that is what is asked: each alert is printed once then, as it ended.
    pub(super) backtest: Option<BTreeMap<Arc<str>, u64>>,
    pub(super) notifier: Option<Notifier>,
    /// Where a case of everything goes at the end.
    pub(super) case: Option<PathBuf>,
    /// What is known beside the log, for the case.
    pub(super) known: Arc<Known>,
}

impl Printer {
    /// Prints until the work ends; gives how many rows were printed, and what the source still waited for at its end.
    pub(super) fn run(mut self, work: &Receiver<Work>, out: &mut dyn io::Write) -> io::Result<(u64, Option<String>)> {
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
                        self.tell_of_the_format();
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
        self.tell_of_the_format();
        let unparsed = self.core.counts().unparsed();
        for remark in self.core.remarks() {
            say(remark);
        }
        if unparsed > 0 && self.what != Print::Quarantine {
            let lines = if unparsed == 1 { "line" } else { "lines" };
            say(&format!("{unparsed} {lines} did not parse; --print quarantine shows them"));
        }
        let left_out = self.notifier.take().map_or(0, |notifier| notifier.finish(FAREWELL));
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
        let known = Arc::clone(&self.known);
        let order = save::everything(self.filter.clone(), tab, self.change.as_ref(), known, now_ms());
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
                let phased = Phased { row, change: self.change.as_ref().map(|change| change.at) };
                if self.filter.as_ref().is_none_or(|filter| filter.matches(&phased, session.last)) {
                    self.sessions.write(&row, text);
                    self.printed += 1;
                }
            }
        }
        if self.what == Print::Alerts {
            for event in &news {
                let raised = match event {
                    AlertEvent::Raised(_) | AlertEvent::Withdrawn(_) if self.backtest.is_some() => continue,
                    // What was printed as open must be seen to end, also where it was taken back.
                    AlertEvent::Raised(alert) | AlertEvent::Closed(alert) | AlertEvent::Withdrawn(alert) => alert,
                    AlertEvent::Updated(_) => continue,
                };
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

    /// Says once that the filter asks for a field that the lines so far do not carry: no row is no answer then.
    fn tell_of_the_format(&mut self) {
        let formats = self.core.formats();
        let Some(missing) = self.filter.as_ref().and_then(|filter| filter.lacking(formats)) else { return };
        let label = formats.iter().map(|format| format.label()).collect::<Vec<_>>().join(", ");
        let text = format!("--filter: no record so far carries `{}`: the format is {label}", missing.name());
        if !self.warned.contains(&text) {
            say(&text);
            self.warned.push(text);
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
        let object = summary::object(&self.core, self.began.elapsed());
        if let (Shape::Table, Value::Object(object)) = (self.shape, &object) {
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

/// What a back-test comes to, in a line.
fn backtested(count: &BTreeMap<Arc<str>, u64>, records: u64, hours: f64) -> String {
    let all: u64 = count.values().sum();
    let each: Vec<String> = count.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
    let each = if each.is_empty() { "none".to_owned() } else { each.join(", ") };
    format!("{all} alerts over {records} records of {hours:.1} hours: {each}")
}
