//! The pane over everything else that tells about the source, and about the lines that did not parse.

use super::{Action, App, Mode};
use crate::engine::report::ReportSpec;

/// Which of the two is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Topic {
    /// The source.
    #[default]
    Source,
    /// The lines that did not parse.
    Unparsed,
}

/// State of the pane.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReportState {
    /// What is shown.
    pub topic: Topic,
    /// First line shown of the source, or entries left out before the first of the lines that did not parse.
    pub scroll: usize,
}

impl App {
    /// Opens the pane.
    pub(super) fn open_report(&mut self, topic: Topic) {
        self.mode = Mode::Report(ReportState { topic, scroll: 0 });
    }

    /// What the pane asks the engine for.
    pub(super) fn report_wanted(&self) -> Option<ReportSpec> {
        let Mode::Report(state) = &self.mode else { return None };
        Some(match state.topic {
            Topic::Source => ReportSpec::Source,
            Topic::Unparsed => {
                // Before the first frame nobody knows how many fit; after it a screenful more lets a page down show at once.
                let fits = self.viewport.report.0.max(super::FIRST_ROWS / 2);
                ReportSpec::Unparsed { skip: state.scroll, take: 2 * fits }
            }
        })
    }

    /// New lines that did not parse came in above what is looked at: it stays in its place.
    pub(super) fn keep_report_place(&mut self, came: u64) {
        if let Mode::Report(ReportState { topic: Topic::Unparsed, scroll }) = &mut self.mode
            && *scroll > 0
        {
            *scroll = scroll.saturating_add(usize::try_from(came).unwrap_or(usize::MAX));
        }
    }

    /// Where the pane can scroll to follows from how it was laid out.
    pub(super) fn bound_report(&mut self) {
        let (fits, all) = self.viewport.report;
        if let Mode::Report(state) = &mut self.mode {
            state.scroll = state.scroll.min(all.saturating_sub(fits));
        }
    }

    /// Moves what the pane shows.
    pub(super) fn scroll_report(&mut self, by: isize) {
        if let Mode::Report(state) = &mut self.mode {
            state.scroll = state.scroll.saturating_add_signed(by);
        }
        self.bound_report();
    }

    /// An action while the pane is open.
    pub(super) fn in_report(&mut self, action: Action) {
        let Mode::Report(state) = &self.mode else { return };
        let topic = state.topic;
        let page = self.viewport.report.0.saturating_sub(1).max(1).cast_signed();
        match action {
            Action::Down => self.scroll_report(1),
            Action::Up => self.scroll_report(-1),
            Action::PageDown => self.scroll_report(page),
            Action::PageUp => self.scroll_report(-page),
            Action::Top => self.scroll_report(isize::MIN),
            Action::Bottom => self.scroll_report(isize::MAX),
            Action::NextTab => self.open_report(match topic {
                Topic::Source => Topic::Unparsed,
                Topic::Unparsed => Topic::Source,
            }),
            Action::Cancel => self.mode = Mode::Main,
            // The rest has no key here.
            _ => {}
        }
    }
}
