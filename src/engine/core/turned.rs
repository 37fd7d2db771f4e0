//! What the rules and the screen make of a session that turns out to be the other way round.

use super::*;
use crate::detect::{AlertEvent, Rules};
use crate::engine::view::{Sort, Tab};
use crate::record::{Batch, Cell, Decoder};

/// A rule of which every session with an answer is a case, by who answered.
const RULE: &str = r#"
[[rule]]
id = "ANSWERS"
title = "Somebody answered"
level = "low"
on = "session"
filter = "resp.bytes >= 1000"
group_by = ["server", "server.port"]
timespan = "10m"
condition = "count() >= 1"
message = "{server}:{server.port} answered"
evidence = "server {server} and server.port {server.port}"
"#;

/// Two records of a conversation between ports that say nothing: the server sends a thousand bytes. Flags are those of the client and the
/// server, `-` for none. A third record tells only the time, which two alone do not.
fn talk(client: u8, port: u16, end: u64, flags: [&str; 2]) -> String {
    let start = end - 50;
    let [asked, answered] = flags;
    format!(
        "2 1 eni-1 10.0.0.{client} 10.0.1.9 {port} 50051 6 5 400 {start} {end} ACCEPT OK {asked}\n\
         2 1 eni-1 10.0.1.9 10.0.0.{client} 50051 {port} 6 5 1000 {start} {end} ACCEPT OK {answered}\n\
         2 1 eni-1 - - - - - - - {start} {end} - NODATA -\n"
    )
}

fn core() -> Core {
    with(RULE)
}

/// An engine with the rules in `text`.
pub(super) fn with(text: &str) -> Core {
    let config = Config {
        memory: 64 << 20,
        lateness: 600,
        live: false,
        source: "test".into(),
        region: None,
        interfaces: Vec::new(),
        fetch: None,
    };
    let rules = Rules::parse(text, "test").unwrap_or_else(|error| panic!("{error}"));
    Core::new(config, Detector::new(&rules, crate::detect::Limits::default()), true)
}

fn ingest(core: &mut Core, text: &str) {
    let format = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action \
                  log-status tcp-flags";
    let mut decoder = Decoder::new(Some(crate::record::Format::parse(format).expect("a format")));
    core.ingest(&decoder.decode(&Batch { bytes: text.as_bytes().to_vec(), ..Batch::default() }));
}

/// Groups of the alerts that are held.
pub(super) fn told(core: &Core) -> Vec<String> {
    let group =
        |alert: &Arc<Alert>| alert.group.iter().map(|(_, cell)| format!("{cell:?}")).collect::<Vec<_>>().join(" ");
    core.alerts().map(group).collect()
}

/// The responder's port of each session on the screen.
fn ports(core: &mut Core) -> Vec<Cell> {
    let sort = Sort { field: Field::Client, descending: false };
    let spec =
        ViewSpec { tab: Tab::Sessions, columns: vec![Field::ServerPort], after: 10, sort, ..ViewSpec::default() };
    core.page(&spec).rows.iter().map(|row| row.cells[0].clone()).collect()
}

#[test]
fn a_late_syn_turns_the_session_on_the_screen_and_for_the_rules() {
    let mut core = core();
    // 40000 is taken for the server's, being of a lower class; it got a thousand bytes and sent less, so there is no case yet.
    ingest(&mut core, &talk(1, 40_000, 1_600_000_060, ["-", "-"]));
    assert_eq!(ports(&mut core), [Cell::Int(40_000)]);
    assert_eq!(told(&core), [""; 0]);
    // An earlier record, which comes later, says who began.
    ingest(&mut core, "2 1 eni-1 10.0.0.1 10.0.1.9 40000 50051 6 1 60 1600000000 1600000009 ACCEPT OK 2\n");
    assert_eq!(ports(&mut core), [Cell::Int(50_051)]);
    assert_eq!(told(&core).len(), 1, "the server answered with a thousand bytes");
}

#[test]
fn an_alert_on_a_session_the_wrong_way_round_is_withdrawn_for_the_right_one() {
    let mut core = core();
    // The client's port belongs to a service, so it is taken for the server, which answered with two thousand bytes.
    ingest(&mut core, &talk(1, 443, 1_600_000_060, ["-", "-"]).replace(" 400 ", " 2000 "));
    assert_eq!(ports(&mut core), [Cell::Int(443)]);
    let before: Vec<_> = core.take_news();
    let raised = |news: &[AlertEvent]| -> Vec<u64> {
        news.iter()
            .filter_map(|event| if let AlertEvent::Raised(alert) = event { Some(alert.id) } else { None })
            .collect()
    };
    let withdrawn = |news: &[AlertEvent]| -> Vec<u64> {
        let id = |event: &AlertEvent| if let AlertEvent::Withdrawn(alert) = event { Some(alert.id) } else { None };
        news.iter().filter_map(id).collect()
    };
    let all = told(&core);
    assert!(all.len() == 1 && all[0].contains("10.0.0.1") && all[0].contains("443"), "{all:?}");
    let wrong = raised(&before);
    assert_eq!(wrong.len(), 1);
    ingest(&mut core, "2 1 eni-1 10.0.0.1 10.0.1.9 443 50051 6 1 60 1600000000 1600000009 ACCEPT OK 2\n");
    assert_eq!(ports(&mut core), [Cell::Int(50_051)]);
    let all = told(&core);
    assert!(all.len() == 1 && all[0].contains("10.0.1.9") && all[0].contains("50051"), "{all:?}");
    let after: Vec<_> = core.take_news();
    assert_eq!(withdrawn(&after), wrong, "what was told of the client is taken back");
    assert_eq!(raised(&after).len(), 1, "and told of the server");
}

#[test]
fn what_others_say_of_a_server_turns_sessions_when_they_become_final() {
    let mut core = core();
    ingest(&mut core, &talk(1, 40_000, 1_600_000_060, ["-", "-"]));
    assert_eq!(told(&core), [""; 0]);
    for client in 2..6 {
        ingest(&mut core, &talk(client, 40_000 + u16::from(client), 1_600_000_060, ["-", "-"]));
    }
    core.finish();
    assert_eq!(ports(&mut core), vec![Cell::Int(50_051); 5]);
    let all = told(&core);
    assert!(all.len() == 1 && all[0].contains("50051"), "one server, found by all: {all:?}");
    let count = core.alerts().next().map(|alert| alert.count);
    assert_eq!(count, Some(10), "both records of each of the five sessions");
}
