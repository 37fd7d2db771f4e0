//! What comes of live sessions: events are passed on before a sweep finds them, and what a session left out is read sooner.

use std::collections::VecDeque;

use crate::record::{Input, LiveStatus};

use super::super::client::{Found, Logs};
use super::super::live::{News, Session};
use super::super::plan::SLICE;
use super::super::seen::content;
use super::{Building, Closed, Runner};

/// Ranges to be repaired that are counted apart; beyond that the last one grows.
const MOST_REPAIRS: usize = 1024;

/// Event time of a group that a session left events out of.
#[derive(Debug)]
struct Repair {
    group: usize,
    from: i64,
    to: i64,
    /// Unix milliseconds.
    since: i64,
    /// Times that it stands for.
    times: u64,
}

/// The live sessions of a tail.
#[derive(Debug, Default)]
pub(in super::super) struct Live {
    sessions: Vec<(Session, State)>,
    repairs: VecDeque<Repair>,
}

/// A session's groups, and where it is.
#[derive(Debug, Default)]
struct State {
    groups: Vec<usize>,
    open: bool,
    /// It was open before.
    opened: bool,
}

impl Live {
    pub(in super::super) fn new(sessions: Vec<(Session, Vec<usize>)>) -> Live {
        let state = |groups| State { groups, ..State::default() };
        let sessions = sessions.into_iter().map(|(session, groups)| (session, state(groups))).collect();
        Live { sessions, repairs: VecDeque::new() }
    }

    /// Whether there is a session at all.
    pub(super) fn is_wanted(&self) -> bool {
        !self.sessions.is_empty()
    }

    /// What it says of itself before anything came.
    pub(super) fn status(&self) -> Option<LiveStatus> {
        self.is_wanted().then(|| LiveStatus { wanted: self.sessions.len(), ..LiveStatus::default() })
    }

    /// The next news and the session that it is of. Waits for ever where there is no session.
    pub(super) async fn next(&mut self) -> (usize, News) {
        let sessions = &mut self.sessions;
        std::future::poll_fn(|context| {
            for (index, (session, _)) in sessions.iter_mut().enumerate() {
                if let std::task::Poll::Ready(Some(news)) = session.poll_recv(context) {
                    return std::task::Poll::Ready((index, news));
                }
            }
            std::task::Poll::Pending
        })
        .await
    }

    fn try_next(&mut self) -> Option<(usize, News)> {
        self.sessions
            .iter_mut()
            .enumerate()
            .find_map(|(index, (session, _))| session.try_recv().ok().map(|news| (index, news)))
    }
}

impl<L: Logs> Runner<L> {
    /// Takes in what came while a request was on its way.
    pub(super) async fn live_news(&mut self) -> Result<(), Closed> {
        // As many as wait at most, so that a busy session does not keep the sweeps from their turn.
        for _ in 0..64 {
            let Some((index, news)) = self.parts.live.try_next() else { break };
            self.live_came(index, news).await?;
        }
        self.count_repairs();
        Ok(())
    }

    /// Takes in one piece of news.
    pub(super) async fn live_came(&mut self, index: usize, news: News) -> Result<(), Closed> {
        let now = self.now();
        let lookback = super::millis(self.parts.lookback);
        match news {
            News::Open => {
                let Some((_, state)) = self.parts.live.sessions.get_mut(index) else { return Ok(()) };
                let again = std::mem::replace(&mut state.opened, true);
                state.open = true;
                let groups = state.groups.clone();
                if let Some(status) = &mut self.status.live {
                    status.closed = None;
                }
                // What was ingested while no session was open came to nobody, whatever its timestamp.
                for group in groups.into_iter().filter(|_| again) {
                    self.repair(group, now - lookback, now, now);
                }
            }
            News::Closed { why, until } => {
                if let Some((_, state)) = self.parts.live.sessions.get_mut(index) {
                    state.open = false;
                }
                if let Some(status) = &mut self.status.live {
                    status.ended += 1;
                    status.closed = Some((why, until));
                }
            }
            News::Update { events, sampled } => {
                if sampled {
                    self.sampled(index, &events, now);
                }
                self.deliver_live(events).await?;
            }
        }
        if let Some(status) = &mut self.status.live {
            status.open = self.parts.live.sessions.iter().filter(|(_, state)| state.open).count();
        }
        self.tell().await
    }

    /// Others came with these events and were left out: the range is read again.
    fn sampled(&mut self, session: usize, events: &[(usize, Found)], now: i64) {
        let mut ranges: Vec<(usize, i64, i64)> = Vec::new();
        if events.is_empty() {
            let groups = self.parts.live.sessions.get(session).map(|(_, state)| state.groups.clone());
            let from = now - super::millis(self.parts.lookback);
            ranges.extend(groups.into_iter().flatten().map(|group| (group, from, now)));
        }
        for (group, event) in events {
            match ranges.iter_mut().find(|(known, ..)| known == group) {
                Some((_, from, to)) => (*from, *to) = ((*from).min(event.timestamp), (*to).max(event.timestamp)),
                None => ranges.push((*group, event.timestamp, event.timestamp)),
            }
        }
        for (group, from, to) in ranges {
            self.repair(group, from, to, now);
        }
    }

    fn repair(&mut self, group: usize, from: i64, to: i64, now: i64) {
        let Some(known) = self.parts.groups.get_mut(group) else { return };
        known.plan.repair(from, to, now);
        if let Some(status) = &mut self.status.live {
            status.sampled += 1;
        }
        let repairs = &mut self.parts.live.repairs;
        let full = repairs.len() >= MOST_REPAIRS;
        match repairs.iter_mut().rev().find(|repair| full && repair.group == group) {
            Some(last) => {
                (last.from, last.to, last.since) = (last.from.min(from), last.to.max(to), now);
                last.times += 1;
            }
            None => repairs.push_back(Repair { group, from, to, since: now, times: 1 }),
        }
    }

    fn count_repairs(&mut self) {
        let groups = &self.parts.groups;
        let mut done = 0;
        self.parts.live.repairs.retain(|repair| {
            let plan = groups.get(repair.group).map(|group| &group.plan);
            let repaired = plan.is_none_or(|plan| plan.is_repaired(repair.from, repair.to, repair.since));
            done += if repaired { repair.times } else { 0 };
            !repaired
        });
        if let Some(status) = &mut self.status.live {
            status.repaired += done;
        }
    }

    /// Passes on live events that no sweep has found so far.
    async fn deliver_live(&mut self, mut events: Vec<(usize, Found)>) -> Result<(), Closed> {
        self.status.events_read += events.len() as u64;
        // A session brings events in the order of their ingestion, but not strictly.
        events.sort_by_key(|(_, event)| (event.ingestion, event.timestamp));
        let Ok(place) = self.out.reserve().await else { return Err(Closed) };
        let mut record = Vec::new();
        let mut batch = Building::new(&self.parts.origin, self.now());
        batch.batch.formats.clone_from(&self.parts.about.formats);
        for (index, event) in events {
            let Some(group) = self.parts.groups.get_mut(index) else { continue };
            let known = content(&event.stream, event.timestamp, &event.message);
            let past = group.plan.is_past(event.timestamp);
            let enters = group.is_of_interest(&event)
                && group.plan.in_window(event.timestamp).is_some_and(|seen| seen.live(known));
            if let Some(status) = &mut self.status.live {
                status.events += u64::from(enters);
                status.too_old += u64::from(past);
            }
            if enters {
                self.lateness.observe(event.timestamp, event.ingestion);
                if self.parts.recorder.is_some() {
                    record.push(event.clone());
                }
                batch.push(event);
            } else {
                self.status.duplicates += 1;
            }
        }
        if let Some(recorder) = &self.parts.recorder {
            recorder.take(record.iter());
        }
        if !batch.batch.events.is_empty() {
            place.send(Input::Batch(batch.batch));
        }
        Ok(())
    }

    /// Remarks for the user.
    pub(in super::super) fn live_notes(&self, notes: &mut Vec<String>) {
        let Some(status) = &self.status.live else { return };
        if let Some((why, _)) = &status.closed {
            notes.push(format!("the live session is closed, records come with the reads: {why}"));
        }
        if status.too_old > 0 {
            notes.push(format!(
                "{} live events are older than --lookback {} minutes and are left out: a longer one would show them",
                status.too_old,
                super::millis(self.parts.lookback) / SLICE
            ));
        }
    }
}
