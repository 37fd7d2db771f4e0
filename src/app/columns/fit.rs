//! Which columns of a table stand on the screen, and where.
//!
//! Of a table that is wider than the screen the columns that matter most are shown, by rank. Whoever goes further to the side scrolls: then the
//! first column stays, the others stand in their order, and none between them is left out.

use super::{CHOSEN, Col, def, default_set, title};
use crate::app::view::Scroll;
use crate::engine::view::Tab;
use crate::record::{Field, Kind};

/// Columns of a higher rank go before a time is shortened or a message is squeezed.
const SHORTEN: u8 = 4;
/// How much shorter everything can be written.
const TIGHTEST: u8 = 2;
/// Cells of an IPv4 address with the code of its country.
const USUAL_ADDRESS: u16 = 18;

/// A column that got a place on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Which.
    pub col: Col,
    /// Its index among all columns of the table, which is its index in a row's cells.
    pub index: usize,
    /// Cells from the left edge of the table to its text (or arrow).
    pub x: u16,
    /// Cells before its text, for the arrow.
    pub lead: u16,
    /// Width of its text.
    pub width: u16,
}

/// The columns that are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fitted {
    /// From left to right.
    pub placed: Vec<Placed>,
    /// Index of the first column after the one that stays, where the table is scrolled; 0 where it is not.
    pub first: usize,
    /// Columns that are left out, none of them to the right of the last one.
    pub before: usize,
    /// Columns to the right of the last one.
    pub after: usize,
}

/// What columns are to be placed on.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// Which table.
    pub tab: Tab,
    /// Cells.
    pub width: u16,
    /// Columns that are never left out while nothing is scrolled.
    pub keep: &'a [Col],
    /// How far the table is scrolled.
    pub scroll: Scroll,
    /// Cells of a time, in full and short.
    pub times: (u16, u16),
}

/// Whether `col` holds a moment.
pub fn is_time(col: Col) -> bool {
    match col {
        Col::Field(field) => field.kind() == Kind::Time,
        Col::Alert(column) => column == super::AlertColumn::Time,
        Col::Group(_) => false,
    }
}

fn is_address(col: Col) -> bool {
    matches!(col, Col::Field(field) if field.kind() == Kind::Addr)
}

/// Whether `col` is where an arrow comes from.
fn is_origin(col: Col) -> bool {
    matches!(col, Col::Field(Field::SrcAddr | Field::Client))
}

/// Columns as they are being fitted.
struct Fit<'a> {
    room: Room<'a>,
    grouped: bool,
    /// From 1 on times are short, messages squeezed, and an arrow has a cell less; at [`TIGHTEST`] it has one.
    tight: u8,
    shown: Vec<(usize, Col)>,
}

impl Fit<'_> {
    fn rank(&self, col: Col) -> u8 {
        // Whoever marked a change looks for nothing else.
        if col == Col::Field(Field::Phase) {
            return 1;
        }
        let known = default_set(self.room.tab).iter().find(|(known, _)| *known == col);
        known.map_or(CHOSEN, |(_, rank)| *rank)
    }

    fn lead(&self, col: Col) -> u16 {
        let lead = def(col).lead;
        // Beside sums an arrow stands between two addresses only.
        if self.grouped && !self.shown.iter().any(|(_, col)| is_origin(*col)) {
            return 0;
        }
        match self.tight {
            0 => lead,
            1 => lead.saturating_sub(1).max(lead.min(1)),
            _ => lead.min(1),
        }
    }

    fn least(&self, col: Col) -> u16 {
        let def = def(col);
        let titled = u16::try_from(title(col, self.grouped).len()).unwrap_or(u16::MAX);
        let (full, short) = self.room.times;
        match (is_time(col), self.tight > 0) {
            (true, true) => short,
            (true, false) => full.max(titled),
            (false, true) => def.min.min(def.squeezed).max(titled),
            (false, false) => def.min.max(titled),
        }
    }

    fn need(&self, col: Col) -> u16 {
        self.least(col) + self.lead(col) + 1
    }

    fn total(&self) -> u16 {
        self.shown.iter().map(|(_, col)| self.need(*col)).sum::<u16>().saturating_sub(1)
    }

    /// Leaves out what does not fit, by rank, never one of those that are kept.
    fn by_rank(&mut self) {
        while self.total() > self.room.width && self.shown.len() > 1 {
            let free = self.shown.iter().enumerate().filter(|(_, (_, col))| !self.room.keep.contains(col));
            let last = free.map(|(at, (_, col))| (self.rank(*col), at)).max();
            match last {
                // What matters is written shorter before any of it goes.
                Some((rank, _)) if rank <= SHORTEN && self.tight < TIGHTEST => self.tight += 1,
                None if self.tight < TIGHTEST => self.tight += 1,
                Some((_, at)) => drop(self.shown.remove(at)),
                None => drop(self.shown.pop()),
            }
        }
        self.relax();
    }

    /// Writes things no shorter than they need to be.
    fn relax(&mut self) {
        while self.tight > 0 {
            self.tight -= 1;
            if self.total() > self.room.width {
                self.tight += 1;
                return;
            }
        }
    }

    /// The first column, then those from `first` on. Gives where the others begin so that `reveal` is among them.
    fn scrolled(&mut self, cols: &[Col], first: usize, reveal: Option<usize>) -> usize {
        let Some(stays) = cols.first() else { return 0 };
        // What stays leaves half of the room to the others.
        let room = self.room.width.saturating_sub(self.need(*stays).min(self.room.width / 2));
        let reach = |first: usize| {
            let mut used = 0;
            let fits = cols[first..].iter().take_while(|col| {
                used += self.need(**col);
                used <= room + 1
            });
            first + fits.count().max(1)
        };
        let last = cols.len() - 1;
        let mut first = first.clamp(1, last.max(1));
        if let Some(wanted) = reveal.filter(|wanted| *wanted > 0) {
            first = first.min(wanted);
            while first < wanted && reach(first) <= wanted {
                first += 1;
            }
        }
        // No room is left empty at the end.
        while first > 1 && reach(first - 1) > last {
            first -= 1;
        }
        let to = reach(first).min(cols.len());
        self.shown = std::iter::once(0).chain(first..to).map(|at| (at, cols[at])).collect();
        first
    }

    /// Gives what room is left to those that want it, in order of rank, and a place to each.
    fn place(&self, wanted: impl Fn(usize, Col) -> u16) -> Vec<Placed> {
        let width = self.room.width;
        let mut spare = width.saturating_sub(self.total());
        let mut widths: Vec<u16> = self.shown.iter().map(|(_, col)| self.least(*col).min(width)).collect();
        let mut by_rank: Vec<usize> = (0..self.shown.len()).collect();
        by_rank.sort_by_key(|at| self.rank(self.shown[*at].1));
        // Both addresses as they are mostly written, before one of them is written longer.
        let addresses = by_rank.iter().filter(|at| is_address(self.shown[**at].1)).map(|at| (*at, USUAL_ADDRESS));
        let all = by_rank.iter().map(|at| (*at, u16::MAX));
        for (at, upto) in addresses.chain(all) {
            let (index, col) = self.shown[at];
            let most = if is_time(col) { self.room.times.0 } else { def(col).max.min(upto) };
            let more = wanted(index, col).min(most).saturating_sub(widths[at]);
            // A time is written in full or short: half of it would be an empty cell.
            let more = if is_time(col) && more > spare { 0 } else { more.min(spare) };
            widths[at] += more;
            spare -= more;
        }
        let mut x = 0;
        let mut placed = Vec::with_capacity(self.shown.len());
        for ((index, col), text_width) in self.shown.iter().zip(widths) {
            let lead = self.lead(*col);
            // The first column may be wider than the screen; the last one ends with it.
            let text_width =
                text_width.min(width.saturating_sub(x + lead)).max(u16::from(placed.is_empty()).min(width));
            placed.push(Placed { col: *col, index: *index, x, lead, width: text_width });
            x += text_width + lead + 1;
        }
        placed
    }
}

/// Places columns on the room there is. `wanted` says how wide the texts of a column are.
pub fn fit(cols: &[Col], room: Room<'_>, wanted: impl Fn(usize, Col) -> u16) -> Fitted {
    let grouped = cols.iter().any(|col| matches!(col, Col::Group(_)));
    let all = || cols.iter().copied().enumerate().collect();
    let mut fit = Fit { room, grouped, tight: 0, shown: all() };
    let mut first = 0;
    if fit.total() > room.width {
        fit.by_rank();
        let place = |col: Col| cols.iter().position(|known| *known == col);
        let reveal = room.scroll.reveal.and_then(place);
        let seen = reveal.is_none_or(|wanted| fit.shown.iter().any(|(at, _)| *at == wanted));
        if room.scroll.first > 0 || !seen {
            let from = room.scroll.first.max(1);
            fit.tight = TIGHTEST;
            first = fit.scrolled(cols, from, reveal);
            fit.relax();
        }
    }
    let placed = fit.place(wanted);
    let last = placed.last().map_or(0, |placed| placed.index + 1);
    Fitted { first, before: last.saturating_sub(placed.len()), after: cols.len() - last, placed }
}

#[cfg(test)]
mod tests {
    use super::super::columns;
    use super::*;

    /// Cells of a time of day, in full and short.
    const TIMES: (u16, u16) = (8, 5);

    fn room(tab: Tab, width: u16) -> Room<'static> {
        Room { tab, width, keep: &[], scroll: Scroll::default(), times: TIMES }
    }

    fn names(room: Room<'_>) -> Vec<&'static str> {
        let cols: Vec<Col> = columns(room.tab).collect();
        fit(&cols, room, |_, _| 0).placed.iter().map(|placed| def(placed.col).title).collect()
    }

    #[test]
    fn eighty_columns_hold_what_matters() {
        let flows = ["time", "a", "source", "port", "destination", "port", "service", "prot", "bytes"];
        assert_eq!(names(room(Tab::Flows, 78)), flows);
        let sessions = ["time", "initiator", "responder", "port", "service", "req", "resp", "ratio"];
        assert_eq!(names(room(Tab::Sessions, 78)), sessions);
        assert_eq!(names(room(Tab::Flows, 38)), ["time", "source", "destination"]);
        assert_eq!(names(room(Tab::Alerts, 38)), ["time", "rule", "what"]);
        assert_eq!(names(room(Tab::Flows, 34)), ["source", "destination"]);
    }

    #[test]
    fn the_chosen_column_is_never_left_out() {
        let flags = [Col::Field(Field::TcpFlags)];
        assert!(names(Room { keep: &flags, ..room(Tab::Flows, 60) }).contains(&"flags"));
        assert_eq!(names(Room { keep: &flags, ..room(Tab::Flows, 3) }), ["flags"]);
    }

    #[test]
    fn scrolled_the_first_column_stays_and_none_is_left_out_between() {
        let cols: Vec<Col> = columns(Tab::Flows).collect();
        for width in 20..160 {
            let mut scroll = Scroll::default();
            for (place, col) in cols.iter().enumerate() {
                scroll.reveal = Some(*col);
                let fitted = fit(&cols, Room { scroll, ..room(Tab::Flows, width) }, |_, _| 0);
                let shown: Vec<usize> = fitted.placed.iter().map(|placed| placed.index).collect();
                assert!(shown.contains(&place), "{col:?} at {width}: {shown:?}");
                scroll.first = fitted.first;
                if fitted.first > 0 {
                    assert_eq!(shown[0], 0);
                    let rest: Vec<usize> = (fitted.first..fitted.first + shown.len() - 1).collect();
                    assert_eq!(shown[1..], rest);
                }
                assert_eq!(shown.len() + fitted.before + fitted.after, cols.len());
            }
        }
    }

    #[test]
    fn nothing_is_wider_than_the_table() {
        for tab in [Tab::Flows, Tab::Sessions, Tab::Alerts] {
            let cols: Vec<Col> = columns(tab).collect();
            for width in 0..300 {
                for first in 0..=cols.len() {
                    let scroll = Scroll { first, reveal: None };
                    let fitted = fit(&cols, Room { scroll, ..room(tab, width) }, |_, _| 99);
                    let last = fitted.placed.last().expect("one column always stays");
                    let end = last.x + last.width + last.lead;
                    assert!(end <= width.max(last.lead + last.x), "{end} > {width}");
                }
            }
        }
    }
}
