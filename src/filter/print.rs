//! The canonical spelling, which parses to the same expression. It is what history keeps, what a pivot writes, and what shows
//! a person how their shorthand was read: `ssh -10/8` is `service = ssh and not ip = 10.0.0.0/8`.

use std::fmt::{self, Display};
use std::net::IpAddr;

use jiff::Timestamp;

use super::expr::{Expr, Op, Operand, Pattern, Test, Window};
use super::{parse, value};
use crate::record::{Field, Kind, Value, services};

impl Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::And(parts) => joined(f, parts, " and ", |part| matches!(part, Expr::Or(_))),
            // "and" binds closer than "or", so a conjunction needs no parentheses here.
            Expr::Or(parts) => joined(f, parts, " or ", |_| false),
            Expr::Not(inner) if matches!(**inner, Expr::Test(_)) => write!(f, "not {inner}"),
            Expr::Not(inner) => write!(f, "not ({inner})"),
            Expr::Test(test) => test.fmt(f),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str, enclose: impl Fn(&Expr) -> bool) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        if enclose(part) { write!(f, "({part})")? } else { write!(f, "{part}")? }
    }
    Ok(())
}

impl Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Compare { field, op, values } => compare(f, *field, *op, values),
            Test::Has(field) => write!(f, "has {}", field.name()),
            Test::Contains(text) => quoted(f, text),
            Test::Matches(pattern) => pattern.fmt(f),
            Test::Last(seconds) => write!(f, "last {}", Duration(*seconds)),
            Test::During(Window::Absolute(from, to)) => write!(f, "@{}..{}", Moment(*from), Moment(*to)),
            Test::During(Window::OfDay(from, to)) => write!(f, "@{}..{}", TimeOfDay(*from), TimeOfDay(*to)),
        }
    }
}

fn compare(f: &mut fmt::Formatter<'_>, field: Field, op: Op, values: &[Operand]) -> fmt::Result {
    let name = field.name();
    let words = if op == Op::Ne { "not in" } else { "in" };
    match values {
        [Operand::Set(set)] => write!(f, "{name} {words} {}", set.name),
        [value] => {
            write!(f, "{name} {} ", op.as_str())?;
            operand(f, field.kind(), op, value)
        }
        _ => {
            write!(f, "{name} {words} {{")?;
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    f.write_str(", ")?;
                }
                operand(f, field.kind(), op, value)?;
            }
            f.write_str("}")
        }
    }
}

fn operand(f: &mut fmt::Formatter<'_>, kind: Kind, op: Op, value: &Operand) -> fmt::Result {
    match value {
        Operand::Int(from, to) if from == to => int(f, kind, op, *from),
        Operand::Int(from, to) => {
            // Only ranges of times have two points: a date has its own minus signs. Names are for single values.
            let dots = if kind == Kind::Time { ".." } else { "-" };
            int(f, kind, Op::Ge, *from)?;
            f.write_str(dots)?;
            int(f, kind, Op::Ge, *to)
        }
        Operand::Float(from, to) if from.total_cmp(to).is_eq() => write!(f, "{from}"),
        Operand::Float(from, to) => write!(f, "{from}-{to}"),
        Operand::Addr(from, to) => addresses(f, *from, *to),
        Operand::Word(text) if is_plain(text) => f.write_str(text),
        Operand::Word(text) => quoted(f, text),
        Operand::Glob(text) => f.write_str(text),
        Operand::Pattern(pattern) => pattern.fmt(f),
        Operand::Set(set) => f.write_str(&set.name),
    }
}

fn int(f: &mut fmt::Formatter<'_>, kind: Kind, op: Op, number: u64) -> fmt::Result {
    match kind {
        Kind::Time => Moment(number).fmt(f),
        Kind::Duration => Duration(number).fmt(f),
        Kind::Count => count(f, number),
        Kind::Protocol if !op.is_order() => match u8::try_from(number).ok().and_then(services::protocol_name) {
            Some(name) => f.write_str(name),
            None => number.fmt(f),
        },
        Kind::Flags if !op.is_order() => match value::flag_names(number) {
            Some(names) => f.write_str(&names),
            None => number.fmt(f),
        },
        _ => number.fmt(f),
    }
}

/// Whole millions and mebibytes take their unit; smaller numbers are read as easily without.
fn count(f: &mut fmt::Formatter<'_>, number: u64) -> fmt::Result {
    let large = value::COUNT_UNITS.iter().filter(|(_, multiple)| *multiple >= 1_000_000 && number > 0);
    let best = large.filter(|(_, multiple)| number.is_multiple_of(*multiple)).max_by_key(|(_, multiple)| *multiple);
    match best {
        Some((unit, multiple)) if unit.ends_with('i') => write!(f, "{}{unit}B", number / multiple),
        Some((unit, multiple)) => write!(f, "{}{unit}", number / multiple),
        None => number.fmt(f),
    }
}

fn addresses(f: &mut fmt::Formatter<'_>, from: IpAddr, to: IpAddr) -> fmt::Result {
    if from == to {
        return from.fmt(f);
    }
    match value::as_network(from, to) {
        Some(net) => net.fmt(f),
        None => write!(f, "{from}-{to}"),
    }
}

/// Whether `text` is read as this very text without quotes.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && !parse::is_connective(text)
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("\"")
}

impl Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escaped = false;
        f.write_str("/")?;
        for c in self.source().chars() {
            if c == '/' && !escaped {
                f.write_str("\\")?;
            }
            escaped = c == '\\' && !escaped;
            write!(f, "{c}")?;
        }
        f.write_str(if self.ignore_case() { "/i" } else { "/" })
    }
}

/// Unix seconds as RFC 3339 in UTC.
struct Moment(u64);

impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) {
            Some(timestamp) => timestamp.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

/// Seconds in the largest unit that leaves a whole number.
struct Duration(u64);

impl Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(unit, seconds): &&(&str, u64)| *unit == "s" || (self.0 > 0 && self.0.is_multiple_of(*seconds));
        match value::TIME_UNITS.iter().find(fits) {
            Some((unit, seconds)) => write!(f, "{}{unit}", self.0 / seconds),
            None => write!(f, "{}s", self.0),
        }
    }
}

/// Seconds after midnight.
struct TimeOfDay(u32);

impl Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hours:02}:{minutes:02}")?;
        if seconds == 0 { Ok(()) } else { write!(f, ":{seconds:02}") }
    }
}

/// The spelling of the test that `field` has this value, for a pivot on a cell or the evidence of an alert. Text from a log is
/// quoted where it must be, so it cannot become anything but a value. A quotient that no filter can ask for (negative, not
/// finite) becomes `has field`.
pub fn spell(field: Field, value: Value<'_>) -> String {
    match operand_of(field, value) {
        Some(operand) => Test::Compare { field, op: Op::Eq, values: vec![operand] }.to_string(),
        None => Test::Has(field).to_string(),
    }
}

/// The spelling of `value` alone, where there is one.
pub(super) fn spell_value(field: Field, value: Value<'_>) -> Option<String> {
    struct Spelled(Kind, Operand);
    impl Display for Spelled {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            operand(f, self.0, Op::Eq, &self.1)
        }
    }
    Some(Spelled(field.kind(), operand_of(field, value)?).to_string())
}

fn operand_of(field: Field, value: Value<'_>) -> Option<Operand> {
    Some(match value {
        #[expect(clippy::cast_precision_loss, reason = "the value is compared as a quotient")]
        Value::Int(number) if field.kind() == Kind::Ratio => Operand::Float(number as f64, number as f64),
        Value::Int(number) => Operand::Int(number, number),
        Value::Float(number) if !number.is_finite() || number < 0.0 => return None,
        // A quotient is shown with one decimal, and what is shown is what the test is for.
        Value::Float(number) => {
            let shown = (number * 10.0).round() / 10.0;
            Operand::Float(shown, shown)
        }
        Value::Addr(address) => Operand::Addr(address.to_canonical(), address.to_canonical()),
        Value::Text(text) => Operand::Word(text.to_owned()),
    })
}
