//! A search of the line, and what every line that it finds must contain: with it, columns tell most lines apart before one is rendered.

use std::sync::Arc;

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::expr::Pattern;
use super::pred::Needle;

/// Most alternatives of one condition; more select hardly anything.
const MOST_ALTERNATIVES: usize = 16;
/// Most conditions that are asked before the line.
const MOST_CONDITIONS: usize = 4;
/// Fewest bytes of a text that is asked for: what is shorter stands in most lines.
const SHORTEST: usize = 3;

/// A regular expression over the line.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub regex: Regex,
    /// The expression finds this text and nothing else, and its letters have no case.
    pub literal: Option<Needle>,
    /// Of each of these, a line that matches contains one at least, case aside.
    pub needed: Arc<[Box<[Needle]>]>,
}

impl Search {
    pub(super) fn new(pattern: &Pattern) -> Search {
        let hir = regex_syntax::ParserBuilder::new()
            .case_insensitive(pattern.ignore_case())
            .build()
            .parse(pattern.source())
            .unwrap_or_else(|_| Hir::empty());
        let literal = match hir.kind() {
            HirKind::Literal(literal) => std::str::from_utf8(&literal.0)
                .ok()
                .filter(|text| text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic())),
            _ => None,
        };
        let mut conditions = required(&hir);
        conditions.retain(|texts| shortest(texts) >= SHORTEST);
        // The longest say the most.
        conditions.sort_by_key(|texts| std::cmp::Reverse(shortest(texts)));
        conditions.truncate(MOST_CONDITIONS);
        let needles = |texts: Vec<String>| texts.iter().map(|text| Needle::new(text)).collect();
        Search {
            regex: pattern.regex().clone(),
            literal: literal.map(Needle::new),
            needed: conditions.into_iter().map(needles).collect(),
        }
    }

    /// Every text that is looked for in the columns.
    pub(super) fn needles(&self) -> impl Iterator<Item = &Needle> {
        let needed = if self.literal.is_some() { &[] } else { &*self.needed };
        self.literal.iter().chain(needed.iter().flatten())
    }
}

fn shortest(texts: &[String]) -> usize {
    texts.iter().map(String::len).min().unwrap_or(0)
}

/// The one text that everything `hir` matches is, ASCII case aside.
fn exact(hir: &Hir) -> Option<String> {
    match hir.kind() {
        // What looks around itself adds nothing to the text.
        HirKind::Empty | HirKind::Look(_) => Some(String::new()),
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(str::to_ascii_lowercase),
        HirKind::Class(Class::Unicode(class)) => {
            let mut chars = class.iter().flat_map(|range| range.start()..=range.end()).take(3);
            let first = chars.next()?.to_ascii_lowercase();
            chars.all(|c| c.to_ascii_lowercase() == first).then(|| first.to_string())
        }
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(exact).collect(),
        HirKind::Class(Class::Bytes(_)) | HirKind::Repetition(_) | HirKind::Alternation(_) => None,
    }
}

/// Conditions on what contains a match of `hir`: of each, one text is in it, ASCII case aside.
fn required(hir: &Hir) -> Vec<Vec<String>> {
    if let Some(text) = exact(hir) {
        return vec![vec![text]];
    }
    match hir.kind() {
        HirKind::Concat(parts) => {
            let (mut all, mut run) = (Vec::new(), String::new());
            for part in parts {
                if let Some(text) = exact(part) {
                    run.push_str(&text);
                } else {
                    all.push(vec![std::mem::take(&mut run)]);
                    all.extend(required(part));
                }
            }
            all.push(vec![run]);
            all
        }
        HirKind::Alternation(parts) => {
            // Of each alternative the condition that says the most; together they are one.
            let best = |part| required(part).into_iter().max_by_key(|texts| shortest(texts));
            let Some(parts) = parts.iter().map(best).collect::<Option<Vec<_>>>() else { return Vec::new() };
            let texts: Vec<String> = parts.into_iter().flatten().collect();
            if texts.len() > MOST_ALTERNATIVES { Vec::new() } else { vec![texts] }
        }
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(source: &str, ignore_case: bool) -> Vec<Vec<String>> {
        let search = Search::new(&Pattern::new(source, ignore_case).expect("a pattern"));
        search
            .needed
            .iter()
            .map(|texts| texts.iter().map(|text| String::from_utf8_lossy(text.bytes()).into_owned()).collect())
            .collect()
    }

    #[test]
    fn what_a_line_must_contain_is_read_from_the_expression() {
        assert_eq!(needed(" 11211 .* ACCEPT", false), [[" 11211 "], [" accept"]]);
        assert_eq!(needed(r"^13\.125\.\d+\.130\b", false), [["13.125."], [".130"]]);
        assert_eq!(needed("(reject|nodata)+ x?", true), [["reject", "nodata"]]);
        assert_eq!(needed("abc|", false), Vec::<Vec<String>>::new());
        assert_eq!(needed("(abc)*", false), Vec::<Vec<String>>::new());
        assert_eq!(needed("ab.cd", false), Vec::<Vec<String>>::new(), "too short");
        // A k can be the sign of Kelvin, an s a long one: nothing is said of them.
        assert_eq!(needed("skipdata", true), [["ipdata"]]);
        assert_eq!(needed("(?i:acc)EPT", false), [["accept"]]);
        assert_eq!(needed("[Aa]bc", false), [["abc"]]);
    }
}
