//! Which side of a record is the interface that logged it. Formats from version 5 on say so; of older ones it is learned: the interface's own
//! address stands on one side of every record that it logs, so it is what all its records have in common.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use crate::record::special::is_outside;
use crate::record::{Field, Table};

/// Interfaces that are told apart; further ones are judged by their addresses alone.
const MAX_INTERFACES: usize = 65_536;

/// What the records of one interface and address family have in common so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Own {
    #[default]
    Unknown,
    /// Either of two: one pair of addresses was seen.
    Either(IpAddr, IpAddr),
    One(IpAddr),
    /// Nothing: other traffic passes through it.
    None,
}

impl Own {
    fn learn(self, src: IpAddr, dst: IpAddr) -> Own {
        let holds = |own: IpAddr| own == src || own == dst;
        match self {
            Own::Unknown if src == dst => Own::One(src),
            Own::Unknown => Own::Either(src, dst),
            Own::Either(a, b) => match (holds(a), holds(b)) {
                (true, true) => self,
                (true, false) => Own::One(a),
                (false, true) => Own::One(b),
                (false, false) => Own::None,
            },
            Own::One(own) if holds(own) => self,
            Own::One(_) | Own::None => Own::None,
        }
    }
}

/// Where a record goes, seen from its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards it.
    In,
    /// Away from it.
    Out,
}

/// What was learned of each interface.
#[derive(Debug, Default)]
pub struct Sides {
    places: HashMap<Box<str>, usize, foldhash::quality::RandomState>,
    /// By place: IPv4, then IPv6.
    own: Vec<[Own; 2]>,
}

impl Sides {
    /// Learns from rows, and gives for the codes of their interfaces the place of what is known.
    pub fn learn<T: Table>(
        &mut self,
        table: &T,
        rows: Range<usize>,
    ) -> HashMap<u64, usize, foldhash::fast::RandomState> {
        let mut places = HashMap::default();
        for row in rows {
            let (interface, src, dst) = codes(table, row);
            if interface == 0 || src == 0 || dst == 0 {
                continue;
            }
            let Some(place) = (match places.get(&interface) {
                Some(place) => Some(*place),
                None => self.place(table.text(interface)).inspect(|place| _ = places.insert(interface, *place)),
            }) else {
                continue;
            };
            let (src, dst) = (table.addr(src), table.addr(dst));
            let own = &mut self.own[place][usize::from(src.is_ipv6())];
            *own = own.learn(src, dst);
        }
        places
    }

    fn place(&mut self, interface: &str) -> Option<usize> {
        if let Some(place) = self.places.get(interface) {
            return Some(*place);
        }
        let place = self.own.len();
        (place < MAX_INTERFACES).then(|| {
            self.places.insert(interface.into(), place);
            self.own.push([Own::Unknown; 2]);
            place
        })
    }

    /// Where a row goes. `places` is what [`Sides::learn`] gave for rows of the same table.
    pub fn direction<T: Table>(
        &self,
        table: &T,
        row: usize,
        places: &HashMap<u64, usize, foldhash::fast::RandomState>,
    ) -> Direction {
        match table.word(Field::FlowDirection, row) {
            Some("ingress") => return Direction::In,
            Some("egress") => return Direction::Out,
            _ => {}
        }
        let (interface, src, dst) = codes(table, row);
        if src == 0 || dst == 0 {
            return Direction::In;
        }
        let (src, dst) = (table.addr(src), table.addr(dst));
        let own = places.get(&interface).map_or(Own::Unknown, |place| self.own[*place][usize::from(src.is_ipv6())]);
        match own {
            Own::One(own) if own == dst => return Direction::In,
            Own::One(own) if own == src => return Direction::Out,
            _ => {}
        }
        match (is_outside(src), is_outside(dst)) {
            (true, false) => Direction::In,
            (false, true) => Direction::Out,
            // One pair of addresses was ever seen: what answers on the lower port is taken for the interface.
            _ => {
                let port = |field| table.number(field, row).unwrap_or(0);
                if port(Field::DstPort) <= port(Field::SrcPort) { Direction::In } else { Direction::Out }
            }
        }
    }
}

fn codes<T: Table>(table: &T, row: usize) -> (u64, u64, u64) {
    let code = |field| table.code(field, row);
    (code(Field::InterfaceId), code(Field::SrcAddr), code(Field::DstAddr))
}
