//! What is printed of flows, sessions, alerts, the summary and the quarantine, and in which shapes.

use std::io::Write as _;

use serde_json::{Value, json};

use super::{FOUNDING, HEADER, MIXED, arg, feed, file, run};

#[test]
fn a_flow_has_the_field_names_of_aws_and_numbers_are_numbers() {
    let flows = feed(&["open", "-"], MIXED.as_bytes()).objects();
    assert_eq!(flows.len(), 7, "flows are the default, NODATA and SKIPDATA are among them");
    assert_eq!(
        flows[0],
        json!({
            "version": 2, "account-id": "123456789012", "interface-id": "eni-0aa0000000000000a", "srcaddr": "198.51.100.7",
            "dstaddr": "10.0.1.20", "srcport": 51000, "dstport": 443, "protocol": 6, "packets": 12, "bytes": 3400,
            "start": 1_700_000_000, "end": 1_700_000_055, "action": "ACCEPT", "log-status": "OK",
        })
    );
    assert_eq!(flows[2]["srcport"], 0, "ICMP has ports 0, which is not absent");
    assert_eq!((&flows[3]["srcaddr"], &flows[3]["dstaddr"]), (&json!("2001:db8::7"), &json!("2001:db8:1::20")));
    assert_eq!(
        flows[5],
        json!({
            "version": 2, "account-id": "123456789012", "interface-id": "eni-0bb0000000000000b", "start": 1_700_000_080,
            "end": 1_700_000_140, "log-status": "NODATA",
        }),
        "absent fields are left out"
    );
    assert_eq!(flows[6]["log-status"], "SKIPDATA");
}

#[test]
fn log_gives_back_the_lines_that_came_in() {
    let out = feed(&["open", "-", "--as", "log"], MIXED.as_bytes());
    assert_eq!((out.code, out.out.as_str()), (Some(0), MIXED));
    let ragged = MIXED.replace(" ACCEPT", "   ACCEPT").replace('\n', "  \r\n");
    assert_eq!(feed(&["open", "-", "--as", "log"], ragged.as_bytes()).out, MIXED, "runs of white space become one");
    let odd = "2 1 eni-1 2001:DB8:0::1 2001:db8::2 007 443 6 1 40 1700000000 1700000001 ACCEPT OK extra columns\n";
    assert_eq!(feed(&["open", "-", "--as", "log"], odd.as_bytes()).out, odd, "odd spellings are evidence too");
}

#[test]
fn log_is_for_flows_only() {
    for what in ["sessions", "alerts", "summary", "quarantine"] {
        let out = feed(&["open", "-", "--print", what, "--as", "log"], MIXED.as_bytes());
        assert_eq!((out.code, out.out.as_str()), (Some(2), ""), "{what}");
        assert!(out.err.contains("--as log") && out.err.contains("flows"), "{}", out.err);
    }
}

#[test]
fn csv_has_a_heading_and_one_row_a_record() {
    let out = feed(&["open", "-", "--as", "csv"], MIXED.as_bytes());
    let lines: Vec<&str> = out.out.lines().collect();
    assert_eq!((out.code, lines.len()), (Some(0), 8));
    assert_eq!(lines[0], HEADER.replace(' ', ","));
    assert_eq!(lines[1], MIXED.lines().next().unwrap().replace(' ', ","));
    assert_eq!(lines[6], "2,123456789012,eni-0bb0000000000000b,,,,,,,,1700000080,1700000140,,NODATA");
    let sessions = feed(&["open", "-", "--print", "sessions", "--as", "csv"], FOUNDING.as_bytes());
    let lines: Vec<&str> = sessions.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", sessions.out);
    assert!(lines[0].starts_with("id,scope,protocol,client,client_port,server,server_port,req_bytes"), "{}", lines[0]);
    let alerts = feed(&["open", "-", "--print", "alerts", "--as", "csv"], FOUNDING.as_bytes());
    assert_eq!(alerts.out.lines().filter(|line| line.starts_with("id,rule,level")).count(), 1, "{}", alerts.out);
}

#[test]
fn a_table_is_for_reading() {
    let out = feed(&["open", "-", "--as", "table"], MIXED.as_bytes());
    let lines: Vec<&str> = out.out.lines().collect();
    assert_eq!((out.code, lines.len()), (Some(0), 8));
    assert!(lines[0].contains("srcaddr") && lines[0].contains("dstport"));
    assert!(lines[1].contains("2023-11-14T22:14:15Z") && lines[1].contains("tcp"), "{}", lines[1]);
    for what in ["sessions", "alerts", "summary"] {
        let out = feed(&["open", "-", "--print", what, "--as", "table"], FOUNDING.as_bytes());
        assert_eq!(out.code, Some(0), "{what}");
        assert!(out.out.lines().count() >= 2 && (what == "summary" || !out.out.contains('{')), "{what}: {}", out.out);
    }
}

#[test]
fn escape_sequences_in_a_log_do_not_reach_the_terminal() {
    let hostile = MIXED.replace("eni-0aa", "eni-\u{1b}[2J\u{202e}0aa");
    for shape in ["ndjson", "table"] {
        let out = feed(&["open", "-", "--as", shape], hostile.as_bytes());
        assert_eq!(out.code, Some(0));
        assert!(!out.out.contains(['\u{1b}', '\u{202e}']), "{shape}: {:?}", out.out);
    }
    let flows = feed(&["open", "-"], hostile.as_bytes()).objects();
    assert_eq!(flows[0]["interface-id"], "eni-\u{1b}[2J\u{202e}0aa0000000000000a", "the value itself is kept");
}

#[test]
fn a_session_pairs_both_directions_and_says_how() {
    let sessions = feed(&["open", "-", "--print", "sessions"], FOUNDING.as_bytes()).objects();
    let trigger = sessions.iter().find(|session| session["client_port"] == 40_396).expect("the trigger is a session");
    let baf = trigger["baf_est"].as_f64().unwrap();
    assert!((2_287.2..2_287.3).contains(&baf), "{baf}");
    let mut rest = trigger.clone();
    for name in ["id", "baf_est"] {
        assert!(rest.as_object_mut().unwrap().remove(name).is_some_and(|value| value.is_number()), "{name}");
    }
    assert_eq!(
        rest,
        json!({
            "scope": "622676721278", "protocol": 17, "client": "13.125.33.130", "client_port": 40396, "server": "172.16.0.178",
            "server_port": 11211, "req_bytes": 50, "req_packets": 1, "resp_bytes": 51327, "resp_packets": 36,
            "byte_ratio": 1026.54, "packet_ratio": 36.0, "size_ratio": 28.515, "first": 1_534_778_806_i64,
            "last": 1_534_778_866_i64, "oriented_by": "service", "state": "closed", "action": "ACCEPT",
            "interfaces": ["eni-0536faba73134a9b7"], "records": 2,
            "nat": null, "packet_addresses": false, "logged_as": [],
        })
    );
}

#[test]
fn a_session_with_one_side_has_no_ratio() {
    let sessions = feed(&["open", "-", "--print", "sessions"], MIXED.as_bytes()).objects();
    assert_eq!(sessions.len(), 4, "{sessions:?}");
    let probe = sessions.iter().find(|session| session["server_port"] == 23).expect("the probe is a session");
    assert_eq!((&probe["state"], &probe["action"]), (&json!("unanswered"), &json!("REJECT")));
    for name in ["byte_ratio", "packet_ratio", "size_ratio", "baf_est"] {
        assert_eq!(probe[name], Value::Null, "{name}");
        assert!(probe.as_object().unwrap().contains_key(name), "{name} is there, and null");
    }
    let web = sessions.iter().find(|session| session["server_port"] == 443).expect("the request is a session");
    assert_eq!(web["baf_est"], Value::Null, "an amplification factor is for UDP and ICMP");
}

#[test]
fn the_legs_of_a_nat_gateway_are_told_apart_and_its_address_stands_beside() {
    let format = "version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action pkt-srcaddr pkt-dstaddr\n";
    let lines = "3 eni-host 10.0.0.5 9.9.9.9 40001 443 6 5 2000 1534778700 1534778758 ACCEPT 10.0.0.5 9.9.9.9\n\
                 3 eni-nat 10.0.0.5 10.0.9.9 40001 443 6 5 2000 1534778700 1534778758 ACCEPT 10.0.0.5 9.9.9.9\n\
                 3 eni-nat 10.0.9.9 9.9.9.9 5001 443 6 5 2000 1534778700 1534778758 ACCEPT 10.0.9.9 9.9.9.9\n";
    let print = |more: &[&str], text: &str| {
        let out = feed(&[&["open", "-", "--print", "sessions"], more].concat(), text.as_bytes());
        let tell =
            |one: &Value| format!("{} {} {} {}", one["client"], one["nat"], one["packet_addresses"], one["logged_as"]);
        let mut all: Vec<String> = out.objects().iter().map(tell).collect();
        all.sort();
        all
    };
    let own = "{\"address\":\"9.9.9.9\",\"logged\":\"10.0.9.9\",\"interface\":\"eni-nat\"}";
    let inside = format!("\"10.0.0.5\" \"inside\" true [{own}]");
    let outside = "\"10.0.9.9\" \"outside\" true []".to_owned();
    assert_eq!(print(&[], &format!("{format}{lines}")), [inside, outside.clone()]);
    assert_eq!(print(&["--filter", "nat = outside"], &format!("{format}{lines}")), [outside]);
    // Without packet addresses somebody must say that it is one.
    let plain = "2 1 eni-nat 10.0.0.5 10.0.9.9 40001 443 6 5 2000 1534778700 1534778758 ACCEPT OK\n";
    assert_eq!(print(&[], plain), ["\"10.0.0.5\" null false []"]);
    assert_eq!(print(&["--nat", "eni-nat"], plain), ["\"10.0.0.5\" \"masked\" false []"]);
}

/// From four log lines to the alert, with the numbers of the design.
#[test]
fn the_founding_example_raises_its_alert() {
    let alerts = feed(&["open", "-", "--print", "alerts", "--region", "us-west-1"], FOUNDING.as_bytes()).objects();
    let probes: Vec<&Value> = alerts.iter().filter(|alert| alert["rule"] == "AMP-PROBE").collect();
    let [raised, closed] = probes[..] else { panic!("raised once and closed once: {alerts:#?}") };
    assert_eq!((&raised["status"], &closed["status"]), (&json!("open"), &json!("closed")));
    assert_eq!(raised["id"], closed["id"]);
    check_the_attack(raised);
    let amplified = alerts.iter().filter(|alert| alert["rule"].as_str().is_some_and(|rule| rule.starts_with("AMP-")));
    assert_eq!(amplified.count(), 2, "one attack is one amplification alert: {alerts:#?}");
    // The filter of the alert selects its evidence.
    let filter = closed["filter"].as_str().unwrap();
    let evidence = feed(&["open", "-", "--print", "sessions", "--filter", filter], FOUNDING.as_bytes()).objects();
    assert!(evidence.iter().any(|session| session["client_port"] == 40_396), "{filter}: {evidence:?}");
}

fn check_the_attack(alert: &Value) {
    assert_eq!((&alert["level"], &alert["technique"]), (&json!("high"), &json!("T1498.002")));
    assert_eq!((&alert["first"], &alert["last"]), (&json!(1_534_778_806), &json!(1_534_778_866)));
    assert_eq!(alert["group"], json!({"client": "13.125.33.130", "server": "172.16.0.178", "server.port": 11211}));
    assert_eq!(alert["measured"]["ratio"], 1026.54);
    let baf = alert["measured"]["baf"].as_f64().unwrap();
    assert!((2_287.2..2_287.3).contains(&baf), "{baf}");
    assert!(alert["threshold"]["baf"].as_f64().is_some_and(|floor| floor <= baf), "{alert}");
    assert_eq!(alert["count"], 2, "both records of the trigger");
    assert!(
        alert["message"].as_str().is_some_and(|text| text.contains("memcached") && text.contains("1,026.5")),
        "{alert}"
    );
}

#[test]
fn the_demo_shows_the_attack_and_little_else() {
    let alerts = run(&["demo", "--print", "alerts"]).objects();
    let probes: Vec<&Value> =
        alerts.iter().filter(|alert| alert["rule"].as_str().is_some_and(|rule| rule.starts_with("AMP-"))).collect();
    let [raised, closed] = probes[..] else { panic!("one amplification alert: {alerts:#?}") };
    assert_eq!((&raised["rule"], &raised["status"]), (&json!("AMP-PROBE"), &json!("open")));
    assert_eq!(
        (&closed["rule"], &closed["status"], &closed["id"]),
        (&json!("AMP-PROBE"), &json!("closed"), &raised["id"])
    );
    check_the_attack(raised);
    let open = alerts.iter().filter(|alert| alert["status"] == "open").count();
    assert!(open <= 6, "ordinary traffic is quiet: {alerts:#?}");
    assert_eq!(alerts.len(), 2 * open, "what was raised was closed");
}

#[track_caller]
fn counts_add_up(summary: &Value) {
    let count = |name: &str| summary[name].as_u64().unwrap_or_else(|| panic!("{name}: {summary}"));
    let parts = ["records", "nodata", "skipdata", "unparsed", "headers", "duplicates"];
    assert_eq!(count("lines"), parts.into_iter().map(count).sum::<u64>(), "{summary}");
}

#[test]
fn every_line_is_accounted_for() {
    let input = format!(
        "{HEADER}\n{MIXED}\nnot a record\n2 1 eni-1 10.0.0.1 10.0.0.2 1 99999 6 1 40 1 2 ACCEPT OK\n{FOUNDING}"
    );
    let summaries = feed(&["open", "-", "--print", "summary"], input.as_bytes()).objects();
    let [summary] = &summaries[..] else { panic!("one summary: {summaries:?}") };
    counts_add_up(summary);
    for (name, expected) in [
        ("lines", 14),
        ("records", 9),
        ("nodata", 1),
        ("skipdata", 1),
        ("unparsed", 2),
        ("headers", 1),
        ("duplicates", 0),
        ("dropped", 0),
        ("evicted", 0),
        ("flows_held", 11),
        ("sessions", 6),
        ("first", 1_534_778_743),
        ("last", 1_700_000_200),
    ] {
        assert_eq!(summary[name], expected, "{name}: {summary}");
    }
    assert_eq!(summary["gaps"], json!([]));
    for name in ["late", "requests", "events_read", "bytes_held", "alerts"] {
        assert!(summary[name].is_u64(), "{name}: {summary}");
    }
    assert!(summary["elapsed_seconds"].is_f64(), "{summary}");
    // The filter is about what is printed, not about what is counted.
    let filtered = feed(&["open", "-", "--print", "summary", "--filter", "port 1"], input.as_bytes()).objects();
    assert_eq!((&filtered[0]["lines"], &filtered[0]["records"]), (&summary["lines"], &summary["records"]));
    counts_add_up(&run(&["demo", "--print", "summary"]).objects()[0]);
}

#[test]
fn what_does_not_parse_can_be_looked_at() {
    let input = format!("{HEADER}\n{MIXED}2 1 eni-1 10.0.0.1 10.0.0.2 1 99999 6 1 40 1 2 ACCEPT OK\ntoo few\n");
    let bad = feed(&["open", "-", "--print", "quarantine"], input.as_bytes()).objects();
    assert_eq!(bad.len(), 2, "{bad:?}");
    assert_eq!(
        (&bad[0]["place"], &bad[0]["line"], &bad[0]["reason"]),
        (&json!("stdin"), &json!(9), &json!("bad-value"))
    );
    assert_eq!(
        (&bad[1]["line"], &bad[1]["reason"], &bad[1]["text"]),
        (&json!(10), &json!("too-few-fields"), &json!("too few"))
    );
    let flows = feed(&["open", "-"], input.as_bytes());
    assert_eq!((flows.code, flows.out.lines().count()), (Some(0), 7), "a bad line stops nothing");
    assert!(flows.err.contains("2 lines did not parse") && flows.err.contains("--print quarantine"), "{}", flows.err);
}

#[test]
fn the_fields_come_from_the_format_or_the_header() {
    let custom = "eni-1 REJECT 10.0.0.1 10.0.0.2 50000 22 6 2 120 1700000000 1700000060";
    let names = "interface-id action srcaddr dstaddr srcport dstport protocol packets bytes start end";
    let dollars: Vec<String> = names.split(' ').map(|name| format!("${{{name}}}")).collect();
    let expected = json!({
        "interface-id": "eni-1", "action": "REJECT", "srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "srcport": 50000, "dstport": 22,
        "protocol": 6, "packets": 2, "bytes": 120, "start": 1_700_000_000, "end": 1_700_000_060,
    });
    for format in [names.to_owned(), names.replace(' ', ","), names.replace('-', "_"), dollars.join(" ")] {
        let flows = feed(&["open", "-", "--format", &format], format!("{custom}\n").as_bytes()).objects();
        assert_eq!(flows, std::slice::from_ref(&expected), "{format}");
    }
    let headed = feed(&["open", "-"], format!("{names}\n{custom}\n").as_bytes()).objects();
    assert_eq!(headed, [expected]);
    let wrong = feed(&["open", "-", "--format", "srcadr dstaddr"], b"");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("--format") && wrong.err.contains("did you mean 'srcaddr'"), "{}", wrong.err);
}

#[test]
fn gzip_is_told_by_its_content_in_files_and_pipes() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(format!("{HEADER}\n{MIXED}").as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let named = file(folder.path(), "no-suffix.log", &packed);
    assert_eq!(run(&["open", arg(&named), "--as", "log"]).out, MIXED);
    assert_eq!(feed(&["open", "-", "--as", "log"], &packed).out, MIXED);
    let twice = [packed.clone(), packed.clone()].concat();
    assert_eq!(feed(&["open", "-", "--as", "log"], &twice).out, format!("{MIXED}{MIXED}"), "files joined with cat");
    let cut = feed(&["open", "-", "--as", "log"], &packed[..packed.len() - 12]);
    assert_eq!(cut.code, Some(2), "{cut:?}");
    assert!(cut.err.contains("stdin"), "{}", cut.err);
}

#[test]
fn several_files_are_merged_by_time() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = FOUNDING.lines().collect();
    let first = file(folder.path(), "a.log", format!("{}\n{}\n", lines[0], lines[2]));
    let second = file(folder.path(), "b.log", format!("{HEADER}\n{}\n{}\n", lines[1], lines[3]));
    let out = run(&["open", arg(&second), arg(&first), "--as", "log"]);
    let ends: Vec<u64> = out.out.lines().map(|line| line.split(' ').nth(11).unwrap().parse().unwrap()).collect();
    assert_eq!(ends, [1_534_778_802, 1_534_778_802, 1_534_778_866, 1_534_778_866], "{}", out.out);
}
