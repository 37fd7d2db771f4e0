//! CloudWatch Logs Insights. Lines of the default format are read through the fields that Insights discovers (`srcAddr`, `dstPort`, …), others by a
//! `parse` of the line.
//!
//! What is documented is relied on: comparison, `like`, `ispresent`, `isIpv4InSubnet` and its kin. What a comparison with a dash or a missing field
//! gives is not, so every test that could depend on it says what is meant: `bytes >= 0 and bytes < 100`, `srcPort = "-" or srcPort != 443`.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::super::Filter;
use super::plan::{Ask, Leaf, Plan, Planner, Rows, note};
use super::reader::Reader;
use super::render::{Dialect, Networks, Rendered, Said, networks, one_spelling, render};
use super::{Context, Refusal, Target, Translation, formats, note_of_stage, nothing, quote};
use crate::record::{Field, Format};

/// Longest query that `StartQuery` takes, characters.
pub const MAX_QUERY: usize = 10_000;

/// Most formats that one query reads.
const MOST_FORMATS: usize = 4;

/// Whole numbers beyond this are not exact in the numbers of Insights.
const MOST_EXACT: u64 = 1 << 53;

/// What the query gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The records: `@timestamp`, `@ingestionTime`, `@logStream` and `@message` of each, newest first.
    Rows {
        /// At most so many.
        limit: u32,
    },
    /// The same, oldest first.
    Onward {
        /// At most so many.
        limit: u32,
    },
    /// Sums by group, largest first: the fields, then `totalBytes`, `totalPackets`, `records`.
    Groups {
        /// One or more logged fields.
        by: Vec<Field>,
        /// At most so many.
        limit: u32,
    },
}

/// The query that searches for what `filter` selects; `None` stands for all records. [`Translation::exact`] says whether the rows must be tested again.
///
/// # Errors
/// Where no record can match, a group is asked for that lines do not carry, or the query would be longer than [`MAX_QUERY`] without a condition.
pub fn insights(filter: Option<&Filter>, context: &Context<'_>, shape: &Shape) -> Result<Translation, Refusal> {
    let formats = formats(context);
    if formats.len() > MOST_FORMATS {
        let count = formats.len();
        let text = format!(
            "The records have {count} formats, and a query reads {MOST_FORMATS} at most; name one with --format."
        );
        return Err(Refusal(text));
    }
    let (mut notes, mut exact, mut never) = (Vec::new(), true, true);
    let readers = Reader::of(&formats);
    let mut parts = Vec::new();
    let mut whole = false;
    let mut uses_fields = false;
    for (reader, format) in readers.iter().zip(&formats) {
        let mut planner = Planner::new(Rows::Lines(format), context.now, filter);
        let plan = planner.plan(filter);
        exact &= planner.exact;
        planner.notes.into_iter().for_each(|text| note(&mut notes, text));
        let said = match (render(reader, &plan, &mut notes), filter) {
            (Rendered::Never, _) => continue,
            (Rendered::Always, _) => None,
            (Rendered::Unsaid, _) => {
                exact = false;
                None
            }
            (Rendered::Said(said), _) => {
                exact &= said.exact;
                uses_fields |= reader.guard().is_some() || reads_fields(&plan);
                Some(said)
            }
        };
        never = false;
        match (said, reader.guard()) {
            (None, _) => whole = true,
            (Some(said), None) => parts.push(said),
            (Some(said), Some(guard)) => {
                let text = format!("{guard} and {}", said.within(Reader::AND));
                parts.push(Said { text, joint: Some(Reader::AND), exact: true });
            }
        }
    }
    if never && filter.is_some() {
        return Err(super::never(filter));
    }
    if whole {
        // Lines of one format pass whatever they are, and which format a line has costs as much as to read it.
        exact &= formats.len() == 1 || filter.is_none();
        parts.clear();
    }
    if Reader::ambiguous(&formats) {
        exact = false;
        note(&mut notes, "Two formats have as many fields, and a line of one is also read as the other.".to_owned());
    }
    if whole && filter.is_some() && !notes.is_empty() && matches!(shape, Shape::Rows { .. } | Shape::Onward { .. }) {
        return Err(nothing(filter, Target::Insights, &notes));
    }
    note_of_stage(filter, &mut notes);
    let condition = match parts.as_slice() {
        [] => String::new(),
        [one] => one.text.clone(),
        many => many.iter().map(|part| format!("({})", part.text)).collect::<Vec<_>>().join(" or "),
    };
    let grouped = matches!(shape, Shape::Groups { .. });
    let mut lines: Vec<String> = Vec::new();
    if (uses_fields && !condition.is_empty()) || grouped {
        lines.extend(readers.iter().zip(&formats).filter_map(|(reader, format)| reader.parse(format)));
    }
    if !condition.is_empty() {
        lines.push(format!("filter {condition}"));
    }
    match shape {
        Shape::Rows { limit } | Shape::Onward { limit } => {
            let order = if matches!(shape, Shape::Rows { .. }) { "desc" } else { "asc" };
            lines.push("fields @timestamp, @ingestionTime, @logStream, @message".to_owned());
            lines.push(format!("sort @timestamp {order}"));
            lines.push(format!("limit {limit}"));
        }
        Shape::Groups { by, limit } => lines.extend(groups(by, *limit, &readers, &formats)?),
    }
    let text = lines.join("\n| ");
    if text.len() > MAX_QUERY {
        let long = text.len();
        return Err(Refusal(format!(
            "The query would have {long} characters, and Insights takes {MAX_QUERY}. Ask for fewer ports or networks."
        )));
    }
    Ok(Translation { text, exact, notes })
}

/// Sums by group.
fn groups(by: &[Field], limit: u32, readers: &[Reader], formats: &[Arc<Format>]) -> Result<Vec<String>, Refusal> {
    if by.is_empty() {
        return Err(Refusal("Name a field to group by.".to_owned()));
    }
    // A field is read from whichever format the line has.
    let read = |field: Field| {
        let names: Vec<String> = readers
            .iter()
            .zip(formats)
            .filter(|(_, format)| format.has(field))
            .filter_map(|(reader, _)| reader.name(field))
            .collect();
        match names.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(format!("coalesce({})", many.join(", "))),
        }
    };
    let mut lines = Vec::new();
    let mut names = Vec::new();
    for field in by {
        let name = read(*field).ok_or_else(|| {
            Refusal(format!("Insights cannot group by `{}`: the lines of this format do not carry it.", field.name()))
        })?;
        if name.starts_with("coalesce") {
            let short = field.name().replace(['-', '.'], "");
            lines.push(format!("fields {name} as {short}"));
            names.push(short);
        } else {
            names.push(name);
        }
    }
    let mut sums = String::new();
    for (field, title) in [(Field::Bytes, "totalBytes"), (Field::Packets, "totalPackets")] {
        if let Some(name) = read(field) {
            let _ = write!(sums, "sum({name}) as {title}, ");
        }
    }
    let order = if sums.contains("totalBytes") { "totalBytes" } else { "records" };
    lines.push(format!("stats {sums}count(*) as records by {}", names.join(", ")));
    lines.push(format!("sort {order} desc"));
    lines.push(format!("limit {limit}"));
    Ok(lines)
}

/// Whether a test looks at anything but the line as a whole.
fn reads_fields(plan: &Plan) -> bool {
    match plan {
        Plan::Const(_) | Plan::Unknown => false,
        Plan::All(parts) | Plan::Any(parts) => parts.iter().any(reads_fields),
        Plan::Leaf(leaf) => !matches!(
            (&leaf.ask, leaf.col),
            (Ask::Line(_) | Ask::LineRegex(_), _) | (_, Field::IngestionTime | Field::Stream)
        ),
    }
}

/// Joins tests by a word, with parentheses where there are several.
fn group(parts: &[String], joint: &'static str) -> String {
    if let [one] = parts { one.clone() } else { format!("({})", parts.join(joint)) }
}

impl Dialect for Reader {
    const AND: &'static str = " and ";
    const OR: &'static str = " or ";

    fn leaf(&self, leaf: &Leaf) -> Option<Said> {
        match &leaf.ask {
            Ask::Line(text) => return Some(line(&format!("(?i){}", quote::literal(text)?), leaf.keep)),
            Ask::LineRegex(pattern) => return Some(line(&quote::regex(pattern)?, leaf.keep)),
            _ => {}
        }
        let (name, needs) = self.column(leaf.col)?;
        let absent: Vec<String> =
            needs.iter().flat_map(|name| [format!("not ispresent({name})"), format!("{name} = \"-\"")]).collect();
        let missing: Vec<String> = needs.iter().map(|name| format!("not ispresent({name})")).collect();
        // The complement also passes where there is no value.
        let otherwise = |guards: Vec<String>, test: String| {
            let parts: Vec<String> = guards.into_iter().chain([test]).collect();
            Some(Said::joined(&parts, Reader::OR))
        };
        match &leaf.ask {
            Ask::Present if leaf.keep => {
                let parts: Vec<String> =
                    needs.iter().flat_map(|name| [format!("ispresent({name})"), format!("{name} != \"-\"")]).collect();
                Some(Said::joined(&parts, Reader::AND))
            }
            Ask::Present => Some(Said::joined(&absent, Reader::OR)),
            Ask::Ints(ranges) => {
                let scale = |time: u64, add: u64| time.saturating_mul(1000).saturating_add(add);
                let ranges: Vec<(u64, u64)> = match leaf.col {
                    Field::IngestionTime => ranges.iter().map(|(a, b)| (scale(*a, 0), scale(*b, 999))).collect(),
                    _ => ranges.clone(),
                };
                if ranges.iter().any(|(a, b)| *a > MOST_EXACT || (*b > MOST_EXACT && *b != u64::MAX)) {
                    return None;
                }
                // A window that ends before it begins has no duration.
                let floor = leaf.col != Field::Duration;
                if leaf.keep {
                    let parts: Vec<String> = ranges.iter().map(|range| within(&name, *range, floor)).collect();
                    Some(Said::joined(&parts, Reader::OR))
                } else {
                    let beyond: Option<Vec<String>> = ranges.iter().map(|range| outside(&name, *range)).collect();
                    let test = beyond.map(|parts| group(&parts, Reader::AND));
                    match test {
                        Some(test) => otherwise(absent, test),
                        // Every number passes: only absence is left.
                        None => Some(Said::joined(&absent, Reader::OR)),
                    }
                }
            }
            Ask::Mask(mask) => {
                let bit = |bit: u32, set: bool| format!("floor({name} / {}) % 2 = {}", 1_u64 << bit, u8::from(set));
                let bits = (0..8).filter(|bit| mask >> bit & 1 == 1);
                if leaf.keep {
                    let parts: Vec<String> =
                        [format!("{name} >= 0")].into_iter().chain(bits.map(|number| bit(number, true))).collect();
                    Some(Said::joined(&parts, Reader::AND))
                } else {
                    let parts: Vec<String> = bits.map(|number| bit(number, false)).collect();
                    if parts.is_empty() {
                        Some(Said::joined(&absent, Reader::OR))
                    } else {
                        otherwise(absent, group(&parts, Reader::OR))
                    }
                }
            }
            Ask::Floats(ranges) if leaf.keep => {
                let [bytes, packets] = needs.as_slice() else { return None };
                let tests: Vec<String> = ranges.iter().map(|range| quotient(bytes, packets, *range)).collect();
                let text = format!("{packets} > 0 and {}", group(&tests, Reader::OR));
                Some(Said { text, exact: false, joint: Some(Reader::AND) })
            }
            Ask::Addrs(ranges) => addresses(&name, missing, ranges, leaf.keep),
            Ask::Word(text) => {
                let compared = |op: &str| match one_spelling(leaf.col, text) {
                    Some(text) => quote::insights(&text).map(|text| format!("{name} {op} {text}")),
                    None => {
                        quote::insights(&text.to_ascii_lowercase()).map(|text| format!("tolower({name}) {op} {text}"))
                    }
                };
                // A word of digits, such as an account, may be compared as a number, and what a dash is beside a number is not said.
                let guards = if text.bytes().all(|byte| byte.is_ascii_digit()) { absent } else { missing };
                if leaf.keep { compared("=").map(Said::one) } else { otherwise(guards, compared("!=")?) }
            }
            Ask::Glob(_) | Ask::Regex(_) => {
                let regex = match &leaf.ask {
                    Ask::Glob(text) => quote::glob(text)?,
                    Ask::Regex(pattern) => quote::regex(pattern)?,
                    _ => return None,
                };
                if leaf.keep {
                    let parts = [format!("{name} != \"-\""), format!("{name} like /{regex}/")];
                    Some(Said::joined(&parts, Reader::AND))
                } else {
                    otherwise(absent, format!("{name} not like /{regex}/"))
                }
            }
            Ask::Floats(_) | Ask::Line(_) | Ask::LineRegex(_) => None,
        }
    }
}

fn line(regex: &str, keep: bool) -> Said {
    let not = if keep { "" } else { "not " };
    Said::one(format!("@message {not}like /{regex}/"))
}

/// The column is a number in the range. A dash may count as less than every number, so a lower bound is always said.
fn within(name: &str, (from, to): (u64, u64), floor: bool) -> String {
    match (from, to) {
        (from, to) if from == to && (floor || from > 0) => format!("{name} = {from}"),
        (0, to) if !floor => format!("{name} <= {to}"),
        (from, u64::MAX) => format!("{name} >= {from}"),
        (from, to) => format!("({name} >= {from} and {name} <= {to})"),
    }
}

/// The column is a number beyond the range; `None` where there is none.
fn outside(name: &str, (from, to): (u64, u64)) -> Option<String> {
    match (from, to) {
        (0, u64::MAX) => None,
        (0, to) => Some(format!("{name} > {to}")),
        (from, u64::MAX) => Some(format!("{name} < {from}")),
        (from, to) if from == to => Some(format!("{name} != {from}")),
        (from, to) => Some(format!("({name} < {from} or {name} > {to})")),
    }
}

/// Mean bytes a packet, a little wider than asked, since quotients are rounded.
fn quotient(bytes: &str, packets: &str, (from, to): (f64, f64)) -> String {
    let slack = if from.total_cmp(&to).is_eq() { 0.06 } else { 0.0 };
    let low = ((from - slack) * (1.0 - 1e-9) - 1e-6).max(0.0);
    let high = (to + slack) * (1.0 + 1e-9) + 1e-6;
    match (from.is_finite(), to.is_finite()) {
        (true, true) => format!("({bytes} >= {low:.6} * {packets} and {bytes} <= {high:.6} * {packets})"),
        (true, false) => format!("{bytes} >= {low:.6} * {packets}"),
        _ => format!("({bytes} >= 0 and {bytes} <= {high:.6} * {packets})"),
    }
}

fn addresses(name: &str, missing: Vec<String>, ranges: &[(IpAddr, IpAddr)], keep: bool) -> Option<Said> {
    let single = |net: &IpNet| matches!(net, IpNet::V4(net) if net.prefix_len() == 32);
    let test = |net: &IpNet| match net {
        _ if single(net) => format!("{name} = \"{}\"", net.addr()),
        IpNet::V4(_) => format!("isIpv4InSubnet({name}, \"{net}\")"),
        // An IPv6 address has many spellings, so even one is a network.
        IpNet::V6(_) => format!("isIpv6InSubnet({name}, \"{net}\")"),
    };
    let either = |nets: &[IpNet]| nets.iter().map(test).collect::<Vec<_>>();
    let otherwise = |test: String| {
        let parts: Vec<String> = missing.into_iter().chain([test]).collect();
        Some(Said::joined(&parts, Reader::OR))
    };
    match (networks(ranges)?, keep) {
        (Networks::In(nets), true) => Some(Said::joined(&either(&nets), Reader::OR)),
        (Networks::In(nets), false) if nets.iter().all(single) => {
            let others: Vec<String> = nets.iter().map(|net| format!("{name} != \"{}\"", net.addr())).collect();
            otherwise(group(&others, Reader::AND))
        }
        (Networks::In(nets), false) => otherwise(format!("not ({})", either(&nets).join(Reader::OR))),
        (Networks::Beyond(but, and), true) => {
            let most = format!("(isValidIp({name}) and not ({}))", either(&but).join(Reader::OR));
            let parts: Vec<String> = [most].into_iter().chain(either(&and)).collect();
            Some(Said::joined(&parts, Reader::OR))
        }
        (Networks::Beyond(but, and), false) => {
            let parts: Vec<String> = [format!("not isValidIp({name})")].into_iter().chain(either(&but)).collect();
            let few =
                if and.is_empty() { String::new() } else { format!(" and not ({})", either(&and).join(Reader::OR)) };
            otherwise(format!("(({}){few})", parts.join(Reader::OR)))
        }
    }
}
