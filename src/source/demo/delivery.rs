//! When each record reaches the reader: flow logs are delivered a window at a time, late, and now and then very late.

use std::sync::Arc;

use super::network::{FOUNDING, Host, Window};
use super::random::Random;

/// A CloudWatch event as a tail gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When the tail read it, Unix milliseconds.
    pub arrival: i64,
    /// When CloudWatch received it, Unix milliseconds.
    pub ingestion: i64,
    /// Event timestamp, Unix milliseconds: the record's `start`.
    pub timestamp: i64,
    /// Name of the log stream, `eni-…-all`.
    pub stream: Arc<str>,
    /// Event id: 56 decimal digits whose upper part is the timestamp, as AWS makes them.
    pub id: Box<str>,
    /// The record.
    pub line: String,
}

/// The tail of the recording asked this often, milliseconds.
const POLL: i64 = 5_000;
/// Least delay from the end of a window to ingestion that was seen in real records, milliseconds.
const LEAST_LAG: u64 = 22_000;

/// Windows delivered many minutes late, as happens: whose, which, and how late in seconds. Records of later windows overtake them.
const LATE: [(Host, usize, i64); 3] = [(Host::App, 12, 521), (Host::Infra, 19, 397), (Host::Balancer, 30, 284)];

/// Delivers the lines of one interface, given as window index and line, each window with the delay of its own.
pub(super) fn deliver(
    host: Host,
    windows: &[Window],
    lines: Vec<(usize, String)>,
    random: &mut Random,
) -> Vec<Delivery> {
    let stream: Arc<str> = format!("{}-all", host.interface()).into();
    let lags: Vec<[i64; 2]> =
        windows.iter().enumerate().map(|(index, window)| lag(host, index, *window, random)).collect();
    let delivery = |(index, line): (usize, String)| {
        let window = windows[index];
        // A few records of each window come in a second put.
        let founding = host == Host::Web2 && FOUNDING.contains(&window);
        let ingestion = window.end * 1_000 + lags[index][usize::from(!founding && random.chance(7))];
        let arrival = (ingestion + 900).div_euclid(POLL) * POLL + POLL;
        let timestamp = window.start * 1_000;
        let low = (u128::from(random.next()) << 80) | (u128::from(random.next()) << 16);
        Delivery { arrival, ingestion, timestamp, stream: Arc::clone(&stream), id: event_id(timestamp, low), line }
    };
    lines.into_iter().map(delivery).collect()
}

/// Milliseconds from the end of `window` to its two puts.
fn lag(host: Host, index: usize, window: Window, random: &mut Random) -> [i64; 2] {
    let usual = random.size(24_000, 0.7, (500, 170_000)).cast_signed() + LEAST_LAG.cast_signed();
    let late = LATE.iter().find(|late| (late.0, late.1) == (host, index)).map(|late| late.2 * 1_000);
    // The founding windows come as fast as any, so that the story is told soon.
    let founding = (host == Host::Web2 && FOUNDING.contains(&window)).then_some(24_300);
    let first = founding.or(late).unwrap_or(usual);
    [first, first + random.time(3_000, 75_000)]
}

/// The id AWS would give: `timestamp` (milliseconds) shifted left by 144 bits, with `low` below it, in decimal.
fn event_id(timestamp: i64, low: u128) -> Box<str> {
    let time = u128::from(timestamp.unsigned_abs());
    // Limbs of 32 bits, the most significant first: 48 bits of time, 16 of nothing, 128 of `low`.
    let mut limbs =
        [time >> 16, (time & 0xffff) << 16, low >> 96, low >> 64, low >> 32, low].map(|bits| bits & 0xffff_ffff);
    let mut groups = Vec::new();
    while limbs.iter().any(|limb| *limb > 0) {
        let mut rest = 0;
        for limb in &mut limbs {
            let whole = (rest << 32) | *limb;
            *limb = whole / 1_000_000_000;
            rest = whole % 1_000_000_000;
        }
        groups.push(format!("{rest:09}"));
    }
    groups.reverse();
    format!("{:0>56}", groups.concat().trim_start_matches('0')).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_long_division_of_their_bits() {
        // 2^144 and 1534778806000 * 2^144 + 2^128 - 1, computed by hand with another tool.
        assert_eq!(&*event_id(1, 0), "00000000000022300745198530623141535718272648361505980416");
        assert_eq!(
            &*event_id(1_534_778_806_000, u128::MAX),
            "34226711088711063079884525617786098193379592159631507455"
        );
        assert_eq!(event_id(0, 7).len(), 56);
    }
}
