//! A pattern by the place of fields relies on what EC2 says of the flow logs, which somebody may change while the tail runs.

use std::sync::Arc;

use crate::record::Format;

use super::super::client::Logs;
use super::super::clock::millis;
use super::super::group::Group;
use super::super::preflight::{AGAIN, About};
use super::Runner;

/// Asked again no sooner than this, milliseconds.
const SOONEST: i64 = 15_000;

/// What a pattern relies on.
#[derive(Clone, Debug)]
pub(in super::super) struct Proof {
    /// The one format of all records.
    pub(in super::super) format: Arc<Format>,
    /// The pattern that holds for every format.
    pub(in super::super) wider: Option<Arc<str>>,
    /// When EC2 last said so, Unix milliseconds.
    pub(in super::super) confirmed: i64,
    /// It no longer holds.
    pub(in super::super) broken: bool,
}

impl<L: Logs> Runner<L> {
    /// Asks about the groups now and then, and takes in what is answered.
    pub(super) fn ask_again(&mut self, now: i64) {
        if let Some(about) = self.parts.asking.arrived() {
            self.told_about(about, now);
        }
        let lookback = millis(self.parts.lookback);
        // Twice within look-back, so that what was not let through meanwhile can still be read again.
        let every = if self.parts.proof.is_some() { AGAIN.min(lookback / 2).max(SOONEST) } else { AGAIN };
        if now - self.asked_at >= every || now < self.asked_at {
            self.asked_at = now;
            self.parts.asking.again();
        }
        let pattern = self.pattern(now);
        if pattern != self.asks_for {
            self.asks_for = pattern;
            // A token belongs to the pattern that it was asked for with.
            self.parts.groups.iter_mut().for_each(Group::begin_again);
        }
    }

    /// Takes in what was found out about the groups.
    fn told_about(&mut self, about: About, now: i64) {
        if !about.is_answered && self.parts.about.is_answered {
            // What was true five minutes ago says more than that nobody answers now.
            return;
        }
        if let Some(proof) = self.parts.proof.as_mut().filter(|proof| !proof.broken && about.is_answered) {
            if about.proven.as_ref() == Some(&proof.format) {
                proof.confirmed = now;
            } else {
                proof.broken = true;
                // What came in another format since the last answer was not let through.
                for group in &mut self.parts.groups {
                    group.plan.read_again();
                }
            }
        }
        self.parts.about = about;
    }

    /// The pattern to ask with. What was proven longer ago than look-back proves nothing: what it left out could not be read again.
    fn pattern(&self, now: i64) -> Option<Arc<str>> {
        match &self.parts.proof {
            Some(proof) if proof.broken || now - proof.confirmed > millis(self.parts.lookback) => proof.wider.clone(),
            _ => self.parts.pattern.clone(),
        }
    }

    /// The pattern of requests, where it is not the one that the tail began with; empty for none.
    pub(in super::super) fn asks_for_since(&self, now: i64) -> Option<Arc<str>> {
        let pattern = self.pattern(now);
        (pattern != self.parts.pattern).then(|| pattern.unwrap_or_default())
    }

    /// Remarks for the user.
    pub(in super::super) fn proof_notes(&self, notes: &mut Vec<String>) {
        let Some(proof) = self.parts.proof.as_ref().filter(|proof| proof.broken) else { return };
        let wider = proof.wider.as_deref().unwrap_or("everything");
        notes.push(format!(
            "flow logs were changed while this runs: their format is no longer proven, so --fetch asks for {wider} from now on, and look-back is read again"
        ));
    }
}
