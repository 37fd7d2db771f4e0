//! A colour as theme files write it.

use serde::Deserialize;

/// A colour of a theme file: exact, and where 16 must do.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "InkForm")]
pub(super) struct Ink {
    pub(super) exact: Exact,
    pub(super) ansi: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Exact {
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
pub(super) const DEFAULT: u8 = 16;
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
