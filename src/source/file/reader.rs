//! Reads one input on a thread of its own, since reads of pipes and files block, and sends what it finds to the merger.
//!
//! The thread is not one of tokio's: the runtime waits for those when it shuts down, and a read of an open pipe may never return.

use std::cell::Cell;
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::PathOrStdin;
use super::chunk::{self, Chunk};
use super::envelope::Unwrapper;
use super::gzip::{self, Kind, Members};

/// The first read is small, so that the first screen does not wait for a large one.
const FIRST_READ: usize = 64 << 10;
/// Size of the reads after it.
const READ: usize = 256 << 10;
/// How often a followed file is asked for more.
const POLL: Duration = Duration::from_millis(50);
/// How often a followed path is checked for another file or a truncation.
const CHECK: Duration = Duration::from_millis(500);
/// Chunks on their way from a reader to the merger.
const QUEUE: usize = 4;

/// How often gzip is unpacked: more than twice is no log.
const PACKED: usize = 3;
/// What to do about Parquet that cannot be read.
const NO_PARQUET: &str = if cfg!(feature = "parquet") {
    "it is Parquet, which can be read from a file only and not from a pipe. Save it to a file and open that"
} else {
    "it is Parquet, which this flowtail was built without. Install one that reads it: cargo install flowtail --features parquet"
};

/// What a reader reports.
#[derive(Debug)]
pub(super) enum Report {
    /// It is open. The size is that of a regular file; an input without one may be silent for any time.
    Opened {
        /// Bytes.
        size: Option<u64>,
    },
    /// Lines.
    Lines(Chunk),
    /// A followed file has nothing more for now.
    CaughtUp,
    /// A lasting remark for the user, or that it no longer holds.
    Note(Option<String>),
    /// Reading has ended early: what happened and what to do, without the name of the input.
    Failed(String),
}

/// How to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Go on at the end of a file.
    pub follow: bool,
    /// Guess the time of each line.
    pub timed: bool,
}

/// Starts to read `input`. The channel closes when all was read; the thread ends when the receiver is gone.
pub(super) fn spawn(input: &PathOrStdin, how: How) -> mpsc::Receiver<Report> {
    let input = input.clone();
    spawn_with(&input.to_string(), how, move |sink| match input {
        PathOrStdin::Stdin => read_stream(io::stdin().lock(), sink),
        PathOrStdin::Path(path) => read_path(&path, sink, how.follow),
    })
}

/// [`spawn`] for anything that reads.
pub(super) fn spawn_with<F>(name: &str, how: How, read: F) -> mpsc::Receiver<Report>
where
    F: FnOnce(&mut Sink) -> Result<(), Stop> + Send + 'static,
{
    let (reports, receiver) = mpsc::channel(QUEUE);
    let fallback = reports.clone();
    let name = Arc::from(name);
    let started = thread::Builder::new().name("flowtail-read".to_owned()).spawn(move || {
        let mut sink = Sink { name, reports, timed: how.timed, last: i64::MIN };
        if let Err(Stop::Failed(why)) = read(&mut sink) {
            // Nobody left to tell is fine.
            let _ = sink.send(Report::Failed(why));
        }
    });
    if let Err(error) = started {
        // The queue is empty, so there is room.
        let _ = fallback.try_send(Report::Failed(format!("cannot start a thread to read it: {error}")));
    }
    receiver
}

/// Why reading stopped before the end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The receiver is gone.
    Unwanted,
    /// It cannot go on: what happened and what to do.
    Failed(String),
}

/// Where a reader puts what it finds.
pub(super) struct Sink {
    /// What the input is called.
    name: Arc<str>,
    reports: mpsc::Sender<Report>,
    timed: bool,
    last: i64,
}

impl Sink {
    fn send(&self, report: Report) -> Result<(), Stop> {
        self.reports.blocking_send(report).map_err(|_| Stop::Unwanted)
    }

    fn lines(&mut self, mut chunk: Chunk, consumed: u64) -> Result<(), Stop> {
        if self.timed {
            chunk::mark(&mut chunk, &mut self.last);
        }
        chunk.consumed = consumed;
        self.send(Report::Lines(chunk))
    }
}

/// Reads a pipe to its end. What has arrived is passed on at once.
pub(super) fn read_stream(mut stream: impl Read, sink: &mut Sink) -> Result<(), Stop> {
    sink.send(Report::Opened { size: None })?;
    let head = peek(&mut stream).map_err(|error| failed("cannot read it", &error))?;
    let consumed = Rc::new(Cell::new(0));
    let stream = Counted { inner: Cursor::new(head.clone()).chain(stream), count: Rc::clone(&consumed) };
    read_kind(&head, stream, &consumed, false, sink)
}

fn read_path(path: &Path, sink: &mut Sink, follow: bool) -> Result<(), Stop> {
    let mut file = File::open(path).map_err(|error| failed("cannot open it", &error))?;
    let about = file.metadata().map_err(|error| failed("cannot read it", &error))?;
    if about.is_dir() {
        return Err(Stop::Failed("it is a directory. Name the files in it, as in DIR/*.gz".to_owned()));
    }
    if !about.is_file() {
        return read_stream(file, sink);
    }
    sink.send(Report::Opened { size: Some(about.len()) })?;
    let head = peek(&mut file).and_then(|head| file.rewind().map(|()| head));
    let head = head.map_err(|error| failed("cannot read it", &error))?;
    #[cfg(feature = "parquet")]
    if gzip::kind(&head) == Kind::Parquet {
        let name = Arc::clone(&sink.name);
        return super::envelope::parquet::read(name, file, &mut |chunk| sink.lines(chunk, about.len()));
    }
    if follow && gzip::kind(&head) == Kind::Plain {
        return follow_file(path, file, sink);
    }
    let consumed = Rc::new(Cell::new(0));
    let file = Counted { inner: file, count: Rc::clone(&consumed) };
    read_kind(&head, file, &consumed, true, sink)
}

/// Reads to the end what begins with `head`. `ready` says that the input never makes a reader wait, so that reads may be filled up.
fn read_kind(head: &[u8], input: impl Read, consumed: &Cell<u64>, ready: bool, sink: &mut Sink) -> Result<(), Stop> {
    match gzip::kind(head) {
        Kind::Plain => pump(input, consumed, ready, sink),
        Kind::Gzip => {
            // Firehose packs what CloudWatch Logs packed already: gzip in gzip.
            let mut text: Box<dyn Read + '_> = Box::new(Members::new(BufReader::with_capacity(READ, input)));
            for _ in 1..PACKED {
                let mut head = vec![0; gzip::MAGIC];
                let (count, error) = read_some(&mut text, &mut head, true);
                head.truncate(count);
                let packed = gzip::kind(&head) == Kind::Gzip;
                text = Box::new(Cursor::new(head).chain(Failing(error)).chain(text));
                if !packed {
                    break;
                }
                text = Box::new(Members::new(BufReader::with_capacity(READ, text)));
            }
            pump(text, consumed, ready, sink)
        }
        Kind::Parquet => Err(Stop::Failed(NO_PARQUET.to_owned())),
        Kind::Foreign(what, command) => {
            Err(Stop::Failed(format!("it is {what}, which flowtail does not read. Turn it into text: {command}")))
        }
    }
}

fn pump(mut input: impl Read, consumed: &Cell<u64>, ready: bool, sink: &mut Sink) -> Result<(), Stop> {
    let mut buffer = vec![0; READ];
    let mut size = FIRST_READ;
    let mut unwrapper = Unwrapper::new(Arc::clone(&sink.name));
    loop {
        let (count, error) = read_some(&mut input, &mut buffer[..size], ready);
        size = READ;
        unwrapper.push(&buffer[..count], &mut |chunk| sink.lines(chunk, consumed.get()))?;
        if let Some(error) = error {
            // Half a line could be taken for a whole one with a shorter last number, so it is left out and said to be.
            let half = if unwrapper.has_partial() { "; the incomplete last line was left out" } else { "" };
            return Err(Stop::Failed(match error.kind() {
                io::ErrorKind::UnexpectedEof => format!(
                    "the gzip data ends too early. What came before was read{half}. Fetch the file again, or wait until it is complete"
                ),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                    format!("the gzip data is damaged ({error}). What came before was read{half}. Fetch the file again")
                }
                _ => format!("{}. What came before was read{half}", reason(&error)),
            }));
        }
        if count == 0 {
            return unwrapper.finish(&mut |chunk| sink.lines(chunk, consumed.get()));
        }
    }
}

/// Reads once, or where the input is `ready` until `into` is full. An error comes together with what was read before it.
fn read_some(input: &mut impl Read, into: &mut [u8], ready: bool) -> (usize, Option<io::Error>) {
    let mut count = 0;
    while count < into.len() {
        match input.read(&mut into[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return (count, Some(error)),
        }
        if !ready {
            break;
        }
    }
    (count, None)
}

/// The first bytes, enough to tell what it is.
fn peek(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = vec![0; gzip::MAGIC];
    let (count, error) = read_some(input, &mut head, true);
    head.truncate(count);
    match error {
        Some(error) => Err(error),
        None => Ok(head),
    }
}

/// Reads a plain file and goes on at its end, through truncation and rotation, until the receiver is gone.
fn follow_file(path: &Path, mut file: File, sink: &mut Sink) -> Result<(), Stop> {
    let mut buffer = vec![0; READ];
    let mut size = FIRST_READ;
    let mut unwrapper = Unwrapper::new(Arc::clone(&sink.name));
    let mut consumed = 0;
    let mut caught_up = false;
    let mut missing = false;
    let mut checked = Instant::now();
    let mut next = None;
    loop {
        let (count, error) = read_some(&mut file, &mut buffer[..size], false);
        size = READ;
        if let Some(error) = error {
            return Err(Stop::Failed(format!("{}. What came before was read", reason(&error))));
        }
        if count > 0 {
            consumed += count as u64;
            caught_up = false;
            unwrapper.push(&buffer[..count], &mut |chunk| sink.lines(chunk, consumed))?;
            continue;
        }
        if let Some(newer) = next.take() {
            // The old file was read once more after the new one was seen, so what was written in between is not lost.
            unwrapper.finish(&mut |chunk| sink.lines(chunk, consumed))?;
            file = newer;
            consumed = 0;
            continue;
        }
        if !caught_up {
            caught_up = true;
            sink.send(Report::CaughtUp)?;
        }
        if sink.reports.is_closed() {
            return Err(Stop::Unwanted);
        }
        thread::sleep(POLL);
        if checked.elapsed() < CHECK {
            continue;
        }
        checked = Instant::now();
        match look(path, &file, consumed) {
            Found::Same => {}
            Found::Truncated => {
                unwrapper.finish(&mut |chunk| sink.lines(chunk, consumed))?;
                consumed = 0;
                file.rewind().map_err(|error| failed("cannot read it again from its beginning", &error))?;
            }
            Found::Another(newer) => next = Some(newer),
            Found::Nothing if !missing => {
                missing = true;
                sink.send(Report::Note(Some("it is gone from its place; waiting for it to come back".to_owned())))?;
                continue;
            }
            Found::Nothing => continue,
        }
        if missing {
            missing = false;
            sink.send(Report::Note(None))?;
        }
    }
}

/// What is at a followed path.
enum Found {
    Same,
    Truncated,
    Another(File),
    Nothing,
}

fn look(path: &Path, file: &File, consumed: u64) -> Found {
    let identity = |about: &Metadata| (about.dev(), about.ino());
    // Asked before it is opened: opening a pipe that took the place of the file could block for ever.
    let (Ok(held), Ok(about)) = (file.metadata(), fs::metadata(path)) else { return Found::Nothing };
    if !about.is_file() {
        Found::Nothing
    } else if identity(&about) != identity(&held) {
        File::open(path).map_or(Found::Nothing, Found::Another)
    } else if about.len() < consumed {
        Found::Truncated
    } else {
        Found::Same
    }
}

/// Counts the bytes that pass.
struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// Gives an error once, if there is one, and then nothing.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn failed(what: &str, error: &io::Error) -> Stop {
    Stop::Failed(format!("{what}: {}", reason(error)))
}

/// An error of the system in words, with what to do about it.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file. Check the path".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "permission denied. Check who may read it (ls -l), or read it with sudo and a pipe: sudo cat FILE | flowtail open -".to_owned()
        }
        _ => error.to_string(),
    }
}
