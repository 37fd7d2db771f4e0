//! A line of text under edit: the filter bar, the group prompt, the search in help.

use unicode_segmentation::UnicodeSegmentation;

/// Longest text a line holds, in bytes. A paste beyond it is cut.
const LIMIT: usize = 8 * 1024;

/// Text and a caret. The caret is a byte offset that always sits between two graphemes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    caret: usize,
}

impl Line {
    /// A line that holds `text`, caret at its end.
    pub fn new(text: &str) -> Line {
        let mut line = Line::default();
        line.insert(text);
        line
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Byte offset of the caret.
    pub fn caret(&self) -> usize {
        self.caret
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Puts `text` at the caret. Line breaks and tabs become spaces, other control characters are left out.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars() {
            let c = match c {
                '\n' | '\r' | '\t' => ' ',
                c if c.is_control() => continue,
                c => c,
            };
            if self.text.len() + c.len_utf8() > LIMIT {
                break;
            }
            self.text.insert(self.caret, c);
            self.caret += c.len_utf8();
        }
    }

    /// Puts `text` in the place of a byte range, caret behind it. A range that is none of this text changes nothing.
    pub fn replace(&mut self, range: std::ops::Range<usize>, text: &str) {
        if self.text.get(range.clone()).is_some() {
            self.cut(range.start, range.end);
            self.insert(text);
        }
    }

    /// One grapheme to the left.
    pub fn left(&mut self) {
        self.caret = self.before();
    }

    /// One grapheme to the right.
    pub fn right(&mut self) {
        self.caret = self.after();
    }

    /// To the start.
    pub fn start(&mut self) {
        self.caret = 0;
    }

    /// To the end.
    pub fn end(&mut self) {
        self.caret = self.text.len();
    }

    /// Deletes the grapheme to the left.
    pub fn delete_back(&mut self) {
        let from = self.before();
        self.cut(from, self.caret);
    }

    /// Deletes the grapheme under the caret.
    pub fn delete_forward(&mut self) {
        self.cut(self.caret, self.after());
    }

    /// Deletes the word to the left and the space after it.
    pub fn delete_word(&mut self) {
        let head = self.text[..self.caret].trim_end();
        let from =
            head.rfind(char::is_whitespace).map_or(0, |at| at + head[at..].chars().next().map_or(0, char::len_utf8));
        self.cut(from, self.caret);
    }

    /// Deletes everything to the left.
    pub fn delete_to_start(&mut self) {
        self.cut(0, self.caret);
    }

    /// Deletes everything to the right.
    pub fn delete_to_end(&mut self) {
        self.text.truncate(self.caret);
    }

    fn cut(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.caret = from;
    }

    fn before(&self) -> usize {
        self.text[..self.caret].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.caret..].graphemes(true).next().map_or(self.caret, |g| self.caret + g.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_like_a_shell() {
        let mut line = Line::new("port 22 and udp");
        line.delete_word();
        assert_eq!(line.text(), "port 22 and ");
        line.delete_word();
        assert_eq!(line.text(), "port 22 ");
        line.left();
        line.left();
        line.delete_forward();
        assert_eq!(line.text(), "port 2 ");
        line.delete_to_end();
        assert_eq!(line.text(), "port 2");
        line.insert("2");
        line.start();
        line.delete_back();
        line.insert("dst");
        assert_eq!((line.text(), line.caret()), ("dstport 22", 3));
        line.delete_to_start();
        assert_eq!(line.text(), "port 22");
        line.end();
        line.right();
        assert_eq!(line.caret(), 7);
    }

    #[test]
    fn graphemes_are_not_torn() {
        let mut line = Line::new("a\u{65}\u{301}é");
        line.left();
        line.delete_back();
        assert_eq!(line.text(), "aé");
        line.delete_back();
        assert_eq!(line.text(), "é");
    }

    #[test]
    fn pasted_control_characters_do_not_get_in() {
        let line = Line::new("port 22\nand\x1b[31m \tudp\u{7}");
        assert_eq!(line.text(), "port 22 and[31m  udp");
        assert_eq!(Line::new(&"x".repeat(LIMIT + 9)).text().len(), LIMIT);
    }

    #[test]
    fn word_deletion_copes_with_wide_spaces() {
        let mut line = Line::new("port\u{3000}22");
        line.delete_word();
        assert_eq!(line.text(), "port\u{3000}");
    }
}
