//! Searches from the screen of a source that can be searched: found out what they cost first, run when the user agrees.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Source, StartError};
use crate::app::search::{Planned, Sums, Wanted};
use crate::detect::Baseline;

/// How often it is told how far a baseline is.
const NEWS: Duration = Duration::from_secs(5);

/// Finds out what a search will do. Nothing that costs money is asked.
pub type Searcher = Arc<dyn Fn(Arc<Wanted>) -> Planning + Send + Sync>;

/// See [`Searcher`].
pub type Planning = Pin<Box<dyn Future<Output = Result<Search, StartError>> + Send>>;

/// Told how far it is, in a line for the user.
pub type Tell = Box<dyn Fn(String) + Send + Sync>;

/// Shown what was added up so far.
pub type Show = Box<dyn Fn(Sums) + Send + Sync>;

/// Adds up; the receiver turns true once the user has enough.
pub type Summing = Box<dyn FnOnce(watch::Receiver<bool>, Tell, Show) -> Adding + Send>;

/// See [`Summing`].
pub type Adding = Pin<Box<dyn Future<Output = Sums> + Send>>;

/// Loads a baseline; the receiver turns true once the user has enough.
pub type Teaching = Box<dyn FnOnce(watch::Receiver<bool>, Tell) -> Loading + Send>;

/// See [`Teaching`].
pub type Loading = Pin<Box<dyn Future<Output = Result<Baseline, String>> + Send>>;

/// What rules can be taught of the time before the oldest record.
#[derive(Clone)]
pub struct Lessons {
    /// Whether `--baseline` asked for it, which is the consent to what it costs.
    pub asked: bool,
    /// What an earlier run loaded that is still fresh and long enough.
    pub kept: Option<Arc<Baseline>>,
    /// What the user should know of what is kept.
    pub remark: Option<String>,
    /// Finds out what it costs to load it.
    pub plan: Arc<dyn Fn() -> Planning + Send + Sync>,
}

/// A search that is ready to run.
pub struct Search {
    /// What it will do.
    pub planned: Planned,
    /// What runs it.
    pub run: Run,
}

/// What runs a search.
pub enum Run {
    /// Records, for an engine of their own.
    Rows(Box<Source>),
    /// Sums, for a table.
    Sums(Summing),
    /// What was used before, for the rules.
    Baseline(Teaching),
}

/// What `--baseline` asked for: what is kept, else what is loaded now. `say` tells the user, also what it costs.
///
/// # Errors
/// It cannot be loaded.
pub async fn learn(lessons: &Lessons, say: fn(&str)) -> Result<Arc<Baseline>, StartError> {
    if let Some(remark) = &lessons.remark {
        say(remark);
    }
    if let Some(kept) = &lessons.kept {
        return Ok(Arc::clone(kept));
    }
    let Search { planned, run } = (lessons.plan)().await?;
    say(&format!("--baseline: {}, scans {}", planned.title, planned.estimate));
    planned.notes.iter().for_each(|note| say(&format!("--baseline: {note}")));
    let Run::Baseline(load) = run else {
        return Err(StartError::Unreadable("--baseline: there is none".to_owned()));
    };
    let (_stop, stopped) = watch::channel(false);
    let told = Mutex::new(Instant::now());
    let tell = move |text: String| {
        if let Ok(mut told) = told.lock()
            && told.elapsed() >= NEWS
        {
            say(&text);
            *told = Instant::now();
        }
    };
    let baseline = load(stopped, Box::new(tell)).await.map_err(StartError::Unreadable)?;
    say(&format!("--baseline: {} ports and peers are known", baseline.uses.len()));
    Ok(Arc::new(baseline))
}
