//! The parts of `docs/filter.md` that are made from tables. `FLOWTAIL_WRITE_DOCS=1 cargo test --lib filter::tests::page` writes them anew.

use std::fmt::Write as _;

use super::*;
use crate::filter::{BUILTIN, foreign, value, words};
use crate::record::{FIELDS, Kind, On};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/filter.md");

fn code(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    words.into_iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(" ")
}

/// The fields that have other names, those of sessions, and those that are computed.
fn fields() -> String {
    let mut text = "| Field | Also | On | Meaning |\n|---|---|---|---|\n".to_owned();
    for def in FIELDS.iter().filter(|def| !def.aliases.is_empty() || def.since == 0) {
        let on = match def.on {
            On::Flows => "flows",
            On::Sessions => "sessions",
            On::Both => "both",
        };
        let _ = writeln!(text, "| `{}` | {} | {on} | {} |", def.name, code(def.aliases), def.doc);
    }
    text
}

fn values() -> String {
    let mut text = "| Values of | are written | and compared with |\n|---|---|---|\n".to_owned();
    let kinds = [
        (Kind::Count, "an amount"),
        (Kind::Port, "a port"),
        (Kind::Protocol, "a protocol"),
        (Kind::Flags, "TCP flags"),
        (Kind::Time, "a moment"),
        (Kind::Duration, "a length of time"),
        (Kind::Ratio, "a quotient"),
        (Kind::Addr, "an address"),
        (Kind::Text, "text"),
    ];
    for (kind, name) in kinds {
        let operators = crate::filter::complete::operators(kind).join("` `");
        let _ = writeln!(text, "| {name} | {} | `{operators}` |", crate::filter::wording::expected(kind));
    }
    let counts = value::COUNT_UNITS.iter().map(|(unit, _)| unit);
    let times = value::TIME_UNITS.iter().map(|(unit, _)| unit);
    let _ = writeln!(
        text,
        "\nUnits of amounts: {}; of time: {}. Flags: {}.",
        code(counts),
        code(times),
        code(value::flag_list())
    );
    text
}

fn words_alone() -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "Code words: {}; on sessions also {}, and `answered`: `resp.packets > 0`.\n",
        code(words::bare_codes(Stage::Flows)),
        {
            let flows: Vec<&str> = words::bare_codes(Stage::Flows).collect();
            code(words::bare_codes(Stage::Sessions).filter(move |word| !flows.contains(word)))
        }
    );
    let _ = writeln!(
        text,
        "Identifiers: {}.\n",
        words::IDS
            .iter()
            .map(|(prefix, field)| format!("`{prefix}…` is `{}`", field.name()))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let _ = writeln!(text, "AWS services (packet address on either side): {}.", code(words::AWS_SERVICES));
    text
}

fn sets() -> String {
    let mut text = "| Set | What it holds |\n|---|---|\n".to_owned();
    for (name, doc) in BUILTIN {
        let _ = writeln!(text, "| `{name}` | {doc} |");
    }
    text
}

fn others() -> String {
    let mut text = "| Typed | Read as |\n|---|---|\n".to_owned();
    for (name, field, transport) in foreign::NAMES {
        let with = transport.map_or(String::new(), |transport| format!(", and `{transport}`"));
        let _ = writeln!(text, "| `{name}` | `{}`{with} |", field.name());
    }
    text
}

fn spellings() -> String {
    let mut text = "| From | Typed | Read as |\n|---|---|---|\n".to_owned();
    for (tool, table) in super::spellings::SPELLINGS {
        for (at, (typed, read)) in table.iter().enumerate() {
            let tool = if at == 0 { tool } else { "" };
            let _ = writeln!(text, "| {tool} | `{typed}` | `{read}` |");
        }
    }
    text
}

#[test]
fn the_page_says_what_the_tables_say() {
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let mut fresh = page.clone();
    for (name, made) in [
        ("fields", fields()),
        ("values", values()),
        ("words", words_alone()),
        ("sets", sets()),
        ("spellings", spellings()),
        ("others", others()),
    ] {
        let (begin, end) = (format!("<!-- {name}: made by a test -->\n"), format!("<!-- end of {name} -->"));
        let from = fresh.find(&begin).unwrap_or_else(|| panic!("docs/filter.md has no place for {name}")) + begin.len();
        let to = from + fresh[from..].find(&end).unwrap_or_else(|| panic!("{name} does not end"));
        fresh.replace_range(from..to, &format!("\n{made}\n"));
    }
    if std::env::var_os("FLOWTAIL_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, fresh).expect("the page");
    } else {
        assert!(
            page == fresh,
            "docs/filter.md is not up to date: FLOWTAIL_WRITE_DOCS=1 cargo test --lib filter::tests::page"
        );
    }
}
