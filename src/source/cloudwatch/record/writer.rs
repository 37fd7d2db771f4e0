//! What stands between the recorder's queue and the disk: members, files, syncs. Time is an argument; nothing here waits.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::fault::clean;
use super::{State, lock};

/// Text after which a member is written, bytes.
const MEMBER: usize = 1 << 20;

/// Time after which a member is written, however small, and after which a failed one is tried again.
const LONGEST: Duration = Duration::from_secs(5);

/// The file is on the disk at least this often.
const SYNC: Duration = Duration::from_secs(30);

/// Size at which a file is ended and the next begun, bytes.
pub(super) const ROTATE: u64 = 256 << 20;

/// Text kept while the disk takes nothing, bytes; what comes beyond it is not recorded.
const KEPT: usize = 16 << 20;

/// Names tried before giving up finding a free one.
const NAMES: u32 = 100_000;

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

/// Writes events to files.
pub(super) struct Writer {
    base: PathBuf,
    number: u32,
    rotate: u64,
    create: Create,
    disk: Option<Box<dyn Disk>>,
    /// Length of what is known to be whole in the file.
    length: u64,
    text: Vec<u8>,
    events: u64,
    /// When `text` began, or was last tried to be written.
    since: Instant,
    synced: Instant,
    dirty: bool,
    state: Arc<Mutex<State>>,
}

impl Writer {
    /// Begins the first file.
    pub(super) fn new(
        base: &Path,
        rotate: u64,
        create: Create,
        state: Arc<Mutex<State>>,
        now: Instant,
    ) -> io::Result<Writer> {
        let mut writer = Writer {
            base: base.to_owned(),
            number: 0,
            rotate,
            create,
            disk: None,
            length: 0,
            text: Vec::new(),
            events: 0,
            since: now,
            synced: now,
            dirty: false,
            state,
        };
        writer.begin()?;
        Ok(writer)
    }

    /// How long it may be left alone.
    pub(super) fn patience(&self, now: Instant) -> Duration {
        let member = (!self.text.is_empty()).then(|| self.since + LONGEST);
        let sync = self.dirty.then(|| self.synced + SYNC);
        let next = member.into_iter().chain(sync).min();
        next.map_or(SYNC, |at| at.saturating_duration_since(now))
    }

    /// Takes events, as lines.
    pub(super) fn add(&mut self, text: &[u8], events: u64, now: Instant) {
        if self.text.len() + text.len() > KEPT {
            lock(&self.state).lost += events;
            return;
        }
        if self.text.is_empty() {
            self.since = now;
        }
        self.text.extend_from_slice(text);
        self.events += events;
    }

    /// Writes and syncs what is due; at the `end` everything.
    pub(super) fn tend(&mut self, now: Instant, end: bool) {
        let waited = now.saturating_duration_since(self.since);
        // A disk that takes nothing is not asked with every page.
        let full = self.text.len() >= MEMBER && lock(&self.state).trouble.is_none();
        if !self.text.is_empty() && (end || full || waited >= LONGEST) {
            self.write(now);
        }
        if self.dirty && (end || now.saturating_duration_since(self.synced) >= SYNC) {
            self.sync(now);
        }
    }

    /// Writes what there is as one member; keeps it where that fails.
    fn write(&mut self, now: Instant) {
        match self.member(now) {
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
                self.since = now;
            }
        }
    }

    fn member(&mut self, now: Instant) -> io::Result<()> {
        if self.disk.is_none() || self.length >= self.rotate {
            if self.dirty {
                self.sync(now);
            }
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

    fn sync(&mut self, now: Instant) {
        self.synced = now;
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
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use super::*;

    /// Files in memory; a full disk takes half of what it is given and fails.
    #[derive(Default)]
    struct Disks {
        files: BTreeMap<PathBuf, Vec<u8>>,
        full: bool,
        syncs: usize,
    }

    struct One(PathBuf, Arc<Mutex<Disks>>);

    impl Write for One {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disks = self.1.lock().unwrap();
            let full = disks.full;
            let file = disks.files.entry(self.0.clone()).or_default();
            if full {
                file.extend_from_slice(&bytes[..bytes.len() / 2]);
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            file.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Disk for One {
        fn sync(&mut self) -> io::Result<()> {
            self.1.lock().unwrap().syncs += 1;
            Ok(())
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            let mut disks = self.1.lock().unwrap();
            disks.files.get_mut(&self.0).unwrap().truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    struct Trial {
        writer: Writer,
        disks: Arc<Mutex<Disks>>,
        state: Arc<Mutex<State>>,
        begun: Instant,
    }

    impl Trial {
        fn new(rotate: u64) -> Trial {
            let (disks, state) = (Arc::new(Mutex::new(Disks::default())), Arc::new(Mutex::new(State::default())));
            let (shared, begun) = (Arc::clone(&disks), Instant::now());
            let create = move |path: &Path| -> io::Result<Box<dyn Disk>> {
                if shared.lock().unwrap().files.contains_key(path) {
                    return Err(io::Error::from(io::ErrorKind::AlreadyExists));
                }
                shared.lock().unwrap().files.insert(path.to_owned(), Vec::new());
                Ok(Box::new(One(path.to_owned(), Arc::clone(&shared))))
            };
            disks.lock().unwrap().files.insert("flows.2.gz".into(), b"of somebody else".to_vec());
            let base = Path::new("flows.gz");
            let writer = Writer::new(base, rotate, Box::new(create), Arc::clone(&state), begun).unwrap();
            Trial { writer, disks, state, begun }
        }

        /// An event at this second.
        fn event(&mut self, second: u64, text: &str) {
            let now = self.begun + Duration::from_secs(second);
            self.writer.add(format!("{text}\n").as_bytes(), 1, now);
            self.writer.tend(now, false);
        }

        fn tend(&mut self, second: u64) {
            self.writer.tend(self.begun + Duration::from_secs(second), false);
        }

        fn text(&self, name: &str) -> String {
            let mut text = String::new();
            let disks = self.disks.lock().unwrap();
            flate2::read::MultiGzDecoder::new(&disks.files[Path::new(name)][..]).read_to_string(&mut text).unwrap();
            text
        }

        fn state(&self) -> State {
            self.state.lock().unwrap().clone()
        }
    }

    #[test]
    fn large_files_are_followed_by_the_next_and_what_is_there_is_never_written_over() {
        let mut trial = Trial::new(1);
        for second in 0..3 {
            trial.event(second * 10, &format!("line {second}"));
            trial.tend(second * 10 + 5);
        }
        assert_eq!(
            [trial.text("flows.gz"), trial.text("flows.1.gz"), trial.text("flows.3.gz")].join(""),
            "line 0\nline 1\nline 2\n"
        );
        assert_eq!(trial.disks.lock().unwrap().files[Path::new("flows.2.gz")], b"of somebody else");
        // The end of a file is brought to the disk before the next begins.
        assert_eq!(trial.disks.lock().unwrap().syncs, 2);
    }

    #[test]
    fn what_comes_is_on_the_disk_within_a_minute() {
        let mut trial = Trial::new(ROTATE);
        let (mut second, mut came) = (0, Vec::new());
        // An event every seven seconds for ten minutes; it is tended to exactly when it asks for it.
        while second < 600 {
            if second % 7 == 0 {
                trial.event(second, &second.to_string());
                came.push(second);
            }
            let now = trial.begun + Duration::from_secs(second);
            if trial.writer.patience(now).is_zero() {
                let before = trial.disks.lock().unwrap().syncs;
                trial.tend(second);
                if trial.disks.lock().unwrap().syncs > before {
                    let text = trial.text("flows.gz");
                    let late = came.iter().filter(|at| second - **at >= LONGEST.as_secs());
                    assert!(late.clone().all(|at| text.lines().any(|line| line == at.to_string())), "{second}: {text}");
                    came.retain(|at| second - at < LONGEST.as_secs());
                }
            }
            assert!(came.iter().all(|at| second - at < 60), "{second}: {came:?} are not on the disk");
            second += 1;
        }
        assert!((15..=25).contains(&trial.disks.lock().unwrap().syncs));
    }

    #[test]
    fn a_full_disk_is_said_and_what_it_did_not_take_comes_later() {
        let mut trial = Trial::new(ROTATE);
        trial.event(0, "before");
        trial.tend(5);
        trial.disks.lock().unwrap().full = true;
        trial.event(10, "meanwhile");
        trial.tend(15);
        let state = trial.state();
        assert!(state.trouble.is_some() && state.written == 1 && state.lost == 0, "{state:?}");
        // It is asked again every few seconds, not with every event.
        trial.event(16, "and");
        assert_eq!(trial.writer.patience(trial.begun + Duration::from_secs(16)), Duration::from_secs(4));
        assert_eq!(trial.text("flows.gz"), "before\n", "half a member would spoil what follows");
        trial.disks.lock().unwrap().full = false;
        trial.tend(20);
        assert_eq!(trial.text("flows.gz"), "before\nmeanwhile\nand\n");
        assert!(trial.state().trouble.is_none() && trial.state().written == 3);
    }

    #[test]
    fn what_a_full_disk_makes_wait_is_bounded_and_the_rest_is_counted() {
        let mut trial = Trial::new(ROTATE);
        trial.disks.lock().unwrap().full = true;
        let megabyte = "x".repeat(1 << 20);
        for second in 0..20 {
            trial.event(second, &megabyte);
        }
        assert!(trial.writer.text.len() <= KEPT);
        assert_eq!(trial.state().lost, 5);
        trial.disks.lock().unwrap().full = false;
        trial.writer.tend(trial.begun + Duration::from_secs(21), true);
        assert_eq!((trial.text("flows.gz").lines().count(), trial.state().written), (15, 15));
    }
}
