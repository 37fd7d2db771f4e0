//! Values of the detail pane in full: exact numbers, times with their day, names beside numbers.

use crate::app::columns::Col;
use crate::engine::view::{PageRow, SessionDetail};
use crate::record::{Cell, Field, Kind};
use crate::ui::{cell, fmt};

/// Text of a rule, which may have been written over several lines.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bytes and packets in full.
pub(super) fn volume(bytes: u64, packets: u64) -> String {
    let unit = if packets == 1 { "packet" } else { "packets" };
    format!("{} bytes in {} {unit}", fmt::thousands(bytes), fmt::thousands(packets))
}

/// A record of a session: start, action, both ends, bytes, packets, interface.
pub(super) fn record(session: &SessionDetail, row: &PageRow) -> [String; 7] {
    let get = |field: Field| {
        let at = session.record_columns.iter().position(|column| *column == field)?;
        row.cells.get(at)
    };
    let text = |field: Field| {
        get(field).map(|cell| cell::text(Col::Field(field), cell, cell::Spelling::utc(false))).unwrap_or_default()
    };
    let exact = |field: Field| match get(field) {
        Some(Cell::Int(n)) => fmt::thousands(*n),
        _ => "-".to_owned(),
    };
    let end = |addr: Field, port: Field| match (get(addr), get(port)) {
        (Some(Cell::Addr(addr)), Some(Cell::Int(port))) if has_ports(session) => fmt::endpoint(*addr, Some(*port)),
        (Some(Cell::Addr(addr)), _) => addr.to_string(),
        _ => "-".to_owned(),
    };
    [
        text(Field::Start),
        text(Field::Action),
        end(Field::SrcAddr, Field::SrcPort),
        end(Field::DstAddr, Field::DstPort),
        exact(Field::Bytes),
        exact(Field::Packets),
        fmt::clean(&text(Field::InterfaceId)).into_owned(),
    ]
}

/// A value in full: exact numbers, times with their day, names beside numbers.
pub(super) fn flow_value(field: Field, cell: &Cell) -> String {
    match (field.kind(), cell) {
        (Kind::Time, Cell::Int(time)) => format!("{} UTC", fmt::date_time(i64::try_from(*time).unwrap_or(i64::MAX))),
        (Kind::Count, Cell::Int(n)) => fmt::thousands(*n),
        (Kind::Protocol, Cell::Int(n)) => format!("{n} ({})", fmt::protocol(*n)),
        (Kind::Flags, Cell::Int(n)) => format!("{n} {}", fmt::flags(*n)),
        (_, Cell::Text(text)) => text.to_string(),
        _ => cell::text(Col::Field(field), cell, cell::Spelling::utc(true)),
    }
}

/// A span of time in full.
pub(super) fn span(first: i64, last: i64) -> String {
    let length = u64::try_from(last.saturating_sub(first)).unwrap_or(0);
    format!("{} to {} UTC ({})", fmt::date_time(first), fmt::date_time(last), fmt::duration(length))
}

pub(super) fn value(session: &SessionDetail, field: Field) -> Option<&Cell> {
    session.fields.iter().find(|(known, _)| *known == field).map(|(_, cell)| cell)
}

pub(super) fn number(session: &SessionDetail, field: Field) -> Option<u64> {
    match value(session, field) {
        Some(Cell::Int(n)) => Some(*n),
        _ => None,
    }
}

/// Whether the protocol of a session has ports.
pub(super) fn has_ports(session: &SessionDetail) -> bool {
    number(session, Field::Protocol).is_some_and(ported)
}

/// Whether a protocol has ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
pub(super) fn ported(protocol: u64) -> bool {
    matches!(protocol, 6 | 17 | 33 | 132 | 136)
}
