//! Ways in: guessed passwords and doors left open.

use super::Cast;
use crate::evaluate::wire::{burst, tcp, volume};
use crate::record::services::TCP;

pub(super) fn all(cast: &mut Cast) {
    guesses(cast, "SSH, from outside", 22, true);
    guesses(cast, "RDP, from outside", 3_389, true);
    guesses(cast, "SSH, inside", 22, false);
    spray(cast);
    for (port, name) in
        [(6_379, "Redis"), (3_306, "MySQL"), (2_375, "Docker"), (9_200, "Elasticsearch"), (3_389, "RDP")]
    {
        exposed(cast, port, name);
    }
}

/// One guess: a handshake of the protocol, an answer no, the end.
fn guess(cast: &mut Cast, at: i64) -> crate::source::demo::talk::Burst {
    let (there, back) = (cast.wire.random.between(11, 19), cast.wire.random.between(12, 22));
    burst(at, 2_500, volume(there, there * 52 + 1_900), volume(back, back * 52 + 2_400))
}

/// One client that tries many passwords, each over a connection of its own.
fn guesses(cast: &mut Cast, variant: &'static str, port: u16, outside: bool) {
    let target = cast.host();
    let client = if outside { cast.stranger() } else { cast.host() };
    let length = cast.wire.random.time(600_000, 1_500_000);
    let at = cast.when(length);
    let mut when = at;
    while when < at + length {
        let burst = guess(cast, when);
        let from = (client, cast.wire.ephemeral());
        cast.wire.pass(from, (target, port), TCP, vec![burst]);
        when += cast.wire.random.time(1_500, 6_000);
    }
    cast.label("brute force", variant, &["T1110"], (at, length), vec![client, target]);
}

/// Many clients that try a few passwords each.
fn spray(cast: &mut Cast) {
    let target = cast.host();
    let (at, length) = (cast.when(1_200_000), 1_200_000);
    for _ in 0..60 {
        let client = cast.stranger();
        for _ in 0..5 {
            let when = at + cast.wire.random.time(0, length);
            let burst = guess(cast, when);
            let from = (client, cast.wire.ephemeral());
            cast.wire.pass(from, (target, 22), TCP, vec![burst]);
        }
    }
    cast.label("brute force", "SSH, spray", &["T1110"], (at, length), vec![target]);
}

/// A service for administrators that serves a stranger.
fn exposed(cast: &mut Cast, port: u16, name: &'static str) {
    let (target, client) = (cast.host(), cast.stranger());
    let (at, length) = (cast.when(60_000), 60_000);
    cast.wire.pass((client, 50_123), (target, port), TCP, vec![tcp(at, 20_000, 2_000, 60_000)]);
    cast.label("exposed service", name, &["T1133", "T1190", "T1021"], (at, length), vec![target, client]);
}
