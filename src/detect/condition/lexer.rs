//! Text to tokens, each with its place.

use std::ops::Range;

use super::{Comparison, ConditionError};

/// A word or sign of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A literal, its unit applied: `10kB` is 10,000.
    Number(f64),
    /// A name: field, function, `let` name, `and`, `or`, `not`.
    Name(String),
    /// `@amp.min_baf`, without the sign.
    Table(String),
    /// A comparison.
    Compare(Comparison),
    /// One of `+ - * / ( ) ,`.
    Sign(char),
}

/// Units that may follow a number without a space.
const UNITS: &[(&str, f64)] = &[
    ("k", 1e3),
    ("kb", 1e3),
    ("m", 1e6),
    ("mb", 1e6),
    ("g", 1e9),
    ("gb", 1e9),
    ("kib", 1_024.0),
    ("mib", 1_048_576.0),
    ("gib", 1_073_741_824.0),
];

/// Splits `text` into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, ConditionError> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let from = at;
        let run = |from: usize, keep: fn(u8) -> bool| from + bytes[from..].iter().take_while(|b| keep(**b)).count();
        let token = match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'0'..=b'9' => {
                at = run(at, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
                Token::Number(number(&text[from..at]).ok_or_else(|| ConditionError {
                    span: from..at,
                    message: format!(
                        "`{}` is not a number; write 5, 0.3, 10_000, 10kB or 1MiB",
                        text[from..at].escape_debug()
                    ),
                })?)
            }
            b'@' => {
                at = run(at + 1, is_name);
                Token::Table(text[from + 1..at].to_owned())
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                at = run(at, is_name);
                Token::Name(text[from..at].to_owned())
            }
            sign @ (b'+' | b'-' | b'*' | b'/' | b'(' | b')' | b',') => {
                at += 1;
                Token::Sign(char::from(sign))
            }
            first @ (b'<' | b'>' | b'=' | b'!') => {
                let equal = bytes.get(at + 1) == Some(&b'=');
                at += if equal { 2 } else { 1 };
                match (first, equal) {
                    (b'<', true) => Token::Compare(Comparison::LessOrEqual),
                    (b'<', false) => Token::Compare(Comparison::Less),
                    (b'>', true) => Token::Compare(Comparison::GreaterOrEqual),
                    (b'>', false) => Token::Compare(Comparison::Greater),
                    (b'=', _) => Token::Compare(Comparison::Equal),
                    (_, true) => Token::Compare(Comparison::NotEqual),
                    (_, false) => {
                        return Err(ConditionError {
                            span: from..at,
                            message: "`!` alone means nothing; write `not` or `!=`".into(),
                        });
                    }
                }
            }
            _ => {
                let width = text[at..].chars().next().map_or(1, char::len_utf8);
                return Err(ConditionError {
                    span: from..from + width,
                    message: format!("`{}` does not belong in a condition", text[from..from + width].escape_debug()),
                });
            }
        };
        found.push((token, from..at));
    }
    Ok(found)
}

/// Names hold dots (`resp.bytes`) but no `-`, which is always a minus; `packet-size` is `packet_size` here.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}

/// Digits with an optional fraction, `_` between digits, and an optional unit.
fn number(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits);
    let scale = if unit.is_empty() {
        1.0
    } else {
        UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, scale)| *scale)?
    };
    digits.replace('_', "").parse::<f64>().ok().map(|value| value * scale)
}
