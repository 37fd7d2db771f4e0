//! The one table of every field flowtail knows: the documented fields of VPC Flow Logs versions 2 to 11, those of
//! Transit Gateway flow logs (version 6), what flowtail derives from a record, and what it computes for a session.
//!
//! The parser, the filter language, the columns of the screen, completion, `flowtail fields` and the documentation are all
//! read from here. A new AWS field is one line in [`FIELDS`].
//!
//! Source of names, types and versions: the AWS user guides "VPC Flow Logs" and "Transit Gateway Flow Logs".

/// How the value of a field is read, compared and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An amount that is summed: bytes, packets. Unsigned, unit named in the field's text.
    Count,
    /// A small integer that is a label rather than an amount: `version`, `traffic-path`.
    Int,
    /// A transport port, 0 to 65,535.
    Port,
    /// An IANA protocol number, 0 to 255.
    Protocol,
    /// A bit mask of TCP flags, 0 to 255.
    Flags,
    /// A moment in Unix seconds.
    Time,
    /// A length of time in seconds.
    Duration,
    /// A quotient without a unit.
    Ratio,
    /// An IPv4 or IPv6 address.
    Addr,
    /// An identifier, a code word or other text. Compared without regard to ASCII case.
    Text,
}

/// Where a field can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum On {
    /// Flow records only.
    Flows,
    /// Sessions only.
    Sessions,
    /// Both; on a session the doc says what it means there.
    Both,
}

/// One row of the field table.
#[derive(Clone, Copy, Debug)]
pub struct FieldDef {
    /// The field this row describes.
    pub field: Field,
    /// The canonical name: for logged fields the name AWS uses.
    pub name: &'static str,
    /// Other names people type. Compared like `name`: case and `-`, `_`, `.` do not matter.
    pub aliases: &'static [&'static str],
    /// Flow log version that introduced the field; 0 for what is not logged but derived.
    pub since: u8,
    /// How its value is read and shown.
    pub kind: Kind,
    /// Where it exists.
    pub on: On,
    /// One sentence for help and documentation.
    pub doc: &'static str,
}

macro_rules! field_table {
    ($( $variant:ident $name:literal $since:literal $kind:ident $on:ident [$($alias:literal)*] $doc:literal; )*) => {
        #[expect(clippy::doc_markdown, reason = "the texts are shown to users, where backticks are noise")]
        /// A field of a flow record or a session. The order is that of [`FIELDS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field { $( #[doc = $doc] $variant, )* }

        /// Every field, in the documented order of AWS, then what is derived, then what only sessions have.
        pub const FIELDS: &[FieldDef] = &[ $( FieldDef {
            field: Field::$variant, name: $name, aliases: &[$($alias),*], since: $since, kind: Kind::$kind, on: On::$on, doc: $doc,
        }, )* ];
    };
}

field_table! {
    Version "version" 2 Int Flows [] "Flow log version: the highest among the fields chosen.";
    AccountId "account-id" 2 Text Both ["account"] "Account that owns the interface, 12 digits, or `unknown`.";
    InterfaceId "interface-id" 2 Text Both ["eni" "interface" "interfaces"] "Network interface that logged the flow. On sessions: any interface that saw it.";
    SrcAddr "srcaddr" 2 Addr Both ["src" "src_ip" "srcip" "source"] "Source address. On sessions: the client.";
    DstAddr "dstaddr" 2 Addr Both ["dst" "dest_ip" "dst_ip" "dstip" "dest" "destination"] "Destination address. On sessions: the server.";
    SrcPort "srcport" 2 Port Both ["sport" "src_port"] "Source port, 0 for protocols without ports. On sessions: the client's port.";
    DstPort "dstport" 2 Port Both ["dport" "dest_port" "dst_port"] "Destination port. On sessions: the server's port.";
    Protocol "protocol" 2 Protocol Both ["proto"] "IANA protocol number: 6 is TCP, 17 UDP, 1 ICMP.";
    Packets "packets" 2 Count Both ["pkts"] "Packets in the capture window. On sessions: both directions together.";
    Bytes "bytes" 2 Count Both [] "Bytes at the IP layer, headers included. On sessions: both directions together.";
    Start "start" 2 Time Both [] "Start of the capture window. On sessions: the least start.";
    End "end" 2 Time Both [] "End of the capture window. On sessions: the greatest end.";
    Action "action" 2 Text Both ["vpcflow_action"] "ACCEPT or REJECT. On sessions also MIXED.";
    LogStatus "log-status" 2 Text Flows ["status" "log_status"] "OK, NODATA (no traffic) or SKIPDATA (records were lost).";
    VpcId "vpc-id" 3 Text Flows ["vpc"] "VPC of the interface.";
    SubnetId "subnet-id" 3 Text Flows ["subnet"] "Subnet of the interface.";
    InstanceId "instance-id" 3 Text Flows ["instance"] "Instance the interface is attached to.";
    TcpFlags "tcp-flags" 3 Flags Flows ["flags"] "TCP flags seen in the window, OR-ed: FIN 1, SYN 2, RST 4, SYN-ACK 18.";
    Type "type" 3 Text Flows [] "IPv4, IPv6 or EFA.";
    PktSrcAddr "pkt-srcaddr" 3 Addr Flows ["pktsrc"] "Source address in the packet itself, before the interface's own address replaced it.";
    PktDstAddr "pkt-dstaddr" 3 Addr Flows ["pktdst"] "Destination address in the packet itself.";
    Region "region" 4 Text Both [] "Region of the interface. Formats without it take the region of the source.";
    AzId "az-id" 4 Text Flows ["az"] "Availability zone id.";
    SublocationType "sublocation-type" 4 Text Flows [] "wavelength, outpost or localzone.";
    SublocationId "sublocation-id" 4 Text Flows [] "Id of the sublocation.";
    PktSrcAwsService "pkt-src-aws-service" 5 Text Flows ["src_service"] "AWS service that the packet's source address belongs to.";
    PktDstAwsService "pkt-dst-aws-service" 5 Text Flows ["dst_service"] "AWS service that the packet's destination address belongs to.";
    FlowDirection "flow-direction" 5 Text Flows ["dir" "direction"] "ingress or egress, seen from the interface.";
    TrafficPath "traffic-path" 5 Int Flows ["path"] "Way that egress traffic takes: 1 same VPC, 2 internet or gateway endpoint, 3 VGW, 4 and 5 peering, 6 local gateway, 7 gateway endpoint, 8 internet gateway.";
    EcsClusterArn "ecs-cluster-arn" 7 Text Flows [] "ARN of the ECS cluster.";
    EcsClusterName "ecs-cluster-name" 7 Text Flows [] "Name of the ECS cluster.";
    EcsContainerInstanceArn "ecs-container-instance-arn" 7 Text Flows [] "ARN of the ECS container instance, absent on Fargate.";
    EcsContainerInstanceId "ecs-container-instance-id" 7 Text Flows [] "Id of the ECS container instance.";
    EcsContainerId "ecs-container-id" 7 Text Flows [] "Docker id of the first container.";
    EcsSecondContainerId "ecs-second-container-id" 7 Text Flows [] "Docker id of the second container.";
    EcsServiceName "ecs-service-name" 7 Text Flows [] "Name of the ECS service.";
    EcsTaskDefinitionArn "ecs-task-definition-arn" 7 Text Flows [] "ARN of the ECS task definition.";
    EcsTaskArn "ecs-task-arn" 7 Text Flows [] "ARN of the ECS task.";
    EcsTaskId "ecs-task-id" 7 Text Flows [] "Id of the ECS task.";
    RejectReason "reject-reason" 8 Text Flows [] "Why the flow was rejected, where AWS says so: BPA (Block Public Access), EC (encryption controls).";
    ResourceId "resource-id" 9 Text Flows [] "Resource that the record belongs to, such as a regional NAT gateway.";
    EncryptionStatus "encryption-status" 10 Int Flows [] "0 not encrypted, 1 by Nitro, 2 by the application, 3 both.";
    InstanceTag "instance-tag" 11 Text Flows [] "Value of the chosen tag of the instance, percent-encoded.";
    InstanceTag2 "instance-tag-2" 11 Text Flows [] "Value of the second chosen tag of the instance.";
    InterfaceTag "interface-tag" 11 Text Flows [] "Value of the chosen tag of the interface.";
    InterfaceTag2 "interface-tag-2" 11 Text Flows [] "Value of the second chosen tag of the interface.";
    AsgTag "asg-tag" 11 Text Flows [] "Value of the chosen tag of the Auto Scaling group.";
    AsgTag2 "asg-tag-2" 11 Text Flows [] "Value of the second chosen tag of the Auto Scaling group.";
    InterfaceType "interface-type" 11 Text Flows [] "Kind of interface: nat_gateway, network_load_balancer, vpc_endpoint and others.";
    NextHopInterfaceId "next-hop-interface-id" 11 Text Flows [] "Interface that receives (egress) or sent (ingress) the flow.";
    NextHopSubnetId "next-hop-subnet-id" 11 Text Flows [] "Subnet of the next hop.";
    NextHopAzId "next-hop-az-id" 11 Text Flows [] "Availability zone of the next hop.";
    NextHopVpcId "next-hop-vpc-id" 11 Text Flows [] "VPC of the next hop.";
    NextHopInterfaceType "next-hop-interface-type" 11 Text Flows [] "Kind of interface of the next hop.";
    ResourceType "resource-type" 6 Text Flows [] "Transit Gateway logs: the literal TransitGateway.";
    TgwId "tgw-id" 6 Text Flows ["tgw"] "Transit Gateway.";
    TgwAttachmentId "tgw-attachment-id" 6 Text Flows [] "Transit Gateway attachment.";
    TgwSrcVpcAccountId "tgw-src-vpc-account-id" 6 Text Flows [] "Account of the source VPC.";
    TgwDstVpcAccountId "tgw-dst-vpc-account-id" 6 Text Flows [] "Account of the destination VPC.";
    TgwSrcVpcId "tgw-src-vpc-id" 6 Text Flows [] "Source VPC.";
    TgwDstVpcId "tgw-dst-vpc-id" 6 Text Flows [] "Destination VPC.";
    TgwSrcSubnetId "tgw-src-subnet-id" 6 Text Flows [] "Source subnet.";
    TgwDstSubnetId "tgw-dst-subnet-id" 6 Text Flows [] "Destination subnet.";
    TgwSrcEni "tgw-src-eni" 6 Text Flows [] "Source attachment interface.";
    TgwDstEni "tgw-dst-eni" 6 Text Flows [] "Destination attachment interface.";
    TgwSrcAzId "tgw-src-az-id" 6 Text Flows [] "Availability zone of the source.";
    TgwDstAzId "tgw-dst-az-id" 6 Text Flows [] "Availability zone of the destination.";
    TgwPairAttachmentId "tgw-pair-attachment-id" 6 Text Flows [] "Attachment on the other side.";
    PacketsLostNoRoute "packets-lost-no-route" 6 Count Flows [] "Packets lost for want of a route.";
    PacketsLostBlackhole "packets-lost-blackhole" 6 Count Flows [] "Packets lost to a black hole.";
    PacketsLostMtuExceeded "packets-lost-mtu-exceeded" 6 Count Flows [] "Packets lost for exceeding the MTU.";
    PacketsLostTtlExpired "packets-lost-ttl-expired" 6 Count Flows [] "Packets lost for an expired TTL.";

    Ip "ip" 0 Addr Both ["addr" "address" "host"] "Either address, packet addresses included.";
    Port "port" 0 Port Both [] "Either port.";
    Service "service" 0 Text Both ["svc"] "Name of the service on either port, such as memcached. On sessions: of the server's port.";
    Duration "duration" 0 Duration Both ["dur"] "Seconds from start to end.";
    PacketSize "packet-size" 0 Ratio Both ["size" "bpp"] "Mean bytes a packet.";
    IngestionTime "ingestion-time" 0 Time Flows ["ingested" "arrival"] "When CloudWatch received the record.";
    Lag "lag" 0 Duration Flows ["lateness" "delay"] "Seconds from the record's end to its ingestion.";
    Stream "log-stream" 0 Text Flows ["stream"] "Log stream or file that the record came from.";

    Country "country" 0 Text Both [] "Country of either address, by code (KR); of the first that is public in a column. By the databases of --geo.";
    SrcCountry "src-country" 0 Text Both ["client.country"] "Country of the source address, by --geo. On sessions: of the client.";
    DstCountry "dst-country" 0 Text Both ["server.country"] "Country of the destination address, by --geo. On sessions: of the server.";
    Asn "asn" 0 Int Both ["as"] "Number of the autonomous system of either address (16509 or AS16509); of the first that is public in a column. By --geo.";
    SrcAsn "src-asn" 0 Int Both ["client.asn"] "Autonomous system of the source address, by --geo. On sessions: of the client.";
    DstAsn "dst-asn" 0 Int Both ["server.asn"] "Autonomous system of the destination address, by --geo. On sessions: of the server.";
    Org "org" 0 Text Both ["as_org"] "Who runs the autonomous system of either address; of the first that is public in a column. By --geo.";
    SrcOrg "src-org" 0 Text Both ["client.org"] "Who runs the autonomous system of the source address, by --geo. On sessions: of the client.";
    DstOrg "dst-org" 0 Text Both ["server.org"] "Who runs the autonomous system of the destination address, by --geo. On sessions: of the server.";

    Client "client" 0 Addr Sessions ["initiator"] "Initiator's address.";
    Server "server" 0 Addr Sessions ["responder"] "Responder's address.";
    ClientPort "client.port" 0 Port Sessions ["initiator.port"] "Initiator's port.";
    ServerPort "server.port" 0 Port Sessions ["responder.port"] "Responder's port.";
    ReqBytes "req.bytes" 0 Count Sessions ["request.bytes"] "Bytes from initiator to responder.";
    ReqPackets "req.packets" 0 Count Sessions ["request.packets"] "Packets from initiator to responder.";
    RespBytes "resp.bytes" 0 Count Sessions ["response.bytes"] "Bytes from responder to initiator.";
    RespPackets "resp.packets" 0 Count Sessions ["response.packets"] "Packets from responder to initiator.";
    ByteRatio "ratio" 0 Ratio Sessions ["byte_ratio" "byte.ratio"] "Response bytes over request bytes; absent unless both directions were seen.";
    PacketRatio "packet_ratio" 0 Ratio Sessions [] "Response packets over request packets.";
    SizeRatio "size_ratio" 0 Ratio Sessions [] "Mean response packet over mean request packet.";
    Baf "baf" 0 Ratio Sessions ["baf_est"] "UDP and ICMP: estimated payload of the response over that of the request, headers taken off (28 bytes a packet for IPv4, 48 for IPv6).";
    State "state" 0 Text Sessions [] "open, half, unanswered, closed, late or evicted.";
    OrientedBy "oriented_by" 0 Text Sessions ["method"] "What decided who the initiator is.";
    Phase "phase" 0 Text Sessions [] "Once the time of a change is marked (T on the screen, --change): before (over by then), surviving (begun before, seen after) or new.";
    Records "records" 0 Count Sessions [] "Flow records of all observers.";
    Nat "nat" 0 Text Sessions ["leg"] "Leg of what a NAT gateway passes on: inside (of the host), outside (the same traffic again, under the gateway's address), shared (as outside, but of an instance, which may speak for itself) or masked (without packet addresses the gateway stands for host or peer).";
    Scope "scope" 0 Text Sessions [] "VPC or account that the addresses belong to.";
    SessionId "id" 0 Int Sessions ["session"] "Number of the session in this run.";
}

impl Field {
    /// How many fields there are.
    pub const COUNT: usize = FIELDS.len();

    /// The row of the table that describes this field.
    pub fn def(self) -> &'static FieldDef {
        &FIELDS[self as usize]
    }

    /// The canonical name.
    pub fn name(self) -> &'static str {
        self.def().name
    }

    /// The kind of its values.
    pub fn kind(self) -> Kind {
        self.def().kind
    }

    /// Whether AWS writes this field into a log line.
    pub fn is_logged(self) -> bool {
        self.def().since > 0
    }

    /// Whether it says where an address is, see [`super::places`].
    pub fn is_place(self) -> bool {
        (Field::Country..=Field::DstOrg).contains(&self)
    }

    /// The field called `name`, by its canonical name or an alias. Case does not matter, and `-`, `_` and `.` are the same.
    pub fn named(name: &str) -> Option<Field> {
        FIELDS
            .iter()
            .find(|def| same_name(def.name, name) || def.aliases.iter().any(|alias| same_name(alias, name)))
            .map(|def| def.field)
    }

    /// The logged field called `name` by AWS; aliases do not count, since a header line is not typed by a person.
    pub fn logged(name: &str) -> Option<Field> {
        FIELDS.iter().find(|def| def.since > 0 && same_name(def.name, name)).map(|def| def.field)
    }
}

/// Whether two field names are the same when case is ignored and `-`, `_` and `.` are alike.
fn same_name(a: &str, b: &str) -> bool {
    let fold = |byte: u8| match byte {
        b'_' | b'.' => b'-',
        other => other.to_ascii_lowercase(),
    };
    a.len() == b.len() && a.bytes().map(fold).eq(b.bytes().map(fold))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_in_the_order_of_the_enum_and_counts_match_aws() {
        for (index, def) in FIELDS.iter().enumerate() {
            assert_eq!(def.field as usize, index, "{}", def.name);
        }
        let upto =
            |version: u8| FIELDS.iter().filter(|def| (2..=version).contains(&def.since) && def.since != 6).count();
        // Cumulative counts of the user guide: v2 14, v3 21, v4 25, v5 29, v7 39, v8 40, v9 41, v10 42, v11 54.
        let counts = [2, 3, 4, 5, 7, 8, 9, 10, 11].map(upto);
        assert_eq!(counts, [14, 21, 25, 29, 39, 40, 41, 42, 54]);
    }

    #[test]
    fn no_name_means_two_fields() {
        let mut seen = std::collections::HashMap::new();
        for def in FIELDS {
            for name in std::iter::once(&def.name).chain(def.aliases) {
                let folded = name.replace(['_', '.'], "-").to_lowercase();
                if let Some(other) = seen.insert(folded, def.field) {
                    assert_eq!(other, def.field, "{name} names two fields");
                }
            }
        }
    }

    #[test]
    fn names_are_found_in_every_spelling() {
        assert_eq!(Field::named("src_ip"), Some(Field::SrcAddr));
        assert_eq!(Field::named("TCP_FLAGS"), Some(Field::TcpFlags));
        assert_eq!(Field::named("server_port"), Some(Field::ServerPort));
        assert_eq!(Field::named("nonsense"), None);
        assert_eq!(Field::logged("src"), None);
        assert_eq!(Field::logged("pkt_srcaddr"), Some(Field::PktSrcAddr));
    }
}
