//! `[rules]` and `rules.d/*.toml`: the rules of the user over those that are built in.
//!
//! ```toml
//! [rules]
//! disable = ["NEW-*"]
//! enable = ["SCAN-SLOW"]
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, Source, read as read_file};
use crate::detect::{Rule, RuleError, Rules};

/// Largest file of rules that is read, bytes.
const LIMIT: u64 = 4 << 20;
/// Most files that the folder may have.
const FILES: usize = 256;
/// What to do about a name that no rule has.
const HINT: &str = "`flowtail rules list` shows the ids; `*` at the end stands for any ending.";

/// `[rules]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Written {
    only: Option<Vec<Spanned<String>>>,
    enable: Vec<Spanned<String>>,
    disable: Vec<Spanned<String>>,
}

/// An id or the beginning of ids, with what is said where no rule is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    id: String,
    unknown: ConfigError,
}

impl Named {
    fn means(&self, rule: &Rule) -> bool {
        match self.id.strip_suffix('*') {
            Some(head) => rule.id.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head)),
            None => rule.id.eq_ignore_ascii_case(&self.id),
        }
    }
}

/// Where the user's rules are, and what the configuration switches on and off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleFiles {
    /// The folder `rules.d`, which need not be there.
    pub folder: Option<PathBuf>,
    only: Option<Vec<Named>>,
    enable: Vec<Named>,
    disable: Vec<Named>,
}

/// Why the user's rules cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesFault {
    /// A rule is wrong; the error has its place.
    #[error("{0}. `flowtail rules check FILE` reads it again; docs/rules.md has every key")]
    Rule(#[from] RuleError),
    /// `[rules]` names a rule that is not there.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder or a file in it cannot be read.
    #[error("{}: cannot read the rules: {why}. Check that it can be read, or move it out of rules.d", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
}

/// What the files were when they were looked at: their names, sizes and times.
pub type Stamp = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

pub(super) fn read(source: &Source<'_>, written: &Written) -> RuleFiles {
    let list = |written: &[Spanned<String>]| {
        let named = |entry: &Spanned<String>| {
            let id = entry.get_ref().trim().to_owned();
            let unknown =
                source.error(entry.span(), format!("[rules]: no rule is called `{}`", id.escape_debug()), HINT);
            Named { id, unknown }
        };
        written.iter().map(named).collect::<Vec<_>>()
    };
    RuleFiles {
        folder: folder(source.path),
        only: written.only.as_deref().map(list),
        enable: list(&written.enable),
        disable: list(&written.disable),
    }
}

/// The folder of rules that belongs to the configuration at `config`.
pub(super) fn folder(config: &Path) -> Option<PathBuf> {
    Some(config.parent()?.join("rules.d"))
}

/// Reads a file of rules.
///
/// # Errors
/// It cannot be read.
pub fn text_of(path: &Path) -> Result<String, RulesFault> {
    read_file(path, LIMIT).map_err(|error| RulesFault::Unreadable { path: path.to_owned(), why: error.to_string() })
}

impl RuleFiles {
    /// The files, in the order in which they are read: that of their names.
    ///
    /// # Errors
    /// The folder is there and cannot be read.
    pub fn paths(&self) -> Result<Vec<PathBuf>, RulesFault> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let wrong = |why: String| RulesFault::Unreadable { path: folder.clone(), why };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| wrong(error.to_string()))?.path();
            // What editors leave beside a file while they write it begins with a dot.
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if path.extension().is_some_and(|end| end == "toml") && !hidden {
                paths.push(path);
            }
            if paths.len() > FILES {
                return Err(wrong(format!("more than {FILES} files")));
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// What the files are now, to see whether they changed. What cannot be looked at is a state like any other.
    pub fn stamp(&self) -> Stamp {
        let of = |path: PathBuf| {
            let stamp = std::fs::metadata(&path).ok().and_then(|about| Some((about.modified().ok()?, about.len())));
            (path, stamp)
        };
        self.paths().unwrap_or_default().into_iter().map(of).collect()
    }

    /// The rules that are built in with the user's over them.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn load(&self) -> Result<Rules, RulesFault> {
        let mut rules = Rules::builtin()?;
        for path in self.paths()? {
            rules.overlay(&text_of(&path)?, &path.display().to_string())?;
        }
        for named in self.only.iter().flatten().chain(&self.enable).chain(&self.disable) {
            if !rules.iter().any(|rule| named.means(rule)) {
                return Err(named.unknown.clone().into());
            }
        }
        let among = |list: &[Named], rule: &Rule| list.iter().any(|named| named.means(rule));
        rules.switch(|rule| {
            if among(&self.disable, rule) || self.only.as_ref().is_some_and(|only| !among(only, rule)) {
                return Some(false);
            }
            (among(&self.enable, rule) || self.only.is_some()).then_some(true)
        });
        Ok(rules)
    }
}

/// The user's files of rules as they change.
#[derive(Debug)]
pub struct Watch {
    files: RuleFiles,
    /// What was put in force or refused, and what was seen last.
    known: Stamp,
    seen: Stamp,
}

impl Watch {
    /// Watches `files`, which have been loaded as they are.
    pub fn new(files: RuleFiles) -> Watch {
        let known = files.stamp();
        Watch { seen: known.clone(), known, files }
    }

    /// The rules, if the files changed and then stayed the same from one look to the next: an editor may be in the middle of writing.
    pub fn look(&mut self) -> Option<Result<Rules, RulesFault>> {
        let now = self.files.stamp();
        let settled = now == self.seen;
        self.seen = now;
        if !settled || self.seen == self.known {
            return None;
        }
        self.known.clone_from(&self.seen);
        Some(self.files.load())
    }

    /// What can be tried over records: every file of the user's, and each built-in rule that is off.
    pub fn offered(&self) -> Vec<(String, Result<Rules, String>)> {
        let base = match self.files.load().or_else(|_| Rules::builtin().map_err(RulesFault::from)) {
            Ok(base) => base,
            Err(fault) => return vec![("rules".to_owned(), Err(fault.to_string()))],
        };
        let mut offered = Vec::new();
        for path in self.files.paths().unwrap_or_default() {
            let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.display().to_string());
            let tried = || -> Result<Rules, RulesFault> {
                let mut rules = base.clone();
                let about = rules.overlay(&text_of(&path)?, &path.display().to_string())?;
                rules.keep(&about);
                rules.switch(|_| Some(true));
                Ok(rules)
            };
            let rules = tried().map_err(|fault| fault.to_string());
            if rules.as_ref().map_or(true, |rules| rules.iter().next().is_some()) {
                offered.push((name, rules));
            }
        }
        for rule in base.iter().filter(|rule| !rule.enabled && rule.waits_for.is_none()) {
            let mut rules = base.clone();
            rules.keep(std::slice::from_ref(&rule.id));
            rules.switch(|_| Some(true));
            offered.push((rule.title.to_string(), Ok(rules)));
        }
        offered
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use crate::detect::Rule;

    fn loaded(rules: &[(&str, &str)], config: &str) -> Result<crate::detect::Rules, String> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("rules.d")).unwrap();
        for (name, text) in rules {
            std::fs::write(home.path().join("rules.d").join(name), text).unwrap();
        }
        let config = Config::parse(config, &home.path().join("config.toml")).map_err(|error| error.to_string())?;
        config.rules.load().map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_switches_changes_and_adds() {
        let whole =
            crate::detect::Rules::builtin().unwrap().get("AMP-PROBE").unwrap().text.replace("AMP-PROBE", "MY-OWN");
        let rules = loaded(
            &[
                (
                    "a.toml",
                    "[[rule]]\nid = \"VOL-LARGE\"\nenabled = false\n\n[[rule]]\nid = \"AMP-PROBE\"\nlevel = \"low\"\n",
                ),
                ("b.toml", &whole),
                ("c.toml", "[[rule]]\nid = \"AMP-PROBE\"\ncondition = 'count() >= 5'\n"),
                (".b.toml.swp", "no rule"),
                ("notes.txt", "no rule"),
            ],
            "",
        )
        .unwrap();
        assert!(!rules.get("VOL-LARGE").unwrap().enabled);
        let probe = rules.get("AMP-PROBE").unwrap();
        assert_eq!(probe.level.as_str(), "low", "one change does not take back the other");
        assert!(probe.text.contains("count() >= 5") && probe.tests.is_empty(), "{}", probe.text);
        assert!(
            probe.origin.starts_with("built in, changed in ") && probe.origin.ends_with("c.toml"),
            "{}",
            probe.origin
        );
        assert!(rules.get("MY-OWN").unwrap().origin.ends_with("b.toml"));
        assert_eq!(&*rules.get("AMP-EXPOSED").unwrap().origin, "built in");
    }

    #[test]
    fn every_built_in_rule_can_be_changed_and_means_the_same() {
        let builtin = crate::detect::Rules::builtin().unwrap();
        for rule in builtin.iter() {
            let changed = loaded(&[("a.toml", &format!("[[rule]]\nid = \"{}\"\ntags = []\n", rule.id))], "").unwrap();
            let same = changed.get(&rule.id).unwrap();
            let mut same = Rule::clone(same);
            (same.text, same.origin, same.tags) = (rule.text.clone(), rule.origin.clone(), rule.tags.clone());
            assert_eq!(format!("{same:?}"), format!("{:?}", **rule), "{}", rule.id);
        }
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        for (text, says) in [
            (
                "\n[[rule]]\nid = \"AMP-PROBE\"\ncondition = 'count( >= 5'\n",
                "a.toml:4:13: rule AMP-PROBE: with this change",
            ),
            ("[[rule]]\nid = \"AMP-PROBE\"\nlevl = \"low\"\n", "a.toml:3:8: rule AMP-PROBE: a rule has no key `levl`"),
            ("[[rule]]\nid = \"NOBODY\"\nenabled = false\n", "a.toml:1:1: missing field `title`"),
            ("[[rule]]\nid = \"AMP-PROBE\"\n[[rule]]\nid = \"AMP-PROBE\"\n", "used twice"),
            ("rule = 5", "a.toml:1:8"),
        ] {
            let error = loaded(&[("a.toml", text)], "").unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        let error = loaded(&[], "[rules]\ndisable = [\"AMP-*\",\n \"AMP-PROB\"]").unwrap_err();
        assert!(error.contains("config.toml:3:2: [rules]: no rule is called `AMP-PROB`"), "{error}");
        assert!(Config::parse("[rules]\ndisabled = []", Path::new("c.toml")).is_err());
    }

    #[test]
    fn the_configuration_switches_rules() {
        let on = |config: &str| {
            let rules = loaded(&[], config).unwrap();
            rules.iter().filter(|rule| rule.enabled).map(|rule| rule.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(on("[rules]\nonly = [\"amp-probe\"]"), ["AMP-PROBE"]);
        assert!(!on("[rules]\ndisable = [\"AMP-*\"]").iter().any(|id| id.starts_with("AMP-")));
        let off = crate::detect::Rules::builtin().unwrap();
        let off = off.iter().find(|rule| !rule.enabled && rule.waits_for.is_none()).unwrap();
        assert!(on(&format!("[rules]\nenable = [\"{}\"]", off.id)).contains(&off.id.to_string()));
        for waits in crate::detect::Rules::builtin().unwrap().iter().filter(|rule| rule.waits_for.is_some()) {
            assert!(!on("[rules]\nonly = [\"*\"]").contains(&waits.id.to_string()), "{} has no set", waits.id);
        }
    }
}
