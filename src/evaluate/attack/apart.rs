//! Attacks of the second set that was written after the rules, for `rules evaluate --unseen=2`. They were written when the rules had been changed because of
//! the first such set, and before they were run over it.

use std::net::IpAddr;

use super::Cast;
use crate::evaluate::wire::{asked, burst, local, tcp, volume};
use crate::record::services::{ICMP, TCP, UDP};

const GUESSING: &[&str] = &["T1110"];
const STEALING: &[&str] = &["T1048", "T1041", "T1567", "T1030", "T1071", "T1572", "T1095"];
const CALLING: &[&str] = &["T1071", "T1573", "T1571"];
const FLOODING: &[&str] = &["T1498", "T1499"];
const SEARCHING: &[&str] = &["T1046", "T1018", "T1021", "T1210", "T1595"];
const OPEN: &[&str] = &["T1133", "T1190", "T1021"];

pub(super) fn all(cast: &mut Cast) {
    banners(cast);
    few_hosts(cast);
    quiet_ports(cast);
    outward(cast);
    guesses_in_turn(cast);
    guesses_inside(cast);
    open_doors(cast);
    open_resolver(cast);
    fragments(cast);
    small_rain(cast);
    calls(cast, 600_000, 20);
    calls(cast, 180_000, 5);
    many_pieces(cast);
    large_copy(cast);
    slow_names(cast);
    loud_pings(cast);
    plain_miner(cast);
    half_open(cast);
    lost(cast);
}

/// A scanner that connects and reads banners: one in four answers with some hundred bytes.
fn banners(cast: &mut Cast) {
    let scanner = cast.host();
    let (at, length) = (cast.when(240_000), 240_000);
    for n in 0..200_u8 {
        let client = (scanner, cast.wire.ephemeral());
        let when = at + i64::from(n) * 1_100;
        let talk = if n % 4 == 0 { tcp(when, 300, 90, 600) } else { burst(when, 3_000, volume(3, 180), volume(0, 0)) };
        cast.wire.pass(client, (local(70, n + 1), 8_080), TCP, vec![talk]);
    }
    cast.label("two: scan", "banners of a /24", SEARCHING, (at, length), vec![scanner]);
}

/// An intruder who looks around by hand: nine hosts in ten minutes, three ports each, all in vain.
fn few_hosts(cast: &mut Cast) {
    let scanner = cast.host();
    let (at, length) = (cast.when(600_000), 600_000);
    for n in 0..27_u8 {
        let client = (scanner, cast.wire.ephemeral());
        let port = [22, 445, 3_389][usize::from(n % 3)];
        let when = at + i64::from(n) * 21_000;
        cast.wire.pass(
            client,
            (local(71, n / 3 + 1), port),
            TCP,
            vec![burst(when, 3_000, volume(3, 180), volume(0, 0))],
        );
    }
    cast.label("two: scan", "nine hosts by hand", SEARCHING, (at, length), vec![scanner]);
}

/// A hundred and fifty ports of one host in an hour and a half.
fn quiet_ports(cast: &mut Cast) {
    let (scanner, target) = (cast.host(), cast.host());
    let (at, length) = (600_000, 5_400_000);
    for n in 0..150_u16 {
        let client = (scanner, cast.wire.ephemeral());
        let when = at + i64::from(n) * 35_000;
        cast.wire.pass(client, (target, n * 31 % 9_973 + 1), TCP, vec![burst(when, 2, volume(1, 44), volume(1, 40))]);
    }
    cast.label("two: scan", "150 ports in 90 minutes", SEARCHING, (at, length), vec![scanner, target]);
}

/// SSH all over the internet, from a host of ours.
fn outward(cast: &mut Cast) {
    let scanner = cast.host();
    let (at, length) = (cast.when(400_000), 400_000);
    for n in 0..600 {
        let client = (scanner, cast.wire.ephemeral());
        let target = (cast.stranger(), 22);
        let when = at + n * 600;
        let talk =
            if n % 20 == 0 { tcp(when, 2_000, 1_900, 2_400) } else { burst(when, 1_000, volume(2, 120), volume(0, 0)) };
        cast.wire.pass(client, target, TCP, vec![talk]);
    }
    cast.label("two: scan", "outward, port 22", SEARCHING, (at, length), vec![scanner]);
}

/// Twenty-five addresses take turns at a remote desktop, a guess every three seconds.
fn guesses_in_turn(cast: &mut Cast) {
    let target = cast.host();
    let clients: Vec<IpAddr> = (0..25).map(|_| cast.stranger()).collect();
    let (at, length) = (cast.when(1_500_000), 1_500_000);
    for n in 0..500 {
        let (there, back) = (cast.wire.random.between(14, 30), cast.wire.random.between(14, 30));
        let guess = burst(at + n * 3_000, 2_000, volume(there, there * 110), volume(back, back * 120));
        let client = (clients[usize::try_from(n % 25).unwrap_or(0)], cast.wire.ephemeral());
        cast.wire.pass(client, (target, 3_389), TCP, vec![guess]);
    }
    cast.label("two: brute force", "RDP, 25 sources in turn", GUESSING, (at, length), [vec![target], clients].concat());
}

/// A host of ours guesses at a database of ours.
fn guesses_inside(cast: &mut Cast) {
    let (host, target) = (cast.host(), cast.host());
    let (at, length) = (cast.when(700_000), 700_000);
    for n in 0..350 {
        let (there, back) = (cast.wire.random.between(7, 10), cast.wire.random.between(7, 10));
        let guess = burst(at + n * 2_000, 400, volume(there, there * 70), volume(back, back * 90));
        let client = (host, cast.wire.ephemeral());
        cast.wire.pass(client, (target, 1_433), TCP, vec![guess]);
    }
    cast.label("two: brute force", "SQL Server, inside", GUESSING, (at, length), vec![host, target]);
}

fn open_doors(cast: &mut Cast) {
    for (port, name) in [(6_443, "Kubernetes"), (5_601, "Kibana"), (27_017, "MongoDB")] {
        let (target, client) = (cast.host(), cast.stranger());
        let (at, length) = (cast.when(60_000), 60_000);
        cast.wire.pass((client, 51_111), (target, port), TCP, vec![tcp(at, 9_000, 900, 24_000)]);
        cast.label("two: exposed service", name, OPEN, (at, length), vec![target, client]);
    }
}

/// An open resolver that is asked for everything in the name of one address.
fn open_resolver(cast: &mut Cast) {
    let (server, victim) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(300_000), 300_000);
    for n in 0..2_500 {
        let client = (victim, cast.wire.random.port(1_024, 65_535));
        cast.wire.pass(client, (server, 53), UDP, vec![burst(at + n * 120, 20, volume(2, 140), volume(6, 7_800))]);
    }
    cast.label("two: amplification", "open resolver", FLOODING, (at, length), vec![server, victim]);
}

/// CLDAP whose answers mostly are fragments, which carry no port.
fn fragments(cast: &mut Cast) {
    let (server, victim) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(240_000), 240_000);
    for n in 0..400 {
        let client = (victim, cast.wire.random.port(1_024, 65_535));
        cast.wire.pass(client, (server, 389), UDP, vec![burst(at + n * 600, 100, volume(10, 800), volume(10, 14_800))]);
    }
    cast.wire.pass((server, 0), (victim, 0), UDP, vec![burst(at, length, volume(4_000, 5_600_000), volume(0, 0))]);
    cast.label("two: amplification", "CLDAP with fragments", FLOODING, (at, length), vec![server, victim]);
}

/// NTP from twenty-five reflectors, ten megabits a second, most of it stopped.
fn small_rain(cast: &mut Cast) {
    let victim = cast.host();
    let (at, length) = (cast.when(180_000), 180_000);
    for _ in 0..25 {
        let server = (cast.stranger(), 123);
        let flood = burst(at, length, volume(0, 0), volume(19_000, 19_000 * 468));
        cast.wire.log([(victim, 80), server], UDP, false, vec![flood]);
    }
    cast.label("two: amplification", "NTP on us, stopped", FLOODING, (at, length), vec![victim]);
}

fn calls(cast: &mut Cast, every: i64, jitter: i64) {
    let (host, master) = (cast.host(), cast.stranger());
    let at = 120_000;
    let mut when = at;
    while when < cast.wire.length - 60_000 {
        let client = (host, cast.wire.ephemeral());
        let answer = cast.wire.random.between(300, 420);
        cast.wire.pass(client, (master, 443), TCP, vec![tcp(when, 700, 520, answer)]);
        when += every + cast.wire.random.time(-every * jitter / 100, every * jitter / 100);
    }
    let length = cast.wire.length - at;
    let variant = format!("{} min, jitter {jitter} %", every / 60_000);
    cast.label("two: beacon", variant, CALLING, (at, length), vec![host, master]);
}

/// Three hundred megabytes to one new server, five at a time.
fn many_pieces(cast: &mut Cast) {
    let (host, drop) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(1_800_000), 1_800_000);
    for n in 0..60 {
        let client = (host, cast.wire.ephemeral());
        cast.wire.pass(client, (drop, 443), TCP, vec![tcp(at + n * 30_000, 9_000, 5_000_000, 700)]);
    }
    cast.label("two: exfiltration", "60 pieces of 5 MB", STEALING, (at, length), vec![host, drop]);
}

fn large_copy(cast: &mut Cast) {
    let (host, drop) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(300_000), 300_000);
    let client = (host, cast.wire.ephemeral());
    cast.wire.pass(client, (drop, 22), TCP, vec![tcp(at, length, 2_000_000_000, 400_000)]);
    cast.label("two: exfiltration", "2 GB over SSH", STEALING, (at, length), vec![host, drop]);
}

/// Names at two hundred a minute: below what a rule can tell from a busy resolver.
fn slow_names(cast: &mut Cast) {
    let (host, resolver) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(2_400_000), 2_400_000);
    for n in 0..length / 300 {
        let client = (host, cast.wire.ephemeral());
        cast.wire.pass(client, (resolver, 53), UDP, vec![asked(at + n * 300, 40, 1, 230, 260)]);
    }
    cast.label("two: exfiltration", "DNS, 200 questions a minute", STEALING, (at, length), vec![host, resolver]);
}

fn loud_pings(cast: &mut Cast) {
    let (host, other) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(600_000), 600_000);
    let pings = (0..10).map(|n| asked(at + n * 60_000, 60_000, 300, 1_400, 1_400)).collect();
    cast.wire.pass((host, 0), (other, 0), ICMP, pings);
    cast.label("two: exfiltration", "ICMP", STEALING, (at, length), vec![host, other]);
}

fn plain_miner(cast: &mut Cast) {
    let (host, pool) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(1_800_000), 1_800_000);
    let client = (host, cast.wire.ephemeral());
    let jobs = (0..length / 30_000).map(|n| burst(at + n * 30_000, 25_000, volume(3, 330), volume(3, 420))).collect();
    cast.wire.pass(client, (pool, 4_444), TCP, jobs);
    cast.label("two: mining", "a pool on 4444", &["T1496"], (at, length), vec![host, pool]);
}

fn half_open(cast: &mut Cast) {
    let target = cast.host();
    let (at, length) = (cast.when(180_000), 180_000);
    for n in 0..15_000 {
        let client = (cast.stranger(), cast.wire.random.port(1_024, 65_535));
        cast.wire.pass(client, (target, 80), TCP, vec![burst(at + n * 12, 10, volume(1, 44), volume(1, 44))]);
    }
    cast.label("two: flood", "SYN", FLOODING, (at, length), vec![target]);
}

fn lost(cast: &mut Cast) {
    let host = cast.host();
    let (at, length) = (cast.when(240_000), 240_000);
    cast.wire.skip(host, at, at + length);
    cast.label("two: log gap", "SKIPDATA", &["T1562"], (at, length), vec![host]);
}
