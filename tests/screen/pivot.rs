//! From a cell to other rows and back, lists of filters, the explanation of one, and copies of it for other tools.

use std::fmt::Write as _;

use flowtail::app::{Effect, Mode};
use flowtail::engine::view::{Sort, Tab};
use flowtail::record::Field;
use flowtail::ui::theme::Token;

use crate::play::{attacked, flows, series};
use crate::stage::Stage;

fn typed(s: &Stage) -> &str {
    match s.app.mode() {
        Mode::Filter(bar) => bar.line.text(),
        _ => panic!("the filter bar is closed:\n{}", s.text()),
    }
}

fn copied(s: &Stage) -> &str {
    match &s.effects[..] {
        [Effect::Copy(text)] => text,
        other => panic!("nothing was copied: {other:?}\n{}", s.text()),
    }
}

/// The attack's trigger under the cursor, the source chosen.
fn on_trigger() -> Stage {
    let mut s = attacked();
    s.run("/srcport 40396<enter>g<right><right>");
    assert!(s.selected()[0].contains("13.125.33.130   40396"), "{}", s.text());
    s
}

#[test]
fn every_pivot_of_an_address_shows_what_it_says() {
    for (choice, filter, tab, rows) in [
        ("only", "srcport 40396 and srcaddr = 13.125.33.130", Tab::Flows, 1),
        ("not this", "srcport 40396 and not (srcaddr = 13.125.33.130)", Tab::Flows, 0),
        ("instead", "srcaddr = 13.125.33.130", Tab::Flows, 2),
        ("all of its network", "ip = 13.125.33.0/24", Tab::Flows, 4),
        ("either side", "ip = 13.125.33.130", Tab::Flows, 4),
        ("both ways", "ip = 13.125.33.130 and ip = 172.16.0.178", Tab::Flows, 4),
        ("all of its peer", "ip = 172.16.0.178", Tab::Flows, 304),
        ("its sessions", "ip = 13.125.33.130", Tab::Sessions, 2),
        ("its interface", "interface-id = eni-0536faba73134a9b7", Tab::Flows, 304),
        ("its service", "service = memcached", Tab::Flows, 4),
        (
            "other direction",
            "srcaddr = 172.16.0.178 and dstaddr = 13.125.33.130 and srcport = 11211 and dstport = 40396 and protocol = udp",
            Tab::Flows,
            1,
        ),
    ] {
        let mut s = on_trigger();
        s.run(&format!("p{choice}<enter>"));
        assert_eq!((s.filter(), s.tab(), s.matched()), (Some(filter), tab, rows), "{choice}\n{}", s.text());
        s.run("<esc>");
        assert_eq!((s.filter(), s.tab(), s.matched()), (Some("srcport 40396"), Tab::Flows, 1), "{choice}");
    }
}

#[test]
fn the_way_back_restores_filter_sort_cursor_and_freeze() {
    let mut s = attacked();
    s.run("<right><right><right><right><right><right><right><right>s").run("jj ");
    let before = (s.place(), s.cursor(), s.app.view().table().sort, s.app.view().frozen);
    assert_eq!(before.2, Sort { field: Field::Bytes, descending: true });
    s.run("<left><left><left><left>ponly<enter>").run("p");
    assert!(s.shows("From dstaddr = "), "{}", s.text());
    s.run("<esc>");
    s.run("<left><left>pnetwork<enter>");
    let steps: Vec<&str> = s.app.way().collect();
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert!(steps[1].starts_with("all of its network 1"), "{steps:?}");
    assert!(s.shows(&format!("{} → {}", steps[0], steps[1])) && s.shows("Esc back"), "{}", s.text());
    s.run(" <backspace><backspace>");
    assert_eq!((s.place(), s.cursor(), s.app.view().table().sort, s.app.view().frozen), before, "{}", s.text());
    assert_eq!(s.app.way().count(), 0);
    assert!(!s.shows("Esc back") || !s.shows("→ only"));
}

#[test]
fn the_filter_goes_off_and_on_without_losing_the_place() {
    let mut s = attacked();
    s.run("/172.16.1.0/24<enter>jjjjj");
    let before = (s.cursor(), s.place(), s.matched());
    s.run("~");
    assert_eq!((s.cursor(), s.matched()), (before.0, 304));
    s.run("~");
    assert_eq!((s.cursor(), s.place(), s.matched()), before);
}

#[test]
fn sessions_groups_and_alerts_have_pivots_too() {
    let mut s = attacked();
    s.run("2/11211<enter>g<right>pdirection<enter>");
    let wanted = "client = 172.16.0.178 and server = 13.125.33.130 and protocol = udp";
    // Nobody talked that way.
    assert_eq!((s.filter(), s.matched()), (Some(wanted), 0));
    s.run("<esc>pflow rec<enter>");
    assert_eq!((s.tab(), s.filter()), (Tab::Flows, Some("ip = 13.125.33.130")), "{}", s.text());
    let mut s = attacked();
    s.run("bdstport<enter>pnot<enter>");
    assert_eq!(s.filter(), Some("not (dstport = 11211)"));
    assert_eq!(s.app.view().table().group_by, [Field::DstPort], "the rows stay grouped");
    for keys in ["ap", "3p"] {
        let mut s = attacked();
        s.run(keys);
        assert!(s.shows("From the alert AMP-PROBE"), "{}", s.text());
        s.run("flow records of 13<enter>");
        assert_eq!((s.tab(), s.filter(), s.matched()), (Tab::Flows, Some("ip = 13.125.33.130"), 4), "{}", s.text());
        s.run("<esc>");
        assert_eq!(s.filter(), None);
    }
}

#[test]
fn an_ipv6_address_has_a_network_of_64_bits_and_a_time_its_minute() {
    let mut s = series(4);
    let line = "2 1 eni-1 2001:db8:0:1::53 2001:db8::15 53 4000 17 1 90 1534778400 1534778460 ACCEPT OK\n";
    s.feed([crate::batch(line)]);
    s.run("/2001:db8::/32<enter><right><right>pnetwork<enter>");
    assert_eq!((s.filter(), s.matched()), (Some("ip = 2001:db8:0:1::/64"), 1));
    s.run("<left><left>pminute<enter>");
    assert_eq!(s.filter(), Some("@2018-08-20T15:20:00Z..2018-08-20T15:22:00Z"), "{}", s.text());
}

#[test]
fn history_is_searched_and_only_what_was_typed_is_kept() {
    let mut s = attacked();
    s.run("/11211<enter>/<ctrl-u>udp and port:53<enter>/<ctrl-u>tcp<enter>");
    s.run("<right><right>ponly<enter>");
    assert_eq!(s.app.history().collect::<Vec<_>>(), ["port = 11211", "protocol = udp and port = 53", "protocol = tcp"]);
    s.run("/ and x<ctrl-r>53");
    assert!(s.shows("search: 53") && s.shows("protocol = udp and port = 53"), "{}", s.text());
    s.run("<esc>");
    assert!(typed(&s).ends_with(" and x"), "what was being typed is still there");
    s.run("<ctrl-r>53<enter>");
    assert_eq!(typed(&s), "protocol = udp and port = 53");
    s.run("<enter>");
    assert_eq!(s.filter(), Some("protocol = udp and port = 53"));
}

#[test]
fn function_keys_hold_filters_until_they_are_full() {
    let mut s = attacked();
    s.run("/");
    for port in 0..9 {
        s.run(&format!("<ctrl-u>port {port}<ctrl-s>"));
    }
    assert!(s.shows("F2 to F9 are taken"), "{}", s.text());
    s.run("<ctrl-u>port<ctrl-s>");
    assert!(s.shows("Only a filter that parses is saved"), "{}", s.text());
    s.run("<esc><f9>");
    assert_eq!(s.filter(), Some("port = 7"));
    s.run("f<delete><esc>");
    assert_eq!(s.app.saved().next(), Some((3, "port = 1")));
    s.run("<f2>");
    assert!(s.shows("No filter is saved on F2"), "{}", s.text());
    assert_eq!(s.filter(), Some("port = 7"), "nothing is applied instead");
}

#[test]
fn the_part_that_empties_a_filter_is_seen() {
    let mut s = attacked();
    s.run("/udp and port 11211 and bytes > 1G<enter>E");
    let line = |s: &Stage, part: &str| {
        let text = s.text();
        // What stands below is the list.
        let line = text.lines().rfind(|line| line.contains(part)).unwrap_or_default();
        let number = |word: &str| word.replace(',', "").parse::<u64>().ok();
        line.split('│')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .rev()
            .filter_map(number)
            .take(2)
            .collect::<Vec<_>>()
    };
    assert_eq!(line(&s, "protocol = udp   "), [80, 80], "{}", s.text());
    assert_eq!(line(&s, "port = 11211   "), [4, 4]);
    assert_eq!(line(&s, "bytes > 1G   "), [0, 0]);
    s.run("<down><down><enter>");
    assert_eq!((s.filter(), s.matched()), (Some("protocol = udp and port = 11211"), 4));
    // The same is said while it is typed.
    s.run("/ and 443");
    assert!(s.shows("of 4 so far `port = 443` leaves none"), "{}", s.text());
    // What no row anywhere could pass is told by the text alone.
    s.run(" and tcp");
    assert!(s.shows("`protocol = udp` and `protocol = tcp` are never both true"), "{}", s.text());
    s.run("<ctrl-u>udp and bytes > 1G");
    assert!(s.shows("No row that is held matches `bytes > 1G`"), "{}", s.text());
    // Sessions have parts too.
    s.run("<esc>2/<ctrl-u>udp and ratio > 100<enter>E");
    assert_eq!(line(&s, "ratio > 100   "), [1, 1], "{}", s.text());
}

#[test]
fn what_the_format_lacks_is_yellow_before_it_is_applied() {
    let mut s = attacked();
    s.run("/vpc = vpc-0a1b2c3d4e5f60718");
    assert!(s.shows("No record so far carries `vpc-id`: the format is default (version 2)."), "{}", s.text());
    let (x, y) = s.viewport.caret.expect("a caret");
    assert_eq!(s.frame[(x - 1, y)].fg, s.look.theme.color(Token::Warning));
}

#[test]
fn values_are_offered_by_how_many_rows_have_them_wherever_they_are() {
    let mut s = series(0);
    let mut lines = String::new();
    for n in 0..400 {
        // The frequent port is far above what a page holds.
        let port = if n < 300 { 6379 } else { 20_000 + n };
        let _ = writeln!(lines, "2 1 eni-1 10.0.0.1 10.0.0.2 5000 {port} 6 1 40 1 {} ACCEPT OK", 1_534_778_400 + n);
    }
    s.feed([crate::batch(&lines)]);
    s.run("/dstport = ");
    assert!(s.shows("6379 (redis, 300 rows)"), "{}", s.text());
    s.run("<tab>");
    assert_eq!(typed(&s), "dstport = 6379");
    s.run("<ctrl-u>interface = <tab> and src = <tab> and 10<tab>");
    assert_eq!(typed(&s), "interface = eni-1 and src = 10.0.0.1 and 10.0.0.1");
    s.run("<ctrl-u>2");
    s.feed([crate::batch(&flows(0, 3))]);
}

#[test]
fn copies_for_other_tools_say_what_they_leave_out() {
    let mut s = attacked();
    s.run("/udp and port 11211 and bytes > 1000<enter>Yinsights<enter>");
    assert!(
        copied(&s).starts_with("filter protocol = 17 and (srcPort = 11211 or dstPort = 11211) and bytes >= 1001\n"),
        "{}",
        copied(&s)
    );
    assert!(s.shows("Copied: CloudWatch Logs Insights query, selects the same"), "{}", s.text());
    s.run("<esc>Ytcpdump<enter>");
    assert_eq!(copied(&s), "udp and port 11211");
    assert!(s.shows("selects more than the filter") && s.shows("Left out: `bytes > 1000`"), "{}", s.text());
    s.run("<esc>Yathena<enter>");
    assert!(
        copied(&s).contains("WHERE protocol = 17 AND (srcport = 11211 OR dstport = 11211) AND bytes >= 1001"),
        "{}",
        copied(&s)
    );
    s.run("<esc>Yaws<enter>");
    assert!(copied(&s).contains("--filter-pattern '?\"11211\" ?\"NODATA\" ?\"SKIPDATA\"'"), "{}", copied(&s));
    assert!(copied(&s).contains("--region 'us-west-1'") && copied(&s).contains("--start-time 1534"), "{}", copied(&s));
    s.run("<esc>Ywire<enter>");
    assert!(copied(&s).starts_with("udp && (tcp.port == 11211 || udp.port == 11211"), "{}", copied(&s));
    // A group is summed where the language can.
    s.run("<esc>bdstport<enter>Yinsights<enter>");
    assert!(
        copied(&s)
            .contains("| stats sum(bytes) as totalBytes, sum(packets) as totalPackets, count(*) as records by dstPort"),
        "{}",
        copied(&s)
    );
    // The alert's evidence is what is meant among alerts.
    s.run("<esc>3Ytcpdump<enter>");
    assert!(copied(&s).contains("13.125.33.130"), "{}", copied(&s));
    // What cannot be said is not copied.
    let mut s = attacked();
    s.run("/bytes > 1000<enter>Ytcpdump<enter>");
    assert!(
        s.effects.is_empty() && s.shows("Not copied: Nothing of this filter can be said in tcpdump capture filter"),
        "{}",
        s.text()
    );
}

#[test]
fn the_mouse_takes_a_line_and_the_wheel_moves() {
    let mut s = on_trigger();
    s.run("p").click(flowtail::app::Target::Item(3));
    assert_eq!(s.filter(), Some("ip = 13.125.33.0/24"), "{}", s.text());
}

#[test]
fn what_is_too_long_for_the_clipboard_says_where_it_is() {
    let mut s = attacked();
    s.run("/port 11211<enter>Y<enter>");
    assert!(s.shows("Copied: CloudWatch"), "{}", s.text());
    s.app.not_on_clipboard("Written to /tmp/flowtail-copy-1.txt: too long for the clipboard");
    s.run("<down>");
    assert!(s.shows("Written to /tmp/flowtail-copy-1.txt") && !s.shows("Copied:"), "{}", s.text());
}
