//! A real ministack server, pinned: of the servers that run without an account the one whose `StartLiveTail` is a lasting stream. Its patterns and
//! pages are not those of AWS (it knows no `nextToken` and no `?term`), so nothing else is tested against it.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::http;
use super::moto::{Moto, environment, text};

/// What is installed.
const PINNED: [&str; 1] = ["ministack==1.5.33"];

/// Starts a server, or says loudly why not and returns `None`. In CI that is a failure. It takes the same calls as moto.
pub fn start() -> Option<Moto> {
    match try_start() {
        Ok(server) => Some(server),
        Err(why) if std::env::var_os("CI").is_some() => panic!("no ministack server: {why}"),
        Err(why) => {
            eprintln!("SKIPPED, nothing was tested against ministack: {why}");
            None
        }
    }
}

fn try_start() -> Result<Moto, String> {
    let python = environment("ministack", &PINNED)?;
    let program = python.with_file_name("ministack");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(text)?.port();
    // Unless told otherwise it listens on all interfaces.
    let child = Command::new(&program)
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(text)?;
    let mut server = Moto { child, port };
    let limit = Instant::now() + Duration::from_mins(2);
    while Instant::now() < limit {
        if let Ok(Some(status)) = server.child.try_wait() {
            return Err(format!("ministack ended with {status}"));
        }
        if http(port, "GET", "/_ministack/health", "", "").is_ok_and(|(status, _)| status == 200) {
            return Ok(server);
        }
        sleep(Duration::from_millis(100));
    }
    Err("ministack did not answer within two minutes".to_owned())
}
