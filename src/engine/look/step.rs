//! The passes go on, a slice at a time: what the table waits for first, then what stands beside it.

use super::Draft;
use crate::engine::conversations::Held;
use crate::engine::core::Core;
use crate::engine::view::Tab;

impl Core {
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
        // First what is wanted while a word is typed: it is soon done.
        for values in &mut look.values {
            left -= match look.spec.tab {
                Tab::Sessions => values.step_sessions(held, left),
                _ => values.step_flows(ring, left),
            }
            .min(left);
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
        match &mut look.draft {
            Some(Draft::Flows(scan)) => left -= scan.step(ring, left, now).min(left),
            Some(Draft::Sessions(scan)) => left -= scan.step(held, left).min(left),
            None => {}
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
                look.profile.done = Some(scan.profile(chunks, &self.names));
                look.profile.seen = Some(self.session_changes);
                look.profile.running = None;
            }
        }
        if let Some(scan) = &mut look.since.running {
            left -= scan.step(chunks, left).min(left);
            if scan.is_done(chunks) {
                (look.since.done, look.since.seen) = (Some(scan.since()), Some(self.session_changes));
                look.since.running = None;
            }
        }
        if let Some(scan) = &mut look.lives.running {
            left -= scan.step(held, left).min(left);
            if scan.place().is_done(chunks) {
                look.lives.done = look.lives.running.take();
                look.lives.seen = Some(self.session_changes);
            }
        }
        if let Some(scan) = &mut look.phases.running {
            left -= scan.step(held, left).min(left);
            if scan.place().is_done(chunks) {
                look.phases.done = look.phases.running.take();
                look.phases.seen = Some(self.session_changes);
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
