//! What a source says of messages that it took out of an envelope (JSON, base64, Parquet): where each stood, and what could not be taken out.

use std::sync::Arc;

use super::format::Format;

/// What is known of a message beside its event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrapped {
    /// Number of the line in the file at which its envelope begins, or of the row in a table, from 1.
    pub line: u64,
    /// The order of its fields, where the envelope names each. Messages that are lines as AWS wrote them have none.
    pub format: Option<Arc<Format>>,
}

/// Why nothing could be taken out of an envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It begins as JSON and is none.
    #[error("not JSON: {0}")]
    Json(String),
    /// The input ends within it.
    #[error("the {0} ends too early")]
    Cut(&'static str),
    /// Longer than what is read at once.
    #[error("a JSON value of more than {0} MiB; a list of events of any length is read, one value of this size is not")]
    TooLong(usize),
    /// JSON without anything that could be a record.
    #[error("JSON with neither a message nor at least three flow log fields")]
    NoRecord,
    /// White space in a value would make two fields of one.
    #[error("the value of '{0}' has white space in it, which no flow log field can have")]
    Spaced(&'static str),
    /// A row of a table has another number of values than the header has names.
    #[error("a row of {0} values under a header of {1} names")]
    Row(usize, usize),
    /// base64 of damaged gzip.
    #[error("base64 of gzip data that is damaged: {0}")]
    Gzip(String),
    /// base64 of a gzip bomb.
    #[error("base64 of gzip data that unpacks to more than {0} MiB")]
    Bomb(u64),
}

impl EnvelopeError {
    /// A short stable name for counting by reason.
    pub fn reason(&self) -> &'static str {
        match self {
            EnvelopeError::Json(_) => "bad-json",
            EnvelopeError::Cut(_) => "cut-short",
            EnvelopeError::TooLong(_) => "too-long",
            EnvelopeError::NoRecord => "no-record",
            EnvelopeError::Spaced(_) => "bad-value",
            EnvelopeError::Row(..) => "bad-row",
            EnvelopeError::Gzip(_) => "bad-gzip",
            EnvelopeError::Bomb(_) => "bomb",
        }
    }
}
