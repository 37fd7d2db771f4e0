//! Searches for hosts and services.

use std::net::IpAddr;

use super::Cast;
use crate::evaluate::wire::{burst, local, volume};
use crate::record::services::TCP;

const TECHNIQUES: &[&str] = &["T1046", "T1018", "T1595", "T1021"];

pub(super) fn all(cast: &mut Cast) {
    vertical(cast, "inside", 600, 40, 300_000);
    vertical(cast, "slow, inside", 180, 0, 3_600_000);
    vertical_from_outside(cast);
    horizontal(cast, "inside", 22, 200, 120_000);
    horizontal(cast, "inside", 445, 60, 240_000);
    horizontal(cast, "slow, inside", 3_389, 60, 3_000_000);
    outward(cast);
    distributed(cast);
}

/// One probe: a single packet, answered by a reset where the host lives and nobody listens, by nothing where it does not.
fn probe(cast: &mut Cast, from: IpAddr, to: (IpAddr, u16), at: i64, alive: bool, accepted: bool) {
    let back = if alive { volume(1, 40) } else { volume(0, 0) };
    let client = (from, cast.wire.ephemeral());
    cast.wire.log(
        [client, to],
        TCP,
        accepted,
        vec![burst(at, 20, volume(1, 44), if accepted { back } else { volume(0, 0) })],
    );
}

/// Many ports of one host.
fn vertical(cast: &mut Cast, variant: &str, ports: u16, open: u16, length: i64) {
    let (scanner, target) = (cast.host(), cast.host());
    let at = cast.when(length);
    for n in 0..ports {
        let when = at + length * i64::from(n) / i64::from(ports);
        // Of a security group that lets some ports through, most probes are rejected.
        let accepted = open == 0 || n < open;
        probe(cast, scanner, (target, n * 7 % 9_973 + 1), when, true, accepted);
    }
    cast.label("scan, vertical", variant, TECHNIQUES, (at, length), vec![scanner, target]);
}

/// A stranger whom the security group lets through, on a thousand ports.
fn vertical_from_outside(cast: &mut Cast) {
    let (scanner, target) = (cast.stranger(), cast.host());
    let (at, length) = (cast.when(200_000), 200_000);
    for n in 0..1_000_u16 {
        probe(cast, scanner, (target, n + 1), at + i64::from(n) * 200, true, true);
    }
    cast.label("scan, vertical", "from outside", TECHNIQUES, (at, length), vec![scanner, target]);
}

/// One port of many addresses, of which few are in use.
fn horizontal(cast: &mut Cast, variant: &str, port: u16, targets: u8, length: i64) {
    let scanner = cast.host();
    let at = cast.when(length);
    for n in 0..targets {
        let when = at + length * i64::from(n) / i64::from(targets);
        probe(cast, scanner, (local(50, n + 1), port), when, n % 9 == 0, n % 3 > 0);
    }
    cast.label("scan, horizontal", format!("{variant}, port {port}"), TECHNIQUES, (at, length), vec![scanner]);
}

/// A host of ours that tries one port all over the internet: a worm.
fn outward(cast: &mut Cast) {
    let scanner = cast.host();
    let (at, length) = (cast.when(300_000), 300_000);
    for n in 0..900 {
        let target = (cast.stranger(), 23);
        probe(cast, scanner, target, at + n * 330, n % 25 == 0, true);
    }
    cast.label("scan, horizontal", "outward, port 23", TECHNIQUES, (at, length), vec![scanner]);
}

/// Sixty strangers who share the ports of one host among them.
fn distributed(cast: &mut Cast) {
    let target = cast.host();
    let (at, length) = (cast.when(900_000), 900_000);
    for n in 0..60_u16 {
        let scanner = cast.stranger();
        for port in 0..20_u16 {
            let when = at + cast.wire.random.time(0, length);
            probe(cast, scanner, (target, n * 20 + port + 1), when, false, false);
        }
    }
    cast.label("scan, distributed", "60 sources", TECHNIQUES, (at, length), vec![target]);
}
