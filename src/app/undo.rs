//! Taking back the last change of the view: its filter, order, groups, columns, range, table or panes, whatever key, click or list made it. Esc goes the way
//! back that led here; this takes back one change, and a step of Esc too.

use super::choose::Arranged;
use super::view::View;
use super::{Action, App, Crumb, Focus, Input, Measure, Mode, Tone};
use crate::engine::view::ClockKind;

/// Changes that can be taken back.
const MOST: usize = 50;

/// The view before a change.
#[derive(Clone, Debug)]
pub(super) struct Before {
    view: View,
    arranged: Arranged,
    back: Vec<Crumb>,
    measure: Measure,
    clock: ClockKind,
}

impl Before {
    /// What differs between two views, in a word; `None` where only the cursor does.
    fn differs(&self, app: &App) -> Option<&'static str> {
        let (old, new) = (&self.view, &app.view);
        let filter = |view: &View| view.filter.as_ref().map(|applied| (applied.text.clone(), applied.off));
        let lens = |view: &View| view.lens.as_ref().map(|lens| lens.subject.clone());
        let order = |view: &View| view.tables().each_ref().map(|table| table.sort);
        let groups = |view: &View| view.tables().each_ref().map(|table| table.group_by.clone());
        let different = [
            (lens(old) != lens(new), "the view of an address or interface"),
            (filter(old) != filter(new), "the filter"),
            (old.window != new.window, "the range of time"),
            (groups(old) != groups(new), "the groups"),
            (old.tab != new.tab, "the table"),
            (order(old) != order(new), "the order"),
            (self.arranged.columns != app.arranged.columns, "the columns"),
            (old.zoom != new.zoom, "the zoom"),
            (old.frozen != new.frozen, "the freeze"),
            (old.fold != new.fold, "the folding"),
            ((old.detail, old.bare) != (new.detail, new.bare), "the detail"),
            (self.arranged.when != app.arranged.when, "how times are written"),
            (self.arranged.shares != app.arranged.shares, "the panes"),
            ((self.measure, self.clock) != (app.measure, app.clock), "the timeline"),
        ];
        different.into_iter().find(|(differs, _)| *differs).map(|(_, what)| what)
    }
}

impl App {
    /// The view as it is, where `input` may change it.
    pub(super) fn before(&self, input: &Input) -> Option<Before> {
        let moves = match input {
            Input::Key(key) => match self.keys.resolve(self.context(), *key) {
                Some(action) => only_moves(action),
                None => true,
            },
            Input::Paste(_) => true,
            Input::Mouse(_) => false,
        };
        (!moves).then(|| self.now_seen())
    }

    /// The view as it is.
    pub(super) fn now_seen(&self) -> Before {
        Before {
            view: self.view.clone(),
            arranged: self.arranged.clone(),
            back: self.back.clone(),
            measure: self.measure,
            clock: self.clock,
        }
    }

    /// Remembers `before` where the view is another now. A border that is dragged is one change.
    pub(super) fn note_change(&mut self, before: Before) {
        let held = self.grab.is_some();
        if before.differs(self).is_none() || self.undone {
            (self.undone, self.dragged) = (false, self.dragged && held);
            return;
        }
        if self.dragged && held {
            return;
        }
        self.dragged = held;
        if self.undo.len() == MOST {
            self.undo.remove(0);
        }
        self.undo.push(before);
    }

    /// Takes the last change back.
    pub(super) fn undo(&mut self) {
        let Some(before) = self.undo.pop() else {
            return self.say(Tone::Quiet, "There is no change of the view to take back.");
        };
        let what = before.differs(self).unwrap_or("the place");
        let Before { view, arranged, back, measure, clock } = before;
        (self.view, self.arranged, self.back) = (view, arranged, back);
        (self.measure, self.clock) = (measure, clock);
        (self.mode, self.focus, self.detail_scroll, self.undone) = (Mode::Main, Focus::Table, 0, true);
        let more = match self.undo.len() {
            0 => "nothing more to take back".to_owned(),
            1 => "1 more change can be".to_owned(),
            more => format!("{more} more changes can be"),
        };
        self.say(Tone::Quiet, format!("Took back {what}; {more}."));
    }
}

/// Whether an action moves about and changes nothing that could be taken back.
fn only_moves(action: Action) -> bool {
    matches!(
        action,
        Action::Down
            | Action::Up
            | Action::PageDown
            | Action::PageUp
            | Action::HalfDown
            | Action::HalfUp
            | Action::DetailDown
            | Action::DetailUp
            | Action::Insert(_)
            | Action::Copy
            | Action::Help
            | Action::Redraw
            | Action::Suspend
            | Action::Quit
    )
}
