//! What the tests of the tail share: a plain HTTP client, a real moto server, a fake `CloudWatch`, and a collector of what a tail sends.

#![allow(dead_code, reason = "every test binary uses its own part")]

pub mod chaos;
#[path = "../../src/filter/translate/tests/insights.rs"]
pub mod eval;
pub mod fake;
pub mod insights;
pub mod live;
pub mod ministack;
pub mod moto;
pub mod pattern;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flowtail::record::{Format, Gap, Input, SourceState, SourceStatus};
use flowtail::source::cloudwatch::{Clock, Lab, Sleep, SystemClock, Tail, TailConfig};

/// The interface of the founding example.
pub const ENI: &str = "eni-0536faba73134a9b7";

/// Unix milliseconds.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Sends a request and returns status and body.
pub fn http(port: u16, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_mins(2)))?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((status, body))
}

/// `flowtail` with an environment of its own, to be run against the server at `port`.
pub fn command(port: u16, home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowtail"));
    command
        .args(arguments)
        .args(["--region", "us-west-1", "--endpoint-url", &format!("http://127.0.0.1:{port}")])
        .env_clear()
        .env("HOME", home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    command
}

/// Runs `flowtail` to its end.
pub fn flowtail(port: u16, arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    command(port, home.path(), arguments).output().unwrap()
}

/// A flow record in the default format, beginning at `start` (Unix seconds). `number` makes it unlike any other.
pub fn flow(interface: &str, start: i64, number: usize) -> String {
    format!(
        "2 622676721278 {interface} 10.0.{}.{} 172.16.0.178 {} 443 6 10 {} {start} {} ACCEPT OK",
        number / 256 % 256,
        number % 256,
        1024 + number % 60_000,
        1000 + number,
        start + 59
    )
}

/// An event as it came out of a tail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Got {
    pub stream: String,
    pub timestamp: i64,
    pub message: String,
    pub ingestion: i64,
    pub id: String,
}

/// All that a tail sent.
#[derive(Debug, Default)]
pub struct Tally {
    pub events: Vec<Got>,
    pub statuses: Vec<SourceStatus>,
    pub gaps: Vec<Gap>,
    pub ended: bool,
    pub largest_batch: usize,
    /// Formats that the last batch came with.
    pub formats: Vec<Arc<Format>>,
}

impl Tally {
    fn take(&mut self, input: Input) {
        match input {
            Input::Batch(batch) => {
                self.largest_batch = self.largest_batch.max(batch.events.len());
                self.formats.clone_from(&batch.formats);
                let mut from = 0;
                for event in &batch.events {
                    let end = event.end as usize;
                    self.events.push(Got {
                        stream: batch.streams[event.stream as usize].to_string(),
                        timestamp: event.timestamp,
                        message: String::from_utf8(batch.bytes[from..end].to_vec()).unwrap(),
                        ingestion: event.ingestion,
                        id: event.id.to_string(),
                    });
                    from = end;
                }
                assert_eq!(from, batch.bytes.len(), "bytes without an event");
            }
            Input::Status(status) => self.statuses.push(*status),
            Input::Partial(_) => panic!("a tail passes on what is whole"),
            Input::Gap(gap) => self.gaps.push(gap),
            Input::End => self.ended = true,
        }
    }

    /// Fails unless exactly these (stream, message) pairs came, each once.
    pub fn assert_exactly(&self, expected: &[(String, String)]) {
        let mut left: HashMap<(&str, &str), i64> = HashMap::new();
        for (stream, message) in expected {
            *left.entry((stream, message)).or_default() += 1;
        }
        for event in &self.events {
            *left.entry((&event.stream, &event.message)).or_default() -= 1;
        }
        let lost: Vec<_> = left.iter().filter(|(_, count)| **count > 0).take(3).collect();
        let twice: Vec<_> = left.iter().filter(|(_, count)| **count < 0).take(3).collect();
        let (came, wanted) = (self.events.len(), expected.len());
        assert!(lost.is_empty() && twice.is_empty(), "{came} of {wanted} came; lost {lost:?}; too many {twice:?}");
    }

    /// The last account that the tail gave of itself.
    pub fn last(&self) -> &SourceStatus {
        self.statuses.last().expect("a tail says something of itself")
    }

    /// Texts of all the waiting it did.
    pub fn waits(&self) -> Vec<&str> {
        self.statuses
            .iter()
            .filter_map(|status| match &status.state {
                SourceState::Waiting { why, .. } => Some(why.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// A clock that runs `factor` times as fast as the machine's.
pub struct FastClock {
    began: Instant,
    origin: i64,
    factor: u32,
}

impl FastClock {
    /// Starts at the present.
    pub fn new(factor: u32) -> Arc<FastClock> {
        Arc::new(FastClock { began: Instant::now(), origin: now(), factor })
    }
}

impl Clock for FastClock {
    fn now(&self) -> i64 {
        let elapsed = self.began.elapsed().as_millis() * u128::from(self.factor);
        self.origin + i64::try_from(elapsed).unwrap()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        SystemClock.sleep(duration / self.factor)
    }
}

/// The tail's configuration for a server on this machine.
pub fn config(port: u16, group: &str) -> TailConfig {
    TailConfig {
        groups: vec![group.to_owned()],
        max_rps: 50.0,
        region: Some("us-west-1".to_owned()),
        endpoint_url: Some(format!("http://127.0.0.1:{port}")),
        ..TailConfig::default()
    }
}

/// What tests change: credentials that need no environment, and short timeouts.
pub fn lab() -> Lab {
    Lab {
        keys: Some(("AKIDTEST".to_owned(), "secret".to_owned())),
        read_timeout: Duration::from_secs(20),
        tries: 1,
        ..Lab::default()
    }
}

/// Runs a tail to its end, calling `watch` after each message; `watch` may end it early by returning false.
pub fn run(config: TailConfig, lab: Lab, mut watch: impl FnMut(&Tally) -> bool) -> Tally {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async move {
        let tail = Tail::connect_with(config, lab).await.expect("connects");
        let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
        let running = tokio::spawn(tail.run(sender));
        let mut tally = Tally::default();
        let limit = Instant::now() + Duration::from_mins(3);
        loop {
            let next = tokio::time::timeout_at(limit.into(), receiver.recv()).await;
            let Ok(next) = next else { panic!("the tail did not end in time: {:?}", tally.statuses.last()) };
            let Some(input) = next else { break };
            tally.take(input);
            if !watch(&tally) {
                break;
            }
        }
        drop(receiver);
        running.await.expect("the tail does not panic");
        tally
    })
}
