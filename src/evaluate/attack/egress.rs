//! What a host that was taken over does outwards: calls home, sends data away, digs.

use super::Cast;
use crate::evaluate::wire::{asked, burst, tcp, volume};
use crate::record::services::{ICMP, TCP, UDP};

pub(super) fn all(cast: &mut Cast, seed: u64) {
    for (minutes, jitter) in [(1, 0), (1, 10), (2, 30), (1, 50), (5, 10)] {
        beacon(cast, minutes * 60_000, jitter);
    }
    exfiltration(cast, "burst", 3_000_000_000, 1_200_000);
    exfiltration(cast, "trickle", 260_000_000, 3_300_000);
    mining(cast);
    names(cast);
    pings(cast);
    if seed.is_multiple_of(2) {
        mail(cast);
    }
    proxies(cast);
}

/// A program that asks its master for orders, each time over a new connection, until the trial ends.
fn beacon(cast: &mut Cast, every: i64, jitter: i64) {
    let (host, master) = (cast.host(), cast.stranger());
    let at = 300_000 + cast.wire.random.time(0, 60_000);
    let mut when = at;
    while when < cast.wire.length {
        let answer = if cast.wire.random.chance(4) { 9_000 } else { 240 };
        let client = (host, cast.wire.ephemeral());
        cast.wire.pass(client, (master, 8_443), TCP, vec![tcp(when, 400, 410, answer)]);
        let swing = every * jitter / 100;
        when += every + cast.wire.random.time(-swing, swing);
    }
    let variant = format!("{} min, jitter {jitter} %", every / 60_000);
    let length = cast.wire.length - at;
    cast.label("beacon", variant, &["T1071", "T1573", "T1571"], (at, length), vec![host, master]);
}

/// Data sent away to one address.
fn exfiltration(cast: &mut Cast, variant: &'static str, bytes: u64, length: i64) {
    let (host, drop) = (cast.host(), cast.stranger());
    let at = cast.when(length);
    let parts = u64::try_from(length / 60_000).unwrap_or(1).max(1);
    for (part, when) in (0..parts).zip((at..).step_by(60_000)) {
        let client = (host, cast.wire.ephemeral());
        cast.wire.pass(client, (drop, 443), TCP, vec![tcp(when, 50_000, bytes / parts, 3_000 + part)]);
    }
    cast.label("exfiltration", variant, &["T1048", "T1041", "T1567", "T1030"], (at, length), vec![host, drop]);
}

/// One kept connection to a pool, with little jobs and results.
fn mining(cast: &mut Cast) {
    let (host, pool) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(3_000_000), 3_000_000);
    let client = (host, cast.wire.ephemeral());
    let jobs =
        (0..length / 60_000).map(|n| burst(at + n * 60_000, 60_000, volume(9, 9 * 96), volume(8, 8 * 112))).collect();
    cast.wire.pass(client, (pool, 3_333), TCP, jobs);
    cast.label("mining", "one pool", &["T1496"], (at, length), vec![host, pool]);
}

/// Data in the names that a resolver outside is asked for.
fn names(cast: &mut Cast) {
    let (host, resolver) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(600_000), 600_000);
    for n in 0..length / 1_000 {
        let client = (host, cast.wire.ephemeral());
        cast.wire.pass(client, (resolver, 53), UDP, vec![asked(at + n * 1_000, 900, 30, 230, 310)]);
    }
    cast.label("tunnel", "DNS", &["T1048", "T1071", "T1572"], (at, length), vec![host, resolver]);
}

/// Data in pings.
fn pings(cast: &mut Cast) {
    let (host, other) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(900_000), 900_000);
    let pings = (0..15).map(|n| asked(at + n * 60_000, 60_000, 120, 1_028, 1_028)).collect();
    cast.wire.pass((host, 0), (other, 0), ICMP, pings);
    cast.label("tunnel", "ICMP", &["T1095", "T1572"], (at, length), vec![host, other]);
}

/// A host that never sent mail sends a lot of it.
fn mail(cast: &mut Cast) {
    let host = cast.host();
    let (at, length) = (cast.when(900_000), 900_000);
    for n in 0..200 {
        let client = (host, cast.wire.ephemeral());
        let server = (cast.stranger(), 25);
        cast.wire.pass(client, server, TCP, vec![tcp(at + n * 4_000, 2_000, 9_000, 700)]);
    }
    cast.label("abuse", "mail", &["T1071", "T1498", "T1571", "T1496"], (at, length), vec![host]);
}

/// Through the onion network.
fn proxies(cast: &mut Cast) {
    let (host, guard) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(900_000), 900_000);
    let client = (host, cast.wire.ephemeral());
    cast.wire.pass(client, (guard, 9_001), TCP, vec![tcp(at, length, 900_000, 4_000_000)]);
    cast.label("abuse", "onion network", &["T1090", "T1071", "T1571"], (at, length), vec![host, guard]);
}
