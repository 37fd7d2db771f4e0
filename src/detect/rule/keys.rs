//! The keys of a rule, once: what the reader takes (a test holds both equal), what a file of one's own may change, and the schema for editors.

use serde_json::{Map, Value, json};

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Text,
    Level,
    Stage,
    Switch,
    Time,
    Texts,
    Numbers,
    Escalation,
    Gather,
    Tests,
}

/// One key of a `[[rule]]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub name: &'static str,
    holds: Holds,
    required: bool,
    /// Whether it is part of what is found, and not only of what is said of it: the tests of a rule speak of the rule as it was written.
    pub finds: bool,
    doc: &'static str,
}

const fn key(name: &'static str, holds: Holds, required: bool, finds: bool, doc: &'static str) -> Key {
    Key { name, holds, required, finds, doc }
}

/// Every key, in the order of `docs/rules.md`.
#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("id", Holds::Text, true, false, "Unique name: 1 to 64 letters, digits, `-`, `_` and `.`. The id of a rule that is built in changes that rule."),
    key("title", Holds::Text, true, false, "What it finds, a few words."),
    key("level", Holds::Level, true, false, "How bad that is."),
    key("enabled", Holds::Switch, false, false, "`false` switches the rule off."),
    key("technique", Holds::Text, false, false, "ATT&CK technique, such as T1498.002."),
    key("tags", Holds::Texts, false, false, "Further labels."),
    key("on", Holds::Stage, true, true, "What kind of rows it looks at."),
    key("filter", Holds::Text, false, true, "Which rows: the language of the filter bar; all rows if left out."),
    key("sets", Holds::Numbers, false, true, "Sets of the configuration that the filter needs, each with an example for the tests; without them the rule waits, off."),
    key("where", Holds::Text, false, true, "A condition over one row; with `new`, rows that fail it still teach."),
    key("symmetric", Holds::Switch, false, true, "Whether it means the same with client and server swapped."),
    key("amplification_port", Holds::Text, false, true, "The port by which `@amp` is looked up; rows off the table are left out."),
    key("group_by", Holds::Texts, true, true, "One alert for each value of these fields."),
    key("timespan", Holds::Time, true, true, "Length of the window, 10s to 30d."),
    key("let", Holds::Numbers, false, true, "Numbers to use by name further down."),
    key("condition", Holds::Text, true, true, "When it speaks."),
    key("escalate", Holds::Escalation, false, false, "Other levels and when they apply; the worst that holds counts."),
    key("suppress", Holds::Time, false, false, "The alert grows until there was no evidence for so long; 30m if left out."),
    key("hold", Holds::Time, false, false, "How long an alert waits for a rule that absorbs it."),
    key("absorbs", Holds::Texts, false, false, "Ids of rules whose alerts are part of this one's."),
    key("gather", Holds::Gather, false, false, "Groups that speak at once are one alert for each value of `by`, with a message and evidence of its own."),
    key("measured", Holds::Numbers, false, false, "What an alert reports, by name."),
    key("threshold", Holds::Numbers, false, false, "What it had to reach, under the same names."),
    key("message", Holds::Text, true, false, "One line: a template over group_by and measured."),
    key("evidence", Holds::Text, false, false, "Template of the filter that shows the evidence."),
    key("meaning", Holds::Text, false, false, "What it means, one paragraph."),
    key("falsepositives", Holds::Texts, false, false, "What it could be instead."),
    key("source", Holds::Text, false, false, "Where the thresholds come from."),
    key("test", Holds::Tests, false, false, "Flow records and how many alerts they must raise."),
];

/// The key called `name`.
pub(super) fn named(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether a rule with these keys stands for itself.
pub(super) fn is_whole<'a>(names: impl Fn(&str) -> bool + 'a) -> bool {
    KEYS.iter().filter(|key| key.required).all(|key| names(key.name))
}

/// JSON schema (draft 2020-12) of a file of rules, for editors.
pub(in crate::detect) fn schema() -> Value {
    let text = || json!({"type": "string"});
    let level = || json!({"enum": ["informational", "low", "medium", "high", "critical"]});
    let time = || json!({"type": "string", "pattern": "^[0-9]+[smhd]$"});
    let object = |names: Value, required: &[&str]| json!({"type": "object", "properties": names, "required": required, "additionalProperties": false});
    let mut properties = Map::new();
    for key in KEYS {
        let mut holds = match key.holds {
            Holds::Text => text(),
            Holds::Level => level(),
            Holds::Stage => json!({"enum": ["flow", "session"]}),
            Holds::Switch => json!({"type": "boolean"}),
            Holds::Time => time(),
            Holds::Texts => json!({"type": "array", "items": text()}),
            Holds::Numbers => json!({"type": "object", "additionalProperties": text()}),
            Holds::Escalation => {
                json!({"type": "array", "items": object(json!({"level": level(), "when": text()}), &["level", "when"])})
            }
            Holds::Gather => {
                let by = json!({"type": "array", "items": text()});
                object(json!({"by": by, "message": text(), "evidence": text()}), &["by", "message", "evidence"])
            }
            Holds::Tests => {
                let inline = json!({"name": text(), "flows": text(), "expect": {"type": "integer", "minimum": 0}});
                json!({"type": "array", "items": object(inline, &["name", "flows", "expect"])})
            }
        };
        holds["description"] = key.doc.into();
        properties.insert(key.name.to_owned(), holds);
    }
    // What changes a rule that is there need only name it.
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules of flowtail",
        "type": "object",
        "properties": {"rule": {"type": "array", "items": object(Value::Object(properties), &["id"])}},
        "additionalProperties": false,
    })
}
