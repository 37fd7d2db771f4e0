//! Files, folders and pipes as a source.

use super::{FILE_LATENESS, Source, StartError};
use crate::filter::{Filter, Stage};
use crate::source::file;

/// Files and folders, and the part of time that is wanted of them.
pub(super) fn files(open: crate::cli::Open, screen: bool) -> Result<Source, StartError> {
    let now = jiff::Timestamp::now().as_second();
    let time = |option: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => crate::app::search::time(text, now).map(Some).ok_or_else(|| {
            StartError::Unreadable(format!(
                "{option}: '{text}' is no time; write 2018-08-20T15:00Z, 15:00 (UTC, the latest), 7d (ago), or now"
            ))
        }),
    };
    let (from, to) = (time("--from", &open.from)?, time("--to", &open.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(StartError::Unreadable("--from is later than --to: the range is empty".to_owned()));
    }
    let typed: Vec<file::PathOrStdin> = open.files.into_iter().map(file::PathOrStdin::from).collect();
    let typed_names: Vec<String> = typed.iter().map(ToString::to_string).collect();
    let picked = file::folder::pick(typed, from, to).map_err(|failure| StartError::Unreadable(failure.to_string()))?;
    if picked.folders && open.follow {
        return Err(StartError::Unreadable("--follow reads on in files: name one, not a folder".to_owned()));
    }
    if picked.paths.is_empty() {
        let held = picked.span.map_or_else(
            || "there are no log files (.gz, .log, .parquet, .txt, .csv, .json)".to_owned(),
            |(first, last)| format!("by their names its files are from {} to {}", stamp(first), stamp(last)),
        );
        return Err(StartError::Unreadable(format!("{}: nothing to read: {held}", typed_names.join(", "))));
    }
    let mut name = typed_names.join(", ");
    if picked.folders || picked.left_out > 0 {
        let all = picked.paths.len() + picked.left_out;
        name = format!("{name} ({} of {all} files)", picked.paths.len());
    }
    // Of what a file holds beside the range nothing is wanted. A record without times is kept.
    let bounds: Vec<String> =
        [from.map(|at| format!("not end < {}", stamp(at))), to.map(|at| format!("not start > {}", stamp(at)))]
            .into_iter()
            .flatten()
            .collect();
    let select = match bounds.join(" and ") {
        none if none.is_empty() => None,
        text => Some(Filter::parse(&text, Stage::Flows).map_err(|error| StartError::Filter { text, error })?),
    };
    let config = file::OpenConfig {
        paths: picked.paths,
        follow: open.follow,
        speed: open.speed,
        region: open.region.clone(),
        warnings: picked.bare,
    };
    if screen {
        something_to_read(&config.paths)?;
    }
    let span = if open.follow { None } else { file::span::of(&config.paths) };
    let span = span.map(|(first, last)| (from.map_or(first, |at| at.max(first)), to.map_or(last, |at| at.min(last))));
    let source = Source::plain(name.into(), FILE_LATENESS, |out| {
        Box::pin(async move { file::run(config, out).await.map_err(|error| StartError::Unreadable(error.to_string())) })
    });
    Ok(Source { region: open.region.map(Into::into), select, span, ..source })
}

/// A time as it is typed.
fn stamp(at: i64) -> String {
    jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |time| time.to_string())
}

/// A screen that could only say that there is nothing should not open. Where some inputs are there, the others are told on it.
fn something_to_read(paths: &[file::PathOrStdin]) -> Result<(), StartError> {
    let mut missing = Vec::new();
    for path in paths {
        let file::PathOrStdin::Path(path) = path else { return Ok(()) };
        // Not opened: a named pipe would wait for its writer.
        match std::fs::metadata(path) {
            Ok(_) => return Ok(()),
            Err(error) => missing.push(format!("{}: cannot open it: {error}. Check the path", path.display())),
        }
    }
    Err(StartError::Unreadable(missing.join("\n")))
}
