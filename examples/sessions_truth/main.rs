//! Prints how well sessions match the truth, by seed, beside nfdump: `cargo run --release --no-default-features --example sessions_truth`, with
//! seeds or ranges of them (`1000-1019`, which is what it takes without any). Fails where a conversation or a byte is missing.
//!
//! nfdump (`-b`, `-B`) gets the same records in the same order as `NetFlow` version 5 through nfcapd on loopback. Where it is not installed it is
//! left out with a word, and where `CI` is set that is a failure.

mod nfdump;
#[path = "../../tests/sessions/score.rs"]
mod score;
#[path = "../../tests/sessions/truth.rs"]
mod truth;

use std::process::ExitCode;

use score::{Score, share};
use truth::Style;

fn main() -> ExitCode {
    let mut seeds = Vec::new();
    for argument in std::env::args().skip(1) {
        let range = argument.split_once('-').unwrap_or((&argument, &argument));
        let (Ok(from), Ok(to)) = (range.0.parse::<u64>(), range.1.parse::<u64>()) else {
            eprintln!("{argument}: not a seed nor a range of seeds such as 1000-1019");
            return ExitCode::from(2);
        };
        seeds.extend(from..=to);
    }
    if seeds.is_empty() {
        seeds.extend(1_000..=1_019);
    }
    let with_peer = nfdump::is_there();
    if !with_peer {
        eprintln!("SKIPPED: nfdump and nfcapd are not installed (apt-get install nfdump); its columns are left out");
    }
    println!("Seeds {seeds:?}\n");
    println!(
        "| log | who | conversations | recovered exactly | other sessions | bytes wrong | initiator right | undecided |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let (mut failed, mut ours) = (!with_peer && std::env::var_os("CI").is_some(), Vec::new());
    for (window, flags) in [(60, true), (60, false), (600, true), (600, false)] {
        let style = Style { window, flags };
        let names = ["flowtail", "nfdump -b", "nfdump -B"];
        let mut scores = [Score::default(), Score::default(), Score::default()];
        for seed in &seeds {
            let world = truth::world(*seed, style);
            scores[0].add(&score::score(&world.conversations, &score::flowtail(&world, style)));
            if with_peer {
                match nfdump::pair(&world, flags) {
                    Ok(found) => {
                        // NetFlow version 5 has no IPv6.
                        let v4 = world.conversations.iter().filter(|one| one.client.0.is_ipv4()).cloned();
                        let v4: Vec<_> = v4.collect();
                        for (score, found) in scores[1..].iter_mut().zip(found) {
                            score.add(&score::score(&v4, &found));
                        }
                    }
                    Err(error) => {
                        eprintln!("nfdump, seed {seed}: {error}");
                        failed = true;
                    }
                }
            }
        }
        failed |= scores[0].exact != scores[0].conversations || scores[0].wrong_bytes != 0;
        let log = format!("{window} s, {} flags", if flags { "with" } else { "without" });
        for (name, score) in names.iter().zip(&scores).take(if with_peer { 3 } else { 1 }) {
            println!(
                "| {log} | {name} | {} | {} | {} | {} of {} | {:.2} % of {} | {} |",
                score.conversations,
                score.exact,
                score.others,
                score.wrong_bytes,
                score.bytes,
                100.0 * score.orientation(),
                score.right + score.wrong + score.undecided,
                score.undecided,
            );
        }
        let [own, ..] = scores;
        ours.push((log, own));
    }
    table("method", &ours, |score| &score.methods);
    table("kind", &ours, |score| &score.kinds);
    println!(
        "\nOf {} conversations that no log can decide, {} were given as undecided or as a guess.",
        sum(&ours, |s| s.symmetric),
        sum(&ours, |s| s.left_open)
    );
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn sum(ours: &[(String, Score)], of: impl Fn(&Score) -> u64) -> u64 {
    ours.iter().map(|(_, score)| of(score)).sum()
}

type Shares = std::collections::BTreeMap<&'static str, (u64, u64)>;

/// Right initiators by method or by kind.
fn table(what: &str, ours: &[(String, Score)], of: impl Fn(&Score) -> &Shares) {
    let names: std::collections::BTreeSet<_> = ours.iter().flat_map(|(_, score)| of(score).keys()).collect();
    println!(
        "\n| initiator right, by {what} | {} |",
        ours.iter().map(|(log, _)| log.as_str()).collect::<Vec<_>>().join(" | ")
    );
    println!("|---|{}", "---|".repeat(ours.len()));
    for name in names {
        let cells = ours.iter().map(|(_, score)| {
            of(score)
                .get(*name)
                .map_or(String::new(), |(right, all)| format!("{:.2} % of {all}", 100.0 * share(*right, *all)))
        });
        println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}
