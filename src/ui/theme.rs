//! Colours by meaning. A theme file gives each [`Token`] a colour; the terminal's [`Depth`] decides what becomes of it, down to
//! no colour at all, where bold, dim and reversed have to do.

use std::fmt;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::detect::Level;

macro_rules! tokens {
    ($( $variant:ident $name:ident $doc:literal; )*) => {
        /// What a colour is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Token { $( #[doc = $doc] $variant, )* }

        /// Every token, by its name in theme files.
        pub const TOKENS: &[(Token, &str)] = &[ $( (Token::$variant, stringify!($name)), )* ];

        #[derive(Deserialize, Default)]
        #[serde(deny_unknown_fields)]
        struct Colors { $( $name: Option<Ink>, )* }

        impl Colors {
            fn into_inks(self, base: Option<&Theme>) -> Result<Vec<Ink>, &'static str> {
                let mut inks = Vec::with_capacity(TOKENS.len());
                $( inks.push(match (self.$name, base) {
                    (Some(ink), _) => ink,
                    (None, Some(base)) => base.inks[Token::$variant as usize],
                    (None, None) => return Err(stringify!($name)),
                }); )*
                Ok(inks)
            }
        }
    };
}

tokens! {
    Background background "Behind everything.";
    Surface surface "Behind header, tabs and hints.";
    Text text "Ordinary text.";
    Muted muted "What is secondary: labels, units, absent values.";
    Border border "Lines between panes. Not for text.";
    Accent accent "What is active: the tab, the focus, the column of the order.";
    Header header "Headers of tables and titles of panes.";
    Selection selection "Behind the row under the cursor.";
    SelectionText selection_text "Text of the row under the cursor.";
    Service service "Names of services.";
    Number number "Amounts.";
    Bar bar "Bars of the timeline. Not for text.";
    Accept accept "Accepted traffic.";
    Reject reject "Rejected traffic.";
    Informational informational "Alerts of this level.";
    Low low "Alerts of this level.";
    Medium medium "Alerts of this level.";
    High high "Alerts of this level.";
    Critical critical "Alerts of this level.";
    Ok ok "A filter that is good; a source that reads.";
    Warning warning "What may not mean what it says; a source that waits.";
    Error error "What is wrong.";
    Key key "Keys in hints and help.";
    Gap gap "Evidence that is missing: gaps, SKIPDATA, what was dropped.";
}

impl Token {
    /// The token of an alert's level.
    pub fn level(level: Level) -> Token {
        match level {
            Level::Informational => Token::Informational,
            Level::Low => Token::Low,
            Level::Medium => Token::Medium,
            Level::High => Token::High,
            Level::Critical => Token::Critical,
        }
    }

    /// What makes the token stand out where there is no colour.
    fn emphasis(self) -> Modifier {
        match self {
            Token::Accent | Token::Header | Token::High | Token::Error | Token::Key => Modifier::BOLD,
            Token::Critical => Modifier::BOLD.union(Modifier::UNDERLINED),
            Token::Muted | Token::Border => Modifier::DIM,
            _ => Modifier::empty(),
        }
    }
}

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// None: `NO_COLOR`, or a terminal without.
    None,
    /// The 16 of ANSI.
    Ansi,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    True,
}

impl Depth {
    /// What the environment says. `NO_COLOR` set to anything but nothing wins, as <https://no-color.org> asks.
    pub fn detect(get: impl Fn(&str) -> Option<String>) -> Depth {
        let get = |name| get(name).filter(|value| !value.is_empty());
        let term = get("TERM").unwrap_or_default();
        if get("NO_COLOR").is_some() || term == "dumb" {
            return Depth::None;
        }
        if get("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit") || term.ends_with("-direct") {
            return Depth::True;
        }
        if term.contains("256color") { Depth::Indexed } else { Depth::Ansi }
    }
}

/// Whether a theme is for dark or light terminals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shade {
    /// Light text on a dark ground.
    #[default]
    Dark,
    /// Dark text on a light ground.
    Light,
}

/// A colour of a theme file: exact, and where 16 must do.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "InkForm")]
struct Ink {
    exact: Exact,
    ansi: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Exact {
    Default,
    Indexed(u8),
    Rgb(u8, u8, u8),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum InkForm {
    Index(u8),
    Word(String),
    Pair(InkPair),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InkPair {
    rgb: String,
    ansi: String,
}

/// What ANSI names stand for; 16 is the terminal's own colour.
const DEFAULT: u8 = 16;
const ANSI: &[(&str, u8)] = &[
    ("black", 0),
    ("red", 1),
    ("green", 2),
    ("yellow", 3),
    ("blue", 4),
    ("magenta", 5),
    ("cyan", 6),
    ("white", 7),
    ("bright-black", 8),
    ("bright-red", 9),
    ("bright-green", 10),
    ("bright-yellow", 11),
    ("bright-blue", 12),
    ("bright-magenta", 13),
    ("bright-cyan", 14),
    ("bright-white", 15),
    ("default", DEFAULT),
];

impl TryFrom<InkForm> for Ink {
    type Error = String;

    fn try_from(form: InkForm) -> Result<Ink, String> {
        match form {
            InkForm::Index(index) => Ok(Ink { exact: Exact::Indexed(index), ansi: None }),
            InkForm::Word(word) => match ansi(&word) {
                Some(DEFAULT) => Ok(Ink { exact: Exact::Default, ansi: Some(DEFAULT) }),
                Some(index) => Ok(Ink { exact: Exact::Indexed(index), ansi: Some(index) }),
                None => Ok(Ink { exact: hex(&word)?, ansi: None }),
            },
            InkForm::Pair(pair) => {
                let index = ansi(&pair.ansi).ok_or_else(|| format!("{:?} is no ANSI colour name", pair.ansi))?;
                Ok(Ink { exact: hex(&pair.rgb)?, ansi: Some(index) })
            }
        }
    }
}

fn ansi(name: &str) -> Option<u8> {
    ANSI.iter().find(|(known, _)| *known == name).map(|(_, index)| *index)
}

fn hex(text: &str) -> Result<Exact, String> {
    let wrong = || {
        format!(
            "{text:?} is no colour: write \"#rrggbb\", a number from 0 to 255, or an ANSI name such as \"bright-blue\""
        )
    };
    let digits = text
        .strip_prefix('#')
        .filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))
        .ok_or_else(wrong)?;
    let value = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
    let [_, r, g, b] = value.to_be_bytes();
    Ok(Exact::Rgb(r, g, b))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    kind: Shade,
    #[serde(default)]
    colors: Colors,
}

/// Why there is no such theme.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// Neither a built-in theme nor a path.
    #[error("no theme is called {name:?}. Built in are: auto, {}. A path to a .toml file works too", Theme::names().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The file cannot be read.
    #[error("the theme file {path} cannot be read: {source}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no theme.
    #[error("the theme file {path} is not a theme: {reason}")]
    Parse {
        /// Which.
        path: String,
        /// Where and why.
        reason: String,
    },
}

/// The themes inside the binary.
const BUILT_IN: &[(&str, &str)] = &[
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
];

/// Largest theme file that is read, bytes.
const FILE_LIMIT: u64 = 64 * 1024;

/// A theme, resolved for a terminal.
#[derive(Clone, Debug)]
pub struct Theme {
    name: String,
    shade: Shade,
    inks: Vec<Ink>,
    depth: Depth,
}

impl Theme {
    /// Names of the built-in themes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The theme called `name`: a built-in one, `auto` (which follows `shade`, what the terminal says of its background), or the
    /// path of a file. A file takes the colours that it leaves out from the built-in theme of its kind.
    ///
    /// # Errors
    /// Where there is no such theme, or its file is none.
    pub fn load(name: &str, shade: Option<Shade>, depth: Depth) -> Result<Theme, ThemeError> {
        let built_in = |name: &str| BUILT_IN.iter().find(|(known, _)| *known == name);
        let wanted = match (name, shade) {
            ("auto", Some(Shade::Light)) => "light",
            ("auto", _) => "dark",
            (other, _) => other,
        };
        if let Some((name, text)) = built_in(wanted) {
            return Theme::parse(text, depth, name);
        }
        if !wanted.contains(['/', '\\']) && Path::new(wanted).extension().is_none_or(|ext| ext != "toml") {
            return Err(ThemeError::Unknown { name: name.to_owned() });
        }
        let read = |source| ThemeError::Read { path: wanted.to_owned(), source };
        let size = std::fs::metadata(wanted).map_err(read)?.len();
        if size > FILE_LIMIT {
            let reason = format!("it is {size} bytes long, and a theme is at most {FILE_LIMIT}");
            return Err(ThemeError::Parse { path: wanted.to_owned(), reason });
        }
        Theme::parse(&std::fs::read_to_string(wanted).map_err(read)?, depth, wanted)
    }

    fn parse(text: &str, depth: Depth, path: &str) -> Result<Theme, ThemeError> {
        let wrong = |reason: String| ThemeError::Parse { path: path.to_owned(), reason };
        let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        // A built-in theme is complete; only files of others lean on one.
        let base = if BUILT_IN.iter().any(|(name, _)| *name == path) {
            None
        } else {
            Some(Theme::load("auto", Some(file.kind), depth)?)
        };
        let inks = file
            .colors
            .into_inks(base.as_ref())
            .map_err(|missing| wrong(format!("the colour {missing} is missing")))?;
        Ok(Theme { name: file.name, shade: file.kind, inks, depth })
    }

    /// What the theme calls itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is for dark or light terminals.
    pub fn shade(&self) -> Shade {
        self.shade
    }

    /// The colour of a token, as the terminal can show it.
    pub fn color(&self, token: Token) -> Color {
        let ink = self.inks[token as usize];
        match (self.depth, ink.exact) {
            (Depth::None, _) | (Depth::Indexed | Depth::True, Exact::Default) => Color::Reset,
            (Depth::Ansi, exact) => ink.ansi.map_or_else(|| nearest_ansi(exact), ansi_color),
            (Depth::True, Exact::Rgb(r, g, b)) => Color::Rgb(r, g, b),
            (Depth::Indexed, Exact::Rgb(r, g, b)) => Color::Indexed(nearest_indexed((r, g, b))),
            (Depth::Indexed | Depth::True, Exact::Indexed(index)) => Color::Indexed(index),
        }
    }

    /// Text of a token.
    pub fn style(&self, token: Token) -> Style {
        let style = Style::new().fg(self.color(token));
        match self.depth {
            Depth::None => style.add_modifier(token.emphasis()),
            _ => style,
        }
    }

    /// Text of a token that stands out.
    pub fn bold(&self, token: Token) -> Style {
        self.style(token).add_modifier(Modifier::BOLD)
    }

    /// A ground of a token.
    pub fn ground(&self, token: Token) -> Style {
        Style::new().bg(self.color(token))
    }

    /// The row under the cursor. Reversed with its colours exchanged: where colours are shown it looks as the theme says, and
    /// where they are not it is still reversed. What the 16 look like is the user's choice, and any two of them may be alike: there
    /// the terminal's own two colours are reversed.
    pub fn selected(&self) -> Style {
        let (fg, bg) = match self.depth {
            Depth::None | Depth::Ansi => (Color::Reset, Color::Reset),
            Depth::Indexed | Depth::True => (self.color(Token::Selection), self.color(Token::SelectionText)),
        };
        Style::new().fg(fg).bg(bg).add_modifier(Modifier::REVERSED)
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn ansi_color(index: u8) -> Color {
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

fn nearest_ansi(exact: Exact) -> Color {
    let rgb = match exact {
        Exact::Default => return Color::Reset,
        Exact::Rgb(r, g, b) => (r, g, b),
        Exact::Indexed(index) if index < 16 => return ansi_color(index),
        Exact::Indexed(index) => indexed_rgb(index),
    };
    ansi_color((0..16).min_by_key(|index| distance(indexed_rgb(*index), rgb)).unwrap_or(DEFAULT))
}

fn nearest_indexed(rgb: (u8, u8, u8)) -> u8 {
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

#[cfg(test)]
mod tests;
