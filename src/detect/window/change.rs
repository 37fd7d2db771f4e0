//! How contributions go into a group and come out of it.

use super::{Contribution, DISTINCT_CAP, EXTREMES, Group, Item, PANES, Pane, Seen};
use crate::detect::condition::{Aggregate, Function};
use crate::detect::few::Few;
use crate::detect::key::Key;

impl Group {
    /// Puts a contribution in. `room` is whether the rule may hold more distinct values.
    pub(in crate::detect) fn add(&mut self, aggregates: &[Aggregate], what: &Contribution, base: i64, room: bool) {
        self.change(aggregates, what, base, 1.0);
        for (slot, (aggregate, item)) in aggregates.iter().zip(&what.items).enumerate() {
            match (aggregate.function, item) {
                (Function::Distinct | Function::Failed, Item::Word(word)) if *word != Key::Absent => {
                    if self.sets.len() <= slot {
                        self.sets.reserve_exact(slot + 1 - self.sets.len());
                        self.sets.resize_with(slot + 1, Few::default);
                    }
                    insert_word(&mut self.sets[slot], word, what.panes, room);
                }
                (Function::Min | Function::Max, Item::Number(value)) if !value.is_nan() => {
                    if let Some(pane) = self.pane_mut(what.panes.1) {
                        if pane.extremes.len() <= slot {
                            pane.extremes.resize_with(slot + 1, Vec::new);
                        }
                        let best = &mut pane.extremes[slot];
                        let greatest = aggregate.function == Function::Max;
                        let at = best.partition_point(
                            |(known, ..)| {
                                if greatest { *known >= *value } else { *known <= *value }
                            },
                        );
                        if at < EXTREMES {
                            best.insert(at, (*value, what.id, what.panes.0));
                            best.truncate(EXTREMES);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Takes a contribution out again.
    pub(in crate::detect) fn withdraw(&mut self, aggregates: &[Aggregate], what: &Contribution, base: i64) {
        for (slot, (aggregate, item)) in aggregates.iter().zip(&what.items).enumerate() {
            match (aggregate.function, item) {
                (Function::Distinct | Function::Failed, Item::Word(word)) => {
                    if let Some(set) = self.sets.get_mut(slot)
                        && let Some(seen) = set.get_mut(word)
                    {
                        seen.uses = seen.uses.saturating_sub(1);
                        if seen.uses == 0 {
                            set.swap_remove(word);
                        }
                    }
                }
                (Function::Min | Function::Max, Item::Number(_)) => {
                    if let Some(best) = self.pane_mut(what.panes.1).and_then(|pane| pane.extremes.get_mut(slot)) {
                        best.retain(|(_, id, _)| *id != what.id);
                    }
                }
                _ => {}
            }
        }
        self.change(aggregates, what, base, -1.0);
    }

    /// Takes `old` out and puts `new` in. A session mostly grows within its panes, and then nothing but numbers changes.
    pub(in crate::detect) fn renew(
        &mut self,
        aggregates: &[Aggregate],
        old: &Contribution,
        new: &Contribution,
        base: i64,
        room: bool,
    ) {
        let sums = |function| matches!(function, Function::Count | Function::Sum);
        let mut pairs = aggregates.iter().zip(old.items.iter().zip(&new.items));
        let only_sums = pairs.all(|(aggregate, (was, is))| sums(aggregate.function) || was == is)
            && !aggregates.iter().any(|aggregate| matches!(aggregate.function, Function::Min | Function::Max));
        let place = |index| self.panes.binary_search_by_key(&index, |pane: &Pane| pane.index);
        let (Ok(begins), Ok(ends)) = (place(new.panes.0), place(new.panes.1)) else {
            self.withdraw(aggregates, old, base);
            return self.add(aggregates, new, base, room);
        };
        if old.panes != new.panes || new.panes.0 < base || !only_sums {
            self.withdraw(aggregates, old, base);
            return self.add(aggregates, new, base, room);
        }
        let slots = self.slots();
        let finite = |item: &Item| match item {
            Item::Number(value) if value.is_finite() => *value,
            _ => 0.0,
        };
        for (slot, (was, is)) in old.items.iter().zip(&new.items).enumerate() {
            if sums(aggregates[slot].function) {
                let more = finite(is) - finite(was);
                self.sums[slot] += more;
                self.sums[2 * slots * (begins + 1) + slot] += more;
                self.sums[2 * slots * (ends + 1) + slots + slot] += more;
            }
        }
        let pane = &mut self.panes[ends];
        let known = if pane.active.1 == 1 { (i64::MAX, i64::MIN) } else { pane.span };
        pane.span = (known.0.min(new.start), known.1.max(new.end));
    }

    /// Adds (or with -1 takes away) what sums: the start in its pane, the end in its own.
    fn change(&mut self, aggregates: &[Aggregate], what: &Contribution, base: i64, sign: f64) {
        let step = if sign > 0.0 { 1 } else { -1 };
        let slots = aggregates.len();
        if self.sums.is_empty() {
            self.sums.resize(2 * slots, 0.0);
        }
        let numbers = |to: &mut [f64], sign: f64| {
            for ((to, aggregate), item) in to.iter_mut().zip(aggregates).zip(&what.items) {
                if let (Function::Count | Function::Sum, Item::Number(value)) = (aggregate.function, item)
                    && value.is_finite()
                {
                    *to += sign * value;
                }
            }
        };
        // What began before the oldest pane goes where that pane's content went.
        let begins = if what.panes.0 < base {
            self.carried += step;
            slots
        } else {
            let at = self.pane(what.panes.0, slots);
            let pane = &mut self.panes[at];
            pane.active.0 += step;
            pane.uses = pane.uses.saturating_add_signed(if step > 0 { 1 } else { -1 });
            2 * slots * (at + 1)
        };
        numbers(&mut self.sums[begins..begins + slots], sign);
        if what.panes.1 < base {
            numbers(&mut self.sums[slots..2 * slots], -sign);
            self.carried -= step;
        } else {
            numbers(&mut self.sums[..slots], sign);
            let at = self.pane(what.panes.1, slots);
            let pane = &mut self.panes[at];
            pane.active.1 += step;
            pane.uses = pane.uses.saturating_add_signed(if step > 0 { 1 } else { -1 });
            if step > 0 {
                pane.span = (pane.span.0.min(what.start), pane.span.1.max(what.end));
            }
            let ends = 2 * slots * (at + 1) + slots;
            numbers(&mut self.sums[ends..ends + slots], sign);
        }
        if step < 0 {
            for index in [what.panes.0, what.panes.1] {
                if let Ok(at) = self.panes.binary_search_by_key(&index, |pane| pane.index)
                    && self.panes[at].uses == 0
                {
                    self.panes.remove(at);
                    self.sums.drain(2 * slots * (at + 1)..2 * slots * (at + 2));
                }
            }
        }
    }

    /// The place of the pane with this index, which is made where there is none.
    fn pane(&mut self, index: i64, slots: usize) -> usize {
        // Mostly it is the last one.
        let at = match self.panes.last() {
            Some(last) if last.index == index => return self.panes.len() - 1,
            Some(last) if last.index > index => self.panes.partition_point(|pane| pane.index < index),
            _ => self.panes.len(),
        };
        if self.panes.get(at).is_none_or(|pane| pane.index != index) {
            let pane = Pane { index, uses: 0, active: (0, 0), span: (i64::MAX, i64::MIN), extremes: Vec::new() };
            self.panes.insert(at, pane);
            let place = 2 * slots * (at + 1);
            self.sums.insert_many(place, std::iter::repeat_n(0.0, 2 * slots));
        }
        at
    }

    fn pane_mut(&mut self, index: i64) -> Option<&mut Pane> {
        let at = self.panes.binary_search_by_key(&index, |pane| pane.index).ok()?;
        self.panes.get_mut(at)
    }
}

/// Notes a distinct value. A full set gives up what can no longer be in a window with the new one, and otherwise stands still.
fn insert_word(set: &mut Few<Seen>, word: &Key, panes: (i64, i64), room: bool) {
    if let Some(seen) = set.get_mut(word) {
        seen.panes = (seen.panes.0.min(panes.0), seen.panes.1.max(panes.1));
        seen.uses = seen.uses.saturating_add(1);
        return;
    }
    if set.len() >= DISTINCT_CAP {
        set.retain(|seen| seen.panes.1 > panes.1 - PANES);
    }
    if set.len() < DISTINCT_CAP && room {
        set.insert_new(word.clone(), Seen { panes, uses: 1 });
    }
}
