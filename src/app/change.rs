//! The time of a change ("isolated at 10:32"): one mark with a note, by which sessions are told apart as before, surviving and new.

use super::{App, Line, Mode, Tone};
use crate::engine::view::{Column, RowId};
use crate::filter::moment;
use crate::record::{Cell, Field};

/// Longest note, characters.
const NOTE: usize = 60;

/// A change that was marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Unix seconds.
    pub at: i64,
    /// What was changed, as the user wrote it.
    pub note: String,
}

impl Change {
    /// Reads a time, and a note after it. `now` (Unix seconds) is what a time of day is reckoned from.
    ///
    /// # Errors
    /// What is no time, and how to write one.
    pub fn parse(text: &str, now: i64) -> Result<Change, String> {
        read(text, now)?.ok_or_else(|| "write a time, such as 2018-08-20 15:26".to_owned())
    }
}

/// The prompt for the time of a change while it is open.
#[derive(Clone, Debug)]
pub struct ChangePrompt {
    /// What is typed: a time, then a note.
    pub line: Line,
    /// What that means; `None` for an empty text, which takes the mark away.
    pub change: Result<Option<Change>, String>,
    /// What `now` and a time of day are reckoned from, Unix seconds.
    now: i64,
}

impl ChangePrompt {
    fn new(text: &str, now: i64) -> ChangePrompt {
        let mut prompt = ChangePrompt { line: Line::new(text), change: Ok(None), now };
        prompt.judge();
        prompt
    }

    fn judge(&mut self) {
        self.change = read(self.line.text(), self.now);
    }
}

/// Reads a time and a note. Of several times the last counts: the prompt opens on one, and who types another means that.
fn read(text: &str, now: i64) -> Result<Option<Change>, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Ok(None);
    }
    let mut at = None;
    while let Some((time, after)) = leading_time(rest, now) {
        // A note may begin with a number.
        if at.is_some() && !rest.split_whitespace().next().is_some_and(|word| word.contains([':', '-'])) {
            break;
        }
        (at, rest) = (Some(time), after.trim_start());
    }
    let at = at.ok_or_else(|| {
        let first = rest.split_whitespace().next().unwrap_or_default();
        format!("{first} is no time: write now, 10:32, 10:32:05, 2018-08-20 15:26 or Unix seconds (UTC), then a note.")
    })?;
    Ok(Some(Change { at, note: rest.trim().chars().take(NOTE).collect() }))
}

/// The time that `text` begins with, and what follows it.
fn leading_time(text: &str, now: i64) -> Option<(i64, &str)> {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    // A date and a time of day are two words of one time.
    let (second, after) = rest.trim_start().split_once(char::is_whitespace).unwrap_or((rest.trim_start(), ""));
    let dated = format!("{first}T{}", second.trim_end_matches('Z'));
    match moment(&dated, now) {
        Some(at) if first.contains('-') && !second.is_empty() => Some((at, after)),
        _ => Some((moment(first, now)?, rest)),
    }
}

impl App {
    /// Knows the time of a change from the start.
    #[must_use]
    pub fn with_change(mut self, change: Option<Change>) -> App {
        self.change = change;
        self
    }

    /// The time of a change that was marked.
    pub fn change(&self) -> Option<&Change> {
        self.change.as_ref()
    }

    /// Opens the prompt: on the mark there is, else on `at`, else on the time of the row under the cursor.
    pub(super) fn open_change_prompt(&mut self, at: Option<i64>) {
        let event = self.page.status.event_time.unwrap_or_else(|| self.source_now().div_euclid(1000));
        let text = match (at.or_else(|| self.row_time().filter(|_| self.change.is_none())), &self.change) {
            (Some(at), change) => {
                let note = change.as_ref().map(|change| change.note.as_str()).unwrap_or_default();
                format!("{} {note}", crate::app::change::written(at))
            }
            (None, Some(change)) => format!("{} {}", written(change.at), change.note),
            (None, None) => "now ".to_owned(),
        };
        self.mode = Mode::Change(ChangePrompt::new(&text, event));
    }

    /// End of the row under the cursor, Unix seconds.
    pub(super) fn row_time(&self) -> Option<i64> {
        let row = self.cursor_row()?;
        if let RowId::Flow { time, .. } = row.id {
            return i64::try_from(time).ok();
        }
        let at = self.page.columns.iter().position(|column| *column == Column::Field(Field::End))?;
        match row.cells.get(at) {
            Some(Cell::Int(time)) => i64::try_from(*time).ok(),
            _ => None,
        }
    }

    pub(super) fn judge_change(&mut self) {
        if let Mode::Change(prompt) = &mut self.mode {
            prompt.judge();
        }
    }

    pub(super) fn accept_change(&mut self, prompt: ChangePrompt) {
        match &prompt.change {
            Err(_) => self.mode = Mode::Change(prompt),
            Ok(None) => {
                if self.change.take().is_some() {
                    self.say(Tone::Quiet, "The mark of the change is taken away.");
                }
            }
            Ok(Some(change)) => {
                self.change = Some(change.clone());
                self.say(
                    Tone::Quiet,
                    "Sessions (2) show before, surviving and new in chg; phase = surviving filters them.",
                );
            }
        }
    }
}

/// A time as the prompt reads it again.
fn written(unix: i64) -> String {
    jiff::Timestamp::from_second(unix)
        .map_or_else(|_| unix.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2018-08-20 15:30:00 UTC.
    const NOW: i64 = 1_534_779_000;

    fn at(text: &str) -> Option<(i64, String)> {
        read(text, NOW).ok().flatten().map(|change| (change.at, change.note))
    }

    #[test]
    fn times_in_every_spelling_with_a_note() {
        let plain = |at: i64, note: &str| Some((at, note.to_owned()));
        assert_eq!(at("now"), plain(NOW, ""));
        assert_eq!(at(" 15:26:46 isolated web 1 "), plain(1_534_778_806, "isolated web 1"));
        assert_eq!(at("15:26"), plain(1_534_778_760, ""));
        // Later than now is yesterday's.
        assert_eq!(at("23:00"), plain(1_534_719_600, ""));
        assert_eq!(at("2018-08-20 15:26:46 note"), plain(1_534_778_806, "note"));
        assert_eq!(at("2018-08-20T15:26:46Z note"), plain(1_534_778_806, "note"));
        assert_eq!(at("2018-08-20 isolated"), plain(1_534_723_200, "isolated"));
        assert_eq!(at("1534778806"), plain(1_534_778_806, ""));
        // Typed behind the one that the prompt opens on.
        assert_eq!(at("2018-08-20 15:40:48 15:26:46 isolated"), plain(1_534_778_806, "isolated"));
        assert_eq!(at("15:26:46 2 hosts isolated"), plain(1_534_778_806, "2 hosts isolated"));
    }

    #[test]
    fn what_is_no_time_is_told_and_nothing_takes_the_mark_away() {
        assert!(read("soon", NOW).unwrap_err().contains("soon is no time"));
        assert_eq!(read("  ", NOW), Ok(None));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for unix in [0, 1_534_778_806, 4_000_000_000] {
            assert_eq!(at(&written(unix)).map(|(at, _)| at), Some(unix));
        }
    }
}
