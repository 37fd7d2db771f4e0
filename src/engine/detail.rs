//! All that is known of one row, with what an investigator should be told about it.

use std::sync::Arc;

use super::core::Core;
use super::phase::Phased;
use super::scan::in_window;
use super::verdict;
use super::view::{Detail, PageRow, RowId, SessionDetail};
use crate::detect::Alert;
use crate::filter::columns::Bound;
use crate::filter::{Filter, Stage};
use crate::record::special::is_outside;
use crate::record::{Cell, FIELDS, Field, Flow, On, Row, RowRef, Table, seconds};
use crate::session::key::Key;
use crate::session::{Session, SessionRow};
use crate::store::ring::with_table;

/// Records listed with a session.
const MAX_RECORDS: usize = 500;
/// Rows with the protocol and the ports of a session that are looked at for its records; those beyond are not searched, and that is said.
const MAX_LOOKED_AT: usize = 100_000;
/// What is to be said where no record has packet addresses.
pub(super) const NO_PACKET_ADDRESSES: &str = "The format has no packet addresses, so an address may not be the packet's: behind a NAT gateway, a load balancer or on a \
     secondary address the real peer may be another. The host's own interface logs it.";
/// Columns of a session's records.
const RECORD_COLUMNS: [Field; 9] = [
    Field::Start,
    Field::End,
    Field::InterfaceId,
    Field::SrcAddr,
    Field::SrcPort,
    Field::DstAddr,
    Field::DstPort,
    Field::Packets,
    Field::Bytes,
];

impl Core {
    /// The detail of a row that is still held.
    pub(super) fn detail(&mut self, id: RowId) -> Option<Detail> {
        match id {
            RowId::Flow { seq, .. } => self.flow_detail(id, seq),
            RowId::Session(number) => Some(Detail::Session(Box::new(self.session_detail(number)?))),
            RowId::Alert(number) => {
                let place = self.alerts.binary_search_by_key(&number, |alert| alert.id).ok()?;
                let alert = Arc::clone(&self.alerts[place]);
                let session = alert.session.and_then(|session| self.session_detail(session)).map(Box::new);
                let notes = session.as_ref().map(|session| session.notes.clone()).unwrap_or_default();
                Some(Detail::Alert { alert, session, notes })
            }
            RowId::Group(_) => None,
        }
    }

    fn flow_detail(&mut self, id: RowId, seq: u64) -> Option<Detail> {
        let (part, row) = self.ring.find(seq)?;
        let (fields, line, flow) = with_table!(&part, table => {
            let mut line = String::new();
            table.render_line(row, &mut line);
            let reference = RowRef { table, row };
            let value = |field: Field| Some((field, reference.get(field)?.to_owned()));
            let mut fields: Vec<(Field, Cell)> = table.format(row).fields().filter_map(value).collect();
            let derived = [
                Field::Region, Field::Duration, Field::PacketSize, Field::IngestionTime, Field::Lag, Field::Stream,
            ];
            let missing: Vec<Field> = derived.into_iter().filter(|field| fields.iter().all(|(known, _)| known != field)).collect();
            fields.extend(missing.into_iter().filter_map(value));
            (fields, line, Flow::of(table, row, &mut self.names))
        });
        let session = flow.and_then(|flow| self.sessions.find(&flow)).map(|session| session.id);
        let notes = match (&flow, fields.iter().find(|(field, _)| *field == Field::LogStatus)) {
            (None, Some((_, Cell::Text(status)))) if &**status == "SKIPDATA" => {
                vec!["AWS skipped records of this window: one such line may stand for many lost flows.".to_owned()]
            }
            (None, Some((_, Cell::Text(status)))) if &**status == "NODATA" => {
                vec!["No traffic was logged for this interface in this window.".to_owned()]
            }
            _ => Vec::new(),
        };
        let session = session.and_then(|id| self.session_detail(id)).map(Box::new);
        Some(Detail::Flow { id, fields, line, session, notes })
    }

    fn session_detail(&mut self, number: u64) -> Option<SessionDetail> {
        let session = self.sessions.get(number)?.clone();
        let row = SessionRow { session: &session, names: &self.names, region: self.config.region.as_deref() };
        let phased = Phased { row, change: self.look.spec.change };
        let wanted = FIELDS.iter().filter(|def| def.on != On::Flows).map(|def| def.field);
        let fields = wanted.filter_map(|field| Some((field, phased.get(field)?.to_owned()))).collect();
        let service = row.service();
        let interfaces = session
            .interfaces()
            .map(|(interface, account)| (Arc::clone(self.names.name(interface)), Arc::clone(self.names.name(account))))
            .collect();
        let (records, complete) = self.records_of(&session);
        let mut notes = self.notes(&session);
        if let Some(note) = self.spanning(&session, &records) {
            notes.push(note);
        }
        if !complete {
            notes.push("Not all held records were searched for this session's.".to_owned());
        }
        Some(SessionDetail {
            id: number,
            fields,
            service,
            interfaces,
            // What the records say of themselves comes before what the source is said to be.
            region: self.logged_region(&records).or_else(|| self.config_region()),
            since: self.since(&session),
            verdict: verdict::of(&session, &self.names),
            alerts: self.alerts_of(number),
            stand_ins: self.stand_ins(&session),
            via: self.via(&session),
            records,
            record_columns: RECORD_COLUMNS.into_iter().chain([Field::Action]).collect(),
            notes,
        })
    }

    /// Alerts that a session tipped, the worst first.
    fn alerts_of(&self, number: u64) -> Vec<Arc<Alert>> {
        let mut alerts: Vec<Arc<Alert>> =
            self.alerts.iter().filter(|alert| alert.session == Some(number)).map(Arc::clone).collect();
        alerts.sort_by_key(|alert| (alert.closed, std::cmp::Reverse((alert.level, alert.id))));
        alerts
    }

    /// A session that counts as surviving only by a window that spans the change may have ended with it.
    fn spanning(&self, session: &Session, records: &[PageRow]) -> Option<String> {
        let change = self.look.spec.change?;
        if session.first >= change || session.last < change || records.is_empty() {
            return None;
        }
        let began_after = records.iter().any(|record| {
            let start = RECORD_COLUMNS.iter().position(|column| *column == Field::Start);
            matches!(start.and_then(|at| record.cells.get(at)), Some(Cell::Int(start)) if seconds(*start) >= change)
        });
        let note = "Nothing held of it began after the change: only a capture window that spans that moment does, so it may have ended then.";
        (!began_after).then(|| note.to_owned())
    }

    /// The region that a session's records carry, where their format has one.
    fn logged_region(&self, records: &[PageRow]) -> Option<Arc<str>> {
        let RowId::Flow { seq, .. } = records.first()?.id else { return None };
        let (part, row) = self.ring.find(seq)?;
        with_table!(&part, table => table.word(Field::Region, row).map(Arc::from))
    }

    /// The held records of a session, oldest first, and whether all that are held were looked at.
    fn records_of(&mut self, session: &Session) -> (Vec<PageRow>, bool) {
        let columns: Vec<Field> = RECORD_COLUMNS.into_iter().chain([Field::Action]).collect();
        let (key, window) = (session.key(), Some((session.first, session.last)));
        // A filter of its protocol and ports finds by columns what may be of it: nobody waits for a look at each row.
        let ports = [key.a.1, key.b.1].into_iter().flatten().map(|port| format!(" and port = {port}"));
        let text = format!("protocol = {}{}", session.protocol(), ports.collect::<String>());
        let Ok(filter) = Filter::parse(&text, Stage::Flows) else { return (Vec::new(), false) };
        let (mut found, mut rows): (Vec<RowId>, Vec<u16>) = (Vec::new(), Vec::new());
        let mut looked = 0;
        self.ring.prepare();
        for part in self.ring.parts() {
            rows.clear();
            // A record of the session ends within it.
            with_table!(&part, table => {
                Bound::new(Some(&filter), window, table, 0).select(table, 0..table.len(), &mut rows);
            });
            for row in rows.iter().map(|row| usize::from(*row)) {
                looked += 1;
                if looked > MAX_LOOKED_AT || found.len() >= MAX_RECORDS {
                    break;
                }
                with_table!(&part, table => {
                    if in_window(window, &RowRef { table, row })
                        && let Some(flow) = Flow::of(table, row, &mut self.names)
                        && Key::of(&flow).0 == key
                    {
                        found.push(RowId::Flow { time: table.time(row), seq: part.first_seq() + row as u64 });
                    }
                });
            }
        }
        found.sort_unstable();
        let rows = found.into_iter().filter_map(|id| self.flow_row(id, &columns)).collect();
        (rows, looked <= MAX_LOOKED_AT)
    }

    /// What should be said about a session, one sentence each.
    fn notes(&self, session: &Session) -> Vec<String> {
        let mut notes = Vec::new();
        let (client, server) = (session.client().0, session.server().0);
        let private = match (is_outside(client), is_outside(server)) {
            (true, false) => Some(server),
            (false, true) => Some(client),
            _ => None,
        };
        // A gateway that is known says it better.
        if let Some(private) = private.filter(|_| session.leg(&self.names).is_none()) {
            notes.push(format!(
                "{private} is a private address and cannot talk to the internet by itself: there must be a public address, a NAT \
                 gateway or a load balancer in front of it. The log shows only the private side."
            ));
        }
        if !session.method().is_strong() {
            notes.push(format!(
                "Who began is a guess ({}): read initiator and responder with care.",
                session.method().as_str()
            ));
        }
        let (request, response) = (session.request(), session.request().reversed());
        if !session.saw(response) {
            notes.push("No answer was logged.".to_owned());
        } else if !session.saw(request) {
            notes.push(
                "Only the answer was logged: the request is missing or was never sent (a spoofed source).".to_owned(),
            );
        }
        if session.duplicates > 0 {
            notes.push(format!("{} records repeated others exactly and were not counted.", session.duplicates));
        }
        if !session.has_packet_addresses() {
            notes.push(NO_PACKET_ADDRESSES.to_owned());
        }
        notes.dedup();
        notes
    }
}
