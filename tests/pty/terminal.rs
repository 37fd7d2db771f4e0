//! A pseudo-terminal with the program under test in it, and an emulator that keeps what a user would see.

use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take. Far more than it takes, since the machine may be busy; nothing waits this long unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to start.
pub struct Setup<'a> {
    pub program: &'a str,
    pub args: &'a [&'a str],
    pub env: &'a [(&'a str, &'a str)],
}

impl<'a> Setup<'a> {
    /// flowtail with these arguments.
    pub fn new(args: &'a [&'a str]) -> Setup<'a> {
        Setup { program: env!("CARGO_BIN_EXE_flowtail"), args, env: &[] }
    }
}

/// A terminal with a program in it.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    raw: Vec<u8>,
    /// How much of `raw` the screen has.
    shown: usize,
    /// How the terminal was set before the program came.
    modes: String,
}

impl Terminal {
    /// Starts a program in a terminal of 120 columns and 32 lines.
    pub fn start(setup: &Setup<'_>) -> Terminal {
        let size = PtySize { rows: 32, cols: 120, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).expect("the system has pseudo-terminals");
        let mut command = CommandBuilder::new(setup.program);
        command.args(setup.args);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", "xterm-256color");
        for (name, value) in setup.env {
            command.env(name, value);
        }
        let modes = format!("{:?}", pair.master.get_termios());
        let child = pair.slave.spawn_command(command).expect("the program starts");
        // Kept open here, the terminal would never end.
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keyboard = pair.master.take_writer().expect("a writer");
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 16 * 1024];
            // Linux reports the end of a terminal as an error.
            while let Ok(read @ 1..) = reader.read(&mut chunk) {
                if send.send(chunk[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(cells(32), cells(120), 0);
        Terminal { master: pair.master, child, keyboard, output, screen, raw: Vec::new(), shown: 0, modes }
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).and_then(|()| self.keyboard.flush()).expect("the terminal takes keys");
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, width: u16, height: u16) {
        // What was written for the old size belongs on the old screen.
        while let Ok(bytes) = self.output.try_recv() {
            self.take(&bytes);
        }
        self.screen.set_size(cells(height), cells(width));
        let size = PtySize { rows: height, cols: width, ..PtySize::default() };
        self.master.resize(size).expect("the terminal can be resized");
    }

    /// What the screen shows.
    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Everything that was written to the terminal.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Whether a full-screen program has the terminal.
    pub fn is_taken(&self) -> bool {
        self.screen.screen().alternate_screen() && self.screen.screen().hide_cursor()
    }

    /// How the program asked for the mouse.
    pub fn mouse(&self) -> vt100::MouseProtocolMode {
        self.screen.screen().mouse_protocol_mode()
    }

    /// The terminal is as the shell had it: screen, cursor, mouse, paste, modes.
    pub fn assert_given_back(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen was not left");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "pasting is still bracketed");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is still captured");
        assert_eq!(format!("{:?}", self.master.get_termios()), self.modes, "the terminal is still raw");
    }

    /// Waits for text anywhere on the screen.
    pub fn wait_for_text(&mut self, text: &str) {
        self.wait_for(text, |screen| screen.contains(text));
    }

    /// Waits until the screen satisfies `test`. `what` says in the failure what did not come.
    pub fn wait_for(&mut self, what: &str, test: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !test(&self.contents()) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(why) => panic!("{what}: {why}. The screen shows:\n{}", self.contents()),
            }
        }
    }

    /// Waits for the end of the program and gives its exit code.
    pub fn wait_exit(&mut self) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end. The screen shows:\n{}", self.contents()),
            }
        }
        self.child.wait().expect("an exit status").exit_code()
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        let process = self.child.process_id().and_then(|id| Pid::from_raw(id.cast_signed())).expect("a process");
        kill_process(process, signal).expect("the program lives");
    }

    /// The process group that has the keyboard.
    pub fn foreground(&self) -> i32 {
        self.master.process_group_leader().expect("a foreground process group")
    }

    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        // The emulator leaves U+FFFD out, while terminals give it a cell: it is shown as a question mark. A character may be cut by the end
        // of what was read, and is completed by what comes.
        let new = &self.raw[self.shown..];
        let whole = match std::str::from_utf8(new) {
            Err(error) if error.error_len().is_none() => &new[..error.valid_up_to()],
            _ => new,
        };
        let text = String::from_utf8_lossy(whole).replace(char::REPLACEMENT_CHARACTER, "?");
        self.shown += whole.len();
        self.screen.process(text.as_bytes());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nothing running. Where it ended by itself there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has at least one cell")
}

/// The rows of the flow table on a screen: they begin with a time and the action, and with the day where they are not all of one.
pub fn rows(screen: &str) -> Vec<&str> {
    let is_day = |word: &str| word.len() == 5 && word.as_bytes()[2] == b'-';
    let is_row = |line: &&str| {
        let mut words = line.split_whitespace().skip_while(|word| word.len() == 1 || is_day(word));
        let time = words.next().is_some_and(|word| word.len() == 8 && word.matches(':').count() == 2);
        time && matches!(words.next(), Some("A" | "R" | "-"))
    };
    screen.lines().filter(is_row).collect()
}
