//! The typed expression: what a filter means once its fields, types and values are checked. It keeps what the printer
//! needs (operators, operands, names of sets) and nothing of how the text was spelled.

use std::net::IpAddr;

use regex::{Regex, RegexBuilder};

use super::sets::NamedSet;
use crate::record::Field;

/// A checked filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// All of two or more; none of them is itself an `And`.
    And(Vec<Expr>),
    /// At least one of two or more; none of them is itself an `Or`.
    Or(Vec<Expr>),
    /// The exact complement; never of a `Not`.
    Not(Box<Expr>),
    /// One test.
    Test(Test),
}

impl Expr {
    /// All of `parts`, flattened. One part stands for itself.
    pub fn and(parts: impl IntoIterator<Item = Expr>) -> Expr {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Expr::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 { flat.remove(0) } else { Expr::And(flat) }
    }

    /// At least one of `parts`, flattened. One part stands for itself.
    pub fn or(parts: impl IntoIterator<Item = Expr>) -> Expr {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Expr::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 { flat.remove(0) } else { Expr::Or(flat) }
    }

    /// The complement of `expr`; of a complement, the expression itself.
    pub fn negated(expr: Expr) -> Expr {
        match expr {
            Expr::Not(inner) => *inner,
            other => Expr::Not(Box::new(other)),
        }
    }

    /// Calls `visit` with every test, left to right.
    pub fn tests(&self, visit: &mut impl FnMut(&Test)) {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| part.tests(visit)),
            Expr::Not(inner) => inner.tests(visit),
            Expr::Test(test) => visit(test),
        }
    }

    /// Levels of parentheses and `not` in the canonical spelling.
    pub(super) fn depth(&self) -> usize {
        match self {
            Expr::And(parts) | Expr::Or(parts) => {
                let inside_and = matches!(self, Expr::And(_));
                let depth = |part: &Expr| part.depth() + usize::from(inside_and && matches!(part, Expr::Or(_)));
                parts.iter().map(depth).max().unwrap_or(0)
            }
            Expr::Not(inner) => 1 + inner.depth() + usize::from(!matches!(**inner, Expr::Test(_))),
            Expr::Test(_) => 0,
        }
    }
}

/// One test of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// A field against one or more operands. Several operands mean "any of them" (for [`Op::Ne`]: none of them) and only go
    /// with [`Op::Eq`] and [`Op::Ne`].
    Compare {
        /// What is compared.
        field: Field,
        /// How.
        op: Op,
        /// With what; at least one.
        values: Vec<Operand>,
    },
    /// The field is present.
    Has(Field),
    /// The rendered row contains this, whatever the ASCII case.
    Contains(String),
    /// The rendered row matches this.
    Matches(Pattern),
    /// The row ended at most so many seconds before now.
    Last(u64),
    /// The row's span of time touches this one.
    During(Window),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Some value of the field is the operand, or lies in it.
    Eq,
    /// The field is present and none of its values is or lies in the operand.
    Ne,
    /// Less than.
    Lt,
    /// At most.
    Le,
    /// More than.
    Gt,
    /// At least.
    Ge,
    /// Text: matches the pattern. TCP flags: has all of these bits.
    Like,
    /// Present, and not [`Op::Like`].
    Unlike,
}

impl Op {
    /// The canonical spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Eq => "=",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
            Op::Like => "~",
            Op::Unlike => "!~",
        }
    }

    /// Whether it holds for rows where its positive twin does not.
    pub fn is_negative(self) -> bool {
        matches!(self, Op::Ne | Op::Unlike)
    }

    /// Whether it asks for an order.
    pub fn is_order(self) -> bool {
        matches!(self, Op::Lt | Op::Le | Op::Gt | Op::Ge)
    }
}

/// What a field is compared with. Which variants go with a field follows from its [`crate::record::Kind`].
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// Whole numbers from the first to the second, both included; in the unit of the field.
    Int(u64, u64),
    /// Quotients from the first to the second, both included.
    Float(f64, f64),
    /// Addresses from the first to the second, both included; of one family, never IPv4 mapped into IPv6.
    Addr(IpAddr, IpAddr),
    /// This text, whatever the ASCII case.
    Word(String),
    /// This text, where `*` stands for any run of characters.
    Glob(String),
    /// This regular expression.
    Pattern(Pattern),
    /// Any member of a named set.
    Set(NamedSet),
}

/// A regular expression, compiled. Two are equal when they are written the same.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    ignore_case: bool,
    regex: Regex,
}

impl Pattern {
    /// A pattern of the `regex` crate's syntax. `\/` is taken for `/`, which is how the two are the same between slashes.
    ///
    /// # Errors
    /// Where it does not compile or compiles to more than a mebibyte: why, in a few words.
    pub fn new(source: &str, ignore_case: bool) -> Result<Pattern, String> {
        let mut plain = String::with_capacity(source.len());
        let mut chars = source.chars();
        while let Some(c) = chars.next() {
            match (c, chars.clone().next()) {
                ('\\', Some('/')) => {}
                ('\\', Some(escaped)) => {
                    plain.extend(['\\', escaped]);
                    chars.next();
                }
                _ => plain.push(c),
            }
        }
        if plain.is_empty() {
            return Err("it is empty".to_owned());
        }
        match RegexBuilder::new(&plain)
            .case_insensitive(ignore_case)
            .size_limit(1 << 20)
            .dfa_size_limit(1 << 20)
            .build()
        {
            Ok(regex) => Ok(Pattern { source: plain, ignore_case, regex }),
            Err(regex::Error::CompiledTooBig(_)) => Err("it is too large".to_owned()),
            Err(error) => {
                // The crate draws a picture of several lines; its last line says what is wrong.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                Err(last.strip_prefix("error: ").unwrap_or(last).to_owned())
            }
        }
    }

    /// The expression, without its slashes.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether letters match in either case.
    pub fn ignore_case(&self) -> bool {
        self.ignore_case
    }

    /// The compiled expression.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.source == other.source && self.ignore_case == other.ignore_case
    }
}

/// A span of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Unix seconds.
    Absolute(u64, u64),
    /// Seconds after midnight UTC of the day of "now". Where the first is greater, it is of the day before.
    OfDay(u32, u32),
}
