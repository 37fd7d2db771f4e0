//! Where a session stands.

use super::conversation::Session;

/// How a session stands to the moment of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Over before the change.
    Before,
    /// Begun before it, seen after it.
    Surviving,
    /// Begun after it.
    New,
}

impl Phase {
    /// The code word used in output and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Before => "before",
            Phase::Surviving => "surviving",
            Phase::New => "new",
        }
    }
}

impl Session {
    /// How it stands to a change at `moment`, Unix seconds.
    pub fn phase(&self, moment: i64) -> Phase {
        if self.last < moment {
            Phase::Before
        } else if self.first < moment {
            Phase::Surviving
        } else {
            Phase::New
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Both directions were seen, more may come.
    Open,
    /// One direction was seen, the other may still come.
    Half,
    /// Over, and only one direction was ever seen.
    Unanswered,
    /// Over.
    Closed,
    /// Came after the session it belonged to was over and reported.
    Late,
    /// Dropped from memory before it was over.
    Evicted,
}

impl State {
    /// The code word used in output and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Half => "half",
            State::Unanswered => "unanswered",
            State::Closed => "closed",
            State::Late => "late",
            State::Evicted => "evicted",
        }
    }
}
