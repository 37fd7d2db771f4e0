//! Colours by meaning. A theme file gives each [`Token`] a colour; the terminal's [`Depth`] decides what becomes of it, down to
//! no colour at all, where bold, dim and reversed have to do.

mod ink;
mod nearest;

use std::fmt;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use ink::{Exact, Ink};
pub use nearest::indexed_rgb;
use nearest::{ansi_color, nearest_ansi, nearest_indexed};

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    /// The theme whose colours count where this one names none: a built-in one, or a file beside this one.
    base: Option<String>,
    kind: Option<Shade>,
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

impl ThemeError {
    /// What is wrong in one line: where, then what.
    pub fn brief(&self) -> String {
        let ThemeError::Parse { path, reason } = self else { return self.to_string().replace('\n', " ") };
        let path = Path::new(path).file_name().map_or(path.into(), |name| name.to_string_lossy());
        let mut lines = reason.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        match (first.strip_prefix("TOML parse error at "), lines.next_back()) {
            (Some(place), Some(what)) => format!("{path}, {place}: {what}"),
            _ => format!("{path}: {first}"),
        }
    }
}

/// The themes inside the binary.
const BUILT_IN: &[(&str, &str)] = &[
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("ansi", include_str!("../../themes/ansi.toml")),
    ("monochrome", include_str!("../../themes/monochrome.toml")),
];

/// Most themes that lean on each other.
const DEEPEST: usize = 8;

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
            return Theme::parse(text, depth, name, 0);
        }
        if !wanted.contains(['/', '\\']) && Path::new(wanted).extension().is_none_or(|ext| ext != "toml") {
            return Err(ThemeError::Unknown { name: name.to_owned() });
        }
        Theme::read(wanted, depth, 0)
    }

    /// Names of the themes in a folder, which are its files that end in `.toml`.
    pub fn in_folder(folder: &Path) -> Vec<String> {
        // A folder that is not there has no themes.
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
            .filter_map(|path| path.file_stem().and_then(|name| name.to_str()).map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    fn read(path: &str, depth: Depth, level: usize) -> Result<Theme, ThemeError> {
        let read = |source| ThemeError::Read { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(read)?.len();
        if size > FILE_LIMIT {
            let reason = format!("it is {size} bytes long, and a theme is at most {FILE_LIMIT}");
            return Err(ThemeError::Parse { path: path.to_owned(), reason });
        }
        Theme::parse(&std::fs::read_to_string(path).map_err(read)?, depth, path, level)
    }

    fn parse(text: &str, depth: Depth, path: &str, level: usize) -> Result<Theme, ThemeError> {
        let wrong = |reason: String| ThemeError::Parse { path: path.to_owned(), reason };
        let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        // A built-in theme is complete; only files of others lean on one.
        let base = match &file.base {
            _ if BUILT_IN.iter().any(|(name, _)| *name == path) => None,
            None => Some(Theme::load("auto", file.kind, depth)?),
            Some(base) if level >= DEEPEST => {
                return Err(wrong(format!("base = {base:?} leads in a circle, or over more than {DEEPEST} themes")));
            }
            Some(base) if base == "auto" || BUILT_IN.iter().any(|(name, _)| name == base) => {
                Some(Theme::load(base, file.kind, depth)?)
            }
            Some(base) => {
                let beside = Path::new(path).with_file_name(format!("{base}.toml"));
                let beside = beside.to_str().ok_or_else(|| wrong(format!("base = {base:?} is no name of a theme")))?;
                Some(Theme::read(beside, depth, level + 1)?)
            }
        };
        let inks = file
            .colors
            .into_inks(base.as_ref())
            .map_err(|missing| wrong(format!("the colour {missing} is missing")))?;
        let shade = file.kind.or(base.map(|base| base.shade)).unwrap_or_default();
        // A theme that asks for no colour at all is told apart as a terminal that has none.
        let plain = inks.iter().all(|ink| ink.exact == Exact::Default);
        Ok(Theme { name: file.name, shade, inks, depth: if plain { Depth::None } else { depth } })
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
        let (fg, bg) = match (self.depth, self.inks[Token::Selection as usize].exact) {
            (Depth::None | Depth::Ansi, _) | (_, Exact::Indexed(..16) | Exact::Default) => (Color::Reset, Color::Reset),
            (Depth::Indexed | Depth::True, _) => (self.color(Token::Selection), self.color(Token::SelectionText)),
        };
        Style::new().fg(fg).bg(bg).add_modifier(Modifier::REVERSED)
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests;
