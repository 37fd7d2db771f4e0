//! The export that the screen has written.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::app::takeaway::{Heard, Order};
use crate::engine::thread::Asker;
use crate::save::Job;

/// The export that is written, and what is heard of it.
pub(super) struct Exports {
    engine: Asker,
    pub(super) job: Option<Job>,
    tell: mpsc::UnboundedSender<Heard>,
    pub(super) heard: mpsc::UnboundedReceiver<Heard>,
}

impl Exports {
    pub(super) fn new(engine: Asker) -> Exports {
        let (tell, heard) = mpsc::unbounded_channel();
        Exports { engine, job: None, tell, heard }
    }

    pub(super) fn begin(&mut self, order: Arc<Order>, path: String) {
        let (give, pinned) = std::sync::mpsc::channel();
        self.engine.pin(move |held| {
            // Whoever asked may have left meanwhile.
            let _ = give.send(held);
        });
        let tell = self.tell.clone();
        let job = Job::begin(pinned, order, path, move |heard| {
            let _ = tell.send(heard);
        });
        match job {
            Ok(job) => self.job = Some(job),
            Err(error) => {
                let _ = self.tell.send(Heard::Failed(format!("Not exported: {error}")));
            }
        }
    }
}
