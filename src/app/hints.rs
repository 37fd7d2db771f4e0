//! Which keys are worth a hint where the user is: those that lead on from there first, then the others in the order of the table of actions.

use super::action::{ACTIONS, Action, ActionDef, Context};
use super::menu::Kind;
use super::{App, Focus, Mode};
use crate::engine::view::Tab;

use Action as A;

/// In the view of an address or an interface.
const LENS: &[Action] = &[A::Help, A::Enter, A::Back, A::Endpoint, A::Down, A::Timeline, A::Palette, A::Quit];
/// In a list of alerts.
const ALERTS: &[Action] =
    &[A::Help, A::Enter, A::Back, A::Acknowledge, A::Mute, A::Pivot, A::Detail, A::Palette, A::Quit];
/// In tables.
const TABLE: &[Action] = &[
    A::Help,
    A::Filter,
    A::Enter,
    A::Back,
    A::Endpoint,
    A::Pivot,
    A::Sort,
    A::Palette,
    A::Sidebar,
    A::Export,
    A::Quit,
];

impl App {
    /// The keys to hint at, the most useful first, each with a word for what it does.
    pub fn hints(&self) -> impl Iterator<Item = (String, &'static str, Action)> {
        let context = self.context();
        let first = match (&self.mode, self.view.lens.is_some(), self.focus, self.view.tab) {
            (Mode::Main, true, ..) => LENS,
            (Mode::Main, _, Focus::Sidebar, _) | (Mode::Main, _, _, Tab::Alerts) => ALERTS,
            (Mode::Main, ..) => TABLE,
            _ => &[],
        };
        let named = move |action: &Action| ACTIONS.iter().find(|def| def.context == context && def.action == *action);
        let rest = ACTIONS.iter().filter(move |def| def.context == context && !first.contains(&def.action));
        let all = first.iter().filter_map(named).chain(rest);
        all.filter(|def| !def.hint.is_empty() && self.is_useful(def)).filter_map(|def| {
            let key = self.keys.hint(def.context, def.action);
            (!key.is_empty()).then_some((key, def.hint, def.action))
        })
    }

    /// Whether a key does something where the user is.
    fn is_useful(&self, def: &ActionDef) -> bool {
        let lens = self.view.lens.is_some();
        let alerts = self.focus == Focus::Sidebar || self.view.tab == Tab::Alerts;
        // Only what is listed as a filter can be saved.
        let filters = matches!(&self.mode, Mode::Menu(menu) if menu.kind == Kind::Filters);
        match (def.context, def.action) {
            (Context::Menu, A::Save | A::DeleteForward) => filters,
            (Context::Prompt, A::Save | A::Filters | A::Older) => matches!(self.mode, Mode::Filter(_)),
            (Context::Prompt, A::Complete) => matches!(self.mode, Mode::Filter(_) | Mode::Group(_)),
            (Context::Main, A::Back) => self.steps_back() > 0 || self.focus == Focus::Sidebar,
            (Context::Main, A::Sidebar) => !lens && !alerts && !self.page.alerts.is_empty(),
            (Context::Main, A::Acknowledge | A::Mute) => alerts && !lens,
            (Context::Main, A::Down) => lens,
            (Context::Main, A::MarkRow | A::Export | A::Detail | A::History) => !lens,
            (Context::Main, A::ScrollRight) => !lens && self.viewport.hidden != (0, 0),
            (Context::Main, A::Sort | A::Columns | A::Group | A::OnlyThis | A::Exclude) => !lens && !alerts,
            (Context::Main, A::Follow) => !lens && !self.view.table().follows(),
            _ => true,
        }
    }
}
