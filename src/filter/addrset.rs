//! Sets of addresses: sorted, disjoint ranges of both families. A list of a million networks is asked in some tens of nanoseconds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ranges of IPv4 from which an index of their first two octets is kept.
const INDEXED: usize = 64;

/// A set of addresses of both families. IPv4 inside IPv6 counts as IPv4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddrSet {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
    /// How many ranges of `v4` begin below each multiple of 65,536; empty for few ranges.
    index: Box<[u32]>,
}

impl AddrSet {
    /// The union of `ranges`, each from its first to its last address, both of one family.
    pub fn new(ranges: impl IntoIterator<Item = (IpAddr, IpAddr)>) -> AddrSet {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for range in ranges {
            match range {
                (IpAddr::V4(from), IpAddr::V4(to)) => v4.push((u32::from(from), u32::from(to))),
                (IpAddr::V6(from), IpAddr::V6(to)) => v6.push((u128::from(from), u128::from(to))),
                _ => {}
            }
        }
        AddrSet::of(v4, v6)
    }

    /// The union of ranges of each family.
    pub(super) fn of(v4: Vec<(u32, u32)>, v6: Vec<(u128, u128)>) -> AddrSet {
        let (v4, v6) = (merge(v4), merge(v6));
        let mut index = Vec::new();
        if v4.len() >= INDEXED {
            let mut below = 0;
            index.reserve(65_537);
            for high in 0..=65_536_u64 {
                while v4.get(below).is_some_and(|(from, _)| u64::from(*from) < high << 16) {
                    below += 1;
                }
                // There are at most 2^31 disjoint ranges that do not touch.
                index.push(u32::try_from(below).unwrap_or(u32::MAX));
            }
        }
        AddrSet { v4, v6, index: index.into() }
    }

    /// Whether `address` is in it.
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.contains_v4(u32::from(address)),
            IpAddr::V6(address) => self.contains_v6(u128::from(address)),
        }
    }

    /// The same of an IPv4 address.
    #[inline]
    pub(super) fn contains_v4(&self, address: u32) -> bool {
        if self.index.is_empty() {
            return within(&self.v4, address);
        }
        let high = (address >> 16) as usize;
        let (from, to) = (self.index[high] as usize, self.index[high + 1] as usize);
        let after = from + self.v4[from..to].partition_point(|(least, _)| *least <= address);
        after > 0 && address <= self.v4[after - 1].1
    }

    /// The same of an IPv6 address, which may hold an IPv4 one.
    #[inline]
    pub(super) fn contains_v6(&self, address: u128) -> bool {
        match Ipv6Addr::from(address).to_ipv4_mapped() {
            Some(inside) => self.contains_v4(u32::from(inside)),
            None => within(&self.v6, address),
        }
    }

    /// The only IPv4 range, where there is just one.
    pub(super) fn only_v4(&self) -> Option<(u32, u32)> {
        match *self.v4 {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Its ranges, IPv4 first.
    pub fn ranges(&self) -> impl Iterator<Item = (IpAddr, IpAddr)> + '_ {
        let v4 = self.v4.iter().map(|(from, to)| (Ipv4Addr::from(*from).into(), Ipv4Addr::from(*to).into()));
        let v6 = self.v6.iter().map(|(from, to)| (Ipv6Addr::from(*from).into(), Ipv6Addr::from(*to).into()));
        v4.chain(v6)
    }

    /// How many ranges it has.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether no address is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its IPv4 ranges.
    pub(super) fn v4(&self) -> &[(u32, u32)] {
        &self.v4
    }

    /// Its IPv6 ranges.
    pub(super) fn v6(&self) -> &[(u128, u128)] {
        &self.v6
    }
}

/// Sorts ranges and joins those that overlap.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_merge_and_are_found() {
        let ranges = merge(vec![(5, 7), (1, 2), (6, 9), (20, 20), (30, 40), (50, 50), (60, 61)]);
        assert_eq!(*ranges, [(1, 2), (5, 9), (20, 20), (30, 40), (50, 50), (60, 61)]);
        for value in 0..70 {
            assert_eq!(within(&ranges, value), ranges.iter().any(|(a, b)| (*a..=*b).contains(&value)), "{value}");
        }
    }

    proptest! {
        /// Many ranges are found through the index, few without it.
        #[test]
        fn an_address_is_in_the_set_where_it_is_in_a_range(
            ranges in prop::collection::vec((any::<u32>(), 0_u32..1 << 20), 0..200),
            asked in prop::collection::vec(any::<u32>(), 0..50),
        ) {
            let ranges: Vec<(u32, u32)> = ranges.into_iter().map(|(from, more)| (from, from.saturating_add(more))).collect();
            let set = AddrSet::new(ranges.iter().map(|(a, b)| (Ipv4Addr::from(*a).into(), Ipv4Addr::from(*b).into())));
            let edges = ranges.iter().flat_map(|(a, b)| [*a, *b, a.wrapping_sub(1), b.wrapping_add(1)]);
            for address in edges.chain(asked).chain([0, u32::MAX]) {
                let expected = ranges.iter().any(|(a, b)| (*a..=*b).contains(&address));
                prop_assert_eq!(set.contains(Ipv4Addr::from(address).into()), expected);
                prop_assert_eq!(set.contains(Ipv4Addr::from(address).to_ipv6_mapped().into()), expected);
            }
        }
    }
}
