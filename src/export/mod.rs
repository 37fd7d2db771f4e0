//! Rows as text for machines and people: NDJSON, CSV, the original line, a plain table.
//!
//! The shapes and keys are a contract (DESIGN §9): what changes them is a breaking change.

pub mod alert;
pub mod clean;
pub mod flow;
pub mod session;

use serde_json::{Map, Value as Json};

/// The shape of printed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated values with a header line.
    Csv,
    /// The original line. Flow records only.
    Log,
    /// Columns for reading.
    Table,
}

/// Appends the values of an object as a line of CSV without its end, after the names where `headed` says that they are still missing.
pub(crate) fn csv_object(out: &mut String, object: &Map<String, Json>, headed: bool) {
    if !headed {
        let names: Vec<&str> = object.keys().map(String::as_str).collect();
        out.push_str(&names.join(","));
        out.push('\n');
    }
    for (place, value) in object.values().enumerate() {
        if place > 0 {
            out.push(',');
        }
        csv_field(out, &clean::for_terminal(&plain(value)));
    }
}

/// A value without the quotes of JSON; lists side by side, objects as they are.
fn plain(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// One value for CSV: quoted where it must be.
pub(crate) fn csv_field(out: &mut String, text: &str) {
    if text.contains([',', '"', '\n', '\r']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}
