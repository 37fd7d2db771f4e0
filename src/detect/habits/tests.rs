use super::*;
use crate::detect::key::GroupKey;

fn group(host: u64) -> GroupKey {
    GroupKey::from_iter([Key::Int(host), Key::Int(9), Key::Int(443)])
}

fn session(host: u64, id: u64, start: i64, size: f64) -> Contribution {
    Contribution {
        group: group(host).to_vec(),
        id,
        start,
        end: start + 50,
        counts: true,
        items: vec![Item::Number(1.0), Item::Number(size)],
        ..Contribution::default()
    }
}

fn rhythms() -> Rhythms {
    let mut rhythms = Rhythms::new(1 << 20);
    (rhythms.sizes, rhythms.user) = (Some(1), Some(0));
    rhythms
}

#[test]
fn a_clock_is_regular_and_chance_is_not() {
    let mut clock = rhythms();
    let mut chance = rhythms();
    let mut at = 0;
    for n in 0..40_i64 {
        clock.add(&session(1, n.unsigned_abs(), n * 300 + n % 3, 700.0));
        // Gaps of one to thirty minutes, questions of any size.
        at += 60 + n * n * 7_919 % 1_740;
        chance.add(&session(
            1,
            n.unsigned_abs(),
            at,
            100.0 + f64::from(u32::try_from(n * n * 131 % 9_000).unwrap_or(0)),
        ));
    }
    let (clock, chance) = (clock.beat(&group(1), 0, i64::MAX - 1), chance.beat(&group(1), 0, i64::MAX - 1));
    assert!(clock.score > 0.95, "{clock:?}");
    assert!((clock.interval - 300.0).abs() < 3.0 && (clock.count - 40.0).abs() < 1e-9, "{clock:?}");
    assert!(chance.score < 0.7, "{chance:?}");
}

#[test]
fn what_the_clock_of_the_log_hides_has_no_score() {
    let mut rhythms = rhythms();
    for n in 0..30_i64 {
        rhythms.add(&session(1, n.unsigned_abs(), n * 60, 700.0));
    }
    assert!(rhythms.beat(&group(1), 0, 10_000).score.is_nan());
}

#[test]
fn only_the_latest_starts_are_kept_whatever_the_order() {
    let all: Vec<Contribution> = (0..200_i64).map(|n| session(1, n.unsigned_abs(), n * 300, 700.0)).collect();
    let (mut there, mut back) = (rhythms(), rhythms());
    for one in &all {
        there.add(one);
    }
    all.iter().rev().for_each(|one| back.add(one));
    assert_eq!(there.beat(&group(1), 0, i64::MAX - 1), back.beat(&group(1), 0, i64::MAX - 1));
    assert!((there.held(&group(1)) - 64.0).abs() < 0.1);
}

#[test]
fn what_is_withdrawn_was_never_there() {
    let mut rhythms = rhythms();
    rhythms.add(&session(1, 1, 0, 7.0));
    rhythms.add(&session(2, 2, 0, 7.0));
    assert!((rhythms.prevalence(&group(1), 100, 11) - 0.1).abs() < 1e-9, "one of ten others");
    rhythms.withdraw(&session(2, 2, 0, 7.0));
    assert!(rhythms.prevalence(&group(1), 100, 11).abs() < 1e-9);
    assert!(rhythms.held(&group(2)).abs() < 1e-9);
}

#[test]
fn state_is_bounded() {
    let mut rhythms = rhythms();
    for host in 0..50_000 {
        for n in 0..2 {
            rhythms.add(&session(host, host * 2 + n, n.cast_signed(), 7.0));
        }
    }
    assert!(rhythms.evicted > 40_000, "what had to go is counted: {}", rhythms.evicted);
}

fn contact(id: u64, at: i64, server: u8, failed: bool) -> Contribution {
    Contribution {
        group: vec![Key::Int(1)],
        id,
        start: at,
        items: vec![Item::Contact([10, 0, 0, server].into(), 22, failed)],
        ..Contribution::default()
    }
}

#[test]
fn four_failures_decide_and_repeated_ones_do_not_count() {
    let mut contacts = Contacts::new(1 << 20, 0);
    for n in 1..=3_u8 {
        contacts.add(&contact(n.into(), n.into(), n, true));
        contacts.add(&contact(100 + u64::from(n), 50 + i64::from(n), n, true));
    }
    let suspicion = |contacts: &Contacts| contacts.suspicion(&[Key::Int(1)], 0, 100);
    assert!(suspicion(&contacts) < 4.595);
    contacts.add(&contact(4, 4, 4, true));
    assert!(suspicion(&contacts) > 4.595);
    // It was answered after all.
    contacts.withdraw(&contact(4, 4, 4, true));
    contacts.add(&contact(4, 4, 4, false));
    assert!(suspicion(&contacts) < 4.595);
}

#[test]
fn a_baseline_needs_its_samples_and_forgets_no_sign() {
    let mut histories = Histories::new(1 << 20, 300);
    let group = [Key::Int(1)];
    for n in 0..12 {
        histories.add(&group, n * 300 + 10, if n % 2 == 0 { 8.0 } else { 12.0 });
    }
    assert!(histories.usual(&group, 11 * 300, 12).0.is_nan(), "the twelfth window has not ended");
    let (mean, deviation) = histories.usual(&group, 12 * 300, 12);
    assert!((mean - 10.0).abs() < 1e-9 && (deviation - 2.0).abs() < 1e-9);
    histories.withdraw(&group, 10, 8.0);
    assert!(histories.usual(&group, 12 * 300, 12).0.is_nan());
}
