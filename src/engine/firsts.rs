//! What was first seen when, in what is held: addresses, the ports that a host answers on, interfaces. A value is new in the rows of the first
//! [`RECENT`] seconds that have it, unless these are the first rows there are: before them nothing is known, so nothing can be said.
//! Of a public address that was rejected it is not said: the internet knocks from new ones all the time.
//!
//! Each record is looked at once, in slices, so that a frame costs two or three look-ups a row. A record that has gone is remembered by what it
//! had: what was seen once is not seen for the first time again. Where the memory is full, what is not in it is not said to be new.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::ops::Range;

use super::view::FirstSeen;
use crate::record::special::is_public;
use crate::record::{Field, Row, Table, Value, seconds};
use crate::store::Ring;
use crate::store::ring::with_table;

/// Seconds from its first record on in which a value is new.
pub const RECENT: i64 = 600;
/// Values that are remembered, some 17 bytes each.
const MOST: usize = 1 << 18;
/// Seconds of a day, by which it is told which times are really held.
const DAY: i64 = 86_400;
/// Days that are told apart: more than ten years.
const MOST_DAYS: usize = 4_096;
/// Records on days in a row that count as something held, at the least, and as a share of all: one in a hundred.
const ENOUGH: (u64, u64) = (10, 100);
/// Ports from here on are those that a host asks from, in the usual ranges.
const EPHEMERAL: u64 = 32_768;

/// What is seen for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What<'a> {
    Address(IpAddr),
    /// A port that an address answers on, with its protocol.
    Port(IpAddr, u64, u64),
    Interface(&'a str),
}

/// The first times, Unix seconds.
#[derive(Debug, Default)]
pub struct Firsts {
    hasher: foldhash::quality::RandomState,
    times: HashMap<u64, i64, foldhash::fast::RandomState>,
    /// Rows looked at of each segment, by the number of its first row.
    done: BTreeMap<u64, usize>,
    /// How many records each day has, by its number, and the least time of them.
    days: BTreeMap<i64, (u64, i64)>,
    /// Where what is held begins.
    from: Option<i64>,
}

/// What a record says of who and where.
#[derive(Clone, Copy, Debug)]
struct Said<'a> {
    time: i64,
    src: IpAddr,
    dst: IpAddr,
    accepted: bool,
    /// Where there are ports: the one that is answered on, by the lower number, and whether it is the destination's.
    port: Option<(u64, bool)>,
    protocol: u64,
    interface: Option<&'a str>,
}

/// Whether it is worth a word that an address is new: the internet knocks from new ones all the time.
fn is_told(addr: IpAddr, accepted: bool) -> bool {
    accepted || !is_public(addr)
}

impl<'a> Said<'a> {
    fn of(table: &'a impl Table, row: usize) -> Option<Said<'a>> {
        let number = |field| table.number(field, row);
        let ports = number(Field::SrcPort).zip(number(Field::DstPort)).filter(|(src, dst)| *src > 0 && *dst > 0);
        // Rejected probes of ports say nothing of what is served.
        let accepted = table.word(Field::Action, row) == Some("ACCEPT");
        let lower = ports.map(|(src, dst)| (src.min(dst), dst <= src));
        Some(Said {
            time: seconds(table.time(row)),
            src: table.address(Field::SrcAddr, row)?,
            dst: table.address(Field::DstAddr, row)?,
            accepted,
            port: lower.filter(|(port, _)| accepted && *port < EPHEMERAL),
            protocol: number(Field::Protocol).unwrap_or(0),
            interface: table.word(Field::InterfaceId, row),
        })
    }

    fn service(&self) -> Option<What<'static>> {
        let (port, dst) = self.port?;
        Some(What::Port(if dst { self.dst } else { self.src }, port, self.protocol))
    }
}

impl Firsts {
    /// Looks at up to `budget` rows, newest segment first. Gives how many it took; less than `budget` means that all were seen.
    pub fn step(&mut self, ring: &Ring, budget: usize) -> usize {
        let mut left = budget;
        for part in ring.parts() {
            if left == 0 {
                break;
            }
            let first = part.first_seq();
            let done = self.done.get(&first).copied().unwrap_or(0);
            let upto = part.len().min(done.saturating_add(left));
            if done < upto {
                left -= upto - done;
                self.done.insert(first, upto);
                with_table!(&part, table => self.take(table, done..upto));
            }
        }
        if left < budget {
            self.from = self.begins();
        }
        budget - left
    }

    fn count(&mut self, time: i64) {
        let day = time.div_euclid(DAY);
        let place = if self.days.len() < MOST_DAYS || self.days.contains_key(&day) {
            day
        } else {
            let near = self.days.range(..day).next_back().or_else(|| self.days.iter().next());
            near.map_or(day, |(near, _)| *near)
        };
        let (count, least) = self.days.entry(place).or_insert((0, time));
        *count += 1;
        *least = time.min(*least);
    }

    /// Where what is held begins. A few records that lie more than a day before all others (a clock that was reset, a time of 0) are nothing by
    /// which it could be known what was there before: everything after them would be new.
    fn begins(&self) -> Option<i64> {
        let all: u64 = self.days.values().map(|(count, _)| count).sum();
        let enough = ENOUGH.0.max(all / ENOUGH.1);
        // Days in a row: their last, their records, and the least time.
        let mut open: Option<(i64, u64, i64)> = None;
        let mut most: Option<(u64, i64)> = None;
        for (day, (count, least)) in &self.days {
            let (before, from) = match open {
                Some((last, records, from)) if *day <= last + 1 => (records, from),
                _ => (0, *least),
            };
            let records = before + count;
            if records >= enough {
                return Some(from);
            }
            open = Some((*day, records, from));
            if most.is_none_or(|(other, _)| records >= other) {
                most = Some((records, from));
            }
        }
        most.map(|(_, from)| from)
    }

    fn take<T: Table>(&mut self, table: &T, rows: Range<usize>) {
        for said in rows.filter_map(|row| Said::of(table, row)) {
            self.count(said.time);
            let whats = [Some(What::Address(said.src)), Some(What::Address(said.dst)), said.service()];
            let interface = said.interface.map(What::Interface);
            for what in whats.into_iter().chain([interface]).flatten() {
                let key = self.hasher.hash_one(what);
                let room = self.times.len() < MOST;
                match self.times.get_mut(&key) {
                    Some(first) => *first = said.time.min(*first),
                    None if room => drop(self.times.insert(key, said.time)),
                    None => {}
                }
            }
        }
    }

    /// A segment is no longer held.
    pub fn evict(&mut self, first_seq: u64) {
        self.done.remove(&first_seq);
    }

    fn first(&self, what: What<'_>) -> Option<i64> {
        self.times.get(&self.hasher.hash_one(what)).copied()
    }

    /// When an address was first seen, and whether something was held of the time before.
    pub fn address(&self, addr: IpAddr) -> Option<(i64, bool)> {
        let first = self.first(What::Address(addr))?;
        Some((first, self.from.is_some_and(|from| first.saturating_sub(from) >= RECENT)))
    }

    fn is_new(&self, what: What<'_>, at: i64) -> bool {
        let (Some(first), Some(from)) = (self.first(what), self.from) else { return false };
        first.saturating_sub(from) >= RECENT && at <= first.saturating_add(RECENT)
    }

    /// What a record had first.
    pub fn of_record(&self, table: &impl Table, row: usize) -> FirstSeen {
        let Some(said) = Said::of(table, row) else { return FirstSeen::default() };
        let new = |what| self.is_new(what, said.time);
        let port = said.service().is_some_and(new);
        let to = said.port.is_some_and(|(_, dst)| dst);
        FirstSeen {
            src: is_told(said.src, said.accepted) && new(What::Address(said.src)),
            dst: is_told(said.dst, said.accepted) && new(What::Address(said.dst)),
            src_port: port && !to,
            dst_port: port && to,
            interface: said.interface.is_some_and(|id| new(What::Interface(id))),
        }
    }

    /// What a session had first, by when it began.
    pub fn of_session(&self, row: &dyn Row) -> FirstSeen {
        let number = |field| match row.get(field) {
            Some(Value::Int(number)) => Some(number),
            _ => None,
        };
        let addr = |field| match row.get(field) {
            Some(Value::Addr(addr)) => Some(addr),
            _ => None,
        };
        let Some(began) = number(Field::Start).map(seconds) else { return FirstSeen::default() };
        let new = |what| self.is_new(what, began);
        let (client, server) = (addr(Field::Client), addr(Field::Server));
        let port = server.zip(number(Field::ServerPort)).zip(number(Field::Protocol));
        let accepted = !matches!(row.get(Field::Action), Some(Value::Text("REJECT")));
        let mut interface = false;
        row.any(Field::InterfaceId, &mut |value| {
            interface = matches!(value, Value::Text(id) if self.is_new(What::Interface(id), began));
            interface
        });
        FirstSeen {
            src: client.is_some_and(|addr| is_told(addr, accepted) && new(What::Address(addr))),
            dst: server.is_some_and(|addr| is_told(addr, accepted) && new(What::Address(addr))),
            src_port: false,
            dst_port: port.is_some_and(|((addr, port), protocol)| new(What::Port(addr, port, protocol))),
            interface,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Batch, Decoder};

    /// Records of one host: `(end, source, its port, destination port, action)`.
    fn ring(rows: &[(i64, &str, u16, u16, &str)]) -> Ring {
        let line = |(end, src, from, to, action): &(i64, &str, u16, u16, &str)| {
            format!("2 1 eni-1 {src} 10.0.0.9 {from} {to} 6 1 40 {} {end} {action} OK\n", end - 60)
        };
        let bytes = rows.iter().map(line).collect::<String>().into_bytes();
        let columns = Decoder::new(None).decode(&Batch { bytes, first_line: 1, ..Batch::default() }).columns;
        let mut ring = Ring::new(1 << 24);
        ring.push_all(&columns);
        ring
    }

    fn news(ring: &Ring, firsts: &Firsts) -> Vec<FirstSeen> {
        let part = ring.parts().next().expect("one part");
        (0..part.len()).map(|row| with_table!(&part, table => firsts.of_record(table, row))).collect()
    }

    #[test]
    fn new_is_what_was_not_there_before_and_only_for_a_while() {
        let rows = [
            (1_000, "10.0.0.1", 50_000, 443, "ACCEPT"),
            (1_000 + RECENT, "10.0.0.2", 50_000, 443, "ACCEPT"),
            (1_000 + 2 * RECENT, "10.0.0.2", 50_001, 8443, "ACCEPT"),
            (1_001 + 2 * RECENT, "10.0.0.2", 50_002, 443, "ACCEPT"),
            (1_002 + 2 * RECENT, "10.0.0.1", 50_003, 9000, "REJECT"),
        ];
        let ring = ring(&rows);
        let mut firsts = Firsts::default();
        while firsts.step(&ring, 2) == 2 {}
        let none = FirstSeen::default();
        let src = FirstSeen { src: true, ..none };
        let expected = [none, src, FirstSeen { dst_port: true, ..src }, none, none];
        assert_eq!(news(&ring, &firsts), expected);
        assert_eq!(firsts.address("10.0.0.1".parse().unwrap()), Some((1_000, false)));
        assert_eq!(firsts.address("10.0.0.2".parse().unwrap()), Some((1_000 + RECENT, true)));
    }

    #[test]
    fn a_record_far_in_the_past_makes_nothing_else_new() {
        let day = |at: i64| 1_534_778_000 + at;
        let mut rows: Vec<_> = (0..30).map(|at| (day(at), "10.0.0.1", 50_000, 443, "ACCEPT")).collect();
        rows.push((day(100), "10.0.0.2", 50_000, 443, "ACCEPT"));
        for wild in [60, 1_000_000, day(-3 * DAY)] {
            let mut rows = rows.clone();
            rows.insert(7, (wild, "10.0.0.3", 50_000, 443, "ACCEPT"));
            let ring = ring(&rows);
            let mut firsts = Firsts::default();
            while firsts.step(&ring, 4) == 4 {}
            assert!(news(&ring, &firsts).iter().all(|new| *new == FirstSeen::default()), "{wild}");
            assert_eq!(firsts.address("10.0.0.2".parse().unwrap()), Some((day(100), false)));
        }
        // Days before that have more than a few records are known, though a pause follows.
        rows.extend((0..30).map(|at| (day(at - 3 * DAY), "10.0.0.1", 50_000, 443, "ACCEPT")));
        let ring = ring(&rows);
        let mut firsts = Firsts::default();
        firsts.step(&ring, 1_000);
        assert!(news(&ring, &firsts)[30].src && !news(&ring, &firsts)[0].src);
    }

    #[test]
    fn days_without_end_take_no_more_room() {
        let rows: Vec<_> = (0..6_000).map(|at| (60 + at * 5 * DAY, "10.0.0.1", 50_000, 443, "ACCEPT")).collect();
        let ring = ring(&rows);
        let mut firsts = Firsts::default();
        firsts.step(&ring, 10_000);
        assert_eq!((firsts.days.len(), firsts.from), (MOST_DAYS, firsts.begins()));
        assert_eq!(firsts.days.values().map(|(count, _)| count).sum::<u64>(), 6_000);
    }

    #[test]
    fn earlier_records_take_a_claim_back() {
        let late = ring(&[(1_000, "10.0.0.1", 50_000, 443, "ACCEPT"), (9_000, "10.0.0.2", 50_000, 443, "ACCEPT")]);
        let mut firsts = Firsts::default();
        firsts.step(&late, 10);
        assert!(news(&late, &firsts)[1].src);
        let earlier = ring(&[(1_100, "10.0.0.2", 50_000, 443, "ACCEPT")]);
        let part = earlier.parts().next().expect("one part");
        with_table!(&part, table => firsts.take(table, 0..1));
        assert!(!news(&late, &firsts)[1].src);
    }
}
