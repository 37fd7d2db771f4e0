//! Translations select what the filter selects, or more and say so.

mod athena;
mod insights;
mod packets;

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Filter, Sets, Stage};
use super::{Context, Shape, Target, Translation, insights as to_insights, translate};
use crate::record::{Batch, Decoder, Event, Field, Format, RowRef, Table as _};

const NOW: i64 = 1_700_000_200;

fn context(formats: &[Arc<Format>]) -> Context<'_> {
    Context { formats, now: NOW, group: Some("/vpc/it's"), region: Some("us-west-1"), span: None }
}

fn filter(text: &str) -> Filter {
    let mut sets = Sets::default();
    sets.define("office", "198.51.100.0/24, 2001:db8::/33").expect("a set");
    Filter::parse_with(text, Stage::Flows, &sets).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn to(text: &str, target: Target) -> Translation {
    translate(Some(&filter(text)), target, &context(&[])).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Whether the filter itself selects a line of `format`.
fn selects(filter: &Filter, format: &Arc<Format>, line: &str) -> bool {
    let mut reader = Decoder::new(Some((**format).clone()));
    let bytes = format!("{line}\n").into_bytes();
    let end = u32::try_from(bytes.len()).expect("a short line");
    let event = Event { end, stream: 0, timestamp: 0, ingestion: 1_700_000_100_000, id: "7".into() };
    let batch = Batch { bytes, events: vec![event], streams: vec!["s".into()], ..Batch::default() };
    let decoded = reader.decode(&batch);
    assert_eq!(decoded.columns.len(), 1, "{line}");
    filter.matches(&RowRef { table: &decoded.columns, row: 0 }, NOW)
}

#[test]
fn usual_filters_are_written_as_people_write_them() {
    let query = |text| to(text, Target::Insights).text.lines().next().unwrap_or_default().to_owned();
    assert_eq!(query("port 11211"), "filter srcPort = 11211 or dstPort = 11211");
    assert_eq!(query("src 10/8 reject"), "filter isIpv4InSubnet(srcAddr, \"10.0.0.0/8\") and action = \"REJECT\"");
    assert_eq!(query("dst 2001:db8::1"), "filter isIpv6InSubnet(dstAddr, \"2001:db8::1/128\")");
    assert_eq!(query("udp and bytes > 1000"), "filter protocol = 17 and bytes >= 1001");
    assert_eq!(
        query("dstport != 443"),
        "filter ispresent(dstPort) and dstPort != \"-\" and (not ispresent(dstPort) or dstPort = \"-\" or dstPort != 443)"
    );
    let rest = "\n| fields @timestamp, @ingestionTime, @logStream, @message\n| sort @timestamp desc\n| limit 1000";
    assert!(to("port 22", Target::Insights).text.ends_with(rest));
    assert_eq!(
        to("13.125.33.130 and udp port 11211", Target::Tcpdump).text,
        "host 13.125.33.130 and udp and port 11211"
    );
    assert_eq!(to("src 10/8 and not dst port 53", Target::Tcpdump).text, "src net 10.0.0.0/8 and not (dst port 53)");
    assert_eq!(to("dst 2001:db8::1 and tcp", Target::Wireshark).text, "ipv6.dst == 2001:db8::1 && tcp");
    let sql = to("src 10/8 and not port 443", Target::Athena).text;
    assert!(
        sql.contains(
            "WHERE contains('10.0.0.0/8', TRY_CAST(srcaddr AS ipaddress)) AND \
             NOT COALESCE(srcport = 443, false) AND NOT COALESCE(dstport = 443, false)"
        ),
        "{sql}"
    );
}

#[test]
fn what_cannot_be_said_is_left_out_and_told() {
    let tcpdump = to("port 53 and bytes > 1000", Target::Tcpdump);
    assert_eq!((tcpdump.text.as_str(), tcpdump.exact), ("port 53", false));
    assert!(tcpdump.notes[0].contains("bytes > 1000"), "{:?}", tcpdump.notes);
    // An alternative that cannot be said takes the whole with it.
    let refused = translate(Some(&filter("port 53 or bytes > 1000")), Target::Tcpdump, &context(&[]));
    assert!(refused.unwrap_err().to_string().contains("bytes > 1000"));
    let refused = translate(Some(&filter("vpc-id = vpc-0a")), Target::Insights, &context(&[]));
    assert!(refused.unwrap_err().to_string().contains("never match"));
    let sessions = Filter::parse("client 10.0.0.1 and ratio > 100", Stage::Sessions).expect("a filter");
    let both = translate(Some(&sessions), Target::Insights, &context(&[])).expect("a query");
    assert!(!both.exact && both.notes.iter().any(|note| note.contains("ratio > 100")), "{both:?}");
    assert!(both.text.starts_with("filter srcAddr = \"10.0.0.1\" or dstAddr = \"10.0.0.1\""), "{}", both.text);
}

#[test]
fn the_command_reads_more_and_quotes_what_it_names() {
    let command = to("port 11211 and @2018-08-20T15:26..2018-08-20T15:27", Target::AwsCli);
    assert!(command.text.contains(r"--log-group-name '/vpc/it'\''s'"), "{}", command.text);
    assert!(command.text.contains("--filter-pattern '?\"11211\" ?\"NODATA\" ?\"SKIPDATA\"'"), "{}", command.text);
    assert!(
        command.text.contains("--start-time 1534775160000") && command.text.contains("--end-time 1534778820999"),
        "{}",
        command.text
    );
    assert!(!command.exact);
    for wide in ["not port 443", "bytes > 5", "src 10/8", "dst 2001:db8::1", "port 22 or bytes > 5", "port != 3"] {
        let command = to(wide, Target::AwsCli);
        assert!(!command.text.contains("--filter-pattern"), "{wide}: {}", command.text);
        assert!(command.notes.iter().any(|note| note.contains("all lines are read")));
    }
    // What a session sums up is in no record; whoever asked is in each.
    let sessions = |text: &str| {
        let sessions = Filter::parse(text, Stage::Sessions).expect("a filter");
        translate(Some(&sessions), Target::AwsCli, &context(&[])).expect("a command").text
    };
    assert!(sessions("client 10.0.0.1 and bytes = 5000").contains("?\"10.0.0.1\""));
    assert!(!sessions("bytes = 5000 and packets = 12").contains("--filter-pattern"));
    // Where all lines are of one format, the pattern may go by position, and says so.
    let placed =
        translate(Some(&filter("bytes > 5")), Target::AwsCli, &context(&[Format::default_v2()])).expect("a command");
    assert!(placed.text.contains("bytes > 5 || bytes = \"-\""), "{}", placed.text);
    assert!(placed.notes.iter().any(|note| note.contains("only lines of this format")), "{:?}", placed.notes);
    // The filter goes into a remark as one word of the shell.
    let hostile = to("\"'; touch x; '\"", Target::AwsCli);
    assert!(
        hostile.notes.iter().any(|note| note.contains(r#"--filter '"'\''; touch x; '\''"'"#)),
        "{:?}",
        hostile.notes
    );
}

#[test]
fn custom_formats_are_parsed_and_several_told_apart() {
    let custom = Arc::new(
        Format::parse("interface-id pkt-srcaddr srcaddr dstaddr dstport bytes packets tcp-flags").expect("a format"),
    );
    let one = [Arc::clone(&custom)];
    let query = to_insights(Some(&filter("ip 10.0.0.1")), &context(&one), &Shape::Rows { limit: 5 }).expect("a query");
    assert!(
        query.text.starts_with("parse @message \"* * * * * * * *\" as interface_id, pkt_srcaddr, srcaddr, dstaddr,"),
        "{}",
        query.text
    );
    let groups = Shape::Groups { by: vec![Field::DstPort], limit: 9 };
    let sums = to_insights(None, &context(&one), &groups).expect("a query");
    assert!(
        sums.text.ends_with(
            "\n| stats sum(bytes) as totalBytes, sum(packets) as totalPackets, count(*) as records by dstport\n| sort totalBytes desc\n| limit 9"
        ),
        "{}",
        sums.text
    );
    let both = [custom, Format::default_v2()];
    let query = to_insights(Some(&filter("dstport 11211")), &context(&both), &groups).expect("a query");
    assert!(query.text.contains("fields coalesce(f1dstport, f2dstport) as dstport"), "{}", query.text);
    assert!(query.exact, "{query:?}");
    let line = "2 622676721278 eni-0a 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK";
    assert_eq!(insights::answer(&query.text, line), Some(true));
    assert_eq!(insights::answer(&query.text, "eni-0a 10.0.0.1 10.0.0.1 10.0.0.2 11211 5 1 2"), Some(true));
    assert_eq!(insights::answer(&query.text, "eni-0a 10.0.0.1 10.0.0.1 10.0.0.2 443 5 1 2"), Some(false));
}

/// Filters that between them ask for everything that a record has.
const ATOMS: &[&str] = &[
    "port 443",
    "port != 443",
    "dstport < 1024",
    "srcport in {22, 80, 8000-8100}",
    "dstport >= 1024",
    "ip 10.0.0.1",
    "ip != 10.0.0.1",
    "src 10.0.0.0/8",
    "dst $private",
    "src $office",
    "dst 2001:db8::/32",
    "src 2001:db8::7",
    "src 10.0.0.1-10.0.0.9",
    "udp",
    "proto != tcp",
    "bytes > 1000",
    "bytes < 500",
    "bytes = 40",
    "packets <= 3",
    "reject",
    "action != ACCEPT",
    "nodata",
    "log-status = ok",
    "eni-0a1b2c3d4e5f60718",
    "eni-0a",
    "account = 622676721278",
    "has srcport",
    "has bytes",
    "has vpc-id",
    "vpc = vpc-0a*",
    "vpc ~ /^vpc-0[ab]/",
    "flags ~ syn",
    "flags = syn-ack",
    "flags !~ rst",
    "duration > 30s",
    "duration <= 60",
    "packet-size > 100",
    "packet-size = 40",
    "service = https",
    "dns",
    "service != ssh",
    "has service",
    "last 5m",
    "last 1h",
    "@2023-11-14T22:10..2023-11-14T22:14",
    "\"10.0.0.1 \"",
    "/ACCEPT (OK|NODATA)$/",
    "/eni-0a.* 443 /",
    "start > 1700000000",
    "end <= 1700000060",
    "az = use1-az1",
    "instance-tag = \"Über\"",
    "ingestion-time > 2023-11-14T22:14:00Z",
    "@amplification",
    "src = $public",
];

#[test]
fn the_internet_is_said_by_what_it_is_not() {
    for target in [Target::Insights, Target::Athena, Target::Tcpdump, Target::Wireshark] {
        let said = to("src $public and dst $private", target);
        assert!(said.exact && said.text.contains("169.254.0.0/16"), "{target:?}: {}", said.text);
    }
    // At every edge of every range, inside and out.
    let Some(crate::filter::NamedSet { members: crate::filter::Members::Addrs(ranges), .. }) =
        Sets::default().get("$public")
    else {
        panic!("$public is a set of addresses")
    };
    let step = |address: std::net::IpAddr, up: bool| match address {
        std::net::IpAddr::V4(v4) => {
            let bits = if up { v4.to_bits().checked_add(1) } else { v4.to_bits().checked_sub(1) };
            bits.map(|bits| std::net::IpAddr::V4(bits.into()))
        }
        std::net::IpAddr::V6(v6) => {
            let bits = if up { v6.to_bits().checked_add(1) } else { v6.to_bits().checked_sub(1) };
            bits.map(|bits| std::net::IpAddr::V6(bits.into()))
        }
    };
    let (yes, no) = (to("src $public", Target::Insights).text, to("not src $public", Target::Insights).text);
    for (from, to) in ranges.ranges() {
        for address in [Some(from), Some(to), step(from, false), step(to, true)] {
            let Some(address) = address.filter(|address| !address.to_string().contains(":ffff:")) else { continue };
            let line = format!("2 1 eni-0a {address} 10.0.0.1 1 2 6 1 50 1534778806 1534778866 ACCEPT OK");
            // Neighbouring ranges touch, so the filter itself is asked.
            let public = selects(&filter("src $public"), &Format::default_v2(), &line);
            assert_eq!(insights::answer(&yes, &line), Some(public), "{address}");
            assert_eq!(insights::answer(&no, &line), Some(!public), "{address}");
        }
    }
    // One public side is enough.
    let either = to("ip $public", Target::Tcpdump);
    assert!(
        either.text.contains("not (src net") && either.text.contains("((ip or ip6) and not (dst net"),
        "{}",
        either.text
    );
}

#[test]
fn what_is_said_twice_stays_whole_beside_what_tells_the_format() {
    let all = formats();
    let query = to_insights(Some(&filter("dns or dns")), &context(&all), &Shape::Rows { limit: 10 }).expect("a query");
    let condition = query.text.lines().find_map(|line| line.strip_prefix("| filter ")).expect("a condition");
    // `ispresent(…) and (… or …)`, never `ispresent(…) and … or …`.
    assert!(condition.starts_with("(ispresent(f1version) and (("), "{condition}");
    let dashes = "2 - - - - - - - - - 1700000000 1700000040 - OK";
    assert_eq!(insights::answer(&query.text, dashes), Some(false), "{}", query.text);
}

#[test]
fn what_no_value_is_is_decided_and_not_said() {
    for target in [Target::Tcpdump, Target::Wireshark] {
        let never = translate(Some(&filter("udp and proto > 255")), target, &context(&[]));
        assert!(never.unwrap_err().to_string().contains("No packet can match"));
        assert_eq!(to("udp and not port > 65535", target).text, "udp");
    }
    // On sessions the other side of a record may have what the side that is asked for lacks.
    let unnamed = Filter::parse("udp and not has service", Stage::Sessions).expect("a filter");
    let said = translate(Some(&unnamed), Target::Tcpdump, &context(&[])).expect("a filter");
    assert_eq!((said.text.as_str(), said.exact), ("udp", false));
}

#[test]
fn an_absent_account_is_not_the_one_that_is_excluded() {
    let query = to("not (account = 622676721278)", Target::Insights).text;
    let dashes = "2 - - - - - - - - - 1700000000 1700000040 - OK";
    assert_eq!(insights::answer(&query, dashes), Some(true), "{query}");
}

fn text() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(ATOMS).prop_map(str::to_owned);
    atom.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

/// A token that AWS could write for a field, or a dash.
fn token(field: Field, pick: u64) -> String {
    let of = |values: &[&str]| values[usize::try_from(pick / 7).unwrap_or(0) % values.len()].to_owned();
    let absent = pick.is_multiple_of(7);
    match field {
        Field::Start => (1_700_000_000 + pick % 90).to_string(),
        Field::End => (1_700_000_040 + pick % 90).to_string(),
        Field::Version => "2".to_owned(),
        Field::LogStatus => of(&["OK", "NODATA", "SKIPDATA"]),
        _ if absent => "-".to_owned(),
        Field::AccountId => of(&["622676721278", "123456789010"]),
        Field::InterfaceId => of(&["eni-0a1b2c3d4e5f60718", "eni-0abbbbbbbbbbbbbbb", "eni-1"]),
        Field::SrcAddr | Field::DstAddr | Field::PktSrcAddr | Field::PktDstAddr => of(&[
            "10.0.0.1",
            "10.0.0.9",
            "172.16.0.178",
            "8.8.8.8",
            "198.51.100.7",
            "2001:db8:0:0:0:0:0:7",
            "2600:1f18::1",
            "fd00::1",
        ]),
        Field::SrcPort | Field::DstPort => of(&["443", "22", "53", "0", "8050", "40396", "11211"]),
        Field::Protocol => of(&["6", "17", "1", "47"]),
        Field::Packets => of(&["0", "1", "3", "10"]),
        Field::Bytes => of(&["0", "40", "120", "1000", "1001", "5000000000"]),
        Field::Action => of(&["ACCEPT", "REJECT"]),
        Field::TcpFlags => of(&["0", "2", "18", "3", "4", "22"]),
        Field::VpcId => of(&["vpc-0a1", "vpc-0b1", "vpc-1"]),
        Field::AzId => of(&["use1-az1", "use1-az2"]),
        _ => "x".to_owned(),
    }
}

fn formats() -> Vec<Arc<Format>> {
    let custom = [
        "version srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags vpc-id pkt-srcaddr pkt-dstaddr",
        "vpc-id interface-id srcaddr dstport az-id instance-tag",
    ];
    std::iter::once(Format::default_v2())
        .chain(custom.map(|text| Arc::new(Format::parse(text).expect("a format"))))
        .collect()
}

proptest! {
    #[test]
    fn insights_selects_the_same_or_says_that_it_selects_more(
        text in text(),
        which in 0..3_usize,
        picks in prop::collection::vec(any::<u64>(), 16),
        several in any::<bool>(),
    ) {
        let all = formats();
        let format = &all[which];
        let filter = filter(&text);
        let known = if several { all.clone() } else { vec![Arc::clone(format)] };
        let line: Vec<String> = format.fields().zip(&picks).map(|(field, pick)| token(field, *pick)).collect();
        let line = line.join(" ");
        let wanted = selects(&filter, format, &line);
        match to_insights(Some(&filter), &context(&known), &Shape::Rows { limit: 10 }) {
            // What cannot be searched for must not be there, or must be said to be unsayable.
            Err(refusal) => prop_assert!(!wanted || !refusal.0.contains("never"), "{text}: {refusal}\n{line}"),
            Ok(query) => {
                let found = insights::answer(&query.text, &line);
                if wanted {
                    prop_assert_eq!(found, Some(true), "narrower: {}\n{}\n{}", text, query.text, line);
                } else if query.exact {
                    prop_assert_eq!(found, Some(false), "not exact: {}\n{}\n{}", text, query.text, line);
                }
                prop_assert!(query.text.len() <= super::MAX_QUERY);
            }
        }
    }

    #[test]
    fn packets_and_sql_come_out_balanced(text in text()) {
        for target in [Target::Athena, Target::Tcpdump, Target::Wireshark, Target::AwsCli] {
            if let Ok(translation) = translate(Some(&filter(&text)), target, &context(&[])) {
                let text = &translation.text;
                prop_assert_eq!(text.matches('(').count(), text.matches(')').count(), "{}", text);
                prop_assert!(!text.contains("()") && !text.is_empty(), "{}", text);
                prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{:?}", text);
            }
        }
    }
}

/// What `tcpdump -d` makes of the translations, where it is installed.
#[test]
fn tcpdump_takes_its_translations() {
    use std::process::Command;
    let installed = Command::new("tcpdump").arg("--version").output().is_ok();
    if !installed {
        eprintln!("SKIPPED: tcpdump is not installed, so its syntax was not checked by itself");
        return;
    }
    for text in ATOMS {
        let Ok(translation) = translate(Some(&filter(text)), Target::Tcpdump, &context(&[])) else { continue };
        let said =
            Command::new("tcpdump").args(["-d", "-y", "EN10MB", &translation.text]).output().expect("tcpdump runs");
        assert!(said.status.success(), "{}: {}", translation.text, String::from_utf8_lossy(&said.stderr));
    }
}
