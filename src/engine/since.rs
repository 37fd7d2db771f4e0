//! Since when a conversation is there: the first that is held of who began it, and of the two on that port. A pass over the sessions in slices, so that
//! no frame waits for it.

use std::net::IpAddr;

use super::conversations::{Held, Place};
use super::core::Core;
use super::view::RowId;
use crate::record::{Flow, seconds};
use crate::session::Session;
use crate::store::ring::with_table;

/// Who talks to whom, and over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parties {
    /// Who began.
    pub client: IpAddr,
    /// Who was asked.
    pub server: IpAddr,
    /// The port that was asked; `None` where the protocol has none.
    pub port: Option<u16>,
    /// IANA protocol number.
    pub protocol: u8,
}

/// Since when, Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// Of which.
    pub parties: Parties,
    /// Least start of any session of the client, whatever its part in it.
    pub client: i64,
    /// Least start of a session of the two on that port.
    pub both: i64,
}

/// A pass over the sessions for one conversation.
#[derive(Debug)]
pub(super) struct SinceScan {
    parties: Parties,
    place: Place,
    client: Option<i64>,
    both: Option<i64>,
}

impl Parties {
    fn of(session: &Session) -> Parties {
        let ((client, _), (server, port)) = (session.client(), session.server());
        Parties { client, server, port, protocol: session.protocol() }
    }
}

impl SinceScan {
    fn new(parties: Parties) -> SinceScan {
        SinceScan { parties, place: Place::default(), client: None, both: None }
    }

    /// Looks at about `budget` sessions. Gives how many it looked at.
    pub(super) fn step(&mut self, held: Held<'_>, budget: usize) -> usize {
        let SinceScan { parties, place, client, both } = self;
        place.step(held, budget, 1, |row| {
            let session = row.row.session;
            let key = session.key();
            if key.a.0 != parties.client && key.b.0 != parties.client {
                return;
            }
            let least = |old: Option<i64>| Some(old.map_or(session.first, |old| old.min(session.first)));
            *client = least(*client);
            if Parties::of(session) == *parties {
                *both = least(*both);
            }
        })
    }

    /// How far it has come.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// What it found; `None` where nothing of it is held any more.
    pub(super) fn since(&self) -> Option<Since> {
        Some(Since { parties: self.parties, client: self.client?, both: self.both? })
    }
}

impl Core {
    /// A pass for the row whose detail is wanted.
    pub(super) fn since_scan(&mut self) -> Option<SinceScan> {
        let number = match self.look.spec.detail? {
            RowId::Session(number) => number,
            RowId::Alert(number) => {
                let place = self.alerts.binary_search_by_key(&number, |alert| alert.id).ok()?;
                self.alerts[place].session?
            }
            RowId::Flow { seq, .. } => {
                let (part, row) = self.ring.find(seq)?;
                let flow = with_table!(&part, table => Flow::of(table, row, &mut self.names))?;
                self.sessions.find(&flow)?.id
            }
            RowId::Group(_) => return None,
        };
        self.sessions.get(number).map(Parties::of).map(SinceScan::new)
    }

    /// What the last complete pass found of the conversation of `session`.
    pub(super) fn since(&self, session: &Session) -> Option<Since> {
        self.look.since.done.flatten().filter(|since| since.parties == Parties::of(session))
    }

    /// From when on everything that was asked for is known here: what was searched, less what had to make way since. Unix seconds.
    pub(super) fn searched_from(&self) -> Option<i64> {
        let read = self.state.earlier.map(|earlier| earlier.from).or(self.state.searched);
        let read = read.or(self.counts.span.map(|(first, _)| seconds(first)))?;
        // Of sessions that began no later, some are no longer held.
        Some(self.sessions.let_go().map_or(read, |first| read.max(first.saturating_add(1))))
    }
}
