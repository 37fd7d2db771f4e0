//! Interfaces in a file of the state folder. Whoever can write there may have written anything: it is read as input, with bounds. Nothing of credentials is
//! in it.

use std::io;

use serde::{Deserialize, Serialize};

use crate::enrich::{Interface, Interfaces};
use crate::state::Place;

/// Most bytes of the file.
const LARGEST: u64 = 64 << 20;
/// Seconds after which EC2 is asked anew.
const FRESH: i64 = 3_600;
/// The version that is read and written.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    /// Whose they are.
    key: String,
    as_of: i64,
    region: String,
    partial: bool,
    interfaces: Vec<Interface>,
}

/// Name of the file for what `key` names.
fn name(key: &str) -> String {
    Place::name_for("interfaces", key)
}

/// Whether EC2 need not be asked anew.
pub(super) fn is_fresh(known: &Interfaces, now: i64) -> bool {
    now - known.as_of < FRESH
}

/// Keeps them.
pub(super) fn save(place: &Place, key: &str, known: &Interfaces) -> io::Result<()> {
    place.write(&name(key), &text(key, known))
}

/// What is kept for `key`, if anything is.
pub(super) fn load(place: &Place, key: &str, now: i64) -> Result<Option<Interfaces>, String> {
    match place.read(&name(key), LARGEST) {
        Ok(Some(bytes)) => read(&bytes, key, now),
        Ok(None) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn text(key: &str, known: &Interfaces) -> String {
    let file = File {
        version: VERSION,
        key: key.to_owned(),
        as_of: known.as_of,
        region: known.region.clone(),
        partial: known.partial,
        interfaces: known.iter().cloned().collect(),
    };
    // Texts, numbers and lists of them always have a JSON.
    serde_json::to_string(&file).unwrap_or_default()
}

fn read(bytes: &[u8], key: &str, now: i64) -> Result<Option<Interfaces>, String> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if file.version != VERSION {
        return Err("it is of another version".to_owned());
    }
    if file.key != key {
        return Ok(None);
    }
    if !(0..=now + 300).contains(&file.as_of) {
        return Err("it is of a time that cannot be".to_owned());
    }
    let region: String = file.region.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    let mut known = Interfaces::new(file.interfaces, &region, file.as_of);
    known.partial |= file.partial;
    Ok(Some(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_534_780_000;

    fn known() -> Interfaces {
        let one = |id: &str, name: &str| Interface {
            id: id.into(),
            name: name.into(),
            addresses: vec!["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()],
            groups: vec![("sg-1".into(), "web \"x\"\n".into())],
            ..Interface::default()
        };
        Interfaces::new([one("eni-1", "a\u{1b}[2J"), one("eni-2", "")], "us-west-1", NOW - 60)
    }

    #[test]
    fn what_was_kept_comes_back_for_the_same_account_only() {
        let kept = text("us-west-1 | 1 | -", &known());
        assert_eq!(read(kept.as_bytes(), "us-west-1 | 1 | -", NOW), Ok(Some(known())));
        assert_eq!(read(kept.as_bytes(), "us-west-1 | 2 | -", NOW), Ok(None));
        assert_ne!(name("a"), name("b"));
    }

    #[test]
    fn it_is_fresh_for_an_hour() {
        assert!(is_fresh(&known(), NOW) && !is_fresh(&known(), NOW - 60 + FRESH));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let kept = text("k", &known());
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("\"as_of\":1534779940", "\"as_of\":9999999999"),
            ("\"key\"", "\"keys\""),
            ("10.0.0.1", "10.0.0.x"),
        ] {
            let wrong = kept.replacen(from, to, 1);
            assert_ne!(wrong, kept, "{from}");
            assert!(read(wrong.as_bytes(), "k", NOW).is_err(), "{from}");
        }
        let renamed = kept.replace("eni-2", "../../x");
        assert_eq!(read(renamed.as_bytes(), "k", NOW).unwrap().unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn nothing_that_is_read_panics(cut in 0..600_usize, bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut text = text("k", &known()).into_bytes();
            text.truncate(cut);
            text.extend(bytes);
            if let Ok(Some(read)) = read(&text, "k", NOW) {
                prop_assert!(read.len() <= 2);
            }
        }
    }
}
