//! Named sets: `$private` and `$public` from the IANA registries, `@amplification` from the table of amplifiers, and those of
//! the user's configuration. An address set is written with `$`, a port set with `@`; either sigil finds it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lex::{Tok, lex};
use super::{FilterError, suggest, value};
use crate::record::amplification;
use crate::record::special::{PRIVATE_V4, PRIVATE_V6, REACHABLE_V4, REACHABLE_V6, SPECIAL_V4, SPECIAL_V6};

/// The built-in sets, by canonical name, with what they are.
pub const BUILTIN: &[(&str, &str)] = &[
    ("$private", "Addresses used inside networks: RFC 1918, RFC 6598, RFC 4193."),
    ("$public", "Addresses that the IANA special-purpose registries leave to the internet, both families."),
    ("@amplification", "UDP ports of services that reflect and amplify."),
];

/// A set of addresses of both families as sorted, disjoint ranges. IPv4 in IPv6 counts as IPv4.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AddrSet {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl AddrSet {
    /// The union of `ranges`, each from its first to its last address.
    pub(super) fn new(ranges: impl IntoIterator<Item = (IpAddr, IpAddr)>) -> AddrSet {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for range in ranges {
            match range {
                (IpAddr::V4(from), IpAddr::V4(to)) => v4.push((u32::from(from), u32::from(to))),
                (IpAddr::V6(from), IpAddr::V6(to)) => v6.push((u128::from(from), u128::from(to))),
                _ => {}
            }
        }
        AddrSet { v4: merge(v4), v6: merge(v6) }
    }

    /// Whether `address` is in it.
    #[inline]
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => within(&self.v4, u32::from(address)),
            IpAddr::V6(address) => within(&self.v6, u128::from(address)),
        }
    }

    /// Its ranges, IPv4 first.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (IpAddr, IpAddr)> + '_ {
        let v4 = self.v4.iter().map(|(from, to)| (Ipv4Addr::from(*from).into(), Ipv4Addr::from(*to).into()));
        let v6 = self.v6.iter().map(|(from, to)| (Ipv6Addr::from(*from).into(), Ipv6Addr::from(*to).into()));
        v4.chain(v6)
    }
}

/// Sorts ranges and joins those that touch or overlap.
pub(super) fn merge<T: Ord + Copy>(mut ranges: Vec<(T, T)>) -> Box<[(T, T)]> {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged.into_boxed_slice()
}

/// Whether one of the sorted, disjoint `ranges` holds `value`.
#[inline]
pub(super) fn within<T: Ord + Copy>(ranges: &[(T, T)], value: T) -> bool {
    if ranges.len() <= 4 {
        return ranges.iter().any(|(from, to)| *from <= value && value <= *to);
    }
    let after = ranges.partition_point(|(from, _)| *from <= value);
    after > 0 && value <= ranges[after - 1].1
}

/// A named set and what it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedSet {
    /// The canonical name, with its sigil.
    pub name: String,
    /// What it holds.
    pub members: Members,
}

/// What a named set holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Members {
    /// Addresses: ranges from the first to the second, both included, each of one family.
    Addrs(Vec<(IpAddr, IpAddr)>),
    /// Ports: ranges from the first to the second, both included.
    Ports(Vec<(u64, u64)>),
}

/// The sets that a filter may name: the built-in ones and the user's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sets {
    own: BTreeMap<String, Members>,
}

impl Sets {
    /// Adds a set of the user's: `values` is a comma list of addresses, networks and address ranges, or of ports and port ranges.
    /// `name` may carry a sigil. A set of that name is replaced.
    ///
    /// # Errors
    /// Where the name is built in or not made of letters, digits, `-` and `_`, or where a value is neither (the span is in `values`).
    pub fn define(&mut self, name: &str, values: &str) -> Result<(), FilterError> {
        let bare = name.trim_start_matches(['$', '@']).to_ascii_lowercase();
        let named = bare.starts_with(|c: char| c.is_ascii_alphabetic())
            && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !named {
            let message = format!("`{name}` cannot name a set: a name is a letter, then letters, digits, `-` and `_`.");
            return Err(FilterError::new(0..0, message));
        }
        if builtin(&bare).is_some() {
            return Err(FilterError::new(0..0, format!("`{name}` is built in and cannot be defined again.")));
        }
        let set = read_set(values)?;
        self.own.insert(bare, set);
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
    Some(match bare {
        "private" => ("$private", Members::Addrs(prefixes(PRIVATE_V4, PRIVATE_V6).ranges().collect())),
        "public" => ("$public", Members::Addrs(public().ranges().collect())),
        "amplification" | "amp" => {
            let port = |row: &amplification::AmpPort| (u64::from(row.port), u64::from(row.port));
            ("@amplification", Members::Ports(amplification::amp_ports().iter().map(port).collect()))
        }
        _ => return None,
    })
}

fn prefixes(v4: &[(Ipv4Addr, u32)], v6: &[(Ipv6Addr, u32)]) -> AddrSet {
    let v4 = v4.iter().map(|(base, length)| {
        let mask = u32::MAX.checked_shr(*length).unwrap_or(0);
        (u32::from(*base) & !mask, u32::from(*base) | mask)
    });
    let v6 = v6.iter().map(|(base, length)| value::v6_prefix(*base, *length));
    AddrSet { v4: merge(v4.collect()), v6: merge(v6.collect()) }
}

/// What no registry entry takes away from the internet.
fn public() -> AddrSet {
    let private = prefixes(PRIVATE_V4, PRIVATE_V6);
    let special = prefixes(SPECIAL_V4, SPECIAL_V6);
    let reachable = prefixes(REACHABLE_V4, REACHABLE_V6);
    let not_v4 = merge(private.v4.iter().chain(&special.v4).copied().collect());
    let not_v6 = merge(private.v6.iter().chain(&special.v6).copied().collect());
    let mut v4 = gaps(&not_v4, 0, u32::MAX, |value| value.wrapping_add(1), |value| value.wrapping_sub(1));
    let mut v6 = gaps(&not_v6, 0, u128::MAX, |value| value.wrapping_add(1), |value| value.wrapping_sub(1));
    v4.extend(&reachable.v4);
    v6.extend(&reachable.v6);
    AddrSet { v4: merge(v4), v6: merge(v6) }
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
    let (mut addrs, mut ports) = (Vec::new(), Vec::new());
    for token in tokens {
        let Tok::Word(word) = token.tok else {
            if token.tok == Tok::Comma {
                continue;
            }
            return Err(FilterError::new(token.span, "A set is a list of addresses and networks, or of ports."));
        };
        match (value::addresses(word), value::ports(word)) {
            (Some(Ok(range)), _) => addrs.push(range),
            (Some(Err(why)), _) => return Err(FilterError::new(token.span, format!("Not an address: {why}."))),
            (None, Some(range)) => ports.push(range),
            (None, None) => {
                return Err(FilterError::new(token.span, format!("`{word}` is neither an address nor a port.")));
            }
        }
    }
    match (addrs.is_empty(), ports.is_empty()) {
        (false, true) => Ok(Members::Addrs(addrs)),
        (true, false) => Ok(Members::Ports(ports)),
        (true, true) => Err(FilterError::new(0..values.len(), "An empty set.")),
        (false, false) => Err(FilterError::new(0..values.len(), "A set holds addresses or ports, not both.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str) -> AddrSet {
        match Sets::default().get(name) {
            Some(NamedSet { members: Members::Addrs(ranges), .. }) => AddrSet::new(ranges),
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
        let members = Members::Ports(vec![(80, 80), (443, 443), (8000, 8100)]);
        assert_eq!(sets.get("$web"), Some(NamedSet { name: "@web".to_owned(), members }));
        assert_eq!(sets.near("$ofice").as_deref(), Some("$office"));
        assert_eq!(sets.define("x", "10.0.0.0/8, nonsense").unwrap_err().span, 12..20);
        assert!(sets.define("x", "10.0.0.0/8, 80").is_err());
        assert!(sets.define("x", " ").is_err());
        assert!(sets.define("private", "80").is_err());
        assert!(sets.define("9x", "80").is_err());
    }

    #[test]
    fn ranges_merge_and_are_found() {
        let ranges = merge(vec![(5, 7), (1, 2), (6, 9), (20, 20), (30, 40), (50, 50), (60, 61)]);
        assert_eq!(*ranges, [(1, 2), (5, 9), (20, 20), (30, 40), (50, 50), (60, 61)]);
        for value in 0..70 {
            assert_eq!(within(&ranges, value), ranges.iter().any(|(a, b)| (*a..=*b).contains(&value)), "{value}");
        }
    }
}
