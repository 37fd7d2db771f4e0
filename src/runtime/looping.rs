//! The screen's loop, and the only `select!`: keys, pages, signals and the clock come in, frames go out, only when something changed and at most
//! thirty a second of what comes by itself; what the user asked for does not wait for that.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::desk::Desk;
use super::input::{is_noise, translate};
use super::inquiries::Inquiries;
use super::keyboard::Keyboard;
use super::searches::Searches;
use super::signals::{Signal, Signals};
use super::tabs::{self, beside};
use super::themes::Themes;
use crate::app::Effect;
use crate::cli::Common;
use crate::config::rules::Watch;
use crate::detect::mute::Mutes;
use crate::detect::{Alert, Detector};
use crate::engine::thread::now_ms;
use crate::notify::Notifier;
use crate::record::SourceState;
use crate::start::{self, Load};
use crate::state;
use crate::terminal::{self, Screen};
use crate::ui::Look;
use crate::ui::theme::Shade;

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
/// How long the first rows are waited for before the first frame, so that it is not drawn twice.
const FIRST_PAGE: Duration = Duration::from_millis(40);

/// The screen's loop with all it owns.
pub(super) struct Loop {
    /// The tab that is shown.
    pub(super) desk: Desk,
    /// The one beside it.
    pub(super) other: Option<Desk>,
    pub(super) look: Look,
    pub(super) screen: Screen,
    /// What was muted when that was last kept, and where it is.
    pub(super) mutes: Arc<Mutes>,
    pub(super) kept: Option<state::Place>,
    /// Runs `--on-alert`, and what it has to say.
    pub(super) notifier: Option<Notifier>,
    pub(super) said: mpsc::UnboundedReceiver<String>,
    /// Whether an alert rings the bell, and whether it has the terminal notify.
    pub(super) alarm: (bool, bool),
    /// An alert that was raised since the last frame.
    pub(super) raised: Option<Arc<Alert>>,
    pub(super) rules: Watch,
    pub(super) common: Common,
    pub(super) searches: Searches,
    pub(super) inquiries: Inquiries,
    /// Bytes that the live tab does without for what a search holds.
    pub(super) lent: usize,
    pub(super) themes: Themes,
    /// What the terminal says of its background.
    pub(super) shade: Option<Shade>,
    /// Name of the theme of the last frame.
    pub(super) drawn_in: String,
}

impl Loop {
    /// Runs until the user leaves.
    ///
    /// # Errors
    /// The terminal or the engine is gone.
    pub(super) async fn run(&mut self) -> io::Result<()> {
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

    pub(super) fn receive(&mut self) {
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
