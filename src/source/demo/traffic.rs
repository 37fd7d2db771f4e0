//! Who talks to whom in the recording, how often and how much.
//!
//! Sizes follow the protocols: bytes are IP lengths, so a bare TCP packet has 52 (40 without timestamps), a full one 1,500 from the internet
//! and 9,001 inside the VPC. Nothing here may look like an attack: rules are judged by how quiet they are on this traffic.

use std::net::IpAddr;

use super::network::{BALANCER6, FROM, Host, TO, public4, public6};
use super::noise;
use super::random::Random;
use super::talk::{Burst, Talk, Volume};
use crate::record::services::{ICMP, TCP, UDP};

/// IP and TCP headers with timestamps; six has the larger IP header.
const HEADER: u64 = 52;
const HEADER6: u64 = 72;
/// Payload of a full packet from the internet, and inside the VPC (jumbo frames).
const SEGMENT: u64 = 1_400;
const JUMBO: u64 = 8_900;

/// The beginning and the end in milliseconds.
pub(super) const BEGIN: i64 = FROM * 1_000;
pub(super) const END: i64 = TO * 1_000;

/// All ordinary traffic.
pub(super) fn ordinary(random: &mut Random) -> Vec<Talk> {
    let mut talks = Vec::new();
    visitors(random, &mut talks);
    behind_the_balancer(random, &mut talks);
    stores(random, &mut talks);
    names_and_time(random, &mut talks);
    operations(random, &mut talks);
    outbound(random, &mut talks);
    noise::strangers(random, &mut talks);
    talks
}

/// Packets that carry `payload` in segments of `segment`, and `bare` ones besides.
fn packets(payload: u64, segment: u64, bare: u64, header: u64) -> Volume {
    let packets = payload.div_ceil(segment) + bare;
    Volume { packets, bytes: payload + packets * header }
}

/// One exchange over TCP: the request, and the response whose packets are acknowledged two at a time.
fn exchange(at: i64, span: i64, request: u64, response: u64, (segment, header): (u64, u64), opens: bool) -> Burst {
    let handshake = u64::from(opens) * 2;
    let back = packets(response, segment, handshake, header);
    let there = packets(request, segment, handshake + back.packets.div_ceil(2), header);
    Burst { at, span: span.max(1), there, back }
}

const INTERNET: (u64, u64) = (SEGMENT, HEADER);
const INTERNET6: (u64, u64) = (SEGMENT - 20, HEADER6);
const INSIDE: (u64, u64) = (JUMBO, HEADER);

fn tcp(client: (IpAddr, u16), server: (IpAddr, u16), seen_by: &[Host], bursts: Vec<Burst>) -> Talk {
    Talk { client, server, protocol: TCP, accepted: true, seen_by: seen_by.to_vec(), bursts }
}

/// One packet each way.
fn ask(at: i64, request: u64, response: u64) -> Burst {
    let one = |bytes| Volume { packets: 1, bytes };
    Burst { at, span: 1, there: one(request), back: one(response) }
}

/// Browsers at the load balancer.
fn visitors(random: &mut Random, talks: &mut Vec<Talk>) {
    let visitors: Vec<IpAddr> =
        (0..190).map(|n| if n % 11 == 10 { public6(random) } else { public4(random) }).collect();
    let mut at = BEGIN;
    while at < END {
        // Few visitors come often: the square of an even draw.
        let rank = random.between(0, 189) * random.between(0, 189) / 190;
        let visitor = visitors[usize::try_from(rank).unwrap_or(0)];
        let (server, shape) =
            if visitor.is_ipv6() { (BALANCER6, INTERNET6) } else { (Host::Balancer.addr(), INTERNET) };
        let client = (visitor, random.port(49_152, 65_535));
        if random.chance(12) {
            let redirect =
                exchange(at, random.time(40, 300), random.between(180, 420), random.between(300, 380), shape, true);
            talks.push(tcp(client, (server, 80), &[Host::Balancer], vec![redirect]));
        } else {
            let mut bursts = Vec::new();
            let mut when = at;
            for page in 0..random.between(1, 5) {
                let certificate = if page == 0 { 4_200 } else { 0 };
                let response = certificate + random.size(14_000, 1.0, (400, 600_000));
                let request = 520 + random.size(600, 0.4, (300, 3_000));
                bursts.push(exchange(when, random.time(60, 2_500), request, response, shape, page == 0));
                when += random.time(800, 9_000);
            }
            if visitor.is_ipv4() && random.chance(2) {
                // The client's last reset comes after the balancer has forgotten the connection.
                let late = Burst {
                    at: when + random.time(61_000, 70_000),
                    span: 1,
                    there: Volume { packets: 1, bytes: 40 },
                    back: Volume::default(),
                };
                talks.push(Talk { accepted: false, ..tcp(client, (server, 443), &[Host::Balancer], vec![late]) });
            }
            talks.push(tcp(client, (server, 443), &[Host::Balancer], bursts));
        }
        at += random.time(500, 4_600);
    }
}

/// Connections kept open between two hosts, each for some minutes, then replaced by one from another port.
struct Pool {
    client: Host,
    server: (Host, u16),
    connections: usize,
    /// Milliseconds that one connection lives.
    life: (i64, i64),
    /// Milliseconds between two requests on it.
    every: (i64, i64),
    /// Bytes: median and sigma.
    request: (u64, f64),
    response: (u64, f64),
}

fn pool(random: &mut Random, talks: &mut Vec<Talk>, pool: &Pool) {
    let Pool { client, server: (server, port), .. } = *pool;
    for _ in 0..pool.connections {
        let mut at = BEGIN + random.time(0, pool.every.1);
        while at < END {
            let until = (at + random.time(pool.life.0, pool.life.1)).min(END);
            let mut bursts = Vec::new();
            while at < until {
                let request = random.size(pool.request.0, pool.request.1, (20, 8_000));
                let response = random.size(pool.response.0, pool.response.1, (20, 400_000));
                bursts.push(exchange(at, random.time(1, 90), request, response, INSIDE, bursts.is_empty()));
                at += random.time(pool.every.0, pool.every.1);
            }
            let from = (client.addr(), random.ephemeral());
            talks.push(tcp(from, (server.addr(), port), &[client, server], bursts));
        }
    }
}

/// Requests and health checks from the load balancer to the web servers, and from those to the application.
fn behind_the_balancer(random: &mut Random, talks: &mut Vec<Talk>) {
    for web in [Host::Web1, Host::Web2] {
        let front = Pool {
            client: Host::Balancer,
            server: (web, 80),
            connections: 4,
            life: (90_000, 260_000),
            every: (2_500, 11_000),
            request: (1_100, 0.3),
            response: (7_500, 0.8),
        };
        pool(random, talks, &front);
        let application = Pool {
            client: web,
            server: (Host::App, 8_080),
            connections: 2,
            life: (180_000, 420_000),
            every: (2_000, 9_000),
            request: (900, 0.4),
            response: (4_500, 0.7),
        };
        pool(random, talks, &application);
        let mut at = BEGIN + random.time(0, 29_999);
        while at < END {
            let check = exchange(at, random.time(2, 20), 130, 260, INSIDE, true);
            let from = (Host::Balancer.addr(), random.port(1_024, 65_535));
            talks.push(tcp(from, (web.addr(), 80), &[Host::Balancer, web], vec![check]));
            at += 30_000;
        }
    }
}

/// Databases, Redis and memcached, on connections that live as long as their processes.
fn stores(random: &mut Random, talks: &mut Vec<Talk>) {
    let lasting = (4_000_000, 5_000_000);
    let pools = [
        (Host::App, (Host::Database, 5_432), 4, (1_500, 7_000), (420, 0.5), (2_400, 0.9)),
        (Host::App, (Host::Database, 3_306), 1, (4_000, 15_000), (260, 0.4), (1_500, 0.8)),
        (Host::Web2, (Host::Database, 3_306), 1, (5_000, 20_000), (240, 0.4), (1_800, 0.8)),
        (Host::Web1, (Host::App, 6_379), 1, (700, 3_000), (110, 0.3), (280, 0.6)),
        (Host::Web2, (Host::App, 6_379), 1, (700, 3_000), (110, 0.3), (280, 0.6)),
        (Host::Web1, (Host::Web2, 11_211), 1, (1_000, 5_000), (80, 0.3), (900, 0.7)),
        (Host::App, (Host::Web2, 11_211), 1, (2_000, 9_000), (80, 0.3), (900, 0.7)),
    ];
    for (client, server, connections, every, request, response) in pools {
        pool(random, talks, &Pool { client, server, connections, life: lasting, every, request, response });
    }
}

/// Look-ups at the VPC's own resolver (Amazon's own is not logged), and the time.
fn names_and_time(random: &mut Random, talks: &mut Vec<Talk>) {
    let resolver = Host::Infra;
    let udp = |client, server, seen_by: &[Host], bursts| Talk {
        client,
        server,
        protocol: UDP,
        accepted: true,
        seen_by: seen_by.to_vec(),
        bursts,
    };
    for host in [Host::Web1, Host::Web2, Host::App, Host::Database] {
        let mut at = BEGIN + random.time(0, 20_000);
        while at < END {
            // The resolver library asks for A and AAAA from one port.
            let query = random.between(56, 84);
            let bursts = vec![
                ask(at, query, query + random.between(16, 190)),
                ask(at + 1, query, query + random.between(28, 210)),
            ];
            let from = (host.addr(), random.ephemeral());
            talks.push(udp(from, (resolver.addr(), 53), &[host, resolver], bursts));
            at += random.time(20_000, 110_000);
        }
        let mut at = BEGIN + random.time(0, 120_000);
        while at < END {
            let from = (host.addr(), random.ephemeral());
            talks.push(udp(from, (resolver.addr(), 123), &[host, resolver], vec![ask(at, 76, 76)]));
            at += 256_000;
        }
    }
    for _ in 0..3 {
        // ntpd asks from its own port: nothing in the record tells who began.
        let server = public4(random);
        let mut at = BEGIN + random.time(0, 63_000);
        let mut bursts = Vec::new();
        while at < END {
            bursts.push(ask(at, 76, 76));
            at += 64_000 + random.time(-900, 900);
        }
        talks.push(udp((resolver.addr(), 123), (server, 123), &[resolver], bursts));
    }
}

/// Monitoring, people at keyboards, pings.
fn operations(random: &mut Random, talks: &mut Vec<Talk>) {
    let scraped = [Host::Web1, Host::Web2, Host::App, Host::Database];
    for host in scraped {
        let scrape = Pool {
            client: Host::Infra,
            server: (host, 9_100),
            connections: 1,
            life: (4_000_000, 5_000_000),
            every: (15_000, 15_000),
            request: (310, 0.05),
            response: (5_200, 0.05),
        };
        pool(random, talks, &scrape);
    }
    let office = public4(random);
    let bastion = (Host::Infra.addr(), 22);
    let jump = |random: &mut Random, host: Host| {
        ((Host::Infra.addr(), random.ephemeral()), (host.addr(), 22), [Host::Infra, host])
    };
    let from = (office, random.ephemeral());
    talks.push(tcp(from, bastion, &[Host::Infra], typing(random, 20, 1_905)));
    let from = (office, random.ephemeral());
    talks.push(tcp(from, bastion, &[Host::Infra], typing(random, 1_130, 1_171)));
    for (host, begins, ends) in [(Host::App, 95, 1_260), (Host::Web2, 1_310, 1_500), (Host::Database, 1_440, 1_830)] {
        let (client, server, seen_by) = jump(random, host);
        talks.push(tcp(client, server, &seen_by, typing(random, begins, ends)));
    }

    let icmp = |client, server, seen_by: &[Host], bursts| Talk {
        client: (client, 0),
        server: (server, 0),
        protocol: ICMP,
        accepted: true,
        seen_by: seen_by.to_vec(),
        bursts,
    };
    let pings = |at, count| {
        let volume = Volume { packets: count, bytes: count * 84 };
        Burst { at, span: (1_000 * count).cast_signed(), there: volume, back: volume }
    };
    for host in [Host::Standby, Host::Database, Host::App] {
        let every: Vec<Burst> = (0..8).map(|n| pings(BEGIN + 40_000 + n * 300_000, 3)).collect();
        talks.push(icmp(Host::Infra.addr(), host.addr(), &[Host::Infra, host], every));
    }
    for _ in 0..7 {
        let (stranger, at) = (public4(random), random.time(BEGIN, END - 60_000));
        talks.push(icmp(stranger, Host::Balancer.addr(), &[Host::Balancer], vec![pings(at, random.between(1, 5))]));
    }
}

/// A shell session from second `begins` to `ends` of the recording: keys one way, their echo and the output of commands the other.
fn typing(random: &mut Random, begins: i64, ends: i64) -> Vec<Burst> {
    let (mut at, end) = (BEGIN + begins * 1_000, BEGIN + ends * 1_000);
    // Key exchange first.
    let mut bursts = vec![exchange(at, 400, 3_400, 3_900, INTERNET, true)];
    while at < end {
        at += random.time(1_500, 25_000);
        let keys = random.between(3, 30);
        let output = random.size(600, 1.0, (44, 12_000));
        bursts.push(Burst {
            at,
            span: random.time(300, 6_000),
            there: Volume { packets: keys * 2, bytes: keys * (2 * HEADER + 36) },
            back: Volume {
                packets: keys + output.div_ceil(SEGMENT),
                bytes: keys * (HEADER + 36) + packets(output, SEGMENT, 0, HEADER).bytes,
            },
        });
    }
    bursts
}

/// What the private hosts ask of the internet, through the NAT instance, and what the public ones ask themselves.
fn outbound(random: &mut Random, talks: &mut Vec<Talk>) {
    let partners: Vec<IpAddr> = (0..5).map(|_| public4(random)).collect();
    let mut at = BEGIN + 3_000;
    for turn in 0.. {
        if at >= END {
            break;
        }
        // Each partner is met in the first minutes, so that none is news later.
        let partner = partners.get(turn).copied().unwrap_or_else(|| random.pick(&partners));
        let burst = exchange(
            at,
            random.time(80, 900),
            700 + random.size(1_300, 0.5, (200, 9_000)),
            4_300 + random.size(1_600, 0.7, (100, 30_000)),
            INTERNET,
            true,
        );
        through_nat(random, talks, Host::App, (partner, 443), &burst);
        at += random.time(12_000, 50_000);
    }

    let mirror = (public4(random), 80);
    let updates = [
        (Host::Database, 60, 1_400_000_u64),
        (Host::App, 110, 2_900_000),
        (Host::Database, 1_215, 27_500_000),
        (Host::App, 1_870, 19_800_000),
    ];
    for (host, second, size) in updates {
        let at = BEGIN + second * 1_000 + random.time(0, 5_000);
        // Package indexes and packages are asked for by long lists of names over one connection.
        let burst = exchange(at, (size / 900).cast_signed(), 1_200 + size / 60, size, INTERNET, true);
        through_nat(random, talks, host, mirror, &burst);
    }

    let metrics = public4(random);
    for host in [Host::Web1, Host::Web2, Host::Infra] {
        let mut at = BEGIN + random.time(0, 59_000);
        while at < END {
            let burst = exchange(at, random.time(60, 400), 3_100 + random.between(0, 900), 5_100, INTERNET, true);
            let from = (host.addr(), random.ephemeral());
            talks.push(tcp(from, (metrics, 443), &[host], vec![burst]));
            at += 60_000;
        }
    }
}

/// One conversation of a private host, before and behind the NAT instance. The instance logs both legs.
fn through_nat(random: &mut Random, talks: &mut Vec<Talk>, host: Host, server: (IpAddr, u16), burst: &Burst) {
    let inside = (host.addr(), random.ephemeral());
    let outside = (Host::Infra.addr(), random.port(1_024, 65_535));
    talks.push(tcp(inside, server, &[host, Host::Infra], vec![*burst]));
    talks.push(tcp(outside, server, &[Host::Infra], vec![*burst]));
}
