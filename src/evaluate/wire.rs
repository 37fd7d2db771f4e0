//! A labelled network: hosts with interfaces, what they said to whom, and the records that VPC Flow Logs would have made of it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use crate::source::demo::network::Window;
use crate::source::demo::random::Random;
use crate::source::demo::talk::{Burst, Talk, Volume};

/// Account that owns every interface: that of nobody, from the range that documentation uses.
const ACCOUNT: &str = "123456789012";
/// Least and greatest milliseconds from the end of a window to its delivery. AWS documents about five minutes as typical.
const LAG: (i64, i64) = (20_000, 300_000);

/// One direction of a conversation.
pub(super) const fn volume(packets: u64, bytes: u64) -> Volume {
    Volume { packets, bytes }
}

/// Traffic of one conversation, evenly over `span` milliseconds from `at` (milliseconds after the beginning).
pub(super) fn burst(at: i64, span: i64, there: Volume, back: Volume) -> Burst {
    Burst { at, span: span.max(1), there, back }
}

/// Everything that is logged, and the dice.
pub(super) struct Wire {
    pub random: Random,
    /// The first moment, Unix milliseconds.
    begin: i64,
    /// Milliseconds that the trial lasts.
    pub length: i64,
    /// Interfaces by address: their windows.
    interfaces: HashMap<IpAddr, Vec<Window>>,
    /// Windows in which an interface logged something.
    busy: HashMap<IpAddr, Vec<bool>>,
    /// Delivery, order and line.
    lines: Vec<(i64, usize, String)>,
    /// Next port that is given to a client.
    port: u16,
}

impl Wire {
    pub(super) fn new(seed: u64, begin: i64, length: i64) -> Self {
        Wire {
            random: Random::new(seed),
            begin,
            length,
            interfaces: HashMap::new(),
            busy: HashMap::new(),
            lines: Vec::new(),
            port: 32_768,
        }
    }

    /// Gives `address` a network interface that logs. Asked again it does nothing.
    pub(super) fn host(&mut self, address: IpAddr) -> IpAddr {
        if !self.interfaces.contains_key(&address) {
            let mut start = self.begin / 1_000 - self.random.time(0, 59);
            let mut windows = Vec::new();
            while start * 1_000 < self.begin + self.length {
                let next = start + self.random.time(60, 62);
                windows.push(Window { start, end: next - self.random.time(1, 3) });
                start = next;
            }
            self.interfaces.insert(address, windows);
        }
        address
    }

    /// A port that a client's system picks: never the same twice in a while, as on real hosts.
    pub(super) fn ephemeral(&mut self) -> u16 {
        let step = self.random.port(1, 7);
        self.port = if self.port > 60_900 { 32_768 } else { self.port + step };
        self.port
    }

    /// Logs a conversation at each of its ends that has an interface.
    pub(super) fn log(&mut self, ends: [(IpAddr, u16); 2], protocol: u8, accepted: bool, bursts: Vec<Burst>) {
        let bursts = bursts.into_iter().map(|burst| Burst { at: burst.at + self.begin, ..burst }).collect::<Vec<_>>();
        let [client, server] = ends;
        let talk = Talk { client, server, protocol, accepted, seen_by: Vec::new(), bursts };
        for end in [client.0, server.0] {
            let Some(windows) = self.interfaces.get(&end) else { continue };
            let records = talk.records(windows);
            for (index, record) in records {
                let window = windows[index];
                self.busy.entry(end).or_insert_with(|| vec![false; windows.len()])[index] = true;
                let mut line = String::with_capacity(128);
                // Writing to a string cannot fail.
                let _ = write!(
                    line,
                    "2 {ACCOUNT} {} {} {} {} {} {protocol} {} {} {} {} {} OK",
                    Interface(end),
                    record.source.0,
                    record.destination.0,
                    record.source.1,
                    record.destination.1,
                    record.volume.packets,
                    record.volume.bytes,
                    window.start,
                    window.end,
                    if accepted { "ACCEPT" } else { "REJECT" },
                );
                let arrival = window.end * 1_000 + self.random.time(LAG.0, LAG.1);
                self.lines.push((arrival, self.lines.len(), line));
            }
        }
    }

    /// Logs a conversation that was let pass.
    pub(super) fn pass(&mut self, client: (IpAddr, u16), server: (IpAddr, u16), protocol: u8, bursts: Vec<Burst>) {
        self.log([client, server], protocol, true, bursts);
    }

    /// Logs attempts of a client that a security group stopped.
    pub(super) fn stop(&mut self, client: (IpAddr, u16), server: (IpAddr, u16), protocol: u8, at: i64, there: Volume) {
        self.log([client, server], protocol, false, vec![burst(at, 1, there, volume(0, 0))]);
    }

    /// Replaces everything that the interface of `address` logs from `from` to `to` (milliseconds) by SKIPDATA.
    pub(super) fn skip(&mut self, address: IpAddr, from: i64, to: i64) {
        let name = Interface(address).to_string();
        let (from, to) = ((self.begin + from) / 1_000, (self.begin + to) / 1_000);
        let Some(windows) = self.interfaces.get(&address) else { return };
        for window in windows.iter().filter(|window| window.start >= from && window.end <= to) {
            let times = format!(" {} {} ", window.start, window.end);
            self.lines.retain(|(_, _, line)| !(line.contains(&name) && line.contains(&times)));
            let line = format!("2 {ACCOUNT} {name} - - - - - - -{times}- SKIPDATA");
            self.lines.push((window.end * 1_000 + LAG.0, self.lines.len(), line));
        }
    }

    /// All lines in the order of delivery, and how many interfaces there are.
    pub(super) fn delivered(mut self) -> (Vec<String>, usize) {
        // An interface says so where it has nothing to log: it is not silent.
        for (address, windows) in &self.interfaces {
            let busy = self.busy.get(address);
            for (index, window) in windows.iter().enumerate() {
                if busy.is_none_or(|busy| !busy[index]) {
                    let (interface, times) = (Interface(*address), format!("{} {}", window.start, window.end));
                    let line = format!("2 {ACCOUNT} {interface} - - - - - - - {times} - NODATA");
                    // When does not matter, as long as it is the same each time.
                    self.lines.push((window.end * 1_000 + LAG.0, usize::MAX, line));
                }
            }
        }
        self.lines.sort_unstable();
        (self.lines.into_iter().map(|(_, _, line)| line).collect(), self.interfaces.len())
    }
}

/// Id of the interface that has an address: made of its digits, so that a line says whose it is.
struct Interface(IpAddr);

impl std::fmt::Display for Interface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = match self.0 {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits() & 0xffff_ffff_ffff_ffff,
        };
        write!(f, "eni-{number:017x}")
    }
}

/// Id of the interface that has `address`.
pub(super) fn interface(address: IpAddr) -> String {
    Interface(address).to_string()
}

/// A private address of the trial's VPC.
pub(super) const fn local(subnet: u8, host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 20, subnet, host))
}

/// The exchange of one TCP connection: `request` and `response` are payload bytes. Bulk is acknowledged every second packet.
pub(super) fn tcp(at: i64, span: i64, request: u64, response: u64) -> Burst {
    const HEADER: u64 = 52;
    const SEGMENT: u64 = 1_400;
    let (there, back) = (request.div_ceil(SEGMENT), response.div_ceil(SEGMENT));
    // Handshake and close.
    let (there, back) = (there + back.div_ceil(2) + 3, back + there.div_ceil(2) + 2);
    burst(at, span, volume(there, request + there * HEADER), volume(back, response + back * HEADER))
}

/// Datagrams: `count` questions of `question` bytes and as many answers of `answer` bytes, headers included.
pub(super) fn asked(at: i64, span: i64, count: u64, question: u64, answer: u64) -> Burst {
    burst(at, span, volume(count, count * question), volume(count, count * answer))
}
