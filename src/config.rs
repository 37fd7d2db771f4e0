//! The configuration file: what a person tells flowtail once. Read at start, checked whole, and then handed to who needs it.
//!
//! Which file: `--config FILE`, else `$FLOWTAIL_CONFIG`, else `$XDG_CONFIG_HOME/flowtail/config.toml`, else `~/.config/flowtail/config.toml`. Only
//! the last two may be missing. An unknown key is an error with its place, since a typing error must not look like a setting.
//!
//! A table of the file has a field in `Layer`, where it is still text, a field in [`Config`], where it is checked, and a module here that
//! makes one of the other.

pub mod rules;
mod sets;

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::filter::Sets;

/// Largest configuration that is read, bytes.
const LIMIT: u64 = 1 << 20;

/// What is configured, checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file it came from; `None` where there is none.
    pub path: Option<PathBuf>,
    /// Named sets for filters and rules: `[sets]`.
    pub sets: Sets,
    /// The user's rules: `[rules]` and the folder `rules.d` beside the file.
    pub rules: rules::RuleFiles,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Layer {
    sets: BTreeMap<String, Spanned<Vec<Spanned<toml::Value>>>>,
    rules: rules::Written,
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
            source.error(error.span().unwrap_or(0..0), message, "docs/configuration.md has every key.")
        })?;
        Ok(Config {
            path: Some(path.to_owned()),
            sets: sets::read(&source, &layer.sets)?,
            rules: rules::read(&source, &layer.rules),
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

    /// The path that `written` means: `~/` is the home folder, and what is relative begins at the folder of the configuration.
    fn path_of(&self, written: &str) -> PathBuf {
        match (written.strip_prefix("~/"), set("HOME")) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.path.parent().unwrap_or(Path::new("")).join(written),
        }
    }
}

/// The text of a file of at most `limit` bytes; what is not UTF-8 in it is replaced.
fn read(path: &Path, limit: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {} MiB", limit >> 20)));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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
        assert!(error.to_string().contains("docs/configuration.md"), "{error}");
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
