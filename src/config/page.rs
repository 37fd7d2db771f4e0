//! `flowtail --print-config`: the configuration with every key documented in place, made from the definitions that check it.

use std::fmt::Write as _;

use clap::{ArgAction, CommandFactory as _};

use super::options::{COMMANDS, NOT_A_HABIT};
use crate::app::ACTIONS;
use crate::app::keymap::{self, CONTEXTS};
use crate::cli::Cli;
use crate::engine::view::Tab;

/// Keys that no command line has: table, key, an example, what it is.
pub(super) const TABLES: &[(&str, &str, &str, &str)] = &[
    (
        "sets",
        "office",
        "[\"203.0.113.0/24\", \"2001:db8::/32\"]",
        "Named sets for filters and rules: $office here. Addresses, networks and ranges of addresses.",
    ),
    (
        "sets",
        "web",
        "[80, 443, \"8000-8100\"]",
        "Or ports and ranges of ports; \"@file:PATH\" reads a list, an entry a line. Paths begin at the folder of this file.",
    ),
    (
        "rules",
        "disable",
        "[]",
        "Ids of rules that are off; a * at the end stands for any ending. Rules of your own go into rules.d/*.toml beside this file.",
    ),
    ("rules", "enable", "[]", "Ids of rules that are on although they are off unless asked for."),
    ("rules", "only", "[\"*\"]", "These rules and no others."),
    ("screen", "time", "\"utc\"", "Times of rows: utc, local, or ago for how long ago."),
    ("screen", "hide", "[]", "Panes that are hidden: timeline, alerts."),
];

/// The configuration, every key documented and commented out.
pub fn print_config() -> String {
    let mut page = "\
# Configuration of flowtail: --config FILE, else $FLOWTAIL_CONFIG, else $XDG_CONFIG_HOME/flowtail/config.toml, else
# ~/.config/flowtail/config.toml. Every key is here with what it means; those that are commented out show the usual value or an example.
# An unknown key or a wrong value is an error with its line. Themes of your own go into themes/NAME.toml beside this file.
".to_owned();
    defaults(&mut page);
    sources(&mut page);
    let mut last = "";
    for (table, key, value, doc) in TABLES {
        if *table != last {
            // Writing to a string cannot fail.
            let _ = write!(page, "\n[{table}]\n");
            last = table;
        }
        let _ = write!(page, "# {doc}\n#{key} = {value}\n");
    }
    for (key, table, tab) in [("flow-columns", "flows", Tab::Flows), ("session-columns", "sessions", Tab::Sessions)] {
        let names: Vec<String> =
            crate::app::columns::fields(tab, false).iter().map(|field| format!("\"{}\"", field.name())).collect();
        let _ = write!(
            page,
            "# Columns of {table}, in order; `flowtail fields` lists all.\n#{key} = [{}]\n",
            names.join(", ")
        );
    }
    keys(&mut page);
    page
}

/// What an argument says of itself, in one line.
fn help(arg: &clap::Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn option(arg: &clap::Arg, page: &mut String) {
    let Some(name) = arg.get_long().filter(|name| !arg.is_hide_set() && !NOT_A_HABIT.contains(name)) else { return };
    let default = arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
    let value = match (arg.get_action(), default) {
        (ArgAction::SetTrue, _) => "false".to_owned(),
        (_, Some(default)) if default.parse::<f64>().is_ok() => default,
        (_, Some(default)) => format!("\"{default}\""),
        (action, None) => {
            let names = arg.get_value_names().unwrap_or_default();
            let name = names.first().map_or("…", |name| name.as_str());
            if matches!(action, ArgAction::Append) { format!("[\"{name}\"]") } else { format!("\"{name}\"") }
        }
    };
    let _ = write!(page, "# {}\n#{name} = {value}\n", help(arg));
}

fn defaults(page: &mut String) {
    page.push_str("\n# Options of every command; what is typed comes before them.\n[defaults]\n");
    Cli::command().get_arguments().for_each(|arg| option(arg, page));
}

fn sources(page: &mut String) {
    page.push_str(
        "
# Sources with names: `flowtail prod` (or `flowtail @prod`) does what is written here; options that are typed beside it come before its own.
# Exactly one of tail, history, open and demo says what it is; the other keys are the options of that command, and those of [defaults].
#[source.prod]
#tail = \"/vpc/flow-logs\"             # one log group or a list; open = \"FILE\"; demo = true
",
    );
    let cli = Cli::command();
    for command in COMMANDS {
        if let Some(definition) = cli.find_subcommand(command) {
            let _ = writeln!(page, "# Of {command}:");
            definition.get_arguments().for_each(|arg| option(arg, page));
        }
    }
}

fn keys(page: &mut String) {
    page.push_str(
        "
# Keys: an action that is named has the keys given here and no others; [] is none. A key that would mean two things is an error.
# A key is a character, or: enter esc tab backtab backspace delete space up down left right pgup pgdn home end f1 … f12, ctrl- before it.
",
    );
    for (place, context) in CONTEXTS {
        let _ = writeln!(page, "[keys.{place}]");
        for def in
            ACTIONS.iter().filter(|def| def.context == context && !matches!(def.action, crate::app::Action::Saved(_)))
        {
            let keys: Vec<String> = def.keys.iter().map(|key| format!("\"{}\"", key.replace('\\', "\\\\"))).collect();
            let _ = write!(page, "# {}\n#{} = [{}]\n", def.help, keymap::name(def.action), keys.join(", "));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;
    use crate::app::Key;
    use crate::config::Config;

    /// What `docs/keys.md` says.
    fn keys() -> String {
        let mut text = String::new();
        for (place, context) in CONTEXTS {
            let _ = write!(
                text,
                "\n## {}\n\n`[keys.{place}]`\n\n| Key | What it does | Name |\n|---|---|---|\n",
                context.title()
            );
            for def in ACTIONS.iter().filter(|def| def.context == context) {
                let keys: Vec<String> = def
                    .keys
                    .iter()
                    .map(|name| Key::named(name).map_or_else(|| (*name).to_owned(), |key| key.to_string()))
                    .map(|key| format!("`{key}`"))
                    .collect();
                let _ = writeln!(text, "| {} | {} | `{}` |", keys.join(" "), def.help, keymap::name(def.action));
            }
        }
        text
    }

    #[test]
    fn the_pages_say_what_the_tables_say() {
        for (file, name, made) in
            [("config.md", "config", format!("\n```toml\n{}```\n", print_config())), ("keys.md", "keys", keys())]
        {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
            let page = std::fs::read_to_string(&path).expect("the page");
            let (begin, end) = (format!("<!-- {name}: made by a test -->\n"), format!("<!-- end of {name} -->"));
            let from = page.find(&begin).expect("its place") + begin.len();
            let to = from + page[from..].find(&end).expect("its end");
            let mut fresh = page.clone();
            fresh.replace_range(from..to, &format!("{made}\n"));
            if std::env::var_os("FLOWTAIL_WRITE_DOCS").is_some() {
                std::fs::write(&path, fresh).expect("the page");
            } else {
                assert!(
                    page == fresh,
                    "docs/{file} is not up to date: FLOWTAIL_WRITE_DOCS=1 cargo test --lib config::page"
                );
            }
        }
    }

    #[test]
    fn every_key_that_is_printed_is_one() {
        let page = print_config();
        assert!(Config::parse(&page, Path::new("c.toml")).is_ok(), "as it is printed");
        // Each line alone, without its sign.
        let mut table = String::new();
        for line in page.lines() {
            if let Some(name) = line.strip_prefix('[').or_else(|| line.strip_prefix("#[")) {
                table = name.trim_end_matches(']').to_owned();
                continue;
            }
            let Some(setting) = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')) else { continue };
            // Examples of values that are only names are no values.
            if table == "source.prod"
                || setting.contains("= \"CMD\"")
                || setting.contains("= \"FIELDS\"")
                || setting.contains("= \"EXPR\"")
                || setting.contains("only =")
            {
                continue;
            }
            let text = format!("[{table}]\n{setting}\n");
            let result = Config::parse(&text, Path::new("c.toml"));
            assert!(result.is_ok(), "{text}: {}", result.map(|_| ()).unwrap_err());
        }
    }
}
