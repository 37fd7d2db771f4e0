//! The text of rules with its name, and where in it an error lies.

use std::ops::Range;

use toml::Spanned;

use super::RuleError;

/// The text with its name.
pub(super) struct Source<'a> {
    pub text: &'a str,
    pub file: &'a str,
}

impl Source<'_> {
    pub(super) fn error(&self, rule: Option<&str>, span: Range<usize>, message: String) -> RuleError {
        let before = self.text.get(..span.start.min(self.text.len())).unwrap_or(self.text);
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        RuleError {
            file: self.file.to_owned(),
            rule: rule.map(str::to_owned),
            line: before.matches('\n').count() + 1,
            column: before[line..].chars().count() + 1,
            message,
        }
    }

    /// The beginning of the line of `[[rule]]` to which the table at `at` belongs, comments above it included.
    pub(super) fn table(&self, at: usize) -> usize {
        let line = |at: usize| self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let mut from = line(at.min(self.text.len()));
        while from > 0 {
            let above = line(from - 1);
            if !self.text[above..from].trim_start().starts_with('#') {
                break;
            }
            from = above;
        }
        from
    }

    /// Where in the text the characters `inner` of a string value lie. Exact for strings without escapes, else the whole string.
    pub(super) fn inside(&self, value: &Spanned<String>, inner: Range<usize>) -> Range<usize> {
        let span = value.span();
        let raw = self.text.get(span.clone()).unwrap_or_default();
        let quotes = raw.bytes().take_while(|byte| matches!(byte, b'\'' | b'"')).count().min(3);
        let skip = if quotes == 3 && raw.as_bytes().get(3) == Some(&b'\n') { 4 } else { quotes };
        let exact = raw.get(skip..).is_some_and(|rest| rest.starts_with(value.get_ref().as_str()));
        if exact { span.start + skip + inner.start..span.start + skip + inner.end } else { span }
    }
}
