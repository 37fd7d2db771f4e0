//! The question that the screen asks the engine, made of the state of the app.

use std::sync::Arc;

use super::view::Pin;
use super::{App, FIRST_ROWS, Focus, Mode};
use crate::engine::view::{Anchor, RowId, TimelineSpec, ViewSpec};
use crate::filter::Filter;

impl App {
    /// The question to the engine. Its serial grows when the question changes.
    pub fn spec(&mut self) -> ViewSpec {
        let rows = match self.viewport.table_rows {
            0 => FIRST_ROWS,
            rows => rows,
        };
        let fold = self.fold_wanted();
        let table = self.view.table();
        let (anchor, before, after) = match table.pin {
            Pin::Top => (Anchor::Top, 0, 3 * rows),
            Pin::Bottom => (Anchor::Bottom, 3 * rows, 1),
            Pin::Free => (table.anchor, 2 * rows, 2 * rows + 1),
        };
        let mut spec = ViewSpec {
            fold,
            serial: 0,
            tab: self.view.tab,
            filter: self.view.filter_in_force().cloned(),
            draft: match &self.mode {
                Mode::Filter(bar) => bar.filter().cloned(),
                _ => None,
            },
            window: self.view.window,
            explain: self.explain_wanted(),
            values: self.values_wanted(),
            sort: table.sort,
            group_by: table.group_by.clone(),
            columns: self.fields_wanted(),
            anchor,
            before,
            after,
            frozen: self.view.frozen,
            detail: self.detail_wanted(),
            timeline_bins: self.viewport.timeline_bins,
            timeline: TimelineSpec {
                filter: self.strip_filter().cloned(),
                sessions: self.strip_counts_sessions(),
                range: self.view.zoom,
                clock: self.clock,
            },
            change: self.change.as_ref().map(|change| change.at),
            profile: self.view.lens.as_ref().map(|lens| lens.subject.clone()),
            report: self.report_wanted(),
            copies: self.copies_wanted(),
            mutes: Arc::clone(&self.mutes),
            show_muted: self.show_muted,
            trial: self.trial.as_ref().map(|(rules, _)| Arc::clone(rules)),
        };
        let next = self.asked.as_ref().map_or(1, |asked| asked.serial + 1);
        if !self.asked.as_ref().is_some_and(|asked| same_rows(asked, &spec)) {
            self.rows_asked = next;
        }
        if !self.asked.as_ref().is_some_and(|asked| same_filter(asked.draft.as_ref(), spec.draft.as_ref())) {
            self.draft_asked = next;
        }
        spec.serial = match &self.asked {
            None => 1,
            Some(asked) if same_question(asked, &spec) => asked.serial,
            Some(asked) => asked.serial + 1,
        };
        self.asked = Some(spec.clone());
        spec
    }

    /// The row to explain.
    fn detail_wanted(&self) -> Option<RowId> {
        if let Some(id) = self.opening {
            return Some(id);
        }
        if !self.shows_detail() {
            return None;
        }
        match self.focus {
            Focus::Sidebar => self.selected_alert().map(|alert| RowId::Alert(alert.id)),
            Focus::Table => self.view.table().cursor.filter(|id| !matches!(id, RowId::Group(_))),
        }
    }
}

/// Whether two questions are about the same rows in the same order.
fn same_rows(a: &ViewSpec, b: &ViewSpec) -> bool {
    a.tab == b.tab
        && same_filter(a.filter.as_ref(), b.filter.as_ref())
        && a.window == b.window
        && a.sort == b.sort
        && a.group_by == b.group_by
        && a.fold.is_some() == b.fold.is_some()
}

/// Filters are compared by identity: compiling again is a new question.
fn same_filter(a: Option<&Arc<Filter>>, b: Option<&Arc<Filter>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

/// Whether two questions ask the same.
fn same_question(a: &ViewSpec, b: &ViewSpec) -> bool {
    let same_fold = match (&a.fold, &b.fold) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    };
    a.tab == b.tab
        && same_fold
        && same_filter(a.filter.as_ref(), b.filter.as_ref())
        && same_filter(a.draft.as_ref(), b.draft.as_ref())
        && same_filter(a.explain.as_ref(), b.explain.as_ref())
        && a.values == b.values
        && a.window == b.window
        && a.sort == b.sort
        && a.group_by == b.group_by
        && a.columns == b.columns
        && a.anchor == b.anchor
        && (a.before, a.after) == (b.before, b.after)
        && a.frozen == b.frozen
        && a.detail == b.detail
        && a.timeline_bins == b.timeline_bins
        && same_filter(a.timeline.filter.as_ref(), b.timeline.filter.as_ref())
        && (a.timeline.range, a.timeline.clock, a.timeline.sessions)
            == (b.timeline.range, b.timeline.clock, b.timeline.sessions)
        && a.change == b.change
        && a.profile == b.profile
        && a.report == b.report
        && a.copies == b.copies
        && match (&a.trial, &b.trial) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
        && (Arc::ptr_eq(&a.mutes, &b.mutes) && a.show_muted == b.show_muted)
}
