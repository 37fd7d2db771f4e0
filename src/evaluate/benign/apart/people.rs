//! People and their devices: an office behind one address, desktops, telephones, things.

use std::net::IpAddr;

use super::strangers;
use crate::evaluate::benign::Town;
use crate::evaluate::wire::{Wire, asked, burst, local, tcp, volume};
use crate::record::services::{TCP, UDP};
use crate::source::demo::network::public4;

pub(super) fn all(wire: &mut Wire, town: &Town) {
    office(wire, town);
    desktops(wire);
    telephones(wire);
    things(wire);
    watchers(wire, town);
}

/// Eighty people behind one public address: the web, code over SSH a few times a minute, a jump host by remote desktop.
fn office(wire: &mut Wire, town: &Town) {
    let address = public4(&mut wire.random);
    let (forge, jump) = (wire.host(local(58, 22)), wire.host(local(58, 33)));
    let mut at = 0;
    while at < wire.length {
        let client = (address, wire.random.port(1_024, 65_535));
        match wire.random.between(0, 9) {
            0..=5 => {
                let size = wire.random.size(50_000, 1.3, (500, 30_000_000));
                wire.pass(client, (town.balancer, 443), TCP, vec![tcp(at, 4_000, 2_000, size)]);
            }
            6..=8 => {
                // Mostly there is nothing to fetch.
                let size = wire.random.size(3_500, 1.4, (2_200, 80_000_000));
                wire.pass(client, (forge, 22), TCP, vec![tcp(at, 1_500, 4_200, size)]);
            }
            _ => {
                let span = wire.random.time(300_000, 2_400_000);
                let minutes = (0..span / 60_000).map(|n| tcp(at + n * 60_000, 60_000, 90_000, 1_500_000)).collect();
                if wire.random.chance(10) {
                    wire.pass(client, (jump, 3_389), TCP, minutes);
                }
            }
        }
        at += wire.random.time(2_000, 16_000);
    }
}

/// Desktops that share updates among each other: a third of those that they know are turned off.
fn desktops(wire: &mut Wire) {
    let all: Vec<IpAddr> = (1..=90).map(|n| if n <= 60 { wire.host(local(59, n)) } else { local(59, n) }).collect();
    let printers: Vec<IpAddr> = (1..=5).map(|n| wire.host(local(66, n))).collect();
    for desktop in &all[..60] {
        let mut at = wire.random.time(0, 900_000);
        while at < wire.length {
            for other in 0..wire.random.between(4, 14) {
                let peer = wire.random.pick(&all);
                if peer == *desktop {
                    continue;
                }
                let when = at + i64::try_from(other).unwrap_or(0) * 700;
                let client = (*desktop, wire.ephemeral());
                let talk = if all[60..].contains(&peer) {
                    burst(when, 3_000, volume(3, 156), volume(0, 0))
                } else {
                    tcp(when, 9_000, 9_000, wire.random.size(2_000_000, 1.0, (10_000, 90_000_000)))
                };
                wire.pass(client, (peer, 7_680), TCP, vec![talk]);
            }
            let printer = wire.random.pick(&printers);
            let client = (*desktop, wire.ephemeral());
            wire.pass(client, (printer, 161), UDP, vec![asked(at, 200, 4, 90, 160)]);
            let client = (*desktop, wire.ephemeral());
            wire.pass(client, (printer, 9_100), TCP, vec![tcp(at + 500, 4_000, 900_000, 400)]);
            at += wire.random.time(600_000, 2_400_000);
        }
    }
}

/// A telephone exchange: lines to a provider, sound both ways, and a question every half minute whether it lives.
fn telephones(wire: &mut Wire) {
    let exchange = wire.host(local(67, 60));
    let (provider, media) = (public4(&mut wire.random), strangers(wire, 12));
    let beats = (0..wire.length / 30_000).map(|n| asked(n * 30_000, 40, 1, 420, 380)).collect();
    wire.pass((exchange, 5_060), (provider, 5_060), UDP, beats);
    let mut at = 0;
    while at < wire.length - 1_300_000 {
        let (here, there) = (wire.random.port(10_000, 20_000), wire.random.port(10_000, 40_000));
        let span = wire.random.time(20_000, 1_200_000);
        let packets = span.unsigned_abs() / 20;
        let sound = volume(packets, packets * 200);
        let to = wire.random.pick(&media);
        wire.pass((exchange, here), (to, there), UDP, vec![burst(at, span, sound, sound)]);
        at += wire.random.time(5_000, 60_000);
    }
}

/// Three hundred things that report over MQTT, each over one connection that breaks now and then.
fn things(wire: &mut Wire) {
    let broker = wire.host(local(68, 8));
    for _ in 0..300 {
        let thing = public4(&mut wire.random);
        let mut at = wire.random.time(0, 600_000);
        while at < wire.length {
            let minutes = wire.random.time(5, 60).min((wire.length - at) / 60_000);
            let reports =
                (0..minutes).map(|n| burst(at + n * 60_000, 60_000, volume(6, 700), volume(5, 280))).collect();
            let client = (thing, wire.random.port(1_024, 65_535));
            wire.pass(client, (broker, 8_883), TCP, reports);
            at += (minutes + 1) * 60_000;
        }
    }
}

/// A service outside looks whether the public doors are open, from twelve places in turn, every minute; mail and SSH among them.
fn watchers(wire: &mut Wire, town: &Town) {
    let places = strangers(wire, 12);
    let doors = [(town.balancer, 443), (town.bastion, 22), (town.mail, 25), (town.names, 53)];
    for (server, port) in doors {
        let mut at = wire.random.time(0, 60_000);
        let mut turn = 0;
        while at < wire.length {
            let client = (places[turn % 12], wire.random.port(1_024, 65_535));
            let (there, back) = if port == 443 { (700, 6_000) } else { (60, 1_100) };
            wire.pass(client, (server, port), TCP, vec![tcp(at, 300, there, back)]);
            at += 60_000;
            turn += 1;
        }
    }
}
