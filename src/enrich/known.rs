//! All that is known beside the log, from the nearest source to the farthest: the user's own list of names, what EC2 says of interfaces, databases of
//! countries and networks, and what the resolver said of single addresses. Each thing that is said names its source and how old it is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Geo, Interface, Interfaces, Names, Place};

/// Addresses whose lookups are remembered. Each was asked for by hand.
const LOOKUPS: usize = 1_000;

/// What the resolver said of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedUp {
    /// Its name; `None` where it has none.
    pub name: Option<String>,
    /// When it was asked, Unix seconds.
    pub at: i64,
}

impl LookedUp {
    /// In a line, with its time.
    pub fn says(&self) -> String {
        format!("{} (asked {})", self.name.as_deref().unwrap_or("no name"), moment(self.at))
    }
}

/// See the module's text.
#[derive(Clone, Debug, Default)]
pub struct Known {
    names: Arc<Names>,
    geo: Arc<Geo>,
    interfaces: Option<Arc<Interfaces>>,
    /// Why EC2 could not be asked the last time.
    trouble: Option<String>,
    lookups: HashMap<IpAddr, LookedUp>,
    /// Nobody may be asked for names of addresses.
    quiet: bool,
}

impl From<Names> for Known {
    fn from(names: Names) -> Known {
        Known { names: names.into(), ..Known::default() }
    }
}

impl Known {
    /// Knows databases too.
    #[must_use]
    pub fn with_geo(mut self, geo: impl Into<Arc<Geo>>) -> Known {
        self.geo = geo.into();
        self
    }

    /// Never asks the resolver where `quiet`.
    #[must_use]
    pub fn with_quiet(mut self, quiet: bool) -> Known {
        self.quiet = quiet;
        self
    }

    /// Whether the resolver may not be asked.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The user's own names.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Takes what EC2 said.
    pub fn learn(&mut self, interfaces: Arc<Interfaces>) {
        self.interfaces = Some(interfaces);
        self.trouble = None;
    }

    /// EC2 could not be asked; what it said before stays.
    pub fn fail(&mut self, why: String) {
        self.trouble = Some(why);
    }

    /// What EC2 said.
    pub fn interfaces(&self) -> Option<&Arc<Interfaces>> {
        self.interfaces.as_ref()
    }

    /// Why EC2 could not be asked the last time.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Remembers what the resolver said.
    pub fn hear(&mut self, address: IpAddr, name: Option<String>, at: i64) {
        if self.lookups.len() >= LOOKUPS && !self.lookups.contains_key(&address) {
            let oldest = self.lookups.iter().min_by_key(|(_, heard)| heard.at).map(|(address, _)| *address);
            oldest.map(|oldest| self.lookups.remove(&oldest));
        }
        self.lookups.insert(address, LookedUp { name, at });
    }

    /// How many addresses were looked up.
    pub fn lookups(&self) -> usize {
        self.lookups.len()
    }

    /// The name of an address: the user's, else that of the interface which has it. It comes from outside: whoever shows it cleans it.
    pub fn address(&self, address: IpAddr) -> Option<&str> {
        self.names.address(address).or_else(|| self.interfaces.as_ref()?.label_at(address))
    }

    /// The name of an interface, the same way.
    pub fn interface(&self, id: &str) -> Option<&str> {
        self.names.interface(id).or_else(|| self.interfaces.as_ref()?.label(id))
    }

    /// What EC2 says of an interface, and when it said so (Unix seconds).
    pub fn described(&self, id: &str) -> Option<(&Interface, i64)> {
        let all = self.interfaces.as_ref()?;
        all.get(id).map(|one| (one, all.as_of))
    }

    /// The interfaces that have an address, by EC2.
    pub fn at(&self, address: IpAddr) -> impl Iterator<Item = &Interface> {
        self.interfaces.iter().flat_map(move |all| all.at(address))
    }

    /// The code of the country of a public address.
    pub fn country(&self, address: IpAddr) -> Option<&str> {
        self.geo.country(address)
    }

    /// Where a public address is.
    pub fn place(&self, address: IpAddr) -> Option<Place> {
        self.geo.find(address)
    }

    /// What the resolver said of it.
    pub fn looked_up(&self, address: IpAddr) -> Option<&LookedUp> {
        self.lookups.get(&address)
    }

    /// Whether anything is known at all.
    pub fn is_nothing(&self) -> bool {
        self.names.is_empty() && self.geo.is_empty() && self.interfaces.is_none() && self.lookups.is_empty()
    }

    /// All that is known of an address, each thing with its source; for a page that another person reads.
    pub fn about(&self, address: IpAddr) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        all.extend(self.names.address(address).map(|name| ("name", name.to_owned())));
        all.extend(self.at(address).map(|one| ("EC2", format!("{}: {}", one.id, one.says()))));
        all.extend(self.place(address).map(|place| ("geo", place.says())));
        all.extend(self.looked_up(address).map(|heard| ("reverse DNS", heard.says())));
        all
    }

    /// The same of an interface.
    pub fn about_interface(&self, id: &str) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        all.extend(self.names.interface(id).map(|name| ("name", name.to_owned())));
        if let Some((one, _)) = self.described(id) {
            let texts = [one.says(), one.place(), one.guarded()];
            let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
            all.push(("EC2", texts.join("; ")));
        }
        all
    }

    /// Where it comes from: the name of each source, and what it has.
    pub fn sources(&self) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        if !self.names.is_empty() {
            all.push(("--names", format!("{} names", self.names.len())));
        }
        if let Some(known) = &self.interfaces {
            let more = if known.partial { ", and there are more" } else { "" };
            let (count, region, at) = (known.len(), &known.region, moment(known.as_of));
            let many = if count == 1 { "interface" } else { "interfaces" };
            all.push(("EC2", format!("{count} {many} of {region}, as of {at}{more}")));
        }
        all.extend(self.trouble.iter().map(|why| ("EC2", why.clone())));
        all.extend(self.geo.databases().map(|line| ("--geo", line)));
        if self.quiet {
            all.push(("reverse DNS", "never asked (--no-dns)".to_owned()));
        } else if !self.lookups.is_empty() {
            all.push((
                "reverse DNS",
                match self.lookups.len() {
                    1 => "1 address, asked for by hand".to_owned(),
                    many => format!("{many} addresses, each asked for by hand"),
                },
            ));
        }
        all
    }
}

/// A time as people write it, UTC.
pub fn moment(unix: i64) -> String {
    jiff::Timestamp::from_second(unix)
        .map_or_else(|_| unix.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let list = [
            Interface {
                id: "eni-1".into(),
                name: "web-1".into(),
                instance: "i-1".into(),
                addresses: vec!["10.0.0.1".parse().unwrap()],
                ..Interface::default()
            },
            Interface { id: "eni-2".into(), addresses: vec!["10.0.0.2".parse().unwrap()], ..Interface::default() },
        ];
        let mut known = Known::from(Names::read("10.0.0.2,mine\neni-1,front\n").unwrap());
        known.learn(Interfaces::new(list, "us-west-1", 1_534_779_000).into());
        known
    }

    #[test]
    fn the_own_list_comes_before_ec2() {
        let known = known();
        assert_eq!(known.interface("eni-1"), Some("front"));
        assert_eq!(known.address("10.0.0.1".parse().unwrap()), Some("web-1"));
        assert_eq!(known.address("10.0.0.2".parse().unwrap()), Some("mine"));
        assert_eq!(known.interface("eni-2"), None, "an interface of which nothing is said has no name");
        assert_eq!(known.sources()[1], ("EC2", "2 interfaces of us-west-1, as of 2018-08-20 15:30:00Z".to_owned()));
    }

    #[test]
    fn what_was_known_stays_when_ec2_fails_and_the_failure_is_told_beside_it() {
        let mut known = known();
        known.fail("not allowed".to_owned());
        assert_eq!(known.address("10.0.0.1".parse().unwrap()), Some("web-1"));
        assert!(known.sources().contains(&("EC2", "not allowed".to_owned())));
        known.learn(Interfaces::default().into());
        assert_eq!(known.trouble(), None);
    }

    #[test]
    fn lookups_are_bounded_and_the_oldest_goes() {
        let mut known = Known::default();
        for n in 0..=u32::try_from(LOOKUPS).unwrap() {
            known.hear(IpAddr::from(n.to_be_bytes()), Some("x".to_owned()), i64::from(n));
        }
        assert_eq!(known.lookups(), LOOKUPS);
        assert_eq!(known.looked_up(IpAddr::from([0, 0, 0, 0])), None);
        let said = known.about(IpAddr::from([0, 0, 0, 5]));
        assert_eq!(said, [("reverse DNS", "x (asked 1970-01-01 00:00:05Z)".to_owned())]);
    }
}
