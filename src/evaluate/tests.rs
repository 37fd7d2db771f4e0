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

/// On trials that nothing was tuned on. The figures of ten are in `benches/README.md`; two are enough to see a rule break.
#[test]
fn built_in_rules_find_what_they_are_for_and_are_quiet() {
    let rules = Rules::builtin().unwrap_or_else(|error| panic!("{error}"));
    let score = evaluate(&rules, [1_001, 1_002], true);
    let families = score.families();
    let share = |family: &str| {
        let found = &families[family];
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let share = found.found as f64 / found.attacks as f64;
        share
    };
    let whole = [
        "scan, vertical",
        "scan, horizontal",
        "brute force",
        "exposed service",
        "flood",
        "mining",
        "tunnel",
        "amplification, search",
    ];
    for family in whole {
        assert!(share(family) >= 1.0, "{family}: {}", summary(&score));
    }
    assert!(share("amplification") >= 0.85 && share("amplification, victim") >= 0.85, "{}", summary(&score));
    assert!(share("exfiltration") >= 0.75, "{}", summary(&score));
    let wrong: u64 = score.wrong.values().sum();
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let hourly = wrong as f64 / score.hours;
    assert!(hourly <= 5.0, "{hourly} false alerts an hour\n{}\n{}", summary(&score), score.examples.join("\n"));
}
