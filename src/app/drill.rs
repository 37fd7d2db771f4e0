//! Going in and coming back: from a flow to its session, from a session to its records, from an alert to its evidence, from a
//! group to its rows. Each step in can be taken back.

use super::pivot::condition;
use super::{App, Applied, Crumb, Focus, Tone};
use crate::detect::Alert;
use crate::engine::view::{Column, Detail, PageRow, RowId, SessionDetail, Sort, Tab};
use crate::filter::expr::Expr;
use crate::filter::{Stage, spell};
use crate::record::{Field, Value};

impl App {
    /// Enter: one level further in.
    pub(super) fn enter(&mut self) {
        if self.focus == Focus::Sidebar {
            if let Some(alert) = self.selected_alert().cloned() {
                self.open_evidence(&alert);
            }
            return;
        }
        if self.page.tab != self.view.tab {
            return;
        }
        match self.view.table().cursor {
            None => {}
            Some(RowId::Group(_)) => self.open_group(),
            Some(RowId::Alert(id)) => {
                if let Some(alert) = self.page.alerts.iter().find(|alert| alert.id == id).cloned() {
                    self.open_evidence(&alert);
                }
            }
            Some(_) if !self.view.detail => self.toggle_detail(),
            Some(id @ RowId::Flow { .. }) => {
                self.opening = Some(id);
                self.open_when_known();
            }
            Some(id @ RowId::Session(_)) => self.open_records(id),
        }
    }

    /// Whether the detail of the row under the cursor is shown: where it was asked for, and beside alerts, which no line of a table explains.
    pub fn shows_detail(&self) -> bool {
        let view = &self.view;
        let beside = view.tab == Tab::Alerts && !view.bare && !self.page.alerts.is_empty();
        view.lens.is_none() && (view.detail || beside)
    }

    /// Shows or hides the detail pane. Opening it lets go of the newest row, so that what is read stays.
    pub(super) fn toggle_detail(&mut self) {
        self.detail_scroll = 0;
        let alerts = self.view.tab == Tab::Alerts;
        if alerts && !self.view.detail {
            self.view.bare = !self.view.bare;
        } else if self.view.detail {
            (self.view.detail, self.view.bare) = (false, alerts);
            if let Some(Crumb::Detail) = self.back.last() {
                self.back.pop();
            }
        } else {
            self.push_back(Crumb::Detail);
            self.view.detail = true;
            self.view.table_mut().release();
        }
    }

    /// Esc: one step back.
    pub(super) fn go_back(&mut self) {
        if self.focus == Focus::Sidebar {
            self.focus = Focus::Table;
            return;
        }
        self.opening = None;
        self.detail_scroll = 0;
        match self.back.pop() {
            Some(Crumb::Detail) | None if self.view.detail => self.view.detail = false,
            // The pane was closed in another way since; take the step before it.
            Some(Crumb::Detail) => self.go_back(),
            Some(Crumb::View(view, _)) => self.view = *view,
            None => self.say_keys(Tone::Quiet, "This is where you started. {quit} quits."),
        }
    }

    /// Opens the session of the flow that was asked for, once a page says which it is.
    pub(super) fn open_when_known(&mut self) {
        let Some(wanted) = self.opening else { return };
        let Some(Detail::Flow { id, session, .. }) = &self.page.detail else { return };
        if *id != wanted {
            return;
        }
        let session = session.as_ref().map(|session| session.id);
        self.opening = None;
        match session {
            None => self.say(Tone::Refused, "No session is held for this record."),
            Some(session) => {
                let mut view = self.view.clone();
                view.tab = Tab::Sessions;
                let table = view.of_mut(Tab::Sessions);
                table.group_by.clear();
                table.go_to(RowId::Session(session));
                // The session must be among the rows, and what selects the record need not select its session.
                (view.filter, view.fold) = (None, Some(false));
                self.remember("its session");
                self.view = view;
            }
        }
    }

    /// From a session to its records, by a filter that can be read and changed.
    fn open_records(&mut self, id: RowId) {
        let Some(Detail::Session(session)) = &self.page.detail else {
            return self.say_keys(Tone::Quiet, "The session is still being read: {enter} again opens it.");
        };
        if RowId::Session(session.id) != id {
            return self.say_keys(Tone::Quiet, "The session is still being read: {enter} again opens it.");
        }
        let text = records_filter(session);
        self.go_to_rows(&text, Tab::Flows, None, "its records".to_owned());
    }

    /// From an alert to what it is about.
    pub(super) fn open_evidence(&mut self, alert: &Alert) {
        let (tab, cursor) = match alert.stage {
            Stage::Flows => (Tab::Flows, None),
            Stage::Sessions => (Tab::Sessions, alert.session.map(RowId::Session)),
        };
        if self.go_to_rows(&alert.filter, tab, cursor, format!("evidence of {}", alert.rule)) {
            self.view.detail = true;
            // The rule's whole window: what led to it (the priming of a reflector, say) is part of the story.
            self.view.window = Some((alert.first.saturating_sub(alert.timespan), alert.last));
        }
    }

    /// From a group to its rows.
    fn open_group(&mut self) {
        let Some(row) = self.cursor_row() else { return };
        let keys = self.view.table().group_by.len();
        let conditions: Vec<String> = self
            .page
            .columns
            .iter()
            .zip(&row.cells)
            .take(keys)
            .filter_map(|(column, cell)| match column {
                Column::Field(field) => Some(condition(*field, cell)),
                Column::Group(_) => None,
            })
            .collect();
        let group = conditions.join(" and ");
        let text = self.narrowed(&group);
        self.go_to_rows(&text, self.view.tab, None, group);
    }

    pub(super) fn selected_or_cursor_alert(&self) -> Option<&Alert> {
        match (self.focus, self.view.table().cursor) {
            (Focus::Table, Some(RowId::Alert(id))) => {
                self.page.alerts.iter().find(|alert| alert.id == id).map(AsRef::as_ref)
            }
            _ => self.selected_alert().map(AsRef::as_ref),
        }
    }

    pub(super) fn cursor_row(&self) -> Option<&PageRow> {
        let id = self.view.table().cursor.filter(|_| self.page.tab == self.view.tab)?;
        self.page.rows.iter().find(|row| row.id == id)
    }

    /// The filter in force with `more` added to it.
    pub(super) fn narrowed(&self, more: &str) -> String {
        match &self.view.filter {
            // Only an "or" would be torn.
            Some(applied) if !applied.off => match applied.on(self.view.tab).map(|filter| filter.expr()) {
                Ok(Expr::Or(_)) | Err(_) => format!("({}) and {more}", applied.text),
                Ok(_) => format!("{} and {more}", applied.text),
            },
            _ => more.to_owned(),
        }
    }

    /// Shows the rows of `tab` that `text` selects, as a step that can be taken back. Says why where that is not possible.
    pub(super) fn go_to_rows(&mut self, text: &str, tab: Tab, cursor: Option<RowId>, step: String) -> bool {
        let applied = match Applied::new(text, tab) {
            Ok(applied) => applied,
            Err(error) => {
                self.say(Tone::Refused, format!("The filter {text} cannot be applied: {}", error.message));
                return false;
            }
        };
        self.remember(step);
        (self.view.filter, self.view.fold) = (Some(applied), None);
        self.history.push_made(text);
        self.view.tab = tab;
        self.view.lens = None;
        let table = self.view.table_mut();
        table.group_by.clear();
        table.sort = Sort::default();
        table.reset();
        if let Some(id) = cursor {
            table.go_to(id);
        } else {
            // What is looked at stays, as new rows come in.
            table.release();
        }
        self.focus = Focus::Table;
        self.detail_scroll = 0;
        true
    }
}

/// The filter that selects the records of a session.
fn records_filter(session: &SessionDetail) -> String {
    let get = |wanted| session.fields.iter().find(|(field, _)| *field == wanted).and_then(|(_, cell)| cell.value());
    let number = |wanted| match get(wanted)? {
        Value::Int(n) => Some(n),
        _ => None,
    };
    let same = [
        (Field::Protocol, Field::Protocol),
        (Field::Client, Field::Ip),
        (Field::Server, Field::Ip),
        (Field::ClientPort, Field::Port),
        (Field::ServerPort, Field::Port),
    ];
    let same = same.into_iter().filter_map(|(of, on)| Some(spell(on, get(of)?)));
    let from = number(Field::Start).map(|time| format!("start >= {time}"));
    let to = number(Field::End).map(|time| format!("end <= {time}"));
    same.chain(from).chain(to).collect::<Vec<_>>().join(" and ")
}
