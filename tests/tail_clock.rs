//! The tail on a machine whose clock is wrong. The SDK signs with the time of AWS all the same, so nothing fails: events must be looked for by the clock
//! of AWS, or those that are delivered after their time has passed here would be lost without a sign.
#![cfg(feature = "aws")]

mod support;

use std::time::Duration;

use flowtail::source::cloudwatch::{Lab, TailConfig};
use support::fake::{Fake, Trouble};
use support::{ENI, FastClock, config, lab, run};

fn setup(fake: &Fake, minutes: u64) -> (TailConfig, Lab) {
    let config = TailConfig { run_for: Some(Duration::from_mins(minutes)), ..config(fake.port, "/vpc/fake") };
    (config, Lab { clock: FastClock::new(60), tries: 2, ..lab() })
}

#[test]
fn records_come_when_aws_has_another_time_and_the_user_is_told() {
    for (ahead, says) in [(2 * 3600, "120 minutes behind that of AWS"), (-3600, "60 minutes ahead of that of AWS")] {
        let fake = Fake::start();
        fake.state().ahead = Some(ahead * 1000);
        // Five minutes ago by the clock of AWS.
        let mut expected = fake.deliver(&format!("{ENI}-all"), 20, 300 - ahead);
        let mut more = true;
        let (config, lab) = setup(&fake, 20);
        let tally = run(config, lab, |tally| {
            // And more when all that was to be read by the clock of this machine would have been.
            if std::mem::take(&mut more) && !tally.events.is_empty() {
                expected.extend(fake.deliver(&format!("{ENI}-all"), 20, 600 - ahead));
            } else if tally.events.is_empty() {
                more = true;
            }
            true
        });
        tally.assert_exactly(&expected);
        assert!(tally.gaps.is_empty());
        let warnings = &tally.last().warnings;
        assert!(warnings.iter().any(|warning| warning.contains(says)), "{warnings:?}");
    }
}

#[test]
fn a_signature_of_another_time_is_made_again_and_a_clock_that_is_right_is_not_complained_of() {
    let fake = Fake::start();
    let expected = fake.deliver(ENI, 10, 300);
    fake.state().ahead = Some(0);
    let (config, lab) = setup(&fake, 5);
    let tally = run(config, lab, |_| true);
    tally.assert_exactly(&expected);
    assert!(!tally.last().warnings.iter().any(|warning| warning.contains("clock")), "{:?}", tally.last().warnings);

    let expired =
        "Signature expired: 20261124T203000Z is now earlier than 20261124T204000Z (20261124T204500Z - 5 min.)";
    let fake = Fake::start();
    fake.state().ahead = Some(600_000);
    fake.state().troubles.push_back(Trouble::Error(400, "InvalidSignatureException", expired));
    let expected = fake.deliver(ENI, 10, -300);
    let (config, lab) = setup(&fake, 5);
    let tally = run(config, lab, |_| true);
    tally.assert_exactly(&expected);
    assert!(tally.waits().is_empty(), "{:?}", tally.waits());
}
