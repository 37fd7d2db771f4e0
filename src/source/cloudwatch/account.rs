//! What the tail says of itself: state, figures, and what would help.

use std::fmt::Write as _;

use crate::record::{Earlier, SourceState, TailFigures};

use super::client::Logs;
use super::clock::millis;
use super::group::Group;
use super::pace::quota;
use super::plan::SLICE;
use super::record::Recorder;
use super::runner::Runner;

/// Behind by more than this, the tail says so, milliseconds.
const BEHIND: i64 = 2 * SLICE;

/// Events a page, where no full page was seen yet. API reference, `FilterLogEvents`: at most 10,000, or 1 MB.
const PAGE: u64 = 10_000;

impl<L: Logs> Runner<L> {
    /// Brings the account of itself up to date.
    pub(super) fn account(&mut self) {
        let now = self.now();
        let lateness = self.lateness.usual();
        let nearly_all = self.lateness.nearly_all();
        for group in &mut self.parts.groups {
            group.plan.adapt(nearly_all);
        }
        let groups = &self.parts.groups;
        self.status.requests = self.parts.logs.requests();
        self.status.skew = self.parts.logs.skew();
        let complete: Option<i64> =
            groups.iter().map(|group| group.plan.complete_to(lateness)).min().flatten().map(|at| at / 1000);
        self.status.complete_to = self.status.complete_to.max(complete);
        let searched = groups
            .iter()
            .map(|group| group.plan.searched(now))
            .reduce(|a, b| (a.0.max(b.0), a.1.min(b.1), a.2.max(b.2)));
        self.status.earlier = searched.map(|(from, wanted, begun)| Earlier {
            from: from.div_euclid(1000),
            wanted: wanted.div_euclid(1000).min(from.div_euclid(1000)),
            begun: begun.div_euclid(1000),
        });
        let trouble = groups.iter().filter(|group| group.trouble.is_some()).min_by_key(|group| group.wait_until);
        self.status.state = match trouble {
            Some(group) => SourceState::Waiting {
                why: group.trouble.clone().unwrap_or_default(),
                // Whoever counts down has the machine's clock.
                until: group.wait_until.saturating_sub(self.parts.logs.skew()),
            },
            None if self.status.events_read == 0 && !groups.iter().any(Group::has_read) => SourceState::Connecting,
            None => SourceState::Live,
        };
        let mut notes = Vec::new();
        for group in groups {
            group.notes(&mut notes);
        }
        notes.extend(self.parts.about.warnings.iter().cloned());
        notes.extend(skewed(self.parts.logs.skew()));
        self.proof_notes(&mut notes);
        self.status.warnings.clone_from(&notes);
        self.status.asks_for = self.asks_for_since(now);
        self.live_notes(&mut notes);
        if lateness > millis(self.parts.lookback) && self.lateness.is_known() {
            notes.push(format!(
                "events are delivered up to {} minutes after their timestamp: a longer --lookback would find them",
                lateness / SLICE
            ));
        }
        notes.extend(self.parts.recorder.as_ref().and_then(Recorder::note));
        let figures = self.figures(now, lateness);
        let behind = groups.iter().map(|group| group.plan.behind(now)).max().unwrap_or(0);
        if behind > BEHIND {
            notes.insert(0, self.behind(behind, &figures));
        }
        self.status.facts.clone_from(&self.parts.about.facts);
        let recording = self.parts.recorder.as_ref().map(|recorder| ("recording".to_owned(), recorder.fact()));
        self.status.facts.extend(recording);
        let long = self.parts.groups.iter().flat_map(Group::long_reads).map(|text| ("long read".to_owned(), text));
        self.status.facts.extend(long);
        self.status.tail = Some(figures);
        self.status.note = (!notes.is_empty()).then(|| notes.join("; "));
    }

    fn figures(&self, now: i64, lateness: i64) -> TailFigures {
        let groups = &self.parts.groups;
        let seconds = |millis: i64| u64::try_from(millis / 1000).unwrap_or(0);
        let page = groups.iter().map(Group::full_page).max().filter(|page| *page > 0).unwrap_or(PAGE);
        let reads = groups.iter().map(|group| group.plan.reads_per_slice()).max().unwrap_or(1).max(1);
        // One request is on its way at a time, so slow answers are a limit too.
        let possible = if self.answer_time > 0.0 { 1000.0 / self.answer_time } else { f64::INFINITY };
        #[expect(clippy::cast_precision_loss, reason = "at most 10,000 and a dozen")]
        let capacity = self.parts.max_rps.min(possible) * page as f64 / reads as f64;
        let (ids, id_bytes) =
            groups.iter().map(|group| group.plan.remembered()).fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        let rates: Vec<f64> = groups.iter().filter_map(|group| group.plan.rate(lateness)).collect();
        TailFigures {
            capacity: whole(capacity),
            rate: (!rates.is_empty()).then(|| whole(rates.iter().sum())),
            behind: seconds(groups.iter().map(|group| group.plan.behind(now)).max().unwrap_or(0)),
            lateness: self.lateness.is_known().then(|| seconds(lateness)),
            lookback: seconds(millis(self.parts.lookback)),
            reads: reads as u64,
            poll: groups.iter().filter_map(Group::last_poll).max_by_key(|(at, _)| *at).map(|(_, poll)| poll),
            ids: ids as u64,
            id_bytes: id_bytes as u64,
        }
    }

    /// How far behind the schedule, and which option would help, with the figure.
    fn behind(&self, behind: i64, figures: &TailFigures) -> String {
        let (asked, capacity) = (self.parts.max_rps, figures.capacity.max(1));
        let mut text = format!("{} minutes behind: ", behind / SLICE);
        match figures.rate.filter(|rate| *rate > capacity) {
            Some(rate) => {
                let _ = write!(text, "about {rate} records a second come and {capacity} can be followed");
            }
            None => {
                let _ = write!(text, "about {capacity} records a second can be followed");
            }
        }
        let slow = self.answer_time * asked > 1000.0;
        if slow {
            let _ = write!(
                text,
                ", since an answer takes {:.1} s and not because of --max-rps {asked}; ",
                self.answer_time / 1000.0
            );
        } else {
            let _ = write!(text, " at --max-rps {asked}; ");
        }
        let mut helps = Vec::new();
        if !slow {
            let needed = figures.rate.map_or(0, |rate| rate.div_ceil(capacity));
            #[expect(clippy::cast_precision_loss, reason = "a small factor")]
            let needed = (asked * needed.max(2) as f64 * 10.0).ceil() / 10.0;
            let region = &self.parts.logs.place().region;
            let quota = quota(region);
            if needed <= f64::from(quota) {
                helps.push(format!("--max-rps {needed}"));
            } else {
                let _ = write!(text, "it would take {needed}, and accounts have {quota} in {region}; ");
            }
        }
        if self.parts.groups.iter().any(Group::reads_all_streams) {
            helps.push("--eni for single interfaces".to_owned());
        }
        helps.push("--fetch for some of the records".to_owned());
        let _ = write!(text, "{} would help", helps.join(", or "));
        text
    }
}

/// A clock that is wrong changes nothing of what is read, but all that the user compares with it.
fn skewed(skew: i64) -> Option<String> {
    let way = if skew > 0 { "behind" } else { "ahead of" };
    // Answers tell whole seconds.
    let minutes = (skew.unsigned_abs() + 30_000) / SLICE.unsigned_abs();
    (skew != 0).then(|| {
        format!("the clock of this machine is {minutes} minutes {way} that of AWS: records are read by the clock of AWS; set this one")
    })
}

fn whole(figure: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and a figure for people")]
    let whole = figure.round() as u64;
    whole
}
