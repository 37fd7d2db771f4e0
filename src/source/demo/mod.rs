//! The built-in recording: forty minutes of a small VPC on 2018-08-20, with the founding attack inside. No AWS, no network, no file.
//!
//! It is generated when it is asked for, by a seeded generator, rather than kept as data: the source says what is in it and why, a change can
//! be reviewed, and the binary carries some kilobytes instead of a megabyte. Generation takes milliseconds and gives the same
//! records on every machine.
//!
//! Only the four records of the founding attack are real, as they were published. All else is made up; addresses of the public internet are
//! drawn and mean nobody.

mod delivery;
pub(crate) mod network;
mod noise;
pub(crate) mod random;
pub(crate) mod talk;
mod traffic;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use self::network::{FOUNDING, HOSTS, Host, Window};
use self::random::Random;
use self::talk::{Record, Volume};
use super::pace::Pacer;
use crate::record::services::UDP;
use crate::record::{Batch, Event, Input, Origin, SourceState, SourceStatus};

pub use self::delivery::Delivery;

/// A screen plays the recording at this multiple of its own clock unless told otherwise.
pub const DEFAULT_SPEED: f64 = 10.0;

/// 2018-08-20 15:27:35 UTC, Unix milliseconds. A paced replay delivers at once what arrived before, as a tail that starts now reads what is
/// there already. The records of the attack's trigger arrive 40 s later: 4 s at the default speed.
const BACKLOG: i64 = 1_534_778_855_000;

/// The recorded tail believes to have everything older than this, seconds. A few windows come later and show what that belief is worth.
const USUALLY_COMPLETE: i64 = 240;

/// What `flowtail demo` plays.
#[derive(Clone, Copy, Debug, Default)]
pub struct DemoConfig {
    /// Multiple of the recorded clock; `None` is as fast as the engine takes it.
    pub speed: Option<f64>,
}

/// The whole recording, in order of delivery.
#[derive(Clone, Debug)]
pub struct Recording {
    deliveries: Vec<Delivery>,
}

impl Recording {
    /// The events in the order in which the tail read them.
    pub fn iter(&self) -> std::slice::Iter<'_, Delivery> {
        self.deliveries.iter()
    }
}

impl<'a> IntoIterator for &'a Recording {
    type Item = &'a Delivery;
    type IntoIter = std::slice::Iter<'a, Delivery>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Generates the recording: always the same one.
pub fn recording() -> Recording {
    let mut random = Random::new(0x2018_0820);
    let talks = traffic::ordinary(&mut random);
    let mut deliveries = Vec::new();
    for host in HOSTS {
        let windows = network::windows(host, &mut random);
        let mut records: Vec<(usize, Record)> =
            talks.iter().filter(|talk| talk.seen_by.contains(&host)).flat_map(|talk| talk.records(&windows)).collect();
        if host == Host::Web2 {
            records.extend(founding(&windows));
        }
        deliveries.extend(delivery::deliver(host, &windows, lines(host, &windows, &records), &mut random));
    }
    // As FilterLogEvents orders them: by timestamp, then by ingestion.
    deliveries.sort_by(|a, b| {
        (a.arrival, a.timestamp, a.ingestion, &a.id).cmp(&(b.arrival, b.timestamp, b.ingestion, &b.id))
    });
    Recording { deliveries }
}

/// The records of the founding attack on `windows` of its host: the priming fills memcached, the trigger makes it answer a spoofed sender.
fn founding(windows: &[Window]) -> Vec<(usize, Record)> {
    let attacker = IpAddr::V4(Ipv4Addr::new(13, 125, 33, 130));
    let memcached = (Host::Web2.addr(), 11_211);
    let part = |window: Window, port, there, back| {
        let index = windows.iter().position(|known| *known == window);
        let ends = [((attacker, port), memcached, there), (memcached, (attacker, port), back)];
        index.into_iter().flat_map(move |index| {
            ends.map(|(source, destination, (packets, bytes))| {
                let volume = Volume { packets, bytes };
                (index, Record { source, destination, protocol: UDP, volume, accepted: true })
            })
        })
    };
    let priming = part(FOUNDING[0], 22_222, (3_422, 5_072_550), (137, 513_727));
    priming.chain(part(FOUNDING[1], 40_396, (1, 50), (36, 51_327))).collect()
}

/// The lines that `host` logs: its `records`, NODATA for windows without, and one SKIPDATA.
fn lines(host: Host, windows: &[Window], records: &[(usize, Record)]) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> =
        records.iter().map(|(index, record)| (*index, talk::line(host, windows[*index], record))).collect();
    for (index, window) in windows.iter().enumerate() {
        if !records.iter().any(|(used, _)| *used == index) {
            lines.push((index, talk::empty_line(host, *window, "NODATA")));
        }
    }
    if host == Host::Balancer {
        // A quarter past three was too busy for AWS's own collector.
        lines.push((18, talk::empty_line(host, windows[18], "SKIPDATA")));
    }
    lines
}

/// Plays the recording into `out`, then sends [`Input::End`]. Ends early when the receiver is gone.
pub async fn run(config: DemoConfig, out: mpsc::Sender<Input>) {
    // A receiver that is gone wants no more, which is no failure.
    let _ = play(config, &out).await;
}

async fn play(config: DemoConfig, out: &mpsc::Sender<Input>) -> Result<(), mpsc::error::SendError<Input>> {
    let recording = recording();
    let origin = Arc::new(Origin { name: "demo".into(), region: Some(network::REGION.into()) });
    let mut pacer = config.speed.map(Pacer::new);
    let mut status = SourceStatus { state: SourceState::Live, ..SourceStatus::default() };
    out.send(Input::Status(Box::new(status.clone()))).await?;
    for poll in recording.deliveries.chunk_by(|a, b| a.arrival == b.arrival) {
        let arrival = poll[0].arrival;
        if let Some(pacer) = &mut pacer
            && arrival >= BACKLOG
        {
            // The anchor is the end of the backlog, not the first arrival after it.
            let now = Instant::now();
            pacer.due(BACKLOG, now);
            tokio::select! {
                () = out.closed() => return Ok(()),
                () = tokio::time::sleep_until(pacer.due(arrival, now)) => {}
            }
        }
        status.requests += 1;
        status.events_read += poll.len() as u64;
        status.complete_to = Some(arrival / 1_000 - USUALLY_COMPLETE);
        out.send(Input::Batch(batch(&origin, poll))).await?;
        out.send(Input::Status(Box::new(status.clone()))).await?;
    }
    status.state = SourceState::Ended;
    out.send(Input::Status(Box::new(status))).await?;
    out.send(Input::End).await
}

/// What one poll of the recorded tail read.
fn batch(origin: &Arc<Origin>, poll: &[Delivery]) -> Batch {
    let mut batch = Batch {
        origin: Arc::clone(origin),
        arrival: poll.first().map_or(0, |first| first.arrival),
        ..Batch::default()
    };
    for delivery in poll {
        let known = batch.streams.iter().position(|stream| *stream == delivery.stream);
        let stream = known.unwrap_or_else(|| {
            batch.streams.push(Arc::clone(&delivery.stream));
            batch.streams.len() - 1
        });
        batch.bytes.extend_from_slice(delivery.line.as_bytes());
        batch.events.push(Event {
            // A poll holds some hundred lines, so these cannot be exceeded.
            end: u32::try_from(batch.bytes.len()).unwrap_or(u32::MAX),
            stream: u32::try_from(stream).unwrap_or(u32::MAX),
            timestamp: delivery.timestamp,
            ingestion: delivery.ingestion,
            id: delivery.id.clone(),
        });
    }
    batch
}
