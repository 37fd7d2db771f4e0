//! Flow log records: the field table, how a line is read and written, and what passes from a source to the engine.

pub mod amplification;
pub mod batch;
pub mod field;
pub mod services;
pub mod value;

pub use batch::{Batch, Event, Gap, Input, Origin, SourceState, SourceStatus};
pub use field::{FIELDS, Field, FieldDef, Kind, On};
pub use value::{Cell, Row, Value};
