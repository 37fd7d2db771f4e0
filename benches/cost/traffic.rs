//! Records for the benchmarks: the traffic of a small VPC, the same bytes in every run.
//!
//! Few hosts carry most of it (Zipf), most requests have an answer, windows are a minute long and end a little out of order, and the internet
//! knocks at closed ports. No dependency and no random seed: figures of two runs are about the same records.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use flowtail::record::{Batch, Decoded, Decoder};

/// Unix second at which the traffic begins.
const START: u64 = 1_700_000_000;
/// Records a second of event time.
const RATE: u64 = 2_000;
/// Interfaces, and with them hosts of the VPC.
const HOSTS: u64 = 64;
/// Addresses on the internet.
const PEERS: u64 = 50_000;
/// Lines in a batch, about what a file's reader hands over.
const BATCH: usize = 4_096;

/// Steele and Vigna's `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A rank below `bound`, small ones most likely: rank r with a weight of about 1/r.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ranks are small"
    )]
    fn zipf(&mut self, bound: u64) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((bound as f64 + 1.0).powf(unit) - 1.0) as u64 % bound
    }
}

fn host(number: u64) -> Ipv4Addr {
    let number = u32::try_from(number).unwrap_or(0);
    Ipv4Addr::from(0x0A00_0000 + (number % 3) * 256 + 10 + number)
}

fn peer(number: u64) -> Ipv4Addr {
    // Spread over 11.0.0.0 to 100.63.255.255, all of it public.
    let spread = number.wrapping_mul(2_654_435_761) % 0x5900_0000;
    Ipv4Addr::from(0x0B00_0000 + u32::try_from(spread).unwrap_or(0))
}

/// `count` lines of the default format.
pub fn lines(count: usize) -> String {
    let mut random = Random(42);
    let mut out = String::with_capacity(count * 112);
    let mut made = 0;
    while made < count {
        let ours = random.zipf(HOSTS);
        let (server, client) = (host(ours), peer(random.zipf(PEERS)));
        let end = START + made as u64 / RATE + 60 - random.below(8);
        let start = end - 20 - random.below(40);
        let ephemeral = 1_024 + random.below(64_000);
        let kind = random.below(100);
        let mut line = |from: Ipv4Addr,
                        to: Ipv4Addr,
                        ports: (u64, u64),
                        protocol: u64,
                        packets: u64,
                        bytes: u64,
                        action: &str| {
            if made < count {
                // Writing to a String cannot fail.
                let _ = writeln!(
                    out,
                    "2 123456789012 eni-{ours:017x} {from} {to} {} {} {protocol} {packets} {bytes} {start} {end} {action} OK",
                    ports.0, ports.1
                );
                made += 1;
            }
        };
        let (asked, answered) = (3 + random.below(20), 3 + random.below(60));
        match kind {
            // Nobody asked for it and nobody answers.
            0..12 => line(client, server, (ephemeral, random.below(10_000)), 6, 1, 40, "REJECT"),
            12..15 => {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "2 123456789012 eni-{ours:017x} - - - - - - - {start} {end} - NODATA");
                made += 1;
            }
            15..30 => {
                let resolver = host(2);
                line(server, resolver, (ephemeral, 53), 17, 1, 70, "ACCEPT");
                line(resolver, server, (53, ephemeral), 17, 1, 90 + random.below(200), "ACCEPT");
            }
            30..55 => {
                line(server, client, (ephemeral, 443), 6, asked, asked * 120, "ACCEPT");
                line(client, server, (443, ephemeral), 6, answered, answered * (100 + random.below(1_300)), "ACCEPT");
            }
            _ => {
                line(client, server, (ephemeral, 443), 6, asked, asked * 150, "ACCEPT");
                line(server, client, (443, ephemeral), 6, answered, answered * (100 + random.below(1_300)), "ACCEPT");
            }
        }
    }
    out
}

/// `count` records in batches, as raw lines.
pub fn batches(count: usize) -> Vec<Batch> {
    let text = lines(count);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.chunks(BATCH).map(|chunk| Batch { bytes: chunk.concat().into_bytes(), ..Batch::default() }).collect()
}

/// Batches of `count` sessions, a request and its answer each.
pub fn sessions(count: u64) -> impl Iterator<Item = Batch> {
    const EACH: u64 = 10_000;
    let mut random = Random(43);
    (0..count.div_ceil(EACH)).map(move |batch| {
        let mut text = String::new();
        for number in batch * EACH..count.min((batch + 1) * EACH) {
            let (server, client) = (host(random.zipf(HOSTS)), peer(number));
            let (port, end) = (1_024 + random.below(64_000), START + number / RATE);
            let (asked, answered) = (1 + random.below(20), 1 + random.below(60));
            for (ends, packets, size) in [
                (format!("{client} {server} {port} 443"), asked, 60 + random.below(900)),
                (format!("{server} {client} 443 {port}"), answered, 60 + random.below(1_400)),
            ] {
                let bytes = packets * size;
                // Writing to a String cannot fail.
                let _ = writeln!(text, "2 1 eni-1 {ends} 6 {packets} {bytes} {} {end} ACCEPT OK", end - 30);
            }
        }
        Batch { bytes: text.into_bytes(), ..Batch::default() }
    })
}

/// `count` records in batches, decoded.
pub fn decoded(count: usize) -> Vec<Decoded> {
    let mut decoder = Decoder::new(None);
    batches(count).iter().map(|batch| decoder.decode(batch)).collect()
}
