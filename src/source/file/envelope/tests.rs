//! Every shape of envelope, whole, in pieces, damaged and hostile. The records are made up.

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
        all.formats.extend(decoded.format);
    }
    all.formats.dedup();
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

#[test]
fn plain_lines_pass_as_they_are() {
    let text = format!("{}\n\n  {}\r\n[INFO] H is no envelope\nHello\n{}", record(1), record(2), record(3));
    let chunks = unwrap(text.as_bytes(), 1_000);
    assert_eq!(chunks.len(), 1);
    assert_eq!((&*chunks[0].bytes, chunks[0].lines), (text.as_bytes(), 6));
    let all = read(text);
    assert_eq!(all.lines, records(1..4));
    let places: Vec<_> = all.rejects.iter().map(|bad| (bad.0, bad.1)).collect();
    assert_eq!(places, [(4, "no-format"), (5, "no-format")]);
}

#[test]
fn events_of_filter_log_events_keep_id_stream_and_ingestion() {
    let lines: String = (1..4).map(|port| filtered(port).to_string() + "\n").collect();
    let all = read(lines);
    assert_eq!(all.lines, records(1..4));
    assert_eq!(all.tags, (1..4).map(|port| tag(port, Some(1_534_778_900))).collect::<Vec<_>>());
    assert!(all.rejects.is_empty() && all.remarks.is_empty());
    assert_eq!(all.formats, ["default (version 2), guessed from the fields of the line"]);
}

#[test]
fn printed_documents_are_read_event_by_event() {
    let events: Vec<_> = (1..4).map(filtered).collect();
    let document = json!({"events": events, "searchedLogStreams": [{"logStreamName": "]}"}]});
    for text in [
        serde_json::to_string_pretty(&document).unwrap() + "\n",
        document.to_string(),
        serde_json::to_string_pretty(&events).unwrap(),
        // The order of keys does not matter.
        json!({"searchedLogStreams": [], "events": events}).to_string(),
    ] {
        let all = read(&text);
        assert_eq!(all.lines, records(1..4), "{text}");
        assert_eq!(all.tags[2], tag(3, Some(1_534_778_900)), "{text}");
        assert_eq!((all.rejects.len(), all.remarks.len()), (0, 0), "{text}");
    }
    let messages: Vec<_> = (1..4).map(record).collect();
    assert_eq!(read(serde_json::to_string_pretty(&messages).unwrap()).lines, records(1..4), "--query events[].message");
    assert_eq!(read("{\"events\": []}\n"), Outcome::default());
    assert_eq!(read("[]"), Outcome::default());
    let part = read(json!({"events": events, "nextToken": "abc"}).to_string());
    assert!(part.remarks[0].contains("not all that CloudWatch Logs holds"), "{:?}", part.remarks);
}

#[test]
fn a_bad_event_of_a_list_costs_that_event() {
    let text = format!(
        "{{\"events\": [\n{},\n17,\n{{\"message\": oops}},\n{{\"some\":\"thing\"}},\n{}\n], \"searchedLogStreams\": []}}\n{}\n",
        filtered(1),
        filtered(2),
        record(3)
    );
    let all = read(text);
    assert_eq!(all.lines, records(1..4));
    assert_eq!(
        all.rejects,
        [
            (3, "no-record", "17".to_owned()),
            (4, "bad-json", "{\"message\": oops}".to_owned()),
            (5, "no-record", "{\"some\":\"thing\"}".to_owned())
        ]
    );
}

#[test]
fn subscriptions_are_read_plain_and_packed() {
    let (one, two) = (subscription(&[1, 2]).to_string(), subscription(&[3]).to_string());
    let wrapped: String =
        packed(&one).as_bytes().chunks(76).flat_map(|row| [row, b"\n"].concat()).map(char::from).collect();
    for (name, text) in [
        ("one a line", format!("{one}\n{two}\n")),
        ("concatenated", format!("{one}{two}")),
        ("pretty", format!("{:#}\n{:#}\n", subscription(&[1, 2]), subscription(&[3]))),
        ("base64, one a line", format!("{}\n{}\n", packed(&one), packed(&two))),
        ("base64, CRLF, no last line end", format!("{}\r\n{}", packed(&one), packed(&two))),
        ("base64, concatenated", format!("{}{}", packed(&one), packed(&two))),
        ("base64 of two members", base64(&[gzip(&one), gzip(&two)].concat())),
        ("base64 broken into lines", format!("{wrapped}{}\n", packed(&two))),
        ("mixed", format!("{one}\n{}\n", packed(&two))),
    ] {
        let all = read(&text);
        assert_eq!(all.lines, records(1..4), "{name}");
        assert_eq!(all.tags, (1..4).map(|port| tag(port, None)).collect::<Vec<_>>(), "{name}");
        assert!(all.rejects.is_empty(), "{name}: {:?}", all.rejects);
    }
}

#[test]
fn keys_of_a_subscription_come_in_any_order() {
    let text = subscription(&[1, 2]);
    let keys = text.as_object().unwrap().iter().rev();
    let reversed: serde_json::Map<_, _> = keys.map(|(key, value)| (key.clone(), value.clone())).collect();
    let text = serde_json::Value::Object(reversed).to_string();
    assert!(text.starts_with("{\"logEvents\""));
    assert_eq!(read(text).tags, [tag(1, None), tag(2, None)]);
}

#[test]
fn control_messages_are_skipped_and_said() {
    let control = json!({"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
        "subscriptionFilters": [], "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health"}]});
    let all = read(format!("{control}{}\n{}\n", subscription(&[1]), packed(&control.to_string())));
    assert_eq!((all.lines, all.rejects.len()), (records([1]), 0));
    assert!(all.remarks.len() == 1 && all.remarks[0].contains("control messages"), "{:?}", all.remarks);
}

#[test]
fn messages_of_log_shippers_are_read_whatever_stands_beside_them() {
    let message = record(1);
    for object in [
        json!({"message": message}),
        json!({"host": {"name": "x"}, "tags": [1, null], "@timestamp": "2018-08-20T15:26:46Z", "message": message, "type": "log"}),
        json!({"events": 3, "logEvents": null, "id": {"a": [1]}, "timestamp": "then", "message": message, "logStream": null}),
        json!({"message": json!({"message": message}).to_string()}),
        json!({"message": flat(1)}),
        json!({"message": flat(1).to_string()}),
    ] {
        let all = read(object.to_string());
        assert_eq!((all.lines, all.rejects.len(), all.remarks.len()), (records([1]), 0, 0), "{object}");
        assert_eq!(all.tags[0].0, "input");
    }
    let header = "version account-id interface-id srcaddr dstaddr bytes";
    let rows = ["2 1 eni-1 10.0.0.1 10.0.0.2 77", "2 1 eni-1 10.0.0.1 10.0.0.2 78"];
    let text = [header, rows[0], rows[1]].map(|line| json!({"message": line}).to_string()).join("\n");
    let all = read(text);
    assert_eq!(
        (all.headers, all.lines),
        (1, rows.map(str::to_owned).to_vec()),
        "a header that arrives as an event holds"
    );
    assert_eq!(all.formats, ["custom, 6 fields, from a header line"]);
}

#[test]
fn flattened_records_become_the_line_they_were() {
    let all = read(format!("{}\n{}\n", flat(1), flat(2)));
    assert_eq!((all.lines, all.rejects.len()), (records([1, 2]), 0));
    assert_eq!(all.formats, ["default (version 2), from the names beside the values"]);

    let null = json!({"version": 2, "account-id": "000000000010", "interface_id": "eni-1", "srcaddr": null, "dstaddr": "-",
        "srcport": null, "dstport": "", "protocol": null, "packets": null, "bytes": null, "start": "2018-08-20 15:26:46.000",
        "end": 1_534_778_866.0, "action": null, "log_status": "NODATA"});
    assert_eq!(
        read(null.to_string()).lines,
        ["2 000000000010 eni-1 - - - - - - - 1534778806 1534778866 - NODATA"],
        "null, - and nothing are absent, and zeros stay"
    );
    let insights =
        json!({"srcAddr": "10.0.0.1", "dstAddr": "10.0.0.2", "interfaceId": "eni-1", "bytes": "77", "tcpFlags": 19});
    assert_eq!(read(insights.to_string()).lines, ["eni-1 10.0.0.1 10.0.0.2 77 19"], "in the order of AWS");
    let drops = format!("{}\n{}\n", json!({"srcaddr": "10.0.0.1", "start": 1, "end": 2}), insights);
    let all = read(drops);
    assert_eq!(all.lines, ["10.0.0.1 1 2", "eni-1 10.0.0.1 10.0.0.2 77 - - 19"], "what was seen before has its place");
}

#[test]
fn flattened_records_that_cannot_be_are_refused_and_odd_names_are_said() {
    let mut odd = flat(1);
    odd["scraddr"] = "10.0.0.9".into();
    odd["colour"] = "red".into();
    let all = read(odd.to_string());
    assert_eq!(all.lines, records([1]));
    assert_eq!(
        all.remarks,
        [
            "input names values that are no flow log fields: 'scraddr' (did you mean 'srcaddr'?), 'colour'; they are left out"
        ]
    );
    for (field, value, reason) in [
        ("srcaddr", json!("10.0.0.1 10.0.0.2"), "bad-value"),
        ("srcaddr", json!("10.0.0.1\n2"), "bad-value"),
        ("srcaddr", json!(["10.0.0.1"]), "bad-value"),
        ("bytes", json!(1.5), "bad-value"),
        ("bytes", json!(-1), "bad-value"),
        ("bytes", json!(1e300), "bad-value"),
        ("bytes", json!(true), "bad-value"),
        ("srcport", json!(65_536), "bad-value"),
    ] {
        let mut bad = flat(1);
        bad[field] = value;
        let all = read(bad.to_string());
        assert_eq!((all.lines.len(), all.rejects.len()), (0, 1), "{bad}");
        assert_eq!((all.rejects[0].0, all.rejects[0].1), (1, reason), "{bad}");
    }
}

#[test]
fn shapes_may_change_from_line_to_line() {
    let text = format!(
        "{}\n{}\n{}{} trailing\n{}\n  {}\n{}\n{{\"half\": \n{}\n{}\n",
        record(1),
        filtered(2),
        subscription(&[3]),
        filtered(4),
        record(5),
        filtered(6),
        packed(&subscription(&[7]).to_string()),
        filtered(8),
        record(9)
    );
    let all = read(text);
    assert_eq!(all.lines, records(1..10));
    let places: Vec<_> = all.rejects.iter().map(|bad| (bad.0, bad.1, &*bad.2)).collect();
    assert_eq!(places, [(3, "no-format", "trailing"), (7, "bad-json", "{\"half\":")]);
}

#[test]
fn what_is_cut_short_is_told_and_what_came_before_is_kept() {
    let text = format!("{}\n{}", filtered(1), filtered(2));
    let all = read(&text[..text.len() - 3]);
    assert_eq!((all.lines, all.rejects[0].0, all.rejects[0].1), (records([1]), 2, "cut-short"));

    let list = json!({"events": [filtered(1), filtered(2)]}).to_string();
    let all = read(&list[..list.len() - 2]);
    assert_eq!((all.lines, all.rejects.len(), all.rejects[0].1), (records([1, 2]), 1, "cut-short"));

    let many = packed(&(1..400).map(|port| filtered(port).to_string()).collect::<String>());
    let all = read(format!("{}\n{}\n", &many[..many.len() / 8 * 4], record(9)));
    assert!(all.lines.len() > 50 && all.lines.last() == Some(&record(9)), "{}", all.lines.len());
    assert!(all.rejects.iter().any(|bad| bad.1 == "cut-short" && bad.2.starts_with("H4sI")), "{:?}", all.rejects);

    let mut damaged = packed(&subscription(&[1]).to_string()).into_bytes();
    damaged[40] ^= 1;
    let all = read([&damaged[..], b"\n", record(2).as_bytes()].concat());
    assert_eq!(all.lines, records([2]));
    assert!(all.rejects.iter().any(|bad| bad.1 == "bad-gzip"), "{:?}", all.rejects);
}

#[test]
fn bombs_take_no_memory_and_the_next_line_is_read() {
    let deep = "[".repeat(3 << 20);
    for before in ["{", "[{", "{\"events\":[", "{\"host\":"] {
        let all = outcome(format!("{before}{deep}\n{}\n", record(1)).as_bytes(), 100_000);
        assert_eq!(all.lines, records([1]), "{before}");
        assert!((1..=2).contains(&all.rejects.len()), "{before}");
    }
    let deep = "{\"message\":".repeat(100_000);
    let all = outcome(format!("{deep}\n{}\n", record(1)).as_bytes(), 100_000);
    assert_eq!((all.lines, all.rejects[0].1), (records([1]), "bad-json"));

    let long = format!("{{\"message\":\"{}\"}}{}\n{}\n", "x".repeat(LONGEST_VALUE + 1), filtered(1), record(2));
    let all = outcome(long.as_bytes(), 256 << 10);
    assert_eq!((all.lines, all.rejects.len(), all.rejects[0].1), (records([1, 2]), 1, "too-long"));

    let endless = format!("{{\"events\":[{{\"message\":\"{}", "x".repeat(LONGEST_VALUE + 1));
    let all = outcome(endless.as_bytes(), 256 << 10);
    assert!(all.rejects.iter().any(|bad| bad.1 == "too-long"));

    let bomb = packed(&" ".repeat(6 << 20));
    let all = outcome(format!("{bomb}\n{}\n", record(1)).as_bytes(), 256 << 10);
    assert_eq!(all.lines, records([1]));
    assert!(all.rejects.iter().any(|bad| bad.1 == "bomb"), "{:?}", all.rejects);

    let mut nested = filtered(1).to_string();
    for _ in 0..10 {
        nested = packed(&nested);
    }
    assert_eq!(outcome(nested.as_bytes(), 1_000).lines.len(), 0, "base64 within base64 is looked into twice");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    for first in [record(1), filtered(1).to_string()] {
        assert_eq!(read(format!("\u{feff}{first}\n{}\n", record(2))).lines, records([1, 2]));
    }
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
        _ => packed(&ports.iter().map(|port| record(*port) + "\n").collect::<String>()) + "\n",
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_shapes_in_any_pieces_give_the_rows_of_plain_lines(
        parts in prop::collection::vec((0_u8..8, prop::collection::vec(any::<u16>(), 1..5)), 1..6),
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
            Just(filtered(1).to_string()), Just(record(2)), Just(packed(&filtered(3).to_string())), Just("H4sI".to_owned()), Just("é=".to_owned()),
        ], 0..30),
        size in 1_usize..100,
    ) {
        let text = pieces.concat();
        let whole = outcome(text.as_bytes(), text.len().max(1));
        prop_assert_eq!(outcome(text.as_bytes(), size), whole);
    }
}
