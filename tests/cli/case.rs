//! `--case`: at the end of a run without a screen, a page and the records it is about, which another person can check and run again.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

use super::{FOUNDING, arg, feed, file};

#[test]
fn a_case_names_its_records_and_their_digest_and_can_be_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("case.md");
    let with = |more: &[&str]| {
        let mut args = vec!["open", "-", "--case", arg(&page), "--filter", "dstport = 11211"];
        args.extend(["--change", "2018-08-20 15:26:46 isolated"]);
        args.extend(more);
        feed(&args, FOUNDING.as_bytes())
    };
    let run = with(&["--print", "summary"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let text = std::fs::read_to_string(&page).unwrap();
    for part in [
        "# Case: ",
        "## What was looked at",
        "Filter: `dstport = 11211`",
        "## What is missing",
        "AMP-PROBE",
        "sha256sum -c",
        "Change marked: 2018-08-20 15:26:46 isolated",
        "--filter 'dstport = 11211' --change '2018-08-20 15:26:46 isolated'",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    // The records lie beside it, are those of the filter, and have the digest that the page names.
    let mut beside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    beside.retain(|path| *path != page);
    let [records] = &beside[..] else { panic!("one file of records: {beside:?}") };
    let bytes = std::fs::read(records).unwrap();
    let mut digest = String::new();
    for byte in Sha256::digest(&bytes) {
        write!(digest, "{byte:02x}").expect("text");
    }
    assert!(text.contains(&digest), "{digest} is not in\n{text}");
    assert!(text.contains(records.file_name().unwrap().to_str().unwrap()), "{text}");
    let again = feed(&["open", "-", "--print", "flows", "--as", "log", "--filter", "dstport = 11211"], &bytes);
    assert_eq!(again.out.lines().count(), 2, "{again:?}");
    // What is there stays as it is.
    let refused = with(&["--print", "summary"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("--case") && refused.err.contains("is there already"), "{}", refused.err);
    assert_eq!(std::fs::read_to_string(&page).unwrap(), text);
}

#[test]
fn a_case_that_cannot_be_written_is_an_error_beside_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("no-such-folder/case.md");
    let run = feed(&["open", "-", "--print", "flows", "--as", "log", "--case", arg(&page)], FOUNDING.as_bytes());
    assert_eq!((run.code, run.out.lines().count()), (Some(2), FOUNDING.lines().count()), "{run:?}");
    assert!(run.err.contains("cannot be written"), "{}", run.err);
}

#[test]
fn names_are_sets_of_filters_without_a_screen_too() {
    let folder = tempfile::tempdir().unwrap();
    let names = file(folder.path(), "names.csv", "address-or-eni,name\n13.125.33.130,mallory\n172.16.0.178,cache 1\n");
    let rows = |filter: &str| {
        feed(
            &["open", "-", "--print", "flows", "--as", "log", "--names", arg(&names), "--filter", filter],
            FOUNDING.as_bytes(),
        )
    };
    assert_eq!(rows("src in $mallory and dst $cache-1").out.lines().count(), 2);
    assert_eq!(rows("not ip in $mallory").code, Some(1));
    let bad = file(folder.path(), "names.csv", "10.0.0.1,a\nb,c\n");
    let run = feed(&["open", "-", "--print", "flows", "--names", arg(&bad)], FOUNDING.as_bytes());
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("names.csv: line 2: `b` is no address and no interface"), "{}", run.err);
}
