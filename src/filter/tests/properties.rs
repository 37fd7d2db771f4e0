//! What must hold for every text and every expression.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::filter::expr::{Expr, Op, Operand, Pattern, Test, Window};
use crate::filter::{MAX_LEN, Members, Sets};
use crate::record::{FIELDS, Kind, On};

fn address() -> impl Strategy<Value = (IpAddr, IpAddr)> {
    let v4 = (any::<u32>(), 0..=32_u32).prop_map(|(base, free)| {
        let mask = u32::MAX.checked_shr(32 - free).unwrap_or(0);
        (Ipv4Addr::from(base & !mask).into(), Ipv4Addr::from(base | mask).into())
    });
    let v6 = (any::<u128>(), any::<u128>()).prop_map(|(a, b)| {
        let (a, b) = (Ipv6Addr::from(a), Ipv6Addr::from(b));
        (a.min(b).into(), a.max(b).into())
    });
    let range = (any::<u32>(), any::<u32>())
        .prop_map(|(a, b)| (Ipv4Addr::from(a.min(b)).into(), Ipv4Addr::from(a.max(b)).into()));
    prop_oneof![v4, v6, range]
}

fn int(kind: Kind) -> BoxedStrategy<(u64, u64)> {
    let most = match kind {
        Kind::Port => 65_535,
        Kind::Protocol | Kind::Flags => 255,
        Kind::Time => 9_999_999_999,
        _ => u64::MAX,
    };
    let round = (0..5000_u64, prop::sample::select(vec![1, 60, 1000, 3600, 1_000_000, 1 << 20, 1 << 30]));
    let value = prop_oneof![0..=most, round.prop_map(move |(a, b)| (a * b).min(most))];
    (value.clone(), value, any::<bool>())
        .prop_map(|(a, b, single)| if single { (a, a) } else { (a.min(b), a.max(b)) })
        .boxed()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9.-]{1,12}", "\\PC{0,12}", "(and|or|not|in|has|/|\\\\|\"|\\*){1,3}"]
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let sources = vec!["a/b", "a\\/b", "\\\\/", "^vpc-[0-9a-f]+$", "x|y z", "(\"|')", "\\d{2}", "é"];
    (prop::sample::select(sources), any::<bool>()).prop_map(|(source, i)| Pattern::new(source, i).unwrap())
}

fn operand(kind: Kind) -> BoxedStrategy<Operand> {
    match kind {
        Kind::Addr => {
            let set = prop::sample::select(vec!["$private", "$public", "$office"]);
            let set = set.prop_map(|name| Operand::Set(own_sets().get(name).unwrap()));
            prop_oneof![9 => address().prop_map(|(a, b)| Operand::Addr(a, b)), 1 => set].boxed()
        }
        Kind::Text => prop_oneof![
            text().prop_map(Operand::Word),
            "[a-z0-9*][a-z0-9*:/-]{0,5}[*]"
                .prop_filter("a slash after a colon begins a pattern", |glob| !glob.contains(":/"))
                .prop_map(Operand::Glob),
        ]
        .boxed(),
        Kind::Ratio => prop_oneof![
            (0..100_000_u32).prop_map(|n| Operand::Float(f64::from(n) / 8.0, f64::from(n) / 8.0)),
            (0.0..1e9, 0.0..1e9).prop_map(|(a, b): (f64, f64)| Operand::Float(a.min(b), a.max(b))),
        ]
        .boxed(),
        Kind::Port => {
            let set = prop::sample::select(vec!["@amplification", "@cache"]);
            let set = set.prop_map(|name| Operand::Set(own_sets().get(name).unwrap()));
            prop_oneof![9 => int(kind).prop_map(|(a, b)| Operand::Int(a, b)), 1 => set].boxed()
        }
        _ => int(kind).prop_map(|(a, b)| Operand::Int(a, b)).boxed(),
    }
}

/// A user's own sets beside those that are built in.
pub(super) fn own_sets() -> Sets {
    let mut sets = Sets::default();
    sets.define("office", "13.125.33.0/24, 2001:db8::/32").unwrap();
    sets.define("cache", "6379, 11211").unwrap();
    sets
}

fn compare() -> impl Strategy<Value = Test> {
    let field = prop::sample::select(FIELDS.iter().map(|def| def.field).collect::<Vec<_>>());
    field.prop_flat_map(|field| {
        let kind = field.kind();
        let equal = (prop::sample::select(vec![Op::Eq, Op::Ne]), prop::collection::vec(operand(kind), 1..4))
            .prop_map(move |(op, values)| Test::Compare { field, op, values });
        let order = prop::sample::select(vec![Op::Lt, Op::Le, Op::Gt, Op::Ge]);
        let other = match kind {
            Kind::Addr => return equal.boxed(),
            Kind::Text => (prop::sample::select(vec![Op::Like, Op::Unlike]), pattern())
                .prop_map(move |(op, p)| Test::Compare { field, op, values: vec![Operand::Pattern(p)] })
                .boxed(),
            Kind::Flags => prop_oneof![
                (prop::sample::select(vec![Op::Like, Op::Unlike]), 0..256_u64)
                    .prop_map(move |(op, bits)| Test::Compare { field, op, values: vec![Operand::Int(bits, bits)] }),
                (order, 0..256_u64).prop_map(move |(op, bits)| Test::Compare {
                    field,
                    op,
                    values: vec![Operand::Int(bits, bits)]
                }),
            ]
            .boxed(),
            Kind::Ratio => (order, 0.0..1e9)
                .prop_map(move |(op, x)| Test::Compare { field, op, values: vec![Operand::Float(x, x)] })
                .boxed(),
            _ => (order, int(kind))
                .prop_map(move |(op, (a, _))| Test::Compare { field, op, values: vec![Operand::Int(a, a)] })
                .boxed(),
        };
        prop_oneof![equal, other].boxed()
    })
}

pub(super) fn test() -> impl Strategy<Value = Test> {
    let field = prop::sample::select(FIELDS.iter().map(|def| def.field).collect::<Vec<_>>());
    let span = (0..9_999_999_999_u64, 0..100_000_u64).prop_map(|(a, b)| Test::During(Window::Absolute(a, a + b)));
    prop_oneof![
        8 => compare(),
        1 => field.prop_map(Test::Has),
        1 => text().prop_filter("an empty search is an error", |text| !text.is_empty()).prop_map(Test::Contains),
        1 => pattern().prop_map(Test::Matches),
        1 => any::<u64>().prop_map(Test::Last),
        1 => span,
        1 => (0..86_400_u32, 0..86_400_u32).prop_map(|(a, b)| Test::During(Window::OfDay(a, b))),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    test().prop_map(Expr::Test).prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::and),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::or),
            inner.prop_map(Expr::negated),
        ]
    })
}

/// A row in which any field may be absent.
fn row() -> impl Strategy<Value = Made> {
    (any::<u64>(), any::<u64>()).prop_map(|(keep, variant)| {
        let mut made = session().set(Field::TcpFlags, variant % 256).set(Field::LogStatus, "OK");
        made = made.set(Field::DstPort, variant % 65_536).set(Field::Bytes, variant >> 20);
        let mut index = 0;
        made.0.retain(|_| {
            index += 1;
            keep >> index & 7 != 0
        });
        made
    })
}

/// The answer by definition, written without looking at the compiled form.
fn naive(expr: &Expr, row: &Made, stage: Stage) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| naive(part, row, stage)),
        Expr::Or(parts) => parts.iter().any(|part| naive(part, row, stage)),
        Expr::Not(inner) => !naive(inner, row, stage),
        Expr::Test(Test::Compare { field, op, values }) if *field != Field::Service && field.kind() != Kind::Ratio => {
            let exists = field.def().on != if stage == Stage::Flows { On::Sessions } else { On::Flows };
            let mut held = Vec::new();
            row.any(*field, &mut |value| {
                held.push(value.to_owned());
                false
            });
            let some = held.iter().any(|cell| values.iter().any(|operand| holds(cell, *op, operand)));
            exists && !held.is_empty() && some != op.is_negative()
        }
        // Services, quotients and searches are tested by example.
        Expr::Test(test) => Filter::parse_with(&test.to_string(), stage, &own_sets()).unwrap().matches(row, NOW),
    }
}

/// Whether one value passes one operand; for `!=` and `!~`, the twin without the negation.
fn holds(cell: &Cell, op: Op, operand: &Operand) -> bool {
    match (cell, operand) {
        (Cell::Int(number), Operand::Int(from, to)) => match op {
            Op::Lt => number < from,
            Op::Le => number <= from,
            Op::Gt => number > from,
            Op::Ge => number >= from,
            Op::Like | Op::Unlike => number & from == *from,
            _ => (from..=to).contains(&number),
        },
        (Cell::Addr(address), Operand::Addr(from, to)) => (from..=to).contains(&address),
        (Cell::Addr(address), Operand::Set(set)) => match &set.members {
            Members::Addrs(set) => set.ranges().any(|(from, to)| (from..=to).contains(address)),
            Members::Ports(_) => false,
        },
        (Cell::Int(number), Operand::Set(set)) => match &set.members {
            Members::Ports(ranges) => ranges.iter().any(|(from, to)| (from..=to).contains(&number)),
            Members::Addrs(_) => false,
        },
        (Cell::Text(text), Operand::Word(word)) => text.to_ascii_lowercase() == word.to_ascii_lowercase(),
        (Cell::Text(text), Operand::Glob(glob)) => {
            let parts: Vec<String> = glob.split('*').map(regex::escape).collect();
            regex::Regex::new(&format!("(?is)^{}$", parts.join(".*"))).unwrap().is_match(text)
        }
        (Cell::Text(text), Operand::Pattern(pattern)) => pattern.regex().is_match(text),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_printer_is_the_inverse_of_the_parser(expr in expr()) {
        let printed = expr.to_string();
        prop_assume!(printed.len() <= MAX_LEN);
        let parsed = Filter::parse_with(&printed, Stage::Flows, &own_sets()).map_err(|error| TestCaseError::fail(format!("{printed}: {error}")))?;
        prop_assert_eq!(parsed.expr(), &expr, "{}", printed);
        prop_assert_eq!(parsed.to_string(), printed);
    }

    #[test]
    fn any_text_is_a_filter_or_an_error_inside_it(text in "\\PC{0,60}") {
        survives(&text)?;
    }

    #[test]
    fn any_heap_of_tokens_is_a_filter_or_an_error_inside_it(
        text in "(port|src|bytes|ratio|eni-05|10/8|::1|22|1k|@10:32|2018-08-20|and|or|not|in|has|last|=|!=|<|~|:|,|-|\\(|\\)|\\{|\\}|\"|/|\\\\|\\$private| |\t|é){0,24}"
    ) {
        survives(&text)?;
    }

    #[test]
    fn any_heap_of_what_other_tools_write_is_a_filter_or_an_error_inside_it(
        words in prop::collection::vec(prop::sample::select(BORROWED), 0..12),
        glued in any::<bool>(),
    ) {
        survives(&words.join(if glued { "" } else { " " }))?;
    }

    #[test]
    fn what_is_said_to_match_nothing_matches_nothing(tests in prop::collection::vec(narrow_test(), 2..5)) {
        let text = tests.join(" ");
        let made = Filter::parse(&text, Stage::Flows).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        // A part that is never true may stand under a `not`.
        let says = |what: &str| made.warnings().iter().any(|warning| warning.message.contains(what));
        if !says("nothing matches") && !says("never true together") {
            return Ok(());
        }
        for number in 0..7_u64 {
            for word in ["", "a", "ab", "abc", "b"] {
                let address: IpAddr = [10, 0, 0, u8::try_from(number).unwrap()].into();
                let row = Made::default().set(Field::Bytes, number).set(Field::SrcAddr, Cell::Addr(address));
                let row = if word.is_empty() { row } else { row.set(Field::VpcId, Cell::Text(word.into())) };
                prop_assert!(!made.matches(&row, NOW), "{}: {:?}", text, row);
            }
        }
    }

    #[test]
    fn the_compiled_form_answers_as_the_definition_does(expr in expr(), row in row()) {
        for stage in [Stage::Flows, Stage::Sessions] {
            let printed = expr.to_string();
            prop_assume!(printed.len() <= MAX_LEN);
            let made = Filter::parse_with(&printed, stage, &own_sets()).map_err(|error| TestCaseError::fail(format!("{printed}: {error}")))?;
            prop_assert_eq!(made.matches(&row, NOW), naive(&expr, &row, stage), "{}", printed);
        }
    }
}

/// Pieces of other tools' languages, some of them halves.
const BORROWED: &[&str] = &[
    "src",
    "dst",
    "or",
    "and",
    "not",
    "host",
    "net",
    "port",
    "10",
    "10.0.0.1",
    "10.0.0.1:53",
    "[::1]:443",
    "->",
    "→",
    "any",
    "tcp/443",
    "udp:53",
    ",",
    "is",
    "null",
    "between",
    "1",
    "5",
    "in",
    "(",
    ")",
    "[",
    "]",
    "TO",
    "*",
    "bytes",
    "start",
    "timestamp",
    "'2018-08-20'",
    "2018-08-20",
    "15:26",
    "cidrmatch",
    "ispresent",
    "isnull",
    "strcontains",
    "@message",
    "like",
    "contains",
    "'10.0.%'",
    "\"srcaddr\"",
    "`srcAddr`",
    "=",
    "flags",
    "has",
    "SA",
    "0x12",
    "mask",
    "255.0.0.0",
    "ip",
    "proto",
    "\\udp",
    "filter",
    "where",
    ";",
    "parsecs",
    "MB",
    "1_000",
    "1e6",
    "vpc",
    "/x/",
    "$private",
];

/// A test of one of three fields, of few values.
fn narrow_test() -> impl Strategy<Value = String> {
    let number = (prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]), 0..7_u64)
        .prop_map(|(op, n)| format!("bytes {op} {n}"));
    let range = (0..7_u64, 0..7_u64).prop_map(|(a, b)| format!("bytes = {}-{}", a.min(b), a.max(b)));
    let address = prop_oneof![
        (0..7_u8, any::<bool>()).prop_map(|(n, not)| format!("src {} 10.0.0.{n}", if not { "!=" } else { "=" })),
        prop::sample::select(vec!["src 10.0.0.0/30", "src 10.0.0.4/30", "src $public", "src $private"])
            .prop_map(str::to_owned),
    ];
    let text = (any::<bool>(), prop::sample::select(vec!["a", "ab", "abc", "a*", "ab*", "b*", "{a, b}"]))
        .prop_map(|(not, word)| format!("vpc {} {word}", if not { "!=" } else { "=" }));
    let test = prop_oneof![number, range, address, text];
    (test, prop::bool::weighted(0.2)).prop_map(|(test, not)| if not { format!("not ({test})") } else { test })
}

/// Parses in both stages: an error lies inside the text, a filter survives being printed and read.
fn survives(text: &str) -> Result<(), TestCaseError> {
    for stage in [Stage::Flows, Stage::Sessions] {
        match Filter::parse(text, stage) {
            Err(error) => prop_assert!(text.get(error.span.clone()).is_some(), "{:?}: {:?}", text, error),
            Ok(made) => {
                for warning in made.warnings() {
                    prop_assert!(text.get(warning.span.clone()).is_some());
                }
                let again = Filter::parse(&made.to_string(), stage);
                prop_assert_eq!(again.as_ref().map_err(ToString::to_string), Ok(&made), "{:?}", text);
                made.matches(&trigger(), NOW);
            }
        }
    }
    Ok(())
}
