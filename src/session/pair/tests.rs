use super::*;
use crate::record::{Action, Batch, Decoder, Field, Names, Row, Value};
use crate::session::{Method, SessionRow, State, Totals};

fn flows(text: &str, names: &mut Names) -> Vec<Flow> {
    let batch = Batch { bytes: text.as_bytes().to_vec(), ..Batch::default() };
    let columns = Decoder::new(None).decode(&batch).columns;
    (0..crate::record::Table::len(&columns)).filter_map(|row| Flow::of(&columns, row, names)).collect()
}

fn paired(text: &str) -> (Vec<Session>, Names) {
    let mut names = Names::default();
    let mut table = SessionTable::new(1 << 20, 600);
    for flow in flows(text, &mut names) {
        table.add(&flow);
    }
    table.finish();
    let mut sessions = table.take_finished();
    sessions.sort_by_key(|session| (session.first, session.key().a, session.key().b));
    (sessions, names)
}

/// The founding example, DESIGN §1: priming and trigger, each with its reply.
const FOUNDING: &str = "\
2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 22222 11211 17 3422 5072550 1534778743 1534778802 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 22222 17 137 513727 1534778743 1534778802 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 40396 17 36 51327 1534778806 1534778866 ACCEPT OK
";

fn number(row: &SessionRow<'_>, field: Field) -> f64 {
    row.get(field).and_then(Value::number).unwrap_or(f64::NAN)
}

#[test]
fn the_founding_example_is_two_sessions_with_the_published_ratio() {
    let (sessions, names) = paired(FOUNDING);
    assert_eq!(sessions.len(), 2);
    let trigger = SessionRow { session: &sessions[1], names: &names, region: None };
    assert_eq!(sessions[1].client(), ("13.125.33.130".parse().unwrap(), Some(40396)));
    assert_eq!(sessions[1].server(), ("172.16.0.178".parse().unwrap(), Some(11211)));
    assert_eq!(sessions[1].method(), Method::Service);
    assert_eq!(sessions[1].state(), State::Closed);
    assert!((number(&trigger, Field::ByteRatio) - 1026.54).abs() < 1e-9);
    assert!((number(&trigger, Field::Baf) - 50_319.0 / 22.0).abs() < 1e-9);
    assert!((number(&trigger, Field::SizeRatio) - 51_327.0 / 36.0 / 50.0).abs() < 1e-9);
    let priming = SessionRow { session: &sessions[0], names: &names, region: None };
    assert!(number(&priming, Field::ByteRatio) < 1.0);
}

#[test]
fn a_conversation_logged_by_both_interfaces_is_counted_once() {
    let (sessions, _) = paired(
        "2 1 eni-a 10.0.0.1 10.0.0.2 40000 5432 6 10 1000 100 160 ACCEPT OK\n\
         2 1 eni-a 10.0.0.2 10.0.0.1 5432 40000 6 8 9000 100 160 ACCEPT OK\n\
         2 1 eni-b 10.0.0.1 10.0.0.2 40000 5432 6 10 1000 110 170 ACCEPT OK\n\
         2 1 eni-b 10.0.0.2 10.0.0.1 5432 40000 6 8 9000 110 170 ACCEPT OK\n",
    );
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].totals(sessions[0].request()), Totals { packets: 10, bytes: 1000 });
    assert_eq!(sessions[0].totals(sessions[0].request().reversed()), Totals { packets: 8, bytes: 9000 });
    assert_eq!((sessions[0].records, sessions[0].interfaces().count()), (4, 2));
}

#[test]
fn a_repeated_line_is_counted_once_and_a_reject_beside_an_accept_is_not_a_repetition() {
    let line = "2 1 eni-a 10.0.0.1 10.0.0.2 40000 22 6 10 1000 100 160 ACCEPT OK\n";
    let (sessions, _) = paired(&format!("{line}{line}{}", line.replace("ACCEPT", "REJECT")));
    assert_eq!((sessions[0].records, sessions[0].duplicates), (2, 1));
    assert_eq!(sessions[0].totals(sessions[0].request()).bytes, 2000);
    assert_eq!(sessions[0].action(), Some("MIXED"));
}

#[test]
fn the_cascade_decides_by_the_strongest_evidence() {
    let v3 = "version interface-id account-id srcaddr dstaddr srcport dstport protocol packets bytes start end tcp-flags action log-status\n";
    let cases = [
        ("3 eni-a 1 10.0.0.1 10.0.0.2 443 50000 6 1 60 100 160 2 ACCEPT OK\n", 443, Method::Syn),
        ("3 eni-a 1 10.0.0.1 10.0.0.2 443 50000 6 1 60 100 160 18 ACCEPT OK\n", 50000, Method::SynAck),
        ("3 eni-a 1 10.0.0.1 10.0.0.2 443 50001 6 1 60 100 160 0 ACCEPT OK\n", 50001, Method::Service),
        (
            "3 eni-a 1 10.0.0.1 10.0.0.2 60000 50001 6 1 60 100 160 0 ACCEPT OK\n3 eni-a 1 10.0.0.2 10.0.0.1 50001 60000 6 1 60 97 160 0 ACCEPT OK\n",
            50001,
            Method::Time,
        ),
        ("3 eni-a 1 10.0.0.1 10.0.0.2 30000 50001 6 1 60 100 160 0 ACCEPT OK\n", 50001, Method::PortClass),
        ("3 eni-a 1 10.0.0.1 10.0.0.2 60000 50001 6 1 60 100 160 0 ACCEPT OK\n", 60000, Method::LowPort),
        ("3 eni-a 1 10.0.0.1 10.0.0.2 123 123 17 1 76 100 160 - ACCEPT OK\n", 123, Method::Undecided),
        ("3 eni-a 1 8.8.8.8 10.0.0.2 443 11211 17 1 50 100 160 - ACCEPT OK\n", 443, Method::Service),
        // A spoofed sender takes a web port or 53; a resolver may ask from any port above 1,023.
        ("3 eni-a 1 8.8.8.8 10.0.0.2 80 27960 17 1 42 100 160 - ACCEPT OK\n", 80, Method::Service),
        ("3 eni-a 1 10.0.0.2 8.8.8.8 123 53 17 9 4212 100 160 - ACCEPT OK\n", 53, Method::Service),
        ("3 eni-a 1 8.8.8.8 10.0.0.2 443 161 17 1 87 100 160 - ACCEPT OK\n", 443, Method::Service),
        ("3 eni-a 1 10.0.0.2 8.8.8.8 27015 53 17 1 60 100 160 - ACCEPT OK\n", 27015, Method::PortClass),
        ("3 eni-a 1 8.8.8.8 10.0.0.2 0 0 1 1 84 100 160 - REJECT OK\n", 0, Method::Time),
        (
            "3 eni-a 1 8.8.8.8 10.0.0.2 0 0 1 1 84 100 160 - ACCEPT OK\n3 eni-a 1 10.0.0.2 8.8.8.8 0 0 1 1 84 100 160 - ACCEPT OK\n",
            0,
            Method::Perimeter,
        ),
    ];
    for (text, client_port, method) in cases {
        let (sessions, _) = paired(&format!("{v3}{text}"));
        assert_eq!((sessions[0].client().1, sessions[0].method()), (Some(client_port), method), "{text}");
    }
}

#[test]
fn one_side_is_half_and_then_unanswered_and_has_no_ratio() {
    let mut names = Names::default();
    let mut table = SessionTable::new(1 << 20, 600);
    let flow = flows("2 1 eni-a 10.0.0.1 10.0.0.2 40000 22 6 3 180 100 160 REJECT OK\n", &mut names)[0];
    let change = table.add(&flow);
    assert_eq!(table.get(change.id).unwrap().state(), State::Half);
    let row = SessionRow { session: table.get(change.id).unwrap(), names: &names, region: None };
    assert_eq!((row.get(Field::ByteRatio), row.get(Field::RespBytes)), (None, Some(Value::Int(0))));
    // A record that ends a lateness before may have begun an interval earlier, and may follow after a pause of the idle time and an interval.
    table.advance(160 + 300 + 60 + 60 + 600 - 60);
    assert_eq!(table.get(change.id).unwrap().state(), State::Half, "lateness has not passed");
    table.advance(160 + 300 + 60 + 60 + 600 + 60);
    assert_eq!(table.get(change.id).unwrap().state(), State::Unanswered);
    assert_eq!(table.take_finished().len(), 1);
}

#[test]
fn times_at_the_edge_of_64_bits_end_like_others() {
    let (sessions, _) = paired(
        "2 1 eni-a 10.0.0.1 10.0.0.2 1 443 6 1 40 18446744073709551614 18446744073709551614 ACCEPT OK\n\
         2 1 eni-a 10.0.0.1 10.0.0.3 1 443 6 18446744073709551614 18446744073709551614 0 9223372036854775807 ACCEPT OK\n\
         2 1 eni-a 10.0.0.3 10.0.0.1 443 1 6 18446744073709551614 18446744073709551614 5 6 ACCEPT OK\n",
    );
    // The third record ends in 1970: no window is so long that it reaches from there to the others.
    assert_eq!(sessions.len(), 3);
}

#[test]
fn a_record_after_the_end_of_its_session_is_late() {
    let mut names = Names::default();
    let mut table = SessionTable::new(1 << 20, 600);
    let all = flows(FOUNDING, &mut names);
    table.add(&all[0]);
    table.advance(all[0].end + 5_000);
    let change = table.add(&all[1]);
    assert_eq!(table.get(change.id).unwrap().state(), State::Late);
}

#[test]
fn a_flood_of_one_packet_sessions_does_not_push_out_the_busy_one() {
    let mut names = Names::default();
    let mut table = SessionTable::new(100 * SLOT_BYTES / 5 * 8 + 64, 600);
    let busy = flows("2 1 eni-a 10.0.0.1 10.0.0.2 40000 5432 6 1000 100000 100 160 ACCEPT OK\n", &mut names)[0];
    let id = table.add(&busy).id;
    for port in 1..20_000_u16 {
        table.add(&Flow {
            src_port: Some(port),
            dst_port: Some(23),
            packets: 1,
            bytes: 40,
            action: Action::Reject,
            ..busy
        });
    }
    assert!(table.get(id).is_some());
    assert_eq!(table.len(), 100);
    assert_eq!(table.dropped(), 19_999 + 1 - 100);
    assert_eq!(table.take_finished().len() as u64, table.dropped());
}

#[test]
fn a_flood_of_random_ports_stays_within_the_budget() {
    let mut names = Names::default();
    let mut table = SessionTable::new(1 << 20, 600).reporting(false);
    let one = flows("2 1 eni-a 10.0.0.1 10.0.0.2 40000 23 6 1 40 100 160 REJECT OK\n", &mut names)[0];
    for port in 1..60_000_u16 {
        // Each twice, so that fingerprints are held as well.
        table.add(&Flow { src_port: Some(port), ..one });
        table.add(&Flow { src_port: Some(port), bytes: 60, ..one });
        assert!(table.bytes() <= 1 << 20, "{} bytes", table.bytes());
    }
    assert!(table.len() > 1_500 && table.dropped() > 50_000, "{} held, {} dropped", table.len(), table.dropped());
}

#[test]
fn a_record_of_one_of_too_many_sessions_of_a_key_is_counted_in_one_of_its_own() {
    let mut names = Names::default();
    let mut table = SessionTable::new(1 << 24, i64::MAX / 4);
    let one = flows("2 1 eni-a 10.0.0.1 10.0.0.2 40000 23 6 1 40 100 160 ACCEPT OK\n", &mut names)[0];
    let many = i64::try_from(MAX_COMPARED).unwrap() + 44;
    let at = |number: i64| Flow { start: 100 + number * 10_000, end: 160 + number * 10_000, ..one };
    for number in 0..many {
        table.add(&at(number));
    }
    let count = table.len();
    assert_eq!(count, MAX_COMPARED + 44);
    // The oldest that is still compared, and one before it.
    table.add(&Flow { bytes: 41, ..at(44) });
    assert_eq!(table.len(), count);
    table.add(&Flow { bytes: 41, ..at(43) });
    assert_eq!(table.len(), count + 1);
    table.finish();
    let bytes: u64 = table.take_finished().iter().map(|session| session.totals(Way::AtoB).bytes).sum();
    assert_eq!(bytes, 40 * u64::try_from(many).unwrap() + 2 * 41);
}

#[test]
fn a_frozen_chunk_does_not_change() {
    let mut names = Names::default();
    let mut table = SessionTable::new(1 << 20, 600);
    let all = flows(FOUNDING, &mut names);
    table.add(&all[0]);
    let frozen: Vec<_> = table.chunks().to_vec();
    table.add(&all[1]);
    let count = |chunks: &[Arc<Vec<Option<Session>>>]| chunks[0][0].as_ref().unwrap().records;
    assert_eq!((count(&frozen), count(table.chunks())), (1, 2));
}

mod order;
