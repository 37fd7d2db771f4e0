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

#[test]
fn a_source_with_a_name_is_started_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = file(folder.path(), "flows.log", FOUNDING);
    let text = format!(
        "[source.case]\nopen = {:?}\nfilter = \"dstport = 11211\"\nformat = \"${{version}} ${{account-id}} ${{interface-id}} ${{srcaddr}} ${{dstaddr}} ${{srcport}} ${{dstport}} ${{protocol}} ${{packets}} ${{bytes}} ${{start}} ${{end}} ${{action}} ${{log-status}}\"\n[defaults]\nmemory = \"64MiB\"\n",
        arg(&log)
    );
    let config = file(folder.path(), "c.toml", text);
    let rows = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["--config", arg(&config), "--print", "flows", "--as", "log"]);
        run(&all)
    };
    for name in ["case", "@case"] {
        assert_eq!(rows(&[name]).out.lines().count(), 2, "{:?}", rows(&[name]));
    }
    // What is typed comes before what is written, before the name and after it.
    assert_eq!(rows(&["case", "--filter", "srcport = 11211"]).out.lines().count(), 2);
    assert_eq!(rows(&["case", "--filter=ip 1.2.3.4"]).code, Some(1));
    let unknown = rows(&["cases"]);
    assert_eq!(unknown.code, Some(2));
}

#[test]
fn wrong_keys_options_and_sources_are_told_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    for (text, says) in [
        ("[keys.tables]\nfreeze = \"q\"\n", "c.toml:2:10: the key q would mean both quit and freeze"),
        ("[keys.tables]\nfreze = \"x\"\n", "c.toml:2:1: there is no action `freze` in tables"),
        ("[keys.tables]\nfreeze = \"ctrl-alt-del\"\n", "c.toml:2:10: `ctrl-alt-del` is no key"),
        ("[keys.table]\nfreeze = \"x\"\n", "c.toml:1:7: keys work in tables, timeline"),
        ("[keys.tables]\nquit = []\n", "`quit` needs a key"),
        ("[defaults]\nthem = \"dark\"\n", "c.toml:2:1: there is no option `them` here"),
        ("[defaults]\nmemory = \"lots\"\n", "c.toml:2:1: invalid value 'lots'"),
        ("[defaults]\nascii = 5\n", "c.toml:2:9: `ascii` is true or false"),
        ("[source.prod]\nsince = \"1h\"\n", "c.toml:1:9: source `prod` needs exactly one of tail"),
        ("[source.tail]\ntail = \"g\"\n", "c.toml:1:9: a source `tail` is a command already"),
        ("[source.prod]\ntail = \"g\"\nfollow = true\n", "c.toml:3:1: there is no option `follow` here"),
        ("[source.prod]\ntail = \"g\"\nsince = \"soon\"\n", "c.toml:1:9: source `prod`: invalid value 'soon'"),
        ("[screen]\ntime = \"mars\"\n", "c.toml:2:8: times are utc, local or ago"),
        ("[screen]\nflow-columns = [\"bytes\", \"ratio\"]\n", "c.toml:2:26: flows have no column `ratio`"),
        ("[screen]\nhide = [\"header\"]\n", "c.toml:2:9: timeline and alerts can be hidden"),
        ("[screen]\ncolor = 1\n", "c.toml:2:1: unknown field `color`"),
    ] {
        let config = file(folder.path(), "c.toml", text);
        let out = run(&["open", "-", "--config", arg(&config)]);
        assert_eq!(out.code, Some(2), "{text}");
        assert!(out.err.contains(says), "{text}: {}", out.err);
    }
}

#[test]
fn the_configuration_is_printed_with_every_key() {
    let out = run(&["--print-config"]);
    assert_eq!(out.code, Some(0), "{out:?}");
    for part in [
        "[defaults]",
        "#theme = \"auto\"",
        "[source.prod]",
        "#since = \"30m\"",
        "[keys.tables]",
        "#freeze = [\"space\"]",
        "[screen]",
    ] {
        assert!(out.out.contains(part), "{part}");
    }
    // It can be taken as it is.
    let folder = tempfile::tempdir().unwrap();
    let config = file(folder.path(), "c.toml", &out.out);
    assert_eq!(run(&["fields", "--config", arg(&config)]).code, Some(0));
}
