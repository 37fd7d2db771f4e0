//! The command palette: everything that can be done, by its words, out of the one table of actions; saved filters; themes, which are shown while they are
//! chosen.

use super::menu::{Does, Item, Kind, Menu};
use super::{ACTIONS, Action, App, Context, Mode, Tone};

impl App {
    /// Knows the themes that can be chosen, and which is in force.
    #[must_use]
    pub fn with_themes(mut self, themes: Vec<String>, theme: &str) -> App {
        self.themes = themes;
        theme.clone_into(&mut self.theme);
        self
    }

    /// The theme to draw in: the one in force, or the one that is chosen in the palette just now.
    pub fn theme_wanted(&self) -> &str {
        match (&self.mode, self.chosen_item()) {
            (Mode::Menu(menu), Some(Does::Theme(name))) if menu.kind == Kind::Palette => {
                self.themes.iter().find(|known| **known == name).map_or(&self.theme, |known| known)
            }
            _ => &self.theme,
        }
    }

    pub(super) fn take_theme(&mut self, name: String) {
        self.say(Tone::Quiet, format!("Theme {name}, for this run; --theme {name} takes it from the start."));
        self.theme = name;
    }

    /// Opens the palette.
    pub(super) fn open_palette(&mut self) {
        // What moves about in the table is quicker by its key than by its name.
        let actions = ACTIONS
            .iter()
            .filter(|def| def.context == Context::Main && !matches!(def.action, Action::Palette | Action::Saved(_)));
        let mut items: Vec<Item> = actions
            .map(|def| Item::new(def.help, self.keys.list(Context::Main, def.action), Does::Act(def.action)))
            .collect();
        // What is done on the timeline needs no way there first; what moves about on it does.
        let there = [Action::Mark, Action::ZoomIn, Action::ZoomOut, Action::AllTime, Action::Measure, Action::Clock];
        let way = self.keys.hint(Context::Main, Action::Timeline);
        let timeline = ACTIONS.iter().filter(|def| def.context == Context::Timeline && there.contains(&def.action));
        items.extend(timeline.map(|def| {
            let keys = format!("{way} {}", self.keys.hint(Context::Timeline, def.action));
            Item::new(format!("Timeline: {}", def.help), keys, Does::OnTimeline(def.action))
        }));
        if self.can_learn() {
            let text = "Baseline: load the ports and peers that each interface used, so that rules know what is new; what it costs is said before";
            items.push(Item::new(text, "", Does::PlanBaseline));
        }
        if self.is_beside_live() {
            let text = "Close this search: what it found goes, and its memory is the live tab's again";
            items.push(Item::new(text, "", Does::CloseSearch));
        }
        items.extend(self.history.saved().map(|(key, text)| {
            Item::new(format!("Filter: {text}"), format!("f{key}"), Does::Filter(text.to_owned(), Some(key)))
        }));
        items.extend(self.themes.iter().map(|name| Item::new(format!("Theme: {name}"), "", Does::Theme(name.clone()))));
        self.open_menu(Menu::new(Kind::Palette, "Everything that can be done: type to search", items));
    }
}
