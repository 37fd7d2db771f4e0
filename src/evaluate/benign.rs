//! Ordinary traffic, of the kind that trips rules: what a rule says about any of this is a false alert.
//!
//! Each function is one habit of real networks. Sizes are IP bytes; rates are those of a small company.

pub(super) mod apart;
mod inside;
mod internet;
pub(super) mod unseen;

use std::net::IpAddr;

use super::wire::{Wire, local};

/// Hosts of the trial that do ordinary work.
pub(super) struct Town {
    pub balancer: IpAddr,
    pub web: [IpAddr; 4],
    pub apps: [IpAddr; 6],
    pub database: IpAddr,
    pub replica: IpAddr,
    pub names: IpAddr,
    pub resolver: IpAddr,
    pub time: IpAddr,
    pub bastion: IpAddr,
    pub metrics: IpAddr,
    pub builder: IpAddr,
    pub backup: IpAddr,
    pub mail: IpAddr,
    pub gateway: IpAddr,
    pub game: IpAddr,
    pub logs: IpAddr,
    pub camera: IpAddr,
    pub nodes: [IpAddr; 6],
    pub devices: [IpAddr; 8],
}

impl Town {
    /// Gives every host its interface.
    pub(super) fn new(wire: &mut Wire) -> Town {
        let mut host = |subnet, number| wire.host(local(subnet, number));
        Town {
            balancer: host(0, 10),
            web: [host(0, 21), host(0, 22), host(0, 23), host(0, 24)],
            apps: [host(1, 31), host(1, 32), host(1, 33), host(1, 34), host(1, 35), host(1, 36)],
            database: host(2, 40),
            replica: host(2, 41),
            names: host(0, 53),
            resolver: host(1, 53),
            time: host(0, 123),
            bastion: host(0, 9),
            metrics: host(1, 90),
            builder: host(1, 80),
            backup: host(2, 60),
            mail: host(0, 25),
            gateway: host(0, 51),
            game: host(0, 27),
            logs: host(1, 14),
            camera: host(1, 77),
            nodes: [host(3, 1), host(3, 2), host(3, 3), host(3, 4), host(3, 5), host(3, 6)],
            devices: std::array::from_fn(|n| host(4, u8::try_from(n).unwrap_or(0) + 1)),
        }
    }

    /// Every host.
    pub(super) fn everyone(&self) -> Vec<IpAddr> {
        let mut all = vec![
            self.balancer,
            self.database,
            self.replica,
            self.names,
            self.resolver,
            self.time,
            self.bastion,
            self.metrics,
            self.builder,
            self.backup,
            self.mail,
            self.gateway,
            self.game,
            self.logs,
            self.camera,
        ];
        all.extend(self.web.iter().chain(&self.apps).chain(&self.nodes).chain(&self.devices));
        all
    }
}

/// Logs everything ordinary.
pub(super) fn traffic(wire: &mut Wire, town: &Town) {
    internet::visitors(wire, town);
    internet::signed_names(wire, town);
    internet::recursion(wire, town);
    internet::clocks(wire, town);
    internet::downloads_over_quic(wire, town);
    internet::uploads(wire, town);
    internet::agents(wire, town);
    internet::mail(wire, town);
    internet::tunnels(wire, town);
    internet::game(wire, town);
    internet::camera(wire, town);
    internet::strangers(wire, town);
    inside::services(wire, town);
    inside::scrapes(wire, town);
    inside::devices(wire, town);
    inside::health(wire, town);
    inside::cluster(wire, town);
    inside::copies(wire, town);
    inside::maintenance(wire, town);
    inside::logs(wire, town);
    inside::failures(wire, town);
}
