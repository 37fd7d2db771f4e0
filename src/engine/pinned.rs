//! What is held at a moment, pinned so that it can be written down beside the engine: segments and chunks of sessions are shared, which the live side
//! copies before it changes them. So a long export holds up nothing, and evicts nothing from what it writes.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Map, Value as Json};

use super::core::Core;
use super::phase::Phased;
use super::scan::{in_window, is_at};
use super::view::{RowId, Status, Tab};
use crate::detect::Alert;
use crate::export::flow::FlowWriter;
use crate::export::session::{SessionWriter, object};
use crate::export::{Shape, alert};
use crate::filter::{Filter, Stage};
use crate::record::{Cell, FIELDS, Field, Flow, Format, Names, On, Row, RowRef, Table, Value, seconds};
use crate::session::key::Key;
use crate::session::{Session, SessionRow};
use crate::store::ring::with_table;
use crate::store::{Part, Ring};

/// Text that is gathered before it is written.
const CHUNK: usize = 64 * 1024;

/// A row as it was when it was looked at, which stays when the row goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Copied {
    /// Its values.
    pub fields: Vec<(Field, Cell)>,
    /// What is written when it is taken away.
    pub original: Original,
}

/// What is written of a copied row.
#[derive(Clone, Debug, PartialEq)]
pub enum Original {
    /// A record: its line, and the format of that.
    Line(Arc<Format>, String),
    /// A session, as the object of the contract.
    Session(Map<String, Json>),
    /// An alert.
    Alert(Arc<Alert>),
}

/// How far an export has come; shared with whoever waits for it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Rows looked at.
    pub looked: AtomicU64,
    /// Rows to look at.
    pub all: AtomicU64,
    /// Somebody does not want it any more.
    pub stop: AtomicBool,
}

impl Progress {
    fn add(&self, rows: u64) -> io::Result<()> {
        self.looked.fetch_add(rows, Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

/// Which rows are meant: those that a view shows.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Which table the filter is for.
    pub tab: Tab,
    /// Of flows or sessions.
    pub filter: Option<Arc<Filter>>,
    /// As in [`super::view::ViewSpec::window`].
    pub window: Option<(i64, i64)>,
    /// As in [`super::view::ViewSpec::change`].
    pub change: Option<i64>,
    /// This session alone.
    pub session: Option<u64>,
}

/// What is held at a moment.
#[derive(Debug)]
pub struct Pinned {
    /// The header.
    pub status: Status,
    /// Alerts by number.
    pub alerts: Vec<Arc<Alert>>,
    ring: Ring,
    chunks: Vec<Arc<Vec<Option<Session>>>>,
    names: Names,
    region: Option<Arc<str>>,
    /// Event time, for relative times in filters.
    now: i64,
}

impl Core {
    /// What the view in force looks at: what is held, or what was held when it was frozen.
    pub fn pin(&self) -> Pinned {
        let frozen = self.look.frozen.as_ref();
        Pinned {
            status: self.status(),
            alerts: frozen.map_or(&self.alerts, |frozen| &frozen.alerts).clone(),
            ring: frozen.map_or(&self.ring, |frozen| &frozen.ring).freeze(),
            chunks: frozen.map_or(self.sessions.chunks(), |frozen| &frozen.chunks).to_vec(),
            names: self.names.clone(),
            region: self.config_region(),
            now: self.now(),
        }
    }

    /// A copy of a row that is still held.
    pub(super) fn copy_of(&mut self, id: RowId) -> Option<Copied> {
        match id {
            RowId::Flow { seq, .. } => {
                let ring = self.look.frozen.as_ref().map_or(&self.ring, |frozen| &frozen.ring);
                let (part, row) = ring.find(seq)?;
                Some(with_table!(&part, table => {
                    let mut line = String::new();
                    table.render_line(row, &mut line);
                    let reference = RowRef { table, row };
                    let format = table.format(row);
                    let value = |field: Field| Some((field, reference.get(field)?.to_owned()));
                    Copied { fields: format.fields().filter_map(value).collect(), original: Original::Line(Arc::clone(format), line) }
                }))
            }
            RowId::Session(number) => {
                let session = self.sessions.get(number)?;
                let row = SessionRow { session, names: &self.names, region: self.config.region.as_deref() };
                let wanted = FIELDS.iter().filter(|def| def.on != On::Flows).map(|def| def.field);
                let fields = wanted.filter_map(|field| Some((field, row.get(field)?.to_owned()))).collect();
                Some(Copied { fields, original: Original::Session(object(&row)) })
            }
            RowId::Alert(number) => {
                let place = self.alerts.binary_search_by_key(&number, |alert| alert.id).ok()?;
                let alert = Arc::clone(&self.alerts[place]);
                Some(Copied { fields: alert.group.clone(), original: Original::Alert(alert) })
            }
            RowId::Group(_) => None,
        }
    }
}

/// The sessions that a selection of records goes by: when each lived.
type Lives = HashMap<Key, Vec<(i64, i64)>, foldhash::fast::RandomState>;

/// How it is told which records are meant.
struct Records {
    flows: Vec<Arc<Filter>>,
    lives: Lives,
    all: bool,
}

impl Pinned {
    /// Writes the sessions of a selection, oldest number first; gives how many.
    ///
    /// # Errors
    /// `out` does not take them, or the export was stopped ([`io::ErrorKind::Interrupted`]).
    pub fn write_sessions(
        &self,
        wanted: &Selection,
        shape: Shape,
        out: &mut dyn io::Write,
        progress: &Progress,
    ) -> io::Result<u64> {
        let (mut writer, mut text, mut count) = (SessionWriter::new(shape).beside(wanted.change), String::new(), 0);
        self.each_session(&[wanted], progress, &mut |row| {
            writer.write(row, &mut text);
            count += 1;
            pour(&mut text, CHUNK, out)
        })?;
        pour(&mut text, 0, out)?;
        Ok(count)
    }

    /// Writes the alerts; gives how many.
    ///
    /// # Errors
    /// `out` does not take them.
    pub fn write_alerts(&self, shape: Shape, out: &mut dyn io::Write) -> io::Result<u64> {
        let mut text = String::new();
        for (place, held) in self.alerts.iter().enumerate() {
            alert::write(held, shape, place > 0, &mut text);
        }
        pour(&mut text, 0, out)?;
        Ok(self.alerts.len() as u64)
    }

    /// Writes the records of a selection, the segments in the order of arrival and each by time; gives how many. Those of sessions are all that the
    /// sessions are made of, those of alerts what their filters select.
    ///
    /// # Errors
    /// As [`Pinned::write_sessions`].
    pub fn write_records(
        &self,
        wanted: &Selection,
        shape: Shape,
        out: &mut dyn io::Write,
        progress: &Progress,
    ) -> io::Result<u64> {
        progress.all.fetch_add(self.ring.len(), Ordering::Relaxed);
        let records = self.records_of(wanted, progress)?;
        let mut names = self.names.clone();
        let mut columns: Vec<Field> = Vec::new();
        for field in self.status.formats.iter().flat_map(|format| format.fields()) {
            if !columns.contains(&field) {
                columns.push(field);
            }
        }
        let (mut writer, mut text, mut count) = (FlowWriter::new(shape, false).with_columns(columns), String::new(), 0);
        let mut parts: Vec<Part<'_>> = self.ring.parts().collect();
        parts.reverse();
        for part in parts {
            let order = part.order();
            with_table!(&part, table => {
                for place in 0..part.len() {
                    if place % 4_096 == 4_095 {
                        progress.add(4_096)?;
                    }
                    let row = order.map_or(place, |order| usize::from(order[place]));
                    if self.is_wanted(&records, wanted, table, row, &mut names) {
                        writer.write(table, row, &mut text);
                        count += 1;
                        pour(&mut text, CHUNK, out)?;
                    }
                }
            });
            progress.add(part.len() as u64 % 4_096)?;
        }
        pour(&mut text, 0, out)?;
        Ok(count)
    }

    /// The sessions of a selection with the most bytes, `most` at most, and how many there are in all.
    ///
    /// # Errors
    /// The export was stopped.
    pub fn top_sessions(
        &self,
        wanted: &Selection,
        most: usize,
        progress: &Progress,
    ) -> io::Result<(Vec<Map<String, Json>>, u64)> {
        let mut top: Vec<(u64, Map<String, Json>)> = Vec::new();
        let mut count = 0;
        self.each_session(&[wanted], progress, &mut |row| {
            count += 1;
            let bytes = match row.get(Field::Bytes) {
                Some(Value::Int(bytes)) => bytes,
                _ => 0,
            };
            if top.len() < most || top.last().is_some_and(|(least, _)| *least < bytes) {
                let place = top.partition_point(|(more, _)| *more >= bytes);
                top.insert(place, (bytes, object(row)));
                top.truncate(most);
            }
            Ok(())
        })?;
        Ok((top.into_iter().map(|(_, session)| session).collect(), count))
    }

    fn is_wanted<T: Table>(
        &self,
        records: &Records,
        wanted: &Selection,
        table: &T,
        row: usize,
        names: &mut Names,
    ) -> bool {
        let reference = RowRef { table, row };
        // A range on sessions is about their life, which the sessions were asked for already.
        if wanted.tab == Tab::Flows && !is_at(wanted.window, table.time(row)) {
            return false;
        }
        if records.all || records.flows.iter().any(|filter| filter.matches(&reference, self.now)) {
            return true;
        }
        if records.lives.is_empty() {
            return false;
        }
        let Some(flow) = Flow::of(table, row, names) else { return false };
        let time = |field| table.number(field, row).map(seconds);
        let end = seconds(table.time(row));
        let start = time(Field::Start).unwrap_or(end);
        let lives = records.lives.get(&Key::of(&flow).0);
        lives.is_some_and(|lives| lives.iter().any(|(first, last)| *first <= start && end <= *last))
    }

    fn records_of(&self, wanted: &Selection, progress: &Progress) -> io::Result<Records> {
        let mut records = Records { flows: Vec::new(), lives: Lives::default(), all: false };
        let mut sessions: Vec<Selection> = Vec::new();
        match wanted.tab {
            Tab::Flows if wanted.session.is_none() => match &wanted.filter {
                Some(filter) => records.flows.push(Arc::clone(filter)),
                None => records.all = true,
            },
            Tab::Flows | Tab::Sessions => sessions.push(wanted.clone()),
            Tab::Alerts => {
                for held in &self.alerts {
                    let Ok(filter) = Filter::parse(&held.filter, held.stage).map(Arc::new) else { continue };
                    match held.stage {
                        Stage::Flows => records.flows.push(filter),
                        Stage::Sessions => {
                            let filter = Some(filter);
                            sessions.push(Selection { tab: Tab::Sessions, filter, ..Selection::default() });
                        }
                    }
                }
            }
        }
        if !sessions.is_empty() {
            let lives = &mut records.lives;
            self.each_session(&sessions.iter().collect::<Vec<_>>(), progress, &mut |row| {
                lives.entry(row.session.key()).or_default().push((row.session.first, row.session.last));
                Ok(())
            })?;
        }
        Ok(records)
    }

    /// Calls `each` with every session that one of the selections wants.
    fn each_session(
        &self,
        wanted: &[&Selection],
        progress: &Progress,
        each: &mut dyn FnMut(&SessionRow<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let all: usize = self.chunks.iter().map(|chunk| chunk.len()).sum();
        progress.all.fetch_add(all as u64, Ordering::Relaxed);
        for chunk in &self.chunks {
            for session in chunk.iter().flatten() {
                let row = SessionRow { session, names: &self.names, region: self.region.as_deref() };
                let is_wanted = |wanted: &&Selection| {
                    let phased = Phased { row, change: wanted.change };
                    wanted.session.is_none_or(|number| number == session.id)
                        && in_window(wanted.window, &phased)
                        && wanted.filter.as_ref().is_none_or(|filter| filter.matches(&phased, self.now))
                };
                if wanted.iter().any(is_wanted) {
                    each(&row)?;
                }
            }
            progress.add(chunk.len() as u64)?;
        }
        Ok(())
    }
}

/// Writes `text` to `out` and empties it, where it is longer than `limit`.
fn pour(text: &mut String, limit: usize, out: &mut dyn io::Write) -> io::Result<()> {
    if text.len() > limit {
        out.write_all(text.as_bytes())?;
        text.clear();
    }
    Ok(())
}
