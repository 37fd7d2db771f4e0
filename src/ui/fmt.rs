//! Values as people read them, and the one function that makes text from the log safe to show.

use std::borrow::Cow;
use std::net::IpAddr;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::export::clean::is_hostile;
use crate::record::services::{protocol_name, service};

/// What stands for a character that must not reach the terminal.
const REPLACEMENT: char = '\u{fffd}';

/// Makes text safe: control characters (escape among them), bidi overrides, zero-width and combining characters, and separators
/// of lines become a visible sign. Everything that is not ours is shown through this.
pub fn clean(text: &str) -> Cow<'_, str> {
    let unsafe_char = |c: char| {
        // Beside what is hostile anywhere: what takes no cell, or an uncertain one, would shift the table.
        is_hostile(c) || matches!(c.width(), None | Some(0)) || c == '\u{ad}'
    };
    if text.chars().any(unsafe_char) {
        Cow::Owned(text.chars().map(|c| if unsafe_char(c) { REPLACEMENT } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Cells that a text takes.
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// Cuts a text to `cells`, with `ellipsis` at the end where something is missing.
pub fn cut<'a>(text: &'a str, cells: u16, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let Some(room) = cells.checked_sub(width(ellipsis)) else { return Cow::Borrowed("") };
    Cow::Owned(head(text, room).to_owned() + ellipsis)
}

/// Cuts a text to `cells` in the middle: the two ends of an address or an identifier say more than its beginning.
pub fn cut_middle<'a>(text: &'a str, cells: u16, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let Some(room) = cells.checked_sub(width(ellipsis)) else { return Cow::Borrowed("") };
    let front = head(text, room - room / 2);
    let mut back = "";
    for (at, _) in text.grapheme_indices(true).rev() {
        if width(&text[at..]) > room / 2 {
            break;
        }
        back = &text[at..];
    }
    Cow::Owned(format!("{front}{ellipsis}{back}"))
}

fn head(text: &str, cells: u16) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += width(grapheme);
        if used > cells {
            return &text[..at];
        }
    }
    text
}

/// A number with separators: `5,072,550`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in at most five cells, by powers of 1,024: `814`, `4.8M`, `1023K`.
pub fn bytes(n: u64) -> String {
    if n < 1024 {
        return n.to_string();
    }
    scaled(n, 1024, &["K", "M", "G", "T", "P", "E"])
}

/// A count: with separators while it is short, by powers of 1,000 beyond: `3,422`, `12.3M`.
pub fn count(n: u64) -> String {
    if n < 1_000_000 {
        return thousands(n);
    }
    scaled(n, 1000, &["k", "M", "G", "T", "P", "E"])
}

fn scaled(n: u64, base: u64, units: &[&str]) -> String {
    let mut unit = 0;
    let mut divisor = base;
    while n / divisor >= base && unit + 1 < units.len() {
        divisor *= base;
        unit += 1;
    }
    let whole = n / divisor;
    let tenth = u128::from(n % divisor) * 10 / u128::from(divisor);
    if whole < 100 { format!("{whole}.{tenth}{}", units[unit]) } else { format!("{whole}{}", units[unit]) }
}

/// A ratio in at most seven cells: `1,026.5`, `3.42`, `0.101`.
pub fn ratio(x: f64) -> String {
    if !x.is_finite() || x < 0.0 {
        return "-".to_owned();
    }
    if x >= 1e6 {
        return format!("{:.1}M", x / 1e6);
    }
    let decimals = match x {
        _ if x >= 9_999.95 => 0,
        _ if x >= 9.995 => 1,
        _ if x >= 0.1 => 2,
        _ if x == 0.0 => 0,
        _ if x < 0.0005 => return "<0.001".to_owned(),
        _ => 3,
    };
    let text = format!("{x:.decimals$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), thousands);
    if rest.is_empty() { whole } else { format!("{whole}.{rest}") }
}

/// A ratio as the detail pane shows it, one decimal at least: `1,026.5`.
pub fn measure(x: f64) -> String {
    if x.is_finite() && x >= 0.0 && x.fract() == 0.0 && x < 1e15 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be a whole number in range"
        )]
        return thousands(x as u64);
    }
    ratio(x)
}

/// Seconds as a length of time in at most six cells: `59s`, `6m16s`, `2h05m`, `3d04h`.
pub fn duration(seconds: u64) -> String {
    let (d, h, m, s) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    match (d, h, m) {
        (0, 0, 0) => format!("{s}s"),
        (0, 0, _) if s == 0 => format!("{m}m"),
        (0, 0, _) => format!("{m}m{s:02}s"),
        (0, _, 0) => format!("{h}h"),
        (0, ..) => format!("{h}h{m:02}m"),
        (_, 0, _) => format!("{d}d"),
        (1..100, ..) => format!("{d}d{h:02}h"),
        _ => format!("{d}d"),
    }
}

/// Seconds that may be negative.
pub fn lag(seconds: i64) -> String {
    let text = duration(seconds.unsigned_abs());
    if seconds < 0 { format!("-{text}") } else { text }
}

/// Time of day, UTC: `15:26:46`.
pub fn time_of_day(unix: i64) -> String {
    let s = unix.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60)
}

/// Hour and minute, UTC: `15:26`.
pub fn hour_minute(unix: i64) -> String {
    let s = unix.rem_euclid(86_400);
    format!("{:02}:{:02}", s / 3_600, s / 60 % 60)
}

/// Since when something is there, and of how much time that can be said: `first seen 07:12:09Z, searched from 04:00Z`.
pub fn first_seen(first: i64, searched: i64) -> String {
    // Two times of one day need no date; a minute that was not searched whole is not called so.
    let same_day = first.div_euclid(86_400) == searched.div_euclid(86_400);
    let from = match (same_day, searched.rem_euclid(60)) {
        (true, 0) => hour_minute(searched),
        (true, _) => time_of_day(searched),
        (false, _) => date_time(searched),
    };
    // Of what began before, some may have made way.
    let before = if first < searched { " or before" } else { "" };
    let first = if same_day { time_of_day(first) } else { date_time(first) };
    format!("first seen {first}Z{before}, searched from {from}Z")
}

/// Day and time, UTC, `08-20 15:26:46`.
pub fn day_time(unix: i64) -> String {
    written(unix, "%m-%d %H:%M:%S")
}

/// A moment in `zone`, written as `how` says.
pub fn in_zone(unix: i64, zone: &jiff::tz::TimeZone, how: &str) -> String {
    jiff::Timestamp::from_second(unix)
        .map_or_else(|_| unix.to_string(), |time| zone.to_datetime(time).strftime(how).to_string())
}

/// Date and time, UTC: `2018-08-20 15:26:46`.
pub fn date_time(unix: i64) -> String {
    written(unix, "%Y-%m-%d %H:%M:%S")
}

fn written(unix: i64, format: &str) -> String {
    // Beyond the calendar (a log line can say anything that fits 64 bits) the number itself is the honest answer.
    jiff::Timestamp::from_second(unix).map_or_else(|_| unix.to_string(), |time| time.strftime(format).to_string())
}

/// Name of a protocol, or its number.
pub fn protocol(number: u64) -> String {
    let name = u8::try_from(number).ok().and_then(protocol_name);
    name.map_or_else(|| number.to_string(), str::to_owned)
}

/// TCP flags by letter: `S`, `SA`, `SAF`, in the order of a conversation.
pub fn flags(bits: u64) -> String {
    const LETTERS: [(u64, char); 8] =
        [(2, 'S'), (16, 'A'), (8, 'P'), (1, 'F'), (4, 'R'), (32, 'U'), (64, 'E'), (128, 'C')];
    LETTERS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, letter)| *letter).collect()
}

/// An endpoint: `172.16.0.178:11211`, `[2001:db8::1]:53`; without a port where the protocol has none.
pub fn endpoint(addr: IpAddr, port: Option<u64>) -> String {
    match (addr, port) {
        (_, None) => addr.to_string(),
        (IpAddr::V4(v4), Some(port)) => format!("{v4}:{port}"),
        (IpAddr::V6(v6), Some(port)) => format!("[{v6}]:{port}"),
    }
}

/// Name of the service on a port.
pub fn service_name(port: u64, protocol: u64) -> Option<&'static str> {
    service(u16::try_from(port).ok()?, u8::try_from(protocol).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_made_visible() {
        assert_eq!(clean("eni-0536faba73134a9b7"), "eni-0536faba73134a9b7");
        assert_eq!(clean("a\x1b[31mred\x07"), "a\u{fffd}[31mred\u{fffd}");
        assert_eq!(clean("\u{202e}evil\u{200b}\u{2066}\u{feff}\u{9b}"), "\u{fffd}evil\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(clean("e\u{301}\u{2028}\r\n\0"), "e\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(clean("東京 é"), "東京 é");
    }

    #[test]
    fn amounts() {
        let shown = [0, 814, 1023, 1024, 5_072_550, 1_048_575, 104_857_600, u64::MAX].map(bytes);
        assert_eq!(shown, ["0", "814", "1023", "1.0K", "4.8M", "1023K", "100M", "15.9E"]);
        assert_eq!(thousands(5_072_550), "5,072,550");
        assert_eq!([999_999, 12_345_678].map(count), ["999,999", "12.3M"]);
        assert!(
            std::iter::successors(Some(1u64), |n| n.checked_mul(3)).all(|n| bytes(n).len() <= 5 && count(n).len() <= 7)
        );
    }

    #[test]
    fn ratios() {
        let shown = [51_327.0 / 50.0, 0.101_276, 3.4191, 12.34, 0.0, 0.0001, 12_345.6, 2.5e7].map(ratio);
        assert_eq!(shown, ["1,026.5", "0.10", "3.42", "12.3", "0", "<0.001", "12,346", "25.0M"]);
        assert_eq!(ratio(0.05), "0.050");
        assert_eq!([ratio(f64::NAN), ratio(f64::INFINITY), ratio(-1.0)], ["-", "-", "-"]);
        assert_eq!([measure(51_327.0), measure(1026.54)], ["51,327", "1,026.5"]);
    }

    #[test]
    fn times() {
        assert_eq!(date_time(1_534_778_806), "2018-08-20 15:26:46");
        assert_eq!(time_of_day(1_534_778_806), "15:26:46");
        assert_eq!(date_time(i64::MAX), i64::MAX.to_string());
        assert_eq!(time_of_day(-1), "23:59:59");
        let shown = [0, 59, 60, 376, 7_500, 86_400, 277_200, 9_000_000].map(duration);
        assert_eq!(shown, ["0s", "59s", "1m", "6m16s", "2h05m", "1d", "3d05h", "104d"]);
        assert_eq!(lag(-5), "-5s");
    }

    #[test]
    fn cutting_keeps_to_the_width() {
        assert_eq!(cut("memcached", 9, "…"), "memcached");
        assert_eq!(cut("memcached", 5, "…"), "memc…");
        assert_eq!(cut("東京都", 4, "…"), "東…");
        assert_eq!(cut("ab", 0, "…"), "");
        assert_eq!(cut_middle("eni-0536faba73134a9b7", 13, "…"), "eni-05…34a9b7");
        assert_eq!(cut_middle("2001:db8:1:2:3:4:5:6", 2, "…"), "2…");
        for cells in 0..20 {
            assert!(width(&cut_middle("東京 eni-0536faba73134a9b7", cells, "…")) <= cells);
        }
    }

    #[test]
    fn protocols_and_flags() {
        assert_eq!([protocol(17), protocol(253), protocol(999)], ["udp", "253", "999"]);
        assert_eq!([flags(18), flags(3), flags(0), flags(511)], ["SA", "SF", "", "SAPFRUEC"]);
        assert_eq!(endpoint("::1".parse().unwrap(), Some(53)), "[::1]:53");
    }
}
