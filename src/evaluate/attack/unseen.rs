//! Attacks that were written after the rules, for `rules evaluate --unseen`: what an attacker does who has read the other files here. Nothing is
//! tuned on them.

use std::net::IpAddr;

use super::Cast;
use crate::evaluate::wire::{asked, burst, local, tcp, volume};
use crate::record::services::{TCP, UDP};

const GUESSING: &[&str] = &["T1110"];
const STEALING: &[&str] = &["T1048", "T1041", "T1567", "T1030", "T1071", "T1572"];
const CALLING: &[&str] = &["T1071", "T1573", "T1571"];
const FLOODING: &[&str] = &["T1498"];
const SPREADING: &[&str] = &["T1046", "T1018", "T1021", "T1210", "T1595"];

pub(super) fn all(cast: &mut Cast) {
    patient_guesses(cast, 22, 1);
    patient_guesses(cast, 3_389, 12);
    patient_guesses(cast, 5_432, 40);
    dns_over_tcp(cast);
    kept_shell(cast);
    many_buckets(cast);
    private_tunnel(cast);
    beacon(cast, 300_000, 443);
    beacon(cast, 60_000, 8_080);
    beacon(cast, 120_000, 53);
    carpet_from_devices(cast);
    carpet_on_us(cast);
    worm(cast);
    bot(cast);
    quiet_miner(cast);
}

/// A guess every minute or so at one server, by one or several strangers in turn, for as long as the trial lasts.
fn patient_guesses(cast: &mut Cast, port: u16, strangers: usize) {
    let target = cast.host();
    let clients: Vec<IpAddr> = (0..strangers).map(|_| cast.stranger()).collect();
    let at = 300_000;
    let (mut when, mut turn) = (at, 0);
    while when < cast.wire.length - 120_000 {
        let (there, back) = (cast.wire.random.between(10, 20), cast.wire.random.between(10, 24));
        let guess = burst(when, 3_000, volume(there, there * 52 + 1_700), volume(back, back * 52 + 2_200));
        let from = (clients[turn % strangers], cast.wire.ephemeral());
        cast.wire.pass(from, (target, port), TCP, vec![guess]);
        when += cast.wire.random.time(40_000, 110_000);
        turn += 1;
    }
    let variant = format!("a guess a minute, port {port}, {strangers} sources");
    let length = cast.wire.length - at;
    cast.label("new: brute force", variant, GUESSING, (at, length), [vec![target], clients].concat());
}

/// Files in the names of queries over TCP, which nobody limits to 512 bytes.
fn dns_over_tcp(cast: &mut Cast) {
    let (host, resolver) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(2_400_000), 2_400_000);
    for n in 0..length / 30_000 {
        let client = (host, cast.wire.ephemeral());
        let size = cast.wire.random.between(300_000, 900_000);
        cast.wire.pass(client, (resolver, 53), TCP, vec![tcp(at + n * 30_000, 20_000, size, 40_000)]);
    }
    cast.label("new: exfiltration", "DNS over TCP", STEALING, (at, length), vec![host, resolver]);
}

/// A copy over SSH to a server that nobody knows, at the pace of an upload from home.
fn kept_shell(cast: &mut Cast) {
    let (host, drop) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(1_500_000), 1_500_000);
    let client = (host, cast.wire.ephemeral());
    let parts = (0..length / 60_000).map(|n| tcp(at + n * 60_000, 60_000, 32_000_000, 90_000)).collect();
    cast.wire.pass(client, (drop, 22), TCP, parts);
    cast.label("new: exfiltration", "one SSH connection, 800 MB", STEALING, (at, length), vec![host, drop]);
}

/// Half a gigabyte in pieces to forty addresses of a provider: none of them gets much.
fn many_buckets(cast: &mut Cast) {
    let host = cast.host();
    let (at, length) = (cast.when(3_000_000), 3_000_000);
    for n in 0..40 {
        let bucket = cast.stranger();
        let client = (host, cast.wire.ephemeral());
        cast.wire.pass(client, (bucket, 443), TCP, vec![tcp(at + n * 75_000, 40_000, 13_000_000, 9_000)]);
    }
    cast.label("new: exfiltration", "40 buckets, 13 MB each", STEALING, (at, length), vec![host]);
}

/// The same through a tunnel of one's own.
fn private_tunnel(cast: &mut Cast) {
    let (host, peer) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(1_800_000), 1_800_000);
    let client = (host, cast.wire.ephemeral());
    let up = volume(24_000, 33_000_000);
    let parts = (0..length / 60_000).map(|n| burst(at + n * 60_000, 60_000, up, volume(9_000, 900_000))).collect();
    cast.wire.pass(client, (peer, 51_820), UDP, parts);
    cast.label("new: exfiltration", "WireGuard, 1 GB", STEALING, (at, length), vec![host, peer]);
}

/// Calls home with a jitter of half the interval, as frameworks offer it.
fn beacon(cast: &mut Cast, every: i64, port: u16) {
    let (host, master) = (cast.host(), cast.stranger());
    let at = 300_000 + cast.wire.random.time(0, 60_000);
    let mut when = at;
    while when < cast.wire.length - 60_000 {
        let (asks, answer) = (cast.wire.random.between(300, 900), cast.wire.random.between(200, 1_500));
        let client = (host, cast.wire.ephemeral());
        cast.wire.pass(client, (master, port), TCP, vec![tcp(when, 500, asks, answer)]);
        when += every + cast.wire.random.time(-every / 2, every / 2);
    }
    let variant = format!("{} min, jitter 50 %, port {port}", every / 60_000);
    let length = cast.wire.length - at;
    cast.label("new: beacon", variant, CALLING, (at, length), vec![host, master]);
}

/// Six forgotten devices answer SNMP for 250 spoofed addresses of one network, few packets each.
fn carpet_from_devices(cast: &mut Cast) {
    let devices: Vec<IpAddr> = (0..6).map(|_| cast.host()).collect();
    let (at, length) = (cast.when(600_000), 600_000);
    let IpAddr::V4(net) = cast.stranger() else { return };
    let [a, b, c, _] = net.octets();
    for round in 0..12 {
        for n in 1..=250_u8 {
            let victim = IpAddr::from([a, b, c, n]);
            let device = devices[usize::from(n) % devices.len()];
            let port = cast.wire.random.port(1_024, 65_535);
            let when = at + round * 50_000 + i64::from(n) * 180;
            cast.wire.pass((victim, port), (device, 161), UDP, vec![asked(when, 900, 6, 82, 1_440)]);
        }
    }
    cast.label("new: amplification", "SNMP, carpet over a /24", FLOODING, (at, length), devices);
}

/// Answers that nobody asked for rain on forty hosts of ours, a little on each.
fn carpet_on_us(cast: &mut Cast) {
    let hosts: Vec<IpAddr> = (0..40).map(|_| cast.host()).collect();
    let reflectors: Vec<IpAddr> = (0..300).map(|_| cast.stranger()).collect();
    let (at, length) = (cast.when(300_000), 300_000);
    for minute in 0..5 {
        for host in &hosts {
            for _ in 0..30 {
                let reflector = cast.wire.random.pick(&reflectors);
                let port = cast.wire.random.port(1_024, 65_535);
                let rain = burst(at + minute * 60_000, 50_000, volume(40, 58_000), volume(0, 0));
                cast.wire.pass((reflector, 161), (*host, port), UDP, vec![rain]);
            }
        }
    }
    cast.label("new: amplification", "SNMP, carpet on us", FLOODING, (at, length), hosts);
}

/// A worm on 445: the first host finds five others, and each of those goes on.
fn worm(cast: &mut Cast) {
    let infected: Vec<IpAddr> = (0..6).map(|_| cast.host()).collect();
    let (at, length) = (cast.when(900_000), 900_000);
    for (generation, host) in (0..).zip(&infected) {
        let begins = at + i64::from(generation > 0) * 300_000 + generation * 20_000;
        for n in 0..120_u8 {
            let when = begins + i64::from(n) * 4_000;
            let target = (local(60 + n / 60, n % 60 + 1), 445);
            let client = (*host, cast.wire.ephemeral());
            let answered = if n % 12 == 0 { volume(1, 40) } else { volume(0, 0) };
            cast.wire.pass(client, target, TCP, vec![burst(when, 50, volume(2, 104), answered)]);
        }
        let Some(next) = infected.get(1 + usize::try_from(generation).unwrap_or(0)) else { continue };
        let client = (*host, cast.wire.ephemeral());
        cast.wire.pass(client, (*next, 445), TCP, vec![tcp(begins + 200_000, 20_000, 400_000, 30_000)]);
    }
    cast.label("new: worm", "445, six hosts", SPREADING, (at, length), infected);
}

/// A host of ours in somebody's botnet: datagrams at a web server, as many as it can.
fn bot(cast: &mut Cast) {
    let (host, victim) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(240_000), 240_000);
    let client = (host, cast.wire.ephemeral());
    cast.wire.pass(client, (victim, 80), UDP, vec![burst(at, length, volume(9_000_000, 540_000_000), volume(0, 0))]);
    cast.label("new: flood", "UDP out", FLOODING, (at, length), vec![host, victim]);
}

/// A pool behind TLS on 443, which is a kept connection of little traffic like many others.
fn quiet_miner(cast: &mut Cast) {
    let (host, pool) = (cast.host(), cast.stranger());
    let at = 400_000;
    let length = cast.wire.length - at - 60_000;
    let client = (host, cast.wire.ephemeral());
    let jobs = (0..length / 40_000).map(|n| burst(at + n * 40_000, 30_000, volume(5, 800), volume(6, 1_300))).collect();
    cast.wire.pass(client, (pool, 443), TCP, jobs);
    cast.label("new: mining", "a pool behind TLS", &["T1496"], (at, length), vec![host, pool]);
}
