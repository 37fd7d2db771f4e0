//! Rows about formats.

use flowtail::record::{FIELDS, Kind};

use super::*;

/// A line with a value of the right type for each field.
fn line_of(fields: &[Field]) -> String {
    let value = |field: &Field| match (field, field.kind()) {
        (Field::Action, _) => "ACCEPT".to_owned(),
        (Field::LogStatus, _) => "OK".to_owned(),
        (Field::Start, _) => "1700000000".to_owned(),
        (Field::End, _) => "1700000060".to_owned(),
        (_, Kind::Addr) => "10.0.0.9".to_owned(),
        (_, Kind::Text) => format!("{}-x1", field.name()),
        _ => "7".to_owned(),
    };
    fields.iter().map(value).collect::<Vec<_>>().join(" ")
}

fn upto(version: u8) -> Vec<Field> {
    FIELDS.iter().filter(|def| (2..=version).contains(&def.since) && def.since != 6).map(|def| def.field).collect()
}

/// All fields up to a version in the documented order, guessed, given back and each with its value.
#[track_caller]
fn all_of(version: u8, count: usize) {
    let fields = upto(version);
    assert_eq!(fields.len(), count);
    let line = line_of(&fields);
    let (out, _) = guessed(&line);
    for (field, token) in fields.iter().zip(line.split(' ')) {
        let value = match field.kind() {
            Kind::Addr => out.columns.address(*field, 0).map(|addr| addr.to_string()),
            Kind::Text => word(&out, *field).map(str::to_owned),
            _ => out.columns.number(*field, 0).map(|number| number.to_string()),
        };
        assert_eq!(value.as_deref(), Some(token), "{}", field.name());
    }
}

#[test]
fn version_2() {
    assert_eq!(guessed(V2).1, "default (version 2)");
    all_of(2, 14);
}

#[test]
fn version_3() {
    all_of(3, 21);
}

#[test]
fn version_4() {
    all_of(4, 25);
}

#[test]
fn version_5() {
    all_of(5, 29);
}

#[test]
fn version_7() {
    all_of(7, 39);
}

#[test]
fn version_8() {
    all_of(8, 40);
}

#[test]
fn versions_9_to_11() {
    all_of(9, 41);
    all_of(10, 42);
    all_of(11, 54);
}

#[test]
fn transit_gateway() {
    let line = "6 TransitGateway 004455667788 tgw-0a1 tgw-attach-0b2 111122223333 444455556666 vpc-01 vpc-02 subnet-01 subnet-02 eni-01 eni-02 \
                use1-az1 use1-az2 tgw-attach-0c3 10.0.0.1 10.1.0.1 50000 443 6 5 500 1700000000 1700000060 OK IPv4 0 1 2 3 19 us-east-1 ingress - -";
    let (out, label) = guessed(line);
    assert_eq!(label, "Transit Gateway default");
    assert_eq!(word(&out, Field::named("tgw-pair-attachment-id").unwrap()), Some("tgw-attach-0c3"));
    assert_eq!(out.columns.number(Field::PacketsLostTtlExpired, 0), Some(3));
}

#[test]
fn custom_order() {
    let out = decode(Some("dstaddr bytes srcaddr"), "10.0.0.2 77 10.0.0.1");
    assert_eq!(lines(&out), ["10.0.0.2 77 10.0.0.1"]);
    assert_eq!(out.columns.number(Field::Bytes, 0), Some(77));
}

#[test]
fn spellings_of_a_format() {
    for format in ["${account-id} ${pkt-srcaddr}", "account_id pkt_srcaddr", "account-id,pkt-srcaddr"] {
        assert_eq!(
            word(&decode(Some(format), "004455667788 10.0.0.1"), Field::AccountId),
            Some("004455667788"),
            "{format}"
        );
    }
}

#[test]
fn alphabetical_29() {
    let mut fields = upto(5);
    fields.sort_by_key(|field| field.name());
    assert_eq!(guessed(&line_of(&fields)).1, "all of version 5, alphabetical");
}

#[test]
fn unknown_field_name() {
    let out = decode(None, "srcaddr dstaddr bytes colour\n10.0.0.1 10.0.0.2 77 red\n");
    assert_eq!(lines(&out), ["10.0.0.1 10.0.0.2 77 red"]);
    assert_eq!(out.remarks.len(), 1, "the user is told: {:?}", out.remarks);
}

#[test]
fn interleaved_formats() {
    let v3 = line_of(&upto(3));
    let out = decode(None, format!("{V2}\n{v3}\n{V2}\n{v3}"));
    assert_eq!(lines(&out), [V2, &v3, V2, &v3]);
}

#[test]
fn header_line() {
    let out = decode(None, format!("{HEADER}\n{V2}"));
    assert_eq!((out.headers, lines(&out)), (1, vec![V2.to_owned()]));
}

#[test]
fn header_mid_file() {
    let out = decode(None, format!("{HEADER}\n{V2}\nsrcaddr dstaddr bytes\n10.0.0.1 10.0.0.2 77\n"));
    assert_eq!(out.headers, 2);
    assert_eq!(lines(&out), [V2, "10.0.0.1 10.0.0.2 77"]);
    assert_eq!(out.columns.number(Field::Bytes, 1), Some(77));
}
