//! What a person arranges once and wants again: which columns a table has and in which order, how times are written, how the screen is shared out.
//! One line a setting, so that it can be kept between runs and be read by people ([`App::arrangement`]).

use std::fmt::Write as _;

use super::columns::{self, Col};
use super::menu::{Does, Item, Kind, Menu};
use super::{App, Mode, Tone};
use crate::engine::view::{Column, Tab};
use crate::record::{FIELDS, Field, On, places};

/// How times of rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Time of day, UTC.
    #[default]
    Utc,
    /// Time of day where the user is.
    Local,
    /// How long ago, by the event time of the source.
    Ago,
}

impl When {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            When::Utc => "utc",
            When::Local => "local",
            When::Ago => "ago",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<When> {
        [When::Utc, When::Local, When::Ago].into_iter().find(|when| when.name() == name)
    }
}

/// How the screen is shared out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Nothing but the table and what belongs to it.
    pub zoomed: bool,
    /// The timeline is hidden.
    pub no_strip: bool,
    /// The list of alerts is hidden; the header still counts them.
    pub no_alerts: bool,
    /// Steps by which the list of alerts is larger than usual, or smaller.
    pub alerts: i8,
    /// The same of the detail pane.
    pub detail: i8,
}

/// Most steps that a pane grows or shrinks by.
pub(super) const STEPS: i8 = 12;

/// All that was arranged.
#[derive(Clone, Debug, Default)]
pub(super) struct Arranged {
    /// Columns of flows and of sessions; the usual ones where there are none.
    pub(super) columns: [Option<Vec<Field>>; 2],
    pub(super) when: When,
    pub(super) shares: Shares,
}

fn place(tab: Tab) -> Option<usize> {
    match tab {
        Tab::Flows => Some(0),
        Tab::Sessions => Some(1),
        Tab::Alerts => None,
    }
}

/// Fields that the table needs to know of each row, shown or not: its time, what was decided, whether it is a record of traffic, how sure the sides are.
fn needed(tab: Tab) -> &'static [Field] {
    match tab {
        Tab::Flows => &[Field::End, Field::Action, Field::LogStatus, Field::InterfaceId],
        Tab::Sessions => &[Field::End, Field::Action, Field::OrientedBy],
        Tab::Alerts => &[],
    }
}

/// Whether rows of `tab` have `field` as one value that can stand in a column.
fn fits(field: Field, tab: Tab) -> bool {
    match field.def().on {
        On::Both => true,
        On::Flows => tab == Tab::Flows,
        On::Sessions => tab == Tab::Sessions && field != Field::Phase,
    }
}

impl App {
    /// The columns that were chosen for `tab`, or the usual ones.
    pub fn chosen_columns(&self, tab: Tab) -> Vec<Field> {
        let chosen = place(tab).and_then(|place| self.arranged.columns[place].clone());
        chosen.unwrap_or_else(|| columns::fields(tab, false))
    }

    /// The fields that the engine must fill in: those shown, in order, then those that are needed beside them.
    pub(super) fn fields_wanted(&self) -> Vec<Field> {
        let tab = self.view.tab;
        let chosen = place(tab).and_then(|place| self.arranged.columns[place].clone());
        let Some(mut fields) = chosen else { return columns::fields(tab, self.change.is_some()) };
        if self.change.is_some() && tab == Tab::Sessions {
            fields.insert(0, Field::Phase);
        }
        for field in needed(tab) {
            if !fields.contains(field) {
                fields.push(*field);
            }
        }
        fields
    }

    /// How many of the page's columns at the end are there for the table's sake only.
    pub(super) fn unseen_columns(&self) -> usize {
        let tab = self.page.tab;
        if self.page.columns.iter().any(|column| matches!(column, Column::Group(_))) {
            return 0;
        }
        let Some(chosen) = place(tab).and_then(|place| self.arranged.columns[place].as_ref()) else { return 0 };
        needed(tab).iter().filter(|field| !chosen.contains(field)).count()
    }

    /// How times are written.
    pub fn when(&self) -> When {
        self.arranged.when
    }

    /// How the screen is shared out.
    pub fn shares(&self) -> Shares {
        self.arranged.shares
    }

    /// Writes times in the next way.
    pub(super) fn next_when(&mut self) {
        let (next, says) = match self.arranged.when {
            When::Utc => (When::Local, "Times of rows are local now; the header and the timeline stay UTC."),
            When::Local => (When::Ago, "Times of rows say how long ago, by the event time of the header."),
            When::Ago => (When::Utc, "Times of rows are UTC."),
        };
        self.arranged.when = next;
        self.say(Tone::Quiet, says);
    }

    pub(super) fn toggle_zoom(&mut self) {
        self.arranged.shares.zoomed = !self.arranged.shares.zoomed;
    }

    pub(super) fn toggle_strip(&mut self) {
        self.arranged.shares.no_strip = !self.arranged.shares.no_strip;
    }

    pub(super) fn toggle_alert_list(&mut self) {
        let shares = &mut self.arranged.shares;
        shares.no_alerts = !shares.no_alerts;
        if shares.no_alerts {
            self.focus = super::Focus::Table;
        }
    }

    /// Gives the detail pane where it is open, else the list of alerts, more room or less.
    pub(super) fn resize_pane(&mut self, by: i8) {
        let detail = self.shows_detail();
        let shares = &mut self.arranged.shares;
        let steps = if detail { &mut shares.detail } else { &mut shares.alerts };
        *steps = (*steps + by).clamp(-STEPS, STEPS);
    }

    /// Lists the columns that the table has, then those that it could have.
    pub(super) fn open_columns(&mut self) {
        if self.view.tab == Tab::Alerts {
            return self
                .say(Tone::Quiet, "The columns of alerts are fixed; those of flows and sessions can be chosen.");
        }
        if !self.view.table().group_by.is_empty() {
            return self
                .say_keys(Tone::Quiet, "The columns of groups are what they are grouped by; {group} chooses that.");
        }
        let title = self.keys.spell(
            "Columns: {list:accept} shows or hides, {list:left} and {list:right} move, {list:delete-forward}: as usual",
        );
        self.open_menu(Menu::new(Kind::Columns, title, self.column_items()));
    }

    fn column_items(&self) -> Vec<Item> {
        let tab = self.view.tab;
        let shown = self.chosen_columns(tab);
        let item = |field: Field, sign: &str| {
            // The heading of the table is what people look for.
            let title = columns::title(Col::Field(field), false);
            let title = if title == field.name() { String::new() } else { format!(" ({title})") };
            Item::new(format!("{sign} {}{title}", field.name()), field.def().doc, Does::Column(field))
        };
        let offered = |field: &Field| fits(*field, tab) && places::is_told(*field) && !shown.contains(field);
        let hidden = FIELDS.iter().map(|def| def.field).filter(offered);
        shown.iter().map(|field| item(*field, "[x]")).chain(hidden.map(|field| item(field, "[ ]"))).collect()
    }

    /// Makes the list anew after a change, with the cursor on `field`.
    fn renew_columns(&mut self, field: Field) {
        let items = self.column_items();
        if let Mode::Menu(menu) = &mut self.mode {
            menu.renew(items);
            let at = menu.shown().position(|item| matches!(item.does, Does::Column(other) if other == field));
            menu.cursor = at.unwrap_or(0);
        }
    }

    /// Shows a column at the end, or hides it. One always stays.
    pub(super) fn toggle_column(&mut self, field: Field) {
        let tab = self.view.tab;
        let Some(place) = place(tab) else { return };
        let mut shown = self.chosen_columns(tab);
        match shown.iter().position(|known| *known == field) {
            Some(_) if shown.len() == 1 => return self.say(Tone::Refused, "One column stays."),
            Some(at) => {
                shown.remove(at);
            }
            None => shown.push(field),
        }
        // A column that is added is the chosen one, so that it is seen on a narrow screen too; one that is hidden is not.
        let table = self.view.table_mut();
        if shown.contains(&field) {
            table.column = Some(Col::Field(field));
        } else if table.column == Some(Col::Field(field)) {
            table.column = None;
        }
        self.arranged.columns[place] = Some(shown);
        self.renew_columns(field);
    }

    /// Moves the chosen column of the list to the left or to the right in the table.
    pub(super) fn move_column(&mut self, by: isize) {
        let Some(Does::Column(field)) = self.chosen_item() else { return };
        let tab = self.view.tab;
        let Some(place) = place(tab) else { return };
        let mut shown = self.chosen_columns(tab);
        let Some(at) = shown.iter().position(|known| *known == field) else {
            return self.say_keys(Tone::Quiet, "{list:accept} shows this column first.");
        };
        let to = at.saturating_add_signed(by).min(shown.len() - 1);
        shown.swap(at, to);
        self.arranged.columns[place] = Some(shown);
        self.renew_columns(field);
    }

    /// The usual columns again.
    pub(super) fn usual_columns(&mut self, field: Field) {
        if let Some(place) = place(self.view.tab) {
            self.arranged.columns[place] = None;
            self.say(Tone::Quiet, "The columns are the usual ones, which a narrow screen leaves out by rank.");
            self.renew_columns(field);
        }
    }

    /// What was arranged, one line a setting; nothing that is as usual.
    pub fn arrangement(&self) -> String {
        let mut text = String::new();
        let Arranged { columns, when, shares } = &self.arranged;
        // Writing to a string cannot fail.
        for (name, fields) in ["flows", "sessions"].into_iter().zip(columns) {
            if let Some(fields) = fields {
                let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
                let _ = writeln!(text, "columns {name} {}", names.join(" "));
            }
        }
        if *when != When::default() {
            let _ = writeln!(text, "time {}", when.name());
        }
        for (name, hidden) in [("timeline", shares.no_strip), ("alerts", shares.no_alerts)] {
            if hidden {
                let _ = writeln!(text, "hide {name}");
            }
        }
        for (name, steps) in [("alerts", shares.alerts), ("detail", shares.detail)] {
            if steps != 0 {
                let _ = writeln!(text, "size {name} {steps}");
            }
        }
        text
    }

    /// Arranges things as [`App::arrangement`] wrote them. What it cannot read it leaves as usual: another version may have written it.
    #[must_use]
    pub fn with_arrangement<'a>(mut self, lines: impl IntoIterator<Item = &'a str>) -> App {
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            let arranged = &mut self.arranged;
            match &words[..] {
                ["columns", table @ ("flows" | "sessions"), names @ ..] => {
                    let tab = if *table == "flows" { Tab::Flows } else { Tab::Sessions };
                    let mut fields: Vec<Field> = Vec::new();
                    for field in names.iter().filter_map(|name| Field::named(name)) {
                        if fits(field, tab) && !fields.contains(&field) {
                            fields.push(field);
                        }
                    }
                    if let (Some(place), false) = (place(tab), fields.is_empty()) {
                        arranged.columns[place] = Some(fields);
                    }
                }
                ["time", name] => arranged.when = When::named(name).unwrap_or_default(),
                ["hide", "timeline"] => arranged.shares.no_strip = true,
                ["hide", "alerts"] => arranged.shares.no_alerts = true,
                ["size", pane @ ("alerts" | "detail"), steps] => {
                    let steps = steps.parse::<i8>().unwrap_or(0).clamp(-STEPS, STEPS);
                    let shares = &mut arranged.shares;
                    *if *pane == "alerts" { &mut shares.alerts } else { &mut shares.detail } = steps;
                }
                _ => {}
            }
        }
        self
    }
}
