//! Themes by name: the user's own, and those inside the binary. A file of the user's that changes is taken up while the screen runs.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::config::Config;
use crate::ui::theme::{Depth, Shade, Theme, ThemeError};

/// Files of a folder that are watched.
const WATCHED: usize = 256;

/// A file as it was: where, when it was written, how long it is.
type Stamp = (PathBuf, Option<SystemTime>, u64);

/// Where themes come from.
pub(super) struct Themes {
    /// The user's own.
    folder: Option<PathBuf>,
    depth: Depth,
    /// Files that the theme in force may be made of, as they were when it was read.
    seen: Vec<Stamp>,
    /// The same as they were at the last look, where that differs: who writes a file may not be done with it.
    coming: Option<Vec<Stamp>>,
}

impl Themes {
    pub(super) fn new(depth: Depth) -> Themes {
        Themes { folder: Config::themes(), depth, seen: Vec::new(), coming: None }
    }

    /// Those that can be chosen: the user's own first.
    pub(super) fn names(&self) -> Vec<String> {
        let own = self.folder.as_deref().map(Theme::in_folder).unwrap_or_default();
        let built_in = Theme::names().map(str::to_owned).filter(|name| !own.contains(name));
        let mut names: Vec<String> = built_in.collect();
        names.splice(0..0, own);
        names
    }

    /// The theme of that name as its files are now.
    pub(super) fn load(&mut self, name: &str, shade: Option<Shade>) -> Result<Theme, ThemeError> {
        (self.seen, self.coming) = (self.stamps(name), None);
        let own = self.folder.as_ref().map(|folder| folder.join(format!("{name}.toml")));
        match own.filter(|path| !name.contains(['/', '\\']) && path.is_file()) {
            Some(path) => Theme::load(&path.to_string_lossy(), shade, self.depth),
            None => Theme::load(name, shade, self.depth),
        }
    }

    /// Whether the files of the theme called `name` have changed since it was loaded, and stay as they are.
    pub(super) fn changed(&mut self, name: &str) -> bool {
        let now = self.stamps(name);
        if now == self.seen {
            self.coming = None;
            return false;
        }
        let settled = self.coming.as_ref() == Some(&now);
        self.coming = Some(now);
        settled
    }

    /// The files that a theme may be made of: those of the user's folder, or those beside the file that it is.
    fn stamps(&self, name: &str) -> Vec<Stamp> {
        let folder = if name.contains(['/', '\\']) || Path::new(name).extension().is_some_and(|ext| ext == "toml") {
            Path::new(name).parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
        } else {
            self.folder.as_deref()
        };
        let Some(folder) = folder else { return Vec::new() };
        let stamp = |name: String| {
            let path = folder.join(format!("{name}.toml"));
            let (written, long) = std::fs::metadata(&path).map_or((None, 0), |data| (data.modified().ok(), data.len()));
            (path, written, long)
        };
        Theme::in_folder(folder).into_iter().take(WATCHED).map(stamp).collect()
    }
}
