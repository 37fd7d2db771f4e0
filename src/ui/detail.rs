//! The detail pane: all that is known of one row, in the order in which somebody asks: who, what, where, when, how much, how sure, what else.

mod session;
mod values;

use std::net::IpAddr;

use ratatui::layout::Rect;
use ratatui::style::Style;

use values::{flow_value, one_line, ported, span, volume};

use super::cell;
use super::fmt;
use super::paint::Paint;
use super::sidebar::wrap;
use super::theme::{Theme, Token};
use crate::app::columns::Col;
use crate::app::{App, Target, Viewport};
use crate::detect::Alert;
use crate::detect::mute::group_of;
use crate::engine::view::{Detail, SessionDetail};
use crate::enrich::{Known, moment};
use crate::record::{Cell, Field};

/// A line of spans.
type Spans = Vec<(String, Style)>;

/// Cells for the names of facts.
const NAMES: u16 = 10;
/// Records that stand before the notes.
const FEW: usize = 6;

pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    viewport.hits.push((super::area(area), Target::Detail));
    let width = area.width.saturating_sub(2);
    let (title, lines) = match &app.page().detail {
        Some(detail) => {
            let mut pane = Pane {
                app,
                theme: paint.theme,
                arrow: paint.glyphs.arrow,
                names: app.known(),
                width,
                lines: Vec::new(),
                said: Vec::new(),
            };
            let title = pane.detail(detail);
            (title, pane.lines)
        }
        None => ("Detail".to_owned(), Vec::new()),
    };
    let room = usize::from(area.height - 1);
    viewport.detail = (room, lines.len());
    let scroll = app.detail_scroll().min(lines.len().saturating_sub(room));
    let below = lines.len().saturating_sub(scroll + room);
    let more = if below > 0 { format!(" {below} more: {} ", app.keys().spell("{detail-down}")) } else { String::new() };
    let style = paint.theme.bold(Token::Header);
    let title = fmt::cut(&title, area.width.saturating_sub(fmt::width(&more) + 6), paint.glyphs.ellipsis);
    paint.rule(Rect { height: 1, ..area }, &title, style);
    for (offset, line) in (1..area.height).zip(lines.iter().skip(scroll)) {
        paint.spans(area.x + 1, area.y + offset, width, line);
    }
    if below > 0 {
        let style = paint.theme.style(Token::Muted);
        paint.text_right(area.right().saturating_sub(1), area.y, fmt::width(&more), &more, style);
    }
}

/// The lines of the pane as they are put together.
struct Pane<'a> {
    app: &'a App,
    theme: &'a Theme,
    arrow: &'static str,
    names: &'a Known,
    width: u16,
    lines: Vec<Spans>,
    /// See [`Pane::once`].
    said: Vec<(&'static str, String)>,
}

impl Pane<'_> {
    fn detail(&mut self, detail: &Detail) -> String {
        match detail {
            Detail::Alert { alert, session, notes } => {
                self.alert(alert, session.as_deref(), notes);
                format!("Alert {}: {}", alert.id, alert.title)
            }
            Detail::Session(session) => {
                self.session(session);
                // Many records would push the notes out of sight.
                if session.records.len() <= FEW {
                    self.records(session);
                    self.notes(&session.notes);
                } else {
                    self.notes(&session.notes);
                    self.records(session);
                }
                format!("Session {}", session.id)
            }
            Detail::Flow { fields, line, session, notes, .. } => {
                self.flow(fields);
                self.notes(notes);
                if let Some(session) = session {
                    self.title(&format!("Its session ({})", session.id));
                    self.session(session);
                    self.notes(&session.notes);
                }
                self.title("As it was logged");
                self.fact("line", line, Token::Text);
                self.fields(fields);
                if let Some(session) = session {
                    self.records(session);
                }
                "Flow record".to_owned()
            }
        }
    }

    /// A named fact, wrapped under its name's end.
    fn fact(&mut self, name: &str, text: &str, token: Token) {
        let style = self.theme.style(token);
        let muted = self.theme.style(Token::Muted);
        let clean = fmt::clean(text).into_owned();
        for (place, line) in wrap(&clean, self.width.saturating_sub(NAMES)).into_iter().enumerate() {
            let name = if place == 0 { name } else { "" };
            self.lines.push(vec![(format!("{name:<width$}", width = usize::from(NAMES)), muted), (line, style)]);
        }
    }

    /// A fact that a record and its session share: it stands there once.
    fn once(&mut self, name: &'static str, text: &str) {
        if !self.said.iter().any(|(known, said)| (*known, said.as_str()) == (name, text)) {
            self.fact(name, text, Token::Text);
            self.said.push((name, text.to_owned()));
        }
    }

    fn title(&mut self, text: &str) {
        let style = self.theme.bold(Token::Header);
        self.lines.push(vec![(text.to_owned(), style)]);
    }

    fn notes(&mut self, notes: &[String]) {
        for note in notes {
            self.fact("note", note, Token::Warning);
        }
    }

    fn alert(&mut self, alert: &Alert, session: Option<&SessionDetail>, notes: &[String]) {
        let level = self.theme.bold(Token::level(alert.level));
        let muted = self.theme.style(Token::Muted);
        let state = if alert.closed { "closed" } else { "open" };
        let mut head = vec![
            (format!("{} ", alert.level.as_str().to_uppercase()), level),
            (format!("{} ", alert.rule), level),
            (format!("{state} "), muted),
        ];
        if !alert.technique.is_empty() {
            head.push((format!("ATT&CK {}", alert.technique), muted));
        }
        self.lines.push(head);
        self.fact("what", &alert.message, Token::Text);
        if let Some(session) = session {
            self.place(session);
            self.fact("group", &group_of(alert), Token::Text);
        } else {
            let group: Vec<String> = alert
                .group
                .iter()
                .map(|(field, cell)| {
                    format!("{} {}", field.name(), cell::text(Col::Field(*field), cell, cell::Spelling::utc(true)))
                })
                .collect();
            self.fact("who", &group.join(", "), Token::Text);
            let addresses = alert.group.iter().filter_map(|(_, cell)| match cell {
                Cell::Addr(address) => Some(*address),
                _ => None,
            });
            let interfaces = alert.group.iter().filter_map(|(field, cell)| match (field, cell) {
                (Field::InterfaceId, Cell::Text(id)) => Some(&**id),
                _ => None,
            });
            self.known(addresses, interfaces.clone());
            self.described(interfaces);
        }
        if !alert.among.is_empty() {
            let groups = alert.apart().map(|cells| cells.map(Cell::to_string).collect::<Vec<_>>().join(" "));
            self.fact("groups", &groups.collect::<Vec<_>>().join(", "), Token::Text);
        }
        self.fact("when", &span(alert.first, alert.last), Token::Text);
        self.fact("measured", &cell::measured(alert).join(", "), Token::Text);
        self.fact("records", &fmt::thousands(alert.count), Token::Text);
        self.fact("evidence", &alert.filter, Token::Accent);
        if !alert.meaning.is_empty() {
            self.fact("means", &one_line(&alert.meaning), Token::Text);
        }
        for other in alert.false_positives.iter() {
            self.fact("or it is", &one_line(other), Token::Muted);
        }
        self.notes(notes);
        if let Some(session) = session {
            self.title(&format!("The session that tipped it ({})", session.id));
            self.session(session);
            self.records(session);
        }
    }

    /// What is known beside the log of those: names, countries and networks, what the resolver said.
    fn known<'b>(
        &mut self,
        addresses: impl IntoIterator<Item = IpAddr>,
        interfaces: impl IntoIterator<Item = &'b str>,
    ) {
        let mut addresses: Vec<IpAddr> = addresses.into_iter().collect();
        addresses.dedup();
        let mut named: Vec<String> = Vec::new();
        for address in addresses.iter().copied() {
            named.extend(self.names.address(address).map(|name| format!("{address} {name}")));
        }
        for id in interfaces {
            named.extend(self.names.interface(id).map(|name| format!("{id} {name}")));
        }
        if !named.is_empty() {
            self.once("names", &named.join(", "));
        }
        let places =
            addresses.iter().filter_map(|address| Some(format!("{address} {}", self.names.place(*address)?.says())));
        let places: Vec<String> = places.collect();
        if !places.is_empty() {
            self.once("geo", &places.join("; "));
        }
        let heard = addresses
            .iter()
            .filter_map(|address| Some(format!("{address} {}", self.names.looked_up(*address)?.says())));
        let heard: Vec<String> = heard.collect();
        if !heard.is_empty() {
            self.once("dns", &heard.join("; "));
        }
    }

    /// What EC2 says of interfaces, and when it said so.
    fn described<'b>(&mut self, interfaces: impl IntoIterator<Item = &'b str>) {
        let known = self.names;
        for (one, as_of) in interfaces.into_iter().filter_map(|id| known.described(id)) {
            let texts = [one.says(), one.place(), one.guarded()];
            let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
            let text = format!("{}: {} (as of {})", one.id, texts.join("; "), moment(as_of));
            self.once("EC2", &text);
        }
    }

    /// Who, where, when and how much of a record.
    fn flow(&mut self, fields: &[(Field, Cell)]) {
        let get = |wanted| fields.iter().find(|(field, _)| *field == wanted).map(|(_, cell)| cell);
        let number = |wanted| match get(wanted) {
            Some(Cell::Int(n)) => Some(*n),
            _ => None,
        };
        let text = |wanted| match get(wanted) {
            Some(Cell::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let protocol = number(Field::Protocol).unwrap_or(0);
        let end = |addr, port| match get(addr) {
            Some(Cell::Addr(addr)) => Some(fmt::endpoint(*addr, number(port).filter(|_| ported(protocol)))),
            _ => None,
        };
        if let (Some(from), Some(to)) = (end(Field::SrcAddr, Field::SrcPort), end(Field::DstAddr, Field::DstPort)) {
            let service = [Field::DstPort, Field::SrcPort]
                .into_iter()
                .find_map(|port| fmt::service_name(number(port)?, protocol))
                .map(|name| format!(" ({name})"))
                .unwrap_or_default();
            let who = format!("{from} {} {to}{service}, {}", self.arrow, fmt::protocol(protocol));
            self.fact("who", &who, Token::Text);
        }
        let account = text(Field::AccountId).map(|account| format!(" (account {account})")).unwrap_or_default();
        if let Some(interface) = text(Field::InterfaceId) {
            self.fact("where", &format!("{interface}{account}"), Token::Text);
        }
        let address = |field| match get(field) {
            Some(Cell::Addr(addr)) => Some(*addr),
            _ => None,
        };
        let ends = [Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr];
        let interface = text(Field::InterfaceId);
        self.known(ends.into_iter().filter_map(address), interface.as_deref());
        let time = |field| number(field).and_then(|time| i64::try_from(time).ok());
        if let (Some(first), Some(last)) = (time(Field::Start), time(Field::End)) {
            self.fact("when", &span(first, last), Token::Text);
        }
        if let (Some(bytes), Some(packets)) = (number(Field::Bytes), number(Field::Packets)) {
            let action = text(Field::Action).map(|action| format!(", {action}")).unwrap_or_default();
            self.fact("volume", &format!("{}{action}", volume(bytes, packets)), Token::Text);
        }
        if let Some(status) = text(Field::LogStatus).filter(|status| status != "OK") {
            self.fact("status", &status, Token::Gap);
        }
        self.described(interface.as_deref());
    }

    /// Every field with its value in full, as many beside each other as fit.
    fn fields(&mut self, fields: &[(Field, Cell)]) {
        const VALUE: usize = 26;
        let muted = self.theme.style(Token::Muted);
        let text = self.theme.style(Token::Text);
        let name = fields.iter().map(|(field, _)| field.name().len()).max().unwrap_or(0) + 1;
        let per_line = (usize::from(self.width) / (name + VALUE)).max(1);
        let mut spans = Spans::new();
        let mut used = 0;
        for (field, cell) in fields {
            let shown = flow_value(*field, cell);
            let shown = fmt::clean(&shown).into_owned();
            let wide = usize::from(fmt::width(&shown));
            // A long value takes the places beside it.
            let places = (name + wide + 1).div_ceil(name + VALUE);
            if used > 0 && used + places > per_line {
                self.lines.push(std::mem::take(&mut spans));
                used = 0;
            }
            let pad = " ".repeat((places * (name + VALUE)).saturating_sub(name + wide));
            spans.push((format!("{:<name$}", field.name()), muted));
            spans.push((shown + &pad, text));
            used += places;
        }
        if !spans.is_empty() {
            self.lines.push(spans);
        }
    }
}
