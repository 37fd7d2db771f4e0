//! How a run ends: exit codes, closed pipes, signals, and files that grow or cannot be read.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{FOUNDING, MIXED, Run, arg, command, feed, file, run};

/// How long anything may take on a busy machine before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running child that is killed when the test is over, however it is over.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Running {
        let mut child = command.spawn().expect("the binary runs");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Running { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for the end; gives the exit code and what else came out.
    fn end(&mut self) -> (Option<i32>, Vec<String>, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "the run does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut err = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut err).expect("messages are UTF-8");
        }
        (status.code(), self.lines.iter().collect(), err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_exit_code_says_whether_there_were_rows() {
    assert_eq!(feed(&["open", "-"], MIXED.as_bytes()).code, Some(0));
    assert_eq!(feed(&["open", "-"], b"").code, Some(1), "nothing came in");
    assert_eq!(feed(&["open", "-", "--filter", "port 1"], MIXED.as_bytes()).code, Some(1), "nothing matched");
    // Lost records are an alert by themselves.
    let kept: String =
        MIXED.lines().filter(|line| !line.contains("SKIPDATA")).fold(String::new(), |all, line| all + line + "\n");
    assert_eq!(feed(&["open", "-", "--print", "alerts"], kept.as_bytes()).code, Some(1), "nothing was raised");
    assert_eq!(feed(&["open", "-", "--print", "alerts"], MIXED.as_bytes()).code, Some(0), "a lost window was told");
    assert_eq!(feed(&["open", "-", "--print", "quarantine"], MIXED.as_bytes()).code, Some(1), "all lines parsed");
    assert_eq!(feed(&["open", "-", "--print", "summary"], b"").code, Some(0), "a summary is a row");
}

#[test]
fn an_unreadable_file_does_not_hide_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "good.log", MIXED);
    let missing = folder.path().join("missing.log");
    let within = good.join("no folder");
    for files in [[arg(&missing), arg(&good)], [arg(&good), arg(&missing)], [arg(&good), arg(&within)]] {
        let out = run(&["open", files[0], files[1], "--as", "log"]);
        assert_eq!((out.code, out.out.as_str()), (Some(2), MIXED), "{files:?}");
        let bad = files.iter().find(|file| **file != arg(&good)).unwrap();
        assert!(out.err.contains(bad), "{}", out.err);
    }
    let summary = run(&["open", arg(&missing), arg(&good), "--print", "summary"]);
    assert_eq!(summary.code, Some(2));
    assert_eq!(serde_json::from_str::<Value>(summary.out.trim()).unwrap()["lines"], 7);
}

#[test]
fn a_closed_pipe_is_success() {
    for what in ["flows", "sessions"] {
        let mut child = command(&["demo", "--print", what]).spawn().unwrap();
        let mut first = String::new();
        let mut out = BufReader::with_capacity(64, child.stdout.take().unwrap());
        out.read_line(&mut first).unwrap();
        drop(out);
        let ended = Run::of(child.wait_with_output().unwrap());
        assert!(first.starts_with('{'), "{first}");
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{what}");
    }
    for args in [&["fields"][..], &["rules", "list"], &["man"]] {
        let mut child = command(args).spawn().unwrap();
        drop(child.stdout.take());
        let ended = Run::of(child.wait_with_output().unwrap());
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn following_shows_what_is_appended() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = FOUNDING.lines().collect();
    let log = file(folder.path(), "growing.log", format!("{}\n{}\n", lines[0], lines[1]));
    let mut running = Running::start(command(&["open", "--follow", arg(&log), "--as", "log"]));
    assert_eq!([running.line(), running.line()], lines[..2]);
    let mut writer = OpenOptions::new().append(true).open(&log).unwrap();
    let (half, rest) = lines[2].split_at(40);
    writer.write_all(half.as_bytes()).unwrap();
    writer.flush().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    writer.write_all(format!("{rest}\n{}\n", lines[3]).as_bytes()).unwrap();
    assert_eq!([running.line(), running.line()], lines[2..], "a line that came in two parts is one line");
    running.signal("INT");
    let (code, more, err) = running.end();
    assert_eq!((code, more, err.as_str()), (Some(0), Vec::new(), ""));
}

/// Runs, lets it read, and sends a signal. A busy machine may need longer to come to reading, so it is tried again with more patience
/// until `complete` likes the output.
fn interrupted(args: &[&str], signal: &str, complete: impl Fn(&[String]) -> bool) -> Vec<String> {
    let mut last = None;
    for wait in [400, 2_000, 8_000] {
        let mut running = Running::start(command(args));
        std::thread::sleep(Duration::from_millis(wait));
        running.signal(signal);
        let (code, lines, err) = running.end();
        if code == Some(0) && err.is_empty() && complete(&lines) {
            return lines;
        }
        last = Some((code, lines, err));
    }
    panic!("SIG{signal}: {last:?}");
}

#[test]
fn a_signal_while_following_prints_the_summary_and_is_success() {
    let folder = tempfile::tempdir().unwrap();
    let log = file(folder.path(), "growing.log", FOUNDING);
    for signal in ["INT", "TERM"] {
        interrupted(&["open", "--follow", arg(&log), "--print", "sessions"], signal, |lines| lines.len() == 2);
        interrupted(&["open", "--follow", arg(&log), "--print", "summary"], signal, |lines| {
            let [line] = lines else { return false };
            let summary: Value = serde_json::from_str(line).expect("the summary is JSON");
            summary["lines"] == 4 && summary["records"] == 4 && summary["alerts"].as_u64() > Some(0)
        });
    }
}

#[test]
fn a_signal_ends_a_run_that_waits_for_standard_input() {
    let mut command = command(&["open", "-", "--as", "log"]);
    command.stdin(Stdio::piped());
    let mut running = Running::start(command);
    let mut stdin = running.child.stdin.take().unwrap();
    stdin.write_all(MIXED.as_bytes()).unwrap();
    let lines: Vec<String> = MIXED.lines().map(|_| running.line()).collect();
    assert_eq!(lines, MIXED.lines().collect::<Vec<_>>(), "what came is printed though more may come");
    running.signal("INT");
    let (code, more, _) = running.end();
    drop(stdin);
    assert_eq!((code, more), (Some(0), Vec::new()));
}
