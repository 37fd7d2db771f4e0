//! The live tab and the tab of a search beside it: what comes for the one that is not shown, and going from one to the other.

use std::io;
use std::sync::Arc;

use super::Loop;
use super::desk::Desk;
use super::searches::Heard;
use crate::detect::Alert;
use crate::start;

impl Loop {
    /// The tab beside the shown one has a page.
    pub(super) fn receive_beside(&mut self) {
        let Some(desk) = &mut self.other else { return };
        desk.receive();
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
        if let Some(notifier) = &mut self.notifier {
            notifier.tell(&alert);
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
            Heard::Told(text) => app.tell(format!("{text} (X stops it)")),
            Heard::Sums(sums) => app.show_sums(&sums),
        }
    }

    /// Runs the search that was offered: its records come into a tab of their own, beside the live one.
    pub(super) fn run_search(&mut self) -> io::Result<()> {
        let Some(source) = self.searches.run() else {
            self.desk.app.sum_up();
            return Ok(());
        };
        let opened = start::decoder(&self.common).and_then(|decoder| Ok((decoder, start::detection(&self.common)?)));
        let (decoder, detector) = opened.map_err(io::Error::other)?;
        let desk = Desk::open(self.desk.app.for_search(), source, decoder, detector, self.common.memory / 4, false)?;
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

    /// Shows the other tab.
    pub(super) fn go_beside(&mut self) {
        if let Some(other) = &mut self.other {
            std::mem::swap(&mut self.desk, other);
            self.desk.receive();
        }
    }
}

/// Completes when the tab beside the shown one has a page; gives nothing once its engine is gone.
pub(super) async fn beside(other: &mut Option<Desk>) -> Option<()> {
    match other {
        Some(desk) => desk.pages.changed().await.ok(),
        None => std::future::pending().await,
    }
}
