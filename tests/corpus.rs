//! The program against logs that others collected (`/work/shared/corpus` of the development machine; licences forbid a copy in here).
//!
//! Runs where the environment variable `FLOWTAIL_CORPUS` names the folder. Without it, it says so and passes, except in CI.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The corpus, or `None` where there is none.
fn corpus() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("FLOWTAIL_CORPUS") {
        let folder = PathBuf::from(folder);
        assert!(folder.is_dir(), "FLOWTAIL_CORPUS names {}, which is no folder", folder.display());
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "CI must set FLOWTAIL_CORPUS");
    eprintln!("SKIPPED: FLOWTAIL_CORPUS is not set, nothing was tested");
    None
}

/// The logs in a folder of the corpus.
fn logs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut logs: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    assert!(!logs.is_empty(), "no logs in {}", folder.display());
    logs
}

fn open(log: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_flowtail"))
        .arg("open")
        .arg(log)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {output:?}", log.display());
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

fn summary(log: &Path) -> Value {
    serde_json::from_str(&open(log, &["--print", "summary"])).expect("the summary is JSON")
}

/// Alerts as they were when they were closed.
fn alerts(log: &Path) -> Vec<Value> {
    let alerts = open(log, &["--print", "alerts"]);
    let alerts = alerts.lines().map(|line| serde_json::from_str::<Value>(line).expect("an alert is JSON"));
    alerts.filter(|alert| alert["status"] == "closed").collect()
}

fn is_amplification(alert: &Value) -> bool {
    alert["rule"].as_str().is_some_and(|rule| rule.starts_with("AMP-"))
}

/// The lines of a log, header aside, as they are given back: single spaces.
fn records(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).expect("a readable log");
    text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn every_documented_format_is_read_and_given_back() {
    let Some(corpus) = corpus() else { return };
    for folder in ["formats", "benign", "attacks"] {
        for log in logs(&corpus.join(folder)) {
            let bad = u64::from(log.ends_with("bad_too_few_fields.log"));
            let (name, summary, records) = (log.display(), summary(&log), records(&log));
            assert_eq!(summary["unparsed"], bad, "{name}: {summary}");
            assert_eq!(summary["headers"], 1, "{name}: {summary}");
            assert_eq!(summary["lines"], records.len() + 1, "{name}: {summary}");
            if bad == 0 {
                let given: Vec<String> = open(&log, &["--as", "log"]).lines().map(str::to_owned).collect();
                assert_eq!(given.len(), records.len(), "{name}");
                for (given, line) in given.iter().zip(&records) {
                    assert_eq!(given, line, "{name}");
                }
            }
        }
    }
}

#[test]
fn ordinary_traffic_raises_at_most_a_handful_of_alerts() {
    let Some(corpus) = corpus() else { return };
    for log in logs(&corpus.join("benign")) {
        let alerts = alerts(&log);
        assert!(alerts.len() <= 5, "{}: {alerts:#?}", log.display());
        assert!(!alerts.iter().any(is_amplification), "{}: {alerts:#?}", log.display());
    }
}

#[test]
fn each_amplification_attack_raises_one_alert() {
    let Some(corpus) = corpus() else { return };
    for (log, rule, field, host) in [
        ("botsv3_memcached_reconstructed.log", "AMP-PROBE", "server", "172.16.0.178"),
        ("ddos_in_snmp_reflection.log", "AMP-VICTIM", "client", "10.20.1.10"),
        ("ddos_in_dns_rrsig_reflection.log", "AMP-VICTIM", "client", "10.20.1.10"),
    ] {
        let alerts = alerts(&corpus.join("attacks").join(log));
        let amplified: Vec<&Value> = alerts.iter().filter(|alert| is_amplification(alert)).collect();
        let [alert] = amplified[..] else { panic!("{log}: {alerts:#?}") };
        assert_eq!((&alert["rule"], &alert["group"][field]), (&rule.into(), &host.into()), "{log}");
    }
}

#[test]
fn every_envelope_is_opened() {
    let Some(corpus) = corpus() else { return };
    let envelope = |name: &str| corpus.join("envelopes").join(name);
    for (name, lines, records, nodata, headers) in [
        ("cloudwatch_subscription.json", 2, 2, 0, 0),
        ("newrelic_subscription.json", 1, 0, 1, 0),
        ("s3_with_header.log.gz", 4, 3, 0, 1),
    ] {
        let summary = summary(&envelope(name));
        let counts = ["lines", "records", "nodata", "headers", "unparsed"].map(|key| summary[key].as_u64());
        assert_eq!(counts, [lines, records, nodata, headers, 0].map(Some), "{name}: {summary}");
    }
    // The messages are of a format that nothing in the file names.
    let custom = envelope("cloudwatch_subscription_custom_format.json");
    let quarantine = open(&custom, &["--print", "quarantine"]);
    assert!(quarantine.lines().count() == 2 && quarantine.contains("name it with --format"), "{quarantine}");
    let rows = open(&custom, &["--format", "version interface-id srcaddr dstaddr", "--as", "ndjson"]);
    for row in rows.lines().map(|row| serde_json::from_str::<Value>(row).expect("a row is JSON")) {
        assert_eq!(row["@log-stream"], "eni-1234567890abcdef", "{row}");
        assert!(
            row["@event-id"].as_str().is_some_and(|id| id.len() > 40) && row["interface-id"] == "eni-1235b8ca123456789"
        );
    }
    assert_eq!(rows.lines().count(), 2);
}

#[test]
fn a_parquet_file_is_read_or_says_what_to_do() {
    let Some(corpus) = corpus() else { return };
    let file = corpus.join("envelopes/flows.parquet");
    if cfg!(feature = "parquet") {
        let summary = summary(&file);
        // One of the three rows has protocol 8080, which no protocol is.
        let counts = ["lines", "records", "nodata", "unparsed"].map(|key| summary[key].as_u64());
        assert_eq!(counts, [3, 1, 1, 1].map(Some), "{summary}");
        assert!(open(&file, &["--print", "quarantine"]).contains("field protocol cannot be '8080'"));
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_flowtail")).arg("open").arg(&file).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("cargo install flowtail --features parquet"),
        "{output:?}"
    );
}

#[test]
fn the_real_scan_of_47_ports_is_one_alert_and_the_rest_of_that_log_is_none() {
    let Some(corpus) = corpus() else { return };
    let alerts = alerts(&corpus.join("benign/cribl_us-east-1_2021_v2.log"));
    let [alert] = &alerts[..] else { panic!("{alerts:#?}") };
    assert_eq!(alert["rule"], "SCAN-VERT-STOPPED");
    assert_eq!((&alert["group"]["client"], &alert["group"]["server"]), (&"217.12.208.8".into(), &"10.0.0.138".into()));
    // What it rests on can be asked for.
    let filter = alert["filter"].as_str().expect("an alert has the filter of its evidence");
    let log = corpus.join("benign/cribl_us-east-1_2021_v2.log");
    let evidence = open(&log, &["--print", "sessions", "--as", "ndjson", "--filter", filter]);
    assert!((46..=47).contains(&evidence.lines().count()), "{evidence}");
}

#[test]
fn the_captured_scan_is_one_alert() {
    let Some(corpus) = corpus() else { return };
    let alerts = alerts(&corpus.join("attacks/scan_syn_vertical_nmap.log"));
    let [alert] = &alerts[..] else { panic!("{alerts:#?}") };
    assert_eq!((&alert["rule"], &alert["group"]["client"]), (&"SCAN-VERT-EXTERNAL".into(), &"198.51.100.8".into()));
}
