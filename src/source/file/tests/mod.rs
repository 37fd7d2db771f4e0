//! The file source as the engine sees it: real files and pipes in, batches out.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;

mod going_on;
mod splits;

use super::*;
use crate::record::{Batch, Field, SourceState, SourceStatus, Table as _};

/// Nothing here takes a second; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

fn record(port: u16, end: i64) -> String {
    format!("2 622676721278 eni-0536faba73134a9b7 10.0.0.1 10.0.0.2 {port} 443 6 1 40 {} {end} ACCEPT OK\n", end - 60)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn open(paths: &[&Path]) -> OpenConfig {
    OpenConfig {
        paths: paths.iter().map(|path| PathOrStdin::Path(path.to_path_buf())).collect(),
        ..OpenConfig::default()
    }
}

/// Lines that end in `batch`.
fn ends(batch: &Batch) -> u64 {
    memchr::memchr_iter(b'\n', &batch.bytes).count() as u64
}

/// All that a run to the end sent.
struct Outcome {
    batches: Vec<Batch>,
    statuses: Vec<SourceStatus>,
    result: Result<(), OpenError>,
}

impl Outcome {
    fn text(&self) -> String {
        self.batches.iter().map(|batch| String::from_utf8_lossy(&batch.bytes)).collect()
    }

    fn last(&self) -> &SourceStatus {
        self.statuses.last().unwrap()
    }
}

async fn collect(
    run: impl Future<Output = Result<(), OpenError>> + Send + 'static,
    mut inputs: mpsc::Receiver<Input>,
) -> Outcome {
    let task = tokio::spawn(run);
    let (mut batches, mut statuses) = (Vec::new(), Vec::new());
    loop {
        match timeout(PATIENCE, inputs.recv()).await.unwrap().expect("End comes before the channel closes") {
            Input::Batch(batch) => batches.push(batch),
            Input::Status(status) => statuses.push(*status),
            Input::Partial(_) => panic!("files are read whole"),
            Input::Gap(gap) => panic!("files have no gaps: {gap:?}"),
            Input::End => break,
        }
    }
    Outcome { batches, statuses, result: task.await.unwrap() }
}

fn read_all(config: OpenConfig) -> Outcome {
    runtime().block_on(async {
        let (out, inputs) = mpsc::channel(4);
        collect(run(config, out), inputs).await
    })
}

#[test]
fn a_plain_file_arrives_whole_in_numbered_batches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.log");
    let text: String = (0..20_000).map(|index| record(1_000, 1_534_778_000 + index)).collect::<String>() + "no newline";
    fs::write(&path, &text).unwrap();
    let outcome = read_all(OpenConfig { region: Some("us-west-1".to_owned()), ..open(&[&path]) });
    assert!(outcome.result.is_ok());
    assert!(outcome.text() == text, "every byte, in order");
    let mut line = 1;
    for batch in &outcome.batches {
        assert_eq!(batch.first_line, line);
        line += ends(batch);
        assert!(batch.bytes.len() < 1600 << 10);
        assert_eq!(batch.origin.region.as_deref(), Some("us-west-1"));
        assert_eq!(*batch.origin.name, *path.to_string_lossy());
        assert!(batch.events.is_empty());
    }
    assert!(outcome.batches[0].bytes.len() <= 64 << 10, "the first screen does not wait for a large batch");
    assert!(outcome.batches.len() < 30, "and the rest comes in large ones: {}", outcome.batches.len());
    let size = text.len() as u64;
    assert_eq!((outcome.last().state.clone(), outcome.last().progress), (SourceState::Ended, Some((size, size))));
}

#[test]
fn gzip_is_told_by_content_and_may_have_several_members() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no-such-ending");
    let parts: Vec<String> = (0..3).map(|part| (0..5_000).map(|n| record(part, 1_534_778_000 + n)).collect()).collect();
    fs::write(&path, parts.iter().flat_map(|part| gzip(part)).collect::<Vec<u8>>()).unwrap();
    let outcome = read_all(open(&[&path]));
    assert!(outcome.result.is_ok());
    assert!(outcome.text() == parts.concat());
    let (read, total) = outcome.last().progress.unwrap();
    assert_eq!((read, total), (total, fs::metadata(&path).unwrap().len()), "progress counts compressed bytes");
}

#[test]
fn a_truncated_gzip_file_gives_what_was_readable_and_then_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (bad, good) = (folder.path().join("bad.gz"), folder.path().join("good.log"));
    let text: String = (0..5_000).map(|n| record(1, 1_534_778_000 + n)).collect();
    let bytes = gzip(&text);
    fs::write(&bad, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(&good, record(2, 1_534_778_000)).unwrap();
    let outcome = read_all(open(&[&bad, &good]));
    let failures = outcome.result.clone().unwrap_err().failures;
    assert_eq!(failures.len(), 1);
    assert!(failures[0].why.contains("ends too early"), "{}", failures[0].why);
    let from = |path: &Path| -> String {
        let name = path.to_string_lossy();
        let batches = outcome.batches.iter().filter(|batch| *batch.origin.name == *name);
        batches.map(|batch| String::from_utf8_lossy(&batch.bytes)).collect()
    };
    let readable = from(&bad);
    assert!(readable.len() > text.len() / 4 && text.starts_with(&readable) && readable.ends_with('\n'));
    assert_eq!(from(&good), record(2, 1_534_778_000));
    assert!(
        outcome
            .statuses
            .iter()
            .any(|status| matches!(&status.state, SourceState::Failed(why) if why.contains("bad.gz")))
    );
    assert_eq!(outcome.last().state, SourceState::Ended);
    assert!(outcome.last().note.as_deref().unwrap().contains("bad.gz"), "the warning stays to be seen");
}

#[test]
fn what_cannot_be_read_is_named_with_a_remedy_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.log");
    fs::write(&good, record(2, 1_534_778_000)).unwrap();
    let zstd = folder.path().join("flows.zst");
    fs::write(&zstd, [0x28, 0xb5, 0x2f, 0xfd, 0, 0]).unwrap();
    let missing = folder.path().join("missing.log");
    let outcome = read_all(open(&[&missing, folder.path(), &zstd, &good]));
    assert_eq!(outcome.text(), record(2, 1_534_778_000));
    let error = outcome.result.clone().unwrap_err().to_string();
    for expected in ["missing.log: cannot open it: no such file. Check the path", "it is a directory", "zstd -dc"] {
        assert!(error.contains(expected), "{error}");
    }
    let outcome = read_all(open(&[&missing]));
    assert!(
        matches!(&outcome.last().state, SourceState::Failed(why) if why.contains("no such file")),
        "nothing was read"
    );
}

#[test]
fn standard_input_is_read_once_and_typed_as_a_dash() {
    let typed = ["-", "./-", "-", "a"].map(|typed| PathOrStdin::from(OsString::from(typed)));
    assert_eq!(typed[0], PathOrStdin::Stdin);
    assert_eq!(typed[1], PathOrStdin::Path("./-".into()));
    assert_eq!([0, 1, 2, 3].map(|index| repeats_stdin(&typed, index)), [false, false, true, false]);
    let outcome = runtime().block_on(async {
        let (out, inputs) = mpsc::channel(4);
        let origin = Arc::new(Origin { name: typed[2].to_string().into(), region: None });
        collect(Merger::new(vec![(origin, Feed::Open(refused(ONCE)))], None, out).run(), inputs).await
    });
    assert!(outcome.result.unwrap_err().to_string().starts_with("stdin: standard input can be read only once"));
}

#[test]
fn three_files_are_merged_by_time_and_no_batch_mixes_them() {
    let folder = tempfile::tempdir().unwrap();
    let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n";
    let mut expected = Vec::new();
    let mut paths = Vec::new();
    for file in 0_u16..3 {
        let path = folder.path().join(format!("{file}.log"));
        let mut text = header.to_owned();
        for step in 0..4_000_i64 {
            // Different rhythms, so that runs of all lengths occur, and equal times across files.
            let end = 1_534_778_000 + step / (i64::from(file) + 1) * 3;
            text += &record(file, end);
            if step % 100 == 7 {
                text += "a line without a time\n";
            }
            expected.push((end, file, step));
        }
        fs::write(&path, if file == 1 { gzip(&text) } else { text.into_bytes() }).unwrap();
        paths.push(path);
    }
    expected.sort_unstable();
    let outcome = read_all(open(&paths.iter().map(std::path::PathBuf::as_path).collect::<Vec<_>>()));
    assert!(outcome.result.is_ok());
    let text = outcome.text();
    assert_eq!(
        text.lines().take(3).collect::<Vec<_>>(),
        [header.trim_end(); 3],
        "each file's header comes before its lines"
    );
    let merged: Vec<(i64, u16)> = text
        .lines()
        .filter(|line| line.starts_with("2 "))
        .map(|line| {
            let tokens: Vec<&str> = line.split(' ').collect();
            (tokens[11].parse().unwrap(), tokens[5].parse().unwrap())
        })
        .collect();
    assert!(
        merged == expected.iter().map(|(end, file, _)| (*end, *file)).collect::<Vec<_>>(),
        "exact order of sorted files"
    );
    let mut lines = [1, 1, 1];
    for batch in &outcome.batches {
        let file = paths.iter().position(|path| *batch.origin.name == *path.to_string_lossy()).unwrap();
        assert_eq!(batch.first_line, lines[file]);
        lines[file] += ends(batch);
        let text = String::from_utf8_lossy(&batch.bytes);
        let mut previous = "2 ";
        for line in text.lines() {
            let foreign = line.starts_with("2 ") && line.split(' ').nth(5) != Some(&*file.to_string());
            assert!(!foreign, "{line}");
            if line.starts_with("a line") {
                assert!(previous.starts_with("2 "), "a line without a time stays behind its predecessor");
            }
            previous = line;
        }
    }
    assert_eq!(lines, [4_042, 4_042, 4_042]);
}

#[test]
fn hostile_bytes_and_endless_lines_stay_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.log");
    let mut bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    bytes.extend(std::iter::repeat_n(b'x', 3 << 20));
    bytes.extend(b"\nafter\n");
    fs::write(&path, bytes).unwrap();
    let outcome = read_all(open(&[&path]));
    assert!(outcome.result.is_ok());
    let longest =
        outcome.batches.iter().flat_map(|batch| batch.bytes.split(|byte| *byte == b'\n')).map(<[u8]>::len).max();
    assert_eq!(longest, Some(lines::LONGEST_LINE));
    assert!(outcome.text().ends_with("x\nafter\n"));
}

fn event(port: u16, end: i64) -> String {
    let record = record(port, end);
    let (stream, time) = ("eni-0536faba73134a9b7-all", (end - 60) * 1_000);
    format!(
        r#"{{"logStreamName":"{stream}","timestamp":{time},"message":"{}","ingestionTime":{},"eventId":"36{port}{end}"}}{}"#,
        record.trim_end(),
        time + 90_000,
        "\n"
    )
}

#[test]
fn events_are_merged_with_lines_by_time_and_come_once() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["lines.log", "one.json", "two.json"].map(|name| folder.path().join(name));
    let times = |step: usize| (0..600_i64).step_by(step).map(|n| 1_534_778_000 + n);
    fs::write(&paths[0], times(2).map(|end| record(1, end)).collect::<String>()).unwrap();
    fs::write(&paths[1], gzip(&times(3).map(|end| event(2, end)).collect::<String>())).unwrap();
    // An export that overlaps the other.
    fs::write(&paths[2], times(1).map(|end| event(2, end)).collect::<String>() + "{\"half\"").unwrap();
    let outcome = read_all(open(&paths.each_ref().map(std::path::PathBuf::as_path)));
    assert!(outcome.result.is_ok());
    let mut decoder = crate::record::Decoder::new(None);
    let (mut rows, mut rejects) = (Vec::new(), 0);
    for batch in &outcome.batches {
        assert!(batch.events.is_empty() || batch.events.len() == batch.wrapped.len());
        let out = decoder.decode(batch);
        for row in 0..out.columns.len() {
            let number = |field| out.columns.number(field, row).unwrap();
            let id = out.columns.event(row).map(|event| event.id.to_string());
            let (end, port) = (number(Field::End), number(Field::SrcPort));
            assert_eq!(id, (port == 2).then(|| format!("36{port}{end}")));
            rows.push((end, port));
        }
        rejects += out.rejects.len();
    }
    assert!(rows.is_sorted_by_key(|row| row.0), "by time");
    rows.sort_unstable();
    let seconds = |step: usize| times(step).map(|end| u64::try_from(end).unwrap());
    let mut expected: Vec<(u64, u64)> = seconds(2).map(|end| (end, 1)).chain(seconds(1).map(|end| (end, 2))).collect();
    expected.sort_unstable();
    assert!(rows == expected, "each event once");
    assert_eq!((outcome.last().duplicates, rejects), (200, 1));
}

#[test]
fn gzip_in_gzip_and_its_damage_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("delivery");
    let inner = [gzip(&event(1, 1_534_778_000)), gzip(&event(2, 1_534_778_001))].concat();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&inner).unwrap();
    let outer = encoder.finish().unwrap();
    fs::write(&path, &outer).unwrap();
    let outcome = read_all(open(&[&path]));
    assert!(outcome.result.is_ok());
    assert_eq!(outcome.batches.iter().map(|batch| batch.events.len()).sum::<usize>(), 2);
    for length in [12, 20, outer.len() - 12] {
        fs::write(&path, &outer[..length]).unwrap();
        let error = read_all(open(&[&path])).result.unwrap_err().to_string();
        assert!(error.contains("ends too early"), "{length}: {error}");
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_without_the_feature_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.parquet");
    fs::write(&path, b"PAR1\0\0PAR1").unwrap();
    let error = read_all(open(&[&path])).result.unwrap_err().to_string();
    assert!(error.ends_with("cargo install flowtail --features parquet"), "{error}");
}

/// A gzip object as AWS delivers it to S3. Read where it lies; other projects' records are not part of this one.
#[test]
fn a_delivered_s3_object_is_read() {
    let Some(corpus) = std::env::var_os("FLOWTAIL_CORPUS") else { return };
    let outcome = read_all(open(&[&Path::new(&corpus).join("envelopes/s3_with_header.log.gz")]));
    assert!(outcome.result.is_ok());
    let text = outcome.text();
    assert!(text.starts_with("version account-id interface-id") && text.lines().count() == 4, "{text}");
}
