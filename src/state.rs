//! What is kept between runs, in the folder of `--state`: the filters that were applied, one a line, oldest first. Nothing else is, and nothing
//! without the option.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The file's name in the folder.
const FILTERS: &str = "filters";
/// Most that is read of it, bytes; the app keeps 200 entries of 4 KiB at most.
const LIMIT: u64 = 1 << 20;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("--state {}: {source}. Name a folder that can be written, or leave the option out", .path.display())]
pub struct StateError {
    path: PathBuf,
    source: io::Error,
}

/// The filters of earlier runs, oldest first. A folder that is not there yet is made.
///
/// # Errors
/// The folder cannot be made or the file cannot be read.
pub fn load(folder: &Path) -> Result<Vec<String>, StateError> {
    let fail = |source| StateError { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(fail)?;
    let file = match fs::File::open(folder.join(FILTERS)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).map_err(fail)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect())
}

/// Keeps `filters`, oldest first. The file is replaced whole, so that a run that is cut off leaves the old one.
///
/// # Errors
/// The folder cannot be written.
pub fn save<'a>(folder: &Path, filters: impl Iterator<Item = &'a str>) -> Result<(), StateError> {
    // A filter is one line; what was pasted with line ends has spaces there.
    let text: String = filters.map(|filter| filter.replace(['\n', '\r'], " ") + "\n").collect();
    let fresh = folder.join(format!("{FILTERS}.{}.new", std::process::id()));
    fs::write(&fresh, text)
        .and_then(|()| fs::rename(&fresh, folder.join(FILTERS)))
        .map_err(|source| StateError { path: folder.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        assert_eq!(load(&path).unwrap(), Vec::<String>::new());
        save(&path, ["port 443", "udp\nand 53"].into_iter()).unwrap();
        assert_eq!(load(&path).unwrap(), ["port 443", "udp and 53"]);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_folder_that_is_none_is_a_clear_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = load(&file).unwrap_err().to_string();
        assert!(error.contains("--state") && error.contains("leave the option out"), "{error}");
    }
}
