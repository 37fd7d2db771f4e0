//! What can be right but hardly is: tests of one field that no value passes together, and texts that look like something else.

use std::borrow::Cow;
use std::net::IpAddr;

use super::expr::{Expr, Op, Operand, Test};
use super::members::Members;
use super::parse::{Form, RawValue};
use super::union::union;
use super::{Stage, value};
use crate::record::{Field, Kind};

/// Ranges beyond which a set is not looked at: the check runs at every key.
const MOST_RANGES: usize = 256;

/// Parts beyond which none is looked for among the others.
const MOST_PARTS: usize = 100;

/// Why no row passes all of `parts`, in a sentence; `None` where one may.
pub(super) fn contradiction(parts: &[Expr], stage: Stage) -> Option<String> {
    for (at, part) in parts.iter().enumerate().take(MOST_PARTS) {
        let complement = Expr::negated(part.clone());
        if parts[..at].contains(&complement) {
            return Some(format!("`{complement}` and `{part}` contradict each other: nothing matches."));
        }
    }
    let facts: Vec<Fact<'_>> = parts.iter().filter_map(|part| Fact::of(part, stage)).collect();
    // What is left of each field's values, and whether some test asks for one: a complement passes rows without the field.
    let mut left: Vec<(Field, bool, Values)> = Vec::new();
    for (at, fact) in facts.iter().enumerate() {
        if fact.positive && fact.values.is_empty() {
            return Some(format!("`{}` is never true.", fact.part));
        }
        let Some((_, positive, values)) = left.iter_mut().find(|(field, ..)| *field == fact.field) else {
            left.push((fact.field, fact.positive, fact.values.clone()));
            continue;
        };
        *positive |= fact.positive;
        *values = values.both(&fact.values);
        if *positive && values.is_empty() {
            let mut before = facts[..at].iter().filter(|other| other.field == fact.field);
            return Some(match before.find(|other| fact.values.both(&other.values).is_empty()) {
                Some(other) => format!(
                    "`{}` and `{}` are never both true: nothing matches. `or` asks for either.",
                    other.part, fact.part
                ),
                None => format!("`{}` and what stands before it are never true together.", fact.part),
            });
        }
    }
    None
}

/// A test of a field that has one value, and the values that pass it.
struct Fact<'e> {
    part: &'e Expr,
    field: Field,
    /// Whether only rows that have the field pass.
    positive: bool,
    values: Values,
}

impl Fact<'_> {
    fn of(part: &Expr, stage: Stage) -> Option<Fact<'_>> {
        let (test, negated) = match part {
            Expr::Test(test) => (test, false),
            Expr::Not(inner) => match &**inner {
                Expr::Test(test) => (test, true),
                _ => return None,
            },
            _ => return None,
        };
        let Test::Compare { field, op, values } = test else { return None };
        let several =
            matches!(field, Field::Ip | Field::Port | Field::Service | Field::Country | Field::Asn | Field::Org)
                || (stage == Stage::Sessions && *field == Field::InterfaceId);
        if several {
            return None;
        }
        let passed = Values::of(*field, *op, values)?;
        let values = if negated { passed.others(field.kind())? } else { passed };
        Some(Fact { part, field: *field, positive: !negated, values })
    }
}

/// A set of values of a field.
#[derive(Clone, Debug)]
enum Values {
    /// Numbers and addresses: sorted, disjoint ranges. IPv4 addresses are those inside IPv6.
    Ranges(Vec<(u128, u128)>),
    /// Quotients from the first to the second.
    Between(f64, f64),
    /// Texts in lower case; true for all that begin so.
    Texts(Vec<(String, bool)>),
    /// All texts but these.
    NoneOf(Vec<String>),
}

impl Values {
    fn of(field: Field, op: Op, operands: &[Operand]) -> Option<Values> {
        let kind = field.kind();
        match kind {
            Kind::Text => texts(op, operands),
            Kind::Ratio => match (op, operands) {
                (Op::Eq, [Operand::Float(from, to)]) => Some(Values::Between(from - 0.5, to + 0.5)),
                (Op::Lt | Op::Le, [Operand::Float(to, _)]) => Some(Values::Between(f64::NEG_INFINITY, *to)),
                (Op::Gt | Op::Ge, [Operand::Float(from, _)]) => Some(Values::Between(*from, f64::INFINITY)),
                _ => None,
            },
            _ => {
                let mut ranges = Vec::new();
                for operand in operands {
                    ranges.extend(ranges_of(operand)?);
                }
                let (from, to) = ranges.first().copied()?;
                let least = |least: Option<u128>| least.map(|least| (least, most(kind))).into_iter().collect();
                let greatest = |greatest: Option<u128>| greatest.map(|greatest| (0, greatest)).into_iter().collect();
                let ranges: Vec<(u128, u128)> = match op {
                    Op::Eq | Op::Ne => ranges,
                    Op::Lt => greatest(from.checked_sub(1)),
                    Op::Le => greatest(Some(to)),
                    Op::Gt => least(to.checked_add(1).filter(|least| *least <= most(kind))),
                    Op::Ge => least(Some(from)),
                    Op::Like | Op::Unlike => return None,
                };
                let values = Values::Ranges(union(ranges));
                if op == Op::Ne { values.others(kind) } else { Some(values) }
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Values::Ranges(ranges) => ranges.is_empty(),
            Values::Between(from, to) => from > to,
            Values::Texts(texts) => texts.is_empty(),
            Values::NoneOf(_) => false,
        }
    }

    /// The values that are not among these, where that can be said.
    fn others(&self, kind: Kind) -> Option<Values> {
        match self {
            Values::Ranges(ranges) => {
                let (mut gaps, mut next) = (Vec::new(), Some(0));
                for (from, to) in ranges {
                    if let Some(begin) = next.filter(|begin| begin < from) {
                        gaps.push((begin, from - 1));
                    }
                    next = to.checked_add(1);
                }
                gaps.extend(next.filter(|begin| *begin <= most(kind)).map(|begin| (begin, most(kind))));
                Some(Values::Ranges(gaps))
            }
            Values::Texts(texts) if texts.iter().all(|(_, begins)| !begins) => {
                Some(Values::NoneOf(texts.iter().map(|(text, _)| text.clone()).collect()))
            }
            Values::NoneOf(texts) => Some(Values::Texts(texts.iter().map(|text| (text.clone(), false)).collect())),
            // What lies on either side of a range of quotients is not one range.
            Values::Texts(_) | Values::Between(..) => None,
        }
    }

    fn both(&self, other: &Values) -> Values {
        match (self, other) {
            (Values::Ranges(a), Values::Ranges(b)) => {
                let mut both = Vec::new();
                for (from, to) in a {
                    let after = b.partition_point(|(_, end)| end < from);
                    let meets = b[after..].iter().take_while(|(begin, _)| begin <= to);
                    both.extend(meets.map(|(begin, end)| (*begin.max(from), *end.min(to))));
                }
                Values::Ranges(both)
            }
            (Values::Between(a, b), Values::Between(c, d)) => Values::Between(a.max(*c), b.min(*d)),
            (Values::Texts(a), Values::Texts(b)) => {
                let mut both = Vec::new();
                for (x, x_begins) in a {
                    for (y, y_begins) in b {
                        if x == y {
                            both.push((x.clone(), *x_begins && *y_begins));
                        } else if *y_begins && x.starts_with(y.as_str()) {
                            both.push((x.clone(), *x_begins));
                        } else if *x_begins && y.starts_with(x.as_str()) {
                            both.push((y.clone(), *y_begins));
                        }
                    }
                }
                Values::Texts(both)
            }
            (Values::Texts(texts), Values::NoneOf(not)) | (Values::NoneOf(not), Values::Texts(texts)) => {
                Values::Texts(texts.iter().filter(|(text, begins)| *begins || !not.contains(text)).cloned().collect())
            }
            (Values::NoneOf(a), Values::NoneOf(b)) => Values::NoneOf(a.iter().chain(b).cloned().collect()),
            // One field has one kind of values.
            (values, _) => values.clone(),
        }
    }
}

/// The greatest value of a kind.
fn most(kind: Kind) -> u128 {
    match kind {
        Kind::Addr => u128::MAX,
        Kind::Port => 65_535,
        Kind::Protocol | Kind::Flags => 255,
        _ => u64::MAX.into(),
    }
}

fn ranges_of(operand: &Operand) -> Option<Vec<(u128, u128)>> {
    let number = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address),
    };
    match operand {
        Operand::Int(from, to) => Some(vec![((*from).into(), (*to).into())]),
        Operand::Addr(from, to) => Some(vec![(number(*from), number(*to))]),
        Operand::Set(set) => match &set.members {
            Members::Addrs(set) if set.v4().len() + set.v6().len() <= MOST_RANGES => {
                let v4 = set
                    .v4()
                    .iter()
                    .map(|(from, to)| (number(IpAddr::V4((*from).into())), number(IpAddr::V4((*to).into()))));
                Some(v4.chain(set.v6().iter().copied()).collect())
            }
            Members::Ports(ports) if ports.len() <= MOST_RANGES => {
                Some(ports.iter().map(|(from, to)| ((*from).into(), (*to).into())).collect())
            }
            _ => None,
        },
        _ => None,
    }
}

fn texts(op: Op, operands: &[Operand]) -> Option<Values> {
    let mut texts = Vec::new();
    for operand in operands {
        texts.push(match operand {
            Operand::Word(text) => (text.to_ascii_lowercase(), false),
            Operand::Glob(text) => {
                let begin = text.strip_suffix('*').filter(|begin| !begin.contains('*'))?;
                (begin.to_ascii_lowercase(), true)
            }
            _ => return None,
        });
    }
    let values = Values::Texts(texts);
    match op {
        Op::Eq => Some(values),
        Op::Ne => values.others(Kind::Text),
        _ => None,
    }
}

/// Whether a text that is looked for as it is written was probably meant as a regular expression.
pub(super) fn looks_like_a_pattern(text: &str) -> bool {
    text.contains(".*")
        || text.contains(".+")
        || text.contains('\\')
        || text.starts_with('^')
        || (text.ends_with('$') && text.len() > 1)
}

/// The network that an address which begins with `raw` lies in: `10.0.%`, `10.0.`.
pub(super) fn network_of<'t>(raw: &RawValue<'t>) -> Option<RawValue<'t>> {
    // What `like` and `contains` look for was made a regular expression by then; of an address that is its dots.
    let plain = raw.text.replace('\\', "");
    let plain = plain.trim_start_matches('^').trim_end_matches('$');
    let begin = plain.strip_suffix(".*").unwrap_or(plain);
    let address = begin.parse::<IpAddr>().is_ok() || begin.ends_with('.');
    match value::addresses(begin) {
        Some(Ok(_)) if address && !matches!(raw.form, Form::Regex { .. }) => {
            Some(RawValue { text: Cow::Owned(begin.to_owned()), form: Form::Quoted, span: raw.span.clone() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;

    fn doubts(text: &str, stage: Stage) -> Vec<String> {
        let filter = Filter::parse(text, stage).unwrap_or_else(|error| panic!("{text}: {error}"));
        filter.warnings().iter().map(|warning| warning.message.clone()).collect()
    }

    #[test]
    fn tests_that_nothing_passes_together_are_told() {
        for text in [
            "tcp udp",
            "srcport 1 and srcport = 2",
            "bytes > 10 and bytes < 5",
            "bytes > 5 and bytes <= 5",
            "bytes > 5 not bytes > 5",
            "port 443 not port 443",
            "reject accept",
            "src 10.0.0.0/8 src 192.168.0.0/16",
            "src $private src $public",
            "src 10.0.0.1 src != 10.0.0.1",
            "src 10.0.0.0/8 not src $private",
            "dport 1-10 dport 5-20 dport 12",
            "eni-05 eni-06",
            "eni-05 eni-0612345678901234a",
            "action = accept and action != accept",
            "tcp.port == 443 && udp.port == 53",
            "udp and (reject or tcp) and tcp",
            "packets < 0",
            "srcport > 65535",
            "packet-size > 10 and packet-size < 5",
        ] {
            assert_eq!(doubts(text, Stage::Flows).len(), 1, "{text}: {:?}", doubts(text, Stage::Flows));
        }
        assert_eq!(doubts("ratio > 10 ratio < 5 client 10/8 state open", Stage::Sessions).len(), 1);
        let said = &doubts("(tcp and (udp and reject)) or 443", Stage::Flows)[0];
        assert!(said.contains("`protocol = tcp` and `protocol = udp`"), "{said}");
    }

    #[test]
    fn what_may_hold_is_not_doubted() {
        for text in [
            "port 1 port 2",
            "10.0.0.1 10.0.0.2",
            "ssh https",
            "bytes > 5 bytes < 10",
            "bytes >= 5 bytes <= 5",
            "bytes < 10 not bytes > 5",
            // Both pass over rows without a port.
            "not srcport < 10 not srcport >= 10",
            "src 10.0.0.0/8 not src 10.1.0.0/16",
            "src 10.0.0.0/8 src 10.1.0.0/16",
            "eni-05 eni-0512345678901234a",
            "eni-05 not eni-0512345678901234a",
            "tcp or udp",
            "vpc ~ /a/ vpc ~ /b/",
            "vpc = a*b and vpc = c*",
            "flags ~ syn flags ~ ack",
            "end > 2018-08-20 end < 2018-08-21",
        ] {
            assert_eq!(doubts(text, Stage::Flows), Vec::<String>::new(), "{text}");
        }
        assert_eq!(doubts("eni-0512345678901234a eni-0512345678901234b", Stage::Sessions), Vec::<String>::new());
    }
}
