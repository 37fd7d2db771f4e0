//! Alerts that somebody does not want to see: those of a rule, or of one group of it, for a time or for good.

use super::alert::Alert;
use crate::filter::spell;
use crate::record::{Cell, Field};

/// Most mutes that are kept; the oldest goes first.
const MOST: usize = 1_000;
/// Longest text of a group that is kept, bytes.
const LONG: usize = 1_024;

/// One thing that is muted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Id of the rule.
    pub rule: String,
    /// The group, spelled as a filter; `None` for all of them.
    pub group: Option<String>,
    /// Unix second at which it ends; `None` for never.
    pub until: Option<i64>,
}

impl Mute {
    /// As a line of a file: end, rule, group, between tabs. A text that came from a log has no line end in it.
    pub fn to_line(&self) -> String {
        let until = self.until.map_or("-".to_owned(), |until| until.to_string());
        format!("{until}\t{}\t{}", self.rule, self.group.as_deref().unwrap_or("*"))
    }

    /// Reads such a line.
    pub fn from_line(line: &str) -> Option<Mute> {
        let mut parts = line.splitn(3, '\t');
        let (until, rule, group) = (parts.next()?, parts.next()?, parts.next()?);
        let until = if until == "-" { None } else { Some(until.parse().ok()?) };
        let sound = !rule.is_empty() && rule.len() <= 64 && !group.is_empty() && group.len() <= LONG;
        sound.then(|| Mute { rule: rule.to_owned(), group: (group != "*").then(|| group.to_owned()), until })
    }

    /// Whether it is about a group of its rule, as [`parts`] spells it.
    fn is_of(&self, parts: &[String]) -> bool {
        self.group.as_deref().is_none_or(|own| names(own, parts))
    }
}

/// Whether `own` is some of the parts of a group in their order: all of them are that group, fewer all groups that share them.
fn names(own: &str, parts: &[String]) -> bool {
    let mut left = own;
    for part in parts {
        match left.strip_prefix(part.as_str()) {
            Some("") => return true,
            Some(rest) => left = rest.strip_prefix(" and ").unwrap_or(left),
            None => {}
        }
    }
    // What was too long to be kept is known by its beginning.
    own == joined(parts)
}

/// The fields of a group, each spelled as a filter; what a terminal would obey is replaced.
pub fn parts(group: &[(Field, Cell)]) -> Vec<String> {
    let spelled = group.iter().filter_map(|(field, cell)| Some(spell(*field, cell.value()?)));
    spelled.map(|part| part.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()).collect()
}

/// The group of an alert as one filter.
pub fn group_of(alert: &Alert) -> String {
    joined(&parts(&alert.group))
}

/// A group as one filter.
pub fn joined(parts: &[String]) -> String {
    let mut text = parts.join(" and ");
    let mut end = LONG.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// Everything that is muted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mutes {
    list: Vec<Mute>,
}

impl Mutes {
    /// Mutes one thing more; takes the place of what was said of the same before.
    pub fn add(&mut self, mute: Mute) {
        self.remove(&mute);
        if self.list.len() == MOST {
            self.list.remove(0);
        }
        self.list.push(mute);
    }

    /// Takes back what was said of the same rule and group.
    pub fn remove(&mut self, mute: &Mute) {
        self.list.retain(|known| (&known.rule, &known.group) != (&mute.rule, &mute.group));
    }

    /// What is muted, in the order in which it was.
    pub fn iter(&self) -> impl Iterator<Item = &Mute> {
        self.list.iter()
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether `alert` is muted: by its rule or its group or, where it speaks for many groups, because each of them is.
    pub fn covers(&self, alert: &Alert) -> bool {
        let own: Vec<&Mute> = self.list.iter().filter(|mute| *mute.rule == *alert.rule).collect();
        let muted = |group| {
            let parts = parts(group);
            own.iter().any(|mute| mute.is_of(&parts))
        };
        !own.is_empty()
            && (muted(&alert.group)
                || !alert.among.is_empty() && !alert.speaks_for_more() && alert.among.iter().all(|group| muted(group)))
    }

    /// Whether any has ended by `now`, Unix seconds.
    pub fn any_over(&self, now: i64) -> bool {
        self.list.iter().any(|mute| mute.until.is_some_and(|until| until <= now))
    }

    /// Lets go of those that ended by `now`.
    pub fn expire(&mut self, now: i64) {
        self.list.retain(|mute| mute.until.is_none_or(|until| until > now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_the_mute_back() {
        for mute in [
            Mute { rule: "A-B".into(), group: Some("client = 10.0.0.1 and server.port = 53".into()), until: Some(5) },
            Mute { rule: "A-B".into(), group: None, until: None },
        ] {
            assert_eq!(Mute::from_line(&mute.to_line()), Some(mute));
        }
        for wrong in ["", "x\tA\t*", "-\t\t*", "-\tA", "-\tA\t"] {
            assert_eq!(Mute::from_line(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_mute_is_of_all_groups_that_share_what_it_names() {
        let parts = ["client = 10.0.0.1", "server = 10.0.0.1", "server.port = 53"].map(str::to_owned);
        for own in ["client = 10.0.0.1", "server.port = 53", "client = 10.0.0.1 and server.port = 53", &joined(&parts)]
        {
            assert!(names(own, &parts), "{own}");
        }
        for own in ["client = 10.0.0.10", "server.port = 5", "server.port = 53 and client = 10.0.0.1", "x", ""] {
            assert!(!names(own, &parts), "{own}");
        }
        let long = [format!("interface-id = \"{}\"", "x".repeat(2 * LONG))];
        assert!(names(&joined(&long), &long));
    }

    #[test]
    fn mutes_end_and_the_latest_word_counts() {
        let mut mutes = Mutes::default();
        let mute = |until| Mute { rule: "A".into(), group: None, until };
        mutes.add(mute(Some(10)));
        assert!(mutes.any_over(10) && !mutes.any_over(9));
        mutes.add(mute(None));
        mutes.expire(1_000);
        assert_eq!(mutes.iter().collect::<Vec<_>>(), [&mute(None)]);
        mutes.remove(&mute(None));
        assert!(mutes.is_empty());
    }
}
