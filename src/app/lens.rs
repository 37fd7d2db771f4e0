//! The view of one address or one interface: what is selected in it, and where Enter leads from there. It is a step like any other, so Esc goes
//! back to the row it was opened from.

use std::net::IpAddr;
use std::sync::Arc;

mod listed;

pub use listed::{List, Listed, Room, entries};

use super::columns::Col;
use super::{Action, App, Focus, Tone};
use crate::engine::profile::Subject;
use crate::engine::view::{Column, RowId, Tab};
use crate::filter::{Filter, Stage, spell};
use crate::record::special::is_public;
use crate::record::{Cell, Field, Value};

/// An address or interface that is looked at.
#[derive(Clone, Debug)]
pub struct Lens {
    /// Which.
    pub subject: Subject,
    /// The filter that selects its records.
    pub filter: Arc<Filter>,
    /// What is selected; the first entry where there is none.
    pub at: Option<Entry>,
    /// Lists of which all is shown, in the order of [`List::ALL`].
    pub open: [bool; 5],
}

/// Something that can be opened in the view. An identity, so that it stays selected while sums change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// All its sessions.
    Sessions,
    /// All its records.
    Records,
    /// An alert, by its number.
    Alert(u64),
    /// A peer.
    Peer(IpAddr),
    /// A port on which it answers: protocol and port.
    Served(u8, u16),
    /// A port of others that it uses.
    Used(u8, u16),
    /// An interface that saw it.
    Interface(Arc<str>),
    /// What a list leaves out.
    More(List),
}

/// The test that selects what belongs to a subject.
pub(super) fn of(subject: &Subject) -> String {
    match subject {
        Subject::Address(addr) => spell(Field::Ip, Value::Addr(*addr)),
        Subject::Interface(name) => spell(Field::InterfaceId, Value::Text(name)),
    }
}

/// What the way back calls the view: the filter of its sessions is a step of its own.
fn step(subject: &Subject) -> String {
    match subject {
        Subject::Address(addr) => format!("endpoint {addr}"),
        Subject::Interface(name) => format!("interface {name}"),
    }
}

impl App {
    /// Begins with the view of one interface; Esc leads to the table.
    #[must_use]
    pub fn with_interface(mut self, name: &str) -> App {
        self.look_through(Subject::Interface(name.into()));
        self
    }

    /// What can be opened in the view that is open.
    pub fn entries(&self) -> Vec<Entry> {
        let (Some(profile), Some(lens)) = (&self.page.profile, &self.view.lens) else { return Vec::new() };
        entries(profile, Listed::fit(profile, lens.open, self.viewport.lens), lens.open)
    }

    /// Place of the selected entry among them.
    pub fn entry_at(&self) -> usize {
        let at = self.view.lens.as_ref().and_then(|lens| lens.at.as_ref());
        at.and_then(|at| self.entries().iter().position(|entry| entry == at)).unwrap_or(0)
    }

    fn look_through(&mut self, subject: Subject) {
        match Filter::parse(&of(&subject), Stage::Flows) {
            Ok(filter) => {
                self.remember(step(&subject));
                self.view.lens = Some(Lens { subject, filter: Arc::new(filter), at: None, open: [false; 5] });
                self.focus = Focus::Table;
            }
            Err(error) => self.say(Tone::Refused, format!("It cannot be looked at: {}", error.message)),
        }
    }

    /// The view of the address in the chosen column, else of the initiator's or source's.
    pub(super) fn open_endpoint(&mut self) {
        match self.address_here() {
            Some(addr) => self.look_through(Subject::Address(addr)),
            // A record without traffic has nothing but its interface.
            None => self.open_interface(),
        }
    }

    /// The view of the interface of the row, else of the only one that was asked for.
    pub(super) fn open_interface(&mut self) {
        let row = match self.cell(Field::InterfaceId) {
            // Several observers stand in one cell; the first saw it first.
            Some(Cell::Text(name)) => name.split(',').next().filter(|name| !name.is_empty()).map(Arc::from),
            _ => None,
        };
        let asked = match &self.page.status.interfaces[..] {
            [only] => Some(Arc::clone(only)),
            _ => None,
        };
        match row.or(asked) {
            Some(name) => self.look_through(Subject::Interface(name)),
            None => self.say(Tone::Refused, "There is no address or interface here: choose a row with one."),
        }
    }

    fn cell(&self, field: Field) -> Option<&Cell> {
        let at = self.page.columns.iter().position(|column| *column == Column::Field(field))?;
        self.cursor_row()?.cells.get(at)
    }

    /// The address that is meant: of the alert that is chosen, a public one before others; of the chosen entry of a view; else of the row.
    pub(super) fn address_meant(&self) -> Option<IpAddr> {
        if let Some(RowId::Alert(number)) =
            self.row_meant().filter(|_| self.view.lens.is_none() || self.focus == Focus::Sidebar)
        {
            let alert = self.page.alerts.iter().find(|alert| alert.id == number)?;
            let addresses = alert.group.iter().filter_map(|(_, cell)| match cell {
                Cell::Addr(address) => Some(*address),
                _ => None,
            });
            return addresses.clone().find(|address| is_public(*address)).or_else(|| addresses.clone().next());
        }
        let Some(lens) = self.view.lens.as_ref().filter(|_| self.focus == Focus::Table) else {
            return self.address_here();
        };
        match (self.entries().get(self.entry_at()), &lens.subject) {
            (Some(Entry::Peer(address)), _) | (_, Subject::Address(address)) => Some(*address),
            (_, Subject::Interface(_)) => self.page.profile.as_ref().and_then(|profile| profile.own),
        }
    }

    fn address_here(&self) -> Option<IpAddr> {
        let addr = |field| match self.cell(field) {
            Some(Cell::Addr(addr)) => Some(*addr),
            _ => None,
        };
        let chosen = match self.column() {
            Col::Field(Field::DstPort) => addr(Field::DstAddr),
            Col::Field(Field::ServerPort | Field::Service) => addr(Field::Server).or_else(|| addr(Field::DstAddr)),
            Col::Field(field) => addr(field),
            Col::Group(_) | Col::Alert(_) => None,
        };
        let usual = [Field::Client, Field::SrcAddr, Field::Server, Field::DstAddr];
        chosen.or_else(|| usual.into_iter().find_map(addr))
    }

    /// An action while the view is open. False where it is one for all of the screen.
    pub(super) fn in_lens(&mut self, action: Action) -> bool {
        if self.view.lens.is_none() || self.focus == Focus::Sidebar {
            return false;
        }
        let page = self.viewport.lens.lines.saturating_sub(1).max(1).cast_signed();
        match action {
            Action::Down => self.move_entry(1),
            Action::Up => self.move_entry(-1),
            Action::PageDown | Action::HalfDown => self.move_entry(page / 2 + 1),
            Action::PageUp | Action::HalfUp => self.move_entry(-(page / 2 + 1)),
            Action::Top => self.move_entry(isize::MIN),
            Action::Bottom => self.move_entry(isize::MAX),
            Action::Left => self.move_list(-1),
            Action::Right => self.move_list(1),
            Action::Enter => self.open_entry(),
            Action::Endpoint => match self.entries().get(self.entry_at()) {
                Some(Entry::Peer(addr)) => self.look_through(Subject::Address(*addr)),
                _ => self.say(Tone::Quiet, "e on a peer tells about that peer."),
            },
            Action::Interface => match self.entries().get(self.entry_at()) {
                Some(Entry::Interface(name)) => self.look_through(Subject::Interface(Arc::clone(name))),
                _ => self.say(Tone::Quiet, "I on an interface tells about that interface."),
            },
            Action::Lookup => self.offer_lookup(),
            Action::Pivot => self.open_entry_pivot(),
            Action::Sidebar => self.say(Tone::Quiet, "The alerts about it stand in its list; 3 has all of them."),
            Action::Back
            | Action::Undo
            | Action::Flows
            | Action::Sessions
            | Action::Alerts
            | Action::NextTab
            | Action::PreviousTab
            | Action::NextAlert
            | Action::PreviousAlert
            | Action::Mutes
            | Action::Filter
            | Action::Filters
            | Action::Marks
            | Action::Freeze
            | Action::Zoom
            | Action::HideStrip
            | Action::Timeline
            | Action::ChangeTime
            | Action::Palette
            | Action::Help
            | Action::Source
            | Action::Unparsed => return false,
            _ => self.say_keys(
                Tone::Quiet,
                "That is for the tables: {back} goes back to one, {enter} opens the rows of this entry.",
            ),
        }
        true
    }

    /// What the selected entry is, to be copied.
    pub(super) fn entry_text(&self) -> Option<String> {
        let lens = self.view.lens.as_ref()?;
        let subject = || match &lens.subject {
            Subject::Address(address) => address.to_string(),
            Subject::Interface(name) => name.to_string(),
        };
        Some(match self.entries().into_iter().nth(self.entry_at())? {
            Entry::Sessions | Entry::Records => subject(),
            Entry::Alert(id) => self.page.alerts.iter().find(|alert| alert.id == id)?.filter.clone(),
            Entry::Peer(address) => address.to_string(),
            Entry::Served(_, port) | Entry::Used(_, port) => port.to_string(),
            Entry::Interface(name) => name.to_string(),
            Entry::More(_) => return None,
        })
    }

    /// To the first entry of the list after this one, or of this one or the one before.
    fn move_list(&mut self, by: isize) {
        let entries = self.entries();
        let kind = |entry: &Entry| match entry {
            Entry::Sessions | Entry::Records => 0,
            Entry::Alert(_) | Entry::More(List::Alerts) => 1,
            Entry::Peer(_) | Entry::More(List::Peers) => 2,
            Entry::Served(..) | Entry::More(List::Served) => 3,
            Entry::Used(..) | Entry::More(List::Used) => 4,
            Entry::Interface(_) | Entry::More(List::Interfaces) => 5,
        };
        let first = |at: usize| at == 0 || kind(&entries[at]) != kind(&entries[at - 1]);
        let here = self.entry_at();
        let mut firsts = (0..entries.len()).filter(|at| first(*at));
        let to = if by > 0 { firsts.find(|at| *at > here) } else { firsts.take_while(|at| *at < here).last() };
        if let Some(to) = to {
            self.move_entry(to.cast_signed() - here.cast_signed());
        }
    }

    /// The wheel.
    pub(super) fn scroll_entries(&mut self, by: isize) {
        self.move_entry(by);
    }

    /// Shows all of a list, or again what there is room for.
    fn toggle_list(&mut self, list: List) {
        let before = self.entries();
        let (Some(lens), Some(profile)) = (&mut self.view.lens, &self.page.profile) else { return };
        let open = &mut lens.open[list as usize];
        *open = !*open;
        let listed = Listed::fit(profile, lens.open, self.viewport.lens);
        let after = entries(profile, listed, lens.open);
        // The cursor is on the first entry that was not there, or stays at the end of the list.
        lens.at = after.iter().find(|entry| !before.contains(entry)).cloned().or(Some(Entry::More(list)));
    }

    fn move_entry(&mut self, by: isize) {
        let entries = self.entries();
        let to = self.entry_at().saturating_add_signed(by).min(entries.len().saturating_sub(1));
        if let (Some(lens), Some(entry)) = (&mut self.view.lens, entries.into_iter().nth(to)) {
            lens.at = Some(entry);
        }
    }

    /// A click on an entry selects it, a second one opens it.
    pub(super) fn pick_entry(&mut self, place: usize) {
        self.focus = Focus::Table;
        let more = matches!(self.entries().get(place), Some(Entry::More(_)));
        if self.entry_at() == place {
            self.open_entry();
        } else if more {
            self.move_entry(place.cast_signed() - self.entry_at().cast_signed());
            self.open_entry();
        } else if let (Some(entry), Some(lens)) = (self.entries().into_iter().nth(place), &mut self.view.lens) {
            lens.at = Some(entry);
        }
    }

    fn open_entry(&mut self) {
        let Some(entry) = self.entries().into_iter().nth(self.entry_at()) else { return };
        let (Some(lens), Some(profile)) = (&mut self.view.lens, self.page.profile.clone()) else { return };
        if let Entry::More(list) = entry {
            return self.toggle_list(list);
        }
        lens.at = Some(entry.clone());
        let all = of(&lens.subject);
        let own = profile.own.map(|own| spell(Field::Server, Value::Addr(own)));
        let port = |protocol: u8, port: u16| {
            let protocol = spell(Field::Protocol, Value::Int(u64::from(protocol)));
            format!("{} and {protocol}", spell(Field::ServerPort, Value::Int(u64::from(port))))
        };
        let (text, tab) = match &entry {
            Entry::Sessions => (all, Tab::Sessions),
            Entry::Records => (all, Tab::Flows),
            Entry::Peer(addr) => (format!("{all} and {}", spell(Field::Ip, Value::Addr(*addr))), Tab::Sessions),
            Entry::Interface(name) => {
                (format!("{all} and {}", spell(Field::InterfaceId, Value::Text(name))), Tab::Sessions)
            }
            Entry::Served(protocol, number) => {
                let own = own.map(|own| format!(" and {own}")).unwrap_or_default();
                (format!("{all}{own} and {}", port(*protocol, *number)), Tab::Sessions)
            }
            Entry::Used(protocol, number) => {
                let own = own.map(|own| format!(" and not {own}")).unwrap_or_default();
                (format!("{all}{own} and {}", port(*protocol, *number)), Tab::Sessions)
            }
            Entry::Alert(id) => {
                if let Some(alert) = profile.alerts.iter().find(|alert| alert.id == *id) {
                    self.open_evidence(alert);
                }
                return;
            }
            Entry::More(_) => return,
        };
        self.go_to_rows(&text, tab, None, text.clone());
    }
}
