//! Tests of the language from text to answer, over rows made by hand.

mod columns;
mod errors;
mod language;
mod meaning;
mod page;
mod properties;
mod spellings;

use std::fmt::Write;
use std::net::IpAddr;

use super::{Filter, Stage};
use crate::record::{Cell, Field, Row, Value};

/// 2018-08-20T15:27:50Z, shortly after the founding attack.
const NOW: i64 = 1_534_778_870;

/// A row as a list of fields. Both sides of two-sided fields are found through the plain ones, as in every real row.
#[derive(Clone, Debug, Default)]
struct Made(Vec<(Field, Cell)>);

impl Made {
    fn set(mut self, field: Field, value: impl Held) -> Made {
        self.0.retain(|(known, _)| *known != field);
        self.0.push((field, value.cell()));
        self
    }

    fn and(mut self, field: Field, value: impl Held) -> Made {
        self.0.push((field, value.cell()));
        self
    }

    fn without(mut self, field: Field) -> Made {
        self.0.retain(|(known, _)| *known != field);
        self
    }
}

/// What a made row holds. Text that reads as an address is one.
trait Held {
    fn cell(self) -> Cell;
}

impl Held for Cell {
    fn cell(self) -> Cell {
        self
    }
}

impl Held for u64 {
    fn cell(self) -> Cell {
        Cell::Int(self)
    }
}

impl Held for f64 {
    fn cell(self) -> Cell {
        Cell::Float(self)
    }
}

impl Held for &str {
    fn cell(self) -> Cell {
        self.parse::<IpAddr>().map_or_else(|_| Cell::Text(self.into()), Cell::Addr)
    }
}

impl Row for Made {
    fn get(&self, field: Field) -> Option<Value<'_>> {
        let mut cells = self.0.iter().filter(|(known, _)| *known == field);
        let cell = cells.next()?;
        if cells.next().is_some() { None } else { cell.1.value() }
    }

    fn any(&self, field: Field, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        let sides: &[Field] = match field {
            Field::Ip => &[Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr],
            Field::Port => &[Field::SrcPort, Field::DstPort],
            _ => &[field],
        };
        let mut values = self.0.iter().filter(|(known, _)| sides.contains(known)).filter_map(|(_, cell)| cell.value());
        values.any(test)
    }

    fn render(&self, out: &mut String) {
        for (_, cell) in &self.0 {
            let _ = match cell {
                Cell::Absent => write!(out, "- "),
                Cell::Int(number) => write!(out, "{number} "),
                Cell::Float(number) => write!(out, "{number} "),
                Cell::Addr(address) => write!(out, "{address} "),
                Cell::Text(text) => write!(out, "{text} "),
            };
        }
    }
}

/// The trigger of the founding attack, as the record of the request.
fn trigger() -> Made {
    Made::default()
        .set(Field::Version, 2)
        .set(Field::AccountId, Cell::Text("622676721278".into()))
        .set(Field::InterfaceId, "eni-0536faba73134a9b7")
        .set(Field::SrcAddr, "13.125.33.130")
        .set(Field::DstAddr, "172.16.0.178")
        .set(Field::SrcPort, 40_396)
        .set(Field::DstPort, 11_211)
        .set(Field::Protocol, 17)
        .set(Field::Packets, 1)
        .set(Field::Bytes, 50)
        .set(Field::Start, 1_534_778_806)
        .set(Field::End, 1_534_778_866)
        .set(Field::Action, "ACCEPT")
        .set(Field::LogStatus, "OK")
}

/// The same as a session.
fn session() -> Made {
    trigger()
        .without(Field::LogStatus)
        .without(Field::Version)
        .and(Field::InterfaceId, "eni-0aaaaaaaaaaaaaaaa")
        .set(Field::Client, "13.125.33.130")
        .set(Field::Server, "172.16.0.178")
        .set(Field::ClientPort, 40_396)
        .set(Field::ServerPort, 11_211)
        .set(Field::Bytes, 51_377)
        .set(Field::ReqBytes, 50)
        .set(Field::RespBytes, 51_327)
        .set(Field::ByteRatio, 51_327.0 / 50.0)
        .set(Field::Duration, 60)
        .set(Field::State, "closed")
}

fn filter(text: &str, stage: Stage) -> Filter {
    Filter::parse(text, stage).unwrap_or_else(|error| panic!("{text}: {error} at {:?}", error.span))
}

/// Asserts which of `texts` pass for `row`, and that each of them has an exact complement.
fn check(row: &Made, stage: Stage, expected: bool, texts: &[&str]) {
    for text in texts {
        assert_eq!(filter(text, stage).matches(row, NOW), expected, "{text}");
        assert_eq!(filter(&format!("not ({text})"), stage).matches(row, NOW), !expected, "not ({text})");
        let printed = filter(text, stage).to_string();
        assert_eq!(filter(&printed, stage), filter(text, stage), "{text} is printed as {printed}");
        assert_eq!(filter(&printed, stage).to_string(), printed);
    }
}

fn yes(row: &Made, texts: &[&str]) {
    check(row, Stage::Flows, true, texts);
}

fn no(row: &Made, texts: &[&str]) {
    check(row, Stage::Flows, false, texts);
}
