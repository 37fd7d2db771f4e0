//! An in-process Logs Insights: `StartQuery`, `GetQueryResults` and `StopQuery` over HTTP, answered by evaluating the documented subset of the query
//! language over records: `fields`, `filter`, `parse`, `stats … by …` (with `bin`), `sort`, `limit`. Row limits, pages, partial results while a query
//! runs, and faults on demand.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use serde_json::{Value, json};

use super::ENI;
use super::eval;
use super::fake::{Stored, request};

/// Columns of a row.
type Row = Vec<(String, String)>;

struct Query {
    rows: Vec<Row>,
    scanned: usize,
    /// Looks that still find it running.
    looks: usize,
    status: &'static str,
    over: bool,
}

/// What the server holds, and what it was asked.
#[derive(Default)]
pub struct State {
    pub events: Vec<Stored>,
    /// Rows a page at most.
    pub page: usize,
    /// Looks that find a query running before it ends.
    pub looks: usize,
    /// How queries end, one each; then all are `Complete`.
    pub ends: VecDeque<&'static str>,
    /// Errors of `StartQuery` and of `GetQueryResults`, one each: code and message.
    pub start_troubles: VecDeque<(&'static str, &'static str)>,
    pub result_troubles: VecDeque<(&'static str, &'static str)>,
    /// Queries at a time; more are refused.
    pub most_at_once: usize,
    /// Queries over more seconds than this time out.
    pub longest: i64,
    /// Bodies of all `StartQuery` requests that were taken.
    pub started: Vec<Value>,
    /// Ids that were stopped while they ran.
    pub stopped: Vec<String>,
    /// Most queries that ran at a time.
    pub at_once: usize,
    /// Pages asked for by token.
    pub pages: usize,
    /// Requests refused because of `most_at_once`.
    pub refused: usize,
    /// Comparisons whose result is not documented.
    pub undefined: usize,
    queries: HashMap<String, Query>,
}

/// The server. It ends with the process.
#[derive(Clone)]
pub struct Insights {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Insights {
    /// A server with one log group, `/vpc/fake`.
    pub fn start() -> Insights {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let first = State { page: 10_000, looks: 1, most_at_once: 30, longest: i64::MAX, ..State::default() };
        let state = Arc::new(Mutex::new(first));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Insights { port, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Holds a message of the stream of its interface, with its time in Unix seconds.
    pub fn put(&self, start: i64, message: &str) {
        let mut state = self.state();
        let id = format!("ptr{:08}", state.events.len());
        let stream = format!("{}-all", message.split(' ').nth(2).unwrap_or("eni-0"));
        state.events.push(Stored {
            timestamp: start * 1000,
            ingestion: start * 1000 + 300_000,
            stream,
            message: message.to_owned(),
            id,
        });
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some((action, body)) = request(&mut stream) else { return };
    let answer = match state.lock() {
        Ok(mut state) => state.answer(&action, &body),
        Err(_) => Err(("InternalFailure", "the server failed")),
    };
    let (status, text) = match answer {
        Ok(answer) => (200, answer.to_string()),
        Err((code, message)) => (400, json!({"__type": code, "message": message}).to_string()),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text.as_bytes()));
}

impl State {
    fn answer(&mut self, action: &str, body: &Value) -> Result<Value, (&'static str, &'static str)> {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        match action {
            "DescribeLogGroups" => {
                let stored: usize = self.events.iter().map(|event| event.message.len()).sum();
                Ok(
                    json!({"logGroups": [{"logGroupName": "/vpc/fake", "storedBytes": stored, "creationTime": 0, "logGroupClass": "STANDARD"}]}),
                )
            }
            "FilterLogEvents" => {
                let limit = usize::try_from(body["limit"].as_u64().unwrap_or(10_000)).unwrap();
                let (from, to) =
                    (body["startTime"].as_i64().unwrap_or(0), body["endTime"].as_i64().unwrap_or(i64::MAX));
                let skip: usize = body["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
                let mut wanted: Vec<&Stored> =
                    self.events.iter().filter(|event| (from..=to).contains(&event.timestamp)).collect();
                wanted.sort_by_key(|event| (event.timestamp, event.ingestion));
                let events: Vec<Value> = wanted.iter().skip(skip).take(limit).map(|event| {
                    json!({"timestamp": event.timestamp, "ingestionTime": event.ingestion, "logStreamName": event.stream, "message": event.message, "eventId": event.id})
                }).collect();
                let mut answer = json!({"events": events});
                if skip + limit < wanted.len() {
                    answer["nextToken"] = json!((skip + limit).to_string());
                }
                Ok(answer)
            }
            "StartQuery" => self.start(body),
            "GetQueryResults" => self.results(&text("queryId"), body["nextToken"].as_str()),
            "StopQuery" => {
                let id = text("queryId");
                let query = self.queries.get_mut(&id).filter(|query| !query.over);
                let query = query.ok_or(("InvalidParameterException", "The query has ended."))?;
                query.over = true;
                self.stopped.push(id);
                Ok(json!({"success": true}))
            }
            _ => Err(("UnknownOperationException", "")),
        }
    }

    fn start(&mut self, body: &Value) -> Result<Value, (&'static str, &'static str)> {
        if let Some(trouble) = self.start_troubles.pop_front() {
            return Err(trouble);
        }
        if body["logGroupNames"] != json!(["/vpc/fake"]) {
            return Err(("ResourceNotFoundException", "The specified log group does not exist."));
        }
        let running = self.queries.values().filter(|query| !query.over).count();
        if running >= self.most_at_once {
            self.refused += 1;
            return Err(("LimitExceededException", "Account maximum query concurrency limit exceeded"));
        }
        self.at_once = self.at_once.max(running + 1);
        let (from, to) = (body["startTime"].as_i64().unwrap(), body["endTime"].as_i64().unwrap());
        let text = body["queryString"].as_str().unwrap();
        let events: Vec<&Stored> =
            self.events.iter().filter(|event| (from * 1000..=to * 1000).contains(&event.timestamp)).collect();
        let scanned = events.iter().map(|event| event.message.len()).sum();
        let (rows, undefined) = evaluate(text, &events);
        self.undefined += undefined;
        let status = if to - from > self.longest { "Timeout" } else { self.ends.pop_front().unwrap_or("Complete") };
        let id = format!("query-{}", self.started.len());
        self.started.push(body.clone());
        self.queries.insert(id.clone(), Query { rows, scanned, looks: self.looks, status, over: false });
        Ok(json!({"queryId": id}))
    }

    fn results(&mut self, id: &str, token: Option<&str>) -> Result<Value, (&'static str, &'static str)> {
        if let Some(trouble) = self.result_troubles.pop_front() {
            return Err(trouble);
        }
        let page = self.page;
        let query = self.queries.get_mut(id).ok_or(("ResourceNotFoundException", "no such query"))?;
        let show = |rows: &[Row]| -> Vec<Value> {
            rows.iter()
                .map(|row| row.iter().map(|(name, value)| json!({"field": name, "value": value})).collect())
                .collect()
        };
        if query.looks > 0 {
            query.looks -= 1;
            // Partial: some of the rows, in no order.
            let mut part: Vec<Row> = query.rows.iter().step_by(2).take(page).cloned().collect();
            part.reverse();
            let status = if query.looks % 2 == 0 { "Running" } else { "Scheduled" };
            return Ok(
                json!({"status": status, "results": show(&part), "statistics": {"bytesScanned": query.scanned / 2}}),
            );
        }
        query.over = true;
        if query.status != "Complete" {
            return Ok(json!({"status": query.status, "results": [], "statistics": {"bytesScanned": query.scanned}}));
        }
        self.pages += usize::from(token.is_some());
        let at: usize = token.map_or(0, |token| token.parse().unwrap());
        let end = (at + page).min(query.rows.len());
        let mut answer = json!({"status": "Complete", "results": show(&query.rows[at..end]), "statistics": {"bytesScanned": query.scanned}});
        if end < query.rows.len() {
            answer["nextToken"] = json!(end.to_string());
        }
        Ok(answer)
    }
}

/// The rows of a query over events, and how often it asked for what is not documented.
pub fn evaluate(query: &str, events: &[&Stored]) -> (Vec<Row>, usize) {
    let mut undefined = 0;
    let mut found = Vec::new();
    for event in events {
        let (answer, mut fields) = eval::read(query, &event.message, &event.stream, event.ingestion);
        undefined += usize::from(answer.is_none());
        if answer == Some(false) {
            continue;
        }
        fields.insert("@timestamp".to_owned(), moment(event.timestamp));
        fields.insert("@ingestionTime".to_owned(), moment(event.ingestion));
        fields.insert("@ptr".to_owned(), event.id.clone());
        found.push((event.timestamp, fields));
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut columns: Vec<String> = vec!["@timestamp".to_owned(), "@message".to_owned()];
    let mut grouped = false;
    let mut limit = 10_000;
    for command in query.split("\n| ") {
        if let Some(list) = command.strip_prefix("fields ").filter(|list| !list.contains('(')) {
            columns = list.split(", ").map(str::to_owned).collect();
        } else if let Some(stats) = command.strip_prefix("stats ") {
            rows = sums(stats, &found);
            grouped = true;
        } else if let Some(sort) = command.strip_prefix("sort ") {
            let (name, order) = sort.split_once(' ').expect("an order");
            if grouped {
                let value = |row: &Row| -> f64 {
                    row.iter().find(|(own, _)| own == name).map_or(0.0, |(_, value)| value.parse().unwrap_or(0.0))
                };
                rows.sort_by(|a, b| value(a).total_cmp(&value(b)));
                if order == "desc" {
                    rows.reverse();
                }
            } else {
                assert_eq!(name, "@timestamp");
                found.sort_by_key(|(timestamp, _)| *timestamp);
                if order == "desc" {
                    found.reverse();
                }
            }
        } else if let Some(number) = command.strip_prefix("limit ") {
            limit = number.parse().expect("a number");
            assert!((1..=100_000).contains(&limit));
        }
    }
    if !grouped {
        columns.push("@ptr".to_owned());
        let row = |fields: &HashMap<String, String>| -> Row {
            columns.iter().filter_map(|name| fields.get(name).map(|value| (name.clone(), value.clone()))).collect()
        };
        rows = found.iter().map(|(_, fields)| row(fields)).collect();
    }
    rows.truncate(limit);
    (rows, undefined)
}

/// `sum(a) as x, count(*) as y by b, bin(1h)`.
fn sums(stats: &str, found: &[(i64, HashMap<String, String>)]) -> Vec<Row> {
    let (sums, by) = stats.rsplit_once(" by ").expect("groups");
    let by: Vec<&str> = by.split(", ").collect();
    let mut groups: BTreeMap<Vec<Option<String>>, Vec<&HashMap<String, String>>> = BTreeMap::new();
    for (timestamp, fields) in found {
        let key = by.iter().map(|name| match name.strip_prefix("bin(").and_then(|rest| rest.strip_suffix(')')) {
            Some(width) => {
                let (number, unit) = width.split_at(width.len() - 1);
                let unit = match unit {
                    "s" => 1_000,
                    "m" => 60_000,
                    "h" => 3_600_000,
                    _ => 86_400_000,
                };
                let width = number.parse::<i64>().expect("a width") * unit;
                Some(moment(timestamp.div_euclid(width) * width))
            }
            None => fields.get(*name).cloned(),
        });
        groups.entry(key.collect()).or_default().push(fields);
    }
    let aggregate = |text: &str, rows: &[&HashMap<String, String>]| -> (String, String) {
        let (function, name) = text.split_once(" as ").expect("a name");
        let (function, field) = function.trim_end_matches(')').split_once('(').expect("a function");
        let numbers: Vec<f64> = rows.iter().filter_map(|row| row.get(field)?.parse().ok()).collect();
        let value = match function {
            "count" => Some(rows.len().to_string()),
            "sum" => Some(numbers.iter().sum::<f64>().to_string()),
            "min" => numbers.iter().copied().reduce(f64::min).map(|value| value.to_string()),
            "max" => numbers.iter().copied().reduce(f64::max).map(|value| value.to_string()),
            other => panic!("{other} is not evaluated"),
        };
        (name.to_owned(), value.unwrap_or_default())
    };
    groups
        .into_iter()
        .map(|(key, rows)| {
            let named = by.iter().zip(key).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
            named.chain(sums.split(", ").map(|sum| aggregate(sum, &rows))).collect()
        })
        .collect()
}

/// `2018-08-20 15:26:46.000`.
fn moment(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).unwrap().strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// First second of the records.
pub const START: i64 = 1_534_770_000;

/// A record that begins `offset` seconds after [`START`].
pub fn record(
    offset: i64,
    from: (&str, u32),
    to: (&str, u32),
    protocol: u32,
    amounts: (u64, u64),
    action: &str,
) -> String {
    let start = START + offset;
    format!(
        "2 622676721278 {ENI} {} {} {} {} {protocol} {} {} {start} {} {action} OK",
        from.0,
        to.0,
        from.1,
        to.1,
        amounts.1,
        amounts.0,
        start + 59
    )
}

/// The founding example among ordinary traffic; gives how many records there are.
pub fn founding(server: &Insights) -> usize {
    let (attacker, victim) = ("13.125.33.130", "172.16.0.178");
    for (start, end, from, to, packets, bytes) in [
        (1_534_778_743, 1_534_778_802, (attacker, 22_222), (victim, 11_211), 3_422, 5_072_550),
        (1_534_778_743, 1_534_778_802, (victim, 11_211), (attacker, 22_222), 137, 513_727),
        (1_534_778_806, 1_534_778_866, (attacker, 40_396), (victim, 11_211), 1, 50),
        (1_534_778_806, 1_534_778_866, (victim, 11_211), (attacker, 40_396), 36, 51_327),
    ] {
        let line = format!(
            "2 622676721278 {ENI} {} {} {} {} 17 {packets} {bytes} {start} {end} ACCEPT OK",
            from.0, to.0, from.1, to.1
        );
        server.put(start, &line);
    }
    for number in 0..600_u32 {
        let peer = format!("10.0.{}.{}", number / 200, number % 200 + 1);
        let amounts = (1_000 + u64::from(number), 10);
        server.put(
            START + i64::from(number) * 20,
            &record(i64::from(number) * 20, (&peer, 40_000 + number), (victim, 443), 6, amounts, "ACCEPT"),
        );
    }
    604
}
