//! The house rules of `ARCHITECTURE.md`, kept by reading what every file of `src/` names.
//!
//! Read are paths, not only `use` lines: `crate::…`, `super::…` as far as it climbs, and the names of outside crates. Comments and strings
//! do not count. Tests inside `src/` obey the same rules.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, low to high. A room names itself and those before it, never those after it.
const ROOMS: [&str; 12] =
    ["record", "store", "filter", "session", "detect", "enrich", "export", "engine", "source", "evaluate", "app", "ui"];

/// Files at the top, above all rooms. They may name every room and each other.
const TOP: [&str; 16] = [
    "main",
    "lib",
    "cli",
    "config",
    "baseline",
    "history",
    "start",
    "notify",
    "state",
    "runtime",
    "save",
    "headless",
    "tables",
    "translate",
    "terminal",
    "who",
];

/// Who may name a crate from outside.
struct Outside {
    /// Whether this is the name of such a crate.
    names: fn(&str) -> bool,
    /// Whether the file at this path (from `src/`) may.
    allowed: fn(&str) -> bool,
    rule: &'static str,
}

const OUTSIDE: [Outside; 3] = [
    Outside {
        names: |name| name == "ratatui" || name.starts_with("ratatui_"),
        allowed: |path| path.starts_with("ui/") || matches!(path, "terminal.rs" | "runtime.rs"),
        rule: "ratatui is for ui/, terminal.rs and runtime.rs",
    },
    Outside {
        names: |name| name.starts_with("aws_"),
        allowed: |path| path.starts_with("source/cloudwatch/"),
        rule: "AWS SDK types stay inside source/cloudwatch/",
    },
    Outside {
        names: |name| name == "tokio" || name.starts_with("tokio_"),
        allowed: |path| rank(room_of(path)) > rank("engine"),
        rule: "no tokio in engine/ and below",
    },
];

/// One name that a file must not use.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    file: String,
    line: usize,
    named: String,
    rule: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: names {}: {}", self.file, self.line, self.named, self.rule)
    }
}

/// The room or top-level file that a path (from `src/`) belongs to.
fn room_of(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The height of a room; that of top-level files is above all.
fn rank(room: &str) -> usize {
    ROOMS.iter().position(|known| *known == room).unwrap_or(ROOMS.len())
}

/// All that `text`, the file at `path` (from `src/`), names and must not.
fn violations(path: &str, text: &str) -> Vec<Violation> {
    let here = room_of(path);
    let mut found = Vec::new();
    let mut report =
        |line, named: &str, rule| found.push(Violation { file: path.to_owned(), line, named: named.to_owned(), rule });
    for (line, name) in names(path, text) {
        match name {
            Name::Inside(room) => {
                let known = ROOMS.contains(&&*room) || TOP.contains(&&*room);
                if known && rank(&room) > rank(here) {
                    report(line, &room, "lower rooms never name higher ones");
                }
                if here == "source" && room == "engine" {
                    report(line, &room, "source/ and engine/ do not know each other");
                }
            }
            Name::Outside(name) => {
                for outside in OUTSIDE.iter().filter(|outside| (outside.names)(&name) && !(outside.allowed)(path)) {
                    report(line, &name, outside.rule);
                }
            }
        }
    }
    found
}

/// A name that a path begins with.
#[derive(Debug, PartialEq, Eq)]
enum Name {
    /// A module at the root of this crate.
    Inside(String),
    /// The first word of any other path: most are local, some are crates.
    Outside(String),
}

/// The names that `text` uses, each with its line.
fn names(path: &str, text: &str) -> Vec<(usize, Name)> {
    let tokens = tokens(text);
    // How deep the module of this file lies below the root: `a.rs` and `a/mod.rs` one, `a/b.rs` two.
    let depth =
        path.split('/').count() - usize::from(path.ends_with("/mod.rs") || matches!(path, "lib.rs" | "main.rs"));
    let mut braces = 0_usize;
    let mut inline: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let word = tokens[at].word.as_str();
        match word {
            "{" => {
                if at >= 2 && tokens[at - 2].word == "mod" {
                    inline.push(braces);
                }
                braces += 1;
            }
            "}" => {
                braces = braces.saturating_sub(1);
                if inline.last() == Some(&braces) {
                    inline.pop();
                }
            }
            _ => {}
        }
        let follows = |text: &str| at > 0 && tokens[at - 1].word == text;
        if follows("::") || follows(".") || !is_name(word) {
            continue;
        }
        let mut next = at + 1;
        let mut climbed = usize::from(word == "super");
        while climbed > 0
            && tokens.get(next).is_some_and(|t| t.word == "::")
            && tokens.get(next + 1).is_some_and(|t| t.word == "super")
        {
            climbed += 1;
            next += 2;
        }
        let root = word == "crate" || (climbed > 0 && climbed == depth + inline.len());
        if root && tokens.get(next).is_some_and(|token| token.word == "::") {
            let heads = heads(&tokens[next + 1..]);
            found.extend(heads.into_iter().map(|token| (token.line, Name::Inside(token.word.clone()))));
        } else if climbed == 0 {
            found.push((tokens[at].line, Name::Outside(word.to_owned())));
        }
    }
    found
}

/// What a path goes on with: one name, or the first names within braces.
fn heads(tokens: &[Token]) -> Vec<&Token> {
    match tokens.first() {
        Some(first) if first.word == "{" => {
            let mut depth = 0_usize;
            let mut heads = Vec::new();
            for pair in tokens.windows(2) {
                match pair[0].word.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                if depth == 1 && matches!(pair[0].word.as_str(), "{" | ",") && is_name(&pair[1].word) {
                    heads.push(&pair[1]);
                }
            }
            heads
        }
        Some(first) if is_name(&first.word) => vec![first],
        _ => Vec::new(),
    }
}

struct Token {
    word: String,
    line: usize,
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first == '_' || first.is_alphabetic())
}

/// Words and punctuation, `::` as one. Comments, strings, characters and lifetimes are left out.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let from = at;
        let next = chars.get(at + 1).copied();
        match chars[at] {
            '/' if next == Some('/') => at += chars[at..].iter().take_while(|c| **c != '\n').count(),
            '/' if next == Some('*') => at = comment_end(&chars, at),
            '"' => at = string_end(&chars, at),
            '\'' => at = quote_end(&chars, at),
            ':' if next == Some(':') => {
                tokens.push(Token { word: "::".to_owned(), line });
                at += 2;
            }
            first if first == '_' || first.is_alphanumeric() => {
                at += chars[at..].iter().take_while(|c| **c == '_' || c.is_alphanumeric()).count();
                let word: String = chars[from..at].iter().collect();
                let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
                if matches!(word.as_str(), "r" | "br" | "cr") && chars.get(at + hashes) == Some(&'"') {
                    at = raw_string_end(&chars, at + hashes + 1, hashes);
                } else {
                    tokens.push(Token { word, line });
                }
            }
            other => {
                if !other.is_whitespace() {
                    tokens.push(Token { word: other.to_string(), line });
                }
                at += 1;
            }
        }
        line += chars[from..at].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

fn comment_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    at += 1;
    while at < chars.len() && chars[at] != '"' {
        at += 1 + usize::from(chars[at] == '\\');
    }
    (at + 1).min(chars.len())
}

fn raw_string_end(chars: &[char], mut at: usize, hashes: usize) -> usize {
    while at < chars.len() {
        at += 1;
        if chars[at - 1] == '"' && chars[at..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return at + hashes;
        }
    }
    at
}

/// Past a character such as `'x'` or `'\n'`, or past the quote of a lifetime.
fn quote_end(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let close = chars[(at + 3).min(chars.len())..].iter().position(|c| *c == '\'');
            close.map_or(chars.len(), |close| at + 4 + close)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// Every source file, by its path from `src/`.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_file_keeps_the_house_rules() {
    let sources = sources();
    assert!(sources.len() > 30, "the house is not empty");
    let found: Vec<String> =
        sources.iter().flat_map(|(path, text)| violations(path, text)).map(|violation| violation.to_string()).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_file_has_a_place_in_the_order() {
    let unknown: Vec<String> = sources()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| !ROOMS.contains(&room_of(path)) && !TOP.contains(&room_of(path)))
        .collect();
    assert!(unknown.is_empty(), "give these a place in ROOMS or TOP, and in ARCHITECTURE.md: {unknown:?}");
}

/// The rules, broken one by one in code that does not exist.
#[test]
fn broken_rules_are_found() {
    let broken = [
        ("record/parse.rs", "use crate::filter::Filter;", "filter"),
        ("store/ring.rs", "use std::io;\nuse crate::{record::Row, engine::view::Page};", "engine"),
        ("filter/eval.rs", "fn f() -> crate::detect::Level { todo!() }", "detect"),
        ("session/pair.rs", "use super::super::ui::theme;", "ui"),
        ("session/mod.rs", "use super::app::App;", "app"),
        ("session/mod.rs", "mod tests { use super::super::app::App; }", "app"),
        ("detect/mod.rs", "pub use crate::headless;", "headless"),
        ("engine/core.rs", "use crate::source::demo;", "source"),
        ("source/file/mod.rs", "use crate::engine::view::Tab;", "engine"),
        ("app/mod.rs", "use ratatui::style::Color;", "ratatui"),
        ("headless.rs", "fn f(frame: &mut ratatui::Frame) {}", "ratatui"),
        ("source/file/mod.rs", "use aws_sdk_cloudwatchlogs::Client;", "aws_sdk_cloudwatchlogs"),
        ("engine/thread.rs", "#[tokio::test]\nasync fn f() {}", "tokio"),
        ("detect/mod.rs", "use tokio::sync::mpsc;", "tokio"),
    ];
    for (path, text, named) in broken {
        let found = violations(path, text);
        assert!(found.iter().any(|violation| violation.named == named), "{path}: {text}: {found:?}");
    }
    let two = violations("store/ring.rs", "use crate::{\n    record::Row,\n    app,\n    ui::{self, theme},\n};");
    assert_eq!(two.iter().map(|v| (v.line, v.named.as_str())).collect::<Vec<_>>(), [(3, "app"), (4, "ui")]);
}

#[test]
fn what_is_allowed_is_not_reported() {
    let fine = [
        ("engine/core.rs", "use crate::{record::Row, store::Ring, filter, session, detect::{self, Alert}};"),
        (
            "record/parse.rs",
            "//! See crate::ui.\n/* use ratatui; /* crate::app */ */ const A: &str = \"crate::ui tokio::x\"; use super::Row;",
        ),
        (
            "record/parse.rs",
            "const A: &str = r#\"\"crate::ui\"#; const B: char = '\"'; const C: char = '\\''; fn f<'a>(x: &'a str) {}",
        ),
        ("session/pair.rs", "mod tests { use super::super::app; } fn f() { x.tokio(); y::ratatui(); }"),
        ("source/cloudwatch/client.rs", "use aws_config::BehaviorVersion; use tokio::time;"),
        ("ui/mod.rs", "use crate::{app::App, engine::view::Page}; use ratatui::Frame;"),
        ("runtime.rs", "use crate::{engine, source, terminal, ui}; use tokio::select; use ratatui::Terminal;"),
    ];
    for (path, text) in fine {
        assert_eq!(violations(path, text), [], "{path}: {text}");
    }
}

#[test]
fn texts_of_the_screen_name_no_key_by_itself() {
    // Keys are the user's: a text says `{filter}`, and the map of keys says which one that is.
    let named = ["Esc", "Enter", "Ctrl-", "Delete", "Shift-Tab"];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let screen = path.starts_with("app/") || path.starts_with("ui/") || path.starts_with("runtime/");
        if !screen || ["app/key.rs", "app/action.rs", "app/keymap.rs"].contains(&path.as_str()) {
            continue;
        }
        let body = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in body.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let mut quoted = line.split('"').skip(1).step_by(2);
            if quoted.any(|text| named.iter().any(|key| text.contains(key))) {
                wrong.push(format!("src/{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "these texts name keys that a user may have changed:\n{}", wrong.join("\n"));
}
