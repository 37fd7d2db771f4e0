//! The contract of the command line, held by the real binary: what goes in, what comes out, and the exit code.

mod case;
mod config;
mod filters;
mod folder;
mod known;
mod life;
mod rules;
mod shapes;
mod tables;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[path = "../support/mmdb.rs"]
mod mmdb;

use serde_json::Value;

/// The four records of the founding example (DESIGN §1): priming and its answer, trigger and its answer.
const FOUNDING: &str = "\
2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 22222 11211 17 3422 5072550 1534778743 1534778802 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 22222 17 137 513727 1534778743 1534778802 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 40396 17 36 51327 1534778806 1534778866 ACCEPT OK
";

/// One of each kind that a default flow log has: a web request and its answer, ICMP, IPv6, a rejected probe, NODATA, SKIPDATA.
const MIXED: &str = "\
2 123456789012 eni-0aa0000000000000a 198.51.100.7 10.0.1.20 51000 443 6 12 3400 1700000000 1700000055 ACCEPT OK
2 123456789012 eni-0aa0000000000000a 10.0.1.20 198.51.100.7 443 51000 6 15 91000 1700000000 1700000055 ACCEPT OK
2 123456789012 eni-0aa0000000000000a 198.51.100.7 10.0.1.20 0 0 1 4 336 1700000010 1700000060 ACCEPT OK
2 123456789012 eni-0aa0000000000000a 2001:db8::7 2001:db8:1::20 40000 22 6 30 6000 1700000010 1700000070 ACCEPT OK
2 123456789012 eni-0bb0000000000000b 203.0.113.9 10.0.1.30 60000 23 6 1 40 1700000020 1700000079 REJECT OK
2 123456789012 eni-0bb0000000000000b - - - - - - - 1700000080 1700000140 - NODATA
2 123456789012 eni-0bb0000000000000b - - - - - - - 1700000140 1700000200 - SKIPDATA
";

/// The header line of the default format.
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

/// The binary with `args`; it has no terminal.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowtail"));
    // Whoever runs the tests may have a configuration of their own.
    command.env_remove("FLOWTAIL_CONFIG").env("XDG_CONFIG_HOME", "/nonexistent");
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What one run printed, and how it ended.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn of(output: Output) -> Run {
        Run {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("messages are UTF-8"),
        }
    }

    /// The lines of output as JSON objects; the run must have ended well.
    #[track_caller]
    fn objects(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// Runs with nothing on standard input.
fn run(args: &[&str]) -> Run {
    Run::of(command(args).output().expect("the binary runs"))
}

/// Runs with `input` on standard input.
fn feed(args: &[&str], input: &[u8]) -> Run {
    let mut child = command(args).stdin(Stdio::piped()).spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // The child may end before it has read everything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the binary ends");
    writer.join().expect("the writer ends");
    Run::of(output)
}

/// A file with `content` in `folder`.
fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a scratch file");
    path
}

/// A path as an argument.
fn arg(path: &Path) -> &str {
    path.to_str().expect("scratch paths are UTF-8")
}
