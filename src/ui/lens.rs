//! The view of one address or one interface: facts, then what it talked to and over what. Each entry can be opened.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::fmt;
use super::glyphs::Glyphs;
use super::paint::Paint;
use super::sidebar::wrap;
use super::table::level_letter;
use super::theme::Token;
use crate::app::lens::{Entry, entries};
use crate::app::{App, Focus, Target, Viewport};
use crate::engine::profile::{PortUse, Profile, Subject, Volume};
use crate::enrich::{LookedUp, moment};

/// From this width on ports stand beside peers.
const TWO_COLUMNS: u16 = 96;
/// Lines that the entries have at least, before facts stand above them.
const LEAST: u16 = 6;
/// Cells for the names of facts.
const NAMES: u16 = 10;
/// Cells of a number.
const NUMBER: u16 = 9;

/// A line of the view.
enum Line {
    Fact(&'static str, String, Token),
    /// A heading with the titles of its numbers.
    Head(String, Vec<&'static str>),
    /// An entry by its place, with its text, its token, its numbers.
    Entry(usize, String, Token, Vec<String>),
    /// A remark under a list.
    Quiet(String),
    Blank,
}

pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    let Some(lens) = &app.view().lens else { return };
    if area.height == 0 || area.width == 0 {
        return;
    }
    viewport.hits.push((super::area(area), Target::Table));
    let title = match &lens.subject {
        Subject::Address(addr) => format!("Endpoint {}", with_name(*addr, app)),
        Subject::Interface(id) => match app.known().interface(id) {
            Some(name) => format!("Interface {id} {name}"),
            None => format!("Interface {id}"),
        },
    };
    let bold = paint.theme.bold(Token::Header);
    paint.rule(Rect { height: 1, ..area }, &title, bold);
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    viewport.lens = usize::from(body.height);
    let Some(profile) = app.page().profile.as_ref().filter(|profile| profile.subject == lens.subject) else {
        let muted = paint.theme.style(Token::Muted);
        paint.text(area.x + 2, body.y, area.width.saturating_sub(2), "Looking …", muted);
        return;
    };
    if profile.progress < 1.0 {
        let text = format!(" looked at {:.0}% ", profile.progress * 100.0);
        let style = paint.theme.style(Token::Warning);
        paint.text(area.x + fmt::width(&title) + 4, area.y, fmt::width(&text), &text, style);
    }
    let selected = app.entry_at();
    let (left, right) = lines(app, paint.glyphs, profile);
    // Of a low screen the entries have all of it.
    let mut body = body;
    for line in facts(profile, app) {
        if body.height > LEAST {
            draw_line(app, paint, Rect { height: 1, ..body }, &line, selected, viewport);
            (body.y, body.height) = (body.y + 1, body.height - 1);
        }
    }
    viewport.lens = usize::from(body.height);
    if area.width >= TWO_COLUMNS {
        let half = area.width / 2;
        column(app, paint, Rect { width: half - 1, ..body }, &left, area.y, viewport);
        let beside = Rect { x: area.x + half + 1, width: area.width - half - 1, ..body };
        column(app, paint, beside, &right, area.y, viewport);
    } else {
        let all: Vec<Line> = left.into_iter().chain([Line::Blank]).chain(right).collect();
        column(app, paint, body, &all, area.y, viewport);
    }
}

/// What stands in the first column and in the second.
fn lines(app: &App, glyphs: &Glyphs, profile: &Profile) -> (Vec<Line>, Vec<Line>) {
    let entries = entries(profile);
    let place = |entry: &Entry| entries.iter().position(|known| known == entry).unwrap_or(0);
    let mut left = Vec::new();
    let count = |n: u64| fmt::count(n);
    left.push(Line::Entry(0, "all sessions".to_owned(), Token::Text, vec![count(profile.sessions)]));
    left.push(Line::Entry(1, "all records".to_owned(), Token::Text, vec![count(profile.records)]));
    let mut alerts = profile.alerts.iter().filter(|alert| entries.contains(&Entry::Alert(alert.id))).peekable();
    if alerts.peek().is_some() {
        let listed = entries.iter().filter(|entry| matches!(entry, Entry::Alert(_))).count();
        let more = profile.alerts.len() - listed;
        let more = if more > 0 { format!(" ({more} more: 3)") } else { String::new() };
        left.push(Line::Head(format!("Alerts{more}"), Vec::new()));
    }
    for alert in alerts {
        let state = if alert.closed { " (closed)" } else { "" };
        let text = format!("{} {}{state} {}", level_letter(alert.level), alert.rule, alert.message);
        left.push(Line::Entry(place(&Entry::Alert(alert.id)), text, Token::level(alert.level), Vec::new()));
    }
    let name = match profile.subject {
        Subject::Address(_) => "Peers",
        Subject::Interface(_) => "Talkers",
    };
    left.push(Line::Head(name.to_owned(), vec!["first", "sent", "received", "sessions", "rejected"]));
    let mut listed = 0;
    for peer in &profile.peers {
        if !entries.contains(&Entry::Peer(peer.addr)) {
            break;
        }
        listed += 1;
        let first = match peer.first {
            Some((first, _)) => fmt::time_of_day(first),
            None => String::new(),
        };
        let numbers =
            vec![first, fmt::bytes(peer.sent), fmt::bytes(peer.received), count(peer.sessions), count(peer.rejected)];
        let new = peer.first.is_some_and(|(_, new)| new);
        let country = app.known().place(peer.addr).and_then(|place| place.country);
        let country = country.map(|code| format!(" {code}")).unwrap_or_default();
        let text = with_name(peer.addr, app) + &country + if new { glyphs.first_seen } else { "" };
        left.push(Line::Entry(place(&Entry::Peer(peer.addr)), text, Token::Text, numbers));
    }
    if profile.peer_count > listed {
        left.push(Line::Quiet(format!(
            "and {} more: open all sessions and group them (b)",
            count(profile.peer_count - listed)
        )));
    }
    let mut right = Vec::new();
    let mut ports = |title: &str, ports: &[PortUse], entry: fn(u8, u16) -> Entry| {
        right.push(Line::Head(title.to_owned(), vec!["bytes", "sessions", "rejected"]));
        for port in ports {
            let entry = entry(port.protocol, port.port);
            if entries.contains(&entry) {
                let numbers = vec![fmt::bytes(port.bytes), count(port.sessions), count(port.rejected)];
                right.push(Line::Entry(place(&entry), port_name(port), Token::Service, numbers));
            }
        }
        if ports.is_empty() {
            right.push(Line::Quiet("none held".to_owned()));
        }
    };
    ports("Ports it serves", &profile.served, Entry::Served);
    ports("Ports it uses", &profile.used, Entry::Used);
    right.push(Line::Head("Interfaces that saw it".to_owned(), vec!["sessions"]));
    for (name, sessions) in &profile.interfaces {
        let entry = Entry::Interface(std::sync::Arc::clone(name));
        if entries.contains(&entry) {
            right.push(Line::Entry(place(&entry), name.to_string(), Token::Text, vec![count(*sessions)]));
        }
    }
    (left, right)
}

/// An address, and its name after it.
fn with_name(addr: std::net::IpAddr, app: &App) -> String {
    match app.known().address(addr) {
        Some(name) => format!("{addr} {name}"),
        None => addr.to_string(),
    }
}

fn facts(profile: &Profile, app: &App) -> Vec<Line> {
    let mut lines = beside(profile, app);
    if let (Subject::Interface(_), Some(own)) = (&profile.subject, profile.own) {
        lines.push(Line::Fact("speaks as", own.to_string(), Token::Text));
    }
    let seen = match profile.seen {
        Some((first, last)) => {
            let long = fmt::duration(u64::try_from(last.saturating_sub(first)).unwrap_or(0));
            format!("{} to {} UTC ({long})", fmt::date_time(first), fmt::date_time(last))
        }
        None if profile.progress < 1.0 => "not found so far".to_owned(),
        None => "no session is held".to_owned(),
    };
    lines.push(Line::Fact("seen", seen, Token::Text));
    lines.extend(since(profile, app).map(|since| Line::Fact("since", since, Token::Text)));
    let volume = |volume: Volume| format!("{} in {} packets", fmt::bytes(volume.bytes), fmt::count(volume.packets));
    let traffic = format!("received {}, sent {}", volume(profile.received), volume(profile.sent));
    lines.push(Line::Fact("traffic", traffic, Token::Text));
    let sessions = format!("{}, of which it began {}", fmt::count(profile.sessions), fmt::count(profile.begun));
    let records =
        format!("; records: {} accepted, {} rejected", fmt::count(profile.accepted), fmt::count(profile.rejected));
    let token = if profile.rejected > 0 { Token::Reject } else { Token::Text };
    lines.push(Line::Fact("sessions", sessions + &records, token));
    if profile.scopes > 1 && matches!(profile.subject, Subject::Address(_)) {
        let note = format!("used in {} VPCs or accounts: these may be different hosts", profile.scopes);
        lines.push(Line::Fact("note", note, Token::Warning));
    }
    lines.extend(behind(profile));
    if profile.left_out > 0 {
        let note =
            format!("{} sessions have peers or ports that are not told apart here", fmt::count(profile.left_out));
        lines.push(Line::Fact("note", note, Token::Gap));
    }
    lines
}

/// What interfaces logged in the place of packet addresses, and what gateways have to do with it.
fn behind(profile: &Profile) -> Vec<Line> {
    let mut lines = Vec::new();
    let behind = &profile.behind;
    for (logged, interface, sessions) in behind.logged.iter().take(3) {
        let sessions = format!("{} session{}", fmt::count(*sessions), if *sessions == 1 { "" } else { "s" });
        let text = match profile.subject {
            Subject::Address(_) => format!("{interface} logged its own address {logged} in its place, in {sessions}"),
            Subject::Interface(_) => {
                format!("it logged its own address {logged} in the place of packets' addresses, in {sessions}")
            }
        };
        lines.push(Line::Fact("logged as", text, Token::Text));
    }
    if let Some(gateway) = behind.gateways.first() {
        let more = behind.gateways.len() - 1;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let legs = [
            (behind.inside, "inside"),
            (behind.outside, "under the gateway's address"),
            (behind.masked, "for whom is not logged"),
        ];
        let legs: Vec<String> = legs
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, leg)| format!("{} {leg}", fmt::count(count)))
            .collect();
        let text = format!("passed on by {gateway}{more}: {}", legs.join(", "));
        lines.push(Line::Fact("via NAT", text, Token::Warning));
    }
    if behind.unsure == profile.sessions && profile.sessions > 0 {
        let text = "without packet addresses an address may be that of a gateway";
        lines.push(Line::Fact("note", text.to_owned(), Token::Muted));
    }
    lines
}

/// What is known of it beside the log.
fn beside(profile: &Profile, app: &App) -> Vec<Line> {
    let (mut lines, known) = (Vec::new(), app.known());
    let mut fact = |name, text: String| {
        if !text.is_empty() {
            lines.push(Line::Fact(name, text, Token::Text));
        }
    };
    match &profile.subject {
        Subject::Interface(id) => {
            if let Some((one, as_of)) = known.described(id) {
                fact("is", one.says());
                fact("place", one.place());
                fact("groups", one.guarded());
                fact("as of", format!("{}, by EC2; {}", moment(as_of), app.keys().spell("{ask-interfaces} asks anew")));
            }
        }
        Subject::Address(address) => {
            let mut owners = known.at(*address);
            if let Some(one) = owners.next() {
                let more = match owners.count() {
                    0 => String::new(),
                    more => format!("; {more} more with this address"),
                };
                let as_of = known.interfaces().map(|all| moment(all.as_of)).unwrap_or_default();
                fact("is", format!("{}: {}{more} (as of {as_of})", one.id, one.says()));
            }
            fact("geo", known.place(*address).map(|place| place.says()).unwrap_or_default());
            fact("dns", known.looked_up(*address).map(LookedUp::says).unwrap_or_default());
        }
    }
    lines
}

/// Since when it is there, and of how much time that can be said.
fn since(profile: &Profile, app: &App) -> Option<String> {
    let (first, _) = profile.seen?;
    let text = fmt::first_seen(first, app.page().status.searched?);
    Some(text + &app.only_of().unwrap_or_default())
}

fn port_name(port: &PortUse) -> String {
    let protocol = fmt::protocol(u64::from(port.protocol));
    if !matches!(port.protocol, 6 | 17 | 33 | 132 | 136) {
        return protocol;
    }
    match fmt::service_name(u64::from(port.port), u64::from(port.protocol)) {
        Some(name) => format!("{}/{protocol} {name}", port.port),
        None => format!("{}/{protocol}", port.port),
    }
}

fn column(app: &App, paint: &mut Paint<'_>, area: Rect, lines: &[Line], top: u16, viewport: &mut Viewport) {
    let selected = app.entry_at();
    let at = lines.iter().position(|line| matches!(line, Line::Entry(place, ..) if *place == selected));
    let height = usize::from(area.height);
    let last = lines.len().saturating_sub(height);
    // The heading over a selected entry is seen with it where there is room.
    let start = at.map_or(0, |at| (at + 2).saturating_sub(height)).min(last);
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(start)) {
        draw_line(app, paint, Rect { y, height: 1, ..area }, line, selected, viewport);
    }
    if start + height < lines.len() && area.height > 1 {
        let text = format!(" {} more ", lines.len() - start - height);
        let style = paint.theme.style(Token::Muted);
        paint.text_right(area.right().saturating_sub(1), top, fmt::width(&text), &text, style);
    }
}

fn draw_line(app: &App, paint: &mut Paint<'_>, area: Rect, line: &Line, selected: usize, viewport: &mut Viewport) {
    let muted = paint.theme.style(Token::Muted);
    let (x, y) = (area.x + 1, area.y);
    let width = area.width.saturating_sub(2);
    let numbers = |paint: &mut Paint<'_>, texts: &[String], style| {
        let mut right = area.right().saturating_sub(1);
        for text in texts.iter().rev() {
            // An address is seen as a whole.
            if right < area.x + NUMBER + 19 {
                break;
            }
            paint.text_right(right, y, NUMBER, text, style);
            right -= NUMBER;
        }
        right.saturating_sub(x)
    };
    match line {
        Line::Fact(name, text, token) => {
            paint.text(x, y, NAMES, name, muted);
            let style = paint.theme.style(*token);
            // A fact is one line: what does not fit is cut at its end.
            let text = wrap(&fmt::clean(text), width.saturating_sub(NAMES)).into_iter().next().unwrap_or_default();
            paint.text(x + NAMES, y, width.saturating_sub(NAMES), &text, style);
        }
        Line::Head(text, titles) => {
            paint.style(area, paint.theme.ground(Token::Surface));
            let style = paint.theme.style(Token::Header);
            let titles: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
            let room = numbers(paint, &titles, muted);
            let style = style.add_modifier(Modifier::BOLD);
            paint.text(x, y, room, text, style);
        }
        Line::Entry(place, text, token, texts) => {
            let style = paint.theme.style(Token::Number);
            let room = numbers(paint, texts, style);
            let style = paint.theme.style(*token);
            let clean = fmt::clean(text);
            paint.text(x + 1, y, room.saturating_sub(2), &clean, style);
            viewport.hits.push((super::area(area), Target::Entry(*place)));
            if *place == selected {
                let style = paint.theme.selected();
                let faint = app.focus() == Focus::Sidebar;
                paint.style(area, if faint { style.add_modifier(Modifier::DIM) } else { style });
            }
        }
        Line::Quiet(text) => {
            paint.text(x + 1, y, width, text, muted);
        }
        Line::Blank => {}
    }
}
