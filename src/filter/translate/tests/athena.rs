//! An evaluator of the SQL that translations use, with the three values of SQL: what NULL is compared with is neither true nor false, and a row is
//! selected only where the condition is true.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use proptest::prelude::*;
use regex::Regex;

use super::{Target, context, filter, formats, selects as passes, text, token, translate};
use crate::record::{Format, Kind};

/// Whether the query selects a line of `format`. Numbers that are absent are NULL in the table, texts a dash.
pub fn selects(query: &str, format: &Format, line: &str) -> bool {
    let Some((_, rest)) = query.split_once("\nWHERE ") else { return true };
    let (condition, _) = rest.split_once("\nORDER BY").or_else(|| rest.split_once("\nLIMIT")).expect("the end of it");
    let mut row = HashMap::new();
    for (field, token) in format.fields().zip(line.split(' ')) {
        let value = match (field.kind(), token) {
            (Kind::Text | Kind::Addr, text) => Value::Text(text.to_owned()),
            (_, "-") => Value::Null,
            (_, number) => Value::Number(number.parse().expect("a number")),
        };
        row.insert(field.name().replace('-', "_"), value);
    }
    let mut reader = Reader { rest: condition, row: &row };
    let answer = reader.any();
    assert_eq!(reader.rest, "", "all of it is read: {condition}");
    answer == Some(true)
}

type Answer = Option<bool>;

fn and(a: Answer, b: Answer) -> Answer {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

#[derive(Clone, Debug)]
enum Value {
    Null,
    Number(f64),
    Text(String),
    Address(IpAddr),
}

struct Reader<'a> {
    rest: &'a str,
    row: &'a HashMap<String, Value>,
}

impl Reader<'_> {
    fn take(&mut self, word: &str) -> bool {
        self.rest.strip_prefix(word).inspect(|rest| self.rest = rest).is_some()
    }

    fn must(&mut self, word: &str) {
        assert!(self.take(word), "expected {word:?} at {}", self.rest);
    }

    fn any(&mut self) -> Answer {
        let mut all = self.all();
        while self.take(" OR ") {
            let next = self.all();
            all = and(all.map(|a| !a), next.map(|a| !a)).map(|a| !a);
        }
        all
    }

    fn all(&mut self) -> Answer {
        let mut all = self.one();
        while self.take(" AND ") {
            let next = self.one();
            all = and(all, next);
        }
        all
    }

    fn one(&mut self) -> Answer {
        if self.take("NOT ") {
            return self.one().map(|a| !a);
        }
        if self.take("COALESCE(") {
            let inner = self.any();
            self.must(", false)");
            return Some(inner.unwrap_or(false));
        }
        if self.take("contains(") {
            let Value::Text(net) = self.value() else { panic!("a network") };
            self.must(", ");
            let address = self.value();
            self.must(")");
            let net: IpNet = net.parse().expect("a network");
            return match address {
                Value::Address(address) => Some(net.contains(&address)),
                _ => None,
            };
        }
        if self.take("regexp_like(") {
            let text = self.value();
            self.must(", ");
            let Value::Text(regex) = self.value() else { panic!("a pattern") };
            self.must(")");
            let regex = Regex::new(&regex).expect("a pattern");
            return match text {
                Value::Text(text) => Some(regex.is_match(&text)),
                _ => None,
            };
        }
        if self.take("(") {
            let inner = self.any();
            self.must(")");
            return inner;
        }
        let left = self.value();
        if self.take(" IS NOT NULL") {
            return Some(!matches!(left, Value::Null));
        }
        if self.take(" BETWEEN ") {
            let from = self.value();
            self.must(" AND ");
            let to = self.value();
            return and(compare(&left, ">=", &from), compare(&left, "<=", &to));
        }
        if self.take(" IN (") {
            let mut found = Some(false);
            loop {
                let value = self.value();
                if compare(&left, "=", &value) != Some(false) {
                    found = compare(&left, "=", &value);
                }
                if !self.take(", ") {
                    break;
                }
            }
            self.must(")");
            return found;
        }
        let operator = [" >= ", " <= ", " <> ", " = ", " > ", " < "].into_iter().find(|operator| self.take(operator));
        let operator = operator.unwrap_or_else(|| panic!("expected an operator at {}", self.rest));
        let right = self.value();
        compare(&left, operator.trim(), &right)
    }

    fn value(&mut self) -> Value {
        let number = |value: Value| match value {
            Value::Number(number) => Some(number),
            _ => None,
        };
        let left = self.operand();
        if self.take(" / ") {
            let right = self.operand();
            return number(left).zip(number(right)).map_or(Value::Null, |(a, b)| Value::Number(a / b));
        }
        if self.take(" - ") {
            let right = self.operand();
            return number(left).zip(number(right)).map_or(Value::Null, |(a, b)| Value::Number(a - b));
        }
        left
    }

    fn arguments(&mut self) -> (Value, Value) {
        let first = self.value();
        self.must(", ");
        let second = self.value();
        self.must(")");
        (first, second)
    }

    fn operand(&mut self) -> Value {
        if self.take("'") {
            let (text, rest) = self.rest.split_once('\'').expect("a string ends");
            self.rest = rest;
            return Value::Text(text.to_owned());
        }
        if self.take("TRY_CAST(") {
            let value = self.value();
            self.must(" AS ipaddress)");
            return match value {
                Value::Text(text) => text.parse().map_or(Value::Null, Value::Address),
                _ => Value::Null,
            };
        }
        if self.take("CAST(") {
            let value = self.value();
            self.must(" AS double)");
            return value;
        }
        if self.take("lower(") {
            let value = self.value();
            self.must(")");
            return match value {
                Value::Text(text) => Value::Text(text.to_lowercase()),
                other => other,
            };
        }
        if self.take("GREATEST(") {
            return match self.arguments() {
                (Value::Number(a), Value::Number(b)) => Value::Number(a.max(b)),
                _ => Value::Null,
            };
        }
        if self.take("NULLIF(") {
            return match self.arguments() {
                (Value::Number(a), Value::Number(b)) if a.total_cmp(&b).is_eq() => Value::Null,
                (first, _) => first,
            };
        }
        if self.take("bitwise_and(") {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "flags are small"
            )]
            return match self.arguments() {
                (Value::Number(a), Value::Number(b)) => Value::Number((a as u64 & b as u64) as f64),
                _ => Value::Null,
            };
        }
        let quoted = self.take("\"");
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if quoted {
            self.must("\"");
        }
        match word.parse() {
            Ok(number) => Value::Number(number),
            Err(_) => self.row.get(word).cloned().unwrap_or_else(|| panic!("no column {word:?} at {}", self.rest)),
        }
    }
}

fn compare(left: &Value, operator: &str, right: &Value) -> Answer {
    let order = match (left, right) {
        (Value::Null, _) | (_, Value::Null) => return None,
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b)?,
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (a, b) => panic!("{a:?} is not compared with {b:?}"),
    };
    Some(match operator {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        ">=" => order.is_ge(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        "<" => order.is_lt(),
        other => panic!("no operator {other}"),
    })
}

#[test]
fn null_is_neither_true_nor_false() {
    let format = Format::default_v2();
    let line = "2 1 eni-1 10.0.0.1 - - 443 6 - 40 1534778806 1534778866 ACCEPT OK";
    for (condition, selected) in [
        ("srcport = 1", false),
        ("NOT srcport = 1", false),
        ("NOT COALESCE(srcport = 1, false)", true),
        ("srcport = 1 OR dstport IN (22, 443)", true),
        ("srcport IS NOT NULL OR bytes < 40 AND packets > 0", false),
        ("contains('10.0.0.0/8', TRY_CAST(srcaddr AS ipaddress))", true),
        ("NOT contains('10.0.0.0/8', TRY_CAST(dstaddr AS ipaddress))", false),
        ("GREATEST(\"end\" - \"start\", 0) BETWEEN 60 AND 60 AND lower(action) = 'accept'", true),
        ("CAST(bytes AS double) / NULLIF(packets, 0) >= 1", false),
    ] {
        let query = format!("SELECT bytes\nFROM t\nWHERE {condition}\nLIMIT 1000;");
        assert_eq!(selects(&query, &format, line), selected, "{condition}");
    }
}

proptest! {
    #[test]
    fn sql_selects_the_same_or_says_that_it_selects_more(
        text in text(),
        which in 0..3_usize,
        picks in prop::collection::vec(any::<u64>(), 16),
    ) {
        let format = &formats()[which];
        let filter = filter(&text);
        let line: Vec<String> = format.fields().zip(&picks).map(|(field, pick)| token(field, *pick)).collect();
        let line = line.join(" ");
        let wanted = passes(&filter, format, &line);
        match translate(Some(&filter), Target::Athena, &context(std::slice::from_ref(format))) {
            Err(refusal) => prop_assert!(!wanted || !refusal.0.contains("never"), "{text}: {refusal}\n{line}"),
            Ok(said) => {
                let found = selects(&said.text, format, &line);
                if wanted {
                    prop_assert!(found, "narrower: {text}\n{}\n{line}", said.text);
                } else if said.exact {
                    prop_assert!(!found, "not exact: {text}\n{}\n{line}", said.text);
                }
            }
        }
    }
}
