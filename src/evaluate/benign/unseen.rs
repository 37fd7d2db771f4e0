//! Ordinary traffic that was written after the rules, for `rules evaluate --unseen`: a noisy week of a team that runs more than it should. Nothing is
//! tuned on it.

use std::net::IpAddr;

use super::Town;
use crate::evaluate::wire::{Wire, asked, burst, local, tcp, volume};
use crate::record::services::{TCP, UDP};
use crate::source::demo::network::public4;

/// A hundred addresses of a provider, which answer on 443.
fn provider(wire: &mut Wire) -> Vec<IpAddr> {
    (0..100).map(|_| public4(&mut wire.random)).collect()
}

/// Logs all of it.
pub(in crate::evaluate) fn traffic(wire: &mut Wire, town: &Town) {
    probes(wire);
    storm(wire, town);
    shippers(wire, town);
    meetings(wire);
    backup(wire);
    runners(wire);
    concentrator(wire);
    games(wire);
    configuration(wire, town);
    domain(wire);
    checks(wire);
}

/// Kubelets of four nodes ask their pods every ten seconds, each time over a new connection; pods come and go, and what is gone resets.
fn probes(wire: &mut Wire) {
    for node in 1..=4_u8 {
        let kubelet = wire.host(local(10, node));
        for pod in 1..=12_u8 {
            let address = wire.host(local(10 + node, pod));
            let port = wire.random.pick(&[8_080, 8_081, 9_090, 15_021]);
            let gone = wire.random.time(0, wire.length * 3);
            let mut at = wire.random.time(0, 10_000);
            while at < wire.length {
                let client = (kubelet, wire.ephemeral());
                let answer = if (gone..gone + 90_000).contains(&at) {
                    burst(at, 2, volume(1, 60), volume(1, 40))
                } else {
                    tcp(at, 30, 120, 180)
                };
                wire.pass(client, (address, port), TCP, vec![answer]);
                at += 10_000;
            }
        }
    }
}

/// The database was restarted: every client opens its pool at once, again and again until it is there.
fn storm(wire: &mut Wire, town: &Town) {
    let at = wire.random.time(2_400_000, wire.length - 900_000);
    for app in town.apps {
        for attempt in 0..6 {
            for _ in 0..40 {
                let client = (app, wire.ephemeral());
                let when = at + attempt * 5_000 + wire.random.time(0, 900);
                let answer =
                    if attempt < 4 { burst(when, 2, volume(1, 60), volume(1, 40)) } else { tcp(when, 500, 900, 1_400) };
                wire.pass(client, (town.database, 5_432), TCP, vec![answer]);
            }
        }
    }
}

/// Every host sends its logs to a service outside, a batch a minute, more when there is more to say.
fn shippers(wire: &mut Wire, town: &Town) {
    let endpoints = provider(wire);
    for host in town.everyone() {
        let mut at = wire.random.time(0, 60_000);
        while at < wire.length {
            let client = (host, wire.ephemeral());
            let size = wire.random.size(180_000, 1.2, (2_000, 40_000_000));
            let endpoint = wire.random.pick(&endpoints[..8]);
            wire.pass(client, (endpoint, 443), TCP, vec![tcp(at, 4_000, size, 900)]);
            at += wire.random.time(50_000, 70_000);
        }
    }
}

/// Eight people in meetings: sound and pictures both ways over UDP, by a relay.
fn meetings(wire: &mut Wire) {
    for n in 1..=8_u8 {
        let person = wire.host(local(20, n));
        let relay = public4(&mut wire.random);
        let mut at = wire.random.time(0, 1_800_000);
        while at < wire.length - 1_900_000 {
            let length = wire.random.time(900_000, 3_000_000).min(wire.length - at - 60_000);
            let client = (person, wire.ephemeral());
            let port = wire.random.pick(&[3_478, 8_801, 8_802, 19_305, 50_010]);
            let talk = (0..length / 60_000).map(|minute| {
                let (up, down) = (wire.random.between(4_000, 9_000), wire.random.between(8_000, 22_000));
                burst(at + minute * 60_000, 60_000, volume(up, up * 1_080), volume(down, down * 1_050))
            });
            let talk = talk.collect();
            wire.pass(client, (relay, port), UDP, talk);
            at += length + wire.random.time(300_000, 900_000);
        }
    }
}

/// The nightly backup, which runs at day: fifteen gigabytes through a NAT instance to storage outside.
fn backup(wire: &mut Wire) {
    let (source, gateway) = (wire.host(local(21, 5)), wire.host(local(21, 1)));
    let storage = provider(wire);
    let at = wire.random.time(1_200_000, 2_400_000);
    for part in 0..120 {
        let when = at + part * 30_000;
        let bucket = (wire.random.pick(&storage[..6]), 443);
        let (inner, outer) = (wire.ephemeral(), wire.ephemeral());
        let sent = || vec![tcp(when, 28_000, 125_000_000, 3_000)];
        wire.pass((source, inner), bucket, TCP, sent());
        wire.pass((gateway, outer), bucket, TCP, sent());
    }
}

/// Build machines fetch images from wherever the registry sends them, and throw them away.
fn runners(wire: &mut Wire) {
    let mirrors = provider(wire);
    for n in 1..=6_u8 {
        let runner = wire.host(local(22, n));
        let mut at = wire.random.time(0, 300_000);
        while at < wire.length {
            for layer in 0..wire.random.time(3, 14) {
                let client = (runner, wire.ephemeral());
                let size = wire.random.size(60_000_000, 1.3, (20_000, 1_500_000_000));
                let mirror = wire.random.pick(&mirrors);
                wire.pass(client, (mirror, 443), TCP, vec![tcp(at + layer * 800, 25_000, 1_200, size)]);
            }
            at += wire.random.time(180_000, 700_000);
        }
    }
}

/// Sixty people at home come in over UDP, and what they do goes on from there.
fn concentrator(wire: &mut Wire) {
    let server = wire.host(local(23, 1));
    for _ in 0..60 {
        let person = (public4(&mut wire.random), wire.ephemeral());
        let port = wire.random.pick(&[4_500, 1_194, 51_820, 443]);
        let at = wire.random.time(0, 1_800_000);
        let minutes = wire.random.time(20, (wire.length - at) / 60_000 - 1);
        let work = (0..minutes).map(|minute| {
            let (up, down) = (wire.random.between(60, 3_000), wire.random.between(100, 9_000));
            burst(at + minute * 60_000, 60_000, volume(up, up * 240), volume(down, down * 900))
        });
        let work = work.collect();
        wire.pass(person, (server, port), UDP, work);
    }
}

/// A game server with two hundred players and the lists that ask it how many they are.
fn games(wire: &mut Wire) {
    let server = wire.host(local(24, 7));
    for _ in 0..200 {
        let player = (public4(&mut wire.random), wire.ephemeral());
        let at = wire.random.time(0, wire.length - 700_000);
        let minutes = wire.random.time(4, (wire.length - at) / 60_000 - 1);
        let play = (0..minutes)
            .map(|minute| burst(at + minute * 60_000, 60_000, volume(1_900, 1_900 * 92), volume(1_850, 1_850 * 330)));
        let play = play.collect();
        wire.pass(player, (server, 27_015), UDP, play);
    }
    for _ in 0..30 {
        let list = public4(&mut wire.random);
        let mut at = wire.random.time(0, 60_000);
        while at < wire.length {
            let port = wire.ephemeral();
            wire.pass((list, port), (server, 27_015), UDP, vec![asked(at, 50, 1, 53, 1_180)]);
            at += wire.random.time(60_000, 180_000);
        }
    }
}

/// Someone changes a setting everywhere: a short login at fifty hosts within three minutes, then again since it was wrong.
fn configuration(wire: &mut Wire, town: &Town) {
    for run in 0..2 {
        let at = 2_700_000 + run * 900_000 + wire.random.time(0, 300_000);
        let fleet: Vec<IpAddr> = town.everyone().into_iter().chain((1..=20).map(|n| local(25, n))).collect();
        for (n, host) in (0..).zip(fleet) {
            let host = wire.host(host);
            let client = (town.bastion, wire.ephemeral());
            let (there, back) = (wire.random.between(14, 40), wire.random.between(14, 40));
            let login = burst(at + n * 3_500, 2_500, volume(there, there * 120), volume(back, back * 160));
            wire.pass(client, (host, 22), TCP, vec![login]);
        }
    }
}

/// Forty desktops with their domain controller and file server.
fn domain(wire: &mut Wire) {
    let (controller, files) = (wire.host(local(26, 2)), wire.host(local(26, 3)));
    for n in 1..=40_u8 {
        let desktop = wire.host(local(27, n));
        let mut at = wire.random.time(0, 300_000);
        while at < wire.length {
            let asks = [(controller, 389, UDP), (controller, 88, TCP), (controller, 389, TCP), (controller, 135, TCP)];
            for (step, (server, port, protocol)) in (0..).zip(asks) {
                let client = (desktop, wire.ephemeral());
                let talk = if protocol == UDP {
                    asked(at, 40, 1, 190, 2_900)
                } else {
                    tcp(at + step * 200, 150, 1_400, 2_600)
                };
                wire.pass(client, (server, port), protocol, vec![talk]);
            }
            let high = (controller, wire.random.port(49_152, 49_180));
            let client = (desktop, wire.ephemeral());
            wire.pass(client, high, TCP, vec![tcp(at + 1_000, 200, 900, 1_200)]);
            let client = (desktop, wire.ephemeral());
            let size = wire.random.size(900_000, 1.6, (4_000, 400_000_000));
            wire.pass(client, (files, 445), TCP, vec![tcp(at + 2_000, 30_000, 30_000, size)]);
            at += wire.random.time(240_000, 900_000);
        }
    }
}

/// A monitor knocks at five ports of fifty hosts every five minutes; some are always closed, and nobody takes them off the list.
fn checks(wire: &mut Wire) {
    let monitor = wire.host(local(28, 9));
    for n in 1..=50_u8 {
        let host = if n <= 35 { wire.host(local(29, n)) } else { local(29, n) };
        for port in [22, 80, 443, 5_666, 10_050] {
            let closed = wire.random.chance(25);
            let mut at = wire.random.time(0, 300_000);
            while at < wire.length {
                let client = (monitor, wire.ephemeral());
                let talk = match (n <= 35, closed) {
                    (false, _) => burst(at, 3_000, volume(3, 180), volume(0, 0)),
                    (true, true) => burst(at, 2, volume(1, 60), volume(1, 40)),
                    (true, false) => tcp(at, 100, 80, 200),
                };
                wire.pass(client, (host, port), TCP, vec![talk]);
                at += 300_000;
            }
        }
    }
}
