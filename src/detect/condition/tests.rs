use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::filter::Stage;
use crate::record::amplification::amp_port;

/// A group with fixed values: slots count from 10 in tens.
struct Fixed(Option<u16>);

impl Values for Fixed {
    fn slot(&self, index: usize) -> f64 {
        f64::from(u32::try_from(index + 1).unwrap_or(0)) * 10.0
    }
    fn field(&self, field: Field) -> f64 {
        if field == Field::ServerPort { 11_211.0 } else { f64::NAN }
    }
    fn amp(&self) -> Option<&AmpPort> {
        self.0.and_then(amp_port)
    }
}

fn condition(text: &str) -> Result<Condition, ConditionError> {
    let mut aggregates = Vec::new();
    let names = BTreeMap::from([("rq".to_owned(), Number::Constant(4.0))]);
    parse_bool(
        text,
        &mut Scope {
            stage: Stage::Sessions,
            aggregates: Some(&mut aggregates),
            names: &names,
            group_by: &[Field::ServerPort, Field::Server],
        },
    )
}

fn holds(text: &str) -> bool {
    condition(text).unwrap_or_else(|error| panic!("{text}: {error} at {:?}", error.span)).holds(&Fixed(Some(11_211)))
}

#[test]
fn arithmetic_and_logic_bind_as_one_expects() {
    for text in [
        "1 + 2 * 3 == 7",
        "(1 + 2) * 3 == 9",
        "10 - 2 - 3 == 5",
        "-2 * -3 == 6",
        "1 == 2 or 1 == 1 and 2 == 2",
        "not 1 == 2 and 3 > 2",
        "not (1 == 1 and 1 == 2)",
        "((1 + 1)) * 2 >= 4 and ((1 < 2))",
        "max(1, 2) == 2 and min(1, max(2, 3)) == 1",
        "10kB == 10_000 and 1MiB == 1048576 and 0.5 < 1 and 2G == 2000000000",
        "sum(req.bytes) == 10 and sum(resp.bytes) == 20 and sum(req.bytes) == 10",
        "count() == 10 and DISTINCT(client) == 20",
        "rq == 4 and server.port == 11211",
        "@amp.min_baf == 5 and @amp.known == 1 and @amp.never_public == 1",
        "max(sum(req.bytes), 1) == 10",
    ] {
        assert!(holds(text), "{text}");
    }
}

#[test]
fn what_is_absent_compares_as_false_and_not_is_the_complement() {
    let off = |text: &str| condition(text).expect("parses").holds(&Fixed(None));
    for text in ["@amp.min_baf >= 0", "@amp.min_baf < 0", "@amp.min_baf == @amp.min_baf", "@amp.min_baf != 1"] {
        assert!(!off(text), "{text}");
        assert!(off(&format!("not {text}")), "not {text}");
    }
    assert!(!off("max(@amp.min_baf, 1) >= 0"), "an absent operand is not swallowed");
    assert!(off("@amp.known == 0"));
}

#[test]
fn errors_name_the_place() {
    for (text, span, part) in [
        ("sum(bytez) > 1", 4..9, "no field"),
        ("sum(client) > 1", 4..10, "not a number"),
        ("sum(tcp-flags) > 1", 4..7, "no field"),
        ("client > 1", 0..6, "many values"),
        ("server > 1", 0..6, "not a number"),
        ("total(bytes) > 1", 0..5, "no function"),
        ("count() > ", 10..10, "expected a number"),
        ("count()", 7..7, "comparison"),
        ("count() > 1 1", 12..13, "expected `and`"),
        ("(count() > 1", 12..12, "expected `)`"),
        ("@amp.nothing > 1", 0..12, "no table column"),
        ("count() > 1 & 2 > 1", 12..13, "does not belong"),
        ("count() ! 1", 8..9, "means nothing"),
        ("count() > 1e5x", 10..14, "not a number"),
        ("sum(ip) > 1", 4..6, "not a number"),
        ("distinct(ip) > 1", 9..11, "two values"),
        ("lag > 1", 0..3, "many values"),
        ("sum(lag) > 1", 4..7, "flow field"),
    ] {
        let error = condition(text).expect_err(text);
        assert!(error.message.contains(part), "{text}: {}", error.message);
        assert_eq!(error.span, span, "{text}: {}", error.message);
    }
}

#[test]
fn a_row_has_fields_and_no_aggregates() {
    let names = BTreeMap::new();
    let mut scope = Scope { stage: Stage::Sessions, aggregates: None, names: &names, group_by: &[] };
    assert!(parse_bool("baf >= @amp.min_baf and resp.bytes > 1kB", &mut scope).is_ok());
    let error = parse_bool("sum(bytes) > 1", &mut scope).expect_err("needs a group");
    assert!(error.message.contains("needs a group"), "{}", error.message);
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = format!("{}1{} > 0", "(".repeat(500), ")".repeat(500));
    assert!(condition(&deep).expect_err("too deep").message.contains("nested"));
    let deep = format!("{}1 > 0", "not ".repeat(500));
    assert!(condition(&deep).expect_err("too deep").message.contains("nested"));
    let long = format!("1{} > 0", " + 1".repeat(10_000));
    assert!(condition(&long).expect_err("too long").message.contains("too long"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "[a-z0-9@.()<>=!+*/, é-]{0,60}") {
        if let Err(error) = condition(&text) {
            prop_assert!(error.span.start <= error.span.end && error.span.end <= text.len());
        }
    }
}

/// Slots as they are in a window, or the most that they can be.
struct Slots(Vec<f64>);

impl Values for Slots {
    fn slot(&self, index: usize) -> f64 {
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }
    fn field(&self, _field: Field) -> f64 {
        11_211.0
    }
    fn amp(&self) -> Option<&AmpPort> {
        amp_port(11_211)
    }
}

#[test]
fn what_is_far_below_its_thresholds_is_out_of_reach() {
    let sums = "max(sum(bytes), sum(packets)) / max(min(sum(bytes), sum(packets)), 1) >= 10 and max(sum(bytes), sum(packets)) >= 1000";
    let condition = condition(sums).unwrap_or_else(|error| panic!("{error}"));
    assert!(!condition.reachable(&Slots(vec![999.0, 20.0])));
    assert!(condition.reachable(&Slots(vec![20.0, 1_000.0])));
}

proptest! {
    #[test]
    fn what_holds_in_a_window_is_within_reach_of_the_whole(
        most in prop::collection::vec(0.0_f64..100.0, 3),
        part in prop::collection::vec(0.0_f64..=1.0, 3),
    ) {
        for text in [
            "sum(bytes) / max(sum(packets), 1) >= 5 and sum(bytes) > 40",
            "sum(bytes) - sum(packets) * 2 > 1 or -sum(bytes) <= -50",
            "min(sum(bytes), sum(packets)) * 3 - 20 < count() and sum(bytes) != 3",
            "sum(bytes) / sum(packets) > 0.5 and not count() >= 7",
            "sum(bytes) <= server.port and @amp.min_baf * 2 < sum(packets)",
        ] {
            let condition = condition(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let window = Slots(most.iter().zip(&part).map(|(most, part)| most * part).collect());
            prop_assert!(!condition.holds(&window) || condition.reachable(&Slots(most.clone())), "{text}");
        }
    }
}
