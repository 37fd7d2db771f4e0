//! Tokens to a tree of raw tests: precedence, juxtaposition and lists, by recursive descent. Fields are recognised here, since
//! a word is a field or a value by where it stands; values stay text until `check` knows the field they are for.

use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::ops::Range;

use super::expr::Op;
use super::foreign::{self, Found};
use super::lex::{Tok, Token, lex};
use super::{FilterError, suggest, value};
use crate::record::{Field, Kind};

/// Longest text that is read, in bytes.
pub const MAX_LEN: usize = 4096;
/// Deepest nesting of parentheses and `not`.
pub const MAX_DEPTH: usize = 64;

/// A tree of tests that are not checked yet.
#[derive(Debug)]
pub(super) enum Ast<'t> {
    And(Vec<Ast<'t>>),
    Or(Vec<Ast<'t>>),
    Not(Box<Ast<'t>>),
    Test(RawTest<'t>),
}

/// One test as written.
#[derive(Debug)]
pub(super) struct RawTest<'t> {
    pub kind: RawKind<'t>,
    pub span: Range<usize>,
}

#[derive(Debug)]
pub(super) enum RawKind<'t> {
    Compare {
        field: Field,
        field_span: Range<usize>,
        op: Op,
        /// The transport that the field's name asks for besides: Wireshark's `tcp.port`.
        transport: Option<&'static str>,
        /// Written with `:` or nothing between, where a short id stands for all ids that begin so.
        loose: bool,
        values: Vec<RawValue<'t>>,
    },
    Has(Field, Range<usize>),
    Last(RawValue<'t>),
    Bare(Vec<RawValue<'t>>),
}

/// A value as written.
#[derive(Clone, Debug)]
pub(super) struct RawValue<'t> {
    pub text: Cow<'t, str>,
    pub form: Form,
    pub span: Range<usize>,
}

/// How a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Word,
    Quoted,
    Regex { ignore_case: bool },
}

/// Parses `text`.
pub(super) fn parse(text: &str) -> Result<Ast<'_>, FilterError> {
    if text.len() > MAX_LEN {
        let span = text.floor_char_boundary(MAX_LEN)..text.len();
        return Err(FilterError::new(
            span,
            format!("A filter has at most {MAX_LEN} bytes; this one has {}.", text.len()),
        ));
    }
    let (tokens, error) = lex(text);
    if let Some(error) = error {
        return Err(error);
    }
    let mut parser = Parser { text, tokens, at: 0, depth: 0 };
    if parser.tokens.is_empty() {
        return Err(FilterError::new(0..text.len(), "An empty filter: expected a test.").example("port 443"));
    }
    let ast = parser.or()?;
    match parser.peek() {
        None => Ok(ast),
        Some(Tok::Close) => Err(FilterError::new(parser.here(), "This parenthesis closes nothing.")),
        Some(_) => Err(parser.unexpected()),
    }
}

/// A keyword; case does not matter.
pub(super) fn is_keyword(word: &str, keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword)
}

/// Whether a word joins tests, so that it is no value unless quoted.
pub(super) fn is_connective(word: &str) -> bool {
    ["and", "or", "not"].iter().any(|keyword| is_keyword(word, keyword))
}

/// The field and the rest of a word such as `port:22`. `None` where the word is no such thing: an address, a time, an ARN.
pub(super) fn split_colon(word: &str) -> Option<(&str, &str)> {
    let (name, rest) = word.split_once(':')?;
    let like_a_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !like_a_name || name.eq_ignore_ascii_case("arn") {
        return None;
    }
    // `fe80::1` begins like a name too.
    let address = word.split(['/', '-']).next().unwrap_or(word);
    address.parse::<Ipv6Addr>().is_err().then_some((name, rest))
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&Tok<'t>> {
        self.tokens.get(self.at).map(|token| &token.tok)
    }

    fn peek_word(&self) -> Option<&'t str> {
        match self.peek() {
            Some(Tok::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Where the next token stands; at the end, the empty range there.
    fn here(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |token| token.span.clone())
    }

    /// End of the token before.
    fn behind(&self) -> usize {
        self.at.checked_sub(1).and_then(|before| self.tokens.get(before)).map_or(0, |token| token.span.end)
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.peek_word().is_some_and(|word| is_keyword(word, keyword));
        self.at += usize::from(found);
        found
    }

    fn take(&mut self, tok: &Tok<'_>) -> bool {
        let found = self.peek() == Some(tok);
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self) -> FilterError {
        let span = self.here();
        let message = match self.peek() {
            None => "The filter ends where a test is expected.".to_owned(),
            Some(Tok::Op(_) | Tok::Colon) => format!("Expected a field before `{}`.", &self.text[span.clone()]),
            Some(_) => format!("Expected a test, found `{}`.", &self.text[span.clone()]),
        };
        FilterError::new(span, message)
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, FilterError>) -> Result<T, FilterError> {
        if self.depth == MAX_DEPTH {
            let span = self.at.saturating_sub(1);
            let span = self.tokens.get(span).map_or(0..0, |token| token.span.clone());
            return Err(FilterError::new(span, format!("Nested deeper than {MAX_DEPTH} levels.")));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn or(&mut self) -> Result<Ast<'t>, FilterError> {
        let mut parts = vec![self.and()?];
        while self.take(&Tok::Or) || self.take_keyword("or") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Ast::Or(parts) })
    }

    fn and(&mut self) -> Result<Ast<'t>, FilterError> {
        let mut parts = vec![self.not()?];
        loop {
            if self.take(&Tok::And) || self.take_keyword("and") {
                parts.push(self.not()?);
                continue;
            }
            // Juxtaposition: whatever can begin a test goes on with "and".
            match self.peek() {
                Some(Tok::Word(word)) if !is_keyword(word, "or") => parts.push(self.not()?),
                Some(Tok::Quoted(_) | Tok::Regex(..) | Tok::Open | Tok::OpenList | Tok::Not) => parts.push(self.not()?),
                _ => break,
            }
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Ast::And(parts) })
    }

    fn not(&mut self) -> Result<Ast<'t>, FilterError> {
        if self.take(&Tok::Not) || self.take_keyword("not") {
            return self.deeper(|parser| Ok(Ast::Not(Box::new(parser.not()?))));
        }
        let open = self.here();
        if self.take(&Tok::Open) {
            let inner = self.deeper(Self::or)?;
            if !self.take(&Tok::Close) {
                return Err(match self.peek() {
                    None => FilterError::new(open, "This parenthesis is not closed."),
                    Some(_) => FilterError::new(self.here(), "Expected `)`, `and` or `or`."),
                });
            }
            return Ok(inner);
        }
        self.test()
    }

    fn test(&mut self) -> Result<Ast<'t>, FilterError> {
        let start = self.here().start;
        let kind = match self.peek() {
            Some(Tok::Word(word)) => self.word_test(word)?,
            Some(Tok::Quoted(_) | Tok::Regex(..) | Tok::OpenList) => RawKind::Bare(self.values()?),
            _ => return Err(self.unexpected()),
        };
        Ok(Ast::Test(RawTest { kind, span: start..self.behind() }))
    }

    fn word_test(&mut self, word: &'t str) -> Result<RawKind<'t>, FilterError> {
        let span = self.here();
        if is_connective(word) || is_keyword(word, "in") {
            return Err(FilterError::new(span, format!("Expected a test before `{word}`.")));
        }
        if let Some((name, rest)) = split_colon(word) {
            return self.colon_test(name, rest, span.start);
        }
        self.at += 1;
        if is_keyword(word, "has") || is_keyword(word, "last") {
            return if is_keyword(word, "has") { self.has() } else { self.last() };
        }
        let found = foreign::field(word);
        if let Some((op, loose)) = self.operator(found.is_some()) {
            let Found { field, transport } = field_named(word, &span)?;
            let values = self.values_of(field)?;
            return Ok(RawKind::Compare { field, field_span: span, transport, op, loose, values });
        }
        if let Some(found) = found {
            return self.juxtaposed(word, found, span);
        }
        self.at -= 1;
        let called = matches!(self.tokens.get(self.at + 1), Some(Token { tok: Tok::Open, span: open }) if open.start == span.end);
        if let Some(hint) = foreign::word(word, called) {
            return Err(FilterError::new(span, format!("`{word}` belongs to another tool.")).hint(hint));
        }
        Ok(RawKind::Bare(self.values()?))
    }

    /// `field:value` in one word, or `field:` with the value after it.
    fn colon_test(&mut self, name: &'t str, rest: &'t str, start: usize) -> Result<RawKind<'t>, FilterError> {
        let field_span = start..start + name.len();
        let Found { field, transport } = field_named(name, &field_span)?;
        if rest.is_empty() {
            self.at += 1;
        } else if let Some(token) = self.tokens.get_mut(self.at) {
            // The word is used up to the colon; what is left of it is the first value.
            token.span.start += name.len() + 1;
            token.tok = Tok::Word(rest);
        }
        // `bytes:>1000` is said elsewhere.
        let (op, loose) = match self.peek() {
            Some(Tok::Op(op)) if rest.is_empty() => (*op, false),
            _ => (Op::Eq, true),
        };
        self.at += usize::from(!loose);
        Ok(RawKind::Compare { field, field_span, transport, op, loose, values: self.values_of(field)? })
    }

    /// The operator that stands here, and whether it is the colon. Words of other tools count behind a field only.
    fn operator(&mut self, behind_field: bool) -> Option<(Op, bool)> {
        match self.peek()? {
            Tok::Op(op) => {
                let op = *op;
                self.at += 1;
                Some((op, false))
            }
            Tok::Colon => {
                self.at += 1;
                match self.peek() {
                    Some(Tok::Op(op)) => {
                        let op = *op;
                        self.at += 1;
                        Some((op, false))
                    }
                    _ => Some((Op::Eq, true)),
                }
            }
            Tok::Word(word) if behind_field && foreign::operator(word).is_some() => {
                let op = foreign::operator(word)?;
                self.at += 1;
                if matches!(op, Op::Like) {
                    self.literal();
                }
                Some((op, false))
            }
            Tok::Word(word) if is_keyword(word, "in") => {
                self.at += 1;
                Some((Op::Eq, false))
            }
            Tok::Word(word) if is_keyword(word, "not") => {
                let next = match self.tokens.get(self.at + 1).map(|token| &token.tok) {
                    Some(Tok::Word(next)) => *next,
                    _ => return None,
                };
                let op = if is_keyword(next, "in") {
                    Op::Ne
                } else if behind_field && foreign::operator(next) == Some(Op::Like) {
                    Op::Unlike
                } else {
                    return None;
                };
                self.at += 2;
                if op == Op::Unlike {
                    self.literal();
                }
                Some((op, false))
            }
            _ => None,
        }
    }

    /// After `like` and `contains` a text is found as it is written, not as a pattern.
    fn literal(&mut self) {
        let Some(token) = self.tokens.get_mut(self.at) else { return };
        let text = match &token.tok {
            Tok::Quoted(text) => regex::escape(text),
            Tok::Word(word) => regex::escape(word),
            _ => return,
        };
        token.tok = Tok::Quoted(text.into());
    }

    /// A field with its value right behind it: `port 443`; also tcpdump's `src port 443` and `dst host 10.0.0.1`.
    fn juxtaposed(&mut self, word: &str, found: Found, mut span: Range<usize>) -> Result<RawKind<'t>, FilterError> {
        let Found { mut field, transport } = found;
        if matches!(field, Field::SrcAddr | Field::DstAddr)
            && let Some(next) = self.peek_word()
        {
            let is_port = is_keyword(next, "port") || is_keyword(next, "portrange");
            if is_port || ["host", "ip", "net"].iter().any(|word| is_keyword(next, word)) {
                field = match field {
                    Field::SrcAddr if is_port => Field::SrcPort,
                    Field::DstAddr if is_port => Field::DstPort,
                    other => other,
                };
                span.end = self.here().end;
                self.at += 1;
                if let Some((op, loose)) = self.operator(true) {
                    let values = self.values_of(field)?;
                    return Ok(RawKind::Compare { field, field_span: span, transport, op, loose, values });
                }
            }
        }
        if field == Field::Ip
            && self.peek_word().is_some_and(|next| ["host", "net"].iter().any(|word| is_keyword(next, word)))
        {
            // tcpdump's `ip host 10.0.0.1`.
            self.at += 1;
        }
        let follows = match self.peek() {
            Some(Tok::Word(word)) => !is_connective(word),
            Some(Tok::Quoted(_) | Tok::Regex(..) | Tok::OpenList | Tok::Open) => true,
            _ => false,
        };
        if let Some(hint) = self.peek_word().and_then(|next| foreign::after_field(next, field)) {
            return Err(FilterError::new(self.here(), "This is how another tool asks.").hint(hint));
        }
        if !follows {
            let name = field.name();
            if let Some(hint) = self.either_side(field) {
                return Err(
                    FilterError::new(span, format!("`{word}` is a field: expected a value after it.")).hint(hint)
                );
            }
            let message = format!("`{word}` is a field: expected a comparison or a value after it.");
            return Err(FilterError::new(span, message)
                .hint(format!("Write `{word} = …`, or `has {name}` for rows that have it.")));
        }
        let values = self.values_of(field)?;
        Ok(RawKind::Compare { field, field_span: span, transport, op: Op::Eq, loose: true, values })
    }

    /// What to write for tcpdump's `src or dst …`, which stands here after its first word.
    fn either_side(&self, field: Field) -> Option<&'static str> {
        let words = |ahead: usize| match self.tokens.get(self.at + ahead).map(|token| &token.tok) {
            Some(Tok::Word(word)) => *word,
            _ => "",
        };
        let other = Field::named(words(1)).is_some_and(|other| matches!(other, Field::SrcAddr | Field::DstAddr));
        let sides = matches!(field, Field::SrcAddr | Field::DstAddr) && other;
        match words(0).to_ascii_lowercase().as_str() {
            "or" if sides => Some("Write `ip = 10.0.0.1` or `port = 443` for either side."),
            "and" if sides => Some("Write both: `src 10.0.0.1 and dst 10.0.0.1`."),
            _ => None,
        }
    }

    /// The values of `field`; an amount may stand apart from its unit: `10 MB`, `5 min`.
    fn values_of(&mut self, field: Field) -> Result<Vec<RawValue<'t>>, FilterError> {
        let mut values = self.values()?;
        if let [only] = values.as_mut_slice() {
            self.join_unit(only, field.kind());
        }
        Ok(values)
    }

    fn join_unit(&mut self, number: &mut RawValue<'t>, kind: Kind) {
        let is_number =
            number.form == Form::Word && number.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let fits = match kind {
            Kind::Count => value::is_count_unit,
            Kind::Duration => value::is_time_unit,
            _ => return,
        };
        if let Some(unit) = self.peek_word().filter(|unit| is_number && fits(unit)) {
            number.span.end = self.here().end;
            number.text = Cow::Owned(format!("{}{unit}", number.text));
            self.at += 1;
        }
    }

    fn has(&mut self) -> Result<RawKind<'t>, FilterError> {
        let span = self.here();
        let Some(word) = self.peek_word() else {
            return Err(FilterError::new(span, "Expected a field after `has`.").example("has tcp-flags"));
        };
        let field = field_named(word, &span)?.field;
        self.at += 1;
        Ok(RawKind::Has(field, span))
    }

    fn last(&mut self) -> Result<RawKind<'t>, FilterError> {
        match self.peek_word() {
            Some(word) if word.starts_with(|c: char| c.is_ascii_digit()) => {
                let mut length = self.value()?;
                self.join_unit(&mut length, Kind::Duration);
                Ok(RawKind::Last(length))
            }
            // "last hour" is one of it.
            Some(word) if word.len() > 1 && value::is_time_unit(word) => {
                let mut length = self.value()?;
                length.text = Cow::Owned(format!("1{word}"));
                Ok(RawKind::Last(length))
            }
            _ => Err(FilterError::new(self.here(), "Expected a length of time after `last`.").example("last 15m")),
        }
    }

    /// `v`, `v, v`, `{v, v}`, `{v v}`, `(v, v)`.
    fn values(&mut self) -> Result<Vec<RawValue<'t>>, FilterError> {
        let open = self.here();
        let braces = self.take(&Tok::OpenList);
        if !braces && !self.take(&Tok::Open) {
            let mut values = vec![self.value()?];
            while self.take(&Tok::Comma) {
                values.push(self.value()?);
            }
            return Ok(values);
        }
        let close = if braces { Tok::CloseList } else { Tok::Close };
        let mut values = vec![self.value()?];
        while !self.take(&close) {
            let comma = self.take(&Tok::Comma);
            match self.peek() {
                None => return Err(FilterError::new(open, "This list is not closed.")),
                Some(Tok::Word(word)) if is_connective(word) => {
                    return Err(FilterError::new(self.here(), "A list has commas between its values.")
                        .example("port in {22, 443}"));
                }
                Some(_) if comma || braces => values.push(self.value()?),
                Some(_) => return Err(FilterError::new(self.here(), "Expected `,` or `)` in this list.")),
            }
        }
        Ok(values)
    }

    fn value(&mut self) -> Result<RawValue<'t>, FilterError> {
        let span = self.here();
        let (text, form) = match self.peek() {
            Some(Tok::Word(word)) if !is_connective(word) => (Cow::Borrowed(*word), Form::Word),
            Some(Tok::Quoted(text)) => (text.clone(), Form::Quoted),
            Some(Tok::Regex(source, ignore_case)) => {
                (Cow::Borrowed(*source), Form::Regex { ignore_case: *ignore_case })
            }
            Some(Tok::Not) => {
                return Err(FilterError::new(span, "Expected a value; there are no negative ones."));
            }
            Some(_) => {
                return Err(FilterError::new(span.clone(), format!("Expected a value, found `{}`.", &self.text[span])));
            }
            None => return Err(FilterError::new(span, "The filter ends where a value is expected.")),
        };
        self.at += 1;
        Ok(RawValue { text, form, span })
    }
}

/// The field called `name`, or an error with the nearest name there is.
fn field_named(name: &str, span: &Range<usize>) -> Result<Found, FilterError> {
    foreign::field(name).ok_or_else(|| {
        let error = FilterError::new(span.clone(), format!("There is no field `{name}`."));
        if let Some(hint) = foreign::hint(name) {
            return error.hint(hint);
        }
        match suggest::field(name) {
            Some(near) => error.meant(near),
            None => error.hint("Quote it to search the line for it, or see `flowtail fields`."),
        }
    })
}
