//! Parses the command line, runs, and turns what happened into an exit code.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use flowtail::cli::{Cli, Command, Common, OnlyTail, Open, Print, RulesCommand};
use flowtail::config::{self, Config};
use flowtail::enrich::{Geo, Known, Names};
use flowtail::filter::Sets;
use flowtail::headless::{self, Outcome};
use flowtail::record::places;
use flowtail::runtime as screen;
use flowtail::{tables, translate};

fn main() -> ExitCode {
    let typed: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if typed.iter().skip(1).any(|word| word == "--print-config") {
        return done(tables::config());
    }
    done(run(Cli::parse_from(Config::arguments(typed))))
}

fn done(result: Result<Outcome, String>) -> ExitCode {
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Nothing) => ExitCode::from(1),
        Err(message) => {
            // Nobody there to hear it is no reason to fail in another way.
            let _ = writeln!(std::io::stderr(), "flowtail: {message}");
            ExitCode::from(2)
        }
    }
}

/// What the user's files know beside the log. Names become sets of filters.
fn known(common: &Common, sets: &mut Sets) -> Result<Known, String> {
    let mut names = Names::default();
    if let Some(path) = &common.names {
        names = config::names(path).map_err(|error| format!("--names {error}"))?;
        names.define(sets);
    }
    let mut geo = Geo::default();
    for path in &common.geo {
        config::geo(path, &mut geo).map_err(|error| format!("--geo {error}"))?;
    }
    let geo = Arc::new(geo);
    if !geo.is_empty() {
        places::install(Arc::clone(&geo));
    }
    Ok(Known::from(names).with_geo(geo).with_quiet(common.no_dns))
}

fn run(cli: Cli) -> Result<Outcome, String> {
    let Cli { mut command, mut common } = cli;
    match command {
        // These must work whatever is configured.
        Command::Themes => return tables::themes(),
        Command::Completions { shell } => return tables::completions(shell),
        Command::Man => return tables::man(),
        Command::Rules { command: RulesCommand::Schema } => return tables::schema(),
        _ => {}
    }
    let mut config = Config::load(common.config.as_deref()).map_err(|error| error.to_string())?;
    common.known = known(&common, &mut config.sets)?.into();
    Sets::install(config.sets);
    match command {
        Command::Filter(wanted) => return translate::run(&wanted, &common),
        Command::Fields => return tables::fields(),
        Command::Rules { command: RulesCommand::Backtest { rules, files } } => {
            common.rules = Some(tables::backtested(&rules, &config.rules)?);
            (common.backtest, common.print) = (true, Some(Print::Alerts));
            let only = OnlyTail::default();
            command =
                Command::Open(Open { files, from: None, to: None, follow: false, speed: None, region: None, only });
        }
        Command::Rules { command } => return tables::rules(&command, &config.rules),
        other => {
            common.rules = Some(config.rules.load().map_err(|error| error.to_string())?);
            common.rule_files = config.rules;
            (common.keys, common.screen) = (config.keys, config.screen);
            command = other;
        }
    }
    let print = common.print.or_else(|| (!std::io::stdout().is_terminal()).then_some(Print::Flows));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| format!("the system gives no threads: {error}"))?;
    #[cfg(feature = "aws")]
    if let Command::History(wanted) = &command
        && (wanted.dry_run || !wanted.by.is_empty())
    {
        return runtime.block_on(flowtail::history::run(wanted, &common)).map_err(|error| error.to_string());
    }
    let outcome = match print {
        Some(what) => runtime.block_on(headless::run(command, &common, what)).map_err(|error| error.to_string()),
        None => {
            runtime.block_on(screen::run(command, &common)).map(|()| Outcome::Done).map_err(|error| error.to_string())
        }
    };
    // A blocking read of standard input cannot be cancelled; nobody waits for it.
    runtime.shutdown_background();
    outcome
}
