//! What a key means: the state of the screen, the one table of actions, the keymap, and the update that turns an action into a
//! new state and effects. No I/O, no ratatui, no clock: tests drive it without threads.
//!
//! The app asks the engine with [`App::spec`] and takes the answer with [`App::receive`]. After each frame the screen tells it
//! how the frame was laid out ([`App::laid_out`]), so that a page has the rows that fit and the mouse finds what it points at.

pub mod action;
mod alerts;
mod asks;
pub mod brush;
pub mod change;
pub mod choose;
pub mod columns;
mod cursor;
mod drill;
mod earlier;
mod edit;
mod elsewhere;
mod fold;
pub mod grab;
mod hints;
mod history;
pub mod key;
pub mod keymap;
pub mod lens;
mod line;
pub mod marks;
pub mod menu;
mod mouse;
mod palette;
mod pivot;
pub mod prompt;
mod question;
pub mod report;
pub mod search;
mod sideways;
mod start;
pub mod takeaway;
mod trial;
mod undo;
mod update;
pub mod view;
pub mod viewport;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

pub use action::{ACTIONS, Action, Context};
pub use key::{Code, Key};
pub use line::Line;
pub use mouse::{Mouse, MouseKind};
pub use view::{Applied, Pin, Table, View};
pub use viewport::{Area, Target, Viewport};

use crate::detect::mute::Mutes;
use crate::detect::{Alert, Rules};
use crate::engine::view::{ClockKind, Page, RowId, Tab, ViewSpec};
use crate::enrich::Known;
use brush::{Brush, Measure};
use change::{Change, ChangePrompt};
use columns::Col;
use history::History;
use marks::Mark;
use menu::Menu;
use prompt::{FilterBar, GroupPrompt};
use report::ReportState;
use search::{Searches, Wanted};
use takeaway::{Ask, Order, Saving};

/// How many steps back are kept.
const BACK_LIMIT: usize = 100;

/// Rows asked for before the screen has said how many it shows.
const FIRST_ROWS: usize = 60;

/// What the world must do for the app.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Give the terminal back to the shell until it says `fg`.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Put this on the clipboard.
    Copy(String),
    /// Read the user's rules and offer them ([`App::offer_rules`]).
    Rules,
    /// Write an export to this path. What becomes of it is told with [`App::hear`].
    Export(Arc<Order>, String),
    /// Stop the export that is being written.
    StopExport,
    /// Load earlier time, as much as a press does.
    LoadEarlier,
    /// Stop loading.
    StopLoading,
    /// Find out what a search costs, and offer it ([`App::offer_search`]).
    Search(Arc<Wanted>),
    /// Find out what a baseline of the rules costs, and offer it the same way.
    PlanBaseline,
    /// Run the search that was offered last.
    RunSearch,
    /// Go to the tab beside this one.
    Beside,
    /// Ask EC2 anew what the interfaces are ([`App::learn`]).
    AskInterfaces,
    /// Ask the resolver for the name of an address ([`App::take_lookup`]).
    Lookup(IpAddr),
    /// Close the tab of the search.
    CloseSearch,
}

impl PartialEq for Effect {
    fn eq(&self, other: &Effect) -> bool {
        match (self, other) {
            (Effect::Copy(a), Effect::Copy(b)) => a == b,
            (Effect::Lookup(a), Effect::Lookup(b)) => a == b,
            (Effect::Export(a, to), Effect::Export(b, too)) => Arc::ptr_eq(a, b) && to == too,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// Something the user did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Text from the clipboard.
    Paste(String),
    /// The mouse.
    Mouse(Mouse),
}

/// What has the keys.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// Tables.
    #[default]
    Main,
    /// The filter bar is open.
    Filter(FilterBar),
    /// The group prompt is open.
    Group(GroupPrompt),
    /// Help is open.
    Help(HelpState),
    /// The pane about the source is open.
    Report(ReportState),
    /// The timeline has the keys.
    Timeline(Brush),
    /// The time of a change is typed.
    Change(ChangePrompt),
    /// A list to choose from is open.
    Menu(Menu),
    /// A note or a path is typed.
    Ask(Ask),
}

/// State of the help screen.
#[derive(Clone, Debug, Default)]
pub struct HelpState {
    /// What is searched for.
    pub search: Line,
    /// First line shown.
    pub scroll: usize,
}

/// Which pane moves when the cursor keys are pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// The table.
    #[default]
    Table,
    /// The alert sidebar.
    Sidebar,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// For information.
    Quiet,
    /// Something was not done.
    Refused,
}

/// A line to the user that the next key takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One sentence.
    pub text: String,
    /// How much it matters.
    pub tone: Tone,
}

/// A step that Esc takes back.
#[derive(Clone, Debug)]
enum Crumb {
    /// The detail pane was opened.
    Detail,
    /// The view was another; what led away from it.
    View(Box<View>, String),
}

/// The whole state of the screen.
#[derive(Debug, Default)]
pub struct App {
    view: View,
    mode: Mode,
    focus: Focus,
    page: Arc<Page>,
    back: Vec<Crumb>,
    history: History,
    notice: Option<Notice>,
    viewport: Viewport,
    /// The alert that the sidebar's cursor is on.
    alert: Option<u64>,
    detail_scroll: usize,
    /// Alerts that somebody said they saw.
    acknowledged: BTreeSet<u64>,
    /// Incidents that were acknowledged in the tab that a search was asked for in.
    seen: Vec<alerts::Seen>,
    mutes: Arc<Mutes>,
    show_muted: bool,
    /// Rules that are tried over what is held, and what they are called.
    trial: Option<(Arc<Rules>, String)>,
    /// Greatest number of an alert on a page so far.
    newest_alert: Option<u64>,
    /// A flow whose session is to be opened once the page that names it is here.
    opening: Option<RowId>,
    /// The time of a change that was marked.
    change: Option<Change>,
    /// What the bars of the timeline show, and by which clock.
    measure: Measure,
    clock: ClockKind,
    /// Themes that can be chosen, and the one in force.
    themes: Vec<String>,
    theme: String,
    /// Rows that were marked.
    marks: Vec<Mark>,
    /// The export that is being written.
    saving: Option<Saving>,
    /// Why there is no earlier time to load.
    nothing_earlier: Option<String>,
    searches: Searches,
    /// Filters that leave noise out, kept so that the same question stays the same.
    made_folds: Vec<fold::Made>,
    keys: Arc<keymap::Keys>,
    known: Arc<Known>,
    /// Who can be asked for more of it.
    asks: asks::Asks,
    arranged: choose::Arranged,
    /// Where the user is, for local times.
    zone: Option<jiff::tz::TimeZone>,
    /// Views before the changes that can be taken back.
    undo: Vec<undo::Before>,
    /// The last key took a change back, which is none itself.
    undone: bool,
    /// A border that the mouse holds, and whether its move was noted as a change.
    grab: Option<grab::Grab>,
    dragged: bool,
    asked: Option<ViewSpec>,
    /// The first question about the rows that are wanted.
    rows_asked: u64,
    /// The first question about the draft that is typed.
    draft_asked: u64,
    /// Unix milliseconds, for countdowns.
    now: i64,
}

impl App {
    /// An app that looks at all flows and follows.
    pub fn new() -> App {
        App::default()
    }

    /// Tells the user something that happened outside.
    pub fn tell(&mut self, text: impl Into<String>) {
        self.say(Tone::Quiet, text);
    }

    /// Tells the user of something outside that was not done.
    pub fn refuse(&mut self, text: impl Into<String>) {
        self.say(Tone::Refused, text);
    }

    /// The steps that led here, oldest first, each as Esc takes it back.
    pub fn way(&self) -> impl Iterator<Item = &str> {
        self.back.iter().filter_map(|crumb| match crumb {
            Crumb::View(_, step) => Some(step.as_str()),
            Crumb::Detail => None,
        })
    }

    /// What is looked at.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// What has the keys.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Which pane moves.
    pub fn focus(&self) -> Focus {
        self.focus
    }

    /// The last page.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// A line to the user.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// First line of the detail shown.
    pub fn detail_scroll(&self) -> usize {
        self.detail_scroll
    }

    /// How many steps Esc can take back.
    pub fn steps_back(&self) -> usize {
        self.back.len()
    }

    /// The machine's clock, Unix milliseconds.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The clock by which the source's records are dated, Unix milliseconds.
    pub fn source_now(&self) -> i64 {
        self.now.saturating_add(self.page.status.state.skew)
    }

    /// Whether the way here says more than the filter in force.
    pub fn shows_way(&self) -> bool {
        let mut way = self.way();
        match (way.next(), way.next()) {
            (None, _) => false,
            (Some(only), None) => self.view.filter_in_force().is_none_or(|filter| filter.to_string() != only),
            _ => true,
        }
    }

    /// Where keys go.
    pub fn context(&self) -> Context {
        match self.mode {
            Mode::Main => Context::Main,
            Mode::Filter(_) | Mode::Group(_) | Mode::Change(_) | Mode::Ask(_) => Context::Prompt,
            Mode::Timeline(_) => Context::Timeline,
            Mode::Help(_) => Context::Help,
            Mode::Report(_) => Context::Report,
            Mode::Menu(_) => Context::Menu,
        }
    }

    /// Tells the time, Unix milliseconds.
    pub fn tick(&mut self, now: i64) {
        self.now = now;
        self.expire_mutes();
    }

    /// Tells how the last frame was laid out.
    pub fn laid_out(&mut self, viewport: Viewport) {
        self.viewport = viewport;
        let rows = self.viewport.table_rows.max(1);
        let (first, hidden) = (self.viewport.first_column, self.viewport.hidden);
        let table = self.view.table_mut();
        table.line = table.line.min(rows - 1);
        // A table that has room for all is not scrolled.
        (table.scroll.reveal, table.scroll.first) = (None, if hidden == (0, 0) { 0 } else { first });
        let most = |(fits, all): (usize, usize)| all.saturating_sub(fits);
        self.detail_scroll = self.detail_scroll.min(most(self.viewport.detail));
        let help = most(self.viewport.help);
        if let Mode::Help(state) = &mut self.mode {
            state.scroll = state.scroll.min(help);
        }
        self.bound_report();
    }

    /// How the last frame was laid out.
    pub fn viewport(&self) -> &Viewport {
        &self.viewport
    }

    /// The columns of the page that is looked at.
    pub fn columns(&self) -> Vec<Col> {
        if self.page.tab == Tab::Alerts {
            return columns::columns(Tab::Alerts).collect();
        }
        let seen = self.page.columns.len().saturating_sub(self.unseen_columns());
        self.page.columns[..seen].iter().copied().map(Col::from).collect()
    }

    /// The column that sort, pivot and copy work on: the chosen one, or that of the order.
    pub fn column(&self) -> Col {
        let table = self.view.table();
        table.column.unwrap_or(Col::Field(table.sort.field))
    }

    /// Whether the page answers the question that was asked last.
    pub fn is_current(&self) -> bool {
        self.asked.as_ref().is_some_and(|spec| spec.serial == self.page.serial)
    }

    /// Whether the page still has the rows of another filter, order or table than the one wanted.
    pub fn has_other_rows(&self) -> bool {
        self.page.serial < self.rows_asked
    }

    /// Matches of the draft that is typed, and whether that is all of them; nothing until a page tells.
    pub fn draft_count(&self) -> Option<(u64, bool)> {
        self.page.draft.filter(|_| self.page.serial >= self.draft_asked)
    }

    /// The alert that the sidebar's cursor is on.
    pub fn selected_alert(&self) -> Option<&Arc<Alert>> {
        let alerts = &self.page.alerts;
        alerts.iter().find(|alert| Some(alert.id) == self.alert).or(alerts.first())
    }

    fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), tone });
    }

    /// Says a text that names keys, see [`keymap::Keys::spell`].
    fn say_keys(&mut self, tone: Tone, text: &str) {
        self.say(tone, self.keys.spell(text));
    }

    fn push_back(&mut self, crumb: Crumb) {
        if self.back.len() == BACK_LIMIT {
            self.back.remove(0);
        }
        self.back.push(crumb);
    }

    /// Remembers the view before `step` changes it.
    fn remember(&mut self, step: impl Into<String>) {
        self.push_back(Crumb::View(Box::new(self.view.clone()), step.into()));
    }
}
