//! Filters that were applied, for the up and down keys of the filter bar.

/// How many are kept.
const LIMIT: usize = 200;

/// Applied filters, oldest first, each once.
#[derive(Clone, Debug, Default)]
pub struct History {
    entries: Vec<String>,
}

impl History {
    /// Remembers `text` as the newest entry.
    pub fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.entries.retain(|entry| entry != text);
        self.entries.push(text.to_owned());
        if self.entries.len() > LIMIT {
            self.entries.remove(0);
        }
    }

    /// Every entry, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(String::as_str)
    }

    /// The entry `back` steps ago; 1 is the newest.
    pub fn get(&self, back: usize) -> Option<&str> {
        let index = self.entries.len().checked_sub(back)?;
        self.entries.get(index).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_move_to_the_end_and_old_ones_go() {
        let mut history = History::default();
        for text in ["a", "b", "a", ""] {
            history.push(text);
        }
        assert_eq!(
            (history.get(1), history.get(2), history.get(3), history.get(0)),
            (Some("a"), Some("b"), None, None)
        );
        for n in 0..LIMIT {
            history.push(&n.to_string());
        }
        assert_eq!(history.get(LIMIT), Some("0"));
        assert_eq!(history.get(LIMIT + 1), None);
    }
}
