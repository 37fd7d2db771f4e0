use super::*;
use crate::filter::Stage;
use crate::record::{Batch, Decoder, Table as _};
use crate::store::Remap;
use crate::store::segment::ROWS;

/// Two sealed segments and an open one, whose times overlap and go back and forth.
fn ring() -> Ring {
    let mut ring = Ring::new(64 << 20);
    let mut decoder = Decoder::new(None);
    let count = ROWS as u64 * 2 + 5_000;
    for from in (0..count).step_by(40_000) {
        let lines: Vec<String> = (from..count.min(from + 40_000))
            .map(|place| {
                let end = 1_700_000_000 + place / 100 * 7_919 % 1_009;
                let (host, port) = (place % 251, place % 60_000);
                format!("2 1 eni-1 10.0.0.{host} 203.0.113.{host} {port} 443 6 1 {place} {} {end} ACCEPT OK", end - 60)
            })
            .collect();
        let text = lines.join("\n");
        let rows = decoder.decode(&Batch { bytes: text.into(), first_line: 1, ..Batch::default() }).columns;
        let mut remap = Remap::default();
        let mut next = 0;
        while next < rows.len() {
            next += ring.push(&rows, next..rows.len(), &mut remap).rows;
        }
    }
    ring.prepare();
    assert_eq!(ring.sealed().len(), 2);
    ring
}

fn scan(text: Option<&str>, window: Option<(i64, i64)>) -> Scan {
    let filter = text.map(|text| Arc::new(Filter::parse(text, Stage::Flows).expect("a filter")));
    Scan::new(filter, window, Gather::Nothing)
}

/// Every row that passes by (time, number), looked at one by one.
fn all(scan: &Scan, ring: &Ring) -> Vec<TimeKey> {
    let mut keys = Vec::new();
    for part in ring.parts() {
        for row in 0..part.len() {
            let passes = part.row(row, |reference| {
                is_at(scan.window, part.time(row))
                    && scan.filter.as_ref().is_none_or(|filter| filter.matches(reference, 0))
            });
            if passes {
                keys.push((part.time(row), part.first_seq() + row as u64));
            }
        }
    }
    keys.sort_unstable();
    keys
}

fn keys(rows: Vec<RowId>) -> Vec<TimeKey> {
    rows.into_iter()
        .map(|row| match row {
            RowId::Flow { time, seq } => (time, seq),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn pages_in_the_order_of_time_are_cut_out_of_all_that_matches() {
    let ring = ring();
    for (text, window) in [
        (None, None),
        (Some("bytes > 130000"), None),
        (Some("10.0.0.7 or 10.0.0.9"), None),
        (Some("/ 10\\.0\\.0\\.7 /"), None),
        (Some("bytes = 77777"), None),
        (Some("udp"), None),
        (None, Some((1_700_000_100, 1_700_000_200))),
        (Some("not 10.0.0.0/25"), Some((1_700_000_100, i64::MAX))),
    ] {
        let mut pass = scan(text, window);
        while pass.step(&ring, 1_500, 0) == 1_500 {}
        let all = all(&pass, &ring);
        assert_eq!(pass.matched(&ring), all.len() as u64, "{text:?}");
        assert!((pass.progress(&ring) - 1.0).abs() < f32::EPSILON);
        let newest: Vec<TimeKey> = all.iter().rev().copied().collect();
        let (rows, first) = pass.by_time(&ring, Anchor::Top, 5, 40);
        assert_eq!((keys(rows), first), (newest.iter().take(40).copied().collect(), 0), "{text:?}");
        let (rows, first) = pass.by_time(&ring, Anchor::Bottom, 5, 40);
        let from = newest.len().saturating_sub(45);
        assert_eq!((keys(rows), first), (newest[from..].to_vec(), from as u64), "{text:?}");
        for place in [0, 1, newest.len() / 3, newest.len() / 2, newest.len().saturating_sub(2)] {
            let Some((time, seq)) = newest.get(place).copied() else { continue };
            // The row itself, and one that does not match just after it.
            for (seq, from) in [(seq, place), (seq.saturating_sub(1), place + usize::from(seq > 0))] {
                let from = if newest.get(from) == Some(&(time, seq)) || seq == newest[place].1 {
                    from
                } else {
                    newest.iter().position(|key| *key <= (time, seq)).unwrap_or(newest.len())
                };
                let (rows, first) = pass.by_time(&ring, Anchor::Row(RowId::Flow { time, seq }), 7, 20);
                let begin = from.saturating_sub(7);
                let expected = newest[begin..newest.len().min(from + 20)].to_vec();
                assert_eq!((keys(rows), first), (expected, begin as u64), "{text:?} at {place}");
            }
        }
    }
}

#[test]
fn a_slice_does_no_more_than_it_may() {
    let ring = ring();
    // What no column says is asked row by row.
    let mut by_line = scan(Some("/./"), None);
    assert_eq!(by_line.step(&ring, 4_096, 0), 4_096);
    assert!(by_line.segments.values().map(|matches| matches.done).sum::<usize>() <= 4_096);
    let mut by_column = scan(Some("port 443 and bytes > 5"), None);
    by_column.step(&ring, 4_096, 0);
    let done: usize = by_column.segments.values().map(|matches| matches.done).sum();
    assert!((ROWS / 2..=4_097 * PACE).contains(&done), "{done}");
}

#[test]
fn rows_that_arrive_later_are_found_where_they_belong() {
    let mut ring = Ring::new(64 << 20);
    let mut pass = scan(Some("10.0.0.1"), None);
    let mut decoder = Decoder::new(None);
    for (index, end) in [100, 300, 200, 250, 50].into_iter().enumerate() {
        let text = format!("2 1 eni-1 10.0.0.{} 10.0.0.9 1 2 6 1 5 40 {end} ACCEPT OK", index % 2 + 1);
        let rows = decoder.decode(&Batch { bytes: text.into(), first_line: 1, ..Batch::default() }).columns;
        ring.push(&rows, 0..1, &mut Remap::default());
        ring.prepare();
        pass.step(&ring, 10, 0);
        let (rows, _) = pass.by_time(&ring, Anchor::Top, 0, 10);
        let expected: Vec<TimeKey> = all(&pass, &ring).into_iter().rev().collect();
        assert_eq!(keys(rows), expected);
    }
    assert_eq!(pass.matched(&ring), 3);
}
