//! A file of one's own over the rules that are there: whole rules are added or take the place of those of the same id, and a rule that names only
//! some keys changes those of the rule that has its id.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::keys::{self, KEYS};
use super::source::Source;
use super::{Rule, RuleError, read};

type Written = BTreeMap<String, Spanned<Value>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Written>>,
}

/// What a file says: a rule, and whether the file only switches it on or off.
pub(in crate::detect) struct Said {
    pub rule: Rule,
    pub only_switch: bool,
}

/// Reads `text` over `known`. `file` is its name.
pub(in crate::detect) fn over(known: &[Arc<Rule>], text: &str, file: &str) -> Result<Vec<Said>, RuleError> {
    let source = Source { text, file };
    let loose: File = toml::from_str(text)
        .map_err(|error| source.error(None, error.span().unwrap_or(0..0), error.message().to_owned()))?;
    let starts: Vec<usize> = loose.rule.iter().map(|rule| source.table(rule.span().start)).collect();
    let mut whole = text.to_owned();
    let mut changes = Vec::new();
    for (at, rule) in loose.rule.iter().enumerate() {
        let written = rule.get_ref();
        let base = match written.get("id").map(Spanned::get_ref) {
            Some(Value::String(id)) => known.iter().find(|rule| *rule.id == **id),
            _ => None,
        };
        let Some(base) = base.filter(|_| !keys::is_whole(|key| written.contains_key(key))) else { continue };
        let end = starts.get(at + 1).copied().unwrap_or(text.len());
        if !text[starts[at]..].lines().any(|line| line.trim_start().starts_with("[[rule]]")) || end < starts[at] {
            return Err(source.error(Some(&base.id), rule.span(), "begin every rule with a line [[rule]]".to_owned()));
        }
        // What is left reads as if the change were not there, and every place in it is that of the file.
        let blank: String = text[starts[at]..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        changes.push((base, rule, blank, starts[at]..end));
    }
    for (_, _, blank, range) in changes.iter().rev() {
        whole.replace_range(range.clone(), blank);
    }
    let mut said: Vec<Said> = read(&whole, file)?.into_iter().map(|rule| Said { rule, only_switch: false }).collect();
    for (base, rule, _, _) in &changes {
        if said.iter().any(|known| known.rule.id == base.id) {
            return Err(source.error(Some(&base.id), rule.span(), "this id is used twice in the file".to_owned()));
        }
        let only_switch = rule.get_ref().keys().all(|key| matches!(key.as_str(), "id" | "enabled"));
        said.push(Said { rule: changed(base, rule, &source)?, only_switch });
    }
    if said.len() != loose.rule.len() {
        return Err(source.error(None, 0..0, "begin every rule with a line [[rule]]".to_owned()));
    }
    Ok(said)
}

/// `base` with the keys of `change`.
fn changed(base: &Rule, change: &Spanned<Written>, source: &Source<'_>) -> Result<Rule, RuleError> {
    let written = change.get_ref();
    let wrong = |span, message: String| source.error(Some(&base.id), span, message);
    if let Some((name, value)) = written.iter().find(|(name, _)| keys::named(name).is_none()) {
        let all: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        let name = name.escape_debug();
        return Err(wrong(value.span(), format!("a rule has no key `{name}`; it has {}", all.join(", "))));
    }
    // The text of a rule has been read before.
    let mut file: Table = toml::from_str(&base.text).map_err(|error| wrong(change.span(), error.to_string()))?;
    let Some(Value::Array(rules)) = file.get_mut("rule") else {
        return Err(wrong(change.span(), "write the whole rule".to_owned()));
    };
    let Some(Value::Table(table)) = rules.first_mut() else {
        return Err(wrong(change.span(), "write the whole rule".to_owned()));
    };
    if written.keys().filter_map(|name| keys::named(name)).any(|key| key.finds) && !written.contains_key("test") {
        table.remove("test");
    }
    for (name, value) in written {
        match (table.get_mut(name), value.get_ref()) {
            // One number of many may be changed.
            (Some(Value::Table(old)), Value::Table(new)) => {
                old.extend(new.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            (_, new) => {
                table.insert(name.clone(), new.clone());
            }
        }
    }
    let text = toml::to_string_pretty(&file).map_err(|error| wrong(change.span(), error.to_string()))?;
    let mut rules = read(&text, source.file).map_err(|error| {
        let span = written.get(key_at(&text, error.line)).map_or(change.span(), Spanned::span);
        wrong(span, format!("with this change: {}", error.message))
    })?;
    let Some(mut rule) = rules.pop() else { return Err(wrong(change.span(), "write the whole rule".to_owned())) };
    rule.origin = format!("{}, changed in {}", base.origin, source.file).into();
    Ok(rule)
}

/// The key to which `line` (from 1) of a text made of a rule belongs.
fn key_at(text: &str, line: usize) -> &str {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let name = |line: &&str| {
        let header = line.trim_start_matches('[').strip_prefix("rule.").map(|rest| rest.trim_end_matches(']'));
        header.or_else(|| line.split_once(" = ").map(|(name, _)| name)).and_then(keys::named)
    };
    lines.iter().rev().find_map(name).map_or("", |key| key.name)
}
