//! Alerts as the question in force wants them: what is muted is counted, and shown only where that is asked for.

use std::sync::Arc;

use super::core::Core;
use crate::detect::{Alert, Level};

impl Core {
    /// Whether `alert` is kept from the screen.
    pub(super) fn is_hidden(&self, alert: &Alert) -> bool {
        let spec = &self.look.spec;
        !spec.show_muted && !spec.mutes.is_empty() && spec.mutes.covers(alert)
    }

    /// The alerts that are shown.
    pub(super) fn shown_alerts(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.alerts.iter().filter(|alert| !self.is_hidden(alert))
    }

    /// Alerts held that are muted, shown or not.
    pub(super) fn muted_alerts(&self) -> u64 {
        let mutes = &self.look.spec.mutes;
        if mutes.is_empty() { 0 } else { self.alerts.iter().filter(|alert| mutes.covers(alert)).count() as u64 }
    }

    /// The worst alert that a session tipped and that is shown.
    pub(super) fn mark_of(&self, session: u64) -> Option<Level> {
        let worst = *self.marks.get(&session)?;
        if self.look.spec.mutes.is_empty() {
            return Some(worst);
        }
        self.shown_alerts().filter(|alert| alert.session == Some(session)).map(|alert| alert.level).max()
    }
}
