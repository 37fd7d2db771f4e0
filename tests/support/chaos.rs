//! Deliveries as AWS makes them, faults as networks make them, and a clock that only passes where something is waited for: all from seeds, so that
//! every run is the same but for what threads decide.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flowtail::source::cloudwatch::{Clock, Sleep};

/// Time of this clock that a request takes, milliseconds.
const ANSWER: i64 = 200;

/// A clock that stands still but for sleeps, which pass at once, and for requests through the [`Proxy`].
pub struct StepClock(AtomicI64);

impl StepClock {
    pub fn new(at: i64) -> Arc<StepClock> {
        Arc::new(StepClock(AtomicI64::new(at)))
    }

    fn pass(&self, millis: i64) -> i64 {
        self.0.fetch_add(millis, Ordering::SeqCst) + millis
    }
}

impl Clock for StepClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.pass(i64::try_from(duration.as_millis()).unwrap());
        Box::pin(tokio::task::yield_now())
    }
}

/// splitmix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % limit
    }

    fn time(&mut self, limit: i64) -> i64 {
        i64::try_from(self.below(limit.unsigned_abs())).unwrap()
    }
}

/// One event of an arrival script.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When it can be read, Unix milliseconds.
    pub delivery: i64,
    /// Unix milliseconds, whole seconds as in flow logs.
    pub timestamp: i64,
    pub stream: String,
    pub message: String,
    pub id: String,
}

/// `count` events over `streams` streams with timestamps over the `span` (milliseconds) that begins at `begin`, in order of delivery. Half are delivered
/// within two minutes of their timestamp, the others within twenty. Every hundredth message is that of the event before.
pub fn script(seed: u64, count: usize, streams: usize, begin: i64, span: i64) -> Vec<Arrival> {
    let mut dice = Dice(seed);
    let mut last: Option<(i64, String, String)> = None;
    let mut arrivals: Vec<Arrival> = (0..count)
        .map(|number| {
            let interface = format!("eni-{:017x}", number % streams);
            let start = (begin + dice.time(span)) / 1000;
            let fresh = (start * 1000, format!("{interface}-all"), super::flow(&interface, start, number));
            let (timestamp, stream, message) = last.take().filter(|_| number % 100 == 0).unwrap_or(fresh);
            last = Some((timestamp, stream.clone(), message.clone()));
            let late = if dice.below(2) == 0 { 120_000 } else { 20 * 60_000 };
            Arrival {
                delivery: timestamp + 30_000 + dice.time(late - 30_000),
                timestamp,
                stream,
                message,
                id: format!("{number:056}"),
            }
        })
        .collect();
    arrivals.sort_by_key(|arrival| arrival.delivery);
    arrivals
}

/// What a tail that resumes from the last timestamp it saw gets of a script, as `aws logs tail --follow` does (aws-cli v2, `customizations/logs/tail.py`): it
/// asks every five seconds for events from the greatest timestamp so far on, and knows the ids of that millisecond.
pub fn resumed_from_last_timestamp(arrivals: &[Arrival], from: i64, until: i64) -> usize {
    let (mut start, mut got, mut arrived) = (from, 0, 0);
    // Delivered and not read yet, whose timestamp may still be asked for. What lies before `start` never is.
    let mut waiting: Vec<i64> = Vec::new();
    let mut now = from;
    while now <= until {
        while arrived < arrivals.len() && arrivals[arrived].delivery <= now {
            waiting.push(arrivals[arrived].timestamp);
            arrived += 1;
        }
        waiting.retain(|timestamp| *timestamp >= start);
        got += waiting.len();
        start = waiting.drain(..).max().map_or(start, |newest| newest.max(start));
        now += 5000;
    }
    got
}

type Deliver = Box<dyn FnMut(i64) + Send>;

/// Stands before a server and spoils one answer in five.
pub struct Proxy {
    pub port: u16,
    spoiled: Arc<AtomicU64>,
    passed: Arc<AtomicU64>,
}

impl Proxy {
    /// A proxy to `server` on this machine. Each request takes its time on `clock`; `deliver` is told the time before a request is passed on.
    pub fn start(server: u16, seed: u64, clock: Arc<StepClock>, deliver: Deliver) -> Proxy {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let (spoiled, passed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counts = (Arc::clone(&spoiled), Arc::clone(&passed));
        let shared = Arc::new(Mutex::new((Dice(seed), deliver)));
        thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let (shared, clock, counts) = (Arc::clone(&shared), Arc::clone(&clock), counts.clone());
                thread::spawn(move || {
                    // Either side may be gone, which is its right.
                    let _ = pass(stream, server, &shared, &clock, &counts);
                });
            }
        });
        Proxy { port, spoiled, passed }
    }

    /// Requests spoiled, and requests passed on.
    pub fn counts(&self) -> (u64, u64) {
        (self.spoiled.load(Ordering::SeqCst), self.passed.load(Ordering::SeqCst))
    }
}

fn pass(
    mut client: TcpStream,
    server: u16,
    shared: &Mutex<(Dice, Deliver)>,
    clock: &StepClock,
    (spoiled, passed): &(Arc<AtomicU64>, Arc<AtomicU64>),
) -> std::io::Result<()> {
    let Some(request) = read_request(&mut client)? else { return Ok(()) };
    let (fault, part) = {
        let mut shared = shared.lock().unwrap();
        let now = clock.pass(ANSWER);
        (shared.1)(now);
        let bad = shared.0.below(5) == 0;
        (bad.then(|| shared.0.below(7)), shared.0.below(1000))
    };
    let counter = if fault.is_some() { spoiled } else { passed };
    counter.fetch_add(1, Ordering::SeqCst);
    let aws = |status: u16, code: &str| {
        let body = format!("{{\"__type\":\"{code}\",\"message\":\"by the dice\"}}");
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    match fault {
        Some(0) => return client.write_all(aws(400, "ThrottlingException").as_bytes()),
        Some(1) => return client.write_all(aws(500, "InternalFailure").as_bytes()),
        Some(2) => return client.write_all(aws(400, "ExpiredTokenException").as_bytes()),
        Some(3) => {
            let page = "HTTP/1.1 502 X\r\nContent-Type: text/html\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<h1>no</h1>";
            return client.write_all(page.as_bytes());
        }
        // A reset: the connection ends without an answer.
        Some(4) => return Ok(()),
        _ => {}
    }
    let mut upstream = TcpStream::connect(("127.0.0.1", server))?;
    upstream.write_all(&request)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    if fault.is_some() {
        // Cut anywhere: the server did its work, the client does not learn of it.
        answer.truncate(answer.len() * usize::try_from(part).unwrap() / 1000);
    }
    client.write_all(&answer)
}

/// One request as it came, but asking the server to end the connection.
fn read_request(client: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&buffer[..count]);
        let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
        let named = |line: &&str, name: &str| line.split(':').next().is_some_and(|key| key.eq_ignore_ascii_case(name));
        let length = head.lines().find(|line| named(line, "content-length"));
        let length: usize = length.and_then(|line| line.split(':').nth(1)?.trim().parse().ok()).unwrap_or(0);
        while bytes.len() < at + 4 + length {
            let count = client.read(&mut buffer)?;
            if count == 0 {
                return Ok(None);
            }
            bytes.extend_from_slice(&buffer[..count]);
        }
        let kept: Vec<&str> = head.lines().filter(|line| !named(line, "connection")).collect();
        let mut request = format!("{}\r\nConnection: close\r\n\r\n", kept.join("\r\n")).into_bytes();
        request.extend_from_slice(&bytes[at + 4..]);
        return Ok(Some(request));
    }
}
