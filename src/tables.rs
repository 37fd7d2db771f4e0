//! The commands that print what flowtail knows: fields, themes, rules, completions, the manual page.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use clap::CommandFactory as _;

use crate::cli::{Cli, RulesCommand};
use crate::config::rules::{RuleFiles, text_of};
use crate::detect::Rules;
use crate::engine::{Config, Core};
use crate::evaluate;
use crate::filter::{BUILTIN, Members, Sets};
use crate::headless::Outcome;
use crate::record::{Batch, Decoder, FIELDS, On};

/// Prints `text`; a closed pipe is success.
fn print(text: &str) -> Result<Outcome, String> {
    match io::Write::write_all(&mut io::stdout().lock(), text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(Outcome::Done),
    }
}

/// `flowtail fields`.
///
/// # Errors
/// Standard output cannot be written.
pub fn fields() -> Result<Outcome, String> {
    let mut text = format!("{:<28} {:<5} {:<9} {:<9} {:<40} MEANING\n", "FIELD", "SINCE", "KIND", "ON", "ALSO");
    for def in FIELDS {
        let since = if def.since == 0 { "-".to_owned() } else { format!("v{}", def.since) };
        let on = match def.on {
            On::Flows => "flows",
            On::Sessions => "sessions",
            On::Both => "both",
        };
        let kind = format!("{:?}", def.kind).to_lowercase();
        let also = def.aliases.join(" ");
        let _ = writeln!(text, "{:<28} {since:<5} {kind:<9} {on:<9} {also:<40} {}", def.name, def.doc);
    }
    text.push('\n');
    let _ = writeln!(text, "{:<28} {:<11} MEANING", "SET", "HOLDS");
    for name in Sets::known().names() {
        let holds = match Sets::known().get(&name).map(|set| set.members) {
            Some(Members::Addrs(set)) => format!("{} networks", set.len()),
            Some(Members::Ports(ports)) => format!("{} ports", ports.len()),
            None => continue,
        };
        let doc =
            BUILTIN.iter().find(|(builtin, _)| *builtin == name).map_or("From the configuration.", |(_, doc)| *doc);
        let _ = writeln!(text, "{name:<28} {holds:<11} {doc}");
    }
    print(&text)
}

/// `flowtail themes`.
///
/// # Errors
/// Standard output cannot be written.
pub fn themes() -> Result<Outcome, String> {
    let names: Vec<&str> = crate::ui::theme::Theme::names().collect();
    print(&format!("auto\n{}\n", names.join("\n")))
}

/// `flowtail --print-config`.
///
/// # Errors
/// Standard output cannot be written.
pub fn config() -> Result<Outcome, String> {
    print(&crate::config::print_config())
}

/// `flowtail completions SHELL`.
///
/// # Errors
/// Standard output cannot be written.
pub fn completions(shell: clap_complete::Shell) -> Result<Outcome, String> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "flowtail", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// `flowtail man`.
///
/// # Errors
/// Standard output cannot be written.
pub fn man() -> Result<Outcome, String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| error.to_string())?;
    print(&String::from_utf8_lossy(&page))
}

/// The rules that `file` is about, as they are over those that are built in and in the folder of the user's.
fn read(file: &Path, user: &RuleFiles) -> Result<Rules, String> {
    let mut rules = user.load().map_err(|error| error.to_string())?;
    let text = text_of(file).map_err(|error| error.to_string())?;
    let about = rules.overlay(&text, &file.display().to_string()).map_err(|error| error.to_string())?;
    rules.keep(&about);
    Ok(rules)
}

/// The rules of a file that are to be tried over records: on, whatever the file says.
///
/// # Errors
/// The file cannot be read or is wrong, or has no rule to try.
pub fn backtested(file: &Path, user: &RuleFiles) -> Result<Rules, String> {
    let mut rules = read(file, user)?;
    if rules.iter().next().is_none() {
        return Err(format!("{}: no rule in it to try; it only switches rules on or off, or is empty", file.display()));
    }
    rules.switch(|_| Some(true));
    Ok(rules)
}

/// `flowtail rules schema`.
///
/// # Errors
/// Standard output cannot be written.
pub fn schema() -> Result<Outcome, String> {
    print(&format!("{:#}\n", Rules::schema()))
}

/// `flowtail rules …`.
///
/// # Errors
/// A file that cannot be read or is wrong, an unknown rule, a test that fails.
pub fn rules(command: &RulesCommand, user: &RuleFiles) -> Result<Outcome, String> {
    let force = || user.load().map_err(|error| error.to_string());
    match command {
        RulesCommand::List => {
            let mut text =
                format!("{:<18} {:<13} {:<4} {:<12} {:<58} FROM\n", "RULE", "LEVEL", "ON", "TECHNIQUE", "TITLE");
            for rule in force()?.iter() {
                let on = if rule.enabled { "yes" } else { "no" };
                let waits = rule.waits_for.as_ref().map_or(String::new(), |set| format!(" (needs the set {set})"));
                let (id, level, technique) = (&rule.id, rule.level, &rule.technique);
                let title = format!("{}{waits}", rule.title);
                let _ = writeln!(text, "{id:<18} {level:<13} {on:<4} {technique:<12} {title:<58} {}", rule.origin);
            }
            print(&text)
        }
        RulesCommand::Show { id } => match force()?.get(id) {
            Some(rule) if &*rule.origin == "built in" => print(&rule.text),
            Some(rule) => print(&format!("# {}\n{}", rule.origin, rule.text)),
            None => Err(format!("no rule is called '{id}'; `flowtail rules list` shows them")),
        },
        RulesCommand::Check { file } => {
            let Some(file) = file else {
                let all = force()?;
                let on = all.iter().filter(|rule| rule.enabled).count();
                let files = user.paths().map_err(|error| error.to_string())?.len();
                let all = all.iter().count();
                return print(&format!(
                    "{files} files of yours are right: {all} rules with the built-in ones, {on} of them on\n"
                ));
            };
            let rules = read(file, user)?;
            print(&format!("{}: {} rules are right\n", file.display(), rules.iter().count()))
        }
        RulesCommand::Test { file } => {
            let rules = file.as_deref().map_or_else(&force, |file| read(file, user))?;
            test(&rules)
        }
        RulesCommand::Schema => schema(),
        RulesCommand::Backtest { .. } => Err("records are needed for that".to_owned()),
        RulesCommand::Evaluate { file, seeds, against, benign, unseen, explain, save } => {
            let rules = file.as_deref().map_or_else(&force, |file| read(file, user))?;
            if *against {
                let seeds: Vec<u64> = seeds.clone().collect();
                return print(&evaluate::against(&rules, &seeds).map_err(|error| error.to_string())?);
            }
            let made = |seed| match unseen {
                None => evaluate::trial(seed, !benign),
                Some(1) => evaluate::unseen(evaluate::Unseen::First, seed),
                Some(_) => evaluate::unseen(evaluate::Unseen::Second, seed),
            };
            if let Some(path) = save {
                write_trial(path, &made(*seeds.start()))?;
            }
            let score = evaluate::judge(&rules, seeds.clone().map(made));
            let mut text = evaluate::summary(&score);
            for example in score.examples.iter().filter(|_| *explain) {
                let _ = writeln!(text, "{example}");
            }
            print(&text)
        }
    }
}

/// Writes a trial's records where nothing is yet, and its attacks beside them as comments would be: to standard error.
fn write_trial(path: &std::path::Path, trial: &evaluate::Trial) -> Result<(), String> {
    let wrong = |error: io::Error| format!("{}: {error}", path.display());
    let file = std::fs::File::create_new(path).map_err(wrong)?;
    let mut file = io::BufWriter::new(file);
    for line in &trial.lines {
        io::Write::write_all(&mut file, line.as_bytes()).map_err(wrong)?;
        io::Write::write_all(&mut file, b"\n").map_err(wrong)?;
    }
    io::Write::flush(&mut file).map_err(wrong)?;
    for scenario in &trial.scenarios {
        let who: Vec<String> = scenario.entities.iter().take(2).map(ToString::to_string).collect();
        eprintln!(
            "{} to {}: {}: {}: {}",
            scenario.from,
            scenario.to,
            scenario.family,
            scenario.variant,
            who.join(", ")
        );
    }
    Ok(())
}

/// Runs the tests that rules carry through the same decoder and engine as everything else.
fn test(rules: &Rules) -> Result<Outcome, String> {
    let mut text = String::new();
    let (mut passed, mut failed) = (0, 0);
    for rule in rules.iter() {
        for test in &rule.tests {
            let found = alerts_of(rules, &rule.id, &test.flows);
            if found == test.expect {
                passed += 1;
            } else {
                failed += 1;
                let _ = writeln!(text, "{}: {}: {found} alerts, expected {}", rule.id, test.name, test.expect);
            }
        }
    }
    let _ = writeln!(text, "{passed} passed, {failed} failed");
    print(&text)?;
    if failed > 0 { Err(format!("{failed} rule tests failed")) } else { Ok(Outcome::Done) }
}

/// How many alerts of `rule` the records in `flows` raise, with all of `rules` in force.
fn alerts_of(rules: &Rules, rule: &str, flows: &str) -> usize {
    let config = Config {
        memory: 64 << 20,
        lateness: 600,
        live: false,
        source: "rule test".into(),
        region: None,
        interfaces: Vec::new(),
        fetch: None,
    };
    // A rule that is off is tested like any other.
    let mut rules = rules.clone();
    rules.try_out(rule);
    let detector = crate::detect::Detector::new(&rules, crate::detect::Limits::default());
    let mut core = Core::new(config, detector, true);
    core.ingest(&Decoder::new(None).decode(&Batch { bytes: flows.as_bytes().to_vec(), ..Batch::default() }));
    core.finish();
    core.alerts().filter(|alert| &*alert.rule == rule).count()
}
