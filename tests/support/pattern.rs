//! An evaluator of `CloudWatch` Logs filter patterns, as far as flowtail writes them, from their documentation: the user guide's "Filter pattern
//! syntax for metric filters, subscription filters, filter log events, and Live Tail" (`FilterAndPatternSyntax.html`) and the VPC user guide's
//! examples of patterns for flow logs (`flow-logs-cwl.md`). It knows nothing of how flowtail makes patterns.

use std::cmp::Ordering;

/// Whether a term must be a word of its own. The guide shows both readings ("messages contain the word ERROR", and ERROR found in ERRORCODE), so
/// what is true must be true for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// Anywhere, as in ERRORCODE.
    Anywhere,
    /// Between characters that are neither letters nor digits.
    Words,
}

/// Whether `message` is let through by `pattern`, or what is wrong with the pattern.
pub fn matches(pattern: &str, message: &str, terms: Terms) -> Result<bool, String> {
    if pattern.chars().count() > 1024 {
        return Err("longer than 1024 characters".to_owned());
    }
    let pattern = pattern.trim();
    match pattern.strip_prefix('[') {
        Some(rest) => by_position(rest.strip_suffix(']').ok_or("no closing bracket")?, message),
        None => by_terms(pattern, message, terms),
    }
}

fn by_terms(pattern: &str, message: &str, terms: Terms) -> Result<bool, String> {
    let (mut all, mut any) = (true, None);
    let mut rest = pattern.trim_start();
    while !rest.is_empty() {
        let prefix = rest.chars().next().filter(|c| matches!(c, '?' | '-'));
        rest = rest.strip_prefix(['?', '-']).unwrap_or(rest);
        let term;
        if let Some(quoted) = rest.strip_prefix('"') {
            (term, rest) = quoted.split_once('"').ok_or("no closing quotation mark")?;
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            (term, rest) = rest.split_at(end);
            // "Enclose exact phrases and terms that include non-alphanumeric characters in double quotation marks."
            if term.is_empty() || !term.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(format!("{term:?} must be quoted"));
            }
        }
        if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
            return Err("no space after a term".to_owned());
        }
        rest = rest.trim_start();
        let found = contains(message, term, terms);
        match prefix {
            Some('?') => any = Some(any.unwrap_or(false) || found),
            Some(_) => all &= !found,
            None => all &= found,
        }
    }
    Ok(all && any.unwrap_or(true))
}

/// Case counts: "Filter patterns are case sensitive."
fn contains(message: &str, term: &str, terms: Terms) -> bool {
    let part = |c: char| c.is_alphanumeric();
    message.match_indices(term).any(|(at, _)| {
        terms == Terms::Anywhere
            || !message[..at].chars().next_back().is_some_and(part)
                && !message[at + term.len()..].chars().next().is_some_and(part)
    })
}

/// "The characters between a pair of square brackets or two double quotes are treated as a single field."
fn fields(message: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = message.trim();
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let end = close.and_then(|close| rest[1..].find(close).map(|at| at + 2));
        let end = end.unwrap_or_else(|| rest.find(char::is_whitespace).unwrap_or(rest.len()));
        fields.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    fields
}

fn by_position(inside: &str, message: &str) -> Result<bool, String> {
    let values = fields(message);
    let slots: Vec<&str> = split(inside, ",").into_iter().map(str::trim).collect();
    let gap = slots.iter().position(|slot| *slot == "...");
    let places: Vec<Option<usize>> = match gap {
        // "..." stands for any number of fields.
        Some(gap) if values.len() + 1 >= slots.len() => {
            let skipped = values.len() + 1 - slots.len();
            let place = |at: usize| match at.cmp(&gap) {
                Ordering::Less => Some(at),
                Ordering::Equal => None,
                Ordering::Greater => Some(at - 1 + skipped),
            };
            (0..slots.len()).map(place).collect()
        }
        None if values.len() == slots.len() => (0..slots.len()).map(Some).collect(),
        _ => return Ok(false),
    };
    let mut all = true;
    for (slot, place) in slots.iter().zip(places) {
        if let Some(place) = place {
            all &= slot_holds(slot, values[place])?;
        }
    }
    Ok(all)
}

fn slot_holds(slot: &str, value: &str) -> Result<bool, String> {
    let mut any = false;
    for alternative in split(slot, "||") {
        let mut all = true;
        for condition in split(alternative, "&&") {
            all &= condition_holds(condition.trim(), value)?;
        }
        any |= all;
    }
    Ok(any)
}

fn condition_holds(condition: &str, value: &str) -> Result<bool, String> {
    let name_end = condition.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(condition.len());
    if name_end == 0 {
        return Err(format!("no name in {condition:?}"));
    }
    let rest = condition[name_end..].trim();
    if rest.is_empty() {
        return Ok(true);
    }
    let operator = ["!=", "<=", ">=", "=", "<", ">"].into_iter().find(|operator| rest.starts_with(operator));
    let operator = operator.ok_or_else(|| format!("no operator in {condition:?}"))?;
    let wanted = rest[operator.len()..].trim();
    let wanted = wanted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(wanted);
    if wanted.is_empty() || wanted.contains(['"', ' ', '|', '&']) {
        return Err(format!("no value in {condition:?}"));
    }
    if matches!(operator, "=" | "!=") {
        return Ok(glob(wanted, value) == (operator == "="));
    }
    // "For numeric fields, you can use the >, <, >=, <=, =, and != operators."
    let wanted: f64 = wanted.parse().map_err(|_| format!("{wanted:?} is no number"))?;
    let Ok(value) = value.parse::<f64>() else { return Ok(false) };
    Ok(match operator {
        "<" => value < wanted,
        "<=" => value <= wanted,
        ">" => value > wanted,
        _ => value >= wanted,
    })
}

/// `*` at the beginning or the end stands for any text.
fn glob(wanted: &str, value: &str) -> bool {
    match (wanted.strip_prefix('*'), wanted.strip_suffix('*')) {
        (Some(_), Some(_)) if wanted.len() > 1 => value.contains(&wanted[1..wanted.len() - 1]),
        (Some(end), _) => value.ends_with(end),
        (_, Some(start)) => value.starts_with(start),
        _ => value == wanted,
    }
}

/// Splits outside of quotation marks.
fn split<'a>(text: &'a str, by: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut from, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if !quoted && at >= from && text[at..].starts_with(by) {
            parts.push(&text[from..at]);
            from = at + by.len();
        }
    }
    parts.push(&text[from..]);
    parts
}
