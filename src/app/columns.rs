//! The one table of columns: what each is called, how wide it is, where it leans, and which tables show it by default in which order.
//!
//! On a narrow terminal columns are left out by rank, highest first; the chosen column always stays, and so does that of the order
//! where it is not the usual one. [`fit()`] says which of them are shown.

mod fit;

pub use fit::{Fitted, Placed, Room, fit, is_time};

use crate::engine::view::{Column, GroupColumn, Tab};
use crate::record::{Field, Kind};

/// A column of any table on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Col {
    /// A field of a flow or a session.
    Field(Field),
    /// An aggregate of a group.
    Group(GroupColumn),
    /// Something about an alert.
    Alert(AlertColumn),
}

impl From<Column> for Col {
    fn from(column: Column) -> Col {
        match column {
            Column::Field(field) => Col::Field(field),
            Column::Group(group) => Col::Group(group),
        }
    }
}

/// The columns of the alert table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertColumn {
    /// How bad it is.
    Level,
    /// When the condition first held.
    Time,
    /// Id of the rule.
    Rule,
    /// The line that says what happened.
    Message,
    /// What the rule counted for.
    Group,
    /// What was measured beside the threshold.
    Measured,
    /// Flow records that are evidence.
    Records,
    /// Open or closed.
    Status,
    /// ATT&CK technique.
    Technique,
}

/// Where the text of a column leans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// How a column looks.
#[derive(Clone, Copy, Debug)]
pub struct ColumnDef {
    /// Which column.
    pub col: Col,
    /// What the header says.
    pub title: &'static str,
    /// Least width, cells.
    pub min: u16,
    /// Greatest width, cells.
    pub max: u16,
    /// Where its text leans.
    pub align: Align,
    /// Cells before the text that hold the arrow from the column before.
    pub lead: u16,
    /// Least width where room is short and the column matters.
    pub squeezed: u16,
}

use Align::{Left, Right};

const fn field(field: Field, title: &'static str, min: u16, max: u16, align: Align) -> ColumnDef {
    ColumnDef { col: Col::Field(field), title, min, max, align, lead: 0, squeezed: min }
}

const fn arrow(field: Field, title: &'static str, min: u16, max: u16, lead: u16) -> ColumnDef {
    ColumnDef { col: Col::Field(field), title, min, max, align: Left, lead, squeezed: min }
}

const fn group(column: GroupColumn, title: &'static str, width: u16) -> ColumnDef {
    ColumnDef { col: Col::Group(column), title, min: width, max: width, align: Right, lead: 0, squeezed: width }
}

const fn alert(column: AlertColumn, title: &'static str, min: u16, max: u16, align: Align) -> ColumnDef {
    // A message says something from its first words on.
    let squeezed = if matches!(column, AlertColumn::Message) { 16 } else { min };
    ColumnDef { col: Col::Alert(column), title, min, max, align, lead: 0, squeezed }
}

#[rustfmt::skip]
const COLUMNS: &[ColumnDef] = &[
    field(Field::End, "time", 8, 14, Left),
    field(Field::Start, "start", 8, 14, Left),
    field(Field::IngestionTime, "ingested", 8, 14, Left),
    field(Field::Action, "a", 1, 1, Left),
    field(Field::SrcAddr, "source", 15, 39, Left),
    field(Field::SrcPort, "port", 5, 5, Right),
    arrow(Field::DstAddr, "destination", 15, 39, 2),
    field(Field::DstPort, "port", 5, 5, Right),
    field(Field::Client, "initiator", 15, 39, Left),
    field(Field::ClientPort, "port", 5, 5, Right),
    arrow(Field::Server, "responder", 15, 39, 3),
    field(Field::ServerPort, "port", 5, 5, Right),
    field(Field::Service, "service", 9, 14, Left),
    field(Field::Protocol, "prot", 4, 9, Left),
    field(Field::Bytes, "bytes", 6, 6, Right),
    field(Field::Packets, "packets", 7, 9, Right),
    field(Field::ReqBytes, "req", 6, 6, Right),
    field(Field::RespBytes, "resp", 6, 6, Right),
    field(Field::Phase, "chg", 4, 4, Left),
    field(Field::ReqPackets, "req p", 7, 9, Right),
    field(Field::RespPackets, "resp p", 7, 9, Right),
    field(Field::ByteRatio, "ratio", 7, 7, Right),
    field(Field::PacketRatio, "p ratio", 7, 7, Right),
    field(Field::SizeRatio, "s ratio", 7, 7, Right),
    field(Field::Baf, "payload", 7, 7, Right),
    field(Field::PacketSize, "size", 6, 6, Right),
    field(Field::Duration, "dur", 6, 6, Right),
    field(Field::Lag, "lag", 6, 6, Right),
    field(Field::TcpFlags, "flags", 5, 5, Left),
    field(Field::State, "state", 10, 10, Left),
    field(Field::OrientedBy, "by", 9, 10, Left),
    field(Field::Records, "recs", 5, 7, Right),
    field(Field::Country, "country", 7, 7, Left),
    field(Field::SrcCountry, "src cc", 6, 6, Left),
    field(Field::DstCountry, "dst cc", 6, 6, Left),
    field(Field::Asn, "asn", 8, 12, Left),
    field(Field::SrcAsn, "src asn", 8, 12, Left),
    field(Field::DstAsn, "dst asn", 8, 12, Left),
    field(Field::Org, "org", 12, 28, Left),
    field(Field::SrcOrg, "src org", 12, 28, Left),
    field(Field::DstOrg, "dst org", 12, 28, Left),
    field(Field::InterfaceId, "interface", 13, 36, Left),
    field(Field::AccountId, "account", 12, 12, Left),
    field(Field::LogStatus, "status", 8, 8, Left),

    group(GroupColumn::Bytes, "bytes", 6),
    group(GroupColumn::Packets, "packets", 9),
    group(GroupColumn::Records, "records", 9),
    group(GroupColumn::Peers, "peers", 7),
    group(GroupColumn::Rejected, "rejected", 8),

    alert(AlertColumn::Level, "level", 8, 13, Left),
    alert(AlertColumn::Time, "time", 8, 14, Left),
    alert(AlertColumn::Rule, "rule", 12, 20, Left),
    alert(AlertColumn::Message, "what", 48, 90, Left),
    alert(AlertColumn::Group, "for", 20, 44, Left),
    alert(AlertColumn::Measured, "measured", 20, 34, Left),
    alert(AlertColumn::Records, "records", 7, 7, Right),
    alert(AlertColumn::Status, "state", 6, 6, Left),
    alert(AlertColumn::Technique, "attack", 10, 10, Left),
];

/// A column of a default set and its rank: 0 stays longest.
type Ranked = (Col, u8);

const fn f(field: Field, rank: u8) -> Ranked {
    (Col::Field(field), rank)
}

const FLOWS: &[Ranked] = &[
    f(Field::End, 1),
    f(Field::Action, 5),
    f(Field::SrcAddr, 0),
    f(Field::SrcPort, 3),
    f(Field::DstAddr, 0),
    f(Field::DstPort, 2),
    f(Field::Service, 7),
    f(Field::Protocol, 6),
    f(Field::Bytes, 4),
    f(Field::Packets, 8),
    f(Field::Duration, 10),
    f(Field::TcpFlags, 11),
    f(Field::InterfaceId, 9),
    f(Field::Lag, 12),
    f(Field::LogStatus, 13),
];

const SESSIONS: &[Ranked] = &[
    f(Field::End, 2),
    f(Field::Action, 7),
    f(Field::Client, 0),
    f(Field::ClientPort, 4),
    f(Field::Server, 0),
    f(Field::ServerPort, 1),
    f(Field::Service, 3),
    f(Field::Protocol, 9),
    f(Field::ReqBytes, 2),
    f(Field::RespBytes, 2),
    f(Field::ByteRatio, 1),
    f(Field::PacketRatio, 5),
    f(Field::Baf, 10),
    f(Field::ReqPackets, 12),
    f(Field::RespPackets, 13),
    f(Field::Duration, 6),
    f(Field::State, 8),
    f(Field::Records, 11),
    f(Field::OrientedBy, 14),
    f(Field::InterfaceId, 15),
];

const ALERTS: &[Ranked] = &[
    (Col::Alert(AlertColumn::Level), 5),
    (Col::Alert(AlertColumn::Time), 2),
    (Col::Alert(AlertColumn::Status), 4),
    (Col::Alert(AlertColumn::Rule), 1),
    (Col::Alert(AlertColumn::Message), 0),
    (Col::Alert(AlertColumn::Measured), 7),
    (Col::Alert(AlertColumn::Records), 8),
    (Col::Alert(AlertColumn::Group), 9),
    (Col::Alert(AlertColumn::Technique), 10),
];

/// Rank of a column that is in no default set: somebody chose it.
const CHOSEN: u8 = 2;

/// The columns of a table by default, in order.
fn default_set(tab: Tab) -> &'static [Ranked] {
    match tab {
        Tab::Flows => FLOWS,
        Tab::Sessions => SESSIONS,
        Tab::Alerts => ALERTS,
    }
}

/// The columns of a table by default, in order.
pub fn columns(tab: Tab) -> impl Iterator<Item = Col> {
    default_set(tab).iter().map(|(col, _)| *col)
}

/// The fields that the engine must fill in for `tab`.
/// `changed` where the time of a change is marked, by which sessions are told apart.
pub fn fields(tab: Tab, changed: bool) -> Vec<Field> {
    let mut fields: Vec<Field> = columns(tab)
        .filter_map(|col| match col {
            Col::Field(field) => Some(field),
            Col::Group(_) | Col::Alert(_) => None,
        })
        .collect();
    if changed && tab == Tab::Sessions {
        let place = fields.iter().position(|field| *field == Field::Client).unwrap_or(0);
        fields.insert(place, Field::Phase);
    }
    fields
}

/// How `col` looks. A field without a row in the table takes its name and the width of its kind.
pub fn def(col: Col) -> ColumnDef {
    if let Some(def) = COLUMNS.iter().find(|def| def.col == col) {
        return *def;
    }
    let Col::Field(other) = col else {
        return ColumnDef { col, title: "", min: 6, max: 12, align: Left, lead: 0, squeezed: 6 };
    };
    let (min, max, align) = match other.kind() {
        Kind::Count | Kind::Int => (6, 9, Right),
        Kind::Port => (5, 5, Right),
        Kind::Protocol => (4, 9, Left),
        Kind::Flags => (5, 5, Left),
        Kind::Time => (8, 14, Left),
        Kind::Duration => (5, 6, Right),
        Kind::Ratio => (7, 7, Right),
        Kind::Addr => (15, 39, Left),
        Kind::Text => (10, 40, Left),
    };
    field(other, other.name(), min, max, align)
}

/// What the engine sorts by when the header of `col` is chosen; `None` where it cannot.
pub fn sort_field(col: Col) -> Option<Field> {
    match col {
        Col::Field(field) => Some(field),
        Col::Group(GroupColumn::Bytes) => Some(Field::Bytes),
        Col::Group(GroupColumn::Packets) => Some(Field::Packets),
        Col::Group(GroupColumn::Records) => Some(Field::Records),
        Col::Group(GroupColumn::Peers | GroupColumn::Rejected) | Col::Alert(_) => None,
    }
}

/// The title of `col`. Beside aggregates a column stands alone, so that it says which address or port it is.
pub fn title(col: Col, grouped: bool) -> &'static str {
    match col {
        Col::Field(field) if grouped => field.name(),
        _ => def(col).title,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_column_has_a_row_in_the_table() {
        for tab in [Tab::Flows, Tab::Sessions, Tab::Alerts] {
            for col in columns(tab) {
                assert!(COLUMNS.iter().any(|def| def.col == col), "{col:?}");
                assert!(unicode_width::UnicodeWidthStr::width(def(col).title) <= usize::from(def(col).max).max(1));
            }
        }
    }
}
