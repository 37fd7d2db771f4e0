//! What is cut short, damaged or hostile.

use super::*;

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
fn what_a_stream_carries_may_be_damaged_or_too_much() {
    let cut = packed(&record(1));
    let document = json!({"Records": [{"data": "c29tZXRoaW5nIGVsc2UgdGhhbiByZWNvcmRz\u{1}"}, {"data": base64(b"\x00\x01 no record at all \x02")},
        {"data": &cut[..cut.len() - 12]}, {"data": base64(b"{\"message\": oops, so it is")}, {"data": base64(record(2).as_bytes())}]});
    let all = read(document.to_string());
    assert_eq!(all.lines, records([2]));
    let reasons: Vec<_> = all.rejects.iter().map(|bad| bad.1).collect();
    assert_eq!(reasons, ["bad-json", "cut-short", "no-record", "no-record"]);

    // Each is below the limit, together they are not.
    let half = packed(&" ".repeat(LONGEST_VALUE / 2));
    let bombs = json!({"x": 1, "records": vec![json!({"data": half}); 4]}).to_string();
    let all = outcome(format!("{bombs}\n{}\n", record(1)).as_bytes(), 256 << 10);
    assert_eq!(all.lines, records([1]));
    assert!(all.rejects.iter().filter(|bad| bad.1 == "bomb").count() >= 1, "{:?}", all.rejects);
}
