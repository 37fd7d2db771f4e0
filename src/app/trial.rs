//! Rules that are tried over what is held before they are switched on.

use std::sync::Arc;

use super::keymap::Keys;
use super::menu::{Does, Item, Kind, Menu};
use super::{App, Mode, Tone};
use crate::detect::Rules;
use crate::engine::view::Trial;

impl App {
    /// Offers rules to try: each a name, and the rules or what is wrong with them.
    pub fn offer_rules(&mut self, offered: Vec<(String, Result<Rules, String>)>) {
        let item = |(name, rules): (String, Result<Rules, String>)| match rules {
            Ok(rules) => {
                let ids: Vec<&str> = rules.iter().map(|rule| &*rule.id).collect();
                let note = if ids.len() > 3 { format!("{} rules", ids.len()) } else { ids.join(", ") };
                Item::new(name.clone(), note, Does::Try(Arc::new(rules), name))
            }
            Err(why) => Item::new(name, why, Does::Nothing),
        };
        let items: Vec<Item> = offered.into_iter().map(item).collect();
        if items.is_empty() {
            let text =
                "There are no rules to try: none in rules.d beside the configuration, and every built-in one is on.";
            return self.say(Tone::Quiet, text);
        }
        self.open_menu(Menu::new(Kind::Trial, "Try rules over what is held", items));
    }

    /// Has the engine try `rules` and shows what comes of it.
    pub(super) fn try_rules(&mut self, rules: Arc<Rules>, name: String) {
        self.open_menu(Menu::new(Kind::Trial, format!("{name}: being tried"), Vec::new()));
        self.trial = Some((rules, name));
    }

    /// Brings the list of what is tried up to date, the cursor where it was.
    pub(super) fn show_trial(&mut self) {
        let (Some((_, name)), Some(trial)) = (&self.trial, &self.page.trial) else { return };
        let (title, items) = (heading(name, trial, &self.keys), items(trial));
        if let Mode::Menu(menu) = &mut self.mode
            && menu.kind == Kind::Trial
        {
            (menu.title, menu.items) = (title, items);
        }
    }
}

fn heading(name: &str, trial: &Trial, keys: &Keys) -> String {
    let all: u64 = trial.by_rule.iter().map(|(_, count)| count).sum();
    let alerts = if all == 1 { "alert" } else { "alerts" };
    if trial.progress < 1.0 {
        return format!("{name}: {all} {alerts} in the first {:.0} %", trial.progress * 100.0);
    }
    format!("{name}: would have raised {all} {alerts}; {} shows the evidence", keys.spell("{list:accept}"))
}

fn items(trial: &Trial) -> Vec<Item> {
    let mut items: Vec<Item> =
        trial.by_rule.iter().map(|(rule, count)| Item::new(format!("{rule}: {count}"), "", Does::Nothing)).collect();
    items.extend(trial.examples.iter().map(|alert| {
        let note = format!("{} {}", alert.level, alert.rule);
        Item::new(alert.message.clone(), note, Does::Evidence(Arc::clone(alert)))
    }));
    if items.is_empty() {
        let text =
            if trial.progress < 1.0 { "Nothing so far." } else { "Nothing: these rules would have been silent." };
        items.push(Item::new(text, "", Does::Nothing));
    }
    items
}
