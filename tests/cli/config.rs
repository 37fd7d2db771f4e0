//! `--config`: sets that filters and rules name, lists beside the file, and what a wrong file says.

use super::{FOUNDING, arg, command, feed, file, run};

#[test]
fn filters_name_the_sets_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "feed.txt", "# a feed\n13.125.33.0/24 ; the attacker\n198.51.100.7\n");
    let config = file(folder.path(), "c.toml", "[sets]\nthreats = [\"@file:feed.txt\"]\ncaches = [11211, 6379]\n");
    let filtered = |filter: &str, config: &str| {
        feed(
            &["open", "-", "--print", "flows", "--as", "log", "--filter", filter, "--config", config],
            FOUNDING.as_bytes(),
        )
    };
    assert_eq!(filtered("src in $threats and dport @caches", arg(&config)).out.lines().count(), 2);
    assert_eq!(filtered("not $threats", arg(&config)).code, Some(1));
    let unknown = filtered("src in $threat", arg(&config));
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("Did you mean `$threats`?"), "{}", unknown.err);
    let fields = run(&["fields", "--config", arg(&config)]);
    assert!(
        fields.out.lines().any(|line| line.starts_with("$threats ") && line.contains("2 networks")),
        "{}",
        fields.out
    );
    // Rules use the same sets.
    let rules = run(&["rules", "show", "AMP-PROBE"]).out.replace("filter = '", "filter = 'not $threats and ");
    let rules = file(folder.path(), "rules.toml", rules);
    assert_eq!(run(&["rules", "check", arg(&rules)]).code, Some(2));
    let checked = run(&["rules", "check", arg(&rules), "--config", arg(&config)]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
}

#[test]
fn the_environment_says_where_the_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[sets]\noffice = [\"192.0.2.0/24\"]\n";
    let named = file(folder.path(), "named.toml", text);
    let shows = |set: &mut dyn FnMut(&mut std::process::Command)| {
        let mut command = command(&["fields"]);
        set(&mut command);
        String::from_utf8(command.output().unwrap().stdout).unwrap().contains("$office")
    };
    assert!(shows(&mut |command| {
        command.env("FLOWTAIL_CONFIG", &named);
    }));
    std::fs::create_dir(folder.path().join("flowtail")).unwrap();
    file(&folder.path().join("flowtail"), "config.toml", text);
    assert!(shows(&mut |command| {
        command.env("XDG_CONFIG_HOME", folder.path());
    }));
    assert!(!shows(&mut |_| ()));
}

#[test]
fn a_wrong_file_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for (text, says) in [
        ("[sets]\noffice = [\"10/8\", \"10.0.0.300\"]\n", "c.toml:2:19: set `office`: 300 is above 255."),
        ("[stes]\n", "c.toml:1:2: unknown field `stes`"),
        ("[sets]\nx = [\"@file:none\"]\n", "none: cannot read the list"),
    ] {
        let config = file(folder.path(), "c.toml", text);
        let out = run(&["open", "-", "--config", arg(&config)]);
        assert_eq!(out.code, Some(2), "{text}");
        assert!(out.err.contains(says), "{text}: {}", out.err);
        // What does not read the configuration works whatever is in it.
        assert_eq!(run(&["themes", "--config", arg(&config)]).code, Some(0));
    }
    assert_eq!(run(&["open", "-", "--config", "/nowhere/c.toml"]).code, Some(2));
}
