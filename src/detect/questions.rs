//! What rules ask of a row, each question once: many rules ask the same (`client in $private`, `req.packets <= 3`), and the answer for a row is
//! remembered until the next row. A rule's filter is the questions that must all be answered yes.

use super::condition::{Condition, OfRow};
use super::rule::Rule;
use crate::filter::Filter;
use crate::record::amplification::{AmpPort, amp_port};
use crate::record::{Field, Row, Value, services};

/// Questions of one list; the parts of filters that come after are asked as they are, by their rule.
const MOST: usize = u128::BITS as usize;

/// A part of a filter, or a `where` with the port by which the amplification table is looked up.
#[derive(Clone, Debug, PartialEq)]
enum Question {
    Part(Filter),
    Only(Condition, Field),
}

/// The questions of several rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Questions {
    list: Vec<Question>,
}

/// What one rule asks, as bits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asks {
    /// The parts of its filter.
    filter: u128,
    /// Its `where`.
    only: u128,
    /// Whether filter or `where` found no room in the list.
    alone: bool,
}

/// What is known of a row so far.
#[derive(Debug, Default)]
pub(super) struct Answers {
    yes: u128,
    no: u128,
    /// The row of the amplification table for this port.
    amp: Option<(Field, Option<&'static AmpPort>)>,
}

impl Answers {
    /// The row of the amplification table for a row's port, if it is UDP.
    pub(super) fn amplifier<R: Row + ?Sized>(&mut self, row: &R, port: Field) -> Option<&'static AmpPort> {
        match self.amp {
            Some((known, amp)) if known == port => amp,
            _ => {
                let amp = amplifier(row, port);
                self.amp = Some((port, amp));
                amp
            }
        }
    }
}

impl Questions {
    /// The questions of `rules`, those that most of them ask first, and what each rule asks.
    pub(super) fn of<'a>(rules: impl Iterator<Item = &'a Rule>) -> (Questions, Vec<Asks>) {
        let own: Vec<Vec<Question>> = rules
            .map(|rule| {
                let parts = rule.filter.iter().flat_map(Filter::clauses).map(Question::Part);
                parts.chain(rule.only.clone().map(|only| Question::Only(only, rule.amplification_port.0))).collect()
            })
            .collect();
        let mut counted: Vec<(usize, &Question)> = Vec::new();
        for question in own.iter().flatten() {
            match counted.iter_mut().find(|(_, known)| *known == question) {
                Some((count, _)) => *count += 1,
                None => counted.push((1, question)),
            }
        }
        counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let list: Vec<Question> = counted.into_iter().take(MOST).map(|(_, question)| question.clone()).collect();
        let asks = own.iter().map(|own| {
            let mut asks = Asks::default();
            for question in own {
                match (list.iter().position(|known| known == question), question) {
                    (Some(place), Question::Part(_)) => asks.filter |= 1 << place,
                    (Some(place), Question::Only(..)) => asks.only |= 1 << place,
                    (None, _) => asks.alone = true,
                }
            }
            asks
        });
        let asks = asks.collect();
        (Questions { list }, asks)
    }

    /// Whether the row is known not to pass the filter already.
    pub(super) fn refused(asks: Asks, answers: &Answers) -> bool {
        answers.no & asks.filter != 0
    }

    /// Whether `row` passes the filter of `rule`.
    pub(super) fn passes<R: Row + ?Sized>(
        &self,
        rule: &Rule,
        asks: Asks,
        row: &R,
        end: i64,
        answers: &mut Answers,
    ) -> bool {
        self.all(asks.filter, row, end, answers)
            && (!asks.alone || rule.filter.as_ref().is_none_or(|filter| filter.matches(row, end)))
    }

    /// Whether `rule` counts `row`.
    pub(super) fn counts<R: Row + ?Sized>(
        &self,
        rule: &Rule,
        asks: Asks,
        row: &R,
        end: i64,
        answers: &mut Answers,
    ) -> bool {
        self.all(asks.only, row, end, answers)
            && (!asks.alone
                || rule.only.as_ref().is_none_or(|only| {
                    let amp = answers.amplifier(row, rule.amplification_port.0);
                    only.holds(&OfRow { row, amp })
                }))
    }

    fn all<R: Row + ?Sized>(&self, asked: u128, row: &R, end: i64, answers: &mut Answers) -> bool {
        if answers.no & asked != 0 {
            return false;
        }
        let mut left = asked & !answers.yes;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            let yes = match &self.list[left.trailing_zeros() as usize] {
                Question::Part(part) => part.matches(row, end),
                Question::Only(only, port) => {
                    let amp = answers.amplifier(row, *port);
                    only.holds(&OfRow { row, amp })
                }
            };
            if !yes {
                answers.no |= bit;
                return false;
            }
            answers.yes |= bit;
            left ^= bit;
        }
        true
    }
}

fn amplifier<R: Row + ?Sized>(row: &R, port: Field) -> Option<&'static AmpPort> {
    match (row.get(Field::Protocol), row.get(port)) {
        (Some(Value::Int(protocol)), Some(Value::Int(port))) if protocol == u64::from(services::UDP) => {
            amp_port(u16::try_from(port).ok()?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Rules;
    use crate::filter::Stage;

    #[test]
    fn what_rules_share_is_asked_once() {
        let rules = Rules::builtin().expect("tested");
        let own: Vec<_> = rules.iter().filter(|rule| rule.stage == Stage::Sessions).collect();
        let (questions, asks) = Questions::of(own.iter().map(|rule| &***rule));
        let asked: u32 = asks.iter().map(|asks| (asks.filter | asks.only).count_ones()).sum();
        assert!(asked as usize > 2 * questions.list.len(), "{asked} asked, {} listed", questions.list.len());
        for (rule, asks) in own.iter().zip(&asks) {
            assert!(!asks.alone, "{} fits", rule.id);
            assert_eq!(asks.filter == 0, rule.filter.is_none(), "{}", rule.id);
            assert_eq!(asks.only.is_power_of_two(), rule.only.is_some(), "{}", rule.id);
        }
    }

    struct Port(u64);
    impl Row for Port {
        fn get(&self, field: Field) -> Option<Value<'_>> {
            match field {
                Field::ServerPort | Field::DstPort => Some(Value::Int(self.0)),
                Field::Client | Field::SrcAddr => Some(Value::Addr([10, 0, 0, 1].into())),
                _ => None,
            }
        }
        fn render(&self, _out: &mut String) {}
    }

    #[test]
    fn a_rule_beyond_the_list_asks_for_itself() {
        let rules = Rules::builtin().expect("tested");
        let rule = rules.get("BRUTE").expect("built in");
        let many: Vec<Rule> = (0..200)
            .map(|port| {
                let text = format!("client in $private and server.port = {port}");
                Rule { filter: Some(Filter::parse(&text, Stage::Sessions).expect("a filter")), ..(**rule).clone() }
            })
            .collect();
        let (questions, asks) = Questions::of(many.iter());
        assert_eq!(questions.list.len(), MOST);
        assert!(asks.iter().any(|asks| asks.alone));
        for port in [0, 7, 199] {
            let mut answers = Answers::default();
            let row = Port(port);
            let passing: Vec<usize> = (0..200)
                .filter(|at| {
                    let filter = many[*at].filter.as_ref().expect("it has one");
                    let passes = questions.passes(&many[*at], asks[*at], &row, 0, &mut answers);
                    assert_eq!(passes, filter.matches(&row, 0));
                    passes
                })
                .collect();
            assert_eq!(passing, [usize::try_from(port).expect("small")]);
        }
    }
}
