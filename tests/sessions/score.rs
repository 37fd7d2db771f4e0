//! What was found, beside what there was.

use std::collections::BTreeMap;

use flowtail::detect::{Detector, Limits, Rules};
use flowtail::engine::{Config, Core};
use flowtail::record::{Batch, Decoder};
use flowtail::session::Method;

use crate::truth::{self, Conversation, End, KINDS, LATENESS, Style, World};

/// A session of anybody's: its ends, client first, what each sent (bytes, packets), when it began, and what decided who began.
#[derive(Clone, Debug)]
pub struct Found {
    pub protocol: u8,
    pub client: End,
    pub server: End,
    pub asked: (u64, u64),
    pub answered: (u64, u64),
    pub first: i64,
    pub method: Option<Method>,
}

/// Counts of one or more logs.
#[derive(Clone, Debug, Default)]
pub struct Score {
    pub conversations: u64,
    /// Sessions that have a conversation's ends and its bytes and packets in both directions.
    pub exact: u64,
    /// Sessions that belong to no conversation or to a part of one.
    pub others: u64,
    pub bytes: u64,
    /// Bytes that sessions have too much or too little, conversation by conversation.
    pub wrong_bytes: u64,
    /// Of conversations that were not merged or split, and whose log can say who began: right, wrong, and called undecided.
    pub right: u64,
    pub wrong: u64,
    pub undecided: u64,
    /// Of those whose log cannot: called undecided, or a guess that says so.
    pub symmetric: u64,
    pub left_open: u64,
    /// Right and all by method.
    pub methods: BTreeMap<&'static str, (u64, u64)>,
    /// Right and decidable by kind.
    pub kinds: BTreeMap<&'static str, (u64, u64)>,
}

impl Score {
    /// Share of decidable conversations whose initiator was found.
    pub fn orientation(&self) -> f64 {
        share(self.right, self.right + self.wrong + self.undecided)
    }

    pub fn add(&mut self, other: &Score) {
        let mine = [
            &mut self.conversations,
            &mut self.exact,
            &mut self.others,
            &mut self.bytes,
            &mut self.wrong_bytes,
            &mut self.right,
            &mut self.wrong,
            &mut self.undecided,
            &mut self.symmetric,
            &mut self.left_open,
        ];
        let theirs = [
            other.conversations,
            other.exact,
            other.others,
            other.bytes,
            other.wrong_bytes,
            other.right,
            other.wrong,
            other.undecided,
            other.symmetric,
            other.left_open,
        ];
        for (mine, theirs) in mine.into_iter().zip(theirs) {
            *mine += theirs;
        }
        for (mine, theirs) in [(&mut self.methods, &other.methods), (&mut self.kinds, &other.kinds)] {
            for (name, (right, all)) in theirs {
                let sum = mine.entry(name).or_default();
                *sum = (sum.0 + right, sum.1 + all);
            }
        }
    }
}

/// `part` of `all`; 1 of nothing.
#[expect(clippy::cast_precision_loss, reason = "a share to print")]
pub fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 1.0 } else { part as f64 / all as f64 }
}

/// The engine's sessions of a log, delivered in batches of uneven size.
pub fn flowtail(world: &World, style: Style) -> Vec<Found> {
    let config = Config {
        memory: 1 << 30,
        lateness: LATENESS,
        live: false,
        source: "truth".into(),
        region: None,
        interfaces: Vec::new(),
        fetch: None,
    };
    let mut core = Core::new(config, Detector::new(&Rules::default(), Limits::default()), true);
    let mut decoder = Decoder::new(None);
    let mut found = Vec::new();
    let mut rest = &world.lines[..];
    let mut size = 1;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(size.min(rest.len()));
        let lines: String = now.iter().map(|line| line.text(style)).collect();
        let bytes = format!("{}{lines}", truth::header(style)).into_bytes();
        core.ingest(&decoder.decode(&Batch { bytes, ..Batch::default() }));
        found.extend(core.take_finished());
        (rest, size) = (later, size * 7 % 1_009);
    }
    core.finish();
    found.extend(core.take_finished());
    assert_eq!((core.counts().unparsed(), core.counts().records), (0, world.lines.len() as u64));
    found
        .iter()
        .map(|session| {
            let totals = |way| {
                let totals = session.totals(way);
                (totals.bytes, totals.packets)
            };
            Found {
                protocol: session.protocol(),
                client: session.client(),
                server: session.server(),
                asked: totals(session.request()),
                answered: totals(session.request().reversed()),
                first: session.first,
                method: Some(session.method()),
            }
        })
        .collect()
}

type Key = (u8, End, End);

fn key(protocol: u8, one: End, two: End) -> Key {
    (protocol, one.min(two), one.max(two))
}

/// Compares sessions with the conversations that there were.
pub fn score(truth: &[Conversation], found: &[Found]) -> Score {
    let mut by_key: BTreeMap<Key, (Vec<&Conversation>, Vec<&Found>)> = BTreeMap::new();
    for one in truth {
        by_key.entry(key(one.protocol, one.client, one.server)).or_default().0.push(one);
    }
    for one in found {
        by_key.entry(key(one.protocol, one.client, one.server)).or_default().1.push(one);
    }
    let mut score = Score { conversations: truth.len() as u64, ..Score::default() };
    for (mut truth, mut found) in by_key.into_values() {
        truth.sort_by_key(|one| one.first);
        found.sort_by_key(|one| one.first);
        score.others += (found.len() as u64).saturating_sub(truth.len() as u64);
        for (number, one) in truth.iter().enumerate() {
            score.bytes += one.asked.0 + one.answered.0;
            let Some(two) = found.get(number) else {
                score.wrong_bytes += one.asked.0 + one.answered.0;
                continue;
            };
            let is_right = two.client == one.client && two.server == one.server;
            let (asked, answered) = if is_right { (two.asked, two.answered) } else { (two.answered, two.asked) };
            score.wrong_bytes += asked.0.abs_diff(one.asked.0) + answered.0.abs_diff(one.answered.0);
            if truth.len() != found.len() {
                continue;
            }
            score.exact += u64::from((asked, answered) == (one.asked, one.answered));
            let (kind, _, decidable) = KINDS[one.kind];
            let is_undecided = two.method == Some(Method::Undecided);
            if !decidable {
                score.symmetric += 1;
                score.left_open += u64::from(two.method.is_some_and(|method| !method.is_strong()));
                continue;
            }
            let right = is_right && !is_undecided;
            score.right += u64::from(right);
            score.undecided += u64::from(is_undecided);
            score.wrong += u64::from(!right && !is_undecided);
            let by_kind = score.kinds.entry(kind).or_default();
            *by_kind = (by_kind.0 + u64::from(right), by_kind.1 + 1);
            if let Some(method) = two.method {
                let by_method = score.methods.entry(method.as_str()).or_default();
                *by_method = (by_method.0 + u64::from(right), by_method.1 + 1);
            }
        }
        for extra in found.iter().skip(truth.len()) {
            score.wrong_bytes += extra.asked.0 + extra.answered.0;
        }
    }
    score
}
