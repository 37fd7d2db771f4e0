//! What the source said and what became of its lines: counts, quarantine, gaps, the header made of them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::core::Core;
use super::view::Status;
use crate::record::{Decoded, Format, Gap, Reject, SourceStatus, Table as _, seconds};

/// Lines that did not parse which are kept, newest last.
const QUARANTINE: usize = 1_000;
/// Remarks for the user that are kept.
const REMARKS: usize = 16;
/// Gaps that are kept apart; further ones widen the last.
const GAPS: usize = 256;
/// What became of the lines so far. `lines = records + nodata + skipdata + unparsed + headers + outside + duplicates`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records of traffic.
    pub records: u64,
    /// NODATA records.
    pub nodata: u64,
    /// SKIPDATA records.
    pub skipdata: u64,
    /// Lines that did not parse, by reason.
    pub unparsed: HashMap<&'static str, u64>,
    /// Header lines.
    pub headers: u64,
    /// Records that were read and are outside of what `--fetch` wants.
    pub outside: u64,
    /// Records older than the rules still look at.
    pub late: u64,
    /// Alerts raised and not withdrawn since.
    pub alerts: u64,
    /// Least start and greatest end of any record, Unix seconds.
    pub span: Option<(u64, u64)>,
}

impl Counts {
    /// Lines that did not parse.
    pub fn unparsed(&self) -> u64 {
        self.unparsed.values().sum()
    }
}

/// Records a second of arrival, and how late they are.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// Arrival second and records in it, the last ten.
    pub(super) seconds: VecDeque<(i64, u64)>,
    /// Seconds from end to ingestion of recent records.
    pub(super) lags: VecDeque<i64>,
}

impl Core {
    /// Takes in what a batch says beside its rows: headers, lines that did not parse, remarks. Once a batch.
    pub fn ingest_lines(&mut self, batch: &Decoded) {
        self.counts.headers += batch.headers;
        self.counts.outside += batch.outside;
        self.formats.add(&batch.formats);
        if let Some(format) = &batch.format
            && *format != self.format
        {
            self.format.clone_from(format);
        }
        for reject in &batch.rejects {
            *self.counts.unparsed.entry(reject.error.reason()).or_default() += 1;
            if self.quarantine.len() == QUARANTINE {
                self.quarantine.pop_front();
            }
            self.quarantine.push_back(reject.clone());
        }
        for remark in &batch.remarks {
            if !self.remarks.contains(remark) {
                if self.remarks.len() == REMARKS {
                    self.remarks.pop_front();
                }
                self.remarks.push_back(remark.clone());
            }
        }
        let second = batch.arrival.div_euclid(1000);
        self.arrival = self.arrival.max(second);
        let rows = batch.columns.len() as u64;
        match self.pulse.seconds.back_mut() {
            Some((last, count)) if *last >= second => *count += rows,
            _ => self.pulse.seconds.push_back((second, rows)),
        }
        while self.pulse.seconds.front().is_some_and(|(first, _)| *first <= self.arrival - 10) {
            self.pulse.seconds.pop_front();
        }
    }

    /// News from the source about itself.
    pub fn source_status(&mut self, status: SourceStatus) {
        if status.earlier != self.state.earlier {
            // A stretch of earlier time is there: its rows can be seen.
            let gone = self.ring.seal_earlier();
            self.gone(&gone);
            // More of its sessions may come, so none is over.
            self.sessions.hold(status.earlier.is_some_and(|earlier| earlier.percent().is_some()));
        }
        self.state = status;
    }

    /// Event time that could not be read.
    pub fn gap(&mut self, gap: Gap) {
        let full = self.gaps.len() >= GAPS;
        match self.gaps.last_mut() {
            Some(last) if full || (gap.from <= last.to + 1 && gap.to >= last.from - 1) => {
                last.from = last.from.min(gap.from);
                last.to = last.to.max(gap.to);
                last.why = gap.why;
            }
            _ => self.gaps.push(gap),
        }
    }

    /// What became of the lines.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The formats of the records so far, in the order met.
    pub fn formats(&self) -> &[Arc<Format>] {
        self.formats.distinct()
    }

    /// Lines that did not parse, the latest thousand.
    pub fn quarantine(&self) -> impl DoubleEndedIterator<Item = &Reject> + ExactSizeIterator {
        self.quarantine.iter()
    }

    /// Remarks for the user.
    pub fn remarks(&self) -> impl Iterator<Item = &str> {
        self.remarks.iter().map(String::as_str)
    }

    /// Event time that could not be read.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// What the source last said of itself.
    pub fn state(&self) -> &SourceStatus {
        &self.state
    }

    /// The header.
    #[expect(clippy::cast_precision_loss, reason = "a rate for the screen")]
    pub(super) fn status(&self) -> Status {
        let mut open_alerts = [0; 5];
        for alert in self.shown_alerts().filter(|alert| !alert.closed) {
            open_alerts[alert.level as usize] += 1;
        }
        let mut lags: Vec<i64> = self.pulse.lags.iter().copied().collect();
        lags.sort_unstable();
        let recent = self.pulse.seconds.iter().filter(|(second, _)| *second > self.arrival - 10);
        let arrived: u64 = recent.map(|(_, count)| count).sum();
        let spread = self.pulse.seconds.front().map_or(1, |(first, _)| (self.arrival - first + 1).clamp(1, 10));
        let mut state = self.state.clone();
        if state.note.is_none() {
            state.note = self.remarks.back().cloned();
        }
        Status {
            source: Arc::clone(&self.config.source),
            region: self.config_region(),
            interfaces: self.config.interfaces.clone(),
            fetch: self.config.fetch.clone(),
            state,
            event_time: self.clock.seen(),
            arrival_time: (self.arrival > 0).then_some(self.arrival),
            lag: lags.get(lags.len() / 2).copied(),
            rate: arrived as f64 / spread as f64,
            partial: 0,
            held: self.ring.len(),
            held_bytes: (self.ring.bytes() + self.sessions.bytes()) as u64,
            budget: self.config.memory as u64,
            span: self.ring.span().map(|(first, last)| (seconds(first), seconds(last))),
            searched: self.searched_from(),
            evicted: self.ring.evicted() + self.frozen_lost,
            earlier_let_go: self.ring.earlier_let_go(),
            sessions: self.sessions.len() as u64,
            sessions_evicted: self.sessions.dropped(),
            unparsed: self.counts.unparsed(),
            dropped: 0,
            skipdata: self.counts.skipdata,
            late: self.counts.late,
            rules: self.rule_stats(),
            open_alerts,
            gaps: self.gaps.clone(),
            format: self.format.clone(),
            formats: self.formats.distinct().to_vec(),
        }
    }
}
