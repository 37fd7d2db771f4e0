//! Patterns of positions: what must hold of single fields of a record whose format is known.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use super::MAX_PATTERN;
use crate::filter::expr::{Expr, Op, Operand, Test};
use crate::filter::sets::Members;
use crate::record::format::Slot;
use crate::record::{Field, Format};

/// Fields that can be asked for: AWS writes `-` into them where there is no data (user guide, "Flow log record examples"), and those records must come.
const ASKED: [Field; 8] = [
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::Packets,
    Field::Bytes,
    Field::Action,
];

/// Alternatives of one field at most.
const MOST: usize = 20;

/// Alternatives that one operand is spelled out as at most; beyond that a wider spelling is taken.
const SPELLED: u64 = 16;

/// What a field must be: one of these conditions, each an operator and a value.
type Conditions = BTreeSet<String>;

/// A pattern of positions.
pub(super) struct Slots {
    pub(super) pattern: String,
    /// A guess at the share of records that it lets through.
    pub(super) share: f64,
    fields: BTreeMap<Field, Conditions>,
}

impl Slots {
    /// Whether one of the conditions comes from this part of the expression.
    pub(super) fn narrows_by(&self, part: &Expr) -> bool {
        let image = super::mirror::swapped(part);
        let mut own = std::iter::once(part).chain(&image).flat_map(|part| conditions(part).into_keys());
        own.any(|field| self.fields.contains_key(&field))
    }
}

/// The pattern of `expr` for records of `format`, where any of its conditions can be said.
pub(super) fn of(expr: &Expr, format: &Format) -> Option<Slots> {
    let mut fields = conditions(expr);
    fields.retain(|field, _| format.has(*field));
    while !fields.is_empty() {
        let long = pattern(format, &fields, |field| field.name().replace('-', "_"));
        let short = if long.len() > MAX_PATTERN { pattern(format, &fields, |_| "f".to_owned()) } else { long };
        if short.len() <= MAX_PATTERN {
            let share = fields.iter().map(|(field, conditions)| share(*field, conditions)).product();
            return Some(Slots { pattern: short, share, fields });
        }
        // Without the longest condition it is only wider.
        let longest = fields.iter().max_by_key(|(_, conditions)| conditions.iter().map(String::len).sum::<usize>());
        let longest = *longest?.0;
        fields.remove(&longest);
    }
    None
}

fn pattern(format: &Format, fields: &BTreeMap<Field, Conditions>, name: impl Fn(Field) -> String) -> String {
    let slots = format.slots().iter().enumerate().map(|(place, slot)| {
        let (Slot::Field(field), number) = (slot, place + 1) else { return format!("f{}", place + 1) };
        let own = match name(*field) {
            short if short == "f" => format!("f{number}"),
            own => own,
        };
        let Some(conditions) = fields.get(field) else { return own };
        let absent = std::iter::once("= \"-\"");
        let all: Vec<String> =
            conditions.iter().map(String::as_str).chain(absent).map(|condition| format!("{own} {condition}")).collect();
        all.join(" || ")
    });
    format!("[{}]", slots.collect::<Vec<_>>().join(", "))
}

/// A guess at the share of records for which one of the conditions holds.
fn share(field: Field, conditions: &Conditions) -> f64 {
    let one = |condition: &String| match field {
        _ if condition.starts_with("!=") => 0.95,
        _ if condition.contains('<') || condition.contains('>') => 0.4,
        Field::Protocol => 0.4,
        Field::Action => 0.3,
        // An address or a port: the more of it is said, the rarer.
        _ => 4.0_f64.powi(3 - i32::try_from(condition.len()).unwrap_or(i32::MAX)).min(1.0),
    };
    conditions.iter().map(one).sum::<f64>().min(1.0)
}

/// Conditions that hold for every row of `expr`, by field.
fn conditions(expr: &Expr) -> BTreeMap<Field, Conditions> {
    match expr {
        Expr::And(parts) => {
            let mut all: BTreeMap<Field, Conditions> = BTreeMap::new();
            for (field, found) in parts.iter().flat_map(conditions) {
                // Of two on one field either will do: the rarer.
                match all.get(&field) {
                    Some(other) if share(field, other) <= share(field, &found) => {}
                    _ => {
                        all.insert(field, found);
                    }
                }
            }
            all
        }
        Expr::Or(parts) => {
            let mut parts = parts.iter().map(conditions);
            let mut all = parts.next().unwrap_or_default();
            for mut part in parts {
                all.retain(|field, found| {
                    part.remove(field).is_some_and(|other| {
                        found.extend(other);
                        found.len() <= MOST
                    })
                });
            }
            all
        }
        Expr::Not(inner) => match &**inner {
            Expr::Test(Test::Compare { field, op, values }) => test(*field, negated(*op), values),
            _ => BTreeMap::new(),
        },
        Expr::Test(Test::Compare { field, op, values }) => test(*field, Some(*op), values),
        Expr::Test(_) => BTreeMap::new(),
    }
}

fn negated(op: Op) -> Option<Op> {
    match op {
        Op::Eq => Some(Op::Ne),
        Op::Ne => Some(Op::Eq),
        Op::Lt => Some(Op::Ge),
        Op::Le => Some(Op::Gt),
        Op::Gt => Some(Op::Le),
        Op::Ge => Some(Op::Lt),
        Op::Like | Op::Unlike => None,
    }
}

fn test(field: Field, op: Option<Op>, values: &[Operand]) -> BTreeMap<Field, Conditions> {
    let mut found = Conditions::new();
    let possible = op.filter(|_| ASKED.contains(&field));
    let said = possible.is_some_and(|op| match op {
        // "None of them" of several values would have to be joined by "and" beside the "or" for absent values: one of them is wider.
        Op::Ne => values.first().and_then(unequal).map(|condition| found.insert(condition)).is_some(),
        _ => values.iter().all(|value| condition(&mut found, field, op, value).is_some()),
    });
    if said && !found.is_empty() && found.len() <= MOST { BTreeMap::from([(field, found)]) } else { BTreeMap::new() }
}

fn unequal(value: &Operand) -> Option<String> {
    match value {
        Operand::Int(from, to) if from == to => Some(format!("!= {from}")),
        Operand::Addr(IpAddr::V4(from), IpAddr::V4(to)) if from == to => Some(format!("!= {from}")),
        _ => None,
    }
}

/// Adds the conditions one of which holds where `op` does.
fn condition(found: &mut Conditions, field: Field, op: Op, value: &Operand) -> Option<()> {
    match (value, op) {
        (Operand::Int(from, to), Op::Eq) => numbers(found, *from, *to),
        (Operand::Int(number, _), Op::Lt | Op::Le | Op::Gt | Op::Ge) => {
            found.insert(format!("{} {number}", op.as_str()));
            Some(())
        }
        (Operand::Addr(IpAddr::V4(from), IpAddr::V4(to)), Op::Eq) => {
            addresses(found, u32::from(*from), u32::from(*to));
            Some(())
        }
        (Operand::Set(set), Op::Eq) => match &set.members {
            Members::Ports(ranges) => ranges.iter().try_for_each(|(from, to)| numbers(found, *from, *to)),
            Members::Addrs(ranges) => ranges.iter().try_for_each(|range| match range {
                (IpAddr::V4(from), IpAddr::V4(to)) => {
                    addresses(found, u32::from(*from), u32::from(*to));
                    Some(())
                }
                _ => None,
            }),
        },
        (Operand::Word(word), Op::Eq) if field == Field::Action => {
            let upper = word.to_ascii_uppercase();
            matches!(&*upper, "ACCEPT" | "REJECT").then(|| found.insert(format!("= {upper}")))?;
            Some(())
        }
        _ => None,
    }
}

/// Few numbers are spelled out; of a long range one end is asked for, which is wider.
fn numbers(found: &mut Conditions, from: u64, to: u64) -> Option<()> {
    if to.checked_sub(from)? < SPELLED {
        found.extend((from..=to).map(|number| format!("= {number}")));
    } else if from > 0 {
        found.insert(format!(">= {from}"));
    } else {
        found.insert(format!("<= {to}"));
    }
    Some(())
}

/// Beginnings of dotted addresses that cover the range: as long as there are not too many.
fn addresses(found: &mut Conditions, from: u32, to: u32) {
    for octets in (1..=4_usize).rev() {
        let shift = 32 - 8 * octets;
        let (first, last) = (from >> shift, to >> shift);
        if u64::from(last.saturating_sub(first)) >= SPELLED && octets > 1 {
            continue;
        }
        for head in first..=last {
            let address = Ipv4Addr::from(head << shift);
            if octets == 4 {
                found.insert(format!("= {address}"));
            } else {
                let parts: Vec<String> = address.octets()[..octets].iter().map(u8::to_string).collect();
                found.insert(format!("= {}.*", parts.join(".")));
            }
        }
        return;
    }
}
