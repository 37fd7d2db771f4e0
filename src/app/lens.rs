//! The view of one address or one interface: what is selected in it, and where Enter leads from there. It is a step like any other, so Esc goes
//! back to the row it was opened from.

use std::net::IpAddr;
use std::sync::Arc;

use super::columns::Col;
use super::{Action, App, Focus, Tone};
use crate::engine::profile::{Profile, Subject};
use crate::engine::view::{Column, RowId, Tab};
use crate::filter::{Filter, Stage, spell};
use crate::record::special::is_public;
use crate::record::{Cell, Field, Value};

/// Entries listed of each kind.
const LISTED: usize = 12;
/// Alerts listed: the worst; the table has all.
const ALERTS: usize = 4;

/// An address or interface that is looked at.
#[derive(Clone, Debug)]
pub struct Lens {
    /// Which.
    pub subject: Subject,
    /// The filter that selects its records.
    pub filter: Arc<Filter>,
    /// What is selected; the first entry where there is none.
    pub at: Option<Entry>,
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
}

/// What can be opened in the view of `profile`, in the order in which it stands there.
pub fn entries(profile: &Profile) -> Vec<Entry> {
    let all = [Entry::Sessions, Entry::Records].into_iter();
    all.chain(profile.alerts.iter().take(ALERTS).map(|alert| Entry::Alert(alert.id)))
        .chain(profile.peers.iter().take(LISTED).map(|peer| Entry::Peer(peer.addr)))
        .chain(profile.served.iter().take(LISTED).map(|port| Entry::Served(port.protocol, port.port)))
        .chain(profile.used.iter().take(LISTED).map(|port| Entry::Used(port.protocol, port.port)))
        .chain(profile.interfaces.iter().take(LISTED).map(|(name, _)| Entry::Interface(Arc::clone(name))))
        .collect()
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
        self.page.profile.as_ref().map(|profile| entries(profile)).unwrap_or_default()
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
                self.view.lens = Some(Lens { subject, filter: Arc::new(filter), at: None });
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
        let page = self.viewport.lens.saturating_sub(1).max(1).cast_signed();
        match action {
            Action::Down => self.move_entry(1),
            Action::Up => self.move_entry(-1),
            Action::PageDown | Action::HalfDown => self.move_entry(page / 2 + 1),
            Action::PageUp | Action::HalfUp => self.move_entry(-(page / 2 + 1)),
            Action::Top => self.move_entry(isize::MIN),
            Action::Bottom => self.move_entry(isize::MAX),
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
            | Action::Flows
            | Action::Sessions
            | Action::Alerts
            | Action::NextTab
            | Action::PreviousTab
            | Action::Filter
            | Action::Freeze
            | Action::Timeline
            | Action::ChangeTime
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
        if self.entry_at() == place {
            self.open_entry();
        } else if let (Some(entry), Some(lens)) = (self.entries().into_iter().nth(place), &mut self.view.lens) {
            lens.at = Some(entry);
        }
    }

    fn open_entry(&mut self) {
        let Some(entry) = self.entries().into_iter().nth(self.entry_at()) else { return };
        let (Some(lens), Some(profile)) = (&mut self.view.lens, self.page.profile.clone()) else { return };
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
        };
        self.go_to_rows(&text, tab, None, text.clone());
    }
}
