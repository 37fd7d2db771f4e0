//! Each shape as it should be, and what stands beside it.

use super::*;

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
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    for first in [record(1), filtered(1).to_string()] {
        assert_eq!(read(format!("\u{feff}{first}\n{}\n", record(2))).lines, records([1, 2]));
    }
}

/// A table as Athena writes its results: every value in quotes, the names of its own guide.
pub(super) fn table(ports: &[u16]) -> String {
    let names = "version,account,interfaceid,sourceaddress,destinationaddress,sourceport,destinationport,protocol,numpackets,numbytes,starttime,endtime,action,logstatus";
    let quoted = |line: &str, between| {
        line.split(between).map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(",") + "\n"
    };
    quoted(names, ',') + &ports.iter().map(|port| quoted(&record(*port), ' ')).collect::<String>()
}

#[test]
fn tables_are_read_with_and_without_quotes() {
    let all = read(table(&[1, 2, 3]));
    assert_eq!((all.lines, all.rejects.len(), all.remarks.len()), (records(1..4), 0, 0));
    assert_eq!(all.formats, ["default (version 2), from the names beside the values"]);

    let names = "interface_id,srcaddr,dstaddr,bytes,start,day\r\n";
    let rows = "eni-1,10.0.0.1,10.0.0.2,77,2018-08-20 15:26:46.000,20\r\n\r\neni-1,,-,\"78\",\"1534778806\",\"2,0\"";
    let all = read(format!("{names}{rows}"));
    assert_eq!(all.lines, ["eni-1 10.0.0.1 10.0.0.2 77 1534778806", "eni-1 - - 78 1534778806"]);
    assert_eq!(all.rejects, []);
    assert!(all.remarks.len() == 1 && all.remarks[0].contains("'day'"), "{:?}", all.remarks);
}

#[test]
fn a_table_ends_at_a_line_without_commas_and_a_bad_row_costs_itself() {
    let text = format!("{}\"1\",\"2\"\n{}{}\n{}\n{}", table(&[1]), table(&[2]), record(3), filtered(4), table(&[5]));
    let all = read(text);
    assert_eq!(all.lines, records(1..6));
    let rejects: Vec<_> = all.rejects.iter().map(|bad| (bad.0, bad.1, &*bad.2)).collect();
    assert_eq!(rejects, [(3, "bad-row", "\"1\",\"2\"")]);
    let long = format!("{}{}\n{}\n", table(&[1]), "1,".repeat(5_000), record(2));
    let all = read(long);
    assert_eq!((all.lines, all.rejects.len()), (records([1, 2]), 1));
}

#[test]
fn records_of_streams_are_unpacked() {
    for document in [kinesis(&[1, 2, 3]), firehose(&[1, 2, 3])] {
        for text in [document.to_string(), format!("{document:#}\n")] {
            let all = read(&text);
            assert_eq!((all.lines, all.rejects.len()), (records(1..4), 0), "{text}");
        }
    }
    assert_eq!(read(firehose(&[7]).to_string()).tags, [tag(7, None)], "stream and id are those of the subscription");
    let lambda = json!({"Records": [{"kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "p", "data": packed(&subscription(&[1, 2]).to_string())},
        "eventSource": "aws:kinesis", "eventID": "shardId-0:1", "awsRegion": "us-west-1"}]});
    assert_eq!(read(lambda.to_string()).lines, records(1..3));
    let direct = json!({"awslogs": {"data": packed(&subscription(&[1, 2]).to_string())}});
    assert_eq!(read(direct.to_string()).lines, records(1..3));
    let several = format!("{}\n{}\n", record(1), record(2));
    let put = json!({"requestId": "x", "timestamp": 1_534_778_900_123_i64, "records": [{"data": base64(several.as_bytes())},
        {"data": packed(&record(3))}, {"data": base64(format!("{}{}", flat(4), filtered(5)).as_bytes())}]});
    assert_eq!(read(put.to_string()).lines, records(1..6));
    assert_eq!(read(json!({"Records": [flat(1), flat(2)]}).to_string()).lines, records(1..3));
}
