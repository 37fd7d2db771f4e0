//! The span of time that a filter says.

use super::super::eval::ends;
use super::super::expr::{Expr, Test};
use super::super::{Filter, Stage};
use super::plan::{Ask, asks};
use crate::record::{Field, Kind};

/// Longest window of a record, seconds, with a margin: flow logs aggregate for ten minutes at most.
const LONGEST: u64 = 3_600;

/// The least and the greatest `start` (Unix seconds) that a record can have which passes, as far as the filter says: what a search over event
/// time, whose events carry the start as their time, may be limited to.
pub fn bounds(filter: &Filter, now: i64) -> (Option<u64>, Option<u64>) {
    let (mut from, mut to) = (None::<u64>, None::<u64>);
    if filter.stage() == Stage::Sessions {
        return (None, None);
    }
    let parts = match filter.expr() {
        Expr::And(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut at_least = |time: u64| from = Some(from.map_or(time, |known| known.max(time)));
    let mut at_most = |time: u64| to = Some(to.map_or(time, |known| known.min(time)));
    for part in parts {
        let Expr::Test(test) = part else { continue };
        match test {
            Test::Last(seconds) => {
                let since = now.saturating_sub(i64::try_from(*seconds).unwrap_or(i64::MAX));
                at_least(u64::try_from(since).unwrap_or(0).saturating_sub(LONGEST));
            }
            Test::During(window) => {
                let (begins, over) = ends(*window, now);
                at_least(begins.saturating_sub(LONGEST));
                at_most(over);
            }
            Test::Compare { field, op, values } if field.kind() == Kind::Time && !op.is_negative() => {
                let asks = asks(*op, values);
                let Some(Ask::Ints(ranges)) = asks.first() else { continue };
                let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else { continue };
                match field {
                    Field::Start => {
                        at_least(first.0);
                        at_most(last.1);
                    }
                    Field::End => {
                        at_least(first.0.saturating_sub(LONGEST));
                        at_most(last.1);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    (from.filter(|time| *time > 0), to.filter(|time| *time < u64::MAX))
}
