//! The addresses of a sealed segment by place: four bytes for an IPv4 address, twenty for the few IPv6 ones.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An immutable dictionary of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addrs {
    /// By place: the IPv4 address, or where `is_v6` says so a place in `v6`.
    v4: Box<[u32]>,
    /// One bit a place; empty where there is no IPv6 address.
    is_v6: Box<[u64]>,
    v6: Box<[u128]>,
}

impl Addrs {
    /// The addresses of `all`, each in its place. There must be fewer than 2^32.
    pub fn new(all: &[IpAddr]) -> Addrs {
        let mut v6 = Vec::new();
        let mut is_v6 = Vec::new();
        let v4 = all
            .iter()
            .enumerate()
            .map(|(place, address)| match address {
                IpAddr::V4(address) => u32::from(*address),
                IpAddr::V6(address) => {
                    is_v6.resize(all.len().div_ceil(64), 0_u64);
                    is_v6[place / 64] |= 1 << (place % 64);
                    v6.push(u128::from(*address));
                    u32::try_from(v6.len() - 1).unwrap_or(u32::MAX)
                }
            })
            .collect();
        Addrs { v4, is_v6: is_v6.into(), v6: v6.into() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.v4.len()
    }

    /// The address at `place`, which must be below the length.
    pub fn get(&self, place: usize) -> IpAddr {
        let four = self.v4[place];
        match self.is_v6.get(place / 64) {
            Some(bits) if bits >> (place % 64) & 1 == 1 => Ipv6Addr::from(self.v6[four as usize]).into(),
            _ => Ipv4Addr::from(four).into(),
        }
    }

    /// Appends to `out`, for each address in order, 1 where `v4` or `v6` says yes of it and 0 where not.
    pub fn mark(&self, v4: impl Fn(u32) -> bool, v6: impl Fn(u128) -> bool, out: &mut Vec<u8>) {
        let from = out.len();
        out.extend(self.v4.iter().map(|address| u8::from(v4(*address))));
        let mut sixes = self.v6.iter();
        for (word, bits) in self.is_v6.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let place = word * 64 + bits.trailing_zeros() as usize;
                out[from + place] = sixes.next().map_or(0, |address| u8::from(v6(*address)));
                bits &= bits - 1;
            }
        }
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        self.v4.len() * 4 + self.is_v6.len() * 8 + self.v6.len() * 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_address_keeps_its_place(all in prop::collection::vec(prop_oneof![
            any::<u32>().prop_map(|four| IpAddr::from(Ipv4Addr::from(four))),
            any::<u128>().prop_map(|six| IpAddr::from(Ipv6Addr::from(six))),
        ], 0..200)) {
            let addrs = Addrs::new(&all);
            prop_assert_eq!(addrs.len(), all.len());
            for (place, address) in all.iter().enumerate() {
                prop_assert_eq!(addrs.get(place), *address);
            }
            let mut marks = vec![7];
            addrs.mark(|four| four % 2 == 1, |six| six % 3 == 0, &mut marks);
            prop_assert_eq!(marks.len(), all.len() + 1);
            for (mark, address) in marks[1..].iter().zip(&all) {
                let wanted = match address {
                    IpAddr::V4(four) => u32::from(*four) % 2 == 1,
                    IpAddr::V6(six) => u128::from(*six) % 3 == 0,
                };
                prop_assert_eq!(*mark == 1, wanted);
            }
        }
    }

    #[test]
    fn four_bytes_are_enough_for_most() {
        assert_eq!(Addrs::new(&["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()]).bytes(), 8);
        assert_eq!(Addrs::new(&["10.0.0.1".parse().unwrap(), "::1".parse().unwrap()]).bytes(), 8 + 8 + 16);
    }
}
