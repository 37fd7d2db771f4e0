//! Earlier time of a source that can load it, an hour a press; what `[` means where there is none.

use super::{App, Effect, Tone};
use crate::record::Earlier;

/// How much a press loads, seconds.
pub const STEP: i64 = 3_600;

impl App {
    /// Says `why` where earlier time is asked for, since the source has none to load.
    #[must_use]
    pub fn with_nothing_earlier(mut self, why: Option<String>) -> App {
        self.nothing_earlier = why;
        self
    }

    pub(super) fn load_earlier(&mut self) -> Vec<Effect> {
        if let Some(why) = self.nothing_earlier.clone() {
            self.say(Tone::Quiet, why);
            return Vec::new();
        }
        let Some(earlier) = self.page.status.state.earlier else {
            self.say_keys(Tone::Quiet, "Nothing was read so far: {earlier} loads an hour before what was.");
            return Vec::new();
        };
        if self.page.status.earlier_let_go > 0 {
            self.say_keys(
                Tone::Refused,
                "The room for earlier time is full. More --memory holds more; {history} searches any range.",
            );
            return Vec::new();
        }
        let to = earlier.wanted.min(earlier.from);
        let stops = self.keys.spell("{stop-loading} stops it.");
        self.say(Tone::Quiet, format!("Loading {} to {}, newest first; {stops}", clock(to - STEP), clock(to)));
        vec![Effect::LoadEarlier]
    }

    pub(super) fn stop_loading(&mut self) -> Vec<Effect> {
        if self.loading().is_none() && !self.searches_now() {
            self.say(Tone::Quiet, "Nothing is being loaded.");
            return Vec::new();
        }
        self.say(Tone::Quiet, "Stopped. What came stays.");
        vec![Effect::StopLoading]
    }

    /// Earlier time that is being loaded.
    pub fn loading(&self) -> Option<Earlier> {
        self.page.status.state.earlier.filter(|earlier| earlier.percent().is_some())
    }

    /// Whether more of earlier time is being loaded than there is room for. Says so.
    pub fn loads_in_vain(&mut self) -> bool {
        let Some(earlier) = self.loading().filter(|_| self.page.status.earlier_let_go > 0) else { return false };
        let from = clock(earlier.from);
        self.say(
            Tone::Refused,
            format!("The room for earlier time is full: loading stopped at {from}. More --memory holds more."),
        );
        true
    }
}

/// `04:00Z`.
fn clock(at: i64) -> String {
    jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |time| time.strftime("%H:%MZ").to_string())
}
