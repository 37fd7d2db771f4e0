//! What the rules found, on its way to the screen and to whoever prints it.

use std::sync::Arc;

use super::core::Core;
use crate::detect::{Alert, AlertEvent, DetectStats};
use crate::session::Session;

/// Alerts kept for the screen; the detector bounds what is open, this bounds what is over.
const MAX_ALERTS: usize = 10_000;

impl Core {
    /// Gives the rules a thread of their own, if the system has one. What they find comes a little later then: [`Core::hear`] takes it in.
    #[must_use]
    pub fn with_rules_apart(mut self) -> Core {
        self.detector = self.detector.apart();
        self
    }

    /// Whether the rules may still have something to say of what was taken in.
    pub fn rules_are_behind(&self) -> bool {
        self.detector.is_behind()
    }

    /// Whether the rules have so much to go through that telling them more could block.
    pub fn rules_are_full(&self) -> bool {
        self.detector.is_full()
    }

    /// What the rules hold, and what they had to let go, as far as it is known here.
    pub fn rule_stats(&self) -> DetectStats {
        self.detector.stats()
    }

    /// Takes in what the rules found meanwhile. True where that is something.
    pub fn hear(&mut self) -> bool {
        let news = self.detector.heard();
        let any = !news.is_empty();
        self.take_in_news(news);
        any
    }

    pub(super) fn collect_news(&mut self) {
        if self.collect {
            self.finished.append(&mut self.sessions.take_finished());
        }
        let news = self.detector.drain();
        self.take_in_news(news);
    }

    pub(super) fn take_in_news(&mut self, news: Vec<AlertEvent>) {
        for mut event in news {
            let (AlertEvent::Raised(alert)
            | AlertEvent::Updated(alert)
            | AlertEvent::Closed(alert)
            | AlertEvent::Withdrawn(alert)) = &mut event;
            self.replays.number(alert);
            let alert = match &event {
                AlertEvent::Raised(alert) | AlertEvent::Updated(alert) | AlertEvent::Closed(alert) => alert,
                AlertEvent::Withdrawn(alert) => {
                    self.forget_alert(alert.id);
                    if self.collect {
                        self.news.push(event);
                    }
                    continue;
                }
            };
            let alert = Arc::new(alert.clone());
            if let Some(session) = alert.session {
                let mark = self.marks.entry(session).or_insert(alert.level);
                *mark = (*mark).max(alert.level);
            }
            match self.alerts.binary_search_by_key(&alert.id, |known| known.id) {
                Ok(place) => self.alerts[place] = alert,
                Err(place) => {
                    self.counts.alerts += 1;
                    if self.alerts.len() == MAX_ALERTS
                        && let Some(over) = self.alerts.iter().position(|alert| alert.closed)
                    {
                        self.alerts.remove(over);
                    }
                    self.alerts.insert(place.min(self.alerts.len()), alert);
                }
            }
            if self.collect {
                self.news.push(event);
            }
        }
    }

    /// An alert was taken back: the list, the count and the mark of its session are as if it had never been. Whether it was raised in between
    /// hangs on how the input was cut into batches, which hangs on how busy the machine was.
    fn forget_alert(&mut self, id: u64) {
        let Ok(place) = self.alerts.binary_search_by_key(&id, |known| known.id) else { return };
        let gone = self.alerts.remove(place);
        self.counts.alerts -= 1;
        if let Some(session) = gone.session {
            let left = self.alerts.iter().filter(|alert| alert.session == Some(session)).map(|alert| alert.level).max();
            match left {
                Some(level) => self.marks.insert(session, level),
                None => self.marks.remove(&session),
            };
        }
    }

    /// Sessions that became final since the last call.
    pub fn take_finished(&mut self) -> Vec<Session> {
        std::mem::take(&mut self.finished)
    }

    /// News from the rules since the last call.
    pub fn take_news(&mut self) -> Vec<AlertEvent> {
        std::mem::take(&mut self.news)
    }

    /// Alerts that were raised and are still held.
    pub fn alerts(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.alerts.iter()
    }
}
