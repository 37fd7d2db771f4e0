//! Names of transport ports and IP protocols, both ways. Only what an investigator meets in a VPC; the screen shows the number beside the name.

/// IANA number of TCP.
pub const TCP: u8 = 6;
/// IANA number of UDP.
pub const UDP: u8 = 17;
/// IANA number of ICMP for IPv4.
pub const ICMP: u8 = 1;
/// IANA number of ICMP for IPv6.
pub const ICMP6: u8 = 58;

/// Protocol numbers with a name. Source: the IANA registry "Assigned Internet Protocol Numbers".
#[rustfmt::skip]
const PROTOCOLS: &[(u8, &str)] = &[
    (0, "hopopt"), (ICMP, "icmp"), (2, "igmp"), (4, "ipip"), (TCP, "tcp"), (8, "egp"), (UDP, "udp"), (27, "rdp"),
    (33, "dccp"), (41, "ipv6"), (43, "ipv6-route"), (44, "ipv6-frag"), (46, "rsvp"), (47, "gre"), (50, "esp"),
    (51, "ah"), (ICMP6, "icmp6"), (59, "ipv6-nonxt"), (60, "ipv6-opts"), (88, "eigrp"), (89, "ospf"), (94, "ipip2"),
    (103, "pim"), (108, "ipcomp"), (112, "vrrp"), (115, "l2tp"), (132, "sctp"), (136, "udplite"),
];

/// Transport of a service in the table below.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Tcp,
    Udp,
    Both,
}
use On::{Both, Tcp, Udp};

/// Ports that servers listen on, with the name people call the service by. Source: the IANA registry "Service Name and Transport Protocol
/// Port Number", and the documentation of the products that chose a port without asking (Redis, Kubernetes, Elasticsearch, …).
#[rustfmt::skip]
const SERVICES: &[(u16, On, &str)] = &[
    (7, Both, "echo"), (13, Both, "daytime"), (17, Both, "qotd"), (19, Both, "chargen"), (20, Tcp, "ftp-data"),
    (21, Tcp, "ftp"), (22, Tcp, "ssh"), (23, Tcp, "telnet"), (25, Tcp, "smtp"), (37, Both, "time"),
    (43, Tcp, "whois"), (49, Tcp, "tacacs"), (53, Both, "dns"), (67, Udp, "dhcp"), (68, Udp, "dhcp-client"),
    (69, Udp, "tftp"), (80, Both, "http"), (88, Both, "kerberos"), (110, Tcp, "pop3"), (111, Both, "portmap"),
    (123, Udp, "ntp"), (135, Tcp, "msrpc"), (137, Udp, "netbios-ns"), (138, Udp, "netbios-dgm"),
    (139, Tcp, "netbios"), (143, Tcp, "imap"), (161, Udp, "snmp"), (162, Udp, "snmp-trap"), (177, Udp, "xdmcp"),
    (179, Tcp, "bgp"), (389, Tcp, "ldap"), (389, Udp, "cldap"), (427, Both, "slp"), (443, Tcp, "https"),
    (443, Udp, "quic"), (445, Tcp, "smb"), (464, Both, "kpasswd"), (465, Tcp, "smtps"), (500, Udp, "ike"),
    (502, Both, "modbus"), (514, Tcp, "rsh"), (514, Udp, "syslog"), (515, Tcp, "lpd"), (520, Udp, "rip"),
    (543, Tcp, "klogin"), (548, Tcp, "afp"), (554, Tcp, "rtsp"), (587, Tcp, "submission"), (623, Udp, "ipmi"),
    (636, Tcp, "ldaps"), (853, Both, "dns-tls"), (873, Tcp, "rsync"), (989, Tcp, "ftps-data"), (990, Tcp, "ftps"),
    (993, Tcp, "imaps"), (995, Tcp, "pop3s"), (1080, Tcp, "socks"), (1194, Both, "openvpn"), (1433, Tcp, "mssql"),
    (1434, Udp, "mssql-browser"), (1521, Tcp, "oracle"), (1604, Udp, "citrix-ica"), (1701, Udp, "l2tp"),
    (1723, Tcp, "pptp"), (1812, Udp, "radius"), (1813, Udp, "radius-acct"), (1883, Tcp, "mqtt"), (1900, Udp, "ssdp"),
    (2049, Both, "nfs"), (2181, Tcp, "zookeeper"), (2362, Udp, "digi-addp"), (2375, Tcp, "docker"),
    (2376, Tcp, "docker-tls"), (2377, Tcp, "swarm"), (2379, Tcp, "etcd"), (2380, Tcp, "etcd-peer"),
    (3128, Tcp, "squid"), (3260, Tcp, "iscsi"), (3268, Tcp, "ldap-gc"), (3269, Tcp, "ldaps-gc"), (3283, Udp, "ard"),
    (3306, Tcp, "mysql"), (3389, Both, "rdp"), (3478, Both, "stun"), (3690, Tcp, "svn"), (3702, Udp, "ws-discovery"),
    (3784, Udp, "bfd"), (4222, Tcp, "nats"), (4369, Tcp, "epmd"), (4500, Udp, "ipsec-nat"), (4672, Udp, "kad"),
    (4789, Udp, "vxlan"), (5000, Tcp, "registry"), (5044, Tcp, "beats"), (5060, Both, "sip"), (5061, Tcp, "sips"),
    (5093, Udp, "sentinel-rms"), (5222, Tcp, "xmpp"), (5351, Udp, "nat-pmp"), (5353, Udp, "mdns"),
    (5355, Udp, "llmnr"), (5432, Tcp, "postgres"), (5439, Tcp, "redshift"), (5601, Tcp, "kibana"),
    (5671, Tcp, "amqps"), (5672, Tcp, "amqp"), (5683, Udp, "coap"), (5900, Tcp, "vnc"), (5984, Tcp, "couchdb"),
    (5985, Tcp, "winrm"), (5986, Tcp, "winrm-tls"), (6081, Udp, "geneve"), (6343, Udp, "sflow"), (6379, Tcp, "redis"),
    (6443, Tcp, "kube-api"), (6514, Tcp, "syslog-tls"), (6666, Tcp, "irc"), (6667, Tcp, "irc"), (6697, Tcp, "ircs"),
    (6881, Both, "bittorrent"), (7000, Tcp, "cassandra-peer"), (7001, Udp, "afs"), (8000, Tcp, "http-8000"),
    (8080, Tcp, "http-alt"), (8081, Tcp, "http-8081"), (8086, Tcp, "influxdb"), (8088, Tcp, "yarn"),
    (8125, Udp, "statsd"), (8200, Tcp, "vault"), (8300, Tcp, "consul"), (8443, Tcp, "https-alt"),
    (8472, Udp, "vxlan-linux"), (8500, Tcp, "consul-http"), (8883, Tcp, "mqtts"), (8888, Tcp, "http-8888"),
    (9000, Tcp, "http-9000"), (9042, Tcp, "cassandra"), (9090, Tcp, "prometheus"), (9092, Tcp, "kafka"),
    (9093, Tcp, "alertmanager"), (9094, Tcp, "kafka-tls"), (9100, Tcp, "node-exporter"), (9200, Tcp, "elasticsearch"),
    (9300, Tcp, "es-peer"), (9418, Tcp, "git"), (9987, Udp, "teamspeak"), (9999, Tcp, "abyss"),
    (10001, Udp, "ubiquiti"), (10074, Udp, "tp240"), (10250, Tcp, "kubelet"), (10255, Tcp, "kubelet-ro"),
    (10256, Tcp, "kube-proxy"), (11211, Both, "memcached"), (15672, Tcp, "rabbitmq"), (16686, Tcp, "jaeger"),
    (17185, Udp, "wdb"), (20811, Udp, "powerhouse"), (25565, Tcp, "minecraft"), (26257, Tcp, "cockroach"),
    (27015, Udp, "srcds"), (27017, Tcp, "mongodb"), (27036, Udp, "steam-remote"), (27960, Udp, "quake3"),
    (30120, Udp, "fivem"), (30718, Udp, "lantronix"), (32414, Udp, "plex-gdm"), (33848, Udp, "jenkins-disc"),
    (37810, Udp, "dvr-dhcp"), (41794, Udp, "crestron"), (47808, Udp, "bacnet"), (50000, Tcp, "db2"),
    (51820, Udp, "wireguard"), (53413, Udp, "netis"),
];

/// The service that listens on `port` over `protocol`, or `None` where nothing well known does.
pub fn service(port: u16, protocol: u8) -> Option<&'static str> {
    let from = SERVICES.partition_point(|(p, ..)| *p < port);
    SERVICES[from..]
        .iter()
        .take_while(|(p, ..)| *p == port)
        .find(|(_, on, _)| match protocol {
            TCP => *on != Udp,
            UDP => *on != Tcp,
            _ => false,
        })
        .map(|(.., name)| *name)
}

/// The ports of the service called `name`, each with the protocol it must be over (`None`: either). Empty where no service has that name.
pub fn ports_of(name: &str) -> Vec<(u16, Option<u8>)> {
    SERVICES
        .iter()
        .filter(|(.., service)| service.eq_ignore_ascii_case(name))
        .map(|(port, on, _)| {
            let protocol = match on {
                Tcp => Some(TCP),
                Udp => Some(UDP),
                Both => None,
            };
            (*port, protocol)
        })
        .collect()
}

/// Every service name, for completion and "did you mean". Sorted by port.
pub fn service_names() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().map(|(.., name)| *name)
}

/// The name of IP protocol `number`.
pub fn protocol_name(number: u8) -> Option<&'static str> {
    PROTOCOLS.iter().find(|(n, _)| *n == number).map(|(_, name)| *name)
}

/// The number of the IP protocol called `name`, in any case. `icmpv6` and `ipv6-icmp` are accepted too.
pub fn protocol_number(name: &str) -> Option<u8> {
    if name.eq_ignore_ascii_case("icmpv6") || name.eq_ignore_ascii_case("ipv6-icmp") {
        return Some(ICMP6);
    }
    PROTOCOLS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(number, _)| *number)
}

/// Every protocol name.
pub fn protocol_names() -> impl Iterator<Item = &'static str> {
    PROTOCOLS.iter().map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_the_search_finds_every_entry() {
        assert!(SERVICES.is_sorted_by_key(|(port, ..)| *port));
        assert_eq!(service(11211, UDP), Some("memcached"));
        assert_eq!(service(443, TCP), Some("https"));
        assert_eq!(service(443, UDP), Some("quic"));
        assert_eq!(service(22, UDP), None);
        assert_eq!(service(22, ICMP), None);
    }

    #[test]
    fn names_lead_back_to_ports() {
        assert_eq!(ports_of("SSH"), [(22, Some(TCP))]);
        assert_eq!(ports_of("memcached"), [(11211, None)]);
        assert!(ports_of("nosuch").is_empty());
        assert_eq!(protocol_number("UDP"), Some(17));
        assert_eq!(protocol_name(47), Some("gre"));
    }
}
