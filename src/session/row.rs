//! A session as a [`Row`]: what the filter, the rules and the screen read of it.

use std::fmt::Write as _;

use super::conversation::Session;
use super::facts::Facts;
use crate::record::{Field, Names, Row, Value};
use crate::record::{places, services};

/// A session with what is needed to name its interfaces.
#[derive(Clone, Copy, Debug)]
pub struct SessionRow<'a> {
    /// The session.
    pub session: &'a Session,
    /// The names its numbers mean.
    pub names: &'a Names,
    /// Region of the source, where known.
    pub region: Option<&'a str>,
}

impl SessionRow<'_> {
    /// Name of the service on the server's port.
    pub fn service(&self) -> Option<&'static str> {
        services::service(self.session.server().1?, self.session.protocol())
    }

    fn name(&self, id: crate::record::NameId) -> Option<Value<'_>> {
        let name = self.names.name(id);
        (!name.is_empty()).then_some(Value::Text(name))
    }
}

fn seconds(time: i64) -> Value<'static> {
    Value::Int(u64::try_from(time).unwrap_or(0))
}

impl Row for SessionRow<'_> {
    fn get(&self, field: Field) -> Option<Value<'_>> {
        let session = self.session;
        let request = session.request();
        // Looked up only for the fields that need them: rules ask for many others.
        let asked = || session.totals(request);
        let answered = || session.totals(request.reversed());
        Some(match field {
            Field::SrcAddr | Field::Client => Value::Addr(session.client().0),
            Field::DstAddr | Field::Server => Value::Addr(session.server().0),
            Field::SrcPort | Field::ClientPort => Value::Int(session.client().1?.into()),
            Field::DstPort | Field::ServerPort => Value::Int(session.server().1?.into()),
            Field::Protocol => Value::Int(u64::from(session.protocol())),
            Field::Bytes => Value::Int(asked().bytes.saturating_add(answered().bytes)),
            Field::Packets => Value::Int(asked().packets.saturating_add(answered().packets)),
            Field::ReqBytes => Value::Int(asked().bytes),
            Field::ReqPackets => Value::Int(asked().packets),
            Field::RespBytes => Value::Int(answered().bytes),
            Field::RespPackets => Value::Int(answered().packets),
            Field::Start => seconds(session.first),
            Field::End => seconds(session.last),
            Field::Duration => seconds(session.last - session.first),
            Field::Action => Value::Text(session.action()?),
            Field::Service => Value::Text(self.service()?),
            Field::State => Value::Text(session.state().as_str()),
            Field::OrientedBy => Value::Text(session.method().as_str()),
            Field::Records => Value::Int(u64::from(session.records)),
            Field::SessionId => Value::Int(session.id),
            Field::Nat => Value::Text(session.leg(self.names)?.0.as_str()),
            Field::Scope => return self.name(session.scope()),
            Field::AccountId => return self.name(session.interfaces().next()?.1),
            Field::Region => Value::Text(self.region?),
            // Several interfaces are for `any`; one is a value like any other.
            Field::InterfaceId => {
                let mut all = session.interfaces();
                let only = all.next()?.0;
                return if all.next().is_none() { self.name(only) } else { None };
            }
            _ if field.is_place() => {
                let (part, of) = places::asks(field)?;
                let sides = [(Field::SrcAddr, session.client().0), (Field::DstAddr, session.server().0)];
                let mut asked = sides.into_iter().filter(|(side, _)| of.contains(side));
                return asked.find_map(|(_, address)| places::value(part, address));
            }
            // Quotients, which need all of these.
            _ => return Facts::of(session).get(field),
        })
    }

    fn any(&self, field: Field, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        let (client, server) = (self.session.client(), self.session.server());
        match field {
            Field::Ip => [client.0, server.0].into_iter().any(|addr| test(Value::Addr(addr))),
            Field::Port => [client.1, server.1].into_iter().flatten().any(|port| test(Value::Int(port.into()))),
            Field::InterfaceId => self.session.interfaces().any(|(id, _)| self.name(id).is_some_and(&mut *test)),
            Field::AccountId => self.session.interfaces().any(|(_, id)| self.name(id).is_some_and(&mut *test)),
            Field::Country | Field::Asn | Field::Org => places::asks(field).is_some_and(|(part, _)| {
                [client.0, server.0].into_iter().any(|address| places::value(part, address).is_some_and(&mut *test))
            }),
            _ => self.get(field).is_some_and(test),
        }
    }

    fn render(&self, out: &mut String) {
        let session = self.session;
        let (client, server) = (session.client(), session.server());
        let protocol = session.protocol();
        // Writing to a String cannot fail.
        for (addr, port) in [client, server] {
            let _ = match port {
                Some(port) => write!(out, "{addr} {port} "),
                None => write!(out, "{addr} - "),
            };
        }
        let _ = match services::protocol_name(protocol) {
            Some(name) => out.write_str(name),
            None => write!(out, "{protocol}"),
        };
        for word in [self.service(), session.action(), Some(session.state().as_str())].into_iter().flatten() {
            let _ = write!(out, " {word}");
        }
        for (interface, _) in session.interfaces() {
            let _ = write!(out, " {}", self.names.name(interface));
        }
    }
}
