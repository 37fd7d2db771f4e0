//! `StartLiveTail`: events within seconds of their ingestion, as an extra beside the sweeps.
//!
//! A session sends what is ingested while it is open, never what came before, ends after three hours at the latest, and leaves events out where more
//! than 500 come in a second ("sampled") or where the client is slow (API reference, `StartLiveTail`). Its events carry no id. So it is never relied on:
//! sweeps read everything all the same, and the plan pairs what they return with what came live (`seen`). A session that ends is opened again, and
//! what it left out is asked for sooner than the schedule would.

mod session;

use std::time::Duration;

pub(super) use session::{Session, start};

use super::client::Found;

/// Log groups of one session at most (API reference).
pub(super) const MOST_GROUPS: usize = 10;

/// Stream prefixes of one session at most (API reference), each of one group.
pub(super) const MOST_PREFIXES: usize = 100;

/// An update comes every second, empty if there is nothing. After this much silence the connection is dead.
const SILENCE: Duration = Duration::from_secs(15);

/// What one session is asked for.
#[derive(Clone, Debug)]
pub(super) struct Want {
    /// Groups by name or ARN, with their places among the groups of the tail.
    pub(super) groups: Vec<(usize, String)>,
    /// Beginnings of the names of streams; empty for all. Only with one group.
    pub(super) prefixes: Vec<String>,
    /// Filter pattern.
    pub(super) pattern: Option<String>,
}

/// What a session brings.
#[derive(Debug)]
pub(super) enum News {
    /// It is open: from now on events come.
    Open,
    /// A second's events.
    Update {
        /// Each with the place of its group. They have no id.
        events: Vec<(usize, Found)>,
        /// Whether others were left out.
        sampled: bool,
    },
    /// It ended or could not be opened.
    Closed {
        /// In words for the user.
        why: String,
        /// Unix milliseconds of the next try.
        until: i64,
    },
}

/// Which group of `want` an event is of. The service names it by ARN or as `ACCOUNT:NAME`.
fn group_of(want: &Want, identifier: &str) -> Option<usize> {
    if let [(only, _)] = want.groups[..] {
        return Some(only);
    }
    let bare = |text: &str| text.strip_suffix(":*").unwrap_or(text).rsplit(':').next().unwrap_or_default().to_owned();
    let account = |text: &str| {
        text.rsplit(':').find(|part| part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit())).map(str::to_owned)
    };
    let (name, owner) = (bare(identifier), account(identifier));
    let same =
        |group: &str| bare(group) == name && (owner.is_none() || account(group).is_none() || account(group) == owner);
    want.groups.iter().find(|(_, group)| same(group)).map(|(place, _)| *place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_find_their_group_by_arn_or_account_and_name() {
        let arn = |account: &str| format!("arn:aws:logs:us-west-1:{account}:log-group:/vpc/a");
        let groups = vec![(0, "/vpc/b".to_owned()), (1, arn("123456789012")), (2, arn("210987654321"))];
        let want = Want { groups, prefixes: Vec::new(), pattern: None };
        assert_eq!(group_of(&want, "123456789012:/vpc/b"), Some(0));
        assert_eq!(group_of(&want, "210987654321:/vpc/a"), Some(2));
        assert_eq!(group_of(&want, &format!("{}:*", arn("123456789012"))), Some(1));
        assert_eq!(group_of(&want, "123456789012:/vpc/c"), None);
    }
}
