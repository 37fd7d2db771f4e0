//! From an input to an action, from an action to a new state and effects.

use super::columns::{Col, sort_field};
use super::cursor::Step;
use super::report::Topic;
use super::{Action, App, Effect, Focus, HelpState, Input, Mode, Tone};
use crate::engine::view::{Sort, Tab};
use crate::record::Field;

impl App {
    /// Takes what the user did.
    pub fn input(&mut self, input: &Input) -> Vec<Effect> {
        let before = self.before(input);
        let effects = self.take(input);
        if let Some(before) = before {
            self.note_change(before);
        }
        effects
    }

    fn take(&mut self, input: &Input) -> Vec<Effect> {
        match input {
            Input::Key(key) => {
                if let Some(action) = self.keys.resolve(self.context(), *key) {
                    self.update(action)
                } else {
                    self.notice = None;
                    Vec::new()
                }
            }
            Input::Paste(text) => {
                self.notice = None;
                self.paste(text);
                Vec::new()
            }
            Input::Mouse(mouse) => {
                self.notice = None;
                self.mouse(*mouse)
            }
        }
    }

    /// Does what was asked for.
    pub fn update(&mut self, action: Action) -> Vec<Effect> {
        self.notice = None;
        match action {
            Action::Redraw => return vec![Effect::Redraw],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Quit => return vec![Effect::Quit],
            _ if matches!(self.mode, Mode::Report(_)) => self.in_report(action),
            _ if matches!(self.mode, Mode::Timeline(_)) => self.on_timeline(action),
            _ if matches!(self.mode, Mode::Menu(_)) => return self.in_menu(action),
            Action::Accept if matches!(self.mode, Mode::Ask(_)) => {
                if let Mode::Ask(ask) = std::mem::take(&mut self.mode) {
                    return self.accept_ask(ask);
                }
            }
            _ if !matches!(self.mode, Mode::Main) => self.edit(action),
            Action::Copy => return self.copy(),
            Action::Rules => return vec![Effect::Rules],
            Action::Earlier => return self.load_earlier(),
            Action::StopLoading => return self.stop_loading(),
            Action::Beside => return self.go_beside(),
            Action::AskInterfaces => return self.ask_interfaces(),
            Action::Back if self.leaves_search() => return vec![Effect::Beside],
            other => self.act(other),
        }
        Vec::new()
    }

    fn act(&mut self, action: Action) {
        let page = self.viewport.table_rows.saturating_sub(1).max(1).cast_signed();
        let half = (page / 2).max(1);
        if self.in_lens(action) {
            return;
        }
        match action {
            Action::Down => self.step(Step::Cursor(1)),
            Action::Up => self.step(Step::Cursor(-1)),
            Action::PageDown => self.step(Step::Rows(page)),
            Action::PageUp => self.step(Step::Rows(-page)),
            Action::HalfDown => self.step(Step::Rows(half)),
            Action::HalfUp => self.step(Step::Rows(-half)),
            Action::Top => self.go_top(),
            Action::Bottom => self.go_bottom(),
            Action::Left => self.choose_column(-1),
            Action::Right => self.choose_column(1),
            Action::ScrollLeft => self.scroll_columns(-1),
            Action::ScrollRight => self.scroll_columns(1),
            Action::Enter => self.enter(),
            Action::Back => self.go_back(),
            Action::Detail => self.toggle_detail(),
            Action::DetailDown => self.scroll_detail(1),
            Action::DetailUp => self.scroll_detail(-1),
            Action::Sidebar => self.toggle_sidebar(),
            Action::NextAlert => self.go_to_alert(1),
            Action::PreviousAlert => self.go_to_alert(-1),
            Action::Acknowledge => self.acknowledge(),
            Action::Mute => self.open_mute(),
            Action::Mutes => self.open_mutes(),
            Action::Flows => self.go_to_tab(Tab::Flows),
            Action::Sessions => self.go_to_tab(Tab::Sessions),
            Action::Alerts => self.go_to_tab(Tab::Alerts),
            Action::NextTab => self.go_to_tab(neighbour(self.view.tab, 1)),
            Action::PreviousTab => self.go_to_tab(neighbour(self.view.tab, 2)),
            Action::Filter => self.open_filter_bar(),
            Action::ToggleFilter => self.toggle_filter(),
            Action::OnlyThis => self.pivot(true),
            Action::Exclude => self.pivot(false),
            Action::Group => self.open_group_prompt(),
            Action::Pivot => self.open_pivot(),
            Action::CopyAs => self.open_copy(),
            Action::Explain => self.open_explain(),
            Action::Filters => self.open_filters(),
            Action::Saved(key) => self.take_saved(key),
            Action::Sort => self.sort_by(self.column()),
            Action::Reverse => self.reverse(),
            Action::MarkRow => self.toggle_mark(),
            Action::Note => self.open_note(),
            Action::Marks => self.open_marks(),
            Action::Export => self.open_exports(),
            Action::Palette => self.open_palette(),
            Action::Freeze => self.view.frozen = !self.view.frozen,
            Action::Fold => self.toggle_fold(),
            Action::Columns => self.open_columns(),
            Action::When => self.next_when(),
            Action::Zoom => self.toggle_zoom(),
            Action::HideStrip => self.toggle_strip(),
            Action::HideAlerts => self.toggle_alert_list(),
            Action::Larger => self.resize_pane(1),
            Action::Smaller => self.resize_pane(-1),
            Action::Undo => self.undo(),
            Action::Follow => self.follow(),
            Action::Help => self.mode = Mode::Help(HelpState::default()),
            Action::History => self.open_search(),
            Action::Source => self.open_report(Topic::Source),
            Action::Unparsed => self.open_report(Topic::Unparsed),
            Action::Endpoint => self.open_endpoint(),
            Action::Interface => self.open_interface(),
            Action::Lookup => self.offer_lookup(),
            Action::Timeline => self.open_timeline(),
            Action::ChangeTime => self.open_change_prompt(None),
            // The rest belongs to prompts, or is done in `update`.
            _ => {}
        }
    }

    pub(super) fn go_to_tab(&mut self, tab: Tab) {
        self.focus = Focus::Table;
        if self.view.lens.is_some() {
            self.remember("table");
            self.view.lens = None;
        }
        if tab == self.view.tab {
            return;
        }
        let refused = match &self.view.filter {
            Some(applied) if !applied.off && tab != Tab::Alerts => applied.on(tab).err(),
            _ => None,
        };
        if let Some(error) = refused {
            // A filter that does not compile must not turn into "everything".
            let off = self.keys.spell("{toggle-filter} turns it off.");
            return self.say(Tone::Refused, format!("The filter does not apply there: {} {off}", error.message));
        }
        self.opening = None;
        self.detail_scroll = 0;
        self.view.tab = tab;
    }

    fn toggle_sidebar(&mut self) {
        self.focus = match self.focus {
            Focus::Table if self.view.tab == Tab::Alerts => {
                return self.say(Tone::Quiet, "This table is the alerts.");
            }
            Focus::Table if self.page.alerts.is_empty() => {
                return self.say(Tone::Quiet, "There are no alerts.");
            }
            Focus::Table => Focus::Sidebar,
            Focus::Sidebar => Focus::Table,
        };
        self.detail_scroll = 0;
    }

    fn toggle_filter(&mut self) {
        let tab = self.view.tab;
        match &mut self.view.filter {
            None => self.say_keys(Tone::Quiet, "There is no filter to turn off. {filter} sets one."),
            Some(applied) if applied.off && tab != Tab::Alerts => match applied.on(tab).map(|_| ()) {
                Ok(()) => applied.off = false,
                Err(error) => self.say(Tone::Refused, format!("The filter does not apply here: {}", error.message)),
            },
            Some(applied) => applied.off = !applied.off,
        }
    }

    fn follow(&mut self) {
        self.view.frozen = false;
        let table = self.view.table_mut();
        if table.group_by.is_empty() {
            table.sort = Sort::default();
        }
        self.focus = Focus::Table;
        self.go_top();
    }

    pub(super) fn sort_by(&mut self, col: Col) {
        if self.view.tab == Tab::Alerts {
            return self.say(Tone::Quiet, "Alerts are in order: open before closed, worst first, newest first.");
        }
        let Some(field) = sort_field(col) else {
            return self.say(Tone::Refused, "Groups can be sorted by their keys, bytes, packets and records.");
        };
        let table = self.view.table_mut();
        let descending = if table.sort.field == field { !table.sort.descending } else { largest_first(field) };
        table.sort = Sort { field, descending };
        table.column = Some(col);
        table.reset();
    }

    fn reverse(&mut self) {
        if self.view.tab == Tab::Alerts {
            return self.say(Tone::Quiet, "Alerts are in order: open before closed, worst first, newest first.");
        }
        let table = self.view.table_mut();
        table.sort.descending = !table.sort.descending;
        table.reset();
    }

    pub(super) fn scroll_detail(&mut self, by: isize) {
        let (fits, all) = self.viewport.detail;
        self.detail_scroll = self.detail_scroll.saturating_add_signed(by).min(all.saturating_sub(fits));
    }

    fn copy(&mut self) -> Vec<Effect> {
        if let Some(text) = self.cell_text() {
            self.say(Tone::Quiet, format!("Copied {text}"));
            vec![Effect::Copy(text)]
        } else {
            self.say(Tone::Refused, "There is no value to copy in this column.");
            Vec::new()
        }
    }
}

fn neighbour(tab: Tab, steps: usize) -> Tab {
    let tabs = [Tab::Flows, Tab::Sessions, Tab::Alerts];
    tabs[(tab as usize + steps) % tabs.len()]
}

fn largest_first(field: Field) -> bool {
    use crate::record::Kind;
    matches!(field.kind(), Kind::Count | Kind::Time | Kind::Duration | Kind::Ratio | Kind::Flags)
}
