//! From a cell to other rows: those that have its value, those that do not, those of its network, its peer, its interface, the other direction. Every
//! one is a step that Esc takes back.

use std::net::IpAddr;

use super::columns::Col;
use super::lens::Entry;
use super::menu::{Does, Item, Kind, Menu};
use super::{App, Applied, Focus, Tone};
use crate::detect::Alert;
use crate::engine::profile::Subject;
use crate::engine::view::{Column, PageRow, RowId, Tab};
use crate::filter::{Stage, spell};
use crate::record::{Cell, Field, Kind as FieldKind, Value};

/// Seconds around a time that "around" means.
const AROUND: u64 = 60;

/// A choice: what it is called, the filter, the table.
struct Choice {
    text: String,
    filter: String,
    tab: Tab,
}

impl App {
    /// From a cell to the rows that have its value, or to those that do not.
    pub(super) fn pivot(&mut self, keep: bool) {
        if self.view.tab == Tab::Alerts {
            return self.say_keys(
                Tone::Refused,
                "Alerts are not filtered; {pivot} goes from one to what it is about, {enter} to its evidence.",
            );
        }
        let Some((row, field)) = self.chosen_cell() else {
            return self.say_keys(Tone::Refused, "Choose a column with a value first: {left} and {right} move.");
        };
        let only = condition(field, &self.value(row, field));
        let step = if keep { format!("only {only}") } else { format!("not {only}") };
        let text = self.narrowed(&if keep { only } else { format!("not ({only})") });
        self.pivot_to(&text, self.view.tab, step);
    }

    /// Offers where one can go from the cell under the cursor.
    pub(super) fn open_pivot(&mut self) {
        let alert = self.alert_under_cursor().cloned();
        let (title, choices) = if let Some(alert) = &alert {
            (format!("From the alert {}", alert.rule), of_alert(alert))
        } else {
            let Some((row, field)) = self.chosen_cell() else {
                return self.say(Tone::Refused, "Choose a row and a column with a value first: < and > move.");
            };
            let title = format!("From {}", condition(field, &self.value(row, field)));
            (title, self.of_cell(row, field))
        };
        self.offer(title, choices);
    }

    /// Offers where one can go from what is selected in the view of an address or an interface.
    pub(super) fn open_entry_pivot(&mut self) {
        let (Some(entry), Some(lens)) = (self.entries().into_iter().nth(self.entry_at()), &self.view.lens) else {
            return;
        };
        let all = super::lens::of(&lens.subject);
        let port = |protocol: u8, port: u16| {
            let protocol = spell(Field::Protocol, Value::Int(u64::from(protocol)));
            format!("{} and {protocol}", spell(Field::Port, Value::Int(u64::from(port))))
        };
        let address = |address: IpAddr| spell(Field::Ip, Value::Addr(address));
        let (only, of_address) = match &entry {
            Entry::More(_) => return,
            Entry::Alert(id) => {
                let Some(profile) = &self.page.profile else { return };
                let Some(alert) = profile.alerts.iter().find(|alert| alert.id == *id) else { return };
                let (title, choices) = (format!("From the alert {}", alert.rule), of_alert(alert));
                return self.offer(title, choices);
            }
            Entry::Sessions | Entry::Records => match &lens.subject {
                Subject::Address(subject) => (all.clone(), Some(*subject)),
                Subject::Interface(_) => (all.clone(), None),
            },
            Entry::Peer(peer) => (address(*peer), Some(*peer)),
            Entry::Served(protocol, number) | Entry::Used(protocol, number) => (port(*protocol, *number), None),
            Entry::Interface(name) => (spell(Field::InterfaceId, Value::Text(name)), None),
        };
        let mut choices = Vec::new();
        let mut add = |text: &str, filter: String, tab: Tab| {
            choices.push(Choice { text: text.to_owned(), filter, tab });
        };
        if only != all {
            add("the sessions of both", format!("{all} and {only}"), Tab::Sessions);
            add("the flow records of both", format!("{all} and {only}"), Tab::Flows);
            add("all sessions here but those", format!("{all} and not ({only})"), Tab::Sessions);
        }
        add("all its sessions", only.clone(), Tab::Sessions);
        add("all its flow records", only.clone(), Tab::Flows);
        if self.view.filter.as_ref().is_some_and(|applied| !applied.off) && self.view.tab != Tab::Alerts {
            add("what the filter leaves of it", self.narrowed(&only), self.view.tab);
        }
        if let Some(address) = of_address {
            let net = network(address);
            add(&format!("all of its network {net}"), format!("ip = {net}"), Tab::Sessions);
        }
        self.offer(format!("From {only}"), choices);
    }

    fn offer(&mut self, title: String, choices: Vec<Choice>) {
        let items = choices.into_iter().map(|choice| {
            let step = choice.text.clone();
            let note = choice.filter.clone();
            Item::new(choice.text, note, Does::Go { text: choice.filter, tab: choice.tab, step })
        });
        let menu = Menu::new(Kind::Pivot, title, items.collect());
        self.open_menu(menu);
    }

    /// Shows the rows of `tab` that `text` selects. The order stays where the table does.
    pub(super) fn pivot_to(&mut self, text: &str, tab: Tab, step: String) {
        if tab != self.view.tab || self.view.lens.is_some() {
            self.go_to_rows(text, tab, None, step);
            return;
        }
        match Applied::new(text, tab) {
            Ok(applied) => {
                self.remember(step);
                self.focus = Focus::Table;
                self.view.filter = Some(applied);
                self.history.push_made(text);
            }
            Err(error) => self.say(Tone::Refused, format!("Not applied: {}", error.message)),
        }
    }

    /// The row under the cursor and the field of the chosen column; of a group the first of its keys, unless another is chosen.
    fn chosen_cell(&self) -> Option<(&PageRow, Field)> {
        let row = self.cursor_row()?;
        let shown = |field: Field| self.page.columns.contains(&Column::Field(field));
        match self.column() {
            Col::Field(field) if shown(field) => Some((row, field)),
            _ => self.view.table().group_by.first().copied().filter(|key| shown(*key)).map(|key| (row, key)),
        }
    }

    fn value(&self, row: &PageRow, field: Field) -> Cell {
        let at = self.page.columns.iter().position(|column| *column == Column::Field(field));
        at.and_then(|at| row.cells.get(at)).cloned().unwrap_or_default()
    }

    fn alert_under_cursor(&self) -> Option<&Alert> {
        if self.focus == Focus::Sidebar {
            return self.selected_alert().map(AsRef::as_ref);
        }
        match (self.view.tab, self.view.table().cursor) {
            (Tab::Alerts, Some(RowId::Alert(id))) => {
                self.page.alerts.iter().find(|alert| alert.id == id).map(AsRef::as_ref)
            }
            _ => None,
        }
    }

    fn of_cell(&self, row: &PageRow, field: Field) -> Vec<Choice> {
        let tab = self.view.tab;
        let cell = self.value(row, field);
        let only = condition(field, &cell);
        let filtered = self.view.filter.as_ref().is_some_and(|applied| !applied.off);
        let mut choices = Vec::new();
        let mut add = |text: String, filter: String, tab: Tab| choices.push(Choice { text, filter, tab });
        add("only this".to_owned(), self.narrowed(&only), tab);
        add("not this".to_owned(), self.narrowed(&format!("not ({only})")), tab);
        if filtered {
            add("this instead of the filter".to_owned(), only.clone(), tab);
        }
        let is = |wanted: Field| Some(self.value(row, wanted)).filter(|cell| *cell != Cell::Absent);
        let spelled = |on: Field, cell: &Cell| cell.value().map(|value| spell(on, value));
        if let Cell::Addr(address) = cell {
            let net = network(address);
            add(format!("all of its network {net}"), format!("ip = {net}"), tab);
            let either = spell(Field::Ip, Value::Addr(address));
            add("this address on either side".to_owned(), either.clone(), tab);
            let (near, far) = sides(tab);
            let peer = if field == near { is(far) } else { is(near) };
            if let Some(Cell::Addr(peer)) = peer {
                let peer = spell(Field::Ip, Value::Addr(peer));
                add("this and its peer, both ways".to_owned(), format!("{either} and {peer}"), tab);
                add("all of its peer".to_owned(), peer, tab);
            }
            let (other, what) = match tab {
                Tab::Sessions => (Tab::Flows, "its flow records"),
                _ => (Tab::Sessions, "its sessions"),
            };
            add(what.to_owned(), either, other);
        }
        if let (FieldKind::Port, Cell::Int(port)) = (field.kind(), &cell)
            && field != Field::Port
        {
            add("this port on either side".to_owned(), spell(Field::Port, Value::Int(*port)), tab);
        }
        if let (FieldKind::Time, Cell::Int(time)) = (field.kind(), &cell) {
            let moment = |seconds: u64| {
                i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
            };
            if let (Some(from), Some(to)) = (moment(time.saturating_sub(AROUND)), moment(time.saturating_add(AROUND))) {
                add("a minute around this time".to_owned(), format!("@{from}..{to}"), tab);
            }
        }
        if let Some(reverse) = self.other_direction(row) {
            add("the other direction".to_owned(), reverse, tab);
        }
        if let Some(interface) = is(Field::InterfaceId).filter(|_| field != Field::InterfaceId)
            && let Some(first) = first_of(&interface)
        {
            add("its interface".to_owned(), spell(Field::InterfaceId, Value::Text(first)), tab);
        }
        if let Some(text) =
            is(Field::Service).filter(|_| field != Field::Service).and_then(|cell| spelled(Field::Service, &cell))
        {
            add("its service".to_owned(), text, tab);
        }
        choices
    }

    /// The filter for the rows that go the other way.
    fn other_direction(&self, row: &PageRow) -> Option<String> {
        let pairs = match self.view.tab {
            Tab::Flows => [(Field::SrcAddr, Field::DstAddr), (Field::SrcPort, Field::DstPort)],
            Tab::Sessions => [(Field::Client, Field::Server), (Field::ClientPort, Field::ServerPort)],
            Tab::Alerts => return None,
        };
        let mut parts = Vec::new();
        for (a, b) in pairs {
            for (from, to) in [(b, a), (a, b)] {
                parts.push(spell(to, self.value(row, from).value()?));
            }
        }
        // A session that went the other way comes from another port; the service is what stays.
        let kept = if self.view.tab == Tab::Sessions { 2 } else { parts.len() };
        parts.truncate(kept);
        if let Some(protocol) = self.value(row, Field::Protocol).value() {
            parts.push(spell(Field::Protocol, protocol));
        }
        Some(parts.join(" and "))
    }
}

/// The two sides that the table shows.
fn sides(tab: Tab) -> (Field, Field) {
    if tab == Tab::Sessions { (Field::Client, Field::Server) } else { (Field::SrcAddr, Field::DstAddr) }
}

/// The network that an address stands in, as wide as people assign them.
fn network(address: IpAddr) -> ipnet::IpNet {
    let address = address.to_canonical();
    let length = if address.is_ipv4() { 24 } else { 64 };
    ipnet::IpNet::new(address, length).map_or_else(|_| address.into(), |net| net.trunc())
}

/// The first of a list of names in one cell.
fn first_of(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => text.split(',').next(),
        _ => None,
    }
}

/// Where one can go from an alert: what it was counted for, one by one and all together.
fn of_alert(alert: &Alert) -> Vec<Choice> {
    let tab = if alert.stage == Stage::Flows { Tab::Flows } else { Tab::Sessions };
    let mut choices = vec![Choice { text: "its evidence".to_owned(), filter: alert.filter.clone(), tab }];
    for (field, cell) in &alert.group {
        let Some(value) = cell.value() else { continue };
        let condition = spell(*field, value);
        choices.push(Choice { text: format!("only {condition}"), filter: condition, tab });
        if let Value::Addr(address) = value {
            let either = spell(Field::Ip, value);
            choices.push(Choice {
                text: format!("flow records of {address}"),
                filter: either.clone(),
                tab: Tab::Flows,
            });
            choices.push(Choice { text: format!("sessions of {address}"), filter: either, tab: Tab::Sessions });
            let net = network(address);
            choices.push(Choice { text: format!("all of its network {net}"), filter: format!("ip = {net}"), tab });
        }
    }
    let (from, to) = (alert.first.max(0), alert.last.max(0));
    let moment = |seconds: i64| jiff::Timestamp::from_second(seconds).ok();
    if let (Some(from), Some(to)) = (moment(from), moment(to)) {
        choices.push(Choice { text: "everything at its time".to_owned(), filter: format!("@{from}..{to}"), tab });
    }
    choices
}

/// The test that a row has this value, as the filter language spells it.
pub(super) fn condition(field: Field, cell: &Cell) -> String {
    match cell {
        // A cell can show several values of one field.
        Cell::Text(text) if field == Field::InterfaceId && text.contains(',') => {
            let parts: Vec<String> = text.split(',').map(|name| spell(field, Value::Text(name))).collect();
            format!("({})", parts.join(" or "))
        }
        _ => match cell.value() {
            Some(value) => spell(field, value),
            None => format!("not has {}", field.name()),
        },
    }
}
