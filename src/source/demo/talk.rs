//! Conversations, and how the interfaces that see one log it: one record a direction and capture window.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use super::network::{ACCOUNT, Host, Window};

/// Packets and bytes (IP layer) in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Volume {
    pub packets: u64,
    pub bytes: u64,
}

/// A stretch of traffic, spread evenly over its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Burst {
    /// Unix milliseconds.
    pub at: i64,
    /// Milliseconds, at least 1.
    pub span: i64,
    /// From the client to the server.
    pub there: Volume,
    /// From the server to the client.
    pub back: Volume,
}

/// A conversation of two endpoints.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    /// Address and port of who began.
    pub client: (IpAddr, u16),
    /// Address and port of who was asked.
    pub server: (IpAddr, u16),
    /// IANA number.
    pub protocol: u8,
    /// Whether security groups let it pass.
    pub accepted: bool,
    /// The interfaces that it passes.
    pub seen_by: Vec<Host>,
    /// In any order.
    pub bursts: Vec<Burst>,
}

/// A record as an interface logs it, without its window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub source: (IpAddr, u16),
    pub destination: (IpAddr, u16),
    pub protocol: u8,
    pub volume: Volume,
    pub accepted: bool,
}

impl Talk {
    /// The records that an interface with `windows` logs, each with the index of its window.
    pub(crate) fn records(&self, windows: &[Window]) -> Vec<(usize, Record)> {
        let mut sums: BTreeMap<usize, [Volume; 2]> = BTreeMap::new();
        for burst in &self.bursts {
            let first = windows.partition_point(|window| window.start * 1_000 <= burst.at).saturating_sub(1);
            for index in first..windows.len() {
                let begins = windows[index].start * 1_000;
                if index > first && begins >= burst.at + burst.span {
                    break;
                }
                // What came before the first window is counted in it, what comes after the last in that: nothing is lost.
                let from = if index == first { 0 } else { begins - burst.at };
                let to =
                    windows.get(index + 1).map_or(burst.span, |next| (next.start * 1_000 - burst.at).min(burst.span));
                let sum = sums.entry(index).or_default();
                for (sum, whole) in sum.iter_mut().zip([burst.there, burst.back]) {
                    let part = share(whole, from, to, burst.span);
                    sum.packets += part.packets;
                    sum.bytes += part.bytes;
                }
            }
        }
        let ends = [(self.client, self.server), (self.server, self.client)];
        let record = |(index, sum): (usize, [Volume; 2])| {
            let directions = ends.into_iter().zip(sum).filter(|(_, volume)| volume.packets > 0);
            directions.map(move |((source, destination), volume)| {
                (index, Record { source, destination, protocol: self.protocol, volume, accepted: self.accepted })
            })
        };
        sums.into_iter().flat_map(record).collect()
    }
}

/// The part of `whole` that falls between `from` and `to` of `span` milliseconds. Parts that meet add up exactly, since each is the
/// difference of two running totals; bytes follow packets, so that every part has the mean size of the whole.
fn share(whole: Volume, from: i64, to: i64, span: i64) -> Volume {
    if whole.packets == 0 {
        return Volume::default();
    }
    let until = |moment: i64| {
        let (moment, span) = (moment.clamp(0, span).unsigned_abs(), span.unsigned_abs());
        // Rounded up: the first packet is there when the burst begins.
        let packets = if moment == 0 { 0 } else { (whole.packets * moment).div_ceil(span) };
        (packets, whole.bytes * packets / whole.packets)
    };
    let ((packets_to, bytes_to), (packets_from, bytes_from)) = (until(to), until(from));
    Volume { packets: packets_to - packets_from, bytes: bytes_to - bytes_from }
}

/// The line that `host` logs for `record` in `window`, in the default format.
pub(crate) fn line(host: Host, window: Window, record: &Record) -> String {
    let Record { source, destination, protocol, volume, accepted } = record;
    let mut line = String::with_capacity(128);
    // Writing to a string cannot fail.
    let _ = write!(
        line,
        "2 {ACCOUNT} {} {} {} {} {} {protocol} {} {} {} {} {} OK",
        host.interface(),
        source.0,
        destination.0,
        source.1,
        destination.1,
        volume.packets,
        volume.bytes,
        window.start,
        window.end,
        if *accepted { "ACCEPT" } else { "REJECT" },
    );
    line
}

/// The line for a window without records: `status` is NODATA, or SKIPDATA where some were lost.
pub(crate) fn empty_line(host: Host, window: Window, status: &str) -> String {
    format!("2 {ACCOUNT} {} - - - - - - - {} {} - {status}", host.interface(), window.start, window.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_whatever_the_cuts() {
        let whole = Volume { packets: 137, bytes: 137 * 40 + 977 };
        for cuts in [vec![0, 5_000], vec![0, 1, 4_999, 5_000], (0..=5_000).step_by(7).chain([5_000]).collect()] {
            let mut sum = Volume::default();
            for pair in cuts.windows(2) {
                let part = share(whole, pair[0], pair[1], 5_000);
                assert!(part.bytes >= part.packets * 40);
                sum.packets += part.packets;
                sum.bytes += part.bytes;
            }
            assert_eq!(sum, whole);
        }
    }

    #[test]
    fn every_observer_counts_the_same() {
        let volume = |packets, bytes| Volume { packets, bytes };
        let burst = |at, span| Burst { at, span, there: volume(13, 1_000), back: volume(7, 5_000) };
        let talk = Talk {
            client: (Host::Web1.addr(), 40_000),
            server: (Host::App.addr(), 8_080),
            protocol: 6,
            accepted: true,
            seen_by: vec![Host::Web1, Host::App],
            bursts: vec![
                burst(1_000_500, 1),
                burst(1_010_000, 130_000),
                burst(900_000, 20_000),
                burst(1_190_000, 60_000),
            ],
        };
        for phase in [0, 17, 59] {
            let windows: Vec<Window> =
                (0..4).map(|n| Window { start: 940 + phase + n * 60, end: 998 + phase + n * 60 }).collect();
            let sum = |source| {
                let records = talk.records(&windows);
                let of: Vec<Volume> =
                    records.into_iter().filter(|r| r.1.source == source).map(|r| r.1.volume).collect();
                volume(of.iter().map(|v| v.packets).sum(), of.iter().map(|v| v.bytes).sum())
            };
            assert_eq!((sum(talk.client), sum(talk.server)), (volume(52, 4_000), volume(28, 20_000)), "{phase}");
        }
    }
}
