//! The table and the tests name each other.

use std::collections::BTreeSet;

fn tests_of(source: &str) -> impl Iterator<Item = &str> {
    source.split("#[test]\nfn ").skip(1).map(|rest| rest.split('(').next().unwrap_or_default())
}

#[test]
fn each_row_names_its_test_and_each_test_has_a_row() {
    let page = include_str!("../../docs/comparison.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")).collect();
    assert!(rows.len() > 20, "{} rows", rows.len());
    let mut named = BTreeSet::new();
    for row in rows {
        let last = row.trim_end_matches(" |").rsplit("| ").next().unwrap_or_default();
        let test = last.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        let test = test.unwrap_or_else(|| panic!("no test at the end of {row}"));
        assert!(named.insert(test), "{test} backs two rows");
    }
    let written: BTreeSet<&str> = [include_str!("layouts.rs"), include_str!("edges.rs"), include_str!("wrapped.rs")]
        .into_iter()
        .flat_map(tests_of)
        .collect();
    assert_eq!(named, written);
}
