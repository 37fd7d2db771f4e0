//! A tab with an engine of its own: what is live, or what a search found.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::exports::Exports;
use crate::app::App;
use crate::cli::Common;
use crate::detect::{Baseline, Detector};
use crate::engine::Core;
use crate::engine::thread::{Asker, Engine};
use crate::engine::view::Page;
use crate::record::{Decoder, Input, SourceState, SourceStatus};
use crate::start::{Load, Loader, Source};

/// Inputs on their way from the source.
const QUEUE: usize = 8;
/// How long a source may take to stop what it has left to be stopped.
const ENDING: Duration = Duration::from_secs(5);

/// See the module's text.
pub(super) struct Desk {
    pub(super) app: App,
    asker: Asker,
    pub(super) pages: watch::Receiver<Arc<Page>>,
    pub(super) exports: Exports,
    /// Whether its alerts are news.
    pub(super) live: bool,
    asked: Option<u64>,
    loader: Option<Loader>,
    /// See [`Source::span`].
    span: Option<(i64, i64)>,
    ending: Option<Arc<watch::Sender<bool>>>,
    feeding: JoinHandle<()>,
    failed: Arc<OnceLock<String>>,
    /// Dropped last, it stops its threads.
    _engine: Engine,
}

impl Desk {
    /// Starts `source` and an engine for it, and asks what `app` wants to see, within the memory of `common`.
    pub(super) fn open(
        mut app: App,
        source: Source,
        decoder: Decoder,
        mut detector: Detector,
        common: &Common,
        live: bool,
    ) -> io::Result<Desk> {
        let decoder = source.narrow(decoder);
        source.foretell(&mut detector);
        let mut core = Core::new(source.config(common.memory), detector, false);
        core.say_gateways(common.nat.iter().map(String::as_str));
        let (ending, loader, span) = (source.stop.clone(), source.load.clone(), source.span);
        let (out, mut inputs) = mpsc::channel(QUEUE);
        let failures = out.clone();
        let failed = Arc::new(OnceLock::new());
        let remembered = Arc::clone(&failed);
        let feeding = tokio::spawn(async move {
            if let Err(error) = source.run(out).await {
                // Told again when the screen is left, with the exit code that scripts expect.
                let _ = remembered.set(error.to_string());
                let state = SourceState::Failed(error.to_string());
                // Nobody listens any more if this fails.
                let status = SourceStatus { state, ..SourceStatus::default() };
                let _ = failures.send(Input::Status(Box::new(status))).await;
            }
        });
        let (publish, pages) = watch::channel(Arc::new(Page::default()));
        let engine = Engine::start(
            core,
            decoder,
            move || inputs.blocking_recv(),
            move |page| {
                // The screen is gone if nobody takes it.
                let _ = publish.send(Arc::new(page));
            },
        )?;
        let first = app.spec();
        let asked = Some(first.serial);
        engine.asker().ask(first);
        let exports = Exports::new(engine.asker());
        Ok(Desk {
            app,
            asker: engine.asker(),
            pages,
            exports,
            live,
            asked,
            loader,
            span,
            ending,
            feeding,
            failed,
            _engine: engine,
        })
    }

    /// Asks the engine where the app has a new question.
    pub(super) fn ask_if_new(&mut self) {
        let spec = self.app.spec();
        if self.asked != Some(spec.serial) {
            self.asked = Some(spec.serial);
            self.asker.ask(spec);
        }
    }

    /// Asks the source for earlier time, or to stop.
    pub(super) fn load(&self, what: Load) {
        match (&self.loader, &self.ending) {
            (Some(load), _) => load(what),
            // A search stops its queries, which cost money.
            (None, Some(ending)) if what == Load::Stop => drop(ending.send(true)),
            _ => {}
        }
    }

    /// Takes the latest page.
    pub(super) fn receive(&mut self) {
        let page = Arc::clone(&self.pages.borrow_and_update());
        self.app.receive(page);
        if self.app.loads_in_vain() {
            self.load(Load::Stop);
        }
    }

    /// Puts other rules in force.
    pub(super) fn change_rules(&self, mut detector: Detector) {
        if let Some((first, last)) = self.span {
            detector.expect_span(first, last);
        }
        self.asker.change_rules(detector);
    }

    /// Does without `bytes` of the room for records.
    pub(super) fn lend(&self, bytes: usize) {
        self.asker.lend(bytes);
    }

    /// Has the rules know what was used before.
    pub(super) fn teach(&self, baseline: Arc<Baseline>) {
        self.asker.teach(baseline);
    }

    /// Ends the source; gives what it could not read.
    pub(super) async fn close(mut self) -> Option<String> {
        if let Some(ending) = &self.ending {
            // What runs at AWS is paid for until it is stopped.
            let _ = ending.send(true);
            let _ = tokio::time::timeout(ENDING, &mut self.feeding).await;
        }
        self.feeding.abort();
        self.failed.get().cloned()
    }
}
