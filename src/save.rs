//! Writes exports into files: on a thread of its own over what the engine has pinned, never over a file that is there, and without leaving half of one.

mod case;

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest as _, Sha256};

use crate::app::change::Change;
use crate::app::marks::Mark;
use crate::app::takeaway::{Heard, Order, What};
use crate::engine::pinned::{Original, Pinned, Progress, Selection};
use crate::engine::view::Tab;
use crate::enrich::Known;
use crate::export::flow::FlowWriter;
use crate::export::{Shape, clean, csv_object};
use crate::record::{Batch, Decoder, Field, Format, Table as _};

/// Why an export was not written. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// A file of that name is there already.
    #[error("{0} is there already and stays as it is: take another name")]
    Exists(String),
    /// Somebody did not want it any more.
    #[error("stopped; nothing was written")]
    Stopped,
    /// The file cannot be made or written.
    #[error("{path} cannot be written: {error}. Is there room, and may you write there?")]
    Write {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
}

/// A file that was written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) path: PathBuf,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// In hexadecimal.
    pub(crate) sha256: String,
}

/// A file that is being written: counted, digested, and taken away again unless it is finished.
struct Sink {
    path: PathBuf,
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
    finished: bool,
}

impl Sink {
    fn create(path: &Path) -> Result<Sink, SaveError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // Who talked to whom is nobody else's business until the user says so.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => SaveError::Exists(path.display().to_string()),
            _ => wrong(path, error),
        })?;
        let path = path.to_owned();
        Ok(Sink { path, file: BufWriter::new(file), digest: Sha256::new(), bytes: 0, finished: false })
    }

    fn finish(mut self, rows: u64) -> Result<Written, SaveError> {
        self.file.flush().map_err(|error| wrong(&self.path, error))?;
        self.finished = true;
        let mut sha256 = String::new();
        for byte in std::mem::take(&mut self.digest).finalize() {
            // Writing to a String cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        Ok(Written { path: self.path.clone(), rows, bytes: self.bytes, sha256 })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(bytes)?;
        self.digest.update(&bytes[..taken]);
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.finished {
            // It is ours: nobody else could make a file of that name meanwhile.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn wrong(path: &Path, error: io::Error) -> SaveError {
    match error.kind() {
        io::ErrorKind::Interrupted => SaveError::Stopped,
        _ => SaveError::Write { path: path.display().to_string(), error },
    }
}

/// Writes what `order` asks for to `path`, and says in a sentence what was written.
///
/// # Errors
/// A file of that name is there, it cannot be written, or the export was stopped.
pub fn write(pinned: &Pinned, order: &Order, path: &Path, progress: &Progress) -> Result<String, SaveError> {
    let one = |written: &Written| {
        format!("Wrote {} rows ({} bytes) to {}", written.rows, written.bytes, written.path.display())
    };
    let selection = &order.selection;
    let records = |shape| rows(path, |out| pinned.write_records(selection, shape, out, progress));
    match &order.what {
        What::Case => {
            let (case, attached) = case(pinned, order, path, progress)?;
            let ending = attached.path.extension().unwrap_or_default().display();
            Ok(format!("Wrote {}, its {} records beside it (.{ending})", case.path.display(), attached.rows))
        }
        What::Shown(shape) => Ok(one(&match selection.tab {
            Tab::Flows => records(*shape)?,
            Tab::Sessions => rows(path, |out| pinned.write_sessions(selection, *shape, out, progress))?,
            Tab::Alerts => rows(path, |out| pinned.write_alerts(*shape, out))?,
        })),
        What::Records(shape) | What::Session(_, shape) => Ok(one(&records(*shape)?)),
        What::MarkedRecords(shape) => Ok(one(&rows(path, |out| marked_records(&order.marks, *shape, out))?)),
        What::MarkedSessions(shape) => Ok(one(&rows(path, |out| marked_sessions(&order.marks, *shape, out))?)),
    }
}

fn rows(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<u64>) -> Result<Written, SaveError> {
    let mut sink = Sink::create(path)?;
    let count = fill(&mut sink).map_err(|error| wrong(path, error))?;
    sink.finish(count)
}

/// A case: the page to read, and beside it the original lines of its records.
fn case(pinned: &Pinned, order: &Order, path: &Path, progress: &Progress) -> Result<(Written, Written), SaveError> {
    // The page first, so that a name which is taken is known before the long work.
    let mut page = Sink::create(path)?;
    let beside = path.with_extension("log");
    let beside = if beside == path { path.with_extension("rows.log") } else { beside };
    let attached = rows(&beside, |out| pinned.write_records(&order.selection, Shape::Log, out, progress))?;
    let text = case::page(pinned, order, &attached, progress).and_then(|text| page.write_all(text.as_bytes()));
    let finished = text.map_err(|error| wrong(path, error)).and_then(|()| page.finish(attached.rows));
    if finished.is_err() {
        // A case without its page is none.
        let _ = std::fs::remove_file(&attached.path);
    }
    Ok((finished?, attached))
}

/// Marked records, read again from the lines that were copied, so that every shape is what it is elsewhere.
fn marked_records(marks: &[Mark], shape: Shape, out: &mut dyn Write) -> io::Result<u64> {
    let lines = marks.iter().filter_map(|mark| match &mark.copy.as_ref()?.original {
        Original::Line(format, line) => Some((format, line)),
        _ => None,
    });
    let lines: Vec<(&Arc<Format>, &String)> = lines.collect();
    let mut columns: Vec<Field> = Vec::new();
    for field in lines.iter().flat_map(|(format, _)| format.fields()) {
        if !columns.contains(&field) {
            columns.push(field);
        }
    }
    let mut writer = FlowWriter::new(shape, false).with_columns(columns);
    let (mut text, mut count) = (String::new(), 0);
    for (format, line) in lines {
        let batch = Batch { bytes: line.clone().into_bytes(), ..Batch::default() };
        let decoded = Decoder::new(Some((**format).clone())).decode(&batch);
        for row in 0..decoded.columns.len() {
            writer.write(&decoded.columns, row, &mut text);
            count += 1;
        }
    }
    out.write_all(text.as_bytes())?;
    Ok(count)
}

fn marked_sessions(marks: &[Mark], shape: Shape, out: &mut dyn Write) -> io::Result<u64> {
    let (mut text, mut count) = (String::new(), 0);
    for mark in marks {
        let Some(Original::Session(object)) = mark.copy.as_ref().map(|copy| &copy.original) else { continue };
        if shape == Shape::Csv {
            csv_object(&mut text, object, count > 0);
        } else {
            text.push_str(&clean::json(serde_json::Value::Object(object.clone()).to_string()));
        }
        text.push('\n');
        count += 1;
    }
    out.write_all(text.as_bytes())?;
    Ok(count)
}

/// An export that is written on a thread of its own.
pub struct Job {
    /// How far it has come.
    pub progress: Arc<Progress>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Job {
    /// Begins it on what `pinned` will bring; `tell` is called once with what became of it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn begin(
        pinned: std::sync::mpsc::Receiver<Pinned>,
        order: Arc<Order>,
        path: String,
        tell: impl FnOnce(Heard) + Send + 'static,
    ) -> io::Result<Job> {
        let progress = Arc::new(Progress::default());
        let shared = Arc::clone(&progress);
        let thread = std::thread::Builder::new().name("flowtail-export".into()).spawn(move || {
            // The engine is gone, and with it the screen.
            let Ok(pinned) = pinned.recv() else { return };
            tell(match write(&pinned, &order, Path::new(&path), &shared) {
                Ok(said) => Heard::Done(said),
                Err(SaveError::Exists(taken)) => {
                    // Of a case it may be the file beside the page that is taken.
                    if taken == path {
                        Heard::Exists(order, path)
                    } else {
                        Heard::Failed(SaveError::Exists(taken).to_string())
                    }
                }
                Err(error) => Heard::Failed(format!("Not exported: {error}")),
            });
        })?;
        Ok(Job { progress, thread: Some(thread) })
    }

    /// How far it has come, for the screen.
    pub fn heard(&self) -> Heard {
        Heard::Running(self.progress.looked.load(Ordering::Relaxed), self.progress.all.load(Ordering::Relaxed))
    }

    /// Asks it to stop.
    pub fn stop(&self) {
        self.progress.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Job {
    /// Leaves no half of a file behind.
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // It ends by itself; that it panicked is told by its silence.
            let _ = thread.join();
        }
    }
}

/// A case of everything that is held under a filter, for `--case`.
pub fn everything(
    filter: Option<crate::filter::Filter>,
    tab: Tab,
    change: Option<&Change>,
    known: Arc<Known>,
    now: i64,
) -> Order {
    Order {
        what: What::Case,
        filter: filter.as_ref().map(ToString::to_string),
        selection: Selection {
            tab,
            filter: filter.map(Arc::new),
            change: change.map(|change| change.at),
            ..Selection::default()
        },
        marks: Vec::new(),
        way: Vec::new(),
        change: change.map(|change| (change.at, change.note.clone())),
        known,
        now,
    }
}

#[cfg(test)]
mod tests;
