//! What is being looked at: the question in force, and the passes over what is held that answer it.

use std::sync::Arc;

use super::aside::{Explain, Values};
use super::conversations::SessionScan;
use super::core::Core;
use super::fold::Folded;
use super::groups::Groups;
use super::lives::Lives;
use super::profile::{Profile, ProfileScan};
use super::scan::{Gather, Scan, is_at};
use super::since::{Since, SinceScan};
use super::timeline::Tally;
use super::top::Top;
use super::view::{Anchor, ClockKind, Sort, Tab, ViewSpec};
use crate::detect::Alert;
use crate::filter::Filter;
use crate::record::{Columns, RowRef, Table as _};
use crate::session::Session;
use crate::store::{Ring, Segment};

/// Rows of another order than time that are kept ready; the pass is taken again with more when somebody scrolls beyond them.
const HEAD: usize = 4_096;
/// What a frozen view shows: shared segments and chunks, which the live side copies before it changes them.
#[derive(Debug)]
pub(super) struct Frozen {
    pub(super) ring: Ring,
    pub(super) chunks: Vec<Arc<Vec<Option<Session>>>>,
    /// Sessions in the chunks.
    pub(super) sessions: u64,
    pub(super) alerts: Vec<Arc<Alert>>,
    pub(super) unseen: u64,
    /// Bytes of segments that are evicted from the live ring and held by this view alone.
    pub(super) pinned: usize,
}

/// The question in force and the passes over what is held.
#[derive(Debug)]
pub struct Look {
    pub(super) spec: ViewSpec,
    pub(super) frozen: Option<Frozen>,
    pub(super) flows: Scan,
    /// The pass that goes on, and the last complete one.
    pub(super) running: Option<SessionScan>,
    pub(super) sessions: SessionScan,
    /// State of the session table that `sessions` is of; `None` before the first pass.
    pub(super) seen_changes: Option<u64>,
    pub(super) draft: Option<Draft>,
    /// What the strip is cut out of where a filter, another clock or a frozen view asks for other sums than those of all records.
    pub(super) tally: Option<Tally>,
    /// Sessions by how they stand to the moment of a change.
    pub(super) phases: Repeated<SessionScan, SessionScan>,
    /// Sessions by the time they live, where the strip counts those.
    pub(super) lives: Repeated<Lives, Lives>,
    /// All about one address or interface.
    pub(super) profile: Repeated<ProfileScan, Profile>,
    /// Since when the conversation is there whose detail is wanted.
    pub(super) since: Repeated<SinceScan, Option<Since>>,
    pub(super) explain: Option<Explain>,
    /// What is counted and not shown.
    pub(super) folded: Folded,
    pub(super) values: Vec<Values>,
    /// Rows kept ready in another order than time.
    pub(super) head: usize,
    /// Whether the order was asked for from its end.
    pub(super) from_end: bool,
    /// Where the last page began, for an anchor that is gone.
    pub(super) last_index: usize,
}

/// A pass over the sessions that is taken anew when they have changed, and what the last complete one found.
#[derive(Debug)]
pub(super) struct Repeated<S, D> {
    pub(super) running: Option<S>,
    pub(super) done: Option<D>,
    /// State of the session table that `done` is of.
    seen: Option<u64>,
}

impl<S, D> Default for Repeated<S, D> {
    fn default() -> Self {
        Repeated { running: None, done: None, seen: None }
    }
}

impl<S, D> Repeated<S, D> {
    /// Whether what it found is of another state than `changes`. Frozen sessions have no other.
    pub(super) fn is_behind(&self, changes: u64, frozen: bool) -> bool {
        self.running.is_none() && self.seen != Some(changes) && !(frozen && self.seen.is_some())
    }

    /// The pass that goes on is complete: notes what `found` makes of it, and that it is of this state.
    pub(super) fn complete(&mut self, changes: u64, found: impl FnOnce(S) -> D) {
        if let Some(scan) = self.running.take() {
            (self.done, self.seen) = (Some(found(scan)), Some(changes));
        }
    }

    /// There is nothing to look for in this state.
    pub(super) fn skip(&mut self, changes: u64) {
        (self.done, self.seen) = (None, Some(changes));
    }
}

#[derive(Debug)]
pub(super) enum Draft {
    Flows(Scan),
    Sessions(SessionScan),
}

impl Default for Look {
    fn default() -> Self {
        Look {
            spec: ViewSpec::default(),
            frozen: None,
            flows: Scan::new(None, None, Gather::Nothing),
            running: None,
            sessions: SessionScan::new(None, None, Gather::Nothing),
            seen_changes: None,
            draft: None,
            tally: None,
            phases: Repeated::default(),
            lives: Repeated::default(),
            profile: Repeated::default(),
            since: Repeated::default(),
            explain: None,
            folded: Folded::default(),
            values: Vec::new(),
            head: HEAD,
            from_end: false,
            last_index: 0,
        }
    }
}

impl Look {
    /// A segment was evicted from the live ring. A frozen view keeps it, until what it keeps alone is over a quarter of `budget`: then its
    /// own oldest rows go. Gives how many did.
    pub(super) fn evicted(&mut self, segment: &Segment, budget: usize) -> u64 {
        let mut gone = vec![segment.first_seq()];
        let mut lost = 0;
        if let Some(frozen) = &mut self.frozen {
            gone.clear();
            if frozen.ring.sealed().iter().any(|kept| kept.first_seq() == segment.first_seq()) {
                frozen.pinned += segment.bytes();
            }
            while frozen.pinned > budget / 4
                && let Some(oldest) = frozen.ring.evict()
            {
                frozen.pinned = frozen.pinned.saturating_sub(oldest.bytes());
                lost += oldest.len() as u64;
                gone.push(oldest.first_seq());
            }
        }
        for first_seq in gone {
            self.flows.evict(first_seq);
            self.folded.evict(first_seq);
            if let Some(tally) = &mut self.tally {
                tally.evict(first_seq);
            }
            if let Some(Draft::Flows(scan)) = &mut self.draft {
                scan.evict(first_seq);
            }
            if let Some(explain) = &mut self.explain {
                explain.evict(first_seq);
            }
        }
        lost
    }

    /// A row arrived: a frozen view counts it.
    pub(super) fn arrived(&mut self, columns: &Columns, row: usize, now: i64) {
        let Some(frozen) = &mut self.frozen else { return };
        let at = columns.time(row);
        let row = RowRef { table: columns, row };
        let is_flows = self.spec.tab == Tab::Flows;
        let matches = self.spec.shown().is_none_or(|filter| !is_flows || filter.matches(&row, now));
        frozen.unseen += u64::from(matches && is_at(self.spec.window, at));
    }

    fn gather(&self) -> Gather {
        let descending = self.spec.sort.descending != self.from_end;
        if !self.spec.group_by.is_empty() {
            Gather::Groups(Groups::new(&self.spec.group_by))
        } else if self.spec.tab == Tab::Flows && self.spec.sort == Sort::default() {
            Gather::Nothing
        } else {
            Gather::Top(self.spec.sort.field, Top::new(self.head, descending))
        }
    }

    pub(super) fn restart(&mut self) {
        let (filter, window) = (self.spec.shown().cloned(), self.spec.window);
        self.folded = Folded::default();
        match self.spec.tab {
            Tab::Flows => {
                self.flows = Scan::new(filter, window, self.gather());
                self.folded = self.spec.fold.as_ref().map(|fold| Folded::of_flows(fold, window)).unwrap_or_default();
            }
            Tab::Sessions => {
                self.look_over_sessions(filter);
                self.seen_changes = None;
            }
            Tab::Alerts => {}
        }
    }

    /// Begins a pass over the sessions; what the last one found is shown until it is done.
    pub(super) fn look_over_sessions(&mut self, filter: Option<Arc<Filter>>) {
        let window = self.spec.window;
        self.running = Some(SessionScan::new(filter, window, self.gather()));
        let before = std::mem::take(&mut self.folded);
        if let Some(fold) = &self.spec.fold {
            self.folded = before.of_sessions(fold, window);
        }
    }
}

/// Whether two optional filters are the same object; a filter typed anew is a new object, and a new pass.
fn same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}

impl Core {
    /// Makes `spec` the question in force. Passes begin anew only where the question is about other rows or another order.
    pub fn look_at(&mut self, spec: &ViewSpec) {
        let old = std::mem::replace(&mut self.look.spec, spec.clone());
        if old.frozen != spec.frozen {
            self.look.frozen = spec.frozen.then(|| Frozen {
                ring: self.ring.freeze(),
                chunks: self.sessions.chunks().to_vec(),
                sessions: self.sessions.len() as u64,
                alerts: self.alerts.clone(),
                unseen: 0,
                pinned: 0,
            });
        }
        let rows_differ = old.tab != spec.tab
            || !same(old.filter.as_ref(), spec.filter.as_ref())
            || !same(old.fold.as_ref(), spec.fold.as_ref())
            || old.window != spec.window
            || old.change != spec.change
            || old.frozen != spec.frozen;
        let order_differs = old.sort != spec.sort || old.group_by != spec.group_by;
        // The far end of an order other than time is the near end of its reverse.
        let from_end = match spec.anchor {
            Anchor::Bottom => true,
            Anchor::Top => false,
            Anchor::Row(_) => self.look.from_end && !rows_differ && !order_differs,
        };
        let end_differs = from_end != self.look.from_end && !self.is_by_time();
        self.look.from_end = from_end;
        if rows_differ || order_differs || end_differs {
            self.look.head = HEAD;
            self.look.last_index = 0;
            self.look.restart();
        }
        self.look_aside(spec, old.tab != spec.tab || old.frozen != spec.frozen);
        if !same(old.draft.as_ref(), spec.draft.as_ref()) || rows_differ {
            self.look.draft = spec.draft.clone().map(|draft| match spec.tab {
                Tab::Sessions => Draft::Sessions(SessionScan::new(Some(draft), spec.window, Gather::Nothing)),
                _ => Draft::Flows(Scan::new(Some(draft), spec.window, Gather::Nothing)),
            });
        }
        let (strip, before) = (&spec.timeline, &old.timeline);
        let is_shown = spec.timeline_bins > 0;
        if !same(before.filter.as_ref(), strip.filter.as_ref())
            || before.clock != strip.clock
            || old.frozen != spec.frozen
            || is_shown != (old.timeline_bins > 0)
        {
            let all = strip.filter.is_none() && strip.clock == ClockKind::Event && !spec.frozen;
            self.look.tally = (is_shown && !all).then(|| Tally::new(strip.filter.clone(), strip.clock));
        }
        if old.detail != spec.detail || old.frozen != spec.frozen {
            self.look.since = Repeated::default();
        }
        if rows_differ || old.profile != spec.profile {
            self.look.profile = Repeated::default();
        }
        if rows_differ {
            self.look.phases = Repeated::default();
        }
        if rows_differ || before.sessions != strip.sessions {
            self.look.lives = Repeated::default();
        }
    }

    /// Begins the passes beside the table anew where they are about something else.
    fn look_aside(&mut self, spec: &ViewSpec, rows_differ: bool) {
        let kept =
            self.look.explain.take().filter(|kept| !rows_differ && same(Some(kept.filter()), spec.explain.as_ref()));
        self.look.explain = kept.or_else(|| spec.explain.clone().map(Explain::new));
        let sessions = spec.tab == Tab::Sessions;
        let mut old = std::mem::take(&mut self.look.values);
        for field in &spec.values {
            let kept = old.iter().position(|kept| !rows_differ && kept.is_of(*field, sessions));
            self.look.values.push(kept.map_or_else(|| Values::new(*field, sessions), |at| old.swap_remove(at)));
        }
    }

    pub(super) fn is_by_time(&self) -> bool {
        self.look.spec.tab == Tab::Flows && self.look.spec.group_by.is_empty() && self.look.spec.sort == Sort::default()
    }
}
