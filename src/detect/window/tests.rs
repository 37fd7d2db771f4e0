#![expect(clippy::float_cmp, reason = "sums of whole numbers are exact")]

use proptest::prelude::*;

use super::*;
use crate::record::Field;

const AGGREGATES: [Aggregate; 4] = [
    Aggregate { function: Function::Count, field: None },
    Aggregate { function: Function::Sum, field: Some(Field::Bytes) },
    Aggregate { function: Function::Max, field: Some(Field::Bytes) },
    Aggregate { function: Function::Distinct, field: Some(Field::Client) },
];

/// Session `id` from pane `first` on for `length` panes. A pane is a second here.
fn contribution(id: u64, first: i64, length: i64, bytes: u32, word: u64) -> Contribution {
    let bytes = f64::from(bytes);
    Contribution {
        group: [Key::Int(1)].into(),
        id,
        start: first,
        end: first + length,
        panes: (first, first + length),
        counts: true,
        items: [Item::Number(1.0), Item::Number(bytes), Item::Number(bytes), Item::Word(Key::Int(word))].into(),
    }
}

/// All windows: first and last pane, the four values.
fn windows(group: &Group) -> Vec<(i64, i64, [f64; 4])> {
    let mut found = Vec::new();
    group.windows(&AGGREGATES, |window| {
        found.push((window.panes.0, window.panes.1, [0, 1, 2, 3].map(|slot| window.slot(slot))));
    });
    found
}

/// What a window should hold, from the contributions themselves.
fn expected(held: &[Contribution], from: i64, to: i64) -> [f64; 4] {
    let inside: Vec<&Contribution> = held.iter().filter(|c| c.panes.0 <= to && c.panes.1 >= from).collect();
    let bytes = |c: &&Contribution| if let Item::Number(bytes) = c.items[1] { bytes } else { 0.0 };
    let count = f64::from(u32::try_from(inside.len()).unwrap_or(0));
    let words: std::collections::BTreeSet<String> = inside.iter().map(|c| format!("{:?}", c.items[3])).collect();
    [
        count,
        inside.iter().map(bytes).sum(),
        inside.iter().map(bytes).fold(f64::NAN, f64::max),
        f64::from(u32::try_from(words.len()).unwrap_or(0)),
    ]
}

proptest! {
    /// Words are unique to a session here: of a word that comes back after a pause the span of both is kept.
    #[test]
    fn windows_hold_what_is_active_in_them(
        sessions in prop::collection::vec((0_i64..60, 0_i64..25, 1_u32..1_000, any::<bool>()), 1..40),
        base in prop::option::of(0_i64..50),
    ) {
        let mut group = Group::default();
        let mut held = Vec::new();
        for (id, (first, length, bytes, withdrawn)) in (1_u64..).zip(&sessions) {
            let what = contribution(id, *first, *length, *bytes, id);
            group.add(&AGGREGATES, &what, i64::MIN, true);
            if *withdrawn {
                group.withdraw(&AGGREGATES, &what, i64::MIN);
            } else {
                held.push(what);
            }
        }
        if let Some(base) = base {
            group.prune(base);
        }
        let found = windows(&group);
        for (from, to, values) in &found {
            // What a window reaches back to before the pruned panes is lost, which is why more is kept than windows need.
            if base.is_none_or(|base| *from >= base) {
                prop_assert_eq!(*values, expected(&held, *from, *to), "window {} to {}", from, to);
            }
        }
        if let Some(last) = held.iter().map(|c| c.panes.1).max()
            && base.is_none_or(|base| last >= base)
        {
            prop_assert!(found.iter().any(|(_, to, _)| *to == last), "the last window is looked at");
        }
        for what in &held {
            group.withdraw(&AGGREGATES, what, base.unwrap_or(i64::MIN));
        }
        prop_assert!(group.is_empty(), "{group:?}");
        prop_assert!(group.carry().iter().all(|sum| sum.abs() < 1e-9));
    }
}

#[test]
fn what_belongs_to_a_closed_alert_is_left_out() {
    let mut group = Group::default();
    for id in 0..5 {
        let pane = i64::try_from(id).unwrap_or(0);
        group.add(&AGGREGATES, &contribution(id, pane, 0, 100, id), i64::MIN, true);
    }
    group.not_before = Some(3);
    let found: Vec<(i64, f64)> = windows(&group).into_iter().map(|(_, to, values)| (to, values[1])).collect();
    assert_eq!(found, [(3, 100.0), (4, 200.0)]);
}

#[test]
fn distinct_stands_still_at_its_cap() {
    let mut group = Group::default();
    for id in 0..5_000 {
        group.add(&AGGREGATES, &contribution(id, 0, 0, 1, id), i64::MIN, true);
    }
    assert_eq!(group.words(), DISTINCT_CAP);
    assert_eq!(windows(&group)[0].2[0], 5_000.0, "sums go on");
    // Panes later the old values make room.
    group.add(&AGGREGATES, &contribution(9_999, PANES + 1, 0, 1, 9_999), i64::MIN, true);
    assert_eq!(windows(&group).last().map(|(.., values)| values[3]), Some(1.0));
    let mut full = Group::default();
    full.add(&AGGREGATES, &contribution(1, 0, 0, 1, 1), i64::MIN, false);
    assert_eq!(full.words(), 0, "no room in the rule's budget");
}
