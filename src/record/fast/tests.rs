use proptest::prelude::*;

use super::super::format::Format;
use super::super::parse::{Known, LineParser, Parsed};
use super::super::table::Table as _;
use super::super::{Batch, Decoded, Decoder, Event, FIELDS, Field, Kind};
use super::*;

/// A token that some field may or may not take, spelled rightly or nearly so.
fn a_token() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (0_u64..100_000).prop_map(|n| n.to_string()),
        2 => any::<u64>().prop_map(|n| n.to_string()),
        1 => (0_u64..1000).prop_map(|n| format!("0{n}")),
        1 => "[0-9]{13,17}",
        4 => any::<[u8; 4]>().prop_map(|addr| std::net::Ipv4Addr::from(addr).to_string()),
        1 => any::<[u8; 16]>().prop_map(|addr| std::net::Ipv6Addr::from(addr).to_string()),
        1 => any::<[u16; 8]>().prop_map(|a| a.map(|part| format!("{part:04x}")).join(":")),
        2 => Just("-".to_owned()),
        2 => "eni-[0-9a-f]{17}",
        1 => "[A-Z]{2,7}",
        1 => "[!-~é\u{1}]{1,50}",
    ]
}

/// A token that `field` takes.
fn a_plain(field: Field, number: u16) -> String {
    match field.kind() {
        Kind::Addr => format!("10.{}.0.{}", number % 3, number % 256),
        Kind::Text => format!("w-{}", number % 5),
        Kind::Protocol | Kind::Flags => (number % 256).to_string(),
        Kind::Time => (1_700_000_000 + u64::from(number)).to_string(),
        _ => number.to_string(),
    }
}

type Read = Option<(Vec<u64>, Vec<String>, String)>;

/// What `line` reads as: codes of numbers, words of the rest, and the line given back.
fn read(parser: &mut LineParser, format: &std::sync::Arc<Format>, line: &str) -> Read {
    let mut columns = Columns::new();
    parser.reset();
    // A first row, so that the second does not begin its columns.
    let first = vec!["-"; format.slots().len()].join(" ");
    let _ = parser.parse(first.as_bytes(), Known::Said(format), &mut columns);
    let result = parser.parse(line.as_bytes(), Known::Said(format), &mut columns);
    (result == Ok(Parsed::Row)).then(|| {
        let row = columns.len() - 1;
        let numbers = FIELDS.iter().filter(|def| !matches!(def.kind, Kind::Addr | Kind::Text));
        let words = FIELDS.iter().filter(|def| def.kind == Kind::Text);
        let addrs = FIELDS.iter().filter(|def| def.kind == Kind::Addr);
        let mut told: Vec<String> = words.map(|def| format!("{:?}", columns.word(def.field, row))).collect();
        told.extend(addrs.map(|def| format!("{:?}", columns.address(def.field, row))));
        let mut line = String::new();
        columns.render_line(row, &mut line);
        (numbers.map(|def| columns.code(def.field, row)).collect(), told, line)
    })
}

proptest! {
    #[test]
    fn it_agrees_with_the_thorough_parser(
        fields in prop::sample::subsequence(FIELDS.iter().filter(|def| def.since > 0).map(|def| def.field).collect::<Vec<Field>>(), 2..30).prop_shuffle(),
        tokens in prop::collection::vec(prop::collection::vec((a_token(), any::<u16>()), 30), 1..6),
    ) {
        let format = std::sync::Arc::new(Format::of(&fields));
        let mut parser = LineParser::new();
        for tokens in &tokens {
            let tokens: Vec<String> = fields.iter().zip(tokens).map(|(field, (odd, number))| match number % 8 {
                0 => odd.clone(),
                _ => a_plain(*field, *number),
            }).collect();
            // Two spaces are not plain: the thorough parser reads that line.
            let (plain, spaced) = (tokens.join(" "), tokens.join("  "));
            prop_assert_eq!(read(&mut parser, &format, &plain), read(&mut parser, &format, &spaced));
        }
    }
}

/// Rows with their line, what it is taken for and whose event it was; the others with their place and reason; headers.
type All = (Vec<(String, Vec<u64>, String)>, Vec<(u64, &'static str)>, u64);

/// What became of the lines of a batch.
fn told(out: &Decoded) -> All {
    let rows = (0..out.columns.len()).map(|row| {
        let mut line = String::new();
        out.columns.render_line(row, &mut line);
        let numbers = FIELDS.iter().filter(|def| def.kind != Kind::Addr && def.kind != Kind::Text);
        let codes = numbers.map(|def| out.columns.code(def.field, row)).collect();
        let of = format!(
            "{} {:?} {:?}",
            out.columns.format(row).label(),
            out.columns.tag(row),
            out.columns.word(Field::Stream, row)
        );
        (line, codes, of)
    });
    let rejects = out.rejects.iter().map(|reject| (reject.line, reject.error.reason()));
    (rows.collect(), rejects.collect(), out.headers)
}

/// Some fields in some order.
fn some_fields() -> impl Strategy<Value = Vec<Field>> {
    let logged: Vec<Field> = FIELDS.iter().filter(|def| def.since > 0).map(|def| def.field).collect();
    prop::sample::subsequence(logged, 2..20).prop_shuffle()
}

/// What [`a_line`] is made of.
type Made = (u8, Vec<u16>, usize, String);

fn some_lines() -> impl Strategy<Value = Vec<Made>> {
    prop::collection::vec((0_u8..80, prop::collection::vec(any::<u16>(), 20), 0_usize..20, a_token()), 1..200)
}

/// A line that is mostly one of these fields.
fn a_line(fields: &[Field], (kind, numbers, place, odd): &Made, space: &str) -> String {
    let mut tokens: Vec<String> = fields.iter().zip(numbers).map(|(field, number)| a_plain(*field, *number)).collect();
    let last = place % tokens.len();
    match kind {
        0 => tokens[last].clone_from(odd),
        1 => tokens.truncate(last),
        2 => tokens.insert(last, odd.clone()),
        3 => tokens.insert(0, "2018-09-22T20:28:14.000Z".to_owned()),
        4 => tokens = fields.iter().map(|field| field.name().to_owned()).collect(),
        5 => tokens = a_default(),
        _ => {}
    }
    tokens.join(space)
}

proptest! {
    #[test]
    fn many_lines_are_read_as_each_is(fields in some_fields(), lines in some_lines(), windows in any::<bool>()) {
        let format = Format::of(&fields);
        let text = |space: &str| -> String {
            let end = |kind: u8| if windows == (kind == 6) { "\n" } else { "\r\n" };
            lines.iter().map(|made| a_line(&fields, made, space) + end(made.0)).collect()
        };
        let read = |text: &str| {
            let batch = Batch { bytes: text.into(), first_line: 1, ..Batch::default() };
            told(&Decoder::new(Some(format.clone())).decode(&batch))
        };
        let (plain, spaced) = (text(" "), text("  "));
        prop_assert_eq!(read(&plain), read(&spaced));
        prop_assert_eq!(read(plain.trim_end()), read(spaced.trim_end()));
    }

    #[test]
    fn many_events_are_read_as_each_is(fields in some_fields(), lines in some_lines()) {
        let format = Format::of(&fields);
        let read = |space: &str| {
            let mut batch = Batch { streams: vec!["eni-0123456789abcdef0-all".into(), "b".into()], ..Batch::default() };
            for made in &lines {
                let (kind, numbers, place, _) = made;
                let mut message = a_line(&fields, made, space);
                // Two lines, or one and its end, are one event all the same.
                match kind {
                    7 => message = format!("{message}\n{message}"),
                    8 => message.push('\n'),
                    _ => {}
                }
                batch.bytes.extend_from_slice(message.as_bytes());
                batch.events.push(Event {
                    end: u32::try_from(batch.bytes.len()).unwrap(),
                    stream: u32::from(*kind == 9),
                    timestamp: 0,
                    ingestion: if *kind == 10 { Event::UNKNOWN } else { i64::from(numbers[0]) * 100 },
                    id: place.to_string().into(),
                });
            }
            told(&Decoder::new(Some(format.clone())).decode(&batch))
        };
        prop_assert_eq!(read(" "), read("  "));
    }
}

fn a_default() -> Vec<String> {
    let line = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1534778806 1534778866 ACCEPT OK";
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn plain_lines_are_read_here() {
    let mut columns = Columns::new();
    let line = b"2 123456789012 eni-0536faba73134a9b7 13.125.33.130 2001:db8::1 40396 11211 17 1 51327 1534778806 1534778866 ACCEPT OK";
    let format = Format::default_v2();
    assert!(Fast::default().line(line, format.plan(), &mut columns));
}
