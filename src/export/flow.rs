//! Flow records as text.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::clean;
use super::{Shape, csv_field};
use crate::record::services::protocol_name;
use crate::record::{Field, Kind, Table};

/// Columns of the plain table, with their widths.
const TABLE: [(Field, usize); 10] = [
    (Field::End, 20),
    (Field::InterfaceId, 21),
    (Field::SrcAddr, 15),
    (Field::SrcPort, 5),
    (Field::DstAddr, 15),
    (Field::DstPort, 5),
    (Field::Protocol, 5),
    (Field::Packets, 8),
    (Field::Bytes, 11),
    (Field::Action, 8),
];

/// Writes flow records in one shape. Remembers the columns of CSV, which are those of the first record.
#[derive(Debug)]
pub struct FlowWriter {
    shape: Shape,
    /// Whether the output is a terminal, which the original line must not steer.
    terminal: bool,
    columns: Option<(Vec<Field>, bool)>,
    /// Columns of CSV, where they are known before the first record.
    given: Vec<Field>,
}

impl FlowWriter {
    /// A writer that has written nothing yet.
    pub fn new(shape: Shape, terminal: bool) -> FlowWriter {
        FlowWriter { shape, terminal, columns: None, given: Vec::new() }
    }

    /// A writer for rows of several formats: CSV has the columns of all of them.
    #[must_use]
    pub fn with_columns(mut self, columns: Vec<Field>) -> FlowWriter {
        self.given = columns;
        self
    }

    /// Appends `row` to `out`, with its line end, and a heading before the first where the shape has one.
    pub fn write<T: Table>(&mut self, table: &T, row: usize, out: &mut String) {
        match self.shape {
            Shape::Ndjson => out.push_str(&ndjson(table, row)),
            Shape::Log => {
                let mut line = String::new();
                table.render_line(row, &mut line);
                out.push_str(&if self.terminal { clean::for_terminal(&line) } else { line.into() });
            }
            Shape::Csv => self.csv(table, row, out),
            Shape::Table => self.table(table, row, out),
        }
        out.push('\n');
    }

    fn csv<T: Table>(&mut self, table: &T, row: usize, out: &mut String) {
        let (columns, tailed) = self.columns.get_or_insert_with(|| {
            let columns = std::mem::take(&mut self.given);
            let columns = if columns.is_empty() { table.format(row).fields().collect() } else { columns };
            let tailed = table.tag(row).is_some();
            let names = columns.iter().map(|field| field.name());
            let extra = ["@ingestion-time", "@log-stream", "@event-id"];
            let names: Vec<&str> = names.chain(extra.into_iter().filter(|_| tailed)).collect();
            out.push_str(&names.join(","));
            out.push('\n');
            (columns, tailed)
        });
        for (place, field) in columns.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            let text = text(table, row, *field).unwrap_or_default();
            csv_field(out, &if self.terminal { clean::for_terminal(&text) } else { text.as_str().into() });
        }
        if *tailed {
            let event = table.tag(row);
            let ingestion = event.filter(|event| event.ingestion >= 0).map(|event| event.ingestion.to_string());
            let ingestion = ingestion.unwrap_or_default();
            let id = event.map_or("", |event| event.id);
            let _ = write!(out, ",{ingestion},");
            csv_field(out, &clean::for_terminal(table.word(Field::Stream, row).unwrap_or("")));
            out.push(',');
            csv_field(out, &clean::for_terminal(id));
        }
    }

    fn table<T: Table>(&mut self, table: &T, row: usize, out: &mut String) {
        if self.columns.is_none() {
            self.columns = Some((Vec::new(), false));
            for (field, width) in TABLE {
                let _ = write!(out, "{:>width$}  ", field.name());
            }
            out.truncate(out.trim_end().len());
            out.push('\n');
        }
        for (field, width) in TABLE {
            let text = match (field, table.number(field, row)) {
                (Field::End, Some(end)) => moment(end),
                (Field::Protocol, Some(number)) => {
                    u8::try_from(number).ok().and_then(protocol_name).map_or_else(|| number.to_string(), str::to_owned)
                }
                _ => text(table, row, field).unwrap_or_else(|| "-".to_owned()),
            };
            let _ = write!(out, "{:>width$}  ", clean::for_terminal(&text));
        }
        out.truncate(out.trim_end().len());
    }
}

/// Unix seconds as `2018-08-20T15:26:46Z`; the number itself where it is no time.
pub fn moment(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| seconds.to_string(), |time| time.to_string())
}

fn text<T: Table>(table: &T, row: usize, field: Field) -> Option<String> {
    match field.kind() {
        Kind::Addr => table.address(field, row).map(|addr| addr.to_string()),
        Kind::Text => table.word(field, row).map(str::to_owned),
        _ => table.number(field, row).map(|number| number.to_string()),
    }
}

/// One record as a JSON object: the fields of its line under their AWS names, absent ones left out.
fn ndjson<T: Table>(table: &T, row: usize) -> String {
    let mut object = Map::new();
    for field in table.format(row).fields() {
        let value = match field.kind() {
            Kind::Addr | Kind::Text => text(table, row, field).map(Json::from),
            _ => table.number(field, row).map(Json::from),
        };
        if let Some(value) = value {
            object.insert(field.name().to_owned(), value);
        }
    }
    if let Some(event) = table.tag(row) {
        if event.ingestion >= 0 {
            object.insert("@ingestion-time".into(), event.ingestion.into());
        }
        object.insert("@log-stream".into(), table.word(Field::Stream, row).unwrap_or("").into());
        if !event.id.is_empty() {
            object.insert("@event-id".into(), event.id.into());
        }
    }
    clean::json(Json::Object(object).to_string())
}
