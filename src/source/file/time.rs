//! The cheapest guess at a line's time: good enough to put lines of several files in order, without knowing their format.
//!
//! Every flow log format that carries times writes them as Unix seconds of ten digits, and `start` and `end` lie within minutes of each
//! other. That tells them from byte counts of ten digits, which stand alone. Formats whose `end` comes before `start` work the same way.

/// The earliest moment taken for a time: September 2001, the first second with ten digits.
const EARLIEST: i64 = 1_000_000_000;
/// The latest: March 2033.
const LATEST: i64 = 2_000_000_000;
/// `start` and `end` of one record are at most this far apart, seconds. The longest capture window is 600.
const WIDEST_WINDOW: i64 = 3_600;

/// The end of the capture window of `line`, Unix seconds, or `None` where no two numbers in it look like a start and an end.
///
/// Milliseconds (13 digits, seen in the wild and in exported CloudWatch events) are read as such.
pub(super) fn guess(line: &[u8]) -> Option<i64> {
    let mut seen = [0_i64; 8];
    let mut count = 0;
    for time in candidates(line) {
        if let Some(other) = seen[..count].iter().find(|other| (*other - time).abs() <= WIDEST_WINDOW) {
            return Some(time.max(*other));
        }
        if count < seen.len() {
            seen[count] = time;
            count += 1;
        }
    }
    None
}

/// Numbers of ten or thirteen digits that stand alone and lie in the range of times, as seconds.
fn candidates(line: &[u8]) -> impl Iterator<Item = i64> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < line.len() {
            if !line[at].is_ascii_digit() {
                at += 1;
                continue;
            }
            let from = at;
            let mut number: i64 = 0;
            while at < line.len() && line[at].is_ascii_digit() {
                number = number.wrapping_mul(10).wrapping_add(i64::from(line[at] - b'0'));
                at += 1;
            }
            let alone = (from == 0 || !joins(line[from - 1])) && line.get(at).is_none_or(|next| !joins(*next));
            let seconds = match at - from {
                10 if alone => number,
                13 if alone => number / 1_000,
                _ => continue,
            };
            if (EARLIEST..=LATEST).contains(&seconds) {
                return Some(seconds);
            }
        }
        None
    })
}

/// Whether `byte` next to digits makes them part of a longer word, such as an identifier or an address.
fn joins(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/')
}

#[cfg(test)]
mod tests {
    use super::guess;

    #[test]
    fn the_end_is_found_in_every_shape_of_line() {
        let cases: [(&str, Option<i64>); 9] = [
            (
                "2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK",
                Some(1_534_778_866),
            ),
            ("2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA", Some(1_431_280_934)),
            ("1534778866 ingress eni-1 1534778806", Some(1_534_778_866)),
            ("6 9 1073741824 1534778806 1534778866 ACCEPT", Some(1_534_778_866)),
            (
                "2018-09-22T20:28:14.000Z 2 633112549318 eni-d68830d4 10.0.0.1 10.0.0.2 1 2 6 1 40 1537648094 1537648150 ACCEPT OK",
                Some(1_537_648_150),
            ),
            ("2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1534778806123 1534778866001 ACCEPT OK", Some(1_534_778_866)),
            (r#"{"start":1534778806,"end":1534778866}"#, Some(1_534_778_866)),
            ("version account-id interface-id srcaddr", None),
            ("- eni-1235b8ca123456789 10.0.1.5 10.0.0.220 1534778806", None),
        ];
        for (line, expected) in cases {
            assert_eq!(guess(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn identifiers_and_long_digit_runs_are_not_times() {
        assert_eq!(guess(b"eni-1534778806 eni-1534778866"), None);
        assert_eq!(guess(b"i-1534778806a 1534778866.5 x1534778806"), None);
        assert_eq!(guess(&[b'9'; 4_000]), None);
        assert_eq!(guess(b""), None);
    }
}
