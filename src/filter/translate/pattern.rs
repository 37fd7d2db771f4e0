//! A filter as what `CloudWatch` Logs is asked for (`--fetch`): a filter pattern, to read less of a group that is too busy to be read whole.
//!
//! Three things must hold. What is fetched is *closed* under swapping source and destination, so that a reply comes with its request
//! (`mirror`). The pattern may be wider than the closed expression and is never narrower; whoever reads the events checks them again with
//! [`Fetch::closed`], so results do not depend on how wide it was. NODATA and SKIPDATA always come: they say that nothing, or not everything, was seen.
//!
//! The syntax is that of "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail" in the `CloudWatch`
//! Logs user guide (`FilterAndPatternSyntax.html`). Two forms of it are used:
//!
//! * **Terms**, `?"11211" ?"NODATA" ?"SKIPDATA"`: any of these texts anywhere in the message. Whether a term must be a whole word is not documented, so
//!   only values that stand in a record as words of their own are asked for. It says nothing of order or format, so it holds for every format and for
//!   records inside JSON. Only a disjunction can be said: `?` is not documented together with other terms.
//! * **Positions**, `[version, …, protocol = 17 || protocol = "-", …]`: only where the one format of the group is known, since a message with
//!   another number of fields never matches. Conditions on several fields must all hold, so it can say other things than terms can.
//!
//! Both rely on values being written as AWS writes them: numbers without leading zeros, IPv4 addresses dotted, ids in lower case, ACCEPT and REJECT in
//! upper case. IPv6 addresses have several spellings and are never asked for.

mod mirror;
mod slots;
mod terms;

use std::fmt::Write as _;

use crate::filter::expr::{Expr, Op, Operand, Test};
use crate::filter::{Filter, Stage};
use crate::record::{Field, Format};

/// Characters of a pattern at most. API reference, `FilterLogEvents`: "Maximum length of 1024".
pub const MAX_PATTERN: usize = 1024;

/// What `--fetch` comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// The expression, in its canonical spelling.
    pub text: String,
    /// What is sent with every request; `None` where nothing of the expression can be asked for, so that everything is read.
    pub pattern: Option<String>,
    /// The parts of the expression that the pattern narrows by.
    pub pushed: Vec<String>,
    /// The parts that are only checked here, after they were read.
    pub checked: Vec<String>,
    /// What the user should know of what will be missing, one sentence each.
    pub remarks: Vec<String>,
    closed: Option<Filter>,
}

impl Fetch {
    /// Compiles `filter`. `format` is the format of every record of the groups, where that is known for sure. Of a filter for sessions the pattern
    /// finds the records that they are made of: what differs from record to record, such as the bytes that a session sums up, is not asked for then.
    pub fn new(filter: &Filter, format: Option<&Format>) -> Fetch {
        let expr = filter.expr();
        let stage = filter.stage();
        let known = |expr: &Expr| mirror::known(expr, stage);
        let wanted = known(expr);
        let closed = wanted.as_ref().and_then(mirror::closed);
        let mut fetch = Fetch {
            text: expr.to_string(),
            pattern: None,
            pushed: Vec::new(),
            checked: Vec::new(),
            remarks: remarks(expr),
            closed: closed.as_ref().map(|closed| {
                let always = Test::Compare {
                    field: Field::LogStatus,
                    op: Op::Eq,
                    values: ["NODATA", "SKIPDATA"].map(|word| Operand::Word(word.to_owned())).to_vec(),
                };
                let all = Expr::or([closed.clone(), Expr::Test(always)]);
                Filter::of(all.to_string(), all, Stage::Flows, Vec::new())
            }),
        };
        let parts = match expr {
            Expr::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let mut narrowing = Vec::new();
        if let Some(wanted) = closed.as_ref().and(wanted) {
            let by_terms = terms::of(&wanted, format);
            let by_slots = format.and_then(|format| {
                let both = mirror::swapped(&wanted).map(|mirrored| Expr::or([wanted.clone(), mirrored]));
                slots::of(&both?, format)
            });
            let slots_win = match (&by_terms, &by_slots) {
                (Some(terms), Some(slots)) => slots.share < terms.share,
                (terms, _) => terms.is_none(),
            };
            if slots_win && let Some(slots) = by_slots {
                narrowing = parts.iter().map(|part| known(part).is_some_and(|part| slots.narrows_by(&part))).collect();
                fetch.pattern = Some(slots.pattern);
            } else if let Some(found) = by_terms {
                // One part stands for all of them, since terms cannot be combined.
                let chosen = parts.iter().position(|part| {
                    known(part)
                        .and_then(|part| terms::of(&part, format))
                        .is_some_and(|own| own.pattern == found.pattern)
                });
                narrowing = (0..parts.len()).map(|index| chosen.is_none_or(|chosen| chosen == index)).collect();
                fetch.pattern = Some(found.pattern);
            }
        }
        for (index, part) in parts.iter().enumerate() {
            let list = if narrowing.get(index).is_some_and(|narrows| *narrows) {
                &mut fetch.pushed
            } else {
                &mut fetch.checked
            };
            list.push(part.to_string());
        }
        fetch
    }

    /// What every row that is passed on must match: the expression or its mirror image, or a record that says that there is no data. `None` where
    /// that is every row.
    pub fn closed(&self) -> Option<&Filter> {
        self.closed.as_ref()
    }

    /// One sentence on what is asked for and what is not.
    pub fn summary(&self) -> String {
        let mut text = match (&self.pattern, &self.closed) {
            (Some(pattern), _) if pattern.starts_with('[') => {
                format!("CloudWatch is asked, by the place of fields in the one format of the group, for {pattern}")
            }
            (Some(pattern), _) => format!("CloudWatch is asked for {pattern}"),
            (None, Some(_)) => {
                "nothing of it can be asked of CloudWatch: everything is read, and what it does not want is left out here".to_owned()
            }
            (None, None) => "nothing of it can be asked for with sessions kept whole: everything is read and shown".to_owned(),
        };
        if self.pattern.is_some() && !self.checked.is_empty() {
            let _ = write!(text, "; only checked here: {}", self.checked.join(", "));
        }
        text
    }
}

/// How a pattern narrows what is read.
struct Narrowed {
    pattern: String,
    /// A guess at the share of records that it lets through, to choose between two patterns.
    share: f64,
}

/// What will be missing from the sessions that are fetched.
fn remarks(expr: &Expr) -> Vec<String> {
    let mut own = Vec::new();
    let mut mirrorless = Vec::new();
    expr.tests(&mut |test| {
        let list = match mirror::nature(test) {
            mirror::Nature::Own => &mut own,
            mirror::Nature::None => &mut mirrorless,
            mirror::Nature::Shared => return,
        };
        let text = test.to_string();
        if !list.contains(&text) {
            list.push(text);
        }
    });
    let mut remarks = Vec::new();
    if !own.is_empty() {
        remarks.push(format!(
            "{} may hold for one direction of a session and not for the other: of such a session only one is fetched, without ratios",
            own.join(", ")
        ));
    }
    if !mirrorless.is_empty() {
        remarks.push(format!(
            "{} cannot be turned round for the reply of a session, and does not narrow what is fetched; --filter can show by it",
            mirrorless.join(", ")
        ));
    }
    remarks
}

#[cfg(test)]
mod tests;
