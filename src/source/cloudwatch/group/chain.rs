//! How the events of one interface are found in a log group.

use std::sync::Arc;

use super::super::client::{Found, Select, belongs};
use super::Next;

/// How long to believe that an interface has no stream, milliseconds. AWS makes the stream when the first record is delivered.
const RECHECK: i64 = 5 * 60_000;

/// How an interface's events are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// No interface: all streams.
    All,
    /// Whether it has a stream is not known yet.
    Unknown,
    /// By the name of its streams.
    Stream,
    /// By the name of its streams, whose existence cannot be checked; whether an event was seen.
    Unchecked(bool),
    /// It has no stream: by its id in the text. Checked again at the given time.
    Content(i64),
}

/// One request chain: the events of one interface, or of all streams.
#[derive(Debug)]
pub(super) struct Chain {
    interface: Arc<str>,
    way: Way,
}

impl Chain {
    /// A chain for each interface, or a single one for all streams.
    pub(super) fn of(interfaces: &[String]) -> Vec<Chain> {
        if interfaces.is_empty() {
            return vec![Chain { interface: "".into(), way: Way::All }];
        }
        interfaces.iter().map(|id| Chain { interface: id.as_str().into(), way: Way::Unknown }).collect()
    }

    /// What to ask for next; `begins` where no page of this read was asked for so far.
    pub(super) fn ask(&self, now: i64, begins: bool) -> Ask {
        let id = Arc::clone(&self.interface);
        match self.way {
            Way::Unknown => Ask::HasStream(id),
            // Further ahead than that it is only where the clock was set back.
            Way::Content(until) if begins && !(now + 1..=now + RECHECK).contains(&until) => Ask::HasStream(id),
            Way::All => Ask::Page(Select::All),
            Way::Stream | Way::Unchecked(_) => Ask::Page(Select::Prefix(id)),
            Way::Content(_) => Ask::Page(Select::Content(id)),
        }
    }

    /// Whether it reads all streams.
    pub(super) fn is_all(&self) -> bool {
        self.way == Way::All
    }

    /// Whether an event is of this chain's interface. Servers are not trusted with it: moto ignores prefixes, and a search by content finds the id
    /// inside longer words.
    pub(super) fn wants(&self, event: &Found) -> bool {
        match self.way {
            Way::All => true,
            Way::Unknown | Way::Stream | Way::Unchecked(_) => self.owns(event),
            Way::Content(_) => self.owns(event) || mentions(&event.message, &self.interface),
        }
    }

    /// Whether an event's stream says that it is of this chain's interface.
    pub(super) fn owns(&self, event: &Found) -> bool {
        belongs(&event.stream, &self.interface)
    }

    /// It was answered whether the interface has a stream. True where it was believed to have none before.
    pub(super) fn stream_known(&mut self, exists: bool, now: i64) -> bool {
        let had_none = matches!(self.way, Way::Content(_));
        self.way = if exists { Way::Stream } else { Way::Content(now + RECHECK) };
        exists && had_none
    }

    /// It cannot be checked whether the interface has a stream.
    pub(super) fn stream_unknown(&mut self) {
        self.way = Way::Unchecked(false);
    }

    /// Events of it came.
    pub(super) fn came(&mut self) {
        if self.way == Way::Unchecked(false) {
            self.way = Way::Unchecked(true);
        }
    }

    /// What the user should know of how it is found.
    pub(super) fn note(&self, group: &str) -> Option<String> {
        let interface = &self.interface;
        match self.way {
            Way::Content(_) => Some(format!(
                "no stream of {group} begins with {interface}: check the id; searching all records for it by content"
            )),
            Way::Unchecked(false) => Some(format!(
                "nothing from {interface} yet, and whether it has a stream cannot be checked (logs:DescribeLogStreams is denied): check the id"
            )),
            Way::All | Way::Unknown | Way::Stream | Way::Unchecked(true) => None,
        }
    }
}

/// What a chain asks for.
pub(super) enum Ask {
    /// Whether its interface has a stream.
    HasStream(Arc<str>),
    /// A page of these events.
    Page(Select),
}

impl Ask {
    /// The request, for a range of milliseconds and a page of it.
    pub(super) fn over(self, range: (i64, i64), token: Option<String>) -> Next {
        match self {
            Ask::HasStream(interface) => Next::HasStream(interface),
            Ask::Page(select) => Next::Page(select, range, token),
        }
    }
}

/// Whether `text` contains `id` as a word of its own.
fn mentions(text: &str, id: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.match_indices(id).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + id.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_owns_its_streams_only() {
        // Combined streams: what comes after the dash says nothing, since AWS documents no suffix.
        for own in ["eni-0a", "eni-0a-all", "eni-0a-accept", "eni-0a-reject", "eni-0a-"] {
            assert!(belongs(own, "eni-0a"), "{own}");
        }
        for other in ["eni-0ab", "eni-0ab-all", "x-eni-0a", "eni-0", ""] {
            assert!(!belongs(other, "eni-0a"), "{other}");
        }
    }

    #[test]
    fn an_id_is_mentioned_as_a_word_only() {
        assert!(mentions("2 123 eni-0a 10.0.0.1", "eni-0a"));
        assert!(mentions("{\"interface\":\"eni-0a\"}", "eni-0a"));
        assert!(mentions("eni-0ab eni-0a", "eni-0a"));
        assert!(!mentions("2 123 eni-0ab 10.0.0.1", "eni-0a"));
        assert!(!mentions("2 123 xeni-0a", "eni-0a"));
        assert!(!mentions("é", "eni-0a"));
    }

    #[test]
    fn an_interface_without_a_stream_is_asked_for_again_later_and_not_within_a_read() {
        let mut chain = Chain::of(&["eni-0a".to_owned()]).remove(0);
        assert!(matches!(chain.ask(0, true), Ask::HasStream(_)));
        assert!(!chain.stream_known(false, 0));
        assert!(matches!(chain.ask(1, true), Ask::Page(Select::Content(_))));
        assert!(chain.note("g").is_some_and(|note| note.contains("no stream of g begins with eni-0a")));
        assert!(matches!(chain.ask(RECHECK, false), Ask::Page(Select::Content(_))));
        assert!(matches!(chain.ask(RECHECK, true), Ask::HasStream(_)));
        assert!(chain.stream_known(true, RECHECK), "what did not mention the id could not be found");
        assert!(matches!(chain.ask(RECHECK, true), Ask::Page(Select::Prefix(_))));
        assert_eq!(chain.note("g"), None);
    }
}
