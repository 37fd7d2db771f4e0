//! What the kinds of fields are called in messages, how their values are written, and what was probably meant where one cannot be.

use super::parse::{RawValue, is_keyword};
use super::{FilterError, foreign, suggest, value};
use crate::record::{Field, Kind, services};

/// What a kind is, after "is".
pub(super) fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Count => "an amount",
        Kind::Int => "a number",
        Kind::Port => "a port",
        Kind::Protocol => "a protocol",
        Kind::Flags => "a mask of TCP flags",
        Kind::Time => "a moment",
        Kind::Duration => "a length of time",
        Kind::Ratio => "a quotient",
        Kind::Addr => "an address",
        Kind::Text => "text",
    }
}

/// How a value of a kind is written.
pub(super) fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Count => "`1000`, `10k` or `1MiB`",
        Kind::Int => "`3` or `1-3`",
        Kind::Port => "`443`, `8000-8100`, `ssh` or a set",
        Kind::Protocol => "`17` or `udp`",
        Kind::Flags => "`2`, `syn` or `syn-ack`",
        Kind::Time => "`2018-08-20T15:26:46Z` or Unix seconds",
        Kind::Duration => "`30s`, `5m` or `1h30m`",
        Kind::Ratio => "`10` or `1.5`",
        Kind::Addr => "`10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32` or a set",
        Kind::Text => "a word or a quoted string",
    }
}

/// What to ask instead of an order or a pattern.
pub(super) fn alternative(kind: Kind) -> &'static str {
    match kind {
        Kind::Addr => "Use a network or a range: `ip = 10.0.0.0/8`, `ip = 10.0.0.1-10.0.0.9`.",
        Kind::Text => "Use `=`, `*` or `~`: `vpc = vpc-0a*`, `vpc ~ /^vpc-0/`.",
        _ => "Use `=`, `<`, `>`, a list or a range.",
    }
}

/// The error for a value that `field` cannot have, with what was probably meant.
pub(super) fn mistyped(field: Field, raw: &RawValue<'_>) -> FilterError {
    let (kind, text) = (field.kind(), &*raw.text);
    let message = format!("`{}` is {}: expected {}, found `{text}`.", field.name(), article(kind), expected(kind));
    let error = FilterError::new(raw.span.clone(), message);
    if foreign::field(text).is_some() && !is_keyword(text, "to") {
        return error.hint("Fields are compared with values, not compared with each other.");
    }
    let side = |src: &'static str, dst: &'static str, either: &'static str| match field {
        Field::SrcAddr | Field::SrcPort | Field::PktSrcAddr => src,
        Field::DstAddr | Field::DstPort | Field::PktDstAddr => dst,
        Field::Client | Field::ClientPort if kind == Kind::Addr => "client.port",
        Field::Server | Field::ServerPort if kind == Kind::Addr => "server.port",
        Field::Client | Field::ClientPort => "client",
        Field::Server | Field::ServerPort => "server",
        _ => either,
    };
    if kind == Kind::Addr
        && let Some((address, port)) = value::socket(text)
    {
        let (name, side) = (field.name(), side("srcport", "dstport", "port"));
        return error.meant(&format!("{name} = {address} and {side} = {port}"));
    }
    let host = text.contains('.') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if kind == Kind::Addr && host && text.ends_with(|c: char| c.is_ascii_alphabetic()) {
        return error.hint("Flow logs keep no names of hosts: write its address.");
    }
    if kind == Kind::Addr && value::ports(text).is_some() {
        return error.meant(&format!("{} = {text}", side("srcport", "dstport", "port")));
    }
    if kind != Kind::Addr && matches!(value::addresses(text), Some(Ok(_))) {
        return error.meant(&format!("{} = {text}", side("srcaddr", "dstaddr", "ip")));
    }
    let near = match kind {
        Kind::Protocol => suggest::nearest(text, services::protocol_names()),
        Kind::Port => suggest::nearest(text, services::service_names()),
        _ => None,
    };
    match near {
        Some(near) => error.meant(near),
        None if ["in", "has", "last"].iter().any(|keyword| is_keyword(text, keyword)) => {
            error.hint("A value is missing here.")
        }
        None => error,
    }
}
