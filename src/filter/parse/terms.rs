//! One test and its values: what stands between the words that join tests.

use std::borrow::Cow;
use std::ops::Range;

use super::{Form, Parser, RawKind, RawValue, is_connective, is_keyword, split_colon};
use crate::filter::expr::Op;
use crate::filter::foreign::{self, Found};
use crate::filter::lex::{Tok, Token};
use crate::filter::{FilterError, suggest, value, words};
use crate::record::{Field, Kind};

impl<'t> Parser<'t> {
    pub(super) fn word_test(&mut self, word: &'t str) -> Result<RawKind<'t>, FilterError> {
        let span = self.here();
        if is_connective(word) || is_keyword(word, "in") {
            return Err(FilterError::new(span, format!("Expected a test before `{word}`.")));
        }
        if let Some(kind) = self.borrowed(word)? {
            return Ok(kind);
        }
        if let Some((name, rest)) = split_colon(word) {
            return self.colon_test(name, rest, span.start);
        }
        self.at += 1;
        if is_keyword(word, "has") || is_keyword(word, "last") {
            return if is_keyword(word, "has") { self.has() } else { self.last() };
        }
        let found = foreign::field(word);
        if let Some(found) = found
            && let Some(kind) = self.in_words(found, &span)?
        {
            return Ok(kind);
        }
        if let Some((op, loose)) = self.operator(found.is_some()) {
            let found = field_named(word, &span).map_err(|error| self.the_wrong_way_round(word, op, error))?;
            return self.compared(found, span, op, loose);
        }
        if let Some(found) = found {
            return self.juxtaposed(word, found, span);
        }
        self.at -= 1;
        if foreign::operator(word).is_some() {
            return Err(FilterError::new(span, format!("`{word}` stands behind a field."))
                .hint("Quote it to search the line for it."));
        }
        let called = matches!(self.tokens.get(self.at + 1), Some(Token { tok: Tok::Open, span: open }) if open.start == span.end);
        if let Some(hint) = foreign::word(word, called) {
            return Err(FilterError::new(span, format!("`{word}` means nothing here.")).hint(hint));
        }
        if foreign::names_a_packet(word) {
            let error = FilterError::new(span, format!("There is no field `{word}`."));
            let quoted = "Quote it to search the line for it, or see `flowtail fields`.";
            return Err(error.hint(foreign::hint(word).unwrap_or(quoted)));
        }
        if word.starts_with('*') && word.bytes().all(|byte| matches!(byte, b'*' | b':')) {
            return Err(FilterError::new(span, "A star alone is every row.").hint("No filter shows all of them."));
        }
        Ok(RawKind::Bare(self.values()?))
    }

    /// The rest of a comparison, of which field and operator are read.
    pub(super) fn compared(
        &mut self,
        found: Found,
        field_span: Range<usize>,
        op: Op,
        loose: bool,
    ) -> Result<RawKind<'t>, FilterError> {
        let Found { field, transport } = found;
        let values = self.values_of(field)?;
        // In some tools a star is any value.
        if let ([RawValue { text, form: Form::Word, .. }], Op::Eq | Op::Ne) = (values.as_slice(), op)
            && text == "*"
            && field.kind() != Kind::Text
        {
            let has = RawKind::Has(field, field_span);
            return Ok(if op == Op::Eq { has } else { RawKind::Not(Box::new(has)) });
        }
        Ok(RawKind::Compare { field, field_span, transport, op, loose, values })
    }

    /// What to say of `1024 < port`, which names a value where the field stands.
    fn the_wrong_way_round(&self, word: &str, op: Op, error: FilterError) -> FilterError {
        // What begins with a digit is no field that was misspelled.
        let Some(next) = self.peek_word().filter(|_| word.starts_with(|c: char| c.is_ascii_digit())) else {
            return error;
        };
        if word.parse::<std::net::IpAddr>().is_ok() && next.parse::<std::net::IpAddr>().is_ok() {
            return error.hint(format!("Write `{word} -> {next}`, or `src {word} dst {next}`."));
        }
        let turned = match op {
            Op::Lt => Op::Gt,
            Op::Le => Op::Ge,
            Op::Gt => Op::Lt,
            Op::Ge => Op::Le,
            other => other,
        };
        match foreign::field(next) {
            Some(_) => error.hint(format!("The field comes first: `{next} {} {word}`.", turned.as_str())),
            None => error,
        }
    }

    /// `field:value` in one word, or `field:` with the value after it.
    fn colon_test(&mut self, name: &'t str, rest: &'t str, start: usize) -> Result<RawKind<'t>, FilterError> {
        let field_span = start..start + name.len();
        let found = field_named(name, &field_span)?;
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
        self.compared(found, field_span, op, loose)
    }

    /// The operator that stands here, and whether it is the colon. Words of other tools count behind a field only.
    pub(super) fn operator(&mut self, behind_field: bool) -> Option<(Op, bool)> {
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

    /// After `like` and `contains` a text is found as it is written, not as a pattern; where it has SQL's `%`, that is any text, and the whole is meant.
    fn literal(&mut self) {
        let Some(token) = self.tokens.get_mut(self.at) else { return };
        let text = match &token.tok {
            Tok::Quoted(text) => &**text,
            Tok::Word(word) => word,
            _ => return,
        };
        let pattern = if text.contains('%') {
            let parts: Vec<String> = text.split('%').map(|part| regex::escape(part).replace('_', ".")).collect();
            format!("^{}$", parts.join(".*"))
        } else {
            regex::escape(text)
        };
        token.tok = Tok::Quoted(pattern.into());
    }

    /// The values of `field`; an amount may stand apart from its unit: `10 MB`, `5 min`.
    pub(super) fn values_of(&mut self, field: Field) -> Result<Vec<RawValue<'t>>, FilterError> {
        if field.kind() == Kind::Time {
            self.typed_literal();
        }
        let mut values = self.values()?;
        if let [only] = values.as_mut_slice() {
            match field.kind() {
                Kind::Time => self.join_time(only),
                Kind::Addr => self.join_mask(only),
                kind => self.join_unit(only, kind)?,
            }
        }
        Ok(values)
    }

    fn join_unit(&mut self, number: &mut RawValue<'t>, kind: Kind) -> Result<(), FilterError> {
        let is_number =
            number.form == Form::Word && number.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let (fits, units): (fn(&str) -> bool, _) = match kind {
            Kind::Count => (value::is_count_unit, "`k`, `M`, `GiB` or the like"),
            Kind::Duration => (value::is_time_unit, "`s`, `m`, `h`, `d` or `w`"),
            _ => return Ok(()),
        };
        let Some(unit) = self.peek_word().filter(|_| is_number) else { return Ok(()) };
        if fits(unit) {
            number.span.end = self.here().end;
            number.text = Cow::Owned(format!("{}{unit}", number.text));
            self.at += 1;
        } else if unit.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !is_connective(unit)
            && foreign::field(unit).is_none()
            && !self.begins_a_test(unit)
            && words::means_nothing(unit)
        {
            let error = FilterError::new(self.here(), format!("`{unit}` is no unit here."));
            return Err(error.hint(format!("Write {units}, or quote it to search the line.")));
        }
        Ok(())
    }

    /// Whether `word`, which stands here and names nothing, begins a test or a part of another tool's query all the same.
    fn begins_a_test(&self, word: &str) -> bool {
        let compared =
            matches!(self.tokens.get(self.at + 1), Some(Token { tok: Tok::Op(_) | Tok::Colon | Tok::Open, .. }));
        compared
            || is_keyword(word, "has")
            || is_keyword(word, "last")
            || foreign::word(word, false).is_some()
            || foreign::operator(word).is_some()
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
                self.join_unit(&mut length, Kind::Duration)?;
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

    /// `v`, `v, v`, `{v, v}`, `{v v}`, `(v, v)`, `(v or v)`, `[v TO v]`.
    pub(super) fn values(&mut self) -> Result<Vec<RawValue<'t>>, FilterError> {
        let open = self.here();
        let braces = self.take(&Tok::OpenList);
        if !braces && !self.take(&Tok::Open) {
            let mut values = vec![self.value()?];
            while self.peek() == Some(&Tok::Comma) {
                self.not_a_test_behind_the_comma()?;
                self.at += 1;
                values.push(self.value()?);
            }
            return Ok(values);
        }
        let close = if braces { Tok::CloseList } else { Tok::Close };
        let mut values = vec![self.value()?];
        if braces && let Some(range) = self.range_to(&values[0], open.start)? {
            values = vec![range];
        }
        while !self.take(&close) {
            let comma = self.take(&Tok::Comma) || self.take(&Tok::Or) || self.take_keyword("or");
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

    pub(super) fn value(&mut self) -> Result<RawValue<'t>, FilterError> {
        let span = self.here();
        let (text, form) = match self.peek() {
            Some(Tok::Word(word)) if !is_connective(word) => (Cow::Borrowed(*word), Form::Word),
            Some(Tok::Quoted(text)) => (text.clone(), Form::Quoted),
            Some(Tok::Regex(source, ignore_case)) => {
                (Cow::Borrowed(*source), Form::Regex { ignore_case: *ignore_case })
            }
            Some(Tok::Not) if self.text[span.clone()].starts_with('!') => {
                return Err(FilterError::new(span, "Expected a value.").hint("To exclude one, write `port != 443`."));
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
        if foreign::names_a_packet(name) {
            return error
                .hint("A flow record is a sum over packets and keeps no fields of theirs; see `flowtail fields`.");
        }
        match suggest::field(name) {
            Some(near) => error.meant(near),
            None => error.hint("Quote it to search the line for it, or see `flowtail fields`."),
        }
    })
}
