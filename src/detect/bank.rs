//! The rules for sessions, told together: one table keeps what they hold of a session.

use super::hosts::Hosts;
use super::incident::Book;
use super::intake;
use super::key::Key;
use super::shown::Known;
use super::state::RuleState;
use super::told::{Table, Told};
use crate::record::Field;

/// See the module's text.
#[derive(Debug)]
pub(super) struct Bank {
    /// Places in the list of rules.
    rules: Vec<usize>,
    table: Table,
    /// Looks so far.
    looks: u64,
    /// Sessions that had to be let go although they might still change.
    pub forgotten: u64,
}

impl Bank {
    /// What the rules of `of` remember of sessions, within `memory` bytes.
    pub(super) fn new(of: &intake::Bank, memory: usize) -> Bank {
        let each = of.rest.len() * size_of::<(Field, Key)>();
        Bank { rules: of.rules().to_vec(), table: Table::new(memory, each), looks: 0, forgotten: 0 }
    }

    /// Reads what the next look at this session will need, and decides nothing.
    pub(super) fn touch(&self, id: u64) -> bool {
        self.table.touch(id)
    }

    /// A session changed; `takes`, `counts` and `unknown` as in [`Order::Session`](super::order::Order::Session).
    #[expect(clippy::too_many_arguments, reason = "an order, and the parts of the ledger, which are borrowed apart")]
    pub(super) fn session(
        &mut self,
        known: Known,
        unknown: bool,
        takes: u64,
        counts: u64,
        rules: &mut [RuleState],
        hosts: &Hosts,
        book: &mut Book,
    ) {
        self.looks += 1;
        let id = known.facts.id;
        let old = if unknown { None } else { self.table.get(id) };
        let (mut holds, mut counted) = (0, 0);
        let mut left = takes | old.map_or(0, |old| old.takes);
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            let Some(state) = rules.get_mut(self.rules[bit as usize]) else { continue };
            let has = |set: u64| set >> bit & 1 == 1;
            let old = old.filter(|old| has(old.takes)).map(|old| (old, has(old.counts)));
            let new = has(takes).then_some((&known, has(counts)));
            if state.session(old, new, self.looks, hosts, book) {
                holds |= 1 << bit;
                counted |= u64::from(has(counts)) << bit;
            }
        }
        if holds != 0 {
            let told = Told { known, takes: holds, counts: counted, at: self.looks };
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
