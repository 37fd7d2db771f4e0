//! What a click or the wheel means, by what lies under the pointer.

use super::brush::Zoom;
use super::cursor::Step;
use super::viewport::Target;
use super::{Action, App, Effect, Focus, Mode};

/// Rows that one notch of the wheel moves.
const NOTCH: isize = 3;

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseKind {
    /// The left button went down.
    Click,
    /// It moved while it was down.
    Drag,
    /// It was let go.
    Release,
    /// The wheel turned towards the top.
    WheelUp,
    /// The wheel turned towards the bottom.
    WheelDown,
    /// The wheel was tilted to the left.
    WheelLeft,
    /// The wheel was tilted to the right.
    WheelRight,
}

/// A mouse event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    /// What happened.
    pub kind: MouseKind,
    /// Column of the screen.
    pub x: u16,
    /// Line of the screen.
    pub y: u16,
}

impl App {
    pub(super) fn mouse(&mut self, mouse: Mouse) -> Vec<Effect> {
        // A drag goes on where it began, wherever the pointer is.
        match mouse.kind {
            MouseKind::Drag => {
                if !self.drag_border(mouse.x, mouse.y) {
                    self.drag_to(mouse.x);
                }
                return Vec::new();
            }
            MouseKind::Release => {
                self.drop_border();
                self.end_drag();
                return Vec::new();
            }
            _ => {}
        }
        let Some(target) = self.viewport.at(mouse.x, mouse.y) else { return Vec::new() };
        if let (Target::Strip, MouseKind::Click, Mode::Main | Mode::Timeline(_)) = (target, mouse.kind, &self.mode) {
            self.begin_drag(mouse.x);
            return Vec::new();
        }
        if let (Target::Border(border), MouseKind::Click, Mode::Main) = (target, mouse.kind, &self.mode) {
            self.grab(border, mouse.x, mouse.y);
            return Vec::new();
        }
        let by = match mouse.kind {
            MouseKind::Drag | MouseKind::Release => return Vec::new(),
            MouseKind::Click => return self.click(target),
            MouseKind::WheelUp => -NOTCH,
            MouseKind::WheelDown => NOTCH,
            MouseKind::WheelLeft | MouseKind::WheelRight => {
                if matches!(self.mode, Mode::Main) {
                    self.scroll_columns(if mouse.kind == MouseKind::WheelLeft { -1 } else { 1 });
                }
                return Vec::new();
            }
        };
        match target {
            Target::Strip => self.zoom(if by < 0 { Zoom::In } else { Zoom::Out }),
            Target::Help => self.scroll_help(by),
            Target::Report => self.scroll_report(by),
            Target::Menu | Target::Item(_) => {
                let action = if by < 0 { Action::Up } else { Action::Down };
                return self.update(action);
            }
            Target::Detail => self.scroll_detail(by),
            Target::Entry(_) | Target::Table if self.view.lens.is_some() => self.scroll_entries(by),
            Target::Alert(_) | Target::Sidebar => {
                let focus = std::mem::replace(&mut self.focus, Focus::Sidebar);
                self.step(Step::Cursor(by.signum()));
                self.focus = focus;
            }
            _ => {
                let focus = std::mem::replace(&mut self.focus, Focus::Table);
                self.step(Step::Rows(by));
                self.focus = focus;
            }
        }
        Vec::new()
    }

    fn click(&mut self, target: Target) -> Vec<Effect> {
        let hint = matches!(target, Target::Hint(_));
        if matches!(self.mode, Mode::Timeline(_)) && !hint {
            self.mode = Mode::Main;
        }
        if let (Target::Item(at), Mode::Menu(_)) = (target, &self.mode) {
            return self.pick_item(at);
        }
        if !matches!(self.mode, Mode::Main) && !hint {
            return Vec::new();
        }
        match target {
            Target::Hint(action) => return self.update(action),
            Target::Tab(tab) => self.go_to_tab(tab),
            Target::Header(col) => self.sort_by(col),
            Target::Row(id) => {
                // A second click on the row goes in, as a second Enter would.
                if self.focus == Focus::Table && self.view.table().cursor == Some(id) {
                    self.enter();
                } else {
                    self.pick(id);
                }
            }
            Target::Alert(id) => {
                if self.focus == Focus::Sidebar && self.selected_alert().is_some_and(|alert| alert.id == id) {
                    self.enter();
                } else {
                    self.focus = Focus::Sidebar;
                    self.alert = Some(id);
                    self.detail_scroll = 0;
                }
            }
            Target::Sidebar => self.focus = Focus::Sidebar,
            Target::Filter => return self.update(Action::Filter),
            Target::Folded => return self.update(Action::Fold),
            Target::Table => self.focus = Focus::Table,
            Target::Entry(place) => self.pick_entry(place),
            Target::Border(_)
            | Target::Detail
            | Target::Help
            | Target::Report
            | Target::Strip
            | Target::Menu
            | Target::Item(_) => {}
        }
        Vec::new()
    }
}
