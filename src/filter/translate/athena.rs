//! Athena's SQL (Trino) over a table as the AWS guides make it: columns named after the fields, `-` written as `_`. Numbers that are absent are NULL
//! there, texts NULL or a dash.

use std::fmt::Write as _;
use std::net::IpAddr;

use ipnet::IpNet;

use super::super::Filter;
use super::plan::{Ask, Leaf, Planner, Rows, note};
use super::render::{Dialect, Networks, Rendered, Said, networks, one_spelling, render};
use super::{Context, Refusal, Target, Translation, formats, note_of_stage, nothing, quote};
use crate::record::{Field, Format, Kind};

/// The table's name in the AWS guide.
const TABLE: &str = "vpc_flow_logs";

pub(super) fn translate(filter: Option<&Filter>, context: &Context<'_>) -> Result<Translation, Refusal> {
    let formats = formats(context);
    // One table has the columns of all.
    let mut fields: Vec<Field> = Vec::new();
    for field in formats.iter().flat_map(|format| format.fields()) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    let table = Format::of(&fields);
    let mut planner = Planner::new(Rows::Lines(&table), context.now, filter);
    let plan = planner.plan(filter);
    let (mut notes, mut exact) = (planner.notes, planner.exact);
    let condition = match render(&Sql, &plan, &mut notes) {
        Rendered::Never => return Err(super::never(filter)),
        Rendered::Always => None,
        Rendered::Unsaid => return Err(nothing(filter, Target::Athena, &notes)),
        Rendered::Said(said) => {
            exact &= said.exact;
            Some(said.text)
        }
    };
    note_of_stage(filter, &mut notes);
    note(&mut notes, format!("Put the name of your table for {TABLE}, and add its partitions to read less."));
    let columns: Vec<String> = fields.iter().map(|field| column(*field)).collect();
    let mut text = format!("SELECT {}\nFROM {TABLE}", columns.join(", "));
    if let Some(condition) = condition {
        text.push_str("\nWHERE ");
        text.push_str(&condition);
    }
    if let Some(time) = fields.iter().copied().find(|field| *field == Field::End) {
        let _ = write!(text, "\nORDER BY {} DESC", column(time));
    }
    text.push_str("\nLIMIT 1000;");
    Ok(Translation { text, exact, notes })
}

/// The column of a field; `end` is a word of SQL.
fn column(field: Field) -> String {
    let name = field.name().replace('-', "_");
    if matches!(field, Field::End | Field::Start | Field::Type) { format!("\"{name}\"") } else { name }
}

struct Sql;

impl Dialect for Sql {
    const AND: &'static str = " AND ";
    const OR: &'static str = " OR ";

    fn leaf(&self, leaf: &Leaf) -> Option<Said> {
        let said = test(leaf)?;
        if leaf.keep {
            return Some(said);
        }
        // What is widened cannot be turned round; NULL is no answer, so it is said what it means.
        said.exact.then(|| Said::one(format!("NOT COALESCE({}, false)", said.text)))
    }
}

fn test(leaf: &Leaf) -> Option<Said> {
    let name = match leaf.col {
        Field::Duration => format!("GREATEST({} - {}, 0)", column(Field::End), column(Field::Start)),
        Field::PacketSize => "CAST(bytes AS double) / NULLIF(packets, 0)".to_owned(),
        Field::IngestionTime | Field::Stream | Field::Lag => return None,
        other => column(other),
    };
    let most = i64::MAX.unsigned_abs();
    Some(match &leaf.ask {
        Ask::Line(_) | Ask::LineRegex(_) => return None,
        Ask::Present if leaf.col == Field::PacketSize => Said::one("packets > 0".to_owned()),
        Ask::Present if matches!(leaf.col.kind(), Kind::Text | Kind::Addr) => {
            Said::joined(&[format!("{name} IS NOT NULL"), format!("{name} <> '-'")], Sql::AND)
        }
        Ask::Present => Said::one(format!("{name} IS NOT NULL")),
        Ask::Ints(ranges) => {
            if ranges.iter().any(|(from, to)| *from > most || (*to > most && *to != u64::MAX)) {
                return None;
            }
            let singles: Vec<String> = ranges.iter().filter(|(a, b)| a == b).map(|(a, _)| a.to_string()).collect();
            let mut parts: Vec<String> = ranges
                .iter()
                .filter(|(a, b)| a != b)
                .map(|(from, to)| match (from, to) {
                    (from, &u64::MAX) => format!("{name} >= {from}"),
                    (from, to) => format!("{name} BETWEEN {from} AND {to}"),
                })
                .collect();
            match singles.as_slice() {
                [] => {}
                [one] => parts.push(format!("{name} = {one}")),
                many => parts.push(format!("{name} IN ({})", many.join(", "))),
            }
            Said::joined(&parts, Sql::OR)
        }
        Ask::Mask(mask) => Said::one(format!("bitwise_and({name}, {mask}) = {mask}")),
        Ask::Floats(ranges) => {
            let parts: Vec<String> = ranges
                .iter()
                .map(|(from, to)| {
                    let slack = if from.total_cmp(to).is_eq() { 0.06 } else { 0.0 };
                    match (from.is_finite(), to.is_finite()) {
                        (true, true) => format!("{name} BETWEEN {} AND {}", from - slack, to + slack),
                        (true, false) => format!("{name} >= {from}"),
                        _ => format!("{name} <= {to}"),
                    }
                })
                .collect();
            Said { exact: false, ..Said::joined(&parts, Sql::OR) }
        }
        Ask::Addrs(ranges) => addresses(&name, ranges)?,
        Ask::Word(text) => Said::one(match one_spelling(leaf.col, text) {
            Some(text) => format!("{name} = {}", quote::sql(&text)?),
            // Letters beyond ASCII keep their case here.
            None if !text.is_ascii() => return None,
            None => format!("lower({name}) = {}", quote::sql(&text.to_ascii_lowercase())?),
        }),
        Ask::Glob(_) | Ask::Regex(_) => {
            let regex = match &leaf.ask {
                Ask::Glob(text) => quote::glob(text)?,
                Ask::Regex(pattern) => quote::regex(pattern)?,
                _ => return None,
            };
            let parts = [format!("{name} <> '-'"), format!("regexp_like({name}, {})", quote::sql(&regex)?)];
            Said::joined(&parts, Sql::AND)
        }
    })
}

fn addresses(name: &str, ranges: &[(IpAddr, IpAddr)]) -> Option<Said> {
    Some(match networks(ranges)? {
        Networks::In(nets) => Said::joined(&in_networks(name, &nets), Sql::OR),
        Networks::Beyond(but, and) => {
            let none = in_networks(name, &but).join(Sql::OR);
            let most = format!("(TRY_CAST({name} AS ipaddress) IS NOT NULL AND NOT ({none}))");
            let parts: Vec<String> = [most].into_iter().chain(in_networks(name, &and)).collect();
            Said::joined(&parts, Sql::OR)
        }
    })
}

fn in_networks(name: &str, nets: &[IpNet]) -> Vec<String> {
    let single = |net: &&IpNet| matches!(net, IpNet::V4(net) if net.prefix_len() == 32);
    let singles: Vec<String> = nets.iter().filter(single).map(|net| format!("'{}'", net.addr())).collect();
    let mut parts: Vec<String> = match singles.as_slice() {
        [] => Vec::new(),
        [one] => vec![format!("{name} = {one}")],
        many => vec![format!("{name} IN ({})", many.join(", "))],
    };
    let wide = nets.iter().filter(|net| !single(net));
    parts.extend(wide.map(|net| format!("contains('{net}', TRY_CAST({name} AS ipaddress))")));
    parts
}
