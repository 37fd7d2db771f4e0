//! What a page of CloudWatch JSON costs on its way to the ring, beside decoding its JSON alone.
//!
//! ```text
//! cargo run --release --no-default-features --example json_page -- FILE [ROUNDS]
//! ```
//!
//! Makes thirty answers of `FilterLogEvents` out of the first 300,000 lines of FILE, 10,000 events each, as AWS spells them. Each round decodes all
//! of them once into structures that borrow from the answer and drops them, and once goes on from there: events to a batch, as the tail does, batch
//! to columns, columns to the ring. The two alternate page by page. Prints medians in a table: nanoseconds an event that the thread had a processor.

use std::borrow::Cow;
use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;

use flowtail::record::{Batch, Decoder, Event, Origin};
use flowtail::store::Ring;
use serde::Deserialize;

const PAGES: usize = 30;
const EVENTS: usize = 10_000;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    events: Vec<Found<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    #[serde(borrow)]
    log_stream_name: Cow<'a, str>,
    timestamp: i64,
    #[serde(borrow)]
    message: Cow<'a, str>,
    ingestion_time: i64,
    #[serde(borrow)]
    event_id: Cow<'a, str>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(path), rounds) = (args.first(), args.get(1).map_or(Ok(9), |rounds| rounds.parse())) else {
        eprintln!("json_page FILE [ROUNDS]");
        return ExitCode::from(2);
    };
    match rounds.map_err(|error: std::num::ParseIntError| error.to_string()).and_then(|rounds| run(path, rounds)) {
        Ok(table) => println!("{table}"),
        Err(why) => {
            eprintln!("{path}: {why}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn run(path: &str, rounds: usize) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let lines: Vec<&str> = text.lines().take(PAGES * EVENTS).collect();
    let pages: Vec<Vec<u8>> = lines.chunks(EVENTS).map(page).collect();
    let (mut json, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut ring = Ring::new(64 << 30);
        let mut decoder = Decoder::new(None);
        let (mut alone, mut held) = (0, 0);
        for page in &pages {
            let begun = busy();
            drop(decode(page)?);
            alone += busy() - begun;
            let begun = busy();
            let out = decoder.decode(&batch(&decode(page)?));
            ring.push_all(&out.columns);
            drop(out);
            held += busy() - begun;
        }
        if ring.len() != lines.len() as u64 {
            return Err(format!("{} of {} lines are records", ring.len(), lines.len()));
        }
        json.push(alone / lines.len() as u64);
        whole.push(held / lines.len() as u64);
    }
    json.sort_unstable();
    whole.sort_unstable();
    let (json, whole) = (json[rounds / 2], whole[rounds / 2]);
    let more = (whole * 100 / json.max(1)).saturating_sub(100);
    Ok(format!(
        "| {} events, median of {rounds} rounds | ns of processor an event |\n|---|---|\n| JSON alone | {json} |\n\
         | JSON, batch, columns, ring | {whole} ({more} % more) |",
        lines.len()
    ))
}

/// An answer with an event for each of `lines`.
fn page(lines: &[&str]) -> Vec<u8> {
    let event = |(at, line): (usize, &&str)| {
        let words: Vec<&str> = line.split(' ').collect();
        let stream = format!("{}-all", words.get(2).unwrap_or(&"eni-0"));
        let timestamp = words.get(10).and_then(|start| start.parse::<i64>().ok()).unwrap_or(0) * 1000;
        serde_json::json!({
            "logStreamName": stream, "timestamp": timestamp, "message": line, "ingestionTime": timestamp + 95_000,
            "eventId": format!("{at:056}"),
        })
    };
    let events: Vec<_> = lines.iter().enumerate().map(event).collect();
    serde_json::json!({ "events": events, "nextToken": "x".repeat(200), "searchedLogStreams": [] }).to_string().into()
}

fn decode(page: &[u8]) -> Result<Page<'_>, String> {
    serde_json::from_slice(page).map_err(|error| error.to_string())
}

fn batch(page: &Page<'_>) -> Batch {
    let origin = Arc::new(Origin { name: "page".into(), region: None });
    let mut batch = Batch { origin, ..Batch::default() };
    let mut streams: HashMap<&str, u32> = HashMap::new();
    for found in &page.events {
        let stream = *streams.entry(&found.log_stream_name).or_insert_with(|| {
            batch.streams.push((*found.log_stream_name).into());
            u32::try_from(batch.streams.len() - 1).unwrap_or(u32::MAX)
        });
        batch.bytes.extend_from_slice(found.message.as_bytes());
        batch.events.push(Event {
            end: u32::try_from(batch.bytes.len()).unwrap_or(u32::MAX),
            stream,
            timestamp: found.timestamp,
            ingestion: found.ingestion_time,
            id: (*found.event_id).into(),
        });
    }
    batch
}

/// Nanoseconds that this thread has had a processor, as Linux tells it; 0 elsewhere.
fn busy() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}
