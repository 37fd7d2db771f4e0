//! Filters that were applied, for the up and down keys of the filter bar and for the list, and those saved on function keys. Both hold what a person
//! typed, in its canonical spelling; what a pivot made out of a log is known while the program runs and not kept.

use super::view::stage;
use crate::engine::view::Tab;
use crate::filter::Filter;

/// How many are kept.
const LIMIT: usize = 200;

/// The function keys that filters are saved on; terminals keep the first and the last ones for themselves.
pub const SLOTS: std::ops::RangeInclusive<u8> = 2..=9;

/// An applied filter.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    text: String,
    /// Whether it was typed, here or in an earlier run.
    typed: bool,
}

/// Applied filters, oldest first, each once; and saved ones.
#[derive(Clone, Debug, Default)]
pub struct History {
    entries: Vec<Entry>,
    saved: [Option<String>; 8],
}

impl History {
    /// Remembers what was typed as the newest entry.
    pub fn push(&mut self, text: &str) {
        self.add(text, true);
    }

    /// Remembers a filter that was made of a log, for as long as the program runs.
    pub fn push_made(&mut self, text: &str) {
        self.add(text, false);
    }

    fn add(&mut self, text: &str, typed: bool) {
        if text.is_empty() {
            return;
        }
        // Typed once, it may be kept.
        let typed = typed || self.entries.iter().any(|entry| entry.text == text && entry.typed);
        self.entries.retain(|entry| entry.text != text);
        self.entries.push(Entry { text: text.to_owned(), typed });
        if self.entries.len() > LIMIT {
            self.entries.remove(0);
        }
    }

    /// Forgets an entry.
    pub fn forget(&mut self, text: &str) {
        self.entries.retain(|entry| entry.text != text);
    }

    /// Every entry that was typed, oldest first: what may be kept between runs.
    pub fn typed(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| entry.typed).map(|entry| entry.text.as_str())
    }

    /// Every entry, newest first.
    pub fn newest(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().rev().map(|entry| entry.text.as_str())
    }

    /// The entry `back` steps ago; 1 is the newest.
    pub fn get(&self, back: usize) -> Option<&str> {
        let index = self.entries.len().checked_sub(back)?;
        self.entries.get(index).map(|entry| entry.text.as_str())
    }

    /// The filter on a function key.
    pub fn on_key(&self, key: u8) -> Option<&str> {
        self.saved.get(usize::from(key.checked_sub(*SLOTS.start())?))?.as_deref()
    }

    /// Puts a filter on a function key; none frees it.
    pub fn put(&mut self, key: u8, text: Option<&str>) {
        if let Some(slot) = key.checked_sub(*SLOTS.start()).and_then(|at| self.saved.get_mut(usize::from(at))) {
            *slot = text.map(str::to_owned);
        }
    }

    /// Saves `text` on the first free function key, and says which; the one it is on already, if it is; `None` where all are taken.
    pub fn save(&mut self, text: &str) -> Option<u8> {
        let key = SLOTS.clone().find(|key| self.on_key(*key) == Some(text));
        let key = key.or_else(|| SLOTS.clone().find(|key| self.on_key(*key).is_none()))?;
        self.put(key, Some(text));
        Some(key)
    }

    /// Saved filters with their function keys.
    pub fn saved(&self) -> impl Iterator<Item = (u8, &str)> {
        SLOTS.filter_map(|key| Some((key, self.on_key(key)?)))
    }
}

/// How a filter is spelled where it is kept: as the printer spells it, or as it is where it is none.
pub fn canonical(text: &str, tab: Tab) -> String {
    Filter::parse(text, stage(tab)).map_or_else(|_| text.to_owned(), |filter| filter.to_string())
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

    #[test]
    fn what_a_log_made_is_not_kept_unless_it_was_typed_too() {
        let mut history = History::default();
        history.push("port = 22");
        history.push_made("srcaddr = 10.0.0.1");
        history.push_made("port = 22");
        assert_eq!(history.typed().collect::<Vec<_>>(), ["port = 22"]);
        assert_eq!(history.newest().collect::<Vec<_>>(), ["port = 22", "srcaddr = 10.0.0.1"]);
    }

    #[test]
    fn function_keys_fill_up_and_are_freed() {
        let mut history = History::default();
        let keys: Vec<Option<u8>> = (0..9).map(|n| history.save(&format!("port = {n}"))).collect();
        assert_eq!(keys[..2], [Some(2), Some(3)]);
        assert_eq!((keys[7], keys[8]), (Some(9), None));
        assert_eq!(history.save("port = 3"), Some(5), "it is there already");
        history.put(4, None);
        assert_eq!((history.save("udp"), history.on_key(4)), (Some(4), Some("udp")));
        assert_eq!(history.on_key(1), None);
    }

    #[test]
    fn what_is_kept_is_spelled_in_one_way() {
        assert_eq!(canonical("11211", Tab::Flows), "port = 11211");
        assert_eq!(canonical(" PORT:11211 ", Tab::Sessions), "port = 11211");
    }
}
