//! Detection: declarative rules over flows and sessions, in event time.

pub mod alert;

pub use alert::{Alert, AlertEvent, Level};
