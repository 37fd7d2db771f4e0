//! What a value must be, compiled from operands: sorted ranges, bitmaps, folded text. Knows values, not rows.

use std::sync::Arc;

use regex::Regex;

use super::addrset::{AddrSet, merge, within};
use super::columns::PADDING;
use super::expr::{Op, Operand};
use super::members::Members;
use crate::record::{Value, services};

/// What a value must be.
#[derive(Clone, Debug)]
pub(super) enum Pred {
    Ints(Ints),
    Mask(u64),
    Floats(Box<[(f64, f64)]>),
    Addrs(Arc<AddrSet>),
    Texts(Box<[Text]>),
    Regex(Regex),
}

/// A set of whole numbers.
#[derive(Clone, Debug)]
pub(super) enum Ints {
    Ranges(Box<[(u64, u64)]>),
    /// One byte for each number up to 65,535 and before them one for absent, where there are many ranges: the table that a column of ports is
    /// looked up in as it is. See [`PADDING`].
    Marks(Arc<[u8]>),
}

/// A text that a value is compared with, ASCII case aside.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Is(Box<str>),
    /// `*` stands for any run of bytes.
    Glob(Box<[u8]>),
}

/// Ports of services by transport.
#[derive(Clone, Debug)]
pub(super) struct Services {
    pub tcp: Ints,
    pub udp: Ints,
}

/// A text to look for, folded to lower case.
#[derive(Clone, Debug)]
pub(super) struct Needle(Box<[u8]>);

/// What one operand asks of a value.
fn pred(op: Op, operand: &Operand) -> Pred {
    match operand {
        Operand::Int(mask, _) if matches!(op, Op::Like | Op::Unlike) => Pred::Mask(*mask),
        Operand::Int(from, to) => Pred::Ints(Ints::new(match op {
            Op::Lt => from.checked_sub(1).map(|most| (0, most)).into_iter().collect(),
            Op::Le => vec![(0, *from)],
            Op::Gt => from.checked_add(1).map(|least| (least, u64::MAX)).into_iter().collect(),
            Op::Ge => vec![(*from, u64::MAX)],
            Op::Eq | Op::Ne | Op::Like | Op::Unlike => vec![(*from, *to)],
        })),
        Operand::Float(from, to) => Pred::Floats(Box::new([match op {
            Op::Lt => (f64::NEG_INFINITY, from.next_down()),
            Op::Le => (f64::NEG_INFINITY, *from),
            Op::Gt => (from.next_up(), f64::INFINITY),
            Op::Ge => (*from, f64::INFINITY),
            _ if from.total_cmp(to).is_eq() => about(*from),
            _ => (*from, *to),
        }])),
        Operand::Addr(from, to) => Pred::Addrs(Arc::new(AddrSet::new([(*from, *to)]))),
        Operand::Word(text) => Pred::Texts(Box::new([Text::Is(text.as_str().into())])),
        Operand::Glob(text) => Pred::Texts(Box::new([Text::Glob(text.as_bytes().into())])),
        Operand::Pattern(pattern) => Pred::Regex(pattern.regex().clone()),
        Operand::Set(set) => match &set.members {
            Members::Addrs(set) => Pred::Addrs(Arc::clone(set)),
            Members::Ports(ranges) => Pred::Ints(Ints::new(ranges.to_vec())),
        },
    }
}

/// A quotient as precise as it is written, at least to one decimal: `ratio = 1026.5` finds 51327 / 50.
fn about(value: f64) -> (f64, f64) {
    let decimals = value.to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len()).max(1);
    let half = 0.5 * 10_f64.powi(-i32::try_from(decimals).unwrap_or(i32::MAX));
    (value - half, value + half)
}

/// What any of `values` asks of a value. Negation is the caller's.
pub(super) fn any_of(op: Op, values: &[Operand]) -> Pred {
    join(values.iter().map(|value| pred(op, value)))
}

/// The union of tests of one field. All are of one shape, since a field has one kind; a pattern stands alone, and so does a set, which
/// may be large, if it is alone.
fn join(preds: impl ExactSizeIterator<Item = Pred>) -> Pred {
    let single = preds.len() == 1;
    let (mut ints, mut floats, mut addrs, mut texts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for pred in preds {
        match pred {
            Pred::Ints(Ints::Ranges(ranges)) => ints.extend(ranges),
            Pred::Floats(ranges) => floats.extend(ranges),
            Pred::Addrs(set) if single => return Pred::Addrs(set),
            Pred::Addrs(set) => addrs.extend(set.ranges()),
            Pred::Texts(more) => texts.extend(more),
            alone @ (Pred::Ints(Ints::Marks(_)) | Pred::Mask(_) | Pred::Regex(_)) => return alone,
        }
    }
    if !floats.is_empty() {
        Pred::Floats(floats.into())
    } else if !addrs.is_empty() {
        Pred::Addrs(Arc::new(AddrSet::new(addrs)))
    } else if !texts.is_empty() {
        Pred::Texts(texts.into())
    } else {
        Pred::Ints(Ints::new(ints).dense())
    }
}

impl Ints {
    fn new(ranges: Vec<(u64, u64)>) -> Ints {
        Ints::Ranges(merge(ranges))
    }

    /// The same set as a table, where that is faster and small.
    fn dense(self) -> Ints {
        let Ints::Ranges(ranges) = &self else { return self };
        if ranges.len() <= 4 || ranges.last().is_none_or(|(_, most)| *most > 65_535) {
            return self;
        }
        let mut marks = vec![0_u8; 65_537 + PADDING];
        for (from, to) in ranges {
            // Both are at most 65,535.
            if let (Ok(from), Ok(to)) = (usize::try_from(*from), usize::try_from(*to)) {
                marks[from + 1..=to + 1].fill(1);
            }
        }
        Ints::Marks(marks.into())
    }

    #[inline]
    pub(super) fn contains(&self, number: u64) -> bool {
        match self {
            Ints::Ranges(ranges) => within(ranges, number),
            Ints::Marks(marks) => {
                number <= 65_535 && usize::try_from(number).is_ok_and(|place| marks.get(place + 1) == Some(&1))
            }
        }
    }

    /// The same for a mean or a sum that is not whole.
    #[expect(clippy::cast_precision_loss, reason = "the comparison is with a value that is not exact either")]
    fn contains_float(&self, number: f64) -> bool {
        match self {
            Ints::Ranges(ranges) => ranges.iter().any(|(from, to)| *from as f64 <= number && number <= *to as f64),
            Ints::Marks(_) => (0..=65_535_u32)
                .any(|whole| f64::from(whole).total_cmp(&number).is_eq() && self.contains(u64::from(whole))),
        }
    }
}

impl Services {
    /// The ports whose service has a wanted name.
    pub(super) fn named(wanted: impl Fn(&str) -> bool) -> Services {
        let ports = |protocol: u8| {
            let names = services::service_names().filter(|name| wanted(name));
            let ports = names.flat_map(services::ports_of).map(|(port, _)| port);
            // A name counts where it is the name that the port has, as everywhere on the screen.
            let ports = ports.filter(|port| services::service(*port, protocol).is_some_and(&wanted));
            Ints::new(ports.map(|port| (port.into(), port.into())).collect()).dense()
        };
        Services { tcp: ports(services::TCP), udp: ports(services::UDP) }
    }
}

impl Text {
    fn matches(&self, text: &str) -> bool {
        match self {
            Text::Is(word) => word.eq_ignore_ascii_case(text),
            Text::Glob(glob) => glob_matches(glob, text.as_bytes()),
        }
    }
}

/// Whether `glob`, in which `*` stands for any run, is all of `text`. Linear but for the last star's retries.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut g, mut t) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        if glob.get(g) == Some(&b'*') {
            g += 1;
            retry = Some((g, t));
        } else if glob.get(g).is_some_and(|byte| byte.eq_ignore_ascii_case(&text[t])) {
            g += 1;
            t += 1;
        } else if let Some((after, from)) = retry {
            retry = Some((after, from + 1));
            (g, t) = (after, from + 1);
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|byte| *byte == b'*')
}

impl Needle {
    pub(super) fn new(text: &str) -> Needle {
        Needle(text.to_ascii_lowercase().into_bytes().into_boxed_slice())
    }

    /// A text that is folded already.
    pub(super) fn of(folded: &[u8]) -> Needle {
        Needle(folded.into())
    }

    /// It, folded.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether an IPv4 address can have a part of it that has no space, and whether an IPv6 address can.
    pub(super) fn in_addresses(&self) -> (bool, bool) {
        let all = |of: &dyn Fn(u8) -> bool| self.0.iter().all(|byte| *byte == b' ' || of(*byte));
        let v4 = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        (all(&v4), all(&|byte| v4(byte) || byte == b':' || byte.is_ascii_hexdigit()))
    }

    /// Whether `line` contains it.
    pub(super) fn is_in(&self, line: &[u8]) -> bool {
        let Some((&first, rest)) = self.0.split_first() else { return true };
        let found =
            |at: usize| line.get(at + 1..at + 1 + rest.len()).is_some_and(|tail| tail.eq_ignore_ascii_case(rest));
        memchr::memchr2_iter(first, first.to_ascii_uppercase(), line).any(found)
    }
}

impl Pred {
    /// Whether `value` passes. A value of another kind does not.
    #[inline]
    pub(super) fn test(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Pred::Ints(set), Value::Int(number)) => set.contains(number),
            (Pred::Ints(set), Value::Float(number)) => set.contains_float(number),
            (Pred::Mask(mask), Value::Int(number)) => number & mask == *mask,
            (Pred::Floats(ranges), value) => {
                value.number().is_some_and(|number| ranges.iter().any(|(from, to)| *from <= number && number <= *to))
            }
            (Pred::Addrs(set), Value::Addr(address)) => set.contains(address),
            (Pred::Texts(texts), Value::Text(text)) => texts.iter().any(|wanted| wanted.matches(text)),
            (Pred::Regex(regex), Value::Text(text)) => regex.is_match(text),
            _ => false,
        }
    }
}
