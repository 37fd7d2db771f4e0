//! Raw tests to typed ones: values are read by the kind of their field, and what cannot be right is an error with a remedy.
//! What can be right but probably is not (a field of the other kind of row, a code word that does not exist) is a warning.

use std::ops::Range;

use super::doubt;
use super::expr::{Expr, Op, Operand, Pattern, Test};
use super::members::Members;
use super::numbers::{ints, range, thousands};
use super::parse::{Ast, Form, RawKind, RawTest, RawValue};
use super::wording::{alternative, article, mistyped};
use super::words::{self, Meaning, Problem};
use super::{FilterError, Sets, Stage, Warning, foreign, suggest, value};
use crate::record::places::{self, Part};
use crate::record::{Field, Kind, On, services};

/// Checks `ast` for rows of `stage`.
pub(super) fn check(ast: Ast<'_>, stage: Stage, sets: &Sets) -> Result<(Expr, Vec<Warning>), FilterError> {
    let mut checker = Checker { stage, sets, warnings: Vec::new(), contradicts: false };
    let expr = checker.expr(ast)?;
    Ok((expr, checker.warnings))
}

struct Checker<'s> {
    stage: Stage,
    sets: &'s Sets,
    warnings: Vec<Warning>,
    /// Whether what was read last contains tests that contradict each other, which was said.
    contradicts: bool,
}

impl Checker<'_> {
    fn expr(&mut self, ast: Ast<'_>) -> Result<Expr, FilterError> {
        match ast {
            Ast::And(parts) => {
                let (span, before) = (span_of(&parts), self.contradicts);
                self.contradicts = false;
                let expr = Expr::and(self.exprs(parts)?);
                if let Expr::And(parts) = &expr
                    && !self.contradicts
                    && let Some(why) = doubt::contradiction(parts, self.stage)
                {
                    self.warn(span, why);
                    self.contradicts = true;
                }
                self.contradicts |= before;
                Ok(expr)
            }
            Ast::Or(parts) => {
                self.warn_of_precedence(&parts);
                let span = span_of(&parts);
                let expr = Expr::or(self.exprs(parts)?);
                self.warn_of_certainty(&expr, span);
                Ok(expr)
            }
            Ast::Not(inner) => Ok(Expr::negated(self.expr(*inner)?)),
            Ast::Test(test) => self.test(test),
        }
    }

    /// `tcp port 80 or 443`: 443 alone is enough, over any protocol.
    fn warn_of_precedence(&mut self, parts: &[Ast<'_>]) {
        let valued = |ast: &Ast<'_>| match ast {
            Ast::Test(RawTest { kind: RawKind::Compare { field, values, .. }, .. }) => {
                matches!(field.kind(), Kind::Port | Kind::Addr)
                    .then(|| values.last().map(|raw| raw.text.to_string()))?
            }
            Ast::Test(RawTest { kind: RawKind::Bare(values), .. }) => bare_number(values).map(str::to_owned),
            _ => None,
        };
        for pair in parts.windows(2) {
            if let [Ast::And(before), Ast::Test(RawTest { kind: RawKind::Bare(values), span })] = pair
                && let (Some(last), Some(value)) = (before.last().and_then(valued), bare_number(values))
            {
                let message = format!(
                    "`and` binds closer than `or`, so `{value}` alone is enough here. For either of the two write `{last},{value}`."
                );
                self.warn(span.clone(), message);
            }
        }
    }

    fn exprs(&mut self, parts: Vec<Ast<'_>>) -> Result<Vec<Expr>, FilterError> {
        parts.into_iter().map(|part| self.expr(part)).collect()
    }

    fn warn(&mut self, span: Range<usize>, message: String) {
        self.warnings.push(Warning { span, message });
    }

    /// `port != 22 or port != 443` holds for every row that has a port: "and" was meant.
    fn warn_of_certainty(&mut self, expr: &Expr, span: Range<usize>) {
        let Expr::Or(parts) = expr else { return };
        let unequal = parts.iter().filter_map(|part| match part {
            Expr::Test(Test::Compare { field, op: Op::Ne, .. }) => Some(*field),
            Expr::Not(inner) => match &**inner {
                Expr::Test(Test::Compare { field, op: Op::Eq, .. }) => Some(*field),
                _ => None,
            },
            _ => None,
        });
        let mut seen = Vec::new();
        for field in unequal {
            if seen.contains(&field) {
                let name = field.name();
                self.warn(
                    span,
                    format!("`{name} != … or {name} != …` is true of nearly every row: `and` was probably meant."),
                );
                return;
            }
            seen.push(field);
        }
    }

    fn test(&mut self, test: RawTest<'_>) -> Result<Expr, FilterError> {
        match test.kind {
            RawKind::Has(field, span) => {
                self.warn_of_stage(field, &span);
                Ok(Expr::Test(Test::Has(field)))
            }
            RawKind::Last(raw) => {
                if raw.text.bytes().all(|byte| byte.is_ascii_digit()) {
                    let message = format!("`last {}` lacks its unit.", raw.text);
                    return Err(FilterError::new(raw.span, message).meant(&format!("last {}m", raw.text)));
                }
                let seconds = value::duration(&raw.text).ok_or_else(|| {
                    let message = format!("`{}` is no length of time.", raw.text);
                    FilterError::new(raw.span, message).example("last 15m")
                })?;
                Ok(Expr::Test(Test::Last(seconds)))
            }
            RawKind::Not(kind) => Ok(Expr::negated(self.test(RawTest { kind: *kind, span: test.span })?)),
            RawKind::Bare(values) => self.bare(values),
            RawKind::Compare { field, field_span, transport, op, loose, values } => {
                self.warn_of_stage(field, &field_span);
                let compared = self.compare(field, op, loose, &values, test.span.clone())?;
                if let Some(why) = doubt::contradiction(std::slice::from_ref(&compared), self.stage) {
                    self.warn(test.span, why);
                    self.contradicts = true;
                }
                let Some(number) = transport.and_then(services::protocol_number).map(u64::from) else {
                    return Ok(compared);
                };
                let values = vec![Operand::Int(number, number)];
                let transport = Test::Compare { field: Field::Protocol, op: Op::Eq, values };
                Ok(Expr::and([Expr::Test(transport), compared]))
            }
        }
    }

    fn warn_of_stage(&mut self, field: Field, span: &Range<usize>) {
        if let Some((part, _)) = places::asks(field)
            && !places::tells(part)
        {
            let what = if part == Part::Country { "countries" } else { "autonomous systems" };
            let message = format!("No database of {what} is given, so this test matches nothing: --geo FILE.mmdb.");
            return self.warn(span.clone(), message);
        }
        let only = match (field.def().on, self.stage) {
            (On::Flows, Stage::Sessions) => "flow records",
            (On::Sessions, Stage::Flows) => "sessions",
            _ => return,
        };
        self.warn(span.clone(), format!("Only {only} have `{}`: here this test matches nothing.", field.name()));
    }

    /// Values without a field. Those of one field are one test; others are joined by "or", as a comma says.
    fn bare(&mut self, values: Vec<RawValue<'_>>) -> Result<Expr, FilterError> {
        let mut parts: Vec<Expr> = Vec::new();
        for raw in values {
            let part = match raw.form {
                Form::Quoted if raw.text.is_empty() => {
                    return Err(FilterError::new(raw.span, "Expected text between the quotes."));
                }
                Form::Quoted => Expr::Test(Test::Contains(raw.text.into_owned())),
                Form::Regex { .. } => Expr::Test(Test::Matches(pattern(&raw)?)),
                Form::Word | Form::Range => match words::meaning(&raw.text, self.stage, self.sets) {
                    Err(problem) => return Err(at(raw.span, problem)),
                    Ok(Meaning::Expr(expr)) => {
                        let mut only = None;
                        expr.tests(&mut |test| {
                            if let Test::Compare { field, .. } = test {
                                only = only.or(Some(*field));
                            }
                        });
                        if let Some(field) = only {
                            self.warn_of_stage(field, &raw.span);
                        }
                        expr
                    }
                    Ok(Meaning::Text(text, near)) => {
                        if let Some(near) = near {
                            self.warn(raw.span, format!("Searches the line for `{text}`. Did you mean `{near}`?"));
                        } else if doubt::looks_like_a_pattern(&text) {
                            let message = format!(
                                "Searches the line for `{text}` as it is written. A regular expression stands between slashes: `/{text}/`."
                            );
                            self.warn(raw.span, message);
                        }
                        Expr::Test(Test::Contains(text))
                    }
                    Ok(Meaning::Value(field, operands)) => {
                        self.warn_of_stage(field, &raw.span);
                        if let Some(Expr::Test(Test::Compare { field: last, values, .. })) = parts.last_mut()
                            && *last == field
                        {
                            values.extend(operands);
                            continue;
                        }
                        Expr::Test(Test::Compare { field, op: Op::Eq, values: operands })
                    }
                },
            };
            parts.push(part);
        }
        Ok(Expr::or(parts))
    }

    fn compare(
        &mut self,
        field: Field,
        op: Op,
        loose: bool,
        raws: &[RawValue<'_>],
        span: Range<usize>,
    ) -> Result<Expr, FilterError> {
        let kind = field.kind();
        let op = match (kind, op) {
            // `srcaddr like '10.0.%'` asks for a network.
            (Kind::Addr, Op::Like | Op::Unlike) if raws.iter().all(|raw| doubt::network_of(raw).is_some()) => {
                let networks: Vec<RawValue<'_>> = raws.iter().filter_map(doubt::network_of).collect();
                let op = if op == Op::Like { Op::Eq } else { Op::Ne };
                return self.compare(field, op, loose, &networks, span);
            }
            (_, op) => op,
        };
        if matches!(op, Op::Like | Op::Unlike) {
            let [raw] = raws else {
                return Err(FilterError::new(span, "`~` takes one pattern.").example("vpc ~ /^vpc-0a|^vpc-0b/"));
            };
            let operand = match kind {
                // A word is a value, of which the case never matters; between slashes it does.
                Kind::Text => Operand::Pattern(pattern(raw)?),
                Kind::Flags => self.operands(field, op, false, raw)?.remove(0),
                _ => {
                    let message = format!("`~` matches text, and `{}` is {}.", field.name(), article(kind));
                    return Err(FilterError::new(span, message).hint(alternative(kind)));
                }
            };
            return Ok(Expr::Test(Test::Compare { field, op, values: vec![operand] }));
        }
        if op.is_order() && matches!(kind, Kind::Text | Kind::Addr) {
            let message = format!(
                "`{}` is {}, which has no order: `{}` cannot be asked.",
                field.name(),
                article(kind),
                op.as_str()
            );
            return Err(FilterError::new(span, message).hint(alternative(kind)));
        }
        let mut op = op;
        let mut values = Vec::new();
        for raw in raws {
            if let Form::Regex { .. } = raw.form {
                if kind != Kind::Text || raws.len() > 1 {
                    let message = "A regular expression stands alone, for a field of text.";
                    return Err(FilterError::new(raw.span.clone(), message).example("vpc ~ /^vpc-0a|^vpc-0b/"));
                }
                op = if op == Op::Ne { Op::Unlike } else { Op::Like };
                values.push(Operand::Pattern(pattern(raw)?));
            } else {
                values.extend(self.operands(field, op, loose, raw)?);
            }
        }
        let single = match values.as_slice() {
            [Operand::Int(from, to)] => from == to,
            [Operand::Float(from, to)] => from.total_cmp(to).is_eq(),
            _ => false,
        };
        if op.is_order() && !single {
            let message = format!("`{}` compares with one number.", op.as_str());
            let error = FilterError::new(span, message);
            return Err(match thousands(raws) {
                Some(number) => {
                    error.hint(format!("Write it without commas: `{} {} {number}`.", field.name(), op.as_str()))
                }
                None => error.example("dstport >= 1024"),
            });
        }
        Ok(Expr::Test(Test::Compare { field, op, values }))
    }

    /// What `raw` stands for as a value of `field`. Mostly one operand; a service can have several ports.
    fn operands(&mut self, field: Field, op: Op, loose: bool, raw: &RawValue<'_>) -> Result<Vec<Operand>, FilterError> {
        let (kind, text) = (field.kind(), &*raw.text);
        if raw.form == Form::Word && text.starts_with(['$', '@']) && matches!(kind, Kind::Addr | Kind::Port) {
            let set = words::named_set(text, self.sets).map_err(|problem| at(raw.span.clone(), problem))?;
            if matches!(set.members, Members::Addrs(_)) != (kind == Kind::Addr) {
                let holds = if kind == Kind::Addr { "ports" } else { "addresses" };
                let message = format!("`{}` holds {holds}, and `{}` is {}.", set.name, field.name(), article(kind));
                return Err(FilterError::new(raw.span.clone(), message));
            }
            return Ok(vec![Operand::Set(set)]);
        }
        let operand = match kind {
            Kind::Addr => match value::addresses(text) {
                Some(Ok((from, to))) => Operand::Addr(from, to),
                Some(Err(why)) => return Err(FilterError::new(raw.span.clone(), format!("Not an address: {why}."))),
                None => return Err(mistyped(field, raw)),
            },
            Kind::Text => self.text(field, op, loose, raw)?,
            Kind::Ratio => {
                let (from, to) = range(text, false).unwrap_or((text, text));
                match (value::ratio(from), value::ratio(to)) {
                    (Some(from), Some(to)) if from <= to => Operand::Float(from, to),
                    _ => return Err(mistyped(field, raw)),
                }
            }
            Kind::Port if !services::ports_of(foreign::service(text).unwrap_or(text)).is_empty() => {
                let service = foreign::service(text).unwrap_or(text);
                let ports =
                    services::ports_of(service).into_iter().map(|(port, _)| Operand::Int(port.into(), port.into()));
                let mut ports: Vec<Operand> = ports.collect();
                ports.dedup();
                return Ok(ports);
            }
            _ => ints(field, raw)?,
        };
        Ok(vec![operand])
    }

    fn text(&mut self, field: Field, op: Op, loose: bool, raw: &RawValue<'_>) -> Result<Operand, FilterError> {
        let text = &*raw.text;
        if raw.form == Form::Range {
            let message = format!("`{}` is text, which has no order: it has no ranges.", field.name());
            return Err(FilterError::new(raw.span.clone(), message).hint(alternative(Kind::Text)));
        }
        if raw.form == Form::Word && text.contains('*') {
            if text.starts_with(['-', ':']) {
                return Err(FilterError::new(
                    raw.span.clone(),
                    "A pattern with `*` begins with a letter, a digit or `*`.",
                ));
            }
            return Ok(Operand::Glob(text.to_owned()));
        }
        if loose
            && op == Op::Eq
            && raw.form == Form::Word
            && let Some((_, operand)) = words::id(text)
        {
            return Ok(operand);
        }
        if let Some(code) = self.code_for(field, text) {
            return Ok(Operand::Word(code.to_owned()));
        }
        self.warn_of_unknown(field, raw);
        Ok(Operand::Word(text.to_owned()))
    }

    /// What this field holds where `text` is said elsewhere: REJECT for `blocked`.
    fn code_for(&self, field: Field, text: &str) -> Option<&'static str> {
        if field == Field::Service {
            return foreign::service(text);
        }
        let known = words::code_words(field, self.stage);
        if known.iter().any(|name| name.eq_ignore_ascii_case(text)) {
            return None;
        }
        let code = foreign::code(text)?;
        known.iter().find(|name| name.eq_ignore_ascii_case(code)).copied()
    }

    /// A word that this field never holds.
    fn warn_of_unknown(&mut self, field: Field, raw: &RawValue<'_>) {
        let known = words::code_words(field, self.stage);
        let text = &*raw.text;
        if matches!(field, Field::Country | Field::SrcCountry | Field::DstCountry) {
            if text.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                let message = format!("`{}` holds codes of two letters, such as KR, and never `{text}`.", field.name());
                self.warn(raw.span.clone(), message);
            }
            return;
        }
        let (exists, near) = if field == Field::Service {
            let exists = services::service_names().any(|name| name.eq_ignore_ascii_case(text));
            (exists, suggest::nearest(text, services::service_names()))
        } else if known.is_empty() {
            return;
        } else {
            let exists = known.iter().any(|name| name.eq_ignore_ascii_case(text));
            (exists, suggest::nearest(text, known.iter().copied()))
        };
        if exists {
            return;
        }
        let remedy = match near {
            Some(near) => format!("Did you mean `{near}`?"),
            None if known.is_empty() => "`port = …` asks for a number.".to_owned(),
            None => format!("It is one of {}.", known.join(", ")),
        };
        self.warn(raw.span.clone(), format!("`{}` is never `{text}`. {remedy}", field.name()));
    }
}

/// The text of a single bare value that is a number or an address.
fn bare_number<'r>(values: &'r [RawValue<'_>]) -> Option<&'r str> {
    match values {
        [RawValue { text, form: Form::Word, .. }] if text.starts_with(|c: char| c.is_ascii_digit()) => Some(&**text),
        _ => None,
    }
}

fn at(span: Range<usize>, problem: Problem) -> FilterError {
    FilterError { span, message: problem.message, hint: problem.hint }
}

fn span_of(parts: &[Ast<'_>]) -> Range<usize> {
    fn ends(ast: &Ast<'_>) -> Range<usize> {
        match ast {
            Ast::And(parts) | Ast::Or(parts) => span_of(parts),
            Ast::Not(inner) => ends(inner),
            Ast::Test(test) => test.span.clone(),
        }
    }
    let start = parts.first().map_or(0, |part| ends(part).start);
    start..parts.last().map_or(start, |part| ends(part).end)
}

fn pattern(raw: &RawValue<'_>) -> Result<Pattern, FilterError> {
    let ignore_case = !matches!(raw.form, Form::Regex { ignore_case: false });
    Pattern::new(&raw.text, ignore_case)
        .map_err(|why| FilterError::new(raw.span.clone(), format!("Not a regular expression: {why}.")))
}
