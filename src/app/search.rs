//! A search over any range of time by CloudWatch Logs Insights (`H`): the prompt for the range, what it will cost, and the tab beside this one that its rows come into.

use std::sync::Arc;

use super::menu::{Does, Item, Kind, Menu};
use super::takeaway::{Ask, Asked};
use super::{App, Effect, Mode, Tone};
use crate::filter::{Filter, Stage, moment};
use crate::record::{Field, SourceState};

/// A search that was asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// First Unix second.
    pub from: i64,
    /// Last Unix second.
    pub to: i64,
    /// Sums by these fields instead of rows.
    pub by: Vec<Field>,
    /// The filter in force.
    pub filter: Option<Arc<Filter>>,
}

/// What a search will do, before it is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// What it searches, and from when to when.
    pub title: String,
    /// Gigabytes and cost.
    pub estimate: String,
    /// The query, as the Insights console takes it.
    pub query: String,
    /// What the user should know beforehand.
    pub notes: Vec<String>,
}

/// Sums by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The fields of a group.
    pub by: Vec<Field>,
    /// Values of a group, then bytes, packets and records as they are shown.
    pub rows: Vec<(Vec<String>, [String; 3])>,
    /// What was searched, whether that is all, and what it cost.
    pub report: String,
    /// Whether more is being added up.
    pub partial: bool,
}

/// What can be searched, and what lies beside this tab.
#[derive(Clone, Debug, Default)]
pub(super) struct Searches {
    /// Whether there is something to search.
    possible: bool,
    /// Whether this is the tab of a search, not the live one.
    of_search: bool,
    /// What was searched for; `None` for all records.
    filter: Option<String>,
    /// What the other tab is called.
    beside: Option<String>,
    sums: Adding,
}

/// Whether sums are being added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Adding {
    #[default]
    No,
    /// They are.
    Up,
    /// They are, and what there is was shown.
    Shown,
}

impl App {
    /// Can search what it looks at by Logs Insights.
    #[must_use]
    pub fn with_search(mut self, possible: bool) -> App {
        self.searches.possible = possible;
        self
    }

    /// Is the tab of a search for what a filter selects.
    #[must_use]
    pub fn of_search(mut self, filter: Option<String>) -> App {
        self.searches.of_search = true;
        self.searches.filter = filter;
        self
    }

    /// An app for the tab of a search that begins here: the same table, the filters that were typed.
    #[must_use]
    pub fn for_search(&self) -> App {
        let typed: Vec<&str> = self.history().collect();
        App::new()
            .with_tab(self.view.tab)
            .with_verdicts_of(self)
            .with_history(typed)
            .with_saved(self.saved())
            .with_themes(self.themes.clone(), &self.theme)
            .with_known(Arc::clone(&self.known))
            .with_nothing_earlier(Some(
                self.keys.spell("This tab holds what was searched: {history} searches another range."),
            ))
            .with_search(true)
            .with_inventory(self.inventory())
            .of_search(self.view.filter_in_force().map(ToString::to_string))
    }

    /// Sums are being added up.
    pub fn sum_up(&mut self) {
        self.searches.sums = Adding::Up;
        self.say_keys(Tone::Quiet, "Adding up … {stop-loading} stops it.");
    }

    /// They came, or never will.
    pub fn summed_up(&mut self) {
        self.searches.sums = Adding::No;
    }

    /// Whether the rules here can be taught what was used before: those of a live source that can be searched.
    pub(super) fn can_learn(&self) -> bool {
        self.searches.possible && !self.searches.of_search
    }

    /// Names the tab beside this one, or says that there is none.
    pub fn put_beside(&mut self, name: Option<String>) {
        self.searches.beside = name;
    }

    /// What the tab beside this one is called.
    pub fn beside(&self) -> Option<&str> {
        self.searches.beside.as_deref()
    }

    /// What was searched for, where this is the tab of a search.
    pub fn searched_for(&self) -> Option<&str> {
        self.searches.of_search.then(|| self.searches.filter.as_deref().unwrap_or("all records"))
    }

    /// What `since when` is answered of, where that is not all there was: words that follow the answer.
    pub fn only_of(&self) -> Option<String> {
        let selected = self.searches.filter.as_deref().filter(|_| self.searches.of_search);
        let fetched = self.page.status.fetch.as_ref().map(|fetch| &*fetch.text);
        selected.or(fetched).map(|text| format!(", of what {text} selects"))
    }

    /// Whether this is the tab of a search beside a live one.
    pub(super) fn is_beside_live(&self) -> bool {
        self.searches.of_search && self.searches.beside.is_some()
    }

    /// Whether a search fills this tab just now.
    pub(super) fn searches_now(&self) -> bool {
        let over = matches!(self.page.status.state.state, SourceState::Ended | SourceState::Failed(_));
        self.searches.sums != Adding::No || (self.searches.of_search && !over)
    }

    /// Whether a step back leaves the tab of a search.
    pub(super) fn leaves_search(&self) -> bool {
        self.searches.of_search
            && self.searches.beside.is_some()
            && self.back.is_empty()
            && !self.view.detail
            && self.focus == super::Focus::Table
    }

    /// Goes to the tab beside this one.
    pub(super) fn go_beside(&mut self) -> Vec<Effect> {
        if self.searches.beside.is_some() {
            return vec![Effect::Beside];
        }
        self.say_keys(Tone::Quiet, "There is no search so far: {history} searches any range by Logs Insights.");
        Vec::new()
    }

    pub(super) fn open_search(&mut self) {
        if !self.searches.possible {
            return self.say_keys(
                Tone::Quiet,
                "{history} searches a CloudWatch log group by Logs Insights; this source is none. `flowtail history` does.",
            );
        }
        // A search that left something out is gone on with where it did.
        let unread = self.page.status.gaps.first().filter(|_| self.searches.of_search).map(|gap| (gap.from, gap.to));
        let mut text = match self.view.window.or(unread) {
            Some((from, to)) => format!("{} to {}", written(from), written(to)),
            None => "24h".to_owned(),
        };
        let by: Vec<&str> = self.view.table().group_by.iter().map(|field| field.name()).collect();
        if !by.is_empty() {
            text = format!("{text} by {}", by.join(","));
        }
        self.mode = Mode::Ask(Ask::new(&text, Asked::Range));
    }

    /// A range was typed.
    pub(super) fn accept_range(&mut self, mut ask: Ask) -> Vec<Effect> {
        match read(ask.line.text(), self.source_now().div_euclid(1000)) {
            Ok((from, to, by)) => {
                let filter = self.view.filter_in_force().cloned();
                self.say(Tone::Quiet, "Asking what that costs …");
                vec![Effect::Search(Arc::new(Wanted { from, to, by, filter }))]
            }
            Err(why) => {
                ask.refused = Some(why);
                self.mode = Mode::Ask(ask);
                Vec::new()
            }
        }
    }

    /// A search is ready to be run: shows what it costs and asks.
    pub fn offer_search(&mut self, planned: &Planned) {
        if !matches!(self.mode, Mode::Main) {
            return self.say_keys(Tone::Quiet, "The search is ready: leave this, and ask for it again with {history}.");
        }
        self.notice = None;
        let mut items = vec![Item::new("y", format!("run it: scans {}", planned.estimate), Does::RunSearch)];
        items.push(Item::new(
            self.keys.spell("{list:cancel}"),
            "leave it: nothing was run, nothing is charged",
            Does::Nothing,
        ));
        let note = |text: &str| Item::new("", text, Does::Nothing);
        items.extend(planned.notes.iter().flat_map(|text| broken(text, self.viewport.width)).map(|text| note(&text)));
        items.extend(
            planned
                .query
                .lines()
                .flat_map(|line| broken(line, self.viewport.width))
                .map(|text| Item::new("query", text, Does::Nothing)),
        );
        self.open_menu(Menu::new(Kind::Search, planned.title.clone(), items));
    }

    /// Sums came: shows them as a table over the rows.
    pub fn show_sums(&mut self, sums: &Sums) {
        // Who has left the table gets it again once it is whole.
        let is_shown = matches!(&self.mode, Mode::Menu(menu) if menu.kind == Kind::Sums);
        if sums.partial && !is_shown && self.searches.sums == Adding::Shown {
            return;
        }
        // What is typed just now is not taken away by what is not whole.
        if sums.partial && !is_shown && !matches!(self.mode, Mode::Main) {
            return;
        }
        self.searches.sums = if sums.partial { Adding::Shown } else { Adding::No };
        let mut lines: Vec<Vec<&str>> = vec![sums.by.iter().map(|field| field.name()).collect()];
        lines[0].extend(["bytes", "packets", "records"]);
        for (key, amounts) in &sums.rows {
            lines.push(key.iter().chain(amounts).map(String::as_str).collect());
        }
        let wide = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..lines[0].len()).map(wide).collect();
        let items = lines.iter().enumerate().map(|(row, line)| {
            let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
            let does = row.checked_sub(1).and_then(|row| group_filter(&sums.by, &sums.rows[row].0));
            Item::new(cells.join("  "), "", does.map_or(Does::Nothing, |text| Does::Filter(text, None)))
        });
        let items = items.collect();
        let mut menu = Menu::new(Kind::Sums, sums.report.clone(), items);
        match &self.mode {
            Mode::Menu(old) if is_shown => {
                (menu.search, menu.cursor) = (old.search.clone(), old.cursor);
                self.mode = Mode::Menu(menu);
            }
            _ => self.open_menu(menu),
        }
    }
}

/// The filter that selects a group; `None` where no filter can say so.
fn group_filter(by: &[Field], key: &[String]) -> Option<String> {
    let tests: Vec<String> = by
        .iter()
        .zip(key)
        .map(|(field, value)| match value.as_str() {
            "-" => format!("not has {}", field.name()),
            value => format!("{} = {value}", field.name()),
        })
        .collect();
    let text = tests.join(" and ");
    Filter::parse(&text, Stage::Flows).ok().map(|filter| filter.to_string())
}

/// A text in lines that a screen of `width` cells shows whole beside a column of words; 0 where the screen is not known yet.
pub(super) fn broken(text: &str, width: u16) -> Vec<String> {
    /// Cells of the column beside it, and of the edges.
    const BESIDE: u16 = 14;
    /// Longer lines are hard to read.
    const LONGEST: u16 = 66;
    let wide = usize::from(if width == 0 { LONGEST } else { width.saturating_sub(BESIDE).clamp(8, LONGEST) });
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > wide {
            lines.push("  ".to_owned() + word);
        } else {
            let space = if lines[last].is_empty() { "" } else { " " };
            lines[last] = format!("{}{space}{word}", lines[last]);
        }
    }
    lines
}

/// Reads `FROM [to TO] [by FIELDS]`: the range in Unix seconds, and the fields.
fn read(text: &str, now: i64) -> Result<(i64, i64, Vec<Field>), String> {
    let text = text.trim();
    let (range, by) = text.split_once(" by ").unwrap_or((text, ""));
    let mut fields = Vec::new();
    for name in by.split([',', ' ']).filter(|name| !name.is_empty()) {
        let field = Field::named(name).ok_or_else(|| format!("No field is called {name}; write srcaddr,dstport."))?;
        fields.push(field);
    }
    let (from, to) = match range.split_once(" to ").or_else(|| range.split_once("..")) {
        Some((from, to)) => (from, to),
        None => (range, "now"),
    };
    let at = |text: &str| {
        let text = text.trim();
        time(text, now)
            .ok_or_else(|| format!("'{text}' is no time; write 7d (ago), 2018-08-20 15:00, 15:00 (UTC) or now."))
    };
    let from = at(from)?;
    let to = at(to)?;
    if from > to {
        Err("That range is empty: the earlier time comes first.".to_owned())
    } else {
        Ok((from, to, fields))
    }
}

/// A moment, or how long ago.
pub fn time(text: &str, now: i64) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        "w" => Some(7 * 86_400),
        _ => None,
    };
    if let (Some(unit), Ok(number)) = (unit, digits.parse::<i64>()) {
        return number.checked_mul(unit).map(|ago| now.saturating_sub(ago));
    }
    let dated =
        text.split_once(' ').filter(|(date, _)| date.contains('-')).map(|(date, time)| format!("{date}T{time}"));
    moment(dated.as_deref().unwrap_or(text), now)
}

/// A time as the prompt reads it again.
fn written(at: i64) -> String {
    jiff::Timestamp::from_second(at)
        .map_or_else(|_| at.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2018-08-20 15:30:00 UTC.
    const NOW: i64 = 1_534_779_000;

    #[test]
    fn a_range_is_read_as_people_write_it() {
        let at = |text: &str| read(text, NOW).map(|(from, to, by)| (NOW - from, NOW - to, by.len()));
        assert_eq!(at("7d"), Ok((7 * 86_400, 0, 0)));
        assert_eq!(at(" 2h to 1h "), Ok((7_200, 3_600, 0)));
        assert_eq!(at("15:00 to 15:10"), Ok((1_800, 1_200, 0)));
        assert_eq!(at("2018-08-20 15:00 to 2018-08-20 15:20:00"), Ok((1_800, 600, 0)));
        assert_eq!(at("2018-08-20T15:00Z..now"), Ok((1_800, 0, 0)));
        assert_eq!(at("4w by srcaddr, dstport"), Ok((28 * 86_400, 0, 2)));
        for (wrong, said) in [
            ("soon", "'soon' is no time"),
            ("1h by nosuch", "No field is called nosuch"),
            ("1h to 2h", "is empty"),
            ("", "is no time"),
        ] {
            assert!(read(wrong, NOW).unwrap_err().contains(said), "{wrong}");
        }
        let (from, to) = (written(NOW - 60), written(NOW));
        assert_eq!(at(&format!("{from} to {to}")), Ok((60, 0, 0)));
    }

    #[test]
    fn a_group_becomes_the_filter_that_selects_it() {
        let filter = |values: &[&str]| {
            let key: Vec<String> = values.iter().map(ToString::to_string).collect();
            group_filter(&[Field::SrcAddr, Field::DstPort], &key)
        };
        assert_eq!(filter(&["10.0.0.1", "443"]).as_deref(), Some("srcaddr = 10.0.0.1 and dstport = 443"));
        assert_eq!(filter(&["-", "443"]).as_deref(), Some("not has srcaddr and dstport = 443"));
        assert_eq!(filter(&["what (", "443"]), None);
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        let lines = broken(&"word ".repeat(40), 0);
        assert!(lines.len() > 2 && lines.iter().all(|line| line.len() <= 70), "{lines:?}");
    }
}
