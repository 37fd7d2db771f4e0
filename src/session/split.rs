//! Connections that follow each other on the same ports. Their records touch, so that by time alone they would be one session; flags tell
//! them apart: a SYN after a FIN or RST begins another connection, and so does whatever comes after a pause once both directions have ended.
//!
//! Where the cuts are follows from the set of records alone, never from the order in which they came.

use std::collections::HashMap;

use super::conversation::{IDLE_ENDED, NO_CUT, Session, begin, interval};
use super::key::{Packed, Way};
use crate::record::{Flow, NameId};

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// A part of what sessions hold: a record, or what records that are no longer known one by one add up to.
pub(super) enum Piece {
    Record(Flow, Way),
    Sum(Box<Session>),
}

impl Piece {
    fn start(&self) -> i64 {
        match self {
            Piece::Record(flow, _) => begin(flow),
            Piece::Sum(session) => session.first,
        }
    }

    /// From when to when it reaches with the intervals of its records.
    fn bounds(&self) -> (i64, i64) {
        match self {
            Piece::Record(flow, _) => (begin(flow) - interval(flow), flow.end + interval(flow)),
            Piece::Sum(session) => session.bounds(),
        }
    }
}

/// All parts of `session`.
pub(super) fn pieces(session: &Session) -> Vec<Piece> {
    let (records, base) = session.pieces();
    let base = base.map(|base| Piece::Sum(Box::new(base.clone())));
    records.into_iter().map(|(flow, way)| Piece::Record(flow, way)).chain(base).collect()
}

/// When each direction ended first, by interface.
#[derive(Default)]
struct Ended(HashMap<NameId, [Option<i64>; 2]>);

impl Ended {
    /// When the connection ended that `flow` does not belong to any more. Within one connection no direction sends SYN after its own FIN, and the
    /// client's SYN does not come after an answer. Interfaces look at different times, so each is compared with itself.
    fn before(&self, flow: &Flow, way: Way) -> Option<i64> {
        let flags = flow.flags.unwrap_or(0);
        let ended = self.0.get(&flow.interface).filter(|_| flags & SYN != 0)?;
        let answer = ended[way.reversed().index()].filter(|_| flags & ACK == 0);
        [ended[way.index()], answer].into_iter().flatten().filter(|end| *end <= begin(flow)).min()
    }

    fn note(&mut self, interface: NameId, flags: u8, way: Way, end: i64) {
        if flags & (FIN | RST) != 0 {
            let ended = &mut self.0.entry(interface).or_default()[way.index()];
            *ended = Some(ended.map_or(end, |ended| ended.min(end)));
        }
    }
}

/// One connection as far as it was looked at.
#[derive(Default)]
struct SoFar {
    /// Greatest end, and how far intervals reach beyond.
    last: i64,
    reached: i64,
    /// Directions that ended, on any interface.
    ended: [bool; 2],
}

impl SoFar {
    fn note(&mut self, piece: &Piece) {
        let (last, reached) = match piece {
            Piece::Record(flow, way) => {
                self.ended[way.index()] |= flow.flags.unwrap_or(0) & (FIN | RST) != 0;
                (flow.end, flow.end + interval(flow))
            }
            Piece::Sum(session) => {
                for way in [Way::AtoB, Way::BtoA] {
                    self.ended[way.index()] |= session.flags(way) & (FIN | RST) != 0;
                }
                (session.last, session.bounds().1)
            }
        };
        (self.last, self.reached) = (self.last.max(last), self.reached.max(reached));
    }

    /// Whether what begins at `start`, and of which the intervals reach back to `reached`, is too far away for a connection that has ended.
    fn is_over(&self, start: i64, reached: i64) -> bool {
        self.ended == [true; 2] && start > self.reached + IDLE_ENDED && reached > self.last + IDLE_ENDED
    }
}

/// Sorts `pieces` by time and says where a session begins among them: the place of its first piece and its cut.
pub(super) fn cuts(pieces: &mut [Piece], first: i64) -> Vec<(usize, i64)> {
    pieces.sort_by_key(Piece::start);
    // How far back this one or any after it reaches.
    let mut reached: Vec<i64> = pieces.iter().map(|piece| piece.bounds().0).collect();
    for at in (1..reached.len()).rev() {
        reached[at - 1] = reached[at - 1].min(reached[at]);
    }
    let mut cuts = vec![(0, first)];
    let (mut ended, mut so_far) = (Ended::default(), SoFar::default());
    let mut from = 0;
    while from < pieces.len() {
        let start = pieces[from].start();
        let mut to = from + pieces[from..].partition_point(|piece| piece.start() == start);
        let ends = pieces[from..to].iter().filter_map(|piece| match piece {
            Piece::Record(flow, way) => ended.before(flow, *way),
            // Cut off when it was still known record by record.
            Piece::Sum(session) => (session.cut() != NO_CUT && from > 0).then_some(start),
        });
        let after_syn = ends.min();
        if so_far.is_over(start, reached[from]) {
            cuts.push((from, start));
            (ended, so_far) = Default::default();
        } else if let Some(end) = after_syn {
            // Another interface, which missed the end, may have seen the beginning a little earlier: nearer to this one than to the end.
            let begins = |piece: &Piece| match piece {
                Piece::Record(flow, _) => {
                    flow.flags.is_some_and(|flags| flags & SYN != 0) && begin(flow) - end > start - begin(flow)
                }
                Piece::Sum(_) => false,
            };
            let place = pieces[..from].iter().position(begins).unwrap_or(from);
            // With all that begin in the same second, which stand in no order.
            let second = pieces[place].start();
            from = pieces.partition_point(|piece| piece.start() < second);
            cuts.push((from, pieces[from].start()));
            (ended, so_far) = Default::default();
            to = from + pieces[from..].partition_point(|piece| piece.start() == pieces[from].start());
        }
        for piece in &pieces[from..to] {
            so_far.note(piece);
            match piece {
                Piece::Record(flow, way) => ended.note(flow.interface, flow.flags.unwrap_or(0), *way, flow.end),
                Piece::Sum(session) => {
                    for (interface, way, flags) in session.all_flags() {
                        // What followed is known one by one and begins after it.
                        ended.note(interface, flags, way, session.first);
                    }
                }
            }
        }
        from = to;
    }
    cuts
}

/// One session of all `pieces`, which must not be empty.
pub(super) fn joined(pieces: Vec<Piece>, key: &Packed, id: u64, late: bool) -> Option<Session> {
    let mut all: Option<Session> = None;
    // A sum first: what follows is newer, and is listed beside it.
    let (sums, records): (Vec<_>, Vec<_>) = pieces.into_iter().partition(|piece| matches!(piece, Piece::Sum(_)));
    for piece in sums.into_iter().chain(records) {
        all = Some(match (all, piece) {
            (None, Piece::Record(flow, way)) => Session::new(id, key, way, &flow, late),
            (None, Piece::Sum(sum)) => Session::of_sum(*sum, id, late),
            (Some(mut session), Piece::Record(flow, way)) => {
                session.add(&flow, way);
                session
            }
            (Some(mut session), Piece::Sum(sum)) => {
                session.absorb(&Session::of_sum(*sum, id, late));
                session
            }
        });
    }
    all
}
