//! The two lines that can be typed into: the filter bar and the group prompt, each judged at every key.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::history::History;
use super::line::Line;
use super::view::stage;
use crate::engine::view::Tab;
use crate::filter::{Filter, FilterError};
use crate::record::{FIELDS, Field, FieldDef, On, places};

/// The filter bar while it is open.
#[derive(Clone, Debug)]
pub struct FilterBar {
    /// What is typed.
    pub line: Line,
    /// What that means, once somebody asked: of a burst of keys only the last matters.
    draft: OnceLock<Draft>,
    /// Whether Enter was pressed on it in vain.
    pub refused: bool,
    tab: Tab,
    steps_back: usize,
    unsent: String,
}

/// What a text in the filter bar means.
#[derive(Clone, Debug)]
pub enum Draft {
    /// Nothing: no filter.
    Empty,
    /// A filter.
    Good(Arc<Filter>),
    /// No filter, and why.
    Bad(FilterError),
}

impl FilterBar {
    /// Opens the bar on `text`, for rows of `tab`.
    pub fn new(text: &str, tab: Tab) -> FilterBar {
        FilterBar {
            line: Line::new(text),
            draft: OnceLock::new(),
            refused: false,
            tab,
            steps_back: 0,
            unsent: String::new(),
        }
    }

    /// The text has changed.
    pub fn changed(&mut self) {
        self.refused = false;
        self.draft = OnceLock::new();
    }

    /// What the text means.
    pub fn draft(&self) -> &Draft {
        self.draft.get_or_init(|| {
            if self.line.text().trim().is_empty() {
                return Draft::Empty;
            }
            match Filter::parse(self.line.text(), stage(self.tab)) {
                Ok(filter) => Draft::Good(Arc::new(filter)),
                Err(error) => Draft::Bad(error),
            }
        })
    }

    /// One entry of the history further back.
    pub fn older(&mut self, history: &History) {
        if let Some(text) = history.get(self.steps_back + 1) {
            if self.steps_back == 0 {
                self.unsent = self.line.text().to_owned();
            }
            self.steps_back += 1;
            self.line = Line::new(text);
            self.changed();
        }
    }

    /// One entry of the history forward, at last to what was being typed.
    pub fn newer(&mut self, history: &History) {
        if self.steps_back == 0 {
            return;
        }
        self.steps_back -= 1;
        self.line = match history.get(self.steps_back) {
            Some(text) => Line::new(text),
            None => Line::new(&self.unsent),
        };
        self.changed();
    }

    /// The draft to count matches of.
    pub fn filter(&self) -> Option<&Arc<Filter>> {
        match self.draft() {
            Draft::Good(filter) => Some(filter),
            Draft::Empty | Draft::Bad(_) => None,
        }
    }
}

/// Most columns a view is grouped by.
pub const MOST_GROUPS: usize = 3;

/// The group prompt while it is open.
#[derive(Clone, Debug)]
pub struct GroupPrompt {
    /// What is typed.
    pub line: Line,
    /// The columns that names, or what is wrong with it and where.
    pub fields: Result<Vec<Field>, (Range<usize>, String)>,
    /// Names that the word under the caret begins, for completion.
    pub candidates: Vec<&'static str>,
    tab: Tab,
}

impl GroupPrompt {
    /// Opens the prompt on the columns grouped by, for rows of `tab`.
    pub fn new(current: &[Field], tab: Tab) -> GroupPrompt {
        let text = current.iter().map(|field| field.name()).collect::<Vec<_>>().join(", ");
        let mut prompt = GroupPrompt { line: Line::new(&text), fields: Ok(Vec::new()), candidates: Vec::new(), tab };
        prompt.judge();
        prompt
    }

    /// Reads the text again after a change.
    pub fn judge(&mut self) {
        self.fields = self.parse();
        self.candidates = self.complete();
    }

    /// Completes the word under the caret with the first candidate.
    pub fn accept_candidate(&mut self) {
        let Some(candidate) = self.candidates.first() else { return };
        for _ in 0..self.word().chars().count() {
            self.line.delete_back();
        }
        self.line.insert(candidate);
        self.judge();
    }

    fn parse(&self) -> Result<Vec<Field>, (Range<usize>, String)> {
        let mut fields = Vec::new();
        for (at, word) in words(self.line.text()) {
            let span = at..at + word.len();
            let Some(field) = Field::named(word) else {
                return Err((span, format!("No column is called {word}.")));
            };
            if !groupable(field.def(), self.tab) {
                return Err((span, format!("{} does not group {}.", field.name(), rows_of(self.tab))));
            }
            if fields.contains(&field) {
                return Err((span, format!("{} is there twice.", field.name())));
            }
            if fields.len() == MOST_GROUPS {
                return Err((span, format!("At most {MOST_GROUPS} columns.")));
            }
            fields.push(field);
        }
        Ok(fields)
    }

    fn word(&self) -> &str {
        let head = &self.line.text()[..self.line.caret()];
        head.rsplit([',', ' ']).next().unwrap_or_default()
    }

    /// Without a word begun, the columns that people group by most; else every name that it begins.
    fn complete(&self) -> Vec<&'static str> {
        let word = self.word().to_ascii_lowercase().replace(['_', '.'], "-");
        let taken = self.fields.as_deref().unwrap_or_default();
        if word.is_empty() {
            let usual: &[Field] = match self.tab {
                Tab::Sessions => &[Field::Client, Field::Server, Field::ServerPort, Field::Service, Field::State],
                Tab::Flows | Tab::Alerts => &[
                    Field::SrcAddr,
                    Field::DstAddr,
                    Field::DstPort,
                    Field::Protocol,
                    Field::Action,
                    Field::InterfaceId,
                ],
            };
            let places = [Field::Country, Field::Org].into_iter().filter(|field| places::is_told(*field));
            let offered = usual.iter().copied().chain(places).filter(|field| !taken.contains(field));
            return offered.map(Field::name).collect();
        }
        FIELDS
            .iter()
            .filter(|def| groupable(def, self.tab) && places::is_told(def.field))
            .filter(|def| {
                let begins = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-").starts_with(&word);
                begins(def.name) || def.aliases.iter().any(|alias| begins(alias))
            })
            .map(|def| def.name)
            .collect()
    }
}

/// The words of a list of columns, with their byte offsets.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split([',', ' '])
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}

/// Whether rows of `tab` have one value of this field.
fn groupable(def: &FieldDef, tab: Tab) -> bool {
    let here = match tab {
        Tab::Flows | Tab::Alerts => def.on != On::Sessions,
        Tab::Sessions => def.on != On::Flows,
    };
    here && !matches!(def.field, Field::Ip | Field::Port)
}

fn rows_of(tab: Tab) -> &'static str {
    match tab {
        Tab::Flows => "flow records",
        Tab::Sessions => "sessions",
        Tab::Alerts => "alerts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, tab: Tab) -> GroupPrompt {
        let mut prompt = GroupPrompt::new(&[], tab);
        prompt.line.insert(text);
        prompt.judge();
        prompt
    }

    #[test]
    fn names_and_aliases_group() {
        assert_eq!(
            typed("src_ip, dport  proto", Tab::Flows).fields,
            Ok(vec![Field::SrcAddr, Field::DstPort, Field::Protocol])
        );
        assert_eq!(typed("", Tab::Flows).fields, Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        let wrong = |text, tab| typed(text, tab).fields.unwrap_err();
        assert_eq!(wrong("srcaddr, nosuch", Tab::Flows).0, 9..15);
        assert!(wrong("server", Tab::Flows).1.contains("does not group flow records"));
        assert!(wrong("flags", Tab::Sessions).1.contains("does not group sessions"));
        assert!(wrong("srcaddr src", Tab::Flows).1.contains("twice"));
        assert!(wrong("src dst sport dport", Tab::Flows).1.contains("At most 3"));
        assert!(wrong("port", Tab::Flows).1.contains("does not group"));
    }

    #[test]
    fn tab_completes_the_word_under_the_caret() {
        let mut prompt = typed("srcaddr, dstp", Tab::Flows);
        prompt.accept_candidate();
        assert_eq!(prompt.line.text(), "srcaddr, dstport");
        assert_eq!(prompt.fields, Ok(vec![Field::SrcAddr, Field::DstPort]));
        assert!(!typed("srcaddr ", Tab::Flows).candidates.contains(&"srcaddr"));
    }
}
