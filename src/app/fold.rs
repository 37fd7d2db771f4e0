//! Noise: what the internet throws at any address, and windows without traffic. A table that nobody narrowed counts these in one line in
//! place of showing them; a filter says what is wanted, so nothing of that is hidden unless it is asked for.
//!
//! The fold is a matter of the view alone. Sessions and rules see every record, and so do groups, the timeline and exports.

use std::sync::Arc;

use super::view::stage;
use super::{Action, App, Context, Tone};
use crate::engine::fold::Fold;
use crate::engine::view::Tab;
use crate::filter::Filter;

/// A kind of noise.
struct Kind {
    /// What its line calls it.
    name: &'static str,
    /// The records that are of it.
    flows: &'static str,
    /// The sessions that are; empty where there are none.
    sessions: &'static str,
}

/// Every kind. A rejected reply is none of it: where a request went out and its answer was refused, or a reflector's answers arrive,
/// that is worth a look.
const NOISE: &[Kind] = &[
    Kind {
        name: "internet-scan rejects",
        flows: "action = REJECT and not src $private and dst $private \
                and not (srcport < 1024 and dstport >= 1024) and not srcport in @amplification",
        sessions: "action = REJECT and not client $private and server $private",
    },
    Kind { name: "NODATA", flows: "log-status = NODATA", sessions: "" },
    Kind { name: "SKIPDATA", flows: "log-status = SKIPDATA", sessions: "" },
];

/// A fold that was made, and the filter and table that it was made for.
#[derive(Clone, Debug)]
pub(super) struct Made {
    filter: Option<Arc<Filter>>,
    tab: Tab,
    /// `None` where the filter is too long to be narrowed.
    fold: Option<Arc<Fold>>,
}

impl App {
    /// Whether noise is counted in one line on the table that is looked at.
    pub fn folds(&self) -> bool {
        let view = &self.view;
        view.tab != Tab::Alerts
            && view.table().group_by.is_empty()
            && view.fold.unwrap_or_else(|| view.filter_in_force().is_none())
    }

    /// What is folded, as the page counts it; `None` where nothing is.
    pub fn folded(&self) -> Option<&[(&'static str, u64)]> {
        let folded = &self.page.folded;
        let any = folded.iter().any(|(_, count)| *count > 0);
        (any && self.page.tab == self.view.tab && self.folds()).then_some(folded)
    }

    /// Shows what is folded, or folds it again.
    pub(super) fn toggle_fold(&mut self) {
        if self.view.tab == Tab::Alerts {
            return self.say(Tone::Quiet, "Alerts are not folded.");
        }
        if !self.view.table().group_by.is_empty() {
            return self.say(Tone::Quiet, "Groups count every row: nothing is folded.");
        }
        let folds = !self.folds();
        self.view.fold = Some(folds);
        // By another set of rows the cursor is where its row is; at the top it stays there.
        let key = self.keys.hint(Context::Main, Action::Fold);
        if folds {
            self.say(
                Tone::Quiet,
                format!("Internet-scan rejects, NODATA and SKIPDATA are counted in one line; {key} shows them."),
            );
        } else {
            self.say(
                Tone::Quiet,
                format!("Every row is shown; {key} folds internet-scan rejects, NODATA and SKIPDATA."),
            );
        }
    }

    /// The fold of the question.
    pub(super) fn fold_wanted(&mut self) -> Option<Arc<Fold>> {
        if !self.folds() || self.view.lens.is_some() {
            return None;
        }
        let (filter, tab) = (self.view.filter_in_force().cloned(), self.view.tab);
        let same = |made: &Made| {
            made.tab == tab
                && match (&made.filter, &filter) {
                    (None, None) => true,
                    (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                    _ => false,
                }
        };
        // A fold that is made anew would be a new question.
        if let Some(made) = self.made_folds.iter().find(|made| same(made)) {
            return made.fold.clone();
        }
        let fold = fold(filter.as_deref(), tab).map(Arc::new);
        self.made_folds.retain(|made| made.tab != tab);
        self.made_folds.push(Made { filter, tab, fold: fold.clone() });
        fold
    }
}

/// What is folded of the rows of `tab` that `filter` selects.
fn fold(filter: Option<&Filter>, tab: Tab) -> Option<Fold> {
    let stage = stage(tab);
    let among = |text: &str| {
        let text = filter.map_or_else(|| text.to_owned(), |filter| format!("({filter}) and {text}"));
        Filter::parse(&text, stage).ok().map(Arc::new)
    };
    let kinds = NOISE.iter().filter_map(|kind| {
        let text = if tab == Tab::Sessions { kind.sessions } else { kind.flows };
        (!text.is_empty()).then_some((kind.name, text))
    });
    let kinds: Vec<(&str, &str)> = kinds.collect();
    let none = kinds.iter().map(|(_, text)| format!("not ({text})")).collect::<Vec<_>>().join(" and ");
    let shown = among(&none)?;
    let kinds = kinds.into_iter().map(|(name, text)| Some((name, among(&format!("({text})"))?)));
    Some(Fold { shown, kinds: kinds.collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Stage;

    #[test]
    fn every_kind_is_a_filter_without_doubt() {
        for kind in NOISE {
            for (text, stage) in [(kind.flows, Stage::Flows), (kind.sessions, Stage::Sessions)] {
                if !text.is_empty() {
                    let filter = Filter::parse(text, stage).expect(text);
                    assert!(filter.warnings().is_empty(), "{text}");
                }
            }
        }
        let narrow = Filter::parse("port 22 or udp", Stage::Flows).unwrap();
        assert_eq!(fold(Some(&narrow), Tab::Flows).unwrap().kinds.len(), NOISE.len());
        assert_eq!(fold(None, Tab::Sessions).unwrap().kinds.len(), 1);
    }
}
