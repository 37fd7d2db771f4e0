//! The rules for sessions, told together: what a session adds up to is read once for all, and one table keeps what they hold of it.

use super::hosts::Hosts;
use super::incident::Book;
use super::key::Key;
use super::shown::{Known, Shown};
use super::state::RuleState;
use super::told::{Table, Told};
use crate::filter::Stage;
use crate::record::Field;
use crate::session::{Facts, SessionRow};

/// Rules a bank has at most: one bit each.
const RULES: usize = 64;

/// See the module's text.
#[derive(Debug)]
pub(super) struct Bank {
    /// Places in the detector's list.
    rules: Vec<usize>,
    /// Fields that these rules group by or count, beyond [`Facts`].
    rest: Vec<Field>,
    table: Table,
    /// Looks so far.
    looks: u64,
    /// Sessions that had to be let go although they might still change.
    pub forgotten: u64,
}

impl Bank {
    /// The banks of all rules for sessions, which may use `memory` bytes together.
    pub(super) fn of(rules: &[RuleState], memory: usize) -> Vec<Bank> {
        let sessions: Vec<usize> =
            (0..rules.len()).filter(|index| rules[*index].rule.stage == Stage::Sessions).collect();
        let count = sessions.len().div_ceil(RULES).max(1);
        let bank = |own: &[usize]| {
            let mut rest: Vec<Field> = own
                .iter()
                .map(|index| &rules[*index].rule)
                .flat_map(|rule| {
                    rule.group_by.iter().copied().chain(rule.aggregates.iter().filter_map(|aggregate| aggregate.field))
                })
                .filter(|field| !Facts::has(*field))
                .collect();
            rest.sort_unstable();
            rest.dedup();
            let each = rest.len() * size_of::<(Field, Key)>();
            let table = Table::new(memory / count, each);
            Bank { rules: own.to_vec(), rest, table, looks: 0, forgotten: 0 }
        };
        sessions.chunks(RULES).map(bank).collect()
    }

    /// A session changed. `unknown` says that it is told for the first time.
    #[expect(clippy::too_many_arguments, reason = "the parts of the detector, which are borrowed apart")]
    pub(super) fn session(
        &mut self,
        id: u64,
        row: &SessionRow<'_>,
        end: i64,
        unknown: bool,
        rules: &mut [RuleState],
        hosts: &Hosts,
        book: &mut Book,
    ) {
        self.looks += 1;
        let known = Known::of(row, end, &self.rest);
        let bits = known.bits();
        let shown = Shown { facts: &known.facts, row };
        let old = if unknown { None } else { self.table.get(id) };
        let (mut takes, mut counts) = (0, 0);
        for (bit, index) in self.rules.iter().enumerate() {
            let Some(state) = rules.get_mut(*index) else { continue };
            let new = state.takes(bits, &shown);
            let old = old.filter(|old| old.takes >> bit & 1 == 1).map(|old| (old, old.counts >> bit & 1 == 1));
            if (new.is_some() || old.is_some())
                && state.session(old, new.map(|counts| (&known, counts)), self.looks, hosts, book)
            {
                takes |= 1 << bit;
                counts |= u64::from(new == Some(true)) << bit;
            }
        }
        if takes != 0 {
            let told = Told { known, takes, counts, at: self.looks };
            let matters = |told: &Told| {
                let own = self.rules.iter().enumerate().filter(|(bit, _)| told.takes >> bit & 1 == 1);
                own.filter_map(|(_, index)| rules.get(*index)).any(|state| state.needs(told.known.facts.last))
            };
            self.forgotten += u64::from(self.table.put(id, told, matters));
        } else if old.is_some() {
            self.table.take(id);
        }
    }

    /// A session is no more: what it added goes.
    pub(super) fn withdraw(&mut self, id: u64, rules: &mut [RuleState], hosts: &Hosts, book: &mut Book) {
        let Some(told) = self.table.take(id) else { return };
        for (bit, index) in self.rules.iter().enumerate().filter(|(bit, _)| told.takes >> bit & 1 == 1) {
            if let Some(state) = rules.get_mut(*index) {
                state.session(Some((&told, told.counts >> bit & 1 == 1)), None, self.looks, hosts, book);
            }
        }
    }
}
