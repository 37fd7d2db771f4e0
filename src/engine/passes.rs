//! The passes over what is held go on: which of them are behind, and what a slice of work does.

use super::conversations::{Held, SessionScan};
use super::core::Core;
use super::lives::Lives;
use super::look::Draft;
use super::phase;
use super::profile::ProfileScan;
use super::view::Tab;

impl Core {
    /// Whether [`Core::refresh`] has something to do.
    pub fn is_behind(&self) -> bool {
        self.is_table_behind()
            || self.are_phases_behind()
            || self.is_profile_behind()
            || self.is_since_behind()
            || self.are_lives_behind()
    }

    fn are_phases_behind(&self) -> bool {
        let (changes, frozen) = (self.session_changes, self.look.frozen.is_some());
        self.look.spec.change.is_some() && self.look.phases.is_behind(changes, frozen)
    }

    fn are_lives_behind(&self) -> bool {
        let (changes, frozen) = (self.session_changes, self.look.frozen.is_some());
        self.counts_sessions() && self.look.lives.is_behind(changes, frozen)
    }

    /// Whether the strip counts sessions.
    pub(super) fn counts_sessions(&self) -> bool {
        let spec = &self.look.spec;
        spec.timeline.sessions && spec.tab == Tab::Sessions && spec.timeline_bins > 0
    }

    fn is_profile_behind(&self) -> bool {
        let (changes, frozen) = (self.session_changes, self.look.frozen.is_some());
        self.look.spec.profile.is_some() && self.look.profile.is_behind(changes, frozen)
    }

    fn is_since_behind(&self) -> bool {
        let (changes, frozen) = (self.session_changes, self.look.frozen.is_some());
        self.look.spec.detail.is_some() && self.look.since.is_behind(changes, frozen)
    }

    fn is_table_behind(&self) -> bool {
        match self.look.spec.tab {
            Tab::Sessions => {
                self.look.frozen.is_none()
                    && self.look.running.is_none()
                    && self.look.seen_changes != Some(self.session_changes)
            }
            Tab::Flows => self.look.flows.is_stale(),
            Tab::Alerts => false,
        }
    }

    /// Takes a new pass over the sessions if they changed since the last, and over the ring if too much of what was gathered is gone.
    /// Not free: the thread calls it a few times a second at most.
    pub fn refresh(&mut self) {
        if self.are_phases_behind() {
            let filter = self.look.spec.filter.clone().filter(|_| self.look.spec.tab == Tab::Sessions);
            self.look.phases.running = Some(SessionScan::new(filter, None, phase::by_phase()));
        }
        if self.are_lives_behind() {
            self.look.lives.running = Some(Lives::new(self.look.spec.filter.clone()));
        }
        if self.is_profile_behind() {
            self.look.profile.running = self.look.spec.profile.clone().map(ProfileScan::new);
        }
        if self.is_since_behind() {
            self.look.since.running = self.since_scan();
            if self.look.since.running.is_none() {
                self.look.since.skip(self.session_changes);
            }
        }
        if !self.is_table_behind() {
            return;
        }
        if self.look.spec.tab == Tab::Sessions {
            self.look.look_over_sessions(self.look.spec.shown().cloned());
            if let Some(explain) = &mut self.look.explain {
                explain.again(self.sessions.chunks());
            }
        } else {
            self.look.restart();
        }
    }

    /// Goes on with the passes, looking at up to about `budget` rows. False once everything was looked at.
    pub fn step(&mut self, budget: usize) -> bool {
        let more = self.step_replays(budget);
        self.step_look(budget) || more
    }

    fn step_look(&mut self, budget: usize) -> bool {
        let now = self.now();
        let region = self.config.region.clone();
        let look = &mut self.look;
        let (ring, chunks) = match &look.frozen {
            Some(frozen) => (&frozen.ring, &frozen.chunks[..]),
            None => (&self.ring, self.sessions.chunks()),
        };
        let held = Held { chunks, names: &self.names, region: region.as_deref(), change: look.spec.change, now };
        let mut left = budget;
        let mut unfinished = false;
        // First what is wanted while a word is typed. It is soon done, but where rows pour in a slice is all there is between two loads of them: the
        // table and the count of the draft go on beside it.
        let mut words = (budget / 2).max(1);
        for values in &mut look.values {
            let looked = match look.spec.tab {
                Tab::Sessions => values.step_sessions(held, words),
                _ => values.step_flows(ring, words),
            };
            unfinished |= looked >= words;
            words = words.saturating_sub(looked);
            left = left.saturating_sub(looked);
        }
        match look.spec.tab {
            Tab::Flows => {
                left -= look.flows.step(ring, left, now).min(left);
                left -= look.folded.step_flows(ring, left, now).min(left);
            }
            Tab::Sessions => {
                if let Some(scan) = &mut look.running {
                    left -= scan.step(held, left).min(left);
                    if scan.place().is_done(chunks)
                        && let Some(done) = look.running.take()
                    {
                        look.sessions = done;
                        look.seen_changes = Some(self.session_changes);
                    }
                }
                left -= look.folded.step_sessions(held, left).min(left);
            }
            Tab::Alerts => {}
        }
        if let Some(draft) = &mut look.draft {
            // A long pass for the table does not keep what is typed from being counted.
            let most = left.max((budget / 4).max(1));
            let looked = match draft {
                Draft::Flows(scan) => scan.step(ring, most, now),
                Draft::Sessions(scan) => scan.step(held, most),
            };
            unfinished |= looked >= most;
            left = left.saturating_sub(looked);
        }
        if let Some(explain) = &mut look.explain {
            left -= match look.spec.tab {
                Tab::Sessions => explain.step_sessions(held, left),
                _ => explain.step_flows(ring, left, now),
            }
            .min(left);
        }
        if let Some(scan) = &mut look.profile.running {
            left -= scan.step(held, left).min(left);
            if scan.place().is_done(chunks) {
                look.profile.complete(self.session_changes, |scan| scan.profile(chunks, &self.names));
            }
        }
        if let Some(scan) = &mut look.since.running {
            left -= scan.step(held, left).min(left);
            if scan.place().is_done(chunks) {
                look.since.complete(self.session_changes, |scan| scan.since());
            }
        }
        if let Some(scan) = &mut look.lives.running {
            left -= scan.step(held, left).min(left);
            if scan.place().is_done(chunks) {
                look.lives.complete(self.session_changes, |scan| scan);
            }
        }
        if let Some(scan) = &mut look.phases.running {
            left -= scan.step(held, left).min(left);
            if scan.place().is_done(chunks) {
                look.phases.complete(self.session_changes, |scan| scan);
            }
        }
        if look.spec.timeline_bins > 0 {
            // A long pass for the table does not keep the strip empty: it has a share of its own.
            let share = (budget / 4).max(1);
            // The sums of all records go on beside those of a view, so that coming back costs nothing.
            let live = Some((&mut self.tally, &self.ring));
            for (tally, ring) in look.tally.as_mut().map(|tally| (tally, ring)).into_iter().chain(live) {
                let most = left.max(share);
                let looked = tally.step(ring, most, now);
                unfinished |= looked >= most;
                left = left.saturating_sub(looked);
            }
        }
        if !look.spec.columns.is_empty() {
            // A screen looks at rows: what was first seen in them is told with them.
            let most = left.max((budget / 8).max(1));
            let looked = self.firsts.step(&self.ring, most);
            unfinished |= looked >= most;
            left = left.saturating_sub(looked);
        }
        left == 0 || unfinished
    }
}
