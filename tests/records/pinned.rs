//! The ring beside a model of it: whatever is pushed, frozen, let go and evicted, and in whatever order, each number means its row, and a frozen
//! ring is what it was, also while another thread reads it.

use super::*;

/// Rows of one batch; four pushes more than fill a segment.
const ROWS: usize = 20_000;
/// Every so many rows one is read.
const STRIDE: usize = 499;

#[derive(Clone, Debug)]
enum Step {
    /// Push the rows of the batch from here on.
    Push(usize),
    Freeze,
    /// Let go of one of the frozen.
    Thaw(prop::sample::Index),
    Evict,
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..ROWS / 2).prop_map(Step::Push),
        2 => Just(Step::Freeze),
        1 => any::<prop::sample::Index>().prop_map(Step::Thaw),
        1 => Just(Step::Evict),
    ]
}

fn bytes_of(ring: &Ring, seq: u64) -> Option<u64> {
    let (part, row) = ring.find(seq)?;
    part.number(Field::Bytes, row)
}

/// What some of the rows hold, by number.
fn sample(ring: &Ring) -> Vec<Option<u64>> {
    (0..ring.next_seq()).step_by(STRIDE).map(|seq| bytes_of(ring, seq)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn frozen_rows_stay_and_numbers_never_lie(steps in prop::collection::vec(a_step(), 8..24)) {
        let lines: Vec<String> = (0..ROWS as u64)
            .map(|place| format!("2 1 eni-{} 10.0.{}.1 10.1.0.1 {} 443 6 1 {place} 1 {} ACCEPT OK", place % 9, place % 200, place % 60_000, 2 + place / 100))
            .collect();
        let batch = decode(None, &lines.join("\n")).columns;
        // Two segments and no more fit.
        let mut ring = Ring::new(3 << 19);
        // By number: what was pushed.
        let mut model: Vec<u64> = Vec::new();
        let mut frozen: Vec<(Ring, Vec<Option<u64>>)> = Vec::new();
        let check = |frozen: &[(Ring, Vec<Option<u64>>)]| frozen.iter().all(|(ring, rows)| sample(ring) == *rows);
        for step in steps {
            // Readers go on with what is frozen while the ring changes.
            let told = std::thread::scope(|scope| {
                let reader = scope.spawn(|| check(&frozen));
                let freeze = match &step {
                    Step::Push(from) => {
                        let mut remap = flowtail::store::Remap::default();
                        let mut next = *from;
                        while next < ROWS {
                            let pushed = ring.push(&batch, next..ROWS, &mut remap);
                            assert_eq!(pushed.first, model.len() as u64, "numbers are given in order");
                            model.extend(next as u64..(next + pushed.rows) as u64);
                            next += pushed.rows;
                        }
                        None
                    }
                    Step::Freeze => Some(ring.freeze()),
                    Step::Evict => {
                        let before = (ring.len(), ring.evicted());
                        let gone = ring.evict().map_or(0, |segment| segment.len() as u64);
                        assert_eq!((ring.len() + gone, ring.evicted()), (before.0, before.1 + gone), "a whole segment goes");
                        None
                    }
                    Step::Thaw(_) => None,
                };
                (reader.join().expect("the reader comes to its end"), freeze)
            });
            prop_assert!(told.0, "a frozen row changed after {:?}", step);
            if let Some(copy) = told.1 {
                let rows = sample(&copy);
                prop_assert_eq!(&rows, &sample(&ring), "what is frozen is what was held");
                frozen.push((copy, rows));
            }
            if let Step::Thaw(which) = step && !frozen.is_empty() {
                frozen.swap_remove(which.index(frozen.len()));
            }
            prop_assert_eq!((ring.next_seq(), ring.len() + ring.evicted()), (model.len() as u64, model.len() as u64));
            for (seq, row) in (0..).step_by(STRIDE).zip(sample(&ring)) {
                prop_assert!(row.is_none_or(|bytes| bytes == model[seq]), "{} holds {:?}", seq, row);
            }
        }
        prop_assert!(check(&frozen));
    }
}
