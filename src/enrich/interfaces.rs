//! Network interfaces of an account and region as EC2 described them at one time. Who may tag or describe an interface may have written anything: all
//! texts are bounded here, and whoever shows them cleans them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Most interfaces that are kept.
pub const MOST: usize = 50_000;
/// Longest text of one, characters: what EC2 allows for a tag's value or a description.
const LONGEST: usize = 256;
/// Most addresses, and most security groups, of one. EC2 allows 50 addresses of a family and 16 groups.
const MANY: usize = 100;
/// How descriptions begin that AWS writes itself, and what of that is worth a place beside an address. What follows is the thing's own id or name.
const WRITTEN_BY_AWS: [(&str, &str); 5] = [
    ("Interface for NAT Gateway ", ""),
    ("VPC Endpoint Interface ", ""),
    ("Network Interface for Transit Gateway Attachment ", ""),
    ("AWS Lambda VPC ENI-", "Lambda "),
    ("EFS mount target for ", "EFS "),
];
/// What AWS calls every first interface of an instance, which says nothing.
const PRIMARY: &str = "Primary network interface";

/// Longest label, characters. Instance ids have 19.
const LABEL: usize = 32;

/// One network interface. Texts are empty where EC2 says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Interface {
    /// `eni-…`.
    pub id: String,
    /// Its tag `Name`.
    pub name: String,
    /// What it is for, in the words of who made it.
    pub description: String,
    /// `interface`, `natGateway`, `lambda` and the like.
    pub kind: String,
    /// `in-use` or `available`.
    pub status: String,
    /// The instance that it is attached to.
    pub instance: String,
    /// The service or account that made it.
    pub requester: String,
    /// The account that owns it.
    pub account: String,
    /// Its VPC.
    pub vpc: String,
    /// Its subnet.
    pub subnet: String,
    /// Its availability zone.
    pub zone: String,
    /// Addresses of its own, the primary one first.
    pub addresses: Vec<IpAddr>,
    /// Public addresses that stand for those.
    pub public: Vec<IpAddr>,
    /// Security groups: id and name.
    pub groups: Vec<(String, String)>,
}

impl Interface {
    /// The same with every text and list within its bounds; `None` where it is no interface.
    #[must_use]
    pub fn bounded(mut self) -> Option<Interface> {
        let digits = self.id.strip_prefix("eni-")?;
        if digits.is_empty() || digits.len() > 64 || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.kind,
            &mut self.status,
            &mut self.instance,
            &mut self.requester,
            &mut self.account,
            &mut self.vpc,
            &mut self.subnet,
            &mut self.zone,
        ] {
            shorten(text);
        }
        self.addresses.truncate(MANY);
        self.public.truncate(MANY);
        self.groups.truncate(MANY);
        for (id, name) in &mut self.groups {
            shorten(id);
            shorten(name);
        }
        Some(self)
    }

    /// What it is called where there is room for little: its name, its instance, its description, its kind.
    pub fn label(&self) -> String {
        let kind = if self.kind == "interface" { "" } else { self.kind.as_str() };
        let written = self.description.trim();
        let short =
            WRITTEN_BY_AWS.iter().find_map(|(begin, short)| Some(format!("{short}{}", written.strip_prefix(begin)?)));
        let description = if written == PRIMARY { String::new() } else { short.unwrap_or_else(|| written.to_owned()) };
        let texts = [self.name.trim(), self.instance.trim(), description.trim(), kind.trim()];
        let text = texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        let mut label: String = text.chars().take(LABEL).collect();
        if label.len() < text.len() {
            label.pop();
            label.push('…');
        }
        label
    }

    /// What it is, in a line: name, instance, kind, description.
    pub fn says(&self) -> String {
        let quoted = format!("\"{}\"", self.description);
        let quoted = if self.description.is_empty() { "" } else { &quoted };
        let made = if self.requester.is_empty() { String::new() } else { format!("made by {}", self.requester) };
        let status = if self.status == "in-use" { "" } else { &self.status };
        join([&self.name, &self.instance, &self.kind, quoted, status, &made])
    }

    /// Where it is, in a line: public addresses, VPC, subnet, zone.
    pub fn place(&self) -> String {
        let public: Vec<String> = self.public.iter().map(ToString::to_string).collect();
        let public = if public.is_empty() { String::new() } else { format!("public {}", public.join(", ")) };
        join([&public, &self.vpc, &self.subnet, &self.zone])
    }

    /// Its security groups, in a line.
    pub fn guarded(&self) -> String {
        let group = |(id, name): &(String, String)| {
            if name.is_empty() { id.clone() } else { format!("{id} {name}") }
        };
        self.groups.iter().map(group).collect::<Vec<_>>().join(", ")
    }
}

fn shorten(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(at);
    }
}

fn join<const N: usize>(texts: [&str; N]) -> String {
    texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The interfaces of a region, found by id and by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces {
    /// When EC2 said so, Unix seconds.
    pub as_of: i64,
    /// The region.
    pub region: String,
    /// Whether there are more than were asked for.
    pub partial: bool,
    list: Vec<Interface>,
    labels: Vec<Arc<str>>,
    by_id: HashMap<Arc<str>, usize>,
    /// Networks overlap: an address may be that of several interfaces.
    by_address: HashMap<IpAddr, Vec<usize>>,
}

impl Interfaces {
    /// What EC2 said at `as_of` (Unix seconds). What is no interface, and what goes beyond `MOST`, is left out.
    pub fn new(list: impl IntoIterator<Item = Interface>, region: &str, as_of: i64) -> Interfaces {
        let mut all = Interfaces { as_of, region: region.to_owned(), ..Interfaces::default() };
        for interface in list.into_iter().filter_map(Interface::bounded) {
            if all.list.len() == MOST {
                all.partial = true;
                break;
            }
            let at = all.list.len();
            if let Some(before) = all.by_id.insert(interface.id.as_str().into(), at) {
                // A page that came twice; the later word counts, and the earlier entry is found by nothing.
                let gone = &all.list[before];
                for address in gone.addresses.iter().chain(&gone.public) {
                    if let Some(found) = all.by_address.get_mut(address) {
                        found.retain(|at| *at != before);
                    }
                }
            }
            for address in interface.addresses.iter().chain(&interface.public) {
                let found = all.by_address.entry(*address).or_default();
                if !found.contains(&at) {
                    found.push(at);
                }
            }
            all.labels.push(interface.label().into());
            all.list.push(interface);
        }
        all
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// All of them, in the order that EC2 gave.
    pub fn iter(&self) -> impl Iterator<Item = &Interface> {
        self.list.iter().enumerate().filter(|(at, one)| self.by_id.get(one.id.as_str()) == Some(at)).map(|(_, one)| one)
    }

    /// The one of that id.
    pub fn get(&self, id: &str) -> Option<&Interface> {
        self.by_id.get(id).map(|at| &self.list[*at])
    }

    /// Its label; `None` where it has none or is not known.
    pub fn label(&self, id: &str) -> Option<&str> {
        self.by_id.get(id).map(|at| &*self.labels[*at]).filter(|label| !label.is_empty())
    }

    /// Those with that address, their own or a public one.
    pub fn at(&self, address: IpAddr) -> impl Iterator<Item = &Interface> {
        self.by_address.get(&address).into_iter().flatten().map(|at| &self.list[*at])
    }

    /// The label of an address. Where two interfaces have it that are not called the same, it has none: a log does not say which is meant.
    pub fn label_at(&self, address: IpAddr) -> Option<&str> {
        let mut labels = self.by_address.get(&address)?.iter().map(|at| &*self.labels[*at]);
        let first = labels.next().filter(|label| !label.is_empty())?;
        labels.all(|label| label == first).then_some(first)
    }

    /// Those that `who` names: an address, an instance id, a name or else a description, whatever the case of its letters.
    pub fn named(&self, who: &str) -> Vec<&Interface> {
        if let Ok(address) = who.parse::<IpAddr>() {
            return self.at(address.to_canonical()).collect();
        }
        let same = |text: &str| !text.is_empty() && text.eq_ignore_ascii_case(who);
        if who.starts_with("eni-") {
            return self.iter().filter(|one| same(&one.id)).collect();
        }
        let named: Vec<&Interface> = self.iter().filter(|one| same(&one.instance) || same(&one.name)).collect();
        if named.is_empty() { self.iter().filter(|one| same(&one.description)).collect() } else { named }
    }

    /// Those that look like `who`, at most `most`: part of a name, an instance, a description or an address.
    pub fn alike(&self, who: &str, most: usize) -> Vec<&Interface> {
        let who = who.to_lowercase();
        let has =
            |text: &str| !text.is_empty() && (text.to_lowercase().contains(&who) || close(&text.to_lowercase(), &who));
        self.iter()
            .filter(|one| {
                has(&one.name)
                    || has(&one.instance)
                    || one.description.to_lowercase().contains(&who)
                    || one.addresses.iter().chain(&one.public).any(|address| address.to_string().starts_with(&who))
            })
            .take(most)
            .collect()
    }
}

/// Whether two names differ by their last few characters, as `web-1` and `web-2` do.
fn close(a: &str, b: &str) -> bool {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    same >= 3 && a.chars().count().max(b.chars().count()) - same <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(id: &str, name: &str, instance: &str, addresses: &[&str]) -> Interface {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let (name, instance) = (name.to_owned(), instance.to_owned());
        Interface { id: id.to_owned(), name, instance, addresses, kind: "interface".to_owned(), ..Interface::default() }
    }

    fn some() -> Interfaces {
        let nat = Interface {
            description: "Interface for NAT Gateway nat-0123456789abcdef0".to_owned(),
            kind: "natGateway".to_owned(),
            public: vec!["203.0.113.7".parse().unwrap()],
            ..interface("eni-3", "", "", &["10.0.0.3"])
        };
        let list = [
            interface("eni-1", "Web-1", "i-1", &["10.0.0.1", "fd00::1"]),
            interface("eni-2", "web-1", "i-2", &["10.0.0.2"]),
            nat,
        ];
        Interfaces::new(list, "us-west-1", 5)
    }

    fn ids(found: &[&Interface]) -> Vec<String> {
        found.iter().map(|one| one.id.clone()).collect()
    }

    #[test]
    fn they_are_found_by_name_instance_address_and_description() {
        let all = some();
        assert_eq!(ids(&all.named("WEB-1")), ["eni-1", "eni-2"]);
        assert_eq!(ids(&all.named("i-2")), ["eni-2"]);
        assert_eq!(ids(&all.named("fd00::1")), ["eni-1"]);
        assert_eq!(ids(&all.named("203.0.113.7")), ["eni-3"]);
        assert_eq!(ids(&all.named("eni-3")), ["eni-3"]);
        assert_eq!(ids(&all.named("interface for nat gateway NAT-0123456789abcdef0")), ["eni-3"]);
        assert!(all.named("web").is_empty() && all.named("").is_empty(), "a part of a name is no name");
        assert_eq!(ids(&all.alike("web-9", 5)), ["eni-1", "eni-2"]);
        assert_eq!(ids(&all.alike("nat", 5)), ["eni-3"]);
    }

    #[test]
    fn a_label_is_short_and_an_address_of_two_has_none() {
        let all = some();
        assert_eq!((all.label("eni-1"), all.label("eni-9")), (Some("Web-1"), None));
        assert_eq!(all.label("eni-3"), Some("nat-0123456789abcdef0"));
        let described = |text: &str| Interface { description: text.into(), ..Interface::default() }.label();
        assert_eq!(described("AWS Lambda VPC ENI-orders-4e7c-8b1d"), "Lambda orders-4e7c-8b1d");
        assert_eq!(described("ELB app/web/50dc6c495c0c9188/and more"), "ELB app/web/50dc6c495c0c9188/an…");
        assert_eq!(described("Primary network interface"), "");
        let two = Interfaces::new(
            [interface("eni-1", "a", "", &["10.0.0.1", "10.0.0.2"]), interface("eni-2", "b", "", &["10.0.0.1"])],
            "r",
            0,
        );
        assert_eq!(two.label_at("10.0.0.1".parse().unwrap()), None);
        assert_eq!(two.label_at("10.0.0.2".parse().unwrap()), Some("a"));
        assert_eq!(two.at("10.0.0.1".parse().unwrap()).count(), 2);
    }

    #[test]
    fn what_comes_twice_counts_once_and_what_is_none_not_at_all() {
        let list = [
            interface("eni-1", "old", "", &["10.0.0.1"]),
            interface("eni-1", "new", "", &["10.0.0.9"]),
            interface("vpc-1", "x", "", &[]),
            interface("eni-1;rm", "x", "", &[]),
        ];
        let all = Interfaces::new(list, "r", 0);
        assert_eq!((all.len(), all.iter().count()), (1, 1));
        assert_eq!(all.get("eni-1").map(|one| one.name.as_str()), Some("new"));
        assert_eq!(all.at("10.0.0.1".parse().unwrap()).count(), 0);
    }

    #[test]
    fn long_texts_are_cut() {
        let long = Interface { description: "ü".repeat(9_999), ..interface("eni-1", &"n".repeat(9_999), "", &[]) };
        let bounded = long.bounded().unwrap();
        assert_eq!((bounded.name.len(), bounded.description.chars().count()), (256, 256));
        assert_eq!(bounded.label().chars().count(), 32);
    }

    #[test]
    fn a_line_says_what_it_is() {
        let one = Interface {
            description: "Primary".to_owned(),
            status: "in-use".to_owned(),
            ..interface("eni-1", "web-1", "i-1", &[])
        };
        assert_eq!(one.says(), "web-1, i-1, interface, \"Primary\"");
        let nat = some();
        let nat = nat.get("eni-3").unwrap();
        assert_eq!(nat.place(), "public 203.0.113.7");
        let guarded = Interface { groups: vec![("sg-1".into(), "web".into()), ("sg-2".into(), String::new())], ..one };
        assert_eq!(guarded.guarded(), "sg-1 web, sg-2");
    }
}
