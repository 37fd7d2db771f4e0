//! Tokens to a tree of raw tests: precedence, juxtaposition and lists, by recursive descent. Fields are recognised here, since
//! a word is a field or a value by where it stands; values stay text until `check` knows the field they are for.

mod borrowed;
mod juxtaposed;
mod terms;

use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::ops::Range;

use super::FilterError;
use super::expr::Op;
use super::foreign;
use super::lex::{Tok, Token, lex};
use crate::record::Field;

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
    /// The complement of another, where one word says both: `is null`.
    Not(Box<RawKind<'t>>),
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
    Regex {
        ignore_case: bool,
    },
    /// Two values as one, `from..to`.
    Range,
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
    // `filter`, `where` and `search` go before the condition elsewhere.
    let at = match tokens.as_slice() {
        [Token { tok: Tok::Word(first), .. }, Token { tok: next, .. }, ..]
            if foreign::introduces(first) && !matches!(next, Tok::Op(_) | Tok::Colon) =>
        {
            1
        }
        _ => 0,
    };
    let mut parser = Parser { text, tokens, at, depth: 0 };
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
        let operator = matches!(self.peek(), Some(Tok::Op(_) | Tok::Colon)).then(|| &self.text[span.clone()]);
        let error = FilterError::new(span, message);
        match (operator, self.field_before()) {
            (None, _) => error,
            (Some(_), None) => error.example("bytes > 1000"),
            // `port > 1024 and < 2048`
            (Some(operator), Some(field)) => error.hint(format!("Name it again: `{field} {operator} …`.")),
        }
    }

    /// The field that was asked for last.
    fn field_before(&self) -> Option<&'t str> {
        self.tokens[..self.at.min(self.tokens.len())].iter().rev().find_map(|token| match token.tok {
            Tok::Word(word) => foreign::field(word).map(|_| word),
            _ => None,
        })
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
                Some(Tok::Quoted(_) | Tok::Regex(..) | Tok::Open | Tok::OpenList | Tok::Not | Tok::Arrow) => {
                    parts.push(self.not()?);
                }
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
            Some(Tok::Quoted(Cow::Borrowed(name))) if self.names_a_field(name) => {
                let name = *name;
                self.word_test(name)?
            }
            Some(Tok::Quoted(_) | Tok::Regex(..) | Tok::OpenList) => RawKind::Bare(self.values()?),
            Some(Tok::Arrow) => return self.flow(None),
            _ => return Err(self.unexpected()),
        };
        if let RawKind::Bare(values) = &kind
            && let [source] = values.as_slice()
            && self.peek() == Some(&Tok::Arrow)
        {
            let source = source.clone();
            return self.flow(Some(source));
        }
        Ok(Ast::Test(RawTest { kind, span: start..self.behind() }))
    }

    /// Whether the string that stands here is a field in the quotes of SQL: `"srcaddr" = '10.0.0.1'`.
    fn names_a_field(&self, name: &str) -> bool {
        let compared = matches!(self.tokens.get(self.at + 1), Some(Token { tok: Tok::Op(_), .. }));
        compared && foreign::field(name).is_some()
    }
}
