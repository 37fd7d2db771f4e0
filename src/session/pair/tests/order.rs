//! Final sessions follow from the set of records: not from their order, nor from how they were cut into batches, nor from what came twice.

use proptest::prelude::*;

use super::*;

/// A conversation's final form, without what depends on the order of arrival (numbers) or on what came twice.
fn essence(session: &Session, names: &Names) -> String {
    let mut interfaces: Vec<_> = session.interfaces().map(|(id, _)| names.name(id).to_string()).collect();
    interfaces.sort();
    let mut decisions: Vec<_> =
        session.decisions().map(|(id, way, yes, no)| (names.name(id).to_string(), way.index(), yes, no)).collect();
    decisions.sort();
    let request = session.totals(session.request());
    let response = session.totals(session.request().reversed());
    let (client, server) = (session.client(), session.server());
    format!(
        "{client:?} {server:?} {} {request:?} {response:?} {} {} {} {:?} {:?} {:?} {interfaces:?} {decisions:?}",
        session.protocol(),
        session.first,
        session.last,
        session.records,
        session.method(),
        session.state(),
        session.action(),
    )
}

fn forms(mut table: SessionTable, names: &Names) -> Vec<String> {
    table.finish();
    let mut all: Vec<_> = table.take_finished().iter().map(|session| essence(session, names)).collect();
    all.sort();
    all
}

const LATENESS: i64 = 900;

/// What is the same for all records of a case: of one flow log there is one format.
const FORMAT: &str = "version interface-id account-id srcaddr dstaddr srcport dstport protocol packets bytes start end tcp-flags action log-status\n";

/// A record of one of few conversations, so that they meet: ports of services and others, two connections on the same ports, three interfaces,
/// windows of any length.
fn record() -> impl Strategy<Value = String> {
    let ends = (0..3_u8, 0..4_usize, prop::bool::ANY);
    let time = (0..3_600_i64, prop::sample::select(vec![0, 7, 59, 60, 61, 300, 600]));
    let flags = prop::sample::select(vec![0, 0, 1, 2, 3, 4, 18, 19]);
    (ends, time, flags, 1..4_u64, prop::bool::ANY).prop_map(|((eni, kind, forward), (start, length), flags, packets, accept)| {
        let (client, server, protocol, flags) = match kind {
            0 => ("10.0.0.1 40000", "10.0.0.2 443", 6, flags.to_string()),
            1 => ("10.0.0.1 40001", "10.0.0.2 50051", 6, flags.to_string()),
            2 => ("10.0.0.1 40002", "10.0.0.2 50052", 17, "-".to_owned()),
            _ => ("10.0.0.1 -", "10.0.0.2 -", 50, "-".to_owned()),
        };
        let (from, to) = if forward { (client, server) } else { (server, client) };
        let ((src, sport), (dst, dport)) = (from.split_once(' ').unwrap(), to.split_once(' ').unwrap());
        let action = if accept { "ACCEPT" } else { "REJECT" };
        let (bytes, end) = (packets * 60, start + length);
        format!("3 eni-{eni} 1 {src} {dst} {sport} {dport} {protocol} {packets} {bytes} {start} {end} {flags} {action} OK\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("FLOWTAIL_MANY").is_some() { 20_000 } else { 400 }))]

    #[test]
    fn final_sessions_do_not_depend_on_order_batches_or_what_comes_twice(
        records in prop::collection::vec((record(), 0..LATENESS, prop::option::of(0..LATENESS), prop::bool::ANY), 1..40)
    ) {
        let mut names = Names::default();
        let text: String = records.iter().map(|(record, ..)| record.as_str()).collect();
        let all = flows(&format!("{FORMAT}{text}"), &mut names);
        prop_assert_eq!(all.len(), records.len());
        // The table has seen the longest interval: how long it waits follows from that.
        let table = || {
            let mut table = SessionTable::new(1 << 20, LATENESS);
            table.add(&Flow { src: [192, 0, 2, 1].into(), start: -600, end: 0, ..all[0] });
            table
        };
        let mut plain = table();
        for flow in &all {
            plain.add(flow);
        }
        // Each comes up to a lateness after its end, some come twice, and event time is passed on now and then.
        let mut deliveries: Vec<_> = Vec::new();
        for (flow, (_, delay, again, advance)) in all.iter().zip(&records) {
            deliveries.push((flow.end + delay, *advance, flow));
            deliveries.extend(again.map(|delay| (flow.end + delay, *advance, flow)));
        }
        deliveries.sort_by_key(|(time, ..)| *time);
        let (mut shuffled, mut now) = (table(), 0);
        for (_, advance, flow) in deliveries {
            shuffled.add(flow);
            now = flow.end.max(now);
            if advance {
                shuffled.advance(now);
            }
        }
        prop_assert_eq!(forms(plain, &names), forms(shuffled, &names));
    }
}

fn sessions_of(records: &str, format: &str) -> Vec<Session> {
    paired(&format!("{format}{records}")).0
}

#[test]
fn another_connection_on_the_same_ports_is_another_session_in_any_order() {
    let records = [
        "3 eni-a 1 10.0.0.1 10.0.0.2 40000 443 6 5 500 100 150 2 ACCEPT OK\n",
        "3 eni-a 1 10.0.0.2 10.0.0.1 443 40000 6 6 600 100 150 18 ACCEPT OK\n",
        "3 eni-a 1 10.0.0.1 10.0.0.2 40000 443 6 7 700 160 200 1 ACCEPT OK\n",
        "3 eni-a 1 10.0.0.2 10.0.0.1 443 40000 6 8 800 160 200 1 ACCEPT OK\n",
        "3 eni-a 1 10.0.0.1 10.0.0.2 40000 443 6 9 900 290 340 2 ACCEPT OK\n",
        "3 eni-a 1 10.0.0.2 10.0.0.1 443 40000 6 1 100 290 340 18 ACCEPT OK\n",
    ];
    // Each rotation, forwards and backwards.
    for turn in 0..records.len() {
        for back in [false, true] {
            let mut order = records;
            order.rotate_left(turn);
            if back {
                order.reverse();
            }
            let sessions = sessions_of(&order.concat(), FORMAT);
            let of = |session: &Session| {
                let request = session.request();
                (
                    session.first,
                    session.totals(request).bytes,
                    session.totals(request.reversed()).bytes,
                    session.method(),
                )
            };
            let found: Vec<_> = sessions.iter().map(of).collect();
            assert_eq!(found, [(100, 1_200, 1_400, Method::Syn), (290, 900, 100, Method::Syn)], "{turn} {back}");
        }
    }
}

/// A connection that ends in both directions at 200, and what comes `pause` seconds later without any flag, in every rotation.
fn after_the_end(pause: i64, flags: [u8; 2]) -> Vec<Vec<(i64, u64, u64)>> {
    let [asked, answered] = flags;
    let (start, end) = (200 + pause, 250 + pause);
    let records = [
        format!("3 eni-a 1 10.0.0.1 10.0.0.2 40000 443 6 7 700 160 200 {asked} ACCEPT OK\n"),
        format!("3 eni-a 1 10.0.0.2 10.0.0.1 443 40000 6 8 800 160 200 {answered} ACCEPT OK\n"),
        format!("3 eni-a 1 10.0.0.1 10.0.0.2 40000 443 6 9 900 {start} {end} 0 ACCEPT OK\n"),
        format!("3 eni-a 1 10.0.0.2 10.0.0.1 443 40000 6 1 100 {start} {end} 0 ACCEPT OK\n"),
    ];
    let mut all = Vec::new();
    for turn in 0..records.len() {
        let mut order = records.clone();
        order.rotate_left(turn);
        let sessions = sessions_of(&order.concat(), FORMAT);
        let of = |session: &Session| {
            let request = session.request();
            (session.first, session.totals(request).bytes, session.totals(request.reversed()).bytes)
        };
        all.push(sessions.iter().map(of).collect());
    }
    all
}

#[test]
fn once_both_directions_have_ended_a_minute_of_pause_and_the_interval_part_connections() {
    let (two, one) = (vec![(160, 700, 800), (321, 900, 100)], vec![(160, 1_600, 900)]);
    for ends in [[1, 1], [4, 1], [1, 4]] {
        assert_eq!(after_the_end(121, ends), vec![two.clone(); 4], "{ends:?}");
        assert_eq!(after_the_end(120, ends), vec![one.clone(); 4], "{ends:?}: what is still on its way");
    }
    for open in [[1, 0], [0, 4], [0, 0]] {
        assert_eq!(after_the_end(121, open), vec![one.clone(); 4], "{open:?}: one side may go on");
        assert_eq!(after_the_end(360, open), vec![one.clone(); 4], "{open:?}");
        assert_eq!(after_the_end(361, open).concat().len(), 8, "{open:?}: the idle time of TCP");
    }
}

#[test]
fn a_record_in_the_pause_after_the_end_joins_what_was_parted() {
    let line = |start: i64, flags: u8, back: bool| {
        let ends = if back { "10.0.0.2 10.0.0.1 443 40000" } else { "10.0.0.1 10.0.0.2 40000 443" };
        format!("3 eni-a 1 {ends} 6 1 60 {start} {} {flags} ACCEPT OK\n", start + 10)
    };
    let records = [line(0, 1, false), line(0, 1, true), line(200, 0, false), line(105, 0, true)];
    for turn in 0..records.len() {
        let mut order = records.clone();
        order.rotate_left(turn);
        let sessions = sessions_of(&order.concat(), FORMAT);
        assert_eq!((sessions.len(), sessions[0].records), (1, 4), "{turn}");
    }
}

#[test]
fn a_short_connection_with_all_flags_in_one_record_is_one_session() {
    let sessions = sessions_of(
        "3 eni-a 1 10.0.0.1 10.0.0.2 40000 443 6 5 500 100 101 3 ACCEPT OK\n\
         3 eni-a 1 10.0.0.2 10.0.0.1 443 40000 6 6 600 101 101 19 ACCEPT OK\n\
         3 eni-b 1 10.0.0.1 10.0.0.2 40000 443 6 5 500 101 102 3 ACCEPT OK\n\
         3 eni-b 1 10.0.0.2 10.0.0.1 443 40000 6 6 600 100 102 19 ACCEPT OK\n",
        FORMAT,
    );
    assert_eq!(sessions.len(), 1);
}

#[test]
fn ports_that_were_not_logged_stay_absent() {
    let (sessions, names) = paired(
        "2 1 eni-a 10.0.0.1 10.0.0.2 - - 50 10 1000 100 160 ACCEPT OK\n\
         2 1 eni-a 10.0.0.2 10.0.0.1 - - 50 8 900 100 160 ACCEPT OK\n\
         2 1 eni-a 10.0.0.1 10.0.0.3 0 0 1 10 1000 100 160 ACCEPT OK\n",
    );
    assert_eq!(sessions.len(), 2);
    let row = SessionRow { session: &sessions[0], names: &names, region: None };
    assert_eq!((row.get(Field::ClientPort), row.get(Field::DstPort)), (None, None));
    assert!(!row.any(Field::Port, &mut |_| true), "no port is any port");
    let logged = SessionRow { session: &sessions[1], names: &names, region: None };
    assert_eq!(logged.get(Field::ServerPort), Some(Value::Int(0)), "0 as logged");
}

#[test]
fn forty_interfaces_are_told_apart_in_any_order() {
    let line = |eni: u64| format!("2 1 eni-{eni} 10.0.0.1 10.0.0.2 40000 443 6 10 {} 100 160 ACCEPT OK\n", 1_000 + eni);
    let forth: String = (0..40).map(line).collect();
    let back: String = (0..40).rev().map(line).collect();
    for text in [forth.repeat(2), back.repeat(2)] {
        let (sessions, _) = paired(&text);
        assert_eq!((sessions.len(), sessions[0].interfaces().count(), sessions[0].records), (1, 40, 40));
        assert_eq!(sessions[0].totals(sessions[0].request()).bytes, 1_039);
    }
}

#[test]
fn a_second_flow_log_without_flags_counts_nothing_twice_and_loses_no_flags() {
    let with = "3 eni-a 1 10.0.0.1 10.0.0.2 50000 50051 6 10 1000 100 160 2 ACCEPT OK\n";
    let without = with.replace(" 2 ACCEPT", " - ACCEPT");
    for text in [format!("{with}{without}"), format!("{without}{with}")] {
        let sessions = sessions_of(&text, FORMAT);
        assert_eq!((sessions[0].records, sessions[0].duplicates, sessions[0].method()), (1, 1, Method::Syn));
        assert_eq!(sessions[0].totals(sessions[0].request()).bytes, 1_000);
    }
}

#[test]
fn a_server_is_known_by_those_who_talk_to_it() {
    let mut lines = Vec::new();
    for client in 1..=4 {
        for (ends, bytes) in [
            (format!("10.0.0.{client} 10.0.1.1 3300{client} 50051"), 100),
            (format!("10.0.1.1 10.0.0.{client} 50051 3300{client}"), 900),
        ] {
            lines.push(format!("2 1 eni-a {ends} 6 1 {bytes} 100 160 ACCEPT OK\n"));
        }
    }
    let forth = lines.concat();
    lines.reverse();
    for text in [forth, lines.concat()] {
        let (sessions, _) = paired(&text);
        // By port class the lower ports would be the servers'.
        let servers: Vec<_> = sessions.iter().map(|session| (session.server().1, session.method())).collect();
        assert_eq!(servers, [(Some(50_051), Method::Learned); 4]);
    }
}

#[test]
fn a_session_that_turns_out_to_be_the_other_way_round_is_told() {
    let mut names = Names::default();
    let mut table = SessionTable::new(1 << 20, 600);
    let line = |client: u8, from: &str, to: &str, start: i64| {
        format!("2 1 eni-a {from} {to} 6 1 100 {start} {} ACCEPT OK\n", start + 60).replace('C', &client.to_string())
    };
    let mut ids = Vec::new();
    for client in 1..=3 {
        let text = line(client, "10.0.0.C 10.0.1.1", "3300C 50051", 100)
            + &line(client, "10.0.1.1 10.0.0.C", "50051 3300C", 100);
        ids.extend(flows(&text, &mut names).iter().map(|flow| table.add(flow).id));
    }
    assert_eq!(table.get(ids[0]).unwrap().method(), Method::PortClass, "its own records say no more");
    assert_eq!(table.get(ids[5]).unwrap().method(), Method::Learned, "the third is known at once");
    let turned = table.advance(10_000);
    assert_eq!(turned, [ids[0], ids[2]]);
    assert_eq!(table.get(ids[0]).unwrap().server().1, Some(50_051));
}

#[test]
fn windows_of_ten_minutes_join_over_longer_pauses_than_those_of_one() {
    let line =
        |start: i64, end: i64| format!("2 1 eni-a 10.0.0.1 10.0.0.2 40000 443 6 1 100 {start} {end} ACCEPT OK\n");
    let count = |lines: &[String]| paired(&lines.concat()).0.len();
    assert_eq!(count(&[line(0, 600), line(1_450, 1_460)]), 1);
    assert_eq!(count(&[line(1_450, 1_460), line(0, 600)]), 1);
    assert_eq!(count(&[line(540, 600), line(1_450, 1_460)]), 2);
    // An unrelated flow log with long windows changes nothing.
    assert_eq!(count(&[line(540, 600), line(1_450, 1_460), line(9_000, 9_600)]), 3);
}
