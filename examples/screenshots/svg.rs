//! A frame as an SVG picture. Every word has its own place and length, so that the columns hold with any font; lines, bars and shades are drawn as
//! shapes, since fonts leave gaps between them.

use std::fmt::Write as _;

use flowtail::ui::theme::{Theme, Token, indexed_rgb};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// A cell, in pixels.
const WIDTH: u16 = 9;
const HEIGHT: u16 = 18;
/// From the top of a cell to the line that letters stand on.
const BASELINE: u16 = 14;
/// At this size a letter of `DejaVu Sans Mono`, 1,233 of 2,048 units wide, fills a cell.
const FONT_SIZE: &str = "14.95";
/// Around the frame.
const MARGIN: u16 = 12;

type Rgb = (u8, u8, u8);

/// A cell as it looks: colours after reversing and dimming.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Looks {
    ink: Rgb,
    ground: Rgb,
    bold: bool,
    underlined: bool,
}

/// A frame of a film.
pub struct Frame {
    pub buffer: Buffer,
    pub caret: Option<(u16, u16)>,
    /// How long it stands, tenths of a second.
    pub tenths: u32,
}

/// Draws frames of one size one after the other, again and again: an animation that needs no script. A row is drawn once for as long as it stays the same.
pub fn film(frames: &[Frame], theme: &Theme) -> String {
    let Some(first) = frames.first() else { return String::new() };
    let paper = rgb(theme.color(Token::Background)).unwrap_or_default();
    let all: u32 = frames.iter().map(|frame| frame.tenths).sum::<u32>().max(1);
    let mut out = head(first.buffer.area, paper);
    for y in 0..first.buffer.area.height {
        let rows: Vec<String> = frames
            .iter()
            .map(|frame| {
                let mut drawn = String::new();
                row(&mut drawn, &frame.buffer, y, theme, frame.caret, paper);
                drawn
            })
            .collect();
        // What a row shows, each once, with the times at which it begins and ceases to stand there.
        let mut shown: Vec<(&str, Vec<u32>)> = Vec::new();
        let mut from = 0;
        for (frame, drawn) in frames.iter().zip(&rows) {
            let to = from + frame.tenths;
            match shown.iter_mut().find(|(known, _)| known == drawn) {
                Some((_, turns)) if turns.last() == Some(&from) => *turns.last_mut().expect("it has turns") = to,
                Some((_, turns)) => turns.extend([from, to]),
                None => shown.push((drawn, vec![from, to])),
            }
            from = to;
        }
        for (drawn, turns) in shown.iter().filter(|(drawn, _)| !drawn.is_empty()) {
            if turns[..] == [0, all] {
                out.push_str(drawn);
                continue;
            }
            let still = if turns[0] == 0 { "visible" } else { "hidden" };
            let (mut values, mut times) = (still.to_owned(), "0".to_owned());
            for (place, turn) in turns.iter().enumerate().filter(|(_, turn)| (1..all).contains(*turn)) {
                // Writing to a string cannot fail.
                let _ = write!(values, ";{}", if place % 2 == 0 { "visible" } else { "hidden" });
                let _ = write!(times, ";{:.4}", f64::from(*turn) / f64::from(all));
            }
            let seconds = f64::from(all) / 10.0;
            let _ = write!(
                out,
                "<g visibility=\"{still}\"><animate attributeName=\"visibility\" values=\"{values}\" keyTimes=\"{times}\" \
                 calcMode=\"discrete\" dur=\"{seconds}s\" repeatCount=\"indefinite\"/>\n{drawn}</g>\n"
            );
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Draws `frame`, with the caret where it is.
pub fn picture(frame: &Buffer, theme: &Theme, caret: Option<(u16, u16)>) -> String {
    let paper = rgb(theme.color(Token::Background)).unwrap_or_default();
    let mut out = head(frame.area, paper);
    for y in 0..frame.area.height {
        row(&mut out, frame, y, theme, caret, paper);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn head(area: ratatui::layout::Rect, paper: Rgb) -> String {
    let (width, height) = (area.width * WIDTH + 2 * MARGIN, area.height * HEIGHT + 2 * MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{}\"/>\n\
         <g transform=\"translate({MARGIN} {MARGIN})\" font-family=\"'DejaVu Sans Mono',Menlo,Consolas,monospace\" \
         font-size=\"{FONT_SIZE}\">\n",
        hex(paper)
    )
}

fn row(out: &mut String, frame: &Buffer, y: u16, theme: &Theme, caret: Option<(u16, u16)>, paper: Rgb) {
    let area = frame.area;
    let row: Vec<(&str, Looks)> = (0..area.width)
        .filter_map(|x| frame.cell((area.x + x, area.y + y)))
        .map(|cell| (cell.symbol(), looks(cell, theme)))
        .collect();
    grounds(out, &row, y, paper);
    if let Some((x, _)) = caret.filter(|(_, row)| *row == y) {
        let ink = hex(rgb(theme.color(Token::Text)).unwrap_or_default());
        rect(out, (x * WIDTH, y * HEIGHT), (2, HEIGHT), &ink, None);
    }
    signs(out, &row, y);
}

fn looks(cell: &Cell, theme: &Theme) -> Looks {
    let or = |color, token| rgb(color).or_else(|| rgb(theme.color(token))).unwrap_or_default();
    let (mut ink, mut ground) = (or(cell.fg, Token::Text), or(cell.bg, Token::Background));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut ground);
    }
    if cell.modifier.contains(Modifier::DIM) {
        ink = mix(ink, ground);
    }
    Looks {
        ink,
        ground,
        bold: cell.modifier.contains(Modifier::BOLD),
        underlined: cell.modifier.contains(Modifier::UNDERLINED),
    }
}

/// What is behind the cells of a row, where it is not the paper.
fn grounds(out: &mut String, row: &[(&str, Looks)], y: u16, paper: Rgb) {
    let mut x = 0;
    for run in row.chunk_by(|a, b| a.1.ground == b.1.ground) {
        let wide = cells(run.len());
        if run[0].1.ground != paper {
            rect(out, (x * WIDTH, y * HEIGHT), (wide * WIDTH, HEIGHT), &hex(run[0].1.ground), None);
        }
        x += wide;
    }
}

/// What stands in the cells of a row: one shape or one piece of text for each run of the same looks.
fn signs(out: &mut String, row: &[(&str, Looks)], y: u16) {
    let mut x = 0;
    for run in row.chunk_by(|a, b| a.1 == b.1 && kind(a.0) == kind(b.0)) {
        let wide = cells(run.len());
        let looks = run[0].1;
        match kind(run[0].0) {
            Kind::Blank => {}
            Kind::Shape(sign) => shape(out, sign, (x, y), wide, &hex(looks.ink)),
            Kind::Text => text(out, run, (x, y), looks),
        }
        if looks.underlined {
            let place = (x * WIDTH, y * HEIGHT + BASELINE + 2);
            rect(out, place, (wide * WIDTH, 1), &hex(looks.ink), None);
        }
        x += wide;
    }
}

/// What is to be done with a sign.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Shape(char),
    Text,
}

fn kind(symbol: &str) -> Kind {
    match symbol.chars().next() {
        None | Some(' ') => Kind::Blank,
        Some(sign @ ('─' | '│' | '▁'..='█' | '░' | '▲' | '●')) => Kind::Shape(sign),
        Some(_) => Kind::Text,
    }
}

/// The same sign in `wide` cells.
fn shape(out: &mut String, sign: char, (x, y): (u16, u16), wide: u16, ink: &str) {
    let (left, top) = (x * WIDTH, y * HEIGHT);
    match sign {
        '─' => rect(out, (left, top + HEIGHT / 2), (wide * WIDTH, 1), ink, None),
        '│' => (0..wide).for_each(|n| rect(out, (left + n * WIDTH + WIDTH / 2, top), (1, HEIGHT), ink, None)),
        '░' => rect(out, (left, top), (wide * WIDTH, HEIGHT), ink, Some("0.3")),
        '▲' => (0..wide).for_each(|n| {
            let left = left + n * WIDTH;
            let (right, tip, foot) = (left + WIDTH - 1, left + WIDTH / 2, top + BASELINE);
            let _ = writeln!(out, "<path d=\"M{} {foot}H{right}L{tip} {}z\" fill=\"{ink}\"/>", left + 1, top + 5);
        }),
        '●' => (0..wide).for_each(|n| {
            let (center, middle) = (left + n * WIDTH + WIDTH / 2, top + HEIGHT / 2);
            let _ = writeln!(out, "<circle cx=\"{center}\" cy=\"{middle}\" r=\"4\" fill=\"{ink}\"/>");
        }),
        // One eighth to eight of them, from the bottom.
        bar => {
            let eighths = u16::try_from(u32::from(bar) - 0x2580).unwrap_or(8);
            let tall = (HEIGHT * eighths).div_ceil(8);
            rect(out, (left, top + HEIGHT - tall), (wide * WIDTH, tall), ink, None);
        }
    }
}

fn text(out: &mut String, run: &[(&str, Looks)], (x, y): (u16, u16), looks: Looks) {
    let weight = if looks.bold { " font-weight=\"bold\"" } else { "" };
    let (left, line, ink) = (x * WIDTH, y * HEIGHT + BASELINE, hex(looks.ink));
    // A word begins and ends where its cells do, whatever the font.
    let long = cells(run.len()) * WIDTH;
    let long = if run.len() > 1 { format!(" textLength=\"{long}\"") } else { String::new() };
    let _ = write!(out, "<text x=\"{left}\" y=\"{line}\"{long} fill=\"{ink}\"{weight}>");
    for c in run.iter().flat_map(|(symbol, _)| symbol.chars()) {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            _ => out.push(c),
        }
    }
    out.push_str("</text>\n");
}

fn rect(out: &mut String, (x, y): (u16, u16), (width, height): (u16, u16), fill: &str, opacity: Option<&str>) {
    let opacity = opacity.map(|share| format!(" fill-opacity=\"{share}\"")).unwrap_or_default();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"{opacity} shape-rendering=\"crispEdges\"/>"
    );
}

/// Cells of a row, which are as many as a `u16` counts.
fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn mix(a: Rgb, b: Rgb) -> Rgb {
    let half = |a: u8, b: u8| a.midpoint(b);
    (half(a.0, b.0), half(a.1, b.1), half(a.2, b.2))
}

fn rgb(color: Color) -> Option<Rgb> {
    match color {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(index) => Some(indexed_rgb(index)),
        _ => None,
    }
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}
