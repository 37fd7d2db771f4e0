//! From a line to a row of [`Columns`]: one pass over the bytes, no allocation for a line whose words were seen before.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::sync::Arc;

use super::columns::{Columns, code_of};
use super::envelope::EnvelopeError;
use super::fast::Fast;
use super::field::{Field, Kind};
use super::format::{Format, Slot, layouts_of};

/// Longest line that is read; AWS's own limit for an event is 1 MiB, and the longest documented record is some 3 KiB.
pub const MAX_LINE: usize = 64 * 1024;
/// Most tokens that are looked at in one line.
const MAX_TOKENS: usize = 256;

/// Why a line is not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Nothing but white space.
    #[error("empty line")]
    Empty,
    /// Over [`MAX_LINE`].
    #[error("line of {0} bytes is longer than the {MAX_LINE} that are read")]
    TooLong(usize),
    /// Not UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// Fewer tokens than the format has fields.
    #[error("{found} fields where the format ({format}) has {expected}")]
    TooFew {
        /// Tokens found.
        found: usize,
        /// Fields expected.
        expected: usize,
        /// Label of the format.
        format: String,
    },
    /// No layout has this many fields.
    #[error("{}; name it with --format or a header line", fits_none(*.0))]
    NoFormat(usize),
    /// A token that its field cannot hold.
    #[error("field {} cannot be '{token}'", .field.name())]
    BadValue {
        /// The field.
        field: Field,
        /// The token, cut to 64 characters.
        token: String,
    },
    /// It is no line yet: its envelope cannot be opened.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

fn fits_none(fields: usize) -> String {
    if fields == 1 { "1 field fits no known format".to_owned() } else { format!("{fields} fields fit no known format") }
}

impl LineError {
    /// A short stable name for counting by reason.
    pub fn reason(&self) -> &'static str {
        match self {
            LineError::Empty => "empty",
            LineError::TooLong(_) => "too-long",
            LineError::NotText => "not-text",
            LineError::TooFew { .. } => "too-few-fields",
            LineError::NoFormat(_) => "no-format",
            LineError::BadValue { .. } => "bad-value",
            LineError::Envelope(error) => error.reason(),
        }
    }
}

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A record; it is now the last row.
    Row,
    /// A header line, declaring this format.
    Header(Arc<Format>),
}

/// How the format of a line was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// Said by `--format` or the last header: other layouts are tried only where a line cannot be of this one.
    Said(&'a Arc<Format>),
    /// Said by the names beside the values, so that the line was made for it: nothing else is tried.
    Named(&'a Arc<Format>),
    /// Not said: guess, beginning with what the last line was.
    Guess(&'a Arc<Format>),
}

impl<'a> Known<'a> {
    fn format(self) -> &'a Arc<Format> {
        let (Known::Said(format) | Known::Named(format) | Known::Guess(format)) = self;
        format
    }
}

/// Reads lines into [`Columns`]. Keeps the words it saw last in each column, since neighbouring lines share most of them.
#[derive(Debug, Default)]
pub struct LineParser {
    words: Vec<[Word; 2]>,
    fast: Fast,
}

#[derive(Clone, Debug, Default)]
struct Word {
    text: Vec<u8>,
    code: u64,
}

impl LineParser {
    /// A parser for rows of one [`Columns`] value. Codes belong to those columns: call [`LineParser::reset`] before filling others.
    pub fn new() -> LineParser {
        LineParser { words: vec![<[Word; 2]>::default(); Field::COUNT], fast: Fast::default() }
    }

    /// Forgets the codes of the last columns.
    pub fn reset(&mut self) {
        self.fast.reset();
        for word in self.words.iter_mut().flatten() {
            word.code = 0;
        }
    }

    /// Reads one line (without its line end) into the next row of `columns`. Nothing stays behind when it is no record.
    ///
    /// # Errors
    /// What keeps the line from being a record.
    pub fn parse(&mut self, line: &[u8], known: Known<'_>, columns: &mut Columns) -> Result<Parsed, LineError> {
        let format = known.format();
        if self.fast.line(line, format.plan(), columns) {
            columns.say_format(format);
            return Ok(Parsed::Row);
        }
        self.parse_any(line, known, columns)
    }

    /// Makes rows of the lines of `bytes` from `start` on that are of this format and as AWS writes them. Gives the place of the first that
    /// is not, or the end.
    pub fn parse_plain(&mut self, bytes: &[u8], start: usize, format: &Arc<Format>, columns: &mut Columns) -> usize {
        let end = self.fast.lines(bytes, start, format.plan(), columns);
        columns.say_format(format);
        end
    }

    /// Makes rows of messages that stand one behind the other in `bytes` from `start` on, each up to one of `ends`, as long as they are of this format and
    /// as AWS writes them. Gives of how many.
    pub(super) fn parse_messages(
        &mut self,
        bytes: &[u8],
        start: usize,
        ends: impl Iterator<Item = usize>,
        format: &Arc<Format>,
        columns: &mut Columns,
    ) -> usize {
        let read = self.fast.messages(bytes, start, ends, format.plan(), columns);
        columns.say_format(format);
        read
    }

    /// As [`LineParser::parse`], for a line that is known not to be plain.
    ///
    /// # Errors
    /// What keeps the line from being a record.
    pub fn parse_any(&mut self, line: &[u8], known: Known<'_>, columns: &mut Columns) -> Result<Parsed, LineError> {
        if line.len() > MAX_LINE {
            return Err(LineError::TooLong(line.len()));
        }
        let format = known.format();
        let mut spans = [(0_u32, 0_u32); MAX_TOKENS];
        let found = tokens(line, &mut spans);
        let spans = &spans[..found.min(MAX_TOKENS)];
        if spans.is_empty() {
            return Err(LineError::Empty);
        }
        if let Known::Named(_) = known {
            if spans.len() < format.slots().len() {
                return Err(too_few(spans.len(), format));
            }
            let verbatim = self.row(line, spans, format, columns)?;
            return Ok(finish(columns, format, verbatim));
        }
        // An export of a log group puts an ISO time before each message; no record begins with one.
        let timed = is_iso_time(token(line, spans[0])) && spans.len() > 1;
        let spans = if timed { &spans[1..] } else { spans };
        let expected = format.slots().len();
        // `aws logs tail` puts the stream's name there too; it is one token too many.
        let named = timed && spans.len() == expected + 1 && token(line, spans[0]).starts_with(b"eni-");
        let spans = if named { &spans[1..] } else { spans };
        let first = token(line, spans[0])[0];
        if (first.is_ascii_alphabetic() || first == b'$')
            && let Some(header) = header(line, spans)
        {
            return Ok(Parsed::Header(Arc::new(header)));
        }
        let mut refused = None;
        if expected == spans.len() {
            match self.row(line, spans, format, columns) {
                Ok(verbatim) => return Ok(finish(columns, format, verbatim)),
                Err(error) => refused = Some(error),
            }
        }
        for layout in layouts_of(spans.len()).filter(|layout| !Arc::ptr_eq(layout, format)) {
            if let Ok(verbatim) = self.row(line, spans, layout, columns) {
                return Ok(finish(columns, layout, verbatim));
            }
        }
        if let Some(error) = refused {
            return Err(error);
        }
        // More columns than the format names: read those it does, keep the line as it is.
        if expected < spans.len() && self.row(line, &spans[..expected], format, columns).is_ok() {
            // All of it, also what is beyond the tokens looked at.
            let whole = normalised(&line[spans[0].0 as usize..]);
            return Ok(finish(columns, format, Some(whole)));
        }
        Err(match known {
            Known::Said(_) if expected > spans.len() => too_few(spans.len(), format),
            _ if std::str::from_utf8(line).is_err() => LineError::NotText,
            _ => LineError::NoFormat(spans.len()),
        })
    }

    /// Puts the values of one line; rolls them back on error. Gives the line back where its values do not spell it.
    fn row(
        &mut self,
        line: &[u8],
        spans: &[(u32, u32)],
        format: &Format,
        columns: &mut Columns,
    ) -> Result<Option<Box<str>>, LineError> {
        let mut exact = true;
        for (slot, &span) in format.slots().iter().zip(spans) {
            let text = token(line, span);
            let Slot::Field(field) = *slot else {
                exact &= text == b"-";
                continue;
            };
            if text == b"-" {
                continue;
            }
            let Some((code, spelled)) = self.code(field, text, columns) else {
                columns.roll_back();
                return Err(bad_value(field, text));
            };
            exact &= spelled;
            columns.put(field, code);
        }
        let (first, last) = (spans.first().map_or(0, |span| span.0), spans.last().map_or(0, |span| span.1));
        Ok((!exact).then(|| normalised(&line[first as usize..last as usize])))
    }

    /// The code of a token, and whether rendering the code gives the token back.
    fn code(&mut self, field: Field, text: &[u8], columns: &mut Columns) -> Option<(u64, bool)> {
        match field.kind() {
            Kind::Addr => {
                if let Some(addr) = ipv4(text) {
                    return Some((columns.addr_code(IpAddr::V4(addr)), true));
                }
                let text = std::str::from_utf8(text).ok()?;
                let addr = IpAddr::from_str(text).ok()?;
                Some((columns.addr_code(addr), addr.to_string() == text))
            }
            Kind::Text => self.word(field, text, columns).map(|code| (code, true)),
            Kind::Port => number(text).filter(|(n, _)| u16::try_from(*n).is_ok()).map(coded),
            Kind::Protocol | Kind::Flags => number(text).filter(|(n, _)| u8::try_from(*n).is_ok()).map(coded),
            // Milliseconds were seen in the wild; as seconds they would lie 50,000 years ahead.
            Kind::Time => number(text)
                .map(|(n, spelled)| if text.len() == 13 { coded((n / 1000, false)) } else { coded((n, spelled)) }),
            Kind::Count | Kind::Int | Kind::Duration | Kind::Ratio => number(text).map(coded),
        }
    }

    fn word(&mut self, field: Field, text: &[u8], columns: &mut Columns) -> Option<u64> {
        let recent = &mut self.words[field as usize];
        if let Some(word) = recent.iter().find(|word| word.code != 0 && word.text == text) {
            return Some(word.code);
        }
        let code = columns.text_code(std::str::from_utf8(text).ok()?);
        recent.swap(0, 1);
        recent[0].text.clear();
        recent[0].text.extend_from_slice(text);
        recent[0].code = code;
        Some(code)
    }
}

fn finish(columns: &mut Columns, format: &Arc<Format>, verbatim: Option<Box<str>>) -> Parsed {
    columns.finish_row(format, verbatim);
    Parsed::Row
}

fn too_few(found: usize, format: &Format) -> LineError {
    LineError::TooFew { found, expected: format.slots().len(), format: format.label() }
}

fn bad_value(field: Field, text: &[u8]) -> LineError {
    LineError::BadValue { field, token: String::from_utf8_lossy(&text[..text.len().min(64)]).into_owned() }
}

/// The line with single spaces and nothing around it, which is what rendering gives.
fn normalised(line: &[u8]) -> Box<str> {
    let words: Vec<_> =
        line.split(|byte| is_space(*byte)).filter(|word| !word.is_empty()).map(String::from_utf8_lossy).collect();
    words.join(" ").into()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn header(line: &[u8], spans: &[(u32, u32)]) -> Option<Format> {
    let words: Option<Vec<&str>> = spans.iter().map(|span| std::str::from_utf8(token(line, *span)).ok()).collect();
    Format::from_header(&words?)
}

fn token(line: &[u8], span: (u32, u32)) -> &[u8] {
    &line[span.0 as usize..span.1 as usize]
}

/// Finds the words of a line; gives how many there are, also beyond the room in `spans`.
fn tokens(line: &[u8], spans: &mut [(u32, u32); MAX_TOKENS]) -> usize {
    let mut found = 0;
    let mut start = 0_u32;
    // Lines are at most MAX_LINE long, so positions fit.
    #[expect(clippy::cast_possible_truncation, reason = "bounded by MAX_LINE")]
    for (index, byte) in line.iter().chain(std::iter::once(&b' ')).enumerate() {
        if is_space(*byte) {
            let index = index as u32;
            if start < index {
                if let Some(span) = spans.get_mut(found) {
                    *span = (start, index);
                }
                found += 1;
            }
            start = index + 1;
        }
    }
    found
}

fn coded((number, spelled): (u64, bool)) -> (u64, bool) {
    (code_of(number), spelled)
}

/// A decimal number below `u64::MAX`, and whether it is spelled without leading zeros.
fn number(text: &[u8]) -> Option<(u64, bool)> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    let mut value = 0_u64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (value < u64::MAX).then_some((value, text[0] != b'0' || text.len() == 1))
}

/// A dotted quad without leading zeros, which is the only spelling of an IPv4 address.
pub(super) fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0_u8; 4];
    let mut place = 0;
    let mut digits = 0;
    let mut value = 0_u16;
    for byte in text.iter().chain(std::iter::once(&b'.')) {
        match byte {
            b'0'..=b'9' if digits < 3 && !(digits > 0 && value == 0) => {
                value = value * 10 + u16::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && place < 4 => {
                octets[place] = u8::try_from(value).ok()?;
                place += 1;
                (digits, value) = (0, 0);
            }
            _ => return None,
        }
    }
    (place == 4).then(|| Ipv4Addr::from(octets))
}

/// Whether a word begins like `2018-09-22T20:28:14`; a fraction and a zone may follow.
fn is_iso_time(word: &[u8]) -> bool {
    word.len() >= 19
        && word.iter().zip(b"0000-00-00T00:00:00").all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == shape,
        })
}

#[cfg(test)]
mod tests;
