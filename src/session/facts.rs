//! What a session adds up to, read once: the rules ask for the same few fields many times, and for those that a session had before it changed.

use super::conversation::{Session, Totals};
use super::key::Endpoint;
use super::orient::Method;
use crate::record::services::{ICMP, ICMP6, UDP};
use crate::record::{Field, Value};

/// The fields of a session that are numbers, addresses or words of the program, without its interfaces and names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// Number of the session.
    pub id: u64,
    /// The initiator.
    pub client: Endpoint,
    /// The responder.
    pub server: Endpoint,
    /// IANA protocol number.
    pub protocol: u8,
    /// What the client sent.
    pub asked: Totals,
    /// What the server sent.
    pub answered: Totals,
    /// Whether both directions were seen.
    pub both: bool,
    /// Least start, Unix seconds.
    pub first: i64,
    /// Greatest end, Unix seconds.
    pub last: i64,
    /// Records of all observers.
    pub records: u32,
    /// What decided who is the client.
    pub method: Method,
    /// ACCEPT, REJECT or MIXED; `None` where no record says.
    pub action: Option<&'static str>,
}

impl Facts {
    /// What is known of `session` now.
    pub fn of(session: &Session) -> Facts {
        let request = session.request();
        let response = request.reversed();
        Facts {
            id: session.id,
            client: session.client(),
            server: session.server(),
            protocol: session.protocol(),
            asked: session.totals(request),
            answered: session.totals(response),
            both: session.saw(request) && session.saw(response),
            first: session.first,
            last: session.last,
            records: session.records,
            method: session.method(),
            action: session.action(),
        }
    }

    /// Whether [`Facts::get`] knows `field`; of any other it says "absent" without knowing.
    pub fn has(field: Field) -> bool {
        use Field::{
            Action, Baf, ByteRatio, Bytes, Client, ClientPort, DstAddr, DstPort, Duration, End, OrientedBy,
            PacketRatio, PacketSize, Packets, Protocol, Records, ReqBytes, ReqPackets, RespBytes, RespPackets, Server,
            ServerPort, SessionId, SizeRatio, SrcAddr, SrcPort, Start,
        };
        matches!(
            field,
            Action
                | Baf
                | ByteRatio
                | Bytes
                | Client
                | ClientPort
                | DstAddr
                | DstPort
                | Duration
                | End
                | OrientedBy
                | PacketRatio
                | PacketSize
                | Packets
                | Protocol
                | Records
                | ReqBytes
                | ReqPackets
                | RespBytes
                | RespPackets
                | Server
                | ServerPort
                | SessionId
                | SizeRatio
                | SrcAddr
                | SrcPort
                | Start
        )
    }

    /// The value of `field`, `None` where it is absent.
    pub fn get(&self, field: Field) -> Option<Value<'static>> {
        Some(match field {
            Field::SrcAddr | Field::Client => Value::Addr(self.client.0),
            Field::DstAddr | Field::Server => Value::Addr(self.server.0),
            Field::SrcPort | Field::ClientPort => Value::Int(self.client.1?.into()),
            Field::DstPort | Field::ServerPort => Value::Int(self.server.1?.into()),
            Field::Protocol => Value::Int(u64::from(self.protocol)),
            Field::Bytes => Value::Int(self.asked.bytes.saturating_add(self.answered.bytes)),
            Field::Packets => Value::Int(self.asked.packets.saturating_add(self.answered.packets)),
            Field::ReqBytes => Value::Int(self.asked.bytes),
            Field::ReqPackets => Value::Int(self.asked.packets),
            Field::RespBytes => Value::Int(self.answered.bytes),
            Field::RespPackets => Value::Int(self.answered.packets),
            Field::Start => seconds(self.first),
            Field::End => seconds(self.last),
            Field::Duration => seconds(self.last - self.first),
            Field::Action => Value::Text(self.action?),
            Field::OrientedBy => Value::Text(self.method.as_str()),
            Field::Records => Value::Int(u64::from(self.records)),
            Field::SessionId => Value::Int(self.id),
            _ => return self.quotient(field).map(Value::Float),
        })
    }

    /// Response over request of what `of` makes of each; `None` unless both directions were seen and the request is not zero.
    fn ratio(&self, of: impl Fn(Totals) -> f64, asked: impl Fn(f64) -> f64) -> Option<f64> {
        let (request, response) = (asked(of(self.asked)), of(self.answered));
        (self.both && request > 0.0).then(|| response / request)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 lose less than a byte in a petabyte")]
    fn quotient(&self, field: Field) -> Option<f64> {
        let bytes = |of: Totals| of.bytes as f64;
        let packets = |of: Totals| of.packets as f64;
        match field {
            Field::ByteRatio => self.ratio(bytes, |asked| asked),
            Field::PacketRatio => self.ratio(packets, |asked| asked),
            // Without packets there is no mean; 0 makes the ratio absent.
            Field::SizeRatio => {
                self.ratio(|of| if of.packets > 0 { bytes(of) / packets(of) } else { 0.0 }, |asked| asked)
            }
            // Both have eight bytes of header. Of TCP, whose options come and go, what is left after any constant would be a guess; of tunnels too.
            Field::Baf if matches!(self.protocol, UDP | ICMP | ICMP6) => {
                let header = if self.client.0.is_ipv4() { 28.0 } else { 48.0 };
                // A request of headers alone counts as one byte, as the literature does.
                self.ratio(|of| (bytes(of) - header * packets(of)).max(0.0), |asked| asked.max(1.0))
            }
            Field::PacketSize => {
                let total = packets(self.asked) + packets(self.answered);
                (total > 0.0).then(|| (bytes(self.asked) + bytes(self.answered)) / total)
            }
            _ => None,
        }
    }
}

fn seconds(time: i64) -> Value<'static> {
    Value::Int(u64::try_from(time).unwrap_or(0))
}
