//! The live tab and the tab of a search beside it: what comes for the one that is not shown, and going from one to the other.

use std::io;
use std::sync::Arc;

use super::desk::Desk;
use super::looping::Loop;
use super::searches::{Begun, Heard};
use crate::detect::{Alert, Baseline};
use crate::start;

impl Loop {
    /// The tab beside the shown one has a page.
    pub(super) fn receive_beside(&mut self) {
        let Some(desk) = &mut self.other else { return };
        desk.receive();
        self.lend();
        let Some(desk) = &mut self.other else { return };
        let raised = desk.app.take_raised();
        if desk.live {
            for alert in raised {
                self.alarmed(alert);
            }
        }
        if let Some(desk) = &mut self.other {
            desk.ask_if_new();
        }
    }

    pub(super) fn alarmed(&mut self, alert: Arc<Alert>) {
        if let Some(notifier) = &mut self.notifier
            && !notifier.tell(&alert)
        {
            self.desk.app.tell("--on-alert: too many alerts wait for the command; it is not run for this one.");
        }
        self.raised.get_or_insert(alert);
    }

    /// Something is heard of a search.
    pub(super) fn hear(&mut self, heard: Heard) {
        let app = &mut self.desk.app;
        match heard {
            Heard::Planned(planned) => match *planned {
                Ok(search) => {
                    app.offer_search(&search.planned);
                    self.searches.offer(search);
                }
                Err(error) => app.refuse(error.to_string().replace('\n', " ")),
            },
            Heard::Told(text) => {
                let stops = app.keys().spell("({stop-loading} stops it)");
                app.tell(format!("{text} {stops}"));
            }
            Heard::Sums(sums) => app.show_sums(&sums),
            Heard::Baseline(Ok(baseline)) => self.take_baseline(&Arc::new(baseline)),
            Heard::Baseline(Err(why)) => {
                app.summed_up();
                app.refuse(why);
            }
        }
    }

    /// Has the rules of the live tab know what was used before.
    pub(super) fn take_baseline(&mut self, baseline: &Arc<Baseline>) {
        self.desk.app.summed_up();
        let known = baseline.known();
        self.desk.app.tell(format!("Baseline: the rules call new what was not seen {known} (i says more)."));
        for desk in std::iter::once(&self.desk).chain(&self.other).filter(|desk| desk.live) {
            desk.teach(Arc::clone(baseline));
        }
    }

    /// What `--baseline` asked for.
    pub(super) fn begin_baseline(&mut self) {
        let Some((kept, remark)) = self.searches.begin_baseline() else { return };
        match kept {
            Some(kept) => self.take_baseline(&kept),
            None => self.desk.app.sum_up(),
        }
        self.desk.app.tell(remark);
    }

    /// Runs the search that was offered: its records come into a tab of their own, beside the live one.
    pub(super) fn run_search(&mut self) -> io::Result<()> {
        let source = match self.searches.run() {
            None => return Ok(()),
            Some(Begun::Sums) => {
                self.desk.app.sum_up();
                return Ok(());
            }
            Some(Begun::Rows(source)) => *source,
        };
        let own = crate::cli::Common { memory: share(self.common.memory), ..self.common.clone() };
        let opened = start::decoder(&own).and_then(|decoder| Ok((decoder, start::detection(&own)?)));
        let (decoder, detector) = opened.map_err(io::Error::other)?;
        let desk = Desk::open(self.desk.app.for_search(), source, decoder, detector, &own, false)?;
        let shown = std::mem::replace(&mut self.desk, desk);
        let gone = if shown.live { self.other.replace(shown) } else { Some(shown) };
        if let Some(gone) = gone {
            // The queries of an earlier search are stopped.
            tokio::spawn(gone.close());
        }
        self.desk.app.put_beside(Some("Live".to_owned()));
        if let Some(live) = &mut self.other {
            live.app.put_beside(Some("History".to_owned()));
        }
        Ok(())
    }

    /// Has the live tab make room for what the search holds, so that both stay within `--memory`.
    pub(super) fn lend(&mut self) {
        let desks = || std::iter::once(&self.desk).chain(&self.other);
        let held = desks().find(|desk| !desk.live).map(|desk| desk.app.page().status.held_bytes);
        let lent = held.map_or(0, |held| lent(held, self.common.memory));
        if lent != self.lent
            && let Some(live) = desks().find(|desk| desk.live)
        {
            live.lend(lent);
            self.lent = lent;
        }
    }

    /// Closes the tab of the search, and shows the live one.
    pub(super) fn close_search(&mut self) {
        let Some(live) = self.other.take_if(|desk| desk.live) else { return };
        let gone = std::mem::replace(&mut self.desk, live);
        tokio::spawn(gone.close());
        self.desk.app.put_beside(None);
        self.desk.app.tell("The search is closed.");
        self.receive();
    }

    /// Shows the other tab.
    pub(super) fn go_beside(&mut self) {
        if let Some(other) = &mut self.other {
            std::mem::swap(&mut self.desk, other);
            self.desk.receive();
        }
    }
}

/// Bytes that the engine of a search may use of `memory`.
pub(super) fn share(memory: usize) -> usize {
    memory / 4
}

/// Bytes that the live tab does without while a search holds `held`: what it has, and a step of what it will have before that is looked at again.
fn lent(held: u64, memory: usize) -> usize {
    let step = (memory / 64).max(1);
    let held = usize::try_from(held).unwrap_or(usize::MAX);
    held.div_ceil(step).saturating_add(1).saturating_mul(step).min(share(memory))
}

/// Completes when the tab beside the shown one has a page; gives nothing once its engine is gone.
pub(super) async fn beside(other: &mut Option<Desk>) -> Option<()> {
    match other {
        Some(desk) => desk.pages.changed().await.ok(),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_search_holds_is_lent_before_it_has_it() {
        let memory = 1 << 30;
        let step = memory / 64;
        assert_eq!(lent(0, memory), step);
        assert_eq!(lent(1, memory), 2 * step);
        for held in [0, 1, 5_000_000, 40_000_000, 200_000_000] {
            assert!(lent(held, memory) as u64 >= held.saturating_add(step as u64));
        }
        assert_eq!(lent(u64::MAX, memory), share(memory));
    }
}
