//! `[defaults]` and `[source.NAME]`: options of the command line that are written down once. Their names, values and explanations are those of the
//! command line, so that there is one place where an option is defined.
//!
//! ```toml
//! [defaults]
//! theme = "light"
//!
//! [source.prod]
//! tail = "/vpc/flow-logs"
//! eni = ["eni-0536faba73134a9b7"]
//! since = "2h"
//! ```

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use clap::{ArgAction, CommandFactory as _, Parser as _};
use toml::{Spanned, Value};

use super::{ConfigError, Source};
use crate::cli::Cli;

const HINT: &str = "`flowtail --print-config` shows every key with what it means.";
/// Options that make no sense as a habit.
pub(super) const NOT_A_HABIT: [&str; 8] =
    ["config", "print-config", "print", "as", "case", "change", "help", "version"];
/// Commands that a source can be, each with the option that its own arguments come by.
pub(super) const COMMANDS: [&str; 4] = ["tail", "history", "open", "demo"];

/// Whether an option is called so that can be a habit.
pub(super) fn is_one(name: &str) -> bool {
    !NOT_A_HABIT.contains(&name) && Cli::command().get_arguments().any(|arg| arg.get_long() == Some(name))
}

/// A table of options as it is written.
pub(super) type Written = BTreeMap<Spanned<String>, Spanned<Value>>;

/// An option with its values, as arguments of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its long name.
    pub name: String,
    /// `--name value …`, or the switch alone.
    pub arguments: Vec<OsString>,
}

/// A source with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The command.
    pub command: &'static str,
    /// What the command is about: log groups, files.
    pub about: Vec<OsString>,
    /// Its options.
    pub options: Vec<Given>,
}

/// Options that hold for every command.
pub(super) fn defaults(source: &Source<'_>, written: &Written) -> Result<Vec<Given>, ConfigError> {
    let cli = Cli::command();
    let given = options(source, written, &cli)?;
    for (option, (key, _)) in given.iter().zip(written) {
        let Err(error) = Cli::try_parse_from(
            ["flowtail", "demo"].iter().map(OsString::from).chain(option.arguments.iter().cloned()),
        ) else {
            continue;
        };
        return Err(source.error(key.span(), first_line(&error), HINT));
    }
    Ok(given)
}

/// Sources by their names.
pub(super) fn sources(
    source: &Source<'_>,
    written: &BTreeMap<Spanned<String>, Written>,
) -> Result<BTreeMap<String, Named>, ConfigError> {
    let mut named = BTreeMap::new();
    let cli = Cli::command();
    for (name, table) in written {
        let plain = name.get_ref().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        let taken =
            cli.get_subcommands().any(|command| command.get_name() == name.get_ref()) || name.get_ref() == "help";
        if !plain || name.get_ref().starts_with('-') || taken {
            let why = if taken { "is a command already" } else { "cannot be typed as a command" };
            return Err(source.error(
                name.span(),
                format!("a source `{}` {why}", name.get_ref().escape_debug()),
                "Choose another name: letters, digits, - and _.",
            ));
        }
        let mut commands = table.iter().filter(|(key, _)| COMMANDS.contains(&key.get_ref().as_str()));
        let (Some((key, about)), None) = (commands.next(), commands.next()) else {
            let message = format!("source `{}` needs exactly one of tail, history, open and demo", name.get_ref());
            return Err(source.error(name.span(), message, "Write tail = \"LOG_GROUP\", or open = \"FILE\"."));
        };
        let Some(command) = COMMANDS.into_iter().find(|command| command == key.get_ref()) else { continue };
        let Some(definition) = cli.find_subcommand(command) else { continue };
        let rest: Written = table
            .iter()
            .filter(|(other, _)| other.get_ref() != command)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let mut known = cli.clone();
        known = known.args(definition.get_arguments().filter(|arg| !arg.is_positional()).cloned());
        let made = Named {
            command,
            about: match about.get_ref() {
                Value::Boolean(true) => Vec::new(),
                other => {
                    let about = texts(source, key, other, about.span())?;
                    let files = command == "open";
                    about
                        .into_iter()
                        .map(|text| if files && text != "-" { source.placed(text) } else { text })
                        .collect()
                }
            },
            options: options(source, &rest, &known)?,
        };
        let all = std::iter::once(OsString::from("flowtail")).chain(made.arguments(&[], &[]));
        if let Err(error) = Cli::try_parse_from(all) {
            return Err(source.error(
                name.span(),
                format!("source `{}`: {}", name.get_ref(), first_line(&error)),
                HINT,
            ));
        }
        named.insert(name.get_ref().clone(), made);
    }
    Ok(named)
}

impl Named {
    /// The arguments that it stands for. What the user typed beside its name comes last and takes the place of its options; `defaults` give way to both.
    pub fn arguments(&self, typed: &[OsString], defaults: &[Given]) -> Vec<OsString> {
        let mut all = vec![OsString::from(self.command)];
        all.extend(self.about.iter().cloned());
        let own = self.options.iter().filter(|option| !is_typed(option, typed));
        all.extend(own.flat_map(|option| option.arguments.iter().cloned()));
        let left = defaults.iter().filter(|option| !self.options.iter().any(|own| own.name == option.name));
        all.extend(missing(left, typed));
        all.extend(typed.iter().cloned());
        all
    }
}

/// The arguments of those options that were not typed.
pub(super) fn missing<'a>(options: impl Iterator<Item = &'a Given>, typed: &[OsString]) -> Vec<OsString> {
    options.filter(|option| !is_typed(option, typed)).flat_map(|option| option.arguments.iter().cloned()).collect()
}

fn is_typed(option: &Given, typed: &[OsString]) -> bool {
    let long = format!("--{}", option.name);
    let typed = |name: &str| {
        typed
            .iter()
            .filter_map(|word| word.to_str())
            .any(|word| word == name || word.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    };
    // These two exclude each other.
    typed(&long) || (option.name == "state" && typed("--no-state")) || (option.name == "no-state" && typed("--state"))
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").trim_end_matches('.').to_owned()
}

fn options(source: &Source<'_>, written: &Written, known: &clap::Command) -> Result<Vec<Given>, ConfigError> {
    let mut given = Vec::new();
    for (key, value) in written {
        let name = key.get_ref();
        let arg = known
            .get_arguments()
            .find(|arg| arg.get_long() == Some(name))
            .filter(|_| !NOT_A_HABIT.contains(&name.as_str()));
        let Some(arg) = arg else {
            return Err(source.error(key.span(), format!("there is no option `{}` here", name.escape_debug()), HINT));
        };
        let long = OsString::from(format!("--{name}"));
        let mut arguments = Vec::new();
        match (arg.get_action(), value.get_ref()) {
            (ArgAction::SetTrue, Value::Boolean(true)) => arguments.push(long),
            (ArgAction::SetTrue, Value::Boolean(false)) => {}
            (ArgAction::SetTrue, _) => {
                return Err(source.error(value.span(), format!("`{name}` is true or false"), HINT));
            }
            (action, value_of) => {
                let mut values = texts(source, key, value_of, value.span())?;
                // A path of the file begins at its folder, wherever somebody stands.
                if arg.get_value_parser().type_id() == clap::value_parser!(std::path::PathBuf).type_id() {
                    values = values.into_iter().map(|value| source.placed(value)).collect();
                }
                if values.len() != 1 && !matches!(action, ArgAction::Append) {
                    return Err(source.error(value.span(), format!("`{name}` takes one value"), HINT));
                }
                for value in values {
                    // Joined, so that a value that begins with a dash is one.
                    let mut argument = long.clone();
                    argument.push(OsStr::new("="));
                    argument.push(value);
                    arguments.push(argument);
                }
            }
        }
        given.push(Given { name: name.clone(), arguments });
    }
    Ok(given)
}

/// A value, or a list of them, as texts.
fn texts(
    source: &Source<'_>,
    key: &Spanned<String>,
    value: &Value,
    span: std::ops::Range<usize>,
) -> Result<Vec<OsString>, ConfigError> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(OsString::from(text)),
        Value::Integer(number) => Some(number.to_string().into()),
        Value::Float(number) => Some(number.to_string().into()),
        _ => None,
    };
    let all = match value {
        Value::Array(values) => values.iter().map(one).collect(),
        other => one(other).map(|text| vec![text]),
    };
    all.ok_or_else(|| source.error(span, format!("`{}` is a text, a number or a list of these", key.get_ref()), HINT))
}
