//! What the screen says where a tail waits, is behind, or finds nothing: what helps can be read at every width.

use flowtail::record::{Earlier, Input, SourceState, SourceStatus, TailFigures};

use crate::stage::{NOW, Stage};

const DENIED: &str = "not allowed: logs:FilterLogEvents on arn:aws:logs:us-west-1:123456789012:log-group:/vpc/flow-logs. Add it to the IAM policy \
    of arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Analyst_0123456789abcdef/jane.doe@example.com";

fn told(status: SourceStatus, size: (u16, u16)) -> Stage {
    let mut stage = Stage::new("/vpc/flow-logs", Some("us-west-1"), crate::look(), size);
    stage.feed([crate::batch(crate::LINES), Input::Status(Box::new(status))]);
    stage
}

fn waits(why: &str, size: (u16, u16)) -> Stage {
    let state = SourceState::Waiting { why: why.to_owned(), until: NOW + 7_500 };
    told(SourceStatus { state, complete_to: Some(NOW / 1000 - 300), ..SourceStatus::default() }, size)
}

/// The text of a screen as one line, as a reader takes it in.
fn read(stage: &Stage) -> String {
    stage.text().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_remedy_is_read_at_eighty_columns() {
    let throttled = "CloudWatch Logs in us-west-1 throttles this account; all its tools share one quota, and a lower --max-rps takes less of it";
    let expired = "AWS credentials have expired. Run `aws sso login --profile prod`";
    for why in [throttled, expired] {
        for size in [(80, 24), (120, 32), (200, 60)] {
            let stage = waits(why, size);
            assert!(read(&stage).contains(&format!("next try in 8s: {why}")), "{size:?}:\n{}", stage.text());
            assert!(stage.shows("complete to"), "{size:?}:\n{}", stage.text());
        }
    }
    let mut stage = waits(DENIED, (80, 24));
    let text = read(&stage);
    assert!(text.contains("Add it to the IAM policy of") && text.contains("(i has all of it)"), "{}", stage.text());
    stage.run("i");
    assert!(read(&stage).contains("jane.doe@example.com"), "{}", stage.text());
}

#[test]
fn the_table_does_not_move_when_a_tail_begins_to_wait() {
    let row = |stage: &Stage| stage.text().lines().position(|line| line.contains("destination"));
    let calm = told(SourceStatus { state: SourceState::Live, ..SourceStatus::default() }, (80, 24));
    assert_eq!(row(&calm), row(&waits(DENIED, (80, 24))));
}

#[test]
fn how_far_behind_is_read_whole_and_a_lasting_remark_leaves_the_strip_alone() {
    let note = "4 minutes behind: about 2,100 records a second come and 1,250 can be followed at --max-rps 1; --max-rps 2, or --eni for single \
        interfaces, or --fetch for some of the records would help";
    let tail = TailFigures { capacity: 1250, behind: 240, ..TailFigures::default() };
    let status = SourceStatus {
        state: SourceState::Live,
        note: Some(note.to_owned()),
        tail: Some(tail),
        ..SourceStatus::default()
    };
    let stage = told(status.clone(), (80, 24));
    assert!(read(&stage).contains(note), "{}", stage.text());
    let tail = Some(TailFigures { behind: 0, ..tail });
    let stage = told(SourceStatus { tail, ..status }, (80, 24));
    assert!(stage.shows("(i has all of it)") && !stage.shows("would help"), "{}", stage.text());
    assert!(stage.shows(" accepted"), "the strip is there:\n{}", stage.text());
}

#[test]
fn a_tail_that_finds_nothing_says_what_it_read_and_what_to_check() {
    let mut stage = Stage::new("/vpc/flow-logs", Some("us-west-1"), crate::look(), (80, 24));
    let from = NOW / 1000 / 3600 * 3600;
    let earlier = Some(Earlier { from, wanted: from, begun: from });
    let status = SourceStatus { state: SourceState::Live, requests: 9, earlier, ..SourceStatus::default() };
    stage.feed([Input::Status(Box::new(status.clone()))]);
    let text = read(&stage);
    assert!(text.contains("Z until now: 9 requests so far.") && text.contains("No event from "), "{}", stage.text());
    assert!(text.contains("is us-west-1 the right region? [ reads an hour further back."), "{}", stage.text());
    stage.feed([Input::Status(Box::new(SourceStatus { events_read: 1200, ..status }))]);
    assert!(stage.shows("No record among 1,200 events"), "{}", stage.text());
}
