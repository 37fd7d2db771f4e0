use std::sync::atomic::Ordering;

use super::*;

#[test]
fn what_is_not_finished_is_taken_away_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let stopped = rows(&path, |out| {
        out.write_all(b"half a row")?;
        Err(io::ErrorKind::Interrupted.into())
    });
    assert!(matches!(stopped, Err(SaveError::Stopped)));
    assert!(!path.exists());
    let written = rows(&path, |out| out.write_all(b"abc").map(|()| 1)).unwrap();
    assert_eq!(written.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!((written.rows, written.bytes), (1, 3));
    assert!(matches!(rows(&path, |_| Ok(0)), Err(SaveError::Exists(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"abc");
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let error = rows(Path::new("/no/such/folder/a.csv"), |_| Ok(0)).unwrap_err().to_string();
    assert!(error.contains("/no/such/folder/a.csv cannot be written"), "{error}");
}

#[test]
fn a_job_that_is_stopped_or_left_ends() {
    let (give, pinned) = std::sync::mpsc::channel::<Pinned>();
    let order = Arc::new(everything(None, Tab::Flows, None, Arc::default(), 0));
    let job = Job::begin(pinned, order, "/no/such/folder/a.md".into(), |_| {}).unwrap();
    job.stop();
    assert!(job.progress.stop.load(Ordering::Relaxed));
    // The engine goes without an answer.
    drop(give);
    drop(job);
}
