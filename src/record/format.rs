//! Which field stands at which place of a line.
//!
//! CloudWatch messages carry no header, so the format comes from `--format`, from a header line (files written by S3 delivery have one), or
//! from a guess: the layouts below are tried by token count, and one is taken only if every typed column of the line reads as its type.

use std::sync::{Arc, LazyLock};

use super::field::{FIELDS, Field};
use super::plan::Plan;

/// One place of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A known field.
    Field(Field),
    /// A column that the header or `--format` names and flowtail does not know. It is carried along, never read.
    Unknown(Box<str>),
}

/// The order of fields in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    slots: Vec<Slot>,
    /// The slots as the fast parser walks them.
    plan: Plan,
}

/// Why a text is not a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Nothing in it.
    #[error(
        "the format names no field; write the fields in the order of the line, such as '${{version}} ${{srcaddr}} …'"
    )]
    Empty,
    /// A name that no field has.
    #[error("the format names '{name}', which is no flow log field{}", hint(.near.as_deref()))]
    UnknownField {
        /// What was written.
        name: String,
        /// A field with a similar name.
        near: Option<String>,
    },
    /// A field at two places.
    #[error("the format names '{0}' twice")]
    Twice(&'static str),
}

fn hint(near: Option<&str>) -> String {
    near.map_or_else(|| "; `flowtail fields` lists them".to_owned(), |near| format!("; did you mean '{near}'?"))
}

impl Format {
    /// A format of known fields.
    pub fn of(fields: &[Field]) -> Format {
        Format::new(fields.iter().copied().map(Slot::Field).collect())
    }

    fn new(slots: Vec<Slot>) -> Format {
        let plan = Plan::of(&slots);
        Format { slots, plan }
    }

    /// The slots as the fast parser walks them.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The default format: the 14 fields of version 2, which a flow log has unless somebody chose otherwise.
    pub fn default_v2() -> Arc<Format> {
        Arc::clone(&LAYOUTS[0].1)
    }

    /// Reads `--format`: names separated by spaces or commas, with `-` or `_`, bare or as `${name}`.
    ///
    /// # Errors
    /// An empty format, an unknown field (with a suggestion) or one named twice.
    pub fn parse(text: &str) -> Result<Format, FormatError> {
        let mut slots = Vec::new();
        for token in text.split(|c: char| c.is_whitespace() || c == ',').filter(|token| !token.is_empty()) {
            let name = bare(token);
            let Some(field) = Field::logged(name) else {
                return Err(FormatError::UnknownField {
                    name: name.to_owned(),
                    near: near_field(name).map(str::to_owned),
                });
            };
            if slots.contains(&Slot::Field(field)) {
                return Err(FormatError::Twice(field.name()));
            }
            slots.push(Slot::Field(field));
        }
        if slots.is_empty() { Err(FormatError::Empty) } else { Ok(Format::new(slots)) }
    }

    /// The format that a header line declares, or `None` where `tokens` is not a header: a header starts with a field name (or a near
    /// miss of one, since somebody may have typed it) and most of its tokens are field names. Data never looks like that.
    pub fn from_header(tokens: &[&str]) -> Option<Format> {
        let names = tokens.iter().map(|token| bare(token));
        let slots: Vec<Slot> = names
            .clone()
            .map(|name| Field::logged(name).map_or_else(|| Slot::Unknown(name.into()), Slot::Field))
            .collect();
        let known = slots.iter().filter(|slot| matches!(slot, Slot::Field(_))).count();
        let wordy = names.clone().all(|name| name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()));
        (known >= 3 && known * 2 > slots.len() && wordy).then(|| Format::new(slots))
    }

    /// The places of a line, in order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The fields of a line, in order.
    pub fn fields(&self) -> impl Iterator<Item = Field> + '_ {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Field(field) => Some(*field),
            Slot::Unknown(_) => None,
        })
    }

    /// Columns that are carried along without being understood.
    pub fn unknown(&self) -> impl Iterator<Item = &str> + '_ {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Field(_) => None,
            Slot::Unknown(name) => Some(&**name),
        })
    }

    /// Whether lines of this format carry `field`.
    pub fn has(&self, field: Field) -> bool {
        self.fields().any(|f| f == field)
    }

    /// What to call it on the screen: the name of a known layout, or how many fields it has.
    pub fn label(&self) -> String {
        LAYOUTS
            .iter()
            .find(|(_, layout)| **layout == *self)
            .map_or_else(|| format!("custom, {} fields", self.slots.len()), |(name, _)| (*name).to_owned())
    }
}

/// A name without the `${…}` around it that it has where AWS asks for a format.
fn bare(name: &str) -> &str {
    name.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(name)
}

/// Layouts that a line without a header is tried against, most likely first. Among those with the same number of fields the first that fits wins.
static LAYOUTS: LazyLock<Vec<(&'static str, Arc<Format>)>> = LazyLock::new(|| {
    let upto = |version: u8| -> Vec<Field> {
        FIELDS.iter().filter(|def| (2..=version).contains(&def.since) && def.since != 6).map(|def| def.field).collect()
    };
    let mut alphabetical = upto(5);
    alphabetical.sort_by_key(|field| field.name());
    let gateway: Vec<Field> = [&[Field::Version, Field::ResourceType, Field::AccountId][..]]
        .concat()
        .into_iter()
        .chain(FIELDS.iter().map(|def| def.field).filter(|field| field.name().starts_with("tgw-")))
        .chain([
            Field::SrcAddr,
            Field::DstAddr,
            Field::SrcPort,
            Field::DstPort,
            Field::Protocol,
            Field::Packets,
            Field::Bytes,
            Field::Start,
            Field::End,
            Field::LogStatus,
            Field::Type,
            Field::PacketsLostNoRoute,
            Field::PacketsLostBlackhole,
            Field::PacketsLostMtuExceeded,
            Field::PacketsLostTtlExpired,
            Field::TcpFlags,
            Field::Region,
            Field::FlowDirection,
            Field::PktSrcAwsService,
            Field::PktDstAwsService,
        ])
        .collect();
    [
        ("default (version 2)", upto(2)),
        ("all of version 3", upto(3)),
        ("all of version 4", upto(4)),
        ("all of version 5", upto(5)),
        ("all of version 5, alphabetical", alphabetical),
        ("all of version 7", upto(7)),
        ("all of version 8", upto(8)),
        ("all of version 9", upto(9)),
        ("all of version 10", upto(10)),
        ("all of version 11", upto(11)),
        ("Transit Gateway default", gateway),
    ]
    .into_iter()
    .map(|(name, fields)| (name, Arc::new(Format::of(&fields))))
    .collect()
});

/// The known layouts with `count` fields, most likely first.
pub fn layouts_of(count: usize) -> impl Iterator<Item = &'static Arc<Format>> {
    LAYOUTS.iter().map(|(_, format)| format).filter(move |format| format.slots.len() == count)
}

/// The logged field whose name is nearest to `name`, if it is near at all.
pub fn near_field(name: &str) -> Option<&'static str> {
    let folded = name.to_ascii_lowercase().replace('_', "-");
    // What filters call it too is not what stands in a log, but it is what was meant.
    if let Some(def) = Field::named(&folded).map(Field::def).filter(|def| def.since > 0) {
        return Some(def.name);
    }
    FIELDS
        .iter()
        .filter(|def| def.since > 0)
        .map(|def| (edit_distance(&folded, def.name), def.name))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 6)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein distance in bytes; at most 64 bytes of each are compared, so hostile names cost nothing.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b) = (&a.as_bytes()[..a.len().min(64)], &b.as_bytes()[..b.len().min(64)]);
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_format_is_the_same() {
        let expected = Format::of(&[Field::Version, Field::AccountId, Field::PktSrcAddr]);
        for text in [
            "version account-id pkt-srcaddr",
            "${version} ${account-id} ${pkt-srcaddr}",
            "version,account_id, pkt_srcaddr",
        ] {
            assert_eq!(Format::parse(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn a_wrong_format_says_what_is_wrong() {
        assert_eq!(Format::parse(" , "), Err(FormatError::Empty));
        assert_eq!(Format::parse("version version"), Err(FormatError::Twice("version")));
        let error = Format::parse("version srcadr").unwrap_err();
        assert_eq!(error.to_string(), "the format names 'srcadr', which is no flow log field; did you mean 'srcaddr'?");
        assert_eq!(near_field("proto"), Some("protocol"));
        assert_eq!(near_field("service"), None);
    }

    #[test]
    fn a_header_is_told_from_data() {
        let header = ["version", "account-id", "interface-id", "colour"];
        let format = Format::from_header(&header).unwrap();
        assert_eq!(format.unknown().collect::<Vec<_>>(), ["colour"]);
        let asked = ["${version}", "${account_id}", "${interface-id}", "colour"];
        assert_eq!(Format::from_header(&asked), Some(format));
        assert_eq!(Format::from_header(&["2", "123456789010", "eni-1235b8ca123456789"]), None);
        assert_eq!(Format::from_header(&["egress", "region", "type", "us-west-1", "other", "more", "words"]), None);
    }

    #[test]
    fn layouts_have_the_documented_sizes() {
        let sizes: Vec<usize> = LAYOUTS.iter().map(|(_, format)| format.slots().len()).collect();
        assert_eq!(sizes, [14, 21, 25, 29, 29, 39, 40, 41, 42, 54, 36]);
        assert_eq!(Format::default_v2().label(), "default (version 2)");
    }
}
