//! What a named set holds, and how it is read: entries of the configuration, and files of addresses and networks as threat lists are published.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::addrset::{AddrSet, merge};
use super::value;

/// Entries of one set; more are refused. At eight bytes an IPv4 range this is 32 MiB.
pub const MOST: usize = 4 << 20;

/// What a named set holds.
#[derive(Clone, Debug)]
pub enum Members {
    /// Addresses.
    Addrs(Arc<AddrSet>),
    /// Ports: sorted, disjoint ranges from the first to the second, both included.
    Ports(Arc<[(u64, u64)]>),
}

/// A large set is mostly compared with itself.
impl PartialEq for Members {
    fn eq(&self, other: &Members) -> bool {
        match (self, other) {
            (Members::Addrs(a), Members::Addrs(b)) => Arc::ptr_eq(a, b) || a == b,
            (Members::Ports(a), Members::Ports(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

/// Why a list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, without a full stop.
    pub message: String,
}

/// Members of a set that is being read.
#[derive(Debug, Default)]
pub struct Reader {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
    ports: Vec<(u64, u64)>,
}

impl Reader {
    /// Takes in one address, network, range of addresses, port or range of ports.
    ///
    /// # Errors
    /// Where it is none, or one too many: what is wrong, without a full stop.
    pub fn entry(&mut self, word: &str) -> Result<(), String> {
        if self.len() == MOST {
            return Err(format!("a set has at most {MOST} entries"));
        }
        // Most of a long list are single IPv4 addresses.
        if let Ok(address) = word.parse::<Ipv4Addr>() {
            self.v4.push((address.into(), address.into()));
            return Ok(());
        }
        match (value::addresses(word), value::ports(word)) {
            (Some(Ok((IpAddr::V4(from), IpAddr::V4(to)))), _) => self.v4.push((from.into(), to.into())),
            (Some(Ok((from, to))), _) => {
                let six = |address| match address {
                    IpAddr::V6(address) => u128::from(address),
                    IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
                };
                self.v6.push((six(from), six(to)));
            }
            (Some(Err(why)), _) => return Err(why),
            (None, Some(range)) => self.ports.push(range),
            (None, None) => return Err(format!("`{}` is neither an address nor a port", shown(word))),
        }
        Ok(())
    }

    /// Takes in a list, an entry a line. What follows the first word of a line is a remark, as is what follows `#` or `;`; empty lines are
    /// passed over.
    ///
    /// # Errors
    /// The first line that is no entry.
    pub fn list(&mut self, text: &str) -> Result<(), BadLine> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            let content = line.split(['#', ';']).next().unwrap_or_default();
            let word = content.split(|c: char| c.is_whitespace() || c == ',').find(|word| !word.is_empty());
            if let Some(word) = word {
                self.entry(word).map_err(|message| BadLine { line: index + 1, message })?;
            }
        }
        Ok(())
    }

    /// Entries so far.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len() + self.ports.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The set.
    ///
    /// # Errors
    /// Where there are no entries, or both addresses and ports: what is wrong, without a full stop.
    pub fn finish(self) -> Result<Members, String> {
        match (self.v4.is_empty() && self.v6.is_empty(), self.ports.is_empty()) {
            (true, true) => Err("the set is empty".to_owned()),
            (false, false) => Err("a set holds addresses or ports, not both".to_owned()),
            (false, true) => Ok(Members::Addrs(Arc::new(AddrSet::of(self.v4, self.v6)))),
            (true, false) => Ok(Members::Ports(Arc::from(merge(self.ports)))),
        }
    }
}

/// A word of somebody else's file in an error: its beginning, without what could harm a terminal.
fn shown(word: &str) -> String {
    word.chars().take(60).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Members, String> {
        let mut reader = Reader::default();
        reader.list(text).map_err(|bad| format!("{}: {}", bad.line, bad.message))?;
        reader.finish()
    }

    #[test]
    fn threat_lists_are_read_as_they_are_published() {
        let text = "\u{feff}# comment\r\n; Spamhaus DROP\r\n\r\n1.10.16.0/20 ; SBL256894\r\n5.188.10.7\tscanner\r\n2001:db8::/32 # six\n  9.9.9.9,malware,2026\n";
        let Ok(Members::Addrs(set)) = read(text) else { panic!("a list") };
        for inside in ["1.10.31.255", "5.188.10.7", "2001:db8::7", "9.9.9.9", "::ffff:9.9.9.9"] {
            assert!(set.contains(inside.parse().unwrap()), "{inside}");
        }
        assert!(!set.contains("1.10.32.0".parse().unwrap()));
        assert_eq!(set.len(), 4);
    }

    #[test]
    fn a_bad_line_is_told_with_its_number() {
        assert_eq!(read("1.2.3.4\n\nexample.com\n").unwrap_err(), "3: `example.com` is neither an address nor a port");
        assert_eq!(read("1.2.3.4\n1.2.3.4/33").unwrap_err(), "2: a prefix length is 0 to 32, not `33`");
        assert_eq!(
            read("x\u{1b}[31m\u{202e}").unwrap_err(),
            r"1: `x\u{1b}[31m\u{202e}` is neither an address nor a port"
        );
        assert_eq!(read("1.2.3.4\n443\n").unwrap_err(), "a set holds addresses or ports, not both");
        assert_eq!(read("# nothing\n").unwrap_err(), "the set is empty");
    }

    #[test]
    fn a_set_of_both_kinds_of_six_is_one() {
        let Ok(Members::Addrs(set)) = read("::ffff:10.0.0.0/104\n::1-::ffff:0:5") else { panic!("a set") };
        assert!(set.contains("10.255.0.1".parse().unwrap()) && set.contains("::2".parse().unwrap()));
    }
}
