//! The view of one address or one interface: facts, then what it talked to and over what. Each entry can be opened.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::fmt;
use super::glyphs::Glyphs;
use super::paint::Paint;
use super::sidebar::wrap;
use super::table::level_letter;
use super::theme::Token;
use crate::app::lens::{Entry, List, Listed, Room, entries};
use crate::app::{App, Focus, Target, Viewport};
use crate::engine::profile::{Peer, PortUse, Profile, Subject, Volume};
use crate::enrich::{LookedUp, moment};

/// From this width on ports stand beside peers.
const TWO_COLUMNS: u16 = 96;
/// Lines that the entries have at least, before facts stand above them.
const LEAST: u16 = 6;
/// From this height on a fact has as many lines as it needs.
const ROOMY: u16 = 24;
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

impl Line {
    /// A fact on as many lines as it needs, `most` at most: what is left out then has a sign.
    fn wrapped(self, width: u16, most: usize, ellipsis: &str) -> Vec<Line> {
        let Line::Fact(name, text, token) = self else { return vec![self] };
        let mut texts = wrap(&fmt::clean(&text), width);
        let cut = texts.len() > most;
        texts.truncate(most);
        if let Some(last) = texts.last_mut().filter(|_| cut) {
            *last = fmt::cut(last, width.saturating_sub(1), "").into_owned() + ellipsis;
        }
        let named = |(at, text)| Line::Fact(if at == 0 { name } else { "" }, text, token);
        texts.into_iter().enumerate().map(named).collect()
    }
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
    // Of a low screen the entries have all of it.
    let mut body = body;
    let spare = if body.height >= ROOMY { 3 } else { 1 };
    for fact in facts(profile, app) {
        for line in fact.wrapped(area.width.saturating_sub(2 + NAMES), spare, paint.glyphs.ellipsis) {
            if body.height > LEAST {
                draw_line(app, paint, Rect { height: 1, ..body }, &line, selected, viewport);
                (body.y, body.height) = (body.y + 1, body.height - 1);
            }
        }
    }
    viewport.lens = Room { lines: usize::from(body.height), beside: area.width >= TWO_COLUMNS };
    let listed = Listed::fit(profile, lens.open, viewport.lens);
    let (left, right) = lines(app, paint.glyphs, profile, listed, lens.open);
    if viewport.lens.beside {
        let half = area.width / 2;
        column(app, paint, Rect { width: half - 1, ..body }, &left, 0, viewport);
        let beside = Rect { x: area.x + half + 1, width: area.width - half - 1, ..body };
        column(app, paint, beside, &right, 1, viewport);
    } else {
        let all: Vec<Line> = left.into_iter().chain([Line::Blank]).chain(right).collect();
        column(app, paint, body, &all, 0, viewport);
    }
}

/// What stands in the first column and in the second. Entries are numbered in the order of [`entries`].
fn lines(app: &App, glyphs: &Glyphs, profile: &Profile, listed: Listed, open: [bool; 5]) -> (Vec<Line>, Vec<Line>) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let count = |n: u64| fmt::count(n);
    let peers = match profile.subject {
        Subject::Address(_) => "Peers",
        Subject::Interface(_) => "Talkers",
    };
    let head = |list: List, text: &str, titles: &[&'static str]| {
        let all = (list.len(profile) as u64).max(if list == List::Peers { profile.peer_count } else { 0 });
        let all = if all > 0 { format!(" {}", count(all)) } else { String::new() };
        (list, Line::Head(format!("{text}{all}"), titles.to_vec()))
    };
    let mut heads = vec![
        head(List::Interfaces, "Interfaces that saw it", &["sessions"]),
        head(List::Used, "Ports it uses", &["bytes", "sessions", "rejected"]),
        head(List::Served, "Ports it serves", &["bytes", "sessions", "rejected"]),
        head(List::Peers, peers, &["first", "sent", "received", "sessions", "rejected"]),
    ];
    if !profile.alerts.is_empty() {
        heads.push(head(List::Alerts, "Alerts", &[]));
    }
    let mut list = List::Alerts;
    let mut written = [0; 5];
    // The headings up to that of `upto`, and of empty lists that they are empty.
    let mut headings = |upto: Option<List>, left: &mut Vec<Line>, right: &mut Vec<Line>| {
        while let Some((next, _)) = heads.last()
            && upto.is_none_or(|upto| *next as usize <= upto as usize)
            && let Some((next, heading)) = heads.pop()
        {
            let side = if matches!(next, List::Alerts | List::Peers) { &mut *left } else { &mut *right };
            side.push(heading);
            if next.len(profile) == 0 {
                side.push(Line::Quiet("none held".to_owned()));
            }
        }
    };
    for (place, entry) in entries(profile, listed, open).into_iter().enumerate() {
        list = match &entry {
            Entry::Sessions | Entry::Records => list,
            Entry::Alert(_) => List::Alerts,
            Entry::Peer(_) => List::Peers,
            Entry::Served(..) => List::Served,
            Entry::Used(..) => List::Used,
            Entry::Interface(_) => List::Interfaces,
            Entry::More(list) => *list,
        };
        if place >= 2 {
            headings(Some(list), &mut left, &mut right);
        }
        let at = written[list as usize];
        let line = |text: String, token, numbers| Line::Entry(place, text, token, numbers);
        let port = |port: &PortUse| {
            let numbers = vec![fmt::bytes(port.bytes), count(port.sessions), count(port.rejected)];
            line(port_name(port), Token::Service, numbers)
        };
        let line = match &entry {
            Entry::Sessions => line("all sessions".to_owned(), Token::Text, vec![count(profile.sessions)]),
            Entry::Records => line("all records".to_owned(), Token::Text, vec![count(profile.records)]),
            Entry::Alert(_) => {
                let alert = &profile.alerts[at];
                let state = if alert.closed { " (closed)" } else { "" };
                let text = format!("{} {}{state} {}", level_letter(alert.level), alert.rule, alert.message);
                line(text, Token::level(alert.level), Vec::new())
            }
            Entry::Peer(_) => peer(app, glyphs, place, &profile.peers[at]),
            Entry::Served(..) => port(&profile.served[at]),
            Entry::Used(..) => port(&profile.used[at]),
            Entry::Interface(id) => {
                let text = match app.known().interface(id) {
                    Some(name) => format!("{id} {name}"),
                    None => id.to_string(),
                };
                line(text, Token::Text, vec![count(profile.interfaces[at].1)])
            }
            Entry::More(list) => {
                let text = match list.len(profile).saturating_sub(at) {
                    0 => "show fewer".to_owned(),
                    more => format!("{} {} more", glyphs.ellipsis, count(more as u64)),
                };
                line(text, Token::Key, Vec::new())
            }
        };
        if place >= 2 {
            written[list as usize] += 1;
        }
        let side = if matches!(list, List::Alerts | List::Peers) { &mut left } else { &mut right };
        side.push(line);
        let ends = list == List::Peers && at + 1 >= profile.peers.len() && !matches!(entry, Entry::More(_));
        let beyond = profile.peer_count.saturating_sub(profile.peers.len() as u64);
        if ends && beyond > 0 {
            let text = format!("and {} beyond these: open all sessions and group them (b)", count(beyond));
            left.push(Line::Quiet(text));
        }
    }
    headings(None, &mut left, &mut right);
    (left, right)
}

/// A line about a peer.
fn peer(app: &App, glyphs: &Glyphs, place: usize, peer: &Peer) -> Line {
    let first = peer.first.map(|(first, _)| fmt::time_of_day(first)).unwrap_or_default();
    let numbers = vec![
        first,
        fmt::bytes(peer.sent),
        fmt::bytes(peer.received),
        fmt::count(peer.sessions),
        fmt::count(peer.rejected),
    ];
    let new = peer.first.is_some_and(|(_, new)| new);
    let country = app.known().country(peer.addr).map(|code| format!(" {code}")).unwrap_or_default();
    let text = with_name(peer.addr, app) + &country + if new { glyphs.first_seen } else { "" };
    Line::Entry(place, text, Token::Text, numbers)
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

fn column(app: &App, paint: &mut Paint<'_>, area: Rect, lines: &[Line], side: usize, viewport: &mut Viewport) {
    let selected = app.entry_at();
    let at = lines.iter().position(|line| matches!(line, Line::Entry(place, ..) if *place == selected));
    let height = usize::from(area.height);
    let furthest = lines.len().saturating_sub(height);
    let mut first = app.viewport().lens_first[side];
    if let Some(at) = at {
        // The heading over a selected entry is seen with it, and what stands after it.
        let least = (at + 2).min(lines.len()).saturating_sub(height);
        first = first.clamp(least, at.saturating_sub(1).max(least));
    }
    let first = first.min(furthest);
    viewport.lens_first[side] = first;
    for (y, text) in (area.y..area.bottom()).zip(lines.iter().skip(first)) {
        draw_line(app, paint, Rect { y, height: 1, ..area }, text, selected, viewport);
    }
    let edge = Rect { x: area.right().saturating_sub(1), width: 1, ..area };
    paint.scrollbar(edge, first, lines.len());
}

fn draw_line(app: &App, paint: &mut Paint<'_>, area: Rect, line: &Line, selected: usize, viewport: &mut Viewport) {
    let muted = paint.theme.style(Token::Muted);
    let (x, y) = (area.x + 1, area.y);
    let width = area.width.saturating_sub(2);
    let numbers = |paint: &mut Paint<'_>, texts: &[String], style| {
        // The last cell is that of the scroll bar.
        let mut right = area.right().saturating_sub(2);
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
            paint.text(x + NAMES, y, width.saturating_sub(NAMES), text, style);
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
