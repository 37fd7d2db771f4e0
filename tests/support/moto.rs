//! A real moto server, pinned, in a virtual environment that the first test makes.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http;

/// What is installed. Flask and Werkzeug are what moto's server is built on; newer ones have broken it before.
const PINNED: [&str; 3] = ["moto[server,logs]==5.2.5", "flask==3.1.3", "werkzeug==3.1.9"];

/// A running moto server; ends with the value.
pub struct Moto {
    pub(super) child: Child,
    pub port: u16,
}

impl Moto {
    /// Starts a server, or says loudly why not and returns `None`. In CI that is a failure.
    pub fn start() -> Option<Moto> {
        match Moto::try_start() {
            Ok(moto) => Some(moto),
            Err(why) if std::env::var_os("CI").is_some() => panic!("no moto server: {why}"),
            Err(why) => {
                eprintln!("SKIPPED, nothing was tested against moto: {why}");
                None
            }
        }
    }

    fn try_start() -> Result<Moto, String> {
        let python = environment("moto", &PINNED)?;
        // The port may be taken between here and there; then another is tried.
        let mut why = String::new();
        for _ in 0..3 {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(text)?.port();
            let mut child = Command::new(&python)
                .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
                .env("AWS_EC2_METADATA_DISABLED", "true")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map_err(text)?;
            let limit = Instant::now() + Duration::from_mins(2);
            while Instant::now() < limit {
                if let Ok(Some(status)) = child.try_wait() {
                    why = format!("moto ended with {status}");
                    break;
                }
                if http(port, "GET", "/moto-api/data.json", "", "").is_ok_and(|(status, _)| status == 200) {
                    return Ok(Moto { child, port });
                }
                sleep(Duration::from_millis(100));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        Err(if why.is_empty() { "moto did not answer within two minutes".to_owned() } else { why })
    }

    /// One call of the `CloudWatch` Logs API.
    pub fn call(&self, action: &str, body: &Value) -> Value {
        call(self.port, action, body)
    }

    /// Makes a log group.
    pub fn group(&self, group: &str) {
        self.call("CreateLogGroup", &json!({"logGroupName": group}));
    }

    /// Makes a log stream.
    pub fn stream(&self, group: &str, stream: &str) {
        self.call("CreateLogStream", &json!({"logGroupName": group, "logStreamName": stream}));
    }

    /// Delivers records: timestamp in Unix milliseconds and message.
    pub fn put(&self, group: &str, stream: &str, records: Vec<(i64, String)>) {
        put(self.port, group, stream, records);
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python of an environment that has `pinned`, after making it if need be. Several test binaries may ask at the same time.
pub(super) fn environment(name: &str, pinned: &[&str]) -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("no target directory")?;
    let place = target.join(format!("{name}-venv"));
    let python = place.join("bin/python");
    let lock = File::create(target.join(format!("{name}-venv.lock"))).map_err(text)?;
    lock.lock().map_err(text)?;
    let ready = place.join("ready");
    if std::fs::read_to_string(&ready).is_ok_and(|known| known == pinned.join("\n")) {
        return Ok(python);
    }
    eprintln!("installing {} into {}", pinned[0], place.display());
    let place_text = place.to_string_lossy().into_owned();
    execute(Command::new("python3").args(["-m", "venv", "--clear", &place_text]))?;
    execute(
        Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(pinned),
    )?;
    std::fs::write(ready, pinned.join("\n")).map_err(text)?;
    Ok(python)
}

fn execute(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn text(error: std::io::Error) -> String {
    error.to_string()
}

/// One call to the server at `port` of the `CloudWatch` Logs API.
pub fn call(port: u16, action: &str, body: &Value) -> Value {
    let headers = format!(
        "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: Logs_20140328.{action}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=AKIDTEST/20260101/us-west-1/logs/aws4_request, SignedHeaders=host, Signature=0\r\n"
    );
    let (status, answer) = http(port, "POST", "/", &headers, &body.to_string()).expect("moto answers");
    assert_eq!(status, 200, "{action}: {answer}");
    serde_json::from_str(&answer).unwrap_or(Value::Null)
}

/// Delivers records to the server at `port`: timestamp in Unix milliseconds and message.
pub fn put(port: u16, group: &str, stream: &str, mut records: Vec<(i64, String)>) {
    records.sort_by_key(|(timestamp, _)| *timestamp);
    for part in records.chunks(10_000) {
        let events: Vec<Value> =
            part.iter().map(|(timestamp, message)| json!({"timestamp": timestamp, "message": message})).collect();
        let answer =
            call(port, "PutLogEvents", &json!({"logGroupName": group, "logStreamName": stream, "logEvents": events}));
        assert!(answer.get("rejectedLogEventsInfo").is_none_or(Value::is_null), "{answer}");
    }
}
