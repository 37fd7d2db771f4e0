//! The condition language of rules: arithmetic, comparisons and `and`/`or`/`not` over aggregates of a group, the rule's `let`
//! names and the amplification table.
//!
//! ```text
//! sum(resp.bytes) / max(sum(req.bytes), 1) >= @amp.min_baf and distinct(client) >= 10
//! ```
//!
//! The same language with plain field names instead of aggregates is a rule's `where`, which looks at one row. A value that is absent is
//! not a number, and every comparison with it is false, as in the filter language.

mod lexer;
mod parser;
mod reach;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use crate::record::amplification::{AmpPort, Exposure};
use crate::record::{Field, Row};

pub(in crate::detect) use parser::exists_on;
pub use parser::{Scope, parse_bool, parse_number};

/// Why a text is not a condition: where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConditionError {
    /// Byte range of the text that is wrong.
    pub span: Range<usize>,
    /// What is wrong and what was expected, one sentence.
    pub message: String,
}

/// How the rows of a window become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// How many rows.
    Count,
    /// Sum of a field.
    Sum,
    /// Least value of a field.
    Min,
    /// Greatest value of a field.
    Max,
    /// Number of different values, exact up to a cap and then the cap.
    Distinct,
    /// The same of the values of sessions that failed as a search does: rejected, silent or answered with a few bare packets.
    Failed,
    /// Number of values that the group had never shown before.
    New,
    /// How regularly the group begins sessions, 0 to 1; of a field, how alike its values are as well.
    Beacon,
    /// Median seconds between the starts of its sessions.
    BeaconInterval,
    /// Sessions that began at different times, the latest 64.
    BeaconCount,
    /// Share of our other hosts that use the same.
    Prevalence,
    /// How far the outcomes of first contacts speak for a search: a logarithm.
    Trw,
    /// Seconds since an interface was last heard.
    Silence,
    /// Its longest pause before, seconds.
    UsualGap,
    /// Mean of a sum in the group's earlier windows, at least so many of them.
    Mean(u8),
    /// Deviation of a sum in the group's earlier windows.
    Deviation(u8),
}

impl Function {
    const ALL: [(&'static str, Function); 14] = [
        ("count", Function::Count),
        ("sum", Function::Sum),
        ("min", Function::Min),
        ("max", Function::Max),
        ("distinct", Function::Distinct),
        ("failed", Function::Failed),
        ("new", Function::New),
        ("beacon", Function::Beacon),
        ("beacon_interval", Function::BeaconInterval),
        ("beacon_count", Function::BeaconCount),
        ("prevalence", Function::Prevalence),
        ("trw", Function::Trw),
        ("silence", Function::Silence),
        ("usual_gap", Function::UsualGap),
    ];

    fn named(name: &str) -> Option<Function> {
        Function::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, function)| *function)
    }

    fn name(self) -> &'static str {
        Function::ALL.iter().find(|(_, function)| *function == self).map_or("baseline", |(name, _)| name)
    }
}

/// One aggregate that a rule needs; the engine keeps one slot a group for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Aggregate {
    /// How rows become a number.
    pub function: Function,
    /// Of what; `None` for `count()`.
    pub field: Option<Field>,
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.function.name(), self.field.map_or("", Field::name))
    }
}

/// A column of the amplification table, as `@amp.NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmpColumn {
    /// 1 where the port is in the table, else 0.
    Known,
    /// 1 where the port should never face the internet, else 0.
    NeverPublic,
    /// Least estimated payload factor.
    MinBaf,
    /// Least mean response, bytes a packet.
    MinMean,
    /// Least response, bytes.
    MinBytes,
}

impl AmpColumn {
    const ALL: [(&'static str, AmpColumn); 5] = [
        ("known", AmpColumn::Known),
        ("never_public", AmpColumn::NeverPublic),
        ("min_baf", AmpColumn::MinBaf),
        ("min_mean", AmpColumn::MinMean),
        ("min_bytes", AmpColumn::MinBytes),
    ];

    fn named(name: &str) -> Option<AmpColumn> {
        AmpColumn::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, column)| *column)
    }

    /// The value for a port of the table, not a number for a port that is not in it (0 for the two yes-or-no columns).
    #[expect(clippy::cast_precision_loss, reason = "byte floors are far below 2^53")]
    fn value(self, row: Option<&AmpPort>) -> f64 {
        match self {
            AmpColumn::Known => f64::from(u8::from(row.is_some())),
            AmpColumn::NeverPublic => f64::from(u8::from(row.is_some_and(|row| row.exposure == Exposure::NeverPublic))),
            AmpColumn::MinBaf => row.map_or(f64::NAN, |row| row.min_baf),
            AmpColumn::MinMean => row.map_or(f64::NAN, |row| row.min_mean),
            AmpColumn::MinBytes => row.map_or(f64::NAN, |row| row.min_bytes as f64),
        }
    }
}

/// An expression that is a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// A literal.
    Constant(f64),
    /// The aggregate with this index in the rule's list.
    Slot(usize),
    /// A field of the row (in `where`) or of the group's key (in `condition`).
    Field(Field),
    /// A column of the amplification table, for the server's port.
    Amp(AmpColumn),
    /// A negation.
    Negative(Box<Number>),
    /// Two numbers.
    Binary(Operator, Box<Number>, Box<Number>),
}

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `min(a, b)`
    Least,
    /// `max(a, b)`
    Greatest,
}

/// An expression that is true or false.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Two numbers compared.
    Compare(Comparison, Number, Number),
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// Either.
    Or(Box<Condition>, Box<Condition>),
    /// The complement.
    Not(Box<Condition>),
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Where an expression reads its values: a row, or a group with its aggregates.
pub trait Values {
    /// The aggregate with this index.
    fn slot(&self, index: usize) -> f64;
    /// The field, not a number where absent.
    fn field(&self, field: Field) -> f64;
    /// The row of the amplification table for the port in question.
    fn amp(&self) -> Option<&AmpPort>;
}

impl Number {
    /// The value; not a number where something it needs is absent.
    pub fn value(&self, from: &impl Values) -> f64 {
        match self {
            Number::Constant(value) => *value,
            Number::Slot(index) => from.slot(*index),
            Number::Field(field) => from.field(*field),
            Number::Amp(column) => column.value(from.amp()),
            Number::Negative(inner) => -inner.value(from),
            Number::Binary(operator, left, right) => {
                let (left, right) = (left.value(from), right.value(from));
                match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide => left / right,
                    // `f64::min` would swallow an absent operand.
                    Operator::Least | Operator::Greatest if left.is_nan() || right.is_nan() => f64::NAN,
                    Operator::Least => left.min(right),
                    Operator::Greatest => left.max(right),
                }
            }
        }
    }
}

impl Condition {
    /// Whether it holds.
    pub fn holds(&self, from: &impl Values) -> bool {
        match self {
            Condition::Compare(comparison, left, right) => {
                let (left, right) = (left.value(from), right.value(from));
                // `None` where either is absent: no comparison holds, `!=` neither.
                left.partial_cmp(&right).is_some_and(|order| match comparison {
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                })
            }
            Condition::And(left, right) => left.holds(from) && right.holds(from),
            Condition::Or(left, right) => left.holds(from) || right.holds(from),
            Condition::Not(inner) => !inner.holds(from),
        }
    }
}

/// A row as the source of values: no aggregates, fields from the row, the table by its port.
pub struct OfRow<'a, R: Row + ?Sized> {
    /// The row.
    pub row: &'a R,
    /// The table's row for its port.
    pub amp: Option<&'a AmpPort>,
}

impl<R: Row + ?Sized> Values for OfRow<'_, R> {
    fn slot(&self, _index: usize) -> f64 {
        f64::NAN
    }

    fn field(&self, field: Field) -> f64 {
        self.row.get(field).and_then(crate::record::Value::number).unwrap_or(f64::NAN)
    }

    fn amp(&self) -> Option<&AmpPort> {
        self.amp
    }
}
