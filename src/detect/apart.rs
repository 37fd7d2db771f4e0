//! The remembering half on a thread of its own, so that records are paired on one core while rules are evaluated on the other. Orders go there in
//! sequence through a channel that blocks when it is full; so what is found is the same as without the thread.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::DetectStats;
use super::alert::AlertEvent;
use super::ledger::Ledger;
use super::order::Orders;

/// Bundles of orders that wait to be gone through: so many that neither side stands still while the other sweeps its groups.
const QUEUE: usize = 16;
/// Bundles that a caller who must not wait leaves room for: those of a few hundred rows.
const ROOM: usize = 8;

/// What comes back for each bundle of orders.
struct Answer {
    news: Vec<AlertEvent>,
    stats: DetectStats,
    /// The bundle, empty, so that its room is used again.
    orders: Orders,
}

/// See the module's text. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Apart {
    to: SyncSender<Orders>,
    from: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
    /// Bundles that were sent and not answered.
    waiting: usize,
    spare: Vec<Orders>,
    pub stats: DetectStats,
}

impl Apart {
    /// Moves `ledger` to a thread; gives it back where the system has none.
    pub(super) fn start(ledger: Ledger) -> Result<Apart, Box<Ledger>> {
        let (to, orders) = sync_channel(QUEUE);
        let (answers, from) = channel();
        // Only once there is a thread is there somebody to give it to.
        let (hand_over, taken) = sync_channel::<Box<Ledger>>(1);
        let run = move || {
            if let Ok(ledger) = taken.recv() {
                work(*ledger, &orders, &answers);
            }
        };
        let stats = ledger.stats();
        let ledger = Box::new(ledger);
        match std::thread::Builder::new().name("flowtail-rules".into()).spawn(run) {
            Ok(thread) => {
                hand_over.send(ledger).map_err(|unsent| unsent.0)?;
                Ok(Apart { to, from, thread: Some(thread), waiting: 0, spare: Vec::new(), stats })
            }
            Err(_) => Err(ledger),
        }
    }

    /// Sends a bundle, which is an empty one then. What comes back meanwhile goes to `news`.
    pub(super) fn send(&mut self, orders: &mut Orders, news: &mut Vec<AlertEvent>) {
        self.hear(news);
        let next = self.spare.pop().unwrap_or_default();
        self.waiting += 1;
        if self.to.send(std::mem::replace(orders, next)).is_err() {
            self.fail();
        }
    }

    /// Takes what has come back, without waiting.
    pub(super) fn hear(&mut self, news: &mut Vec<AlertEvent>) {
        while let Ok(answer) = self.from.try_recv() {
            self.take(answer, news);
        }
    }

    /// Waits until everything that was sent is answered.
    pub(super) fn settle(&mut self, news: &mut Vec<AlertEvent>) {
        while self.waiting > 0 {
            match self.from.recv() {
                Ok(answer) => self.take(answer, news),
                Err(_) => return self.fail(),
            }
        }
    }

    /// Whether something was sent that is not answered.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Whether a caller who must not wait should come again later.
    pub(super) fn is_full(&self) -> bool {
        self.waiting + ROOM > QUEUE
    }

    fn take(&mut self, mut answer: Answer, news: &mut Vec<AlertEvent>) {
        self.waiting -= 1;
        self.stats = answer.stats;
        news.append(&mut answer.news);
        if self.spare.len() <= QUEUE {
            self.spare.push(answer.orders);
        }
    }

    /// The thread is gone, which only a panic there can bring about: it goes on here, as without the thread. Rules that fall silent
    /// unnoticed would be worse.
    fn fail(&mut self) {
        self.waiting = 0;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

fn work(mut ledger: Ledger, from: &Receiver<Orders>, to: &Sender<Answer>) {
    while let Ok(mut orders) = from.recv() {
        let mut news = Vec::new();
        ledger.apply(&mut orders, &mut news);
        if to.send(Answer { news, stats: ledger.stats(), orders }).is_err() {
            return;
        }
    }
}
