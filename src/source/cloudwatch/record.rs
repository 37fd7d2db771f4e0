//! `--record`: every event as it was received, in a file that `flowtail open` reads.
//!
//! One JSON object a line, with the names that `FilterLogEvents` uses. The file is a row of gzip members, each written whole and only whole: after a
//! kill it is valid up to the last of them, a few seconds ago. A thread of its own writes, so a slow or full disk never holds up the tail; what
//! could not be written is counted and said.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::client::Found;
use super::fault::clean;

/// Text after which a member is written, bytes.
const MEMBER: usize = 1 << 20;

/// Time after which a member is written, however small.
const LONGEST: Duration = Duration::from_secs(5);

/// The file is on the disk at least this often.
const SYNC: Duration = Duration::from_secs(30);

/// Size at which a file is ended and the next begun, bytes.
pub(super) const ROTATE: u64 = 256 << 20;

/// Text kept while the disk takes nothing, bytes; what comes beyond it is not recorded.
const KEPT: usize = 16 << 20;

/// Pages on their way to the thread.
const QUEUE: usize = 64;

/// Names tried before giving up finding a free one.
const NAMES: u32 = 100_000;

/// How it stands.
#[derive(Clone, Debug, Default)]
struct State {
    path: PathBuf,
    written: u64,
    lost: u64,
    trouble: Option<String>,
}

/// What a member is written to.
pub(super) trait Disk: Write + Send {
    /// Brings it to the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts it to `length`, and goes on there.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Disk for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        use std::io::Seek as _;
        self.set_len(length)?;
        self.seek(io::SeekFrom::Start(length)).map(|_| ())
    }
}

/// Makes a new file at a path; fails where there is one.
pub(super) type Create = Box<dyn FnMut(&Path) -> io::Result<Box<dyn Disk>> + Send>;

/// What takes the events.
pub(super) struct Recorder {
    lines: Option<SyncSender<(Vec<u8>, u64)>>,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Begins a file at `path`, or beside it under the next free number where one is there already.
    pub(super) fn open(path: &Path) -> io::Result<Recorder> {
        let create = |path: &Path| -> io::Result<Box<dyn Disk>> {
            Ok(Box::new(OpenOptions::new().write(true).create_new(true).open(path)?))
        };
        Recorder::with(path, ROTATE, LONGEST, Box::new(create))
    }

    /// [`Recorder::open`] with what tests change.
    pub(super) fn with(path: &Path, rotate: u64, longest: Duration, create: Create) -> io::Result<Recorder> {
        let state = Arc::new(Mutex::new(State::default()));
        let mut writer = Writer {
            base: path.to_owned(),
            number: 0,
            rotate,
            longest,
            create,
            disk: None,
            length: 0,
            text: Vec::new(),
            events: 0,
            since: Instant::now(),
            synced: Instant::now(),
            dirty: false,
            state: Arc::clone(&state),
        };
        writer.begin()?;
        let (lines, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("record".to_owned()).spawn(move || writer.run(&queue))?;
        Ok(Recorder { lines: Some(lines), state, thread: Some(thread) })
    }

    /// Takes events. Never waits: a disk that is too slow for what comes loses some, which is counted.
    pub(super) fn take<'a>(&self, events: impl Iterator<Item = &'a Found>) {
        let (mut text, mut count) = (Vec::new(), 0);
        for event in events {
            let object = json!({
                "logStreamName": event.stream, "timestamp": event.timestamp, "ingestionTime": event.ingestion,
                "eventId": event.id, "message": event.message,
            });
            // Into memory, which does not fail.
            let _ = writeln!(text, "{object}");
            count += 1;
        }
        let Some(lines) = self.lines.as_ref().filter(|_| count > 0) else { return };
        if lines.try_send((text, count)).is_err() {
            let mut state = lock(&self.state);
            state.lost += count;
            state.trouble.get_or_insert_with(|| "the disk is too slow for what comes".to_owned());
        }
    }

    /// What the user should know, if anything.
    pub(super) fn note(&self) -> Option<String> {
        let state = lock(&self.state);
        let path = clean(&state.path.display().to_string());
        let lost = if state.lost > 0 { format!(" {} events are not in it.", state.lost) } else { String::new() };
        match &state.trouble {
            Some(why) => {
                Some(format!("cannot record to {path}: {why}.{lost} The tail goes on, and writing is tried again"))
            }
            None if state.lost > 0 => Some(format!("recording to {path}:{lost}")),
            None => None,
        }
    }

    /// Where it records, and how much so far.
    pub(super) fn fact(&self) -> String {
        let state = lock(&self.state);
        format!("{} events written; now to {}", state.written, clean(&state.path.display().to_string()))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // The thread writes what it has and ends.
        self.lines = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Counters: whatever a panic left of them is still the best there is.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Writer {
    base: PathBuf,
    number: u32,
    rotate: u64,
    longest: Duration,
    create: Create,
    disk: Option<Box<dyn Disk>>,
    /// Length of what is known to be whole in the file.
    length: u64,
    text: Vec<u8>,
    events: u64,
    /// When `text` began.
    since: Instant,
    synced: Instant,
    dirty: bool,
    state: Arc<Mutex<State>>,
}

impl Writer {
    fn run(mut self, queue: &Receiver<(Vec<u8>, u64)>) {
        loop {
            let wait = if self.text.is_empty() { SYNC } else { self.longest.saturating_sub(self.since.elapsed()) };
            let open = match queue.recv_timeout(wait.max(Duration::from_millis(10))) {
                Ok((text, events)) => {
                    self.add(&text, events);
                    true
                }
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => false,
            };
            let full = self.text.len() >= MEMBER || self.since.elapsed() >= self.longest;
            if !self.text.is_empty() && (full || !open) {
                self.write();
            }
            if self.dirty && (!open || self.synced.elapsed() >= SYNC) {
                self.sync();
            }
            if !open {
                return;
            }
        }
    }

    fn add(&mut self, text: &[u8], events: u64) {
        if self.text.len() + text.len() > KEPT {
            lock(&self.state).lost += events;
            return;
        }
        if self.text.is_empty() {
            self.since = Instant::now();
        }
        self.text.extend_from_slice(text);
        self.events += events;
    }

    /// Writes what there is as one member; keeps it where that fails.
    fn write(&mut self) {
        match self.member() {
            Ok(()) => {
                let mut state = lock(&self.state);
                state.written += std::mem::take(&mut self.events);
                state.trouble = None;
                self.text.clear();
                self.dirty = true;
            }
            Err(error) => {
                lock(&self.state).trouble = Some(clean(&error.to_string()));
                // Half a member would spoil all that follows it. Where even that fails, a new file is begun.
                if let Some(disk) = &mut self.disk
                    && disk.cut(self.length).is_err()
                {
                    self.disk = None;
                }
                self.since = Instant::now();
            }
        }
    }

    fn member(&mut self) -> io::Result<()> {
        if self.disk.is_none() || self.length >= self.rotate {
            self.sync();
            self.begin()?;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.text)?;
        let member = encoder.finish()?;
        let Some(disk) = &mut self.disk else { return Err(io::Error::other("no file")) };
        disk.write_all(&member)?;
        disk.flush()?;
        self.length += member.len() as u64;
        Ok(())
    }

    /// Begins the next file that is not there yet.
    fn begin(&mut self) -> io::Result<()> {
        for _ in 0..NAMES {
            let path = numbered(&self.base, self.number);
            self.number += 1;
            match (self.create)(&path) {
                Ok(disk) => {
                    self.disk = Some(disk);
                    self.length = 0;
                    lock(&self.state).path = path;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    self.number -= 1;
                    return Err(error);
                }
            }
        }
        Err(io::Error::other("no free name beside it"))
    }

    fn sync(&mut self) {
        self.synced = Instant::now();
        let Some(disk) = &mut self.disk else { return };
        match disk.sync() {
            Ok(()) => self.dirty = false,
            Err(error) => lock(&self.state).trouble = Some(clean(&error.to_string())),
        }
    }
}

/// `flows.gz`, `flows.1.gz`, `flows.2.gz`: in order of names they are in order of time.
fn numbered(base: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return base.to_owned();
    }
    match base.extension() {
        Some(extension) => base.with_extension(format!("{number}.{}", extension.to_string_lossy())),
        None => base.with_extension(number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn event(number: usize) -> Found {
        Found {
            stream: "eni-0a-all".into(),
            timestamp: 1_534_778_806_000,
            ingestion: 1_534_778_900_123,
            message: format!("line {number} \"quoted\"\nand broken"),
            id: format!("{number:056}"),
        }
    }

    fn read(path: &Path) -> String {
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn what_is_there_is_never_written_over_and_large_files_are_followed_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flows.gz");
        std::fs::write(&path, "something else").unwrap();
        let create = |path: &Path| -> io::Result<Box<dyn Disk>> {
            Ok(Box::new(OpenOptions::new().write(true).create_new(true).open(path)?))
        };
        let recorder = Recorder::with(&path, 1, Duration::from_millis(10), Box::new(create)).unwrap();
        for number in 0..3 {
            recorder.take([event(number)].iter());
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(recorder.note(), None);
        drop(recorder);
        assert_eq!(std::fs::read(&path).unwrap(), b"something else");
        let all: String = (1..=3).map(|number| read(&folder.path().join(format!("flows.{number}.gz")))).collect();
        assert_eq!(all.lines().count(), 3);
        for (number, line) in all.lines().enumerate() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["message"].as_str(), Some(event(number).message.as_str()));
        }
    }

    /// A disk that is full for a while, and takes half of what it is given then.
    struct Full(Arc<Mutex<(Vec<u8>, bool)>>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            if disk.1 {
                disk.0.extend_from_slice(&bytes[..bytes.len() / 2]);
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            disk.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Disk for Full {
        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            self.0.lock().unwrap().0.truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_said_and_what_it_did_not_take_comes_later() {
        let disk = Arc::new(Mutex::new((Vec::new(), false)));
        let shared = Arc::clone(&disk);
        let create = move |_: &Path| -> io::Result<Box<dyn Disk>> { Ok(Box::new(Full(Arc::clone(&shared)))) };
        let recorder =
            Recorder::with(Path::new("flows.gz"), ROTATE, Duration::from_millis(10), Box::new(create)).unwrap();
        let until = |done: &dyn Fn() -> bool| {
            let limit = Instant::now() + Duration::from_secs(30);
            while !done() {
                assert!(Instant::now() < limit, "{:?}", recorder.note());
                std::thread::sleep(Duration::from_millis(10));
            }
        };
        recorder.take([event(0)].iter());
        until(&|| recorder.fact().starts_with("1 "));
        disk.lock().unwrap().1 = true;
        recorder.take([event(1), event(2)].iter());
        until(&|| recorder.note().is_some_and(|note| note.contains("flows.gz") && note.contains("The tail goes on")));
        disk.lock().unwrap().1 = false;
        until(&|| recorder.note().is_none());
        drop(recorder);
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(&disk.lock().unwrap().0[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
    }
}
