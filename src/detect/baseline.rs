//! What was used before the oldest record held: ports and peers that were summed up elsewhere, for the rules that ask what is new.

use std::net::IpAddr;
use std::sync::Arc;

use super::key::Key;
use crate::record::Field;

/// What was used in a range of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// First Unix second.
    pub from: i64,
    /// Last Unix second.
    pub to: i64,
    /// Seconds that were asked for; less may have been kept.
    pub asked: i64,
    /// Unix second at which it was loaded.
    pub taken: i64,
    /// Why it is not all that was used in that time; empty where it is.
    pub lacks: String,
    /// What was used, most first.
    pub uses: Vec<Use>,
}

/// One use: a peer, or a port of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// The interface that logged it.
    pub interface: Option<Arc<str>>,
    /// Who asked.
    pub client: Option<IpAddr>,
    /// Who answered.
    pub server: Option<IpAddr>,
    /// The port that was asked.
    pub port: Option<u16>,
}

impl Use {
    /// Its value of a field; `None` where it does not say.
    pub(super) fn key(&self, field: Field) -> Option<Key> {
        match field {
            Field::Client | Field::SrcAddr => self.client.map(Key::Addr),
            Field::Server | Field::DstAddr => self.server.map(Key::Addr),
            Field::ServerPort | Field::DstPort => self.port.map(|port| Key::Int(port.into())),
            Field::InterfaceId => self.interface.clone().map(Key::Text),
            _ => None,
        }
    }

    /// The hosts in it.
    pub(super) fn hosts(&self) -> impl Iterator<Item = IpAddr> {
        self.client.into_iter().chain(self.server)
    }
}

impl Baseline {
    /// Since when something was not seen, as alerts say it.
    pub fn known(&self) -> String {
        let to = jiff::Timestamp::from_second(self.to).map_or_else(|_| self.to.to_string(), |time| time.to_string());
        let length = self.to.saturating_sub(self.from).max(0);
        let length = match (length + 1_800) / 3_600 {
            hours if hours >= 48 => format!("{} days", (hours + 12) / 24),
            hours => format!("{hours} hours"),
        };
        let part = if self.lacks.is_empty() { "" } else { " (of which a part is not known)" };
        format!("in the {length} to {to}{part}, nor in what was read since")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_since_when_something_was_not_seen() {
        let mut baseline = Baseline { from: 1_534_118_400, to: 1_534_723_200, ..Baseline::default() };
        assert_eq!(baseline.known(), "in the 7 days to 2018-08-20T00:00:00Z, nor in what was read since");
        baseline.from = baseline.to - 86_400;
        baseline.lacks = "the smallest".to_owned();
        assert!(baseline.known().starts_with("in the 24 hours to"), "{}", baseline.known());
        assert!(baseline.known().contains("a part is not known"), "{}", baseline.known());
    }
}
