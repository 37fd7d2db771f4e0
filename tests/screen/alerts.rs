//! What is done with alerts: acknowledged, muted and heard again; rules that change while it runs, and rules that are tried first.

use flowtail::app::{Focus, Mode};
use flowtail::detect::Rules;
use flowtail::engine::view::Tab;

use crate::play::attacked;
use crate::stage::NOW;

/// The founding example in the table of alerts.
const PROBE: &str = "AMP-PROBE";

#[test]
fn enter_applies_filter_and_window_and_esc_returns() {
    let mut s = attacked();
    let alert = s.app.page().alerts[0].clone();
    s.run("]<enter>");
    assert_eq!(s.app.view().window, Some((alert.first - alert.timespan, alert.last)), "the window of the rule");
    assert_eq!(s.app.view().tab, Tab::Sessions);
    s.run("<esc>");
    assert_eq!((s.app.view().window, s.app.view().tab), (None, Tab::Flows));
}

#[test]
fn an_alert_that_was_seen_is_passed_over() {
    let mut s = attacked();
    let all = s.app.page().alerts.len();
    for _ in 0..all {
        s.run("]A");
        assert_eq!(s.app.focus(), Focus::Sidebar);
    }
    assert!(s.shows(" seen"), "{}", s.text());
    s.run("]");
    assert!(s.shows("Every alert is acknowledged."), "{}", s.text());
    s.run("A");
    assert!(s.shows("not acknowledged any more"));
}

#[test]
fn what_is_muted_is_counted_and_comes_back() {
    let mut s = attacked();
    let before = s.app.page().alerts.len();
    assert!(s.app.page().alerts.iter().any(|alert| &*alert.rule == PROBE));
    assert!(s.app.page().timeline.bins.iter().any(|bin| bin.alert.is_some()));
    s.run("3z");
    assert!(
        matches!(s.app.mode(), Mode::Menu(_)) && s.shows("all of AMP-PROBE") && s.shows("for 1 day"),
        "{}",
        s.text()
    );
    s.run("<enter>1");
    let page = s.app.page();
    assert_eq!((page.alerts.len() + 1, page.muted), (before, 1));
    assert!(s.shows("1 muted"), "{}", s.text());
    let kept: Vec<String> = s.app.mutes().iter().map(flowtail::detect::mute::Mute::to_line).collect();
    assert!(kept.len() == 1 && kept[0].starts_with(&format!("{}\tAMP-PROBE\t", NOW / 1000 + 3_600)), "{kept:?}");
    // Shown again without being heard again.
    s.run("Z<enter>a");
    assert!(s.shows(" muted") && s.app.page().alerts.len() == before, "{}", s.text());
    s.run("<esc>Z<enter>Z<down><enter>");
    assert_eq!((s.app.page().alerts.len(), s.app.page().muted), (before, 0));
    assert!(s.app.mutes().is_empty());
    // It ends by itself.
    s.run("az<enter>");
    assert_eq!(s.app.page().muted, 1);
    s.app.tick(NOW + 3_600_000);
    assert!(s.app.mutes().is_empty());
}

#[test]
fn a_search_knows_what_was_muted_and_what_was_seen() {
    let mut s = attacked();
    let probe = s.app.page().alerts.iter().find(|alert| &*alert.rule == PROBE).unwrap().clone();
    s.run("]A");
    let seen = s.app.page().alerts.iter().find(|alert| s.app.is_acknowledged(alert)).unwrap().clone();
    let knows = s.app.for_search();
    s.run("3z<enter>");
    let muted = s.app.mutes().iter().next().unwrap().rule.clone();
    assert_eq!(muted, PROBE);
    let mut search = s.app.for_search();
    // Alerts of a search have numbers of their own.
    let numbered = |alert: &flowtail::detect::Alert, first| flowtail::detect::Alert { id: 900, first, ..alert.clone() };
    assert!(search.is_muted(&numbered(&probe, probe.first)));
    assert!(knows.is_acknowledged(&numbered(&seen, seen.first)));
    // The same in another week is another incident.
    let later = flowtail::detect::Alert { last: seen.last + 604_800, ..numbered(&seen, seen.first + 604_800) };
    assert!(!knows.is_acknowledged(&later));
    // What is muted here is so in the other tab.
    search.share_mutes(&std::sync::Arc::default());
    assert!(!search.is_muted(&numbered(&probe, probe.first)));
}

#[test]
fn rules_that_change_look_at_what_is_held() {
    let mut s = attacked();
    let before = s.app.page().alerts.clone();
    let number = |s: &crate::stage::Stage| {
        s.app.page().alerts.iter().find(|alert| &*alert.rule == PROBE).map(|alert| (alert.id, alert.count))
    };
    let was = number(&s);
    assert!(was.is_some());
    let builtin = Rules::builtin().unwrap();
    s.change_rules(&builtin);
    assert_eq!(s.app.page().alerts.len(), before.len());
    assert_eq!(number(&s), was, "the same rules find the same, under the same number");
    let mut off = builtin.clone();
    off.overlay("[[rule]]\nid = \"AMP-PROBE\"\nenabled = false\n", "mine.toml").unwrap();
    s.change_rules(&off);
    assert_eq!(number(&s), None);
    let mut level = builtin.clone();
    level.overlay("[[rule]]\nid = \"AMP-PROBE\"\nlevel = \"critical\"\nescalate = []\n", "mine.toml").unwrap();
    s.change_rules(&level);
    let found = s.app.page().alerts.iter().find(|alert| &*alert.rule == PROBE).cloned().expect("it is found again");
    assert_eq!(found.level.as_str(), "critical");
    assert!(s.app.page().rows.iter().any(|row| row.mark.is_some()) || found.session.is_some());
}

#[test]
fn rules_are_tried_over_what_is_held_before_they_are_on() {
    let mut s = attacked();
    let before = s.app.page().alerts.len();
    let mut mine = Rules::builtin().unwrap();
    let about = mine.overlay("[[rule]]\nid = \"AMP-PROBE\"\nlevel = \"low\"\nescalate = []\n", "mine.toml").unwrap();
    mine.keep(&about);
    let wrong = "rules.d/bad.toml:1:1: no rule".to_owned();
    s.app.offer_rules(vec![("mine.toml".into(), Ok(mine)), ("bad.toml".into(), Err(wrong))]);
    s.run("<down><up>");
    assert!(s.shows("mine.toml") && s.shows("bad.toml:1:1"), "{}", s.text());
    s.run("<enter>");
    assert!(s.shows("mine.toml: would have raised 1 alert") && s.shows("AMP-PROBE: 1"), "{}", s.text());
    assert_eq!(s.app.page().alerts.len(), before, "nothing is switched on");
    s.run("<down><enter>");
    assert_eq!(s.app.view().tab, Tab::Sessions);
    assert!(s.app.view().window.is_some() && s.app.page().trial.is_none());
}
