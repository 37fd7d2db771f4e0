//! base64 of gzip, as subscriptions carry it: unpacked in small pieces, so that a gzip bomb takes no memory.

use flate2::{Decompress, FlushDecompress, Status};

use crate::record::EnvelopeError;

/// base64 of the first three bytes of any gzip data.
pub(super) const MAGIC: &[u8] = b"H4sI";
/// Most that one text is unpacked to. CloudWatch packs at most a mebibyte of it, whose records are some ten times that.
const MOST: u64 = if cfg!(test) { 4 << 20 } else { 64 << 20 };
/// Bytes that are unpacked at once.
const PIECE: usize = 64 << 10;

/// Unpacks one text after another, each of which may hold several gzip members.
pub(super) struct Packed {
    base64: Base64,
    inflate: Decompress,
    /// Within a member.
    inside: bool,
    /// Bytes that the text at hand has given.
    given: u64,
    piece: Vec<u8>,
    coded: Vec<u8>,
}

impl Packed {
    pub(super) fn new() -> Packed {
        Packed {
            base64: Base64::default(),
            inflate: Decompress::new_gzip(15),
            inside: false,
            given: 0,
            piece: vec![0; PIECE],
            coded: Vec::new(),
        }
    }

    /// Begins another text.
    pub(super) fn begin(&mut self) {
        self.base64 = Base64::default();
        self.inside = false;
        self.given = 0;
    }

    /// Whether the data are whole so far.
    pub(super) fn is_whole(&self) -> bool {
        !self.inside
    }

    /// Takes `text`, which must be base64 digits, and gives what is in it to `out`, in pieces.
    ///
    /// # Errors
    /// The inner one: it is damaged or a bomb, and the rest of it is of no use. The outer one: that of `out`.
    pub(super) fn feed<E>(
        &mut self,
        text: &[u8],
        mut out: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Result<(), EnvelopeError>, E> {
        let mut coded = std::mem::take(&mut self.coded);
        for text in text.chunks(PIECE) {
            coded.clear();
            self.base64.decode(text, &mut coded);
            if let Err(error) = self.unpack(&coded, &mut out)? {
                return Ok(Err(error));
            }
        }
        self.coded = coded;
        Ok(Ok(()))
    }

    fn unpack<E>(
        &mut self,
        mut input: &[u8],
        out: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Result<(), EnvelopeError>, E> {
        loop {
            if !self.inside {
                if input.is_empty() {
                    return Ok(Ok(()));
                }
                self.inflate.reset(true);
                self.inside = true;
            }
            let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(input, &mut self.piece, FlushDecompress::None);
            // Both are bounded by the lengths of slices.
            let taken = usize::try_from(self.inflate.total_in() - taken).unwrap_or(input.len());
            let given = usize::try_from(self.inflate.total_out() - given).unwrap_or(0);
            input = &input[taken..];
            self.given += given as u64;
            if self.given > MOST {
                return Ok(Err(EnvelopeError::Bomb(MOST >> 20)));
            }
            out(&self.piece[..given])?;
            match status {
                Ok(Status::StreamEnd) => self.inside = false,
                Ok(_) if taken == 0 && given == 0 => return Ok(Ok(())),
                Ok(_) => {}
                // What came before the damage was given out.
                Err(error) => return Ok(Err(EnvelopeError::Gzip(error.to_string()))),
            }
        }
    }
}

/// Digits become bytes as soon as there are enough of them. Padding ends a text, and another may follow at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Base64 {
    bits: u32,
    count: u32,
}

impl Base64 {
    pub(super) fn decode(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for byte in text {
            let Some(value) = digit(*byte) else {
                // Padding: the bits that are left are filling.
                *self = Base64::default();
                continue;
            };
            self.bits = self.bits << 6 | value;
            self.count += 6;
            if self.count >= 8 {
                self.count -= 8;
                out.push((self.bits >> self.count & 0xff).to_le_bytes()[0]);
            }
        }
    }
}

fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

/// Whether `byte` may stand in base64.
pub(super) fn is_base64(byte: u8) -> bool {
    byte == b'=' || digit(byte).is_some()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::super::tests::base64;
    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(text: &[u8], size: usize) -> (Vec<u8>, Result<bool, EnvelopeError>) {
        let mut packed = Packed::new();
        packed.begin();
        let mut all = Vec::new();
        for piece in text.chunks(size) {
            let fed = packed.feed(piece, |bytes| {
                assert!(bytes.len() <= PIECE);
                all.extend_from_slice(bytes);
                Ok::<(), Infallible>(())
            });
            if let Ok(Err(error)) = fed {
                return (all, Err(error));
            }
        }
        (all, Ok(packed.is_whole()))
    }

    #[test]
    fn every_length_and_every_split_is_decoded() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(89)).collect();
            for size in 1..60 {
                let mut decoder = Base64::default();
                let mut out = Vec::new();
                for piece in base64(&bytes).as_bytes().chunks(size) {
                    decoder.decode(piece, &mut out);
                }
                assert_eq!(out, bytes, "{length} bytes in pieces of {size}");
            }
        }
    }

    #[test]
    fn texts_and_members_follow_one_another() {
        let text = base64(&gzip(b"one ")) + &base64(&[gzip(b"two "), gzip(b"three")].concat());
        assert!(text.as_bytes().starts_with(MAGIC));
        for size in [1, 3, 7, 1_000] {
            assert_eq!(unpack(text.as_bytes(), size), (b"one two three".to_vec(), Ok(true)));
        }
        let cut = &text.as_bytes()[..text.len() - 12];
        assert_eq!(unpack(cut, 1_000).1, Ok(false));
    }

    #[test]
    fn damage_and_bombs_are_refused() {
        let mut bytes = gzip(b"something that is long enough to be damaged");
        let last = bytes.len() - 6;
        bytes[last] ^= 1;
        assert!(matches!(unpack(base64(&bytes).as_bytes(), 1_000).1, Err(EnvelopeError::Gzip(_))));
        let bomb = base64(&gzip(&vec![b' '; 8 << 20]));
        assert!(bomb.len() < 20_000);
        let (given, end) = unpack(bomb.as_bytes(), bomb.len());
        assert_eq!(end, Err(EnvelopeError::Bomb(MOST >> 20)));
        assert!(given.len() as u64 <= MOST);
    }
}
