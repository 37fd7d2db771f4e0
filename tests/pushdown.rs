//! What `--fetch` asks of `CloudWatch` is never narrower than what was wanted: for generated expressions and records of several formats, against an
//! evaluator of the documented syntax that knows nothing of how patterns are made.

#[path = "support/pattern.rs"]
mod pattern;

use std::sync::Arc;

use flowtail::filter::translate::pattern::{Fetch, MAX_PATTERN};
use flowtail::filter::{Filter, Stage};
use flowtail::record::{Batch, Columns, Decoder, Event, Field, Format, Origin, RowRef, Table as _};
use proptest::prelude::*;

use pattern::{Terms, matches};

/// The value of each field of a record, by its name.
type Record = Vec<(Field, String)>;

const FORMATS: [&str; 4] = [
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id subnet-id \
     instance-id tcp-flags type pkt-srcaddr pkt-dstaddr",
    "flow-direction bytes dstport srcport dstaddr srcaddr protocol start end log-status action tcp-flags vpc-id",
    "start end srcaddr dstaddr srcport dstport protocol packets bytes flow-direction pkt-srcaddr pkt-dstaddr log-status",
];

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["10.0.0.1", "10.0.0.10", "10.0.2.7", "172.16.0.178", "13.125.33.130", "172.31.255.1", "0.0.0.0"]),
        1 => prop::sample::select(vec!["2001:db8::1", "2001:db8:0:0:0:0:0:1", "fd00::1", "2001:DB8::1"]),
    ]
    .prop_map(str::to_owned)
}

fn port() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![0_u32, 22, 53, 80, 443, 1024, 8000, 8005, 8010, 11211, 40396, 65535]),
        0..65_536_u32,
    ]
    .prop_map(|port| port.to_string())
}

fn amount() -> impl Strategy<Value = String> {
    prop::sample::select(vec![0_u64, 1, 22, 50, 399, 400, 443, 51_327, 1_000_000, 5_072_550])
        .prop_map(|n| n.to_string())
}

fn record() -> impl Strategy<Value = Record> {
    let sides = (address(), address(), port(), port(), address(), address());
    let rest = (
        prop::sample::select(vec!["6", "17", "1", "47"]),
        amount(),
        amount(),
        prop::sample::select(vec!["ACCEPT", "REJECT"]),
        prop::sample::select(vec!["ingress", "egress"]),
        prop::sample::select(vec!["1", "2", "18", "19"]),
        0..4_u64,
    );
    (sides, rest).prop_map(
        |((src, dst, sport, dport, pktsrc, pktdst), (protocol, packets, bytes, action, way, flags, part))| {
            vec![
                (Field::Version, "5".to_owned()),
                (Field::AccountId, "622676721278".to_owned()),
                (Field::InterfaceId, format!("eni-0536faba73134a9b{part}")),
                (Field::SrcAddr, src),
                (Field::DstAddr, dst),
                (Field::SrcPort, sport),
                (Field::DstPort, dport),
                (Field::Protocol, protocol.to_owned()),
                (Field::Packets, packets),
                (Field::Bytes, bytes),
                (Field::Start, (1_534_778_806 + part * 600).to_string()),
                (Field::End, (1_534_778_866 + part * 600).to_string()),
                (Field::Action, action.to_owned()),
                (Field::LogStatus, "OK".to_owned()),
                (Field::VpcId, format!("vpc-0{part}")),
                (Field::SubnetId, "subnet-0abc".to_owned()),
                (Field::InstanceId, "i-0abc".to_owned()),
                (Field::TcpFlags, flags.to_owned()),
                (Field::Type, "IPv4".to_owned()),
                (Field::PktSrcAddr, pktsrc),
                (Field::PktDstAddr, pktdst),
                (Field::FlowDirection, way.to_owned()),
            ]
        },
    )
}

/// The record of the same session in the other direction, with the same amounts.
fn reply(record: &Record) -> Record {
    let image = |field: Field| match field {
        Field::SrcAddr => Field::DstAddr,
        Field::DstAddr => Field::SrcAddr,
        Field::SrcPort => Field::DstPort,
        Field::DstPort => Field::SrcPort,
        Field::PktSrcAddr => Field::PktDstAddr,
        Field::PktDstAddr => Field::PktSrcAddr,
        other => other,
    };
    let turned = |field: Field, value: &String| match (field, value.as_str()) {
        (Field::FlowDirection, "ingress") => "egress".to_owned(),
        (Field::FlowDirection, _) => "ingress".to_owned(),
        _ => value.clone(),
    };
    record.iter().map(|(field, value)| (image(*field), turned(*field, value))).collect()
}

/// The same without traffic.
fn without_data(record: &Record, status: &str) -> Record {
    let kept = [Field::Version, Field::AccountId, Field::InterfaceId, Field::Start, Field::End];
    let value = |field: Field, value: &String| match field {
        Field::LogStatus => status.to_owned(),
        _ if kept.contains(&field) => value.clone(),
        _ => "-".to_owned(),
    };
    record.iter().map(|(field, own)| (*field, value(*field, own))).collect()
}

fn line(record: &Record, format: &Format) -> String {
    let value = |field| record.iter().find(|(own, _)| *own == field).map_or("-", |(_, value)| value.as_str());
    format.fields().map(value).collect::<Vec<_>>().join(" ")
}

/// The record as the tail reads it: with its format, its stream and its times.
fn read(line: &str, format: &Format) -> Columns {
    let event = Event {
        end: u32::try_from(line.len()).unwrap(),
        stream: 0,
        timestamp: 1_534_778_806_000,
        ingestion: 1_534_779_000_000,
        id: "1".into(),
    };
    let batch = Batch {
        origin: Arc::new(Origin { name: "group".into(), region: Some("us-west-1".into()) }),
        bytes: line.as_bytes().to_vec(),
        events: vec![event],
        streams: vec!["eni-0536faba73134a9b7-all".into()],
        ..Batch::default()
    };
    let decoded = Decoder::new(Some(format.clone())).decode(&batch);
    assert_eq!(decoded.columns.len(), 1, "{line}: {:?}", decoded.rejects);
    decoded.columns
}

const NOW: i64 = 1_534_780_000;

fn passes(filter: Option<&Filter>, columns: &Columns) -> bool {
    filter.is_none_or(|filter| filter.matches(&RowRef { table: columns, row: 0 }, NOW))
}

fn clause() -> impl Strategy<Value = String> {
    let addressed = (prop::sample::select(vec!["ip", "src", "dst", "pktsrc", "ip !=", "src !="]), address())
        .prop_map(|(field, address)| format!("{field} {address}"));
    let ported =
        (prop::sample::select(vec!["port", "sport", "dport", "port !=", "dport <", "dport >=", "sport >"]), port())
            .prop_map(|(field, port)| format!("{field} {port}"));
    let counted =
        (prop::sample::select(vec!["bytes >", "bytes >=", "bytes <", "packets =", "bytes =", "bytes !="]), amount())
            .prop_map(|(field, amount)| format!("{field} {amount}"));
    let written = prop::sample::select(vec![
        "tcp",
        "udp",
        "protocol != udp",
        "ACCEPT",
        "action = reject",
        "action != ACCEPT",
        "ingress",
        "flow-direction = egress",
        "src 10.0.0.0/8",
        "dst 10.0.2.0/24",
        "ip 172.16.0.0/12",
        "src 10.0.0.0/30",
        "ip $private",
        "dst $public",
        "port 8000-8010",
        "dport 8000-9000",
        "sport 0-1023",
        "port @amplification",
        "dport in {53, 443, 11211}",
        "service = memcached",
        "service = dns",
        "ip in {10.0.0.1, 2001:db8::1}",
        "ip 2001:db8::1",
        "flags = syn",
        "flags ~ syn",
        "vpc-id = VPC-01",
        "subnet-id = subnet-0abc",
        "interface-id = eni-0536faba73134a9b7",
        "interface-id = eni-0536faba73134a9b1",
        "account-id = 622676721278",
        "region = us-west-1",
        "has pkt-srcaddr",
        "has srcport",
        "last 20m",
        "\"11211\"",
        "\"OK\"",
        "\"10.0.0.1 10.0\"",
        "/11211|443/",
        "log-status = OK",
        "duration >= 60",
        "lag > 1m",
        "packet-size > 100",
        "log-stream = eni-0536faba73134a9b7-all",
        "src = 10.0.0.1 and dst = 10.0.0.10",
        "type = IPv4",
    ])
    .prop_map(str::to_owned);
    prop_oneof![2 => addressed, 2 => ported, 1 => counted, 5 => written]
}

fn expression() -> impl Strategy<Value = String> {
    clause().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(") and ("))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(") or ("))),
            inner.prop_map(|inner| format!("not ({inner})")),
        ]
        .prop_map(|text| format!("({text})"))
    })
}

/// Ways in which a message carries a line.
fn wrapped(line: &str, record: &Record) -> [String; 3] {
    let named: serde_json::Map<String, serde_json::Value> =
        record.iter().map(|(field, value)| (field.name().to_owned(), value.as_str().into())).collect();
    [
        serde_json::json!({ "message": line }).to_string(),
        serde_json::Value::from(named).to_string(),
        format!("2018-08-20T15:26:46.000Z eni-0536faba73134a9b7-all {line}"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 3000 } else { 50_000 }))]

    #[test]
    fn a_pattern_is_never_narrower_than_what_is_wanted(
        text in expression(), record in record(), which in 0..FORMATS.len(), known in any::<bool>()
    ) {
        let filter = Filter::parse(&text, Stage::Flows).unwrap_or_else(|error| panic!("{text}: {error}"));
        let format = Format::parse(FORMATS[which]).unwrap();
        let fetch = Fetch::new(&filter, known.then_some(&format));
        let pattern = fetch.pattern.clone().unwrap_or_default();
        prop_assert!(pattern.len() <= MAX_PATTERN);
        prop_assert_eq!(fetch.pattern.is_some(), !fetch.pushed.is_empty());
        let through = |message: &str| {
            [Terms::Anywhere, Terms::Words].map(|terms| matches(&pattern, message, terms).unwrap_or_else(|why| panic!("{pattern}: {why}")))
        };
        for status in ["NODATA", "SKIPDATA"] {
            let silent = line(&without_data(&record, status), &format);
            prop_assert_eq!(through(&silent), [true; 2], "{} does not let through {}", pattern, silent);
            prop_assert!(passes(fetch.closed(), &read(&silent, &format)), "{} is left out", silent);
        }
        let own = line(&record, &format);
        let back = line(&reply(&record), &format);
        let (columns, reply_columns) = (read(&own, &format), read(&back, &format));
        let wanted = passes(fetch.closed(), &columns);
        // The session stays whole: a record and its reply are wanted together.
        prop_assert_eq!(wanted, passes(fetch.closed(), &reply_columns), "{} wants one of {} and {}", fetch.text, own, back);
        if passes(Some(&filter), &columns) {
            prop_assert!(wanted, "{} leaves out {}", fetch.text, own);
        }
        if wanted {
            prop_assert_eq!(through(&own), [true; 2], "{} for {} loses {}", pattern, text, own);
            if !known {
                for message in wrapped(&own, &record) {
                    prop_assert_eq!(through(&message), [true; 2], "{} for {} loses {}", pattern, text, message);
                }
            }
        }
    }
}

#[test]
fn the_evaluator_does_what_the_documentation_shows() {
    let is = |pattern: &str, message: &str| matches(pattern, message, Terms::Words).unwrap();
    // FilterAndPatternSyntax: "?ERROR ?WARN matches examples 1, 2, and 3"; "ERROR WARN only matches example 1"; "ERROR -WARN matches example 2".
    let examples = ["ERROR WARN message", "ERROR message", "WARN message"];
    assert_eq!(examples.map(|message| is("?ERROR ?WARN", message)), [true; 3]);
    assert_eq!(examples.map(|message| is("ERROR WARN", message)), [true, false, false]);
    assert_eq!(examples.map(|message| is("ERROR -WARN", message)), [false, true, false]);
    assert!(
        matches("ERROR", "Exiting with ERRORCODE: -1", Terms::Anywhere).unwrap()
            && !is("ERROR", "Exiting with ERRORCODE: -1")
    );
    assert!(!is("ERROR", "an error"));
    assert!(matches("10.0.0.1", "", Terms::Words).is_err());
    // The same page: space-delimited events.
    let request = "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /apache_pb.gif HTTP/1.0\" 404 1534";
    for pattern in [
        "[ip, user, username, timestamp, request, status_code = 4*, bytes > 1000]",
        "[ip, user, username, timestamp, request = *gif*, status_code = 4* && status_code != 403, bytes]",
        "[..., status_code = 404, bytes]",
        "[ip, user, ..., status_code, bytes]",
        "[ip, user, ...]",
    ] {
        assert!(is(pattern, request), "{pattern}");
    }
    assert!(!is("[ip, user, username, timestamp, request, status_code = 200, bytes]", request));
    assert!(!is("[ip, user, username, timestamp, request, status_code]", request));
    // flow-logs-cwl.md of the VPC user guide.
    let flow = "2 123456789010 eni-1235b8ca123456789 10.0.2.7 172.31.9.69 49761 8080 6 20 4249 1418530010 1418530070 REJECT OK";
    assert!(is(
        "[version, accountid, interfaceid, srcaddr = 10.0.2.*, dstaddr, srcport, dstport, protocol, packets, bytes, start, end, action, logstatus]",
        flow
    ));
    assert!(is(
        "[version, account, eni, source, destination, srcport, dstport = 80 || dstport = 8080, protocol = \"6\", packets, bytes >= 400, start, end, action = REJECT, logstatus]",
        flow
    ));
}

#[test]
fn a_pattern_narrows_what_it_says_it_narrows() {
    // Else a pattern that lets everything through would do.
    let through = |text: &str, format: Option<&Format>, line: &str| {
        let fetch = Fetch::new(&Filter::parse(text, Stage::Flows).unwrap(), format);
        matches(&fetch.pattern.expect(text), line, Terms::Anywhere).unwrap()
    };
    let format = Format::parse(FORMATS[0]).unwrap();
    let line =
        "2 622676721278 eni-0536faba73134a9b7 10.9.9.9 172.16.0.178 40396 443 6 1 50 1534778806 1534778866 ACCEPT OK";
    for text in ["port 11211", "ip 10.0.0.1", "REJECT", "udp and REJECT", "service = memcached", "vpc-id = vpc-9"] {
        assert!(!through(text, None, line), "{text}");
    }
    for text in ["bytes > 1M", "udp and bytes > 1M", "src 10.0.0.0/8 and dst 10.0.0.0/8", "dport < 100 and sport < 100"]
    {
        assert!(!through(text, Some(&format), line), "{text}");
    }
}
