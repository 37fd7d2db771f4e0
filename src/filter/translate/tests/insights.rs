//! An evaluator of the documented part of Insights: `parse`, `filter`, comparison, `like`, the address functions. What is not documented (a dash or a
//! missing field in a comparison) is neither true nor false here, so a query passes only if it does not depend on it.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use regex::Regex;

/// Yes, no, or not documented.
type Answer = Option<bool>;

/// What a query says about a line.
pub fn answer(query: &str, line: &str) -> Answer {
    read(query, line, "eni-0a-all", 1_700_000_100_000).0
}

/// What a query says about an event, and the fields it has then.
pub fn read(query: &str, line: &str, stream: &str, ingestion: i64) -> (Answer, HashMap<String, String>) {
    let mut fields: HashMap<String, String> = HashMap::new();
    let tokens: Vec<&str> = line.split(' ').collect();
    if tokens.len() == DISCOVERED.len() {
        fields.extend(DISCOVERED.iter().zip(&tokens).map(|(name, token)| ((*name).to_owned(), (*token).to_owned())));
    }
    fields.insert("@message".to_owned(), line.to_owned());
    fields.insert("@logStream".to_owned(), stream.to_owned());
    fields.insert("@ingestionTime".to_owned(), ingestion.to_string());
    let mut verdict = Some(true);
    for command in query.split("\n| ") {
        if let Some(rest) = command.strip_prefix("parse @message \"") {
            let (glob, names) = rest.split_once("\" as ").expect("a glob parse");
            let names: Vec<&str> = names.split(", ").collect();
            let source: Vec<String> = glob.split('*').map(regex::escape).collect();
            let regex = Regex::new(&format!("^{}$", source.join("(.*?)"))).expect("a glob");
            if let Some(found) = regex.captures(line) {
                for (index, name) in names.iter().enumerate() {
                    fields.insert((*name).to_owned(), found[index + 1].to_owned());
                }
            }
        } else if let Some(rest) = command.strip_prefix("parse @message /") {
            let regex = Regex::new(rest.strip_suffix('/').expect("a regex")).expect("a regex");
            if let Some(found) = regex.captures(line) {
                for name in regex.capture_names().flatten() {
                    fields.insert(name.to_owned(), found[name].to_owned());
                }
            }
        } else if let Some(rest) = command.strip_prefix("filter ") {
            let mut reader = Reader { rest, fields: &fields };
            verdict = and(verdict, reader.any());
            assert_eq!(reader.rest, "", "the whole condition is read: {query}");
        } else if let Some((sources, name)) =
            command.strip_prefix("fields coalesce(").and_then(|rest| rest.split_once(") as "))
        {
            let value = sources.split(", ").find_map(|source| fields.get(source).cloned());
            fields.extend(value.map(|value| (name.to_owned(), value)));
        } else {
            assert!(["fields ", "sort ", "limit ", "stats "].iter().any(|name| command.starts_with(name)), "{command}");
        }
    }
    (verdict, fields)
}

const DISCOVERED: [&str; 14] = [
    "version",
    "accountId",
    "interfaceId",
    "srcAddr",
    "dstAddr",
    "srcPort",
    "dstPort",
    "protocol",
    "packets",
    "bytes",
    "startTime",
    "endTime",
    "action",
    "logStatus",
];

fn and(a: Answer, b: Answer) -> Answer {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn not(a: Answer) -> Answer {
    a.map(|a| !a)
}

fn or(a: Answer, b: Answer) -> Answer {
    not(and(not(a), not(b)))
}

/// A value: text as logged, or the result of arithmetic.
#[derive(Clone, Debug)]
enum Operand {
    Missing,
    Text(String),
    Number(f64),
}

impl Operand {
    fn number(&self) -> Option<f64> {
        match self {
            Operand::Missing => None,
            Operand::Text(text) => text.parse().ok(),
            Operand::Number(number) => Some(*number),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    fields: &'a HashMap<String, String>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, word: &str) -> bool {
        self.rest.strip_prefix(word).inspect(|rest| self.rest = rest).is_some()
    }

    fn any(&mut self) -> Answer {
        let mut all = self.all();
        while self.take(" or ") {
            let next = self.all();
            all = or(all, next);
        }
        all
    }

    fn all(&mut self) -> Answer {
        let mut all = self.one();
        while self.take(" and ") {
            let next = self.one();
            all = and(all, next);
        }
        all
    }

    fn one(&mut self) -> Answer {
        if self.take("not ") {
            return not(self.one());
        }
        let before = self.rest;
        if self.take("(") {
            // Either a group or arithmetic in parentheses.
            if let Some(close) = self.rest.find(')').filter(|close| self.rest[..*close].contains(" - ")) {
                let inner = self.rest[..close].to_owned();
                if !inner.contains(['=', '<', '>', '(']) {
                    self.rest = before;
                    return self.comparison();
                }
            }
            let answer = self.any();
            assert!(self.take(")"), "a group is closed: {}", self.rest);
            return answer;
        }
        if self.take("ispresent(") {
            let name = self.until(')');
            return Some(self.fields.contains_key(name));
        }
        if self.take("isValidIp(") {
            let name = self.until(')');
            return self.fields.get(name).map(|text| text.parse::<IpAddr>().is_ok());
        }
        for (function, v6) in [("isIpv4InSubnet(", false), ("isIpv6InSubnet(", true)] {
            if self.take(function) {
                let inside = self.until(')');
                let (name, net) = inside.split_once(", ").expect("two arguments");
                let net: IpNet = net.trim_matches('"').parse().expect("a network");
                assert_eq!(matches!(net, IpNet::V6(_)), v6);
                let text = self.fields.get(name)?;
                return Some(text.parse::<IpAddr>().is_ok_and(|address| net.contains(&address)));
            }
        }
        self.comparison()
    }

    fn until(&mut self, end: char) -> &'a str {
        let (inside, rest) = self.rest.split_once(end).expect("an end");
        self.rest = rest;
        inside
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest.find([' ', ')', ',']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn atom(&mut self) -> Operand {
        if self.take("\"") {
            return Operand::Text(self.until('"').to_owned());
        }
        if self.take("(") {
            let value = self.sum();
            assert!(self.take(")"));
            return value;
        }
        if self.take("floor(") {
            let value = self.sum();
            assert!(self.take(")"));
            return value.number().map_or(Operand::Missing, |number| Operand::Number(number.floor()));
        }
        if self.take("tolower(") {
            let name = self.until(')');
            return self.fields.get(name).map_or(Operand::Missing, |text| Operand::Text(text.to_lowercase()));
        }
        let word = self.word();
        match (word.parse::<f64>(), self.fields.get(word)) {
            (_, Some(text)) => Operand::Text(text.clone()),
            (Ok(number), _) => Operand::Number(number),
            _ => Operand::Missing,
        }
    }

    fn sum(&mut self) -> Operand {
        let mut value = self.atom();
        for (sign, apply) in [
            (" - ", (|a, b| a - b) as fn(f64, f64) -> f64),
            (" / ", |a, b| a / b),
            (" % ", |a, b| a % b),
            (" * ", |a, b| a * b),
        ] {
            if self.take(sign) {
                let other = self.atom();
                value = match (value.number(), other.number()) {
                    (Some(a), Some(b)) => Operand::Number(apply(a, b)),
                    _ => Operand::Missing,
                };
            }
        }
        value
    }

    fn comparison(&mut self) -> Answer {
        let left = self.sum();
        for (word, keep) in [(" like /", true), (" not like /", false)] {
            if self.take(word) {
                // The first slash that is not escaped ends it.
                let bytes = self.rest.as_bytes();
                let end = (0..bytes.len())
                    .find(|at| bytes[*at] == b'/' && (*at == 0 || bytes[at - 1] != b'\\'))
                    .expect("an end");
                let (source, rest) = self.rest.split_at(end);
                self.rest = &rest[1..];
                let regex = Regex::new(&source.replace("\\/", "/")).expect("a regex");
                let Operand::Text(text) = left else { return None };
                return Some(regex.is_match(&text) == keep);
            }
        }
        let signs = [" = ", " != ", " <= ", " >= ", " < ", " > "];
        let sign =
            signs.into_iter().find(|sign| self.take(sign)).unwrap_or_else(|| panic!("a comparison: {}", self.rest));
        let right = self.sum();
        match (&left, &right) {
            // A text in quotes is compared as text.
            (Operand::Text(a), Operand::Text(b)) if matches!(sign, " = " | " != ") && b.parse::<f64>().is_err() => {
                Some((a == b) == (sign == " = "))
            }
            _ => match (left.number(), right.number()) {
                (Some(a), Some(b)) => Some(match sign {
                    " = " => a.total_cmp(&b).is_eq(),
                    " != " => a.total_cmp(&b).is_ne(),
                    " <= " => a <= b,
                    " >= " => a >= b,
                    " < " => a < b,
                    _ => a > b,
                }),
                // A dash equals no number and sorts before every digit; what else it does is not said.
                _ if matches!((&left, sign), (Operand::Text(_), " = " | " > " | " >= ")) => Some(false),
                _ => None,
            },
        }
    }
}
