//! Messages that were taken out of their envelopes, on their way to the merger.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::chunk::{Chunk, u32_of};
use super::flat::Flat;
use super::packed::Packed;
use crate::record::{EnvelopeError, Event, Format, Reject, Wrapped};

/// Names of streams that are remembered; past that the memory starts anew.
const STREAMS: usize = 65_536;
/// Bytes of a bad envelope that are kept.
pub(super) const KEPT: usize = 1_024;
/// The stream of a message whose envelope names none.
pub(super) const NO_STREAM: u32 = u32::MAX;

/// Collects messages, and can forget those of an envelope that turns out to be bad.
pub(super) struct Outbox {
    name: Arc<str>,
    bytes: Vec<u8>,
    events: Vec<Event>,
    wrapped: Vec<Wrapped>,
    streams: Vec<Arc<str>>,
    /// Places in `streams`; emptied with it.
    places: HashMap<Box<str>, u32, foldhash::fast::RandomState>,
    rejects: Vec<Reject>,
    remarks: Vec<String>,
    /// The line of the envelope at hand.
    pub(super) line: u64,
    /// Records whose fields are named one by one.
    pub(super) flat: Flat,
    /// Why the object at hand, though JSON, gave nothing.
    pub(super) refused: Option<EnvelopeError>,
    /// Unpacks gzip in a value, once there was one.
    pub(super) packed: Option<Packed>,
    /// Bytes that were unpacked of the values within the one at hand.
    pub(super) unpacked: usize,
}

/// A place to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    bytes: usize,
    events: usize,
    rejects: usize,
}

impl Outbox {
    /// For messages of the input called `name`.
    pub(super) fn new(name: Arc<str>) -> Outbox {
        Outbox {
            name,
            bytes: Vec::new(),
            events: Vec::new(),
            wrapped: Vec::new(),
            streams: Vec::new(),
            places: HashMap::default(),
            rejects: Vec::new(),
            remarks: Vec::new(),
            line: 1,
            flat: Flat::new(),
            refused: None,
            packed: None,
            unpacked: 0,
        }
    }

    /// What the input is called.
    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// Bytes of the messages held.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The place of a stream's name.
    pub(super) fn stream(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        if self.places.len() >= STREAMS {
            return NO_STREAM;
        }
        let place = u32_of(self.streams.len());
        self.streams.push(name.into());
        self.places.insert(name.into(), place);
        place
    }

    /// Where the next message will be.
    pub(super) fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), events: self.events.len(), rejects: self.rejects.len() }
    }

    /// Whether nothing was added since `mark`.
    pub(super) fn is_at(&self, mark: Mark) -> bool {
        self.events.len() == mark.events
    }

    /// Forgets what was added since `mark`.
    pub(super) fn roll_back(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.events.truncate(mark.events);
        self.wrapped.truncate(mark.events);
        self.rejects.truncate(mark.rejects);
    }

    /// Adds a message.
    pub(super) fn message(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.event(None);
    }

    /// Adds the record that [`Outbox::flat`] has collected.
    ///
    /// # Errors
    /// It is no record.
    pub(super) fn record(&mut self) -> Result<(), EnvelopeError> {
        let format = self.flat.line(&mut self.bytes)?;
        let remark = self.flat.remark(&self.name);
        self.remarks.extend(remark);
        self.event(Some(format));
        Ok(())
    }

    fn event(&mut self, format: Option<Arc<Format>>) {
        let end = u32_of(self.bytes.len());
        let unknown = Event::UNKNOWN;
        self.events.push(Event { end, stream: NO_STREAM, timestamp: unknown, ingestion: unknown, id: Box::default() });
        self.wrapped.push(Wrapped { line: self.line, format });
    }

    /// The messages since `mark`, for what their envelope says further on.
    pub(super) fn since(&mut self, mark: Mark) -> &mut [Event] {
        &mut self.events[mark.events..]
    }

    /// Counts and keeps an envelope that could not be opened.
    pub(super) fn reject(&mut self, line: u64, error: EnvelopeError, text: &[u8]) {
        self.rejects.push(Reject {
            place: Arc::clone(&self.name),
            line,
            error: error.into(),
            text: String::from_utf8_lossy(&text[..text.len().min(KEPT)]).into_owned(),
        });
    }

    /// Says something of the input to the user.
    pub(super) fn remark(&mut self, what: &str) {
        let remark = format!("{} {what}", self.name);
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// Gives out what is held, or `None` where nothing is.
    pub(super) fn take(&mut self) -> Option<Chunk> {
        if self.events.is_empty() && self.rejects.is_empty() && self.remarks.is_empty() {
            return None;
        }
        self.places.clear();
        Some(Chunk {
            lines: self.events.len() as u64,
            first_line: self.line,
            bytes: std::mem::take(&mut self.bytes),
            events: std::mem::take(&mut self.events),
            wrapped: std::mem::take(&mut self.wrapped),
            streams: std::mem::take(&mut self.streams),
            rejects: std::mem::take(&mut self.rejects),
            remarks: std::mem::take(&mut self.remarks),
            ..Chunk::default()
        })
    }
}
