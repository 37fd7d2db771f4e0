//! JSON values one after another: read, or skipped where they cannot be.

use super::json::{self, Read};
use super::scan::{Found, Scan};
use super::shape::{self, Begins, List, Opening};
use super::{DEEPEST, ENOUGH, Emit, LIST_CUT, LONGEST_VALUE, Mode, Step, Unwrapper, newlines};
use crate::record::EnvelopeError;
use crate::source::file::reader::Stop;

impl Unwrapper {
    /// Reads values until something else comes.
    pub(super) fn json(&mut self, data: &[u8], from: usize, last: bool, emit: Emit<'_>) -> Result<Step, Stop> {
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
                (Some(open), b']') => {
                    self.list = None;
                    at += 1;
                    if open == List::InObject {
                        self.begin(Mode::Lost { scan: Scan::rest_of_object(), line: 0 });
                        return Ok(Step::Next(at));
                    }
                    continue;
                }
                (Some(_), b'{' | b'[' | b'"') => {}
                (Some(_), _) => match shape::scalar(&data[at..], last) {
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
                (None, _) => match shape::begins(&data[at..]) {
                    Begins::Unsure if !last => return Ok(Step::Wait(at)),
                    Begins::Json => match shape::opening(&data[at..]) {
                        Opening::List(open, length) => {
                            self.list = Some(open);
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
    pub(super) fn lost(&mut self, mut scan: Scan, line: u64, data: &[u8], at: usize, last: bool) -> Step {
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
}
