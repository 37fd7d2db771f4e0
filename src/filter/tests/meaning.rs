//! What filters mean.

use super::*;
use crate::filter::{Sets, spell};

#[test]
fn what_people_type_first_works_for_flows_and_sessions() {
    let passes = [
        "11211",
        "port 11211",
        "port:11211",
        "port = 11211",
        "172.16.0.0/12",
        "172.16/12",
        "172.16.",
        "172.16.*",
        "13.125.33.130",
        "13.125.33.130:40396",
        "eni-0536faba73134a9b7",
        "eni-0536",
        "udp and bytes >= 50",
        "udp bytes>49",
        "not port 443",
        "-443",
        "!443",
        "(src_port=11211 OR dest_port=11211)",
        "src_ip=\"13.125.33.130\"",
        "accept",
        "ACTION = accept",
        "vpcflow_action=ACCEPT",
        "memcached",
        "service = memcached",
        "service:mem*",
        "dport memcached",
        "proto udp",
        "proto = 17",
        "protocol:udp,tcp",
        "port:22,80,11000-12000",
        "port in {22 11211}",
        "port in (22, 11211)",
        "port {22,11211}",
        "sport >= 1024",
        "ip:13.125.33.100-13.125.33.200",
        "src in $public",
        "dst $private",
        "$private",
        "$public && $private",
        "src port 40396 dst host 172.16.0.178",
        "622676721278",
        "account 622676721278",
        "/13\\.125\\.33/",
        "/accept/i",
        "\"eni-0536\"",
        "13.125",
        "ipv4",
        "/a/ or 1",
        "last 15m",
        "@15:26..15:27",
        "@15:26",
        "@2018-08-20T15:26..2018-08-20T15:27",
        "@2018-08-20",
        "end > 1534778800",
        "start >= 2018-08-20T15:26:46Z",
        "start = '2018-08-20 17:26:46+02:00'",
        "start:2018-08-20T15:26..2018-08-20T15:27",
        "not (bytes > 1M or bytes > 1GiB)",
        "interface = *a73134a9b7",
        "udp or tcp and 443",
    ];
    check(&trigger(), Stage::Flows, true, &passes);
    check(&session(), Stage::Sessions, true, &passes);
    let fails = [
        "11212",
        "port != 11211",
        "10/8",
        "10.0.0.0/8",
        "8.8.8.8",
        "2001:db8::/32",
        "eni-0999",
        "eni-0536faba73134a9b8",
        "eni = eni-0536",
        "udp and bytes > 100k",
        "reject",
        "tcp",
        "ssh",
        "port ssh",
        "port in {22, 80}",
        "src $private",
        "dst in $public",
        "src_port=11211",
        "dport < 1024",
        "/REJECT/",
        "ipv6",
        "last 1s",
        "@15:20..15:25",
        "@2018-08-21",
        "no-such-word",
        "ip != 13.125.33.130",
        "(udp or tcp) and 443",
    ];
    check(&trigger(), Stage::Flows, false, &fails);
    check(&session(), Stage::Sessions, false, &fails);
}

#[test]
fn sessions_have_fields_of_their_own() {
    let passes = [
        "client 13.125.33.130",
        "server.port = 11211",
        "server_port memcached",
        "ratio > 100",
        "ratio = 1026.5",
        "ratio:1000-2000",
        "ratio >= 1k",
        "duration > 30s",
        "duration = 1m",
        "duration:1m..1h30m",
        "req.bytes < 1k and resp.bytes >= 51k",
        "state = closed",
        "closed",
        "eni-0aaaaaaaaaaaaaaaa",
    ];
    check(&session(), Stage::Sessions, true, &passes);
    check(&session(), Stage::Sessions, false, &["ratio > 1026.6", "ratio = 1026.6", "duration > 5m", "state = half"]);
}

#[test]
fn a_field_of_the_other_kind_of_row_is_a_warning_and_matches_nothing() {
    for (text, stage) in [("ratio > 0", Stage::Flows), ("has client", Stage::Flows), ("tcp-flags = 2", Stage::Sessions)]
    {
        let made = filter(text, stage);
        assert_eq!(made.warnings().len(), 1, "{text}");
        assert_eq!(made.warnings()[0].span.start, text.find(['r', 'c', 't']).unwrap().min(4), "{text}");
        check(&session().set(Field::TcpFlags, 2), stage, false, &[text]);
    }
    assert!(filter("ratio > 0", Stage::Sessions).warnings().is_empty());
}

#[test]
fn absent_is_not_zero_and_not_is_the_complement() {
    let nodata =
        trigger().without(Field::Bytes).without(Field::SrcPort).without(Field::DstPort).set(Field::LogStatus, "NODATA");
    no(&nodata, &["bytes = 0", "bytes != 0", "bytes < 1", "bytes >= 0", "port != 443", "has bytes", "has tcp-flags"]);
    yes(&nodata, &["not bytes = 0", "not port 443", "not has bytes", "has log-status", "nodata", "status = nodata"]);
    // One side present is enough for `!=` to be answered.
    yes(&nodata.clone().set(Field::DstPort, 80), &["port != 443", "port not in {443, 22}", "port != 22,443"]);
    no(&nodata.set(Field::DstPort, 443), &["port != 443", "not port 443", "port not in {443}"]);
}

#[test]
fn both_sides_count_for_both_sided_fields() {
    let row = trigger();
    yes(&row, &["port < 20000", "port > 20000", "ip = 172.16.0.178", "ip in {8.8.8.8, 13.125.33.130}"]);
    no(&row, &["port != 40396", "ip != 172.16.0.0/12", "port = 443", "port > 50000"]);
    let nat = row.set(Field::PktSrcAddr, "198.51.100.7");
    yes(&nat, &["198.51.100.7", "pktsrc 198.51.100.7"]);
    no(&nat, &["src 198.51.100.7"]);
}

#[test]
fn ipv4_inside_ipv6_is_ipv4() {
    let mapped = trigger().set(Field::SrcAddr, "::ffff:13.125.33.130");
    yes(&mapped, &["13.125.33.130", "src = ::ffff:13.125.33.130", "src:::ffff:13.125.0.0/112", "src $public"]);
    yes(&trigger(), &["::ffff:13.125.33.130", "src = ::ffff:0:0/96"]);
    let six = trigger().set(Field::SrcAddr, "2001:db8::5").set(Field::DstAddr, "fd00::1");
    yes(
        &six,
        &[
            "2001:db8::/32",
            "ip:2001:db8::1-2001:db8::9",
            "2001:db8::5",
            "dst in $private",
            "ipv6",
            "src = 2001:DB8:0::5",
        ],
    );
    no(&six, &["ipv4", "::ffff:0:0/96", "src $public", "10/8"]);
}

#[test]
fn flags_are_masks() {
    let synack = trigger().set(Field::TcpFlags, 18).set(Field::Protocol, 6);
    yes(
        &synack,
        &["flags = syn-ack", "flags = synack", "flags:18", "flags ~ syn", "flags in {syn, syn+ack}", "has tcp-flags"],
    );
    no(&synack, &["flags = syn", "flags ~ fin", "flags !~ syn", "flags = rst"]);
    assert_eq!(filter("flags=18 or flags > 2", Stage::Flows).to_string(), "tcp-flags = syn+ack or tcp-flags > 2");
}

#[test]
fn text_compares_whatever_the_case_and_patterns_do_not() {
    let row = trigger()
        .set(Field::VpcId, "vpc-0abc12345678901de")
        .set(Field::AzId, "use1-az1")
        .set(Field::Region, "us-east-1");
    yes(
        &row,
        &["vpc VPC-0ABC12345678901DE", "vpc ~ ^vpc-0abc", "vpc:/^vpc-0/", "vpc:vpc-0abc", "vpc-0ab", "vpc = /ABC/i"],
    );
    yes(
        &row,
        &[
            "use1-az1",
            "us-east-1",
            "az:use1*",
            "vpc !~ /xyz/",
            "vpc != /xyz/",
            "region = us-*-1",
            "ACCept",
            "'eNi-0536'",
        ],
    );
    no(&row, &["vpc ~ /ABC/", "vpc = vpc-0abc", "us-east-2", "az = use*az2", "vpc !~ /^vpc/"]);
    no(&row.without(Field::VpcId), &["vpc !~ /xyz/", "vpc != x", "vpc = *"]);
}

#[test]
fn services_are_ports_with_their_protocol() {
    let quic = trigger().set(Field::DstPort, 443);
    yes(&quic, &["quic", "port https", "service:quic,ssh", "service != ssh", "has service", "service ~ /^qu/"]);
    no(&quic, &["https", "service = https", "service != quic"]);
    let nameless = trigger().set(Field::DstPort, 40_000);
    no(&nameless, &["has service", "service != ssh"]);
    no(&trigger().set(Field::Protocol, 1), &["memcached", "has service"]);
    // On a session the service is the server's.
    check(&session().set(Field::SrcPort, 53), Stage::Sessions, false, &["dns"]);
    yes(&trigger().set(Field::SrcPort, 53), &["dns"]);
}

#[test]
fn the_day_of_now_decides_about_times_of_day() {
    let late = trigger().set(Field::Start, 1_534_722_900).set(Field::End, 1_534_722_960); // 2018-08-19 23:55 to 23:56
    yes(&late, &["@23:50..00:10", "@2018-08-19T23:50:00Z..2018-08-20"]);
    no(&late, &["@23:50..23:59", "@00:00..00:10"]);
    assert!(filter("last 5m or 22", Stage::Flows).depends_on_now());
    assert!(filter("@23:50..23:59", Stage::Flows).depends_on_now());
    assert!(!filter("@2018-08-19", Stage::Flows).depends_on_now());
    no(&trigger().without(Field::Start).without(Field::End), &["last 5m", "@2018-08-20"]);
}

#[test]
fn large_sets_answer_as_small_ones() {
    let list: Vec<String> = (0..200).map(|index| format!("{}", index * 7)).collect();
    let text = format!("dport in {{{}}}", list.join(" "));
    let many = filter(&text, Stage::Flows);
    for port in 0..1500 {
        let row = trigger().set(Field::DstPort, port);
        assert_eq!(many.matches(&row, NOW), port % 7 == 0 && port < 1400, "{port}");
    }
}

#[test]
fn own_sets_are_looked_up_by_name() {
    let mut sets = Sets::default();
    sets.define("office", "13.125.33.0/24").unwrap();
    sets.define("cache", "6379, 11211").unwrap();
    let made = Filter::parse_with("src in $office dport in @cache", Stage::Flows, &sets).unwrap();
    assert!(made.matches(&trigger(), NOW));
    assert_eq!(made.to_string(), "srcaddr in $office and dstport in @cache");
    assert!(Filter::parse_with("$office and @cache", Stage::Flows, &sets).unwrap().matches(&trigger(), NOW));
    assert!(Filter::parse_with("src in @cache", Stage::Flows, &sets).is_err());
    let error = Filter::parse_with("src in $ofice", Stage::Flows, &sets).unwrap_err();
    assert_eq!((error.span, error.hint.as_deref()), (7..13, Some("Did you mean `$office`?")));
    // The table of amplifiers is data: with a row for memcached the trigger is in it, without one nothing is.
    let known = crate::record::amplification::amp_port(11_211).is_some();
    check(&trigger(), Stage::Flows, known, &["dport in @amplification", "@amp"]);
}

#[test]
fn a_value_of_a_cell_is_spelled_so_that_it_finds_the_cell() {
    let hostile = "a\" or 1=1 -- \\ \u{1b}[31m /x/ $private * not";
    let row =
        session().set(Field::State, hostile).set(Field::Scope, "").set(Field::OrientedBy, "not").set(Field::Baf, 3.26);
    for field in
        [Field::State, Field::Scope, Field::OrientedBy, Field::Baf, Field::Start, Field::Protocol, Field::ByteRatio]
    {
        let text = spell(field, row.get(field).unwrap());
        assert!(filter(&text, Stage::Sessions).matches(&row, NOW), "{text}");
        assert!(!filter(&text, Stage::Sessions).matches(&row.clone().without(field), NOW), "{text}");
    }
    assert_eq!(spell(Field::SrcAddr, Value::Addr("10.0.0.1".parse().unwrap())), "srcaddr = 10.0.0.1");
    for odd in [f64::NAN, f64::INFINITY, -1.0] {
        filter(&spell(Field::Baf, Value::Float(odd)), Stage::Sessions);
    }
}

#[test]
fn clauses_and_fields_can_be_asked_for() {
    let made = filter("udp (port 22 or 80) bytes > 1k last 5m", Stage::Flows);
    let clauses: Vec<String> = made.clauses().iter().map(ToString::to_string).collect();
    assert_eq!(clauses, ["protocol = udp", "port = 22 or port = 80", "bytes > 1000", "last 5m"]);
    let fields: Vec<Field> = made.fields().collect();
    assert_eq!(fields, [Field::Protocol, Field::Bytes, Field::End, Field::Port]);
    assert_eq!(made.text(), "udp (port 22 or 80) bytes > 1k last 5m");
}

#[test]
fn canonical_spellings() {
    for (text, printed) in [
        ("ssh -10/8", "service = ssh and not ip = 10.0.0.0/8"),
        ("a,22,80", "\"a\" or port in {22, 80}"),
        ("not not not (22)", "not port = 22"),
        ("(22 and (80 and 443)) or (1 or 2)", "port = 22 and port = 80 and port = 443 or port = 1 or port = 2"),
        ("bytes>1000000 duration>300 bytes<2MiB", "bytes > 1M and duration > 5m and bytes < 2MiB"),
        ("10.1.2.3-10.1.2.3 10.0.0.0-10.255.255.255", "ip = 10.1.2.3 and ip = 10.0.0.0/8"),
        ("end>1534778800", "end > 2018-08-20T15:26:40Z"),
        ("vpc ~ \"a/b\"", "vpc-id ~ /a\\/b/i"),
        ("eni-05 NOT in-between", "interface-id = eni-05* and not \"in-between\""),
    ] {
        assert_eq!(filter(text, Stage::Flows).to_string(), printed);
    }
}

#[test]
fn every_example_of_the_documentation_is_a_filter_without_a_warning() {
    let docs = include_str!("../../../docs/filter.md");
    let mut stage = None;
    let mut read = 0;
    for line in docs.lines() {
        match line {
            "```filter" => stage = Some(Stage::Flows),
            "```sessions" => stage = Some(Stage::Sessions),
            "```" => stage = None,
            _ => {}
        }
        let Some(stage) = stage.filter(|_| !line.starts_with("```")) else { continue };
        let example = line.split("   ").next().unwrap_or_default().trim();
        assert!(filter(example, stage).warnings().is_empty(), "{example}");
        read += 1;
    }
    assert!(read > 20);
}
