//! Patterns of terms: texts one of which every wanted record holds as a word.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{MAX_PATTERN, Narrowed};
use crate::filter::expr::{Expr, Op, Operand, Test};
use crate::filter::sets::Members;
use crate::record::{Field, Format, Kind, services};

/// Words that stand in every record that says that there is no data.
const ALWAYS: [&str; 2] = ["NODATA", "SKIPDATA"];

/// Words asked for at most: as many as could fit into a pattern.
const MOST: usize = MAX_PATTERN / 4;

/// Words one of which every wanted record holds, with a guess at the share of all records that hold one.
struct Words {
    words: BTreeSet<String>,
    share: f64,
}

impl Words {
    fn new(words: BTreeSet<String>) -> Option<Words> {
        if words.is_empty() || words.len() > MOST || pattern(&words).len() > MAX_PATTERN {
            return None;
        }
        let share = words.iter().map(|word| share(word)).sum();
        Some(Words { words, share })
    }
}

/// A guess at the share of records that hold `word` somewhere: each further character makes it rarer.
fn share(word: &str) -> f64 {
    match word {
        // Action codes are as long as rare ids and are in half of all records or more.
        "ACCEPT" => 0.9,
        "REJECT" => 0.3,
        // One or two digits stand in most records, in one number or another.
        short if short.len() < 3 => 0.9 / f64::from(u8::try_from(short.len()).unwrap_or(1)),
        _ => 4.0_f64.powi(1 - i32::try_from(word.len()).unwrap_or(i32::MAX)),
    }
}

/// The pattern of `expr`, where it implies that certain words are there. `format` is the one format of all records, where known.
pub(super) fn of(expr: &Expr, format: Option<&Format>) -> Option<Narrowed> {
    let found = words(expr, format)?;
    Some(Narrowed { pattern: pattern(&found.words), share: found.share })
}

fn pattern(words: &BTreeSet<String>) -> String {
    let all = words.iter().map(String::as_str).chain(ALWAYS);
    all.map(|word| format!("?\"{word}\"")).collect::<Vec<_>>().join(" ")
}

fn words(expr: &Expr, format: Option<&Format>) -> Option<Words> {
    match expr {
        // Any one of the parts will do: the rarest.
        Expr::And(parts) => {
            let found = parts.iter().filter_map(|part| words(part, format));
            found.min_by(|a, b| a.share.total_cmp(&b.share).then_with(|| a.words.cmp(&b.words)))
        }
        Expr::Or(parts) => {
            let mut all = BTreeSet::new();
            for part in parts {
                all.extend(words(part, format)?.words);
            }
            Words::new(all)
        }
        Expr::Test(Test::Compare { field, op: Op::Eq, values }) => {
            let mut all = BTreeSet::new();
            for value in values {
                add(&mut all, *field, value, format)?;
            }
            Words::new(all)
        }
        // What a record does not hold, no term can find.
        Expr::Not(_) | Expr::Test(_) => None,
    }
}

/// Adds the words of which a record with this value in the field holds one.
fn add(words: &mut BTreeSet<String>, field: Field, value: &Operand, format: Option<&Format>) -> Option<()> {
    match (field.kind(), value) {
        (Kind::Port | Kind::Protocol, Operand::Int(from, to)) => numbers(words, *from, *to),
        (Kind::Port, Operand::Set(set)) => match &set.members {
            Members::Ports(ranges) => ranges.iter().try_for_each(|(from, to)| numbers(words, *from, *to)),
            Members::Addrs(_) => None,
        },
        (Kind::Count, Operand::Int(from, to)) if from == to => numbers(words, *from, *to),
        (Kind::Addr, Operand::Addr(IpAddr::V4(from), IpAddr::V4(to))) => {
            let (from, to) = (u32::from(*from), u32::from(*to));
            if usize::try_from(to - from).ok()? >= MOST {
                return None;
            }
            words.extend((from..=to).map(|bits| std::net::Ipv4Addr::from(bits).to_string()));
            Some(())
        }
        (Kind::Text, Operand::Word(word)) if field == Field::Service => {
            let ports = services::ports_of(word);
            if ports.is_empty() {
                return None;
            }
            words.extend(ports.iter().map(|(port, _)| port.to_string()));
            Some(())
        }
        (Kind::Text, Operand::Word(word)) => {
            words.insert(spelled(field, word, format)?);
            Some(())
        }
        _ => None,
    }
}

fn numbers(words: &mut BTreeSet<String>, from: u64, to: u64) -> Option<()> {
    if usize::try_from(to.checked_sub(from)?).ok()? >= MOST {
        return None;
    }
    words.extend((from..=to).map(|number| number.to_string()));
    Some(())
}

/// How AWS spells the value of a field, where there is one way only: a filter does not look at case, a term does.
fn spelled(field: Field, word: &str, format: Option<&Format>) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if word.is_empty() || !word.chars().all(plain) {
        return None;
    }
    match field {
        Field::AccountId => word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.to_owned()),
        Field::VpcId | Field::SubnetId | Field::InstanceId | Field::TgwId => Some(word.to_ascii_lowercase()),
        // Where a format lacks it, the interface is told by the name of the stream, and the record does not hold it.
        Field::InterfaceId if format.is_some_and(|format| format.has(field)) => Some(word.to_ascii_lowercase()),
        Field::Action => {
            let upper = word.to_ascii_uppercase();
            matches!(&*upper, "ACCEPT" | "REJECT").then_some(upper)
        }
        _ => None,
    }
}
