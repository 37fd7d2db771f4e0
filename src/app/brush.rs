//! The timeline with the keys: a bar is chosen, a range is begun and set, what is shown is zoomed. The mouse does the same by dragging.

use std::sync::Arc;

use super::{Action, App, Mode, Tone};
use crate::engine::view::{ClockKind, Tab};
use crate::filter::Filter;

/// Least time that can be zoomed on, seconds: a bar is never shorter than ten.
const LEAST_ZOOM: i64 = 120;

/// What is chosen on the timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brush {
    /// Unix second at which the chosen bar begins; `None` until something was chosen.
    pub cursor: Option<i64>,
    /// Where a range was begun.
    pub anchor: Option<i64>,
    /// Whether the mouse is dragging.
    pub dragging: bool,
}

/// What the bars of the timeline show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// Records accepted upwards, rejected downwards.
    #[default]
    Decisions,
    /// Bytes towards the interfaces upwards, away from them downwards.
    Bytes,
    /// Records towards the interfaces upwards, away from them downwards.
    Records,
}

impl Measure {
    fn next(self) -> Measure {
        match self {
            Measure::Decisions => Measure::Bytes,
            Measure::Bytes => Measure::Records,
            Measure::Records => Measure::Decisions,
        }
    }
}

/// Closer or further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zoom {
    In,
    Out,
}

impl App {
    /// What the bars show.
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// By which time records stand on the timeline.
    pub fn clock(&self) -> ClockKind {
        self.clock
    }

    /// The bar that is chosen: the one under the brush, else that of the row under the cursor, else the last.
    pub fn bar(&self) -> Option<i64> {
        let Mode::Timeline(brush) = &self.mode else { return None };
        let strip = &self.page.timeline;
        let last = i64::try_from(strip.bins.len().checked_sub(1)?).ok()?;
        let at = brush.cursor.or_else(|| self.row_time()).unwrap_or(i64::MAX);
        let bin = at.saturating_sub(strip.from).div_euclid(strip.step.max(1)).clamp(0, last);
        Some(strip.from + bin * strip.step)
    }

    /// The range that is being chosen, Unix seconds, the end not included.
    pub fn chosen(&self) -> Option<(i64, i64)> {
        let Mode::Timeline(brush) = &self.mode else { return None };
        let bar = self.bar()?;
        let anchor = brush.anchor.unwrap_or(bar);
        Some((anchor.min(bar), anchor.max(bar) + self.page.timeline.step))
    }

    /// The filter of the timeline: what is told about, else the filter in force where it is one for records.
    pub(super) fn strip_filter(&self) -> Option<&Arc<Filter>> {
        if let Some(lens) = &self.view.lens {
            return Some(&lens.filter);
        }
        self.view.filter_in_force()?;
        self.view.filter.as_ref()?.on(Tab::Flows).ok().filter(|filter| filter.warnings().is_empty())
    }

    /// Whether the timeline counts sessions, since records do not have what the filter asks for.
    pub(super) fn strip_counts_sessions(&self) -> bool {
        self.view.tab == Tab::Sessions
            && self.view.lens.is_none()
            && self.view.filter_in_force().is_some()
            && self.strip_filter().is_none()
    }

    pub(super) fn open_timeline(&mut self) {
        self.mode = Mode::Timeline(Brush::default());
    }

    /// An action while the timeline has the keys.
    pub(super) fn on_timeline(&mut self, action: Action) {
        let Mode::Timeline(brush) = self.mode else { return };
        match action {
            Action::Left => self.move_bar(-1),
            Action::Right => self.move_bar(1),
            Action::PageUp => self.move_bar(-10),
            Action::PageDown => self.move_bar(10),
            Action::Top => self.move_bar(i64::MIN),
            Action::Bottom => self.move_bar(i64::MAX),
            Action::Mark => {
                let anchor = if brush.anchor.is_some() { None } else { self.bar() };
                self.mode = Mode::Timeline(Brush { cursor: self.bar(), anchor, ..brush });
            }
            Action::Accept => self.set_range(),
            Action::ZoomIn => self.zoom(Zoom::In),
            Action::ZoomOut => self.zoom(Zoom::Out),
            Action::AllTime => {
                if self.view.window.is_some() || self.view.zoom.is_some() {
                    self.remember("all time");
                    (self.view.window, self.view.zoom) = (None, None);
                }
                self.mode = Mode::Timeline(Brush { anchor: None, ..brush });
            }
            Action::Measure => self.measure = self.measure.next(),
            Action::Clock => {
                self.clock = match self.clock {
                    ClockKind::Event => ClockKind::Ingestion,
                    ClockKind::Ingestion => ClockKind::Event,
                };
                self.mode = Mode::Timeline(Brush { anchor: None, ..brush });
            }
            Action::ChangeTime => {
                let bar = self.bar();
                self.open_change_prompt(bar);
            }
            Action::Cancel => self.mode = Mode::Main,
            // The rest has no key here.
            _ => {}
        }
    }

    fn move_bar(&mut self, by: i64) {
        let (Mode::Timeline(brush), Some(bar)) = (self.mode.clone(), self.bar()) else { return };
        let strip = &self.page.timeline;
        let last = i64::try_from(strip.bins.len()).unwrap_or(i64::MAX) - 1;
        let to = bar.saturating_add(by.saturating_mul(strip.step)).clamp(strip.from, strip.from + last * strip.step);
        self.mode = Mode::Timeline(Brush { cursor: Some(to), ..brush });
    }

    /// Shows only rows of the range that is chosen.
    fn set_range(&mut self) {
        let Some((from, to)) = self.chosen() else {
            return self.say(Tone::Refused, "There is no time to choose from yet.");
        };
        if self.clock == ClockKind::Ingestion {
            return self.say_keys(Tone::Refused, "A range is one of event time: {timeline:clock} changes the clock.");
        }
        self.mode = Mode::Main;
        let window = Some((from, to - 1));
        if self.view.window != window {
            self.remember("a range of time");
            self.view.window = window;
            self.view.table_mut().reset();
        }
    }

    /// Shows half the time around the chosen bar or twice it; a range that was begun is zoomed on as it is.
    pub(super) fn zoom(&mut self, zoom: Zoom) {
        let strip = &self.page.timeline;
        let long = i64::try_from(strip.bins.len()).unwrap_or(i64::MAX).saturating_mul(strip.step);
        if long == 0 {
            return;
        }
        let shown = self.view.zoom.unwrap_or((strip.from, strip.from + long));
        let length = shown.1 - shown.0;
        let begun = matches!(&self.mode, Mode::Timeline(brush) if brush.anchor.is_some());
        let around = |middle: i64, length: i64| (middle - length / 2, middle - length / 2 + length);
        let middle = self.bar().map_or(i64::midpoint(shown.0, shown.1), |bar| bar + strip.step / 2);
        let to = match zoom {
            Zoom::In if begun => self.chosen(),
            Zoom::In => Some(around(middle, (length / 2).max(LEAST_ZOOM))),
            Zoom::Out if self.view.zoom.is_none() => return self.say(Tone::Quiet, "This is all the time there is."),
            Zoom::Out => {
                let wider = around(i64::midpoint(shown.0, shown.1), length.saturating_mul(2));
                let held = self.page.status.span;
                Some(wider).filter(|(from, to)| held.is_some_and(|(first, last)| *from > first || *to <= last))
            }
        };
        if zoom == Zoom::In && to.is_some_and(|(from, to)| to - from >= length && !begun) {
            return self.say(Tone::Quiet, "A bar cannot be shorter.");
        }
        if to != self.view.zoom {
            self.remember("zoom");
            self.view.zoom = to;
        }
        if let Mode::Timeline(brush) = &mut self.mode {
            brush.anchor = None;
            brush.cursor = Some(middle);
        }
    }

    pub(super) fn begin_drag(&mut self, x: u16) {
        let Some(strip) = self.viewport.strip else { return };
        let at = strip.time_at(x);
        self.mode = Mode::Timeline(Brush { cursor: Some(at), anchor: Some(at), dragging: true });
    }

    pub(super) fn drag_to(&mut self, x: u16) {
        if let (Mode::Timeline(brush), Some(strip)) = (&mut self.mode, self.viewport.strip)
            && brush.dragging
        {
            brush.cursor = Some(strip.time_at(x));
        }
    }

    /// A drag over several bars sets the range; a click chooses the bar.
    pub(super) fn end_drag(&mut self) {
        let Mode::Timeline(brush) = &mut self.mode else { return };
        if !brush.dragging {
            return;
        }
        brush.dragging = false;
        if brush.anchor == brush.cursor {
            brush.anchor = None;
        } else {
            self.set_range();
        }
    }
}
