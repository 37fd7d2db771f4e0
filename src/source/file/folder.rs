//! A folder of log files, as S3 keeps flow logs (`…_vpcflowlogs_REGION_fl-…_YYYYMMDDTHHmmZ_HASH.log.gz`, in folders by date or hive-partitioned): which
//! of them a range of time needs is told by their names, so the others are not opened.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Failure, PathOrStdin};

/// A file holds records from this long before the time in its name: it is delivered every five minutes, some records late (user guide, "Flow log files").
const LATE: i64 = 30 * 60;
/// And up to this long after it: AWS has written that the time is that of the first record, and people join the files of an hour.
const LONG: i64 = 60 * 60;
/// Folders inside folders that are looked into.
const DEEP: usize = 24;
/// Files that are listed at most.
const MOST: usize = 1_000_000;
/// How names of files end that are read where a folder is named.
const ENDINGS: [&str; 8] = [".gz", ".log", ".parquet", ".txt", ".csv", ".json", ".ndjson", ".jsonl"];

/// What a list of paths comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picked {
    /// The files to read, by the time in their names.
    pub paths: Vec<PathOrStdin>,
    /// Files whose names say that they hold nothing of the range.
    pub left_out: usize,
    /// Files of folders that are no logs by their names.
    pub foreign: usize,
    /// Least and greatest time in a name, Unix seconds.
    pub span: Option<(i64, i64)>,
    /// Folders that were named and give nothing to read, and why.
    pub bare: Vec<String>,
    /// Whether a folder was named.
    pub folders: bool,
}

/// Lists folders, and leaves out what is outside of the Unix seconds `from` to `to` by its name. A file whose name says no time is kept.
///
/// # Errors
/// A folder cannot be listed, or holds too much.
pub fn pick(paths: Vec<PathOrStdin>, from: Option<i64>, to: Option<i64>) -> Result<Picked, Failure> {
    let mut picked = Picked::default();
    let mut found: Vec<(Option<i64>, PathOrStdin)> = Vec::new();
    for path in paths {
        match &path {
            PathOrStdin::Path(folder) if folder.is_dir() => {
                picked.folders = true;
                let mut files = Vec::new();
                list(folder, 0, &mut files)?;
                let all = files.len();
                files.retain(|file| is_log(file));
                picked.foreign += all - files.len();
                if files.is_empty() {
                    let of = if all > 0 { format!("none of its {all} files is one") } else { "it is empty".to_owned() };
                    let name = folder.display();
                    picked.bare.push(format!("{name}: there are no log files in it ({of}): nothing was read from it"));
                }
                found.extend(files.into_iter().map(|file| (named_time(&file), PathOrStdin::Path(file))));
            }
            PathOrStdin::Path(file) => found.push((named_time(file), path)),
            PathOrStdin::Stdin => found.push((None, path)),
        }
    }
    for time in found.iter().filter_map(|(time, _)| *time) {
        picked.span = Some(picked.span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
    }
    let all = found.len();
    found.retain(|(time, _)| {
        time.is_none_or(|time| {
            from.is_none_or(|from| time.saturating_add(LONG) >= from)
                && to.is_none_or(|to| time.saturating_sub(LATE) <= to)
        })
    });
    picked.left_out = all - found.len();
    if picked.folders {
        // By their times, so that those that are read side by side belong together.
        found.sort_by(|(a, first), (b, second)| (a, first.to_string()).cmp(&(b, second.to_string())));
    }
    picked.paths = found.into_iter().map(|(_, path)| path).collect();
    Ok(picked)
}

fn list(folder: &Path, deep: usize, into: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |why: String| Failure { input: folder.display().to_string(), why };
    let entries = fs::read_dir(folder).map_err(|error| failed(format!("cannot list it: {error}")))?;
    for entry in entries {
        let entry = entry.map_err(|error| failed(format!("cannot list it: {error}")))?;
        // A link to a folder is not followed: it may lead back here.
        let kind = entry.file_type().map_err(|error| failed(format!("cannot look at what is in it: {error}")))?;
        if kind.is_dir() && deep < DEEP {
            list(&entry.path(), deep + 1, into)?;
        } else if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) {
            if into.len() == MOST {
                return Err(failed(format!("there are more than {MOST} files in it. Name a folder inside it")));
            }
            into.push(entry.path());
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_log(path: &Path) -> bool {
    let name = name(path).to_ascii_lowercase();
    !name.starts_with('.') && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The time in the name of a file, Unix seconds: `…_20180820T1525Z_…`.
fn named_time(path: &Path) -> Option<i64> {
    name(path).split(['_', '.']).find_map(|part| {
        let (date, time) = part.strip_suffix('Z')?.split_once('T')?;
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(date, 8) || !digits(time, 4) {
            return None;
        }
        let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M", format!("{date}T{time}")).ok()?;
        Some(jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?.as_second())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2018-08-20 15:00:00 UTC.
    const FIFTEEN: i64 = 1_534_777_200;

    fn object(hour: u32, minute: u32) -> String {
        format!("622676721278_vpcflowlogs_us-west-1_fl-0a1b_20180820T{hour:02}{minute:02}Z_{hour:08x}.log.gz")
    }

    #[test]
    fn the_time_is_in_the_name() {
        assert_eq!(named_time(Path::new(&object(15, 0))), Some(FIFTEEN));
        for other in ["flows.log", "x_20181320T1500Z_y.gz", "20180820T15Z.log", "TZ", "é_T1500Z"] {
            assert_eq!(named_time(Path::new(other)), None, "{other}");
        }
    }

    #[test]
    fn a_folder_gives_the_files_of_the_range_in_the_order_of_time() {
        let folder = tempfile::tempdir().unwrap();
        for hour in 0..24 {
            // Hive-partitioned, as S3 offers it.
            let place = folder.path().join(format!("AWSLogs/year=2018/month=08/day=20/hour={hour:02}"));
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join(object(hour, 0)), b"").unwrap();
            fs::write(place.join("_SUCCESS"), b"").unwrap();
        }
        let all = || vec![PathOrStdin::Path(folder.path().to_owned())];
        let picked = pick(all(), None, None).unwrap();
        assert_eq!((picked.paths.len(), picked.left_out, picked.foreign), (24, 0, 24));
        assert_eq!(picked.span, Some((FIFTEEN - 15 * 3_600, FIFTEEN + 8 * 3_600)));
        let picked = pick(all(), Some(FIFTEEN), Some(FIFTEEN + 1_800)).unwrap();
        let names: Vec<String> = picked.paths.iter().map(|path| name(Path::new(&path.to_string()))).collect();
        // The hour before may reach into it, that after may hold what came late.
        assert_eq!(names, [object(14, 0), object(15, 0), object(16, 0)]);
        assert_eq!(picked.left_out, 21);
        // What says no time is read.
        let odd = folder.path().join("odd.log");
        fs::write(&odd, b"").unwrap();
        assert!(pick(all(), Some(FIFTEEN), Some(FIFTEEN)).unwrap().paths.contains(&PathOrStdin::Path(odd)));
    }
}
