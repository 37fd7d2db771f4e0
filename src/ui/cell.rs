//! The text and style of a cell of a table.

use std::net::IpAddr;

use jiff::tz::TimeZone;
use ratatui::style::Style;

use super::fmt;
use super::theme::{Theme, Token};
use crate::app::choose::When;
use crate::app::columns::{AlertColumn, Col};
use crate::detect::Alert;
use crate::engine::view::GroupColumn;
use crate::enrich::Known;
use crate::record::{Cell, Field, Kind};

/// What stands for an absent value: what the log itself writes.
const ABSENT: &str = "-";

/// How values of rows are written.
#[derive(Clone, Copy)]
pub(super) struct Spelling<'a> {
    /// With their day.
    pub(super) dated: bool,
    pub(super) when: When,
    /// Event time, for how long ago.
    pub(super) now: i64,
    /// Names of addresses and interfaces, which follow them.
    pub(super) names: Option<&'a Known>,
    /// The zone of local times, UTC without one.
    pub(super) zone: Option<&'a TimeZone>,
    /// Cells that a time may take.
    pub(super) cells: u16,
}

impl Spelling<'_> {
    /// In UTC.
    pub(super) fn utc(dated: bool) -> Spelling<'static> {
        Spelling { dated, when: When::Utc, now: 0, names: None, zone: None, cells: u16::MAX }
    }

    /// Cells of a time, in full and as short as it may be.
    pub(super) fn times(self) -> (u16, u16) {
        match (self.when, self.dated) {
            (When::Ago, _) => (6, 6),
            (_, true) => (14, 8),
            (_, false) => (8, 5),
        }
    }

    /// The same on `cells`: what there is no room for is left out, the seconds first.
    pub(super) fn within(self, cells: u16) -> Self {
        Spelling { cells, ..self }
    }

    fn say(self, unix: i64) -> String {
        if self.when == When::Ago {
            return fmt::duration(u64::try_from(self.now.saturating_sub(unix)).unwrap_or(0));
        }
        let utc = TimeZone::UTC;
        let zone = self.zone.filter(|_| self.when == When::Local).unwrap_or(&utc);
        let how = match (self.dated, self.cells) {
            (true, 14..) => "%m-%d %H:%M:%S",
            (true, 11..) => "%m-%d %H:%M",
            (true, _) => "%d %H:%M",
            (false, 8..) => "%H:%M:%S",
            (false, _) => "%H:%M",
        };
        fmt::in_zone(unix, zone, how)
    }
}

/// The text of a cell of a flow, a session or a group.
pub(super) fn text(col: Col, cell: &Cell, times: Spelling<'_>) -> String {
    match (col, cell) {
        (_, Cell::Absent) => ABSENT.to_owned(),
        (Col::Field(Field::Action), Cell::Text(word)) => action(word).to_owned(),
        (Col::Field(Field::Phase), Cell::Text(word)) => phase(word).to_owned(),
        (Col::Field(Field::OrientedBy), Cell::Text(word)) if is_guess(word) => format!("{word}?"),
        (Col::Field(field), Cell::Int(number)) => integer(field, *number, times),
        (Col::Group(GroupColumn::Bytes), Cell::Int(number)) => fmt::bytes(*number),
        (Col::Group(_), Cell::Int(number)) => fmt::count(*number),
        (Col::Group(GroupColumn::Rejected), Cell::Float(share)) => format!("{:.0}%", share * 100.0),
        (_, Cell::Float(number)) => fmt::ratio(*number),
        (_, Cell::Int(number)) => number.to_string(),
        (_, Cell::Addr(addr)) => address(*addr, times),
        (Col::Field(Field::InterfaceId), Cell::Text(id)) => match times.names.and_then(|names| names.interface(id)) {
            Some(name) => format!("{id} {name}"),
            None => id.to_string(),
        },
        (_, Cell::Text(text)) => text.to_string(),
    }
}

/// An address, its name, and the country of a public one where there is room for that.
fn address(addr: IpAddr, how: Spelling<'_>) -> String {
    let Some(known) = how.names else { return addr.to_string() };
    let mut text = match known.address(addr) {
        Some(name) => format!("{addr} {name}"),
        None => addr.to_string(),
    };
    if let Some(country) = known.country(addr) {
        let country = fmt::clean(country);
        if fmt::width(&fmt::clean(&text)) + fmt::width(&country) < how.cells {
            text.push(' ');
            text.push_str(&country);
        }
    }
    text
}

fn integer(field: Field, number: u64, times: Spelling<'_>) -> String {
    match field.kind() {
        Kind::Time => {
            let seconds = i64::try_from(number).unwrap_or(i64::MAX);
            times.say(seconds)
        }
        Kind::Duration => fmt::duration(number),
        Kind::Protocol => fmt::protocol(number),
        Kind::Flags => fmt::flags(number),
        Kind::Count if matches!(field, Field::Bytes | Field::ReqBytes | Field::RespBytes) => fmt::bytes(number),
        Kind::Count => fmt::count(number),
        _ if matches!(field, Field::Asn | Field::SrcAsn | Field::DstAsn) => format!("AS{number}"),
        _ => number.to_string(),
    }
}

/// ACCEPT, REJECT and MIXED by letter: colour alone would say nothing to some eyes and terminals.
fn action(word: &str) -> &str {
    match word {
        "ACCEPT" => "A",
        "REJECT" => "R",
        "MIXED" => "M",
        other => other,
    }
}

/// How a session stands to a change, short.
fn phase(word: &str) -> &str {
    match word {
        "before" => "bef",
        "surviving" => "surv",
        other => other,
    }
}

/// Whether a method of orientation is a guess rather than evidence.
pub(super) fn is_guess(method: &str) -> bool {
    !matches!(method, "syn" | "synack" | "service" | "learned")
}

/// The style of a cell.
pub(super) fn style(theme: &Theme, col: Col, cell: &Cell) -> Style {
    let token = match (col, cell) {
        (_, Cell::Absent) => Token::Muted,
        (Col::Field(Field::Action), Cell::Text(word)) if &**word == "REJECT" => return theme.bold(Token::Reject),
        (Col::Field(Field::Action), Cell::Text(word)) if &**word == "MIXED" => return theme.bold(Token::Warning),
        (Col::Field(Field::Action), _) => Token::Accept,
        (Col::Field(Field::Phase), Cell::Text(word)) if &**word == "surviving" => return theme.bold(Token::Warning),
        (Col::Field(Field::Service), _) => Token::Service,
        (Col::Field(Field::LogStatus), Cell::Text(word)) if &**word == "SKIPDATA" => return theme.bold(Token::Gap),
        (Col::Field(Field::State | Field::InterfaceId | Field::Protocol | Field::LogStatus | Field::OrientedBy), _) => {
            Token::Muted
        }
        (Col::Field(field), _) if matches!(field.kind(), Kind::Time | Kind::Duration) => Token::Muted,
        (Col::Group(_), _) => Token::Number,
        (Col::Field(field), _) if matches!(field.kind(), Kind::Count | Kind::Ratio) => Token::Number,
        _ => Token::Text,
    };
    theme.style(token)
}

/// The text of a cell of the alert table.
pub(super) fn alert_text(column: AlertColumn, alert: &Alert, times: Spelling<'_>) -> String {
    match column {
        AlertColumn::Level => alert.level.to_string(),
        AlertColumn::Time => times.say(alert.last),
        AlertColumn::Rule => alert.rule.to_string(),
        AlertColumn::Message => alert.message.clone(),
        AlertColumn::Group => {
            let value =
                |(field, cell): &(Field, Cell)| format!("{} {}", field.name(), text(Col::Field(*field), cell, times));
            alert.group.iter().map(value).collect::<Vec<_>>().join(" ")
        }
        AlertColumn::Measured => measured(alert).join(" "),
        AlertColumn::Records => fmt::count(alert.count),
        AlertColumn::Status => if alert.closed { "closed" } else { "open" }.to_owned(),
        AlertColumn::Technique => alert.technique.to_string(),
    }
}

/// What was measured, each beside its threshold where it has one.
pub(super) fn measured(alert: &Alert) -> Vec<String> {
    let threshold = |name: &str| alert.threshold.iter().find(|(known, _)| known == name).map(|(_, limit)| *limit);
    alert
        .measured
        .iter()
        .map(|(name, value)| match threshold(name) {
            Some(limit) => format!("{name} {} (threshold {})", fmt::measure(*value), fmt::measure(limit)),
            None => format!("{name} {}", fmt::measure(*value)),
        })
        .collect()
}

/// The style of a cell of the alert table.
pub(super) fn alert_style(theme: &Theme, column: AlertColumn, alert: &Alert) -> Style {
    match column {
        AlertColumn::Level | AlertColumn::Rule if alert.closed => theme.style(Token::level(alert.level)),
        AlertColumn::Level | AlertColumn::Rule => theme.bold(Token::level(alert.level)),
        AlertColumn::Message => theme.style(Token::Text),
        _ => theme.style(Token::Muted),
    }
}
