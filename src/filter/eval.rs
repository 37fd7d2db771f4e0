//! The compiled form of a filter and its evaluation over a row. Compiled once, run for every row: values become sorted ranges,
//! bitmaps and folded text, cheap tests come first, and nothing is allocated for a row. The line is rendered at most once a row,
//! into a buffer that the thread keeps, and only where a search asks for it.

use std::cell::Cell;

use regex::Regex;

use super::Stage;
use super::expr::{Expr, Op, Operand, Test, Window};
use super::sets::{AddrSet, Members, merge, within};
use crate::record::{Field, On, Row, Value, services};

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) enum Node {
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Not(Box<Node>),
    /// Some value of the field passes; `negate`: some value is there and none passes.
    Field {
        field: Field,
        pred: Pred,
        negate: bool,
    },
    /// The name of the service on a port: the ports of the names, by protocol.
    Service {
        ports: Field,
        wanted: Services,
        negate: bool,
    },
    Has(Field),
    /// The field does not exist on these rows.
    Never,
    Contains(Needle),
    Matches(Regex),
    Last(u64),
    During(Window),
}

/// What a value must be.
#[derive(Clone, Debug)]
pub(super) enum Pred {
    Ints(Ints),
    Mask(u64),
    Floats(Box<[(f64, f64)]>),
    Addrs(AddrSet),
    Texts(Box<[Text]>),
    Regex(Regex),
}

/// A set of whole numbers.
#[derive(Clone, Debug)]
pub(super) enum Ints {
    Ranges(Box<[(u64, u64)]>),
    /// One bit a number up to 65,535, where there are many ranges.
    Bits(Box<[u64]>),
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
    tcp: Ints,
    udp: Ints,
}

/// A text to look for, folded to lower case.
#[derive(Clone, Debug)]
pub(super) struct Needle(Box<[u8]>);

/// Compiles `expr` for rows of `stage`.
pub(super) fn compile(expr: &Expr, stage: Stage) -> Node {
    match expr {
        Expr::And(parts) => Node::All(compile_all(parts, stage)),
        Expr::Or(parts) => Node::Any(compile_all(parts, stage)),
        Expr::Not(inner) => Node::Not(Box::new(compile(inner, stage))),
        Expr::Test(test) => compile_test(test, stage),
    }
}

/// Cheap tests first; they are pure, so their order does not matter to the answer.
fn compile_all(parts: &[Expr], stage: Stage) -> Box<[Node]> {
    let mut nodes: Vec<Node> = parts.iter().map(|part| compile(part, stage)).collect();
    nodes.sort_by_key(Node::cost);
    nodes.into_boxed_slice()
}

fn compile_test(test: &Test, stage: Stage) -> Node {
    match test {
        Test::Compare { field, .. } | Test::Has(field) if !exists(*field, stage) => Node::Never,
        Test::Compare { field: Field::Service, op, values } => Node::Service {
            ports: service_port(stage),
            wanted: Services::named(|name| values.iter().any(|value| pred(Op::Eq, value).test(Value::Text(name)))),
            negate: op.is_negative(),
        },
        Test::Has(Field::Service) => {
            Node::Service { ports: service_port(stage), wanted: Services::named(|_| true), negate: false }
        }
        Test::Compare { field, op, values } => Node::Field {
            field: *field,
            pred: join(values.iter().map(|value| pred(*op, value))),
            negate: op.is_negative(),
        },
        Test::Has(field) => Node::Has(*field),
        Test::Contains(text) => Node::Contains(Needle(text.to_ascii_lowercase().into_bytes().into_boxed_slice())),
        Test::Matches(pattern) => Node::Matches(pattern.regex().clone()),
        Test::Last(seconds) => Node::Last(*seconds),
        Test::During(window) => Node::During(*window),
    }
}

fn exists(field: Field, stage: Stage) -> bool {
    !matches!((field.def().on, stage), (On::Flows, Stage::Sessions) | (On::Sessions, Stage::Flows))
}

/// On a session the service is that of the server's port.
fn service_port(stage: Stage) -> Field {
    if stage == Stage::Sessions { Field::DstPort } else { Field::Port }
}

/// What one operand asks of a value. Negation is the node's.
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
        Operand::Addr(from, to) => Pred::Addrs(AddrSet::new([(*from, *to)])),
        Operand::Word(text) => Pred::Texts(Box::new([Text::Is(text.as_str().into())])),
        Operand::Glob(text) => Pred::Texts(Box::new([Text::Glob(text.as_bytes().into())])),
        Operand::Pattern(pattern) => Pred::Regex(pattern.regex().clone()),
        Operand::Set(set) => match &set.members {
            Members::Addrs(ranges) => Pred::Addrs(AddrSet::new(ranges.iter().copied())),
            Members::Ports(ranges) => Pred::Ints(Ints::new(ranges.clone())),
        },
    }
}

/// A quotient as precise as it is written, at least to one decimal: `ratio = 1026.5` finds 51327 / 50.
fn about(value: f64) -> (f64, f64) {
    let decimals = value.to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len()).max(1);
    let half = 0.5 * 10_f64.powi(-i32::try_from(decimals).unwrap_or(i32::MAX));
    (value - half, value + half)
}

/// The union of tests of one field. All are of one shape, since a field has one kind; a pattern stands alone.
fn join(preds: impl Iterator<Item = Pred>) -> Pred {
    let (mut ints, mut floats, mut addrs, mut texts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for pred in preds {
        match pred {
            Pred::Ints(Ints::Ranges(ranges)) => ints.extend(ranges),
            Pred::Floats(ranges) => floats.extend(ranges),
            Pred::Addrs(set) => addrs.extend(set.ranges()),
            Pred::Texts(more) => texts.extend(more),
            alone @ (Pred::Ints(Ints::Bits(_)) | Pred::Mask(_) | Pred::Regex(_)) => return alone,
        }
    }
    if !floats.is_empty() {
        Pred::Floats(floats.into())
    } else if !addrs.is_empty() {
        Pred::Addrs(AddrSet::new(addrs))
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

    /// The same set as a bitmap, where that is faster and small.
    fn dense(self) -> Ints {
        let Ints::Ranges(ranges) = &self else { return self };
        if ranges.len() <= 4 || ranges.last().is_none_or(|(_, most)| *most > 65_535) {
            return self;
        }
        let mut bits = vec![0_u64; 1024];
        for number in ranges.iter().flat_map(|(from, to)| *from..=*to) {
            if let Some(word) = usize::try_from(number / 64).ok().and_then(|index| bits.get_mut(index)) {
                *word |= 1 << (number % 64);
            }
        }
        Ints::Bits(bits.into_boxed_slice())
    }

    #[inline]
    fn contains(&self, number: u64) -> bool {
        match self {
            Ints::Ranges(ranges) => within(ranges, number),
            Ints::Bits(bits) => {
                let word = usize::try_from(number / 64).ok().and_then(|index| bits.get(index));
                word.is_some_and(|word| word >> (number % 64) & 1 == 1)
            }
        }
    }

    /// The same for a mean or a sum that is not whole.
    #[expect(clippy::cast_precision_loss, reason = "the comparison is with a value that is not exact either")]
    fn contains_float(&self, number: f64) -> bool {
        match self {
            Ints::Ranges(ranges) => ranges.iter().any(|(from, to)| *from as f64 <= number && number <= *to as f64),
            Ints::Bits(_) => (0..=65_535_u32)
                .any(|whole| f64::from(whole).total_cmp(&number).is_eq() && self.contains(u64::from(whole))),
        }
    }
}

impl Services {
    fn named(wanted: impl Fn(&str) -> bool) -> Services {
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
    fn is_in(&self, line: &[u8]) -> bool {
        let Some((&first, rest)) = self.0.split_first() else { return true };
        let found =
            |at: usize| line.get(at + 1..at + 1 + rest.len()).is_some_and(|tail| tail.eq_ignore_ascii_case(rest));
        memchr::memchr2_iter(first, first.to_ascii_uppercase(), line).any(found)
    }
}

impl Pred {
    #[inline]
    fn test(&self, value: Value<'_>) -> bool {
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

/// What evaluation needs beside the row.
struct Context {
    now: i64,
    line: Option<String>,
}

impl Context {
    /// The rendered row.
    fn line<R: Row + ?Sized>(&mut self, row: &R) -> &str {
        self.line.get_or_insert_with(|| {
            let mut line = SCRATCH.try_with(Cell::take).unwrap_or_default();
            line.clear();
            row.render(&mut line);
            line
        })
    }
}

thread_local! {
    /// The buffer that lines are rendered into, kept from row to row.
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// Whether `row` passes.
#[inline]
pub(super) fn matches<R: Row + ?Sized>(node: &Node, row: &R, now: i64) -> bool {
    let mut context = Context { now, line: None };
    let passes = node.eval(row, &mut context);
    if let Some(line) = context.line {
        // Without the buffer the next search allocates; nothing else depends on it.
        let _ = SCRATCH.try_with(|scratch| scratch.set(line));
    }
    passes
}

impl Node {
    /// Relative cost of a test.
    fn cost(&self) -> u32 {
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().map(Node::cost).fold(0, u32::saturating_add),
            Node::Not(inner) => inner.cost(),
            Node::Never => 0,
            Node::Has(_) | Node::Last(_) | Node::During(_) => 1,
            Node::Field { pred: Pred::Regex(_), .. } => 20,
            Node::Field { pred: Pred::Texts(texts), .. } => 2 + u32::try_from(texts.len()).unwrap_or(u32::MAX - 2),
            Node::Field { .. } => 1,
            Node::Service { .. } => 3,
            Node::Contains(_) => 100,
            Node::Matches(_) => 110,
        }
    }

    fn eval<R: Row + ?Sized>(&self, row: &R, context: &mut Context) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|node| node.eval(row, context)),
            Node::Any(nodes) => nodes.iter().any(|node| node.eval(row, context)),
            Node::Not(inner) => !inner.eval(row, context),
            Node::Field { field, pred, negate: false } => row.any(*field, &mut |value| pred.test(value)),
            Node::Field { field, pred, negate: true } => {
                let mut present = false;
                let found = row.any(*field, &mut |value| {
                    present = true;
                    pred.test(value)
                });
                present && !found
            }
            Node::Service { ports, wanted, negate } => service(row, *ports, wanted, *negate),
            Node::Has(field) => row.any(*field, &mut |_| true),
            Node::Never => false,
            Node::Contains(needle) => needle.is_in(context.line(row).as_bytes()),
            Node::Matches(regex) => regex.is_match(context.line(row)),
            Node::Last(seconds) => {
                let seconds = i64::try_from(*seconds).unwrap_or(i64::MAX);
                let since = u64::try_from(context.now.saturating_sub(seconds)).unwrap_or(0);
                int(row, Field::End).is_some_and(|end| end >= since)
            }
            Node::During(window) => during(row, *window, context.now),
        }
    }
}

fn service<R: Row + ?Sized>(row: &R, ports: Field, wanted: &Services, negate: bool) -> bool {
    let (set, protocol) = match int(row, Field::Protocol) {
        Some(6) => (&wanted.tcp, services::TCP),
        Some(17) => (&wanted.udp, services::UDP),
        _ => return false,
    };
    let found = row.any(ports, &mut |value| matches!(value, Value::Int(port) if set.contains(port)));
    if !negate {
        return found;
    }
    let named = |port: u64| u16::try_from(port).is_ok_and(|port| services::service(port, protocol).is_some());
    !found && row.any(ports, &mut |value| matches!(value, Value::Int(port) if named(port)))
}

fn int<R: Row + ?Sized>(row: &R, field: Field) -> Option<u64> {
    match row.get(field) {
        Some(Value::Int(number)) => Some(number),
        _ => None,
    }
}

/// Whether the row's span touches the window. A row with one of its two times is a moment.
fn during<R: Row + ?Sized>(row: &R, window: Window, now: i64) -> bool {
    let (start, end) = (int(row, Field::Start), int(row, Field::End));
    let (Some(start), Some(end)) = (start.or(end), end.or(start)) else { return false };
    let (from, to) = match window {
        Window::Absolute(from, to) => (from, to),
        Window::OfDay(from, to) => {
            let midnight = u64::try_from(now).unwrap_or(0) / 86_400 * 86_400;
            let begins = if from > to { midnight.saturating_sub(86_400) } else { midnight };
            (begins + u64::from(from), midnight + u64::from(to))
        }
    };
    start <= to && end >= from
}
