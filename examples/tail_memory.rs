//! Memory of a long tail: millions of events through the AWS SDK, an HTTP connection and the tail, in stepped time.
//!
//! ```text
//! cargo run --release --example tail_memory [-- MILLIONS]
//! ```
//!
//! The server is in the same process and holds nothing: it makes each event when it is asked for. What the tail passes on is dropped, so what
//! grows is the tail's. Ends with an error where something was lost, came twice, or memory grew.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use flowtail::record::Input;
use flowtail::source::cloudwatch::{Clock, Lab, Sleep, Tail, TailConfig};
use serde_json::Value;

/// Events a second.
const RATE: i64 = 2500;

/// Look-back, seconds.
const LOOKBACK: u64 = 600;

/// Longest delivery, milliseconds.
const LATEST: u64 = 100_000;

/// Some moment, Unix milliseconds.
const BEGIN: i64 = 1_795_500_013_000;

/// Events of a page. API reference, `FilterLogEvents`.
const PAGE: usize = 10_000;

/// Time passes by sleeping, which takes none, and by requests.
struct StepClock(AtomicI64);

impl StepClock {
    fn pass(&self, millis: i64) -> i64 {
        self.0.fetch_add(millis, Ordering::SeqCst) + millis
    }
}

impl Clock for StepClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.pass(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2));
        Box::pin(tokio::task::yield_now())
    }
}

fn timestamp(number: i64) -> i64 {
    BEGIN + number * 1000 / RATE
}

fn delivery(number: i64) -> i64 {
    let mixed = number.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    timestamp(number) + i64::try_from(mixed % LATEST).unwrap_or(0)
}

/// Answers one request. `count` events there are.
fn serve(mut stream: TcpStream, clock: &StepClock, count: i64) -> std::io::Result<()> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 8192]);
    let start = loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..start]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    while bytes.len() < start + length {
        let read = stream.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
    let body: Value = serde_json::from_slice(&bytes[start..]).unwrap_or_default();
    // Only FilterLogEvents has a start; what else is asked finds nothing.
    let answer = match body["startTime"].as_i64() {
        Some(from) => page(from, body["endTime"].as_i64().unwrap_or(from), &body["nextToken"], clock.pass(200), count),
        None => "{}".to_owned(),
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    )
}

fn page(from: i64, to: i64, token: &Value, now: i64, count: i64) -> String {
    let first = |time: i64| ((time - BEGIN) * RATE + 999).div_euclid(1000).clamp(0, count);
    let from = token.as_str().and_then(|token| token.parse().ok()).unwrap_or_else(|| first(from));
    let mut text = String::from("{\"events\":[");
    let mut next = None;
    for (events, number) in (from..first(to + 1)).filter(|number| delivery(*number) <= now).enumerate() {
        if events == PAGE {
            next = Some(number);
            break;
        }
        let comma = if events > 0 { "," } else { "" };
        let (at, eni) = (timestamp(number), number % 20);
        // Into memory, which does not fail.
        let _ = write!(
            text,
            "{comma}{{\"logStreamName\":\"eni-{eni:017x}-all\",\"timestamp\":{at},\"ingestionTime\":{},\"eventId\":\"{number:056}\",\
             \"message\":\"2 622676721278 eni-{eni:017x} 10.0.0.1 10.0.0.2 443 40000 6 10 {number} {} {} ACCEPT OK\"}}",
            delivery(number),
            at / 1000,
            at / 1000 + 59
        );
    }
    text.push(']');
    if let Some(next) = next {
        let _ = write!(text, ",\"nextToken\":\"{next}\"");
    }
    text.push('}');
    text
}

/// Resident megabytes of this process; 0 where the system does not tell.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[tokio::main]
async fn main() -> ExitCode {
    let millions: i64 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(5);
    let count = millions * 1_000_000;
    let clock = Arc::new(StepClock(AtomicI64::new(BEGIN)));
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("a port").port();
    let server = Arc::clone(&clock);
    std::thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            // The client may be gone, which is its right.
            let _ = serve(stream, &server, count);
        }
    });
    let length = u64::try_from(count / RATE).unwrap_or(0) + LATEST / 1000 + LOOKBACK;
    let config = TailConfig {
        groups: vec!["/vpc/endless".to_owned()],
        since: Duration::ZERO,
        lookback: Duration::from_secs(LOOKBACK),
        run_for: Some(Duration::from_secs(length)),
        max_rps: 4.0,
        region: Some("us-west-1".to_owned()),
        endpoint_url: Some(format!("http://127.0.0.1:{port}")),
        ..TailConfig::default()
    };
    let keys = Some(("AKIDTEST".to_owned(), "secret".to_owned()));
    let tail = match Box::pin(Tail::connect_with(config, Lab { clock, keys, ..Lab::default() })).await {
        Ok(tail) => tail,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let began = Instant::now();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    tokio::spawn(tail.run(sender));
    println!("| passed on | read | ids remembered | their tables | resident |\n|---|---|---|---|---|");
    let (mut came, mut gaps, mut samples) = (0_usize, 0, Vec::new());
    let mut status = flowtail::record::SourceStatus::default();
    while let Some(input) = receiver.recv().await {
        match input {
            Input::Batch(batch) => came += batch.events.len(),
            Input::Status(told) => status = *told,
            Input::Partial(_) => {}
            Input::Gap(_) => gaps += 1,
            Input::End => break,
        }
        if came / 500_000 > samples.len() {
            samples.push(resident());
            let figures = status.tail.unwrap_or_default();
            println!(
                "| {came} | {} | {} | {:.1} MB | {} MB |",
                status.events_read,
                figures.ids,
                f64::from(u32::try_from(figures.id_bytes / 1000).unwrap_or(u32::MAX)) / 1000.0,
                resident()
            );
        }
    }
    println!(
        "\n{came} of {count} events passed on, {gaps} gaps, {} read in {} requests; {:.0} s",
        status.events_read,
        status.requests,
        began.elapsed().as_secs_f64()
    );
    // Look-back is full after 1.75 million.
    let grown =
        samples.get(3..).is_some_and(|later| later.last() > later.first().map(|first| first + first / 5).as_ref());
    if i64::try_from(came) != Ok(count) || gaps > 0 || grown {
        eprintln!("not as it should be: {}", if grown { "memory grew" } else { "events were lost or came twice" });
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
