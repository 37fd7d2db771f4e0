//! Themes by name: the user's own, and those inside the binary.

use std::path::PathBuf;

use crate::config::Config;
use crate::ui::theme::{Depth, Shade, Theme, ThemeError};

/// Where themes come from.
pub(super) struct Themes {
    /// The user's own.
    folder: Option<PathBuf>,
    depth: Depth,
}

impl Themes {
    pub(super) fn new(depth: Depth) -> Themes {
        Themes { folder: Config::themes(), depth }
    }

    /// Those that can be chosen: the user's own first.
    pub(super) fn names(&self) -> Vec<String> {
        let own = self.folder.as_deref().map(Theme::in_folder).unwrap_or_default();
        let built_in = Theme::names().map(str::to_owned).filter(|name| !own.contains(name));
        let mut names: Vec<String> = built_in.collect();
        names.splice(0..0, own);
        names
    }

    pub(super) fn load(&self, name: &str, shade: Option<Shade>) -> Result<Theme, ThemeError> {
        let own = self.folder.as_ref().map(|folder| folder.join(format!("{name}.toml")));
        match own.filter(|path| !name.contains(['/', '\\']) && path.is_file()) {
            Some(path) => Theme::load(&path.to_string_lossy(), shade, self.depth),
            None => Theme::load(name, shade, self.depth),
        }
    }
}
