//! Ordinary traffic with the internet.

use std::net::IpAddr;

use super::Town;
use crate::evaluate::wire::{Wire, asked, burst, tcp, volume};
use crate::record::services::{TCP, UDP};
use crate::source::demo::network::public4;

/// Somebody's address on the internet.
fn stranger(wire: &mut Wire) -> IpAddr {
    public4(&mut wire.random)
}

/// `count` addresses on the internet.
fn strangers_of(wire: &mut Wire, count: usize) -> Vec<IpAddr> {
    (0..count).map(|_| stranger(wire)).collect()
}

/// Browsers at the balancer, over TCP and QUIC.
pub(super) fn visitors(wire: &mut Wire, town: &Town) {
    let people = strangers_of(wire, 400);
    let mut at = 0;
    while at < wire.length {
        let client = (wire.random.pick(&people), wire.random.port(49_152, 65_535));
        let request = wire.random.size(1_500, 0.6, (400, 20_000));
        let response = wire.random.size(40_000, 1.3, (500, 20_000_000));
        let span = wire.random.time(200, 40_000);
        if wire.random.chance(20) {
            let (there, back) = (request.div_ceil(1_200) + response / 12_000 + 4, response.div_ceil(1_200) + 4);
            let quic = burst(at, span, volume(there, request + there * 60), volume(back, response + back * 40));
            wire.pass(client, (town.balancer, 443), UDP, vec![quic]);
        } else {
            wire.pass(client, (town.balancer, 443), TCP, vec![tcp(at, span, request, response)]);
        }
        at += wire.random.time(200, 2_200);
    }
}

/// An authoritative name server with a signed zone, asked by the large resolvers: factors of 8 to 20 all day.
pub(super) fn signed_names(wire: &mut Wire, town: &Town) {
    let resolvers = strangers_of(wire, 30);
    let mut at = 0;
    while at < wire.length {
        // A few resolvers ask most.
        let rank = wire.random.between(0, 29) * wire.random.between(0, 29) / 30;
        let client = (resolvers[usize::try_from(rank).unwrap_or(0)], wire.random.port(1_024, 65_535));
        let answer =
            if wire.random.chance(35) { wire.random.between(900, 1_420) } else { wire.random.between(110, 380) };
        let question = wire.random.between(68, 92);
        wire.pass(client, (town.names, 53), UDP, vec![asked(at, 40, 1, question, answer)]);
        at += wire.random.time(150, 900);
    }
}

/// A resolver of ours that asks the world, and does not always get an answer.
pub(super) fn recursion(wire: &mut Wire, town: &Town) {
    let mut at = 0;
    while at < wire.length {
        let server = (stranger(wire), 53);
        let client = (town.resolver, wire.random.port(1_024, 65_535));
        let (question, answer) = (wire.random.between(62, 90), wire.random.size(220, 0.7, (80, 1_450)));
        let back = if wire.random.chance(96) { volume(1, answer) } else { volume(0, 0) };
        wire.pass(client, server, UDP, vec![burst(at, 60, volume(1, question), back)]);
        at += wire.random.time(600, 3_000);
    }
    let apps = town.apps;
    let mut at = 0;
    while at < wire.length {
        let client = (wire.random.pick(&apps), wire.ephemeral());
        let answer = wire.random.size(160, 0.6, (80, 1_200));
        wire.pass(client, (town.resolver, 53), UDP, vec![asked(at, 5, 1, 70, answer)]);
        at += wire.random.time(400, 2_000);
    }
}

/// A public time server, and clients of others' with the port of servers.
pub(super) fn clocks(wire: &mut Wire, town: &Town) {
    let clients = strangers_of(wire, 120);
    for client in clients {
        let port = if wire.random.chance(50) { 123 } else { wire.random.port(1_024, 65_535) };
        let every = wire.random.time(64_000, 1_024_000);
        let mut at = wire.random.time(0, every);
        let mut bursts = Vec::new();
        while at < wire.length {
            bursts.push(asked(at, 30, 1, 76, 76));
            at += every;
        }
        wire.pass((client, port), (town.time, 123), UDP, bursts);
    }
    let pool = strangers_of(wire, 4);
    for host in town.everyone() {
        let server = wire.random.pick(&pool);
        let mut at = wire.random.time(0, 60_000);
        let mut bursts = Vec::new();
        while at < wire.length {
            bursts.push(asked(at, 30, 1, 76, 76));
            at += 256_000;
        }
        wire.pass((host, 123), (server, 123), UDP, bursts);
    }
}

/// Updates and images that hosts of ours fetch over QUIC and TLS: answers a hundred times the questions.
pub(super) fn downloads_over_quic(wire: &mut Wire, town: &Town) {
    let mirrors = strangers_of(wire, 8);
    let hosts = town.everyone();
    for _ in 0..60 {
        let at = wire.random.time(0, wire.length - 1);
        let host = (wire.random.pick(&hosts), wire.ephemeral());
        let mirror = (wire.random.pick(&mirrors), 443);
        let size = wire.random.size(30_000_000, 1.0, (1_000_000, 900_000_000));
        let span = wire.random.time(2_000, 120_000);
        if wire.random.chance(40) {
            let back = volume(size / 1_200, size / 1_200 * 1_240);
            wire.pass(
                host,
                mirror,
                UDP,
                vec![burst(at, span, volume(size / 24_000 + 10, size / 24_000 * 70 + 900), back)],
            );
        } else {
            wire.pass(host, mirror, TCP, vec![tcp(at, span, 4_000, size)]);
        }
    }
}

/// Images pushed, logs shipped, objects stored: large uploads that are wanted.
pub(super) fn uploads(wire: &mut Wire, town: &Town) {
    let registry = strangers_of(wire, 3);
    for _ in 0..6 {
        let at = wire.random.time(0, wire.length - 200_000);
        let server = (wire.random.pick(&registry), 443);
        let size = wire.random.size(180_000_000, 0.5, (30_000_000, 700_000_000));
        let client = (town.builder, wire.ephemeral());
        wire.pass(client, server, TCP, vec![tcp(at, 90_000, size, 60_000)]);
    }
    let collector = stranger(wire);
    let client = (town.logs, wire.ephemeral());
    let batches = (0..wire.length / 20_000).map(|n| tcp(n * 20_000, 900, 180_000, 900)).collect();
    wire.pass(client, (collector, 443), TCP, batches);
}

/// Agents of a monitoring service on every host, and programs that look for updates: regular, small and wanted.
pub(super) fn agents(wire: &mut Wire, town: &Town) {
    let service = strangers_of(wire, 3);
    for host in town.everyone() {
        let server = (wire.random.pick(&service), 443);
        let mut at = wire.random.time(0, 60_000);
        while at < wire.length {
            let client = (host, wire.ephemeral());
            let report = wire.random.between(2_000, 5_000);
            wire.pass(client, server, TCP, vec![tcp(at, 300, report, 600)]);
            at += 60_000 + wire.random.time(-300, 300);
        }
    }
    for host in [town.builder, town.bastion] {
        let server = (stranger(wire), 443);
        let mut at = wire.random.time(0, 600_000);
        while at < wire.length {
            let client = (host, wire.ephemeral());
            wire.pass(client, server, TCP, vec![tcp(at, 800, 900, 30_000)]);
            at += 1_800_000 + wire.random.time(0, 600_000);
        }
    }
}

/// Mail in and out.
pub(super) fn mail(wire: &mut Wire, town: &Town) {
    let mut at = 0;
    while at < wire.length {
        let other = stranger(wire);
        let size = wire.random.size(40_000, 1.2, (2_000, 8_000_000));
        if wire.random.chance(60) {
            let client = (other, wire.random.port(1_024, 65_535));
            wire.pass(client, (town.mail, 25), TCP, vec![tcp(at, 3_000, size, 900)]);
        } else {
            let client = (town.mail, wire.ephemeral());
            wire.pass(client, (other, 25), TCP, vec![tcp(at, 3_000, size, 900)]);
        }
        at += wire.random.time(4_000, 40_000);
    }
}

/// Site-to-site tunnels: one port on both sides, uneven by nature.
pub(super) fn tunnels(wire: &mut Wire, town: &Town) {
    let offices = strangers_of(wire, 3);
    for (office, port) in offices.into_iter().zip([51_820, 4_500, 51_820]) {
        let mut bursts = Vec::new();
        let mut at = 0;
        while at < wire.length {
            let down = wire.random.size(2_000, 1.0, (20, 60_000));
            bursts.push(burst(at, 60_000, volume(down / 3 + 2, (down / 3 + 2) * 140), volume(down, down * 1_100)));
            at += 60_000;
        }
        wire.pass((office, port), (town.gateway, port), UDP, bursts);
    }
}

/// A game server: states sent thirty times a second, and lists of players to whoever asks.
pub(super) fn game(wire: &mut Wire, town: &Town) {
    let mut at = 0;
    while at < wire.length {
        let player = (stranger(wire), wire.random.port(1_024, 65_535));
        let span = wire.random.time(300_000, 1_800_000);
        let ticks = u64::try_from(span / 33).unwrap_or(1);
        wire.pass(
            player,
            (town.game, 27_015),
            UDP,
            vec![burst(at, span, volume(ticks, ticks * 90), volume(ticks, ticks * 260))],
        );
        for _ in 0..6 {
            let asker = (stranger(wire), wire.random.port(1_024, 65_535));
            let when = at + wire.random.time(0, 200_000);
            wire.pass(asker, (town.game, 27_015), UDP, vec![asked(when, 50, 1, 53, 420)]);
        }
        at += wire.random.time(60_000, 300_000);
    }
}

/// A stream of pictures to a service outside, in one direction, with a report now and then.
pub(super) fn camera(wire: &mut Wire, town: &Town) {
    let studio = stranger(wire);
    let client = (town.camera, wire.ephemeral());
    let minutes =
        (0..wire.length / 60_000).map(|n| burst(n * 60_000, 60_000, volume(9_000, 9_000 * 1_180), volume(12, 12 * 92)));
    let minutes = minutes.collect();
    wire.pass(client, (studio, 5_004), UDP, minutes);
}

/// The background noise of the internet at closed doors: single knocks, and scanners that try every public address.
pub(super) fn strangers(wire: &mut Wire, town: &Town) {
    const PORTS: [u16; 22] = [
        23, 23, 23, 445, 445, 3_389, 3_389, 22, 22, 22, 1_433, 8_080, 5_555, 2_323, 81, 8_545, 6_379, 3_306, 5_900,
        7_547, 2_375, 9_200,
    ];
    let public = [
        town.balancer,
        town.web[0],
        town.web[1],
        town.names,
        town.bastion,
        town.mail,
        town.time,
        town.game,
        town.gateway,
    ];
    let mut at = 0;
    while at < wire.length {
        let source = stranger(wire);
        let port = wire.random.port(1_025, 65_534);
        let knock = volume(wire.random.pick(&[1, 1, 1, 2, 3]), 0);
        let knock = volume(knock.packets, knock.packets * wire.random.pick(&[40, 44, 60]));
        let service = if wire.random.chance(75) { wire.random.pick(&PORTS) } else { wire.random.port(1, 65_535) };
        let targets = if wire.random.chance(15) { public.to_vec() } else { vec![wire.random.pick(&public)] };
        for target in targets {
            wire.stop((source, port), (target, service), TCP, at, knock);
        }
        if wire.random.chance(6) {
            let target = wire.random.pick(&public);
            let service = wire.random.pick(&[5_060, 161, 1_900, 11_211, 389]);
            wire.stop((source, port), (target, service), UDP, at, volume(1, 420));
        }
        at += wire.random.time(300, 4_000);
    }
}
