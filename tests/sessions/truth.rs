//! Conversations of a small VPC and the flow log lines that their interfaces write of them, by seed.
//!
//! Each conversation is a list of packets by the second. An interface sums what it sees of each direction over its own windows, as flow logs do;
//! lines come late and shuffled, some twice, and some of one of two interfaces are lost. What went where, how much, and who began is the truth.

use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Steele and Vigna's `SplitMix64`.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0xA24B_AED4_963E_E407))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn range(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Kinds of conversation with their share of all, in thousandths, and whether a log can say who began.
pub const KINDS: [(&str, u64, bool); 21] = [
    ("web", 150, true),
    ("web over IPv6", 40, true),
    ("database", 80, true),
    ("cache", 60, true),
    ("gRPC", 80, true),
    ("node port", 70, true),
    ("DNS", 110, true),
    ("NTP client", 20, true),
    ("QUIC", 50, true),
    ("game server, UDP", 40, true),
    ("high to high, TCP", 20, true),
    ("symmetric UDP", 30, false),
    ("SSH", 30, true),
    ("ICMP echo", 30, false),
    ("ESP tunnel", 10, false),
    ("long-lived", 25, true),
    ("began before the log", 25, true),
    ("same ports again", 40, true),
    ("again, beginning lost", 20, true),
    ("NAT gateway", 30, true),
    ("rejected probe", 40, true),
];

/// How the log is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Aggregation interval, seconds.
    pub window: i64,
    /// Whether lines have tcp-flags.
    pub flags: bool,
}

/// An end of a conversation.
pub type End = (IpAddr, Option<u16>);

/// What there is to find.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub kind: usize,
    pub protocol: u8,
    pub client: End,
    pub server: End,
    /// Bytes and packets that the client sent, and the server.
    pub asked: (u64, u64),
    pub answered: (u64, u64),
    pub first: i64,
}

/// A line, and what it is made of.
#[derive(Clone, Debug)]
pub struct Line {
    pub eni: u16,
    /// Addresses of the packet, and of the interface where they differ.
    pub src: End,
    pub dst: End,
    at: (IpAddr, IpAddr),
    pub protocol: u8,
    pub packets: u64,
    pub bytes: u64,
    pub start: i64,
    pub end: i64,
    pub flags: u8,
    accept: bool,
}

/// The names of the columns of [`Line::text`].
pub fn header(style: Style) -> String {
    let flags = if style.flags { "tcp-flags " } else { "" };
    format!(
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end {flags}action log-status pkt-srcaddr pkt-dstaddr\n"
    )
}

impl Line {
    pub fn text(&self, style: Style) -> String {
        let port = |port: Option<u16>| port.map_or("-".to_owned(), |port| port.to_string());
        let flags = match (style.flags, self.protocol) {
            (false, _) => String::new(),
            (true, 6) => format!("{} ", self.flags),
            (true, _) => "- ".to_owned(),
        };
        format!(
            "5 123456789012 eni-{:017x} {} {} {} {} {} {} {} {} {} {flags}{} OK {} {}\n",
            self.eni,
            self.at.0,
            self.at.1,
            port(self.src.1),
            port(self.dst.1),
            self.protocol,
            self.packets,
            self.bytes,
            self.start,
            self.end,
            if self.accept { "ACCEPT" } else { "REJECT" },
            self.src.0,
            self.dst.0,
        )
    }
}

/// A log and its truth.
pub struct World {
    pub conversations: Vec<Conversation>,
    /// In the order of delivery.
    pub lines: Vec<Line>,
}

const START: i64 = 1_700_000_000;
const SPAN: u64 = 7_200;
/// No line comes later after the end of its window than this, seconds.
pub const LATENESS: i64 = 1_200;

const FIN: u8 = 1;
const SYN: u8 = 2;
const SYN_ACK: u8 = 18;

/// Packets of one second in one direction.
#[derive(Clone, Copy)]
struct Burst {
    second: i64,
    back: bool,
    packets: u64,
    bytes: u64,
    flags: u8,
}

struct Maker {
    random: Random,
    style: Style,
    /// Whether lines say when their window began and ended, instead of the first and the last packet.
    whole_windows: bool,
    used: HashSet<(End, End, u8)>,
    world: World,
}

/// The log of `seed`, of about 1,500 conversations.
pub fn world(seed: u64, style: Style) -> World {
    let world = World { conversations: Vec::new(), lines: Vec::new() };
    let mut maker =
        Maker { random: Random::new(seed), style, whole_windows: seed % 3 == 2, used: HashSet::new(), world };
    for _ in 0..1_500 {
        let mut draw = maker.random.below(1_000);
        let kind = KINDS.iter().position(|(_, share, _)| {
            let is_it = draw < *share;
            draw = draw.saturating_sub(*share);
            is_it
        });
        maker.converse(kind.unwrap_or(0));
    }
    maker.deliver()
}

fn host(number: u64) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 1, u8::try_from(10 + number).unwrap())
}

impl Maker {
    fn inside(&mut self) -> u64 {
        self.random.below(24)
    }

    fn internet(&mut self) -> IpAddr {
        // 11.0.0.0 to 99.255.255.255, all of it public.
        let addr = self.random.range(0x0B00_0000, 0x6400_0000);
        Ipv4Addr::from(u32::try_from(addr).unwrap()).into()
    }

    /// A port as systems choose them for clients. Those of the internet are of every make, and behind NAT.
    fn ephemeral(&mut self, outside: bool) -> u16 {
        let (from, to) = match self.random.below(10) {
            0 if outside => (1_024, 65_536),
            1..6 if outside => (49_152, 65_536),
            _ => (32_768, 61_000),
        };
        u16::try_from(self.random.range(from, to)).unwrap()
    }

    fn converse(&mut self, kind: usize) {
        let name = KINDS[kind].0;
        let server = self.inside();
        let other = (server + 1 + self.random.below(23)) % 24;
        let (mut addr, mut from) = (IpAddr::from(host(server)), IpAddr::from(host(other)));
        let outside = matches!(name, "web" | "QUIC" | "rejected probe" | "game server, UDP")
            || (matches!(name, "node port" | "SSH") && self.random.chance(60));
        if outside {
            from = self.internet();
        }
        if name == "web over IPv6" {
            let v6 = |last: u64| Ipv6Addr::new(0x2600, 0x1f18, 0, 0, 0, 0, 1, u16::try_from(last).unwrap());
            addr = v6(10 + server).into();
            from = v6(1_000 + self.random.below(50_000)).into();
        }
        // Few servers for each of these, so that many talk to one.
        let few = server % 3;
        let (protocol, port) = match name {
            "web" | "web over IPv6" => (6, [443, 443, 80, 8_080][few as usize]),
            "database" => (6, [5_432, 3_306, 1_433][few as usize]),
            "cache" => (6, [6_379, 11_211, 9_092][few as usize]),
            "gRPC" => (6, [50_051, 50_052, 41_007][few as usize]),
            "node port" => (6, u16::try_from(30_000 + server * 97 % 2_700).unwrap()),
            "DNS" => (17, 53),
            "NTP client" => (17, 123),
            "QUIC" => (17, 443),
            "game server, UDP" => (17, [27_115, 34_197, 61_455][few as usize]),
            "high to high, TCP" => (6, u16::try_from(self.random.range(20_000, 65_000)).unwrap()),
            "symmetric UDP" => (17, [123, 4_500, 51_820][few as usize]),
            "ICMP echo" => (1, 0),
            "ESP tunnel" => (50, 0),
            "SSH" => (6, 22),
            "long-lived" => (6, [443, 5_671, 50_051][few as usize]),
            "rejected probe" => (6, u16::try_from(self.random.range(1, 10_000)).unwrap()),
            _ => (6, 443),
        };
        let few_hosts = matches!(name, "gRPC" | "game server, UDP" | "node port");
        if few_hosts {
            addr = host(few).into();
            if !outside {
                from = host(3 + other % 21).into();
            }
        }
        let server_end = (addr, if protocol == 50 { None } else { Some(port) });
        let mut client_end = (from, None);
        loop {
            client_end.1 = match name {
                "symmetric UDP" => Some(port),
                "ICMP echo" => Some(0),
                "ESP tunnel" => None,
                _ => Some(self.ephemeral(outside)),
            };
            if self.used.insert((client_end.min(server_end), client_end.max(server_end), protocol)) {
                break;
            }
            // Two conversations on the same ports only where that is the point.
            if client_end.1 == Some(port) || client_end.1.is_none() || client_end.1 == Some(0) {
                client_end.0 = self.internet();
            }
        }
        let begin = START + self.random.below(SPAN).cast_signed();
        let length = match name {
            "DNS" | "NTP client" | "rejected probe" => self.random.below(2),
            "long-lived" | "began before the log" => self.random.range(1_200, 5_400),
            "SSH" | "symmetric UDP" | "ESP tunnel" => self.random.range(60, 1_800),
            _ => self.random.below(150),
        };
        let mut packets = self.packets(name, protocol, begin, length.cast_signed());
        if name == "began before the log" {
            // The capture begins in the middle: everything before is missing on all interfaces.
            let from = begin + length.cast_signed() / 3;
            packets.retain(|packet| packet.second >= from);
        }
        let ends = (client_end, server_end);
        if name == "NAT gateway" {
            self.through_nat(kind, client_end, &packets);
            return;
        }
        let inner = |addr: IpAddr| {
            if let IpAddr::V4(addr) = addr { addr.octets()[..3] == [10, 0, 1] } else { addr == server_end.0 }
        };
        let observers: Vec<u16> = [ends.0.0, ends.1.0].into_iter().filter(|addr| inner(*addr)).map(eni_of).collect();
        let accept = name != "rejected probe";
        self.log(kind, protocol, ends, &packets, &observers, accept);
        if matches!(name, "same ports again" | "again, beginning lost") {
            // Another connection, with flags as soon as its records cannot be the same ones, without not before the idle time is over. Where no
            // SYN of it was logged, nothing but the pause after the end of the first tells it apart: a minute, and windows on both sides.
            let last = packets.iter().map(|packet| packet.second).max().unwrap_or(begin);
            let pause = match (self.style.flags, name) {
                (false, _) => 300 + 4 * self.style.window,
                (true, "same ports again") => 2 * self.style.window,
                (true, _) => 60 + 3 * self.style.window,
            };
            let again = last + pause + self.random.below(100).cast_signed();
            let length = self.random.below(150).cast_signed();
            let mut packets = self.packets(name, protocol, again, length);
            if name == "again, beginning lost" {
                for packet in &mut packets {
                    packet.flags &= !SYN_ACK;
                }
            }
            self.log(kind, protocol, ends, &packets, &observers, accept);
        }
    }

    /// What is sent when. The client is always the first, if only by a fraction of a second.
    fn packets(&mut self, name: &str, protocol: u8, begin: i64, length: i64) -> Vec<Burst> {
        let mut all = Vec::new();
        let one_way = name == "rejected probe";
        let (ask, answer) = (self.random.range(60, 400), self.random.range(60, 1_400));
        let mut second = begin;
        let last = begin + length;
        loop {
            let mut flags = [0, 0];
            if protocol == 6 && second == begin {
                flags = [SYN, SYN_ACK];
            }
            if protocol == 6 && second == last && !one_way {
                flags = [flags[0] | FIN, flags[1] | FIN];
            }
            let count = 1 + self.random.below(6);
            // Some servers take a second to answer.
            let delay = i64::from(second != last && self.random.chance(15));
            let mut send = |second, back, packets, flags| {
                let size = if back { answer } else { ask };
                all.push(Burst { second, back, packets, bytes: packets * size, flags });
            };
            send(second, false, count, flags[0]);
            if !one_way {
                send(second + delay, true, count + second.cast_unsigned() % 3, flags[1]);
            }
            if second == last {
                break;
            }
            second = last.min(second + 1 + self.random.below(if length > 600 { 100 } else { 30 }).cast_signed());
        }
        all
    }

    /// An instance inside talks to the internet through a gateway: both interfaces log the inner leg, the gateway's the outer one too.
    fn through_nat(&mut self, kind: usize, client: End, packets: &[Burst]) {
        let gateway = IpAddr::from(Ipv4Addr::new(10, 0, 9, 9));
        let server = (self.internet(), Some(443));
        let mapped = loop {
            let mapped = (gateway, Some(u16::try_from(self.random.range(1_024, 65_536)).unwrap()));
            if self.used.insert((mapped.min(server), mapped.max(server), 6)) {
                break mapped;
            }
        };
        let before = self.world.lines.len();
        self.log(kind, 6, (client, server), packets, &[eni_of(client.0), 999], true);
        // On the inner leg the gateway's interface address stands in for the other end.
        for line in self.world.lines[before..].iter_mut().filter(|line| line.eni == 999) {
            if line.src == client { line.at.1 = gateway } else { line.at.0 = gateway }
        }
        self.log(kind, 6, (mapped, server), packets, &[999], true);
    }

    /// What the interfaces write of a conversation.
    fn log(&mut self, kind: usize, protocol: u8, ends: (End, End), packets: &[Burst], observers: &[u16], accept: bool) {
        let total = |back: bool| {
            let all = packets.iter().filter(|packet| packet.back == back);
            all.fold((0, 0), |sum, packet| (sum.0 + packet.bytes, sum.1 + packet.packets))
        };
        let mut first = i64::MAX;
        for (number, eni) in observers.iter().enumerate() {
            let offset = i64::from(*eni) * 7 % self.style.window;
            let mut windows: BTreeMap<(i64, bool), Line> = BTreeMap::new();
            for packet in packets {
                let window = (packet.second - offset).div_euclid(self.style.window);
                let (src, dst) = if packet.back { (ends.1, ends.0) } else { ends };
                let line = windows.entry((window, packet.back)).or_insert_with(|| Line {
                    eni: *eni,
                    src,
                    dst,
                    at: (src.0, dst.0),
                    protocol,
                    packets: 0,
                    bytes: 0,
                    start: packet.second,
                    end: packet.second,
                    flags: 0,
                    accept,
                });
                line.packets += packet.packets;
                line.bytes += packet.bytes;
                line.start = line.start.min(packet.second);
                line.end = line.end.max(packet.second);
                line.flags |= packet.flags;
            }
            for ((window, _), mut line) in windows {
                if self.whole_windows {
                    line.start = window * self.style.window + offset;
                    line.end = line.start + self.style.window;
                }
                first = first.min(line.start);
                // The second interface loses some lines. What the first one has is the truth all the same.
                if number > 0 && self.random.chance(4) {
                    continue;
                }
                if self.random.chance(2) {
                    self.world.lines.push(line.clone());
                }
                self.world.lines.push(line);
            }
        }
        let (asked, answered) = (total(false), total(true));
        let (client, server) = ends;
        self.world.conversations.push(Conversation { kind, protocol, client, server, asked, answered, first });
    }

    /// Puts the lines in the order in which they come: most within minutes, all within [`LATENESS`].
    fn deliver(mut self) -> World {
        let mut keyed = Vec::new();
        for line in std::mem::take(&mut self.world.lines) {
            let delay = if self.random.chance(90) {
                self.random.below(300)
            } else {
                self.random.below(LATENESS.cast_unsigned())
            };
            keyed.push((line.end + delay.cast_signed(), self.random.next(), line));
        }
        keyed.sort_by_key(|(time, tie, _)| (*time, *tie));
        self.world.lines = keyed.into_iter().map(|(_, _, line)| line).collect();
        self.world
    }
}

/// The interface of an address inside.
fn eni_of(addr: IpAddr) -> u16 {
    match addr {
        IpAddr::V4(addr) => addr.octets()[3].into(),
        IpAddr::V6(addr) => addr.segments()[7],
    }
}
