//! One test and its values: what stands between the words that join tests.

use std::borrow::Cow;
use std::ops::Range;

use super::{Form, Parser, RawKind, RawValue, is_connective, is_keyword, split_colon};
use crate::filter::expr::Op;
use crate::filter::foreign::{self, Found};
use crate::filter::lex::{Tok, Token};
use crate::filter::{FilterError, suggest, value};
use crate::record::{Field, Kind};

impl<'t> Parser<'t> {
    pub(super) fn word_test(&mut self, word: &'t str) -> Result<RawKind<'t>, FilterError> {
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
        if foreign::names_a_packet(word) {
            let error = FilterError::new(span, format!("There is no field `{word}`."));
            let quoted = "Quote it to search the line for it, or see `flowtail fields`.";
            return Err(error.hint(foreign::hint(word).unwrap_or(quoted)));
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
    pub(super) fn values(&mut self) -> Result<Vec<RawValue<'t>>, FilterError> {
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
