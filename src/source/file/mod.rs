//! Files and pipes: plain or gzip, one or several merged by time, read once or followed.
//!
//! ```text
//! reader thread ─┐  bounded queue of chunks of whole lines
//! reader thread ─┼──▶ merger (async) ──Batch──▶ engine
//! reader thread ─┘  oldest next line first; a batch never mixes files
//! ```
//!
//! Memory is bounded by (inputs × queue × chunk), whatever the inputs contain. Nothing is read faster than the engine takes it.

mod chunk;
mod envelope;
pub mod folder;
mod gzip;
mod lane;
mod lines;
mod merge;
mod reader;
mod seen;
pub mod span;
mod time;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::record::{Input, Origin};
use merge::Merger;
use reader::{How, Report};

/// A path, or standard input, which is typed as `-`. A file called `-` is reached as `./-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathOrStdin {
    /// A file, a named pipe or a device.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

impl From<OsString> for PathOrStdin {
    fn from(typed: OsString) -> Self {
        if typed == "-" { PathOrStdin::Stdin } else { PathOrStdin::Path(typed.into()) }
    }
}

impl FromStr for PathOrStdin {
    type Err = Infallible;

    fn from_str(typed: &str) -> Result<Self, Infallible> {
        Ok(OsString::from(typed).into())
    }
}

/// What the screen and messages call it: the path as typed, or `stdin`.
impl fmt::Display for PathOrStdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathOrStdin::Path(path) => path.display().fmt(f),
            PathOrStdin::Stdin => f.write_str("stdin"),
        }
    }
}

/// What `flowtail open` reads and how.
#[derive(Clone, Debug, Default)]
pub struct OpenConfig {
    /// The inputs, in the order typed: the order of lines with equal times.
    pub paths: Vec<PathOrStdin>,
    /// Go on at the end of plain files, through truncation and rotation. Pipes are read to their end either way; gzip files are complete.
    pub follow: bool,
    /// Replay at this multiple of recorded time; `None` is as fast as the engine takes it. Silence of more than five seconds is shortened.
    pub speed: Option<f64>,
    /// Region for records of formats that carry none.
    pub region: Option<String>,
    /// What the user should know of what was named and is not read, one sentence each.
    pub warnings: Vec<String>,
}

/// One input that could not be read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its path, or `stdin`.
    pub input: String,
    /// What happened and what to do.
    pub why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.input, self.why)
    }
}

/// Some of the inputs could not be read. All the others were.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .failures.iter().map(Failure::to_string).collect::<Vec<_>>().join("\n"))]
pub struct OpenError {
    /// At least one, in the order met.
    pub failures: Vec<Failure>,
}

/// Reads everything that `config` names and sends it to `out`, then [`Input::End`]. With `follow` it ends only when the receiver is gone.
///
/// An input that cannot be read is told as [`crate::record::SourceState::Failed`] when it is met, stays in the status as a note, and does not
/// stop the others.
///
/// # Errors
/// After all the rest was read: the inputs that could not be.
pub async fn run(config: OpenConfig, out: mpsc::Sender<Input>) -> Result<(), OpenError> {
    let region: Option<Arc<str>> = config.region.as_deref().map(Arc::from);
    let how = How { follow: config.follow, timed: config.paths.len() > 1 || config.speed.is_some() };
    let inputs = config.paths.iter().enumerate().map(|(index, path)| {
        let feed = if repeats_stdin(&config.paths, index) {
            Feed::Open(refused(ONCE))
        } else if index < SIDE_BY_SIDE || config.follow {
            Feed::Open(reader::spawn(path, how))
        } else {
            Feed::Waiting(path.clone(), how)
        };
        (Arc::new(Origin { name: path.to_string().into(), region: region.clone() }), feed)
    });
    let inputs = inputs.collect();
    Merger::new(inputs, config.speed, out).warning(config.warnings).run().await
}

/// Inputs that are read at a time. Each has a thread and a queue of its own; a folder of a month has thousands of files.
const SIDE_BY_SIDE: usize = 16;

/// Where the lines of an input come from.
enum Feed {
    /// It is being read.
    Open(mpsc::Receiver<Report>),
    /// It is read once one before it has ended.
    Waiting(PathOrStdin, How),
}

const ONCE: &str = "standard input can be read only once. Name it once";

/// Whether `paths[index]` asks for standard input when an earlier one did already.
fn repeats_stdin(paths: &[PathOrStdin], index: usize) -> bool {
    paths[index] == PathOrStdin::Stdin && paths[..index].contains(&PathOrStdin::Stdin)
}

/// An input that fails at once.
fn refused(why: &str) -> mpsc::Receiver<Report> {
    let (reports, receiver) = mpsc::channel(1);
    // The queue is empty, so there is room.
    let _ = reports.try_send(Report::Failed(why.to_owned()));
    receiver
}
