//! From a [`Batch`] of raw lines to [`Columns`]: remembers the format of each file and stream, counts what does not parse and keeps a sample of it.

mod events;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::batch::{Batch, Event, Origin};
use super::columns::{Columns, code_of};
use super::field::Field;
use super::format::{Format, near_field};
use super::parse::{Known, LineError, LineParser, Parsed};
use super::room::Rooms;
use super::table::{RowRef, Table as _};

/// Most files and streams whose format is remembered; past that the memory starts anew, which costs a guess a stream.
const MAX_STREAMS: usize = 65_536;
/// Bytes of a bad line that are kept.
const KEPT: usize = 1_024;

/// A line that did not parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// File or log stream.
    pub place: Arc<str>,
    /// Number of the line in its file, from 1; 0 where that means nothing.
    pub line: u64,
    /// Why.
    pub error: LineError,
    /// The line, cut to 1 KiB, with bytes that are not UTF-8 replaced.
    pub text: String,
}

/// Records of a batch that have the same format for the same reason.
#[derive(Clone, Debug)]
pub struct FormatTally {
    /// File or log stream.
    pub place: Arc<str>,
    /// The format.
    pub format: Arc<Format>,
    /// What told it, in words for the user.
    pub why: &'static str,
    /// Records.
    pub rows: u64,
}

/// What became of the lines of a batch. `lines = rows + headers + rejects`.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// The records.
    pub columns: Columns,
    /// Where they come from.
    pub origin: Arc<Origin>,
    /// When they arrived, Unix milliseconds.
    pub arrival: i64,
    /// See [`Batch::earlier`].
    pub earlier: bool,
    /// Lines, blank ones and those of [`Decoded::outside`] left out.
    pub lines: u64,
    /// Records that were read and are not wanted ([`Decoder::only`]).
    pub outside: u64,
    /// Header lines.
    pub headers: u64,
    /// Lines that did not parse.
    pub rejects: Vec<Reject>,
    /// What the user should know about a header, once each.
    pub remarks: Vec<String>,
    /// What the format is taken to be, and why.
    pub format: Option<String>,
    /// How many records are of which format, by file or stream and by what told it; one of them may stand there more than once.
    pub formats: Vec<FormatTally>,
}

#[derive(Clone, Debug)]
struct StreamFormat {
    format: Arc<Format>,
    said: Said,
}

/// Who said what the format is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nobody,
    Option,
    Header,
    Names,
    /// The source, which asked.
    Source,
}

/// Whether a record is wanted; it may ask for the time of its arrival, Unix seconds.
pub type Wanted = Box<dyn Fn(&RowRef<'_, Columns>, i64) -> bool + Send>;

/// Turns batches into columns. One for each run, since it remembers formats.
pub struct Decoder {
    wanted: Option<Wanted>,
    given: Option<Arc<Format>>,
    streams: HashMap<Arc<str>, StreamFormat>,
    parser: LineParser,
    derived: Derived,
    rooms: Rooms,
}

/// Codes of what the lines of one stream in one format do not say themselves; 0 where there is nothing to add. Valid for one batch.
#[derive(Debug, Default)]
struct Derived {
    of: Option<(Arc<Format>, Arc<str>)>,
    region: u64,
    stream: u64,
    interface: u64,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("given", &self.given)
            .field("streams", &self.streams.len())
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder. `given` is the format of `--format`; a line that cannot be of it is still tried against the known layouts.
    pub fn new(given: Option<Format>) -> Decoder {
        Decoder {
            wanted: None,
            given: given.map(Arc::new),
            streams: HashMap::new(),
            parser: LineParser::new(),
            derived: Derived::default(),
            rooms: Rooms::default(),
        }
    }

    /// Leaves out records that are not wanted, and counts them. What does not parse is no record and stays.
    #[must_use]
    pub fn only(self, wanted: Wanted) -> Decoder {
        Decoder { wanted: Some(wanted), ..self }
    }

    /// Reads every line of `batch`.
    pub fn decode(&mut self, batch: &Batch) -> Decoded {
        self.parser.reset();
        self.derived = Derived::default();
        let mut out = Decoded {
            columns: Columns::in_room_of(&self.rooms),
            origin: Arc::clone(&batch.origin),
            arrival: batch.arrival,
            earlier: batch.earlier,
            lines: batch.rejects.len() as u64,
            rejects: batch.rejects.clone(),
            remarks: batch.remarks.clone(),
            ..Decoded::default()
        };
        if batch.events.is_empty() {
            let mut start = 0;
            let mut number = batch.first_line;
            let mut state = self.stream(&batch.origin.name, batch);
            while start < batch.bytes.len() {
                // Rows that may be unwanted are looked at one by one.
                if self.wanted.is_none() {
                    let from = out.columns.len();
                    start = self.parser.parse_plain(&batch.bytes, start, &state.format, &mut out.columns);
                    let place = Place { batch, event: None, number };
                    number += self.plain_rows(from, &state, &place, &mut out);
                    if start >= batch.bytes.len() {
                        break;
                    }
                }
                let end = memchr::memchr(b'\n', &batch.bytes[start..]).map_or(batch.bytes.len(), |at| start + at);
                self.line(&batch.bytes[start..end], &mut state, &Place { batch, event: None, number }, &mut out);
                start = end + 1;
                number += 1;
            }
            self.remember(&batch.origin.name, state);
        } else {
            self.events(batch, &mut out);
        }
        out
    }

    fn stream(&mut self, name: &Arc<str>, batch: &Batch) -> StreamFormat {
        // A format that was only guessed gives way to one that the source has learned meanwhile.
        let known = self.streams.get(name).filter(|known| known.said != Said::Nobody || batch.formats.is_empty());
        known.cloned().unwrap_or_else(|| match (&self.given, batch.formats.first()) {
            (Some(given), _) => StreamFormat { format: Arc::clone(given), said: Said::Option },
            (None, Some(told)) => StreamFormat { format: Arc::clone(told), said: Said::Source },
            (None, None) => StreamFormat { format: Format::default_v2(), said: Said::Nobody },
        })
    }

    fn remember(&mut self, name: &Arc<str>, state: StreamFormat) {
        if self.streams.len() >= MAX_STREAMS {
            self.streams.clear();
        }
        self.streams.insert(Arc::clone(name), state);
    }

    /// Finishes the rows from `from` on, which are in the format of `state`; gives how many.
    fn plain_rows(&mut self, from: usize, state: &StreamFormat, place: &Place<'_>, out: &mut Decoded) -> u64 {
        let rows = (out.columns.len() - from) as u64;
        if rows > 0 {
            place.derive(&mut self.derived, &mut out.columns, &state.format, from);
            tally(out, place.name(), &state.format, state.said, rows);
            out.lines += rows;
        }
        rows
    }

    fn line(&mut self, line: &[u8], state: &mut StreamFormat, place: &Place<'_>, out: &mut Decoded) {
        if state.said == Said::Source && place.batch.formats.len() > 1 {
            // Several flow logs write to one place: a line is of the one that has as many fields.
            let tokens = line.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()).count();
            let fits = place.batch.formats.iter().find(|format| format.fields().count() == tokens);
            if let Some(format) = fits.filter(|format| !Arc::ptr_eq(format, &state.format)) {
                state.format = Arc::clone(format);
            }
        }
        let known = match state.said {
            Said::Nobody => Known::Guess(&state.format),
            Said::Names => Known::Named(&state.format),
            _ => Known::Said(&state.format),
        };
        let parsed = match place.event {
            Some(_) => self.parser.parse(line, known, &mut out.columns),
            // Plain lines were tried before.
            None => self.parser.parse_any(line, known, &mut out.columns),
        };
        match parsed {
            Ok(Parsed::Row) => {
                let row = out.columns.len() - 1;
                let format = Arc::clone(out.columns.format(row));
                if state.said == Said::Nobody && !Arc::ptr_eq(&state.format, &format) {
                    state.format = Arc::clone(&format);
                }
                // Before it is asked whether the row is wanted: the question may be about what the stream's name says.
                place.derive(&mut self.derived, &mut out.columns, &format, row);
                place.tell(&mut out.columns);
                if let Some(wanted) = &self.wanted {
                    let row = RowRef { table: &out.columns, row };
                    if !wanted(&row, out.arrival.div_euclid(1000)) {
                        out.columns.take_back();
                        out.outside += 1;
                        return;
                    }
                }
                // A line that could not be of the format said was guessed all the same.
                let said = if Arc::ptr_eq(&state.format, &format) { state.said } else { Said::Nobody };
                tally(out, place.name(), &format, said, 1);
            }
            Ok(Parsed::Header(format)) => {
                out.headers += 1;
                out.remarks.extend(header_remark(&format, place.name()));
                *state = StreamFormat { format, said: Said::Header };
            }
            Err(LineError::Empty) => return,
            Err(error) => out.rejects.push(Reject {
                // A line number means something in its file only.
                place: Arc::clone(if place.number > 0 { &place.batch.origin.name } else { place.name() }),
                line: place.number,
                error,
                text: String::from_utf8_lossy(&line[..line.len().min(KEPT)]).into_owned(),
            }),
        }
        out.lines += 1;
    }
}

/// Counts records. Neighbours are mostly alike, and a batch interleaves few formats, so only the last few are looked at.
fn tally(out: &mut Decoded, place: &Arc<str>, format: &Arc<Format>, said: Said, rows: u64) {
    let why = match said {
        Said::Option => "given by --format",
        Said::Header => "from a header line",
        Said::Source => "as ec2:DescribeFlowLogs says",
        Said::Names => "from the names beside the values",
        Said::Nobody => "guessed from the fields of the line",
    };
    if out.format.is_none() {
        out.format = Some(format!("{}, {why}", format.label()));
    }
    let same = |tally: &&mut FormatTally| {
        Arc::ptr_eq(&tally.format, format) && Arc::ptr_eq(&tally.place, place) && tally.why == why
    };
    match out.formats.iter_mut().rev().take(4).find(same) {
        Some(tally) => tally.rows += rows,
        None => {
            out.formats.push(FormatTally { place: Arc::clone(place), format: Arc::clone(format), why, rows });
        }
    }
}

fn header_remark(format: &Format, name: &str) -> Option<String> {
    let unknown: Vec<String> = format
        .unknown()
        .take(5)
        .map(|name| {
            near_field(name).map_or_else(|| format!("'{name}'"), |near| format!("'{name}' (did you mean '{near}'?)"))
        })
        .collect();
    (!unknown.is_empty()).then(|| {
        let unknown = unknown.join(", ");
        format!(
            "the header of {name} names columns that are no flow log fields: {unknown}; they are carried along unread"
        )
    })
}

/// Where a line stands.
struct Place<'a> {
    batch: &'a Batch,
    event: Option<&'a Event>,
    number: u64,
}

impl Place<'_> {
    fn name(&self) -> &Arc<str> {
        self.event.map_or(&self.batch.origin.name, |event| stream_name(self.batch, event.stream))
    }

    /// Adds what the rows from `from` on do not say themselves: stream, the region of the source, the interface that the stream is named after.
    fn derive(&self, derived: &mut Derived, columns: &mut Columns, format: &Arc<Format>, from: usize) {
        let same =
            |(known, stream): &(Arc<Format>, Arc<str>)| Arc::ptr_eq(known, format) && Arc::ptr_eq(stream, self.name());
        if !derived.of.as_ref().is_some_and(same) {
            *derived = self.find_derived(columns, format);
        }
        for (field, code) in
            [(Field::Region, derived.region), (Field::Stream, derived.stream), (Field::InterfaceId, derived.interface)]
        {
            if code != 0 {
                columns.fill(field, from, code);
            }
        }
    }

    /// Adds what the source says of the event in the last row.
    fn tell(&self, columns: &mut Columns) {
        let (Some(event), Some(row)) = (self.event, columns.len().checked_sub(1)) else { return };
        if let Ok(ingestion) = u64::try_from(event.ingestion / 1000) {
            columns.fill(Field::IngestionTime, row, code_of(ingestion));
        }
        if !event.id.is_empty() || event.ingestion >= 0 {
            columns.tag_events(row, std::slice::from_ref(event));
        }
    }

    fn find_derived(&self, columns: &mut Columns, format: &Arc<Format>) -> Derived {
        let region = self.batch.origin.region.as_deref().filter(|_| !format.has(Field::Region));
        let named = self.event.is_some() && !format.has(Field::InterfaceId);
        let interface = interface_of(self.name()).filter(|_| named);
        Derived {
            of: Some((Arc::clone(format), Arc::clone(self.name()))),
            region: region.map_or(0, |region| columns.text_code(region)),
            stream: columns.text_code(self.name()),
            interface: interface.map_or(0, |interface| columns.text_code(interface)),
        }
    }
}

fn stream_name(batch: &Batch, index: u32) -> &Arc<str> {
    batch.streams.get(index as usize).unwrap_or(&batch.origin.name)
}

/// The interface that a log stream is named after: `eni-0123…` or `eni-0123…-all`.
fn interface_of(stream: &str) -> Option<&str> {
    let digits = stream.strip_prefix("eni-")?.bytes().take_while(u8::is_ascii_hexdigit).count();
    (digits >= 8).then(|| &stream[..4 + digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, text: &str) -> Batch {
        Batch {
            origin: Arc::new(Origin { name: name.into(), region: None }),
            bytes: text.as_bytes().to_vec(),
            first_line: 1,
            ..Batch::default()
        }
    }

    const GOOD: &str = "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1 2 ACCEPT OK";

    #[test]
    fn every_line_is_accounted_for() {
        let text = format!("{GOOD}\n\nversion account-id interface-id srcadr\n{GOOD}\r\nnot a record\n{GOOD}");
        let out = Decoder::new(None).decode(&lines("a.log", &text));
        assert_eq!((out.lines, out.columns.len() as u64, out.headers), (5, 3, 1));
        assert_eq!(out.rejects.len(), 1);
        assert_eq!((out.rejects[0].line, &*out.rejects[0].text), (5, "not a record"));
        assert!(out.remarks[0].contains("did you mean 'srcaddr'?"), "{:?}", out.remarks);
    }

    #[test]
    fn a_header_holds_for_its_own_file_and_across_batches() {
        let mut decoder = Decoder::new(None);
        decoder.decode(&lines("a.log", "srcaddr dstaddr bytes start end\n"));
        let a = decoder.decode(&lines("a.log", "10.0.0.1 10.0.0.2 77 1 2\n"));
        assert_eq!(a.columns.number(Field::Bytes, 0), Some(77));
        assert_eq!(a.format.as_deref(), Some("custom, 5 fields, from a header line"));
        let b = decoder.decode(&lines("b.log", "10.0.0.1 10.0.0.2 77 1 2\n"));
        assert_eq!((b.columns.len(), b.rejects.len()), (0, 1));
    }

    #[test]
    fn two_formats_in_one_stream_are_told_apart_line_by_line() {
        let five = "5 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1 2 ACCEPT OK vpc-1 subnet-1 i-1 2 IPv4 10.0.0.1 10.0.0.2";
        let out = Decoder::new(None).decode(&lines("mixed", &format!("{GOOD}\n{five}\n{GOOD}\n{five}\n")));
        assert_eq!(out.columns.len(), 4);
        assert_eq!(out.columns.word(Field::VpcId, 3), Some("vpc-1"));
        assert_eq!(out.columns.word(Field::VpcId, 2), None);
    }

    #[test]
    fn a_message_with_a_newline_is_one_event() {
        let mut batch = lines("group", "");
        let evil = "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1 2 ACCEPT OK\nforged";
        batch.bytes = evil.as_bytes().to_vec();
        batch.streams = vec!["eni-0123456789abcdef0-all".into()];
        let end = u32::try_from(evil.len()).unwrap();
        batch.events = vec![Event { end, stream: 0, timestamp: 1000, ingestion: 61_500, id: "7".into() }];
        let out = Decoder::new(None).decode(&batch);
        assert_eq!((out.lines, out.columns.len()), (1, 1));
        assert_eq!(out.columns.number(Field::IngestionTime, 0), Some(61));
        assert_eq!(out.columns.event(0).map(|event| event.id), Some("7"));
    }
}
