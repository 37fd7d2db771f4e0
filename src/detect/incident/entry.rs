//! One alert in the book, and how its words are written.

use std::collections::BTreeSet;

use crate::detect::alert::Alert;
use crate::detect::key::GroupKey;
use crate::detect::rule::Rule;
use crate::detect::template::Fill;
use crate::record::{Cell, Field, Value, amplification, services};

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Waits until this event time for a rule that absorbs it.
    Held(i64),
    Open,
    /// Part of another alert.
    Absorbed(u64),
    Closed,
}

/// An alert with what the book needs to know besides.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) alert: Alert,
    pub(super) state: State,
    pub(super) rule: usize,
    pub(super) key: GroupKey,
    pub(super) strength: f64,
    pub(super) protocol: Option<u8>,
    pub(super) values: String,
    pub(super) last_pane: i64,
    /// It holds by what can change no more: nothing can disprove it.
    pub(super) certain: bool,
    /// Alerts of its rule that it speaks for, and what it says then.
    pub(super) members: BTreeSet<u64>,
    pub(super) gathered: Option<Box<Alert>>,
}

impl Entry {
    /// Writes message and filter from what is known now. `known` says since when what is new was not seen.
    pub(super) fn write(&mut self, rule: &Rule, known: &str) {
        let service = service(&self.alert.group, self.protocol);
        let fill = Fill {
            group: &self.alert.group,
            measured: &self.alert.measured,
            service,
            count: self.alert.count,
            values: &self.values,
            known,
        };
        let (message, filter) = (rule.message.fill(&fill), rule.evidence.fill_filter(&fill));
        self.alert.message = message;
        self.alert.filter = filter;
    }

    /// What is said: its own, or what it says for others too.
    pub(super) fn told(&self) -> &Alert {
        self.gathered.as_deref().unwrap_or(&self.alert)
    }
}

/// Name of the service that a group is about; `protocol` is that of its rows, where the group does not say.
pub(super) fn service(group: &[(Field, Cell)], protocol: Option<u8>) -> Option<&'static str> {
    let port = [Field::ServerPort, Field::DstPort, Field::SrcPort]
        .into_iter()
        .find_map(|wanted| number(group, wanted).and_then(|port| u16::try_from(port).ok()))?;
    let protocol = number(group, Field::Protocol).and_then(|number| u8::try_from(number).ok()).or(protocol);
    let known = match protocol {
        Some(protocol) => services::service(port, protocol),
        None => services::service(port, services::TCP).or_else(|| services::service(port, services::UDP)),
    };
    known.or_else(|| amplification::amp_port(port).map(|row| row.name.as_str()))
}

fn number(group: &[(Field, Cell)], wanted: Field) -> Option<u64> {
    match group.iter().find(|(field, _)| *field == wanted)?.1.value()? {
        Value::Int(number) => Some(number),
        _ => None,
    }
}

/// A count of records, so many more or fewer.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "record counts are small whole numbers")]
pub(super) fn shifted(count: u64, by: f64) -> u64 {
    if by >= 0.0 { count.saturating_add(by as u64) } else { count.saturating_sub(-by as u64) }
}
