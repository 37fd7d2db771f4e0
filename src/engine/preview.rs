//! Rows that are looked at before the first ones are there for good: what queries have found that still run. They have an engine of their own, which
//! goes with the first rows, so nothing that is not whole reaches sessions, rules or exports.

use super::core::{Config, Core};
use super::view::Page;
use crate::detect::{Detector, Limits, Rules};
use crate::record::Decoded;

/// Share of the memory that it may use.
const SHARE: usize = 8;

impl Core {
    /// Shows `batch` until rows come; it takes the place of what was shown so before.
    pub fn preview(&mut self, batch: &Decoded) {
        if !self.ring.is_empty() || batch.columns.is_empty() {
            return;
        }
        let config = Config { memory: self.config.memory / SHARE, live: false, ..self.config.clone() };
        let limits = Limits { memory: 0, ..Limits::default() };
        let mut core = Core::new(config, Detector::new(&Rules::default(), limits), false);
        core.ingest(batch);
        core.finish();
        self.preview = Some(Box::new(core));
    }

    /// The page of what is only looked at, under the header of what there is for good.
    pub(super) fn previewed(&mut self) -> Option<Page> {
        let mut preview = self.preview.take()?;
        let page = preview.page(&self.look.spec);
        self.preview = Some(preview);
        let mut status = self.status();
        status.partial = page.status.held;
        (status.span, status.searched) = (page.status.span, None);
        Some(Page { status, ..page })
    }
}
