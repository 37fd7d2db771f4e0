//! How regularly a group begins sessions: the memory behind `beacon` and `prevalence`.
//!
//! The score is RITA's idea: symmetry of the intervals (Bowley's skew) and their spread (median absolute deviation), the same of the sizes, and how
//! evenly the starts fill the time. A flow record begins with its window, so intervals below two windows show the clock of the log and
//! not of the program: of these there is no score.

use crate::detect::bounded::Bounded;
use crate::detect::few::Few;
use crate::detect::key::{GroupKey, Key};
use crate::detect::window::{Contribution, Item};

use smallvec::SmallVec;

/// Starts that are kept of a group, the latest.
const RING: usize = 64;
/// Users of one server that are told apart; more are many.
const USERS: usize = 512;
/// Least interval that can be measured: two windows of a minute, the shortest that AWS logs.
const LEAST: f64 = 120.0;
/// Parts of the time that starts should fill evenly.
const PARTS: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Start {
    at: i64,
    id: u64,
    /// Seconds that the session lasts.
    length: f64,
    size: f64,
}

/// Most groups begin one session.
type Starts = SmallVec<[Start; 1]>;

/// What a group's starts come to. Not a number where there is nothing to tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beat {
    /// 0 (by chance) to 1 (a clock).
    pub score: f64,
    /// Median seconds between two starts.
    pub interval: f64,
    /// Starts at different times.
    pub count: f64,
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Rhythms {
    groups: Bounded<GroupKey, Starts>,
    /// By what is left of the key without the user: users and when each was first seen.
    users: Bounded<GroupKey, Few<i64>>,
    /// Slot of the size.
    pub sizes: Option<usize>,
    /// Place of the user in the key.
    pub user: Option<usize>,
    pub evicted: u64,
}

impl Rhythms {
    pub(super) fn new(memory: usize) -> Rhythms {
        // Most groups begin a few sessions; a full ring is 2 kB.
        let groups = (memory / 2 / 320).max(4_096);
        Rhythms { groups: Bounded::new(groups), users: Bounded::new(groups), sizes: None, user: None, evicted: 0 }
    }

    fn start(&self, what: &Contribution) -> Start {
        let size = match self.sizes.and_then(|slot| what.items.get(slot)) {
            Some(Item::Number(size)) => *size,
            _ => f64::NAN,
        };
        Start { at: what.start, id: what.id, length: seconds(what.end - what.start), size }
    }

    /// Puts `new` in the place of `old`, of the same group; false where they do not begin together or the old one is not held.
    pub(super) fn renew(&mut self, old: &Contribution, new: &Contribution) -> bool {
        let start = self.start(new);
        let Some(starts) = self.groups.get_mut(&old.group[..]).filter(|_| old.start == new.start) else { return false };
        let known = starts.iter_mut().rev().find(|known| (known.at, known.id) == (start.at, start.id));
        known.map(|known| *known = start).is_some()
    }

    pub(super) fn add(&mut self, what: &Contribution) {
        let start = self.start(what);
        let starts = self.groups.get_or_insert(&what.group[..], || (what.group[..].into(), Starts::new()));
        let at = starts.partition_point(|known| (known.at, known.id) < (start.at, start.id));
        if starts.len() < RING {
            starts.insert(at, start);
        } else if at > 0 {
            starts.insert(at, start);
            starts.remove(0);
        }
        // One that began a single session tells nothing.
        self.evicted += self.groups.take_dropped().iter().filter(|(_, starts)| starts.len() > 1).count() as u64;
        if let Some(user) = self.user {
            let (who, rest) = apart(&what.group, user);
            let users = self.users.get_or_insert(&rest[..], || (rest.clone(), Few::default()));
            if let Some(first) = users.get_mut(who) {
                *first = what.start.min(*first);
            } else if users.len() < USERS {
                users.insert_new(who.clone(), what.start);
            }
            self.users.take_dropped();
        }
    }

    pub(super) fn withdraw(&mut self, what: &Contribution) {
        let Some(starts) = self.groups.get_mut(&what.group[..]) else { return };
        starts.retain(|known| known.id != what.id || known.at != what.start);
        if !starts.is_empty() {
            return;
        }
        self.groups.remove(&what.group[..]);
        if let Some(user) = self.user {
            let (who, rest) = apart(&what.group, user);
            if let Some(users) = self.users.get_mut(&rest[..]) {
                users.swap_remove(who);
                if users.is_empty() {
                    self.users.remove(&rest[..]);
                }
            }
        }
    }

    /// Starts held of a group.
    pub(super) fn held(&self, group: &[Key]) -> f64 {
        self.groups.get(group).map_or(0.0, |starts| number(starts.len()))
    }

    /// What the starts of a group from `from` to `to` come to.
    pub(super) fn beat(&self, group: &[Key], from: i64, to: i64) -> Beat {
        let starts = self.groups.get(group).map_or(&[][..], SmallVec::as_slice);
        let from = starts.partition_point(|start| start.at < from);
        let to = starts.partition_point(|start| start.at <= to);
        beat(starts.get(from..to).unwrap_or_default())
    }

    /// The share of our other hosts that use the same as this group's user, seen up to `to`.
    pub(super) fn prevalence(&self, group: &[Key], to: i64, hosts: usize) -> f64 {
        let Some(user) = self.user.filter(|user| *user < group.len()) else { return f64::NAN };
        let (_, rest) = apart(group, user);
        let users =
            self.users.get(&rest[..]).map_or(0, |users| users.iter().filter(|(_, first)| **first <= to).count());
        number(users.saturating_sub(1)) / number(hosts.saturating_sub(1).max(1))
    }
}

/// The user of a group's key, and the rest of it.
fn apart(group: &[Key], user: usize) -> (&Key, GroupKey) {
    let rest = group.iter().enumerate().filter(|(at, _)| *at != user).map(|(_, key)| key.clone());
    (&group[user], rest.collect())
}

fn beat(starts: &[Start]) -> Beat {
    let mut times: Vec<i64> = starts.iter().map(|start| start.at).collect();
    times.dedup();
    let mut intervals: Vec<f64> = times.windows(2).map(|pair| seconds(pair[1] - pair[0])).collect();
    let mut beat = Beat { score: f64::NAN, interval: f64::NAN, count: number(times.len()) };
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return beat };
    if intervals.len() < 3 {
        return beat;
    }
    let (regular, interval) = regularity(&mut intervals);
    beat.interval = interval;
    let mut lengths: Vec<f64> = starts.iter().map(|start| start.length).collect();
    lengths.sort_by(f64::total_cmp);
    if interval < LEAST.max(2.0 * quantile(&lengths, 2)) {
        return beat;
    }
    let mut parts = [0_u32; PARTS];
    for time in &times {
        let part = (time - first) * i64::try_from(PARTS).unwrap_or(i64::MAX) / (last - first + 1).max(1);
        parts[usize::try_from(part).unwrap_or(0).min(PARTS - 1)] += 1;
    }
    let mean = beat.count / number(PARTS);
    let variance = parts.iter().map(|part| (f64::from(*part) - mean).powi(2)).sum::<f64>() / number(PARTS);
    let even = (1.0 - variance.sqrt() / mean).max(0.0);
    let mut sizes: Vec<f64> = starts.iter().map(|start| start.size).filter(|size| size.is_finite()).collect();
    beat.score = if sizes.len() < 3 {
        (2.0 * regular + even) / 3.0
    } else {
        0.5 * regular + 0.25 * regularity(&mut sizes).0 + 0.25 * even
    };
    beat
}

/// How alike values are, 0 to 1, and their median. Sorts them.
fn regularity(values: &mut [f64]) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let [low, median, high] = [1, 2, 3].map(|quarter| quantile(values, quarter));
    // With next to no spread, or a median at its edge, the skew says nothing.
    let skewed = high - low >= 10.0 && median > low && median < high;
    let skew = if skewed { (low + high - 2.0 * median) / (high - low) } else { 0.0 };
    let mut off: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    off.sort_by(f64::total_cmp);
    let spread = if median > 0.0 { ((median - quantile(&off, 2)) / median).max(0.0) } else { 0.0 };
    (f64::midpoint(1.0 - skew.abs(), spread), median)
}

/// A quarter of sorted values: 1 to 3.
fn quantile(sorted: &[f64], quarter: usize) -> f64 {
    sorted.get(sorted.len().saturating_sub(1) * quarter / 4).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "seconds within the calendar")]
fn seconds(time: i64) -> f64 {
    time as f64
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
