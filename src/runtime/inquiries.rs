//! What the screen asks others beside the log: EC2 for interfaces, the resolver for one address. Each is asked beside the loop, and told to it.

use std::net::IpAddr;

use tokio::sync::mpsc;

use super::looping::Loop;
use crate::enrich::dns;
use crate::start::inventory::{Answer, Inventory};

/// What is heard.
pub(super) enum Heard {
    /// Of EC2.
    Interfaces(Answer),
    /// Of the resolver.
    Name(IpAddr, Result<Option<String>, String>),
}

/// See the module's text.
pub(super) struct Inquiries {
    inventory: Option<Inventory>,
    tell: mpsc::UnboundedSender<Heard>,
    pub(super) heard: mpsc::UnboundedReceiver<Heard>,
}

impl Inquiries {
    pub(super) fn new(inventory: Option<Inventory>) -> Inquiries {
        let (tell, heard) = mpsc::unbounded_channel();
        Inquiries { inventory, tell, heard }
    }

    /// Finds out what the interfaces are, unless that is known already.
    pub(super) fn begin(&self) {
        match self.inventory.as_ref().map(|inventory| inventory.known.clone()) {
            Some(Some(known)) => {
                // The receiver is here.
                let _ = self.tell.send(Heard::Interfaces(Answer { interfaces: Some(known), trouble: None }));
            }
            Some(None) => self.ask_interfaces(false),
            None => {}
        }
    }

    /// Asks EC2.
    pub(super) fn ask_interfaces(&self, anew: bool) {
        let Some(inventory) = &self.inventory else { return };
        let (asking, tell) = ((inventory.ask)(anew), self.tell.clone());
        // The screen is left if nobody hears it.
        tokio::spawn(async move { drop(tell.send(Heard::Interfaces(asking.await))) });
    }

    /// Asks the resolver.
    pub(super) fn look_up(&self, address: IpAddr) {
        let tell = self.tell.clone();
        dns::ask(address, dns::system, move |found| drop(tell.send(Heard::Name(address, found))));
    }
}

impl Loop {
    /// Tells both tabs; the one that is shown tells the user.
    pub(super) fn learn(&mut self, heard: Heard) {
        match heard {
            Heard::Interfaces(Answer { interfaces, trouble }) => {
                if let Some(other) = &mut self.other {
                    other.app.learn(interfaces.clone(), trouble.clone());
                }
                self.desk.app.learn(interfaces, trouble);
            }
            Heard::Name(address, found) => {
                if let Some(other) = &mut self.other {
                    other.app.take_lookup(address, found.clone());
                }
                self.desk.app.take_lookup(address, found);
            }
        }
    }
}
