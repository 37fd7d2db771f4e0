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
/// table of the Athena guide, the Elastic Common Schema and Elastic's `aws.vpcflow`, Zeek's `conn.log`, Splunk's add-on for AWS and its network
/// model, the classes of OCSF (Security Lake), Chronicle's data model, nft(8) and pf.conf(5).
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
    ("orig_bytes", Field::ReqBytes, None),
    ("orig_pkts", Field::ReqPackets, None),
    ("resp_pkts", Field::RespPackets, None),
    ("related.ip", Field::Ip, None),
    ("network.iana_number", Field::Protocol, None),
    ("network.protocol", Field::Service, None),
    ("network.direction", Field::FlowDirection, None),
    ("event.action", Field::Action, None),
    ("event.outcome", Field::Action, None),
    ("event.start", Field::Start, None),
    ("event.end", Field::End, None),
    ("cloud.account.id", Field::AccountId, None),
    ("cloud.instance.id", Field::InstanceId, None),
    ("cloud.region", Field::Region, None),
    ("transport", Field::Protocol, None),
    ("protocol_code", Field::Protocol, None),
    ("aws_account_id", Field::AccountId, None),
    ("start_time", Field::Start, None),
    ("end_time", Field::End, None),
    ("src_endpoint.ip", Field::SrcAddr, None),
    ("src_endpoint.port", Field::SrcPort, None),
    ("dst_endpoint.ip", Field::DstAddr, None),
    ("dst_endpoint.port", Field::DstPort, None),
    ("connection_info.protocol_num", Field::Protocol, None),
    ("traffic.bytes", Field::Bytes, None),
    ("traffic.packets", Field::Packets, None),
    ("principal.ip", Field::SrcAddr, None),
    ("principal.port", Field::SrcPort, None),
    ("target.ip", Field::DstAddr, None),
    ("target.port", Field::DstPort, None),
    ("saddr", Field::SrcAddr, None),
    ("daddr", Field::DstAddr, None),
    ("ip.geoip.country_iso", Field::Country, None),
    ("ip.geoip.src_country_iso", Field::SrcCountry, None),
    ("ip.geoip.dst_country_iso", Field::DstCountry, None),
    ("ip.geoip.asnum", Field::Asn, None),
    ("ip.geoip.src_asnum", Field::SrcAsn, None),
    ("ip.geoip.dst_asnum", Field::DstAsn, None),
    ("ip.geoip.org", Field::Org, None),
    ("ip.geoip.src_org", Field::SrcOrg, None),
    ("ip.geoip.dst_org", Field::DstOrg, None),
    ("source.geo.country_iso_code", Field::SrcCountry, None),
    ("destination.geo.country_iso_code", Field::DstCountry, None),
    ("source.as.number", Field::SrcAsn, None),
    ("destination.as.number", Field::DstAsn, None),
    ("source.as.organization.name", Field::SrcOrg, None),
    ("destination.as.organization.name", Field::DstOrg, None),
    ("from", Field::SrcAddr, None),
    ("to", Field::DstAddr, None),
];

/// Other names of services: those of `/etc/services` that differ, and what people say.
const SERVICES: &[(&str, &str)] = &[
    ("domain", "dns"),
    ("www", "http"),
    ("ms-wbt-server", "rdp"),
    ("microsoft-ds", "smb"),
    ("cifs", "smb"),
    ("netbios-ssn", "netbios"),
    ("postgresql", "postgres"),
    ("pgsql", "postgres"),
    ("ms-sql-s", "mssql"),
    ("ms-sql-m", "mssql-browser"),
    ("isakmp", "ike"),
    ("bootps", "dhcp"),
    ("bootpc", "dhcp-client"),
    ("sunrpc", "portmap"),
    ("rpcbind", "portmap"),
    ("epmap", "msrpc"),
    ("imap2", "imap"),
    ("snmptrap", "snmp-trap"),
    ("webcache", "http-alt"),
    ("dot", "dns-tls"),
    ("mongo", "mongodb"),
    ("ipsec-nat-t", "ipsec-nat"),
    ("nat-t", "ipsec-nat"),
];

/// The service that `name` is elsewhere.
pub(super) fn service(name: &str) -> Option<&'static str> {
    SERVICES.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, service)| *service)
}

/// Words for the sets that are built in.
const SETS: &[(&str, &str)] = &[
    ("internal", "$private"),
    ("private", "$private"),
    ("rfc1918", "$private"),
    ("local", "$private"),
    ("external", "$public"),
    ("public", "$public"),
    ("internet", "$public"),
    ("amplifiers", "@amplification"),
];

/// The set that `word`, with or without its sign, probably stands for.
pub(super) fn set(word: &str) -> Option<&'static str> {
    let word = word.trim_start_matches(['$', '@']);
    SETS.iter().find(|(other, _)| other.eq_ignore_ascii_case(word)).map(|(_, set)| *set)
}

/// What a function of another tool asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// An address is in a network.
    Subnet,
    /// A field is present.
    Has,
    /// It is not.
    Lacks,
    /// A field contains a text.
    Contains,
    /// A field matches a regular expression.
    Matches,
}

/// Functions of Logs Insights, Splunk, SQL and KQL that are tests.
const FUNCTIONS: &[(&str, Function)] = &[
    ("isipinsubnet", Function::Subnet),
    ("isipv4insubnet", Function::Subnet),
    ("isipv6insubnet", Function::Subnet),
    ("cidrmatch", Function::Subnet),
    ("ipv4_is_in_range", Function::Subnet),
    ("ispresent", Function::Has),
    ("isnotnull", Function::Has),
    ("isnotempty", Function::Has),
    ("exists", Function::Has),
    ("isnull", Function::Lacks),
    ("isempty", Function::Lacks),
    ("strcontains", Function::Contains),
    ("regexp_like", Function::Matches),
    ("match", Function::Matches),
];

/// The function called `name`.
pub(super) fn function(name: &str) -> Option<Function> {
    FUNCTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, function)| *function)
}

/// Whether `name` is the whole line in another tool.
pub(super) fn is_line(name: &str) -> bool {
    name.eq_ignore_ascii_case("@message") || name.eq_ignore_ascii_case("_raw")
}

/// Whether a condition follows `word` in another tool.
pub(super) fn introduces(word: &str) -> bool {
    ["filter", "where", "search"].iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The transport and the port of `tcp/443`, `443/tcp` and `tcp:443`, as rules of firewalls have them.
pub(super) fn transport_port(word: &str) -> Option<(&'static str, &str)> {
    let transport = |name: &str| ["tcp", "udp", "sctp"].into_iter().find(|known| known.eq_ignore_ascii_case(name));
    let port = |text: &str| super::value::ports(text).is_some();
    let (a, b) = word.split_once(['/', ':'])?;
    match (transport(a), transport(b)) {
        (Some(transport), None) if port(b) => Some((transport, b)),
        (None, Some(transport)) if port(a) => Some((transport, a)),
        _ => None,
    }
}

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
    ("icmp.type", "Flow logs do not keep the type of ICMP; `icmp` is all that they tell."),
    ("_exists_", "Write `has tcp-flags`."),
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
    ("arp", "Flow logs know no link layer: every record is of IP."),
    ("rarp", "Flow logs know no link layer: every record is of IP."),
    ("multicast", "Write `dst in {224.0.0.0/4, ff00::/8}`."),
    ("broadcast", "Write the address: `dst 255.255.255.255`, or that of the subnet."),
    ("since", "Write `last 15m`, `@10:32..10:40` or `end >= 2018-08-20T15:26:46Z`."),
    ("after", "Write `@10:32..10:40` or `start >= 2018-08-20T15:26:46Z`."),
    ("before", "Write `@10:32..10:40` or `end <= 2018-08-20T15:26:46Z`."),
    ("between", "Write `@10:32..10:40`, `bytes = 1000-2000` or `10.0.0.1 -> 10.0.0.2`."),
    ("today", "Write the date: `@2018-08-20`, or `last 24h`."),
    ("yesterday", "Write the date: `@2018-08-20`, or `last 48h`."),
    ("grep", "Write `/…/` or `\"…\"`: it searches the whole line."),
    ("sum", "Only the condition is written; `b` on the screen groups and sums."),
    ("count", "Only the condition is written; `b` on the screen groups and counts."),
    ("avg", "Only the condition is written; `b` on the screen groups."),
    ("now", "Write `last 15m`."),
    ("lower", "Leave it out: the case of a value never matters."),
    ("upper", "Leave it out: the case of a value never matters."),
];

/// What `word` would do in another tool; [`WORDS`] that are functions count before a parenthesis only.
pub(super) fn word(word: &str, before_parenthesis: bool) -> Option<&'static str> {
    let (name, hint) = WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word))?;
    let function = *name != "exists" && function(name).is_some()
        || matches!(*name, "sum" | "count" | "avg" | "now" | "lower" | "upper");
    (!function || before_parenthesis).then_some(*hint)
}

/// The field called `name` here or elsewhere. Elsewhere, separators do not matter either: `interfaceId` is `interface-id`.
pub(super) fn field(name: &str) -> Option<Found> {
    let name = name.strip_prefix("aws.vpcflow.").unwrap_or(name);
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
        ("equals", Op::Eq),
    ];
    known.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, op)| *op)
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
        for (name, ours) in SERVICES {
            assert!(crate::record::services::ports_of(name).is_empty(), "{name}");
            assert!(!crate::record::services::ports_of(ours).is_empty(), "{ours}");
        }
        for (word, set) in SETS {
            let sets = super::super::Sets::default();
            assert_eq!(sets.get(set).map(|set| set.name).as_deref(), Some(*set), "{word}");
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
