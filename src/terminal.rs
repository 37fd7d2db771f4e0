//! The terminal: taken when the screen opens, given back whatever happens (quit, error, panic, signal, suspend).

use std::io::{self, BufWriter, Stdout, Write as _, stdout};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use crate::app::{App, Viewport};
use crate::ui::theme::Shade;
use crate::ui::{self, Look};

/// How long the terminal may take to say what colour its background is. Late replies would be read as keys.
const ASK_BACKGROUND: Duration = Duration::from_millis(200);

/// Longest text that is put on the clipboard, bytes: terminals cut or ignore longer sequences.
const CLIPBOARD: usize = 72 * 1024;

/// Room for a frame on its way to the terminal, bytes.
const FRAME: usize = 64 * 1024;

/// The screen while it is ours.
pub struct Screen {
    /// A frame is collected and written in few pieces: over SSH each piece is a packet.
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    mouse: bool,
    /// Whether what the terminal shows may differ from what was last drawn.
    stale: bool,
}

impl Screen {
    /// Takes the terminal. A panic from here on gives it back before its message is printed.
    ///
    /// # Errors
    /// Standard output is no terminal that can do this.
    pub fn open(mouse: bool) -> io::Result<Screen> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
        let writer = BufWriter::with_capacity(FRAME, stdout());
        // What was taken before a step fails is given back.
        match take(mouse).and_then(|()| Terminal::new(CrosstermBackend::new(writer))) {
            Ok(terminal) => Ok(Screen { terminal, mouse, stale: false }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Draws a frame, in one piece where the terminal can.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, app: &App, look: &Look) -> io::Result<Viewport> {
        let mut viewport = Viewport::default();
        queue!(stdout(), BeginSynchronizedUpdate)?;
        if std::mem::take(&mut self.stale) {
            // Not `Terminal::clear`, which asks the terminal where its cursor is and waits for an answer that the event reader may have taken.
            let size = self.terminal.size()?;
            self.terminal.resize(Rect::new(0, 0, size.width, size.height))?;
        }
        self.terminal.draw(|frame| {
            viewport = ui::draw(app, look, frame.buffer_mut());
            if let Some(caret) = viewport.caret {
                frame.set_cursor_position(caret);
            }
        })?;
        execute!(stdout(), EndSynchronizedUpdate)?;
        Ok(viewport)
    }

    /// Has the next frame drawn whole.
    pub fn redraw(&mut self) {
        self.stale = true;
    }

    /// Rings the bell, or has the terminal notify with `text`, which has been made harmless.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn alarm(&mut self, bell: bool, text: Option<&str>) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        if let Some(text) = text {
            write!(out, "\x1b]9;{text}\x1b\\")?;
        }
        if bell {
            out.write_all(b"\x07")?;
        }
        out.flush()
    }

    /// Puts `text` on the clipboard of the terminal, which may be at the other end of an SSH session (OSC 52).
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn copy(&self, text: &str) -> io::Result<bool> {
        if text.len() > CLIPBOARD {
            return Ok(false);
        }
        execute!(stdout(), CopyToClipboard::to_clipboard_from(text))?;
        Ok(true)
    }

    /// Gives the terminal back to the shell and stops until the shell says `fg`.
    ///
    /// # Errors
    /// The terminal is gone, or the process cannot be stopped.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // STOP, since TSTP is ignored for a process group without a shell to continue it.
        #[cfg(unix)]
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
        take(self.mouse)?;
        self.redraw();
        Ok(())
    }
}

/// Writes what is too long for the clipboard into a new file that only the user can read, in the folder for temporary files.
///
/// # Errors
/// The file cannot be made or written.
pub fn copy_to_file(text: &str) -> io::Result<PathBuf> {
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let path = std::env::temp_dir().join(format!("flowtail-copy-{}-{moment}.txt", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    // Never a file that somebody else put there.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path)?.write_all(text.as_bytes())?;
    Ok(path)
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)?;
    if mouse {
        execute!(stdout(), EnableMouseCapture)?;
    }
    Ok(())
}

/// Leaves the terminal as it was. Every step is tried, whatever the others said.
fn give_back() {
    let _ = execute!(stdout(), EndSynchronizedUpdate);
    let _ = execute!(stdout(), DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = stdout().flush();
}

/// What the terminal says of its background; `None` where it does not say. Ask before the screen opens: the answer is read from the keyboard.
pub fn shade() -> Option<Shade> {
    use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};
    let mut options = QueryOptions::default();
    options.timeout = ASK_BACKGROUND;
    match theme_mode(options).ok()? {
        ThemeMode::Dark => Some(Shade::Dark),
        ThemeMode::Light => Some(Shade::Light),
    }
}
