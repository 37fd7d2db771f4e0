//! The views beside the tables: an address, an interface, the timeline, the time of a change, and what a rejected session may mean.

use flowtail::app::brush::Measure;
use flowtail::app::{Input, Mode, Mouse, MouseKind};
use flowtail::engine::view::Tab;

use crate::play::{attacked, series};
use crate::stage::Stage;

/// A client that two interfaces logged: the server's rejected what the client's let out; and one whose answer an outbound ACL rejected.
const SPLIT: &str = "\
2 1 eni-a 10.0.0.1 10.0.0.2 50000 443 6 3 180 1534778700 1534778760 ACCEPT OK
2 1 eni-b 10.0.0.1 10.0.0.2 50000 443 6 3 180 1534778700 1534778760 REJECT OK
2 1 eni-b 10.0.0.3 10.0.0.2 50001 443 6 3 180 1534778700 1534778760 ACCEPT OK
2 1 eni-b 10.0.0.2 10.0.0.3 443 50001 6 3 180 1534778700 1534778760 REJECT OK
2 1 eni-b 10.0.0.4 10.0.0.2 50002 443 6 3 180 1534778700 1534778760 ACCEPT OK
2 1 eni-b 10.0.0.2 10.0.0.4 443 50002 6 3 180 1534778700 1534778760 ACCEPT OK
";

/// One conversation of 10.0.0.5 with 9.9.9.9 through a NAT gateway, 10.0.9.9: its own interface logs it, and the gateway's both legs.
const NAT: &str = "\
version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status pkt-srcaddr pkt-dstaddr
3 1 eni-host 10.0.0.5 9.9.9.9 40001 443 6 5 2000 1534778700 1534778758 ACCEPT OK 10.0.0.5 9.9.9.9
3 1 eni-host 9.9.9.9 10.0.0.5 443 40001 6 5 9000 1534778700 1534778758 ACCEPT OK 9.9.9.9 10.0.0.5
3 1 eni-nat 10.0.0.5 10.0.9.9 40001 443 6 5 2000 1534778700 1534778758 ACCEPT OK 10.0.0.5 9.9.9.9
3 1 eni-nat 10.0.9.9 10.0.0.5 443 40001 6 5 9000 1534778700 1534778758 ACCEPT OK 9.9.9.9 10.0.0.5
3 1 eni-nat 10.0.9.9 9.9.9.9 5001 443 6 5 2000 1534778700 1534778758 ACCEPT OK 10.0.9.9 9.9.9.9
3 1 eni-nat 9.9.9.9 10.0.9.9 443 5001 6 5 9000 1534778700 1534778758 ACCEPT OK 9.9.9.9 10.0.9.9
";

/// Three sessions beside a change at 15:26:00 (1534778760): over before it, going on over it, begun after it.
const CHANGED: &str = "\
2 1 eni-b 10.0.0.1 10.0.0.2 50001 443 6 3 100 1534778580 1534778640 ACCEPT OK
2 1 eni-b 10.0.0.3 10.0.0.2 50002 443 6 3 20 1534778640 1534778700 ACCEPT OK
2 1 eni-b 10.0.0.3 10.0.0.2 50002 443 6 3 3 1534778820 1534778880 ACCEPT OK
2 1 eni-b 10.0.0.4 10.0.0.2 50003 443 6 3 7 1534778820 1534778880 ACCEPT OK
";

fn split() -> Stage {
    let mut stage = Stage::new("flows.log", None, crate::look(), (120, 40));
    stage.feed([crate::batch(SPLIT), crate::live()]);
    stage
}

fn changed() -> Stage {
    let mut stage = Stage::new("flows.log", None, crate::look(), (120, 40));
    stage.feed([crate::batch(CHANGED), crate::live()]);
    stage
}

#[test]
fn pictures() {
    attacked().run("/port 11211<enter>ge").pictures("endpoint");
    crate::stage().run("jjI").pictures("interface");
    attacked().run("tm").pictures("timeline_bytes");
    attacked().run("t<home>v<right><enter>").pictures("timeline_range");
    changed().run("T<ctrl-u>15:26 isolated web-1<enter>2").pictures("change");
    split().run("2/action = MIXED<enter>d").pictures("mixed");
    let mut nat = Stage::new("flows.log", None, crate::look(), (120, 40));
    nat.feed([crate::batch(NAT), crate::live()]);
    nat.run("2/nat = outside<enter>d").pictures("nat");
}

#[test]
fn an_address_is_told_about_and_leads_to_its_rows_and_back() {
    let mut s = attacked();
    s.run("/port 11211<enter>gj");
    let (place, cursor) = (s.place(), s.cursor());
    s.run(">>e");
    let text = s.text();
    let subject = s.app.page().profile.clone().expect("a profile");
    assert!(text.contains("Endpoint 1"), "{text}");
    // The attack: both conversations, once each, though the rows are of a filter.
    s.run("<esc>/<ctrl-u><enter>/13.125.33.130<enter>");
    s.run("2ge");
    let profile = s.app.page().profile.clone().expect("a profile");
    assert_eq!(profile.own.map(|own| own.to_string()).as_deref(), Some("13.125.33.130"));
    assert_eq!((profile.sessions, profile.begun, profile.accepted, profile.rejected), (2, 2, 4, 0));
    assert_eq!((profile.sent.bytes, profile.received.bytes), (5_072_600, 565_054));
    assert_eq!((profile.used[0].port, profile.used[0].sessions, profile.served.len()), (11_211, 2, 0));
    assert_eq!(profile.peers[0].addr.to_string(), "172.16.0.178");
    assert!(profile.alerts.iter().any(|alert| &*alert.rule == "AMP-PROBE"));
    assert!(s.shows("AMP-PROBE") && s.shows("11211/udp memcached"), "{}", s.text());
    assert!(s.shows("→ endpoint 13.125.33.130"), "{}", s.text());
    // Down to the peer, in, and back to it.
    let peer = 2 + profile.alerts.len();
    s.run(&"j".repeat(peer));
    assert_eq!(s.app.entry_at(), peer);
    s.run("<enter>");
    assert_eq!((s.tab(), s.matched()), (Tab::Sessions, 2), "{:?}", s.filter());
    assert_eq!(s.filter(), Some("ip = 13.125.33.130 and ip = 172.16.0.178"));
    s.run("<esc>");
    assert_eq!((s.app.entry_at(), s.app.view().lens.is_some()), (peer, true));
    // The peer's own view is one key away.
    s.run("e");
    assert!(s.shows("Endpoint 172.16.0.178") && s.shows("443/tcp https"), "{}", s.text());
    s.run("<esc><esc>");
    assert!(s.app.view().lens.is_none());
    drop(subject);
    let mut s = attacked();
    s.run("/port 11211<enter>gje<esc>");
    assert_eq!((s.place(), s.cursor()), (place, cursor));
}

#[test]
fn every_entry_of_an_address_leads_to_the_sessions_that_it_counts() {
    let mut s = attacked();
    s.run("/dst 172.16.0.178<enter>g<right><right><right><right>e");
    assert!(s.shows("Endpoint 172.16.0.178"), "{}", s.text());
    let profile = s.app.page().profile.clone().expect("a profile");
    let entries = s.app.entries();
    assert!(profile.served.len() >= 4 && entries.len() > 8, "{entries:?}");
    for (place, entry) in entries.iter().enumerate() {
        use flowtail::app::lens::Entry;
        let expected = match entry {
            Entry::Sessions => profile.sessions,
            Entry::Records => profile.records,
            Entry::Alert(_) | Entry::More(_) => continue,
            Entry::Peer(addr) => profile.peers.iter().find(|peer| peer.addr == *addr).unwrap().sessions,
            Entry::Served(protocol, port) => {
                let port = profile.served.iter().find(|used| (used.protocol, used.port) == (*protocol, *port));
                port.unwrap().sessions
            }
            Entry::Used(protocol, port) => {
                let port = profile.used.iter().find(|used| (used.protocol, used.port) == (*protocol, *port));
                port.unwrap().sessions
            }
            Entry::Interface(name) => profile.interfaces.iter().find(|(known, _)| known == name).unwrap().1,
        };
        s.run(&format!("g{}<enter>", "j".repeat(place)));
        assert_eq!(s.matched(), expected, "{entry:?}: {:?}", s.filter());
        s.run("<esc>");
        assert_eq!(s.app.entry_at(), place, "{entry:?}");
    }
}

#[test]
fn an_interface_is_told_about_by_what_it_saw_itself() {
    let mut s = split();
    s.run("/interface-id = eni-b<enter>gI");
    let profile = s.app.page().profile.clone().expect("a profile");
    assert!(s.shows("Interface eni-b") && s.shows("speaks as"), "{}", s.text());
    assert_eq!(profile.own.map(|own| own.to_string()).as_deref(), Some("10.0.0.2"));
    assert_eq!((profile.sessions, profile.accepted, profile.rejected), (3, 3, 2));
    assert_eq!((profile.received.bytes, profile.sent.bytes), (540, 360));
    assert_eq!((profile.served[0].port, profile.served[0].rejected), (443, 2));
    // The strip is that of the interface alone.
    let accepted: u64 = s.app.page().timeline.bins.iter().map(|bin| bin.accepted).sum();
    assert_eq!(accepted, 3);
    let sums = s.app.page().timeline.bins.iter().fold((0, 0), |sum, bin| (sum.0 + bin.bytes_in, sum.1 + bin.bytes_out));
    assert_eq!(sums, (360, 180), "accepted bytes towards and away from 10.0.0.2");
}

#[test]
fn one_interface_that_was_asked_for_is_where_it_begins() {
    let mut stage = split();
    stage.app = flowtail::app::App::new().with_interface("eni-b");
    stage.resize(120, 32);
    assert!(stage.shows("Interface eni-b") && stage.shows("10.0.0.3"), "{}", stage.text());
    stage.run("<esc>");
    assert!(stage.app.view().lens.is_none() && stage.matched() == 6);
}

#[test]
fn tables_and_keys_that_do_nothing_in_a_view_say_so() {
    let mut s = attacked();
    s.run("/port 11211<enter>ge+");
    assert!(s.shows("That is for the tables"), "{}", s.text());
    s.run("2");
    assert!(s.app.view().lens.is_none() && s.tab() == Tab::Sessions);
    s.run("<esc>");
    assert!(s.app.view().lens.is_some(), "Esc comes back to it");
    s.run("/<ctrl-u>udp<enter>");
    assert!(s.app.view().lens.is_none() && s.filter() == Some("udp"));
}

#[test]
fn a_rejected_session_says_what_it_may_be() {
    let mut s = split();
    s.resize(80, 24).run("2/action = MIXED<enter>");
    assert_eq!(s.matched(), 2);
    assert_eq!(s.text().matches('≠').count(), 2, "{}", s.text());
    s.resize(120, 40);
    s.run("/<ctrl-u>action = MIXED and client = 10.0.0.1<enter>gd");
    assert!(s.shows("eni-a let the request out and eni-b rejected it"), "{}", s.text());
    s.run("<esc>/<ctrl-u>action = MIXED and client = 10.0.0.3<enter>gd");
    assert!(s.shows("accepted the request and rejected the answer: the network ACL"), "{}", s.text());
}

#[test]
fn addresses_of_packets_stand_beside_those_of_the_interface() {
    let mut s = Stage::new("flows.log", None, crate::look(), (120, 40));
    let header = "srcaddr dstaddr srcport dstport protocol packets bytes start end action interface-id pkt-srcaddr pkt-dstaddr\n";
    let line = "10.0.0.9 10.0.0.2 50000 443 6 3 180 1534778700 1534778760 ACCEPT eni-n 198.51.100.7 10.0.0.2\n";
    s.feed([crate::batch(&format!("{header}{line}")), crate::live()]);
    s.run("2d");
    assert!(s.shows("198.51.100.7:50000 → 10.0.0.2:443"), "{}", s.text());
    assert!(s.shows("198.51.100.7; eni-n logged its own address 10.0.0.9"), "{}", s.text());
    s.run("<esc>e");
    assert!(s.shows("eni-n logged its own address 10.0.0.9 in its place, in 1 session"), "{}", s.text());
    let mut s = split();
    s.run("2d");
    assert!(s.shows("so an address may not be the"), "{}", s.text());
    s.run("<esc>e");
    assert!(s.shows("without packet addresses an address"), "{}", s.text());
}

#[test]
fn a_nat_gateway_is_told_in_the_session_in_the_endpoint_and_in_the_interface() {
    let mut s = Stage::new("flows.log", None, crate::look(), (120, 40));
    s.feed([crate::batch(NAT), crate::live()]);
    s.run("2/nat = inside<enter>d");
    assert_eq!(s.matched(), 1);
    assert!(s.shows("10.0.0.5:40001 → 9.9.9.9:443") && s.shows("Gateway eni-nat passes it on"), "{}", s.text());
    assert!(s.shows("9.9.9.9; eni-nat logged its own address 10.0.9.9"), "{}", s.text());
    s.run("<esc>/<ctrl-u>nat = outside<enter>d");
    assert_eq!(s.matched(), 1);
    assert!(
        s.shows("10.0.9.9:5001 → 9.9.9.9:443") && s.shows("via NAT   Gateway eni-nat passes on others' traffic"),
        "{}",
        s.text()
    );
    s.run("<esc>/<ctrl-u><enter>bnat<enter>");
    assert_eq!(s.matched(), 2, "{}", s.text());
    s.run("<esc>ge");
    assert!(s.shows("passed on by eni-nat: 1 under the gateway's address"), "{}", s.text());
}

#[test]
fn a_change_tells_sessions_apart() {
    let mut s = changed();
    s.run("T<ctrl-u>15:26 isolated web-1<enter>2");
    let change = s.app.change().expect("a mark");
    assert_eq!((change.at, change.note.as_str()), (1_534_778_760, "isolated web-1"));
    assert!(s.shows("before 1 (100)  surviving 1 (23)  new 1 (7)  isolated web-1"), "{}", s.text());
    for (phase, port) in [("before", "10.0.0.1"), ("surviving", "10.0.0.3"), ("new", "10.0.0.4")] {
        s.run(&format!("/<ctrl-u>phase = {phase}<enter>"));
        assert_eq!(s.matched(), 1, "{phase}");
        assert!(s.shows(port), "{phase}\n{}", s.text());
    }
    s.run("/<ctrl-u><enter>bphase<enter>");
    assert_eq!(s.matched(), 3);
    // Moved, everything is told anew; an empty text takes the mark away.
    s.run("<esc>T<ctrl-u>15:20<enter>");
    assert!(s.shows("new 3"), "{}", s.text());
    s.run("T<ctrl-u>soon<enter>");
    assert!(s.shows("soon is no time"), "{}", s.text());
    s.run("<ctrl-u><enter>");
    assert!(s.app.change().is_none() && !s.shows("chg"), "{}", s.text());
}

#[test]
fn a_window_that_spans_the_change_is_no_proof_of_survival() {
    let mut s = changed();
    s.run("T<ctrl-u>15:24:40<enter>2/client = 10.0.0.3<enter>gd");
    assert!(!s.shows("only a capture window that spans that moment"), "{}", s.text());
    s.run("<esc>/<ctrl-u>client = 10.0.0.1<enter>T<ctrl-u>15:23:30<enter>gd");
    assert!(s.shows("surviving") && s.shows("Nothing held of it began after the change"), "{}", s.text());
}

#[test]
fn a_range_narrows_the_tables_and_is_taken_back() {
    let mut s = series(300);
    s.resize(120, 40);
    assert_eq!(s.matched(), 300);
    s.run("t");
    assert!(matches!(s.app.mode(), Mode::Timeline(_)));
    let (first, _) = s.app.chosen().expect("a bar");
    s.run("<home>");
    let (from, to) = s.app.chosen().expect("a bar");
    assert!(from < first && to - from == s.app.page().timeline.step);
    s.run("v<right><enter>");
    assert_eq!(s.app.view().window, Some((from, from + 119)));
    assert!(s.matched() < 300 && s.shows("time 08-20 15:2"), "{}", s.text());
    s.run("2");
    assert!(s.matched() < 200, "sessions too");
    s.run("<esc>");
    assert_eq!((s.app.view().window, s.matched()), (None, 300));
}

#[test]
fn the_strip_follows_the_filter_the_zoom_and_the_clock() {
    let mut s = attacked();
    let sum = |s: &Stage| s.app.page().timeline.bins.iter().map(|bin| bin.accepted + bin.rejected).sum::<u64>();
    assert_eq!(sum(&s), s.app.page().total);
    s.run("/port 11211<enter>");
    assert_eq!(sum(&s), 4);
    s.run("2");
    assert_eq!(sum(&s), 4, "of sessions it shows their records");
    s.run("/<ctrl-u>ratio > 1000<enter>");
    // Records have no ratio: the session itself is counted, in each bin of its life, and its bytes are all there.
    assert!(s.app.page().timeline.of_sessions && s.shows("1 sessions"), "{}", s.text());
    let bins = &s.app.page().timeline.bins;
    let bytes = bins.iter().fold((0, 0), |sum, bin| (sum.0 + bin.bytes_in, sum.1 + bin.bytes_out));
    assert_eq!(bytes, (50, 51_327));
    assert_eq!(bins.iter().map(|bin| bin.accepted).max(), Some(1));
    s.run("/<ctrl-u><enter>1");
    let step = s.app.page().timeline.step;
    s.run("tzz");
    assert!(s.app.page().timeline.step < step && s.app.view().zoom.is_some());
    s.run("Z0");
    assert_eq!((s.app.page().timeline.step, s.app.view().zoom), (step, None));
    s.run("mm");
    assert_eq!(s.app.measure(), Measure::Records);
    s.run("c");
    assert!(s.shows("records do not say when they were ingested"), "{}", s.text());
}

#[test]
fn the_strip_of_a_frozen_view_stands_still() {
    let mut s = series(100);
    s.resize(120, 40);
    let sum = |s: &Stage| s.app.page().timeline.bins.iter().map(|bin| bin.accepted + bin.rejected).sum::<u64>();
    s.run("<space>");
    s.arrive(100, 50);
    assert_eq!(sum(&s), 100);
    s.run("<space>");
    assert_eq!(sum(&s), 150);
}

#[test]
fn the_mouse_drags_a_range() {
    let mut s = series(300);
    s.resize(120, 40);
    let strip = s.viewport.strip.expect("a strip");
    let y = 3;
    let mouse = |kind, x| Input::Mouse(Mouse { kind, x, y });
    s.press(&mouse(MouseKind::Click, strip.x)).press(&mouse(MouseKind::Drag, strip.x + strip.width / 2));
    assert!(s.app.chosen().is_some_and(|(from, to)| to - from > strip.step), "the drag is seen");
    s.press(&mouse(MouseKind::Release, strip.x + strip.width / 2));
    assert!(s.app.view().window.is_some_and(|(from, _)| from == strip.from) && matches!(s.app.mode(), Mode::Main));
    // A click alone chooses a bar and narrows nothing.
    let window = s.app.view().window;
    s.press(&mouse(MouseKind::Click, strip.x)).press(&mouse(MouseKind::Release, strip.x));
    assert!(matches!(s.app.mode(), Mode::Timeline(_)) && s.app.view().window == window);
}

#[test]
fn pivots_lead_from_every_entry_of_a_view() {
    let mut s = attacked();
    s.run("/port 11211<enter>g<right><right>e").run("p");
    assert!(s.shows("From ip = ") && s.shows("all of its network"), "{}", s.text());
    s.run("all its flow records<enter>");
    assert!(s.app.view().lens.is_none() && s.tab() == Tab::Flows && s.matched() > 0, "{}", s.text());
    assert!(s.filter().is_some_and(|filter| filter.starts_with("ip = ")), "{:?}", s.filter());
    // Esc leads back to the view, and the next entry has choices of its own.
    s.run("<esc>");
    assert!(s.app.view().lens.is_some(), "{}", s.text());
    let mut places = 0;
    for _ in 0..s.app.entries().len() {
        s.run("p");
        assert!(s.shows("From "), "{}", s.text());
        s.run("<esc><down>");
        places += 1;
    }
    assert!(places > 4, "{}", s.text());
}
