//! The fast path: a line as AWS writes it, one space between its tokens and each value spelled as it is rendered.
//!
//! Eight bytes are looked at in one step (a `u64`), so that the length of a token costs no wrong guess of the processor. Whatever is not plain
//! is left to [`super::parse`], which reads every line and is what this must agree with; a property test holds the two together.

use std::net::IpAddr;
use std::str::FromStr as _;

use super::columns::{Columns, code_of};
use super::field::Kind;
use super::format::Step;

/// Longest line that is read here, bytes; also the most that has its separators in [`Fast::spaces`].
const LONGEST: usize = 1_024;
/// Most fields of a line that is read here.
const MOST: usize = 64;
/// Longest token that is remembered, bytes: an identifier with 17 digits has 24, an IPv6 address 39.
const WORD: usize = 40;
/// Addresses and texts that are remembered, powers of two: the few names of a log fit the nearest cache, the addresses the next.
const ADDRS: usize = 4_096;
const TEXTS: usize = 2_048;

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Reads plain lines. Remembers the tokens it saw with their codes, which belong to one [`Columns`].
#[derive(Debug)]
pub(super) struct Fast {
    spaces: [u64; LONGEST / 64],
    codes: [u64; MOST],
    addrs: Shelf,
    texts: Shelf,
}

impl Default for Fast {
    fn default() -> Fast {
        Fast { spaces: [0; LONGEST / 64], codes: [0; MOST], addrs: Shelf::new(ADDRS), texts: Shelf::new(TEXTS) }
    }
}

impl Fast {
    /// Forgets all codes.
    pub(super) fn reset(&mut self) {
        self.addrs.epoch += 1;
        self.texts.epoch += 1;
    }

    /// Puts the values of `line` into the row being built. False where it is not plain; the row is then untouched.
    pub(super) fn read(&mut self, line: &[u8], plan: &[Step], columns: &mut Columns) -> bool {
        if line.len() < 16 || line.len() > LONGEST || plan.is_empty() || plan.len() > MOST {
            return false;
        }
        // A line that begins with an ISO time is an export's.
        if line[4] == b'-' && line[10] == b'T' {
            return false;
        }
        if self.mark_spaces(line) + 1 != plan.len() {
            return false;
        }
        let (mut block, mut mask) = (0, self.spaces[0]);
        let mut start = 0;
        for (place, step) in plan.iter().enumerate() {
            let end = if place + 1 == plan.len() {
                line.len()
            } else {
                // There are as many separators as steps but one, so the blocks do not run out.
                while mask == 0 {
                    block += 1;
                    mask = self.spaces[block % self.spaces.len()];
                }
                block * 64 + mask.trailing_zeros() as usize
            };
            mask &= mask.wrapping_sub(1);
            let Some(code) = self.value(line, start, end, *step, columns) else { return false };
            self.codes[place] = code;
            start = end + 1;
        }
        columns.put_all(plan, &self.codes);
        true
    }

    /// Marks the spaces of `line`, one bit a byte, and counts them.
    fn mark_spaces(&mut self, line: &[u8]) -> usize {
        let mut count = 0;
        for (block, bytes) in line.chunks(64).enumerate() {
            let (words, rest) = bytes.as_chunks::<8>();
            let mut mask = 0;
            for (place, word) in words.iter().enumerate() {
                mask |= spaces_of(u64::from_le_bytes(*word)) << (place * 8);
            }
            for (place, byte) in rest.iter().enumerate() {
                mask |= u64::from(*byte == b' ') << (words.len() * 8 + place);
            }
            self.spaces[block] = mask;
            count += mask.count_ones() as usize;
        }
        count
    }

    #[inline]
    fn value(&mut self, line: &[u8], start: usize, end: usize, step: Step, columns: &mut Columns) -> Option<u64> {
        let length = end.checked_sub(start).filter(|length| *length > 0)?;
        if length == 1 && line[start] == b'-' {
            return Some(0);
        }
        let most = match step.kind? {
            Kind::Addr => return self.addrs.code(line, start, length, |text| addr_code(text, columns)),
            Kind::Text => return self.texts.code(line, start, length, |text| text_code(text, columns)),
            Kind::Port => u64::from(u16::MAX),
            Kind::Protocol | Kind::Flags => u64::from(u8::MAX),
            // Thirteen digits are milliseconds.
            Kind::Time => 999_999_999_999,
            Kind::Count | Kind::Int | Kind::Duration | Kind::Ratio => u64::MAX,
        };
        let canonical = length == 1 || line[start] != b'0';
        let number = digits(line, end, length)?;
        (canonical && number <= most).then(|| code_of(number))
    }
}

/// One bit for each byte of `word` that is a space.
fn spaces_of(word: u64) -> u64 {
    let others = word ^ (EACH * u64::from(b' '));
    let found = !(((others & !HIGH) + !HIGH) | others | !HIGH);
    (found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The eight bytes from `at`, the first of them lowest.
#[inline]
fn load(line: &[u8], at: usize) -> u64 {
    line.get(at..at + 8).and_then(<[u8]>::as_array::<8>).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The number in the `length` bytes before `end`, up to sixteen digits.
#[inline]
fn digits(line: &[u8], end: usize, length: usize) -> Option<u64> {
    if length > 16 {
        return None;
    }
    if end < 16 {
        // Too near to the beginning of the line to look back.
        return line[end - length..end].iter().try_fold(0_u64, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit <= 9).then(|| number * 10 + u64::from(digit))
        });
    }
    let low = eight(load(line, end - 8), length.min(8))?;
    if length <= 8 {
        return Some(low);
    }
    Some(eight(load(line, end - 16), length - 8)? * 100_000_000 + low)
}

/// The number in the last `length` (1 to 8) bytes of `word`, the most significant digit lowest.
#[inline]
fn eight(word: u64, length: usize) -> Option<u64> {
    let kept = !0 << (64 - 8 * length);
    let values = (word ^ (EACH * u64::from(b'0'))) & kept;
    if (values.wrapping_add(0x76 * EACH) | values) & HIGH != 0 {
        return None;
    }
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    Some(low.wrapping_add(high) >> 32)
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

/// The code of a text without white space in it.
fn text_code(text: &[u8], columns: &mut Columns) -> Option<u64> {
    let plain = !text.iter().any(|byte| matches!(byte, b'\t' | b'\r' | b'\n'));
    Some(columns.text_code(std::str::from_utf8(text).ok().filter(|_| plain)?))
}

/// Codes by token, the latest of those that fall on one place.
#[derive(Debug)]
struct Shelf {
    slots: Box<[Remembered]>,
    epoch: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Remembered {
    token: [u64; WORD / 8],
    length: u32,
    epoch: u32,
    code: u64,
}

impl Shelf {
    fn new(size: usize) -> Shelf {
        Shelf { slots: vec![Remembered::default(); size].into(), epoch: 1 }
    }

    /// The code of the token, from memory or else from `find`.
    #[inline]
    fn code(
        &mut self,
        line: &[u8],
        start: usize,
        length: usize,
        find: impl FnOnce(&[u8]) -> Option<u64>,
    ) -> Option<u64> {
        if length > WORD {
            return find(&line[start..start + length]);
        }
        let token = token(line, start, length);
        let [first, second, third, fourth, last] = token;
        let folded = first
            ^ second.rotate_left(13)
            ^ third.rotate_left(27)
            ^ fourth.rotate_left(41)
            ^ last.rotate_left(53)
            ^ length as u64;
        // Who chooses the tokens can make them meet on one place: they are then looked up each time, which costs what it did before.
        let mixed = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let place = usize::try_from(mixed >> 40).unwrap_or(0) & (self.slots.len() - 1);
        let slot = &mut self.slots[place];
        let length = u32::try_from(length).unwrap_or(0);
        // Not `==` on the arrays, which calls memcmp.
        let differ = slot.token.iter().zip(&token).fold(0, |differ, (ours, theirs)| differ | (ours ^ theirs));
        if slot.epoch == self.epoch && slot.length == length && differ == 0 {
            return Some(slot.code);
        }
        let code = find(&line[start..start + length as usize])?;
        *slot = Remembered { token, length, epoch: self.epoch, code };
        Some(code)
    }
}

/// A token of at most [`WORD`] bytes as words that, with its length, tell it from every other. Longer ones overlap.
#[inline]
fn token(line: &[u8], start: usize, length: usize) -> [u64; WORD / 8] {
    if length < 8 {
        let word = if start + 8 <= line.len() {
            load(line, start)
        } else {
            // The line has at least sixteen bytes.
            load(line, line.len() - 8) >> (8 * (start + 8 - line.len()))
        };
        return [word & !(!0 << (8 * length)), 0, 0, 0, 0];
    }
    let last = start + length - 8;
    let mut words = [load(line, start), 0, 0, 0, load(line, last)];
    if length <= 16 {
        return words;
    }
    for (place, word) in words[1..4].iter_mut().enumerate() {
        if length > 8 * (place + 2) {
            *word = load(line, start + 8 * (place + 1));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::format::Format;
    use super::super::parse::{Known, LineParser, Parsed};
    use super::super::table::Table as _;
    use super::super::{FIELDS, Field};
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
        let _ = parser.parse(first.as_bytes(), Known::Said(format), &mut columns, |_, _| {}, None);
        let result = parser.parse(line.as_bytes(), Known::Said(format), &mut columns, |_, _| {}, None);
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
        assert!(Fast::default().read(line, format.plan(), &mut columns));
    }
}
