//! Security group or network ACL? Why a record was rejected is never logged (`reject-reason` names only two other causes), but who accepted and
//! who rejected which direction leaves few candidates. Security groups remember connections and let answers through by themselves; network ACLs
//! judge each direction alone.

use crate::record::{NameId, Names};
use crate::session::Session;

/// What one interface decided: records accepted and rejected of the request, and of the answer.
#[derive(Clone, Copy, Debug)]
struct Decided {
    interface: NameId,
    request: (u32, u32),
    answer: (u32, u32),
}

/// The candidates for a session of which something was rejected or left unanswered, one sentence each.
pub(super) fn of(session: &Session, names: &Names) -> Vec<String> {
    let request = session.request();
    let mut seen: Vec<Decided> = Vec::new();
    for (interface, way, accepts, rejects) in session.decisions() {
        let place = seen.iter().position(|decided| decided.interface == interface).unwrap_or_else(|| {
            seen.push(Decided { interface, request: (0, 0), answer: (0, 0) });
            seen.len() - 1
        });
        let side = if way == request { &mut seen[place].request } else { &mut seen[place].answer };
        *side = (accepts, rejects);
    }
    let name = |interface: NameId| match &**names.name(interface) {
        "" => "The interface",
        name => name,
    };
    let mut says = Vec::new();
    for one in &seen {
        let who = name(one.interface);
        let both = |(accepts, rejects): (u32, u32)| accepts > 0 && rejects > 0;
        if one.request.0 > 0 && one.answer.1 > 0 && one.answer.0 == 0 {
            says.push(format!(
                "{who} accepted the request and rejected the answer: the network ACL, since a security group lets answers through; or the \
                 connection was closed before it came."
            ));
        } else if both(one.request) || both(one.answer) {
            says.push(format!(
                "{who} accepted some records of one direction and rejected others: a rule was changed, or packets came after the \
                 connection was closed."
            ));
        } else if one.request.1 > 0 && one.request.0 == 0 && one.answer.0 > 0 {
            says.push(format!(
                "{who} rejected the request and accepted the answer: who began may be the wrong way round, or a rule was changed."
            ));
        } else if one.request.1 > 0 && one.request.0 == 0 {
            let accepted = seen.iter().find(|other| other.interface != one.interface && other.request.0 > 0);
            says.push(match accepted {
                Some(other) => format!(
                    "{} let the request out and {who} rejected it: the inbound security group or network ACL of {who}.",
                    name(other.interface)
                ),
                None => format!(
                    "{who} rejected the request: its security group or its network ACL, inbound if it is the responder's interface, \
                     outbound if the initiator's."
                ),
            });
        }
    }
    let asked = seen.iter().any(|one| one.request.0 > 0) && seen.iter().all(|one| one.request.1 == 0);
    if asked && !session.saw(request.reversed()) {
        let silent = "Accepted and no answer logged: nothing listens there, a firewall on the host, a route, or the answer is still to come.";
        says.push(silent.to_owned());
    }
    says
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Decoder, Flow};
    use crate::session::SessionTable;

    /// What is said of a conversation of 10.0.0.1 with port 443 of 10.0.0.2, by records `interface, to the server, action`.
    fn said(records: &[(&str, bool, &str)]) -> String {
        let mut names = Names::default();
        let mut sessions = SessionTable::new(1 << 20, 60);
        let mut id = 0;
        for (interface, asks, action) in records {
            let ends = if *asks { "10.0.0.1 10.0.0.2 50000 443" } else { "10.0.0.2 10.0.0.1 443 50000" };
            let line = format!("2 1 {interface} {ends} 6 1 40 1000 1060 {action} OK\n");
            let batch = crate::record::Batch { bytes: line.into_bytes(), ..crate::record::Batch::default() };
            let decoded = Decoder::new(None).decode(&batch);
            id = sessions.add(&Flow::of(&decoded.columns, 0, &mut names).unwrap()).id;
        }
        of(sessions.get(id).unwrap(), &names).join("\n")
    }

    #[test]
    fn who_decided_what_leaves_these_candidates() {
        for (records, expected) in [
            (
                &[("eni-a", true, "ACCEPT"), ("eni-b", true, "REJECT")][..],
                "inbound security group or network ACL of eni-b",
            ),
            (&[("eni-b", true, "ACCEPT"), ("eni-b", false, "REJECT")], "rejected the answer: the network ACL"),
            (&[("eni-b", true, "REJECT")], "eni-b rejected the request: its security group or its network ACL"),
            (&[("eni-b", true, "ACCEPT")], "Accepted and no answer logged"),
            (&[("eni-b", true, "ACCEPT"), ("eni-b", true, "REJECT"), ("eni-b", false, "ACCEPT")], "a rule was changed"),
        ] {
            assert!(said(records).contains(expected), "{records:?}: {}", said(records));
        }
    }

    #[test]
    fn of_what_was_accepted_and_answered_there_is_nothing_to_say() {
        assert_eq!(said(&[("eni-b", true, "ACCEPT"), ("eni-b", false, "ACCEPT"), ("eni-a", true, "ACCEPT")]), "");
    }
}
