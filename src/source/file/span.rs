//! From when to when files go, told by their ends before they are read: rules that learn what is usual want to know how long that may take.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::PathOrStdin;
use super::gzip::{Kind, MAGIC, Members, kind};
use super::time::guess;

/// Bytes at either end of a file that are looked at.
const END: u64 = 1 << 16;
/// Seconds by which a time must be beyond all others of its end to be a wrong one.
const JUMP: i64 = 3_600;
/// Files that are looked at: of more, those at either end of the list, which is in the order of time where it comes from a folder.
const MOST: usize = 256;

/// Least and greatest time that the ends of the files show, Unix seconds. `None` where that says nothing: a pipe, text that has no times, or a
/// single packed file, of which only the beginning can be seen.
pub fn of(paths: &[PathOrStdin]) -> Option<(i64, i64)> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        match path {
            PathOrStdin::Path(path) if std::fs::metadata(path).is_ok_and(|is| is.is_file()) => files.push(path),
            // A pipe that is opened here would be read here. What does not exist is told when it is to be read.
            PathOrStdin::Path(path) if !path.exists() => {}
            _ => return None,
        }
    }
    let beyond = files.len().saturating_sub(MOST);
    files.drain(files.len() / 2 - beyond / 2..files.len() / 2 - beyond / 2 + beyond);
    let mut span: Option<(i64, i64)> = None;
    let mut whole = files.len() > 1;
    for path in files {
        // What cannot be read is told when it is.
        let Ok((times, to_its_end)) = ends(path) else { continue };
        whole |= to_its_end;
        for time in times {
            span = Some(span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        }
    }
    span.filter(|_| whole)
}

/// The times of the lines at the ends of one file, and whether its last ones are among them.
fn ends(path: &Path) -> io::Result<(Vec<i64>, bool)> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(END).read_to_end(&mut head)?;
    match kind(&head[..head.len().min(MAGIC)]) {
        Kind::Plain => {}
        Kind::Gzip => {
            let mut text = Vec::new();
            file.seek(SeekFrom::Start(0))?;
            // Cut anywhere, it may end in the middle of a member.
            let _ = Members::new(BufReader::new(file)).take(END).read_to_end(&mut text);
            return Ok((times(&text), false));
        }
        Kind::Parquet | Kind::Foreign(..) => return Ok((Vec::new(), false)),
    }
    let mut found = times(&head);
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut tail = Vec::new();
    file.take(END).read_to_end(&mut tail)?;
    found.extend(times(&tail));
    Ok((found, true))
}

/// Least and greatest time of the lines. One that is far from all others is a clock that was wrong, and is not believed.
fn times(text: &[u8]) -> Vec<i64> {
    let mut all: Vec<i64> = text.split(|byte| *byte == b'\n').filter_map(guess).collect();
    all.sort_unstable();
    if let [.., before, last] = all[..]
        && all.len() > 2
        && last - before > JUMP
    {
        all.pop();
    }
    if let [first, after, ..] = all[..]
        && all.len() > 2
        && after - first > JUMP
    {
        all.remove(0);
    }
    [all.first(), all.last()].into_iter().flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn line(end: i64) -> String {
        format!("2 1 eni-1 10.0.0.1 10.0.0.2 40000 443 6 5 500 {} {end} ACCEPT OK\n", end - 60)
    }

    fn plain(path: &Path, ends: impl Iterator<Item = i64>) -> PathOrStdin {
        std::fs::write(path, ends.map(line).collect::<String>()).unwrap();
        PathOrStdin::Path(path.to_owned())
    }

    fn packed(path: &Path, ends: impl Iterator<Item = i64>) -> PathOrStdin {
        let mut out = flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast());
        out.write_all(ends.map(line).collect::<String>().as_bytes()).unwrap();
        out.finish().unwrap();
        PathOrStdin::Path(path.to_owned())
    }

    #[test]
    fn the_ends_of_files_say_from_when_to_when_they_go() {
        const T: i64 = 1_534_778_700;
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        // Longer than what is looked at.
        let long = plain(&place("long"), (0..10_000).map(|n| T + n));
        assert_eq!(of(std::slice::from_ref(&long)), Some((T, T + 9_999)));
        let wrong = plain(&place("wrong"), [9_000_000, 0, 1, 2, -300_000_000].into_iter().map(|n| T + n));
        assert_eq!(of(&[wrong]), Some((T, T + 2)), "two clocks were wrong");
        let one = packed(&place("one.gz"), (0..10_000).map(|n| T + n));
        assert_eq!(of(std::slice::from_ref(&one)), None, "its end cannot be seen");
        let two = packed(&place("two.gz"), (0..10).map(|n| T + 90_000 + n));
        assert_eq!(of(&[one, two]), Some((T, T + 90_009)));
        assert_eq!(of(&[long.clone(), PathOrStdin::Stdin]), None);
        let none = plain(&place("none"), std::iter::empty());
        assert_eq!(of(&[none, PathOrStdin::Path(place("missing"))]), None);
        let many: Vec<PathOrStdin> = (0..600).map(|n| plain(&place(&n.to_string()), std::iter::once(T + n))).collect();
        assert_eq!(of(&many), Some((T, T + 599)));
    }
}
