//! Rows that were marked, each with a copy of what it said and a note: they stay when the row is evicted, and go into a case file.

use std::net::IpAddr;

use super::menu::{Does, Item, Kind, Menu};
use super::takeaway::{Ask, Asked};
use super::{App, Focus, Mode, Tone};
use crate::engine::pinned::{Copied, Original};
use crate::engine::view::{RowId, Tab};
use crate::enrich::Known;
use crate::record::services::protocol_name;
use crate::record::{Cell, Field};

/// Most rows that are marked.
const MOST: usize = 500;
/// Longest note, characters.
const NOTE: usize = 500;

/// A row that was marked.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Which row.
    pub id: RowId,
    /// What the user wrote; may be empty.
    pub note: String,
    /// What the row said; `None` until the engine has copied it, or where it was gone by then.
    pub copy: Option<Copied>,
    /// Whether the row was still held when the engine last looked.
    pub held: bool,
}

impl Mark {
    /// The addresses of the row.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let Some(copy) = &self.copy else { return Vec::new() };
        let address = |cell: &Cell| match cell {
            Cell::Addr(address) => Some(*address),
            _ => None,
        };
        let mut addresses: Vec<IpAddr> = match &copy.original {
            Original::Alert(alert) => alert.group.iter().filter_map(|(_, cell)| address(cell)).collect(),
            _ => copy.fields.iter().filter_map(|(_, cell)| address(cell)).collect(),
        };
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    /// The names of its addresses, in a line.
    pub fn named(&self, known: &Known) -> String {
        let name = |address: IpAddr| known.address(address).map(|name| format!("{address} {name}"));
        self.addresses().into_iter().filter_map(name).collect::<Vec<_>>().join(", ")
    }

    /// The row in one line, its time with the day where `dated`.
    pub fn says(&self, dated: bool) -> String {
        let clock = |unix| clock(unix, dated);
        let Some(copy) = &self.copy else {
            return if self.held { "being copied".to_owned() } else { "gone before it was copied".to_owned() };
        };
        if let Original::Alert(alert) = &copy.original {
            return format!("{} {} {}", clock(alert.time), alert.rule, alert.message);
        }
        let number = |wanted: Field| {
            copy.fields.iter().find_map(|(field, cell)| match cell {
                Cell::Int(number) if *field == wanted => Some(*number),
                _ => None,
            })
        };
        let text =
            |wanted: Field| copy.fields.iter().find(|(field, _)| *field == wanted).map(|(_, cell)| spelled(cell));
        let sides = if matches!(copy.original, Original::Line(..)) {
            [(Field::SrcAddr, Field::SrcPort), (Field::DstAddr, Field::DstPort)]
        } else {
            [(Field::Client, Field::ClientPort), (Field::Server, Field::ServerPort)]
        };
        let ends: Vec<String> = sides
            .into_iter()
            .map(|(address, port)| {
                let address = text(address).unwrap_or_else(|| "-".to_owned());
                number(port).map_or_else(|| address.clone(), |port| format!("{address}:{port}"))
            })
            .collect();
        let protocol = number(Field::Protocol).and_then(|number| u8::try_from(number).ok()).and_then(protocol_name);
        let at = number(Field::End).map(|end| clock(i64::try_from(end).unwrap_or(0))).unwrap_or_default();
        let amount = match (number(Field::ReqBytes), number(Field::RespBytes)) {
            (Some(there), Some(back)) => format!("{there} bytes, back {back}"),
            _ => number(Field::Bytes).map(|bytes| format!("{bytes} bytes")).unwrap_or_default(),
        };
        let words = [
            at,
            ends.join(" > "),
            protocol.unwrap_or_default().to_owned(),
            amount,
            text(Field::Action).unwrap_or_default(),
        ];
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }
}

fn spelled(cell: &Cell) -> String {
    match cell {
        Cell::Absent => "-".to_owned(),
        Cell::Int(number) => number.to_string(),
        Cell::Float(number) => number.to_string(),
        Cell::Addr(addr) => addr.to_string(),
        Cell::Text(text) => text.to_string(),
    }
}

/// Time of day, UTC, and the day where `dated`.
fn clock(unix: i64, dated: bool) -> String {
    let how = if dated { "%Y-%m-%d %H:%M:%S" } else { "%H:%M:%S" };
    jiff::Timestamp::from_second(unix).map_or_else(|_| unix.to_string(), |time| time.strftime(how).to_string())
}

impl App {
    /// Rows that were marked, in the order they were.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Whether a row is marked.
    pub fn is_marked(&self, id: RowId) -> bool {
        self.marks.iter().any(|mark| mark.id == id)
    }

    /// The row under the cursor, or the alert of the sidebar.
    pub(super) fn row_meant(&self) -> Option<RowId> {
        match self.focus {
            Focus::Sidebar => self.selected_alert().map(|alert| RowId::Alert(alert.id)),
            Focus::Table => self.view.table().cursor.filter(|id| !matches!(id, RowId::Group(_))),
        }
    }

    /// Marks the row under the cursor, or takes its mark away. A mark with a note is not lost by one key.
    pub(super) fn toggle_mark(&mut self) {
        let Some(id) = self.row_meant() else { return self.say(Tone::Refused, "There is no row here to mark.") };
        match self.marks.iter().position(|mark| mark.id == id) {
            Some(at) if self.marks[at].note.is_empty() => {
                self.marks.remove(at);
                self.say(Tone::Quiet, format!("No longer marked. {} left.", self.marks.len()));
            }
            Some(_) => self.say_keys(
                Tone::Refused,
                "It has a note: {marks} lists the marks, {list:delete-forward} there takes it away.",
            ),
            None => {
                if self.add_mark(id, String::new()) {
                    let count = self.marks.len();
                    self.say(
                        Tone::Quiet,
                        format!("Marked ({count}). ")
                            + &self.keys.spell("{note} writes a note, {marks} lists the marks, {export} exports them."),
                    );
                }
            }
        }
    }

    fn add_mark(&mut self, id: RowId, note: String) -> bool {
        if self.marks.len() == MOST {
            self.say(
                Tone::Refused,
                format!("{MOST} rows are marked, which is the most: ")
                    + &self.keys.spell("{marks} lists them, {list:delete-forward} there frees one."),
            );
            return false;
        }
        self.marks.push(Mark { id, note, copy: None, held: true });
        true
    }

    /// Opens the prompt for a note on the row under the cursor.
    pub(super) fn open_note(&mut self) {
        let Some(id) = self.row_meant() else {
            return self.say(Tone::Refused, "There is no row here to note something of.");
        };
        let note = self.marks.iter().find(|mark| mark.id == id).map_or("", |mark| &mark.note);
        self.mode = Mode::Ask(Ask::new(note, Asked::Note(id)));
    }

    pub(super) fn accept_note(&mut self, id: RowId, text: &str) {
        let note: String = text.trim().chars().take(NOTE).collect();
        match self.marks.iter_mut().find(|mark| mark.id == id) {
            Some(mark) => mark.note = note,
            None if note.is_empty() => return,
            None => {
                if !self.add_mark(id, note) {
                    return;
                }
            }
        }
        self.say_keys(Tone::Quiet, "Noted. {marks} lists marks and notes, {export} exports them.");
    }

    /// Lists what was marked.
    pub(super) fn open_marks(&mut self) {
        if self.marks.is_empty() {
            return self.say_keys(
                Tone::Quiet,
                "No row is marked. {mark-row} marks the row under the cursor, {note} writes a note on it.",
            );
        }
        let menu = Menu::new(
            Kind::Marks,
            self.keys.spell("Marks: {list:accept} goes there, {list:delete-forward} takes one away"),
            self.mark_items(),
        );
        self.open_menu(menu);
    }

    fn mark_items(&self) -> Vec<Item> {
        let item = |mark: &Mark| {
            let gone = if mark.held { "" } else { "(no longer held)" };
            let said = [gone, &mark.note, &mark.named(&self.known)];
            let said: Vec<&str> = said.into_iter().filter(|text| !text.is_empty()).collect();
            Item::new(mark.says(false), said.join(" "), Does::Mark(mark.id))
        };
        self.marks.iter().map(item).collect()
    }

    /// Goes to a marked row, or shows its copy where it is gone.
    pub(super) fn go_to_mark(&mut self, id: RowId) {
        let Some(mark) = self.marks.iter().find(|mark| mark.id == id).cloned() else { return };
        if !mark.held {
            let mut lines =
                vec![Item::new(mark.says(true), "", Does::Nothing), Item::new(mark.note, "", Does::Nothing)];
            if let Some(Copied { fields, original }) = &mark.copy {
                if let Original::Line(_, line) = original {
                    lines.push(Item::new(line, "", Does::Nothing));
                }
                lines.extend(
                    fields.iter().map(|(field, cell)| {
                        Item::new(format!("{}: {}", field.name(), spelled(cell)), "", Does::Nothing)
                    }),
                );
            }
            return self.open_menu(Menu::new(Kind::Text, "What was copied when it was marked", lines));
        }
        self.remember("a mark");
        self.focus = Focus::Table;
        let view = &mut self.view;
        view.tab = match id {
            RowId::Session(_) => Tab::Sessions,
            RowId::Alert(_) => Tab::Alerts,
            RowId::Flow { .. } | RowId::Group(_) => Tab::Flows,
        };
        // The row must be among those that are shown.
        (view.filter, view.window, view.lens, view.fold) = (None, None, None, Some(false));
        let table = view.table_mut();
        table.group_by.clear();
        table.go_to(id);
    }

    /// Takes the chosen mark away.
    pub(super) fn forget_mark(&mut self, id: RowId) {
        self.marks.retain(|mark| mark.id != id);
        let at = match &self.mode {
            Mode::Menu(menu) => menu.cursor,
            _ => 0,
        };
        self.mode = Mode::Main;
        self.open_marks();
        if let Mode::Menu(menu) = &mut self.mode {
            menu.cursor = at.min(self.marks.len().saturating_sub(1));
        }
    }

    /// Rows that the engine is asked to copy: those that have no copy yet, and all while they are listed, to know which are still held.
    pub(super) fn copies_wanted(&self) -> Vec<RowId> {
        let listed = matches!(&self.mode, Mode::Menu(menu) if menu.kind == Kind::Marks);
        self.marks.iter().filter(|mark| listed || (mark.held && mark.copy.is_none())).map(|mark| mark.id).collect()
    }

    /// Takes the copies of a page.
    pub(super) fn take_copies(&mut self) {
        if self.page.copies.is_empty() {
            return;
        }
        let page = std::sync::Arc::clone(&self.page);
        for (id, copy) in &page.copies {
            if let Some(mark) = self.marks.iter_mut().find(|mark| mark.id == *id) {
                mark.held = copy.is_some();
                if let Some(copy) = copy {
                    mark.copy = Some(copy.clone());
                }
            }
        }
        let items = self.mark_items();
        if let Mode::Menu(menu) = &mut self.mode
            && menu.kind == Kind::Marks
        {
            menu.renew(items);
        }
    }
}
