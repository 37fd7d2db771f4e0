//! What readers hand to the merger: some whole lines of one input, or some messages that were taken out of envelopes.

use std::collections::HashMap;
use std::sync::Arc;

use super::time::guess;
use crate::record::{Event, Reject, Wrapped};

/// Some whole lines of one input, or some messages; never both. What could not be taken out of its envelope comes along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Lines, each ended by `\n`, of which only the last of an input may lack it; or messages laid end to end.
    pub bytes: Vec<u8>,
    /// Number of the first line in its file, from 1.
    pub first_line: u64,
    /// How many lines or messages there are.
    pub lines: u64,
    /// For each line or message its end in `bytes` and its time (see [`mark`]); empty unless asked for.
    pub marks: Vec<(usize, i64)>,
    /// Bytes of the file (compressed, where it is) read when this was cut.
    pub consumed: u64,
    /// One entry a message, none for lines.
    pub events: Vec<Event>,
    /// One entry a message.
    pub wrapped: Vec<Wrapped>,
    /// Names of the streams of `events`.
    pub streams: Vec<Arc<str>>,
    /// Envelopes that could not be opened.
    pub rejects: Vec<Reject>,
    /// What the user should know of the envelopes.
    pub remarks: Vec<String>,
}

impl Chunk {
    /// Whether `other` can follow in the same batch: more messages, or the lines that come next.
    pub(super) fn joins(&self, other: &Chunk) -> bool {
        match (self.events.is_empty(), other.events.is_empty()) {
            (false, false) => true,
            (true, true) if other.lines == 0 => true,
            (true, true) => self.first_line + self.lines == other.first_line && self.bytes.last() == Some(&b'\n'),
            _ => false,
        }
    }

    /// Puts `other` behind.
    pub(super) fn absorb(&mut self, mut other: Chunk) {
        let base = u32_of(self.bytes.len());
        self.bytes.append(&mut other.bytes);
        self.lines += other.lines;
        self.rejects.append(&mut other.rejects);
        self.remarks.append(&mut other.remarks);
        self.wrapped.append(&mut other.wrapped);
        let places: Vec<u32> = other.streams.drain(..).map(|name| self.stream(name)).collect();
        self.events.extend(other.events.into_iter().map(|event| Event {
            end: base.saturating_add(event.end),
            stream: places.get(event.stream as usize).copied().unwrap_or(u32::MAX),
            ..event
        }));
    }

    fn stream(&mut self, name: Arc<str>) -> u32 {
        let known = self.streams.iter().rposition(|known| Arc::ptr_eq(known, &name) || *known == name);
        u32_of(known.unwrap_or_else(|| {
            self.streams.push(name);
            self.streams.len() - 1
        }))
    }

    /// Takes the lines or messages `from..to` of a chunk with marks. What comes beside them goes with the first part.
    pub(super) fn part(&mut self, from: usize, to: usize) -> Chunk {
        let end_before = |line: usize| line.checked_sub(1).map_or(0, |before| self.marks[before].0);
        let (start, end) = (end_before(from), end_before(to));
        if from == 0 && to == self.marks.len() {
            return std::mem::take(self);
        }
        let mut part = Chunk {
            bytes: self.bytes[start..end].to_vec(),
            first_line: self.first_line + from as u64,
            lines: (to - from) as u64,
            rejects: std::mem::take(&mut self.rejects),
            remarks: std::mem::take(&mut self.remarks),
            ..Chunk::default()
        };
        if !self.events.is_empty() {
            let mut places = HashMap::new();
            for event in &self.events[from..to] {
                let name = self.streams.get(event.stream as usize);
                let stream = *places.entry(event.stream).or_insert_with(|| {
                    name.map_or(u32::MAX, |name| {
                        part.streams.push(Arc::clone(name));
                        u32_of(part.streams.len() - 1)
                    })
                });
                part.events.push(Event { end: event.end - u32_of(start), stream, ..event.clone() });
            }
            part.wrapped = self.wrapped[from..to].to_vec();
        }
        part
    }

    /// Takes out the messages that `known` says were there before; gives how many.
    pub(super) fn remove(&mut self, mut known: impl FnMut(&Event, Option<&Arc<str>>) -> bool) -> u64 {
        let keep: Vec<bool> =
            self.events.iter().map(|event| !known(event, self.streams.get(event.stream as usize))).collect();
        let gone = keep.iter().filter(|keep| !**keep).count();
        if gone == 0 {
            return 0;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut start = 0;
        for (event, keep) in self.events.iter_mut().zip(&keep) {
            let end = event.end as usize;
            if *keep {
                bytes.extend_from_slice(&self.bytes[start..end]);
                event.end = u32_of(bytes.len());
            }
            start = end;
        }
        self.bytes = bytes;
        let mut kept = keep.iter();
        self.events.retain(|_| *kept.next().unwrap_or(&true));
        let mut kept = keep.iter();
        self.wrapped.retain(|_| *kept.next().unwrap_or(&true));
        let mut kept = keep.iter();
        self.marks.retain(|_| *kept.next().unwrap_or(&true));
        for (mark, event) in self.marks.iter_mut().zip(&self.events) {
            mark.0 = event.end as usize;
        }
        self.lines -= gone as u64;
        gone as u64
    }
}

/// Positions in a chunk fit: it is far smaller than 4 GiB.
pub(super) fn u32_of(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// A line whose time is this much later than that of the line before it is believed only if the next line agrees: one wrong clock must
/// not hold back all the rest of its file until the others have ended.
const JUMP: i64 = 3_600;

/// Fills [`Chunk::marks`]. A line without a readable time (a header, a remark) takes that of the line before it; `last` carries that from
/// chunk to chunk and is [`i64::MIN`] at the beginning, so that a header comes first. A message without one takes that of its event.
pub(super) fn mark(chunk: &mut Chunk, last: &mut i64) {
    let guesses: Vec<(usize, Option<i64>)> = if chunk.events.is_empty() {
        let ends = memchr::memchr_iter(b'\n', &chunk.bytes).map(|at| at + 1);
        let missing = (chunk.bytes.last().is_some_and(|last| *last != b'\n')).then_some(chunk.bytes.len());
        let mut from = 0;
        ends.chain(missing).map(|end| (end, guess(&chunk.bytes[std::mem::replace(&mut from, end)..end]))).collect()
    } else {
        let mut from = 0;
        let said = |event: &Event| (event.timestamp != Event::UNKNOWN).then_some(event.timestamp / 1_000);
        let ends = chunk.events.iter().map(|event| (event.end as usize, said(event)));
        ends.map(|(end, said)| (end, guess(&chunk.bytes[std::mem::replace(&mut from, end)..end]).or(said))).collect()
    };
    let mut marks = Vec::with_capacity(guesses.len());
    for (index, (end, guess)) in guesses.iter().enumerate() {
        if let Some(time) = *guess {
            let jumps = *last != i64::MIN && time > last.saturating_add(JUMP);
            let denied =
                jumps && guesses[index + 1..].iter().find_map(|next| next.1).is_some_and(|next| next < time - JUMP);
            if !denied {
                *last = time;
            }
        }
        marks.push((*end, *last));
    }
    chunk.marks = marks;
}
