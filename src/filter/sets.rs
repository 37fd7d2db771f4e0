//! Named sets: `$private`, `$public` and `$outside` from the IANA registries, `@amplification` from the table of amplifiers, and those of
//! the user's configuration. An address set is written with `$`, a port set with `@`; either sigil finds it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, LazyLock, OnceLock};

use super::addrset::{AddrSet, merge};
use super::lex::{Tok, lex};
use super::members::{Members, Reader};
use super::{FilterError, suggest, value};
use crate::record::amplification;
use crate::record::special::{
    DOCUMENTATION_V4, DOCUMENTATION_V6, PRIVATE_V4, PRIVATE_V6, REACHABLE_V4, REACHABLE_V6, SPECIAL_V4, SPECIAL_V6,
};

/// The built-in sets, by canonical name, with what they are.
pub const BUILTIN: &[(&str, &str)] = &[
    ("$private", "Addresses used inside networks: RFC 1918, RFC 6598, RFC 4193."),
    ("$public", "Addresses that the IANA special-purpose registries leave to the internet, both families."),
    (
        "$outside",
        "`$public` and the addresses for documentation (RFC 5737, RFC 3849, RFC 9637), which stand for it in logs that were made for others to see.",
    ),
    ("@amplification", "UDP ports of services that reflect and amplify."),
];

/// A named set and what it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedSet {
    /// The canonical name, with its sigil.
    pub name: String,
    /// What it holds.
    pub members: Members,
}

/// The sets that a filter may name: the built-in ones and the user's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sets {
    own: BTreeMap<String, Members>,
}

/// The sets of this run.
static KNOWN: OnceLock<Sets> = OnceLock::new();

impl Sets {
    /// Makes `sets` those that every filter of this run may name. Like the built-in tables they do not change while it runs: call it once, at
    /// start; later calls do nothing.
    pub fn install(sets: Sets) {
        let _ = KNOWN.set(sets);
    }

    /// The sets that were installed; before that, the built-in ones.
    pub fn known() -> &'static Sets {
        static BUILTIN_ONLY: Sets = Sets { own: BTreeMap::new() };
        KNOWN.get().unwrap_or(&BUILTIN_ONLY)
    }

    /// Adds a set of the user's: `values` is a comma list of addresses, networks and address ranges, or of ports and port ranges.
    /// `name` may carry a sigil. A set of that name is replaced.
    ///
    /// # Errors
    /// Where the name is built in or not made of letters, digits, `-` and `_`, or where a value is neither (the span is in `values`).
    pub fn define(&mut self, name: &str, values: &str) -> Result<(), FilterError> {
        let members = read_set(values)?;
        self.insert(name, members).map_err(|why| FilterError::new(0..0, format!("{why}.")))
    }

    /// Adds a set of the user's. `name` may carry a sigil. A set of that name is replaced.
    ///
    /// # Errors
    /// Where the name is built in or not made of letters, digits, `-` and `_`: why, without a full stop.
    pub fn insert(&mut self, name: &str, members: Members) -> Result<(), String> {
        let bare = name.trim_start_matches(['$', '@']).to_ascii_lowercase();
        let named = bare.starts_with(|c: char| c.is_ascii_alphabetic())
            && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !named {
            return Err("the name of a set is a letter, then letters, digits, `-` and `_`".to_owned());
        }
        if builtin(&bare).is_some() {
            return Err(format!("the set `{bare}` is built in and cannot be defined again"));
        }
        self.own.insert(bare, members);
        Ok(())
    }

    /// The set called `name`, with either sigil or none, in any case.
    pub fn get(&self, name: &str) -> Option<NamedSet> {
        let bare = name.trim_start_matches(['$', '@']).to_ascii_lowercase();
        if let Some((name, members)) = builtin(&bare) {
            return Some(NamedSet { name: name.to_owned(), members });
        }
        let (name, members) = self.own.get_key_value(&bare)?;
        Some(NamedSet { name: format!("{}{name}", sigil(members)), members: members.clone() })
    }

    /// Every name there is, with its sigil: built-in ones first.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        let own = self.own.iter().map(|(name, set)| format!("{}{name}", sigil(set)));
        BUILTIN.iter().map(|(name, _)| (*name).to_owned()).chain(own)
    }

    /// The name that `name` was probably meant for.
    pub(super) fn near(&self, name: &str) -> Option<String> {
        let names: Vec<String> = self.names().collect();
        suggest::nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
    }
}

fn sigil(set: &Members) -> char {
    if matches!(set, Members::Addrs(_)) { '$' } else { '@' }
}

fn builtin(bare: &str) -> Option<(&'static str, Members)> {
    static PRIVATE: LazyLock<Members> = LazyLock::new(|| Members::Addrs(Arc::new(prefixes(PRIVATE_V4, PRIVATE_V6))));
    static PUBLIC: LazyLock<Members> = LazyLock::new(|| Members::Addrs(Arc::new(public())));
    static OUTSIDE: LazyLock<Members> = LazyLock::new(|| Members::Addrs(Arc::new(outside())));
    static AMPLIFICATION: LazyLock<Members> = LazyLock::new(|| {
        let port = |row: &amplification::AmpPort| (u64::from(row.port), u64::from(row.port));
        Members::Ports(Arc::from(merge(amplification::amp_ports().iter().map(port).collect())))
    });
    Some(match bare {
        "private" => ("$private", PRIVATE.clone()),
        "public" => ("$public", PUBLIC.clone()),
        "outside" => ("$outside", OUTSIDE.clone()),
        "amplification" | "amp" => ("@amplification", AMPLIFICATION.clone()),
        _ => return None,
    })
}

fn prefixes(v4: &[(Ipv4Addr, u32)], v6: &[(Ipv6Addr, u32)]) -> AddrSet {
    let v4 = v4.iter().map(|(base, length)| {
        let mask = u32::MAX.checked_shr(*length).unwrap_or(0);
        (u32::from(*base) & !mask, u32::from(*base) | mask)
    });
    let v6 = v6.iter().map(|(base, length)| value::v6_prefix(*base, *length));
    AddrSet::of(v4.collect(), v6.collect())
}

/// What no registry entry takes away from the internet.
fn public() -> AddrSet {
    let private = prefixes(PRIVATE_V4, PRIVATE_V6);
    let special = prefixes(&[SPECIAL_V4, DOCUMENTATION_V4].concat(), &[SPECIAL_V6, DOCUMENTATION_V6].concat());
    let reachable = prefixes(REACHABLE_V4, REACHABLE_V6);
    let not_v4 = merge(private.v4().iter().chain(special.v4()).copied().collect());
    let not_v6 = merge(private.v6().iter().chain(special.v6()).copied().collect());
    let mut v4 = gaps(&not_v4, 0, u32::MAX, |value| value.wrapping_add(1), |value| value.wrapping_sub(1));
    let mut v6 = gaps(&not_v6, 0, u128::MAX, |value| value.wrapping_add(1), |value| value.wrapping_sub(1));
    v4.extend(reachable.v4());
    v6.extend(reachable.v6());
    AddrSet::of(v4, v6)
}

/// What stands for the internet.
fn outside() -> AddrSet {
    let (public, examples) = (public(), prefixes(DOCUMENTATION_V4, DOCUMENTATION_V6));
    let v4 = public.v4().iter().chain(examples.v4()).copied().collect();
    let v6 = public.v6().iter().chain(examples.v6()).copied().collect();
    AddrSet::of(v4, v6)
}

/// What lies between sorted, disjoint `ranges` from `least` to `most`.
fn gaps<T: Ord + Copy>(ranges: &[(T, T)], least: T, most: T, up: fn(T) -> T, down: fn(T) -> T) -> Vec<(T, T)> {
    let mut gaps = Vec::new();
    let mut next = Some(least);
    for (from, to) in ranges {
        if let Some(next) = next.filter(|next| next < from) {
            gaps.push((next, down(*from)));
        }
        next = (*to < most).then(|| up(*to));
    }
    gaps.extend(next.map(|next| (next, most)));
    gaps
}

fn read_set(values: &str) -> Result<Members, FilterError> {
    let (tokens, error) = lex(values);
    if let Some(error) = error {
        return Err(error);
    }
    let mut reader = Reader::default();
    for token in tokens {
        match token.tok {
            Tok::Word(word) => {
                reader
                    .entry(word)
                    .map_err(|why| FilterError::new(token.span, format!("Not a member of a set: {why}.")))?;
            }
            Tok::Comma => {}
            _ => return Err(FilterError::new(token.span, "A set is a list of addresses and networks, or of ports.")),
        }
    }
    reader.finish().map_err(|why| FilterError::new(0..values.len(), format!("Not a set: {why}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str) -> Arc<AddrSet> {
        match Sets::default().get(name) {
            Some(NamedSet { members: Members::Addrs(set), .. }) => set,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn public_is_what_the_registries_leave() {
        let (public, private) = (set("$public"), set("$private"));
        let yes =
            ["13.125.33.130", "1.1.1.1", "192.0.0.9", "223.255.255.255", "2600:1f18::1", "64:ff9b::1", "2001:20::1"];
        let no = [
            "10.0.0.1",
            "172.31.255.255",
            "100.127.0.1",
            "0.0.0.0",
            "127.0.0.1",
            "169.254.169.254",
            "192.0.0.8",
            "198.19.0.1",
            "203.0.113.7",
            "224.0.0.251",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2001:2::1",
            "2002::1",
            "3fff::1",
            "5f00::1",
            "100::1",
            "100:0:0:1::1",
            "::ffff:10.0.0.1",
        ];
        for address in yes {
            assert!(public.contains(address.parse().unwrap()), "{address}");
            assert!(!private.contains(address.parse().unwrap()), "{address}");
        }
        for address in no {
            assert!(!public.contains(address.parse().unwrap()), "{address}");
        }
        let outside = set("$outside");
        for address in yes.iter().chain(&no) {
            let address = address.parse().unwrap();
            assert_eq!(outside.contains(address), crate::record::special::is_outside(address), "{address}");
        }
        assert!(outside.contains("203.0.113.7".parse().unwrap()) && outside.contains("2001:db8::1".parse().unwrap()));
        assert!(public.contains("::ffff:8.8.8.8".parse().unwrap()));
        assert!(private.contains("172.16.0.178".parse().unwrap()) && private.contains("fd00::1".parse().unwrap()));
        assert!(
            !private.contains("172.32.0.0".parse().unwrap()) && !private.contains("169.254.169.254".parse().unwrap())
        );
    }

    #[test]
    fn own_sets_are_checked() {
        let mut sets = Sets::default();
        sets.define("$office", "198.51.100.0/24, 2001:db8::/32").unwrap();
        sets.define("web", "80,443,8000-8100").unwrap();
        assert_eq!(sets.get("$OFFICE").unwrap().name, "$office");
        let members = Members::Ports([(80, 80), (443, 443), (8000, 8100)].into());
        assert_eq!(sets.get("$web"), Some(NamedSet { name: "@web".to_owned(), members }));
        assert_eq!(sets.near("$ofice").as_deref(), Some("$office"));
        assert_eq!(sets.define("x", "10.0.0.0/8, nonsense").unwrap_err().span, 12..20);
        assert!(sets.define("x", "10.0.0.0/8, 80").is_err());
        assert!(sets.define("x", " ").is_err());
        assert!(sets.define("private", "80").is_err());
        assert!(sets.define("9x", "80").is_err());
    }
}
