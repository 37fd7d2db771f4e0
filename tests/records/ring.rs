//! The ring under many rows.

use std::sync::mpsc;

use super::*;

/// Rows of a segment; a test that wants sealed ones must have more.
const SEGMENT: usize = flowtail::store::segment::ROWS;

/// `count` records whose bytes are their place, from `first`, with ends that `time` gives.
fn records(first: u64, count: usize, time: impl Fn(u64) -> u64) -> Columns {
    let lines: Vec<String> = (first..first + count as u64).map(|place| record(place, time(place))).collect();
    let columns = decode(None, &lines.join("\n")).columns;
    assert_eq!(columns.len(), count);
    columns
}

fn record(place: u64, end: u64) -> String {
    let (eni, host, port) = (place % 7, place % 251, place % 60_000);
    format!(
        "2 000000000010 eni-{eni:017x} 10.0.0.{host} 203.0.113.{host} {port} 443 6 1 {place} {} {end} ACCEPT OK",
        end - 60
    )
}

#[test]
fn a_number_always_means_the_row_that_was_pushed() {
    // Times go back and forth, so that segments are evicted out of the order of their numbers.
    let time = |place: u64| 1_700_000_000 + place / 1000 * 7919 % 5003;
    let mut ring = Ring::new(3 << 20);
    let count = SEGMENT as u64 * 6 + 4321;
    let mut next = 0;
    while next < count {
        let some = records(next, usize::try_from((count - next).min(9_973)).unwrap(), time);
        let told = ring.push_all(&some);
        assert_eq!((told.first, told.rows), (next, some.len()), "numbers are given in order and never again");
        next += some.len() as u64;
    }
    assert!(
        ring.evicted() > 0 && ring.len() > SEGMENT as u64,
        "the test is about a ring that has evicted and still holds sealed rows"
    );
    let mut found = 0;
    for seq in 0..count {
        if let Some((part, row)) = ring.find(seq) {
            assert_eq!((part.number(Field::Bytes, row), part.first_seq() + row as u64), (Some(seq), seq));
            if seq % 997 == 0 {
                assert_eq!(held(&ring, seq), Some(record(seq, time(seq))));
            }
            found += 1;
        }
    }
    assert_eq!((found, found + ring.evicted()), (ring.len(), count));
    assert!(ring.find(count).is_none() && ring.find(u64::MAX).is_none());
}

#[test]
fn what_is_frozen_stays_while_the_ring_goes_on() {
    let time = |place: u64| 1_700_000_000 + place / 500;
    let mut ring = Ring::new(2 << 20);
    let mut next = 0;
    let mut grow = |ring: &mut Ring, count: usize| {
        ring.push_all(&records(next, count, time));
        next += count as u64;
    };
    grow(&mut ring, SEGMENT + 20_000);
    let frozen = ring.freeze();
    let (rows, evicted) = (frozen.len(), frozen.evicted());
    assert_eq!((rows, evicted), (SEGMENT as u64 + 20_000, 0));

    // One thread reads the frozen rows again and again while this one makes the ring evict all of them.
    let (go, told_to_go) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let frozen = &frozen;
        let reader = scope.spawn(move || {
            let mut passes = 0;
            while passes == 0 || !matches!(told_to_go.try_recv(), Err(mpsc::TryRecvError::Disconnected)) {
                for seq in (0..rows).step_by(17) {
                    let (part, row) = frozen.find(seq).expect("a frozen row is held");
                    assert_eq!(part.number(Field::Bytes, row), Some(seq));
                }
                passes += 1;
            }
            passes
        });
        for _ in 0..8 {
            grow(&mut ring, SEGMENT / 2);
        }
        drop(go);
        assert!(reader.join().expect("the reader saw the rows it was given") > 0);
    });
    assert!(ring.evicted() >= rows && held(&ring, 0).is_none(), "the ring has let go of what is frozen");
    assert_eq!(
        (frozen.len(), frozen.evicted(), frozen.next_seq()),
        (rows, 0, rows),
        "the copy does not grow or shrink"
    );
    for seq in [0, SEGMENT as u64 - 1, SEGMENT as u64, rows - 1] {
        assert_eq!(held(&frozen, seq), Some(record(seq, time(seq))));
    }
    assert!(frozen.find(rows).is_none());
}
