//! The compiled form of a filter and its evaluation over a row. Compiled once, run for every row: cheap tests come first, and nothing is allocated for a row. The line is rendered at most once a row,
//! into a buffer that the thread keeps, and only where a search asks for it.

use std::cell::Cell;

use super::Stage;
use super::expr::{Expr, Op, Test, Window};
use super::pred::{Needle, Pred, Services, any_of};
use super::search::Search;
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
    Matches(Search),
    Last(u64),
    During(Window),
}

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
            wanted: {
                let pred = any_of(Op::Eq, values);
                Services::named(|name| pred.test(Value::Text(name)))
            },
            negate: op.is_negative(),
        },
        Test::Has(Field::Service) => {
            Node::Service { ports: service_port(stage), wanted: Services::named(|_| true), negate: false }
        }
        Test::Compare { field, op, values } => {
            Node::Field { field: *field, pred: any_of(*op, values), negate: op.is_negative() }
        }
        Test::Has(field) => Node::Has(*field),
        Test::Contains(wanted) => Node::Contains(Needle::new(wanted)),
        Test::Matches(pattern) => Node::Matches(Search::new(pattern)),
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

/// What it costs to look for `needle` in an entry of a dictionary, where addresses are spelled.
fn spelled(needle: &Needle) -> usize {
    match needle.in_addresses() {
        (true, _) => 20,
        (false, true) => 30,
        (false, false) => 1,
    }
}

impl Node {
    /// Relative cost of a test.
    fn cost(&self) -> u32 {
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().map(Node::cost).fold(0, u32::saturating_add),
            Node::Not(inner) => inner.cost(),
            Node::Never => 0,
            Node::Field { pred: Pred::Regex(_), .. } => 20,
            Node::Field { pred: Pred::Texts(texts), .. } => 2 + u32::try_from(texts.len()).unwrap_or(u32::MAX - 2),
            Node::Field { .. } | Node::Has(_) | Node::Last(_) | Node::During(_) => 1,
            Node::Service { .. } => 3,
            Node::Contains(_) => 100,
            Node::Matches(_) => 110,
        }
    }

    /// Searches of the line in it.
    pub(super) fn searches(&self) -> usize {
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().map(Node::searches).sum(),
            Node::Not(inner) => inner.searches(),
            Node::Contains(_) | Node::Matches(_) => 1,
            _ => 0,
        }
    }

    /// See [`super::Filter::entry_cost`].
    pub(super) fn entry_cost(&self) -> usize {
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().map(Node::entry_cost).sum(),
            Node::Not(inner) => inner.entry_cost(),
            Node::Field { pred: Pred::Addrs(set), .. } if set.only_v4().is_some() => 1,
            Node::Contains(needle) => spelled(needle),
            Node::Matches(search) => search.needles().map(spelled).sum(),
            // A search in a list.
            Node::Field { pred: Pred::Addrs(set), .. } => 2 + set.len().max(1).ilog2() as usize,
            _ => 0,
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
            Node::Matches(search) => search.regex.is_match(context.line(row)),
            Node::Last(seconds) => {
                let since = since(*seconds, context.now);
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
    let (from, to) = ends(window, now);
    start <= to && end >= from
}

/// The first and the last second of `window`.
pub(super) fn ends(window: Window, now: i64) -> (u64, u64) {
    match window {
        Window::Absolute(from, to) => (from, to),
        Window::OfDay(from, to) => {
            let midnight = u64::try_from(now).unwrap_or(0) / 86_400 * 86_400;
            let begins = if from > to { midnight.saturating_sub(86_400) } else { midnight };
            (begins + u64::from(from), midnight + u64::from(to))
        }
    }
}

/// The first second of "the last `seconds`".
pub(super) fn since(seconds: u64, now: i64) -> u64 {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    u64::try_from(now.saturating_sub(seconds)).unwrap_or(0)
}
