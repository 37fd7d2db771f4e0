//! Flow log records: the field table, how a line is read and written, and what passes from a source to the engine.

pub mod amplification;
pub mod batch;
pub mod column;
pub mod columns;
pub mod decode;
pub mod envelope;
mod fast;
pub mod field;
pub mod flow;
pub mod format;
pub mod format_runs;
pub mod interfaces;
pub mod parse;
pub mod places;
mod plan;
mod room;
pub mod services;
pub mod special;
pub mod table;
pub mod tags;
pub mod value;

pub use batch::{Batch, Earlier, Event, Gap, Input, LiveStatus, Origin, Poll, SourceState, SourceStatus, TailFigures};
pub use columns::Columns;
pub use decode::{Decoded, Decoder, FormatTally, Reject, Wanted};
pub use envelope::{EnvelopeError, Wrapped};
pub use field::{FIELDS, Field, FieldDef, Kind, On};
pub use flow::{Action, Flow, NameId, Names, seconds};
pub use format::Format;
pub use interfaces::{Addresses, Interfaces};
pub use table::{RowRef, Table};
pub use value::{Cell, Row, Value};
