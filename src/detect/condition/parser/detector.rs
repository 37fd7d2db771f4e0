//! Calls whose arguments are not just a field: `baseline(sum(bytes), sigma=3, min_samples=12)`, `beacon(req.bytes)`, `prevalence(client)`.

use super::{Aggregate, ConditionError, Function, Number, Operator, Parser, Stage, Token};
use crate::detect::condition::Comparison;

/// Most windows that `min_samples` may ask for: as many as are looked at.
const MOST_SAMPLES: f64 = 48.0;

impl Parser<'_, '_> {
    /// `baseline(sum(field)|count(), sigma=N, min_samples=N)`: mean and so many deviations of the group's earlier windows.
    pub(super) fn baseline(&mut self) -> Result<Number, ConditionError> {
        if self.scope.aggregates.is_none() {
            return self.fail("`baseline(…)` needs a group; `where` looks at one row");
        }
        self.at += 2;
        let field = if self.word("count") {
            self.expect('(')?;
            None
        } else if self.word("sum") {
            self.expect('(')?;
            Some(self.argument(Function::Sum)?)
        } else {
            return self.fail("expected `sum(field)` or `count()`: what the baseline is of");
        };
        self.expect(')')?;
        let (mut sigma, mut samples) = (3.0, 12.0);
        while self.sign(',') {
            if self.word("sigma") {
                sigma = self.option()?;
            } else if self.word("min_samples") {
                let place = self.at;
                samples = self.option()?;
                if !(3.0..=MOST_SAMPLES).contains(&samples) || samples.fract() != 0.0 {
                    self.at = place + 1;
                    return self.fail(format!("min_samples is 3 to {MOST_SAMPLES}"));
                }
            } else {
                return self.fail("expected `sigma=3` or `min_samples=12`");
            }
        }
        self.expect(')')?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "3 to 48")]
        let least = samples as u8;
        let mean = self.slot(Aggregate { function: Function::Mean(least), field })?;
        let deviation = self.slot(Aggregate { function: Function::Deviation(least), field })?;
        let above = Number::Binary(Operator::Multiply, Box::new(Number::Constant(sigma)), Box::new(deviation));
        Ok(Number::Binary(Operator::Add, Box::new(mean), Box::new(above)))
    }

    /// `=N`
    fn option(&mut self) -> Result<f64, ConditionError> {
        if self.peek() != Some(&Token::Compare(Comparison::Equal)) {
            return self.fail("expected `=` and a number");
        }
        self.at += 1;
        let Some(Token::Number(value)) = self.peek() else {
            return self.fail("expected a number");
        };
        let value = *value;
        self.at += 1;
        Ok(value)
    }

    /// What stands in the parentheses of `function`, which are open.
    pub(super) fn arguments(&mut self, function: Function) -> Result<Option<super::Field>, ConditionError> {
        let of_sessions = matches!(
            function,
            Function::Beacon
                | Function::BeaconInterval
                | Function::BeaconCount
                | Function::Prevalence
                | Function::Trw
                | Function::Failed
        );
        if of_sessions && self.scope.stage != Stage::Sessions {
            return self.fail(format!("`{}(…)` looks at sessions; this rule is on = \"flow\"", function.name()));
        }
        if matches!(function, Function::Silence | Function::UsualGap)
            && (self.scope.stage != Stage::Flows || self.scope.group_by != [super::Field::InterfaceId])
        {
            return self.fail(format!(
                "`{}()` is of interfaces: it needs on = \"flow\" and group_by = [\"interface-id\"] alone",
                function.name()
            ));
        }
        match function {
            Function::Silence
            | Function::UsualGap
            | Function::Count
            | Function::BeaconInterval
            | Function::BeaconCount
            | Function::Trw => Ok(None),
            Function::Beacon if self.peek() == Some(&Token::Sign(')')) => Ok(None),
            Function::Prevalence => {
                let place = self.at;
                let field = self.argument(function)?;
                if !self.scope.group_by.contains(&field) || self.scope.group_by.len() < 2 {
                    self.at = place;
                    return self.fail("expected one field of several in group_by: who uses what the others name");
                }
                Ok(Some(field))
            }
            _ => self.argument(function).map(Some),
        }
    }
}
