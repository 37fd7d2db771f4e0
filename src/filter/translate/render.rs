//! A plan as text: what cannot be said is left out where that selects more, and takes its whole alternative along where it would select less.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use super::plan::{Ask, Leaf, Plan, note};
use crate::record::{Field, Kind};

/// How a language writes a test of a column.
pub(super) trait Dialect {
    /// Its "and", with spaces.
    const AND: &'static str;
    /// Its "or", with spaces.
    const OR: &'static str;

    /// The test, or `None` where it cannot be said.
    fn leaf(&self, leaf: &Leaf) -> Option<Said>;
}

/// A test that was said.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub text: String,
    /// Whether it passes no more than was asked.
    pub exact: bool,
    /// What joins its parts, where it is not one test.
    pub joint: Option<&'static str>,
}

impl Said {
    /// A single test.
    pub(super) fn one(text: String) -> Said {
        Said { text, exact: true, joint: None }
    }

    /// Several tests, joined.
    pub(super) fn joined(parts: &[String], joint: &'static str) -> Said {
        Said { text: parts.join(joint), exact: true, joint: (parts.len() > 1).then_some(joint) }
    }

    /// In parentheses where `joint` would tear it.
    pub(super) fn within(self, joint: &'static str) -> String {
        match self.joint {
            Some(own) if own != joint => format!("({})", self.text),
            _ => self.text,
        }
    }
}

/// What a plan became.
#[derive(Clone, Debug)]
pub(super) enum Rendered {
    /// Every row.
    Always,
    /// No row.
    Never,
    /// Something that cannot be said: every row.
    Unsaid,
    Said(Said),
}

/// Renders `plan`, telling in `notes` what is left out.
pub(super) fn render<D: Dialect>(dialect: &D, plan: &Plan, notes: &mut Vec<String>) -> Rendered {
    match plan {
        Plan::Const(true) => Rendered::Always,
        Plan::Const(false) => Rendered::Never,
        Plan::Unknown => Rendered::Unsaid,
        Plan::Leaf(leaf) => match decided(leaf) {
            Some(true) => Rendered::Always,
            Some(false) => Rendered::Never,
            None => dialect.leaf(leaf).map_or_else(
                || {
                    note(notes, format!("Left out: `{}`, which cannot be said there.", leaf.origin));
                    Rendered::Unsaid
                },
                Rendered::Said,
            ),
        },
        Plan::All(parts) => {
            let mut said: Vec<Said> = Vec::new();
            let mut unsaid = false;
            for part in parts {
                match render(dialect, part, notes) {
                    Rendered::Always => {}
                    Rendered::Never => return Rendered::Never,
                    Rendered::Unsaid => unsaid = true,
                    Rendered::Said(more) => said.push(more),
                }
            }
            match join(said, D::AND) {
                Some(all) => Rendered::Said(Said { exact: all.exact && !unsaid, ..all }),
                None if unsaid => Rendered::Unsaid,
                None => Rendered::Always,
            }
        }
        Plan::Any(parts) => {
            let mut said: Vec<Said> = Vec::new();
            let mut unsaid = false;
            for part in parts {
                match render(dialect, part, notes) {
                    Rendered::Always => return Rendered::Always,
                    Rendered::Never => {}
                    Rendered::Unsaid => unsaid = true,
                    Rendered::Said(more) => said.push(more),
                }
            }
            if unsaid {
                return Rendered::Unsaid;
            }
            join(said, D::OR).map_or(Rendered::Never, Rendered::Said)
        }
    }
}

fn join(mut said: Vec<Said>, joint: &'static str) -> Option<Said> {
    if said.len() < 2 {
        return said.pop();
    }
    let exact = said.iter().all(|said| said.exact);
    // What is said twice is written once, and stays what it was: alone it may still be several tests.
    let mut parts: Vec<Said> = Vec::with_capacity(said.len());
    for part in said {
        if !parts.iter().any(|known| known.text == part.text) {
            parts.push(part);
        }
    }
    if parts.len() == 1 {
        return parts.pop().map(|one| Said { exact, ..one });
    }
    let parts: Vec<String> = parts.into_iter().map(|part| part.within(joint)).collect();
    Some(Said { exact, ..Said::joined(&parts, joint) })
}

/// Tests whose answer needs no row.
fn decided(leaf: &Leaf) -> Option<bool> {
    let empty = match &leaf.ask {
        // Of the column's kind no number is so large.
        Ask::Ints(ranges) => {
            let most = match leaf.col.kind() {
                Kind::Port => 65_535,
                Kind::Protocol => 255,
                _ => u64::MAX,
            };
            ranges.iter().all(|(from, _)| *from > most)
        }
        Ask::Addrs(ranges) => ranges.is_empty(),
        // A dash in a line is an absent value, so no value is a dash.
        Ask::Word(text) => text == "-",
        _ => false,
    };
    empty.then_some(!leaf.keep)
}

/// Most networks that a set of addresses is written with.
const MOST_NETWORKS: usize = 64;

/// A set of addresses as networks.
pub(super) enum Networks {
    /// These.
    In(Vec<IpNet>),
    /// Every address but those of the first, and those of the second: shorter for what is nearly everything, such as the internet.
    Beyond(Vec<IpNet>, Vec<IpNet>),
}

/// The networks that make up `ranges`, in whichever way is shorter; `None` where both are too many.
pub(super) fn networks(ranges: &[(IpAddr, IpAddr)]) -> Option<Networks> {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for range in ranges {
        match range {
            (IpAddr::V4(from), IpAddr::V4(to)) => v4.push((u128::from(from.to_bits()), u128::from(to.to_bits()))),
            (IpAddr::V6(from), IpAddr::V6(to)) => v6.push((from.to_bits(), to.to_bits())),
            _ => {}
        }
    }
    if let Some(nets) = split(&v4, &v6) {
        return Some(Networks::In(nets));
    }
    // Small networks are told one by one: each would tear what is around it into many. Of IPv6 all but a few are large, so that is where it matters.
    let (few_v4, v4): (Vec<_>, Vec<_>) = v4
        .into_iter()
        .partition(|range| range.1 - range.0 < 1 << 8 && split(&[*range], &[]).is_some_and(|nets| nets.len() < 3));
    let (few_v6, v6): (Vec<_>, Vec<_>) = v6
        .into_iter()
        .partition(|range| range.1 - range.0 < 1 << 104 && split(&[], &[*range]).is_some_and(|nets| nets.len() < 3));
    let but = split(&beyond(v4, u128::from(u32::MAX)), &beyond(v6, u128::MAX))?;
    let and = split(&few_v4, &few_v6)?;
    (but.len() + and.len() <= MOST_NETWORKS).then_some(Networks::Beyond(but, and))
}

/// Ranges as networks.
fn split(v4: &[(u128, u128)], v6: &[(u128, u128)]) -> Option<Vec<IpNet>> {
    let low = |bits: u128| std::net::Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX));
    let mut nets: Vec<IpNet> = Vec::new();
    for (from, to) in v4 {
        nets.extend(Ipv4Subnets::new(low(*from), low(*to), 0).map(IpNet::V4).take(4 * MOST_NETWORKS));
    }
    for (from, to) in v6 {
        let (from, to) = (std::net::Ipv6Addr::from_bits(*from), std::net::Ipv6Addr::from_bits(*to));
        nets.extend(Ipv6Subnets::new(from, to, 0).map(IpNet::V6).take(4 * MOST_NETWORKS));
        if nets.len() > 16 * MOST_NETWORKS {
            return None;
        }
    }
    let nets = IpNet::aggregate(&nets);
    (nets.len() <= MOST_NETWORKS).then_some(nets)
}

/// What lies between `ranges` up to `most`.
fn beyond(mut ranges: Vec<(u128, u128)>, most: u128) -> Vec<(u128, u128)> {
    ranges.sort_unstable();
    let mut gaps = Vec::new();
    let mut next = Some(0);
    for (from, to) in ranges {
        let Some(at) = next else { break };
        if at < from {
            gaps.push((at, from - 1));
        }
        if to >= at {
            next = if to < most { Some(to + 1) } else { None };
        }
    }
    gaps.extend(next.map(|next| (next, most)));
    gaps
}

/// Whether a value of this column is logged in one spelling, so that it can be compared as it is, and that spelling of `text`.
pub(super) fn one_spelling(col: Field, text: &str) -> Option<String> {
    match col {
        Field::Action | Field::LogStatus => Some(text.to_ascii_uppercase()),
        Field::FlowDirection
        | Field::InterfaceId
        | Field::VpcId
        | Field::SubnetId
        | Field::InstanceId
        | Field::Region => Some(text.to_ascii_lowercase()),
        Field::AccountId if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(text.to_owned()),
        _ => None,
    }
}
