//! Takes messages out of what carries them: JSON of several shapes, base64 of gzip. Lines as AWS wrote them pass as they are.
//!
//! ```text
//!           a line that begins with { or [        any value that has ended, then other text
//!  Lines ─────────────────────────────────▶ Json ────────────────────────────────────────▶ Lines
//!    └─────────── H4sI ──────────▶ Packed ────┘   (what is unpacked goes through all this again)
//! ```
//!
//! What it is, is said by content, and again at the beginning of each line. How the bytes are cut into reads changes nothing. Memory is
//! bounded: a value is held until its end, but no longer than [`LONGEST_VALUE`], and a list of events is taken event by event. What cannot be
//! read is handed on as a [`crate::record::Reject`], and reading goes on with the next value or line.

mod flat;
mod json;
mod outbox;
mod packed;
#[cfg(feature = "parquet")]
pub(super) mod parquet;
mod scan;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::chunk::Chunk;
use super::lines::LineCutter;
use super::reader::Stop;
use crate::record::EnvelopeError;
use json::Read;
use outbox::Outbox;
use packed::Packed;
use scan::{Found, Scan};

/// A JSON value that is read as one: an event, or a subscription's document, which is far below this.
pub(super) const LONGEST_VALUE: usize = if cfg!(test) { 2 << 20 } else { 16 << 20 };
/// Messages are handed on once they are this many bytes.
const ENOUGH: usize = 256 << 10;
/// White space before a value that is looked past.
const INDENT: usize = 64;
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
}

impl Mode {
    const JSON: Mode = Mode::Json { scan: Scan::NEW, scanned: 0, tried: 0 };
}

/// A list whose items are read one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    /// The input is the list.
    Bare,
    /// It is the first entry of an object, the rest of which says nothing of the events.
    InObject,
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
                match begins(&data[at..]) {
                    Begins::Json => break (at, Some(Mode::JSON)),
                    Begins::Packed if self.depth < DEEPEST => break (at, Some(Mode::Packed { line: 0 })),
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
            Mode::Lines | Mode::Json { .. } => {}
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

    /// Reads values until something else comes.
    fn json(&mut self, data: &[u8], from: usize, last: bool, emit: Emit<'_>) -> Result<Step, Stop> {
        let mut at = from;
        loop {
            if self.out.len() >= ENOUGH {
                self.hand_on(emit)?;
            }
            while let Some(byte) = data.get(at).filter(|byte| byte.is_ascii_whitespace() || **byte == b',') {
                self.fresh = *byte == b'\n';
                self.line += u64::from(self.fresh);
                at += 1;
            }
            let Some(first) = data.get(at) else { return Ok(Step::Wait(at)) };
            match (self.list, first) {
                (Some(list), b']') => {
                    self.list = None;
                    at += 1;
                    if list == List::InObject {
                        self.begin(Mode::Lost { scan: Scan::rest_of_object(), line: 0 });
                        return Ok(Step::Next(at));
                    }
                    continue;
                }
                (Some(_), b'{' | b'[' | b'"') => {}
                (Some(_), _) => match scalar(&data[at..], last) {
                    None => return Ok(Step::Wait(at)),
                    // No item: a line of words after a list that was cut off.
                    Some(length) if self.fresh && data[at..at + length].trim_ascii().contains(&b' ') => {
                        self.list = None;
                        self.out.reject(self.line, LIST_CUT, b"");
                        continue;
                    }
                    Some(length) => {
                        self.out.reject(self.line, EnvelopeError::NoRecord, &data[at..at + length]);
                        self.fresh = false;
                        at += length;
                        continue;
                    }
                },
                (None, _) => match begins(&data[at..]) {
                    Begins::Unsure if !last => return Ok(Step::Wait(at)),
                    Begins::Json => match opening(&data[at..]) {
                        Opening::List(list, length) => {
                            self.list = Some(list);
                            self.line += newlines(&data[at..at + length]);
                            at += length;
                            continue;
                        }
                        Opening::Unsure if !last => return Ok(Step::Wait(at)),
                        _ => {}
                    },
                    Begins::Packed if self.depth < DEEPEST => {
                        self.begin(Mode::Packed { line: 0 });
                        return Ok(Step::Next(at));
                    }
                    _ => {
                        self.cutter.go_on_at(self.line);
                        self.mode = Mode::Lines;
                        return Ok(Step::Next(at));
                    }
                },
            }
            match self.value(&data[at..], last) {
                Ok(Some(length)) => {
                    self.fresh = false;
                    at += length;
                }
                Ok(None) => return Ok(Step::Wait(at)),
                Err(error) => {
                    // Where it ends is found by looking at brackets and lines only.
                    self.begin(Mode::Lost { scan: Scan::lost(), line: 0 });
                    self.fault = Some(error);
                    return Ok(Step::Next(at));
                }
            }
        }
    }

    /// Reads the value that `data` begin with and gives its length; `None` where its end has not come yet.
    fn value(&mut self, data: &[u8], last: bool) -> Result<Option<usize>, EnvelopeError> {
        const TOO_LONG: EnvelopeError = EnvelopeError::TooLong(LONGEST_VALUE >> 20);
        let Mode::Json { scan, scanned, tried } = &mut self.mode else { return Ok(None) };
        // Reading a value again with every piece of it that comes would take for ever: it is read again once the scan has found its end, or
        // there is twice as much of it, which finds the fault of one whose end never comes.
        if *tried > 0 && !last {
            let ended = match scan.run(&data[*scanned..]) {
                Found::End(_) => true,
                Found::More(used) => {
                    *scanned += used;
                    false
                }
            };
            if !ended && data.len() < *tried * 2 && data.len() <= LONGEST_VALUE {
                return Ok(None);
            }
        }
        self.out.line = self.line;
        let mark = self.out.mark();
        let read = json::read(&data[..data.len().min(LONGEST_VALUE)], &mut self.out);
        let Mode::Json { scan, scanned, tried } = &mut self.mode else { return Ok(None) };
        match read {
            Read::Value(length) => {
                (*scan, *scanned, *tried) = (Scan::NEW, 0, 0);
                if let Some(error) = self.out.refused.take() {
                    self.out.roll_back(mark);
                    self.out.reject(self.line, error, &data[..length]);
                }
                self.line += newlines(&data[..length]);
                Ok(Some(length))
            }
            Read::Cut if data.len() > LONGEST_VALUE => Err(TOO_LONG),
            Read::Cut if last => Err(EnvelopeError::Cut("JSON")),
            Read::Cut => {
                if *tried == 0
                    && let Found::More(used) = scan.run(data)
                {
                    *scanned = used;
                }
                *tried = data.len();
                Ok(None)
            }
            Read::Bad(error) => Err(error),
        }
    }

    /// Skips to the end of a value.
    fn lost(&mut self, mut scan: Scan, line: u64, data: &[u8], at: usize, last: bool) -> Step {
        let found = scan.run(&data[at..]);
        let (Found::End(length) | Found::More(length)) = found;
        self.sample(&data[at..at + length]);
        self.line += newlines(&data[at..at + length]);
        if last || matches!(found, Found::End(_)) {
            let more = |name| memchr::memmem::find(&self.sample, name).is_some();
            if self.fault.is_none() && (more(b"\"nextToken\"") || more(b"\"NextToken\"")) {
                self.out.remark("ends with a token for a next page: it is not all that CloudWatch Logs holds");
            }
            self.settle(line);
            self.fresh = data[..at + length].last() == Some(&b'\n');
            self.mode = Mode::JSON;
        } else {
            self.mode = Mode::Lost { scan, line };
        }
        match found {
            Found::End(length) => Step::Next(at + length),
            Found::More(used) => Step::Wait(at + used),
        }
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
            match goes_on(&rest[breaks..], last) {
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

/// Whether base64 that is not whole goes on in the next line, as some programs break it: where that is base64 as well and no other text
/// begins with it. `None` where there is too little of it to tell.
fn goes_on(next: &[u8], last: bool) -> Option<bool> {
    // The shortest line that base64 is broken into. No word that a record begins with is as long.
    const BROKEN: usize = 60;
    let digits = next.iter().take(BROKEN).take_while(|byte| packed::is_base64(**byte)).count();
    if next.starts_with(packed::MAGIC) {
        return Some(false);
    }
    match next.get(digits) {
        _ if digits == BROKEN => Some(true),
        Some(byte) => Some(digits > 0 && matches!(byte, b'\r' | b'\n')),
        None if last => Some(digits > 0),
        None => None,
    }
}

/// The length of what is no JSON value where one should be; `None` where its end has not come yet.
fn scalar(data: &[u8], last: bool) -> Option<usize> {
    let near = &data[..data.len().min(outbox::KEPT)];
    let end = near.iter().position(|byte| matches!(byte, b',' | b']' | b'\n'));
    end.or((last || near.len() == outbox::KEPT).then_some(near.len()))
}

/// What a line, or what follows a value, begins as.
enum Begins {
    Json,
    Packed,
    Line,
    /// More bytes are needed to tell.
    Unsure,
}

fn begins(data: &[u8]) -> Begins {
    match data.first() {
        None => return Begins::Unsure,
        Some(b'H' | b'{' | b'[' | b' ' | b'\t' | b'\r') => {}
        Some(_) => return Begins::Line,
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    let indent = data.iter().take(INDENT).take_while(|byte| blank(byte)).count();
    let data = &data[indent..];
    match data.first() {
        None if indent < INDENT => Begins::Unsure,
        Some(b'{') => Begins::Json,
        // A log's `[INFO]` is no list.
        Some(b'[') => match data[1..].iter().take(INDENT).find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'"' | b']') => Begins::Json,
            None if data.len() <= INDENT => Begins::Unsure,
            _ => Begins::Line,
        },
        Some(b'H') if data.starts_with(packed::MAGIC) => Begins::Packed,
        Some(b'H') if packed::MAGIC.starts_with(data) => Begins::Unsure,
        _ => Begins::Line,
    }
}

/// How a JSON value at the top begins.
enum Opening {
    /// With a list of this many bytes before its first item.
    List(List, usize),
    Other,
    /// More bytes are needed to tell.
    Unsure,
}

/// Tells a list from other values: `[`, or `{"events": [` as `aws logs filter-log-events` and `get-log-events` print it.
fn opening(data: &[u8]) -> Opening {
    let mut at = 0;
    for part in [&b"{"[..], b"\"events\"", b":", b"["] {
        at += data[at..].iter().take(INDENT).take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = &data[at..];
        if part == b"{" && rest.first() == Some(&b'[') {
            return Opening::List(List::Bare, at + 1);
        }
        if !rest.starts_with(part) {
            return if part.starts_with(rest) { Opening::Unsure } else { Opening::Other };
        }
        at += part.len();
    }
    Opening::List(List::InObject, at)
}
