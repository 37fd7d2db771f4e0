//! What is being looked at: the question in force, the passes that answer it, and how a page is cut from them.

use std::sync::Arc;

use super::conversations::{Chunks, SessionScan};
use super::core::Core;
use super::groups::Groups;
use super::scan::{Gather, Scan, in_window};
use super::top::Top;
use super::view::{Anchor, Column, Page, PageRow, RowId, Sort, Tab, ViewSpec};
use crate::detect::{Alert, Level};
use crate::record::{Cell, Columns, Field, Flow, Row, RowRef, Table as _, Value};
use crate::session::{Session, SessionRow};
use crate::store::ring::with_table;
use crate::store::{Ring, Segment};

/// Rows of another order than time that are kept ready; the pass is taken again with more when somebody scrolls beyond them.
const HEAD: usize = 4_096;
/// Alerts in the sidebar.
const SIDEBAR: usize = 200;

/// What a frozen view shows: shared segments and chunks, which the live side copies before it changes them.
#[derive(Debug)]
struct Frozen {
    ring: Ring,
    chunks: Vec<Arc<Vec<Option<Session>>>>,
    alerts: Vec<Arc<Alert>>,
    unseen: u64,
    /// Bytes of segments that are evicted from the live ring and held by this view alone.
    pinned: usize,
}

/// The question in force and the passes over what is held.
#[derive(Debug)]
pub struct Look {
    spec: ViewSpec,
    frozen: Option<Frozen>,
    flows: Scan,
    /// The pass that goes on, and the last complete one.
    running: Option<SessionScan>,
    sessions: SessionScan,
    /// State of the session table that `sessions` is of; `None` before the first pass.
    seen_changes: Option<u64>,
    draft: Option<Draft>,
    /// Rows kept ready in another order than time.
    head: usize,
    /// Whether the order was asked for from its end.
    from_end: bool,
    /// Where the last page began, for an anchor that is gone.
    last_index: usize,
}

#[derive(Debug)]
enum Draft {
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
            if let Some(Draft::Flows(scan)) = &mut self.draft {
                scan.evict(first_seq);
            }
        }
        lost
    }

    /// A row arrived: a frozen view counts it.
    pub(super) fn arrived(&mut self, columns: &Columns, row: usize, now: i64) {
        let Some(frozen) = &mut self.frozen else { return };
        let row = RowRef { table: columns, row };
        let is_flows = self.spec.tab == Tab::Flows;
        let matches = self.spec.filter.as_ref().is_none_or(|filter| !is_flows || filter.matches(&row, now));
        frozen.unseen += u64::from(matches && in_window(self.spec.window, &row));
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

    fn restart(&mut self) {
        let (filter, window) = (self.spec.filter.clone(), self.spec.window);
        match self.spec.tab {
            Tab::Flows => self.flows = Scan::new(filter, window, self.gather()),
            Tab::Sessions => {
                self.running = Some(SessionScan::new(filter, window, self.gather()));
                self.seen_changes = None;
            }
            Tab::Alerts => {}
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
                alerts: self.alerts.clone(),
                unseen: 0,
                pinned: 0,
            });
        }
        let rows_differ = old.tab != spec.tab
            || !same(old.filter.as_ref(), spec.filter.as_ref())
            || old.window != spec.window
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
        if !same(old.draft.as_ref(), spec.draft.as_ref()) || rows_differ {
            self.look.draft = spec.draft.clone().map(|draft| match spec.tab {
                Tab::Sessions => Draft::Sessions(SessionScan::new(Some(draft), spec.window, Gather::Nothing)),
                _ => Draft::Flows(Scan::new(Some(draft), spec.window, Gather::Nothing)),
            });
        }
    }

    fn is_by_time(&self) -> bool {
        self.look.spec.tab == Tab::Flows && self.look.spec.group_by.is_empty() && self.look.spec.sort == Sort::default()
    }

    /// Whether [`Core::refresh`] has something to do.
    pub fn is_behind(&self) -> bool {
        match self.look.spec.tab {
            Tab::Sessions => {
                self.look.frozen.is_none()
                    && self.look.running.is_none()
                    && self.look.seen_changes != Some(self.session_changes)
            }
            Tab::Flows => self.look.flows.is_stale(),
            Tab::Alerts => false,
        }
    }

    /// Takes a new pass over the sessions if they changed since the last, and over the ring if too much of what was gathered is gone.
    /// Not free: the thread calls it a few times a second at most.
    pub fn refresh(&mut self) {
        if !self.is_behind() {
            return;
        }
        if self.look.spec.tab == Tab::Sessions {
            let (filter, window) = (self.look.spec.filter.clone(), self.look.spec.window);
            self.look.running = Some(SessionScan::new(filter, window, self.look.gather()));
        } else {
            self.look.restart();
        }
    }

    /// Goes on with the passes, looking at up to about `budget` rows. False once everything was looked at.
    pub fn step(&mut self, budget: usize) -> bool {
        let now = self.now();
        let region = self.config.region.clone();
        let look = &mut self.look;
        let (ring, chunks): (&Ring, &Chunks) = match &look.frozen {
            Some(frozen) => (&frozen.ring, &frozen.chunks),
            None => (&self.ring, self.sessions.chunks()),
        };
        let mut left = budget;
        match look.spec.tab {
            Tab::Flows => left -= look.flows.step(ring, left, now).min(left),
            Tab::Sessions => {
                if let Some(scan) = &mut look.running {
                    left -= scan.step(chunks, &self.names, region.as_deref(), left, now).min(left);
                    if scan.is_done(chunks)
                        && let Some(done) = look.running.take()
                    {
                        look.sessions = done;
                        look.seen_changes = Some(self.session_changes);
                    }
                }
            }
            Tab::Alerts => {}
        }
        match &mut look.draft {
            Some(Draft::Flows(scan)) => left -= scan.step(ring, left, now).min(left),
            Some(Draft::Sessions(scan)) => {
                left -= scan.step(chunks, &self.names, region.as_deref(), left, now).min(left);
            }
            None => {}
        }
        left == 0
    }

    /// The page that answers the question in force, as far as the passes have come.
    pub fn answer(&mut self) -> Page {
        self.ring.prepare();
        let mut page = Page {
            serial: self.look.spec.serial,
            tab: self.look.spec.tab,
            progress: 1.0,
            unseen: self.look.frozen.as_ref().map_or(0, |frozen| frozen.unseen),
            status: self.status(),
            alerts: self.sidebar(),
            timeline: self.strip(),
            ..Page::default()
        };
        match self.look.spec.tab {
            Tab::Flows => self.cut_flows(&mut page),
            Tab::Sessions => self.cut_sessions(&mut page),
            Tab::Alerts => self.cut_alerts(&mut page),
        }
        page.draft = self.draft_count();
        page.detail = self.look.spec.detail.and_then(|id| self.detail(id));
        page
    }

    fn draft_count(&self) -> Option<(u64, bool)> {
        let (ring, chunks) = self.frozen_or_live();
        match self.look.draft.as_ref()? {
            Draft::Flows(scan) => Some((scan.matched(ring), scan.progress(ring) >= 1.0)),
            Draft::Sessions(scan) => Some((scan.matched(), scan.is_done(chunks))),
        }
    }

    fn frozen_or_live(&self) -> (&Ring, &Chunks) {
        match &self.look.frozen {
            Some(frozen) => (&frozen.ring, &frozen.chunks),
            None => (&self.ring, self.sessions.chunks()),
        }
    }

    fn cut_flows(&mut self, page: &mut Page) {
        let spec = self.look.spec.clone();
        let ring = self.look.frozen.as_ref().map_or(&self.ring, |frozen| &frozen.ring);
        page.total = ring.len();
        page.matched = self.look.flows.matched(ring);
        page.progress = self.look.flows.progress(ring);
        if let Gather::Groups(groups) = self.look.flows.gathered() {
            (page.columns, page.matched) = (groups.columns(), groups.len() as u64);
            let rows = groups.rows(spec.sort, self.look.head);
            self.cut(page, rows.into_iter().map(|row| (row.id, Some(row))).collect());
            return;
        }
        page.columns = spec.columns.iter().copied().map(Column::Field).collect();
        let ids = if self.is_by_time() {
            let ring = self.look.frozen.as_ref().map_or(&self.ring, |frozen| &frozen.ring);
            let (ids, first) = self.look.flows.by_time(ring, spec.anchor, spec.before, spec.after);
            page.first_index = first;
            ids
        } else {
            let ids = head_ids(self.look.flows.gathered());
            self.cut(page, ids.into_iter().map(|id| (id, None)).collect())
        };
        page.rows = ids.into_iter().filter_map(|id| self.flow_row(id, &spec.columns)).collect();
    }

    fn cut_sessions(&mut self, page: &mut Page) {
        let spec = self.look.spec.clone();
        let (_, chunks) = self.frozen_or_live();
        page.total = match &self.look.frozen {
            Some(frozen) => frozen.chunks.iter().flat_map(|chunk| chunk.iter()).flatten().count() as u64,
            None => self.sessions.len() as u64,
        };
        if let Some(running) = &self.look.running
            && self.look.seen_changes.is_none()
        {
            page.progress = running.progress(chunks);
        }
        // Before the first pass is complete, what it found so far is better than nothing.
        let scan = match &mut self.look.running {
            Some(running) if self.look.seen_changes.is_none() => running,
            _ => &mut self.look.sessions,
        };
        page.matched = scan.matched();
        if let Gather::Groups(groups) = scan.gathered() {
            (page.columns, page.matched) = (groups.columns(), groups.len() as u64);
            let rows = groups.rows(spec.sort, self.look.head);
            self.cut(page, rows.into_iter().map(|row| (row.id, Some(row))).collect());
            return;
        }
        let ids = head_ids(scan.gathered());
        page.columns = spec.columns.iter().copied().map(Column::Field).collect();
        let ids = self.cut(page, ids.into_iter().map(|id| (id, None)).collect());
        page.rows = self.session_rows(&ids, &spec.columns);
    }

    fn cut_alerts(&mut self, page: &mut Page) {
        let mut alerts = self.look.frozen.as_ref().map_or(&self.alerts, |frozen| &frozen.alerts).clone();
        alerts.sort_by_key(|alert| std::cmp::Reverse((alert.last, alert.id)));
        page.total = alerts.len() as u64;
        page.matched = page.total;
        let rows = alerts.iter().map(|alert| {
            (
                RowId::Alert(alert.id),
                Some(PageRow { id: RowId::Alert(alert.id), cells: Vec::new(), mark: Some(alert.level) }),
            )
        });
        self.cut(page, rows.collect());
    }

    /// Cuts the page around the anchor out of the head of an order. Rows that are ready go into the page, the others are given back.
    fn cut(&mut self, page: &mut Page, mut all: Vec<(RowId, Option<PageRow>)>) -> Vec<RowId> {
        let spec = &self.look.spec;
        // Groups and alerts come in the order asked for, a head asked for from its end comes reversed.
        let reversed = self.look.from_end && spec.group_by.is_empty() && spec.tab != Tab::Alerts;
        let missing = (page.matched).saturating_sub(all.len() as u64);
        if reversed {
            all.reverse();
        }
        let place = match spec.anchor {
            Anchor::Top => 0,
            Anchor::Bottom => all.len().saturating_sub(1),
            Anchor::Row(id) => all.iter().position(|(other, _)| *other == id).unwrap_or(self.look.last_index),
        };
        let from = place
            .saturating_sub(spec.before + if spec.anchor == Anchor::Bottom { spec.after.saturating_sub(1) } else { 0 });
        let to = (place + spec.after).max(place + 1).min(all.len());
        let from = from.min(to);
        self.look.last_index = place;
        page.first_index = from as u64 + if reversed { missing } else { 0 };
        // Close to what was forgotten: have more ready next time.
        let near_edge = if reversed { from < spec.before + 1 } else { to == all.len() };
        if missing > 0 && near_edge && spec.group_by.is_empty() {
            self.look.head = self.look.head.saturating_mul(4);
            self.look.restart();
        }
        let mut ids = Vec::with_capacity(to - from);
        for (id, row) in all.drain(from..to) {
            match row {
                Some(row) => page.rows.push(row),
                None => ids.push(id),
            }
        }
        ids
    }

    /// A row of the flow table.
    pub(super) fn flow_row(&mut self, id: RowId, columns: &[Field]) -> Option<PageRow> {
        let RowId::Flow { seq, .. } = id else { return None };
        let ring = self.look.frozen.as_ref().map_or(&self.ring, |frozen| &frozen.ring);
        let (part, row) = ring.find(seq)?;
        let (cells, flow) = with_table!(&part, table => {
            let reference = RowRef { table, row };
            (cells(&reference, columns), Flow::of(table, row, &mut self.names))
        });
        let session = flow.and_then(|flow| self.sessions.find(&flow));
        let mark = session.and_then(|session| self.marks.get(&session.id)).copied();
        Some(PageRow { id, cells, mark })
    }

    fn session_rows(&self, ids: &[RowId], columns: &[Field]) -> Vec<PageRow> {
        let row = |session: &Session| {
            let row = SessionRow { session, names: &self.names, region: self.config.region.as_deref() };
            let mark = self.marks.get(&session.id).copied();
            PageRow { id: RowId::Session(session.id), cells: cells(&row, columns), mark }
        };
        let number = |id: &RowId| match id {
            RowId::Session(number) => Some(*number),
            _ => None,
        };
        let Some(frozen) = &self.look.frozen else {
            return ids.iter().filter_map(number).filter_map(|id| self.sessions.get(id)).map(row).collect();
        };
        // A frozen view shows sessions as they were, and has no index of them: one walk finds the few that are shown.
        let held = frozen.chunks.iter().flat_map(|chunk| chunk.iter()).flatten();
        let mut found: Vec<&Session> = held.filter(|session| ids.contains(&RowId::Session(session.id))).collect();
        found.sort_by_key(|session| ids.iter().position(|id| *id == RowId::Session(session.id)));
        found.into_iter().map(row).collect()
    }

    fn sidebar(&self) -> Vec<Arc<Alert>> {
        let mut alerts = self.alerts.clone();
        alerts.sort_by_key(|alert| (alert.closed, std::cmp::Reverse((alert.level, alert.last, alert.id))));
        alerts.truncate(SIDEBAR);
        alerts
    }

    fn strip(&self) -> super::view::Timeline {
        let bins = self.look.spec.timeline_bins;
        let Some(now) = self.clock.now() else { return super::view::Timeline::default() };
        let mut strip = self.buckets.strip(now, bins);
        let (from, step) = (strip.from, strip.step.max(1));
        let mut mark = |first: i64, last: i64, set: &dyn Fn(&mut super::view::Bin)| {
            let count = strip.bins.len();
            let place = |time: i64| usize::try_from((time - from).div_euclid(step)).unwrap_or(0);
            if last < from || count == 0 {
                return;
            }
            for bin in strip.bins.iter_mut().take(place(last) + 1).skip(place(first.max(from))) {
                set(bin);
            }
        };
        for alert in &self.alerts {
            let level: Level = alert.level;
            mark(alert.first, alert.last, &|bin| bin.alert = bin.alert.max(Some(level)));
        }
        for gap in self.gaps() {
            mark(gap.from, gap.to, &|bin| bin.incomplete = true);
        }
        if let Some(complete) = self.state().complete_to {
            mark(complete + 1, now, &|bin| bin.incomplete = true);
        }
        strip
    }
}

/// The values of a row. A column with two sides shows both, separated.
fn cells(row: &dyn Row, columns: &[Field]) -> Vec<Cell> {
    columns
        .iter()
        .map(|field| {
            if let Some(value) = row.get(*field) {
                return value.to_owned();
            }
            let mut all: Vec<String> = Vec::new();
            row.any(*field, &mut |value| {
                let text = match value {
                    Value::Int(n) => n.to_string(),
                    Value::Float(x) => x.to_string(),
                    Value::Addr(addr) => addr.to_string(),
                    Value::Text(text) => text.to_owned(),
                };
                if !all.contains(&text) {
                    all.push(text);
                }
                false
            });
            if all.is_empty() { Cell::Absent } else { Cell::Text(all.join(",").into()) }
        })
        .collect()
}

fn head_ids(gather: &mut Gather) -> Vec<RowId> {
    match gather {
        Gather::Top(_, top) => {
            top.settle();
            top.ids().collect()
        }
        Gather::Nothing | Gather::Groups(_) => Vec::new(),
    }
}
