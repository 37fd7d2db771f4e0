//! Reflection over UDP services: from the misused server, from the victim, and the search for servers.

use std::net::{IpAddr, Ipv4Addr};

use super::Cast;
use crate::evaluate::wire::{burst, volume};
use crate::record::services::UDP;

/// A protocol that amplifies: port, name, bytes of a question, packets of its answer and bytes of each, all with headers.
struct Vector {
    port: u16,
    name: &'static str,
    question: u64,
    packets: u64,
    size: u64,
}

/// Eighteen of them. Answers are the payloads that CISA alert TA14-017A and AMP-Research describe, in packets with headers.
#[rustfmt::skip]
const VECTORS: [Vector; 18] = [
    Vector { port: 53, name: "DNS", question: 64, packets: 2, size: 1_480 },
    Vector { port: 123, name: "NTP", question: 36, packets: 9, size: 468 },
    Vector { port: 161, name: "SNMP", question: 87, packets: 2, size: 1_400 },
    Vector { port: 137, name: "NetBIOS", question: 78, packets: 1, size: 229 },
    Vector { port: 1_900, name: "SSDP", question: 118, packets: 10, size: 320 },
    Vector { port: 19, name: "CharGEN", question: 29, packets: 1, size: 386 },
    Vector { port: 17, name: "QOTD", question: 29, packets: 1, size: 168 },
    Vector { port: 27_960, name: "Quake", question: 42, packets: 1, size: 922 },
    Vector { port: 5_353, name: "mDNS", question: 74, packets: 1, size: 488 },
    Vector { port: 520, name: "RIPv1", question: 52, packets: 6, size: 532 },
    Vector { port: 111, name: "Portmap", question: 68, packets: 1, size: 1_148 },
    Vector { port: 389, name: "CLDAP", question: 80, packets: 2, size: 1_484 },
    Vector { port: 69, name: "TFTP", question: 48, packets: 2, size: 544 },
    Vector { port: 11_211, name: "memcached", question: 50, packets: 36, size: 1_426 },
    Vector { port: 3_702, name: "WS-Discovery", question: 168, packets: 2, size: 828 },
    Vector { port: 3_283, name: "Apple Remote Desktop", question: 33, packets: 1, size: 1_034 },
    Vector { port: 5_683, name: "CoAP", question: 49, packets: 1, size: 742 },
    Vector { port: 427, name: "SLP", question: 57, packets: 25, size: 1_480 },
];

const TECHNIQUES: &[&str] = &["T1498"];

/// Every vector once, in a shape that changes with the seed: one source port, random ports, a network of victims, and drop by drop.
pub(super) fn reflectors(cast: &mut Cast, seed: u64) {
    for (vector, turn) in VECTORS.iter().zip(seed..) {
        let server = cast.host();
        let (shape, length, questions, gap) = match turn % 4 {
            0 => ("one port", cast.wire.random.time(120_000, 600_000), 0, 0),
            1 => ("random ports", cast.wire.random.time(90_000, 240_000), 1_500, 0),
            2 => ("carpet", cast.wire.random.time(120_000, 300_000), 2_000, 0),
            _ => ("slow", 1_800_000, 300, 6_000),
        };
        let at = cast.when(length);
        let victim = cast.stranger();
        let mut entities = vec![server, victim];
        let answer = |questions: u64| volume(questions * vector.packets, questions * vector.packets * vector.size);
        let ask = |questions: u64| volume(questions, questions * vector.question);
        if questions == 0 {
            let port = cast.wire.random.pick(&[80, 443, 53, 40_000]);
            let rate = cast.wire.random.between(30, 300);
            let count = rate * length.unsigned_abs() / 1_000;
            cast.wire.pass(
                (victim, port),
                (server, vector.port),
                UDP,
                vec![burst(at, length, ask(count), answer(count))],
            );
        }
        for n in 0..questions {
            let when =
                at + if gap > 0 { i64::try_from(n).unwrap_or(0) * gap } else { cast.wire.random.time(0, length) };
            let target = if shape == "carpet" { neighbour(victim, n) } else { victim };
            let client = (target, cast.wire.random.port(1_024, 65_535));
            // Each line of a botnet's loop asks a few times.
            let count = if gap > 0 { 1 } else { cast.wire.random.between(1, 8) };
            cast.wire.pass(client, (server, vector.port), UDP, vec![burst(when, 200, ask(count), answer(count))]);
            if shape == "carpet" && n < 256 {
                entities.push(target);
            }
        }
        let family = if shape == "slow" { "amplification, slow" } else { "amplification" };
        cast.label(family, format!("{}, {shape}", vector.name), TECHNIQUES, (at, length), entities);
    }
}

/// Another address of the network of 256 to which `address` belongs.
fn neighbour(address: IpAddr, n: u64) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, n.to_be_bytes()[7]))
        }
        IpAddr::V6(_) => address,
    }
}

/// Hosts of ours flooded with answers that they never asked for, some behind a security group that stops them.
pub(super) fn victims(cast: &mut Cast, seed: u64) {
    for (vector, turn) in VECTORS.iter().cycle().skip(usize::try_from(seed % 18).unwrap_or(0)).step_by(5).zip(0..4) {
        let victim = cast.host();
        let length = cast.wire.random.time(120_000, 400_000);
        let at = cast.when(length);
        let accepted = turn % 2 == 0;
        let reflectors = cast.wire.random.between(60, 400);
        let port = cast.wire.random.port(1_024, 65_535);
        for _ in 0..reflectors {
            let server = (cast.stranger(), vector.port);
            let packets = cast.wire.random.between(100, 900) * vector.packets;
            let flood = burst(at, length, volume(0, 0), volume(packets, packets * vector.size));
            cast.wire.log([(victim, port), server], UDP, accepted, vec![flood]);
        }
        let passed = if accepted { "accepted" } else { "rejected" };
        cast.label(
            "amplification, victim",
            format!("{}, {passed}", vector.name),
            TECHNIQUES,
            (at, length),
            vec![victim],
        );
    }
}

/// A host of ours that looks for reflectors on the internet.
pub(super) fn searches(cast: &mut Cast) {
    let searcher = cast.host();
    let (at, length) = (cast.when(300_000), 300_000);
    for n in 0..600 {
        let server = (cast.stranger(), 11_211);
        let back = if n % 40 == 0 { volume(1, 900) } else { volume(0, 0) };
        let client = (searcher, cast.wire.ephemeral());
        cast.wire.pass(client, server, UDP, vec![burst(at + n * 500, 100, volume(1, 43), back)]);
    }
    cast.label("amplification, search", "memcached", &["T1595", "T1046"], (at, length), vec![searcher]);
}

/// The published case: a large upload primes a memcached server, one small question is answered a thousandfold.
pub(super) fn founding(cast: &mut Cast) {
    let server = cast.host();
    let attacker = cast.stranger();
    let at = cast.when(130_000);
    let priming = burst(at, 59_000, volume(3_422, 5_072_550), volume(137, 513_727));
    cast.wire.pass((attacker, 22_222), (server, 11_211), UDP, vec![priming]);
    let trigger = burst(at + 63_000, 2_000, volume(1, 50), volume(36, 51_327));
    cast.wire.pass((attacker, 40_396), (server, 11_211), UDP, vec![trigger]);
    cast.label("amplification, probe", "memcached, primed", TECHNIQUES, (at, 130_000), vec![server, attacker]);
}
