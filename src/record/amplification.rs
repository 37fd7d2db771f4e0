//! The table of UDP services that reflect and amplify: data with a source, used by the rules, the filter (`@amplification`) and the detail pane.
//!
//! The data is `amplification.toml` beside this file, embedded and read once. Sources and the meaning of each column are at its head.

use std::sync::OnceLock;

use serde::Deserialize;

/// Whether a port has any business being reachable from the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// Published amplification factor (payload bytes), as printed by the source; a label, not a threshold. Empty where none is published.
    pub factor: String,
    /// Where the factor was published.
    pub source: String,
    /// See [`Exposure`].
    pub exposure: Exposure,
    /// Least estimated payload factor that a rule takes for amplification. Infinite for ports that carry bulk traffic of their own,
    /// where a high ratio is an ordinary download.
    pub min_baf: f64,
    /// Least mean response, bytes a packet.
    pub min_mean: f64,
    /// Least response, bytes.
    pub min_bytes: u64,
}

/// The row for UDP `port`.
pub fn amp_port(port: u16) -> Option<&'static AmpPort> {
    let table = amp_ports();
    table.binary_search_by_key(&port, |row| row.port).ok().map(|index| &table[index])
}

/// All rows, by port.
pub fn amp_ports() -> &'static [AmpPort] {
    static TABLE: OnceLock<Vec<AmpPort>> = OnceLock::new();
    // The text is part of the program and a test reads it, so a wrong table cannot be built into a release; an empty one is
    // still better for a user than a panic.
    TABLE.get_or_init(|| read(include_str!("amplification.toml")).unwrap_or_default())
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    default: Floors,
    service: Vec<Service>,
}

/// What rows may leave out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names are those of the file")]
struct Floors {
    min_baf: f64,
    min_mean: f64,
    min_bytes: u64,
}

/// One service of the file; becomes a row a port.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    ports: Vec<u16>,
    name: String,
    factor: String,
    source: String,
    exposure: Exposure,
    min_baf: Option<f64>,
    min_mean: Option<f64>,
    min_bytes: Option<u64>,
}

/// Reads the table and sorts it by port.
fn read(text: &str) -> Result<Vec<AmpPort>, toml::de::Error> {
    let File { default, service: services } = toml::from_str(text)?;
    let mut rows: Vec<AmpPort> = services
        .iter()
        .flat_map(|service| {
            service.ports.iter().map(|&port| AmpPort {
                port,
                name: service.name.clone(),
                factor: service.factor.clone(),
                source: service.source.clone(),
                exposure: service.exposure,
                min_baf: service.min_baf.unwrap_or(default.min_baf),
                min_mean: service.min_mean.unwrap_or(default.min_mean),
                min_bytes: service.min_bytes.unwrap_or(default.min_bytes),
            })
        })
        .collect();
    rows.sort_by_key(|row| row.port);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_reads_and_every_port_is_in_it_once() {
        let rows = read(include_str!("amplification.toml")).expect("the embedded table is valid");
        assert!(rows.is_sorted_by(|a, b| a.port < b.port), "a port is listed twice");
        assert!(rows.len() >= 60, "{} rows", rows.len());
        for row in &rows {
            assert!(!row.name.is_empty() && !row.source.is_empty(), "{}", row.port);
            assert!(row.min_baf >= 2.0 && row.min_mean > 0.0 && row.min_bytes > 0, "{}", row.port);
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the values are those that the file spells")]
    fn floors_are_those_of_the_research() {
        let row = |port| amp_port(port).expect("listed");
        assert_eq!(row(11211).exposure, Exposure::NeverPublic);
        assert_eq!((row(11211).min_baf, row(11211).min_bytes), (5.0, 500_000));
        assert_eq!((row(53).min_baf, row(53).min_mean, row(53).min_bytes), (10.0, 900.0, 1_000_000));
        assert_eq!(row(123).min_mean, 200.0);
        assert_eq!((row(161).min_mean, row(161).min_bytes), (1_100.0, 1_000_000));
        assert_eq!((row(137).min_baf, row(5353).min_baf), (3.0, 2.0));
        assert_eq!(row(27015).min_mean, 160.0);
        assert!(row(443).min_baf.is_infinite(), "QUIC is never judged by its ratio");
        assert_eq!(amp_port(22), None);
    }

    #[test]
    fn a_wrong_table_is_refused() {
        assert!(read("[default]\nmin_baf = 5.0\n").is_err());
        assert!(read(&include_str!("amplification.toml").replace("never-public", "nowhere")).is_err());
    }
}
