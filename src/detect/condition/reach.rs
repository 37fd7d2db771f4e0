//! Whether a condition could hold at all, from the most that its aggregates can be: the cheap question that is asked of a group at every
//! change, so that its windows are looked at only where one of them may speak.

use super::{Comparison, Condition, Number, Operator, Values};

/// Least and greatest value an expression can have; not a number where nothing is known.
type Range = (f64, f64);

const ANYTHING: Range = (f64::NAN, f64::NAN);

impl Condition {
    /// Whether it could hold in a window of a group in which no aggregate is below 0 or above what `most` says of its slot. Errs
    /// towards yes.
    pub fn reachable(&self, most: &impl Values) -> bool {
        match self {
            Condition::Compare(comparison, left, right) => {
                let (left, right) = (left.range(most), right.range(most));
                if [left.0, left.1, right.0, right.1].iter().any(|bound| bound.is_nan()) {
                    return true;
                }
                match comparison {
                    Comparison::Equal => left.0 <= right.1 && right.0 <= left.1,
                    Comparison::NotEqual => true,
                    Comparison::Less => left.0 < right.1,
                    Comparison::LessOrEqual => left.0 <= right.1,
                    Comparison::Greater => left.1 > right.0,
                    Comparison::GreaterOrEqual => left.1 >= right.0,
                }
            }
            Condition::And(left, right) => left.reachable(most) && right.reachable(most),
            Condition::Or(left, right) => left.reachable(most) || right.reachable(most),
            Condition::Not(_) => true,
        }
    }
}

impl Number {
    fn range(&self, most: &impl Values) -> Range {
        match self {
            Number::Constant(value) => (*value, *value),
            // Sums are put together in another order than in a window.
            Number::Slot(index) => (0.0, most.slot(*index) * (1.0 + 1e-9)),
            Number::Field(_) | Number::Amp(_) => {
                let value = self.value(most);
                (value, value)
            }
            Number::Negative(inner) => {
                let (low, high) = inner.range(most);
                (-high, -low)
            }
            Number::Binary(operator, left, right) => {
                let (left, right) = (left.range(most), right.range(most));
                match operator {
                    Operator::Add => (left.0 + right.0, left.1 + right.1),
                    Operator::Subtract => (left.0 - right.1, left.1 - right.0),
                    Operator::Multiply => corners(left, right, |a, b| a * b),
                    Operator::Divide if right.0 > 0.0 || right.1 < 0.0 => corners(left, right, |a, b| a / b),
                    Operator::Divide => ANYTHING,
                    _ if left.0.is_nan() || left.1.is_nan() || right.0.is_nan() || right.1.is_nan() => ANYTHING,
                    Operator::Least => (left.0.min(right.0), left.1.min(right.1)),
                    Operator::Greatest => (left.0.max(right.0), left.1.max(right.1)),
                }
            }
        }
    }
}

/// The range of an operation that is monotone in each operand.
fn corners(left: Range, right: Range, of: impl Fn(f64, f64) -> f64) -> Range {
    let all = [of(left.0, right.0), of(left.0, right.1), of(left.1, right.0), of(left.1, right.1)];
    if all.iter().any(|value| value.is_nan()) {
        return ANYTHING;
    }
    (all.iter().copied().fold(f64::INFINITY, f64::min), all.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}
