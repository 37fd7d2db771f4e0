//! A field with its value right behind it, and the words that tcpdump puts between the two.

use std::ops::Range;

use super::{Parser, RawKind, is_connective, is_keyword};
use crate::filter::FilterError;
use crate::filter::expr::Op;
use crate::filter::foreign::Found;
use crate::filter::lex::Tok;
use crate::record::Field;

impl<'t> Parser<'t> {
    /// A field with its value right behind it: `port 443`; also tcpdump's `src port 443`, `dst host 10.0.0.1` and `src or dst port 53`.
    pub(super) fn juxtaposed(
        &mut self,
        word: &str,
        found: Found,
        mut span: Range<usize>,
    ) -> Result<RawKind<'t>, FilterError> {
        let Found { mut field, transport } = found;
        let either = matches!(field, Field::SrcAddr | Field::DstAddr) && self.either_side_follows();
        if either {
            field = Field::Ip;
            self.at += 2;
        }
        if let (Field::SrcAddr | Field::DstAddr | Field::Ip, Some(next)) = (field, self.peek_word()) {
            let is_port = is_keyword(next, "port") || is_keyword(next, "portrange");
            let is_address = ["host", "ip", "net"].iter().any(|word| is_keyword(next, word));
            let is_protocol = field == Field::Ip && !either && is_keyword(next, "proto");
            if is_address || is_protocol || is_port && (either || field != Field::Ip) {
                field = match field {
                    Field::SrcAddr if is_port => Field::SrcPort,
                    Field::DstAddr if is_port => Field::DstPort,
                    Field::Ip if is_port => Field::Port,
                    Field::Ip if is_protocol => Field::Protocol,
                    other => other,
                };
                span.end = self.here().end;
                self.at += 1;
                if is_keyword(next, "net") {
                    self.network_by_its_first_octet();
                }
                if is_protocol {
                    self.without_backslash();
                }
                let found = Found { field, transport };
                if let Some(kind) = self.in_words(found, &span)? {
                    return Ok(kind);
                }
                if let Some((op, loose)) = self.operator(true) {
                    return self.compared(found, span, op, loose);
                }
            }
        }
        if is_keyword(word, "net") {
            self.network_by_its_first_octet();
        }
        let follows = match self.peek() {
            Some(Tok::Word(word)) => !is_connective(word),
            Some(Tok::Quoted(_) | Tok::Regex(..) | Tok::OpenList | Tok::Open) => true,
            _ => false,
        };
        if !follows {
            let name = field.name();
            if let Some(hint) = self.both_sides(field) {
                return Err(
                    FilterError::new(span, format!("`{word}` is a field: expected a value after it.")).hint(hint)
                );
            }
            let message = format!("`{word}` is a field: expected a comparison or a value after it.");
            let hint = if field == Field::Ip {
                "Write `ip = …`, or `ipv4` for a family.".to_owned()
            } else {
                format!("Write `{word} = …`, or `has {name}` for rows that have it.")
            };
            return Err(FilterError::new(span, message).hint(hint));
        }
        self.compared(Found { field, transport }, span, Op::Eq, true)
    }

    /// The word `ahead` of the next.
    fn word_ahead(&self, ahead: usize) -> &'t str {
        match self.tokens.get(self.at + ahead).map(|token| &token.tok) {
            Some(Tok::Word(word)) => word,
            _ => "",
        }
    }

    /// Whether `or dst …` stands here with what is to be on either side.
    fn either_side_follows(&self) -> bool {
        let side = matches!(self.word_ahead(1).to_ascii_lowercase().as_str(), "src" | "dst");
        let what = self.word_ahead(2);
        side && is_keyword(self.word_ahead(0), "or") && !what.is_empty() && !is_connective(what)
    }

    /// tcpdump's `net 10` is 10.0.0.0/8.
    fn network_by_its_first_octet(&mut self) {
        let Some(token) = self.tokens.get_mut(self.at) else { return };
        if let Tok::Word(word) = token.tok
            && word.parse::<u8>().is_ok()
        {
            token.tok = Tok::Quoted(format!("{word}/8").into());
        }
    }

    /// What to write for tcpdump's `src and dst …`, which stands here after its first word.
    fn both_sides(&self, field: Field) -> Option<&'static str> {
        let sides = |field| matches!(field, Field::SrcAddr | Field::DstAddr);
        let other = Field::named(self.word_ahead(1)).is_some_and(sides);
        match self.word_ahead(0).to_ascii_lowercase().as_str() {
            "or" if sides(field) && other => Some("Write `ip = 10.0.0.1` or `port = 443` for either side."),
            "and" if sides(field) && other => Some("Write both: `src 10.0.0.1 and dst 10.0.0.1`."),
            _ => None,
        }
    }

    /// tcpdump's `ip proto \\udp`, where the name is a keyword of its own.
    fn without_backslash(&mut self) {
        if let Some(token) = self.tokens.get_mut(self.at)
            && let Tok::Word(word) = token.tok
            && let Some(name) = word.strip_prefix('\\')
        {
            token.tok = Tok::Word(name);
        }
    }
}
