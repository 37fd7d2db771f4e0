//! Completion: what can stand at the cursor. Names come from the tables that the checker reads, values from what the caller has
//! seen, so nothing is offered that does not parse, and what is common in the data comes first.

use std::ops::Range;

use super::lex::{Tok, lex, word_len};
use super::members::Members;
use super::parse::{is_connective, is_keyword, split_colon};
use super::{BUILTIN, MAX_LEN, Sets, Stage, foreign, print, value, words};
use crate::record::{Cell, FIELDS, Field, Kind, On, places, services};

/// Most candidates that are returned.
const MOST: usize = 50;

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CandidateKind {
    /// A field.
    Field,
    /// A comparison.
    Operator,
    /// `and`, `not`, `has` and the like.
    Keyword,
    /// A value that rows have.
    Seen,
    /// A value that the language knows: a service, a protocol, a code word.
    Known,
    /// A named set.
    Set,
}

/// Something that can stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What to put in the place of [`Completion::range`].
    pub text: String,
    /// What it is.
    pub kind: CandidateKind,
    /// A few words beside it: what a field means, how many rows have a value. May be empty.
    pub note: String,
}

/// What can stand at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Byte range of the text that a candidate replaces: the word at the cursor, or the empty range there.
    pub range: Range<usize>,
    /// At most 50, best first.
    pub candidates: Vec<Candidate>,
}

/// What the grammar expects.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// A test.
    Test,
    /// The field of `has`.
    Field,
    /// A comparison with this field, or a value of it.
    Comparison(Field),
    /// A value of this field.
    Value(Field),
    /// `and`, `or` or a further test; after a comma, a value of the field.
    More(Option<Field>),
    /// A length of time: nothing to offer.
    Length,
}

/// What can stand at byte `cursor` of `text`. `seen` gives the values of a field among the rows, most frequent first, with the number
/// of rows that have each; it is asked for one field, or for a few where a bare word is typed.
pub fn complete(
    text: &str,
    cursor: usize,
    stage: Stage,
    sets: &Sets,
    seen: &mut dyn FnMut(Field) -> Vec<(Cell, u64)>,
) -> Completion {
    let cursor = text.floor_char_boundary(cursor);
    let none = Completion { range: cursor..cursor, candidates: Vec::new() };
    if text.len() > MAX_LEN {
        return none;
    }
    let (mut tokens, error) = lex(&text[..cursor]);
    if error.is_some() {
        // Inside a string or a regular expression there is nothing to know.
        return none;
    }
    let mut typed = "";
    if let Some(Tok::Word(word)) = tokens.last().filter(|token| token.span.end == cursor).map(|token| &token.tok) {
        typed = word;
        tokens.pop();
    }
    let mut expected = tokens.iter().fold(Expected::Test, |expected, token| after(expected, &token.tok));
    if matches!(expected, Expected::Test | Expected::More(_))
        && let Some((field, rest)) = split_colon(typed).and_then(|(name, rest)| Some((named(name)?, rest)))
    {
        expected = Expected::Value(field);
        typed = rest;
    }
    // The rest of a word that the cursor stands in is replaced too.
    let tail = if typed.is_empty() { 0 } else { word_len(&text[cursor..]) };
    let mut offer = Offer { typed, stage, sets, candidates: Vec::new() };
    offer.fill(expected, seen);
    Completion { range: cursor - typed.len()..cursor + tail, candidates: offer.candidates }
}

/// What is expected after `tok`.
fn after(expected: Expected, tok: &Tok<'_>) -> Expected {
    match (expected, tok) {
        (_, Tok::And | Tok::Or) => Expected::Test,
        (Expected::Field, _) | (Expected::Length, Tok::Word(_)) => Expected::More(None),
        (Expected::Comparison(field), Tok::Op(_) | Tok::Colon | Tok::OpenList | Tok::Open) => Expected::Value(field),
        (Expected::Comparison(field), Tok::Word(word)) if is_keyword(word, "in") => Expected::Value(field),
        (Expected::Comparison(field), Tok::Word(word)) if is_keyword(word, "not") => Expected::Comparison(field),
        (Expected::Value(field), Tok::Word(word)) if is_keyword(word, "not") => Expected::Value(field),
        // tcpdump's `dst port`.
        (Expected::Comparison(side @ (Field::SrcAddr | Field::DstAddr)), Tok::Word(word))
            if is_keyword(word, "port") =>
        {
            Expected::Comparison(if side == Field::SrcAddr { Field::SrcPort } else { Field::DstPort })
        }
        (Expected::Comparison(field), Tok::Word(word))
            if is_keyword(word, "is") || foreign::operator(word).is_some() =>
        {
            Expected::Value(field)
        }
        (Expected::Value(field), Tok::OpenList | Tok::Open) | (Expected::More(Some(field)), Tok::Comma) => {
            Expected::Value(field)
        }
        (Expected::Value(field) | Expected::Comparison(field), _) => Expected::More(Some(field)),
        (_, Tok::Word(word)) => after_word(word),
        (_, Tok::Open | Tok::OpenList | Tok::Not | Tok::Comma) => Expected::Test,
        _ => Expected::More(None),
    }
}

/// The field called `name`, here or in another tool.
fn named(name: &str) -> Option<Field> {
    foreign::field(name).map(|found| found.field)
}

/// What is expected after a word where a test can begin.
fn after_word(word: &str) -> Expected {
    if is_connective(word) {
        return Expected::Test;
    }
    if is_keyword(word, "has") {
        return Expected::Field;
    }
    if is_keyword(word, "last") {
        return Expected::Length;
    }
    match split_colon(word) {
        Some((name, rest)) => match named(name) {
            Some(field) if rest.is_empty() => Expected::Value(field),
            field => Expected::More(field),
        },
        None => named(word).map_or(Expected::More(None), Expected::Comparison),
    }
}

struct Offer<'a> {
    typed: &'a str,
    stage: Stage,
    sets: &'a Sets,
    candidates: Vec<Candidate>,
}

impl Offer<'_> {
    fn fill(&mut self, expected: Expected, seen: &mut dyn FnMut(Field) -> Vec<(Cell, u64)>) {
        match expected {
            Expected::Length => {}
            Expected::Field => {
                self.fields();
                self.aliases();
            }
            Expected::Comparison(field) => {
                self.operators(field.kind());
                self.values(field, seen);
            }
            Expected::Value(field) => self.values(field, seen),
            Expected::Test | Expected::More(_) => {
                if matches!(expected, Expected::More(_)) {
                    self.add_all(CandidateKind::Keyword, ["and", "or"]);
                }
                self.add_all(CandidateKind::Keyword, ["not", "has", "last"]);
                self.fields();
                if !self.typed.is_empty() {
                    self.bare(seen);
                    self.aliases();
                }
            }
        }
    }

    /// Adds `text` where it continues what is typed.
    fn add(&mut self, kind: CandidateKind, text: &str, note: impl FnOnce() -> String) {
        let fits = text.get(..self.typed.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(self.typed));
        if fits && self.candidates.len() < MOST && !self.candidates.iter().any(|candidate| candidate.text == text) {
            self.candidates.push(Candidate { text: text.to_owned(), kind, note: note() });
        }
    }

    fn add_all<'n>(&mut self, kind: CandidateKind, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            self.add(kind, name, String::new);
        }
    }

    /// Fields of these rows.
    fn fields(&mut self) {
        let other = if self.stage == Stage::Flows { On::Sessions } else { On::Flows };
        for def in FIELDS.iter().filter(|def| def.on != other && places::is_told(def.field)) {
            self.add(CandidateKind::Field, def.name, || def.doc.to_owned());
        }
    }

    /// Other names of fields, of those whose own name is not among what is offered already.
    fn aliases(&mut self) {
        let other = if self.stage == Stage::Flows { On::Sessions } else { On::Flows };
        for def in FIELDS.iter().filter(|def| def.on != other && places::is_told(def.field)) {
            if self.typed.is_empty() || self.candidates.iter().any(|candidate| candidate.text == def.name) {
                continue;
            }
            for alias in def.aliases {
                self.add(CandidateKind::Field, alias, || format!("{}: {}", def.name, def.doc));
            }
        }
    }

    fn operators(&mut self, kind: Kind) {
        self.add_all(CandidateKind::Operator, operators(kind).iter().copied());
    }

    fn seen(&mut self, field: Field, seen: &mut dyn FnMut(Field) -> Vec<(Cell, u64)>) {
        for (cell, rows) in seen(field) {
            if let Some(text) = cell.value().and_then(|value| print::spell_value(field, value)) {
                let service = text.parse().ok().filter(|_| field.kind() == Kind::Port).and_then(|port| {
                    services::service(port, services::TCP).or_else(|| services::service(port, services::UDP))
                });
                self.add(CandidateKind::Seen, &text, || match service {
                    Some(name) => format!("{name}, {}", counted(rows)),
                    None => counted(rows),
                });
            }
        }
    }

    fn values(&mut self, field: Field, seen: &mut dyn FnMut(Field) -> Vec<(Cell, u64)>) {
        self.seen(field, seen);
        self.add_all(CandidateKind::Known, words::code_words(field, self.stage).iter().copied());
        match field.kind() {
            _ if matches!(field, Field::PktSrcAwsService | Field::PktDstAwsService) => {
                self.add_all(CandidateKind::Known, words::AWS_SERVICES.iter().copied());
            }
            Kind::Protocol => self.add_all(CandidateKind::Known, services::protocol_names()),
            Kind::Flags => self.add_all(CandidateKind::Known, value::flag_list()),
            Kind::Port | Kind::Addr => {
                self.sets(Some(field.kind()));
                if field.kind() == Kind::Port && !self.typed.is_empty() {
                    self.add_all(CandidateKind::Known, services::service_names());
                }
            }
            _ if field == Field::Service => self.add_all(CandidateKind::Known, services::service_names()),
            _ => {}
        }
    }

    fn sets(&mut self, kind: Option<Kind>) {
        for name in self.sets.names() {
            let holds = self.sets.get(&name).map(|set| match set.members {
                Members::Addrs(_) => Kind::Addr,
                Members::Ports(_) => Kind::Port,
            });
            if kind.is_none() || holds == kind {
                let doc = BUILTIN.iter().find(|(builtin, _)| *builtin == name).map(|(_, doc)| (*doc).to_owned());
                self.add(CandidateKind::Set, &name, || doc.unwrap_or_else(|| "of the configuration".to_owned()));
            }
        }
    }

    /// What a bare word can become.
    fn bare(&mut self, seen: &mut dyn FnMut(Field) -> Vec<(Cell, u64)>) {
        self.sets(None);
        self.add_all(CandidateKind::Known, words::bare_codes(self.stage));
        self.add_all(CandidateKind::Known, services::service_names());
        self.add_all(CandidateKind::Known, services::protocol_names());
        self.add_all(CandidateKind::Known, words::AWS_SERVICES.iter().copied());
        if self.typed.starts_with(|c: char| c.is_ascii_digit()) {
            self.seen(Field::Ip, seen);
            self.seen(Field::Port, seen);
        } else if let Some((field, _)) = words::id(self.typed) {
            self.seen(field, seen);
        }
    }
}

/// `1 row`, `54,969 rows`.
fn counted(rows: u64) -> String {
    let digits = rows.to_string();
    let mut text = String::with_capacity(digits.len() + 10);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(if rows == 1 { " row" } else { " rows" });
    text
}

/// What values of `kind` can be compared with.
pub(super) fn operators(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Text => &["=", "!=", "~", "!~", "in", "not in"],
        Kind::Addr => &["=", "!=", "in", "not in"],
        Kind::Flags => &["=", "!=", "~", "!~", "<", "<=", ">", ">=", "in", "not in"],
        _ => &["=", "!=", "<", "<=", ">", ">=", "in", "not in"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;

    /// The candidates at `|` in `text`, and the text that the first of them makes.
    fn at(text: &str) -> (Vec<String>, String) {
        let cursor = text.find('|').expect("a cursor");
        let text = text.replace('|', "");
        let mut seen = |field: Field| match field.kind() {
            Kind::Port => vec![(Cell::Int(11_211), 9), (Cell::Int(443), 4), (Cell::Int(1138), 1)],
            Kind::Addr => vec![(Cell::Addr([10, 0, 0, 7].into()), 2)],
            Kind::Text if matches!(field, Field::VpcId | Field::InterfaceId) => {
                vec![(Cell::Text("eni-0536faba73134a9b7".into()), 3), (Cell::Text("a b".into()), 1)]
            }
            _ => Vec::new(),
        };
        let completion = complete(&text, cursor, Stage::Flows, &Sets::default(), &mut seen);
        let first = completion.candidates.first().map_or("", |candidate| &candidate.text);
        let made = format!("{}{first}{}", &text[..completion.range.start], &text[completion.range.end..]);
        (completion.candidates.into_iter().map(|candidate| candidate.text).collect(), made)
    }

    #[test]
    fn rows_are_counted_readably() {
        let said: Vec<String> = [0, 1, 999, 1_000, 54_969, 1_234_567].into_iter().map(counted).collect();
        assert_eq!(said, ["0 rows", "1 row", "999 rows", "1,000 rows", "54,969 rows", "1,234,567 rows"]);
    }

    #[test]
    fn the_grammar_decides_what_is_offered() {
        assert_eq!(at("dstp|").0, ["dstport"]);
        assert_eq!(at("udp and dstp| or 22").1, "udp and dstport or 22");
        assert_eq!(at("ds|t").1, "dstaddr");
        assert_eq!(at("has tcp-f|").1, "has tcp-flags");
        assert_eq!(at("port |").0[..3], ["=", "!=", "<"]);
        assert_eq!(at("src |").0[..5], ["=", "!=", "in", "not in", "10.0.0.7"]);
        assert_eq!(at("22 |").0[..2], ["and", "or"]);
        assert_eq!(at("(|").0[0], "not");
        assert_eq!(at("last |").0, Vec::<String>::new());
        assert_eq!(at("\"por|").0, Vec::<String>::new());
        assert!(!at("cli|").0.contains(&"client".to_owned()));
    }

    #[test]
    fn values_seen_come_first_by_frequency_and_are_quoted() {
        assert_eq!(at("port = |").0[..3], ["11211", "443", "1138"]);
        assert_eq!(at("port = 11|").0, ["11211", "1138"]);
        assert_eq!(at("port:443,|").0[0], "11211");
        assert_eq!(at("port in {443, |").0[0], "11211");
        assert_eq!(at("port:11|").1, "port:11211");
        assert_eq!(at("port not in |").0[0], "11211");
        for text in ["tcp.port == |", "port eq |", "port is |", "port is not |", "dst port |", "tcp.dstport:|"] {
            assert!(at(text).0.contains(&"11211".to_owned()), "{text}: {:?}", at(text).0);
        }
        assert_eq!(at("from |").0[4], "10.0.0.7");
        assert_eq!(at("vpc = |").0, ["eni-0536faba73134a9b7", "\"a b\""]);
        assert_eq!(at("10.|").0, ["10.0.0.7"]);
        assert_eq!(at("eni-0|").0, ["eni-0536faba73134a9b7"]);
        assert_eq!(at("port ss|").0, ["ssh", "ssdp"]);
        assert_eq!(at("src in $|").0, ["$private", "$public", "$outside"]);
        assert_eq!(at("port in @|").0, ["@amplification"]);
        assert_eq!(at("rej|").0, ["reject-reason", "reject"]);
        assert_eq!(at("action = r|").0, ["REJECT"]);
        assert_eq!(at("flags ~ s|").0, ["syn"]);
    }

    #[test]
    fn every_cursor_is_survived_and_what_is_offered_parses() {
        let text = "src_port=11211 or dst:é,\"x\" /a/ has {22} $p";
        for cursor in 0..text.len() + 3 {
            let completion = complete(text, cursor, Stage::Sessions, &Sets::default(), &mut |_| Vec::new());
            assert!(text.get(completion.range).is_some() && completion.candidates.len() <= MOST);
        }
        for text in ["port = |", "proto = |", "action = |", "flags = |", "src = |", "vpc = |"] {
            for candidate in at(text).0 {
                let made = text.replace('|', &candidate);
                let filter = Filter::parse(&made, Stage::Flows).unwrap_or_else(|error| panic!("{made}: {error}"));
                assert!(filter.warnings().is_empty(), "{made}");
            }
        }
    }
}
