//! What the rules were told of each session, so that what it added can be taken back when it changes. One table for all rules.
//!
//! A session's number leads to a bucket of a few places; what was looked at longest ago leaves when a bucket is full. So a look-up touches
//! one bucket, nothing is swept, and what is busy stays. The table doubles while that keeps something that still matters, up to its capacity.

use super::shown::Known;

/// Places of a bucket.
const WAYS: usize = 8;

/// What the rules hold of one session.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub known: Known,
    /// Rules that took it, one bit each.
    pub takes: u64,
    /// Rules that count it; the others only learn from it.
    pub counts: u64,
    /// When it was told, in looks.
    pub at: u64,
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Table {
    /// Numbers of sessions with the time of their last look, 0 for an empty place.
    places: Vec<[(u64, u64); WAYS]>,
    told: Vec<Option<Told>>,
    most: usize,
}

impl Table {
    /// An empty table that may use `memory` bytes, for sessions that need `each` bytes beside their places.
    pub(super) fn new(memory: usize, each: usize) -> Self {
        let bucket = WAYS * (size_of::<Option<Told>>() + size_of::<(u64, u64)>() + each);
        // A power of two, rounded down.
        let most = 1 << (memory / bucket).max(1).ilog2();
        let mut table = Table { places: Vec::new(), told: Vec::new(), most };
        table.resize(most.min(32));
        table
    }

    /// What was told of session `id`.
    pub(super) fn get(&self, id: u64) -> Option<&Told> {
        self.told[self.find(id)?].as_ref()
    }

    /// Forgets session `id`.
    pub(super) fn take(&mut self, id: u64) -> Option<Told> {
        let place = self.find(id)?;
        self.places[place / WAYS][place % WAYS] = (0, 0);
        self.told[place].take()
    }

    /// Notes what was told of session `id`. `matters` says whether a session may still have to be taken back. True where one that may
    /// had to go.
    pub(super) fn put(&mut self, id: u64, told: Told, matters: impl Fn(&Told) -> bool) -> bool {
        let (place, lost) = loop {
            let place = self.find(id).unwrap_or_else(|| self.oldest(id));
            let (other, _) = self.places[place / WAYS][place % WAYS];
            let lost = other != 0 && other != id && self.told[place].as_ref().is_some_and(&matters);
            if !lost || self.places.len() >= self.most {
                break (place, lost);
            }
            self.resize(self.places.len() * 2);
        };
        self.places[place / WAYS][place % WAYS] = (id, told.at);
        self.told[place] = Some(told);
        lost
    }

    /// Reads where session `id` is or would go, so that the next look finds it near.
    pub(super) fn touch(&self, id: u64) -> bool {
        let place = self.find(id).unwrap_or_else(|| self.oldest(id));
        self.told[place].is_some()
    }

    /// Sessions are numbered as they open, so neighbours in time are neighbours here.
    #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are what is asked for")]
    fn bucket(&self, id: u64) -> usize {
        id as usize & (self.places.len() - 1)
    }

    fn find(&self, id: u64) -> Option<usize> {
        let bucket = self.bucket(id);
        let way = self.places[bucket].iter().position(|(known, _)| *known == id)?;
        Some(bucket * WAYS + way)
    }

    /// An empty place of the bucket of `id`, or that of the longest ago.
    fn oldest(&self, id: u64) -> usize {
        let bucket = self.bucket(id);
        let way = (0..WAYS).min_by_key(|way| self.places[bucket][*way].1).unwrap_or(0);
        bucket * WAYS + way
    }

    fn resize(&mut self, buckets: usize) {
        let told = std::mem::take(&mut self.told);
        let places = std::mem::replace(&mut self.places, vec![[(0, 0); WAYS]; buckets]);
        self.told.resize_with(buckets * WAYS, || None);
        for ((id, at), told) in places.into_iter().flatten().zip(told) {
            if told.is_some() {
                // A bucket becomes two: there is room.
                let place = self.oldest(id);
                self.places[place / WAYS][place % WAYS] = (id, at);
                self.told[place] = told;
            }
        }
    }
}

#[cfg(test)]
mod tests;
