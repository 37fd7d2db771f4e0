//! Remembers the codes of what was read before, by its bytes.

/// How many are remembered, a power of two. Few names make most of a log.
const SLOTS: usize = 2_048;

/// Codes by bytes, the latest of those that fall on one place.
#[derive(Debug)]
pub(super) struct Shelf {
    slots: Box<[Slot]>,
    /// What was read, laid end to end.
    bytes: Vec<u8>,
    codes: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u64,
    /// Where it begins in `bytes` and in `codes`.
    at: u32,
    codes: u32,
    /// Its length and what it was read as; 0 where nothing is.
    told: u64,
}

impl Default for Shelf {
    fn default() -> Shelf {
        Shelf { slots: vec![Slot::default(); SLOTS].into(), bytes: Vec::new(), codes: Vec::new() }
    }
}

impl Shelf {
    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.slots.fill(Slot::default());
        self.bytes.clear();
        self.codes.clear();
    }

    /// All codes that are remembered.
    pub(super) fn codes(&self) -> &[u64] {
        &self.codes
    }

    /// Where in [`Shelf::codes`] those of `text` begin, read as `shape`: from memory, or else as `find` appends them, which gives false where it cannot.
    #[inline]
    pub(super) fn place(&mut self, text: &[u8], shape: u8, find: impl FnOnce(&mut Vec<u64>) -> bool) -> Option<u32> {
        let (hash, told) = (hash(text), (text.len() as u64) << 8 | u64::from(shape));
        // Who chooses the texts can make them meet on one place: they are then looked up each time, which costs what it did before.
        let slot = self.slots[usize::try_from(hash).unwrap_or(0) & (SLOTS - 1)];
        let at = slot.at as usize;
        if slot.hash == hash
            && slot.told == told
            && self.bytes.get(at..at + text.len()).is_some_and(|known| same(known, text))
        {
            return Some(slot.codes);
        }
        self.remember(text, hash, told, find)
    }

    #[cold]
    fn remember(&mut self, text: &[u8], hash: u64, told: u64, find: impl FnOnce(&mut Vec<u64>) -> bool) -> Option<u32> {
        let from = self.codes.len();
        if !find(&mut self.codes) {
            self.codes.truncate(from);
            return None;
        }
        let (at, codes) = (u32::try_from(self.bytes.len()).ok()?, u32::try_from(from).ok()?);
        self.bytes.extend_from_slice(text);
        self.slots[usize::try_from(hash).unwrap_or(0) & (SLOTS - 1)] = Slot { hash, at, codes, told };
        Some(codes)
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
