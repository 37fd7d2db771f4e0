//! TOML text to checked rules.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::expand::expand;
use super::raw::{File, Raw, RawGather, RawTest, in_order};
use super::source::Source;
use super::{Gather, Rule, RuleError, RuleTest};
use crate::detect::alert::Level;
use crate::detect::condition::{
    Aggregate, Condition, ConditionError, Function, Number, Scope, exists_on, parse_bool, parse_number,
};
use crate::detect::template::Template;
use crate::filter::{Filter, Sets, Stage};
use crate::record::{Field, Kind};

/// Shortest and longest window, seconds: below ten, a pane would be shorter than the clock of a flow record; above thirty days, nobody waits.
const TIMESPAN: std::ops::RangeInclusive<i64> = 10..=30 * 86_400;

/// Reads every rule of `text`. `file` is its name, for errors.
pub(in crate::detect) fn read(text: &str, file: &str) -> Result<Vec<Rule>, RuleError> {
    let source = Source { text, file };
    let raw: File = toml::from_str(text)
        .map_err(|error| source.error(None, error.span().unwrap_or(0..0), error.message().to_owned()))?;
    let mut rules: Vec<Rule> = Vec::new();
    for (index, rule) in raw.rule.iter().enumerate() {
        let begins = source.table(rule.span().start);
        let ends = raw.rule.get(index + 1).map_or(text.len(), |next| source.table(next.span().start));
        let own = text.get(begins..ends).unwrap_or_default();
        let reader = Reader { source: &source, id: rule.get_ref().id.get_ref() };
        let rule = reader.rule(rule.get_ref(), own)?;
        if rules.iter().any(|known| known.id == rule.id) {
            return Err(reader.error(raw.rule[index].get_ref().id.span(), "this id is used twice in the file"));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// The filter in force, the one that the rule's own tests are run with, and the set that is waited for.
type Filters = (Option<Filter>, Option<Filter>, Option<String>);

/// Checks one rule.
struct Reader<'a> {
    source: &'a Source<'a>,
    id: &'a str,
}

impl Reader<'_> {
    fn error(&self, span: Range<usize>, message: impl Into<String>) -> RuleError {
        self.source.error(Some(self.id), span, message.into())
    }

    fn rule(&self, raw: &Raw, text: &str) -> Result<Rule, RuleError> {
        let valid = !self.id.is_empty()
            && self.id.len() <= 64
            && self.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if !valid {
            return Err(self.error(raw.id.span(), "an id is 1 to 64 letters, digits, `-`, `_` and `.`"));
        }
        let stage = match raw.on.get_ref().as_str() {
            "flow" => Stage::Flows,
            "session" => Stage::Sessions,
            _ => return Err(self.error(raw.on.span(), "expected \"flow\" or \"session\"")),
        };
        let amplification_port = self.amplification_port(raw, stage)?;
        let group_by = self.group_by(raw, stage, amplification_port)?;
        let timespan = self.seconds(&raw.timespan)?;
        if !TIMESPAN.contains(&timespan) {
            return Err(self.error(raw.timespan.span(), "a window is 10s to 30d long"));
        }

        let records = match stage {
            Stage::Flows => Aggregate { function: Function::Count, field: None },
            Stage::Sessions => Aggregate { function: Function::Sum, field: Some(Field::Records) },
        };
        let mut aggregates = vec![records];
        let mut names = BTreeMap::new();
        for (name, value) in in_order(&raw.names) {
            let number = self.number(value, stage, &mut aggregates, &names, &group_by)?;
            if Field::named(name).is_some() {
                return Err(self.error(value.span(), format!("`{name}` is the name of a field; choose another")));
            }
            names.insert(name.clone(), number);
        }
        let condition = self.condition(&raw.condition, stage, Some(&mut aggregates), &names, &group_by)?;
        let mut escalate = Vec::new();
        for step in &raw.escalate {
            let when = self.condition(&step.when, stage, Some(&mut aggregates), &names, &group_by)?;
            escalate.push((self.level(&step.level)?, when));
        }
        escalate.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        let mut numbers = |from: &BTreeMap<String, Spanned<String>>| {
            in_order(from)
                .into_iter()
                .map(|(name, value)| Ok((name.clone(), self.number(value, stage, &mut aggregates, &names, &group_by)?)))
                .collect::<Result<Vec<_>, RuleError>>()
        };
        let measured = numbers(&raw.measured)?;
        let threshold = numbers(&raw.threshold)?;
        if let Some((name, value)) = raw.threshold.iter().find(|(name, _)| !raw.measured.contains_key(*name)) {
            return Err(self.error(value.span(), format!("`{name}` is not in [rule.measured]")));
        }

        let (filter, tested_filter, waits_for) = self.filters(raw, stage)?;
        let shown: Vec<String> = measured.iter().map(|(name, _)| name.clone()).collect();
        let template = |value: &Spanned<String>| {
            Template::parse(value.get_ref(), &group_by, &shown)
                .map_err(|(span, message)| self.error(self.source.inside(value, span), message))
        };
        let gather = raw.gather.as_ref().map(|gather| self.gather(gather, stage, &group_by, &shown)).transpose()?;
        Ok(Rule {
            gather,
            id: self.id.into(),
            title: raw.title.as_str().into(),
            level: self.level(&raw.level)?,
            enabled: raw.enabled && waits_for.is_none(),
            waits_for,
            tested_filter,
            technique: raw.technique.as_str().into(),
            tags: raw.tags.clone(),
            stage,
            filter,
            only: raw
                .only
                .as_ref()
                .map(|only| self.condition(only, stage, None, &BTreeMap::new(), &group_by))
                .transpose()?,
            symmetric: raw.symmetric || stage == Stage::Flows,
            amplification_port,
            timespan,
            condition,
            escalate,
            suppress: raw.suppress.as_ref().map_or(Ok(1_800), |value| self.seconds(value))?,
            hold: raw.hold.as_ref().map_or(Ok(0), |value| self.seconds(value))?,
            absorbs: raw.absorbs.clone(),
            measured,
            threshold,
            message: template(&raw.message)?,
            evidence: raw.evidence.as_ref().map_or_else(|| Ok(Template::of_group(&group_by)), template)?,
            group_by,
            aggregates,
            meaning: raw.meaning.trim().into(),
            false_positives: raw.falsepositives.clone().into(),
            source: raw.source.trim().to_owned(),
            tests: raw.test.iter().map(|test| self.test(test)).collect::<Result<_, _>>()?,
            text: Arc::from(format!("{}\n", text.trim_end())),
            origin: self.source.file.into(),
        })
    }

    /// How groups become one alert: by fields that are a part of `group_by`, and not all of it.
    fn gather(
        &self,
        raw: &RawGather,
        stage: Stage,
        group_by: &[Field],
        measured: &[String],
    ) -> Result<Gather, RuleError> {
        let mut places = Vec::new();
        for value in &raw.by {
            let field = self.field(value, stage)?;
            match group_by.iter().position(|known| *known == field) {
                Some(place) if !places.contains(&place) => places.push(place),
                Some(_) => return Err(self.error(value.span(), "it is there already")),
                None => return Err(self.error(value.span(), format!("`{}` is not in group_by", field.name()))),
            }
        }
        if places.len() == group_by.len() {
            return Err(self.error(raw.message.span(), "gather by fewer fields than group_by, or leave it out"));
        }
        let fields: Vec<Field> = places.iter().map(|place| group_by[*place]).collect();
        let names: Vec<String> = std::iter::once(Gather::GROUPS.to_owned()).chain(measured.iter().cloned()).collect();
        let template = |value: &Spanned<String>| {
            Template::parse(value.get_ref(), &fields, &names)
                .map_err(|(span, message)| self.error(self.source.inside(value, span), message))
        };
        Ok(Gather { places, message: template(&raw.message)?, evidence: template(&raw.evidence)? })
    }

    fn test(&self, test: &RawTest) -> Result<RuleTest, RuleError> {
        let flows = expand(test.flows.get_ref()).map_err(|message| self.error(test.flows.span(), message))?;
        Ok(RuleTest { name: test.name.clone(), flows, expect: test.expect })
    }

    fn level(&self, value: &Spanned<String>) -> Result<Level, RuleError> {
        [Level::Informational, Level::Low, Level::Medium, Level::High, Level::Critical]
            .into_iter()
            .find(|level| level.as_str() == value.get_ref())
            .ok_or_else(|| self.error(value.span(), "expected informational, low, medium, high or critical"))
    }

    /// `90`, `90s`, `5m`, `1h`, `7d`
    fn seconds(&self, value: &Spanned<String>) -> Result<i64, RuleError> {
        let text = value.get_ref();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let unit = match &text[digits..] {
            "s" => Some(1),
            "m" => Some(60),
            "h" => Some(3_600),
            "d" => Some(86_400),
            _ => None,
        };
        let seconds = text[..digits].parse::<i64>().ok().zip(unit).and_then(|(count, unit)| count.checked_mul(unit));
        seconds
            .filter(|seconds| *seconds <= 3_650 * 86_400)
            .ok_or_else(|| self.error(value.span(), "expected a length of time such as 30s, 5m, 1h or 7d"))
    }

    fn field(&self, value: &Spanned<String>, stage: Stage) -> Result<Field, RuleError> {
        let Some(field) = Field::named(value.get_ref()) else {
            return Err(self.error(value.span(), format!("no field is called `{}`", value.get_ref().escape_debug())));
        };
        if !exists_on(field, stage) {
            let rows = if stage == Stage::Flows { "flows" } else { "sessions" };
            return Err(self.error(value.span(), format!("{rows} have no field `{}`", field.name())));
        }
        Ok(field)
    }

    fn amplification_port(&self, raw: &Raw, stage: Stage) -> Result<(Field, bool), RuleError> {
        let Some(value) = &raw.amplification_port else {
            return Ok((if stage == Stage::Flows { Field::DstPort } else { Field::ServerPort }, false));
        };
        let field = self.field(value, stage)?;
        if field.kind() != Kind::Port || field == Field::Port {
            return Err(self.error(value.span(), "expected a port of one side, such as server.port or srcport"));
        }
        Ok((field, true))
    }

    /// The fields to group by. What has no bound that a network respects would give a group a packet, so it is refused.
    fn group_by(&self, raw: &Raw, stage: Stage, amplification: (Field, bool)) -> Result<Vec<Field>, RuleError> {
        let mut fields = Vec::new();
        for value in &raw.group_by {
            let field = self.field(value, stage)?;
            let pinned = amplification == (field, true);
            let refuse =
                |why: &str| Err(self.error(value.span(), format!("cannot group by `{}`: {why}", field.name())));
            if matches!(field, Field::Ip | Field::Port) {
                return refuse("it stands for two values; name one side");
            }
            if matches!(field, Field::ClientPort | Field::SrcPort) && !pinned {
                return refuse(
                    "ephemeral ports would make a group of every connection; count them with distinct(), or pin the port to the amplification table with amplification_port",
                );
            }
            if field == Field::SessionId
                || matches!(field.kind(), Kind::Count | Kind::Time | Kind::Duration | Kind::Ratio)
            {
                return refuse("it is different for almost every row");
            }
            if fields.contains(&field) {
                return refuse("it is there already");
            }
            fields.push(field);
        }
        if fields.is_empty() {
            return Err(self.error(raw.id.span(), "group_by is empty; name at least one field"));
        }
        Ok(fields)
    }

    /// The filter; the same with examples in place of the sets that `sets` names; and the first of those sets that does not exist.
    fn filters(&self, raw: &Raw, stage: Stage) -> Result<Filters, RuleError> {
        let Some(value) = &raw.filter else { return Ok((None, None, None)) };
        if raw.sets.is_empty() {
            return Ok((Some(self.filter(value, stage)?), None, None));
        }
        let mut text = value.get_ref().clone();
        for (name, example) in &raw.sets {
            text = text.replace(&format!("${name}"), &format!("({example})"));
        }
        let tested = Filter::parse(&text, stage).map_err(|error| {
            self.error(value.span(), format!("filter, with the examples of `sets`: {}", error.message))
        })?;
        let missing = raw.sets.keys().find(|name| Sets::known().get(name).is_none());
        match missing {
            Some(name) => Ok((Some(tested.clone()), Some(tested), Some(format!("${name}")))),
            None => Ok((Some(self.filter(value, stage)?), Some(tested), None)),
        }
    }

    fn filter(&self, value: &Spanned<String>, stage: Stage) -> Result<Filter, RuleError> {
        let filter = Filter::parse(value.get_ref(), stage).map_err(|error| {
            let hint = error.hint.map_or(String::new(), |hint| format!(" ({hint})"));
            self.error(self.source.inside(value, error.span), format!("filter: {}{hint}", error.message))
        })?;
        // In the filter bar a field that the rows lack is a remark; a rule with it would never fire.
        match filter.warnings().first() {
            Some(warning) => {
                Err(self.error(self.source.inside(value, warning.span.clone()), format!("filter: {}", warning.message)))
            }
            None => Ok(filter),
        }
    }

    fn condition(
        &self,
        value: &Spanned<String>,
        stage: Stage,
        aggregates: Option<&mut Vec<Aggregate>>,
        names: &BTreeMap<String, Number>,
        group_by: &[Field],
    ) -> Result<Condition, RuleError> {
        parse_bool(value.get_ref(), &mut Scope { stage, aggregates, names, group_by })
            .map_err(|error| self.condition_error(value, error))
    }

    fn number(
        &self,
        value: &Spanned<String>,
        stage: Stage,
        aggregates: &mut Vec<Aggregate>,
        names: &BTreeMap<String, Number>,
        group_by: &[Field],
    ) -> Result<Number, RuleError> {
        parse_number(value.get_ref(), &mut Scope { stage, aggregates: Some(aggregates), names, group_by })
            .map_err(|error| self.condition_error(value, error))
    }

    fn condition_error(&self, value: &Spanned<String>, error: ConditionError) -> RuleError {
        self.error(self.source.inside(value, error.span), error.message)
    }
}
