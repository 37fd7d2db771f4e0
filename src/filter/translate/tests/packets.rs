//! An evaluator of the part of pcap-filter(7) and of Wireshark's display filters that translations use. Neither is trusted with precedence: "and" and
//! "or" count alike, from left to right, as pcap-filter has them, so that what relies on anything else comes out wrong.

use std::net::IpAddr;

use ipnet::IpNet;
use proptest::prelude::*;

use super::{Format, Target, context, filter, selects, text, translate};

/// What a packet shows.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    pub src: IpAddr,
    pub dst: IpAddr,
    /// Both 0 where the protocol has none.
    pub ports: (u64, u64),
    pub protocol: u64,
}

/// Whether `packet` passes a capture filter.
pub fn captured(filter: &str, packet: &Packet) -> bool {
    read(filter, packet, "and", "or", "not", capture)
}

/// Whether `packet` passes a display filter.
pub fn displayed(filter: &str, packet: &Packet) -> bool {
    read(filter, packet, "&&", "||", "!", display)
}

type Primitive = for<'t> fn(&mut Reader<'t, '_>) -> bool;

struct Reader<'t, 'p> {
    tokens: Vec<&'t str>,
    at: usize,
    packet: &'p Packet,
    words: [&'static str; 3],
    primitive: Primitive,
}

fn read(
    filter: &str,
    packet: &Packet,
    and: &'static str,
    or: &'static str,
    not: &'static str,
    primitive: Primitive,
) -> bool {
    let spaced = filter.replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { tokens, at: 0, packet, words: [and, or, not], primitive };
    let passes = reader.joined();
    assert_eq!(reader.at, reader.tokens.len(), "all of it is read: {filter}");
    passes
}

impl<'t> Reader<'t, '_> {
    fn next(&mut self) -> &'t str {
        let token = self.tokens.get(self.at).copied().unwrap_or_else(|| panic!("it ends early: {:?}", self.tokens));
        self.at += 1;
        token
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.tokens.get(self.at) == Some(&word);
        self.at += usize::from(found);
        found
    }

    fn joined(&mut self) -> bool {
        let mut passes = self.one();
        loop {
            if self.take(self.words[0]) {
                passes &= self.one();
            } else if self.take(self.words[1]) {
                passes |= self.one();
            } else {
                return passes;
            }
        }
    }

    fn one(&mut self) -> bool {
        if self.take(self.words[2]) {
            return !self.one();
        }
        if self.take("(") {
            let passes = self.joined();
            assert!(self.take(")"), "a parenthesis is closed: {:?}", self.tokens);
            return passes;
        }
        (self.primitive)(self)
    }

    fn is(&self, protocol: &str) -> bool {
        let v4 = self.packet.src.is_ipv4();
        match protocol {
            "ip" => v4,
            "ip6" | "ipv6" => !v4,
            "tcp" => self.packet.protocol == 6,
            "udp" => self.packet.protocol == 17,
            "sctp" => self.packet.protocol == 132,
            "icmp" => self.packet.protocol == 1,
            "icmp6" | "icmpv6" => self.packet.protocol == 58,
            other => panic!("no protocol: {other}"),
        }
    }

    fn has_ports(&self) -> bool {
        ["tcp", "udp", "sctp"].iter().any(|protocol| self.is(protocol))
    }
}

/// One of both sides, or the one that is named.
fn side<T: Copy>(name: &str, both: (T, T), test: impl Fn(T) -> bool) -> bool {
    match name {
        "src" => test(both.0),
        "dst" => test(both.1),
        _ => test(both.0) || test(both.1),
    }
}

fn capture(reader: &mut Reader<'_, '_>) -> bool {
    let packet = *reader.packet;
    let mut word = reader.next();
    let name = if matches!(word, "src" | "dst") { word } else { "" };
    if !name.is_empty() {
        word = reader.next();
    }
    let addresses = (packet.src, packet.dst);
    match word {
        "host" => {
            let host: IpAddr = reader.next().parse().expect("an address");
            side(name, addresses, |address| address == host)
        }
        "net" => {
            let net: IpNet = reader.next().parse().expect("a network");
            side(name, addresses, |address| net.contains(&address))
        }
        "port" => {
            let wanted: u64 = reader.next().parse().expect("a port");
            reader.has_ports() && side(name, packet.ports, |port| port == wanted)
        }
        "portrange" => {
            let (from, to) = reader.next().split_once('-').expect("a range");
            let range = from.parse::<u64>().expect("a port")..=to.parse().expect("a port");
            reader.has_ports() && side(name, packet.ports, |port| range.contains(&port))
        }
        family @ ("ip" | "ip6") if reader.take("proto") => {
            let number: u64 = reader.next().parse().expect("a number");
            reader.is(family) && packet.protocol == number
        }
        protocol => reader.is(protocol),
    }
}

fn display(reader: &mut Reader<'_, '_>) -> bool {
    let packet = *reader.packet;
    let Some((protocol, name)) = reader.next().split_once('.') else {
        let word = reader.tokens[reader.at - 1];
        return reader.is(word);
    };
    let operator = reader.next();
    let value = reader.next();
    if matches!(name, "addr" | "src" | "dst") {
        assert_eq!(operator, "==");
        let net: IpNet = value.parse().or_else(|_| value.parse::<IpAddr>().map(IpNet::from)).expect("a network");
        return reader.is(protocol) && side(name, (packet.src, packet.dst), |address| net.contains(&address));
    }
    if matches!(name, "proto" | "nxt") {
        assert_eq!(operator, "==");
        return reader.is(protocol) && packet.protocol == value.parse::<u64>().expect("a number");
    }
    let range = match operator {
        "==" => value.parse::<u64>().expect("a port")..=value.parse().expect("a port"),
        "in" => {
            let inner = value.strip_prefix('{').and_then(|value| value.strip_suffix('}')).expect("a set");
            let (from, to) = inner.split_once("..").expect("a range");
            from.parse().expect("a port")..=to.parse().expect("a port")
        }
        other => panic!("no operator: {other}"),
    };
    let name = name.strip_suffix("port").expect("a port");
    reader.is(protocol) && side(name, packet.ports, |port| range.contains(&port))
}

#[test]
fn it_reads_from_left_to_right_and_asks_for_the_side() {
    let [src, dst] = ["10.0.0.1", "8.8.8.8"].map(|text| text.parse().expect("an address"));
    let packet = Packet { src, dst, ports: (40396, 53), protocol: 17 };
    for (filter, passes) in [
        ("udp and dst port 53", true),
        ("src port 53", false),
        ("udp or tcp and tcp", false),
        ("udp or (tcp and tcp)", true),
        ("not (src net 10.0.0.0/8)", false),
        ("portrange 0-100 and ip proto 17", true),
        ("ip6 or host 8.8.8.8", true),
    ] {
        assert_eq!(captured(filter, &packet), passes, "{filter}");
    }
    for (filter, passes) in [
        ("udp.dstport == 53 && ip.src == 10.0.0.0/8", true),
        ("tcp.port == 53 || udp.port in {54..60}", false),
        ("!(ipv6) && ip.proto == 17", true),
        ("ip.addr == 8.8.8.8 || tcp && tcp", false),
    ] {
        assert_eq!(displayed(filter, &packet), passes, "{filter}");
    }
}

proptest! {
    #[test]
    fn packets_are_shown_of_every_record_that_the_filter_selects(
        text in text(),
        sides in prop::collection::vec(prop::sample::select(vec!["10.0.0.1", "10.0.0.9", "8.8.8.8", "198.51.100.7", "172.16.0.178"]), 2),
        v6 in prop::option::of(prop::collection::vec(prop::sample::select(vec!["2001:db8::7", "fd00::1", "2600:1f18::1"]), 2)),
        ports in prop::collection::vec(prop::sample::select(vec![443, 22, 53, 0, 8050, 40396, 11211]), 2),
        protocol in prop::sample::select(vec![6, 17, 1, 47, 58, 132]),
    ) {
        let sides = v6.unwrap_or(sides);
        let carries = matches!(protocol, 6 | 17 | 132);
        let (from, to) = if carries { (ports[0], ports[1]) } else { (0, 0) };
        let line = format!("2 622676721278 eni-0a1b2c3d4e5f60718 {} {} {from} {to} {protocol} 3 120 1700000000 1700000040 ACCEPT OK", sides[0], sides[1]);
        let packet = Packet {
            src: sides[0].parse().expect("an address"),
            dst: sides[1].parse().expect("an address"),
            ports: (from, to),
            protocol,
        };
        let filter = filter(&text);
        let wanted = selects(&filter, &Format::default_v2(), &line);
        for (target, passes) in [
            (Target::Tcpdump, captured as fn(&str, &Packet) -> bool),
            (Target::Wireshark, displayed),
        ] {
            match translate(Some(&filter), target, &context(&[])) {
                Err(refusal) => prop_assert!(!wanted || !refusal.0.contains("No packet"), "{text}: {refusal}\n{line}"),
                Ok(said) => {
                    let shown = passes(&said.text, &packet);
                    if wanted {
                        prop_assert!(shown, "narrower: {text}\n{}\n{line}", said.text);
                    } else if said.exact {
                        prop_assert!(!shown, "not exact: {text}\n{}\n{line}", said.text);
                    }
                }
            }
        }
    }
}
