//! Cuts a stream of bytes into pieces of whole lines, with bounded memory whatever the stream contains.

use super::chunk::Chunk;

/// A longer line keeps its first mebibyte; the rest is dropped. The longest documented record is some 2 KiB, a CloudWatch event 1 MiB.
pub(super) const LONGEST_LINE: usize = 1 << 20;

/// Collects bytes and gives out whole lines.
#[derive(Debug)]
pub(super) struct LineCutter {
    /// The beginning of a line whose end has not come yet, at most [`LONGEST_LINE`] bytes.
    partial: Vec<u8>,
    next_line: u64,
}

impl LineCutter {
    pub(super) fn new() -> Self {
        LineCutter { partial: Vec::new(), next_line: 1 }
    }

    /// Takes `data` in and gives out all lines that are complete now, or `None` where none is.
    pub(super) fn push(&mut self, data: &[u8]) -> Option<Chunk> {
        let room = LONGEST_LINE - self.partial.len();
        let (Some(first), Some(last)) = (memchr::memchr(b'\n', data), memchr::memrchr(b'\n', data)) else {
            self.partial.extend_from_slice(&data[..data.len().min(room)]);
            return None;
        };
        let mut bytes = std::mem::take(&mut self.partial);
        bytes.reserve(last + 1);
        bytes.extend_from_slice(&data[..first.min(room)]);
        bytes.extend_from_slice(&data[first..=last]);
        let rest = &data[last + 1..];
        self.partial.extend_from_slice(&rest[..rest.len().min(LONGEST_LINE)]);
        Some(self.chunk(bytes))
    }

    /// Gives out a last line without an end, where there is one. The next line is line 1 of another file.
    pub(super) fn finish(&mut self) -> Option<Chunk> {
        let bytes = std::mem::take(&mut self.partial);
        let chunk = (!bytes.is_empty()).then(|| self.chunk(bytes));
        self.next_line = 1;
        chunk
    }

    /// Whether a line has begun that has no end yet.
    pub(super) fn has_partial(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Number of the line that comes next.
    pub(super) fn next_line(&self) -> u64 {
        self.next_line
    }

    /// Goes on at line `number`, after lines that were read elsewhere.
    pub(super) fn go_on_at(&mut self, number: u64) {
        self.next_line = number;
    }

    fn chunk(&mut self, bytes: Vec<u8>) -> Chunk {
        let ends = memchr::memchr_iter(b'\n', &bytes).count() as u64;
        let lines = ends + u64::from(bytes.last() != Some(&b'\n'));
        let first_line = self.next_line;
        self.next_line += lines;
        Chunk { bytes, first_line, lines, ..Chunk::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chunk::mark;
    use super::*;

    fn text(chunk: Option<Chunk>) -> String {
        String::from_utf8(chunk.map(|chunk| chunk.bytes).unwrap_or_default()).unwrap()
    }

    #[test]
    fn lines_come_out_whole_however_the_bytes_come_in() {
        let input = b"one\n\ntwo\r\nthree\nlast";
        for size in 1..=input.len() {
            let mut cutter = LineCutter::new();
            let mut out = Vec::new();
            let mut lines = 0;
            let mut pieces: Vec<Chunk> = input.chunks(size).filter_map(|piece| cutter.push(piece)).collect();
            pieces.extend(cutter.finish());
            for piece in pieces {
                assert_eq!(piece.first_line, lines + 1, "pieces of {size}");
                lines += piece.lines;
                out.extend(piece.bytes);
            }
            assert_eq!((out.as_slice(), lines), (input.as_slice(), 5), "pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_bounded_and_the_next_line_is_whole() {
        let mut cutter = LineCutter::new();
        let piece = vec![b'x'; 100_000];
        for _ in 0..40 {
            assert_eq!(cutter.push(&piece), None);
            assert!(cutter.partial.capacity() <= 2 * LONGEST_LINE);
        }
        let chunk = cutter.push(b"yyy\nnext\nrest").unwrap();
        assert_eq!(chunk.lines, 2);
        assert_eq!(chunk.bytes.len(), LONGEST_LINE + "\nnext\n".len());
        assert!(chunk.bytes.ends_with(b"xx\nnext\n"));
        assert_eq!(text(cutter.finish()), "rest");
    }

    #[test]
    fn numbering_starts_again_with_another_file() {
        let mut cutter = LineCutter::new();
        cutter.push(b"a\nb\n");
        assert_eq!(cutter.push(b"c\n").unwrap().first_line, 3);
        assert!(cutter.finish().is_none());
        assert_eq!(cutter.push(b"a\n").unwrap().first_line, 1);
    }

    #[test]
    fn a_line_without_time_keeps_its_place_and_a_lone_jump_is_not_believed() {
        let mut cutter = LineCutter::new();
        let mut chunk = cutter
            .push(
                b"header line\n1534778806 1534778866\n- - -\n1634778806 1634778866\n1534778816 1534778876\n1534878806 1534878866\n1534878806 1534878867\n",
            )
            .unwrap();
        let mut last = i64::MIN;
        mark(&mut chunk, &mut last);
        let times: Vec<i64> = chunk.marks.iter().map(|mark| mark.1).collect();
        assert_eq!(
            times,
            [i64::MIN, 1_534_778_866, 1_534_778_866, 1_534_778_866, 1_534_778_876, 1_534_878_866, 1_534_878_867]
        );
        assert_eq!(chunk.marks.last().unwrap().0, chunk.bytes.len());
        assert_eq!(last, 1_534_878_867);
    }
}
