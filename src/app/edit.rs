//! Keys while there is text to edit: the filter bar, the group prompt, the search in help.

use super::prompt::{Draft, FilterBar, GroupPrompt};
use super::view::stage;
use super::{Action, App, Applied, HelpState, Line, Mode, Tone};
use crate::engine::view::{Column, Page, Sort, Tab};
use crate::filter::{Completion, Sets, complete};
use crate::record::{Cell, Field};

impl App {
    /// Opens the filter bar on the filter there is.
    pub(super) fn open_filter_bar(&mut self) {
        if self.view.tab == Tab::Alerts {
            return self.say(Tone::Refused, "Alerts are not filtered; 1 and 2 go to flows and sessions.");
        }
        let text = self.view.filter.as_ref().map_or("", |applied| &applied.text);
        self.mode = Mode::Filter(FilterBar::new(text, self.view.tab));
    }

    /// Opens the group prompt on the columns there are.
    pub(super) fn open_group_prompt(&mut self) {
        if self.view.tab == Tab::Alerts {
            return self.say(Tone::Refused, "Alerts are not grouped; 1 and 2 go to flows and sessions.");
        }
        self.mode = Mode::Group(GroupPrompt::new(&self.view.table().group_by, self.view.tab));
    }

    /// An action while something is typed.
    pub(super) fn edit(&mut self, action: Action) {
        match action {
            Action::Cancel => self.mode = Mode::Main,
            Action::Accept => self.accept(),
            Action::Older | Action::Newer => {
                if let Mode::Filter(bar) = &mut self.mode {
                    match action {
                        Action::Older => bar.older(&self.history),
                        _ => bar.newer(&self.history),
                    }
                }
            }
            Action::Complete => self.complete(),
            Action::Filters => {
                if matches!(self.mode, Mode::Filter(_)) {
                    self.open_filters();
                }
            }
            Action::Save => self.save_item(),
            Action::Saved(key) => {
                if matches!(self.mode, Mode::Filter(_)) {
                    self.take_saved(key);
                }
            }
            Action::Up | Action::Down | Action::PageUp | Action::PageDown => {
                let page = self.viewport.help.0.saturating_sub(1).max(1).cast_signed();
                let by = match action {
                    Action::Up => -1,
                    Action::Down => 1,
                    Action::PageUp => -page,
                    _ => page,
                };
                self.scroll_help(by);
            }
            edit => {
                self.edit_line(|line| change(line, edit));
                self.judge_change();
            }
        }
    }

    /// The fields whose values would be offered at the caret of the filter bar.
    pub(super) fn values_wanted(&self) -> Vec<Field> {
        let Mode::Filter(bar) = &self.mode else { return Vec::new() };
        let mut wanted = Vec::new();
        let ask = &mut |field| {
            if !wanted.contains(&field) {
                wanted.push(field);
            }
            Vec::new()
        };
        complete(bar.line.text(), bar.line.caret(), stage(self.view.tab), Sets::known(), ask);
        wanted.truncate(3);
        wanted
    }

    /// What can stand at the caret of the filter bar, best first. Values are those of what is held, or of the page until these are counted.
    pub fn completion(&self) -> Completion {
        let Mode::Filter(bar) = &self.mode else { return Completion::default() };
        let seen = &mut |field| values(&self.page, field);
        complete(bar.line.text(), bar.line.caret(), stage(self.view.tab), Sets::known(), seen)
    }

    /// Takes the first candidate.
    fn complete(&mut self) {
        let completion = self.completion();
        match &mut self.mode {
            Mode::Filter(bar) => {
                if let Some(best) = completion.candidates.first() {
                    bar.line.replace(completion.range, &best.text);
                    bar.changed();
                }
            }
            Mode::Group(prompt) => prompt.accept_candidate(),
            Mode::Main
            | Mode::Help(_)
            | Mode::Report(_)
            | Mode::Menu(_)
            | Mode::Timeline(_)
            | Mode::Change(_)
            | Mode::Ask(_) => {}
        }
    }

    /// Text from the clipboard.
    pub(super) fn paste(&mut self, text: &str) {
        if matches!(self.mode, Mode::Main | Mode::Report(_) | Mode::Timeline(_)) {
            return self.say_keys(Tone::Quiet, "Paste goes into the filter bar: {filter} opens it.");
        }
        self.edit_line(|line| line.insert(text));
        self.judge_change();
    }

    pub(super) fn scroll_help(&mut self, by: isize) {
        let (fits, all) = self.viewport.help;
        if let Mode::Help(state) = &mut self.mode {
            state.scroll = state.scroll.saturating_add_signed(by).min(all.saturating_sub(fits));
        }
    }

    fn edit_line(&mut self, edit: impl FnOnce(&mut Line)) {
        match &mut self.mode {
            Mode::Main | Mode::Report(_) | Mode::Timeline(_) => {}
            Mode::Change(prompt) => edit(&mut prompt.line),
            Mode::Ask(ask) => {
                edit(&mut ask.line);
                ask.refused = None;
            }
            Mode::Menu(menu) => {
                edit(&mut menu.search);
                menu.cursor = 0;
            }
            Mode::Filter(bar) => {
                let before = bar.line.text().to_owned();
                edit(&mut bar.line);
                if bar.line.text() != before {
                    bar.changed();
                }
            }
            Mode::Group(prompt) => {
                edit(&mut prompt.line);
                prompt.judge();
            }
            Mode::Help(HelpState { search, scroll }) => {
                edit(search);
                *scroll = 0;
            }
        }
    }

    fn accept(&mut self) {
        match std::mem::take(&mut self.mode) {
            Mode::Filter(bar) => self.accept_filter(bar),
            Mode::Group(prompt) => self.accept_groups(prompt),
            Mode::Change(prompt) => self.accept_change(prompt),
            mode
            @ (Mode::Main | Mode::Help(_) | Mode::Report(_) | Mode::Menu(_) | Mode::Timeline(_) | Mode::Ask(_)) => {
                self.mode = mode;
            }
        }
    }

    fn accept_filter(&mut self, mut bar: FilterBar) {
        let text = bar.line.text().trim().to_owned();
        match bar.draft() {
            Draft::Bad(_) => {
                bar.refused = true;
                self.mode = Mode::Filter(bar);
            }
            Draft::Empty => {
                if self.view.filter.is_some() {
                    self.remember("no filter");
                    self.view.filter = None;
                }
            }
            Draft::Good(filter) => {
                let spelled = filter.to_string();
                if self.view.filter.as_ref().is_some_and(|applied| applied.text == text && !applied.off) {
                    return;
                }
                match Applied::new(&text, self.view.tab) {
                    Ok(applied) => {
                        self.remember(spelled.clone());
                        self.view.lens = None;
                        self.view.filter = Some(applied);
                        self.history.push(&spelled);
                    }
                    Err(error) => self.say(Tone::Refused, format!("Not applied: {}", error.message)),
                }
            }
        }
    }

    fn accept_groups(&mut self, prompt: GroupPrompt) {
        let Ok(fields) = &prompt.fields else {
            self.mode = Mode::Group(prompt);
            return;
        };
        if *fields == self.view.table().group_by {
            return;
        }
        let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
        self.remember(if names.is_empty() { "rows".to_owned() } else { format!("by {}", names.join(", ")) });
        let table = self.view.table_mut();
        table.sort = if fields.is_empty() { Sort::default() } else { Sort { field: Field::Bytes, descending: true } };
        table.column = None;
        table.group_by.clone_from(fields);
        table.reset();
    }
}

/// The values that the rows of a page have in `field`, most frequent first, and among equals in the order of the page.
fn values(page: &Page, field: Field) -> Vec<(Cell, u64)> {
    if let Some(seen) = page.values.iter().find(|seen| seen.field == field && !seen.values.is_empty()) {
        return seen.values.clone();
    }
    let Some(at) = page.columns.iter().position(|column| *column == Column::Field(field)) else { return Vec::new() };
    let mut values: Vec<(Cell, u64)> = Vec::new();
    for cell in page.rows.iter().filter_map(|row| row.cells.get(at)).filter(|cell| **cell != Cell::Absent) {
        match values.iter_mut().find(|(known, _)| known == cell) {
            Some((_, rows)) => *rows += 1,
            None => values.push((cell.clone(), 1)),
        }
    }
    values.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    values
}

fn change(line: &mut Line, action: Action) {
    match action {
        Action::Insert(c) => line.insert(c.encode_utf8(&mut [0; 4])),
        Action::CaretLeft => line.left(),
        Action::CaretRight => line.right(),
        Action::CaretStart => line.start(),
        Action::CaretEnd => line.end(),
        Action::DeleteBack => line.delete_back(),
        Action::DeleteForward => line.delete_forward(),
        Action::DeleteWord => line.delete_word(),
        Action::DeleteToStart => line.delete_to_start(),
        Action::DeleteToEnd => line.delete_to_end(),
        _ => {}
    }
}
