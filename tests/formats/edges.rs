//! Rows about values, white space, bad lines and wrappings.

use std::io::Write as _;
use std::process::Command;

use flate2::{Compression, write::GzEncoder};

use super::*;

#[test]
fn absent_is_not_zero() {
    let (out, _) = guessed("2 004455667788 - 10.0.0.1 10.0.0.2 0 - - - 0 1700000000 1700000060 - OK");
    assert_eq!((out.columns.number(Field::SrcPort, 0), out.columns.number(Field::DstPort, 0)), (Some(0), None));
    assert_eq!((out.columns.number(Field::Bytes, 0), word(&out, Field::InterfaceId)), (Some(0), None));
}

#[test]
fn nodata_and_skipdata() {
    for status in ["NODATA", "SKIPDATA"] {
        let (out, _) =
            guessed(&format!("2 004455667788 eni-0abc1234def567890 - - - - - - - 1700000000 1700000060 - {status}"));
        assert_eq!((word(&out, Field::LogStatus), out.columns.address(Field::SrcAddr, 0)), (Some(status), None));
    }
}

#[test]
fn leading_zeros_of_an_account() {
    assert_eq!(word(&guessed(V2).0, Field::AccountId), Some("004455667788"));
}

#[test]
fn account_unknown() {
    assert_eq!(word(&guessed(&V2.replace("004455667788", "unknown")).0, Field::AccountId), Some("unknown"));
}

#[test]
fn milliseconds() {
    let (out, _) = guessed(&V2.replace("1700000055", "1700000055123"));
    assert_eq!(out.columns.number(Field::End, 0), Some(1_700_000_055));
}

#[test]
fn uncompressed_ipv6() {
    let (out, _) = guessed(&V2.replace("10.0.1.20", "2001:db8:0:0:0:0:0:1"));
    assert_eq!(out.columns.address(Field::DstAddr, 0), Some("2001:db8::1".parse().unwrap()));
}

#[test]
fn percent_encoded_tags() {
    let out = decode(Some("instance-tag srcaddr"), "caf%C3%A9%20bar 10.0.0.1");
    assert_eq!(lines(&out), ["caf%C3%A9%20bar 10.0.0.1"]);
}

#[test]
fn impossible_values() {
    for (from, to) in [(" 443 ", " 70443 "), ("10.0.1.20", "10.0.1.256"), (" 6 ", " 256 "), (" 12 ", " 1x ")] {
        let out = decode(None, V2.replacen(from, to, 1));
        assert_eq!((out.columns.len(), out.rejects.len()), (0, 1), "{to}");
    }
}

#[test]
fn given_back_as_logged() {
    let odd = "2 000000000010 eni-1 2001:0db8::2 10.0.0.1 0 0 58 04 0 1700000000123 1700000060456 - OK";
    assert_eq!(lines(&decode(None, format!("{V2}\n{odd}"))), [V2, odd]);
}

#[test]
fn white_space() {
    let spaced = V2.replacen(' ', "  ", 3).replacen(" 6 ", "\t6 ", 1);
    assert_eq!(lines(&decode(None, format!("  {spaced}\r\n\n{V2}"))), [V2, V2]);
}

#[test]
fn trailing_columns() {
    let more = format!("{V2} new-field 17");
    assert_eq!(lines(&decode(None, format!("{more}\n{V2}"))), [more.as_str(), V2]);
}

#[test]
fn too_few_fields() {
    let out = decode(Some(HEADER), "2 004455667788 eni-0abc1234def567890 198.51.100.7");
    assert_eq!((out.columns.len(), out.rejects[0].error.reason()), (0, "too-few-fields"));
}

#[test]
fn a_bad_line_among_good_ones() {
    let out = decode(None, format!("{V2}\nnot a record\n{V2}"));
    assert_eq!(lines(&out), [V2, V2]);
    assert_eq!((out.rejects[0].line, &*out.rejects[0].text), (2, "not a record"));
}

#[test]
fn not_utf_8() {
    let bad = [V2.replace("ACCEPT", "ACC").as_bytes(), b" \xff\xfe\n\xff\n", V2.as_bytes()].concat();
    let out = decode(Some(HEADER), bad);
    assert_eq!((out.lines, lines(&out).last().map(String::as_str)), (3, Some(V2)));
}

#[test]
fn a_huge_line() {
    let out = decode(None, format!("{}\n{V2}", "x".repeat(4 << 20)));
    assert_eq!((lines(&out), out.rejects[0].error.reason()), (vec![V2.to_owned()], "too-long"));
    assert!(out.rejects[0].text.len() <= 1024);
}

#[test]
fn exported_with_times() {
    let text = format!("2023-11-14T22:13:20.000Z {V2}\n2023-11-14T22:13:20 eni-0abc1234def567890-all {V2}");
    assert_eq!(lines(&decode(None, text)), [V2, V2]);
}

#[test]
fn gzip_of_several_members() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.log.gz");
    let mut bytes = Vec::new();
    for text in [format!("{HEADER}\n{V2}\n"), format!("{V2}\n")] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        bytes.extend(encoder.finish().unwrap());
    }
    std::fs::write(&path, bytes).unwrap();
    let run =
        Command::new(env!("CARGO_BIN_EXE_flowtail")).arg("open").arg(&path).args(["--as", "log"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stdout), format!("{V2}\n{V2}\n"));
}
