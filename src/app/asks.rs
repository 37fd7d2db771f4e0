//! What is known beside the log, and asking for more of it: EC2 for the interfaces of the account, the resolver for the name of one address. Neither is
//! asked for a table; the second tells others that somebody asked, so it is only done for the address that a person chose, and after saying so.

use std::net::IpAddr;
use std::sync::Arc;

use super::menu::{Does, Item, Kind, Menu};
use super::search::broken;
use super::{App, Effect, Tone};
use crate::enrich::{Interfaces, Known};
use crate::record::special::is_public;

/// What can be asked.
#[derive(Debug, Default)]
pub(super) struct Asks {
    /// Why EC2 cannot be asked, where it cannot.
    no_interfaces: Option<&'static str>,
    /// Whether the user waits for EC2.
    waits: bool,
}

impl App {
    /// Knows names of addresses and interfaces, and what else is known beside the log.
    #[must_use]
    pub fn with_known(mut self, known: Arc<Known>) -> App {
        self.known = known;
        self
    }

    /// What is known beside the log.
    pub fn known(&self) -> &Arc<Known> {
        &self.known
    }

    /// Can ask EC2, or says why not.
    #[must_use]
    pub fn with_inventory(mut self, possible: Result<(), &'static str>) -> App {
        self.asks.no_interfaces = possible.err();
        self
    }

    pub(super) fn inventory(&self) -> Result<(), &'static str> {
        self.asks.no_interfaces.map_or(Ok(()), Err)
    }

    /// EC2 was asked: takes what it said, and why it did not. A failure is told once, here; the pane about the source keeps it.
    pub fn learn(&mut self, interfaces: Option<Arc<Interfaces>>, trouble: Option<String>) {
        let known = Arc::make_mut(&mut self.known);
        let waited = std::mem::take(&mut self.asks.waits);
        if let Some(interfaces) = interfaces {
            known.learn(interfaces);
        }
        let count = known.interfaces().map(|all| (all.len(), all.region.clone()));
        match (trouble, count) {
            (Some(why), _) => {
                known.fail(why.clone());
                let more = self.keys.spell("All else goes on; {source} keeps this");
                self.say(Tone::Refused, format!("No names by EC2: {why}. {more}."));
            }
            (None, Some((count, region))) if waited => {
                let many = if count == 1 { "interface" } else { "interfaces" };
                let where_to = self.keys.spell("{interface} tells about one, {source} about all");
                self.say(Tone::Quiet, format!("EC2 knows {count} {many} in {region}: {where_to}."));
            }
            (None, _) => {}
        }
    }

    /// Asks EC2 anew.
    pub(super) fn ask_interfaces(&mut self) -> Vec<Effect> {
        match self.inventory() {
            Ok(()) => {
                self.asks.waits = true;
                self.say(Tone::Quiet, "Asking EC2 what the interfaces are …");
                vec![Effect::AskInterfaces]
            }
            Err(why) => {
                self.say(Tone::Quiet, why);
                Vec::new()
            }
        }
    }

    /// Says what a lookup of the address that is meant would tell others, and asks.
    pub(super) fn offer_lookup(&mut self) {
        let Some(address) = self.address_meant() else {
            return self.say(Tone::Refused, "There is no address here: choose a row, or a column with one.");
        };
        if self.known.is_quiet() {
            return self.say(Tone::Refused, "Nobody is asked for names of addresses: --no-dns says so.");
        }
        let mut items = vec![
            Item::new("y", format!("ask the resolver of this system for {address}"), Does::Lookup(address)),
            Item::new(self.keys.spell("{list:cancel}"), "leave it: nobody was asked", Does::Nothing),
        ];
        let whose = if is_public(address) {
            "The resolver learns that somebody here asks about this address, and so may whoever holds it: its own name servers are asked, and they can be \
             the attacker's."
        } else {
            "The resolver learns that somebody here asks about this address. It is no public one: mostly a resolver of your own network answers, but not if \
             it passes the question on."
        };
        let told = "The name is what the holder of the address says, and may be untrue. It is asked for this address alone, once, and shown with its time.";
        let before = self.known.looked_up(address).map(|heard| format!("So far: {}", heard.says()));
        let notes =
            before.iter().map(String::as_str).chain([whose, told]).flat_map(|text| broken(text, self.viewport.width));
        items.extend(notes.map(|text| Item::new("", text, Does::Nothing)));
        self.open_menu(Menu::new(Kind::Lookup, format!("Reverse DNS of {address}"), items));
    }

    pub(super) fn look_up(&mut self, address: IpAddr) -> Vec<Effect> {
        self.say(Tone::Quiet, format!("Asking for the name of {address} …"));
        vec![Effect::Lookup(address)]
    }

    /// The resolver was asked.
    pub fn take_lookup(&mut self, address: IpAddr, found: Result<Option<String>, String>) {
        match found {
            Ok(name) => {
                let said = name.as_deref().map_or_else(|| "has no name".to_owned(), |name| format!("is called {name}"));
                let where_to = self.keys.spell("{detail} shows it beside the row, {endpoint} beside the address");
                self.say(Tone::Quiet, format!("{address} {said}, by reverse DNS. {where_to}."));
                let now = self.now.div_euclid(1000);
                Arc::make_mut(&mut self.known).hear(address, name, now);
            }
            Err(why) => self.say(Tone::Refused, format!("The name of {address} is not known: {why}.")),
        }
    }
}
