//! What a trial came to, as tables: what was found, what was said for nothing, how others compare.

use std::fmt::Write as _;

use super::{Score, published};
use crate::detect::{Level, RuleError, Rules};

/// A share in percent, with one decimal where it is not whole.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of alerts")]
    let share = part as f64 * 100.0 / whole as f64;
    format!("{share:.0} %")
}

fn each(count: u64, of: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "counts of alerts")]
    let count = count as f64;
    if of > 0.0 { format!("{:.2}", count / of) } else { "–".to_owned() }
}

/// Three tables in Markdown: attacks found by kind (and by variant where some were missed), what each rule said, and false alerts by level.
pub fn summary(score: &Score) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} records, {:.0} hours, {:.0} host-days.\n\n| attack | found | of | recall | alerts each | seconds to the first alert (median) |\n|---|---|---|---|---|---|",
        score.records, score.hours, score.host_days
    );
    for (family, found) in score.families() {
        #[expect(clippy::cast_precision_loss, reason = "counts of attacks")]
        let (hits, delay) = (found.found as f64, found.delay().map_or("–".to_owned(), |delay| delay.to_string()));
        let _ = writeln!(
            text,
            "| {family} | {} | {} | {} | {} | {delay} |",
            found.found,
            found.attacks,
            percent(found.found, found.attacks),
            each(found.alerts, hits)
        );
    }
    let missed: Vec<String> = score
        .attacks
        .iter()
        .filter(|(_, found)| found.found < found.attacks)
        .map(|((family, variant), found)| {
            format!("{family}: {variant} ({} of {})", found.attacks - found.found, found.attacks)
        })
        .collect();
    if !missed.is_empty() {
        let _ = writeln!(text, "\nMissed: {}.", missed.join("; "));
    }
    let _ =
        writeln!(text, "\n| rule | right | beside | false | precision | false a host-day |\n|---|---|---|---|---|---|");
    for (rule, said) in &score.rules {
        let _ = writeln!(
            text,
            "| {rule} | {} | {} | {} | {} | {} |",
            said.right,
            said.beside,
            said.wrong,
            percent(said.right + said.beside, said.right + said.beside + said.wrong),
            each(said.wrong, score.host_days)
        );
    }
    let by_level = |level| score.wrong.get(&level).copied().unwrap_or_default();
    let levels = [Level::Critical, Level::High, Level::Medium, Level::Low, Level::Informational];
    let counts: Vec<String> = levels
        .iter()
        .filter(|level| by_level(**level) > 0)
        .map(|level| format!("{} {level}", by_level(*level)))
        .collect();
    let total: u64 = score.wrong.values().sum();
    let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    let _ = writeln!(text, "\nFalse alerts: {counts}; {} an hour over the whole network.", each(total, score.hours));
    text
}

/// One table in Markdown: `rules` beside what others publish, over the same trials.
///
/// # Errors
/// Never in a program that was tested; see [`published`].
pub fn against(rules: &Rules, seeds: &[u64]) -> Result<String, RuleError> {
    let mut sets = vec![("flowtail", rules.clone())];
    sets.extend(published()?);
    let scores: Vec<(&str, Score)> =
        sets.iter().map(|(name, rules)| (*name, super::evaluate(rules, seeds.iter().copied(), true))).collect();
    let mut text = String::from("| attacks found, percent |");
    for (name, _) in &scores {
        let _ = write!(text, " {name} |");
    }
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(scores.len()));
    let families: Vec<&str> =
        scores.first().map(|(_, score)| score.families().into_keys().collect()).unwrap_or_default();
    for family in families {
        let _ = write!(text, "| {family} |");
        for (_, score) in &scores {
            let found = score.families().remove(family).unwrap_or_default();
            let _ = write!(text, " {} |", percent(found.found, found.attacks));
        }
        text.push('\n');
    }
    let row = |text: &mut String, name: &str, value: &dyn Fn(&Score) -> String| {
        let _ = write!(text, "| {name} |");
        for (_, score) in &scores {
            let _ = write!(text, " {} |", value(score));
        }
        text.push('\n');
    };
    let sum = |score: &Score, of: fn(&super::Said) -> u64| score.rules.values().map(of).sum::<u64>();
    row(&mut text, "alerts", &|score| sum(score, |said| said.right + said.beside + said.wrong).to_string());
    row(&mut text, "precision", &|score| {
        let right = sum(score, |said| said.right + said.beside);
        percent(right, right + sum(score, |said| said.wrong))
    });
    row(&mut text, "false alerts a host-day", &|score| each(sum(score, |said| said.wrong), score.host_days));
    row(&mut text, "false alerts an hour", &|score| each(sum(score, |said| said.wrong), score.hours));
    Ok(text)
}
