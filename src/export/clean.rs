//! Makes text from a log harmless for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character could steer a terminal or hide text: controls of both sets, bidirectional overrides and isolates, zero-width and
/// line-separating characters, the byte order mark, and tags.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// `text` with hostile characters written as `\u{1b}`.
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hostile(c) {
            // Writing to a String cannot fail.
            let _ = write!(clean, "\\u{{{:x}}}", u32::from(c));
        } else {
            clean.push(c);
        }
    }
    Cow::Owned(clean)
}

/// JSON text with hostile characters escaped as JSON does it; the value stays the same.
pub fn json(text: String) -> String {
    if !text.chars().any(is_hostile) {
        return text;
    }
    let mut clean = String::with_capacity(text.len() + 16);
    let mut units = [0; 2];
    for c in text.chars() {
        if is_hostile(c) {
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(clean, "\\u{unit:04x}");
            }
        } else {
            clean.push(c);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_overrides_become_visible() {
        assert_eq!(for_terminal("eni-\u{1b}[2J\u{9b}31m\u{202e}x"), "eni-\\u{1b}[2J\\u{9b}31m\\u{202e}x");
        assert_eq!(for_terminal("plain äöü 漢字"), "plain äöü 漢字");
    }

    #[test]
    fn json_keeps_its_value() {
        let value = "a\u{9b}\u{202e}\u{e0041}b\u{1b}";
        let text = json(serde_json::to_string(value).unwrap());
        assert!(text.is_ascii());
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }
}
