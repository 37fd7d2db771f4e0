//! The mirror image of an expression: what it says of the reply.

use crate::filter::Stage;
use crate::filter::expr::{Expr, Operand, Test};
use crate::record::{Field, On};

/// Fields that change places when source and destination do.
const MIRRORED: [(Field, Field); 15] = [
    (Field::SrcAddr, Field::DstAddr),
    (Field::SrcPort, Field::DstPort),
    (Field::PktSrcAddr, Field::PktDstAddr),
    (Field::PktSrcAwsService, Field::PktDstAwsService),
    (Field::TgwSrcVpcAccountId, Field::TgwDstVpcAccountId),
    (Field::TgwSrcVpcId, Field::TgwDstVpcId),
    (Field::TgwSrcSubnetId, Field::TgwDstSubnetId),
    (Field::TgwSrcEni, Field::TgwDstEni),
    (Field::TgwSrcAzId, Field::TgwDstAzId),
    (Field::SrcCountry, Field::DstCountry),
    (Field::SrcAsn, Field::DstAsn),
    (Field::SrcOrg, Field::DstOrg),
    // Each its own image, for what is asked of either side.
    (Field::Ip, Field::Ip),
    (Field::Port, Field::Port),
    (Field::Service, Field::Service),
];

/// What a test says of the other direction of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// The same, or the same of the other side.
    Shared,
    /// Nothing: each direction has a value of its own.
    Own,
    /// It has no image that could be written down.
    None,
}

/// See [`Nature`].
pub(super) fn nature(test: &Test) -> Nature {
    let field = match test {
        // A word stands in the image too, at another place; words in a row and patterns may span columns that change places.
        Test::Contains(words) if !words.contains(char::is_whitespace) => return Nature::Own,
        Test::Contains(_) | Test::Matches(_) => return Nature::None,
        Test::Last(_) | Test::During(_) => return Nature::Own,
        Test::Has(field) | Test::Compare { field, .. } => *field,
    };
    if field.def().on == On::Sessions {
        return Nature::None;
    }
    match field {
        Field::FlowDirection if directions(test).is_none() => Nature::None,
        Field::Packets
        | Field::Bytes
        | Field::Start
        | Field::End
        | Field::Action
        | Field::TcpFlags
        | Field::TrafficPath
        | Field::RejectReason
        | Field::PacketsLostNoRoute
        | Field::PacketsLostBlackhole
        | Field::PacketsLostMtuExceeded
        | Field::PacketsLostTtlExpired
        | Field::Duration
        | Field::PacketSize
        | Field::IngestionTime
        | Field::Lag => Nature::Own,
        _ => Nature::Shared,
    }
}

/// A test of `flow-direction` with each word turned round; the reply leaves where the request came in. `None` for globs and patterns.
fn directions(test: &Test) -> Option<Test> {
    let Test::Compare { field, op, values } = test else { return Some(test.clone()) };
    let turned = values.iter().map(|value| match value {
        Operand::Word(word) if word.eq_ignore_ascii_case("ingress") => Some(Operand::Word("egress".to_owned())),
        Operand::Word(word) if word.eq_ignore_ascii_case("egress") => Some(Operand::Word("ingress".to_owned())),
        Operand::Word(word) => Some(Operand::Word(word.clone())),
        _ => None,
    });
    Some(Test::Compare { field: *field, op: *op, values: turned.collect::<Option<_>>()? })
}

/// The expression without the tests that have no image, made wider for each: `None` where nothing is left of it. Of a filter for sessions only what every
/// record of the session has in common is kept; the initiator is the source of the one half of them and the destination of the other.
pub(super) fn known(expr: &Expr, stage: Stage) -> Option<Expr> {
    let kept = |test: &Test| {
        let test = if stage == Stage::Sessions { of_records(test) } else { test.clone() };
        match nature(&test) {
            Nature::Shared => true,
            Nature::Own => stage == Stage::Flows,
            Nature::None => false,
        }
        .then_some(Expr::Test(test))
    };
    widened(expr, true, &kept)
}

/// What a test of a session says of the records from its initiator.
fn of_records(test: &Test) -> Test {
    let records = |field: Field| match field {
        Field::Client => Field::SrcAddr,
        Field::Server => Field::DstAddr,
        Field::ClientPort => Field::SrcPort,
        Field::ServerPort => Field::DstPort,
        other => other,
    };
    match test {
        Test::Compare { field, op, values } => {
            Test::Compare { field: records(*field), op: *op, values: values.clone() }
        }
        Test::Has(field) => Test::Has(records(*field)),
        other => other.clone(),
    }
}

/// `None` stands for "always" where `wider`, for "never" where not.
fn widened(expr: &Expr, wider: bool, keeps: &impl Fn(&Test) -> Option<Expr>) -> Option<Expr> {
    match expr {
        Expr::Test(test) => keeps(test),
        Expr::Not(inner) => widened(inner, !wider, keeps).map(Expr::negated),
        Expr::And(parts) | Expr::Or(parts) => {
            let conjunction = matches!(expr, Expr::And(_));
            let kept: Vec<Option<Expr>> = parts.iter().map(|part| widened(part, wider, keeps)).collect();
            // "Always" adds nothing to a conjunction and is all of a disjunction; "never" the other way round.
            if conjunction != wider && kept.contains(&None) {
                return None;
            }
            let kept: Vec<Expr> = kept.into_iter().flatten().collect();
            if kept.is_empty() {
                None
            } else if conjunction {
                Some(Expr::and(kept))
            } else {
                Some(Expr::or(kept))
            }
        }
    }
}

/// The image of an expression that has one.
pub(super) fn swapped(expr: &Expr) -> Option<Expr> {
    let all = |parts: &[Expr]| parts.iter().map(swapped).collect::<Option<Vec<Expr>>>();
    Some(match expr {
        Expr::And(parts) => Expr::and(all(parts)?),
        Expr::Or(parts) => Expr::or(all(parts)?),
        Expr::Not(inner) => Expr::negated(swapped(inner)?),
        Expr::Test(test) => Expr::Test(match test {
            Test::Compare { field: Field::FlowDirection, .. } => directions(test)?,
            Test::Compare { field, op, values } => {
                Test::Compare { field: image(*field), op: *op, values: values.clone() }
            }
            Test::Has(field) => Test::Has(image(*field)),
            Test::Contains(_) | Test::Last(_) | Test::During(_) | Test::Matches(_) => test.clone(),
        }),
    })
}

fn image(field: Field) -> Field {
    let pair = MIRRORED.iter().find(|(a, b)| *a == field || *b == field);
    pair.map_or(field, |(a, b)| if *a == field { *b } else { *a })
}

/// The expression or its image. `None` where that cannot be written.
pub(super) fn closed(expr: &Expr) -> Option<Expr> {
    let image = swapped(expr)?;
    Some(if image == *expr { image } else { Expr::or([expr.clone(), image]) })
}
