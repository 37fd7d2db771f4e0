//! What is known beside the log: databases of countries and networks, and `--who` where it cannot be asked.

use std::fs;

use super::{FOUNDING, arg, feed, file, mmdb};

#[test]
fn a_case_says_who_is_who_and_by_what() {
    let folder = tempfile::tempdir().unwrap();
    let names = file(folder.path(), "names.csv", "172.16.0.178,cache | 1\neni-0536faba73134a9b7,edge\n");
    let (countries, systems) = (folder.path().join("country.mmdb"), folder.path().join("asn.mmdb"));
    let korea = [("13.124.0.0/15", mmdb::country("KR", "South Korea"))];
    fs::write(&countries, mmdb::database("Test-Country", 1_534_000_000, &korea)).unwrap();
    let amazon = [("13.125.0.0/16", mmdb::system(16_509, "AMAZON-02"))];
    fs::write(&systems, mmdb::database("Test-ASN", 1_534_000_000, &amazon)).unwrap();
    let page = folder.path().join("case.md");
    let args = ["open", "-", "--print", "alerts", "--case", arg(&page), "--names", arg(&names)];
    let run = feed(&[&args[..], &["--geo", arg(&countries), "--geo", arg(&systems)]].concat(), FOUNDING.as_bytes());
    assert_eq!(run.code, Some(0), "{run:?}");
    let text = fs::read_to_string(&page).unwrap();
    for part in [
        "## Who is who",
        "- --geo: Test-Country of 2018-08-11, ",
        "| 13.125.33.130 | geo | KR South Korea, AS16509 AMAZON-02 |",
        "| 172.16.0.178 | name | cache \\| 1 |",
        "| eni-0536faba73134a9b7 | name | edge |",
        "  - names: 172.16.0.178 cache \\| 1",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    // What the log says is what it was.
    assert!(run.out.lines().all(|line| !line.contains("KR") && !line.contains("edge")), "{}", run.out);
}

#[test]
fn what_is_no_database_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let good = mmdb::database("Test", 0, &[("13.125.0.0/16", mmdb::country("KR", "South Korea"))]);
    let mut cases = vec![b"not a database".to_vec(), Vec::new(), good[..good.len() - 20].to_vec()];
    // A tree that leads beyond its end.
    let mut astray = good;
    astray[..600].fill(0xfe);
    cases.push(astray);
    for bytes in cases {
        let path = folder.path().join("bad.mmdb");
        fs::write(&path, &bytes).unwrap();
        let run = feed(&["open", "-", "--print", "flows", "--geo", arg(&path)], FOUNDING.as_bytes());
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.err.contains("--geo") && run.err.contains("bad.mmdb: no MaxMind database"), "{}", run.err);
        assert_eq!(run.err.trim_end().lines().count(), 1, "{}", run.err);
    }
    let run = feed(&["open", "-", "--geo", "/nonexistent/x.mmdb"], FOUNDING.as_bytes());
    assert!(run.code == Some(2) && run.err.contains("/nonexistent/x.mmdb: cannot read"), "{run:?}");
}

#[test]
fn who_is_asked_of_a_tail_alone_and_elsewhere_it_is_said_what_to_do() {
    let run = feed(&["open", "-", "--who", "172.16.0.178"], FOUNDING.as_bytes());
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.err.contains("only `flowtail tail`") && run.err.contains("--filter 'ip = 172.16.0.178'"),
        "{}",
        run.err
    );
    let run = feed(&["demo", "--who", "eni-0536faba73134a9b7", "--print", "flows"], b"");
    assert!(run.err.contains("--filter 'interface-id = eni-0536faba73134a9b7'"), "{}", run.err);
    let run = feed(&["demo", "--who", "web\u{1b}[2J", "--print", "flows"], b"");
    assert!(run.code == Some(2) && !run.err.contains('\u{1b}') && run.err.contains("$web-1"), "{}", run.err);
}

#[test]
fn a_path_in_the_configuration_begins_at_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "names.csv", "172.16.0.178,cache\n");
    file(folder.path(), "flows.log", FOUNDING);
    fs::write(folder.path().join("c.mmdb"), mmdb::database("Test", 0, &[("13.125.0.0/16", mmdb::country("KR", "x"))]))
        .unwrap();
    let text = "[defaults]\nnames = \"names.csv\"\ngeo = [\"c.mmdb\"]\n[source.mine]\nopen = \"flows.log\"\n";
    let config = file(folder.path(), "config.toml", text);
    let run = feed(&["mine", "--config", arg(&config), "--print", "flows", "--filter", "ip in $cache"], b"");
    assert_eq!((run.code, run.out.lines().count()), (Some(0), 4), "{run:?}");
}

#[test]
fn countries_and_networks_filter_records_and_sessions_and_without_a_database_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (countries, systems) = (folder.path().join("country.mmdb"), folder.path().join("asn.mmdb"));
    let korea = [("13.124.0.0/15", mmdb::country("KR", "South Korea"))];
    fs::write(&countries, mmdb::database("Test-Country", 1_534_000_000, &korea)).unwrap();
    let amazon = [("13.125.0.0/16", mmdb::system(16_509, "AMAZON-02"))];
    fs::write(&systems, mmdb::database("Test-ASN", 1_534_000_000, &amazon)).unwrap();
    let count = |print: &str, filter: &str| {
        let args =
            ["open", "-", "--print", print, "--geo", arg(&countries), "--geo", arg(&systems), "--filter", filter];
        let run = feed(&args, FOUNDING.as_bytes());
        assert!(run.err.is_empty(), "{filter}: {}", run.err);
        run.out.lines().count()
    };
    let all = count("flows", "ip = 13.125.33.130");
    assert!(all > 2);
    for filter in ["country = kr", "asn = AS16509", "org = amazon*", "has country", "not country != KR", "asn = 16509"]
    {
        assert_eq!(count("flows", filter), all, "{filter}");
    }
    assert_eq!(count("flows", "src-country = KR") + count("flows", "dst-country = KR"), all);
    assert_eq!(count("flows", "country != KR or asn != 16509 or dst-org = GOOGLE"), 0);
    assert_eq!(count("sessions", "src-country = KR"), count("sessions", "client = 13.125.33.130"));
    assert_eq!(count("sessions", "dst-asn = 16509"), 0);
    let run = feed(&["open", "-", "--print", "flows", "--filter", "country = KR"], FOUNDING.as_bytes());
    assert!(run.code == Some(1) && run.err.contains("No database of countries is given"), "{run:?}");
    let args = ["open", "-", "--print", "flows", "--geo", arg(&systems), "--filter", "country = KR"];
    let run = feed(&args, FOUNDING.as_bytes());
    assert!(run.err.contains("No database of countries is given"), "{run:?}");
    let args = ["open", "-", "--print", "flows", "--geo", arg(&countries), "--filter", "country = Korea"];
    let run = feed(&args, FOUNDING.as_bytes());
    assert!(run.err.contains("codes of two letters"), "{run:?}");
}
