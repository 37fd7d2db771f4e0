//! Steps back in time from the live screen, through the real binary in a terminal, against a server that answers reads and evaluates queries.
#![cfg(all(unix, feature = "aws"))]

mod support;
#[path = "pty/terminal.rs"]
#[allow(dead_code, reason = "its own tests use all of it")]
mod terminal;

use support::insights::{Insights, founding};
use support::{ENI, flow};
use terminal::{Setup, Terminal, rows};

fn tail(server: &Insights) -> Terminal {
    tail_with(server, &["--no-state"])
}

fn tail_with(server: &Insights, more: &[&str]) -> Terminal {
    tail_at(server.port, more)
}

fn tail_at(port: u16, more: &[&str]) -> Terminal {
    let url = format!("http://127.0.0.1:{port}");
    let args = ["tail", "/vpc/fake", "--region", "us-west-1", "--max-rps", "50", "--endpoint-url", &url];
    let args = [&args[..], more].concat();
    let home = std::env::temp_dir();
    let env = [
        ("HOME", home.to_str().unwrap()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    Terminal::start(&Setup { env: &env, ..Setup::new(&args) })
}

#[test]
fn the_founding_example_is_found_by_the_filter_that_was_typed_once() {
    let server = Insights::start();
    founding(&server);
    let mut terminal = tail(&server);
    terminal.wait_for_text("searched from");
    terminal.press("/port 11211\r");
    terminal.wait_for_text("filter: port 11211");
    terminal.press("H");
    terminal.wait_for_text("Nothing runs before you agree");
    terminal.press("\x15soon\r");
    terminal.wait_for_text("'soon' is no time");
    terminal.press("\x152018-08-20 13:00 to 2018-08-20 18:00\r");
    terminal.wait_for("what it costs, and the query", |screen| {
        screen.contains("run it: scans about") && screen.contains("filter srcPort = 11211 or dstPort = 11211")
    });
    assert!(server.state().started.is_empty(), "nothing runs before the user agrees");
    terminal.press("y");
    terminal.wait_for("its four records, and that they are all", |screen| {
        screen.contains("searched for: port = 11211")
            && screen.contains("HISTORY 2018-08-20T13:00:00Z")
            && screen.contains("4 rows, complete")
            && rows(screen).len() == 4
    });
    terminal.press("2/ratio > 1000\r");
    terminal.wait_for("the trigger", |screen| screen.contains("40396") && screen.contains("1,026.5"));
    terminal.press("3");
    terminal.wait_for_text("AMP-PROBE");
    // Nothing of it is in the live tab, which is as it was.
    terminal.press("4");
    terminal.wait_for("the live tab", |screen| {
        screen.contains("filter: port 11211") && screen.contains("4 History") && rows(screen).is_empty()
    });
    terminal.press("4");
    terminal.wait_for_text("HISTORY 2018-08-20T13:00:00Z");
    // Sums by group as a small table, from which a row leads on.
    terminal.press("1/\x15\r");
    terminal.wait_for_text("searched for: port = 11211");
    terminal.press("H\x152018-08-20 13:00 to 2018-08-20 18:00 by dstaddr,dstport\r");
    terminal.wait_for_text("stats ");
    terminal.press("y");
    terminal.wait_for("the largest group", |screen| {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        screen.contains("rows, complete")
            && screen
                .lines()
                .any(|line| words(line).starts_with(&["172.16.0.178", "11211", "5072600"].map(str::to_owned)))
    });
    terminal.press("\x1b[B\r");
    terminal.wait_for_text("filter: dstaddr = 172.16.0.178 and dstport = 11211");
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.assert_given_back();
}

#[test]
fn a_search_that_runs_is_stopped_with_its_queries() {
    let server = Insights::start();
    founding(&server);
    server.state().looks = 1_000_000;
    let mut terminal = tail(&server);
    terminal.wait_for_text("searched from");
    for leave in ["X", "q"] {
        terminal.press("H\x152018-08-20 13:00 to 2018-08-20 18:00\r");
        terminal.wait_for_text("run it: scans about");
        terminal.press("y");
        terminal.wait_for("progress", |screen| screen.contains("history 0 %") && screen.contains("scanned"));
        // What the queries have found so far stands in the table before any is over.
        terminal.wait_for("partial rows", |screen| screen.contains("PARTIAL: ") && rows(screen).len() > 5);
        terminal.press("2");
        terminal.wait_for("sessions of them", |screen| screen.contains("PARTIAL: ") && rows(screen).len() > 5);
        terminal.press("1");
        terminal.press(leave);
        if leave == "X" {
            terminal.wait_for("what was not read, and nothing half", |screen| {
                screen.contains("NOT complete") && !screen.contains("PARTIAL") && rows(screen).is_empty()
            });
        }
    }
    assert_eq!(terminal.wait_exit(), 0);
    let state = server.state();
    assert!(state.started.len() >= 2, "{}", state.started.len());
    assert_eq!(state.stopped.len(), state.started.len(), "each query is stopped");
}

#[test]
fn sums_show_what_they_have_so_far_and_are_stopped_over_it() {
    let server = Insights::start();
    founding(&server);
    server.state().looks = 1_000_000;
    let mut terminal = tail(&server);
    terminal.wait_for_text("searched from");
    terminal.press("H\x152018-08-20 13:00 to 2018-08-20 18:00 by dstaddr,dstport\r");
    terminal.wait_for_text("run it: scans about");
    terminal.press("y");
    terminal
        .wait_for("some groups", |screen| screen.contains("so far, more will come") && screen.contains("172.16.0.178"));
    // Whoever leaves it is not brought back to it before it is whole.
    terminal.press("\x1b");
    terminal.wait_for("the table", |screen| !screen.contains("so far, more will come"));
    assert!(server.state().stopped.is_empty());
    terminal.press("X");
    terminal.wait_for_text("NOT complete");
    let state = server.state();
    assert_eq!(state.stopped.len(), state.started.len());
    drop(state);
    terminal.press("\x1b");
    terminal.wait_for("the table again", |screen| !screen.contains("NOT complete"));
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn the_tab_of_a_search_is_closed_and_its_memory_given_back() {
    let server = Insights::start();
    founding(&server);
    let mut terminal = tail(&server);
    terminal.wait_for_text("searched from");
    terminal.press("H\x152018-08-20 13:00 to 2018-08-20 18:00\r");
    terminal.wait_for_text("run it: scans about");
    terminal.press("y");
    terminal.wait_for_text("604 rows, complete");
    terminal.press(":close this search\r");
    terminal.wait_for("the live tab alone", |screen| {
        screen.contains("The search is closed.") && !screen.contains("4 History") && !screen.contains("HISTORY")
    });
    terminal.press("4");
    terminal.wait_for_text("There is no search so far");
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn who_waits_for_a_network_that_does_not_answer_knows_and_can_leave() {
    // Takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut terminal = tail_at(silent.local_addr().unwrap().port(), &["--no-state"]);
    terminal.wait_for_text("flowtail: waiting for an answer of AWS; Ctrl-C leaves");
    assert!(!terminal.is_taken());
    terminal.press("\x03");
    terminal.wait_exit();
}

#[test]
fn an_hour_of_earlier_time_comes_into_the_same_table() {
    let server = Insights::start();
    let now = support::now() / 1000;
    for (number, ago) in [(1, 600), (2, 3_000), (3, 3_600 + 2_400), (4, 2 * 3_600 + 2_400)] {
        server.put(now - ago, &flow(ENI, now - ago, number));
    }
    let mut terminal = tail(&server);
    terminal.wait_for("the record of the last half hour", |screen| rows(screen).len() == 1);
    terminal.press("[");
    terminal.wait_for("one more", |screen| rows(screen).len() == 2);
    terminal.press("[[");
    terminal.wait_for("all of them", |screen| rows(screen).len() == 4);
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn a_baseline_that_is_stopped_leaves_what_the_rules_knew_and_no_query() {
    let server = Insights::start();
    let now = support::now() / 1000;
    server.put(now - 5 * 86_400, &flow(ENI, now - 5 * 86_400, 1));
    server.state().looks = 1_000_000;
    let state = tempfile::tempdir().unwrap();
    for asked in [true, false] {
        let more: &[&str] = if asked { &["--baseline", "7d", "--state"] } else { &["--state"] };
        let mut terminal = tail_with(&server, &[more, &[state.path().to_str().unwrap()]].concat());
        if !asked {
            terminal.wait_for_text("searched from");
            terminal.press(":baseline\r");
            terminal.wait_for_text("run it: scans about");
            terminal.press("y");
        }
        terminal.wait_for_text("baseline, 1 of 3");
        terminal.press("X");
        terminal.wait_for_text("The baseline was stopped: the rules know what they knew before.");
        terminal.press("X");
        terminal.wait_for_text("Nothing is being loaded.");
        terminal.press("q");
        assert_eq!(terminal.wait_exit(), 0);
        let state = server.state();
        assert_eq!(state.stopped.len(), state.started.len());
    }
    // Nothing of it was kept.
    let kept = std::fs::read_dir(state.path()).unwrap().flatten();
    assert!(kept.filter(|file| file.file_name().to_string_lossy().starts_with("baseline-")).count() == 0);
}

#[test]
fn a_baseline_is_loaded_with_consent_and_says_how_old_it_is() {
    let server = Insights::start();
    let now = support::now() / 1000;
    server.put(now - 5 * 86_400, &flow(ENI, now - 5 * 86_400, 1));
    server.put(now - 600, &flow(ENI, now - 600, 2));
    // The palette asks first.
    let mut terminal = tail(&server);
    terminal.wait_for_text("searched from");
    terminal.press(":baseline\r");
    terminal.wait_for("what it costs, and the queries", |screen| {
        screen.contains("run it: scans about") && screen.contains("Three queries")
    });
    assert!(server.state().started.is_empty(), "nothing runs before the user agrees");
    terminal.press("y");
    terminal.wait_for_text("Baseline: the rules call new");
    assert_eq!(server.state().started.len(), 3);
    terminal.press("i");
    terminal
        .wait_for("its age", |screen| screen.contains("ports and peers of") && screen.contains("loaded 0 minutes ago"));
    terminal.press("i");
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
    // The option is the consent, once a day.
    let state = tempfile::tempdir().unwrap();
    for said in ["Baseline: the rules call new", "the one kept from"] {
        let mut terminal = tail_with(&server, &["--baseline", "7d", "--state", state.path().to_str().unwrap()]);
        terminal.wait_for_text(said);
        terminal.press("q");
        assert_eq!(terminal.wait_exit(), 0);
    }
    assert_eq!(server.state().started.len(), 6);
}
