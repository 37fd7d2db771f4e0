//! What EC2 says of the interfaces of a tail: asked beside the screen, never needed by it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::enrich::Interfaces;

/// What came of asking.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What is known of interfaces: what EC2 said just now, else what was kept.
    pub interfaces: Option<Arc<Interfaces>>,
    /// Why EC2 did not say it just now, in a sentence without its full stop.
    pub trouble: Option<String>,
}

/// Asks; where it must not be `anew`, what was kept less than an hour ago is an answer.
pub type Asker = Arc<dyn Fn(bool) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

/// See the module's text.
#[derive(Clone)]
pub struct Inventory {
    /// What is known already.
    pub known: Option<Arc<Interfaces>>,
    /// Asks for it.
    pub ask: Asker,
}
