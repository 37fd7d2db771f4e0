//! A compiled filter to a plan for one table.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use super::kernel::CodeTest;
use super::lines::{contains, may_contain};
use super::{PADDING, Plan, eval};
use crate::filter::addrset::AddrSet;
use crate::filter::eval::Node;
use crate::filter::pred::{Ints, Needle, Pred, Services};
use crate::record::{Field, Kind, Value, places, services};
use crate::store::Columnar;

/// The fields that stand for others, as [`crate::record::RowRef`] reads them.
const ADDRESSES: [Field; 4] = [Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr];
const PORTS: [Field; 2] = [Field::SrcPort, Field::DstPort];

/// The columns that `field` is read from; `None` where its value is computed from several.
fn sides(field: Field) -> Option<Vec<Field>> {
    match field {
        Field::Ip => Some(ADDRESSES.to_vec()),
        Field::Port => Some(PORTS.to_vec()),
        Field::Duration | Field::PacketSize | Field::Lag | Field::Service => None,
        other => Some(vec![other]),
    }
}

/// The plan of `node`.
pub(super) fn bind<'f, T: Columnar>(node: &'f Node, table: &T, now: i64) -> Plan<'f> {
    match node {
        Node::All(nodes) => {
            let mut parts = Vec::with_capacity(nodes.len());
            for node in nodes {
                let part = bind(node, table, now);
                if matches!(part, Plan::None) {
                    // The dictionaries need not be asked for the others.
                    return Plan::None;
                }
                parts.push(part);
            }
            Plan::and(parts)
        }
        Node::Any(nodes) => Plan::or(nodes.iter().map(|node| bind(node, table, now))),
        Node::Not(inner) => bind(inner, table, now).not(),
        Node::Never => Plan::None,
        Node::Field { field, pred, negate } if field.is_place() => {
            let found = placed(table, *field, |value| pred.test(value));
            if *negate { Plan::and([placed(table, *field, |_| true), found.not()]) } else { found }
        }
        Node::Field { field, pred, negate } => {
            let test = sides(*field).and_then(|fields| Some((fields, code_test(field.kind(), pred, table)?)));
            match test {
                Some((fields, test)) => with_absent(table, fields, test, *negate),
                None => Plan::Row(node),
            }
        }
        Node::Service { ports, wanted, negate } => {
            let found = by_protocol(table, *ports, wanted);
            if *negate { Plan::and([by_protocol(table, *ports, named()), found.not()]) } else { found }
        }
        Node::Has(Field::Duration) => Plan::and([has(table, Field::Start), has(table, Field::End)]),
        Node::Has(Field::Lag) => Plan::and([has(table, Field::End), has(table, Field::IngestionTime)]),
        Node::Has(Field::PacketSize) => {
            Plan::and([has(table, Field::Bytes), numbers(table, Field::Packets, 1, u64::MAX)])
        }
        Node::Has(field) if field.is_place() => placed(table, *field, |_| true),
        Node::Has(field) => sides(*field).map_or(Plan::Row(node), |fields| any(table, fields, PRESENT)),
        Node::Last(seconds) => numbers(table, Field::End, eval::since(*seconds, now), u64::MAX),
        Node::During(window) => {
            let (from, to) = eval::ends(*window, now);
            during(table, from, to)
        }
        Node::Contains(needle) => literal(node, needle, table),
        Node::Matches(search) => {
            if let Some(needle) = &search.literal {
                return literal(node, needle, table);
            }
            let needed = search.needed.iter().map(|needles| may_contain(table, needles));
            Plan::and(needed.chain([Plan::Row(node)]))
        }
    }
}

/// The rows whose line contains `needle`, which is what `node` asks.
fn literal<'f, T: Columnar>(node: &'f Node, needle: &Needle, table: &T) -> Plan<'f> {
    contains(table, needle)
        .unwrap_or_else(|| Plan::and([may_contain(table, std::slice::from_ref(needle)), Plan::Row(node)]))
}

const PRESENT: CodeTest = CodeTest::Range(1, u64::MAX);

/// Some of the columns passes; `negate`: one has a value and none passes.
fn with_absent<'f, T: Columnar>(table: &T, fields: Vec<Field>, test: CodeTest, negate: bool) -> Plan<'f> {
    if !negate {
        return any(table, fields, test);
    }
    let present = any(table, fields.clone(), PRESENT);
    Plan::and([present, any(table, fields, test).not()])
}

/// At least one of `fields` passes, as far as the ends of their columns do not say so already.
pub(super) fn any<'f, T: Columnar>(table: &T, mut fields: Vec<Field>, test: CodeTest) -> Plan<'f> {
    let mut all = false;
    fields.retain(|field| {
        let (least, most) = table.bounds(*field);
        let inside = |from: u64, to: u64| from <= least && most <= to;
        let (touches, covers) = match &test {
            CodeTest::Range(from, to) => (least <= *to && *from <= most, inside(*from, *to)),
            CodeTest::Ranges(ranges) => (
                ranges.iter().any(|(from, to)| least <= *to && *from <= most),
                ranges.iter().any(|(from, to)| inside(*from, *to)),
            ),
            CodeTest::Marks(marks) => {
                let place = |code: u64| usize::try_from(code).unwrap_or(usize::MAX).min(marks.len());
                let held = &marks[place(least)..place(most.saturating_add(1))];
                (held.contains(&1), false)
            }
            CodeTest::Mask(_) | CodeTest::Digits(_) => (most > 0, false),
        };
        all |= covers;
        touches
    });
    match (all, fields.is_empty()) {
        (true, _) => Plan::All,
        (false, true) => Plan::None,
        (false, false) => Plan::Any(fields, test),
    }
}

fn has<'f, T: Columnar>(table: &T, field: Field) -> Plan<'f> {
    any(table, vec![field], PRESENT)
}

/// The number in `field` is one from `from` to `to`.
fn numbers<'f, T: Columnar>(table: &T, field: Field, from: u64, to: u64) -> Plan<'f> {
    match codes(from, to) {
        Some((from, to)) => any(table, vec![field], CodeTest::Range(from, to)),
        None => Plan::None,
    }
}

/// The codes of the numbers from `from` to `to`.
fn codes(from: u64, to: u64) -> Option<(u64, u64)> {
    (from <= to).then_some((from.checked_add(1)?, to.saturating_add(1)))
}

/// The rows whose span of time touches the one from `from` to `to`. A row with one of its two times is a moment.
fn during<'f, T: Columnar>(table: &T, from: u64, to: u64) -> Plan<'f> {
    let moment = |field, other| Plan::and([numbers(table, field, from, to), has(table, other).not()]);
    let span = Plan::and([numbers(table, Field::Start, 0, to), numbers(table, Field::End, from, u64::MAX)]);
    Plan::or([span, moment(Field::Start, Field::End), moment(Field::End, Field::Start)])
}

/// The rows whose time, as [`crate::record::Table::time`] tells it, is from `from` to `to`.
pub(super) fn at<'f, T: Columnar>(table: &T, from: u64, to: u64) -> Plan<'f> {
    let mut plan = if from == 0 { Plan::All } else { Plan::None };
    for field in [Field::IngestionTime, Field::Start, Field::End] {
        let rest = Plan::and([has(table, field).not(), plan]);
        plan = Plan::or([numbers(table, field, from, to), rest]);
    }
    plan
}

/// The test of codes that `pred` is in `table`; `None` where it cannot be one.
fn code_test<T: Columnar>(kind: Kind, pred: &Pred, table: &T) -> Option<CodeTest> {
    match (pred, kind) {
        (Pred::Addrs(set), Kind::Addr) => Some(marks(table, |table, out| mark_addrs(table, set, out))),
        (Pred::Texts(_) | Pred::Regex(_), Kind::Text) => Some(marks(table, |table, out| {
            out.extend(table.texts().map(|text| u8::from(pred.test(Value::Text(text)))));
        })),
        (_, Kind::Addr | Kind::Text | Kind::Ratio) => None,
        (Pred::Ints(ints), _) => Some(ints_test(ints)),
        (Pred::Mask(mask), _) => Some(CodeTest::Mask(*mask)),
        _ => None,
    }
}

fn ints_test(ints: &Ints) -> CodeTest {
    match ints {
        Ints::Marks(marks) => CodeTest::Marks(marks.clone()),
        Ints::Ranges(ranges) => {
            let ranges: Vec<(u64, u64)> = ranges.iter().filter_map(|(from, to)| codes(*from, *to)).collect();
            match ranges.as_slice() {
                [(from, to)] => CodeTest::Range(*from, *to),
                _ => CodeTest::Ranges(ranges.into()),
            }
        }
    }
}

/// A byte for each code of a dictionary, as `fill` says, with what belongs around it.
pub(super) fn marks<T: Columnar>(table: &T, fill: impl FnOnce(&T, &mut Vec<u8>)) -> CodeTest {
    let mut marks = Vec::with_capacity(1 + table.entries() + PADDING);
    marks.push(0);
    fill(table, &mut marks);
    marks.resize(marks.len() + PADDING, 0);
    CodeTest::Marks(marks.into())
}

fn mark_addrs<T: Columnar>(table: &T, set: &AddrSet, out: &mut Vec<u8>) {
    let v6 = |address| set.contains_v6(address);
    match set.only_v4() {
        Some((from, to)) => table.mark_addrs(|address| address.wrapping_sub(from) <= to - from, v6, out),
        None => table.mark_addrs(|address| set.contains_v4(address), v6, out),
    }
}

/// The rows with an address of whose place `field` says what passes `test`. Each address of the dictionary is looked up once.
fn placed<'f, T: Columnar>(table: &T, field: Field, test: impl Fn(Value<'_>) -> bool) -> Plan<'f> {
    let Some((part, of)) = places::asks(field) else { return Plan::None };
    let passes = |address: IpAddr| places::value(part, address).is_some_and(&test);
    let test = marks(table, |table, out| {
        table.mark_addrs(|v4| passes(Ipv4Addr::from(v4).into()), |v6| passes(Ipv6Addr::from(v6).into()), out);
    });
    any(table, of.to_vec(), test)
}

/// The ports of services by the transport of the row.
fn by_protocol<'f, T: Columnar>(table: &T, ports: Field, wanted: &Services) -> Plan<'f> {
    let of = |protocol: u8, wanted: &Ints| {
        let fields = sides(ports).unwrap_or_default();
        let protocol = u64::from(protocol);
        Plan::and([numbers(table, Field::Protocol, protocol, protocol), any(table, fields, ints_test(wanted))])
    };
    Plan::or([of(services::TCP, &wanted.tcp), of(services::UDP, &wanted.udp)])
}

/// Every port that has a name.
fn named() -> &'static Services {
    static NAMED: LazyLock<Services> = LazyLock::new(|| Services::named(|_| true));
    &NAMED
}
