//! Which sessions some rule took when they were last shown, a bit each: a session that no rule takes now and none took before need not be told.

/// Words of the ring: a bit for each of the latest four million sessions.
const WORDS: usize = 1 << 16;

/// See the module's text. What fell out of the ring counts as taken, so that nothing is left untold.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// A power of two long, of [`WORDS`] at most.
    words: Vec<u64>,
    newest: u64,
}

impl Taken {
    /// Whether a rule may have taken session `id`.
    pub(super) fn has(&self, id: u64) -> bool {
        if id > self.newest {
            return false;
        }
        !self.is_recent(id) || self.words[self.place(id)] >> (id % 64) & 1 == 1
    }

    /// Notes whether a rule takes session `id` now.
    pub(super) fn note(&mut self, id: u64, takes: bool) {
        while id > self.newest {
            self.grow();
            self.newest += 1;
            // A word is cleared when its first number comes.
            if self.newest.is_multiple_of(64) {
                let place = self.place(self.newest);
                self.words[place] = 0;
            }
        }
        if self.is_recent(id) {
            let place = self.place(id);
            self.words[place] = self.words[place] & !(1 << (id % 64)) | u64::from(takes) << (id % 64);
        }
    }

    fn is_recent(&self, id: u64) -> bool {
        self.newest / 64 - id / 64 < self.words.len() as u64
    }

    /// Doubles the ring before it would turn, as long as it may.
    fn grow(&mut self) {
        let len = self.words.len();
        if len == 0 {
            self.words.push(0);
        } else if len < WORDS && (self.newest + 1) / 64 >= len as u64 {
            self.words.resize(len * 2, 0);
        }
    }

    fn place(&self, id: u64) -> usize {
        // The lowest bits are what is asked for.
        usize::try_from((id / 64) & (self.words.len() as u64 - 1)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_a_plain_set_says_and_forgets_towards_yes() {
        let mut taken = Taken::default();
        let last = (WORDS as u64 + 20_000) * 64;
        // Numbers that come late and again, as sessions change.
        for id in (1..=last).step_by(7) {
            taken.note(id, id.is_multiple_of(3));
            if id > 1_000 {
                taken.note(id - 994, (id - 994) % 5 == 0);
            }
        }
        let expected = |id: u64| {
            if id % 7 == 1 { if id + 994 <= last { id.is_multiple_of(5) } else { id.is_multiple_of(3) } } else { false }
        };
        for id in (last - 3_000_000)..=last {
            assert_eq!(taken.has(id), expected(id), "{id}");
        }
        assert!((1..64).all(|id| taken.has(id)), "what is forgotten may have been taken");
        assert!(!taken.has(last + 1_000));
        assert_eq!(taken.words.len(), WORDS);
    }
}
