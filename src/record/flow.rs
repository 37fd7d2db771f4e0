//! The few fields of a record that pairing needs, decoded and `Copy`.

use std::net::IpAddr;
use std::sync::Arc;

use indexmap::IndexSet;

use super::columns::place_of;
use super::field::Field;
use super::interfaces::{Addresses, Interfaces};
use super::table::Table;

/// What the security groups and network ACLs decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// ACCEPT.
    Accept,
    /// REJECT.
    Reject,
    /// The format has no action, or it is `-` or an unknown word.
    Unknown,
}

/// How `interface-type` calls the interface of a NAT gateway: the EC2 API has both.
const NAT_GATEWAY: [&str; 2] = ["nat_gateway", "natGateway"];

/// The last second that has a date of four digits: 9999-12-31 23:59:59 UTC.
const LAST_SECOND: u64 = 253_402_300_799;

/// A logged time as seconds to reckon with. A line can say anything that fits 64 bits; what lies beyond the calendar is its last second, so that
/// sums and differences of times never overflow.
pub fn seconds(logged: u64) -> i64 {
    logged.min(LAST_SECOND).cast_signed()
}

/// A number for a name, valid within one [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(u32);

impl NameId {
    /// As a place in a list: names are numbered from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Interfaces, accounts and VPCs by number. Grows with the account, not with the traffic; past [`Names::MAX`] further names share one number,
/// so that a hostile log cannot fill the memory.
#[derive(Clone, Debug)]
pub struct Names {
    set: IndexSet<Arc<str>, foldhash::fast::RandomState>,
    interfaces: Interfaces,
}

impl Default for Names {
    fn default() -> Self {
        let mut set = IndexSet::default();
        set.insert(Arc::from(""));
        Names { set, interfaces: Interfaces::default() }
    }
}

impl Names {
    /// Most names that are told apart.
    pub const MAX: usize = 1 << 20;
    /// The name that is no name.
    pub const NONE: NameId = NameId(0);

    /// The number of `name`.
    pub fn id(&mut self, name: &str) -> NameId {
        if let Some(index) = self.set.get_index_of(name) {
            return NameId(u32::try_from(index).unwrap_or(u32::MAX));
        }
        if self.set.len() > Names::MAX {
            return self.id("(other)");
        }
        let (index, _) = self.set.insert_full(name.into());
        NameId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The number of `name`, if it was ever given one.
    pub fn find(&self, name: &str) -> Option<NameId> {
        Some(NameId(u32::try_from(self.set.get_index_of(name)?).unwrap_or(u32::MAX)))
    }

    /// What records said of the interfaces among them.
    pub fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// Takes the interface `name` for a gateway: the user says so.
    pub fn say_gateway(&mut self, name: &str) {
        let id = self.id(name);
        self.interfaces.is_a_gateway(id);
    }

    /// The name with this number; empty for [`Names::NONE`].
    pub fn name(&self, id: NameId) -> &Arc<str> {
        &self.set[id.0 as usize]
    }
}

/// Numbers of the texts of one table, by code.
#[derive(Debug, Default)]
pub struct KnownNames(Vec<Option<NameId>>);

/// One flow record as pairing sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// VPC, else account: addresses mean the same thing only within it.
    pub scope: NameId,
    /// Account that owns the interface.
    pub account: NameId,
    /// Interface that logged it.
    pub interface: NameId,
    /// Source, as in the packet where that is logged.
    pub src: IpAddr,
    /// Destination, as in the packet where that is logged.
    pub dst: IpAddr,
    /// Source port as logged; absent for `-` and in formats without it.
    pub src_port: Option<u16>,
    /// Destination port as logged; absent for `-` and in formats without it.
    pub dst_port: Option<u16>,
    /// IANA protocol number.
    pub protocol: u8,
    /// Packets; 0 where not logged.
    pub packets: u64,
    /// Bytes; 0 where not logged.
    pub bytes: u64,
    /// Start of the window, Unix seconds.
    pub start: i64,
    /// End of the window, Unix seconds; never before `start`.
    pub end: i64,
    /// Decision.
    pub action: Action,
    /// TCP flags, where logged.
    pub flags: Option<u8>,
    /// Whether the addresses are those of the packet, and which the interface logged another for.
    pub addresses: Addresses,
}

impl Flow {
    /// The flow in `row`, or `None` for NODATA, SKIPDATA and whatever else has no addresses or no protocol.
    pub fn of<T: Table>(table: &T, row: usize, names: &mut Names) -> Option<Flow> {
        let flow = Flow::read(table, row, |code| names.id(table.text(code)))?;
        flow.learned(table, row, names);
        Some(flow)
    }

    /// As [`Flow::of`] for many rows of one table: `known` starts empty with the table and spares most look-ups of names.
    pub fn of_next<T: Table>(table: &T, row: usize, names: &mut Names, known: &mut KnownNames) -> Option<Flow> {
        let flow = Flow::read(table, row, |code| {
            let place = place_of(code);
            if known.0.len() <= place {
                known.0.resize((place + 1).next_power_of_two(), None);
            }
            *known.0[place].get_or_insert_with(|| names.id(table.text(code)))
        })?;
        flow.learned(table, row, names);
        Some(flow)
    }

    /// Remembers what the record says of its interface beside the flow.
    fn learned<T: Table>(&self, table: &T, row: usize, names: &mut Names) {
        let differs = self.addresses.says(Addresses::SOURCE) || self.addresses.says(Addresses::DESTINATION);
        if differs
            && let (Some(src), Some(dst)) = (table.address(Field::SrcAddr, row), table.address(Field::DstAddr, row))
        {
            names.interfaces.learn(self, [src, dst]);
            if table.code(Field::InstanceId, row) != 0 {
                names.interfaces.is_of_an_instance(self.interface);
            }
        }
        if table.code(Field::InterfaceType, row) != 0
            && !names.interfaces.passes_on(self.interface)
            && table.word(Field::InterfaceType, row).is_some_and(|kind| NAT_GATEWAY.contains(&kind))
        {
            names.interfaces.is_a_gateway(self.interface);
        }
    }

    fn read<T: Table>(table: &T, row: usize, mut name: impl FnMut(u64) -> NameId) -> Option<Flow> {
        let mut addresses = Addresses::default();
        let mut side = |packet, interface, differs| {
            let Some(packet) = table.address(packet, row) else { return table.address(interface, row) };
            addresses = addresses.with(Addresses::PACKET);
            if table.address(interface, row).is_some_and(|logged| logged != packet) {
                addresses = addresses.with(differs);
            }
            Some(packet)
        };
        let port = |field| table.number(field, row).and_then(|port| u16::try_from(port).ok());
        let mut word = |field| match table.code(field, row) {
            0 => Names::NONE,
            code => name(code),
        };
        let src = side(Field::PktSrcAddr, Field::SrcAddr, Addresses::SOURCE)?;
        let dst = side(Field::PktDstAddr, Field::DstAddr, Addresses::DESTINATION)?;
        let protocol = u8::try_from(table.number(Field::Protocol, row)?).ok()?;
        let end = table.number(Field::End, row).or_else(|| table.number(Field::Start, row));
        let end = seconds(end.unwrap_or_else(|| table.time(row)));
        let start = table.number(Field::Start, row).map_or(end, seconds);
        let account = word(Field::AccountId);
        let vpc = word(Field::VpcId);
        Some(Flow {
            scope: if vpc == Names::NONE { account } else { vpc },
            account,
            interface: word(Field::InterfaceId),
            src,
            dst,
            src_port: port(Field::SrcPort),
            dst_port: port(Field::DstPort),
            protocol,
            packets: table.number(Field::Packets, row).unwrap_or(0),
            bytes: table.number(Field::Bytes, row).unwrap_or(0),
            start: start.min(end),
            end: end.max(start),
            action: match table.word(Field::Action, row) {
                Some("ACCEPT") => Action::Accept,
                Some("REJECT") => Action::Reject,
                _ => Action::Unknown,
            },
            flags: table.number(Field::TcpFlags, row).and_then(|flags| u8::try_from(flags).ok()),
            addresses,
        })
    }
}
