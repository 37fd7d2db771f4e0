//! Records of an open session, kept one by one: a repeated one is recognised among them, and a session in which two connections turn out to
//! be mixed is taken apart by them.

use super::key::Way;
use super::observer::Window;
use crate::record::{Action, Flow};

/// Records of one observer and direction that are kept: the latest, and at one a minute more than lateness spans.
pub(super) const MAX_KEPT: usize = 24;

/// One record, without what its session says already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// End of its window, Unix seconds.
    pub(super) end: i64,
    pub(super) bytes: u64,
    pub(super) packets: u64,
    /// Seconds from its start to its end.
    length: u32,
    /// Its counter: which observer of the session, and which way.
    place: u8,
    pub(super) action: Action,
    pub(super) flags: Option<u8>,
}

impl Kept {
    pub(super) fn of(flow: &Flow, observer: usize, way: Way) -> Kept {
        let only = Kept::only(Window::of(flow), (flow.bytes, flow.packets), flow.action, flow.flags, way);
        only.at(observer)
    }

    /// The only record of a counter.
    pub(super) fn only(window: Window, counts: (u64, u64), action: Action, flags: Option<u8>, way: Way) -> Kept {
        let (start, end) = window.bounds();
        let (bytes, packets) = counts;
        let length = u32::try_from(end - start).unwrap_or(u32::MAX);
        Kept { end, bytes, packets, length, place: place(0, way), action, flags }
    }

    /// The same record as that of another observer in the list of its session.
    #[must_use]
    pub(super) fn at(self, observer: usize) -> Kept {
        Kept { place: place(observer, self.way()), ..self }
    }

    pub(super) fn start(&self) -> i64 {
        self.end - i64::from(self.length)
    }

    pub(super) fn observer(&self) -> usize {
        usize::from(self.place / 2)
    }

    pub(super) fn way(&self) -> Way {
        if self.place.is_multiple_of(2) { Way::AtoB } else { Way::BtoA }
    }

    /// What is the same in a record that was delivered twice, and in that of a second flow log on the interface, whose format may lack the
    /// flags. Sorts by counter and then by time.
    fn identity(&self) -> (u8, i64, u32, u64, u64, u8) {
        (self.place, self.end, self.length, self.bytes, self.packets, self.action as u8)
    }
}

fn place(observer: usize, way: Way) -> u8 {
    // `MAX_OBSERVERS` keeps it far below 256.
    u8::try_from(observer * 2 + way.index()).unwrap_or(u8::MAX)
}

/// What became of a record that was to be kept.
pub(super) enum Kind {
    /// It is new. The oldest of its counter was let go, if that had too many.
    New(Option<Kept>),
    /// It repeats one. Its flags were added to those of the other.
    Repeated,
}

/// Kept records, sorted by counter and time.
#[derive(Clone, Debug, Default)]
pub(super) struct List(Vec<Kept>);

impl List {
    /// Keeps `record`, unless it is known.
    pub(super) fn keep(&mut self, record: Kept) -> Kind {
        match self.0.binary_search_by_key(&record.identity(), Kept::identity) {
            Ok(at) => {
                if let Some(flags) = record.flags {
                    self.0[at].flags = Some(self.0[at].flags.unwrap_or(0) | flags);
                }
                Kind::Repeated
            }
            Err(at) => {
                // Most sessions have a request and an answer a window: a pair, not the four that a vector begins with.
                if self.0.capacity() == 0 {
                    self.0.reserve_exact(2);
                }
                self.0.insert(at, record);
                let first = self.0.partition_point(|kept| kept.place < record.place);
                let end = self.0.partition_point(|kept| kept.place <= record.place);
                Kind::New((end - first > MAX_KEPT).then(|| self.0.remove(first)))
            }
        }
    }

    /// Reads something of it. True for every list.
    pub(super) fn touch(&self) -> bool {
        self.0.first().is_none_or(|first| first.place < u8::MAX)
    }

    /// Whether `record` or a copy of it is among them.
    pub(super) fn lists(&self, record: &Kept) -> bool {
        self.0.binary_search_by_key(&record.identity(), Kept::identity).is_ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Kept> {
        self.0.iter()
    }

    /// Bytes asked of the allocator.
    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Kept>()
    }
}
