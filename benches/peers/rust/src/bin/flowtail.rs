//! flowtail's parser, ring and pairing, alone: `flowtail parse|hold|pair FILE` prints one JSON object.

use std::sync::Arc;
use std::time::Instant;

use flowtail::detect::{Detector, Limits, Rules};
use flowtail::engine::{Config, Core};
use flowtail::record::columns::Remap;
use flowtail::record::{Batch, Decoder, Origin, Table as _};
use flowtail::store::Ring;

/// Bytes of a batch, about what the file source hands over.
const CHUNK: usize = 256 * 1024;

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(mode), Some(path)) = (args.next(), args.next()) else { panic!("flowtail parse|hold|pair FILE") };
    let text = std::fs::read(path).expect("a readable file");
    let batches = batches(&text);
    drop(text);
    let mut decoder = Decoder::new(None);
    let lines: u64;
    let seconds;
    let mut held = 0;
    match mode.as_str() {
        "parse" => {
            let begun = Instant::now();
            lines = batches.iter().map(|batch| decoder.decode(batch).columns.len() as u64).sum();
            seconds = begun.elapsed();
        }
        "hold" => {
            let mut ring = Ring::new(64 << 30);
            let begun = Instant::now();
            for batch in &batches {
                let rows = decoder.decode(batch).columns;
                let mut remap = Remap::default();
                let mut next = 0;
                while next < rows.len() {
                    next += ring.push(&rows, next..rows.len(), &mut remap).rows;
                }
            }
            seconds = begun.elapsed();
            lines = ring.len();
            held = ring.bytes();
        }
        "pair" => {
            let config = Config {
                memory: 64 << 30,
                lateness: 600,
                live: false,
                source: "bench".into(),
                region: None,
                interfaces: Vec::new(),
            fetch: None,
            };
            let mut core = Core::new(config, Detector::new(&Rules::default(), Limits::default()), false);
            let decoded: Vec<_> = batches.iter().map(|batch| decoder.decode(batch)).collect();
            lines = decoded.iter().map(|decoded| decoded.columns.len() as u64).sum();
            let begun = Instant::now();
            for decoded in &decoded {
                core.ingest(decoded);
            }
            seconds = begun.elapsed();
        }
        other => panic!("no mode {other}"),
    }
    println!("{{\"lines\": {lines}, \"seconds\": {}, \"held\": {held}}}", seconds.as_secs_f64());
}

/// Whole lines in batches of about [`CHUNK`] bytes.
fn batches(text: &[u8]) -> Vec<Batch> {
    let origin = Arc::new(Origin { name: "bench".into(), region: None });
    let mut batches = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let from = CHUNK.min(rest.len());
        let end = rest[from..].iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| from + at + 1);
        batches.push(Batch {
            origin: Arc::clone(&origin),
            bytes: rest[..end].to_vec(),
            first_line: 1,
            ..Batch::default()
        });
        rest = &rest[end..];
    }
    batches
}
