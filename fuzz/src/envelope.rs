//! Bytes of a file to records, by the way that `flowtail open` takes.

use std::cell::OnceCell;
use std::io::Write as _;
use std::path::PathBuf;

use flowtail::record::{Decoder, Input, Table as _};
use flowtail::source::file::{OpenConfig, PathOrStdin, run};
use tokio::runtime::{Builder, Runtime};

/// Where the file lies: in memory where there is such a place.
fn path() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    folder.join(format!("flowtail-fuzz-{}-{:?}", std::process::id(), std::thread::current().id()))
}

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
}

/// Opens `data` as a file and decodes all that comes of it.
///
/// # Panics
/// Where the source does not end, a line is not accounted for, or more is held than the input can be blown up to.
pub fn envelope(data: &[u8]) {
    let path = path();
    std::fs::File::create(&path).and_then(|mut file| file.write_all(data)).expect("a file to write");
    let mut decoder = Decoder::new(None);
    let (mut bytes, mut lines, mut ended) = (0, 0, false);
    RUNTIME.with(|cell| {
        let runtime = cell.get_or_init(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));
        runtime.block_on(async {
            let (sender, mut inputs) = tokio::sync::mpsc::channel(4);
            let config = OpenConfig { paths: vec![PathOrStdin::Path(path.clone())], ..OpenConfig::default() };
            let task = tokio::spawn(run(config, sender));
            while let Some(input) = inputs.recv().await {
                match input {
                    Input::Batch(batch) => {
                        bytes += batch.bytes.len();
                        let out = decoder.decode(&batch);
                        assert_eq!(out.columns.len() as u64 + out.headers + out.rejects.len() as u64, out.lines);
                        lines += out.lines;
                    }
                    Input::End => ended = true,
                    Input::Partial(_) | Input::Status(_) | Input::Gap(_) => {}
                }
            }
            // An error says which part could not be read; the rest was.
            let _ = task.await.expect("the source does not panic");
        });
    });
    std::fs::remove_file(&path).expect("the file is still there");
    assert!(ended, "the source says when it is at its end");
    // Deflate makes at most 1,032 bytes of one; base64 and JSON make none.
    assert!(bytes <= 4096 + data.len() * 1100, "{bytes} bytes of lines from {} bytes of input", data.len());
    assert!(lines <= bytes as u64 + data.len() as u64);
}
