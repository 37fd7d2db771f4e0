//! Keys as the app knows them, and their names: in the action table, in help, and in the key strings that tests and screenshots play.

use std::fmt;

/// What was pressed, without modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A character as it was typed; shift is already in it.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Delete to the left.
    Backspace,
    /// Delete to the right.
    Delete,
    /// Tab.
    Tab,
    /// Shift and Tab, which terminals send as a key of its own.
    BackTab,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// Function key, from 1.
    F(u8),
}

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With control.
    pub ctrl: bool,
}

/// Names of keys that are not characters: as written in the action table, and as shown on the screen.
const NAMES: &[(&str, Code, &str)] = &[
    ("enter", Code::Enter, "Enter"),
    ("esc", Code::Esc, "Esc"),
    ("backspace", Code::Backspace, "Backspace"),
    ("delete", Code::Delete, "Delete"),
    ("tab", Code::Tab, "Tab"),
    ("backtab", Code::BackTab, "Shift-Tab"),
    ("up", Code::Up, "Up"),
    ("down", Code::Down, "Down"),
    ("left", Code::Left, "Left"),
    ("right", Code::Right, "Right"),
    ("pgup", Code::PageUp, "PgUp"),
    ("pgdn", Code::PageDown, "PgDn"),
    ("home", Code::Home, "Home"),
    ("end", Code::End, "End"),
    ("space", Code::Char(' '), "Space"),
    ("ret", Code::Enter, "Enter"),
    ("lt", Code::Char('<'), "<"),
];

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: Code) -> Key {
        Key { code, ctrl: false }
    }

    /// The key called `name`: `j`, `G`, `ctrl-d`, `pgdn`, `space`. `None` where no key has that name.
    pub fn named(name: &str) -> Option<Key> {
        let (ctrl, rest) = match name.strip_prefix("ctrl-") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        let mut chars = rest.chars();
        let function =
            rest.strip_prefix('f').and_then(|number| number.parse().ok()).filter(|number| (1..=12).contains(number));
        let code = match (chars.next(), chars.next()) {
            (Some(only), None) => Code::Char(only),
            _ if function.is_some() => Code::F(function.unwrap_or_default()),
            _ => NAMES.iter().find(|(known, ..)| *known == rest)?.1,
        };
        Some(Key { code, ctrl })
    }

    /// The keys that `text` spells: characters stand for themselves, anything else is a name in angle brackets, as in
    /// `/port 22<enter>jj<esc>`. A bracket that names no key stands for itself.
    pub fn sequence(text: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let named = rest
                .strip_prefix('<')
                .and_then(|inner| inner.split_once('>'))
                .filter(|(name, _)| name.chars().count() > 1)
                .and_then(|(name, after)| Some((Key::named(name)?, after)));
            if let Some((key, after)) = named {
                keys.push(key);
                rest = after;
            } else {
                keys.push(Key::plain(Code::Char(first)));
                rest = &rest[first.len_utf8()..];
            }
        }
        keys
    }

    /// The character this key types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(typed) if !self.ctrl => Some(typed),
            _ => None,
        }
    }
}

/// The name that help and hints show.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        match NAMES.iter().find(|(_, code, _)| *code == self.code) {
            Some((.., shown)) => f.write_str(shown),
            None => match self.code {
                Code::Char(c) if self.ctrl => write!(f, "{}", c.to_ascii_uppercase()),
                Code::Char(c) => write!(f, "{c}"),
                Code::F(number) => write!(f, "F{number}"),
                _ => Ok(()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_mix_text_and_names() {
        let keys = Key::sequence("/a<enter>G<ctrl-d><lt>x < y");
        let shown: Vec<String> = keys.iter().map(Key::to_string).collect();
        assert_eq!(shown, ["/", "a", "Enter", "G", "Ctrl-D", "<", "x", "Space", "<", "Space", "y"]);
    }

    #[test]
    fn an_unknown_name_is_text() {
        assert_eq!(Key::sequence("<nokey>").len(), 7);
        assert_eq!(Key::named("nokey"), None);
        assert_eq!(Key::named(""), None);
    }
}
