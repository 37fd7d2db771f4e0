//! The half of detection that looks at rows and remembers almost nothing: which rules take a record or a session, and what they are told of it.

use std::net::IpAddr;
use std::sync::Arc;

use super::condition::Function;
use super::gate::{Bits, Gate};
use super::key::Key;
use super::order::{Order, Orders};
use super::questions::{Answers, Asks, Questions};
use super::rule::Rule;
use super::shown::{Known, Shown};
use super::state::time;
use super::taken::Taken;
use super::window::items;
use crate::filter::Stage;
use crate::filter::expr::{Expr, Op, Operand, Test};
use crate::record::{Field, Row, Value};
use crate::session::{Facts, SessionRow};

/// Rules a bank has at most: one bit each.
const RULES: usize = 64;
/// Interfaces that are listened to, by number.
const INTERFACES: usize = 1 << 17;
/// Hosts that are remembered as noted between two drains.
const MET: usize = 1_024;

/// The rules for sessions, up to [`RULES`] of them, which are told together.
#[derive(Clone, Debug)]
pub(super) struct Bank {
    /// Fields that these rules group by or count, beyond [`Facts`].
    pub rest: Vec<Field>,
    /// Of a session.
    candidates: Candidates,
}

/// Up to [`RULES`] rules, and which of them a row may pass.
#[derive(Clone, Debug)]
struct Candidates {
    /// Places in the list of rules.
    rules: Vec<usize>,
    /// By the bits of a row, the rules whose gates it passes.
    passing: Box<[u64]>,
}

impl Candidates {
    fn new(rules: &[usize], takers: &[Taker]) -> Candidates {
        let passing = |bits: Bits| {
            let passes = rules.iter().enumerate().filter(|(_, index)| bits.has(takers[**index].gate.bits));
            passes.fold(0, |all, (bit, _)| all | 1 << bit)
        };
        Candidates { rules: rules.to_vec(), passing: Bits::all().map(passing).collect() }
    }

    /// The rules that a row with `bits` may pass: bits, and places in the list.
    #[inline]
    fn of(&self, bits: Bits) -> impl Iterator<Item = (u32, usize)> {
        let mut left = self.passing[bits.index()];
        std::iter::from_fn(move || {
            let bit = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            Some((bit, *self.rules.get(bit as usize)?))
        })
    }
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Intake {
    takers: Vec<Taker>,
    /// What the takers ask: those for flows, and those of each bank.
    questions: Vec<Questions>,
    /// The rules for flows, in banks like those for sessions.
    flows: Vec<Candidates>,
    /// Rules that ask what became of the log: they look at records without traffic too.
    notices: Vec<usize>,
    banks: Vec<Bank>,
    taken: Taken,
    /// Least start and greatest end that were told.
    told: (i64, i64),
    /// Greatest end seen.
    last: i64,
    /// Whether any rule needs to know the hosts, and those that were noted since the last drain.
    novelty: bool,
    met: std::collections::HashMap<IpAddr, i64, foldhash::fast::RandomState>,
    /// Whether any rule asks for silence, and the minute in which each interface was last heard, by number.
    listens: bool,
    minutes: Vec<i64>,
}

impl Intake {
    pub(super) fn new(rules: &[Arc<Rule>]) -> Intake {
        let mut takers: Vec<Taker> = rules.iter().cloned().map(Taker::new).collect();
        let of = |stage| (0..rules.len()).filter(|index| rules[*index].stage == stage).collect::<Vec<_>>();
        let (mut flows, sessions) = (of(Stage::Flows), of(Stage::Sessions));
        flows.retain(|index| !super::silence::asks(&rules[*index]));
        let mut questions = Vec::new();
        for own in std::iter::once(&flows[..]).chain(sessions.chunks(RULES)) {
            let (list, asks) = Questions::of(own.iter().map(|index| &*rules[*index]));
            for (index, asks) in own.iter().zip(asks) {
                takers[*index].asks = asks;
            }
            questions.push(list);
        }
        let notices = flows.iter().copied().filter(|index| asks_status(&rules[*index])).collect();
        flows.retain(|index| !only_without_traffic(&rules[*index]));
        Intake {
            flows: flows.chunks(RULES).map(|own| Candidates::new(own, &takers)).collect(),
            notices,
            banks: sessions.chunks(RULES).map(|own| Bank::new(own, &takers)).collect(),
            novelty: takers.iter().any(Taker::knows_hosts),
            takers,
            questions,
            taken: Taken::default(),
            told: (i64::MAX, i64::MIN),
            last: i64::MIN,
            met: std::collections::HashMap::default(),
            listens: rules.iter().any(|rule| super::silence::asks(rule)),
            minutes: Vec::new(),
        }
    }

    pub(super) fn banks(&self) -> &[Bank] {
        &self.banks
    }

    /// A flow record.
    pub(super) fn flow<R: Row + ?Sized>(&mut self, row: &R, end: i64, orders: &mut Orders) {
        let start = match row.get(Field::Start) {
            Some(Value::Int(start)) => i64::try_from(start).unwrap_or(end),
            _ => end,
        };
        self.saw(start, end, orders);
        let (bits, mut answers) = (Bits::of_flow(row), Answers::default());
        for (_, index) in self.flows.iter().flat_map(|own| own.of(bits)) {
            self.tell(index, row, end, &mut answers, orders);
        }
    }

    /// A record without traffic: NODATA or SKIPDATA.
    pub(super) fn notice<R: Row + ?Sized>(&mut self, row: &R, end: i64, orders: &mut Orders) {
        self.last = self.last.max(end);
        let mut answers = Answers::default();
        for index in &self.notices {
            self.tell(*index, row, end, &mut answers, orders);
        }
    }

    fn tell<R: Row + ?Sized>(&self, rule: usize, row: &R, end: i64, answers: &mut Answers, orders: &mut Orders) {
        let taker = &self.takers[rule];
        let Some(counts) = taker.accepts(row, end, &self.questions[0], answers) else { return };
        orders.keys.extend(taker.rule.group_by.iter().map(|field| Key::of(row, *field)));
        orders.items.extend(items(&taker.rule.aggregates, row));
        let protocol = match row.get(Field::Protocol) {
            Some(Value::Int(number)) => u8::try_from(number).ok(),
            _ => None,
        };
        let (keys, items) = (orders.keys.len(), orders.items.len());
        let start = time(row, Field::Start).unwrap_or(end);
        orders.list.push(Order::Flow { rule, keys, items, start, end, protocol, counts });
    }

    /// An interface logged. Told once a minute.
    pub(super) fn heard_from(&mut self, interface: &Arc<str>, number: usize, end: i64, orders: &mut Orders) {
        if !self.listens || number >= INTERFACES {
            return;
        }
        let minute = end.div_euclid(60);
        if self.minutes.len() <= number {
            self.minutes.resize(number + 1, i64::MIN);
        }
        if std::mem::replace(&mut self.minutes[number], minute) != minute {
            orders.list.push(Order::Heard { interface: Arc::clone(interface), minute });
        }
    }

    /// A session changed. What no rule takes, and none can have taken before, is not told.
    pub(super) fn session(&mut self, id: u64, row: &SessionRow<'_>, end: i64, orders: &mut Orders) {
        self.saw(row.session.first, end, orders);
        // What no rule took when it was last shown, or was never shown, is held nowhere: no rule need look for what it added before.
        let unknown = !self.taken.has(id);
        let mut any = false;
        for at in 0..self.banks.len() {
            let bank = &self.banks[at];
            let known = Known::of(row, end, &bank.rest);
            let bits = known.bits();
            let shown = Shown { facts: &known.facts, row };
            let (mut accepted, mut counts, mut answers) = (0_u64, 0, Answers::default());
            for (bit, index) in bank.candidates.of(bits) {
                let taker = &self.takers[index];
                let counted = taker.accepts(&shown, known.facts.last, &self.questions[at + 1], &mut answers);
                if let Some(counted) = counted {
                    accepted |= 1 << bit;
                    counts |= u64::from(counted) << bit;
                }
            }
            if at == 0 && self.novelty {
                self.meet(bits, &known.facts, end, orders);
            }
            any |= accepted != 0;
            if accepted != 0 || !unknown {
                orders.list.push(Order::Session { bank: at, unknown, takes: accepted, counts, known });
            }
        }
        self.taken.note(id, any);
    }

    /// A session is no more: what it added is taken out, if it added anything.
    pub(super) fn withdraw(&mut self, id: u64, orders: &mut Orders) {
        if self.taken.has(id) {
            self.taken.note(id, false);
            orders.list.push(Order::Withdraw(id));
        }
    }

    /// Says how far the rows went, before anything that asks for it.
    pub(super) fn tell_span(&mut self, orders: &mut Orders) {
        if self.last > self.told.1 {
            self.told.1 = self.last;
            orders.list.push(Order::Saw { start: self.told.0, end: self.last });
        }
    }

    /// What was noted of hosts may be noted again.
    pub(super) fn drained(&mut self) {
        self.met.clear();
    }

    /// Notes the times of a row. An earlier start is told at once: the learning time hangs on it.
    fn saw(&mut self, start: i64, end: i64, orders: &mut Orders) {
        let start = start.min(end);
        self.last = self.last.max(end);
        if start < self.told.0 {
            self.told = (start, self.last);
            orders.list.push(Order::Saw { start, end: self.last });
        }
    }

    /// Notes both ends of a session, those that are ours. Public addresses are not hosts of ours, and there are too many of them.
    fn meet(&mut self, bits: Bits, facts: &Facts, end: i64, orders: &mut Orders) {
        let start = facts.first.min(end);
        for (inside, (addr, _)) in [(Bits::CLIENT_INSIDE, facts.client), (Bits::SERVER_INSIDE, facts.server)] {
            if !bits.has(inside) || self.met.get(&addr).is_some_and(|since| *since <= start) {
                continue;
            }
            if self.met.len() >= MET {
                self.met.clear();
            }
            self.met.insert(addr, start);
            orders.list.push(Order::Met { addr, start });
        }
    }
}

impl Bank {
    /// Places of its rules in the list of rules.
    pub(super) fn rules(&self) -> &[usize] {
        &self.candidates.rules
    }

    fn new(own: &[usize], takers: &[Taker]) -> Bank {
        let mut rest: Vec<Field> = own
            .iter()
            .map(|index| &takers[*index].rule)
            .flat_map(|rule| {
                rule.group_by.iter().copied().chain(rule.aggregates.iter().filter_map(|aggregate| aggregate.field))
            })
            .filter(|field| !Facts::has(*field))
            .collect();
        rest.sort_unstable();
        rest.dedup();
        Bank { candidates: Candidates::new(own, takers), rest }
    }
}

/// A rule as far as it looks at single rows.
#[derive(Debug)]
struct Taker {
    rule: Arc<Rule>,
    gate: Gate,
    asks: Asks,
    /// Whether it asks what is new.
    teaches: bool,
}

impl Taker {
    fn new(rule: Arc<Rule>) -> Taker {
        let teaches = rule.aggregates.iter().any(|aggregate| aggregate.function == Function::New);
        Taker { gate: Gate::of(&rule), asks: Asks::default(), teaches, rule }
    }

    /// Whether it asks what is new, or how many do the same.
    fn knows_hosts(&self) -> bool {
        self.teaches || self.rule.aggregates.iter().any(|aggregate| aggregate.function == Function::Prevalence)
    }

    /// Whether the rule takes the row, and if so whether it counts it. What costs least and refuses most comes first. Whether a session
    /// passes the gate's bits was asked before. `answers` are those of this row, whoever asked.
    fn accepts<R: Row + ?Sized>(
        &self,
        row: &R,
        end: i64,
        questions: &Questions,
        answers: &mut Answers,
    ) -> Option<bool> {
        let rule = &*self.rule;
        if Questions::refused(self.asks, answers) || !self.gate.admits(row) {
            return None;
        }
        let (port, wanted) = rule.amplification_port;
        if (wanted && answers.amplifier(row, port).is_none()) || !questions.passes(rule, self.asks, row, end, answers) {
            return None;
        }
        let counts = questions.counts(rule, self.asks, row, end, answers);
        (counts || self.teaches).then_some(counts)
    }
}

/// Whether the rule's filter asks what became of the log.
fn asks_status(rule: &Rule) -> bool {
    rule.filter.as_ref().is_some_and(|filter| filter.fields().any(|field| field == Field::LogStatus))
}

/// Whether it takes nothing but records without traffic, so that all others need not be shown to it.
fn only_without_traffic(rule: &Rule) -> bool {
    let without = |part: &Expr| match part {
        Expr::Test(Test::Compare { field: Field::LogStatus, op: Op::Eq, values }) => {
            values.iter().all(|value| matches!(value, Operand::Word(word) if !word.eq_ignore_ascii_case("OK")))
        }
        _ => false,
    };
    match rule.filter.as_ref().map(crate::filter::Filter::expr) {
        Some(Expr::And(parts)) => parts.iter().any(without),
        Some(part) => without(part),
        None => false,
    }
}
