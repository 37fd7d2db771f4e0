//! What people type who come from another tool, and how it is read here. `docs/filter.md` shows the same table.

use super::*;

/// Where it is from, what is typed, and the canonical spelling.
pub(super) const SPELLINGS: &[(&str, &[(&str, &str)])] = &[
    (
        "Wireshark",
        &[
            ("ip.addr == 1.2.3.4 && tcp.port == 443", "ip = 1.2.3.4 and protocol = tcp and port = 443"),
            (
                "ip.src == 10.0.0.0/8 and !(udp.port eq 53)",
                "srcaddr = 10.0.0.0/8 and not (protocol = udp and port = 53)",
            ),
            ("ip.addr in {10.0.0.1, 10.0.0.5..10.0.0.9}", "ip in {10.0.0.1, 10.0.0.5-10.0.0.9}"),
            ("tcp.flags == 0x012", "tcp-flags = syn+ack"),
        ],
    ),
    (
        "tcpdump",
        &[
            ("host 1.2.3.4 and port 53", "ip = 1.2.3.4 and port = 53"),
            ("src net 10/8 and dst port 443", "srcaddr = 10.0.0.0/8 and dstport = 443"),
            ("src or dst port 22", "port = 22"),
            ("net 10 or net 192.168.0.0 mask 255.255.0.0", "ip = 10.0.0.0/8 or ip = 192.168.0.0/16"),
            ("udp and port (53 or 123)", "protocol = udp and port in {53, 123}"),
            ("ip proto 47 or ip6", "protocol = gre or ip = ::/0"),
            ("ip proto \\udp or port domain", "protocol = udp or port = 53"),
            ("10.0.0.1 -> 10.0.0.2:53", "srcaddr = 10.0.0.1 and dstaddr = 10.0.0.2 and dstport = 53"),
        ],
    ),
    (
        "Logs Insights",
        &[
            ("filter srcAddr = \"10.0.0.1\" and dstPort in [22, 3389]", "srcaddr = 10.0.0.1 and dstport in {22, 3389}"),
            ("isIpv4InSubnet(srcAddr, \"10.0.0.0/8\")", "srcaddr = 10.0.0.0/8"),
            ("not ispresent(tcpFlags)", "not has tcp-flags"),
            ("srcAddr like \"10.0.\"", "srcaddr = 10.0.0.0/16"),
            ("interfaceId not like /^eni-05/", "interface-id !~ /^eni-05/"),
            ("@message like /REJECT/", "/REJECT/"),
            ("strcontains(@message, \"REJECT\")", "\"REJECT\""),
        ],
    ),
    (
        "SQL (Athena)",
        &[
            (
                "WHERE \"srcaddr\" = '10.0.0.1' AND dstport IN (22, 3389);",
                "srcaddr = 10.0.0.1 and dstport in {22, 3389}",
            ),
            ("bytes BETWEEN 1000 AND 2000", "bytes = 1000-2000"),
            ("dstport NOT BETWEEN 1 AND 1023", "dstport != 1-1023"),
            ("tcp_flags IS NOT NULL", "has tcp-flags"),
            ("interface_id LIKE 'eni-05%'", "interface-id ~ /^eni\\-05.*$/i"),
            ("srcaddr NOT LIKE '10.0.%'", "srcaddr != 10.0.0.0/16"),
            ("\"start\" >= timestamp '2018-08-20 15:26:46'", "start >= 2018-08-20T15:26:46Z"),
            ("start > 2018-08-20 15:26", "start > 2018-08-20T15:26:00Z"),
        ],
    ),
    (
        "Splunk",
        &[
            ("search src_ip=10.0.0.* NOT dest_port=443", "srcaddr = 10.0.0.0/24 and not dstport = 443"),
            ("vpcflow_action=blocked transport=udp", "action = REJECT and protocol = udp"),
            ("cidrmatch(\"10.0.0.0/8\", src_ip)", "srcaddr = 10.0.0.0/8"),
            ("isnull(tcp_flags) OR bytes>1e6", "not has tcp-flags or bytes > 1M"),
        ],
    ),
    (
        "Kibana, Elastic",
        &[
            ("srcaddr: 10.0.0.1 AND NOT action: REJECT", "srcaddr = 10.0.0.1 and not action = REJECT"),
            ("source.ip: (10.0.0.1 OR 10.0.0.2)", "srcaddr in {10.0.0.1, 10.0.0.2}"),
            ("destination.port: [1 TO 1024]", "dstport = 1-1024"),
            ("aws.vpcflow.tcp_flags: *", "has tcp-flags"),
            ("network.direction: inbound", "flow-direction = ingress"),
        ],
    ),
    (
        "Firewalls, scanners, speech",
        &[
            ("tcp/443", "protocol = tcp and port = 443"),
            ("udp:53,123", "protocol = udp and port in {53, 123}"),
            ("from 10.0.0.1 to port 22", "srcaddr = 10.0.0.1 and dstport = 22"),
            ("any -> $public", "dstaddr in $public"),
            ("10.0.0.0/255.0.0.0", "ip = 10.0.0.0/8"),
            ("10.0.0.1-20", "ip = 10.0.0.1-10.0.0.20"),
            ("[2001:db8::1]:443", "ip = 2001:db8::1 and port = 443"),
            ("port is 443 and src not 10.0.0.1", "port = 443 and srcaddr != 10.0.0.1"),
            ("denied inbound", "action = REJECT and flow-direction = ingress"),
            ("syn or flags has rst or flags = SA", "tcp-flags ~ syn or tcp-flags ~ rst or tcp-flags = syn+ack"),
            ("@10:32-10:40", "@10:32..10:40"),
            ("bytes > 1_000_000", "bytes > 1M"),
        ],
    ),
];

#[test]
fn spellings_of_other_tools_are_read_as_the_page_says() {
    for (typed, spelled) in SPELLINGS.iter().flat_map(|(_, table)| table.iter()) {
        let made = filter(typed, Stage::Flows);
        assert_eq!(made.to_string(), *spelled, "{typed}");
        assert_eq!(filter(spelled, Stage::Flows), made, "{typed}");
        assert!(made.warnings().is_empty(), "{typed}: {:?}", made.warnings());
    }
}

/// What cannot be taken over, the place that is wrong, and what is said.
const REFUSED: &[(&str, &str, &str)] = &[
    // Wireshark
    ("tcp.flags.syn == 1", "tcp.flags.syn", "flags ~ syn"),
    ("tcp contains \"x\"", "contains", "behind a field"),
    ("icmp.type == 8", "icmp.type", "do not keep the type"),
    ("eth.addr == 00:11:22:33:44:55", "eth.addr", "no fields of theirs"),
    // tcpdump
    ("tcp[tcpflags] & 2 != 0", "&", "flags ~ syn"),
    ("src and dst net 10.0.0.0/8", "src", "Write both"),
    ("tcp[13] == 2", "tcp", "flags ~ syn"),
    ("index=vpc sourcetype=x", "index", "Leave it out"),
    ("*: 10.0.0.1", "*:", "every row"),
    ("@-15m", "@-15m", "`last 15m`"),
    ("arp", "arp", "link layer"),
    ("multicast", "multicast", "224.0.0.0/4"),
    ("10.0.0.1 > 10.0.0.2", "10.0.0.1", "`10.0.0.1 -> 10.0.0.2`"),
    // Insights, SQL
    ("filter", "filter", "only the condition"),
    ("dstPort = 22 | stats count(*)", "|", "only the condition"),
    ("count(bytes) > 5", "count", "groups"),
    ("vpc between a and b", "a and b", "no order"),
    ("bytes between 5", "", "upper end"),
    ("src != dst", "dst", "not compared with each other"),
    ("bytes > 5 ORDER BY bytes", "ORDER", "Only the condition"),
    ("*", "*", "every row"),
    // Kibana
    ("dstport: {1 TO 1024}", "1 TO 1024", "1-1024"),
    ("dstport: [1024 TO *]", "1024 TO *", "`>=`"),
    // Anybody
    ("bytes > 10 parsecs", "parsecs", "no unit"),
    ("last 10 parsecs", "parsecs", "no unit"),
    ("duration > 5 mississippi or udp", "mississippi", "no unit"),
    ("1024 < port", "1024", "`port > 1024`"),
    ("443 = port", "443", "`port = 443`"),
    ("port > 1024 and < 2048", "<", "`port < …`"),
    ("port=!443", "!", "`port != 443`"),
    ("src=10.0.0.1, dst=10.0.0.2", ",", "Write `and`"),
    ("src 10.0.0.1,dport:22", ",", "Write `and`"),
    ("any -> any", "->", "every row"),
    ("src 10.0.0.1:443", "10.0.0.1:443", "Did you mean `srcaddr = 10.0.0.1 and srcport = 443`?"),
    ("host example.com", "example.com", "no names of hosts"),
    ("since 15m", "since", "last 15m"),
    ("@timestamp", "@timestamp", "last 15m"),
    ("$internal", "$internal", "Did you mean `$private`?"),
    ("10.0.0.0/0.0.0.255", "10.0.0.0/0.0.0.255", "0 to 32"),
    ("a; b", ";", "Only the condition"),
    ("bytes > 1,000", "bytes > 1,000", "`bytes > 1000`"),
];

#[test]
fn what_cannot_be_taken_over_says_what_to_write() {
    super::language::refused(REFUSED);
}

#[test]
fn what_is_read_otherwise_than_it_was_probably_meant_is_told() {
    for (text, at, says) in [
        ("tcp port 80 or 443", "443", "write `80,443`"),
        ("udp and 53 or 123", "123", "write `53,123`"),
        ("REJECT.*443", "REJECT.*443", "`/REJECT.*443/`"),
        ("external", "external", "Did you mean `$public`?"),
    ] {
        let made = filter(text, Stage::Flows);
        let [warning] = made.warnings() else { panic!("{text}: {:?}", made.warnings()) };
        assert_eq!(&text[warning.span.clone()], at, "{text}");
        assert!(warning.message.contains(says), "{text}: {}", warning.message);
    }
    for text in [
        "tcp port 80 or port 443",
        "22 or 443",
        "tcp or 443",
        "(tcp and bytes > 5) or 443",
        "bytes > 10 \"parsecs\"",
        "bytes > 10 udp",
    ] {
        assert!(filter(text, Stage::Flows).warnings().is_empty(), "{text}");
    }
}
