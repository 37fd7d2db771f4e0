//! Help: every action with its keys, out of the one table, searched by typing.

use ratatui::layout::Rect;

use super::glyphs::Glyphs;
use super::paint::Paint;
use super::sidebar::wrap;
use super::theme::Token;
use crate::app::{ACTIONS, App, Context, HelpState, Target, Viewport};

/// What the filter can say, by example.
const FILTER: &[(&str, &str)] = &[
    ("11211", "a port, either side"),
    ("13.125.33.130", "an address, either side"),
    ("10.0.0.0/8", "a network"),
    ("eni-0536faba73134a9b7", "an interface"),
    ("udp and bytes > 1000", "and, or, not, parentheses"),
    ("not port 443", "neither side is 443"),
    ("src $public dst $private", "sets; a space means and"),
    ("ratio > 100", "sessions: response over request"),
    ("memcached", "a service by name"),
    ("/regex/", "anywhere in the line"),
];

enum HelpLine {
    Title(String),
    Entry(String, String),
    Blank,
}

fn lines(app: &App, glyphs: &Glyphs, search: &str) -> Vec<HelpLine> {
    let wanted = search.to_lowercase();
    let matches = |a: &str, b: &str| {
        wanted.is_empty() || a.to_lowercase().contains(&wanted) || b.to_lowercase().contains(&wanted)
    };
    let mut lines = Vec::new();
    let mut section = |title: &str, entries: Vec<(String, String)>| {
        let whole = title.to_lowercase().contains(&wanted);
        let entries: Vec<_> = entries.into_iter().filter(|(a, b)| whole || matches(a, b)).collect();
        if entries.is_empty() {
            return;
        }
        if !lines.is_empty() {
            lines.push(HelpLine::Blank);
        }
        lines.push(HelpLine::Title(title.to_owned()));
        lines.extend(entries.into_iter().map(|(a, b)| HelpLine::Entry(a, b)));
    };
    let contexts = [Context::Main, Context::Timeline, Context::Prompt, Context::Menu, Context::Help, Context::Report];
    for context in contexts {
        let entries = ACTIONS
            .iter()
            .filter(|def| def.context == context)
            .map(|def| (app.keys().list(def.context, def.action), def.help.to_owned()));
        section(context.title(), entries.collect());
    }
    let examples = FILTER.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
    section("The filter (docs/filter.md has all of it)", examples.collect());
    section("Signs", signs(glyphs).into_iter().map(|(sign, what)| (sign.to_owned(), what.to_owned())).collect());
    lines
}

/// What the signs of tables and of the timeline mean.
fn signs(glyphs: &Glyphs) -> [(&'static str, &'static str); 14] {
    [
        ("A R M", "accepted, rejected, one side of each"),
        (glyphs.refused, "in the place of the arrow: rejected"),
        (glyphs.mixed, "in the place of the arrow: accepted by one, rejected by another"),
        ("?", "after the arrow: who began is a guess"),
        ("C H M L i", "before a row: it is evidence of an alert that is critical, high, medium, low, informational"),
        (glyphs.marked, "before a row: you marked it"),
        (glyphs.first_seen, "beside a value: first seen then, in what is held"),
        (glyphs.left, "columns to the left; scrolls there"),
        (glyphs.right, "columns that are not shown; scrolls there"),
        (glyphs.alert, "on the timeline: an alert"),
        (glyphs.skipped, "on the timeline: records that AWS lost (SKIPDATA)"),
        (glyphs.incomplete, "on the timeline: could not be read, or may still be incomplete"),
        (glyphs.seen, "on the timeline: the time of the rows on the screen"),
        (glyphs.change, "on the timeline: the change that you marked"),
    ]
}

/// Every line on its own: what is longer than the screen goes on under its beginning.
fn broken(lines: Vec<HelpLine>, width: u16) -> Vec<HelpLine> {
    let mut out = Vec::with_capacity(lines.len());
    for line in lines {
        match line {
            HelpLine::Entry(keys, what) => {
                for (place, part) in wrap(&what, width).into_iter().enumerate() {
                    out.push(HelpLine::Entry(if place == 0 { keys.clone() } else { String::new() }, part));
                }
            }
            other => out.push(other),
        }
    }
    out
}

pub(super) fn draw(app: &App, state: &HelpState, paint: &mut Paint<'_>, screen: Rect, viewport: &mut Viewport) {
    // All but the line of hints.
    let area = Rect { height: screen.height.saturating_sub(u16::from(screen.height > 6)), ..screen };
    if area.height < 2 || area.width < 4 {
        return;
    }
    paint.clear(area, Token::Surface);
    viewport.hits.push((super::area(area), Target::Help));
    let title = if state.search.is_empty() {
        app.keys().spell("Help: type to search, {help:cancel} leaves")
    } else {
        format!("Help: {}", state.search.text())
    };
    let style = paint.theme.bold(Token::Accent);
    paint.rule(Rect { height: 1, ..area }, &title, style);
    let column = if area.width < 60 { 12 } else { 20 };
    let lines = broken(lines(app, paint.glyphs, state.search.text()), area.width.saturating_sub(column + 4).max(8));
    let room = usize::from(area.height - 1);
    viewport.help = (room, lines.len());
    if lines.is_empty() {
        let style = paint.theme.style(Token::Muted);
        paint.text(area.x + 2, area.y + 2, area.width - 3, "Nothing of that name.", style);
    }
    for (offset, line) in (0..area.height - 1).zip(lines.iter().skip(state.scroll)) {
        let y = area.y + 1 + offset;
        match line {
            HelpLine::Blank => {}
            HelpLine::Title(title) => {
                let style = paint.theme.bold(Token::Header);
                paint.text(area.x + 2, y, area.width - 3, title, style);
            }
            HelpLine::Entry(keys, what) => {
                let key = paint.theme.bold(Token::Key);
                paint.text(area.x + 2, y, column, keys, key);
                let text = paint.theme.style(Token::Text);
                paint.text(area.x + 3 + column, y, area.width.saturating_sub(column + 4), what, text);
            }
        }
    }
    if state.scroll + room < lines.len() {
        paint.below(area, &title, lines.len() - state.scroll - room);
    }
}
