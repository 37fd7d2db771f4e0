//! Text as a value of another language. A text that could be read as anything else there is refused: nothing that was typed, and nothing of a
//! log, becomes a command.

use std::fmt::Write as _;

use super::super::expr::Pattern;

/// A word of a POSIX shell, in single quotes. Control characters other than line ends are left out.
pub(super) fn shell(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    format!("'{}'", clean.replace('\'', "'\\''"))
}

/// A string of SQL; `None` for text with control characters.
pub(super) fn sql(text: &str) -> Option<String> {
    (!text.chars().any(char::is_control)).then(|| format!("'{}'", text.replace('\'', "''")))
}

/// A string of Insights. How it escapes quotes and backslashes is not documented, so text with either is refused.
pub(super) fn insights(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\'));
    plain.then(|| format!("\"{text}\""))
}

/// A regular expression that finds `text` itself. Everything but letters, digits and a few harmless signs is written by its number, so that
/// neither the expression nor what is around it can be left. `None` beyond printable ASCII.
pub(super) fn literal(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'-' | b'_' | b':' | b',' => out.push(char::from(byte)),
            b'.' => out.push_str("\\."),
            b'!'..=b'~' => {
                let _ = write!(out, "\\x{byte:02x}");
            }
            _ => return None,
        }
    }
    Some(out)
}

/// The regular expression of a glob, for all of a text, whatever the case.
pub(super) fn glob(glob: &str) -> Option<String> {
    let parts: Option<Vec<String>> = glob.split('*').map(literal).collect();
    Some(format!("(?i)^{}$", parts?.join(".*")))
}

/// `pattern` where it means the same in the common dialects: literals, classes, groups, repetition, anchors and `\d`. Anything else is refused.
/// Slashes are escaped, which all of them take.
pub(super) fn regex(pattern: &Pattern) -> Option<String> {
    let source = pattern.source();
    let mut out = String::from(if pattern.ignore_case() { "(?i)" } else { "" });
    let mut chars = source.chars().peekable();
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next()?;
                if !(escaped == 'd' || ".-[](){}^$*+?|\\".contains(escaped)) {
                    return None;
                }
                out.extend(['\\', escaped]);
            }
            // Set operations, nested and named classes differ between dialects.
            '[' | '&' | '~' if class => return None,
            '[' => {
                class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // A bracket that stands first is a literal in some.
                if chars.peek() == Some(&']') {
                    return None;
                }
            }
            ']' => {
                class = false;
                out.push(']');
            }
            '-' if class && chars.peek() == Some(&'-') => return None,
            '(' if chars.peek() == Some(&'?') => return None,
            '/' => out.push_str("\\/"),
            '\'' | '"' | '`' => return None,
            ' '..='~' => out.push(c),
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_quotes() {
        assert_eq!(shell("it's; rm -rf $HOME `x`"), r"'it'\''s; rm -rf $HOME `x`'");
        assert_eq!(shell("a\u{1b}[31mb"), "'a[31mb'");
        assert_eq!(sql("x' OR '1'='1"), Some("'x'' OR ''1''=''1'".to_owned()));
        assert_eq!(sql("a\nb"), None);
        assert_eq!((insights("a\" | limit 1"), insights("a\\"), insights("é")), (None, None, None));
        assert_eq!(insights("a b"), Some("\"a b\"".to_owned()));
        assert_eq!(literal("a/b\"|.*"), Some(r"a\x2fb\x22\x7c\.\x2a".to_owned()));
        assert_eq!(literal("a\n"), None);
    }

    #[test]
    fn only_what_all_dialects_share_is_passed_on() {
        let pass = |source: &str| regex(&Pattern::new(source, false).unwrap());
        assert_eq!(pass(r"^13\.125\.\d+|x/y$").as_deref(), Some(r"^13\.125\.\d+|x\/y$"));
        assert_eq!(pass("[0-9a-f]{2}").as_deref(), Some("[0-9a-f]{2}"));
        for source in [r"\bword", "(?i)x", "[[:alpha:]]", "[a&&b]", r"\p{L}", "é", "\"", "[]a]", r"\x41"] {
            assert_eq!(pass(source), None, "{source}");
        }
    }
}
