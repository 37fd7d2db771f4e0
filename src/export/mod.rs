//! Rows as text for machines and people: NDJSON, CSV, the original line, a plain table.
//!
//! The shapes and keys are a contract (DESIGN §9): what changes them is a breaking change.

pub mod alert;
pub mod clean;
pub mod flow;
pub mod session;

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
