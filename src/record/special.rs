//! Which addresses can be met on the internet: the one table of special-purpose addresses, both families.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is used inside networks and never routed on the internet: RFC 1918, RFC 6598 (which a VPC may use too).
pub const PRIVATE_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
];

/// The same for IPv6: RFC 4193.
pub const PRIVATE_V6: &[(Ipv6Addr, u32)] = &[(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7)];

/// Not globally reachable by the "IANA IPv4 Special-Purpose Address Registry", beside the private and the documentation ones; and multicast
/// (RFC 5771), which is nobody's address. 192.88.99.0/24 is there without a claim to be reachable (RFC 7526).
pub const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// For documentation (RFC 5737): nobody's on the internet, and what people put for an address of the internet when they pass a log on.
pub const DOCUMENTATION_V4: &[(Ipv4Addr, u32)] =
    &[(Ipv4Addr::new(192, 0, 2, 0), 24), (Ipv4Addr::new(198, 51, 100, 0), 24), (Ipv4Addr::new(203, 0, 113, 0), 24)];

/// The same for IPv6: RFC 3849, RFC 9637.
pub const DOCUMENTATION_V6: &[(Ipv6Addr, u32)] =
    &[(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20)];

/// The two addresses of 192.0.0.0/24 that the registry calls globally reachable (RFC 7723, RFC 8155).
pub const REACHABLE_V4: &[(Ipv4Addr, u32)] = &[(Ipv4Addr::new(192, 0, 0, 9), 32), (Ipv4Addr::new(192, 0, 0, 10), 32)];

/// Not globally reachable by the "IANA IPv6 Special-Purpose Address Registry", beside the private and the documentation ones; and multicast.
/// `2001::/23` includes benchmarking and ORCHID; `2002::/16` is 6to4, without a claim to be reachable.
pub const SPECIAL_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::UNSPECIFIED, 127),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),
    (Ipv6Addr::new(0x100, 0, 0, 1, 0, 0, 0, 0), 64),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];

/// Parts of `2001::/23` that the registry calls globally reachable.
pub const REACHABLE_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 1), 128),
    (Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 2), 128),
    (Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 3), 128),
    (Ipv6Addr::new(0x2001, 3, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2001, 4, 0x112, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x2001, 0x20, 0, 0, 0, 0, 0, 0), 28),
    (Ipv6Addr::new(0x2001, 0x30, 0, 0, 0, 0, 0, 0), 28),
];

/// What the first octet of an IPv4 address says: `Some` where all addresses with it are public or none is, which is almost always.
static FIRST_OCTET: [Option<bool>; 256] = first_octets();

const fn first_octets() -> [Option<bool>; 256] {
    let mut all = [Some(true); 256];
    let tables = [PRIVATE_V4, SPECIAL_V4, DOCUMENTATION_V4, REACHABLE_V4];
    let mut table = 0;
    while table < tables.len() {
        let mut at = 0;
        while at < tables[table].len() {
            let (net, prefix) = tables[table][at];
            let first = net.octets()[0] as usize;
            if prefix <= 8 && table < 2 {
                let mut octet = first;
                while octet < first + (1 << (8 - prefix)) {
                    all[octet] = Some(false);
                    octet += 1;
                }
            } else {
                all[first] = None;
            }
            at += 1;
        }
        table += 1;
    }
    all
}

/// Whether `addr` can be met on the internet. An IPv4 address mapped into IPv6 counts as the IPv4 address.
pub fn is_public(addr: IpAddr) -> bool {
    match addr.to_canonical() {
        IpAddr::V4(addr) => FIRST_OCTET[usize::from(addr.octets()[0])].unwrap_or_else(|| {
            let bits = u32::from(addr);
            let inside = |table: &[(Ipv4Addr, u32)]| {
                table.iter().any(|(net, prefix)| (bits ^ u32::from(*net)).leading_zeros() >= *prefix)
            };
            inside(REACHABLE_V4) || !(inside(PRIVATE_V4) || inside(SPECIAL_V4) || inside(DOCUMENTATION_V4))
        }),
        IpAddr::V6(addr) => {
            let bits = u128::from(addr);
            let inside = |table: &[(Ipv6Addr, u32)]| {
                table.iter().any(|(net, prefix)| (bits ^ u128::from(*net)).leading_zeros() >= *prefix)
            };
            inside(REACHABLE_V6) || !(inside(PRIVATE_V6) || inside(SPECIAL_V6) || inside(DOCUMENTATION_V6))
        }
    }
}

/// Whether `addr` is one of the internet, or stands for one in a log that was made for others to see ([`DOCUMENTATION_V4`]).
pub fn is_outside(addr: IpAddr) -> bool {
    is_public(addr) || is_documentation(addr)
}

fn is_documentation(addr: IpAddr) -> bool {
    match addr.to_canonical() {
        IpAddr::V4(addr) => {
            DOCUMENTATION_V4.iter().any(|(net, prefix)| (u32::from(addr) ^ u32::from(*net)).leading_zeros() >= *prefix)
        }
        IpAddr::V6(addr) => DOCUMENTATION_V6
            .iter()
            .any(|(net, prefix)| (u128::from(addr) ^ u128::from(*net)).leading_zeros() >= *prefix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_octet_says_what_the_tables_say() {
        for octet in 0..=255_u8 {
            let edges = PRIVATE_V4.iter().chain(SPECIAL_V4).chain(DOCUMENTATION_V4).chain(REACHABLE_V4).flat_map(
                |(net, prefix)| {
                    let last = u32::from(*net) | u32::MAX.checked_shr(*prefix).unwrap_or(0);
                    [u32::from(*net), last, u32::from(*net).saturating_sub(1), last.saturating_add(1)]
                },
            );
            for low in edges.chain([0, 0x00FF_FFFF]) {
                let bits = u32::from(octet) << 24 | low & 0x00FF_FFFF;
                let inside = |table: &[(Ipv4Addr, u32)]| {
                    table.iter().any(|(net, prefix)| (bits ^ u32::from(*net)).leading_zeros() >= *prefix)
                };
                let special = inside(PRIVATE_V4) || inside(SPECIAL_V4) || inside(DOCUMENTATION_V4);
                let public = inside(REACHABLE_V4) || !special;
                assert_eq!(is_public(IpAddr::V4(bits.into())), public, "{}", Ipv4Addr::from(bits));
            }
        }
    }

    #[test]
    fn private_and_public_are_told_apart_in_both_families() {
        for public in ["13.125.33.130", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2600:1f18::1", "::ffff:8.8.8.8"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for example in ["192.0.2.1", "198.51.100.255", "203.0.113.7", "2001:db8::1", "3fff::1", "::ffff:192.0.2.1"] {
            let example = example.parse().unwrap();
            assert!(is_outside(example) && !is_public(example), "{example}");
        }
        for private in [
            "172.16.0.178",
            "198.18.0.1",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "224.0.0.1",
            "fd00::1",
            "fe80::1",
            "::1",
            "::ffff:10.0.0.1",
        ] {
            let private = private.parse().unwrap();
            assert!(!is_public(private) && !is_outside(private), "{private}");
        }
    }
}
