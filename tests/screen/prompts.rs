//! The filter bar says at every key what a text means; what is no filter is never applied, and never means "everything".

use std::collections::HashMap;

use flowtail::app::Mode;
use flowtail::ui::theme::Token;

use crate::play::{FOUNDING, attacked, flows, series};
use crate::stage::Stage;

#[test]
fn what_is_none_is_not_applied_and_the_last_good_filter_stays() {
    let mut s = attacked();
    s.run("/port 53<enter>");
    let held = s.matched();
    s.run("/<ctrl-u>port = and udp");
    assert!(s.shows("not a filter"), "{}", s.text());
    s.run("<enter>");
    assert!(s.shows("The last good filter stays."), "{}", s.text());
    assert_eq!((s.filter(), s.matched()), (Some("port 53"), held));
    s.run("<esc>");
    assert_eq!(s.filter(), Some("port 53"));
    s.run("/<ctrl-u><enter>");
    assert_eq!((s.filter(), s.matched()), (None, 304));
}

#[test]
fn a_good_filter_counts_its_matches_and_one_without_any_warns() {
    let mut s = attacked();
    let color = |s: &Stage| {
        let (x, y) = s.viewport.caret.expect("a caret");
        s.frame[(x - 1, y)].fg
    };
    s.run("/port 11211");
    assert!(s.shows("4 of 304"), "{}", s.text());
    assert_eq!(color(&s), s.look.theme.color(Token::Ok));
    s.run("<backspace>2");
    assert!(s.shows("0 of 304") && s.shows("No row that is held matches"), "{}", s.text());
    assert_eq!(color(&s), s.look.theme.color(Token::Warning));
    s.run("2");
    assert!(s.shows("not a filter"), "no port is that high");
    assert_eq!(color(&s), s.look.theme.color(Token::Error));
}

#[test]
fn the_spellings_of_the_article_work_for_flows_and_sessions() {
    let large = udp_beyond_1000();
    for (text, flows, sessions) in [
        ("11211", 4, 2),
        ("port 11211", 4, 2),
        ("172.16.0.0/16", 304, 152),
        ("13.125.33.130", 4, 2),
        ("eni-0536faba73134a9b7", 304, 152),
        ("udp and bytes > 1000", large.0, large.1),
        ("not port 443", 228, 114),
        ("(src_port=11211 OR dest_port=11211)", 4, 2),
    ] {
        let mut s = attacked();
        s.run("/").paste(text).run("<enter>");
        assert_eq!(s.matched(), flows, "{text}");
        s.run("2");
        assert_eq!(s.matched(), sessions, "{text}");
    }
}

/// How many UDP flows and how many UDP sessions have more than 1,000 bytes, counted from the lines.
fn udp_beyond_1000() -> (u64, u64) {
    let text = flows(0, 300) + FOUNDING;
    let mut flows = 0;
    let mut sessions: HashMap<[(&str, &str); 2], u64> = HashMap::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let bytes: u64 = parts[9].parse().expect("bytes");
        if parts[7] == "17" {
            flows += u64::from(bytes > 1000);
            let mut ends = [(parts[3], parts[5]), (parts[4], parts[6])];
            ends.sort_unstable();
            *sessions.entry(ends).or_default() += bytes;
        }
    }
    (flows, sessions.values().filter(|bytes| **bytes > 1000).count() as u64)
}

#[test]
fn tab_completes_fields_and_values_that_are_on_the_screen() {
    let mut s = attacked();
    s.run("/protoc<tab>");
    assert!(s.shows("/ protocol"), "{}", s.text());
    s.run("<ctrl-u>dstaddr = 13<tab><enter>");
    assert_eq!((s.filter(), s.matched()), (Some("dstaddr = 13.125.33.130"), 2));
}

#[test]
fn pasted_lines_become_one_and_elsewhere_they_do_nothing() {
    let mut s = series(20);
    s.paste("q");
    assert!(s.effects.is_empty() && s.shows("/ opens it"));
    s.run("/").paste("udp\nand 53\x1b[31m");
    match s.app.mode() {
        Mode::Filter(bar) => assert_eq!(bar.line.text(), "udp and 53[31m"),
        _ => panic!("the filter bar is closed"),
    }
}

#[test]
fn the_group_prompt_says_what_it_takes() {
    let mut s = series(20);
    s.run("bnosuch");
    assert!(s.shows("No column is called nosuch"), "{}", s.text());
    s.run("<enter>");
    assert!(matches!(s.app.mode(), Mode::Group(_)), "it is not accepted");
    s.run("<ctrl-u>src<enter>");
    assert!(s.shows("by srcaddr"));
    s.run("b<ctrl-u><enter>");
    assert!(s.app.view().table().group_by.is_empty());
}

#[test]
fn a_long_text_scrolls_with_its_caret() {
    let mut s = series(20);
    s.resize(40, 20).run("/").paste(&"port 53 or ".repeat(9)).run("udp");
    assert!(s.shows("udp"), "{}", s.text());
    let (x, _) = s.viewport.caret.expect("a caret");
    assert!(x < 40 && s.shows("or udp"));
    s.run("<home>");
    assert!(s.shows("/ port 53 or"), "{}", s.text());
}

#[test]
fn without_a_mark_a_phase_is_doubted_and_a_time_typed_behind_the_one_offered_is_meant() {
    let mut s = attacked();
    s.run("2/phase = new");
    assert!(s.shows("No change is marked: T marks its time"), "{}", s.text());
    s.run("<esc>T15:26 isolated<enter>");
    assert_eq!(s.app.change().map(|change| (change.at, change.note.as_str())), Some((1_534_778_760, "isolated")));
    s.run("/phase = new");
    assert!(!s.shows("No change is marked"), "{}", s.text());
}
