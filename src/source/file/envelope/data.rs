//! base64 that is the value of `data`, as Kinesis, Firehose and Lambda carry records: of lines, of JSON, or of gzip of either.

use serde::de::{DeserializeSeed as _, IgnoredAny};
use serde_json::Deserializer;

use super::LONGEST_VALUE;
use super::json::{DEEPEST, Value};
use super::outbox::Outbox;
use super::packed::{Base64, MAGIC, Packed, is_base64};
use crate::record::EnvelopeError;

/// Shorter texts are no base64 of a record, whatever they look like.
const SHORTEST: usize = 16;

/// Puts what `text` holds into `out`. False where it is no base64, or of nothing that could be records.
pub(super) fn read(text: &str, out: &mut Outbox, depth: u8) -> bool {
    let text = text.trim_ascii();
    if depth >= DEEPEST || text.len() < SHORTEST || !text.bytes().all(is_base64) {
        return false;
    }
    let bytes = match unpack(text.as_bytes(), out) {
        Ok(bytes) => bytes,
        Err(error) => {
            out.reject(out.line, error, text.as_bytes());
            return true;
        }
    };
    let Ok(content) = std::str::from_utf8(&bytes) else { return false };
    if content.chars().any(|letter| letter.is_control() && !letter.is_ascii_whitespace()) {
        return false;
    }
    if content.trim_ascii_start().starts_with(['{', '[']) {
        documents(content, out, depth + 1);
    } else {
        content.lines().filter(|line| !line.trim_ascii().is_empty()).for_each(|line| out.message(line));
    }
    true
}

/// What `text` unpacks to. All that is unpacked of one value together is bounded as the value is.
fn unpack(text: &[u8], out: &mut Outbox) -> Result<Vec<u8>, EnvelopeError> {
    let room = LONGEST_VALUE.saturating_sub(out.unpacked);
    let mut bytes = Vec::new();
    if text.starts_with(MAGIC) {
        let packed = out.packed.get_or_insert_with(Packed::new);
        packed.begin();
        let fed = packed.feed(text, |piece| {
            bytes.extend_from_slice(piece);
            if bytes.len() > room { Err(EnvelopeError::Bomb((LONGEST_VALUE >> 20) as u64)) } else { Ok(()) }
        });
        fed??;
        if !packed.is_whole() {
            return Err(EnvelopeError::Cut("gzip data in base64"));
        }
    } else {
        // No larger than the text, which is part of the value.
        Base64::default().decode(text, &mut bytes);
    }
    out.unpacked += bytes.len();
    Ok(bytes)
}

/// Reads JSON values that follow one another.
fn documents(content: &str, out: &mut Outbox, depth: u8) {
    let mut rest = content.trim_ascii_start();
    while !rest.is_empty() {
        let mark = out.mark();
        let mut json = Deserializer::from_str(rest);
        let read = Value { out: &mut *out, depth }.deserialize(&mut json);
        let refused = out.refused.take();
        let (error, length) = match read {
            Ok(()) => (refused, json.into_iter::<IgnoredAny>().byte_offset()),
            Err(error) => {
                out.roll_back(mark);
                (Some(EnvelopeError::Json(error.to_string())), rest.len())
            }
        };
        if let Some(error) = error {
            out.reject(out.line, error, rest.as_bytes());
        }
        rest = rest[length..].trim_ascii_start();
    }
}
