//! Records whose fields are named one by one, as in flattened JSON and in tables: put into a line of a format of their own.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::record::format::{layouts_of, near_field};
use crate::record::{EnvelopeError, FIELDS, Field, Format, Kind};

/// Names that are remembered, so that a name is looked up once and not once a record. A hostile input has more; then the memory starts anew.
const NAMES: usize = 512;
/// Longest name that is remembered.
const LONGEST_NAME: usize = 256;
/// A record needs this many fields: fewer are found in the logs of other programs as well (`version`, `type`, `region`).
pub(super) const LEAST: usize = 3;
/// Names of other columns that are kept for a remark.
const FOREIGN: usize = 5;

/// Collects the values of one record after another. The format has every field that was seen so far, in the order of AWS, so that it changes
/// a few times at most, whatever the records leave out.
#[derive(Debug)]
pub(super) struct Flat {
    names: HashMap<Box<str>, Option<Field>, foldhash::fast::RandomState>,
    /// Values of the record at hand, end to end.
    text: String,
    /// By field: where its value is in `text`.
    spans: Vec<(usize, usize)>,
    /// Fields of the record at hand.
    fields: Vec<Field>,
    /// Fields of any record so far.
    known: Vec<Field>,
    format: Option<Arc<Format>>,
    /// Names in the record at hand that are no field.
    foreign: Vec<Box<str>>,
    /// Whether the user was told of such names.
    told: bool,
}

impl Flat {
    pub(super) fn new() -> Flat {
        Flat {
            names: HashMap::default(),
            text: String::new(),
            spans: vec![(0, 0); Field::COUNT],
            fields: Vec::new(),
            known: Vec::new(),
            format: None,
            foreign: Vec::new(),
            told: false,
        }
    }

    /// Begins a record.
    pub(super) fn begin(&mut self) {
        self.text.clear();
        self.fields.clear();
        self.foreign.clear();
    }

    /// As [`field_of`], but remembers.
    pub(super) fn field(&mut self, name: &str) -> Option<Field> {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let field = field_of(name);
        if name.len() <= LONGEST_NAME {
            if self.names.len() >= NAMES {
                self.names.clear();
            }
            self.names.insert(name.into(), field);
        }
        field
    }

    /// Puts a value that is a text. Nothing and `-` are absent; a time may be written as ISO 8601.
    pub(super) fn text(&mut self, field: Field, value: &str) {
        let value = value.trim_ascii();
        if field.kind() == Kind::Time
            && value.as_bytes().get(4) == Some(&b'-')
            && let Some(second) = seconds(value)
        {
            return self.put(field, second);
        }
        if value.is_empty() { self.put(field, "-") } else { self.put(field, value) }
    }

    /// Puts a value of any other kind, as it is to stand in the line.
    pub(super) fn put(&mut self, field: Field, value: impl std::fmt::Display) {
        let start = self.text.len();
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
        self.spans[field as usize] = (start, self.text.len());
        if !self.fields.contains(&field) {
            self.fields.push(field);
        }
    }

    /// Puts a number, which is whole though some programs write `25238.0`. What is not whole, negative, or too large for a floating number to be
    /// exact, stays as it is and is refused by its field.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
    pub(super) fn float(&mut self, field: Field, value: f64) {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && (0.0..=EXACT).contains(&value) {
            self.put(field, value as u64);
        } else {
            self.put(field, format_args!("{value:e}"));
        }
    }

    /// Notes a name that is no field.
    pub(super) fn foreign(&mut self, name: &str) {
        if !self.told && self.foreign.len() < FOREIGN && name.len() <= LONGEST_NAME {
            self.foreign.push(name.into());
        }
    }

    /// Appends the line of the record at hand to `out` and gives its format.
    ///
    /// # Errors
    /// Too few fields, or a value that would be two. Nothing is appended then.
    pub(super) fn line(&mut self, out: &mut Vec<u8>) -> Result<Arc<Format>, EnvelopeError> {
        if self.fields.len() < LEAST {
            return Err(EnvelopeError::NoRecord);
        }
        let spaced = |field: &&Field| {
            let (start, end) = self.spans[**field as usize];
            self.text[start..end].bytes().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
        };
        if let Some(field) = self.fields.iter().find(spaced) {
            return Err(EnvelopeError::Spaced(field.name()));
        }
        let format = self.format();
        for (place, field) in format.fields().enumerate() {
            if place > 0 {
                out.push(b' ');
            }
            let (start, end) = self.spans[field as usize];
            let value = if self.fields.contains(&field) { &self.text[start..end] } else { "-" };
            out.extend_from_slice(value.as_bytes());
        }
        Ok(format)
    }

    fn format(&mut self) -> Arc<Format> {
        let news = self.fields.iter().any(|field| !self.known.contains(field));
        if let Some(format) = self.format.as_ref().filter(|_| !news) {
            return Arc::clone(format);
        }
        for field in &self.fields {
            if !self.known.contains(field) {
                self.known.push(*field);
            }
        }
        self.known.sort_unstable();
        let known = &self.known;
        let layout = layouts_of(known.len()).find(|layout| layout.fields().all(|field| known.contains(&field)));
        let format = layout.map_or_else(|| Arc::new(Format::of(known)), Arc::clone);
        self.format = Some(Arc::clone(&format));
        format
    }

    /// What to say of names that are no field, once.
    pub(super) fn remark(&mut self, input: &str) -> Option<String> {
        if self.foreign.is_empty() {
            return None;
        }
        self.told = true;
        let names: Vec<String> = std::mem::take(&mut self.foreign)
            .iter()
            .map(|name| match near_field(name) {
                Some(near) => format!("'{name}' (did you mean '{near}'?)"),
                None => format!("'{name}'"),
            })
            .collect();
        Some(format!("{input} names values that are no flow log fields: {}; they are left out", names.join(", ")))
    }
}

/// Columns of the table that AWS's guide to Athena had its readers create for years, as far as they are not called as the field is.
const ATHENA: &[(&str, Field)] = &[
    ("account", Field::AccountId),
    ("sourceaddress", Field::SrcAddr),
    ("destinationaddress", Field::DstAddr),
    ("sourceport", Field::SrcPort),
    ("destinationport", Field::DstPort),
    ("numpackets", Field::Packets),
    ("numbytes", Field::Bytes),
    ("starttime", Field::Start),
    ("endtime", Field::End),
];

/// The field that `name` means: in any spelling of [`Field::logged`], run together as Logs Insights does (`srcAddr`, `interfaceId`), or as in [`ATHENA`].
pub(super) fn field_of(name: &str) -> Option<Field> {
    let spelled = || {
        let mut logged = FIELDS.iter().filter(|def| def.since > 0);
        logged.find(|def| letters(def.name).eq(letters(name))).map(|def| def.field)
    };
    let athena = || ATHENA.iter().find(|(column, _)| letters(name).eq(column.bytes())).map(|(_, field)| *field);
    Field::logged(name).or_else(spelled).or_else(athena)
}

/// The letters of a name, in lower case.
fn letters(name: &str) -> impl Iterator<Item = u8> + '_ {
    name.bytes().filter(|byte| !matches!(byte, b'-' | b'_')).map(|byte| byte.to_ascii_lowercase())
}

/// Unix seconds of a moment in ISO 8601; without a zone it is UTC, as everywhere in flow logs.
fn seconds(text: &str) -> Option<i64> {
    let moment = text.parse::<jiff::Timestamp>().or_else(|_| format!("{text}Z").parse());
    moment.ok().map(jiff::Timestamp::as_second)
}
