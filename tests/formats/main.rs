//! One test for each row of the table in `docs/comparison.md`. What that page says flowtail does is what these tests hold.

mod edges;
mod layouts;
mod page;
mod wrapped;

use std::sync::Arc;

use flowtail::record::{Batch, Decoded, Decoder, Field, Format, Origin, Table as _};

/// A record of the default format.
const V2: &str =
    "2 004455667788 eni-0abc1234def567890 198.51.100.7 10.0.1.20 51000 443 6 12 3400 1700000000 1700000055 ACCEPT OK";
/// The default format as a header line.
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

fn decode(given: Option<&str>, text: impl Into<Vec<u8>>) -> Decoded {
    let given = given.map(|format| Format::parse(format).expect("a format"));
    let origin = Arc::new(Origin { name: "test".into(), region: None });
    Decoder::new(given).decode(&Batch { origin, bytes: text.into(), first_line: 1, ..Batch::default() })
}

/// The records of `out` as they are exported.
fn lines(out: &Decoded) -> Vec<String> {
    (0..out.columns.len())
        .map(|row| {
            let mut line = String::new();
            out.columns.render_line(row, &mut line);
            line
        })
        .collect()
}

/// Reads `line` without being told its format and gives it back; says what it is taken to be.
#[track_caller]
fn guessed(line: &str) -> (Decoded, String) {
    let out = decode(None, line);
    assert_eq!(lines(&out), [line], "{:?}", out.rejects);
    let label = out.columns.format(0).label();
    (out, label)
}

#[track_caller]
fn word(out: &Decoded, field: Field) -> Option<&str> {
    out.columns.word(field, 0)
}
