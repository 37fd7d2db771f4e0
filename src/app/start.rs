//! What an app knows before its first page: what was typed, what earlier runs kept, the keys and the zone of the user.

use std::sync::Arc;

use super::history::canonical;
use super::{App, Applied, keymap};
use crate::engine::view::Tab;

impl App {
    /// Puts a filter in force before the first page, as `--filter` asks.
    ///
    /// # Errors
    /// Where `text` is no filter.
    pub fn with_filter(mut self, text: &str) -> Result<App, crate::filter::FilterError> {
        self.view.filter = Some(Applied::new(text, self.view.tab)?);
        let spelled = canonical(text, self.view.tab);
        self.history.push(&spelled);
        Ok(self)
    }

    /// Knows filters of earlier runs, oldest first.
    #[must_use]
    pub fn with_history<'a>(mut self, entries: impl IntoIterator<Item = &'a str>) -> App {
        for entry in entries {
            self.history.push(entry);
        }
        self
    }

    /// Knows filters that earlier runs saved on function keys.
    #[must_use]
    pub fn with_saved<'a>(mut self, saved: impl IntoIterator<Item = (u8, &'a str)>) -> App {
        for (key, text) in saved {
            self.history.put(key, Some(text));
        }
        self
    }

    /// Filters that were typed, oldest first: what may be kept between runs.
    pub fn history(&self) -> impl Iterator<Item = &str> {
        self.history.typed()
    }

    /// Filters saved on function keys.
    pub fn saved(&self) -> impl Iterator<Item = (u8, &str)> {
        self.history.saved()
    }

    /// Looks at another table first.
    #[must_use]
    pub fn with_tab(mut self, tab: Tab) -> App {
        self.view.tab = tab;
        self
    }

    /// Takes the keys of the user.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<keymap::Keys>) -> App {
        self.keys = keys;
        self
    }

    /// The keys in force.
    pub fn keys(&self) -> &keymap::Keys {
        &self.keys
    }

    /// Knows in which zone the user is.
    #[must_use]
    pub fn with_zone(mut self, zone: jiff::tz::TimeZone) -> App {
        self.zone = Some(zone);
        self
    }

    /// The zone of local times; none where that is UTC.
    pub fn zone(&self) -> Option<&jiff::tz::TimeZone> {
        self.zone.as_ref()
    }
}
