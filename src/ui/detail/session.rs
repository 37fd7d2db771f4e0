//! Of a session: who and where, why it failed, since when, how much, what else has to do with it.

use super::Pane;
use super::values::{has_ports, number, record, span, value, volume};
use crate::engine::view::SessionDetail;
use crate::record::{Cell, Field};
use crate::ui::cell;
use crate::ui::fmt;
use crate::ui::theme::Token;

impl Pane<'_> {
    /// Who and where of a session.
    pub(super) fn place(&mut self, session: &SessionDetail) {
        let port = |field| number(session, field).filter(|_| has_ports(session));
        let end = |addr, at| match value(session, addr) {
            Some(Cell::Addr(addr)) => fmt::endpoint(*addr, port(at)),
            _ => String::new(),
        };
        let service = session.service.map(|name| format!(" ({name})")).unwrap_or_default();
        let protocol = fmt::protocol(number(session, Field::Protocol).unwrap_or(0));
        let who = format!(
            "{} {} {}{service}, {protocol}",
            end(Field::Client, Field::ClientPort),
            self.arrow,
            end(Field::Server, Field::ServerPort)
        );
        self.fact("who", &who, Token::Text);
        let interfaces: Vec<String> = session
            .interfaces
            .iter()
            .map(|(interface, account)| match (interface.is_empty(), account.is_empty()) {
                (_, true) => interface.to_string(),
                (true, false) => format!("account {account}"),
                (false, false) => format!("{interface} (account {account})"),
            })
            .collect();
        let region = session.region.as_deref().unwrap_or("unknown");
        self.fact("where", &format!("{}, region {region}", interfaces.join(", ")), Token::Text);
        let address = |field| match value(session, field) {
            Some(Cell::Addr(addr)) => Some(*addr),
            _ => None,
        };
        let ends = [Field::Client, Field::Server].into_iter().filter_map(address);
        self.known(ends, session.interfaces.iter().map(|(interface, _)| &**interface));
    }

    pub(super) fn session(&mut self, session: &SessionDetail) {
        self.place(session);
        // Why it went wrong, and what became of it, are asked before how much it was.
        for sentence in &session.verdict {
            self.fact("why", sentence, Token::Warning);
        }
        if let Some(Cell::Text(phase)) = value(session, Field::Phase) {
            self.fact("change", &format!("{phase}: as it stands to the time that was marked"), Token::Text);
        }
        let time = |field| number(session, field).and_then(|time| i64::try_from(time).ok()).unwrap_or(0);
        self.fact("when", &span(time(Field::Start), time(Field::End)), Token::Text);
        self.since(session);
        let way = |bytes, packets| volume(number(session, bytes).unwrap_or(0), number(session, packets).unwrap_or(0));
        let request = way(Field::ReqBytes, Field::ReqPackets);
        let response = way(Field::RespBytes, Field::RespPackets);
        self.fact("volume", &format!("{request}; back {response}"), Token::Text);
        let ratios = [
            ("bytes", Field::ByteRatio),
            ("packets", Field::PacketRatio),
            ("packet size", Field::SizeRatio),
            ("payload est.", Field::Baf),
        ];
        let ratios: Vec<String> = ratios
            .into_iter()
            .filter_map(|(name, field)| match value(session, field) {
                Some(Cell::Float(x)) => Some(format!("{name} {}", fmt::ratio(*x))),
                _ => None,
            })
            .collect();
        let ratios = if ratios.is_empty() { "none: both directions are needed".to_owned() } else { ratios.join(", ") };
        self.fact("ratio", &ratios, Token::Text);
        let word = |field| match value(session, field) {
            Some(Cell::Text(text)) => text.to_string(),
            _ => "-".to_owned(),
        };
        let records = number(session, Field::Records).unwrap_or(0);
        let facts = format!(
            "{}, {}, initiator by {}{}, {records} {}",
            word(Field::State),
            word(Field::Action),
            word(Field::OrientedBy),
            if cell::is_guess(&word(Field::OrientedBy)) { "?" } else { "" },
            if records == 1 { "record" } else { "records" }
        );
        let mixed = word(Field::Action) == "MIXED";
        self.fact("state", &facts, if mixed { Token::Warning } else { Token::Text });
        if let Some(via) = &session.via {
            self.fact("via NAT", via, Token::Warning);
        }
        for (packet, logged, interface) in &session.stand_ins {
            self.fact("packet", &format!("{packet}; {interface} logged its own address {logged}"), Token::Text);
        }
        self.described(session.interfaces.iter().map(|(interface, _)| &**interface));
        for alert in &session.alerts {
            let state = if alert.closed { "closed" } else { "open" };
            self.fact(
                "alert",
                &format!("{} {} ({state}): {}", alert.level, alert.rule, alert.message),
                Token::level(alert.level),
            );
        }
    }

    /// Since when the two talk so, and since when who began is there at all.
    fn since(&mut self, session: &SessionDetail) {
        let searched = self.app.page().status.searched;
        let (Some(since), Some(searched)) = (session.since, searched) else { return };
        // The line above says who they are.
        let between = match since.parties.port {
            Some(port) => format!("these two on port {port}"),
            None => "these two".to_owned(),
        };
        let (client, only) = (since.parties.client, self.app.only_of().unwrap_or_default());
        let both = format!("{between} {}{only}", fmt::first_seen(since.both, searched));
        self.fact("since", &both, Token::Text);
        if since.client < since.both {
            self.fact("", &format!("{client} {}", fmt::first_seen(since.client, searched)), Token::Text);
        }
    }

    pub(super) fn records(&mut self, session: &SessionDetail) {
        self.title(&format!("Records held: {}", session.records.len()));
        let lines: Vec<[String; 7]> = session.records.iter().map(|row| record(session, row)).collect();
        let wide = |place: usize| lines.iter().map(|line| fmt::width(&line[place])).max().unwrap_or(0).into();
        let (src, dst, bytes, packets): (usize, usize, usize, usize) = (wide(2), wide(3), wide(4), wide(5));
        let style = self.theme.style(Token::Text);
        for [time, action, from, to, sum, count, interface] in &lines {
            let line = format!(
                "{time} {action} {from:<src$} {} {to:<dst$}  {sum:>bytes$} B {count:>packets$} pkts  {interface}",
                self.arrow
            );
            self.lines.push(vec![(line, style)]);
        }
    }
}
