use std::fmt::Write as _;

use super::*;
use crate::record::{Batch, Decoder, Value};
use proptest::prelude::*;

/// Columns of default-format records that end at `times`, each with its place as its bytes.
fn columns(times: &[u64]) -> Columns {
    let mut text = String::new();
    for (index, time) in times.iter().enumerate() {
        let host = index % 250;
        let eni = index % 3;
        let _ = writeln!(text, "2 1 eni-{eni} 10.0.0.{host} 10.0.1.{host} 1 2 6 5 {index} 1 {time} ACCEPT OK");
    }
    let batch = Batch { bytes: text.into_bytes(), ..Batch::default() };
    Decoder::new(None).decode(&batch).columns
}

fn bytes_of(ring: &Ring, seq: u64) -> Option<u64> {
    let (part, row) = ring.find(seq)?;
    part.number(Field::Bytes, row)
}

#[test]
fn rows_keep_their_number_across_sealing_and_eviction() {
    let columns = columns(&(0..1000).collect::<Vec<_>>());
    let mut ring = Ring::new(1 << 20);
    for _ in 0..300 {
        ring.push_all(&columns);
    }
    assert_eq!(ring.next_seq(), 300_000);
    assert_eq!(ring.len() + ring.evicted(), 300_000);
    assert!(ring.evicted() > 0, "{} bytes", ring.bytes());
    assert!(ring.bytes() < 1024 * 1024 + 24 * 1024 * 1024);
    let mut held = 0;
    for seq in 0..300_000 {
        if let Some(bytes) = bytes_of(&ring, seq) {
            assert_eq!(bytes, seq % 1000);
            held += 1;
        }
    }
    assert_eq!(held, ring.len());
}

#[test]
fn a_back_fill_never_evicts_what_is_live() {
    // 64 times 1,024 rows fill exactly one segment, so that none mixes both.
    let live = columns(&(1_000_000..1_001_024).collect::<Vec<_>>());
    let old = columns(&(0..1000).collect::<Vec<_>>());
    let mut ring = Ring::new(1 << 20);
    for _ in 0..64 {
        ring.push_all(&live);
    }
    for _ in 0..400 {
        ring.push_all(&old);
    }
    assert!(ring.evicted() > 0);
    assert_eq!(bytes_of(&ring, 0), Some(0), "the first live row is still held");
    assert_eq!(bytes_of(&ring, 66_000), None, "rows of the back-fill went");
}

fn push_earlier(ring: &mut Ring, columns: &Columns) {
    let (mut next, mut remap) = (0, Remap::default());
    while next < columns.len() {
        next += ring.push_earlier(columns, next..columns.len(), &mut remap).0;
    }
}

#[test]
fn earlier_time_and_what_is_live_do_not_evict_each_other() {
    let live = columns(&(1_000_000..1_001_000).collect::<Vec<_>>());
    let old = columns(&(1000..2000).collect::<Vec<_>>());
    let mut ring = Ring::new(1 << 20).with_earlier(1 << 20);
    for step in 0..150 {
        ring.push_all(&live);
        if step < 60 {
            push_earlier(&mut ring, &old);
        }
        if step % 20 == 19 {
            ring.seal_earlier();
        }
    }
    let earlier = |ring: &Ring| {
        let rows = ring.parts().map(|part| (0..part.len()).filter(|row| part.time(*row) < 10_000).count() as u64);
        rows.sum::<u64>()
    };
    // 90,000 rows more of what is live push out what is live alone.
    assert!(ring.evicted() > 0);
    assert_eq!((earlier(&ring), ring.earlier_let_go()), (60_000, 0));
    let held = ring.len();
    for _ in 0..300 {
        push_earlier(&mut ring, &old);
    }
    ring.seal_earlier();
    // What has no room is earlier time, and is counted apart.
    assert!(ring.earlier_let_go() > 0);
    assert_eq!(ring.len(), held + 300_000 - ring.earlier_let_go());
    assert!(ring.sealed_bytes - ring.live().0 <= 1 << 20, "{:?}", ring.live());
    // Each row held is found by its number.
    let mut found = 0;
    for seq in 0..ring.next_seq() {
        found += u64::from(ring.find(seq).is_some());
    }
    assert_eq!(found, ring.len());
    let firsts: Vec<u64> = ring.parts().map(|part| part.first_seq()).collect();
    assert!(firsts.is_sorted_by(|a, b| a > b), "{firsts:?}");
}

#[test]
fn what_is_lent_is_made_room_for_and_comes_back() {
    let live = columns(&(1_000_000..1_001_000).collect::<Vec<_>>());
    let mut ring = Ring::new(4 << 20);
    // Until something had to go, and some more.
    let fill = |ring: &mut Ring| {
        let before = ring.evicted();
        let rounds = (0..5_000).take_while(|_| {
            ring.push_all(&live);
            ring.evicted() == before
        });
        assert!(rounds.count() < 4_999, "{:?}", ring.live());
    };
    fill(&mut ring);
    let (before, held) = (ring.live().0, ring.len());
    assert!(before > 2 << 20, "{before}");
    let gone: u64 = ring.lend(2 << 20).iter().map(|segment| segment.len() as u64).sum();
    assert!(gone > 0 && ring.len() == held - gone && ring.live().0 <= 2 << 20, "{:?}", ring.live());
    fill(&mut ring);
    assert!(ring.live().0 <= 2 << 20);
    // A third stays whatever is asked for.
    ring.lend(usize::MAX);
    assert_eq!(ring.budget(), (4 << 20) - (4 << 20) / 3 * 2);
    assert!(!ring.is_empty());
    assert!(ring.lend(0).is_empty());
    fill(&mut ring);
    assert!(ring.live().0 > 2 << 20, "{:?}", ring.live());
}

#[test]
fn addresses_and_words_survive_the_change_of_dictionary() {
    let columns = columns(&[5, 3, 4]);
    let mut ring = Ring::new(1 << 20);
    for _ in 0..22_000 {
        ring.push_all(&columns);
    }
    for seq in [0, 1, 2, 65_534, 65_535, 65_536, 65_537, 65_999] {
        let (part, row) = ring.find(seq).unwrap();
        part.row(row, |row| {
            let host = seq % 3;
            assert_eq!(row.get(Field::SrcAddr), Some(Value::Addr(format!("10.0.0.{host}").parse().unwrap())));
            assert_eq!(row.get(Field::InterfaceId), Some(Value::Text(&format!("eni-{host}"))));
        });
    }
}

proptest! {
    #[test]
    fn the_order_of_time_is_right_whenever_it_is_asked_for(times in prop::collection::vec(0_u64..50, 1..120), step in 1_usize..20) {
        let columns = columns(&times);
        let mut ring = Ring::new(1 << 20);
        let mut remap = Remap::default();
        for row in 0..columns.len() {
            ring.push(&columns, row..row + 1, &mut remap);
            if row % step == 0 {
                ring.prepare();
            }
        }
        ring.prepare();
        let part = ring.parts().next().unwrap();
        let order = part.order().unwrap();
        prop_assert_eq!(order.len(), times.len());
        let keys: Vec<(u64, u16)> = order.iter().map(|row| (part.time(usize::from(*row)), *row)).collect();
        prop_assert!(keys.is_sorted());
        // A row without a time has 0, and is of none.
        let told = times.iter().filter(|time| **time > 0);
        let span = told.clone().min().zip(told.max()).map(|(first, last)| (*first, *last));
        prop_assert_eq!(ring.span(), span);
        let frozen = ring.freeze();
        let frozen_part = frozen.parts().next().unwrap();
        prop_assert_eq!(frozen_part.order().unwrap(), order);
        ring.seal();
        prop_assert_eq!(ring.span(), span);
    }
}
