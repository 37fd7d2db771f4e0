//! A baseline in a file of the state folder. Whoever can write there may have written anything: it is read as input, with bounds.

use std::fmt::Write as _;
use std::io;

use crate::detect::Baseline;
use crate::detect::baseline::Use;
use crate::state::Place;

/// First line of the file; another version is not read.
const HEAD: &str = "flowtail baseline 1";
/// Most bytes of the file.
const MOST: u64 = 16 << 20;
/// Most uses that are kept, here and in memory: three times what a query gives, and some of their parts.
pub(super) const USES: usize = 100_000;
/// Seconds after which it is loaded anew.
const DAY: i64 = 86_400;
/// Least and greatest second that is a time.
const TIMES: std::ops::RangeInclusive<i64> = 0..=253_402_300_799;

/// Name of the file for what `key` names.
pub(super) fn name(key: &str) -> String {
    Place::name_for("baseline", key)
}

/// Whether it can be used for a baseline of `length` seconds.
pub(super) fn is_fresh(baseline: &Baseline, length: i64, now: i64) -> bool {
    // What was asked for, since the group may keep less, and would again.
    now - baseline.taken < DAY && baseline.asked >= length
}

/// Whether it is the name of an interface.
pub(super) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text != "-"
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Keeps it.
pub(super) fn save(place: &Place, key: &str, baseline: &Baseline) -> io::Result<()> {
    place.write(&name(key), &text(key, baseline))
}

/// What is kept for `key`, if anything is.
pub(super) fn load(place: &Place, key: &str, now: i64) -> Result<Option<Baseline>, String> {
    match place.read(&name(key), MOST) {
        Ok(Some(bytes)) => read(&bytes, key, now),
        Ok(None) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn text(key: &str, baseline: &Baseline) -> String {
    let mut out = format!(
        "{HEAD}\n{key}\n{} {} {} {}\n{}\n",
        baseline.from, baseline.to, baseline.taken, baseline.asked, baseline.lacks
    );
    for used in baseline.uses.iter().take(USES) {
        let word = |word: Option<String>| word.unwrap_or_else(|| "-".to_owned());
        let (client, server) = (used.client.map(|addr| addr.to_string()), used.server.map(|addr| addr.to_string()));
        let port = used.port.map(|port| port.to_string());
        let interface = used.interface.as_deref().unwrap_or("-");
        let _ = writeln!(out, "{interface} {} {} {}", word(client), word(server), word(port));
    }
    out
}

fn read(bytes: &[u8], key: &str, now: i64) -> Result<Option<Baseline>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return Err("it is of another version, or no baseline".to_owned());
    }
    if lines.next() != Some(key) {
        return Ok(None);
    }
    let times =
        lines.next().unwrap_or_default().split(' ').map(|word| word.parse().ok().filter(|time| TIMES.contains(time)));
    let times: Option<Vec<i64>> = times.collect();
    let Some(&[from, to, taken, asked]) = times.as_deref() else { return Err("line 3: no range of time".to_owned()) };
    if from > to || to > taken || taken > now + 300 {
        return Err("line 3: a range that cannot be".to_owned());
    }
    let lacks = lines.next().ok_or("line 4: it ends there")?.chars().filter(|c| !c.is_control()).take(200).collect();
    let mut baseline = Baseline { from, to, asked, taken, lacks, uses: Vec::new() };
    for (number, line) in lines.enumerate() {
        if number >= USES {
            return Err(format!("it has more than {USES} lines"));
        }
        let used = read_use(line).ok_or_else(|| format!("line {}: no port or peer", number + 5))?;
        baseline.uses.push(used);
    }
    Ok(Some(baseline))
}

fn read_use(line: &str) -> Option<Use> {
    let words: Vec<&str> = line.split(' ').collect();
    let [interface, client, server, port] = words[..] else { return None };
    let interface = match interface {
        "-" => None,
        name if is_name(name) => Some(name.into()),
        _ => return None,
    };
    let mut used = Use { interface, ..Use::default() };
    // What is not said is a dash.
    if client != "-" {
        used.client = Some(client.parse().ok()?);
    }
    if server != "-" {
        used.server = Some(server.parse().ok()?);
    }
    if port != "-" {
        used.port = Some(port.parse().ok()?);
    }
    Some(used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_534_780_000;

    fn known() -> Baseline {
        let make = |client: Option<&str>, server: Option<&str>, port| Use {
            interface: Some("eni-0a1".into()),
            client: client.map(|addr| addr.parse().unwrap()),
            server: server.map(|addr| addr.parse().unwrap()),
            port,
        };
        let uses = vec![
            make(Some("10.0.0.5"), None, Some(443)),
            make(None, Some("fd00::1"), Some(22)),
            Use { interface: None, ..make(Some("10.0.0.5"), Some("9.9.9.9"), None) },
        ];
        Baseline {
            from: NOW - 5 * DAY,
            to: NOW - 1_800,
            asked: 7 * DAY,
            taken: NOW - 10,
            lacks: "some".to_owned(),
            uses,
        }
    }

    #[test]
    fn what_was_kept_comes_back_for_the_same_groups_only() {
        let kept = text("group | region", &known());
        assert_eq!(read(kept.as_bytes(), "group | region", NOW), Ok(Some(known())));
        assert_eq!(read(kept.as_bytes(), "other | region", NOW), Ok(None));
        assert_ne!(name("group"), name("other"));
    }

    #[test]
    fn it_is_fresh_for_a_day_and_for_no_more_time_than_it_has() {
        assert!(is_fresh(&known(), 6 * DAY, NOW) && !is_fresh(&known(), 8 * DAY, NOW));
        assert!(!is_fresh(&known(), 6 * DAY, NOW + DAY));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let kept = text("k", &known());
        for (from, to, said) in [
            ("baseline 1", "baseline 2", "another version"),
            ("443", "70000", "line 5"),
            ("eni-0a1 10", "eni\u{1b}[2J 10", "line 5"),
            ("fd00::1", "fd00::1 x", "line 6"),
            ("1534348000", "9999999999999999", "line 3"),
        ] {
            let wrong = kept.replacen(from, to, 1);
            assert_ne!(wrong, kept, "{from}");
            assert!(read(wrong.as_bytes(), "k", NOW).unwrap_err().contains(said), "{from}");
        }
        assert!(read(&[0xff, 0xfe], "k", NOW).is_err());
        let long = kept.clone() + &"- 10.0.0.1 - 1\n".repeat(USES);
        assert!(read(long.as_bytes(), "k", NOW).unwrap_err().contains("more than"));
    }

    proptest! {
        #[test]
        fn nothing_that_is_read_panics(cut in 0..200_usize, bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut text = text("k", &known()).into_bytes();
            text.truncate(cut);
            text.extend(bytes);
            if let Ok(Some(read)) = read(&text, "k", NOW) {
                prop_assert!(read.from <= read.to && read.uses.len() <= USES);
            }
        }
    }
}
