//! What a search will cost, and what it came to, in words for the user.

use std::fmt;

use super::ask::Size;

/// What AWS charges for a gigabyte that Logs Insights scans, US dollars: the price of us-east-1 and most regions; some charge up to twice as much.
pub const PRICE: f64 = 0.005;

/// Bytes that AWS charges as one gigabyte.
const GIGABYTE: f64 = 1e9;

/// What will be scanned, about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Bytes; `None` where a group's size is not known.
    pub bytes: Option<u64>,
    /// How that was found.
    pub how: String,
}

/// Estimates what a range of Unix seconds holds: the share of the stored bytes that falls on it, were they spread evenly over the time that is kept.
pub(super) fn estimate(sizes: &[Option<Size>], range: (i64, i64), now: i64) -> Estimate {
    let mut total = 0.0;
    for size in sizes {
        let Some(size) = size else {
            let how = "CloudWatch Logs does not say how much a group holds".to_owned();
            return Estimate { bytes: None, how };
        };
        let since = kept_since(size, now).unwrap_or(range.0).min(now - 1);
        let overlap = (range.1.min(now) - range.0.max(since)).max(0);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let share = overlap as f64 / (now - since).max(1) as f64;
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let stored = size.stored as f64;
        total += stored * share.min(1.0);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and a cast saturates")]
    let bytes = total as u64;
    let how = "storedBytes of the log group, spread evenly over the time it keeps; AWS updates it with delay and charges for uncompressed bytes, so the real figure may be higher"
        .to_owned();
    Estimate { bytes: Some(bytes), how }
}

/// First second of which a group can hold anything.
pub(super) fn kept_since(size: &Size, now: i64) -> Option<i64> {
    // Events may be put up to 14 days back (PutLogEvents), so what a young group holds may be older than the group.
    let made = size.made.map(|made| made - 14 * 86_400);
    let kept = size.kept.map(|days| now - days * 86_400);
    made.into_iter().chain(kept).max()
}

impl Estimate {
    /// Gigabytes and cost, without how that was found.
    pub fn brief(&self) -> String {
        brief(self.bytes)
    }
}

/// Gigabytes and cost of so many bytes.
pub fn brief(bytes: Option<u64>) -> String {
    bytes.map_or_else(
        || "an amount that is not known".to_owned(),
        |bytes| format!("about {}, {}", size(bytes), cost(bytes)),
    )
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bytes {
            Some(bytes) => write!(f, "about {}, {} ({})", size(bytes), cost(bytes), self.how),
            None => write!(f, "not known ({})", self.how),
        }
    }
}

fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "rounded")]
    let bytes = bytes as f64;
    match bytes {
        b if b < 1e6 => format!("{:.1} kB", b / 1e3),
        b if b < GIGABYTE => format!("{:.1} MB", b / 1e6),
        b => format!("{:.2} GB", b / GIGABYTE),
    }
}

fn cost(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "rounded")]
    let dollars = bytes as f64 / GIGABYTE * PRICE;
    if dollars < 0.01 { "less than $0.01".to_owned() } else { format!("${dollars:.2} at ${PRICE} a GB") }
}

/// A moment for people.
pub fn moment(second: i64) -> String {
    jiff::Timestamp::from_second(second).map_or_else(|_| second.to_string(), |time| time.to_string())
}

/// What a search came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// First and last Unix second.
    pub range: (i64, i64),
    /// Records passed on, or groups.
    pub rows: u64,
    /// Bytes that AWS scanned, which is what it charges for.
    pub scanned: u64,
    /// Queries started.
    pub queries: u64,
    /// Requests sent, every try counted.
    pub requests: u64,
    /// Ranges of Unix seconds that were not read, or not wholly, and why.
    pub unread: Vec<(i64, i64, String)>,
    /// Last second that was read where the limit ended it.
    pub cut: Option<i64>,
    /// Whether there are more groups than a query gives.
    pub groups_cut: bool,
    /// Whether the user stopped it.
    pub stopped: bool,
    /// Seconds that the group does not keep.
    pub not_kept: u64,
    /// Why it ended before its end.
    pub ended: Option<String>,
    /// What else the user should know.
    pub remarks: Vec<String>,
}

impl Report {
    /// Whether everything that was asked for was read.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty() && !self.groups_cut && self.ended.is_none()
    }

    /// Joins ranges that touch.
    pub(super) fn settle(&mut self) {
        self.unread.sort();
        let mut joined: Vec<(i64, i64, String)> = Vec::new();
        for (from, to, why) in self.unread.drain(..) {
            match joined.last_mut() {
                Some(last) if last.2 == why && from <= last.1 + 1 => last.1 = last.1.max(to),
                _ => joined.push((from, to, why)),
            }
        }
        self.unread = joined;
    }

    /// Bytes scanned and what they cost.
    pub fn scanned_text(&self) -> String {
        format!("{}, {}", size(self.scanned), cost(self.scanned))
    }

    /// While it runs.
    pub(super) fn so_far(&self, done: u64, all: u64) -> String {
        let percent = done.saturating_mul(100) / all.max(1);
        format!("history {percent} %: {} rows, scanned {}", self.rows, self.scanned_text())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (moment(self.range.0), moment(self.range.1));
        let whole = if self.is_complete() { "complete" } else { "NOT complete" };
        let rows = if self.rows == 1 { "row" } else { "rows" };
        let queries = if self.queries == 1 { "query" } else { "queries" };
        write!(
            f,
            "searched {from} to {to}: {} {rows}, {whole}; {} {queries} scanned {}",
            self.rows,
            self.queries,
            self.scanned_text()
        )?;
        if self.groups_cut {
            write!(f, "; there are more groups than a query gives: the largest are right, small ones are missing")?;
        }
        for (from, to, why) in &self.unread {
            write!(f, "\n  not read: {} to {}: {why}", moment(*from), moment(*to))?;
        }
        for (from, to, _) in &self.unread {
            write!(f, "\n  to read it: the same command with --from {} --to {}", moment(*from), moment(*to))?;
        }
        for remark in &self.remarks {
            write!(f, "\n  {remark}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn the_estimate_is_the_share_of_what_is_kept() {
        let now = 1_000 * DAY;
        let kept = Size { stored: 30_000_000_000, made: Some(0), kept: Some(30) };
        let one = estimate(&[Some(kept.clone())], (now - 2 * DAY, now - DAY), now);
        assert_eq!(one.bytes, Some(1_000_000_000));
        assert!(one.to_string().starts_with("about 1.00 GB, less than $0.01 (storedBytes"), "{one}");
        let all = estimate(&[Some(kept.clone()), Some(kept)], (0, now), now);
        assert_eq!(all.bytes, Some(60_000_000_000));
        assert!(all.to_string().contains("$0.30 at $0.005 a GB"), "{all}");
        assert_eq!(estimate(&[None], (0, 1), now).bytes, None);
    }

    #[test]
    fn what_was_not_read_is_named_with_what_reads_it() {
        let mut report = Report { range: (0, 99), rows: 1, queries: 2, ..Report::default() };
        assert!(report.to_string().contains("1 row, complete; 2 queries"), "{report}");
        report.unread = vec![(50, 59, "x".into()), (10, 19, "x".into()), (20, 29, "x".into())];
        report.settle();
        assert_eq!(report.unread.len(), 2);
        let text = report.to_string();
        assert!(
            text.contains("NOT complete") && text.contains("--from 1970-01-01T00:00:10Z --to 1970-01-01T00:00:29Z"),
            "{text}"
        );
    }
}
