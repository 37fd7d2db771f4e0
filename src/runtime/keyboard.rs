//! What the terminal sends, read by a thread of its own: a burst of keys (text that was pasted where the terminal does not say so, a key that is held) is
//! there as a whole when the loop looks, and is judged, asked and drawn once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{self, Event, EventStream};
use tokio::sync::mpsc;

/// Events that wait. A terminal that sends faster than they are taken waits itself.
const QUEUE: usize = 1024;
/// How long the thread sleeps at most where nothing comes.
const SLEEP: Duration = Duration::from_hours(1);

/// See the module's text.
pub(super) struct Keyboard {
    send: mpsc::Sender<io::Result<Event>>,
    events: mpsc::Receiver<io::Result<Event>>,
    reader: Option<Reader>,
}

/// The thread, which ends with this.
struct Reader {
    stopped: Arc<AtomicBool>,
    /// Nothing is read from it: its end is what wakes a thread that waits for the terminal.
    _wakes: EventStream,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

impl Keyboard {
    /// Begins to read.
    ///
    /// # Errors
    /// The system has no further thread.
    pub(super) fn open() -> io::Result<Keyboard> {
        let (send, events) = mpsc::channel(QUEUE);
        let mut keyboard = Keyboard { send, events, reader: None };
        keyboard.resume()?;
        Ok(keyboard)
    }

    /// The next event.
    pub(super) async fn next(&mut self) -> io::Result<Event> {
        // This end has a sender too, so the channel is never closed.
        self.events.recv().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
    }

    /// The next event where one is there already.
    pub(super) fn ready(&mut self) -> Option<io::Result<Event>> {
        self.events.try_recv().ok()
    }

    /// Whether events wait.
    pub(super) fn is_ready(&self) -> bool {
        !self.events.is_empty()
    }

    /// Leaves to others what is typed from now on.
    pub(super) fn pause(&mut self) {
        self.reader = None;
    }

    /// Reads again.
    ///
    /// # Errors
    /// The system has no further thread.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        let stopped = Arc::new(AtomicBool::new(false));
        // Before the thread, which has the terminal to itself while it waits.
        let wakes = EventStream::new();
        let (send, stop) = (self.send.clone(), Arc::clone(&stopped));
        std::thread::Builder::new().name("keyboard".to_owned()).spawn(move || read(&send, &stop))?;
        self.reader = Some(Reader { stopped, _wakes: wakes });
        Ok(())
    }
}

fn read(send: &mpsc::Sender<io::Result<Event>>, stopped: &AtomicBool) {
    while !stopped.load(Ordering::SeqCst) {
        let read = match event::poll(SLEEP) {
            Ok(false) => continue,
            Ok(true) => event::read(),
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if send.blocking_send(read).is_err() || failed {
            return;
        }
    }
}
