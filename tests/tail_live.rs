//! Live sessions through the real SDK against the in-process fake: they end, leave out and repeat, and still every event comes once.

#![cfg(feature = "aws")]

mod support;

use std::time::{Duration, Instant};

use flowtail::record::{LiveStatus, SourceState};
use flowtail::source::cloudwatch::{Lab, SystemClock, TailConfig};

use support::fake::{DENIED, Fake, Trouble};
use support::live::End;
use support::{ENI, FastClock, Tally, config, flow, lab, ministack, now, run};

/// A tail that reads rarely, so that what comes early came live.
fn setup(fake: &Fake, seconds: u64, speed: u32) -> (TailConfig, Lab) {
    let mut config = config(fake.port, "/vpc/fake");
    config.live = true;
    config.run_for = Some(Duration::from_secs(seconds));
    (config, Lab { clock: FastClock::new(speed), ..lab() })
}

fn live(tally: &Tally) -> &LiveStatus {
    tally.last().live.as_ref().expect("a live status")
}

/// Delivers `bursts` times `size` events while the tail runs, as soon as its session is open.
fn deliver(fake: &Fake, bursts: usize, size: usize) -> impl FnMut(&Tally) -> bool {
    let (fake, mut left, mut last) = (fake.clone(), bursts, Instant::now());
    move |tally| {
        let open = tally.statuses.last().is_some_and(|status| status.live.as_ref().is_some_and(|live| live.open > 0));
        if open && left > 0 && last.elapsed() > Duration::from_millis(150) {
            fake.deliver(&format!("{ENI}-all"), size, 400);
            (left, last) = (left - 1, Instant::now());
        }
        true
    }
}

/// All that the fake holds.
fn truth(fake: &Fake) -> Vec<(String, String)> {
    fake.state().events.iter().map(|event| (event.stream.clone(), event.message.clone())).collect()
}

#[test]
fn events_come_live_get_their_ids_and_come_once() {
    let fake = Fake::start();
    fake.deliver(ENI, 40, 300);
    let (config, lab) = setup(&fake, 60, 10);
    let tally = run(config, lab, deliver(&fake, 8, 50));
    tally.assert_exactly(&truth(&fake));
    let status = live(&tally);
    assert!(status.events > 0 && status.paired == status.events, "{status:?}");
    assert_eq!((status.sampled, status.ended, status.too_old), (0, 0, 0), "{status:?}");
    // Live rows carry no id, and every one was counted as read.
    assert_eq!(tally.events.iter().filter(|event| event.id.is_empty()).count() as u64, status.events);
    assert_eq!(tally.last().events_read, tally.events.len() as u64 + tally.last().duplicates);
    let state = fake.state();
    let [asked] = &state.live.asked[..] else { panic!("{} sessions", state.live.asked.len()) };
    assert_eq!(asked["logGroupIdentifiers"][0], "arn:aws:logs:us-west-1:123456789012:log-group:/vpc/fake");
}

#[test]
fn a_live_event_is_there_before_the_next_read() {
    let fake = Fake::start();
    fake.deliver(ENI, 1, 300);
    let (mut config, lab) = setup(&fake, 60, 1);
    // A read every half minute; the first few are a burst.
    config.max_rps = 0.03;
    let mut delivered = None;
    let mut waited = None;
    let tally = run(config, Lab { clock: std::sync::Arc::new(SystemClock), ..lab }, |tally| {
        let open = tally.statuses.last().is_some_and(|status| status.live.as_ref().is_some_and(|live| live.open > 0));
        if open && delivered.is_none() && fake.state().asked.len() > 2 {
            fake.deliver(ENI, 1, 100);
            delivered = Some(Instant::now());
        }
        if tally.events.len() == 2 {
            waited = delivered.map(|at: Instant| at.elapsed());
            return false;
        }
        true
    });
    let waited = waited.expect("the second event comes");
    assert!(waited < Duration::from_secs(3) && tally.events[1].id.is_empty(), "{waited:?} {:?}", tally.events[1]);
}

#[test]
fn identical_events_and_copies_sent_again_come_as_often_as_they_have_ids() {
    let fake = Fake::start();
    fake.state().live.again = 2;
    let (config, lab) = setup(&fake, 60, 10);
    let (mut left, mut more) = (6, 40);
    let tally = run(config, lab, |tally| {
        let live = tally.statuses.last().and_then(|status| status.live.as_ref());
        let open = live.is_some_and(|live| live.open > 0);
        // A session that has just opened may begin after what was delivered: some is delivered until it brings something.
        let silent = live.is_some_and(|live| live.events == 0) && more > 0;
        if open && (left > 0 || silent) {
            (left, more) = (left - i32::from(left > 0), more - 1);
            for _ in 0..4 {
                fake.deliver_message(ENI, "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1 2 ACCEPT OK", 300);
            }
        }
        true
    });
    tally.assert_exactly(&truth(&fake));
    assert!(live(&tally).events > 0 && live(&tally).paired == live(&tally).events, "{:?}", live(&tally));
}

#[test]
fn what_a_session_samples_away_is_read_and_counted_as_repaired() {
    let fake = Fake::start();
    fake.state().live.most = 20;
    let (config, lab) = setup(&fake, 60, 10);
    let tally = run(config, lab, deliver(&fake, 6, 70));
    assert!(fake.state().live.left_out > 0, "the fake left nothing out");
    tally.assert_exactly(&truth(&fake));
    let status = live(&tally);
    assert!(status.sampled > 0 && status.repaired == status.sampled, "{status:?}");
    assert!(tally.gaps.is_empty());
}

#[test]
fn sessions_that_end_in_any_way_are_opened_again_and_nothing_is_missing() {
    let fake = Fake::start();
    fake.state().live.ends.extend([(6, End::Timeout), (4, End::Silent), (5, End::Torn), (3, End::Streaming)]);
    let (config, lab) = setup(&fake, 120, 10);
    let tally = run(config, lab, deliver(&fake, 12, 30));
    tally.assert_exactly(&truth(&fake));
    let status = live(&tally);
    assert_eq!((status.ended, status.open, &status.closed), (4, 1, &None), "{status:?}");
    assert_eq!((status.sampled, status.repaired), (4, 4), "what was missed between sessions is read: {status:?}");
    assert_eq!(fake.state().live.asked.len(), 5);
    let notes: Vec<&str> = tally.statuses.iter().filter_map(|status| status.note.as_deref()).collect();
    for why in ["sessions end after three hours", "it ended", "the connection broke", "ended it with an error"] {
        assert!(notes.iter().any(|note| note.contains(why)), "{why}: {notes:?}");
    }
}

#[test]
fn a_session_that_may_not_be_opened_is_said_and_the_reads_go_on() {
    let fake = Fake::start();
    let Trouble::Error(_, code, _) = DENIED else { panic!() };
    fake.state().live.refusals.extend([
        ("LimitExceededException", "Too many sessions"),
        (code, "User: arn:aws:iam::123456789012:user/u is not authorized to perform: logs:StartLiveTail on resource: arn:aws:logs:us-west-1:123456789012:log-group:/vpc/fake"),
        (code, "User: arn:aws:iam::123456789012:user/u is not authorized to perform: logs:StartLiveTail on resource: arn:aws:logs:us-west-1:123456789012:log-group:/vpc/fake"),
    ]);
    let expected = fake.deliver(ENI, 30, 300);
    let (config, lab) = setup(&fake, 20, 10);
    let tally = run(config, lab, |_| true);
    tally.assert_exactly(&expected);
    assert_eq!(tally.last().state, SourceState::Ended);
    let note = tally.last().note.as_deref().unwrap_or_default();
    assert!(
        note.contains("not allowed: logs:StartLiveTail on arn:aws:logs:us-west-1:123456789012:log-group:/vpc/fake"),
        "{note}"
    );
}

#[test]
fn interfaces_are_prefixes_and_a_push_down_is_the_pattern() {
    let fake = Fake::start();
    fake.deliver(ENI, 1, 300);
    let (mut config, lab) = setup(&fake, 40, 10);
    config.interfaces = vec![ENI.to_owned()];
    let pattern = "?\"443\" ?\"NODATA\" ?\"SKIPDATA\"";
    config.pattern = Some(pattern.to_owned());
    let other = fake.clone();
    let mut bursts = deliver(&fake, 3, 20);
    let tally = run(config, lab, |tally| {
        if tally.statuses.len() == 3 {
            other.deliver("eni-0123456789abcdef0-all", 5, 300);
        }
        bursts(tally)
    });
    let mut expected = truth(&fake);
    expected.retain(|(stream, _)| stream.starts_with(ENI));
    tally.assert_exactly(&expected);
    let state = fake.state();
    assert_eq!(
        (&state.live.asked[0]["logStreamNamePrefixes"][0], &state.live.asked[0]["logEventFilterPattern"]),
        (&ENI.into(), &pattern.into())
    );
}

#[test]
fn a_server_that_is_not_our_own_is_followed_live() {
    let Some(server) = ministack::start() else { return };
    let (group, stream) = ("/vpc/live", format!("{ENI}-all"));
    server.group(group);
    server.stream(group, &stream);
    let mut config = config(server.port, group);
    config.live = true;
    config.run_for = Some(Duration::from_secs(15));
    config.max_rps = 1.0;
    let (mut number, mut last, mut expected) = (0, Instant::now(), Vec::new());
    let tally = run(config, lab(), |tally| {
        let open = tally.statuses.last().is_some_and(|status| status.live.as_ref().is_some_and(|live| live.open > 0));
        if open && number < 100 && last.elapsed() > Duration::from_millis(300) {
            let start = now() / 1000 - 300;
            let records: Vec<_> =
                (number..number + 20).map(|number| (start * 1000, flow(ENI, start, number))).collect();
            expected.extend(records.iter().map(|(_, message)| (stream.clone(), message.clone())));
            server.put(group, &stream, records);
            (number, last) = (number + 20, Instant::now());
        }
        true
    });
    assert!(expected.len() >= 40, "only {} were delivered", expected.len());
    tally.assert_exactly(&expected);
    let status = live(&tally);
    assert!(status.events > 0 && status.paired == status.events, "{status:?}");
}
