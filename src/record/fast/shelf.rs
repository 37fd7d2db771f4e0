//! Remembers the codes of what was read before, by its bytes.

/// How many are remembered, a power of two. Few names make most of a log.
const SLOTS: usize = 2_048;

/// Codes by bytes, the latest of those that fall on one place.
#[derive(Debug)]
pub(super) struct Shelf {
    slots: Box<[Slot]>,
    epoch: u32,
    /// What was read, laid end to end.
    bytes: Vec<u8>,
    codes: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u64,
    epoch: u32,
    /// Where it begins in `bytes` and in `codes`.
    at: u32,
    codes: u32,
    length: u32,
    shape: u8,
}

impl Default for Shelf {
    fn default() -> Shelf {
        Shelf { slots: vec![Slot::default(); SLOTS].into(), epoch: 1, bytes: Vec::new(), codes: Vec::new() }
    }
}

impl Shelf {
    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.slots.fill(Slot::default());
            self.epoch = 1;
        }
        self.bytes.clear();
        self.codes.clear();
    }

    /// The `count` codes of `text`, read as `shape`: from memory, or else as `find` appends them, which gives false where it cannot.
    #[inline]
    pub(super) fn codes(
        &mut self,
        text: &[u8],
        shape: u8,
        count: usize,
        find: impl FnOnce(&mut Vec<u64>) -> bool,
    ) -> Option<&[u64]> {
        let hash = hash(text);
        // Who chooses the texts can make them meet on one place: they are then looked up each time, which costs what it did before.
        let place = usize::try_from(hash).unwrap_or(0) & (SLOTS - 1);
        let slot = &self.slots[place];
        let at = slot.at as usize;
        if slot.hash == hash
            && slot.epoch == self.epoch
            && slot.shape == shape
            && slot.length as usize == text.len()
            && self.bytes.get(at..at + text.len()).is_some_and(|known| same(known, text))
        {
            let from = slot.codes as usize;
            return self.codes.get(from..from + count);
        }
        self.remember(text, hash, place, shape, count, find)
    }

    #[cold]
    fn remember(
        &mut self,
        text: &[u8],
        hash: u64,
        place: usize,
        shape: u8,
        count: usize,
        find: impl FnOnce(&mut Vec<u64>) -> bool,
    ) -> Option<&[u64]> {
        let from = self.codes.len();
        if !find(&mut self.codes) {
            self.codes.truncate(from);
            return None;
        }
        let at = (u32::try_from(self.bytes.len()), u32::try_from(from), u32::try_from(text.len()));
        if let (Ok(at), Ok(codes), Ok(length)) = at {
            self.bytes.extend_from_slice(text);
            self.slots[place] = Slot { hash, epoch: self.epoch, at, codes, length, shape };
        }
        self.codes.get(from..from + count)
    }
}

/// The last sixteen bytes, or all of what has fewer. Those of texts with the same length differ where the texts do.
#[inline]
fn ends(text: &[u8]) -> u128 {
    if let Some(last) = text.last_chunk::<16>() {
        return u128::from_le_bytes(*last);
    }
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u128::from(u64::from_le_bytes(*first)) << 64 | u128::from(u64::from_le_bytes(*last))
        }
        _ => text.iter().fold(0, |word, byte| word << 8 | u128::from(*byte)),
    }
}

#[inline]
fn hash(text: &[u8]) -> u64 {
    let (blocks, _) = text.as_chunks::<16>();
    blocks.iter().fold(folded(0, ends(text)), |sum, block| folded(sum, u128::from_le_bytes(*block)))
}

/// `sum` and sixteen bytes more: the halves of a product, which no half of either factor decides.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "halves are taken")]
fn folded(sum: u64, block: u128) -> u64 {
    let (low, high) = (block as u64 ^ sum ^ 0x9E37_79B9_7F4A_7C15, (block >> 64) as u64 ^ 0x94D0_49BB_1331_11EB);
    let product = u128::from(low) * u128::from(high);
    (product >> 64) as u64 ^ product as u64
}

/// Whether both are alike; they have the same length. Not `==`, which calls memcmp.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    let ((ours, _), (theirs, _)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    ends(a) == ends(b) && ours.iter().zip(theirs).all(|(a, b)| u128::from_le_bytes(*a) == u128::from_le_bytes(*b))
}
