//! What every public address meets all day: strangers at closed doors.

use super::network::{Host, public4};
use super::random::Random;
use super::talk::{Burst, Talk, Volume};
use super::traffic::{BEGIN, END};
use crate::record::services::{TCP, UDP};

/// The background noise of the internet: strangers who try one port, mostly the ports that worms and botnets like, all rejected.
pub(super) fn strangers(random: &mut Random, talks: &mut Vec<Talk>) {
    const PORTS: [u16; 26] = [
        23, 23, 23, 23, 445, 445, 445, 445, 3_389, 3_389, 3_389, 22, 22, 22, 1_433, 8_080, 5_555, 2_323, 81, 8_545,
        6_379, 3_306, 5_900, 7_547, 2_375, 9_200,
    ];
    let public = [Host::Balancer, Host::Web1, Host::Web2, Host::Infra];
    let mut at = BEGIN;
    while at < END {
        let stranger = public4(random);
        let begun = at + random.time(0, 400);
        // One in eight tries every public address it finds, the others one.
        let (targets, gap) = if random.chance(12) { (public.to_vec(), 700) } else { (vec![random.pick(&public)], 0) };
        let (protocol, port, volume) = probe(random, &PORTS);
        let source = random.port(1_025, 65_534);
        for (target, turn) in targets.into_iter().zip(0..) {
            // A client that gets no answer tries again, after one second and after three.
            let span = if volume.packets > 1 { 3_000 * (volume.packets.cast_signed() - 1) + 100 } else { 1 };
            let bursts = vec![Burst { at: begun + turn * gap, span, there: volume, back: Volume::default() }];
            talks.push(Talk {
                client: (stranger, source),
                server: (target.addr(), port),
                protocol,
                accepted: false,
                seen_by: vec![target],
                bursts,
            });
        }
        at += random.time(1_000, 11_000);
    }
}

/// Protocol, port and size of one unwanted packet or its repetitions.
fn probe(random: &mut Random, ports: &[u16]) -> (u8, u16, Volume) {
    let once = |bytes| Volume { packets: 1, bytes };
    match random.between(0, 99) {
        // SIP scanners send a whole OPTIONS request.
        0..5 => (UDP, 5_060, once(random.between(412, 446))),
        5..8 => (UDP, 53, once(random.between(57, 68))),
        8..10 => (UDP, 161, once(random.between(68, 88))),
        10..30 => (TCP, random.port(1_024, 65_535), once(random.pick(&[40, 40, 44]))),
        _ => {
            let packets = random.pick(&[1, 1, 1, 1, 1, 2, 3]);
            // Scanners send bare packets and never repeat them; real stacks send options and do.
            let size = if packets == 1 { random.pick(&[40, 40, 44, 60]) } else { random.pick(&[48, 52, 60]) };
            (TCP, random.pick(ports), Volume { packets, bytes: packets * size })
        }
    }
}
