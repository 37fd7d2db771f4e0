//! A display filter for Wireshark and `tshark`.

use ipnet::IpNet;

use super::super::Filter;
use super::packets::{self, ports, protocols};
use super::plan::{Ask, Leaf};
use super::render::{Dialect, Networks, Said, networks};
use super::{Refusal, Target, Translation};
use crate::record::Field;

const REMARKS: &[(&str, &str)] = &[
    (
        "!(",
        "A packet inside another, as ICMP errors and tunnels quote them, counts too: where a `!` hides one, it hides the whole.",
    ),
    ("ip.", "A record can show the interface's own address where the packet has another (NAT, secondary addresses)."),
];

pub(super) fn translate(filter: Option<&Filter>) -> Result<Translation, Refusal> {
    packets::translate(filter, &Display, Target::Wireshark, REMARKS)
}

fn in_network(side: &str, net: &IpNet) -> String {
    let family = if matches!(net, IpNet::V4(_)) { "ip" } else { "ipv6" };
    match net.prefix_len() {
        0 => family.to_owned(),
        length if length == net.max_prefix_len() => format!("{family}.{side} == {}", net.addr()),
        _ => format!("{family}.{side} == {net}"),
    }
}

struct Display;

impl Dialect for Display {
    const AND: &'static str = " && ";
    const OR: &'static str = " || ";

    fn leaf(&self, leaf: &Leaf) -> Option<Said> {
        let (address, port) = match leaf.col {
            Field::SrcAddr | Field::PktSrcAddr | Field::SrcPort => ("src", "srcport"),
            Field::DstAddr | Field::PktDstAddr | Field::DstPort => ("dst", "dstport"),
            _ => ("addr", "port"),
        };
        let parts: Vec<String> = match (leaf.col, &leaf.ask) {
            (Field::Protocol, Ask::Ints(ranges)) => {
                protocols(ranges, "icmpv6", |number| format!("(ip.proto == {number} || ipv6.nxt == {number})"))?
            }
            (_, Ask::Addrs(ranges)) => match networks(ranges)? {
                Networks::In(nets) => nets.iter().map(|net| in_network(address, net)).collect(),
                // That one side is beyond them must not be read as: neither is in them.
                Networks::Beyond(but, and) => {
                    let sides = if address == "addr" { vec!["src", "dst"] } else { vec![address] };
                    let beyond = |side: &str| {
                        let none = but.iter().map(|net| in_network(side, net)).collect::<Vec<_>>().join(Display::OR);
                        let most = format!("((ip || ipv6) && !({none}))");
                        [most].into_iter().chain(and.iter().map(|net| in_network(side, net))).collect::<Vec<_>>()
                    };
                    sides.into_iter().flat_map(beyond).collect()
                }
            },
            (_, Ask::Ints(ranges)) => {
                let (real, zero) = ports(ranges);
                let test = |protocol: &str, (from, to): (u64, u64)| {
                    if from == to {
                        format!("{protocol}.{port} == {from}")
                    } else {
                        format!("{protocol}.{port} in {{{from}..{to}}}")
                    }
                };
                let ports = real.into_iter().flat_map(|range| ["tcp", "udp", "sctp"].map(|name| test(name, range)));
                ports.chain(zero.then(|| "!(tcp || udp || sctp)".to_owned())).collect()
            }
            (_, Ask::Present) => {
                return Some(Said::one(if leaf.keep { "(ip || ipv6)" } else { "!(ip || ipv6)" }.to_owned()));
            }
            _ => return None,
        };
        let said = Said::joined(&parts, Display::OR);
        Some(if leaf.keep { said } else { Said::one(format!("!({})", said.text)) })
    }
}
