//! What the screen says of a push-down and of a live session.

use flowtail::record::{Input, LiveStatus, SourceState, SourceStatus};

use crate::stage::{NOW, Stage};
use crate::{LINES, batch, live};

fn fetching(fetch: &str) -> Stage {
    let mut stage = Stage::fetching("/vpc/flow-logs", Some("us-west-1"), Some(fetch), crate::look(), (120, 48));
    stage.feed([batch(LINES), live()]);
    stage
}

fn with_live(live: LiveStatus) -> Stage {
    let mut stage = crate::stage();
    let live = Some(live);
    stage.feed([Input::Status(Box::new(SourceStatus {
        state: SourceState::Live,
        requests: 9,
        live,
        ..SourceStatus::default()
    }))]);
    stage
}

#[test]
fn a_push_down_stands_in_the_header_and_only_what_it_wants_is_held() {
    let mut stage = fetching("port 11211");
    for (width, height) in [(120, 32), (80, 24), (60, 12)] {
        stage.resize(width, height);
        assert!(stage.shows("only port = 11211 fetched"), "{width}x{height}:\n{}", stage.text());
    }
    let text = stage.resize(120, 32).text();
    assert!(text.contains("11211") && !text.contains(" 443 "), "{text}");
}

#[test]
fn the_pane_about_the_source_tells_what_was_pushed_and_what_was_not() {
    let mut stage = fetching("port 11211 and udp and bytes > 1k");
    stage.run("i");
    for says in [
        "what was not read cannot come back by widening the filter",
        "port = 11211 and protocol = udp and bytes > 1000, both directions, NODATA and SKIPDATA",
        "?\"11211\" ?\"NODATA\" ?\"SKIPDATA\"",
        "protocol = udp, bytes > 1000",
        "records that were read",
        "may hold for one direction of a session and not for the other",
    ] {
        assert!(stage.shows(says), "{says}:\n{}", stage.text());
    }
    let mut stage = fetching("not port 443");
    stage.run("i");
    assert!(stage.shows("nothing of it can be asked for, so everything is read"), "{}", stage.text());
}

#[test]
fn a_pattern_that_was_left_is_not_shown_as_the_one_in_use() {
    let mut stage = fetching("port 11211 and udp");
    let asks = |pattern: &str| {
        let asks_for = Some(pattern.into());
        Input::Status(Box::new(SourceStatus {
            state: SourceState::Live,
            requests: 9,
            asks_for,
            ..SourceStatus::default()
        }))
    };
    stage.feed([asks("?\"9\" ?\"NODATA\"")]);
    stage.run("i");
    let text = stage.text();
    let at = |says: &str| text.find(says).unwrap_or_else(|| panic!("{says}:\n{text}"));
    assert!(at("?\"9\" ?\"NODATA\"") < at("?\"11211\" ?\"NODATA\" ?\"SKIPDATA\": it relied on"), "{text}");
    stage.feed([asks("")]);
    stage.run("<esc>i");
    assert!(stage.shows("nothing of it can be asked for, so everything is read"), "{}", stage.text());
}

#[test]
fn a_live_session_shows_whether_it_is_open_and_what_it_left_out() {
    let open = LiveStatus { open: 1, wanted: 1, events: 120, paired: 118, ..LiveStatus::default() };
    let mut stage = with_live(open.clone());
    assert!(stage.shows("LIVE TAIL") && !stage.shows("sampled"), "{}", stage.text());
    stage.run("i").resize(120, 48);
    assert!(stage.shows("open; ended 0 times so far") && stage.shows("120 events; 118 of them"), "{}", stage.text());
    let stage = with_live(LiveStatus { sampled: 3, repaired: 2, ..open.clone() });
    assert!(stage.shows("LIVE TAIL sampled 3, repaired 2"), "{}", stage.text());
    let closed = Some(("sessions end after three hours".to_owned(), NOW + 1500));
    let mut stage = with_live(LiveStatus { open: 0, closed, ended: 1, ..open });
    assert!(stage.shows("LIVE TAIL closed"), "{}", stage.text());
    stage.run("i").resize(120, 48);
    assert!(stage.shows("opened again in 2s: sessions end after three hours"), "{}", stage.text());
}
