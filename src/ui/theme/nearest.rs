//! Colours as a terminal with fewer of them shows them.

use ratatui::style::Color;

use super::ink::{DEFAULT, Exact};

pub(super) fn ansi_color(index: u8) -> Color {
    const COLORS: [Color; 17] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
        Color::Reset,
    ];
    COLORS[usize::from(index.min(DEFAULT))]
}

pub(super) fn nearest_ansi(exact: Exact) -> Color {
    let rgb = match exact {
        Exact::Default => return Color::Reset,
        Exact::Rgb(r, g, b) => (r, g, b),
        Exact::Indexed(index) if index < 16 => return ansi_color(index),
        Exact::Indexed(index) => indexed_rgb(index),
    };
    ansi_color((0..16).min_by_key(|index| distance(indexed_rgb(*index), rgb)).unwrap_or(DEFAULT))
}

pub(super) fn nearest_indexed(rgb: (u8, u8, u8)) -> u8 {
    (16..=255).min_by_key(|index| distance(indexed_rgb(*index), rgb)).unwrap_or(7)
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let part = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    // Eyes tell greens apart best and blues worst.
    3 * part(a.0, b.0) + 4 * part(a.1, b.1) + 2 * part(a.2, b.2)
}

/// xterm's palette: 16 colours, a cube of 6 by 6 by 6, a ramp of 24 greys.
pub fn indexed_rgb(index: u8) -> (u8, u8, u8) {
    const FIRST: [(u8, u8, u8); 16] = [
        (0, 0, 0),
        (205, 0, 0),
        (0, 205, 0),
        (205, 205, 0),
        (0, 0, 238),
        (205, 0, 205),
        (0, 205, 205),
        (229, 229, 229),
        (127, 127, 127),
        (255, 0, 0),
        (0, 255, 0),
        (255, 255, 0),
        (92, 92, 255),
        (255, 0, 255),
        (0, 255, 255),
        (255, 255, 255),
    ];
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |n: u8| STEPS[usize::from(n % 6)];
    match index {
        0..16 => FIRST[usize::from(index)],
        16..232 => (step((index - 16) / 36), step((index - 16) / 6), step(index - 16)),
        232.. => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}
