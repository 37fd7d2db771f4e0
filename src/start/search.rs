//! Searches from the screen of a source that can be searched: found out what they cost first, run when the user agrees.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;

use super::{Source, StartError};
use crate::app::search::{Planned, Sums, Wanted};

/// Finds out what a search will do. Nothing that costs money is asked.
pub type Searcher = Arc<dyn Fn(Arc<Wanted>) -> Planning + Send + Sync>;

/// See [`Searcher`].
pub type Planning = Pin<Box<dyn Future<Output = Result<Search, StartError>> + Send>>;

/// Told how far it is, in a line for the user.
pub type Tell = Box<dyn Fn(String) + Send + Sync>;

/// Adds up; the receiver turns true once the user has enough.
pub type Summing = Box<dyn FnOnce(watch::Receiver<bool>, Tell) -> Pin<Box<dyn Future<Output = Sums> + Send>> + Send>;

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
}
