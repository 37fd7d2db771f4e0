//! Rules as they are written: the keys of TOML and what their values are before anything is checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub rule: Vec<Spanned<Raw>>,
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) struct Raw {
    pub id: Spanned<String>,
    pub title: String,
    pub level: Spanned<String>,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    pub technique: String,
    #[serde(default)]
    pub tags: Vec<String>,
    pub on: Spanned<String>,
    pub filter: Option<Spanned<String>>,
    #[serde(default)]
    pub sets: BTreeMap<String, String>,
    #[serde(rename = "where")]
    pub only: Option<Spanned<String>>,
    #[serde(default)]
    pub symmetric: bool,
    pub amplification_port: Option<Spanned<String>>,
    pub group_by: Vec<Spanned<String>>,
    pub timespan: Spanned<String>,
    #[serde(default, rename = "let")]
    pub names: BTreeMap<String, Spanned<String>>,
    pub condition: Spanned<String>,
    #[serde(default)]
    pub escalate: Vec<RawEscalation>,
    pub suppress: Option<Spanned<String>>,
    pub hold: Option<Spanned<String>>,
    #[serde(default)]
    pub absorbs: Vec<String>,
    pub gather: Option<RawGather>,
    #[serde(default)]
    pub measured: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub threshold: BTreeMap<String, Spanned<String>>,
    pub message: Spanned<String>,
    pub evidence: Option<Spanned<String>>,
    #[serde(default)]
    pub meaning: String,
    #[serde(default)]
    pub falsepositives: Vec<String>,
    #[serde(default)]
    pub source: String,
    #[serde(default)]
    pub test: Vec<RawTest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEscalation {
    pub level: Spanned<String>,
    pub when: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGather {
    pub by: Vec<Spanned<String>>,
    pub message: Spanned<String>,
    pub evidence: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTest {
    pub name: String,
    pub flows: Spanned<String>,
    pub expect: usize,
}

fn yes() -> bool {
    true
}

/// Entries of a table in the order in which they are written.
pub(super) fn in_order(table: &BTreeMap<String, Spanned<String>>) -> Vec<(&String, &Spanned<String>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(_, value)| value.span().start);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_keys_is_what_the_reader_takes() {
        let Err(error) = toml::from_str::<File>("[[rule]]\nnone = 1\n") else { panic!("no such key") };
        let mut taken: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
        let mut keys: Vec<&str> = super::super::keys::KEYS.iter().map(|key| key.name).collect();
        taken.sort_unstable();
        keys.sort_unstable();
        assert_eq!(taken, keys);
    }
}
