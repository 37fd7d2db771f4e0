//! What a flow weighs once its segment is sealed, dictionaries and bookkeeping included.

use std::fmt::Write as _;

use flowtail::record::Event;
use flowtail::store::segment::ROWS;

use super::*;

/// Vigna's xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    /// Below 200,000, small ones most likely.
    fn peer(&mut self) -> u64 {
        let (a, b) = (self.below(448), self.below(448));
        a * b
    }
}

/// The first 14 fields of a record, and what version 3 to 5 add.
fn flow(random: &mut Random, place: u64) -> (String, String) {
    let host = random.below(64);
    let peer = 0x1700_0000 + u32::try_from(random.peer() * 7919).unwrap_or(0);
    let ours = format!("10.0.{}.{}", host % 4, host);
    let theirs = std::net::Ipv4Addr::from(peer).to_string();
    let (from, to) = if random.below(2) == 0 { (ours, theirs) } else { (theirs, ours) };
    let end = 1_700_000_000 + place / 2_000 + random.below(60);
    let packets = 1 + random.below(40) * random.below(40);
    let first = format!(
        "2 123456789012 eni-{host:017x} {from} {to} {} 443 {} {packets} {} {} {end} {} OK",
        1024 + random.below(60_000),
        [6, 17][usize::from(random.below(9) == 0)],
        packets * (40 + random.below(1_400)),
        end - random.below(60),
        ["ACCEPT", "REJECT"][usize::from(random.below(8) == 0)],
    );
    let direction = ["ingress", "egress"][usize::from(random.below(2) == 0)];
    let rest = format!(
        "vpc-0123456789abcdef0 subnet-{:017x} i-{host:017x} {} IPv4 {from} {to} us-west-1 usw1-az{} - - - {} {direction} {}",
        host % 4,
        random.below(32),
        1 + host % 2,
        ["-", "S3", "AMAZON"][usize::from(random.below(10) == 0) + usize::from(random.below(50) == 0)],
        1 + random.below(8)
    );
    (first, rest)
}

/// Bytes a flow in the sealed segments of a ring that held two of them.
fn weight(batch: &Batch) -> f64 {
    let mut ring = Ring::new(1 << 30);
    let out = Decoder::new(None).decode(batch);
    assert_eq!((out.columns.len(), out.rejects.len()), (2 * ROWS + 1, 0));
    ring.push_all(&out.columns);
    let (bytes, rows) =
        ring.sealed().iter().fold((0, 0), |(bytes, rows), segment| (bytes + segment.bytes(), rows + segment.len()));
    assert_eq!(rows, 2 * ROWS);
    f64::from(u32::try_from(bytes).unwrap()) / f64::from(u32::try_from(rows).unwrap())
}

#[test]
fn a_flow_weighs_no_more_than_is_promised() {
    let mut random = Random(42);
    let (mut default, mut all, mut tailed) = (String::new(), String::new(), Batch::default());
    tailed.origin = Arc::new(Origin { name: "group".into(), region: Some("us-west-1".into()) });
    tailed.streams = (0..64).map(|host| format!("eni-{host:017x}-all").into()).collect();
    for place in 0..=2 * ROWS as u64 {
        let (first, rest) = flow(&mut random, place);
        let _ = writeln!(default, "{first}");
        let _ = writeln!(all, "5{} {rest}", &first[1..]);
        tailed.bytes.extend_from_slice(first.as_bytes());
        let stream = u32::from_str_radix(&first[34..36], 16).unwrap();
        tailed.events.push(Event {
            end: u32::try_from(tailed.bytes.len()).unwrap(),
            stream,
            timestamp: 0,
            ingestion: i64::try_from(1_700_000_060 + place / 2_000 + random.below(300)).unwrap() * 1000,
            id: Box::default(),
        });
    }
    let weights = [weight(&batch(&default)), weight(&tailed), weight(&batch(&all))];
    println!("bytes a flow: default {:.1}, tailed {:.1}, all of version 5 {:.1}", weights[0], weights[1], weights[2]);
    for (weight, most) in weights.iter().zip([36.0, 44.0, 60.0]) {
        assert!(*weight > 10.0 && weight <= &most, "{weights:?}");
    }
}
