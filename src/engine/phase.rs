//! How a session stands to the moment of a change. Removing a rule of a security group does not cut tracked connections, so after an isolation
//! the question is which sessions went on.

use super::conversations::SessionScan;
use super::groups::Groups;
use super::scan::Gather;
use super::view::{ChangeCounts, PhaseCount, Sort};
use crate::record::{Cell, Field, Row, Value};
use crate::session::{Phase, SessionRow};

/// A session beside the moment of a change.
#[derive(Clone, Copy, Debug)]
pub struct Phased<'a> {
    /// The session.
    pub row: SessionRow<'a>,
    /// Unix seconds.
    pub change: Option<i64>,
}

impl Phased<'_> {
    fn phase(&self) -> Option<&'static str> {
        Some(self.row.session.phase(self.change?).as_str())
    }
}

impl Row for Phased<'_> {
    fn get(&self, field: Field) -> Option<Value<'_>> {
        match field {
            Field::Phase => self.phase().map(Value::Text),
            other => self.row.get(other),
        }
    }

    fn any(&self, field: Field, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        match field {
            Field::Phase => self.phase().is_some_and(|phase| test(Value::Text(phase))),
            other => self.row.any(other, test),
        }
    }

    fn render(&self, out: &mut String) {
        self.row.render(out);
    }
}

/// What a pass over sessions gathers to count them by phase.
pub fn by_phase() -> Gather {
    Gather::Groups(Groups::new(&[Field::Phase]))
}

/// What such a pass has counted.
pub fn counts(scan: &mut SessionScan, complete: bool) -> ChangeCounts {
    let mut counts = ChangeCounts { complete, ..ChangeCounts::default() };
    let Gather::Groups(groups) = scan.gathered() else { return counts };
    for row in groups.rows(Sort::default(), 3) {
        let (Some(Cell::Text(phase)), Some(Cell::Int(bytes)), Some(Cell::Int(sessions))) =
            (row.cells.first(), row.cells.get(1), row.cells.get(3))
        else {
            continue;
        };
        let count = PhaseCount { sessions: *sessions, bytes: *bytes };
        let is = |wanted: Phase| &**phase == wanted.as_str();
        *match () {
            () if is(Phase::Before) => &mut counts.before,
            () if is(Phase::Surviving) => &mut counts.surviving,
            () => &mut counts.new,
        } = count;
    }
    counts
}
