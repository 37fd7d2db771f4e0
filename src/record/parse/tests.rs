//! Lines of every spelling, good and bad.

use super::*;
use crate::record::table::Table;

fn read(line: &str) -> (Columns, Result<Parsed, LineError>) {
    let mut columns = Columns::new();
    let format = Format::default_v2();
    let result = LineParser::new().parse(line.as_bytes(), Known::Guess(&format), &mut columns);
    (columns, result)
}

fn rendered(line: &str) -> String {
    let (columns, result) = read(line);
    assert_eq!(result, Ok(Parsed::Row), "{line}");
    let mut out = String::new();
    columns.render_line(0, &mut out);
    out
}

const TRIGGER: &str = "2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK";

#[test]
fn a_default_line_is_read_whole() {
    let (columns, result) = read(TRIGGER);
    assert_eq!(result, Ok(Parsed::Row));
    assert_eq!(columns.word(Field::AccountId, 0), Some("622676721278"));
    assert_eq!(columns.address(Field::DstAddr, 0), Some("172.16.0.178".parse().unwrap()));
    assert_eq!(columns.number(Field::DstPort, 0), Some(11211));
    assert_eq!(columns.number(Field::Bytes, 0), Some(50));
    assert_eq!(columns.time(0), 1_534_778_866);
}

#[test]
fn lines_render_as_they_were_logged() {
    for line in [
        TRIGGER,
        "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA",
        "2 unknown eni-1 2001:db8::1 2001:db8::2 34892 22 6 54 8855 1477913708 1477913820 ACCEPT OK",
        "2 000000000010 eni-1 2001:db8:0:0:0:0:0:1 2001:0db8::2 0 0 58 04 8855 1477913708 1477913820 ACCEPT OK",
        "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1477913708123 1477913820456 ACCEPT OK",
        "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1477913708 1477913820 ACCEPT OK further columns",
    ] {
        assert_eq!(rendered(line), line);
    }
    assert_eq!(
        rendered("2  1\teni-1 10.0.0.1   10.0.0.2 1 2 6 5 500 1 2 ACCEPT OK\r"),
        "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1 2 ACCEPT OK"
    );
}

#[test]
fn absent_is_not_zero() {
    let (columns, _) = read("2 123456789010 eni-1 - - 0 - - - 0 1431280876 1431280934 - OK");
    assert_eq!(columns.number(Field::SrcPort, 0), Some(0));
    assert_eq!(columns.number(Field::DstPort, 0), None);
    assert_eq!(columns.number(Field::Packets, 0), None);
    assert_eq!(columns.number(Field::Bytes, 0), Some(0));
}

#[test]
fn only_a_time_of_digits_stands_before_a_record() {
    // Found by fuzzing: bytes that are no digits at the places of digits.
    let line = [b"20\xcc\xc7-08-20T15:26:46.000Z ".as_slice(), TRIGGER.as_bytes()].concat();
    let mut columns = Columns::new();
    let known = Format::default_v2();
    let result = LineParser::new().parse(&line, Known::Guess(&known), &mut columns);
    assert_eq!(result, Err(LineError::NotText));
}

#[test]
fn what_lies_beyond_the_tokens_looked_at_is_kept() {
    let line = format!("2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1 2 ACCEPT OK{}", " more".repeat(400));
    assert_eq!(rendered(&line), line);
}

#[test]
fn a_bad_line_leaves_nothing_behind() {
    for line in [
        "2 1 eni-1 10.0.0.1 10.0.0.2 1 70000 6 5 500 1 2 ACCEPT OK",
        "2 1 eni-1 10.0.0.256 10.0.0.2 1 2 6 5 500 1 2 ACCEPT OK",
        "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 99999999999999999999 1 2 ACCEPT OK",
        "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 300 5 500 1 2 ACCEPT OK",
        "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1 2 ACCEPT",
        "",
        "one two three",
    ] {
        let (columns, result) = read(line);
        assert!(result.is_err(), "{line}");
        assert!(columns.is_empty());
        assert_eq!(columns.code(Field::AccountId, 0), 0, "{line}");
    }
}

#[test]
fn other_layouts_are_guessed_by_count_and_type() {
    let (columns, result) = read(
        "123456789010 ACCEPT use1-az1 500 10.0.0.2 443 1600000060 egress i-1 eni-1 OK 5 - 10.0.0.2 - 10.0.0.1 6 us-east-1 10.0.0.1 50000 1600000000 - - subnet-1 19 1 IPv4 5 vpc-1",
    );
    assert_eq!(result, Ok(Parsed::Row));
    assert_eq!(columns.format(0).label(), "all of version 5, alphabetical");
    assert_eq!(columns.number(Field::TcpFlags, 0), Some(19));
}

#[test]
fn an_export_with_iso_times_is_read() {
    for before in [
        "2018-08-20T15:26:46.000Z",
        "2018-08-20T15:26:46",
        "2018-08-20T15:26:46.000000+00:00 eni-0536faba73134a9b7-all",
    ] {
        let (columns, result) = read(&format!("{before} {TRIGGER}"));
        assert_eq!(result, Ok(Parsed::Row), "{before}");
        assert_eq!(columns.number(Field::SrcPort, 0), Some(40396));
    }
}

#[test]
fn values_that_were_named_are_not_taken_for_others() {
    // As flattened JSON gives it: fourteen fields in an order of its own, the port not a port. As the default format it would be a record.
    let line = "2 1 eni-1 10.0.0.1 10.0.0.2 70000 2 6 5 500 1 2 ACCEPT OK";
    let fields = [
        Field::Version,
        Field::AccountId,
        Field::InterfaceId,
        Field::SrcAddr,
        Field::DstAddr,
        Field::DstPort,
        Field::SrcPort,
        Field::Protocol,
        Field::Packets,
        Field::Bytes,
        Field::Start,
        Field::End,
        Field::Action,
        Field::LogStatus,
    ];
    let format = Arc::new(Format::of(&fields));
    let mut columns = Columns::new();
    let refused = LineParser::new().parse(line.as_bytes(), Known::Named(&format), &mut columns);
    assert_eq!(refused, Err(LineError::BadValue { field: Field::DstPort, token: "70000".to_owned() }));
    let swapped = "10.0.0.1 2 3 4 1 eni-1 10.0.0.2 70 2 6 5 500 1 2";
    let refused = LineParser::new().parse(swapped.as_bytes(), Known::Named(&format), &mut columns);
    assert!(matches!(refused, Err(LineError::BadValue { field: Field::Version, .. })), "{refused:?}");
    let few = LineParser::new().parse(b"2 1 eni-1", Known::Named(&format), &mut columns);
    assert!(matches!(few, Err(LineError::TooFew { found: 3, expected: 14, .. })), "{few:?}");
    assert!(columns.is_empty());

    // What only its names say is refused where it would be another layout's record.
    let default = "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 5 500 1 2 ACCEPT OK";
    let mut reversed = fields;
    reversed.reverse();
    let format = Arc::new(Format::of(&reversed));
    assert!(LineParser::new().parse(default.as_bytes(), Known::Said(&format), &mut columns).is_ok());
    assert!(LineParser::new().parse(default.as_bytes(), Known::Named(&format), &mut columns).is_err());
}

#[test]
fn one_field_is_not_called_several() {
    assert_eq!(
        LineError::NoFormat(1).to_string(),
        "1 field fits no known format; name it with --format or a header line"
    );
    assert_eq!(
        LineError::NoFormat(3).to_string(),
        "3 fields fit no known format; name it with --format or a header line"
    );
}
