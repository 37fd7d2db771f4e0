//! The screen's loop, and the only `select!`: keys, pages, signals and the clock come in, frames go out, only when something changed and at most
//! thirty a second of what comes by itself; what the user asked for does not wait for that.

mod exports;
mod input;
mod signals;
mod themes;

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use exports::Exports;
use input::{is_noise, translate};
use signals::{Signal, Signals};
use themes::Themes;

use crate::app::{App, Effect};
use crate::cli::{Command, Common};
use crate::config::rules::Watch;
use crate::detect::mute::Mutes;
use crate::detect::{Alert, Detector};
use crate::engine::Core;
use crate::engine::thread::{Engine, now_ms};
use crate::engine::view::{Page, ViewSpec};
use crate::notify::Notifier;
use crate::record::{Input as Fed, SourceState, SourceStatus};
use crate::start::{self, Source, StartError};
use crate::state::{self, StateError};
use crate::terminal::{self, Screen};
use crate::ui::Look;
use crate::ui::glyphs;
use crate::ui::theme::{Depth, Shade, ThemeError};

/// Least time between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// Least time between two frames where the user waits: a key, or the page that answers it.
const PROMPT_FRAME: Duration = Duration::from_millis(8);
/// Inputs on their way from the source.
const QUEUE: usize = 8;
/// How often the files of rules are looked at.
const WATCH: Duration = Duration::from_secs(1);
/// How often it is told how far an export has come.
const PROGRESS: Duration = Duration::from_millis(100);
/// How long the first rows are waited for before the first frame, so that it is not drawn twice.
const FIRST_PAGE: Duration = Duration::from_millis(40);

/// Why the screen could not open or had to close.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// Before it opened.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no such theme.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// The folder of `--state`.
    #[error(transparent)]
    State(#[from] StateError),
    /// The terminal.
    #[error("the terminal cannot show the screen: {0}. --print works without one")]
    Terminal(#[from] io::Error),
}

/// An app that knows what was configured, what earlier runs kept and what was typed, in this order.
fn known(common: &Common, kept: Option<&state::Place>) -> Result<App, ScreenError> {
    let mut app = App::new().with_zone(jiff::tz::TimeZone::system()).with_keys(Arc::clone(&common.keys));
    app = app.with_names(Arc::clone(&common.known));
    app = app.with_arrangement(common.screen.iter().map(String::as_str));
    if let Some(text) = &common.filter {
        app = app.with_filter(text).map_err(|error| StartError::Filter { text: text.clone(), error })?;
    }
    if let Some(place) = kept {
        let earlier = place.load()?;
        app = app.with_mutes(earlier.muted.iter().cloned());
        app = app.with_arrangement(earlier.screen.iter().map(String::as_str));
        app = app.with_history(earlier.filters.iter().map(String::as_str));
        app = app.with_saved(earlier.saved.iter().map(|(key, text)| (*key, text.as_str())));
    }
    Ok(app)
}

/// Opens the screen on `command` and runs until the user leaves. Gives what the source could not read, for the exit code.
///
/// # Errors
/// What kept the screen from opening, or the terminal's end.
pub async fn run(command: Command, common: &Common) -> Result<(), ScreenError> {
    // All that can be wrong is found out before the screen opens.
    let decoder = start::decoder(common)?;
    let detector = start::detection(common)?;
    let kept = state::place(&command, common);
    let mut app = known(common, kept.as_ref())?;
    let depth = Depth::detect(|name| std::env::var(name).ok());
    // Again below with what the terminal says; a theme that does not exist is found out before anything starts.
    let themes = Themes::new(depth);
    themes.load(&common.theme, None)?;
    app = app.with_themes(themes.names(), &common.theme);
    let source = Source::prepare(command, common, true).await?;
    let decoder = source.narrow(decoder);
    let config = source.config(common.memory);
    let ending = source.stop.clone();
    if let [only] = &config.interfaces[..] {
        // Somebody who asks for one interface wants to know about it.
        app = app.with_interface(only);
    }
    let core = Core::new(config, detector, false);

    let (out, mut inputs) = mpsc::channel(QUEUE);
    let failures = out.clone();
    let failed = Arc::new(OnceLock::new());
    let remembered = Arc::clone(&failed);
    let mut feeding = tokio::spawn(async move {
        if let Err(error) = source.run(out).await {
            // Told again when the screen is left, with the exit code that scripts expect.
            let _ = remembered.set(error.to_string());
            let state = SourceState::Failed(error.to_string());
            // Nobody listens any more if this fails.
            let _ = failures.send(Fed::Status(SourceStatus { state, ..SourceStatus::default() })).await;
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
    let asker = engine.asker();
    let pinner = engine.asker();
    // The first question does not depend on the terminal, and a terminal that does not answer costs its whole patience: rows are read meanwhile.
    asker.ask(app.spec());
    let shade = if common.theme == "auto" && depth != Depth::None { terminal::shade() } else { None };
    let theme = themes.load(&common.theme, shade)?;
    let look = Look { theme, glyphs: if common.ascii { &glyphs::ASCII } else { &glyphs::UNICODE } };
    let (say, said) = mpsc::unbounded_channel();
    let notifier = common.on_alert.clone().map(|command| {
        // Nobody is left to hear it if this fails.
        Notifier::start(command, move |text| drop(say.send(text)))
    });
    let notifier = notifier.transpose()?;
    let screen = Screen::open(!common.no_mouse)?;
    let changer = engine.asker();
    let mutes = Arc::clone(app.mutes());
    let mut screen = Loop {
        app,
        look,
        screen,
        ask: Box::new(move |spec| asker.ask(spec)),
        pages,
        mutes,
        kept: kept.clone(),
        notifier,
        said,
        alarm: (common.bell, common.notify),
        raised: None,
        rules: Watch::new(common.rule_files.clone()),
        change_rules: Box::new(move |detector| changer.change_rules(detector)),
        memory: common.memory,
        exports: Exports::new(pinner),
        themes,
        shade,
        drawn_in: common.theme.clone(),
    };
    let result = screen.run().await;
    let Loop { app, screen, .. } = screen;
    // The terminal first: whatever else goes wrong, the shell is usable.
    drop(screen);
    if let Some(ending) = ending {
        // What runs at AWS is paid for until it is stopped.
        let _ = ending.send(true);
        let _ = tokio::time::timeout(Duration::from_secs(5), &mut feeding).await;
    }
    feeding.abort();
    if let Some(place) = &kept {
        place.save(app.history(), app.saved())?;
        place.save_screen(&app.arrangement())?;
    }
    result?;
    match failed.get() {
        Some(why) => Err(StartError::Unreadable(why.clone()).into()),
        None => Ok(()),
    }
}

/// The screen's loop with all it owns.
struct Loop {
    app: App,
    look: Look,
    screen: Screen,
    ask: Box<dyn Fn(ViewSpec) + Send>,
    pages: watch::Receiver<Arc<Page>>,
    /// What was muted when that was last kept, and where it is.
    mutes: Arc<Mutes>,
    kept: Option<state::Place>,
    /// Runs `--on-alert`, and what it has to say.
    notifier: Option<Notifier>,
    said: mpsc::UnboundedReceiver<String>,
    /// Whether an alert rings the bell, and whether it has the terminal notify.
    alarm: (bool, bool),
    /// An alert that was raised since the last frame.
    raised: Option<Arc<Alert>>,
    rules: Watch,
    change_rules: Box<dyn Fn(Detector) + Send>,
    memory: usize,
    exports: Exports,
    themes: Themes,
    /// What the terminal says of its background.
    shade: Option<Shade>,
    /// Name of the theme of the last frame.
    drawn_in: String,
}

impl Loop {
    async fn run(&mut self) -> io::Result<()> {
        let mut signals = Signals::new()?;
        let mut events = EventStream::new();
        // The first question is on its way already.
        let mut asked = Some(self.app.spec().serial);
        self.app.tick(now_ms());
        // An error means that the engine is gone, which the loop tells.
        let _ = tokio::time::timeout(FIRST_PAGE, self.pages.wait_for(|page| page.status.held > 0)).await;
        self.receive();
        let mut dirty = true;
        let mut watch = tokio::time::interval(WATCH);
        watch.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Whether the user waits for the next frame.
        let mut prompt = false;
        let mut last_frame = Instant::now() - FRAME;
        loop {
            let pace = if prompt { PROMPT_FRAME } else { FRAME };
            let wait =
                if dirty { (last_frame + pace).saturating_duration_since(Instant::now()) } else { self.patience() };
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::Leave => return Ok(()),
                    Signal::Suspend => self.suspend(&mut events)?,
                },
                event = events.next() => match event {
                    // A mouse on its way somewhere is not worth a frame.
                    Some(Ok(event)) if is_noise(&event) => continue,
                    Some(Ok(event)) => {
                        if let Some(end) = self.event(event, &mut events)? {
                            return end;
                        }
                        prompt = true;
                    }
                    // The terminal is gone: there is nobody to show anything to.
                    Some(Err(_)) | None => return Ok(()),
                },
                changed = self.pages.changed() => match changed {
                    Ok(()) => {
                        let waited = !self.app.is_current();
                        self.receive();
                        prompt |= waited && self.app.is_current();
                    }
                    Err(_) => return Err(io::Error::other("the engine stopped; please report this")),
                },
                Some(text) = self.said.recv() => self.app.tell(text),
                _ = watch.tick() => if !self.look_at_rules() { continue },
                heard = self.exports.heard.recv() => if let Some(heard) = heard {
                    self.exports.job = None;
                    self.app.hear(heard);
                    prompt = true;
                },
                () = tokio::time::sleep(wait) => {
                    if dirty {
                        self.frame()?;
                        last_frame = Instant::now();
                        dirty = false;
                        prompt = false;
                        // The frame said how many rows fit, which may be a new question.
                        self.ask_if_new(&mut asked);
                        continue;
                    }
                }
            }
            self.app.tick(now_ms());
            self.keep_mutes();
            self.ask_if_new(&mut asked);
            dirty = true;
        }
    }

    /// How long nothing need be drawn while nothing comes: a countdown runs by the second.
    fn patience(&self) -> Duration {
        if self.exports.job.is_some() {
            return PROGRESS;
        }
        let waits = matches!(self.app.page().status.state.state, SourceState::Waiting { .. });
        Duration::from_secs(if waits { 1 } else { 3_600 })
    }

    /// Puts the user's rules in force when their files have changed. True where there is something to tell.
    fn look_at_rules(&mut self) -> bool {
        match self.rules.look() {
            None => return false,
            Some(Ok(rules)) => {
                (self.change_rules)(Detector::new(&rules, start::limits(self.memory)));
                let on = rules.iter().filter(|rule| rule.enabled).count();
                self.app.tell(format!("The rules changed: {on} are on, and look at what is held."));
            }
            Some(Err(why)) => self.app.refuse(format!("The rules in force stay: {why}")),
        }
        true
    }

    /// Keeps what is muted when that has changed.
    fn keep_mutes(&mut self) {
        if Arc::ptr_eq(&self.mutes, self.app.mutes()) {
            return;
        }
        self.mutes = Arc::clone(self.app.mutes());
        if let Some(Err(error)) = self.kept.as_ref().map(|place| place.save_mutes(&self.mutes)) {
            self.app.tell(error.to_string());
        }
    }

    fn receive(&mut self) {
        let page = Arc::clone(&self.pages.borrow_and_update());
        self.app.receive(page);
        for alert in self.app.take_raised() {
            if let Some(notifier) = &mut self.notifier {
                notifier.tell(&alert);
            }
            self.raised.get_or_insert(alert);
        }
    }

    fn ask_if_new(&mut self, asked: &mut Option<u64>) {
        let spec = self.app.spec();
        if *asked != Some(spec.serial) {
            *asked = Some(spec.serial);
            (self.ask)(spec);
        }
    }

    /// Takes the theme that the app wants, also one that is only looked at.
    fn dress(&mut self) {
        let wanted = self.app.theme_wanted();
        if wanted == self.drawn_in {
            return;
        }
        self.drawn_in = wanted.to_owned();
        match self.themes.load(&self.drawn_in, self.shade) {
            Ok(theme) => self.look.theme = theme,
            Err(error) => self.app.tell(error.to_string()),
        }
    }

    fn frame(&mut self) -> io::Result<()> {
        if let Some(alert) = self.raised.take()
            && self.alarm != (false, false)
        {
            // Words of the rule only: what a log said has no business outside of the screen.
            let text = format!("flowtail: {} {}", alert.level, alert.rule);
            self.screen.alarm(self.alarm.0, self.alarm.1.then_some(text.as_str()))?;
        }
        self.dress();
        if let Some(job) = &self.exports.job {
            self.app.hear(job.heard());
        }
        let viewport = self.screen.draw(&self.app, &self.look)?;
        self.app.laid_out(viewport);
        Ok(())
    }

    /// Takes an event. `Some` ends the loop.
    fn event(&mut self, event: Event, events: &mut EventStream) -> io::Result<Option<io::Result<()>>> {
        let Some(input) = translate(event) else { return Ok(None) };
        for effect in self.app.input(&input) {
            match effect {
                Effect::Quit => return Ok(Some(Ok(()))),
                Effect::Suspend => self.suspend(events)?,
                Effect::Redraw => self.screen.redraw()?,
                Effect::Rules => self.app.offer_rules(self.rules.offered()),
                Effect::Export(order, path) => self.exports.begin(order, path),
                Effect::StopExport => {
                    if let Some(job) = &self.exports.job {
                        job.stop();
                    }
                }
                Effect::Copy(text) => {
                    if !self.screen.copy(&text)? {
                        self.app.tell(match terminal::copy_to_file(&text) {
                            Ok(path) => format!("Too long for the clipboard; written to {}", path.display()),
                            Err(error) => format!("Too long for the clipboard, and no file could be written: {error}"),
                        });
                    }
                }
            }
        }
        Ok(None)
    }

    /// Stops until `fg`. The event reader goes first: it would take what is typed into the shell.
    fn suspend(&mut self, events: &mut EventStream) -> io::Result<()> {
        let reader = std::mem::take(events);
        drop(reader);
        self.screen.suspend()?;
        *events = EventStream::new();
        Ok(())
    }
}
