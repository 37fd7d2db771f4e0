//! Alerts as text.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::flow::moment;
use super::{Shape, clean, csv_object};
use crate::detect::Alert;
use crate::record::{Cell, Field, Row, Value};

/// Appends an alert to `out`, with its line end; `headed` says whether CSV has its heading already.
pub fn write(alert: &Alert, shape: Shape, headed: bool, out: &mut String) {
    let object = object(alert);
    match shape {
        Shape::Ndjson | Shape::Log => out.push_str(&clean::json(Json::Object(object).to_string())),
        Shape::Csv => csv_object(out, &object, headed),
        Shape::Table => {
            let status = match alert {
                Alert { withdrawn: true, .. } => "taken back",
                Alert { closed: true, .. } => "closed",
                _ => "open",
            };
            let time = moment(u64::try_from(alert.time).unwrap_or(0));
            let message = clean::for_terminal(&alert.message);
            let _ = write!(out, "{time}  {:<13}  {status:<10}  {:<18}  {message}", alert.level, alert.rule);
        }
    }
    out.push('\n');
}

/// An alert as the object of the contract.
pub fn object(alert: &Alert) -> Map<String, Json> {
    let numbers = |numbers: &[(String, f64)]| -> Map<String, Json> {
        numbers.iter().map(|(name, number)| (name.clone(), Json::from(*number))).collect()
    };
    let group: Map<String, Json> =
        alert.group.iter().map(|(field, cell)| (field.name().to_owned(), json_of(cell))).collect();
    let mut object = json!({
        "id": alert.id,
        "rule": &*alert.rule,
        "level": alert.level.as_str(),
        "technique": &*alert.technique,
        "status": if alert.closed { "closed" } else { "open" },
        "withdrawn": alert.withdrawn,
        "time": alert.time,
        "first": alert.first,
        "last": alert.last,
        "group": group,
        "measured": numbers(&alert.measured),
        "threshold": numbers(&alert.threshold),
        "count": alert.count,
        "message": alert.message,
        "filter": alert.filter,
    });
    if !alert.among.is_empty() {
        object["among"] = alert.apart().flatten().map(json_of).collect();
    }
    match object {
        Json::Object(object) => object,
        // The macro above writes an object.
        _ => Map::new(),
    }
}

fn json_of(cell: &Cell) -> Json {
    match cell {
        Cell::Absent => Json::Null,
        Cell::Int(number) => (*number).into(),
        Cell::Float(number) => (*number).into(),
        Cell::Addr(addr) => addr.to_string().into(),
        Cell::Text(text) => (**text).into(),
    }
}

/// An alert as a [`Row`]: what it was grouped by, so that `--filter` selects alerts by who and what they are about. One that speaks for
/// many groups has the values of all that it lists.
#[derive(Clone, Copy, Debug)]
pub struct AlertRow<'a>(pub &'a Alert);

/// Fields of an alert that are the same: a session's client is its source, and a rule may name either.
fn same(field: Field) -> &'static [Field] {
    match field {
        Field::SrcAddr | Field::Client => &[Field::SrcAddr, Field::Client],
        Field::DstAddr | Field::Server => &[Field::DstAddr, Field::Server],
        Field::SrcPort | Field::ClientPort => &[Field::SrcPort, Field::ClientPort],
        Field::DstPort | Field::ServerPort => &[Field::DstPort, Field::ServerPort],
        Field::Ip => &[Field::SrcAddr, Field::DstAddr, Field::Client, Field::Server, Field::Ip],
        Field::Port => &[Field::SrcPort, Field::DstPort, Field::ClientPort, Field::ServerPort, Field::Port],
        _ => &[],
    }
}

impl AlertRow<'_> {
    fn of(&self, fields: &[Field]) -> impl Iterator<Item = Value<'_>> {
        let wanted = fields.to_vec();
        let all = self.0.group.iter().chain(self.0.among.iter().flatten());
        all.filter(move |(field, _)| wanted.contains(field)).filter_map(|(_, cell)| cell.value())
    }
}

impl Row for AlertRow<'_> {
    fn get(&self, field: Field) -> Option<Value<'_>> {
        match field {
            Field::Start => u64::try_from(self.0.first).ok().map(Value::Int),
            Field::End => u64::try_from(self.0.last).ok().map(Value::Int),
            Field::Ip | Field::Port => None,
            other if same(other).is_empty() => self.of(&[other]).next(),
            other => self.of(same(other)).next(),
        }
    }

    fn any(&self, field: Field, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        match field {
            Field::Start | Field::End => self.get(field).is_some_and(test),
            other if same(other).is_empty() => self.of(&[other]).any(test),
            other => self.of(same(other)).any(test),
        }
    }

    fn render(&self, out: &mut String) {
        let _ = write!(out, "{} {} {} {}", self.0.rule, self.0.level, self.0.title, self.0.message);
    }
}
