//! How an Insights query reads the fields of a line.

use std::sync::Arc;

use crate::record::format::Slot;
use crate::record::{Field, Format};

/// How the fields of one format are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reader {
    /// Discovered by Insights.
    Discovered,
    /// Named by one `parse` of the line.
    Parsed,
    /// One of several formats: named by a `parse` that only lines of this many fields pass.
    Nth(usize, Field),
}

impl Reader {
    pub(super) fn of(formats: &[Arc<Format>]) -> Vec<Reader> {
        match formats {
            [one] if **one == *Format::default_v2() => vec![Reader::Discovered],
            [_] => vec![Reader::Parsed],
            many => many
                .iter()
                .enumerate()
                .map(|(index, format)| Reader::Nth(index + 1, format.fields().next().unwrap_or(Field::Version)))
                .collect(),
        }
    }

    /// Whether two formats cannot be told by their number of fields.
    pub(super) fn ambiguous(formats: &[Arc<Format>]) -> bool {
        let counts: Vec<usize> = formats.iter().map(|format| format.slots().len()).collect();
        (0..counts.len()).any(|at| counts[..at].contains(&counts[at]))
    }

    /// What a field of a line is called in the query.
    pub(super) fn name(self, field: Field) -> Option<String> {
        if !field.is_logged() {
            return None;
        }
        Some(match self {
            Reader::Discovered => match field {
                Field::Version => "version",
                Field::AccountId => "accountId",
                Field::InterfaceId => "interfaceId",
                Field::SrcAddr => "srcAddr",
                Field::DstAddr => "dstAddr",
                Field::SrcPort => "srcPort",
                Field::DstPort => "dstPort",
                Field::Protocol => "protocol",
                Field::Packets => "packets",
                Field::Bytes => "bytes",
                Field::Start => "startTime",
                Field::End => "endTime",
                Field::Action => "action",
                Field::LogStatus => "logStatus",
                _ => return None,
            }
            .to_owned(),
            Reader::Parsed => field.name().replace('-', "_"),
            // Names of groups in a regular expression are letters and digits.
            Reader::Nth(index, _) => format!("f{index}{}", field.name().replace('-', "")),
        })
    }

    /// The test that a line has this format.
    pub(super) fn guard(self) -> Option<String> {
        match self {
            Reader::Discovered | Reader::Parsed => None,
            Reader::Nth(_, first) => Some(format!("ispresent({})", self.name(first)?)),
        }
    }

    pub(super) fn parse(self, format: &Format) -> Option<String> {
        let mut unknown = 0;
        let names: Vec<String> = format
            .slots()
            .iter()
            .map(|slot| match slot {
                Slot::Field(field) => self.name(*field).unwrap_or_default(),
                Slot::Unknown(_) => {
                    unknown += 1;
                    format!("other{unknown}")
                }
            })
            .collect();
        match self {
            Reader::Discovered => None,
            Reader::Parsed => {
                let stars = vec!["*"; names.len()].join(" ");
                Some(format!("parse @message \"{stars}\" as {}", names.join(", ")))
            }
            Reader::Nth(index, _) => {
                let groups: Vec<String> = names
                    .iter()
                    .map(|name| match name.strip_prefix("other") {
                        Some(number) => format!("(?<f{index}other{number}>\\S+)"),
                        None => format!("(?<{name}>\\S+)"),
                    })
                    .collect();
                Some(format!("parse @message /^{}$/", groups.join(" +")))
            }
        }
    }

    /// How a column is read: its expression, and the fields that must be there.
    pub(super) fn column(self, col: Field) -> Option<(String, Vec<String>)> {
        match col {
            Field::Duration => {
                let (start, end) = (self.name(Field::Start)?, self.name(Field::End)?);
                Some((format!("({end} - {start})"), vec![start, end]))
            }
            Field::IngestionTime => Some(("@ingestionTime".to_owned(), vec!["@ingestionTime".to_owned()])),
            Field::Stream => Some(("@logStream".to_owned(), vec!["@logStream".to_owned()])),
            Field::PacketSize => Some((String::new(), vec![self.name(Field::Bytes)?, self.name(Field::Packets)?])),
            other => self.name(other).map(|name| (name.clone(), vec![name])),
        }
    }
}
