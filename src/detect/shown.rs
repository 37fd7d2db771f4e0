//! A session as the rules see it, and what is kept of one between two looks so that what it added can be taken back.

use crate::record::amplification::{Exposure, amp_port};
use crate::record::services::UDP;
use crate::record::special::is_outside;
use crate::record::{Field, Row, Value};
use crate::session::{Facts, SessionRow};

use super::gate::Bits;
use super::key::Key;

/// What a session was when the rules last looked at it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub facts: Facts,
    /// Values of the fields that rules group by or count and [`Facts`] has not, such as interfaces. The built-in rules have none.
    pub rest: Option<Box<[(Field, Key)]>>,
}

impl Known {
    /// What is known of `row` now. `end` is the end of the record that changed it, `rest` the fields to keep beside the facts.
    pub(super) fn of(row: &SessionRow<'_>, end: i64, rest: &[Field]) -> Known {
        let mut facts = Facts::of(row.session);
        facts.last = facts.last.max(end);
        let keep = || rest.iter().map(|field| (*field, Key::of(row, *field))).collect();
        Known { facts, rest: (!rest.is_empty()).then(keep) }
    }

    /// What rules test first of all, all at once.
    pub(super) fn bits(&self) -> Bits {
        let facts = &self.facts;
        let side = |addr, outside, inside| if is_outside(addr) { outside } else { inside };
        let mut bits = side(facts.client.0, Bits::CLIENT_OUTSIDE, Bits::CLIENT_INSIDE)
            | side(facts.server.0, Bits::SERVER_OUTSIDE, Bits::SERVER_INSIDE);
        bits = bits | Bits::of_protocol(Some(facts.protocol));
        if facts.protocol == UDP
            && let Some(row) = facts.server.1.and_then(amp_port)
        {
            bits = bits | Bits::AMPLIFIER;
            if row.exposure == Exposure::NeverPublic {
                bits = bits | Bits::NEVER_PUBLIC;
            }
        }
        if facts.method.is_strong() {
            bits = bits | Bits::CERTAIN;
        }
        bits | if facts.action == Some("REJECT") { Bits::DENIED } else { Bits::LET_IN }
    }
}

impl Row for Known {
    fn get(&self, field: Field) -> Option<Value<'_>> {
        if Facts::has(field) {
            return self.facts.get(field);
        }
        self.rest.as_deref()?.iter().find(|(known, _)| *known == field).and_then(|(_, key)| key.value())
    }

    /// Nothing searches what is only kept to be taken back.
    fn render(&self, _out: &mut String) {}
}

/// A session as it is now: the facts where they know, the session itself for the rest.
pub(super) struct Shown<'a> {
    pub facts: &'a Facts,
    pub row: &'a SessionRow<'a>,
}

impl Row for Shown<'_> {
    fn get(&self, field: Field) -> Option<Value<'_>> {
        if Facts::has(field) { self.facts.get(field) } else { self.row.get(field) }
    }

    fn any(&self, field: Field, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        if Facts::has(field) { self.facts.get(field).is_some_and(test) } else { self.row.any(field, test) }
    }

    fn render(&self, out: &mut String) {
        self.row.render(out);
    }
}
