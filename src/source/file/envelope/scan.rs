//! Finds where a JSON value ends without reading it: brackets and strings, nothing else. Can stop and go on at any byte.

/// A scan that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// Also stop where a new value seems to begin: see [`Scan::run`].
    lost: bool,
}

/// What a scan came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The value ends before this place.
    End(usize),
    /// It is not over; bytes before this place need not be shown again.
    More(usize),
}

impl Scan {
    /// A scan of a value from its first byte.
    pub(super) const NEW: Scan = Scan { depth: 0, in_string: false, escaped: false, lost: false };

    /// A scan of a value that was found not to be JSON, or to be too long. Its end may never come.
    pub(super) fn lost() -> Scan {
        Scan { lost: true, ..Scan::NEW }
    }

    /// A scan of the rest of an object, up to its closing bracket.
    pub(super) fn rest_of_object() -> Scan {
        Scan { depth: 1, lost: true, ..Scan::NEW }
    }

    /// Goes on in `bytes`, which follow those of the call before.
    ///
    /// A value ends where its brackets are closed; a text at its quote. A line end ends a string, since JSON has none in it. Where the scan is
    /// [`Scan::lost`], the value also ends before a line that begins, without indentation, with anything but a closing bracket or a comma, and
    /// so half a line of one object a line costs that line and no more.
    pub(super) fn run(&mut self, bytes: &[u8]) -> Found {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string && !self.escaped {
                let Some(next) = memchr::memchr3(b'"', b'\\', b'\n', &bytes[at..]) else {
                    return Found::More(bytes.len());
                };
                at += next;
            }
            let byte = bytes[at];
            if byte == b'\n' {
                if self.lost {
                    match bytes.get(at + 1) {
                        None => return Found::More(at),
                        Some(b' ' | b'\t' | b'\r' | b'\n' | b'}' | b']' | b',') => {}
                        Some(_) => return Found::End(at + 1),
                    }
                }
                (self.in_string, self.escaped) = (false, false);
            } else if std::mem::take(&mut self.escaped) {
                // Whatever it is, it belongs to the string.
            } else if self.in_string {
                match byte {
                    b'"' => self.in_string = false,
                    _ => self.escaped = true,
                }
                if !self.in_string && self.depth == 0 {
                    return Found::End(at + 1);
                }
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            return Found::End(at + 1);
                        }
                    }
                    _ => {}
                }
            }
            at += 1;
        }
        Found::More(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The end that a scan finds when `text` comes in pieces of `size` bytes.
    fn end(text: &str, mut scan: Scan, size: usize) -> Option<usize> {
        let (mut from, mut seen) = (0, 0);
        while seen < text.len() {
            seen = (seen + size).min(text.len());
            match scan.run(&text.as_bytes()[from..seen]) {
                Found::End(end) => return Some(from + end),
                Found::More(used) => from += used,
            }
        }
        None
    }

    #[test]
    fn the_end_is_found_however_the_bytes_come_in() {
        for (text, lost, expected) in [
            (r#"{"a":{"b":[1,2]}} {"#, false, Some(17)),
            (r#"{"a":"}\"}"}x"#, false, Some(12)),
            (r#"["\\"]]"#, false, Some(6)),
            (r#""text" more"#, false, Some(6)),
            ("{\"a\":\"\n\"", false, None),
            ("{\"half\n{\"whole\":1}", true, Some(7)),
            ("{\n  \"a\": oops\n}\n{", true, Some(15)),
            ("{\"a\":[\n\n  1\n]\n,\n2 line", true, Some(16)),
            ("{", true, None),
        ] {
            let scan = if lost { Scan::lost() } else { Scan::NEW };
            for size in 1..=text.len() {
                assert_eq!(end(text, scan, size), expected, "{text:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn no_depth_is_too_deep() {
        let deep = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
        assert_eq!(end(&deep, Scan::NEW, 4_096), Some(deep.len()));
    }
}
