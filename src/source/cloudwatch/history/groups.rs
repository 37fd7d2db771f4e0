//! Sums by group, put together from the slices that a search was asked in.

use std::collections::BTreeMap;

/// Sums of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Bytes; `None` where the format does not carry them.
    pub bytes: Option<u64>,
    /// Packets; `None` where the format does not carry them.
    pub packets: Option<u64>,
    /// Records.
    pub records: u64,
}

/// Groups and their sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    rows: BTreeMap<Vec<String>, Sums>,
}

/// What the query calls its groups, in the order that was asked for.
pub(super) fn names(query: &str) -> Vec<String> {
    let stats = query.split("\n| ").find(|command| command.starts_with("stats "));
    let by = stats.and_then(|command| command.rsplit_once(" by ")).map(|(_, by)| by);
    by.unwrap_or_default().split(", ").map(str::to_owned).collect()
}

impl Groups {
    /// Adds the rows of a slice. A group that has no value is called by a dash, as records write it.
    pub(super) fn add(&mut self, names: &[String], rows: Vec<Vec<(String, String)>>) {
        for row in rows {
            let value = |name: &str| row.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
            let key = names.iter().map(|name| value(name).unwrap_or("-").to_owned()).collect();
            let sums = self.rows.entry(key).or_default();
            let add = |sum: &mut Option<u64>, name: &str| {
                if let Some(more) = value(name).and_then(number) {
                    *sum = Some(sum.unwrap_or(0).saturating_add(more));
                }
            };
            add(&mut sums.bytes, "totalBytes");
            add(&mut sums.packets, "totalPackets");
            sums.records = sums.records.saturating_add(value("records").and_then(number).unwrap_or(0));
        }
    }

    /// Groups.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All groups, those with the most bytes first, then those with the most records.
    pub fn ranked(&self) -> Vec<(&[String], &Sums)> {
        let mut rows: Vec<_> = self.rows.iter().map(|(key, sums)| (key.as_slice(), sums)).collect();
        rows.sort_by_key(|(_, sums)| std::cmp::Reverse((sums.bytes, sums.records)));
        rows
    }
}

/// Sums may come as `51327` or `5.1327E4`.
fn number(text: &str) -> Option<u64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked; a cast of floats saturates")]
    (number.is_finite() && number >= 0.0).then(|| number.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_slices_are_added_and_ranked() {
        let row = |a: &str, bytes: &str, records: &str| {
            [("srcAddr", a), ("totalBytes", bytes), ("records", records)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec()
        };
        let names = names(
            "filter x = 1\n| stats sum(bytes) as totalBytes, count(*) as records by srcAddr, dstPort\n| sort totalBytes desc",
        );
        assert_eq!(names, ["srcAddr", "dstPort"]);
        let mut groups = Groups::default();
        groups.add(&names, vec![row("10.0.0.1", "5", "1"), row("10.0.0.2", "7", "2")]);
        groups.add(&names, vec![row("10.0.0.1", "1.0E1", "3")]);
        let ranked = groups.ranked();
        let key = |a: &str| vec![a.to_owned(), "-".to_owned()];
        assert_eq!(ranked[0], (key("10.0.0.1").as_slice(), &Sums { bytes: Some(15), packets: None, records: 4 }));
        assert_eq!(ranked[1].0, key("10.0.0.2").as_slice());
    }
}
