//! The language as a table: what is typed and how it is read. Each line is also a promise to whoever comes from another tool.

use super::*;

/// Asserts that each text is read as the spelling beside it.
fn read_as(stage: Stage, table: &[(&str, &str)]) {
    for (text, printed) in table {
        let made = filter(text, stage);
        assert_eq!(made.to_string(), *printed, "{text}");
        assert_eq!(filter(printed, stage), made, "{text}");
        assert!(made.warnings().is_empty(), "{text}: {:?}", made.warnings());
    }
}

/// Asserts that each text is an error there that says this.
pub(super) fn refused(table: &[(&str, &str, &str)]) {
    for (text, at, says) in table {
        let error = match Filter::parse(text, Stage::Flows) {
            Ok(made) => panic!("{text} is read as {made}"),
            Err(error) => error,
        };
        assert_eq!(text.get(error.span.clone()), Some(*at), "{text}: {error}");
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
}

#[test]
fn short_forms_and_splunks_names_are_the_fields_of_aws() {
    let value = |kind: crate::record::Kind| match kind {
        crate::record::Kind::Addr => "10.0.0.1",
        crate::record::Kind::Text => "x",
        crate::record::Kind::Protocol => "6",
        crate::record::Kind::Time => "1534778806",
        _ => "5",
    };
    for (typed, field) in [
        ("src", "srcaddr"),
        ("dst", "dstaddr"),
        ("sport", "srcport"),
        ("dport", "dstport"),
        ("port", "port"),
        ("ip", "ip"),
        ("eni", "interface-id"),
        ("proto", "protocol"),
        ("action", "action"),
        ("flags", "tcp-flags"),
        ("dir", "flow-direction"),
        ("svc", "service"),
        ("vpc", "vpc-id"),
        ("subnet", "subnet-id"),
        ("instance", "instance-id"),
        ("az", "az-id"),
        ("region", "region"),
        ("src_ip", "srcaddr"),
        ("dest_ip", "dstaddr"),
        ("src_port", "srcport"),
        ("dest_port", "dstport"),
        ("bytes", "bytes"),
        ("packets", "packets"),
        ("vpcflow_action", "action"),
        ("client", "client"),
        ("server", "server"),
        ("client.port", "client.port"),
        ("server.port", "server.port"),
        ("req.bytes", "req.bytes"),
        ("resp.bytes", "resp.bytes"),
        ("ratio", "ratio"),
        ("packet_ratio", "packet_ratio"),
        ("baf", "baf"),
        ("duration", "duration"),
        ("state", "state"),
    ] {
        let field = Field::named(field).expect("a field");
        let value = value(field.kind());
        let canonical = filter(&format!("{} = {value}", field.name()), Stage::Sessions).to_string();
        for name in [typed.to_owned(), typed.to_uppercase(), typed.replace('_', "-"), typed.replace(['-', '.'], "_")] {
            for text in [format!("{name} = {value}"), format!("{name}=={value}"), format!("{name} in {{{value}}}")] {
                assert_eq!(filter(&text, Stage::Sessions).to_string(), canonical, "{text}");
            }
        }
    }
    // Every field that AWS writes goes by the name that AWS gives it, with either sign.
    for def in crate::record::FIELDS.iter().filter(|def| def.since > 0) {
        assert_eq!(
            filter(&format!("has {}", def.name.replace('-', "_")), Stage::Flows).to_string(),
            format!("has {}", def.name)
        );
    }
}

#[test]
fn operators_values_and_units() {
    read_as(
        Stage::Flows,
        &[
            ("bytes<>5", "bytes != 5"),
            ("bytes<5 bytes<=5 or bytes>5 bytes>=5", "bytes < 5 and bytes <= 5 or bytes > 5 and bytes >= 5"),
            ("port:8000-8100", "port = 8000-8100"),
            ("port=8000..8100", "port = 8000-8100"),
            ("port in {22,3389}", "port in {22, 3389}"),
            ("port in [22 3389]", "port in {22, 3389}"),
            ("port not in (22,3389)", "port not in {22, 3389}"),
            ("port != 22,3389", "port not in {22, 3389}"),
            ("bytes > 1k and bytes > 1M and bytes > 1GiB", "bytes > 1000 and bytes > 1M and bytes > 1GiB"),
            ("bytes > 1.5kb bytes > 10 MB bytes:>2", "bytes > 1500 and bytes > 10M and bytes > 2"),
            ("bytes : > 3", "bytes > 3"),
            ("duration > 30s or duration > 5m", "duration > 30s or duration > 5m"),
            ("duration > 5 min or duration >= 1h30m", "duration > 5m or duration >= 90m"),
            ("vpc ~ /^vpc-0/i", "vpc-id ~ /^vpc-0/i"),
            ("vpc =~ ^vpc-0", "vpc-id ~ /^vpc-0/i"),
            ("vpc !~ x", "vpc-id !~ /x/i"),
            ("10/8 or 2001:db8::/32 or 10.1.*", "ip = 10.0.0.0/8 or ip = 2001:db8::/32 or ip = 10.1.0.0/16"),
            ("src 10.0.0.1-10.0.0.9", "srcaddr = 10.0.0.1-10.0.0.9"),
            ("2001:db8::1-2001:db8::ffff", "ip = 2001:db8::1-2001:db8::ffff"),
            ("@10:32..10:40", "@10:32..10:40"),
            ("last 15m last 2 hours last day last 90s", "last 15m and last 2h and last 1d and last 90s"),
            ("ssh or memcached or udp", "service = ssh or service = memcached or protocol = udp"),
            (
                "tcp and not (22 or !443) && -80 || 53",
                "protocol = tcp and not (port = 22 or not port = 443) and not port = 80 or port = 53",
            ),
            ("has tcp_flags", "has tcp-flags"),
            (
                "src $private dst in $public dport @amplification",
                "srcaddr in $private and dstaddr in $public and dstport in @amplification",
            ),
        ],
    );
}

#[test]
fn bare_words_do_the_obvious() {
    read_as(
        Stage::Flows,
        &[
            ("443", "port = 443"),
            ("10.1.2.3", "ip = 10.1.2.3"),
            ("10/8", "ip = 10.0.0.0/8"),
            ("eni-0536faba73134a9b7", "interface-id = eni-0536faba73134a9b7"),
            ("eni-0536", "interface-id = eni-0536*"),
            ("i-0a1b2c3d4e5f60718", "instance-id = i-0a1b2c3d4e5f60718"),
            ("reject", "action = REJECT"),
            ("tcp", "protocol = tcp"),
            ("s3", "pkt-src-aws-service = S3 or pkt-dst-aws-service = S3"),
            ("dynamodb", "pkt-src-aws-service = DYNAMODB or pkt-dst-aws-service = DYNAMODB"),
            ("vpc-0a", "vpc-id = vpc-0a*"),
            ("622676721278", "account-id = 622676721278"),
            ("nodata", "log-status = NODATA"),
            ("egress", "flow-direction = egress"),
            ("/10\\.0/", "/10\\.0/"),
            ("hello", "\"hello\""),
        ],
    );
    assert_eq!(filter("s3", Stage::Sessions).warnings().len(), 1);
    let words = [
        ("answered", "resp.packets > 0"),
        ("not answered", "not resp.packets > 0"),
        ("unanswered", "state = unanswered"),
    ];
    read_as(Stage::Sessions, &words);
}

#[test]
fn wireshark_is_understood() {
    read_as(
        Stage::Flows,
        &[
            ("ip.addr == 1.2.3.4 && tcp.port == 443", "ip = 1.2.3.4 and protocol = tcp and port = 443"),
            (
                "ip.src==10.0.0.0/8 and !(udp.dstport eq 53)",
                "srcaddr = 10.0.0.0/8 and not (protocol = udp and dstport = 53)",
            ),
            ("tcp.port in {80, 443, 8000..8080}", "protocol = tcp and port in {80, 443, 8000-8080}"),
            ("tcp.srcport ge 1024", "protocol = tcp and srcport >= 1024"),
            ("ip.proto == 17", "protocol = udp"),
            ("ipv6.addr == 2001:db8::1", "ip = 2001:db8::1"),
            ("tcp.port != 443", "protocol = tcp and port != 443"),
            ("vpc contains \"a.b\"", "vpc-id ~ /a\\.b/i"),
            ("vpc matches \"a.b\"", "vpc-id ~ /a\\.b/i"),
        ],
    );
    refused(&[("tcp.flags.syn == 1", "tcp.flags.syn", "flags ~ syn"), ("frame.len > 100", "frame.len", "packet-size")]);
}

#[test]
fn tcpdump_is_understood() {
    read_as(
        Stage::Flows,
        &[
            ("host 1.2.3.4 and port 53", "ip = 1.2.3.4 and port = 53"),
            ("src net 10.0.0.0/8", "srcaddr = 10.0.0.0/8"),
            ("net 192.168", "ip = 192.168.0.0/16"),
            ("dst port 443", "dstport = 443"),
            (
                "tcp dst port 443 and not src host 10.0.0.1",
                "protocol = tcp and dstport = 443 and not srcaddr = 10.0.0.1",
            ),
            ("udp portrange 8000-8100", "protocol = udp and port = 8000-8100"),
            ("dst portrange 1-1023", "dstport = 1-1023"),
            ("ip host 1.2.3.4", "ip = 1.2.3.4"),
            ("icmp or port dns", "protocol = icmp or port = 53"),
        ],
    );
    refused(&[
        ("src or dst", "src", "Write `ip = 10.0.0.1`"),
        ("greater 1000", "greater", "packet-size >= 1000"),
        ("172.16.0.178.11211", "172.16.0.178.11211", "Did you mean `172.16.0.178:11211`?"),
    ]);
}

#[test]
fn insights_splunk_and_sql_are_understood_or_told_the_spelling() {
    read_as(
        Stage::Flows,
        &[
            ("srcAddr = \"10.0.0.1\" and dstPort in [22, 3389]", "srcaddr = 10.0.0.1 and dstport in {22, 3389}"),
            ("interfaceId like /eni-0/ and logStatus = \"OK\"", "interface-id ~ /eni-0/ and log-status = OK"),
            ("interfaceId not like \"eni-0\"", "interface-id !~ /eni\\-0/i"),
            ("src_ip=10.0.0.0/8 NOT dest_port=443", "srcaddr = 10.0.0.0/8 and not dstport = 443"),
            ("src_ip=\"10.0.*\" action=\"REJECT\"", "srcaddr = 10.0.0.0/16 and action = REJECT"),
            ("dest_port IN (22, 3389)", "dstport in {22, 3389}"),
            ("sourceaddress = '10.0.0.1' AND numbytes > 1000", "srcaddr = 10.0.0.1 and bytes > 1000"),
        ],
    );
    refused(&[
        ("select srcAddr = \"10.0.0.1\"", "select", "nly the condition"),
        ("fields @timestamp | filter x", "|", "only the condition"),
        ("isIpv4InSubnet(srcAddr)", "isIpv4InSubnet", "src = 10.0.0.0/8"),
        ("cidrmatch(\"10.0.0.0/8\", nobody)", "cidrmatch", "src = 10.0.0.0/8"),
        ("ispresent(nobody)", "ispresent", "has tcp-flags"),
        ("@message = 5", "@message", "searches the whole line"),
        ("index=main", "index", "Leave it out"),
        ("last 15", "15", "Did you mean `last 15m`?"),
    ]);
}
