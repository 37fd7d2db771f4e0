//! The screen's loop, and the only `select!`: keys, pages, signals and the clock come in, frames go out, only when something changed and at most
//! thirty a second of what comes by itself; what the user asked for does not wait for that.

mod desk;
mod exports;
mod input;
mod inquiries;
mod keyboard;
mod searches;
mod signals;
mod tabs;
mod themes;

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event;
use tokio::sync::mpsc;
use tokio::time::Instant;

use desk::Desk;
use input::{is_noise, translate};
use inquiries::Inquiries;
use keyboard::Keyboard;
use searches::Searches;
use signals::{Signal, Signals};
use tabs::beside;
use themes::Themes;

use crate::app::{App, Effect};
use crate::cli::{Command, Common};
use crate::config::rules::Watch;
use crate::detect::mute::Mutes;
use crate::detect::{Alert, Detector};
use crate::engine::thread::now_ms;
use crate::notify::Notifier;
use crate::record::SourceState;
use crate::start::{self, Load, Source, StartError};
use crate::state::{self, StateError};
use crate::terminal::{self, Screen};
use crate::ui::Look;
use crate::ui::glyphs;
use crate::ui::theme::{Depth, Shade, ThemeError};

/// Least time between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// Least time between two frames where the user waits: a key, or the page that answers it.
const PROMPT_FRAME: Duration = Duration::from_millis(8);
/// How long a frame waits for the rows that a key asked for, rather than show those of the filter or the order before under the name of the new one.
const ROWS: Duration = Duration::from_millis(25);
/// Most events that are taken before the engine is asked and a frame may be drawn.
const BURST: usize = 512;
/// How often the files of rules are looked at.
const WATCH: Duration = Duration::from_secs(1);
/// How often it is told how far an export has come.
const PROGRESS: Duration = Duration::from_millis(100);
/// How long `--on-alert` may take for what waits when the screen was left.
const GOODBYE: Duration = Duration::from_secs(2);
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
    app = app.with_known(Arc::clone(&common.known)).with_change(common.change.clone());
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
    let mut themes = Themes::new(depth);
    themes.load(&common.theme, None)?;
    app = app.with_themes(themes.names(), &common.theme);
    let source = Source::prepare(command, common, true).await?;
    let searches = Searches::new(source.search.clone(), source.lessons.clone());
    let inquiries = Inquiries::new(source.inventory.clone());
    app = app.with_nothing_earlier(source.nothing_earlier()).with_search(source.search.is_some());
    app = app.with_inventory(source.has_inventory());
    if !source.remarks.is_empty() {
        app.tell(source.remarks.join(". "));
    }
    if let [only] = &source.interfaces[..] {
        // Somebody who asks for one interface wants to know about it.
        app = app.with_interface(only);
    }
    // The first question does not depend on the terminal, and a terminal that does not answer costs its whole patience: rows are read meanwhile.
    let desk = Desk::open(app, source, decoder, detector, common, true)?;
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
    let mutes = Arc::clone(desk.app.mutes());
    let mut screen = Loop {
        desk,
        other: None,
        look,
        screen,
        mutes,
        kept: kept.clone(),
        notifier,
        said,
        alarm: (common.bell, common.notify),
        raised: None,
        rules: Watch::new(common.rule_files.clone()),
        common: common.clone(),
        searches,
        inquiries,
        lent: 0,
        themes,
        shade,
        drawn_in: common.theme.clone(),
    };
    let result = screen.run().await;
    let Loop { desk, other, screen, searches, notifier, .. } = screen;
    // The terminal first: whatever else goes wrong, the shell is usable.
    drop(screen);
    searches.stop();
    let left_out = notifier.map_or(0, |notifier| notifier.finish(GOODBYE));
    if left_out > 0 {
        // Nobody is left to hear it if this fails.
        let _ = writeln!(io::stderr(), "flowtail: --on-alert was not run for {left_out} alerts, which still waited");
    }
    let mut failed = None;
    for desk in std::iter::once(desk).chain(other) {
        if desk.live
            && let Some(place) = &kept
        {
            place.save(desk.app.history(), desk.app.saved())?;
            place.save_screen(&desk.app.arrangement())?;
        }
        let live = desk.live;
        let why = desk.close().await;
        // What a search beside it did not find was told where it was asked for.
        failed = failed.or(why.filter(|_| live));
    }
    result?;
    match failed {
        Some(why) => Err(StartError::Unreadable(why).into()),
        None => Ok(()),
    }
}

/// The screen's loop with all it owns.
struct Loop {
    /// The tab that is shown.
    desk: Desk,
    /// The one beside it.
    other: Option<Desk>,
    look: Look,
    screen: Screen,
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
    common: Common,
    searches: Searches,
    inquiries: Inquiries,
    /// Bytes that the live tab does without for what a search holds.
    lent: usize,
    themes: Themes,
    /// What the terminal says of its background.
    shade: Option<Shade>,
    /// Name of the theme of the last frame.
    drawn_in: String,
}

impl Loop {
    async fn run(&mut self) -> io::Result<()> {
        let mut signals = Signals::new()?;
        let mut keyboard = Keyboard::open()?;
        self.desk.app.tick(now_ms());
        // An error means that the engine is gone, which the loop tells.
        let _ = tokio::time::timeout(FIRST_PAGE, self.desk.pages.wait_for(|page| page.status.held > 0)).await;
        self.receive();
        self.begin_baseline();
        self.inquiries.begin();
        let mut dirty = true;
        let mut watch = tokio::time::interval(WATCH);
        watch.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Whether the user waits for the next frame.
        let mut prompt = false;
        let mut last_frame = Instant::now() - FRAME;
        let mut last_key = last_frame;
        loop {
            // Nobody looks closely while keys still pour in.
            let pace = if prompt && !keyboard.is_ready() { PROMPT_FRAME } else { FRAME };
            let mut due = last_frame + pace;
            if self.desk.app.has_other_rows() {
                due = due.max(last_key + ROWS);
            }
            let wait = if dirty { due.saturating_duration_since(Instant::now()) } else { self.patience() };
            if dirty && wait.is_zero() {
                self.frame()?;
                last_frame = Instant::now();
                dirty = false;
                prompt = false;
                // The frame said how many rows fit, which may be a new question.
                self.desk.ask_if_new();
                continue;
            }
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::Leave => return Ok(()),
                    Signal::Suspend => self.suspend(&mut keyboard)?,
                },
                event = keyboard.next() => match self.burst(event, &mut keyboard)? {
                    Burst::Noise => continue,
                    Burst::Taken => {
                        prompt = true;
                        last_key = Instant::now();
                    }
                    Burst::Leave => return Ok(()),
                },
                changed = self.desk.pages.changed() => match changed {
                    Ok(()) => {
                        let waited = !self.desk.app.is_current();
                        self.receive();
                        prompt |= waited && self.desk.app.is_current();
                    }
                    Err(_) => return Err(io::Error::other("the engine stopped; please report this")),
                },
                Some(()) = beside(&mut self.other) => self.receive_beside(),
                Some(heard) = self.searches.heard.recv() => {
                    self.hear(heard);
                    prompt = true;
                }
                Some(heard) = self.inquiries.heard.recv() => {
                    self.learn(heard);
                    prompt = true;
                }
                Some(text) = self.said.recv() => self.desk.app.tell(text),
                _ = watch.tick() => {
                    let themed = self.look_at_theme();
                    if !self.look_at_rules() && !themed {
                        continue;
                    }
                },
                heard = self.desk.exports.heard.recv() => if let Some(heard) = heard {
                    self.desk.exports.job = None;
                    self.desk.app.hear(heard);
                    prompt = true;
                },
                () = tokio::time::sleep(wait) => if dirty { continue },
            }
            self.desk.app.tick(now_ms());
            self.keep_mutes();
            self.desk.ask_if_new();
            dirty = true;
        }
    }

    /// How long nothing need be drawn while nothing comes: a countdown runs by the second.
    fn patience(&self) -> Duration {
        if self.desk.exports.job.is_some() {
            return PROGRESS;
        }
        let waits = matches!(self.desk.app.page().status.state.state, SourceState::Waiting { .. });
        Duration::from_secs(if waits { 1 } else { 3_600 })
    }

    /// Puts the user's rules in force when their files have changed. True where there is something to tell.
    fn look_at_rules(&mut self) -> bool {
        match self.rules.look() {
            None => return false,
            Some(Ok(rules)) => {
                for desk in std::iter::once(&self.desk).chain(&self.other) {
                    let memory = if desk.live { self.common.memory } else { tabs::share(self.common.memory) };
                    desk.change_rules(Detector::new(&rules, start::limits(memory)));
                }
                let on = rules.iter().filter(|rule| rule.enabled).count();
                self.desk.app.tell(format!("The rules changed: {on} are on, and look at what is held."));
            }
            Some(Err(why)) => self.desk.app.refuse(format!("The rules in force stay: {why}")),
        }
        true
    }

    /// Takes a theme up again whose files have changed. True where there is something to tell.
    fn look_at_theme(&mut self) -> bool {
        if !self.themes.changed(&self.drawn_in) {
            return false;
        }
        match self.themes.load(&self.drawn_in, self.shade) {
            Ok(theme) => {
                self.look.theme = theme;
                self.desk.app.tell(format!("The theme {} was read again.", self.drawn_in));
            }
            Err(error) => self.desk.app.refuse(format!("The theme stays as it was: {}", error.brief())),
        }
        true
    }

    /// Keeps what is muted when that has changed; it is so in both tabs.
    fn keep_mutes(&mut self) {
        if Arc::ptr_eq(&self.mutes, self.desk.app.mutes()) {
            return;
        }
        self.mutes = Arc::clone(self.desk.app.mutes());
        if let Some(other) = &mut self.other {
            other.app.share_mutes(&self.mutes);
            other.ask_if_new();
        }
        if let Some(Err(error)) = self.kept.as_ref().map(|place| place.save_mutes(&self.mutes)) {
            self.desk.app.tell(error.to_string());
        }
    }

    fn receive(&mut self) {
        self.desk.receive();
        self.lend();
        let raised = self.desk.app.take_raised();
        if self.desk.live {
            for alert in raised {
                self.alarmed(alert);
            }
        }
    }

    /// Takes the theme that the app wants, also one that is only looked at.
    fn dress(&mut self) {
        let wanted = self.desk.app.theme_wanted();
        if wanted == self.drawn_in {
            return;
        }
        self.drawn_in = wanted.to_owned();
        match self.themes.load(&self.drawn_in, self.shade) {
            Ok(theme) => self.look.theme = theme,
            Err(error) => self.desk.app.refuse(format!("The theme stays as it was: {}", error.brief())),
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
        if let Some(job) = &self.desk.exports.job {
            self.desk.app.hear(job.heard());
        }
        let viewport = self.screen.draw(&self.desk.app, &self.look)?;
        self.desk.app.laid_out(viewport);
        Ok(())
    }

    /// Takes an event and those that came with it.
    fn burst(&mut self, first: io::Result<Event>, keyboard: &mut Keyboard) -> io::Result<Burst> {
        let mut burst = Burst::Noise;
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(event) = next {
            match event {
                // The terminal is gone: there is nobody to show anything to.
                Err(_) => return Ok(Burst::Leave),
                // A mouse on its way somewhere is not worth a frame.
                Ok(event) if is_noise(&event) => {}
                Ok(event) => {
                    burst = Burst::Taken;
                    if !self.event(event, keyboard)? {
                        return Ok(Burst::Leave);
                    }
                }
            }
            taken += 1;
            next = if taken < BURST { keyboard.ready() } else { None };
        }
        Ok(burst)
    }

    /// Takes an event. False where the user leaves.
    fn event(&mut self, event: Event, keyboard: &mut Keyboard) -> io::Result<bool> {
        if matches!(event, Event::Resize(..)) {
            // A terminal that was made smaller and larger again has the size of the last frame, and has lost what was in it.
            self.screen.redraw();
        }
        let Some(input) = translate(event) else { return Ok(true) };
        for effect in self.desk.app.input(&input) {
            match effect {
                Effect::Quit => return Ok(false),
                Effect::Suspend => self.suspend(keyboard)?,
                Effect::Redraw => self.screen.redraw(),
                Effect::Rules => self.desk.app.offer_rules(self.rules.offered()),
                Effect::Export(order, path) => self.desk.exports.begin(order, path),
                Effect::LoadEarlier => self.desk.load(Load::Earlier),
                Effect::Search(wanted) => self.searches.plan(wanted),
                Effect::PlanBaseline => self.searches.plan_baseline(),
                Effect::RunSearch => self.run_search()?,
                Effect::Beside => self.go_beside(),
                Effect::AskInterfaces => self.inquiries.ask_interfaces(true),
                Effect::Lookup(address) => self.inquiries.look_up(address),
                Effect::CloseSearch => self.close_search(),
                Effect::StopLoading => {
                    self.searches.stop();
                    self.desk.load(Load::Stop);
                }
                Effect::StopExport => {
                    if let Some(job) = &self.desk.exports.job {
                        job.stop();
                    }
                }
                Effect::Copy(text) => {
                    if !self.screen.copy(&text)? {
                        self.desk.app.not_on_clipboard(&match terminal::copy_to_file(&text) {
                            Ok(path) => format!("Written to {}: too long for the clipboard", path.display()),
                            Err(error) => format!("Not copied: too long for the clipboard, and no file: {error}"),
                        });
                    }
                }
            }
        }
        Ok(true)
    }

    /// Stops until `fg`. The keyboard is let go of first: what is typed into the shell is not ours.
    fn suspend(&mut self, keyboard: &mut Keyboard) -> io::Result<()> {
        keyboard.pause();
        self.screen.suspend()?;
        keyboard.resume()
    }
}

/// What came of a burst of events.
enum Burst {
    /// Nothing that changes the screen.
    Noise,
    Taken,
    /// The user leaves, or the terminal is gone.
    Leave,
}
