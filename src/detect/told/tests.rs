use super::*;
use crate::record::{Action, Flow, Names};
use crate::session::{Facts, SessionTable};

/// A look at some session; which one does not matter to the table.
fn told(at: u64) -> Told {
    let mut names = Names::default();
    let name = names.id("eni-1");
    let flow = Flow {
        scope: name,
        account: name,
        interface: name,
        src: [10, 0, 0, 1].into(),
        dst: [10, 0, 0, 2].into(),
        src_port: Some(40_000),
        dst_port: Some(443),
        protocol: 6,
        start: 1,
        end: 2,
        packets: 1,
        bytes: 100,
        flags: None,
        addresses: crate::record::Addresses::default(),
        action: Action::Accept,
    };
    let mut sessions = SessionTable::new(1 << 20, 60);
    let id = sessions.add(&flow).id;
    let facts = Facts::of(sessions.get(id).expect("just added"));
    Told { known: Known { facts, rest: None }, takes: 1, counts: 1, at }
}

#[test]
fn what_is_busy_stays_and_what_is_lost_is_said() {
    let mut table = Table::new(64 * size_of::<Option<Told>>(), 0);
    let mut lost = 0;
    for id in 1..=1_000 {
        lost += u64::from(table.put(id, told(2 * id), |_| true));
        // Session 1 goes on all the time.
        assert!(!table.put(1, told(2 * id + 1), |_| true), "it was not lost at {id}");
    }
    let held = (1..=1_000).filter(|id| table.get(*id).is_some()).count();
    assert_eq!(held as u64 + lost, 1_000);
    assert!((16..=64).contains(&held), "{held}");
}

#[test]
fn the_table_grows_for_what_matters_and_forgets_what_does_not() {
    let mut table = Table::new(1 << 20, 0);
    for id in 1..=1_000 {
        assert!(!table.put(id, told(id), |_| true));
    }
    assert!((1..=1_000).all(|id| table.get(id).is_some_and(|told| told.at == id)));
    assert!(table.take(7).is_some() && table.get(7).is_none() && table.take(7).is_none());
    let buckets = table.places.len();
    for id in 1_001..=100_000 {
        assert!(!table.put(id, told(id), |_| false), "nobody misses what it pushes out");
    }
    assert_eq!(table.places.len(), buckets);
}
