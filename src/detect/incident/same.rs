//! Whether the groups of two rules are about the same hosts.

use crate::detect::key::Key;
use crate::detect::rule::Rule;
use crate::filter::Stage;
use crate::record::Field;

/// Whether the groups `a` and `b` of two rules agree on every field that both rules group by, and there is one. A rule for records and one for
/// sessions have no name in common: who sent a record may be the client or the server of its session.
pub(super) fn same(rule_a: &Rule, a: &[Key], rule_b: &Rule, b: &[Key]) -> bool {
    let agree = |of_records: fn(Field) -> Field| {
        let names = |rule: &Rule| -> Vec<Field> {
            let flows = rule.stage == Stage::Flows;
            rule.group_by.iter().map(|field| if flows { of_records(*field) } else { *field }).collect()
        };
        let (names_a, names_b) = (names(rule_a), names(rule_b));
        let mut shared = 0;
        for (field, value) in names_a.iter().zip(a) {
            if let Some(at) = names_b.iter().position(|known| known == field) {
                if b.get(at) != Some(value) {
                    return false;
                }
                shared += 1;
            }
        }
        shared > 0
    };
    if rule_a.stage == rule_b.stage { agree(|field| field) } else { agree(asked) || agree(answered) }
}

/// What a field of a record is of its session where the client sent it.
fn asked(field: Field) -> Field {
    match field {
        Field::SrcAddr => Field::Client,
        Field::DstAddr => Field::Server,
        Field::SrcPort => Field::ClientPort,
        Field::DstPort => Field::ServerPort,
        other => other,
    }
}

/// The same where the server sent it.
fn answered(field: Field) -> Field {
    match field {
        Field::SrcAddr => Field::Server,
        Field::DstAddr => Field::Client,
        Field::SrcPort => Field::ServerPort,
        Field::DstPort => Field::ClientPort,
        other => other,
    }
}
