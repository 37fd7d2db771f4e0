//! Searches that the screen asks for: what they cost is found out beside the loop, and told to it.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::app::search::{Sums, Wanted};
use crate::start::search::{Run, Search, Searcher};
use crate::start::{Source, StartError};

/// What is heard of a search.
pub(super) enum Heard {
    /// What it will do, or why it cannot be done.
    Planned(Box<Result<Search, StartError>>),
    /// How far it is.
    Told(String),
    /// The sums it found.
    Sums(Sums),
}

/// See the module's text.
pub(super) struct Searches {
    searcher: Option<Searcher>,
    offered: Option<Search>,
    tell: mpsc::UnboundedSender<Heard>,
    pub(super) heard: mpsc::UnboundedReceiver<Heard>,
    /// Stops the sums that are being added up.
    stop: Option<watch::Sender<bool>>,
}

impl Searches {
    pub(super) fn new(searcher: Option<Searcher>) -> Searches {
        let (tell, heard) = mpsc::unbounded_channel();
        Searches { searcher, offered: None, tell, heard, stop: None }
    }

    /// Finds out what a search costs.
    pub(super) fn plan(&mut self, wanted: Arc<Wanted>) {
        let Some(searcher) = &self.searcher else { return };
        let (planning, tell) = (searcher(wanted), self.tell.clone());
        tokio::spawn(async move {
            let planned = planning.await;
            // The screen is left if nobody hears it.
            let _ = tell.send(Heard::Planned(Box::new(planned)));
        });
    }

    /// Remembers what is offered to the user.
    pub(super) fn offer(&mut self, search: Search) {
        self.offered = Some(search);
    }

    /// Runs what was offered: gives the source of its records, or adds up by itself.
    pub(super) fn run(&mut self) -> Option<Source> {
        match self.offered.take()?.run {
            Run::Rows(source) => Some(*source),
            Run::Sums(sum) => {
                let (stop, stopped) = watch::channel(false);
                self.stop = Some(stop);
                let (tell, done) = (self.tell.clone(), self.tell.clone());
                let sums = sum(stopped, Box::new(move |text| drop(tell.send(Heard::Told(text)))));
                tokio::spawn(async move { drop(done.send(Heard::Sums(sums.await))) });
                None
            }
        }
    }

    /// Stops the sums that are being added up.
    pub(super) fn stop(&self) {
        if let Some(stop) = &self.stop {
            // They may have come meanwhile.
            let _ = stop.send(true);
        }
    }
}
