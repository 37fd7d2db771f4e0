//! Tables with commas between the values and the names of the fields in the first line, as Athena writes its results and most programs export.
//!
//! Values may stand in quotes, in which a quote is doubled. A row is a line: no value of a flow log has a line end in it.

use std::borrow::Cow;

use super::flat::{LEAST, field_of};
use super::{ENOUGH, Emit, Mode, Step, Unwrapper, shape};
use crate::record::{EnvelopeError, Field};
use crate::source::file::reader::Stop;

/// Longest header and longest row, bytes: that of all fields there are takes less than half of it.
const LONGEST: usize = 4_096;
/// Bytes within which the first value of a line ends.
const FIRST: usize = 256;

/// A column: its name, and the field that it means.
pub(super) type Column = (Box<str>, Option<Field>);

/// Whether `data` begin with a header and a row below it; `None` where there is too little of them to tell. A header with commas above lines
/// with spaces is none: it is left to those who read lines.
pub(super) fn begins(data: &[u8]) -> Option<bool> {
    let quote = usize::from(data.first() == Some(&b'"'));
    let name = data.iter().skip(quote).take(FIRST).take_while(|byte| is_name(**byte)).count();
    match data.get(quote + name) {
        None => return if name < FIRST { None } else { Some(false) },
        Some(b'"') if quote == 1 => {}
        Some(b',') if name > 0 && quote == 0 => {}
        Some(_) => return Some(false),
    }
    let near = &data[..data.len().min(LONGEST)];
    let Some(end) = memchr::memchr(b'\n', near) else {
        return if near.len() < LONGEST { None } else { Some(false) };
    };
    if header(&data[..end]).is_none() {
        return Some(false);
    }
    let row = &data[end + 1..data.len().min(end + 1 + FIRST)];
    match row.iter().find(|byte| matches!(byte, b',' | b'"' | b' ' | b'\t' | b'\n')) {
        Some(byte) => Some(matches!(byte, b',' | b'"')),
        None => (row.len() == FIRST).then_some(false),
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The columns that a line names, where it is a header.
fn header(line: &[u8]) -> Option<Vec<Column>> {
    let mut columns = Vec::new();
    for name in cells(line) {
        let name = std::str::from_utf8(&name).ok()?;
        if name.is_empty() || !name.bytes().all(is_name) {
            return None;
        }
        columns.push((name.into(), field_of(name)));
    }
    (columns.iter().filter(|(_, field)| field.is_some()).count() >= LEAST).then_some(columns)
}

/// The values of a line, without their quotes.
fn cells(line: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut rest = Some(line.strip_suffix(b"\r").unwrap_or(line));
    std::iter::from_fn(move || {
        let line = rest?;
        let mut quoted = false;
        let comma = line.iter().position(|byte| {
            quoted ^= *byte == b'"';
            *byte == b',' && !quoted
        });
        let cell = &line[..comma.unwrap_or(line.len())];
        rest = comma.map(|comma| &line[comma + 1..]);
        let inner = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\""));
        Some(match inner {
            Some(inner) if inner.contains(&b'"') => {
                let mut last = 0;
                let single = |byte: &u8| {
                    let second = *byte == b'"' && last == b'"';
                    last = if second { 0 } else { *byte };
                    !second
                };
                Cow::Owned(inner.iter().copied().filter(single).collect())
            }
            Some(inner) => Cow::Borrowed(inner),
            None => Cow::Borrowed(cell),
        })
    })
}

impl Unwrapper {
    /// Reads the header and the rows of a table, up to a line that is none.
    pub(super) fn table(&mut self, data: &[u8], from: usize, last: bool, emit: Emit<'_>) -> Result<Step, Stop> {
        let mut at = from;
        loop {
            if self.out.len() >= ENOUGH {
                self.hand_on(emit)?;
            }
            let rest = &data[at..];
            if rest.is_empty() {
                return Ok(Step::Wait(at));
            }
            let near = &rest[..rest.len().min(LONGEST)];
            let end = memchr::memchr(b'\n', near).or((last && near.len() < LONGEST).then_some(near.len()));
            let line = end.map(|end| &rest[..end]);
            if line.is_none() && near.len() < LONGEST {
                return Ok(Step::Wait(at));
            }
            let is_row = |line: &&[u8]| !matches!(line.first(), Some(b'{' | b'[')) && line.contains(&b',');
            let blank = |line: &&[u8]| line.trim_ascii().is_empty();
            match (line.filter(blank), line.filter(is_row)) {
                (Some(_), _) => {}
                (None, Some(line)) => self.row(line),
                (None, None) => {
                    self.cutter.go_on_at(self.line);
                    self.mode = Mode::Lines;
                    return Ok(Step::Next(at));
                }
            }
            self.line += 1;
            at = (at + line.map_or(0, <[u8]>::len) + 1).min(data.len());
        }
    }

    fn row(&mut self, line: &[u8]) {
        // Files that were put together have a header each.
        if matches!(line.first(), Some(b'"' | b'a'..=b'z' | b'A'..=b'Z'))
            && let Some(columns) = header(line)
        {
            self.columns = columns;
            return;
        }
        self.out.line = self.line;
        self.out.flat.begin();
        let mut found = 0;
        for cell in cells(line) {
            match self.columns.get(found) {
                Some((_, Some(field))) => self.out.flat.text(*field, &String::from_utf8_lossy(&cell)),
                Some((name, None)) => self.out.flat.foreign(name),
                None => {}
            }
            found += 1;
        }
        let read = if found == self.columns.len() {
            self.out.record()
        } else {
            Err(EnvelopeError::Row(found, self.columns.len()))
        };
        if let Err(error) = read {
            self.out.reject(self.line, error, line);
        }
    }
}

/// A header and a row below it, as [`begins`] of `data` says, for [`shape::begins`].
pub(super) fn shape(data: &[u8]) -> shape::Begins {
    match begins(data) {
        Some(true) => shape::Begins::Table,
        Some(false) => shape::Begins::Line,
        None => shape::Begins::Unsure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_apart_and_freed_of_their_quotes() {
        let read = |line: &str| -> Vec<String> {
            cells(line.as_bytes()).map(|cell| String::from_utf8_lossy(&cell).into_owned()).collect()
        };
        assert_eq!(read("a,\"b\",,\"c,d\",\"\"\r"), ["a", "b", "", "c,d", ""]);
        assert_eq!(read("\"say \"\"no\"\"\",x"), ["say \"no\"", "x"]);
        assert_eq!(read("\"open,x"), ["\"open,x"]);
        assert_eq!(read(""), [""]);
    }

    #[test]
    fn a_header_with_commas_above_lines_with_spaces_is_no_table() {
        let names = "srcaddr,dstaddr,bytes\n";
        for (row, told) in [
            ("10.0.0.1,10.0.0.2,7\n", Some(true)),
            ("\"10.0.0.1\",\"x\"", Some(true)),
            ("10.0.0.1 10.0.0.2 7\n", Some(false)),
            ("\n", Some(false)),
            ("10.0.0.1", None),
        ] {
            assert_eq!(begins(format!("{names}{row}").as_bytes()), told, "{row}");
        }
        assert_eq!(begins(b"eni-1 10.0.0.1,"), Some(false));
        assert_eq!(begins(b"when,what,who\n1,2,3\n"), Some(false));
        assert_eq!(begins(b"srcaddr,dst"), None);
        assert_eq!(begins(&[b'a'; 5_000]), Some(false));
    }
}
