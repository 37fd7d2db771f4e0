use super::*;

#[test]
fn a_trial_is_the_same_each_time_and_every_line_of_it_is_a_record() {
    let (one, two) = (trial(3, true), trial(3, true));
    assert_eq!(one.lines, two.lines);
    let bytes = one.lines.join("\n").into_bytes();
    let decoded = Decoder::new(None).decode(&Batch { bytes, ..Batch::default() });
    assert!(decoded.rejects.is_empty(), "{:?}", decoded.rejects.first());
    assert!(one.lines.len() > 100_000, "{}", one.lines.len());
    assert_ne!(one.lines, trial(4, true).lines);
}

#[test]
fn what_others_publish_reads_as_rules() {
    let sets = published().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(sets.len(), 7);
    assert!(sets.iter().all(|(_, rules)| rules.iter().all(|rule| rule.enabled)));
}
