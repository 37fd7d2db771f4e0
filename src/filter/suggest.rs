//! "Did you mean …": the nearest name there is.

use crate::record::{FIELDS, services};

/// What people call a field in other tools, where no edit leads to the name here.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("time", "end"),
    ("timestamp", "end"),
    ("first", "start"),
    ("dpt", "dstport"),
    ("spt", "srcport"),
    ("length", "bytes"),
    ("len", "bytes"),
    ("verdict", "action"),
    ("peer", "ip"),
    ("app", "service"),
    ("application", "service"),
];

/// The field that `name` was probably meant for.
pub(super) fn field(name: &str) -> Option<&'static str> {
    let named = OTHER_NAMES.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, field)| *field);
    named.or_else(|| nearest(name, field_names()))
}

/// Every name and alias of every field.
pub(super) fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().flat_map(|def| std::iter::once(def.name).chain(def.aliases.iter().copied()))
}

/// What a bare word was probably meant for: a field, a service or a protocol. Only close calls: most words are meant as they are.
pub(super) fn word(word: &str) -> Option<&'static str> {
    if let Some(set) = super::foreign::set(word) {
        return Some(set);
    }
    if word.len() < 4 || word.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let names = field_names().chain(services::service_names()).chain(services::protocol_names());
    nearest(
        word,
        names.chain(["accept", "reject", "nodata", "skipdata", "ingress", "egress"]).filter(|name| name.len() > 3),
    )
}

/// The nearest of `names` within one edit for short words and two for longer ones; the first where several are as near.
pub(super) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let word = fold(word);
    let allowed = if word.len() <= 4 { 1 } else { 2 };
    names
        .filter_map(|name| {
            let distance = edits(&word, &fold(name), allowed)?;
            (distance < name.len()).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn fold(name: &str) -> Vec<u8> {
    let fold = |byte: u8| if matches!(byte, b'_' | b'.') { b'-' } else { byte.to_ascii_lowercase() };
    name.bytes().map(fold).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours between `a` and `b`, or `None` beyond `most`.
fn edits(a: &[u8], b: &[u8], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut two_up: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut row = vec![0; b.len() + 1];
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(two_up[j - 2] + 1);
            }
        }
        std::mem::swap(&mut two_up, &mut above);
        std::mem::swap(&mut above, &mut row);
    }
    Some(above[b.len()]).filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        assert_eq!(field("srcadr"), Some("srcaddr"));
        assert_eq!(field("prot"), Some("proto"));
        assert_eq!(field("tcp_flgas"), Some("tcp-flags"));
        assert_eq!(field("time"), Some("end"));
        assert_eq!(field("qqqqqq"), None);
        assert_eq!(word("memcache"), Some("memcached"));
        assert_eq!(word("rejct"), Some("reject"));
        assert_eq!(word("prod"), None);
    }
}
