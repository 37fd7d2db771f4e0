//! What must hold for any records: they are given back as logged, whatever the format; how a stream is cut into batches makes no difference; the
//! ring never lies about a number; what is frozen stays while the ring goes on.

mod pinned;
mod ring;
mod round_trip;
mod weight;

use std::sync::Arc;

use flowtail::record::{Batch, Columns, Decoded, Decoder, FIELDS, Field, Format, Kind, Origin, Table};
use flowtail::store::Ring;
use proptest::prelude::*;

/// Whole lines of one file.
fn batch(text: &str) -> Batch {
    let origin = Arc::new(Origin { name: "test".into(), region: None });
    Batch { origin, bytes: text.as_bytes().to_vec(), first_line: 1, ..Batch::default() }
}

fn decode(given: Option<Format>, text: &str) -> Decoded {
    Decoder::new(given).decode(&batch(text))
}

fn rendered(columns: &Columns) -> Vec<String> {
    (0..columns.len()).map(|row| line(columns, row)).collect()
}

fn line(table: &impl Table, row: usize) -> String {
    let mut out = String::new();
    table.render_line(row, &mut out);
    out
}

/// The line of the row with this number, if it is held.
fn held(ring: &Ring, seq: u64) -> Option<String> {
    let (part, row) = ring.find(seq)?;
    let mut out = String::new();
    part.row(row, |row| row.render(&mut out));
    Some(out)
}

/// Any of the documented fields, in any order.
fn fields() -> impl Strategy<Value = Vec<Field>> {
    let all: Vec<Field> = FIELDS.iter().map(|def| def.field).filter(|field| field.is_logged()).collect();
    let most = all.len();
    prop::sample::subsequence(all, 1..=most).prop_shuffle()
}

/// A token that `field` can hold, `-` among them, mostly in the spelling that AWS uses.
fn token(field: Field) -> BoxedStrategy<String> {
    let number = |most: u64| prop_oneof![Just(0), 0..=most, Just(most)].prop_map(|n: u64| n.to_string());
    let value = match field.kind() {
        Kind::Addr => prop_oneof![
            4 => any::<[u8; 4]>().prop_map(|octets| std::net::Ipv4Addr::from(octets).to_string()),
            1 => any::<[u16; 8]>().prop_map(|groups| std::net::Ipv6Addr::from(groups).to_string()),
            // Not compressed, as AWS logs it.
            1 => any::<[u16; 8]>().prop_map(|groups| groups.map(|group| format!("{group:x}")).join(":")),
            1 => Just("2001:db8:0:0:0:0:0:1".to_owned()),
        ]
        .boxed(),
        Kind::Port => number(65_535).boxed(),
        Kind::Protocol | Kind::Flags => number(255).boxed(),
        Kind::Time => prop_oneof![
            4 => (1_400_000_000..1_900_000_000_u64).prop_map(|n| n.to_string()),
            1 => (1_400_000_000_000..1_900_000_000_000_u64).prop_map(|n| n.to_string()),
        ]
        .boxed(),
        Kind::Text => prop_oneof![
            Just("OK".to_owned()),
            Just("unknown".to_owned()),
            Just("000000000010".to_owned()),
            "[a-z]{2,6}-[0-9a-f]{8,17}",
            "arn:aws:ecs:[a-z0-9:/-]{1,40}",
            "(%[0-9A-F]{2}|[A-Za-z0-9._~-]){2,20}",
        ]
        .boxed(),
        _ => prop_oneof![number(1 << 40), number(u64::MAX - 1), "0{1,3}[1-9][0-9]{0,5}"].boxed(),
    };
    prop_oneof![4 => value, 1 => Just("-".to_owned())].boxed()
}

/// Lines of one format.
fn lines_of(fields: &[Field], lines: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> + use<> {
    let line: Vec<_> = fields.iter().map(|field| token(*field)).collect();
    prop::collection::vec(line.prop_map(|tokens| tokens.join(" ")), lines)
}

fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| field.name()).collect::<Vec<_>>().join(" ")
}
