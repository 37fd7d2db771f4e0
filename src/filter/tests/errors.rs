//! What is wrong is said where it is wrong.

use super::*;
use crate::filter::{MAX_DEPTH, MAX_LEN};

/// Asserts that `text` is an error, that its span covers `at`, and that message and hint together say `says`.
fn wrong(text: &str, at: &str, says: &str) {
    let error = match Filter::parse(text, Stage::Flows) {
        Ok(made) => panic!("{text} is read as {made}"),
        Err(error) => error,
    };
    assert_eq!(text.get(error.span.clone()), Some(at), "{text}: {error}");
    assert!(error.to_string().contains(says), "{text}: {error}");
}

#[test]
fn values_must_be_of_the_kind_of_their_field() {
    wrong("bytes = 10.0.0.0/8", "10.0.0.0/8", "Did you mean `ip = 10.0.0.0/8`?");
    wrong("dport = 10.1.2.3", "10.1.2.3", "Did you mean `dstaddr = 10.1.2.3`?");
    wrong("src = 443", "443", "Did you mean `srcport = 443`?");
    wrong("client = 443", "443", "Did you mean `client.port = 443`?");
    wrong("port = 70000", "70000", "at most 65535");
    wrong("port > ssj", "ssj", "Did you mean `ssh`?");
    wrong("proto = udpp", "udpp", "Did you mean `udp`?");
    wrong("proto 300", "300", "at most 255");
    wrong("bytes > 10q", "10q", "1MiB");
    wrong("bytes > 1.5", "1.5", "an amount");
    wrong("bytes:9-3", "9-3", "Did you mean `3-9`?");
    wrong("end > 1534778800000", "1534778800000", "Did you mean `1534778800`?");
    wrong("end > yesterday", "yesterday", "a moment");
    wrong("src ~ ^10", "src ~ ^10", "10.0.0.0/8");
    wrong("vpc > a", "vpc > a", "no order");
    wrong("bytes > 1,2", "bytes > 1,2", "one number");
    wrong("port > 8000-8100", "port > 8000-8100", "one number");
    wrong("src in @amplification", "@amplification", "holds ports");
    wrong("port in {/a/}", "/a/", "stands alone");
    wrong("vpc ~ /(/", "/(/", "unclosed group");
    wrong("last moon", "moon", "last 15m");
    wrong("last 15x", "15x", "no length of time");
}

#[test]
fn addresses_say_what_is_wrong_with_them() {
    wrong("10.0.0.300", "10.0.0.300", "300 is above 255");
    wrong("10.0.0.0/33", "10.0.0.0/33", "0 to 32");
    wrong("10/", "10/", "prefix length");
    wrong("2001:db8::/129", "2001:db8::/129", "0 to 128");
    wrong("2001:db8:", "2001:db8:", "not an IPv6 address");
    wrong("1.2.3.4.5", "1.2.3.4.5", "not an IPv4 address");
    wrong("10.0.0.9-10.0.0.1", "10.0.0.9-10.0.0.1", "10.0.0.9 is above 10.0.0.1");
    wrong("ip = 10.0.0.1-2001:db8::1", "10.0.0.1-2001:db8::1", "one address family");
}

#[test]
fn names_are_corrected() {
    wrong("prot:22", "prot", "Did you mean `proto`?");
    wrong("udp and srcadr = 10/8", "srcadr", "Did you mean `srcaddr`?");
    wrong("time > 5", "time", "Did you mean `end`?");
    wrong("frobnicate = 5", "frobnicate", "There is no field");
    wrong("has tcpflags_", "tcpflags_", "Did you mean `tcp-flags`?");
    wrong("src in $publc", "$publc", "Did you mean `$public`?");
    wrong("$nonsense", "$nonsense", "$private");
}

#[test]
fn numbers_that_are_no_ports_ask_for_a_field() {
    wrong("65536", "65536", "bytes > 65536");
    wrong("1000k", "1000k", "bytes > 1000k");
    wrong("90s", "90s", "duration > 90s");
    wrong("8100-8000", "8100-8000", "goes up");
    wrong("10:32", "10:32", "@10:32");
    wrong("10:32..10:40", "10:32..10:40", "@10:32..10:40");
    wrong("2018-08-20T15:26", "2018-08-20T15:26", "@2018-08-20T15:26");
    wrong("@10:99", "@10:99", "time of day");
    wrong("@2018-08-20..2018-08-19", "@2018-08-20..2018-08-19", "after");
}

#[test]
fn structure_is_checked() {
    wrong("", "", "empty");
    wrong("  ", "  ", "empty");
    wrong("(22 or 80", "(", "not closed");
    wrong("22)", ")", "closes nothing");
    wrong("22 and", "", "a test is expected");
    wrong("22 or or 80", "or", "Expected a test");
    wrong("and 22", "and", "Expected a test");
    wrong("> 5", ">", "Expected a field");
    wrong("bytes >", "", "a value is expected");
    wrong("bytes > and", "and", "Expected a value");
    wrong("bytes", "bytes", "comparison");
    wrong("bytes -5", "bytes", "comparison");
    wrong("bytes = -5", "-", "negative");
    wrong("port {22, 80", "{", "not closed");
    wrong("port (22 and 80)", "and", "commas");
    wrong("a & b", "&", "`&&`");
    wrong("\"abc", "\"abc", "does not end");
    wrong("\"\"", "\"\"", "Expected text");
    wrong("in {22}", "in", "Expected a test");
    wrong("//", "//", "empty");
    wrong("a \u{7} b", "\u{7}", "control character");
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |levels: usize| format!("{}22{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&deep(MAX_DEPTH), Stage::Flows).is_ok());
    wrong(&deep(MAX_DEPTH + 1), "(", "deeper");
    wrong(&"!".repeat(MAX_LEN), "!", "deeper");
    wrong(&"not ".repeat(MAX_LEN / 4), "not", "deeper");
    let long = format!("\"{}\"", "é".repeat(MAX_LEN));
    let error = Filter::parse(&long, Stage::Flows).unwrap_err();
    assert!(long.get(error.span).is_some_and(|rest| !rest.is_empty()));
    // A short text with a long canonical spelling is too long as well, or it could not be read back.
    let terse = "1 ".repeat(MAX_LEN / 2 - 1);
    wrong(&terse, &terse, "Spelled out");
    // A pattern may not cost more than its bound.
    wrong("vpc ~ /((a{200}){200}){200}/", "/((a{200}){200}){200}/", "too large");
}

#[test]
fn doubtful_filters_carry_warnings() {
    let warnings = |text: &str| -> Vec<String> {
        let made = filter(text, Stage::Flows);
        made.warnings().iter().map(|warning| format!("{}: {}", &text[warning.span.clone()], warning.message)).collect()
    };
    assert!(warnings("tcp and action = accept and eni-05 and direction egress").is_empty());
    assert!(warnings("port != 22 or port != 443")[0].contains("`and` was probably meant"));
    assert!(warnings("not port 22 or not port 443")[0].contains("`and` was probably meant"));
    assert_eq!(warnings("not port 22 or not proto 6"), Vec::<String>::new());
    assert!(warnings("port != 22 or bytes != 443").is_empty());
    assert!(warnings("22 and memcache")[0].starts_with("memcache: "));
    assert!(warnings("action = rejct")[0].contains("Did you mean `REJECT`?"));
    assert!(warnings("action = dubious")[0].contains("one of ACCEPT, REJECT"));
    assert!(warnings("service = memcache")[0].contains("memcached"));
    assert!(warnings("hello").is_empty());
}

#[test]
fn what_another_tool_asks_is_never_taken_for_a_text() {
    wrong("tcp.flags.reset", "tcp.flags.reset", "flags ~ rst");
    wrong("port 53 dns.qry.name contains \"foo\"", "dns.qry.name", "Quote it");
    wrong("not exists", "exists", "has tcp-flags");
    wrong("dstport = 22 ORDER BY bytes DESC", "ORDER", "Only the condition");
    wrong("10.0.0.1:99999", "10.0.0.1:99999", "no port");
    wrong("10.0.0.1:", "10.0.0.1:", "behind the colon");
    wrong("> 1000", ">", "bytes > 1000");
    wrong("action = “REJECT”", "“", "Write `\"…\"`");
    wrong("action:‘REJECT’", "‘", "Write `\"…\"`");
}

#[test]
fn the_case_of_a_word_never_matters_and_that_of_an_expression_does() {
    let filter = |text| Filter::parse(text, Stage::Flows).expect("a filter").to_string();
    assert_eq!(filter("action ~ reject"), "action ~ /reject/i");
    assert_eq!(filter("action contains rej"), "action ~ /rej/i");
    assert_eq!(filter("action ~ /REJ/"), "action ~ /REJ/");
}
