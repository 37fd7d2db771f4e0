//! Text to tokens, each with its byte range. Words are generous: `10.0.0.0/8`, `2001:db8::1`, `port:22`, `tcp-flags` and
//! `@10:32..10:40` are one word each; what a word means is for the parser and the checker to say.

use std::borrow::Cow;
use std::ops::Range;

use super::FilterError;
use super::expr::Op;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tok<'t> {
    /// Anything without a meaning of its own, keywords included.
    Word(&'t str),
    /// A quoted string, unescaped.
    Quoted(Cow<'t, str>),
    /// A regular expression between slashes, and whether `i` followed.
    Regex(&'t str, bool),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `{` or `[`
    OpenList,
    /// `}` or `]`
    CloseList,
    /// `,`
    Comma,
    /// `:` apart from a word.
    Colon,
    /// A comparison.
    Op(Op),
    /// `&&`
    And,
    /// `||`
    Or,
    /// `!`, or `-` before something.
    Not,
    /// `->` or `→`, from a source to a destination.
    Arrow,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'t> {
    pub tok: Tok<'t>,
    pub span: Range<usize>,
}

/// The tokens of `text` up to its end or to the first thing that is no token, and the error there.
pub(super) fn lex(text: &str) -> (Vec<Token<'_>>, Option<FilterError>) {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        match next(text, at) {
            Ok(None) => return (tokens, None),
            Ok(Some(token)) => {
                at = token.span.end;
                tokens.push(token);
            }
            Err(error) => return (tokens, Some(error)),
        }
    }
}

/// The token that begins at `at`, or `None` at the end.
fn next(text: &str, at: usize) -> Result<Option<Token<'_>>, FilterError> {
    let rest = &text[at..];
    let bytes = rest.as_bytes();
    let Some(&first) = bytes.first() else { return Ok(None) };
    let second = bytes.get(1).copied();
    let token = |tok, len: usize| Ok(Some(Token { tok, span: at..at + len }));
    match (first, second) {
        (b'[', _) if socket_len(rest).is_some() => {
            let len = socket_len(rest).unwrap_or(1);
            token(Tok::Word(&rest[..len]), len)
        }
        (b'(', _) => token(Tok::Open, 1),
        (b')', _) => token(Tok::Close, 1),
        (b'{' | b'[', _) => token(Tok::OpenList, 1),
        (b'}' | b']', _) => token(Tok::CloseList, 1),
        (b',', _) => token(Tok::Comma, 1),
        (b'=', Some(b'=')) => token(Tok::Op(Op::Eq), 2),
        (b'=', Some(b'~')) => token(Tok::Op(Op::Like), 2),
        (b'=', _) => token(Tok::Op(Op::Eq), 1),
        (b'!', Some(b'=')) | (b'<', Some(b'>')) => token(Tok::Op(Op::Ne), 2),
        (b'!', Some(b'~')) => token(Tok::Op(Op::Unlike), 2),
        (b'<', Some(b'=')) => token(Tok::Op(Op::Le), 2),
        (b'>', Some(b'=')) => token(Tok::Op(Op::Ge), 2),
        (b'<', _) => token(Tok::Op(Op::Lt), 1),
        (b'>', _) => token(Tok::Op(Op::Gt), 1),
        (b'~', _) => token(Tok::Op(Op::Like), 1),
        (b'!', _) => token(Tok::Not, 1),
        (b'&', Some(b'&')) => token(Tok::And, 2),
        (b'|', Some(b'|')) => token(Tok::Or, 2),
        (b'&', _) => Err(FilterError::new(at..at + 1, "A single `&` means nothing here.")
            .hint("Write `&&` or `and`; flags are asked for with `flags ~ syn`.")),
        (b'|', _) => Err(FilterError::new(at..at + 1, "A single `|` means nothing here.")
            .hint("Write `||` or `or`; of a query of another tool only the condition is read.")),
        // `::1` is an address, `:22` the rest of a test whose field stands apart.
        (b':', next) if next != Some(b':') => token(Tok::Colon, 1),
        (b'-', Some(b'>')) => token(Tok::Arrow, 2),
        (b'-', Some(next)) if !next.is_ascii_whitespace() => token(Tok::Not, 1),
        (b'-', _) => Err(FilterError::new(at..at + 1, "A minus must touch what it excludes.").example("-port:443")),
        (b'"' | b'\'', _) => quoted(rest, at).map(Some),
        (b'/', _) => regex(rest, at).map(Some),
        (b'`', _) => name(rest, at).map(Some),
        // SQL ends so.
        (b';', _) if rest.trim_end_matches(|c: char| c == ';' || c.is_whitespace()).is_empty() => Ok(None),
        (b';', _) => Err(FilterError::new(at..at + 1, "A semicolon means nothing here.")
            .hint("Only the condition is written, and text with signs is quoted.")),
        _ if rest.starts_with(ARROW) => token(Tok::Arrow, ARROW.len_utf8()),
        _ => {
            let len = word_len(rest);
            // A mail or a chat has made them of the plain ones.
            let curly = |c| matches!(c, '“' | '”' | '„' | '‘' | '’');
            if let Some(place) = rest[..len].find(curly).filter(|place| *place == 0 || rest[..*place].ends_with([':']))
            {
                let place = at + place;
                let len = text[place..].chars().next().map_or(0, char::len_utf8);
                let message = "This is a quote of typesetters, not of filters.";
                return Err(FilterError::new(place..place + len, message).hint("Write `\"…\"` or `'…'`."));
            }
            if len == 0 {
                // Only control characters get here: everything else begins a word or was dealt with above.
                let len = rest.chars().next().map_or(0, char::len_utf8);
                return Err(FilterError::new(at..at + len, "A control character cannot be part of a filter."));
            }
            token(Tok::Word(&rest[..len]), len)
        }
    }
}

/// The arrow between the ends of a flow, as tables draw it.
const ARROW: char = '→';

/// Bytes of `[2001:db8::1]:443`, where `rest` begins with the like; other brackets are lists.
fn socket_len(rest: &str) -> Option<usize> {
    let close = rest.find(']')?;
    rest[1..close].parse::<std::net::Ipv6Addr>().ok()?;
    let port = rest[close + 1..].strip_prefix(':')?;
    let digits = port.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then_some(close + 2 + digits)
}

/// The name in backticks that `rest` begins with: Logs Insights and SQL quote names so.
fn name(rest: &str, at: usize) -> Result<Token<'_>, FilterError> {
    let inner = rest[1..].split('`').next().unwrap_or_default();
    let end = inner.len() + 2;
    let is_name = !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b));
    if rest.len() < end || !is_name {
        let len = end.min(rest.len());
        return Err(FilterError::new(at..at + len, "Backticks enclose the name of a field.")
            .hint("Text is quoted with `\"…\"` or `'…'`."));
    }
    Ok(Token { tok: Tok::Word(inner), span: at..at + end })
}

/// Bytes of the word that `rest` begins with.
pub(super) fn word_len(rest: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || c.is_control() || c == ARROW || "(){}[],;=<>~!&|\"'`".contains(c);
    // `a->b` is no word with a minus.
    let rest = &rest[..rest.find("->").unwrap_or(rest.len())];
    let len = rest.find(ends).unwrap_or(rest.len());
    // `src:/^10/` is a field and a regular expression; `10.0.0.0/8` and `2001:db8::/32` are words.
    match rest[..len].find(':') {
        Some(colon) if rest.as_bytes().get(colon + 1) == Some(&b'/') => colon + 1,
        _ => len,
    }
}

/// The string that `rest` begins with. A backslash escapes the quote and itself; before anything else it is a plain backslash,
/// so that a regular expression can be quoted as it is.
fn quoted(rest: &str, at: usize) -> Result<Token<'_>, FilterError> {
    let bytes = rest.as_bytes();
    let quote = bytes[0];
    let mut index = 1;
    let mut escaped = false;
    while let Some(&byte) = bytes.get(index) {
        if byte == quote {
            let inner = &rest[1..index];
            let text = if escaped { Cow::Owned(unescape(inner, char::from(quote))) } else { Cow::Borrowed(inner) };
            return Ok(Token { tok: Tok::Quoted(text), span: at..at + index + 1 });
        }
        if byte == b'\\' && bytes.get(index + 1).is_some_and(|&next| next == quote || next == b'\\') {
            escaped = true;
            index += 1;
        }
        index += 1;
    }
    let message = format!("This string does not end: a closing {} is missing.", char::from(quote));
    Err(FilterError::new(at..at + rest.len(), message))
}

/// `text` without the backslashes that escape `quote` or a backslash.
fn unescape(text: &str, quote: char) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(&next) if c == '\\' && (next == quote || next == '\\') => {
                plain.push(next);
                chars.next();
            }
            _ => plain.push(c),
        }
    }
    plain
}

/// The regular expression between slashes that `rest` begins with.
fn regex(rest: &str, at: usize) -> Result<Token<'_>, FilterError> {
    let bytes = rest.as_bytes();
    let mut index = 1;
    while let Some(&byte) = bytes.get(index) {
        if byte == b'/' {
            let ignore_case = bytes.get(index + 1) == Some(&b'i') && word_len(&rest[index + 1..]) == 1;
            let end = at + index + 1 + usize::from(ignore_case);
            return Ok(Token { tok: Tok::Regex(&rest[1..index], ignore_case), span: at..end });
        }
        // Escapes stay for the regex crate; the byte after one is passed over, so `\/` does not end it.
        index += if byte == b'\\' { 2 } else { 1 };
    }
    let error = FilterError::new(at..at + rest.len(), "This regular expression does not end: a closing / is missing.");
    Err(error.hint("Quote text that begins with a slash."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toks(text: &str) -> Vec<Tok<'_>> {
        let (tokens, error) = lex(text);
        assert_eq!(error, None, "{text}");
        for token in &tokens {
            assert!(!token.span.is_empty() && text.is_char_boundary(token.span.end));
        }
        tokens.into_iter().map(|token| token.tok).collect()
    }

    #[test]
    fn words_keep_addresses_names_and_times_whole() {
        for word in
            ["10.0.0.0/8", "2001:db8::/32", "::1", "tcp-flags", "@10:32..10:40", "port:22", "2018-08-20T15:26:46Z"]
        {
            assert_eq!(toks(word), [Tok::Word(word)]);
        }
        assert_eq!(toks("src_port=11211"), [Tok::Word("src_port"), Tok::Op(Op::Eq), Tok::Word("11211")]);
        assert_eq!(toks("vpc:/^vpc/i"), [Tok::Word("vpc:"), Tok::Regex("^vpc", true)]);
        assert_eq!(toks("port : 22"), [Tok::Word("port"), Tok::Colon, Tok::Word("22")]);
    }

    #[test]
    fn minus_excludes_only_at_the_start_of_a_word() {
        assert_eq!(toks("-a-b"), [Tok::Not, Tok::Word("a-b")]);
        assert!(lex("a - b").1.is_some());
    }

    #[test]
    fn what_other_tools_write_around_words() {
        let flow = [Tok::Word("10.0.0.1"), Tok::Arrow, Tok::Word("any")];
        assert_eq!(toks("10.0.0.1 -> any"), flow);
        assert_eq!(toks("10.0.0.1->any"), flow);
        assert_eq!(toks("10.0.0.1→any"), flow);
        assert_eq!(toks("`srcAddr` = 5;"), [Tok::Word("srcAddr"), Tok::Op(Op::Eq), Tok::Word("5")]);
        assert_eq!(toks("[2001:db8::1]:443"), [Tok::Word("[2001:db8::1]:443")]);
        assert_eq!(toks("[::1]")[0], Tok::OpenList);
        for wrong in ["a; b", "`a b`", "`a", "``"] {
            assert!(lex(wrong).1.is_some(), "{wrong}");
        }
    }

    #[test]
    fn quotes_and_slashes_can_be_escaped() {
        assert_eq!(toks(r#""a\"b\\c\d""#), [Tok::Quoted(r#"a"b\c\d"#.into())]);
        assert_eq!(toks(r"/a\/b\\/ x"), [Tok::Regex(r"a\/b\\", false), Tok::Word("x")]);
        assert_eq!(lex("a \"b").1.map(|error| error.span), Some(2..4));
        assert_eq!(lex("a /b").1.map(|error| error.span), Some(2..4));
        // A last backslash and a multi-byte character after one must not be cut in two.
        assert!(lex("/a\\").1.is_some());
        assert_eq!(toks("/a\\é/"), [Tok::Regex("a\\é", false)]);
    }
}
