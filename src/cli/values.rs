//! Values of options: text with its unit to what it means.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::app::change::Change;

/// Reads `30m`, `90s`, `2h`, `1d`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        other => return Err(format!("'{other}' is no unit of time; write s, m, h or d, such as 30m")),
    };
    let number: u64 = digits.parse().map_err(|_| "write a number and a unit, such as 30m".to_owned())?;
    number.checked_mul(unit).map(Duration::from_secs).ok_or_else(|| "too long".to_owned())
}

/// Reads the time of a change.
pub(super) fn change(text: &str) -> Result<Change, String> {
    Change::parse(text, jiff::Timestamp::now().as_second())
}

/// Reads how long a baseline is.
pub(super) fn baseline(text: &str) -> Result<Duration, String> {
    let length = duration(text)?;
    if (Duration::from_hours(24)..=Duration::from_hours(24 * 366)).contains(&length) {
        Ok(length)
    } else {
        Err("rules learn for a day: write 1d to 366d, such as 7d".to_owned())
    }
}

/// Reads `60x` or `60`.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let number: f64 =
        text.trim_end_matches(['x', 'X']).parse().map_err(|_| "write a multiple, such as 60x".to_owned())?;
    if number.is_finite() && number > 0.0 {
        Ok(number)
    } else {
        Err("write a multiple above zero, such as 60x".to_owned())
    }
}

/// Least memory that makes sense: a few segments of the ring and a few thousand sessions.
const LEAST_MEMORY: usize = 32 << 20;

/// Reads `1GiB`, `512M`, `2G`; M and G are powers of 1,024 here, since they are about memory.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        other => return Err(format!("'{other}' is no unit of memory; write KiB, MiB or GiB, such as 512MiB")),
    };
    let number: usize = digits.parse().map_err(|_| "write a number and a unit, such as 1GiB".to_owned())?;
    let bytes = number.checked_shl(shift).filter(|bytes| bytes >> shift == number).ok_or("too much")?;
    if bytes < LEAST_MEMORY { Err("at least 32MiB are needed".to_owned()) } else { Ok(bytes) }
}

/// Reads `11-20` or `11`.
pub(super) fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let number =
        |text: &str| text.trim().parse::<u64>().map_err(|_| format!("'{text}' is not a number; write 11-20 or 11"));
    let (from, to) = (number(from)?, number(to)?);
    if from > to || to - from >= 1_000 {
        Err("expected FROM-TO with at most 1,000 trials, such as 11-20".into())
    } else {
        Ok(from..=to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_their_units() {
        assert_eq!(duration("30m"), Ok(Duration::from_mins(30)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert!(duration("3 weeks").is_err() && duration("").is_err() && duration("99999999999999999999d").is_err());
        assert_eq!(size("1GiB"), Ok(1 << 30));
        assert_eq!(size("64m"), Ok(64 << 20));
        assert!(size("1k").is_err() && size("99999999999G").is_err() && size("x").is_err());
        assert_eq!(baseline("7d"), Ok(Duration::from_hours(168)));
        assert!(baseline("23h").is_err() && baseline("367d").is_err() && baseline("x").is_err());
        assert_eq!(speed("60x"), Ok(60.0));
        assert!(speed("0").is_err() && speed("-1x").is_err() && speed("NaN").is_err());
    }
}
