//! Raw tests to typed ones: values are read by the kind of their field, and what cannot be right is an error with a remedy.
//! What can be right but probably is not (a field of the other kind of row, a code word that does not exist) is a warning.

use std::ops::Range;

use super::expr::{Expr, Op, Operand, Pattern, Test};
use super::members::Members;
use super::parse::{Ast, Form, RawKind, RawTest, RawValue};
use super::wording::{alternative, article, mistyped};
use super::words::{self, Meaning, Problem};
use super::{FilterError, Sets, Stage, Warning, suggest, value};
use crate::record::{Field, Kind, On, services};

/// Checks `ast` for rows of `stage`.
pub(super) fn check(ast: Ast<'_>, stage: Stage, sets: &Sets) -> Result<(Expr, Vec<Warning>), FilterError> {
    let mut checker = Checker { stage, sets, warnings: Vec::new() };
    let expr = checker.expr(ast)?;
    Ok((expr, checker.warnings))
}

struct Checker<'s> {
    stage: Stage,
    sets: &'s Sets,
    warnings: Vec<Warning>,
}

impl Checker<'_> {
    fn expr(&mut self, ast: Ast<'_>) -> Result<Expr, FilterError> {
        match ast {
            Ast::And(parts) => Ok(Expr::and(self.exprs(parts)?)),
            Ast::Or(parts) => {
                let span = span_of(&parts);
                let expr = Expr::or(self.exprs(parts)?);
                self.warn_of_certainty(&expr, span);
                Ok(expr)
            }
            Ast::Not(inner) => Ok(Expr::negated(self.expr(*inner)?)),
            Ast::Test(test) => self.test(test),
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
            RawKind::Bare(values) => self.bare(values),
            RawKind::Compare { field, field_span, transport, op, loose, values } => {
                self.warn_of_stage(field, &field_span);
                let compared = self.compare(field, op, loose, &values, test.span)?;
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
                Form::Word => match words::meaning(&raw.text, self.stage, self.sets) {
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
            return Err(FilterError::new(span, message).example("dstport >= 1024"));
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
            Kind::Port if !services::ports_of(text).is_empty() => {
                let ports =
                    services::ports_of(text).into_iter().map(|(port, _)| Operand::Int(port.into(), port.into()));
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
        self.warn_of_unknown(field, raw);
        Ok(Operand::Word(text.to_owned()))
    }

    /// A word that this field never holds.
    fn warn_of_unknown(&mut self, field: Field, raw: &RawValue<'_>) {
        let known = words::code_words(field, self.stage);
        let text = &*raw.text;
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
        let meant = super::foreign::code(text).filter(|code| known.iter().any(|name| name.eq_ignore_ascii_case(code)));
        let remedy = match meant.or(near) {
            Some(near) => format!("Did you mean `{near}`?"),
            None if known.is_empty() => "`port = …` asks for a number.".to_owned(),
            None => format!("It is one of {}.", known.join(", ")),
        };
        self.warn(raw.span.clone(), format!("`{}` is never `{text}`. {remedy}", field.name()));
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

/// The two ends of `a..b`, or of `a-b` where the kind has no minus of its own.
fn range(text: &str, dots_only: bool) -> Option<(&str, &str)> {
    text.split_once("..").or_else(|| if dots_only { None } else { text.split_once('-') })
}

/// A number or a range of them, for every kind that has whole ones.
fn ints(field: Field, raw: &RawValue<'_>) -> Result<Operand, FilterError> {
    let (kind, text) = (field.kind(), &*raw.text);
    if let Some(number) = int(kind, text) {
        return bounded(field, raw, number, number);
    }
    if kind == Kind::Time {
        let problem = [text].into_iter().chain(text.split("..")).map(value::moment).find_map(|moment| match moment {
            Err(value::NotTime::Millis(seconds)) => Some(seconds),
            _ => None,
        });
        if let Some(seconds) = problem {
            let message = format!("`{text}` looks like milliseconds; times are Unix seconds.");
            return Err(FilterError::new(raw.span.clone(), message).meant(&seconds.to_string()));
        }
    }
    let Some((from, to)) = range(text, kind == Kind::Time) else { return Err(mistyped(field, raw)) };
    match (int(kind, from), int(kind, to)) {
        (Some(from), Some(to)) if from <= to => bounded(field, raw, from, to),
        (Some(_), Some(_)) => {
            let message = format!("A range goes up, and {from} is above {to}.");
            Err(FilterError::new(raw.span.clone(), message).meant(&format!("{to}-{from}")))
        }
        _ => Err(mistyped(field, raw)),
    }
}

/// One number of `kind`.
fn int(kind: Kind, text: &str) -> Option<u64> {
    let plain = || text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    match kind {
        Kind::Count => value::count(text),
        Kind::Duration => value::duration(text),
        Kind::Time => value::moment(text).ok(),
        Kind::Protocol => services::protocol_number(text).map(u64::from).or_else(plain),
        Kind::Flags => value::flags(text).or_else(plain),
        Kind::Int | Kind::Port => plain(),
        Kind::Ratio | Kind::Addr | Kind::Text => None,
    }
}

fn bounded(field: Field, raw: &RawValue<'_>, from: u64, to: u64) -> Result<Operand, FilterError> {
    let most = match field.kind() {
        Kind::Port => 65_535,
        Kind::Protocol | Kind::Flags => 255,
        _ => u64::MAX,
    };
    if to > most {
        let message = format!("`{}` is at most {most}, and this is `{}`.", field.name(), raw.text);
        return Err(FilterError::new(raw.span.clone(), message));
    }
    Ok(Operand::Int(from, to))
}
