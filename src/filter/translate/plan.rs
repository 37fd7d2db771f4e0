//! What a filter asks of single columns: negation is pushed down to the tests, two-sided fields are taken apart, absent values are told. Every
//! language is written from this, so the meaning of `!=`, `not` and absence is decided once.

use std::net::IpAddr;

use super::super::Members;
use super::super::eval::ends;
use super::super::expr::{Expr, Op, Operand, Pattern, Test};
use super::super::pred::Services;
use super::super::union::union;
use super::super::{Filter, Stage};
use crate::record::{Field, Format, On, Value, services};

/// A filter taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plan {
    /// Every row, or none.
    Const(bool),
    /// Nothing that can be said here: taken for "every row".
    Unknown,
    All(Vec<Plan>),
    Any(Vec<Plan>),
    Leaf(Leaf),
}

/// A test of one column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    pub col: Field,
    pub ask: Ask,
    /// Whether the column has a value that passes; if not: it has none, or one that does not pass.
    pub keep: bool,
    /// The test it comes from, for notes.
    pub origin: String,
}

/// What is asked of a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    /// A value.
    Present,
    /// A number in one of these ranges; sorted and disjoint.
    Ints(Vec<(u64, u64)>),
    /// All of these bits.
    Mask(u64),
    /// A quotient in one of these ranges.
    Floats(Vec<(f64, f64)>),
    /// An address in one of these ranges.
    Addrs(Vec<(IpAddr, IpAddr)>),
    /// This text, whatever the case.
    Word(String),
    /// This text, with `*` for any run.
    Glob(String),
    /// A regular expression.
    Regex(Pattern),
    /// The line, whatever the case, contains this. The column says nothing.
    Line(String),
    /// The line matches this. The column says nothing.
    LineRegex(Pattern),
}

/// What is searched.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rows<'a> {
    /// Lines of this format.
    Lines(&'a Format),
    /// Packets: both addresses, both ports and the protocol.
    Packets,
}

/// Takes a filter apart.
pub(super) struct Planner<'a> {
    pub rows: Rows<'a>,
    pub now: i64,
    pub stage: Stage,
    /// False once something was widened.
    pub exact: bool,
    pub notes: Vec<String>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(rows: Rows<'a>, now: i64, filter: Option<&Filter>) -> Planner<'a> {
        Planner { rows, now, stage: filter.map_or(Stage::Flows, Filter::stage), exact: true, notes: Vec::new() }
    }

    /// The plan of a whole filter.
    pub(super) fn plan(&mut self, filter: Option<&Filter>) -> Plan {
        filter.map_or(Plan::Const(true), |filter| self.expr(filter.expr(), true))
    }

    fn expr(&mut self, expr: &Expr, keep: bool) -> Plan {
        match (expr, keep) {
            (Expr::And(parts), true) | (Expr::Or(parts), false) => {
                Plan::All(parts.iter().map(|part| self.expr(part, keep)).collect())
            }
            (Expr::Or(parts), true) | (Expr::And(parts), false) => {
                Plan::Any(parts.iter().map(|part| self.expr(part, keep)).collect())
            }
            (Expr::Not(inner), _) => self.expr(inner, !keep),
            (Expr::Test(test), _) => self.test(test, keep),
        }
    }

    /// Leaves a test out, and says so.
    fn leave_out(&mut self, test: &Test, why: &str) -> Plan {
        self.exact = false;
        note(&mut self.notes, format!("Left out: `{test}`{why}."));
        Plan::Unknown
    }

    fn test(&mut self, test: &Test, keep: bool) -> Plan {
        let origin = test.to_string();
        let leaf = |col, ask, keep| Plan::Leaf(Leaf { col, ask, keep, origin: origin.clone() });
        match test {
            Test::Contains(_) | Test::Matches(_) | Test::During(_) | Test::Last(_)
                if self.stage == Stage::Sessions || matches!(self.rows, Rows::Packets) =>
            {
                let why = match self.rows {
                    Rows::Packets => ", since packets are not flow records",
                    Rows::Lines(_) => ", since it is asked of whole sessions",
                };
                self.leave_out(test, why)
            }
            Test::Contains(words) => leaf(Field::Version, Ask::Line(words.clone()), keep),
            Test::Matches(pattern) => leaf(Field::Version, Ask::LineRegex(pattern.clone()), keep),
            Test::Last(seconds) => {
                let since = self.now.saturating_sub(i64::try_from(*seconds).unwrap_or(i64::MAX));
                let ask = Ask::Ints(vec![(u64::try_from(since).unwrap_or(0), u64::MAX)]);
                if self.has(Field::End) { leaf(Field::End, ask, keep) } else { Plan::Const(!keep) }
            }
            Test::During(window) => {
                let (from, to) = ends(*window, self.now);
                let (start, end) = match (self.has(Field::Start), self.has(Field::End)) {
                    (true, true) => (Field::Start, Field::End),
                    (true, false) => (Field::Start, Field::Start),
                    (false, true) => (Field::End, Field::End),
                    (false, false) => return Plan::Const(!keep),
                };
                let parts = vec![
                    leaf(start, Ask::Ints(vec![(0, to)]), keep),
                    leaf(end, Ask::Ints(vec![(from, u64::MAX)]), keep),
                ];
                if keep { Plan::All(parts) } else { Plan::Any(parts) }
            }
            // Of a session's ports and addresses each is on some side of its records, and which is not said.
            Test::Has(_) if self.stage == Stage::Sessions && !keep => {
                self.leave_out(test, ", since it is asked of whole sessions")
            }
            Test::Has(field) => match self.columns(*field, test) {
                Err(plan) => plan,
                Ok(cols) if *field == Field::Service => {
                    let named = Services::named(|_| true);
                    self.service(&cols, &named, keep, &origin)
                }
                Ok(cols) => sides(cols.iter().map(|col| leaf(*col, Ask::Present, keep)).collect(), keep),
            },
            Test::Compare { field, op, values } => self.compare(test, *field, *op, values, keep),
        }
    }

    fn compare(&mut self, test: &Test, field: Field, op: Op, values: &[Operand], keep: bool) -> Plan {
        let cols = match self.columns(field, test) {
            Ok(cols) => cols,
            Err(plan) => return plan,
        };
        let origin = test.to_string();
        // On sessions a side is the client or the server, which either side of a record can be.
        if self.stage == Stage::Sessions && field != Field::Protocol && op.is_negative() == keep {
            return self.leave_out(test, ", since it is asked of whole sessions");
        }
        if field == Field::Service {
            let wanted = Services::named(|name| asks(Op::Eq, values).iter().any(|ask| passes(ask, name)));
            let found = self.service(&cols, &wanted, keep != op.is_negative(), &origin);
            if !op.is_negative() {
                return found;
            }
            let named = Services::named(|_| true);
            let some = self.service(&cols, &named, keep, &origin);
            return if keep { Plan::All(vec![some, found]) } else { Plan::Any(vec![some, found]) };
        }
        let asks = asks(op, values);
        let leaf =
            |col: Field, ask: &Ask, keep| Plan::Leaf(Leaf { col, ask: ask.clone(), keep, origin: origin.clone() });
        // Some column passes some of what is asked.
        let found = |keep| {
            let leaves = cols.iter().flat_map(|col| asks.iter().map(move |ask| leaf(*col, ask, keep))).collect();
            sides(leaves, keep)
        };
        if !op.is_negative() {
            return found(keep);
        }
        let present = sides(cols.iter().map(|col| leaf(*col, &Ask::Present, keep)).collect(), keep);
        if matches!(self.rows, Rows::Packets) {
            return found(!keep);
        }
        if keep { Plan::All(vec![present, found(false)]) } else { Plan::Any(vec![present, found(true)]) }
    }

    /// The columns that `field` stands for in these rows, or the plan of a test of it where there are none.
    fn columns(&mut self, field: Field, test: &Test) -> Result<Vec<Field>, Plan> {
        if self.stage == Stage::Sessions {
            let cols = match field {
                Field::Protocol => vec![Field::Protocol],
                Field::SrcAddr | Field::DstAddr | Field::Client | Field::Server | Field::Ip => self.present(ADDRESSES),
                Field::SrcPort
                | Field::DstPort
                | Field::ClientPort
                | Field::ServerPort
                | Field::Port
                | Field::Service => self.present(PORTS),
                _ => return Err(self.leave_out(test, ", since it is asked of whole sessions")),
            };
            if !matches!(field, Field::Protocol | Field::Ip | Field::Port) {
                self.exact = false;
            }
            return Ok(cols);
        }
        if field.def().on == On::Sessions {
            return Err(self.leave_out(test, ", which only sessions have"));
        }
        if field.is_place() {
            return Err(self.leave_out(test, ", which is looked up here"));
        }
        let cols = match field {
            Field::Ip => self.present(ADDRESSES),
            Field::Port | Field::Service => self.present(PORTS),
            other => self.present(&[other]),
        };
        if !cols.is_empty() {
            return Ok(cols);
        }
        match (self.rows, field) {
            (Rows::Packets, _) => Err(self.leave_out(test, ", which packets do not carry")),
            (_, Field::Lag) => Err(self.leave_out(test, ", which is reckoned here")),
            // What the lines do not say, flowtail takes from elsewhere.
            (_, Field::Region | Field::InterfaceId | Field::IngestionTime | Field::Stream) => {
                Err(self.leave_out(test, ", which the lines of this format do not carry"))
            }
            _ => Ok(cols),
        }
    }

    fn present(&self, fields: &[Field]) -> Vec<Field> {
        if let (Rows::Packets, [first, ..]) = (self.rows, fields) {
            return match first {
                // One test of a packet looks at both sides.
                Field::SrcAddr if fields.len() > 1 => vec![Field::Ip],
                Field::SrcPort if fields.len() > 1 => vec![Field::Port],
                Field::SrcAddr
                | Field::DstAddr
                | Field::PktSrcAddr
                | Field::PktDstAddr
                | Field::SrcPort
                | Field::DstPort
                | Field::Protocol => vec![*first],
                _ => Vec::new(),
            };
        }
        fields.iter().copied().filter(|field| self.has(*field)).collect()
    }

    fn has(&self, field: Field) -> bool {
        let Rows::Lines(format) = self.rows else { return false };
        match field {
            Field::Duration => format.has(Field::Start) && format.has(Field::End),
            Field::PacketSize => format.has(Field::Bytes) && format.has(Field::Packets),
            // Beside the line, in every event of CloudWatch.
            Field::IngestionTime | Field::Stream => true,
            other => format.has(other),
        }
    }

    /// A service is its ports, by transport.
    fn service(&mut self, cols: &[Field], wanted: &Services, keep: bool, origin: &str) -> Plan {
        if matches!(self.rows, Rows::Lines(format) if !format.has(Field::Protocol)) {
            return Plan::Const(!keep);
        }
        let leaf =
            |col, ranges, keep| Plan::Leaf(Leaf { col, ask: Ask::Ints(ranges), keep, origin: origin.to_owned() });
        let mut parts = Vec::new();
        for (protocol, ports) in [(services::TCP, &wanted.tcp), (services::UDP, &wanted.udp)] {
            let wanted = ranges_of(|port| ports.contains(port));
            if wanted.is_empty() {
                continue;
            }
            let number = u64::from(protocol);
            let either = sides(cols.iter().map(|col| leaf(*col, wanted.clone(), keep)).collect(), keep);
            let both = vec![leaf(Field::Protocol, vec![(number, number)], keep), either];
            parts.push(if keep { Plan::All(both) } else { Plan::Any(both) });
        }
        if keep { Plan::Any(parts) } else { Plan::All(parts) }
    }
}

/// The fields that `ip` and `port` stand for.
const ADDRESSES: &[Field] = &[Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr];
const PORTS: &[Field] = &[Field::SrcPort, Field::DstPort];

/// Some side passes, or every side does not.
fn sides(leaves: Vec<Plan>, keep: bool) -> Plan {
    if keep { Plan::Any(leaves) } else { Plan::All(leaves) }
}

/// Adds a sentence once.
pub(super) fn note(notes: &mut Vec<String>, text: String) {
    if !notes.contains(&text) {
        notes.push(text);
    }
}

/// The ports that pass, as ranges.
fn ranges_of(passes: impl Fn(u64) -> bool) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for port in (0..=65_535).filter(|port| passes(*port)) {
        match ranges.last_mut() {
            Some(last) if last.1 + 1 == port => last.1 = port,
            _ => ranges.push((port, port)),
        }
    }
    ranges
}

/// What `op` and `values` ask of one value, negation aside: any of these.
pub(super) fn asks(op: Op, values: &[Operand]) -> Vec<Ask> {
    let (mut ints, mut floats, mut addrs, mut asks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for value in values {
        match value {
            Operand::Int(mask, _) if matches!(op, Op::Like | Op::Unlike) => asks.push(Ask::Mask(*mask)),
            Operand::Int(from, to) => ints.extend(match op {
                Op::Lt => from.checked_sub(1).map(|most| (0, most)),
                Op::Le => Some((0, *from)),
                Op::Gt => from.checked_add(1).map(|least| (least, u64::MAX)),
                Op::Ge => Some((*from, u64::MAX)),
                _ => Some((*from, *to)),
            }),
            Operand::Float(from, to) => floats.push(match op {
                Op::Lt | Op::Le => (f64::NEG_INFINITY, *from),
                Op::Gt | Op::Ge => (*from, f64::INFINITY),
                _ => (*from, *to),
            }),
            Operand::Addr(from, to) => addrs.push((*from, *to)),
            Operand::Word(text) => asks.push(Ask::Word(text.clone())),
            Operand::Glob(text) => asks.push(Ask::Glob(text.clone())),
            Operand::Pattern(pattern) => asks.push(Ask::Regex(pattern.clone())),
            Operand::Set(set) => match &set.members {
                Members::Addrs(set) => addrs.extend(set.ranges()),
                Members::Ports(ranges) => ints.extend(ranges.iter().copied()),
            },
        }
    }
    if !ints.is_empty() {
        asks.push(Ask::Ints(union(ints)));
    }
    if !floats.is_empty() {
        asks.push(Ask::Floats(floats));
    }
    if !addrs.is_empty() {
        asks.push(Ask::Addrs(addrs));
    }
    asks
}

/// Whether a name passes, for services.
fn passes(ask: &Ask, name: &str) -> bool {
    use super::super::pred::any_of;
    let operand = match ask {
        Ask::Word(text) => Operand::Word(text.clone()),
        Ask::Glob(text) => Operand::Glob(text.clone()),
        Ask::Regex(pattern) => Operand::Pattern(pattern.clone()),
        _ => return false,
    };
    any_of(Op::Eq, &[operand]).test(Value::Text(name))
}
