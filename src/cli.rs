//! The command line: what can be typed, and what it means. The same definitions make help, completions and the manual page.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod values;

use crate::app::change::Change;
pub(crate) use values::duration;
use values::{baseline, change, seeds, size, speed};

/// Live investigation of AWS VPC Flow Logs in a terminal.
#[derive(Debug, Parser)]
#[command(name = "flowtail", version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  flowtail demo                                                  a recording with an attack in it; needs nothing
  flowtail tail /vpc/flow-logs --eni eni-0536faba73134a9b7       one network interface, live
  flowtail tail /vpc/flow-logs --who web-1                       the interfaces of that name, instance or address
  flowtail history /vpc/flow-logs --from 7d --filter 'reject'    any range, by Logs Insights; says the cost first
  flowtail open flows.log.gz --filter 'udp and bytes > 1M'       a file
  zcat *.gz | flowtail open - --print sessions                   no screen: one JSON object a line

Exit codes: 0 done; 1 no row was printed; 2 wrong usage or unreadable input.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// What flowtail can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tail CloudWatch Logs log groups, or single network interfaces in them
    Tail(Tail),
    /// Search any range of time by CloudWatch Logs Insights; AWS charges by what it scans
    History(History),
    /// Read files or standard input, plain or gzip, with or without a header line
    Open(Open),
    /// Play the built-in recording: no AWS, no network, no file
    Demo(Demo),
    /// List, show, check and test detection rules
    Rules {
        /// What to do with them.
        #[command(subcommand)]
        command: RulesCommand,
    },
    /// Check a filter and write it in another language: Insights, the aws command, SQL, tcpdump, Wireshark
    Filter(Translate),
    /// List every field that records, filters and rules know
    Fields,
    /// List the themes
    Themes,
    /// Print a completion script for a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// `flowtail rules …`.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// List the rules in force: the built-in ones, and yours over them
    List,
    /// Print one rule as it is written
    Show {
        /// Its id, such as AMP-PROBE.
        id: String,
    },
    /// Check a file of rules: the first error with its line and column
    Check {
        /// A TOML file; those in rules.d beside the configuration if left out.
        file: Option<PathBuf>,
    },
    /// Print a JSON schema of files of rules, for editors
    Schema,
    /// Show what the rules of a file would have raised over records, before they are switched on
    Backtest {
        /// A TOML file of rules, or of changes to the built-in ones.
        rules: PathBuf,
        /// Files of records, or `-` for standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<OsString>,
    },
    /// Run the tests that rules carry: those in force, or those of a file
    Test {
        /// A TOML file.
        file: Option<PathBuf>,
    },
    /// Judge rules by labelled attacks inside ordinary traffic: what they find, what they say for nothing, how fast
    Evaluate {
        /// A TOML file of rules; the built-in rules if left out.
        file: Option<PathBuf>,
        /// Trials, by the numbers they are generated from.
        #[arg(long, value_name = "FROM-TO", default_value = "11-20", value_parser = seeds)]
        seeds: RangeInclusive<u64>,
        /// Beside the published thresholds of Elastic, NEMEA, Panther, Sentinel, Splunk, `Stream4Flow` and Tailpipe.
        #[arg(long)]
        against: bool,
        /// Ordinary traffic only.
        #[arg(long, conflicts_with = "against")]
        benign: bool,
        /// Attacks and ordinary traffic that were written after the rules; `--unseen=2` is a second set, on which nothing is tuned.
        #[arg(long, value_name = "SET", num_args = 0..=1, require_equals = true, default_missing_value = "1", value_parser = clap::value_parser!(u8).range(1..=2), conflicts_with_all = ["against", "benign"])]
        unseen: Option<u8>,
        /// Print the false alerts too.
        #[arg(long, conflicts_with = "against")]
        explain: bool,
        /// Write the records of the first trial to a file that does not exist yet, to open with flowtail.
        #[arg(long, value_name = "FILE", conflicts_with = "against")]
        save: Option<PathBuf>,
    },
}

/// `flowtail filter …`.
#[derive(Debug, Args)]
pub struct Translate {
    /// The filter, in quotes
    #[arg(value_name = "EXPR")]
    pub expr: String,
    /// Language to write it in; `text` is how flowtail spells it
    #[arg(long, value_name = "LANGUAGE", default_value = "text")]
    pub to: To,
    /// Read it as a filter for sessions
    #[arg(long)]
    pub sessions: bool,
    /// Log group to name in the aws command
    #[arg(long, value_name = "LOG_GROUP")]
    pub group: Option<String>,
    /// Region to name in the aws command
    #[arg(long)]
    pub region: Option<String>,
    /// Insights: sums by these fields instead of records, such as srcaddr,dstport
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub by: Vec<String>,
    /// Most rows that an Insights query gives
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    /// Fail where the translation would select more rows than the filter
    #[arg(long)]
    pub exact: bool,
}

/// Languages that a filter is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// The canonical spelling, what flowtail understood
    Text,
    /// CloudWatch Logs Insights query
    Insights,
    /// aws logs filter-log-events command
    Aws,
    /// Athena SQL
    Athena,
    /// Capture filter (BPF)
    Tcpdump,
    /// Display filter
    Wireshark,
}

/// Where log groups are, and who asks.
#[derive(Clone, Debug, Default, Args)]
pub struct Account {
    /// AWS region
    #[arg(long)]
    pub region: Option<String>,
    /// Profile of the AWS configuration
    #[arg(long)]
    pub profile: Option<String>,
    /// Another endpoint than AWS, such as a local test server
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
}

/// `flowtail tail …`.
#[derive(Debug, Args)]
pub struct Tail {
    /// Log groups, by name or ARN; without any, those of the region that take flow logs are listed
    #[arg(value_name = "LOG_GROUP")]
    pub groups: Vec<String>,
    /// Only this network interface (repeatable)
    #[arg(long = "eni", value_name = "eni-…")]
    pub interfaces: Vec<String>,
    /// Only the interfaces that this names (repeatable): an instance id, an address, a Name tag or description of an interface, a name of --names.
    /// EC2 is asked which they are
    #[arg(long, value_name = "NAME")]
    pub who: Vec<String>,
    /// Do not ask EC2 what the interfaces are; their names are then those of --names alone
    #[arg(long, conflicts_with = "who")]
    pub no_interfaces: bool,
    /// How far back to begin
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    pub since: Duration,
    /// Stop after this time
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub run_for: Option<Duration>,
    /// How long after its own time a record is still looked for
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    pub lookback: Duration,
    /// Requests a second, sustained; the quota of the account is shared with all its other tools
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub max_rps: f64,
    /// Write every event as received to this file (gzip, NDJSON), which `flowtail open` replays
    #[arg(long, value_name = "FILE.gz")]
    pub record: Option<PathBuf>,
    /// Read only records that match this filter, and their replies: for groups too busy to be read whole. What is not read cannot come back
    #[arg(long, value_name = "EXPR")]
    pub fetch: Option<String>,
    /// Load what each interface used in so much time before (a day at least) by Logs Insights, so that rules know what is new; AWS charges for what
    /// that scans, which is said. What was loaded less than a day ago is taken from the state folder
    #[arg(long, value_name = "TIME", value_parser = baseline)]
    pub baseline: Option<Duration>,
    /// Also open a Live Tail session: records within seconds of their ingestion. AWS charges for it by the minute
    #[arg(long)]
    pub live: bool,
    /// Where the log groups are
    #[command(flatten)]
    pub aws: Account,
}

/// `flowtail history …`.
#[derive(Debug, Args)]
pub struct History {
    /// Log groups, by name or ARN
    #[arg(required = true, value_name = "LOG_GROUP")]
    pub groups: Vec<String>,
    /// From when: 2018-08-20T15:00Z, 15:00 (UTC, the latest), or how long ago, such as 7d
    #[arg(long, value_name = "T")]
    pub from: String,
    /// Until when, the same way
    #[arg(long, value_name = "T", default_value = "now")]
    pub to: String,
    /// Sums by these fields instead of records, such as srcaddr,dstport
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub by: Vec<String>,
    /// Most records to fetch, the oldest ones [default: 1000000], or groups to print [default: 1000]
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Run without asking
    #[arg(long)]
    pub yes: bool,
    /// Print the query and what it would scan, and run nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where the log groups are
    #[command(flatten)]
    pub aws: Account,
    /// What a search does not have
    #[command(flatten)]
    pub only: OnlyTail,
}

/// Options of a tail that other commands take in order to say what to do instead.
#[derive(Clone, Debug, Default, Args)]
pub struct OnlyTail {
    /// See `flowtail tail`
    #[arg(long, value_name = "NAME", hide = true)]
    pub who: Vec<String>,
}

/// `flowtail open …`.
#[derive(Debug, Args)]
pub struct Open {
    /// Files, folders of them (as S3 keeps flow logs), or `-` for standard input; several are merged by time
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<OsString>,
    /// Only records from then on, and no file that is older by its name: 2018-08-20T15:00Z, 15:00 (UTC, the latest), or how long ago, such as 7d
    #[arg(long, value_name = "T")]
    pub from: Option<String>,
    /// Only records until then, the same way
    #[arg(long, value_name = "T")]
    pub to: Option<String>,
    /// Keep reading what is appended
    #[arg(long)]
    pub follow: bool,
    /// Replay at a multiple of recorded time, such as 60x
    #[arg(long, value_parser = speed)]
    pub speed: Option<f64>,
    /// Region of records that carry none
    #[arg(long)]
    pub region: Option<String>,
    /// What files do not have
    #[command(flatten)]
    pub only: OnlyTail,
}

/// `flowtail demo …`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Multiple of recorded time; 10x on the screen, as fast as possible without one
    #[arg(long, value_parser = speed)]
    pub speed: Option<f64>,
    /// What a recording does not have
    #[command(flatten)]
    pub only: OnlyTail,
}

/// What can be printed without a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Print {
    /// Every matching record as it is read
    Flows,
    /// Every matching session once it is final
    Sessions,
    /// Every alert when it is raised and when it is closed
    Alerts,
    /// Counts at the end of input
    Summary,
    /// Lines that did not parse, with reason and place
    Quarantine,
}

/// Shapes of printed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum As {
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values with a header
    Csv,
    /// The original line (flows only)
    Log,
    /// Columns for reading
    Table,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub struct Common {
    /// What is shown and printed; pairing and detection see every record
    #[arg(long, global = true, value_name = "EXPR", help_heading = "Everywhere")]
    pub filter: Option<String>,
    /// Configuration file [default: that of the environment (`FLOWTAIL_CONFIG`), else flowtail/config.toml in ~/.config]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// Names for addresses and interfaces: a CSV file with a line `address-or-eni,name` each; a name is also a set (`$name`) in filters
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub names: Option<PathBuf>,
    /// Interface of a NAT gateway or instance, where the records do not say (repeatable): what it passes on is marked as such (`nat`)
    #[arg(long, global = true, value_name = "eni-…", help_heading = "Everywhere")]
    pub nat: Vec<String>,
    /// Time of a change, with a note after it if you like: sessions are before, surviving or new by it (`phase`), as `T` does on the screen. Such as
    /// '2018-08-20 15:26:46 isolated', 15:26 (UTC, the latest) or Unix seconds
    #[arg(long, global = true, value_name = "TIME", value_parser = change, help_heading = "Everywhere")]
    pub change: Option<Change>,
    /// Country and network of public addresses, out of this database (a .mmdb file; repeatable: one for countries, one for ASNs)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub geo: Vec<PathBuf>,
    /// Never ask for the name of an address (D on the screen), since a lookup tells others that somebody asked
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub no_dns: bool,
    /// Print the configuration with every key and what it means
    #[arg(long, global = true, exclusive = true, help_heading = "Everywhere")]
    pub print_config: bool,
    /// Fields of a line, in order, such as '${version} ${srcaddr} …'
    #[arg(long, global = true, value_name = "FIELDS", help_heading = "Everywhere")]
    pub format: Option<String>,
    /// Memory for everything held
    #[arg(long, global = true, value_name = "SIZE", default_value = "1GiB", value_parser = size, help_heading = "Everywhere")]
    pub memory: usize,
    /// Print rows instead of opening the screen; `flows` is the default where standard output is no terminal
    #[arg(long, global = true, value_name = "WHAT", help_heading = "Everywhere")]
    pub print: Option<Print>,
    /// Shape of printed rows [default: table on a terminal, else ndjson]
    #[arg(long = "as", global = true, value_name = "SHAPE", help_heading = "Everywhere")]
    pub shape: Option<As>,
    /// Without a screen: at the end write a case of what --filter selects here (Markdown), and its records beside it
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub case: Option<PathBuf>,
    /// Folder for what the screen keeps between runs: the filters that were typed or saved [default: for a tail flowtail in the XDG state folder, else none]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub state: Option<PathBuf>,
    /// Keep nothing between runs
    #[arg(long, global = true, conflicts_with = "state", help_heading = "Everywhere")]
    pub no_state: bool,
    /// Theme: a name (see `flowtail themes`), a file, or auto
    #[arg(long, global = true, value_name = "NAME", default_value = "auto", help_heading = "Everywhere")]
    pub theme: String,
    /// Draw with ASCII characters only
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub no_mouse: bool,
    /// Run a command for every alert that is raised, with the alert as JSON on its input; no shell, 10 seconds and 30 a minute at most
    #[arg(long, global = true, value_name = "CMD", value_parser = crate::notify::OnAlert::parse, help_heading = "Everywhere")]
    pub on_alert: Option<crate::notify::OnAlert>,
    /// Ring the terminal's bell when an alert is raised
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub bell: bool,
    /// Have the terminal notify when an alert is raised (OSC 9)
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub notify: bool,
    /// What `--names` and `--geo` know.
    #[arg(skip)]
    pub known: std::sync::Arc<crate::enrich::Known>,
    /// Keys of the user, and how the screen is arranged.
    #[arg(skip)]
    pub keys: std::sync::Arc<crate::app::keymap::Keys>,
    /// See [`Common::keys`].
    #[arg(skip)]
    pub screen: Vec<String>,
    /// The rules in force; the built-in ones where nobody loaded any.
    #[arg(skip)]
    pub rules: Option<crate::detect::Rules>,
    /// Where the user's rules are.
    #[arg(skip)]
    pub rule_files: crate::config::rules::RuleFiles,
    /// Whether alerts are printed once, as they ended, with a count at the end.
    #[arg(skip)]
    pub backtest: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }
}
