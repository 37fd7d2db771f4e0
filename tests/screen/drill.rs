//! In and back: alert to evidence, flow to session, session to records, group to rows, and Esc all the way to where one was.

use flowtail::app::Focus;
use flowtail::engine::view::{RowId, Tab};
use flowtail::record::Field;

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
