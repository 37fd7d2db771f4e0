//! An in-process `CloudWatch` Logs for what moto does not do: stream prefixes, empty pages with tokens, tokens that expire, and faults on demand.
//!
//! Speaks just enough HTTP/1.1 and JSON for `FilterLogEvents`, `DescribeLogStreams` and `DescribeLogGroups`, over plain sockets, one request a
//! connection.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::now;
use super::pattern::{self, Terms};

/// What happens to a request instead of, or before, its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// An error of AWS: HTTP status, code, message.
    Error(u16, &'static str, &'static str),
    /// An error page of something in between.
    Html502,
    /// The connection ends without an answer.
    Reset,
    /// Half of the answer, then the connection ends.
    Truncated,
    /// Half of the answer, and the rest after this many milliseconds.
    Stalled(u64),
    /// The answer comes after this many milliseconds.
    Slow(u64),
    /// An empty page with a token that leads to the page asked for.
    EmptyPage,
    /// The page asked for, with the token that led to it.
    SameToken,
    /// No trouble.
    Fine,
}

/// Throttling, as AWS words it.
pub const THROTTLED: Trouble = Trouble::Error(400, "ThrottlingException", "Rate exceeded");
/// Expired credentials, as AWS words it.
pub const EXPIRED: Trouble =
    Trouble::Error(400, "ExpiredTokenException", "The security token included in the request is expired");
/// A pagination token that is not accepted, as AWS words it.
pub const BAD_TOKEN: Trouble = Trouble::Error(400, "InvalidParameterException", "The specified nextToken is invalid.");
/// A denial, as AWS words it.
pub const DENIED: Trouble = Trouble::Error(
    400,
    "AccessDeniedException",
    "User: arn:aws:iam::123456789012:user/u is not authorized to perform: logs:FilterLogEvents on resource: \
     arn:aws:logs:us-west-1:123456789012:log-group:/vpc/fake:log-stream: because no identity-based policy allows the action",
);

/// What stands for the action of a request to EC2.
const EC2: &str = "ec2";

/// EC2's denial.
const NOT_AUTHORIZED: &str = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation.</Message></Error></Errors></Response>";

/// An event. Ids count from 0 in the order of delivery.
#[derive(Clone, Debug)]
pub struct Stored {
    pub timestamp: i64,
    pub ingestion: i64,
    pub stream: String,
    pub message: String,
    pub id: String,
}

/// What the server holds, and what it was asked.
#[derive(Default)]
pub struct State {
    pub events: Vec<Stored>,
    /// Applied to `FilterLogEvents` requests, one each; then all is fine.
    pub troubles: VecDeque<Trouble>,
    /// Applied to the same, but only to requests that carry a token.
    pub page_troubles: VecDeque<Trouble>,
    /// Applied to every request of other actions.
    pub other: Option<Trouble>,
    /// Events a page at most, whatever the request says.
    pub page: usize,
    /// Whether every first page is empty and has a token.
    pub empty_first: bool,
    /// Bodies of all `FilterLogEvents` requests.
    pub asked: Vec<Value>,
    /// Class of the log group.
    pub class: &'static str,
    /// Requests of other actions of `CloudWatch` Logs.
    pub others: usize,
    /// Status and body of EC2's answers; without them it denies.
    pub ec2: Option<(u16, String)>,
    /// The same when it is asked for interfaces, one each; the last one stays.
    pub interfaces: VecDeque<(u16, String)>,
    /// Forms that asked for interfaces.
    pub interfaces_asked: Vec<String>,
    /// Live sessions: how they behave, and what they were asked.
    pub live: super::live::Script,
    /// Milliseconds that the server's clock is ahead of the machine's. With it answers say when they were given.
    pub ahead: Option<i64>,
    /// Troubles that were applied.
    pub applied: usize,
    /// Where there is a clock, events are there from their ingestion time on.
    pub clock: Option<Arc<super::chaos::StepClock>>,
}

/// The server. It ends with the process; its threads hold nothing.
#[derive(Clone)]
pub struct Fake {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// A server with one log group, `/vpc/fake`, and pages of 10,000 events.
    pub fn start() -> Fake {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { page: 10_000, class: "STANDARD", ..State::default() }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Fake { port, state }
    }

    /// The server's state, locked.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Delivers `count` records of a stream, with timestamps over the minute that began `age` seconds ago. Their messages begin with the stream's interface.
    pub fn deliver(&self, stream: &str, count: usize, age: i64) -> Vec<(String, String)> {
        let mut state = self.state();
        let mut expected = Vec::new();
        for _ in 0..count {
            let number = state.events.len();
            let start = now() / 1000 - age + i64::try_from(number % 60).unwrap();
            let message = super::flow(stream.trim_end_matches("-all"), start, number);
            expected.push((stream.to_owned(), message.clone()));
            // As AWS makes them: 56 digits.
            let id = format!("{number:056}");
            state.events.push(Stored {
                timestamp: start * 1000,
                ingestion: now(),
                stream: stream.to_owned(),
                message,
                id,
            });
        }
        state.events.sort_by(|a, b| (a.timestamp, a.ingestion, &a.id).cmp(&(b.timestamp, b.ingestion, &b.id)));
        expected
    }
}

impl Fake {
    /// Holds these events, whether their time has come or not.
    pub fn hold(&self, arrivals: &[super::chaos::Arrival]) {
        let mut state = self.state();
        state.events.extend(arrivals.iter().map(|arrival| Stored {
            timestamp: arrival.timestamp,
            ingestion: arrival.delivery,
            stream: arrival.stream.clone(),
            message: arrival.message.clone(),
            id: arrival.id.clone(),
        }));
        state.events.sort_by(|a, b| (a.timestamp, a.ingestion, &a.id).cmp(&(b.timestamp, b.ingestion, &b.id)));
    }

    /// Delivers one message as it is, with a timestamp `age` seconds ago.
    pub fn deliver_message(&self, stream: &str, message: &str, age: i64) {
        let mut state = self.state();
        let id = format!("{:056}", state.events.len());
        let timestamp = (now() / 1000 - age) * 1000;
        state.events.push(Stored {
            timestamp,
            ingestion: now(),
            stream: stream.to_owned(),
            message: message.to_owned(),
            id,
        });
        state.events.sort_by(|a, b| (a.timestamp, a.ingestion, &a.id).cmp(&(b.timestamp, b.ingestion, &b.id)));
    }

    /// Replaces `from` by `to` in every message of a stream.
    pub fn rewrite(&self, stream: &str, from: &str, to: &str) {
        for event in self.state().events.iter_mut().filter(|event| event.stream == stream) {
            event.message = event.message.replace(from, to);
        }
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some((action, body)) = request(&mut stream) else { return };
    if action == EC2 {
        let (dated, (status, text)) = {
            let mut state = state.lock().unwrap();
            let form = body["form"].as_str().unwrap_or_default();
            let answer = if state.is_misdated(&body) { (400, MISDATED.to_owned()) } else { state.ec2(form) };
            (state.ahead.map(dated).unwrap_or_default(), answer)
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\n{dated}Content-Length: {}\r\nConnection: close\r\n\r\n",
            text.len()
        );
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text.as_bytes()));
        return;
    }
    if action == "StartLiveTail" {
        super::live::serve(stream, &body, state);
        return;
    }
    let (trouble, answer, dated) = {
        let mut state = state.lock().unwrap();
        let trouble = state.trouble(&action, &body);
        (trouble, state.answer(&action, &body, trouble), state.ahead.map(dated).unwrap_or_default())
    };
    let (status, kind, text) = match trouble {
        Trouble::Html502 => (502, "text/html", "<html><h1>502 Bad Gateway</h1></html>".to_owned()),
        Trouble::Error(status, code, message) => {
            (status, "application/x-amz-json-1.1", json!({"__type": code, "message": message}).to_string())
        }
        _ => match answer {
            Ok(answer) => (200, "application/x-amz-json-1.1", answer.to_string()),
            Err((code, message)) => {
                (400, "application/x-amz-json-1.1", json!({"__type": code, "message": message}).to_string())
            }
        },
    };
    if trouble == Trouble::Reset {
        return;
    }
    if let Trouble::Slow(millis) = trouble {
        thread::sleep(Duration::from_millis(millis));
    }
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{dated}Content-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    if let Trouble::Stalled(millis) = trouble {
        let (now, later) = text.as_bytes().split_at(text.len() / 2);
        let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(now));
        thread::sleep(Duration::from_millis(millis));
        let _ = sent.and_then(|()| stream.write_all(later));
        return;
    }
    let sent = if trouble == Trouble::Truncated { &text.as_bytes()[..text.len() / 2] } else { text.as_bytes() };
    // The client may be gone, which is its right.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(sent));
    let _ = stream.shutdown(Shutdown::Both);
}

/// Headers of an answer by a clock that is so far ahead.
fn dated(ahead: i64) -> String {
    let date = jiff::Timestamp::from_millisecond(now() + ahead).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT");
    format!("Date: {date}\r\nx-amzn-RequestId: 5b1a\r\n")
}

/// Reads one request: the action and the body.
pub(super) fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    let (head, start) = loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..at]).into_owned(), at + 4);
        }
    };
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    let length: usize = header("content-length")?.parse().ok()?;
    while bytes.len() < start + length {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    }
    let Some(target) = header("x-amz-target") else {
        // EC2's query protocol: a form.
        let form = String::from_utf8_lossy(&bytes[start..start + length]).into_owned();
        return Some((EC2.to_owned(), json!({"form": form, "date": header("x-amz-date")})));
    };
    let action = target.rsplit('.').next()?.to_owned();
    Some((action, serde_json::from_slice(&bytes[start..start + length]).ok()?))
}

type Refusal = (&'static str, &'static str);

/// What EC2 says to a signature that is more than five minutes off.
const MISDATED: &str = "<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.</Message></Error></Errors></Response>";

impl State {
    /// Whether a request was signed at another time than the server has, where the server goes by its own.
    fn is_misdated(&self, request: &Value) -> bool {
        let Some(ahead) = self.ahead else { return false };
        let signed = request["date"].as_str().unwrap_or_default();
        let signed = signed.trim_end_matches('Z').to_owned() + "+0000";
        let signed = jiff::Timestamp::strptime("%Y%m%dT%H%M%S%z", signed).unwrap().as_millisecond();
        signed.abs_diff(now() + ahead) > 300_000
    }

    fn ec2(&mut self, form: &str) -> (u16, String) {
        let denied = || (403, NOT_AUTHORIZED.to_owned());
        if !form.contains("Action=DescribeNetworkInterfaces") {
            return self.ec2.clone().unwrap_or_else(denied);
        }
        self.interfaces_asked.push(form.to_owned());
        let next =
            if self.interfaces.len() > 1 { self.interfaces.pop_front() } else { self.interfaces.front().cloned() };
        next.unwrap_or_else(denied)
    }

    fn trouble(&mut self, action: &str, body: &Value) -> Trouble {
        if action != "FilterLogEvents" {
            self.others += 1;
            return self.other.unwrap_or(Trouble::Fine);
        }
        self.asked.push(body.clone());
        let paged = body.get("nextToken").is_some();
        let trouble = if paged { self.page_troubles.pop_front() } else { None };
        let trouble = trouble.or_else(|| self.troubles.pop_front()).unwrap_or(Trouble::Fine);
        self.applied += usize::from(trouble != Trouble::Fine);
        trouble
    }

    fn answer(&self, action: &str, body: &Value, trouble: Trouble) -> Result<Value, Refusal> {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        if action == "DescribeLogGroups" {
            let arn = "arn:aws:logs:us-west-1:123456789012:log-group:/vpc/fake";
            return Ok(
                json!({"logGroups": [{"logGroupName": "/vpc/fake", "logGroupClass": self.class, "arn": format!("{arn}:*"), "logGroupArn": arn}]}),
            );
        }
        if text("logGroupName") != Some("/vpc/fake") {
            return Err(("ResourceNotFoundException", "The specified log group does not exist."));
        }
        let prefix = text("logStreamNamePrefix").unwrap_or_default();
        if action == "DescribeLogStreams" {
            let mut names: Vec<&str> = self.events.iter().map(|event| event.stream.as_str()).collect();
            names.retain(|name| name.starts_with(prefix));
            names.sort_unstable();
            names.dedup();
            let streams: Vec<Value> = names.iter().map(|name| json!({"logStreamName": name})).collect();
            return Ok(json!({"logStreams": streams}));
        }
        let number = |name: &str| body.get(name).and_then(Value::as_i64);
        let range = number("startTime").unwrap_or(0)..=number("endTime").unwrap_or(i64::MAX);
        let wanted = text("filterPattern").unwrap_or_default();
        let through = |message: &str| pattern::matches(wanted, message, Terms::Words);
        if through("").is_err() {
            return Err(("InvalidParameterException", "Invalid filter pattern"));
        }
        let present = self.clock.as_ref().map_or(i64::MAX, |clock| flowtail::source::cloudwatch::Clock::now(&**clock));
        let low = self.events.partition_point(|event| event.timestamp < *range.start());
        let high = self.events.partition_point(|event| event.timestamp <= *range.end());
        let found: Vec<&Stored> = self.events[low..high.max(low)]
            .iter()
            .filter(|event| event.ingestion <= present && event.stream.starts_with(prefix))
            .filter(|event| wanted.is_empty() || through(&event.message) == Ok(true))
            .collect();
        // A token is the id of the event that comes first on its page, and how often an empty page was put before it.
        let token = text("nextToken");
        let first = token.and_then(|token| token.split('/').next());
        let from = match first {
            Some(id) => found.iter().position(|event| event.id == id).ok_or(("InvalidParameterException", "token"))?,
            None => 0,
        };
        let empty = trouble == Trouble::EmptyPage || (self.empty_first && token.is_none());
        if empty && from < found.len() {
            let again = format!("{}/{}", found[from].id, self.applied);
            return Ok(json!({"events": [], "searchedLogStreams": [], "nextToken": again}));
        }
        let limit = number("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(self.page).min(self.page);
        let events: Vec<Value> = found[from..]
            .iter()
            .take(limit)
            .map(|event| {
                json!({"timestamp": event.timestamp, "ingestionTime": event.ingestion, "logStreamName": event.stream,
                       "message": event.message, "eventId": event.id})
            })
            .collect();
        let mut answer = json!({"events": events, "searchedLogStreams": []});
        if let Some(next) = found.get(from + limit) {
            answer["nextToken"] = json!(next.id);
        }
        if let (Trouble::SameToken, Some(token)) = (trouble, token) {
            answer["nextToken"] = json!(token);
        }
        Ok(answer)
    }
}
