//! One input on its way into the merge: what it reports, and the chunk in hand.

use std::sync::Arc;

use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::time::Instant;

use super::chunk::Chunk;
use super::reader::{How, Report};
use super::{Feed, PathOrStdin};
use crate::record::Origin;

/// One input on its way into the merge.
pub(super) struct Lane {
    pub origin: Arc<Origin>,
    /// `None` once all was read.
    pub reports: Option<mpsc::Receiver<Report>>,
    /// Read once one before it has ended.
    pub waiting: Option<(PathOrStdin, How)>,
    pub held: Option<Held>,
    /// Nothing more for now: others need not wait for it.
    pub passed: bool,
    /// Since when it holds nothing.
    pub empty_since: Instant,
    /// Bytes, for a regular file.
    pub size: Option<u64>,
    pub consumed: u64,
    pub note: Option<String>,
}

/// A chunk of which some lines may be gone already.
pub(super) struct Held {
    pub chunk: Chunk,
    pub line: usize,
}

impl Held {
    /// The time of the next line; chunks without marks are alone and have no need of one.
    pub(super) fn time(&self) -> i64 {
        self.chunk.marks.get(self.line).map_or(i64::MIN, |mark| mark.1)
    }
}

impl Lane {
    /// A lane that holds nothing yet, at this moment.
    pub(super) fn new(origin: Arc<Origin>, feed: Feed, now: Instant) -> Self {
        let (reports, waiting) = match feed {
            Feed::Open(reports) => (Some(reports), None),
            Feed::Waiting(path, how) => (None, Some((path, how))),
        };
        // So that progress is told of all of it.
        let size = match &waiting {
            Some((PathOrStdin::Path(path), _)) => std::fs::metadata(path).ok().map(|about| about.len()),
            _ => None,
        };
        Lane { origin, reports, waiting, held: None, passed: false, empty_since: now, size, consumed: 0, note: None }
    }

    /// Whether the others must wait for its next line.
    pub(super) fn awaited(&self) -> bool {
        self.reports.is_some() && self.held.is_none() && !self.passed
    }

    /// Whether all of it was read and taken.
    pub(super) fn is_over(&self) -> bool {
        self.reports.is_none() && self.held.is_none() && self.waiting.is_none()
    }

    /// A report, if one is there. Where the input has ended, the lane is closed on the way.
    pub(super) fn poll(&mut self) -> Option<Report> {
        if self.held.is_some() {
            return None;
        }
        match self.reports.as_mut()?.try_recv() {
            Ok(report) => Some(report),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.reports = None;
                None
            }
        }
    }
}
