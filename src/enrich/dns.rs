//! Reverse DNS of one address, by the resolver of the system. It tells that resolver, and whoever answers for the address, that somebody asked: nothing
//! here runs unless a person said so for this address.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long an answer is waited for.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Longest name that is kept, characters. A name of DNS has at most 253.
const LONGEST: usize = 253;
/// Questions on their way at most: a resolver that is silent holds its thread for as long as the system waits.
const MOST: usize = 8;

static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// What asks: gives the name of an address, `None` where it has none.
pub type Resolver = fn(IpAddr) -> Result<Option<String>, String>;

/// The system's resolver. Blocks for as long as it takes.
///
/// # Errors
/// It does not answer, in a sentence without its full stop.
pub fn system(address: IpAddr) -> Result<Option<String>, String> {
    match dns_lookup::lookup_addr(&address) {
        // A resolver that has no name may give the address back.
        Ok(name) => Ok(Some(name).filter(|name| name.parse::<IpAddr>().is_err())),
        Err(error) => match error.kind() {
            dns_lookup::LookupErrorKind::NoName | dns_lookup::LookupErrorKind::NoData => Ok(None),
            dns_lookup::LookupErrorKind::Again => Err("the resolver has no answer for now".to_owned()),
            _ => Err(format!("the resolver fails: {error}")),
        },
    }
}

/// Asks `resolver` on a thread of its own; `tell` is called once, after [`PATIENCE`] at the latest. The name is as hostile as its owner: it is bounded
/// here, and whoever shows it cleans it.
pub fn ask(address: IpAddr, resolver: Resolver, tell: impl FnOnce(Result<Option<String>, String>) + Send + 'static) {
    if UNDER_WAY.fetch_add(1, Ordering::Relaxed) >= MOST {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
        return tell(Err("too many lookups have no answer yet".to_owned()));
    }
    let (give, answer) = mpsc::channel();
    let asking = thread::Builder::new().name("flowtail-dns".into()).spawn(move || {
        let found = resolver(address);
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
        // Nobody waits any more where it took too long.
        let _ = give.send(found);
    });
    if let Err(error) = asking {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
        return tell(Err(format!("the system gives no thread: {error}")));
    }
    let waiting = thread::Builder::new().name("flowtail-dns-wait".into());
    // Without a second thread nobody is told, which the user sees as no answer.
    let _ = waiting.spawn(move || {
        tell(match answer.recv_timeout(PATIENCE) {
            Ok(found) => found.map(|name| name.map(|name| name.trim_end_matches('.').chars().take(LONGEST).collect())),
            Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(resolver: Resolver) -> Result<Option<String>, String> {
        let (give, told) = mpsc::channel();
        ask(IpAddr::from([127, 0, 0, 1]), resolver, move |found| give.send(found).unwrap());
        told.recv_timeout(PATIENCE * 2).unwrap()
    }

    #[test]
    fn a_name_is_told_without_its_dot_and_never_longer_than_dns_allows() {
        assert_eq!(asked(|_| Ok(Some("host.example.".to_owned()))), Ok(Some("host.example".to_owned())));
        let long = asked(|_| Ok(Some("x".repeat(100_000)))).unwrap().unwrap();
        assert_eq!(long.len(), LONGEST);
        assert_eq!(asked(|_| Ok(None)), Ok(None));
        assert_eq!(asked(|_| Err("broken".to_owned())), Err("broken".to_owned()));
    }

    #[test]
    fn a_resolver_that_is_silent_is_not_waited_for() {
        let silent = asked(|_| {
            thread::sleep(PATIENCE + Duration::from_secs(2));
            Ok(Some("late".to_owned()))
        });
        assert_eq!(silent, Err("no answer within 5 seconds".to_owned()));
    }

    #[test]
    fn the_system_knows_the_name_of_this_machine() {
        // Told by a file, without a network; some systems call it otherwise.
        let name = system(IpAddr::from([127, 0, 0, 1])).unwrap().unwrap();
        assert!(name.starts_with("localhost"), "{name}");
    }
}
