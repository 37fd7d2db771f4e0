//! The table of UDP services that reflect and amplify: data with a source, used by the rules, the filter (`@amplification`) and the detail pane.

/// Whether a port has any business being reachable from the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Never meant for the internet: reachable is already a finding.
    NeverPublic,
    /// Meant for the internet, with care: DNS, NTP, VPN.
    PublicOk,
    /// An administration service.
    Admin,
    /// A game service.
    Game,
    /// Listed for information only.
    Info,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct AmpPort {
    /// UDP port of the service.
    pub port: u16,
    /// Name of the protocol.
    pub name: String,
    /// Published amplification factor (payload bytes), as printed by the source; a label, not a threshold.
    pub factor: String,
    /// Where the factor was published.
    pub source: String,
    /// See [`Exposure`].
    pub exposure: Exposure,
    /// Least estimated payload factor that a rule takes for amplification.
    pub min_baf: f64,
    /// Least mean response, bytes a packet.
    pub min_mean: f64,
    /// Least response, bytes.
    pub min_bytes: u64,
}

/// The row for UDP `port`.
pub fn amp_port(_port: u16) -> Option<&'static AmpPort> {
    None
}

/// All rows, by port.
pub fn amp_ports() -> &'static [AmpPort] {
    &[]
}
