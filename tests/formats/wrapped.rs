//! Records in envelopes, read by the program itself.

use std::io::Write as _;
use std::process::Command;

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::V2;

/// What `flowtail open` makes of a file with these bytes, as lines of the log and as its summary.
#[track_caller]
fn opened(bytes: &[u8]) -> (String, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows");
    std::fs::write(&path, bytes).unwrap();
    let run = |more: [&str; 2]| {
        let output = Command::new(env!("CARGO_BIN_EXE_flowtail")).arg("open").arg(&path).args(more).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let summary = run(["--print", "summary"]);
    (run(["--as", "log"]), serde_json::from_str(&summary).unwrap())
}

fn subscription() -> String {
    let event = json!({"id": "1", "timestamp": 1_700_000_000_000_u64, "message": V2});
    json!({
        "messageType": "DATA_MESSAGE", "owner": "004455667788", "logGroup": "flows",
        "logStream": "eni-0abc1234def567890-all", "subscriptionFilters": ["all"], "logEvents": [event],
    })
    .to_string()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn subscription_json() {
    // Two documents, one after the other without a line end.
    let text = subscription() + &subscription().replace("\"id\":\"1\"", "\"id\":\"2\"");
    for bytes in [text.clone().into_bytes(), gzip(&text)] {
        let (log, summary) = opened(&bytes);
        assert_eq!(log, format!("{V2}\n{V2}\n"));
        assert_eq!(summary["unparsed"], 0);
    }
}

#[test]
fn filter_log_events_json() {
    let event = |id: &str| {
        json!({
            "logStreamName": "eni-0abc1234def567890-all", "timestamp": 1_700_000_000_000_u64, "message": V2,
            "ingestionTime": 1_700_000_085_000_u64, "eventId": id,
        })
        .to_string()
    };
    // The second comes again.
    let (log, summary) = opened(format!("{}\n{}\n{}\n", event("1"), event("2"), event("2")).as_bytes());
    assert_eq!(log, format!("{V2}\n{V2}\n"));
    assert_eq!((&summary["lines"], &summary["records"], &summary["duplicates"]), (&json!(3), &json!(2), &json!(1)));
}

#[test]
fn message_in_json() {
    let (log, _) = opened(format!("{}\n", json!({"host": "a", "message": V2})).as_bytes());
    assert_eq!(log, format!("{V2}\n"));
}

#[test]
fn flattened_json() {
    let record = json!({
        "version": 2.0, "account_id": "004455667788", "interface_id": "eni-0abc1234def567890", "srcaddr": "198.51.100.7",
        "dstaddr": "10.0.1.20", "srcport": 51000.0, "dstport": 443.0, "protocol": 6.0, "packets": 12.0, "bytes": null,
        "start": 1_700_000_000, "end": 1_700_000_055, "action": "ACCEPT", "log_status": "OK",
    });
    let (log, _) = opened(format!("{record}\n").as_bytes());
    assert_eq!(log, format!("{}\n", V2.replace(" 3400 ", " - ")));
}

#[test]
fn records_of_a_stream() {
    // base64 of the record and a line end.
    let data = "MiAwMDQ0NTU2Njc3ODggZW5pLTBhYmMxMjM0ZGVmNTY3ODkwIDE5OC41MS4xMDAuNyAxMC4wLjEuMjAgNTEwMDAgNDQzIDYgMTIgMzQwMCAxNzAwMDAwMDAwIDE3MDAwMDAwNTUgQUNDRVBUIE9LCg==";
    for document in [
        json!({"Records": [{"SequenceNumber": "1", "Data": data}], "NextShardIterator": "x"}),
        json!({"Records": [{"eventSource": "aws:kinesis", "kinesis": {"partitionKey": "1", "data": data}}]}),
        json!({"invocationId": "x", "region": "us-west-1", "records": [{"recordId": "1", "data": data}]}),
    ] {
        let (log, summary) = opened(document.to_string().as_bytes());
        assert_eq!(log, format!("{V2}\n"), "{document}");
        assert_eq!((&summary["lines"], &summary["unparsed"]), (&json!(1), &json!(0)));
    }
}

#[test]
fn athena_csv() {
    let quoted =
        |line: &str, between| line.split(between).map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(",");
    let header = super::HEADER.replace('-', "_");
    let (log, summary) = opened(format!("{}\n{}\n", quoted(&header, ' '), quoted(V2, ' ')).as_bytes());
    assert_eq!(log, format!("{V2}\n"));
    assert_eq!((&summary["lines"], &summary["unparsed"]), (&json!(1), &json!(0)));
}
