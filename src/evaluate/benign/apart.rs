//! Ordinary traffic of a second set that was written after the rules, for `rules evaluate --unseen 2`: a larger company, other habits. It was written
//! when the rules had been changed because of the first such set, and before they were run over it.

mod people;

use std::net::IpAddr;

use super::Town;
use crate::evaluate::wire::{Wire, asked, burst, local, tcp, volume};
use crate::record::services::{TCP, UDP};
use crate::source::demo::network::public4;

/// So many addresses on the internet.
fn strangers(wire: &mut Wire, count: usize) -> Vec<IpAddr> {
    (0..count).map(|_| public4(&mut wire.random)).collect()
}

/// Logs all of it.
pub(in crate::evaluate) fn traffic(wire: &mut Wire, town: &Town) {
    autoscaled_builds(wire);
    rolling_pods(wire);
    mail_exchanger(wire);
    gateway_of_sockets(wire);
    package_mirror(wire);
    load_test(wire, town);
    failing_deploy(wire, town);
    stubborn_client(wire, town);
    forwarder(wire, town);
    backup_window(wire);
    connection_a_request(wire);
    crawler(wire);
    gossip(wire);
    region_copy(wire);
    six(wire);
    people::all(wire, town);
}

/// Builds on machines that live for twenty minutes: code over SSH from outside, packages, an artifact of some hundred megabytes to storage.
fn autoscaled_builds(wire: &mut Wire) {
    let (forge, mirrors, storage) = (public4(&mut wire.random), strangers(wire, 30), strangers(wire, 50));
    let mut at = wire.random.time(0, 300_000);
    let mut n = 0_u8;
    while at < wire.length - 1_300_000 {
        for _ in 0..wire.random.time(2, 7) {
            n = n % 200 + 1;
            let runner = wire.host(local(40, n));
            let client = (runner, wire.ephemeral());
            wire.pass(client, (forge, 22), TCP, vec![tcp(at, 9_000, 6_000, 30_000_000)]);
            for step in 0..wire.random.time(20, 60) {
                let client = (runner, wire.ephemeral());
                let size = wire.random.size(900_000, 1.5, (3_000, 300_000_000));
                let mirror = wire.random.pick(&mirrors);
                wire.pass(client, (mirror, 443), TCP, vec![tcp(at + 10_000 + step * 9_000, 3_000, 2_000, size)]);
            }
            if wire.random.chance(60) {
                let client = (runner, wire.ephemeral());
                let size = wire.random.size(90_000_000, 0.9, (2_000_000, 900_000_000));
                let bucket = wire.random.pick(&storage);
                wire.pass(client, (bucket, 443), TCP, vec![tcp(at + 800_000, 60_000, size, 8_000)]);
            }
        }
        at += wire.random.time(240_000, 900_000);
    }
}

/// Sixty pods on eight nodes are replaced one after the other, with new addresses; for a minute others still ask the old ones.
fn rolling_pods(wire: &mut Wire) {
    let callers: Vec<IpAddr> = (1..=20).map(|n| wire.host(local(41, n))).collect();
    let begins = wire.random.time(2_000_000, wire.length - 1_500_000);
    for pod in 0..60_u8 {
        let (old, new) = (local(42, pod + 1), wire.host(local(43, pod + 1)));
        let old = wire.host(old);
        let moves = begins + i64::from(pod) * 15_000;
        for caller in &callers {
            let mut at = wire.random.time(0, 20_000);
            while at < wire.length {
                let client = (*caller, wire.ephemeral());
                let answer = tcp(at, 200, 900, 4_000);
                if at < moves {
                    wire.pass(client, (old, 8_080), TCP, vec![answer]);
                } else if at < moves + 40_000 {
                    wire.pass(client, (old, 8_080), TCP, vec![burst(at, 7_000, volume(4, 240), volume(0, 0))]);
                } else {
                    wire.pass(client, (new, 8_080), TCP, vec![answer]);
                }
                at += wire.random.time(20_000, 160_000);
            }
        }
    }
}

/// Mail for five hundred people: other exchangers, some of them dead, and block lists asked for every letter.
fn mail_exchanger(wire: &mut Wire) {
    let server = wire.host(local(44, 25));
    let lists = strangers(wire, 4);
    let mut at = 0;
    while at < wire.length {
        let other = public4(&mut wire.random);
        let size = wire.random.size(30_000, 1.4, (1_500, 25_000_000));
        if wire.random.chance(65) {
            let client = (other, wire.random.port(1_024, 65_535));
            wire.pass(client, (server, 25), TCP, vec![tcp(at, 4_000, size, 1_100)]);
            for list in &lists {
                let client = (server, wire.ephemeral());
                wire.pass(client, (*list, 53), UDP, vec![asked(at, 30, 1, 74, 130)]);
            }
        } else {
            let client = (server, wire.ephemeral());
            let talk = match wire.random.between(0, 9) {
                0 => burst(at, 60_000, volume(5, 300), volume(0, 0)),
                1 => burst(at, 80, volume(1, 60), volume(1, 40)),
                _ => tcp(at, 4_000, size, 1_100),
            };
            wire.pass(client, (other, 25), TCP, vec![talk]);
        }
        at += wire.random.time(500, 6_000);
    }
}

/// Six hundred people keep a socket open for as long as they work: a beat every half minute, and what others say.
fn gateway_of_sockets(wire: &mut Wire) {
    let gateway = wire.host(local(45, 8));
    let backend = wire.host(local(45, 9));
    for _ in 0..600 {
        let person = (public4(&mut wire.random), wire.random.port(49_152, 65_535));
        let at = wire.random.time(0, wire.length / 2);
        let minutes = wire.random.time(10, (wire.length - at) / 60_000);
        let talk = (0..minutes)
            .map(|minute| {
                let news = wire.random.between(2, 60);
                burst(at + minute * 60_000, 60_000, volume(4 + news / 2, 400 + news * 30), volume(4 + news, news * 420))
            })
            .collect();
        wire.pass(person, (gateway, 443), TCP, talk);
    }
    let bus = (0..wire.length / 60_000).map(|n| tcp(n * 60_000, 60_000, 600_000, 4_000_000)).collect();
    let client = (gateway, wire.ephemeral());
    wire.pass(client, (backend, 6_379), TCP, bus);
}

/// A public mirror of packages: many fetch a little, some fetch everything; it follows another one over rsync.
fn package_mirror(wire: &mut Wire) {
    let mirror = wire.host(local(46, 80));
    let upstream = public4(&mut wire.random);
    for _ in 0..900 {
        let client = (public4(&mut wire.random), wire.random.port(1_024, 65_535));
        let at = wire.random.time(0, wire.length - 700_000);
        let size = wire.random.size(4_000_000, 2.0, (2_000, 3_000_000_000));
        let span = wire.random.time(1_000, 600_000);
        wire.pass(client, (mirror, 443), TCP, vec![tcp(at, span, 2_000, size)]);
    }
    for hour in 0..2 {
        let client = (mirror, wire.ephemeral());
        let at = hour * 3_600_000 + 300_000;
        wire.pass(client, (upstream, 873), TCP, vec![tcp(at, 900_000, 4_000_000, 2_500_000_000)]);
    }
}

/// A service outside loads the balancer from eighty addresses for ten minutes; a machine inside does the same to the applications.
fn load_test(wire: &mut Wire, town: &Town) {
    let engines = strangers(wire, 80);
    let inside = wire.host(local(47, 5));
    let begins = wire.random.time(2_400_000, wire.length - 900_000);
    for second in 0..600_i64 {
        for _ in 0..25 {
            let at = begins + second * 1_000 + wire.random.time(0, 999);
            let client = (wire.random.pick(&engines), wire.random.port(1_024, 65_535));
            wire.pass(client, (town.balancer, 443), TCP, vec![tcp(at, 400, 1_200, 18_000)]);
        }
        for app in town.apps {
            let at = begins + second * 1_000 + wire.random.time(0, 999);
            let client = (inside, wire.ephemeral());
            // Towards the end they do not keep up.
            let answer =
                if second > 540 { burst(at, 3_000, volume(3, 180), volume(0, 0)) } else { tcp(at, 90, 500, 2_500) };
            wire.pass(client, (app, 8_080), TCP, vec![answer]);
        }
    }
}

/// A deployment that does not start: the balancer asks forty targets every five seconds for a quarter of an hour, and all reset.
fn failing_deploy(wire: &mut Wire, town: &Town) {
    let targets: Vec<IpAddr> = (1..=40).map(|n| wire.host(local(48, n))).collect();
    let begins = wire.random.time(2_400_000, wire.length - 1_200_000);
    for target in targets {
        let mut at = wire.random.time(0, 5_000);
        while at < wire.length {
            let broken = (begins..begins + 900_000).contains(&at);
            let answer = if broken { burst(at, 2, volume(1, 60), volume(1, 40)) } else { tcp(at, 15, 130, 180) };
            let client = (town.balancer, wire.ephemeral());
            wire.pass(client, (target, 9_000), TCP, vec![answer]);
            at += if broken { 5_000 } else { 10_000 };
        }
    }
}

/// A program with a wrong address in its configuration: five tries a second at a closed port, and some at one that a security group stops.
fn stubborn_client(wire: &mut Wire, town: &Town) {
    let host = wire.host(local(49, 3));
    let mut at = 0;
    while at < wire.length {
        let client = (host, wire.ephemeral());
        wire.pass(client, (town.logs, 24_224), TCP, vec![burst(at, 2, volume(1, 60), volume(1, 40))]);
        if wire.random.chance(10) {
            let client = (host, wire.ephemeral());
            wire.stop(client, (town.database, 1_521), TCP, at, volume(3, 180));
        }
        at += 200;
    }
}

/// A forwarder that sixty hosts ask, and that asks two resolvers outside.
fn forwarder(wire: &mut Wire, town: &Town) {
    let server = wire.host(local(50, 53));
    let resolvers = strangers(wire, 2);
    let hosts: Vec<IpAddr> = town.everyone().into_iter().chain((1..=24).map(|n| local(51, n))).collect();
    let mut at = 0;
    while at < wire.length {
        let client = (wire.random.pick(&hosts), wire.ephemeral());
        let size = wire.random.size(170, 0.7, (80, 1_400));
        wire.pass(client, (server, 53), UDP, vec![asked(at, 5, 1, 72, size)]);
        if wire.random.chance(45) {
            let client = (server, wire.random.port(1_024, 65_535));
            let to = (wire.random.pick(&resolvers), 53);
            wire.pass(client, to, UDP, vec![asked(at, 20, 1, 80, size)]);
        }
        at += wire.random.time(20, 180);
    }
}

/// Eight hosts push their night's copy within half an hour, each connection to another address of the storage service.
fn backup_window(wire: &mut Wire) {
    let storage = strangers(wire, 40);
    let begins = wire.random.time(2_000_000, wire.length - 2_100_000);
    for n in 1..=8_u8 {
        let host = wire.host(local(52, n));
        for part in 0..wire.random.time(30, 90) {
            let client = (host, wire.ephemeral());
            let bucket = wire.random.pick(&storage);
            let size = wire.random.size(48_000_000, 0.4, (5_000_000, 130_000_000));
            wire.pass(client, (bucket, 443), TCP, vec![tcp(begins + part * 19_000, 15_000, size, 2_000)]);
        }
    }
}

/// Applications of an old kind: a connection to the database, and one to the directory, for every request.
fn connection_a_request(wire: &mut Wire) {
    let (database, directory) = (wire.host(local(53, 33)), wire.host(local(53, 38)));
    let apps: Vec<IpAddr> = (1..=4).map(|n| wire.host(local(54, n))).collect();
    let mut at = 0;
    while at < wire.length {
        let app = wire.random.pick(&apps);
        let rows = wire.random.size(2_500, 0.9, (200, 60_000));
        let client = (app, wire.ephemeral());
        wire.pass(client, (database, 3_306), TCP, vec![tcp(at, 60, 900, rows)]);
        if wire.random.chance(12) {
            let client = (app, wire.ephemeral());
            wire.pass(client, (directory, 389), TCP, vec![tcp(at, 90, 420, 800)]);
        }
        at += wire.random.time(60, 600);
    }
}

/// A host that delivers web hooks and looks after links: hundreds of sites an hour, and one in eight is not there.
fn crawler(wire: &mut Wire) {
    let host = wire.host(local(55, 7));
    let mut at = 0;
    while at < wire.length {
        let site = (public4(&mut wire.random), if wire.random.chance(85) { 443 } else { 80 });
        let client = (host, wire.ephemeral());
        let answer = match wire.random.between(0, 15) {
            0 => burst(at, 7_000, volume(4, 240), volume(0, 0)),
            1 => burst(at, 100, volume(1, 60), volume(1, 40)),
            _ => tcp(at, 900, 1_100, wire.random.size(20_000, 1.2, (300, 5_000_000))),
        };
        wire.pass(client, site, TCP, vec![answer]);
        at += wire.random.time(300, 5_000);
    }
}

/// A cluster whose members ask each other over UDP and TCP whether they live; two of sixteen were turned off.
fn gossip(wire: &mut Wire) {
    let members: Vec<IpAddr> = (1..=16).map(|n| wire.host(local(56, n))).collect();
    for member in &members[..14] {
        let mut at = wire.random.time(0, 1_000);
        while at < wire.length {
            let other = wire.random.pick(&members);
            let gone = members[14..].contains(&other);
            if other != *member {
                let back = if gone { volume(0, 0) } else { volume(1, 60) };
                wire.pass((*member, 8_301), (other, 8_301), UDP, vec![burst(at, 5, volume(1, 70), back)]);
                let client = (*member, wire.ephemeral());
                let talk = if gone { burst(at, 3_000, volume(3, 180), volume(0, 0)) } else { tcp(at, 20, 300, 300) };
                wire.pass(client, (other, 8_301), TCP, vec![talk]);
            }
            at += 12_000;
        }
    }
}

/// A database that is copied to another region all day.
fn region_copy(wire: &mut Wire) {
    let (host, other) = (wire.host(local(57, 4)), public4(&mut wire.random));
    let copy = (0..wire.length / 60_000).map(|n| tcp(n * 60_000, 60_000, 45_000_000, 90_000)).collect();
    let client = (host, wire.ephemeral());
    wire.pass(client, (other, 5_432), TCP, copy);
}

/// Hosts with addresses of the sixth version, as AWS gives them: public ones.
fn six(wire: &mut Wire) {
    let ours = |n: u16| IpAddr::from([0x2600, 0x1f18, 0x77, 0xa00, 0, 0, 0, n]);
    let hosts: Vec<IpAddr> = (1..=6).map(|n| wire.host(ours(n))).collect();
    let sites: Vec<IpAddr> =
        (0..40).map(|n: u16| IpAddr::from([0x2a00, 0x1450, 0x4001 + n % 7, 0x80, 0, 0, 0, n + 1])).collect();
    for host in hosts {
        let mut at = wire.random.time(0, 5_000);
        while at < wire.length {
            let (site, port) = (wire.random.pick(&sites), wire.ephemeral());
            let bytes = wire.random.size(60_000, 1.3, (500, 80_000_000));
            if wire.random.chance(30) {
                wire.pass((site, port), (host, 443), TCP, vec![tcp(at, 900, 1_500, bytes)]);
            } else {
                wire.pass((host, port), (site, 443), TCP, vec![tcp(at, 900, 1_500, bytes)]);
            }
            at += wire.random.time(2_000, 20_000);
        }
    }
}
