//! `StartLiveTail` of the in-process fake: sessions in the framing of AWS event streams (`application/vnd.amazon.eventstream`, AWS general reference,
//! "Event stream encoding"): length, length of headers, checksum of both, headers, payload, checksum of all.

use std::collections::VecDeque;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::fake::State;
use super::pattern::{self, Terms};

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the exception of a session that is three hours old.
    Timeout,
    /// With the other exception.
    Streaming,
    /// The connection is closed without a word.
    Silent,
    /// In the middle of a message.
    Torn,
}

/// How sessions behave.
#[derive(Default)]
pub struct Script {
    /// Events an update at most; the others are left out for ever. 0 for all.
    pub most: usize,
    /// After how many updates, and how, the sessions to come end; then they last.
    pub ends: VecDeque<(usize, End)>,
    /// Errors (code, message) that answer the next requests.
    pub refusals: VecDeque<(&'static str, &'static str)>,
    /// Every event is sent this many times more.
    pub again: usize,
    /// Bodies of all requests.
    pub asked: Vec<Value>,
    /// Events sent, and left out.
    pub sent: usize,
    pub left_out: usize,
}

/// Answers one request.
pub fn serve(mut stream: TcpStream, body: &Value, state: &Mutex<State>) {
    let (refusal, end, mut next) = {
        let mut state = state.lock().unwrap();
        state.live.asked.push(body.clone());
        let next = state.events.len();
        (state.live.refusals.pop_front(), state.live.ends.pop_front(), next)
    };
    if let Some((code, message)) = refusal {
        let text = json!({"__type": code, "message": message}).to_string();
        let head = format!(
            "HTTP/1.1 400 X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            text.len()
        );
        let _ = stream.write_all((head + &text).as_bytes());
        return;
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nConnection: close\r\n\r\n";
    let start =
        [head.as_bytes(), &event("initial-response", &json!({})), &event("sessionStart", &json!({"sessionId": "s"}))]
            .concat();
    if stream.write_all(&start).is_err() {
        return;
    }
    for update in 0.. {
        if let Some((_, how)) = end.filter(|(after, _)| *after == update) {
            finish(&mut stream, how);
            return;
        }
        thread::sleep(Duration::from_millis(50));
        let payload = {
            let mut state = state.lock().unwrap();
            let (from, to) = (next, state.events.len());
            next = to;
            payload(&mut state, body, from..to)
        };
        if stream.write_all(&event("sessionUpdate", &payload)).is_err() {
            return;
        }
    }
}

/// The update with the events delivered between two moments.
fn payload(state: &mut State, body: &Value, new: std::ops::Range<usize>) -> Value {
    let number = |id: &str| id.trim_start_matches('0').parse().unwrap_or(0_usize);
    let prefixes: Vec<&str> =
        body["logStreamNamePrefixes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let wanted = body["logEventFilterPattern"].as_str().unwrap_or_default();
    let mut events: Vec<_> = state.events.iter().filter(|event| new.contains(&number(&event.id))).collect();
    events.retain(|event| prefixes.is_empty() || prefixes.iter().any(|prefix| event.stream.starts_with(prefix)));
    events.retain(|event| pattern::matches(wanted, &event.message, Terms::Words) == Ok(true));
    // Not in the order of ingestion (awslabs/amazon-dynamodb-tools#323).
    events.sort_by_key(|event| std::cmp::Reverse(number(&event.id)));
    let most = if state.live.most == 0 { usize::MAX } else { state.live.most };
    let sampled = events.len() > most;
    let left_out = events.len().saturating_sub(most);
    events.truncate(most);
    let copies = events.iter().flat_map(|event| std::iter::repeat_n(event, 1 + state.live.again));
    let results: Vec<Value> = copies
        .map(|event| {
            json!({"logStreamName": event.stream, "logGroupIdentifier": "123456789012:/vpc/fake", "message": event.message,
                   "timestamp": event.timestamp, "ingestionTime": event.ingestion})
        })
        .collect();
    state.live.sent += events.len();
    state.live.left_out += left_out;
    json!({"sessionMetadata": {"sampled": sampled}, "sessionResults": results})
}

fn finish(stream: &mut TcpStream, how: End) {
    let exception =
        |kind: &str| message(&[(":message-type", "exception"), (":exception-type", kind)], &json!({"message": "over"}));
    let last = match how {
        End::Timeout => exception("SessionTimeoutException"),
        End::Streaming => exception("SessionStreamingException"),
        End::Silent => return,
        End::Torn => event("sessionUpdate", &json!({"sessionResults": []}))[..20].to_vec(),
    };
    let _ = stream.write_all(&last);
}

fn event(kind: &str, payload: &Value) -> Vec<u8> {
    message(&[(":message-type", "event"), (":event-type", kind)], payload)
}

fn message(headers: &[(&str, &str)], payload: &Value) -> Vec<u8> {
    let mut encoded = Vec::new();
    for (name, value) in headers.iter().chain(&[(":content-type", "application/json")]) {
        encoded.push(u8::try_from(name.len()).unwrap());
        encoded.extend(name.as_bytes());
        // 7: a text with its length.
        encoded.push(7);
        encoded.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        encoded.extend(value.as_bytes());
    }
    let payload = payload.to_string();
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let mut message = [length(16 + encoded.len() + payload.len()), length(encoded.len())].concat();
    message.extend(crc32(&message).to_be_bytes());
    message.extend(encoded);
    message.extend(payload.as_bytes());
    message.extend(crc32(&message).to_be_bytes());
    message
}

/// CRC-32 as in gzip.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
