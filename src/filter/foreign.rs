//! What people type who come from another tool: its names of fields are understood, its words for operators too, and for what cannot be
//! taken over as it is an error says how it is written here. One table each; `docs/filter.md` is checked against them.

use super::expr::Op;
use crate::record::{FIELDS, Field};

/// A field under a name of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub field: Field,
    /// The transport that the name asks for besides, as Wireshark's `tcp.port`.
    pub transport: Option<&'static str>,
}

/// Names of fields in other tools, lower case.
/// Sources: Wireshark's display filter reference (`ip.`, `ipv6.`, `tcp.`, `udp.`), pcap-filter(7), the discovered fields of Logs Insights, the
/// table of the Athena guide, the Elastic Common Schema, Zeek's `conn.log`.
pub(super) const NAMES: &[(&str, Field, Option<&str>)] = &[
    ("ip.addr", Field::Ip, None),
    ("ip.host", Field::Ip, None),
    ("ipv6.addr", Field::Ip, None),
    ("ip.src", Field::SrcAddr, None),
    ("ipv6.src", Field::SrcAddr, None),
    ("ip.dst", Field::DstAddr, None),
    ("ipv6.dst", Field::DstAddr, None),
    ("ip.proto", Field::Protocol, None),
    ("ipv6.nxt", Field::Protocol, None),
    ("tcp.port", Field::Port, Some("tcp")),
    ("tcp.srcport", Field::SrcPort, Some("tcp")),
    ("tcp.dstport", Field::DstPort, Some("tcp")),
    ("udp.port", Field::Port, Some("udp")),
    ("udp.srcport", Field::SrcPort, Some("udp")),
    ("udp.dstport", Field::DstPort, Some("udp")),
    ("net", Field::Ip, None),
    ("portrange", Field::Port, None),
    ("starttime", Field::Start, None),
    ("endtime", Field::End, None),
    ("sourceaddress", Field::SrcAddr, None),
    ("destinationaddress", Field::DstAddr, None),
    ("sourceport", Field::SrcPort, None),
    ("destinationport", Field::DstPort, None),
    ("numpackets", Field::Packets, None),
    ("numbytes", Field::Bytes, None),
    ("source.ip", Field::SrcAddr, None),
    ("source.address", Field::SrcAddr, None),
    ("source.port", Field::SrcPort, None),
    ("destination.ip", Field::DstAddr, None),
    ("destination.address", Field::DstAddr, None),
    ("destination.port", Field::DstPort, None),
    ("network.transport", Field::Protocol, None),
    ("network.bytes", Field::Bytes, None),
    ("network.packets", Field::Packets, None),
    ("id.orig_h", Field::SrcAddr, None),
    ("id.orig_p", Field::SrcPort, None),
    ("id.resp_h", Field::DstAddr, None),
    ("id.resp_p", Field::DstPort, None),
];

/// What a name means that is no field here but has a spelling.
const HINTS: &[(&str, &str)] = &[
    ("tcp.flags.syn", "Write `flags ~ syn`, or `flags = syn` for nothing but SYN."),
    ("tcp.flags.ack", "Write `flags ~ ack`."),
    ("tcp.flags.reset", "Write `flags ~ rst`."),
    ("tcp.flags.fin", "Write `flags ~ fin`."),
    ("frame.len", "A record has `bytes`, `packets` and their quotient `packet-size`."),
    ("ip.len", "A record has `bytes`, `packets` and their quotient `packet-size`."),
    ("frame.time", "Write `@10:32..10:40`, `last 15m` or `end >= 2018-08-20T15:26:46Z`."),
    ("@timestamp", "Write `@10:32..10:40`, `last 15m` or `end >= 2018-08-20T15:26:46Z`."),
    ("@message", "Write `/…/` or `\"…\"` alone: it searches the whole line."),
    ("@logstream", "The field is `log-stream`."),
    ("_raw", "Write `/…/` or `\"…\"` alone: it searches the whole line."),
    ("index", "Leave it out: it chooses data in Splunk, and here all records are searched."),
    ("sourcetype", "Leave it out: it chooses data in Splunk, and here all records are searched."),
    ("earliest", "Write `last 15m` or `@10:32..10:40`."),
    ("latest", "Write `last 15m` or `@10:32..10:40`."),
];

/// Words that begin a query of another tool before its condition, and functions of one; with what is written here.
const WORDS: &[(&str, &str)] = &[
    ("filter", "Of a query of Logs Insights only the condition is written."),
    ("fields", "Of a query of Logs Insights only the condition is written."),
    ("where", "Only the condition is written: what would follow `where`."),
    ("search", "Only the condition is written: what would follow `search`."),
    ("select", "Only the condition is written: what would follow `where`."),
    ("isipinsubnet", "Write `src = 10.0.0.0/8`."),
    ("isipv4insubnet", "Write `src = 10.0.0.0/8`."),
    ("isipv6insubnet", "Write `src = 2001:db8::/32`."),
    ("cidrmatch", "Write `src = 10.0.0.0/8`."),
    ("ispresent", "Write `has tcp-flags`."),
    ("isnotnull", "Write `has tcp-flags`."),
    ("isnull", "Write `not has tcp-flags`."),
    ("strcontains", "Write `vpc = *text*`, or `\"text\"` alone for the whole line."),
    ("greater", "A record has no packets of its own: write `packet-size >= 1000`."),
    ("less", "A record has no packets of its own: write `packet-size <= 100`."),
    ("exists", "Write `has tcp-flags`."),
    ("order", "Only the condition is written; `s` on the screen sorts."),
    ("group", "Only the condition is written; `b` on the screen groups."),
    ("limit", "Only the condition is written."),
    ("stats", "Only the condition is written; `b` on the screen groups."),
    ("mask", "Write the network with its prefix length, such as `192.168.0.0/16`."),
    ("gateway", "Write `eni-…` or `ip = 10.0.0.1`."),
    ("ether", "Flow logs know no link layer: write `eni-…` or an address."),
];

/// What `word` would do in another tool; [`WORDS`] that are functions count before a parenthesis only.
pub(super) fn word(word: &str, before_parenthesis: bool) -> Option<&'static str> {
    let (name, hint) = WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word))?;
    let function = name.starts_with("is") || matches!(*name, "cidrmatch" | "strcontains");
    (!function || before_parenthesis).then_some(*hint)
}

/// The field called `name` here or elsewhere. Elsewhere, separators do not matter either: `interfaceId` is `interface-id`.
pub(super) fn field(name: &str) -> Option<Found> {
    if let Some(field) = Field::named(name) {
        return Some(Found { field, transport: None });
    }
    if let Some((_, field, transport)) = NAMES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)) {
        return Some(Found { field: *field, transport: *transport });
    }
    let bare = |name: &str| name.replace(['-', '_', '.'], "").to_ascii_lowercase();
    let wanted = bare(name);
    // Only names of several words: `v-p-c` is no field.
    let camel = name.contains(|c: char| c.is_ascii_uppercase()) && !name.contains(['-', '_', '.']);
    let found = FIELDS.iter().find(|def| camel && def.name.contains(['-', '_', '.']) && bare(def.name) == wanted)?;
    Some(Found { field: found.field, transport: None })
}

/// The operator that `word` is in another tool, where it stands behind a field. `like` and `contains` look for a text.
pub(super) fn operator(word: &str) -> Option<Op> {
    let known = [
        ("eq", Op::Eq),
        ("ne", Op::Ne),
        ("lt", Op::Lt),
        ("le", Op::Le),
        ("gt", Op::Gt),
        ("ge", Op::Ge),
        ("like", Op::Like),
        ("contains", Op::Like),
        ("matches", Op::Like),
    ];
    known.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, op)| *op)
}

/// What to write for `next` behind a field, where SQL has words.
pub(super) fn after_field(next: &str, field: Field) -> Option<String> {
    let name = field.name();
    match next.to_ascii_lowercase().as_str() {
        "is" => Some(format!("Write `has {name}` for rows that have it, `not has {name}` for those that do not.")),
        "between" => Some(format!("A range is written `{name} = low-high`.")),
        "mask" => Some("Write the network with its prefix length, such as `192.168.0.0/16`.".to_owned()),
        _ => None,
    }
}

/// Whether `word` is a field of a packet as Wireshark names them: a protocol and what is asked of it.
pub(super) fn names_a_packet(word: &str) -> bool {
    const PROTOCOLS: &[&str] = &[
        "arp", "dhcp", "dns", "eth", "frame", "http", "http2", "icmp", "icmpv6", "ip", "ipv6", "quic", "sctp", "ssh",
        "ssl", "tcp", "tls", "udp", "vlan",
    ];
    word.split_once('.').is_some_and(|(protocol, rest)| {
        PROTOCOLS.iter().any(|known| known.eq_ignore_ascii_case(protocol))
            && rest.split('.').all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()))
    })
}

/// How what another tool calls `name` is written here.
pub(super) fn hint(name: &str) -> Option<&'static str> {
    HINTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, hint)| *hint)
}

/// Words for code words: Splunk's data model, firewalls.
const CODES: &[(&str, &str)] = &[
    ("allow", "accept"),
    ("allowed", "accept"),
    ("permit", "accept"),
    ("permitted", "accept"),
    ("accepted", "accept"),
    ("pass", "accept"),
    ("block", "reject"),
    ("blocked", "reject"),
    ("deny", "reject"),
    ("denied", "reject"),
    ("drop", "reject"),
    ("dropped", "reject"),
    ("rejected", "reject"),
    ("inbound", "ingress"),
    ("incoming", "ingress"),
    ("outbound", "egress"),
    ("outgoing", "egress"),
];

/// The code word that `word` stands for elsewhere.
pub(super) fn code(word: &str) -> Option<&'static str> {
    CODES.iter().find(|(other, _)| other.eq_ignore_ascii_case(word)).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_another_tool_hides_one_of_ours() {
        for (name, ..) in NAMES {
            assert_eq!(Field::named(name), None, "{name}");
            assert_eq!(*name, name.to_ascii_lowercase());
        }
        for (name, _) in HINTS.iter().chain(WORDS) {
            assert!(field(name).is_none(), "{name}");
        }
        for (word, code) in CODES {
            assert!(["accept", "reject", "ingress", "egress"].contains(code), "{word}");
        }
    }

    #[test]
    fn names_of_insights_are_ours_without_the_signs() {
        for (name, ours) in
            [("interfaceId", Field::InterfaceId), ("logStatus", Field::LogStatus), ("srcAddr", Field::SrcAddr)]
        {
            assert_eq!(field(name).map(|found| found.field), Some(ours), "{name}");
        }
        assert_eq!(field("interfaceid"), None);
        assert_eq!(field("V-P-C"), None);
    }
}
