//! The filter in force in other words: its parts with their counts, and copies of it in the languages of other tools.

use super::columns::Col;
use super::menu::{Does, Item, Kind, Menu};
use super::view::stage;
use super::{App, Effect, Mode, Tone};
use crate::engine::view::{Column, Tab};
use crate::filter::Filter;
use crate::filter::translate::{Context, Shape, Target, insights, translate};
use crate::record::Field;

impl App {
    /// Offers the languages to copy the filter in force in.
    pub(super) fn open_copy(&mut self) {
        let items = Target::ALL.into_iter().map(|target| {
            let note = match target {
                Target::Insights => "searches history",
                Target::AwsCli => "reads the group",
                Target::Athena => "searches S3",
                Target::Tcpdump => "captures packets",
                Target::Wireshark => "shows packets",
            };
            Item::new(target.title(), note, Does::Copy(target))
        });
        let menu = Menu::new(Kind::Copy, "Copy the filter as", items.collect());
        self.open_menu(menu);
    }

    /// The filter whose translation is meant: that in force, or that of the alert under the cursor.
    fn to_translate(&self) -> Result<Option<Filter>, String> {
        if self.view.tab != Tab::Alerts {
            return Ok(self.view.filter_in_force().map(|filter| (**filter).clone()));
        }
        match self.selected_or_cursor_alert() {
            None => Ok(None),
            Some(alert) => Filter::parse(&alert.filter, alert.stage).map(Some).map_err(|error| error.message),
        }
    }

    /// What was said to be copied could not be: where it is instead, or why it is nowhere.
    pub fn not_on_clipboard(&mut self, text: &str) {
        // The list that shows the text covers what is said elsewhere.
        if let Mode::Menu(menu) = &mut self.mode
            && menu.kind == Kind::Text
        {
            text.clone_into(&mut menu.title);
        }
        self.say(Tone::Refused, text);
    }

    /// Copies the filter in force for another tool.
    pub(super) fn copy_as(&mut self, target: Target) -> Vec<Effect> {
        let filter = match self.to_translate() {
            Ok(filter) => filter,
            Err(why) => {
                self.say(Tone::Refused, format!("Not copied: {why}"));
                return Vec::new();
            }
        };
        let status = &self.page.status;
        let span = status.span;
        let now = span.map_or(self.source_now() / 1000, |(_, last)| last);
        let region = status.region.as_deref();
        let group = status.source.starts_with('/').then_some(&*status.source).filter(|_| status.state.requests > 0);
        let context = Context { formats: &status.formats, now, group, region, span };
        let by: Vec<Field> = self.view.table().group_by.clone();
        let grouped = !by.is_empty() && target == Target::Insights && self.view.tab == Tab::Flows;
        let said = if grouped {
            insights(filter.as_ref(), &context, &Shape::Groups { by, limit: 100 })
        } else {
            translate(filter.as_ref(), target, &context)
        };
        match said {
            Err(refusal) => {
                self.say(Tone::Refused, format!("Not copied: {refusal}"));
                Vec::new()
            }
            Ok(said) => {
                let mut lines: Vec<Item> = said.text.lines().map(|line| Item::new(line, "", Does::Nothing)).collect();
                if !said.notes.is_empty() {
                    lines.push(Item::new("", "", Does::Nothing));
                }
                lines.extend(said.notes.iter().map(|note| Item::new(note, "", Does::Nothing)));
                let how = if said.exact { "selects the same" } else { "selects more than the filter" };
                let menu = Menu::new(Kind::Text, format!("Copied: {}, {how}", target.title()), lines);
                self.open_menu(menu);
                vec![Effect::Copy(said.text)]
            }
        }
    }

    /// Shows the parts of the filter in force, each with what it lets through.
    pub(super) fn open_explain(&mut self) {
        let Some(filter) = self.view.filter_in_force() else {
            return self.say_keys(Tone::Quiet, "There is no filter in force to explain. {filter} sets one.");
        };
        let clauses = filter.clauses();
        let items = clauses.iter().enumerate().map(|(at, clause)| Item::new(clause.text(), "", Does::Without(at)));
        let menu = Menu::new(
            Kind::Explain,
            self.keys.spell("Parts of the filter: {list:accept} leaves one out"),
            items.collect(),
        );
        self.open_menu(menu);
    }

    /// The filter whose parts are to be counted: that of the open explanation, or a draft that nothing matches.
    pub(super) fn explain_wanted(&self) -> Option<std::sync::Arc<Filter>> {
        match &self.mode {
            Mode::Menu(menu) if menu.kind == Kind::Explain => self.view.filter_in_force().cloned(),
            Mode::Filter(bar) if self.draft_count() == Some((0, true)) => bar.filter().cloned(),
            _ => None,
        }
    }

    /// The filter in force without one of its parts.
    pub(super) fn without(&mut self, clause: usize) {
        let Some(filter) = self.view.filter_in_force() else { return };
        let clauses = filter.clauses();
        let gone = clauses.get(clause).map(|clause| clause.text().to_owned()).unwrap_or_default();
        let kept: Vec<&Filter> =
            clauses.iter().enumerate().filter(|(at, _)| *at != clause).map(|(_, clause)| clause).collect();
        let several = kept.len() > 1;
        let parts = kept.iter().map(|clause| match clause.expr() {
            crate::filter::expr::Expr::Or(_) if several => format!("({})", clause.text()),
            _ => clause.text().to_owned(),
        });
        let text = parts.collect::<Vec<_>>().join(" and ");
        let step = format!("without {gone}");
        if text.is_empty() {
            self.remember(step);
            self.view.filter = None;
        } else {
            self.pivot_to(&text, self.view.tab, step);
        }
    }

    /// What a filter asks for that no record so far carries, as a sentence.
    pub fn lacking(&self, filter: &Filter) -> Option<String> {
        let formats = &self.page.status.formats;
        if self.change.is_none() && filter.fields().any(|field| field == Field::Phase) {
            return Some(
                self.keys.spell("No change is marked: {change-time} marks its time, and `phase` is told by it."),
            );
        }
        let missing = filter.lacking(formats)?;
        let label = formats.iter().map(|format| format.label()).collect::<Vec<_>>().join(", ");
        Some(format!("No record so far carries `{}`: the format is {label}.", missing.name()))
    }

    /// The value that the clipboard takes.
    pub(super) fn cell_text(&self) -> Option<String> {
        use crate::record::Cell;
        if self.view.tab == Tab::Alerts || self.focus == super::Focus::Sidebar {
            return self.selected_or_cursor_alert().map(|alert| alert.filter.clone());
        }
        if self.view.lens.is_some() {
            return self.entry_text();
        }
        let Col::Field(field) = self.column() else { return None };
        let at = self.page.columns.iter().position(|column| *column == Column::Field(field))?;
        let text = match self.cursor_row()?.cells.get(at)? {
            Cell::Absent => "-".to_owned(),
            Cell::Int(n) => n.to_string(),
            Cell::Float(x) => x.to_string(),
            Cell::Addr(addr) => addr.to_string(),
            Cell::Text(text) => text.to_string(),
        };
        Some(text)
    }

    /// Puts a filter in force, as a step.
    pub(super) fn apply(&mut self, text: &str) {
        if self.view.tab == Tab::Alerts {
            return self.say(Tone::Refused, "Alerts are not filtered; 1 and 2 go to flows and sessions.");
        }
        match Filter::parse(text, stage(self.view.tab)) {
            Ok(filter) => {
                let spelled = filter.to_string();
                self.pivot_to(text, self.view.tab, spelled);
            }
            Err(error) => self.say(Tone::Refused, format!("Not applied: {}", error.message)),
        }
    }
}
