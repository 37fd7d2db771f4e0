//! A list of names: `address-or-eni,name`, a pair a line.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::filter::Sets;
use crate::filter::members::Reader;

/// Most names that are kept.
const MOST: usize = 1 << 20;
/// Longest name, characters.
const LONGEST: usize = 100;

/// Names of addresses and interfaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    addresses: HashMap<IpAddr, Arc<str>>,
    interfaces: HashMap<Arc<str>, Arc<str>>,
}

/// Why a list of names cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}. Each line is an address or an interface, a comma, and its name")]
pub struct BadNames {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, without a full stop.
    pub message: String,
}

impl Names {
    /// Reads a list. Empty lines and those that begin with `#` are passed over, and so is a first line whose key is no address and no interface: a
    /// header. Values may stand in double quotes; further columns are passed over. A key that comes again has its last name.
    ///
    /// # Errors
    /// The first line that is no pair.
    pub fn read(text: &str) -> Result<Names, BadNames> {
        let mut names = Names::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut first = true;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |message: String| BadNames { line: index + 1, message };
            let header = std::mem::take(&mut first);
            let (key, rest) = value(line);
            let name: String = rest.map(|rest| value(rest).0).unwrap_or_default().chars().take(LONGEST).collect();
            let address = key.parse::<IpAddr>().ok().map(|address| address.to_canonical());
            let interface = key.starts_with("eni-").then(|| Arc::<str>::from(key.as_str()));
            if address.is_none() && interface.is_none() {
                if header {
                    continue;
                }
                let shown: String = key.escape_debug().take(40).collect();
                return Err(bad(format!("`{shown}` is no address and no interface")));
            }
            if name.is_empty() {
                return Err(bad(format!("{key} has no name")));
            }
            if names.len() == MOST {
                return Err(bad(format!("a list has at most {MOST} names")));
            }
            let name: Arc<str> = name.into();
            if let Some(address) = address {
                names.addresses.insert(address, name);
            } else if let Some(interface) = interface {
                names.interfaces.insert(interface, name);
            }
        }
        Ok(names)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.addresses.len() + self.interfaces.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.interfaces.is_empty()
    }

    /// The name of an address. It comes from a file: whoever writes it to a terminal cleans it.
    pub fn address(&self, address: IpAddr) -> Option<&str> {
        self.addresses.get(&address).map(AsRef::as_ref)
    }

    /// The name of an interface.
    pub fn interface(&self, id: &str) -> Option<&str> {
        self.interfaces.get(id).map(AsRef::as_ref)
    }

    /// The interfaces of that name, whatever the case of its letters.
    pub fn interfaces_named(&self, wanted: &str) -> impl Iterator<Item = &str> {
        let same = move |name: &str| name.eq_ignore_ascii_case(wanted);
        self.interfaces.iter().filter(move |(_, name)| same(name)).map(|(id, _)| &**id)
    }

    /// The addresses of that name, the same way.
    pub fn addresses_named(&self, wanted: &str) -> impl Iterator<Item = IpAddr> {
        let same = move |name: &str| name.eq_ignore_ascii_case(wanted);
        self.addresses.iter().filter(move |(_, name)| same(name)).map(|(address, _)| *address)
    }

    /// Makes every name of addresses a set, so that `ip in $web-1` works. What a set's name cannot have is a `-` in it; a set that is there already stays.
    /// Gives how many were made.
    pub fn define(&self, sets: &mut Sets) -> usize {
        let mut by_name: HashMap<String, Reader> = HashMap::new();
        for (address, name) in &self.addresses {
            let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
            let set: String = name.chars().map(plain).collect();
            // An address is always an entry, and a set with room for all.
            let _ = by_name.entry(set).or_default().entry(&address.to_string());
        }
        let mut made = 0;
        for (name, reader) in by_name {
            if sets.get(&name).is_none()
                && let Ok(members) = reader.finish()
                && sets.insert(&name, members).is_ok()
            {
                made += 1;
            }
        }
        made
    }
}

/// The first value of a line of CSV, and what follows its comma.
fn value(line: &str) -> (String, Option<&str>) {
    let Some(quoted) = line.trim_start().strip_prefix('"') else {
        return match line.split_once(',') {
            Some((value, rest)) => (value.trim().to_owned(), Some(rest)),
            None => (line.trim().to_owned(), None),
        };
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            value.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == '"') {
            value.push('"');
            chars.next();
        } else {
            return (value, quoted[at + 1..].split_once(',').map(|(_, rest)| rest));
        }
    }
    (value, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_with_header_quotes_and_remarks() {
        let text = "\u{feff}address-or-eni,name\n# mine\n\n172.16.0.178, cache \n\"2001:db8::1\",\"a \"\"b\"\", c\",more\neni-1,fw\n::ffff:10.0.0.1,ten\r\n";
        let names = Names::read(text).unwrap();
        assert_eq!(names.len(), 4);
        assert_eq!(names.address("172.16.0.178".parse().unwrap()), Some("cache"));
        assert_eq!(names.address("2001:db8::1".parse().unwrap()), Some("a \"b\", c"));
        assert_eq!(names.address("10.0.0.1".parse().unwrap()), Some("ten"));
        assert_eq!(names.interface("eni-1"), Some("fw"));
        assert_eq!(names.interface("eni-2"), None);
        assert!(Names::read("").unwrap().is_empty());
    }

    #[test]
    fn a_line_that_is_no_pair_is_told_with_its_number() {
        for (text, says) in [
            ("10.0.0.1,a\nweb,b\n", "line 2: `web` is no address"),
            ("10.0.0.1\n", "line 1: 10.0.0.1 has no name"),
            ("10.0.0.1,a\n\u{1b}[2J,x\n", "line 2: `\\u{1b}[2J`"),
            ("10.0.0.1,\"\"\n", "has no name"),
        ] {
            let error = Names::read(text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn names_are_sets() {
        let names = Names::read("10.0.0.1,Web 1\n10.0.0.2,Web 1\n10.0.0.3,private\n10.0.0.4,9x\n").unwrap();
        let mut sets = Sets::default();
        assert_eq!(names.define(&mut sets), 1, "what is built in stays, and a set begins with a letter");
        let crate::filter::members::Members::Addrs(set) = sets.get("$web-1").unwrap().members else {
            panic!("no addresses")
        };
        assert!(set.contains("10.0.0.2".parse().unwrap()) && !set.contains("10.0.0.3".parse().unwrap()));
    }
}
