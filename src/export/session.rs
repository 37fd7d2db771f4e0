//! Sessions as text.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::flow::moment;
use super::{Shape, clean, csv_object};
use crate::record::services::protocol_name;
use crate::record::{Field, Row, Value};
use crate::session::SessionRow;

/// Writes sessions in one shape.
#[derive(Debug)]
pub struct SessionWriter {
    shape: Shape,
    headed: bool,
    change: Option<i64>,
}

impl SessionWriter {
    /// A writer that has written nothing yet. [`Shape::Log`] is for flow records; sessions have no line.
    pub fn new(shape: Shape) -> SessionWriter {
        SessionWriter { shape, headed: false, change: None }
    }

    /// Says of each session how it stands to a change at this moment (Unix seconds): `phase`.
    #[must_use]
    pub fn beside(mut self, change: Option<i64>) -> SessionWriter {
        self.change = change;
        self
    }

    /// Appends a session to `out`, with its line end.
    pub fn write(&mut self, row: &SessionRow<'_>, out: &mut String) {
        let mut object = object(row);
        if let Some(change) = self.change {
            object.insert("phase".to_owned(), row.session.phase(change).as_str().into());
        }
        match self.shape {
            Shape::Ndjson | Shape::Log => out.push_str(&clean::json(Json::Object(object).to_string())),
            Shape::Csv => csv_object(out, &object, self.headed),
            Shape::Table => {
                if !self.headed {
                    out.push_str(&line(
                        &[
                            "last",
                            "client",
                            "port",
                            "server",
                            "port",
                            "proto",
                            "req bytes",
                            "resp bytes",
                            "ratio",
                            "pkt ratio",
                            "state",
                        ]
                        .map(str::to_owned),
                    ));
                    out.push('\n');
                }
                out.push_str(&line(&cells(row)));
            }
        }
        self.headed = true;
        out.push('\n');
    }
}

fn cells(row: &SessionRow<'_>) -> [String; 11] {
    let text = |field| match row.get(field) {
        Some(Value::Float(ratio)) => format!("{ratio:.1}"),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Addr(addr)) => addr.to_string(),
        Some(Value::Text(text)) => clean::for_terminal(text).into_owned(),
        None => "-".to_owned(),
    };
    let protocol = row.session.protocol();
    [
        moment(u64::try_from(row.session.last).unwrap_or(0)),
        text(Field::Client),
        text(Field::ClientPort),
        text(Field::Server),
        text(Field::ServerPort),
        protocol_name(protocol).map_or_else(|| protocol.to_string(), str::to_owned),
        text(Field::ReqBytes),
        text(Field::RespBytes),
        text(Field::ByteRatio),
        text(Field::PacketRatio),
        text(Field::State),
    ]
}

fn line(cells: &[String; 11]) -> String {
    let widths = [20, 15, 5, 15, 5, 5, 11, 11, 10, 10, 10];
    let mut out = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let _ = write!(out, "{cell:>width$}  ");
    }
    out.truncate(out.trim_end().len());
    out
}

/// A session as the object of the contract.
pub fn object(row: &SessionRow<'_>) -> Map<String, Json> {
    let session = row.session;
    let (client, server) = (session.client(), session.server());
    let ratio = |field| row.get(field).and_then(Value::number);
    let count = |field| match row.get(field) {
        Some(Value::Int(number)) => Json::from(number),
        _ => Json::Null,
    };
    let mut interfaces: Vec<&str> = session
        .interfaces()
        .map(|(interface, _)| &**row.names.name(interface))
        .filter(|name| !name.is_empty())
        .collect();
    interfaces.sort_unstable();
    let stand_ins: Vec<Json> = session
        .stand_ins(row.names)
        .iter()
        .map(|one| {
            let interface = &**row.names.name(one.interface);
            json!({ "address": one.packet.to_string(), "logged": one.logged.to_string(), "interface": interface })
        })
        .collect();
    let object = json!({
        "id": session.id,
        "scope": &**row.names.name(session.scope()),
        "protocol": session.protocol(),
        "client": client.0.to_string(),
        "client_port": client.1,
        "server": server.0.to_string(),
        "server_port": server.1,
        "req_bytes": count(Field::ReqBytes),
        "req_packets": count(Field::ReqPackets),
        "resp_bytes": count(Field::RespBytes),
        "resp_packets": count(Field::RespPackets),
        "byte_ratio": ratio(Field::ByteRatio),
        "packet_ratio": ratio(Field::PacketRatio),
        "size_ratio": ratio(Field::SizeRatio),
        "baf_est": ratio(Field::Baf),
        "first": session.first,
        "last": session.last,
        "oriented_by": session.method().as_str(),
        "state": session.state().as_str(),
        "action": session.action(),
        "interfaces": interfaces,
        "records": session.records,
        "nat": session.leg(row.names).map(|(leg, _)| leg.as_str()),
        "packet_addresses": session.has_packet_addresses(),
        "logged_as": stand_ins,
    });
    match object {
        Json::Object(object) => object,
        // The macro above writes an object.
        _ => Map::new(),
    }
}
