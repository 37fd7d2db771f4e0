//! In and back: alert to evidence, flow to session, session to records, group to rows, and Esc all the way to where one was.

use flowtail::app::lens::{Entry, List};
use flowtail::app::{Context, Effect, Focus, Input, Mouse, MouseKind, Target};
use flowtail::engine::view::{RowId, Tab};
use flowtail::record::Field;

use crate::Stage;
use crate::play::{attacked, series};

#[test]
fn the_main_job_alert_to_session_to_records_and_back() {
    let mut s = attacked();
    s.run("jjj");
    let (place, cursor) = (s.place(), s.cursor());
    s.run("a<enter>");
    assert_eq!(s.tab(), Tab::Sessions);
    assert!(s.app.view().detail && s.app.focus() == Focus::Table);
    for fact in [
        "13.125.33.130:40396 → 172.16.0.178:11211 (memcached), udp",
        "eni-0536faba73134a9b7 (account 622676721278), region us-west-1",
        "2018-08-20 15:26:46",
        "50 bytes in 1 packet; back 51,327 bytes in 36 packets",
        "1,026.5",
        "private address",
    ] {
        assert!(s.shows(fact), "{fact} is missing:\n{}", s.text());
    }
    assert!(s.selected()[0].contains("1,026.5"), "the cursor is on the session that tipped it");
    s.run("<enter>");
    assert_eq!(s.tab(), Tab::Flows);
    assert_eq!(s.matched(), 2, "{:?}\n{}", s.filter(), s.text());
    assert!(s.shows("40396 →") && s.shows("→ 13.125.33.130"));
    s.run("<esc>");
    assert_eq!((s.tab(), s.app.view().detail), (Tab::Sessions, true));
    s.run("<esc>");
    assert_eq!((s.tab(), s.filter(), s.app.view().detail), (Tab::Flows, None, false));
    assert_eq!((s.place(), s.cursor()), (place, cursor));
}

#[test]
fn enter_on_a_flow_goes_to_its_session() {
    let mut s = attacked();
    s.run("/40396<enter>g<enter><enter>");
    assert_eq!(s.tab(), Tab::Sessions);
    assert!(s.selected()[0].contains("1,026.5"), "{}", s.text());
    s.run("<esc>");
    assert_eq!((s.tab(), s.filter()), (Tab::Flows, Some("40396")));
    s.run("<esc>");
    assert!(!s.app.view().detail);
    s.run("<esc>");
    assert_eq!(s.filter(), None);
    s.run("<esc>");
    assert!(s.shows("This is where you started"));
}

#[test]
fn a_group_opens_into_its_rows() {
    let mut s = attacked();
    s.run("bdport, action<enter>");
    assert_eq!(s.app.view().table().group_by, [Field::DstPort, Field::Action]);
    assert!(s.shows("by dstport, action") && s.shows("rejected"), "{}", s.text());
    assert!(matches!(s.cursor(), Some(RowId::Group(_))));
    assert!(s.selected()[0].contains("11211"), "the most bytes stand first: {}", s.text());
    s.run("<enter>");
    assert_eq!(s.filter(), Some("dstport = 11211 and action = ACCEPT"));
    assert_eq!((s.matched(), s.app.view().table().group_by.len()), (2, 0));
    s.run("<esc>");
    assert_eq!((s.filter(), s.app.view().table().group_by.len()), (None, 2));
}

#[test]
fn a_group_of_what_was_not_logged_opens_too() {
    let mut s = series(4);
    s.feed([crate::batch("2 1 eni-1 - - - - - - - 1534778400 1534778460 - NODATA\n")]);
    s.run("bsrcaddr<enter>G<enter>");
    assert_eq!(s.filter(), Some("not has srcaddr"), "{}", s.text());
    assert_eq!(s.matched(), 1);
    assert!(s.shows("NODATA: no traffic on eni-1"), "{}", s.text());
}

#[test]
fn sessions_group_and_open() {
    let mut s = attacked();
    s.run("2bserver.port<enter>");
    assert!(s.selected()[0].contains("11211"), "{}", s.text());
    s.run("<enter>");
    assert_eq!((s.tab(), s.matched()), (Tab::Sessions, 2));
}

#[test]
fn the_alert_table_opens_evidence_as_the_sidebar_does() {
    let mut s = attacked();
    s.run("3");
    for fact in ["HIGH AMP-PROBE", "T1498.002", "measured", "threshold", "or it is", "evidence"] {
        assert!(s.shows(fact), "{fact} is missing:\n{}", s.text());
    }
    assert!(!s.text().contains('\u{fffd}'), "{}", s.text());
    s.run("<enter>");
    assert_eq!(s.tab(), Tab::Sessions);
    s.run("<esc>");
    assert_eq!(s.tab(), Tab::Alerts);
    s.run("+");
    assert!(s.shows("Alerts are not filtered"));
}

#[test]
fn a_pivot_narrows_what_is_in_force() {
    let mut s = attacked();
    s.run("/udp or 22<enter><right><right>+");
    assert_eq!(s.filter(), Some("(udp or 22) and srcaddr = 172.16.0.178"));
    s.run("<esc>");
    assert_eq!(s.filter(), Some("udp or 22"));
}

#[test]
fn lists_of_an_endpoint_take_the_room_there_is_say_how_many_more_and_open() {
    let mut stage = Stage::demo(crate::NOW, crate::look(), (120, 32));
    stage.run("2/client = 13.125.33.130<enter>I");
    let listed = |stage: &Stage| stage.app.entries().iter().filter(|entry| matches!(entry, Entry::Peer(_))).count();
    let more = |stage: &Stage| stage.app.entries().contains(&Entry::More(List::Peers));
    assert!(more(&stage), "{}", stage.text());
    let low = listed(&stage);
    assert!(stage.shows("Talkers 1"), "{}", stage.text());
    let high = { listed(stage.resize(200, 60)) };
    assert!(high > 30 && high > low, "{low} {high}\n{}", stage.text());
    let rest = stage.app.page().profile.as_ref().expect("a profile").peers.len() - high;
    assert!(rest > 0 && stage.shows(&format!("… {rest} more")), "{}", stage.text());
    // The list that is chosen is opened, the cursor is on what was not there, and the others stay.
    let ports = stage.app.entries().iter().filter(|entry| matches!(entry, Entry::Served(..))).count();
    stage.run("<right><right>");
    assert!(matches!(stage.app.entries()[stage.app.entry_at()], Entry::Peer(_)), "{}", stage.text());
    stage.run("<right><up><enter>");
    assert_eq!(listed(&stage), high + rest);
    assert_eq!(stage.app.entry_at(), 2 + 3 + high, "{}", stage.text());
    assert_eq!(stage.app.entries().iter().filter(|entry| matches!(entry, Entry::Served(..))).count(), ports);
    // It scrolls, and what is selected is on the screen.
    let peer = stage.app.page().profile.as_ref().expect("a profile").peers[high + rest - 1].addr.to_string();
    assert!(!stage.shows(&format!(" {peer} ")), "{}", stage.text());
    stage.run("<right><up><up>");
    assert!(stage.shows(&format!(" {peer} ")) && stage.shows("show fewer"), "{}", stage.text());
    stage.run("y");
    assert_eq!(stage.effects, [Effect::Copy(peer)]);
    stage.run("<down><enter>");
    assert_eq!(listed(&stage), high);
    // A click on it opens the list at once; the wheel moves the cursor.
    let place = stage.app.entries().iter().position(|entry| *entry == Entry::More(List::Served)).expect("more ports");
    let hit = stage.viewport.hits.iter().find(|(_, target)| *target == Target::Entry(place)).expect("on the screen").0;
    stage.press(&Input::Mouse(Mouse { kind: MouseKind::Click, x: hit.x, y: hit.y }));
    assert!(!stage.app.entries().contains(&Entry::More(List::Served)) || stage.shows("show fewer"), "{}", stage.text());
    let at = stage.app.entry_at();
    stage.press(&Input::Mouse(Mouse { kind: MouseKind::WheelUp, x: hit.x, y: hit.y }));
    assert_eq!(stage.app.entry_at(), at - 3);
    // What does not work there is not hinted at; what is hinted at works.
    stage.run(":");
    assert_eq!(stage.app.context(), Context::Menu, "{}", stage.text());
}
