//! Every shape of envelope, whole, in pieces, damaged and hostile. The records are made up.

mod damage;
mod shapes;

use std::io::Write as _;
use std::sync::Arc;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::record::{Batch, Decoded, Decoder, Field, Origin, Table as _};

/// base64 with padding, written plainly.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]);
            text.push(if place <= group.len() { digit } else { '=' });
        }
    }
    text
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn packed(text: &str) -> String {
    base64(&gzip(text))
}

/// What an input of these bytes, read in pieces of `size`, holds: joined, so that how it was cut does not matter.
fn unwrap(input: &[u8], size: usize) -> Vec<Chunk> {
    let mut unwrapper = Unwrapper::new("input".into());
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut emit = |chunk: Chunk| {
        match chunks.last_mut() {
            Some(last) if last.joins(&chunk) => last.absorb(chunk),
            _ => chunks.push(chunk),
        }
        Ok(())
    };
    for piece in input.chunks(size) {
        unwrapper.push(piece, &mut emit).unwrap();
        assert!(unwrapper.rest.len() <= LONGEST_VALUE + size);
    }
    unwrapper.finish(&mut emit).unwrap();
    assert!(!unwrapper.has_partial());
    chunks
}

fn decode(chunks: Vec<Chunk>) -> Vec<Decoded> {
    let mut decoder = Decoder::new(None);
    let origin = Arc::new(Origin { name: "input".into(), region: None });
    let batch = |chunk: Chunk| Batch {
        formats: Vec::new(),
        origin: Arc::clone(&origin),
        bytes: chunk.bytes,
        events: chunk.events,
        streams: chunk.streams,
        wrapped: chunk.wrapped,
        rejects: chunk.rejects,
        remarks: chunk.remarks,
        first_line: chunk.first_line,
        arrival: 0,
        earlier: false,
    };
    chunks.into_iter().map(|chunk| decoder.decode(&batch(chunk))).collect()
}

/// Everything that came of an input, in words.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// The line of each record.
    lines: Vec<String>,
    /// Stream, ingestion (seconds) and event id of each record.
    tags: Vec<(String, Option<u64>, String)>,
    /// Line, reason and text of what was refused.
    rejects: Vec<(u64, &'static str, String)>,
    remarks: Vec<String>,
    formats: Vec<String>,
    headers: u64,
}

fn outcome(input: &[u8], size: usize) -> Outcome {
    let mut all = Outcome::default();
    for decoded in decode(unwrap(input, size)) {
        let columns = &decoded.columns;
        assert_eq!(decoded.lines, columns.len() as u64 + decoded.headers + decoded.rejects.len() as u64);
        for row in 0..columns.len() {
            let mut line = String::new();
            columns.render_line(row, &mut line);
            all.lines.push(line);
            let id = columns.event(row).map(|event| event.id.to_string()).unwrap_or_default();
            let stream = columns.word(Field::Stream, row).unwrap_or_default().to_owned();
            all.tags.push((stream, columns.number(Field::IngestionTime, row), id));
        }
        all.headers += decoded.headers;
        all.rejects.extend(decoded.rejects.into_iter().map(|bad| (bad.line, bad.error.reason(), bad.text)));
        for remark in decoded.remarks {
            if !all.remarks.contains(&remark) {
                all.remarks.push(remark);
            }
        }
        // All that a batch names: which one comes first in it depends on where it was cut.
        for tally in &decoded.formats {
            let named = format!("{}, {}", tally.format.label(), tally.why);
            if !all.formats.contains(&named) {
                all.formats.push(named);
            }
        }
    }
    // Within a batch the order of bad envelopes and bad lines is not kept.
    all.rejects.sort();
    all
}

fn read(input: impl AsRef<[u8]>) -> Outcome {
    let input = input.as_ref();
    let whole = outcome(input, input.len().max(1));
    for size in [1, 2, 3, 7, 64, 1_000] {
        if input.len() / size < 20_000 {
            assert_eq!(outcome(input, size), whole, "in pieces of {size}");
        }
    }
    whole
}

fn record(port: u16) -> String {
    format!("2 622676721278 eni-0123456789abcdef0 10.0.0.1 10.0.0.2 {port} 443 6 1 40 1534778806 1534778866 ACCEPT OK")
}

const STREAM: &str = "eni-0123456789abcdef0-all";

fn filtered(port: u16) -> serde_json::Value {
    json!({"logStreamName": STREAM, "timestamp": 1_534_778_806_000_i64, "message": record(port),
        "ingestionTime": 1_534_778_900_123_i64, "eventId": format!("36{port}")})
}

fn subscription(ports: &[u16]) -> serde_json::Value {
    let events: Vec<_> = ports
        .iter()
        .map(|port| json!({"id": format!("36{port}"), "timestamp": 1_534_778_806_000_i64, "message": record(*port)}))
        .collect();
    json!({"messageType": "DATA_MESSAGE", "owner": "622676721278", "logGroup": "/flows", "logStream": STREAM,
        "subscriptionFilters": ["all"], "logEvents": events})
}

/// What `aws kinesis get-records` prints, one record a line, each line in base64 of its own.
fn kinesis(ports: &[u16]) -> serde_json::Value {
    let records: Vec<_> =
        ports.iter().map(|port| json!({"SequenceNumber": "1", "Data": base64(record(*port).as_bytes())})).collect();
    json!({"Records": records, "MillisBehindLatest": 0})
}

/// What Firehose hands to a function, here with a subscription's documents.
fn firehose(ports: &[u16]) -> serde_json::Value {
    let records: Vec<_> = ports
        .iter()
        .map(|port| {
            json!({"recordId": "4954", "approximateArrivalTimestamp": 1_534_778_900_123_i64,
            "data": packed(&subscription(&[*port]).to_string())})
        })
        .collect();
    json!({"invocationId": "x", "deliveryStreamArn": "arn", "region": "us-west-1", "records": records})
}

fn flat(port: u16) -> serde_json::Value {
    json!({"version": 2, "account_id": "622676721278", "interface_id": "eni-0123456789abcdef0", "srcaddr": "10.0.0.1",
        "dstaddr": "10.0.0.2", "srcport": f64::from(port), "dstport": 443.0, "protocol": 6, "packets": 1, "bytes": 40.0,
        "start": 1_534_778_806, "end": 1_534_778_866, "action": "ACCEPT", "log_status": "OK"})
}

fn records(ports: impl IntoIterator<Item = u16>) -> Vec<String> {
    ports.into_iter().map(record).collect()
}

fn tag(port: u16, ingestion: Option<u64>) -> (String, Option<u64>, String) {
    (STREAM.to_owned(), ingestion, format!("36{port}"))
}

/// Wraps made-up records in a shape.
fn wrap(shape: u8, ports: &[u16]) -> String {
    let lines = |each: fn(u16) -> String| ports.iter().map(|port| each(*port) + "\n").collect::<String>();
    match shape {
        0 => lines(record),
        1 => lines(|port| filtered(port).to_string()),
        2 => format!("{:#}\n", json!({"events": ports.iter().map(|port| filtered(*port)).collect::<Vec<_>>()})),
        3 => subscription(ports).to_string(),
        4 => packed(&subscription(ports).to_string()) + "\n",
        5 => lines(|port| flat(port).to_string()),
        6 => lines(|port| json!({"message": record(port)}).to_string()),
        7 => shapes::table(ports) + "\n",
        8 => kinesis(ports).to_string() + "\n",
        _ => packed(&ports.iter().map(|port| record(*port) + "\n").collect::<String>()) + "\n",
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_shapes_in_any_pieces_give_the_rows_of_plain_lines(
        parts in prop::collection::vec((0_u8..10, prop::collection::vec(any::<u16>(), 1..5)), 1..6),
        size in 1_usize..2_000,
    ) {
        // A document that ends without a line end may be followed by another, or by base64; lines of AWS need a line of their own.
        let text: String = parts.iter().map(|(shape, ports)| wrap(*shape, ports) + if *shape == 3 { "\n" } else { "" }).collect();
        let all = outcome(text.as_bytes(), size);
        prop_assert_eq!(all.lines, records(parts.iter().flat_map(|part| part.1.clone())));
        prop_assert_eq!(all.rejects, []);
    }

    #[test]
    fn any_bytes_in_any_pieces_give_the_same_and_no_panic(
        pieces in prop::collection::vec(prop_oneof![
            Just("{".to_owned()), Just("}".to_owned()), Just("[".to_owned()), Just("]".to_owned()), Just("\n".to_owned()),
            Just("{\"events\": [".to_owned()), Just("\"".to_owned()), Just("\\".to_owned()), Just(",".to_owned()), Just(" ".to_owned()),
            Just(filtered(1).to_string()), Just(record(2)), Just(shapes::table(&[4])), Just(firehose(&[5]).to_string()), Just(packed(&filtered(3).to_string())), Just("H4sI".to_owned()), Just("é=".to_owned()),
        ], 0..30),
        size in 1_usize..100,
    ) {
        let text = pieces.concat();
        let whole = outcome(text.as_bytes(), text.len().max(1));
        prop_assert_eq!(outcome(text.as_bytes(), size), whole);
    }
}
