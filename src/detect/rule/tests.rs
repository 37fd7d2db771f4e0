use crate::detect::Rules;
use crate::detect::alert::Level;

const GOOD: &str = r#"
[[rule]]
id = "MINE"
title = "Many peers"
level = "low"
on = "session"
filter = 'client in $private'
group_by = ["client"]
timespan = "5m"
let.total = "sum(bytes)"
condition = 'distinct(server) >= 50 and total > 1MB'
escalate = [{ level = "critical", when = "total > 1GB" }, { level = "high", when = "total > 100MB" }]
measured = { peers = "distinct(server)" }
threshold = { peers = "50" }
message = "{client} met {peers}"
"#;

fn error(from: &str, to: &str) -> (usize, usize, String) {
    assert!(GOOD.contains(from), "{from}");
    let error = Rules::parse(&GOOD.replace(from, to), "mine.toml").expect_err(to);
    assert_eq!(error.file, "mine.toml");
    (error.line, error.column, error.to_string())
}

#[test]
fn a_rule_is_read_as_written() {
    let rules = Rules::parse(GOOD, "mine.toml").unwrap_or_else(|error| panic!("{error}"));
    let rule = rules.get("mine").expect("any case");
    assert_eq!((rule.level, rule.timespan, rule.suppress, rule.hold), (Level::Low, 300, 1_800, 0));
    assert!(rule.enabled && !rule.symmetric);
    let levels: Vec<Level> = rule.escalate.iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [Level::Critical, Level::High], "the worst first");
    assert_eq!(&*rule.text, GOOD.trim_start());
    assert!(Rules::parse("", "empty.toml").expect("an empty file has no rules").iter().next().is_none());
}

#[test]
fn every_mistake_has_a_place_and_the_rule_it_is_in() {
    for (from, to, line, column, part) in [
        ("sum(bytes)", "sum(bytez)", 10, 18, "no field is called `bytez`"),
        ("total > 1MB", "totl > 1MB", 11, 41, "no field and no `let`"),
        ("[\"client\"]", "[\"client.port\"]", 8, 13, "ephemeral"),
        ("[\"client\"]", "[\"client\", \"start\"]", 8, 23, "almost every row"),
        ("[\"client\"]", "[\"ip\"]", 8, 13, "two values"),
        ("[\"client\"]", "[\"client\", \"initiator\"]", 8, 23, "already"),
        ("[\"client\"]", "[\"vpc-id\"]", 8, 13, "sessions have no field"),
        ("[\"client\"]", "[]", 3, 6, "empty"),
        ("\"5m\"", "\"5 minutes\"", 9, 12, "length of time"),
        ("\"5m\"", "\"2s\"", 9, 12, "10s to 30d"),
        ("\"session\"", "\"sessions\"", 6, 6, "expected \"flow\" or \"session\""),
        ("\"low\"", "\"lowish\"", 5, 9, "informational"),
        ("{client} met", "{server} met", 15, 12, "neither a field"),
        ("{ peers = \"50\" }", "{ pears = \"50\" }", 14, 23, "not in [rule.measured]"),
        ("id = \"MINE\"", "id = \"MY RULE\"", 3, 6, "letters, digits"),
    ] {
        let (at_line, at_column, text) = error(from, to);
        assert!(text.contains(part), "{to}: {text}");
        assert_eq!((at_line, at_column), (line, column), "{to}: {text}");
        assert!(text.contains("rule M"), "{text}");
    }
}

#[test]
fn a_filter_that_does_not_parse_has_its_place() {
    let (line, column, text) = error("client in $private", "client in $nowhere");
    assert_eq!((line, column), (7, 21), "{text}");
    assert!(text.contains("filter:"), "{text}");
    // In the filter bar this is a remark; in a rule it could never fire.
    let (_, _, text) = error("client in $private", "lag > 5");
    assert!(text.contains("filter:"), "{text}");
}

#[test]
fn what_toml_or_the_format_does_not_know_is_an_error() {
    let (line, _, text) = error("title", "titel");
    assert!(line == 4 && text.contains("titel"), "{text}");
    let (_, _, text) = error("level = \"low\"\n", "");
    assert!(text.contains("level"), "{text}");
    let (line, _, text) = error("timespan = \"5m\"", "timespan = 5");
    assert_eq!(line, 9, "{text}");
    assert!(Rules::parse("[[rule]\n", "broken.toml").is_err());
    let twice = Rules::parse(&format!("{GOOD}{GOOD}"), "twice.toml").expect_err("the same id twice");
    assert!(twice.message.contains("twice") && twice.line == 18, "{twice}");
}

#[test]
fn the_text_of_each_rule_is_its_own() {
    let two = format!(
        "# about the file\n\n# about the first\n{}\n# about the second\n{}",
        GOOD.trim(),
        GOOD.trim().replace("MINE", "YOURS")
    );
    let rules = Rules::parse(&two, "two.toml").unwrap_or_else(|error| panic!("{error}"));
    let texts: Vec<&str> = rules.iter().map(|rule| &*rule.text).collect();
    assert!(
        texts[0].starts_with("# about the first\n[[rule]]")
            && texts[0].contains("MINE")
            && !texts[0].contains("second")
    );
    assert!(texts[1].starts_with("# about the second\n[[rule]]") && texts[1].contains("YOURS"));
}
