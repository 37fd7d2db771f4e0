//! The tail, through the real AWS SDK, against an in-process fake that fails as AWS and networks do: at the end every event came once.

#![cfg(feature = "aws")]

mod support;

use std::time::Duration;

use flowtail::record::SourceState;
use flowtail::source::cloudwatch::{Lab, Tail, TailConfig, TailError};
use serde_json::Value;

use support::fake::{BAD_TOKEN, DENIED, EXPIRED, Fake, THROTTLED, Trouble};
use support::{ENI, FastClock, Tally, config, lab, run};

/// A tail of the fake that ends by itself after this many seconds of a clock ten times as fast.
fn setup(fake: &Fake, seconds: u64) -> (TailConfig, Lab) {
    let mut config = config(fake.port, "/vpc/fake");
    config.run_for = Some(Duration::from_secs(seconds));
    (config, Lab { clock: FastClock::new(10), ..lab() })
}

/// Runs with troubles that begin after the connection was made, and checks that all came once.
fn survives(troubles: &[Trouble], page_troubles: &[Trouble]) -> Tally {
    let fake = Fake::start();
    let mut expected = fake.deliver(&format!("{ENI}-all"), 900, 300);
    expected.extend(fake.deliver("eni-0123456789abcdef0-all", 300, 900));
    {
        let mut state = fake.state();
        state.page = 250;
        // The first request is the probe.
        state.troubles.push_back(Trouble::Fine);
        state.troubles.extend(troubles);
        state.page_troubles.extend(page_troubles);
    }
    let (config, lab) = setup(&fake, 40);
    let tally = run(config, lab, |_| true);
    tally.assert_exactly(&expected);
    assert!(tally.ended && tally.gaps.is_empty(), "{:?}", tally.gaps);
    assert_eq!(tally.last().state, SourceState::Ended);
    let state = fake.state();
    let caused = troubles.iter().chain(page_troubles).filter(|trouble| **trouble != Trouble::Fine).count();
    assert_eq!(state.applied, caused, "not all troubles were met");
    assert_eq!(tally.last().requests, (state.asked.len() + state.others) as u64, "every try is counted");
    tally
}

#[test]
fn only_the_interface_is_asked_for() {
    let fake = Fake::start();
    let expected = fake.deliver(&format!("{ENI}-all"), 50, 300);
    fake.deliver(&format!("{ENI}0-all"), 50, 300);
    fake.deliver("eni-0123456789abcdef0-all", 50, 300);
    let (mut config, lab) = setup(&fake, 20);
    config.interfaces = vec![ENI.to_owned()];
    let tally = run(config, lab, |_| true);
    tally.assert_exactly(&expected);
    let state = fake.state();
    let asked: Vec<&Value> = state.asked.iter().skip(1).collect();
    assert!(!asked.is_empty() && asked.iter().all(|body| body["logStreamNamePrefix"] == ENI), "{:?}", asked.first());
    assert!(asked.iter().all(|body| body["startTime"].is_i64() && body["endTime"].is_i64()));
}

#[test]
fn two_interfaces_are_two_chains_and_each_record_comes_once() {
    let fake = Fake::start();
    let mut expected = fake.deliver(&format!("{ENI}-all"), 700, 300);
    expected.extend(fake.deliver("eni-0123456789abcdef0", 700, 300));
    fake.deliver("eni-0fffffffffffffff0", 70, 300);
    fake.state().page = 200;
    let (mut config, lab) = setup(&fake, 20);
    config.interfaces = vec![ENI.to_owned(), "eni-0123456789abcdef0".to_owned()];
    run(config, lab, |_| true).assert_exactly(&expected);
}

#[test]
fn an_empty_page_with_a_token_is_not_the_end() {
    let empty = Trouble::EmptyPage;
    let tally = survives(&[empty, Trouble::Fine], &[empty, empty, empty, Trouble::Fine, empty]);
    assert!(tally.waits().is_empty(), "{:?}", tally.waits());
}

#[test]
fn events_behind_an_empty_page_are_found_even_if_every_read_begins_with_one() {
    let fake = Fake::start();
    let expected = fake.deliver(ENI, 100, 300);
    fake.state().empty_first = true;
    let (config, lab) = setup(&fake, 20);
    run(config, lab, |_| true).assert_exactly(&expected);
}

#[test]
fn throttling_is_waited_out_and_said() {
    let tally = survives(&[THROTTLED; 4], &[THROTTLED, Trouble::Fine, THROTTLED]);
    assert!(
        tally.waits().iter().any(|why| why.contains("throttles") && why.contains("--max-rps")),
        "{:?}",
        tally.waits()
    );
}

#[test]
fn a_token_that_is_refused_starts_the_range_again() {
    survives(&[], &[BAD_TOKEN, Trouble::Fine, BAD_TOKEN, Trouble::Fine, Trouble::Fine, BAD_TOKEN]);
}

#[test]
fn a_token_that_is_refused_again_and_again_is_no_endless_loop() {
    survives(&[], &[BAD_TOKEN; 9]);
}

#[test]
fn a_token_that_comes_again_is_no_endless_loop() {
    survives(&[], &[Trouble::SameToken, Trouble::SameToken]);
}

#[test]
fn expired_credentials_are_refreshed_and_tried_again() {
    let tally = survives(&[EXPIRED, Trouble::Fine], &[EXPIRED]);
    assert!(tally.waits().is_empty(), "one refresh is enough: {:?}", tally.waits());
    let tally = survives(&[EXPIRED; 3], &[]);
    assert!(tally.waits().iter().any(|why| why.contains("credentials have expired")), "{:?}", tally.waits());
}

#[test]
fn a_denial_while_running_waits_for_the_policy() {
    let tally = survives(&[Trouble::Fine, Trouble::Fine, DENIED], &[]);
    let waits = tally.waits();
    assert!(waits.iter().any(|why| why.contains("logs:FilterLogEvents on arn:aws:logs:us-west-1")), "{waits:?}");
}

#[test]
fn broken_connections_and_pages_lose_nothing() {
    let faults = [
        Trouble::Reset,
        Trouble::Truncated,
        Trouble::Html502,
        Trouble::Error(503, "ServiceUnavailableException", "no"),
    ];
    let tally = survives(&faults, &faults);
    let waits = tally.waits();
    assert!(waits.iter().any(|why| why.starts_with("no answer from")), "{waits:?}");
    assert!(waits.iter().any(|why| why.contains("fails")), "{waits:?}");
}

#[test]
fn the_second_try_of_the_sdk_is_counted() {
    let fake = Fake::start();
    let expected = fake.deliver(ENI, 10, 300);
    fake.state().troubles.extend([Trouble::Fine, Trouble::Html502]);
    let (config, lab) = setup(&fake, 30);
    let tally = run(config, Lab { tries: 2, ..lab }, |_| true);
    tally.assert_exactly(&expected);
    assert!(tally.waits().is_empty(), "{:?}", tally.waits());
    let state = fake.state();
    assert_eq!(tally.last().requests, (state.asked.len() + state.others) as u64);
}

#[test]
fn an_answer_that_does_not_come_in_time_is_asked_for_again() {
    // A slow first byte, and a body that stops in the middle.
    for trouble in [Trouble::Slow(3000), Trouble::Stalled(3000)] {
        let fake = Fake::start();
        let expected = fake.deliver(ENI, 10, 300);
        fake.state().troubles.extend([Trouble::Fine, trouble]);
        let (config, lab) = setup(&fake, 30);
        let tally = run(config, Lab { read_timeout: Duration::from_millis(500), ..lab }, |_| true);
        tally.assert_exactly(&expected);
        assert!(tally.waits().iter().any(|why| why.contains("in time")), "{trouble:?}: {:?}", tally.waits());
    }
}

#[test]
fn a_stream_that_appears_later_is_found() {
    let fake = Fake::start();
    fake.deliver("eni-0123456789abcdef0", 10, 300);
    let (mut config, lab) = setup(&fake, 420);
    config.interfaces = vec![ENI.to_owned()];
    let mut expected = Vec::new();
    let tally = run(config, Lab { clock: FastClock::new(60), ..lab }, |tally| {
        let note = tally.last().note.as_deref().unwrap_or_default();
        if expected.is_empty() && note.contains("no stream") {
            // Its records do not name the interface, as in a format without interface-id: only the stream does.
            expected = fake.deliver(&format!("{ENI}-all"), 20, 300);
            fake.rewrite(&format!("{ENI}-all"), ENI, "-");
            for (_, message) in &mut expected {
                *message = message.replace(ENI, "-");
            }
        }
        true
    });
    tally.assert_exactly(&expected);
    assert_eq!(tally.last().note, None);
}

#[test]
fn without_permission_to_list_streams_the_note_says_what_is_not_known() {
    let fake = Fake::start();
    fake.deliver("eni-0123456789abcdef0", 10, 300);
    fake.state().other = Some(DENIED);
    let (mut config, lab) = setup(&fake, 20);
    config.interfaces = vec![ENI.to_owned()];
    let tally = run(config, lab, |_| true);
    let note = tally.last().note.as_deref().unwrap_or_default();
    assert!(tally.events.is_empty() && note.contains(ENI) && note.contains("DescribeLogStreams"), "{note}");
}

/// Tries to connect while the first answers are these.
fn connect(troubles: &[Trouble]) -> Result<Tail, TailError> {
    let fake = Fake::start();
    fake.state().troubles.extend(troubles);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Tail::connect_with(config(fake.port, "/vpc/fake"), lab()))
}

#[test]
fn what_only_the_user_can_mend_fails_before_the_screen() {
    let error = |trouble| connect(&[trouble]).err().expect("no connection").to_string();
    let denied = error(DENIED);
    assert!(
        denied.contains("logs:FilterLogEvents on arn:aws:logs:us-west-1:123456789012:log-group:/vpc/fake"),
        "{denied}"
    );
    assert!(denied.contains("arn:aws:iam::123456789012:user/u"), "{denied}");
    assert!(error(EXPIRED).contains("expired"));
    let unknown = error(Trouble::Error(400, "UnrecognizedClientException", "The security token is invalid."));
    assert!(unknown.contains("does not accept the credentials"), "{unknown}");
    let refused = error(Trouble::Error(400, "InvalidParameterException", "not this class of log group"));
    assert!(refused.contains("/vpc/fake") && refused.contains("not this class"), "{refused}");
}

#[test]
fn what_may_pass_does_not_keep_the_screen_from_opening() {
    for trouble in [THROTTLED, Trouble::Reset, Trouble::Html502, Trouble::Truncated] {
        if let Err(error) = connect(&[trouble]) {
            panic!("{trouble:?}: {error}");
        }
    }
    // A name that does not resolve: the tail waits, says for what, and ends when it should.
    let fake = Fake::start();
    let (mut config_of_none, lab_of_none) = setup(&fake, 20);
    config_of_none.endpoint_url = Some("http://logs.invalid:80".to_owned());
    let tally = run(config_of_none, lab_of_none, |_| true);
    assert!(tally.waits().iter().any(|why| why.contains("no answer from http://logs.invalid")), "{:?}", tally.waits());
    assert!(tally.ended && !tally.gaps.is_empty());
    // Nobody listens at all.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tail = runtime.block_on(Tail::connect_with(config(9, "/vpc/fake"), lab()));
    assert_eq!(tail.ok().map(|tail| tail.origin().name.to_string()).as_deref(), Some("/vpc/fake"));
}

#[test]
fn a_receiver_that_goes_away_ends_the_tail() {
    let fake = Fake::start();
    // Within the five minutes that the first read covers.
    fake.deliver(ENI, 10, 120);
    let (mut config, lab) = setup(&fake, 0);
    config.run_for = None;
    let tally = run(config, lab, |tally| tally.events.is_empty());
    assert_eq!(tally.events.len(), 10);
}

#[test]
fn a_group_of_a_class_that_cannot_be_tailed_says_what_to_do() {
    let fake = Fake::start();
    {
        let mut state = fake.state();
        state.class = "INFREQUENT_ACCESS";
        state.troubles.push_back(Trouble::Error(400, "InvalidParameterException", "not supported for this log class"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tail = runtime.block_on(Tail::connect_with(config(fake.port, "/vpc/fake"), lab()));
    let error = tail.err().expect("no connection").to_string();
    assert!(error.contains("INFREQUENT_ACCESS") && error.contains("Logs Insights"), "{error}");
}

/// What the tail says of its groups where EC2 answers so.
fn facts(ec2: Option<(u16, String)>) -> String {
    let fake = Fake::start();
    let expected = fake.deliver(ENI, 10, 300);
    fake.state().ec2 = ec2;
    let (config, lab) = setup(&fake, 5);
    let tally = run(config, lab, |_| true);
    tally.assert_exactly(&expected);
    tally
        .last()
        .facts
        .iter()
        .map(|(name, text)| [name, text].map(String::as_str).join(": "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn what_ec2_does_not_say_is_said_to_be_unknown_and_the_tail_goes_on() {
    let denied = facts(None);
    assert!(denied.contains("ec2:DescribeFlowLogs is not allowed") && denied.contains("guessed"), "{denied}");
    let broken = facts(Some((200, "<html>proxy</html>".to_owned())));
    assert!(broken.contains("not known, formats are guessed"), "{broken}");
    let failing = facts(Some((503, String::new())));
    assert!(failing.contains("not known, formats are guessed"), "{failing}");
}

#[test]
fn a_group_without_flow_logs_says_how_to_read_those_that_go_to_s3() {
    let fake = Fake::start();
    let answer = "<DescribeFlowLogsResponse><flowLogSet><item><flowLogId>fl-0b</flowLogId><resourceId>vpc-1</resourceId><trafficType>ALL</trafficType>\
        <logDestinationType>s3</logDestinationType><logDestination>arn:aws:s3:::flows-bucket/prod</logDestination></item></flowLogSet></DescribeFlowLogsResponse>";
    fake.state().ec2 = Some((200, answer.to_owned()));
    let (config, lab) = setup(&fake, 600);
    let tally = run(config.clone(), lab.clone(), |tally| tally.last().note.is_none());
    let note = tally.last().note.as_deref().unwrap_or_default();
    assert!(note.contains("no flow log writes to /vpc/fake, but one goes to S3"), "{note}");
    assert!(note.contains("s3://flows-bucket/prod/") && note.contains("flowtail open"), "{note}");
    // Who names nothing, or something that is not there, is told as well.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for groups in [vec![], vec!["/vpc/flow-logs".to_owned()]] {
        let config = TailConfig { groups, ..config.clone() };
        let error = runtime.block_on(Tail::connect_with(config, lab.clone())).err().unwrap();
        assert!(error.to_string().contains("s3://flows-bucket/prod/"), "{error}");
    }
}

#[test]
fn figures_say_what_a_poll_costs_and_what_can_be_followed() {
    let fake = Fake::start();
    fake.deliver(&format!("{ENI}-all"), 1500, 300);
    fake.state().page = 250;
    let (config, lab) = setup(&fake, 20);
    let tally = run(config, lab, |_| true);
    let figures = tally.last().tail.expect("figures");
    assert!(figures.capacity > 0 && figures.reads >= 3 && figures.lookback == 1800, "{figures:?}");
    let poll = figures.poll.expect("a poll");
    // Six full pages and one for the rest at least; all was known at the end.
    assert!(poll.requests >= 6 && poll.events == 1500 && poll.duplicates == 1500 && poll.minutes > 1, "{poll:?}");
}

#[test]
fn a_poll_of_many_interfaces_costs_no_more_than_one_of_a_few() {
    let polls = [3, 300].map(|interfaces| {
        let fake = Fake::start();
        let each = 1500 / interfaces;
        let expected: Vec<_> =
            (0..interfaces).flat_map(|number| fake.deliver(&format!("eni-{number:017x}-all"), each, 300)).collect();
        let (config, lab) = setup(&fake, 20);
        let tally = run(config, lab, |_| true);
        tally.assert_exactly(&expected);
        assert!(fake.state().asked.iter().all(|asked| asked.get("logStreamNamePrefix").is_none()));
        tally.last().tail.expect("figures").poll.expect("a poll")
    });
    assert_eq!(polls.map(|poll| (poll.requests, poll.events)), [(1, 1500); 2], "{polls:?}");
}

#[test]
fn what_is_recorded_is_what_was_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.gz");
    let fake = Fake::start();
    let expected = fake.deliver(&format!("{ENI}-all"), 900, 300);
    fake.state().page = 250;
    let (mut config, lab) = setup(&fake, 20);
    config.record = Some(path.clone());
    let tally = run(config, lab, |_| true);
    tally.assert_exactly(&expected);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_flowtail"))
        .args(["open", path.to_str().unwrap(), "--print", "flows"])
        .output()
        .unwrap();
    let rows: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(rows.len(), expected.len(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut events = tally.events.clone();
    events.sort_by(|a, b| a.id.cmp(&b.id));
    let mut rows: Vec<(&str, i64, &str)> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            (text("@event-id"), row["@ingestion-time"].as_i64().unwrap(), text("@log-stream"))
        })
        .collect();
    rows.sort_unstable();
    let expected: Vec<_> =
        events.iter().map(|event| (event.id.as_str(), event.ingestion, event.stream.as_str())).collect();
    assert_eq!(rows, expected);
}
