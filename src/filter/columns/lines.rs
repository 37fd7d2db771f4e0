//! Which rows have a text in their line, told by their columns: a line is its tokens with a space between, and each token is the value of a
//! field. What has no space stands within one token; of what has, the ends are an end of a token and the rest are whole ones.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Plan;
use super::bind::{any, marks};
use super::kernel::CodeTest;
use crate::filter::pred::Needle;
use crate::record::{Field, Format, Kind};
use crate::store::Columnar;

/// Codes of a column that are asked one by one before its rows are.
const MOST_CODES: u64 = 4_096;

/// Where in a token a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Anywhere.
    Within,
    /// At the beginning.
    Start,
    /// At the end.
    End,
    /// It is all of it.
    Whole,
}

impl At {
    fn is_in(self, needle: &Needle, token: &[u8]) -> bool {
        let len = needle.bytes().len();
        let part = match self {
            At::Within => return needle.is_in(token),
            At::Start => token.get(..len),
            At::End => token.len().checked_sub(len).and_then(|from| token.get(from..)),
            At::Whole => (token.len() == len).then_some(token),
        };
        part.is_some_and(|part| part.eq_ignore_ascii_case(needle.bytes()))
    }
}

/// Digits in a number as it is spelled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Digits {
    at: At,
    value: u64,
    /// Ten to the power of their count, and the least number that has so many.
    power: u64,
    least: u64,
}

impl Digits {
    /// `None` where `text` is no row of digits, or a longer one than is reckoned with.
    pub(super) fn new(text: &[u8], at: At) -> Option<Digits> {
        let value = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        let power = 10_u64.checked_pow(u32::try_from(text.len()).ok()?)?;
        let least = if text.len() == 1 { 0 } else { power / 10 };
        Some(Digits { at, value: value.parse().ok()?, power, least })
    }

    /// Whether the spelling of `number` has them there.
    #[inline]
    pub(super) fn is_in(&self, mut number: u64) -> bool {
        match self.at {
            At::Whole => number == self.value && number >= self.least,
            At::End => number >= self.least && number % self.power == self.value,
            At::Start => {
                while number >= self.power {
                    number /= 10;
                }
                number >= self.least && number == self.value
            }
            At::Within => loop {
                if number < self.least {
                    return false;
                }
                if number % self.power == self.value {
                    return true;
                }
                if number < 10 {
                    return false;
                }
                number /= 10;
            },
        }
    }
}

/// The format of all lines, where their columns say everything that is in them.
fn said<T: Columnar>(table: &T) -> Option<&Format> {
    table.only_format().filter(|format| format.unknown().next().is_none())
}

/// The rows whose line contains `needle`; `None` where the columns do not tell.
pub(super) fn contains<'f, T: Columnar>(table: &T, needle: &Needle) -> Option<Plan<'f>> {
    let format = said(table)?;
    // A dash alone stands for what is absent.
    if needle.bytes().contains(&b' ') || needle.bytes() == b"-" {
        return None;
    }
    within(table, format, needle, At::Within)
}

/// All rows whose line contains one of `needles`, and others.
pub(super) fn may_contain<'f, T: Columnar>(table: &T, needles: &[Needle]) -> Plan<'f> {
    let Some(format) = said(table) else { return Plan::All };
    let one = |needle: &Needle| {
        let pieces: Vec<&[u8]> = needle.bytes().split(|byte| *byte == b' ').collect();
        let last = pieces.len() - 1;
        let parts = pieces.iter().enumerate().filter(|(_, piece)| !piece.is_empty() && **piece != b"-");
        Plan::and(parts.map(|(place, piece)| {
            let at = match (place == 0, place == last) {
                (true, true) => At::Within,
                (true, false) => At::End,
                (false, true) => At::Start,
                (false, false) => At::Whole,
            };
            within(table, format, &Needle::of(piece), at).unwrap_or(Plan::All)
        }))
    };
    Plan::or(needles.iter().map(one))
}

/// The rows that have a token which has `needle` at that place.
fn within<'f, T: Columnar>(table: &T, format: &Format, needle: &Needle, at: At) -> Option<Plan<'f>> {
    let of = |kind: fn(Kind) -> bool| format.fields().filter(|field| kind(field.kind())).collect::<Vec<Field>>();
    let texts = marks(table, |table, out| {
        out.extend(table.texts().map(|text| u8::from(at.is_in(needle, text.as_bytes()))));
    });
    let mut parts = vec![any(table, of(|kind| kind == Kind::Text), texts)];
    let (v4, v6) = needle.in_addresses();
    if v4 || v6 {
        let four = |bits: u32| v4 && at.is_in(needle, spelled(bits, &mut [0; 15]));
        let six = |bits: u128| v6 && at.is_in(needle, Ipv6Addr::from(bits).to_string().as_bytes());
        let addrs = marks(table, |table, out| table.mark_addrs(four, six, out));
        parts.push(any(table, of(|kind| kind == Kind::Addr), addrs));
    }
    if needle.bytes().iter().all(u8::is_ascii_digit) {
        let digits = Digits::new(needle.bytes(), at)?;
        let fields = of(|kind| !matches!(kind, Kind::Text | Kind::Addr));
        parts.extend(fields.into_iter().map(|field| number(table, field, &digits)));
    }
    Some(Plan::or(parts))
}

/// The rows whose number in `field` has `digits`.
fn number<'f, T: Columnar>(table: &T, field: Field, digits: &Digits) -> Plan<'f> {
    let (least, most) = table.bounds(field);
    if digits.at == At::Whole {
        if digits.value < digits.least {
            return Plan::None;
        }
        let code = digits.value.saturating_add(1);
        return any(table, vec![field], CodeTest::Range(code, code));
    }
    if most - least >= MOST_CODES {
        return any(table, vec![field], CodeTest::Digits(digits.clone()));
    }
    // Times of a segment are near each other, and what few numbers there are need not be asked in each row.
    let found = (least.max(1)..=most).filter(|code| digits.is_in(code - 1)).map(|code| (code, code));
    any(table, vec![field], CodeTest::Ranges(crate::filter::addrset::merge(found.collect())))
}

/// An address as a line has it.
fn spelled(bits: u32, out: &mut [u8; 15]) -> &[u8] {
    let mut len = 0;
    for (place, octet) in Ipv4Addr::from_bits(bits).octets().into_iter().enumerate() {
        if place > 0 {
            out[len] = b'.';
            len += 1;
        }
        for (digit, shown) in [(octet / 100, octet > 99), (octet / 10 % 10, octet > 9), (octet % 10, true)] {
            if shown {
                out[len] = b'0' + digit;
                len += 1;
            }
        }
    }
    &out[..len]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_are_found_where_they_are_spelled(
            number in prop_oneof![0..3_000_u64, proptest::arbitrary::any::<u64>()],
            text in prop_oneof!["[0-9]{1,4}", "0{0,2}[0-9]{1,3}"],
        ) {
            let line = number.to_string();
            for (at, expected) in [
                (At::Within, line.contains(&text)),
                (At::Start, line.starts_with(&text)),
                (At::End, line.ends_with(&text)),
                (At::Whole, line == text),
            ] {
                let digits = Digits::new(text.as_bytes(), at).expect("digits");
                prop_assert_eq!(digits.is_in(number), expected, "{:?} {} {}", at, number, text);
            }
        }

        #[test]
        fn an_address_is_spelled_as_everywhere(bits in proptest::arbitrary::any::<u32>()) {
            let mut out = [0; 15];
            let expected = Ipv4Addr::from_bits(bits).to_string();
            prop_assert_eq!(spelled(bits, &mut out), expected.as_bytes());
        }
    }
}
