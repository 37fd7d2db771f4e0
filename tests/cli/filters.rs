//! `--filter`: what people type first, for flows and for sessions, and what a wrong one says.

use super::{FOUNDING, MIXED, feed, run};

/// The founding attack among other traffic.
fn input() -> String {
    format!("{FOUNDING}{MIXED}")
}

fn count(what: &str, filter: &str) -> usize {
    let out = feed(&["open", "-", "--print", what, "--filter", filter], input().as_bytes());
    let rows = out.out.lines().count();
    assert_eq!(out.code, Some(i32::from(rows == 0)), "{filter}: {out:?}");
    rows
}

#[test]
fn the_filters_of_the_main_job_select_flows() {
    for (filter, rows) in [
        ("11211", 4),
        ("port 11211", 4),
        ("13.125.33.130", 4),
        ("172.16.0.0/12", 4),
        ("10.0.0.0/8", 4),
        ("eni-0536faba73134a9b7", 4),
        ("udp and bytes > 1000", 3),
        // NODATA and SKIPDATA have no port, so neither side is 443.
        ("not port 443", 9),
        ("port != 443", 7),
        ("(src_port=11211 OR dest_port=11211)", 4),
        ("reject", 1),
        ("nodata", 1),
        ("2001:db8::/32", 1),
        ("icmp", 1),
        ("/33\\.130 172/", 2),
        ("@2018-08-20T15:26..2018-08-20T15:28", 4),
        ("bytes < 1", 0),
    ] {
        assert_eq!(count("flows", filter), rows, "{filter}");
    }
}

#[test]
fn the_filters_of_the_main_job_select_sessions() {
    for (filter, rows) in [
        ("11211", 2),
        ("port 11211", 2),
        ("13.125.33.130", 2),
        ("172.16.0.0/12", 2),
        ("10.0.0.0/8", 3),
        ("eni-0536faba73134a9b7", 2),
        ("udp and bytes > 1000", 2),
        ("not port 443", 5),
        ("(src_port=11211 OR dest_port=11211)", 2),
        ("ratio > 100", 1),
        ("ratio = 1026.5", 1),
        ("client 13.125.33.130 and server.port in @amplification", 2),
        ("state = unanswered", 3),
    ] {
        assert_eq!(count("sessions", filter), rows, "{filter}");
    }
}

#[test]
fn a_filter_selects_alerts_by_whom_they_are_about() {
    let alerts = |filter: &str| {
        let out = feed(&["open", "-", "--print", "alerts", "--filter", filter], input().as_bytes());
        out.out.lines().filter(|line| line.contains("\"AMP-PROBE\"")).count()
    };
    assert_eq!(alerts("11211"), 2);
    assert_eq!(alerts("13.125.33.130"), 2);
    assert_eq!(alerts("port 443"), 0);
}

#[test]
fn pairing_and_detection_see_what_the_filter_hides() {
    let out = feed(&["open", "-", "--print", "sessions", "--filter", "resp.bytes = 51327"], FOUNDING.as_bytes());
    let sessions = out.objects();
    assert_eq!((sessions.len(), &sessions[0]["req_bytes"]), (1, &50.into()));
}

#[test]
fn a_wrong_filter_is_pointed_at() {
    for (filter, place) in [("bytes > > 3", 8), ("port 443 and (udp", 13), ("colour = 5", 0), ("udp and 70000", 8)] {
        let out = run(&["demo", "--print", "flows", "--filter", filter]);
        assert_eq!(
            (out.code, out.out.as_str()),
            (Some(2), ""),
            "a filter that does not parse never means everything: {filter}"
        );
        let lines: Vec<&str> = out.err.lines().collect();
        assert!(lines[0].starts_with("flowtail: --filter: ") && !lines[0].ends_with(' '), "{}", out.err);
        let typed = lines.iter().position(|line| line.trim() == filter).unwrap_or_else(|| panic!("{}", out.err));
        assert_eq!(lines[typed + 1].find('^').map(|column| column - 2), Some(place), "{}", out.err);
    }
}

#[test]
fn a_field_that_the_rows_lack_is_a_warning_and_matches_nothing() {
    let out = feed(&["open", "-", "--print", "flows", "--filter", "ratio > 1"], FOUNDING.as_bytes());
    assert_eq!((out.code, out.out.as_str()), (Some(1), ""));
    assert!(out.err.contains("--filter") && out.err.contains("ratio"), "{}", out.err);
}

#[test]
fn a_phase_that_nothing_can_have_is_said() {
    let out = feed(&["open", "-", "--print", "sessions", "--filter", "phase = new"], input().as_bytes());
    assert!(out.code == Some(1) && out.err.contains("Say it with --change"), "{out:?}");
}

#[test]
fn sessions_are_told_apart_by_the_time_of_a_change() {
    // The priming ends at 15:26:42, the trigger begins at 15:26:46.
    let open = ["open", "-", "--print", "sessions"];
    let print = |more: &[&str]| feed(&[&open[..], more].concat(), FOUNDING.as_bytes());
    let phases = |change: &str| -> Vec<String> {
        let out = print(&["--change", change]);
        assert_eq!(out.err, "");
        let mut all: Vec<_> =
            out.objects().iter().map(|one| format!("{} {}", one["client_port"], one["phase"])).collect();
        all.sort();
        all
    };
    assert_eq!(phases("2018-08-20T15:26:44Z"), ["22222 \"before\"", "40396 \"new\""]);
    assert_eq!(phases("2018-08-20 15:27:00 isolated"), ["22222 \"before\"", "40396 \"surviving\""]);
    assert_eq!(phases("1534778600"), ["22222 \"new\"", "40396 \"new\""]);
    let out = print(&["--change", "2018-08-20T15:27:00Z", "--filter", "phase = surviving"]);
    assert_eq!((out.err.as_str(), out.objects().len()), ("", 1));
    assert!(print(&["--as", "csv", "--change", "1534778600"]).out.starts_with("id,"));
    assert!(!print(&[]).out.contains("\"phase\""), "without a change there is none");
    let out = print(&["--change", "soon"]);
    assert!(out.code == Some(2) && out.err.contains("soon is no time"), "{out:?}");
}

#[test]
fn a_field_that_no_line_carries_is_said_where_no_row_comes_of_it() {
    let out = feed(&["open", "-", "--print", "flows", "--filter", "flags ~ syn"], FOUNDING.as_bytes());
    assert_eq!((out.code, out.out.as_str()), (Some(1), ""));
    assert!(out.err.contains("no record so far carries `tcp-flags`"), "{}", out.err);
    // What is known without the line is no such field.
    let out = feed(&["open", "-", "--print", "flows", "--filter", "region us-west-1 or 11211"], FOUNDING.as_bytes());
    assert_eq!((out.code, out.err.as_str()), (Some(0), ""), "{out:?}");
}

#[test]
fn what_can_match_nothing_is_said_and_what_is_no_unit_is_an_error() {
    for (filter, says) in [("tcp udp", "never both true"), ("bytes > 10 and bytes < 5", "never both true")] {
        let out = feed(&["open", "-", "--print", "flows", "--filter", filter], FOUNDING.as_bytes());
        assert_eq!(out.code, Some(1), "{out:?}");
        assert!(out.err.contains(says), "{}", out.err);
    }
    let out = run(&["demo", "--print", "flows", "--filter", "bytes > 10 parsecs"]);
    assert_eq!(out.code, Some(2), "{out:?}");
    assert!(out.err.contains("`parsecs` is no unit here") && out.err.contains("^^^^^^^"), "{}", out.err);
}
