//! Where a session stands.

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
