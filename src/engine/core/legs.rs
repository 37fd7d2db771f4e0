//! What is made of sessions that a NAT gateway passed on.

use std::sync::Arc;

use super::Core;
use crate::record::special::is_public;
use crate::session::{Leg, Session};

impl Core {
    /// Takes these interfaces for gateways: the user says so.
    pub fn say_gateways<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            self.names.say_gateway(name);
        }
    }

    /// Shows the rules again what turned out to be the outer leg of a gateway, which counts the traffic of others a second time.
    pub(super) fn tell_legs(&mut self) {
        let known = self.names.interfaces();
        if known.gateways() == 0 || std::mem::replace(&mut self.legs_told, known.changes()) == known.changes() {
            return;
        }
        for session in self.sessions.chunks().iter().flat_map(|chunk| chunk.iter().flatten()) {
            if session.leg(&self.names).is_some_and(|(leg, _)| leg == Leg::Outside) {
                self.untold.entry(session.id).or_insert(session.last);
            }
        }
    }

    /// What a gateway has to do with a session, one sentence; `None` where none saw it.
    pub(in crate::engine) fn via(&self, session: &Session) -> Option<String> {
        let (leg, interface) = session.leg(&self.names)?;
        let gateway = match &**self.names.name(interface) {
            "" => "A gateway".to_owned(),
            name => format!("Gateway {name}"),
        };
        let ends = [session.client(), session.server()];
        let own = self.names.interfaces().own(interface, ends[0].0);
        let peer = ends.iter().find(|(addr, _)| is_public(*addr)).map(|(addr, _)| *addr);
        let with_peer = |filter: &str| match peer {
            Some(peer) => format!("{filter} and ip = {peer}"),
            None => filter.to_owned(),
        };
        Some(match (leg, own) {
            (Leg::Inside, Some(own)) => {
                let onwards = with_peer(&format!("ip = {own}"));
                format!(
                    "{gateway} passes it on: beyond it the same traffic is a session of its own under {own} ({onwards})."
                )
            }
            (Leg::Outside, _) => format!(
                "{gateway} passes on others' traffic under its own address. The host's session counts it too ({}); rules leave this leg out of what goes to \
                 the internet.",
                with_peer("nat = inside")
            ),
            (Leg::Shared, _) => format!(
                "{gateway} passes on others' traffic under its own address, and belongs to an instance, which may speak for itself. What it passes on is in \
                 {}.",
                with_peer("nat = inside")
            ),
            _ if peer.is_some() => format!(
                "{gateway} passes on others' traffic here under its own address, and the log does not say whose. The interfaces of the hosts behind it do."
            ),
            _ => format!(
                "{gateway} logs its own address here in the place of the real peer, since the format has no packet addresses. The host's own interface logs the \
                 peer."
            ),
        })
    }

    /// Addresses of packets for which an interface logged its own: the packet's, the interface's, and the interface.
    pub(in crate::engine) fn stand_ins(
        &self,
        session: &Session,
    ) -> Vec<(std::net::IpAddr, std::net::IpAddr, Arc<str>)> {
        let all = session.stand_ins(&self.names).into_iter().take(MAX_STAND_INS);
        all.map(|one| (one.packet, one.logged, Arc::clone(self.names.name(one.interface)))).collect()
    }
}

/// Pairs of packet and interface address that are told of one session.
const MAX_STAND_INS: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::turned::{told, with};
    use super::super::*;
    use crate::engine::view::{Detail, RowId};
    use crate::record::{Batch, Decoder, Row as _, Value};

    const RULE: &str = r#"
[[rule]]
id = "OUT"
title = "Somebody sent"
level = "low"
on = "session"
filter = "req.bytes >= 1000 and not nat = outside"
group_by = ["client"]
timespan = "10m"
condition = "count() >= 1"
message = "{client} sent"
evidence = "client {client}"
"#;

    const FORMAT: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status \
                          pkt-srcaddr pkt-dstaddr instance-id\n";

    /// A record of 2,000 bytes out or 400 back, with the addresses logged and those of the packet.
    fn record(eni: &str, logged: &str, ports: &str, packet: &str, instance: &str) -> String {
        let bytes = if ports.ends_with("443") { 2_000 } else { 400 };
        format!("3 1 {eni} {logged} {ports} 6 5 {bytes} 1600000000 1600000060 ACCEPT OK {packet} {instance}\n")
    }

    /// Both records of the leg from 10.0.9.9, the gateway, to the internet.
    fn outside(instance: &str) -> String {
        record("eni-nat", "10.0.9.9 9.9.9.9", "5001 443", "10.0.9.9 9.9.9.9", instance)
            + &record("eni-nat", "9.9.9.9 10.0.9.9", "443 5001", "9.9.9.9 10.0.9.9", instance)
    }

    /// The records of the leg from 10.0.0.5, by its own interface and by the gateway's.
    fn inside(instance: &str) -> String {
        record("eni-host", "10.0.0.5 9.9.9.9", "40001 443", "10.0.0.5 9.9.9.9", "i-5")
            + &record("eni-nat", "10.0.0.5 10.0.9.9", "40001 443", "10.0.0.5 9.9.9.9", instance)
            + &record("eni-nat", "10.0.9.9 10.0.0.5", "443 40001", "9.9.9.9 10.0.0.5", instance)
    }

    fn ingest(core: &mut Core, text: &str) {
        let bytes = format!("{FORMAT}{text}").into_bytes();
        core.ingest(&Decoder::new(None).decode(&Batch { bytes, ..Batch::default() }));
    }

    /// What is said of the session of `client`: its leg, and the sentence about it.
    fn leg(core: &mut Core, client: &str) -> (Option<String>, Option<String>) {
        let client: std::net::IpAddr = client.parse().unwrap();
        let all = core.sessions.chunks().iter().flat_map(|chunk| chunk.iter().flatten());
        let session = all.into_iter().find(|session| session.client().0 == client).unwrap().clone();
        let row = SessionRow { session: &session, names: &core.names, region: None };
        let leg =
            row.get(Field::Nat).and_then(|leg| if let Value::Text(leg) = leg { Some(leg.to_owned()) } else { None });
        let Some(Detail::Session(detail)) = core.detail(RowId::Session(session.id)) else { panic!("it is held") };
        (leg, detail.via)
    }

    #[test]
    fn what_a_gateway_passes_on_is_told_once_though_it_is_known_for_one_later() {
        let mut core = with(RULE);
        ingest(&mut core, &outside("-"));
        assert_eq!(leg(&mut core, "10.0.9.9"), (None, None));
        assert_eq!(told(&core).len(), 1, "nothing says that it is a gateway");
        ingest(&mut core, &inside("-"));
        let groups = told(&core);
        assert!(groups.len() == 1 && groups[0].contains("10.0.0.5"), "the host alone: {groups:?}");
        assert_eq!(core.sessions.len(), 2, "the inner leg is the host's own session");
        let (inner, sentence) = leg(&mut core, "10.0.0.5");
        assert_eq!(inner.as_deref(), Some("inside"));
        assert!(sentence.unwrap().contains("ip = 10.0.9.9 and ip = 9.9.9.9"));
        let (outer, sentence) = leg(&mut core, "10.0.9.9");
        assert_eq!(outer.as_deref(), Some("outside"));
        assert!(sentence.unwrap().contains("eni-nat"));
    }

    #[test]
    fn an_instance_that_passes_on_may_speak_for_itself() {
        let mut core = with(RULE);
        ingest(&mut core, &(inside("i-9") + &outside("i-9")));
        assert_eq!(leg(&mut core, "10.0.9.9").0.as_deref(), Some("shared"));
        assert_eq!(told(&core).len(), 2, "it may be its own traffic");
    }

    #[test]
    fn the_ends_for_which_an_interface_logged_its_own_address_are_told() {
        let mut core = with(RULE);
        ingest(&mut core, &inside("-"));
        let session = core.sessions.chunks()[0][0].clone().unwrap();
        let stands: Vec<_> =
            core.stand_ins(&session).into_iter().map(|(packet, own, eni)| format!("{packet} {own} {eni}")).collect();
        assert_eq!(stands, ["9.9.9.9 10.0.9.9 eni-nat"]);
        assert!(session.has_packet_addresses());
    }

    #[test]
    fn a_node_that_logs_for_its_pods_is_no_gateway() {
        let mut core = with(RULE);
        // The node 10.0.1.20 logs its own address for the pod 10.0.1.77, which talks to the internet.
        let text = record("eni-node", "10.0.1.20 9.9.9.9", "40001 443", "10.0.1.77 9.9.9.9", "i-1")
            + &record("eni-node", "9.9.9.9 10.0.1.20", "443 40001", "9.9.9.9 10.0.1.77", "i-1");
        ingest(&mut core, &text);
        let session = core.sessions.chunks()[0][0].clone().unwrap();
        assert_eq!(leg(&mut core, "10.0.1.77"), (None, None));
        let stands: Vec<_> =
            core.stand_ins(&session).into_iter().map(|(packet, own, _)| format!("{packet} {own}")).collect();
        assert_eq!(stands, ["10.0.1.77 10.0.1.20"]);
    }

    #[test]
    fn without_packet_addresses_a_gateway_is_one_where_somebody_says_so_and_hides_its_peers() {
        let text = "2 1 eni-nat 10.0.0.5 10.0.9.9 40001 443 6 5 2000 1600000000 1600000060 ACCEPT OK\n\
                    2 1 eni-nat 10.0.9.9 9.9.9.9 5001 443 6 5 2000 1600000000 1600000060 ACCEPT OK\n";
        let batch = Batch { bytes: text.as_bytes().to_vec(), ..Batch::default() };
        let mut core = with(RULE);
        core.ingest(&Decoder::new(None).decode(&batch));
        assert_eq!(leg(&mut core, "10.0.0.5"), (None, None));
        let mut core = with(RULE);
        core.say_gateways(["eni-nat"]);
        core.ingest(&Decoder::new(None).decode(&batch));
        let (inner, sentence) = leg(&mut core, "10.0.0.5");
        assert_eq!(inner.as_deref(), Some("masked"));
        assert!(sentence.unwrap().contains("in the place of the real peer"));
        let (outer, sentence) = leg(&mut core, "10.0.9.9");
        assert_eq!(outer.as_deref(), Some("masked"));
        assert!(sentence.unwrap().contains("does not say whose"));
        assert_eq!(told(&core).len(), 2, "nobody else counts it");
    }

    #[test]
    fn the_kind_of_an_interface_says_that_it_is_a_gateway() {
        let format = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end interface-type\n";
        let text =
            format!("{format}11 1 eni-nat 10.0.9.9 9.9.9.9 5001 443 6 5 2000 1600000000 1600000060 nat_gateway\n");
        let mut core = with(RULE);
        core.ingest(&Decoder::new(None).decode(&Batch { bytes: text.into_bytes(), ..Batch::default() }));
        assert_eq!(leg(&mut core, "10.0.9.9").0.as_deref(), Some("masked"));
    }
}
