//! The answer over columns is the answer row by row, whatever is asked of whatever rows.

use proptest::prelude::*;

use super::*;
use crate::filter::columns::Bound;
use crate::record::places::{self, Part, Place, Places};
use crate::record::{Batch, Columns, Decoder, Format, RowRef, Table as _};
use crate::store::{Columnar, Open, Remap, Segment};

/// Tests that some of [`lines`] pass and others do not, of every kind of field and every way that a test is asked.
const ASKED: &[&str] = &[
    "443",
    "ccep",
    "not 'pc-a'",
    "'b8:'",
    "'-1'",
    "'.9'",
    "port != 443",
    "port in {22, 53, 80, 123, 443, 8000-9000}",
    "dport not in {22, 53, 80, 123, 443, 8000-9000}",
    "port in {22, 53}",
    "sport > 1023",
    "port < 1",
    "10.0.0.0/8",
    "ip != 10.0.0.1",
    "src $private",
    "dst in $public",
    "dst not in $public",
    "pktsrc 10.0.0.1",
    "::ffff:10.0.0.1",
    "ip in {10.0.0.1, 2001:db8::/32, 192.0.2.7}",
    "ipv6",
    "bytes > 1000",
    "bytes != 40",
    "bytes:40-1500",
    "bytes >= 0",
    "packets = 1",
    "flags ~ syn",
    "flags !~ syn",
    "flags = syn-ack",
    "flags in {1, 4, 18}",
    "has bytes",
    "has port",
    "has ip",
    "has tcp-flags",
    "has duration",
    "has size",
    "has lag",
    "has service",
    "duration > 30s",
    "duration != 60",
    "size > 100",
    "size in {40, 60}",
    "lag > 1s",
    "udp",
    "proto != 6",
    "proto > 6",
    "https",
    "service != https",
    "service in {dns, ssh}",
    "service ~ /^d/",
    "reject",
    "action != ACCEPT",
    "nodata",
    "eni-1*",
    "eni = eni-2",
    "eni != eni-2",
    "vpc ~ /a$/",
    "vpc !~ /a$/",
    "vpc = VPC-A",
    "/443 /",
    "/443/",
    "/0\\.0/",
    "/ 443 .* ACCEPT/",
    "/(reject|nodata) ok|.* 53 /i",
    "/40 153477/",
    "/15347788?/",
    "/10\\.0\\.0\\.1 (443|22|8\\d+) /",
    "/^2 .*::1 10/",
    "/000000 /",
    "/skipdata|accept/i",
    "\" 53 \"",
    "\"15347788\"",
    "\"1 8.8.8\"",
    "\"0\"",
    "\"reject\"",
    "/./",
    "last 1m",
    "@15:26..15:27",
    "@23:50..00:10",
    "@2018-08-20T15:26..2018-08-20T15:27",
    "start <= 2018-08-20T15:26:46Z",
    "end >= 2018-08-20T15:27:46Z",
    "version = 2",
    "interface-tag = x",
    "client 10.0.0.1",
    "has ratio",
    "country = US",
    "country != us",
    "src-country in {US, KR}",
    "dst-country ~ /^k/i",
    "has dst-country",
    "not has country",
    "asn = AS15169",
    "asn != 15169",
    "dst-asn > 100",
    "org = GOOG*",
    "src-org !~ /e$/",
    "has src-org",
];

/// A database of three addresses. It is not said what it is about, so that other tests of this process find no fields that they do not know.
struct Known;

impl Places for Known {
    fn place(&self, address: IpAddr) -> Place<'_> {
        match address.to_string().as_str() {
            "8.8.8.8" => Place { country: Some("US"), asn: Some(15_169), org: Some("GOOGLE") },
            "2001:db8::1" => Place { country: Some("KR"), asn: Some(99), org: None },
            "192.0.2.7" => Place { org: Some("Nowhere"), ..Place::default() },
            _ => Place::default(),
        }
    }

    fn tells(&self, _: Part) -> bool {
        false
    }
}

/// One of the tests, one with any value at all, or some of them joined.
fn asked() -> impl Strategy<Value = String> {
    let any = super::properties::test().prop_map(|test| test.to_string());
    let one = prop_oneof![4 => prop::sample::select(ASKED).prop_map(str::to_owned), 1 => any];
    one.prop_recursive(4, 12, 3, |inner| {
        let parts = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts.clone().prop_map(|parts| format!("({})", parts.join(" and "))),
            parts.prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}

/// A token of `field`, mostly one that the tests ask for.
fn token(field: Field) -> BoxedStrategy<String> {
    let of = |tokens: &'static [&'static str]| prop::sample::select(tokens).prop_map(str::to_owned).boxed();
    match field {
        Field::SrcAddr | Field::DstAddr | Field::PktSrcAddr => {
            of(&["10.0.0.1", "10.9.9.9", "192.0.2.7", "8.8.8.8", "2001:db8::1", "fd00::1", "::ffff:10.0.0.1", "-"])
        }
        Field::SrcPort | Field::DstPort => prop_oneof![
            of(&["443", "53", "22", "0", "65535", "8080", "-"]),
            (0..=65_535_u16).prop_map(|n| n.to_string())
        ]
        .boxed(),
        Field::Protocol => of(&["6", "17", "1", "-"]),
        Field::Packets => of(&["0", "1", "7", "-"]),
        Field::Bytes => prop_oneof![of(&["40", "1500", "60", "5000000000", "18446744073709551614", "-"])].boxed(),
        Field::Start => of(&["1534778743", "1534778806", "1534778700", "0", "-"]),
        Field::End => of(&["1534778802", "1534778866", "1534778743", "99999999999", "-"]),
        Field::Action => of(&["ACCEPT", "REJECT", "-"]),
        Field::TcpFlags => of(&["0", "2", "18", "1", "255", "-"]),
        Field::VpcId => of(&["vpc-a", "vpc-b", "-"]),
        Field::InterfaceId => of(&["eni-1", "eni-2", "eni-12"]),
        Field::LogStatus => of(&["OK", "NODATA"]),
        _ => of(&["2"]),
    }
}

const FIELDS_OF_A_LINE: [Field; 15] = [
    Field::Version,
    Field::InterfaceId,
    Field::SrcAddr,
    Field::DstAddr,
    Field::PktSrcAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::Packets,
    Field::Bytes,
    Field::Start,
    Field::End,
    Field::Action,
    Field::TcpFlags,
    Field::VpcId,
];

/// Rows of one format; some columns are the same throughout.
fn rows() -> impl Strategy<Value = Columns> {
    let line = || FIELDS_OF_A_LINE.map(token).to_vec();
    (prop::collection::vec(line(), 1..40), line(), any::<u16>()).prop_map(|(mut lines, first, same)| {
        for line in &mut lines {
            for (place, token) in line.iter_mut().enumerate().filter(|(place, _)| same >> place & 1 == 1) {
                token.clone_from(&first[place]);
            }
        }
        let names: Vec<&str> = FIELDS_OF_A_LINE.iter().map(|field| field.name()).collect();
        let text = lines.iter().map(|line| line.join(" ") + "\n").collect::<String>();
        let format = Format::parse(&names.join(" ")).expect("a format");
        let batch = Batch { bytes: text.into(), first_line: 1, ..Batch::default() };
        let decoded = Decoder::new(Some(format)).decode(&batch);
        assert_eq!(decoded.columns.len(), lines.len(), "{:?}", decoded.rejects);
        decoded.columns
    })
}

fn selected<T: Columnar>(bound: &Bound<'_>, table: &T) -> Vec<usize> {
    let mut rows = Vec::new();
    // In two cuts, as a pass in slices makes them.
    let middle = table.len() / 3;
    bound.select(table, 0..middle, &mut rows);
    bound.select(table, middle..table.len(), &mut rows);
    rows.into_iter().map(usize::from).collect()
}

/// Asserts that `filter` and `window` select the same rows of the open and of the sealed table as row by row.
fn agree(filter: Option<&Filter>, window: Option<(i64, i64)>, columns: &Columns) -> Result<(), TestCaseError> {
    fn one_by_one<T: Columnar>(filter: Option<&Filter>, window: Option<(i64, i64)>, table: &T) -> Vec<usize> {
        let passes = |row: &usize| {
            let row = RowRef { table, row: *row };
            let time = crate::record::seconds(table.time(row.row));
            let touches = window.is_none_or(|(from, to)| (from..=to).contains(&time));
            touches && filter.is_none_or(|filter| filter.matches(&row, NOW))
        };
        (0..table.len()).filter(passes).collect()
    }
    let mut table = Open::default();
    table.append(columns, 0..columns.len(), &mut Remap::default());
    let open = Bound::new(filter, window, &table, NOW);
    let expected = one_by_one(filter, window, &table);
    prop_assert_eq!(&selected(&open, &table), &expected, "open: {:?}", open);
    let segment = Segment::seal(&mut table, 0);
    prop_assert_eq!(&one_by_one(filter, window, &segment), &expected);
    let sealed = Bound::new(filter, window, &segment, NOW);
    prop_assert_eq!(&selected(&sealed, &segment), &expected, "sealed: {:?}", sealed);
    prop_assert!(!sealed.is_none() || expected.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_answer_as_rows_do(text in asked(), columns in rows()) {
        prop_assume!(text.len() <= crate::filter::MAX_LEN);
        let Ok(filter) = Filter::parse_with(&text, Stage::Flows, &super::properties::own_sets()) else {
            return Err(TestCaseError::reject("too long"));
        };
        places::install(Known);
        agree(Some(&filter), None, &columns)?;
    }

    #[test]
    fn a_window_of_time_is_a_test_like_others(
        text in prop::option::of(prop::sample::select(ASKED)),
        from in prop_oneof![1_534_778_600..1_534_778_900_i64, any::<i64>()],
        to in prop_oneof![1_534_778_600..1_534_778_900_i64, any::<i64>()],
        columns in rows(),
    ) {
        let filter = text.map(|text| filter(text, Stage::Flows));
        places::install(Known);
        agree(filter.as_ref(), Some((from, to)), &columns)?;
    }
}

/// The list above is only as good as what it tells apart.
#[test]
fn every_test_of_the_list_passes_some_row_and_not_others() {
    use proptest::strategy::ValueTree as _;
    places::install(Known);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let tables: Vec<Columns> = (0..200).map(|_| rows().new_tree(&mut runner).expect("rows").current()).collect();
    for text in ASKED {
        let made = filter(text, Stage::Flows);
        let mut answers = [0, 0];
        for columns in &tables {
            for row in 0..columns.len() {
                answers[usize::from(made.matches(&RowRef { table: columns, row }, NOW))] += 1;
            }
        }
        let never = ["/./", "nodata", "has lag", "lag > 1s", "interface-tag = x", "client 10.0.0.1", "has ratio"];
        let always = answers[0] == 0 && matches!(*text, "/./" | "version = 2");
        assert!(never.contains(text) || always || (answers[0] > 0 && answers[1] > 0), "{text}: {answers:?}");
    }
}
