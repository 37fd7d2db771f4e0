//! The answer: a page cut out of what the passes have found so far, with the header, the alerts and the strip of time.

use std::sync::Arc;

use super::aside::Values;
use super::conversations::Chunks;
use super::core::Core;
use super::look::Draft;
use super::phase::{self, Phased};
use super::scan::Gather;
use super::view::{Anchor, Bin, ChangeCounts, ClockKind, Column, FirstSeen, Page, PageRow, RowId, Tab, Timeline};
use crate::detect::{Alert, Level};
use crate::record::{Cell, Field, Flow, Row, RowRef, Value};
use crate::session::{Session, SessionRow};
use crate::store::Ring;
use crate::store::ring::with_table;

/// Alerts in the sidebar.
const SIDEBAR: usize = 200;

impl Core {
    /// The page that answers the question in force, as far as the passes have come.
    pub fn answer(&mut self) -> Page {
        if let Some(page) = self.previewed() {
            return page;
        }
        self.ring.prepare();
        let mut page = Page {
            serial: self.look.spec.serial,
            tab: self.look.spec.tab,
            progress: 1.0,
            unseen: self.look.frozen.as_ref().map_or(0, |frozen| frozen.unseen),
            status: self.status(),
            alerts: self.sidebar(),
            muted: self.muted_alerts(),
            trial: self.trial(),
            timeline: self.strip(),
            ..Page::default()
        };
        match self.look.spec.tab {
            Tab::Flows => self.cut_flows(&mut page),
            Tab::Sessions => self.cut_sessions(&mut page),
            Tab::Alerts => self.cut_alerts(&mut page),
        }
        page.draft = self.draft_count();
        page.folded = self.fold_counts();
        page.profile = self.profile();
        page.change = self.change_counts();
        let (ring, chunks) = self.frozen_or_live();
        page.explained = self.look.explain.as_ref().map(|explain| match self.look.spec.tab {
            Tab::Sessions => explain.of_sessions(chunks),
            _ => explain.of_flows(ring),
        });
        page.values = self.look.values.iter_mut().map(Values::seen).collect();
        page.report = self.look.spec.report.map(|wanted| self.report(wanted));
        page.detail = self.look.spec.detail.and_then(|id| self.detail(id));
        page.copies = self.look.spec.copies.clone().into_iter().map(|id| (id, self.copy_of(id))).collect();
        page
    }

    fn draft_count(&self) -> Option<(u64, bool)> {
        let (ring, chunks) = self.frozen_or_live();
        match self.look.draft.as_ref()? {
            Draft::Flows(scan) => Some((scan.matched(ring), scan.progress(ring) >= 1.0)),
            Draft::Sessions(scan) => Some((scan.matched(), scan.place().is_done(chunks))),
        }
    }

    fn fold_counts(&self) -> Vec<(&'static str, u64)> {
        let Some(fold) = &self.look.spec.fold else { return Vec::new() };
        let counts = self.look.folded.counts(self.frozen_or_live().0);
        fold.kinds.iter().map(|(name, _)| *name).zip(counts).collect()
    }

    fn change_counts(&mut self) -> Option<ChangeCounts> {
        self.look.spec.change?;
        let phases = &mut self.look.phases;
        match (&mut phases.done, &mut phases.running) {
            (Some(done), _) => Some(phase::counts(done, true)),
            (None, Some(running)) => Some(phase::counts(running, false)),
            (None, None) => None,
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
            Some(frozen) => frozen.sessions,
            None => self.sessions.len() as u64,
        };
        if let Some(running) = &self.look.running
            && self.look.seen_changes.is_none()
        {
            page.progress = running.place().progress(chunks);
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
        alerts.retain(|alert| !self.is_hidden(alert));
        alerts.sort_by_key(|alert| std::cmp::Reverse((alert.last, alert.id)));
        page.total = alerts.len() as u64;
        page.matched = page.total;
        let rows = alerts.iter().map(|alert| {
            (
                RowId::Alert(alert.id),
                Some(PageRow {
                    id: RowId::Alert(alert.id),
                    cells: Vec::new(),
                    mark: Some(alert.level),
                    new: FirstSeen::default(),
                }),
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
        let (cells, flow, new) = with_table!(&part, table => {
            let reference = RowRef { table, row };
            (cells(&reference, columns), Flow::of(table, row, &mut self.names), self.firsts.of_record(table, row))
        });
        let session = flow.and_then(|flow| self.sessions.find(&flow));
        let mark = session.and_then(|session| self.mark_of(session.id));
        Some(PageRow { id, cells, mark, new })
    }

    fn session_rows(&self, ids: &[RowId], columns: &[Field]) -> Vec<PageRow> {
        let row = |session: &Session| {
            let row = SessionRow { session, names: &self.names, region: self.config.region.as_deref() };
            let row = Phased { row, change: self.look.spec.change };
            let (mark, new) = (self.mark_of(session.id), self.firsts.of_session(&row));
            PageRow { id: RowId::Session(session.id), cells: cells(&row, columns), mark, new }
        };
        let number = |id: &RowId| match id {
            RowId::Session(number) => Some(*number),
            _ => None,
        };
        let Some(frozen) = &self.look.frozen else {
            return ids.iter().filter_map(number).filter_map(|id| self.sessions.get(id)).map(row).collect();
        };
        // A frozen view shows sessions as they were. Those that are still held are where they were; one walk finds the others.
        let mut found: Vec<(&RowId, Option<&Session>)> =
            ids.iter().filter_map(|id| Some((id, self.sessions.get_in(&frozen.chunks, number(id)?)))).collect();
        if found.iter().any(|(_, session)| session.is_none()) {
            for session in frozen.chunks.iter().flat_map(|chunk| chunk.iter()).flatten() {
                let wanted = found.iter_mut().find(|(id, gone)| gone.is_none() && **id == RowId::Session(session.id));
                if let Some((_, place)) = wanted {
                    *place = Some(session);
                }
            }
        }
        found.into_iter().filter_map(|(_, session)| session).map(row).collect()
    }

    fn sidebar(&self) -> Vec<Arc<Alert>> {
        let mut alerts: Vec<Arc<Alert>> = self.shown_alerts().cloned().collect();
        alerts.sort_by_key(|alert| (alert.closed, std::cmp::Reverse((alert.level, alert.last, alert.id))));
        alerts.truncate(SIDEBAR);
        alerts
    }

    fn strip(&self) -> Timeline {
        let spec = &self.look.spec;
        let (ring, chunks) = self.frozen_or_live();
        let tally = self.look.tally.as_ref().unwrap_or(&self.tally);
        let Some(mut now) = self.clock.now() else { return Timeline::default() };
        if spec.timeline.clock == ClockKind::Ingestion {
            now = now.max(self.arrival());
        }
        let lives = self.look.lives.done.as_ref().or(self.look.lives.running.as_ref());
        let mut strip = if let Some(lives) = lives.filter(|_| self.counts_sessions()) {
            lives.strip(chunks, now, spec.timeline.range, spec.timeline_bins)
        } else {
            tally.strip(ring, now, spec.timeline.range, spec.timeline_bins)
        };
        if spec.timeline.clock == ClockKind::Ingestion && !strip.of_sessions {
            // Alerts, gaps and what is incomplete are told in event time.
            return strip;
        }
        let (from, step) = (strip.from, strip.step.max(1));
        let mut mark = |first: i64, last: i64, set: &dyn Fn(&mut Bin)| {
            let count = strip.bins.len();
            let place = |time: i64| usize::try_from((time - from).div_euclid(step)).unwrap_or(0);
            if last < from || count == 0 {
                return;
            }
            for bin in strip.bins.iter_mut().take(place(last) + 1).skip(place(first.max(from))) {
                set(bin);
            }
        };
        for alert in self.shown_alerts() {
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
