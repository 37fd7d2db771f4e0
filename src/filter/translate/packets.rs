//! What the two languages about packets share.

use super::super::Filter;
use super::plan::{Planner, Rows, note};
use super::render::{Dialect, Rendered, render};
use super::{Refusal, Target, Translation, note_of_stage, nothing};

/// Translates to a language about packets.
pub(super) fn translate<D: Dialect>(
    filter: Option<&Filter>,
    dialect: &D,
    target: Target,
    remarks: &[(&str, &str)],
) -> Result<Translation, Refusal> {
    let mut planner = Planner::new(Rows::Packets, 0, filter);
    let plan = planner.plan(filter);
    let (mut notes, mut exact) = (planner.notes, planner.exact);
    let text = match render(dialect, &plan, &mut notes) {
        Rendered::Never => return Err(Refusal("No packet can match this filter.".to_owned())),
        Rendered::Always | Rendered::Unsaid => return Err(nothing(filter, target, &notes)),
        Rendered::Said(said) => {
            exact &= said.exact;
            said.text
        }
    };
    note_of_stage(filter, &mut notes);
    for (what, remark) in remarks {
        if text.contains(what) {
            note(&mut notes, (*remark).to_owned());
        }
    }
    Ok(Translation { text, exact, notes })
}

/// The part of `ranges` that can be a port, and whether 0 is in it: records without ports say 0, as those of the port 0 do.
pub(super) fn ports(ranges: &[(u64, u64)]) -> (Vec<(u64, u64)>, bool) {
    let zero = ranges.iter().any(|(from, _)| *from == 0);
    let real = ranges.iter().filter(|(from, _)| *from <= 65_535);
    (real.map(|(from, to)| (*from, (*to).min(65_535))).collect(), zero)
}

/// The protocols in `ranges` as both languages call them, but for `icmpv6` and those without a name; `None` where they are too many.
pub(super) fn protocols(ranges: &[(u64, u64)], icmpv6: &str, other: impl Fn(u64) -> String) -> Option<Vec<String>> {
    let numbers: Vec<u64> = (0..=255).filter(|number| ranges.iter().any(|(a, b)| a <= number && number <= b)).collect();
    let named = |number| match number {
        1 => "icmp".to_owned(),
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        58 => icmpv6.to_owned(),
        _ => other(number),
    };
    (numbers.len() <= 16).then(|| numbers.into_iter().map(named).collect())
}
