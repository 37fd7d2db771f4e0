//! One column of codes that grows: one code while all rows have the same, four bytes a code while they fit, else eight.

/// The codes of one field, in order of the rows. 0 is absent.
#[derive(Clone, Debug, Default)]
pub struct Column {
    len: usize,
    form: Form,
    narrow: Vec<u32>,
    wide: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    /// Every row has this code.
    Same(u64),
    /// They are in `narrow`.
    Narrow,
    /// They are in `wide`.
    Wide,
}

impl Default for Form {
    fn default() -> Form {
        Form::Same(0)
    }
}

/// The codes of a [`Column`] as they are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held<'a> {
    /// So many rows with the same code.
    Same(u64, usize),
    /// Codes of four bytes.
    Narrow(&'a [u32]),
    /// Codes of eight bytes.
    Wide(&'a [u64]),
}

impl Column {
    /// Rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether no row has a value.
    pub fn is_absent(&self) -> bool {
        self.len == 0 || matches!(self.form, Form::Same(0))
    }

    /// The code in `row`; 0 past the end.
    #[inline]
    pub fn get(&self, row: usize) -> u64 {
        match self.form {
            Form::Same(code) => {
                if row < self.len {
                    code
                } else {
                    0
                }
            }
            Form::Narrow => self.narrow.get(row).map_or(0, |code| u64::from(*code)),
            Form::Wide => self.wide.get(row).copied().unwrap_or(0),
        }
    }

    /// The codes.
    pub fn held(&self) -> Held<'_> {
        match self.form {
            Form::Same(code) => Held::Same(code, self.len),
            Form::Narrow => Held::Narrow(&self.narrow),
            Form::Wide => Held::Wide(&self.wide),
        }
    }

    /// Sets the code of `row`, the next one. Rows between the end and it are absent.
    #[inline]
    pub fn put(&mut self, row: usize, code: u64) {
        if self.len != row {
            // A header may name a field twice; what stands last counts, and the line is kept as logged beside it.
            self.truncate(row);
            self.fill(row, 0);
        }
        match self.form {
            Form::Narrow => match u32::try_from(code) {
                Ok(code) => self.narrow.push(code),
                Err(_) => return self.put_odd(code),
            },
            Form::Same(same) if same == code => {}
            Form::Wide => self.wide.push(code),
            Form::Same(_) => return self.put_odd(code),
        }
        self.len += 1;
    }

    /// As [`Column::put`], for a code that the form does not hold.
    #[cold]
    fn put_odd(&mut self, code: u64) {
        self.make_room(code, 1);
        match self.form {
            Form::Same(_) => {}
            Form::Narrow => self.narrow.push(u32::try_from(code).unwrap_or(u32::MAX)),
            Form::Wide => self.wide.push(code),
        }
        self.len += 1;
    }

    /// Makes the column `len` rows long, the new ones with `code`.
    pub fn fill(&mut self, len: usize, code: u64) {
        if len <= self.len {
            return;
        }
        self.make_room(code, len - self.len);
        match self.form {
            Form::Same(_) => {}
            Form::Narrow => self.narrow.resize(len, u32::try_from(code).unwrap_or(u32::MAX)),
            Form::Wide => self.wide.resize(len, code),
        }
        self.len = len;
    }

    /// Takes a form that holds `code` in `more` rows.
    fn make_room(&mut self, code: u64, more: usize) {
        match self.form {
            Form::Same(same) if same == code => {}
            Form::Same(_) if self.len == 0 => self.form = Form::Same(code),
            _ => self.spread(code, more),
        }
    }

    /// Takes a form with room for `more` codes, each up to `most`.
    fn spread(&mut self, most: u64, more: usize) {
        let len = self.len;
        self.form = match self.form {
            Form::Same(same) => {
                if let (Ok(same), Ok(_)) = (u32::try_from(same), u32::try_from(most)) {
                    self.narrow.reserve(len + more);
                    self.narrow.resize(len, same);
                    Form::Narrow
                } else {
                    self.wide.reserve(len + more);
                    self.wide.resize(len, same);
                    Form::Wide
                }
            }
            Form::Narrow if u32::try_from(most).is_err() => {
                self.wide.reserve(len + more);
                self.wide.extend(self.narrow.iter().map(|code| u64::from(*code)));
                self.narrow.clear();
                Form::Wide
            }
            form => form,
        };
    }

    /// Sets the codes of the rows from `from` on, the next ones. Rows between the end and them are absent.
    pub(super) fn put_all(&mut self, from: usize, codes: &[u64]) {
        self.fill(from, 0);
        let Some(first) = codes.first() else { return };
        let (differ, all) = codes.iter().fold((0, 0), |(differ, all), code| (differ | (code ^ first), all | code));
        if differ == 0 {
            return self.fill(from + codes.len(), *first);
        }
        self.spread(all, codes.len());
        // The narrow form was chosen for all of them.
        #[expect(clippy::cast_possible_truncation, reason = "all codes together fit")]
        match self.form {
            Form::Wide => self.wide.extend_from_slice(codes),
            _ => self.narrow.extend(codes.iter().map(|code| *code as u32)),
        }
        self.len += codes.len();
    }

    /// Appends codes as they are.
    pub fn extend(&mut self, codes: Held<'_>) {
        match codes {
            Held::Same(code, rows) => self.fill(self.len + rows, code),
            Held::Narrow(codes) => self.extend_narrow(codes, |code| *code),
            Held::Wide(codes) => codes.iter().for_each(|code| self.put(self.len, *code)),
        }
    }

    /// Appends what `map` makes of each of `codes`.
    pub fn extend_narrow(&mut self, codes: &[u32], map: impl FnMut(&u32) -> u32) {
        if let Form::Same(same) = self.form
            && !codes.is_empty()
        {
            self.spread(same, codes.len());
        }
        match self.form {
            Form::Narrow => self.narrow.extend(codes.iter().map(map)),
            _ => self.wide.extend(codes.iter().map(map).map(u64::from)),
        }
        self.len += codes.len();
    }

    /// Forgets the rows from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.narrow.truncate(len);
        self.wide.truncate(len);
        self.len = self.len.min(len);
    }

    /// Forgets all rows and keeps the room they took.
    pub fn clear(&mut self) {
        self.truncate(0);
        self.form = Form::default();
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        self.narrow.capacity() * 4 + self.wide.capacity() * 8
    }
}

impl<'a> Held<'a> {
    /// The codes of `rows`, as far as there are any.
    #[must_use]
    pub fn of(self, rows: std::ops::Range<usize>) -> Held<'a> {
        let cut = |len: usize| rows.start.min(len)..rows.end.min(len);
        match self {
            Held::Same(code, len) => Held::Same(code, cut(len).len()),
            Held::Narrow(codes) => Held::Narrow(&codes[cut(codes.len())]),
            Held::Wide(codes) => Held::Wide(&codes[cut(codes.len())]),
        }
    }

    /// Whether no row has a value.
    pub fn is_absent(self) -> bool {
        match self {
            Held::Same(code, len) => code == 0 || len == 0,
            Held::Narrow(codes) => codes.iter().all(|code| *code == 0),
            Held::Wide(codes) => codes.iter().all(|code| *code == 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_code() -> impl Strategy<Value = u64> {
        prop_oneof![3 => Just(0), 3 => Just(7), 3 => 0..1000_u64, 1 => (u64::from(u32::MAX) - 1)..(u64::from(u32::MAX) + 2), 1 => any::<u64>()]
    }

    proptest! {
        #[test]
        fn it_holds_what_was_put(steps in prop::collection::vec((0..5_u8, 0..4_usize, prop::collection::vec(a_code(), 1..5)), 0..30)) {
            let (mut column, mut model) = (Column::default(), Vec::<u64>::new());
            for (step, gap, codes) in steps {
                match step {
                    4 => {
                        column.put_all(model.len() + gap, &codes);
                        model.resize(model.len() + gap, 0);
                        model.extend(codes);
                    }
                    0 => {
                        let row = model.len() + gap;
                        model.resize(row, 0);
                        model.push(codes[0]);
                        column.put(row, codes[0]);
                    }
                    1 => {
                        model.resize(model.len() + gap, codes[0]);
                        column.fill(model.len(), codes[0]);
                    }
                    2 => {
                        let mut other = Column::default();
                        codes.iter().enumerate().for_each(|(row, code)| other.put(row, *code));
                        column.extend(other.held().of(gap..codes.len()));
                        model.extend(codes.iter().skip(gap));
                    }
                    _ => {
                        model.truncate(model.len().saturating_sub(gap));
                        column.truncate(model.len());
                    }
                }
                prop_assert_eq!(column.len(), model.len());
                for (row, code) in model.iter().enumerate() {
                    prop_assert_eq!(column.get(row), *code);
                }
                prop_assert_eq!(column.get(model.len()), 0);
            }
        }
    }
}
