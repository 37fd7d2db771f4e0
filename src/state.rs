//! What is kept between runs: the filters that were typed and those saved on function keys, in their canonical spelling; and what is muted: rules,
//! and the addresses or names that their alerts were about; and how the screen was arranged: columns, times, panes. Nothing else that a log said is.
//!
//! A tail on the screen keeps them in `$XDG_STATE_HOME/flowtail` (`~/.local/state/flowtail`), unless `--no-state` is given; every other command only
//! where `--state` names a folder.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::{Command, Common};
use crate::detect::mute::{Mute, Mutes};

/// The files' names in the folder.
const FILTERS: &str = "filters";
const SAVED: &str = "saved";
const MUTED: &str = "muted";
const SCREEN: &str = "screen";
/// Most that is read of each, bytes; the app keeps 200 entries of 4 KiB at most.
const LIMIT: u64 = 1 << 20;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("--state {}: {source}. Name a folder that can be written, or leave the option out", .path.display())]
pub struct StateError {
    path: PathBuf,
    source: io::Error,
}

/// Where things are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
    /// Whether `--state` named it. What nobody asked for may fail without a word.
    asked: bool,
}

/// What was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Filters that were typed, oldest first.
    pub filters: Vec<String>,
    /// Filters on function keys.
    pub saved: Vec<(u8, String)>,
    /// What is muted.
    pub muted: Vec<Mute>,
    /// How the screen was arranged.
    pub screen: Vec<String>,
}

/// Where `command` on a screen keeps things, if it does.
pub fn place(command: &Command, common: &Common) -> Option<Place> {
    if common.no_state {
        return None;
    }
    if let Some(folder) = &common.state {
        return Some(Place { folder: folder.clone(), asked: true });
    }
    let tail = matches!(command, Command::Tail(_));
    let folder = if tail { usual(|name| std::env::var_os(name)) } else { None };
    folder.map(|folder| Place { folder, asked: false })
}

/// The usual folder, by the XDG base directory specification: a relative path counts as none.
fn usual(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(base.join("flowtail"))
}

impl Place {
    /// What earlier runs kept. A folder that is not there yet is made, for the user alone.
    ///
    /// # Errors
    /// `--state` names a folder that cannot be made or read.
    pub fn load(&self) -> Result<Kept, StateError> {
        let read = || -> io::Result<Kept> {
            make(&self.folder)?;
            let filters = lines(&self.folder.join(FILTERS))?;
            let saved = lines(&self.folder.join(SAVED))?;
            let muted = lines(&self.folder.join(MUTED))?;
            let screen = lines(&self.folder.join(SCREEN))?;
            let slot = |line: String| {
                let (key, text) = line.strip_prefix('F')?.split_once(' ')?;
                Some((key.parse().ok()?, text.to_owned()))
            };
            Ok(Kept {
                filters,
                saved: saved.into_iter().filter_map(slot).collect(),
                screen,
                muted: muted.iter().filter_map(|line| Mute::from_line(line)).collect(),
            })
        };
        match read() {
            Err(source) if self.asked => Err(StateError { path: self.folder.clone(), source }),
            // Nobody asked for it, so nobody is kept from working.
            kept => Ok(kept.unwrap_or_default()),
        }
    }

    /// Keeps filters. Each file is replaced whole, so that a run that is cut off leaves the old one.
    ///
    /// # Errors
    /// `--state` names a folder that cannot be written.
    pub fn save<'a>(
        &self,
        filters: impl Iterator<Item = &'a str>,
        saved: impl Iterator<Item = (u8, &'a str)>,
    ) -> Result<(), StateError> {
        // A filter is one line; what was pasted with line ends has spaces there.
        let line = |text: &str| text.replace(['\n', '\r'], " ");
        let filters: String = filters.map(|filter| line(filter) + "\n").collect();
        let saved: Vec<String> = saved.map(|(key, filter)| format!("F{key} {}\n", line(filter))).collect();
        let write =
            replace(&self.folder, FILTERS, &filters).and_then(|()| replace(&self.folder, SAVED, &saved.concat()));
        match write {
            Err(source) if self.asked => Err(StateError { path: self.folder.clone(), source }),
            _ => Ok(()),
        }
    }
}

impl Place {
    /// Keeps how the screen was arranged, as [`crate::app::App::arrangement`] says it.
    ///
    /// # Errors
    /// `--state` names a folder that cannot be written.
    pub fn save_screen(&self, arrangement: &str) -> Result<(), StateError> {
        match replace(&self.folder, SCREEN, arrangement) {
            Err(source) if self.asked => Err(StateError { path: self.folder.clone(), source }),
            _ => Ok(()),
        }
    }

    /// Keeps what is muted, at once: a run that is cut off must not bring back what somebody did not want to see.
    ///
    /// # Errors
    /// `--state` names a folder that cannot be written.
    pub fn save_mutes(&self, mutes: &Mutes) -> Result<(), StateError> {
        let text: String = mutes.iter().map(|mute| mute.to_line() + "\n").collect();
        match replace(&self.folder, MUTED, &text) {
            Err(source) if self.asked => Err(StateError { path: self.folder.clone(), source }),
            _ => Ok(()),
        }
    }
}

impl Place {
    /// The file of that name; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read, or has more than `limit` bytes.
    pub fn read(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match fs::File::open(self.file(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::other(format!("it has more than {limit} bytes")));
        }
        Ok(Some(bytes))
    }

    /// Replaces the file of that name, whole.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, name: &str, text: &str) -> io::Result<()> {
        make(&self.folder)?;
        replace(&self.folder, name, text)
    }

    /// Name of the file in which something of this `kind` is kept for what `key` names.
    pub fn name_for(kind: &str, key: &str) -> String {
        // FNV-1a: the same in every build. The file says for what it is, so two keys with one sum do no harm.
        let sum = key
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        format!("{kind}-{sum:016x}")
    }

    /// Where the file of that name is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn lines(path: &Path) -> io::Result<Vec<String>> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect())
}

fn replace(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let fresh = folder.join(format!("{name}.{}.new", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&fresh)?.write_all(text.as_bytes())?;
    fs::rename(&fresh, folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(folder: PathBuf) -> Place {
        Place { folder, asked: true }
    }

    #[test]
    fn what_was_kept_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let place = asked(folder.path().join("new"));
        assert_eq!(place.load().unwrap(), Kept::default());
        place.save(["port = 443", "udp\nand port = 53"].into_iter(), [(3, "port = 22")].into_iter()).unwrap();
        let kept = place.load().unwrap();
        assert_eq!(kept.filters, ["port = 443", "udp and port = 53"]);
        assert_eq!(kept.saved, [(3, "port = 22".to_owned())]);
        assert_eq!(fs::read_dir(&place.folder).unwrap().count(), 2, "nothing is left beside them");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&place.folder), mode(&place.folder.join(FILTERS))), (0o700, 0o600));
        }
    }

    #[test]
    fn a_folder_that_is_none_is_a_clear_error_if_it_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = asked(file.clone()).load().unwrap_err().to_string();
        assert!(error.contains("--state") && error.contains("leave the option out"), "{error}");
        let unasked = Place { folder: file, asked: false };
        assert_eq!(unasked.load().unwrap(), Kept::default());
        assert!(unasked.save(std::iter::empty(), std::iter::empty()).is_ok());
    }

    #[test]
    fn the_usual_folder_is_that_of_xdg() {
        let with = |state: Option<&str>, home: Option<&str>| {
            usual(|name| if name == "HOME" { home } else { state }.map(OsString::from))
        };
        assert_eq!(with(Some("/s"), Some("/h")), Some("/s/flowtail".into()));
        assert_eq!(with(Some("relative"), Some("/h")), Some("/h/.local/state/flowtail".into()));
        assert_eq!(with(None, None), None);
    }
}
