//! The fast path: a line as AWS writes it, one space between its tokens and each value spelled as it is rendered.
//!
//! The bytes are looked at in large steps: sixty-four for what separates tokens (`marks`), eight for a number (`numbers`), so that the length of a
//! token costs no wrong guess of the processor. Texts that stand side by side are looked up as one (`shelf`). Whatever is not plain is left
//! to [`super::parse`], which reads every line and is what this must agree with; a property test holds the two together.

mod ipv6;
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

/// Rows that are read at once, a column at a time, and go into the columns together: what they take stays in the nearest cache.
pub(super) const TOGETHER: usize = 128;
/// Bytes in which marks are looked for at first, and at most, before the values between them are read. A longer line is not read here.
const FIRST: usize = 512;
const MOST_BYTES: usize = 16 * 1_024;

/// Reads plain lines. Remembers the tokens it saw with their codes, which belong to one [`Columns`].
#[derive(Debug)]
pub(super) struct Fast {
    marks: Marks,
    rows: Rows,
    /// Messages, with a newline behind each, and where they end.
    joined: Vec<u8>,
    ends: Vec<usize>,
}

/// The rows that are being read.
#[derive(Debug)]
struct Rows {
    /// By place in the line, then by row.
    codes: Box<[[u64; TOGETHER]]>,
    /// By place in the line.
    times: Box<[Times]>,
    texts: Shelf,
}

impl Default for Fast {
    fn default() -> Fast {
        let rows = Rows {
            codes: vec![[0; TOGETHER]; MOST].into(),
            times: vec![Times::default(); MOST].into(),
            texts: Shelf::default(),
        };
        Fast { marks: Marks::default(), rows, joined: Vec::new(), ends: Vec::new() }
    }
}

impl Fast {
    /// Forgets all codes.
    pub(super) fn reset(&mut self) {
        self.rows.texts.reset();
    }

    /// Makes rows of the lines of `bytes` from `start` on, as long as they are plain. Gives the place of the first line that is not, or
    /// the end. What the format of the rows is, and what the lines do not say themselves, is for the caller to add.
    pub(super) fn lines(&mut self, bytes: &[u8], start: usize, plan: &Plan, columns: &mut Columns) -> usize {
        let (mut start, mut size) = (start, FIRST);
        while start < bytes.len() && !plan.steps.is_empty() {
            let end = bytes.len().min(start + size);
            let stretch = &bytes[start..end];
            let begins = self.marks.begins(stretch, end == bytes.len());
            let (read, all) = self.rows.stretch(stretch, begins, plan, columns);
            start += read;
            if !all || read == 0 && size == MOST_BYTES {
                break;
            }
            size = MOST_BYTES.min(size * 4);
        }
        start
    }

    /// Makes rows of messages that stand one behind the other in `bytes` from `start` on, each up to one of `ends`. Gives of how many: the first ones,
    /// as long as they are plain.
    pub(super) fn messages(
        &mut self,
        bytes: &[u8],
        start: usize,
        ends: impl Iterator<Item = usize>,
        plan: &Plan,
        columns: &mut Columns,
    ) -> usize {
        self.joined.clear();
        self.ends.clear();
        let mut start = start;
        for end in ends.take(if plan.steps.is_empty() { 0 } else { TOGETHER }) {
            let Some(message) = bytes.get(start..end) else { break };
            if self.joined.len() + message.len() > MOST_BYTES {
                break;
            }
            self.joined.extend_from_slice(message);
            self.joined.push(b'\n');
            self.ends.push(self.joined.len());
            start = end;
        }
        let (begins, stride) = (self.marks.begins(&self.joined, false), plan.fields.len());
        // A message with a newline in it is not plain, so the places must agree.
        let behind = begins.get(stride..).unwrap_or_default().iter().step_by(stride.max(1));
        let mut rows = self.ends.iter().zip(behind).take_while(|(end, behind)| **end == **behind as usize).count();
        while rows > 0 && !self.rows.values(&Lines { bytes: &self.joined, begins, stride, rows }, plan, columns) {
            rows /= 2;
        }
        columns.put_rows(&plan.fields, &self.rows.codes, rows);
        rows
    }

    /// Makes a row of `line`, which is a whole one. False where it is not plain; nothing is then added.
    pub(super) fn line(&mut self, line: &[u8], plan: &Plan, columns: &mut Columns) -> bool {
        if plan.steps.is_empty() || line.len() > MOST_BYTES {
            return false;
        }
        let begins = self.marks.begins(line, true);
        let read = begins.len() == plan.fields.len() + 1
            && begins.last().is_some_and(|behind| *behind as usize > line.len())
            && self.rows.values(&Lines { bytes: line, begins, stride: plan.fields.len(), rows: 1 }, plan, columns);
        if read {
            columns.put_rows(&plan.fields, &self.rows.codes, 1);
        }
        read
    }
}

/// Some lines with the same number of marks.
#[derive(Clone, Copy)]
struct Lines<'a> {
    bytes: &'a [u8],
    /// See [`Marks::begins`]; the first is that of the first line.
    begins: &'a [u32],
    /// Marks of a line.
    stride: usize,
    rows: usize,
}

impl Lines<'_> {
    /// From where to where the token at `place` of the line at `row` reaches, with those that follow it up to `count`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it is to become part of the loops over rows")]
    fn token(&self, row: usize, place: usize, count: usize) -> Option<(usize, usize)> {
        let at = row * self.stride + place;
        Some((*self.begins.get(at)? as usize, *self.begins.get(at + count)? as usize - 1))
    }

    /// Whether what is before `begin` separates it from another token of its line, which the one at place 0 does not have.
    fn separated(&self, place: usize, begin: usize) -> bool {
        place == 0 || self.bytes.get(begin.wrapping_sub(1)) == Some(&b' ')
    }
}

impl Rows {
    /// Makes rows of the lines of `bytes`. Gives how many bytes were read, and false where a line is not plain rather than cut off.
    fn stretch(&mut self, bytes: &[u8], begins: &[u32], plan: &Plan, columns: &mut Columns) -> (usize, bool) {
        let count = plan.fields.len();
        let (mut begins, mut most) = (begins, TOGETHER);
        loop {
            let read = begins.first().map_or(0, |begin| bytes.len().min(*begin as usize));
            // What ends the line: nothing, a newline, or the two bytes of Windows; the others end as the first does.
            let Some(behind) = begins.get(count) else { return (read, true) };
            let two = bytes.get(*behind as usize - 1) == Some(&b'\r');
            let stride = count + usize::from(two);
            let ends = begins.get(stride..).unwrap_or_default().iter().step_by(stride);
            let rows = ends
                .take(most)
                .take_while(|behind| matches!(bytes.get(**behind as usize - 1), None | Some(b'\n')))
                .count();
            if rows == 0 {
                return (read, begins.len() <= stride);
            }
            let lines = Lines { bytes, begins, stride, rows };
            // An empty line behind a newline is another line.
            let bare = |row| {
                lines
                    .token(row, count, 1)
                    .is_some_and(|(begin, end)| begin == end && bytes.get(begin.wrapping_sub(1)) == Some(&b'\r'))
            };
            let good = (!two || (0..rows).all(bare)) && self.values(&lines, plan, columns);
            if good {
                columns.put_rows(&plan.fields, &self.codes, rows);
                begins = &begins[rows * stride..];
                most = TOGETHER.min(most * 2);
            } else if rows == 1 {
                return (read, false);
            } else {
                // One of them is not plain: those before it are.
                most = rows / 2;
            }
        }
    }

    /// Reads the values of `lines`. False where one is not plain.
    fn values(&mut self, lines: &Lines<'_>, plan: &Plan, columns: &mut Columns) -> bool {
        let mut place = 0;
        for step in &plan.steps {
            let count = step.count();
            let read = match *step {
                Step::Numbers(_) => (place..place + count).all(|place| {
                    let codes = &mut self.codes[place][..lines.rows];
                    read_numbers(lines, place, plan.most[place], codes, &mut self.times[place]).is_some()
                }),
                Step::Addrs(_) => (place..place + count)
                    .all(|place| read_addrs(lines, place, &mut self.codes[place][..lines.rows], columns).is_some()),
                Step::Texts { numbers, .. } => {
                    let codes = &mut self.codes[place..place + count];
                    read_texts(lines, place, numbers, codes, &mut self.texts, columns).is_some()
                }
            };
            if !read {
                return false;
            }
            place += count;
        }
        true
    }
}

/// Reads the numbers at `place`, each up to `most`.
#[inline(never)]
fn read_numbers(lines: &Lines<'_>, place: usize, most: u64, codes: &mut [u64], times: &mut Times) -> Option<()> {
    let (begin, end) = lines.token(0, place, 1)?;
    if end - begin == 10 && read_times(lines, place, most, codes, times).is_some() {
        return Some(());
    }
    for (row, code) in codes.iter_mut().enumerate() {
        let (begin, end) = lines.token(row, place, 1)?;
        *code = match numbers::short(lines.bytes, end, end - begin, place > 0) {
            Some(number) if number <= most => number + 1,
            _ => other_number(lines, place, begin, end, most)?,
        };
    }
    Some(())
}

/// As [`read_numbers`], where all of them have ten digits.
#[inline(never)]
fn read_times(lines: &Lines<'_>, place: usize, most: u64, codes: &mut [u64], times: &mut Times) -> Option<()> {
    for (row, code) in codes.iter_mut().enumerate() {
        let (begin, end) = lines.token(row, place, 1)?;
        let time = if end - begin == 10 { times.number(lines.bytes, end)? } else { return None };
        if time > most || !lines.separated(place, begin) {
            return None;
        }
        *code = time + 1;
    }
    Some(())
}

/// The code of a number of many digits and of `-`.
#[inline(never)]
fn other_number(lines: &Lines<'_>, place: usize, begin: usize, end: usize, most: u64) -> Option<u64> {
    let known = match numbers::number(lines.bytes, end, end - begin) {
        Some(number) => Some(number).filter(|number| *number <= most).map(code_of),
        None => (lines.bytes.get(begin..end)? == b"-").then_some(0),
    };
    known.filter(|_| lines.separated(place, begin))
}

/// Reads the addresses at `place`.
#[inline(never)]
fn read_addrs(lines: &Lines<'_>, place: usize, codes: &mut [u64], columns: &mut Columns) -> Option<()> {
    for (row, code) in codes.iter_mut().enumerate() {
        let (begin, end) = lines.token(row, place, 1)?;
        *code = match numbers::ipv4(lines.bytes, begin, end - begin).and_then(code_of_ipv4) {
            Some(code) => code,
            None => other_addr(lines.bytes.get(begin..end)?, columns)?,
        };
        if !lines.separated(place, begin) {
            return None;
        }
    }
    Some(())
}

/// Reads the texts from `place` on, as many as there are `codes`; those in `numbers` are numbers.
#[inline(never)]
fn read_texts(
    lines: &Lines<'_>,
    place: usize,
    numbers: u8,
    codes: &mut [[u64; TOGETHER]],
    known: &mut Shelf,
    columns: &mut Columns,
) -> Option<()> {
    let count = codes.len();
    let mut places = [0; TOGETHER];
    let places = &mut places[..lines.rows];
    for (row, found) in places.iter_mut().enumerate() {
        let (begin, end) = lines.token(row, place, count)?;
        let text = lines.bytes.get(begin..end)?;
        // A line that begins with an ISO time is an export's.
        if !lines.separated(place, begin) || place == 0 && text.get(10) == Some(&b'T') && text.get(4) == Some(&b'-') {
            return None;
        }
        *found = known.place(text, numbers, |codes| text_codes(text, numbers, count, codes, columns))?;
    }
    for (number, codes) in codes.iter_mut().enumerate() {
        let known = known.codes().get(number..)?;
        for (code, place) in codes.iter_mut().zip(&*places) {
            *code = *known.get(*place as usize)?;
        }
    }
    Some(())
}

/// The code of an address of IPv6, of `-`, and of what is rare, where it is spelled as it is rendered.
#[inline(never)]
fn other_addr(text: &[u8], columns: &mut Columns) -> Option<u64> {
    if text == b"-" {
        return Some(0);
    }
    if let Some(addr) = ipv6::ipv6(text) {
        return Some(columns.addr_code(IpAddr::V6(addr)));
    }
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
        let found = if token.is_empty() {
            None
        } else if token == b"-" {
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
mod tests;
