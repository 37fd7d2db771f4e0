//! Detection: declarative rules over flows and sessions, in event time.

pub mod alert;

pub use alert::{Alert, AlertEvent, Level};

use crate::record::Row;

/// STUB until branch detect is merged.
#[derive(Debug, Default)]
pub struct Detector;
#[allow(missing_docs, clippy::all, clippy::pedantic)]
impl Detector {
    pub fn flow<R: Row>(&mut self, _row: &R, _end: i64) {}
    pub fn session<R: Row>(&mut self, _id: u64, _row: &R, _end: i64) {}
    pub fn withdraw(&mut self, _id: u64) {}
    pub fn advance(&mut self, _w: i64) {}
    pub fn finish(&mut self) {}
    pub fn drain(&mut self) -> Vec<AlertEvent> {
        Vec::new()
    }
}
