//! What is taken away: the menu of exports, the prompts for a path and for a note, and what is told of an export while it is written.

use std::sync::Arc;

use super::marks::Mark;
use super::menu::{Does, Item, Kind, Menu};
use super::{App, Effect, Line, Mode, Tone};
use crate::engine::pinned::{Original, Selection};
use crate::engine::view::{RowId, Tab};
use crate::enrich::Known;
use crate::export::Shape;

/// What is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Everything that another person needs to check what was found: Markdown, and beside it the records.
    Case,
    /// The rows that the view shows.
    Shown(Shape),
    /// The records behind sessions or alerts that the view shows.
    Records(Shape),
    /// The records of one session.
    Session(u64, Shape),
    /// Marked records.
    MarkedRecords(Shape),
    /// Marked sessions.
    MarkedSessions(Shape),
}

impl What {
    fn shape(&self) -> Option<Shape> {
        match self {
            What::Case => None,
            What::Shown(shape)
            | What::Records(shape)
            | What::Session(_, shape)
            | What::MarkedRecords(shape)
            | What::MarkedSessions(shape) => Some(*shape),
        }
    }

    /// What files are called by.
    fn ending(&self) -> &'static str {
        match self.shape() {
            None => "md",
            Some(Shape::Csv) => "csv",
            Some(Shape::Ndjson) => "ndjson",
            Some(Shape::Log | Shape::Table) => "log",
        }
    }
}

/// An export that was asked for: all that is needed beside what the engine holds.
#[derive(Clone, Debug)]
pub struct Order {
    /// What to export.
    pub what: What,
    /// Which rows the view shows.
    pub selection: Selection,
    /// The filter in force, in its canonical spelling.
    pub filter: Option<String>,
    /// Marks and notes.
    pub marks: Vec<Mark>,
    /// The steps that led to the view.
    pub way: Vec<String>,
    /// The change that was marked: Unix seconds, and the note.
    pub change: Option<(i64, String)>,
    /// What is known beside the log.
    pub known: Arc<Known>,
    /// When it was asked for, Unix milliseconds.
    pub now: i64,
}

/// A question with one line for an answer.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What is typed.
    pub line: Line,
    /// What is asked.
    pub asked: Asked,
    /// Why the last answer would not do.
    pub refused: Option<String>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Asked {
    /// A note on a row.
    Note(RowId),
    /// Where to write an export.
    Path(Arc<Order>),
    /// Which range to search.
    Range,
}

impl Ask {
    pub(super) fn new(text: &str, asked: Asked) -> Ask {
        Ask { line: Line::new(text), asked, refused: None }
    }
}

/// What is heard of an export.
#[derive(Clone, Debug)]
pub enum Heard {
    /// How far it has come: rows looked at, and of how many.
    Running(u64, u64),
    /// It is done: what to tell.
    Done(String),
    /// It was not done, and nothing was left behind: why.
    Failed(String),
    /// There is such a file already, which is not touched.
    Exists(Arc<Order>, String),
}

/// An export that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saving {
    /// Where to.
    pub path: String,
    /// Rows looked at, and of how many.
    pub looked: (u64, u64),
}

impl App {
    /// The export that is being written.
    pub fn saving(&self) -> Option<&Saving> {
        self.saving.as_ref()
    }

    /// Offers what can be exported; while something is written, to stop it.
    pub(super) fn open_exports(&mut self) {
        if let Some(saving) = &self.saving {
            let items = vec![Item::new("stop, and leave no file behind", "", Does::StopExport)];
            let menu = Menu::new(Kind::Export, format!("Writing {}", saving.path), items);
            return self.open_menu(menu);
        }
        let rows = match self.view.tab {
            Tab::Flows => "records shown",
            Tab::Sessions => "sessions shown",
            Tab::Alerts => "alerts",
        };
        let mut items = vec![Item::new(
            "case file",
            "Markdown: filters, time, sessions, alerts, notes, gaps; with its records and their SHA-256",
            Does::Export(What::Case),
        )];
        let mut add = |what: &str, made: &dyn Fn(Shape) -> What, shapes: &[(Shape, &str)]| {
            for (shape, name) in shapes {
                items.push(Item::new(format!("{what} as {name}"), "", Does::Export(made(*shape))));
            }
        };
        let (csv, json, lines) = ((Shape::Csv, "CSV"), (Shape::Ndjson, "NDJSON"), (Shape::Log, "original log lines"));
        if self.view.tab == Tab::Flows {
            add(rows, &What::Shown, &[csv, json, lines]);
        } else {
            add(rows, &What::Shown, &[csv, json]);
            add(&format!("records of the {rows}"), &What::Records, &[lines, csv, json]);
        }
        if let Some(session) = self.session_meant() {
            add("records of this session", &|shape| What::Session(session, shape), &[lines, csv, json]);
        }
        let of = |wanted: fn(&Original) -> bool| {
            self.marks.iter().filter(|mark| mark.copy.as_ref().is_some_and(|copy| wanted(&copy.original))).count()
        };
        let records = of(|original| matches!(original, Original::Line(..)));
        let sessions = of(|original| matches!(original, Original::Session(_)));
        if records > 0 {
            add(&format!("{records} marked records"), &What::MarkedRecords, &[csv, json, lines]);
        }
        if sessions > 0 {
            add(&format!("{sessions} marked sessions"), &What::MarkedSessions, &[csv, json]);
        }
        let menu = Menu::new(Kind::Export, "Export: type to search", items);
        self.open_menu(menu);
    }

    /// The session under the cursor, or of the record under it.
    fn session_meant(&self) -> Option<u64> {
        use crate::engine::view::Detail;
        match (self.row_meant()?, &self.page.detail) {
            (RowId::Session(number), _) => Some(number),
            (row, Some(Detail::Flow { id, session: Some(session), .. })) if *id == row => Some(session.id),
            (RowId::Alert(number), _) => {
                self.page.alerts.iter().find(|alert| alert.id == number).and_then(|alert| alert.session)
            }
            _ => None,
        }
    }

    /// Asks where an export goes.
    pub(super) fn ask_path(&mut self, what: What) {
        let session = match &what {
            What::Session(number, _) => Some(*number),
            _ => None,
        };
        let tab = self.view.tab;
        let filter = self.view.filter_in_force().cloned();
        let named = self.named_by(&what);
        let order = Order {
            what,
            filter: filter.as_ref().map(ToString::to_string),
            selection: Selection {
                tab: if session.is_some() { Tab::Sessions } else { tab },
                // One session is all of it, whatever the view shows of it.
                filter: filter.filter(|_| session.is_none()),
                window: self.view.window.filter(|_| session.is_none()),
                change: self.change.as_ref().map(|change| change.at),
                session,
            },
            marks: self.marks.clone(),
            way: self.way().map(str::to_owned).collect(),
            change: self.change.as_ref().map(|change| (change.at, change.note.clone())),
            known: Arc::clone(&self.known),
            now: self.now,
        };
        self.mode = Mode::Ask(Ask::new(&named, Asked::Path(Arc::new(order))));
    }

    /// A name for a file: what it is of, when the last record ended, how it is written.
    fn named_by(&self, what: &What) -> String {
        let status = &self.page.status;
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let source: String = status.source.chars().map(plain).collect();
        let source: Vec<&str> = source.split('-').filter(|word| !word.is_empty()).collect();
        let source: String = source.join("-").chars().take(40).collect();
        let end = status.event_time.unwrap_or_else(|| self.source_now().div_euclid(1000));
        let at = jiff::Timestamp::from_second(end)
            .map_or_else(|_| end.to_string(), |time| time.strftime("%Y%m%dT%H%M%SZ").to_string());
        let kind = match what {
            What::Case => "case",
            What::Session(..) => "session",
            What::MarkedRecords(_) | What::MarkedSessions(_) => "marked",
            What::Records(_) => "records",
            What::Shown(_) => match self.view.tab {
                Tab::Flows => "flows",
                Tab::Sessions => "sessions",
                Tab::Alerts => "alerts",
            },
        };
        format!("{kind}-{source}-{at}.{}", what.ending())
    }

    /// An answer was given.
    pub(super) fn accept_ask(&mut self, mut ask: Ask) -> Vec<Effect> {
        let text = ask.line.text().trim().to_owned();
        match &ask.asked {
            Asked::Range => self.accept_range(ask),
            Asked::Note(id) => {
                self.accept_note(*id, &text);
                Vec::new()
            }
            Asked::Path(_) if text.is_empty() => {
                ask.refused = Some(self.keys.spell("Write where to, or leave with {prompt:cancel}."));
                self.mode = Mode::Ask(ask);
                Vec::new()
            }
            Asked::Path(order) => {
                let order = Arc::clone(order);
                self.saving = Some(Saving { path: text.clone(), looked: (0, 0) });
                vec![Effect::Export(order, text)]
            }
        }
    }

    /// Something is heard of the export.
    pub fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Running(looked, all) => {
                if let Some(saving) = &mut self.saving {
                    saving.looked = (looked, all);
                }
                return;
            }
            Heard::Done(text) => self.say(Tone::Quiet, text),
            Heard::Failed(text) => self.say(Tone::Refused, text),
            Heard::Exists(order, path) => {
                let said = format!("{path} is there already and stays as it is: another name?");
                if matches!(self.mode, Mode::Main) {
                    let mut ask = Ask::new(&path, Asked::Path(order));
                    ask.refused = Some(said);
                    self.mode = Mode::Ask(ask);
                } else {
                    self.say(Tone::Refused, said);
                }
            }
        }
        self.saving = None;
        // A menu that offers to stop what has ended.
        if matches!(&self.mode, Mode::Menu(menu) if menu.kind == Kind::Export) {
            self.mode = Mode::Main;
        }
    }
}
