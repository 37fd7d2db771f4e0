//! Tokens to a typed expression, by recursive descent. Depth is bounded, so a hostile rule file cannot exhaust the stack.

mod detector;

use std::collections::BTreeMap;
use std::ops::Range;

use super::lexer::{Token, tokens};
use super::{Aggregate, AmpColumn, Condition, ConditionError, Function, Number, Operator};
use crate::filter::Stage;
use crate::record::{Field, Kind, field::On};

/// Nested parentheses and signs that a condition may have.
const MAX_DEPTH: usize = 64;

/// Nodes of one expression, `let` names written out: a handful of lines that refer to each other could otherwise double at every step.
const MAX_NODES: usize = 4_096;

/// What names mean where the text stands.
#[derive(Debug)]
pub struct Scope<'a> {
    /// What the rule looks at.
    pub stage: Stage,
    /// `Some` in `condition`, `let` and `measured`: aggregates are allowed and collected here. `None` in `where`: fields of the row.
    pub aggregates: Option<&'a mut Vec<Aggregate>>,
    /// Names that the rule defined before.
    pub names: &'a BTreeMap<String, Number>,
    /// Fields that the rule groups by; in a condition they may be named outside an aggregate.
    pub group_by: &'a [Field],
}

/// Reads `text` as a number.
///
/// # Errors
/// Where it is not one, with the place.
pub fn parse_number(text: &str, scope: &mut Scope<'_>) -> Result<Number, ConditionError> {
    let mut parser = Parser::new(text, scope)?;
    let number = parser.number()?;
    parser.end()?;
    Ok(number)
}

/// Reads `text` as a condition.
///
/// # Errors
/// Where it is not one, with the place.
pub fn parse_bool(text: &str, scope: &mut Scope<'_>) -> Result<Condition, ConditionError> {
    let mut parser = Parser::new(text, scope)?;
    let condition = parser.or()?;
    parser.end()?;
    Ok(condition)
}

/// Whether rows of `stage` have `field`.
pub(in crate::detect) fn exists_on(field: Field, stage: Stage) -> bool {
    match field.def().on {
        On::Both => true,
        On::Flows => stage == Stage::Flows,
        On::Sessions => stage == Stage::Sessions,
    }
}

/// Whether a field's values are numbers.
fn is_number(field: Field) -> bool {
    !matches!(field.kind(), Kind::Addr | Kind::Text)
}

struct Parser<'a, 'b> {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    length: usize,
    depth: usize,
    nodes: usize,
    scope: &'a mut Scope<'b>,
}

impl<'a, 'b> Parser<'a, 'b> {
    fn new(text: &str, scope: &'a mut Scope<'b>) -> Result<Self, ConditionError> {
        Ok(Parser { tokens: tokens(text)?, at: 0, length: text.len(), depth: 0, nodes: 0, scope })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// Place of the next token, or the end of the text.
    fn place(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.length..self.length, |(_, span)| span.clone())
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ConditionError> {
        Err(ConditionError { span: self.place(), message: message.into() })
    }

    fn end(&self) -> Result<(), ConditionError> {
        if self.at < self.tokens.len() {
            return self.fail("expected `and`, `or` or the end here");
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(name)) if name.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: char) -> Result<(), ConditionError> {
        if self.sign(sign) { Ok(()) } else { self.fail(format!("expected `{sign}`")) }
    }

    fn enter(&mut self) -> Result<(), ConditionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { self.fail(format!("nested deeper than {MAX_DEPTH} levels")) } else { Ok(()) }
    }

    fn or(&mut self) -> Result<Condition, ConditionError> {
        let mut left = self.and()?;
        while self.word("or") {
            left = Condition::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Condition, ConditionError> {
        let mut left = self.not()?;
        while self.word("and") {
            left = Condition::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Condition, ConditionError> {
        if self.word("not") {
            self.enter()?;
            let inner = self.not()?;
            self.depth -= 1;
            return Ok(Condition::Not(Box::new(inner)));
        }
        self.comparison()
    }

    /// A comparison, or a condition in parentheses. Both can begin with `(`, so the parenthesis is first read as a number's.
    fn comparison(&mut self) -> Result<Condition, ConditionError> {
        let start = (self.at, self.depth, self.nodes);
        let left = match self.number() {
            Ok(number) => number,
            Err(error) => {
                let stopped = self.at;
                (self.at, self.depth, self.nodes) = start;
                return self.bracketed().map_err(|inner| if self.at > stopped { inner } else { error });
            }
        };
        let Some(Token::Compare(comparison)) = self.peek() else {
            return self.fail("expected a comparison such as `>= 10` here");
        };
        let comparison = *comparison;
        self.at += 1;
        Ok(Condition::Compare(comparison, left, self.number()?))
    }

    /// `( condition )`
    fn bracketed(&mut self) -> Result<Condition, ConditionError> {
        self.expect('(')?;
        self.enter()?;
        let inner = self.or()?;
        self.depth -= 1;
        self.expect(')')?;
        Ok(inner)
    }

    fn number(&mut self) -> Result<Number, ConditionError> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Some(Token::Sign('+')) => Operator::Add,
                Some(Token::Sign('-')) => Operator::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Number::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Number, ConditionError> {
        let mut left = self.atom()?;
        loop {
            let operator = match self.peek() {
                Some(Token::Sign('*')) => Operator::Multiply,
                Some(Token::Sign('/')) => Operator::Divide,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Number::Binary(operator, Box::new(left), Box::new(self.atom()?));
        }
    }

    fn atom(&mut self) -> Result<Number, ConditionError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return self.fail("too long");
        }
        if self.sign('-') {
            self.enter()?;
            let inner = self.atom()?;
            self.depth -= 1;
            return Ok(Number::Negative(Box::new(inner)));
        }
        if self.sign('(') {
            self.enter()?;
            let inner = self.number()?;
            self.depth -= 1;
            self.expect(')')?;
            return Ok(inner);
        }
        match self.peek().cloned() {
            Some(Token::Number(value)) => {
                self.at += 1;
                Ok(Number::Constant(value))
            }
            Some(Token::Table(name)) => self.table(&name),
            Some(Token::Name(name)) if self.tokens.get(self.at + 1).map(|(t, _)| t) == Some(&Token::Sign('(')) => {
                self.call(&name)
            }
            Some(Token::Name(name)) => self.name(&name),
            _ => self.fail("expected a number, a field or a function such as `sum(bytes)`"),
        }
    }

    fn table(&mut self, name: &str) -> Result<Number, ConditionError> {
        let known = || AmpColumn::ALL.map(|(name, _)| format!("@amp.{name}")).join(", ");
        let Some(column) = name.strip_prefix("amp.").and_then(AmpColumn::named) else {
            return self.fail(format!("no table column is called `@{name}`; there are {}", known()));
        };
        self.at += 1;
        Ok(Number::Amp(column))
    }

    /// A `let` name, a field of the row, or a field of the group's key.
    fn name(&mut self, name: &str) -> Result<Number, ConditionError> {
        if let Some(number) = self.scope.names.get(name) {
            let number = number.clone();
            self.nodes += size(&number);
            if self.nodes > MAX_NODES {
                return self.fail("too long once the `let` names are written out");
            }
            self.at += 1;
            return Ok(number);
        }
        let Some(field) = Field::named(name) else {
            return self.fail(format!("no field and no `let` is called `{name}`"));
        };
        let grouping = self.scope.aggregates.is_some();
        if grouping && !self.scope.group_by.contains(&field) {
            return self.fail(format!(
                "`{name}` has many values in a group; write sum({name}), max({name}) or distinct({name}), or group by it"
            ));
        }
        self.check(field, true)?;
        self.at += 1;
        Ok(Number::Field(field))
    }

    /// `sum(field)` and the like, or `min(a, b)` and `max(a, b)` of two numbers.
    fn call(&mut self, name: &str) -> Result<Number, ConditionError> {
        if name.eq_ignore_ascii_case("baseline") {
            return self.baseline();
        }
        let Some(function) = Function::named(name) else {
            return self
                .fail(format!("no function is called `{name}`; there are count, sum, min, max, distinct, failed, new, baseline, beacon, beacon_interval, beacon_count, prevalence, trw, silence and usual_gap"));
        };
        if matches!(function, Function::Min | Function::Max) && self.has_comma() {
            let operator = if function == Function::Min { Operator::Least } else { Operator::Greatest };
            self.at += 2;
            self.enter()?;
            let left = self.number()?;
            self.expect(',')?;
            let right = self.number()?;
            self.depth -= 1;
            self.expect(')')?;
            return Ok(Number::Binary(operator, Box::new(left), Box::new(right)));
        }
        if self.scope.aggregates.is_none() {
            return self.fail(format!("`{name}(…)` needs a group; `where` looks at one row, so name the field alone"));
        }
        self.at += 2;
        let field = self.arguments(function)?;
        self.expect(')')?;
        self.slot(Aggregate { function, field })
    }

    /// The place of an aggregate in the rule's list.
    fn slot(&mut self, aggregate: Aggregate) -> Result<Number, ConditionError> {
        let Some(aggregates) = self.scope.aggregates.as_deref_mut() else {
            return self.fail("an aggregate needs a group");
        };
        let slot = aggregates.iter().position(|known| *known == aggregate).unwrap_or_else(|| {
            aggregates.push(aggregate);
            aggregates.len() - 1
        });
        Ok(Number::Slot(slot))
    }

    fn argument(&mut self, function: Function) -> Result<Field, ConditionError> {
        let Some(Token::Name(name)) = self.peek() else {
            return self.fail("expected the name of a field");
        };
        let Some(field) = Field::named(name) else {
            return self.fail(format!("no field is called `{name}`"));
        };
        let any_kind = matches!(function, Function::Distinct | Function::Failed | Function::New | Function::Prevalence);
        self.check(field, !any_kind)?;
        self.at += 1;
        Ok(field)
    }

    fn check(&self, field: Field, number: bool) -> Result<(), ConditionError> {
        if !exists_on(field, self.scope.stage) {
            let (has, lacks) = match self.scope.stage {
                Stage::Flows => ("session", "flow"),
                Stage::Sessions => ("flow", "session"),
            };
            return self.fail(format!("`{}` is a {has} field; this rule looks at {lacks}s", field.name()));
        }
        if number && !is_number(field) {
            return self.fail(format!("`{}` is not a number", field.name()));
        }
        if matches!(field, Field::Ip | Field::Port) {
            return self.fail(format!("`{}` stands for two values; name one side", field.name()));
        }
        Ok(())
    }

    /// Whether the call that begins here has two arguments.
    fn has_comma(&self) -> bool {
        let mut depth = 0_usize;
        for (token, _) in &self.tokens[self.at + 1..] {
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return false;
                    }
                }
                Token::Sign(',') if depth == 1 => return true,
                _ => {}
            }
        }
        false
    }
}

/// Nodes of an expression.
fn size(number: &Number) -> usize {
    match number {
        Number::Negative(inner) => 1 + size(inner),
        Number::Binary(_, left, right) => 1 + size(left) + size(right),
        _ => 1,
    }
}
