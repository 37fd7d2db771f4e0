//! What a row must at least be for a rule to take it, found by reading the rule: a few bits and floors that refuse almost every row before
//! its filter is evaluated. A gate never refuses what the rule would take; what it lets through is still tested in full.

use std::ops::BitOr;

use super::condition::{AmpColumn, Comparison, Condition, Function, Number};
use super::rule::Rule;
use crate::filter::Stage;
use crate::filter::expr::{Expr, Op, Operand, Test};
use crate::record::services::{TCP, UDP};
use crate::record::special::is_outside;
use crate::record::{Field, Kind, Row, Value};

/// Yes-or-no questions about a session or a record that rules ask, as a set. Of a record the source is the client and the destination the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(u16);

impl Bits {
    /// In `$outside`, which is more than `$public`.
    pub const CLIENT_OUTSIDE: Bits = Bits(1);
    /// Not outside, which is more than `$private`.
    pub const CLIENT_INSIDE: Bits = Bits(1 << 1);
    pub const SERVER_OUTSIDE: Bits = Bits(1 << 2);
    pub const SERVER_INSIDE: Bits = Bits(1 << 3);
    /// TCP or UDP.
    pub const TRANSPORT: Bits = Bits(1 << 4);
    /// The server's UDP port is in the amplification table.
    pub const AMPLIFIER: Bits = Bits(1 << 5);
    /// And should never face the internet.
    pub const NEVER_PUBLIC: Bits = Bits(1 << 6);
    /// Evidence decided who is the client.
    pub const CERTAIN: Bits = Bits(1 << 7);
    /// Not all of it was rejected.
    pub const LET_IN: Bits = Bits(1 << 8);

    /// All of it was rejected.
    pub const DENIED: Bits = Bits(1 << 9);
    pub const NOT_TCP: Bits = Bits(1 << 10);

    /// How many sets there are.
    const SETS: u16 = 1 << 11;

    /// Every set there is, in the order of [`Bits::index`].
    pub(super) fn all() -> impl Iterator<Item = Bits> {
        (0..Bits::SETS).map(Bits)
    }

    /// Those of a flow record.
    pub(super) fn of_flow<R: Row + ?Sized>(row: &R) -> Bits {
        let side = |field, outside, inside| match row.get(field) {
            Some(Value::Addr(addr)) if is_outside(addr) => outside,
            Some(_) => inside,
            None => Bits::default(),
        };
        let bits = side(Field::SrcAddr, Bits::CLIENT_OUTSIDE, Bits::CLIENT_INSIDE)
            | side(Field::DstAddr, Bits::SERVER_OUTSIDE, Bits::SERVER_INSIDE);
        let protocol = match row.get(Field::Protocol) {
            Some(Value::Int(number)) => u8::try_from(number).ok(),
            _ => None,
        };
        let rejected =
            matches!(row.get(Field::Action), Some(Value::Text(action)) if action.eq_ignore_ascii_case("REJECT"));
        bits | Bits::of_protocol(protocol) | if rejected { Bits::DENIED } else { Bits::LET_IN }
    }

    /// What a protocol number alone says.
    pub(super) fn of_protocol(protocol: Option<u8>) -> Bits {
        match protocol {
            Some(TCP) => Bits::TRANSPORT,
            Some(UDP) => Bits::TRANSPORT | Bits::NOT_TCP,
            _ => Bits::NOT_TCP,
        }
    }

    /// Its place among all sets.
    pub(super) fn index(self) -> usize {
        usize::from(self.0 % Bits::SETS)
    }

    /// Whether all of `wanted` are in it.
    pub(super) fn has(self, wanted: Bits) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

impl BitOr for Bits {
    type Output = Bits;

    fn bitor(self, other: Bits) -> Bits {
        Bits(self.0 | other.0)
    }
}

/// See the module's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate {
    pub bits: Bits,
    /// Fields that must be there and reach this value.
    floors: Vec<(Field, f64)>,
}

impl Gate {
    /// The gate of `rule`.
    pub(super) fn of(rule: &Rule) -> Gate {
        let mut gate = Gate::default();
        let sessions = rule.stage == Stage::Sessions;
        if sessions && !rule.symmetric {
            gate.bits = gate.bits | Bits::CERTAIN;
        }
        let by_server = sessions && rule.amplification_port.0 == Field::ServerPort;
        if by_server && rule.amplification_port.1 {
            gate.bits = gate.bits | Bits::AMPLIFIER;
        }
        match rule.filter.as_ref().map(crate::filter::Filter::expr) {
            Some(Expr::And(parts)) => parts.iter().for_each(|part| gate.read(part)),
            Some(part) => gate.read(part),
            None => {}
        }
        // What is not counted still teaches `new`.
        let teaches = rule.aggregates.iter().any(|aggregate| aggregate.function == Function::New);
        if let Some(only) = rule.only.as_ref().filter(|_| !teaches) {
            gate.count(only, by_server);
        }
        gate
    }

    /// Whether `row` reaches every floor.
    pub(super) fn admits<R: Row + ?Sized>(&self, row: &R) -> bool {
        self.floors.iter().all(|(field, least)| row.get(*field).and_then(Value::number).is_some_and(|is| is >= *least))
    }

    /// One part of a filter that must hold.
    fn read(&mut self, part: &Expr) {
        match part {
            // Only fields that have one value: `port > 9` asks either side.
            Expr::Test(Test::Compare { field, op: Op::Ge | Op::Gt, values })
                if matches!(field.kind(), Kind::Count | Kind::Ratio) =>
            {
                if let [Operand::Int(least, _)] = &values[..] {
                    #[expect(clippy::cast_precision_loss, reason = "both sides are rounded alike")]
                    self.floors.push((*field, *least as f64));
                } else if let [Operand::Float(least, _)] = &values[..] {
                    self.floors.push((*field, *least));
                }
            }
            Expr::Test(Test::Compare { field, op: Op::Eq, values }) => {
                if let [Operand::Set(set)] = &values[..] {
                    let client = matches!(field, Field::Client | Field::SrcAddr);
                    let server = matches!(field, Field::Server | Field::DstAddr);
                    self.bits = self.bits
                        | match (set.name.as_str(), client, server) {
                            ("$public" | "$outside", true, _) => Bits::CLIENT_OUTSIDE,
                            ("$private", true, _) => Bits::CLIENT_INSIDE,
                            ("$public" | "$outside", _, true) => Bits::SERVER_OUTSIDE,
                            ("$private", _, true) => Bits::SERVER_INSIDE,
                            _ => Bits::default(),
                        };
                }
                if *field == Field::Protocol
                    && values.iter().all(|value| matches!(value, Operand::Int(6, 6) | Operand::Int(17, 17)))
                {
                    self.bits = self.bits | Bits::TRANSPORT;
                }
                if *field == Field::Action && values.iter().all(|value| is_word(value, "ACCEPT")) {
                    self.bits = self.bits | Bits::LET_IN;
                }
                if *field == Field::Action && values.iter().all(|value| is_word(value, "REJECT")) {
                    self.bits = self.bits | Bits::DENIED;
                }
            }
            Expr::Not(inner) => {
                if let Expr::Test(Test::Compare { field, op: Op::Eq, values }) = &**inner {
                    let without = |excluded: fn(&Operand) -> bool| values.iter().any(excluded);
                    if *field == Field::Action && without(|value| is_word(value, "REJECT")) {
                        self.bits = self.bits | Bits::LET_IN;
                    }
                    if *field == Field::Protocol
                        && without(
                            |value| matches!(value, Operand::Int(from, to) if (*from..=*to).contains(&TCP.into())),
                        )
                    {
                        self.bits = self.bits | Bits::NOT_TCP;
                    }
                }
            }
            _ => {}
        }
    }

    /// One part of a `where` that must hold.
    fn count(&mut self, part: &Condition, by_server: bool) {
        match part {
            Condition::And(left, right) => {
                self.count(left, by_server);
                self.count(right, by_server);
            }
            Condition::Compare(
                Comparison::Greater | Comparison::GreaterOrEqual,
                Number::Field(field),
                Number::Constant(least),
            ) => self.floors.push((*field, *least)),
            Condition::Compare(Comparison::Equal, Number::Amp(AmpColumn::NeverPublic), Number::Constant(wanted))
                if by_server && *wanted > 0.0 =>
            {
                self.bits = self.bits | Bits::NEVER_PUBLIC;
            }
            _ => {}
        }
    }
}

/// Whether an operand is this word.
fn is_word(value: &Operand, wanted: &str) -> bool {
    matches!(value, Operand::Word(word) if word.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Rules;

    fn gate(id: &str) -> Gate {
        Gate::of(Rules::builtin().expect("tested").get(id).expect("built in"))
    }

    #[test]
    fn every_set_of_bits_has_its_place() {
        assert!(Bits::all().enumerate().all(|(place, bits)| bits.index() == place));
        assert_eq!(Bits::all().last(), Some(Bits(Bits::NOT_TCP.0 * 2 - 1)), "the greatest bit is the last one");
    }

    #[test]
    fn gates_are_read_from_the_rules() {
        let exposed = Bits::SERVER_INSIDE | Bits::CLIENT_OUTSIDE | Bits::LET_IN | Bits::AMPLIFIER | Bits::CERTAIN;
        assert!(gate("AMP-EXPOSED").bits.has(exposed | Bits::NEVER_PUBLIC));
        assert!(!gate("AMP-REFLECTOR").bits.has(Bits::NEVER_PUBLIC));
        assert_eq!(gate("VOL-LARGE").floors, [(Field::Bytes, 10_000.0)]);
        assert!(gate("RATIO-PACKETS").floors.contains(&(Field::Packets, 20.0)));
        assert_eq!(gate("NEW-PEER").floors, [], "what is too small still teaches");
        assert!(gate("VOL-LARGE").bits.has(Bits::CLIENT_INSIDE | Bits::SERVER_OUTSIDE | Bits::LET_IN));
        assert_eq!(gate("DENY-SPIKE").bits, Bits::CLIENT_INSIDE | Bits::DENIED);
        assert!(gate("UDP-FLOOD-OUT").bits.has(Bits::NOT_TCP));
        assert!(gate("PROTO-ODD").bits.has(Bits::NOT_TCP | Bits::LET_IN), "no list with TCP in it holds for TCP");
    }
}
