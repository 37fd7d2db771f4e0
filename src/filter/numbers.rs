//! Numbers and ranges of them as values of a field: ports, amounts, times, masks.

use super::expr::Operand;
use super::parse::RawValue;
use super::wording::mistyped;
use super::{FilterError, value};
use crate::record::{Field, Kind, services};

/// The number that was written with commas between its thousands, which are lists here.
pub(super) fn thousands(raws: &[RawValue<'_>]) -> Option<String> {
    let (first, rest) = raws.split_first()?;
    let digits = |raw: &RawValue<'_>| raw.text.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = !rest.is_empty() && first.text.len() <= 3 && rest.iter().all(|raw| raw.text.len() == 3);
    (grouped && raws.iter().all(digits)).then(|| raws.iter().map(|raw| &*raw.text).collect())
}

/// The two ends of `a..b`, or of `a-b` where the kind has no minus of its own.
pub(super) fn range(text: &str, dots_only: bool) -> Option<(&str, &str)> {
    text.split_once("..").or_else(|| if dots_only { None } else { text.split_once('-') })
}

/// A number or a range of them, for every kind that has whole ones.
pub(super) fn ints(field: Field, raw: &RawValue<'_>) -> Result<Operand, FilterError> {
    let (kind, text) = (field.kind(), &*raw.text);
    // As autonomous systems are written everywhere.
    let text = match text.get(..2) {
        Some(prefix)
            if matches!(field, Field::Asn | Field::SrcAsn | Field::DstAsn) && prefix.eq_ignore_ascii_case("as") =>
        {
            &text[2..]
        }
        _ => text,
    };
    if let Some(number) = int(kind, text) {
        return bounded(field, raw, number, number);
    }
    if kind == Kind::Time {
        let problem = [text].into_iter().chain(text.split("..")).map(value::moment).find_map(|moment| match moment {
            Err(value::NotTime::Millis(seconds)) => Some(seconds),
            _ => None,
        });
        if let Some(seconds) = problem {
            let message = format!("`{text}` looks like milliseconds; times are Unix seconds.");
            return Err(FilterError::new(raw.span.clone(), message).meant(&seconds.to_string()));
        }
    }
    let Some((from, to)) = range(text, kind == Kind::Time) else { return Err(mistyped(field, raw)) };
    match (int(kind, from), int(kind, to)) {
        (Some(from), Some(to)) if from <= to => bounded(field, raw, from, to),
        (Some(_), Some(_)) => {
            let message = format!("A range goes up, and {from} is above {to}.");
            Err(FilterError::new(raw.span.clone(), message).meant(&format!("{to}-{from}")))
        }
        _ => Err(mistyped(field, raw)),
    }
}

/// One number of `kind`.
fn int(kind: Kind, text: &str) -> Option<u64> {
    let digits = || text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    // Wireshark shows masks so.
    let hex = || text.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
    let plain = || digits().or_else(hex);
    match kind {
        Kind::Count => value::count(text),
        Kind::Duration => value::duration(text),
        Kind::Time => value::moment(text).ok(),
        Kind::Protocol => services::protocol_number(text).map(u64::from).or_else(plain),
        Kind::Flags => value::flags(text).or_else(plain),
        Kind::Int | Kind::Port => plain(),
        Kind::Ratio | Kind::Addr | Kind::Text => None,
    }
}

fn bounded(field: Field, raw: &RawValue<'_>, from: u64, to: u64) -> Result<Operand, FilterError> {
    let most = match field.kind() {
        Kind::Port => 65_535,
        Kind::Protocol | Kind::Flags => 255,
        _ => u64::MAX,
    };
    if to > most {
        let message = format!("`{}` is at most {most}, and this is `{}`.", field.name(), raw.text);
        return Err(FilterError::new(raw.span.clone(), message));
    }
    Ok(Operand::Int(from, to))
}
