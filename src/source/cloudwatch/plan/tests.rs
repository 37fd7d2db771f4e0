//! What holds of the plan whatever happens to its reads.

use proptest::prelude::*;

use super::*;

/// What becomes of a read that is on its way.
#[derive(Clone, Debug)]
enum End {
    Complete(Vec<u64>),
    GiveUp,
    Cut,
    Divide,
    Leave,
}

/// What happens next: time passes, something is picked, a read ends, time is asked for, a session left events out.
#[derive(Clone, Debug)]
enum Step {
    Pass(i64),
    Pick,
    End(usize, End),
    Earlier(i64),
    Stop,
    ReadAgain,
    Repair(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop_oneof![
        prop::collection::vec(0..30_000_u64, 1..6).prop_map(End::Complete),
        Just(End::GiveUp),
        Just(End::Cut),
        Just(End::Divide),
        Just(End::Leave),
    ];
    let step = prop_oneof![
        3 => (0..200_000_i64).prop_map(Step::Pass),
        6 => Just(Step::Pick),
        5 => (0..8_usize, end).prop_map(|(which, end)| Step::End(which, end)),
        1 => (1..100_i64).prop_map(Step::Earlier),
        1 => Just(Step::Stop),
        1 => Just(Step::ReadAgain),
        1 => (0..40_i64).prop_map(Step::Repair),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #[test]
    fn no_two_reads_of_one_minute_are_on_their_way_at_once(since in 0..200_i64, lookback in 1..60_i64, steps in steps()) {
        let mut now = 1000 * SLICE;
        let mut plan = Plan::new(now, since * SLICE, lookback * SLICE, 1, 1.0, 1_000_000);
        let mut reads: Vec<Span> = Vec::new();
        for step in steps {
            match step {
                Step::Pass(millis) => now += millis,
                Step::Pick => {
                    if let Some(span) = plan.pick(now, None) {
                        prop_assert!(span.len() > 0);
                        for other in &reads {
                            let apart = span.slices.end <= other.slices.start || other.slices.end <= span.slices.start;
                            prop_assert!(apart, "{:?} while {:?} is read", span, other);
                        }
                        reads.push(span);
                    }
                }
                Step::End(which, end) if !reads.is_empty() => {
                    let span = reads.swap_remove(which % reads.len());
                    let counts = |each: &[u64]| (0..span.len()).map(|at| each[at % each.len()]).collect::<Vec<_>>();
                    match end {
                        End::Complete(each) => plan.complete(&span, now, &counts(&each), (1, 0)),
                        End::GiveUp => drop(plan.give_up(&span, now)),
                        End::Cut => plan.cut(&span, &counts(&[9_000]), (40, 3)),
                        End::Divide => plan.divide(&span),
                        End::Leave => plan.leave(&span),
                    }
                }
                Step::End(..) => {}
                Step::Earlier(slices) => plan.earlier(slices),
                Step::Stop => {
                    // Whoever stops it leaves what is on its way, as the group does.
                    reads.retain(|span| !span.backlog);
                    plan.stop_earlier();
                }
                Step::ReadAgain => plan.read_again(),
                Step::Repair(ago) => plan.repair(now - ago * SLICE, now - ago * SLICE, now),
            }
            plan.observe(now);
        }
    }
}
