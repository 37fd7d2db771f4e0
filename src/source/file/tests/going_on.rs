//! Inputs that go on: files that are followed, pipes that are slow or silent, and a replay.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::super::reader::{How, Stop, read_stream, spawn_with};
use super::super::*;
use super::{PATIENCE, collect, event, open, read_all, record, runtime};
use crate::record::SourceState;

/// Receives until `want` lines are there; the time of each is when its batch came.
async fn lines(inputs: &mut mpsc::Receiver<Input>, want: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < want {
        if let Input::Batch(batch) = timeout(PATIENCE, inputs.recv()).await.unwrap().unwrap() {
            all.extend(
                String::from_utf8_lossy(&batch.bytes).lines().map(|line| format!("{}:{line}", batch.first_line)),
            );
        }
    }
    all
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn follow_sees_appended_lines_truncation_and_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.log");
    fs::write(&path, "a\nb").unwrap();
    runtime().block_on(async {
        let (out, mut inputs) = mpsc::channel(4);
        let task = tokio::spawn(run(OpenConfig { follow: true, ..open(&[&path]) }, out));
        assert_eq!(lines(&mut inputs, 1).await, ["1:a"]);
        append(&path, "b\nc\n");
        assert_eq!(lines(&mut inputs, 2).await, ["2:bb", "2:c"], "half a line waits for its end");

        File::create(&path).unwrap();
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        append(&path, "d\n");
        assert_eq!(lines(&mut inputs, 1).await, ["1:d"], "after a truncation it begins anew");

        fs::rename(&path, folder.path().join("flows.log.1")).unwrap();
        append(&folder.path().join("flows.log.1"), "last of the old\n");
        fs::write(&path, "first of the new\n").unwrap();
        assert_eq!(lines(&mut inputs, 2).await, ["2:last of the old", "1:first of the new"]);

        fs::remove_file(&path).unwrap();
        let gone = async {
            loop {
                if let Input::Status(status) = inputs.recv().await.unwrap()
                    && let Some(note) = status.note
                {
                    return note;
                }
            }
        };
        assert!(timeout(PATIENCE, gone).await.unwrap().contains("waiting for it to come back"));
        fs::write(&path, "back\n").unwrap();
        assert_eq!(lines(&mut inputs, 1).await, ["1:back"]);

        drop(inputs);
        assert_eq!(timeout(PATIENCE, task).await.unwrap().unwrap(), Ok(()), "it ends when the receiver is gone");
    });
}

#[test]
fn a_followed_file_that_was_read_says_so_though_its_last_line_is_not_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.log");
    let many: String = (0..50_000).map(|at| record(1, 1_534_778_000 + at / 100)).collect();
    fs::write(&path, many + "half a li").unwrap();
    runtime().block_on(async {
        let (out, mut inputs) = mpsc::channel(4);
        let task = tokio::spawn(run(OpenConfig { follow: true, ..open(&[&path]) }, out));
        let all = async {
            loop {
                if let Input::Status(status) = inputs.recv().await.unwrap()
                    && let Some((read, total)) = status.progress
                    && read == total
                    && read > 0
                {
                    return;
                }
            }
        };
        timeout(PATIENCE, all).await.expect("it is told that nothing is left to read");
        drop(inputs);
        assert_eq!(timeout(PATIENCE, task).await.unwrap().unwrap(), Ok(()));
    });
}

#[test]
fn followed_files_do_not_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    fs::write(&one, record(1, 1_534_778_000)).unwrap();
    fs::write(&two, "").unwrap();
    runtime().block_on(async {
        let (out, mut inputs) = mpsc::channel(4);
        let task = tokio::spawn(run(OpenConfig { follow: true, ..open(&[&one, &two]) }, out));
        lines(&mut inputs, 1).await;
        for step in 0..3 {
            append(if step == 1 { &one } else { &two }, &record(step, 1_534_778_000));
            assert!(lines(&mut inputs, 1).await[0].contains(&format!("10.0.0.2 {step} ")));
        }
        drop(inputs);
        assert_eq!(timeout(PATIENCE, task).await.unwrap().unwrap(), Ok(()));
    });
}

/// A pipe whose writer is a channel. The second part is what did not fit into the last read.
struct Pipe(std::sync::mpsc::Receiver<io::Result<Vec<u8>>>, VecDeque<u8>);

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.1.is_empty() {
            let Ok(data) = self.0.recv() else { return Ok(0) };
            self.1.extend(data?);
        }
        self.1.read(into)
    }
}

pub(super) type Writer = std::sync::mpsc::Sender<io::Result<Vec<u8>>>;

pub(super) fn pipe(how: How) -> (Writer, (Arc<Origin>, mpsc::Receiver<Report>)) {
    let (writer, reader) = std::sync::mpsc::channel();
    let reports =
        spawn_with("stdin", how, move |sink| -> Result<(), Stop> { read_stream(Pipe(reader, VecDeque::new()), sink) });
    (writer, (Arc::new(Origin { name: "stdin".into(), region: None }), reports))
}

#[test]
fn a_line_from_a_slow_pipe_is_not_kept_waiting() {
    runtime().block_on(async {
        let (writer, input) = pipe(How { follow: false, timed: false });
        let (out, mut inputs) = mpsc::channel(4);
        let task = tokio::spawn(Merger::new(vec![(input.0, Feed::Open(input.1))], None, out).run());
        for step in 0..5 {
            let sent = Instant::now();
            writer.send(Ok(format!("line {step}\nhalf").into_bytes())).unwrap();
            let got = lines(&mut inputs, 1).await;
            // The promise is 100 ms; a loaded test machine gets the benefit of the doubt.
            assert!(sent.elapsed() < Duration::from_secs(2), "{:?}", sent.elapsed());
            assert!(got[0].ends_with(&format!("line {step}")));
        }
        drop(writer);
        assert_eq!(lines(&mut inputs, 1).await, ["6:half"]);
        assert!(matches!(
            timeout(PATIENCE, inputs.recv()).await.unwrap(),
            Some(Input::Status(status)) if status.state == SourceState::Ended
        ));
        assert!(matches!(inputs.recv().await, Some(Input::End)));
        assert_eq!(task.await.unwrap(), Ok(()));
    });
}

#[test]
fn a_silent_pipe_does_not_hold_back_a_file_and_an_error_in_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.log");
    fs::write(&path, record(1, 1_534_778_000)).unwrap();
    runtime().block_on(async {
        let how = How { follow: false, timed: true };
        let (writer, input) = pipe(how);
        let name = PathOrStdin::Path(path);
        let file = (Arc::new(Origin { name: name.to_string().into(), region: None }), reader::spawn(&name, how));
        let (out, mut inputs) = mpsc::channel(4);
        let task = tokio::spawn(
            Merger::new(vec![(input.0, Feed::Open(input.1)), (file.0, Feed::Open(file.1))], None, out).run(),
        );
        assert_eq!(lines(&mut inputs, 1).await.len(), 1);
        writer.send(Ok(b"one\ntwo".to_vec())).unwrap();
        assert_eq!(lines(&mut inputs, 1).await, ["1:one"]);
        writer.send(Err(io::Error::other("the disk is on fire"))).unwrap();
        let outcome = collect(async { task.await.unwrap() }, inputs).await;
        assert!(outcome.batches.is_empty(), "half a line before an error is not a line");
        let error = outcome.result.unwrap_err().to_string();
        assert!(
            error.contains("the disk is on fire") && error.contains("incomplete last line was left out"),
            "{error}"
        );
    });
}

#[test]
fn a_replay_takes_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.log");
    fs::write(&path, record(1, 1_534_778_000) + &record(2, 1_534_778_060) + &record(3, 1_534_778_030)).unwrap();
    let started = Instant::now();
    let outcome = read_all(OpenConfig { speed: Some(300.0), ..open(&[&path]) });
    assert!(started.elapsed() >= Duration::from_millis(200), "a minute at 300x: {:?}", started.elapsed());
    assert_eq!(outcome.batches.len(), 2, "the first is there at once, the late one with the one before it");
    assert_eq!(outcome.text().lines().count(), 3);
}

#[test]
fn follow_reads_events_as_they_are_appended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.json");
    fs::write(&path, event(1, 1_534_778_000)).unwrap();
    runtime().block_on(async {
        let (out, mut inputs) = mpsc::channel(4);
        let task = tokio::spawn(run(OpenConfig { follow: true, ..open(&[&path]) }, out));
        assert_eq!(lines(&mut inputs, 1).await, [format!("1:{}", record(1, 1_534_778_000).trim_end())]);
        let next = event(2, 1_534_778_001);
        append(&path, &next[..50]);
        tokio::time::sleep(Duration::from_millis(200)).await;
        append(&path, &next[50..]);
        assert!(lines(&mut inputs, 1).await[0].contains(" 2 443 "), "half an event waits for its end");
        drop(inputs);
        assert_eq!(timeout(PATIENCE, task).await.unwrap().unwrap(), Ok(()));
    });
}
