//! `[sets]`: names for addresses and ports.
//!
//! ```toml
//! [sets]
//! office = ["203.0.113.0/24", "2001:db8::/32", "@file:vpn.txt"]
//! web = [80, 443, "8000-8100"]
//! ```

use std::collections::BTreeMap;

use toml::{Spanned, Value};

use super::{ConfigError, Source, read as read_file};
use crate::filter::Sets;
use crate::filter::members::Reader;

/// Largest list that is read, bytes: room for the most entries that a set may have, with remarks.
const LIST_LIMIT: u64 = 256 << 20;
/// How an entry begins that names a file.
const FILE: &str = "@file:";

const HINT: &str = "Entries are addresses, networks and ranges of addresses, or ports, or \"@file:PATH\".";

/// Reads every set.
pub(super) fn read(
    source: &Source<'_>,
    written: &BTreeMap<String, Spanned<Vec<Spanned<Value>>>>,
) -> Result<Sets, ConfigError> {
    let mut sets = Sets::default();
    for (name, entries) in written {
        let wrong = |message: String, hint| source.error(entries.span(), format!("set `{name}`: {message}"), hint);
        let mut reader = Reader::default();
        for entry in entries.get_ref() {
            let refuse = |message: String| source.error(entry.span(), format!("set `{name}`: {message}"), HINT);
            match entry.get_ref() {
                Value::String(text) => match text.strip_prefix(FILE) {
                    Some(path) => list(source, path, &mut reader)?,
                    None => reader.entry(text.trim()).map_err(refuse)?,
                },
                Value::Integer(port) => reader.entry(&port.to_string()).map_err(refuse)?,
                _ => return Err(refuse("an entry is a text or a port".to_owned())),
            }
        }
        let members = reader.finish().map_err(|why| wrong(why, HINT))?;
        sets.insert(name, members).map_err(|why| wrong(why, "Choose another name."))?;
    }
    Ok(sets)
}

/// Takes in the file at `path`, an entry a line. An error in it is told with the place in that file.
fn list(source: &Source<'_>, path: &str, reader: &mut Reader) -> Result<(), ConfigError> {
    let path = source.path_of(path);
    let text = read_file(&path, LIST_LIMIT).map_err(|error| ConfigError {
        path: path.clone(),
        place: None,
        message: format!("cannot read the list: {error}"),
        hint: "Check the path after \"@file:\"; it begins at the folder of the configuration.",
    })?;
    reader.list(&text).map_err(|bad| ConfigError {
        path,
        place: Some((bad.line, 1)),
        message: bad.message,
        hint: "A list has an address, a network or a range of addresses on each line; `#` and `;` begin remarks.",
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use crate::filter::{Filter, Members, Sets, Stage};

    fn sets(text: &str) -> Result<Sets, String> {
        let config = Config::parse(&format!("[sets]\n{text}\n"), Path::new("/nowhere/c.toml"));
        config.map(|config| config.sets).map_err(|error| error.to_string())
    }

    #[test]
    fn sets_are_read_and_filters_name_them() {
        let sets =
            sets("office = [\"203.0.113.0/24\", \"10/8\", '2001:db8::1-2001:db8::9']\nWeb_1 = [80, \"8000-8100\"]")
                .unwrap();
        let filter = Filter::parse_with("src in $office and dport in @web_1", Stage::Flows, &sets).unwrap();
        assert_eq!(filter.to_string(), "srcaddr in $office and dstport in @web_1");
        assert!(matches!(sets.get("$office").unwrap().members, Members::Addrs(set) if set.len() == 3));
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        for (text, says) in [
            ("a = [\"10/8\",\n \"10.0.0.300\"]", "c.toml:3:2: set `a`: 300 is above 255"),
            ("a = [\"host.example\"]", "neither an address nor a port"),
            ("a = [70000]", "c.toml:2:6: set `a`: `70000` is neither"),
            ("a = [true]", "a text or a port"),
            ("a = [80, \"10/8\"]", "addresses or ports, not both"),
            ("a = []", "c.toml:2:5: set `a`: the set is empty"),
            ("private = [\"10/8\"]", "built in"),
            ("\"9 x\" = [80]", "a letter, then letters"),
            ("a = 80", "c.toml:2:5: invalid type"),
            ("a = [\"@file:none.txt\"]", "/nowhere/none.txt: cannot read the list"),
        ] {
            let error = sets(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn lists_are_files_beside_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(folder.path().join("bad.txt"), "# feed\n1.2.3.4\n5.6.7.0/24 ; remark\n").unwrap();
        let text = "[sets]\nthreats = [\"@file:bad.txt\", \"9.9.9.9\"]\n";
        let config = Config::parse(text, &path).unwrap();
        let Some(Members::Addrs(set)) = config.sets.get("$threats").map(|set| set.members) else { panic!("a set") };
        assert!(set.contains("5.6.7.200".parse().unwrap()) && set.contains("9.9.9.9".parse().unwrap()));
        std::fs::write(folder.path().join("bad.txt"), "1.2.3.4\n\nnonsense\n").unwrap();
        let error = Config::parse(text, &path).unwrap_err();
        assert_eq!(error.place, Some((3, 1)));
        assert!(error.path.ends_with("bad.txt") && error.to_string().contains("`nonsense`"), "{error}");
    }
}
