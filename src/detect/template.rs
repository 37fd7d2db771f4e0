//! Message and evidence templates: text with `{name}` and `{name|format}`.

use std::fmt::Write as _;
use std::ops::Range;

use crate::record::{Cell, Field};

/// How a number is written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Format {
    /// Whole, thousands separated.
    Whole,
    /// So many decimals, thousands separated.
    Decimals(u8),
    /// Bytes in kB, MB, GB, TB.
    Si,
    /// No separators: for filters, ports and protocols.
    Plain,
    /// Seconds as a person says them: `8 min`, `2 h 5 min`.
    Time,
    /// Whole, and what is counted: one of it, and several.
    Counted(String, String),
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
enum Name {
    /// A field that the rule groups by, with its place there.
    Group(usize),
    /// A measured value, by name: one that has no value is left out of the list.
    Measured(String),
    /// The name of the service.
    Service,
    /// Flow records that are evidence.
    Count,
    /// The values that were new.
    Values,
    /// Since when what is new was not seen.
    Known,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Value(Name, Format),
}

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

/// What a template is filled with.
pub(super) struct Fill<'a> {
    /// The group's key.
    pub group: &'a [(Field, Cell)],
    /// Measured values in the order of the rule.
    pub measured: &'a [(String, f64)],
    /// Name of the service, where there is one.
    pub service: Option<&'a str>,
    /// Flow records that are evidence.
    pub count: u64,
    /// The values that were new, as text.
    pub values: &'a str,
    /// Since when what is new was not seen.
    pub known: &'a str,
}

impl Template {
    /// Parses `text` for a rule that groups by `group` and measures `measured`.
    pub(super) fn parse(text: &str, group: &[Field], measured: &[String]) -> Result<Template, (Range<usize>, String)> {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find(['{', '}']).map(|offset| at + offset) {
            if open > at {
                parts.push(Part::Text(text[at..open].to_owned()));
            }
            let closed = if text.as_bytes()[open] == b'{' { text[open..].find('}') } else { None };
            let Some(close) = closed.map(|offset| open + offset) else {
                return Err((open..open + 1, "a brace without its partner".into()));
            };
            let span = open..close + 1;
            let inner = &text[open + 1..close];
            let (name, format) = inner.split_once('|').map_or((inner, None), |(name, format)| (name, Some(format)));
            let found = Field::named(name)
                .and_then(|field| group.iter().position(|known| *known == field).map(Name::Group))
                .or_else(|| measured.iter().find(|known| *known == name).cloned().map(Name::Measured))
                .or(match name {
                    "service" => Some(Name::Service),
                    "count" => Some(Name::Count),
                    "values" => Some(Name::Values),
                    "known" => Some(Name::Known),
                    _ => None,
                });
            let Some(found) = found else {
                return Err((
                    span,
                    format!(
                        "`{}` is neither a field of group_by nor a name of [rule.measured], service, count, values or known",
                        name.escape_debug()
                    ),
                ));
            };
            let format = match (format, &found) {
                (None, Name::Group(_)) | (Some("plain"), _) => Format::Plain,
                (None | Some("int"), _) => Format::Whole,
                (Some("si"), _) => Format::Si,
                (Some("time"), _) => Format::Time,
                (Some(nouns), _) if nouns.contains('|') => {
                    let (one, several) = nouns.split_once('|').unwrap_or((nouns, nouns));
                    Format::Counted(one.to_owned(), several.to_owned())
                }
                (Some(digits), _) if digits.len() == 1 && digits.as_bytes()[0].is_ascii_digit() => {
                    Format::Decimals(digits.as_bytes()[0] - b'0')
                }
                (Some(other), _) => {
                    return Err((
                        span,
                        format!(
                            "`{}` is not a format; there are int, si, plain, time, a number of decimals, and `host|hosts` for what is counted",
                            other.escape_debug()
                        ),
                    ));
                }
            };
            parts.push(Part::Value(found, format));
            at = close + 1;
        }
        if at < text.len() {
            parts.push(Part::Text(text[at..].to_owned()));
        }
        Ok(Template { parts })
    }

    /// A filter that pins every field of the group: `client {client} and server.port {server.port}`.
    pub(super) fn of_group(group: &[Field]) -> Template {
        let mut parts = Vec::new();
        for (index, field) in group.iter().enumerate() {
            let and = if index == 0 { "" } else { " and " };
            parts.push(Part::Text(format!("{and}{} = ", field.name())));
            parts.push(Part::Value(Name::Group(index), Format::Plain));
        }
        Template { parts }
    }

    /// The text for a person.
    pub(super) fn fill(&self, with: &Fill<'_>) -> String {
        self.write(with, false)
    }

    /// The text in the filter language: what was logged is quoted, so it cannot end a value and begin another test.
    pub(super) fn fill_filter(&self, with: &Fill<'_>) -> String {
        self.write(with, true)
    }

    fn write(&self, with: &Fill<'_>, filter: bool) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value(Name::Group(index), _) => match with.group.get(*index).map(|(_, cell)| cell) {
                    Some(Cell::Int(n)) => _ = write!(out, "{n}"),
                    Some(Cell::Float(x)) => _ = write!(out, "{x}"),
                    Some(Cell::Addr(addr)) => _ = write!(out, "{addr}"),
                    Some(Cell::Text(text)) if filter => quote(&mut out, text),
                    Some(Cell::Text(text)) => out.push_str(text),
                    Some(Cell::Absent) | None => out.push('-'),
                },
                Part::Value(Name::Measured(name), format) => {
                    let value = with.measured.iter().find(|(known, _)| known == name);
                    number(&mut out, value.map_or(f64::NAN, |(_, value)| *value), format);
                }
                Part::Value(Name::Service, _) => out.push_str(with.service.unwrap_or("an unknown service")),
                Part::Value(Name::Count, format) => number(&mut out, exact(with.count), format),
                Part::Value(Name::Values, _) => out.push_str(with.values),
                Part::Value(Name::Known, _) => out.push_str(with.known),
            }
        }
        out
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of records is shown, not computed with")]
fn exact(count: u64) -> f64 {
    count as f64
}

/// Writes `text` as a quoted string of the filter language.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// Writes a number. What is not finite is said in words.
fn number(out: &mut String, value: f64, format: &Format) {
    if value.is_nan() {
        out.push_str("unknown");
        return;
    }
    if value.is_infinite() {
        out.push_str("unlimited");
        return;
    }
    match format {
        Format::Plain => _ = write!(out, "{value}"),
        Format::Whole => grouped(out, value, 0),
        Format::Decimals(digits) => grouped(out, value, usize::from(*digits)),
        Format::Time => time(out, value),
        Format::Counted(one, several) => {
            grouped(out, value, 0);
            _ = write!(out, " {}", if (value - 1.0).abs() < 0.5 { one } else { several });
        }
        Format::Si => {
            let units = ["B", "kB", "MB", "GB", "TB", "PB"];
            let (mut scaled, mut unit) = (value, 0);
            // 999.95 rather than 1000, so that rounding to one decimal never shows 1000.0.
            while scaled.abs() >= 999.95 && unit + 1 < units.len() {
                scaled /= 1_000.0;
                unit += 1;
            }
            let digits = usize::from(unit > 0);
            _ = write!(out, "{scaled:.digits$} {}", units[unit]);
        }
    }
}

/// Writes seconds by their two largest units.
fn time(out: &mut String, value: f64) {
    const UNITS: [(f64, &str); 4] = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")];
    let mut left = value.round();
    let first = UNITS.iter().position(|(length, _)| left >= *length).unwrap_or(3);
    for (place, (length, unit)) in UNITS.iter().enumerate().skip(first).take(2) {
        let count = (left / length).floor();
        left -= count * length;
        if place == first {
            _ = write!(out, "{count:.0} {unit}");
        } else if count > 0.0 {
            _ = write!(out, " {count:.0} {unit}");
        }
    }
}

/// Writes `value` with `digits` decimals and a comma between thousands.
fn grouped(out: &mut String, value: f64, digits: usize) {
    let text = format!("{value:.digits$}");
    let whole = text.find('.').unwrap_or(text.len());
    for (index, c) in text.char_indices() {
        let left = whole.saturating_sub(index);
        if index > 0 && index < whole && left % 3 == 0 && out.ends_with(|c: char| c.is_ascii_digit()) {
            out.push(',');
        }
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str, value: f64) -> String {
        let group = [(Field::Server, Cell::Addr([10, 0, 0, 1].into())), (Field::ServerPort, Cell::Int(11211))];
        let template = Template::parse(text, &[Field::Server, Field::ServerPort], &["ratio".into()]).expect("parses");
        template.fill(&Fill {
            group: &group,
            measured: &[("ratio".into(), value)],
            service: Some("memcached"),
            count: 1_234,
            values: "22, 23",
            known: "since then",
        })
    }

    #[test]
    fn names_and_formats_are_filled_in() {
        assert_eq!(fill("{server}:{server.port} ({service})", 0.0), "10.0.0.1:11211 (memcached)");
        assert_eq!(fill("{ratio|1} {ratio|int} {ratio|si}", 1026.54), "1,026.5 1,027 1.0 kB");
        assert_eq!(fill("{ratio}", 12_345_678.4), "12,345,678");
        assert_eq!(fill("{ratio} {ratio|2}", -1_234.5), "-1,234 -1,234.50");
        assert_eq!(fill("{ratio|si}", 999.99), "1.0 kB");
        assert_eq!(fill("{ratio|si}", 50.0), "50 B");
        assert_eq!(fill("{count} x {values}", 0.0), "1,234 x 22, 23");
        assert_eq!(fill("{ratio|host|hosts} {count|record|records}", 1.0), "1 host 1,234 records");
        assert_eq!(fill("{ratio|host|hosts}", 0.0), "0 hosts");
        let times = [(0.4, "0 s"), (59.0, "59 s"), (300.0, "5 min"), (7_505.0, "2 h 5 min"), (90_000.0, "1 d 1 h")];
        for (seconds, text) in times {
            assert_eq!(fill("{ratio|time}", seconds), text);
        }
        assert_eq!(fill("{ratio} {ratio|si}", f64::INFINITY), "unlimited unlimited");
    }

    #[test]
    fn a_wrong_template_says_where() {
        let parse = |text| Template::parse(text, &[Field::Server], &[]).map_err(|(span, _)| span);
        assert_eq!(parse("to {client}"), Err(3..11));
        assert_eq!(parse("to {server"), Err(3..4));
        assert_eq!(parse("to server}"), Err(9..10));
        assert_eq!(parse("{server|roman}"), Err(0..14));
        assert!(parse("{server} é {service}").is_ok());
    }

    #[test]
    fn hostile_text_cannot_leave_its_quotes() {
        let template = Template::of_group(&[Field::InterfaceId]);
        let group = [(Field::InterfaceId, Cell::Text("x\" or ip != \"\\".into()))];
        let text = template.fill_filter(&Fill {
            group: &group,
            measured: &[],
            service: None,
            count: 0,
            values: "",
            known: "",
        });
        assert_eq!(text, r#"interface-id = "x\" or ip != \"\\""#);
    }
}
