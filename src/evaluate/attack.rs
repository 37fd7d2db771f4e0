//! Attacks with labels: who did what to whom, and when. Each takes hosts of its own, so that an alert can be put to one of them.

mod access;
mod amplification;
mod apart;
mod egress;
mod flood;
mod scan;
mod unseen;

use std::net::{IpAddr, Ipv4Addr};

use super::Unseen;
use super::wire::{Wire, local, tcp};
use crate::record::services::TCP;

/// Where the hosts of attacks report to, long before anything happens to them.
const MONITOR: IpAddr = IpAddr::V4(Ipv4Addr::new(52, 94, 10, 20));

/// One attack of the trial.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What kind it is, such as `amplification`.
    pub family: &'static str,
    /// Which one of its kind, such as `NTP, random ports`.
    pub variant: String,
    /// Addresses of the attacked or misused hosts and of the attacker: an alert about this attack is about one of them.
    pub entities: Vec<IpAddr>,
    /// ATT&CK techniques, one of which a rule that has found it names; sub-techniques count.
    pub techniques: &'static [&'static str],
    /// First second, Unix.
    pub from: i64,
    /// Last second, Unix.
    pub to: i64,
}

/// Makes scenarios and remembers them.
pub(super) struct Cast<'a> {
    pub wire: &'a mut Wire,
    begin: i64,
    next: u16,
    scenarios: Vec<Scenario>,
}

impl Cast<'_> {
    /// A host of ours that only this attack concerns. It has reported to a monitoring service since the beginning, so that it is no news itself.
    fn host(&mut self) -> IpAddr {
        self.next += 1;
        let [subnet, number] = self.next.to_be_bytes();
        let host = self.wire.host(local(100 + subnet, number));
        let reports = (0..self.wire.length / 60_000).map(|n| tcp(n * 60_000, 400, 2_500, 500)).collect();
        let client = (host, self.wire.ephemeral());
        self.wire.pass(client, (MONITOR, 443), TCP, reports);
        host
    }

    /// An address on the internet.
    fn stranger(&mut self) -> IpAddr {
        crate::source::demo::network::public4(&mut self.wire.random)
    }

    /// When an attack of `length` milliseconds begins: not in the first half hour, in which rules that learn are silent.
    fn when(&mut self, length: i64) -> i64 {
        let last = self.wire.length - length - 120_000;
        self.wire.random.time(1_860_000.min(last), last)
    }

    /// Labels what lasted from `at` for `length` milliseconds.
    fn label(
        &mut self,
        family: &'static str,
        variant: impl Into<String>,
        techniques: &'static [&'static str],
        (at, length): (i64, i64),
        entities: Vec<IpAddr>,
    ) {
        let from = (self.begin + at) / 1_000;
        let variant = variant.into();
        self.scenarios.push(Scenario { family, variant, entities, techniques, from, to: from + length / 1_000 });
    }
}

/// Logs the attacks of a set on which nothing was tuned, and gives their labels.
pub(super) fn unseen(wire: &mut Wire, set: Unseen, begin: i64) -> Vec<Scenario> {
    let mut cast = Cast { wire, begin, next: 0, scenarios: Vec::new() };
    match set {
        Unseen::First => unseen::all(&mut cast),
        Unseen::Second => apart::all(&mut cast),
    }
    cast.scenarios
}

/// Logs every attack of trial number `seed` and gives their labels. `begin` is the first moment, Unix milliseconds.
pub(super) fn all(wire: &mut Wire, seed: u64, begin: i64) -> Vec<Scenario> {
    let mut cast = Cast { wire, begin, next: 0, scenarios: Vec::new() };
    amplification::reflectors(&mut cast, seed);
    amplification::victims(&mut cast, seed);
    amplification::searches(&mut cast);
    amplification::founding(&mut cast);
    scan::all(&mut cast);
    access::all(&mut cast);
    egress::all(&mut cast, seed);
    flood::all(&mut cast);
    cast.scenarios
}
