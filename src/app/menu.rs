//! A list over the table to choose from: pivots of a cell, languages to copy a filter in, filters that were applied or saved, the parts of a filter with
//! their counts. Typing narrows it, Enter takes, Esc leaves.

use super::history::SLOTS;
use super::prompt::FilterBar;
use super::takeaway::What;
use super::{Action, App, Effect, Line, Mode, Tone};
use std::net::IpAddr;
use std::sync::Arc;

use crate::detect::mute::Mute;
use crate::detect::{Alert, Rules};
use crate::engine::view::{RowId, Tab};
use crate::filter::translate::Target;
use crate::record::Field;

/// A list to choose from.
#[derive(Clone, Debug)]
pub struct Menu {
    /// What it is about.
    pub title: String,
    /// What is typed to narrow it.
    pub search: Line,
    /// The chosen one of those that are shown.
    pub cursor: usize,
    /// What it offers.
    pub kind: Kind,
    pub(super) items: Vec<Item>,
    /// The filter bar that it was opened from.
    bar: Option<Box<FilterBar>>,
}

/// What a menu offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Where one can go from a cell.
    Pivot,
    /// Languages.
    Copy,
    /// Filters.
    Filters,
    /// Parts of the filter in force.
    Explain,
    /// Something to read.
    Text,
    /// What can be muted, or is.
    Mutes,
    /// Columns of the table.
    Columns,
    /// Rules to try, or what they would have raised.
    Trial,
    /// Marked rows.
    Marks,
    /// Exports.
    Export,
    /// Everything that can be done.
    Palette,
    /// What a search will cost: `y` runs it.
    Search,
    /// Sums that a search found.
    Sums,
    /// What a lookup of an address tells others: `y` asks.
    Lookup,
}

/// One line of a menu.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is.
    pub text: String,
    /// What there is to say of it, at the right.
    pub note: String,
    pub(super) does: Does,
}

/// What taking a line does.
#[derive(Clone, Debug)]
pub(super) enum Does {
    /// Nothing: it is to be read.
    Nothing,
    /// Shows the rows of a table that a filter selects, as a step with a name.
    Go { text: String, tab: Tab, step: String },
    /// Copies the filter in force in another language.
    Copy(Target),
    /// Takes a filter, that of a function key where there is one.
    Filter(String, Option<u8>),
    /// Leaves a part of the filter out.
    Without(usize),
    /// Mutes alerts.
    Mute(Vec<Mute>),
    /// Hears them again.
    Unmute(Mute),
    /// Shows or hides what is muted.
    ShowMuted,
    /// Tries rules over what is held.
    Try(Arc<Rules>, String),
    /// Shows the evidence of an alert of a trial.
    Evidence(Arc<Alert>),
    /// Goes to a marked row.
    Mark(RowId),
    /// Asks where an export goes.
    Export(What),
    /// Stops the export that is being written.
    StopExport,
    /// Does what a key does.
    Act(Action),
    /// Goes to the timeline and does this there.
    OnTimeline(Action),
    /// Shows or hides a column.
    Column(Field),
    /// Takes a theme.
    Theme(String),
    /// Asks what a baseline costs.
    PlanBaseline,
    /// Runs the search that is offered.
    RunSearch,
    /// Asks the resolver for the name of an address.
    Lookup(IpAddr),
    /// Closes the tab of a search.
    CloseSearch,
}

impl Item {
    pub(super) fn new(text: impl Into<String>, note: impl Into<String>, does: Does) -> Item {
        Item { text: text.into(), note: note.into(), does }
    }
}

/// Over how many characters of `text` the letters of `wanted` are scattered, where it has them in their order.
fn scattered(text: &str, wanted: &str) -> Option<usize> {
    let mut places = text.chars().enumerate();
    let mut letters = wanted.chars().filter(|c| *c != ' ');
    let first = letters.next()?;
    let (begin, _) = places.find(|(_, c)| *c == first)?;
    letters.try_fold(begin, |_, letter| places.find(|(_, c)| *c == letter).map(|(at, _)| at)).map(|end| end - begin)
}

impl Menu {
    pub(super) fn new(kind: Kind, title: impl Into<String>, items: Vec<Item>) -> Menu {
        Menu { title: title.into(), search: Line::default(), cursor: 0, kind, items, bar: None }
    }

    /// The same lines with other words.
    pub(super) fn renew(&mut self, items: Vec<Item>) {
        self.items = items;
    }

    /// The lines that what is typed leaves: those that have its words. In the palette those that begin with it come first, and last those that only
    /// have its letters in their order, the closest together first.
    pub fn shown(&self) -> impl Iterator<Item = &Item> {
        let wanted = self.search.text().to_lowercase();
        let fuzzy = self.kind == Kind::Palette && !wanted.is_empty();
        let rank = move |item: &Item| {
            let (text, note) = (item.text.to_lowercase(), item.note.to_lowercase());
            if fuzzy && text.starts_with(&wanted) {
                return Some(0);
            }
            if wanted.split_whitespace().all(|word| text.contains(word) || note.contains(word)) {
                return Some(1);
            }
            let span = if fuzzy { scattered(&text, &wanted) } else { None };
            span.map(|span| span + 2)
        };
        let mut ranked: Vec<(usize, &Item)> =
            self.items.iter().filter_map(|item| rank(item).map(|rank| (rank, item))).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, item)| item)
    }

    fn step(&mut self, by: isize) {
        let last = self.shown().count().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
    }
}

impl App {
    /// Opens a menu.
    pub(super) fn open_menu(&mut self, menu: Menu) {
        self.mode = Mode::Menu(menu);
    }

    /// The filters that were applied and saved, to be searched; from the filter bar they go into it.
    pub(super) fn open_filters(&mut self) {
        let mut items: Vec<Item> = self
            .history
            .saved()
            .map(|(key, text)| Item::new(text, format!("F{key}"), Does::Filter(text.to_owned(), Some(key))))
            .collect();
        let saved: Vec<&str> = self.history.saved().map(|(_, text)| text).collect();
        let recent = self.history.newest().filter(|text| !saved.contains(text));
        items.extend(recent.map(|text| Item::new(text, "", Does::Filter(text.to_owned(), None))));
        if items.is_empty() {
            return self.say_keys(
                Tone::Quiet,
                "No filter was applied so far. {filter} types one, {prompt:save} there saves it on a function key.",
            );
        }
        let mut menu = Menu::new(
            Kind::Filters,
            self.keys.spell("Filters: type to search, {list:save} saves on a function key"),
            items,
        );
        if let Mode::Filter(bar) = std::mem::take(&mut self.mode) {
            menu.bar = Some(Box::new(bar));
        }
        self.open_menu(menu);
    }

    /// An action while a menu is open.
    pub(super) fn in_menu(&mut self, action: Action) -> Vec<Effect> {
        let page = self.viewport.menu.saturating_sub(1).max(1).cast_signed();
        let adds_up = self.searches_now();
        let Mode::Menu(menu) = &mut self.mode else { return Vec::new() };
        match action {
            Action::Down => menu.step(1),
            Action::Up => menu.step(-1),
            Action::PageDown => menu.step(page),
            Action::PageUp => menu.step(-page),
            Action::Cancel => self.leave_menu(),
            Action::Accept => return self.take_item(),
            Action::Left => self.move_column(-1),
            Action::Right => self.move_column(1),
            Action::Save => self.save_item(),
            Action::DeleteForward => self.forget_item(),
            Action::Saved(key) => self.take_saved(key),
            Action::DeleteBack => {
                menu.search.delete_back();
                menu.cursor = 0;
            }
            // A question that costs money has an answer of its own.
            Action::Insert('y') if menu.kind == Kind::Search => {
                self.mode = Mode::Main;
                return vec![Effect::RunSearch];
            }
            Action::Insert('y') if menu.kind == Kind::Lookup => {
                menu.cursor = 0;
                return self.take_item();
            }
            Action::Insert('n') if matches!(menu.kind, Kind::Search | Kind::Lookup) => self.leave_menu(),
            Action::Insert(_) if matches!(menu.kind, Kind::Search | Kind::Lookup) => {}
            Action::Insert('X') if menu.kind == Kind::Sums && adds_up => return self.stop_loading(),
            Action::Insert(c) => {
                menu.search.insert(c.encode_utf8(&mut [0; 4]));
                menu.cursor = 0;
            }
            _ => {}
        }
        Vec::new()
    }

    fn leave_menu(&mut self) {
        self.trial = None;
        if let Mode::Menu(menu) = std::mem::take(&mut self.mode)
            && let Some(bar) = menu.bar
        {
            self.mode = Mode::Filter(*bar);
        }
    }

    /// The mouse chose a line.
    pub(super) fn pick_item(&mut self, at: usize) -> Vec<Effect> {
        if let Mode::Menu(menu) = &mut self.mode {
            menu.cursor = at;
        }
        self.take_item()
    }

    pub(super) fn chosen_item(&self) -> Option<Does> {
        let Mode::Menu(menu) = &self.mode else { return None };
        menu.shown().nth(menu.cursor).map(|item| item.does.clone())
    }

    fn take_item(&mut self) -> Vec<Effect> {
        let Some(does) = self.chosen_item() else { return Vec::new() };
        match does {
            Does::Nothing => self.mode = Mode::Main,
            Does::Go { text, tab, step } => {
                self.mode = Mode::Main;
                self.pivot_to(&text, tab, step);
            }
            Does::Copy(target) => {
                self.mode = Mode::Main;
                return self.copy_as(target);
            }
            Does::Filter(text, _) => self.take_filter(&text),
            Does::Without(clause) => {
                self.mode = Mode::Main;
                self.without(clause);
            }
            Does::Mute(mutes) => {
                self.mode = Mode::Main;
                self.mute(mutes);
            }
            Does::Unmute(mute) => {
                self.mode = Mode::Main;
                self.unmute(&mute);
            }
            Does::Try(rules, name) => {
                self.mode = Mode::Main;
                self.try_rules(rules, name);
            }
            Does::Evidence(alert) => {
                self.mode = Mode::Main;
                self.trial = None;
                self.open_evidence(&alert);
            }
            Does::ShowMuted => {
                self.mode = Mode::Main;
                self.toggle_muted();
            }
            Does::Mark(id) => {
                self.mode = Mode::Main;
                self.go_to_mark(id);
            }
            Does::Export(what) => self.ask_path(what),
            Does::Act(action) => {
                self.mode = Mode::Main;
                return self.update(action);
            }
            Does::OnTimeline(action) => {
                self.open_timeline();
                return self.update(action);
            }
            Does::Column(field) => self.toggle_column(field),
            Does::Theme(name) => {
                self.mode = Mode::Main;
                self.take_theme(name);
            }
            Does::PlanBaseline => {
                self.mode = Mode::Main;
                self.say(Tone::Quiet, "Asking what that costs …");
                return vec![Effect::PlanBaseline];
            }
            Does::RunSearch => {
                self.mode = Mode::Main;
                return vec![Effect::RunSearch];
            }
            Does::CloseSearch => {
                self.mode = Mode::Main;
                return vec![Effect::CloseSearch];
            }
            Does::StopExport => {
                self.mode = Mode::Main;
                return vec![Effect::StopExport];
            }
            Does::Lookup(address) => {
                self.mode = Mode::Main;
                return self.look_up(address);
            }
        }
        Vec::new()
    }

    /// A filter goes into the bar that the menu was opened from, or in force.
    pub(super) fn take_filter(&mut self, text: &str) {
        match std::mem::take(&mut self.mode) {
            Mode::Menu(Menu { bar: Some(mut bar), .. }) => {
                bar.line = Line::new(text);
                bar.changed();
                self.mode = Mode::Filter(*bar);
            }
            Mode::Filter(mut bar) => {
                bar.line = Line::new(text);
                bar.changed();
                self.mode = Mode::Filter(bar);
            }
            _ => self.apply(text),
        }
    }

    /// The filter on a function key.
    pub(super) fn take_saved(&mut self, key: u8) {
        match self.history.on_key(key).map(str::to_owned) {
            Some(text) => self.take_filter(&text),
            None => self.say(
                Tone::Quiet,
                format!(
                    "No filter is saved on F{key}. {} in the filter bar saves one.",
                    self.keys.spell("{prompt:save}")
                ),
            ),
        }
    }

    /// Saves the filter that is typed or chosen.
    pub(super) fn save_item(&mut self) {
        let text = match &self.mode {
            Mode::Filter(bar) => bar.filter().map(ToString::to_string),
            Mode::Menu(_) => match self.chosen_item() {
                Some(Does::Filter(text, _)) => Some(text),
                _ => return,
            },
            _ => return,
        };
        let Some(text) = text else { return self.say(Tone::Refused, "Only a filter that parses is saved.") };
        let Some(key) = self.history.save(&text) else {
            let (first, last) = (SLOTS.start(), SLOTS.end());
            let frees = self.keys.spell("{list:delete-forward} in the list ({filters}) frees one.");
            return self.say(Tone::Refused, format!("F{first} to F{last} are taken; {frees}"));
        };
        // Whoever saves it wants it kept.
        self.history.push(&text);
        self.say(Tone::Quiet, format!("Saved on F{key}."));
        self.reopen_filters();
    }

    /// Frees the function key of the chosen filter, or forgets it.
    fn forget_item(&mut self) {
        match self.chosen_item() {
            Some(Does::Filter(_, Some(key))) => self.history.put(key, None),
            Some(Does::Filter(text, None)) => self.history.forget(&text),
            Some(Does::Mark(id)) => return self.forget_mark(id),
            Some(Does::Column(field)) => return self.usual_columns(field),
            _ => return,
        }
        self.reopen_filters();
    }

    /// Makes the list anew after a change, at the same place.
    fn reopen_filters(&mut self) {
        if !matches!(self.mode, Mode::Menu(_)) {
            return;
        }
        let Mode::Menu(old) = std::mem::take(&mut self.mode) else { return };
        let notice = self.notice.take();
        if let Some(bar) = old.bar {
            self.mode = Mode::Filter(*bar);
        }
        self.open_filters();
        if let Mode::Menu(menu) = &mut self.mode {
            menu.search = old.search;
            menu.cursor = old.cursor;
            menu.step(0);
        }
        self.notice = notice.or(self.notice.take());
    }
}
