//! A capture filter for `tcpdump` and everything else that takes BPF: addresses, ports and the protocol, which is all that packets and records share.

use ipnet::IpNet;

use super::super::Filter;
use super::packets::{self, ports, protocols};
use super::plan::{Ask, Leaf};
use super::render::{Dialect, Networks, Said, networks};
use super::{Refusal, Target, Translation};
use crate::record::Field;

const REMARKS: &[(&str, &str)] = &[
    ("port", "Fragments after the first have no ports; add `or (ip[6:2] & 0x1fff != 0)` to see them."),
    ("host", "A record can show the interface's own address where the packet has another (NAT, secondary addresses)."),
];

pub(super) fn translate(filter: Option<&Filter>) -> Result<Translation, Refusal> {
    packets::translate(filter, &Bpf, Target::Tcpdump, REMARKS)
}

fn in_network(side: &str, net: &IpNet) -> String {
    match net {
        net if net.prefix_len() == net.max_prefix_len() => format!("{side}host {}", net.addr()),
        IpNet::V4(net) if net.prefix_len() == 0 => "ip".to_owned(),
        IpNet::V6(net) if net.prefix_len() == 0 => "ip6".to_owned(),
        net => format!("{side}net {net}"),
    }
}

struct Bpf;

impl Dialect for Bpf {
    const AND: &'static str = " and ";
    const OR: &'static str = " or ";

    fn leaf(&self, leaf: &Leaf) -> Option<Said> {
        let side = match leaf.col {
            Field::SrcAddr | Field::PktSrcAddr | Field::SrcPort => "src ",
            Field::DstAddr | Field::PktDstAddr | Field::DstPort => "dst ",
            _ => "",
        };
        let parts: Vec<String> = match (leaf.col, &leaf.ask) {
            (Field::Protocol, Ask::Ints(ranges)) => {
                protocols(ranges, "icmp6", |number| format!("(ip proto {number} or ip6 proto {number})"))?
            }
            (_, Ask::Addrs(ranges)) => match networks(ranges)? {
                Networks::In(nets) => nets.iter().map(|net| in_network(side, net)).collect(),
                // That one side is beyond them must not be read as: neither is in them.
                Networks::Beyond(but, and) => {
                    let sides = if side.is_empty() { vec!["src ", "dst "] } else { vec![side] };
                    let part = |side: &str| {
                        let none = but.iter().map(|net| in_network(side, net)).collect::<Vec<_>>().join(Bpf::OR);
                        let most = format!("((ip or ip6) and not ({none}))");
                        [most].into_iter().chain(and.iter().map(|net| in_network(side, net))).collect::<Vec<_>>()
                    };
                    sides.into_iter().flat_map(part).collect()
                }
            },
            (_, Ask::Ints(ranges)) => {
                let (real, zero) = ports(ranges);
                let ports = real.into_iter().map(|(from, to)| {
                    if from == to { format!("{side}port {from}") } else { format!("{side}portrange {from}-{to}") }
                });
                ports.chain(zero.then(|| "not (tcp or udp or sctp)".to_owned())).collect()
            }
            // Every packet has addresses.
            (_, Ask::Present) => {
                return Some(Said::one(if leaf.keep { "(ip or ip6)" } else { "not (ip or ip6)" }.to_owned()));
            }
            _ => return None,
        };
        let said = Said::joined(&parts, Bpf::OR);
        Some(if leaf.keep { said } else { Said::one(format!("not ({})", said.text)) })
    }
}
