//! Takes messages out of what carries them: JSON of several shapes, base64 of gzip, tables with commas. Lines as AWS wrote them pass as they are.
//!
//! ```text
//!           a line that begins with { or [        any value that has ended, then other text
//!  Lines ─────────────────────────────────▶ Json ────────────────────────────────────────▶ Lines
//!    ├─────────── H4sI ──────────▶ Packed ────┘   (what is unpacked goes through all this again)
//!    └── names with commas between them ──▶ Table ── a line without commas ──▶ Lines
//! ```
//!
//! What it is, is said by content, and again at the beginning of each line. How the bytes are cut into reads changes nothing. Memory is
//! bounded: a value is held until its end, but no longer than [`LONGEST_VALUE`], and a list of events is taken event by event. What cannot be
//! read is handed on as a [`crate::record::Reject`], and reading goes on with the next value or line.

mod csv;
mod data;
mod flat;
mod json;
mod outbox;
mod packed;
#[cfg(feature = "parquet")]
pub(super) mod parquet;
mod scan;
mod shape;
mod values;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::chunk::Chunk;
use super::lines::LineCutter;
use super::reader::Stop;
use crate::record::EnvelopeError;
use outbox::Outbox;
use packed::Packed;
use scan::Scan;
use shape::{Begins, List};

/// A JSON value that is read as one: an event, or a subscription's document, which is far below this.
pub(super) const LONGEST_VALUE: usize = if cfg!(test) { 2 << 20 } else { 16 << 20 };
/// Messages are handed on once they are this many bytes.
const ENOUGH: usize = 256 << 10;
/// base64 within base64 is not looked into beyond this.
const DEEPEST: u8 = 2;

/// What is said of a list that has no end.
const LIST_CUT: EnvelopeError = EnvelopeError::Cut("list of events");

/// Where whole lines and messages go.
pub(super) type Emit<'a> = &'a mut dyn FnMut(Chunk) -> Result<(), Stop>;

/// Where in the input the next byte is.
#[derive(Debug)]
enum Mode {
    /// In lines, or at the beginning of one.
    Lines,
    /// Between JSON values, or in one that is being collected; `tried` bytes of it were read in vain, `scan` has seen `scanned`.
    Json { scan: Scan, scanned: usize, tried: usize },
    /// In JSON whose end is looked for only.
    Lost { scan: Scan, line: u64 },
    /// In base64.
    Packed { line: u64 },
    /// In a table, whose columns are known.
    Table,
}

impl Mode {
    const JSON: Mode = Mode::Json { scan: Scan::NEW, scanned: 0, tried: 0 };
}

/// How far a step came.
enum Step {
    /// The mode may have changed: go on here.
    Next(usize),
    /// More bytes are needed; those before this place are done with.
    Wait(usize),
}

/// Reads one input.
pub(super) struct Unwrapper {
    cutter: LineCutter,
    mode: Mode,
    list: Option<List>,
    /// Of the table at hand.
    columns: Vec<csv::Column>,
    line: u64,
    /// Whether the next byte is the first of a line.
    fresh: bool,
    out: Outbox,
    /// What is wrong with the value at hand, and the beginning of its text: told when it has ended.
    fault: Option<EnvelopeError>,
    sample: Vec<u8>,
    /// What was read and waits for what follows it.
    rest: Vec<u8>,
    begun: bool,
    packed: Option<Packed>,
    inner: Option<Box<Unwrapper>>,
    depth: u8,
}

impl Unwrapper {
    /// For the input called `name`.
    pub(super) fn new(name: Arc<str>) -> Unwrapper {
        Unwrapper::within(name, 0)
    }

    fn within(name: Arc<str>, depth: u8) -> Unwrapper {
        Unwrapper {
            cutter: LineCutter::new(),
            mode: Mode::Lines,
            list: None,
            columns: Vec::new(),
            line: 1,
            fresh: true,
            out: Outbox::new(name),
            fault: None,
            sample: Vec::new(),
            rest: Vec::new(),
            begun: false,
            packed: None,
            inner: None,
            depth,
        }
    }

    /// Takes `data` in and gives out all lines and messages that are complete now.
    pub(super) fn push(&mut self, data: &[u8], emit: Emit<'_>) -> Result<(), Stop> {
        if self.rest.is_empty() {
            let used = self.run(data, false, emit)?;
            self.rest.extend_from_slice(&data[used..]);
        } else {
            let mut held = std::mem::take(&mut self.rest);
            held.extend_from_slice(data);
            let used = self.run(&held, false, emit)?;
            held.drain(..used);
            self.rest = held;
        }
        self.hand_on(emit)
    }

    /// The input has ended. What comes next is line 1 of another file.
    pub(super) fn finish(&mut self, emit: Emit<'_>) -> Result<(), Stop> {
        let held = std::mem::take(&mut self.rest);
        self.run(&held, true, emit)?;
        if self.list.take().is_some() {
            self.out.reject(self.line, LIST_CUT, b"");
        }
        self.hand_on(emit)?;
        self.cutter.finish().map_or(Ok(()), &mut *emit)?;
        (self.mode, self.line, self.begun) = (Mode::Lines, 1, false);
        Ok(())
    }

    /// Whether a line or a value has begun that has no end yet.
    pub(super) fn has_partial(&self) -> bool {
        self.cutter.has_partial() || !self.rest.is_empty()
    }

    fn run(&mut self, data: &[u8], last: bool, emit: Emit<'_>) -> Result<usize, Stop> {
        let mut at = 0;
        if !self.begun {
            const BOM: &[u8] = b"\xef\xbb\xbf";
            if data.len() < BOM.len() && BOM.starts_with(data) && !last {
                return Ok(0);
            }
            self.begun = true;
            at = if data.starts_with(BOM) { BOM.len() } else { 0 };
        }
        loop {
            let step = match self.mode {
                Mode::Lines => self.lines(data, at, last, emit)?,
                Mode::Json { .. } => self.json(data, at, last, emit)?,
                Mode::Lost { scan, line } => self.lost(scan, line, data, at, last),
                Mode::Packed { line } => self.packed(line, data, at, last, emit)?,
                Mode::Table => self.table(data, at, last, emit)?,
            };
            match step {
                Step::Next(next) => at = next,
                Step::Wait(used) => return Ok(used),
            }
        }
    }

    /// Passes lines as they are, up to one that begins as something else.
    fn lines(&mut self, data: &[u8], from: usize, last: bool, emit: Emit<'_>) -> Result<Step, Stop> {
        let mut at = from;
        let mut inside = self.cutter.has_partial();
        let (end, mode) = loop {
            if !inside {
                match shape::begins(&data[at..]) {
                    Begins::Json => break (at, Some(Mode::JSON)),
                    Begins::Packed if self.depth < DEEPEST => break (at, Some(Mode::Packed { line: 0 })),
                    Begins::Table => break (at, Some(Mode::Table)),
                    Begins::Unsure if !last => break (at, None),
                    _ => {}
                }
            }
            inside = false;
            match memchr::memchr(b'\n', &data[at..]) {
                Some(end) => at += end + 1,
                None => break (data.len(), None),
            }
        };
        if end > from {
            self.hand_on(emit)?;
            self.cutter.push(&data[from..end]).map_or(Ok(()), &mut *emit)?;
        }
        Ok(match mode {
            Some(mode) => {
                self.line = self.cutter.next_line();
                self.begin(mode);
                Step::Next(end)
            }
            None => Step::Wait(end),
        })
    }

    /// Goes over to `mode`. Where it tells of a line, that is the one at hand.
    fn begin(&mut self, mode: Mode) {
        self.sample.clear();
        self.mode = mode;
        match &mut self.mode {
            Mode::Packed { line } => {
                self.packed.get_or_insert_with(Packed::new).begin();
                *line = self.line;
            }
            Mode::Lost { line, .. } => *line = self.line,
            Mode::Lines | Mode::Json { .. } | Mode::Table => {}
        }
    }

    /// Keeps the beginning of a value that may have to be shown.
    fn sample(&mut self, text: &[u8]) {
        let room = outbox::KEPT.saturating_sub(self.sample.len());
        self.sample.extend_from_slice(&text[..text.len().min(room)]);
    }

    /// The value at hand has ended: counts and keeps it, if it is bad.
    fn settle(&mut self, line: u64) {
        if let Some(error) = self.fault.take() {
            self.out.reject(line, error, self.sample.trim_ascii_end());
        }
        self.sample.clear();
    }

    /// Unpacks base64 up to the end of its line, or of its data where these go on.
    fn packed(&mut self, line: u64, data: &[u8], from: usize, last: bool, emit: Emit<'_>) -> Result<Step, Stop> {
        self.hand_on(emit)?;
        let end = from + data[from..].iter().take_while(|byte| packed::is_base64(**byte)).count();
        self.sample(&data[from..end]);
        let Some(packed) = &mut self.packed else { return Ok(Step::Wait(from)) };
        if self.fault.is_none() {
            let (name, depth) = (self.out.name(), self.depth + 1);
            let inner = self.inner.get_or_insert_with(|| Box::new(Unwrapper::within(name, depth)));
            // Lines in there have no place in the file but this.
            inner.line = line;
            inner.cutter.go_on_at(line);
            self.fault = packed.feed(&data[from..end], |bytes| inner.push(bytes, &mut *emit))?.err();
        }
        let whole = packed.is_whole();
        let rest = &data[end..];
        if !last && rest.is_empty() {
            return Ok(Step::Wait(end));
        }
        let breaks = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if !whole && breaks > 0 {
            match shape::goes_on(&rest[breaks..], last) {
                Some(true) => {
                    self.line += newlines(&rest[..breaks]);
                    return Ok(Step::Next(end + breaks));
                }
                Some(false) => {}
                None => return Ok(Step::Wait(end)),
            }
        }
        if !whole && self.fault.is_none() {
            self.fault = Some(EnvelopeError::Cut("gzip data in base64"));
        }
        if let Some(inner) = &mut self.inner {
            inner.finish(&mut *emit)?;
        }
        self.settle(line);
        self.mode = Mode::JSON;
        Ok(Step::Next(end))
    }

    fn hand_on(&mut self, emit: Emit<'_>) -> Result<(), Stop> {
        self.out.take().map_or(Ok(()), emit)
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
