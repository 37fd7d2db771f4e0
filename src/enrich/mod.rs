//! What a log only numbers, named: out of files of the user's, out of what EC2 says of the account's own interfaces, out of databases that the user
//! points to. Looking any of it up asks nobody. The one thing that asks is [`dns`], for one address, when somebody says so.

pub mod dns;
mod geo;
mod interfaces;
mod known;
mod names;

pub use geo::{BadGeo, Geo, Place};
pub use interfaces::{Interface, Interfaces};
pub use known::{Known, LookedUp, moment};
pub use names::{BadNames, Names};
