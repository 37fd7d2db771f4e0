//! The rules of the user: `rules.d` beside the configuration, `[rules]` in it, and back-tests over records.

use super::{FOUNDING, arg, feed, file, run};

const CHANGED: &str = "[[rule]]\nid = \"AMP-PROBE\"\nlevel = \"low\"\nescalate = []\n";

/// A configuration with these files in its folder of rules.
fn home(rules: &[(&str, &str)]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules.d")).unwrap();
    for (name, text) in rules {
        file(&folder.path().join("rules.d"), name, text);
    }
    let config = file(folder.path(), "config.toml", "");
    (folder, config)
}

fn alerts(config: &std::path::Path) -> (Option<i32>, String, String) {
    let ran = feed(&["open", "-", "--print", "alerts", "--as", "ndjson", "--config", arg(config)], FOUNDING.as_bytes());
    (ran.code, ran.out, ran.err)
}

#[test]
fn rules_beside_the_configuration_are_in_force() {
    let (_kept, config) = home(&[("a.toml", CHANGED)]);
    let (code, out, err) = alerts(&config);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains(r#""rule":"AMP-PROBE","level":"low""#), "{out}");
    let list = run(&["rules", "list", "--config", arg(&config)]).out;
    let line = list.lines().find(|line| line.starts_with("AMP-PROBE ")).unwrap();
    assert!(
        line.contains(" low ") && line.ends_with("rules.d/a.toml") && line.contains("built in, changed in"),
        "{line}"
    );
    let shown = run(&["rules", "show", "AMP-PROBE", "--config", arg(&config)]).out;
    assert!(shown.starts_with("# built in, changed in ") && shown.contains("level = \"low\""), "{shown}");
    let tested = run(&["rules", "test", "--config", arg(&config)]);
    assert_eq!(tested.code, Some(0), "{tested:?}");
    let checked = run(&["rules", "check", "--config", arg(&config)]);
    assert!(checked.out.starts_with("1 files of yours are right"), "{checked:?}");

    let (_kept, config) = home(&[("off.toml", "[[rule]]\nid = \"AMP-PROBE\"\nenabled = false\n")]);
    assert!(!alerts(&config).1.contains("AMP-PROBE\","));
}

#[test]
fn a_file_that_is_wrong_is_an_error_that_says_which() {
    let (_kept, config) = home(&[("a.toml", CHANGED), ("b.toml", "[[rule]]\nid = \"AMP-PROBE\"\nlevel = \"bad\"\n")]);
    let (code, out, err) = alerts(&config);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("rules.d/b.toml:3:9: rule AMP-PROBE: with this change: expected informational"), "{err}");
}

#[test]
fn a_back_test_says_what_a_file_would_have_raised() {
    let (kept, config) = home(&[]);
    let draft = file(kept.path(), "draft.toml", CHANGED);
    let tried =
        feed(&["rules", "backtest", arg(&draft), "-", "--as", "ndjson", "--config", arg(&config)], FOUNDING.as_bytes());
    assert_eq!(tried.code, Some(0), "{tried:?}");
    assert_eq!(tried.out.lines().count(), 1, "each alert once: {}", tried.out);
    assert!(tried.out.contains(r#""level":"low""#) && tried.err.contains("1 alerts over "), "{tried:?}");
    let switch = file(kept.path(), "switch.toml", "[[rule]]\nid = \"AMP-PROBE\"\nenabled = false\n");
    let nothing = feed(&["rules", "backtest", arg(&switch), "-"], FOUNDING.as_bytes());
    assert!(nothing.code == Some(2) && nothing.err.contains("no rule in it to try"), "{nothing:?}");
}

#[test]
fn the_schema_is_json_and_knows_every_key_that_a_rule_uses() {
    let schema = run(&["rules", "schema"]);
    let schema: serde_json::Value = serde_json::from_str(&schema.out).unwrap();
    let keys = &schema["properties"]["rule"]["items"]["properties"];
    let shown = run(&["rules", "show", "AMP-PROBE"]).out;
    for key in shown.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key) {
        if !matches!(key, "name" | "flows" | "expect") && !key.starts_with(['#', ' ', '\'']) {
            assert!(keys.get(key).is_some(), "{key}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_command_runs_for_an_alert_without_a_screen() {
    let folder = tempfile::tempdir().unwrap();
    let script = file(folder.path(), "run.sh", "cat >> \"$1\"\n");
    let out = folder.path().join("alerts.ndjson");
    let command = format!("/bin/sh {} {}", script.display(), out.display());
    let ran = feed(&["open", "-", "--print", "summary", "--on-alert", &command], FOUNDING.as_bytes());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = std::fs::read_to_string(out).unwrap();
    assert!(told.lines().any(|line| line.contains(r#""rule":"AMP-PROBE""#)), "{told}");
    let flows = feed(&["open", "-", "--print", "flows", "--on-alert", &command], FOUNDING.as_bytes());
    assert!(flows.code == Some(2) && flows.err.contains("--print alerts"), "{flows:?}");
    let wrong = feed(&["open", "-", "--print", "summary", "--on-alert", "'x"], FOUNDING.as_bytes());
    assert!(wrong.code == Some(2) && wrong.err.contains("not closed"), "{wrong:?}");
}
