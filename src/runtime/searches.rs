//! Searches that the screen asks for: what they cost is found out beside the loop, and told to it.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::app::search::{Sums, Wanted};
use crate::detect::Baseline;
use crate::start::search::{Lessons, Run, Search, Searcher};
use crate::start::{Source, StartError};

/// What is heard of a search.
pub(super) enum Heard {
    /// What it will do, or why it cannot be done.
    Planned(Box<Result<Search, StartError>>),
    /// How far it is.
    Told(String),
    /// The sums it found.
    Sums(Sums),
    /// What was used before, or why that is not known.
    Baseline(Result<Baseline, String>),
}

/// What was begun.
pub(super) enum Begun {
    /// Records, which need an engine.
    Rows(Box<Source>),
    /// Sums, which are told when they are there.
    Sums,
}

/// See the module's text.
pub(super) struct Searches {
    searcher: Option<Searcher>,
    lessons: Option<Lessons>,
    offered: Option<Search>,
    tell: mpsc::UnboundedSender<Heard>,
    pub(super) heard: mpsc::UnboundedReceiver<Heard>,
    /// Stops the sums that are being added up.
    stop: Option<watch::Sender<bool>>,
}

impl Searches {
    pub(super) fn new(searcher: Option<Searcher>, lessons: Option<Lessons>) -> Searches {
        let (tell, heard) = mpsc::unbounded_channel();
        Searches { searcher, lessons, offered: None, tell, heard, stop: None }
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

    /// Finds out what a baseline costs.
    pub(super) fn plan_baseline(&mut self) {
        let Some(lessons) = &self.lessons else { return };
        let (planning, tell) = ((lessons.plan)(), self.tell.clone());
        tokio::spawn(async move { drop(tell.send(Heard::Planned(Box::new(planning.await)))) });
    }

    /// Does what `--baseline` asked for: gives what is kept, else loads it beside the loop. With it what the user is told.
    pub(super) fn begin_baseline(&mut self) -> Option<(Option<Arc<Baseline>>, String)> {
        let lessons = self.lessons.clone().filter(|lessons| lessons.asked)?;
        let remark = lessons.remark.clone().unwrap_or_else(|| "--baseline: it is being loaded".to_owned());
        if lessons.kept.is_none() {
            let (stop, stopped) = watch::channel(false);
            self.stop = Some(stop);
            let (tell, done) = (self.tell.clone(), self.tell.clone());
            tokio::spawn(async move {
                let heard = match (lessons.plan)().await {
                    Ok(Search { planned, run: Run::Baseline(load) }) => {
                        let _ = tell.send(Heard::Told(format!("{} scans {}", planned.title, planned.estimate)));
                        Heard::Baseline(load(stopped, Box::new(move |text| drop(tell.send(Heard::Told(text))))).await)
                    }
                    Ok(_) => return,
                    Err(error) => Heard::Baseline(Err(error.to_string().replace('\n', " "))),
                };
                // The screen is left if nobody hears it.
                let _ = done.send(heard);
            });
        }
        Some((lessons.kept, remark))
    }

    /// Remembers what is offered to the user.
    pub(super) fn offer(&mut self, search: Search) {
        self.offered = Some(search);
    }

    /// Runs what was offered: gives the source of its records, or adds up by itself. `None` where nothing was.
    pub(super) fn run(&mut self) -> Option<Begun> {
        match self.offered.take()?.run {
            Run::Rows(source) => Some(Begun::Rows(source)),
            Run::Sums(sum) => {
                let (stop, stopped) = watch::channel(false);
                self.stop = Some(stop);
                let (tell, done) = (self.tell.clone(), self.tell.clone());
                let show = self.tell.clone();
                let show = Box::new(move |sums| drop(show.send(Heard::Sums(sums))));
                let sums = sum(stopped, Box::new(move |text| drop(tell.send(Heard::Told(text)))), show);
                tokio::spawn(async move { drop(done.send(Heard::Sums(sums.await))) });
                Some(Begun::Sums)
            }
            Run::Baseline(load) => {
                let (stop, stopped) = watch::channel(false);
                self.stop = Some(stop);
                let (tell, done) = (self.tell.clone(), self.tell.clone());
                let loading = load(stopped, Box::new(move |text| drop(tell.send(Heard::Told(text)))));
                tokio::spawn(async move { drop(done.send(Heard::Baseline(loading.await))) });
                Some(Begun::Sums)
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
