//! Holding, growing, closing, bounds, and hostile input.

use super::*;

/// Probes of one server by `client`, `count` sessions from `start`.
fn probes(client: &str, start: u64, count: u64) -> String {
    let mut text = String::new();
    for n in 0..count {
        let (from, to, port) = (start + n * 30, start + n * 30 + 20, 41_000 + n);
        _ = writeln!(text, "2 1 eni-1 {client} 10.0.0.5 {port} 11211 17 1 50 {from} {to} ACCEPT OK");
        _ = writeln!(text, "2 1 eni-1 10.0.0.5 {client} 11211 {port} 17 36 51327 {from} {to} ACCEPT OK");
    }
    text
}

const HARMLESS: &str = "2 1 eni-1 10.0.0.1 10.0.0.2 40000 443 6 5 500 1534900000 1534900010 ACCEPT OK";

#[test]
fn an_exposure_waits_for_a_probe_and_is_raised_without_one() {
    let exposed = "2 1 eni-1 9.9.9.9 10.0.0.5 41000 1900 17 1 90 1534778700 1534778710 ACCEPT OK
                   2 1 eni-1 10.0.0.5 9.9.9.9 1900 41000 17 1 300 1534778700 1534778710 ACCEPT OK";
    let mut bench = Bench::new(&builtin(), Limits::default(), 60);
    bench.read(exposed, 1);
    assert!(bench.events.is_empty(), "held back for five minutes");
    bench.read(&HARMLESS.replace("15349000", "15347790"), 1);
    assert_eq!(ids(&bench.alerts()), ["AMP-EXPOSED"], "raised while the input goes on");
    assert_eq!(ids(&run(&builtin(), exposed)), ["AMP-EXPOSED"], "raised at the end of a short input");
    assert_eq!(ids(&run(&builtin(), &probes("9.9.9.9", 1_534_778_700, 1))), ["AMP-PROBE"], "absorbed");
}

#[test]
fn one_incident_is_one_alert_that_grows_and_closes() {
    let mut bench = Bench::new(&builtin(), Limits::default(), 60);
    bench.read(&probes("9.9.9.9", 1_534_778_700, 5), 2);
    let open: Vec<Alert> = bench.alerts();
    assert_eq!(ids(&open), ["AMP-PROBE"]);
    assert_eq!((open[0].count, open[0].first, open[0].last, open[0].closed), (10, 1_534_778_700, 1_534_778_840, false));
    // Half an hour of silence ends it; the same again is another incident.
    bench.read(HARMLESS, 1);
    assert!(bench.events.iter().any(|event| matches!(event, AlertEvent::Closed(alert) if alert.id == open[0].id)));
    bench.read(&probes("9.9.9.9", 1_534_900_100, 1), 1);
    let all = bench.finish().alerts();
    assert_eq!(ids(&all), ["AMP-PROBE", "AMP-PROBE"]);
    assert_eq!(all[1].count, 2, "old evidence is not counted again");
    assert!(all.iter().all(|alert| alert.closed));
}

#[test]
fn a_rule_for_sessions_absorbs_one_for_records_of_the_same_hosts() {
    let upload = |from: &str, to: &str, packets, bytes: u64, start: u64| {
        format!(
            "2 1 eni-1 {from} {to} 40001 443 6 {packets} {bytes} {start} {0} ACCEPT OK
             2 1 eni-1 {to} {from} 443 40001 6 20 2800 {start} {0} ACCEPT OK\n",
            start + 50
        )
    };
    let known = upload("10.0.0.5", "9.9.9.1", 20, 4_000, 1_534_778_700);
    // Two uploads of 1.2 GB: one to a stranger, and one to an address that another host has long talked to.
    let mut text = known + &upload("10.0.0.6", "9.9.9.1", 20, 4_000, 1_534_778_700);
    text += &upload("10.0.0.5", "7.7.7.7", 900_000, 1_200_000_000, 1_534_808_700);
    text += &upload("10.0.0.6", "9.9.9.1", 900_000, 1_200_000_000, 1_534_808_700);
    let alerts = alerts(&text);
    let about = |alert: &Alert| format!("{} {}", alert.rule, alert.message.split(' ').next().unwrap());
    let mut about: Vec<String> = alerts.iter().map(about).filter(|said| !said.contains("RATIO")).collect();
    about.sort_unstable();
    assert_eq!(about, ["EXFIL-UP 10.0.0.5", "VOL-LARGE 10.0.0.6"]);
}

#[test]
fn a_flood_of_probes_becomes_one_alert_over_all_clients() {
    let mut text = String::new();
    for n in 0..200_u64 {
        text.push_str(&probes(&format!("9.{}.{}.9", n / 100, n % 100), 1_534_778_700 + n / 10, 1));
    }
    let alerts = alerts(&text);
    assert_eq!(ids(&alerts), ["AMP-REFLECTOR-AGG"], "{} alerts", alerts.len());
    assert!(alerts[0].message.contains("200 addresses"), "{}", alerts[0].message);
    assert_eq!(alerts[0].level, Level::High);
}

#[test]
fn random_ports_and_addresses_do_not_explode_state() {
    let limits = Limits { max_groups: 256, memory: 1 << 20, ..Limits::default() };
    let mut bench = Bench::new(&builtin(), limits, 600);
    let mut text = String::new();
    for n in 0..20_000_u64 {
        let (a, b, port) = (n / 250 % 250, n % 250, 1_024 + n * 7 % 60_000);
        _ = writeln!(text, "2 1 eni-1 9.{a}.{b}.1 10.0.0.5 {port} 11211 17 1 50 1534778700 1534778710 ACCEPT OK");
        _ = writeln!(text, "2 1 eni-1 10.0.0.5 9.{a}.{b}.1 11211 {port} 17 36 51327 1534778700 1534778710 ACCEPT OK");
    }
    bench.read(&text, 1_000);
    let stats = bench.detector.stats();
    let rules = builtin().iter().count() as u64;
    assert!(stats.groups <= rules * 256, "{stats:?}");
    assert!(stats.evicted_groups > 0 && stats.forgotten_sessions > 0, "what was dropped is counted: {stats:?}");
    let alerts = bench.finish().alerts();
    assert!(alerts.iter().any(|alert| &*alert.rule == "AMP-REFLECTOR-AGG"), "the flood itself is still found");
}

#[test]
fn the_book_of_alerts_is_bounded() {
    let limits = Limits { alerts: 10, ..Limits::default() };
    let mut bench = Bench::new(&builtin(), limits, 60);
    for n in 0..50_u64 {
        let start = 1_534_778_700 + n * 10_000;
        let text = probes("9.9.9.9", start, 1).replace("10.0.0.5", &format!("10.0.1.{n}"));
        bench.read(&text, 1);
    }
    assert!(bench.alerts().len() <= 10);
    assert!(bench.detector.stats().evicted_alerts >= 30, "{:?}", bench.detector.stats());
}

#[test]
fn times_at_the_edge_do_not_harm() {
    let mut bench = Bench::new(&builtin(), Limits::default(), 60);
    for (start, end) in [(0_u64, 0_u64), (1, u64::from(u32::MAX)), (9_000_000_000_000, 9_000_000_000_001)] {
        let text = format!(
            "2 1 eni-1 9.9.9.9 10.0.0.5 41000 11211 17 1 50 {start} {end} ACCEPT OK
             2 1 eni-1 10.0.0.5 9.9.9.9 11211 41000 17 36 51327 {start} {end} ACCEPT OK"
        );
        bench.read(&text, 1);
    }
    bench.detector.advance(i64::MAX);
    bench.detector.advance(i64::MIN);
    assert!(ids(&bench.finish().alerts()).contains(&"AMP-PROBE"));
}

#[test]
fn novelty_waits_for_its_baseline() {
    let known = "2 1 eni-1 10.0.0.5 9.9.9.9 40001 443 6 20 3000 1534770000 1534770060 ACCEPT OK
                 2 1 eni-1 9.9.9.9 10.0.0.5 443 40001 6 20 9000 1534770000 1534770060 ACCEPT OK\n";
    let odd = |time: u64| {
        format!(
            "2 1 eni-1 10.0.0.5 9.9.9.7 40002 4222 6 20 3000 {time} {time} ACCEPT OK
             2 1 eni-1 9.9.9.7 10.0.0.5 4222 40002 6 20 9000 {time} {time} ACCEPT OK\n"
        )
    };
    // A port that no other rule asks for. A tail learns for a day, and then speaks at once.
    let mut bench = Bench::new(&builtin(), Limits::default(), 60);
    bench.read(&format!("{known}{}", odd(1_534_770_000 + 80_000)), 1);
    assert!(bench.events.is_empty(), "not learned yet");
    let mut bench = Bench::new(&builtin(), Limits::default(), 60);
    bench.read(&format!("{known}{}", odd(1_534_770_000 + 90_000)), 1);
    assert_eq!(ids(&bench.alerts()), ["NEW-PORT"]);
    assert!(bench.alerts()[0].message.contains("since the oldest record held: 4222"), "{}", bench.alerts()[0].message);
    // Where the span is known, a tenth of it is enough (half an hour at least), and nothing has to wait for the end.
    let mut bench = Bench::new(&builtin(), Limits::default(), 60);
    bench.detector.expect_span(1_534_770_000, 1_534_780_000);
    bench.read(&format!("{known}{}", odd(1_534_771_700)), 1);
    assert!(bench.alerts().is_empty(), "within the first half hour");
    let mut bench = Bench::new(&builtin(), Limits::default(), 60);
    bench.detector.expect_span(1_534_770_000, 1_534_780_000);
    bench.read(&format!("{known}{}", odd(1_534_771_900)), 1);
    assert_eq!(ids(&bench.alerts()), ["NEW-PORT"]);
}

#[test]
fn guessed_directions_raise_no_ratio() {
    // Neither port is of a known service: the direction is a guess.
    let text = "2 1 eni-1 9.9.9.9 10.0.0.5 41000 42000 17 100000 150000000 1534778700 1534778760 ACCEPT OK
                2 1 eni-1 10.0.0.5 9.9.9.9 42000 41000 17 10 500 1534778700 1534778760 ACCEPT OK";
    assert!(alerts(text).is_empty());
}

#[test]
fn users_rules_override_disable_and_add() {
    let mut rules = builtin();
    let before = rules.iter().count();
    let text = rules.get("amp-probe").expect("built in").text.replace("level = \"high\"", "level = \"low\"");
    rules.merge(Rules::parse(&text, "mine.toml").expect("valid"));
    assert_eq!(rules.iter().count(), before);
    let alerts = run(&rules, FOUNDING);
    assert!(alerts.iter().any(|alert| &*alert.rule == "AMP-PROBE" && alert.level == Level::Low));
    let off = text.replace("title =", "enabled = false\ntitle =");
    rules.merge(Rules::parse(&off, "mine.toml").expect("valid"));
    let alerts = run(&rules, FOUNDING);
    assert!(ids(&alerts).contains(&"AMP-EXPOSED"), "what is switched off absorbs nothing: {:?}", ids(&alerts));
}

#[test]
fn alerts_and_detector_cross_threads() {
    fn sendable<T: Send + Sync + 'static>() {}
    fn movable<T: Send>() {}
    sendable::<Arc<Alert>>();
    sendable::<AlertEvent>();
    movable::<Detector>();
}

/// A window of an interface that AWS could not keep, and a record of another, with which the watermark moves on.
fn skipped(interface: &str, start: u64) -> String {
    let end = start + 60;
    format!(
        "2 1 {interface} - - - - - - - {start} {end} - SKIPDATA
         2 1 eni-9 10.0.0.1 10.0.0.2 40000 443 6 5 500 {start} {end} ACCEPT OK\n"
    )
}

#[test]
fn what_many_groups_show_is_one_alert_whichever_came_first() {
    let t = 1_534_778_700;
    let lines = [skipped("eni-1", t), skipped("eni-2", t), skipped("eni-2", t + 60), skipped("eni-3", t)];
    let alone = run(&builtin(), &lines[0]);
    assert_eq!(alone[0].group, [(Field::InterfaceId, Cell::Text("eni-1".into()))], "one reads as its rule says");
    assert!(alone[0].among.is_empty());
    let mut backwards = lines.clone();
    backwards.reverse();
    for order in [lines, backwards] {
        let mut bench = Bench::new(&builtin(), Limits::default(), 600);
        bench.read(&order.concat(), 1);
        let raised = bench.events.iter().filter(|event| matches!(event, AlertEvent::Raised(_))).count();
        assert_eq!(raised, 1, "{:#?}", bench.events);
        let alerts = bench.finish().alerts();
        assert_eq!(ids(&alerts), ["LOG-GAP"]);
        let alert = &alerts[0];
        assert!(alert.group.is_empty() && alert.closed);
        assert_eq!((value(&alert.measured, "groups"), value(&alert.measured, "windows")), (3.0, 2.0));
        let apart: Vec<&Cell> = alert.apart().flatten().collect();
        assert_eq!(
            apart,
            ["eni-2", "eni-1", "eni-3"].map(|name| Cell::Text(name.into())).each_ref(),
            "the worst first"
        );
        assert_eq!((alert.first, alert.last, alert.count), (1_534_778_700, 1_534_778_820, 4));
        assert_eq!(alert.filter, "log-status = SKIPDATA");
    }
}

#[test]
fn what_speaks_for_many_is_muted_until_there_is_another() {
    use crate::detect::mute::{Mute, Mutes, joined, parts};
    let t = 1_534_778_700;
    let three = run(&builtin(), &["eni-1", "eni-2", "eni-3"].map(|name| skipped(name, t)).concat());
    let four = run(&builtin(), &["eni-1", "eni-2", "eni-3", "eni-4"].map(|name| skipped(name, t)).concat());
    let mute =
        |group: &[(Field, Cell)]| Mute { rule: "LOG-GAP".to_owned(), group: Some(joined(&parts(group))), until: None };
    let mut mutes = Mutes::default();
    mutes.add(mute(&three[0].among[0]));
    assert!(!mutes.covers(&three[0]), "two of them are heard");
    three[0].among.iter().for_each(|group| mutes.add(mute(group)));
    assert!(mutes.covers(&three[0]) && !mutes.covers(&four[0]));
    assert!(mutes.covers(&run(&builtin(), &skipped("eni-2", t))[0]), "alone too");
    // An alert that cannot list all of them is not muted by those that it lists.
    let many: Vec<String> = (100..160).map(|n| skipped(&format!("eni-{n}"), t)).collect();
    let many = run(&builtin(), &many.concat());
    many[0].among.iter().for_each(|group| mutes.add(mute(group)));
    assert!(many[0].speaks_for_more() && many[0].among.len() == 50 && !mutes.covers(&many[0]));
}

#[test]
fn it_goes_on_as_long_as_one_of_them_does_and_is_over_once() {
    let (t, hour) = (1_534_778_700, 3_600);
    let mut bench = Bench::new(&builtin(), Limits::default(), 60);
    for (interface, start) in [("eni-1", t), ("eni-2", t + hour - 300), ("eni-2", t + 2 * hour - 900)] {
        bench.read(&skipped(interface, start), 1);
    }
    assert_eq!(ids(&bench.alerts()), ["LOG-GAP"], "the first alone would be over after an hour");
    bench.read(HARMLESS, 1);
    bench.read(&skipped("eni-1", 1_534_900_100), 1);
    let alerts = bench.finish().alerts();
    assert_eq!(ids(&alerts), ["LOG-GAP", "LOG-GAP"], "{alerts:#?}");
    assert_eq!((alerts[0].among.len(), alerts[1].among.len()), (2, 0));
}

#[test]
fn who_spoke_for_others_and_is_disproved_leaves_them_to_speak() {
    let rules = r#"
[[rule]]
id = "SILENT"
title = "silent"
level = "low"
on = "session"
filter = 'resp.packets = 0'
symmetric = true
group_by = ["client", "server.port"]
timespan = "10m"
condition = 'count() >= 1'
message = "{client}"
gather = { by = ["server.port"], message = "{groups} on {server.port}: {values}", evidence = "server.port {server.port}" }
"#;
    let asked = |n: u64| format!("2 1 eni-1 10.0.0.{n} 9.9.9.9 40000 443 6 1 44 1534778700 1534778710 ACCEPT OK\n");
    let answered = |n: u64| format!("2 1 eni-1 9.9.9.9 10.0.0.{n} 443 40000 6 9 900 1534778700 1534778710 ACCEPT OK\n");
    let mut bench = Bench::new(&Rules::parse(rules, "mine.toml").expect("valid"), Limits::default(), 600);
    bench.read(&(asked(1) + &asked(2) + &asked(3)), 1);
    assert_eq!(bench.alerts()[0].message, "3 on 443: 10.0.0.1, 10.0.0.2, 10.0.0.3");
    bench.read(&answered(1), 1);
    assert_eq!(
        bench.alerts().iter().map(|alert| &*alert.message).collect::<Vec<_>>(),
        ["2 on 443: 10.0.0.2, 10.0.0.3"]
    );
    bench.read(&answered(3), 1);
    assert_eq!(bench.alerts().iter().map(|alert| &*alert.message).collect::<Vec<_>>(), ["10.0.0.2"], "alone again");
    bench.read(&answered(2), 1);
    assert!(bench.finish().alerts().is_empty());
}
#[test]
fn a_baseline_stands_for_the_time_before_the_oldest_record() {
    use crate::detect::baseline::{Baseline, Use};
    let both = |port: u16, time: u64| {
        format!(
            "2 1 eni-1 10.0.0.5 9.9.9.7 40002 {port} 6 20 3000 {time} {time} ACCEPT OK
             2 1 eni-1 9.9.9.7 10.0.0.5 {port} 40002 6 20 9000 {time} {time} ACCEPT OK\n"
        )
    };
    let text = both(4333, 1_534_770_000) + &both(4222, 1_534_770_060);
    let used = Use { client: Some([10, 0, 0, 5].into()), port: Some(4333), ..Use::default() };
    let baseline =
        Arc::new(Baseline { from: 1_534_100_000, to: 1_534_704_800, uses: vec![used], ..Baseline::default() });
    let mut without = Bench::new(&builtin(), Limits::default(), 60);
    without.read(&text, 1);
    assert_eq!(ids(&without.alerts()), [""; 0]);
    let known = "not seen from it in the 7 days to 2018-08-19T18:53:20Z, nor in what was read since: 4222";
    // Before the records, and in the middle of them: what is known is the same.
    for late in [false, true] {
        let mut bench = Bench::new(&builtin(), Limits::default(), 60);
        if late {
            bench.read(&text, 1);
        }
        bench.detector.teach(&baseline);
        if late {
            bench.detector.advance(1_534_770_000);
            bench.events.extend(bench.detector.drain());
        } else {
            bench.read(&text, 1);
        }
        assert_eq!(ids(&bench.alerts()), ["NEW-PORT"], "late: {late}");
        assert!(bench.alerts()[0].message.ends_with(known), "{}", bench.alerts()[0].message);
    }
}
