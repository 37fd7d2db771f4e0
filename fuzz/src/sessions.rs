//! Records to sessions.

use flowtail::record::{Action, Addresses, Flow, Names};
use flowtail::session::{Key, Session, SessionTable, Way};

/// Bytes that make a record.
const RECORD: usize = 8;

/// The first byte says how much room the table has and how many interfaces there are; each eight bytes of the rest are a record of one of few
/// conversations, or pass event time on.
///
/// # Panics
/// Where a record is in no session or in two, or bytes of one interface are lost or counted twice.
pub fn sessions(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    let mut names = Names::default();
    let interfaces = if first & 1 == 0 { 1 } else { 4 };
    let enis: Vec<_> = (0..interfaces).map(|eni| names.id(&format!("eni-{eni}"))).collect();
    let budget = if first & 2 == 0 { 1 << 20 } else { 24 << 10 };
    let mut table = SessionTable::new(budget, 600);
    let (mut records, mut bytes, mut duplicates, mut now) = (0_u64, 0_u64, 0_u64, 0);
    let mut done: Vec<Session> = Vec::new();
    for chunk in rest.chunks_exact(RECORD) {
        let [kind, eni, minute, second, length, flags, size, action] = chunk.try_into().expect("eight bytes");
        if kind & 0xF0 == 0xF0 {
            table.advance(now);
            done.append(&mut table.take_finished());
            continue;
        }
        let flow = record(&names, kind, (minute, second, length), flags, size, action);
        let flow = Flow { interface: enis[usize::from(eni) % enis.len()], ..flow };
        now = now.max(flow.end);
        table.look_ahead([&flow]);
        let change = table.add(&flow);
        // Where room is short, telling connections apart may have made the session final at once: its records are asked for at the end.
        let session = table.get(change.id);
        assert!(session.is_some() || first & 2 != 0, "the session of a record is held");
        assert!(session.is_none_or(|session| session.key() == Key::of(&flow).0));
        assert!(change.merged.iter().all(|gone| table.get(*gone).is_none()), "what became part of another is gone");
        assert!(change.changed.iter().all(|id| table.get(*id).is_some() && *id != change.id));
        assert!(table.find(&flow).is_some() || first & 2 != 0);
        if change.repeated {
            duplicates += 1;
        } else {
            records += 1;
            bytes += flow.bytes;
        }
    }
    table.finish();
    done.append(&mut table.take_finished());
    let sum = |of: fn(&Session) -> u64| done.iter().map(of).sum::<u64>();
    // Sessions that grow together may show a record to be a copy that was taken for one of its own before.
    let copies = sum(|session| session.duplicates.into());
    assert_eq!(sum(|session| session.records.into()) + copies, records + duplicates, "each record is in one session");
    assert!(copies >= duplicates, "a copy stays a copy");
    if interfaces == 1 {
        let both = |session: &Session| session.totals(Way::AtoB).bytes + session.totals(Way::BtoA).bytes;
        let counted = sum(both);
        assert!(
            counted == bytes || (copies > duplicates && counted < bytes) || first & 2 != 0,
            "each byte is counted once"
        );
    }
    for session in &done {
        assert!(session.first <= session.last);
        assert!(session.saw(Way::AtoB) || session.saw(Way::BtoA));
    }
}

fn record(names: &Names, kind: u8, time: (u8, u8, u8), flags: u8, size: u8, action: u8) -> Flow {
    let none = Names::NONE;
    debug_assert!(names.name(none).is_empty());
    let client = ([10, 0, 0, 1].into(), Some(40_000 + u16::from(kind >> 5)));
    let server = ([10, 0, 0, 2].into(), Some(443));
    let (client, server, protocol) = match kind >> 1 & 7 {
        0..=3 => (client, server, 6),
        4 => (client, ([10, 0, 0, 2].into(), Some(50_051)), 17),
        5 => ((client.0, Some(123)), (server.0, Some(123)), 17),
        6 => ((client.0, None), (server.0, None), 50),
        _ => (
            ("2001:db8::1".parse().expect("an address"), Some(40_000)),
            ("2001:db8::2".parse().expect("an address"), Some(443)),
            6,
        ),
    };
    let (src, dst) = if kind & 1 == 0 { (client, server) } else { (server, client) };
    let start = i64::from(time.0) * 60 + i64::from(time.1 % 60);
    // Most are as long as windows are, a few far longer.
    let length = if time.2 == 255 { 1 << 30 } else { i64::from(time.2) * 4 };
    Flow {
        scope: none,
        account: none,
        interface: none,
        src: src.0,
        dst: dst.0,
        src_port: src.1,
        dst_port: dst.1,
        protocol,
        packets: u64::from(size & 7),
        bytes: u64::from(size) * 40,
        start,
        end: start + length,
        action: if action & 1 == 0 { Action::Accept } else { Action::Reject },
        flags: (action & 0x80 == 0).then_some(flags & 0x17),
        addresses: Addresses::default(),
    }
}
