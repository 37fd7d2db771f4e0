//! What other tools write as a test: functions, SQL's words, ranges in brackets, ports with their transport, the ends of a flow with an arrow.

use std::borrow::Cow;
use std::ops::Range;

use super::{Ast, Form, Parser, RawKind, RawTest, RawValue, is_connective, is_keyword};
use crate::filter::expr::Op;
use crate::filter::foreign::{self, Found, Function};
use crate::filter::lex::{Tok, Token};
use crate::filter::{FilterError, value};
use crate::record::{Field, Kind};

impl<'t> Parser<'t> {
    /// The test that `word`, which stands here, begins in another tool; `None` where it is none of these, and nothing is read.
    pub(super) fn borrowed(&mut self, word: &'t str) -> Result<Option<RawKind<'t>>, FilterError> {
        let span = self.here();
        if let Some((transport, port)) = foreign::transport_port(word) {
            self.at += 1;
            let value = RawValue { text: Cow::Borrowed(port), form: Form::Word, span: span.clone() };
            let mut values = vec![value];
            while self.take(&Tok::Comma) {
                values.push(self.value()?);
            }
            let (field, transport) = (Field::Port, Some(transport));
            return Ok(Some(RawKind::Compare { field, field_span: span, op: Op::Eq, transport, loose: true, values }));
        }
        if foreign::is_line(word) {
            return Ok(self.of_the_line());
        }
        let called = matches!(self.tokens.get(self.at + 1), Some(Token { tok: Tok::Open, span: open }) if open.start == span.end);
        let indexed = matches!(self.tokens.get(self.at + 1), Some(Token { tok: Tok::OpenList, span: open }) if open.start == span.end);
        if indexed && foreign::names_a_packet(&format!("{word}.x")) {
            let error = FilterError::new(
                span,
                format!("`{word}[…]` asks for bytes of a packet, and a flow record keeps none."),
            );
            return Err(error.hint("Flags are asked for with `flags ~ syn`."));
        }
        match foreign::function(word).filter(|_| called) {
            Some(function) => Ok(self.call(function)),
            None => Ok(None),
        }
    }

    /// `@message like /…/`, which is what a pattern alone asks.
    fn of_the_line(&mut self) -> Option<RawKind<'t>> {
        let start = self.at;
        self.at += 1;
        let op = match self.peek() {
            Some(Tok::Op(op @ (Op::Like | Op::Unlike))) => Some(*op),
            Some(Tok::Word(word)) if foreign::operator(word) == Some(Op::Like) => Some(Op::Like),
            Some(Tok::Word(word)) if is_keyword(word, "not") => {
                self.at += 1;
                self.peek_word().filter(|word| foreign::operator(word) == Some(Op::Like)).map(|_| Op::Unlike)
            }
            _ => None,
        };
        self.at += 1;
        let value = op.and_then(|_| self.value().ok()).filter(|value| value.form != Form::Word);
        let (Some(op), Some(value)) = (op, value) else {
            self.at = start;
            return None;
        };
        let bare = RawKind::Bare(vec![value]);
        Some(if op == Op::Like { bare } else { RawKind::Not(Box::new(bare)) })
    }

    /// A function that is a test, at its name. Where its arguments are not those of the table, nothing is read, and the word is told about.
    fn call(&mut self, function: Function) -> Option<RawKind<'t>> {
        let start = self.at;
        self.at += 1;
        let Ok(mut args) = self.values() else {
            self.at = start;
            return None;
        };
        let place = args.iter().position(|arg| foreign::field(&arg.text).is_some());
        let line = args.iter().position(|arg| foreign::is_line(&arg.text));
        let test = match (function, place.or(line), args.len()) {
            (Function::Has | Function::Lacks, Some(at), 1) if place.is_some() => {
                let arg = args.remove(at);
                foreign::field(&arg.text).map(|found| {
                    let has = RawKind::Has(found.field, arg.span);
                    if function == Function::Has { has } else { RawKind::Not(Box::new(has)) }
                })
            }
            (Function::Subnet | Function::Contains | Function::Matches, Some(at), 2) => {
                let arg = args.remove(at);
                let mut other = args.remove(0);
                if line.is_some() {
                    (function != Function::Subnet && other.form != Form::Word).then(|| {
                        if function == Function::Matches {
                            other.form = Form::Regex { ignore_case: false };
                        }
                        RawKind::Bare(vec![other])
                    })
                } else {
                    let op = if function == Function::Subnet { Op::Eq } else { Op::Like };
                    if function == Function::Contains {
                        other.text = Cow::Owned(regex::escape(&other.text));
                    }
                    foreign::field(&arg.text).map(|Found { field, transport }| RawKind::Compare {
                        field,
                        field_span: arg.span,
                        op,
                        transport,
                        loose: false,
                        values: vec![other],
                    })
                }
            }
            _ => None,
        };
        if test.is_none() {
            self.at = start;
        }
        test
    }

    /// The words of SQL and of speech behind a field: `between 1 and 5`, `is null`, `is 443`, `not 443`; `flags has syn`. `None` where none of
    /// them stands here, and nothing is read.
    pub(super) fn in_words(
        &mut self,
        found: Found,
        field_span: &Range<usize>,
    ) -> Result<Option<RawKind<'t>>, FilterError> {
        let Found { field, transport } = found;
        let start = self.at;
        let is = self.take_keyword("is");
        let not = self.take_keyword("not");
        let op = if not { Op::Ne } else { Op::Eq };
        if is && self.take_keyword("null") {
            let has = RawKind::Has(field, field_span.clone());
            return Ok(Some(if not { has } else { RawKind::Not(Box::new(has)) }));
        }
        if self.take_keyword("between") {
            let from = self.value()?;
            if !self.take_keyword("and") && !self.take(&Tok::And) {
                let error = FilterError::new(self.here(), "Expected `and` and the upper end of the range.");
                return Err(error.example(&format!("{} = 1-5", field.name())));
            }
            let to = self.value()?;
            let values = vec![joined(&from, &to)];
            let field_span = field_span.clone();
            return Ok(Some(RawKind::Compare { field, field_span, op, transport, loose: false, values }));
        }
        if field.kind() == Kind::Flags && !is && !not && self.take_keyword("has") {
            return self.compared(found, field_span.clone(), Op::Like, false).map(Some);
        }
        let value = match self.peek() {
            Some(Tok::Word(word)) => {
                !is_connective(word) && !is_keyword(word, "in") && foreign::operator(word).is_none()
            }
            Some(Tok::Quoted(_) | Tok::OpenList | Tok::Open) => true,
            _ => false,
        };
        if (is || not) && value {
            return self.compared(found, field_span.clone(), op, false).map(Some);
        }
        self.at = start;
        Ok(None)
    }

    /// The rest of `[1 TO 1024]`, after its first value; the bracket is at byte `open`.
    pub(super) fn range_to(&mut self, from: &RawValue<'t>, open: usize) -> Result<Option<RawValue<'t>>, FilterError> {
        if !self.take_keyword("to") {
            return Ok(None);
        }
        let to = self.value()?;
        let span = from.span.start..to.span.end;
        if from.text == "*" || to.text == "*" {
            return Err(
                FilterError::new(span, "A range has two ends.").hint("Write `>=` or `<=` for one that is open.")
            );
        }
        if self.text.as_bytes().get(open) == Some(&b'{') {
            let error = FilterError::new(span, "Braces leave the ends of this range out, where it comes from.");
            return Err(error.hint(format!("Both ends are included in `{}-{}`.", from.text, to.text)));
        }
        Ok(Some(joined(from, &to)))
    }

    /// A comma between tests, as in `src=10.0.0.1, dst=10.0.0.2`.
    pub(super) fn not_a_test_behind_the_comma(&self) -> Result<(), FilterError> {
        let Some(Token { tok: Tok::Word(word), .. }) = self.tokens.get(self.at + 1) else { return Ok(()) };
        let compared = matches!(self.tokens.get(self.at + 2), Some(Token { tok: Tok::Op(_) | Tok::Colon, .. }));
        let field = match super::split_colon(word) {
            Some((name, _)) => foreign::field(name).is_some(),
            None => compared && foreign::field(word).is_some(),
        };
        if field {
            return Err(FilterError::new(self.here(), "A comma stands between values, not between tests.")
                .hint("Write `and` or `or`."));
        }
        Ok(())
    }

    /// `timestamp '2018-08-20 15:26'`: the type says nothing that the field does not.
    pub(super) fn typed_literal(&mut self) {
        let typed = self.peek_word().is_some_and(|word| is_keyword(word, "timestamp") || is_keyword(word, "date"));
        if typed && matches!(self.tokens.get(self.at + 1), Some(Token { tok: Tok::Quoted(_), .. })) {
            self.at += 1;
        }
    }

    /// A date and its time of day apart: `2018-08-20 15:26`.
    pub(super) fn join_time(&mut self, date: &mut RawValue<'t>) {
        let is_date = date.form == Form::Word && date.text.len() == 10 && value::looks_like_date(&date.text);
        let is_time = |word: &&str| value::time_of_day(word.trim_end_matches(['Z', 'z'])).is_some();
        if let Some(time) = self.peek_word().filter(|word| is_date && is_time(word)) {
            date.span.end = self.here().end;
            date.text = Cow::Owned(format!("{}T{time}", date.text));
            self.at += 1;
        }
    }

    /// tcpdump's `net 192.168.0.0 mask 255.255.0.0`.
    pub(super) fn join_mask(&mut self, base: &mut RawValue<'t>) {
        let asked = self.peek_word().is_some_and(|word| is_keyword(word, "mask") || is_keyword(word, "netmask"));
        if let Some(Token { tok: Tok::Word(mask), span }) = self.tokens.get(self.at + 1).filter(|_| asked) {
            base.span.end = span.end;
            base.text = Cow::Owned(format!("{}/{mask}", base.text));
            self.at += 2;
        }
    }

    /// The arrow of a flow, which stands here, and where it goes: `10.0.0.1 -> 10.0.0.2:53`; `any` may stand on a side.
    pub(super) fn flow(&mut self, source: Option<RawValue<'t>>) -> Result<Ast<'t>, FilterError> {
        let arrow = self.here();
        self.at += 1;
        let destination = self.value()?;
        let mut parts = Vec::new();
        for (end, address, port) in source.map(|end| (end, Field::SrcAddr, Field::SrcPort)).into_iter().chain([(
            destination,
            Field::DstAddr,
            Field::DstPort,
        )]) {
            let mut test = |field, text: Cow<'t, str>| {
                let span = end.span.clone();
                let values = vec![RawValue { text, form: end.form, span: span.clone() }];
                let kind = RawKind::Compare {
                    field,
                    field_span: span.clone(),
                    op: Op::Eq,
                    transport: None,
                    loose: true,
                    values,
                };
                parts.push(Ast::Test(RawTest { kind, span }));
            };
            if is_keyword(&end.text, "any") || end.text == "*" {
                continue;
            }
            let socket = value::socket(&end.text);
            if let Some((ip, number)) = socket {
                test(address, Cow::Owned(ip.to_string()));
                test(port, Cow::Owned(number.to_string()));
            } else if value::ports(&end.text).is_some() {
                test(port, end.text.clone());
            } else {
                test(address, end.text.clone());
            }
        }
        match parts.len() {
            0 => Err(FilterError::new(arrow, "From anywhere to anywhere is every row.").example("10.0.0.1 -> any")),
            1 => Ok(parts.remove(0)),
            _ => Ok(Ast::And(parts)),
        }
    }
}

fn joined<'t>(from: &RawValue<'t>, to: &RawValue<'t>) -> RawValue<'t> {
    let text = Cow::Owned(format!("{}..{}", from.text, to.text));
    RawValue { text, form: Form::Range, span: from.span.start..to.span.end }
}
