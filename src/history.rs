//! `flowtail history`: what a search will cost and the query that it is, before it runs; sums as a table; rows through the same engine as everything else.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};
use tokio::sync::watch;

use crate::app::search::{self as shown, Planned};
use crate::cli::{self, As, Common, Print};
use crate::export::{clean, csv_object};
use crate::filter::{self, Filter, Stage};
use crate::headless::{self, Outcome};
use crate::record::{Field, Format, SourceState, SourceStatus};
use crate::source::cloudwatch::history::{Groups, History, HistoryConfig, Sums, Tell, moment};
use crate::start::search::{Run, Search, Searcher, Summing};
use crate::start::{Source, StartError};

/// Most records, and most groups, where nothing is said.
const ROWS: u64 = 1_000_000;
const GROUPS: u64 = 1_000;
/// How often progress is told on standard error.
const NEWS: Duration = Duration::from_secs(5);

/// Runs what prints no records: `--by` and `--dry-run`.
///
/// # Errors
/// What kept it from starting, or from reading all of the range.
pub async fn run(wanted: &cli::History, common: &Common) -> Result<Outcome, StartError> {
    let history = connect(wanted, common).await?;
    announce(&history, wanted.dry_run)?;
    if wanted.dry_run {
        return Ok(Outcome::Done);
    }
    agree(wanted)?;
    let (stop, stopped) = watch::channel(false);
    let signals = tokio::spawn(async move {
        headless::stopped().await;
        let _ = stop.send(true);
        headless::stopped().await;
        std::process::exit(0);
    });
    let (groups, report) = history.sums(stopped, news(true)).await;
    signals.abort();
    let by = fields(wanted)?;
    let limit = usize::try_from(wanted.limit.unwrap_or(GROUPS)).unwrap_or(usize::MAX);
    // Sums of a part of the range are no answer to the question; they are printed, and it is said.
    print(&groups, &by, limit, common)?;
    if groups.len() > limit {
        say(&format!("{} more groups; --limit shows more", groups.len() - limit));
    }
    if !report.is_complete() && !report.stopped {
        return Err(StartError::Unreadable(report.to_string()));
    }
    say(&report.to_string());
    Ok(if groups.is_empty() { Outcome::Nothing } else { Outcome::Done })
}

/// A source of the records of the past. `screen` tells whether a person watches.
///
/// # Errors
/// What kept it from starting.
pub async fn source(wanted: &cli::History, common: &Common, screen: bool) -> Result<Source, StartError> {
    let history = connect(wanted, common).await?;
    announce(&history, false)?;
    agree(wanted)?;
    let select = parsed(common)?;
    Ok(rows(history, select, screen))
}

/// A source of the records that a search finds.
fn rows(history: History, select: Option<Filter>, screen: bool) -> Source {
    let select = select.filter(|filter| filter.stage() == Stage::Flows);
    let (stop, stopped) = watch::channel(false);
    let (origin, range) = (history.origin(), history.range());
    let mut source = Source::of_history(&origin, select, Arc::new(stop), move |out| {
        Box::pin(async move {
            let tell = if screen { Box::new(|_: &SourceStatus| {}) as Tell } else { news(false) };
            let history = if screen { history.with_partial() } else { history };
            let report = history.run(out, stopped, tell).await;
            let asked = report.stopped || report.cut.is_some();
            if !report.is_complete() && !asked {
                return Err(StartError::Unreadable(report.to_string()));
            }
            if !screen {
                say(&report.to_string());
            }
            Ok(())
        })
    });
    source.span = Some(range);
    source
}

/// Searches the groups of a tail from its screen.
pub fn searcher(tail: &cli::Tail, format: Option<&Format>) -> Searcher {
    let (groups, aws, format) = (tail.groups.clone(), tail.aws.clone(), format.cloned());
    Arc::new(move |wanted| {
        let config = HistoryConfig {
            groups: groups.clone(),
            from: wanted.from,
            to: wanted.to,
            filter: wanted.filter.as_deref().cloned(),
            by: wanted.by.clone(),
            limit: ROWS,
            format: format.clone(),
            region: aws.region.clone(),
            profile: aws.profile.clone(),
            endpoint_url: aws.endpoint_url.clone(),
        };
        Box::pin(async move {
            let history = Box::pin(History::connect(config)).await?;
            let (from, to) = history.range();
            let range = format!("{} to {}", moment(from), moment(to));
            let mut notes = history.notes().to_vec();
            notes.push(format!("The estimate is from {}.", history.estimate().how));
            let planned = Planned {
                title: format!("History {range}"),
                estimate: history.estimate().brief(),
                query: history.query().to_owned(),
                notes,
            };
            let run = if wanted.by.is_empty() {
                let mut source = rows(history, wanted.filter.as_deref().cloned(), true);
                source.name = format!("HISTORY {range} of {}", source.name).into();
                Run::Rows(Box::new(source))
            } else {
                Run::Sums(summing(history, wanted.by.clone()))
            };
            Ok(Search { planned, run })
        })
    })
}

/// Adds up for the screen.
fn summing(history: History, by: Vec<Field>) -> Summing {
    Box::new(move |stopped, tell, show| {
        Box::pin(async move {
            let news = move |status: &SourceStatus| tell(status.note.clone().unwrap_or_default());
            let fields = by.clone();
            let history = history.showing(Box::new(move |groups, how| {
                let report = format!("so far, more will come: {how}");
                show(shown::Sums { partial: true, ..table_of(&fields, groups, report) });
            }));
            let (groups, report) = history.sums(stopped, Box::new(news)).await;
            table_of(&by, &groups, report.to_string().replace('\n', ";"))
        })
    })
}

/// Sums as the screen shows them.
fn table_of(by: &[Field], groups: &Groups, report: String) -> shown::Sums {
    let amount = |amount: Option<u64>| amount.map_or_else(|| "-".to_owned(), |amount| amount.to_string());
    let row = |(key, sums): (&[String], &Sums)| {
        (key.to_vec(), [amount(sums.bytes), amount(sums.packets), sums.records.to_string()])
    };
    let most = usize::try_from(GROUPS).unwrap_or(usize::MAX);
    let rows = groups.ranked().into_iter().take(most).map(row).collect();
    shown::Sums { by: by.to_vec(), rows, report, partial: false }
}

async fn connect(wanted: &cli::History, common: &Common) -> Result<History, StartError> {
    let now = jiff::Timestamp::now().as_second();
    let config = HistoryConfig {
        groups: wanted.groups.clone(),
        from: time("--from", &wanted.from, now)?,
        to: time("--to", &wanted.to, now)?,
        filter: parsed(common)?,
        by: fields(wanted)?,
        limit: wanted.limit.unwrap_or(ROWS).max(1),
        format: common.format.as_deref().map(Format::parse).transpose()?,
        region: wanted.aws.region.clone(),
        profile: wanted.aws.profile.clone(),
        endpoint_url: wanted.aws.endpoint_url.clone(),
    };
    for warning in config.filter.iter().flat_map(Filter::warnings) {
        say(&format!("--filter: {}", warning.message));
    }
    Ok(History::connect(config).await?)
}

/// `--filter`, for sessions where sessions are printed: their records in both directions are fetched then.
fn parsed(common: &Common) -> Result<Option<Filter>, StartError> {
    let sessions = matches!(common.print, Some(Print::Sessions | Print::Alerts));
    crate::start::filter(common, if sessions { Stage::Sessions } else { Stage::Flows })
}

fn fields(wanted: &cli::History) -> Result<Vec<Field>, StartError> {
    let by = wanted.by.iter().map(|name| {
        Field::named(name.trim()).ok_or_else(|| {
            StartError::Unreadable(format!("--by: no field is called '{name}'; `flowtail fields` lists them"))
        })
    });
    by.collect()
}

/// A moment, or how long ago.
fn time(option: &str, text: &str, now: i64) -> Result<i64, StartError> {
    let ago = || cli::duration(text).ok().filter(|_| text.ends_with(|c: char| c.is_ascii_alphabetic()));
    let found = ago()
        .and_then(|ago| i64::try_from(ago.as_secs()).ok().map(|ago| now.saturating_sub(ago)))
        .or_else(|| filter::moment(text, now));
    found.ok_or_else(|| {
        StartError::Unreadable(format!(
            "{option}: '{text}' is no time; write 2018-08-20T15:00Z, 15:00 (UTC, the latest), 7d (ago), or now"
        ))
    })
}

/// Says what will be asked, of what, and what it costs.
fn announce(history: &History, dry: bool) -> Result<(), StartError> {
    let (from, to) = history.range();
    if dry {
        // The query alone, so that it can be passed on.
        let lines: Vec<_> = history.query().lines().map(clean::for_terminal).collect();
        match writeln!(io::stdout(), "{}", lines.join("\n")) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(StartError::Unreadable(format!("standard output: {error}")));
            }
            _ => {}
        }
    }
    say(&format!("history of {} from {} to {}", history.origin().name, moment(from), moment(to)));
    if !dry {
        history.query().lines().for_each(|line| say(&format!("  {line}")));
    }
    history.notes().iter().for_each(|note| say(note));
    say(&format!("will scan {}", history.estimate()));
    Ok(())
}

/// Asks whether to run it, where there is somebody to ask.
fn agree(wanted: &cli::History) -> Result<(), StartError> {
    if wanted.yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(());
    }
    let _ = write!(io::stderr(), "flowtail: run it? [y/N] ");
    let mut answer = String::new();
    let _ = io::stdin().lock().read_line(&mut answer);
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(StartError::Unreadable("not run; nothing was charged (--yes runs it without asking)".to_owned()))
}

/// Tells progress on standard error now and then, and with `waits` what is waited for.
fn news(waits: bool) -> Tell {
    let told = Mutex::new((Instant::now(), String::new()));
    Box::new(move |status| {
        let Ok(mut told) = told.lock() else { return };
        if let SourceState::Waiting { why, .. } = &status.state {
            if waits && told.1 != *why {
                say(&format!("waiting: {why}"));
                told.1.clone_from(why);
            }
        } else if told.0.elapsed() >= NEWS
            && let Some(note) = &status.note
        {
            say(note);
            told.0 = Instant::now();
        }
    })
}

fn say(text: &str) {
    for line in text.lines() {
        let _ = writeln!(io::stderr(), "flowtail: {}", clean::for_terminal(line));
    }
}

fn print(groups: &Groups, by: &[Field], limit: usize, common: &Common) -> Result<(), StartError> {
    let terminal = io::stdout().is_terminal();
    let shape = common.shape.unwrap_or(if terminal { As::Table } else { As::Ndjson });
    let mut out = String::new();
    let rows = groups.ranked().into_iter().take(limit).map(|(key, sums)| {
        let mut object: Map<String, Json> =
            by.iter().zip(key).map(|(field, value)| (field.name().to_owned(), json!(value))).collect();
        object.insert("bytes".to_owned(), json!(sums.bytes));
        object.insert("packets".to_owned(), json!(sums.packets));
        object.insert("records".to_owned(), json!(sums.records));
        object
    });
    let rows: Vec<Map<String, Json>> = rows.collect();
    match shape {
        As::Log => return Err(StartError::LogShape),
        As::Csv => {
            for (index, row) in rows.iter().enumerate() {
                csv_object(&mut out, row, index > 0);
                out.push('\n');
            }
        }
        As::Ndjson => {
            for row in &rows {
                out.push_str(&clean::json(Json::Object(row.clone()).to_string()));
                out.push('\n');
            }
        }
        As::Table => out = table(&rows),
    }
    match io::stdout().write_all(out.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(StartError::Unreadable(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Columns as wide as what is in them.
fn table(rows: &[Map<String, Json>]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let mut lines: Vec<Vec<String>> = vec![first.keys().cloned().collect()];
    lines.extend(rows.iter().map(|row| {
        let cell = |value: &Json| match value {
            Json::Null => "-".to_owned(),
            Json::String(text) => clean::for_terminal(text).into_owned(),
            other => other.to_string(),
        };
        row.values().map(cell).collect()
    }));
    let wide = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..first.len()).map(wide).collect();
    let mut out = String::new();
    for line in &lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_moments_or_how_long_ago() {
        let now = 1_534_780_000;
        let read = |text: &str| time("--from", text, now).ok();
        assert_eq!(read("7d"), Some(now - 7 * 86_400));
        assert_eq!(read("now"), Some(now));
        assert_eq!(read("2018-08-20T15:26:46Z"), Some(1_534_778_806));
        assert_eq!(read("soon"), None);
    }

    #[test]
    fn a_table_is_as_wide_as_its_cells() {
        let row =
            |a: &str, n: u64| [("srcaddr".to_owned(), json!(a)), ("bytes".to_owned(), json!(n))].into_iter().collect();
        assert_eq!(
            table(&[row("10.0.0.1", 5), row("10.0.0.100", 51_327)]),
            "   srcaddr  bytes\n  10.0.0.1      5\n10.0.0.100  51327\n"
        );
    }
}
