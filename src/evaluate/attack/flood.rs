//! Floods, in and out, and holes in the log.

use super::Cast;
use crate::evaluate::wire::{asked, burst, volume};
use crate::record::services::{TCP, UDP};

pub(super) fn all(cast: &mut Cast) {
    outward(cast);
    connections(cast);
    datagrams(cast);
    lost(cast);
}

/// A host of ours floods somebody with datagrams.
fn outward(cast: &mut Cast) {
    let (host, victim) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(240_000), 240_000);
    let packets = 25_000 * 240;
    let client = (host, cast.wire.ephemeral());
    cast.wire.pass(client, (victim, 8_080), UDP, vec![burst(at, length, volume(packets, packets * 540), volume(0, 0))]);
    cast.label("flood", "UDP, outward", &["T1498"], (at, length), vec![host, victim]);
}

/// Thousands of half-open connections from forged addresses.
fn connections(cast: &mut Cast) {
    let host = cast.host();
    let (at, length) = (cast.when(120_000), 120_000);
    for n in 0..12_000 {
        let client = (cast.stranger(), cast.wire.random.port(1_024, 65_535));
        let back = if n % 3 == 0 { volume(1, 44) } else { volume(0, 0) };
        cast.wire.pass(client, (host, 443), TCP, vec![burst(at + n * 10, 10, volume(1, 44), back)]);
    }
    cast.label("flood", "SYN, inward", &["T1498", "T1499"], (at, length), vec![host]);
}

/// A botnet floods a host of ours that has lived in peace.
fn datagrams(cast: &mut Cast) {
    let host = cast.host();
    let (at, length) = (cast.when(240_000), 240_000);
    let friend = cast.stranger();
    let calm = (0..cast.wire.length / 60_000).map(|n| asked(n * 60_000, 50_000, 20, 300, 300)).collect();
    cast.wire.pass((friend, 50_000), (host, 9_987), UDP, calm);
    for _ in 0..800 {
        let client = (cast.stranger(), cast.wire.random.port(1_024, 65_535));
        let packets = cast.wire.random.between(2_000, 5_000);
        cast.wire.pass(
            client,
            (host, 9_987),
            UDP,
            vec![burst(at, length, volume(packets, packets * 900), volume(0, 0))],
        );
    }
    cast.label("flood", "UDP, inward", &["T1498"], (at, length), vec![host]);
}

/// Records that AWS could not keep.
fn lost(cast: &mut Cast) {
    let (host, friend) = (cast.host(), cast.stranger());
    let calm = (0..cast.wire.length / 60_000).map(|n| asked(n * 60_000, 50_000, 20, 300, 300)).collect();
    cast.wire.pass((friend, 50_000), (host, 9_987), UDP, calm);
    let (at, length) = (cast.when(300_000), 300_000);
    cast.wire.skip(host, at, at + length);
    cast.label("log gap", "SKIPDATA", &["T1562"], (at, length), vec![host]);
}
