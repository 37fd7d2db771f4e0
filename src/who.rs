//! Whom a tail is about: `--who`, and what EC2 says of the account's interfaces, kept in the state folder for an hour.

mod kept;

use std::net::IpAddr;
use std::sync::Arc;

use crate::cli;
use crate::enrich::{Interface, Interfaces, Known, moment};
use crate::export::clean::for_terminal;
use crate::source::cloudwatch::{Inventory, TailConfig};
use crate::start::StartError;
use crate::start::inventory::{self, Answer};
use crate::state::Place;

/// Interfaces that are tailed at most: each costs a chain of requests.
const MOST: usize = 20;
/// Interfaces that are offered in an error.
const OFFERED: usize = 6;

/// What `--who` means.
#[derive(Debug, Default)]
pub struct Resolved {
    /// Interfaces to tail.
    pub ids: Vec<String>,
    /// What the user should know of that.
    pub remarks: Vec<String>,
    /// What EC2 said, where it was asked.
    pub interfaces: Option<Arc<Interfaces>>,
}

/// Finds the interfaces that `--who` names; asks EC2 only where the name is not one of the user's own for an interface.
///
/// # Errors
/// It names nothing, or too much, or EC2 does not say.
pub async fn resolve(tail: &cli::Tail, known: &Known, place: Option<&Place>) -> Result<Resolved, StartError> {
    let mut resolved = Resolved::default();
    if tail.who.is_empty() {
        return Ok(resolved);
    }
    if let Some(blank) = tail.who.iter().find(|who| who.trim().is_empty()) {
        return Err(StartError::Who(format!("'{blank}' is no name: give a name, an instance id or an address")));
    }
    let mut asked: Option<(Inventory, Answer, bool)> = None;
    for who in tail.who.iter().map(|who| who.trim()) {
        let mut ids = own(who, known);
        if ids.is_empty() {
            if asked.is_none() {
                let inventory = Inventory::connect(&config(tail)).await?;
                let (answer, kept) = ask(&inventory, place, false).await;
                asked = Some((inventory, answer, kept));
            }
            let Some((inventory, answer, kept)) = &mut asked else { continue };
            ids = found(who, known, answer.interfaces.as_deref());
            // Whoever is new is not in what was kept.
            if ids.is_empty() && *kept {
                (*answer, *kept) = ask(inventory, place, true).await;
                ids = found(who, known, answer.interfaces.as_deref());
            }
            let trouble = answer.trouble.take();
            if ids.is_empty() {
                return Err(StartError::Who(nobody(who, inventory.region(), answer.interfaces.as_deref(), trouble)));
            }
            if let (Some(why), Some(all)) = (trouble, &answer.interfaces) {
                resolved.remarks.push(format!("--who is what EC2 said at {}, since now {why}", moment(all.as_of)));
            }
        }
        let all = asked.as_ref().and_then(|(_, answer, _)| answer.interfaces.as_deref());
        if ids.len() > MOST {
            return Err(StartError::Who(format!(
                "{} is {} interfaces, and each costs requests of its own: at most {MOST}. Name single ones with --eni, or tail the whole group with \
                 --filter. The first: {}",
                for_terminal(who),
                ids.len(),
                listed(&ids[..OFFERED], all)
            )));
        }
        if ids.len() > 1 {
            let count = ids.len();
            resolved.remarks.push(format!(
                "{} is {count} interfaces, all are tailed: {}",
                for_terminal(who),
                listed(&ids, all)
            ));
        }
        resolved.ids.extend(ids);
    }
    resolved.interfaces = asked.and_then(|(_, answer, _)| answer.interfaces);
    Ok(resolved)
}

/// Which account and region are meant.
fn config(tail: &cli::Tail) -> TailConfig {
    TailConfig {
        groups: tail.groups.clone(),
        region: tail.aws.region.clone(),
        profile: tail.aws.profile.clone(),
        endpoint_url: tail.aws.endpoint_url.clone(),
        ..TailConfig::default()
    }
}

/// Interfaces that need no question: an id, or what the user's own list calls so.
fn own(who: &str, known: &Known) -> Vec<String> {
    if who.starts_with("eni-") {
        return vec![who.to_owned()];
    }
    known.names().interfaces_named(who).map(str::to_owned).collect()
}

/// What EC2 knows of that name, or of the addresses that the user's own list calls so.
fn found(who: &str, known: &Known, all: Option<&Interfaces>) -> Vec<String> {
    let Some(all) = all else { return Vec::new() };
    let mut found: Vec<&Interface> = known.names().addresses_named(who).flat_map(|address| all.at(address)).collect();
    if found.is_empty() {
        found = all.named(who);
    }
    let mut ids: Vec<String> = found.into_iter().map(|one| one.id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Interfaces with what they are, for a message.
fn listed(ids: &[String], all: Option<&Interfaces>) -> String {
    let one = |id: &String| match all.and_then(|all| all.get(id)) {
        Some(one) => describe(one),
        None => id.clone(),
    };
    for_terminal(&ids.iter().map(one).collect::<Vec<_>>().join("; ")).into_owned()
}

fn describe(one: &Interface) -> String {
    let parts = [one.name.as_str(), one.instance.as_str()];
    let address = one.addresses.first().map(ToString::to_string).unwrap_or_default();
    let parts =
        parts.into_iter().chain([address.as_str()]).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    if parts.is_empty() { one.id.clone() } else { format!("{} ({parts})", one.id) }
}

/// Why nothing of that name can be tailed, and what to do.
fn nobody(who: &str, region: &str, all: Option<&Interfaces>, trouble: Option<String>) -> String {
    let shown = for_terminal(who);
    let filter = match who.parse::<IpAddr>() {
        Ok(address) => format!(", or tail the whole group with --filter 'ip = {address}'"),
        Err(_) => String::new(),
    };
    let Some(all) = all.filter(|_| trouble.is_none()) else {
        let why = trouble.unwrap_or_else(|| "EC2 does not say".to_owned());
        let why = why.replace(", or leave it out with --no-interfaces", "");
        return format!("which interface {shown} is cannot be found out: {why}. Name it with --eni eni-…{filter}");
    };
    let alike: Vec<String> = all.alike(who, OFFERED).into_iter().map(describe).collect();
    let alike = if alike.is_empty() {
        String::new()
    } else {
        for_terminal(&format!(" Alike: {}.", alike.join("; "))).into_owned()
    };
    let more = if all.partial { " (not all were read)" } else { "" };
    format!(
        "no interface of this account in {region} is {shown}: {} are known{more}.{alike} Give an instance id (i-…; an instance's own Name tag is not that of \
         its interface), an address, a Name tag or description of an interface, or a name of --names{filter}",
        all.len()
    )
}

/// What EC2 says: what is kept, where it is less than an hour old and nobody wants it `anew`; else what it says now, which is kept. Tells whether it is the
/// former.
async fn ask(inventory: &Inventory, place: Option<&Place>, anew: bool) -> (Answer, bool) {
    let now = jiff::Timestamp::now().as_second();
    let key = inventory.key().await;
    let place = place.zip(key.as_deref());
    // A file that does not read is written anew; what it said is asked for.
    let kept = place.and_then(|(place, key)| kept::load(place, key, now).ok().flatten());
    if let Some(kept) = kept.as_ref().filter(|kept| !anew && kept::is_fresh(kept, now)) {
        return (Answer { interfaces: Some(Arc::new(kept.clone())), trouble: None }, true);
    }
    let answer = match inventory.ask().await {
        Ok(all) => {
            if let Some((place, key)) = place {
                // It is asked for again in the next run if it cannot be kept.
                let _ = kept::save(place, key, &all);
            }
            Answer { interfaces: Some(Arc::new(all)), trouble: None }
        }
        Err(why) => Answer { interfaces: kept.map(Arc::new), trouble: Some(why) },
    };
    (answer, false)
}

/// The same for a screen, which asks beside its loop.
pub fn inventory(inventory: Inventory, place: Option<Place>, known: Option<Arc<Interfaces>>) -> inventory::Inventory {
    let ask = move |anew| {
        let (inventory, place) = (inventory.clone(), place.clone());
        Box::pin(async move { ask(&inventory, place.as_ref(), anew).await.0 }) as _
    };
    inventory::Inventory { known, ask: Arc::new(ask) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::Names;

    fn all() -> Interfaces {
        let one = |id: &str, name: &str, address: &str| Interface {
            id: id.into(),
            name: name.into(),
            addresses: vec![address.parse().unwrap()],
            ..Interface::default()
        };
        Interfaces::new([one("eni-1", "web-1", "10.0.0.1"), one("eni-2", "web-2", "10.0.0.2")], "us-west-1", 5)
    }

    #[test]
    fn the_own_list_is_asked_first() {
        let known = Known::from(Names::read("eni-9,Cache\n10.0.0.2,web-1\n").unwrap());
        assert_eq!(own("eni-7", &known), ["eni-7"]);
        assert_eq!(own("cache", &known), ["eni-9"]);
        assert_eq!(found("web-1", &known, Some(&all())), ["eni-2"], "the list says who web-1 is");
        assert_eq!(found("web-1", &Known::default(), Some(&all())), ["eni-1"]);
        assert_eq!(found("10.0.0.2", &known, Some(&all())), ["eni-2"]);
        assert!(found("web", &known, Some(&all())).is_empty() && found("web-1", &known, None).is_empty());
    }

    #[test]
    fn a_name_of_nobody_is_told_with_what_is_alike() {
        let said = nobody("web-9\u{1b}[2J", "us-west-1", Some(&all()), None);
        assert!(said.contains("2 are known") && !said.contains('\u{1b}'), "{said}");
        let said = nobody("web-9", "us-west-1", Some(&all()), None);
        assert!(said.contains("Alike: eni-1 (web-1, 10.0.0.1); eni-2 (web-2, 10.0.0.2)."), "{said}");
        let said = nobody("10.9.9.9", "us-west-1", Some(&all()), Some("it is not allowed".to_owned()));
        assert!(
            said.contains(
                "it is not allowed. Name it with --eni eni-…, or tail the whole group with --filter 'ip = 10.9.9.9'"
            ),
            "{said}"
        );
    }
}
