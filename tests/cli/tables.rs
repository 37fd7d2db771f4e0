//! The commands that print what flowtail knows.

use super::{arg, file, run};

#[test]
fn fields_are_listed_with_their_other_names() {
    let out = run(&["fields"]);
    assert_eq!(out.code, Some(0));
    for name in ["srcaddr", "tcp-flags", "pkt-srcaddr", "tgw-id", "log-status", "ratio"] {
        assert!(out.out.lines().any(|line| line.starts_with(name)), "{name}");
    }
}

#[test]
fn a_filter_is_written_in_other_languages() {
    let text = run(&["filter", "PORT:11211 udp"]);
    assert_eq!((text.code, text.out.as_str()), (Some(0), "port = 11211 and protocol = udp\n"));
    let insights = run(&["filter", "dport 443", "--to", "insights", "--by", "srcaddr", "--limit", "7"]);
    assert_eq!(insights.code, Some(0), "{}", insights.err);
    assert!(insights.out.starts_with("filter dstPort = 443\n| stats sum(bytes) as totalBytes"), "{}", insights.out);
    assert!(insights.out.contains("by srcAddr\n") && insights.out.ends_with("| limit 7\n"), "{}", insights.out);
    let custom = run(&["filter", "dport 443", "--to", "insights", "--format", "srcaddr dstaddr dstport"]);
    assert!(custom.out.starts_with("parse @message \"* * *\" as srcaddr, dstaddr, dstport\n"), "{}", custom.out);
    let wider = run(&["filter", "port 53 and bytes > 1000", "--to", "tcpdump"]);
    assert_eq!((wider.code, wider.out.as_str()), (Some(0), "port 53\n"));
    assert!(wider.err.contains("note: Left out: `bytes > 1000`"), "{}", wider.err);
    let exact = run(&["filter", "port 53 and bytes > 1000", "--to", "tcpdump", "--exact"]);
    assert_eq!((exact.code, exact.out.as_str()), (Some(2), ""));
    let group = run(&["filter", "port 53", "--to", "aws", "--group", "/a'; rm -rf ~; '"]);
    assert!(group.out.contains(r"--log-group-name '/a'\''; rm -rf ~; '\'''"), "{}", group.out);
    let wrong = run(&["filter", "byts > 1"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("bytes") && wrong.err.contains("^^^^"), "{}", wrong.err);
}

#[test]
fn rules_are_listed_shown_and_tested() {
    let list = run(&["rules", "list"]);
    assert_eq!(list.code, Some(0));
    for id in ["AMP-PROBE", "RATIO-BYTES", "RATIO-PACKETS", "RATIO-SIZE", "NEW-PORT", "NEW-PEER", "VOL-LARGE"] {
        assert!(list.out.lines().any(|line| line.split(' ').next() == Some(id)), "{id}: {}", list.out);
    }
    let shown = run(&["rules", "show", "AMP-PROBE"]);
    assert_eq!(shown.code, Some(0));
    assert!(shown.out.contains("id = \"AMP-PROBE\"") && shown.out.contains("condition"), "{}", shown.out);
    let unknown = run(&["rules", "show", "AMP-PROB"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("rules list"), "{}", unknown.err);
    let tested = run(&["rules", "test"]);
    assert_eq!(tested.code, Some(0), "{}", tested.out);
    assert!(tested.out.contains(" 0 failed"), "{}", tested.out);
}

#[test]
fn a_shown_rule_is_a_file_that_passes_its_check_and_its_tests() {
    let folder = tempfile::tempdir().unwrap();
    let shown = file(folder.path(), "probe.toml", run(&["rules", "show", "AMP-PROBE"]).out);
    let checked = run(&["rules", "check", arg(&shown)]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let tested = run(&["rules", "test", arg(&shown)]);
    assert_eq!(tested.code, Some(0), "{tested:?}");
}

#[test]
fn a_wrong_rule_is_pointed_at() {
    let folder = tempfile::tempdir().unwrap();
    let text = run(&["rules", "show", "AMP-PROBE"]).out.replace("count() >= 1", "cuont() >= 1");
    let line = text.lines().position(|line| line.contains("cuont()")).expect("the rule has a condition") + 1;
    let wrong = file(folder.path(), "wrong.toml", text);
    let out = run(&["rules", "check", arg(&wrong)]);
    assert_eq!(out.code, Some(2));
    assert!(out.err.contains(&format!("wrong.toml:{line}:")), "file, line and column: {}", out.err);
    let missing = run(&["rules", "check", arg(&folder.path().join("none.toml"))]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.err.contains("none.toml"), "{}", missing.err);
}

#[test]
fn a_rule_test_that_fails_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = run(&["rules", "show", "AMP-PROBE"]).out.replacen("expect = 1", "expect = 7", 1);
    let wrong = file(folder.path(), "seven.toml", text);
    let out = run(&["rules", "test", arg(&wrong)]);
    assert_eq!(out.code, Some(2), "{out:?}");
    assert!(out.out.contains("1 alerts, expected 7") && out.out.contains("1 failed"), "{}", out.out);
}

#[test]
fn completions_the_manual_and_themes_are_generated() {
    for shell in ["bash", "zsh", "fish"] {
        let out = run(&["completions", shell]);
        assert_eq!(out.code, Some(0));
        assert!(out.out.contains("--filter") || out.out.contains("-l filter"), "{shell}");
    }
    let man = run(&["man"]);
    assert_eq!(man.code, Some(0));
    assert!(man.out.contains(".TH flowtail 1") && man.out.contains("Exit codes"), "{}", man.out);
    let themes = run(&["themes"]);
    assert_eq!(themes.out.lines().next(), Some("auto"));
    assert!(themes.out.lines().count() >= 4, "{}", themes.out);
}

#[test]
fn wrong_usage_exits_2() {
    for args in [&["open"][..], &[], &["demo", "--print", "colours"], &["demo", "--memory", "1k"], &["nonsense"]] {
        let out = run(args);
        assert_eq!((out.code, out.out.as_str()), (Some(2), ""), "{args:?}");
        assert!(out.err.contains("--help") || out.err.contains("Usage"), "{args:?}: {}", out.err);
    }
    for args in [&["--help"][..], &["--version"], &["tail", "--help"]] {
        assert_eq!(run(args).code, Some(0), "{args:?}");
    }
}
