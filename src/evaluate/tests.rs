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

/// An alert that names somebody without reason is false, whomever else it names; and what it names beyond its message was not said.
#[test]
fn an_alert_that_speaks_for_many_answers_for_each_of_them() {
    let rules = Rules::builtin().unwrap_or_else(|error| panic!("{error}"));
    let host = |n: u8| wire::local(9, n);
    let at = BEGIN / 1_000 + 600;
    let lost = |n: u8, windows: i64| {
        let line = |window: i64| {
            let from = at + window * 60;
            format!("2 1 {} - - - - - - - {from} {} - SKIPDATA", wire::interface(host(n)), from + 60)
        };
        (0..windows).map(line).collect::<Vec<_>>()
    };
    let scenario = |hosts: &[u8]| Scenario {
        family: "log gap",
        variant: String::new(),
        entities: hosts.iter().map(|n| host(*n)).collect(),
        techniques: &["T1562"],
        from: at,
        to: at + 300,
    };
    let said = |attacked: &[u8], hosts: &[(u8, i64)]| {
        let lines = hosts.iter().flat_map(|(n, windows)| lost(*n, *windows)).collect();
        let trial = Trial { lines, scenarios: vec![scenario(attacked)], interfaces: hosts.len() };
        let score = judge(&rules, [trial]);
        (score.rules["LOG-GAP"].clone(), score.families()["log gap"].found)
    };
    assert_eq!(said(&[1, 2], &[(1, 2), (2, 1)]), (Said { right: 1, beside: 0, wrong: 0 }, 1));
    assert_eq!(said(&[1], &[(1, 2), (2, 1)]), (Said { right: 0, beside: 0, wrong: 1 }, 1), "found, and false");
    let four = [(1, 4), (2, 4), (3, 4), (4, 1)];
    assert_eq!(said(&[4], &four), (Said { right: 0, beside: 0, wrong: 1 }, 0), "it is the fourth of four");
    assert_eq!(said(&[1, 2, 3, 4], &four), (Said { right: 1, beside: 0, wrong: 0 }, 1));
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
