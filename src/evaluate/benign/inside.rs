//! Ordinary traffic inside the network.

use super::Town;
use crate::evaluate::wire::{Wire, asked, burst, tcp, volume};
use crate::record::services::{ICMP, TCP, UDP};

/// Requests from tier to tier over kept connections: web to applications, applications to the database and to memcached.
pub(super) fn services(wire: &mut Wire, town: &Town) {
    let (apps, web) = (town.apps, town.web);
    let mut pools = Vec::new();
    for client in web {
        pools.extend(apps.map(|app| (client, app, 8_080, 900, 6_000)));
    }
    for app in apps {
        pools.push((app, town.database, 5_432, 300, 1_800));
        pools.push((app, town.database, 5_432, 300, 90_000));
        pools.push((app, town.replica, 11_211, 60, 2_400));
    }
    for (client, server, port, request, response) in pools {
        let mut at = wire.random.time(0, 30_000);
        while at < wire.length {
            let life = wire.random.time(60_000, 1_200_000);
            let source = (client, wire.ephemeral());
            let mut bursts = Vec::new();
            let mut when = at;
            while when < (at + life).min(wire.length) {
                let asked = wire.random.between(1, 12);
                bursts.push(tcp(
                    when,
                    4_000,
                    asked * request,
                    asked * wire.random.size(response, 0.8, (60, 4_000_000)),
                ));
                when += wire.random.time(8_000, 40_000);
            }
            wire.pass(source, (server, port), TCP, bursts);
            at += life + wire.random.time(0, 20_000);
        }
    }
    // Keys over UDP, inside, where nobody outside can ask.
    let mut at = 0;
    while at < wire.length {
        let client = (wire.random.pick(&apps), wire.ephemeral());
        let answer = wire.random.between(200, 30_000);
        wire.pass(
            client,
            (town.replica, 11_211),
            UDP,
            vec![burst(at, 20, volume(1, 60), volume(answer / 1_400 + 1, answer))],
        );
        at += wire.random.time(2_000, 9_000);
    }
}

/// A metrics server that reads every host every fifteen seconds, over one connection each.
pub(super) fn scrapes(wire: &mut Wire, town: &Town) {
    for host in town.everyone() {
        let phase = wire.random.time(0, 15_000);
        let size = wire.random.between(20_000, 90_000);
        let scrapes = (0..wire.length / 15_000).map(|n| tcp(phase + n * 15_000, 200, 300, size)).collect();
        let client = (town.metrics, wire.ephemeral());
        wire.pass(client, (host, 9_100), TCP, scrapes);
    }
}

/// A poller that walks whole tables of network devices: SNMP at its most talkative, and inside.
pub(super) fn devices(wire: &mut Wire, town: &Town) {
    for device in town.devices {
        let mut at = wire.random.time(0, 60_000);
        while at < wire.length {
            let client = (town.metrics, wire.ephemeral());
            let rows = wire.random.between(40, 200);
            wire.pass(client, (device, 161), UDP, vec![asked(at, 3_000, rows, 86, 1_380)]);
            at += 60_000;
        }
    }
}

/// The balancer asks every web server every ten seconds, each time over a new connection; pings besides.
pub(super) fn health(wire: &mut Wire, town: &Town) {
    for server in town.web {
        let mut at = wire.random.time(0, 10_000);
        while at < wire.length {
            let client = (town.balancer, wire.ephemeral());
            wire.pass(client, (server, 80), TCP, vec![tcp(at, 20, 120, 210)]);
            at += 10_000;
        }
        let pings = (0..wire.length / 60_000).map(|n| asked(n * 60_000, 4_000, 4, 84, 84)).collect();
        wire.pass((town.metrics, 0), (server, 0), ICMP, pings);
    }
}

/// Containers: node ports, gRPC on high ports, members that come and go.
pub(super) fn cluster(wire: &mut Wire, town: &Town) {
    let nodes = town.nodes;
    let mut at = 0;
    while at < wire.length {
        let (from, to) = (wire.random.pick(&nodes), wire.random.pick(&nodes));
        if from != to {
            let port = wire.random.pick(&[30_080, 30_443, 31_500, 32_379, 50_051, 10_250, 6_443, 2_379]);
            let request = wire.random.size(2_000, 1.0, (100, 200_000));
            let response = wire.random.size(5_000, 1.2, (100, 2_000_000));
            let (client, span) = ((from, wire.ephemeral()), wire.random.time(100, 90_000));
            wire.pass(client, (to, port), TCP, vec![tcp(at, span, request, response)]);
        }
        at += wire.random.time(200, 1_800);
    }
    for node in nodes {
        for other in nodes.into_iter().filter(|other| *other > node) {
            let beats = (0..wire.length / 60_000).map(|n| asked(n * 60_000, 60_000, 60, 150, 150)).collect();
            wire.pass((node, 4_789), (other, 4_789), UDP, beats);
        }
    }
}

/// Backups: tens of gigabytes that are hardly answered, inside.
pub(super) fn copies(wire: &mut Wire, town: &Town) {
    for (host, gigabytes) in [(town.database, 20), (town.logs, 4), (town.apps[0], 2)] {
        let at = wire.random.time(0, wire.length / 2);
        let packets = gigabytes * 1_000_000_000 / 8_900;
        let copy = burst(at, 1_500_000, volume(packets, packets * 8_952), volume(packets / 25, packets / 25 * 52));
        let client = (host, wire.ephemeral());
        wire.pass(client, (town.backup, 873), TCP, vec![copy]);
    }
    let replication = (0..wire.length / 60_000).map(|n| tcp(n * 60_000, 60_000, 20_000, 9_000_000)).collect();
    let client = (town.replica, wire.ephemeral());
    wire.pass(client, (town.database, 5_432), TCP, replication);
}

/// Configuration management over SSH: many hosts, several logins each, all wanted. People too.
pub(super) fn maintenance(wire: &mut Wire, town: &Town) {
    let hosts = town.everyone();
    for run in 0..2 {
        let mut at = run * wire.length / 2 + wire.random.time(0, 600_000);
        for host in &hosts {
            for _ in 0..wire.random.between(4, 9) {
                let client = (town.bastion, wire.ephemeral());
                let size = wire.random.size(60_000, 0.8, (9_000, 3_000_000));
                wire.pass(client, (*host, 22), TCP, vec![tcp(at, 4_000, size, size / 3 + 5_000)]);
                at += wire.random.time(500, 5_000);
            }
        }
    }
    let office = crate::source::demo::network::public4(&mut wire.random);
    for _ in 0..12 {
        let at = wire.random.time(0, wire.length - 1);
        let span = wire.random.time(60_000, 1_800_000);
        let client = (office, wire.random.port(49_152, 65_535));
        wire.pass(client, (town.bastion, 22), TCP, vec![tcp(at, span, 40_000, 160_000)]);
    }
}

/// Log lines over UDP that nobody answers.
pub(super) fn logs(wire: &mut Wire, town: &Town) {
    for host in town.web.into_iter().chain(town.devices) {
        let client = (host, wire.ephemeral());
        let lines = (0..wire.length / 60_000)
            .map(|n| {
                let count = 40 + (n.unsigned_abs() * 7) % 60;
                burst(n * 60_000, 60_000, volume(count, count * 240), volume(0, 0))
            })
            .collect();
        wire.pass(client, (town.logs, 514), UDP, lines);
    }
}

/// What fails every day: a service that is down and asked again and again, and a firewall rule that somebody forgot.
pub(super) fn failures(wire: &mut Wire, town: &Town) {
    let mut at = wire.random.time(0, 120_000);
    while at < wire.length {
        let client = (town.apps[1], wire.ephemeral());
        wire.pass(client, (town.nodes[5], 8_086), TCP, vec![burst(at, 7_000, volume(4, 240), volume(0, 0))]);
        let client = (town.apps[2], wire.ephemeral());
        wire.stop(client, (town.database, 3_306), TCP, at + 900, volume(3, 180));
        at += wire.random.time(20_000, 60_000);
    }
}
