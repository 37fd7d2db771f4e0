//! The configuration file: what a person tells flowtail once. Read at start, checked whole, and then handed to who needs it.
//!
//! Which file: `--config FILE`, else `$FLOWTAIL_CONFIG`, else `$XDG_CONFIG_HOME/flowtail/config.toml`, else `~/.config/flowtail/config.toml`. Only
//! the last two may be missing. An unknown key is an error with its place, since a typing error must not look like a setting.
//!
//! A table of the file has a field in `Layer`, where it is still text, a field in [`Config`], where it is checked, and a module here that
//! makes one of the other.

mod keys;
pub mod options;
mod page;
pub mod rules;
mod screen;
mod sets;

pub use page::print_config;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::app::keymap::Keys;
use crate::enrich::{Geo, Names};
use crate::filter::Sets;

/// Largest configuration that is read, bytes.
const LIMIT: u64 = 1 << 20;
/// Largest list of names that is read, bytes.
const NAMES_LIMIT: u64 = 128 << 20;
/// Largest database that is read, bytes: it is held as it is. Those of cities have some 130 MB.
const GEO_LIMIT: u64 = 512 << 20;

/// What is configured, checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file it came from; `None` where there is none.
    pub path: Option<PathBuf>,
    /// Named sets for filters and rules: `[sets]`.
    pub sets: Sets,
    /// The user's rules: `[rules]` and the folder `rules.d` beside the file.
    pub rules: rules::RuleFiles,
    /// The keys: `[keys]`.
    pub keys: Arc<Keys>,
    /// How the screen is arranged before anybody does it by hand: `[screen]`, as [`crate::app::App::with_arrangement`] reads it.
    pub screen: Vec<String>,
    /// Options of every command: `[defaults]`.
    pub defaults: Vec<options::Given>,
    /// Sources with names: `[source.NAME]`.
    pub sources: BTreeMap<String, options::Named>,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Layer {
    sets: BTreeMap<String, Spanned<Vec<Spanned<toml::Value>>>>,
    rules: rules::Written,
    keys: keys::Written,
    screen: screen::Written,
    defaults: options::Written,
    source: BTreeMap<Spanned<String>, options::Written>,
}

/// Why the configuration cannot be used: file, place, what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// Line and column in characters, both from 1, where it is a place in the text.
    pub place: Option<(usize, usize)>,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do; a sentence.
    pub hint: &'static str,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}. {}", self.message, self.hint)
    }
}

impl Config {
    /// Reads the configuration: the file `given` on the command line, or the one that is found. No file is no configuration.
    ///
    /// # Errors
    /// A file that was named and cannot be read, or one that is wrong.
    pub fn load(given: Option<&Path>) -> Result<Config, ConfigError> {
        let named = given.map(Path::to_owned).or_else(|| set("FLOWTAIL_CONFIG"));
        let must_exist = named.is_some();
        let Some(path) = named.or_else(default_path) else { return Ok(Config::default()) };
        match read(&path, LIMIT) {
            Ok(text) => Config::parse(&text, &path),
            // Rules need no configuration beside them.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => {
                Config::parse("", &path).map(|config| Config { path: None, ..config })
            }
            Err(error) => Err(ConfigError {
                path,
                place: None,
                message: format!("cannot read the configuration: {error}"),
                hint: "Check --config and FLOWTAIL_CONFIG, or leave them out.",
            }),
        }
    }

    /// The arguments of the command line, with the options of the configuration where they were not typed, and the name of a source in the place
    /// of what it stands for. What cannot be read or is wrong leaves them as they are: it is told once they are read.
    pub fn arguments(typed: Vec<OsString>) -> Vec<OsString> {
        let text = |word: &OsString| word.to_str().map(str::to_owned);
        let words: Vec<Option<String>> = typed.iter().map(text).collect();
        let named = words.iter().flatten().find_map(|word| word.strip_prefix("--config=").map(PathBuf::from));
        let after = words.iter().position(|word| word.as_deref() == Some("--config"));
        let named = named.or_else(|| after.and_then(|at| typed.get(at + 1)).map(PathBuf::from));
        let Ok(config) = Config::load(named.as_deref()) else { return typed };
        // The command is the first word that is none of an option.
        let skip = after.map(|at| at + 1);
        let at = (1..typed.len())
            .find(|at| Some(*at) != skip && !words[*at].as_deref().is_some_and(|word| word.starts_with('-')));
        let Some(at) = at else { return typed };
        let mut all = typed[..at].to_vec();
        let rest: Vec<OsString> = typed[at + 1..].to_vec();
        let name = words[at].as_deref().map(|word| word.strip_prefix('@').unwrap_or(word));
        match name.and_then(|name| config.sources.get(name)) {
            Some(source) => {
                let beside: Vec<OsString> =
                    typed[1..].iter().enumerate().filter(|(n, _)| n + 1 != at).map(|(_, word)| word.clone()).collect();
                all.truncate(1);
                all.extend(source.arguments(&beside, &config.defaults));
            }
            None if name.is_some_and(|name| options::COMMANDS.contains(&name)) => {
                all.push(typed[at].clone());
                all.extend(options::missing(config.defaults.iter(), &typed));
                all.extend(rest);
            }
            None => return typed,
        }
        all
    }

    /// The folder of themes, beside the configuration.
    pub fn themes() -> Option<PathBuf> {
        let path = set("FLOWTAIL_CONFIG").or_else(default_path)?;
        Some(path.with_file_name("themes"))
    }

    /// Reads and checks `text`, the contents of the file at `path`, to whose folder the paths in it belong.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
        let source = Source { text, path };
        let layer: Layer = toml::from_str(text).map_err(|error| {
            let message = error.message().trim_end_matches('.').to_owned();
            let name = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
            let hint = if name.is_some_and(options::is_one) {
                "Options stand under [defaults], or under [source.NAME] for one source."
            } else {
                "`flowtail --print-config` shows every key."
            };
            source.error(error.span().unwrap_or(0..0), message, hint)
        })?;
        Ok(Config {
            path: Some(path.to_owned()),
            sets: sets::read(&source, &layer.sets)?,
            rules: rules::read(&source, &layer.rules),
            keys: Arc::new(keys::read(&source, &layer.keys)?),
            screen: screen::read(&source, &layer.screen)?,
            defaults: options::defaults(&source, &layer.defaults)?,
            sources: options::sources(&source, &layer.source)?,
        })
    }
}

/// The text with its place in the world.
struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Source<'_> {
    fn error(&self, span: Range<usize>, message: impl Into<String>, hint: &'static str) -> ConfigError {
        let before = self.text.get(..span.start.min(self.text.len())).unwrap_or(self.text);
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        ConfigError {
            path: self.path.to_owned(),
            place: Some((before.matches('\n').count() + 1, before[line..].chars().count() + 1)),
            message: message.into(),
            hint,
        }
    }

    /// The same of an argument of the command line.
    fn placed(&self, written: OsString) -> OsString {
        written.to_str().map(|text| self.path_of(text).into_os_string()).unwrap_or(written)
    }

    /// The path that `written` means: `~/` is the home folder, and what is relative begins at the folder of the configuration.
    fn path_of(&self, written: &str) -> PathBuf {
        match (written.strip_prefix("~/"), set("HOME")) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.path.parent().unwrap_or(Path::new("")).join(written),
        }
    }
}

/// Reads a list of names.
///
/// # Errors
/// It cannot be read, or a line of it is none: the file, what is wrong and what to do.
pub fn names(path: &Path) -> Result<Names, String> {
    let text = read(path, NAMES_LIMIT)
        .map_err(|error| format!("{}: cannot read the names: {error}. Check the path", path.display()))?;
    Names::read(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Reads a database of countries or networks.
///
/// # Errors
/// It cannot be read, or is none: the file, what is wrong and what to do.
pub fn geo(path: &Path, geo: &mut Geo) -> Result<(), String> {
    let bytes = bytes(path, GEO_LIMIT)
        .map_err(|error| format!("{}: cannot read the database: {error}. Check the path", path.display()))?;
    geo.add(&path.display().to_string(), bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// The text of a file of at most `limit` bytes; what is not UTF-8 in it is replaced.
fn read(path: &Path, limit: u64) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&bytes(path, limit)?).into_owned())
}

fn bytes(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {} MiB", limit >> 20)));
    }
    Ok(bytes)
}

/// A path in the environment; one that is set and empty is not set.
fn set(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where the configuration is if nobody says otherwise. `XDG_CONFIG_HOME` counts where it is absolute, as its specification asks.
fn default_path() -> Option<PathBuf> {
    let folder = set("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("flowtail").join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_told_with_its_place() {
        let error = Config::parse("# mine\n[set]\noffice = []\n", Path::new("c.toml")).unwrap_err();
        assert_eq!(error.place.map(|(line, _)| line), Some(2));
        assert!(error.to_string().starts_with("c.toml:2:"), "{error}");
        assert!(error.to_string().contains("unknown field `set`"), "{error}");
        let error = Config::parse("sets = 5", Path::new("c.toml")).unwrap_err();
        assert!(error.to_string().contains("--print-config"), "{error}");
        let error = Config::parse("theme = \"dark\"", Path::new("c.toml")).unwrap_err();
        assert!(error.to_string().contains("under [defaults]"), "{error}");
        assert_eq!(Config::parse("", Path::new("c.toml")).unwrap().sets, Sets::default());
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let error = Config::load(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("cannot read") && error.contains("--config"), "{error}");
        std::fs::write(&path, "[sets]\nweb = [80, \"443\", '8000-8100']\n").unwrap();
        let config = Config::load(Some(&path)).unwrap();
        assert_eq!(config.sets.get("@web").unwrap().name, "@web");
        assert_eq!(config.path, Some(path));
    }
}
