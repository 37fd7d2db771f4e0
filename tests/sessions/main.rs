//! Sessions beside the truth: a generator writes the flow logs of conversations that it knows, and the engine must find them again, each with
//! every byte. `cargo run --no-default-features --example sessions_truth` prints the same for more seeds, beside nfdump.

mod score;
mod truth;

use score::Score;
use truth::Style;

/// Seeds that nothing was tuned on are 1000 to 1019; a few of them.
const HELD_OUT: [u64; 3] = [1_000, 1_007, 1_019];

fn of(style: Style) -> Score {
    let mut all = Score::default();
    for seed in HELD_OUT {
        let world = truth::world(seed, style);
        all.add(&score::score(&world.conversations, &score::flowtail(&world, style)));
    }
    all
}

fn holds(window: i64, flags: bool, least: f64) {
    let score = of(Style { window, flags });
    assert!(score.conversations > 4_000, "{score:#?}");
    assert_eq!((score.exact, score.others, score.wrong_bytes), (score.conversations, 0, 0), "{score:#?}");
    assert!(score.orientation() >= least, "{} {score:#?}", score.orientation());
    assert_eq!(score.left_open, score.symmetric, "nobody can know, and nothing claims to: {score:#?}");
}

#[test]
fn every_conversation_and_byte_with_flags_and_windows_of_a_minute() {
    holds(60, true, 0.99);
}

#[test]
fn every_conversation_and_byte_with_flags_and_windows_of_ten_minutes() {
    holds(600, true, 0.99);
}

#[test]
fn every_conversation_and_byte_without_flags_and_windows_of_a_minute() {
    holds(60, false, 0.97);
}

#[test]
fn every_conversation_and_byte_without_flags_and_windows_of_ten_minutes() {
    holds(600, false, 0.97);
}
