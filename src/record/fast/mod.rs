//! The fast path: a line as AWS writes it, one space between its tokens and each value spelled as it is rendered.
//!
//! The bytes are looked at in large steps: sixty-four for what separates tokens (`marks`), eight for a number (`numbers`), so that the length of a
//! token costs no wrong guess of the processor. Texts that stand side by side are looked up as one (`shelf`). Whatever is not plain is left
//! to [`super::parse`], which reads every line and is what this must agree with; a property test holds the two together.

mod marks;
mod numbers;
mod shelf;

use std::net::IpAddr;
use std::str::FromStr as _;

use self::marks::Marks;
use self::numbers::Times;
use self::shelf::Shelf;
use super::columns::{Columns, code_of, code_of_ipv4};
use super::plan::{MOST, Plan, Step};

/// Longest line that is read here, bytes.
const LONGEST: usize = 1_024;
/// Rows that go into the columns at once: what they take stays in the nearest cache.
const TOGETHER: usize = 128;

/// Reads plain lines. Remembers the tokens it saw with their codes, which belong to one [`Columns`].
#[derive(Debug)]
pub(super) struct Fast {
    /// By place in the line, then by row: of the lines that were read and are not in the columns yet, and of the one that is being read.
    codes: Box<[[u64; TOGETHER]]>,
    /// How many were read.
    rows: usize,
    /// By place in the line.
    times: Box<[Times]>,
    addrs: Shelf,
    texts: Shelf,
}

impl Default for Fast {
    fn default() -> Fast {
        Fast {
            codes: vec![[0; TOGETHER]; MOST].into(),
            rows: 0,
            times: vec![Times::default(); MOST].into(),
            addrs: Shelf::default(),
            texts: Shelf::default(),
        }
    }
}

impl Fast {
    /// Forgets all codes.
    pub(super) fn reset(&mut self) {
        self.addrs.reset();
        self.texts.reset();
    }

    /// Makes rows of the lines of `bytes` from `start` on, as long as they are plain. Gives the place of the first line that is not, or
    /// the end. What the format of the rows is, and what the lines do not say themselves, is for the caller to add.
    pub(super) fn lines(&mut self, bytes: &[u8], start: usize, plan: &Plan, columns: &mut Columns) -> usize {
        let mut start = start;
        let mut cursor = Cursor::new(bytes, start);
        while start < bytes.len() {
            let Some(end) = self.values(&mut cursor, plan, columns) else { break };
            // What ends the line: nothing, a newline, or the two bytes of Windows.
            start = match bytes.get(end) {
                None => end,
                Some(b'\n') => end + 1,
                Some(b'\r') if bytes.get(end + 1) == Some(&b'\n') => cursor.marks.next() + 1,
                Some(_) => break,
            };
            (cursor.at, cursor.separator) = (start, b' ');
            self.rows += 1;
            if self.rows == TOGETHER {
                self.hand_over(plan, columns);
            }
        }
        self.hand_over(plan, columns);
        start
    }

    fn hand_over(&mut self, plan: &Plan, columns: &mut Columns) {
        columns.put_rows(&plan.fields, &self.codes, self.rows);
        self.rows = 0;
    }

    /// Makes a row of `line`, which is a whole one. False where it is not plain; nothing is then added.
    pub(super) fn line(&mut self, line: &[u8], plan: &Plan, columns: &mut Columns) -> bool {
        let read = self.values(&mut Cursor::new(line, 0), plan, columns) == Some(line.len());
        if read {
            self.rows += 1;
            self.hand_over(plan, columns);
        }
        read
    }

    /// Reads the values of the line that `cursor` stands at. Gives the place after its last token.
    #[inline]
    fn values(&mut self, cursor: &mut Cursor<'_>, plan: &Plan, columns: &mut Columns) -> Option<usize> {
        let (start, bytes) = (cursor.at, cursor.bytes);
        // A line that begins with an ISO time is an export's.
        if plan.steps.is_empty() || bytes.get(start + 10) == Some(&b'T') && bytes.get(start + 4) == Some(&b'-') {
            return None;
        }
        let (mut place, row) = (0, self.rows);
        for step in &plan.steps {
            match *step {
                Step::Numbers(count) => {
                    let places = place..place + count;
                    let (codes, times) = (&mut self.codes[places.clone()], &mut self.times[places.clone()]);
                    read_numbers(cursor, &plan.most[places], codes, row, times)?;
                    place += count;
                }
                Step::Addrs(count) => {
                    read_addrs(cursor, &mut self.codes[place..place + count], row, &mut self.addrs, columns)?;
                    place += count;
                }
                Step::Texts { tokens, numbers } => {
                    let count = usize::from(tokens);
                    let (at, mut end) = cursor.token()?;
                    for _ in 1..count {
                        (_, end) = cursor.token()?;
                    }
                    let text = bytes.get(at..end).filter(|text| text.len() <= LONGEST)?;
                    let find = |codes: &mut Vec<u64>| text_codes(text, numbers, count, codes, columns);
                    let found = self.texts.codes(text, numbers, count, find)?;
                    for (codes, code) in self.codes[place..place + count].iter_mut().zip(found) {
                        codes[row] = *code;
                    }
                    place += count;
                }
            }
        }
        let end = cursor.at - 1;
        (cursor.odd == 0 && end - start <= LONGEST).then_some(end)
    }
}

/// Goes from token to token.
#[derive(Clone)]
struct Cursor<'a> {
    bytes: &'a [u8],
    marks: Marks<'a>,
    /// Where the next token begins.
    at: usize,
    /// What stands before it.
    separator: u8,
    /// Not 0 once something else than a space stood between two tokens.
    odd: u8,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Cursor<'a> {
        Cursor { bytes, marks: Marks::new(bytes, at, bytes.len()), at, separator: b' ', odd: 0 }
    }

    /// The next token; `None` where it is empty.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what it keeps is to stay in registers")]
    fn token(&mut self) -> Option<(usize, usize)> {
        self.odd |= self.separator ^ b' ';
        let (at, end) = (self.at, self.marks.next());
        self.separator = self.bytes.get(end).copied().unwrap_or(b'\n');
        self.at = end + 1;
        (at < end).then_some((at, end))
    }
}

/// Reads as many numbers as there are `codes`, each up to `most`. A function of its own, and the next too, so that what it needs has a register.
#[inline(never)]
fn read_numbers(
    cursor: &mut Cursor<'_>,
    most: &[u64],
    codes: &mut [[u64; TOGETHER]],
    row: usize,
    times: &mut [Times],
) -> Option<()> {
    let mut own = cursor.clone();
    for ((codes, most), times) in codes.iter_mut().zip(most).zip(times) {
        let (at, end) = own.token()?;
        let number =
            if end - at == 10 { times.number(own.bytes, end) } else { numbers::number(own.bytes, end, end - at) };
        codes[row] = match number {
            Some(number) if number <= *most => code_of(number),
            None if own.bytes.get(at..end) == Some(b"-") => 0,
            _ => return None,
        };
    }
    *cursor = own;
    Some(())
}

/// Reads as many addresses as there are `codes`. `known` remembers those of IPv6.
#[inline(never)]
fn read_addrs(
    cursor: &mut Cursor<'_>,
    codes: &mut [[u64; TOGETHER]],
    row: usize,
    known: &mut Shelf,
    columns: &mut Columns,
) -> Option<()> {
    let mut own = cursor.clone();
    for codes in codes {
        let (at, end) = own.token()?;
        codes[row] = match numbers::ipv4(own.bytes, at, end - at).and_then(code_of_ipv4) {
            Some(code) => code,
            None => other_addr(&own.bytes[at..end], known, columns)?,
        };
    }
    *cursor = own;
    Some(())
}

/// The code of an address of IPv6, of `-`, and of what is rare.
#[inline(never)]
fn other_addr(text: &[u8], known: &mut Shelf, columns: &mut Columns) -> Option<u64> {
    if text == b"-" {
        return Some(0);
    }
    if text.len() > LONGEST {
        return None;
    }
    let find = |codes: &mut Vec<u64>| addr_code(text, columns).map(|code| codes.push(code)).is_some();
    known.codes(text, 0, 1, find)?.first().copied()
}

/// The code of an address that is spelled as it is rendered.
fn addr_code(text: &[u8], columns: &mut Columns) -> Option<u64> {
    if let Some(addr) = super::parse::ipv4(text) {
        return Some(columns.addr_code(IpAddr::V4(addr)));
    }
    let text = std::str::from_utf8(text).ok()?;
    let addr = IpAddr::from_str(text).ok()?;
    (addr.to_string() == text).then(|| columns.addr_code(addr))
}

/// Appends the codes of `count` texts with one space between them, of which those in `numbers` are numbers. False where they are not plain.
fn text_codes(text: &[u8], numbers: u8, count: usize, codes: &mut Vec<u64>, columns: &mut Columns) -> bool {
    let mut end = 0;
    for place in 0..count {
        // Too few of them: something else than a space was between two.
        let Some(rest) = text.get(end..) else { return false };
        let token = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
        end += token.len();
        let found = if token == b"-" {
            Some(0)
        } else if numbers >> place & 1 == 1 {
            numbers::number(text, end, token.len()).map(code_of)
        } else {
            std::str::from_utf8(token).ok().map(|token| columns.text_code(token))
        };
        let Some(found) = found else { return false };
        codes.push(found);
        end += 1;
    }
    end == text.len() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::format::Format;
    use super::super::parse::{Known, LineParser, Parsed};
    use super::super::table::Table as _;
    use super::super::{FIELDS, Field, Kind};
    use super::*;

    /// A token that some field may or may not take, spelled rightly or nearly so.
    fn a_token() -> impl Strategy<Value = String> {
        prop_oneof![
            3 => (0_u64..100_000).prop_map(|n| n.to_string()),
            2 => any::<u64>().prop_map(|n| n.to_string()),
            1 => (0_u64..1000).prop_map(|n| format!("0{n}")),
            1 => "[0-9]{13,17}",
            4 => any::<[u8; 4]>().prop_map(|addr| std::net::Ipv4Addr::from(addr).to_string()),
            1 => any::<[u8; 16]>().prop_map(|addr| std::net::Ipv6Addr::from(addr).to_string()),
            1 => any::<[u16; 8]>().prop_map(|a| a.map(|part| format!("{part:04x}")).join(":")),
            2 => Just("-".to_owned()),
            2 => "eni-[0-9a-f]{17}",
            1 => "[A-Z]{2,7}",
            1 => "[!-~é\u{1}]{1,50}",
        ]
    }

    type Read = Option<(Vec<u64>, Vec<String>, String)>;

    /// What `line` reads as: codes of numbers, words of the rest, and the line given back.
    fn read(parser: &mut LineParser, format: &std::sync::Arc<Format>, line: &str) -> Read {
        let mut columns = Columns::new();
        parser.reset();
        // A first row, so that the second does not begin its columns.
        let first = vec!["-"; format.slots().len()].join(" ");
        let _ = parser.parse(first.as_bytes(), Known::Said(format), &mut columns);
        let result = parser.parse(line.as_bytes(), Known::Said(format), &mut columns);
        (result == Ok(Parsed::Row)).then(|| {
            let row = columns.len() - 1;
            let numbers = FIELDS.iter().filter(|def| !matches!(def.kind, Kind::Addr | Kind::Text));
            let words = FIELDS.iter().filter(|def| def.kind == Kind::Text);
            let addrs = FIELDS.iter().filter(|def| def.kind == Kind::Addr);
            let mut told: Vec<String> = words.map(|def| format!("{:?}", columns.word(def.field, row))).collect();
            told.extend(addrs.map(|def| format!("{:?}", columns.address(def.field, row))));
            let mut line = String::new();
            columns.render_line(row, &mut line);
            (numbers.map(|def| columns.code(def.field, row)).collect(), told, line)
        })
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_thorough_parser(
            fields in prop::sample::subsequence(FIELDS.iter().filter(|def| def.since > 0).map(|def| def.field).collect::<Vec<Field>>(), 2..30).prop_shuffle(),
            tokens in prop::collection::vec(prop::collection::vec((a_token(), any::<u16>()), 30), 1..6),
        ) {
            let format = std::sync::Arc::new(Format::of(&fields));
            let mut parser = LineParser::new();
            for tokens in &tokens {
                let tokens: Vec<String> = fields.iter().zip(tokens).map(|(field, (odd, number))| match (field.kind(), number % 8) {
                    (_, 0) => odd.clone(),
                    (Kind::Addr, _) => format!("10.{}.0.{}", number % 3, number % 256),
                    (Kind::Text, _) => format!("w-{}", number % 5),
                    (Kind::Protocol | Kind::Flags, _) => (number % 256).to_string(),
                    (Kind::Time, _) => (1_700_000_000 + u64::from(*number)).to_string(),
                    _ => number.to_string(),
                }).collect();
                // Two spaces are not plain: the thorough parser reads that line.
                let (plain, spaced) = (tokens.join(" "), tokens.join("  "));
                prop_assert_eq!(read(&mut parser, &format, &plain), read(&mut parser, &format, &spaced));
            }
        }
    }

    #[test]
    fn plain_lines_are_read_here() {
        let mut columns = Columns::new();
        let line = b"2 123456789012 eni-0536faba73134a9b7 13.125.33.130 2001:db8::1 40396 11211 17 1 51327 1534778806 1534778866 ACCEPT OK";
        let format = Format::default_v2();
        assert!(Fast::default().line(line, format.plan(), &mut columns));
    }
}
