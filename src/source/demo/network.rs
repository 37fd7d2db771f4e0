//! The small VPC of the recording: its interfaces and their capture windows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::random::Random;

/// Account that owns everything here; that of the founding example.
pub(super) const ACCOUNT: &str = "622676721278";
/// Region of the founding example.
pub(super) const REGION: &str = "us-west-1";
/// 2018-08-20 15:00:00 UTC, Unix seconds: traffic begins.
pub(super) const FROM: i64 = 1_534_777_200;
/// 2018-08-20 15:40:00 UTC: traffic ends.
pub(super) const TO: i64 = FROM + 2_400;

/// The hosts, by what they do. Each has one network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// Load balancer, public, IPv4 and IPv6.
    Balancer,
    /// First web server, public.
    Web1,
    /// Second web server, public. Somebody installed memcached on it, open to the world: the victim of the founding attack.
    Web2,
    /// Application server with Redis, private.
    App,
    /// Database server with PostgreSQL and MySQL, private.
    Database,
    /// Bastion, NAT instance, resolver, time server and Prometheus, public. Small companies are like that.
    Infra,
    /// A standby that nothing talks to: most of its windows are NODATA.
    Standby,
}

/// Every host, in the order of [`Host`].
pub(super) const HOSTS: [Host; 7] =
    [Host::Balancer, Host::Web1, Host::Web2, Host::App, Host::Database, Host::Infra, Host::Standby];

impl Host {
    /// Id of its interface.
    pub(super) fn interface(self) -> &'static str {
        match self {
            Host::Balancer => "eni-0a1d7c35e98b2f604",
            Host::Web1 => "eni-0c44b19f2e07d8a35",
            Host::Web2 => "eni-0536faba73134a9b7",
            Host::App => "eni-09e3f61b80ac4d572",
            Host::Database => "eni-0d8f205a7361c9eb4",
            Host::Infra => "eni-06b7ea9c41f3d2058",
            Host::Standby => "eni-0f2a8d6e3b917c054",
        }
    }

    /// Its private address.
    pub(super) fn addr(self) -> IpAddr {
        IpAddr::V4(match self {
            Host::Balancer => Ipv4Addr::new(172, 16, 0, 21),
            Host::Web1 => Ipv4Addr::new(172, 16, 0, 109),
            Host::Web2 => Ipv4Addr::new(172, 16, 0, 178),
            Host::App => Ipv4Addr::new(172, 16, 1, 34),
            Host::Database => Ipv4Addr::new(172, 16, 2, 12),
            Host::Infra => Ipv4Addr::new(172, 16, 0, 53),
            Host::Standby => Ipv4Addr::new(172, 16, 2, 77),
        })
    }
}

/// The load balancer's IPv6 address, from the range that AWS uses in this region.
pub(super) const BALANCER6: IpAddr =
    IpAddr::V6(Ipv6Addr::new(0x2600, 0x1f1c, 0x5b2, 0x9a00, 0x3d1e, 0x77c4, 0x0a92, 0x51f0));

/// One capture window: all flows of an interface within it are logged with these two times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Unix seconds, logged as `start`. What happens from here to the next window's start belongs to this one.
    pub start: i64,
    /// Unix seconds, logged as `end`, a little before the next window's start.
    pub end: i64,
}

/// The two windows that the founding example fixes: the priming's and the trigger's.
pub(super) const FOUNDING: [Window; 2] =
    [Window { start: 1_534_778_743, end: 1_534_778_802 }, Window { start: 1_534_778_806, end: 1_534_778_866 }];

/// The windows of `host`, oldest first: about a minute each, with a phase of their own, from before [`FROM`] to after [`TO`].
///
/// That windows last some 60 s, differ between interfaces and give all their flows the same two times is what real records show.
pub(super) fn windows(host: Host, random: &mut Random) -> Vec<Window> {
    let mut starts = Vec::new();
    let mut known = Vec::new();
    let mut next = FROM - random.time(0, 59);
    if host == Host::Web2 {
        known.extend(FOUNDING);
        // Backwards from the first known window, so that it is met exactly.
        let mut start = FOUNDING[0].start;
        while start > FROM {
            start -= random.time(60, 62);
            starts.push(start);
        }
        starts.reverse();
        starts.extend(FOUNDING.map(|window| window.start));
        next = FOUNDING[1].end + 1;
    }
    while starts.last().is_none_or(|last| *last < TO) {
        starts.push(next);
        next += random.time(60, 62);
    }
    let ends: Vec<i64> = starts.windows(2).map(|pair| pair[1] - random.time(1, 3)).chain([next - 1]).collect();
    let window = |(start, end): (i64, i64)| {
        known.iter().find(|known| known.start == start).copied().unwrap_or(Window { start, end })
    };
    starts.into_iter().zip(ends).map(window).collect()
}

/// An address of the public internet that belongs to nobody in particular: drawn, within blocks that access providers use.
pub(crate) fn public4(random: &mut Random) -> IpAddr {
    const BLOCKS: [u8; 36] = [
        23, 24, 31, 46, 50, 58, 62, 66, 68, 71, 73, 76, 78, 81, 84, 86, 90, 93, 95, 98, 99, 107, 108, 109, 114, 118,
        121, 151, 173, 174, 176, 178, 184, 188, 201, 213,
    ];
    let first = random.pick(&BLOCKS);
    let [.., b, c, d] = random.next().to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(first, b, c, d.clamp(1, 254)))
}

/// The IPv6 counterpart of [`public4`].
pub(super) fn public6(random: &mut Random) -> IpAddr {
    const BLOCKS: [[u16; 2]; 6] =
        [[0x2601, 0x0647], [0x2600, 0x1700], [0x2607, 0xfb90], [0x2a02, 0x0c7f], [0x2003, 0x00e4], [0x2405, 0x0201]];
    let [high, low] = random.pick(&BLOCKS);
    let bits = (u128::from(high) << 112) | (u128::from(low) << 96) | (u128::from(random.next() >> 32) << 64);
    IpAddr::V6(Ipv6Addr::from_bits(bits | u128::from(random.next())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_the_recording_and_meet_the_founding_example() {
        let mut random = Random::new(1);
        for host in HOSTS {
            let windows = windows(host, &mut random);
            assert!(windows[0].start <= FROM && windows.last().is_some_and(|last| last.start >= TO), "{host:?}");
            for pair in windows.windows(2) {
                assert!(
                    pair[0].end < pair[1].start && (60..=63).contains(&(pair[1].start - pair[0].start)),
                    "{host:?}"
                );
                assert!((56..=61).contains(&(pair[0].end - pair[0].start)), "{host:?}: {pair:?}");
            }
            if host == Host::Web2 {
                assert!(windows.windows(2).any(|pair| *pair == FOUNDING));
            }
        }
    }
}
