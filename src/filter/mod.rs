//! The filter language: text a person types (or a rule contains) to a typed expression that is evaluated over any [`Row`].
//!
//! The way of a text: `lex` (tokens with their places) → `parse` (tests, precedence, juxtaposition) → `check` (fields, types,
//! stage; bare words by `words`) → [`expr::Expr`] → `eval` (the compiled form). `print` is the inverse of the first three.
//! `docs/filter.md` is the language for its users.

mod addrset;
mod check;
pub mod columns;
mod complete;
mod doubt;
mod eval;
pub mod expr;
mod foreign;
mod lex;
pub mod members;
mod numbers;
mod parse;
mod pred;
mod print;
mod search;
mod sets;
mod suggest;
pub mod translate;
mod union;
mod value;
mod wording;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use addrset::AddrSet;
pub use complete::{Candidate, CandidateKind, Completion, complete};
pub use members::Members;
pub use parse::{MAX_DEPTH, MAX_LEN};
pub use print::spell;
pub use sets::{BUILTIN, NamedSet, Sets};
pub use value::typed_moment as moment;

use crate::record::{Field, Format, On, Row};
use expr::{Expr, Test, Window};

/// What kind of row a filter is for. The same text can be compiled for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Flow records.
    Flows,
    /// Sessions.
    Sessions,
}

/// Why a text is not a filter: where, what was expected, and what was probably meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}{}", if hint.is_some() { " " } else { "" }, hint.as_deref().unwrap_or_default())]
pub struct FilterError {
    /// Byte range of the text that is wrong. May be empty at the end of the text.
    pub span: Range<usize>,
    /// What is wrong and what was expected, one sentence.
    pub message: String,
    /// A sentence that says what to write instead: "Did you mean …", where there is a near candidate.
    pub hint: Option<String>,
}

impl FilterError {
    fn new(span: Range<usize>, message: impl Into<String>) -> FilterError {
        FilterError { span, message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> FilterError {
        self.hint = Some(hint.into());
        self
    }

    fn meant(self, near: &str) -> FilterError {
        self.hint(format!("Did you mean `{near}`?"))
    }

    fn example(self, example: &str) -> FilterError {
        self.hint(format!("For example `{example}`."))
    }
}

/// A remark on a filter that parses but probably does not mean what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Byte range of the text.
    pub span: Range<usize>,
    /// One sentence.
    pub message: String,
}

/// A filter that parses and type-checks. Two are equal when they mean the same tests in the same order for the same stage.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    stage: Stage,
    expr: Expr,
    node: eval::Node,
    warnings: Vec<Warning>,
}

impl Filter {
    /// Parses and checks `text` for rows of `stage`, where it may name the sets that were installed. An empty text is an error: "no filter" is
    /// `Option::None`.
    ///
    /// # Errors
    /// Where the text is not a filter: with the place, what was expected and a hint.
    pub fn parse(text: &str, stage: Stage) -> Result<Filter, FilterError> {
        Filter::parse_with(text, stage, Sets::known())
    }

    /// The same, where `text` may name `sets`.
    ///
    /// # Errors
    /// As [`Filter::parse`].
    pub fn parse_with(text: &str, stage: Stage, sets: &Sets) -> Result<Filter, FilterError> {
        let ast = parse::parse(text)?;
        let (expr, warnings) = check::check(ast, stage, sets)?;
        let filter = Filter::of(text.to_owned(), expr, stage, warnings);
        // The canonical spelling can be longer than what was typed; it must still be a filter.
        let spelled = filter.to_string().len();
        if spelled > MAX_LEN {
            let message = format!("Spelled out, this filter has {spelled} bytes; at most {MAX_LEN} are read.");
            return Err(FilterError::new(0..text.len(), message).hint("Name long lists as a set in the configuration."));
        }
        if filter.expr.depth() > MAX_DEPTH {
            return Err(FilterError::new(0..text.len(), format!("Nested deeper than {MAX_DEPTH} levels.")));
        }
        Ok(filter)
    }

    fn of(text: String, expr: Expr, stage: Stage, warnings: Vec<Warning>) -> Filter {
        let node = eval::compile(&expr, stage);
        Filter { text, stage, expr, node, warnings }
    }

    /// Whether `row` passes. `now` (Unix seconds) is what relative times such as `last 15m` count from.
    pub fn matches<R: Row + ?Sized>(&self, row: &R, now: i64) -> bool {
        eval::matches(&self.node, row, now)
    }

    /// What a row costs that is looked at by itself, in rows of a simple test.
    pub fn row_cost(&self) -> usize {
        1 + self.node.searches() * 3
    }

    /// What an entry of a dictionary costs that is asked for it, in entries that are tested against one range of addresses.
    pub fn entry_cost(&self) -> usize {
        self.node.entry_cost()
    }

    /// Remarks on what was typed.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The text as it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The rows it is for.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What it means.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The fields that it asks for, each once, in the order of the field table.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        let mut fields = std::collections::BTreeSet::new();
        self.expr.tests(&mut |test| match test {
            Test::Compare { field, .. } | Test::Has(field) => {
                fields.insert(*field);
            }
            Test::Last(_) => {
                fields.insert(Field::End);
            }
            Test::During(_) => fields.extend([Field::Start, Field::End]),
            Test::Contains(_) | Test::Matches(_) => {}
        });
        fields.into_iter()
    }

    /// A field that it asks for and that lines of none of `formats` say; `None` also where no format is known yet, and for sessions, of which most is
    /// computed.
    pub fn lacking(&self, formats: &[Arc<Format>]) -> Option<Field> {
        if formats.is_empty() || self.stage == Stage::Sessions {
            return None;
        }
        // What the lines do not say of these comes from elsewhere.
        let told = |field: &Field| matches!(field, Field::Region | Field::InterfaceId);
        self.fields().find(|field| {
            field.is_logged()
                && field.def().on != On::Sessions
                && !told(field)
                && !formats.iter().any(|format| format.has(*field))
        })
    }

    /// Whether the answer for a row can change as time goes on.
    pub fn depends_on_now(&self) -> bool {
        let mut depends = false;
        self.expr.tests(&mut |test| depends |= matches!(test, Test::Last(_) | Test::During(Window::OfDay(..))));
        depends
    }

    /// Its parts that must all hold, each as a filter of its own, to say which of them empties a result.
    pub fn clauses(&self) -> Vec<Filter> {
        let parts = match &self.expr {
            Expr::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        parts.iter().map(|part| Filter::of(part.to_string(), part.clone(), self.stage, Vec::new())).collect()
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Filter) -> bool {
        self.stage == other.stage && self.expr == other.expr
    }
}

/// The canonical spelling; parses to the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.expr, f)
    }
}
