//! A format as the fast parser walks it, made once a format.

use super::field::{Field, Kind};
use super::format::Slot;

/// Most fields of a line that is read by a plan.
pub(super) const MOST: usize = 64;
/// Most texts that are remembered as one.
const LONGEST_RUN: usize = 8;

/// What to do from one place of a line to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Texts that stand side by side. There are few of them in a log and fewer pairs of neighbours than one would think (an interface has
    /// one account), so they are looked up together.
    Texts {
        /// How many.
        tokens: u8,
        /// One bit for each that is a number, namely the version.
        numbers: u8,
    },
    /// So many addresses.
    Addrs(usize),
    /// So many numbers.
    Numbers(usize),
}

impl Step {
    /// How many tokens it takes.
    pub(super) fn count(self) -> usize {
        match self {
            Step::Texts { tokens, .. } => usize::from(tokens),
            Step::Addrs(count) | Step::Numbers(count) => count,
        }
    }
}

/// The steps of a format. Without any where only the thorough parser can read its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// What to do.
    pub(super) steps: Box<[Step]>,
    /// Where the values go, by place.
    pub(super) fields: Box<[Field]>,
    /// The greatest number that may stand there, by place; 0 where no number is.
    pub(super) most: Box<[u64]>,
}

impl Plan {
    /// The plan of a line with these places.
    pub(super) fn of(slots: &[Slot]) -> Plan {
        let known = |slot: &Slot| match slot {
            Slot::Field(field) => Some(*field),
            Slot::Unknown(_) => None,
        };
        // Columns without a field are kept as logged.
        let Some(fields) = slots.iter().map(known).collect::<Option<Box<[Field]>>>() else { return Plan::default() };
        // A header line reads like a record where every field is text.
        let wordy = fields.iter().all(|field| field.kind() == Kind::Text);
        if wordy || fields.len() > MOST {
            return Plan::default();
        }
        let mut steps: Vec<Step> = Vec::new();
        for field in &fields {
            let number = u8::from(*field == Field::Version);
            match (reading(*field), steps.last_mut()) {
                (Reading::Addr, Some(Step::Addrs(count))) | (Reading::Number(_), Some(Step::Numbers(count))) => {
                    *count += 1;
                }
                (Reading::Addr, _) => steps.push(Step::Addrs(1)),
                (Reading::Number(_), _) => steps.push(Step::Numbers(1)),
                (Reading::Text, Some(Step::Texts { tokens, numbers })) if usize::from(*tokens) < LONGEST_RUN => {
                    *numbers |= number << *tokens;
                    *tokens += 1;
                }
                (Reading::Text, _) => steps.push(Step::Texts { tokens: 1, numbers: number }),
            }
        }
        let most = fields.iter().map(|field| match reading(*field) {
            Reading::Number(most) => most,
            Reading::Addr | Reading::Text => 0,
        });
        Plan { steps: steps.into(), most: most.collect(), fields }
    }
}

/// How a token is read.
enum Reading {
    Addr,
    /// Up to this number.
    Number(u64),
    /// As one of few words; so is the version.
    Text,
}

fn reading(field: Field) -> Reading {
    match field.kind() {
        Kind::Addr => Reading::Addr,
        Kind::Text => Reading::Text,
        Kind::Int if field == Field::Version => Reading::Text,
        Kind::Port => Reading::Number(u64::from(u16::MAX)),
        Kind::Protocol | Kind::Flags => Reading::Number(u64::from(u8::MAX)),
        // Thirteen digits are milliseconds.
        Kind::Time => Reading::Number(999_999_999_999),
        Kind::Count | Kind::Int | Kind::Duration | Kind::Ratio => Reading::Number(u64::MAX),
    }
}
