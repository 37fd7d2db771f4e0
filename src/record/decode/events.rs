//! Events of a batch: as many as possible of one stream at a time, since that is how a tail delivers them.

use super::super::batch::Batch;
use super::super::columns::code_of;
use super::super::fast::TOGETHER;
use super::super::field::Field;
use super::super::table::Table as _;
use super::{Decoded, Decoder, Place, Said, StreamFormat, stream_name};

impl Decoder {
    /// Reads the messages of all events of `batch`.
    pub(super) fn events(&mut self, batch: &Batch, out: &mut Decoded) {
        let (mut start, mut index, mut most) = (0, 0, TOGETHER);
        let mut current: Option<(u32, StreamFormat)> = None;
        while let Some(event) = batch.events.get(index) {
            let known = current.take_if(|(stream, _)| *stream == event.stream);
            if let Some((stream, state)) = current.take() {
                self.remember(stream_name(batch, stream), state);
            }
            let (_, mut state) =
                known.unwrap_or_else(|| (event.stream, self.stream(stream_name(batch, event.stream), batch)));
            let tried = self.tried_together(batch, index, &state).min(most);
            let read = self.plain_events(batch, index, start, tried, &state, out);
            // Where one was not plain, the next may not be either.
            most = if read < tried { 1 } else { TOGETHER.min(most * 2) };
            if read == 0 {
                self.event(batch, index, start, &mut state, out);
            }
            index += read.max(1);
            start = end_of(batch, index - 1, start);
            current = Some((event.stream, state));
        }
        if let Some((stream, state)) = current {
            self.remember(stream_name(batch, stream), state);
        }
    }

    /// How many events from `index` on can be looked at together: those of its stream. Those that may be unwanted, and of whose format more is known than
    /// of that of their stream, are looked at one by one.
    fn tried_together(&self, batch: &Batch, index: usize, state: &StreamFormat) -> usize {
        if self.wanted.is_some() || state.said == Said::Source && batch.formats.len() > 1 {
            return 0;
        }
        let stream = batch.events[index].stream;
        let named = |at: usize| batch.wrapped.get(at).is_some_and(|wrapped| wrapped.format.is_some());
        let others = batch.events[index..].iter().zip(index..).take(TOGETHER);
        others.take_while(|(event, at)| event.stream == stream && !named(*at)).count()
    }

    /// Makes rows of up to `tried` events from `index` on, the first of which begins at `start`, as long as they are plain; gives how many.
    fn plain_events(
        &mut self,
        batch: &Batch,
        index: usize,
        start: usize,
        tried: usize,
        state: &StreamFormat,
        out: &mut Decoded,
    ) -> usize {
        let from = out.columns.len();
        let events = &batch.events[index..index + tried];
        let ends = events.iter().map(|event| event.end as usize);
        let read = self.parser.parse_messages(&batch.bytes, start, ends, &state.format, &mut out.columns);
        let events = &events[..read];
        if let Some(event) = events.first() {
            self.plain_rows(from, state, &Place { batch, event: Some(event), number: 0 }, out);
            let seconds = |millis: i64| u64::try_from(millis / 1000).map_or(0, code_of);
            let ingested: Vec<u64> = events.iter().map(|event| seconds(event.ingestion)).collect();
            out.columns.put_all(Field::IngestionTime, from, &ingested);
            out.columns.tag_events(from, events);
        }
        read
    }

    /// Reads one event, which begins at `start`.
    fn event(&mut self, batch: &Batch, index: usize, start: usize, state: &mut StreamFormat, out: &mut Decoded) {
        let event = &batch.events[index];
        let message = &batch.bytes[start..end_of(batch, index, start)];
        let wrapped = batch.wrapped.get(index);
        let place = Place { batch, event: Some(event), number: wrapped.map_or(0, |wrapped| wrapped.line) };
        match wrapped.and_then(|wrapped| wrapped.format.as_ref()) {
            // The envelope named the fields, which says nothing of other lines of its stream.
            Some(format) => {
                let mut named = StreamFormat { format: format.clone(), said: Said::Names };
                self.line(message, &mut named, &place, out);
            }
            None => self.line(message, state, &place, out),
        }
    }
}

/// Where the message of an event ends that begins at `start`.
fn end_of(batch: &Batch, index: usize, start: usize) -> usize {
    (batch.events[index].end as usize).min(batch.bytes.len()).max(start)
}
