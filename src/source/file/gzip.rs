//! What a file contains, told by its first bytes and never by its name; and gzip of several members.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// How many bytes [`kind`] wants to see.
pub(super) const MAGIC: usize = 4;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lines of text.
    Plain,
    /// gzip, to be unpacked here.
    Gzip,
    /// Parquet, read where flowtail was built with the feature `parquet`.
    Parquet,
    /// Something that must be turned into text first: what it is, and a command that does it.
    Foreign(&'static str, &'static str),
}

/// Tells by the first [`MAGIC`] bytes (fewer where there are no more).
pub(super) fn kind(head: &[u8]) -> Kind {
    match head {
        [0x1f, 0x8b, ..] => Kind::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Kind::Foreign("zstd", "zstd -dc FILE | flowtail open -"),
        [0xfd, b'7', b'z', b'X', ..] => Kind::Foreign("xz", "xz -dc FILE | flowtail open -"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Kind::Foreign("bzip2", "bzip2 -dc FILE | flowtail open -"),
        [b'P', b'K', 3, 4, ..] => Kind::Foreign("zip", "unzip -p FILE | flowtail open -"),
        [b'P', b'A', b'R', b'1', ..] => Kind::Parquet,
        // PowerShell 5 writes what a command prints in this.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Kind::Foreign("UTF-16 text", "iconv -f utf-16 -t utf-8 FILE | flowtail open -")
        }
        _ => Kind::Plain,
    }
}

/// The text of all members of a gzip stream, one after another.
///
/// Zeros after the last member are padding (tapes and some object stores add them). Anything else there is an error, and so is an end within
/// a member: what came before it has been given out by then.
pub(super) struct Members<R> {
    state: State<R>,
}

enum State<R> {
    Inside(Box<GzDecoder<R>>),
    Between(R),
    Over,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(inner: R) -> Self {
        Members { state: State::Between(inner) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            // An error leaves the state at `Over`: it is told once, then the stream has ended.
            match std::mem::replace(&mut self.state, State::Over) {
                State::Inside(mut decoder) => match decoder.read(into)? {
                    0 => self.state = State::Between(decoder.into_inner()),
                    count => {
                        self.state = State::Inside(decoder);
                        return Ok(count);
                    }
                },
                State::Between(mut inner) => match inner.fill_buf()?.first() {
                    None => return Ok(0),
                    Some(0x1f) => self.state = State::Inside(Box::new(GzDecoder::new(inner))),
                    Some(0) => {
                        inner.consume(1);
                        self.state = State::Between(inner);
                    }
                    Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "bytes after the gzip data")),
                },
                State::Over => return Ok(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8]) -> (String, Option<io::ErrorKind>) {
        let mut members = Members::new(bytes);
        let mut text = Vec::new();
        let error = members.read_to_end(&mut text).err().map(|error| error.kind());
        (String::from_utf8(text).unwrap(), error)
    }

    #[test]
    fn members_and_padding_are_one_text() {
        let mut bytes = gzip("one\n");
        bytes.extend(gzip(""));
        bytes.extend(gzip("two\n"));
        bytes.extend([0; 512]);
        assert_eq!(unpack(&bytes), ("one\ntwo\n".to_owned(), None));
    }

    #[test]
    fn what_was_readable_comes_before_the_error() {
        let mut bytes = gzip("one\n");
        let second = gzip("two\n");
        bytes.extend(&second[..second.len() - 6]);
        assert_eq!(unpack(&bytes), ("one\ntwo\n".to_owned(), Some(io::ErrorKind::UnexpectedEof)));
        let mut bytes = gzip("one\n");
        bytes.extend(b"garbage");
        assert_eq!(unpack(&bytes), ("one\n".to_owned(), Some(io::ErrorKind::InvalidData)));
    }

    #[test]
    fn every_truncation_is_an_error_and_none_panics() {
        let bytes = gzip(&"2 622676721278 eni-0536faba73134a9b7 - - - - - - - 1 2 - NODATA\n".repeat(50));
        for length in 1..bytes.len() {
            assert!(unpack(&bytes[..length]).1.is_some(), "{length}");
        }
    }

    #[test]
    fn content_decides() {
        assert_eq!(kind(&gzip("x")), Kind::Gzip);
        assert_eq!(kind(b"2 62"), Kind::Plain);
        assert_eq!(kind(b""), Kind::Plain);
        assert_eq!(kind(b"PAR1"), Kind::Parquet);
        assert!(matches!(kind(b"\xff\xfe2\0"), Kind::Foreign("UTF-16 text", _)));
        assert!(matches!(kind(&[0x28, 0xb5, 0x2f, 0xfd]), Kind::Foreign("zstd", _)));
    }
}
