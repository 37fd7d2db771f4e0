//! `--record`: every event as it was received, in a file that `flowtail open` reads.
//!
//! One JSON object a line, with the names that `FilterLogEvents` uses. The file is a row of gzip members, each written whole and only whole: after a
//! kill it is valid up to the last of them, a few seconds ago. A thread of its own writes, so a slow or full disk never holds up the tail; what
//! could not be written is counted and said.

mod writer;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::Found;
use super::fault::clean;
use writer::{Create, Disk, ROTATE, Writer};

/// Pages on their way to the thread.
const QUEUE: usize = 64;

/// How it stands.
#[derive(Clone, Debug, Default)]
struct State {
    path: PathBuf,
    written: u64,
    lost: u64,
    trouble: Option<String>,
}

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
        let create: Create = Box::new(create);
        let state = Arc::new(Mutex::new(State::default()));
        let writer = Writer::new(path, ROTATE, create, Arc::clone(&state), Instant::now())?;
        let (lines, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("record".to_owned()).spawn(move || run(writer, &queue))?;
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

/// Writes what comes until nobody sends any more.
fn run(mut writer: Writer, queue: &Receiver<(Vec<u8>, u64)>) {
    loop {
        let wait = writer.patience(Instant::now()).max(Duration::from_millis(10));
        let next = queue.recv_timeout(wait);
        let now = Instant::now();
        let end = match next {
            Ok((text, events)) => {
                writer.add(&text, events, now);
                false
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        };
        writer.tend(now, end);
        if end {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_in_the_file_when_the_recorder_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flows.gz");
        std::fs::write(&path, "something else").unwrap();
        let recorder = Recorder::open(&path).unwrap();
        let event = |number: usize| Found {
            stream: "eni-0a-all".into(),
            timestamp: 1_534_778_806_000,
            ingestion: 1_534_778_900_123,
            message: format!("line {number} \"quoted\"\nand broken"),
            id: format!("{number:056}"),
        };
        for number in 0..3 {
            recorder.take([event(number)].iter());
        }
        drop(recorder);
        assert_eq!(std::fs::read(&path).unwrap(), b"something else");
        let file = std::fs::File::open(folder.path().join("flows.1.gz")).unwrap();
        let text = std::io::read_to_string(flate2::read::MultiGzDecoder::new(file)).unwrap();
        assert_eq!(text.lines().count(), 3);
        for (number, line) in text.lines().enumerate() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["message"].as_str(), Some(event(number).message.as_str()));
            assert_eq!(value["eventId"].as_str(), Some(event(number).id.as_str()));
        }
    }
}
